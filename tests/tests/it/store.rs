//! The store does the same on SQLite and on PostgreSQL: one suite, run on both; and the engine outlives its PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a helper that cannot make its input fails its test")]

use std::{sync::Arc, time::Duration};

use qorgan_alerts::{
    Engine, Journal, Ring, Rules, Store, Transition,
    engine::{self, Parts},
    store::{Account, AuditEntry, CameraHour, Login, Retention, SoundTest, StoredCamera},
};
use qorgan_domain::{
    Alarm, AlarmKind, AlertId, Clock, Count, CountSource, DeviceRef, GeoPoint, Role, SystemClock, UtcMs,
    alert::{
        Action, Actor, AlarmEvidence, Alert, AlertState, Cause, CloseReason, CrowdEvidence, IncidentEvidence, Level, Progress, Reason,
        ReasonCode, Record,
    },
};
use qorgan_tests::postgres::Postgres;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tokio_util::sync::CancellationToken;

/// 2026-11-21T10:00:00Z, the beginning of an hour.
const START: UtcMs = UtcMs(1_795_255_200_000);
const MINUTE: i64 = 60_000;

fn after(ms: i64) -> UtcMs {
    UtcMs(START.0 + ms)
}

#[tokio::test]
async fn on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    suite(async || {
        number.set(number.get() + 1);
        format!("sqlite:{}/{}.db", dir.path().display(), number.get())
    })
    .await;
}

#[tokio::test]
async fn on_postgresql() {
    let server = Postgres::start().await.unwrap();
    suite(async || server.database().await.unwrap()).await;
}

async fn suite(fresh: impl AsyncFn() -> String) {
    alerts_come_back_as_they_were(&fresh().await).await;
    figures_leave_tests_out(&fresh().await).await;
    counts_roll_up_and_expire(&fresh().await).await;
    accounts_and_sessions(&fresh().await).await;
    cameras_and_their_hours(&fresh().await).await;
    methods_acts_and_results_of_the_index(&fresh().await).await;
    texts_and_sound_tests(&fresh().await).await;
    the_audit_log_shows_what_was_done_to_it(&fresh).await;
}

async fn methods_acts_and_results_of_the_index(url: &str) {
    use qorgan_alerts::{
        store::{StoredMethod, StoredResult},
        tension::{Act, ActState, Method, catalogue},
    };
    let store = Store::open(url).await.unwrap();
    let catalogue = catalogue::parse(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/indicators.toml"))).unwrap();
    let made = |seed: u64| StoredMethod {
        method: Method { seed, floor: 0.1 + 0.2 + 0.3, ..Method::first(&catalogue) },
        reason: "tried".into(),
        made_at: START,
        made_by: "analyst".into(),
    };
    for seed in [u64::MAX, 7] {
        store.add_tension_method(made(seed)).await.unwrap();
    }
    let methods = store.tension_methods().await.unwrap();
    assert_eq!(methods.iter().map(|m| (m.method.version, m.method.seed)).collect::<Vec<_>>(), [(2, 7), (1, u64::MAX)]);
    assert_eq!(methods[1].method, Method { version: 1, ..made(u64::MAX).method }, "every choice comes back to the last bit");

    let result = |period: &str, body: &str| StoredResult { period: period.parse().unwrap(), computed_at: START, body: body.into() };
    store.save_tension_results(1, &[result("2026-Q2", "[]"), result("2026-Q1", "[1]")]).await.unwrap();
    store.save_tension_results(2, &[result("2026-Q2", "[2]")]).await.unwrap();
    store.save_tension_results(1, &[result("2026-Q2", "[3]")]).await.unwrap();
    store.save_tension_results(1, &[]).await.unwrap();
    let periods: Vec<String> = store.tension_periods(1).await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(periods, ["2026-Q1", "2026-Q2"]);
    let body = async |method, period: &str| store.tension_result(method, period.parse().unwrap()).await.unwrap().map(|r| r.body);
    assert_eq!(body(1, "2026-Q2").await, Some("[3]".into()));
    assert_eq!((body(2, "2026-Q2").await, body(2, "2026-Q1").await), (Some("[2]".into()), None));

    let act = Act {
        id: 0,
        block: "protest".parse().unwrap(),
        weight: 0.3,
        basis: "Шешім № 17".into(),
        basis_url: "https://council.example/17".into(),
        published_on: "2026-10-01".parse().unwrap(),
        proposed_at: START,
        proposed_by: "a".into(),
        decided_at: None,
        decided_by: None,
        approved: None,
        expires_on: "2027-10-01".parse().unwrap(),
        revoked_at: None,
        revoked_by: None,
    };
    let mut act = store.add_weight_act(act).await.unwrap();
    assert_eq!(store.weight_acts().await.unwrap(), std::slice::from_ref(&act));
    act.decide("b", true, &[], after(1)).unwrap();
    assert!(store.decide_weight_act(&act).await.unwrap());
    assert!(!store.decide_weight_act(&act).await.unwrap(), "decided once only");
    assert_eq!(store.weight_acts().await.unwrap(), std::slice::from_ref(&act));
    act.revoke("a", after(2)).unwrap();
    assert!(store.revoke_weight_act(&act).await.unwrap() && !store.revoke_weight_act(&act).await.unwrap());
    assert_eq!(store.weight_acts().await.unwrap()[0].state(after(3)), ActState::Revoked);
    store.close().await;
}

/// Runs SQL behind the store's back.
async fn behind_its_back(url: &str, sql: &str) {
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    if url.starts_with("sqlite:") {
        sql.execute(&mut SqliteConnection::connect(url).await.unwrap()).await.unwrap();
    } else {
        sql.execute(&mut PgConnection::connect(url).await.unwrap()).await.unwrap();
    }
}

fn alert(id: i64, cause: Cause) -> Alert {
    Alert {
        id: AlertId(id),
        cause,
        level: Level::Notice,
        state: AlertState::Raised,
        site: None,
        device: None,
        position: None,
        raised_at: START,
        updated_at: START,
        closed_at: None,
        claimed_by: None,
        unit: None,
        close_reason: None,
        stored: true,
        subsided_at: None,
        progress: Progress::default(),
        version: 1,
    }
}

fn press(test: bool) -> Cause {
    let first = Alarm::new("school-17/gate".parse().unwrap(), AlarmKind::HoldUp, u64::MAX, START);
    Cause::Alarm(AlarmEvidence {
        boot: Some("b\0\"ә".into()),
        pressed_at: Some(after(-1)),
        test,
        clock_suspect: true,
        presses: 3,
        ..AlarmEvidence::of(&first)
    })
}

fn crowd() -> Cause {
    let reason = Reason { code: ReasonCode::AboveLimit, observed: 8.3, bound: 0.1, for_s: 20 };
    Cause::Crowd(CrowdEvidence {
        people: 9.1,
        low: 8.3,
        high: 99_999.99,
        peak: 11.7,
        limit: Some(0.1),
        baseline: Some(1.0 / 3.0),
        baseline_bound: None,
        formula: "crowd-v1".into(),
        reasons: vec![reason],
        assessed: None,
        neighbours: Vec::new(),
    })
}

fn incident() -> Cause {
    Cause::Incident(IncidentEvidence { text: "түтін; DROP TABLE alert".into(), opened_by: "aigerim".parse().unwrap() })
}

fn line(alert: &Alert, action: &str) -> Record {
    Record {
        alert: alert.id,
        seq: 0,
        action: action.into(),
        from: (action != "raise").then_some(AlertState::Raised),
        to: alert.state,
        who: "aigerim".into(),
        role: "duty_officer".into(),
        at: alert.updated_at,
        reason: Some("себебі".into()),
        unit: alert.unit.clone(),
    }
}

async fn alerts_come_back_as_they_were(url: &str) {
    let store = Store::open(url).await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.next_alert_id().await.unwrap(), AlertId(1));
    let full = Alert {
        site: Some("school-17".parse().unwrap()),
        device: Some("school-17/gate".parse().unwrap()),
        position: Some(GeoPoint::new(42.9, 71.366_667).unwrap()),
        level: Level::Critical,
        stored: false,
        subsided_at: Some(after(5)),
        ..alert(1, press(false))
    };
    let alerts = [full, alert(2, crowd()), alert(3, incident())];
    let raised: Vec<Transition> =
        alerts.iter().map(|a| Transition { alert: Arc::new(a.clone()), record: Some(line(a, "raise")) }).collect();
    store.save(&raised, Some(7)).await.unwrap();
    assert_eq!(store.open_alerts().await.unwrap(), alerts);

    let closed = Alert {
        state: AlertState::Closed,
        closed_at: Some(after(9)),
        updated_at: after(9),
        claimed_by: Some("aigerim".parse().unwrap()),
        unit: Some("patrol-2".parse().unwrap()),
        close_reason: Some(CloseReason::FalseAlarm),
        stored: true,
        version: 4,
        ..alerts[0].clone()
    };
    let updated = Transition { alert: Arc::new(Alert { version: 2, ..alerts[1].clone() }), record: None };
    let close = Transition { alert: Arc::new(closed.clone()), record: Some(line(&closed, "close")) };
    // Twice, and the old ones once more after the new: a retry must not undo or repeat anything.
    for batch in [&vec![close.clone(), updated.clone()], &vec![close, updated], &raised] {
        store.save(batch, Some(9)).await.unwrap();
    }
    let (back, history) = store.alert(AlertId(1)).await.unwrap().unwrap();
    assert_eq!(back, closed);
    assert_eq!(history, [Record { seq: 1, ..line(&alerts[0], "raise") }, Record { seq: 2, ..line(&closed, "close") }]);
    assert_eq!(store.alert(AlertId(2)).await.unwrap().unwrap().0.version, 2);
    assert!(store.alert(AlertId(4)).await.unwrap().is_none());

    let ids = |alerts: Vec<Alert>| alerts.iter().map(|a| a.id.0).collect::<Vec<_>>();
    assert_eq!(ids(store.list(None, None, 10).await.unwrap()), [3, 2, 1]);
    assert_eq!(ids(store.list(None, Some(AlertId(3)), 1).await.unwrap()), [2]);
    assert_eq!(ids(store.list(Some(true), None, 10).await.unwrap()), [3, 2]);
    assert_eq!(ids(store.list(Some(false), None, 10).await.unwrap()), [1]);
    store.close().await;

    let again = Store::open(url).await.unwrap();
    assert_eq!((again.next_alert_id().await.unwrap(), again.applied_journal_row().await.unwrap()), (AlertId(4), 9));
    assert_eq!(ids(again.open_alerts().await.unwrap()), [2, 3]);
    again.close().await;
}

async fn figures_leave_tests_out(url: &str) {
    let store = Store::open(url).await.unwrap();
    assert_eq!(store.figures(START).await.unwrap(), qorgan_alerts::store::Figures::default());
    let ended =
        |id, cause, reason| Alert { state: AlertState::Closed, close_reason: Some(reason), closed_at: Some(START), ..alert(id, cause) };
    let alerts = [
        ended(1, press(false), CloseReason::FalseAlarm),
        ended(2, press(true), CloseReason::FalseAlarm),
        ended(3, crowd(), CloseReason::Resolved),
        ended(4, crowd(), CloseReason::Subsided),
        ended(5, crowd(), CloseReason::Resolved),
        ended(6, press(false), CloseReason::Drill),
        alert(7, incident()),
        Alert { raised_at: after(-1), ..ended(8, press(false), CloseReason::FalseAlarm) },
    ];
    let saved: Vec<Transition> = alerts.into_iter().map(|alert| Transition { alert: Arc::new(alert), record: None }).collect();
    store.save(&saved, None).await.unwrap();
    store.append_audit(entry("still.open", after(1))).await.unwrap();
    store.append_audit(entry("still.open", after(-1))).await.unwrap();
    store.append_audit(entry("alert.claim", after(1))).await.unwrap();
    let figures = store.figures(START).await.unwrap();
    assert_eq!((figures.alarm, figures.crowd, figures.incident, figures.stills_opened), (2, 3, 1, 1));
    assert!((figures.false_percent.unwrap() - 100.0 / 3.0).abs() < 1e-9);
    store.close().await;
}

fn count(camera: &str, at: UtcMs, people: f32) -> Count {
    let (low, high) = (people - 0.5, people + 0.5);
    Count {
        camera: camera.parse().unwrap(),
        at,
        people,
        low,
        high,
        source: CountSource::Foreign,
        unchanged: false,
        zones: Vec::new(),
        flows: Vec::new(),
    }
}

async fn counts_roll_up_and_expire(url: &str) {
    let store = Store::open(url).await.unwrap();
    let yard = "s/yard".parse().unwrap();
    // Two hours, a count every second on two cameras: many batches, the last one odd.
    let counts: Vec<Count> = (0..7201)
        .flat_map(|s: i16| {
            ["s/yard", "s/hall"].map(|camera| count(camera, after(i64::from(s) * 1000), f32::from(s / 60) + f32::from(s % 2)))
        })
        .collect();
    store.add_counts(&counts).await.unwrap();
    store.add_counts(&counts[..3]).await.unwrap();
    store.add_counts(&[]).await.unwrap();
    let raw = store.counts(&yard, START, after(10_000)).await.unwrap();
    assert_eq!(raw.len(), 10, "what is there already is left alone");
    assert_eq!((raw[1].at, raw[1].people, raw[1].low, raw[1].high), (after(1000), 1.0, 0.5, 1.5));

    let keep = Retention::default();
    let end = after(120 * MINUTE + 1500);
    let done = store.maintain(end, &keep).await.unwrap();
    assert_eq!((done.minutes, done.expired), (240, 0));
    let minutes = store.counts(&yard, START, after(180 * MINUTE)).await.unwrap();
    assert_eq!(minutes.len(), 121, "the minute under way is made on the way");
    assert_eq!((minutes[3].at, minutes[3].people), (after(3 * MINUTE), 3.5));
    let hours = store.counts(&yard, START, after(73 * 60 * MINUTE)).await.unwrap();
    assert_eq!((hours[0].at, hours[0].people), (START, 30.0));
    assert_eq!(hours[1].people, 90.0);
    let peaks = store.minute_peaks(&["s/hall".parse().unwrap(), yard.clone()], after(119 * MINUTE)).await.unwrap();
    assert_eq!((peaks.len(), peaks[0].at, peaks[0].people), (2, after(119 * MINUTE), 120.0));

    // A count that comes late is worked in.
    store.add_counts(&[count("s/yard", after(2 * MINUTE + 500), 63.0)]).await.unwrap();
    store.maintain(end, &keep).await.unwrap();
    let minute = store.counts(&yard, START, after(180 * MINUTE)).await.unwrap()[2];
    assert!((minute.people - (150.0 + 63.0) / 61.0).abs() < 1e-9, "{minute:?}");

    // A day later the raw counts are gone, minutes and hours are what they were.
    let done = store.maintain(after(25 * 60 * MINUTE), &keep).await.unwrap();
    assert!(done.expired > 0);
    let coarse = store.counts(&yard, START, after(10 * MINUTE)).await.unwrap();
    assert_eq!((coarse.len(), coarse[2]), (10, minute));
    // A month later only the hours, four years later nothing.
    store.maintain(after(40 * 24 * 60 * MINUTE), &keep).await.unwrap();
    assert_eq!(store.counts(&yard, START, after(60 * MINUTE)).await.unwrap().len(), 1);
    store.maintain(after(4 * 365 * 24 * 60 * MINUTE), &keep).await.unwrap();
    assert_eq!(store.counts(&yard, START, after(180 * MINUTE)).await.unwrap(), []);
    store.close().await;
}

async fn accounts_and_sessions(url: &str) {
    let store = Store::open(url).await.unwrap();
    let name = "aigerim".parse().unwrap();
    let account = Account {
        name,
        role: Role::SchoolContact,
        password_hash: "$argon2id$...".into(),
        display_name: "Әйгерім".into(),
        site: Some("school-17".parse().unwrap()),
        unit: None,
        area: None,
        language: "kk".into(),
        disabled: false,
        created_at: START,
    };
    store.put_account(&account).await.unwrap();
    let changed = Account { role: Role::DutyOfficer, site: None, unit: Some("u".parse().unwrap()), ..account.clone() };
    store.put_account(&Account { created_at: after(9), ..changed.clone() }).await.unwrap();
    assert_eq!(store.account(&account.name).await.unwrap(), Some(changed.clone()));
    assert_eq!(store.accounts().await.unwrap(), std::slice::from_ref(&changed));
    assert_eq!(store.account(&"nobody".parse().unwrap()).await.unwrap(), None);

    let login = |token: &str, expires_at| Login {
        token_sha256: token.into(),
        csrf: "c".into(),
        user: account.name.clone(),
        created_at: START,
        expires_at,
        seen_at: START,
    };
    store.add_session(&login("t1", after(1000))).await.unwrap();
    store.add_session(&login("t2", after(9000))).await.unwrap();
    assert_eq!(store.session("t1", after(999)).await.unwrap(), Some((login("t1", after(1000)), changed.clone())));
    assert_eq!(store.session("t1", after(1000)).await.unwrap(), None, "expired");
    store.touch_session("t1", after(500), after(2000)).await.unwrap();
    assert_eq!(store.session("t1", after(1000)).await.unwrap().unwrap().0.seen_at, after(500));
    store.put_account(&Account { disabled: true, ..changed.clone() }).await.unwrap();
    assert_eq!(store.session("t1", after(1)).await.unwrap(), None, "a disabled account has no sessions");
    store.put_account(&changed).await.unwrap();
    store.end_session("t1").await.unwrap();
    assert_eq!(store.session("t1", after(1)).await.unwrap(), None);
    assert!(store.set_password(&account.name, "new").await.unwrap());
    assert_eq!(store.session("t2", after(1)).await.unwrap(), None, "a new password ends every session");
    assert!(!store.set_password(&"nobody".parse().unwrap(), "new").await.unwrap());
    store.close().await;
}

async fn cameras_and_their_hours(url: &str) {
    let store = Store::open(url).await.unwrap();
    let (id, other): (DeviceRef, DeviceRef) = ("school-17/hall".parse().unwrap(), "school-17/yard".parse().unwrap());
    let mut camera = StoredCamera {
        camera: id.clone(),
        keys: "{}".into(),
        sealed: Some("1:00".into()),
        updated_at: UtcMs(7),
        updated_by: "admin".parse().unwrap(),
    };
    store.put_camera(&camera).await.unwrap();
    (camera.keys, camera.sealed) = ("{\"id\":\"hall\"}".into(), None);
    store.put_camera(&camera).await.unwrap();
    assert_eq!(store.stored_cameras().await.unwrap(), [camera]);
    assert!(store.remove_camera(&id).await.unwrap() && !store.remove_camera(&id).await.unwrap());

    let hour = |camera: &DeviceRef, hour: i64, live_s, known_s| CameraHour {
        camera: camera.clone(),
        hour_at: UtcMs(hour * 3_600_000),
        live_s,
        known_s,
    };
    store.add_camera_hours(&[hour(&id, 1, 10, 60), hour(&id, 2, 60, 60), hour(&other, 2, 0, 60)]).await.unwrap();
    store.add_camera_hours(&[hour(&id, 2, 30, 60)]).await.unwrap();
    let since = |hour: i64| store.camera_uptime(UtcMs(hour * 3_600_000));
    assert_eq!(since(0).await.unwrap(), [(id.clone(), 100, 180), (other.clone(), 0, 60)]);
    assert_eq!(since(2).await.unwrap(), [(id.clone(), 90, 120), (other, 0, 60)]);
    assert_eq!(store.forget_camera_hours(UtcMs(2 * 3_600_000)).await.unwrap(), 1);
    assert_eq!(since(0).await.unwrap()[0], (id, 90, 120));
}

async fn texts_and_sound_tests(url: &str) {
    let store = Store::open(url).await.unwrap();
    assert_eq!(store.areas().await.unwrap(), None);
    store.set_areas("{\"a\":1}").await.unwrap();
    store.set_areas("{\"a\":2}").await.unwrap();
    assert_eq!(store.areas().await.unwrap().as_deref(), Some("{\"a\":2}"));
    let test = |user: &str, at, heard| SoundTest { user: user.parse().unwrap(), at, heard };
    for t in [test("a", after(1), false), test("a", after(2), true), test("b", after(1), false), test("c", after(-9), true)] {
        store.add_sound_test(&t).await.unwrap();
    }
    assert_eq!(store.sound_tests(START).await.unwrap(), [test("a", after(2), true), test("b", after(1), false)]);
    store.close().await;
}

fn entry(action: &str, at: UtcMs) -> AuditEntry {
    let purpose = (action == "still.open").then(|| "a\0 child\u{2019}s bag".to_owned());
    AuditEntry { at, who: "aigerim".into(), role: "duty_officer".into(), action: action.into(), subject: "school-17/yard".into(), purpose }
}

async fn the_audit_log_shows_what_was_done_to_it(fresh: &impl AsyncFn() -> String) {
    let url = fresh().await;
    let store = Store::open(&url).await.unwrap();
    assert_eq!(store.verify_audit().await.unwrap().entries, 0);
    // Many at once, and a second process of the hub beside it.
    let second = Store::open(&url).await.unwrap();
    let writes = (0..40).map(|n| {
        let store = if n % 2 == 0 { store.clone() } else { second.clone() };
        tokio::spawn(
            async move { store.append_audit(entry(if n % 3 == 0 { "still.open" } else { "alert.claim" }, after(n))).await.unwrap() },
        )
    });
    futures::future::join_all(writes).await;
    let sound = second.verify_audit().await.unwrap();
    assert_eq!((sound.entries, sound.broken_at, sound.head.len()), (40, None, 64));
    let newest = store.audit(None, 3).await.unwrap();
    assert_eq!(newest.iter().map(|l| l.seq).collect::<Vec<_>>(), [40, 39, 38]);
    assert_eq!(newest[0].hash, sound.head);
    assert_eq!(store.audit(Some(3), 10).await.unwrap().len(), 2);
    store.close().await;
    second.close().await;

    for (sql, broken_at) in [
        ("UPDATE audit SET who = 'bolat' WHERE seq = 7", 7),
        ("UPDATE audit SET purpose = NULL WHERE purpose IS NOT NULL", 1),
        ("UPDATE audit SET subject = 'school-17/yar', action = action || 'd' WHERE seq = 9", 9),
        ("DELETE FROM audit WHERE seq = 12", 12),
        ("DELETE FROM audit WHERE seq > 38", 39),
        ("DELETE FROM audit", 1),
        (
            "UPDATE audit SET seq = -1 WHERE seq = 20; UPDATE audit SET seq = 20 WHERE seq = 21; UPDATE audit SET seq = 21 WHERE seq = -1",
            20,
        ),
    ] {
        let url = fresh().await;
        let store = Store::open(&url).await.unwrap();
        for n in 0..40 {
            store.append_audit(entry(if n == 0 { "still.open" } else { "alert.claim" }, after(n))).await.unwrap();
        }
        assert_eq!(store.verify_audit().await.unwrap().broken_at, None);
        behind_its_back(&url, sql).await;
        assert_eq!(store.verify_audit().await.unwrap().broken_at, Some(broken_at), "{sql}");
        store.close().await;
    }
}

#[tokio::test]
async fn alarms_reach_the_desks_while_postgresql_is_stopped_and_are_written_when_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Postgres::start().await.unwrap();
    let store = Store::open(&server.database().await.unwrap()).await.unwrap();
    let journal = Journal::open(&dir.path().join("journal.db")).await.unwrap();
    let (fusion, applied_row) = engine::recover(&store, Some(&journal), Rules::default(), SystemClock.utc()).await.unwrap();
    let (ring, cancel) = (Ring::<Arc<Alert>>::new("k", 64), CancellationToken::new());
    let parts = Parts {
        fusion,
        applied_row,
        store: store.clone(),
        journal: Some(journal.clone()),
        clock: Arc::new(SystemClock),
        ring: ring.clone(),
    };
    let (engine, task) = Engine::start(parts, cancel.clone());
    let alarm = |seq| Alarm::new(format!("school-17/gate-{seq}").parse().unwrap(), AlarmKind::Panic, seq, SystemClock.utc());
    let press = async |seq| {
        let cursor = ring.cursor();
        let stored = journal.commit(alarm(seq)).await.unwrap();
        engine.alarm(alarm(seq), Some(stored.row), stored.repeat).await.unwrap();
        tokio::time::timeout(Duration::from_secs(5), ring.changed(&cursor)).await.expect("not shown");
    };
    press(1).await;
    let stored = async {
        while store.open_alerts().await.unwrap().len() != 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), stored).await.expect("not stored");
    server.stop();
    press(2).await;
    press(3).await;
    let officer = Actor::Person { user: "aigerim".parse().unwrap(), role: Role::DutyOfficer, unit: None };
    engine.act(AlertId(2), Action::Claim, officer).await.unwrap();
    assert!(engine.open_alerts().iter().all(|alert| alert.stored), "they are in the journal");
    server.resume().await.unwrap();
    let written = async {
        while store.applied_journal_row().await.ok() != Some(3) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), written).await.expect("not written after the store was back");
    let shown: Vec<Alert> = engine.open_alerts().into_iter().map(Arc::unwrap_or_clone).collect();
    assert_eq!(store.open_alerts().await.unwrap(), shown);
    assert_eq!(store.alert(AlertId(2)).await.unwrap().unwrap().1.len(), 2);
    cancel.cancel();
    task.await.unwrap();
    store.close().await;
    journal.close().await;
}
