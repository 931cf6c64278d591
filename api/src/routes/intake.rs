//! Getting values of indicators in: files, programs, the history, undo.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use qorgan_alerts::{
    intake::plan::{Layout, RowNote},
    store::{HistoryFilter, ImportKind, NotUndone, StoredImport},
};
use qorgan_domain::{AreaCode, IndicatorId, indicator::Basis, period::Period};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{Access, Access::With, Route, row};
use crate::{
    auth::{Right, Session},
    config::Machine,
    error::ApiError,
    hub::App,
    intake::{
        self,
        jobs::{self, Job, JobState},
        machine::{self, Brought, FieldError},
        template,
    },
    table::{self, Encoding},
    view::Names,
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(template_csv, template_xlsx, preview, job, apply, forget, imports, undo, history, values))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, write) = (With(Right::IntakeRead), With(Right::IntakeWrite));
    let limit = DefaultBodyLimit::max(table::MAX_BYTES);
    vec![
        row(Method::GET, "/api/v1/intake/template.csv", read, get(template_csv)),
        row(Method::GET, "/api/v1/intake/template.xlsx", read, get(template_xlsx)),
        row(Method::POST, "/api/v1/intake/imports", write, post(preview).layer(limit)),
        row(Method::GET, "/api/v1/intake/imports", read, get(imports)),
        row(Method::GET, "/api/v1/intake/jobs/{id}", write, get(job)),
        row(Method::DELETE, "/api/v1/intake/jobs/{id}", write, axum::routing::delete(forget)),
        row(Method::POST, "/api/v1/intake/jobs/{id}/apply", write, post(apply)),
        row(Method::POST, "/api/v1/intake/imports/{id}/undo", write, post(undo)),
        row(Method::GET, "/api/v1/intake/history", read, get(history)),
        row(Method::POST, "/api/v1/intake/values", Access::Machine, post(values).layer(DefaultBodyLimit::max(1024 * 1024))),
    ]
}

/// Which template.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct TemplateQuery {
    /// `long` or `wide`.
    layout: Option<String>,
    /// `kk`, `ru` or `en`; the hub's when absent.
    lang: Option<String>,
    /// Period of the example; the last month when absent.
    period: Option<String>,
}

/// How a file is meant.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct PreviewQuery {
    /// Name of the file.
    filename: Option<String>,
    /// Period of values whose row names none.
    period: Option<String>,
    /// Who gave values whose row does not say.
    source: Option<String>,
    /// `utf-8`, `utf-16` or `windows-1251`; found out when absent.
    encoding: Option<String>,
}

/// A file is being read.
#[derive(Serialize, ToSchema)]
struct Begun {
    job: String,
}

/// A file on its way.
#[derive(Serialize, ToSchema)]
struct JobView {
    job: String,
    state: JobState,
    filename: String,
    sha256: String,
    rows_done: usize,
    rows_total: Option<usize>,
    message: Option<String>,
    code: Option<&'static str>,
    preview: Option<PreviewView>,
    import: Option<i64>,
}

/// What a file holds and would change.
#[derive(Serialize, ToSchema)]
struct PreviewView {
    /// `long` or `wide`.
    #[schema(value_type = Option<String>)]
    layout: Option<Layout>,
    rows: usize,
    values: usize,
    added: usize,
    changed: usize,
    unchanged: usize,
    /// Counts of persons, posts or appeals below ten, left out.
    suppressed: usize,
    errors: Vec<NoteView>,
    errors_total: usize,
    notes: Vec<NoteView>,
    sample: Vec<SampleView>,
}

/// A problem or a note of a row.
#[derive(Serialize, ToSchema)]
struct NoteView {
    sheet: Option<String>,
    row: u32,
    column: String,
    value: String,
    expected: String,
    code: &'static str,
}

impl From<&RowNote> for NoteView {
    fn from(note: &RowNote) -> Self {
        let RowNote { sheet, row, column, value, expected, code } = note.clone();
        Self { sheet, row, column, value, expected, code }
    }
}

/// A value of a preview.
#[derive(Serialize, ToSchema)]
struct SampleView {
    area: String,
    area_name: Option<Names>,
    indicator: String,
    indicator_name: Option<Names>,
    period: String,
    value: f64,
    cases: Option<u64>,
    denominator: Option<f64>,
    before: Option<f64>,
    row: u32,
}

/// Which imports.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    limit: Option<u32>,
    before: Option<i64>,
}

/// Imports, newest first.
#[derive(Serialize, ToSchema)]
struct ImportList {
    imports: Vec<ImportView>,
    next: Option<i64>,
}

/// An import.
#[derive(Serialize, ToSchema)]
struct ImportView {
    id: i64,
    at: String,
    who: String,
    #[schema(value_type = String)]
    kind: ImportKind,
    source: String,
    filename: Option<String>,
    sha256: Option<String>,
    values: u64,
    suppressed: usize,
    undone_at: Option<String>,
    undone_by: Option<String>,
    undo_reason: Option<String>,
    demo: bool,
}

/// Why an import is undone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UndoBody {
    reason: String,
}

/// What an undo did.
#[derive(Serialize, ToSchema)]
struct UndoneView {
    import: i64,
    restored: u64,
    removed: u64,
    overwritten: u64,
    overwritten_by: Vec<OverwrittenView>,
}

/// A value that a later import has replaced.
#[derive(Serialize, ToSchema)]
struct OverwrittenView {
    area: String,
    indicator: String,
    period: String,
    import: i64,
}

/// Which part of the history; at least an area or an indicator.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    area: Option<String>,
    indicator: Option<String>,
    period: Option<String>,
    limit: Option<u32>,
    before: Option<i64>,
}

/// The history, newest first.
#[derive(Serialize, ToSchema)]
struct HistoryView {
    entries: Vec<EntryView>,
    next: Option<i64>,
}

/// A value with who, when, whence and what stood before.
#[derive(Serialize, ToSchema)]
struct EntryView {
    seq: i64,
    at: String,
    who: String,
    area: String,
    area_name: Option<Names>,
    indicator: String,
    indicator_name: Option<Names>,
    period: String,
    value: f64,
    cases: Option<u64>,
    denominator: Option<f64>,
    source: String,
    #[schema(value_type = String)]
    kind: ImportKind,
    import: i64,
    before: Option<BeforeView>,
    standing: bool,
    undone_at: Option<String>,
    undone_by: Option<String>,
}

/// What stood before.
#[derive(Serialize, ToSchema)]
struct BeforeView {
    value: f64,
    cases: Option<u64>,
    denominator: Option<f64>,
    import: i64,
}

/// Values of a program.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ValuesBody {
    values: Vec<Brought>,
}

/// What became of them.
#[derive(Serialize, ToSchema)]
struct ValuesTaken {
    /// None when every value stood already.
    import: Option<i64>,
    values: usize,
    unchanged: usize,
    suppressed: usize,
    /// Places of those in the request; none of what was left out because of other values.
    suppressed_at: Vec<usize>,
}

fn parts(basis: Basis) -> (Option<u64>, Option<f64>) {
    match basis {
        Basis::Cases(cases) => (Some(cases), None),
        Basis::Denominator(whole) => (None, Some(whole)),
    }
}

fn indicator_name(app: &App, id: &IndicatorId) -> Option<Names> {
    app.config.catalogue.indicator(id).map(|i| (&i.name).into())
}

pub(super) fn area_name(app: &App, code: &AreaCode) -> Option<Names> {
    app.areas().iter().find(|a| a.code == *code).map(|a| (&a.name).into())
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: Option<&str>, field: &str) -> Result<Option<T>, ApiError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(|error| ApiError::invalid(format!("{field}: {error}")).with("field", field))).transpose()
}

struct Chosen {
    layout: Layout,
    language: String,
    period: String,
}

fn chosen(app: &App, query: &TemplateQuery) -> Result<Chosen, ApiError> {
    let layout = match query.layout.as_deref().unwrap_or("long") {
        "long" => Layout::Long,
        "wide" => Layout::Wide,
        _ => return Err(ApiError::invalid("layout: long or wide").with("field", "layout")),
    };
    let language = query.lang.as_deref().filter(|l| ["kk", "ru", "en"].contains(l)).unwrap_or(&app.config.hub.language).to_owned();
    let period: Option<Period> = parsed(query.period.as_deref(), "period")?;
    let last_month = Period::of(qorgan_domain::period::PeriodKind::Month, intake::today(app)).map(|month| month.after(-1));
    let period = period.or(last_month.ok()).map(|p| p.to_string()).unwrap_or_default();
    Ok(Chosen { layout, language, period })
}

fn file(media_type: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, bytes).into_response()
}

/// A file to fill in, CSV.
#[utoipa::path(get, path = "/api/v1/intake/template.csv", tag = "intake", params(TemplateQuery), responses((status = 200, content_type = "text/csv")))]
async fn template_csv(State(app): State<App>, Query(query): Query<TemplateQuery>) -> Result<Response, ApiError> {
    let chosen = chosen(&app, &query)?;
    let bytes = template::csv(chosen.layout, &chosen.language, &chosen.period, &app.config.catalogue, &intake::area_names(&app));
    Ok(file("text/csv; charset=utf-8", "indicators-template.csv", bytes))
}

/// A file to fill in, XLSX.
#[utoipa::path(get, path = "/api/v1/intake/template.xlsx", tag = "intake", params(TemplateQuery),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
async fn template_xlsx(State(app): State<App>, Query(query): Query<TemplateQuery>) -> Result<Response, ApiError> {
    let chosen = chosen(&app, &query)?;
    let bytes = template::xlsx(chosen.layout, &chosen.language, &chosen.period, &app.config.catalogue, &intake::area_names(&app));
    let bytes = bytes.map_err(|error| {
        tracing::error!(%error, "the template of values could not be written");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The template could not be written.")
    })?;
    Ok(file("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "indicators-template.xlsx", bytes))
}

/// Begins to read a file. Nothing is stored before it is applied.
#[utoipa::path(post, path = "/api/v1/intake/imports", tag = "intake", params(PreviewQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "XLSX or CSV, at most 20 MiB"),
    responses((status = 202, body = Begun), (status = 413), (status = 422), (status = 429, description = "`busy`")))]
async fn preview(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<PreviewQuery>,
    body: Bytes,
) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let encoding = match query.encoding.as_deref().filter(|e| !e.is_empty()) {
        None => None,
        Some(name) => {
            Some(Encoding::of(name).ok_or_else(|| ApiError::invalid("encoding: utf-8, utf-16 or windows-1251").with("field", "encoding"))?)
        }
    };
    let clean =
        |text: Option<String>| text.unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect::<String>().trim().to_owned();
    let (filename, source) = (clean(query.filename), clean(query.source));
    for (field, text) in [("filename", &filename), ("source", &source)] {
        if let Some(found) = qorgan_alerts::intake::personal::in_cell(text) {
            let message = format!("{field}: this looks like {}", found.english());
            return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "personal_data", message)
                .with("field", field)
                .with("reason", found.as_str()));
        }
    }
    let period = parsed(query.period.as_deref(), "period")?;
    let source = if source.is_empty() { session.user.to_string() } else { source };
    let filename = if filename.is_empty() { "file".to_owned() } else { filename };
    let job = jobs::begin(&app, &session, body, jobs::Options { filename, period, source, encoding })?;
    Ok((StatusCode::ACCEPTED, Json(Begun { job: job.id.clone() })))
}

fn find(app: &App, session: &Session, id: &str) -> Result<Arc<Job>, ApiError> {
    app.intake.jobs.find(id, &session.user).ok_or_else(|| ApiError::not_found("file; it may have been forgotten: bring it again"))
}

/// How far a file is, and what it holds.
#[utoipa::path(get, path = "/api/v1/intake/jobs/{id}", tag = "intake", params(("id" = String, Path)), responses((status = 200, body = JobView), (status = 404)))]
async fn job(State(app): State<App>, Extension(session): Extension<Session>, Path(id): Path<String>) -> Result<Json<JobView>, ApiError> {
    let job = find(&app, &session, &id)?;
    let now = job.now();
    let preview = now.preview.as_ref().map(|preview| {
        let plan = &preview.plan;
        let sample = preview.sample.iter().map(|sample| {
            let o = &sample.planned.observation;
            let (cases, denominator) = parts(o.basis);
            SampleView {
                area: o.area.to_string(),
                area_name: area_name(&app, &o.area),
                indicator: o.indicator.to_string(),
                indicator_name: indicator_name(&app, &o.indicator),
                period: o.period.to_string(),
                value: o.value,
                cases,
                denominator,
                before: sample.before,
                row: sample.planned.row,
            }
        });
        PreviewView {
            layout: plan.layout,
            rows: plan.rows,
            values: plan.values.len(),
            added: preview.compared.added,
            changed: preview.compared.changed,
            unchanged: preview.compared.unchanged,
            suppressed: plan.suppressed,
            errors: plan.errors.iter().map(NoteView::from).collect(),
            errors_total: plan.errors_total,
            notes: plan.notes.iter().map(NoteView::from).collect(),
            sample: sample.collect(),
        }
    });
    Ok(Json(JobView {
        job: job.id.clone(),
        state: now.state,
        filename: job.filename.clone(),
        sha256: job.sha256.clone(),
        rows_done: job.rows_done(),
        rows_total: now.rows_total,
        message: now.message,
        code: now.code,
        preview,
        import: now.import,
    }))
}

/// Applies a file without errors: every value of it, or none.
#[utoipa::path(post, path = "/api/v1/intake/jobs/{id}/apply", tag = "intake", params(("id" = String, Path)),
    responses((status = 202, body = Begun), (status = 404), (status = 409, description = "`not_ready`")))]
async fn apply(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let job = find(&app, &session, &id)?;
    jobs::apply(&app, &session, &job).await?;
    Ok((StatusCode::ACCEPTED, Json(Begun { job: job.id.clone() })))
}

/// Forgets a file.
#[utoipa::path(delete, path = "/api/v1/intake/jobs/{id}", tag = "intake", params(("id" = String, Path)), responses((status = 204), (status = 404)))]
async fn forget(State(app): State<App>, Extension(session): Extension<Session>, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    match app.intake.jobs.forget(&id, &session.user) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("file that can be forgotten")),
    }
}

fn import_view(stored: StoredImport) -> ImportView {
    let (at, by, reason) = match stored.undone {
        Some((at, by, reason)) => (Some(at.to_string()), Some(by), Some(reason)),
        None => (None, None, None),
    };
    ImportView {
        id: stored.id,
        at: stored.import.at.to_string(),
        who: stored.import.who,
        demo: stored.import.kind == ImportKind::Demo,
        kind: stored.import.kind,
        source: stored.import.source,
        filename: stored.import.filename,
        sha256: stored.import.sha256,
        values: stored.values,
        suppressed: stored.import.suppressed,
        undone_at: at,
        undone_by: by,
        undo_reason: reason,
    }
}

/// Imports, newest first.
#[utoipa::path(get, path = "/api/v1/intake/imports", tag = "intake", params(ListQuery), responses((status = 200, body = ImportList)))]
async fn imports(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Json<ImportList>, ApiError> {
    let limit = query.limit.unwrap_or(50).clamp(1, 500);
    let imports: Vec<ImportView> = app.store.imports(query.before, limit).await?.into_iter().map(import_view).collect();
    let next = (imports.len() as u64 == u64::from(limit)).then(|| imports.last().map(|i| i.id)).flatten();
    Ok(Json(ImportList { imports, next }))
}

/// Takes an import back: what stood before it stands again, unless a later import has replaced it.
#[utoipa::path(post, path = "/api/v1/intake/imports/{id}/undo", tag = "intake", params(("id" = i64, Path)), request_body = UndoBody,
    responses((status = 200, body = UndoneView), (status = 404), (status = 409, description = "`already_undone`"), (status = 422)))]
async fn undo(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<UndoBody>,
) -> Result<Json<UndoneView>, ApiError> {
    let reason = body.reason.trim();
    if !(3..=500).contains(&reason.chars().count()) || reason.contains(char::is_control) {
        return Err(ApiError::invalid("reason: 3 to 500 characters").with("field", "reason"));
    }
    app.audit_by(&session, "intake.undo", &format!("import/{id}"), Some(reason)).await?;
    match app.store.undo_import(id, session.user.as_str(), reason, app.clock.utc()).await? {
        Err(NotUndone::NotFound) => Err(ApiError::not_found("import")),
        Err(NotUndone::Already) => Err(ApiError::new(StatusCode::CONFLICT, "already_undone", "This import was undone before.")),
        Ok(undone) => {
            intake::changed(&app);
            let view = |(area, indicator, period, import): (AreaCode, IndicatorId, Period, i64)| OverwrittenView {
                area: area.to_string(),
                indicator: indicator.to_string(),
                period: period.to_string(),
                import,
            };
            Ok(Json(UndoneView {
                import: id,
                restored: undone.restored,
                removed: undone.removed,
                overwritten: undone.overwritten,
                overwritten_by: undone.overwritten_by.into_iter().map(view).collect(),
            }))
        }
    }
}

/// The history of values: who, when, whence, and what stood before.
#[utoipa::path(get, path = "/api/v1/intake/history", tag = "intake", params(HistoryQuery), responses((status = 200, body = HistoryView), (status = 422)))]
async fn history(State(app): State<App>, Query(query): Query<HistoryQuery>) -> Result<Json<HistoryView>, ApiError> {
    let filter = HistoryFilter {
        area: parsed(query.area.as_deref(), "area")?,
        indicator: parsed(query.indicator.as_deref(), "indicator")?,
        period: parsed(query.period.as_deref(), "period")?,
        before: query.before,
        limit: query.limit.unwrap_or(200).clamp(1, 1_000),
    };
    if filter.area.is_none() && filter.indicator.is_none() {
        return Err(ApiError::invalid("area or indicator: one of them at least").with("field", "area"));
    }
    let entries = app.store.indicator_history(&filter).await?;
    let next = (entries.len() as u64 == u64::from(filter.limit)).then(|| entries.last().map(|e| e.seq)).flatten();
    let view = |entry: qorgan_alerts::store::HistoryEntry| {
        let (o, stored) = (&entry.stored.observation, &entry.stored);
        let (cases, denominator) = parts(o.basis);
        let (undone_at, undone_by) = entry.undone.map_or((None, None), |(at, by)| (Some(at.to_string()), Some(by)));
        EntryView {
            seq: entry.seq,
            at: stored.recorded_at.to_string(),
            who: stored.by.clone(),
            area: o.area.to_string(),
            area_name: area_name(&app, &o.area),
            indicator: o.indicator.to_string(),
            indicator_name: indicator_name(&app, &o.indicator),
            period: o.period.to_string(),
            value: o.value,
            cases,
            denominator,
            source: stored.source.clone(),
            kind: stored.kind,
            import: stored.import,
            before: entry.before.map(|(value, basis, import)| {
                let (cases, denominator) = parts(basis);
                BeforeView { value, cases, denominator, import }
            }),
            standing: entry.standing,
            undone_at,
            undone_by,
        }
    };
    Ok(Json(HistoryView { entries: entries.into_iter().map(view).collect(), next }))
}

/// Values of a program, all or none. Its token and its indicators stand in the configuration.
#[utoipa::path(post, path = "/api/v1/intake/values", tag = "intake", request_body = ValuesBody, security(("machine_token" = [])),
    responses((status = 200, body = ValuesTaken), (status = 401, description = "`bad_token`"), (status = 403, description = "`not_yours`"), (status = 422)))]
async fn values(State(app): State<App>, Extension(machine): Extension<Arc<Machine>>, body: Bytes) -> Result<Json<ValuesTaken>, ApiError> {
    let body: ValuesBody = serde_json::from_slice(&body).map_err(|error| ApiError::invalid(error.to_string()))?;
    if !(1..=machine::MAX_VALUES).contains(&body.values.len()) {
        return Err(ApiError::invalid(format!("1 to {} values", machine::MAX_VALUES)));
    }
    let judged = machine::judge_all(&app, &machine, &body.values);
    if let Some(foreign) = judged.errors.iter().find(|error| error.code == "not_yours") {
        let message = format!("values[{}].indicator: expected {}", foreign.index, foreign.expected);
        return Err(ApiError::new(StatusCode::FORBIDDEN, "not_yours", message).with("index", foreign.index));
    }
    if let Some(FieldError { index, field, expected, .. }) = judged.errors.first() {
        let message = format!("values[{index}].{field}: expected {expected}");
        let errors: Vec<&FieldError> = judged.errors.iter().take(100).collect();
        return Err(ApiError::invalid(message).with("errors", serde_json::to_value(errors).unwrap_or_default()));
    }
    let suppressed_at = judged.suppressed.clone();
    let (added, suppressed) = machine::take(&app, &machine.name, ImportKind::Http, judged).await?;
    let values = added.compared.added + added.compared.changed;
    Ok(Json(ValuesTaken { import: added.import, values, unchanged: added.compared.unchanged, suppressed, suppressed_at }))
}
