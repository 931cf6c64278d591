//! TLS and addresses for the clients in this module (the link to an external broker, buttons).

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rumqttc::{MqttOptions, TlsConfiguration, Transport};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use url::Url;

use super::Error;

/// The certificate bundle that Debian keeps up to date.
const SYSTEM_CAS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Client options for `mqtt://host[:1883]` or `mqtts://host[:8883]`; `ca` replaces the system's certificates.
pub(crate) fn options(address: &str, client_id: &str, ca: Option<&Path>) -> Result<MqttOptions, Error> {
    let bad = || Error::Url(without_password(address));
    let url = Url::parse(address).map_err(|_| bad())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(bad)?.trim_matches(['[', ']']).to_owned();
    if !url.username().is_empty() || url.password().is_some() || !matches!(url.path(), "" | "/") {
        return Err(bad());
    }
    let mut options = match url.scheme() {
        "mqtt" => MqttOptions::new(client_id, host, url.port().unwrap_or(1883)),
        "mqtts" => {
            let mut options = MqttOptions::new(client_id, host, url.port().unwrap_or(8883));
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(client_tls(ca)?)));
            options
        }
        _ => return Err(bad()),
    };
    options.set_max_packet_size(64 * 1024, 64 * 1024);
    Ok(options)
}

/// Secrets come from files and the environment, never from an address; one that does is not echoed.
fn without_password(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => address.to_owned(),
    }
}

fn client_tls(ca: Option<&Path>) -> Result<Arc<rustls::ClientConfig>, Error> {
    let path = ca.map_or_else(|| PathBuf::from(SYSTEM_CAS), Path::to_owned);
    let wrong = |reason: String| Error::Tls { path: path.clone(), reason };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&path).map_err(|error| wrong(error.to_string()))? {
        roots.add(certificate.map_err(|error| wrong(error.to_string()))?).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("holds no certificate".to_owned()));
    }
    // The provider is named: with two in the process rustls cannot choose one by itself.
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_their_usual_ports() {
        assert_eq!(options("mqtt://127.0.0.1", "c", None).unwrap().broker_address(), ("127.0.0.1".into(), 1883));
        assert_eq!(options("mqtt://broker:1999/", "c", None).unwrap().broker_address(), ("broker".into(), 1999));
        assert_eq!(options("mqtt://[::1]:1999", "c", None).unwrap().broker_address(), ("::1".into(), 1999));
    }

    #[test]
    fn a_bad_address_is_named_without_its_password() {
        for bad in ["http://host", "host:1883", "mqtt://", "mqtt://host/path", ""] {
            assert!(matches!(options(bad, "c", None), Err(Error::Url(text)) if text == bad), "{bad}");
        }
        let error = options("mqtt://user:secret@host", "c", None).unwrap_err().to_string();
        assert!(!error.contains("secret") && error.contains("host"), "{error}");
    }

    #[test]
    fn a_missing_ca_file_is_named() {
        let error = options("mqtts://host", "c", Some(Path::new("/nonexistent/ca.pem"))).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/ca.pem"), "{error}");
    }
}
