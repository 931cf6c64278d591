//! Units: where they are, which are near, their orders and receipts.

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
