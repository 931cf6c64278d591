//! Who may use a route: asked before any handler runs, from the table and nothing else.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use qorgan_domain::Role;
use sha2::{Digest, Sha256};

use crate::{
    auth::{Right, Session, cookie_value},
    config::Machine,
    error::ApiError,
    hub::App,
    phones::{self, Phone},
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
    /// An enrolled phone of a school contact; no session opens it.
    Phone,
    /// A receiving system, by its signature over the body; no session.
    Signed,
    /// A program that brings values of indicators, by its own token; no session.
    Machine,
}

impl Access {
    /// Whether a role may, once logged in.
    pub fn allows(self, role: Role) -> bool {
        match self {
            Access::Anyone | Access::AnySession => true,
            Access::Phone | Access::Signed | Access::Machine => false,
            Access::With(right) | Access::WithOrToken(right) => right.roles().contains(&role),
        }
    }
}

pub(super) async fn guard(State((app, access)): State<(App, Access)>, mut request: Request, next: Next) -> Response {
    // A signature covers the body: the handler, which reads it, asks.
    if matches!(access, Access::Anyone | Access::Signed) {
        return next.run(request).await;
    }
    if let Access::WithOrToken(right) = access
        && bearer(&request) == Some(app.program_token(right))
    {
        return next.run(request).await;
    }
    if access == Access::Phone {
        return match admit_phone(&app, &request) {
            Ok(phone) => {
                request.extensions_mut().insert(phone);
                next.run(request).await
            }
            Err(error) => error.into_response(),
        };
    }
    if access == Access::Machine {
        return match admit_machine(&app, &request) {
            Some(machine) => {
                request.extensions_mut().insert(Arc::new(machine));
                next.run(request).await
            }
            None => ApiError::new(StatusCode::UNAUTHORIZED, "bad_token", "No program of the configuration has this token.").into_response(),
        };
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

fn admit_phone(app: &App, request: &Request) -> Result<Arc<Phone>, ApiError> {
    let phone = phones::token_of(request.headers()).and_then(|token| app.phones.find(token)).ok_or_else(ApiError::unauthenticated)?;
    if phone.revoked_at().is_some() {
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "revoked",
            "This phone may not press any more. Ask whoever keeps the phones of your site.",
        ));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        from_the_page(request.headers())?;
    }
    let now = app.clock.utc();
    if phone.seen(now) {
        app.alive(&phone.row.device, now);
        let (store, device) = (app.store.clone(), phone.row.device.clone());
        // A press does not wait for this.
        tokio::spawn(async move { store.touch_phone(&device, now).await });
    }
    Ok(phone)
}

/// The program whose token was shown. Digests are compared, so time tells nothing about a token.
fn admit_machine(app: &App, request: &Request) -> Option<Machine> {
    let digest = hex::encode(Sha256::digest(bearer(request)?.as_bytes()));
    app.config.intake.machines.iter().find(|machine| machine.token_sha256.as_deref() == Some(digest.as_str())).cloned()
}

/// A header that a form of another site cannot send, beside the cookie's `SameSite=Strict`.
pub(super) fn from_the_page(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.get("x-qorgan-phone").is_some_and(|v| v == "1") {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "csrf", "The header x-qorgan-phone is missing."))
}

fn bearer(request: &Request) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
