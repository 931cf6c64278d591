//! The joint action plan: measures with their history, and issues that meetings raised. What may change is [`crate::plan`]'s matter.

use jiff::civil::Date;
use qorgan_domain::{AreaCode, Trilingual, UtcMs};
use serde::{Deserialize, Serialize};

use super::{
    Store, counted,
    db::{Row, Tx, args, maybe_word, word},
    maybe_time,
};
use crate::Error;

const MEASURE: &str = "plan_measure";
const STEP: &str = "plan_step";
const ISSUE: &str = "plan_issue";

/// Where a measure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureState {
    /// Not begun.
    Planned,
    /// Under way.
    Running,
    /// Done, with evidence.
    Done,
    /// Given up, with a reason.
    Cancelled,
}

impl MeasureState {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            MeasureState::Planned => "planned",
            MeasureState::Running => "running",
            MeasureState::Done => "done",
            MeasureState::Cancelled => "cancelled",
        }
    }

    /// Nothing changes any more.
    pub fn is_over(self) -> bool {
        matches!(self, MeasureState::Done | MeasureState::Cancelled)
    }
}

/// What shows that something was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When it was entered.
    pub at: UtcMs,
    /// By which account.
    pub by: String,
    /// In words.
    pub words: String,
    /// Where it can be seen.
    pub url: Option<String>,
}

/// One measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Number inside the hub.
    pub id: i64,
    /// Problem block.
    pub block: String,
    /// Number in the plan, such as `1.4`.
    pub number: String,
    /// Title.
    pub title: Trilingual,
    /// Office that answers for it.
    pub owner: String,
    /// District; none for the whole region.
    pub area: Option<AreaCode>,
    /// Until when.
    pub deadline: Date,
    /// Per cent.
    pub progress: i64,
    /// Where it stands.
    pub state: MeasureState,
    /// What shows it, oldest first.
    pub evidence: Vec<Evidence>,
    /// What it is to bring.
    pub expected: Option<Trilingual>,
    /// The issue it came from.
    pub issue: Option<i64>,
    /// Grows by one with every change.
    pub version: i64,
    /// When it changed last.
    pub updated_at: UtcMs,
    /// By whom.
    pub updated_by: String,
    /// Made up for a demonstration.
    pub demo: bool,
}

/// One field that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureChange {
    /// Which.
    pub field: String,
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

/// One line of a measure's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureStep {
    /// When.
    pub at: UtcMs,
    /// Who.
    pub by: String,
    /// `add`, `change` or `progress`.
    pub action: String,
    /// What.
    pub changes: Vec<MeasureChange>,
    /// Reason or report.
    pub words: Option<String>,
}

/// Where an issue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueState {
    /// Nobody has answered it.
    Open,
    /// A measure takes it up.
    Taken,
    /// It is not taken up, with a reason.
    Declined,
}

impl IssueState {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            IssueState::Open => "open",
            IssueState::Taken => "taken",
            IssueState::Declined => "declined",
        }
    }
}

/// Something that was raised in a meeting with residents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanIssue {
    /// Number inside the hub; 0 before it is stored.
    pub id: i64,
    /// Which meeting.
    pub meeting: String,
    /// When it was held.
    pub held_on: Date,
    /// District.
    pub area: Option<AreaCode>,
    /// Problem block it belongs to.
    pub block: Option<String>,
    /// What was raised, masked; never by whom.
    pub text: String,
    /// Where it stands.
    pub state: IssueState,
    /// The measure that takes it up.
    pub measure: Option<i64>,
    /// Why it is not taken up.
    pub answer: Option<String>,
    /// When it was entered.
    pub created_at: UtcMs,
    /// By whom.
    pub created_by: String,
    /// When it was answered.
    pub changed_at: Option<UtcMs>,
    /// By whom.
    pub changed_by: Option<String>,
    /// Made up for a demonstration.
    pub demo: bool,
}

impl Store {
    /// Adds a measure, which gets its id, its number within the block and the first line of its history; the issue it came from is taken.
    pub async fn add_measure(&self, measure: Measure, words: Option<&str>) -> Result<Measure, Error> {
        self.try_add_measure(measure, words).await.map_err(counted(MEASURE))
    }

    async fn try_add_measure(&self, mut measure: Measure, words: Option<&str>) -> Result<Measure, sqlx::Error> {
        let mut tx = self.db.begin().await?;
        if matches!(tx, Tx::Postgres(_)) {
            tx.run("LOCK TABLE plan_measure IN SHARE ROW EXCLUSIVE MODE", vec![]).await?;
        }
        let newest = tx.row("SELECT MAX(id) AS newest FROM plan_measure", vec![]).await?;
        measure.id = newest.map(|row| row.maybe_int("newest")).transpose()?.flatten().unwrap_or(0) + 1;
        let sql = "INSERT INTO plan_measure (id, block, number, title, owner, area, deadline, progress, state, evidence, expected, issue, version, \
             updated_at, updated_by, demo) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
        let json = Json::of(&measure)?;
        let values = args![
            measure.id,
            measure.block.as_str(),
            measure.number.as_str(),
            json.title,
            measure.owner.as_str(),
            measure.area.as_ref().map(ToString::to_string),
            measure.deadline.to_string(),
            measure.progress,
            measure.state.as_str(),
            json.evidence,
            json.expected,
            measure.issue,
            measure.version,
            measure.updated_at.0,
            measure.updated_by.as_str(),
            measure.demo,
        ];
        tx.run(sql, values).await?;
        step(&mut tx, &measure, "add", &[], words).await?;
        if let Some(issue) = measure.issue {
            let sql =
                "UPDATE plan_issue SET state = 'taken', measure = $2, changed_at = $3, changed_by = $4 WHERE id = $1 AND state = 'open'";
            tx.run(sql, args![issue, measure.id, measure.updated_at.0, measure.updated_by.as_str()]).await?;
        }
        tx.commit().await?;
        Ok(measure)
    }

    /// Writes a measure down as it stands now; false when it has changed meanwhile, and nothing was written.
    pub async fn save_measure(
        &self,
        measure: &Measure,
        action: &str,
        changes: &[MeasureChange],
        words: Option<&str>,
    ) -> Result<bool, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            let sql = "UPDATE plan_measure SET title = $2, owner = $3, area = $4, deadline = $5, progress = $6, state = $7, evidence = $8, \
                 expected = $9, version = $10, updated_at = $11, updated_by = $12 WHERE id = $1 AND version = $13";
            let json = Json::of(measure)?;
            let values = args![
                measure.id,
                json.title,
                measure.owner.as_str(),
                measure.area.as_ref().map(ToString::to_string),
                measure.deadline.to_string(),
                measure.progress,
                measure.state.as_str(),
                json.evidence,
                json.expected,
                measure.version,
                measure.updated_at.0,
                measure.updated_by.as_str(),
                measure.version - 1,
            ];
            if tx.run(sql, values).await? == 0 {
                return Ok(false);
            }
            step(&mut tx, measure, action, changes, words).await?;
            tx.commit().await?;
            Ok(true)
        };
        work.await.map_err(counted(MEASURE))
    }

    /// Every measure, by block and number.
    pub async fn measures(&self) -> Result<Vec<Measure>, Error> {
        let rows = self.db.rows("SELECT * FROM plan_measure ORDER BY id", vec![]).await.map_err(counted(MEASURE))?;
        rows.iter().map(measure_row).collect()
    }

    /// One measure.
    pub async fn measure(&self, id: i64) -> Result<Option<Measure>, Error> {
        let row = self.db.row("SELECT * FROM plan_measure WHERE id = $1", args![id]).await.map_err(counted(MEASURE))?;
        row.as_ref().map(measure_row).transpose()
    }

    /// The history of a measure, oldest first.
    pub async fn measure_history(&self, id: i64) -> Result<Vec<MeasureStep>, Error> {
        let rows = self.db.rows("SELECT * FROM plan_step WHERE measure = $1 ORDER BY version", args![id]).await.map_err(counted(STEP))?;
        let read = |row: &Row| -> Result<MeasureStep, Error> {
            let text = |column: &'static str| row.text(column).map_err(counted(STEP));
            let changes = text("changes")?;
            Ok(MeasureStep {
                at: UtcMs(row.int("at").map_err(counted(STEP))?),
                by: text("who")?,
                action: text("action")?,
                changes: serde_json::from_str(&changes).map_err(|_| Error::Corrupt { table: STEP, column: "changes", value: changes })?,
                words: row.maybe_text("words").map_err(counted(STEP))?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Enters an issue and gives it its number.
    pub async fn add_plan_issue(&self, mut issue: PlanIssue) -> Result<PlanIssue, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            if matches!(tx, Tx::Postgres(_)) {
                tx.run("LOCK TABLE plan_issue IN SHARE ROW EXCLUSIVE MODE", vec![]).await?;
            }
            let newest = tx.row("SELECT MAX(id) AS newest FROM plan_issue", vec![]).await?;
            issue.id = newest.map(|row| row.maybe_int("newest")).transpose()?.flatten().unwrap_or(0) + 1;
            let sql = "INSERT INTO plan_issue (id, meeting, held_on, area, block, body, state, created_at, created_by, demo) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
            let values = args![
                issue.id,
                issue.meeting.as_str(),
                issue.held_on.to_string(),
                issue.area.as_ref().map(ToString::to_string),
                issue.block.clone(),
                issue.text.as_str(),
                issue.state.as_str(),
                issue.created_at.0,
                issue.created_by.as_str(),
                issue.demo,
            ];
            tx.run(sql, values).await?;
            tx.commit().await?;
            Ok(issue)
        };
        work.await.map_err(counted(ISSUE))
    }

    /// Issues, newest meeting first.
    pub async fn plan_issues(&self, state: Option<IssueState>) -> Result<Vec<PlanIssue>, Error> {
        let sql = "SELECT * FROM plan_issue WHERE ($1 = '' OR state = $1) ORDER BY held_on DESC, id DESC LIMIT 500";
        let rows = self.db.rows(sql, args![state.map_or("", IssueState::as_str)]).await.map_err(counted(ISSUE))?;
        rows.iter().map(issue_row).collect()
    }

    /// One issue.
    pub async fn plan_issue(&self, id: i64) -> Result<Option<PlanIssue>, Error> {
        let row = self.db.row("SELECT * FROM plan_issue WHERE id = $1", args![id]).await.map_err(counted(ISSUE))?;
        row.as_ref().map(issue_row).transpose()
    }

    /// Answers an open issue; false when it has been answered meanwhile.
    pub async fn answer_plan_issue(&self, issue: &PlanIssue) -> Result<bool, Error> {
        let sql = "UPDATE plan_issue SET state = $2, measure = $3, answer = $4, changed_at = $5, changed_by = $6 WHERE id = $1 AND state = 'open'";
        let values = args![
            issue.id,
            issue.state.as_str(),
            issue.measure,
            issue.answer.clone(),
            issue.changed_at.map(|at| at.0),
            issue.changed_by.clone(),
        ];
        Ok(self.db.run(sql, values).await.map_err(counted(ISSUE))? > 0)
    }
}

struct Json {
    title: String,
    evidence: String,
    expected: Option<String>,
}

impl Json {
    fn of(measure: &Measure) -> Result<Self, sqlx::Error> {
        let text = |value: Result<String, serde_json::Error>| value.map_err(|e| sqlx::Error::Encode(e.into()));
        Ok(Self {
            title: text(serde_json::to_string(&measure.title))?,
            evidence: text(serde_json::to_string(&measure.evidence))?,
            expected: measure.expected.as_ref().map(|expected| text(serde_json::to_string(expected))).transpose()?,
        })
    }
}

async fn step(tx: &mut Tx, measure: &Measure, action: &str, changes: &[MeasureChange], words: Option<&str>) -> Result<(), sqlx::Error> {
    let changes = serde_json::to_string(changes).map_err(|e| sqlx::Error::Encode(e.into()))?;
    let sql = "INSERT INTO plan_step (measure, version, at, who, action, changes, words) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values =
        args![measure.id, measure.version, measure.updated_at.0, measure.updated_by.as_str(), action, changes, words.map(str::to_owned),];
    tx.run(sql, values).await.map(drop)
}

fn json<T: serde::de::DeserializeOwned>(table: &'static str, column: &'static str, text: String) -> Result<T, Error> {
    serde_json::from_str(&text).map_err(|_| Error::Corrupt { table, column, value: text })
}

pub(super) fn day(table: &'static str, column: &'static str, text: String) -> Result<Date, Error> {
    text.parse().map_err(|_| Error::Corrupt { table, column, value: text })
}

fn measure_row(row: &Row) -> Result<Measure, Error> {
    let int = |column: &'static str| row.int(column).map_err(counted(MEASURE));
    let text = |column: &'static str| row.text(column).map_err(counted(MEASURE));
    let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(MEASURE));
    Ok(Measure {
        id: int("id")?,
        block: text("block")?,
        number: text("number")?,
        title: json(MEASURE, "title", text("title")?)?,
        owner: text("owner")?,
        area: maybe_word(MEASURE, "area", maybe("area")?)?,
        deadline: day(MEASURE, "deadline", text("deadline")?)?,
        progress: int("progress")?,
        state: word(MEASURE, "state", &text("state")?)?,
        evidence: json(MEASURE, "evidence", text("evidence")?)?,
        expected: maybe("expected")?.map(|text| json(MEASURE, "expected", text)).transpose()?,
        issue: row.maybe_int("issue").map_err(counted(MEASURE))?,
        version: int("version")?,
        updated_at: UtcMs(int("updated_at")?),
        updated_by: text("updated_by")?,
        demo: row.flag("demo").map_err(counted(MEASURE))?,
    })
}

fn issue_row(row: &Row) -> Result<PlanIssue, Error> {
    let int = |column: &'static str| row.int(column).map_err(counted(ISSUE));
    let text = |column: &'static str| row.text(column).map_err(counted(ISSUE));
    let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(ISSUE));
    let maybe_int = |column: &'static str| row.maybe_int(column).map_err(counted(ISSUE));
    Ok(PlanIssue {
        id: int("id")?,
        meeting: text("meeting")?,
        held_on: day(ISSUE, "held_on", text("held_on")?)?,
        area: maybe_word(ISSUE, "area", maybe("area")?)?,
        block: maybe("block")?,
        text: text("body")?,
        state: word(ISSUE, "state", &text("state")?)?,
        measure: maybe_int("measure")?,
        answer: maybe("answer")?,
        created_at: UtcMs(int("created_at")?),
        created_by: text("created_by")?,
        changed_at: maybe_time(maybe_int("changed_at")?),
        changed_by: maybe("changed_by")?,
        demo: row.flag("demo").map_err(counted(ISSUE))?,
    })
}
