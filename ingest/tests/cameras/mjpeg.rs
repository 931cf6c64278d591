//! Motion JPEG over HTTP: as cameras write it, and as they should not.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use md5::{Digest, Md5};
use qorgan_domain::CameraFault;
use qorgan_ingest::camera::{CameraSpec, CameraUrl, Codec, Credentials, Decoder, TapItem, Trust};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{
    clips::{grey, units},
    watch::{Watch, brightness, id, settings},
};

#[derive(Clone)]
enum Web {
    /// Streams these pictures; with lengths or without.
    Streams(Arc<Vec<Vec<u8>>>, bool),
    /// The same for `admin` and `right`, by digest or basic.
    LogIn(Arc<Vec<Vec<u8>>>, &'static str),
    /// Answers this to everybody.
    Says(&'static str),
}

struct Server {
    port: u16,
    requests: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(web: Web) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (web, count) = (web.clone(), count.clone());
                connections.spawn(async move { serve(socket, &web, &count).await.ok() });
            }
        });
        Self { port, requests, task }
    }

    fn url(&self) -> CameraUrl {
        format!("http://127.0.0.1:{}/video.mjpg?channel=1", self.port).parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut socket: TcpStream, web: &Web, requests: &AtomicUsize) -> std::io::Result<()> {
    let mut inbox = Vec::new();
    loop {
        while !inbox.ends_with(b"\r\n\r\n") {
            if socket.read_buf(&mut inbox).await? == 0 {
                return Ok(());
            }
        }
        let request = String::from_utf8_lossy(&std::mem::take(&mut inbox)).into_owned();
        let number = requests.fetch_add(1, Ordering::SeqCst);
        let authorization = request.lines().find_map(|line| line.strip_prefix("authorization: ").or(line.strip_prefix("Authorization: ")));
        let (pictures, sized) = match web {
            Web::Says(answer) => {
                let answer = answer.replace("{n}", &number.to_string());
                socket.write_all(answer.as_bytes()).await?;
                continue;
            }
            Web::LogIn(_, scheme) if !authorization.is_some_and(|text| right(text, scheme)) => {
                let challenge =
                    if *scheme == "Digest" { "Digest realm=\"cam\", nonce=\"abc\", qop=\"auth\"" } else { "Basic realm=\"cam\"" };
                let answer = format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n");
                socket.write_all(answer.as_bytes()).await?;
                continue;
            }
            Web::LogIn(pictures, _) => (pictures, true),
            Web::Streams(pictures, sized) => (pictures, *sized),
        };
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n").await?;
        let mut pace = tokio::time::interval(std::time::Duration::from_millis(20));
        for picture in pictures.iter().cycle() {
            pace.tick().await;
            let length = if sized { format!("Content-Length: {}\r\n", picture.len()) } else { String::new() };
            socket.write_all(format!("--cut\r\nContent-Type: image/jpeg\r\n{length}\r\n").as_bytes()).await?;
            socket.write_all(picture).await?;
            socket.write_all(b"\r\n").await?;
        }
    }
}

/// Whether an `Authorization` is that of `admin` with the password `right` (RFC 7616, section 3.4.1, without session variants).
fn right(text: &str, scheme: &str) -> bool {
    if scheme == "Basic" {
        return text == "Basic YWRtaW46cmlnaHQ=";
    }
    let field = |name: &str| {
        let (_, rest) = text.split_once(&format!("{name}="))?;
        Some(rest.trim_start_matches('"').split(['"', ',']).next()?.to_owned())
    };
    let md5 = |text: String| Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (nc, cnonce) = (field("nc").unwrap_or_default(), field("cnonce").unwrap_or_default());
    let (secret, what) = (md5("admin:cam:right".into()), md5("GET:/video.mjpg?channel=1".into()));
    text.starts_with("Digest ") && field("response") == Some(md5(format!("{secret}:abc:{nc}:{cnonce}:auth:{what}")))
}

fn pictures(level: u8) -> Arc<Vec<Vec<u8>>> {
    let source = grey(level);
    let made = units(&format!("{source} num-buffers=4 ! video/x-raw,format=I420,width=160,height=96,framerate=25/1 ! jpegenc"));
    Arc::new(made.iter().map(|unit| unit.data.clone()).collect())
}

#[tokio::test]
async fn pictures_come_with_and_without_lengths_and_decode() {
    for sized in [true, false] {
        let server = Server::start(Web::Streams(pictures(200), sized)).await;
        let mut watch = Watch::one(server.url(), &settings());
        let live = watch.live().await;
        assert_eq!((live.codec.as_deref(), live.size_px), (Some("mjpeg"), Some((160, 96))));
        let frame = watch.frames.newest(&id("yard")).unwrap();
        assert_eq!(frame.codec, Codec::Mjpeg);
        let picture = Decoder::new().decode(&frame).unwrap();
        assert!((brightness(&picture) - 177.0).abs() < 4.0, "{}", brightness(&picture));
        let mut tap = watch.cameras.tap(&id("yard")).unwrap();
        for _ in 0..8 {
            assert!(matches!(tap.next().await, Some(TapItem::Unit(unit)) if unit.key));
        }
        let (given, stats) = (watch.frames.offered(&id("yard")), watch.cameras.stream_stats(&id("yard")).unwrap());
        assert!(stats.transport == Some("http") && stats.bad_units == 0, "{stats:?}");
        assert!(given <= 3, "analysis gets a few a second, not all of them: {given}");
    }
}

#[tokio::test]
async fn both_kinds_of_log_in_work_and_a_wrong_password_has_its_name() {
    for scheme in ["Digest", "Basic"] {
        let server = Server::start(Web::LogIn(pictures(128), scheme)).await;
        let spec = |password: &str| {
            CameraSpec::new(id("yard"), server.url()).with_credentials(Credentials { user: "admin".into(), password: password.into() })
        };
        Watch::start(vec![spec("right")], &settings()).live().await;
        let detail = Watch::start(vec![spec("hunter2")], &settings()).fails_as(CameraFault::Unauthorized).await;
        assert!(!detail.contains("hunter2"), "{detail}");
        Watch::one(server.url(), &settings()).fails_as(CameraFault::Unauthorized).await;
    }
}

#[tokio::test]
async fn answers_that_are_no_motion_jpeg_have_names() {
    let cases = [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", CameraFault::NotFound),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", CameraFault::Garbage),
        ("HTTP/1.1 302 Found\r\nLocation: /hop{n}\r\nContent-Length: 0\r\n\r\n", CameraFault::Redirect),
        ("HTTP/1.1 302 Found\r\nLocation: /video.mjpg?channel=1\r\nContent-Length: 0\r\n\r\n", CameraFault::Redirect),
        ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", CameraFault::Redirect),
        ("SSH-2.0-OpenSSH_9.2\r\n", CameraFault::Garbage),
    ];
    for (answer, fault) in cases {
        let server = Server::start(Web::Says(answer)).await;
        Watch::one(server.url(), &settings()).fails_as(fault).await;
    }
}

#[tokio::test]
async fn an_endless_redirect_stops_after_a_few_requests() {
    let server = Server::start(Web::Says("HTTP/1.1 302 Found\r\nLocation: /hop{n}\r\nContent-Length: 0\r\n\r\n")).await;
    let slow = qorgan_ingest::camera::Settings { first_retry: crate::watch::LONG, longest_retry: crate::watch::LONG, ..settings() };
    Watch::one(server.url(), &slow).fails_as(CameraFault::Redirect).await;
    assert_eq!(server.requests.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn pictures_of_no_size_and_half_pictures() {
    let mut zero = pictures(128)[0].clone();
    let at = zero.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    zero[at + 5..at + 9].fill(0);
    let server = Server::start(Web::Streams(Arc::new(vec![zero]), true)).await;
    Watch::one(server.url(), &settings()).fails_as(CameraFault::BadPicture).await;

    let whole = pictures(128)[0].clone();
    let half = whole[..whole.len() / 2].to_vec();
    let server = Server::start(Web::Streams(Arc::new(vec![half.clone()]), true)).await;
    Watch::one(server.url(), &settings()).fails_as(CameraFault::Garbage).await;
    let server = Server::start(Web::Streams(Arc::new(vec![half, whole]), true)).await;
    let mut watch = Watch::one(server.url(), &settings());
    watch.live().await;
    let mut tap = watch.cameras.tap(&id("yard")).unwrap();
    for _ in 0..4 {
        assert!(matches!(tap.next().await, Some(TapItem::Unit(_))));
    }
    assert!(watch.cameras.stream_stats(&id("yard")).unwrap().bad_units >= 3, "every half one is counted");
}

#[tokio::test]
async fn https_is_checked_against_the_pinned_certificate() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: CameraUrl = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
    let clip = pictures(128);
    let server = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, clip) = (acceptor.clone(), clip.clone());
            tokio::spawn(async move {
                let mut socket = acceptor.accept(socket).await.ok()?;
                let mut request = [0; 4096];
                let _ = socket.read(&mut request).await.ok()?;
                socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n").await.ok()?;
                for picture in clip.iter().cycle() {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    let head = format!("--cut\r\nContent-Length: {}\r\n\r\n", picture.len());
                    socket.write_all(&[head.as_bytes(), picture, b"\r\n"].concat()).await.ok()?;
                }
                Some(())
            });
        }
    });
    let spec = CameraSpec::new(id("yard"), url);
    Watch::start(vec![spec.clone().with_trust(Trust::Ca(ca))], &settings()).live().await;
    Watch::start(vec![spec.clone().with_trust(Trust::Insecure)], &settings()).live().await;
    Watch::start(vec![spec], &settings()).fails_as(CameraFault::Tls).await;
    server.abort();
}
