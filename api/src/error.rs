//! What an HTTP client is told when something does not work: one shape, one code per case.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// An answer that is not the one asked for: `{"error":{"code","message",...}}`.
#[derive(Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Machine-readable code.
    pub code: &'static str,
    /// English sentence.
    pub message: String,
    /// Further fields of the error object.
    pub details: Map<String, Value>,
}

impl ApiError {
    /// An error without further fields.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Map::new() }
    }
    /// Adds a field.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.into(), value.into());
        self
    }
    /// 401
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Log in first.")
    }
    /// 403
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this.")
    }
    /// 404
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }
    /// 422
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(mut self) -> Response {
        let mut error = Map::new();
        error.insert("code".into(), self.code.into());
        error.insert("message".into(), self.message.into());
        error.append(&mut self.details);
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}

/// A failure of the hub's own: logged with its whole chain, told without it.
impl From<qorgan_alerts::Error> for ApiError {
    fn from(error: qorgan_alerts::Error) -> Self {
        tracing::error!(error = chain(&error), "a request failed in the store");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "The store did not answer. Nothing was changed; try again.")
    }
}

/// An error and its sources in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
