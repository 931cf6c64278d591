//! A stream's own time made usable: it goes on whatever the camera's time stamps do.
//!
//! Pure. Time stamps may step back a little (frames that are shown later are sent earlier), but a jump or a standstill
//! is bridged with the hub's own clock, counted, and told as a defect of the camera.

use std::time::{Duration, Instant};

/// A step back of at most this is reordering; H.264 allows 16 frames, at 5 frames a second that is 3.2 s.
const REORDER_S: f64 = 3.2;
/// A step forward of at most this is a gap, as after a lost connection inside the camera.
const GAP_S: f64 = 10.0;
/// Time stamps that have not moved for this long stand still.
const STILL: Duration = Duration::from_secs(2);
/// For how long a jump is a defect of the camera.
const REMEMBERED: Duration = Duration::from_secs(60);
/// So many jumps within [`REMEMBERED`] are a defect; fewer are a camera that set its clock.
const TOO_MANY: usize = 3;

/// Where a stream is in its own time.
#[derive(Debug, Default)]
pub(super) struct MediaClock {
    /// Newest time stamp, and what it was made to.
    newest: Option<(f64, Duration)>,
    /// When the time stamps last moved forward.
    moved: Option<Instant>,
    /// When the last unit came.
    last: Option<Instant>,
    /// What is added to a time stamp, in seconds.
    offset_s: f64,
    recent: Vec<Instant>,
    jumps: u64,
    still: bool,
}

/// One unit's place in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placed {
    /// Time from the first unit on; steps back only where frames are reordered.
    pub media_time: Duration,
    /// The time stamp can be compared with those before it, to see how fast the camera's clock goes.
    pub steady: bool,
}

impl MediaClock {
    /// Places a unit whose time stamp says `stamp_s` seconds.
    pub(super) fn place(&mut self, stamp_s: f64, now: Instant) -> Placed {
        let since_last = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.last = Some(now);
        let Some((newest, made)) = self.newest else {
            self.newest = Some((stamp_s, Duration::ZERO));
            (self.offset_s, self.moved) = (-stamp_s, Some(now));
            return Placed { media_time: Duration::ZERO, steady: stamp_s.is_finite() };
        };
        let step = stamp_s - newest;
        if !(-REORDER_S..=GAP_S).contains(&step) {
            return self.bridge(stamp_s, made + since_last.max(Duration::from_millis(1)), now);
        }
        if step > 0.0 {
            let media_time = Duration::try_from_secs_f64(stamp_s + self.offset_s).unwrap_or(made);
            self.newest = Some((stamp_s, media_time.max(made)));
            (self.moved, self.still) = (Some(now), false);
            return Placed { media_time, steady: true };
        }
        if self.moved.is_some_and(|moved| now.saturating_duration_since(moved) >= STILL) {
            // The camera's clock stands: the hub's goes on, and the stamp is placed anew when it moves again.
            self.still = true;
            let media_time = made + since_last;
            self.newest = Some((newest, media_time));
            self.offset_s = media_time.as_secs_f64() - newest;
            return Placed { media_time, steady: false };
        }
        Placed { media_time: Duration::try_from_secs_f64(stamp_s + self.offset_s).unwrap_or(made), steady: false }
    }

    fn bridge(&mut self, stamp_s: f64, media_time: Duration, now: Instant) -> Placed {
        self.jumps += 1;
        self.recent.retain(|jump| now.saturating_duration_since(*jump) < REMEMBERED);
        if self.recent.len() < TOO_MANY {
            self.recent.push(now);
        }
        let stamp_s = if stamp_s.is_finite() { stamp_s } else { 0.0 };
        (self.newest, self.moved, self.offset_s) = (Some((stamp_s, media_time)), Some(now), media_time.as_secs_f64() - stamp_s);
        Placed { media_time, steady: false }
    }

    /// Jumps since the start.
    pub(super) fn jumps(&self) -> u64 {
        self.jumps
    }

    /// What is wrong with the camera's time, in words.
    pub(super) fn defect(&self, now: Instant) -> Option<String> {
        if self.still {
            return Some("the time stamps stand still".into());
        }
        let recent = self.recent.iter().filter(|jump| now.saturating_duration_since(**jump) < REMEMBERED).count();
        (recent >= TOO_MANY).then(|| format!("the time stamps jump ({} times so far)", self.jumps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(40);

    /// Places units that arrive 40 ms apart and returns their media times in milliseconds.
    fn times(clock: &mut MediaClock, start: Instant, stamps: &[f64]) -> Vec<u128> {
        (0..).zip(stamps).map(|(n, stamp)| clock.place(*stamp, start + FRAME * n).media_time.as_millis()).collect()
    }

    #[test]
    fn steady_stamps_stay_as_they_are_from_zero_on() {
        let mut clock = MediaClock::default();
        assert_eq!(times(&mut clock, Instant::now(), &[1000.0, 1000.04, 1000.08]), [0, 40, 80]);
        assert_eq!((clock.jumps(), clock.defect(Instant::now())), (0, None));
    }

    #[test]
    fn reordered_frames_keep_their_places() {
        let mut clock = MediaClock::default();
        assert_eq!(times(&mut clock, Instant::now(), &[5.0, 5.12, 5.04, 5.08, 5.16]), [0, 120, 40, 80, 160]);
        assert_eq!(clock.jumps(), 0);
    }

    #[test]
    fn jumps_are_bridged_and_counted_and_many_are_a_defect() {
        let (mut clock, start) = (MediaClock::default(), Instant::now());
        let jumpy = [10.0, 10.04, 9000.0, 9000.04, 3.0, 3.04, f64::INFINITY, 0.04];
        let made = times(&mut clock, start, &jumpy);
        assert!(made.windows(2).all(|pair| pair[1] > pair[0] && pair[1] - pair[0] <= 81), "{made:?}");
        assert_eq!(clock.jumps(), 3);
        assert!(clock.defect(start + FRAME * 8).unwrap().contains("jump"));
        assert_eq!(clock.defect(start + Duration::from_secs(90)), None, "forgiven after a minute");
    }

    #[test]
    fn stamps_that_stand_still_are_told_and_time_goes_on() {
        let (mut clock, start) = (MediaClock::default(), Instant::now());
        let made = times(&mut clock, start, &[7.0; 101]);
        assert!(clock.defect(start + FRAME * 101).unwrap().contains("still"));
        assert!(made[100] >= 1900, "time has gone on: {}", made[100]);
        let next = clock.place(7.04, start + FRAME * 101).media_time.as_millis();
        assert!(next > made[100] && next < made[100] + 200, "{next} after {}", made[100]);
        assert_eq!(clock.defect(start + FRAME * 101), None, "cured");
    }
}
