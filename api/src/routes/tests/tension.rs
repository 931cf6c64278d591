//! The tension index over HTTP: what is served, who decides on weights, and that nothing of the hub's own counts enters it.

use std::{sync::Arc, time::Duration};

use qorgan_alerts::{
    intake::plan::Planned,
    store::{ImportKind, NewImport},
    tension::{Act, Index},
};
use qorgan_domain::{Basis, Count, CountSource, Observation, UtcMs};
use serde_json::json;

use super::*;
use crate::tension::Results;

const VALUES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/demo-indicators.csv"));

fn values() -> Vec<Planned> {
    let read = |(row, line): (u32, &str)| {
        let cells: Vec<&str> = line.split(',').collect();
        let basis = match cells[5] {
            "" => Basis::Cases(cells[4].parse().unwrap()),
            whole => Basis::Denominator(whole.parse().unwrap()),
        };
        let (area, indicator, period) = (cells[0].parse().unwrap(), cells[1].parse().unwrap(), cells[2].parse().unwrap());
        let observation = Observation { area, indicator, period, value: cells[3].parse().unwrap(), basis };
        Planned { observation, source: Some("demo".into()), row }
    };
    (2..).zip(VALUES.lines().skip(1)).map(read).collect()
}

impl Hub {
    /// JSON of a GET by an analyst.
    async fn read(&self, path: &str) -> (StatusCode, Value) {
        let (status, bytes) = self.call(&Method::GET, path, &self.account(Role::Analyst).await, None).await;
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn call(&self, method: &Method, path: &str, account: &Account, body: Option<Value>) -> (StatusCode, Vec<u8>) {
        let (session, token) = self.running.app.sessions.open(account).await.unwrap();
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.header("cookie", format!("{COOKIE}={token}")).header("x-csrf-token", session.csrf);
        let mut request = request.body(Body::from(body.map(|b| b.to_string()).unwrap_or_default())).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4))));
        request.extensions_mut().insert(Secure(false));
        let response = router(self.running.app.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        (status, to_bytes(response.into_body(), 16 << 20).await.unwrap().to_vec())
    }

    async fn post(&self, path: &str, account: &Account, body: Value) -> (StatusCode, Value) {
        let (status, bytes) = self.call(&Method::POST, path, account, Some(body)).await;
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// The results once everything that was told is in them.
    async fn computed(&self) -> Arc<Results> {
        let tension = &self.running.app.tension;
        for _ in 0..600 {
            if !tension.is_stale()
                && let Some(results) = tension.results()
            {
                return results;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the index was not computed");
    }

    async fn with_values(&self) -> Arc<Results> {
        let app = &self.running.app;
        let import = NewImport {
            at: app.clock.utc(),
            who: "test".into(),
            kind: ImportKind::Demo,
            source: "demo".into(),
            filename: None,
            sha256: None,
            suppressed: 0,
        };
        app.store.add_values(&import, &values(), |_| {}).await.unwrap();
        app.tension.changed();
        self.computed().await
    }

    async fn second_analyst(&self) -> Account {
        let account = Account { name: "analyst-2".parse().unwrap(), ..self.account(Role::Analyst).await };
        self.running.app.store.put_account(&account).await.unwrap();
        account
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_index_is_served_with_its_method_its_bands_and_the_zero_weight_first() {
    let hub = hub().await;
    hub.with_values().await;
    let (status, body) = hub.read("/api/v1/tension/index?period=2026-Q3").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!((body["method"].as_i64(), body["demo"].as_bool(), body["stale"].as_bool()), (Some(1), Some(true), Some(false)));
    assert!(body["notes"][0]["ru"].as_str().unwrap().contains("Вес блока «Вероятность протестных акций» равен 0"), "{}", body["notes"]);
    assert!(body["notes"].as_array().unwrap().iter().any(|n| n["en"].as_str().unwrap().starts_with("Demonstration data")));
    let areas = body["areas"].as_array().unwrap();
    assert_eq!(areas.len(), 11);
    for area in areas {
        for score in area["blocks"].as_object().unwrap().values().chain([&area["overall"]]) {
            let shown = score["shown"].as_bool().unwrap();
            for field in ["value", "band", "class", "rank_from", "rank_to"] {
                assert_eq!(score[field].is_null(), !shown, "{field} of {score}");
            }
            assert_eq!(score["rank"].is_null(), !shown || score["rank_from"] != score["rank_to"], "{score}");
        }
    }
    let hidden = areas.iter().find(|a| a["area"] == "315600000").unwrap();
    assert_eq!((&hidden["blocks"]["youth"]["why"], &hidden["blocks"]["youth"]["coverage"]), (&json!("no_values"), &json!(0.0)));

    let (_, page) = hub.read("/api/v1/tension/areas/311000000?period=2026-Q3").await;
    let sum = |list: &str| page[list].as_array().unwrap().iter().filter_map(|i| i["contribution"].as_f64()).sum::<f64>();
    let overall = page["overall"]["value"].as_f64().unwrap();
    assert!((sum("indicators") - overall).abs() < 0.003 && (sum("blocks") - overall).abs() < 0.001, "{overall}");
    let protest = page["blocks"].as_array().unwrap().iter().find(|b| b["id"] == "protest").unwrap();
    assert_eq!(
        (&protest["effective_weight"], &protest["contribution"], &protest["zero_by_rule"]),
        (&json!(0.0), &json!(0.0), &json!(true))
    );
    assert_eq!(page["indicators"].as_array().unwrap().len(), 47);
    assert!(
        page["indicators"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|i| i["missing"] == false)
            .all(|i| i["source"] == "demo" && !i["basis"].is_null())
    );
    hub.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maps_series_forecasts_and_the_workbook_say_what_they_are_of() {
    let hub = hub().await;
    hub.with_values().await;
    let (_, map) = hub.read("/api/v1/tension/map?indicator=wage-arrears&period=2026-Q3").await;
    assert_eq!((&map["what"]["kind"], &map["what"]["direction"]), (&json!("indicator"), &json!("more_is_worse")));
    assert!(map["areas"].as_array().unwrap().iter().any(|a| a["value"].is_number() && a["value_period"] == "2026-09"));
    let (_, series) = hub.read("/api/v1/tension/series?area=311000000&block=economy").await;
    assert_eq!(
        series["points"].as_array().unwrap().len(),
        series["points"].as_array().unwrap().iter().filter(|p| p["shown"] == true).count()
    );
    let (status, forecast) = hub.read("/api/v1/tension/forecast?area=311000000&horizon=2").await;
    assert_eq!(status, StatusCode::OK, "{forecast}");
    let (points, errors) = (forecast["points"].as_array().unwrap(), forecast["errors"]["horizons"].as_array().unwrap());
    assert!(points.len() == 2 && !errors.is_empty() && errors[0]["n"].as_i64().unwrap() > 0, "{forecast}");
    let last: qorgan_domain::Period = forecast["past"].as_array().unwrap().last().unwrap()["period"].as_str().unwrap().parse().unwrap();
    assert_eq!(points[0]["period"], last.after(1).to_string());
    assert!(points.iter().all(|p| p["low"].as_f64() <= p["value"].as_f64() && p["value"].as_f64() <= p["high"].as_f64()));

    for (path, status, code) in [
        ("index?period=2026-Q9", StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        ("index?period=1999-Q1", StatusCode::NOT_FOUND, "not_found"),
        ("index?method=99", StatusCode::NOT_FOUND, "not_found"),
        ("map?block=nothing", StatusCode::NOT_FOUND, "not_found"),
        ("map?block=labour&indicator=neet", StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        ("areas/999999999", StatusCode::NOT_FOUND, "not_found"),
        ("areas/x", StatusCode::NOT_FOUND, "not_found"),
        ("forecast?area=311000000&horizon=13", StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        // Two years are too few points.
        ("forecast?area=311000000&indicator=drinking-water", StatusCode::OK, ""),
        ("export.xlsx?language=de", StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
    ] {
        let (found, body) = hub.read(&format!("/api/v1/tension/{path}")).await;
        if !code.is_empty() {
            assert_eq!((found, body["error"]["code"].as_str()), (status, Some(code)), "{path}: {body}");
        }
    }

    let analyst = hub.account(Role::Analyst).await;
    let (status, book) = hub.call(&Method::GET, "/api/v1/tension/export.xlsx?period=2026-Q3&language=ru", &analyst, None).await;
    assert_eq!(status, StatusCode::OK);
    use calamine::{Data, Reader};
    let mut book: calamine::Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(book)).unwrap();
    let cells = |book: &mut calamine::Xlsx<_>, sheet: &str| -> Vec<Vec<Data>> {
        book.worksheet_range(sheet).unwrap().rows().map(<[Data]>::to_vec).collect()
    };
    let method = cells(&mut book, "Метод");
    assert!(method.iter().flatten().any(|c| c.to_string().contains("Вес блока «Вероятность протестных акций» равен 0")), "{method:?}");
    let scores = cells(&mut book, "Индекс");
    let protest: Vec<_> = scores.iter().filter(|row| row[2] == "Вероятность протестных акций").collect();
    assert!(protest.len() == 11 && protest.iter().all(|row| row[9] == Data::Float(0.0)));
    assert_eq!(cells(&mut book, "Показатели").iter().filter(|row| row[0].to_string().len() == 9).count(), 11 * 47);
    let audit = hub.running.app.store.audit(None, 20).await.unwrap();
    assert!(audit.iter().any(|line| line.entry.action == "tension.export" && line.entry.subject == "tension/2026-Q3"));
    hub.running.stop().await;
}

fn proposal() -> Value {
    json!({ "block": "protest", "weight": 0.5, "basis": "Decision of the public council of the oblast",
        "basis_url": "https://council.example/decisions/17", "published_on": "2026-01-15",
        "expires_on": jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().saturating_add(jiff::Span::new().days(200)).to_string() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_weight_for_the_protest_block_needs_two_people_and_what_was_shown_before_stays_readable() {
    let hub = hub().await;
    let before = hub.with_values().await;
    let (first, second) = (hub.account(Role::Analyst).await, hub.second_analyst().await);
    let value = |results: &Results| results.index.periods.last().unwrap().areas[0].overall.shown().unwrap().value();

    let method = json!({ "block_weights": { "protest": 0.5 }, "reason": "because we want to" });
    let (status, body) = hub.post("/api/v1/tension/methods", &first, method).await;
    assert_eq!((status, body["error"]["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("zero_by_rule")), "{body}");
    for (field, bad) in [
        ("basis_url", json!("http://council.example/")),
        ("weight", json!(2.0)),
        ("expires_on", json!("2099-01-01")),
        ("block", json!("labour")),
    ] {
        let mut body = proposal();
        body[field] = bad;
        assert_eq!(hub.post("/api/v1/tension/weights", &first, body).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
    }
    let (status, act) = hub.post("/api/v1/tension/weights", &first, proposal()).await;
    assert_eq!((status, act["state"].as_str()), (StatusCode::CREATED, Some("proposed")), "{act}");
    let (status, body) = hub.post("/api/v1/tension/weights/1/decision", &first, json!({ "approve": true })).await;
    assert_eq!((status, body["error"]["code"].as_str()), (StatusCode::FORBIDDEN, Some("same_person")));
    assert_eq!(hub.computed().await.method.method.version, 1, "a proposal changes nothing");

    let (status, act) = hub.post("/api/v1/tension/weights/1/decision", &second, json!({ "approve": true })).await;
    assert_eq!((status, act["state"].as_str()), (StatusCode::OK, Some("in_force")), "{act}");
    let with = hub.computed().await;
    assert_eq!((with.method.method.version, with.method.method.weight_act), (2, Some(1)));
    assert_ne!(value(&with), value(&before));
    let (_, body) = hub.read("/api/v1/tension/index").await;
    let note = body["notes"][0]["en"].as_str().unwrap().to_owned();
    assert!(note.contains("weight 0.5") && note.contains("public council"), "{note}");
    // Other choices keep the act's weight.
    let (status, method) =
        hub.post("/api/v1/tension/methods", &first, json!({ "across": "geometric", "reason": "tried by the council" })).await;
    assert_eq!(
        (status, &method["block_weights"]["protest"], &method["weight_act"]),
        (StatusCode::CREATED, &json!(0.5), &json!(1)),
        "{method}"
    );

    let (status, _) = hub.post("/api/v1/tension/weights/1/revoke", &first, json!({ "reason": "the decision was withdrawn" })).await;
    assert_eq!(status, StatusCode::OK);
    let after = hub.computed().await;
    assert_eq!((after.method.method.weight_act, after.method.method.block_weight(&"protest".parse().unwrap())), (None, 0.0));
    // What the first and second method showed is still there, as it was.
    for (version, results) in [(1, &before), (2, &with)] {
        let (status, old) = hub.read(&format!("/api/v1/tension/index?method={version}&period=2026-Q3")).await;
        assert_eq!((status, old["method"].as_i64()), (StatusCode::OK, Some(version)));
        let at = results.period("2026-Q3".parse().unwrap()).unwrap();
        let shown = results.index.periods[at].areas[0].overall.shown().unwrap().value();
        assert!((old["areas"][0]["overall"]["value"].as_f64().unwrap() - shown).abs() < 1e-4);
    }
    let audit = hub.running.app.store.audit(None, 100).await.unwrap();
    for action in ["tension.weight.propose", "tension.weight.approve", "tension.weight.revoke", "tension.method"] {
        assert!(audit.iter().any(|line| line.entry.action == action), "{action} is not in the audit log");
    }
    hub.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_that_expires_takes_its_weight_with_it_at_the_next_computation() {
    let hub = hub().await;
    let app = &hub.running.app;
    hub.with_values().await;
    let now = app.clock.utc();
    let day = |ms: i64| qorgan_alerts::tension::act::day_of(UtcMs(now.0 + ms));
    let act = Act {
        id: 0,
        block: "protest".parse().unwrap(),
        weight: 1.0,
        basis: "An act that ended yesterday".into(),
        basis_url: "https://council.example/1".into(),
        published_on: day(-40 * 86_400_000),
        proposed_at: UtcMs(now.0 - 30 * 86_400_000),
        proposed_by: "a".into(),
        decided_at: None,
        decided_by: None,
        approved: None,
        expires_on: day(-86_400_000),
        revoked_at: None,
        revoked_by: None,
    };
    let mut act = app.store.add_weight_act(act).await.unwrap();
    (act.decided_at, act.decided_by, act.approved) = (Some(UtcMs(now.0 - 29 * 86_400_000)), Some("b".into()), Some(true));
    assert!(app.store.decide_weight_act(&act).await.unwrap());
    app.tension.changed();
    let results = hub.computed().await;
    assert_eq!((results.method.method.version, results.method.method.weight_act), (1, None));
    let (_, body) = hub.read("/api/v1/tension/weights").await;
    assert_eq!((&body["acts"][0]["state"], &body["in_force"]), (&json!("expired"), &Value::Null));
    hub.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_hub_counts_the_index_is_the_same_to_the_last_bit() {
    let hub = hub().await;
    let app = &hub.running.app;
    let before = hub.with_values().await;
    let crowd = (0..500).map(|n| Count {
        camera: "dostyk-square/north".parse().unwrap(),
        at: UtcMs(app.clock.utc().0 - n * 1_000),
        people: 900.0,
        low: 800.0,
        high: 1_000.0,
        source: CountSource::Foreign,
        unchanged: false,
        zones: vec![],
        flows: vec![],
    });
    app.store.add_counts(&crowd.collect::<Vec<_>>()).await.unwrap();
    let officer = hub.account(Role::DutyOfficer).await;
    let incident = json!({ "position": [42.9, 71.37], "note": "a crowd on the square", "area": "311000000" });
    let _ = hub.post("/api/v1/incidents", &officer, incident).await;
    app.tension.changed();
    let after = hub.computed().await;
    assert!(after.computed_at > before.computed_at);
    let same = |a: &Index, b: &Index| a.periods == b.periods && a.taken == b.taken && a.method == b.method;
    assert!(same(&before.index, &after.index));
    hub.running.stop().await;
}
