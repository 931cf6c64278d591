//! The spool of an edge box: everything goes to the centre, in order, until the centre has confirmed it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use qorgan_alerts::{
    Journal, Spool,
    spool::{Next, Parcel},
};
use qorgan_domain::{Alarm, Signal};

use crate::make::{after, press};

const GATE: &str = "school-17/gate";
const YARD: &str = "school-17/yard";

async fn open(dir: &Path) -> (Journal, Spool) {
    let journal = Journal::open(&dir.join("journal.db")).await.unwrap();
    let spool = Spool::open(&dir.join("spool.db"), journal.clone()).await.unwrap();
    (journal, spool)
}

async fn commit(journal: &Journal, alarms: &[Alarm]) {
    for alarm in alarms {
        journal.commit(alarm.clone()).await.unwrap();
    }
}

async fn due(spool: &mut Spool, now: Instant) -> Option<Parcel> {
    match spool.next(now).await.unwrap() {
        Next::Send(parcel) => Some(*parcel),
        Next::Wait(_) | Next::Idle => None,
    }
}

/// The centre's receipt for a press, from row `centre` of its journal.
async fn confirm(spool: &mut Spool, parcel: &Parcel, centre: i64) -> Option<i64> {
    let alarm = &parcel.alarm;
    spool.receipted(&alarm.device, alarm.boot.as_deref(), alarm.seq, centre).await
}

/// Sends and confirms all there is; the rows in their order.
async fn drain(spool: &mut Spool) -> Vec<Parcel> {
    let mut sent: Vec<Parcel> = Vec::new();
    while let Some(parcel) = due(spool, Instant::now()).await {
        assert_eq!(confirm(spool, &parcel, 1_000 + parcel.row).await, Some(parcel.row));
        sent.push(parcel);
    }
    sent
}

#[tokio::test]
async fn presses_go_in_the_order_of_the_journal_each_until_its_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, mut spool) = open(dir.path()).await;
    assert_eq!(spool.next(Instant::now()).await.unwrap(), Next::Idle);
    commit(&journal, &[press(GATE, 1, Some("b"), after(0)), press(YARD, 1, Some("b"), after(10)), press(GATE, 2, Some("b"), after(20))])
        .await;
    assert_eq!(spool.waiting().await.unwrap(), 3);
    let now = Instant::now();
    let first = due(&mut spool, now).await.unwrap();
    assert_eq!((first.row, first.alarm.heard_at, first.alarm.boot.as_deref()), (1, Some(after(0)), Some("b")));
    assert_eq!(due(&mut spool, now).await.unwrap(), first, "the same until its receipt");
    assert_eq!(spool.receipted(&GATE.parse().unwrap(), Some("b"), 2, 9).await, None, "a receipt for a press that was not sent yet");
    let rows: Vec<i64> = drain(&mut spool).await.iter().map(|parcel| parcel.row).collect();
    assert_eq!(rows, [1, 2, 3]);
    assert_eq!(spool.waiting().await.unwrap(), 0);
}

#[tokio::test]
async fn after_a_crash_it_goes_on_behind_the_last_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, mut spool) = open(dir.path()).await;
    commit(&journal, &[press(GATE, 1, Some("b"), after(0)), press(GATE, 2, Some("b"), after(10)), press(GATE, 3, Some("b"), after(20))])
        .await;
    let first = due(&mut spool, Instant::now()).await.unwrap();
    confirm(&mut spool, &first, 7).await;
    // Row 2 was sent and its receipt not heard: it goes again, in the same words.
    let second = due(&mut spool, Instant::now()).await.unwrap();
    drop(spool);
    let mut spool = Spool::open(&dir.path().join("spool.db"), journal).await.unwrap();
    let sent = drain(&mut spool).await;
    assert_eq!(sent.iter().map(|parcel| parcel.row).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(sent[0], second);
}

#[tokio::test]
async fn a_press_without_a_boot_id_gets_one_that_names_its_row_and_stays_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, mut spool) = open(dir.path()).await;
    // Two presses with one number, an hour apart: the button was restarted in between.
    commit(&journal, &[press(GATE, 1, None, after(0)), press(GATE, 1, None, after(3_600_000))]).await;
    let sent = drain(&mut spool).await;
    let boots: Vec<&str> = sent.iter().map(|parcel| parcel.alarm.boot.as_deref().unwrap()).collect();
    assert_ne!(boots[0], boots[1], "the centre must not take the second for a repeat of the first");
    assert!(boots.iter().all(|boot| boot.len() <= 64 && boot.contains(&journal.id()[..16])), "{boots:?}");
    std::fs::remove_file(dir.path().join("spool.db")).unwrap();
    let mut again = Spool::open(&dir.path().join("spool.db"), journal).await.unwrap();
    assert_eq!(drain(&mut again).await, sent, "a lost mark sends the same words again, which the centre knows");
}

#[tokio::test]
async fn a_device_that_the_centre_refuses_holds_up_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, mut spool) = open(dir.path()).await;
    let cancel = Alarm { signal: Signal::Cancel, ..press(GATE, 2, Some("b"), after(10)) };
    commit(&journal, &[press(GATE, 1, Some("b"), after(0)), cancel, press(YARD, 1, Some("b"), after(20))]).await;
    let now = Instant::now();
    let first = due(&mut spool, now).await.unwrap();
    spool.failed(first.row, now);
    assert_eq!(due(&mut spool, now).await.unwrap().row, 1, "the first failure may be the connection's");
    spool.failed(first.row, now);
    let other = due(&mut spool, now).await.unwrap();
    assert_eq!(other.row, 3, "not the cancel of the press that failed");
    confirm(&mut spool, &other, 4).await;
    assert!(matches!(spool.next(now).await.unwrap(), Next::Wait(at) if at > now));
    // Box started again in the meantime: the one ahead is not sent twice.
    drop(spool);
    let mut spool = Spool::open(&dir.path().join("spool.db"), journal).await.unwrap();
    let rows: Vec<i64> = drain(&mut spool).await.iter().map(|parcel| parcel.row).collect();
    assert_eq!(rows, [1, 2]);
    assert_eq!(spool.next(now + Duration::from_secs(60)).await.unwrap(), Next::Idle);
}

#[tokio::test]
async fn a_second_receipt_of_a_press_is_none_for_its_cancel_with_the_same_number() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, mut spool) = open(dir.path()).await;
    commit(&journal, &[press(GATE, 1, Some("b"), after(0)), Alarm { signal: Signal::Cancel, ..press(GATE, 1, Some("b"), after(10)) }])
        .await;
    let first = due(&mut spool, Instant::now()).await.unwrap();
    assert_eq!(confirm(&mut spool, &first, 7).await, Some(1));
    let cancel = due(&mut spool, Instant::now()).await.unwrap();
    assert_eq!(cancel.alarm.signal, Signal::Cancel);
    assert_eq!(confirm(&mut spool, &cancel, 7).await, None, "row 7 of the centre is the press");
    assert_eq!(confirm(&mut spool, &cancel, 8).await, Some(2));
}

#[tokio::test]
async fn a_new_journal_begins_at_its_first_row_whatever_the_mark_says() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, mut spool) = open(dir.path()).await;
    commit(&journal, &[press(GATE, 1, Some("b"), after(0)), press(GATE, 2, Some("b"), after(10))]).await;
    drain(&mut spool).await;
    spool.close().await;
    journal.close().await;
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _ = std::fs::remove_file(dir.path().join(file));
    }
    let (journal, mut spool) = open(dir.path()).await;
    commit(&journal, &[press(GATE, 3, Some("b"), after(20))]).await;
    assert_eq!(drain(&mut spool).await.len(), 1);
}
