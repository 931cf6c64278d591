//! Picture quality on real footage: every fault is found on it, and none where there is none.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use qorgan_domain::I420;
use qorgan_inference::quality::{PictureFault, Quality};
use qorgan_ingest::camera::file::{Which, frames};
use qorgan_tests::{
    clips::{self, Profile},
    paths,
};

/// How a picture is spoilt; the number of the picture makes a little noise.
type Spoil<'a> = Box<dyn Fn(usize, &I420) -> I420 + 'a>;

/// A key frame every 3 s, as the hub looks at a quiet camera.
const EVERY: Duration = Duration::from_secs(3);

/// Key frames of a clip, at most so many.
fn key_frames(clip: &Path, most: usize) -> Vec<I420> {
    frames(clip, Which::KeyFrames).unwrap().take(most).map(|frame| frame.unwrap().1).collect()
}

/// The demo's clips, and others where they are at hand.
fn footage() -> Vec<(String, Vec<I420>)> {
    let mut clips: Vec<PathBuf> =
        ["campus", "campus-gate", "campus-fast"].map(|name| paths::var().join(format!("footage/{name}.mp4"))).into();
    let shared = paths::root().join("../shared/data");
    let others = ["Retail02_short.mp4", "one-by-one-person-detection.mp4"].map(|name| shared.join(name));
    clips.extend(others.into_iter().filter(|clip| {
        clip.is_file() || {
            println!("not here, left out: {}", clip.display());
            false
        }
    }));
    let read = |clip: PathBuf| (clip.file_name().unwrap_or_default().to_string_lossy().into_owned(), key_frames(&clip, 40));
    clips.into_iter().map(read).filter(|(_, frames)| frames.len() >= 8).collect()
}

fn each_pixel(picture: &I420, how: impl Fn(usize, usize, u8) -> u8) -> I420 {
    let (mut changed, stride) = (picture.clone(), picture.y_stride);
    changed.y.iter_mut().enumerate().for_each(|(i, luma)| *luma = how(i % stride, i / stride, *luma));
    changed
}

/// A box blur across and down.
fn blurred(picture: &I420, reach: usize) -> I420 {
    let (width, height, stride) = (picture.width, picture.height, picture.y_stride);
    let mean = |plane: &[u8], x: std::ops::Range<usize>, y: std::ops::Range<usize>| {
        let n = (x.len() * y.len()).max(1);
        (y.flat_map(|y| x.clone().map(move |x| (x, y))).map(|(x, y)| u32::from(plane[y * stride + x])).sum::<u32>() / n as u32) as u8
    };
    let around = |at: usize, length: usize| at.saturating_sub(reach)..(at + reach + 1).min(length);
    let across = each_pixel(picture, |x, y, _| if x < width { mean(&picture.y, around(x, width), y..y + 1) } else { 0 });
    each_pixel(&across, |x, y, _| if x < width { mean(&across.y, x..x + 1, around(y, height)) } else { 0 })
}

fn turned(picture: &I420) -> I420 {
    let (width, height, stride) = (picture.width, picture.height, picture.y_stride);
    each_pixel(
        picture,
        |x, y, luma| if x < width { picture.y[((y + height / 4) % height) * stride + (x + width / 3) % width] } else { luma },
    )
}

/// Faults told while these pictures are shown three seconds apart, each with the second at which it was.
fn told(quality: &mut Quality, from: Instant, pictures: impl Iterator<Item = I420>) -> Vec<(PictureFault, u64)> {
    let mut faults = Vec::new();
    for (i, picture) in (0u32..).zip(pictures) {
        if let Some(fault) = quality.look(&picture, from + EVERY * i).and_then(|health| health.fault) {
            faults.push((fault, u64::from(i) * 3));
        }
    }
    faults
}

#[test]
fn good_footage_has_no_fault_and_every_fault_is_found_on_it() {
    for (name, frames) in footage() {
        let start = Instant::now();
        let mut good = Quality::default();
        // Ten minutes of looks; the clip goes round, people come and go.
        let false_alarms = told(&mut good, start, frames.iter().cycle().take(200).cloned());
        assert_eq!(false_alarms, [], "{name}: a fault where there is none");
        let now = start + EVERY * 200;
        let bad: [(PictureFault, Spoil<'_>); 5] = [
            (PictureFault::Black, Box::new(|i, p| each_pixel(p, |x, y, _| 16 + ((x * 7 + y * 3 + i) % 11 == 0) as u8))),
            (PictureFault::Frozen, Box::new(|_, _| frames[3].clone())),
            (PictureFault::Covered, Box::new(|i, p| each_pixel(p, |x, y, _| 90 + (x / 90) as u8 + ((x * 13 + y * 7 + i) % 3) as u8))),
            (PictureFault::Blurred, Box::new(|_, p| blurred(p, 3))),
            (PictureFault::Moved, Box::new(|_, p| turned(p))),
        ];
        for (fault, how) in bad {
            let shown = frames.iter().cycle().enumerate().take(25).map(|(i, picture)| how(i, picture));
            let found = told(&mut good.clone(), now, shown);
            println!("{name}: {fault:?} found as {found:?}");
            assert_eq!(found.iter().map(|(fault, _)| *fault).collect::<Vec<_>>(), [fault], "{name}");
            assert!(found[0].1 <= 36, "{name}: {found:?}");
        }
    }
}

#[test]
fn a_still_scene_as_an_encoder_gives_it_is_not_frozen() {
    let frames = key_frames(&clips::still(Profile::Sub).unwrap(), 40);
    assert!(frames.len() >= 15);
    let faults = told(&mut Quality::default(), Instant::now(), frames.iter().cycle().take(60).cloned());
    assert_eq!(faults, []);
}

#[test]
fn a_look_is_cheap() {
    let (_, frames) = footage().swap_remove(0);
    let mut quality = Quality::default();
    let start = Instant::now();
    for (i, picture) in (0u32..).zip(frames.iter().cycle().take(200)) {
        quality.look(picture, start + EVERY * i);
    }
    let each_ms = start.elapsed().as_secs_f64() * 1e3 / 200.0;
    println!("{each_ms:.3} ms a look at {}x{}", frames[0].width, frames[0].height);
    // The goal is 0.3 ms at 640x360 on an idle machine; this one may be busy.
    assert!(each_ms < 5.0, "{each_ms} ms");
}
