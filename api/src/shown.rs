//! Alerts and cameras on their way to the screens: their JSON is made once for everybody who sees the same.
//!
//! With fifty desks and a burst of thousands of alarms the same text would else be made a few hundred thousand times.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use qorgan_domain::{AlertId, Role, alert::Alert};
use serde::Serialize;

use crate::{
    auth::Session,
    view::{AlertView, CameraView},
};

/// What of a session decides how an alert looks: its view depends on nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Looker {
    role: Role,
    holds: bool,
    own_unit: bool,
}

impl Looker {
    fn of(session: &Session, alert: &Alert) -> Self {
        Self {
            role: session.role,
            holds: alert.claimed_by.as_ref() == Some(&session.user),
            own_unit: alert.unit.is_some() && alert.unit == session.unit,
        }
    }
}

/// An alert with its JSON as each kind of viewer sees it.
#[derive(Debug)]
pub struct ShownAlert {
    alert: Arc<Alert>,
    texts: Mutex<Vec<(Looker, Arc<str>)>>,
}

impl ShownAlert {
    /// Nothing is made yet.
    pub fn new(alert: Arc<Alert>) -> Self {
        Self { alert, texts: Mutex::default() }
    }

    /// The alert.
    pub fn alert(&self) -> &Arc<Alert> {
        &self.alert
    }

    /// JSON of the [`AlertView`] of this session.
    pub fn json(&self, session: &Session) -> Arc<str> {
        let looker = Looker::of(session, &self.alert);
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, text)) = texts.iter().find(|(known, _)| *known == looker) {
            return text.clone();
        }
        let text: Arc<str> = text(&AlertView::new(&self.alert, session)).into();
        texts.push((looker, text.clone()));
        text
    }
}

impl Deref for ShownAlert {
    type Target = Alert;
    fn deref(&self) -> &Alert {
        &self.alert
    }
}

/// A camera with its JSON.
#[derive(Debug)]
pub struct ShownCamera {
    view: CameraView,
    text: OnceLock<Box<str>>,
}

impl ShownCamera {
    /// Nothing is made yet.
    pub fn new(view: CameraView) -> Self {
        Self { view, text: OnceLock::new() }
    }

    /// JSON of the view.
    pub fn json(&self) -> &str {
        self.text.get_or_init(|| text(&self.view).into())
    }
}

impl Deref for ShownCamera {
    type Target = CameraView;
    fn deref(&self) -> &CameraView {
        &self.view
    }
}

/// The open alerts as snapshots show them: when many desks take a snapshot at once, one of them makes the JSON.
#[derive(Debug, Default)]
pub struct ShownAlerts(Mutex<HashMap<AlertId, Arc<ShownAlert>>>);

impl ShownAlerts {
    /// These alerts, with what was made of them before. Others are forgotten.
    pub fn of(&self, open: Vec<Arc<Alert>>) -> Vec<Arc<ShownAlert>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *known);
        let shown = open.into_iter().map(|alert| match before.remove(&alert.id) {
            Some(shown) if Arc::ptr_eq(&shown.alert, &alert) => shown,
            _ => Arc::new(ShownAlert::new(alert)),
        });
        let shown: Vec<Arc<ShownAlert>> = shown.collect();
        known.extend(shown.iter().map(|shown| (shown.id, shown.clone())));
        shown
    }
}

/// A view always serialises: it is made of texts and numbers.
fn text(view: &impl Serialize) -> String {
    serde_json::to_string(view).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use qorgan_domain::{
        UtcMs,
        alert::{AlertState, Cause, IncidentEvidence, Level, Progress},
    };

    use super::*;

    fn session(user: &str, role: Role, unit: Option<&str>) -> Session {
        Session {
            user: user.parse().unwrap(),
            display_name: String::new(),
            role,
            site: None,
            unit: unit.map(|unit| unit.parse().unwrap()),
            area: None,
            csrf: String::new(),
            expires_at: UtcMs(0),
            key: String::new(),
        }
    }

    #[test]
    fn every_session_gets_the_text_that_its_own_view_makes() {
        let alert = Alert {
            id: AlertId(7),
            cause: Cause::Incident(IncidentEvidence { text: "smoke".into(), opened_by: "aigerim".parse().unwrap() }),
            level: Level::Warning,
            state: AlertState::Dispatched,
            site: None,
            device: None,
            position: None,
            raised_at: UtcMs(0),
            updated_at: UtcMs(0),
            closed_at: None,
            claimed_by: Some("aigerim".parse().unwrap()),
            unit: Some("patrol-2".parse().unwrap()),
            close_reason: None,
            stored: true,
            subsided_at: None,
            progress: Progress::default(),
            version: 1,
        };
        let sessions = [
            session("aigerim", Role::DutyOfficer, None),
            session("bolat", Role::DutyOfficer, None),
            session("dana", Role::ShiftLead, None),
            session("p2", Role::Patrol, Some("patrol-2")),
            session("p5", Role::Patrol, Some("patrol-5")),
            session("school", Role::SchoolContact, None),
        ];
        let shown = ShownAlert::new(Arc::new(alert.clone()));
        let mut texts = Vec::new();
        for session in sessions.iter().chain(&sessions) {
            let text = shown.json(session);
            assert_eq!(*text, *serde_json::to_string(&AlertView::new(&alert, session)).unwrap(), "{}", session.user);
            texts.push(text);
        }
        assert_ne!(texts[0], texts[1], "who holds it may do more");
        assert_ne!(texts[3], texts[4], "the unit that was sent may do more");
        assert!(Arc::ptr_eq(&texts[0], &texts[6]), "made once");
    }
}
