//! ONVIF: devices found and asked, over crate `oxvif`. Nothing outside this folder knows that crate.
//!
//! `discover` finds devices; `device` asks one for its streams, snapshots, clock and recordings; `events` pulls what it notices and turns
//! that into the hub's words; `watch` does so for ever, with back-off; `transport` is the way there, and holds every bound: each answer has a deadline, a size and a depth, so that a device
//! that answers garbage, for ever or never is a fault of that device with a name. What does not belong here: video itself (`camera`),
//! and what an event means for people.

mod device;
mod discover;
mod events;
mod transport;
mod watch;

pub use self::{
    device::{Device, Profile, Recording, Streams, choose_streams},
    discover::{Found, discover},
    events::{Events, Noticed, What},
    watch::{Said, Watched, watch},
};

use qorgan_domain::CameraFault;

use crate::camera::CameraError;

/// Why a device could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum OnvifError {
    /// The way there, or the log-in.
    #[error("{step}")]
    Connection {
        /// What was asked.
        step: &'static str,
        /// What went wrong.
        #[source]
        source: CameraError,
    },
    /// The device answered, but not what the standard says.
    #[error("{step}: the answer is not ONVIF: {why}")]
    Garbage {
        /// What was asked.
        step: &'static str,
        /// What is wrong with the answer, in one line.
        why: String,
    },
    /// The device refused, in the standard's words.
    #[error("{step}: the device refuses: {why}")]
    Refused {
        /// What was asked.
        step: &'static str,
        /// Whether the log-in is the reason.
        log_in: bool,
        /// The device's reason, in one line.
        why: String,
    },
    /// The device has no such service.
    #[error("the device has no {0} service")]
    NoService(&'static str),
}

impl OnvifError {
    /// The one word for it, as with cameras.
    pub fn fault(&self) -> CameraFault {
        match self {
            Self::Connection { source, .. } => source.fault(),
            Self::Garbage { .. } => CameraFault::Garbage,
            Self::Refused { log_in: true, .. } => CameraFault::Unauthorized,
            Self::Refused { .. } => CameraFault::Other,
            Self::NoService(_) => CameraFault::NotFound,
        }
    }

    /// Counted by `qorgan_onvif_faults_total`.
    fn counted(self) -> Self {
        metrics::counter!("qorgan_onvif_faults_total", "fault" => self.fault().as_str()).increment(1);
        self
    }
}
