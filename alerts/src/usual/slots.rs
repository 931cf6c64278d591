//! The week of one camera: what is usual at every half hour of every kind of day.
//!
//! Levels are kept as logarithms of people, because crowds grow by factors. A new half hour moves its level by a weight that falls
//! with age (half of it is forgotten in about six weeks) and with how odd it is (Huber's weight beyond 2.58 standard deviations, as
//! Farrington flexible weights past outbreaks down). A level that has really moved, a street closed for months, is believed at its
//! third week in a row on the same side. A half hour that is known for few weeks leans on its neighbours: the same time of the
//! other days of its kind, and the half hours beside it.

/// Half hours of a day.
pub const PER_DAY: usize = 48;
/// Kinds of day: Monday to Sunday, and holidays.
pub const DAYS: usize = 8;
/// Number of the kind of day that holidays are.
pub const HOLIDAY: u8 = 7;
/// Half hours that are kept of one camera.
pub const SLOTS: usize = PER_DAY * DAYS;
/// Added before a logarithm is taken, in people: nobody is not minus infinity.
pub const OFFSET: f32 = 0.5;

/// Weeks after which the newest half hour has as little weight as it will ever have: a memory of about six weeks.
const MEMORY_WEEKS: f32 = 8.0;
/// Standard deviations beyond which a half hour is odd.
const ODD: f32 = 2.58;
/// Spread that is assumed before anything is known, and never gone below, in logarithms.
const SPREAD_AT_FIRST: f32 = 0.5;
const SPREAD_AT_LEAST: f32 = 0.05;
/// Odd weeks in a row, on the same side, after which the level itself has moved.
const MOVED_AFTER: i8 = 3;
/// What neighbours weigh, in weeks.
const NEIGHBOURS: f32 = 1.0;

/// One half hour.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Slot {
    /// Logarithm of the usual number of people, with [`OFFSET`].
    pub level: f32,
    /// Variance of single weeks around it.
    pub variance: f32,
    /// Weeks that are known, up to the memory.
    pub weeks: f32,
    /// Odd weeks in a row: above the level positive, below it negative.
    pub odd: i8,
}

/// All half hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Slots(Box<[Slot]>);

impl Default for Slots {
    fn default() -> Self {
        Self(vec![Slot::default(); SLOTS].into_boxed_slice())
    }
}

/// What is usual now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Logarithm of people, with [`OFFSET`].
    pub log: f32,
    /// Standard deviation of single weeks, in logarithms.
    pub spread: f32,
    /// Weeks it rests on; under 1 it is mostly the neighbours'.
    pub weeks: f32,
}

impl Slots {
    /// Number of a half hour: kind of day, minute of the day.
    pub fn index(day: u8, minute: u16) -> usize {
        usize::from(day).min(DAYS - 1) * PER_DAY + usize::from(minute / 30).min(PER_DAY - 1)
    }

    /// The slots as they are kept, in order.
    pub fn all(&self) -> &[Slot] {
        &self.0
    }

    /// Slots as they were kept; none when there are not as many as there should be.
    pub fn from_all(slots: Vec<Slot>) -> Option<Self> {
        (slots.len() == SLOTS).then(|| Self(slots.into_boxed_slice()))
    }

    /// Learns the mean of one half hour, in people.
    pub fn learn(&mut self, index: usize, people: f32) {
        let start = self.level(index);
        let Some(slot) = self.0.get_mut(index) else { return };
        let value = (people.max(0.0) + OFFSET).ln();
        if slot.weeks == 0.0 {
            // The first week stands beside what the neighbours say, and its spread is not known.
            *slot = Slot { level: value, variance: start.map_or(SPREAD_AT_FIRST, |level| level.spread).powi(2), weeks: 1.0, odd: 0 };
            return;
        }
        let spread = slot.variance.sqrt().max(SPREAD_AT_LEAST);
        let error = value - slot.level;
        let standard = (error / spread).abs();
        slot.odd = match standard > ODD {
            false => 0,
            true if error > 0.0 => slot.odd.max(0) + 1,
            true => slot.odd.min(0) - 1,
        };
        if slot.odd.abs() >= MOVED_AFTER {
            // No crowd comes three weeks running at the same half hour: this is how it is here now.
            *slot = Slot { level: slot.level + 0.7 * error, weeks: 2.0, odd: 0, ..*slot };
            return;
        }
        let weight = if standard > ODD { ODD / standard } else { 1.0 };
        let gain = (1.0 / (slot.weeks + 1.0)).max(1.0 / MEMORY_WEEKS);
        slot.level += gain * weight * error;
        let square = (error * weight).powi(2);
        slot.variance += gain * (square - slot.variance);
        slot.weeks = (slot.weeks + weight).min(MEMORY_WEEKS);
    }

    /// What is usual in a half hour, with what its neighbours know; none when nobody knows anything.
    pub fn level(&self, index: usize) -> Option<Level> {
        let (day, half) = (index / PER_DAY, index % PER_DAY);
        let kin: &[usize] = match day {
            0..=4 => &[0, 1, 2, 3, 4],
            _ => &[5, 6, 7],
        };
        let own = self.0.get(index)?;
        let add = |sum: (f32, f32, f32), at: usize, factor: f32| {
            let slot = &self.0[at];
            let w = slot.weeks * factor;
            (sum.0 + w * slot.level, sum.1 + w * slot.variance, sum.2 + w)
        };
        let alike = kin.iter().filter(|other| **other != day).fold((0.0, 0.0, 0.0), |sum, other| add(sum, other * PER_DAY + half, 1.0));
        let beside = [half.checked_sub(1), Some(half + 1).filter(|h| *h < PER_DAY)];
        let mut sum = beside.into_iter().flatten().fold(alike, |sum, half| add(sum, day * PER_DAY + half, 0.5));
        if sum.2 == 0.0 && day >= 5 {
            // The first weekend: a working day is a poor witness, and better than none.
            sum = (0..5).fold(sum, |sum, other| add(sum, other * PER_DAY + half, 0.2));
        }
        let (log, variance, weight) = sum;
        if weight == 0.0 {
            return (own.weeks > 0.0).then(|| Level { log: own.level, spread: own.variance.sqrt().max(SPREAD_AT_LEAST), weeks: own.weeks });
        }
        let lean = NEIGHBOURS.min(weight);
        // What is known for many weeks needs nobody.
        let lean = lean * (1.0 - own.weeks / MEMORY_WEEKS).max(0.0);
        let total = own.weeks + lean;
        if total <= 0.0 {
            return None;
        }
        let mix = |own_value: f32, others: f32| (own.weeks * own_value + lean * others / weight) / total;
        let spread = mix(own.variance, variance).sqrt();
        let unsure = if own.weeks < 1.0 { SPREAD_AT_FIRST } else { SPREAD_AT_LEAST };
        Some(Level { log: mix(own.level, log), spread: spread.max(unsure), weeks: own.weeks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY_NOON: usize = 24;

    fn people(slots: &Slots, index: usize) -> f32 {
        slots.level(index).unwrap().log.exp() - OFFSET
    }

    #[test]
    fn one_crowd_in_the_past_moves_little_and_a_lasting_change_is_believed_in_the_third_week() {
        let mut slots = Slots::default();
        for week in 0..10 {
            slots.learn(MONDAY_NOON, 40.0 + (week % 3) as f32);
        }
        slots.learn(MONDAY_NOON, 800.0);
        assert!((38.0..50.0).contains(&people(&slots, MONDAY_NOON)), "{}", people(&slots, MONDAY_NOON));
        slots.learn(MONDAY_NOON, 41.0);
        for _ in 0..2 {
            slots.learn(MONDAY_NOON, 4.0);
        }
        assert!(people(&slots, MONDAY_NOON) > 20.0);
        for _ in 0..2 {
            slots.learn(MONDAY_NOON, 4.0);
        }
        assert!(people(&slots, MONDAY_NOON) < 10.0, "{}", people(&slots, MONDAY_NOON));
    }

    #[test]
    fn an_hour_nobody_has_seen_leans_on_the_same_time_of_the_other_days() {
        let mut slots = Slots::default();
        assert_eq!(slots.level(MONDAY_NOON), None);
        for day in 1..5 {
            slots.learn(day * PER_DAY + 24, 30.0);
        }
        let lent = slots.level(MONDAY_NOON).unwrap();
        assert!((lent.log.exp() - OFFSET - 30.0).abs() < 1.0);
        assert_eq!(lent.weeks, 0.0);
        assert!(lent.spread >= SPREAD_AT_FIRST, "what is lent is unsure");
        let saturday = slots.level(5 * PER_DAY + 24).unwrap();
        assert!((saturday.log.exp() - OFFSET - 30.0).abs() < 1.0);
    }

    #[test]
    fn numbers_of_half_hours_stay_inside() {
        assert_eq!(Slots::index(0, 0), 0);
        assert_eq!(Slots::index(7, 1439), SLOTS - 1);
        assert_eq!(Slots::index(200, 60_000), SLOTS - 1);
        assert_eq!(Slots::from_all(vec![Slot::default(); 3]), None);
    }
}
