//! Supervision: last proof of life of every button, panel and edge box.

use std::collections::HashMap;

use axum::{Extension, Json, extract::State, http::Method, routing::get};
use qorgan_alerts::supervision::{Class, DeviceStatus, State as DeviceState};
use qorgan_domain::{DeviceRef, SiteId, Trilingual};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{Access, Route, cameras::covers, row};
use crate::{
    auth::{Right, Session},
    config::Site,
    hub::App,
    view::Names,
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    vec![row(Method::GET, "/api/v1/devices", Access::With(Right::RegisterRead), get(list))]
}

/// Supervised devices.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceList {
    devices: Vec<DeviceView>,
    /// How many of these are lost.
    lost: usize,
    /// How many there are.
    total: usize,
}

/// A button, panel, edge box or phone.
#[derive(Serialize, ToSchema)]
struct DeviceView {
    /// `site/device`.
    id: String,
    site: String,
    name: Names,
    /// `button`, `panel`, `edge`, `phone`.
    kind: &'static str,
    /// `ok`, `lost`, `never` (not heard yet: blind), `unsupervised` (its silence means nothing).
    state: &'static str,
    /// Last proof of life.
    seen_at: Option<String>,
    /// Longest silence, in seconds.
    interval_s: Option<i64>,
    /// Charge, if it tells.
    battery_percent: Option<u8>,
    battery_low: bool,
    /// Its case is open.
    tamper: bool,
    /// Mains power is there, or it says nothing about it.
    mains_ok: bool,
    /// Its clock against the hub's: positive when it is ahead.
    clock_offset_s: Option<i64>,
    /// Other faults, by the panel's own codes.
    fault: Option<String>,
    /// Network or alarm provider.
    provider: Option<String>,
}

/// Every device in reach: a school contact's own site, a district contact's own district.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", responses((status = 200, body = DeviceList)))]
pub(super) async fn list(State(app): State<App>, Extension(session): Extension<Session>) -> Json<DeviceList> {
    let sites: HashMap<&SiteId, &Site> = app.config.sites.iter().map(|site| (&site.id, site)).collect();
    let phones = app.phones.of_site(None);
    let phones: HashMap<&DeviceRef, &str> = phones.iter().map(|phone| (&phone.row.device, phone.row.name.as_str())).collect();
    let buttons = app.config.buttons().map(|(_, button)| (&button.id, &button.name));
    let panels = app.config.panels().map(|(_, panel)| (&panel.id, &panel.name));
    let names: HashMap<&DeviceRef, &Trilingual> = buttons.chain(panels).collect();
    let all = app.supervision().devices();
    let mut devices = Vec::new();
    // Cameras have a page of their own.
    for status in all.into_iter().filter(|status| status.class != Class::Camera) {
        let Some(site) = sites.get(&status.device.site) else { continue };
        if covers(&session, site.id.as_str(), site.area.as_str()) {
            let mut shown = view(&status, names.get(&status.device).copied());
            if let Some(name) = phones.get(&status.device) {
                shown.name = Names::same(name);
            }
            devices.push(shown);
        }
    }
    let lost = devices.iter().filter(|d| d.state == DeviceState::Lost.as_str()).count();
    Json(DeviceList { lost, total: devices.len(), devices })
}

fn view(status: &DeviceStatus, name: Option<&Trilingual>) -> DeviceView {
    let id = status.device.device.as_str();
    let spare = match status.class {
        Class::Edge => {
            Trilingual { kk: "Шеткі құрылғы".into(), ru: "Пограничный блок".into(), en: "Edge box".into() }
        }
        _ => Trilingual { kk: id.into(), ru: id.into(), en: id.into() },
    };
    DeviceView {
        id: status.device.to_string(),
        site: status.device.site.to_string(),
        name: name.unwrap_or(&spare).into(),
        kind: status.class.as_str(),
        state: status.state.as_str(),
        seen_at: status.seen_at.map(|at| at.to_string()),
        interval_s: status.interval_ms.map(|ms| ms / 1_000),
        battery_percent: status.battery_percent,
        battery_low: status.battery_low,
        tamper: status.tamper,
        mains_ok: status.mains_ok,
        clock_offset_s: status.clock_offset_ms.map(|ms| ms / 1_000),
        fault: status.fault.clone(),
        provider: status.provider.clone(),
    }
}
