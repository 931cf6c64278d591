//! Pictures for people: live view over a real WebSocket from real footage, the wall, and what the audit log says afterwards.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use futures::StreamExt;
use qorgan_domain::I420;
use qorgan_ingest::camera::file::{Which, frames};
use qorgan_tests::{
    cameras::{CameraServer, Mount},
    hub::{Client, Hub, Options, until},
    paths::{campus_clip, onnxruntime, root},
    sites,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

const LONG: Duration = Duration::from_secs(60);
pub(crate) const YARD: &str = "school-17/yard";

pub(crate) struct House {
    _server: CameraServer,
    hub: Hub,
    pub(crate) duty: Client,
    dir: tempfile::TempDir,
}

impl House {
    async fn start() -> Self {
        Self::start_with(|text| text).await
    }

    /// With the demo's configuration after `change`.
    pub(crate) async fn start_with(change: impl Fn(String) -> String) -> Self {
        let clip = campus_clip();
        let mounts = ["campus", "gate", "fast"].map(|name| Mount::new(name, &clip));
        let server = CameraServer::start(0, &mounts, None).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (root, config) = (root(), dir.path().join("changed.toml"));
        let demo = sites::demo().unwrap();
        let own = format!(
            "[models]\ndir = \"{0}/models\"\nfetched = \"{0}/var/models\"\nruntime = \"{1}\"\n",
            root.display(),
            onnxruntime().display()
        );
        std::fs::write(&config, change(demo.replace("[models]\n", &own))).unwrap();
        let options = Options { config, camera_base: Some(format!("rtsp://127.0.0.1:{}", server.port())), ..Options::default() };
        let hub = Hub::start(&dir.path().join("state"), options).await.unwrap();
        let duty = hub.log_in("duty_officer").await.unwrap();
        let house = Self { _server: server, hub, duty, dir };
        let live = || async {
            let answer = house.duty.get("/api/v1/cameras").await.map_err(|e| e.to_string())?;
            let live = answer["cameras"].as_array().is_some_and(|all| all.iter().any(|c| c["id"] == YARD && c["status"] == "live"));
            if live { Ok(()) } else { Err(answer.to_string()) }
        };
        until(LONG, live).await.unwrap();
        house
    }

    pub(crate) async fn alarm(&self) -> i64 {
        crate::hub::button(&self.hub, "school-17/canteen").await.press().await.unwrap();
        let raised = || async {
            let answer = self.duty.get("/api/v1/alerts?state=open&limit=20").await.map_err(|e| e.to_string())?;
            let alarm =
                answer["alerts"].as_array().and_then(|all| all.iter().find(|a| a["kind"] == "alarm").and_then(|a| a["id"].as_i64()));
            alarm.ok_or_else(|| answer.to_string())
        };
        until(LONG, raised).await.unwrap()
    }

    async fn close(&self, alert: i64) {
        let path = format!("/api/v1/alerts/{alert}/actions");
        self.duty.post(&path, &json!({ "action": "claim" })).await.unwrap();
        let close = json!({ "action": "close", "close_reason": "resolved", "reason": "all calm" });
        assert_eq!(self.duty.post(&path, &close).await.unwrap().0, StatusCode::OK);
    }

    async fn open(&self, why: Value) -> (StatusCode, Value) {
        self.duty.post(&format!("/api/v1/cameras/{YARD}/live"), &why).await.unwrap()
    }

    /// Name and purpose of the audit entries about viewings, oldest first.
    pub(crate) async fn written(&self) -> Vec<(String, String)> {
        let auditor = self.hub.log_in("auditor").await.unwrap();
        let entries = auditor.get("/api/v1/audit?limit=200").await.unwrap();
        let mut lines: Vec<(String, String)> = entries["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| (e["action"].as_str().unwrap().to_owned(), e["purpose"].as_str().unwrap_or_default().to_owned()))
            .filter(|(action, _)| {
                action.starts_with("live.")
                    || action.starts_with("wall.")
                    || action.starts_with("clip.")
                    || action.starts_with("recording.")
            })
            .collect();
        lines.reverse();
        lines
    }

    pub(crate) async fn socket(&self, client: &Client, id: &str, query: &str) -> Result<Socket, u16> {
        let url = format!("{}/api/v1/live/{id}{query}", self.hub.base().replace("http://", "ws://"));
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("cookie", HeaderValue::from_str(client.cookie().unwrap()).unwrap());
        match connect_async(request).await {
            Ok((stream, _)) => Ok(Socket(stream)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// The next message: JSON, or bytes.
    async fn next(&mut self) -> Option<Result<Value, Vec<u8>>> {
        loop {
            match timeout(LONG, self.0.next()).await.expect("a message comes")? {
                Ok(Message::Text(text)) => return Some(Ok(serde_json::from_str(&text).unwrap())),
                Ok(Message::Binary(data)) => return Some(Err(data.to_vec())),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub(crate) async fn told(&mut self, kind: &str) -> Value {
        loop {
            if let Ok(told) = self.next().await.unwrap_or_else(|| panic!("{kind} comes before the end"))
                && told["kind"] == kind
            {
                return told;
            }
        }
    }

    pub(crate) async fn bytes(&mut self) -> Vec<u8> {
        loop {
            if let Err(bytes) = self.next().await.expect("pictures come") {
                return bytes;
            }
        }
    }
}

#[tokio::test]
async fn a_live_view_is_opened_for_a_reason_shown_extended_and_closed_and_all_of_it_is_written_down() {
    let house = House::start().await;
    for nothing in [json!({}), json!({ "purpose": "short" }), json!({ "alert": 4711 })] {
        let (status, body) = house.open(nothing).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::FORBIDDEN, &json!("purpose_required")));
    }
    let (status, opened) = house.open(json!({ "purpose": "smoke reported by a caller" })).await;
    assert_eq!((status, &opened["term_s"]), (StatusCode::CREATED, &json!(900)));
    let id = opened["id"].as_str().unwrap().to_owned();

    let lead = house.hub.log_in("shift_lead").await.unwrap();
    assert_eq!(house.socket(&lead, &id, "").await.err(), Some(404), "a viewing is its own session's");

    let mut socket = house.socket(&house.duty, &id, "").await.unwrap();
    let video = socket.told("video").await;
    assert_eq!((&video["width"], &video["height"]), (&json!(768), &json!(576)));
    assert!(video["mime"].as_str().unwrap().starts_with("video/mp4; codecs=\"avc1."));
    let mut played = socket.bytes().await;
    assert_eq!(&played[4..8], b"ftyp");
    for _ in 0..25 {
        let fragment = socket.bytes().await;
        assert_eq!(&fragment[4..8], b"moof");
        played.extend(fragment);
    }
    // What a browser would play decodes as well elsewhere, picture for picture.
    let file = house.dir.path().join("played.mp4");
    std::fs::write(&file, &played).unwrap();
    let decoded: Vec<I420> = frames(&file, Which::All).unwrap().map(|frame| frame.unwrap().1).collect();
    assert_eq!(decoded.len(), 25);
    assert!(decoded.iter().all(|picture| (picture.width, picture.height) == (768, 576)));
    assert_eq!(house.socket(&house.duty, &id, "").await.err(), Some(409), "one socket at a time");

    let extended: Value =
        house.duty.request(Method::POST, &format!("/api/v1/live/{id}/extend")).send().await.unwrap().json().await.unwrap();
    assert!(extended["until"].as_str().unwrap() > opened["until"].as_str().unwrap());
    assert_eq!(socket.told("until").await["until"], extended["until"]);

    let closed = house.duty.request(Method::DELETE, &format!("/api/v1/live/{id}")).send().await.unwrap();
    assert_eq!(closed.status(), StatusCode::NO_CONTENT);
    assert_eq!(socket.told("end").await["why"], "closed");
    assert_eq!(house.socket(&house.duty, &id, "").await.err(), Some(404));
    let written = house.written().await;
    let actions: Vec<&str> = written.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["live.open", "live.extend", "live.end"]);
    assert!(written.iter().all(|(_, purpose)| purpose.starts_with("smoke reported by a caller")), "{written:?}");
    assert!(written[2].1.contains("closed, after"));
}

#[tokio::test]
async fn a_live_view_ends_with_the_incident_that_opened_it_unless_a_purpose_stands() {
    let house = House::start().await;
    let (_, incident) = house.duty.post("/api/v1/incidents", &json!({ "site": "school-17", "text": "a fight in the yard" })).await.unwrap();
    let alert = incident["id"].as_i64().unwrap();
    let (status, by_alert) = house.open(json!({ "alert": alert })).await;
    assert_eq!((status, &by_alert["alert"]), (StatusCode::CREATED, &json!(alert)));
    let (_, by_words) = house.open(json!({ "alert": alert, "purpose": "smoke reported by a caller" })).await;
    let mut first = house.socket(&house.duty, by_alert["id"].as_str().unwrap(), "").await.unwrap();
    let mut second = house.socket(&house.duty, by_words["id"].as_str().unwrap(), "?pictures=true").await.unwrap();
    first.told("video").await;
    assert_eq!(second.told("pictures").await["why"], "codec");
    assert_eq!(&second.bytes().await[..3], [0xff, 0xd8, 0xff], "a whole JPEG");

    let path = format!("/api/v1/alerts/{alert}/actions");
    if incident["state"] == "raised" {
        house.duty.post(&path, &json!({ "action": "claim" })).await.unwrap();
    }
    let close = json!({ "action": "close", "close_reason": "resolved", "reason": "all calm" });
    assert_eq!(house.duty.post(&path, &close).await.unwrap().0, StatusCode::OK);
    assert_eq!(first.told("end").await["why"], "alert_closed");
    second.bytes().await;

    // The session ends: so does what it looks at.
    house.duty.request(Method::DELETE, "/api/v1/session").send().await.unwrap();
    assert_eq!(second.told("end").await["why"], "session_ended");
    let ends: Vec<String> = house.written().await.into_iter().filter(|(action, _)| action == "live.end").map(|(_, why)| why).collect();
    assert!(ends[0].contains("alert_closed") && ends[1].contains("session_ended"), "{ends:?}");
}

#[tokio::test]
async fn the_wall_shows_small_masked_pictures_without_a_purpose_and_is_written_down_once() {
    let house = House::start().await;
    let path = format!("/api/v1/wall/{YARD}");
    let mut seen = String::new();
    for round in 0..2 {
        let response = house.duty.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "round {round}: {}", house.hub.log());
        seen = response.headers()["x-qorgan-picture"].to_str().unwrap().to_owned();
        let picture = image::load_from_memory(&response.bytes().await.unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (480, 360), "768x576, reduced");
    }
    let again = house.duty.request(Method::GET, &format!("{path}?seen={seen}")).send().await.unwrap();
    assert!([StatusCode::NO_CONTENT, StatusCode::OK].contains(&again.status()));
    assert_eq!(house.written().await.iter().map(|(action, _)| action.as_str()).collect::<Vec<_>>(), ["wall.open"]);
    let police = house.hub.log_in("police_desk").await.unwrap();
    assert_eq!(police.request(Method::GET, &path).send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_privacy_mask_is_burned_in_whatever_is_shown_and_a_masked_camera_is_never_passed_through() {
    let masks = "limit = 7\nmask = [{ polygon = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]] }]";
    let house = House::start_with(|text| text.replace("limit = 7 ", &format!("{masks} "))).await;
    let left_half_is_black = |jpeg: &[u8]| {
        let picture = image::load_from_memory(jpeg).unwrap().to_rgb8();
        let (width, height) = picture.dimensions();
        let brightest = |from: u32, to: u32| {
            (from..to).flat_map(|x| (0..height).map(move |y| (x, y))).map(|(x, y)| picture.get_pixel(x, y)[1]).max().unwrap()
        };
        assert!(brightest(0, width / 2 - 12) < 24, "the left half is black");
        assert!(brightest(width / 2 + 12, width) > 100, "the right half is not");
    };
    let (_, opened) = house.open(json!({ "purpose": "smoke reported by a caller" })).await;
    let mut socket = house.socket(&house.duty, opened["id"].as_str().unwrap(), "").await.unwrap();
    assert_eq!(socket.told("pictures").await["why"], "privacy_masks");
    left_half_is_black(&socket.bytes().await);
    let wall = house.duty.request(Method::GET, &format!("/api/v1/wall/{YARD}")).send().await.unwrap();
    left_half_is_black(&wall.bytes().await.unwrap());
    let alarm = house.alarm().await;
    let still =
        house.duty.request(Method::POST, &format!("/api/v1/cameras/{YARD}/still")).json(&json!({ "alert": alarm })).send().await.unwrap();
    assert_eq!(still.headers()["x-qorgan-masked"], "false", "an alarm lifts what hides people, not the privacy mask");
    left_half_is_black(&still.bytes().await.unwrap());
}

#[tokio::test]
async fn an_alarm_leaves_a_clip_of_cameras_that_opted_in_which_is_shown_raw_only_while_it_is_open() {
    let house =
        House::start_with(|text| text.replace("limit = 7 ", "limit = 7\nclip = { before_s = 3, after_s = 5, keep_days = 1 } ")).await;
    // The ring needs its first seconds.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let alarm = house.alarm().await;
    let grown = || async {
        let list = house.duty.get(&format!("/api/v1/clips?alert={alarm}")).await.map_err(|e| e.to_string())?;
        let clips = list["clips"].as_array().cloned().unwrap_or_default();
        let long = |clip: &Value| {
            let at = |name: &str| clip[name].as_str().and_then(|t| t.parse::<qorgan_domain::UtcMs>().ok()).map_or(0, |t| t.0);
            at("to") - at("from") >= 6_000
        };
        if clips.len() == 1 && long(&clips[0]) { Ok(clips[0].clone()) } else { Err(list.to_string()) }
    };
    let clip = until(LONG, grown).await.unwrap();
    assert_eq!(clip["camera"], YARD, "the other cameras did not opt in");
    let path = format!("/api/v1/clips/{alarm}/{YARD}/open");
    let (status, _) = house.duty.post(&path, &json!({})).await.unwrap();
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (_, opened) = house.duty.post(&path, &json!({ "alert": alarm })).await.unwrap();
    let mut raw = house.socket(&house.duty, opened["id"].as_str().unwrap(), "").await.unwrap();
    raw.told("video").await;
    assert_eq!(&raw.bytes().await[4..8], b"ftyp");
    house.close(alarm).await;
    let (_, opened) = house.duty.post(&path, &json!({ "purpose": "report about the alarm" })).await.unwrap();
    let mut masked = house.socket(&house.duty, opened["id"].as_str().unwrap(), "").await.unwrap();
    assert_eq!(masked.told("pictures").await["why"], "masked", "never raw once the alarm is closed");
    assert_eq!(&masked.bytes().await[..3], [0xff, 0xd8, 0xff]);
    assert_eq!(masked.told("end").await["why"], "finished");
    let actions: Vec<String> = house.written().await.into_iter().map(|(action, _)| action).collect();
    assert!(actions.contains(&"clip.keep".to_owned()) && actions.iter().filter(|a| *a == "clip.open").count() == 2, "{actions:?}");
}
