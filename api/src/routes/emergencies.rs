//! The emergency journal of duty officers, and the bulletin of 24 hours. Entries are corrected by a further version, never overwritten.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::{ToSpan, civil::Date};
use qorgan_alerts::store::{EmergencyEntry, EmergencyKind, EmergencyVersion};
use qorgan_domain::UtcMs;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{Access::With, Route, plan::line, requests::known_area, row};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    report::{self, bulletin::Bulletin, words::kind_name},
    requests::figures::{begins, today},
};

/// How long after a moment an entry may be dated: clocks differ.
const AHEAD_MS: i64 = 5 * 60_000;
/// Most people of one kind in one entry; more is a slip of the finger.
const MOST_PEOPLE: i64 = 1_000_000;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, add, one, correct, bulletin, bulletin_pdf))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, write) = (With(Right::JournalRead), With(Right::JournalWrite));
    vec![
        row(Method::GET, "/api/v1/journal", read, get(list)),
        row(Method::POST, "/api/v1/journal", write, post(add)),
        row(Method::GET, "/api/v1/journal/bulletin", read, get(bulletin)),
        row(Method::GET, "/api/v1/journal/bulletin.pdf", read, get(bulletin_pdf)),
        row(Method::GET, "/api/v1/journal/{id}", read, get(one)),
        row(Method::POST, "/api/v1/journal/{id}/corrections", write, post(correct)),
    ]
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// First day.
    from: Option<String>,
    /// Last day.
    to: Option<String>,
    #[param(value_type = Option<String>)]
    kind: Option<EmergencyKind>,
    area: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

/// An entry, or what corrects one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryBody {
    /// When it happened.
    at: String,
    #[schema(value_type = String)]
    kind: EmergencyKind,
    area: String,
    place: Option<String>,
    /// What happened; personal data is masked.
    what: String,
    /// What was done.
    measures: String,
    #[serde(default)]
    dead: i64,
    #[serde(default)]
    injured: i64,
    #[serde(default)]
    evacuated: i64,
    /// Children among the dead and injured.
    #[serde(default)]
    children: i64,
    #[serde(default)]
    ongoing: bool,
    /// Why it is corrected.
    reason: Option<String>,
}

/// Which bulletin.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct BulletinQuery {
    /// The day it is given out; the newest when absent.
    day: Option<String>,
    /// Language of the file.
    lang: Option<String>,
}

/// Entries, latest first, each as it holds now.
#[utoipa::path(get, path = "/api/v1/journal", tag = "emergency journal", params(ListQuery), responses((status = 200), (status = 422)))]
pub(super) async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Json<Value>, ApiError> {
    let day = |field: &'static str, text: Option<String>| text.filter(|t| !t.is_empty()).map(|t| super::plan::day(field, &t)).transpose();
    let from = day("from", query.from)?.map_or(UtcMs(i64::MIN), |day| begins(&app, day));
    let to = day("to", query.to)?.and_then(|day| day.tomorrow().ok()).map_or(UtcMs(i64::MAX), |day| begins(&app, day));
    let area = known_area(&app, query.area.as_deref())?;
    let limit = query.limit.unwrap_or(50).clamp(1, 200);
    let bad = || ApiError::invalid("after is none of this list").with("field", "after");
    let after = match query.after.as_deref().filter(|a| !a.is_empty()) {
        Some(after) => {
            let (at, id) = after.split_once('.').ok_or_else(bad)?;
            Some((UtcMs(at.parse().map_err(|_| bad())?), id.parse().map_err(|_| bad())?))
        }
        None => None,
    };
    let mut entries = app.store.emergencies(from, to, query.kind, area.as_ref(), after, limit + 1).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| more).and_then(|e| Some(format!("{}.{}", e.newest()?.at.0, e.id)));
    let kinds: Vec<Value> = EmergencyKind::ALL.into_iter().map(|kind| json!({ "id": kind, "name": kind_name(kind) })).collect();
    Ok(Json(json!({ "entries": entries.iter().filter_map(entry_view).collect::<Vec<_>>(), "next": next, "kinds": kinds })))
}

/// An entry with all its versions.
#[utoipa::path(get, path = "/api/v1/journal/{id}", tag = "emergency journal", params(("id" = i64, Path)), responses((status = 200), (status = 404)))]
pub(super) async fn one(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Value>, ApiError> {
    Ok(Json(full(&app, id).await?))
}

async fn full(app: &App, id: i64) -> Result<Value, ApiError> {
    let missing = || ApiError::not_found("entry");
    let entry = app.store.emergency(id).await?.ok_or_else(missing)?;
    let mut view = entry_view(&entry).ok_or_else(missing)?;
    let version = |v: &EmergencyVersion| {
        let mut view = version_view(v);
        (view["n"], view["reason"]) = (json!(v.n), json!(v.reason));
        view
    };
    view["versions"] = json!(entry.versions.iter().map(version).collect::<Vec<_>>());
    Ok(view)
}

fn version_view(v: &EmergencyVersion) -> Value {
    json!({
        "at": v.at, "kind": v.kind, "area": v.area, "place": v.place, "what": v.what, "measures": v.measures, "dead": v.dead,
        "injured": v.injured, "evacuated": v.evacuated, "children": v.children, "ongoing": v.ongoing, "written_at": v.written_at,
        "written_by": v.written_by,
    })
}

/// An entry as lists show it.
pub(super) fn entry_view(entry: &EmergencyEntry) -> Option<Value> {
    let newest = entry.newest()?;
    let mut view = version_view(newest);
    (view["id"], view["corrected"], view["demo"]) = (json!(entry.id), json!(newest.n > 1), json!(newest.demo));
    Some(view)
}

/// Writes an entry.
#[utoipa::path(post, path = "/api/v1/journal", tag = "emergency journal", request_body = EntryBody, responses((status = 201), (status = 404), (status = 422)))]
pub(super) async fn add(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<EntryBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    if body.reason.is_some() {
        return Err(ApiError::invalid("a reason belongs to a correction").with("field", "reason"));
    }
    let version = version(&app, &session, body)?;
    app.audit_by(&session, "journal.add", &format!("journal/{}", version.area), Some(version.kind.as_str())).await?;
    let id = app.store.write_emergency(None, &version).await?.ok_or_else(|| ApiError::not_found("entry"))?;
    Ok((StatusCode::CREATED, Json(full(&app, id).await?)))
}

/// Corrects an entry: the version before stays.
#[utoipa::path(post, path = "/api/v1/journal/{id}/corrections", tag = "emergency journal", params(("id" = i64, Path)), request_body = EntryBody,
    responses((status = 200), (status = 404), (status = 422)))]
pub(super) async fn correct(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<EntryBody>,
) -> Result<Json<Value>, ApiError> {
    let missing = || ApiError::not_found("entry");
    let known = app.store.emergency(id).await?.ok_or_else(missing)?;
    let reason = line("reason", body.reason.as_deref().unwrap_or_default(), 500)?;
    let mut version = version(&app, &session, EntryBody { reason: None, ..body })?;
    version.demo = known.newest().is_some_and(|newest| newest.demo);
    app.audit_by(&session, "journal.correct", &format!("journal/{id}"), Some(&reason)).await?;
    version.reason = Some(reason);
    app.store.write_emergency(Some(id), &version).await?.ok_or_else(missing)?;
    Ok(Json(full(&app, id).await?))
}

fn version(app: &App, session: &Session, body: EntryBody) -> Result<EmergencyVersion, ApiError> {
    let now = app.clock.utc();
    let at: UtcMs = body.at.parse().map_err(|_| ApiError::invalid("at is no RFC 3339 time").with("field", "at"))?;
    if at.ms_since(now) > AHEAD_MS {
        return Err(ApiError::invalid("at lies in the future").with("field", "at"));
    }
    let area = known_area(app, Some(&body.area))?.ok_or_else(|| ApiError::invalid("area is needed").with("field", "area"))?;
    for (field, people) in [("dead", body.dead), ("injured", body.injured), ("evacuated", body.evacuated), ("children", body.children)] {
        if !(0..=MOST_PEOPLE).contains(&people) {
            return Err(ApiError::invalid(format!("{field} is 0 to {MOST_PEOPLE}")).with("field", field));
        }
    }
    if body.children > body.dead + body.injured {
        return Err(ApiError::invalid("children are counted among the dead and injured").with("field", "children"));
    }
    Ok(EmergencyVersion {
        n: 0,
        at,
        kind: body.kind,
        area,
        place: body.place.as_deref().map(str::trim).filter(|p| !p.is_empty()).map(|p| line("place", p, 200)).transpose()?,
        what: line("what", &body.what, 2_000)?,
        measures: line("measures", &body.measures, 2_000)?,
        dead: body.dead,
        injured: body.injured,
        evacuated: body.evacuated,
        children: body.children,
        ongoing: body.ongoing,
        written_at: now,
        written_by: session.user.to_string(),
        reason: None,
        demo: false,
    })
}

/// The bulletin of the 24 hours up to the first shift of a day.
#[utoipa::path(get, path = "/api/v1/journal/bulletin", tag = "emergency journal", params(BulletinQuery), responses((status = 200), (status = 422)))]
pub(super) async fn bulletin(State(app): State<App>, Query(query): Query<BulletinQuery>) -> Result<Json<Value>, ApiError> {
    let b = gather(&app, query.day.as_deref()).await?;
    let mut kinds = std::collections::BTreeMap::<EmergencyKind, u64>::new();
    for version in b.entries.iter().filter_map(EmergencyEntry::newest) {
        *kinds.entry(version.kind).or_default() += 1;
    }
    let kinds: Vec<Value> = kinds.into_iter().map(|(kind, count)| json!({ "kind": kind, "count": count })).collect();
    let sum = b.totals();
    Ok(Json(json!({
        "day": b.day.to_string(), "from": b.from, "to": b.to,
        "totals": { "entries": b.entries.len(), "dead": sum.dead, "injured": sum.injured, "evacuated": sum.evacuated, "children": sum.children, "ongoing": sum.ongoing },
        "by_kind": kinds, "entries": b.entries.iter().filter_map(entry_view).collect::<Vec<_>>(),
        "requests": { "received": b.received, "overdue": b.overdue }, "corrected_later": b.corrected_later,
        "demo": b.entries.iter().filter_map(EmergencyEntry::newest).any(|v| v.demo),
    })))
}

/// The same as a PDF.
#[utoipa::path(get, path = "/api/v1/journal/bulletin.pdf", tag = "emergency journal", params(BulletinQuery),
    responses((status = 200, content_type = "application/pdf"), (status = 422)))]
pub(super) async fn bulletin_pdf(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<BulletinQuery>,
) -> Result<Response, ApiError> {
    let bulletin = gather(&app, query.day.as_deref()).await?;
    let language = query.lang.unwrap_or_else(|| app.config.hub.language.clone());
    let name = format!("bulletin-{}.pdf", bulletin.day);
    app.audit_by(&session, "journal.bulletin", &format!("journal/{}", bulletin.day), None).await?;
    let frame = report::Frame::new(&app, &language);
    pdf(report::bulletin::write(&bulletin, &app.areas(), &frame), &name)
}

/// A PDF as an answer.
pub(super) fn pdf(made: Result<Vec<u8>, report::ReportError>, name: &str) -> Result<Response, ApiError> {
    let bytes = made.map_err(|error| {
        tracing::error!(error = crate::error::chain(&error), name, "a PDF could not be written");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The PDF could not be written.")
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

async fn gather(app: &App, day: Option<&str>) -> Result<Bulletin, ApiError> {
    let (now, start) = (app.clock.utc(), app.config.shift.starts_min.first().copied().unwrap_or(8 * 60));
    let ends = |day: Date| app.requests.calendar.moment(day, start);
    let day = match day.filter(|d| !d.is_empty()) {
        Some(day) => super::plan::day("day", day)?,
        None => Some(today(app)).filter(|today| ends(*today) <= now).or(today(app).yesterday().ok()).unwrap_or_default(),
    };
    let (from, to) = (ends(day.checked_sub(1.day()).unwrap_or(day)), ends(day));
    let entries = app.store.emergencies(from, to, None, None, None, 1_000).await?;
    let corrected_later = app.store.emergencies_corrected_after(from, to).await?;
    let span = crate::requests::figures::Telling::Rounded;
    let before = crate::requests::day_number(day.yesterday().unwrap_or(day));
    let received: u64 = app.store.request_tally(before, before + 1, None).await?.iter().map(|row| row.received).sum();
    let overdue: u64 = app.store.request_load(None, now).await?.values().map(|load| load.overdue).sum();
    Ok(Bulletin { day, from, to, entries, corrected_later, received: span.count(received), overdue: span.count(overdue) })
}
