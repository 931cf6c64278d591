//! What was: a clip or a recording at the pace it was taken, as video while the mask is lifted, else its key frames, masked.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::{
    future::BoxFuture,
    stream::{self, BoxStream},
};
use qorgan_domain::{DeviceRef, UtcMs};
use qorgan_ingest::{
    camera::{CameraError, KeyFrame, Replay},
    live::{ClipReader, LiveError, Muxer, Stamped},
};
use tokio::time::Instant;

use super::{Look, StillError, stills::Eyes, watch::piece};
use crate::seeing::{Lifted, Piece};

/// Where the units come from.
pub(super) enum Source {
    /// A clip of the hub's own. Absent while it is read, and at its end.
    Clip(Option<ClipReader>),
    /// A device that has not been asked yet.
    Asking(BoxFuture<'static, Result<Replay, CameraError>>),
    /// A device's recording.
    Recording(Box<Replay>),
}

/// A unit, the end, or what went wrong.
enum Next {
    Unit(Stamped),
    End,
    Fault(&'static str),
}

impl Source {
    async fn next(&mut self) -> Next {
        if let Self::Asking(asking) = self {
            match asking.await {
                Ok(replay) => *self = Self::Recording(Box::new(replay)),
                Err(error) => return Next::Fault(error.fault().as_str()),
            }
        }
        match self {
            Self::Clip(reader) => {
                let Some(mut reading) = reader.take() else { return Next::End };
                let read = tokio::task::spawn_blocking(move || {
                    let unit = reading.next_unit();
                    (reading, unit)
                });
                let Ok((read, Some(unit))) = read.await else { return Next::End };
                *reader = Some(read);
                Next::Unit(unit)
            }
            Self::Recording(replay) => match replay.next().await {
                Ok(Some(unit)) => Next::Unit(unit),
                Ok(None) => Next::End,
                Err(error) => Next::Fault(error.fault().as_str()),
            },
            // Asked above.
            Self::Asking(_) => Next::End,
        }
    }
}

/// Plays it for one viewer.
pub(super) fn play(
    source: Source,
    camera: DeviceRef,
    eyes: Arc<Eyes>,
    lifted: Lifted,
    privacy: Vec<Vec<(f32, f32)>>,
) -> BoxStream<'static, Piece> {
    let (muxer, ready) = (Muxer::new(), VecDeque::new());
    let playing = Playing { source: Some(source), camera, eyes, lifted, privacy, muxer, began: None, ready, singly: false };
    Box::pin(stream::unfold(playing, |mut playing| async move { playing.next().await.map(|piece| (piece, playing)) }))
}

struct Playing {
    /// None at the end.
    source: Option<Source>,
    camera: DeviceRef,
    eyes: Arc<Eyes>,
    lifted: Lifted,
    privacy: Vec<Vec<(f32, f32)>>,
    muxer: Muxer,
    /// When the first unit was shown, and its wall time.
    began: Option<(Instant, UtcMs)>,
    ready: VecDeque<Piece>,
    singly: bool,
}

impl Playing {
    async fn next(&mut self) -> Option<Piece> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(piece);
            }
            match self.source.as_mut()?.next().await {
                Next::Unit(stamped) => {
                    self.pace(stamped.at).await;
                    self.take(stamped).await;
                }
                Next::End => {
                    self.source = None;
                    self.ready.extend(self.muxer.flush().unwrap_or_default().into_iter().map(piece));
                }
                Next::Fault(fault) => {
                    self.source = None;
                    self.ready.push_back(Piece::Away(fault));
                }
            }
        }
    }

    async fn pace(&mut self, at: UtcMs) {
        let (began, first) = *self.began.get_or_insert_with(|| (Instant::now(), at));
        let since = Duration::from_millis(at.ms_since(first).max(0).unsigned_abs());
        tokio::time::sleep_until(began + since).await;
    }

    async fn take(&mut self, Stamped { unit, at }: Stamped) {
        // Asked at each key frame: an alarm that is closed meanwhile masks what follows.
        if unit.key && !self.singly && (!(self.lifted)() || !self.privacy.is_empty()) {
            self.singly = true;
            let why = if (self.lifted)() { "privacy_masks" } else { "masked" };
            self.ready.push_back(Piece::Singly(why));
        }
        if !self.singly {
            match self.muxer.push(&unit) {
                Ok(parts) => self.ready.extend(parts.into_iter().map(piece)),
                Err(LiveError::Parameters(_)) => self.muxer.lost(),
                Err(_) => {
                    self.singly = true;
                    self.ready.push_back(Piece::Singly("codec"));
                }
            }
        }
        if !self.singly || !unit.key {
            return;
        }
        let frame = KeyFrame {
            camera: self.camera.clone(),
            codec: unit.codec,
            size_px: unit.size_px,
            data: unit.data,
            media_time: unit.media_time,
            received_at: at,
            received: std::time::Instant::now(),
        };
        let look = if (self.lifted)() { Look::Open } else { Look::Masked };
        let (eyes, privacy) = (self.eyes.clone(), self.privacy.clone());
        let shown = tokio::task::spawn_blocking(move || eyes.show(&frame, look, &privacy)).await;
        self.ready.push_back(match shown {
            Ok(Ok(jpeg)) => Piece::Picture(jpeg.into()),
            Ok(Err(StillError::Failed(_) | StillError::NoFrame)) => Piece::Missed(1),
            Ok(Err(StillError::Withheld(_))) | Err(_) => Piece::Away("withheld"),
        });
    }
}
