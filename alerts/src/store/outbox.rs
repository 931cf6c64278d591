//! The durable outbox of the connectors, and the words of receiving systems that were taken already.

use qorgan_domain::{AlertId, UtcMs, alert::Alert};

use super::{
    Store, counted,
    db::{Row, args},
    maybe_time,
};
use crate::Error;

/// A message on its way to a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The connector, by its name in the configuration.
    pub connector: String,
    /// About which alert.
    pub alert: AlertId,
    /// And which version of it.
    pub version: u32,
    /// What is sent.
    pub body: String,
    /// How often it was tried.
    pub attempts: u32,
}

/// How a connector stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// Messages that wait.
    pub waiting: i64,
    /// Messages that were taken.
    pub delivered: i64,
    /// Why the oldest waiting one was not taken, if it was tried.
    pub last_error: Option<String>,
    /// When one was taken last.
    pub last_delivered_at: Option<UtcMs>,
}

impl Store {
    /// Puts a message into the outbox; the same version again changes nothing.
    pub async fn enqueue(&self, connector: &str, alert: AlertId, version: u32, body: &str, now: UtcMs) -> Result<(), Error> {
        let sql = "INSERT INTO outbox (connector, alert, version, body, created_at, next_at) VALUES ($1, $2, $3, $4, $5, $5) \
             ON CONFLICT (connector, alert, version) DO NOTHING";
        self.db.run(sql, args![connector, alert.0, version, body, now.0]).await.map(drop).map_err(counted("enqueue"))
    }

    /// Messages of a connector that are due, in order: of each alert the oldest version that was not taken, and only when that one is due.
    pub async fn due(&self, connector: &str, now: UtcMs, limit: u32) -> Result<Vec<Outgoing>, Error> {
        let sql = "SELECT o.connector, o.alert, o.version, o.body, o.attempts FROM outbox o WHERE o.connector = $1 AND o.delivered_at IS NULL \
             AND o.next_at <= $2 AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.connector = o.connector AND p.alert = o.alert \
             AND p.version < o.version AND p.delivered_at IS NULL) ORDER BY o.created_at, o.alert LIMIT $3";
        let rows = self.db.rows(sql, args![connector, now.0, limit]).await.map_err(counted("due"))?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(counted("due"))
    }

    /// A message was taken.
    pub async fn delivered(&self, message: &Outgoing, now: UtcMs) -> Result<(), Error> {
        let sql = "UPDATE outbox SET delivered_at = $4, attempts = attempts + 1, error = NULL WHERE connector = $1 AND alert = $2 AND version = $3";
        let values = args![message.connector.as_str(), message.alert.0, message.version, now.0];
        self.db.run(sql, values).await.map(drop).map_err(counted("delivered"))
    }

    /// A message was not taken; it is tried again at `next_at`.
    pub async fn not_delivered(&self, message: &Outgoing, error: &str, next_at: UtcMs) -> Result<(), Error> {
        let sql =
            "UPDATE outbox SET attempts = attempts + 1, next_at = $4, error = $5 WHERE connector = $1 AND alert = $2 AND version = $3";
        let error: String = error.replace('\0', "").chars().take(300).collect();
        let values = args![message.connector.as_str(), message.alert.0, message.version, next_at.0, error];
        self.db.run(sql, values).await.map(drop).map_err(counted("not delivered"))
    }

    /// The newest version of an alert that a connector was given; none when it was given none.
    pub async fn last_enqueued(&self, connector: &str, alert: AlertId) -> Result<Option<u32>, Error> {
        let sql = "SELECT MAX(version) AS newest FROM outbox WHERE connector = $1 AND alert = $2";
        let row = self.db.row(sql, args![connector, alert.0]).await.map_err(counted("outbox"))?;
        let newest = row.map(|row| row.maybe_int("newest")).transpose().map_err(counted("outbox"))?.flatten();
        Ok(newest.map(|version| u32::try_from(version).unwrap_or(u32::MAX)))
    }

    /// Alerts that changed since a moment, open or closed.
    pub async fn changed_since(&self, since: UtcMs) -> Result<Vec<Alert>, Error> {
        let rows = self.db.rows("SELECT * FROM alert WHERE updated_at >= $1 ORDER BY id", args![since.0]).await;
        rows.map_err(counted("changed since"))?.iter().map(super::alerts::read).collect()
    }

    /// How a connector stands.
    pub async fn outbox_state(&self, connector: &str) -> Result<OutboxState, Error> {
        let work = async {
            let sql = "SELECT COUNT(*) AS n, COUNT(delivered_at) AS taken, MAX(delivered_at) AS last FROM outbox WHERE connector = $1";
            let mut state = OutboxState::default();
            if let Some(row) = self.db.row(sql, args![connector]).await? {
                state.delivered = row.int("taken")?;
                state.waiting = row.int("n")? - state.delivered;
                state.last_delivered_at = maybe_time(row.maybe_int("last")?);
            }
            let sql =
                "SELECT error FROM outbox WHERE connector = $1 AND delivered_at IS NULL AND error IS NOT NULL ORDER BY created_at LIMIT 1";
            state.last_error = self.db.row(sql, args![connector]).await?.map(|row| row.text("error")).transpose()?;
            Ok(state)
        };
        work.await.map_err(counted("outbox state"))
    }

    /// Forgets messages that were taken before a moment, and words that came before it.
    pub async fn purge_outbox(&self, before: UtcMs) -> Result<(), Error> {
        let work = async {
            self.db.run("DELETE FROM outbox WHERE delivered_at < $1", args![before.0]).await?;
            self.db.run("DELETE FROM inbox WHERE received_at < $1", args![before.0]).await
        };
        work.await.map(drop).map_err(counted("purge outbox"))
    }

    /// Whether a word of a receiving system was taken already.
    pub async fn word_taken(&self, connector: &str, event: &str) -> Result<bool, Error> {
        let sql = "SELECT alert FROM inbox WHERE connector = $1 AND event = $2";
        Ok(self.db.row(sql, args![connector, event]).await.map_err(counted("inbox"))?.is_some())
    }

    /// Remembers a word of a receiving system.
    pub async fn take_word(&self, connector: &str, event: &str, alert: AlertId, now: UtcMs) -> Result<(), Error> {
        let sql =
            "INSERT INTO inbox (connector, event, alert, received_at) VALUES ($1, $2, $3, $4) ON CONFLICT (connector, event) DO NOTHING";
        self.db.run(sql, args![connector, event, alert.0, now.0]).await.map(drop).map_err(counted("inbox"))
    }
}

fn read(row: &Row) -> Result<Outgoing, sqlx::Error> {
    Ok(Outgoing {
        connector: row.text("connector")?,
        alert: AlertId(row.int("alert")?),
        version: u32::try_from(row.int("version")?).unwrap_or(u32::MAX),
        body: row.text("body")?,
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
    })
}
