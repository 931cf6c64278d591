//! `crowd-v1`: the lower end of the count is compared with
//! - the configured limit: above it without a break for `open_after_ms` is a `watch`;
//! - the bound of the baseline: likewise is a `notice`.
//!
//! There is no way from here to `warning`. The score is 50 for a watch, 25 for a notice: this version had none.

use qorgan_domain::{
    alert::{Level, Reason, ReasonCode},
    crowd::{CrowdInputs, CrowdScore},
};

use super::seconds;

pub(super) const NAME: &str = "crowd-v1";

pub(super) fn assess(inputs: &CrowdInputs) -> CrowdScore {
    let usual = inputs.usual.and_then(|usual| Some((ReasonCode::AboveBaseline, Level::Notice, usual.bound, usual.held_ms?)));
    let limit = inputs.limit.and_then(|limit| Some((ReasonCode::AboveLimit, Level::Watch, limit.limit, limit.held_ms?)));
    let (mut level, mut longest, mut reasons) = (None, None, Vec::new());
    for (code, weight, bound, ms) in [usual, limit].into_iter().flatten() {
        if ms < inputs.open_after_ms {
            continue;
        }
        let reason = Reason { code, observed: inputs.low, bound, for_s: seconds(ms) };
        level = Some(weight);
        if longest.as_ref().is_none_or(|l: &Reason| l.for_s < reason.for_s) {
            longest = Some(Reason { code: ReasonCode::Persistent, ..reason.clone() });
        }
        reasons.push(reason);
    }
    reasons.extend(longest);
    let score = match level {
        Some(Level::Watch) => 50.0,
        Some(_) => 25.0,
        None => 0.0,
    };
    CrowdScore { formula: NAME.to_owned(), score, level, reasons }
}
