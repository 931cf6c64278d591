//! The HTTP API: one table of routes, each with who may use it, from which the router is built.

mod alerts;
mod audit;
mod badges;
mod camera_admin;
mod cameras;
mod clips;
mod connectors;
mod devices;
mod dispatch;
mod drills;
mod emergencies;
mod explanation;
mod fusion;
mod guard;
mod intake;
mod live;
mod notes;
mod open311;
mod openapi;
mod ops;
mod phone;
mod phones;
mod places;
mod plan;
mod planning;
mod public;
mod recordings;
mod register;
mod reports;
mod requests;
mod resident;
mod session;
mod shift;
mod signals;
mod sitefile;
mod sources;
mod stream;
mod tension;
mod tension_method;
mod users;
mod wall;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, Method, header},
    middleware,
    routing::{MethodRouter, get, post, put},
};
use tower_http::{compression::CompressionLayer, set_header::SetResponseHeaderLayer};

use crate::{auth::Right, hub::App, web};

pub(crate) use dispatch::address_of;
pub(crate) use fusion::refresh as refresh_rules;
pub use guard::Access;
pub use openapi::document;
pub use stream::Desks;

/// One row of the table.
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path in axum's notation, which is also OpenAPI's.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    handler: MethodRouter<App>,
}

/// Every route of the API. Pages and their assets, which carry no data, are added by [`router`].
pub fn table() -> Vec<Route> {
    use Access::{AnySession, Anyone, With};
    let mut rows = vec![
        row(Method::POST, "/api/v1/session", Anyone, post(session::log_in)),
        row(Method::GET, "/api/v1/session", AnySession, get(session::who)),
        row(Method::DELETE, "/api/v1/session", AnySession, axum::routing::delete(session::log_out)),
        row(Method::PUT, "/api/v1/session/password", AnySession, put(session::change_password)),
        row(Method::GET, "/api/v1/stream", AnySession, get(stream::stream)),
        row(Method::GET, "/api/v1/alerts", With(Right::AlertsRead), get(alerts::list)),
        row(Method::GET, "/api/v1/alerts/{id}", With(Right::AlertsRead), get(alerts::one)),
        row(Method::POST, "/api/v1/alerts/{id}/actions", With(Right::AlertsAct), post(alerts::act)),
        row(Method::POST, "/api/v1/incidents", With(Right::IncidentsOpen), post(alerts::open_incident)),
        row(Method::GET, "/api/v1/cameras", With(Right::CamerasRead), get(cameras::list)),
        row(Method::GET, "/api/v1/cameras/{site}/{device}/counts", With(Right::CamerasRead), get(cameras::counts)),
        row(Method::POST, "/api/v1/cameras/{site}/{device}/still", With(Right::StillOpen), post(cameras::still)),
        row(Method::GET, "/api/v1/sites", With(Right::AreasRead), get(places::sites)),
        row(Method::GET, "/api/v1/units", With(Right::AlertsRead), get(places::units)),
        row(Method::GET, "/api/v1/areas", With(Right::AreasRead), get(places::areas)),
        row(
            Method::PUT,
            "/api/v1/areas",
            With(Right::AreasWrite),
            put(places::import_areas).layer(DefaultBodyLimit::max(crate::areas::MAX_BYTES)),
        ),
        row(Method::GET, "/api/v1/areas/at", With(Right::AreasRead), get(places::area_at)),
        row(
            Method::POST,
            "/api/v1/areas/check",
            With(Right::AreasWrite),
            post(places::check_areas).layer(DefaultBodyLimit::max(crate::areas::MAX_BYTES)),
        ),
        row(Method::POST, "/api/v1/desk/sound-test", With(Right::DeskSound), post(stream::sound_test)),
        row(Method::GET, "/api/v1/audit", With(Right::AuditRead), get(audit::list)),
        row(Method::GET, "/api/v1/audit/verify", With(Right::AuditRead), get(audit::verify)),
        row(Method::GET, "/api/v1/users", With(Right::UsersManage), get(users::list)),
        row(Method::POST, "/api/v1/users", With(Right::UsersManage), post(users::add)),
        row(Method::GET, "/api/v1/public", Anyone, get(public::summary)),
        row(Method::GET, "/openapi.json", AnySession, get(openapi::serve)),
        row(Method::GET, "/healthz", Anyone, get(ops::healthz)),
        row(Method::GET, "/readyz", Anyone, get(ops::readyz)),
        row(Method::GET, "/metrics", Access::WithOrToken(Right::MetricsRead), get(ops::metrics)),
    ];
    rows.extend(clips::rows());
    rows.extend(recordings::rows());
    rows.extend(badges::rows());
    rows.extend(camera_admin::rows());
    rows.extend(connectors::rows());
    rows.extend(devices::rows());
    rows.extend(dispatch::rows());
    rows.extend(drills::rows());
    rows.extend(emergencies::rows());
    rows.extend(intake::rows());
    rows.extend(explanation::rows());
    rows.extend(fusion::rows());
    rows.extend(live::rows());
    rows.extend(notes::rows());
    rows.extend(open311::rows());
    rows.extend(phone::rows());
    rows.extend(plan::rows());
    rows.extend(planning::rows());
    rows.extend(register::rows());
    rows.extend(reports::rows());
    rows.extend(requests::rows());
    rows.extend(resident::rows());
    rows.extend(shift::rows());
    rows.extend(signals::rows());
    rows.extend(sitefile::rows());
    rows.extend(sources::rows());
    rows.extend(tension::rows());
    rows.extend(tension_method::rows());
    rows.extend(wall::rows());
    rows
}

/// One row.
fn row(method: Method, path: &'static str, access: Access, handler: MethodRouter<App>) -> Route {
    Route { method, path, access, handler }
}

/// The whole router: the table, then the pages.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in table() {
        let guard = middleware::from_fn_with_state((app.clone(), route.access), guard::guard);
        router = router.route(route.path, route.handler.route_layer(guard));
    }
    let fixed = |name, value: &'static str| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    router
        .fallback(web::serve)
        .method_not_allowed_fallback(web::method_not_allowed)
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(CompressionLayer::new().gzip(true))
        .layer(middleware::from_fn(ops::measure))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, web::CONTENT_SECURITY_POLICY))
        .layer(fixed(header::HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(self)"))
        .with_state(app)
}

#[cfg(test)]
mod tests;
