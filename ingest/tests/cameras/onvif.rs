//! A device that speaks ONVIF on purpose well, badly, or not at all.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use qorgan_domain::{CameraFault, UtcMs};
use qorgan_ingest::{
    camera::{Codec, Credentials, Trust},
    onvif::{Device, OnvifError, Said, Streams, Watched, What, choose_streams, watch},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const PATIENCE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);
/// The fake's clock: 90 s ahead.
const AHEAD_MS: i64 = 90_000;

#[derive(Clone, Copy)]
enum Manner {
    /// As the standard says; addresses in its answers are those behind a router.
    Well,
    /// Media2 is unknown to it, and so is `GetServices`.
    Old,
    /// Wants a log-in and has another password.
    Locked,
    /// Answers with these bytes, as XML.
    Garbage(&'static str),
    /// An answer that never ends.
    Endless,
    /// A tree as deep as the answer is long.
    Deep,
    /// Accepts and says nothing.
    Never,
}

struct Fake {
    port: u16,
    /// Names of the questions, in their order.
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Fake {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let log = log.clone();
                connections.spawn(async move { serve(socket, manner, &log).await.ok() });
            }
        });
        Self { port, asked, task }
    }

    async fn connect(&self, patience: Duration) -> Result<Device, OnvifError> {
        let address = format!("http://127.0.0.1:{}/onvif/device_service", self.port).parse().unwrap();
        let log_in = Credentials { user: "admin".into(), password: "right-one".into() };
        Device::connect(&address, Some(&log_in), &Trust::System, patience).await
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut socket: TcpStream, manner: Manner, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut inbox = Vec::new();
    loop {
        let (head, body) = loop {
            if let Some(end) = inbox.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&inbox[..end]).to_lowercase();
                let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok()).unwrap_or(0);
                if inbox.len() >= end + 4 + length {
                    let body = String::from_utf8_lossy(&inbox[end + 4..end + 4 + length]).into_owned();
                    inbox.drain(..end + 4 + length);
                    break (head, body);
                }
            }
            if socket.read_buf(&mut inbox).await? == 0 {
                return Ok(());
            }
        };
        if head.starts_with("get ") {
            let picture = b"\xff\xd8snapshot\xff\xd9";
            socket.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", picture.len()).as_bytes()).await?;
            socket.write_all(picture).await?;
            continue;
        }
        let question = QUESTIONS.iter().find(|name| body.contains(&format!(":{name}"))).copied().unwrap_or("unknown");
        log.lock().unwrap().push(question.to_owned());
        let (status, answer) = match manner {
            Manner::Never => std::future::pending().await,
            Manner::Endless => {
                socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n<a>").await?;
                loop {
                    socket.write_all(&[b'x'; 65536]).await?;
                }
            }
            Manner::Garbage(text) => (200, text.to_owned()),
            Manner::Deep => (200, "<a>".repeat(400_000)),
            Manner::Locked if question != "GetSystemDateAndTime" => (400, fault("ter:NotAuthorized", "Sender not authorized")),
            Manner::Old if question == "GetServices" => (500, fault("ter:ActionNotSupported", "Unknown")),
            _ => (200, envelope(&well(question, manner))),
        };
        let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n", answer.len());
        socket.write_all(head.as_bytes()).await?;
        socket.write_all(answer.as_bytes()).await?;
    }
}

const QUESTIONS: [&str; 17] = [
    "GetSystemDateAndTime",
    "GetServices",
    "GetCapabilities",
    "GetProfiles",
    "GetVideoEncoderConfigurations",
    "GetStreamUri",
    "GetSnapshotUri",
    "CreatePullPointSubscription",
    "PullMessages",
    "Renew",
    "Unsubscribe",
    "FindRecordings",
    "GetRecordingSearchResults",
    "EndSearch",
    "GetReplayUri",
    "GetDeviceInformation",
    "GetRecordings",
];

fn envelope(body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:x="urn:x"><s:Body>{body}</s:Body></s:Envelope>"#
    )
}

fn fault(code: &str, reason: &str) -> String {
    envelope(&format!(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{code}</s:Value></s:Subcode></s:Code><s:Reason><s:Text>{reason}</s:Text></s:Reason></s:Fault>"
    ))
}

fn now() -> UtcMs {
    UtcMs(i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap())
}

/// Addresses name a host behind a router: whoever follows them to the letter gets nowhere.
fn well(question: &str, manner: Manner) -> String {
    let device_now = UtcMs(now().0 + AHEAD_MS).to_string();
    let (date, time) = device_now.split_once('T').unwrap();
    let (d, t): (Vec<u32>, Vec<&str>) = (date.split('-').map(|n| n.parse().unwrap()).collect(), time.split([':', '.']).collect());
    let service = |space: &str, path: &str| {
        format!(
            "<x:Service><x:Namespace>http://www.onvif.org/{space}/wsdl</x:Namespace><x:XAddr>http://192.168.9.9/onvif/{path}</x:XAddr><x:Version><tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></x:Version></x:Service>"
        )
    };
    let encoder = |tag: &str, token: &str, encoding: &str, (width, height): (u32, u32)| {
        format!(
            "<{tag} token=\"{token}\"><tt:Name>{token}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>{encoding}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>15</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl></{tag}>"
        )
    };
    let old = matches!(manner, Manner::Old);
    let profile = |token: &str, encoder: &str| {
        if old {
            format!(
                "<x:Profiles token=\"{token}\"><tt:Name>{token}</tt:Name><tt:VideoSourceConfiguration token=\"v\"><tt:SourceToken>lens</tt:SourceToken></tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token=\"{encoder}\"/></x:Profiles>"
            )
        } else {
            format!(
                "<x:Profiles token=\"{token}\"><x:Name>{token}</x:Name><x:Configurations><x:VideoSource token=\"v\"><tt:SourceToken>lens</tt:SourceToken></x:VideoSource><x:VideoEncoder token=\"{encoder}\"/></x:Configurations></x:Profiles>"
            )
        }
    };
    let event = |topic: &str, name: &str, value: &str| {
        format!(
            "<wsnt:NotificationMessage xmlns:wsnt=\"urn:n\"><wsnt:Topic>{topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime=\"{device_now}\" PropertyOperation=\"Changed\"><tt:Source><tt:SimpleItem Name=\"Source\" Value=\"lens\"/></tt:Source><tt:Data><tt:SimpleItem Name=\"{name}\" Value=\"{value}\"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>"
        )
    };
    match question {
        "GetSystemDateAndTime" => format!("<x:GetSystemDateAndTimeResponse><x:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:UTCDateTime><tt:Time><tt:Hour>{}</tt:Hour><tt:Minute>{}</tt:Minute><tt:Second>{}</tt:Second></tt:Time><tt:Date><tt:Year>{}</tt:Year><tt:Month>{}</tt:Month><tt:Day>{}</tt:Day></tt:Date></tt:UTCDateTime></x:SystemDateAndTime></x:GetSystemDateAndTimeResponse>", t[0], t[1], t[2], d[0], d[1], d[2]),
        "GetServices" => format!("<x:GetServicesResponse>{}</x:GetServicesResponse>", [("ver10/device", "device"), ("ver10/media", "media"), ("ver20/media", "media2"), ("ver10/events", "events"), ("ver10/search", "search"), ("ver10/replay", "replay")].map(|(space, path)| service(space, path)).concat()),
        "GetCapabilities" => "<x:GetCapabilitiesResponse><x:Capabilities><tt:Media><tt:XAddr>http://192.168.9.9/onvif/media</tt:XAddr></tt:Media></x:Capabilities></x:GetCapabilitiesResponse>".into(),
        "GetProfiles" => format!("<x:GetProfilesResponse>{}{}</x:GetProfilesResponse>", profile("full", "e1"), profile("small", "e2")),
        "GetVideoEncoderConfigurations" => format!("<x:GetVideoEncoderConfigurationsResponse>{}{}</x:GetVideoEncoderConfigurationsResponse>", encoder("x:Configurations", "e1", if old { "H264" } else { "H265" }, (1920, 1080)), encoder("x:Configurations", "e2", "H264", (640, 360))),
        "GetStreamUri" if old => "<x:GetStreamUriResponse><x:MediaUri><tt:Uri>rtsp://admin:12345@192.168.9.9:8554/small</tt:Uri></x:MediaUri></x:GetStreamUriResponse>".into(),
        "GetStreamUri" => "<x:GetStreamUriResponse><x:Uri>rtsp://admin:12345@192.168.9.9:8554/small</x:Uri></x:GetStreamUriResponse>".into(),
        "GetSnapshotUri" => "<x:GetSnapshotUriResponse><x:Uri>http://192.168.9.9/still.jpg</x:Uri></x:GetSnapshotUriResponse>".into(),
        "CreatePullPointSubscription" => "<x:CreatePullPointSubscriptionResponse><x:SubscriptionReference><x:Address>http://192.168.9.9/onvif/pull/7</x:Address></x:SubscriptionReference><x:CurrentTime>2026-11-21T10:00:00Z</x:CurrentTime><x:TerminationTime>2026-11-21T10:05:00Z</x:TerminationTime></x:CreatePullPointSubscriptionResponse>".into(),
        "PullMessages" => format!("<x:PullMessagesResponse><x:CurrentTime/><x:TerminationTime/>{}{}{}{}</x:PullMessagesResponse>", event("tns1:RuleEngine/CellMotionDetector/Motion", "IsMotion", "true"), event("tns1:RuleEngine/CountAggregation/OccupancyCounter", "Occupancy", "12"), event("tns1:RuleEngine/TamperDetector/Tamper", "IsTamper", "true"), event("tns1:RuleEngine/Recognition/Face", "Name", "A. B.")),
        "Unsubscribe" => "<x:UnsubscribeResponse/>".into(),
        "FindRecordings" => "<x:FindRecordingsResponse><x:SearchToken>s1</x:SearchToken></x:FindRecordingsResponse>".into(),
        "GetRecordingSearchResults" => format!("<x:GetRecordingSearchResultsResponse><x:ResultList><tt:SearchState>Completed</tt:SearchState><tt:RecordingInformation><tt:RecordingToken>r1</tt:RecordingToken><tt:Source><tt:SourceId>lens</tt:SourceId><tt:Name>Yard</tt:Name></tt:Source><tt:EarliestRecording>2026-11-20T10:00:00Z</tt:EarliestRecording><tt:LatestRecording>{device_now}</tt:LatestRecording><tt:Content/><tt:RecordingStatus>Recording</tt:RecordingStatus></tt:RecordingInformation></x:ResultList></x:GetRecordingSearchResultsResponse>"),
        "EndSearch" => "<x:EndSearchResponse/>".into(),
        "GetReplayUri" => "<x:GetReplayUriResponse><x:Uri>rtsp://192.168.9.9:8554/replay?r=r1</x:Uri></x:GetReplayUriResponse>".into(),
        other => panic!("the hub never asks {other}"),
    }
}

#[tokio::test]
async fn a_good_device_tells_its_streams_stills_clock_events_and_recordings() {
    let fake = Fake::start(Manner::Well).await;
    let device = fake.connect(PATIENCE).await.unwrap();
    assert!((device.clock_offset_ms() - AHEAD_MS).abs() <= 1_500, "{}", device.clock_offset_ms());
    let profiles = device.profiles().await.unwrap();
    let shapes: Vec<_> = profiles.iter().map(|profile| (profile.codec, profile.size_px, profile.source.as_deref())).collect();
    assert_eq!(shapes, [(Some(Codec::H265), Some((1920, 1080)), Some("lens")), (Some(Codec::H264), Some((640, 360)), Some("lens"))]);
    assert_eq!(choose_streams(&profiles, 640), Some(Streams { main: 0, sub: Some(1) }));
    let url = device.stream_url(&profiles[1]).await.unwrap();
    assert_eq!(String::from(url), "rtsp://127.0.0.1:8554/small", "on the device, and without a password");
    assert_eq!(device.snapshot(&profiles[0]).await.unwrap(), b"\xff\xd8snapshot\xff\xd9");

    let mut events = device.events().await.unwrap();
    let noticed = events.next(now).await.unwrap();
    let what: Vec<What> = noticed.iter().map(|noticed| noticed.what).collect();
    assert_eq!(what, [What::Motion(true), What::People(12.0), What::Tamper(true)], "faces are not read");
    assert!(
        noticed.iter().all(|noticed| noticed.at.ms_since(now()).abs() < 3_000 && noticed.source == "lens"),
        "in the hub's time: {noticed:?}"
    );
    events.end().await;
    assert_eq!(fake.asked.lock().unwrap().last().unwrap(), "Unsubscribe");

    let recordings = device.recordings().await.unwrap();
    assert_eq!((recordings[0].token.as_str(), recordings[0].source.as_str()), ("r1", "Yard"));
    assert!(recordings[0].to.unwrap().ms_since(now()).abs() < 3_000);
    assert_eq!(String::from(device.replay_url(&recordings[0]).await.unwrap()), "rtsp://127.0.0.1:8554/replay?r=r1");
}

#[tokio::test]
async fn an_old_device_is_asked_the_old_way() {
    let fake = Fake::start(Manner::Old).await;
    let device = fake.connect(PATIENCE).await.unwrap();
    let profiles = device.profiles().await.unwrap();
    assert_eq!(profiles.len(), 2);
    assert_eq!(String::from(device.stream_url(&profiles[1]).await.unwrap()), "rtsp://127.0.0.1:8554/small");
    let error = device.events().await.err().unwrap();
    assert!(matches!(error, OnvifError::NoService("events")) && error.fault() == CameraFault::NotFound, "{error}");
}

#[tokio::test]
async fn a_device_with_another_password_says_so_and_the_password_is_not_printed() {
    let fake = Fake::start(Manner::Locked).await;
    let error = fake.connect(PATIENCE).await.err().unwrap();
    assert_eq!(error.fault(), CameraFault::Unauthorized, "{error:?}");
    assert!(!format!("{error} {error:?}").contains("right-one"));
}

#[tokio::test]
async fn garbage_endless_and_bottomless_answers_are_garbage_with_a_name() {
    let manners = [
        Manner::Garbage("<html>404</html>"),
        Manner::Garbage("\u{0}\u{1}{}"),
        Manner::Garbage(""),
        Manner::Garbage("<a><b></a>"),
        Manner::Garbage("<!DOCTYPE a [<!ENTITY b 'bb'>]><a>&b;</a>"),
        Manner::Endless,
        Manner::Deep,
    ];
    for manner in manners {
        let fake = Fake::start(manner).await;
        let error = fake.connect(PATIENCE).await.err().unwrap();
        assert_eq!(error.fault(), CameraFault::Garbage, "{error:?}");
        assert!(error.to_string().contains("clock"), "the step is named: {error}");
    }
}

#[tokio::test]
async fn a_device_that_never_answers_times_out_and_another_is_not_disturbed() {
    let (silent, good) = (Fake::start(Manner::Never).await, Fake::start(Manner::Well).await);
    let (never, well) = tokio::join!(silent.connect(SHORT), good.connect(PATIENCE));
    assert_eq!(never.err().unwrap().fault(), CameraFault::Timeout);
    assert!(well.is_ok());
    let nobody = "http://127.0.0.1:1/onvif/device_service".parse().unwrap();
    let error = Device::connect(&nobody, None, &Trust::System, SHORT).await.err().unwrap();
    assert_eq!(error.fault(), CameraFault::Refused, "{error:?}");
}

#[tokio::test]
async fn a_device_is_listened_to_and_its_faults_are_told_once() {
    let clock: Arc<dyn qorgan_domain::Clock> = Arc::new(qorgan_domain::SystemClock);
    let start = |fake: &Fake| {
        let address = format!("http://127.0.0.1:{}/onvif/device_service", fake.port).parse().unwrap();
        let log_in = Credentials { user: "admin".into(), password: "right-one".into() };
        let retry = (Duration::from_millis(10), Duration::from_millis(50));
        let watched = Watched { retry, patience: PATIENCE, ..Watched::new(address, Some(log_in)) };
        let (sender, said) = tokio::sync::mpsc::channel(8);
        let stop = tokio_util::sync::CancellationToken::new();
        (said, stop.clone(), tokio::spawn(watch(watched, clock.clone(), sender, stop)))
    };
    let good = Fake::start(Manner::Well).await;
    let (mut said, stop, task) = start(&good);
    let mut heard = Vec::new();
    while heard.len() < 4 {
        match said.recv().await.unwrap() {
            Said::Reached { clock_offset_ms } => assert!((clock_offset_ms - AHEAD_MS).abs() <= 1_500),
            Said::Noticed(noticed) => heard.push(noticed.what),
            Said::Fault(fault, detail) => panic!("{fault:?} {detail}"),
        }
    }
    assert_eq!(heard, [What::Motion(true), What::People(12.0), What::Tamper(true), What::Motion(true)]);
    stop.cancel();
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();

    let locked = Fake::start(Manner::Locked).await;
    let (mut said, _stop, _task) = start(&locked);
    let Some(Said::Fault(CameraFault::Unauthorized, detail)) = said.recv().await else { panic!("the log-in is refused") };
    assert!(!detail.contains("right-one"), "{detail}");
    // It is asked again and again, and the same fault is not told again.
    while locked.asked.lock().unwrap().len() < 12 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(said.try_recv().is_err());
}
