//! Things to test with.

use qorgan_domain::{
    Alarm, AlarmKind, AlertId, Count, CountSource, Role, UtcMs,
    alert::{
        Action, Actor, AlarmEvidence, Alert, AlertState, Cause, CloseReason, CrowdEvidence, HazardEvidence, IncidentEvidence, Level,
        Progress, TroubleEvidence,
    },
    hazard::HazardKind,
    sign::{Scope, TroubleKind},
};

/// 2026-11-21T10:00:00Z
pub(crate) const START: UtcMs = UtcMs(1_795_255_200_000);

pub(crate) fn after(ms: i64) -> UtcMs {
    UtcMs(START.0 + ms)
}

pub(crate) fn press(device: &str, seq: u64, boot: Option<&str>, at: UtcMs) -> Alarm {
    Alarm { boot: boot.map(str::to_owned), ..Alarm::new(device.parse().unwrap(), AlarmKind::Panic, seq, at) }
}

pub(crate) fn count(camera: &str, people: f32, at: UtcMs) -> Count {
    let camera = camera.parse().unwrap();
    Count {
        camera,
        at,
        people,
        low: people,
        high: people,
        source: CountSource::Foreign,
        unchanged: false,
        zones: Vec::new(),
        flows: Vec::new(),
    }
}

pub(crate) fn person(user: &str, role: Role) -> Actor {
    Actor::Person { user: user.parse().unwrap(), role, unit: None }
}

pub(crate) fn patrol(unit: &str) -> Actor {
    Actor::Person { user: unit.parse().unwrap(), role: Role::Patrol, unit: Some(unit.parse().unwrap()) }
}

pub(crate) fn close(verdict: CloseReason) -> Action {
    Action::Close { verdict, reason: "seen by the patrol".into() }
}

pub(crate) fn alert(cause: Cause, level: Level) -> Alert {
    Alert {
        id: AlertId(12),
        cause,
        level,
        state: AlertState::Raised,
        site: Some("school-17".parse().unwrap()),
        device: Some("school-17/gate".parse().unwrap()),
        position: None,
        raised_at: START,
        updated_at: START,
        closed_at: None,
        claimed_by: None,
        unit: None,
        close_reason: None,
        stored: true,
        subsided_at: None,
        progress: Progress::default(),
        version: 1,
    }
}

pub(crate) fn alarm(test: bool) -> Alert {
    let evidence = AlarmEvidence { test, ..AlarmEvidence::of(&press("school-17/gate", 1, None, START)) };
    alert(Cause::Alarm(evidence), if test { Level::Notice } else { Level::Critical })
}

pub(crate) fn crowd(level: Level) -> Alert {
    let evidence = CrowdEvidence {
        people: 9.0,
        low: 8.5,
        high: 11.0,
        peak: 11.0,
        limit: Some(8.0),
        baseline: None,
        baseline_bound: None,
        formula: "crowd-v1".into(),
        reasons: vec![],
        assessed: None,
        neighbours: vec![],
    };
    alert(Cause::Crowd(evidence), level)
}

pub(crate) fn incident() -> Alert {
    alert(Cause::Incident(IncidentEvidence { text: "smoke".into(), opened_by: "aigerim".parse().unwrap() }), Level::Warning)
}

pub(crate) fn trouble() -> Alert {
    let device: qorgan_domain::DeviceRef = "school-17/gate".parse().unwrap();
    let evidence = TroubleEvidence {
        trouble: TroubleKind::Lost,
        scope: Scope::Device(device.clone()),
        devices: vec![device],
        count: 1,
        since: START,
        detail: None,
    };
    alert(Cause::Trouble(evidence), Level::Watch)
}

pub(crate) fn hazard() -> Alert {
    let evidence = HazardEvidence {
        source: "road".into(),
        event: "e1".into(),
        hazard: HazardKind::DangerousDriving,
        text: "north of the bridge".into(),
        reported_at: START,
    };
    Alert { site: None, device: None, ..alert(Cause::Hazard(evidence), Level::Warning) }
}

pub(crate) fn drill_press() -> Alert {
    let mut alert = alarm(true);
    if let Cause::Alarm(press) = &mut alert.cause {
        press.drill = Some(3);
    }
    alert
}
