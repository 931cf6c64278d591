//! A video file as a camera: its access units at the pace of their time stamps; a looped file goes on in time where it ended.

use std::{path::PathBuf, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    CameraError,
    file::{Reader, Unit},
    source::StreamUnit,
};

enum FromFile {
    Unit(Unit),
    /// End of the file, at this time stamp.
    End(Duration),
    Failed(CameraError),
}

/// A file being played.
pub(super) struct FileSource {
    path: PathBuf,
    looped: bool,
    start: Instant,
    /// Time stamp zero of this round.
    base: Duration,
    units: mpsc::Receiver<FromFile>,
    /// Read, but not due yet.
    ahead: Option<Unit>,
}

impl FileSource {
    pub(super) fn open(path: PathBuf, looped: bool) -> Self {
        let units = read_in_thread(path.clone());
        Self { path, looped, start: Instant::now(), base: Duration::ZERO, units, ahead: None }
    }

    /// The next access unit, when its time has come; `Ok(None)` when that is after the deadline. Can be dropped without loss.
    pub(super) async fn next(&mut self, deadline: Instant) -> Result<Option<StreamUnit>, CameraError> {
        loop {
            if let Some(unit) = &self.ahead {
                let due = self.start + self.base + unit.due;
                if due > deadline {
                    sleep_until(deadline).await;
                    return Ok(None);
                }
                sleep_until(due).await;
                if let Some(Unit { codec, size_px, data, pts, key, .. }) = self.ahead.take() {
                    let stamp_s = (self.base + pts).as_secs_f64();
                    return Ok(Some(StreamUnit { codec, size_px: Some(size_px), data, stamp_s, key, lost: 0, broken: 0 }));
                }
            }
            let Ok(read) = timeout_at(deadline, self.units.recv()).await else { return Ok(None) };
            match read {
                Some(FromFile::Unit(unit)) => self.ahead = Some(unit),
                Some(FromFile::End(_)) if !self.looped => return Err(CameraError::Ended),
                Some(FromFile::End(at)) => {
                    // At least a second, or a one-frame file would be opened without pause.
                    self.base += at.max(Duration::from_secs(1));
                    self.units = read_in_thread(self.path.clone());
                }
                Some(FromFile::Failed(error)) => return Err(error),
                None => return Err(CameraError::Panic("the reading thread ended".into())),
            }
        }
    }
}

/// Reads a file once in a blocking thread, which ends when the receiver is dropped.
fn read_in_thread(path: PathBuf) -> mpsc::Receiver<FromFile> {
    let (sender, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        let read = || -> Result<Duration, CameraError> {
            let mut reader = Reader::open(&path)?;
            let (mut end, mut keys) = (Duration::ZERO, 0);
            while let Some(unit) = reader.next_unit()? {
                end = end.max(unit.until);
                keys += u32::from(unit.key);
                if sender.blocking_send(FromFile::Unit(unit)).is_err() {
                    return Ok(end);
                }
            }
            if keys == 0 {
                return Err(CameraError::NoKeyFrame { after: end });
            }
            Ok(end)
        };
        let last = read().map_or_else(FromFile::Failed, FromFile::End);
        // Nobody listens any more when the camera was stopped.
        let _ = sender.blocking_send(last);
    });
    receiver
}
