//! How the tension index is made: methods, and acts that give a weight to the block that has none by rule.

use std::collections::BTreeMap;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{Method as Verb, StatusCode},
    routing::{get, post},
};
use qorgan_alerts::{
    store::StoredMethod,
    tension::{Act, ActRefusal, Aggregation, Method, MethodError, Normalisation, Perturb, act, method::Reference, words},
};
use qorgan_domain::{BlockId, IndicatorId, PeriodKind};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::{Access::With, Route, row};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    view::Names,
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(methods, add_method, acts, propose, decide, revoke))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, manage) = (With(Right::TensionRead), With(Right::TensionManage));
    vec![
        row(Verb::GET, "/api/v1/tension/methods", read, get(methods)),
        row(Verb::POST, "/api/v1/tension/methods", manage, post(add_method)),
        row(Verb::GET, "/api/v1/tension/weights", read, get(acts)),
        row(Verb::POST, "/api/v1/tension/weights", manage, post(propose)),
        row(Verb::POST, "/api/v1/tension/weights/{id}/decision", manage, post(decide)),
        row(Verb::POST, "/api/v1/tension/weights/{id}/revoke", manage, post(revoke)),
    ]
}

/// A new method: what is absent stays as it is in the one that holds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MethodBody {
    /// `min_max`, `z_score`, `percentile`, `target`.
    #[schema(value_type = Option<String>)]
    normalisation: Option<Normalisation>,
    /// Share of values cut off at each end (min-max only), 0 to 0.1.
    trim: Option<f64>,
    /// `arithmetic` or `geometric`.
    #[schema(value_type = Option<String>)]
    within: Option<Aggregation>,
    /// `arithmetic` or `geometric`.
    #[schema(value_type = Option<String>)]
    across: Option<Aggregation>,
    /// `month`, `quarter` or `year`.
    #[schema(value_type = Option<String>)]
    step: Option<PeriodKind>,
    /// Share of the weight that values must be there for, 0.3 to 1.
    floor: Option<f64>,
    /// Window that the normalisation is fitted on, `{"from","to"}`; null: all periods.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Value>)]
    reference: Option<Option<Reference>>,
    /// Weights of blocks that are to change.
    #[schema(value_type = Option<Value>)]
    block_weights: Option<BTreeMap<BlockId, f64>>,
    /// Weights of indicators that differ from the catalogue's.
    #[schema(value_type = Option<Value>)]
    indicator_weights: Option<BTreeMap<IndicatorId, f64>>,
    /// 100 to 10,000.
    draws: Option<u32>,
    /// Seed of the draws.
    seed: Option<u64>,
    /// What the draws vary.
    #[schema(value_type = Option<Value>)]
    perturb: Option<Perturb>,
    /// Why: 10 to 500 characters.
    reason: String,
}

/// Tells an absent field from null.
fn given<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Option<Option<Reference>>, D::Error> {
    Option::deserialize(field).map(Some)
}

/// A proposal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActBody {
    /// Id of the block.
    block: String,
    /// More than 0 and at most 1.
    weight: f64,
    /// Title of the published act or study.
    basis: String,
    /// Where it can be read, https.
    basis_url: String,
    /// The day it was published, `2026-10-01`.
    published_on: String,
    /// Last day, within twelve months.
    expires_on: String,
}

/// The second person's word.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionBody {
    /// Whether it comes into force.
    approve: bool,
}

/// Why an act is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevokeBody {
    /// 10 to 500 characters.
    reason: String,
}

fn reason_of(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if (10..=500).contains(&text.chars().count()) { Ok(text.to_owned()) } else { Err(ApiError::invalid("reason has 10 to 500 characters")) }
}

fn method_view(stored: &StoredMethod) -> Value {
    let mut view = serde_json::to_value(&stored.method).unwrap_or_default();
    view["reason"] = json!(stored.reason);
    view["made_at"] = json!(stored.made_at);
    view["made_by"] = json!(stored.made_by);
    view["text"] = json!(Names::from(&words::method(&stored.method)));
    view
}

/// Every method, newest first, and which one holds.
#[utoipa::path(get, path = "/api/v1/tension/methods", tag = "tension", responses((status = 200, body = Value)))]
pub(super) async fn methods(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let methods = app.store.tension_methods().await?;
    let current = methods.first().map(|m| m.method.version);
    Ok(Json(json!({ "current": current, "methods": methods.iter().map(method_view).collect::<Vec<_>>() })))
}

/// Makes another method. Everything is computed anew with it, the past too; results of earlier ones stay as they were shown.
#[utoipa::path(post, path = "/api/v1/tension/methods", tag = "tension", request_body = MethodBody,
    responses((status = 201, body = Value), (status = 422, description = "`invalid`, `zero_by_rule`")))]
pub(super) async fn add_method(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<MethodBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let reason = reason_of(&body.reason)?;
    let now = app.clock.utc();
    let catalogue = &app.config.catalogue;
    let acts = app.store.weight_acts().await?;
    let act = act::in_force(&acts, now);
    let newest = app.store.tension_methods().await?.into_iter().next();
    let before = newest.map_or_else(|| Method::first(catalogue), |stored| stored.method);
    let mut method = crate::tension::fitted(before, catalogue, act);
    method.normalisation = body.normalisation.unwrap_or(method.normalisation);
    method.trim = body.trim.unwrap_or(method.trim);
    method.within = body.within.unwrap_or(method.within);
    method.across = body.across.unwrap_or(method.across);
    method.step = body.step.unwrap_or(method.step);
    method.floor = body.floor.unwrap_or(method.floor);
    method.reference = body.reference.unwrap_or(method.reference);
    method.block_weights.extend(body.block_weights.unwrap_or_default());
    method.indicator_weights = body.indicator_weights.unwrap_or(method.indicator_weights);
    method.draws = body.draws.unwrap_or(method.draws);
    method.seed = body.seed.unwrap_or(method.seed);
    method.perturb = body.perturb.unwrap_or(method.perturb);
    method.check(catalogue, act.map(|act| (&act.block, act.weight))).map_err(|error| match error {
        MethodError::ZeroByRule(_) => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "zero_by_rule", error.to_string()),
        _ => ApiError::invalid(error.to_string()),
    })?;
    app.audit_by(&session, "tension.method", "tension/method", Some(&reason)).await?;
    let stored = StoredMethod { method, reason, made_at: now, made_by: session.user.to_string() };
    let stored = app.store.add_tension_method(stored).await?;
    app.tension.changed();
    Ok((StatusCode::CREATED, Json(method_view(&stored))))
}

fn act_view(app: &App, act: &Act) -> Value {
    let time = |at: Option<qorgan_domain::UtcMs>| at.map(|at| at.to_string());
    json!({
        "id": act.id, "block": act.block, "weight": act.weight, "basis": act.basis, "basis_url": act.basis_url,
        "published_on": act.published_on.to_string(), "proposed_at": act.proposed_at, "proposed_by": act.proposed_by,
        "decided_at": time(act.decided_at), "decided_by": act.decided_by, "approved": act.approved,
        "expires_on": act.expires_on.to_string(), "revoked_at": time(act.revoked_at), "revoked_by": act.revoked_by,
        "state": act.state(app.clock.utc()),
    })
}

/// Acts that give the block that is zero by rule a weight, newest first.
#[utoipa::path(get, path = "/api/v1/tension/weights", tag = "tension", responses((status = 200, body = Value)))]
pub(super) async fn acts(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let acts = app.store.weight_acts().await?;
    let in_force = act::in_force(&acts, app.clock.utc()).map(|act| act.id);
    Ok(Json(json!({ "acts": acts.iter().map(|act| act_view(&app, act)).collect::<Vec<_>>(), "in_force": in_force })))
}

fn refused(refusal: ActRefusal) -> ApiError {
    let (status, code) = match refusal {
        ActRefusal::SamePerson => (StatusCode::FORBIDDEN, "same_person"),
        ActRefusal::Decided => (StatusCode::CONFLICT, "decided"),
        ActRefusal::InForce => (StatusCode::CONFLICT, "in_force"),
        ActRefusal::NotByRule | ActRefusal::Weight | ActRefusal::Basis | ActRefusal::Term => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
    };
    ApiError::new(status, code, format!("{refusal}."))
}

/// Proposes a weight. It changes nothing before another person has decided.
#[utoipa::path(post, path = "/api/v1/tension/weights", tag = "tension", request_body = ActBody,
    responses((status = 201, body = Value), (status = 422)))]
pub(super) async fn propose(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<ActBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let day = |text: &str, what: &str| text.parse().map_err(|_| ApiError::invalid(format!("{what} is a day such as 2026-10-01")));
    let act = Act {
        id: 0,
        block: body.block.parse().map_err(|_| ApiError::invalid("block is no id"))?,
        weight: body.weight,
        basis: body.basis.trim().to_owned(),
        basis_url: body.basis_url.trim().to_owned(),
        published_on: day(&body.published_on, "published_on")?,
        proposed_at: app.clock.utc(),
        proposed_by: session.user.to_string(),
        decided_at: None,
        decided_by: None,
        approved: None,
        expires_on: day(&body.expires_on, "expires_on")?,
        revoked_at: None,
        revoked_by: None,
    };
    act.check(app.config.catalogue.block(&act.block)).map_err(refused)?;
    let why = format!("weight {} until {}: {} ({})", act.weight, act.expires_on, act.basis, act.basis_url);
    app.audit_by(&session, "tension.weight.propose", &format!("block/{}", act.block), Some(&why)).await?;
    let act = app.store.add_weight_act(act).await?;
    Ok((StatusCode::CREATED, Json(act_view(&app, &act))))
}

async fn act_of(app: &App, id: i64) -> Result<(Act, Vec<Act>), ApiError> {
    let acts = app.store.weight_acts().await?;
    let act = acts.iter().find(|act| act.id == id).cloned().ok_or_else(|| ApiError::not_found("weight act"))?;
    Ok((act, acts))
}

/// Another person decides; then the index is computed anew.
#[utoipa::path(post, path = "/api/v1/tension/weights/{id}/decision", tag = "tension", params(("id" = i64, Path)), request_body = DecisionBody,
    responses((status = 200, body = Value), (status = 403, description = "`same_person`"), (status = 404), (status = 409, description = "`decided`, `in_force`")))]
pub(super) async fn decide(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<DecisionBody>,
) -> Result<Json<Value>, ApiError> {
    let (mut act, others) = act_of(&app, id).await?;
    act.decide(session.user.as_str(), body.approve, &others, app.clock.utc()).map_err(refused)?;
    let action = if body.approve { "tension.weight.approve" } else { "tension.weight.refuse" };
    app.audit_by(&session, action, &format!("weight-act/{id}"), None).await?;
    if !app.store.decide_weight_act(&act).await? {
        return Err(refused(ActRefusal::Decided));
    }
    app.tension.changed();
    Ok(Json(act_view(&app, &act)))
}

/// Takes an act back; the weight is 0 again at once.
#[utoipa::path(post, path = "/api/v1/tension/weights/{id}/revoke", tag = "tension", params(("id" = i64, Path)), request_body = RevokeBody,
    responses((status = 200, body = Value), (status = 404), (status = 409, description = "`decided`")))]
pub(super) async fn revoke(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<RevokeBody>,
) -> Result<Json<Value>, ApiError> {
    let reason = reason_of(&body.reason)?;
    let (mut act, _) = act_of(&app, id).await?;
    act.revoke(session.user.as_str(), app.clock.utc()).map_err(refused)?;
    app.audit_by(&session, "tension.weight.revoke", &format!("weight-act/{id}"), Some(&reason)).await?;
    if !app.store.revoke_weight_act(&act).await? {
        return Err(refused(ActRefusal::Decided));
    }
    app.tension.changed();
    Ok(Json(act_view(&app, &act)))
}
