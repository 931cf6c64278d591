//! What is usual at one camera, and how unusual the last minutes are. Pure; fed with one number a minute and the local time of it.
//!
//! What belongs here: the statistics of one place. What does not: what follows from them ([`crate::fusion`]).
//!
//! Every minute the mean of the last 15 and of the last 25 minutes is compared, as a logarithm of people, with what is expected now:
//!
//! ```text
//! expected = usual(now) * exp(a * then + b * (earlier - then))      then, earlier = ln(people / usual) of two windows of the past
//! error    = ln(people now / expected)                              half a person is added to each side
//! ```
//!
//! `then` says how lively the day is, `earlier` where it was going; between `then` and now some minutes are left out, as C2 of EARS
//! leaves two days out, so that a crowd does not become its own baseline. `a` and `b` are learned at each camera ([`carry`]), as is the
//! spread of the error at every hour of working days, Saturdays and Sundays. A third statistic compares 30 minutes with other weeks
//! alone: it sees what came so slowly that the day itself became it.
//!
//! The score is `error / mark`, the largest of the three, where
//!
//! ```text
//! mark  = half of what this camera passes by chance about once a month (monthly * spread)
//!       + half of PART of a doubling (ln((expected + more) / expected), more = as many as usual, at least ten)
//! ```
//!
//! It is a stand-in for the likelihood ratio of "as many again" against "as always", whose border for normal errors of spread s and
//! a doubling d lies at `d / 2 + s^2 ln(c) / d`: it rises with the spread and never falls below a part of the doubling, so that a small
//! surprise at a very regular hour is none, and an hour that is never regular can still be judged. `monthly` is learned ([`tail`]) and
//! drawn half-way (geometrically) to that of a camera like others, because few months tell little of what happens once a month. 1 means about
//! "once a month". What is not at least ten people more than expected is no gathering: score 0.
//!
//! Why these windows: people come in waves of some minutes (traffic lights, trains). A mean of five minutes passes its monthly value
//! only with more than a doubling of 20 people a minute; one of 15 to 25 minutes with four fifths of one, and is late by some minutes only.
//!
//! Weeks are those of [`slots`]; minutes under an open alert or an event teach nothing. The days after a break in the habits of a
//! town (a closed street, a lockdown) are carried by the last hours at once, and by the slots after three weeks.

pub mod calendar;
pub mod carry;
mod kept;
pub mod slots;
pub mod tail;

use carry::Carry;
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
const MINUTES: usize = 192;
/// A half hour teaches when so many of its minutes are known.
const TEACHING_MINUTES: u16 = 10;
/// A statistic: how many of the last minutes are judged, and which minutes ago they are compared with, from and to.
struct Kind {
    now: usize,
    then: (usize, usize),
    earlier: (usize, usize),
}
/// Those that look at the hours before.
const NEAR: [Kind; 2] = [Kind { now: 15, then: (25, 55), earlier: (55, 120) }, Kind { now: 25, then: (35, 75), earlier: (75, 160) }];
/// All of them: the last looks at other weeks alone.
const KINDS: usize = NEAR.len() + 1;
const WEEK: usize = NEAR.len();
/// Minutes that the last one judges.
const WEEK_NOW: usize = 30;
/// Minutes whose mean is told as the people of now, and before which growth is measured.
const SHOWN: usize = 5;
/// Part of a doubling that half of the mark is made of.
const PART: f32 = 0.65;
/// What a camera like others passes by chance once a month, in standard deviations: busy streets were seen at 4.6 to 5.2.
const MONTHLY: f32 = 5.0;
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
    carry: [Carry; NEAR.len()],
    /// Variance of the errors by hour of the day, without what chance alone makes of a small number.
    errors: Box<[[f32; ERROR_HOURS]; KINDS]>,
    /// How far chance goes: the largest of the statistics that look at the hours before, and the one that looks at the weeks.
    tails: [Tail; 2],
}

/// What a minute says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Judged {
    /// Mean of the last five minutes, in people.
    pub people: f32,
    /// What is usual at this time, in people; none while too little is known.
    pub usual: Option<f32>,
    /// What was expected of the shortest mean, in people.
    pub expected: Option<f32>,
    /// Standard deviation of its error, in logarithms of people.
    pub spread: f32,
    /// The largest error by its mark; 1 is about once a month. Not below 0.
    pub score: f32,
    /// People a minute by which the last five minutes differ from the five before them.
    pub growth_per_min: f32,
    /// Weeks that the usual number rests on.
    pub weeks: f32,
    /// Expected number and, in logarithms, the mark, of every statistic.
    pub marks: [Option<(f32, f32)>; KINDS],
}

impl Judged {
    /// People above which the score is at least `score`, in people.
    pub fn bound(&self, score: f32) -> Option<f32> {
        let bounds =
            self.marks.iter().flatten().map(|(expected, mark)| ((expected + OFFSET) * (score * mark).exp() - OFFSET).max(least(*expected)));
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
            carry: [Carry::default(); NEAR.len()],
            // About what streets with 20 people a minute have: an hour of Saturdays knows its own after some months only.
            errors: Box::new([spread(0.16), spread(0.16), spread(0.45)]),
            tails: [Tail::assumed(3.0, 1.0); 2],
        }
    }
}

/// One statistic of one minute.
#[derive(Debug, Clone, Copy)]
struct Compared {
    /// Mean of the last minutes, in people.
    now: f32,
    past: [f32; 2],
    expected: f32,
    /// Logarithm of now to expected, its part of the variance that is chance alone, and the variance.
    error: f32,
    chance: f32,
    variance: f32,
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
        let (people, _) = self.mean(0, SHOWN).unwrap_or((0.0, 0));
        let before = self.mean(SHOWN, 2 * SHOWN).map_or(people, |(mean, _)| mean);
        let mut judged = Judged { people, growth_per_min: (people - before) / SHOWN as f32, ..Judged::default() };
        let Some(level) = level else { return judged };
        let usual = (level.log.exp() - OFFSET).max(0.0);
        (judged.usual, judged.weeks) = (Some(usual), level.weeks);
        for kind in 0..KINDS {
            let Some(seen) = self.compare(kind, usual, level.spread, hour) else { continue };
            if kind == 0 {
                (judged.expected, judged.spread) = (Some(seen.expected), seen.variance.sqrt());
            }
            if level.weeks >= WEEKS_NEEDED {
                let mark = self.mark(kind, &seen, usual);
                if seen.now >= least(seen.expected) {
                    judged.score = judged.score.max(seen.error / mark);
                }
                judged.marks[kind] = Some((seen.expected, mark));
            }
            if teach {
                self.learn(kind, &seen, hour, usual, level.weeks >= WEEKS_NEEDED);
            }
        }
        judged
    }

    /// One statistic as it stands; none where too few minutes are known.
    fn compare(&self, kind: usize, usual: f32, slot_spread: f32, hour: usize) -> Option<Compared> {
        let (now, minutes) = self.mean(0, NEAR.get(kind).map_or(WEEK_NOW, |near| near.now))?;
        let past = match NEAR.get(kind) {
            Some(near) => {
                let then = self.ratio(near.then)?;
                // Where nothing is known of earlier, it went nowhere.
                [then, self.ratio(near.earlier).map_or(0.0, |earlier| earlier - then)]
            }
            None => [0.0; 2],
        };
        let expected = usual * self.carry.get(kind).map_or(0.0, |carry| carry.predict(past)).exp();
        let error = ((now + OFFSET) / (expected + OFFSET)).ln();
        // What chance alone makes of a small number; people stay for some minutes, so five pictures are not five samples.
        let chance = 1.0 / (expected * (minutes as f32 / 3.0).max(1.0) + 1.0);
        let slot = if kind == WEEK { slot_spread * slot_spread } else { 0.0 };
        let variance = self.errors[kind][hour].max(slot).max(SPREAD_AT_LEAST * SPREAD_AT_LEAST) + chance;
        Some(Compared { now, past, expected, error, chance, variance })
    }

    /// The error at which the score is 1.
    fn mark(&self, kind: usize, seen: &Compared, usual: f32) -> f32 {
        let monthly = if kind == WEEK { self.tails[1].monthly() } else { (self.tails[0].monthly() * MONTHLY).sqrt() };
        let doubling = (1.0 + usual.max(MORE_PEOPLE) / (seen.expected + OFFSET)).ln();
        0.5 * monthly * seen.variance.sqrt() + 0.5 * PART * doubling
    }

    fn learn(&mut self, kind: usize, seen: &Compared, hour: usize, usual: f32, known: bool) {
        // A minute in an hour of four weeks; odd ones count as 2.58 standard deviations.
        let square = (seen.error * seen.error).min(6.66 * seen.variance) - seen.chance;
        let learned = &mut self.errors[kind][hour];
        *learned = (*learned + (square - *learned) / 800.0).max(0.0);
        if known && seen.now >= MORE_PEOPLE {
            self.tails[usize::from(kind == WEEK)].see(seen.error / seen.variance.sqrt());
        }
        if let Some(carry) = self.carry.get_mut(kind) {
            carry.learn(seen.past, ((seen.now + OFFSET) / (usual + OFFSET)).ln());
        }
    }

    /// Logarithm of people to usual in a window of minutes ago, drawn towards 0 where few people say little.
    fn ratio(&self, (from, to): (usize, usize)) -> Option<f32> {
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

#[cfg(test)]
mod tests;
