//! Time as people live it: local days and hours, holidays, school bells, opening hours, planned events.
//!
//! Local time comes from a time zone with its history, so a clock that is set forward skips half hours and one that is set back sees
//! them twice, as people do; nothing else changes at the turn of a year. What is planned is no surprise: within a bell's minutes and
//! during an event the baseline neither speaks nor learns. Limits and safety limits always speak.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use qorgan_domain::{SiteId, UtcMs, crowd::Expected};

use super::{LocalMinute, slots::HOLIDAY};

/// Minutes before and after a bell in which many people move.
const BELL_BEFORE: u16 = 5;
const BELL_AFTER: u16 = 15;

/// Hours of a day in which an institution is open, in minutes of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// Days: bit 0 is Monday, bit 7 a holiday.
    pub days: u8,
    /// From this minute.
    pub from: u16,
    /// Until before this minute.
    pub until: u16,
}

/// A planned event at a site.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedEvent {
    /// Where.
    pub site: SiteId,
    /// From when people come.
    pub from: UtcMs,
    /// Until when they have gone.
    pub until: UtcMs,
    /// People expected in one picture; none: not known.
    pub people: Option<f32>,
}

/// What is known of times.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// Time zone of the places.
    pub zone: TimeZone,
    /// Days that are like no weekday.
    pub holidays: BTreeSet<Date>,
    /// Bells of each site: minutes of the day, on working days that are no holidays.
    pub bells: BTreeMap<SiteId, Vec<u16>>,
    /// Opening hours of each institution; a site that is not named is always open.
    pub hours: BTreeMap<SiteId, Vec<Hours>>,
    /// Planned events.
    pub events: Vec<PlannedEvent>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, holidays: BTreeSet::new(), bells: BTreeMap::new(), hours: BTreeMap::new(), events: Vec::new() }
    }
}

/// A moment at a site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Local time.
    pub local: LocalMinute,
    /// Why many people are expected.
    pub expected: Option<Expected>,
    /// Up to so many people the events on now explain; none when one of them does not say.
    pub event_people: Option<f32>,
    /// In the opening hours.
    pub open: bool,
}

impl Calendar {
    /// The moment at a site. Overlapping events add up: as many people as all of them expect; if one does not say, the
    /// baseline is silent until it is over.
    pub fn moment(&self, at: UtcMs, site: &SiteId) -> Moment {
        let local = self.local(at);
        let event_on = |event: &&PlannedEvent| event.site == *site && event.from <= at && at < event.until;
        let mut on = self.events.iter().filter(event_on).peekable();
        let event = on.peek().is_some();
        let event_people = if event { on.map(|event| event.people).sum::<Option<f32>>() } else { None };
        let bell = local.day < 5
            && self.bells.get(site).is_some_and(|bells| {
                bells.iter().any(|bell| {
                    (i32::from(*bell) - i32::from(BELL_BEFORE)..i32::from(*bell + BELL_AFTER)).contains(&i32::from(local.minute))
                })
            });
        let expected = if event { Some(Expected::Event) } else { bell.then_some(Expected::Bell) };
        let inside = |hours: &Hours| hours.days & (1 << local.day) != 0 && (hours.from..hours.until).contains(&local.minute);
        let open = self.hours.get(site).is_none_or(|all| all.iter().any(inside));
        Moment { local, expected, event_people, open }
    }

    /// Local time of a moment.
    pub fn local(&self, at: UtcMs) -> LocalMinute {
        let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let time = self.zone.to_datetime(at);
        let weekday = u8::try_from(time.weekday().to_monday_zero_offset()).unwrap_or(0);
        let day = if self.holidays.contains(&time.date()) { HOLIDAY } else { weekday };
        let minute = u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or(0);
        LocalMinute { day, minute }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMs {
        UtcMs(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn site() -> SiteId {
        "school-17".parse().unwrap()
    }

    #[test]
    fn clocks_that_are_set_and_the_turn_of_the_year_are_lived_as_people_do() {
        // 1 March 2024: Kazakhstan went from two zones to one, UTC+5. New York still sets its clocks twice a year.
        let zone = |name: &str| Calendar { zone: TimeZone::get(name).unwrap(), ..Calendar::default() };
        let almaty = zone("Asia/Almaty");
        assert_eq!(almaty.local(at("2024-02-29T12:00:00Z")).minute, 18 * 60);
        assert_eq!(almaty.local(at("2024-03-01T12:00:00Z")).minute, 17 * 60);
        assert_eq!(almaty.local(at("2026-12-31T18:59:00Z")), LocalMinute { day: 3, minute: 1_439 });
        assert_eq!(almaty.local(at("2026-12-31T19:00:00Z")), LocalMinute { day: 4, minute: 0 });
        let york = zone("America/New_York");
        let minutes: Vec<u16> = ["05:30", "06:30", "07:30"].iter().map(|t| york.local(at(&format!("2026-11-01T{t}:00Z"))).minute).collect();
        assert_eq!(minutes, [90, 90, 150], "the hour that is lived twice is the same half hour twice");
        let minutes: Vec<u16> = ["06:30", "07:30"].iter().map(|t| york.local(at(&format!("2026-03-08T{t}:00Z"))).minute).collect();
        assert_eq!(minutes, [90, 210], "the hour that is skipped is not there");
    }

    #[test]
    fn a_bell_rings_on_working_days_only_and_a_holiday_is_a_day_of_its_own() {
        let mut calendar = Calendar { zone: TimeZone::get("Asia/Almaty").unwrap(), ..Calendar::default() };
        calendar.bells.insert(site(), vec![8 * 60, 8 * 60 + 45]);
        calendar.holidays.insert(jiff::civil::date(2026, 12, 16));
        let expected = |time: &str| calendar.moment(at(time), &site()).expected;
        assert_eq!(expected("2026-11-23T03:45:00Z"), Some(Expected::Bell), "Monday 08:45");
        assert_eq!(expected("2026-11-23T03:59:00Z"), Some(Expected::Bell));
        assert_eq!(expected("2026-11-23T04:00:00Z"), None);
        assert_eq!(expected("2026-11-22T03:45:00Z"), None, "Sunday");
        assert_eq!(expected("2026-12-16T03:45:00Z"), None, "Independence Day");
        assert_eq!(calendar.local(at("2026-12-16T03:45:00Z")).day, HOLIDAY);
        assert_eq!(calendar.moment(at("2026-11-23T03:45:00Z"), &"other".parse().unwrap()).expected, None);
    }

    #[test]
    fn overlapping_events_add_up_and_one_that_does_not_say_silences_the_baseline() {
        let event = |from: &str, until: &str, people| PlannedEvent { site: site(), from: at(from), until: at(until), people };
        let mut calendar = Calendar::default();
        calendar.events.push(event("2026-11-23T10:00:00Z", "2026-11-23T12:00:00Z", Some(40.0)));
        calendar.events.push(event("2026-11-23T11:00:00Z", "2026-11-23T13:00:00Z", Some(25.0)));
        let people = |calendar: &Calendar, time: &str| {
            let moment = calendar.moment(at(time), &site());
            (moment.expected, moment.event_people)
        };
        assert_eq!(people(&calendar, "2026-11-23T10:30:00Z"), (Some(Expected::Event), Some(40.0)));
        assert_eq!(people(&calendar, "2026-11-23T11:30:00Z"), (Some(Expected::Event), Some(65.0)));
        assert_eq!(people(&calendar, "2026-11-23T13:00:00Z"), (None, None));
        calendar.events.push(event("2026-11-23T11:00:00Z", "2026-11-23T11:45:00Z", None));
        assert_eq!(people(&calendar, "2026-11-23T11:30:00Z"), (Some(Expected::Event), None));
        assert_eq!(people(&calendar, "2026-11-23T11:50:00Z"), (Some(Expected::Event), Some(65.0)));
        // An event that ends before it begins is never on.
        calendar.events = vec![event("2026-11-23T12:00:00Z", "2026-11-23T10:00:00Z", None)];
        assert_eq!(people(&calendar, "2026-11-23T11:00:00Z"), (None, None));
    }

    #[test]
    fn an_institution_is_closed_outside_its_hours_and_a_place_without_hours_never_is() {
        let mut calendar = Calendar::default();
        calendar.hours.insert(site(), vec![Hours { days: 0b1_1111, from: 7 * 60, until: 20 * 60 }]);
        let open = |time: &str, site: &SiteId| calendar.moment(at(time), site).open;
        assert!(open("2026-11-23T07:00:00Z", &site()));
        assert!(!open("2026-11-23T20:00:00Z", &site()));
        assert!(!open("2026-11-22T12:00:00Z", &site()), "Sunday");
        assert!(open("2026-11-22T12:00:00Z", &"square".parse().unwrap()));
    }
}
