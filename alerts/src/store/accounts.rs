//! Staff accounts, their sessions, and the sound tests of their desks. Passwords arrive hashed.

use qorgan_domain::{AreaCode, Role, SiteId, UnitId, UserName, UtcMs};

use super::{
    Store, counted,
    db::{Row, args, maybe_word, word},
};
use crate::Error;

/// A member of staff.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Account name.
    pub name: UserName,
    /// What they are to the hub.
    pub role: Role,
    /// Password hash in its textual form (PHC string); made and checked by `api`.
    pub password_hash: String,
    /// As shown to colleagues.
    pub display_name: String,
    /// The one site of a school contact.
    pub site: Option<SiteId>,
    /// The unit of a patrol.
    pub unit: Option<UnitId>,
    /// The district of a district contact.
    pub area: Option<AreaCode>,
    /// `kk`, `ru` or `en`.
    pub language: String,
    /// May not log in.
    pub disabled: bool,
    /// When it was made.
    pub created_at: UtcMs,
}

/// A session. The token itself is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// SHA-256 of the token, in hex.
    pub token_sha256: String,
    /// What state-changing calls must carry.
    pub csrf: String,
    /// Whose.
    pub user: UserName,
    /// When it began.
    pub created_at: UtcMs,
    /// When it ends.
    pub expires_at: UtcMs,
    /// When it was used last.
    pub seen_at: UtcMs,
}

/// Whether a person heard the test sound at their desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundTest {
    /// Who.
    pub user: UserName,
    /// When.
    pub at: UtcMs,
    /// Whether they heard it.
    pub heard: bool,
}

impl Store {
    /// Makes an account or replaces everything about it but its date.
    pub async fn put_account(&self, account: &Account) -> Result<(), Error> {
        let sql = "INSERT INTO account (name, role, password_hash, display_name, site, unit, language, disabled, created_at, area) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (name) DO UPDATE SET role = excluded.role, \
             password_hash = excluded.password_hash, display_name = excluded.display_name, site = excluded.site, \
             unit = excluded.unit, language = excluded.language, disabled = excluded.disabled, area = excluded.area";
        let values = args![
            account.name.as_str(),
            account.role.as_str(),
            account.password_hash.as_str(),
            account.display_name.as_str(),
            account.site.as_ref().map(ToString::to_string),
            account.unit.as_ref().map(ToString::to_string),
            account.language.as_str(),
            account.disabled,
            account.created_at.0,
            account.area.as_ref().map(ToString::to_string),
        ];
        self.db.run(sql, values).await.map(drop).map_err(counted("put account"))
    }

    /// One account.
    pub async fn account(&self, name: &UserName) -> Result<Option<Account>, Error> {
        let row = self.db.row("SELECT * FROM account WHERE name = $1", args![name.as_str()]).await.map_err(counted("account"))?;
        row.as_ref().map(read).transpose()
    }

    /// Every account, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let rows = self.db.rows("SELECT * FROM account ORDER BY name", vec![]).await.map_err(counted("accounts"))?;
        rows.iter().map(read).collect()
    }

    /// Sets a password hash and ends every session of the account; false when there is no such account.
    pub async fn set_password(&self, name: &UserName, password_hash: &str) -> Result<bool, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            let n = tx.run("UPDATE account SET password_hash = $2 WHERE name = $1", args![name.as_str(), password_hash]).await?;
            tx.run("DELETE FROM session WHERE account = $1", args![name.as_str()]).await?;
            tx.commit().await?;
            Ok(n > 0)
        };
        work.await.map_err(counted("set password"))
    }

    /// Keeps a session.
    pub async fn add_session(&self, login: &Login) -> Result<(), Error> {
        let sql = "INSERT INTO session (token_sha256, csrf, account, created_at, expires_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let values = args![
            login.token_sha256.as_str(),
            login.csrf.as_str(),
            login.user.as_str(),
            login.created_at.0,
            login.expires_at.0,
            login.seen_at.0
        ];
        self.db.run(sql, values).await.map(drop).map_err(counted("add session"))
    }

    /// A session that has not expired, with the account it belongs to if that may log in.
    pub async fn session(&self, token_sha256: &str, now: UtcMs) -> Result<Option<(Login, Account)>, Error> {
        let sql = "SELECT s.token_sha256, s.csrf, s.created_at AS began_at, s.expires_at, s.seen_at, a.* FROM session s \
             JOIN account a ON a.name = s.account WHERE s.token_sha256 = $1 AND s.expires_at > $2 AND a.disabled = 0";
        let Some(row) = self.db.row(sql, args![token_sha256, now.0]).await.map_err(counted("session"))? else { return Ok(None) };
        let account = read(&row)?;
        let login = || -> Result<Login, sqlx::Error> {
            Ok(Login {
                token_sha256: row.text("token_sha256")?,
                csrf: row.text("csrf")?,
                user: account.name.clone(),
                created_at: UtcMs(row.int("began_at")?),
                expires_at: UtcMs(row.int("expires_at")?),
                seen_at: UtcMs(row.int("seen_at")?),
            })
        };
        Ok(Some((login().map_err(counted("session"))?, account)))
    }

    /// Notes that a session was used and until when it lasts now.
    pub async fn touch_session(&self, token_sha256: &str, seen_at: UtcMs, expires_at: UtcMs) -> Result<(), Error> {
        let sql = "UPDATE session SET seen_at = $2, expires_at = $3 WHERE token_sha256 = $1";
        self.db.run(sql, args![token_sha256, seen_at.0, expires_at.0]).await.map(drop).map_err(counted("touch session"))
    }

    /// Ends a session.
    pub async fn end_session(&self, token_sha256: &str) -> Result<(), Error> {
        self.db.run("DELETE FROM session WHERE token_sha256 = $1", args![token_sha256]).await.map(drop).map_err(counted("end session"))
    }

    /// Ends every session of an account.
    pub async fn end_sessions(&self, user: &UserName) -> Result<(), Error> {
        self.db.run("DELETE FROM session WHERE account = $1", args![user.as_str()]).await.map(drop).map_err(counted("end sessions"))
    }

    /// Writes down whether the test sound was heard.
    pub async fn add_sound_test(&self, test: &SoundTest) -> Result<(), Error> {
        let sql = "INSERT INTO sound_test (account, at, heard) VALUES ($1, $2, $3) ON CONFLICT (account, at) DO UPDATE SET heard = excluded.heard";
        self.db.run(sql, args![test.user.as_str(), test.at.0, test.heard]).await.map(drop).map_err(counted("sound test"))
    }

    /// The last sound test of every account since a moment.
    pub async fn sound_tests(&self, since: UtcMs) -> Result<Vec<SoundTest>, Error> {
        let sql = "SELECT account, at, heard FROM sound_test t WHERE at >= $1 \
             AND at = (SELECT MAX(at) FROM sound_test u WHERE u.account = t.account) ORDER BY account";
        let rows = self.db.rows(sql, args![since.0]).await.map_err(counted("sound tests"))?;
        let read = |row: &Row| -> Result<SoundTest, Error> {
            let get = || Ok((row.text("account")?, row.int("at")?, row.flag("heard")?));
            let (user, at, heard) = get().map_err(counted("sound tests"))?;
            Ok(SoundTest { user: word("sound_test", "account", &user)?, at: UtcMs(at), heard })
        };
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Account, Error> {
    const TABLE: &str = "account";
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(TABLE));
    Ok(Account {
        name: word(TABLE, "name", &text("name")?)?,
        role: word(TABLE, "role", &text("role")?)?,
        password_hash: text("password_hash")?,
        display_name: text("display_name")?,
        site: maybe_word(TABLE, "site", maybe("site")?)?,
        unit: maybe_word(TABLE, "unit", maybe("unit")?)?,
        area: maybe_word(TABLE, "area", maybe("area")?)?,
        language: text("language")?,
        disabled: row.flag("disabled").map_err(counted(TABLE))?,
        created_at: UtcMs(row.int("created_at").map_err(counted(TABLE))?),
    })
}
