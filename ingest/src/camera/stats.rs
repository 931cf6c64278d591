//! What a camera's stream is like: rates, sizes, losses, and how fast its clock goes.
//!
//! Pure: `now` is given. Rates are of the last ten seconds, drift of the last hour.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use qorgan_domain::UtcMs;
use serde::Serialize;

use super::{Codec, choose::Which};

/// Rates are measured over this long.
const WINDOW: Duration = Duration::from_secs(10);
/// Buckets of [`DriftMeter`].
const BUCKET: Duration = Duration::from_secs(10);
const BUCKETS: usize = 360;
/// Drift is told once it was measured over this long: jitter of 50 ms over a minute would look like 800 ppm.
const DRIFT_AFTER: Duration = Duration::from_secs(120);

/// A camera's stream in figures. What is not known yet is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamStats {
    /// When the hub began to watch the camera.
    pub since: UtcMs,
    /// Share of that time in which pictures came, 0 to 1.
    pub uptime_share: f64,
    /// Sessions that gave pictures; every one after the first was a reconnect.
    pub sessions: u64,
    /// Width and height of the analysed stream, in pixels.
    pub size_px: Option<(u32, u32)>,
    /// Its codec.
    pub codec: Option<Codec>,
    /// Frames per second.
    pub fps: Option<f64>,
    /// Bit rate of the video, in kilobits per second.
    pub kbit_per_s: Option<f64>,
    /// Distance of the last two key frames, in seconds of stream time.
    pub key_frame_interval_s: Option<f64>,
    /// When the last picture came: proof of life.
    pub last_picture_at: Option<UtcMs>,
    /// How much faster (more than zero) the camera's clock goes than the hub's, in parts per million.
    pub clock_drift_ppm: Option<f64>,
    /// RTP packets that never came.
    pub lost_packets: u64,
    /// Jumps of the camera's time stamps.
    pub time_jumps: u64,
    /// Pictures that were too damaged to be cut out of the stream, or had an impossible size.
    pub bad_units: u64,
    /// How the pictures come: `tcp`, `udp`, `tls`, `http`, `srt` or `file`.
    pub transport: Option<&'static str>,
    /// Whether the sub stream is analysed, not the main one.
    pub sub_in_use: bool,
}

/// One access unit, as the meter sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub bytes: usize,
    pub key: bool,
    pub size_px: Option<(u32, u32)>,
    pub codec: Codec,
    /// Stream time made steady.
    pub media_time: Duration,
    /// The camera's own stamp in seconds, when it can be compared with those before.
    pub steady_stamp_s: Option<f64>,
    pub lost: u64,
    /// Units just before it that could not be used.
    pub broken: u64,
    /// Jumps of the session's time stamps so far.
    pub time_jumps: u64,
    pub at: UtcMs,
}

/// Measures one camera.
#[derive(Debug)]
pub(super) struct Meter {
    since: UtcMs,
    began: Instant,
    live_for: Duration,
    session: Option<Session>,
    sessions: u64,
    units: VecDeque<(Instant, usize)>,
    known: Known,
    lost_packets: u64,
    time_jumps: u64,
    bad_units: u64,
    drift: DriftMeter,
}

#[derive(Debug, Default)]
struct Known {
    size_px: Option<(u32, u32)>,
    codec: Option<Codec>,
    key_frame_interval_s: Option<f64>,
    last_picture_at: Option<UtcMs>,
    transport: Option<&'static str>,
    sub_in_use: bool,
}

#[derive(Debug)]
struct Session {
    first: Instant,
    last: Instant,
    last_key: Option<Duration>,
    jumps: u64,
}

impl Meter {
    pub(super) fn new(since: UtcMs, began: Instant) -> Self {
        let (known, drift) = (Known::default(), DriftMeter::default());
        let (live_for, units) = (Duration::ZERO, VecDeque::new());
        Self { since, began, live_for, session: None, sessions: 0, units, known, lost_packets: 0, time_jumps: 0, bad_units: 0, drift }
    }

    /// A session is open.
    pub(super) fn opened(&mut self, transport: &'static str, which: Which) {
        self.known.transport = Some(transport);
        self.known.sub_in_use = which == Which::Sub;
        self.drift = DriftMeter::default();
    }

    pub(super) fn unit(&mut self, seen: Seen, now: Instant) {
        let session = self.session.get_or_insert_with(|| {
            self.sessions += 1;
            Session { first: now, last: now, last_key: None, jumps: 0 }
        });
        session.last = now;
        if seen.key {
            if let Some(last) = session.last_key.filter(|last| seen.media_time > *last) {
                self.known.key_frame_interval_s = Some((seen.media_time - last).as_secs_f64());
            }
            session.last_key = Some(seen.media_time);
            self.known.size_px = seen.size_px.or(self.known.size_px);
        }
        (self.known.codec, self.known.last_picture_at) = (Some(seen.codec), Some(seen.at));
        self.lost_packets += seen.lost;
        self.bad_units += seen.broken;
        if seen.time_jumps > session.jumps {
            self.time_jumps += seen.time_jumps - session.jumps;
            session.jumps = seen.time_jumps;
            self.drift = DriftMeter::default();
        }
        self.units.push_back((now, seen.bytes));
        self.trim(now);
        if let Some(stamp_s) = seen.steady_stamp_s {
            self.drift.add(stamp_s, now);
        }
    }

    /// The session is over.
    pub(super) fn closed(&mut self) {
        if let Some(session) = self.session.take() {
            self.live_for += session.last.saturating_duration_since(session.first);
        }
        self.units.clear();
        self.drift = DriftMeter::default();
    }

    fn trim(&mut self, now: Instant) {
        while self.units.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW) {
            self.units.pop_front();
        }
    }

    pub(super) fn stats(&self, now: Instant) -> StreamStats {
        let live = self.live_for + self.session.as_ref().map_or(Duration::ZERO, |s| s.last.saturating_duration_since(s.first));
        let watched = now.saturating_duration_since(self.began).as_secs_f64();
        let recent = || self.units.iter().filter(|(at, _)| now.saturating_duration_since(*at) <= WINDOW);
        let span =
            recent().next().zip(recent().next_back()).map(|((first, _), (last, _))| last.saturating_duration_since(*first).as_secs_f64());
        let span = span.filter(|span| *span >= 0.5);
        let intervals = recent().count().saturating_sub(1) as f64;
        // The first unit of the window was sent before the window began.
        let bits = recent().skip(1).map(|(_, bytes)| *bytes as f64 * 8.0).sum::<f64>();
        StreamStats {
            since: self.since,
            uptime_share: if watched > 0.0 { (live.as_secs_f64() / watched).min(1.0) } else { 0.0 },
            sessions: self.sessions,
            size_px: self.known.size_px,
            codec: self.known.codec,
            fps: span.map(|span| intervals / span),
            kbit_per_s: span.map(|span| bits / span / 1000.0),
            key_frame_interval_s: self.known.key_frame_interval_s,
            last_picture_at: self.known.last_picture_at,
            clock_drift_ppm: self.drift.ppm(),
            lost_packets: self.lost_packets,
            time_jumps: self.time_jumps,
            bad_units: self.bad_units,
            transport: self.known.transport,
            sub_in_use: self.known.sub_in_use,
        }
    }
}

/// How fast a stream's clock goes against the hub's.
///
/// Delay only ever adds, so the smallest difference of arrival and stamp in each ten seconds is the one that travelled best;
/// a line through those (least squares) has the drift as its slope. The same idea as in NTP's clock filter (RFC 5905, section 10).
#[derive(Debug, Default)]
struct DriftMeter {
    origin: Option<(Instant, f64)>,
    /// Start of the bucket in seconds from the origin, smallest difference in seconds.
    buckets: VecDeque<(f64, f64)>,
}

impl DriftMeter {
    fn add(&mut self, stamp_s: f64, now: Instant) {
        let (began, first) = *self.origin.get_or_insert((now, stamp_s));
        let arrived = now.saturating_duration_since(began).as_secs_f64();
        let difference = arrived - (stamp_s - first);
        let bucket = (arrived / BUCKET.as_secs_f64()).floor() * BUCKET.as_secs_f64();
        match self.buckets.back_mut() {
            Some((start, smallest)) if *start == bucket => *smallest = smallest.min(difference),
            _ => {
                self.buckets.push_back((bucket, difference));
                if self.buckets.len() > BUCKETS {
                    self.buckets.pop_front();
                }
            }
        }
    }

    fn ppm(&self) -> Option<f64> {
        // The newest bucket is not full: its smallest difference is not one of ten seconds.
        let points: Vec<(f64, f64)> = self.buckets.iter().rev().skip(1).copied().collect();
        let span = points.first()?.0 - points.last()?.0;
        if span < DRIFT_AFTER.as_secs_f64() {
            return None;
        }
        let count = points.len() as f64;
        let (mean_x, mean_y) = (points.iter().map(|p| p.0).sum::<f64>() / count, points.iter().map(|p| p.1).sum::<f64>() / count);
        let over: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let under: f64 = points.iter().map(|(x, _)| (x - mean_x) * (x - mean_x)).sum();
        // A camera whose clock is fast stamps more seconds than pass: the difference falls.
        Some(-over / under * 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(n: u32, key: bool, stamp_s: f64) -> Seen {
        Seen {
            bytes: 5_000,
            key,
            size_px: Some((640, 360)),
            codec: Codec::H264,
            media_time: Duration::from_millis(40) * n,
            steady_stamp_s: Some(stamp_s),
            lost: 0,
            broken: 0,
            time_jumps: 0,
            at: UtcMs(i64::from(n) * 40),
        }
    }

    #[test]
    fn rates_are_of_the_last_ten_seconds_and_uptime_of_all() {
        let start = Instant::now();
        let mut meter = Meter::new(UtcMs(0), start);
        meter.opened("tcp", Which::Sub);
        for n in 0..500 {
            meter.unit(seen(n, n % 50 == 0, f64::from(n) * 0.04), start + Duration::from_millis(40) * n);
        }
        let stats = meter.stats(start + Duration::from_secs(20));
        assert!((stats.fps.unwrap() - 25.0).abs() < 0.01, "{stats:?}");
        assert!((stats.kbit_per_s.unwrap() - 1000.0).abs() < 1.0, "5,000 bytes 25 times a second: {stats:?}");
        assert!((stats.key_frame_interval_s.unwrap() - 2.0).abs() < 1e-9);
        assert!((stats.uptime_share - 0.998).abs() < 0.001, "{stats:?}");
        assert_eq!((stats.sessions, stats.sub_in_use, stats.transport), (1, true, Some("tcp")));
        meter.closed();
        let later = meter.stats(start + Duration::from_secs(40));
        assert!((later.uptime_share - 0.499).abs() < 0.001, "half the time away: {later:?}");
        assert_eq!((later.fps, later.size_px), (None, Some((640, 360))), "no rate of a camera that is away; its size stays known");
    }

    #[test]
    fn drift_is_found_under_jitter() {
        let start = Instant::now();
        // 40 ppm fast, every frame late by 0 to 80 ms.
        let mut meter = DriftMeter::default();
        for n in 0_u32..25 * 600 {
            let real = f64::from(n) * 0.04;
            let late = f64::from(n.wrapping_mul(2_654_435_761) % 80) / 1000.0;
            meter.add(90_000.0 + real * (1.0 + 40e-6), start + Duration::from_secs_f64(real + late));
        }
        let ppm = meter.ppm().unwrap();
        assert!((ppm - 40.0).abs() < 5.0, "{ppm}");
        assert!(DriftMeter::default().ppm().is_none());
    }

    #[test]
    fn no_drift_is_told_before_it_can_be_known() {
        let (start, mut meter) = (Instant::now(), DriftMeter::default());
        for n in 0..25 * 60 {
            meter.add(f64::from(n) * 0.04, start + Duration::from_millis(40) * n);
        }
        assert_eq!(meter.ppm(), None);
    }

    #[test]
    fn reconnects_are_counted_only_when_pictures_came() {
        let start = Instant::now();
        let mut meter = Meter::new(UtcMs(0), start);
        meter.opened("tcp", Which::Main);
        meter.closed();
        assert_eq!(meter.stats(start).sessions, 0);
        meter.opened("tcp", Which::Main);
        meter.unit(seen(1, true, 0.0), start);
        meter.closed();
        meter.opened("udp", Which::Main);
        meter.unit(seen(2, true, 0.0), start + Duration::from_secs(5));
        assert_eq!(meter.stats(start + Duration::from_secs(5)).sessions, 2);
    }
}
