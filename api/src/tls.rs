//! Certificates: by path, or self-signed for a demonstration.

use std::path::{Path, PathBuf};

use crate::config::Certificate;

/// A certificate that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Making a self-signed one failed.
    #[error("cannot make a self-signed certificate")]
    Make(#[from] rcgen::Error),
    /// Writing it failed.
    #[error("cannot write {0}")]
    Write(PathBuf, #[source] std::io::Error),
    /// A configured file is missing.
    #[error("certificate file {0} cannot be read")]
    Missing(PathBuf, #[source] std::io::Error),
}

/// Paths of certificate chain and key, PEM. Makes the self-signed one at first use.
pub fn files(certificate: &Certificate, state_dir: &Path) -> Result<(PathBuf, PathBuf), TlsError> {
    let (cert, key) = match certificate {
        Certificate::Files { cert, key } => (cert.clone(), key.clone()),
        Certificate::SelfSigned => {
            let dir = state_dir.join("tls");
            let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
            if !cert.exists() || !key.exists() {
                make_self_signed(&cert, &key)?;
            }
            (cert, key)
        }
    };
    for file in [&cert, &key] {
        std::fs::File::open(file).map_err(|error| TlsError::Missing(file.clone(), error))?;
    }
    Ok((cert, key))
}

fn make_self_signed(cert: &Path, key: &Path) -> Result<(), TlsError> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names)?;
    let write =
        |path: &Path, pem: String| crate::secrets::write_private(path, pem.as_bytes()).map_err(|error| TlsError::Write(path.into(), error));
    write(key, made.signing_key.serialize_pem())?;
    write(cert, made.cert.pem())
}
