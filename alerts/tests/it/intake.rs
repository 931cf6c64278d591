//! Values in the store: nothing half-way, every value with its history, and an undo that restores what stood.

use std::collections::BTreeSet;

use qorgan_alerts::{
    Store,
    intake::{
        plan::{Compared, Planned},
        services::{SignalKind, SignalStatus},
    },
    store::{Appeal, FeedState, HistoryFilter, ImportKind, NewImport, NotUndone, Signal, SignalFilter, SignalStep},
};
use qorgan_domain::{
    UtcMs,
    indicator::{Basis, Observation},
};

async fn store(dir: &tempfile::TempDir) -> Store {
    Store::open(&format!("sqlite:{}/hub.db", dir.path().display())).await.unwrap()
}

fn value(area: &str, month: &str, value: f64) -> Planned {
    let observation = Observation {
        area: area.parse().unwrap(),
        indicator: "housing-complaints".parse().unwrap(),
        period: month.parse().unwrap(),
        value,
        basis: Basis::Cases(value as u64),
    };
    Planned { observation, source: None, row: 2 }
}

fn import(at: i64) -> NewImport {
    NewImport {
        at: UtcMs(at),
        who: "analyst".into(),
        kind: ImportKind::File,
        source: "akimat".into(),
        filename: Some("values.xlsx".into()),
        sha256: Some("00".repeat(32)),
        suppressed: 1,
    }
}

async fn standing(store: &Store, as_of: Option<i64>) -> Vec<(String, f64)> {
    let values = store.indicator_values(as_of.map(UtcMs)).await.unwrap();
    values.into_iter().map(|v| (v.observation.area.to_string(), v.observation.value)).collect()
}

fn pairs(values: &[(&str, f64)]) -> Vec<(String, f64)> {
    values.iter().map(|(area, value)| ((*area).to_owned(), *value)).collect()
}

#[tokio::test]
async fn an_undo_restores_what_stood_before_and_says_what_a_later_import_has_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let (taraz, baizak) = ("311000000", "313600000");
    let first = [value(taraz, "2026-10", 10.0), value(baizak, "2026-10", 20.0)];
    let second = [value(taraz, "2026-10", 11.0), value(baizak, "2026-10", 21.0), value("314000000", "2026-10", 31.0)];
    let third = [value(taraz, "2026-10", 12.0)];
    for (at, values, compared) in [
        (100, &first[..], Compared { added: 2, changed: 0, unchanged: 0 }),
        (200, &second, Compared { added: 1, changed: 2, unchanged: 0 }),
        (300, &third, Compared { added: 0, changed: 1, unchanged: 0 }),
    ] {
        let added = store.add_values(&import(at), values, |_| {}).await.unwrap();
        assert_eq!((added.import, added.compared), (Some(at / 100), compared));
    }
    let again = store.add_values(&import(400), &third, |_| {}).await.unwrap();
    assert_eq!((again.import, again.compared.unchanged), (None, 1), "what stands is no new import");
    assert_eq!(standing(&store, None).await, pairs(&[(taraz, 12.0), (baizak, 21.0), ("314000000", 31.0)]));

    let undone = store.undo_import(2, "analyst", "wrong month", UtcMs(500)).await.unwrap().unwrap();
    assert_eq!((undone.restored, undone.removed, undone.overwritten), (1, 1, 1));
    assert_eq!((undone.overwritten_by[0].0.as_str(), undone.overwritten_by[0].3), (taraz, 3));
    assert_eq!(standing(&store, None).await, pairs(&[(taraz, 12.0), (baizak, 20.0)]));
    assert_eq!(store.undo_import(2, "analyst", "again", UtcMs(510)).await.unwrap(), Err(NotUndone::Already));
    assert_eq!(store.undo_import(77, "analyst", "none", UtcMs(510)).await.unwrap(), Err(NotUndone::NotFound));

    // Under the third stood the second, which is undone: now the first stands, not the second.
    store.undo_import(3, "analyst", "wrong too", UtcMs(600)).await.unwrap().unwrap();
    assert_eq!(standing(&store, None).await, pairs(&[(taraz, 10.0), (baizak, 20.0)]));
    // The past stays as it was known then.
    assert_eq!(standing(&store, Some(250)).await, pairs(&[(taraz, 11.0), (baizak, 21.0), ("314000000", 31.0)]));
    assert_eq!(standing(&store, Some(550)).await, pairs(&[(taraz, 12.0), (baizak, 20.0)]));
    assert_eq!(standing(&store, Some(99)).await, pairs(&[]));

    let filter = HistoryFilter { area: Some(taraz.parse().unwrap()), limit: 10, ..HistoryFilter::default() };
    let history = store.indicator_history(&filter).await.unwrap();
    let said: Vec<_> =
        history.iter().map(|e| (e.stored.observation.value, e.before.map(|b| b.0), e.standing, e.undone.is_some())).collect();
    assert_eq!(said, [(12.0, Some(11.0), false, true), (11.0, Some(10.0), false, true), (10.0, None, true, false)]);
    assert_eq!(
        (history[0].stored.by.as_str(), history[0].stored.source.as_str(), history[0].stored.recorded_at),
        ("analyst", "akimat", UtcMs(300))
    );
    let imports = store.imports(None, 10).await.unwrap();
    assert_eq!(
        imports.iter().map(|i| (i.id, i.values, i.undone.is_some())).collect::<Vec<_>>(),
        [(3, 1, true), (2, 3, true), (1, 2, false)]
    );
}

#[tokio::test]
async fn what_an_import_left_that_did_not_end_is_seen_by_nobody_and_removed_by_the_next() {
    use sqlx::{Connection, Row, SqliteConnection};
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    store.add_values(&import(100), &[value("311000000", "2026-10", 10.0)], |_| {}).await.unwrap();
    // As a crash between two batches leaves it: rows, and no import.
    let mut raw = SqliteConnection::connect(&format!("sqlite:{}/hub.db", dir.path().display())).await.unwrap();
    let half = "INSERT INTO indicator_value (seq, area, indicator, period, value, cases, import) VALUES (2, '311000000', 'housing-complaints', '2026-10', 99, 99, 2)";
    sqlx::query(half).execute(&mut raw).await.unwrap();
    assert_eq!(standing(&store, None).await, pairs(&[("311000000", 10.0)]));
    assert_eq!(standing(&store, Some(1_000)).await, pairs(&[("311000000", 10.0)]));
    let filter = HistoryFilter { area: Some("311000000".parse().unwrap()), limit: 10, ..HistoryFilter::default() };
    assert_eq!(store.indicator_history(&filter).await.unwrap().len(), 1);
    store.add_values(&import(200), &[value("311000000", "2026-10", 12.0)], |_| {}).await.unwrap();
    let rows = sqlx::query("SELECT COUNT(*) AS n FROM indicator_value WHERE value = 99").fetch_one(&mut raw).await.unwrap();
    assert_eq!(rows.get::<i64, _>("n"), 0);
    assert_eq!(standing(&store, None).await, pairs(&[("311000000", 12.0)]));
}

#[tokio::test]
async fn many_values_are_written_in_steps_that_are_heard_and_are_there_together() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let values: Vec<Planned> = (0..9_000).map(|n| value(&format!("{}", 311_000_000 + n), "2026-10", 50.0)).collect();
    let heard = std::sync::Mutex::new(Vec::new());
    store.add_values(&import(100), &values, |n| heard.lock().unwrap().push(n)).await.unwrap();
    assert_eq!(*heard.lock().unwrap(), [4_000, 8_000, 9_000]);
    let periods: BTreeSet<_> = ["2026-10".parse().unwrap()].into();
    assert_eq!(store.standing_of(&periods).await.unwrap().len(), 9_000);
    assert!(store.standing_of(&["2026-09".parse().unwrap()].into()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_signal_goes_its_way_step_by_step_and_a_stale_step_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let step = |at, status| SignalStep { at: UtcMs(at), who: "lead".into(), status, note: None };
    let signal = Signal {
        id: 0,
        kind: SignalKind::Infrastructure,
        area: "311000000".parse().unwrap(),
        place: "Төле би көшесі".into(),
        position: None,
        text: "Жылу жоқ".into(),
        service: "heat".into(),
        status: SignalStatus::New,
        entered_at: UtcMs(1),
        entered_by: "lead".into(),
        due_at: UtcMs(100),
        steps: vec![step(1, SignalStatus::New)],
    };
    let id = store.add_signal(&signal).await.unwrap();
    let seen = store.signal(id).await.unwrap().unwrap();
    assert!(store.step_signal(&seen, &step(2, SignalStatus::Sent)).await.unwrap());
    assert!(!store.step_signal(&seen, &step(3, SignalStatus::Declined)).await.unwrap(), "it is not new any more");
    let now = store.signals(&SignalFilter { status: Some(SignalStatus::Sent), limit: 10, ..SignalFilter::default() }).await.unwrap();
    assert_eq!(now[0].steps.iter().map(|s| s.status).collect::<Vec<_>>(), [SignalStatus::New, SignalStatus::Sent]);
    assert!(store.signals(&SignalFilter { kind: Some(SignalKind::Legal), limit: 10, ..SignalFilter::default() }).await.unwrap().is_empty());
}

#[tokio::test]
async fn totals_of_feeds_grow_with_their_mark_and_late_appeals_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let counts = vec![("2026-10-05".to_owned(), "311000000".parse().unwrap(), "heat".to_owned(), 3)];
    for mark in [10, 20] {
        let state = FeedState { mark: Some(UtcMs(mark)), failures: 0, ..FeedState::default() };
        store.add_feed_counts("news", &counts, &state).await.unwrap();
    }
    let totals = store.feed_totals("2026-10-01", "2026-10-31").await.unwrap();
    assert_eq!((totals.len(), totals[0].items), (1, 6));
    assert_eq!(store.feed_state("news").await.unwrap().mark, Some(UtcMs(20)));
    for (due, answered) in
        [("2026-10-10", Some("2026-10-09")), ("2026-10-10", Some("2026-10-11")), ("2026-10-10", None), ("2026-12-10", None)]
    {
        let appeal = Appeal {
            id: 0,
            received: "2026-10-01".into(),
            area: "311000000".parse().unwrap(),
            topic: "heat".into(),
            leader: "akim".into(),
            due: due.into(),
            answered: answered.map(Into::into),
            entered_by: "analyst".into(),
        };
        store.add_appeal(&appeal, UtcMs(1)).await.unwrap();
    }
    let cells = store.appeal_cells("2026-11-22").await.unwrap();
    assert_eq!((cells[0].came, cells[0].late, cells[0].month.as_str()), (4, 2, "2026-10"));
}
