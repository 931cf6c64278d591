//! What was pressed, what was receipted, and what journal and store say about it in the end.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use qorgan_alerts::Journal;
use qorgan_domain::AlarmKey;
use qorgan_ingest::mqtt::button::Button;
use sqlx::{Connection, PgConnection, Row, SqliteConnection};

use super::faults::{Fault, Stage};

/// Mistakes that are shown one by one.
const SHOWN: usize = 20;

/// Every press of the run.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<HashMap<AlarmKey, Entry>>>);

#[derive(Clone, Copy)]
struct Entry {
    round: (usize, Fault),
    /// Row of the journal, by the receipt.
    receipt: Option<i64>,
}

/// What it comes to.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) pressed: usize,
    pub(crate) receipted: usize,
    /// Distinct presses in the journal.
    pub(crate) in_journal: usize,
    /// Presses that the alerts of the store add up to.
    pub(crate) in_store: i64,
    pub(crate) doubled: i64,
    pub(crate) lost: i64,
}

impl Ledger {
    /// Presses a button after a while; its receipt is noted whenever it comes.
    pub(crate) fn press(&self, button: &Button, after: Duration, round: (usize, Fault)) {
        let (ledger, press) = (self.clone(), button.begin_press());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let Ok((key, receipt)) = press.await else { return };
            ledger.entries().insert(key.clone(), Entry { round, receipt: None });
            if let Ok(press) = receipt.await
                && let Some(entry) = ledger.entries().get_mut(&key)
            {
                entry.receipt = Some(press.journal);
            }
        });
    }

    /// Pressed and receipted so far.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let entries = self.entries();
        (entries.len(), entries.values().filter(|entry| entry.receipt.is_some()).count())
    }

    /// Ends the hub in good order and compares.
    pub(crate) async fn verdict(&self, stage: &mut Stage) -> Result<Verdict, Box<dyn std::error::Error>> {
        let store_before_end = stage.settled(self.counts().0).await;
        let journal = stage.end_hub();
        let (pressed, receipted) = self.counts();
        let mut verdict = Verdict { pressed, receipted, ..Verdict::default() };
        let mut rows: HashMap<AlarmKey, Vec<i64>> = HashMap::new();
        let journal = Journal::open(&journal).await?;
        let mut last = 0;
        loop {
            let batch = journal.after(last, 1_000).await?;
            let Some((row, _)) = batch.last() else { break };
            last = *row;
            for (row, alarm) in batch {
                rows.entry(alarm.key()).or_default().push(row);
            }
        }
        journal.close().await;
        verdict.in_journal = rows.len();
        let mut shown = 0;
        let mut show = |what: &str, key: &AlarmKey, round: Option<(usize, Fault)>| {
            shown += 1;
            if shown <= SHOWN {
                eprintln!("{what}: {} boot {:?} seq {} of round {round:?}", key.device, key.boot, key.seq);
            }
        };
        let mut by_device: BTreeMap<String, i64> = BTreeMap::new();
        let entries = self.entries().clone();
        for (key, entry) in &entries {
            let stored = rows.get(key).map_or(&[][..], Vec::as_slice);
            if stored.is_empty() {
                verdict.lost += 1;
                show("lost", key, Some(entry.round));
            } else if let Some(receipt) = entry.receipt
                && !stored.contains(&receipt)
            {
                verdict.lost += 1;
                show("receipt for another row", key, Some(entry.round));
            }
        }
        for (key, stored) in &rows {
            *by_device.entry(key.device.to_string()).or_default() += 1;
            let extra = stored.len() as i64 - i64::from(entries.contains_key(key));
            if extra > 0 {
                verdict.doubled += extra;
                show("doubled in the journal", key, entries.get(key).map(|entry| entry.round));
            }
        }
        let in_store = presses(&stage.store_url()).await?;
        verdict.in_store = in_store.values().sum();
        let mut wrong = 0;
        for (device, distinct) in &by_device {
            let stored = in_store.get(device).copied().unwrap_or_default();
            wrong += usize::from(stored != *distinct);
            if stored != *distinct && wrong <= SHOWN {
                eprintln!("{device}: {distinct} presses in the journal, {stored} in the store");
            }
            verdict.doubled += (stored - distinct).max(0);
            verdict.lost += (distinct - stored).max(0);
        }
        if let Err(behind) = store_before_end {
            eprintln!("the store was behind the journal until the end: {behind}");
        }
        Ok(verdict)
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<AlarmKey, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Presses of each button by the alerts of a store: what raised an alert and what came on top.
pub(crate) async fn presses(url: &str) -> Result<BTreeMap<String, i64>, sqlx::Error> {
    const SQL: &str = "SELECT alert.device, COUNT(*) FROM transition JOIN alert ON alert.id = transition.alert \
         WHERE alert.kind = 'alarm' AND transition.action IN ('raise', 'press_again') GROUP BY alert.device";
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await?;
        let rows = sqlx::query(SQL).fetch_all(&mut connection).await?;
        return rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect();
    }
    let mut connection = PgConnection::connect(url).await?;
    let rows = sqlx::query(SQL).fetch_all(&mut connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
