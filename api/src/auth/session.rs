//! Sessions: a random token in an HttpOnly cookie; the store keeps only its SHA-256.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::http::{HeaderMap, HeaderValue, header};
use qorgan_alerts::{
    life::Viewer,
    store::{Account, Login, Store},
};
use qorgan_domain::{AreaCode, Clock, Role, SiteId, UnitId, UserName, UtcMs, alert::Actor};
use rand::Rng;
use sha2::{Digest, Sha256};
use tokio::sync::RwLock;

/// Name of the cookie.
pub const COOKIE: &str = "qorgan_session";
/// A session ends this long after log-in whatever happens: one shift of 12 h and its handover.
const LIFETIME: Duration = Duration::from_secs(13 * 3600);

/// Someone who is logged in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Account name.
    pub user: UserName,
    /// Name shown to colleagues.
    pub display_name: String,
    /// Role.
    pub role: Role,
    /// The one site of a school contact.
    pub site: Option<SiteId>,
    /// The unit of a patrol.
    pub unit: Option<UnitId>,
    /// The district of a district contact.
    pub area: Option<AreaCode>,
    /// Must come back in `x-csrf-token` with every change.
    pub csrf: String,
    /// When it ends.
    pub expires_at: UtcMs,
    /// SHA-256 of the token, hex; names the session in the store.
    pub key: String,
}

impl Session {
    /// The session's person as the one who acts.
    pub fn actor(&self) -> Actor {
        Actor::Person { user: self.user.clone(), role: self.role, unit: self.unit.clone() }
    }
    /// What decides which alerts this session sees.
    pub fn viewer(&self) -> Viewer {
        Viewer { role: self.role, site: self.site.clone(), unit: self.unit.clone() }
    }
}

/// All sessions; the store has them too, so that a restart logs nobody out.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    clock: Arc<dyn Clock>,
    cache: Arc<RwLock<HashMap<String, Session>>>,
}

impl Sessions {
    /// Over a store.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, cache: Arc::default() }
    }

    /// Opens a session; returns it with the token for the cookie.
    pub async fn open(&self, user: &Account) -> Result<(Session, String), qorgan_alerts::Error> {
        let token = random_token();
        let now = self.clock.utc();
        let session = session_of(user, key_of(&token), random_token(), now + LIFETIME);
        let login = Login {
            token_sha256: session.key.clone(),
            csrf: session.csrf.clone(),
            user: user.name.clone(),
            created_at: now,
            expires_at: session.expires_at,
            seen_at: now,
        };
        self.store.add_session(&login).await?;
        self.cache.write().await.insert(session.key.clone(), session.clone());
        Ok((session, token))
    }

    /// The session of a token, if it exists and has not ended.
    pub async fn find(&self, token: &str) -> Result<Option<Session>, qorgan_alerts::Error> {
        let (key, now) = (key_of(token), self.clock.utc());
        if let Some(session) = self.cache.read().await.get(&key) {
            return Ok((session.expires_at > now).then(|| session.clone()));
        }
        let Some((login, user)) = self.store.session(&key, now).await?.filter(|(_, user)| !user.disabled) else { return Ok(None) };
        let session = session_of(&user, login.token_sha256, login.csrf, login.expires_at);
        self.cache.write().await.insert(key, session.clone());
        Ok(Some(session))
    }

    /// Whether a session still stands; a stream asks now and then.
    pub async fn stands(&self, key: &str) -> bool {
        let now = self.clock.utc();
        self.cache.read().await.get(key).is_some_and(|s| s.expires_at > now)
    }

    /// Ends a session.
    pub async fn end(&self, key: &str) -> Result<(), qorgan_alerts::Error> {
        self.cache.write().await.remove(key);
        self.store.end_session(key).await
    }

    /// Ends every session of an account, when its password or role changed.
    pub async fn end_all(&self, user: &UserName) -> Result<(), qorgan_alerts::Error> {
        self.cache.write().await.retain(|_, s| s.user != *user);
        self.store.end_sessions(user).await
    }

    /// Forgets ended sessions; the store does so in its own upkeep.
    pub async fn purge(&self) {
        let now = self.clock.utc();
        self.cache.write().await.retain(|_, s| s.expires_at > now);
    }
}

fn session_of(user: &Account, key: String, csrf: String, expires_at: UtcMs) -> Session {
    Session {
        user: user.name.clone(),
        display_name: user.display_name.clone(),
        role: user.role,
        site: user.site.clone(),
        unit: user.unit.clone(),
        area: user.area.clone(),
        csrf,
        expires_at,
        key,
    }
}

/// 256 random bits, hex.
pub fn random_token() -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill(&mut bytes);
    hex::encode(bytes)
}

fn key_of(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// The session token a request carries.
pub fn cookie_value(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE && value.len() == 64).then_some(value))
}

/// The header that sets the cookie, or clears it when there is no token.
pub fn set_cookie(token: Option<&str>, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let (value, age) = match token {
        Some(token) => (token, LIFETIME.as_secs()),
        None => ("", 0),
    };
    HeaderValue::from_str(&format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_and_is_never_readable_by_a_script() {
        let token = random_token();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("a=b; {COOKIE}={token}; c=d").parse().unwrap());
        assert_eq!(cookie_value(&headers), Some(token.as_str()));
        let set = set_cookie(Some(&token), true).unwrap();
        let set = set.to_str().unwrap();
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Secure"));
    }
}
