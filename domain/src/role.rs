//! Who a member of staff is to the hub. What a role may do on which route is one table in `api`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Role of a member of staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers alerts at the control centre.
    DutyOfficer,
    /// Leads a shift of duty officers.
    ShiftLead,
    /// Sits at the police duty desk; sees alarms and what a named person handed over.
    PoliceDesk,
    /// A unit on the road; sees its own orders.
    Patrol,
    /// Answers for one school or place; sees its own site.
    SchoolContact,
    /// Answers for the schools of one district: register, devices, drills; no alerts of crowds, no pictures.
    DistrictContact,
    /// Works with indicators; sees aggregates.
    Analyst,
    /// Takes residents' requests.
    ResidentOperator,
    /// Sits in a maslikhat; reads the plan, its notes and reports, and aggregates.
    Deputy,
    /// Keeps sites, devices and accounts; takes no part in alerts.
    Administrator,
    /// Reads the audit log.
    Auditor,
}

impl Role {
    /// Every role, in the order of the documents.
    pub const ALL: [Role; 11] = [
        Role::DutyOfficer,
        Role::ShiftLead,
        Role::PoliceDesk,
        Role::Patrol,
        Role::SchoolContact,
        Role::DistrictContact,
        Role::Analyst,
        Role::ResidentOperator,
        Role::Deputy,
        Role::Administrator,
        Role::Auditor,
    ];

    /// The name used in JSON, in the store and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::DutyOfficer => "duty_officer",
            Role::ShiftLead => "shift_lead",
            Role::PoliceDesk => "police_desk",
            Role::Patrol => "patrol",
            Role::SchoolContact => "school_contact",
            Role::DistrictContact => "district_contact",
            Role::Analyst => "analyst",
            Role::ResidentOperator => "resident_operator",
            Role::Deputy => "deputy",
            Role::Administrator => "administrator",
            Role::Auditor => "auditor",
        }
    }
}
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a role")]
pub struct RoleError(String);

impl FromStr for Role {
    type Err = RoleError;
    fn from_str(text: &str) -> Result<Self, RoleError> {
        Role::ALL.into_iter().find(|r| r.as_str() == text).ok_or_else(|| RoleError(text.into()))
    }
}
