//! Clips: what the API knows of them. Recording, keeping and playing them is `hub::record` (feature `edge`).

use std::{io, time::Duration};

use futures::stream::BoxStream;
use qorgan_domain::{DeviceRef, UtcMs};

use super::Piece;

/// A camera that opted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipPlan {
    /// The camera.
    pub camera: DeviceRef,
    /// Before the alarm.
    pub before: Duration,
    /// After it.
    pub after: Duration,
    /// Then it is deleted.
    pub keep: Duration,
}

/// A clip on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipInfo {
    /// Number of the alert it was kept for.
    pub alert: i64,
    /// The camera.
    pub camera: DeviceRef,
    /// First picture.
    pub from: UtcMs,
    /// Last picture.
    pub to: UtcMs,
    /// On disk.
    pub bytes: u64,
    /// Deleted then.
    pub expires_at: UtcMs,
}

/// Whether people may be seen as they are, asked again while a clip plays.
pub type Lifted = Box<dyn Fn() -> bool + Send + Sync>;
/// Plays the clip of an alert and a camera; nothing when there is none.
pub type Play = Box<dyn Fn(i64, DeviceRef, Lifted, Vec<Vec<(f32, f32)>>) -> BoxStream<'static, Piece> + Send + Sync>;

/// Every clip on disk, newest first; the plans say how long each is kept. Blocks on the disk.
type List = Box<dyn Fn(&[ClipPlan]) -> io::Result<Vec<ClipInfo>> + Send + Sync>;

/// Lists and plays clips.
pub struct ClipDoor {
    /// Lists them.
    pub list: List,
    /// Plays one.
    pub play: Play,
}
