//! The register of institutions: every one that should have its buttons at the centre, also those that never had.

use qorgan_domain::{AreaCode, GeoPoint, SiteId, Trilingual, UtcMs};
use serde::{Deserialize, Serialize};

use super::{
    Store, counted,
    db::{Row, args, word},
};
use crate::Error;

/// What an institution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstitutionKind {
    /// School.
    School,
    /// Kindergarten.
    Kindergarten,
    /// Hospital or clinic.
    Hospital,
    /// Street, square, station, park.
    PublicPlace,
    /// Something else.
    Other,
}

impl InstitutionKind {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::School => "school",
            Self::Kindergarten => "kindergarten",
            Self::Hospital => "hospital",
            Self::PublicPlace => "public_place",
            Self::Other => "other",
        }
    }
}

/// How far an institution is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// Its buttons are wired to the centre.
    Connected,
    /// Somebody works on it.
    InWork,
    /// Nobody does.
    NotConnected,
}

impl Connection {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::InWork => "in_work",
            Self::NotConnected => "not_connected",
        }
    }
}

/// An institution of the register.
#[derive(Debug, Clone, PartialEq)]
pub struct Institution {
    /// The site's id where it is one.
    pub id: SiteId,
    /// Name.
    pub name: Trilingual,
    /// What it is.
    pub kind: InstitutionKind,
    /// District.
    pub area: AreaCode,
    /// Where.
    pub position: Option<GeoPoint>,
    /// Postal address.
    pub address: Option<String>,
    /// How far it is connected.
    pub status: Connection,
    /// Why it is not.
    pub cause: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Until when, `YYYY-MM-DD`.
    pub deadline: Option<String>,
    /// Whose line or service connects it.
    pub provider: Option<String>,
    /// When it was changed last.
    pub updated_at: UtcMs,
    /// By whom: an account name, or `system/part`.
    pub updated_by: String,
}

const TABLE: &str = "institution";
const COLUMNS: [&str; 16] = [
    "id",
    "name_kk",
    "name_ru",
    "name_en",
    "kind",
    "area",
    "lat",
    "lon",
    "address",
    "status",
    "cause",
    "owner",
    "deadline",
    "provider",
    "updated_at",
    "updated_by",
];
impl Store {
    /// The whole register, by id.
    pub async fn institutions(&self) -> Result<Vec<Institution>, Error> {
        let rows = self.db.rows("SELECT * FROM institution ORDER BY id", vec![]).await.map_err(counted(TABLE))?;
        rows.iter().map(read).collect()
    }

    /// One institution.
    pub async fn institution(&self, id: &SiteId) -> Result<Option<Institution>, Error> {
        let row = self.db.row("SELECT * FROM institution WHERE id = $1", args![id.as_str()]).await.map_err(counted(TABLE))?;
        row.as_ref().map(read).transpose()
    }

    /// Adds or replaces institutions, all or none. No id may stand twice.
    pub async fn put_institutions(&self, institutions: &[Institution]) -> Result<(), Error> {
        self.try_put(institutions).await.map_err(counted(TABLE))
    }

    async fn try_put(&self, institutions: &[Institution]) -> Result<(), sqlx::Error> {
        let mut tx = self.db.begin().await?;
        let replace: Vec<String> = COLUMNS.iter().skip(1).map(|c| format!("{c} = excluded.{c}")).collect();
        // Only names of columns are written into the text.
        let head = format!("INSERT INTO institution ({}) VALUES ", COLUMNS.join(", "));
        let tail = format!(" ON CONFLICT (id) DO UPDATE SET {}", replace.join(", "));
        let rows = institutions.iter().map(|i| {
            args![
                i.id.as_str(),
                i.name.kk.as_str(),
                i.name.ru.as_str(),
                i.name.en.as_str(),
                i.kind.as_str(),
                i.area.as_str(),
                i.position.map(GeoPoint::lat),
                i.position.map(GeoPoint::lon),
                i.address.clone(),
                i.status.as_str(),
                i.cause.clone(),
                i.owner.clone(),
                i.deadline.clone(),
                i.provider.clone(),
                i.updated_at.0,
                i.updated_by.as_str(),
            ]
        });
        tx.insert(&head, &tail, rows.collect()).await?;
        tx.commit().await
    }
}

fn read(row: &Row) -> Result<Institution, Error> {
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(TABLE));
    let real = |column: &'static str| row.maybe_real(column).map_err(counted(TABLE));
    Ok(Institution {
        id: word(TABLE, "id", &text("id")?)?,
        name: Trilingual { kk: text("name_kk")?, ru: text("name_ru")?, en: text("name_en")? },
        kind: word(TABLE, "kind", &text("kind")?)?,
        area: word(TABLE, "area", &text("area")?)?,
        position: real("lat")?.zip(real("lon")?).and_then(|(lat, lon)| GeoPoint::new(lat, lon).ok()),
        address: maybe("address")?,
        status: word(TABLE, "status", &text("status")?)?,
        cause: maybe("cause")?,
        owner: maybe("owner")?,
        deadline: maybe("deadline")?,
        provider: maybe("provider")?,
        updated_at: UtcMs(row.int("updated_at").map_err(counted(TABLE))?),
        updated_by: text("updated_by")?,
    })
}
