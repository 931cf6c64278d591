//! Identifiers. Parsed once, at the door; after that they cannot be wrong.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("an id must not be empty")]
    Empty,
    /// More than 63 bytes.
    #[error("id \"{0}\" is longer than 63 characters")]
    TooLong(String),
    /// A character outside `[a-z0-9-]`, or a leading hyphen.
    #[error("id \"{0}\" may hold only a-z, 0-9 and hyphens, and starts with a letter or digit")]
    BadCharacter(String),
    /// A device reference without its slash.
    #[error("\"{0}\" is not of the form site/device")]
    NotADeviceRef(String),
    /// Not a KATO code.
    #[error("\"{0}\" is not a KATO code: nine digits")]
    NotAKato(String),
}

fn check(text: &str) -> Result<(), IdError> {
    let bytes = text.as_bytes();
    match bytes.first() {
        None => return Err(IdError::Empty),
        Some(b'-') => return Err(IdError::BadCharacter(text.into())),
        Some(_) => {}
    }
    if bytes.len() > 63 {
        return Err(IdError::TooLong(text.chars().take(80).collect()));
    }
    if bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-') {
        Ok(())
    } else {
        Err(IdError::BadCharacter(text.into()))
    }
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check(text)?;
                Ok(Self(text.into()))
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_id!(
    /// A school or public place: `[a-z0-9][a-z0-9-]{0,62}`.
    SiteId
);
name_id!(
    /// A camera, button or sensor, unique within its site.
    DeviceId
);
name_id!(
    /// A patrol, ambulance or city service that can be sent.
    UnitId
);
name_id!(
    /// A member of staff. Never a person seen by a camera.
    UserName
);
name_id!(
    /// An indicator of the catalogue, such as `housing-complaints`.
    IndicatorId
);
name_id!(
    /// A block of indicators, such as `labour`.
    BlockId
);

/// A device and the site it belongs to, written `site/device`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceRef {
    /// Where the device stands.
    pub site: SiteId,
    /// Which device of that site.
    pub device: DeviceId,
}

impl DeviceRef {
    /// Joins a site and a device.
    pub fn new(site: SiteId, device: DeviceId) -> Self {
        Self { site, device }
    }
}
impl FromStr for DeviceRef {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let (site, device) = text.split_once('/').ok_or_else(|| IdError::NotADeviceRef(text.into()))?;
        Ok(Self { site: site.parse()?, device: device.parse()? })
    }
}
impl TryFrom<String> for DeviceRef {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}
impl From<DeviceRef> for String {
    fn from(device: DeviceRef) -> String {
        device.to_string()
    }
}
impl fmt::Display for DeviceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.site, self.device)
    }
}
impl fmt::Debug for DeviceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.site, self.device)
    }
}

/// An administrative area by its KATO code (nine digits).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AreaCode(String);

impl AreaCode {
    /// The nine digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl FromStr for AreaCode {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() == 9 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::NotAKato(text.chars().take(80).collect()))
        }
    }
}
impl TryFrom<String> for AreaCode {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}
impl From<AreaCode> for String {
    fn from(code: AreaCode) -> String {
        code.0
    }
}
impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Number of an alert, counted from 1; short enough to be said over the radio.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(pub i64);

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_what_would_break_a_topic_or_a_path() {
        for bad in ["", "-a", "A", "a b", "a/b", "a+", "#", "ә", "..", &"a".repeat(64)] {
            assert!(bad.parse::<SiteId>().is_err(), "{bad:?} was taken");
        }
        assert_eq!("school-17".parse::<SiteId>().unwrap().as_str(), "school-17");
    }

    #[test]
    fn device_ref_round_trips_and_needs_exactly_one_slash() {
        let device: DeviceRef = "school-17/yard".parse().unwrap();
        assert_eq!(device.to_string(), "school-17/yard");
        assert!("school-17".parse::<DeviceRef>().is_err());
        assert!("school-17/yard/x".parse::<DeviceRef>().is_err());
    }

    #[test]
    fn kato_is_nine_digits() {
        assert!("311000000".parse::<AreaCode>().is_ok());
        assert!("31101000".parse::<AreaCode>().is_err());
        assert!("31101000a".parse::<AreaCode>().is_err());
    }
}
