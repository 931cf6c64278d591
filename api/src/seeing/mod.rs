//! Who may see pictures of a place, why, for how long, and how that ends.
//!
//! What belongs here: reasons, terms, the registry of open viewings, the wall's shared pictures, clips and their deletion. What
//! does not: HTTP (`routes`), taking pictures from cameras and masking them (`hub::pictures`, feature `edge`).
//!
//! ```text
//! POST .../live (reason) -> audit -> Viewing -> WebSocket -> pictures
//!                                      |  keeper, once a second: term over, session over, alert closed
//!                                      v
//!                                    audit, and the socket is told why
//! ```

mod clips;
mod keeper;
mod recordings;
mod viewing;
mod wall;

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use qorgan_domain::{AlertId, DeviceRef, alert::Alert};

pub use clips::{ClipDoor, ClipInfo, ClipPlan, Lifted, Play};
pub(crate) use keeper::{end, keep};
pub use recordings::{RecordingDoor, RecordingInfo, RecordingsError};
pub use viewing::{End, Subject, TERM, Viewing};
pub(crate) use viewing::{Join, NoViewing, Viewings};
pub(crate) use wall::Wall;

/// Shortest purpose that says anything, in characters.
pub const MIN_PURPOSE: usize = 10;
/// Longest purpose, in characters.
pub const MAX_PURPOSE: usize = 500;

/// Why somebody looks: an open alert of that site, words, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    alert: Option<AlertId>,
    purpose: Option<String>,
}

impl Why {
    /// A reason, if it is one: `open` are the open alerts at the site. An alert of elsewhere is none, and words that are too
    /// short say nothing.
    pub fn new<'a>(alert: Option<i64>, purpose: Option<String>, open: impl IntoIterator<Item = &'a Arc<Alert>>) -> Option<Self> {
        let purpose = purpose.map(|p| p.trim().to_owned()).filter(|p| (MIN_PURPOSE..=MAX_PURPOSE).contains(&p.chars().count()));
        let alert = alert.map(AlertId).filter(|id| open.into_iter().any(|a| a.id == *id));
        (alert.is_some() || purpose.is_some()).then_some(Self { alert, purpose })
    }

    /// The alert that is the reason.
    pub fn alert(&self) -> Option<AlertId> {
        self.alert
    }

    /// As it is written down.
    pub fn text(&self) -> String {
        match (self.alert, &self.purpose) {
            (Some(id), None) => format!("alert {id}"),
            (Some(id), Some(purpose)) => format!("alert {id}: {purpose}"),
            (None, purpose) => purpose.clone().unwrap_or_default(),
        }
    }

    /// Whether it still is one: words stand by themselves, an alert only while it is open.
    pub fn stands(&self, is_open: impl Fn(AlertId) -> bool) -> bool {
        self.purpose.is_some() || self.alert.is_some_and(is_open)
    }
}

/// What a viewer gets, in this order.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Fragmented MP4 begins, or begins anew.
    Init {
        /// For `MediaSource.isTypeSupported`.
        mime: String,
        /// The init segment.
        data: Bytes,
        /// Width and height in pixels.
        size_px: (u32, u32),
    },
    /// A fragment.
    Media(Bytes),
    /// A whole JPEG.
    Picture(Bytes),
    /// So many pictures did not come through.
    Missed(u64),
    /// The camera is away: code of the fault.
    Away(&'static str),
    /// It cannot be passed on as video; pictures one by one can.
    NotPlayable(String),
    /// From here on single pictures, and why.
    Singly(&'static str),
}

/// Gives a camera's compressed video, in pieces, from now on.
pub type LiveSource = Box<dyn Fn(DeviceRef) -> BoxStream<'static, Piece> + Send + Sync>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_must_say_something() {
        let why = |words: &str| Why::new(None, Some(words.into()), []);
        assert_eq!(why("because"), None);
        assert_eq!(why("   padded      "), None);
        assert_eq!(why(&"x".repeat(MAX_PURPOSE + 1)), None);
        assert_eq!(why("сургут тут же").map(|why| why.text()).as_deref(), Some("сургут тут же"));
        assert_eq!(Why::new(Some(7), None, []), None, "an alert that is not open there is no reason");
    }

    #[test]
    fn an_alert_stops_being_a_reason_and_words_do_not() {
        let alert = Why { alert: Some(AlertId(7)), purpose: None };
        assert!(alert.stands(|id| id == AlertId(7)) && !alert.stands(|_| false));
        let both = Why { alert: Some(AlertId(7)), purpose: Some("smoke in the yard".into()) };
        assert!(both.stands(|_| false));
        assert_eq!(both.text(), "alert 7: smoke in the yard");
    }
}
