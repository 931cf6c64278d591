//! Cameras: added, tried, changed and removed while the hub runs; and the compliance meter of every one.

use std::fmt::Write as _;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use qorgan_domain::DeviceRef;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{
    Access::With,
    Route,
    cameras::{no_still, sees_site},
    row,
};
use crate::{
    auth::{Right, Session},
    camera_admin::{
        self, ChangeError, DeviceAddress, DeviceReport, FoundDevice, Given, Trial,
        compliance::{Criterion, Mark, failed},
    },
    config::{CameraKeys, Kept, Origin},
    error::ApiError,
    hub::{App, Ask, Look},
    view::{CameraView, Names},
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, write, remove, try_out, discover, ask, still, compliance, compliance_csv))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let manage = With(Right::CamerasManage);
    vec![
        row(Method::GET, "/api/v1/camera-admin", manage, get(list)),
        row(Method::POST, "/api/v1/camera-admin/try", manage, post(try_out)),
        row(Method::POST, "/api/v1/camera-admin/discover", manage, post(discover)),
        row(Method::POST, "/api/v1/camera-admin/device", manage, post(ask)),
        row(Method::PUT, "/api/v1/camera-admin/{site}/{device}", manage, put(write)),
        row(Method::DELETE, "/api/v1/camera-admin/{site}/{device}", manage, axum::routing::delete(remove)),
        row(Method::POST, "/api/v1/camera-admin/{site}/{device}/still", manage, post(still)),
        row(Method::GET, "/api/v1/compliance", With(Right::CamerasRead), get(compliance)),
        row(Method::GET, "/api/v1/compliance.csv", With(Right::CamerasRead), get(compliance_csv)),
    ]
}

/// Every camera as it is set up.
#[derive(Serialize, ToSchema)]
pub(super) struct AdminList {
    cameras: Vec<AdminView>,
    /// This hub takes pictures itself: trials and stills are possible.
    pictures: bool,
}

/// A camera as it is set up and as it works.
#[derive(Serialize, ToSchema)]
struct AdminView {
    id: String,
    site: String,
    origin: Origin,
    /// Its keys, without passwords and without where they come from.
    keys: CameraKeys,
    has_password: bool,
    camera: Option<CameraView>,
    /// Counts of another system for it.
    foreign: Option<ForeignView>,
}

/// What came from a system that counts by itself.
#[derive(Serialize, ToSchema)]
struct ForeignView {
    /// RFC 3339.
    heard_at: Option<String>,
    taken: u64,
    refused: u64,
    refused_at: Option<String>,
    refusal: Option<String>,
}

/// A camera to add, change or try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CameraBody {
    /// Its keys, as in the configuration file.
    keys: CameraKeys,
    /// Password at the camera; absent: the one that is kept, as long as user and host stay.
    password: Option<String>,
    /// Password at its ONVIF service.
    onvif_password: Option<String>,
}

/// A camera to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrialBody {
    /// Its site.
    site: String,
    /// Its keys.
    keys: CameraKeys,
    /// Password at the camera; absent: the kept one, as when it is changed.
    password: Option<String>,
}

/// Every camera, worst first.
#[derive(Serialize, ToSchema)]
pub(super) struct ComplianceList {
    cameras: Vec<ComplianceView>,
}

/// How well one camera works.
#[derive(Serialize, ToSchema)]
struct ComplianceView {
    id: String,
    site: String,
    name: Names,
    /// How many criteria it fails.
    failed: usize,
    criteria: Vec<Criterion>,
    /// Last proof of life, RFC 3339.
    alive_at: Option<String>,
    codec: Option<String>,
    kbit_per_s: Option<f64>,
    lost_packets: Option<u64>,
    sessions: Option<u64>,
    clock_drift_ppm: Option<f64>,
    transport: Option<&'static str>,
    sub_in_use: bool,
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        let text = error.to_string();
        match error {
            ChangeError::NoSite(_) => Self::not_found("site"),
            ChangeError::FromFile(_) => Self::new(StatusCode::CONFLICT, "from_file", text),
            ChangeError::Taken(_) => Self::new(StatusCode::CONFLICT, "id_taken", text),
            ChangeError::Control(reason) => Self::invalid(reason),
            ChangeError::Secret(reason) => {
                tracing::error!(reason, "secrets of a camera");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "secrets", "The secrets of the camera could not be kept.")
            }
            ChangeError::Store(error) => error.into(),
            ChangeError::Keys(complaints) => {
                let first = complaints.first().map(|c| c.message.clone()).unwrap_or_default();
                let all: Vec<_> = complaints.into_iter().map(|c| serde_json::json!({ "key": c.key, "message": c.message })).collect();
                Self::invalid(first).with("complaints", all)
            }
        }
    }
}

/// Every camera as it is set up.
#[utoipa::path(get, path = "/api/v1/camera-admin", tag = "camera administration", responses((status = 200, body = AdminList)))]
pub(super) async fn list(State(app): State<App>) -> Json<AdminList> {
    let now = app.clock.utc();
    let view = |setup: std::sync::Arc<crate::config::Camera>| {
        let mut keys = (*setup.keys).clone();
        (keys.password_env, keys.password_file) = (None, None);
        if let Some(onvif) = &mut keys.onvif {
            (onvif.password_env, onvif.password_file) = (None, None);
        }
        let foreign = app.cameras.foreign(&setup.id).filter(|f| f.taken + f.refused > 0).map(|f| ForeignView {
            heard_at: f.heard_at.map(|at| at.to_string()),
            taken: f.taken,
            refused: f.refused,
            refused_at: f.refusal.as_ref().map(|(at, _)| at.to_string()),
            refusal: f.refusal.map(|(_, why)| why),
        });
        AdminView {
            id: setup.id.to_string(),
            site: setup.id.site.to_string(),
            origin: setup.origin,
            keys,
            has_password: setup.login.is_some(),
            camera: app.cameras.one(&setup.id, now),
            foreign,
        }
    };
    let cameras = app.cameras.setups().into_iter().map(view).collect();
    Json(AdminList { cameras, pictures: app.control.get().is_some() })
}

/// Adds or changes a camera; it runs at once, and nothing else is touched.
#[utoipa::path(put, path = "/api/v1/camera-admin/{site}/{device}", tag = "camera administration",
    params(("site" = String, Path), ("device" = String, Path)), request_body = CameraBody,
    responses((status = 204), (status = 404), (status = 409, description = "`from_file`, `id_taken`"), (status = 422, description = "`complaints` names every key")))]
pub(super) async fn write(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
    Json(body): Json<CameraBody>,
) -> Result<StatusCode, ApiError> {
    if body.keys.id != device {
        return Err(ApiError::invalid("keys.id is not the one of the address"));
    }
    let given = Given { keys: body.keys, passwords: passwords(body.password, body.onvif_password)? };
    camera_admin::put(&app, &session, &site, given).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn passwords(password: Option<String>, onvif_password: Option<String>) -> Result<Kept, ApiError> {
    let judge = |word: Option<String>| match word.filter(|word| !word.is_empty()) {
        Some(word) if word.chars().count() > 128 || word.contains(['\n', '\r', '\0']) => {
            Err(ApiError::invalid("a password has at most 128 characters and no line break"))
        }
        word => Ok(word),
    };
    Ok(Kept { password: judge(password)?, onvif_password: judge(onvif_password)? })
}

/// Removes a camera that was added at run time. Its past counts stay until they expire.
#[utoipa::path(delete, path = "/api/v1/camera-admin/{site}/{device}", tag = "camera administration",
    params(("site" = String, Path), ("device" = String, Path)), responses((status = 204), (status = 404), (status = 409, description = "`from_file`")))]
pub(super) async fn remove(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let id = known(&app, &site, &device)?;
    match camera_admin::remove(&app, &session, &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("camera")),
    }
}

fn known(app: &App, site: &str, device: &str) -> Result<DeviceRef, ApiError> {
    let id: DeviceRef = format!("{site}/{device}").parse().map_err(|_| ApiError::not_found("camera"))?;
    if app.cameras.contains(&id) { Ok(id) } else { Err(ApiError::not_found("camera")) }
}

/// Connects once and says what comes: codec, size, key frames, a picture in which everybody is pixelated, or what is wrong.
#[utoipa::path(post, path = "/api/v1/camera-admin/try", tag = "camera administration", request_body = TrialBody,
    responses((status = 200, body = Trial), (status = 404), (status = 422), (status = 503, description = "`no_pictures`")))]
pub(super) async fn try_out(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<TrialBody>,
) -> Result<Response, ApiError> {
    let given = Given { keys: body.keys, passwords: passwords(body.password, None)? };
    let (camera, _) = camera_admin::judged(&app, &body.site, &given).await?;
    let control = app.control.get().ok_or_else(no_pictures)?;
    if camera.url.is_none() {
        return Err(ApiError::invalid("a camera without an address cannot be tried"));
    }
    app.audit_by(&session, "camera.try", &format!("camera/{}", camera.id), None).await?;
    let trial = (control.try_out)(camera).await;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(trial)).into_response())
}

/// Devices on the local networks.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundList {
    devices: Vec<FoundView>,
}

/// A device that answered.
#[derive(Serialize, ToSchema)]
struct FoundView {
    #[serde(flatten)]
    device: FoundDevice,
    /// Cameras of this hub that are set up with its address.
    cameras: Vec<String>,
}

fn no_pictures() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_pictures", "This hub takes no pictures itself.")
}

fn device_away(message: String) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "device_away", message)
}

/// Asks every local network by multicast who speaks ONVIF; takes about four seconds.
#[utoipa::path(post, path = "/api/v1/camera-admin/discover", tag = "camera administration",
    responses((status = 200, body = FoundList), (status = 503, description = "`no_pictures` or `device_away`")))]
pub(super) async fn discover(State(app): State<App>, Extension(session): Extension<Session>) -> Result<Json<FoundList>, ApiError> {
    let control = app.control.get().ok_or_else(no_pictures)?;
    app.audit_by(&session, "camera.discover", "network", None).await?;
    let found = (control.discover)(()).await.map_err(device_away)?;
    let setups = app.cameras.setups();
    let devices = found.into_iter().map(|device| {
        let host = url::Url::parse(&device.address).ok().and_then(|url| url.host_str().map(str::to_owned));
        let at_host = |camera: &&std::sync::Arc<crate::config::Camera>| {
            let stream = camera.url.as_deref().and_then(|url| url::Url::parse(url).ok());
            let onvif = camera.onvif.as_ref().map(|onvif| onvif.address.clone());
            host.is_some() && [stream, onvif].into_iter().flatten().any(|url| url.host_str() == host.as_deref())
        };
        FoundView { cameras: setups.iter().filter(at_host).map(|camera| camera.id.to_string()).collect(), device }
    });
    Ok(Json(FoundList { devices: devices.collect() }))
}

/// Asks a device for its streams, its clock and what it has recorded. The password is used once and not kept.
#[utoipa::path(post, path = "/api/v1/camera-admin/device", tag = "camera administration", request_body = DeviceAddress,
    responses((status = 200, body = DeviceReport), (status = 503, description = "`no_pictures` or `device_away`")))]
pub(super) async fn ask(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<DeviceAddress>,
) -> Result<Json<DeviceReport>, ApiError> {
    let control = app.control.get().ok_or_else(no_pictures)?;
    let subject: String = body.address.chars().filter(|c| !c.is_control()).take(120).collect();
    app.audit_by(&session, "camera.ask", &subject, None).await?;
    Ok(Json((control.ask)(body).await.map_err(device_away)?))
}

/// The camera's newest picture to draw on; everybody in it is pixelated, whatever is going on.
#[utoipa::path(post, path = "/api/v1/camera-admin/{site}/{device}/still", tag = "camera administration",
    params(("site" = String, Path), ("device" = String, Path)),
    responses((status = 200, content_type = "image/jpeg"), (status = 404), (status = 503, description = "`no_picture`")))]
pub(super) async fn still(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let id = known(&app, &site, &device)?;
    let no_picture = |why: String| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_picture", why);
    let stills = app.stills.as_ref().ok_or_else(|| no_picture("This hub has no cameras of its own.".into()))?;
    let ask = Ask { camera: id.clone(), look: Look::Masked, after: None, privacy: app.privacy_of(&id) };
    let none = || no_picture("The camera has given no picture yet.".into());
    let jpeg = stills(ask).await.map_err(no_still)?.ok_or_else(none)?.jpeg;
    app.audit_by(&session, "still.open", &format!("camera/{id} masked"), Some("set-up of the camera")).await?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, "no-store")], jpeg).into_response())
}

fn every(app: &App, session: &Session) -> Vec<ComplianceView> {
    let setups = app.cameras.setups().into_iter().filter(|setup| sees_site(session, setup.id.site.as_str()));
    let mut all: Vec<ComplianceView> = setups
        .map(|setup| {
            let (criteria, known) = app.meter.of(app, &setup.id);
            let stream = known.stream.unwrap_or_default();
            ComplianceView {
                id: setup.id.to_string(),
                site: setup.id.site.to_string(),
                name: (&setup.name).into(),
                failed: failed(&criteria).len(),
                criteria,
                alive_at: known.alive_at.map(|at| at.to_string()),
                codec: stream.codec,
                kbit_per_s: stream.kbit_per_s,
                lost_packets: (stream.sessions > 0).then_some(stream.lost_packets),
                sessions: (stream.sessions > 0).then_some(stream.sessions),
                clock_drift_ppm: stream.clock_drift_ppm,
                transport: stream.transport,
                sub_in_use: stream.sub_in_use,
            }
        })
        .collect();
    all.sort_by(|a, b| b.failed.cmp(&a.failed).then_with(|| a.id.cmp(&b.id)));
    all
}

/// The compliance meter of every camera in reach, worst first.
#[utoipa::path(get, path = "/api/v1/compliance", tag = "cameras", responses((status = 200, body = ComplianceList)))]
pub(super) async fn compliance(State(app): State<App>, Extension(session): Extension<Session>) -> Json<ComplianceList> {
    Json(ComplianceList { cameras: every(&app, &session) })
}

/// The same as CSV: for each criterion what was measured and whether it is met.
#[utoipa::path(get, path = "/api/v1/compliance.csv", tag = "cameras", responses((status = 200, content_type = "text/csv")))]
pub(super) async fn compliance_csv(State(app): State<App>, Extension(session): Extension<Session>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"cameras.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, csv(&every(&app, &session))).into_response()
}

fn csv(all: &[ComplianceView]) -> String {
    let mut text = String::from("camera,name_kk,name_ru,name_en,failed,alive_at");
    for criterion in all.first().iter().flat_map(|one| &one.criteria) {
        let _ = write!(text, ",{0},{0}_limit,{0}_met", criterion.code);
    }
    text.push_str("\r\n");
    for one in all {
        let failed = one.failed.to_string();
        let fixed = [&one.id, &one.name.kk, &one.name.ru, &one.name.en, &failed, one.alive_at.as_deref().unwrap_or_default()];
        let mut cells: Vec<String> = fixed.iter().map(|cell| quoted(cell)).collect();
        for criterion in &one.criteria {
            let met = match criterion.mark {
                Mark::Pass => "yes",
                Mark::Fail => "no",
                Mark::Unknown => "unknown",
            };
            cells.extend([criterion.value.as_deref().unwrap_or_default(), &criterion.limit, met].map(quoted));
        }
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell that no spreadsheet takes for a formula.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t']) { "'" } else { "" };
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{guard}{}\"", cell.replace('"', "\"\"")),
        false => format!("{guard}{cell}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_formula_and_keeps_its_commas() {
        assert_eq!(quoted("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(quoted("Yard, \"north\""), "\"Yard, \"\"north\"\"\"");
        assert_eq!(quoted("School yard"), "School yard");
    }
}
