//! Cutting a stream of bytes into frames: they come in pieces, glued together, or amid noise. Pure.

use super::frame::MAX_FRAME;

/// Collects bytes and gives whole frames.
#[derive(Debug, Default)]
pub struct Splitter {
    bytes: Vec<u8>,
    /// Bytes outside of frames since the last frame.
    noise: usize,
    /// So many bytes of the frame at the front hold no end: a byte is looked at once, however small the pieces.
    searched: usize,
}

/// A piece of the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut {
    /// From a line feed to a carriage return, or to where the next frame begins.
    Frame(Vec<u8>),
    /// More bytes than a frame may have, without an end. The stream is not worth reading on.
    TooLong,
}

impl Splitter {
    /// Takes what was received. Call [`Splitter::cut`] until it gives nothing before more is pushed: that bounds the memory.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a frame has begun and not ended.
    pub fn is_amid(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// The next whole frame.
    pub fn cut(&mut self) -> Option<Cut> {
        let start = self.bytes.iter().position(|b| *b == b'\n');
        let noise = start.unwrap_or(self.bytes.len());
        if noise > 0 {
            self.bytes.drain(..noise);
            self.searched = 0;
        }
        self.noise = self.noise.saturating_add(noise);
        if self.noise > MAX_FRAME {
            return Some(Cut::TooLong);
        }
        start?;
        match self.end() {
            Some(end) => {
                (self.noise, self.searched) = (0, 0);
                Some(Cut::Frame(self.bytes.drain(..end).collect()))
            }
            None if self.bytes.len() > MAX_FRAME => Some(Cut::TooLong),
            None => None,
        }
    }

    /// What is left when nothing more will come, as with a datagram.
    pub fn rest(&mut self) -> Option<Vec<u8>> {
        self.searched = 0;
        (!self.bytes.is_empty()).then(|| std::mem::take(&mut self.bytes))
    }

    /// Length of the frame at the front: up to its carriage return, or up to the line feed of the next one.
    fn end(&mut self) -> Option<usize> {
        // A CRC of two raw bytes may hold any value; the quote behind it tells.
        let from = match self.bytes.get(7) {
            Some(b'"') => 7,
            Some(_) => 1,
            None => 3,
        };
        let from = from.max(self.searched);
        let Some(at) = self.bytes.get(from..)?.iter().position(|b| matches!(b, b'\r' | b'\n')) else {
            if self.bytes.len() > 7 {
                self.searched = self.bytes.len();
            }
            return None;
        };
        let at = from + at;
        Some(if self.bytes[at] == b'\r' { at + 1 } else { at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dc09::frame::{Content, CrcForm, Frame, Id};

    fn frames(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::default();
        let mut all = Vec::new();
        for piece in pieces {
            splitter.push(piece);
            while let Some(Cut::Frame(frame)) = splitter.cut() {
                all.push(frame);
            }
        }
        all
    }
    fn null(seq: u16) -> Vec<u8> {
        Frame::clear(Id::Null, seq, Some("1234"), Content::default()).write()
    }

    #[test]
    fn glued_and_split_frames_come_apart_and_together() {
        let glued = [null(1), null(2), null(3)].concat();
        assert_eq!(frames(&[&glued]), [null(1), null(2), null(3)]);
        let bytes: Vec<&[u8]> = glued.chunks(1).collect();
        assert_eq!(frames(&bytes), [null(1), null(2), null(3)]);
    }

    #[test]
    fn noise_between_frames_is_passed_over() {
        assert_eq!(frames(&[b"\0\0hello\r", &null(1), b"\r \r", &null(2)]), [null(1), null(2)]);
    }

    #[test]
    fn a_frame_that_breaks_off_does_not_take_the_next_one_with_it() {
        let broken = &null(1)[..15];
        assert_eq!(frames(&[broken, &null(2)]), [broken.to_vec(), null(2)]);
    }

    #[test]
    fn a_raw_crc_may_hold_the_end_of_a_frame() {
        let raw = (0..=9_999).map(|seq| Frame { crc: CrcForm::Raw, ..Frame::clear(Id::Null, seq, Some("1234"), Content::default()) });
        let with_ends: Vec<Vec<u8>> = raw.map(|f| f.write()).filter(|b| b[1..3].iter().any(|b| matches!(b, b'\r' | b'\n'))).collect();
        assert!(with_ends.len() > 50, "there are such numbers");
        let glued = with_ends.concat();
        assert_eq!(frames(&[&glued]), with_ends);
        let bytes: Vec<&[u8]> = glued.chunks(1).collect();
        assert_eq!(frames(&bytes), with_ends);
    }

    #[test]
    fn a_short_broken_frame_ends_at_its_carriage_return() {
        assert_eq!(frames(&[b"\n12345\r"]), [b"\n12345\r".to_vec()]);
    }

    /// Found by fuzzing: a sender of single bytes made the receiver look at each frame from its beginning with every byte.
    #[test]
    fn a_byte_is_looked_at_once_however_small_the_pieces_are() {
        let mut splitter = Splitter::default();
        for byte in b"\n0000000\"".iter().chain([b'A'; 3_000].iter()) {
            splitter.push(&[*byte]);
            assert_eq!(splitter.cut(), None);
        }
        assert_eq!(splitter.searched, splitter.bytes.len());
        splitter.push(b"\r");
        assert!(matches!(splitter.cut(), Some(Cut::Frame(frame)) if frame.len() == 3_010));
        assert_eq!(splitter.searched, 0);
    }

    #[test]
    fn ten_megabytes_are_cut_off_early() {
        for first in [b'\n', b'x'] {
            let mut splitter = Splitter::default();
            let mut pushed = 0;
            let cut = loop {
                let piece = if pushed == 0 { [[first].as_slice(), &[b'A'; 2047]].concat() } else { vec![b'A'; 2048] };
                splitter.push(&piece);
                pushed += piece.len();
                if let Some(cut) = splitter.cut() {
                    break cut;
                }
                assert!(pushed < 10_000_000, "never cut off");
            };
            assert_eq!(cut, Cut::TooLong);
            assert!(pushed <= MAX_FRAME + 2 * 2048, "{pushed}");
        }
    }
}
