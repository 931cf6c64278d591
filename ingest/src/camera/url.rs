//! Addresses of cameras and the secrets that open them. Parsed once, when the configuration is read.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

/// Where a camera is: `rtsp://host[:port]/path`, `file:///path`, or the path of a file.
///
/// Never holds a user or a password: those come from the environment or a file, as [`Credentials`].
/// `Display` leaves out the query, because some makers put a password there.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CameraUrl {
    /// A camera or recorder that speaks RTSP.
    Rtsp(Url),
    /// A video file, played in real time.
    File(PathBuf),
}

/// Why a text is not the address of a camera. Never repeats a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Nothing there.
    #[error("a camera address must not be empty")]
    Empty,
    /// User or password inside the address.
    #[error("the address of {host} holds a user or password: give them by environment or secret file instead")]
    UserInfo {
        /// Host of the address.
        host: String,
    },
    /// A scheme that no door handles.
    #[error("the scheme \"{0}\" is not supported: use rtsp:// or a file")]
    Scheme(String),
    /// `rtsp:` without a host.
    #[error("the address names no host")]
    NoHost,
    /// `file:` with a host, or a relative path in it.
    #[error("a file address is written file:///absolute/path")]
    NotAPath,
    /// Not a URL at all.
    #[error("the address is not a URL: {0}")]
    Malformed(url::ParseError),
}

impl FromStr for CameraUrl {
    type Err = UrlError;
    fn from_str(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        // A path may hold a colon; only `scheme://` makes it a URL (and `file:/path`, which is one too).
        if !text.contains("://") && !text.starts_with("file:") {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let url = Url::parse(text).map_err(UrlError::Malformed)?;
        match url.scheme() {
            "rtsp" => {
                let host = url.host_str().filter(|host| !host.is_empty()).ok_or(UrlError::NoHost)?;
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(UrlError::UserInfo { host: host.into() });
                }
                Ok(Self::Rtsp(url))
            }
            "file" => url.to_file_path().map(Self::File).map_err(|()| UrlError::NotAPath),
            other => Err(UrlError::Scheme(other.into())),
        }
    }
}
impl TryFrom<String> for CameraUrl {
    type Error = UrlError;
    fn try_from(text: String) -> Result<Self, UrlError> {
        text.parse()
    }
}
impl From<CameraUrl> for String {
    fn from(url: CameraUrl) -> String {
        match url {
            CameraUrl::Rtsp(url) => url.into(),
            CameraUrl::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}
impl fmt::Display for CameraUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtsp(url) => {
                write!(f, "rtsp://{}", url.host_str().unwrap_or_default())?;
                if let Some(port) = url.port() {
                    write!(f, ":{port}")?;
                }
                f.write_str(url.path())
            }
            Self::File(path) => path.display().fmt(f),
        }
    }
}
impl fmt::Debug for CameraUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// User and password of a camera. `Debug` hides the password; there is no `Display` and no `Serialize`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).field("password", &"***").finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_all_three_kinds_parse() {
        assert!(matches!("rtsp://10.0.0.7:554/stream1".parse(), Ok(CameraUrl::Rtsp(_))));
        assert_eq!("file:///var/clip%201.mp4".parse(), Ok(CameraUrl::File("/var/clip 1.mp4".into())));
        assert_eq!("var/footage/a:b.mp4".parse(), Ok(CameraUrl::File("var/footage/a:b.mp4".into())));
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let error = "rtsp://admin:s3cret@cam.local/1".parse::<CameraUrl>().unwrap_err();
        assert_eq!(error, UrlError::UserInfo { host: "cam.local".into() });
        assert!(!error.to_string().contains("s3cret") && !format!("{error:?}").contains("s3cret"));
    }

    #[test]
    fn bad_addresses_say_what_is_wrong() {
        assert_eq!("  ".parse::<CameraUrl>(), Err(UrlError::Empty));
        assert_eq!("http://cam/1".parse::<CameraUrl>(), Err(UrlError::Scheme("http".into())));
        assert_eq!("rtsps://cam/1".parse::<CameraUrl>(), Err(UrlError::Scheme("rtsps".into())));
        assert!(matches!("rtsp://cam:99999/1".parse::<CameraUrl>(), Err(UrlError::Malformed(_))));
        assert!("rtsp:///1".parse::<CameraUrl>().is_err());
        assert_eq!("file://server/share".parse::<CameraUrl>(), Err(UrlError::NotAPath));
    }

    #[test]
    fn the_printed_address_leaves_the_query_out() {
        let url: CameraUrl = "rtsp://cam:8554/live?user=admin&password=s3cret".parse().unwrap();
        assert_eq!(url.to_string(), "rtsp://cam:8554/live");
        assert!(!format!("{url:?}").contains("s3cret"));
    }

    #[test]
    fn credentials_do_not_print_the_password() {
        let shown = format!("{:?}", Credentials { user: "admin".into(), password: "s3cret".into() });
        assert!(shown.contains("admin") && !shown.contains("s3cret"));
    }
}
