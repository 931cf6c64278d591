//! Managing the phones of school contacts: who has one, who gets one, whose is lost. A school contact keeps its own site's.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
};
use qorgan_alerts::store::Enrolment;
use qorgan_domain::{DeviceRef, SiteId, UtcMs};
use qrcode::{Color, QrCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cameras::covers;
use crate::{
    auth::Session,
    error::ApiError,
    hub::App,
    phones::{CODE_LIFETIME, Phone, enrolment_code},
};

/// For whom the phone is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolmentBody {
    /// Id of the site.
    site: String,
    /// What people will call the phone, 1 to 60 characters.
    name: String,
}

/// A code that lets one phone in, once, within 15 minutes. It is shown now and never again.
#[derive(Serialize, ToSchema)]
pub(super) struct EnrolmentView {
    /// `ABCD-EFGH`.
    code: String,
    /// The page with the code behind `#`, so that it reaches no server log.
    path: String,
    /// Until when it is good.
    #[schema(value_type = String)]
    expires_at: UtcMs,
    /// The link as a QR code, when the request says from which origin it comes.
    qr: Option<QrView>,
}

/// A QR code as squares to be drawn.
#[derive(Serialize, ToSchema)]
pub(super) struct QrView {
    /// The link it holds.
    url: String,
    /// Squares a side, without the quiet zone.
    size: usize,
    /// The dark squares as the `d` of an SVG path, one unit a square.
    path: String,
}

/// Every phone of one's reach.
#[derive(Serialize, ToSchema)]
pub(super) struct PhoneList {
    phones: Vec<PhoneLine>,
}

/// A phone as those who manage it see it.
#[derive(Serialize, ToSchema)]
pub(super) struct PhoneLine {
    /// `site/phone-xxxx`.
    #[schema(value_type = String)]
    device: DeviceRef,
    site: String,
    name: String,
    #[schema(value_type = String)]
    created_at: UtcMs,
    /// Last sign of life.
    #[schema(value_type = Option<String>)]
    seen_at: Option<UtcMs>,
    #[schema(value_type = Option<String>)]
    revoked_at: Option<UtcMs>,
}

impl From<&Phone> for PhoneLine {
    fn from(phone: &Phone) -> Self {
        Self {
            device: phone.row.device.clone(),
            site: phone.row.device.site.to_string(),
            name: phone.row.name.clone(),
            created_at: phone.row.created_at,
            seen_at: phone.seen_at(),
            revoked_at: phone.revoked_at(),
        }
    }
}

fn reaches(app: &App, session: &Session, site: &SiteId) -> bool {
    let area = app.config.sites.iter().find(|s| s.id == *site).map(|s| s.area.to_string());
    area.is_some_and(|area| covers(session, site.as_str(), &area))
}

/// Makes a code for one phone.
#[utoipa::path(post, path = "/api/v1/phones/enrolments", tag = "phone", request_body = EnrolmentBody,
    responses((status = 201, body = EnrolmentView), (status = 404, description = "no such site in one's reach"), (status = 422)))]
pub(super) async fn add(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    Json(body): Json<EnrolmentBody>,
) -> Result<(StatusCode, Json<EnrolmentView>), ApiError> {
    let site: SiteId = body.site.parse().map_err(|_| ApiError::not_found("site"))?;
    if !reaches(&app, &session, &site) {
        return Err(ApiError::not_found("site"));
    }
    let name = body.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 60 || name.chars().any(char::is_control) {
        return Err(ApiError::invalid("name has 1 to 60 characters"));
    }
    let (code, now) = (enrolment_code(), app.clock.utc());
    let expires_at = now + CODE_LIFETIME;
    app.audit_by(&session, "phone.enrolment", &format!("site/{site}"), Some(&name)).await?;
    let enrolment = Enrolment { code_sha256: app.phones.code_digest(&code), site, name, created_by: session.user.clone(), expires_at };
    app.store.add_enrolment(&enrolment, now).await?;
    let path = format!("/phone#{code}");
    // The browser itself writes the origin of a page that changes something; a page cannot.
    let origin =
        headers.get(header::ORIGIN).and_then(|v| v.to_str().ok()).filter(|o| o.starts_with("https://") || o.starts_with("http://"));
    let qr = origin.filter(|origin| origin.len() <= 200).and_then(|origin| draw(format!("{origin}{path}")));
    Ok((StatusCode::CREATED, Json(EnrolmentView { code, path, expires_at, qr })))
}

/// A QR code of a link.
fn draw(url: String) -> Option<QrView> {
    let code = QrCode::new(url.as_bytes()).ok()?;
    let size = code.width();
    let mut path = String::new();
    for (y, line) in code.to_colors().chunks(size).enumerate() {
        for (x, _) in line.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
            path.push_str(&format!("M{x} {y}h1v1h-1z"));
        }
    }
    Some(QrView { url, size, path })
}

/// Every phone of one's reach, also the revoked ones.
#[utoipa::path(get, path = "/api/v1/phones", tag = "phone", responses((status = 200, body = PhoneList)))]
pub(super) async fn list(State(app): State<App>, Extension(session): Extension<Session>) -> Result<Json<PhoneList>, ApiError> {
    app.audit_by(&session, "phone.list", "phones", None).await?;
    let phones = app.phones.of_site(None);
    let phones = phones.iter().filter(|phone| reaches(&app, &session, &phone.row.device.site)).map(|phone| PhoneLine::from(phone.as_ref()));
    Ok(Json(PhoneList { phones: phones.collect() }))
}

/// Lets a phone press no more, from this moment on.
#[utoipa::path(delete, path = "/api/v1/phones/{site}/{device}", tag = "phone", params(("site" = String, Path), ("device" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn revoke(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let device: DeviceRef = format!("{site}/{device}").parse().map_err(|_| ApiError::not_found("phone"))?;
    let phone = app.phones.device(&device).filter(|_| reaches(&app, &session, &device.site)).ok_or_else(|| ApiError::not_found("phone"))?;
    if phone.revoked_at().is_none() {
        let now = app.clock.utc();
        app.audit_by(&session, "phone.revoke", &device.to_string(), Some(&phone.row.name)).await?;
        app.store.revoke_phone(&device, now).await?;
        app.phones.revoked(&device, now);
        app.supervision().remove(&device);
    }
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_of_a_link_is_small_enough_to_be_read_from_a_screen() {
        let qr = draw("https://qorgan.example.kz:8443/phone#ABCD-EFGH".into()).unwrap();
        assert!((25..=37).contains(&qr.size), "{}", qr.size);
        // The three finders begin at the corners.
        assert!(qr.path.contains("M0 0h1") && qr.path.contains(&format!("M{} 0h1", qr.size - 1)));
    }
}
