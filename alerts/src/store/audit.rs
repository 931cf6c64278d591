//! The audit log: every look at a picture and every decision, in a chain of hashes.
//!
//! `hash = SHA-256("qorgan-audit-1" | previous hash | seq | at | who | role | action | subject | purpose)`;
//! numbers are 8 bytes big-endian, texts their length in 8 bytes and then themselves, an absent purpose the
//! length 2^64-1. Whoever changes, removes or reorders a line has to change every later hash. The head is kept
//! beside the log too, so that cutting the end off shows; against somebody who rewrites everything only a copy of
//! the head elsewhere helps.

use qorgan_domain::UtcMs;
use sha2::{Digest, Sha256};

use super::{
    SET_META, Store, counted,
    db::{Row, args},
};
use crate::Error;

const HEAD: &str = "audit_head";
const GENESIS: [u8; 32] = [0; 32];
/// Lines read at once while verifying.
const PAGE: i64 = 1_000;
/// Lines written in one transaction.
const LINES_AT_ONCE: usize = 200;

/// What is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: UtcMs,
    /// Account name or `system/part`.
    pub who: String,
    /// Role, or `system`.
    pub role: String,
    /// What was done, e.g. `still.open`, `alert.claim`.
    pub action: String,
    /// To what, e.g. `school-17/yard`, `alert/12`.
    pub subject: String,
    /// Why, where a purpose is asked for.
    pub purpose: Option<String>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number, from 1 without holes.
    pub seq: i64,
    /// What it says.
    pub entry: AuditEntry,
    /// Its hash, in hex.
    pub hash: String,
}

/// What a walk along the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Lines that hold, from the first one on.
    pub entries: i64,
    /// Hash of the last of them, in hex; empty for an empty log.
    pub head: String,
    /// Number of the first line that is missing or does not fit; none when all is well.
    pub broken_at: Option<i64>,
}

impl Store {
    /// Adds a line. One writer at a time; two hubs on one PostgreSQL are kept apart by a lock on the table.
    pub async fn append_audit(&self, entry: AuditEntry) -> Result<AuditLine, Error> {
        let mut lines = self.append_audits(vec![entry]).await?;
        lines.pop().ok_or_else(|| counted("audit")(sqlx::Error::RowNotFound))
    }

    /// Adds many lines, in order, some hundred in one transaction; others write in between.
    pub async fn append_audits(&self, entries: Vec<AuditEntry>) -> Result<Vec<AuditLine>, Error> {
        let mut lines = Vec::with_capacity(entries.len());
        for chunk in entries.chunks(LINES_AT_ONCE) {
            let _one_writer = self.audit.lock().await;
            lines.extend(self.try_append(chunk).await.map_err(counted("audit"))?);
        }
        Ok(lines)
    }

    async fn try_append(&self, entries: &[AuditEntry]) -> Result<Vec<AuditLine>, sqlx::Error> {
        let mut tx = self.db.begin().await?;
        if matches!(tx, super::db::Tx::Postgres(_)) {
            tx.run("LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE", vec![]).await?;
        }
        let last = tx.row("SELECT * FROM audit ORDER BY seq DESC LIMIT 1", vec![]).await?.map(|row| read(&row)).transpose()?;
        let (mut seq, mut previous) = match &last {
            Some(line) => (line.seq, digest(&line.hash)?),
            None => (0, GENESIS),
        };
        let mut lines = Vec::with_capacity(entries.len());
        for entry in entries {
            let entry = storable(entry);
            seq += 1;
            previous = chain(&previous, seq, &entry);
            let hash = hex::encode(previous);
            let values = args![
                seq,
                entry.at.0,
                entry.who.as_str(),
                entry.role.as_str(),
                entry.action.as_str(),
                entry.subject.as_str(),
                entry.purpose.clone(),
                hash.as_str()
            ];
            let sql = "INSERT INTO audit (seq, at, who, role, action, subject, purpose, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
            tx.run(sql, values).await?;
            lines.push(AuditLine { seq, entry, hash });
        }
        if let Some(line) = lines.last() {
            tx.run(SET_META, args![HEAD, format!("{}:{}", line.seq, line.hash)]).await?;
        }
        tx.commit().await?;
        Ok(lines)
    }

    /// Lines below the number `before`, newest first, at most `limit`.
    pub async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditLine>, Error> {
        let sql = "SELECT * FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2";
        let rows = self.db.rows(sql, args![before.unwrap_or(i64::MAX), limit]).await.map_err(counted("audit"))?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(counted("audit"))
    }

    /// Walks along the whole chain. Lines may be added meanwhile.
    pub async fn verify_audit(&self) -> Result<Verified, Error> {
        let kept = self.meta(HEAD).await?;
        let (mut seq, mut previous) = (0_i64, GENESIS);
        let mut met_head = kept.is_none();
        let broken = |entries: i64, head: [u8; 32]| Verified { entries, head: head_text(entries, head), broken_at: Some(entries + 1) };
        loop {
            let rows = self.db.rows("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2", args![seq, PAGE]).await;
            let rows = rows.map_err(counted("verify audit"))?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let line = read(row).map_err(counted("verify audit"))?;
                let hash = chain(&previous, seq + 1, &line.entry);
                if line.seq != seq + 1 || hex::encode(hash) != line.hash {
                    return Ok(broken(seq, previous));
                }
                (seq, previous) = (line.seq, hash);
                met_head |= kept.as_deref() == Some(format!("{seq}:{}", line.hash).as_str());
            }
        }
        if !met_head || (kept.is_none() && seq > 0) {
            return Ok(broken(seq, previous));
        }
        Ok(Verified { entries: seq, head: head_text(seq, previous), broken_at: None })
    }
}

/// PostgreSQL stores no NUL; what is hashed is what is stored.
fn storable(entry: &AuditEntry) -> AuditEntry {
    let clean = |text: &String| text.replace('\0', "");
    AuditEntry {
        at: entry.at,
        who: clean(&entry.who),
        role: clean(&entry.role),
        action: clean(&entry.action),
        subject: clean(&entry.subject),
        purpose: entry.purpose.as_ref().map(clean),
    }
}

fn head_text(entries: i64, head: [u8; 32]) -> String {
    if entries == 0 { String::new() } else { hex::encode(head) }
}

fn chain(previous: &[u8; 32], seq: i64, entry: &AuditEntry) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"qorgan-audit-1");
    hasher.update(previous);
    hasher.update(seq.to_be_bytes());
    hasher.update(entry.at.0.to_be_bytes());
    for text in [&entry.who, &entry.role, &entry.action, &entry.subject] {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    match &entry.purpose {
        Some(text) => {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        None => hasher.update(u64::MAX.to_be_bytes()),
    }
    hasher.finalize().into()
}

fn digest(hash: &str) -> Result<[u8; 32], sqlx::Error> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(hash, &mut bytes).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(bytes)
}

fn read(row: &Row) -> Result<AuditLine, sqlx::Error> {
    Ok(AuditLine {
        seq: row.int("seq")?,
        entry: AuditEntry {
            at: UtcMs(row.int("at")?),
            who: row.text("who")?,
            role: row.text("role")?,
            action: row.text("action")?,
            subject: row.text("subject")?,
            purpose: row.maybe_text("purpose")?,
        },
        hash: row.text("hash")?,
    })
}
