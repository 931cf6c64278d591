//! The desk of residents' requests: search, one request with its history, acts, duplicates, contact; figures, map, problem signals.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use qorgan_alerts::{
    requests::{Action, By, Reference, Refusal, Standing, State as Stands},
    store::{Channel, Overdue, Request, RequestAct, RequestCursor, RequestFilter, RequestSignal, RequestStep, SignalState},
};
use qorgan_domain::{AreaCode, UtcMs};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    Access::With,
    Route,
    resident::{HeatQuery, category_view, known_category, receipt, span, words_to_resident},
    row,
};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    requests::{
        day_text,
        figures::{Figures, Heat, Telling, begins, figures, heat, today},
        intake::{self, Contact, Submission, bound_to},
        words,
    },
};

/// Hours within which two requests may be about the same thing.
const SAME_HOURS: i64 = 72;
/// And metres.
const SAME_M: f64 = 150.0;
/// Fewest characters of a purpose.
const PURPOSE: usize = 10;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(settings, search, add, one, act, contact, duplicates, shares, heat_map, signals, signal_act, export))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, work, count) = (With(Right::RequestsRead), With(Right::RequestsWork), With(Right::RequestsFigures));
    vec![
        row(Method::GET, "/api/v1/requests", read, get(search)),
        row(Method::POST, "/api/v1/requests", work, post(add)),
        row(Method::GET, "/api/v1/requests/settings", count, get(settings)),
        row(Method::GET, "/api/v1/requests/duplicates", read, get(duplicates)),
        row(Method::GET, "/api/v1/requests/figures", count, get(shares)),
        row(Method::GET, "/api/v1/requests/heat", count, get(heat_map)),
        row(Method::GET, "/api/v1/requests/signals", count, get(signals)),
        row(Method::POST, "/api/v1/requests/signals/{id}/actions", work, post(signal_act)),
        row(Method::GET, "/api/v1/requests/export.xlsx", count, get(export)),
        row(Method::GET, "/api/v1/requests/{id}", read, get(one)),
        row(Method::POST, "/api/v1/requests/{id}/actions", work, post(act)),
        row(Method::POST, "/api/v1/requests/{id}/contact", work, post(contact)),
    ]
}

/// What is looked for.
#[derive(Deserialize, IntoParams, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchQuery {
    /// Every word of it, in any form.
    text: Option<String>,
    /// A reference number; nothing else counts then.
    reference: Option<String>,
    category: Option<String>,
    area: Option<String>,
    service: Option<String>,
    state: Option<String>,
    channel: Option<String>,
    /// First day.
    from: Option<String>,
    /// Last day.
    to: Option<String>,
    /// `answer`, `work` or `any`.
    overdue: Option<String>,
    /// A deadline runs.
    open: Option<bool>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200.
    limit: Option<u32>,
}

/// A request that an operator writes down.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddBody {
    /// Makes the same submission the same request.
    idempotency_key: Option<String>,
    category: String,
    text: String,
    /// `[lat, lon]`
    position: [f64; 2],
    place: Option<String>,
    language: String,
    contact: Option<Contact>,
    #[serde(default)]
    attributes: std::collections::BTreeMap<String, String>,
    /// `desk`
    channel: Option<String>,
}

/// An act of the desk.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActBody {
    /// Version that was seen.
    version: i64,
    /// `answer`, `start`, `done`, `confirm`, `not_fixed`, `close`, `decline`, `postpone`, `assign`, `merge`, `split` or `note`.
    action: String,
    /// To the resident; with `note` to colleagues.
    words: Option<String>,
    /// Promised date.
    promised_at: Option<String>,
    /// Why.
    reason: Option<String>,
    /// Service it goes to.
    service: Option<String>,
    /// Category it goes to.
    category: Option<String>,
    /// Number or reference of the request that it follows.
    #[schema(value_type = Option<String>)]
    into: Option<Value>,
}

/// Why a contact is opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PurposeBody {
    /// At least ten characters.
    #[serde(default)]
    purpose: String,
}

/// How many.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitQuery {
    limit: Option<u32>,
}

/// Which figures.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct FiguresQuery {
    /// `2026`, `2026-Q4` or `2026-11`; this month when absent.
    period: Option<String>,
    /// KATO code.
    area: Option<String>,
    /// Language of a file.
    lang: Option<String>,
}

/// Which signals.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalsQuery {
    /// `open`, `accepted` or `closed`.
    #[param(value_type = Option<String>)]
    state: Option<SignalState>,
}

/// An answer to a signal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalBody {
    /// `accept` or `close`.
    action: String,
    /// What the service does about it.
    words: String,
}

/// Categories, services, states, districts.
#[utoipa::path(get, path = "/api/v1/requests/settings", tag = "requests", responses((status = 200)))]
pub(super) async fn settings(State(app): State<App>) -> Json<Value> {
    let settings = &app.requests.settings;
    let named = |all: &[crate::requests::settings::Named]| all.iter().map(|n| json!({ "id": n.id, "name": n.name })).collect::<Vec<_>>();
    let states: Vec<Value> = Stands::ALL.into_iter().map(|s| json!({ "id": s, "name": words::state_name(s) })).collect();
    let areas: Vec<Value> = app.areas().iter().map(|area| json!({ "kato": area.code, "name": area.name })).collect();
    Json(json!({
        "categories": settings.categories.iter().map(|c| category_view(&app, c)).collect::<Vec<_>>(),
        "services": named(&settings.services), "groups": named(&settings.groups), "states": states, "areas": areas,
        "judge_days": settings.judge_days, "today": today(&app).to_string(),
        "published": { "cell_m": qorgan_alerts::requests::place::CELL_M, "round_to": qorgan_alerts::requests::publish::STEP },
        "languages": ["kk", "ru", "en"],
    }))
}

/// A page of requests: newest first, or nearest deadline first when open or overdue ones are asked for.
#[utoipa::path(get, path = "/api/v1/requests", tag = "requests", params(SearchQuery), responses((status = 200), (status = 422)))]
pub(super) async fn search(State(app): State<App>, Query(query): Query<SearchQuery>) -> Result<Json<Value>, ApiError> {
    let (began, now) = (app.clock.instant(), app.clock.utc());
    let mut next = None;
    let requests = match query.reference.as_deref().map(str::trim).filter(|r| !r.is_empty()) {
        Some(reference) => {
            let bad = |e: qorgan_alerts::requests::ReferenceError| {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_reference", e.to_string())
            };
            let reference: Reference = reference.parse().map_err(bad)?;
            app.store.request_by_reference(&reference).await?.into_iter().collect()
        }
        None => {
            let filter = filter(&app, &query)?;
            let mut found = app.store.search_requests(&RequestFilter { limit: filter.limit + 1, ..filter.clone() }, now).await?;
            if found.len() > filter.limit as usize {
                found.truncate(filter.limit as usize);
                next = found.last().map(|last| cursor(last, filter.by_deadline()));
            }
            found
        }
    };
    let load = app.store.request_load(None, now).await?;
    let (open, overdue) = load.values().fold((0, 0), |sum, load| (sum.0 + load.open, sum.1 + load.overdue));
    let mut rows = Vec::with_capacity(requests.len());
    for request in &requests {
        rows.push(row_view(&app, request, now).await?);
    }
    Ok(Json(json!({
        "requests": rows, "next": next, "now": now, "took_ms": began.elapsed().as_millis(), "open_total": open, "overdue_total": overdue,
    })))
}

fn filter(app: &App, query: &SearchQuery) -> Result<RequestFilter, ApiError> {
    let text = |value: &Option<String>| value.as_ref().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
    let invalid = |field: &str, what: &str| ApiError::invalid(format!("{field} {what}")).with("field", field);
    let day = |field: &str, value: &Option<String>| match text(value) {
        Some(value) => value.parse::<jiff::civil::Date>().map(Some).map_err(|_| invalid(field, "is a day such as 2026-11-22")),
        None => Ok(None),
    };
    let state = |value: &str| Stands::ALL.into_iter().find(|s| s.as_str() == value).ok_or_else(|| invalid("state", "is none"));
    let channel = |value: &str| Channel::ALL.into_iter().find(|c| c.as_str() == value).ok_or_else(|| invalid("channel", "is none"));
    let overdue = match text(&query.overdue).as_deref() {
        None => None,
        Some("answer") => Some(Overdue::Answer),
        Some("work") => Some(Overdue::Work),
        Some("any") => Some(Overdue::Any),
        Some(_) => return Err(invalid("overdue", "is answer, work or any")),
    };
    let (from, to) = (day("from", &query.from)?, day("to", &query.to)?);
    let filter = RequestFilter {
        text: text(&query.text).map(|t| t.chars().take(200).collect()),
        categories: text(&query.category).into_iter().collect(),
        area: text(&query.area).map(|a| a.parse()).transpose().map_err(|_| invalid("area", "is a KATO code"))?,
        service: text(&query.service),
        states: text(&query.state).as_deref().map(state).transpose()?.into_iter().collect(),
        channel: text(&query.channel).as_deref().map(channel).transpose()?,
        from: from.map(|day| begins(app, day)),
        to: to.and_then(|day| day.tomorrow().ok()).map(|day| begins(app, day)),
        overdue,
        open: query.open.unwrap_or(false),
        after: None,
        limit: query.limit.unwrap_or(50).clamp(1, 200),
    };
    let after =
        text(&query.after).map(|after| read_cursor(&after, filter.by_deadline()).ok_or_else(|| invalid("after", "is none of this search")));
    Ok(RequestFilter { after: after.transpose()?, ..filter })
}

fn cursor(last: &Request, by_deadline: bool) -> String {
    match (by_deadline, last.standing.due_at) {
        (true, Some(due)) => format!("{}.{}", due.0, last.id),
        _ => last.id.to_string(),
    }
}

fn read_cursor(text: &str, by_deadline: bool) -> Option<RequestCursor> {
    match (by_deadline, text.split_once('.')) {
        (true, Some((due, id))) => Some(RequestCursor::Due(UtcMs(due.parse().ok()?), id.parse().ok()?)),
        (false, None) => Some(RequestCursor::Id(text.parse().ok()?)),
        _ => None,
    }
}

/// Takes a request in at the desk.
#[utoipa::path(post, path = "/api/v1/requests", tag = "requests", request_body = AddBody,
    responses((status = 201), (status = 200, description = "it had come before"), (status = 409), (status = 422)))]
pub(super) async fn add(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<AddBody>,
) -> Result<Response, ApiError> {
    if body.channel.as_deref().is_some_and(|channel| channel != "desk") {
        return Err(ApiError::invalid("channel is desk").with("field", "channel"));
    }
    let submission = Submission {
        category: body.category,
        text: body.text,
        position: body.position,
        place: body.place,
        language: body.language,
        contact: body.contact,
        attributes: body.attributes.into_iter().collect(),
        key: body.idempotency_key,
        channel: Channel::Desk,
        by: Some((session.user.to_string(), session.role.as_str().into())),
    };
    let taken = intake::take(&app, submission).await?;
    if !taken.replayed {
        app.audit_by(&session, "request.add", &format!("request/{}", taken.request.id), None).await?;
    }
    receipt(&app, taken).await
}

/// One request with its history.
#[utoipa::path(get, path = "/api/v1/requests/{id}", tag = "requests", params(("id" = i64, Path)), responses((status = 200), (status = 404)))]
pub(super) async fn one(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Value>, ApiError> {
    let request = app.store.request(id).await?.ok_or_else(|| ApiError::not_found("request"))?;
    Ok(Json(full_view(&app, &request).await?))
}

/// Does something about a request.
#[utoipa::path(post, path = "/api/v1/requests/{id}/actions", tag = "requests", params(("id" = i64, Path)), request_body = ActBody,
    responses((status = 200), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn act(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<ActBody>,
) -> Result<Json<Value>, ApiError> {
    let request = app.store.request(id).await?.ok_or_else(|| ApiError::not_found("request"))?;
    if request.standing.version != body.version {
        return Err(changed());
    }
    let (action, words) = read_action(&app, &request, &body).await?;
    let by = (session.user.as_str(), Some(session.role.as_str()));
    // Judged first, so that the log holds no decision that was refused; written down before it is done.
    then(&app, &request, &action, By::Operator)?;
    app.audit_by(&session, &format!("request.{}", action.name()), &format!("request/{id}"), body.reason.as_deref()).await?;
    let request = apply(&app, &request, &action, By::Operator, by, words.as_deref()).await?;
    Ok(Json(full_view(&app, &request).await?))
}

async fn read_action(app: &App, request: &Request, body: &ActBody) -> Result<(Action, Option<String>), ApiError> {
    let invalid = |field: &str, what: &str| ApiError::invalid(format!("{field} {what}")).with("field", field);
    let words = words_to_resident("words", body.words.as_deref().unwrap_or_default())?;
    let reason = body.reason.as_deref().map(|r| words_to_resident("reason", r)).transpose()?;
    let promised = match body.promised_at.as_deref().filter(|at| !at.is_empty()) {
        Some(at) => Some(at.parse::<UtcMs>().map_err(|_| invalid("promised_at", "is no RFC 3339 time"))?),
        None => None,
    };
    let kept = |words: &str| (!words.is_empty()).then(|| words.to_owned());
    let because = reason.clone().unwrap_or_default();
    Ok(match body.action.as_str() {
        "answer" => {
            let said = match &reason {
                Some(reason) if !reason.is_empty() => format!("{words}\n\n{reason}"),
                _ => words.clone(),
            };
            (Action::Answer { words, promised_at: promised, reason }, kept(&said))
        }
        "start" => (Action::Start, kept(&words)),
        "done" => (Action::Done { words: words.clone() }, kept(&words)),
        "confirm" => (Action::Confirm, kept(&words)),
        "not_fixed" => (Action::NotFixed, kept(&words)),
        "close" => (Action::Close, kept(&words)),
        "decline" => (Action::Decline { words: words.clone() }, kept(&words)),
        "postpone" => {
            let promised_at = promised.ok_or_else(|| invalid("promised_at", "is needed"))?;
            (Action::Postpone { promised_at, reason: because.clone() }, kept(&because))
        }
        "assign" => {
            let category = known_category(app, body.category.clone())?;
            let usual = category.as_deref().and_then(|id| app.requests.settings.category(id)).map(|c| c.service.clone());
            let service = body.service.clone().or(usual).ok_or_else(|| invalid("service", "is needed"))?;
            if app.requests.settings.service(&service).is_none() {
                return Err(invalid("service", "is none"));
            }
            (Action::Assign { service, category }, kept(&words).or(kept(&because)))
        }
        "merge" => {
            let into = target(app, request, body.into.as_ref()).await?;
            (Action::Merge { into: into.id }, Some(into.reference.to_string()))
        }
        "split" => (Action::Split { reason: because.clone() }, kept(&because)),
        "note" => (Action::Note { words: words.clone() }, kept(&words)),
        _ => return Err(invalid("action", "is none")),
    })
}

/// The request that another is to follow: one that follows nothing itself and is not over.
async fn target(app: &App, request: &Request, into: Option<&Value>) -> Result<Request, ApiError> {
    let missing = || ApiError::not_found("request to follow");
    let found = match into {
        Some(Value::Number(id)) => app.store.request(id.as_i64().ok_or_else(missing)?).await?,
        Some(Value::String(text)) => match text.parse::<Reference>() {
            Ok(reference) => app.store.request_by_reference(&reference).await?,
            Err(_) => app.store.request(text.trim().parse().map_err(|_| missing())?).await?,
        },
        _ => None,
    };
    let found = found.ok_or_else(missing)?;
    if found.id == request.id {
        return Err(refused(&Refusal::Itself));
    }
    if !(found.standing.state.is_open() || found.standing.state == Stands::Done) {
        return Err(refused(&Refusal::NotNow { action: "merge", state: found.standing.state }));
    }
    Ok(found)
}

/// What stands after an act.
fn then(app: &App, request: &Request, action: &Action, by: By) -> Result<Standing, ApiError> {
    let settings = &app.requests.settings;
    let category = match action {
        Action::Assign { category: Some(category), .. } => category,
        _ => &request.standing.category,
    };
    // A category that was taken out of the configuration leaves requests behind: the first one's terms serve them.
    let category = settings.category(category).or(settings.categories.first()).ok_or_else(|| ApiError::not_found("category"))?;
    let terms = settings.terms(category);
    request.standing.act(action, by, &terms, &app.requests.calendar, app.clock.utc()).map_err(|refusal| refused(&refusal))
}

fn refused(refusal: &Refusal) -> ApiError {
    let (status, code) = match refusal {
        Refusal::NotNow { .. } | Refusal::TooLate(_) | Refusal::TooEarly(_) | Refusal::NotYours(_) => (StatusCode::CONFLICT, "not_now"),
        Refusal::Words(_) | Refusal::Reason(_) | Refusal::Date | Refusal::Itself => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
    };
    ApiError::new(status, code, refusal.to_string())
}

fn changed() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "changed", "Somebody else changed it meanwhile. Load it again.")
}

/// Judges an act and writes it down; the request as it stands then.
pub(super) async fn apply(
    app: &App,
    request: &Request,
    action: &Action,
    by: By,
    (who, role): (&str, Option<&str>),
    words: Option<&str>,
) -> Result<Request, ApiError> {
    let then = then(app, request, action, by)?;
    let day = app.requests.day_number(request.received_at);
    let act = RequestAct { before: request, then: &then, who, role, action: action.name(), words, now: app.clock.utc(), day };
    if !app.store.act_on_request(&act).await? {
        return Err(changed());
    }
    app.store.request(request.id).await?.ok_or_else(|| ApiError::not_found("request"))
}

/// Opens the contact of a request, for a purpose that is written down.
#[utoipa::path(post, path = "/api/v1/requests/{id}/contact", tag = "requests", params(("id" = i64, Path)), request_body = PurposeBody,
    responses((status = 200), (status = 403), (status = 404)))]
pub(super) async fn contact(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<PurposeBody>,
) -> Result<Response, ApiError> {
    let purpose: String = body.purpose.trim().chars().take(500).collect();
    if purpose.chars().count() < PURPOSE {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "purpose_required",
            "Say in at least ten characters what the contact is opened for.",
        ));
    }
    let missing = || ApiError::not_found("contact");
    let request = app.store.request(id).await?.ok_or_else(missing)?;
    let (sealed, expires_at) = app.store.request_contact(id, app.clock.utc()).await?.ok_or_else(missing)?;
    app.audit_by(&session, "request.contact", &format!("request/{id}"), Some(&purpose)).await?;
    let opened = app.seal.open_secret(&bound_to(&request.reference), &sealed);
    let contact: Contact = opened.and_then(|json| serde_json::from_slice(&json).ok()).ok_or_else(|| {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The contact was sealed with another key and cannot be opened.")
    })?;
    let body = json!({ "name": contact.name, "phone": contact.phone, "email": contact.email, "expires_at": expires_at });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// Pairs of new requests that may be about the same thing.
#[utoipa::path(get, path = "/api/v1/requests/duplicates", tag = "requests", params(LimitQuery), responses((status = 200)))]
pub(super) async fn duplicates(State(app): State<App>, Query(query): Query<LimitQuery>) -> Result<Json<Value>, ApiError> {
    let (now, most) = (app.clock.utc(), query.limit.unwrap_or(50).clamp(1, 200) as usize);
    let fresh = RequestFilter {
        states: vec![Stands::Received],
        from: Some(UtcMs(now.0 - SAME_HOURS * 3_600_000)),
        limit: 200,
        ..RequestFilter::default()
    };
    let mut pairs = Vec::new();
    for request in app.store.search_requests(&fresh, now).await? {
        // The nearest older one alone: a chain of ten alike is nine proposals, not forty-five.
        if let Some((other, metres, hours)) = alike(&app, &request).await?.into_iter().find(|(other, ..)| other.id < request.id) {
            let (a, b) = (row_view(&app, &other, now).await?, row_view(&app, &request, now).await?);
            pairs.push(json!({ "a": a, "b": b, "distance_m": metres.round(), "hours_apart": hours }));
        }
        if pairs.len() >= most {
            break;
        }
    }
    Ok(Json(json!({ "pairs": pairs })))
}

/// Open requests of the same category near in place and time, nearest first: request, metres, hours apart.
async fn alike(app: &App, request: &Request) -> Result<Vec<(Request, f64, i64)>, ApiError> {
    let since = UtcMs(request.received_at.0 - SAME_HOURS * 3_600_000);
    let near = app.store.requests_near(request.position, &request.standing.category, since).await?;
    let mut found: Vec<(Request, f64, i64)> = near
        .into_iter()
        .filter(|other| other.id != request.id && other.standing.state.is_open())
        .map(|other| {
            let metres = other.position.distance_m(request.position);
            let hours = other.received_at.ms_since(request.received_at).abs() / 3_600_000;
            (other, metres, hours)
        })
        .filter(|(_, metres, hours)| *metres <= SAME_M && *hours <= SAME_HOURS)
        .collect();
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    Ok(found)
}

/// Shares, services and months of a period.
#[utoipa::path(get, path = "/api/v1/requests/figures", tag = "requests", params(FiguresQuery), responses((status = 200, body = Figures), (status = 422)))]
pub(super) async fn shares(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<FiguresQuery>,
) -> Result<Json<Figures>, ApiError> {
    let span = span(&app, query.period.as_deref())?;
    let area = known_area(&app, query.area.as_deref())?;
    Ok(Json(figures(&app, &span, area.as_ref(), telling(&session)).await?))
}

/// Who may read every request is told exact counts.
fn telling(session: &Session) -> Telling {
    if Right::RequestsRead.roles().contains(&session.role) { Telling::Exact } else { Telling::Rounded }
}

/// A district of the outlines; none when none is asked for.
pub(super) fn known_area(app: &App, area: Option<&str>) -> Result<Option<AreaCode>, ApiError> {
    let Some(area) = area.filter(|area| !area.is_empty()) else { return Ok(None) };
    let code: AreaCode = area.parse().map_err(|e: qorgan_domain::id::IdError| ApiError::invalid(e.to_string()).with("field", "area"))?;
    if app.areas().contains_code(&code) { Ok(Some(code)) } else { Err(ApiError::not_found("area")) }
}

/// Requests by district, rounded.
#[utoipa::path(get, path = "/api/v1/requests/heat", tag = "requests", params(HeatQuery), responses((status = 200, body = Heat), (status = 422)))]
pub(super) async fn heat_map(State(app): State<App>, Query(query): Query<HeatQuery>) -> Result<Json<Heat>, ApiError> {
    let span = span(&app, query.period.as_deref())?;
    let category = known_category(&app, query.category)?;
    Ok(Json(heat(&app, &span, category.as_deref()).await?))
}

/// Problem signals to the services.
#[utoipa::path(get, path = "/api/v1/requests/signals", tag = "requests", params(SignalsQuery), responses((status = 200)))]
pub(super) async fn signals(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<SignalsQuery>,
) -> Result<Json<Value>, ApiError> {
    let signals = app.store.request_signals(query.state, 200).await?;
    let telling = telling(&session);
    Ok(Json(json!({ "signals": signals.iter().map(|s| signal_view(s, telling)).collect::<Vec<_>>() })))
}

/// Takes a problem signal up, or ends it.
#[utoipa::path(post, path = "/api/v1/requests/signals/{id}/actions", tag = "requests", params(("id" = i64, Path)), request_body = SignalBody,
    responses((status = 200), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn signal_act(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<SignalBody>,
) -> Result<Json<Value>, ApiError> {
    let mut signal = app.store.request_signal(id).await?.ok_or_else(|| ApiError::not_found("signal"))?;
    let from = signal.state;
    let to = match (body.action.as_str(), from) {
        ("accept", SignalState::Open) => SignalState::Accepted,
        ("close", SignalState::Open | SignalState::Accepted) => SignalState::Closed,
        ("accept" | "close", _) => return Err(ApiError::new(StatusCode::CONFLICT, "not_now", "The signal has been dealt with.")),
        _ => return Err(ApiError::invalid("action is accept or close").with("field", "action")),
    };
    let (words, _) = intake::text("words", &body.words, 1, 1_000)?;
    app.audit_by(&session, &format!("request_signal.{}", body.action), &format!("request-signal/{id}"), Some(&words)).await?;
    (signal.state, signal.words) = (to, Some(words));
    (signal.who, signal.changed_at) = (Some(session.user.to_string()), Some(app.clock.utc()));
    if !app.store.move_request_signal(&signal, from).await? {
        return Err(changed());
    }
    Ok(Json(signal_view(&signal, telling(&session))))
}

fn signal_view(signal: &RequestSignal, telling: Telling) -> Value {
    json!({
        "id": signal.id, "category": signal.category, "area": signal.area, "service": signal.service, "day": day_text(signal.day),
        "count": telling.count(signal.count), "expected": signal.expected, "threshold": signal.threshold, "formula": signal.formula,
        "raised_at": signal.raised_at, "state": signal.state, "words": signal.words, "by": signal.who, "changed_at": signal.changed_at,
        "demo": signal.demo,
    })
}

/// Shares, services, months and districts as a workbook.
#[utoipa::path(get, path = "/api/v1/requests/export.xlsx", tag = "requests", params(FiguresQuery),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (status = 422)))]
pub(super) async fn export(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<FiguresQuery>,
) -> Result<Response, ApiError> {
    let span = span(&app, query.period.as_deref())?;
    let area = known_area(&app, query.area.as_deref())?;
    let figures = figures(&app, &span, area.as_ref(), telling(&session)).await?;
    let heat = heat(&app, &span, None).await?;
    let language = query.lang.unwrap_or_else(|| app.config.hub.language.clone());
    app.audit_by(&session, "requests.export", &format!("requests/{}", span.text), None).await?;
    let book = crate::report::sheets::requests(&app.requests.settings, &figures, &heat, &language);
    super::plan::workbook(book, &format!("requests-{}.xlsx", span.text))
}

async fn row_view(app: &App, request: &Request, now: UtcMs) -> Result<Value, ApiError> {
    let standing = &request.standing;
    let merged_into = match standing.merged_into {
        Some(id) => app.store.request(id).await?.map(|main| main.reference.to_string()),
        None => None,
    };
    Ok(json!({
        "id": request.id, "reference": request.reference.to_string(), "state": standing.state, "category": standing.category,
        "service": standing.service, "area": request.area, "received_at": request.received_at, "answer_by": standing.answer_by,
        "answered_at": standing.answered_at, "promised_at": standing.promised_at, "due_at": standing.due_at, "overdue": standing.overdue(now),
        "channel": request.channel, "language": request.language, "text": request.text, "place": request.place, "position": request.position,
        "followers": request.followers, "merged_into": merged_into, "reopened": standing.reopened, "has_contact": request.has_contact,
        "demo": request.demo,
    }))
}

async fn full_view(app: &App, request: &Request) -> Result<Value, ApiError> {
    let (now, standing) = (app.clock.utc(), &request.standing);
    let mut view = row_view(app, request, now).await?;
    let history: Vec<Value> = app.store.request_history(request.id).await?.iter().map(step_view).collect();
    let alike: Vec<Value> = match standing.state.is_open() {
        true => alike(app, request)
            .await?
            .iter()
            .take(10)
            .map(|(other, metres, hours)| {
                json!({
                    "id": other.id, "reference": other.reference.to_string(), "state": other.standing.state, "distance_m": metres.round(),
                    "hours_apart": hours, "text": other.text, "followers": other.followers,
                })
            })
            .collect(),
        false => Vec::new(),
    };
    let followers = app.store.request_followers(request.id).await?;
    let followers: Vec<Value> = followers.iter().map(|r| json!({ "id": r.id, "reference": r.reference.to_string() })).collect();
    let usual = app.requests.settings.category(&standing.category).map(|category| app.requests.calendar.after(now, category.deadline));
    let more = json!({
        "version": standing.version, "masked": request.masked, "done_at": standing.done_at, "closed_at": standing.closed_at,
        "judge_until": standing.judge_until, "answer": standing.answer, "attributes": request.attributes, "history": history,
        "duplicates": alike, "followers_of": followers, "actions": standing.actions(now), "default_due": usual,
    });
    if let (Some(view), Value::Object(more)) = (view.as_object_mut(), more) {
        view.extend(more);
    }
    Ok(view)
}

fn step_view(step: &RequestStep) -> Value {
    json!({
        "at": step.at, "who": step.who, "role": step.role, "action": step.action, "from": step.from, "to": step.to, "words": step.words,
        "due_at": step.due_at,
    })
}
