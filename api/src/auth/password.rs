//! Passwords: argon2id with the crate's recommended costs (19 MiB, 2 passes; OWASP), two at a time.

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use rand::Rng;
use tokio::sync::Semaphore;

/// Shortest password that is taken, in characters.
const MIN_CHARS: usize = 12;
/// Longest, in bytes; more is only work for the hash.
const MAX_BYTES: usize = 256;

/// A password that cannot be used or hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {MIN_CHARS} characters at least and {MAX_BYTES} bytes at most")]
    Length,
    /// The hash failed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Hashes and verifies off the async threads, never more than two at once.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// Verified against when the account does not exist, so that both cases take as long.
    decoy: Arc<str>,
}

impl Passwords {
    /// Ready for use.
    pub fn new() -> Result<Self, PasswordError> {
        Ok(Self { permits: Arc::new(Semaphore::new(2)), decoy: hash(&generate())?.into() })
    }

    /// The PHC string of a password.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        check_strength(&password)?;
        let _permit = self.permits.acquire().await;
        tokio::task::spawn_blocking(move || hash(&password)).await.map_err(|e| PasswordError::Hash(e.to_string()))?
    }

    /// Whether the password belongs to the hash; without a hash (no such account) it takes as long and is false.
    pub async fn verify(&self, password: String, hash: Option<String>) -> bool {
        if password.len() > MAX_BYTES {
            return false;
        }
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let _permit = self.permits.acquire().await;
        let matches = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&hash).is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
        });
        known & matches.await.unwrap_or(false)
    }
}

/// Whether a chosen password is long enough.
pub fn check_strength(password: &str) -> Result<(), PasswordError> {
    if password.chars().count() < MIN_CHARS || password.len() > MAX_BYTES { Err(PasswordError::Length) } else { Ok(()) }
}

/// A password that can be read out: four groups of five letters and digits, about 100 bits.
pub fn generate() -> String {
    // Without letters and digits that look alike.
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut rng = rand::rng();
    let group =
        |rng: &mut rand::rngs::ThreadRng| (0..5).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect::<String>();
    (0..4).map(|_| group(&mut rng)).collect::<Vec<_>>().join("-")
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let mut salt = [0u8; 16];
    rand::rng().fill(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|e| PasswordError::Hash(e.to_string()))?;
    Argon2::default().hash_password(password.as_bytes(), &salt).map(|h| h.to_string()).map_err(|e| PasswordError::Hash(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_verifies_only_against_its_own_hash() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify("correct horse battery".into(), Some(hash.clone())).await);
        assert!(!passwords.verify("correct horse batterz".into(), Some(hash)).await);
        assert!(!passwords.verify("anything at all".into(), None).await);
    }

    #[tokio::test]
    async fn short_passwords_are_refused() {
        let passwords = Passwords::new().unwrap();
        assert!(passwords.hash("short".into()).await.is_err());
        assert!(check_strength(&generate()).is_ok());
    }
}
