//! Requests of residents, Open311, plan, emergency journal, notes and reports, as their users meet them.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use qorgan_domain::{Clock, SystemClock};
use qorgan_tests::{
    hub::{Client, Hub, Options, http_client, until},
    postgres::Postgres,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Row, sqlite::SqliteConnectOptions};

use crate::hub::{PATIENCE, centre};

/// In the first district of the demonstration.
const HERE: [f64; 2] = [42.9021, 71.3782];

struct Resident {
    http: reqwest::Client,
    base: String,
}

impl Resident {
    fn new(hub: &Hub) -> Self {
        Self { http: http_client().unwrap(), base: hub.base() }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.http.get(format!("{}{path}", self.base)).send().await.unwrap();
        (response.status(), response.json().await.unwrap_or(Value::Null))
    }

    async fn text(&self, path: &str) -> String {
        self.http.get(format!("{}{path}", self.base)).send().await.unwrap().text().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let response = self.http.post(format!("{}{path}", self.base)).header("x-qorgan-form", "1").json(body).send().await.unwrap();
        (response.status(), response.json().await.unwrap_or(Value::Null))
    }

    async fn form_token(&self) -> String {
        self.get("/api/v1/public/requests/form").await.1["form_token"].as_str().unwrap().to_owned()
    }

    async fn file(&self, key: &str, more: Value) -> (StatusCode, Value) {
        let mut body = json!({
            "form_token": self.form_token().await, "idempotency_key": key, "category": "heating", "text": "Үйде жылу екі күннен бері жоқ",
            "position": HERE, "place": "12-үй", "language": "kk", "contact": null,
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/api/v1/public/requests", &body).await
    }
}

async fn by_reference(desk: &Client, reference: &str) -> Value {
    let found = desk.get(&format!("/api/v1/requests?reference={reference}")).await.unwrap();
    let id = found["requests"][0]["id"].as_i64().unwrap();
    desk.get(&format!("/api/v1/requests/{id}")).await.unwrap()
}

async fn act(desk: &Client, request: &Value, mut body: Value) -> (StatusCode, Value) {
    body["version"] = request["version"].clone();
    desk.post(&format!("/api/v1/requests/{}/actions", request["id"]), &body).await.unwrap()
}

/// Waits for the requests of the demonstration.
async fn the_demonstration(desk: &Client) {
    let there = || async {
        let found = desk.get("/api/v1/requests?limit=200").await.unwrap();
        if found["requests"].as_array().unwrap().len() == 200 {
            Ok(())
        } else {
            Err(found["requests"].as_array().unwrap().len().to_string())
        }
    };
    until(PATIENCE, there).await.unwrap();
}

async fn in_database(dir: &std::path::Path, sql: &'static str) -> Vec<String> {
    let mut db = SqliteConnectOptions::new().filename(dir.join("hub.db")).read_only(true).connect().await.unwrap();
    let rows = sqlx::query(sql).fetch_all(&mut db).await.unwrap();
    rows.iter().map(|row| row.try_get::<Option<String>, _>(0).unwrap().unwrap_or_default()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resident_files_is_answered_first_judges_and_is_answered_again() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let resident = Resident::new(&hub);
    let contact = json!({ "name": "Айгүл", "phone": "+7 701 555 66 77", "email": null });
    let words = "Үйде жылу жоқ, тел 8 701 555 66 77, ЖСН 860412300123";
    let (status, receipt) = resident.file("form-0001", json!({ "text": words, "contact": contact })).await;
    assert_eq!(status, StatusCode::CREATED, "{receipt}");
    assert_eq!(receipt["masked"], json!(["iin", "phone"]), "{receipt}");
    let (reference, code) = (receipt["reference"].as_str().unwrap().to_owned(), receipt["code"].as_str().unwrap().to_owned());

    // The same form sent twice is one request, with the same code; with other words it is refused.
    let (status, again) = resident.file("form-0001", json!({ "text": words, "contact": contact })).await;
    assert_eq!(
        (status, &again["reference"], &again["code"], &again["replayed"]),
        (StatusCode::OK, &receipt["reference"], &receipt["code"], &json!(true))
    );
    let (status, refused) = resident.file("form-0001", json!({ "text": "Басқа мәселе туралы өтініш" })).await;
    assert_eq!((status, refused["error"]["code"].as_str()), (StatusCode::CONFLICT, Some("idempotency_conflict")));

    // Nothing of the phone or the IIN lies in the database in clear.
    for column in [
        "SELECT body FROM request",
        "SELECT sealed FROM request_contact",
        "SELECT words FROM request_step",
        "SELECT idem_body FROM request",
    ] {
        for text in in_database(dir.path(), column).await {
            assert!(!text.contains("555 66") && !text.contains("860412300123") && !text.contains("Айгүл"), "{column}: {text}");
        }
    }

    let desk = hub.log_in("resident_operator").await.unwrap();
    let request = by_reference(&desk, &reference).await;
    assert_eq!((request["state"].as_str(), request["has_contact"].as_bool()), (Some("received"), Some(true)), "{request}");
    assert_eq!(request["due_at"], request["answer_by"], "until the resident is answered, that is the clock");
    let (status, refused) = act(&desk, &request, json!({ "action": "done", "words": "жөнделді" })).await;
    assert_eq!((status, refused["error"]["code"].as_str()), (StatusCode::CONFLICT, Some("not_now")), "nothing is done before the answer");

    let (status, refused) = desk.post(&format!("/api/v1/requests/{}/contact", request["id"]), &json!({ "purpose": "why" })).await.unwrap();
    assert_eq!((status, refused["error"]["code"].as_str()), (StatusCode::FORBIDDEN, Some("purpose_required")));
    let (status, opened) = desk
        .post(&format!("/api/v1/requests/{}/contact", request["id"]), &json!({ "purpose": "бригада кіре алмады, қоңырау" }))
        .await
        .unwrap();
    assert_eq!((status, opened["phone"].as_str()), (StatusCode::OK, Some("+7 701 555 66 77")));

    let (status, answered) = act(&desk, &request, json!({ "action": "answer", "words": "Бригада бүгін келеді" })).await;
    assert_eq!((status, answered["state"].as_str()), (StatusCode::OK, Some("answered")), "{answered}");
    assert_eq!(answered["due_at"], answered["promised_at"]);
    let (status, _) = act(&desk, &request, json!({ "action": "start" })).await;
    assert_eq!(status, StatusCode::CONFLICT, "an old version changes nothing");
    let (_, done) = act(&desk, &answered, json!({ "action": "done", "words": "Құбыр ауыстырылды" })).await;
    let path = format!("/api/v1/public/requests/{reference}");
    let (_, shown) = resident.get(&path).await;
    assert_eq!(
        (shown["state"].as_str(), shown["can_judge"].as_bool(), shown["answer"].as_str()),
        (Some("done"), Some(true), Some("Құбыр ауыстырылды"))
    );
    assert!(shown.get("text").is_none() && shown.get("position").is_none(), "{shown}");
    let text = resident.text(&format!("{path}/status.txt?lang=ru")).await;
    assert!(text.starts_with(&format!("Обращение {reference}")) && text.contains("выполнено") && text.chars().count() <= 300, "{text}");

    let (status, refused) = resident.post(&format!("{path}/verdict"), &json!({ "code": "00000000", "verdict": "not_fixed" })).await;
    assert_eq!((status, refused["error"]["code"].as_str()), (StatusCode::FORBIDDEN, Some("bad_code")));
    let (status, reopened) =
        resident.post(&format!("{path}/verdict"), &json!({ "code": code, "verdict": "not_fixed", "words": "әлі суық" })).await;
    assert_eq!(
        (status, reopened["state"].as_str(), reopened["reopened"].as_i64()),
        (StatusCode::OK, Some("reopened"), Some(1)),
        "{reopened}"
    );
    let request = by_reference(&desk, &reference).await;
    assert_eq!(request["due_at"], request["answer_by"], "it begins with an answer again");
    let actions: Vec<&str> = request["history"].as_array().unwrap().iter().map(|h| h["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["receive", "answer", "done", "not_fixed"]);
    assert_eq!(done["version"], json!(3));

    let auditor = hub.log_in("auditor").await.unwrap();
    let log = auditor.get("/api/v1/audit?limit=200").await.unwrap().to_string();
    for action in ["request.contact", "request.answer", "request.done"] {
        assert!(log.contains(action), "{action} was not written down");
    }
    // A guesser of codes is stopped, and so is the right code for that time.
    for _ in 0..6 {
        let _ = resident.post(&format!("{path}/verdict"), &json!({ "code": "11111111", "verdict": "confirmed" })).await;
    }
    let (status, _) = resident.post(&format!("{path}/verdict"), &json!({ "code": code, "verdict": "confirmed" })).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_submissions_get_a_reason_and_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let resident = Resident::new(&hub);
    let count = async || in_database(dir.path(), "SELECT CAST(COUNT(*) AS TEXT) FROM request WHERE demo = 0").await.remove(0);
    for (more, status, code) in [
        (json!({ "category": "dragons" }), 422, "unknown_category"),
        (json!({ "position": [51.1, 71.4] }), 422, "outside_areas"),
        (json!({ "position": [991.0, 71.4] }), 422, "invalid"),
        (json!({ "text": "x" }), 422, "invalid"),
        (json!({ "text": "12345 6789 …………" }), 422, "invalid"),
        (json!({ "text": "ә".repeat(4_001) }), 422, "invalid"),
        (json!({ "language": "de" }), 422, "invalid"),
        (json!({ "idempotency_key": "a b" }), 422, "invalid"),
        (json!({ "contact": { "name": "x", "phone": "call me", "email": null } }), 422, "invalid"),
        (json!({ "contact": { "name": "x", "phone": null, "email": "nowhere" } }), 422, "invalid"),
        (json!({ "attributes": { "unknown": "1" } }), 422, "invalid"),
        (json!({ "attributes": { "since_days": "many" } }), 422, "invalid"),
        (json!({ "form_token": "1.00" }), 403, "form_token"),
    ] {
        let (got, answer) = resident.file("form-bad-1", more.clone()).await;
        assert_eq!((got.as_u16(), answer["error"]["code"].as_str()), (status, Some(code)), "{more}: {answer}");
    }
    let (status, answer) = resident.file("form-bad-2", json!({ "position": [43.0, 69.0] })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer["error"]["nearest"]["distance_m"].as_f64().unwrap() > 2_000.0, "{answer}");
    let (status, _) = resident.file("form-bad-3", json!({ "text": "ә".repeat(60_000) })).await;
    assert!(status.is_client_error(), "{status}");
    // What another site could make a browser send.
    let body = json!({ "form_token": resident.form_token().await, "idempotency_key": "form-bad-4", "category": "heating", "text": "Үйде жылу жоқ", "position": HERE, "language": "kk" });
    let bare = resident.http.post(format!("{}/api/v1/public/requests", resident.base)).json(&body).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::FORBIDDEN);
    assert_eq!(count().await, "0", "nothing half-stored");

    let (status, receipt) = resident.file("form-good", json!({ "text": "Су \u{0}\u{202e}жоқ,\u{1b}[2J үш күн болды" })).await;
    assert_eq!(status, StatusCode::CREATED, "{receipt}");
    assert_eq!(in_database(dir.path(), "SELECT body FROM request WHERE demo = 0").await, ["Су жоқ,[2J үш күн болды"]);
    for (path, code) in [("4812093755612041", "bad_reference"), ("x", "bad_reference")] {
        let (status, answer) = resident.get(&format!("/api/v1/public/requests/{path}")).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(code)), "{path}");
    }
    let (status, near) = resident.get("/api/v1/public/requests/nearest?lat=42.9&lon=71.37").await;
    assert_eq!((status, near["area"].as_str(), near["inside"].as_bool()), (StatusCode::OK, Some("311000000"), Some(true)));
    // Guessing references is slow.
    let mut stopped = false;
    for _ in 0..80 {
        stopped |= resident.get("/api/v1/public/requests/1000000000000008").await.0 == StatusCode::TOO_MANY_REQUESTS;
    }
    assert!(stopped, "an address may guess as often as it likes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_are_proposed_joined_by_a_person_and_taken_apart() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let (resident, desk) = (Resident::new(&hub), hub.log_in("resident_operator").await.unwrap());
    let file = async |key: &str, position: [f64; 2]| {
        let (status, receipt) =
            resident.file(key, json!({ "category": "water-leak", "text": "Аулада құбыр жарылды", "position": position })).await;
        assert_eq!(status, StatusCode::CREATED, "{receipt}");
        receipt
    };
    let first = file("leak-0001", [42.93, 71.40]).await;
    let second = file("leak-0002", [42.9304, 71.4003]).await;
    file("leak-0003", [42.94, 71.42]).await;
    let pairs = desk.get("/api/v1/requests/duplicates").await.unwrap();
    let pair = pairs["pairs"].as_array().unwrap().iter().find(|p| p["b"]["reference"] == second["reference"]);
    assert_eq!(pair.unwrap()["a"]["reference"], first["reference"], "{pairs}");
    let follower = by_reference(&desk, second["reference"].as_str().unwrap()).await;
    assert_eq!(follower["duplicates"][0]["reference"], first["reference"]);
    let (status, merged) = act(&desk, &follower, json!({ "action": "merge", "into": first["reference"] })).await;
    assert_eq!(
        (status, merged["state"].as_str(), &merged["merged_into"]),
        (StatusCode::OK, Some("merged"), &first["reference"]),
        "{merged}"
    );
    let main = by_reference(&desk, first["reference"].as_str().unwrap()).await;
    assert_eq!((main["followers"].as_i64(), &main["followers_of"][0]["reference"]), (Some(1), &second["reference"]));
    let (status, _) = act(&desk, &main, json!({ "action": "merge", "into": merged["id"] })).await;
    assert_eq!(status, StatusCode::CONFLICT, "nobody follows a follower");
    let (status, _) = act(&desk, &main, json!({ "action": "merge", "into": main["id"] })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "nor itself");
    let (_, answered) = act(&desk, &main, json!({ "action": "answer", "words": "Бригада шықты" })).await;
    let (_, shown) = resident.get(&format!("/api/v1/public/requests/{}", second["reference"].as_str().unwrap())).await;
    assert_eq!(
        (shown["state"].as_str(), shown["merged"].as_bool(), shown["answer"].as_str()),
        (Some("answered"), Some(true), Some("Бригада шықты"))
    );
    let (status, split) = act(&desk, &merged, json!({ "action": "split", "reason": "басқа аула екен" })).await;
    assert_eq!((status, split["state"].as_str()), (StatusCode::OK, Some("received")), "{split}");
    assert_eq!(by_reference(&desk, first["reference"].as_str().unwrap()).await["followers"], 0);
    assert_eq!(answered["state"], "answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open311_speaks_the_standard_and_publishes_no_words_and_no_address() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let resident = Resident::new(&hub);
    the_demonstration(&hub.log_in("resident_operator").await.unwrap()).await;
    let key: String = serde_json::from_slice(&std::fs::read(dir.path().join("secrets/open311-key.json")).unwrap()).unwrap();
    let (status, services) = resident.get("/open311/v2/services.json").await;
    let codes: Vec<&str> = services.as_array().unwrap().iter().map(|s| s["service_code"].as_str().unwrap()).collect();
    assert!(status == StatusCode::OK && codes.contains(&"heating") && !codes.contains(&"clinic"), "{codes:?}");
    let (_, definition) = resident.get("/open311/v2/services/heating.json").await;
    assert_eq!(definition["attributes"][1]["values"][0]["key"], "flat", "{definition}");
    let xml = resident.text("/open311/v2/services/heating.xml").await;
    assert!(
        xml.starts_with("<?xml") && xml.contains("<service_definition>") && xml.contains("<service_code>heating</service_code>"),
        "{xml}"
    );

    let send = async |fields: &[(&str, &str)]| {
        let response = resident.http.post(format!("{}/open311/v2/requests.json", resident.base)).form(fields).send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    let words = "Подъезде шам жанбайды, Сәкен деген көршіге қоңырау шалыңыз";
    let fields = [
        ("service_code", "street-light"),
        ("lat", "42.90213"),
        ("long", "71.37822"),
        ("description", words),
        ("address_string", "Абай 12, 45-пәтер"),
        ("first_name", "Сәкен"),
        ("phone", "+7 702 111 22 33"),
        ("idempotency_key", "open311-0001"),
    ];
    let (status, answer) = send(&fields).await;
    assert_eq!(
        (status, answer[0]["code"].as_u64(), answer[0]["description"].as_str()),
        (StatusCode::FORBIDDEN, Some(403), Some("api_key was not provided"))
    );
    let with_key: Vec<(&str, &str)> = fields.iter().copied().chain([("api_key", key.as_str())]).collect();
    let (status, answer) = send(&with_key).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let id = answer[0]["service_request_id"].as_str().unwrap().to_owned();
    assert!(answer[0]["service_notice"].as_str().unwrap().contains("Reference"), "{answer}");
    let (_, again) = send(&with_key).await;
    assert_eq!(again[0]["service_request_id"].as_str(), Some(id.as_str()), "sent again it is the same request");
    for (name, value, says, status) in [
        ("service_code", "nothing", "service_code was not found", 404),
        ("lat", "north", "lat is no number", 400),
        ("lat", "51.1", "outside every district", 400),
        ("description", "", "description was not provided", 400),
        ("api_key", "wrong", "api_key is not valid", 403),
        ("attribute[x]", "1", "not asked for", 400),
    ] {
        let mut fields: Vec<(&str, &str)> = with_key.iter().copied().filter(|(n, _)| *n != name && *n != "idempotency_key").collect();
        fields.push((name, value));
        let (got, answer) = send(&fields).await;
        assert!(got.as_u16() == status && answer[0]["description"].as_str().unwrap().contains(says), "{name}={value}: {got} {answer}");
    }

    for path in [
        "/open311/v2/requests.json",
        "/open311/v2/requests.xml",
        &format!("/open311/v2/requests/{id}.json"),
        &format!("/open311/v2/requests/{id}.xml"),
    ] {
        let text = resident.text(path).await;
        for secret in ["Сәкен", "Абай 12", "45-пәтер", "702 111", "42.90213", "71.37822", "Подъезде"] {
            assert!(!text.contains(secret), "{path} tells {secret}");
        }
    }
    let (_, own) = resident.get(&format!("/open311/v2/requests/{id}.json")).await;
    let (lat, long) = (own[0]["lat"].as_f64().unwrap(), own[0]["long"].as_f64().unwrap());
    assert!((lat - 42.90213).abs() < 0.002 && (long - 71.37822).abs() < 0.003 && own[0]["status"] == "open", "{own}");
    assert!(own[0]["requested_datetime"].as_str().unwrap().ends_with(":00:00.000Z"), "{own}");
    let (_, listed) = resident.get("/open311/v2/requests.json?service_code=street-light&status=open&page_size=1000").await;
    assert!(listed.as_array().unwrap().iter().all(|r| r["service_code"] == "street-light" && r["status"] == "open"));
    assert!(listed.as_array().unwrap().iter().any(|r| r["service_request_id"].as_str() == Some(&id)), "{listed}");
    let (_, one) = resident.get("/open311/v2/requests.json?page=1&page_size=3").await;
    let (_, two) = resident.get("/open311/v2/requests.json?page=2&page_size=3").await;
    let ids = |v: &Value| {
        v.as_array().unwrap().iter().map(|r| r["service_request_id"].as_str().unwrap().parse::<i64>().unwrap()).collect::<Vec<_>>()
    };
    let (one, two) = (ids(&one), ids(&two));
    assert!(one.len() == 3 && two.len() == 3 && one[2] > two[0], "{one:?} {two:?}");
    for (path, status) in [
        ("/open311/v2/requests.json?status=maybe", 400),
        ("/open311/v2/requests.json?start_date=yesterday", 400),
        ("/open311/v2/requests/0.json", 404),
        ("/open311/v2/requests/1.pdf", 404),
        ("/open311/v2/services/none.json", 404),
        ("/open311/v2/tokens/1-00.json", 404),
        ("/open311/v2/requests.json?page=999999", 400),
    ] {
        let (got, answer) = resident.get(path).await;
        assert!(got.as_u16() == status && answer[0]["code"].as_u64() == Some(u64::from(status)), "{path}: {got} {answer}");
    }
    let xml = resident.text("/open311/v2/requests/0.xml").await;
    assert!(xml.contains("<errors><error><code>404</code>"), "{xml}");
    // The number of Open311 opens no status page.
    assert_eq!(resident.get(&format!("/api/v1/public/requests/{id}")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spike_is_a_signal_to_the_service_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let desk = hub.log_in("resident_operator").await.unwrap();
    // The demonstration's morning without heating is judged by the hub's own clock.
    let signal = until(PATIENCE, || async {
        let signals = desk.get("/api/v1/requests/signals?state=open").await.unwrap();
        let found = signals["signals"].as_array().unwrap().iter().find(|s| s["category"] == "heating").cloned();
        found.ok_or_else(|| signals.to_string())
    })
    .await
    .unwrap();
    assert_eq!((signal["service"].as_str(), signal["formula"].as_str()), (Some("heat"), Some("ears-c2-1")), "{signal}");
    assert!(signal["count"].as_f64().unwrap() > signal["threshold"].as_f64().unwrap());
    let duty = hub.log_in("duty_officer").await.unwrap();
    let alerts = duty.get("/api/v1/alerts?state=open").await.unwrap();
    assert!(alerts["alerts"].as_array().unwrap().iter().all(|a| a["kind"] != "hazard" && a["kind"] != "crowd"), "{alerts}");
    let police = hub.log_in("police_desk").await.unwrap();
    for path in ["/api/v1/requests/signals", "/api/v1/requests", "/api/v1/requests/figures", "/api/v1/requests/heat"] {
        let status = police.request(Method::GET, path).send().await.unwrap().status();
        assert_eq!(status, StatusCode::FORBIDDEN, "{path} is open to the police desk");
    }
    assert_eq!(in_database(dir.path(), "SELECT CAST(COUNT(*) AS TEXT) FROM outbox").await, ["0"], "something left by a connector");
    let causes = in_database(dir.path(), "SELECT cause FROM alert").await;
    assert!(causes.iter().all(|cause| !cause.contains("heating") && !cause.contains("request")), "{causes:?}");
    let (status, taken) = desk
        .post(
            &format!("/api/v1/requests/signals/{}/actions", signal["id"]),
            &json!({ "action": "accept", "words": "Апат бригадасы шықты" }),
        )
        .await
        .unwrap();
    assert_eq!((status, taken["state"].as_str()), (StatusCode::OK, Some("accepted")), "{taken}");
    let analyst = hub.log_in("analyst").await.unwrap();
    let told = analyst.get("/api/v1/requests/signals").await.unwrap();
    assert_eq!(told["signals"][0]["count"].as_u64().unwrap() % 10, 0, "rounded for whoever reads no requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_are_rounded_for_everybody_but_the_desk() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let (desk, deputy) = (hub.log_in("resident_operator").await.unwrap(), hub.log_in("deputy").await.unwrap());
    the_demonstration(&desk).await;
    // The year and the month of thirty days ago hold requests of the demonstration, whenever this runs.
    let day = (SystemClock.utc() - Duration::from_secs(30 * 86_400)).to_string();
    for period in [&day[..4], &day[..7]] {
        let told = deputy.get(&format!("/api/v1/requests/figures?period={period}")).await.unwrap();
        let exact = desk.get(&format!("/api/v1/requests/figures?period={period}")).await.unwrap();
        assert_eq!((told["exact"].as_bool(), exact["exact"].as_bool()), (Some(false), Some(true)));
        let total = exact["total"].as_u64().unwrap();
        assert!(total > 20 && told["total"].as_u64() == Some(total / 10 * 10), "{total} {told}");
        for count in
            told["shares"].as_array().unwrap().iter().chain(told["services"].as_array().unwrap()).filter_map(|s| s["count"].as_u64())
        {
            assert!(count >= 10 && count % 10 == 0, "{told}");
        }
    }
    let heat = Resident::new(&hub).get("/api/v1/public/requests/heat").await.1;
    assert!(heat["areas"].as_array().unwrap().iter().all(|a| a["count"].is_null() || a["count"].as_u64().unwrap() % 10 == 0), "{heat}");
    for path in ["/api/v1/requests", "/api/v1/requests/1", "/api/v1/requests/duplicates"] {
        assert_eq!(deputy.request(Method::GET, path).send().await.unwrap().status(), StatusCode::FORBIDDEN, "{path}");
    }
    for period in ["2026-11-22", "all", "2026-W47"] {
        assert_eq!(
            deputy.request(Method::GET, &format!("/api/v1/requests/figures?period={period}")).send().await.unwrap().status(),
            StatusCode::UNPROCESSABLE_ENTITY
        );
    }
    let book = deputy.request(Method::GET, "/api/v1/requests/export.xlsx?period=2026&lang=ru").send().await.unwrap().bytes().await.unwrap();
    assert!(book.starts_with(b"PK"), "no workbook");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_search_finds_the_same_on_both_databases() {
    let server = Postgres::start().await.unwrap();
    for store in [None, Some(server.database().await.unwrap())] {
        let dir = tempfile::tempdir().unwrap();
        let on = if store.is_some() { "PostgreSQL" } else { "SQLite" };
        let hub = Hub::start(dir.path(), Options { store, ..centre() }).await.unwrap();
        let (resident, desk) = (Resident::new(&hub), hub.log_in("resident_operator").await.unwrap());
        for (key, category, text, position) in [
            ("search-01", "bus", "Зебракөлік аялдамасында шам жоқ", [42.91, 71.36]),
            ("search-02", "bus", "Зебракөліктер кешігеді", [43.04, 74.71]),
            ("search-03", "yard", "Зебракөлікті аулаға қойып кетті", [42.91, 71.36]),
        ] {
            let (status, receipt) = resident.file(key, json!({ "category": category, "text": text, "position": position })).await;
            assert_eq!(status, StatusCode::CREATED, "{receipt}");
        }
        let find = async |query: &str| {
            let found = desk.get(&format!("/api/v1/requests?{query}")).await.unwrap();
            let rows: Vec<String> =
                found["requests"].as_array().unwrap().iter().map(|r| r["text"].as_str().unwrap_or_default().to_owned()).collect();
            (rows, found["next"].clone())
        };
        let (rows, _) = find("text=зебракөлік").await;
        assert_eq!(rows, ["Зебракөлікті аулаға қойып кетті", "Зебракөліктер кешігеді", "Зебракөлік аялдамасында шам жоқ"], "{on}");
        for (query, count) in [
            ("text=зебракөлік&category=bus", 2),
            ("text=зебракөлік&category=bus&area=311000000", 1),
            ("text=зебракөлік+шам", 1),
            ("text=зебракөлік&state=closed", 0),
            ("text=зебракөлік&open=true", 3),
            ("text=зебракөлік&overdue=any", 0),
            ("text=зебракөлік&service=cleaning&channel=page", 1),
            ("text=зебракөлік&from=2000-01-01&to=2099-01-01", 3),
            ("text=зебракөлік&to=2020-01-01", 0),
            ("text=%22%27)(*:%26|!", 0),
            ("text=зебракөлік%22+OR+%22жоқ", 0),
            ("service=x%27+OR+1=1", 0),
        ] {
            assert_eq!(find(query).await.0.len(), count, "{on}: {query}");
        }
        let (page, next) = find("text=зебракөлік&limit=2").await;
        let (rest, end) = find(&format!("text=зебракөлік&limit=2&after={}", next.as_str().unwrap())).await;
        assert_eq!((page.len(), rest.len(), end), (2, 1, Value::Null), "{on}");
        let (page, next) = find("open=true&limit=1").await;
        let (other, _) = find(&format!("open=true&limit=1&after={}", next.as_str().unwrap())).await;
        assert!(page.len() == 1 && other.len() == 1, "{on}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_takes_issues_up_and_a_deputy_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let (analyst, deputy) = (hub.log_in("analyst").await.unwrap(), hub.log_in("deputy").await.unwrap());
    let plan = deputy.get("/api/v1/plan").await.unwrap();
    assert_eq!(
        (plan["blocks"].as_array().unwrap().len(), plan["figures"]["measures"].as_u64(), plan["demo"].as_bool()),
        (6, Some(32), Some(true))
    );
    let body = json!({ "meeting": "Ауыл жиыны", "held_on": "2026-11-10", "area": "311000000", "block": "roads", "text": "Өткелге шам керек, тел 8 701 555 66 77" });
    let (status, issue) = analyst.post("/api/v1/plan/issues", &body).await.unwrap();
    assert_eq!((status, &issue["masked"]), (StatusCode::CREATED, &json!(["phone"])), "{issue}");
    let (status, _) = deputy.post("/api/v1/plan/issues", &body).await.unwrap();
    assert_eq!(status, StatusCode::FORBIDDEN, "a deputy reads");
    let new = json!({ "block": "roads", "title": { "kk": "Өткелге шам", "ru": "Свет на переходе", "en": "" }, "owner": "Жол бөлімі", "deadline": "2026-12-30" });
    let (status, taken) =
        analyst.post(&format!("/api/v1/plan/issues/{}/actions", issue["id"]), &json!({ "action": "take", "new": new })).await.unwrap();
    assert_eq!((status, taken["state"].as_str()), (StatusCode::OK, Some("taken")), "{taken}");
    let (status, _) =
        analyst.post(&format!("/api/v1/plan/issues/{}/actions", issue["id"]), &json!({ "action": "decline", "words": "x" })).await.unwrap();
    assert_eq!(status, StatusCode::CONFLICT);
    let path = format!("/api/v1/plan/measures/{}", taken["measure"]);
    let measure = deputy.get(&path).await.unwrap();
    assert_eq!(
        (measure["number"].as_str(), measure["title"]["en"].as_str(), &measure["issue"]),
        (Some("2.6"), Some("Өткелге шам"), &issue["id"])
    );
    let edit = |deadline: &str, reason: Value| json!({ "version": 1, "title": measure["title"], "owner": "Жол бөлімі", "area": null, "deadline": deadline, "expected": null, "state": "running", "reason": reason });
    let put = async |body: Value| {
        let response = analyst.request(Method::PUT, &path).json(&body).send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    assert_eq!(put(edit("2027-01-30", Value::Null)).await.0, StatusCode::UNPROCESSABLE_ENTITY, "a deadline moves with a reason");
    let (status, moved) = put(edit("2027-01-30", json!("бағана кешікті"))).await;
    assert_eq!((status, moved["history"].as_array().unwrap().len()), (StatusCode::OK, 2), "{moved}");
    assert_eq!(put(edit("2027-02-30", json!("x"))).await.0, StatusCode::CONFLICT);
    let progress = async |body: Value| analyst.post(&format!("{path}/progress"), &body).await.unwrap();
    assert_eq!(progress(json!({ "version": 2, "progress": 100 })).await.0, StatusCode::UNPROCESSABLE_ENTITY, "done needs evidence");
    assert_eq!(progress(json!({ "version": 2, "progress": 50, "url": "javascript:alert(1)" })).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, done) = progress(json!({ "version": 2, "progress": 100, "words": "Акт № 12" })).await;
    assert_eq!(
        (status, done["state"].as_str(), done["evidence"][0]["words"].as_str()),
        (StatusCode::OK, Some("done"), Some("Акт № 12")),
        "{done}"
    );
    let book = deputy.request(Method::GET, "/api/v1/plan/export.xlsx?lang=kk").send().await.unwrap().bytes().await.unwrap();
    assert!(book.starts_with(b"PK"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_keeps_every_version_and_papers_read_as_pdf() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let (duty, analyst) = (hub.log_in("duty_officer").await.unwrap(), hub.log_in("analyst").await.unwrap());
    let entry = json!({ "at": "2026-03-10T03:00:00Z", "kind": "fire", "area": "311000000", "what": "Қорада өрт", "measures": "Сөндірілді", "injured": 1 });
    let with = |key: &str, value: Value| {
        let mut body = entry.clone();
        body[key] = value;
        body
    };
    for (key, value) in [
        ("injured", json!(-1)),
        ("children", json!(9)),
        ("at", json!("2099-01-01T00:00:00Z")),
        ("what", json!("")),
        ("reason", json!("x")),
        ("kind", json!("alien")),
    ] {
        let (status, _) = duty.post("/api/v1/journal", &with(key, value.clone())).await.unwrap();
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{key} {value}");
    }
    let (status, written) = duty.post("/api/v1/journal", &entry).await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{written}");
    let mut correction = with("injured", json!(3));
    let path = format!("/api/v1/journal/{}", written["id"]);
    let (status, _) = duty.post(&format!("{path}/corrections"), &correction).await.unwrap();
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "a correction says why");
    correction["reason"] = json!("аурухана нақтылады");
    let (status, corrected) = duty.post(&format!("{path}/corrections"), &correction).await.unwrap();
    assert_eq!((status, corrected["injured"].as_i64(), corrected["corrected"].as_bool()), (StatusCode::OK, Some(3), Some(true)));
    assert_eq!(
        (corrected["versions"][0]["injured"].as_i64(), corrected["versions"].as_array().unwrap().len()),
        (Some(1), 2),
        "the first version stays"
    );
    let (status, _) = analyst.post("/api/v1/journal", &entry).await.unwrap();
    assert_eq!(status, StatusCode::FORBIDDEN);
    // 24 hours up to 08:00 in Taraz on the 10th end at 03:00 UTC: what happened then is the next bulletin's.
    let bulletin = duty.get("/api/v1/journal/bulletin?day=2026-03-11").await.unwrap();
    assert_eq!((bulletin["totals"]["injured"].as_i64(), bulletin["corrected_later"].as_i64().is_some()), (Some(3), true), "{bulletin}");
    assert_eq!(duty.get("/api/v1/journal/bulletin?day=2026-03-10").await.unwrap()["totals"]["injured"], 0);
    for path in ["/api/v1/journal/bulletin.pdf?lang=kk", "/api/v1/journal/bulletin.pdf?day=2026-03-11&lang=ru"] {
        let pdf = duty.request(Method::GET, path).send().await.unwrap().bytes().await.unwrap();
        assert!(pdf.starts_with(b"%PDF"), "{path}");
    }
    let deputy = hub.log_in("deputy").await.unwrap();
    let report = deputy.get("/api/v1/reports/quarterly?area=311000000&quarter=2026-Q4").await.unwrap();
    assert!(report["plan"]["measures"].as_array().unwrap().len() > 10 && report["demo"] == true, "{report}");
    for lang in ["kk", "ru", "en"] {
        let path = format!("/api/v1/reports/quarterly.pdf?area=311000000&quarter=2026-Q4&lang={lang}");
        let pdf = deputy.request(Method::GET, &path).send().await.unwrap().bytes().await.unwrap();
        assert!(pdf.starts_with(b"%PDF") && pdf.len() > 8_000, "{lang}: {}", pdf.len());
    }
    for (query, status) in [("area=311000000&quarter=2026-11", 422), ("area=999999999", 404), ("quarter=2026-Q4", 422)] {
        let got = deputy.request(Method::GET, &format!("/api/v1/reports/quarterly?{query}")).send().await.unwrap().status();
        assert_eq!(got.as_u16(), status, "{query}");
    }

    let note = json!({ "title": "Жарық", "area": "311000000", "finding": "f", "evidence": "e", "recommendation": "r", "addressee": "Әкімдік", "deadline": "2026-12-01" });
    let (status, made) = analyst.post("/api/v1/notes", &note).await.unwrap();
    assert_eq!((status, made["state"].as_str()), (StatusCode::CREATED, Some("draft")), "{made}");
    let path = format!("/api/v1/notes/{}", made["id"]);
    assert_eq!(deputy.request(Method::GET, &path).send().await.unwrap().status(), StatusCode::NOT_FOUND, "a draft is its author's");
    let (status, sent) = analyst.post(&format!("{path}/actions"), &json!({ "version": 1, "action": "send" })).await.unwrap();
    assert_eq!((status, sent["state"].as_str()), (StatusCode::OK, Some("sent")));
    let mut changed = note.clone();
    changed["version"] = json!(2);
    assert_eq!(
        analyst.request(Method::PUT, &path).json(&changed).send().await.unwrap().status(),
        StatusCode::CONFLICT,
        "what was sent stays"
    );
    let (_, answered) = analyst
        .post(&format!("{path}/actions"), &json!({ "version": 2, "action": "answer", "words": "Орнатылды", "from": "Әкімдік" }))
        .await
        .unwrap();
    assert_eq!(answered["state"], "answered");
    assert_eq!(deputy.get(&path).await.unwrap()["answer"], "Орнатылды");
}
