//! As much of the Annex B byte stream as is needed to see whether a key frame decodes by itself.

use super::Codec;

/// Whether parameter sets (SPS and PPS, in H.265 VPS too) stand in front of the first slice.
pub(super) fn has_parameter_sets(codec: Codec, data: &[u8]) -> bool {
    let (vps, sps, pps) = match codec {
        Codec::H264 => (None, 7, 8),
        Codec::H265 => (Some(32), 33, 34),
        Codec::Mpeg4 | Codec::Msmpeg4 | Codec::Mjpeg => return true,
    };
    let (mut has_vps, mut has_sps, mut has_pps) = (vps.is_none(), false, false);
    for kind in unit_types(codec, data) {
        has_vps |= Some(kind) == vps;
        has_sps |= kind == sps;
        has_pps |= kind == pps;
        // Slices: 1 to 5 in H.264, 0 to 31 in H.265.
        if if codec == Codec::H264 { (1..=5).contains(&kind) } else { kind < 32 } {
            break;
        }
    }
    has_vps && has_sps && has_pps
}

/// Whether the first slice of H.265 is intra-coded and needs nothing before it: IDR, and also CRA and BLA, with which an open group of
/// pictures begins.
pub(super) fn is_irap(data: &[u8]) -> bool {
    unit_types(Codec::H265, data).find(|kind| *kind < 32).is_some_and(|kind| (16..=21).contains(&kind))
}

/// Types of the NAL units, in their order.
fn unit_types(codec: Codec, data: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at + 3 < data.len() {
            if data[at..at + 3] == [0, 0, 1] {
                let header = data[at + 3];
                at += 4;
                return Some(if codec == Codec::H264 { header & 0x1f } else { (header >> 1) & 0x3f });
            }
            at += 1;
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_without_parameter_sets_is_seen() {
        let whole = [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65, 9];
        assert!(has_parameter_sets(Codec::H264, &whole));
        assert!(!has_parameter_sets(Codec::H264, &whole[12..]), "only the slice");
        let late = [0, 0, 1, 0x65, 9, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68];
        assert!(!has_parameter_sets(Codec::H264, &late), "parameter sets behind the slice come too late");
    }

    #[test]
    fn h265_needs_its_video_parameter_set_too() {
        let whole = [0, 0, 1, 0x40, 1, 0, 0, 1, 0x42, 1, 0, 0, 1, 0x44, 1, 0, 0, 1, 0x26, 1];
        assert!(has_parameter_sets(Codec::H265, &whole));
        assert!(!has_parameter_sets(Codec::H265, &whole[5..]));
    }

    #[test]
    fn open_groups_of_pictures_begin_with_key_frames_too() {
        // Bytes in front of each: a picture's delimiter and a message (35 and 39).
        let picture = |kind: u8| [&[0, 0, 1, 35 << 1, 1, 0, 0, 1, 39 << 1, 1, 0, 0, 1][..], &[kind << 1, 1, 9]].concat();
        for key in [16, 17, 18, 19, 20, 21] {
            assert!(is_irap(&picture(key)), "{key}");
        }
        for other in [0, 1, 8, 9, 22, 31, 32] {
            assert!(!is_irap(&picture(other)), "{other}");
        }
        assert!(!is_irap(&[]));
    }

    #[test]
    fn empty_and_short_input_is_no_key_frame() {
        for data in [&[][..], &[0, 0, 1], &[0, 0, 0, 1]] {
            assert!(!has_parameter_sets(Codec::H264, data));
        }
    }
}
