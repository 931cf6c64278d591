//! Live video as it comes from the camera: access units to fragmented MP4, without decoding. Privacy masks cannot be burned into
//! compressed video, so a masked camera never comes here (`routes::live` asks first).

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

use futures::stream;
use qorgan_ingest::{
    camera::{Cameras, Tap, TapItem},
    live::{LiveError, Muxer, Part, Unit},
};

use crate::seeing::{LiveSource, Piece};

/// The cameras, once they run.
pub(super) type Taps = Arc<OnceLock<Cameras>>;

/// Over the cameras that are being started.
pub(super) fn source(taps: Taps) -> LiveSource {
    Box::new(move |camera| {
        let tap = taps.get().and_then(|cameras| cameras.tap(&camera));
        let passing = Passing { tap, muxer: Muxer::new(), ready: VecDeque::new() };
        Box::pin(stream::unfold(passing, |mut passing| async move { passing.next().await.map(|piece| (piece, passing)) }))
    })
}

/// A camera on its way to one viewer. The tap is bounded and tells what a slow viewer missed.
struct Passing {
    /// None once there is nothing more to come.
    tap: Option<Tap>,
    muxer: Muxer,
    ready: VecDeque<Piece>,
}

impl Passing {
    async fn next(&mut self) -> Option<Piece> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(piece);
            }
            match self.tap.as_mut()?.next().await {
                Some(TapItem::Unit(unit)) => self.unit(&unit.into()),
                Some(TapItem::Missed(count)) => {
                    self.muxer.lost();
                    self.ready.push_back(Piece::Missed(count));
                }
                Some(TapItem::Down(fault)) => {
                    self.muxer.lost();
                    self.ready.push_back(Piece::Away(fault.as_str()));
                }
                None => self.tap = None,
            }
        }
    }

    fn unit(&mut self, unit: &Unit) {
        match self.muxer.push(unit) {
            Ok(parts) => self.ready.extend(parts.into_iter().map(piece)),
            // The next key frame may be better.
            Err(LiveError::Parameters(_)) => self.muxer.lost(),
            Err(error) => {
                self.ready.push_back(Piece::NotPlayable(error.to_string()));
                self.tap = None;
            }
        }
    }
}

/// A part of MP4 as a piece.
pub(super) fn piece(part: Part) -> Piece {
    match part {
        Part::Init { mime, data, size_px } => Piece::Init { mime, data, size_px },
        Part::Media(data) => Piece::Media(data),
    }
}
