//! A camera that misbehaves on purpose: just enough RTSP to get as far as the fault wanted.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use qorgan_ingest::camera::CameraUrl;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

use crate::clips::Unit;

/// What the camera does.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Accepts the connection and never says a word.
    Silent,
    /// Answers with bytes that are no RTSP.
    Garbage,
    /// Answers everything with this status.
    Status(&'static str),
    /// Wants `admin` and `right`; then streams.
    LogIn(Arc<Vec<Unit>>),
    /// Describes these media, and no others.
    Describes(&'static str),
    /// Streams the units again and again.
    Streams(Arc<Vec<Unit>>),
    /// In its first session stops after so many units but keeps the connection; later sessions stream on.
    StallsOnce(Arc<Vec<Unit>>, usize),
    /// Streams only frames that need others.
    NoKeyFrames(Arc<Vec<Unit>>),
    /// Plays, then sends packets that are no RTP.
    GarbagePackets,
    /// Plays, then closes the connection.
    HangsUp,
    /// Sends whoever comes on to this address; `{n}` in it becomes the number of the connection.
    Redirects(String),
    /// Refuses RTP inside the RTSP connection.
    RefusesTcp,
    /// Streams with the time stamps that this gives for each unit's number (90,000 to the second).
    Stamped(Arc<Vec<Unit>>, fn(u32) -> u32),
    /// Two streams, `/main` and `/sub`; a missing one is not found.
    Two(Option<Arc<Vec<Unit>>>, Option<Arc<Vec<Unit>>>),
    /// A recording: once through the units for who asks for this `Range`, by the rules of ONVIF; 457 for anybody else.
    Recording(Arc<Vec<Unit>>, &'static str),
    /// The first session is in one codec, the later ones in another.
    ChangesCodec(Arc<Vec<Unit>>, Arc<Vec<Unit>>),
}

const H265: &str = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=control:stream=0\r\n";
const H264: &str = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:stream=0\r\n";

/// A running fake camera; ends when dropped.
pub(crate) struct Fake {
    pub(crate) port: u16,
    sessions: Arc<AtomicUsize>,
    /// Sessions that play now, by path.
    playing: Playing,
    task: JoinHandle<()>,
}

type Playing = Arc<Mutex<Vec<String>>>;

impl Fake {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sessions = Arc::new(AtomicUsize::new(0));
        let (counter, playing) = (sessions.clone(), Playing::default());
        let now_playing = playing.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let session = counter.fetch_add(1, Ordering::SeqCst);
                let (behaviour, playing) = (behaviour.clone(), now_playing.clone());
                // The client hangs up when it has seen enough: no error of the test.
                connections.spawn(async move { serve(socket, behaviour, session, playing).await.ok() });
            }
        });
        Self { port, sessions, playing, task }
    }

    pub(crate) fn url(&self) -> CameraUrl {
        self.at("live")
    }

    pub(crate) fn at(&self, path: &str) -> CameraUrl {
        format!("rtsp://127.0.0.1:{}/{path}", self.port).parse().unwrap()
    }

    /// How many sessions of a path play now.
    pub(crate) fn playing(&self, path: &str) -> usize {
        self.playing.lock().unwrap().iter().filter(|playing| *playing == path).count()
    }

    pub(crate) fn sessions(&self) -> usize {
        self.sessions.load(Ordering::SeqCst)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut socket: TcpStream, behaviour: Behaviour, session: usize, playing: Playing) -> std::io::Result<()> {
    let mut inbox = Vec::new();
    loop {
        let Some(request) = request(&mut socket, &mut inbox).await? else { return Ok(()) };
        let path = request.split(' ').nth(1).and_then(|url| url.split('/').nth(3)).unwrap_or_default().to_owned();
        let method = request.split(' ').next().unwrap_or_default();
        let cseq = header(&request, "cseq").unwrap_or("0").to_owned();
        let answer = |status: &str, headers: &str, body: &str| {
            format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
        };
        let media = match &behaviour {
            Behaviour::Silent => continue,
            Behaviour::Garbage => {
                socket.write_all(&[0x00, 0xff, b'H', b'i', b'\r', b'\n', 0x07, b'\r', b'\n', b'\r', b'\n']).await?;
                continue;
            }
            Behaviour::Status(status) => {
                socket.write_all(answer(status, "", "").as_bytes()).await?;
                continue;
            }
            // "admin:right" in base64.
            Behaviour::LogIn(_) if header(&request, "authorization") != Some("Basic YWRtaW46cmlnaHQ=") => {
                let challenge = "WWW-Authenticate: Basic realm=\"camera\"\r\n";
                socket.write_all(answer("401 Unauthorized", challenge, "").as_bytes()).await?;
                continue;
            }
            Behaviour::Redirects(to) => {
                let location = format!("Location: {}\r\n", to.replace("{n}", &session.to_string()));
                socket.write_all(answer("302 Moved Temporarily", &location, "").as_bytes()).await?;
                continue;
            }
            Behaviour::RefusesTcp if method == "SETUP" && header(&request, "transport").is_some_and(|how| how.contains("TCP")) => {
                socket.write_all(answer("461 Unsupported Transport", "", "").as_bytes()).await?;
                continue;
            }
            Behaviour::Recording(_, range)
                if method == "PLAY"
                    && (header(&request, "range") != Some(*range) || header(&request, "require") != Some("onvif-replay")) =>
            {
                socket.write_all(answer("457 Invalid Range", "", "").as_bytes()).await?;
                continue;
            }
            Behaviour::Two(main, sub) if if path == "main" { main.is_none() } else { sub.is_none() } => {
                socket.write_all(answer("404 Not Found", "", "").as_bytes()).await?;
                continue;
            }
            Behaviour::ChangesCodec(..) if session > 0 => H265,
            Behaviour::Describes(media) => media,
            _ => H264,
        };
        let reply = match method {
            "DESCRIBE" => {
                let sdp = format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=fake\r\nt=0 0\r\n{media}");
                answer("200 OK", "Content-Type: application/sdp\r\n", &sdp)
            }
            "SETUP" => answer("200 OK", "Session: 7;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", ""),
            "PLAY" => answer("200 OK", "Session: 7\r\nRTP-Info: url=stream=0;seq=0;rtptime=0\r\n", ""),
            _ => answer("200 OK", "Session: 7\r\n", ""),
        };
        socket.write_all(reply.as_bytes()).await?;
        if method == "PLAY" {
            playing.lock().unwrap().push(path.clone());
            let (read, write) = socket.into_split();
            // The client's end is noticed at once.
            let over = tokio::select! {
                over = play(write, &behaviour, session, &path) => over,
                over = hung_up(read) => over,
            };
            let mut playing = playing.lock().unwrap();
            let at = playing.iter().position(|playing| *playing == path).unwrap();
            playing.remove(at);
            return over;
        }
    }
}

async fn hung_up(mut socket: OwnedReadHalf) -> std::io::Result<()> {
    let mut asked = [0; 4096];
    while socket.read(&mut asked).await? > 0 {}
    Ok(())
}

async fn play(mut socket: OwnedWriteHalf, behaviour: &Behaviour, session: usize, path: &str) -> std::io::Result<()> {
    let (units, limit) = match behaviour {
        Behaviour::HangsUp => return Ok(()),
        Behaviour::GarbagePackets => {
            let junk = [&[b'$', 0, 0, 20][..], &[0xde; 20]].concat();
            socket.write_all(&junk).await?;
            return std::future::pending().await;
        }
        Behaviour::StallsOnce(units, after) if session == 0 => (units, *after),
        Behaviour::Streams(units) | Behaviour::LogIn(units) | Behaviour::NoKeyFrames(units) | Behaviour::StallsOnce(units, _) => {
            (units, usize::MAX)
        }
        Behaviour::Stamped(units, _) => (units, usize::MAX),
        Behaviour::Recording(units, _) => (units, units.len()),
        Behaviour::Two(Some(units), _) if path == "main" => (units, usize::MAX),
        Behaviour::Two(_, Some(units)) => (units, usize::MAX),
        Behaviour::ChangesCodec(units, _) if session == 0 => (units, units.len()),
        Behaviour::ChangesCodec(_, units) => (units, usize::MAX),
        _ => return Ok(()),
    };
    let stamp = if let Behaviour::Stamped(_, stamp) = behaviour { *stamp } else { |n: u32| n.wrapping_mul(3600) };
    let ends = matches!(behaviour, Behaviour::Recording(..)) || matches!(behaviour, Behaviour::ChangesCodec(..)) && session == 0;
    let keys = !matches!(behaviour, Behaviour::NoKeyFrames(_));
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let mut sequence = 0_u16;
    for (index, unit) in units.iter().cycle().filter(|unit| keys || !unit.key).take(limit).enumerate() {
        pace.tick().await;
        let nals = split(&unit.data);
        for (n, nal) in nals.iter().enumerate() {
            let marker = if n + 1 == nals.len() { 0x80 } else { 0 };
            let mut packet = vec![0x80, 96 | marker];
            packet.extend_from_slice(&sequence.to_be_bytes());
            packet.extend_from_slice(&stamp(index as u32).to_be_bytes());
            packet.extend_from_slice(&[0, 0, 0, 42]);
            packet.extend_from_slice(nal);
            let length = u16::try_from(packet.len()).expect("test clips are small: one packet per NAL unit");
            socket.write_all(&[b'$', 0]).await?;
            socket.write_all(&length.to_be_bytes()).await?;
            socket.write_all(&packet).await?;
            sequence = sequence.wrapping_add(1);
        }
    }
    if ends { Ok(()) } else { std::future::pending().await }
}

/// The NAL units of an Annex B access unit, without start codes.
pub(crate) fn split(data: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..data.len().saturating_sub(3)).filter(|&i| data[i..i + 3] == [0, 0, 1]).collect();
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    let nals = starts.iter().zip(ends).map(|(&start, end)| {
        let nal = &data[start + 3..end];
        // The zero that belongs to the next four-byte start code.
        &nal[..nal.len() - nal.iter().rev().take_while(|byte| **byte == 0).count()]
    });
    nals.collect()
}

async fn request(socket: &mut TcpStream, inbox: &mut Vec<u8>) -> std::io::Result<Option<String>> {
    loop {
        if let Some(end) = inbox.windows(4).position(|window| window == b"\r\n\r\n") {
            let request: Vec<u8> = inbox.drain(..end + 4).collect();
            return Ok(Some(String::from_utf8_lossy(&request).into_owned()));
        }
        if socket.read_buf(inbox).await? == 0 {
            return Ok(None);
        }
    }
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
