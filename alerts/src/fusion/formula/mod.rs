//! The published formulas of crowd alerts: from numbers to a score and a level. Pure, and kept for ever: an alert names the version
//! that made it, and `qorgan replay` asks that version again.
//!
//! A change of any number here is a new version beside the old ones.

mod v1;
mod v2;

use qorgan_domain::crowd::{CrowdInputs, CrowdScore};

/// A version of the formula.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Formula {
    /// `crowd-v1`: a limit and a rolling median.
    #[default]
    V1,
    /// `crowd-v2`: the week, density, flow, growth, neighbours.
    V2,
}

impl Formula {
    /// Every version, oldest first.
    pub const ALL: [Formula; 2] = [Formula::V1, Formula::V2];

    /// Name in alerts.
    pub fn as_str(self) -> &'static str {
        match self {
            Formula::V1 => v1::NAME,
            Formula::V2 => v2::NAME,
        }
    }

    /// The version of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|formula| formula.as_str() == name)
    }

    /// What this version says.
    pub fn assess(self, inputs: &CrowdInputs) -> CrowdScore {
        match self {
            Formula::V1 => v1::assess(inputs),
            Formula::V2 => v2::assess(inputs),
        }
    }
}

pub use v2::{CRITICAL_PER_M2, SAFE_FLOW_PER_M_MIN, SAFE_PER_M2, SCAN_LLR};

fn seconds(ms: i64) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}
