//! Hundreds of cameras in one cheap process: a clip, cut into RTP packets once, sent over RTSP (interleaved TCP) to whoever asks.
//!
//! gst-rtsp-server ([`crate::cameras`]) costs a pipeline per camera; here a frame costs one write. Every camera has a clock of
//! its own with a random phase, so that key frames come spread as those of real cameras do, and whoever connects waits for the
//! next one. A camera may be unsteady: it drops its connection, falls silent, cuts a packet in half or refuses to answer at
//! random, and says so, for the soak.
//!
//! What belongs here: as much of RFC 2326 and RFC 6184 as clients of these programs use. It runs in a process of its own:
//! `camera-server --fleet 400 --clip var/footage/bench-sub.mp4`.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use gstreamer::glib::base64_encode;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};

use crate::cameras::{Clip, ServerError};

/// Payload of an RTP packet, in bytes: fits an Ethernet frame.
const PAYLOAD: usize = 1_400;
/// Clock of H.264 over RTP.
const CLOCK_HZ: f64 = 90_000.0;
/// Longest request that is read.
const LONGEST_REQUEST: usize = 16 * 1024;

/// What an unsteady camera does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Closes the connection between two frames.
    Drop,
    /// Stays connected and sends nothing.
    Stall,
    /// Ends in the middle of a packet.
    Cut,
    /// Closes every connection before it answers.
    Refuse,
}

/// A line that the process prints for every fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultLine {
    /// Number of the camera.
    pub camera: usize,
    /// What it does.
    pub fault: Fault,
    /// Milliseconds since the server started at which it begins.
    pub at_ms: u64,
    /// Milliseconds since the server started from which on it serves again.
    pub until_ms: u64,
}

/// A clip as RTP packets.
struct Packets {
    frames: Vec<FrameOfPackets>,
    length: Duration,
    parameter_sets: String,
    profile: String,
}

struct FrameOfPackets {
    at: Duration,
    /// Interleaved packets, one after another.
    bytes: Vec<u8>,
    /// Where each packet's RTP header starts.
    headers: Vec<usize>,
}

/// One camera.
struct Camera {
    phase: Duration,
    /// Before this moment every connection is closed unanswered.
    refuses_until: Mutex<Option<Instant>>,
    random: Mutex<StdRng>,
}

/// What every connection knows.
struct Server {
    packets: Packets,
    cameras: Vec<Camera>,
    started: Instant,
    unsteady: bool,
}

/// Serves `count` cameras, `/c0`, `/c1`, ..., until the future is dropped; `phase` of each camera comes from the seed.
/// `ready` gets the port. Faults of unsteady cameras are printed, a JSON line each.
pub async fn serve(
    clip: &Path,
    count: usize,
    port: u16,
    seed: u64,
    unsteady: bool,
    ready: impl FnOnce(u16, &[f64]),
) -> Result<(), FleetError> {
    let packets = Packets::of(&Clip::load(clip)?)?;
    let mut random = StdRng::seed_from_u64(seed);
    let cameras: Vec<Camera> = (0..count)
        .map(|_| Camera {
            phase: packets.length.mul_f64(random.random()),
            refuses_until: Mutex::new(None),
            random: Mutex::new(StdRng::seed_from_u64(random.random())),
        })
        .collect();
    let phases: Vec<f64> = cameras.iter().map(|camera| camera.phase.as_secs_f64()).collect();
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let server = Arc::new(Server { packets, cameras, started: Instant::now(), unsteady });
    ready(listener.local_addr()?.port(), &phases);
    loop {
        let (stream, _) = listener.accept().await?;
        let server = server.clone();
        tokio::spawn(async move {
            // A client that goes away is no error of the camera.
            let _ = server.talk(stream).await;
        });
    }
}

/// Why the cameras do not serve.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The clip.
    #[error(transparent)]
    Clip(#[from] ServerError),
    /// The network.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// No parameter sets, or no frames.
    #[error("the clip holds no H.264 with parameter sets")]
    NoVideo,
}

/// A request of a client, or what it said while the video ran.
struct Request {
    method: String,
    url: String,
    cseq: String,
    transport: String,
}

impl Server {
    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        let (sender, mut requests) = mpsc::channel(8);
        // Ends with the connection: the writer's half is dropped below.
        let reading = tokio::spawn(read_requests(reader, sender));
        let result = async {
            let mut camera = None;
            while let Some(request) = requests.recv().await {
                camera = camera.or_else(|| self.camera_of(&request.url));
                let Some(index) = camera else {
                    writer.write_all(answer(&request, "404 Not Found", "").as_bytes()).await?;
                    continue;
                };
                if self.refuses(index) {
                    return Ok(());
                }
                writer.write_all(self.answer(&request, index).as_bytes()).await?;
                match request.method.as_str() {
                    "PLAY" => return self.play(index, &mut writer, &mut requests).await,
                    "TEARDOWN" => return Ok(()),
                    _ => {}
                }
            }
            Ok(())
        }
        .await;
        reading.abort();
        result
    }

    fn camera_of(&self, url: &str) -> Option<usize> {
        let index = url.split("/c").last()?.split(['/', '?']).next()?.parse().ok()?;
        (index < self.cameras.len()).then_some(index)
    }

    fn refuses(&self, index: usize) -> bool {
        let mut until = lock(&self.cameras[index].refuses_until);
        match *until {
            Some(at) if Instant::now() < at => true,
            _ => {
                *until = None;
                false
            }
        }
    }

    fn answer(&self, request: &Request, index: usize) -> String {
        match request.method.as_str() {
            "OPTIONS" => answer(request, "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n"),
            "DESCRIBE" => {
                let sdp = format!(
                    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera {index}\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
                     m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
                     a=fmtp:96 packetization-mode=1;profile-level-id={};sprop-parameter-sets={}\r\na=control:track0\r\n",
                    self.packets.profile, self.packets.parameter_sets
                );
                let base = request.url.trim_end_matches('/');
                let head = format!("Content-Base: {base}/\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n", sdp.len());
                format!("{}{sdp}", answer(request, "200 OK", &head))
            }
            // Cameras behind a firewall answer so; every client then asks for TCP.
            "SETUP" if !request.transport.contains("TCP") => answer(request, "461 Unsupported Transport", ""),
            "SETUP" => {
                answer(request, "200 OK", "Session: 1;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000001\r\n")
            }
            "PLAY" => answer(request, "200 OK", "Session: 1\r\nRange: npt=0-\r\n"),
            _ => answer(request, "200 OK", "Session: 1\r\n"),
        }
    }

    /// Sends frames at their pace until the client leaves or the camera has a fault.
    async fn play(
        &self,
        index: usize,
        writer: &mut (impl AsyncWriteExt + Unpin),
        requests: &mut mpsc::Receiver<Request>,
    ) -> std::io::Result<()> {
        let camera = &self.cameras[index];
        let fault = self.unsteady.then(|| {
            let mut random = lock(&camera.random);
            let fault = [Fault::Drop, Fault::Stall, Fault::Cut, Fault::Refuse][random.random_range(0..4)];
            (fault, Instant::now() + Duration::from_secs(random.random_range(15..120)), Duration::from_secs(random.random_range(4..40)))
        });
        let length = self.packets.length;
        // Time of the camera since it was made, at the first frame to be sent.
        let clock = self.started.elapsed() + camera.phase;
        let (mut round, into) =
            ((clock.as_nanos() / length.as_nanos()) as u32, Duration::from_nanos((clock.as_nanos() % length.as_nanos()) as u64));
        let mut next = self.packets.frames.partition_point(|frame| frame.at < into);
        let (mut sequence, mut buffer) = (lock(&camera.random).random::<u16>(), Vec::new());
        loop {
            if next == self.packets.frames.len() {
                (next, round) = (0, round + 1);
            }
            let frame = &self.packets.frames[next];
            let media = length * round + frame.at;
            let due = self.started + media.saturating_sub(camera.phase);
            tokio::select! {
                () = sleep_until(due) => {}
                request = requests.recv() => match request {
                    Some(request) if request.method != "TEARDOWN" => {
                        writer.write_all(self.answer(&request, index).as_bytes()).await?;
                        continue;
                    }
                    _ => return Ok(()),
                },
            }
            if let Some((fault, at, lasts)) = fault
                && Instant::now() >= at
            {
                return self.fail(index, fault, lasts, writer, frame).await;
            }
            frame.stamp(&mut buffer, &mut sequence, (media.as_secs_f64() * CLOCK_HZ) as u64 as u32);
            writer.write_all(&buffer).await?;
            next += 1;
        }
    }

    async fn fail(
        &self,
        index: usize,
        fault: Fault,
        lasts: Duration,
        writer: &mut (impl AsyncWriteExt + Unpin),
        frame: &FrameOfPackets,
    ) -> std::io::Result<()> {
        let now = Instant::now();
        let at_ms = self.started.elapsed().as_millis() as u64;
        let gone = if matches!(fault, Fault::Stall | Fault::Refuse) { lasts } else { Duration::ZERO };
        let line = FaultLine { camera: index, fault, at_ms, until_ms: at_ms + gone.as_millis() as u64 };
        println!("{}", serde_json::to_string(&line).unwrap_or_default());
        match fault {
            Fault::Drop => {}
            // Meanwhile a new connection would be served: a camera that hangs does not know that it does.
            Fault::Stall => {
                *lock(&self.cameras[index].refuses_until) = Some(now + lasts);
                sleep(lasts).await;
            }
            Fault::Cut => writer.write_all(&frame.bytes[..frame.bytes.len() / 2]).await?,
            Fault::Refuse => *lock(&self.cameras[index].refuses_until) = Some(now + lasts),
        }
        Ok(())
    }
}

fn answer(request: &Request, status: &str, headers: &str) -> String {
    format!("RTSP/1.0 {status}\r\nCSeq: {}\r\n{headers}\r\n", request.cseq)
}

/// Requests of a connection, one after another; interleaved RTCP of the client is skipped.
async fn read_requests(mut reader: OwnedReadHalf, sender: mpsc::Sender<Request>) {
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        while let Some((request, read)) = next_request(&buffer) {
            buffer.drain(..read);
            if let Some(request) = request
                && sender.send(request).await.is_err()
            {
                return;
            }
        }
        if buffer.len() > LONGEST_REQUEST || reader.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

/// The first whole request or interleaved packet of the buffer, and its length.
fn next_request(buffer: &[u8]) -> Option<(Option<Request>, usize)> {
    if buffer.first() == Some(&b'$') {
        let length = 4 + usize::from(u16::from_be_bytes([*buffer.get(2)?, *buffer.get(3)?]));
        return (buffer.len() >= length).then_some((None, length));
    }
    let end = memchr::memmem::find(buffer, b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&buffer[..end]);
    let mut lines = text.lines();
    let mut words = lines.next().unwrap_or_default().split_whitespace();
    let mut request = Request {
        method: words.next().unwrap_or_default().to_owned(),
        url: words.next().unwrap_or_default().to_owned(),
        cseq: String::new(),
        transport: String::new(),
    };
    let mut body = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match name.to_ascii_lowercase().as_str() {
            "cseq" => request.cseq = value.trim().to_owned(),
            "transport" => request.transport = value.trim().to_owned(),
            "content-length" => body = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    (buffer.len() >= end + body).then_some((Some(request), end + body))
}

impl FrameOfPackets {
    /// Copies the packets with sequence numbers and time stamp of this sending.
    fn stamp(&self, buffer: &mut Vec<u8>, sequence: &mut u16, timestamp: u32) {
        buffer.clear();
        buffer.extend_from_slice(&self.bytes);
        for &at in &self.headers {
            buffer[at + 2..at + 4].copy_from_slice(&sequence.to_be_bytes());
            buffer[at + 4..at + 8].copy_from_slice(&timestamp.to_be_bytes());
            *sequence = sequence.wrapping_add(1);
        }
    }

    fn add(&mut self, payload: &[&[u8]], last: bool) {
        let length = 12 + payload.iter().map(|part| part.len()).sum::<usize>();
        self.bytes.extend([b'$', 0]);
        self.bytes.extend((length as u16).to_be_bytes());
        self.headers.push(self.bytes.len());
        self.bytes.extend([0x80, 96 | if last { 0x80 } else { 0 }, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        payload.iter().for_each(|part| self.bytes.extend_from_slice(part));
    }
}

impl Packets {
    fn of(clip: &Clip) -> Result<Self, FleetError> {
        let (mut sps, mut pps) = (None, None);
        let mut frames = Vec::with_capacity(clip.units.len());
        for unit in &clip.units {
            let data = unit.bytes();
            // Access unit delimiters say nothing over RTP.
            let nals: Vec<&[u8]> = nal_units(&data).into_iter().filter(|nal| nal[0] & 0x1f != 9).collect();
            let mut frame = FrameOfPackets { at: unit.show_at, bytes: Vec::with_capacity(data.len() + 64), headers: Vec::new() };
            for (i, nal) in nals.iter().enumerate() {
                match nal[0] & 0x1f {
                    7 => sps = sps.or_else(|| Some(nal.to_vec())),
                    8 => pps = pps.or_else(|| Some(nal.to_vec())),
                    _ => {}
                }
                let last = i + 1 == nals.len();
                if nal.len() <= PAYLOAD {
                    frame.add(&[nal], last);
                    continue;
                }
                // Fragmentation units (RFC 6184, 5.8).
                let pieces: Vec<&[u8]> = nal[1..].chunks(PAYLOAD - 2).collect();
                for (k, piece) in pieces.iter().enumerate() {
                    let (start, end) = (k == 0, k + 1 == pieces.len());
                    let header = nal[0] & 0x1f | if start { 0x80 } else { 0 } | if end { 0x40 } else { 0 };
                    frame.add(&[&[nal[0] & 0xe0 | 28, header], piece], last && end);
                }
            }
            frames.push(frame);
        }
        let (Some(sps), Some(pps)) = (sps, pps) else { return Err(FleetError::NoVideo) };
        let profile = hex(&sps[1..4]);
        Ok(Self { frames, length: clip.length, parameter_sets: format!("{},{}", base64_encode(&sps), base64_encode(&pps)), profile })
    }
}

/// NAL units of an Annex B byte stream, without start codes; empty ones are left out.
fn nal_units(data: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = memchr::memmem::find_iter(data, &[0, 0, 1]).collect();
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    let nals = starts.iter().zip(ends).map(|(start, end)| {
        let nal = &data[start + 3..end];
        // The zero of a four-byte start code belongs to the next one.
        &nal[..nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)]
    });
    nals.filter(|nal| !nal.is_empty()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_out_whole_and_interleaved_reports_are_skipped() {
        let text =
            b"$\x01\x00\x02abSETUP rtsp://h/c7/track0 RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n".to_vec();
        for cut in 0..text.len() {
            let skipped = if cut >= 6 { 6 } else { 0 };
            assert!(next_request(&text[skipped..cut]).is_none(), "{cut}");
        }
        let (none, read) = next_request(&text).expect("the report");
        assert!(none.is_none() && read == 6);
        let (request, read) = next_request(&text[6..]).expect("the request");
        let request = request.expect("a request");
        assert_eq!((request.method.as_str(), request.cseq.as_str(), read), ("SETUP", "3", text.len() - 6));
        assert!(request.transport.contains("TCP"));
    }

    #[test]
    fn fragments_put_together_are_the_unit() {
        let nal: Vec<u8> = [0x65].into_iter().chain((0..5_000u32).map(|i| i as u8 | 1)).collect();
        let mut data = vec![0, 0, 0, 1, 0x09, 0xf0, 0, 0, 1];
        data.extend(&nal);
        let nals = nal_units(&data);
        assert_eq!(nals.len(), 2);
        assert_eq!(nals[1], nal);
    }
}
