//! Sites, units and the outlines of the districts.

use axum::{
    Extension, Json,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use qorgan_domain::GeoPoint;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::cameras::sees_site;
use crate::{
    areas::{Areas, AreasError, Report},
    auth::Session,
    error::ApiError,
    hub::{App, Change},
    view::{Names, SiteView, UnitView},
};

/// All sites.
#[derive(Serialize, ToSchema)]
pub(super) struct SiteList {
    sites: Vec<SiteView>,
}

/// All units.
#[derive(Serialize, ToSchema)]
pub(super) struct UnitList {
    units: Vec<UnitView>,
}

/// A place.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceQuery {
    /// Degrees north.
    lat: f64,
    /// Degrees east.
    lon: f64,
}

/// The area of a place.
#[derive(Serialize, ToSchema)]
pub(super) struct AreaAt {
    /// The smallest one, if any.
    area: Option<AreaName>,
    /// Others that lie there too: those above it, and those that overlap.
    others: Vec<AreaName>,
}

/// An area by name.
#[derive(Serialize, ToSchema)]
pub(super) struct AreaName {
    /// KATO code.
    code: String,
    /// Name.
    name: Names,
    /// Drawn, not surveyed: then this is a guess.
    schematic: bool,
}

/// Sites with their devices.
#[utoipa::path(get, path = "/api/v1/sites", tag = "places", responses((status = 200, body = SiteList)))]
pub(super) async fn sites(State(app): State<App>, Extension(session): Extension<Session>) -> Json<SiteList> {
    let sites = app.config.sites.iter().filter(|s| sees_site(&session, s.id.as_str())).map(|site| SiteView {
        id: site.id.to_string(),
        name: (&site.name).into(),
        kind: site.kind,
        area: site.area.to_string(),
        position: site.position.into(),
        cameras: app.cameras.of_site(&site.id).iter().map(|c| c.id.to_string()).collect(),
        buttons: site.buttons.iter().map(|b| b.id.to_string()).collect(),
        device_names: {
            let cameras = app.cameras.of_site(&site.id);
            let cameras = cameras.iter().map(|c| (c.id.to_string(), (&c.name).into()));
            let phones = app.phones.of_site(Some(&site.id));
            let phones = phones.iter().map(|p| (p.row.device.to_string(), Names::same(&p.row.name)));
            cameras.chain(site.buttons.iter().map(|b| (b.id.to_string(), (&b.name).into()))).chain(phones).collect()
        },
    });
    Json(SiteList { sites: sites.collect() })
}

/// Units that can be sent.
#[utoipa::path(get, path = "/api/v1/units", tag = "places", responses((status = 200, body = UnitList)))]
pub(super) async fn units(State(app): State<App>) -> Json<UnitList> {
    let units = app.config.units.iter().map(|u| UnitView { id: u.id.to_string(), name: (&u.name).into(), kind: u.kind });
    Json(UnitList { units: units.collect() })
}

/// Outlines of the districts as GeoJSON.
#[utoipa::path(get, path = "/api/v1/areas", tag = "places", responses((status = 200, content_type = "application/geo+json")))]
pub(super) async fn areas(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "application/geo+json"), (header::CACHE_CONTROL, "no-cache")], app.areas().geojson()).into_response()
}

/// The area that a place lies in.
#[utoipa::path(get, path = "/api/v1/areas/at", tag = "places", params(PlaceQuery), responses((status = 200, body = AreaAt), (status = 422)))]
pub(super) async fn area_at(State(app): State<App>, Query(place): Query<PlaceQuery>) -> Result<Json<AreaAt>, ApiError> {
    let point = GeoPoint::new(place.lat, place.lon).map_err(|error| ApiError::invalid(error.to_string()))?;
    let areas = app.areas();
    let mut found =
        areas.all_at(point).into_iter().map(|a| AreaName { code: a.code.to_string(), name: (&a.name).into(), schematic: a.schematic });
    Ok(Json(AreaAt { area: found.next(), others: found.collect() }))
}

/// Says what an import of these outlines would take, repair, leave out and find doubtful. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/areas/check", tag = "places", request_body(content = String, content_type = "application/geo+json"),
    responses((status = 200, body = Report), (status = 422)))]
pub(super) async fn check_areas(State(app): State<App>, body: String) -> Result<Json<Report>, ApiError> {
    let (areas, report) = parse(body).await?;
    used_areas_are_there(&app, &areas).await?;
    Ok(Json(report))
}

/// Replaces the outlines by official ones. Invalid outlines are repaired where that changes nothing that matters; features that
/// cannot be used are left out and named.
#[utoipa::path(put, path = "/api/v1/areas", tag = "places", request_body(content = String, content_type = "application/geo+json"),
    responses((status = 200, body = Report), (status = 422, description = "nothing usable; nothing was changed")))]
pub(super) async fn import_areas(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    body: String,
) -> Result<Json<Report>, ApiError> {
    let (areas, report) = parse(body).await?;
    used_areas_are_there(&app, &areas).await?;
    app.store.set_areas(&areas.geojson()).await?;
    let (taken, left, repaired) = (report.imported, report.skipped.len(), report.repaired.len());
    app.audit_by(&session, "areas.import", "areas", Some(&format!("{taken} areas, {left} left out, {repaired} repaired"))).await?;
    app.set_areas(areas);
    app.tension.changed();
    app.ring.push([Change::Areas]);
    Ok(Json(report))
}

/// Reads, repairs and compares outlines, away from the threads that serve others.
async fn parse(body: String) -> Result<(Areas, Report), ApiError> {
    let work = move || -> Result<(Areas, Report), AreasError> {
        let (areas, mut report) = Areas::parse(&body)?;
        report.overlaps = areas.overlaps();
        Ok((areas, report))
    };
    let broke = |_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The import broke off; nothing was changed.");
    tokio::task::spawn_blocking(work).await.map_err(broke)?.map_err(|error| ApiError::invalid(format!("The file {error}.")))
}

/// Outlines without an area that something lies in are refused whole.
async fn used_areas_are_there(app: &App, areas: &Areas) -> Result<(), ApiError> {
    let mut used: std::collections::BTreeSet<_> = app.config.sites.iter().map(|s| s.area.clone()).collect();
    used.extend(app.store.institutions().await?.into_iter().map(|i| i.area));
    match used.into_iter().find(|code| !areas.contains_code(code)) {
        Some(missing) => Err(ApiError::invalid(format!("The file has no area {missing}, but sites lie in it; nothing was changed."))),
        None => Ok(()),
    }
}
