//! What leaves the hub and what receiving systems say: CAP feed, outbox, status coming back.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use qorgan_alerts::{engine::ActError, life};
use qorgan_domain::{
    AlertId,
    alert::{Action, Actor, External},
};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{Access, Route, row};
use crate::{
    auth::Right,
    config::ConnectorKind,
    connect::{cap, cap_of, sign},
    error::{ApiError, chain},
    hub::App,
};

/// Alerts of the feed at most, newest first.
const FEED: u32 = 200;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, feed, message, status))]
pub(super) struct Doc;

/// Rows of the table. A receiving system proves itself by its signature, which the handler checks: no session can stand in for it.
pub(super) fn rows() -> Vec<Route> {
    vec![
        row(Method::GET, "/api/v1/connectors", Access::With(Right::ConnectorsRead), get(list)),
        row(Method::GET, "/api/v1/cap/alerts.atom", Access::WithOrToken(Right::ConnectorsRead), get(feed)),
        row(Method::GET, "/api/v1/cap/alerts/{file}", Access::WithOrToken(Right::ConnectorsRead), get(message)),
        row(Method::POST, "/api/v1/connectors/{id}/status", Access::Signed, post(status)),
    ]
}

/// Every connector.
#[derive(Serialize, ToSchema)]
struct ConnectorList {
    connectors: Vec<ConnectorView>,
}

/// How a connector stands.
#[derive(Serialize, ToSchema)]
struct ConnectorView {
    id: String,
    kind: ConnectorKind,
    /// Messages that wait.
    waiting: i64,
    /// Messages that were taken in the last 30 days.
    delivered: i64,
    /// Why the oldest waiting one was not taken.
    last_error: Option<String>,
    last_delivered_at: Option<String>,
}

/// The word of a receiving system.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StatusBody {
    /// Its own id of this message; the same id again is the same message.
    event: String,
    /// The alert's number.
    alert: i64,
    /// Its status, e.g. `received`, `accepted`, `closed`.
    status: String,
    /// Its incident number.
    number: Option<String>,
}

/// Whether the word was new.
#[derive(Serialize, ToSchema)]
struct Taken {
    taken: bool,
}

/// Connectors with what waits and what was taken.
#[utoipa::path(get, path = "/api/v1/connectors", tag = "connectors", responses((status = 200, body = ConnectorList)))]
async fn list(State(app): State<App>) -> Result<Json<ConnectorList>, ApiError> {
    let mut connectors = Vec::new();
    for connector in &app.config.connectors {
        let state = app.store.outbox_state(&connector.id).await?;
        connectors.push(ConnectorView {
            id: connector.id.clone(),
            kind: connector.kind,
            waiting: state.waiting,
            delivered: state.delivered,
            last_error: state.last_error,
            last_delivered_at: state.last_delivered_at.map(|at| at.to_string()),
        });
    }
    Ok(Json(ConnectorList { connectors }))
}

/// Alerts that may leave, as an Atom feed of CAP messages, newest first.
#[utoipa::path(get, path = "/api/v1/cap/alerts.atom", tag = "connectors", security(("session" = []), ("feed_token" = [])),
    responses((status = 200, content_type = "application/atom+xml")))]
async fn feed(State(app): State<App>) -> Result<Response, ApiError> {
    let alerts = app.store.list(None, None, FEED).await?;
    let entries: Vec<_> = alerts
        .iter()
        .filter(|alert| life::may_leave(alert))
        .map(|alert| {
            let site = alert.site.as_ref().and_then(|id| app.config.sites.iter().find(|site| site.id == *id));
            (alert.id.0, alert.version, alert.updated_at, cap::headline(alert, site.map(|site| &site.name), &app.config.hub.language))
        })
        .collect();
    let updated = entries.iter().map(|(_, _, at, _)| *at).max().unwrap_or_else(|| app.clock.utc());
    let text = cap::feed(&app.config.hub.name, &cap::sender(&app.config.hub.name), updated, &entries).map_err(|error| broken(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], text).into_response())
}

/// One alert as a CAP 1.2 message: `{number}.xml`.
#[utoipa::path(get, path = "/api/v1/cap/alerts/{file}", tag = "connectors", params(("file" = String, Path)), security(("session" = []), ("feed_token" = [])),
    responses((status = 200, content_type = "application/cap+xml"), (status = 404)))]
async fn message(State(app): State<App>, Path(file): Path<String>) -> Result<Response, ApiError> {
    let missing = || ApiError::not_found("alert");
    let id: i64 = file.strip_suffix(".xml").and_then(|number| number.parse().ok()).ok_or_else(missing)?;
    let (alert, _) = app.store.alert(AlertId(id)).await?.filter(|(alert, _)| life::may_leave(alert)).ok_or_else(missing)?;
    let text = cap_of(&app, &alert).map_err(|error| broken(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/cap+xml; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], text).into_response())
}

/// The word of a receiving system about an alert it was sent. Signed as what the hub sends is; the same event twice is taken once.
#[utoipa::path(post, path = "/api/v1/connectors/{id}/status", tag = "connectors", params(("id" = String, Path)), request_body = StatusBody, security(()),
    responses((status = 200, body = Taken), (status = 401, description = "`bad_signature`"), (status = 404), (status = 409), (status = 422)))]
async fn status(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Result<Json<Taken>, ApiError> {
    // Who cannot sign learns nothing, not even which connectors there are.
    let refuse = |why: &str| ApiError::new(StatusCode::UNAUTHORIZED, "bad_signature", format!("The message is not believed: {why}."));
    let connector = app.config.connectors.iter().find(|c| c.id == id).ok_or_else(|| refuse("the signature does not fit"))?;
    let secret = connector.secret.as_ref().and_then(|source| source.read().ok()).ok_or_else(|| refuse("the signature does not fit"))?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    sign::verify(&secret, app.clock.utc(), &body, header(sign::TIMESTAMP), header(sign::SIGNATURE)).map_err(|error| {
        metrics::counter!("qorgan_connector_words_refused_total", "connector" => connector.id.clone()).increment(1);
        refuse(&error.to_string())
    })?;
    let word: StatusBody = serde_json::from_slice(&body).map_err(|error| ApiError::invalid(error.to_string()))?;
    let plain = |text: &str, max: usize, field: &str| match (1..=max).contains(&text.chars().count()) && !text.contains(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(ApiError::invalid(format!("{field} has 1 to {max} characters and no control characters"))),
    };
    let (event, status) = (plain(&word.event, 128, "event")?, plain(&word.status, 32, "status")?);
    let number = word.number.as_deref().map(|number| plain(number, 64, "number")).transpose()?;
    let alert = AlertId(word.alert);
    if app.store.last_enqueued(&connector.id, alert).await?.is_none() {
        return Err(ApiError::not_found("alert"));
    }
    if app.store.word_taken(&connector.id, &event).await? {
        return Ok(Json(Taken { taken: false }));
    }
    let external = External { connector: connector.id.clone(), status: status.clone(), number, at: app.clock.utc() };
    match app.engine.act(alert, Action::External(external), Actor::System("connector")).await {
        Ok(_) => {}
        Err(ActError::Refused(refusal, _)) => return Err(ApiError::new(StatusCode::CONFLICT, refusal.code(), refusal.to_string())),
        Err(ActError::NotFound) => return Err(ApiError::not_found("alert")),
        Err(ActError::Store(error)) => return Err(error.into()),
    }
    // After the act: a crash in between costs a second line of history, not the word.
    app.store.take_word(&connector.id, &event, alert, app.clock.utc()).await?;
    app.audit(&format!("connector/{}", connector.id), "connector", "connector.status", &format!("alert/{alert}"), Some(&status)).await?;
    Ok(Json(Taken { taken: true }))
}

fn broken(error: &cap::CapError) -> ApiError {
    tracing::error!(error = chain(error), "no CAP message");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The message could not be written.")
}
