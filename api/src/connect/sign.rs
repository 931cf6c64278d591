//! Signatures of messages between the hub and a receiving system.
//!
//! `x-qorgan-timestamp: <unix seconds>` and `x-qorgan-signature: v1=<hex of HMAC-SHA256(secret, timestamp "." body)>`. The same both ways.

use hmac::{Hmac, Mac};
use qorgan_domain::UtcMs;
use sha2::Sha256;

/// Header with the time of signing, Unix seconds.
pub const TIMESTAMP: &str = "x-qorgan-timestamp";
/// Header with the signature.
pub const SIGNATURE: &str = "x-qorgan-signature";
/// A signature older or newer than this is refused, in seconds.
const WINDOW_S: i64 = 300;

/// Why a signed message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// A header is missing or does not read.
    #[error("the headers {TIMESTAMP} and {SIGNATURE} are missing or do not read")]
    Headers,
    /// Signed too long ago, or in the future.
    #[error("it was signed more than {WINDOW_S} s from the hub's time")]
    Time,
    /// Not signed with this connector's secret, or changed since.
    #[error("the signature does not fit")]
    Signature,
}

fn mac(secret: &str, timestamp_s: i64, body: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length; the type has no other error.
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()).unwrap_or_else(|_| unreachable!("any length is a key"));
    mac.update(timestamp_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// Values of the two headers.
pub fn sign(secret: &str, now: UtcMs, body: &[u8]) -> (String, String) {
    let timestamp_s = now.0.div_euclid(1_000);
    (timestamp_s.to_string(), format!("v1={}", hex::encode(mac(secret, timestamp_s, body).finalize().into_bytes())))
}

/// Checks the two headers against the body; compares in constant time.
pub fn verify(secret: &str, now: UtcMs, body: &[u8], timestamp: Option<&str>, signature: Option<&str>) -> Result<(), SignError> {
    let timestamp_s: i64 = timestamp.and_then(|text| text.parse().ok()).ok_or(SignError::Headers)?;
    let given = signature.and_then(|text| text.strip_prefix("v1=")).and_then(|text| hex::decode(text).ok()).ok_or(SignError::Headers)?;
    if now.0.div_euclid(1_000).saturating_sub(timestamp_s).saturating_abs() > WINDOW_S {
        return Err(SignError::Time);
    }
    mac(secret, timestamp_s, body).verify_slice(&given).map_err(|_| SignError::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMs = UtcMs(1_795_255_200_000);

    #[test]
    fn what_was_signed_is_believed_for_five_minutes_and_nothing_else() {
        let (timestamp, signature) = sign("secret", NOW, b"body");
        let check = |secret, at: i64, body: &[u8], t: &str, s: &str| verify(secret, UtcMs(NOW.0 + at), body, Some(t), Some(s));
        assert_eq!(check("secret", 0, b"body", &timestamp, &signature), Ok(()));
        assert_eq!(check("secret", 300_000, b"body", &timestamp, &signature), Ok(()));
        assert_eq!(check("secret", 301_000, b"body", &timestamp, &signature), Err(SignError::Time));
        assert_eq!(check("secret", -301_000, b"body", &timestamp, &signature), Err(SignError::Time));
        assert_eq!(check("other", 0, b"body", &timestamp, &signature), Err(SignError::Signature));
        assert_eq!(check("secret", 0, b"bodi", &timestamp, &signature), Err(SignError::Signature));
        assert_eq!(check("secret", 0, b"body", "1795255201", &signature), Err(SignError::Signature), "the time is signed too");
        assert_eq!(check("secret", 0, b"body", "soon", &signature), Err(SignError::Headers));
        assert_eq!(check("secret", 0, b"body", &timestamp, "v2=00"), Err(SignError::Headers));
        assert_eq!(verify("secret", NOW, b"body", None, None), Err(SignError::Headers));
        assert_eq!(check("secret", 0, b"body", "-9223372036854775808", &signature), Err(SignError::Time));
    }

    #[test]
    fn the_signature_is_the_published_hmac() {
        // RFC 4231, test case 2, shows the same primitive: key "Jefe". Here over "0.what do ya want for nothing?".
        let (timestamp, signature) = sign("Jefe", UtcMs(0), b"what do ya want for nothing?");
        assert_eq!((timestamp.as_str(), signature.len()), ("0", 3 + 64));
    }
}
