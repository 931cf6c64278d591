//! Each fault on a made-up yard, and what must not be taken for one.

use super::*;

/// A key frame every 3 s.
const EVERY: Duration = Duration::from_secs(3);

/// A yard: sky, a building with windows, ground with stones, and a sensor's noise.
fn yard(noise: u32) -> I420 {
    let (width, height) = (640, 360);
    let mut random = 12_345u32.wrapping_add(noise.wrapping_mul(977));
    let mut next = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    };
    let mut y = vec![0u8; width * height];
    for row in 0..height {
        for column in 0..width {
            let value = match row {
                0..90 => 190,
                90..220 => {
                    if (column / 24 + row / 20).is_multiple_of(3) {
                        60
                    } else {
                        140
                    }
                }
                _ => 90 + ((column * 7919 + row * 104_729) / 97 % 40) as u8,
            };
            y[row * width + column] = value + next() % 4;
        }
    }
    I420 { width, height, y, u: vec![128; width * height / 4], v: vec![128; width * height / 4], y_stride: width, uv_stride: width / 2 }
}

/// A camera that has shown its yard for two minutes without a fault, and the moment of its next picture.
fn learned() -> (Quality, Instant) {
    let (mut quality, start) = (Quality::default(), Instant::now());
    for i in 0..40 {
        let health = quality.look(&yard(i), start + EVERY * i);
        assert!(health.is_none_or(|health| health.fault.is_none()), "{i}: {health:?}");
    }
    (quality, start + EVERY * 40)
}

/// Shows pictures until something is told, at most 30; the fault and after how many seconds.
fn shown(quality: &mut Quality, from: Instant, picture: impl Fn(u32) -> I420) -> Option<(Option<PictureFault>, u64)> {
    let before = quality.fault;
    (0..30).find_map(|i| {
        let health = quality.look(&picture(1_000 + i), from + EVERY * i)?;
        (health.fault != before).then_some((health.fault, u64::from(i) * 3))
    })
}

fn each_pixel(mut picture: I420, how: impl Fn(usize, usize, u8) -> u8) -> I420 {
    let width = picture.width;
    picture.y.iter_mut().enumerate().for_each(|(i, luma)| *luma = how(i % width, i / width, *luma));
    picture
}

/// A box blur of this reach, across and down.
fn blurred(picture: &I420, reach: usize) -> I420 {
    let (width, height) = (picture.width, picture.height);
    let mean = |of: &dyn Fn(usize) -> u8, at: usize, length: usize| {
        let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(length));
        ((from..to).map(|i| u32::from(of(i))).sum::<u32>() / (to - from) as u32) as u8
    };
    let across = each_pixel(picture.clone(), |x, y, _| mean(&|x| picture.y[y * width + x], x, width));
    each_pixel(across.clone(), |x, y, _| mean(&|y| across.y[y * width + x], y, height))
}

#[test]
fn a_still_scene_with_noise_is_good_and_figures_are_told_once() {
    let (mut quality, start) = (Quality::default(), Instant::now());
    let told: Vec<_> = (0..60).filter_map(|i| quality.look(&yard(i), start + EVERY * i)).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].sharpness > 100.0 && told[0].dark_share < 0.01, "{told:?}");
}

#[test]
fn a_lens_cap_is_black_after_five_seconds_and_good_again_after_two_pictures() {
    let (mut quality, now) = learned();
    let dark = |i| each_pixel(yard(i), |x, y, luma| 16 + (luma % 4) * u8::from((x + y).is_multiple_of(5)));
    assert_eq!(shown(&mut quality, now, dark), Some((Some(PictureFault::Black), 6)));
    assert_eq!(shown(&mut quality, now + EVERY * 30, yard), Some((None, 3)));
}

#[test]
fn a_night_with_lamps_is_not_black() {
    let (mut quality, now) = learned();
    let night = |i| each_pixel(yard(i), |x, y, luma| if x % 160 < 12 && y % 90 < 30 { 230 } else { 16 + luma / 8 });
    assert_ne!(shown(&mut quality, now, night).map(|(fault, _)| fault), Some(Some(PictureFault::Black)));
}

#[test]
fn the_same_picture_for_half_a_minute_is_frozen_though_its_clock_goes_on() {
    let (mut quality, now) = learned();
    let hung =
        |i: u32| each_pixel(yard(7), |x, y, luma| if y < 16 && x < 100 && (x as u32 / 7 + i).is_multiple_of(2) { 235 } else { luma });
    assert_eq!(shown(&mut quality, now, hung), Some((Some(PictureFault::Frozen), 33)));
    assert_eq!(shown(&mut quality, now + EVERY * 30, yard), Some((None, 0)), "one other picture ends it");
}

#[test]
fn defocus_is_blurred_and_comes_back() {
    let (mut quality, now) = learned();
    assert_eq!(shown(&mut quality, now, |i| blurred(&yard(i), 3)), Some((Some(PictureFault::Blurred), 30)));
    assert_eq!(shown(&mut quality, now + EVERY * 30, yard), Some((None, 3)));
}

#[test]
fn a_hand_before_the_lens_is_covered_within_seconds() {
    let (mut quality, now) = learned();
    let hand = |i| each_pixel(yard(i), |x, y, luma| 96 + (x / 40) as u8 + (y / 60) as u8 + luma % 3);
    assert_eq!(shown(&mut quality, now, hand), Some((Some(PictureFault::Covered), 6)));
    assert_eq!(shown(&mut quality, now + EVERY * 30, yard), Some((None, 3)));
}

#[test]
fn fog_that_comes_slowly_is_blurred_not_covered() {
    let (mut quality, now) = learned();
    let mut told = Vec::new();
    for i in 0..200u32 {
        let share = (i as f32 / 100.0).min(0.97);
        let fog = each_pixel(yard(i), |_, _, luma| (f32::from(luma) * (1.0 - share) + 180.0 * share) as u8);
        told.extend(quality.look(&fog, now + EVERY * i).and_then(|health| health.fault));
    }
    assert!(!told.contains(&PictureFault::Covered) && told.contains(&PictureFault::Blurred), "{told:?}");
}

#[test]
fn a_turned_camera_is_moved_until_the_view_is_accepted_or_back() {
    let (mut quality, now) = learned();
    let turned = |i| {
        let from = yard(i);
        each_pixel(from.clone(), |x, y, _| from.y[((y + 130) % 360) * 640 + (x + 217) % 640])
    };
    assert_eq!(shown(&mut quality, now, turned), Some((Some(PictureFault::Moved), 30)));
    let mut back = quality.clone();
    assert_eq!(shown(&mut back, now + EVERY * 30, yard), Some((None, 3)));
    quality.accept_view();
    let after: Vec<_> = (0..60).filter_map(|i| quality.look(&turned(i), now + EVERY * (40 + i))).map(|health| health.fault).collect();
    assert_eq!(after, [None], "the new view is the usual one now");
}

#[test]
fn people_and_a_lorry_that_stops_are_no_fault() {
    let (mut quality, now) = learned();
    for i in 0..200u32 {
        let at = i as usize * 37 % 560;
        let lorry = i > 100;
        let busy = each_pixel(yard(i), |x, y, luma| match (x, y) {
            _ if (at..at + 24).contains(&x) && (200..280).contains(&y) => 30 + ((x * y) % 50) as u8,
            _ if lorry && (60..260).contains(&x) && (120..300).contains(&y) => 205 + ((x + y) % 7) as u8,
            _ => luma,
        });
        let health = quality.look(&busy, now + EVERY * i);
        assert!(health.is_none_or(|health| health.fault.is_none()), "{i}: {health:?}");
    }
}

#[test]
fn another_size_starts_anew_and_masked_cells_say_nothing() {
    let (mut quality, now) = learned();
    let mut half = yard(1);
    half.height = 180;
    assert_eq!(quality.look(&half, now).map(|health| (health.fault, health.sharpness_share)), Some((None, None)));
    let mut masked = Quality::new(|_, y| y > 0.2);
    let night = |i| each_pixel(yard(i), |_, y, luma| if y >= 80 { 16 } else { luma });
    let told: Vec<_> = (0..30).filter_map(|i| masked.look(&night(i), now + EVERY * i)).collect();
    assert!(told.iter().all(|health| health.fault.is_none() && health.dark_share < 0.05), "{told:?}");
}

#[test]
fn broken_and_tiny_pictures_are_left_out() {
    let (mut quality, now) = learned();
    let mut short = yard(0);
    short.y.truncate(1_000);
    assert!(quality.look(&short, now).is_none());
    let tiny = I420 { width: 4, height: 2, y: vec![1; 8], u: vec![1; 2], v: vec![1; 2], y_stride: 4, uv_stride: 2 };
    assert!(quality.look(&tiny, now).is_none());
}
