//! What is usual at one camera, and how unusual the last minutes are. Pure; fed with one number a minute and the local time of it.
//!
//! What belongs here: the statistics of one place. What does not: what follows from them ([`crate::fusion`]).
//!
//! Every minute the mean of the last 5 to 15 minutes is compared, as a logarithm of people, with what is expected now:
//! - with what the week's shape makes of the people who were here 15 to 35, 20 to 50, 30 to 90 and 75 to 125 minutes ago: short means and
//!   short memories see what comes fast, long ones what comes slowly;
//! - with the same half hour of other weeks.
//!
//! `expected = usual(now) * (people then / usual(then)) ^ carry`; how much of a lively day carries on (`carry`) is learned, as is the
//! spread of the error at every hour of working days, Saturdays and Sundays. The minutes in between are left out, as C2 of EARS leaves
//! two days out, so that a crowd does not become its own baseline. Each error, in standard deviations, is divided by what this
//! camera passes by chance about once a month ([`tail`]): 1 means "once a month" at every camera, whatever its habits. The largest is
//! the score. What is not at least ten people more than expected is no gathering: score 0.
//!
//! Weeks are those of [`slots`]; minutes under an open alert or an event teach nothing. The days after a break in the habits of a
//! town (a closed street, a lockdown) are carried by the last hour at once, and by the slots after three weeks.

pub mod calendar;
mod kept;
pub mod slots;
pub mod tail;

use slots::{Level, OFFSET, SLOTS, Slots};
use tail::Tail;

/// Local time of a minute, as people live it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalMinute {
    /// Kind of day: 0 Monday to 6 Sunday, 7 a holiday.
    pub day: u8,
    /// Minute of the day by the clock on the wall, 0 to 1439.
    pub minute: u16,
}

/// Minutes that are remembered one by one.
const MINUTES: usize = 128;
/// A half hour teaches when so many of its minutes are known.
const TEACHING_MINUTES: u16 = 10;
/// Statistics: `soon` three times, `later`, `week`.
const KINDS: usize = 5;
/// Minutes whose mean is judged.
const NOW: [usize; KINDS] = [5, 10, 15, 15, 15];
/// Minutes ago that it is compared with, from and to; none: with the week alone.
const THEN: [Option<(usize, usize)>; KINDS] = [Some((15, 35)), Some((20, 50)), Some((30, 90)), Some((75, 125)), None];
/// A gathering is at least so many people more than expected.
const MORE_PEOPLE: f32 = 10.0;
/// Spreads of the errors are learned for every hour of working days, Saturdays, and Sundays and holidays.
const ERROR_HOURS: usize = 3 * 24;
/// Weeks that must be known on the average before a half hour says anything of exceedance.
const WEEKS_NEEDED: f32 = 1.0;
/// Smallest standard deviation of an error, in logarithms.
const SPREAD_AT_LEAST: f32 = 0.06;

/// What is remembered of one camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Usual {
    slots: Slots,
    /// Per minute, newest at `newest % MINUTES`: people and what was usual; NaN where nothing is known.
    people: Box<[f32; MINUTES]>,
    usual: Box<[f32; MINUTES]>,
    newest: i64,
    /// Half hour under way: its number among the slots, sum and number of the minutes that teach.
    half: Option<(u16, f32, u16)>,
    /// Levels of the half hours before, of and after now.
    near: Option<(u16, [Option<Level>; 3])>,
    hour: i64,
    /// How much carries on: sums of a regression through the origin.
    carry: [(f32, f32); KINDS],
    /// Variance of the errors by hour of the day, without what chance alone makes of a small number.
    errors: Box<[[f32; ERROR_HOURS]; KINDS]>,
    tails: [Tail; KINDS],
}

/// What a minute says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Judged {
    /// Mean of the last five minutes, in people.
    pub people: f32,
    /// What is usual at this time, in people; none while too little is known.
    pub usual: Option<f32>,
    /// What was expected of `soon`, in people.
    pub expected: Option<f32>,
    /// Standard deviation of the error of `soon`, in logarithms of people.
    pub spread: f32,
    /// Errors in standard deviations: `soon`, `later`, `week`.
    pub errors: [Option<f32>; KINDS],
    /// The largest error by what this camera passes once a month; 1 is once a month. Not below 0.
    pub score: f32,
    /// People a minute by which the last five minutes differ from the five before them.
    pub growth_per_min: f32,
    /// Weeks that the usual number rests on.
    pub weeks: f32,
    /// Expected number and, in logarithms, what this camera passes it by about once a month: `soon`, `later`, `week`.
    pub marks: [Option<(f32, f32)>; KINDS],
    /// Means that were judged, in people.
    pub nows: [f32; KINDS],
}

impl Judged {
    /// Mean of five minutes above which the score is at least `score`, in people.
    pub fn bound(&self, score: f32) -> Option<f32> {
        let bounds = self
            .marks
            .iter()
            .flatten()
            .map(|(expected, monthly)| ((expected + OFFSET) * (score * monthly).exp() - OFFSET).max(least(*expected)));
        bounds.reduce(f32::min).filter(|bound| bound.is_finite())
    }
}

impl Default for Usual {
    fn default() -> Self {
        let spread = |sd: f32| [sd * sd; ERROR_HOURS];
        Self {
            slots: Slots::default(),
            people: Box::new([f32::NAN; MINUTES]),
            usual: Box::new([f32::NAN; MINUTES]),
            newest: i64::MIN,
            half: None,
            near: None,
            hour: i64::MIN,
            carry: [(0.7 * 40.0, 40.0); KINDS],
            errors: Box::new([spread(0.25), spread(0.25), spread(0.25), spread(0.35), spread(0.45)]),
            tails: [Tail::assumed(2.5, 0.5); KINDS],
        }
    }
}

/// Fewest people that are a gathering where so many are expected.
fn least(expected: f32) -> f32 {
    expected + MORE_PEOPLE
}

impl Usual {
    /// Takes the mean number of people of one minute. `number` counts minutes and never runs backwards; `teach` is false while an alert
    /// is open here or an event is on, and `judge` is false where nothing can be compared (a bell, an event).
    ///
    /// None when that minute or a later one is known already.
    pub fn minute(&mut self, number: i64, local: LocalMinute, people: f32, teach: bool) -> Option<Judged> {
        if number <= self.newest || !people.is_finite() || people < 0.0 {
            return None;
        }
        self.advance(number);
        self.end_hour(number.div_euclid(60));
        let index = Slots::index(local.day, local.minute);
        self.end_half(index);
        let level = self.level_at(index, local.minute);
        let at = number.rem_euclid(MINUTES as i64) as usize;
        self.people[at] = people;
        self.usual[at] = level.map_or(f32::NAN, |level| (level.log.exp() - OFFSET).max(0.0));
        if teach {
            match &mut self.half {
                Some((_, sum, n)) => (*sum, *n) = (*sum + people, *n + 1),
                None => self.half = Some((index as u16, people, 1)),
            }
        }
        let kind_of_day = match local.day {
            0..=4 => 0,
            5 => 1,
            _ => 2,
        };
        Some(self.judge(level, kind_of_day * 24 + usize::from(local.minute / 60).min(23), teach))
    }

    /// Errors are learned with every minute that teaches.
    fn judge(&mut self, level: Option<Level>, hour: usize, teach: bool) -> Judged {
        let (people, _) = self.mean(0, NOW[0]).unwrap_or((0.0, 0));
        let before = self.mean(5, 10).map_or(people, |(mean, _)| mean);
        let mut judged = Judged { people, growth_per_min: (people - before) / 5.0, ..Judged::default() };
        let Some(level) = level else { return judged };
        let usual = (level.log.exp() - OFFSET).max(0.0);
        (judged.usual, judged.weeks) = (Some(usual), level.weeks);
        for kind in 0..KINDS {
            let Some((now, minutes)) = self.mean(0, NOW[kind]) else { continue };
            judged.nows[kind] = now;
            let Some(ratio) = THEN[kind].map_or(Some(0.0), |(from, to)| self.ratio(from, to)) else { continue };
            let (xy, xx) = self.carry[kind];
            let carry = (xy / xx).clamp(0.0, 1.0);
            let expected = usual * (carry * ratio).clamp(-5.0, 5.0).exp();
            let error = ((now + OFFSET) / (expected + OFFSET)).ln();
            // What chance alone makes of a small number; people stay for some minutes, so five pictures are not five samples.
            let chance = 1.0 / (expected * (minutes as f32 / 3.0).max(1.0) + 1.0);
            let learned = &mut self.errors[kind][hour];
            let slot = if THEN[kind].is_none() { level.spread * level.spread } else { 0.0 };
            let variance = learned.max(slot).max(SPREAD_AT_LEAST * SPREAD_AT_LEAST) + chance;
            let standard = error / variance.sqrt();
            if kind == 0 {
                (judged.expected, judged.spread) = (Some(expected), variance.sqrt());
            }
            judged.errors[kind] = Some(standard);
            let gathers = now >= least(expected);
            if level.weeks >= WEEKS_NEEDED {
                let monthly = self.tails[kind].monthly();
                if gathers {
                    judged.score = judged.score.max(standard / monthly);
                }
                judged.marks[kind] = Some((expected, monthly * variance.sqrt()));
            }
            if teach {
                // A minute in an hour of four weeks; odd ones count as 2.58 standard deviations.
                let square = (error * error).min(6.66 * variance) - chance;
                *learned += (square - *learned) / 800.0;
                *learned = learned.max(0.0);
                if level.weeks >= WEEKS_NEEDED && now >= MORE_PEOPLE {
                    self.tails[kind].see(standard);
                }
                if THEN[kind].is_some() {
                    let x = ratio.clamp(-2.0, 2.0);
                    let y = ((now + OFFSET) / (usual + OFFSET)).ln().clamp(-2.0, 2.0);
                    let (xy, xx) = &mut self.carry[kind];
                    *xy = *xy * 0.999_98 + x * y;
                    *xx = *xx * 0.999_98 + x * x;
                }
            }
        }
        judged
    }

    /// Logarithm of people to usual in a window of minutes ago, drawn towards 0 where few people say little.
    fn ratio(&self, from: usize, to: usize) -> Option<f32> {
        let (mut people, mut usual, mut n) = (0.0, 0.0, 0.0);
        for ago in from..to {
            let (p, u) = self.ago(ago)?;
            if p.is_nan() || u.is_nan() {
                continue;
            }
            (people, usual, n) = (people + p, usual + u, n + 1.0);
        }
        if n < (to - from) as f32 / 3.0 {
            return None;
        }
        let reliable = usual / (usual + n * 0.3 + 10.0);
        Some(((people / n + OFFSET) / (usual / n + OFFSET)).ln() * reliable)
    }

    fn ago(&self, ago: usize) -> Option<(f32, f32)> {
        let number = self.newest.checked_sub(i64::try_from(ago).ok()?)?;
        let at = number.rem_euclid(MINUTES as i64) as usize;
        Some((self.people[at], self.usual[at]))
    }

    /// Mean and number of the minutes known in a window of minutes ago.
    fn mean(&self, from: usize, to: usize) -> Option<(f32, usize)> {
        let (mut sum, mut n) = (0.0, 0);
        for ago in from..to {
            let (p, _) = self.ago(ago)?;
            if !p.is_nan() {
                (sum, n) = (sum + p, n + 1);
            }
        }
        (n > 0).then(|| (sum / n as f32, n))
    }

    /// Between the middles of two half hours the level goes in a straight line.
    fn level_at(&mut self, index: usize, minute: u16) -> Option<Level> {
        let fresh = !matches!(self.near, Some((known, _)) if usize::from(known) == index);
        if fresh {
            let half = index % slots::PER_DAY;
            let before = if half > 0 { self.slots.level(index - 1) } else { None };
            let after = if half + 1 < slots::PER_DAY { self.slots.level(index + 1) } else { None };
            self.near = Some((index as u16, [before, self.slots.level(index), after]));
        }
        let (_, [before, here, after]) = self.near?;
        let here = here?;
        let offset = f32::from(minute % 30) - 14.5;
        let (other, part) = if offset < 0.0 { (before, -offset / 30.0) } else { (after, offset / 30.0) };
        let Some(other) = other else { return Some(here) };
        Some(Level { log: here.log * (1.0 - part) + other.log * part, ..here })
    }

    fn advance(&mut self, number: i64) {
        let gap = number.saturating_sub(self.newest);
        if self.newest == i64::MIN || gap >= MINUTES as i64 {
            self.people.fill(f32::NAN);
            self.usual.fill(f32::NAN);
        } else {
            for between in self.newest + 1..number {
                let at = between.rem_euclid(MINUTES as i64) as usize;
                (self.people[at], self.usual[at]) = (f32::NAN, f32::NAN);
            }
        }
        self.newest = number;
    }

    fn end_half(&mut self, index: usize) {
        if let Some((half, sum, n)) = self.half
            && usize::from(half) != index
        {
            if n >= TEACHING_MINUTES {
                self.slots.learn(usize::from(half), sum / f32::from(n));
            }
            self.half = None;
            self.near = None;
        }
    }

    fn end_hour(&mut self, hour: i64) {
        if self.hour != hour {
            self.hour = hour;
            self.tails.iter_mut().for_each(Tail::end_hour);
        }
    }

    /// Learns the mean of a past hour that begins at this local time; for a camera whose minutes were not kept.
    pub fn learn_hour(&mut self, local: LocalMinute, people: f32) {
        let index = Slots::index(local.day, local.minute);
        self.slots.learn(index, people);
        if local.minute % 60 < 30 && index + 1 < SLOTS {
            self.slots.learn(index + 1, people);
        }
        self.near = None;
    }

    /// What is usual in a half hour of the week, for screens.
    pub fn level(&self, index: usize) -> Option<Level> {
        (index < SLOTS).then(|| self.slots.level(index)).flatten()
    }
}
