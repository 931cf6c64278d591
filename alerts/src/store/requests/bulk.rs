//! Requests of the past, many at once: brought over from another system, made up for a demonstration or for a measurement.

use qorgan_domain::UtcMs;

use super::{INSERT, INSERT_STEP, Line, NewRequest, TABLE, columns, figures::Tally, search, step_columns};
use crate::{
    Error,
    requests::Standing,
    store::{
        Store, counted,
        db::{Tx, args},
    },
};

/// One act of the past.
#[derive(Debug, Clone)]
pub struct PastStep {
    /// What stood after it.
    pub then: Standing,
    /// Who.
    pub who: String,
    /// Name of the act.
    pub action: String,
    /// Words.
    pub words: Option<String>,
    /// When.
    pub at: UtcMs,
}

/// A request of the past: as it came in, and what was done about it since.
#[derive(Debug, Clone)]
pub struct PastRequest {
    /// As it came in.
    pub new: NewRequest,
    /// Oldest first.
    pub steps: Vec<PastStep>,
}

impl Store {
    /// Brings requests in, ordered by their receipt, in one transaction; none when the first is older than what is on file already.
    /// Contacts and keys of submissions are not brought over.
    pub async fn add_past_requests(&self, past: &[PastRequest]) -> Result<bool, Error> {
        self.try_add_past(past).await.map_err(counted(TABLE))
    }

    async fn try_add_past(&self, past: &[PastRequest]) -> Result<bool, sqlx::Error> {
        let mut tx = self.db.begin().await?;
        if matches!(tx, Tx::Postgres(_)) {
            tx.run("LOCK TABLE request IN SHARE ROW EXCLUSIVE MODE", vec![]).await?;
        }
        let newest = tx.row("SELECT id, received_at FROM request ORDER BY id DESC LIMIT 1", vec![]).await?;
        let newest = newest.map(|row| Ok::<_, sqlx::Error>((row.int("id")?, row.int("received_at")?))).transpose()?;
        let (mut id, mut last) = newest.unwrap_or((0, i64::MIN));
        let (mut rows, mut steps, mut words, mut tally) = (Vec::new(), Vec::new(), Vec::new(), Tally::default());
        for request in past {
            let new = &request.new;
            if new.received_at.0 < last {
                return Ok(false);
            }
            (id, last) = (id + 1, new.received_at.0);
            tally.receive(new);
            let line = Line { who: &new.who, role: new.role.as_deref(), action: "receive", from: None, words: None, at: new.received_at };
            steps.push(step_columns(id, &new.standing, &line));
            let (mut before, mut updated) = (&new.standing, new.received_at);
            for step in &request.steps {
                let (who, words) = (step.who.as_str(), step.words.as_deref());
                let line = Line { who, role: None, action: &step.action, from: Some(before.state), words, at: step.at };
                steps.push(step_columns(id, &step.then, &line));
                tally.act(new.day, &new.area, new.received_at, (before, &step.then), step.at);
                (before, updated) = (&step.then, step.at);
            }
            let stands = NewRequest { standing: before.clone(), ..new.clone() };
            words.push(args![id, search::words_of(before, &new.area, new.channel, Some(&new.text), new.place.as_deref())]);
            rows.push(columns(id, new.received_at, updated, &stands)?);
        }
        tx.insert(INSERT, "", rows).await?;
        tx.insert(INSERT_STEP, "", steps).await?;
        search::index_new(&mut tx, words).await?;
        tally.store(&mut tx).await?;
        tx.commit().await?;
        Ok(true)
    }
}
