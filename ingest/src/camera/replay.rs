//! A recording on a device (ONVIF Profile G), played from a chosen moment on, at the pace it was taken.
//!
//! The moment goes into the PLAY request as `Range: clock=…`. `retina` always asks for `npt=0.000-`, so its connection passes through
//! a door on the loopback interface that one connection may use once and that changes this one line. By hand:
//!
//! ```text
//! gst-launch-1.0 rtspsrc onvif-mode=true location=rtsp://recorder/replay ! rtph264depay ! h264parse ! fakesink
//! ```
//!
//! Where a device sends to another address, nothing is followed: what came from there would begin at the wrong moment.

use std::time::{Duration, Instant};

use qorgan_domain::{CameraFault, UtcMs};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
    time::timeout,
};
use url::Url;

use super::{CameraError, CameraUrl, Credentials, error::squeeze, media_clock::MediaClock, rtsp::RtspStream};
use crate::live::{Stamped, Unit};

/// Longest head of a request.
const MAX_HEAD: usize = 16 << 10;

/// A recording that plays.
pub struct Replay {
    stream: RtspStream,
    door: JoinHandle<()>,
    /// When the first unit was taken, by the hub's clock.
    from: UtcMs,
    clock: MediaClock,
    silence: Duration,
}

impl Replay {
    /// Asks for the recording at `url` from `from` on, by the hub's clock; the device's is `offset_ms` ahead. Each step is answered
    /// within `answer`, and a recording that is silent for so long is over.
    ///
    /// # Errors
    /// [`CameraError`]; an address that is not plain RTSP is one.
    pub async fn open(
        url: &CameraUrl,
        log_in: Option<&Credentials>,
        from: UtcMs,
        offset_ms: i64,
        answer: Duration,
    ) -> Result<Self, CameraError> {
        let link = |step, fault, message: String| CameraError::Link { step, fault, message };
        let CameraUrl::Rtsp(url) = url else {
            let message = "a recording is played over plain RTSP only".to_owned();
            return Err(link("replay", CameraFault::BadCodec, message));
        };
        let clock = range(UtcMs(from.0.saturating_add(offset_ms)));
        let clock = clock.ok_or_else(|| link("replay", CameraFault::BadTime, "the moment cannot be asked for".into()))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let far = timeout(answer, TcpStream::connect((host.as_str(), url.port().unwrap_or(554)))).await;
        let refused = |error: std::io::Error| link("connecting", CameraFault::Refused, squeeze(&error.to_string()));
        let far = far.map_err(|_| CameraError::Timeout { step: "connecting", after: answer })?.map_err(refused)?;
        let near = TcpListener::bind("127.0.0.1:0").await.map_err(refused)?;
        let here = through(url, near.local_addr().map_err(refused)?.port());
        let door = tokio::spawn(async move {
            // The listener is gone with the first who comes.
            if let Ok((socket, _)) = near.accept().await {
                drop(near);
                pass(socket, far, &clock).await;
            }
        });
        match RtspStream::open_here(&here, log_in, answer).await {
            Ok(stream) => Ok(Self { stream, door, from, clock: MediaClock::default(), silence: answer }),
            Err(error) => {
                door.abort();
                Err(error)
            }
        }
    }

    /// The next unit with the time it was taken at; `None` when the recording is over.
    ///
    /// # Errors
    /// [`CameraError`]: the connection broke, or what came is no video.
    pub async fn next(&mut self) -> Result<Option<Stamped>, CameraError> {
        loop {
            let unit = match self.stream.next(tokio::time::Instant::now() + self.silence).await {
                Ok(Some(unit)) => unit,
                Ok(None) | Err(CameraError::Ended) => return Ok(None),
                Err(error) => return Err(error),
            };
            let placed = self.clock.place(unit.stamp_s, Instant::now());
            let Some(size_px) = unit.size_px else { continue };
            let at = UtcMs(self.from.0.saturating_add(i64::try_from(placed.media_time.as_millis()).unwrap_or(i64::MAX)));
            let unit = Unit { codec: unit.codec, size_px, data: unit.data, key: unit.key, media_time: placed.media_time };
            return Ok(Some(Stamped { unit, at }));
        }
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// `clock=20261122T080000.250Z-`; none for a moment that has no date.
fn range(at: UtcMs) -> Option<String> {
    let date = at.to_string();
    let plain: String = date.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    (date.len() >= 20 && date.ends_with('Z') && date.starts_with(|c: char| c.is_ascii_digit())).then(|| format!("clock={plain}-"))
}

/// The same address by way of the door.
fn through(url: &Url, port: u16) -> Url {
    let mut here = url.clone();
    // An RTSP address has a host; neither call can fail.
    let _ = here.set_host(Some("127.0.0.1"));
    let _ = here.set_port(Some(port));
    here
}

async fn pass(near: TcpStream, far: TcpStream, clock: &str) {
    let (mut from_device, to_device) = far.into_split();
    let (from_hub, mut to_hub) = near.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_device, &mut to_hub) => {}
        _ = requests(from_hub, to_device, clock) => {}
    }
}

/// Passes requests and interleaved reports on.
async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, clock: &str) -> std::io::Result<()> {
    let mut inbox = Vec::new();
    loop {
        while let Some((length, text)) = whole(&inbox) {
            let message: Vec<u8> = inbox.drain(..length).collect();
            if text {
                to.write_all(at_the_moment(&String::from_utf8_lossy(&message), clock).as_bytes()).await?;
            } else {
                to.write_all(&message).await?;
            }
        }
        if inbox.len() > MAX_HEAD + usize::from(u16::MAX) || from.read_buf(&mut inbox).await? == 0 {
            return Ok(());
        }
    }
}

/// Length of the first whole message, and whether it is text.
fn whole(inbox: &[u8]) -> Option<(usize, bool)> {
    if let [b'$', _, high, low, ..] = inbox {
        let length = 4 + usize::from(u16::from_be_bytes([*high, *low]));
        return (inbox.len() >= length).then_some((length, false));
    }
    let end = inbox.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((end + 4, true))
}

/// A PLAY request that asks for the moment, and any other as it was. A recorder must be told that the rules of ONVIF hold.
fn at_the_moment(request: &str, clock: &str) -> String {
    let play = request.starts_with("PLAY ");
    if !play && !request.starts_with("SETUP ") {
        return request.to_owned();
    }
    let mut lines: Vec<String> = request
        .trim_end_matches("\r\n")
        .split("\r\n")
        .filter(|line| !line.get(..6).is_some_and(|key| key.eq_ignore_ascii_case("range:")))
        .map(str::to_owned)
        .collect();
    lines.push("Require: onvif-replay".to_owned());
    if play {
        lines.push(format!("Range: {clock}"));
        lines.push("Rate-Control: yes".to_owned());
    }
    lines.join("\r\n") + "\r\n\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_play_request_asks_for_the_moment_and_keeps_its_log_in() {
        let asked = "PLAY rtsp://127.0.0.1:9/r/1 RTSP/1.0\r\nCSeq: 4\r\nAuthorization: Digest username=\"a\"\r\nRange: npt=0.000-\r\n\r\n";
        let sent = at_the_moment(asked, "clock=20261122T080000.250Z-");
        assert!(sent.contains("\r\nRange: clock=20261122T080000.250Z-\r\n") && !sent.contains("npt"), "{sent}");
        assert!(sent.contains("Authorization: Digest username=\"a\"\r\n") && sent.contains("Require: onvif-replay\r\n"));
        assert!(sent.starts_with("PLAY rtsp://127.0.0.1:9/r/1 RTSP/1.0\r\n") && sent.ends_with("\r\n\r\n"));
        assert!(at_the_moment("SETUP x RTSP/1.0\r\n\r\n", "c").contains("Require: onvif-replay"));
        assert_eq!(at_the_moment("TEARDOWN x RTSP/1.0\r\n\r\n", "c"), "TEARDOWN x RTSP/1.0\r\n\r\n");
    }

    #[test]
    fn a_moment_is_written_as_rtsp_wants_it() {
        let at: UtcMs = "2026-11-22T08:00:00.250Z".parse().unwrap();
        assert_eq!(range(at).as_deref(), Some("clock=20261122T080000.250Z-"));
        assert_eq!(range(UtcMs(i64::MAX)), None);
    }

    #[test]
    fn reports_pass_between_requests() {
        assert_eq!(whole(b"$\x01\x00\x02ab"), Some((6, false)));
        assert_eq!(whole(b"$\x01\x00\x03ab"), None);
        assert_eq!(whole(b"PLAY x\r\n\r\nrest"), Some((10, true)));
        assert_eq!(whole(b"PLAY x\r\n"), None);
    }
}
