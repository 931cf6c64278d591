//! The statistics of one camera, with people who come in waves.

use super::*;

const WEEK_MIN: i64 = 7 * 1_440;

fn local(n: i64) -> LocalMinute {
    LocalMinute { day: (n.div_euclid(1_440) % 7) as u8, minute: (n % 1_440) as u16 }
}

/// People who come in waves that are forgotten in about three minutes, and in groups; the same every time.
struct Waves {
    state: u64,
    wave: f32,
}

impl Waves {
    fn any(&mut self) -> f32 {
        // Twelve uniform numbers make a nearly normal one.
        let mut one = || {
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.state >> 40) as f32 / (1_u64 << 24) as f32
        };
        (0..12).map(|_| one()).sum::<f32>() - 6.0
    }

    fn people(&mut self, mean: f32) -> f32 {
        self.wave = 0.717 * self.wave + 0.105 * self.any();
        let mean = mean * self.wave.exp();
        (mean + (1.5 * mean).sqrt() * self.any()).round().max(0.0)
    }
}

/// Eight weeks with waves around what `mean` says, ending at a Monday's midnight.
fn weeks(mean: impl Fn(i64) -> f32) -> (Usual, Waves, i64) {
    let (mut usual, mut waves) = (Usual::default(), Waves { state: 7, wave: 0.0 });
    for n in 0..8 * WEEK_MIN {
        let people = waves.people(mean(n));
        usual.minute(n, local(n), people, true);
    }
    (usual, waves, 8 * WEEK_MIN)
}

fn day_and_night(n: i64) -> f32 {
    let hour = (n % 1_440) as f32 / 60.0;
    22.0 + 18.0 * ((hour - 14.0) / 24.0 * std::f32::consts::TAU).cos()
}

#[test]
fn twice_as_many_are_seen_through_the_waves_and_waves_alone_are_not() {
    let (mut usual, mut waves, start) = weeks(day_and_night);
    let mut quiet = 0.0_f32;
    for n in start..start + 12 * 60 {
        let people = waves.people(day_and_night(n));
        quiet = quiet.max(usual.minute(n, local(n), people, true).unwrap().score);
    }
    assert!(quiet < 1.0, "half a day of waves: {quiet}");
    let noon = start + 12 * 60;
    let seen = (noon..noon + 45).find(|n| {
        let (as_always, part) = (day_and_night(*n), ((n - noon + 1) as f32 / 15.0).min(1.0));
        let people = waves.people(as_always) + as_always * part;
        usual.minute(*n, local(*n), people, true).unwrap().score > 1.0
    });
    assert!(seen.is_some_and(|n| n - noon < 28), "{:?}", seen.map(|n| n - noon));
}

#[test]
fn a_small_surprise_at_a_very_regular_hour_is_none() {
    // Errors so small that a third more is far beyond what chance does once a month; and still no gathering.
    let mut usual = Usual::default();
    let people = |n: i64| 200.0 + (n % 3) as f32;
    for n in 0..8 * WEEK_MIN {
        usual.minute(n, local(n), people(n), true);
    }
    let start = 8 * WEEK_MIN;
    let mut largest = 0.0_f32;
    for n in start..start + 40 {
        largest = largest.max(usual.minute(n, local(n), people(n) * 1.3, false).unwrap().score);
    }
    assert!((0.3..1.0).contains(&largest), "{largest}");
    for n in start + 40..start + 60 {
        largest = largest.max(usual.minute(n, local(n), people(n) * 2.0, false).unwrap().score);
    }
    assert!(largest > 1.0, "{largest}");
}

#[test]
fn a_crowd_that_came_in_the_course_of_six_hours_is_seen_by_the_weeks() {
    let (mut usual, mut waves, start) = weeks(|_| 30.0);
    let score = |usual: &mut Usual, n: i64, people: f32| usual.minute(n, local(n), people, false).unwrap().score;
    let last = start + 6 * 60;
    let mut seen = 0.0;
    for n in start..last + 30 {
        let part = ((n - start) as f32 / 360.0).min(1.0);
        let people = waves.people(30.0 * (1.0 + 1.5 * part));
        seen = score(&mut usual, n, people);
    }
    assert!(seen > 1.0, "{seen}");
}

#[test]
fn fewer_than_ten_more_than_expected_are_never_a_score_and_the_bound_says_so_too() {
    let (mut usual, mut waves, start) = weeks(|_| 3.0);
    for n in start..start + 60 {
        let people = waves.people(3.0) + if n > start + 30 { 8.5 } else { 0.0 };
        let judged = usual.minute(n, local(n), people, false).unwrap();
        assert!(judged.score == 0.0 || people > 12.0, "{judged:?}");
        if n < start + 20 {
            assert!(judged.bound(0.01).unwrap() >= 11.0, "{judged:?}");
        }
    }
}

#[test]
fn the_bound_is_where_the_score_is_one() {
    let (mut before, mut waves, start) = weeks(|_| 40.0);
    for n in start..start + 200 {
        before.minute(n, local(n), waves.people(40.0), false);
    }
    let now = start + 200;
    let bound = before.clone().minute(now, local(now), 40.0, false).unwrap().bound(1.0).unwrap();
    let after_stay = |people: f32| {
        let mut usual = before.clone();
        (now..now + 15).map(|n| usual.minute(n, local(n), people, false).unwrap().score).fold(0.0, f32::max)
    };
    assert!(
        after_stay(bound * 1.1) > 1.0 && after_stay(bound * 0.85) < 1.0,
        "{bound}: {} {}",
        after_stay(bound * 1.1),
        after_stay(bound * 0.85)
    );
}

#[test]
fn after_hours_of_silence_only_the_weeks_speak_until_the_hours_before_are_known_again() {
    let (mut usual, mut waves, start) = weeks(|_| 40.0);
    let near = |judged: &Judged| judged.marks[..WEEK].iter().any(Option::is_some);
    for n in start + 300..start + 400 {
        let judged = usual.minute(n, local(n), waves.people(40.0), true).unwrap();
        assert!(judged.marks[WEEK].is_some(), "{judged:?}");
        if n < start + 310 {
            assert!(!near(&judged), "{judged:?}");
        }
        assert!(n < start + 360 || near(&judged), "{judged:?}");
    }
    assert_eq!(usual.minute(start + 399, local(start + 399), 40.0, true), None, "a minute is told once");
    assert_eq!(usual.minute(start + 500, local(start + 500), f32::NAN, true), None);
}
