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

/// Short codes of digits: argon2id under a key that is not in the database, so that a stolen database gives none away.
impl Passwords {
    /// The PHC string of a code.
    pub async fn hash_code(&self, code: String, key: Arc<str>) -> Result<String, PasswordError> {
        let _permit = self.permits.acquire().await;
        tokio::task::spawn_blocking(move || hash_with(&keyed(&key)?, &code)).await.map_err(|e| PasswordError::Hash(e.to_string()))?
    }

    /// Which of two hashes a code belongs to. Both are always computed, so that time does not tell which one it was.
    pub async fn verify_code(&self, code: String, key: Arc<str>, hashes: [String; 2]) -> [bool; 2] {
        let _permit = self.permits.acquire().await;
        let matches = tokio::task::spawn_blocking(move || {
            let argon2 = keyed(&key).ok();
            hashes.map(|hash| {
                let parsed = PasswordHash::new(&hash).ok();
                parsed.zip(argon2.as_ref()).is_some_and(|(parsed, argon2)| argon2.verify_password(code.as_bytes(), &parsed).is_ok())
            })
        });
        matches.await.unwrap_or([false; 2])
    }
}

fn keyed(key: &str) -> Result<Argon2<'_>, PasswordError> {
    let fail = |e: argon2::Error| PasswordError::Hash(e.to_string());
    Argon2::new_with_secret(key.as_bytes(), argon2::Algorithm::Argon2id, argon2::Version::V0x13, argon2::Params::default()).map_err(fail)
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
    hash_with(&Argon2::default(), password)
}

fn hash_with(argon2: &Argon2<'_>, password: &str) -> Result<String, PasswordError> {
    let mut salt = [0u8; 16];
    rand::rng().fill(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|e| PasswordError::Hash(e.to_string()))?;
    argon2.hash_password(password.as_bytes(), &salt).map(|h| h.to_string()).map_err(|e| PasswordError::Hash(e.to_string()))
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
    async fn a_code_needs_the_key_that_is_not_in_the_database() {
        let passwords = Passwords::new().unwrap();
        let (key, other): (Arc<str>, Arc<str>) = ("one key".into(), "another key".into());
        let cancel = passwords.hash_code("2580".into(), key.clone()).await.unwrap();
        let duress = passwords.hash_code("9137".into(), key.clone()).await.unwrap();
        let both = || [cancel.clone(), duress.clone()];
        assert_eq!(passwords.verify_code("2580".into(), key.clone(), both()).await, [true, false]);
        assert_eq!(passwords.verify_code("9137".into(), key.clone(), both()).await, [false, true]);
        assert_eq!(passwords.verify_code("2581".into(), key, both()).await, [false, false]);
        assert_eq!(passwords.verify_code("2580".into(), other, both()).await, [false, false]);
    }

    #[tokio::test]
    async fn short_passwords_are_refused() {
        let passwords = Passwords::new().unwrap();
        assert!(passwords.hash("short".into()).await.is_err());
        assert!(check_strength(&generate()).is_ok());
    }
}
