//! Site files: address, notes, contacts, floor plan. What is said about people arrives sealed and leaves sealed.

use qorgan_domain::{SiteId, UserName, UtcMs};

use super::{
    Store, counted,
    db::{Row, args, word},
};
use crate::Error;

/// What a site file says besides its contacts and its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePage {
    /// Postal address.
    pub address: Option<String>,
    /// What whoever comes should know.
    pub notes: Option<String>,
    /// Cameras that see the entrances, `site/camera`.
    pub entrances: Vec<String>,
    /// When it was written last.
    pub updated_at: UtcMs,
    /// By whom.
    pub updated_by: UserName,
}

/// A contact of a site. Name, post and phone are in the sealed text; only `api` has the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedContact {
    /// Its id within the site.
    pub id: String,
    /// The sealed text.
    pub sealed: String,
    /// After this it is neither shown nor kept.
    pub expires_at: UtcMs,
}

/// A floor plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    /// The picture; empty where only the description was asked for.
    pub picture: Vec<u8>,
    /// When it came.
    pub updated_at: UtcMs,
    /// From whom.
    pub updated_by: UserName,
}

const PAGE: &str = "site_file";
const CONTACT: &str = "site_contact";
const PLAN: &str = "site_plan";

impl Store {
    /// The page of a site.
    pub async fn site_page(&self, site: &SiteId) -> Result<Option<SitePage>, Error> {
        let sql = "SELECT address, notes, entrances, updated_at, updated_by FROM site_file WHERE site = $1";
        let Some(row) = self.db.row(sql, args![site.as_str()]).await.map_err(counted(PAGE))? else { return Ok(None) };
        let get = || -> Result<_, sqlx::Error> {
            let (entrances, by) = (row.text("entrances")?, row.text("updated_by")?);
            Ok((row.maybe_text("address")?, row.maybe_text("notes")?, entrances, row.int("updated_at")?, by))
        };
        let (address, notes, entrances, updated_at, by) = get().map_err(counted(PAGE))?;
        let read = serde_json::from_str(&entrances);
        let entrances = read.map_err(|_| Error::Corrupt { table: PAGE, column: "entrances", value: entrances })?;
        let updated_by = word(PAGE, "updated_by", &by)?;
        Ok(Some(SitePage { address, notes, entrances, updated_at: UtcMs(updated_at), updated_by }))
    }

    /// Replaces the page of a site.
    pub async fn put_site_page(&self, site: &SiteId, page: &SitePage) -> Result<(), Error> {
        let sql = "INSERT INTO site_file (site, address, notes, entrances, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (site) DO UPDATE SET address = excluded.address, notes = excluded.notes, entrances = excluded.entrances, \
             updated_at = excluded.updated_at, updated_by = excluded.updated_by";
        let entrances = serde_json::to_string(&page.entrances).map_err(|e| counted(PAGE)(sqlx::Error::Encode(e.into())))?;
        let by = page.updated_by.as_str();
        let values = args![site.as_str(), page.address.clone(), page.notes.clone(), entrances, page.updated_at.0, by];
        self.db.run(sql, values).await.map(drop).map_err(counted(PAGE))
    }

    /// Contacts of a site that have not expired, by id.
    pub async fn contacts(&self, site: &SiteId, now: UtcMs) -> Result<Vec<SealedContact>, Error> {
        let sql = "SELECT id, sealed, expires_at FROM site_contact WHERE site = $1 AND expires_at > $2 ORDER BY id";
        let rows = self.db.rows(sql, args![site.as_str(), now.0]).await.map_err(counted(CONTACT))?;
        let read = |row: &Row| -> Result<SealedContact, sqlx::Error> {
            Ok(SealedContact { id: row.text("id")?, sealed: row.text("sealed")?, expires_at: UtcMs(row.int("expires_at")?) })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(counted(CONTACT))
    }

    /// Adds or replaces a contact.
    pub async fn put_contact(&self, site: &SiteId, contact: &SealedContact) -> Result<(), Error> {
        let sql = "INSERT INTO site_contact (site, id, sealed, expires_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (site, id) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at";
        let values = args![site.as_str(), contact.id.as_str(), contact.sealed.as_str(), contact.expires_at.0];
        self.db.run(sql, values).await.map(drop).map_err(counted(CONTACT))
    }

    /// Removes a contact; false when there was none.
    pub async fn remove_contact(&self, site: &SiteId, id: &str) -> Result<bool, Error> {
        let sql = "DELETE FROM site_contact WHERE site = $1 AND id = $2";
        Ok(self.db.run(sql, args![site.as_str(), id]).await.map_err(counted(CONTACT))? > 0)
    }

    /// Deletes contacts that have expired; how many.
    pub async fn expire_contacts(&self, now: UtcMs) -> Result<u64, Error> {
        self.db.run("DELETE FROM site_contact WHERE expires_at <= $1", args![now.0]).await.map_err(counted(CONTACT))
    }

    /// The plan of a site, with or without the picture itself.
    pub async fn plan(&self, site: &SiteId, with_picture: bool) -> Result<Option<Plan>, Error> {
        let sql = match with_picture {
            true => "SELECT media_type, picture, updated_at, updated_by FROM site_plan WHERE site = $1",
            false => "SELECT media_type, updated_at, updated_by FROM site_plan WHERE site = $1",
        };
        let Some(row) = self.db.row(sql, args![site.as_str()]).await.map_err(counted(PLAN))? else { return Ok(None) };
        let get = || -> Result<_, sqlx::Error> {
            let picture = if with_picture { row.bytes("picture")? } else { Vec::new() };
            Ok((row.text("media_type")?, picture, row.int("updated_at")?, row.text("updated_by")?))
        };
        let (media_type, picture, updated_at, by) = get().map_err(counted(PLAN))?;
        Ok(Some(Plan { media_type, picture, updated_at: UtcMs(updated_at), updated_by: word(PLAN, "updated_by", &by)? }))
    }

    /// Replaces the plan of a site.
    pub async fn put_plan(&self, site: &SiteId, plan: Plan) -> Result<(), Error> {
        let sql = "INSERT INTO site_plan (site, media_type, picture, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (site) DO UPDATE SET media_type = excluded.media_type, picture = excluded.picture, \
             updated_at = excluded.updated_at, updated_by = excluded.updated_by";
        let values = args![site.as_str(), plan.media_type, plan.picture, plan.updated_at.0, plan.updated_by.as_str()];
        self.db.run(sql, values).await.map(drop).map_err(counted(PLAN))
    }

    /// Removes the plan of a site; false when there was none.
    pub async fn remove_plan(&self, site: &SiteId) -> Result<bool, Error> {
        Ok(self.db.run("DELETE FROM site_plan WHERE site = $1", args![site.as_str()]).await.map_err(counted(PLAN))? > 0)
    }
}
