//! The way to a device: HTTP with a deadline, a bound on the answer's size and on its depth.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use oxvif::{soap::SoapError, transport::TransportError};
use tokio::time::Instant;
use url::{Host, Url};

use super::OnvifError;
use crate::camera::{CameraError, http::Http};

/// Longest answer. A recorder with a thousand recordings answers some 400 KB.
const MAX_ANSWER: usize = 2 << 20;
/// Deepest element: `oxvif` reads without recursion but frees its tree with it, and the standard's answers are 12 deep.
const MAX_DEPTH: usize = 64;

/// Carries SOAP to one device, and to no other host.
pub(super) struct Carrier {
    http: Http,
    device: Url,
    patience: Duration,
    /// What went wrong on the way; `oxvif` has no words for it.
    failure: Mutex<Option<CameraError>>,
}

impl Carrier {
    pub(super) fn new(http: Http, device: &Url, patience: Duration) -> Arc<Self> {
        Arc::new(Self { http, device: device.clone(), patience, failure: Mutex::new(None) })
    }

    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// An address that the device gave, on the device itself: behind a router devices name an address that does not lead to them,
    /// and a hostile one names somebody else's. Users and passwords in it are dropped.
    pub(super) fn on_device(&self, address: &str) -> Option<Url> {
        let mut url = Url::parse(address.trim()).ok()?;
        let host = self.device.host().map(|host| host.to_string())?;
        if url.host().as_ref().map(Host::to_string).as_deref() != Some(&host) {
            url.set_host(Some(&host)).ok()?;
            if matches!(url.scheme(), "http" | "https") {
                url.set_port(self.device.port()).ok()?;
            }
        }
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        Some(url)
    }

    /// What an error of `oxvif` means.
    pub(super) fn error(&self, step: &'static str, error: oxvif::OnvifError) -> OnvifError {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect::<String>();
        let error = match (failure, error) {
            (Some(source), oxvif::OnvifError::Transport(_)) => OnvifError::Connection { step, source },
            (_, oxvif::OnvifError::Transport(TransportError::HttpStatus { status, .. })) => {
                OnvifError::Refused { step, log_in: matches!(status, 401 | 403), why: format!("HTTP status {status}") }
            }
            (_, oxvif::OnvifError::Soap(SoapError::Fault { code, reason, subcode, .. })) => {
                let codes = format!("{code} {}", subcode.unwrap_or_default());
                let log_in = ["NotAuthorized", "FailedAuthentication", "NotAuthenticated"].iter().any(|word| codes.contains(word));
                OnvifError::Refused { step, log_in, why: one_line(format!("{reason} ({codes})")) }
            }
            (_, error) => OnvifError::Garbage { step, why: one_line(error.to_string()) },
        };
        error.counted()
    }
}

#[async_trait]
impl oxvif::transport::Transport for Carrier {
    async fn soap_post(&self, url: &str, action: &str, body: String) -> Result<String, TransportError> {
        let failed = |error: CameraError| {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            TransportError::HttpStatus { status: 0, body: String::new() }
        };
        let garbage = |why: &str| {
            let fault = qorgan_domain::CameraFault::Garbage;
            failed(CameraError::Link { step: "SOAP", fault, message: why.into() })
        };
        let url = self.on_device(url).ok_or_else(|| garbage("the device names an address that is none"))?;
        let content_type = format!("application/soap+xml; charset=utf-8; action=\"{}\"", action.replace(['"', '\r', '\n'], ""));
        let (status, answer) = self.http.post(&url, &content_type, body, MAX_ANSWER, self.deadline()).await.map_err(failed)?;
        if depth(&answer) > MAX_DEPTH {
            return Err(garbage("the answer is nested too deeply"));
        }
        match status {
            // A fault of the SOAP layer comes as 500, from some devices as 400.
            200 | 400 | 500 => Ok(answer),
            status => Err(TransportError::HttpStatus { status, body: String::new() }),
        }
    }
}

/// How deep elements are nested at most. Counts tags only: a comment full of `<` counts too deep, never too shallow.
fn depth(xml: &str) -> usize {
    let (mut depth, mut deepest, bytes) = (0_usize, 0, xml.as_bytes());
    for at in memchr::memchr_iter(b'<', bytes) {
        match bytes.get(at + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'?' | b'!') | None => {}
            Some(_) => {
                let end = memchr::memchr(b'>', &bytes[at..]).map(|length| at + length);
                if end.is_none_or(|end| bytes[end - 1] != b'/') {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                if deepest > MAX_DEPTH {
                    return deepest;
                }
            }
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Trust;

    #[test]
    fn depth_is_counted_by_tags() {
        assert_eq!(depth("<?xml version='1.0'?><a><b x='1'/><c>text</c><d><e/></d></a>"), 2);
        assert_eq!(depth(&"<a>".repeat(1_000_000)), MAX_DEPTH + 1, "and counting stops there");
        assert_eq!(depth("no xml"), 0);
    }

    #[test]
    fn addresses_that_the_device_gives_stay_on_the_device() {
        let device: Url = "http://camera.local:8080/onvif/device_service".parse().unwrap();
        let carrier = Carrier::new(Http::new(None, &Trust::Insecure).unwrap(), &device, Duration::from_secs(1));
        let on = |address: &str| carrier.on_device(address).map(String::from);
        assert_eq!(on("http://camera.local:8080/onvif/media").as_deref(), Some("http://camera.local:8080/onvif/media"));
        assert_eq!(on("http://192.168.1.10/onvif/media").as_deref(), Some("http://camera.local:8080/onvif/media"));
        assert_eq!(on("http://169.254.169.254/latest/meta-data").as_deref(), Some("http://camera.local:8080/latest/meta-data"));
        assert_eq!(on("rtsp://admin:12345@10.0.0.9:554/main?x=1").as_deref(), Some("rtsp://camera.local:554/main?x=1"));
        assert_eq!(on("not an address"), None);
    }
}
