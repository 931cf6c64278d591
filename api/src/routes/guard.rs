//! Who may use a route: asked before any handler runs, from the table and nothing else.

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use qorgan_domain::Role;

use crate::{
    auth::{Right, Session, cookie_value},
    error::ApiError,
    hub::App,
};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, logged in or not.
    Anyone,
    /// Whoever is logged in.
    AnySession,
    /// Whoever's role has the right.
    With(Right),
    /// The same, or a program that shows the token made for this (metrics, CAP feed).
    WithOrToken(Right),
}

impl Access {
    /// Whether a role may, once logged in.
    pub fn allows(self, role: Role) -> bool {
        match self {
            Access::Anyone | Access::AnySession => true,
            Access::With(right) | Access::WithOrToken(right) => right.roles().contains(&role),
        }
    }
}

pub(super) async fn guard(State((app, access)): State<(App, Access)>, mut request: Request, next: Next) -> Response {
    if access == Access::Anyone {
        return next.run(request).await;
    }
    if let Access::WithOrToken(right) = access
        && bearer(&request) == Some(app.program_token(right))
    {
        return next.run(request).await;
    }
    let token = cookie_value(request.headers()).map(str::to_owned);
    let csrf = request.headers().get("x-csrf-token").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    match admit(&app, access, token, csrf, changes).await {
        Ok(session) => {
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

async fn admit(app: &App, access: Access, token: Option<String>, csrf: Option<String>, changes: bool) -> Result<Session, ApiError> {
    let token = token.ok_or_else(ApiError::unauthenticated)?;
    let session = app.sessions.find(&token).await?.ok_or_else(ApiError::unauthenticated)?;
    if !access.allows(session.role) {
        return Err(ApiError::forbidden());
    }
    if changes && csrf.as_deref() != Some(session.csrf.as_str()) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "csrf", "The header x-csrf-token is missing or not this session's."));
    }
    Ok(session)
}

fn bearer(request: &Request) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
