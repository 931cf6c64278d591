//! Getting data in over HTTP: preview, apply, undo, bad files, programs, signals, surveys, registers, feeds.

use std::time::Duration;

use qorgan_domain::IndicatorId;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use crate::config::Machine;

const HEAD: &str = "Район;Показатель;Период;Значение;Случаи;Знаменатель;Источник\n";

impl Hub {
    async fn send(&self, method: &Method, path: &str, role: Role, body: impl Into<Body>) -> (StatusCode, Value) {
        let (session, token) = self.running.app.sessions.open(&self.account(role).await).await.unwrap();
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.header("cookie", format!("{COOKIE}={token}")).header("x-csrf-token", session.csrf);
        self.answer(request.body(body.into()).unwrap()).await
    }

    async fn answer(&self, mut request: Request<Body>) -> (StatusCode, Value) {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4))));
        request.extensions_mut().insert(Secure(false));
        let response = router(self.running.app.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 16 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Brings a file and waits until it is read.
    async fn bring(&self, bytes: Vec<u8>) -> Value {
        let (status, begun) = self.send(&Method::POST, "/api/v1/intake/imports?filename=values.csv", Role::Analyst, bytes).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
        self.wait(begun["job"].as_str().unwrap()).await
    }

    async fn wait(&self, job: &str) -> Value {
        for _ in 0..1_000 {
            let (_, now) = self.send(&Method::GET, &format!("/api/v1/intake/jobs/{job}"), Role::Analyst, "").await;
            if !["reading", "checking", "writing"].contains(&now["state"].as_str().unwrap()) {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the file is read for ever");
    }

    async fn apply(&self, read: &Value) -> Value {
        let job = read["job"].as_str().unwrap();
        let (status, answer) = self.send(&Method::POST, &format!("/api/v1/intake/jobs/{job}/apply"), Role::Analyst, "{}").await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        self.wait(job).await
    }

    async fn values(&self) -> usize {
        self.running.app.store.indicator_values(None).await.unwrap().len()
    }
}

fn csv(rows: &str) -> Vec<u8> {
    format!("{HEAD}{rows}").into_bytes()
}

#[tokio::test]
async fn a_file_is_seen_first_then_applied_and_undone_and_every_step_is_in_the_audit_log() {
    let hub = hub().await;
    let rows = "г. Тараз;housing-complaints;2026-09;12,5;120;1 000;109\n313600000;housing-complaints;2026-09;3;7;54 000;109\n";
    let read = hub.bring(csv(rows)).await;
    let preview = &read["preview"];
    assert_eq!(
        (read["state"].as_str(), preview["values"].as_u64(), preview["suppressed"].as_u64()),
        (Some("ready"), Some(1), Some(1)),
        "{read}"
    );
    assert_eq!((preview["added"].as_u64(), preview["sample"][0]["area_name"]["ru"].as_str()), (Some(1), Some("город Тараз")));
    assert_eq!(hub.values().await, 0, "a preview stores nothing");
    let applied = hub.apply(&read).await;
    assert_eq!((applied["state"].as_str(), applied["import"].as_i64(), hub.values().await), (Some("applied"), Some(1), 1));
    let again = hub.send(&Method::POST, &format!("/api/v1/intake/jobs/{}/apply", read["job"].as_str().unwrap()), Role::Analyst, "{}").await;
    assert_eq!((again.0, again.1["error"]["code"].as_str()), (StatusCode::CONFLICT, Some("not_ready")));
    let (_, history) = hub.send(&Method::GET, "/api/v1/intake/history?area=311000000", Role::Analyst, "").await;
    assert_eq!(
        (history["entries"][0]["value"].as_f64(), history["entries"][0]["standing"].as_bool()),
        (Some(12.5), Some(true)),
        "{history}"
    );
    let (status, undone) = hub.send(&Method::POST, "/api/v1/intake/imports/1/undo", Role::Analyst, r#"{"reason":"wrong month"}"#).await;
    assert_eq!((status, undone["removed"].as_u64(), hub.values().await), (StatusCode::OK, Some(1), 0));
    let (status, _) = hub.send(&Method::POST, "/api/v1/intake/imports/1/undo", Role::Analyst, r#"{"reason":"wrong month"}"#).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let lines = hub.running.app.store.audit(None, 50).await.unwrap();
    for action in ["intake.import", "intake.undo"] {
        assert!(lines.iter().any(|line| line.entry.action == action && line.entry.who == "analyst"), "{action}");
    }
    let other = hub.send(&Method::GET, &format!("/api/v1/intake/jobs/{}", read["job"].as_str().unwrap()), Role::Administrator, "").await;
    assert_eq!(other.0, StatusCode::NOT_FOUND, "a file is seen by who brought it");
    hub.running.stop().await;
}

#[tokio::test]
async fn bad_files_are_named_and_nothing_of_them_is_taken() {
    let hub = hub().await;
    let mut password = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    password.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    for (bytes, code) in [
        (Vec::new(), "empty"),
        (HEAD.as_bytes().to_vec(), "empty"),
        (password, "password"),
        (b"PK\x03\x04 no zip".to_vec(), "not_a_table"),
        (vec![0xFF, 0xFE, 0x00, 0xD8], "encoding"),
    ] {
        let read = hub.bring(bytes).await;
        assert_eq!((read["state"].as_str(), read["code"].as_str()), (Some("failed"), Some(code)), "{read}");
        assert!(read["message"].as_str().is_some_and(|m| m.len() > 10));
    }
    let good = "311000000;housing-complaints;2026-09;12;120;1000;x\n";
    for (row, code) in [
        ("Жамбл ауданы;housing-complaints;2026-09;12;120;1000;x\n", "unknown_area"),
        ("314000000;housing-complaints;2026-09;NaN;120;1000;x\n", "bad_value"),
        ("314000000;housing-complaints;2026-09;1e308;120;1000;x\n", "out_of_range"),
        ("314000000;housing-complaints;2026-09;12;120;1000;+7 701 123 45 67\n", "personal_data"),
        (good, "duplicate"),
        ("314000000;housing-complaints;2026-09;12;;;x\n", "no_basis"),
    ] {
        let read = hub.bring(csv(&format!("{good}{row}"))).await;
        let error = &read["preview"]["errors"][0];
        assert_eq!(
            (read["state"].as_str(), error["code"].as_str(), error["row"].as_u64()),
            (Some("refused"), Some(code), Some(3)),
            "{read}"
        );
        let job = read["job"].as_str().unwrap();
        let (status, _) = hub.send(&Method::POST, &format!("/api/v1/intake/jobs/{job}/apply"), Role::Analyst, "{}").await;
        assert_eq!(status, StatusCode::CONFLICT);
    }
    assert_eq!((hub.values().await, hub.running.app.store.imports(None, 10).await.unwrap().len()), (0, 0));
    hub.running.stop().await;
}

#[tokio::test]
async fn templates_read_back_once_they_are_filled_in() {
    let hub = hub().await;
    for (layout, language) in [("long", "kk"), ("long", "ru"), ("wide", "kk"), ("wide", "en")] {
        for kind in ["csv", "xlsx"] {
            let path = format!("/api/v1/intake/template.{kind}?layout={layout}&lang={language}&period=2026-09");
            let (session, token) = hub.running.app.sessions.open(&hub.account(Role::Analyst).await).await.unwrap();
            let mut request = Request::builder().uri(path).header("cookie", format!("{COOKIE}={token}")).body(Body::empty()).unwrap();
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4))));
            request.extensions_mut().insert(Secure(false));
            let response = router(hub.running.app.clone()).oneshot(request).await.unwrap();
            let bytes = to_bytes(response.into_body(), 16 << 20).await.unwrap();
            let sheets = crate::table::read(&bytes).unwrap();
            let areas = crate::intake::area_names(&hub.running.app);
            let rules = qorgan_alerts::intake::plan::Rules {
                catalogue: &hub.running.app.config.catalogue,
                areas: &areas,
                period: None,
                today: jiff::civil::date(2026, 11, 22),
            };
            let plan = qorgan_alerts::intake::plan::plan(&sheets[..1], &rules, &|_| {});
            let codes: Vec<_> = plan.errors.iter().map(|e| e.code).collect();
            let expected: &[&str] = if layout == "long" { &["example_row"] } else { &[] };
            assert_eq!(codes, expected, "{layout} {language} {kind}: {:?}", plan.errors);
            drop(session);
        }
    }
    hub.running.stop().await;
}

#[tokio::test]
async fn a_program_writes_its_own_indicators_with_its_token_and_nothing_else() {
    let machine = Machine {
        name: "statistics".parse().unwrap(),
        token_sha256: Some(hex::encode(Sha256::digest(b"secret"))),
        indicators: vec!["housing-complaints".parse::<IndicatorId>().unwrap()],
    };
    let hub = hub_with(|config| config.intake.machines = vec![machine]).await;
    let ask = async |token: &str, values: Value| {
        let request =
            Request::builder().method(Method::POST).uri("/api/v1/intake/values").header("authorization", format!("Bearer {token}"));
        hub.answer(request.body(Body::from(json!({ "values": values }).to_string())).unwrap()).await
    };
    let value = |area: &str, indicator: &str, cases: u64| json!({"area": area, "indicator": indicator, "period": "2026-09", "value": 12.5, "cases": cases, "denominator": 10_000.0});
    let good = value("311000000", "housing-complaints", 120);
    assert_eq!(ask("other", json!([good])).await.0, StatusCode::UNAUTHORIZED);
    let (status, answer) = ask("secret", json!([good, value("314000000", "housing-complaints", 9)])).await;
    assert_eq!((status, answer["values"].as_u64(), answer["suppressed_at"].clone()), (StatusCode::OK, Some(1), json!([1])), "{answer}");
    let (_, answer) = ask("secret", json!([good])).await;
    assert_eq!((answer["import"].clone(), answer["unchanged"].as_u64()), (Value::Null, Some(1)));
    let (status, answer) = ask("secret", json!([good, value("314000000", "wage-arrears", 120)])).await;
    assert_eq!(
        (status, answer["error"]["code"].as_str(), answer["error"]["index"].as_u64()),
        (StatusCode::FORBIDDEN, Some("not_yours"), Some(1))
    );
    let (status, answer) = ask("secret", json!([value("999999999", "housing-complaints", 120)])).await;
    assert_eq!((status, answer["error"]["errors"][0]["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("unknown_area")));
    let (status, _) =
        ask("secret", json!([{"area": "311000000", "indicator": "housing-complaints", "period": "2026-09", "value": 1, "author": "x"}]))
            .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(hub.values().await, 1);
    hub.running.stop().await;
}

#[tokio::test]
async fn a_signal_goes_to_its_service_and_holds_no_person_link_or_quotation() {
    let hub = hub().await;
    let signal = |text: &str| {
        json!({"kind": "infrastructure", "area": "311000000", "place": "Төле би көшесі 45", "position": [42.9, 71.37], "text": text, "service": "heat"}).to_string()
    };
    let path = "/api/v1/intake/signals";
    for (text, reason) in [
        ("Звоните 8 701 123 45 67", "phone"),
        ("см. https://example.kz/1", "link"),
        ("автор @taraz", "handle"),
        ("жительница сказала: «нам никто не отвечает уже месяц»", "quotation"),
    ] {
        let (status, answer) = hub.send(&Method::POST, path, Role::DutyOfficer, signal(text)).await;
        assert_eq!((status, answer["error"]["reason"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(reason)), "{answer}");
        assert!(!answer.to_string().contains(text));
    }
    let (status, added) = hub.send(&Method::POST, path, Role::DutyOfficer, signal("Үш үйде таңертеңнен жылу жоқ")).await;
    assert_eq!(
        (status, added["status"].as_str(), added["service_name"]["ru"].as_str()),
        (StatusCode::CREATED, Some("new"), Some("Теплоснабжение")),
        "{added}"
    );
    let step = format!("{path}/{}/status", added["id"]);
    assert_eq!(hub.send(&Method::POST, &step, Role::ShiftLead, r#"{"status":"solved"}"#).await.0, StatusCode::CONFLICT);
    let (status, sent) = hub.send(&Method::POST, &step, Role::ShiftLead, r#"{"status":"sent"}"#).await;
    assert_eq!((status, sent["steps"].as_array().map(Vec::len)), (StatusCode::OK, Some(2)));
    assert_eq!(
        hub.send(&Method::POST, &step, Role::ShiftLead, r#"{"status":"declined"}"#).await.0,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a reason is needed"
    );
    assert_eq!(hub.send(&Method::GET, path, Role::PoliceDesk, "").await.0, StatusCode::FORBIDDEN, "a signal is not for the police");
    hub.running.stop().await;
}

#[tokio::test]
async fn surveys_give_values_with_a_margin_that_is_checked_and_registers_give_totals_of_ten_or_more() {
    let hub = hub().await;
    let three = |text: &str| json!({"kk": text, "ru": text, "en": text});
    let survey = |margin: Value| {
        json!({"title": three("Пульс"), "type": "telephone", "sample": 1200, "population": null, "begun": "2026-07-01", "ended": "2026-09-20", "area": "311000000",
               "margin_pct": margin, "questions": [{"text": three("Сенесіз бе?"), "indicator": "trust-in-akimat",
               "answers": [{"text": three("Иә"), "share_pct": 41.0, "counts": true}, {"text": three("Жоқ"), "share_pct": 59.0}]}]})
        .to_string()
    };
    let (status, answer) = hub.send(&Method::POST, "/api/v1/intake/surveys", Role::Analyst, survey(json!(0.5))).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("margin")), "{answer}");
    let (status, answer) = hub.send(&Method::POST, "/api/v1/intake/surveys", Role::Analyst, survey(Value::Null)).await;
    assert_eq!(
        (status, answer["margin_pct"].as_f64(), answer["margin_computed"].as_bool()),
        (StatusCode::CREATED, Some(2.83), Some(true)),
        "{answer}"
    );
    let values = hub.running.app.store.indicator_values(None).await.unwrap();
    assert_eq!((values[0].observation.value, values[0].observation.period.to_string().as_str()), (41.0, "2026-Q3"));
    let (status, _) = hub.send(&Method::DELETE, "/api/v1/intake/surveys/1", Role::Analyst, "").await;
    assert_eq!((status, hub.values().await), (StatusCode::NO_CONTENT, 0));

    for n in 0..12 {
        let area = if n < 3 { "313600000" } else { "311000000" };
        let body = json!({"received": "2026-09-10", "area": area, "topic": "heat", "leader": "аким района", "due": "2026-09-25", "answered": null});
        let (status, answer) = hub.send(&Method::POST, "/api/v1/intake/appeals", Role::Analyst, body.to_string()).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }
    let named = json!({"received": "2026-09-10", "area": "311000000", "topic": "heat", "leader": "Иванов И.И.", "due": "2026-09-25"});
    assert_eq!(
        hub.send(&Method::POST, "/api/v1/intake/appeals", Role::Analyst, named.to_string()).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let (_, totals) = hub.send(&Method::GET, "/api/v1/intake/appeals/totals?from=2026-09&to=2026-09", Role::Analyst, "").await;
    let told: Vec<u64> = totals["cells"].as_array().unwrap().iter().filter_map(|c| c["answer"]["count"].as_u64()).collect();
    assert!(!told.is_empty() && told.iter().all(|n| *n == 12), "only the region's twelve: {told:?}");
    let duty = json!({"site": "gov.example", "duty": three("Бюджет"), "basis": "Закон о доступе к информации, ст. 16"});
    assert_eq!(hub.send(&Method::POST, "/api/v1/intake/duties", Role::Analyst, duty.to_string()).await.0, StatusCode::CREATED);
    let (status, checked) =
        hub.send(&Method::PUT, "/api/v1/intake/duties/1", Role::Analyst, r#"{"done":true,"checked_at":"2026-09-01"}"#).await;
    assert_eq!((status, checked["done"].as_bool()), (StatusCode::OK, Some(true)), "{checked}");
    hub.running.stop().await;
}

#[tokio::test]
async fn a_feed_is_counted_once_however_often_it_is_read_and_nothing_of_a_publication_is_stored() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/demo-feed.xml");
    let feed = crate::config::Feed {
        id: "news".parse().unwrap(),
        name: "News".into(),
        registration: "KZ1".into(),
        language: "ru".into(),
        from: crate::config::FeedFrom::File(file),
        every_min: 5,
    };
    let hub = hub().await;
    let count = async || {
        let totals = hub.running.app.store.feed_totals("2026-01-01", "2026-12-31").await.unwrap();
        totals.iter().map(|t| t.items).sum::<u64>()
    };
    let mut counts = Vec::new();
    // Twice in one run, then as after a restart: what is remembered is gone, the mark is not.
    for _ in 0..2 {
        let mut follower = crate::intake::feed::Follower::new(hub.running.app.clone(), feed.clone()).unwrap();
        for _ in 0..2 {
            follower.run_once().await.unwrap();
            counts.push(count().await);
        }
    }
    assert!(counts[0] > 300 && counts.iter().all(|n| *n == counts[0]), "{counts:?}");
    let state = hub.running.app.store.feed_state("news").await.unwrap();
    assert_eq!((state.failures, state.error), (0, None));
    hub.running.stop().await;
}
