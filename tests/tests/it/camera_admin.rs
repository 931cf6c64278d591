//! Cameras that come and go while the hub runs, counts of other systems, and badges: the whole hub, from outside.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use qorgan_tests::{
    hub::{Client, Hub, Options, until},
    lite::{Lite, publish},
    paths, sites,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hub::{PATIENCE, cameras, centre};

const NAME: &str = "{ kk = \"a\", ru = \"b\", en = \"c\" }";

fn config(dir: &Path) -> PathBuf {
    let text = format!(
        "areas = \"{root}/configs/areas/zhambyl.geojson\"\n[hub]\nname = \"Test\"\nstate_dir = \"state\"\ndemo_logins = true\n\
         [models]\ndir = \"{root}/models\"\n\
         [[site]]\nid = \"school-1\"\nname = {NAME}\nkind = \"school\"\narea = \"311000000\"\nposition = [42.9, 71.37]\n\
         [[site.camera]]\nid = \"yard\"\nname = {NAME}\n[[site.camera]]\nid = \"badge\"\nname = {NAME}\nkind = \"badge\"\nunit = \"patrol-1\"\n\
         [[unit]]\nid = \"patrol-1\"\nname = {NAME}\nkind = \"patrol\"\n\
         [[foreign]]\ntopic = \"frigate/yard/person\"\nformat = \"frigate\"\ndevice = \"school-1/yard\"\nuser = \"nvr\"\n",
        root = paths::root().display()
    );
    let file = dir.join("cameras.toml");
    std::fs::write(&file, text).unwrap();
    file
}

async fn hub(dir: &Path) -> Hub {
    Hub::start(&dir.join("state"), Options { config: config(dir), ..centre() }).await.unwrap()
}

async fn change(client: &Client, method: Method, id: &str, body: &Value) -> (StatusCode, Value) {
    let answer = client.request(method, &format!("/api/v1/camera-admin/{id}")).json(body).send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap_or(Value::Null))
}

async fn camera(client: &Client, id: &str) -> Option<Value> {
    let list = client.get("/api/v1/cameras").await.unwrap();
    list["cameras"].as_array().unwrap().iter().find(|camera| camera["id"] == id).cloned()
}

async fn people(client: &Client, id: &str, wanted: f64) -> Value {
    let seen = until(PATIENCE, || async {
        let camera = camera(client, id).await;
        match camera {
            Some(camera) if camera["people"].as_f64() == Some(wanted) => Ok(camera),
            other => Err(format!("{other:?}")),
        }
    });
    seen.await.unwrap()
}

async fn device(hub: &Hub, user: &str) -> Lite {
    Lite::connect(hub.addresses.mqtt.unwrap(), user, &hub.mqtt_password(user).unwrap(), 60).await.unwrap()
}

fn now() -> String {
    use qorgan_domain::Clock;
    qorgan_domain::SystemClock.utc().to_string()
}

fn keys(id: &str) -> Value {
    json!({ "keys": { "id": id, "name": { "kk": "к", "ru": "р", "en": "e" }, "limit": 30.0 } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_comes_counts_survives_a_restart_and_goes_without_any_other_change() {
    let dir = tempfile::tempdir().unwrap();
    let mut hub = hub(dir.path()).await;
    let (admin, duty) = (hub.log_in("administrator").await.unwrap(), hub.log_in("duty_officer").await.unwrap());
    let id = "school-1/hall";
    let (status, _) = change(&duty, Method::PUT, id, &keys("hall")).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "adding cameras is the administrator's");
    let (status, body) = change(&admin, Method::PUT, id, &keys("hall")).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    let (status, body) = change(&admin, Method::PUT, "school-1/yard", &keys("yard")).await;
    assert_eq!((status, body["error"]["code"].as_str()), (StatusCode::CONFLICT, Some("from_file")));
    let mut wrong = keys("door");
    wrong["keys"]["url"] = json!("/etc/passwd");
    wrong["keys"]["zone"] =
        json!([{ "id": "a", "name": { "kk": "a", "ru": "a", "en": "a" }, "polygon": [[0.1, 0.1], [2.0, 0.1], [0.5, 0.5]] }]);
    let (status, body) = change(&admin, Method::PUT, "school-1/door", &wrong).await;
    let complaints = body["error"]["complaints"].as_array().unwrap();
    let of = |key: &str| complaints.iter().any(|c| c["key"] == key);
    assert!(status == StatusCode::UNPROCESSABLE_ENTITY && of("url") && of("zone.0.polygon"), "{body}");

    // It logs in and counts at once, and again after a restart of the hub.
    for people_now in [4, 6] {
        let mut counter = device(&hub, id).await;
        let count = format!(r#"{{"v":1,"at":"{}","people":{people_now}}}"#, now());
        counter.send(&publish("qorgan/v1/school-1/hall/count", None, count.as_bytes())).await.unwrap();
        let duty = hub.log_in("duty_officer").await.unwrap();
        let seen = people(&duty, id, f64::from(people_now)).await;
        assert_eq!(seen["limit"], 30.0);
        if people_now == 4 {
            hub.end();
            hub.restart().await.unwrap();
        }
    }

    let admin = hub.log_in("administrator").await.unwrap();
    let mut desk = hub.log_in("duty_officer").await.unwrap().stream(None).await.unwrap();
    let (status, _) = change(&admin, Method::DELETE, id, &Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let gone = async {
        while let Some(event) = desk.next().await {
            if event.data["changes"].as_array().into_iter().flatten().any(|change| change["camera_gone"] == id) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.expect("a desk that is open shows it no more");
    assert!(camera(&admin, id).await.is_none(), "it is gone");
    let password = hub.mqtt_password(id);
    assert!(password.is_err(), "and so is its log-in");
    let audit = hub.log_in("auditor").await.unwrap().get("/api/v1/audit?limit=50").await.unwrap();
    let actions: Vec<&str> = audit["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"camera.add") && actions.contains(&"camera.remove"), "{actions:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_sealed_and_never_sent_to_another_machine() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub(dir.path()).await;
    let admin = hub.log_in("administrator").await.unwrap();
    let mut body = keys("hall");
    (body["keys"]["url"], body["keys"]["user"], body["password"]) = (json!("rtsp://192.0.2.7/a"), json!("hub"), json!("hunter2-only-here"));
    assert_eq!(change(&admin, Method::PUT, "school-1/hall", &body).await.0, StatusCode::NO_CONTENT);
    let list = admin.text("/api/v1/camera-admin").await.unwrap();
    assert!(list.contains("192.0.2.7") && !list.contains("hunter2"), "{list}");
    let mut files = 0;
    for file in std::fs::read_dir(dir.path().join("state")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        files += 1;
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"hunter2"), "{} holds the password", file.display());
    }
    assert!(files >= 2, "the databases were not looked at");
    // Kept while the host stays, asked for again when it does not.
    body.as_object_mut().unwrap().remove("password");
    body["keys"]["url"] = json!("rtsp://192.0.2.7/b");
    assert_eq!(change(&admin, Method::PUT, "school-1/hall", &body).await.0, StatusCode::NO_CONTENT);
    body["keys"]["url"] = json!("rtsp://192.0.2.66/b");
    let (status, answer) = change(&admin, Method::PUT, "school-1/hall", &body).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "the password would have gone to another machine: {answer}");
    assert!(!hub.log().contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_systems_counts_come_by_its_own_topic_and_wrong_ones_are_seen_to_be_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub(dir.path()).await;
    let admin = hub.log_in("administrator").await.unwrap();
    let mut nvr = device(&hub, "foreign/nvr").await;
    nvr.send(&publish("frigate/yard/person", None, b"3")).await.unwrap();
    assert_eq!(people(&admin, "school-1/yard", 3.0).await["source"], "foreign");
    // What such a system publishes besides is dropped, and costs it nothing; nonsense is counted.
    for (topic, payload) in [("frigate/stats", "{}"), ("qorgan/v1/school-1/yard/count", "{}"), ("frigate/yard/person", "many")] {
        nvr.send(&publish(topic, None, payload.as_bytes())).await.unwrap();
    }
    nvr.send(&publish("frigate/yard/person", None, b"5")).await.unwrap();
    people(&admin, "school-1/yard", 5.0).await;
    let list = admin.get("/api/v1/camera-admin").await.unwrap();
    let yard = list["cameras"].as_array().unwrap().iter().find(|camera| camera["id"] == "school-1/yard").unwrap();
    let foreign = &yard["foreign"];
    assert_eq!((foreign["taken"].as_u64(), foreign["refused"].as_u64()), (Some(2), Some(1)), "{foreign}");
    assert!(foreign["refusal"].as_str().unwrap().contains("not a number"), "{foreign}");
    let meter = admin.get("/api/v1/compliance").await.unwrap();
    assert!(meter["cameras"].as_array().unwrap().iter().all(|camera| camera["criteria"].as_array().unwrap().len() == 10), "{meter}");
    let csv = admin.text("/api/v1/compliance.csv").await.unwrap();
    assert!(csv.starts_with("camera,name_kk") && csv.contains("school-1/yard"), "{csv}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_badge_that_misses_a_segment_is_the_shift_leads_and_nobody_elses() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub(dir.path()).await;
    let (lead, duty) = (hub.log_in("shift_lead").await.unwrap(), hub.log_in("duty_officer").await.unwrap());
    let mut badge = device(&hub, "school-1/badge").await;
    let mut events = lead.stream(None).await.unwrap();
    for (seq, previous) in [(1_u32, 0_u32), (4, 3)] {
        let digest = |n: u32| format!("{n:02x}").repeat(32);
        let body = format!(r#"{{"v":1,"seq":{seq},"sha256":"{}","previous":"{}","at":"{}"}}"#, digest(seq), digest(previous), now());
        badge.send(&publish("qorgan/v1/school-1/badge/segment", None, body.as_bytes())).await.unwrap();
    }
    let trouble = events.alert(Duration::from_secs(60), |alert| alert["trouble"]["kind"] == "badge").await.expect("within 60 s");
    assert_eq!(trouble["trouble"]["detail"], "missing 2-3");
    let id = trouble["id"].as_i64().unwrap();
    for action in ["claim", "close", "note"] {
        let body = json!({ "action": action, "reason": "nothing to see here", "close_reason": "false_alarm" });
        let (status, answer) = duty.post(&format!("/api/v1/alerts/{id}/actions"), &body).await.unwrap();
        assert_eq!((status, answer["error"]["code"].as_str()), (StatusCode::FORBIDDEN, Some("forbidden")), "{action}");
    }
    assert!(duty.request(Method::GET, "/api/v1/badges").send().await.unwrap().status() == StatusCode::FORBIDDEN);
    let list = lead.get("/api/v1/badges").await.unwrap();
    assert_eq!((list["badges"][0]["segment"].as_u64(), list["badges"][0]["wrong"].as_str()), (Some(4), Some("missing 2-3")));
    // There is no route by which a badge's words could be changed or taken away; and a file's camera is not removed at run time.
    let admin = hub.log_in("administrator").await.unwrap();
    assert_eq!(change(&admin, Method::DELETE, "school-1/badge", &Value::Null).await.0, StatusCode::CONFLICT);
    let claim = json!({ "action": "claim" });
    assert_eq!(lead.post(&format!("/api/v1/alerts/{id}/actions"), &claim).await.unwrap().0, StatusCode::OK);
    let body = json!({ "action": "close", "reason": "spoken with the officer", "close_reason": "resolved" });
    let (status, answer) = lead.post(&format!("/api/v1/alerts/{id}/actions"), &body).await.unwrap();
    assert_eq!(status, StatusCode::OK, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_tried_added_and_counted_while_the_hub_runs() {
    let dir = tempfile::tempdir().unwrap();
    let server = cameras();
    let config = sites::many_cameras(dir.path(), 1, &server.urls()).unwrap();
    let hub = Hub::start(&dir.path().join("state"), Options { config, ..Options::default() }).await.unwrap();
    let admin = hub.log_in("administrator").await.unwrap();
    let mut body = keys("added");
    body["keys"]["url"] = json!(server.url("gate"));
    body["keys"]["zone"] =
        json!([{ "id": "door", "name": { "kk": "a", "ru": "a", "en": "a" }, "polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]] }]);
    let trial = |url: &str| {
        let mut keys = body["keys"].clone();
        keys["url"] = json!(url);
        json!({ "site": sites::SITE, "keys": keys })
    };
    let (status, good) = admin.post("/api/v1/camera-admin/try", &trial(&server.url("gate"))).await.unwrap();
    assert!(status == StatusCode::OK && good["works"] == true && good["codec"] == "h264", "{status} {good}");
    assert!(good["picture"].as_str().is_some_and(|jpeg| jpeg.len() > 1_000), "a masked picture comes with it");
    let (_, bad) = admin.post("/api/v1/camera-admin/try", &trial(&server.url("nowhere"))).await.unwrap();
    assert_eq!((bad["works"].as_bool(), bad["fault"].as_str()), (Some(false), Some("not_found")), "{bad}");

    let id = format!("{}/added", sites::SITE);
    assert_eq!(change(&admin, Method::PUT, &id, &body).await.0, StatusCode::NO_CONTENT);
    let counted = until(PATIENCE, || async {
        let camera = camera(&admin, &id).await;
        let zones = camera.as_ref().and_then(|c| c["zones"].as_array()).map_or(0, Vec::len);
        if zones == 1 { Ok(camera) } else { Err(format!("{camera:?}")) }
    });
    counted.await.unwrap();
    let measured = until(PATIENCE, || async {
        let meter = admin.get("/api/v1/compliance").await.unwrap();
        let one = meter["cameras"].as_array().unwrap().iter().find(|camera| camera["id"] == id).cloned().unwrap_or_default();
        let size = one["criteria"].as_array().and_then(|all| all.iter().find(|c| c["code"] == "resolution").cloned()).unwrap_or_default();
        if size["value"].is_string() { Ok(size) } else { Err(one.to_string()) }
    });
    measured.await.unwrap();
    assert_eq!(change(&admin, Method::DELETE, &id, &Value::Null).await.0, StatusCode::NO_CONTENT);
    assert!(camera(&admin, &id).await.is_none());
}
