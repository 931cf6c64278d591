//! As much of JPEG as tells whether a picture is whole and how large it is.

/// Width and height in pixels, from the first frame header (ITU-T T.81, B.2.2); `None` when there is none.
///
/// A picture that announces zero or more than the hub decodes is left to the caller to refuse.
pub(super) fn size_px(data: &[u8]) -> Option<(u32, u32)> {
    if !data.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut at = 2;
    loop {
        // Any number of fill bytes may stand before a marker.
        while *data.get(at)? == 0xff && *data.get(at + 1)? == 0xff {
            at += 1;
        }
        let (prefix, marker) = (*data.get(at)?, *data.get(at + 1)?);
        if prefix != 0xff {
            return None;
        }
        at += 2;
        match marker {
            // Start of frame, all kinds but the tables that share the range.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let side = |at: usize| Some(u32::from(u16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?])));
                return side(at + 5).zip(side(at + 3));
            }
            // Scan or end before any frame.
            0xda | 0xd9 => return None,
            // No length follows.
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                let length = usize::from(u16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?]));
                at += length.max(2);
            }
        }
    }
}

/// Begins and ends as a picture does. Some cameras pad the end with zeros.
pub(super) fn is_whole(data: &[u8]) -> bool {
    let end = data.len() - data.iter().rev().take_while(|byte| **byte == 0).count();
    data.starts_with(&[0xff, 0xd8]) && data[..end].ends_with(&[0xff, 0xd9])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: [u8; 27] = [
        0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, // application segment
        0xff, 0xff, 0xc4, 0, 3, 9, // fill byte, Huffman table
        0xff, 0xc0, 0, 11, 8, 0x02, 0x40, 0x03, 0x00, 1, 1, // 768x576
        0x11, 0,
    ];

    #[test]
    fn the_size_is_in_the_frame_header() {
        assert_eq!(size_px(&HEAD), Some((768, 576)));
        let zero = HEAD.map(|byte| if byte == 0x02 || byte == 0x40 { 0 } else { byte });
        assert_eq!(size_px(&zero), Some((768, 0)));
    }

    #[test]
    fn what_ends_too_early_has_no_size() {
        for end in 0..22 {
            assert_eq!(size_px(&HEAD[..end]), None, "{end}");
        }
        assert_eq!(size_px(b"\xff\xd8\xff\xd9"), None);
        assert_eq!(size_px(b"<html>"), None);
    }

    #[test]
    fn a_picture_without_its_end_is_not_whole() {
        assert!(is_whole(b"\xff\xd8..\xff\xd9") && is_whole(b"\xff\xd8..\xff\xd9\0\0"));
        assert!(!is_whole(b"\xff\xd8..") && !is_whole(b"") && !is_whole(b"\0\0"));
    }
}
