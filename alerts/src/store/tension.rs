//! Methods of the tension index, its results, and acts that give a block a weight.

use jiff::civil::Date;
use qorgan_domain::{Period, UtcMs};

use super::{
    Store, counted,
    db::{Row, args, word},
    maybe_time,
};
use crate::{
    Error,
    tension::{Act, Method},
};

/// A method as it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMethod {
    /// Every choice.
    pub method: Method,
    /// Why it was made.
    pub reason: String,
    /// When.
    pub made_at: UtcMs,
    /// By whom: an account or `system/tension`.
    pub made_by: String,
}

/// A result as it was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredResult {
    /// Period.
    pub period: Period,
    /// When it was computed.
    pub computed_at: UtcMs,
    /// JSON of the index of every area.
    pub body: String,
}

impl Store {
    /// Every method, newest first.
    pub async fn tension_methods(&self) -> Result<Vec<StoredMethod>, Error> {
        let rows = self.db.rows("SELECT * FROM tension_method ORDER BY version DESC", vec![]).await.map_err(counted("tension methods"))?;
        rows.iter().map(read_method).collect()
    }

    /// Keeps a method under the next number; the number in it counts for nothing.
    pub async fn add_tension_method(&self, mut stored: StoredMethod) -> Result<StoredMethod, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            if matches!(tx, super::db::Tx::Postgres(_)) {
                tx.run("LOCK TABLE tension_method IN SHARE ROW EXCLUSIVE MODE", vec![]).await?;
            }
            let row = tx.row("SELECT COALESCE(MAX(version), 0) AS last FROM tension_method", vec![]).await?;
            stored.method.version = row.map(|row| row.int("last")).transpose()?.unwrap_or(0) + 1;
            let body = serde_json::to_string(&stored.method).map_err(|error| sqlx::Error::Encode(error.into()))?;
            let sql = "INSERT INTO tension_method (version, body, reason, made_at, made_by) VALUES ($1, $2, $3, $4, $5)";
            let values = args![stored.method.version, body, stored.reason.as_str(), stored.made_at.0, stored.made_by.as_str()];
            tx.run(sql, values).await?;
            tx.commit().await?;
            Ok(stored)
        };
        work.await.map_err(counted("add tension method"))
    }

    /// Every weight act, newest first.
    pub async fn weight_acts(&self) -> Result<Vec<Act>, Error> {
        let rows = self.db.rows("SELECT * FROM tension_weight_act ORDER BY id DESC", vec![]).await.map_err(counted("weight acts"))?;
        rows.iter().map(read_act).collect()
    }

    /// Keeps a proposal under the next number.
    pub async fn add_weight_act(&self, mut act: Act) -> Result<Act, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            if matches!(tx, super::db::Tx::Postgres(_)) {
                tx.run("LOCK TABLE tension_weight_act IN SHARE ROW EXCLUSIVE MODE", vec![]).await?;
            }
            let row = tx.row("SELECT COALESCE(MAX(id), 0) AS last FROM tension_weight_act", vec![]).await?;
            act.id = row.map(|row| row.int("last")).transpose()?.unwrap_or(0) + 1;
            let sql = "INSERT INTO tension_weight_act (id, block, weight, basis, basis_url, published_on, proposed_at, proposed_by, \
                 expires_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
            let values = args![
                act.id,
                act.block.as_str(),
                act.weight,
                act.basis.as_str(),
                act.basis_url.as_str(),
                act.published_on.to_string(),
                act.proposed_at.0,
                act.proposed_by.as_str(),
                act.expires_on.to_string(),
            ];
            tx.run(sql, values).await?;
            tx.commit().await?;
            Ok(act)
        };
        work.await.map_err(counted("add weight act"))
    }

    /// Writes a decision; false when somebody else decided or took it back meanwhile.
    pub async fn decide_weight_act(&self, act: &Act) -> Result<bool, Error> {
        let sql = "UPDATE tension_weight_act SET decided_at = $2, decided_by = $3, approved = $4 \
             WHERE id = $1 AND decided_at IS NULL AND revoked_at IS NULL";
        let values = args![act.id, act.decided_at.map(|at| at.0), act.decided_by.clone(), act.approved.map(i64::from)];
        Ok(self.db.run(sql, values).await.map_err(counted("decide weight act"))? == 1)
    }

    /// Takes an act back; false when that was done already.
    pub async fn revoke_weight_act(&self, act: &Act) -> Result<bool, Error> {
        let sql = "UPDATE tension_weight_act SET revoked_at = $2, revoked_by = $3 WHERE id = $1 AND revoked_at IS NULL";
        let values = args![act.id, act.revoked_at.map(|at| at.0), act.revoked_by.clone()];
        Ok(self.db.run(sql, values).await.map_err(counted("revoke weight act"))? == 1)
    }

    /// Keeps results of a method, all or none; earlier ones of the same method and period give way.
    pub async fn save_tension_results(&self, method: i64, results: &[StoredResult]) -> Result<(), Error> {
        let rows = results.iter().map(|r| args![method, r.period.to_string(), r.computed_at.0, r.body.as_str()]).collect();
        let work = async {
            let mut tx = self.db.begin().await?;
            let tail = " ON CONFLICT (method, period) DO UPDATE SET computed_at = excluded.computed_at, body = excluded.body";
            tx.insert("INSERT INTO tension_result (method, period, computed_at, body) VALUES ", tail, rows).await?;
            tx.commit().await
        };
        work.await.map_err(counted("save tension results"))
    }

    /// Periods that a method has results for, oldest first.
    pub async fn tension_periods(&self, method: i64) -> Result<Vec<Period>, Error> {
        let rows = self.db.rows("SELECT period FROM tension_result WHERE method = $1", args![method]).await;
        let mut periods = Vec::new();
        for row in rows.map_err(counted("tension periods"))? {
            periods.push(word("tension_result", "period", &row.text("period").map_err(counted("tension periods"))?)?);
        }
        periods.sort();
        Ok(periods)
    }

    /// The result of a method for a period.
    pub async fn tension_result(&self, method: i64, period: Period) -> Result<Option<StoredResult>, Error> {
        let sql = "SELECT computed_at, body FROM tension_result WHERE method = $1 AND period = $2";
        let row = self.db.row(sql, args![method, period.to_string()]).await.map_err(counted("tension result"))?;
        let read = |row: Row| -> Result<StoredResult, sqlx::Error> {
            Ok(StoredResult { period, computed_at: UtcMs(row.int("computed_at")?), body: row.text("body")? })
        };
        row.map(read).transpose().map_err(counted("tension result"))
    }
}

fn read_method(row: &Row) -> Result<StoredMethod, Error> {
    let get = || Ok((row.text("body")?, row.text("reason")?, row.int("made_at")?, row.text("made_by")?));
    let (body, reason, made_at, made_by) = get().map_err(counted("tension method"))?;
    let corrupt = |_| Error::Corrupt { table: "tension_method", column: "body", value: body.chars().take(80).collect() };
    let method = serde_json::from_str(&body).map_err(corrupt)?;
    Ok(StoredMethod { method, reason, made_at: UtcMs(made_at), made_by })
}

fn read_act(row: &Row) -> Result<Act, Error> {
    const TABLE: &str = "tension_weight_act";
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    let int = |column: &'static str| row.int(column).map_err(counted(TABLE));
    let maybe = |column: &'static str| row.maybe_int(column).map_err(counted(TABLE));
    let date = |column: &'static str| -> Result<Date, Error> {
        let value = text(column)?;
        value.parse().map_err(|_| Error::Corrupt { table: TABLE, column, value })
    };
    Ok(Act {
        id: int("id")?,
        block: word(TABLE, "block", &text("block")?)?,
        weight: row.real("weight").map_err(counted(TABLE))?,
        basis: text("basis")?,
        basis_url: text("basis_url")?,
        published_on: date("published_on")?,
        proposed_at: UtcMs(int("proposed_at")?),
        proposed_by: text("proposed_by")?,
        decided_at: maybe_time(maybe("decided_at")?),
        decided_by: row.maybe_text("decided_by").map_err(counted(TABLE))?,
        approved: maybe("approved")?.map(|flag| flag != 0),
        expires_on: date("expires_on")?,
        revoked_at: maybe_time(maybe("revoked_at")?),
        revoked_by: row.maybe_text("revoked_by").map_err(counted(TABLE))?,
    })
}
