//! Analytic notes: a finding with its evidence, what is recommended, to whom, until when, and what was answered.

use jiff::civil::Date;
use qorgan_domain::{AreaCode, UtcMs};
use serde::{Deserialize, Serialize};

use super::{
    Store, counted,
    db::{Arg, Row, Tx, args, maybe_word, word},
    maybe_time,
    plan::day,
};
use crate::Error;

const TABLE: &str = "analytic_note";

/// Where a note stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteState {
    /// Being written.
    Draft,
    /// With its addressee; its words stay.
    Sent,
    /// Answered.
    Answered,
}

impl NoteState {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            NoteState::Draft => "draft",
            NoteState::Sent => "sent",
            NoteState::Answered => "answered",
        }
    }
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyticNote {
    /// Number; 0 before it is stored.
    pub id: i64,
    /// Title.
    pub title: String,
    /// District; none for the whole region.
    pub area: Option<AreaCode>,
    /// What was found.
    pub finding: String,
    /// What shows it.
    pub evidence: String,
    /// What is recommended.
    pub recommendation: String,
    /// Office that is to answer.
    pub addressee: String,
    /// Until when.
    pub deadline: Date,
    /// Where it stands.
    pub state: NoteState,
    /// What was answered.
    pub answer: Option<String>,
    /// When.
    pub answered_at: Option<UtcMs>,
    /// By which office.
    pub answer_by: Option<String>,
    /// Grows by one with every change.
    pub version: i64,
    /// When it was begun.
    pub created_at: UtcMs,
    /// By whom.
    pub created_by: String,
    /// When it was sent.
    pub sent_at: Option<UtcMs>,
    /// Made up for a demonstration.
    pub demo: bool,
}

impl Store {
    /// Keeps a new note and gives it its number.
    pub async fn add_note(&self, mut note: AnalyticNote) -> Result<AnalyticNote, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            if matches!(tx, Tx::Postgres(_)) {
                tx.run("LOCK TABLE analytic_note IN SHARE ROW EXCLUSIVE MODE", vec![]).await?;
            }
            let newest = tx.row("SELECT MAX(id) AS newest FROM analytic_note", vec![]).await?;
            note.id = newest.map(|row| row.maybe_int("newest")).transpose()?.flatten().unwrap_or(0) + 1;
            let sql = "INSERT INTO analytic_note (id, title, area, finding, evidence, recommendation, addressee, deadline, state, answer, \
                 answered_at, answer_by, version, sent_at, created_at, created_by, demo) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
            let mut values = values(&note);
            values.extend(args![note.created_at.0, note.created_by.as_str(), note.demo]);
            tx.run(sql, values).await?;
            tx.commit().await?;
            Ok(note)
        };
        work.await.map_err(counted(TABLE))
    }

    /// Writes a note down as it stands now; false when it has changed meanwhile, and nothing was written.
    pub async fn save_note(&self, note: &AnalyticNote) -> Result<bool, Error> {
        let sql = "UPDATE analytic_note SET title = $2, area = $3, finding = $4, evidence = $5, recommendation = $6, addressee = $7, deadline = $8, \
             state = $9, answer = $10, answered_at = $11, answer_by = $12, version = $13, sent_at = $14 WHERE id = $1 AND version = $15";
        let mut values = values(note);
        values.push((note.version - 1).into());
        Ok(self.db.run(sql, values).await.map_err(counted(TABLE))? > 0)
    }

    /// Notes, newest first.
    pub async fn notes(&self, area: Option<&AreaCode>, state: Option<NoteState>) -> Result<Vec<AnalyticNote>, Error> {
        let sql = "SELECT * FROM analytic_note WHERE ($1 = '' OR area = $1) AND ($2 = '' OR state = $2) ORDER BY id DESC LIMIT 500";
        let values = args![area.map_or("", AreaCode::as_str), state.map_or("", NoteState::as_str)];
        let rows = self.db.rows(sql, values).await.map_err(counted(TABLE))?;
        rows.iter().map(read).collect()
    }

    /// One note.
    pub async fn note(&self, id: i64) -> Result<Option<AnalyticNote>, Error> {
        let row = self.db.row("SELECT * FROM analytic_note WHERE id = $1", args![id]).await.map_err(counted(TABLE))?;
        row.as_ref().map(read).transpose()
    }
}

/// The values that both statements begin with.
fn values(note: &AnalyticNote) -> Vec<Arg> {
    args![
        note.id,
        note.title.as_str(),
        note.area.as_ref().map(ToString::to_string),
        note.finding.as_str(),
        note.evidence.as_str(),
        note.recommendation.as_str(),
        note.addressee.as_str(),
        note.deadline.to_string(),
        note.state.as_str(),
        note.answer.clone(),
        note.answered_at.map(|at| at.0),
        note.answer_by.clone(),
        note.version,
        note.sent_at.map(|at| at.0),
    ]
}

fn read(row: &Row) -> Result<AnalyticNote, Error> {
    let int = |column: &'static str| row.int(column).map_err(counted(TABLE));
    let at = |column: &'static str| row.maybe_int(column).map(maybe_time).map_err(counted(TABLE));
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(TABLE));
    Ok(AnalyticNote {
        id: int("id")?,
        title: text("title")?,
        area: maybe_word(TABLE, "area", maybe("area")?)?,
        finding: text("finding")?,
        evidence: text("evidence")?,
        recommendation: text("recommendation")?,
        addressee: text("addressee")?,
        deadline: day(TABLE, "deadline", text("deadline")?)?,
        state: word(TABLE, "state", &text("state")?)?,
        answer: maybe("answer")?,
        answered_at: at("answered_at")?,
        answer_by: maybe("answer_by")?,
        version: int("version")?,
        created_at: UtcMs(int("created_at")?),
        created_by: text("created_by")?,
        sent_at: at("sent_at")?,
        demo: row.flag("demo").map_err(counted(TABLE))?,
    })
}
