//! The whole hub as a process: real footage over RTSP, crowds, screens, edge boxes, backup; the HTTP API as the page uses it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use qorgan_domain::{Clock, SystemClock};
use qorgan_ingest::mqtt::button::{Button, Options as ButtonOptions};
use qorgan_tests::{
    cameras::{CameraServer, Mount},
    hub::{Client, Hub, Options, until},
    paths, sites,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn centre() -> Options {
    Options { mode: "centre", ..Options::default() }
}

pub(crate) fn cameras() -> CameraServer {
    let footage = paths::var().join("footage");
    let mounts = [
        Mount::new("campus", footage.join("campus.mp4")),
        Mount::new("gate", footage.join("campus-gate.mp4")),
        Mount::new("fast", footage.join("campus-fast.mp4")),
    ];
    CameraServer::start(0, &mounts, None).unwrap()
}

pub(crate) async fn button(hub: &Hub, device: &str) -> Button {
    let password = hub.mqtt_password(device).unwrap();
    let mut button = Button::connect(ButtonOptions::new(hub.mqtt_url(), device.parse().unwrap(), password)).unwrap();
    button.ready().await.unwrap();
    button
}

pub(crate) fn is_alarm_of(alert: &Value, device: &str) -> bool {
    alert["kind"] == "alarm" && alert["device"] == device
}

pub(crate) async fn act(client: &Client, id: &Value, body: Value) -> (StatusCode, Value) {
    client.post(&format!("/api/v1/alerts/{id}/actions"), &body).await.unwrap()
}

pub(crate) fn rfc3339_now() -> String {
    SystemClock.utc().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_camera_delivers_plausible_counts_from_real_footage_over_rtsp() {
    let (server, dir) = (cameras(), tempfile::tempdir().unwrap());
    let base = format!("rtsp://127.0.0.1:{}", server.port());
    let hub = Hub::start(dir.path(), Options { camera_base: Some(base), ..Options::default() }).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let own = ["school-17/yard", "school-17/gate", "dostyk-square/north"];
    let seen = until(PATIENCE, || async {
        let list = duty.get("/api/v1/cameras").await.map_err(|e| e.to_string())?;
        let cameras = list["cameras"].as_array().cloned().unwrap_or_default();
        let live: Vec<Value> = cameras
            .iter()
            .filter(|c| own.contains(&c["id"].as_str().unwrap_or("")) && c["status"] == "live" && c["people"].is_number())
            .cloned()
            .collect();
        if live.len() == own.len() { Ok(live) } else { Err(format!("not every camera is live: {list}\n{}", hub.log())) }
    })
    .await
    .unwrap();
    for camera in &seen {
        let number = |name: &str| camera[name].as_f64().unwrap();
        let (low, people, high) = (number("low"), number("people"), number("high"));
        // The clip shows 2 to 9 people; a crop of it fewer.
        assert!((0.0..=14.0).contains(&people) && low <= people && people <= high, "{camera}");
        assert_eq!(camera["codec"], "h264");
    }
    let yard = seen.iter().find(|c| c["id"] == "school-17/yard").unwrap();
    assert!(yard["people"].as_f64().unwrap() >= 1.0, "the campus path is never empty: {yard}");
    // The counts are kept, and a still is given only with a purpose, masked, and written down.
    until(PATIENCE, || async {
        let counts = duty.get("/api/v1/cameras/school-17/yard/counts?minutes=5").await.map_err(|e| e.to_string())?;
        if counts["points"].as_array().is_some_and(|p| !p.is_empty()) { Ok(()) } else { Err("no counts in the store".to_owned()) }
    })
    .await
    .unwrap();
    let still =
        duty.request(Method::POST, "/api/v1/cameras/school-17/yard/still").json(&json!({ "purpose": "end-to-end test of the still" }));
    let still = still.send().await.unwrap();
    assert_eq!(still.status(), StatusCode::OK);
    assert_eq!(still.headers()["x-qorgan-masked"], "true");
    assert_eq!(still.headers()["cache-control"], "no-store");
    let picture = image::load_from_memory(&still.bytes().await.unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (768, 576));
    let auditor = hub.log_in("auditor").await.unwrap();
    let audit = auditor.get("/api/v1/audit?limit=20").await.unwrap();
    let line = audit["entries"].as_array().unwrap().iter().find(|e| e["action"] == "still.open").unwrap().clone();
    assert_eq!(
        (line["purpose"].as_str(), line["subject"].as_str()),
        (Some("end-to-end test of the still"), Some("camera/school-17/yard masked"))
    );
    assert_eq!(duty.get("/api/v1/public").await.unwrap()["video_opened_30d"], 1);
    assert_eq!(auditor.get("/api/v1/audit/verify").await.unwrap()["ok"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_away_goes_on_from_its_cursor_and_after_a_restart_gets_a_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let mut hub = Hub::start(dir.path(), centre()).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let snapshot = duty.stream(None).await.unwrap().next().await.unwrap();
    assert_eq!(snapshot.name, "snapshot");
    let cursor = snapshot.data["cursor"].as_str().unwrap().to_owned();
    button(&hub, "school-17/canteen").await.press().await.unwrap();
    let mut again = duty.stream(Some(&cursor)).await.unwrap();
    let first = again.next().await.unwrap();
    assert_eq!(first.name, "changes", "a cursor the ring still holds needs no snapshot");
    let at_once = first.data["changes"].as_array().unwrap().iter().any(|c| is_alarm_of(&c["alert"], "school-17/canteen"));
    assert!(at_once || again.alert(PATIENCE, |a| is_alarm_of(a, "school-17/canteen")).await.is_some());
    assert!(hub.end().is_some_and(|status| status.success()), "{}", hub.log());
    hub.restart().await.unwrap();
    // The session outlives the restart; the address is another one, so log in anew there.
    let duty = hub.log_in("duty_officer").await.unwrap();
    let event = duty.stream(Some(&cursor)).await.unwrap().next().await.unwrap();
    assert_eq!(event.name, "snapshot", "a cursor from before a restart must not be trusted");
    assert!(event.data["alerts"].as_array().unwrap().iter().any(|a| is_alarm_of(a, "school-17/canteen")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_opens_once_updates_and_subsides_and_never_reaches_the_police() {
    let dir = tempfile::tempdir().unwrap();
    let text = sites::demo()
        .unwrap()
        .replace("open_after_s = 20", "open_after_s = 1")
        .replace("close_after_s = 60", "close_after_s = 1")
        .replace("name = { kk = \"Кіреберістегі санауыш\"", "limit = 25\nname = { kk = \"Кіреберістегі санауыш\"");
    let config = dir.path().join("quick.toml");
    std::fs::write(&config, text).unwrap();
    let hub = Hub::start(&dir.path().join("state"), Options { config, ..centre() }).await.unwrap();
    let (duty, police) = (hub.log_in("duty_officer").await.unwrap(), hub.log_in("police_desk").await.unwrap());
    let counter = "dostyk-square/entrance-counter";
    let mqtt = hub.addresses.mqtt.unwrap();
    let mut options = rumqttc::MqttOptions::new(counter, mqtt.ip().to_string(), mqtt.port());
    options.set_credentials(counter, hub.mqtt_password(counter).unwrap());
    let (client, mut link) = rumqttc::AsyncClient::new(options, 16);
    let pump = tokio::spawn(async move { while link.poll().await.is_ok() {} });
    let people = Arc::new(Mutex::new(60.0f32));
    let source = people.clone();
    let counts = tokio::spawn(async move {
        loop {
            let body = json!({ "v": 1, "at": rfc3339_now(), "people": *source.lock().unwrap() });
            let _ = client.publish(format!("qorgan/v1/{counter}/count"), rumqttc::QoS::AtMostOnce, false, body.to_string()).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let open = || async {
        let list = duty.get("/api/v1/alerts?state=open").await.map_err(|e| e.to_string())?;
        Ok::<Vec<Value>, String>(list["alerts"].as_array().cloned().unwrap_or_default())
    };
    let alert = until(PATIENCE, || async { open().await?.into_iter().next().ok_or_else(|| "no crowd alert".to_owned()) }).await.unwrap();
    assert_eq!((alert["kind"].as_str(), alert["level"].as_str()), (Some("crowd"), Some("watch")), "{alert}");
    *people.lock().unwrap() = 90.0;
    let alert = until(PATIENCE, || async {
        let alerts = open().await?;
        if alerts.len() == 1 && alerts[0]["crowd"]["peak"] == 90.0 { Ok(alerts[0].clone()) } else { Err(format!("{alerts:?}")) }
    })
    .await
    .unwrap();
    // Below the safety limits it does not exist for the police desk, and goes to no unit.
    assert_eq!(police.get("/api/v1/alerts?state=open").await.unwrap()["alerts"], json!([]));
    let one = police.request(Method::GET, &format!("/api/v1/alerts/{}", alert["id"])).send().await.unwrap();
    assert_eq!(one.status(), StatusCode::NOT_FOUND);
    let (status, answer) = act(&duty, &alert["id"], json!({ "action": "claim" })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, answer) = act(&duty, &alert["id"], json!({ "action": "dispatch", "unit": "patrol-2" })).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("not_dispatchable")));
    let (status, answer) = act(&duty, &alert["id"], json!({ "action": "release", "reason": "only watching" })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    *people.lock().unwrap() = 2.0;
    let closed = until(PATIENCE, || async {
        let list = duty.get("/api/v1/alerts?state=closed").await.map_err(|e| e.to_string())?;
        list["alerts"].as_array().and_then(|a| a.first().cloned()).ok_or_else(|| "still open".to_owned())
    })
    .await
    .unwrap();
    assert_eq!((closed["id"].clone(), closed["close_reason"].as_str()), (alert["id"].clone(), Some("subsided")));
    counts.abort();
    pump.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_opened_by_hand_has_a_name_on_it_and_the_police_desk_sees_it() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let (status, incident) =
        duty.post("/api/v1/incidents", &json!({ "site": "school-17", "text": "fight at the gate, reported by phone" })).await.unwrap();
    assert_eq!(
        (status, incident["kind"].as_str(), incident["incident"]["opened_by"].as_str()),
        (StatusCode::CREATED, Some("incident"), Some("duty"))
    );
    let police = hub.log_in("police_desk").await.unwrap();
    assert_eq!(
        police.get("/api/v1/alerts?state=open").await.unwrap()["alerts"].as_array().unwrap().len(),
        1,
        "what a named person opened, the police desk sees"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_model_is_an_error_at_start_that_names_model_file_and_both_hashes() {
    let dir = tempfile::tempdir().unwrap();
    let models = dir.path().join("models");
    std::fs::create_dir(&models).unwrap();
    let name = "nanodet-g-416";
    std::fs::copy(paths::root().join(format!("models/{name}.toml")), models.join(format!("{name}.toml"))).unwrap();
    let mut weights = std::fs::read(paths::root().join(format!("models/{name}.onnx"))).unwrap();
    let middle = weights.len() / 2;
    weights[middle] ^= 0xff;
    std::fs::write(models.join(format!("{name}.onnx")), weights).unwrap();
    let text = sites::demo().unwrap().replace("detector = \"nanodet-g-416-int8\"", &format!("detector = \"{name}\"")).replace(
        "density = \"csrnet-int8\"",
        &format!("density = \"off\"\ndir = \"{}\"\nruntime = \"{}\"", models.display(), paths::onnxruntime().display()),
    );
    let config = dir.path().join("broken.toml");
    std::fs::write(&config, text).unwrap();
    let error = match Hub::start(&dir.path().join("state"), Options { config, ..Options::default() }).await {
        Ok(_) => panic!("the hub started with a broken model"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains(name) && error.contains("sha256") && error.contains(&format!("{name}.onnx")), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hubs_never_share_a_state_directory() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Hub::start(dir.path(), centre()).await.unwrap();
    // The second start would remove the addresses file of the first; it uses its own folder name for that.
    let second = Hub::start(dir.path(), centre()).await;
    assert!(second.is_err_and(|e| e.to_string().contains("another hub uses the state directory")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_box_counts_for_a_centre_that_has_no_cameras() {
    let (server, dir) = (cameras(), tempfile::tempdir().unwrap());
    let config = sites::many_cameras(dir.path(), 2, &server.urls()).unwrap();
    let hub = Hub::start(&dir.path().join("state"), Options { config: config.clone(), ..centre() }).await.unwrap();
    let site = format!("edge/{}", sites::SITE);
    std::fs::write(dir.path().join("edge-password"), hub.mqtt_password(&site).unwrap()).unwrap();
    let link = format!("[mqtt]\nurl = \"{}\"\nuser = \"{site}\"\npassword_file = \"edge-password\"\n[models]", hub.mqtt_url());
    let text = std::fs::read_to_string(config).unwrap().replacen("[models]", &link, 1);
    std::fs::write(dir.path().join("edge.toml"), text).unwrap();
    let mut edge = std::process::Command::new(qorgan_tests::hub::program());
    edge.arg("edge").arg("--config").arg(dir.path().join("edge.toml")).arg("--state-dir").arg(dir.path().join("edge-state"));
    let log = std::fs::File::create(dir.path().join("edge.log")).unwrap();
    let mut edge = edge.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let counted = until(PATIENCE, || async {
        let list = duty.get("/api/v1/cameras").await.map_err(|e| e.to_string())?;
        let all = list["cameras"].as_array().unwrap().iter().all(|c| c["status"] == "live" && c["people"].is_number());
        if all { Ok(list) } else { Err(format!("{list}\n{}", std::fs::read_to_string(dir.path().join("edge.log")).unwrap_or_default())) }
    })
    .await;
    edge.kill().unwrap();
    edge.wait().unwrap();
    assert_eq!(counted.unwrap()["cameras"][0]["source"], "foreign");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_hub_restores_alarms_accounts_and_audit() {
    let dir = tempfile::tempdir().unwrap();
    let (state, copy, restored) = (dir.path().join("state"), dir.path().join("copy"), dir.path().join("restored"));
    let mut hub = Hub::start(&state, centre()).await.unwrap();
    button(&hub, "school-17/reception").await.press().await.unwrap();
    let command = |state: &std::path::Path, args: &[&str]| {
        let demo = paths::root().join("configs/demo.toml");
        let mut command = std::process::Command::new(qorgan_tests::hub::program());
        let out = command.args(args).arg("--config").arg(demo).arg("--state-dir").arg(state).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    };
    let duty = hub.log_in("duty_officer").await.unwrap();
    until(PATIENCE, || async {
        let open = duty.get("/api/v1/alerts?state=open").await.map_err(|e| e.to_string())?;
        if open["alerts"].as_array().is_some_and(|a| a.len() == 1) { Ok(()) } else { Err("the alarm is not in the store".to_owned()) }
    })
    .await
    .unwrap();
    command(&state, &["backup", "--to", copy.to_str().unwrap()]);
    hub.kill();
    command(&restored, &["restore", "--from", copy.to_str().unwrap()]);
    let hub = Hub::start(&restored, centre()).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let open = duty.get("/api/v1/alerts?state=open").await.unwrap();
    assert_eq!(open["alerts"].as_array().unwrap().len(), 1, "{open}");
    assert_eq!(hub.log_in("auditor").await.unwrap().get("/api/v1/audit/verify").await.unwrap()["ok"], true);
}
