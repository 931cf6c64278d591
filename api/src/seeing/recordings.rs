//! Recordings on cameras and recorders (ONVIF Profile G): what the API knows of them. Asking and playing is `hub::recordings`
//! (feature `edge`). Nothing of them is stored by the hub.

use std::sync::Arc;

use futures::{future::BoxFuture, stream::BoxStream};
use qorgan_domain::{CameraFault, UtcMs};

use super::{Lifted, Piece};
use crate::config::Camera;

/// A stretch of recorded video on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingInfo {
    /// What the device calls it by.
    pub token: String,
    /// Name of the source, as the device says it.
    pub source: String,
    /// First picture, by the hub's clock.
    pub from: Option<UtcMs>,
    /// Last picture, by the hub's clock.
    pub to: Option<UtcMs>,
}

/// Why a device's recordings cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingsError {
    /// The camera has no ONVIF address.
    NoOnvif,
    /// The device keeps none, or does not tell.
    NoService,
    /// It could not be asked.
    Fault(CameraFault),
}

/// Asks a camera's device.
type List = Box<dyn Fn(Arc<Camera>) -> BoxFuture<'static, Result<Vec<RecordingInfo>, RecordingsError>> + Send + Sync>;
/// Plays the recording of a token from a moment on, people hidden unless lifted.
type Play = Box<dyn Fn(Arc<Camera>, String, UtcMs, Lifted, Vec<Vec<(f32, f32)>>) -> BoxStream<'static, Piece> + Send + Sync>;

/// Lists and plays recordings.
pub struct RecordingDoor {
    /// Lists them.
    pub list: List,
    /// Plays one.
    pub play: Play,
}
