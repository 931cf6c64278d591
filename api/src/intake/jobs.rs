//! A file on its way: read, checked, shown to whoever brought it, and applied when they say so. In memory; after a restart it is
//! brought again.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use bytes::Bytes;
use qorgan_alerts::{
    intake::plan::{Compared, Plan, Rules, Sample, plan},
    store::{ImportKind, NewImport},
};
use qorgan_domain::{UserName, UtcMs, period::Period};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::area_names;
use crate::{
    auth::{Session, random_token},
    error::{ApiError, chain},
    hub::App,
    table::{self, Encoding},
};

/// Files that are read at once.
const AT_ONCE: usize = 2;
/// Files that are read or wait to be.
const MAX_READING: usize = 4;
/// Files that are kept, with those that are done.
const MAX_KEPT: usize = 16;
/// How long one is kept.
const KEPT: Duration = Duration::from_secs(30 * 60);
/// Values of a preview.
const SAMPLE: usize = 50;

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Cells are read.
    Reading,
    /// Values are judged.
    Checking,
    /// May be applied.
    Ready,
    /// Has errors; nothing of it can be applied.
    Refused,
    /// No table, or the store failed.
    Failed,
    /// Values are written.
    Writing,
    /// They are there.
    Applied,
}

/// What is known of a file after it was read.
#[derive(Debug, Clone)]
pub struct Preview {
    /// What it holds.
    pub plan: Arc<Plan>,
    /// What it would change.
    pub compared: Compared,
    /// The first values.
    pub sample: Vec<Sample>,
}

/// A file.
#[derive(Debug)]
pub struct Job {
    /// Its number, a random word.
    pub id: String,
    /// Who brought it.
    pub owner: UserName,
    /// Its name.
    pub filename: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// Who gave values whose row does not say.
    pub source: String,
    began: UtcMs,
    rows_done: AtomicUsize,
    inner: Mutex<Inner>,
}

/// What of a file changes.
#[derive(Debug, Clone)]
pub struct Inner {
    /// How far it is.
    pub state: JobState,
    /// Rows, once they are counted.
    pub rows_total: Option<usize>,
    /// Why it failed, in words.
    pub message: Option<String>,
    /// The same as a code.
    pub code: Option<&'static str>,
    /// What it holds.
    pub preview: Option<Preview>,
    /// The import that it became.
    pub import: Option<i64>,
}

/// Every file on its way.
#[derive(Debug)]
pub struct Jobs {
    jobs: Mutex<HashMap<String, Arc<Job>>>,
    turns: Arc<Semaphore>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { jobs: Mutex::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// How a file is to be read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Name of the file.
    pub filename: String,
    /// Period of values whose row names none.
    pub period: Option<Period>,
    /// Who gave them.
    pub source: String,
    /// What somebody says about its encoding.
    pub encoding: Option<Encoding>,
}

impl Job {
    /// How it stands.
    pub fn now(&self) -> Inner {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Rows that are read, judged or written.
    pub fn rows_done(&self) -> usize {
        self.rows_done.load(Ordering::Relaxed)
    }

    fn set(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn fail(&self, code: &'static str, message: String) {
        self.set(|inner| {
            inner.state = JobState::Failed;
            inner.code = Some(code);
            inner.message = Some(message);
        });
    }
}

impl Jobs {
    /// The file of a person.
    pub fn find(&self, id: &str, owner: &UserName) -> Option<Arc<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).get(id).filter(|job| job.owner == *owner).cloned()
    }

    /// Forgets a file of a person, unless it is being written.
    pub fn forget(&self, id: &str, owner: &UserName) -> bool {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let may = jobs.get(id).is_some_and(|job| job.owner == *owner && job.now().state != JobState::Writing);
        may && jobs.remove(id).is_some()
    }

    fn add(&self, job: Arc<Job>, now: UtcMs) -> Result<(), ApiError> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = |job: &Job| matches!(job.now().state, JobState::Reading | JobState::Checking | JobState::Writing);
        jobs.retain(|_, job| busy(job) || now.ms_since(job.began) < i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX));
        if jobs.values().filter(|job| busy(job)).count() >= MAX_READING {
            let message = format!("{MAX_READING} files are being read; try again in a moment.");
            return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "busy", message));
        }
        while jobs.len() >= MAX_KEPT {
            let oldest = jobs.values().filter(|job| !busy(job)).min_by_key(|job| job.began).map(|job| job.id.clone());
            let Some(oldest) = oldest else { break };
            jobs.remove(&oldest);
        }
        jobs.insert(job.id.clone(), job);
        Ok(())
    }
}

/// Begins to read a file.
pub fn begin(app: &App, session: &Session, bytes: Bytes, options: Options) -> Result<Arc<Job>, ApiError> {
    let job = Arc::new(Job {
        id: random_token(),
        owner: session.user.clone(),
        filename: options.filename.clone(),
        sha256: hex::encode(Sha256::digest(&bytes)),
        source: options.source.clone(),
        began: app.clock.utc(),
        rows_done: AtomicUsize::new(0),
        inner: Mutex::new(Inner { state: JobState::Reading, rows_total: None, message: None, code: None, preview: None, import: None }),
    });
    app.intake.jobs.add(job.clone(), app.clock.utc())?;
    let (app, mine) = (app.clone(), job.clone());
    tokio::spawn(async move {
        // Closed only with the hub.
        let Ok(_turn) = app.intake.jobs.turns.clone().acquire_owned().await else { return };
        if let Err((code, message)) = look(&app, &mine, bytes, options).await {
            mine.fail(code, message);
        }
    });
    Ok(job)
}

async fn look(app: &App, job: &Arc<Job>, bytes: Bytes, options: Options) -> Result<(), (&'static str, String)> {
    let (today, areas, catalogue, mine) = (super::today(app), area_names(app), app.config.catalogue.clone(), job.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let progress = |rows| mine.rows_done.store(rows, Ordering::Relaxed);
        let sheets = table::read_with(&bytes, options.encoding, &progress).map_err(|error| (error.code(), error.to_string()))?;
        let total = sheets.iter().map(|sheet| sheet.rows.len()).sum();
        mine.set(|inner| {
            inner.state = JobState::Checking;
            inner.rows_total = Some(total);
        });
        progress(0);
        let rules = Rules { catalogue: &catalogue, areas: &areas, period: options.period, today };
        let plan = plan(&sheets, &rules, &progress);
        if plan.rows == 0 && plan.errors.is_empty() {
            return Err(("empty", "there is a header and no row below it".to_owned()));
        }
        Ok::<Plan, (&'static str, String)>(plan)
    });
    let mut plan = reading.await.map_err(|_| ("not_a_table", "the file could not be read".to_owned()))??;
    let standing = app.store.standing_of(&plan.periods()).await.map_err(|error| {
        tracing::error!(error = chain(&error), "what a file would change could not be seen");
        ("store", "the store did not answer; try again".to_owned())
    })?;
    let compared = plan.compare(&standing, &app.config.catalogue);
    let sample = plan.sample(&standing, SAMPLE);
    let state = if plan.errors_total == 0 { JobState::Ready } else { JobState::Refused };
    job.rows_done.store(plan.rows, Ordering::Relaxed);
    job.set(|inner| {
        inner.state = state;
        inner.rows_total = Some(plan.rows);
        inner.preview = Some(Preview { plan: Arc::new(plan), compared, sample });
    });
    Ok(())
}

/// Begins to write a file that has no errors. The audit line is there before its first value.
pub async fn apply(app: &App, session: &Session, job: &Arc<Job>) -> Result<(), ApiError> {
    let mut taken = None;
    job.set(|inner| {
        if inner.state == JobState::Ready {
            inner.state = JobState::Writing;
            taken = inner.preview.clone();
        }
    });
    let Some(preview) = taken else {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "not_ready",
            "This file cannot be applied: it is not read yet, has errors, or was applied.",
        ));
    };
    job.rows_done.store(0, Ordering::Relaxed);
    let total = preview.plan.values.len();
    job.set(|inner| inner.rows_total = Some(total));
    let summary = format!("{}: {total} values, {} left out; sha256 {}", job.filename, preview.plan.suppressed, job.sha256);
    if let Err(error) = app.audit_by(session, "intake.import", "import", Some(&summary)).await {
        job.set(|inner| inner.state = JobState::Ready);
        return Err(error.into());
    }
    let import = NewImport {
        at: app.clock.utc(),
        who: session.user.to_string(),
        kind: ImportKind::File,
        source: job.source.clone(),
        filename: Some(job.filename.clone()),
        sha256: Some(job.sha256.clone()),
        suppressed: preview.plan.suppressed,
    };
    let (app, job) = (app.clone(), job.clone());
    tokio::spawn(async move {
        let progress = |rows| job.rows_done.store(rows, Ordering::Relaxed);
        match app.store.add_values(&import, &preview.plan.values, progress).await {
            Ok(added) => {
                job.rows_done.store(total, Ordering::Relaxed);
                job.set(|inner| {
                    inner.state = JobState::Applied;
                    inner.import = added.import;
                });
                super::changed(&app);
            }
            Err(error) => {
                tracing::error!(error = chain(&error), file = job.filename, "an import failed; nothing of it is taken");
                job.fail("store", "the store did not take it; nothing was changed; try again".into());
            }
        }
    });
    Ok(())
}
