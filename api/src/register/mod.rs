//! The register of institutions: which are connected, in work or not connected, who answers for it, and which are blind.
//!
//! What belongs here: the rules of an entry, what changed in it, what makes a place blind; files in and out
//! ([`import`], [`template`]; cells come from [`crate::table`]). What does not: who may see or change it (the routes).

pub mod columns;
pub mod import;
mod slug;
pub mod template;

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use qorgan_alerts::{
    store::{AuditEntry, Connection, Institution, InstitutionKind},
    supervision::{Class, State},
};
use qorgan_domain::{SiteId, UtcMs};

use self::columns::Column;
use crate::{
    config::{Config, SiteKind},
    hub::App,
};

/// Id of the row in a template that shows how a row looks.
pub const EXAMPLE_ID: &str = "example-school";
/// Who adds the configured sites.
const BY_CONFIG: &str = "system/config";
/// Longest name, address, cause and so on, in characters.
const MAX_TEXT: usize = 300;

/// Why nothing would arrive from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blind {
    /// It is not connected.
    NotConnected,
    /// It is being connected.
    InWork,
    /// It is said to be connected, and none of its devices was ever heard.
    NeverSeen,
    /// All its devices are lost.
    Lost,
}

impl Blind {
    /// Name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Blind::NotConnected => "not_connected",
            Blind::InWork => "in_work",
            Blind::NeverSeen => "never_seen",
            Blind::Lost => "lost",
        }
    }
}

/// What supervision knows of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Heard in time.
    Ok,
    /// Silent for too long.
    Lost,
    /// Never heard.
    Never,
    /// Nobody watches it; it may well work.
    Unsupervised,
}

/// Whether a place is blind, and why: by its status, and by the devices that press there.
pub fn blindness(status: Connection, devices: &[Life]) -> Option<Blind> {
    let works = |life: &Life| matches!(life, Life::Ok | Life::Unsupervised);
    match status {
        Connection::NotConnected => Some(Blind::NotConnected),
        Connection::InWork => Some(Blind::InWork),
        Connection::Connected if devices.iter().any(works) => None,
        Connection::Connected if devices.contains(&Life::Lost) => Some(Blind::Lost),
        Connection::Connected => Some(Blind::NeverSeen),
    }
}

/// The devices that press, by site. An edge box presses nothing.
pub fn devices(app: &App) -> HashMap<SiteId, Vec<Life>> {
    let mut by_site: HashMap<SiteId, Vec<Life>> = HashMap::new();
    for status in app.supervision().devices().into_iter().filter(|status| status.class != Class::Edge) {
        let life = match status.state {
            State::Ok => Life::Ok,
            State::Lost => Life::Lost,
            State::Never => Life::Never,
            State::Unsupervised => Life::Unsupervised,
        };
        by_site.entry(status.device.site).or_default().push(life);
    }
    by_site
}

/// Whether a place of the configuration has cameras and no button: it is watched by those, and not blind for want of buttons.
pub fn by_cameras_only(app: &App, site: &SiteId) -> bool {
    app.config.sites.iter().any(|s| s.id == *site && s.buttons.is_empty() && !s.cameras.is_empty())
}

/// Whether the deadline of something that is not done has passed.
pub fn overdue(institution: &Institution, today: Date) -> bool {
    let deadline = institution.deadline.as_ref().and_then(|d| d.parse::<Date>().ok());
    institution.status != Connection::Connected && deadline.is_some_and(|d| d < today)
}

/// The day of a moment, UTC.
pub fn day_of(at: UtcMs) -> Date {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// What is wrong with an entry: column, and what was expected there.
pub fn check(entry: &Institution) -> Vec<(Column, String)> {
    let mut wrong = Vec::new();
    for (column, name) in [(Column::NameKk, &entry.name.kk), (Column::NameRu, &entry.name.ru), (Column::NameEn, &entry.name.en)] {
        if name.trim().is_empty() || name.chars().count() > MAX_TEXT {
            wrong.push((column, format!("a name of 1 to {MAX_TEXT} characters")));
        }
    }
    let texts = [
        (Column::Address, &entry.address),
        (Column::Cause, &entry.cause),
        (Column::Owner, &entry.owner),
        (Column::Provider, &entry.provider),
    ];
    for (column, text) in texts {
        if text.as_ref().is_some_and(|t| t.chars().count() > MAX_TEXT) {
            wrong.push((column, format!("at most {MAX_TEXT} characters")));
        }
    }
    if entry.deadline.as_ref().is_some_and(|d| d.parse::<Date>().is_err()) {
        wrong.push((Column::Deadline, "a date: 2026-12-31".into()));
    }
    if entry.status != Connection::Connected {
        if entry.cause.is_none() {
            wrong.push((Column::Cause, "why it is not connected".into()));
        }
        if entry.owner.is_none() {
            wrong.push((Column::Owner, "who answers for connecting it".into()));
        }
    }
    if entry.status == Connection::InWork && entry.deadline.is_none() {
        wrong.push((Column::Deadline, "until when it is to be connected".into()));
    }
    wrong
}

/// What differs between two states of an entry: `status: in_work -> connected`.
pub fn changes(old: &Institution, new: &Institution) -> Vec<String> {
    let mut out = Vec::new();
    let mut compare = |what: &str, old: Option<&str>, new: Option<&str>| {
        if old != new {
            out.push(format!("{what}: {} -> {}", old.unwrap_or("(none)"), new.unwrap_or("(none)")));
        }
    };
    compare("name_kk", Some(&old.name.kk), Some(&new.name.kk));
    compare("name_ru", Some(&old.name.ru), Some(&new.name.ru));
    compare("name_en", Some(&old.name.en), Some(&new.name.en));
    compare("kind", Some(old.kind.as_str()), Some(new.kind.as_str()));
    compare("area", Some(old.area.as_str()), Some(new.area.as_str()));
    let place = |i: &Institution| i.position.map(|p| format!("{}, {}", p.lat(), p.lon()));
    compare("position", place(old).as_deref(), place(new).as_deref());
    compare("address", old.address.as_deref(), new.address.as_deref());
    compare("status", Some(old.status.as_str()), Some(new.status.as_str()));
    compare("cause", old.cause.as_deref(), new.cause.as_deref());
    compare("owner", old.owner.as_deref(), new.owner.as_deref());
    compare("deadline", old.deadline.as_deref(), new.deadline.as_deref());
    compare("provider", old.provider.as_deref(), new.provider.as_deref());
    out
}

/// Adds every configured site that the register does not know, as connected.
pub async fn add_configured(app: &App) -> Result<(), qorgan_alerts::Error> {
    let known: HashSet<SiteId> = app.store.institutions().await?.into_iter().map(|i| i.id).collect();
    let now = app.clock.utc();
    let missing = configured(&app.config, &known, now);
    if missing.is_empty() {
        return Ok(());
    }
    let line = |i: &Institution| AuditEntry {
        at: now,
        who: BY_CONFIG.into(),
        role: "system".into(),
        action: "register.add".into(),
        subject: format!("institution/{}", i.id),
        purpose: Some("stands in the configuration".into()),
    };
    app.store.append_audits(missing.iter().map(line).collect()).await?;
    app.store.put_institutions(&missing).await
}

fn configured(config: &Config, known: &HashSet<SiteId>, now: UtcMs) -> Vec<Institution> {
    let entry = |site: &crate::config::Site| Institution {
        id: site.id.clone(),
        name: site.name.clone(),
        kind: match site.kind {
            SiteKind::School => InstitutionKind::School,
            SiteKind::PublicPlace => InstitutionKind::PublicPlace,
        },
        area: site.area.clone(),
        position: Some(site.position),
        address: None,
        status: Connection::Connected,
        cause: None,
        owner: None,
        deadline: None,
        provider: None,
        updated_at: now,
        updated_by: BY_CONFIG.into(),
    };
    config.sites.iter().filter(|site| !known.contains(&site.id)).map(entry).collect()
}

#[cfg(test)]
mod tests;
