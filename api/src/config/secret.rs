//! Secrets: from the environment or from a file, never from the configuration.

use std::path::PathBuf;

/// Where a secret is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file; a trailing line break is dropped.
    File(PathBuf),
}

/// A secret that is not there.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("environment variable {0} is not set")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("cannot read secret file {0}")]
    NoFile(PathBuf, #[source] std::io::Error),
}

impl SecretSource {
    /// Reads the secret.
    pub fn read(&self) -> Result<String, SecretError> {
        match self {
            SecretSource::Env(name) => std::env::var(name).map_err(|_| SecretError::NoVariable(name.clone())),
            SecretSource::File(path) => std::fs::read_to_string(path)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|error| SecretError::NoFile(path.clone(), error)),
        }
    }
}
