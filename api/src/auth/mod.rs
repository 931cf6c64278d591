//! Who is at the other end of an HTTP request, and what they may do.

mod limit;
mod password;
mod session;

pub use limit::{LoginLimiter, Verdict};
pub use password::{PasswordError, Passwords, check_strength, generate};
pub use session::{COOKIE, Session, Sessions, cookie_value, random_token, set_cookie};

use qorgan_domain::Role;

/// What a session may do; the page shows or hides things by these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// See alerts (each role its own part of them).
    AlertsRead,
    /// Claim, dispatch, close and so on, as the life cycle allows.
    AlertsAct,
    /// Open an incident by hand.
    IncidentsOpen,
    /// See cameras' counts and health.
    CamerasRead,
    /// Open a picture, with a purpose.
    StillOpen,
    /// See the outlines and sites.
    AreasRead,
    /// Import outlines.
    AreasWrite,
    /// Read and verify the audit log.
    AuditRead,
    /// Keep accounts.
    UsersManage,
    /// Take the sound test of a desk.
    DeskSound,
    /// Read the metrics.
    MetricsRead,
}

impl Right {
    /// Every right.
    pub const ALL: [Right; 11] = [
        Right::AlertsRead,
        Right::AlertsAct,
        Right::IncidentsOpen,
        Right::CamerasRead,
        Right::StillOpen,
        Right::AreasRead,
        Right::AreasWrite,
        Right::AuditRead,
        Right::UsersManage,
        Right::DeskSound,
        Right::MetricsRead,
    ];

    /// Name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Right::AlertsRead => "alerts.read",
            Right::AlertsAct => "alerts.act",
            Right::IncidentsOpen => "incidents.open",
            Right::CamerasRead => "cameras.read",
            Right::StillOpen => "still.open",
            Right::AreasRead => "areas.read",
            Right::AreasWrite => "areas.write",
            Right::AuditRead => "audit.read",
            Right::UsersManage => "users.manage",
            Right::DeskSound => "desk.sound",
            Right::MetricsRead => "metrics.read",
        }
    }

    /// The roles that have it. Pictures are for those who answer alarms; accounts are not for those who do;
    /// who reads the audit log takes part in nothing else.
    pub fn roles(self) -> &'static [Role] {
        use Role::*;
        match self {
            Right::AlertsRead => &[DutyOfficer, ShiftLead, PoliceDesk, Patrol, SchoolContact],
            Right::AlertsAct => &[DutyOfficer, ShiftLead, PoliceDesk, Patrol],
            Right::IncidentsOpen => &[DutyOfficer, ShiftLead, PoliceDesk],
            Right::CamerasRead => &[DutyOfficer, ShiftLead, SchoolContact, Administrator],
            Right::StillOpen => &[DutyOfficer, ShiftLead],
            Right::AreasRead => {
                &[DutyOfficer, ShiftLead, PoliceDesk, Patrol, SchoolContact, Analyst, ResidentOperator, Administrator, Auditor]
            }
            Right::AreasWrite => &[Administrator],
            Right::AuditRead => &[Auditor],
            Right::UsersManage => &[Administrator],
            Right::DeskSound => &[DutyOfficer, ShiftLead, PoliceDesk],
            Right::MetricsRead => &[Administrator],
        }
    }

    /// The rights of a role.
    pub fn of(role: Role) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| right.roles().contains(&role))
    }
}
