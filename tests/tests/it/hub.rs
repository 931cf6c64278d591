//! The whole hub as a process: real footage over RTSP, real buttons over MQTT, the HTTP API as the page uses it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use qorgan_ingest::mqtt::button::{Button, Options as ButtonOptions};
use qorgan_tests::{
    cameras::{CameraServer, Mount},
    hub::{Client, Hub, Options, until},
    paths, sites,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

fn centre() -> Options {
    Options { mode: "centre", ..Options::default() }
}

fn cameras() -> CameraServer {
    let footage = paths::var().join("footage");
    let mounts = [
        Mount::new("campus", footage.join("campus.mp4")),
        Mount::new("gate", footage.join("campus-gate.mp4")),
        Mount::new("fast", footage.join("campus-fast.mp4")),
    ];
    CameraServer::start(0, &mounts, None).unwrap()
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn button(hub: &Hub, device: &str) -> Button {
    let password = hub.mqtt_password(device).unwrap();
    let mut button = Button::connect(ButtonOptions::new(hub.mqtt_url(), device.parse().unwrap(), password)).unwrap();
    button.ready().await.unwrap();
    button
}

fn is_alarm_of(alert: &Value, device: &str) -> bool {
    alert["kind"] == "alarm" && alert["device"] == device
}

async fn act(client: &Client, id: &Value, body: Value) -> (StatusCode, Value) {
    client.post(&format!("/api/v1/alerts/{id}/actions"), &body).await.unwrap()
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
async fn a_pressed_button_arrives_on_the_stream_and_is_claimed_once_dispatched_and_closed() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let lead = hub.log_in("shift_lead").await.unwrap();
    let mut events = duty.stream(None).await.unwrap();
    let press = button(&hub, "school-17/reception").await.press().await.unwrap();
    assert!(press.journal > 0 && !press.repeat);
    let alert = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/reception")).await.expect("no alarm on the stream");
    assert_eq!(
        (alert["state"].as_str(), alert["level"].as_str(), alert["stored"].as_bool()),
        (Some("raised"), Some("critical"), Some(true))
    );
    let id = &alert["id"];

    let (status, claimed) = act(&duty, id, json!({ "action": "claim" })).await;
    assert_eq!((status, claimed["claimed_by"].as_str()), (StatusCode::OK, Some("duty")));
    let (status, refused) = act(&lead, id, json!({ "action": "claim" })).await;
    assert_eq!((status, refused["error"]["code"].as_str()), (StatusCode::CONFLICT, Some("already_claimed")));
    assert_eq!(refused["error"]["claimed_by"], "duty");
    let (status, _) = act(&duty, id, json!({ "action": "dispatch", "unit": "no-such-unit" })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for (action, state) in [("dispatch", "dispatched"), ("accept", "accepted"), ("en_route", "en_route"), ("on_scene", "on_scene")] {
        let (status, alert) =
            act(&duty, id, json!({ "action": action, "unit": if action == "dispatch" { Some("patrol-2") } else { None } })).await;
        assert_eq!((status, alert["state"].as_str()), (StatusCode::OK, Some(state)), "{alert}");
    }
    let (status, answer) = act(&duty, id, json!({ "action": "close", "close_reason": "resolved" })).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("reason_required")));
    let (status, alert) =
        act(&duty, id, json!({ "action": "close", "close_reason": "resolved", "reason": "child found, parents informed" })).await;
    assert_eq!((status, alert["state"].as_str()), (StatusCode::OK, Some("closed")));
    let detail = duty.get(&format!("/api/v1/alerts/{id}")).await.unwrap();
    let lines: Vec<(&str, &str)> =
        detail["transitions"].as_array().unwrap().iter().map(|t| (t["action"].as_str().unwrap(), t["who"].as_str().unwrap())).collect();
    assert_eq!(
        lines,
        [
            ("raise", "system/alarm"),
            ("claim", "duty"),
            ("dispatch", "duty"),
            ("accept", "duty"),
            ("en_route", "duty"),
            ("on_scene", "duty"),
            ("close", "duty")
        ]
    );
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
async fn after_kill_9_in_a_burst_every_alarm_with_a_receipt_is_there_once_and_open() {
    const BUTTONS: usize = 150;
    let dir = tempfile::tempdir().unwrap();
    let config = sites::many_buttons(dir.path(), BUTTONS).unwrap();
    let state = dir.path().join("state");
    let mut hub = Hub::start(&state, Options { config, mqtt: Some(free_port()), ..centre() }).await.unwrap();
    let receipted: Arc<Mutex<BTreeMap<String, (u64, String)>>> = Arc::default();
    let mut buttons = Vec::new();
    for i in 0..BUTTONS {
        let device = format!("school-18/b{i}");
        let password = hub.mqtt_password(&device).unwrap();
        let options = ButtonOptions {
            retry_after: Duration::from_millis(500),
            ..ButtonOptions::new(hub.mqtt_url(), device.parse().unwrap(), password)
        };
        let mut button = Button::connect(options).unwrap();
        button.ready().await.unwrap();
        buttons.push(button);
    }
    let presses: Vec<_> = buttons
        .into_iter()
        .map(|button| {
            let receipted = receipted.clone();
            tokio::spawn(async move {
                let press = button.press().await.unwrap();
                let boot = press.key.boot.clone().unwrap();
                receipted.lock().unwrap().insert(press.key.device.to_string(), (press.key.seq, boot));
            })
        })
        .collect();
    until(PATIENCE, || async { if receipted.lock().unwrap().len() >= BUTTONS / 5 { Ok(()) } else { Err("no receipts".to_owned()) } })
        .await
        .unwrap();
    hub.kill();
    let before: BTreeMap<String, (u64, String)> = receipted.lock().unwrap().clone();
    hub.restart().await.unwrap();
    // Every press that had no receipt is sent again by its button, until it has one.
    for press in presses {
        tokio::time::timeout(PATIENCE, press).await.expect("a button never got its receipt").unwrap();
    }
    let duty = hub.log_in("duty_officer").await.unwrap();
    let receipted = receipted.lock().unwrap().clone();
    until(PATIENCE, || async {
        let open = duty.get("/api/v1/alerts?state=open&limit=500").await.map_err(|e| e.to_string())?;
        let alerts = open["alerts"].as_array().cloned().unwrap_or_default();
        let devices: BTreeSet<&str> = alerts.iter().filter_map(|a| a["device"].as_str()).collect();
        if devices.len() == BUTTONS && alerts.len() == BUTTONS {
            Ok(())
        } else {
            Err(format!("{} alerts of {} devices", alerts.len(), devices.len()))
        }
    })
    .await
    .unwrap();
    let open = duty.get("/api/v1/alerts?state=open&limit=500").await.unwrap();
    for (device, (seq, boot)) in receipted.iter().chain(&before) {
        let of_device: Vec<&Value> = open["alerts"].as_array().unwrap().iter().filter(|a| a["device"] == device.as_str()).collect();
        assert_eq!(of_device.len(), 1, "{device} has {} alerts", of_device.len());
        let alarm = &of_device[0]["alarm"];
        assert_eq!(
            (alarm["seq"].as_u64(), alarm["boot"].as_str(), alarm["presses"].as_u64()),
            (Some(*seq), Some(boot.as_str()), Some(1)),
            "{device}"
        );
        assert_eq!(of_device[0]["state"], "raised");
    }
    assert!(before.len() >= BUTTONS / 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn system_calls_show_the_sync_of_the_journal_before_the_receipt_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace.txt");
    let calls = "trace=fsync,fdatasync,read,recvfrom,write,writev,sendto,sendmsg";
    let wrapper =
        ["strace", "-f", "-yy", "-s", "256", "-e", calls, "-o"].map(str::to_owned).into_iter().chain([trace.display().to_string()]);
    let hub = Hub::start(&dir.path().join("state"), Options { wrapper: wrapper.collect(), ..centre() }).await.unwrap();
    let button = button(&hub, "school-17/reception").await;
    button.press().await.unwrap();
    let text = std::fs::read_to_string(&trace).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let came =
        lines.iter().position(|l| l.contains("TCP") && l.contains("/alarm") && l.contains("seq")).expect("the press is not in the trace");
    let left = lines
        .iter()
        .position(|l| l.contains("TCP") && l.contains("alarm/receipt") && l.contains("journal"))
        .expect("the receipt is not in the trace");
    // A call that another thread's call interrupts is printed in two lines; only its end says that it returned.
    let synced = |line: &&str| {
        let done = line.ends_with("= 0") && (line.contains("fdatasync") || line.contains("fsync"));
        done && (line.contains("journal.db") || line.contains("resumed"))
    };
    let named = lines[came..left].iter().any(|l| l.contains("sync(") && l.contains("journal.db"));
    assert!(
        named && lines[came..left].iter().any(synced),
        "no sync of the journal between press and receipt:\n{}",
        lines[came..=left].join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_mqtt_messages_are_counted_by_reason_and_good_ones_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let counter = "dostyk-square/entrance-counter";
    let password = hub.mqtt_password(counter).unwrap();
    let mqtt = hub.addresses.mqtt.unwrap();
    let mut options = rumqttc::MqttOptions::new(counter, mqtt.ip().to_string(), mqtt.port());
    options.set_credentials(counter, password);
    let (client, mut link) = rumqttc::AsyncClient::new(options, 16);
    let pump = tokio::spawn(async move {
        loop {
            if link.poll().await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    });
    let topic = format!("qorgan/v1/{counter}/count");
    let at = |text: &str| format!("\"at\":\"{text}\"");
    let now = jiff_now();
    for body in [
        "no json".to_owned(),
        format!("{{\"v\":1,{},\"people\":3,\"faces\":[]}}", at(&now)),
        format!("{{\"v\":1,{},\"people\":-1}}", at(&now)),
        format!("{{\"v\":1,{},\"people\":1e9}}", at(&now)),
        format!("{{\"v\":1,{},\"people\":3}}", at("2099-01-01T00:00:00Z")),
        format!("{{\"v\":1,{},\"people\":4}}", at(&now)),
    ] {
        client.publish(&topic, rumqttc::QoS::AtMostOnce, false, body).await.unwrap();
    }
    let admin = hub.log_in("administrator").await.unwrap();
    until(PATIENCE, || async {
        let metrics = admin.text("/metrics").await.map_err(|e| e.to_string())?;
        let missing: Vec<&str> = ["not_json", "bad_shape", "out_of_range", "future"]
            .into_iter()
            .filter(|code| !metrics.lines().any(|l| l.starts_with("qorgan_mqtt_refused_total") && l.contains(code)))
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("not counted: {missing:?}")) }
    })
    .await
    .unwrap();
    // The good count after the bad ones came through on the same connection.
    let camera = until(PATIENCE, || async {
        let list = admin.get("/api/v1/cameras").await.map_err(|e| e.to_string())?;
        let camera = list["cameras"].as_array().unwrap().iter().find(|c| c["id"] == counter).cloned().unwrap_or_default();
        if camera["people"] == 4.0 { Ok(camera) } else { Err(camera.to_string()) }
    })
    .await
    .unwrap();
    assert_eq!((camera["status"].as_str(), camera["source"].as_str()), (Some("live"), Some("foreign")));
    pump.abort();
}

fn jiff_now() -> String {
    use qorgan_domain::{Clock, SystemClock};
    SystemClock.utc().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_opens_once_updates_and_subsides_and_never_reaches_the_police() {
    let dir = tempfile::tempdir().unwrap();
    let demo = std::fs::read_to_string(paths::root().join("configs/demo.toml")).unwrap();
    let root = paths::root();
    let text = demo
        .replace("areas/zhambyl.geojson", &format!("{}/configs/areas/zhambyl.geojson", root.display()))
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
            let body = json!({ "v": 1, "at": jiff_now(), "people": *source.lock().unwrap() });
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
    let demo = std::fs::read_to_string(paths::root().join("configs/demo.toml")).unwrap();
    let root = paths::root();
    let text = demo.replace("areas/zhambyl.geojson", &format!("{}/configs/areas/zhambyl.geojson", root.display())).replace(
        "density = \"csrnet\"",
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
async fn over_tls_the_cookie_is_secure_and_a_button_presses_with_the_hubs_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(sites::many_buttons(dir.path(), 1).unwrap()).unwrap();
    let tls =
        "[http.tls]\nlisten = \"127.0.0.1:0\"\nself_signed = true\n[mqtt.tls]\nlisten = \"127.0.0.1:0\"\nself_signed = true\n[models]";
    let config = dir.path().join("tls.toml");
    std::fs::write(&config, text.replacen("[models]", tls, 1)).unwrap();
    let state = dir.path().join("state");
    let hub = Hub::start(&state, Options { config, own_addresses: true, ..centre() }).await.unwrap();
    let (https, mqtts) = (hub.addresses.https.unwrap(), hub.addresses.mqtts.unwrap());
    assert!(hub.addresses.http.is_none() && hub.addresses.mqtt.is_none(), "nothing listens without TLS");
    let authority = reqwest::Certificate::from_pem(&std::fs::read(state.join("tls/cert.pem")).unwrap()).unwrap();
    qorgan_tests::hub::http_client().unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_built_in_root_certs(false).add_root_certificate(authority).build().unwrap();
    let login = hub.login("duty_officer").unwrap();
    let body = json!({ "user": login.user, "password": login.password });
    let answer = client.post(format!("https://localhost:{}/api/v1/session", https.port())).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; Secure") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let device = format!("{}/b0", sites::SITE);
    let options = ButtonOptions {
        ca: Some(state.join("tls/cert.pem")),
        ..ButtonOptions::new(format!("mqtts://localhost:{}", mqtts.port()), device.parse().unwrap(), hub.mqtt_password(&device).unwrap())
    };
    let mut button = Button::connect(options).unwrap();
    button.ready().await.unwrap();
    assert!(button.press().await.unwrap().journal > 0);
}
