//! Motion JPEG over HTTP: every picture is a key frame. By hand:
//!
//! ```text
//! gst-launch-1.0 souphttpsrc location=http://camera/video.mjpg is-live=true ! multipartdemux ! jpegdec ! fakesink
//! ```
//!
//! There are no time stamps; a picture's time is that of its arrival.

use std::time::Duration;

use qorgan_domain::CameraFault;
use reqwest::{Response, header};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    CameraError, Codec, Credentials, Trust,
    error::squeeze,
    http::{Http, by},
    jpeg,
    multipart::Multipart,
    source::{MAX_UNIT_BYTES, StreamUnit},
};

/// A picture that is not whole is left out; so many of them in a row are no Motion JPEG.
const MAX_BROKEN: u32 = 25;

/// An endless answer.
pub(super) struct MjpegStream {
    answer: Response,
    parts: Multipart,
    start: Instant,
    broken: u32,
}

fn garbage(message: &str) -> CameraError {
    CameraError::Link { step: "Motion JPEG", fault: CameraFault::Garbage, message: message.into() }
}

impl MjpegStream {
    pub(super) async fn open(url: &Url, log_in: Option<&Credentials>, trust: &Trust, answer: Duration) -> Result<Self, CameraError> {
        let response = Http::new(log_in, trust)?.get(url, by(answer)).await?;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        let parts = Multipart::new(&kind, MAX_UNIT_BYTES);
        let parts = parts.map_err(|error| garbage(&format!("{error} (Content-Type: {})", squeeze(&kind))))?;
        Ok(Self { answer: response, parts, start: Instant::now(), broken: 0 })
    }

    /// The next picture; `Ok(None)` when none came before the deadline.
    pub(super) async fn next(&mut self, deadline: Instant) -> Result<Option<StreamUnit>, CameraError> {
        loop {
            while let Some(data) = self.parts.part().map_err(|error| garbage(&error.to_string()))? {
                if let (true, Some(size_px)) = (jpeg::is_whole(&data), jpeg::size_px(&data)) {
                    let broken = u64::from(std::mem::take(&mut self.broken));
                    let stamp_s = self.start.elapsed().as_secs_f64();
                    return Ok(Some(StreamUnit { codec: Codec::Mjpeg, size_px: Some(size_px), data, stamp_s, key: true, lost: 0, broken }));
                }
                self.broken += 1;
                if self.broken >= MAX_BROKEN {
                    return Err(garbage("what comes are no pictures"));
                }
            }
            let Ok(piece) = timeout_at(deadline, self.answer.chunk()).await else { return Ok(None) };
            match piece {
                Ok(Some(piece)) => self.parts.push(&piece),
                Ok(None) => return Err(CameraError::Ended),
                Err(error) if error.is_body() || error.is_decode() => return Err(CameraError::Ended),
                Err(_) => return Err(garbage("the answer cannot be read")),
            }
        }
    }
}
