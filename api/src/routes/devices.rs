//! Supervision: last proof of life of every button, panel and edge box.

use utoipa::OpenApi;

use super::Route;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi()]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    Vec::new()
}
