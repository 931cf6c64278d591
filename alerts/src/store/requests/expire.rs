//! What is forgotten about requests: contacts at their date; texts, places in words and exact positions of those that are over.

use qorgan_domain::UtcMs;

use super::{TABLE, search};
use crate::{
    Error,
    requests::{cell_of, snapped},
    store::{
        Store, counted,
        db::{Row, args},
    },
};

/// Requests that lose their text in one transaction.
const BATCH: u32 = 200;

impl Store {
    /// Removes contacts whose time is over; how many.
    pub async fn expire_request_contacts(&self, now: UtcMs) -> Result<u64, Error> {
        self.db.run("DELETE FROM request_contact WHERE expires_at <= $1", args![now.0]).await.map_err(counted("request_contact"))
    }

    /// Takes text, place, answers and the exact position from requests that are over and came in before a time; how many of them.
    /// What is counted and when each step was taken stays.
    pub async fn expire_request_texts(&self, before: UtcMs) -> Result<u64, Error> {
        self.try_expire_texts(before).await.map_err(counted(TABLE))
    }

    /// Requests whose residents had their time to judge and which nobody has closed, longest waiting first.
    pub async fn requests_to_close(&self, now: UtcMs) -> Result<Vec<super::Request>, Error> {
        let sql =
            "SELECT id FROM request WHERE closed_at IS NULL AND judge_until IS NOT NULL AND judge_until < $1 ORDER BY judge_until LIMIT $2";
        let rows = self.db.rows(sql, args![now.0, BATCH]).await.map_err(counted(TABLE))?;
        let ids = rows.iter().map(|row| row.int("id")).collect::<Result<Vec<_>, _>>().map_err(counted(TABLE))?;
        self.requests_by(&ids).await
    }

    async fn try_expire_texts(&self, before: UtcMs) -> Result<u64, sqlx::Error> {
        let sql =
            "SELECT id, lat, lon FROM request WHERE body IS NOT NULL AND received_at < $1 AND due_at IS NULL ORDER BY received_at LIMIT $2";
        let rows = self.db.rows(sql, args![before.0, BATCH]).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let read = |row: &Row| Ok::<_, sqlx::Error>((row.int("id")?, row.real("lat")?, row.real("lon")?));
        let over = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<i64> = over.iter().map(|(id, ..)| *id).collect();
        let requests = self.requests_by(&ids).await.map_err(|e| sqlx::Error::Decode(Box::new(e)))?;
        let mut tx = self.db.begin().await?;
        let mut done = 0;
        for request in &requests {
            let middle = snapped(request.position);
            let (row, column) = cell_of(middle);
            let sql = "UPDATE request SET body = NULL, place = NULL, answer = NULL, attributes = '{}', lat = $2, lon = $3, cell = $4 \
                 WHERE id = $1 AND due_at IS NULL";
            if tx.run(sql, args![request.id, middle.lat(), middle.lon(), format!("{row}:{column}")]).await? == 0 {
                continue;
            }
            tx.run("UPDATE request_step SET words = NULL WHERE request = $1", args![request.id]).await?;
            tx.run("DELETE FROM request_contact WHERE request = $1", args![request.id]).await?;
            let words = search::words_of(&request.standing, &request.area, request.channel, None, None);
            search::index(&mut tx, request.id, &words).await?;
            done += 1;
        }
        tx.commit().await?;
        Ok(done)
    }
}
