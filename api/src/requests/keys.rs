//! What a request is opened by: the code of its resident, tokens of forms and of Open311. All are HMAC-SHA256 under a key of the hub,
//! so nothing that opens a request lies in the database, and the same submission sent again is answered with the same code.

use hmac::{Hmac, Mac};
use qorgan_alerts::requests::Reference;
use qorgan_domain::UtcMs;
use sha2::Sha256;

/// How long a form may lie open on a page, in ms: a day.
const FORM_MS: i64 = 86_400_000;
/// Digits of a code.
const CODE_DIGITS: u64 = 100_000_000;

/// The hub's key for all of it.
pub struct Keys(Vec<u8>);

impl Keys {
    /// With a key.
    pub fn new(key: &str) -> Self {
        Self(key.as_bytes().to_vec())
    }

    /// The code of a request: eight digits.
    pub fn code(&self, reference: &Reference) -> String {
        let digest = self.digest("code", reference.digits());
        let number = digest.iter().take(8).fold(0_u64, |n, byte| (n << 8) | u64::from(*byte));
        format!("{:08}", number % CODE_DIGITS)
    }

    /// Whether a text is the code of a request; blanks and dashes do not count.
    pub fn is_code(&self, reference: &Reference, text: &str) -> bool {
        let typed: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        same(self.code(reference).as_bytes(), typed.as_bytes())
    }

    /// A token for a form, and until when it is good.
    pub fn form(&self, now: UtcMs) -> (String, UtcMs) {
        let until = UtcMs(now.0.saturating_add(FORM_MS));
        (format!("{}.{}", until.0, self.short("form", &until.0.to_string())), until)
    }

    /// Whether a form's token is this hub's and still good.
    pub fn is_form(&self, token: &str, now: UtcMs) -> bool {
        let Some((until, digest)) = token.split_once('.') else { return false };
        let Ok(at) = until.parse::<i64>() else { return false };
        // A token from far ahead was never given out.
        at > now.0 && at <= now.0.saturating_add(FORM_MS) && same(self.short("form", until).as_bytes(), digest.as_bytes())
    }

    /// The Open311 token of a request.
    pub fn token(&self, id: i64) -> String {
        format!("{id}-{}", self.short("open311", &id.to_string()))
    }

    /// The request of an Open311 token.
    pub fn of_token(&self, token: &str) -> Option<i64> {
        let (id, digest) = token.split_once('-')?;
        same(self.short("open311", id).as_bytes(), digest.as_bytes()).then(|| id.parse().ok())?
    }

    /// What stands for a submission.
    pub fn submission(&self, text: &str) -> String {
        hex::encode(self.digest("submission", text))
    }

    fn short(&self, what: &str, text: &str) -> String {
        hex::encode(self.digest(what, text).get(..16).unwrap_or_default())
    }

    fn digest(&self, what: &str, text: &str) -> Vec<u8> {
        // HMAC takes keys of every length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return Vec::new() };
        mac.update(format!("qorgan-requests-1|{what}|{text}").as_bytes());
        mac.finalize().into_bytes().to_vec()
    }
}

/// Compares in a time that tells nothing about where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0_u8, |differ, (x, y)| differ | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_tokens_open_their_own_request_only() {
        let (keys, other) = (Keys::new("one"), Keys::new("two"));
        let (a, b) = (Reference::from_random(1), Reference::from_random(2));
        let code = keys.code(&a);
        assert!(code.len() == 8 && code.bytes().all(|c| c.is_ascii_digit()));
        assert!(keys.is_code(&a, &code) && keys.is_code(&a, &format!("{} {}", &code[..4], &code[4..])));
        assert!(!keys.is_code(&b, &code) && !other.is_code(&a, &code) && !keys.is_code(&a, ""));
        assert_eq!(keys.of_token(&keys.token(7)), Some(7));
        for bad in ["", "7", "7-", "8-abc", &other.token(7), &keys.token(7).replacen('7', "8", 1)] {
            assert_eq!(keys.of_token(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_form_is_good_for_a_day() {
        let (keys, now) = (Keys::new("one"), UtcMs(1_795_255_200_000));
        let (token, until) = keys.form(now);
        assert!(keys.is_form(&token, now) && !keys.is_form(&token, until));
        assert!(!Keys::new("two").is_form(&token, now));
        assert!(!keys.is_form(&keys.form(UtcMs(now.0 + 10)).0, now), "from the future");
        for bad in ["", ".", "x.y", "99999999999999999999.0"] {
            assert!(!keys.is_form(bad, now), "{bad}");
        }
    }
}
