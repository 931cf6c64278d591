//! The engine over a real journal and a real SQLite store.

use std::{path::Path, sync::Arc, time::Duration};

use qorgan_alerts::{
    ActError, Cursor, Engine, Journal, Refusal, Ring, Rules, Store, Transition,
    engine::{self, Parts},
    fusion::CameraRule,
};
use qorgan_domain::{
    AlertId, Clock, Event, ManualClock, Role,
    alert::{Action, Alert, AlertState, Cause, CloseReason},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::make::{START, after, close, count, person, press};

const YARD: &str = "school-17/yard";

struct Hub {
    engine: Engine,
    journal: Journal,
    store: Store,
    ring: Ring<Arc<Alert>>,
    clock: ManualClock,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

fn rules() -> Rules {
    let mut rules = Rules::default();
    rules.cameras.insert(YARD.parse().unwrap(), CameraRule { limit: Some(8.0), public_space: false });
    rules
}

async fn store(dir: &Path) -> Store {
    Store::open(&format!("sqlite:{}", dir.join("store.db").display())).await.unwrap()
}

async fn hub(dir: &Path) -> Hub {
    let journal = Journal::open(&dir.join("journal.db")).await.unwrap();
    let clock = ManualClock::at(START);
    let (store, ring, cancel) = (store(dir).await, Ring::new("k1", 64), CancellationToken::new());
    let (fusion, applied_row) = engine::recover(&store, Some(&journal), rules(), clock.utc()).await.unwrap();
    let parts = Parts {
        fusion,
        applied_row,
        store: store.clone(),
        journal: Some(journal.clone()),
        clock: Arc::new(clock.clone()),
        ring: ring.clone(),
    };
    let (engine, task) = Engine::start(parts, cancel.clone());
    Hub { engine, journal, store, ring, clock, cancel, task }
}

impl Hub {
    /// What a door does.
    async fn press(&self, seq: u64) {
        let alarm = press("school-17/gate", seq, Some("b"), self.clock.utc());
        let stored = self.journal.commit(alarm.clone()).await.unwrap();
        self.engine.alarm(alarm, Some(stored.row), stored.repeat).await.unwrap();
    }

    /// Waits for changes after a cursor until one of them fits.
    async fn until(&self, cursor: &Cursor, fits: impl Fn(&Alert) -> bool) -> Alert {
        let mut cursor = cursor.clone();
        let found = async {
            loop {
                self.ring.changed(&cursor).await;
                let (changes, next) = self.ring.since(&cursor, 100).unwrap();
                if let Some(alert) = changes.into_iter().find(|a| fits(a)) {
                    return Arc::unwrap_or_clone(alert);
                }
                cursor = next;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found).await.expect("no such change on the ring")
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
        self.journal.close().await;
        self.store.close().await;
    }
}

fn presses(alert: &Alert) -> u32 {
    match &alert.cause {
        Cause::Alarm(press) => press.presses,
        _ => 0,
    }
}

#[tokio::test]
async fn a_press_reaches_the_ring_stored_and_is_claimed_and_closed() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub(dir.path()).await;
    let start = hub.ring.cursor();
    hub.press(1).await;
    hub.press(1).await;
    let raised = hub.until(&start, |a| a.state == AlertState::Raised).await;
    assert!(raised.stored);
    assert_eq!(hub.journal.newest().await.unwrap(), 1, "on disk before it is on the ring");
    let stored = async {
        while hub.store.open_alerts().await.unwrap() != std::slice::from_ref(&raised) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), stored).await.expect("it never came to the store");
    let officer = person("aigerim", Role::DutyOfficer);
    let claimed = hub.engine.act(raised.id, Action::Claim, officer.clone()).await.unwrap();
    assert_eq!((claimed.version, presses(&claimed)), (2, 1), "the repeat changed nothing");
    let late = hub.engine.act(raised.id, Action::Claim, person("bolat", Role::PoliceDesk)).await.unwrap_err();
    assert!(matches!(late, ActError::Refused(Refusal::AlreadyClaimed { by }, Some(_)) if by.as_str() == "aigerim"));
    let closed = hub.engine.act(raised.id, close(CloseReason::Resolved), officer.clone()).await.unwrap();
    assert_eq!(hub.engine.open_alerts().len(), 0);
    let (stored, history) = hub.store.alert(raised.id).await.unwrap().unwrap();
    assert_eq!(stored, closed);
    let lines: Vec<(u32, &str, &str)> = history.iter().map(|r| (r.seq, r.action.as_str(), r.who.as_str())).collect();
    assert_eq!(lines, [(1, "raise", "system/alarm"), (2, "claim", "aigerim"), (3, "close", "aigerim")]);
    let closed = hub.engine.act(raised.id, Action::Claim, officer.clone()).await.unwrap_err();
    assert!(matches!(closed, ActError::Refused(Refusal::Closed, Some(_))));
    assert!(matches!(hub.engine.act(AlertId(99), Action::Claim, officer).await, Err(ActError::NotFound)));
    hub.stop().await;
}

#[tokio::test]
async fn a_press_with_a_receipt_is_there_once_after_a_kill_wherever_it_hit() {
    let dir = tempfile::tempdir().unwrap();
    let killed = hub(dir.path()).await;
    let start = killed.ring.cursor();
    killed.press(1).await;
    killed.until(&start, |a| presses(a) == 1).await;
    // Killed after the commits, before the engine heard of these.
    killed.task.abort();
    for seq in 2..=5 {
        killed.journal.commit(press("school-17/gate", seq, Some("b"), after(0))).await.unwrap();
    }
    let _ = killed.task.await;
    killed.journal.close().await;
    killed.store.close().await;

    for _ in 0..2 {
        let hub = hub(dir.path()).await;
        let start = hub.ring.cursor();
        if presses(&hub.engine.open_alerts()[0]) != 5 {
            hub.until(&start, |a| presses(a) == 5).await;
        }
        // The device did not get its last receipt and asks again.
        hub.press(5).await;
        hub.engine.act(AlertId(1), Action::Note { text: "behind it".into() }, person("aigerim", Role::DutyOfficer)).await.unwrap();
        let open = hub.engine.open_alerts();
        assert_eq!((open.len(), presses(&open[0]), open[0].state), (1, 5, AlertState::Raised));
        assert_eq!(hub.store.applied_journal_row().await.unwrap(), 5);
        hub.stop().await;
    }
}

#[tokio::test]
async fn doors_that_overtake_each_other_or_give_up_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub(dir.path()).await;
    let start = hub.ring.cursor();
    let mut rows = Vec::new();
    for seq in 1..=6 {
        let alarm = press("school-17/gate", seq, Some("b"), after(0));
        rows.push((hub.journal.commit(alarm.clone()).await.unwrap().row, alarm));
    }
    // Row 2 never comes: its door was cancelled after the commit.
    for n in [2, 5, 0, 3, 4] {
        let (row, alarm) = rows[n].clone();
        hub.engine.alarm(alarm, Some(row), false).await.unwrap();
    }
    let last = hub.until(&start, |a| presses(a) == 6).await;
    assert_eq!(last.version, 6);
    hub.stop().await;
    let store = store(dir.path()).await;
    assert_eq!(store.applied_journal_row().await.unwrap(), 6);
}

#[tokio::test]
async fn another_journal_file_does_not_hide_new_presses_behind_old_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let first = hub(dir.path()).await;
    let start = first.ring.cursor();
    for seq in 1..=3 {
        first.press(seq).await;
    }
    first.until(&start, |a| presses(a) == 3).await;
    first.stop().await;
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _ = std::fs::remove_file(dir.path().join(file));
    }
    // It already holds more rows than the store has seen of the old one.
    let journal = Journal::open(&dir.path().join("journal.db")).await.unwrap();
    for seq in 11..=14 {
        journal.commit(press("school-17/gate", seq, Some("b"), after(0))).await.unwrap();
    }
    journal.close().await;
    let second = hub(dir.path()).await;
    let start = second.ring.cursor();
    second.press(15).await;
    second.until(&start, |a| presses(a) == 8).await;
    second.stop().await;
    // Put back from a backup: fewer rows than the store has seen, and their numbers come again.
    let journal = Journal::open(&dir.path().join("journal.db")).await.unwrap();
    journal.close().await;
    sqlx::raw_sql("DELETE FROM press WHERE row > 2; UPDATE sqlite_sequence SET seq = 2")
        .execute(
            &mut <sqlx::SqliteConnection as sqlx::Connection>::connect(&format!("sqlite:{}", dir.path().join("journal.db").display()))
                .await
                .unwrap(),
        )
        .await
        .unwrap();
    let third = hub(dir.path()).await;
    let start = third.ring.cursor();
    third.press(16).await;
    third.until(&start, |a| presses(a) == 9).await;
    third.stop().await;
}

#[tokio::test]
async fn while_the_store_is_away_alarms_are_shown_and_written_when_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub(dir.path()).await;
    let mut other =
        <sqlx::SqliteConnection as sqlx::Connection>::connect(&format!("sqlite:{}", dir.path().join("store.db").display())).await.unwrap();
    sqlx::raw_sql("ALTER TABLE alert RENAME TO gone").execute(&mut other).await.unwrap();
    let start = hub.ring.cursor();
    hub.press(1).await;
    let shown = hub.until(&start, |a| a.state == AlertState::Raised).await;
    assert!(shown.stored, "it is in the journal");
    let claimed = hub.engine.act(shown.id, Action::Claim, person("aigerim", Role::DutyOfficer)).await.unwrap();
    sqlx::raw_sql("ALTER TABLE gone RENAME TO alert").execute(&mut other).await.unwrap();
    // Stopping waits for what is left to be written.
    hub.cancel.cancel();
    hub.task.await.unwrap();
    let (alert, history) = hub.store.alert(shown.id).await.unwrap().unwrap();
    assert_eq!((alert, history.len()), (claimed, 2));
    assert_eq!(hub.store.applied_journal_row().await.unwrap(), 1);
}

#[tokio::test]
async fn a_press_that_the_journal_refused_is_shown_as_not_stored() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub(dir.path()).await;
    let start = hub.ring.cursor();
    hub.engine.alarm(press("school-17/gate", 1, None, after(0)), None, false).await.unwrap();
    assert!(!hub.until(&start, |_| true).await.stored);
    // The device asks again; now the journal takes it.
    let again = press("school-17/gate", 1, None, after(10));
    let row = hub.journal.commit(again.clone()).await.unwrap().row;
    hub.engine.alarm(again, Some(row), false).await.unwrap();
    let now = hub.until(&start, |a| a.stored).await;
    assert_eq!((presses(&now), now.id), (1, AlertId(1)));
    hub.stop().await;
}

/// Found by `fault-alarms`: more lines waited than one transaction takes, and the hub was killed between two of them.
#[tokio::test]
async fn a_hub_that_is_killed_between_two_transactions_counts_no_press_again_and_loses_none() {
    let dir = tempfile::tempdir().unwrap();
    let first = hub(dir.path()).await;
    let start = first.ring.cursor();
    first.press(1).await;
    let raised = first.until(&start, |_| true).await;
    let (journal, store) = (first.journal.clone(), first.store.clone());
    first.cancel.cancel();
    first.task.await.unwrap();
    // Rows 2 and 3 are in the journal; the store has what row 3 made, and not row 2.
    for seq in [2, 3] {
        journal.commit(press("school-17/gate", seq, Some("b"), after(10))).await.unwrap();
    }
    let (_, history) = store.alert(raised.id).await.unwrap().unwrap();
    let mut again = raised.clone();
    again.version += 1;
    let Cause::Alarm(evidence) = &mut again.cause else { panic!() };
    evidence.presses += 1;
    let line = qorgan_domain::alert::Record { action: "press_again".into(), ..history[0].clone() };
    store.save_rows(&[Transition { alert: again.into(), record: Some(line) }], &[3], None, false).await.unwrap();
    journal.close().await;
    store.close().await;

    for _ in 0..2 {
        let second = hub(dir.path()).await;
        second.stop().await;
    }
    let store = self::store(dir.path()).await;
    let (alert, history) = store.alert(raised.id).await.unwrap().unwrap();
    assert_eq!((presses(&alert), history.len()), (3, 3), "row 2 once more, row 3 not");
    assert_eq!(store.applied_journal_row().await.unwrap(), 3);
    assert!(store.applied_rows_after(0).await.unwrap().is_empty(), "what the mark covers is forgotten");
}

#[tokio::test]
async fn counts_make_a_crowd_alert_whose_evidence_updates_leave_no_lines() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub(dir.path()).await;
    let start = hub.ring.cursor();
    for people in [12.0, 12.0, 12.0, 20.0, 30.0] {
        hub.clock.advance(Duration::from_secs(10));
        assert!(hub.engine.event(Event::Count(count(YARD, people, hub.clock.utc()))));
        // One at a time, so that the clock of each is its own.
        while hub.clock.utc() >= after(30_000)
            && !hub.engine.open_alerts().iter().any(|a| matches!(&a.cause, Cause::Crowd(c) if c.people == people))
        {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
    }
    let last = hub.until(&start, |a| a.version == 3).await;
    hub.stop().await;
    let store = store(dir.path()).await;
    let (alert, history) = store.alert(last.id).await.unwrap().unwrap();
    assert_eq!((alert.version, history.len()), (3, 1));
}

#[tokio::test]
async fn saving_the_same_again_or_late_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub(dir.path()).await;
    let start = hub.ring.cursor();
    hub.press(1).await;
    let raised = hub.until(&start, |_| true).await;
    let claimed = hub.engine.act(raised.id, Action::Claim, person("aigerim", Role::DutyOfficer)).await.unwrap();
    let (_, history) = hub.store.alert(raised.id).await.unwrap().unwrap();
    let old = Transition { alert: Arc::new(raised.clone()), record: Some(history[0].clone()) };
    hub.store.save(&[old.clone(), old], None).await.unwrap();
    assert_eq!(hub.store.alert(raised.id).await.unwrap().unwrap(), (claimed, history));
    hub.stop().await;
}
