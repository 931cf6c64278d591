//! The joint action plan: measures with owner, deadline, progress and evidence; issues that meetings raised.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use jiff::civil::Date;
use qorgan_alerts::{
    plan::{Edit, Refusal, edit, is_late, report},
    store::{IssueState, Measure, MeasureState, PlanIssue},
};
use qorgan_domain::{AreaCode, Trilingual};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{Access::With, Route, requests::known_area, row};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    requests::{figures::today, intake},
    view::Names,
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(whole, one, add, change, progress, issues, add_issue, act_on_issue, export))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, write) = (With(Right::PlanRead), With(Right::PlanWrite));
    vec![
        row(Method::GET, "/api/v1/plan", read, get(whole)),
        row(Method::POST, "/api/v1/plan/measures", write, post(add)),
        row(Method::GET, "/api/v1/plan/measures/{id}", read, get(one)),
        row(Method::PUT, "/api/v1/plan/measures/{id}", write, put(change)),
        row(Method::POST, "/api/v1/plan/measures/{id}/progress", write, post(progress)),
        row(Method::GET, "/api/v1/plan/issues", read, get(issues)),
        row(Method::POST, "/api/v1/plan/issues", write, post(add_issue)),
        row(Method::POST, "/api/v1/plan/issues/{id}/actions", write, post(act_on_issue)),
        row(Method::GET, "/api/v1/plan/export.xlsx", read, get(export)),
    ]
}

/// A new measure.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MeasureBody {
    block: String,
    #[schema(value_type = Names)]
    title: Trilingual,
    owner: String,
    area: Option<String>,
    /// `2026-12-15`
    deadline: String,
    #[schema(value_type = Option<Names>)]
    expected: Option<Trilingual>,
    /// The issue it comes from.
    issue: Option<i64>,
}

/// A measure as an editor wants it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditBody {
    version: i64,
    #[schema(value_type = Names)]
    title: Trilingual,
    owner: String,
    area: Option<String>,
    deadline: String,
    #[schema(value_type = Option<Names>)]
    expected: Option<Trilingual>,
    #[schema(value_type = String)]
    state: MeasureState,
    reason: Option<String>,
}

/// Progress of a measure.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProgressBody {
    version: i64,
    /// Per cent.
    progress: u8,
    #[serde(default)]
    words: String,
    /// Where it can be seen: `https://...`.
    url: Option<String>,
}

/// Which issues.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct IssuesQuery {
    #[param(value_type = Option<String>)]
    state: Option<IssueState>,
}

/// Something that was raised in a meeting.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueBody {
    meeting: String,
    /// `2026-11-10`
    held_on: String,
    area: Option<String>,
    block: Option<String>,
    text: String,
}

/// The answer to an issue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueActBody {
    /// `take` or `decline`.
    action: String,
    /// A measure that takes it up.
    measure: Option<i64>,
    /// Or a new one.
    new: Option<MeasureBody>,
    /// Why it is not taken up.
    words: Option<String>,
}

/// Language of a file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct FileQuery {
    lang: Option<String>,
}

/// The plan by blocks.
#[utoipa::path(get, path = "/api/v1/plan", tag = "plan", responses((status = 200)))]
pub(super) async fn whole(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let (file, today, measures) = (&app.config.plan, today(&app), app.store.measures().await?);
    let block = |block: &crate::plan::Block| {
        let own: Vec<Value> = measures.iter().filter(|m| m.block == block.id).map(|m| measure_view(m, today)).collect();
        json!({ "id": block.id, "name": block.name, "measures": own })
    };
    let mut owners: Vec<&str> = measures.iter().map(|m| m.owner.as_str()).collect();
    owners.sort_unstable();
    owners.dedup();
    Ok(Json(json!({
        "title": file.title, "demo": measures.iter().any(|m| m.demo), "blocks": file.blocks.iter().map(block).collect::<Vec<_>>(),
        "figures": plan_figures(&measures, today), "owners": owners, "today": today.to_string(),
    })))
}

/// Counts of a plan; what was cancelled does not count.
pub(super) fn plan_figures(measures: &[Measure], today: Date) -> Value {
    let counted: Vec<&Measure> = measures.iter().filter(|m| m.state != MeasureState::Cancelled).collect();
    let progress = counted.iter().map(|m| m.progress).sum::<i64>() / i64::try_from(counted.len().max(1)).unwrap_or(1);
    json!({
        "measures": counted.len(), "done": counted.iter().filter(|m| m.state == MeasureState::Done).count(),
        "late": counted.iter().filter(|m| is_late(m, today)).count(), "progress_percent": progress,
    })
}

/// A measure as it is shown.
pub(super) fn measure_view(measure: &Measure, today: Date) -> Value {
    json!({
        "id": measure.id, "block": measure.block, "number": measure.number, "title": measure.title, "owner": measure.owner, "area": measure.area,
        "deadline": measure.deadline.to_string(), "progress": measure.progress, "state": measure.state, "late": is_late(measure, today),
        "evidence": measure.evidence, "expected": measure.expected, "issue": measure.issue, "version": measure.version,
        "updated_at": measure.updated_at, "updated_by": measure.updated_by, "demo": measure.demo,
    })
}

async fn with_history(app: &App, measure: &Measure) -> Result<Value, ApiError> {
    let mut view = measure_view(measure, today(app));
    let steps = app.store.measure_history(measure.id).await?;
    let steps: Vec<Value> =
        steps.iter().map(|s| json!({ "at": s.at, "by": s.by, "action": s.action, "changes": s.changes, "words": s.words })).collect();
    view["history"] = json!(steps);
    Ok(view)
}

/// A measure with its history.
#[utoipa::path(get, path = "/api/v1/plan/measures/{id}", tag = "plan", params(("id" = i64, Path)), responses((status = 200), (status = 404)))]
pub(super) async fn one(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Value>, ApiError> {
    Ok(Json(with_history(&app, &find(&app, id).await?).await?))
}

async fn find(app: &App, id: i64) -> Result<Measure, ApiError> {
    app.store.measure(id).await?.ok_or_else(|| ApiError::not_found("measure"))
}

/// Adds a measure.
#[utoipa::path(post, path = "/api/v1/plan/measures", tag = "plan", request_body = MeasureBody, responses((status = 201), (status = 404), (status = 422)))]
pub(super) async fn add(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<MeasureBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let measure = add_measure(&app, &session, body).await?;
    Ok((StatusCode::CREATED, Json(with_history(&app, &measure).await?)))
}

async fn add_measure(app: &App, session: &Session, body: MeasureBody) -> Result<Measure, ApiError> {
    let file = &app.config.plan;
    if !file.blocks.iter().any(|block| block.id == body.block) {
        return Err(ApiError::not_found("block"));
    }
    if let Some(id) = body.issue {
        open_issue(app, id).await?;
    }
    let measure = Measure {
        id: 0,
        number: file.next_number(&body.block, &app.store.measures().await?),
        block: body.block,
        title: titles(body.title)?,
        owner: line("owner", &body.owner, 200)?,
        area: known_area(app, body.area.as_deref())?,
        deadline: day("deadline", &body.deadline)?,
        progress: 0,
        state: MeasureState::Planned,
        evidence: Vec::new(),
        expected: body.expected.map(titles).transpose()?,
        issue: body.issue,
        version: 1,
        updated_at: app.clock.utc(),
        updated_by: session.user.to_string(),
        demo: false,
    };
    app.audit_by(session, "plan.add", &format!("plan/{}", measure.number), Some(&measure.title.ru)).await?;
    Ok(app.store.add_measure(measure, None).await?)
}

/// Changes a measure.
#[utoipa::path(put, path = "/api/v1/plan/measures/{id}", tag = "plan", params(("id" = i64, Path)), request_body = EditBody,
    responses((status = 200), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn change(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<EditBody>,
) -> Result<Json<Value>, ApiError> {
    let measure = find(&app, id).await?;
    if measure.version != body.version {
        return Err(changed());
    }
    let reason = body.reason.as_deref().map(str::trim).filter(|r| !r.is_empty()).map(|r| line("reason", r, 1_000)).transpose()?;
    let asked = Edit {
        title: titles(body.title)?,
        owner: line("owner", &body.owner, 200)?,
        area: known_area(&app, body.area.as_deref())?,
        deadline: day("deadline", &body.deadline)?,
        expected: body.expected.map(titles).transpose()?,
        state: body.state,
        reason: reason.clone(),
    };
    let (then, changes) = edit(&measure, &asked).map_err(refused)?;
    save(&app, &session, then, "change", &changes, reason.as_deref()).await
}

/// Reports progress of a measure.
#[utoipa::path(post, path = "/api/v1/plan/measures/{id}/progress", tag = "plan", params(("id" = i64, Path)), request_body = ProgressBody,
    responses((status = 200), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn progress(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<ProgressBody>,
) -> Result<Json<Value>, ApiError> {
    let measure = find(&app, id).await?;
    if measure.version != body.version {
        return Err(changed());
    }
    let words = if body.words.trim().is_empty() { String::new() } else { line("words", &body.words, 1_000)? };
    let url = body.url.as_deref().map(str::trim).filter(|url| !url.is_empty());
    if url.is_some_and(|url| url.len() > 500 || !url::Url::parse(url).is_ok_and(|url| url.scheme() == "https")) {
        return Err(ApiError::invalid("url is an address that begins with https://").with("field", "url"));
    }
    let (then, changes) = report(&measure, body.progress, &words, url, session.user.as_str(), app.clock.utc()).map_err(refused)?;
    let said = (!words.is_empty()).then_some(words);
    save(&app, &session, then, "progress", &changes, said.as_deref()).await
}

async fn save(
    app: &App,
    session: &Session,
    mut then: Measure,
    action: &str,
    changes: &[qorgan_alerts::store::MeasureChange],
    words: Option<&str>,
) -> Result<Json<Value>, ApiError> {
    (then.updated_at, then.updated_by) = (app.clock.utc(), session.user.to_string());
    let what: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
    app.audit_by(session, &format!("plan.{action}"), &format!("plan/{}", then.number), Some(&what.join(", "))).await?;
    if !app.store.save_measure(&then, action, changes, words).await? {
        return Err(changed());
    }
    Ok(Json(with_history(app, &then).await?))
}

/// Issues of meetings.
#[utoipa::path(get, path = "/api/v1/plan/issues", tag = "plan", params(IssuesQuery), responses((status = 200)))]
pub(super) async fn issues(State(app): State<App>, Query(query): Query<IssuesQuery>) -> Result<Json<Value>, ApiError> {
    let issues = app.store.plan_issues(query.state).await?;
    Ok(Json(json!({ "issues": issues.iter().map(issue_view).collect::<Vec<_>>() })))
}

fn issue_view(issue: &PlanIssue) -> Value {
    json!({
        "id": issue.id, "meeting": issue.meeting, "held_on": issue.held_on.to_string(), "area": issue.area, "block": issue.block, "text": issue.text,
        "state": issue.state, "measure": issue.measure, "answer": issue.answer, "created_at": issue.created_at, "created_by": issue.created_by,
        "changed_at": issue.changed_at, "changed_by": issue.changed_by, "demo": issue.demo,
    })
}

/// Enters an issue; personal data in it is masked.
#[utoipa::path(post, path = "/api/v1/plan/issues", tag = "plan", request_body = IssueBody, responses((status = 201), (status = 404), (status = 422)))]
pub(super) async fn add_issue(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<IssueBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let (text, masked) = intake::text("text", &body.text, 10, 2_000)?;
    let held_on = day("held_on", &body.held_on)?;
    if held_on > today(&app) {
        return Err(ApiError::invalid("held_on lies in the future").with("field", "held_on"));
    }
    if body.block.as_ref().is_some_and(|id| !app.config.plan.blocks.iter().any(|block| block.id == *id)) {
        return Err(ApiError::not_found("block"));
    }
    let issue = PlanIssue {
        id: 0,
        meeting: line("meeting", &body.meeting, 200)?,
        held_on,
        area: known_area(&app, body.area.as_deref())?,
        block: body.block,
        text,
        state: IssueState::Open,
        measure: None,
        answer: None,
        created_at: app.clock.utc(),
        created_by: session.user.to_string(),
        changed_at: None,
        changed_by: None,
        demo: false,
    };
    app.audit_by(&session, "plan.issue", &format!("plan/issue/{held_on}"), Some(&issue.meeting)).await?;
    let mut view = issue_view(&app.store.add_plan_issue(issue).await?);
    view["masked"] = json!(masked);
    Ok((StatusCode::CREATED, Json(view)))
}

async fn open_issue(app: &App, id: i64) -> Result<PlanIssue, ApiError> {
    let issue = app.store.plan_issue(id).await?.ok_or_else(|| ApiError::not_found("issue"))?;
    if issue.state == IssueState::Open {
        return Ok(issue);
    }
    Err(ApiError::new(StatusCode::CONFLICT, "not_now", "The issue has been answered."))
}

/// Takes an issue up with a measure, or declines it.
#[utoipa::path(post, path = "/api/v1/plan/issues/{id}/actions", tag = "plan", params(("id" = i64, Path)), request_body = IssueActBody,
    responses((status = 200), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn act_on_issue(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<IssueActBody>,
) -> Result<Json<Value>, ApiError> {
    let mut issue = open_issue(&app, id).await?;
    (issue.changed_at, issue.changed_by) = (Some(app.clock.utc()), Some(session.user.to_string()));
    match (body.action.as_str(), body.measure, body.new) {
        // Adding the measure takes the issue in the same transaction.
        ("take", None, Some(new)) => {
            add_measure(&app, &session, MeasureBody { issue: Some(id), ..new }).await?;
            let issue = app.store.plan_issue(id).await?.ok_or_else(|| ApiError::not_found("issue"))?;
            return Ok(Json(issue_view(&issue)));
        }
        ("take", Some(measure), None) => (issue.state, issue.measure) = (IssueState::Taken, Some(find(&app, measure).await?.id)),
        ("decline", None, None) => {
            let words = line("words", body.words.as_deref().unwrap_or_default(), 1_000)?;
            (issue.state, issue.answer) = (IssueState::Declined, Some(words));
        }
        _ => return Err(ApiError::invalid("take with measure or new, or decline with words").with("field", "action")),
    }
    app.audit_by(&session, "plan.issue_answer", &format!("plan/issue/{id}"), Some(issue.state.as_str())).await?;
    if !app.store.answer_plan_issue(&issue).await? {
        return Err(changed());
    }
    Ok(Json(issue_view(&issue)))
}

/// The plan as a workbook.
#[utoipa::path(get, path = "/api/v1/plan/export.xlsx", tag = "plan", params(FileQuery),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
pub(super) async fn export(State(app): State<App>, Query(query): Query<FileQuery>) -> Result<Response, ApiError> {
    let language = query.lang.unwrap_or_else(|| app.config.hub.language.clone());
    let (measures, areas, today) = (app.store.measures().await?, app.areas(), today(&app));
    let name = |code: &AreaCode| areas.iter().find(|a| a.code == *code).map(|a| a.name.clone());
    workbook(crate::report::sheets::plan(&app.config.plan, &measures, name, today, &language), &format!("plan-{today}.xlsx"))
}

/// A workbook as an answer.
pub(super) fn workbook(book: Result<Vec<u8>, rust_xlsxwriter::XlsxError>, name: &str) -> Result<Response, ApiError> {
    let bytes = book.map_err(|error| {
        tracing::error!(%error, name, "a workbook could not be written");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The workbook could not be written.")
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, bytes).into_response())
}

fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::Over => ApiError::new(StatusCode::CONFLICT, "not_now", refusal.to_string()),
        _ => ApiError::invalid(refusal.to_string()),
    }
}

pub(super) fn changed() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "changed", "Somebody else changed it meanwhile. Load it again.")
}

/// A day, between 2000 and 2100.
pub(super) fn day(field: &'static str, text: &str) -> Result<Date, ApiError> {
    let date = text.parse::<Date>().ok().filter(|date| (2000..=2100).contains(&date.year()));
    date.ok_or_else(|| ApiError::invalid(format!("{field} is a day such as 2026-12-15")).with("field", field))
}

/// A cleaned and masked text of 1 to so many characters.
pub(super) fn line(field: &'static str, text: &str, most: usize) -> Result<String, ApiError> {
    Ok(intake::text(field, text, 1, most)?.0)
}

/// A name in three languages; one that is missing is that of another language.
fn titles(title: Trilingual) -> Result<Trilingual, ApiError> {
    let any = [&title.kk, &title.ru, &title.en].into_iter().find(|t| !t.trim().is_empty()).cloned().unwrap_or_default();
    let own = |text: String| line("title", if text.trim().is_empty() { &any } else { &text }, 400);
    Ok(Trilingual { kk: own(title.kk)?, ru: own(title.ru)?, en: own(title.en)? })
}
