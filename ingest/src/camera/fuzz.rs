//! The access-unit path for fuzzing: what stands between a stranger's bytes and a decoder. Not part of the crate's interface.
//!
//! RTP itself is taken apart by `retina`, which is fuzzed where it is made; a panic there ends a camera's session and no more.

use std::time::{Duration, Instant};

use super::{Codec, DecodeError, Decoder, annexb, jpeg, media_clock::MediaClock, multipart::Multipart, redirect::Trail};

/// One input: the first byte chooses the reader. Says in a word how it judged.
pub fn access_unit(data: &[u8]) -> &'static str {
    let Some((how, data)) = data.split_first() else { return "empty" };
    match how % 6 {
        0 => unit(Codec::H264, data),
        1 => unit(Codec::H265, data),
        2 => parts(data, usize::from(how / 6) + 1),
        3 => picture(data),
        4 => times(data),
        _ => redirects(data),
    }
}

/// As the session and a worker take a unit: checked for its parameter sets, then decoded in the size the seeds have.
fn unit(codec: Codec, data: &[u8]) -> &'static str {
    if annexb::has_parameter_sets(codec, data) { decoded(codec, (32, 32), data) } else { "no key frame" }
}

fn decoded(codec: Codec, size_px: (u32, u32), data: &[u8]) -> &'static str {
    match Decoder::new().decode_unit(codec, size_px, &bytes::Bytes::copy_from_slice(data)) {
        Ok(picture) => {
            assert!(picture.is_whole(), "a picture is whole or an error");
            "picture"
        }
        Err(DecodeError::Damaged) => "damaged",
        Err(DecodeError::NoPicture) => "no picture",
        Err(DecodeError::Size { .. }) => "impossible size",
        Err(_) => "refused",
    }
}

fn parts(data: &[u8], piece: usize) -> &'static str {
    const MOST: usize = 4_096;
    let Ok(mut multipart) = Multipart::new("multipart/x-mixed-replace; boundary=b", MOST) else { return "no boundary" };
    let mut word = "no part";
    for bytes in data.chunks(piece) {
        multipart.push(bytes);
        loop {
            match multipart.part() {
                Ok(Some(part)) => {
                    assert!(part.len() <= MOST + piece, "a part is bounded");
                    word = if jpeg::is_whole(&part) { "whole part" } else { "part" };
                }
                Ok(None) => break,
                Err(_) => return "too long",
            }
        }
    }
    word
}

fn picture(data: &[u8]) -> &'static str {
    match jpeg::size_px(data) {
        Some(size_px) if jpeg::is_whole(data) && size_px.0.max(size_px.1) <= 256 => decoded(Codec::Mjpeg, size_px, data),
        Some(_) => "large or cut picture",
        None => "no picture header",
    }
}

/// Time stamps in 90 kHz, four bytes each, one every 40 ms.
fn times(data: &[u8]) -> &'static str {
    let (mut clock, start, mut newest) = (MediaClock::default(), Instant::now(), Duration::ZERO);
    for (n, stamp) in (0..).zip(data.chunks_exact(4)) {
        let stamp_s = f64::from(i32::from_be_bytes([stamp[0], stamp[1], stamp[2], stamp[3]])) / 90_000.0;
        let placed = clock.place(stamp_s, start + Duration::from_millis(40) * n).media_time;
        assert!(placed + Duration::from_secs(4) >= newest, "time steps back no further than frames are reordered");
        assert!(placed <= newest + Duration::from_secs(11), "time goes on no faster than a gap allows");
        newest = newest.max(placed);
    }
    match (clock.jumps(), clock.defect(start + Duration::from_millis(40) * (data.len() as u32 / 4))) {
        (0, None) => "steady",
        (_, None) => "a jump",
        (_, Some(defect)) if defect.contains("still") => "still",
        _ => "jumpy",
    }
}

fn redirects(data: &[u8]) -> &'static str {
    let Ok(start) = "rtsp://camera.local/live".parse() else { return "no address" };
    let mut trail = Trail::new(&start);
    let text = String::from_utf8_lossy(data);
    for (hop, location) in text.lines().enumerate() {
        if trail.follow(location).is_err() {
            return "refused hop";
        }
        assert!(hop < 5 && trail.here().scheme() == "rtsp" && trail.here().username().is_empty(), "{location}");
    }
    "followed"
}
