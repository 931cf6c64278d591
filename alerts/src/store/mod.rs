//! The store: SQLite (WAL, synchronous FULL) by default, PostgreSQL by URL, the same SQL on both.
//!
//! What belongs here: SQL and the conversion between rows and domain types. What does not: any decision
//! about alerts. Names of stored words are those of the wire.

mod accounts;
mod alerts;
mod aside;
mod audit;
mod cameras;
mod copy;
mod counts;
pub(crate) mod db;
mod devices;
mod drills;
mod emergencies;
mod fusion;
mod handover;
mod indicators;
mod intake;
mod notes;
mod outbox;
mod phones;
mod plan;
mod register;
mod requests;
mod sitefile;
mod tension;

use std::sync::{Arc, Mutex};

use qorgan_domain::UtcMs;

use crate::Error;
pub use accounts::{Account, Login, SoundTest};
pub use alerts::Figures;
pub use aside::Aside;
pub use audit::{AuditEntry, AuditLine, Verified};
pub use cameras::{CameraHour, StoredCamera};
pub use copy::copy_sqlite;
pub use counts::{CountPoint, Maintained, MinutePeak, Retention};
use db::{Db, args};
pub use drills::{Drill, DrillPress, DrillResult, DrillSteps};
pub use emergencies::{EmergencyEntry, EmergencyKind, EmergencyVersion};
pub use fusion::{Entry, KeptUsual, RuleChange, StoredEvent, ZonePoint};
pub use handover::Handover;
pub use indicators::{Added, HistoryEntry, HistoryFilter, ImportKind, NewImport, NotUndone, StoredImport, StoredObservation, Undone};
pub use intake::{Appeal, AppealCell, Duty, FeedCounts, FeedState, FeedTotal, Signal, SignalFilter, SignalStep, StoredSurvey};
pub use notes::{AnalyticNote, NoteState};
pub use outbox::{OutboxState, Outgoing};
pub use phones::{Enrolment, PhoneRow};
pub use plan::{Evidence, IssueState, Measure, MeasureChange, MeasureState, MeasureStep, PlanIssue};
pub use register::{Connection, Institution, InstitutionKind};
pub use requests::{
    AddedRequest, Channel, DayCount, Load, NewRequest, Overdue, PastRequest, PastStep, Request, RequestAct, RequestCursor, RequestFilter,
    RequestSignal, RequestStep, SignalState, TallyRow,
};
pub use sitefile::{Plan, SealedContact, SitePage};
pub use tension::{StoredMethod, StoredResult};

/// The store; clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    /// One writer of the audit log at a time.
    audit: Arc<tokio::sync::Mutex<()>>,
    /// One writer of indicator values at a time.
    values: Arc<tokio::sync::Mutex<()>>,
    /// Counts that came in since the last roll-up begin here, in ms.
    oldest_new_count: Arc<Mutex<Option<i64>>>,
}

impl Store {
    /// Opens `sqlite:PATH` (made when missing) or `postgres://user@host/database` and brings its schema up to date.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Ok(Self { db: Db::open(url).await?, audit: Arc::default(), values: Arc::default(), oldest_new_count: Arc::default() })
    }

    /// Ends every connection; what is under way finishes first.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<(), Error> {
        self.db.rows("SELECT 1", vec![]).await.map(drop).map_err(counted("ping"))
    }

    /// The text kept under a name.
    pub async fn meta(&self, name: &str) -> Result<Option<String>, Error> {
        let row = self.db.row("SELECT body FROM meta WHERE name = $1", args![name]).await.map_err(counted("meta"))?;
        row.map(|row| row.text("body")).transpose().map_err(counted("meta"))
    }

    /// Keeps a text under a name.
    pub async fn set_meta(&self, name: &str, body: &str) -> Result<(), Error> {
        self.db.run(SET_META, args![name, body]).await.map(drop).map_err(counted("meta"))
    }

    /// The outlines an administrator imported: GeoJSON text.
    pub async fn areas(&self) -> Result<Option<String>, Error> {
        self.meta("areas").await
    }

    /// Replaces the imported outlines.
    pub async fn set_areas(&self, geojson: &str) -> Result<(), Error> {
        self.set_meta("areas", geojson).await
    }
}

const SET_META: &str = "INSERT INTO meta (name, body) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET body = excluded.body";

/// Names what failed and counts it.
fn counted(what: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| {
        metrics::counter!("qorgan_store_errors_total", "what" => what).increment(1);
        Error::store(what)(source)
    }
}

fn maybe_time(ms: Option<i64>) -> Option<UtcMs> {
    ms.map(UtcMs)
}
