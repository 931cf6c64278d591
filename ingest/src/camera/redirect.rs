//! Redirects: followed a bounded number of times, never in a circle, and without carrying a log-in to another host.
//!
//! `retina` reports a redirect but not where to, so the address is asked for once more by hand.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use url::Url;

use super::{CameraError, Credentials};

/// Redirects that are followed: a recorder sends to its channel's unit, that to a load balancer's choice; nobody needs more.
const MAX_HOPS: usize = 5;
/// Longest head of an answer.
const MAX_HEAD: u64 = 16 << 10;

/// The addresses that a camera has sent the hub to.
pub(super) struct Trail {
    visited: Vec<Url>,
}

impl Trail {
    pub(super) fn new(url: &Url) -> Self {
        Self { visited: vec![url.clone()] }
    }

    /// Where to go now.
    pub(super) fn here(&self) -> &Url {
        &self.visited[self.visited.len() - 1]
    }

    /// The log-in, as long as this is the host it was given for.
    pub(super) fn log_in<'a>(&self, credentials: Option<&'a Credentials>) -> Option<&'a Credentials> {
        credentials.filter(|_| self.here().host_str() == self.visited[0].host_str())
    }

    /// Takes the next step.
    pub(super) fn follow(&mut self, location: &str) -> Result<(), CameraError> {
        let bad = |why: &str| CameraError::Redirect { why: why.into() };
        let next = self.here().join(location.trim()).map_err(|_| bad("the new address is not a URL"))?;
        if !next.username().is_empty() || next.password().is_some() {
            return Err(bad("the new address holds a user or password"));
        }
        let better = self.here().scheme() == "http" && next.scheme() == "https";
        if next.scheme() != self.here().scheme() && !better {
            let (from, to): (_, String) = (self.here().scheme(), next.scheme().chars().take(12).collect());
            return Err(bad(&format!("from {from} to {to}: give the new address in the configuration")));
        }
        if self.visited.contains(&next) {
            return Err(bad("in a circle"));
        }
        if self.visited.len() > MAX_HOPS {
            return Err(bad(&format!("more than {MAX_HOPS} times")));
        }
        self.visited.push(next);
        Ok(())
    }
}

/// Asks an RTSP server where it sends those who want this address.
pub(super) async fn rtsp_location(url: &Url, answer: Duration) -> Result<String, CameraError> {
    let none = || CameraError::Redirect { why: "to nowhere: the answer names no new address".into() };
    match timeout(answer, rtsp_head(url)).await {
        Err(_) => Err(CameraError::Timeout { step: "DESCRIBE", after: answer }),
        Ok(Err(_)) => Err(none()),
        Ok(Ok(head)) => location_in(&head).ok_or_else(none),
    }
}

/// Follows redirects for a client that would follow them without end (`rtspsrc`). Whatever else is wrong is left for it to find.
pub(super) async fn rtsp_resolved(url: &Url, answer: Duration) -> Result<Trail, CameraError> {
    let mut trail = Trail::new(url);
    while let Ok(Ok(head)) = timeout(answer, rtsp_head(trail.here())).await {
        if !head.split(' ').nth(1).is_some_and(|status| status.len() == 3 && status.starts_with('3')) {
            break;
        }
        let none = || CameraError::Redirect { why: "to nowhere: the answer names no new address".into() };
        trail.follow(&location_in(&head).ok_or_else(none)?)?;
    }
    Ok(trail)
}

/// The head of the answer to DESCRIBE.
async fn rtsp_head(url: &Url) -> std::io::Result<String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let mut socket = TcpStream::connect((host, url.port().unwrap_or(554))).await?;
    let agent = concat!("qorgan/", env!("CARGO_PKG_VERSION"));
    let request = format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\nUser-Agent: {agent}\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    let (mut head, mut socket) = (Vec::new(), socket.take(MAX_HEAD));
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && socket.read_buf(&mut head).await? > 0 {}
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The `Location` of an answer's head.
fn location_in(head: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim().eq_ignore_ascii_case("location") && !value.trim().is_empty()).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> Trail {
        Trail::new(&"rtsp://recorder.local/ch1".parse().unwrap())
    }

    #[test]
    fn a_few_redirects_are_followed_and_then_no_more() {
        let mut trail = trail();
        for n in 0..MAX_HOPS {
            trail.follow(&format!("rtsp://recorder.local/hop{n}")).unwrap();
        }
        assert!(trail.follow("rtsp://recorder.local/one-more").unwrap_err().to_string().contains("more than 5"));
    }

    #[test]
    fn a_circle_and_a_trap_are_refused() {
        assert!(trail().follow("rtsp://recorder.local/ch1").unwrap_err().to_string().contains("circle"));
        for trap in ["file:///etc/passwd", "http://10.0.0.1/", "rtsp://admin:x@10.0.0.1/", "rtsps://recorder.local/ch1"] {
            assert!(trail().follow(trap).is_err(), "{trap}");
        }
    }

    #[test]
    fn the_log_in_stays_with_its_host() {
        let log_in = Credentials { user: "admin".into(), password: "s3cret".into() };
        let mut trail = trail();
        trail.follow("/other").unwrap();
        assert_eq!(trail.here().as_str(), "rtsp://recorder.local/other");
        assert!(trail.log_in(Some(&log_in)).is_some());
        trail.follow("rtsp://elsewhere.local/").unwrap();
        assert!(trail.log_in(Some(&log_in)).is_none());
    }

    #[test]
    fn the_location_is_found_whatever_its_case() {
        assert_eq!(location_in("RTSP/1.0 302 Moved\r\nCSeq: 1\r\nlocation:  rtsp://a/b \r\n\r\n").as_deref(), Some("rtsp://a/b"));
        assert_eq!(location_in("RTSP/1.0 302 Moved\r\nLocation:\r\n\r\n"), None);
    }
}
