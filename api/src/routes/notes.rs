//! Analytic notes: finding, evidence, recommendation, addressee, deadline, answer. A note that was sent keeps its words.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{Method, StatusCode},
    routing::{get, post, put},
};
use qorgan_alerts::store::{AnalyticNote, NoteState};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    Access::With,
    Route,
    plan::{changed, day, line},
    requests::known_area,
    row,
};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    requests::figures::today,
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, add, one, change, act))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, write) = (With(Right::NotesRead), With(Right::NotesWrite));
    vec![
        row(Method::GET, "/api/v1/notes", read, get(list)),
        row(Method::POST, "/api/v1/notes", write, post(add)),
        row(Method::GET, "/api/v1/notes/{id}", read, get(one)),
        row(Method::PUT, "/api/v1/notes/{id}", write, put(change)),
        row(Method::POST, "/api/v1/notes/{id}/actions", write, post(act)),
    ]
}

/// Which notes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    area: Option<String>,
    #[param(value_type = Option<String>)]
    state: Option<NoteState>,
}

/// A note as its author wants it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteBody {
    /// Version that was seen; with a change only.
    version: Option<i64>,
    title: String,
    area: Option<String>,
    finding: String,
    evidence: String,
    recommendation: String,
    /// An office.
    addressee: String,
    deadline: String,
}

/// What happens to a note.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActBody {
    version: i64,
    /// `send` or `answer`.
    action: String,
    /// The answer.
    words: Option<String>,
    /// The office that answered.
    from: Option<String>,
}

/// Notes, newest first.
#[utoipa::path(get, path = "/api/v1/notes", tag = "notes", params(ListQuery), responses((status = 200)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, ApiError> {
    let area = known_area(&app, query.area.as_deref())?;
    let notes = app.store.notes(area.as_ref(), query.state).await?;
    Ok(Json(json!({ "notes": notes.iter().filter(|n| may_see(&session, n)).map(|n| note_view(&app, n)).collect::<Vec<_>>() })))
}

/// Drafts are for those who write them.
fn may_see(session: &Session, note: &AnalyticNote) -> bool {
    note.state != NoteState::Draft || Right::NotesWrite.roles().contains(&session.role)
}

/// A note as it is shown.
pub(super) fn note_view(app: &App, note: &AnalyticNote) -> Value {
    json!({
        "id": note.id, "title": note.title, "area": note.area, "finding": note.finding, "evidence": note.evidence,
        "recommendation": note.recommendation, "addressee": note.addressee, "deadline": note.deadline.to_string(), "state": note.state,
        "late": note.state == NoteState::Sent && note.deadline < today(app), "answer": note.answer, "answered_at": note.answered_at,
        "answer_by": note.answer_by, "version": note.version, "created_at": note.created_at, "created_by": note.created_by,
        "sent_at": note.sent_at, "demo": note.demo,
    })
}

async fn find(app: &App, id: i64) -> Result<AnalyticNote, ApiError> {
    app.store.note(id).await?.ok_or_else(|| ApiError::not_found("note"))
}

/// One note.
#[utoipa::path(get, path = "/api/v1/notes/{id}", tag = "notes", params(("id" = i64, Path)), responses((status = 200), (status = 404)))]
pub(super) async fn one(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
) -> Result<Json<Value>, ApiError> {
    let note = find(&app, id).await?;
    if !may_see(&session, &note) {
        return Err(ApiError::not_found("note"));
    }
    Ok(Json(note_view(&app, &note)))
}

fn written(app: &App, body: &NoteBody, note: AnalyticNote) -> Result<AnalyticNote, ApiError> {
    Ok(AnalyticNote {
        title: line("title", &body.title, 200)?,
        area: known_area(app, body.area.as_deref())?,
        finding: line("finding", &body.finding, 4_000)?,
        evidence: line("evidence", &body.evidence, 4_000)?,
        recommendation: line("recommendation", &body.recommendation, 4_000)?,
        addressee: line("addressee", &body.addressee, 200)?,
        deadline: day("deadline", &body.deadline)?,
        ..note
    })
}

/// Begins a note.
#[utoipa::path(post, path = "/api/v1/notes", tag = "notes", request_body = NoteBody, responses((status = 201), (status = 422)))]
pub(super) async fn add(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<NoteBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let empty = AnalyticNote {
        id: 0,
        title: String::new(),
        area: None,
        finding: String::new(),
        evidence: String::new(),
        recommendation: String::new(),
        addressee: String::new(),
        deadline: today(&app),
        state: NoteState::Draft,
        answer: None,
        answered_at: None,
        answer_by: None,
        version: 1,
        created_at: app.clock.utc(),
        created_by: session.user.to_string(),
        sent_at: None,
        demo: false,
    };
    let note = written(&app, &body, empty)?;
    app.audit_by(&session, "note.add", "note", Some(&note.title)).await?;
    let note = app.store.add_note(note).await?;
    Ok((StatusCode::CREATED, Json(note_view(&app, &note))))
}

/// Changes a draft.
#[utoipa::path(put, path = "/api/v1/notes/{id}", tag = "notes", params(("id" = i64, Path)), request_body = NoteBody,
    responses((status = 200), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn change(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<NoteBody>,
) -> Result<Json<Value>, ApiError> {
    let note = find(&app, id).await?;
    if note.state != NoteState::Draft {
        return Err(ApiError::new(StatusCode::CONFLICT, "not_now", "A note that was sent keeps its words."));
    }
    if body.version != Some(note.version) {
        return Err(changed());
    }
    let note = written(&app, &body, note)?;
    save(&app, &session, note, "change").await
}

/// Sends a note, or records its answer.
#[utoipa::path(post, path = "/api/v1/notes/{id}/actions", tag = "notes", params(("id" = i64, Path)), request_body = ActBody,
    responses((status = 200), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn act(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<ActBody>,
) -> Result<Json<Value>, ApiError> {
    let mut note = find(&app, id).await?;
    if body.version != note.version {
        return Err(changed());
    }
    let now = app.clock.utc();
    match (body.action.as_str(), note.state) {
        ("send", NoteState::Draft) => (note.state, note.sent_at) = (NoteState::Sent, Some(now)),
        ("answer", NoteState::Sent) => {
            note.answer = Some(line("words", body.words.as_deref().unwrap_or_default(), 4_000)?);
            note.answer_by = Some(line("from", body.from.as_deref().unwrap_or_default(), 200)?);
            (note.state, note.answered_at) = (NoteState::Answered, Some(now));
        }
        ("send" | "answer", _) => return Err(ApiError::new(StatusCode::CONFLICT, "not_now", "Not in this state of the note.")),
        _ => return Err(ApiError::invalid("action is send or answer").with("field", "action")),
    }
    save(&app, &session, note, &body.action).await
}

async fn save(app: &App, session: &Session, mut note: AnalyticNote, action: &str) -> Result<Json<Value>, ApiError> {
    note.version += 1;
    app.audit_by(session, &format!("note.{action}"), &format!("note/{}", note.id), Some(&note.title)).await?;
    if !app.store.save_note(&note).await? {
        return Err(changed());
    }
    Ok(Json(note_view(app, &note)))
}
