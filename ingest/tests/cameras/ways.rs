//! Every way by which pictures come: UDP, TLS, SRT, a digest log-in, other codecs. Real servers and senders on loopback.

use std::path::PathBuf;

use gstreamer::{self as gst, prelude::*};
use qorgan_domain::{CameraFault, CameraState};
use qorgan_ingest::camera::{CameraSpec, Credentials, Decoder, Settings, Transport, Trust, probe};

use crate::{
    clips::{grey, h264},
    fake::{Behaviour, Fake},
    real::{H265, JPEG, Real, Wants},
    watch::{LONG, Watch, id, settings},
};

fn log_in(password: &str) -> Credentials {
    Credentials { user: "admin".into(), password: password.into() }
}

/// Waits for key frames, decodes one, and tells by which way they came.
async fn works(mut watch: Watch) -> &'static str {
    watch.live().await;
    watch.offered(&id("yard"), 3).await;
    let picture = Decoder::new().decode(&watch.frames.newest(&id("yard")).unwrap()).unwrap();
    assert_eq!((picture.width, picture.height), (160, 96));
    watch.cameras.stream_stats(&id("yard")).unwrap().transport.unwrap()
}

#[tokio::test]
async fn a_real_server_over_tcp_with_a_digest_log_in() {
    let server = Real::start(Wants { log_in: Some(("admin", "right-one")), ..Wants::default() });
    let spec = |password| CameraSpec::new(id("yard"), server.url()).with_credentials(log_in(password));
    assert_eq!(works(Watch::start(vec![spec("right-one")], &settings())).await, "tcp");
    let detail = Watch::start(vec![spec("wrong-one")], &settings()).fails_as(CameraFault::Unauthorized).await;
    assert!(!detail.contains("wrong-one"), "{detail}");
}

#[tokio::test]
async fn udp_when_it_is_asked_for_and_when_the_camera_takes_nothing_else() {
    let server = Real::start(Wants { udp_only: true, ..Wants::default() });
    let spec = CameraSpec::new(id("yard"), server.url());
    assert_eq!(works(Watch::start(vec![spec.clone().with_transport(Transport::Udp)], &settings())).await, "udp");
    assert_eq!(works(Watch::start(vec![spec.clone()], &settings())).await, "udp", "TCP was refused with 461");
    let fault = Watch::start(vec![spec.with_transport(Transport::Tcp)], &settings()).fails_as(CameraFault::Other).await;
    assert!(fault.contains("461"), "{fault}");
}

#[tokio::test]
async fn udp_with_a_wrong_password_and_with_nobody_there_has_a_name() {
    let server = Real::start(Wants { log_in: Some(("admin", "right-one")), udp_only: true, ..Wants::default() });
    let spec = CameraSpec::new(id("yard"), server.url()).with_transport(Transport::Udp);
    assert_eq!(works(Watch::start(vec![spec.clone().with_credentials(log_in("right-one"))], &settings())).await, "udp");
    let detail =
        Watch::start(vec![spec.clone().with_credentials(log_in("wrong-one"))], &settings()).fails_as(CameraFault::Unauthorized).await;
    assert!(!detail.contains("wrong-one"), "{detail}");
    let nobody = CameraSpec { url: "rtsp://127.0.0.1:1/live".parse().unwrap(), ..spec };
    Watch::start(vec![nobody], &settings()).fails_as(CameraFault::Refused).await;
}

#[tokio::test]
async fn a_camera_that_refuses_tcp_and_cannot_do_udp_either_says_so() {
    let camera = Fake::start(Behaviour::RefusesTcp).await;
    let patience = Settings {
        answer_timeout: std::time::Duration::from_millis(500),
        picture_timeout: std::time::Duration::from_millis(500),
        ..settings()
    };
    let mut watch = Watch::one(camera.url(), &patience);
    watch.until(|health| health.state == CameraState::Offline).await;
}

/// A self-signed certificate for 127.0.0.1: file with it alone, and PEM of certificate and key.
fn certificate(dir: &tempfile::TempDir) -> (PathBuf, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let path = dir.path().join("camera.pem");
    std::fs::write(&path, made.cert.pem()).unwrap();
    (path, made.cert.pem() + &made.signing_key.serialize_pem())
}

#[tokio::test]
async fn rtsps_is_trusted_by_a_pinned_certificate_or_by_name_insecurely_and_not_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let (path, pem) = certificate(&dir);
    let server = Real::start(Wants { tls: Some(pem), ..Wants::default() });
    let spec = CameraSpec::new(id("yard"), server.url());
    assert_eq!(works(Watch::start(vec![spec.clone().with_trust(Trust::Ca(path.clone()))], &settings())).await, "tls");
    assert_eq!(works(Watch::start(vec![spec.clone().with_trust(Trust::Insecure)], &settings())).await, "tls");
    Watch::start(vec![spec.clone()], &settings()).fails_as(CameraFault::Tls).await;
    // The certificate is for the address, not for this name.
    let other_name = CameraSpec { url: server.url_of("localhost"), ..spec.clone() }.with_trust(Trust::Ca(path));
    Watch::start(vec![other_name], &settings()).fails_as(CameraFault::Tls).await;
    let missing = spec.with_trust(Trust::Ca("/nowhere/ca.pem".into()));
    let detail = Watch::start(vec![missing], &settings()).fails_as(CameraFault::Tls).await;
    assert!(detail.contains("/nowhere/ca.pem"), "{detail}");
}

#[tokio::test]
async fn h265_and_jpeg_over_rtsp() {
    for (pay, codec, udp_only) in [(H265, "h265", false), (JPEG, "mjpeg", false), (H265, "h265", true)] {
        let server = Real::start(Wants { pay: Some(pay), udp_only, ..Wants::default() });
        let mut watch = Watch::one(server.url(), &settings());
        assert_eq!(watch.live().await.codec.as_deref(), Some(codec));
        works(watch_again(&server)).await;
    }
}

fn watch_again(server: &Real) -> Watch {
    Watch::one(server.url(), &settings())
}

/// A badge: pushes a test picture until dropped.
struct Badge(gst::Element);

impl Badge {
    fn start(port: u16, passphrase: Option<&str>) -> Self {
        gst::init().unwrap();
        // Seven TS packets to an SRT packet, as SRT wants them. Packets that come one by one are dropped by `srtsink` where they are the
        // stream's tables: nobody who comes later could read it.
        let passphrase = passphrase.map_or(String::new(), |text| format!("passphrase={text} pbkeylen=16"));
        let pipeline = gst::parse::launch(&format!(
            "videotestsrc is-live=true ! video/x-raw,format=I420,width=160,height=96,framerate=25/1 ! x264enc tune=zerolatency \
             key-int-max=10 ! h264parse config-interval=-1 ! mpegtsmux alignment=7 ! srtsink uri=srt://127.0.0.1:{port} mode=caller {passphrase}"
        ));
        let pipeline = pipeline.unwrap();
        let _ = pipeline.set_state(gst::State::Playing);
        Self(pipeline)
    }
}

impl Drop for Badge {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}

fn free_udp_port() -> u16 {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_badge_pushes_over_srt_leaves_and_comes_back() {
    let port = free_udp_port();
    let url = format!("srt://127.0.0.1:{port}?latency=60").parse().unwrap();
    let patience = Settings { answer_timeout: std::time::Duration::from_millis(300), ..settings() };
    let mut watch = Watch::start(vec![CameraSpec::new(id("yard"), url).with_credentials(log_in("a-good-passphrase"))], &patience);
    let detail = watch.fails_as(CameraFault::Timeout).await;
    assert!(detail.contains("nobody"), "{detail}");
    let badge = Badge::start(port, Some("a-good-passphrase"));
    let live = watch.live().await;
    assert_eq!((live.codec.as_deref(), live.size_px), (Some("h264"), Some((160, 96))));
    watch.offered(&id("yard"), 2).await;
    drop(badge);
    watch.until(|health| health.state == CameraState::Offline).await;
    let _again = Badge::start(port, Some("a-good-passphrase"));
    assert_eq!(works(watch).await, "srt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_badge_with_a_wrong_passphrase_or_none_gives_no_picture() {
    let port = free_udp_port();
    let url = format!("srt://127.0.0.1:{port}").parse().unwrap();
    let patience = Settings { answer_timeout: std::time::Duration::from_millis(300), ..settings() };
    let spec = CameraSpec::new(id("yard"), url).with_credentials(log_in("a-good-passphrase"));
    let mut watch = Watch::start(vec![spec.clone()], &patience);
    watch.fails_as(CameraFault::Timeout).await;
    for passphrase in [Some("not-that-passphrase"), None] {
        let _stranger = Badge::start(port, passphrase);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert_eq!(watch.frames.offered(&id("yard")), 0);
    }
    let short = CameraSpec::new(id("gate"), spec.url.clone()).with_credentials(log_in("short"));
    let detail = Watch::start(vec![short], &patience).fails_as(CameraFault::Unauthorized).await;
    assert!(detail.contains("10 to 79"), "{detail}");
}

#[tokio::test]
async fn a_probe_speaks_every_way() {
    let server = Real::start(Wants { udp_only: true, ..Wants::default() });
    let report = probe(&server.url(), None, LONG).await;
    assert_eq!((report.decodes, report.size_px), (Some(true), Some((160, 96))), "{report:?}");
    let fake = Fake::start(Behaviour::Streams(h264(&grey(128), (160, 96), false))).await;
    assert_eq!(probe(&fake.url(), None, LONG).await.decodes, Some(true));
}
