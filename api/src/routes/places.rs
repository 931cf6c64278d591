//! Sites, units and the outlines of the districts.

use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::cameras::sees_site;
use crate::{
    areas::{Areas, Skipped},
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

/// What an import took and left.
#[derive(Serialize, ToSchema)]
pub(super) struct Imported {
    /// Areas taken.
    imported: usize,
    /// Features left out.
    skipped: Vec<Skipped>,
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

/// Replaces the outlines by official ones. Features that cannot be used are left out and named.
#[utoipa::path(put, path = "/api/v1/areas", tag = "places", request_body(content = String, content_type = "application/geo+json"),
    responses((status = 200, body = Imported), (status = 422, description = "nothing usable; nothing was changed")))]
pub(super) async fn import_areas(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    body: String,
) -> Result<Json<Imported>, ApiError> {
    let parsed = tokio::task::spawn_blocking(move || Areas::parse(&body)).await;
    let parsed =
        parsed.map_err(|_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The import broke off; nothing was changed."))?;
    let (areas, skipped) = parsed.map_err(|error| ApiError::invalid(error.to_string()))?;
    let used: std::collections::HashSet<_> = app.config.sites.iter().map(|s| &s.area).collect();
    if let Some(missing) = used.into_iter().find(|code| !areas.contains_code(code)) {
        return Err(ApiError::invalid(format!("The file has no area {missing}, but sites lie in it; nothing was changed.")));
    }
    app.store.set_areas(&areas.geojson()).await?;
    let imported = areas.iter().count();
    app.audit_by(&session, "areas.import", "areas", Some(&format!("{imported} areas, {} left out", skipped.len()))).await?;
    app.set_areas(areas);
    app.ring.push([Change::Areas]);
    Ok(Json(Imported { imported, skipped }))
}
