//! The journal: what a receipt promises is on disk, once.

use std::{path::Path, sync::Arc};

use qorgan_alerts::Journal;
use qorgan_domain::{Alarm, AlarmKind, ManualClock};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::make::{START, after, press};

const GATE: &str = "school-17/gate";

async fn open(dir: &Path) -> Journal {
    Journal::open_with(&dir.join("journal.db"), Arc::new(ManualClock::at(START))).await.unwrap()
}

/// What a power cut leaves: the files as they lie on disk while the journal is still open.
fn crash(dir: &TempDir) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        // The shared-memory file is an index of the WAL and made anew.
        if !file.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    }
    copy
}

#[tokio::test]
async fn the_same_press_keeps_its_row_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    let first = journal.commit(press(GATE, 1, Some("b1"), after(0))).await.unwrap();
    assert_eq!((first.row, first.repeat, first.stored_at), (1, false, START));
    // Days later, over another connection: still the same press.
    let again = journal.commit(press(GATE, 1, Some("b1"), after(500_000_000))).await.unwrap();
    assert_eq!((again.row, again.repeat), (1, true));
    for other in [
        press(GATE, 2, Some("b1"), after(1)),
        press(GATE, 1, Some("b2"), after(1)),
        press("school-18/gate", 1, Some("b1"), after(1)),
        press(GATE, 1, None, after(1)),
    ] {
        assert!(!journal.commit(other.clone()).await.unwrap().repeat, "{other:?}");
    }
    journal.close().await;
}

#[tokio::test]
async fn without_a_boot_id_a_number_is_a_repeat_for_two_minutes_only() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    for (at_ms, row, repeat) in
        [(0, 1, false), (119_999, 1, true), (120_000, 1, true), (120_001, 2, false), (200_000, 2, true), (-1, 3, false)]
    {
        let stored = journal.commit(press(GATE, 1, None, after(at_ms))).await.unwrap();
        assert_eq!((stored.row, stored.repeat), (row, repeat), "at {at_ms} ms");
    }
    let fire = Alarm { kind: AlarmKind::Fire, ..press(GATE, 1, None, after(0)) };
    assert!(!journal.commit(fire).await.unwrap().repeat, "in doubt it is another press");
    let test = Alarm { test: true, ..press(GATE, 1, None, after(0)) };
    assert!(!journal.commit(test).await.unwrap().repeat, "a press is not swallowed by a test");
}

#[tokio::test]
async fn many_at_once_share_commits_and_every_answer_is_on_disk_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    let presses = (0..500).map(|n| {
        let journal = journal.clone();
        tokio::spawn(async move { journal.commit(press(GATE, n % 400, Some("b"), after(0))).await.unwrap() })
    });
    let answers = futures::future::join_all(presses).await;
    let repeats = answers.iter().filter(|a| a.as_ref().unwrap().repeat).count();
    assert_eq!(repeats, 100);

    let after_crash = crash(&dir);
    let reopened = open(after_crash.path()).await;
    assert_eq!(reopened.id(), journal.id());
    assert_eq!(reopened.newest().await.unwrap(), 400);
    let rows = reopened.after(0, 1000).await.unwrap();
    for answer in answers {
        let answer = answer.unwrap();
        assert!(rows.iter().any(|(row, _)| *row == answer.row));
    }
    assert!(rows.is_sorted_by(|a, b| a.0 < b.0));
}

#[tokio::test]
async fn a_press_reads_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    let sent = Alarm { pressed_at: Some(after(-7)), kind: AlarmKind::HoldUp, test: true, ..press(GATE, u64::MAX, Some("ә'\0"), after(3)) };
    journal.commit(sent.clone()).await.unwrap();
    assert_eq!(journal.after(0, 10).await.unwrap(), [(1, sent)]);
    assert_eq!(journal.after(1, 10).await.unwrap(), []);
    journal.clone().close().await;
    assert!(journal.commit(press(GATE, 1, None, after(0))).await.is_err(), "no receipt from a closed journal");
}

#[tokio::test]
async fn when_it_cannot_be_written_no_answer_says_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    journal.commit(press(GATE, 1, None, after(0))).await.unwrap();
    // Somebody else takes the table away: every write fails from now on, until it is back.
    let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect(&format!("sqlite:{}", dir.path().join("journal.db").display()))
        .await
        .unwrap();
    sqlx::raw_sql("ALTER TABLE press RENAME TO gone").execute(&mut other).await.unwrap();
    let presses = (2..10).map(|n| journal.commit(press(GATE, n, None, after(0))));
    assert!(futures::future::join_all(presses).await.iter().all(Result::is_err));
    sqlx::raw_sql("ALTER TABLE gone RENAME TO press").execute(&mut other).await.unwrap();
    assert_eq!(journal.commit(press(GATE, 2, None, after(0))).await.unwrap().row, 2);
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("journal.db"), "this is a letter, not a database").unwrap();
    let error = Journal::open(&dir.path().join("journal.db")).await.unwrap_err();
    assert!(error.to_string().contains("journal.db"), "{error}");
}

/// What `fault-alarms --only full_disk` found: SQLite rolls back by itself when the disk is full, as this trigger makes it do.
#[tokio::test]
async fn a_journal_that_was_rolled_back_under_its_hands_takes_presses_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let journal = Journal::open(&path).await.unwrap();
    journal.commit(press(GATE, 1, None, after(0))).await.unwrap();
    let behind = async |sql: &'static str| {
        let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    };
    behind("CREATE TRIGGER full BEFORE INSERT ON press BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END").await;
    for seq in 2..5 {
        assert!(journal.commit(press(GATE, seq, None, after(0))).await.is_err());
    }
    behind("DROP TRIGGER full").await;
    let stored = journal.commit(press(GATE, 5, None, after(0))).await.unwrap();
    assert_eq!((stored.row, stored.repeat), (2, false));
    journal.close().await;
}
