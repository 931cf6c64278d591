//! Live video as it comes from the camera: access units to fragmented MP4, without decoding. Privacy masks cannot be burned into
//! compressed video, so a masked camera never comes here (`routes::live` asks first).

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::stream;
use qorgan_domain::{DeviceRef, UtcMs};
use qorgan_ingest::{
    camera::KeyFrames,
    live::{LiveError, Muxer, Part, Unit},
};

use crate::seeing::{LiveSource, Piece};

/// Over the cameras that are being started.
pub(super) fn source(frames: Arc<KeyFrames>) -> LiveSource {
    Box::new(move |camera| {
        let feed = Feed { frames: frames.clone(), camera, last: None };
        Box::pin(stream::unfold((feed, Passing::default()), |(mut feed, mut passing)| async move {
            loop {
                if let Some(piece) = passing.ready.pop_front() {
                    return Some((piece, (feed, passing)));
                }
                if passing.over {
                    return None;
                }
                let unit = feed.next().await;
                passing.unit(&unit);
            }
        }))
    })
}

/// A muxer and what it has made.
#[derive(Default)]
struct Passing {
    muxer: Muxer,
    ready: VecDeque<Piece>,
    over: bool,
}

impl Passing {
    fn unit(&mut self, unit: &Unit) {
        match self.muxer.push(unit) {
            Ok(parts) => self.ready.extend(parts.into_iter().map(piece)),
            // The next key frame may be better.
            Err(LiveError::Parameters(_)) => self.muxer.lost(),
            Err(error) => {
                self.ready.push_back(Piece::NotPlayable(error.to_string()));
                self.over = true;
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

struct Feed {
    frames: Arc<KeyFrames>,
    camera: DeviceRef,
    last: Option<UtcMs>,
}

impl Feed {
    async fn next(&mut self) -> Unit {
        loop {
            if let Some(frame) = self.frames.newest(&self.camera).filter(|frame| Some(frame.received_at) != self.last) {
                self.last = Some(frame.received_at);
                return Unit { codec: frame.codec, size_px: frame.size_px, data: frame.data, key: true, media_time: frame.media_time };
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
