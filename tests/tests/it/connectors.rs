//! Alerts leave by a signed webhook from a durable outbox, and the receiver's word comes back once.

#![expect(clippy::unwrap_used, reason = "a receiver that cannot be set up fails its test")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use qorgan_domain::SystemClock;
use qorgan_tests::{
    hub::{Hub, Options, http_client, until},
    sites,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A receiver that refuses the first few messages and then takes all.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    got: Arc<Mutex<Vec<(String, String)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) async fn receiver(refuse: usize) -> Receiver {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let got: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let (seen, mut left) = (got.clone(), refuse);
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            let mut chunk = [0; 4096];
            let (head, body) = loop {
                let n = stream.read(&mut chunk).await.unwrap_or(0);
                bytes.extend_from_slice(&chunk[..n]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length =
                        head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ").and_then(|v| v.parse().ok()));
                    if body.len() >= length.unwrap_or(0_usize) {
                        break (head.to_owned(), body.to_owned());
                    }
                }
                if n == 0 {
                    break (text, String::new());
                }
            };
            let answer = if left > 0 {
                left -= 1;
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            } else {
                seen.lock().unwrap().push((head, body));
                "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Receiver { port, got, task }
}

pub(crate) fn states(receiver: &Receiver) -> Vec<String> {
    let got = receiver.got.lock().unwrap();
    got.iter().map(|(_, body)| serde_json::from_str::<Value>(body).unwrap()["alert"]["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_reaches_a_receiver_that_was_away_in_order_and_its_word_comes_back_once() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = receiver(2).await;
    let config = sites::many_buttons(dir.path(), 1).unwrap();
    std::fs::write(dir.path().join("secret"), "a secret of the police").unwrap();
    let more = format!(
        "\n[[connector]]\nid = \"police\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}/alerts\"\nsecret_file = \"secret\"\nevents = [\"incident\", \"crowd\"]\n",
        receiver.port
    );
    let text = std::fs::read_to_string(&config).unwrap() + &more;
    std::fs::write(&config, text).unwrap();
    let options = Options { config, mode: "centre", ..Options::default() };
    let mut hub = Hub::start(&dir.path().join("state"), options).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let (status, alert) = duty.post("/api/v1/incidents", &json!({ "site": sites::SITE, "text": "a call: smoke" })).await.unwrap();
    assert_eq!(status, StatusCode::CREATED);
    let id = alert["id"].as_i64().unwrap();
    let act = async |action: Value| duty.post(&format!("/api/v1/alerts/{id}/actions"), &action).await.unwrap().0;
    assert_eq!(act(json!({ "action": "claim" })).await, StatusCode::OK);
    assert_eq!(act(json!({ "action": "claim" })).await, StatusCode::CONFLICT);
    until(Duration::from_secs(20), async || match states(&receiver).as_slice() {
        [first, second] if first == "raised" && second == "claimed" => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await
    .unwrap();
    {
        let got = receiver.got.lock().unwrap();
        let (head, body) = &got[0];
        let header = |name: &str| head.lines().find_map(|l| l.strip_prefix(name)).map(str::trim).map(str::to_owned);
        let (timestamp, signature) = (header("x-qorgan-timestamp:"), header("x-qorgan-signature:"));
        let now = qorgan_domain::Clock::utc(&SystemClock);
        let verify = |secret| qorgan::connect::sign::verify(secret, now, body.as_bytes(), timestamp.as_deref(), signature.as_deref());
        assert_eq!(verify("a secret of the police"), Ok(()));
        assert!(verify("another").is_err());
        assert_eq!(header("x-qorgan-delivery:").as_deref(), Some(format!("{id}.1").as_str()));
        assert!(!body.contains(duty.session["user"].as_str().unwrap()), "no name of staff leaves: {body}");
    }

    // The hub ends hard; nothing is sent twice afterwards, and what changes is sent.
    hub.kill();
    hub.restart().await.unwrap();
    let word = json!({ "event": "e-1", "alert": id, "status": "accepted", "number": "KUI-77" }).to_string();
    let send = async |body: String, secret: &str| {
        let (timestamp, signature) = qorgan::connect::sign::sign(secret, qorgan_domain::Clock::utc(&SystemClock), body.as_bytes());
        let request = http_client().unwrap().post(format!("{}/api/v1/connectors/police/status", hub.base()));
        let response =
            request.header("x-qorgan-timestamp", timestamp).header("x-qorgan-signature", signature).body(body).send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    assert_eq!(send(word.clone(), "another").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(send(word.clone(), "a secret of the police").await, (StatusCode::OK, json!({ "taken": true })));
    assert_eq!(send(word, "a secret of the police").await, (StatusCode::OK, json!({ "taken": false })));
    let unknown = json!({ "event": "e-2", "alert": 99_999, "status": "x" }).to_string();
    assert_eq!(send(unknown, "a secret of the police").await.0, StatusCode::NOT_FOUND);
    let duty = hub.log_in("duty_officer").await.unwrap();
    let detail = duty.get(&format!("/api/v1/alerts/{id}")).await.unwrap();
    assert_eq!(detail["alert"]["progress"]["external"][0]["number"], "KUI-77");
    let words = detail["transitions"].as_array().unwrap().iter().filter(|t| t["action"] == "external").count();
    assert_eq!(words, 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(states(&receiver), ["raised", "claimed"], "nothing is sent twice after a crash");

    let lead = hub.log_in("shift_lead").await.unwrap();
    let list = lead.get("/api/v1/connectors").await.unwrap();
    assert_eq!((&list["connectors"][0]["waiting"], &list["connectors"][0]["delivered"]), (&json!(0), &json!(2)));
    let feed = lead.text("/api/v1/cap/alerts.atom").await.unwrap();
    assert!(feed.contains(&format!("/api/v1/cap/alerts/{id}.xml")), "{feed}");
    let message = lead.text(&format!("/api/v1/cap/alerts/{id}.xml")).await.unwrap();
    assert_eq!(qorgan::connect::cap::read(message.as_bytes()).unwrap().info.len(), 3);
    assert_eq!(duty.request(reqwest::Method::GET, "/api/v1/cap/alerts.atom").send().await.unwrap().status(), StatusCode::FORBIDDEN);
}
