//! What a camera has recorded itself: found, opened under the rule of the live view, and played through the hub.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use qorgan_domain::UtcMs;
use qorgan_tests::{fleet, paths::campus_clip};
use reqwest::StatusCode;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::seeing::{House, YARD};

const HOUR_MS: i64 = 3_600_000;

fn now() -> UtcMs {
    UtcMs(i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap())
}

/// A device of ONVIF's Profile G with recordings `r1` (the yard) and `r2` (another place), both played from this RTSP port.
async fn device(rtsp_port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(async move { serve(socket, rtsp_port).await.ok() });
        }
    });
    port
}

async fn serve(mut socket: TcpStream, rtsp_port: u16) -> std::io::Result<()> {
    let mut inbox = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&inbox).into_owned();
        let length = text.to_lowercase().split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
        let whole = text.find("\r\n\r\n").filter(|head| inbox.len() >= head + 4 + length.unwrap_or(0));
        let Some(head) = whole else {
            if socket.read_buf(&mut inbox).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let answer = answer(&text[head..], rtsp_port);
        inbox.clear();
        let body = format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:tt=\"http://www.onvif.org/ver10/schema\" \
             xmlns:x=\"urn:x\"><s:Body>{answer}</s:Body></s:Envelope>"
        );
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n", body.len());
        socket.write_all((head + &body).as_bytes()).await?;
    }
}

fn answer(question: &str, rtsp_port: u16) -> String {
    let now = now();
    let service = |space: &str| {
        format!(
            "<x:Service><x:Namespace>http://www.onvif.org/{space}/wsdl</x:Namespace><x:XAddr>http://192.0.2.9/onvif/x</x:XAddr>\
             <x:Version><tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></x:Version></x:Service>"
        )
    };
    let recording = |token: &str, name: &str| {
        format!(
            "<tt:RecordingInformation><tt:RecordingToken>{token}</tt:RecordingToken><tt:Source><tt:SourceId>s</tt:SourceId>\
             <tt:Name>{name}</tt:Name></tt:Source><tt:EarliestRecording>{}</tt:EarliestRecording><tt:LatestRecording>{now}</tt:LatestRecording>\
             <tt:Content/><tt:RecordingStatus>Recording</tt:RecordingStatus></tt:RecordingInformation>",
            UtcMs(now.0 - HOUR_MS)
        )
    };
    let asked = |name: &str| question.contains(&format!(":{name}"));
    if asked("GetSystemDateAndTime") {
        let text = now.to_string();
        let n: Vec<u32> = text.split(['-', 'T', ':', '.']).take(6).map(|part| part.parse().unwrap()).collect();
        format!(
            "<x:GetSystemDateAndTimeResponse><x:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:UTCDateTime><tt:Time>\
             <tt:Hour>{}</tt:Hour><tt:Minute>{}</tt:Minute><tt:Second>{}</tt:Second></tt:Time><tt:Date><tt:Year>{}</tt:Year>\
             <tt:Month>{}</tt:Month><tt:Day>{}</tt:Day></tt:Date></tt:UTCDateTime></x:SystemDateAndTime></x:GetSystemDateAndTimeResponse>",
            n[3], n[4], n[5], n[0], n[1], n[2]
        )
    } else if asked("GetServices") {
        format!("<x:GetServicesResponse>{}{}</x:GetServicesResponse>", service("ver10/search"), service("ver10/replay"))
    } else if asked("FindRecordings") {
        "<x:FindRecordingsResponse><x:SearchToken>s1</x:SearchToken></x:FindRecordingsResponse>".into()
    } else if asked("GetRecordingSearchResults") {
        format!(
            "<x:GetRecordingSearchResultsResponse><x:ResultList><tt:SearchState>Completed</tt:SearchState>{}{}</x:ResultList>\
             </x:GetRecordingSearchResultsResponse>",
            recording("r1", "Yard"),
            recording("r2", "Elsewhere")
        )
    } else if asked("GetReplayUri") {
        format!("<x:GetReplayUriResponse><x:Uri>rtsp://192.0.2.9:{rtsp_port}/c0</x:Uri></x:GetReplayUriResponse>")
    } else {
        "<x:EndSearchResponse/>".into()
    }
}

#[tokio::test]
async fn a_recording_of_the_camera_is_found_and_played_from_a_moment_with_people_hidden_and_written_down() {
    let (ready, port) = tokio::sync::oneshot::channel();
    let player = tokio::spawn(async move {
        let _ = fleet::serve(&campus_clip(), 1, 0, 7, false, |port, _| ready.send(port).unwrap()).await;
    });
    let onvif = device(port.await.unwrap()).await;
    let keys = format!("limit = 7\nonvif = {{ address = \"127.0.0.1:{onvif}\", recording = \"Yard\" }} ");
    let house = House::start_with(|text| text.replace("limit = 7 ", &keys)).await;
    let path = format!("/api/v1/cameras/{YARD}/recordings");

    let list = house.duty.get(&path).await.unwrap();
    let all = list["recordings"].as_array().unwrap();
    assert_eq!(all.len(), 1, "the other place is not of this camera: {list}");
    assert_eq!((all[0]["token"].as_str(), all[0]["source"].as_str()), (Some("r1"), Some("Yard")));

    let open = format!("{path}/open");
    let moment = |before_ms: i64| UtcMs(now().0 - before_ms).to_string();
    let (status, _) = house.duty.post(&open, &json!({ "token": "r1", "from": moment(60_000) })).await.unwrap();
    assert_eq!(status, StatusCode::FORBIDDEN, "without a reason");
    let why = |token: &str, from: String| json!({ "token": token, "from": from, "purpose": "a caller spoke of a fall" });
    assert_eq!(house.duty.post(&open, &why("r2", moment(60_000))).await.unwrap().0, StatusCode::NOT_FOUND);
    assert_eq!(house.duty.post(&open, &why("r1", moment(2 * HOUR_MS))).await.unwrap().0, StatusCode::UNPROCESSABLE_ENTITY);

    let (status, opened) = house.duty.post(&open, &why("r1", moment(60_000))).await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{opened}");
    let mut socket = house.socket(&house.duty, opened["id"].as_str().unwrap(), "").await.unwrap();
    assert_eq!(socket.told("pictures").await["why"], "masked", "no alarm is open");
    assert_eq!(&socket.bytes().await[..3], [0xff, 0xd8, 0xff]);
    drop(socket);
    let alarm = house.alarm().await;
    let reason = json!({ "token": "r1", "from": moment(60_000), "alert": alarm });
    let (_, opened) = house.duty.post(&open, &reason).await.unwrap();
    let mut socket = house.socket(&house.duty, opened["id"].as_str().unwrap(), "").await.unwrap();
    socket.told("video").await;
    assert_eq!(&socket.bytes().await[4..8], b"ftyp");
    let old = json!({ "token": "r1", "from": moment(30 * 60_000), "alert": alarm });
    let (_, opened) = house.duty.post(&open, &old).await.unwrap();
    let mut socket = house.socket(&house.duty, opened["id"].as_str().unwrap(), "").await.unwrap();
    assert_eq!(socket.told("pictures").await["why"], "masked", "half an hour before the alarm nobody is shown as they are");

    let written: Vec<String> = house.written().await.into_iter().map(|(action, _)| action).filter(|a| a == "recording.open").collect();
    assert_eq!(written.len(), 3);
    player.abort();
}
