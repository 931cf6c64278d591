//! What residents use without logging in: the form, the status by reference, "fixed" or "not fixed", the district of a place, the map.
//!
//! There is no cookie here that another site could ride on. A submission needs a token of the hub's own form and a header that a form
//! of another site cannot send; addresses and codes have their limits. No answer names anybody or shows what was written.

use std::net::{IpAddr, SocketAddr};

use axum::{
    Json,
    extract::{ConnectInfo, Path, Query, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use qorgan_alerts::{
    requests::{Action, By, Reference, State as Standing, mask},
    store::{Channel, Request},
};
use qorgan_domain::{GeoPoint, UtcMs};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{Access::Anyone, Route, requests::apply, row};
use crate::{
    error::ApiError,
    hub::App,
    requests::{
        figures::{Heat, Span, heat, today},
        intake::{self, Contact, PLACE_MAX, Submission, TEXT_MAX, TEXT_MIN, Taken, locate},
        settings::Category,
        too_many, words,
    },
    view::Names,
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(form, submit, status, status_text, verdict, nearest, public_heat))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    vec![
        row(Method::GET, "/api/v1/public/requests/form", Anyone, get(form)),
        row(Method::POST, "/api/v1/public/requests", Anyone, post(submit)),
        row(Method::GET, "/api/v1/public/requests/nearest", Anyone, get(nearest)),
        row(Method::GET, "/api/v1/public/requests/heat", Anyone, get(public_heat)),
        row(Method::GET, "/api/v1/public/requests/{reference}", Anyone, get(status)),
        row(Method::GET, "/api/v1/public/requests/{reference}/status.txt", Anyone, get(status_text)),
        row(Method::POST, "/api/v1/public/requests/{reference}/verdict", Anyone, post(verdict)),
    ]
}

/// A submission by the public page.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SubmitBody {
    /// From the form.
    form_token: String,
    /// Made by the page once for each form: the same again is the same request.
    idempotency_key: String,
    /// Category.
    category: String,
    /// What it is about.
    text: String,
    /// `[lat, lon]`
    position: [f64; 2],
    /// House or landmark.
    place: Option<String>,
    /// `kk`, `ru` or `en`.
    language: String,
    /// How to reach whoever files it; none is fine.
    contact: Option<Contact>,
    /// Answers to the category's questions, by code.
    #[serde(default)]
    attributes: std::collections::BTreeMap<String, String>,
}

/// What whoever filed it has to keep.
#[derive(Serialize, ToSchema)]
pub(super) struct Receipt {
    /// Number to ask by.
    reference: String,
    /// Opens the judgement; shown once.
    code: String,
    /// What was taken out of the text before it was stored.
    #[schema(value_type = Vec<String>)]
    masked: Vec<qorgan_alerts::requests::Masked>,
    /// District.
    area: String,
    /// Its name.
    area_name: Names,
    /// Until when there will be an answer.
    #[schema(value_type = String)]
    answer_by: UtcMs,
    /// Category.
    category: String,
    /// When it came in.
    #[schema(value_type = String)]
    received_at: UtcMs,
    /// When the contact is deleted.
    #[schema(value_type = Option<String>)]
    contact_expires_at: Option<UtcMs>,
    /// It had come before.
    replayed: bool,
}

/// A resident's judgement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerdictBody {
    /// The code of the receipt.
    code: String,
    /// `confirmed` or `not_fixed`.
    verdict: String,
    /// What is still wrong.
    words: Option<String>,
}

/// Where.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    lat: f64,
    lon: f64,
}

/// In which language.
#[derive(Deserialize, IntoParams)]
pub(super) struct Language {
    /// `kk`, `ru` or `en`.
    lang: Option<String>,
}

/// Which period and category.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct HeatQuery {
    /// `2026`, `2026-Q4` or `2026-11`; this month when absent.
    pub(super) period: Option<String>,
    /// Category.
    pub(super) category: Option<String>,
}

/// The form: categories with their deadlines, limits, and a token that is good for a day.
#[utoipa::path(get, path = "/api/v1/public/requests/form", tag = "residents", responses((status = 200)))]
pub(super) async fn form(State(app): State<App>) -> Response {
    let (form_token, expires_at) = app.requests.keys.form(app.clock.utc());
    let (bounds, centre) = extent(&app);
    let settings = &app.requests.settings;
    // For whoever's phone gives no position: the district, and the place in words.
    let areas: Vec<Value> = app.areas().iter().map(|a| json!({ "kato": a.code, "name": a.name, "centre": a.centre })).collect();
    let body = json!({
        "form_token": form_token,
        "expires_at": expires_at,
        "languages": ["kk", "ru", "en"],
        "categories": settings.categories.iter().map(|category| category_view(&app, category)).collect::<Vec<_>>(),
        "limits": { "text_min": TEXT_MIN, "text_max": TEXT_MAX, "place_max": PLACE_MAX },
        "contact_days": settings.contact_days,
        "bounds": bounds,
        "centre": centre,
        "areas": areas,
        "hub": { "name": app.config.hub.name },
        "demo": app.config.hub.demo_logins,
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// A category as the form and the desk show it.
pub(super) fn category_view(app: &App, category: &Category) -> Value {
    let settings = &app.requests.settings;
    let name = |all: &[crate::requests::settings::Named], id: &str| all.iter().find(|named| named.id == id).map(|named| named.name.clone());
    let answer_hours = match category.answer {
        qorgan_alerts::requests::Term::Hours(hours) => hours,
        qorgan_alerts::requests::Term::WorkingDays(days) => days * 24,
    };
    let attribute = |a: &crate::requests::settings::Attribute| {
        let values: Vec<Value> = a.values.iter().map(|v| json!({ "key": v.key, "name": v.name })).collect();
        json!({ "code": a.code, "datatype": a.datatype, "required": a.required, "name": a.name, "values": values })
    };
    json!({
        "id": category.id, "name": category.name, "hint": category.hint, "group": category.group,
        "group_name": name(&settings.groups, &category.group), "service": category.service,
        "service_name": name(&settings.services, &category.service), "answer_hours": answer_hours, "deadline": category.deadline,
        "attributes": category.attributes.iter().map(attribute).collect::<Vec<_>>(),
    })
}

/// South-west and north-east corner of all districts, and a place in the first.
fn extent(app: &App) -> (Value, Value) {
    let areas = app.areas();
    let corners = areas.iter().filter_map(crate::areas::Area::corners);
    let all = corners.reduce(|(a, b), (c, d)| ([a[0].min(c[0]), a[1].min(c[1])], [b[0].max(d[0]), b[1].max(d[1])]));
    let centre = areas.iter().next().and_then(|area| area.centre);
    (json!(all.map(|(a, b)| [a, b])), json!(centre))
}

/// Files a request. Personal data in the text is masked before it is stored.
#[utoipa::path(post, path = "/api/v1/public/requests", tag = "residents", request_body = SubmitBody,
    responses((status = 201, body = Receipt), (status = 200, body = Receipt, description = "it had come before"), (status = 403), (status = 409), (status = 422), (status = 429)))]
pub(super) async fn submit(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(body): Json<SubmitBody>,
) -> Result<Response, ApiError> {
    same_site(&headers)?;
    if !app.requests.keys.is_form(&body.form_token, app.clock.utc()) {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "form_token",
            "The form has lain open too long. Load it again; what was written stays.",
        ));
    }
    app.requests.take_intake(peer.ip(), app.clock.instant()).map_err(too_many)?;
    let submission = Submission {
        category: body.category,
        text: body.text,
        position: body.position,
        place: body.place,
        language: body.language,
        contact: body.contact,
        attributes: body.attributes.into_iter().collect(),
        key: Some(body.idempotency_key),
        channel: Channel::Page,
        by: None,
    };
    receipt(&app, intake::take(&app, submission).await?).await
}

/// The answer to whoever filed a request.
pub(super) async fn receipt(app: &App, taken: Taken) -> Result<Response, ApiError> {
    let Taken { request, replayed } = taken;
    let contact = app.store.request_contact(request.id, app.clock.utc()).await?;
    let body = Receipt {
        code: app.requests.keys.code(&request.reference),
        reference: request.reference.to_string(),
        masked: request.masked.clone(),
        area: request.area.to_string(),
        area_name: area_name(app, &request.area),
        answer_by: request.standing.answer_by,
        category: request.standing.category.clone(),
        received_at: request.received_at,
        contact_expires_at: contact.map(|(_, expires_at)| expires_at),
        replayed,
    };
    let status = if replayed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// How a request stands.
#[utoipa::path(get, path = "/api/v1/public/requests/{reference}", tag = "residents", params(("reference" = String, Path)),
    responses((status = 200), (status = 404), (status = 422), (status = 429)))]
pub(super) async fn status(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(reference): Path<String>,
) -> Result<Response, ApiError> {
    let (asked, shown) = find(&app, peer.ip(), &reference).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(status_view(&app, &asked, &shown).await?)).into_response())
}

/// The same in one short text, for SMS and voice.
#[utoipa::path(get, path = "/api/v1/public/requests/{reference}/status.txt", tag = "residents", params(("reference" = String, Path), Language),
    responses((status = 200, content_type = "text/plain"), (status = 404), (status = 422), (status = 429)))]
pub(super) async fn status_text(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(reference): Path<String>,
    Query(language): Query<Language>,
) -> Result<Response, ApiError> {
    let (asked, mut shown) = find(&app, peer.ip(), &reference).await?;
    shown.reference = asked.reference.clone();
    let language = language.lang.unwrap_or_else(|| asked.language.clone());
    let category = app.requests.settings.category(&shown.standing.category).map(|c| words::pick(&c.name, &language).to_owned());
    let text = words::status_text(&shown, &category.unwrap_or_default(), &language, app.requests.offset_min);
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], text).into_response())
}

/// "Fixed" or "not fixed", by the code of the receipt.
#[utoipa::path(post, path = "/api/v1/public/requests/{reference}/verdict", tag = "residents", params(("reference" = String, Path)),
    request_body = VerdictBody, responses((status = 200), (status = 403), (status = 404), (status = 409), (status = 422), (status = 429)))]
pub(super) async fn verdict(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(reference): Path<String>,
    headers: HeaderMap,
    Json(body): Json<VerdictBody>,
) -> Result<Json<Value>, ApiError> {
    same_site(&headers)?;
    let (asked, shown) = find(&app, peer.ip(), &reference).await?;
    let instant = app.clock.instant();
    app.requests.may_try_code(asked.id, instant).map_err(too_many)?;
    if !app.requests.keys.is_code(&asked.reference, &body.code) {
        app.requests.wrong_code(asked.id, instant);
        return Err(ApiError::new(StatusCode::FORBIDDEN, "bad_code", "This is not the code of this request."));
    }
    let action = match body.verdict.as_str() {
        "confirmed" => Action::Confirm,
        "not_fixed" => Action::NotFixed,
        _ => return Err(ApiError::invalid("verdict is confirmed or not_fixed").with("field", "verdict")),
    };
    let words = match body.words.as_deref().map(str::trim).filter(|words| !words.is_empty()) {
        Some(words) => Some(intake::text("words", words, 1, 1_000)?.0),
        None => None,
    };
    // Who follows a request judges what was done about that one.
    let changed = apply(&app, &shown, &action, By::Resident, ("resident", None), words.as_deref()).await?;
    let asked = if asked.id == changed.id { changed.clone() } else { asked };
    Ok(Json(status_view(&app, &asked, &changed).await?))
}

/// The district that a place lies in or is nearest to.
#[utoipa::path(get, path = "/api/v1/public/requests/nearest", tag = "residents", params(Place), responses((status = 200), (status = 422)))]
pub(super) async fn nearest(State(app): State<App>, Query(place): Query<Place>) -> Result<Json<Value>, ApiError> {
    let position = GeoPoint::new(place.lat, place.lon).map_err(|e| ApiError::invalid(e.to_string()))?;
    let (area, name, inside, metres) = locate(&app, position)?;
    Ok(Json(json!({ "area": area, "name": name, "inside": inside, "distance_m": metres.round() })))
}

/// Requests by district, rounded down to tens.
#[utoipa::path(get, path = "/api/v1/public/requests/heat", tag = "residents", params(HeatQuery), responses((status = 200, body = Heat), (status = 422)))]
pub(super) async fn public_heat(State(app): State<App>, Query(query): Query<HeatQuery>) -> Result<Json<Heat>, ApiError> {
    let span = span(&app, query.period.as_deref())?;
    let category = known_category(&app, query.category)?;
    Ok(Json(heat(&app, &span, category.as_deref()).await?))
}

/// A period, this month when none is given.
pub(super) fn span(app: &App, period: Option<&str>) -> Result<Span, ApiError> {
    match period {
        Some(period) => Span::parse(period)
            .ok_or_else(|| ApiError::invalid("period is a year, quarter or month: 2026, 2026-Q4, 2026-11").with("field", "period")),
        None => Ok(Span::month(today(app))),
    }
}

pub(super) fn known_category(app: &App, category: Option<String>) -> Result<Option<String>, ApiError> {
    match category.filter(|category| !category.is_empty()) {
        Some(category) if app.requests.settings.category(&category).is_none() => Err(intake::Complaint::Category(category).into()),
        category => Ok(category),
    }
}

/// The name of a district; its code where the outlines do not know it any more.
pub(super) fn area_name(app: &App, code: &qorgan_domain::AreaCode) -> Names {
    app.areas().get(code).map_or_else(|| Names::same(code.as_str()), |area| (&area.name).into())
}

/// The request of a reference, and the one it follows (itself, mostly).
async fn find(app: &App, address: IpAddr, reference: &str) -> Result<(Request, Request), ApiError> {
    app.requests.take_status(address, app.clock.instant()).map_err(too_many)?;
    let bad = |e: qorgan_alerts::requests::ReferenceError| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_reference", e.to_string());
    let reference: Reference = reference.parse().map_err(bad)?;
    let missing = || ApiError::not_found("request");
    let asked = app.store.request_by_reference(&reference).await?.ok_or_else(missing)?;
    let shown = match asked.standing.merged_into {
        Some(id) => app.store.request(id).await?.ok_or_else(missing)?,
        None => asked.clone(),
    };
    Ok((asked, shown))
}

async fn status_view(app: &App, asked: &Request, shown: &Request) -> Result<Value, ApiError> {
    let (now, standing) = (app.clock.utc(), &shown.standing);
    let category = app.requests.settings.category(&standing.category);
    let service = app.requests.settings.service(&standing.service);
    let mut steps: Vec<Value> = Vec::new();
    let mut last: Option<Standing> = None;
    for step in app.store.request_history(shown.id).await? {
        if last != Some(step.to) {
            steps.push(json!({ "state": step.to, "at": step.at }));
            last = Some(step.to);
        }
    }
    Ok(json!({
        "reference": asked.reference.to_string(),
        "state": standing.state, "state_name": words::state_name(standing.state),
        "category": standing.category, "category_name": category.map(|c| &c.name), "service_name": service.map(|s| &s.name),
        "area": asked.area, "area_name": area_name(app, &asked.area),
        "received_at": asked.received_at, "answer_by": standing.answer_by, "answered_at": standing.answered_at, "answer": standing.answer,
        "promised_at": standing.promised_at, "done_at": standing.done_at, "closed_at": standing.closed_at,
        "overdue": standing.overdue(now), "reopened": standing.reopened, "followers": shown.followers,
        "merged": asked.id != shown.id, "can_judge": standing.can_judge(now), "judge_until": standing.judge_until,
        "steps": steps, "demo": asked.demo,
    }))
}

/// Nothing that another site can make a browser send.
fn same_site(headers: &HeaderMap) -> Result<(), ApiError> {
    let own = headers.get("x-qorgan-form").is_some_and(|v| v == "1");
    let crossed = headers.get("sec-fetch-site").is_some_and(|v| v == "cross-site");
    if own && !crossed {
        Ok(())
    } else {
        Err(ApiError::new(StatusCode::FORBIDDEN, "cross_site", "The header x-qorgan-form is missing, or another site sent this."))
    }
}

/// Words of the desk to a resident: cleaned, and masked like everything that is stored.
pub(super) fn words_to_resident(field: &'static str, text: &str) -> Result<String, ApiError> {
    let (clean, _) = mask(text);
    if clean.chars().count() > 2_000 {
        return Err(ApiError::invalid(format!("{field} has at most 2000 characters")).with("field", field));
    }
    Ok(clean)
}
