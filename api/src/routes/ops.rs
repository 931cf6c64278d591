//! For those who keep the hub running: alive, ready, metrics. Without log-in they say one word and no detail.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::hub::App;

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operation", security(()), responses((status = 200, body = String)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The hub takes alarms and answers questions: store and MQTT are there.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()), responses((status = 200, body = String), (status = 503)))]
pub(super) async fn readyz(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.is_ready().await { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}

/// Prometheus text, for an administrator or a program with the metrics token.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(("session" = []), ("metrics_token" = [])), responses((status = 200, body = String)))]
pub(super) async fn metrics(State(app): State<App>) -> Response {
    metrics::gauge!("qorgan_cameras_live").set(app.cameras.live(app.clock.utc()) as f64);
    metrics::gauge!("qorgan_desks_attended").set(app.desks.view().attended.len() as f64);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response()
}

/// Times every request by its route (not its path, which would be unbounded).
pub(super) async fn measure(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("page", MatchedPath::as_str).to_owned();
    let (method, start) = (request.method().to_string(), Instant::now());
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::histogram!("qorgan_http_seconds", "route" => route.clone()).record(start.elapsed().as_secs_f64());
    metrics::counter!("qorgan_http_requests_total", "method" => method, "route" => route, "status" => status).increment(1);
    response
}
