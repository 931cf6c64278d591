//! Secrets: from the environment, from a file, or sealed in the store; never from the configuration.

use std::{fmt, path::PathBuf};

/// Where a secret is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file; a trailing line break is dropped.
    File(PathBuf),
    /// Given at run time; sealed where it is kept.
    Kept(Word),
}

/// A secret in memory; it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Word(String);

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
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
    /// A secret that was given at run time.
    pub fn kept(word: String) -> Self {
        SecretSource::Kept(Word(word))
    }

    /// Reads the secret.
    pub fn read(&self) -> Result<String, SecretError> {
        match self {
            SecretSource::Env(name) => std::env::var(name).map_err(|_| SecretError::NoVariable(name.clone())),
            SecretSource::File(path) => std::fs::read_to_string(path)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|error| SecretError::NoFile(path.clone(), error)),
            SecretSource::Kept(Word(word)) => Ok(word.clone()),
        }
    }
}
