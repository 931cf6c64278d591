//! Working days of Kazakhstan, and deadlines in hours or in working days.
//!
//! Saturday and Sunday are free, and so are the holidays. A holiday that falls on a free day moves to the next working day (Labour Code,
//! article 85); days off that do not move (Orthodox Christmas, Kurban Ait) and decrees that shift a day are given by date.

use std::collections::BTreeSet;

use jiff::{
    Timestamp,
    civil::{Date, Weekday},
    tz::Offset,
};
use qorgan_domain::UtcMs;
use serde::{Deserialize, Serialize};

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// Hours, day and night.
    Hours(u32),
    /// Working days: up to the end of work of the last of them; the day it begins does not count.
    WorkingDays(u32),
}

/// Which days are worked.
#[derive(Debug, Clone)]
pub struct Calendar {
    offset: Offset,
    day_ends_min: u32,
    holidays: Vec<(i8, i8)>,
    days_off: BTreeSet<Date>,
    worked: BTreeSet<Date>,
}

/// What a calendar is made of.
#[derive(Debug, Clone, Default)]
pub struct Days {
    /// Holidays of every year, month and day; they move when they fall on a free day.
    pub holidays: Vec<(i8, i8)>,
    /// Further free days; they do not move anything.
    pub days_off: Vec<Date>,
    /// Saturdays, Sundays or holidays that are worked by decree.
    pub worked: Vec<Date>,
}

impl Calendar {
    /// A calendar for clocks so many minutes ahead of UTC, where work ends so many minutes after midnight.
    pub fn new(utc_offset_min: i32, day_ends_min: u32, days: Days) -> Self {
        Self {
            offset: Offset::from_seconds(utc_offset_min.saturating_mul(60)).unwrap_or(Offset::UTC),
            day_ends_min: day_ends_min.min(24 * 60 - 1),
            holidays: days.holidays,
            days_off: days.days_off.into_iter().collect(),
            worked: days.worked.into_iter().collect(),
        }
    }

    /// The day on the wall at a moment.
    pub fn day(&self, at: UtcMs) -> Date {
        self.offset.to_datetime(Timestamp::from_millisecond(at.0).unwrap_or_default()).date()
    }

    /// The moment at which a day begins on the wall.
    pub fn begins(&self, day: Date) -> UtcMs {
        self.moment(day, 0)
    }

    /// The moment so many minutes after local midnight.
    pub fn moment(&self, day: Date, minutes: u32) -> UtcMs {
        let midnight = self.offset.to_timestamp(day.at(0, 0, 0, 0)).map(Timestamp::as_millisecond).unwrap_or_default();
        UtcMs(midnight + i64::from(minutes) * 60_000)
    }

    /// Whether a day is worked.
    pub fn is_worked(&self, day: Date) -> bool {
        self.worked.contains(&day) || !(self.is_free(day) || self.is_moved_to(day))
    }

    /// The moment at which a term ends that begins now. A term of no hours or days ends at once.
    pub fn after(&self, from: UtcMs, term: Term) -> UtcMs {
        match term {
            Term::Hours(hours) => UtcMs(from.0.saturating_add(i64::from(hours) * 3_600_000)),
            Term::WorkingDays(0) => from,
            Term::WorkingDays(days) => {
                let (mut day, mut left) = (self.day(from), days);
                // The calendar ends in the year 9999.
                while left > 0
                    && let Ok(next) = day.tomorrow()
                {
                    day = next;
                    left -= u32::from(self.is_worked(day));
                }
                self.moment(day, self.day_ends_min)
            }
        }
    }

    fn is_holiday(&self, day: Date) -> bool {
        self.holidays.contains(&(day.month(), day.day()))
    }

    fn is_free(&self, day: Date) -> bool {
        matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) || self.is_holiday(day) || self.days_off.contains(&day)
    }

    /// Whether a holiday that fell on a Saturday or Sunday is kept on this day. Each one takes the next day that is free of everything else.
    fn is_moved_to(&self, day: Date) -> bool {
        if self.is_free(day) {
            return false;
        }
        let (mut at, mut owed, mut days) = (day, 0_u32, Vec::new());
        // Back to the last worked day that no holiday could have reached: two weeks hold every row of holidays there is.
        for _ in 0..14 {
            let Ok(before) = at.yesterday() else { break };
            at = before;
            days.push(at);
        }
        for past in days.into_iter().rev() {
            let weekend = matches!(past.weekday(), Weekday::Saturday | Weekday::Sunday);
            if self.is_holiday(past) && weekend {
                owed += 1;
            } else if !self.is_free(past) && owed > 0 {
                owed -= 1;
            }
        }
        owed > 0
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Kazakhstan, 2026: the holidays of the law on holidays, Orthodox Christmas and the first day of Kurban Ait.
    fn kazakhstan() -> Calendar {
        let holidays = vec![(1, 1), (1, 2), (3, 8), (3, 21), (3, 22), (3, 23), (5, 1), (5, 7), (5, 9), (7, 6), (8, 30), (10, 25), (12, 16)];
        let days = Days { holidays, days_off: vec![date(2026, 1, 7), date(2026, 5, 27)], worked: vec![] };
        Calendar::new(300, 18 * 60, days)
    }

    #[test]
    fn a_holiday_on_a_weekend_moves_to_the_next_working_day() {
        let calendar = kazakhstan();
        for (day, worked) in [
            (date(2026, 3, 6), true),
            (date(2026, 3, 9), false), // 8 March is a Sunday
            (date(2026, 3, 10), true),
            (date(2026, 3, 23), false), // Nauryz; 21 and 22 are a weekend and take the next two days
            (date(2026, 3, 24), false),
            (date(2026, 3, 25), false),
            (date(2026, 3, 26), true),
            (date(2026, 5, 11), false), // 9 May is a Saturday
            (date(2026, 5, 12), true),
            (date(2026, 1, 7), false),
            (date(2026, 1, 8), true),
            (date(2026, 12, 16), false),
            (date(2026, 12, 17), true),
            (date(2026, 11, 22), false),
            (date(2026, 11, 23), true),
        ] {
            assert_eq!(calendar.is_worked(day), worked, "{day}");
        }
    }

    #[test]
    fn a_decree_beats_the_week() {
        let days = Days { worked: vec![date(2026, 11, 21)], days_off: vec![date(2026, 11, 23)], holidays: vec![] };
        let calendar = Calendar::new(300, 18 * 60, days);
        assert!(calendar.is_worked(date(2026, 11, 21)));
        assert!(!calendar.is_worked(date(2026, 11, 23)));
    }

    #[test]
    fn terms_end_on_the_wall() {
        let calendar = kazakhstan();
        let at = |text: &str| text.parse::<UtcMs>().unwrap();
        // Friday 20:30 in Almaty; three working days end on Wednesday at 18:00 there.
        let friday = at("2026-11-20T15:30:00Z");
        assert_eq!(calendar.after(friday, Term::WorkingDays(3)), at("2026-11-25T13:00:00Z"));
        assert_eq!(calendar.after(friday, Term::Hours(24)), at("2026-11-21T15:30:00Z"));
        // Twenty minutes past midnight is the next day already, whatever UTC says.
        assert_eq!(calendar.day(at("2026-11-22T19:20:00Z")), date(2026, 11, 23));
        assert_eq!(calendar.after(friday, Term::WorkingDays(0)), friday);
        assert_eq!(calendar.begins(date(2026, 11, 23)), at("2026-11-22T19:00:00Z"));
    }

    proptest::proptest! {
        #[test]
        fn more_days_never_end_sooner(start in 0_i64..4_000_000_000_000, days in 0_u32..60) {
            let calendar = kazakhstan();
            let (short, long) = (calendar.after(UtcMs(start), Term::WorkingDays(days)), calendar.after(UtcMs(start), Term::WorkingDays(days + 1)));
            proptest::prop_assert!(long > short, "{short} {long}");
            proptest::prop_assert!(calendar.is_worked(calendar.day(long)));
        }
    }
}
