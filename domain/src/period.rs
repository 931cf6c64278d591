//! Periods that an indicator is reported for: year, quarter, month, ISO week, day.

use std::{cmp::Ordering, fmt, str::FromStr};

use jiff::{
    ToSpan,
    civil::{Date, ISOWeekDate, Weekday},
};
use serde::{Deserialize, Serialize};

use crate::UtcMs;

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    /// A calendar day.
    Day,
    /// An ISO 8601 week, Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// A calendar year.
    Year,
}

impl PeriodKind {
    /// Every kind, shortest first.
    pub const ALL: [PeriodKind; 5] = [PeriodKind::Day, PeriodKind::Week, PeriodKind::Month, PeriodKind::Quarter, PeriodKind::Year];

    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            PeriodKind::Day => "day",
            PeriodKind::Week => "week",
            PeriodKind::Month => "month",
            PeriodKind::Quarter => "quarter",
            PeriodKind::Year => "year",
        }
    }

    /// Periods that come round in a year: the length of the season (a week is taken as 52).
    pub fn a_year(self) -> usize {
        match self {
            PeriodKind::Day => 365,
            PeriodKind::Week => 52,
            PeriodKind::Month => 12,
            PeriodKind::Quarter => 4,
            PeriodKind::Year => 1,
        }
    }
}
impl fmt::Display for PeriodKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A period, written `2026`, `2026-Q3`, `2026-11`, `2026-W47` or `2026-11-22`. Ordered by its first day, then the shorter one first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    kind: PeriodKind,
    /// First day; the kind says the rest.
    first: Date,
}

/// A text that names no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a period such as 2026, 2026-Q3, 2026-11, 2026-W47 or 2026-11-22 (years 1991 to 2199)")]
pub struct PeriodError(String);

/// Years that are taken: a typing error of a century is refused.
const YEARS: std::ops::RangeInclusive<i16> = 1991..=2199;

impl Period {
    /// The period of a kind that a day lies in. For a week at a year's edge the ISO year may be another one.
    pub fn of(kind: PeriodKind, day: Date) -> Result<Self, PeriodError> {
        let error = || PeriodError(day.to_string());
        let first = match kind {
            PeriodKind::Day => Some(day),
            PeriodKind::Week => day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).ok(),
            PeriodKind::Month => Some(day.first_of_month()),
            PeriodKind::Quarter => Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1).ok(),
            PeriodKind::Year => Some(day.first_of_year()),
        };
        let first = first.ok_or_else(error)?;
        if YEARS.contains(&first.year()) { Ok(Self { kind, first }) } else { Err(error()) }
    }

    /// The period of a kind that a moment lies in, where local time is `offset_minutes` east of UTC.
    pub fn at(kind: PeriodKind, at: UtcMs, offset_minutes: i32) -> Result<Self, PeriodError> {
        let error = || PeriodError(at.to_string());
        let ms = at.0.saturating_add(i64::from(offset_minutes) * 60_000);
        let local = jiff::Timestamp::from_millisecond(ms).map_err(|_| error())?;
        Self::of(kind, local.to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    /// Its length.
    pub fn kind(self) -> PeriodKind {
        self.kind
    }

    /// First day.
    pub fn first_day(self) -> Date {
        self.first
    }

    /// Last day, which still belongs to it.
    pub fn last_day(self) -> Date {
        // Years are bounded, so the next period and the day before it exist.
        self.after(1).first.yesterday().unwrap_or(self.first)
    }

    /// The period `steps` later; earlier when negative. At most 15,000 steps are gone at once.
    pub fn after(self, steps: i32) -> Self {
        let n = i64::from(steps.clamp(-15_000, 15_000));
        let span = match self.kind {
            PeriodKind::Day => n.days(),
            PeriodKind::Week => n.weeks(),
            PeriodKind::Month => n.months(),
            PeriodKind::Quarter => (n * 3).months(),
            PeriodKind::Year => n.years(),
        };
        Self { kind: self.kind, first: self.first.saturating_add(span) }
    }

    /// Periods from `earlier` to this one; none when they are of different length.
    pub fn since(self, earlier: Period) -> Option<i32> {
        if self.kind != earlier.kind {
            return None;
        }
        let months = |d: Date| i32::from(d.year()) * 12 + i32::from(d.month());
        let days = (self.first - earlier.first).get_days();
        Some(match self.kind {
            PeriodKind::Day => days,
            PeriodKind::Week => days / 7,
            PeriodKind::Month => months(self.first) - months(earlier.first),
            PeriodKind::Quarter => (months(self.first) - months(earlier.first)) / 3,
            PeriodKind::Year => i32::from(self.first.year()) - i32::from(earlier.first.year()),
        })
    }

    /// Whether every day of `other` belongs to this one.
    pub fn covers(self, other: Period) -> bool {
        self.first <= other.first && other.last_day() <= self.last_day()
    }
}

impl Ord for Period {
    fn cmp(&self, other: &Self) -> Ordering {
        self.first.cmp(&other.first).then(self.kind.cmp(&other.kind))
    }
}
impl PartialOrd for Period {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let d = self.first;
        match self.kind {
            PeriodKind::Day => write!(f, "{d}"),
            PeriodKind::Week => {
                let week = d.iso_week_date();
                write!(f, "{:04}-W{:02}", week.year(), week.week())
            }
            PeriodKind::Month => write!(f, "{:04}-{:02}", d.year(), d.month()),
            PeriodKind::Quarter => write!(f, "{:04}-Q{}", d.year(), (d.month() - 1) / 3 + 1),
            PeriodKind::Year => write!(f, "{:04}", d.year()),
        }
    }
}
impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Period {
    type Err = PeriodError;
    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let error = || PeriodError(text.chars().take(40).collect());
        let number = |part: &str, digits: usize| -> Result<i16, PeriodError> {
            if part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) { part.parse().map_err(|_| error()) } else { Err(error()) }
        };
        let small = |part: &str, digits: usize| number(part, digits).and_then(|n| i8::try_from(n).map_err(|_| error()));
        let date = |year, month, day| Date::new(year, month, day).map_err(|_| error());
        let mut parts = text.split('-');
        let year = number(parts.next().unwrap_or_default(), 4)?;
        let (kind, first) = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => (PeriodKind::Year, date(year, 1, 1)?),
            (Some(part), None, _) => match (part.strip_prefix('Q'), part.strip_prefix('W')) {
                (Some(quarter), _) => {
                    let quarter = small(quarter, 1)?;
                    (PeriodKind::Quarter, date(year, if (1..=4).contains(&quarter) { quarter * 3 - 2 } else { 0 }, 1)?)
                }
                (_, Some(week)) => {
                    let monday = ISOWeekDate::new(year, small(week, 2)?, Weekday::Monday).map_err(|_| error())?;
                    (PeriodKind::Week, monday.date())
                }
                _ => (PeriodKind::Month, date(year, small(part, 2)?, 1)?),
            },
            (Some(month), Some(day), None) => (PeriodKind::Day, date(year, small(month, 2)?, small(day, 2)?)?),
            _ => return Err(error()),
        };
        if YEARS.contains(&year) { Ok(Self { kind, first }) } else { Err(error()) }
    }
}
impl TryFrom<String> for Period {
    type Error = PeriodError;
    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}
impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn every_form_round_trips_and_knows_its_days() {
        for (text, first, last) in [
            ("2026", "2026-01-01", "2026-12-31"),
            ("2026-Q3", "2026-07-01", "2026-09-30"),
            ("2024-02", "2024-02-01", "2024-02-29"),
            ("2026-W47", "2026-11-16", "2026-11-22"),
            // The first ISO week of 2026 begins in 2025, and 2020 has 53 weeks.
            ("2026-W01", "2025-12-29", "2026-01-04"),
            ("2020-W53", "2020-12-28", "2021-01-03"),
            ("2026-11-22", "2026-11-22", "2026-11-22"),
        ] {
            let period = p(text);
            assert_eq!(period.to_string(), text);
            assert_eq!((period.first_day().to_string().as_str(), period.last_day().to_string().as_str()), (first, last), "{text}");
            assert_eq!(period.after(1).after(-1), period);
            assert_eq!(period.after(7).since(period), Some(7), "{text}");
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for bad in [
            "",
            "26",
            "2026-",
            "2026-13",
            "2026-00",
            "2026-Q0",
            "2026-Q5",
            "2026-W00",
            "2026-W54",
            "2025-W53",
            "2026-02-29",
            "2026-1",
            "2026-011",
            "1926",
            "3026",
            "+026",
            "2026-11-22-1",
            "2026/11",
            "２０２６",
            "2026-Q3 ",
            "-2026",
        ] {
            assert!(bad.parse::<Period>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn order_is_by_first_day_then_the_shorter() {
        let mut periods = [p("2026"), p("2026-02"), p("2026-Q1"), p("2026-01"), p("2025-12"), p("2026-01-01")];
        periods.sort();
        assert_eq!(periods.map(|q| q.to_string()), ["2025-12", "2026-01-01", "2026-01", "2026-Q1", "2026", "2026-02"]);
        assert!(p("2026").covers(p("2026-Q4")) && !p("2026-Q4").covers(p("2026")) && !p("2026-Q3").covers(p("2026-10")));
    }

    #[test]
    fn a_moment_falls_into_the_local_period() {
        let at: UtcMs = "2026-10-31T20:00:00Z".parse().unwrap();
        assert_eq!(Period::at(PeriodKind::Month, at, 300).unwrap(), p("2026-11"));
        assert_eq!(Period::at(PeriodKind::Month, at, 0).unwrap(), p("2026-10"));
    }
}
