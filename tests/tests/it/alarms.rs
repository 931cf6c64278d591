//! The alarm path of the whole hub: real buttons over MQTT, receipts, kill -9, system calls, TLS, bad messages.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use qorgan_ingest::mqtt::button::{Button, Options as ButtonOptions};
use qorgan_tests::{
    hub::{Hub, Options, until},
    sites,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::hub::{PATIENCE, act, button, centre, is_alarm_of, rfc3339_now};

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
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
    // The hub notes when the order has left, which may be a moment later than the next act.
    let lines: Vec<(&str, &str)> = lines.into_iter().filter(|(action, _)| *action != "sent").collect();
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
    let now = rfc3339_now();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_an_alarm_goes_the_same_way() {
    let dir = tempfile::tempdir().unwrap();
    let postgres = qorgan_tests::postgres::Postgres::start().await.unwrap();
    let store = Some(postgres.database().await.unwrap());
    let hub = Hub::start(dir.path(), Options { store, ..centre() }).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let mut events = duty.stream(None).await.unwrap();
    button(&hub, "school-17/reception").await.press().await.unwrap();
    let alert = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/reception")).await.expect("no alarm on the stream");
    let (status, closed) = act(&duty, &alert["id"], json!({ "action": "claim" })).await;
    assert_eq!((status, closed["state"].as_str()), (StatusCode::OK, Some("claimed")));
    let detail = duty.get(&format!("/api/v1/alerts/{}", alert["id"])).await.unwrap();
    assert_eq!(detail["transitions"].as_array().unwrap().len(), 2);
}
