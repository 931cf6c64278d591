//! Site file, register and drills of the whole hub: files good and bad, who reaches what, a drill from the order to its certificate.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use qorgan_ingest::mqtt::button::{Button, Options as ButtonOptions};
use qorgan_tests::hub::{Client, Hub, until};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hub::{PATIENCE, act, button, centre, is_alarm_of};

const FILE: &str = "id;Название (рус.);Атауы (қазақша);Вид;Код КАТО;Статус;Причина;Ответственный;Срок\n\
    ;Школа № 5;№ 5 мектеп;школа;313600000;в работе;нет кабеля;Отдел образования;31.12.2024\n\
    ;Ясли-сад «Күншуақ»;«Күншуақ» балабақшасы;детский сад;311000000;не подключен;нет денег;Акимат;\n";

async fn import(client: &Client, dry_run: bool, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
    let path = format!("/api/v1/register/import?dry_run={dry_run}");
    let answer = client.request(Method::POST, &path).header("content-type", "text/csv").body(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn put(client: &Client, path: &str, body: Value) -> (StatusCode, Value) {
    let answer = client.request(Method::PUT, path).json(&body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}

async fn status_of(client: &Client, method: Method, path: &str) -> StatusCode {
    client.request(method, path).send().await.unwrap().status()
}

fn ids(register: &Value) -> Vec<&str> {
    register["institutions"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_register_takes_a_good_file_whole_and_a_bad_one_not_at_all_and_each_role_sees_its_reach() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let admin = hub.log_in("administrator").await.unwrap();
    // Configured sites are there from the start.
    let register = admin.get("/api/v1/register").await.unwrap();
    assert_eq!(ids(&register), ["dostyk-square", "school-17"]);
    assert_eq!(register["institutions"][1]["updated_by"], "system/config");
    // One bad cell: nothing of the file is taken.
    let bad = FILE.replace("детский сад", "замок");
    let (status, answer) = import(&admin, false, bad).await;
    assert_eq!((status, answer["applied"].as_bool(), answer["errors"].as_array().unwrap().len()), (StatusCode::OK, Some(false), 1));
    let error = &answer["errors"][0];
    assert_eq!((error["row"].as_u64(), error["column"].as_str(), error["value"].as_str()), (Some(3), Some("Вид"), Some("замок")));
    assert_eq!(admin.get("/api/v1/register").await.unwrap()["totals"]["all"], 2);
    // Another code page is named, not guessed: "Größe;Maß" as Windows-1252.
    let (status, answer) = import(&admin, false, b"Gr\xF6\xDFe;Ma\xDF".to_vec()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer["error"]["message"].as_str().unwrap().contains("UTF-8"), "{answer}");
    // A preview changes nothing; the same file then adds two, and a second time none.
    let (_, preview) = import(&admin, true, FILE).await;
    assert_eq!((preview["added"].as_u64(), preview["applied"].as_bool()), (Some(2), Some(false)));
    assert_eq!(admin.get("/api/v1/register").await.unwrap()["totals"]["all"], 2);
    let (_, done) = import(&admin, false, FILE).await;
    assert_eq!((done["added"].as_u64(), done["applied"].as_bool()), (Some(2), Some(true)));
    let (_, again) = import(&admin, false, FILE).await;
    assert_eq!((again["added"].as_u64(), again["unchanged"].as_u64()), (Some(0), Some(2)));
    let blind = admin.get("/api/v1/register?status=blind").await.unwrap();
    let blind_ids = ids(&blind);
    assert!(blind_ids.contains(&"5-mektep") && blind_ids.contains(&"kunshuaq-balabaqshasy"), "{blind_ids:?}");
    assert_eq!(blind["totals"]["overdue"], 1, "the deadline of school 5 has passed");
    // The workbook template reads back; only its example row is refused.
    let template = admin.request(Method::GET, "/api/v1/register/template.xlsx?lang=kk").send().await.unwrap().bytes().await.unwrap();
    let (_, answer) = import(&admin, false, template).await;
    assert_eq!((answer["errors"].as_array().unwrap().len(), answer["applied"].as_bool()), (1, Some(false)));
    // A school contact sees its own school; the police desk has no register.
    let school = hub.log_in("school_contact").await.unwrap();
    let own = school.get("/api/v1/register").await.unwrap();
    assert_eq!((ids(&own), own["totals"]["all"].as_u64()), (vec!["school-17"], Some(1)));
    let police = hub.log_in("police_desk").await.unwrap();
    assert_eq!(status_of(&police, Method::GET, "/api/v1/register").await, StatusCode::FORBIDDEN);
    // A change by hand keeps the rules and is written down with what changed.
    let (status, answer) = put(&admin, "/api/v1/register/5-mektep", json!({ "status": "in_work", "deadline": null })).await;
    assert_eq!((status, answer["error"]["field"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("deadline")));
    let (status, answer) = put(&admin, "/api/v1/register/5-mektep", json!({ "status": "connected" })).await;
    assert_eq!((status, answer["blind_why"].as_str()), (StatusCode::OK, Some("never_seen")), "{answer}");
    let auditor = hub.log_in("auditor").await.unwrap();
    let audit = auditor.text("/api/v1/audit").await.unwrap();
    assert!(audit.contains("status: in_work -> connected"), "{audit}");
    assert_eq!(auditor.get("/api/v1/audit/verify").await.unwrap()["broken_at"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_file_is_for_its_people_and_a_patrol_sees_it_only_with_an_order() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let school = hub.log_in("school_contact").await.unwrap();
    let file = "/api/v1/sites/school-17/file";
    let body = json!({ "address": "Төле би, 1", "notes": "кіреберіс сол жақта", "entrances": ["school-17/gate"] });
    let (status, _) = put(&school, file, body).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = put(&school, file, json!({ "entrances": ["dostyk-square/north"] })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let year_ahead = qorgan_domain::UtcMs(qorgan_domain::Clock::utc(&qorgan_domain::SystemClock).0 + 365 * 86_400_000);
    let contact = |expires: String| json!({ "name": "Айгүл С.", "post": "директор", "phone": "+7 701 000 00 00", "expires_at": expires });
    let path = "/api/v1/sites/school-17/contacts/head";
    assert_eq!(put(&school, path, contact("2099-01-01T00:00:00Z".into())).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, answer) = put(&school, path, contact(year_ahead.to_string())).await;
    assert_eq!((status, answer["contacts"][0]["phone"].as_str()), (StatusCode::OK, Some("+7 701 000 00 00")));
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(60, 40).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let plan = "/api/v1/sites/school-17/plan";
    let answer = school.request(Method::PUT, plan).body(png.into_inner()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(school.request(Method::PUT, plan).body("no picture").send().await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
    let other = "/api/v1/sites/dostyk-square/file";
    assert_eq!(status_of(&school, Method::GET, other).await, StatusCode::NOT_FOUND);
    // Nothing of a person is readable on disk.
    for name in ["hub.db", "hub.db-wal"] {
        let bytes = std::fs::read(dir.path().join(name)).unwrap_or_default();
        assert!(!bytes.windows(9).any(|w| w == b"701 000 0") && !String::from_utf8_lossy(&bytes).contains("Айгүл"), "{name}");
    }
    let patrol = hub.log_in("patrol").await.unwrap();
    assert_eq!(status_of(&patrol, Method::GET, file).await, StatusCode::NOT_FOUND);
    let duty = hub.log_in("duty_officer").await.unwrap();
    let mut events = duty.stream(None).await.unwrap();
    button(&hub, "school-17/reception").await.press().await.unwrap();
    let alert = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/reception")).await.unwrap();
    let seen = duty.get(&format!("{file}?alert={}", alert["id"])).await.unwrap();
    assert_eq!(seen["entrances"], json!(["school-17/gate"]));
    act(&duty, &alert["id"], json!({ "action": "claim" })).await;
    let unit = patrol.session["unit"].clone();
    let (status, answer) = act(&duty, &alert["id"], json!({ "action": "dispatch", "unit": unit })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(patrol.get(file).await.unwrap()["address"], "Төле би, 1");
    let picture = patrol.request(Method::GET, plan).send().await.unwrap();
    assert!(picture.headers()["cache-control"].to_str().unwrap().starts_with("private"));
    assert_eq!(image::load_from_memory(&picture.bytes().await.unwrap()).unwrap().width(), 60);
    assert_eq!(status_of(&patrol, Method::GET, other).await, StatusCode::NOT_FOUND);
    act(&duty, &alert["id"], json!({ "action": "close", "close_reason": "resolved", "reason": "test is over" })).await;
    assert_eq!(status_of(&patrol, Method::GET, file).await, StatusCode::NOT_FOUND, "the order is over");
    let audit = hub.log_in("auditor").await.unwrap().text("/api/v1/audit").await.unwrap();
    assert!(audit.contains("sitefile.open") && audit.contains(&format!("alert {}", alert["id"])), "{audit}");
    assert!(!audit.contains("+7 701") && !audit.contains("Айгүл"), "the audit log names no contact");
    assert_eq!(status_of(&school, Method::DELETE, path).await, StatusCode::NO_CONTENT);
    assert_eq!(school.get(file).await.unwrap()["contacts"], json!([]));
}

async fn test_button(hub: &Hub, device: &str) -> Button {
    let password = hub.mqtt_password(device).unwrap();
    let options = ButtonOptions { test: true, ..ButtonOptions::new(hub.mqtt_url(), device.parse().unwrap(), password) };
    let mut button = Button::connect(options).unwrap();
    button.ready().await.unwrap();
    button
}

async fn drill(client: &Client, id: &Value) -> Value {
    let list = client.get("/api/v1/drills").await.unwrap();
    list["drills"].as_array().unwrap().iter().find(|d| d["id"] == *id).cloned().unwrap()
}

async fn shown_claimed_sent_accepted(duty: &Client, patrol: &Client, alert: &Value) {
    let unit = patrol.session["unit"].clone();
    act(duty, alert, json!({ "action": "shown" })).await;
    for (who, body) in [
        (duty, json!({ "action": "claim" })),
        (duty, json!({ "action": "dispatch", "unit": unit })),
        (patrol, json!({ "action": "accept" })),
    ] {
        let (status, answer) = act(who, alert, body.clone()).await;
        assert_eq!(status, StatusCode::OK, "{body}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_goes_from_the_order_to_the_patrol_and_ends_with_a_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let school = hub.log_in("school_contact").await.unwrap();
    let before = school.get("/api/v1/drills").await.unwrap();
    assert_eq!(before["overdue"][0]["site"], "school-17", "never drilled is overdue");
    assert_eq!(
        school.post("/api/v1/drills", &json!({ "site": "school-17", "minutes": 3 })).await.unwrap().0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(school.post("/api/v1/drills", &json!({ "site": "dostyk-square" })).await.unwrap().0, StatusCode::NOT_FOUND);
    let (status, ordered) = school.post("/api/v1/drills", &json!({ "site": "school-17", "minutes": 10 })).await.unwrap();
    assert_eq!((status, ordered["state"].as_str()), (StatusCode::CREATED, Some("running")), "{ordered}");
    let id = ordered["id"].clone();
    let (status, second) = school.post("/api/v1/drills", &json!({ "site": "school-17" })).await.unwrap();
    assert_eq!((status, second["error"]["code"].as_str()), (StatusCode::CONFLICT, Some("overlaps")));
    let certificate = format!("/api/v1/drills/{id}/certificate.pdf");
    assert_eq!(status_of(&school, Method::GET, &certificate).await, StatusCode::CONFLICT);

    let (duty, patrol) = (hub.log_in("duty_officer").await.unwrap(), hub.log_in("patrol").await.unwrap());
    let mut events = duty.stream(None).await.unwrap();
    test_button(&hub, "school-17/reception").await.press().await.unwrap();
    let alert = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/reception")).await.unwrap();
    assert_eq!((alert["level"].as_str(), &alert["alarm"]["drill"]), (Some("notice"), &id));
    // A press without the test flag is a real alarm, drill or not.
    button(&hub, "school-17/canteen").await.press().await.unwrap();
    let real = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/canteen")).await.unwrap();
    assert_eq!((real["level"].as_str(), &real["alarm"]["test"]), (Some("critical"), &json!(false)));

    shown_claimed_sent_accepted(&duty, &patrol, &alert["id"]).await;
    let passed = until(PATIENCE, || async {
        let now = drill(&school, &id).await;
        if now["state"] == "passed" { Ok(now) } else { Err(now.to_string()) }
    });
    let passed = passed.await.unwrap();
    assert_eq!(passed["alert"], alert["id"]);
    for step in ["pressed_at", "stored_at", "shown_at", "claimed_at", "accepted_at"] {
        assert!(passed["steps"][step].is_string(), "{step}: {passed}");
    }
    assert_eq!(school.get("/api/v1/drills").await.unwrap()["overdue"], json!([]));
    let pdf = school.request(Method::GET, &certificate).send().await.unwrap();
    assert_eq!(pdf.headers()["content-type"], "application/pdf");
    let bytes = pdf.bytes().await.unwrap();
    assert!(bytes.starts_with(b"%PDF-") && bytes.len() < 200_000, "{} bytes", bytes.len());
    // The real alarm is what it was.
    let still = duty.get(&format!("/api/v1/alerts/{}", real["id"])).await.unwrap();
    assert_eq!((still["alert"]["level"].as_str(), still["alert"]["state"].as_str()), (Some("critical"), Some("raised")));
    let register = school.get("/api/v1/register").await.unwrap();
    assert_eq!(register["institutions"][0]["last_drill_at"], passed["ended_at"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unflagged_press_counts_for_a_drill_only_by_the_desks_verdict_and_a_drill_without_a_press_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let lead = hub.log_in("shift_lead").await.unwrap();
    let patrol = hub.log_in("patrol").await.unwrap();
    let order = json!({ "site": "school-17", "minutes": 5 });
    let (_, first) = lead.post("/api/v1/drills", &order).await.unwrap();
    let end = |id: &Value| format!("/api/v1/drills/{id}/end");
    let (status, missed) = lead.post(&end(&first["id"]), &json!({})).await.unwrap();
    assert_eq!((status, missed["state"].as_str()), (StatusCode::OK, Some("missed")), "{missed}");
    assert_eq!(lead.post(&end(&first["id"]), &json!({})).await.unwrap().0, StatusCode::CONFLICT);
    let (_, second) = lead.post("/api/v1/drills", &order).await.unwrap();
    let mut events = lead.stream(None).await.unwrap();
    button(&hub, "school-17/reception").await.press().await.unwrap();
    let alert = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/reception")).await.unwrap();
    assert_eq!((alert["level"].as_str(), &alert["alarm"]["drill"]), (Some("critical"), &second["id"]));
    shown_claimed_sent_accepted(&lead, &patrol, &alert["id"]).await;
    assert_eq!(drill(&lead, &second["id"]).await["state"], "running");
    // Ended early it has failed; the verdict that comes later makes it pass after all.
    let (_, failed) = lead.post(&end(&second["id"]), &json!({ "note": "уақыт бітті" })).await.unwrap();
    assert_eq!(failed["state"], "failed", "{failed}");
    let close = json!({ "action": "close", "close_reason": "drill", "reason": "the school says it was the drill" });
    assert_eq!(act(&lead, &alert["id"], close).await.0, StatusCode::OK);
    until(PATIENCE, || async {
        let now = drill(&lead, &second["id"]).await;
        if now["state"] == "passed" && now["alert"] == alert["id"] { Ok(()) } else { Err(now.to_string()) }
    })
    .await
    .unwrap();
    // After a drill presses carry no number.
    button(&hub, "school-17/canteen").await.press().await.unwrap();
    let after = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/canteen")).await.unwrap();
    assert_eq!(after["alarm"]["drill"], Value::Null);
}
