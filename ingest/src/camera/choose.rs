//! Which of a camera's two streams is analysed: the cheaper one, as long as it works and shows enough.
//!
//! Pure: told what was learned, says what to open next.

use std::time::{Duration, Instant};

/// One of a camera's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The full picture.
    Main,
    /// The smaller one.
    Sub,
}

/// After so many failures in a row of one stream the other one is tried.
const FAILURES: u32 = 2;
/// A stream that failed is tried again after this long: going back costs a moment without pictures.
const RETURN_AFTER: Duration = Duration::from_secs(15 * 60);

/// What has been learned of a camera's streams.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    has_sub: bool,
    wanted_px: u32,
    now: Which,
    failures: u32,
    /// Longer side of the sub stream's picture.
    sub_px: Option<u32>,
    /// The other stream failed; until then it is left alone.
    other_rests_until: Option<Instant>,
}

impl Choice {
    pub(super) fn new(has_sub: bool, wanted_px: u32) -> Self {
        let now = if has_sub { Which::Sub } else { Which::Main };
        Self { has_sub, wanted_px, now, failures: 0, sub_px: None, other_rests_until: None }
    }

    /// What to open.
    pub(super) fn stream(&self) -> Which {
        self.now
    }

    /// A picture of the open stream has this size. The answer says whether another stream must be opened instead.
    pub(super) fn saw(&mut self, (width, height): (u32, u32), now: Instant) -> bool {
        self.failures = 0;
        if self.now == Which::Sub {
            self.sub_px = Some(width.max(height));
        }
        let better = match self.now {
            Which::Sub => self.sub_px.is_some_and(|px| px < self.wanted_px),
            Which::Main => self.has_sub && self.sub_px.is_none_or(|px| px >= self.wanted_px),
        };
        // Better a small or a costly picture than none.
        let other_rests = self.other_rests_until.is_some_and(|until| now < until);
        if !better || other_rests {
            return false;
        }
        self.other_rests_until = None;
        self.flip();
        true
    }

    /// The open stream failed.
    pub(super) fn failed(&mut self, now: Instant) {
        self.failures += 1;
        if self.has_sub && self.failures >= FAILURES {
            self.failures = 0;
            self.other_rests_until = Some(now + RETURN_AFTER);
            self.flip();
        }
    }

    fn flip(&mut self) {
        self.now = match self.now {
            Which::Sub => Which::Main,
            Which::Main => Which::Sub,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sub_stream_is_taken_when_it_shows_enough() {
        let now = Instant::now();
        let mut choice = Choice::new(true, 640);
        assert_eq!(choice.stream(), Which::Sub);
        assert!(!choice.saw((640, 360), now));
        assert_eq!(choice.stream(), Which::Sub);
        let mut upright = Choice::new(true, 640);
        assert!(!upright.saw((360, 640), now), "the longer side counts");
    }

    #[test]
    fn a_sub_stream_that_shows_too_little_gives_way_to_the_main_one_for_good() {
        let now = Instant::now();
        let mut choice = Choice::new(true, 640);
        assert!(choice.saw((352, 288), now));
        assert_eq!(choice.stream(), Which::Main);
        assert!(!choice.saw((1920, 1080), now + 2 * RETURN_AFTER));
        assert_eq!(choice.stream(), Which::Main);
    }

    #[test]
    fn without_a_sub_stream_there_is_no_choice() {
        let now = Instant::now();
        let mut choice = Choice::new(false, 640);
        for _ in 0..9 {
            choice.failed(now);
            assert_eq!(choice.stream(), Which::Main);
        }
        assert!(!choice.saw((320, 240), now + 2 * RETURN_AFTER), "nothing better exists");
    }

    #[test]
    fn a_stream_that_fails_gives_way_to_the_other_and_is_tried_again_later() {
        let now = Instant::now();
        let mut choice = Choice::new(true, 640);
        choice.failed(now);
        assert_eq!(choice.stream(), Which::Sub, "once is chance");
        choice.saw((640, 360), now);
        choice.failed(now);
        assert_eq!(choice.stream(), Which::Sub, "a picture forgives what was before");
        choice.failed(now);
        assert_eq!(choice.stream(), Which::Main);
        assert!(!choice.saw((1920, 1080), now + RETURN_AFTER / 2));
        assert!(choice.saw((1920, 1080), now + RETURN_AFTER));
        assert_eq!(choice.stream(), Which::Sub);
    }

    #[test]
    fn a_small_picture_is_kept_while_the_main_stream_fails() {
        let now = Instant::now();
        let mut choice = Choice::new(true, 640);
        assert!(choice.saw((352, 288), now));
        choice.failed(now);
        choice.failed(now);
        assert_eq!(choice.stream(), Which::Sub);
        assert!(!choice.saw((352, 288), now + RETURN_AFTER / 2), "better small than none");
        assert!(choice.saw((352, 288), now + RETURN_AFTER));
    }
}
