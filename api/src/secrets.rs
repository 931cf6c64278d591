//! Secrets that the hub makes itself: device passwords, demonstration log-ins, the metrics token.
//!
//! They live in `{state_dir}/secrets/`, readable by the hub's own user only, and never in a log.
//! Device passwords are random (128 bits), so a plain SHA-256 comparison is enough at log-in; a password
//! hash made for people would let 8,000 buttons that reconnect at once take minutes.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use qorgan_domain::{DeviceRef, Role};
use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A secret file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file system refused.
    #[error("secret file {0}")]
    Io(PathBuf, #[source] std::io::Error),
    /// The file is not what the hub writes.
    #[error("secret file {0} does not read as JSON")]
    Shape(PathBuf, #[source] serde_json::Error),
    /// A key that is none.
    #[error("secret file {0} does not hold a key of 32 bytes in hex")]
    Key(PathBuf),
}

/// MQTT passwords by user name (`site/device`, `edge/site`, `desk/name`).
#[derive(Debug, Clone, Default)]
pub struct DevicePasswords {
    /// Clones share them: a camera that is added while the hub runs logs in like any other.
    digests: Arc<RwLock<BTreeMap<String, [u8; 32]>>>,
}

/// A log-in made for the demonstration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DemoLogin {
    /// Account name.
    pub user: String,
    /// Password in clear.
    pub password: String,
}

/// The directory of the secrets.
pub fn dir(state_dir: &Path) -> PathBuf {
    state_dir.join("secrets")
}

impl DevicePasswords {
    /// Reads the file, adds a password for every device that has none, and writes it back if it grew.
    pub fn prepare<'a>(state_dir: &Path, users: impl Iterator<Item = String> + 'a) -> Result<Self, SecretsError> {
        let path = dir(state_dir).join("mqtt.json");
        let mut passwords: BTreeMap<String, String> = read_json(&path)?.unwrap_or_default();
        let before = passwords.len();
        for user in users {
            passwords.entry(user).or_insert_with(random_secret);
        }
        if passwords.len() != before {
            write_json(&path, &passwords)?;
        }
        let digests = passwords.into_iter().map(|(user, password)| (user, Sha256::digest(password.as_bytes()).into())).collect();
        Ok(Self { digests: Arc::new(RwLock::new(digests)) })
    }

    /// Makes a password for one more user, if it has none, and gives it.
    pub fn add(&self, state_dir: &Path, user: &str) -> Result<String, SecretsError> {
        // Held over the writing, so that two never write at once.
        let mut digests = self.digests.write().unwrap_or_else(PoisonError::into_inner);
        let path = dir(state_dir).join("mqtt.json");
        let mut passwords: BTreeMap<String, String> = read_json(&path)?.unwrap_or_default();
        let password = passwords.entry(user.to_owned()).or_insert_with(random_secret).clone();
        write_json(&path, &passwords)?;
        digests.insert(user.to_owned(), Sha256::digest(password.as_bytes()).into());
        Ok(password)
    }

    /// Lets a user log in no more.
    pub fn remove(&self, state_dir: &Path, user: &str) -> Result<(), SecretsError> {
        let mut digests = self.digests.write().unwrap_or_else(PoisonError::into_inner);
        digests.remove(user);
        let path = dir(state_dir).join("mqtt.json");
        let mut passwords: BTreeMap<String, String> = read_json(&path)?.unwrap_or_default();
        if passwords.remove(user).is_some() {
            write_json(&path, &passwords)?;
        }
        Ok(())
    }

    /// Whether the password is this user's. Compares digests, so time tells nothing about the password.
    pub fn matches(&self, user: &str, password: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(password).into();
        self.digests.read().unwrap_or_else(PoisonError::into_inner).get(user).is_some_and(|known| *known == given)
    }
}

/// The MQTT password of a device, for the hub's own button client.
pub fn device_password(state_dir: &Path, device: &DeviceRef) -> Result<Option<String>, SecretsError> {
    let passwords: BTreeMap<String, String> = read_json(&dir(state_dir).join("mqtt.json"))?.unwrap_or_default();
    Ok(passwords.get(&device.to_string()).cloned())
}

/// The demonstration log-ins, if they were made.
pub fn demo_logins(state_dir: &Path) -> Result<Option<BTreeMap<Role, DemoLogin>>, SecretsError> {
    read_json(&dir(state_dir).join("logins.json"))
}

/// Keeps the demonstration log-ins.
pub fn keep_demo_logins(state_dir: &Path, logins: &BTreeMap<Role, DemoLogin>) -> Result<(), SecretsError> {
    write_json(&dir(state_dir).join("logins.json"), logins)
}

/// The bearer token for `/metrics`, made at first start.
pub fn metrics_token(state_dir: &Path) -> Result<String, SecretsError> {
    token(state_dir, "metrics-token.json")
}

/// The bearer token for the CAP feed, made at first start.
pub fn feed_token(state_dir: &Path) -> Result<String, SecretsError> {
    token(state_dir, "feed-token.json")
}

fn token(state_dir: &Path, file: &str) -> Result<String, SecretsError> {
    let path = dir(state_dir).join(file);
    if let Some(token) = read_json(&path)? {
        return Ok(token);
    }
    let token = random_secret();
    write_json(&path, &token)?;
    Ok(token)
}

/// The key that seals contacts of site files, 32 bytes, made at first start. Without it they cannot be read any more:
/// it belongs into the backup.
pub fn site_file_key(state_dir: &Path) -> Result<Vec<u8>, SecretsError> {
    let path = dir(state_dir).join("site-file-key.json");
    let known: Option<String> = read_json(&path)?;
    let text = match known {
        Some(text) => text,
        None => {
            let text = random_secret() + &random_secret();
            write_json(&path, &text)?;
            text
        }
    };
    hex::decode(&text).ok().filter(|key| key.len() == 32).ok_or(SecretsError::Key(path))
}

/// The key of residents' codes and of the tokens of their forms, made at first start. Without it no code opens its request any more.
pub fn requests_key(state_dir: &Path) -> Result<String, SecretsError> {
    token(state_dir, "requests-key.json")
}

/// The Open311 key that the hub makes at first start.
pub fn open311_key(state_dir: &Path) -> Result<String, SecretsError> {
    token(state_dir, "open311-key.json")
}

/// The key of the phones' cancel and duress codes, made at first start.
pub fn phone_key(state_dir: &Path) -> Result<String, SecretsError> {
    let path = dir(state_dir).join("phone-key.json");
    if let Some(key) = read_json(&path)? {
        return Ok(key);
    }
    let key = random_secret();
    write_json(&path, &key)?;
    Ok(key)
}

fn random_secret() -> String {
    let mut bytes = [0u8; 16];
    rand::rng().fill(&mut bytes);
    hex::encode(bytes)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, SecretsError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SecretsError::Io(path.into(), error)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| SecretsError::Shape(path.into(), error))
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), SecretsError> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| SecretsError::Shape(path.into(), error))?;
    write_private(path, &text).map_err(|error| SecretsError::Io(path.into(), error))
}

/// Writes a file that only its owner can read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(parent) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let draft = path.with_extension("draft");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_of_site_files_is_made_once_and_a_spoilt_one_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let key = site_file_key(dir.path()).unwrap();
        assert_eq!((key.len(), site_file_key(dir.path()).unwrap()), (32, key));
        write_json(&super::dir(dir.path()).join("site-file-key.json"), &"00").unwrap();
        assert!(matches!(site_file_key(dir.path()), Err(SecretsError::Key(_))));
    }

    #[test]
    fn passwords_are_made_once_kept_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let users = || ["school-17/gate".to_owned()].into_iter();
        DevicePasswords::prepare(dir.path(), users()).unwrap();
        let first = device_password(dir.path(), &"school-17/gate".parse().unwrap()).unwrap().unwrap();
        let passwords = DevicePasswords::prepare(dir.path(), users()).unwrap();
        assert!(passwords.matches("school-17/gate", first.as_bytes()));
        assert!(!passwords.matches("school-17/gate", b"other"));
        assert!(!passwords.matches("school-18/gate", first.as_bytes()));
        let mode = std::fs::metadata(super::dir(dir.path()).join("mqtt.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}
