//! One decoder for many cameras: never another camera's picture, and damage stays in its frame.

use std::time::{Duration, Instant};

use qorgan_domain::UtcMs;
use qorgan_ingest::camera::{Codec, DecodeError, Decoder, KeyFrame};

use crate::{
    clips::{Unit, grey, h264, units},
    watch::{brightness, id},
};

fn key_frame(codec: Codec, size_px: (u32, u32), data: &[u8]) -> KeyFrame {
    KeyFrame {
        camera: id("yard"),
        codec,
        size_px,
        data: bytes::Bytes::copy_from_slice(data),
        media_time: Duration::ZERO,
        received_at: UtcMs(0),
        received: Instant::now(),
    }
}

fn keys(units: &[Unit]) -> Vec<&[u8]> {
    units.iter().filter(|unit| unit.key).map(|unit| unit.data.as_slice()).collect()
}

#[test]
fn cameras_with_b_frames_are_never_mixed_in_one_decoder() {
    const SIZE: (u32, u32) = (160, 96);
    let levels = [40_u8, 90, 140, 190, 240];
    let clips: Vec<_> = levels.iter().map(|&level| h264(&grey(level), SIZE, true)).collect();
    let decoder = Decoder::new();
    let mut pictures = 0;
    for round in 0..30 {
        for (&level, clip) in levels.iter().zip(&clips) {
            let keys = keys(clip);
            let picture = decoder.decode(&key_frame(Codec::H264, SIZE, keys[round % keys.len()])).unwrap();
            let expected = 16.0 + f64::from(level) * 219.0 / 255.0;
            assert!((brightness(&picture) - expected).abs() < 3.0, "level {level} gave {}", brightness(&picture));
            pictures += 1;
        }
    }
    assert_eq!(pictures, 150);
}

#[test]
fn h265_and_other_sizes_go_through_the_same_pool() {
    let h265 = units(
        "videotestsrc pattern=white num-buffers=3 ! video/x-raw,format=I420,width=320,height=192,framerate=25/1 \
         ! x265enc speed-preset=ultrafast ! h265parse config-interval=-1 ! video/x-h265,stream-format=byte-stream,alignment=au",
    );
    let small = h264(&grey(0), (64, 48), false);
    let decoder = Decoder::new();
    for _ in 0..3 {
        let white = decoder.decode(&key_frame(Codec::H265, (320, 192), keys(&h265)[0])).unwrap();
        assert!(brightness(&white) > 230.0);
        assert_eq!((white.width, white.height), (320, 192));
        let black = decoder.decode(&key_frame(Codec::H264, (64, 48), keys(&small)[0])).unwrap();
        assert!(brightness(&black) < 18.0);
    }
}

#[test]
fn damaged_frames_are_errors_and_the_next_good_frame_decodes() {
    const SIZE: (u32, u32) = (160, 96);
    let clip = h264("videotestsrc pattern=snow", SIZE, false);
    let good = keys(&clip)[0];
    let decoder = Decoder::new();
    let damaged: [(&str, Vec<u8>); 5] = [
        ("empty", vec![]),
        ("no video at all", b"GET / HTTP/1.0\r\n\r\n".repeat(20)),
        ("cut inside the parameter sets", good[..12].to_vec()),
        ("parameter sets only", good[..64].to_vec()),
        ("noise", (0..20_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()),
    ];
    for (what, data) in damaged {
        let result = decoder.decode(&key_frame(Codec::H264, SIZE, &data));
        assert!(result.is_err(), "{what}: {result:?}");
        let picture = decoder.decode(&key_frame(Codec::H264, SIZE, good)).unwrap();
        assert_eq!((picture.width, picture.height), (160, 96), "after {what}");
    }
}

#[test]
fn a_truncated_frame_is_damaged_and_never_poisons_the_next() {
    const SIZE: (u32, u32) = (160, 96);
    let snow = h264("videotestsrc pattern=snow", SIZE, false);
    let white = h264("videotestsrc pattern=white", SIZE, false);
    let decoder = Decoder::new();
    for part in 1..10 {
        let data = keys(&snow)[0];
        // libav would hand out a grey picture: people would be counted as gone.
        let error = decoder.decode(&key_frame(Codec::H264, SIZE, &data[..data.len() * part / 10])).unwrap_err();
        assert!(matches!(error, DecodeError::Damaged | DecodeError::NoPicture), "{part}/10: {error}");
        let next = decoder.decode(&key_frame(Codec::H264, SIZE, keys(&white)[0])).unwrap();
        assert!(brightness(&next) > 230.0, "after {part}/10");
    }
}

#[test]
fn impossible_sizes_are_refused_before_a_decoder_is_made() {
    for size_px in [(0, 576), (768, 0), (8193, 576), (u32::MAX, u32::MAX)] {
        let error = Decoder::new().decode(&key_frame(Codec::H264, size_px, b"x")).unwrap_err();
        assert!(matches!(error, DecodeError::Size { .. }), "{error}");
    }
}

#[test]
fn a_stream_that_lies_about_its_size_gives_its_true_picture_and_mixes_nothing() {
    let clip = h264(&grey(200), (160, 96), false);
    let other = h264(&grey(60), (320, 192), false);
    let decoder = Decoder::new();
    for _ in 0..3 {
        let picture = decoder.decode(&key_frame(Codec::H264, (320, 192), keys(&clip)[0])).unwrap();
        assert_eq!((picture.width, picture.height), (160, 96));
        let picture = decoder.decode(&key_frame(Codec::H264, (320, 192), keys(&other)[0])).unwrap();
        assert_eq!((picture.width, picture.height), (320, 192));
        assert!(brightness(&picture) < 80.0);
    }
}
