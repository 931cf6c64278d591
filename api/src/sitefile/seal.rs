//! Sealing of what is said about people: ChaCha20-Poly1305 with the hub's own key. Site and contact id are bound to
//! the sealed text, so that it opens in its own place only.

use qorgan_domain::SiteId;
use rand::Rng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::Person;

const VERSION: &str = "1:";

/// Seals and opens contacts.
pub struct Seal(LessSafeKey);

impl Seal {
    /// The sealed form of a secret; it opens only where `place` is the same.
    pub fn close_secret(&self, place: &str, secret: &[u8]) -> Option<String> {
        self.close_bytes(Aad::from(format!("qorgan-secret-1|{place}").into_bytes()), secret.to_vec())
    }

    /// The secret in a sealed text; none when it is not one, belongs elsewhere, or was sealed with another key.
    pub fn open_secret(&self, place: &str, sealed: &str) -> Option<Vec<u8>> {
        self.open_bytes(Aad::from(format!("qorgan-secret-1|{place}").into_bytes()), sealed)
    }

    /// With a key; none when it has not 32 bytes.
    pub fn new(key: &[u8]) -> Option<Self> {
        Some(Self(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?)))
    }

    /// The sealed text of a person; none when the cipher fails, which it does for no text of this size.
    pub fn close(&self, site: &SiteId, contact: &str, person: &Person) -> Option<String> {
        self.close_bytes(bound_to(site, contact), serde_json::to_vec(person).ok()?)
    }

    fn close_bytes(&self, bound_to: Aad<Vec<u8>>, mut text: Vec<u8>) -> Option<String> {
        // 96 random bits: after 2^32 texts two might share them; a hub has thousands.
        let mut nonce = [0_u8; NONCE_LEN];
        rand::rng().fill(&mut nonce);
        self.0.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound_to, &mut text).ok()?;
        Some(format!("{VERSION}{}{}", hex::encode(nonce), hex::encode(text)))
    }

    /// The person in a sealed text; none when it is not one, belongs elsewhere, or was sealed with another key.
    pub fn open(&self, site: &SiteId, contact: &str, sealed: &str) -> Option<Person> {
        serde_json::from_slice(&self.open_bytes(bound_to(site, contact), sealed)?).ok()
    }

    fn open_bytes(&self, bound_to: Aad<Vec<u8>>, sealed: &str) -> Option<Vec<u8>> {
        let mut bytes = hex::decode(sealed.strip_prefix(VERSION)?).ok()?;
        let text = bytes.get_mut(..)?;
        let (nonce, text) = text.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        self.0.open_in_place(nonce, bound_to, text).ok().map(|text| text.to_vec())
    }
}

fn bound_to(site: &SiteId, contact: &str) -> Aad<Vec<u8>> {
    // Ids hold no bar.
    Aad::from(format!("qorgan-contact-1|{site}|{contact}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_opens_in_its_own_place_with_its_own_key_only() {
        let (seal, site) = (Seal::new(&[7; 32]).unwrap(), "school-17".parse().unwrap());
        let person =
            Person { name: "Айгүл Серікқызы".into(), post: "директор".into(), phone: "+7 701 000 00 00".into() };
        let sealed = seal.close(&site, "head", &person).unwrap();
        assert!(!sealed.contains("+7 701") && !sealed.contains("Айгүл"), "{sealed}");
        assert_ne!(sealed, seal.close(&site, "head", &person).unwrap(), "the same person looks different each time");
        assert_eq!(seal.open(&site, "head", &sealed), Some(person));
        assert_eq!(seal.open(&site, "guard", &sealed), None);
        assert_eq!(seal.open(&"school-18".parse().unwrap(), "head", &sealed), None);
        assert_eq!(Seal::new(&[8; 32]).unwrap().open(&site, "head", &sealed), None);
        for broken in ["", "1:", "1:00", "2:00", "x", &sealed[..sealed.len() - 2]] {
            assert_eq!(seal.open(&site, "head", broken), None, "{broken}");
        }
        assert!(Seal::new(b"short").is_none());
    }
}
