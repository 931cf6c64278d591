//! Dispatch from end to end: units and outside systems over MQTT, the nearest unit, an order and every receipt of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use qorgan_domain::{Clock, SystemClock};
use qorgan_tests::hub::{Client, Hub, until};
use reqwest::StatusCode;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::hub::{PATIENCE, act, button, centre, is_alarm_of, rfc3339_now};

/// What a unit's or a source's device sees.
#[derive(Debug)]
enum Seen {
    Ready,
    Acked,
    Message(Value),
    /// Cut off: what it wrote was not its to write.
    Closed,
}

/// A unit's or a source's own device.
struct Device {
    client: AsyncClient,
    seen: mpsc::UnboundedReceiver<Seen>,
    task: tokio::task::JoinHandle<()>,
}

impl Device {
    async fn connect(hub: &Hub, user: &str) -> Self {
        let addr = hub.addresses.mqtt.unwrap();
        let mut options = MqttOptions::new(user, addr.ip().to_string(), addr.port());
        options.set_credentials(user, hub.mqtt_password(user).unwrap()).set_keep_alive(Duration::from_secs(30));
        let (client, mut events) = AsyncClient::new(options, 64);
        let (tx, seen) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                let what = match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_) | Packet::SubAck(_))) => Seen::Ready,
                    Ok(Event::Incoming(Packet::PubAck(_))) => Seen::Acked,
                    Ok(Event::Incoming(Packet::Publish(p))) => Seen::Message(serde_json::from_slice(&p.payload).unwrap_or(Value::Null)),
                    Ok(_) => continue,
                    Err(_) => {
                        let _ = tx.send(Seen::Closed);
                        return;
                    }
                };
                let _ = tx.send(what);
            }
        });
        let mut device = Self { client, seen, task };
        assert!(matches!(device.next().await, Seen::Ready), "{user} was not let in");
        device
    }

    async fn next(&mut self) -> Seen {
        tokio::time::timeout(PATIENCE, self.seen.recv()).await.expect("the broker is silent").unwrap_or(Seen::Closed)
    }

    async fn message(&mut self) -> Value {
        loop {
            match self.next().await {
                Seen::Message(message) => return message,
                Seen::Closed => panic!("cut off"),
                Seen::Ready | Seen::Acked => {}
            }
        }
    }

    async fn orders(&mut self, unit: &str) {
        self.client.subscribe(format!("qorgan/v1/unit/{unit}/order"), QoS::AtLeastOnce).await.unwrap();
    }

    async fn send(&self, topic: &str, payload: Value) {
        self.client.publish(format!("qorgan/v1/{topic}"), QoS::AtLeastOnce, false, payload.to_string()).await.unwrap();
    }

    /// Whether the broker took it.
    async fn is_taken(&mut self, topic: &str, payload: Value) -> bool {
        self.send(topic, payload).await;
        loop {
            match self.next().await {
                Seen::Acked => return true,
                Seen::Closed => return false,
                Seen::Ready | Seen::Message(_) => {}
            }
        }
    }

    async fn is_at(&mut self, unit: &str, lat: f64, lon: f64, age: Duration) -> bool {
        let at = (SystemClock.utc() - age).to_string();
        self.is_taken(&format!("unit/{unit}/position"), json!({ "v": 1, "at": at, "lat": lat, "lon": lon })).await
    }

    async fn answer(&self, unit: &str, alert: &Value, status: &str) {
        self.send(&format!("unit/{unit}/order/receipt"), json!({ "v": 1, "alert": alert, "status": status })).await;
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn alert_where(client: &Client, id: &Value, fits: impl Fn(&Value) -> bool) -> Value {
    until(PATIENCE, || async {
        let detail = client.get(&format!("/api/v1/alerts/{id}")).await.map_err(|e| e.to_string())?;
        let alert = detail["alert"].clone();
        if fits(&alert) { Ok(alert) } else { Err(format!("{alert}")) }
    })
    .await
    .unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|unit| unit["id"].as_str().unwrap()).collect()
}

fn unit_of<'a>(list: &'a Value, id: &str) -> &'a Value {
    list["units"].as_array().unwrap().iter().find(|unit| unit["id"] == id).unwrap()
}

/// The demonstration's school is at [42.9021, 71.3782].
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nearest_unit_is_ordered_over_mqtt_and_every_hop_has_its_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let mut events = duty.stream(None).await.unwrap();
    let snapshot = events.next().await.unwrap();
    assert_eq!(ids(&snapshot.data["units"]), ["patrol-2", "patrol-5", "ambulance-1", "city-service"]);
    let (mut near, mut far) = (Device::connect(&hub, "unit/patrol-5").await, Device::connect(&hub, "unit/patrol-2").await);
    let mut old = Device::connect(&hub, "unit/ambulance-1").await;
    assert!(near.is_at("patrol-5", 42.9030, 71.3790, Duration::from_secs(20)).await);
    assert!(far.is_at("patrol-2", 42.9300, 71.3900, Duration::ZERO).await);
    assert!(old.is_at("ambulance-1", 42.9021, 71.3782, Duration::from_secs(301)).await);
    // A late one changes nothing, and so does one that another unit writes.
    assert!(near.is_at("patrol-5", 42.99, 71.50, Duration::from_secs(60)).await);
    let moved = tokio::time::timeout(PATIENCE, async {
        loop {
            let event = events.next().await.unwrap();
            let unit = event.data["changes"].as_array().into_iter().flatten().find(|c| c["unit"]["id"] == "patrol-5");
            if let Some(change) = unit {
                return change["unit"].clone();
            }
        }
    })
    .await
    .expect("no unit on the stream");
    assert_eq!((moved["fresh"].as_bool(), moved["position"][0].as_f64()), (Some(true), Some(42.903)));

    button(&hub, "school-17/reception").await.press().await.unwrap();
    let alert = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/reception")).await.expect("no alarm on the stream");
    let id = &alert["id"];
    let list = duty.get(&format!("/api/v1/alerts/{id}/units")).await.unwrap();
    assert_eq!((ids(&list["offered"]), list["straight_line"].as_bool()), (vec!["patrol-5", "patrol-2"], Some(true)), "{list}");
    let metres = list["offered"][0]["distance_m"].as_f64().unwrap();
    assert!((100.0..140.0).contains(&metres), "{list}");
    // The territory's own patrol is marked, not moved.
    assert_eq!((&list["offered"][0]["responsible"], &list["offered"][1]["responsible"]), (&json!(false), &json!(true)));
    let why: Vec<(&str, &str)> =
        list["not_offered"].as_array().unwrap().iter().map(|unit| (unit["id"].as_str().unwrap(), unit["why"].as_str().unwrap())).collect();
    assert_eq!(why, [("ambulance-1", "old_position"), ("city-service", "no_position")]);

    near.orders("patrol-5").await;
    assert_eq!(act(&duty, id, json!({ "action": "claim" })).await.0, StatusCode::OK);
    let order = json!({ "action": "dispatch", "unit": "patrol-5", "reason": "side door, ask for the guard" });
    assert_eq!(act(&duty, id, order).await.0, StatusCode::OK);
    let order = near.message().await;
    assert_eq!(
        (&order["alert"], &order["kind"], &order["drill"], &order["note"]),
        (id, &json!("alarm"), &json!(false), &json!("side door, ask for the guard"))
    );
    assert_eq!(order["place"], "№ 17 мектеп · Қабылдау бөлмесі", "in the hub's language");
    alert_where(&duty, id, |a| a["progress"]["sent_at"].is_string()).await;
    for (status, field) in [("delivered", "delivered_at"), ("seen", "seen_at"), ("accepted", "accepted_at")] {
        near.answer("patrol-5", id, status).await;
        alert_where(&duty, id, |a| a["progress"][field].is_string()).await;
    }
    // Nobody answers for another unit: the broker cuts it off, and the order stands.
    let decline = json!({ "v": 1, "alert": id, "status": "declined", "reason": "not us" });
    assert!(!far.is_taken("unit/patrol-5/order/receipt", decline).await, "patrol 2 answered for patrol 5");
    let busy = duty.get("/api/v1/units/live").await.unwrap();
    assert_eq!(unit_of(&busy, "patrol-5")["busy_with"], *id);
    for status in ["en_route", "on_scene", "done"] {
        near.answer("patrol-5", id, status).await;
    }
    let done = alert_where(&duty, id, |a| a["progress"]["done_at"].is_string()).await;
    assert_eq!((done["state"].as_str(), done["unit"].as_str()), (Some("on_scene"), Some("patrol-5")));
    assert_eq!(near.message().await, Value::Null, "no order stands any more");
    assert_eq!(unit_of(&duty.get("/api/v1/units/live").await.unwrap(), "patrol-5")["busy_with"], Value::Null);

    let auditor = hub.log_in("auditor").await.unwrap();
    let audit = auditor.get("/api/v1/audit?limit=50").await.unwrap();
    let by_unit: Vec<&str> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["who"] == "unit/patrol-5")
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    assert_eq!(by_unit, ["alert.done", "alert.on_scene", "alert.en_route", "alert.accept", "alert.seen", "alert.delivered"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_taken_back_leaves_the_topic_and_the_next_unit_gets_it() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let (mut first, mut second) = (Device::connect(&hub, "unit/patrol-2").await, Device::connect(&hub, "unit/patrol-5").await);
    first.orders("patrol-2").await;
    second.orders("patrol-5").await;
    let body = json!({ "site": "dostyk-square", "text": "a man has fallen" });
    let (status, incident) = duty.post("/api/v1/incidents", &body).await.unwrap();
    assert_eq!(status, StatusCode::CREATED);
    let id = &incident["id"];
    if incident["state"] == "raised" {
        act(&duty, id, json!({ "action": "claim" })).await;
    }
    // Neither unit has said where it is: both can be sent by hand all the same.
    assert_eq!(act(&duty, id, json!({ "action": "dispatch", "unit": "patrol-2" })).await.0, StatusCode::OK);
    assert_eq!(first.message().await["alert"], *id);
    assert_eq!(act(&duty, id, json!({ "action": "dispatch", "unit": "patrol-5" })).await.0, StatusCode::OK);
    assert_eq!((first.message().await, second.message().await["alert"].clone()), (Value::Null, id.clone()));
    second.answer("patrol-5", id, "declined").await;
    assert_eq!(second.message().await, Value::Null);
    let back = alert_where(&duty, id, |a| a["state"] == "claimed").await;
    assert_eq!((&back["unit"], &back["progress"]["sent_at"]), (&Value::Null, &Value::Null));
    // An answer to an order that stands no more is refused and changes nothing.
    second.answer("patrol-5", id, "accepted").await;
    assert_eq!(act(&duty, id, json!({ "action": "dispatch", "unit": "patrol-2" })).await.0, StatusCode::OK);
    assert_eq!(first.message().await["alert"], *id);
    let closing = json!({ "action": "close", "close_reason": "resolved", "reason": "he went home" });
    assert_eq!(act(&duty, id, closing).await.0, StatusCode::OK);
    assert_eq!(first.message().await, Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hazard_arrives_without_its_plate_once_and_goes_to_a_unit_with_a_phone() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let patrol = hub.log_in("patrol").await.unwrap();
    let mut events = duty.stream(None).await.unwrap();
    let mut roadside = Device::connect(&hub, "hazard/roadside").await;
    let mut hazard = json!({ "v": 1, "id": "ev-7", "at": rfc3339_now(), "lat": 42.91, "lon": 71.38, "kind": "dangerous_driving",
        "text": "white van 123ABC02 on the wrong side", "plate": "123ABC02" });
    assert!(roadside.is_taken("hazard/roadside", hazard.clone()).await);
    let alert = events.alert(PATIENCE, |a| a["kind"] == "hazard").await.expect("no hazard on the stream");
    assert_eq!(
        (alert["hazard"]["source"].as_str(), alert["hazard"]["text"].as_str()),
        (Some("roadside"), Some("white van [—] on the wrong side"))
    );
    assert!(!alert.to_string().contains("123ABC02"));
    let id = &alert["id"];
    // The same event again changes the alert; it never makes a second one.
    hazard["lat"] = json!(42.92);
    assert!(roadside.is_taken("hazard/roadside", hazard.clone()).await);
    alert_where(&duty, id, |a| a["position"][0] == 42.92).await;
    let open = duty.get("/api/v1/alerts?state=open").await.unwrap();
    assert_eq!(open["alerts"].as_array().unwrap().iter().filter(|a| a["kind"] == "hazard").count(), 1, "{open}");
    // Nobody else reports in its name.
    let mut unit = Device::connect(&hub, "unit/patrol-5").await;
    assert!(!unit.is_taken("hazard/roadside", hazard.clone()).await, "a unit reported a danger");
    assert!(!roadside.is_taken("hazard/other", hazard).await, "a source spoke for another one");

    let here = json!({ "lat": 42.921, "lon": 71.38, "accuracy_m": 12.0, "at": rfc3339_now() });
    assert_eq!(patrol.post("/api/v1/unit/position", &here).await.unwrap().0, StatusCode::NO_CONTENT);
    let ahead = json!({ "lat": 42.921, "lon": 71.38, "at": (SystemClock.utc() + Duration::from_secs(90)).to_string() });
    assert_eq!(patrol.post("/api/v1/unit/position", &ahead).await.unwrap().0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(patrol.get("/api/v1/order").await.unwrap()["order"], Value::Null);
    let list = duty.get(&format!("/api/v1/alerts/{id}/units")).await.unwrap();
    assert_eq!(ids(&list["offered"]), ["patrol-2"], "{list}");
    assert_eq!(act(&duty, id, json!({ "action": "claim" })).await.0, StatusCode::OK);
    let order = json!({ "action": "dispatch", "unit": "patrol-2", "reason": "with lights" });
    assert_eq!(act(&duty, id, order).await.0, StatusCode::OK);
    let order = patrol.get("/api/v1/order").await.unwrap()["order"].clone();
    assert_eq!((&order["alert"]["id"], &order["note"], &order["drill"]), (id, &json!("with lights"), &json!(false)));
    assert!(order["place"]["en"].as_str().is_some_and(|name| !name.is_empty()), "the area names the place: {order}");
    alert_where(&duty, id, |a| a["progress"]["sent_at"].is_string()).await;
    for action in ["delivered", "seen", "accept", "en_route", "on_scene", "done"] {
        let (status, answer) = act(&patrol, id, json!({ "action": action })).await;
        assert_eq!(status, StatusCode::OK, "{action}: {answer}");
    }
    assert_eq!(patrol.get("/api/v1/order").await.unwrap()["order"], Value::Null, "done: no order stands");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_says_that_many_alerts_are_on_the_screen_and_the_first_counts() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        let (_, incident) = duty.post("/api/v1/incidents", &json!({ "site": "school-17", "text": text })).await.unwrap();
        ids.push(incident["id"].clone());
    }
    let body = json!({ "ids": [ids[0], ids[1], ids[2], 4711] });
    assert_eq!(duty.post("/api/v1/alerts/shown", &body).await.unwrap().0, StatusCode::NO_CONTENT);
    let mut shown = Vec::new();
    for id in &ids {
        shown.push(alert_where(&duty, id, |a| a["progress"]["shown_at"].is_string()).await);
    }
    let lead = hub.log_in("shift_lead").await.unwrap();
    assert_eq!(lead.post("/api/v1/alerts/shown", &body).await.unwrap().0, StatusCode::NO_CONTENT);
    // A later act proves that the second word has been through the engine.
    assert_eq!(act(&lead, &ids[0], json!({ "action": "note", "reason": "seen by two desks" })).await.0, StatusCode::OK);
    let again = alert_where(&duty, &ids[2], |_| true).await;
    assert_eq!((&again["version"], &again["progress"]), (&shown[2]["version"], &shown[2]["progress"]));
}
