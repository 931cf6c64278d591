//! Log-in, log-out, who am I.

use std::net::SocketAddr;

use axum::{
    Extension, Json,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use qorgan_domain::UserName;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::{Session, Verdict, set_cookie},
    error::ApiError,
    hub::{App, Secure},
    view::{HubView, SessionView},
};

/// Account and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    user: String,
    password: String,
}

/// Old and new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePassword {
    old: String,
    new: String,
}

fn hub(app: &App) -> HubView {
    HubView { name: app.config.hub.name.clone(), version: env!("CARGO_PKG_VERSION"), language: app.config.hub.language.clone() }
}

/// Opens a session; the cookie `qorgan_session` carries it.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = LogIn, security(()), responses(
    (status = 200, body = SessionView), (status = 401, description = "`bad_login`"), (status = 429, description = "`rate_limited`, with `retry_after_s`")))]
pub(super) async fn log_in(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(Secure(secure)): Extension<Secure>,
    Json(log_in): Json<LogIn>,
) -> Result<Response, ApiError> {
    let account: String = log_in.user.trim().to_lowercase().chars().take(64).collect();
    if let Verdict::Wait(left) = app.limiter().check(peer.ip(), &account, app.clock.instant()) {
        metrics::counter!("qorgan_logins_total", "result" => "rate_limited").increment(1);
        let retry_after_s = left.as_secs().max(1);
        let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", format!("Too many tries. Wait {retry_after_s} s."));
        return Ok(([(header::RETRY_AFTER, retry_after_s.to_string())], error.with("retry_after_s", retry_after_s)).into_response());
    }
    let user = match account.parse::<UserName>() {
        Ok(name) => app.store.account(&name).await?.filter(|u| !u.disabled),
        Err(_) => None,
    };
    let matches = app.passwords.verify(log_in.password, user.as_ref().map(|u| u.password_hash.clone())).await;
    let Some(user) = user.filter(|_| matches) else {
        app.limiter().failed(peer.ip(), &account, app.clock.instant());
        metrics::counter!("qorgan_logins_total", "result" => "refused").increment(1);
        app.audit("anonymous", "none", "session.refused", &account, None).await?;
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "bad_login", "The account or the password is wrong."));
    };
    app.limiter().succeeded(peer.ip(), &account);
    metrics::counter!("qorgan_logins_total", "result" => "opened").increment(1);
    let (session, token) = app.sessions.open(&user).await?;
    app.audit(user.name.as_str(), user.role.as_str(), "session.open", user.name.as_str(), None).await?;
    let mut headers = HeaderMap::new();
    headers.extend(set_cookie(Some(&token), secure).map(|value| (header::SET_COOKIE, value)));
    Ok((headers, Json(SessionView::new(&session, hub(&app)))).into_response())
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses((status = 200, body = SessionView)))]
pub(super) async fn who(State(app): State<App>, Extension(session): Extension<Session>) -> Json<SessionView> {
    Json(SessionView::new(&session, hub(&app)))
}

/// Ends the session.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub(super) async fn log_out(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Extension(Secure(secure)): Extension<Secure>,
) -> Result<Response, ApiError> {
    app.sessions.end(&session.key).await?;
    app.audit_by(&session, "session.close", session.user.as_str(), None).await?;
    let mut headers = HeaderMap::new();
    headers.extend(set_cookie(None, secure).map(|value| (header::SET_COOKIE, value)));
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Changes one's own password; ends every session of the account, this one included.
#[utoipa::path(put, path = "/api/v1/session/password", tag = "session", request_body = ChangePassword, responses((status = 204), (status = 401, description = "`bad_login`"), (status = 422)))]
pub(super) async fn change_password(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(session): Extension<Session>,
    Json(change): Json<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    if let Verdict::Wait(_) = app.limiter().check(peer.ip(), session.user.as_str(), app.clock.instant()) {
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many tries. Wait some minutes."));
    }
    let user = app.store.account(&session.user).await?.ok_or_else(ApiError::unauthenticated)?;
    if !app.passwords.verify(change.old, Some(user.password_hash.clone())).await {
        app.limiter().failed(peer.ip(), session.user.as_str(), app.clock.instant());
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "bad_login", "The old password is wrong."));
    }
    let password_hash = app.passwords.hash(change.new).await.map_err(|error| ApiError::invalid(error.to_string()))?;
    app.store.set_password(&user.name, &password_hash).await?;
    app.sessions.end_all(&session.user).await?;
    app.audit_by(&session, "session.password", session.user.as_str(), None).await?;
    Ok(StatusCode::NO_CONTENT)
}
