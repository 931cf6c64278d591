//! Fusion as duty officers meet it: planning data, rules, verdicts, console load, explanation, replay; what leaves and what does not.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{ToSpan, civil::Date};
use qorgan_alerts::{Store, Transition};
use qorgan_domain::{
    AlertId, GeoPoint, UtcMs,
    alert::{Alert, AlertState, Cause, CloseReason, CrowdEvidence, Level, Progress, Reason, ReasonCode, Record},
};
use qorgan_tests::{
    hub::{Client, Hub, Options, until},
    sites,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    connectors::{receiver, states},
    hub::{PATIENCE, act, centre, rfc3339_now},
};

const COUNTER: &str = "dostyk-square/entrance-counter";
/// The square of the demonstration.
const SQUARE: [f64; 2] = [42.8998, 71.3655];

/// The demonstration with quick rules, a limit of 25 at the counter, and more lines.
fn quick(dir: &Path, more: &str) -> PathBuf {
    let text = sites::demo()
        .unwrap()
        .replace("open_after_s = 20", "open_after_s = 1")
        .replace("close_after_s = 60", "close_after_s = 1")
        .replace("name = { kk = \"Кіреберістегі санауыш\"", "limit = 25\nname = { kk = \"Кіреберістегі санауыш\"");
    let config = dir.join("quick.toml");
    std::fs::write(&config, text + more).unwrap();
    config
}

async fn start(dir: &Path, more: &str) -> Hub {
    let options = Options { config: quick(dir, more), ..centre() };
    Hub::start(&dir.join("state"), options).await.unwrap()
}

/// A camera that counts by itself, until it is dropped.
struct Counter {
    people: Arc<Mutex<f32>>,
    tasks: [tokio::task::JoinHandle<()>; 2],
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Counter {
    fn start(hub: &Hub, people: f32) -> Self {
        let mqtt = hub.addresses.mqtt.unwrap();
        let mut options = rumqttc::MqttOptions::new(COUNTER, mqtt.ip().to_string(), mqtt.port());
        options.set_credentials(COUNTER, hub.mqtt_password(COUNTER).unwrap());
        let (client, mut link) = rumqttc::AsyncClient::new(options, 16);
        let pump = tokio::spawn(async move { while link.poll().await.is_ok() {} });
        let people = Arc::new(Mutex::new(people));
        let source = people.clone();
        let counts = tokio::spawn(async move {
            loop {
                let body = json!({ "v": 1, "at": rfc3339_now(), "people": *source.lock().unwrap() });
                let _ = client.publish(format!("qorgan/v1/{COUNTER}/count"), rumqttc::QoS::AtMostOnce, false, body.to_string()).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        Self { people, tasks: [pump, counts] }
    }

    fn set(&self, people: f32) {
        *self.people.lock().unwrap() = people;
    }
}

async fn alerts(client: &Client, state: &str) -> Vec<Value> {
    let list = client.get(&format!("/api/v1/alerts?state={state}")).await.unwrap();
    list["alerts"].as_array().unwrap().iter().filter(|alert| alert["kind"] == "crowd").cloned().collect()
}

async fn crowd(client: &Client) -> Value {
    let one = || async { alerts(client, "open").await.into_iter().next().ok_or_else(|| "no crowd alert".to_owned()) };
    until(PATIENCE, one).await.unwrap()
}

async fn status(client: &Client, method: Method, path: &str, body: &Value) -> StatusCode {
    client.request(method, path).json(body).send().await.unwrap().status()
}

fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Asia/Almaty").unwrap()).date()
}

fn days_ago(days: i32) -> String {
    today().checked_sub(days.days()).unwrap().to_string()
}

/// Begins half an hour ago on the square and lasts two hours.
fn assembly(form: &str, filed_days_ago: i32, answer: Value) -> Value {
    let at = |minutes: i64| (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes)).to_string();
    json!({
        "form": form, "position": SQUARE, "radius_m": 200, "place": "Dostyk Square", "from": at(-30), "until": at(90), "people": 150,
        "filed_on": days_ago(filed_days_ago), "answer": answer,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assemblies_go_by_procedure_and_no_organiser_can_be_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let (lead, duty) = (hub.log_in("shift_lead").await.unwrap(), hub.log_in("duty_officer").await.unwrap());
    let add = async |body: Value| lead.post("/api/v1/assemblies", &body).await.unwrap();
    let standing = async |form, days, answer| {
        let (status, view) = add(assembly(form, days, answer)).await;
        assert_eq!(status, StatusCode::CREATED, "{view}");
        (view["procedure"].as_str().unwrap().to_owned(), view["standing"].as_str().unwrap().to_owned())
    };
    let pair = |procedure: &str, standing: &str| (procedure.to_owned(), standing.to_owned());
    // Notified: three working days, then silence means that it proceeds; approved: seven.
    assert_eq!(standing("rally", 0, Value::Null).await, pair("notification", "pending"));
    assert_eq!(standing("rally", 9, Value::Null).await, pair("notification", "proceeds"));
    assert_eq!(standing("march", 5, Value::Null).await, pair("approval", "pending"));
    assert_eq!(standing("demonstration", 30, Value::Null).await, pair("approval", "proceeds"));
    let refused = |ground: &str, alternative: &str, appeal: &str| json!({ "answer": "refused", "on": days_ago(1), "ground": ground, "alternative": alternative, "appeal": appeal });
    assert_eq!(standing("picket", 4, refused("works on the square", "the park", "none")).await.1, "refused");
    assert_eq!(standing("picket", 4, refused("works on the square", "the park", "upheld")).await.1, "proceeds");
    // A refusal without its ground, or without what was offered instead, is none.
    for answer in [refused("", "the park", "none"), refused("works", " ", "none"), json!({ "answer": "refused", "on": days_ago(1) })] {
        assert_eq!(add(assembly("picket", 4, answer)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    for (field, value) in [("organiser", "somebody"), ("organizer", "somebody"), ("phone", "+7 701 555 66 77"), ("contact", "x")] {
        let mut body = assembly("rally", 0, Value::Null);
        body[field] = json!(value);
        let (status, answer) = add(body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("unknown field"), "{answer}");
    }
    let mut body = assembly("rally", 0, Value::Null);
    body["place"] = json!("the square, call 8 701 555 66 77");
    assert_eq!(add(body).await.0, StatusCode::UNPROCESSABLE_ENTITY, "a number that could name a person");

    // The answer comes later: the entry is replaced, and the audit log has every version.
    let listed = duty.get("/api/v1/assemblies").await.unwrap();
    let first = listed["assemblies"].as_array().unwrap().iter().find(|e| e["standing"] == "pending").unwrap().clone();
    let path = format!("/api/v1/assemblies/{}", first["id"]);
    let moved = json!({ "answer": "moved", "on": today().to_string(), "alternative": "the park" });
    let mut body = first["assembly"].clone();
    body["answer"] = moved;
    assert_eq!(status(&lead, Method::PUT, &path, &body).await, StatusCode::OK);
    assert_eq!(status(&lead, Method::PUT, "/api/v1/assemblies/999", &body).await, StatusCode::NOT_FOUND);
    // Who plans writes; who answers reads; the others do neither.
    assert_eq!(status(&duty, Method::POST, "/api/v1/assemblies", &body).await, StatusCode::FORBIDDEN);
    for role in ["analyst", "patrol", "school_contact", "resident_operator", "auditor"] {
        let client = hub.log_in(role).await.unwrap();
        for path in ["/api/v1/assemblies", "/api/v1/special-places", "/api/v1/events", "/api/v1/rules"] {
            assert_eq!(status(&client, Method::GET, path, &Value::Null).await, StatusCode::FORBIDDEN, "{role} {path}");
        }
    }
    let audit = hub.log_in("auditor").await.unwrap().get("/api/v1/audit?limit=50").await.unwrap();
    let written = audit["entries"].as_array().unwrap().iter().filter(|e| e["action"] == "assembly.write").count();
    assert!(written >= 7, "{written} of six new entries and a change");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn special_places_and_events_are_planned_and_events_that_overlap_are_marked() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let lead = hub.log_in("shift_lead").await.unwrap();
    let name = json!({ "kk": "Саябақ", "ru": "Парк", "en": "Park" });
    let place = json!({ "name": name, "points": [SQUARE], "radius_m": 300, "max_people": 400 });
    let (created, view) = lead.post("/api/v1/special-places", &place).await.unwrap();
    assert_eq!((created, &view["place"]["max_people"]), (StatusCode::CREATED, &json!(400)));
    for (field, value) in [("points", json!([])), ("max_people", json!(0)), ("radius_m", json!(0)), ("owner", json!("somebody"))] {
        let mut bad = place.clone();
        bad[field] = value;
        assert_eq!(lead.post("/api/v1/special-places", &bad).await.unwrap().0, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
    }
    let mut larger = place.clone();
    larger["max_people"] = json!(500);
    let path = format!("/api/v1/special-places/{}", view["id"]);
    assert_eq!(status(&lead, Method::PUT, &path, &larger).await, StatusCode::OK);
    assert_eq!(lead.get("/api/v1/special-places").await.unwrap()["places"][0]["place"]["max_people"], 500);

    let event = |site: &str, from: &str, until: &str, people: Value| json!({ "site": site, "name": "fair", "from": format!("2100-05-01T{from}:00Z"), "until": format!("2100-05-01T{until}:00Z"), "people": people });
    let add = async |body: Value| lead.post("/api/v1/events", &body).await.unwrap();
    let mut ids = Vec::new();
    for (site, from, until) in [("dostyk-square", "08:00", "10:00"), ("dostyk-square", "09:00", "11:00"), ("school-17", "09:00", "11:00")] {
        let (status, view) = add(event(site, from, until, json!(200))).await;
        assert_eq!(status, StatusCode::CREATED, "{view}");
        ids.push(view["id"].clone());
    }
    let listed = lead.get("/api/v1/events").await.unwrap()["events"].as_array().unwrap().clone();
    let overlaps: Vec<&Value> = listed.iter().map(|event| &event["overlaps"]).collect();
    assert_eq!(overlaps, [&json!([ids[1]]), &json!([ids[0]]), &json!([])]);
    for bad in [
        event("nowhere", "08:00", "10:00", Value::Null),
        event("school-17", "10:00", "08:00", Value::Null),
        event("school-17", "08:00", "10:00", json!(-1)),
    ] {
        assert_eq!(add(bad).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let path = format!("/api/v1/events/{}", ids[0]);
    assert_eq!(status(&lead, Method::DELETE, &path, &Value::Null).await, StatusCode::NO_CONTENT);
    assert_eq!(status(&lead, Method::DELETE, &path, &Value::Null).await, StatusCode::NOT_FOUND);
    assert_eq!(lead.get("/api/v1/events").await.unwrap()["events"][0]["overlaps"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_tried_and_applied_with_a_reason_and_a_safety_limit_is_no_rule() {
    let dir = tempfile::tempdir().unwrap();
    let mut hub = start(dir.path(), "").await;
    let (lead, duty, administrator) =
        (hub.log_in("shift_lead").await.unwrap(), hub.log_in("duty_officer").await.unwrap(), hub.log_in("administrator").await.unwrap());
    let counter = Counter::start(&hub, 60.0);
    let alert = crowd(&duty).await;
    assert_eq!(alert["level"], "watch");

    let trial = json!({ "rule": format!("limit/{COUNTER}"), "value": 80, "days": 1, "cameras": [COUNTER] });
    let (status_of, told) = lead.post("/api/v1/rules/trial", &trial).await.unwrap();
    assert_eq!(status_of, StatusCode::OK, "{told}");
    for side in ["as_it_is", "as_tried"] {
        for field in ["alerts", "per_shift", "right", "wrong", "unjudged", "missed"] {
            assert!(told[side][field].is_number(), "{side}.{field}: {told}");
        }
    }
    assert_eq!(status(&duty, Method::POST, "/api/v1/rules/trial", &trial).await, StatusCode::FORBIDDEN);
    let change = |rule: &str, value: Value, reason: &str| json!({ "rule": rule, "value": value, "reason": reason });
    let post = async |client: &Client, body: Value| client.post("/api/v1/rules", &body).await.unwrap().0;
    let limit = format!("limit/{COUNTER}");
    assert_eq!(post(&lead, change(&limit, json!(200), "")).await, StatusCode::UNPROCESSABLE_ENTITY, "without a reason");
    assert_eq!(post(&duty, change(&limit, json!(200), "too many notices")).await, StatusCode::FORBIDDEN);
    for (rule, value) in [
        ("demoted", json!(["density"])),
        ("demoted", json!(["flow"])),
        ("demoted", json!(["closed_hours"])),
        ("safety_after_ms", json!(60_000)),
        ("density_limit", json!(9)),
        ("unusual_score", json!(0)),
    ] {
        assert_eq!(post(&lead, change(rule, value.clone(), "why not")).await, StatusCode::UNPROCESSABLE_ENTITY, "{rule} {value}");
    }
    assert_eq!(post(&lead, change("limit/dostyk-square/none", json!(50), "x")).await, StatusCode::NOT_FOUND);
    // Demotion is the shift lead's alone, also against the administrator.
    let demote = change("demoted", json!(["above_limit"]), "mostly the market");
    assert_eq!(post(&administrator, demote.clone()).await, StatusCode::FORBIDDEN);
    assert_eq!(post(&lead, demote).await, StatusCode::CREATED);
    assert_eq!(post(&lead, change(&limit, json!(40), "fewer false ones by the trial")).await, StatusCode::CREATED);
    let listed = lead.get("/api/v1/rules").await.unwrap();
    let named: Vec<(&str, &str)> =
        listed["changes"].as_array().unwrap().iter().map(|c| (c["rule"].as_str().unwrap(), c["reason"].as_str().unwrap())).collect();
    assert_eq!(named, [("demoted", "mostly the market"), (limit.as_str(), "fewer false ones by the trial")]);
    let audit = hub.log_in("auditor").await.unwrap().get("/api/v1/audit?limit=50").await.unwrap();
    let lines = |action: &str| audit["entries"].as_array().unwrap().iter().filter(|e| e["action"] == action).count();
    assert_eq!((lines("rule.change"), lines("rule.trial")), (2, 1), "{audit}");

    // It holds from the next gathering on, also after a restart: the demoted limit makes a notice.
    counter.set(2.0);
    until(PATIENCE, || async { if alerts(&duty, "open").await.is_empty() { Ok(()) } else { Err("still open".to_owned()) } }).await.unwrap();
    drop(counter);
    hub.end().unwrap();
    hub.restart().await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let counter = Counter::start(&hub, 39.0);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(alerts(&duty, "open").await, Vec::<Value>::new(), "39 people are below the new limit");
    counter.set(60.0);
    let alert = crowd(&duty).await;
    assert_eq!((&alert["level"], &alert["crowd"]["limit"]), (&json!("notice"), &json!(40.0)), "{alert}");
}

/// A crowd alert that somebody closed.
fn judged(id: i64, code: ReasonCode, verdict: CloseReason) -> Transition {
    let at = UtcMs(jiff::Timestamp::now().as_millisecond() - 3_600_000);
    let reason = Reason { code, observed: 41.0, bound: 25.0, for_s: 30 };
    let evidence = CrowdEvidence {
        people: 41.0,
        low: 41.0,
        high: 41.0,
        peak: 41.0,
        limit: Some(25.0),
        baseline: None,
        baseline_bound: None,
        formula: "crowd-v2".into(),
        reasons: vec![reason],
        assessed: None,
        neighbours: vec![],
    };
    let alert = Alert {
        id: AlertId(id),
        cause: Cause::Crowd(evidence),
        level: Level::Watch,
        state: AlertState::Closed,
        site: Some("dostyk-square".parse().unwrap()),
        device: Some(COUNTER.parse().unwrap()),
        position: Some(GeoPoint::try_from(SQUARE).unwrap()),
        raised_at: at,
        updated_at: at,
        closed_at: Some(at),
        claimed_by: None,
        unit: None,
        close_reason: Some(verdict),
        stored: true,
        subsided_at: None,
        progress: Progress::default(),
        version: 2,
    };
    let record = Record {
        alert: alert.id,
        seq: 0,
        action: "close".into(),
        from: Some(AlertState::Claimed),
        to: AlertState::Closed,
        who: "duty".into(),
        role: "duty_officer".into(),
        at,
        reason: Some("looked".into()),
        unit: None,
    };
    Transition { alert: Arc::new(alert), record: Some(record) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_twenty_verdicts_a_rule_is_proposed_for_demotion_and_a_safety_limit_never_is() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let store = Store::open(&format!("sqlite:{}", state.join("hub.db").display())).await.unwrap();
    let mut past = Vec::new();
    for n in 0..19 {
        let verdict = if n < 4 { CloseReason::Resolved } else { CloseReason::FalseAlarm };
        past.push(judged(n + 1, ReasonCode::AboveLimit, verdict));
        past.push(judged(n + 101, ReasonCode::Density, CloseReason::FalseAlarm));
        past.push(judged(n + 201, ReasonCode::Density, CloseReason::FalseAlarm));
    }
    store.save(&past, None).await.unwrap();
    store.close().await;
    let hub = start(dir.path(), "").await;
    let (lead, duty) = (hub.log_in("shift_lead").await.unwrap(), hub.log_in("duty_officer").await.unwrap());
    let figures = async || lead.get("/api/v1/verdicts").await.unwrap()["verdicts"]["rules"].clone();
    let before = figures().await;
    assert_eq!(before["above_limit"]["proposed_for_demotion"], false, "nineteen verdicts: {before}");

    // The twentieth: a crowd of today, judged by the officer who closed it. A verdict is asked for.
    let counter = Counter::start(&hub, 60.0);
    let alert = crowd(&duty).await;
    assert_eq!(act(&duty, &alert["id"], json!({ "action": "claim" })).await.0, StatusCode::OK);
    for (body, why) in [
        (json!({ "action": "close", "reason": "a market" }), "no verdict"),
        (json!({ "action": "close", "close_reason": "subsided", "reason": "a market" }), "the hub's word"),
        (json!({ "action": "close", "close_reason": "false_alarm" }), "no reason"),
    ] {
        assert_eq!(act(&duty, &alert["id"], body).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{why}");
    }
    let close = json!({ "action": "close", "close_reason": "false_alarm", "reason": "a market, as every Sunday" });
    assert_eq!(act(&duty, &alert["id"], close).await.0, StatusCode::OK);
    drop(counter);
    let after = until(PATIENCE, || async {
        let figures = figures().await;
        if figures["above_limit"]["wrong"] == 16 { Ok(figures) } else { Err(figures.to_string()) }
    })
    .await
    .unwrap();
    assert_eq!(after["above_limit"]["proposed_for_demotion"], true, "{after}");
    assert_eq!((&after["above_limit"]["right"], &after["above_limit"]["precision"]), (&json!(4), &json!(0.2)));
    assert_eq!((&after["density"]["wrong"], &after["density"]["proposed_for_demotion"]), (&json!(38), &json!(false)), "{after}");
    // A proposal changes nothing by itself.
    assert_eq!(lead.get("/api/v1/rules").await.unwrap()["changes"], json!([]));
    for role in ["patrol", "school_contact", "analyst", "administrator"] {
        let client = hub.log_in(role).await.unwrap();
        assert_eq!(status(&client, Method::GET, "/api/v1/verdicts", &Value::Null).await, StatusCode::FORBIDDEN, "{role}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_explained_with_what_surrounds_it_and_replayed_and_nothing_of_that_changes_it() {
    let dir = tempfile::tempdir().unwrap();
    let hub = start(dir.path(), "").await;
    let (lead, duty, police) =
        (hub.log_in("shift_lead").await.unwrap(), hub.log_in("duty_officer").await.unwrap(), hub.log_in("police_desk").await.unwrap());
    let _counter = Counter::start(&hub, 60.0);
    let alert = crowd(&duty).await;
    let path = format!("/api/v1/alerts/{}/explanation", alert["id"]);
    let bare = duty.get(&path).await.unwrap();
    assert_eq!((&bare["task"], &bare["context"]["attention"], &bare["formula"]), (&Value::Null, &json!("watch"), &json!("crowd-v2")));
    for field in ["headline", "advice"] {
        for language in ["kk", "ru", "en"] {
            assert!(!bare[field][language].as_str().unwrap().is_empty(), "{field}.{language}");
        }
    }
    let reasons = bare["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|r| r["en"] == "At least: 60; limit set for this place: 25"), "{reasons:?}");
    let decisive = |alert: &Value| {
        let fields = ["id", "kind", "level", "state", "site", "device", "raised_at", "actions", "dispatchable"];
        fields.map(|field| alert[field].clone())
    };
    let before = decisive(&crowd(&duty).await);

    // A notified assembly, its special place, an incident, an emergency and a signal near by.
    let (created, assembly) = lead.post("/api/v1/assemblies", &assembly("rally", 9, Value::Null)).await.unwrap();
    assert_eq!(created, StatusCode::CREATED);
    let name = json!({ "kk": "Алаң", "ru": "Площадь", "en": "Square" });
    let place = json!({ "name": name, "points": [SQUARE], "radius_m": 300, "max_people": 400 });
    assert_eq!(lead.post("/api/v1/special-places", &place).await.unwrap().0, StatusCode::CREATED);
    let incident = json!({ "site": "dostyk-square", "text": "a caller: somebody fell on the stairs" });
    assert_eq!(duty.post("/api/v1/incidents", &incident).await.unwrap().0, StatusCode::CREATED);
    let signal = json!({ "kind": "infrastructure", "area": "311000000", "place": "Dostyk Square", "position": SQUARE,
        "text": "street lamps are dark", "service": "power" });
    let (created, answer) = duty.post("/api/v1/intake/signals", &signal).await.unwrap();
    assert!(created.is_success(), "{answer}");
    let explained = until(PATIENCE, || async {
        let explained = duty.get(&path).await.map_err(|e| e.to_string())?;
        // The index of the demonstration's values is computed in the background.
        if explained["around"]["tension"].is_object() { Ok(explained) } else { Err(explained.to_string()) }
    })
    .await
    .unwrap();
    let around = &explained["around"];
    assert_eq!((&around["open"]["incidents"], &around["disruptions"][0]["near"]), (&json!(1), &json!(true)), "{around}");
    let share = |end: &str| around["tension"][end].as_f64().unwrap();
    assert!(share("low") <= share("value") && share("value") <= share("high") && share("high") <= 10.0, "{around}");
    assert_eq!(around["requests"]["exact"], false, "a duty officer reads no requests");
    let told = around["requests"]["categories"].as_array().unwrap();
    assert!(told.iter().all(|category| category[1].as_u64().unwrap() % 10 == 0), "{told:?}");
    assert_eq!((&explained["context"]["task"]["assembly"], &explained["context"]["task"]["notified"]), (&assembly["id"], &json!(150)));
    assert_eq!(explained["context"]["task"]["holds"], 400);
    let helpers: Vec<&str> = explained["helpers"].as_array().unwrap().iter().map(|h| h["helper"].as_str().unwrap()).collect();
    for helper in ["stewards", "ambulance", "road_closure", "city_service"] {
        assert!(helpers.contains(&helper), "{helpers:?}");
    }
    let lines: Vec<&str> = explained["context"]["lines"].as_array().unwrap().iter().map(|line| line["en"].as_str().unwrap()).collect();
    for part in ["rally, proceeds", "holds 400 safely", "incidents: 1", "Open requests of residents", "Electricity", "Social situation"] {
        assert!(lines.iter().any(|line| line.contains(part)), "{part}: {lines:?}");
    }
    let text = explained.to_string();
    assert!(!text.contains("street lamps") && !text.contains("somebody fell"), "no words of a caller or a signal: {text}");

    // All of it are words: what the alert is has not moved, and the police desk knows nothing of it.
    assert_eq!(decisive(&crowd(&duty).await), before);
    assert_eq!(status(&police, Method::GET, &path, &Value::Null).await, StatusCode::NOT_FOUND);
    assert_eq!(alerts(&police, "open").await, Vec::<Value>::new());

    let replay = |id: &str| {
        let mut command = std::process::Command::new(qorgan_tests::hub::program());
        command.args(["replay", id]).arg("--config").arg(dir.path().join("quick.toml")).arg("--state-dir").arg(dir.path().join("state"));
        let out = command.output().unwrap();
        (out.status.success(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
    };
    let (same, out) = replay(&alert["id"].to_string());
    assert!(same && out.contains("the same, byte for byte (crowd-v2)"), "{out}");
    let incident = duty.get("/api/v1/alerts?state=open").await.unwrap();
    let incident = incident["alerts"].as_array().unwrap().iter().find(|a| a["kind"] == "incident").unwrap()["id"].to_string();
    let (same, out) = replay(&incident);
    assert!(!same && out.contains("no crowd alert"), "{out}");
    assert!(!replay("4711").0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_put_aside_stays_aside_over_a_restart_and_the_console_shows_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut hub = start(dir.path(), "").await;
    let duty = hub.log_in("duty_officer").await.unwrap();
    let path = format!("/api/v1/cameras/{COUNTER}/shelve");
    let shelve = async |client: &Client, minutes: u32, reason: &str| {
        client.post(&path, &json!({ "minutes": minutes, "reason": reason })).await.unwrap()
    };
    assert_eq!(shelve(&duty, 721, "a fair").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(shelve(&duty, 60, " ").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(shelve(&hub.log_in("administrator").await.unwrap(), 60, "a fair").await.0, StatusCode::FORBIDDEN);
    let (done, answer) = shelve(&duty, 60, "a fair until noon").await;
    assert_eq!(done, StatusCode::OK, "{answer}");
    let shelved = async |client: &Client| client.get("/api/v1/console").await.unwrap()["shelved"].clone();
    let shown = shelved(&duty).await;
    assert_eq!((&shown[0]["camera"], &shown[0]["until"]), (&json!(COUNTER), &answer["until"]));
    assert_eq!((&shown[0]["who"], &shown[0]["reason"]), (&json!("duty"), &json!("a fair until noon")));

    hub.kill();
    hub.restart().await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    assert_eq!(shelved(&duty).await, shown, "the restart neither forgot nor prolonged it");
    let _counter = Counter::start(&hub, 60.0);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(alerts(&duty, "open").await, Vec::<Value>::new());
    assert_eq!(shelve(&duty, 0, "the fair is over").await.1, json!({ "until": null }));
    crowd(&duty).await;
    let console = duty.get("/api/v1/console").await.unwrap();
    assert_eq!(console["shelved"], json!([]));
    for desk in ["duty", "police"] {
        for field in ["alerts", "per_span", "most_in_span", "now", "flood_percent", "floods", "chattering", "stale", "top"] {
            for shift in ["now", "last_shift"] {
                assert!(!console[desk][shift][field].is_null(), "{desk}.{shift}.{field}: {console}");
            }
        }
    }
    assert!(console["duty"]["now"]["now"].as_u64().unwrap() >= 1, "{console}");
    assert_eq!(console["police"]["now"]["now"], 0, "a watch is not the police desk's to hear");
    assert!(console["duty"]["now"]["top"].as_array().unwrap().iter().any(|source| source["source"] == COUNTER), "{console}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_alert_leaves_by_a_connector_only_after_a_named_act_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = receiver(0).await;
    std::fs::write(dir.path().join("secret"), "a secret of the city").unwrap();
    let more = format!(
        "\n[[connector]]\nid = \"city\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}/alerts\"\nsecret_file = \"secret\"\nevents = [\"alarm\", \"incident\", \"hazard\", \"crowd\"]\n",
        receiver.port
    );
    let hub = start(dir.path(), &more).await;
    let duty = hub.log_in("duty_officer").await.unwrap();
    let _counter = Counter::start(&hub, 60.0);
    let alert = crowd(&duty).await;
    assert_eq!(act(&duty, &alert["id"], json!({ "action": "claim" })).await.0, StatusCode::OK);
    assert_eq!(act(&duty, &alert["id"], json!({ "action": "share" })).await.0, StatusCode::UNPROCESSABLE_ENTITY, "without a reason");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(states(&receiver), Vec::<String>::new(), "raised, claimed, and looked at: nothing has left");
    let share = json!({ "action": "share", "reason": "the city's stewards should know" });
    assert_eq!(act(&duty, &alert["id"], share).await.0, StatusCode::OK);
    until(PATIENCE, async || match states(&receiver).is_empty() {
        false => Ok(()),
        true => Err("nothing has left".to_owned()),
    })
    .await
    .unwrap();
}
