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
    /// Add, change, remove and try cameras; draw on their masked stills.
    CamerasManage,
    /// See what body-worn cameras fail to record. Nobody has a right to change it.
    BadgesRead,
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
    /// See the register of institutions, their devices and what is blind (each role its own reach).
    RegisterRead,
    /// Change and import the register.
    RegisterWrite,
    /// See drills and their certificates.
    DrillsRead,
    /// Plan, start and end drills.
    DrillsWrite,
    /// Open a site's file: contacts, address, plan (a patrol only for its own order).
    SiteFileRead,
    /// Change a site's file.
    SiteFileWrite,
    /// See the response clock; give and take the shift.
    Shift,
    /// See where units are and which are near.
    UnitsRead,
    /// Be a unit: say where it is, take its orders.
    OrdersAnswer,
    /// Enrol and revoke phones of school contacts.
    PhonesManage,
    /// See what left by the connectors and what did not.
    ConnectorsRead,
    /// Read residents' requests: texts, places, references.
    RequestsRead,
    /// Take requests in, answer them, open a contact.
    RequestsWork,
    /// See counts of requests: shares, map, problem signals. Rounded, unless requests may be read anyway.
    RequestsFigures,
    /// See the action plan and the issues of meetings.
    PlanRead,
    /// Change the action plan.
    PlanWrite,
    /// Read the emergency journal and its bulletin.
    JournalRead,
    /// Write into the emergency journal.
    JournalWrite,
    /// Read analytic notes.
    NotesRead,
    /// Write analytic notes.
    NotesWrite,
    /// Open the quarterly report of a district.
    ReportsRead,
    /// See imports of indicators, surveys, feeds, registers, and the history of every value.
    IntakeRead,
    /// Import indicators and undo imports; enter surveys and registers.
    IntakeWrite,
    /// See signals (each role its own reach).
    SignalsRead,
    /// Enter signals and say how far they are.
    SignalsWrite,
    /// See the tension index, its map and forecasts.
    TensionRead,
    /// Choose how the index is made; propose and decide on weights.
    TensionManage,
    /// See assemblies, special places, planned events and changes of rules.
    PlanningRead,
    /// Write them; try and change rules.
    PlanningWrite,
}

impl Right {
    /// Every right.
    pub const ALL: [Right; 42] = [
        Right::AlertsRead,
        Right::AlertsAct,
        Right::IncidentsOpen,
        Right::CamerasRead,
        Right::CamerasManage,
        Right::BadgesRead,
        Right::StillOpen,
        Right::AreasRead,
        Right::AreasWrite,
        Right::AuditRead,
        Right::UsersManage,
        Right::DeskSound,
        Right::MetricsRead,
        Right::RegisterRead,
        Right::RegisterWrite,
        Right::DrillsRead,
        Right::DrillsWrite,
        Right::SiteFileRead,
        Right::SiteFileWrite,
        Right::Shift,
        Right::UnitsRead,
        Right::OrdersAnswer,
        Right::PhonesManage,
        Right::ConnectorsRead,
        Right::RequestsRead,
        Right::RequestsWork,
        Right::RequestsFigures,
        Right::PlanRead,
        Right::PlanWrite,
        Right::JournalRead,
        Right::JournalWrite,
        Right::NotesRead,
        Right::NotesWrite,
        Right::ReportsRead,
        Right::IntakeRead,
        Right::IntakeWrite,
        Right::SignalsRead,
        Right::SignalsWrite,
        Right::TensionRead,
        Right::TensionManage,
        Right::PlanningRead,
        Right::PlanningWrite,
    ];

    /// Name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Right::AlertsRead => "alerts.read",
            Right::AlertsAct => "alerts.act",
            Right::IncidentsOpen => "incidents.open",
            Right::CamerasRead => "cameras.read",
            Right::CamerasManage => "cameras.manage",
            Right::BadgesRead => "badges.read",
            Right::StillOpen => "still.open",
            Right::AreasRead => "areas.read",
            Right::AreasWrite => "areas.write",
            Right::AuditRead => "audit.read",
            Right::UsersManage => "users.manage",
            Right::DeskSound => "desk.sound",
            Right::MetricsRead => "metrics.read",
            Right::RegisterRead => "register.read",
            Right::RegisterWrite => "register.write",
            Right::DrillsRead => "drills.read",
            Right::DrillsWrite => "drills.write",
            Right::SiteFileRead => "sitefile.read",
            Right::SiteFileWrite => "sitefile.write",
            Right::Shift => "shift",
            Right::UnitsRead => "units.read",
            Right::OrdersAnswer => "orders.answer",
            Right::PhonesManage => "phones.manage",
            Right::ConnectorsRead => "connectors.read",
            Right::RequestsRead => "requests.read",
            Right::RequestsWork => "requests.work",
            Right::RequestsFigures => "requests.figures",
            Right::PlanRead => "plan.read",
            Right::PlanWrite => "plan.write",
            Right::JournalRead => "journal.read",
            Right::JournalWrite => "journal.write",
            Right::NotesRead => "notes.read",
            Right::NotesWrite => "notes.write",
            Right::ReportsRead => "reports.read",
            Right::IntakeRead => "intake.read",
            Right::IntakeWrite => "intake.write",
            Right::SignalsRead => "signals.read",
            Right::SignalsWrite => "signals.write",
            Right::TensionRead => "tension.read",
            Right::TensionManage => "tension.manage",
            Right::PlanningRead => "planning.read",
            Right::PlanningWrite => "planning.write",
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
            Right::CamerasManage => &[Administrator],
            Right::BadgesRead => &[ShiftLead, Administrator],
            Right::StillOpen => &[DutyOfficer, ShiftLead],
            Right::AreasRead => &[
                DutyOfficer,
                ShiftLead,
                PoliceDesk,
                Patrol,
                SchoolContact,
                DistrictContact,
                Analyst,
                ResidentOperator,
                Deputy,
                Administrator,
                Auditor,
            ],
            Right::AreasWrite => &[Administrator],
            Right::AuditRead => &[Auditor],
            Right::UsersManage => &[Administrator],
            Right::DeskSound => &[DutyOfficer, ShiftLead, PoliceDesk],
            Right::MetricsRead => &[Administrator],
            Right::RegisterRead => &[SchoolContact, DistrictContact, DutyOfficer, ShiftLead, Administrator],
            Right::RegisterWrite => &[DistrictContact, Administrator],
            Right::DrillsRead => &[SchoolContact, DistrictContact, DutyOfficer, ShiftLead, PoliceDesk, Administrator],
            Right::DrillsWrite => &[SchoolContact, DistrictContact, DutyOfficer, ShiftLead],
            Right::SiteFileRead => &[DutyOfficer, ShiftLead, PoliceDesk, Patrol, SchoolContact, Administrator],
            Right::SiteFileWrite => &[SchoolContact, Administrator],
            Right::Shift => &[DutyOfficer, ShiftLead, PoliceDesk],
            Right::UnitsRead => &[DutyOfficer, ShiftLead, PoliceDesk],
            Right::OrdersAnswer => &[Patrol],
            Right::PhonesManage => &[SchoolContact, ShiftLead, Administrator],
            Right::ConnectorsRead => &[ShiftLead, Administrator],
            // A resident's words are for whoever answers them. Nobody who can send police reads them.
            Right::RequestsRead | Right::RequestsWork => &[ResidentOperator],
            Right::RequestsFigures => &[ResidentOperator, Analyst, Deputy, DutyOfficer, ShiftLead, DistrictContact, Administrator],
            Right::PlanRead => &[Analyst, Deputy, ResidentOperator, DutyOfficer, ShiftLead, DistrictContact, Administrator],
            Right::PlanWrite => &[Analyst],
            Right::JournalRead => &[DutyOfficer, ShiftLead, PoliceDesk, Analyst, Administrator],
            Right::JournalWrite => &[DutyOfficer, ShiftLead],
            Right::NotesRead => &[Analyst, Deputy, ShiftLead],
            Right::NotesWrite => &[Analyst],
            Right::ReportsRead => &[Analyst, Deputy, ShiftLead, Administrator],
            Right::IntakeRead => &[Analyst, Administrator, ShiftLead],
            Right::IntakeWrite => &[Analyst, Administrator],
            Right::SignalsRead | Right::SignalsWrite => &[DutyOfficer, ShiftLead, DistrictContact, Analyst, ResidentOperator],
            Right::TensionRead => &[Analyst, ShiftLead],
            Right::TensionManage => &[Analyst],
            Right::PlanningRead => &[DutyOfficer, ShiftLead, PoliceDesk, Administrator],
            Right::PlanningWrite => &[ShiftLead, Administrator],
        }
    }

    /// The rights of a role.
    pub fn of(role: Role) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| right.roles().contains(&role))
    }
}
