//! `multipart/x-mixed-replace` as cameras write it: pictures one after the other in one endless answer.
//!
//! Pure: bytes in, parts out. Cameras differ: the boundary is announced with or without its dashes, `Content-Length` may be missing,
//! lines may end in LF alone. A part without a length ends at the next boundary.

use bytes::{Bytes, BytesMut};

/// Longest head of a part.
const MAX_HEAD: usize = 8 << 10;

/// Cuts an answer into its parts.
#[derive(Debug)]
pub(super) struct Multipart {
    /// With its dashes.
    boundary: Vec<u8>,
    buffer: BytesMut,
    /// Where the search for a part's end goes on.
    searched: usize,
    state: State,
    max_part: usize,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Boundary,
    Head,
    /// Of a known length.
    Sized(usize),
    /// Up to the next boundary.
    Open,
}

/// Why an answer cannot be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum MultipartError {
    #[error("the answer is not multipart: it names no boundary")]
    NoBoundary,
    #[error("a part's head is over {MAX_HEAD} bytes")]
    LongHead,
    #[error("a part is over {0} bytes")]
    LongPart(usize),
}

impl Multipart {
    /// For an answer with this `Content-Type`.
    pub(super) fn new(content_type: &str, max_part: usize) -> Result<Self, MultipartError> {
        let mut fields = content_type.split(';');
        let kind = fields.next().unwrap_or_default().trim().to_ascii_lowercase();
        let boundary = fields.find_map(|field| {
            let (name, value) = field.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').trim_start_matches('-').to_owned())
        });
        match boundary {
            Some(name) if kind.starts_with("multipart/") && !name.is_empty() => Ok(Self {
                boundary: format!("--{name}").into_bytes(),
                buffer: BytesMut::new(),
                searched: 0,
                state: State::Boundary,
                max_part,
            }),
            _ => Err(MultipartError::NoBoundary),
        }
    }

    /// More bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole part's content.
    pub(super) fn part(&mut self) -> Result<Option<Bytes>, MultipartError> {
        loop {
            match self.state {
                State::Boundary => {
                    let Some(at) = find(&self.buffer, &self.boundary, self.searched) else {
                        // All but what may be the start of one.
                        let keep = self.boundary.len() - 1;
                        let drop = self.buffer.len().saturating_sub(keep);
                        self.take(drop);
                        return Ok(None);
                    };
                    self.take(at + self.boundary.len());
                    self.state = State::Head;
                }
                State::Head => {
                    let Some((length, end)) = head(&self.buffer) else {
                        return if self.buffer.len() > MAX_HEAD { Err(MultipartError::LongHead) } else { Ok(None) };
                    };
                    if length.is_some_and(|length| length > self.max_part) {
                        return Err(MultipartError::LongPart(self.max_part));
                    }
                    self.take(end);
                    self.state = length.filter(|length| *length > 0).map_or(State::Open, State::Sized);
                }
                State::Sized(length) => {
                    if self.buffer.len() < length {
                        return Ok(None);
                    }
                    self.state = State::Boundary;
                    return Ok(Some(self.take(length)));
                }
                State::Open => {
                    let Some(at) = find(&self.buffer, &self.boundary, self.searched) else {
                        if self.buffer.len() > self.max_part {
                            return Err(MultipartError::LongPart(self.max_part));
                        }
                        self.searched = self.buffer.len().saturating_sub(self.boundary.len() - 1);
                        return Ok(None);
                    };
                    self.state = State::Boundary;
                    let content = self.take(at);
                    return Ok(Some(content.slice(..trimmed(&content))));
                }
            }
        }
    }

    fn take(&mut self, count: usize) -> Bytes {
        self.searched = 0;
        self.buffer.split_to(count).freeze()
    }
}

fn find(data: &[u8], what: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(data.get(from..)?, what).map(|at| from + at)
}

/// Length without the line end that belongs to the boundary.
fn trimmed(content: &[u8]) -> usize {
    content.len() - if content.ends_with(b"\r\n") { 2 } else { usize::from(content.ends_with(b"\n")) }
}

/// A part's `Content-Length`, if it says one, and where its content begins; `None` while the head is not whole.
fn head(data: &[u8]) -> Option<(Option<usize>, usize)> {
    let (mut at, mut length) = (0, None);
    loop {
        let line_end = at + memchr::memchr(b'\n', data.get(at..)?)?;
        let line = data[at..line_end].trim_ascii();
        // What follows the boundary on its own line is the first line, and may be empty.
        if line.is_empty() && at > 0 {
            return Some((length, line_end + 1));
        }
        if let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(':'))
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
        at = line_end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All parts of an answer that comes in pieces of so many bytes.
    fn parts(content_type: &str, answer: &[u8], piece: usize) -> Vec<Vec<u8>> {
        let mut multipart = Multipart::new(content_type, 1_000).unwrap();
        let mut parts = Vec::new();
        for bytes in answer.chunks(piece) {
            multipart.push(bytes);
            while let Some(part) = multipart.part().unwrap() {
                parts.push(part.to_vec());
            }
        }
        parts
    }

    #[test]
    fn parts_are_cut_however_the_camera_writes_them() {
        let usual = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\none\r\n\r\n--frame\r\nContent-Length: 3\r\n\r\ntwo\r\n--frame\r\n";
        let bare = b"noise\n--frame\nContent-Type: image/jpeg\n\none\r\n--frame\n\ntwo\n--frame\n";
        for piece in [1, 2, 7, 1000] {
            assert_eq!(parts("multipart/x-mixed-replace; boundary=frame", usual, piece), [b"one\r\n".to_vec(), b"two".to_vec()]);
            assert_eq!(parts("Multipart/X-Mixed-Replace;boundary=\"--frame\"", bare, piece), [b"one".to_vec(), b"two".to_vec()]);
        }
    }

    #[test]
    fn a_boundary_inside_a_part_of_known_length_is_content() {
        let answer = b"--b\r\nContent-Length: 8\r\n\r\nx--b\r\nyz\r\n--b\r\n";
        assert_eq!(parts("multipart/x-mixed-replace; boundary=b", answer, 3), [b"x--b\r\nyz".to_vec()]);
    }

    #[test]
    fn another_answer_and_one_without_end_are_refused() {
        assert_eq!(Multipart::new("text/html", 9).unwrap_err(), MultipartError::NoBoundary);
        assert_eq!(Multipart::new("multipart/x-mixed-replace; boundary=--", 9).unwrap_err(), MultipartError::NoBoundary);
        let endless = |head: &[u8]| {
            let mut multipart = Multipart::new("multipart/x-mixed-replace; boundary=b", 100).unwrap();
            multipart.push(head);
            for _ in 0..2_000 {
                multipart.push(b"xxxxxxxxxx");
                multipart.part()?;
            }
            Ok(multipart.buffer.len())
        };
        assert_eq!(endless(b"--b\r\n\r\n"), Err(MultipartError::LongPart(100)));
        assert_eq!(endless(b"--b\r\nContent-Length: 101\r\n\r\n"), Err(MultipartError::LongPart(100)));
        assert_eq!(endless(b"--b\r\nX: "), Err(MultipartError::LongHead));
        assert!(endless(b"").unwrap() < 10, "bytes before any boundary are not kept");
    }
}
