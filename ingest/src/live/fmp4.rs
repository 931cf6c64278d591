//! Fragmented MP4 (ISO/IEC 14496-12) for Media Source Extensions: an init segment per codec and size, then one fragment a picture.
//!
//! A picture leaves when the next one has come, because its duration is only known then; a stream that reorders waits for as
//! many pictures as it has shown to need. Time stamps that jump or stand still are joined to what went before: a viewer's clock
//! only moves forward.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use mp4_atom::{
    Avc1, Codec as Entry, Dinf, Dref, DrefEntry, Encode, FourCC, Ftyp, Hdlr, Hvc1, Mdhd, Mdia, Mfhd, Minf, Moof, Moov, Mvex, Mvhd, Stbl,
    Stsd, Tfdt, Tfhd, Tkhd, Traf, Trak, Trex, Trun, TrunEntry, Url, Visual, Vmhd,
};

use super::{LiveError, Unit, nal};
use crate::camera::Codec;

/// Ticks a second: RTP's own for video.
const TIMESCALE: u32 = 90_000;
/// A step between two pictures that is longer than this, or backwards, is a jump of the clock, not a pause.
const LONGEST_STEP: i64 = 5 * TIMESCALE as i64;
/// A step back that is shorter than this is a stream that reorders its pictures.
const LONGEST_BACK: i64 = TIMESCALE as i64;
/// A step shorter than this is an artefact of a jump and says nothing about the next one.
const SHORTEST_STEP: i64 = TIMESCALE as i64 / 240;
/// Taken for a picture whose own duration cannot be known: 25 a second.
const USUAL_STEP: i64 = TIMESCALE as i64 / 25;
/// Pictures that a reordering stream is waited for, at most.
const MOST_REORDERED: usize = 4;

/// Depends on nothing / depends on others and is no key (14496-12, 8.8.3.1).
const KEY_FLAGS: u32 = 0x0200_0000;
const DELTA_FLAGS: u32 = 0x0101_0000;

/// What goes to the viewer, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A new stream begins: MIME type with codec, and the init segment.
    Init {
        /// For `MediaSource.isTypeSupported` and `addSourceBuffer`.
        mime: String,
        /// ftyp and moov.
        data: Bytes,
        /// Width and height in pixels.
        size_px: (u32, u32),
    },
    /// A fragment: moof and mdat with one picture.
    Media(Bytes),
}

/// One stream for one viewer.
#[derive(Debug, Default)]
pub struct Muxer {
    /// The decoder configuration that the viewer has.
    config: Option<(Codec, (u32, u32), String, Bytes)>,
    waiting: VecDeque<Sample>,
    /// Pictures held back before one goes out: 0 unless the stream reorders.
    reorder: usize,
    /// Added to the stream's time to get the viewer's, in ticks.
    offset: i64,
    newest_pts: Option<i64>,
    /// Decode time of the sample that waits for its duration.
    held: Option<(Sample, i64)>,
    last_step: i64,
    sequence: u32,
}

#[derive(Debug)]
struct Sample {
    pts: i64,
    key: bool,
    /// Length-prefixed NAL units.
    data: Vec<u8>,
}

impl Muxer {
    /// Nothing is sent before the first key unit.
    pub fn new() -> Self {
        Self { last_step: USUAL_STEP, ..Self::default() }
    }

    /// Takes the next access unit. Errors: the codec is not for MP4 in browsers, or a key unit has no usable parameter sets; the
    /// next key unit may be better.
    pub fn push(&mut self, unit: &Unit) -> Result<Vec<Part>, LiveError> {
        let mut parts = Vec::new();
        if unit.key {
            if let Some(init) = self.configure(unit)? {
                // What is left of the old stream goes out before the new one begins.
                parts.extend(self.flush()?);
                parts.push(init);
            }
        } else if self.config.is_none() {
            return Ok(parts);
        }
        let data = prefixed(unit);
        if data.is_empty() {
            return Ok(parts);
        }
        let pts = self.place(unit.media_time);
        self.waiting.push_back(Sample { pts, key: unit.key, data });
        while self.waiting.len() > self.reorder {
            parts.extend(self.release()?);
        }
        Ok(parts)
    }

    /// Units were lost: the next picture that is shown is a key picture.
    pub fn lost(&mut self) {
        self.waiting.clear();
        self.config = None;
    }

    /// Everything that was held back, at the end of a clip.
    pub fn flush(&mut self) -> Result<Vec<Part>, LiveError> {
        let mut parts = Vec::new();
        while !self.waiting.is_empty() {
            parts.extend(self.release()?);
        }
        if let Some((sample, dts)) = self.held.take() {
            parts.push(self.fragment(&sample, dts, self.last_step)?);
        }
        Ok(parts)
    }

    /// The init segment, when the viewer does not have this configuration yet.
    fn configure(&mut self, unit: &Unit) -> Result<Option<Part>, LiveError> {
        let size_px = unit.size_px;
        let (name, entry) = entry_of(unit)?;
        let mime = format!("video/mp4; codecs=\"{name}\"");
        let data = init_segment(entry, size_px)?;
        let known = self.config.as_ref();
        if known.is_some_and(|(codec, size, ..)| *codec == unit.codec && *size == size_px) && known.is_some_and(|known| known.3 == data) {
            return Ok(None);
        }
        self.config = Some((unit.codec, size_px, mime.clone(), data.clone()));
        Ok(Some(Part::Init { mime, data, size_px }))
    }

    /// The viewer's time of a unit, and what it says about the stream's order.
    fn place(&mut self, media_time: Duration) -> i64 {
        let ticks = i64::try_from(media_time.as_micros() * u128::from(TIMESCALE) / 1_000_000).unwrap_or(i64::MAX / 4);
        let Some(newest) = self.newest_pts else {
            self.offset = -ticks;
            self.newest_pts = Some(0);
            return 0;
        };
        let mut pts = ticks.saturating_add(self.offset);
        let step = pts - newest;
        // Reordering steps back by a few pictures; a clock that stands still does not move at all.
        let jumped = step > LONGEST_STEP || step == 0 || step < -LONGEST_BACK;
        if jumped {
            pts = newest + self.last_step;
            self.offset = pts - ticks;
        } else if step < 0 {
            self.reorder = (self.reorder + 1).min(MOST_REORDERED);
        }
        self.newest_pts = Some(newest.max(pts));
        pts
    }

    /// Lets the oldest waiting sample go; the one before it now has its duration.
    fn release(&mut self) -> Result<Option<Part>, LiveError> {
        let Some(lowest) = self.waiting.iter().map(|sample| sample.pts).min() else { return Ok(None) };
        let Some(sample) = self.waiting.pop_front() else { return Ok(None) };
        let Some((before, at)) = self.held.take() else {
            self.held = Some((sample, lowest.max(0)));
            return Ok(None);
        };
        let dts = lowest.max(at + 1);
        if (SHORTEST_STEP..=LONGEST_STEP).contains(&(dts - at)) {
            self.last_step = dts - at;
        }
        self.held = Some((sample, dts));
        self.fragment(&before, at, dts - at).map(Some)
    }

    fn fragment(&mut self, sample: &Sample, dts: i64, duration: i64) -> Result<Part, LiveError> {
        self.sequence += 1;
        let entry = TrunEntry {
            duration: Some(u32::try_from(duration).unwrap_or(1)),
            size: Some(u32::try_from(sample.data.len()).map_err(|_| LiveError::Container("a picture over 4 GB".into()))?),
            flags: Some(if sample.key { KEY_FLAGS } else { DELTA_FLAGS }),
            cts: Some(sample.pts - dts),
        };
        let moof = |data_offset| Moof {
            mfhd: Mfhd { sequence_number: self.sequence },
            traf: vec![Traf {
                tfhd: Tfhd { track_id: 1, default_base_is_moof: true, ..Tfhd::default() },
                tfdt: Some(Tfdt { base_media_decode_time: u64::try_from(dts).unwrap_or_default() }),
                trun: vec![Trun { data_offset: Some(data_offset), samples: vec![entry].into() }],
                ..Traf::default()
            }],
        };
        // The offset counts from the moof's own start to behind the mdat's header; its size does not depend on the number.
        let size = encoded(&moof(0))?.len();
        let mut out = encoded(&moof(i32::try_from(size + 8).map_err(|_| LiveError::Container("a moof over 2 GB".into()))?))?;
        let length = u32::try_from(sample.data.len() + 8).map_err(|_| LiveError::Container("a picture over 4 GB".into()))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(b"mdat");
        out.extend_from_slice(&sample.data);
        Ok(Part::Media(out.into()))
    }
}

/// NAL units with their length in front. Parameter sets are in the init segment, and access unit delimiters say nothing in MP4.
fn prefixed(unit: &Unit) -> Vec<u8> {
    let mut out = Vec::with_capacity(unit.data.len() + 8);
    for nal in nal::units(&unit.data) {
        let needless = match unit.codec {
            Codec::H264 => matches!(nal::h264_type(nal), 7..=9),
            _ => matches!(nal::h265_type(nal), 32..=35),
        };
        if let (false, Ok(length)) = (needless, u32::try_from(nal.len())) {
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(nal);
        }
    }
    out
}

fn entry_of(unit: &Unit) -> Result<(String, Entry), LiveError> {
    let side = |px: u32| u16::try_from(px).map_err(|_| LiveError::Container(format!("a picture {px} pixels wide or high")));
    let visual = Visual { data_reference_index: 1, width: side(unit.size_px.0)?, height: side(unit.size_px.1)?, ..Visual::default() };
    match unit.codec {
        Codec::H264 => {
            let avcc = nal::avcc(&unit.data)?;
            Ok((nal::avc_name(&avcc), Entry::from(Avc1 { visual, avcc, ..Avc1::default() })))
        }
        Codec::H265 => {
            let hvcc = nal::hvcc(&unit.data)?;
            Ok((nal::hevc_name(&hvcc), Entry::from(Hvc1 { visual, hvcc, ..Hvc1::default() })))
        }
        other => Err(LiveError::Codec(other.to_string())),
    }
}

fn init_segment(entry: Entry, (width, height): (u32, u32)) -> Result<Bytes, LiveError> {
    let brands: Vec<FourCC> = [b"iso6", b"cmfc", b"mp41"].map(FourCC::new).to_vec();
    let ftyp = Ftyp { major_brand: FourCC::new(b"iso6"), minor_version: 0, compatible_brands: brands };
    let side = |px: u32| u16::try_from(px).unwrap_or(u16::MAX).into();
    let stbl = Stbl { stsd: Stsd { codecs: vec![entry] }, stco: Some(mp4_atom::Stco::default()), ..Stbl::default() };
    let trak = Trak {
        tkhd: Tkhd { track_id: 1, enabled: true, in_movie: true, width: side(width), height: side(height), ..Tkhd::default() },
        mdia: Mdia {
            mdhd: Mdhd { timescale: TIMESCALE, language: "und".into(), ..Mdhd::default() },
            hdlr: Hdlr { handler: FourCC::new(b"vide"), name: "video".into() },
            minf: Minf {
                vmhd: Some(Vmhd::default()),
                dinf: Dinf { dref: Dref { entries: vec![DrefEntry::Url(Url::default())] } },
                stbl,
                ..Minf::default()
            },
        },
        ..Trak::default()
    };
    let moov = Moov {
        mvhd: Mvhd { timescale: TIMESCALE, rate: 1.into(), volume: 1.into(), next_track_id: 2, ..Mvhd::default() },
        mvex: Some(Mvex { mehd: None, trex: vec![Trex { track_id: 1, default_sample_description_index: 1, ..Trex::default() }] }),
        trak: vec![trak],
        ..Moov::default()
    };
    let mut out = encoded(&ftyp)?;
    out.extend(encoded(&moov)?);
    Ok(out.into())
}

fn encoded(atom: &impl Encode) -> Result<Vec<u8>, LiveError> {
    let mut out = Vec::new();
    atom.encode(&mut out).map_err(|error| LiveError::Container(error.to_string()))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use mp4_atom::{Any, DecodeMaybe as _};

    use super::*;

    const KEY: &[u8] = &[0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80, 0, 0, 1, 0x65, 1, 2, 3];
    const DELTA: &[u8] = &[0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x41, 4, 5];

    fn unit(key: bool, ms: u64) -> Unit {
        let data = Bytes::from_static(if key { KEY } else { DELTA });
        Unit { codec: Codec::H264, size_px: (640, 360), data, key, media_time: Duration::from_millis(ms) }
    }

    fn atoms(mut data: &[u8]) -> Vec<Any> {
        std::iter::from_fn(|| Any::decode_maybe(&mut data).expect("an atom")).collect()
    }

    /// Decode time, duration, composition offset and flags of every fragment, in ticks.
    fn times(parts: &[Part]) -> Vec<(u64, u32, i64, bool)> {
        let media = parts.iter().filter_map(|part| if let Part::Media(data) = part { Some(data) } else { None });
        media
            .map(|data| {
                let atoms = atoms(data);
                let [Any::Moof(moof), Any::Mdat(mdat)] = atoms.as_slice() else { panic!("moof and mdat, found {atoms:?}") };
                let traf = &moof.traf[0];
                let entry = traf.trun[0].samples.iter().next().expect("one sample");
                assert_eq!(entry.size, Some(mdat.data.len() as u32));
                let offset = traf.trun[0].data_offset.expect("an offset") as usize;
                assert_eq!(&data[offset..offset + 4], &mdat.data[..4], "the offset points at the sample");
                let at = traf.tfdt.as_ref().expect("a time").base_media_decode_time;
                (at, entry.duration.unwrap_or(0), entry.cts.unwrap_or(0), entry.flags == Some(KEY_FLAGS))
            })
            .collect()
    }

    fn run(units: &[Unit]) -> Vec<Part> {
        let mut muxer = Muxer::new();
        let mut parts: Vec<Part> = units.iter().flat_map(|unit| muxer.push(unit).expect("muxed")).collect();
        parts.extend(muxer.flush().expect("flushed"));
        parts
    }

    #[test]
    fn nothing_goes_out_before_a_key_unit_and_then_the_init_segment_is_first() {
        let parts = run(&[unit(false, 0), unit(false, 40), unit(true, 80), unit(false, 120)]);
        let Part::Init { mime, data, size_px } = &parts[0] else { panic!("{parts:?}") };
        assert_eq!((mime.as_str(), *size_px), ("video/mp4; codecs=\"avc1.42C01E\"", (640, 360)));
        let found = atoms(data);
        assert!(matches!(found.as_slice(), [Any::Ftyp(_), Any::Moov(moov)] if moov.trak[0].mdia.minf.stbl.stsd.codecs.len() == 1));
        assert_eq!(times(&parts), [(0, 3600, 0, true), (3600, 3600, 0, false)]);
    }

    #[test]
    fn parameter_sets_and_delimiters_are_not_in_the_samples() {
        let parts = run(&[unit(true, 0), unit(false, 40)]);
        let Part::Media(first) = &parts[1] else { panic!() };
        assert!(first.ends_with(&[0, 0, 0, 4, 0x65, 1, 2, 3]));
        let Part::Media(second) = &parts[2] else { panic!() };
        assert!(second.ends_with(&[0, 0, 0, 3, 0x41, 4, 5]));
    }

    #[test]
    fn a_clock_that_jumps_or_stands_still_goes_on_evenly() {
        let ms = [0, 40, 80, 80, 90_000_000, 90_000_040, 5, 45];
        let parts = run(&ms.iter().enumerate().map(|(i, ms)| unit(i == 0, *ms)).collect::<Vec<_>>());
        let at: Vec<u64> = times(&parts).iter().map(|t| t.0).collect();
        assert_eq!(at, (0..8).map(|i| i * 3600).collect::<Vec<_>>());
    }

    #[test]
    fn a_stream_that_reorders_has_rising_decode_times_and_its_own_picture_times() {
        let ms = [0, 120, 40, 80, 240, 160, 200, 360, 280, 320];
        let parts = run(&ms.iter().enumerate().map(|(i, ms)| unit(i == 0, *ms)).collect::<Vec<_>>());
        let times = times(&parts);
        assert!(times.windows(2).all(|pair| pair[0].0 < pair[1].0), "{times:?}");
        let shown: Vec<i64> = times.iter().map(|t| (t.0 as i64 + t.2) / 90).collect();
        assert_eq!(shown, ms.map(|ms| ms as i64));
    }

    #[test]
    fn a_new_size_begins_a_new_init_segment_and_the_same_one_does_not() {
        let mut larger = unit(true, 160);
        larger.size_px = (1280, 720);
        let parts = run(&[unit(true, 0), unit(false, 40), unit(true, 80), unit(false, 120), larger]);
        let kinds: Vec<bool> = parts.iter().map(|part| matches!(part, Part::Init { .. })).collect();
        assert_eq!(kinds, [true, false, false, false, false, true, false], "what belongs to the old size goes out before the new one");
    }

    #[test]
    fn after_a_loss_the_next_picture_is_a_key_picture() {
        let mut muxer = Muxer::new();
        for one in [unit(true, 0), unit(false, 40)] {
            muxer.push(&one).expect("muxed");
        }
        muxer.lost();
        assert_eq!(muxer.push(&unit(false, 400)).expect("ignored"), []);
        let parts = [muxer.push(&unit(true, 440)).expect("muxed"), muxer.flush().expect("flushed")].concat();
        assert!(times(&parts).last().is_some_and(|last| last.3));
    }

    #[test]
    fn what_browsers_cannot_play_from_mp4_is_named() {
        let mut unit = unit(true, 0);
        unit.codec = Codec::Mjpeg;
        assert!(matches!(Muxer::new().push(&unit), Err(LiveError::Codec(_))));
    }
}
