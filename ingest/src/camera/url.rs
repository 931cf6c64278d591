//! Addresses of cameras and the secrets that open them. Parsed once, when the configuration is read.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

/// Where a camera is: `rtsp://host[:port]/path`, `rtsps://…`, `http://…` or `https://…` (Motion JPEG), `srt://0.0.0.0:port` (the hub
/// listens there for a body-worn camera), `file:///path`, or the path of a file.
///
/// Never holds a user or a password: those come from the environment or a file, as [`Credentials`].
/// `Display` leaves out the query, because some makers put a password there.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CameraUrl {
    /// A camera or recorder that speaks RTSP.
    Rtsp(Url),
    /// The same over TLS.
    Rtsps(Url),
    /// Motion JPEG over HTTP or HTTPS: `multipart/x-mixed-replace`.
    Http(Url),
    /// Local address that the hub listens on for SRT; MPEG-TS with H.264 or H.265 is pushed to it.
    /// `?latency=` in milliseconds (default 125). The password of the camera, if it has one, is the passphrase of the connection.
    Srt(Url),
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
    #[error("the scheme \"{0}\" is not supported: use rtsp://, rtsps://, http://, https:// (Motion JPEG), srt:// or a file")]
    Scheme(String),
    /// `rtsp:` without a host.
    #[error("the address names no host")]
    NoHost,
    /// `srt:` without a port, or with an unknown parameter.
    #[error("an SRT address is written srt://0.0.0.0:7001, with ?latency=milliseconds if wanted and nothing else")]
    Srt,
    /// `file:` with a host, or a relative path in it.
    #[error("a file address is written file:///absolute/path")]
    NotAPath,
    /// Not a URL at all.
    #[error("the address is not a URL: {0}")]
    Malformed(url::ParseError),
}

impl CameraUrl {
    /// Whether the hub connects to the camera, and not the camera to the hub or a file to be read.
    pub fn is_pulled(&self) -> bool {
        matches!(self, Self::Rtsp(_) | Self::Rtsps(_) | Self::Http(_))
    }
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
        let kind = match url.scheme() {
            "rtsp" => Self::Rtsp,
            "rtsps" => Self::Rtsps,
            "http" | "https" => Self::Http,
            "srt" => Self::Srt,
            "file" => return url.to_file_path().map(Self::File).map_err(|()| UrlError::NotAPath),
            other => return Err(UrlError::Scheme(other.into())),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(UrlError::NoHost)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::UserInfo { host: host.into() });
        }
        if url.scheme() == "srt" {
            if url.query_pairs().any(|(key, _)| key == "passphrase") {
                return Err(UrlError::UserInfo { host: host.into() });
            }
            let known = url.query_pairs().all(|(key, value)| key == "latency" && value.parse::<u16>().is_ok());
            if url.port().is_none() || !known {
                return Err(UrlError::Srt);
            }
        }
        Ok(kind(url))
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
            CameraUrl::Rtsp(url) | CameraUrl::Rtsps(url) | CameraUrl::Http(url) | CameraUrl::Srt(url) => url.into(),
            CameraUrl::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}
impl fmt::Display for CameraUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtsp(url) | Self::Rtsps(url) | Self::Http(url) | Self::Srt(url) => {
                write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
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
    fn addresses_of_every_kind_parse() {
        assert!(matches!("rtsp://10.0.0.7:554/stream1".parse(), Ok(CameraUrl::Rtsp(_))));
        assert!(matches!("rtsps://10.0.0.7:322/stream1".parse(), Ok(CameraUrl::Rtsps(_))));
        assert!(matches!("http://10.0.0.7/video.mjpg?channel=1".parse(), Ok(CameraUrl::Http(_))));
        assert!(matches!("https://cam.local/video.mjpg".parse(), Ok(CameraUrl::Http(_))));
        assert!(matches!("srt://0.0.0.0:7001?latency=300".parse(), Ok(CameraUrl::Srt(_))));
        assert_eq!("file:///var/clip%201.mp4".parse(), Ok(CameraUrl::File("/var/clip 1.mp4".into())));
        assert_eq!("var/footage/a:b.mp4".parse(), Ok(CameraUrl::File("var/footage/a:b.mp4".into())));
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        for text in ["rtsp://admin:s3cret@cam.local/1", "rtsps://s3cret@cam.local/1", "https://admin:s3cret@cam.local/1"] {
            let error = text.parse::<CameraUrl>().unwrap_err();
            assert_eq!(error, UrlError::UserInfo { host: "cam.local".into() });
            assert!(!error.to_string().contains("s3cret") && !format!("{error:?}").contains("s3cret"));
        }
        let error = "srt://0.0.0.0:7001?passphrase=s3cret-s3cret".parse::<CameraUrl>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }

    #[test]
    fn bad_addresses_say_what_is_wrong() {
        assert_eq!("  ".parse::<CameraUrl>(), Err(UrlError::Empty));
        assert_eq!("ftp://cam/1".parse::<CameraUrl>(), Err(UrlError::Scheme("ftp".into())));
        assert!(matches!("rtsp://cam:99999/1".parse::<CameraUrl>(), Err(UrlError::Malformed(_))));
        assert!("rtsp:///1".parse::<CameraUrl>().is_err());
        assert_eq!("srt://0.0.0.0".parse::<CameraUrl>(), Err(UrlError::Srt));
        assert_eq!("srt://0.0.0.0:7001?mode=caller".parse::<CameraUrl>(), Err(UrlError::Srt));
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
