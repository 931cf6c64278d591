//! HTTP as cameras speak it: basic and digest log-in, redirects, certificates of their own, answers that never end.
//!
//! Used by Motion JPEG here and by ONVIF beside it. The log-in goes only to the host it was given for.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use http_auth::{PasswordClient, PasswordParams};
use qorgan_domain::CameraFault;
use reqwest::{Client, Method, Response, StatusCode, header};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{CameraError, Credentials, Trust, error::squeeze, redirect::Trail};

/// A way to one device.
pub struct Http {
    client: Client,
    log_in: Option<Credentials>,
}

fn fail(step: &'static str, fault: CameraFault, message: impl Into<String>) -> CameraError {
    CameraError::Link { step, fault, message: squeeze(&message.into()) }
}

impl Http {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates to trust cannot be read.
    pub fn new(log_in: Option<&Credentials>, trust: &Trust) -> Result<Self, CameraError> {
        let client = Client::builder()
            .use_preconfigured_tls(tls(trust)?)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("qorgan/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .build()
            .map_err(|error| fail("HTTP", CameraFault::Other, error.to_string()))?;
        Ok(Self { client, log_in: log_in.cloned() })
    }

    /// Sends a request, logs in when asked to, follows redirects. The body of the answer is still to come.
    ///
    /// # Errors
    /// Everything but a success status, and what is not answered by the deadline.
    pub async fn get(&self, url: &Url, deadline: Instant) -> Result<Response, CameraError> {
        let mut trail = Trail::new(url);
        loop {
            let answer = self.send(Method::GET, trail.here(), trail.log_in(self.log_in.as_ref()), None, deadline).await?;
            if !answer.status().is_redirection() {
                return checked(answer);
            }
            let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let location = location.ok_or_else(|| CameraError::Redirect { why: "to nowhere: the answer names no new address".into() })?;
            trail.follow(location)?;
        }
    }

    /// Posts a text and returns the status and the answer's text, cut off with an error at `most` bytes.
    ///
    /// # Errors
    /// When there is no whole answer by the deadline. An error status is no error here.
    pub async fn post(
        &self,
        url: &Url,
        content_type: &str,
        body: String,
        most: usize,
        deadline: Instant,
    ) -> Result<(u16, String), CameraError> {
        let answer = self.send(Method::POST, url, self.log_in.as_ref(), Some((content_type, body)), deadline).await?;
        let status = answer.status().as_u16();
        let body = body_of(answer, most, deadline).await?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        log_in: Option<&Credentials>,
        body: Option<(&str, String)>,
        deadline: Instant,
    ) -> Result<Response, CameraError> {
        let once = async |authorization: Option<String>| {
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some((kind, body)) = &body {
                request = request.header(header::CONTENT_TYPE, *kind).body(body.clone());
            }
            if let Some(authorization) = authorization {
                request = request.header(header::AUTHORIZATION, authorization);
            }
            match timeout_at(deadline, request.send()).await {
                Ok(answer) => answer.map_err(|error| of_reqwest(&error)),
                Err(_) => Err(fail("HTTP", CameraFault::Timeout, "no answer in time")),
            }
        };
        let answer = once(None).await?;
        let Some(log_in) = log_in.filter(|_| answer.status() == StatusCode::UNAUTHORIZED) else { return Ok(answer) };
        let authorization = answer_to(&answer, log_in, method.as_str(), url)?;
        once(Some(authorization)).await
    }
}

/// The whole body, if it is not longer than `most`.
///
/// # Errors
/// When it is longer, or not whole by the deadline.
pub async fn body_of(mut answer: Response, most: usize, deadline: Instant) -> Result<Vec<u8>, CameraError> {
    let mut body = Vec::new();
    loop {
        let piece =
            timeout_at(deadline, answer.chunk()).await.map_err(|_| fail("HTTP", CameraFault::Timeout, "the answer did not end in time"))?;
        let Some(piece) = piece.map_err(|error| of_reqwest(&error))? else { return Ok(body) };
        if body.len() + piece.len() > most {
            return Err(fail("HTTP", CameraFault::Garbage, format!("the answer is over {most} bytes")));
        }
        body.extend_from_slice(&piece);
    }
}

/// Answers the strongest challenge that is understood.
fn answer_to(answer: &Response, log_in: &Credentials, method: &str, url: &Url) -> Result<String, CameraError> {
    let challenges: Vec<&str> = answer.headers().get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()).collect();
    let unknown = || fail("HTTP", CameraFault::Unauthorized, "the device asks for a log-in of a kind that is not known");
    let mut clients: Vec<PasswordClient> = challenges.iter().filter_map(|text| PasswordClient::try_from(*text).ok()).collect();
    // Digest first: basic shows the password to whoever listens.
    clients.sort_by_key(|client| matches!(client, PasswordClient::Basic(_)));
    let mut client = clients.into_iter().next().ok_or_else(unknown)?;
    let uri = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let params = PasswordParams { username: &log_in.user, password: &log_in.password, uri: &uri, method, body: None };
    client.respond(&params).map_err(|_| unknown())
}

/// A success, or what the status means.
fn checked(answer: Response) -> Result<Response, CameraError> {
    let status = answer.status();
    let fault = match status.as_u16() {
        200..300 => return Ok(answer),
        401 | 403 => CameraFault::Unauthorized,
        404 | 410 => CameraFault::NotFound,
        _ => CameraFault::Other,
    };
    Err(fail("HTTP", fault, format!("the device answered {status}")))
}

/// What a failure of the connection means. The address is left out: its query may hold a secret.
fn of_reqwest(error: &reqwest::Error) -> CameraError {
    let (mut fault, mut message) = (if error.is_timeout() { CameraFault::Timeout } else { CameraFault::Other }, String::new());
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message = error.to_string();
        if error.downcast_ref::<rustls::Error>().is_some() {
            fault = CameraFault::Tls;
            break;
        }
        let io = error.downcast_ref::<std::io::Error>();
        fault = match io.map(std::io::Error::kind) {
            Some(std::io::ErrorKind::ConnectionRefused) => CameraFault::Refused,
            Some(std::io::ErrorKind::TimedOut) => CameraFault::Timeout,
            Some(std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::UnexpectedEof) => CameraFault::Ended,
            _ => fault,
        };
        // The source of an `io::Error` is the source of what it wraps: the wrapped error itself, rustls' or a second
        // `io::Error` around it, would be passed over.
        cause = match io.and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    if fault == CameraFault::Other && (message.contains("invalid HTTP") || message.contains("parse")) {
        fault = CameraFault::Garbage;
    }
    fail("HTTP", fault, if message.is_empty() { "the connection failed".into() } else { message })
}

fn tls(trust: &Trust) -> Result<ClientConfig, CameraError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| fail("TLS", CameraFault::Tls, error.to_string()))?;
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::Insecure => {
            return Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))).with_no_client_auth());
        }
        Trust::System => roots = system_roots().clone(),
        Trust::Ca(path) => {
            let unreadable = |why: String| fail("TLS", CameraFault::Tls, format!("{}: {why}", path.display()));
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unreadable("holds no certificate".into()));
            }
        }
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Read once: some 140 certificates, and every reconnect would read them again.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

/// Trusts whoever answers; only where the configuration says so by name.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Patience of one exchange.
pub(super) fn by(answer: Duration) -> Instant {
    Instant::now() + answer
}
