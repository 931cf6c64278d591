//! Units: where they are, which are near, their orders and receipts.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{Method, StatusCode},
    routing::{get, post},
};
use qorgan_alerts::life;
use qorgan_domain::{AlertId, AreaCode, GeoPoint, UtcMs, alert::Alert, wire::MAX_AHEAD_MS};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{Access::With, Route, row};
use crate::{
    auth::{Right, Session},
    config::{Unit, UnitKind},
    error::{ApiError, chain},
    hub::{self, App},
    sitefile::{Contact, SiteFile, site_file},
    units::{self, Fix},
    view::{AlertView, Names, UnitLiveView},
};

/// Alerts that one request may mark.
const MAX_SHOWN: usize = 10_000;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(live, near, position, order, shown))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    vec![
        row(Method::GET, "/api/v1/units/live", With(Right::UnitsRead), get(live)),
        row(Method::GET, "/api/v1/alerts/{id}/units", With(Right::UnitsRead), get(near)),
        row(Method::POST, "/api/v1/unit/position", With(Right::OrdersAnswer), post(position)),
        row(Method::GET, "/api/v1/order", With(Right::OrdersAnswer), get(order)),
        row(Method::POST, "/api/v1/alerts/shown", With(Right::AlertsAct), post(shown)),
    ]
}

/// All units, with their positions.
#[derive(Serialize, ToSchema)]
pub(super) struct LiveUnitList {
    units: Vec<UnitLiveView>,
}

/// Who could go.
#[derive(Serialize, ToSchema)]
pub(super) struct NearList {
    /// Distances are straight lines: no roads, no rivers.
    straight_line: bool,
    /// Nearest first.
    offered: Vec<OfferedView>,
    /// The others and why; each can be sent by hand all the same.
    not_offered: Vec<NotOfferedView>,
}

/// A unit that is offered.
#[derive(Serialize, ToSchema)]
pub(super) struct OfferedView {
    id: String,
    name: Names,
    kind: UnitKind,
    /// Straight line, metres; none when the alert has no place.
    distance_m: Option<f64>,
    /// Age of its position, seconds.
    age_s: f64,
    /// The place lies in its territory.
    responsible: bool,
}

/// A unit that is not offered.
#[derive(Serialize, ToSchema)]
pub(super) struct NotOfferedView {
    id: String,
    name: Names,
    kind: UnitKind,
    /// `no_position`, `old_position` (over five minutes) or `busy`.
    why: &'static str,
    /// Age of its position, seconds.
    age_s: Option<f64>,
    /// The place lies in its territory.
    responsible: bool,
}

/// Where the unit of this session is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PositionBody {
    /// Degrees north.
    lat: f64,
    /// Degrees east.
    lon: f64,
    /// Radius of the 68 % circle, metres.
    accuracy_m: Option<f64>,
    /// When it was measured, RFC 3339.
    #[schema(value_type = String)]
    at: UtcMs,
}

/// The order that stands for the unit of this session.
#[derive(Serialize, ToSchema)]
pub(super) struct OrderAnswer {
    order: Option<OrderView>,
}

/// An order.
#[derive(Serialize, ToSchema)]
pub(super) struct OrderView {
    /// What it is about.
    alert: AlertView,
    /// Name of the place.
    place: Option<Names>,
    /// Street address, if the site file has one.
    address: Option<String>,
    /// Whether the site has a plan.
    plan: bool,
    /// What the site file says to whoever comes.
    notes: Option<String>,
    /// Whom to call there.
    contacts: Vec<Contact>,
    /// An exercise.
    drill: bool,
    /// What the desk adds.
    note: Option<String>,
}

/// Alerts that are on a desk's screen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShownBody {
    /// Their numbers, at most 10,000.
    ids: Vec<i64>,
}

/// Where every unit is now, and what it is busy with.
#[utoipa::path(get, path = "/api/v1/units/live", tag = "dispatch", responses((status = 200, body = LiveUnitList)))]
pub(super) async fn live(State(app): State<App>) -> Json<LiveUnitList> {
    Json(LiveUnitList { units: live_units(&app) })
}

/// Every unit as the desks see it.
pub(super) fn live_units(app: &App) -> Vec<UnitLiveView> {
    let (open, now) = (app.engine.open_alerts(), app.clock.utc());
    app.config.units.iter().map(|unit| units::live_view(unit, app.units.fix(&unit.id), &open, now)).collect()
}

/// Units for an alert, nearest first by the straight line; those that are not offered with the reason. A position older than
/// five minutes is not offered; whose territory it is, is marked and changes no order.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/units", tag = "dispatch", params(("id" = i64, Path)),
    responses((status = 200, body = NearList), (status = 404)))]
pub(super) async fn near(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
) -> Result<Json<NearList>, ApiError> {
    let (open, now) = (app.engine.open_alerts(), app.clock.utc());
    let alert = open.iter().find(|alert| alert.id == AlertId(id) && life::visible(alert, &session.viewer()));
    let alert = alert.ok_or_else(|| ApiError::not_found("open alert"))?;
    let candidates = units::candidates(&app.config, &app.units, &open, area_of(&app, alert).as_ref());
    let (offered, not_offered) = units::offer(candidates, alert.position, now);
    let unit = |id: &qorgan_domain::UnitId| app.config.units.iter().find(|unit| unit.id == *id);
    let seconds = |ms: i64| ms as f64 / 1000.0;
    let named = |unit: &Unit| (unit.id.to_string(), Names::from(&unit.name), unit.kind);
    let offered = offered.into_iter().filter_map(|o| {
        let (id, name, kind) = named(unit(&o.unit)?);
        Some(OfferedView { id, name, kind, distance_m: o.distance_m, age_s: seconds(o.age_ms), responsible: o.responsible })
    });
    let not_offered = not_offered.into_iter().filter_map(|n| {
        let (id, name, kind) = named(unit(&n.unit)?);
        Some(NotOfferedView { id, name, kind, why: n.why.as_str(), age_s: n.age_ms.map(seconds), responsible: n.responsible })
    });
    Ok(Json(NearList { straight_line: true, offered: offered.collect(), not_offered: not_offered.collect() }))
}

/// The area of an alert: its site's, else the one its position lies in.
fn area_of(app: &App, alert: &Alert) -> Option<AreaCode> {
    let site = alert.site.as_ref().and_then(|id| app.config.sites.iter().find(|site| site.id == *id));
    match site {
        Some(site) => Some(site.area.clone()),
        None => app.areas().at(alert.position?).map(|area| area.code.clone()),
    }
}

/// The patrol's phone says where the unit is. Kept in memory only; the newest counts.
#[utoipa::path(post, path = "/api/v1/unit/position", tag = "dispatch", request_body = PositionBody,
    responses((status = 204), (status = 422, description = "no place, or a time more than 30 s ahead")))]
pub(super) async fn position(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<PositionBody>,
) -> Result<StatusCode, ApiError> {
    let unit = session.unit.as_ref().ok_or_else(|| ApiError::invalid("this account speaks for no unit"))?;
    let position = GeoPoint::new(body.lat, body.lon).map_err(|error| ApiError::invalid(error.to_string()))?;
    if body.accuracy_m.is_some_and(|metres| !(metres.is_finite() && metres >= 0.0)) {
        return Err(ApiError::invalid("accuracy_m is not a length"));
    }
    let ahead_ms = body.at.ms_since(app.clock.utc());
    if ahead_ms > MAX_AHEAD_MS {
        return Err(ApiError::invalid(format!("the position is {ahead_ms} ms ahead of the hub's clock")));
    }
    // One that comes late changes nothing, and nothing is wrong with having sent it.
    hub::moved(&app, unit, Fix { position, at: body.at });
    Ok(StatusCode::NO_CONTENT)
}

/// The order that stands for the unit of this session, with what it needs there.
#[utoipa::path(get, path = "/api/v1/order", tag = "dispatch", responses((status = 200, body = OrderAnswer)))]
pub(super) async fn order(State(app): State<App>, Extension(session): Extension<Session>) -> Result<Json<OrderAnswer>, ApiError> {
    let open = app.engine.open_alerts();
    let standing = session.unit.as_ref().and_then(|unit| units::standing_order(&open, unit));
    let Some(alert) = standing.filter(|alert| life::visible(alert, &session.viewer())) else {
        return Ok(Json(OrderAnswer { order: None }));
    };
    let file = file_for_order(&app, &session, alert).await;
    let note = hub::note_of(&app, alert).await;
    let (mut address, mut notes, mut plan, mut contacts) = (None, None, false, Vec::new());
    if let Some(file) = file {
        (address, notes, plan, contacts) = (file.address, file.notes, file.plan.is_some(), file.contacts);
    }
    let place = hub::place_name(&app, alert).as_ref().map(Names::from);
    let order =
        OrderView { alert: AlertView::new(alert, &session), place, address, plan, notes, contacts, drill: hub::is_drill(alert), note };
    Ok(Json(OrderAnswer { order: Some(order) }))
}

/// The file of the site that an order leads to; a patrol may read it while the order stands, and that is written down first.
/// An order must not wait for its site file: what cannot be read is left out.
async fn file_for_order(app: &App, session: &Session, alert: &Alert) -> Option<SiteFile> {
    let site = alert.site.as_ref()?;
    let read = async {
        app.audit_by(session, "sitefile.open", &format!("site/{site}"), Some(&format!("alert {}", alert.id))).await?;
        site_file(app, site).await
    };
    match read.await {
        Ok(file) => Some(file),
        Err(error) => {
            tracing::error!(%site, error = chain(&error), "the site file could not be read; the order goes without it");
            None
        }
    }
}

/// Street address of an alert's site, for the order on MQTT.
pub(crate) async fn address_of(app: &App, alert: &Alert) -> Option<String> {
    match app.store.site_page(alert.site.as_ref()?).await {
        Ok(page) => page?.address,
        Err(error) => {
            tracing::warn!(alert = %alert.id, error = chain(&error), "the address could not be read; the order goes without it");
            None
        }
    }
}

/// Many alerts at once are on a desk's screen. The first desk counts; what was noted already, is closed or is not this role's is passed over.
#[utoipa::path(post, path = "/api/v1/alerts/shown", tag = "dispatch", request_body = ShownBody,
    responses((status = 204), (status = 422, description = "more than 10,000 numbers")))]
pub(super) async fn shown(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<ShownBody>,
) -> Result<StatusCode, ApiError> {
    if body.ids.len() > MAX_SHOWN {
        return Err(ApiError::invalid(format!("at most {MAX_SHOWN} numbers at once")));
    }
    let asked: std::collections::HashSet<i64> = body.ids.into_iter().collect();
    let viewer = session.viewer();
    let open = app.engine.open_alerts();
    let new = open.iter().filter(|alert| asked.contains(&alert.id.0) && alert.progress.shown_at.is_none() && life::visible(alert, &viewer));
    let new: Vec<AlertId> = new.map(|alert| alert.id).collect();
    if !new.is_empty() {
        app.engine.shown(new, session.actor()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
