//! Annex B byte streams, taken apart into NAL units, and as much of their parameter sets as MP4 and MIME types need.

use std::fmt::Write as _;

use mp4_atom::{Avcc, HvcCArray, Hvcc};

use super::LiveError;

/// The NAL units of an access unit, without start codes; trailing zeros belong to the next start code.
pub(super) fn units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = start_code(data, 0).map(|(_, after)| after);
    std::iter::from_fn(move || {
        let from = at?;
        let (to, next) = match start_code(data, from) {
            Some((start, after)) => (start, Some(after)),
            None => (data.len(), None),
        };
        at = next;
        let unit = &data[from..to];
        let trailing = unit.iter().rev().take_while(|byte| **byte == 0).count();
        Some(&unit[..unit.len() - trailing])
    })
    .filter(|unit| !unit.is_empty())
}

/// Where the next start code begins and ends.
fn start_code(data: &[u8], from: usize) -> Option<(usize, usize)> {
    let at = from + memchr::memmem::find(data.get(from..)?, &[0, 0, 1])?;
    Some((at, at + 3))
}

/// Type of an H.264 NAL unit.
pub(super) fn h264_type(unit: &[u8]) -> u8 {
    unit[0] & 0x1f
}

/// Type of an H.265 NAL unit.
pub(super) fn h265_type(unit: &[u8]) -> u8 {
    (unit[0] >> 1) & 0x3f
}

/// What a decoder must know before the first H.264 picture.
pub(super) fn avcc(data: &[u8]) -> Result<Avcc, LiveError> {
    let of = |kind| units(data).filter(move |unit| h264_type(unit) == kind).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (sets, pictures) = (of(7), of(8));
    let sps = sets.first().ok_or(LiveError::Parameters("no SPS"))?;
    let pps = pictures.first().ok_or(LiveError::Parameters("no PPS"))?;
    let mut avcc = Avcc::new(sps, pps).map_err(|_| LiveError::Parameters("the SPS is too short"))?;
    avcc.sequence_parameter_sets = distinct(sets);
    avcc.picture_parameter_sets = distinct(pictures);
    Ok(avcc)
}

/// RFC 6381 name of an H.264 stream.
pub(super) fn avc_name(avcc: &Avcc) -> String {
    format!("avc1.{:02X}{:02X}{:02X}", avcc.avc_profile_indication, avcc.profile_compatibility, avcc.avc_level_indication)
}

/// What a decoder must know before the first H.265 picture.
pub(super) fn hvcc(data: &[u8]) -> Result<Hvcc, LiveError> {
    let of = |kind| distinct(units(data).filter(move |unit| h265_type(unit) == kind).map(<[u8]>::to_vec).collect());
    let (video, sets, pictures) = (of(32), of(33), of(34));
    let sps = sets.first().ok_or(LiveError::Parameters("no SPS"))?;
    if video.is_empty() || pictures.is_empty() {
        return Err(LiveError::Parameters("no VPS or no PPS"));
    }
    let body = without_emulation(sps.get(2..).unwrap_or_default());
    let short = || LiveError::Parameters("the SPS is too short");
    // profile_tier_level stands at fixed places behind one byte (ITU-T H.265, 7.3.2.2 and 7.3.3).
    let (first, profile) = (*body.first().ok_or_else(short)?, body.get(1..13).ok_or_else(short)?);
    let layers = (first >> 1) & 7;
    let tail = tail_of_sps(&body, layers).ok_or_else(short)?;
    let array = |nal_unit_type, nalus| HvcCArray { completeness: true, nal_unit_type, nalus };
    let mut hvcc = Hvcc {
        general_profile_space: profile[0] >> 6,
        general_tier_flag: profile[0] & 0x20 != 0,
        general_profile_idc: profile[0] & 0x1f,
        general_level_idc: profile[11],
        chroma_format_idc: tail.0,
        bit_depth_luma_minus8: tail.1,
        bit_depth_chroma_minus8: tail.2,
        num_temporal_layers: layers + 1,
        temporal_id_nested: first & 1 == 1,
        length_size_minus_one: 3,
        arrays: vec![array(32, video), array(33, sets.clone()), array(34, pictures)],
        ..Hvcc::new()
    };
    hvcc.general_profile_compatibility_flags.copy_from_slice(&profile[1..5]);
    hvcc.general_constraint_indicator_flags.copy_from_slice(&profile[5..11]);
    Ok(hvcc)
}

/// RFC 6381 name of an H.265 stream (ISO/IEC 14496-15, annex E.3).
pub(super) fn hevc_name(hvcc: &Hvcc) -> String {
    let space = ["", "A", "B", "C"][usize::from(hvcc.general_profile_space & 3)];
    let compatibility = u32::from_be_bytes(hvcc.general_profile_compatibility_flags).reverse_bits();
    let tier = if hvcc.general_tier_flag { 'H' } else { 'L' };
    let mut name = format!("hvc1.{space}{}.{compatibility:X}.{tier}{}", hvcc.general_profile_idc, hvcc.general_level_idc);
    let constraints = hvcc.general_constraint_indicator_flags;
    let used = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    for byte in &constraints[..used] {
        let _ = write!(name, ".{byte:X}");
    }
    name
}

/// Chroma format and bit depths less eight, of luma and chroma, from an SPS without its NAL header.
fn tail_of_sps(body: &[u8], layers: u8) -> Option<(u8, u8, u8)> {
    let mut bits = Bits { data: body, at: 8 + 96 };
    let flags: Vec<(bool, bool)> = (0..layers).map(|_| Some((bits.bit()?, bits.bit()?))).collect::<Option<_>>()?;
    if layers > 0 {
        bits.at += 2 * (8 - usize::from(layers));
    }
    for (profile, level) in flags {
        bits.at += if profile { 88 } else { 0 } + if level { 8 } else { 0 };
    }
    bits.golomb()?;
    let chroma = bits.golomb()?;
    if chroma == 3 {
        bits.bit()?;
    }
    bits.golomb()?;
    bits.golomb()?;
    if bits.bit()? {
        for _ in 0..4 {
            bits.golomb()?;
        }
    }
    let (luma, colour) = (bits.golomb()?, bits.golomb()?);
    let small = |value: u32, most: u32| u8::try_from(value).ok().filter(|value| u32::from(*value) <= most);
    Some((small(chroma, 3)?, small(luma, 7)?, small(colour, 7)?))
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<bool> {
        let byte = self.data.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// Unsigned Exp-Golomb, at most 16 bits of it: what is larger is no parameter set.
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 16 {
                return None;
            }
        }
        let mut value = 1u32;
        for _ in 0..zeros {
            value = value << 1 | u32::from(self.bit()?);
        }
        Some(value - 1)
    }
}

/// Drops the markers that keep payload from looking like a start code: 00 00 03 is 00 00.
fn without_emulation(data: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(data.len());
    let mut zeros = 0;
    for byte in data {
        if *byte == 3 && zeros >= 2 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        clean.push(*byte);
    }
    clean
}

fn distinct(mut sets: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    sets.dedup();
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_codes_of_three_and_four_bytes_and_trailing_zeros() {
        let data = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 0, 0, 1, 0x65, 9];
        assert_eq!(units(&data).collect::<Vec<_>>(), [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 9]]);
        for none in [&[][..], &[0, 0], &[0, 0, 1], &[0, 0, 1, 0, 0, 1]] {
            assert_eq!(units(none).count(), 0, "{none:?}");
        }
    }

    #[test]
    fn emulation_bytes_are_dropped_once() {
        assert_eq!(without_emulation(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3]), [0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(without_emulation(&[3, 0, 3, 0, 3]), [3, 0, 3, 0, 3]);
    }

    /// VPS, SPS and PPS of x265 (Main Still Picture, level 4.0, 8 bit), from the tests of the crate mp4-atom.
    const X265: &[u8] = &[
        0, 0, 0, 1, 64, 1, 12, 1, 255, 255, 1, 96, 0, 0, 3, 0, 144, 0, 0, 3, 0, 0, 3, 0, 120, 153, 138, 2, 64, 0, 0, 0, 1, 66, 1, 1, 1, 96,
        0, 0, 3, 0, 144, 0, 0, 3, 0, 0, 3, 0, 120, 160, 2, 128, 128, 53, 159, 89, 102, 98, 164, 145, 38, 191, 252, 26, 176, 26, 172, 4, 0,
        0, 3, 0, 4, 0, 0, 3, 0, 100, 32, 0, 0, 0, 1, 68, 1, 193, 114, 180, 98, 64,
    ];

    #[test]
    fn an_h265_stream_has_its_name() {
        let hvcc = hvcc(X265).expect("parameter sets");
        assert_eq!(hevc_name(&hvcc), "hvc1.1.6.L120.90");
        assert_eq!((hvcc.chroma_format_idc, hvcc.bit_depth_luma_minus8, hvcc.num_temporal_layers), (1, 0, 1));
    }

    #[test]
    fn broken_parameter_sets_are_an_error_and_no_panic() {
        for cut in 0..X265.len() {
            let _ = hvcc(&X265[..cut]);
        }
        assert!(matches!(avcc(&[0, 0, 1, 0x65, 1]), Err(LiveError::Parameters("no SPS"))));
        assert!(matches!(avcc(&[0, 0, 1, 0x67, 1, 0, 0, 1, 0x68]), Err(LiveError::Parameters(_))));
        let mut noise = X265.to_vec();
        for i in 0..noise.len() * 8 {
            noise[i / 8] ^= 1 << (i % 8);
            let _ = (hvcc(&noise), avcc(&noise));
        }
    }
}
