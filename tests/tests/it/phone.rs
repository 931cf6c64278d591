//! The third door: phones of school contacts, over HTTP as their page uses it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use qorgan_tests::hub::{Client, Hub, http_client, until};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::hub::{PATIENCE, centre};

const CANCEL: &str = "2580";
const DURESS: &str = "91370";

/// A phone's browser: its cookies, and the header its page sends.
struct Phone {
    http: reqwest::Client,
    base: String,
}

/// Status, headers but the date, body.
type Answer = (StatusCode, HeaderMap, String);

impl Phone {
    fn new(hub: &Hub) -> Self {
        Self { http: http_client().unwrap(), base: hub.base() }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.http.request(method, format!("{}/api/v1/phone{path}", self.base)).header("x-qorgan-phone", "1").json(&body);
        let response = request.send().await.unwrap();
        let (status, mut headers) = (response.status(), response.headers().clone());
        headers.remove("date");
        (status, headers, response.text().await.unwrap())
    }

    async fn enrol(&self, code: &str) -> (StatusCode, Value) {
        let (status, _, body) =
            self.ask(Method::POST, "/enrol", json!({ "code": code, "cancel_code": CANCEL, "duress_code": DURESS })).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    async fn press(&self, seq: u64, more: Value) -> (StatusCode, Value) {
        let mut body = json!({ "kind": "panic", "seq": seq, "boot": "b1", "at": "2026-11-22T01:00:00Z" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, _, body) = self.ask(Method::POST, "/press", body).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    async fn cancel(&self, seq: u64, code: &str) -> Answer {
        self.ask(Method::POST, "/cancel", json!({ "code": code, "seq": seq, "boot": "b1" })).await
    }
}

async fn code_for(manager: &Client, site: &str) -> String {
    let (status, made) = manager.post("/api/v1/phones/enrolments", &json!({ "site": site, "name": "Headteacher" })).await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(made["path"], format!("/phone#{}", made["code"].as_str().unwrap()));
    made["code"].as_str().unwrap().to_owned()
}

/// An enrolled phone of School No. 17 and its device.
async fn enrolled(hub: &Hub) -> (Phone, String) {
    let lead = hub.log_in("shift_lead").await.unwrap();
    let phone = Phone::new(hub);
    let (status, who) = phone.enrol(&code_for(&lead, "school-17").await).await;
    assert_eq!(status, StatusCode::CREATED, "{who}");
    assert_eq!(who["site_name"]["en"], "School No. 17");
    (phone, who["device"].as_str().unwrap().to_owned())
}

async fn open_alarms(desk: &Client, device: &str) -> Vec<Value> {
    let open = desk.get("/api/v1/alerts?state=open").await.unwrap();
    open["alerts"].as_array().unwrap().iter().filter(|a| a["kind"] == "alarm" && a["device"] == device).cloned().collect()
}

async fn the_alarm(desk: &Client, device: &str, fits: impl Fn(&Value) -> bool) -> Value {
    until(PATIENCE, || async {
        let alarms = open_alarms(desk, device).await;
        match alarms.as_slice() {
            [alarm] if fits(alarm) => Ok(alarm.clone()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_is_enrolled_once_presses_once_and_the_desk_knows_whose_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let school = hub.log_in("school_contact").await.unwrap();
    let (status, _) = school.post("/api/v1/phones/enrolments", &json!({ "site": "dostyk-square", "name": "Elsewhere" })).await.unwrap();
    assert_eq!(status, StatusCode::NOT_FOUND, "a school contact keeps the phones of its own site only");
    let code = code_for(&school, "school-17").await;
    let phone = Phone::new(&hub);
    assert_eq!(phone.ask(Method::GET, "", Value::Null).await.0, StatusCode::UNAUTHORIZED);
    let body = json!({ "code": code, "cancel_code": "0000", "duress_code": DURESS });
    assert_eq!(phone.ask(Method::POST, "/enrol", body).await.0, StatusCode::UNPROCESSABLE_ENTITY, "and the code is not used up");
    // Typed by hand, in lower case and without the dash.
    let (status, who) = phone.enrol(&code.to_lowercase().replace('-', " ")).await;
    assert_eq!(status, StatusCode::CREATED, "{who}");
    let device = who["device"].as_str().unwrap().to_owned();
    assert!(device.starts_with("school-17/phone-"), "{device}");
    let (status, again) = Phone::new(&hub).enrol(&code).await;
    assert_eq!((status, again["error"]["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("bad_code")), "a code is good once");

    let (status, _, view) = phone.ask(Method::GET, "", Value::Null).await;
    let view: Value = serde_json::from_str(&view).unwrap();
    assert_eq!((status, view["device"].as_str(), view["drill"].as_bool()), (StatusCode::OK, Some(device.as_str()), Some(false)));
    let (status, receipt) = phone.press(1, json!({})).await;
    assert_eq!((status, receipt["repeat"].as_bool()), (StatusCode::CREATED, Some(false)), "{receipt}");
    let (status, receipt) = phone.press(1, json!({})).await;
    assert_eq!((status, receipt["repeat"].as_bool()), (StatusCode::CREATED, Some(true)), "{receipt}");

    let duty = hub.log_in("duty_officer").await.unwrap();
    let alarm = the_alarm(&duty, &device, |_| true).await;
    assert_eq!((alarm["alarm"]["presses"].as_u64(), alarm["alarm"]["doors"].clone()), (Some(1), json!(["phone"])), "{alarm}");
    let sites = duty.get("/api/v1/sites").await.unwrap();
    let site = sites["sites"].as_array().unwrap().iter().find(|s| s["id"] == "school-17").unwrap();
    assert_eq!(alarm["position"], site["position"], "a phone stands where its site is");
    assert_eq!(site["device_names"][&device]["en"], "Headteacher");

    // A press that only a page of ours could have sent.
    let bare = phone.http.post(format!("{}/api/v1/phone/press", phone.base)).json(&json!({ "kind": "panic", "seq": 9, "boot": "b1" }));
    assert_eq!(bare.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let (status, refused) = phone.press(10, json!({ "test": true })).await;
    assert_eq!((status, refused["error"]["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("no_drill")));
    // A clock that does not read and a field from the future cost nothing.
    let (status, _) = phone.press(11, json!({ "kind": "fire", "at": "yesterday", "strength": 3 })).await;
    assert_eq!(status, StatusCode::CREATED);

    let list = school.get("/api/v1/phones").await.unwrap();
    assert_eq!(list["phones"][0]["device"], device.as_str());
    let devices = school.get("/api/v1/devices").await.unwrap();
    let own = devices["devices"].as_array().unwrap().iter().find(|d| d["id"] == device.as_str()).unwrap();
    assert_eq!(
        (own["kind"].as_str(), own["state"].as_str(), own["name"]["ru"].as_str()),
        (Some("phone"), Some("unsupervised"), Some("Headteacher"))
    );
    let gone = school.request(Method::DELETE, &format!("/api/v1/phones/{device}")).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    let (status, refused) = phone.press(12, json!({})).await;
    assert_eq!((status, refused["error"]["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("revoked")));
    let auditor = hub.log_in("auditor").await.unwrap();
    let audit = auditor.get("/api/v1/audit?limit=50").await.unwrap();
    let actions: Vec<&str> = audit["entries"].as_array().unwrap().iter().filter_map(|e| e["action"].as_str()).collect();
    for action in ["phone.enrolment", "phone.enrol", "phone.list", "phone.revoke"] {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_duress_code_gets_the_very_answer_of_the_cancel_code_and_only_the_desk_sees_the_difference() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let (phone, device) = enrolled(&hub).await;
    let duty = hub.log_in("duty_officer").await.unwrap();
    assert_eq!(phone.press(1, json!({})).await.0, StatusCode::CREATED);
    the_alarm(&duty, &device, |_| true).await;
    let cancel = phone.cancel(2, CANCEL).await;
    assert_eq!((cancel.0, cancel.2.as_str()), (StatusCode::OK, r#"{"cancelled":true}"#));
    let marked = the_alarm(&duty, &device, |a| !a["alarm"]["cancelled_at"].is_null()).await;
    assert_eq!((marked["state"].as_str(), marked["alarm"]["duress_at"].clone()), (Some("raised"), Value::Null), "a cancel closes nothing");
    let duress = phone.cancel(3, DURESS).await;
    assert_eq!(duress, cancel, "status, headers and bytes");
    let marked = the_alarm(&duty, &device, |a| !a["alarm"]["duress_at"].is_null()).await;
    assert_eq!(marked["level"], "critical", "{marked}");
    // The school's own desk may be watched by whoever forces the code.
    let school = hub.log_in("school_contact").await.unwrap();
    let seen = the_alarm(&school, &device, |_| true).await;
    assert!(seen["alarm"]["duress_at"].is_null() && !seen["alarm"]["cancelled_at"].is_null(), "{seen}");
    // With nothing open: a cancel is answered the same; a duress code is an alarm of its own.
    let (other, elsewhere) = enrolled(&hub).await;
    assert_eq!(other.cancel(1, CANCEL).await, cancel);
    assert_eq!(open_alarms(&duty, &elsewhere).await.len(), 0);
    assert_eq!(other.cancel(2, DURESS).await, cancel);
    let alarm = the_alarm(&duty, &elsewhere, |_| true).await;
    assert_eq!(alarm["level"], "critical", "{alarm}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_codes_take_about_as_long() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let (phone, _) = enrolled(&hub).await;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..15u64 {
        for (i, code) in [CANCEL, DURESS].into_iter().enumerate() {
            let began = std::time::Instant::now();
            assert_eq!(phone.cancel(round * 2 + i as u64, code).await.0, StatusCode::OK);
            times[i].push(began.elapsed());
        }
    }
    let [cancel, duress] = times.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    });
    // One hash more or less would be a factor of two.
    assert!((0.6..1.6).contains(&(duress / cancel)), "cancel {cancel} s, duress {duress} s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_wrong_codes_have_to_wait_and_presses_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let (phone, _) = enrolled(&hub).await;
    // Many at once gain nothing.
    let tries = futures::future::join_all((0..12).map(|i| phone.cancel(i, "4711"))).await;
    let count = |status: StatusCode| tries.iter().filter(|t| t.0 == status).count();
    assert_eq!((count(StatusCode::UNPROCESSABLE_ENTITY), count(StatusCode::TOO_MANY_REQUESTS)), (5, 7));
    assert_eq!(phone.cancel(20, CANCEL).await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(phone.press(21, json!({})).await.0, StatusCode::CREATED);
    let stranger = Phone::new(&hub);
    for _ in 0..10 {
        assert_eq!(stranger.enrol("ABCD-EFGH").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(stranger.enrol("ABCD-EFGH").await.0, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_cannot_be_written_gives_no_receipt_and_the_desk_sees_the_press_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let (phone, device) = enrolled(&hub).await;
    let duty = hub.log_in("duty_officer").await.unwrap();
    let mut lock = SqliteConnectOptions::new().filename(dir.path().join("journal.db")).connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut lock).await.unwrap();
    let (status, refused) = phone.press(1, json!({})).await;
    assert_eq!((status, refused["error"]["code"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("not_stored")));
    let shown = the_alarm(&duty, &device, |_| true).await;
    assert_eq!(shown["stored"], false, "{shown}");
    sqlx::query("ROLLBACK").execute(&mut lock).await.unwrap();
    lock.close().await.unwrap();
    let (status, receipt) = phone.press(1, json!({})).await;
    assert_eq!(status, StatusCode::CREATED, "{receipt}");
    let stored = the_alarm(&duty, &device, |a| a["stored"] == true).await;
    assert_eq!(stored["alarm"]["presses"], 1, "{stored}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_a_press_with_a_201_is_there_and_the_phone_is_still_enrolled() {
    let dir = tempfile::tempdir().unwrap();
    let mut hub = Hub::start(dir.path(), centre()).await.unwrap();
    let (mut phone, device) = enrolled(&hub).await;
    assert_eq!(phone.press(1, json!({ "kind": "medical" })).await.0, StatusCode::CREATED);
    hub.kill();
    hub.restart().await.unwrap();
    phone.base = hub.base();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let alarm = the_alarm(&duty, &device, |_| true).await;
    assert_eq!(alarm["alarm"]["kind"], "medical", "{alarm}");
    let (status, receipt) = tokio::time::timeout(Duration::from_secs(20), phone.press(1, json!({ "kind": "medical" }))).await.unwrap();
    assert_eq!((status, receipt["repeat"].as_bool()), (StatusCode::CREATED, Some(true)), "{receipt}");
    let (status, _) = phone.press(2, json!({ "kind": "medical" })).await;
    assert_eq!(status, StatusCode::CREATED);
}
