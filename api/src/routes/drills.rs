//! Drills: planned, started, ended, certified, overdue.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use qorgan_alerts::store::{Drill, DrillResult};
use qorgan_domain::UtcMs;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{OpenApi, ToSchema};

use super::{Access::With, Route, cameras::covers, row};
use crate::{
    auth::{Right, Session},
    config::Site,
    drills::{self, best, certificate, judge},
    error::ApiError,
    hub::{App, Change},
    register,
    view::Names,
};

/// Drills that are listed.
const LISTED: u32 = 500;
/// A drill may be planned this far ahead, in ms.
const MAX_AHEAD_MS: i64 = 366 * 86_400_000;
/// A clock may be this far behind, in ms: such a drill begins now.
const SLACK_MS: i64 = 60_000;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, add, end, certificate_pdf))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, write) = (With(Right::DrillsRead), With(Right::DrillsWrite));
    vec![
        row(Method::GET, "/api/v1/drills", read, get(list)),
        row(Method::POST, "/api/v1/drills", write, post(add)),
        row(Method::POST, "/api/v1/drills/{id}/end", write, post(end)),
        row(Method::GET, "/api/v1/drills/{id}/certificate.pdf", read, get(certificate_pdf)),
    ]
}

/// Drills, latest first, and who is due for one.
#[derive(Serialize, ToSchema)]
pub(super) struct DrillList {
    drills: Vec<DrillView>,
    /// Connected institutions without a passed drill in time, the longest due first.
    overdue: Vec<DueView>,
}

/// A drill.
#[derive(Serialize, ToSchema)]
pub(super) struct DrillView {
    /// Number.
    id: i64,
    /// Site.
    site: String,
    /// Its name.
    site_name: Names,
    /// When it begins, RFC 3339.
    scheduled_at: String,
    /// When it ends by itself.
    until_at: String,
    /// `planned`, `running`, `passed`, `failed`, `cancelled`, `missed`.
    state: &'static str,
    /// Account name of who ordered it.
    created_by: String,
    /// When it began.
    started_at: Option<String>,
    /// When it ended.
    ended_at: Option<String>,
    /// The alert that stands for it.
    alert: Option<i64>,
    /// When each step was reached.
    steps: StepsView,
    /// Words of who ended it.
    note: Option<String>,
}

/// The five steps, RFC 3339 each.
#[derive(Serialize, Default, ToSchema)]
pub(super) struct StepsView {
    /// The button was pressed.
    pressed_at: Option<String>,
    /// The press was safe on disk.
    stored_at: Option<String>,
    /// On the screen of an attended desk.
    shown_at: Option<String>,
    /// Claimed.
    claimed_at: Option<String>,
    /// The patrol accepted.
    accepted_at: Option<String>,
}

/// An institution whose drill is due.
#[derive(Serialize, ToSchema)]
pub(super) struct DueView {
    /// Its id.
    site: String,
    /// Its name.
    site_name: Names,
    /// When it passed one last; null: never.
    last_passed_at: Option<String>,
    /// Since when the next one is due.
    due_at: String,
}

/// A drill to be planned or begun.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DrillBody {
    /// Site.
    site: String,
    /// RFC 3339; now when absent.
    at: Option<String>,
    /// Length of its window, 5 to 120; 30 when absent.
    minutes: Option<u32>,
}

/// How a drill is ended by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndBody {
    /// Called off: it counts as neither passed nor failed.
    #[serde(default)]
    cancelled: bool,
    /// Why.
    note: Option<String>,
}

/// Drills of the sites that this session sees, and what is overdue there.
#[utoipa::path(get, path = "/api/v1/drills", tag = "drills", responses((status = 200, body = DrillList)))]
pub(super) async fn list(State(app): State<App>, Extension(session): Extension<Session>) -> Result<Json<DrillList>, ApiError> {
    let now = app.clock.utc();
    let all = app.store.drills(LISTED).await?;
    let drills = all.iter().filter_map(|d| Some(view(d, seen(&app, &session, d.site.as_str())?, now))).collect();
    let (institutions, passed) = (app.store.institutions().await?, app.store.last_passed_drills().await?);
    let mine = institutions.iter().filter(|i| covers(&session, i.id.as_str(), i.area.as_str()) && !register::by_cameras_only(&app, &i.id));
    let due = drills::overdue(mine, &passed, app.config.drills.every_days, now);
    let overdue = due.into_iter().map(|due| DueView {
        site: due.institution.id.to_string(),
        site_name: (&due.institution.name).into(),
        last_passed_at: due.last_passed_at.map(|at| at.to_string()),
        due_at: due.due_at.to_string(),
    });
    Ok(Json(DrillList { drills, overdue: overdue.collect() }))
}

/// Plans a drill, or begins one now. While it is on, presses of that site carry its number; one without the test flag
/// is a real alarm in every way.
#[utoipa::path(post, path = "/api/v1/drills", tag = "drills", request_body = DrillBody,
    responses((status = 201, body = DrillView), (status = 404), (status = 409, description = "`overlaps`"), (status = 422)))]
pub(super) async fn add(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<DrillBody>,
) -> Result<(StatusCode, Json<DrillView>), ApiError> {
    let site = seen(&app, &session, &body.site).ok_or_else(|| ApiError::not_found("site"))?;
    if site.buttons.is_empty() {
        return Err(ApiError::invalid("this site has no buttons"));
    }
    let minutes = body.minutes.unwrap_or(30);
    if !(5..=120).contains(&minutes) {
        return Err(ApiError::invalid("minutes is 5 to 120"));
    }
    let now = app.clock.utc();
    let at: UtcMs = match body.at {
        None => now,
        Some(at) => at.parse().map_err(|_| ApiError::invalid("at is no RFC 3339 time"))?,
    };
    if at.ms_since(now) > MAX_AHEAD_MS || now.ms_since(at) > SLACK_MS {
        return Err(ApiError::invalid("at is now or within the next year"));
    }
    let scheduled_at = at.max(now);
    let drill = Drill {
        id: 0,
        site: site.id.clone(),
        scheduled_at,
        until_at: scheduled_at + Duration::from_secs(u64::from(minutes) * 60),
        created_by: session.user.to_string(),
        started_at: None,
        ended_at: None,
        alert: None,
        result: None,
        presses: Vec::new(),
        note: None,
    };
    let overlaps = || ApiError::new(StatusCode::CONFLICT, "overlaps", "Another drill of this site is planned or on at that time.");
    let what = format!("{} for {minutes} min", drill.scheduled_at);
    app.audit_by(&session, "drill.order", &format!("site/{}", drill.site), Some(&what)).await?;
    let drill = app.store.add_drill(drill).await?.ok_or_else(overlaps)?;
    // A press right after this answer carries the number already.
    let windows = drills::windows(&app.store.open_drills().await?, now);
    app.engine.tell(qorgan_domain::Event::Drills(windows)).await?;
    app.drills.notify_one();
    app.ring.push([Change::Drills]);
    Ok((StatusCode::CREATED, Json(view(&drill, site, now))))
}

/// Ends a drill before its time, or calls it off.
#[utoipa::path(post, path = "/api/v1/drills/{id}/end", tag = "drills", params(("id" = i64, Path)), request_body = EndBody,
    responses((status = 200, body = DrillView), (status = 404), (status = 409, description = "`ended`")))]
pub(super) async fn end(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<EndBody>,
) -> Result<Json<DrillView>, ApiError> {
    let (mut drill, site) = drill_of(&app, &session, id).await?;
    let ended = || ApiError::new(StatusCode::CONFLICT, "ended", "This drill has ended already.");
    if drill.result.is_some() {
        return Err(ended());
    }
    let note = body.note.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty());
    if note.as_ref().is_some_and(|n| n.chars().count() > 500) {
        return Err(ApiError::invalid("note has at most 500 characters"));
    }
    let now = app.clock.utc();
    // Called off before it began is called off, whatever was meant.
    let cancelled = body.cancelled || drill.scheduled_at > now;
    let result = if cancelled { DrillResult::Cancelled } else { judge(&drill, now) };
    let action = if cancelled { "drill.cancel" } else { "drill.end" };
    let why = note.as_ref().map_or_else(|| result.as_str().to_owned(), |note| format!("{}: {note}", result.as_str()));
    app.audit_by(&session, action, &format!("drill/{id}"), Some(&why)).await?;
    (drill.result, drill.ended_at, drill.note) = (Some(result), Some(now.min(drill.until_at)), note);
    if !app.store.save_drill(&drill).await? {
        return Err(ended());
    }
    app.drills.notify_one();
    app.ring.push([Change::Drills]);
    Ok(Json(view(&drill, site, now)))
}

/// The certificate of a drill that has ended: one page, in the hub's language.
#[utoipa::path(get, path = "/api/v1/drills/{id}/certificate.pdf", tag = "drills", params(("id" = i64, Path)),
    responses((status = 200, content_type = "application/pdf"), (status = 404), (status = 409, description = "`no_certificate`")))]
pub(super) async fn certificate_pdf(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
) -> Result<Response, ApiError> {
    let (drill, site) = drill_of(&app, &session, id).await?;
    if !matches!(drill.result, Some(DrillResult::Passed | DrillResult::Failed | DrillResult::Missed)) {
        let why = "There is a certificate when the drill has ended and was not called off.";
        return Err(ApiError::new(StatusCode::CONFLICT, "no_certificate", why));
    }
    app.audit_by(&session, "drill.certificate", &format!("drill/{id}"), None).await?;
    let head = app.store.audit(None, 1).await?.into_iter().next();
    let facts = certificate::Facts {
        hub: &app.config.hub.name,
        site_name: match app.config.hub.language.as_str() {
            "kk" => &site.name.kk,
            "ru" => &site.name.ru,
            _ => &site.name.en,
        },
        language: &app.config.hub.language,
        audit_head: head.as_ref().map(|line| (line.seq, line.hash.as_str())),
        now: app.clock.utc(),
        utc_offset_minutes: app.config.shift.utc_offset_min,
    };
    let failed = |error| {
        tracing::error!(%error, drill = id, "a certificate could not be written");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The certificate could not be written.")
    };
    let pdf = certificate::write(&drill, &facts).map_err(failed)?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"drill-{id}-{}.pdf\"", site.id)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, pdf).into_response())
}

/// A configured site that this session's reach covers.
fn seen<'a>(app: &'a App, session: &Session, site: &str) -> Option<&'a Site> {
    app.config.sites.iter().find(|s| s.id.as_str() == site).filter(|s| covers(session, s.id.as_str(), s.area.as_str()))
}

async fn drill_of<'a>(app: &'a App, session: &Session, id: i64) -> Result<(Drill, &'a Site), ApiError> {
    let missing = || ApiError::not_found("drill");
    let drill = app.store.drill(id).await?.ok_or_else(missing)?;
    let site = seen(app, session, drill.site.as_str()).ok_or_else(missing)?;
    Ok((drill, site))
}

fn view(drill: &Drill, site: &Site, now: UtcMs) -> DrillView {
    let time = |at: Option<UtcMs>| at.map(|at| at.to_string());
    let steps = best(drill).map(|p| p.steps).unwrap_or_default();
    DrillView {
        id: drill.id,
        site: drill.site.to_string(),
        site_name: (&site.name).into(),
        scheduled_at: drill.scheduled_at.to_string(),
        until_at: drill.until_at.to_string(),
        state: drills::state(drill, now),
        created_by: drill.created_by.clone(),
        started_at: time(drill.started_at),
        ended_at: time(drill.ended_at),
        alert: drill.alert.map(|id| id.0),
        steps: StepsView {
            pressed_at: time(steps.pressed_at),
            stored_at: time(steps.stored_at),
            shown_at: time(steps.shown_at),
            claimed_at: time(steps.claimed_at),
            accepted_at: time(steps.accepted_at),
        },
        note: drill.note.clone(),
    }
}
