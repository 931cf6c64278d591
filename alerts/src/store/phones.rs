//! Phones of school contacts and the codes that enrol them. Tokens and codes arrive as digests.

use qorgan_domain::{DeviceRef, SiteId, UserName, UtcMs};

use super::{
    Store, counted,
    db::{Row, args, word},
    maybe_time,
};
use crate::Error;

/// An enrolled phone. Neither its token nor its codes can be had back from this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneRow {
    /// Its name among the devices, `site/phone-xxxx`.
    pub device: DeviceRef,
    /// What people call it.
    pub name: String,
    /// SHA-256 of its token, in hex.
    pub token_sha256: String,
    /// Hash of the code that cancels (PHC string).
    pub cancel_code: String,
    /// Hash of the code that looks like cancelling and is a call for help.
    pub duress_code: String,
    /// When it was enrolled.
    pub created_at: UtcMs,
    /// Who gave it its enrolment code.
    pub created_by: UserName,
    /// When it was heard of last.
    pub seen_at: Option<UtcMs>,
    /// Since when it may not press any more.
    pub revoked_at: Option<UtcMs>,
}

/// A code that lets one phone in, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Digest of the code, in hex.
    pub code_sha256: String,
    /// Of which site the phone will be.
    pub site: SiteId,
    /// What people will call it.
    pub name: String,
    /// Who made the code.
    pub created_by: UserName,
    /// Until when it is good.
    pub expires_at: UtcMs,
}

impl Store {
    /// Keeps an enrolment code and forgets those that are over.
    pub async fn add_enrolment(&self, enrolment: &Enrolment, now: UtcMs) -> Result<(), Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            tx.run("DELETE FROM phone_enrolment WHERE expires_at <= $1", args![now.0]).await?;
            let sql = "INSERT INTO phone_enrolment (code_sha256, site, name, created_by, expires_at) VALUES ($1, $2, $3, $4, $5)";
            let values = args![
                enrolment.code_sha256.as_str(),
                enrolment.site.as_str(),
                enrolment.name.as_str(),
                enrolment.created_by.as_str(),
                enrolment.expires_at.0
            ];
            tx.run(sql, values).await?;
            tx.commit().await
        };
        work.await.map_err(counted("add enrolment"))
    }

    /// The enrolment a code stands for, while it is good.
    pub async fn enrolment(&self, code_sha256: &str, now: UtcMs) -> Result<Option<Enrolment>, Error> {
        const TABLE: &str = "phone_enrolment";
        let sql = "SELECT * FROM phone_enrolment WHERE code_sha256 = $1 AND expires_at > $2";
        let Some(row) = self.db.row(sql, args![code_sha256, now.0]).await.map_err(counted("enrolment"))? else { return Ok(None) };
        let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
        Ok(Some(Enrolment {
            code_sha256: text("code_sha256")?,
            site: word(TABLE, "site", &text("site")?)?,
            name: text("name")?,
            created_by: word(TABLE, "created_by", &text("created_by")?)?,
            expires_at: UtcMs(row.int("expires_at").map_err(counted(TABLE))?),
        }))
    }

    /// Uses up the code and keeps the phone, both or neither; false when somebody was quicker or the code is over.
    pub async fn enrol_phone(&self, code_sha256: &str, phone: &PhoneRow) -> Result<bool, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            let used = "DELETE FROM phone_enrolment WHERE code_sha256 = $1 AND expires_at > $2";
            if tx.run(used, args![code_sha256, phone.created_at.0]).await? == 0 {
                return Ok(false);
            }
            let sql = "INSERT INTO phone (device, site, name, token_sha256, cancel_code, duress_code, created_at, created_by, seen_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
            let values = args![
                phone.device.to_string(),
                phone.device.site.as_str(),
                phone.name.as_str(),
                phone.token_sha256.as_str(),
                phone.cancel_code.as_str(),
                phone.duress_code.as_str(),
                phone.created_at.0,
                phone.created_by.as_str(),
                phone.seen_at.map(|at| at.0)
            ];
            tx.run(sql, values).await?;
            tx.commit().await?;
            Ok(true)
        };
        work.await.map_err(counted("enrol phone"))
    }

    /// Every phone, also the revoked ones, by device.
    pub async fn phones(&self) -> Result<Vec<PhoneRow>, Error> {
        let rows = self.db.rows("SELECT * FROM phone ORDER BY device", vec![]).await.map_err(counted("phones"))?;
        rows.iter().map(read).collect()
    }

    /// Lets a phone press no more; false when it is unknown or was revoked before.
    pub async fn revoke_phone(&self, device: &DeviceRef, now: UtcMs) -> Result<bool, Error> {
        let sql = "UPDATE phone SET revoked_at = $2 WHERE device = $1 AND revoked_at IS NULL";
        let n = self.db.run(sql, args![device.to_string(), now.0]).await.map_err(counted("revoke phone"))?;
        Ok(n > 0)
    }

    /// Notes that a phone was heard of.
    pub async fn touch_phone(&self, device: &DeviceRef, seen_at: UtcMs) -> Result<(), Error> {
        let sql = "UPDATE phone SET seen_at = $2 WHERE device = $1";
        self.db.run(sql, args![device.to_string(), seen_at.0]).await.map(drop).map_err(counted("touch phone"))
    }

    /// Whether a drill is on at a site.
    pub async fn drill_is_on(&self, site: &SiteId, now: UtcMs) -> Result<bool, Error> {
        let sql = "SELECT id FROM drill WHERE site = $1 AND started_at IS NOT NULL AND ended_at IS NULL AND until_at > $2 LIMIT 1";
        let row = self.db.row(sql, args![site.as_str(), now.0]).await.map_err(counted("drill is on"))?;
        Ok(row.is_some())
    }
}

fn read(row: &Row) -> Result<PhoneRow, Error> {
    const TABLE: &str = "phone";
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    let time = |column: &'static str| row.maybe_int(column).map(maybe_time).map_err(counted(TABLE));
    Ok(PhoneRow {
        device: word(TABLE, "device", &text("device")?)?,
        name: text("name")?,
        token_sha256: text("token_sha256")?,
        cancel_code: text("cancel_code")?,
        duress_code: text("duress_code")?,
        created_at: UtcMs(row.int("created_at").map_err(counted(TABLE))?),
        created_by: word(TABLE, "created_by", &text("created_by")?)?,
        seen_at: time("seen_at")?,
        revoked_at: time("revoked_at")?,
    })
}
