//! OpenAPI 3.1, generated from the handlers. Which roles may use a route comes from the table.

use axum::Json;
use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{
    Access, alerts, audit, badges, camera_admin, cameras, clips, connectors, devices, dispatch, drills, emergencies, explanation, fusion,
    intake, live, notes, open311, ops, phone, places, plan, planning, public, recordings, register, reports, requests, resident, session,
    shift, signals, sitefile, sources, stream, table, tension, tension_method, users, wall,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Qorgan", description = "Open hub for an operational control centre. Errors have one shape: {\"error\":{\"code\",\"message\",...}}."),
    paths(
        session::log_in, session::who, session::log_out, session::change_password, stream::stream, stream::sound_test,
        alerts::list, alerts::one, alerts::act, alerts::open_incident, cameras::list, cameras::counts, cameras::still,
        places::sites, places::units, places::areas, places::import_areas, places::check_areas, places::area_at, audit::list, audit::verify, users::list, users::add,
        public::summary, serve, ops::healthz, ops::readyz, ops::metrics
    ),
    security(("session" = [])),
    modifiers(&Schemes)
)]
struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let cookie = ApiKeyValue::with_description(crate::auth::COOKIE, "Set by log-in. Changes also need the header x-csrf-token.");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let phone =
            ApiKeyValue::with_description(crate::phones::COOKIE, "Set by enrolment. Changes also need the header x-qorgan-phone: 1.");
        components.add_security_scheme("phone", SecurityScheme::ApiKey(ApiKey::Cookie(phone)));
        let bearer =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The metrics token of the state directory.")).build();
        components.add_security_scheme("metrics_token", SecurityScheme::Http(bearer));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The feed token of the state directory.")).build();
        let machine = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of a program, whose SHA-256 stands in `[[intake.machine]]`."))
            .build();
        components.add_security_scheme("machine_token", SecurityScheme::Http(machine));
        components.add_security_scheme("feed_token", SecurityScheme::Http(bearer));
    }
}

/// The document, each operation with the roles that may use it (`x-roles`; absent when anybody may).
pub fn document() -> Value {
    let mut whole = Document::openapi();
    for part in [
        clips::Doc::openapi(),
        recordings::Doc::openapi(),
        badges::Doc::openapi(),
        camera_admin::Doc::openapi(),
        connectors::Doc::openapi(),
        devices::Doc::openapi(),
        dispatch::Doc::openapi(),
        drills::Doc::openapi(),
        emergencies::Doc::openapi(),
        intake::Doc::openapi(),
        explanation::Doc::openapi(),
        fusion::Doc::openapi(),
        live::Doc::openapi(),
        notes::Doc::openapi(),
        open311::Doc::openapi(),
        phone::Doc::openapi(),
        plan::Doc::openapi(),
        planning::Doc::openapi(),
        register::Doc::openapi(),
        reports::Doc::openapi(),
        requests::Doc::openapi(),
        resident::Doc::openapi(),
        shift::Doc::openapi(),
        signals::Doc::openapi(),
        sitefile::Doc::openapi(),
        sources::Doc::openapi(),
        tension::Doc::openapi(),
        tension_method::Doc::openapi(),
        wall::Doc::openapi(),
    ] {
        whole.merge(part);
    }
    let mut document = serde_json::to_value(whole).unwrap_or_else(|_| json!({}));
    for route in table() {
        let pointer = format!("/paths/{}/{}", route.path.replace('~', "~0").replace('/', "~1"), route.method.as_str().to_lowercase());
        if let Some(operation) = document.pointer_mut(&pointer)
            && route.access != Access::Anyone
        {
            let roles: Vec<&str> = qorgan_domain::Role::ALL.into_iter().filter(|r| route.access.allows(*r)).map(|r| r.as_str()).collect();
            operation["x-roles"] = json!(roles);
        }
    }
    document
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation", responses((status = 200, content_type = "application/json")))]
pub(super) async fn serve() -> Json<Value> {
    Json(document())
}
