//! One person looking at one source for a limited time, and the registry of all of them.
//!
//! Pure but for the lock: `now`, sessions and alerts are told.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use qorgan_domain::{AlertId, DeviceRef, UtcMs};
use tokio::sync::watch;

use super::Why;
use crate::auth::{Session, random_token};

/// One term; one key makes it this long again.
pub const TERM: Duration = Duration::from_secs(15 * 60);
/// A viewing whose socket has not come, or is gone, ends after this.
const ALONE_MS: i64 = 15_000;
/// Most viewings at once of one session: a wall of tiles.
const MAX_PER_SESSION: usize = 16;
/// Most viewings at once: each costs the line to a camera.
const MAX_ALL: usize = 128;

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A camera, now.
    Live(DeviceRef),
    /// What the hub kept of a camera around the alert of this number.
    Clip(DeviceRef, i64),
    /// What a device has recorded, from a moment on.
    Recording {
        /// The camera.
        camera: DeviceRef,
        /// What the device calls the recording by.
        token: String,
        /// By the hub's clock.
        from: UtcMs,
    },
}

impl Subject {
    /// The camera that it comes from.
    pub fn camera(&self) -> &DeviceRef {
        match self {
            Self::Live(camera) | Self::Clip(camera, _) | Self::Recording { camera, .. } => camera,
        }
    }

    /// First half of the names of its audit entries.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Live(_) => "live",
            Self::Clip(..) => "clip",
            Self::Recording { .. } => "recording",
        }
    }

    /// As it is written down.
    pub fn text(&self) -> String {
        match self {
            Self::Live(camera) => format!("camera/{camera}"),
            Self::Clip(camera, id) => format!("camera/{camera} clip/{id}"),
            Self::Recording { camera, from, .. } => format!("camera/{camera} recording from {from}"),
        }
    }
}

/// Why a viewing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The person closed it.
    Closed,
    /// The term is over.
    Expired,
    /// The session is over.
    SessionEnded,
    /// The alert that was the reason is closed.
    AlertClosed,
    /// The line to the viewer is gone.
    Left,
    /// The hub ends.
    HubStopped,
    /// A clip or a recording came to its end.
    Finished,
}

impl End {
    /// Name in JSON and in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Expired => "expired",
            Self::SessionEnded => "session_ended",
            Self::AlertClosed => "alert_closed",
            Self::Left => "left",
            Self::HubStopped => "hub_stopped",
            Self::Finished => "finished",
        }
    }
}

/// Who looks at what, why and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewing {
    /// 256 random bits, hex; of use to its own session only.
    pub id: String,
    /// Key of the session.
    pub session: String,
    /// Account name.
    pub user: String,
    /// Role at the time.
    pub role: &'static str,
    /// What.
    pub subject: Subject,
    /// Why.
    pub why: Why,
    /// Since when.
    pub opened_at: UtcMs,
    /// Until when.
    pub until: UtcMs,
}

impl Viewing {
    /// A term from now on.
    pub fn new(session: &Session, subject: Subject, why: Why, now: UtcMs) -> Self {
        Self {
            id: random_token(),
            session: session.key.clone(),
            user: session.user.to_string(),
            role: session.role.as_str(),
            subject,
            why,
            opened_at: now,
            until: now + TERM,
        }
    }

    /// Whether it has to end, and why. What cannot be undone is named first.
    pub fn judge(&self, now: UtcMs, session_stands: bool, is_open: impl Fn(AlertId) -> bool) -> Option<End> {
        if !session_stands {
            Some(End::SessionEnded)
        } else if !self.why.stands(is_open) {
            Some(End::AlertClosed)
        } else if now >= self.until {
            Some(End::Expired)
        } else {
            None
        }
    }
}

/// Why there is no such viewing for this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoViewing {
    /// Never was, is over, or is another session's.
    Unknown,
    /// It has its socket already.
    Shown,
}

/// All that are open.
#[derive(Debug, Default)]
pub(crate) struct Viewings(Mutex<BTreeMap<String, Open>>);

#[derive(Debug)]
struct Open {
    viewing: Viewing,
    /// Since when nobody is connected; none while a socket is.
    alone_since: Option<UtcMs>,
    told: watch::Sender<Told>,
}

/// What the socket has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// Until when.
    pub(crate) until: UtcMs,
    /// Set once.
    pub(crate) end: Option<End>,
}

/// A socket's share of a viewing.
#[derive(Debug)]
pub(crate) struct Join {
    /// What is shown.
    pub(crate) viewing: Viewing,
    /// Changes of it.
    pub(crate) told: watch::Receiver<Told>,
}

impl Viewings {
    /// Room for one more of this session; without it, nothing may be opened.
    pub(crate) fn has_room(&self, session: &str) -> bool {
        let all = self.lock();
        all.len() < MAX_ALL && all.values().filter(|open| open.viewing.session == session).count() < MAX_PER_SESSION
    }

    /// Opens a viewing; it was written to the audit log before.
    pub(crate) fn open(&self, viewing: Viewing) {
        let told = watch::Sender::new(Told { until: viewing.until, end: None });
        let alone_since = Some(viewing.opened_at);
        self.lock().insert(viewing.id.clone(), Open { viewing, alone_since, told });
    }

    /// The viewing of an id, for its own session.
    pub(crate) fn of(&self, id: &str, session: &str) -> Option<Viewing> {
        self.lock().get(id).filter(|open| open.viewing.session == session).map(|open| open.viewing.clone())
    }

    /// A socket comes.
    pub(crate) fn join(&self, id: &str, session: &str) -> Result<Join, NoViewing> {
        let mut all = self.lock();
        let open = all.get_mut(id).filter(|open| open.viewing.session == session).ok_or(NoViewing::Unknown)?;
        if open.alone_since.take().is_none() {
            return Err(NoViewing::Shown);
        }
        Ok(Join { viewing: open.viewing.clone(), told: open.told.subscribe() })
    }

    /// A socket is gone; another may come within a few seconds.
    pub(crate) fn leave(&self, id: &str, now: UtcMs) {
        if let Some(open) = self.lock().get_mut(id) {
            open.alone_since = Some(now);
        }
    }

    /// Another term. It was written to the audit log before.
    pub(crate) fn extend(&self, id: &str, now: UtcMs) -> Option<UtcMs> {
        let mut all = self.lock();
        let open = all.get_mut(id)?;
        open.viewing.until = now + TERM;
        let until = open.viewing.until;
        open.told.send_modify(|told| told.until = until);
        Some(until)
    }

    /// Takes a viewing out and tells its socket; none when somebody else ended it first.
    pub(crate) fn end(&self, id: &str, end: End) -> Option<Viewing> {
        let open = self.lock().remove(id)?;
        open.told.send_modify(|told| told.end = Some(end));
        Some(open.viewing)
    }

    /// All that are open, with how long nobody has been connected.
    pub(crate) fn all(&self) -> Vec<(Viewing, Option<UtcMs>)> {
        self.lock().values().map(|open| (open.viewing.clone(), open.alone_since)).collect()
    }

    /// Whether nobody has been connected for so long that it ends.
    pub(crate) fn is_left(alone_since: Option<UtcMs>, now: UtcMs) -> bool {
        alone_since.is_some_and(|since| now.ms_since(since) >= ALONE_MS)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMs = UtcMs(1_000_000);

    fn viewing(alert: Option<i64>, words: Option<&str>) -> Viewing {
        Viewing {
            id: "a".into(),
            session: "s".into(),
            user: "duty".into(),
            role: "duty_officer",
            subject: Subject::Live("school-17/yard".parse().unwrap()),
            why: Why { alert: alert.map(AlertId), purpose: words.map(str::to_owned) },
            opened_at: NOW,
            until: NOW + TERM,
        }
    }

    #[test]
    fn a_viewing_ends_with_its_term_its_session_or_its_alert() {
        let (by_alert, by_words) = (viewing(Some(3), None), viewing(Some(3), Some("smoke in the yard")));
        let open = |id| id == AlertId(3);
        assert_eq!(by_alert.judge(NOW, true, open), None);
        assert_eq!(by_alert.judge(NOW + TERM, true, open), Some(End::Expired));
        assert_eq!(by_alert.judge(NOW, false, open), Some(End::SessionEnded));
        assert_eq!(by_alert.judge(NOW, true, |_| false), Some(End::AlertClosed));
        assert_eq!(by_words.judge(NOW, true, |_| false), None, "a purpose stands by itself");
    }

    #[test]
    fn only_its_own_session_reaches_a_viewing_and_only_one_socket_at_a_time() {
        let all = Viewings::default();
        all.open(viewing(None, Some("smoke in the yard")));
        assert_eq!(all.join("a", "other").err(), Some(NoViewing::Unknown));
        assert!(all.of("a", "other").is_none() && all.of("a", "s").is_some());
        let join = all.join("a", "s").unwrap();
        assert_eq!(all.join("a", "s").err(), Some(NoViewing::Shown));
        all.leave("a", NOW);
        assert!(all.join("a", "s").is_ok(), "a line that broke comes back");
        assert_eq!(join.told.borrow().end, None);
        assert!(all.end("a", End::Closed).is_some());
        assert_eq!(join.told.borrow().end, Some(End::Closed));
        assert!(all.end("a", End::Expired).is_none(), "it ends once");
    }

    #[test]
    fn an_extension_is_a_whole_term_from_then_on() {
        let all = Viewings::default();
        all.open(viewing(None, Some("smoke in the yard")));
        let join = all.join("a", "s").unwrap();
        let later = NOW + Duration::from_secs(600);
        assert_eq!(all.extend("a", later), Some(later + TERM));
        assert_eq!(join.told.borrow().until, later + TERM);
        assert_eq!(all.extend("b", later), None);
    }

    #[test]
    fn a_viewing_that_nobody_shows_is_left() {
        let all = Viewings::default();
        all.open(viewing(None, Some("smoke in the yard")));
        let since = |all: &Viewings| all.all()[0].1;
        assert!(!Viewings::is_left(since(&all), NOW + Duration::from_secs(14)));
        assert!(Viewings::is_left(since(&all), NOW + Duration::from_secs(15)));
        all.join("a", "s").unwrap();
        assert!(!Viewings::is_left(since(&all), NOW + Duration::from_secs(500)));
    }

    #[test]
    fn viewings_of_a_session_are_bounded() {
        let all = Viewings::default();
        for n in 0..MAX_PER_SESSION {
            assert!(all.has_room("s"));
            all.open(Viewing { id: n.to_string(), ..viewing(None, Some("smoke in the yard")) });
        }
        assert!(!all.has_room("s") && all.has_room("other"));
    }
}
