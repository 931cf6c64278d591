//! The site file: contacts, address, notes, floor plan, cameras that see the entrance.
//!
//! Contacts are people who gave their data for this. Name, post and phone are sealed before they reach the store
//! ([`Seal`]), are shown to whom the site file is for, and go when they expire. Who reads is written down by the routes.

mod plan;
mod seal;

use qorgan_domain::{SiteId, UtcMs};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hub::App;

pub use plan::{MAX_PLAN_BYTES, PlanError, clean_plan};
pub use seal::Seal;

/// A site file as those see it whom it is for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SiteFile {
    /// Site.
    pub site: String,
    /// Postal address.
    pub address: Option<String>,
    /// What whoever comes should know.
    pub notes: Option<String>,
    /// Whom to call there.
    pub contacts: Vec<Contact>,
    /// Cameras that see the entrances, `site/camera`.
    pub entrances: Vec<String>,
    /// The floor plan, if there is one; the picture is at `/api/v1/sites/{site}/plan`.
    pub plan: Option<PlanView>,
    /// When address, notes or entrances were written last, RFC 3339.
    pub updated_at: Option<String>,
}

/// Somebody to call at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Contact {
    /// Id within the site.
    pub id: String,
    /// Name.
    pub name: String,
    /// What they are there.
    pub post: String,
    /// Phone.
    pub phone: String,
    /// After this they are deleted, RFC 3339.
    pub expires_at: String,
}

/// What is known of a plan without the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanView {
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    /// When it came, RFC 3339.
    pub updated_at: String,
}

/// What is sealed of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Name.
    pub name: String,
    /// What they are there.
    pub post: String,
    /// Phone.
    pub phone: String,
}

/// The file of a site; an empty one where nothing was written yet. Whoever calls this has checked the reach and
/// writes down who reads and why.
pub async fn site_file(app: &App, site: &SiteId) -> Result<SiteFile, qorgan_alerts::Error> {
    let now = app.clock.utc();
    let page = app.store.site_page(site).await?;
    let plan = app.store.plan(site, false).await?;
    let mut contacts = Vec::new();
    for sealed in app.store.contacts(site, now).await? {
        // A store that was put back without its key: the rest of the file is worth showing.
        let Some(Person { name, post, phone }) = app.seal.open(site, &sealed.id, &sealed.sealed) else {
            tracing::error!(%site, contact = sealed.id, "a contact does not open with this hub's key; it is not shown");
            metrics::counter!("qorgan_contacts_unreadable_total").increment(1);
            continue;
        };
        contacts.push(Contact { id: sealed.id, name, post, phone, expires_at: sealed.expires_at.to_string() });
    }
    let time = |at: UtcMs| at.to_string();
    let (address, notes, entrances, updated_at) = match page {
        Some(page) => (page.address, page.notes, page.entrances, Some(time(page.updated_at))),
        None => (None, None, Vec::new(), None),
    };
    // A camera that was taken out of the configuration sees no entrance any more.
    let known = |camera: &String| camera.parse().is_ok_and(|id| app.cameras.contains(&id));
    Ok(SiteFile {
        site: site.to_string(),
        address,
        notes,
        contacts,
        entrances: entrances.into_iter().filter(known).collect(),
        plan: plan.map(|plan| PlanView { media_type: plan.media_type, updated_at: time(plan.updated_at) }),
        updated_at,
    })
}
