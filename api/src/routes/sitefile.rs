//! The site file: contacts, address, floor plan, cameras that see the entrance.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use qorgan_alerts::store::{Plan, SealedContact, SitePage};
use qorgan_domain::{DeviceId, DeviceRef, Role, SiteId, UtcMs};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{Access::With, Route, cameras::covers, row};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    sitefile::{MAX_PLAN_BYTES, Person, SiteFile, clean_plan, site_file},
};

/// Most contacts of one site.
const MAX_CONTACTS: usize = 20;
/// Longest time that a contact is kept, in ms: three years.
const MAX_KEPT_MS: i64 = 3 * 366 * 86_400_000;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(open, write, put_contact, remove_contact, plan, put_plan, remove_plan))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, change) = (With(Right::SiteFileRead), With(Right::SiteFileWrite));
    let limit = DefaultBodyLimit::max(MAX_PLAN_BYTES);
    vec![
        row(Method::GET, "/api/v1/sites/{site}/file", read, get(open)),
        row(Method::PUT, "/api/v1/sites/{site}/file", change, put(write)),
        row(Method::PUT, "/api/v1/sites/{site}/contacts/{id}", change, put(put_contact)),
        row(Method::DELETE, "/api/v1/sites/{site}/contacts/{id}", change, axum::routing::delete(remove_contact)),
        row(Method::GET, "/api/v1/sites/{site}/plan", read, get(plan)),
        row(Method::PUT, "/api/v1/sites/{site}/plan", change, put(put_plan).layer(limit)),
        row(Method::DELETE, "/api/v1/sites/{site}/plan", change, axum::routing::delete(remove_plan)),
    ]
}

/// Why it is read.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// Number of the alert it is read for.
    alert: Option<i64>,
    /// Purpose in words.
    purpose: Option<String>,
}

/// Address, notes and entrances.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageBody {
    /// Postal address.
    address: Option<String>,
    /// What whoever comes should know.
    notes: Option<String>,
    /// Cameras of this site that see its entrances, `site/camera`.
    #[serde(default)]
    entrances: Vec<String>,
}

/// Somebody to call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactBody {
    /// Name.
    name: String,
    /// What they are there.
    post: String,
    /// Phone.
    phone: String,
    /// RFC 3339, at most three years from now; then they are deleted.
    expires_at: String,
}

/// The file of a site. A patrol sees it only while it has an order there. Every reading is written down.
#[utoipa::path(get, path = "/api/v1/sites/{site}/file", tag = "site files", params(("site" = String, Path), Why),
    responses((status = 200, body = SiteFile), (status = 404)))]
pub(super) async fn open(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(site): Path<String>,
    Query(why): Query<Why>,
) -> Result<Response, ApiError> {
    let (site, order) = reachable(&app, &session, &site)?;
    app.audit_by(&session, "sitefile.open", &format!("site/{site}"), reason(&app, &site, why, order).as_deref()).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(site_file(&app, &site).await?)).into_response())
}

/// Writes address, notes and entrances.
#[utoipa::path(put, path = "/api/v1/sites/{site}/file", tag = "site files", params(("site" = String, Path)), request_body = PageBody,
    responses((status = 200, body = SiteFile), (status = 404), (status = 422)))]
pub(super) async fn write(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(site): Path<String>,
    Json(body): Json<PageBody>,
) -> Result<Json<SiteFile>, ApiError> {
    let (site, _) = reachable(&app, &session, &site)?;
    let mut entrances = Vec::new();
    for camera in body.entrances {
        let camera: DeviceRef = camera.parse().map_err(|e: qorgan_domain::id::IdError| ApiError::invalid(format!("entrances: {e}")))?;
        if camera.site != site || !app.cameras.contains(&camera) {
            return Err(ApiError::invalid(format!("entrances: {camera} is no camera of {site}")));
        }
        let camera = camera.to_string();
        if !entrances.contains(&camera) {
            entrances.push(camera);
        }
    }
    let page = SitePage {
        address: text(body.address, "address", 300)?,
        notes: text(body.notes, "notes", 4_000)?,
        entrances,
        updated_at: app.clock.utc(),
        updated_by: session.user.clone(),
    };
    let before = app.store.site_page(&site).await?;
    let before = before.as_ref();
    let mut changed = Vec::new();
    if before.and_then(|p| p.address.as_ref()) != page.address.as_ref() {
        changed.push("address");
    }
    if before.and_then(|p| p.notes.as_ref()) != page.notes.as_ref() {
        changed.push("notes");
    }
    if before.map(|p| p.entrances.as_slice()).unwrap_or_default() != page.entrances {
        changed.push("entrances");
    }
    app.audit_by(&session, "sitefile.write", &format!("site/{site}"), Some(&changed.join(", "))).await?;
    app.store.put_site_page(&site, &page).await?;
    Ok(Json(site_file(&app, &site).await?))
}

/// Adds or changes a contact.
#[utoipa::path(put, path = "/api/v1/sites/{site}/contacts/{id}", tag = "site files", params(("site" = String, Path), ("id" = String, Path)),
    request_body = ContactBody, responses((status = 200, body = SiteFile), (status = 404), (status = 422)))]
pub(super) async fn put_contact(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, id)): Path<(String, String)>,
    Json(body): Json<ContactBody>,
) -> Result<Json<SiteFile>, ApiError> {
    let (site, _) = reachable(&app, &session, &site)?;
    let id: DeviceId = id.parse().map_err(|e: qorgan_domain::id::IdError| ApiError::invalid(format!("contact: {e}")))?;
    let now = app.clock.utc();
    let person = Person {
        name: needed(body.name, "name", 100)?,
        post: text(Some(body.post), "post", 100)?.unwrap_or_default(),
        phone: phone(&body.phone)?,
    };
    let expires_at: UtcMs = body.expires_at.parse().map_err(|_| ApiError::invalid("expires_at is no RFC 3339 time"))?;
    if expires_at <= now || expires_at.ms_since(now) > MAX_KEPT_MS {
        return Err(ApiError::invalid("expires_at lies in the future, at most three years ahead"));
    }
    let known = app.store.contacts(&site, now).await?;
    let is_new = !known.iter().any(|c| c.id == id.as_str());
    if is_new && known.len() >= MAX_CONTACTS {
        return Err(ApiError::invalid(format!("a site has at most {MAX_CONTACTS} contacts")));
    }
    let no_seal = || ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The contact could not be sealed; nothing was changed.");
    let sealed = app.seal.close(&site, id.as_str(), &person).ok_or_else(no_seal)?;
    let action = if is_new { "contact.add" } else { "contact.change" };
    app.audit_by(&session, action, &format!("site/{site}/contact/{id}"), Some(&format!("until {expires_at}"))).await?;
    app.store.put_contact(&site, &SealedContact { id: id.to_string(), sealed, expires_at }).await?;
    Ok(Json(site_file(&app, &site).await?))
}

/// Removes a contact.
#[utoipa::path(delete, path = "/api/v1/sites/{site}/contacts/{id}", tag = "site files",
    params(("site" = String, Path), ("id" = String, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn remove_contact(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (site, _) = reachable(&app, &session, &site)?;
    let known = app.store.contacts(&site, app.clock.utc()).await?;
    if !known.iter().any(|c| c.id == id) {
        return Err(ApiError::not_found("contact"));
    }
    app.audit_by(&session, "contact.remove", &format!("site/{site}/contact/{id}"), None).await?;
    app.store.remove_contact(&site, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The floor plan.
#[utoipa::path(get, path = "/api/v1/sites/{site}/plan", tag = "site files", params(("site" = String, Path), Why),
    responses((status = 200, content_type = "image/png", description = "or `image/jpeg`"), (status = 404)))]
pub(super) async fn plan(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(site): Path<String>,
    Query(why): Query<Why>,
) -> Result<Response, ApiError> {
    let (site, order) = reachable(&app, &session, &site)?;
    let plan = app.store.plan(&site, true).await?.ok_or_else(|| ApiError::not_found("plan"))?;
    app.audit_by(&session, "plan.open", &format!("site/{site}"), reason(&app, &site, why, order).as_deref()).await?;
    let headers = [(header::CONTENT_TYPE, plan.media_type), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    Ok((headers, plan.picture).into_response())
}

/// Replaces the floor plan. The picture is written anew; its metadata is gone.
#[utoipa::path(put, path = "/api/v1/sites/{site}/plan", tag = "site files", params(("site" = String, Path)),
    request_body(content = Vec<u8>, content_type = "image/png"),
    responses((status = 200, body = SiteFile), (status = 404), (status = 413), (status = 422), (status = 429)))]
pub(super) async fn put_plan(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(site): Path<String>,
    body: Bytes,
) -> Result<Json<SiteFile>, ApiError> {
    // A large picture takes a few hundred megabytes for a moment: one at a time.
    static ONE: Semaphore = Semaphore::const_new(1);
    let (site, _) = reachable(&app, &session, &site)?;
    let busy = |_| ApiError::new(StatusCode::TOO_MANY_REQUESTS, "busy", "Another plan is being read; try again in a moment.");
    let turn = ONE.try_acquire().map_err(busy)?;
    let cleaned = tokio::task::spawn_blocking(move || clean_plan(&body)).await;
    drop(turn);
    let broken = |_| ApiError::invalid("The picture could not be read; nothing was changed.");
    let (picture, media_type) = cleaned.map_err(broken)?.map_err(|error| ApiError::invalid(error.to_string()))?;
    let what = format!("{media_type}, {} bytes", picture.len());
    app.audit_by(&session, "plan.write", &format!("site/{site}"), Some(&what)).await?;
    let plan = Plan { media_type: media_type.into(), picture, updated_at: app.clock.utc(), updated_by: session.user.clone() };
    app.store.put_plan(&site, plan).await?;
    Ok(Json(site_file(&app, &site).await?))
}

/// Removes the floor plan.
#[utoipa::path(delete, path = "/api/v1/sites/{site}/plan", tag = "site files", params(("site" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn remove_plan(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(site): Path<String>,
) -> Result<StatusCode, ApiError> {
    let (site, _) = reachable(&app, &session, &site)?;
    if app.store.plan(&site, false).await?.is_none() {
        return Err(ApiError::not_found("plan"));
    }
    app.audit_by(&session, "plan.remove", &format!("site/{site}"), None).await?;
    app.store.remove_plan(&site).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A site that this session's reach covers, with the order that opens it to a patrol. Others do not exist for it.
fn reachable(app: &App, session: &Session, site: &str) -> Result<(SiteId, Option<i64>), ApiError> {
    let missing = || ApiError::not_found("site");
    let known = app.config.sites.iter().find(|s| s.id.as_str() == site).ok_or_else(missing)?;
    if session.role == Role::Patrol {
        let open = app.engine.open_alerts();
        let ours = |a: &&std::sync::Arc<qorgan_domain::alert::Alert>| {
            a.site.as_ref() == Some(&known.id) && a.unit.is_some() && a.unit == session.unit
        };
        let order = open.iter().find(ours).ok_or_else(missing)?;
        return Ok((known.id.clone(), Some(order.id.0)));
    }
    if covers(session, known.id.as_str(), known.area.as_str()) { Ok((known.id.clone(), None)) } else { Err(missing()) }
}

/// The reason that is written down: the alert of this site, or the words. An alert of elsewhere is no reason.
fn reason(app: &App, site: &SiteId, why: Why, order: Option<i64>) -> Option<String> {
    let here = |id: &i64| app.engine.open_alerts().iter().any(|a| a.id.0 == *id && a.site.as_ref() == Some(site));
    let alert = order.or(why.alert.filter(here)).map(|id| format!("alert {id}"));
    let words = why.purpose.map(|p| p.trim().chars().take(500).collect::<String>()).filter(|p| !p.is_empty());
    match (alert, words) {
        (Some(alert), Some(words)) => Some(format!("{alert}: {words}")),
        (alert, words) => alert.or(words),
    }
}

fn text(text: Option<String>, field: &str, most: usize) -> Result<Option<String>, ApiError> {
    let text = text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    match text {
        Some(text) if text.chars().count() > most => Err(ApiError::invalid(format!("{field} has at most {most} characters"))),
        text => Ok(text),
    }
}

fn needed(value: String, field: &str, most: usize) -> Result<String, ApiError> {
    text(Some(value), field, most)?.ok_or_else(|| ApiError::invalid(format!("{field} has 1 to {most} characters")))
}

fn phone(value: &str) -> Result<String, ApiError> {
    let value = value.trim();
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let plain = value.chars().all(|c| c.is_ascii_digit() || "+-() ,.".contains(c));
    if plain && (3..=15).contains(&digits) && value.chars().count() <= 30 {
        return Ok(value.to_owned());
    }
    Err(ApiError::invalid("phone has 3 to 15 digits; besides them only + - ( ) . , and blanks"))
}
