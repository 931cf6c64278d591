//! The phone page of school contacts: enrolment, press, cancel. No session and no second factor: the phone itself is known.
//!
//! A press takes the same way as one over MQTT: journal first, then the answer. Who gives the duress code gets, byte for byte,
//! the answer of the cancel code; only the desks see the difference.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension, Json,
    extract::{ConnectInfo, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use qorgan_alerts::store::PhoneRow;
use qorgan_domain::{Alarm, AlarmKind, DeviceRef, Door, Signal, UtcMs};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{OpenApi, ToSchema};

use super::{Access, Route, phones, row};
use crate::{
    auth::{Right, random_token},
    error::ApiError,
    hub::{App, Secure, commit},
    phones::{Phone, check_codes, device_word, digest, set_cookie, tidy_code},
    view::Names,
};

/// The journal answers within this or the page tries again.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest boot id.
const MAX_BOOT: usize = 64;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(enrol, who, press, cancel, phones::add, phones::list, phones::revoke))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let manage = Access::With(Right::PhonesManage);
    vec![
        row(Method::POST, "/api/v1/phone/enrol", Access::Anyone, post(enrol)),
        row(Method::GET, "/api/v1/phone", Access::Phone, get(who)),
        row(Method::POST, "/api/v1/phone/press", Access::Phone, post(press)),
        row(Method::POST, "/api/v1/phone/cancel", Access::Phone, post(cancel)),
        row(Method::POST, "/api/v1/phones/enrolments", manage, post(phones::add)),
        row(Method::GET, "/api/v1/phones", manage, get(phones::list)),
        row(Method::DELETE, "/api/v1/phones/{site}/{device}", manage, delete(phones::revoke)),
    ]
}

/// What the owner of a new phone gives.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolBody {
    /// The code of the link, `ABCD-EFGH`.
    code: String,
    /// 4 to 8 digits: marks the alarm as cancelled.
    cancel_code: String,
    /// 4 to 8 digits: looks like cancelling, and calls for help.
    duress_code: String,
}

/// The phone as its page shows it.
#[derive(Serialize, ToSchema)]
pub(super) struct PhoneView {
    /// `site/phone-xxxx`.
    #[schema(value_type = String)]
    device: DeviceRef,
    /// Id of its site.
    site: String,
    /// Name of its site.
    site_name: Names,
    /// What people call the phone.
    name: String,
    /// What can be pressed.
    kinds: [&'static str; 3],
    /// A drill is on at its site.
    drill: bool,
    /// Language of a page whose owner has not chosen one.
    language: String,
}

/// A press. Unknown fields and a time that does not read cost nothing: it counts all the same.
#[derive(Deserialize, ToSchema)]
pub(super) struct PressBody {
    /// `panic`, `fire` or `medical`.
    #[schema(value_type = String)]
    kind: AlarmKind,
    /// Number of this press; the same number again is the same press.
    seq: u64,
    /// Changes when the phone counts from 1 again.
    boot: String,
    /// By the phone's clock.
    at: Option<String>,
    /// A test, while a drill is on.
    #[serde(default)]
    test: bool,
}

/// The word that a press is stored.
#[derive(Serialize, ToSchema)]
pub(super) struct PressReceipt {
    seq: u64,
    boot: String,
    #[schema(value_type = String)]
    stored_at: UtcMs,
    /// It had been stored before.
    repeat: bool,
}

/// A cancel or duress code.
#[derive(Deserialize, ToSchema)]
pub(super) struct CancelBody {
    code: String,
    /// Number of this message, counted with the presses.
    seq: u64,
    boot: String,
    /// What is cancelled was a test press.
    #[serde(default)]
    test: bool,
}

/// The phone's own answer to either code.
#[derive(Serialize, ToSchema)]
pub(super) struct Cancelled {
    cancelled: bool,
}

fn too_many(wait: Duration) -> Response {
    let retry_after_s = wait.as_secs().max(1);
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", format!("Too many tries. Wait {retry_after_s} s."));
    ([(header::RETRY_AFTER, retry_after_s.to_string())], error.with("retry_after_s", retry_after_s)).into_response()
}

/// Makes this browser a phone of a site; the cookie `qorgan_phone` carries it.
#[utoipa::path(post, path = "/api/v1/phone/enrol", tag = "phone", request_body = EnrolBody, security(()), responses(
    (status = 201, description = "the device and the name of its site, and the cookie"), (status = 403, description = "without `x-qorgan-phone`"),
    (status = 422, description = "`bad_code`: unknown, used or over; `invalid`: the codes cannot be used"), (status = 429)))]
pub(super) async fn enrol(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(Secure(secure)): Extension<Secure>,
    headers: HeaderMap,
    Json(body): Json<EnrolBody>,
) -> Result<Response, ApiError> {
    super::guard::from_the_page(&headers)?;
    check_codes(&body.cancel_code, &body.duress_code).map_err(ApiError::invalid)?;
    if let Err(wait) = app.phones.try_enrolment(peer.ip(), app.clock.instant()) {
        return Ok(too_many(wait));
    }
    let bad_code =
        || ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_code", "The code is unknown, used already, or older than 15 minutes.");
    let code_sha256 = app.phones.code_digest(&tidy_code(&body.code).ok_or_else(bad_code)?);
    let now = app.clock.utc();
    let enrolment = app.store.enrolment(&code_sha256, now).await?.ok_or_else(bad_code)?;
    let hash = |code| app.passwords.hash_code(code, app.phones.key.clone());
    let hashed = |result: Result<String, crate::auth::PasswordError>| {
        result.map_err(|_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The codes could not be kept; try again."))
    };
    let (cancel_code, duress_code) = (hashed(hash(body.cancel_code).await)?, hashed(hash(body.duress_code).await)?);
    let token = random_token();
    let row = PhoneRow {
        device: new_device(&app, &enrolment.site)?,
        name: enrolment.name,
        token_sha256: digest(&[&token]),
        cancel_code,
        duress_code,
        created_at: now,
        created_by: enrolment.created_by.clone(),
        seen_at: Some(now),
        revoked_at: None,
    };
    let device = row.device.clone();
    app.audit(&format!("phone/{device}"), "phone", "phone.enrol", &device.to_string(), Some(&format!("code of {}", enrolment.created_by)))
        .await?;
    if !app.store.enrol_phone(&code_sha256, &row).await? {
        return Err(bad_code());
    }
    app.phones.add(row);
    app.know_phone(&device, Some(now));
    app.phones.enrolment_was_right(peer.ip());
    let site_name = app.config.sites.iter().find(|s| s.id == device.site).map(|s| Names::from(&s.name));
    let mut headers = HeaderMap::new();
    headers.extend(set_cookie(&token, secure).map(|value| (header::SET_COOKIE, value)));
    Ok((StatusCode::CREATED, headers, Json(json!({ "device": device, "site_name": site_name }))).into_response())
}

/// A name among the devices of the site that none has.
fn new_device(app: &App, site: &qorgan_domain::SiteId) -> Result<DeviceRef, ApiError> {
    let free = |device: &DeviceRef| app.phones.device(device).is_none() && app.config.devices().all(|known| known != device);
    let mut tries = (0..100).filter_map(|_| Some(DeviceRef::new(site.clone(), device_word().parse().ok()?)));
    tries.find(free).ok_or_else(|| ApiError::new(StatusCode::CONFLICT, "full", "This site has no name left for another phone."))
}

/// Which phone asks, and whether a drill is on.
#[utoipa::path(get, path = "/api/v1/phone", tag = "phone", security(("phone" = [])), responses((status = 200, body = PhoneView),
    (status = 401, description = "`unauthenticated`: not enrolled; `revoked`")))]
pub(super) async fn who(
    State(app): State<App>,
    Extension(phone): Extension<Arc<Phone>>,
    Extension(Secure(secure)): Extension<Secure>,
    request_headers: HeaderMap,
) -> Response {
    let device = phone.row.device.clone();
    // The page must open while the store is away; then no drill is known.
    let drill = app.store.drill_is_on(&device.site, app.clock.utc()).await.unwrap_or(false);
    let plain = || Names::same(device.site.as_str());
    let view = PhoneView {
        site: device.site.to_string(),
        site_name: app.config.sites.iter().find(|s| s.id == device.site).map_or_else(plain, |s| Names::from(&s.name)),
        device,
        name: phone.row.name.clone(),
        kinds: ["panic", "fire", "medical"],
        drill,
        language: app.config.hub.language.clone(),
    };
    let mut headers = HeaderMap::new();
    // A phone that is used does not run out.
    headers.extend(crate::phones::token_of(&request_headers).and_then(|token| set_cookie(token, secure)).map(|v| (header::SET_COOKIE, v)));
    (headers, Json(view)).into_response()
}

/// Takes a press. 201 only when it is in the journal.
#[utoipa::path(post, path = "/api/v1/phone/press", tag = "phone", request_body = PressBody, security(("phone" = [])), responses(
    (status = 201, body = PressReceipt), (status = 401), (status = 403, description = "without `x-qorgan-phone`"), (status = 422, description = "`no_drill`: a test without a drill"),
    (status = 429, description = "far too many; the first ones were taken"), (status = 503, description = "`not_stored`: send it again")))]
pub(super) async fn press(
    State(app): State<App>,
    Extension(phone): Extension<Arc<Phone>>,
    Json(body): Json<PressBody>,
) -> Result<Response, ApiError> {
    if let Err(wait) = phone.press(app.clock.instant()) {
        metrics::counter!("qorgan_alarms_limited_total", "door" => "phone").increment(1);
        tracing::warn!(device = %phone.row.device, "a phone presses too often");
        return Ok(too_many(wait));
    }
    let now = app.clock.utc();
    if body.test && !app.store.drill_is_on(&phone.row.device.site, now).await? {
        let why = "No drill is on at this site: a test press is not taken. The red button works as always.";
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "no_drill", why));
    }
    let (seq, boot) = (body.seq, boot(&body.boot)?);
    let pressed_at = body.at.and_then(|at| at.parse().ok());
    let alarm = Alarm { pressed_at, test: body.test, ..of_phone(&phone, body.kind, seq, &boot, now) };
    let stored = keep(&app, alarm).await?;
    Ok((StatusCode::CREATED, Json(PressReceipt { seq, boot, stored_at: stored.stored_at, repeat: stored.repeat })).into_response())
}

/// Marks the phone's alarm as cancelled. Both codes get the same answer; neither closes anything.
#[utoipa::path(post, path = "/api/v1/phone/cancel", tag = "phone", request_body = CancelBody, security(("phone" = [])), responses(
    (status = 200, body = Cancelled), (status = 401), (status = 403, description = "without `x-qorgan-phone`"), (status = 422, description = "`wrong_code`"), (status = 429), (status = 503)))]
pub(super) async fn cancel(
    State(app): State<App>,
    Extension(phone): Extension<Arc<Phone>>,
    Json(body): Json<CancelBody>,
) -> Result<Response, ApiError> {
    if let Err(wait) = phone.try_code(app.clock.instant()) {
        return Ok(too_many(wait));
    }
    let code: String = body.code.chars().filter(char::is_ascii_digit).take(9).collect();
    let hashes = [phone.row.cancel_code.clone(), phone.row.duress_code.clone()];
    let signal = match app.passwords.verify_code(code, app.phones.key.clone(), hashes).await {
        [true, _] => Signal::Cancel,
        [false, true] => Signal::Duress,
        [false, false] => return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_code", "This is not the code.")),
    };
    phone.code_was_right();
    let boot = boot(&body.boot)?;
    let alarm = Alarm { signal, test: body.test, ..of_phone(&phone, AlarmKind::Panic, body.seq, &boot, app.clock.utc()) };
    keep(&app, alarm).await?;
    Ok(Json(Cancelled { cancelled: true }).into_response())
}

fn boot(text: &str) -> Result<String, ApiError> {
    let fits = !text.is_empty() && text.len() <= MAX_BOOT;
    fits.then(|| text.to_owned()).ok_or_else(|| ApiError::invalid(format!("boot has 1 to {MAX_BOOT} characters")))
}

fn of_phone(phone: &Phone, kind: AlarmKind, seq: u64, boot: &str, now: UtcMs) -> Alarm {
    Alarm { door: Door::Phone, boot: Some(boot.to_owned()), ..Alarm::new(phone.row.device.clone(), kind, seq, now) }
}

/// To the journal and the desks. In a task of its own: a line that breaks in between must not stop it half-way.
async fn keep(app: &App, alarm: Alarm) -> Result<qorgan_ingest::mqtt::StoredAlarm, ApiError> {
    let began = Instant::now();
    let own = app.clone();
    let stored = tokio::time::timeout(PATIENCE, tokio::spawn(async move { commit(&own, alarm).await })).await;
    metrics::histogram!("qorgan_phone_press_seconds").record(began.elapsed().as_secs_f64());
    match stored {
        Ok(Ok(Ok(stored))) => Ok(stored),
        _ => {
            let why = "It could not be stored. The desks may see it all the same; send it again.";
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_stored", why))
        }
    }
}
