//! Encryption of DC-09: AES-CBC with a zero IV, a key for each account.
//!
//! Before encryption the content is `padding | data ] ... time`: random padding up to a bar makes it whole blocks.
//! The standard has no message authentication code. What stands in for one is that the text must read as a message
//! and carry a time within [`AHEAD_MS`] and [`BEHIND_MS`] of the hub's; `judge` checks that. The head of a frame
//! (account, number) is not covered by the encryption.

use std::{fmt, str::FromStr};

use aes::{Aes128, Aes192, Aes256};
use cbc::{
    Decryptor, Encryptor,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};
use qorgan_domain::UtcMs;
use rand::Rng;

use super::frame::{Content, FrameError, Stamp};

/// An encrypted message may be ahead of the hub's clock by this much (DC-09).
pub const AHEAD_MS: i64 = 20_000;
/// And behind it by this much.
pub const BEHIND_MS: i64 = 40_000;

const BLOCK: usize = 16;

/// A key of 128, 192 or 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub enum Key {
    /// AES-128.
    Aes128([u8; 16]),
    /// AES-192.
    Aes192([u8; 24]),
    /// AES-256.
    Aes256([u8; 32]),
}

impl fmt::Debug for Key {
    /// The size only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = match self {
            Key::Aes128(_) => 128,
            Key::Aes192(_) => 192,
            Key::Aes256(_) => 256,
        };
        write!(f, "Key(AES-{bits})")
    }
}

/// A text that is no key. It does not show the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Wrong size.
    #[error("a key has 16, 24 or 32 characters, or 32, 48 or 64 hex digits; this one has {0}")]
    Size(usize),
    /// 32 hex digits, which may be meant as characters.
    #[error("32 hex digits may be a key of 128 bits in hex or of 256 bits in characters: write hex: or text: in front")]
    Ambiguous,
    /// Not hex digits after `hex:`.
    #[error("what follows hex: is not hex digits")]
    NotHex,
}

/// Panels are programmed with a key as characters or as hex digits; both are read. `hex:` or `text:` in front says which.
impl FromStr for Key {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = if let Some(digits) = text.strip_prefix("hex:") {
            hex::decode(digits).map_err(|_| KeyError::NotHex)?
        } else if let Some(text) = text.strip_prefix("text:") {
            text.as_bytes().to_vec()
        } else {
            match (hex::decode(text), text.len()) {
                (Ok(_), 32) => return Err(KeyError::Ambiguous),
                (Ok(bytes), 48 | 64) => bytes,
                _ => text.as_bytes().to_vec(),
            }
        };
        let size = bytes.len();
        let key128 = <[u8; 16]>::try_from(bytes.as_slice()).map(Key::Aes128);
        let key192 = <[u8; 24]>::try_from(bytes.as_slice()).map(Key::Aes192);
        let key256 = <[u8; 32]>::try_from(bytes.as_slice()).map(Key::Aes256);
        key128.or(key192).or(key256).map_err(|_| KeyError::Size(size))
    }
}

/// Why an encrypted part does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not whole blocks.
    #[error("it is not whole blocks")]
    Blocks,
    /// It opens to something that is no text: another key was used.
    #[error("it does not open with the key of this account")]
    Key,
    /// It opens to a text that is no message.
    #[error("what it opens to is no message")]
    Message(#[from] FrameError),
}

impl Key {
    /// Opens an encrypted part.
    pub fn open(&self, cipher: &[u8]) -> Result<Content, OpenError> {
        let mut bytes = cipher.to_vec();
        let opened = match self {
            Key::Aes128(key) => Decryptor::<Aes128>::new(key.into(), &[0; BLOCK].into()).decrypt_padded::<NoPadding>(&mut bytes).is_ok(),
            Key::Aes192(key) => Decryptor::<Aes192>::new(key.into(), &[0; BLOCK].into()).decrypt_padded::<NoPadding>(&mut bytes).is_ok(),
            Key::Aes256(key) => Decryptor::<Aes256>::new(key.into(), &[0; BLOCK].into()).decrypt_padded::<NoPadding>(&mut bytes).is_ok(),
        };
        if !opened || bytes.is_empty() {
            return Err(OpenError::Blocks);
        }
        let Some(bar) = bytes.iter().position(|b| *b == b'|') else {
            // A poll has no data; some senders leave the bar out as well. The time must be there, or any text would pass.
            let end = bytes.iter().position(|b| *b == b']').ok_or(OpenError::Key)?;
            return Content::read(&bytes[end..]).ok().filter(|content| content.stamp.at().is_some()).ok_or(OpenError::Key);
        };
        let (padding, rest) = (&bytes[..bar], &bytes[bar + 1..]);
        // Padding may be any byte but these; the text behind it is text. Another key gives noise.
        if padding.iter().any(|b| matches!(b, b'[' | b']')) || rest.iter().any(u8::is_ascii_control) {
            return Err(OpenError::Key);
        }
        // With an account inside there is a second bar; without one the bar of the padding is the only one.
        let text = if matches!(rest.first(), Some(b'#' | b'|' | b']')) { rest } else { &bytes[bar..] };
        match Content::read(text)? {
            Content { stamp: Stamp::Unreadable, .. } => Err(OpenError::Key),
            content => Ok(content),
        }
    }

    /// Encrypts a content, with fresh padding.
    pub fn seal(&self, content: &Content) -> Vec<u8> {
        let mut text = vec![b'|'];
        content.write(&mut text);
        // A whole random block at least: with a zero IV it is what makes two equal messages look different.
        let padding = 2 * BLOCK - text.len() % BLOCK;
        let mut rng = rand::rng();
        let mut bytes: Vec<u8> = (0..padding).map(|_| rng.sample(rand::distr::Alphanumeric)).collect();
        bytes.extend_from_slice(&text);
        let length = bytes.len();
        // Whole blocks: it cannot fail.
        let _ = match self {
            Key::Aes128(key) => {
                Encryptor::<Aes128>::new(key.into(), &[0; BLOCK].into()).encrypt_padded::<NoPadding>(&mut bytes, length).map(drop)
            }
            Key::Aes192(key) => {
                Encryptor::<Aes192>::new(key.into(), &[0; BLOCK].into()).encrypt_padded::<NoPadding>(&mut bytes, length).map(drop)
            }
            Key::Aes256(key) => {
                Encryptor::<Aes256>::new(key.into(), &[0; BLOCK].into()).encrypt_padded::<NoPadding>(&mut bytes, length).map(drop)
            }
        };
        bytes
    }
}

/// By how much a time of an encrypted message is outside the window, if it is: negative when it is too old.
pub fn outside_window(at: UtcMs, now: UtcMs) -> Option<i64> {
    let offset = at.ms_since(now);
    (!(-BEHIND_MS..=AHEAD_MS).contains(&offset)).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> [Key; 3] {
        [
            "0123456789ABCDEF".parse().unwrap(),
            "0123456789ABCDEF01234567".parse().unwrap(),
            "text:0123456789ABCDEF0123456789ABCDEF".parse().unwrap(),
        ]
    }

    #[test]
    fn sealed_content_opens_with_the_same_key_only() {
        let contents = [
            Content {
                data: b"#7001|Nri1/PA005".to_vec(),
                extended: vec![b"X071E22.9530".to_vec()],
                stamp: Stamp::At("2026-11-21T14:12:04Z".parse().unwrap()),
            },
            Content { stamp: Stamp::At("2026-11-21T14:12:04Z".parse().unwrap()), ..Content::default() },
            Content { data: b"|Nri1/PA005^the bar of the padding is another one^".to_vec(), ..Content::default() },
        ];
        for (n, key) in keys().iter().enumerate() {
            for content in &contents {
                let sealed = key.seal(content);
                assert_eq!(sealed.len() % 16, 0);
                assert_eq!(&key.open(&sealed).unwrap(), content);
                assert_ne!(sealed, key.seal(content), "padding is fresh");
                assert_ne!(keys()[(n + 1) % 3].open(&sealed).ok().as_ref(), Some(content));
            }
        }
    }

    #[test]
    fn the_bar_of_the_padding_may_be_the_only_one() {
        let key = &keys()[0];
        let mut bytes = *b"xxxx|Nri1/CL501]";
        let sealed =
            Encryptor::<Aes128>::new(b"0123456789ABCDEF".into(), &[0; 16].into()).encrypt_padded::<NoPadding>(&mut bytes, 16).unwrap();
        assert_eq!(key.open(sealed).unwrap().data, b"|Nri1/CL501");
    }

    #[test]
    fn padding_may_hold_any_byte_but_brackets_and_bar() {
        let key = &keys()[0];
        let padding: Vec<u8> = (0..=255).filter(|b| !matches!(b, b'[' | b']' | b'|')).take(249).collect();
        let mut bytes = [padding.as_slice(), b"|]_14:12:04,11-21-2026"].concat();
        bytes.insert(0, 0);
        let length = bytes.len();
        let sealed = Encryptor::<Aes128>::new(b"0123456789ABCDEF".into(), &[0; 16].into());
        let sealed = sealed.encrypt_padded::<NoPadding>(&mut bytes, length).unwrap();
        assert_eq!(key.open(sealed).unwrap().stamp, Stamp::At("2026-11-21T14:12:04Z".parse().unwrap()));
    }

    #[test]
    fn a_poll_without_a_bar_opens_if_it_carries_a_time() {
        let key = &keys()[0];
        for (text, opens) in [(b"0000000000]_14:12:04,11-21-2026", true), (b"0000000000]014:12:04,11-21-2026", false)] {
            let mut bytes = [b"0".as_slice(), text].concat();
            let length = bytes.len();
            let sealed = Encryptor::<Aes128>::new(b"0123456789ABCDEF".into(), &[0; 16].into());
            let sealed = sealed.encrypt_padded::<NoPadding>(&mut bytes, length).unwrap();
            assert_eq!(key.open(sealed).is_ok(), opens);
        }
    }

    #[test]
    fn keys_are_read_as_characters_or_hex_and_never_shown() {
        assert_eq!("AAAAAAAAAAAAAAAA".parse(), Ok(Key::Aes128([b'A'; 16])));
        assert_eq!("hex:41414141414141414141414141414141".parse(), Ok(Key::Aes128([b'A'; 16])));
        assert_eq!("41".repeat(24).parse(), Ok(Key::Aes192([b'A'; 24])));
        assert_eq!("41".repeat(32).parse(), Ok(Key::Aes256([b'A'; 32])));
        assert_eq!("x".repeat(32).parse(), Ok(Key::Aes256([b'x'; 32])));
        assert_eq!("41".repeat(16).parse::<Key>(), Err(KeyError::Ambiguous));
        assert_eq!("short".parse::<Key>(), Err(KeyError::Size(5)));
        assert_eq!("hex:zz".parse::<Key>(), Err(KeyError::NotHex));
        assert_eq!(format!("{:?}", Key::Aes128([b'A'; 16])), "Key(AES-128)");
    }

    #[test]
    fn the_window_is_twenty_seconds_ahead_and_forty_behind() {
        let now = UtcMs(1_000_000);
        for (offset, outside) in [(20_000, None), (20_001, Some(20_001)), (-40_000, None), (-40_001, Some(-40_001)), (0, None)] {
            assert_eq!(outside_window(UtcMs(now.0 + offset), now), outside);
        }
    }
}
