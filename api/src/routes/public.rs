//! The public page's figures: what is watched, how often alerts were false, how often video was opened.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{config::SiteKind, error::ApiError, hub::App};

/// What anybody may know.
#[derive(Serialize, ToSchema)]
pub(super) struct PublicSummary {
    hub: PublicHub,
    /// When this hub began.
    since: String,
    cameras: PublicCameras,
    /// Alarm buttons.
    buttons: usize,
    alerts_30d: PublicAlerts,
    /// Times a picture was opened.
    video_opened_30d: i64,
    retention: PublicRetention,
    /// Always false: the hub counts and knows no faces.
    identifies_people: bool,
}

/// The hub's name.
#[derive(Serialize, ToSchema)]
pub(super) struct PublicHub {
    name: String,
}

/// Cameras by kind of place.
#[derive(Serialize, ToSchema)]
pub(super) struct PublicCameras {
    school: usize,
    public_place: usize,
}

/// Alerts of 30 days.
#[derive(Serialize, ToSchema)]
pub(super) struct PublicAlerts {
    alarm: i64,
    crowd: i64,
    incident: i64,
    /// Share of closed alerts with the verdict `false_alarm`, per cent; none without closed ones.
    false_percent: Option<f64>,
}

/// How long counts are kept.
#[derive(Serialize, ToSchema)]
pub(super) struct PublicRetention {
    /// Single counts, hours.
    counts_raw_h: u32,
    /// Per minute, days.
    counts_minute_d: u32,
    /// Per hour, years.
    counts_hour_y: u32,
}

/// What is watched and how it went, without log-in.
#[utoipa::path(get, path = "/api/v1/public", tag = "public", security(()), responses((status = 200, body = PublicSummary)))]
pub(super) async fn summary(State(app): State<App>) -> Result<Json<PublicSummary>, ApiError> {
    let now = app.clock.utc();
    let figures = app.store.figures(now - std::time::Duration::from_secs(30 * 86_400)).await?;
    let at = |kind| app.config.sites.iter().filter(|site| site.kind == kind).map(|site| app.cameras.of_site(&site.id).len()).sum();
    Ok(Json(PublicSummary {
        hub: PublicHub { name: app.config.hub.name.clone() },
        since: app.store.meta("hub.since").await?.unwrap_or_else(|| now.to_string()),
        cameras: PublicCameras { school: at(SiteKind::School), public_place: at(SiteKind::PublicPlace) },
        buttons: app.config.buttons().count(),
        alerts_30d: PublicAlerts {
            alarm: figures.alarm,
            crowd: figures.crowd,
            incident: figures.incident,
            false_percent: figures.false_percent,
        },
        video_opened_30d: figures.stills_opened,
        retention: PublicRetention { counts_raw_h: 24, counts_minute_d: 30, counts_hour_y: 3 },
        identifies_people: false,
    }))
}
