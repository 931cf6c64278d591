//! `[crowd]`: when people are too many, for how long, and how one gathering is told from another.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use qorgan_alerts::fusion::Formula;

use super::{raw::RawCrowd, read::Check};

/// `[crowd]`
#[derive(Debug, Clone)]
pub struct Crowd {
    /// How long the evidence must last before an alert opens, in seconds.
    pub open_after_s: u32,
    /// How long it must be gone before an alert closes, in seconds.
    pub close_after_s: u32,
    /// Below this share of the bound the evidence is gone, 0 to 1.
    pub clear_ratio: f32,
    /// Version of the formula for new alerts; `crowd-v2` by default.
    pub formula: Formula,
    /// Score from which a count is unusual, 0.5 to 5; 1 by default, which a camera passes about once a month.
    pub unusual_score: f32,
    /// Cameras within this distance may see one gathering, 0 to 2,000 m; 150 by default.
    pub merge_m: f64,
    /// Time zone of the places; `Asia/Almaty` by default.
    pub time_zone: TimeZone,
    /// Days that are like no weekday; none by default.
    pub holidays: BTreeSet<jiff::civil::Date>,
    /// How long a safety limit of density or flow must be passed, 1 to 60 s; 10 by default.
    pub safety_after_s: u32,
    /// A gathering joins a neighbour's alert that was told of within so many minutes, 1 to 120; 10 by default.
    pub merge_min: u32,
    /// No count for this long ends an alert, 30 to 3600 s; 300 by default.
    pub silence_s: u32,
    /// A pause between two counts that breaks "without a break", 10 to 3600 s; 150 by default.
    pub max_gap_s: u32,
    /// A count older than this judges nothing, 10 to 600 s; 120 by default.
    pub stale_s: u32,
    /// New evidence of an alert is told at most this often, 1 to 60 s; 1 by default.
    pub update_every_s: u32,
    /// Fewer people than this in an institution are never unusual, 1 to 1000; 5 by default.
    pub min_people: f32,
    /// The same in public space, 2 to 1000; 10 by default.
    pub min_people_public: f32,
    /// Length of the memory of the last hours, that judges while a camera's week is not known yet, 60 to 10080 minutes; 360 by default.
    pub memory_min: u32,
    /// Minutes of it that must be known, 10 up to all of them; 60 by default.
    pub memory_needs_min: u32,
    /// How near alarms, requests and outages are told of beside an alert, 50 to 2000 m; 500 by default.
    pub nearby_m: u32,
    /// Precision below which a rule is proposed for demotion after 20 verdicts, 0.05 to 0.9; 0.3 by default.
    pub verdict_floor: f64,
}

impl Check<'_> {
    pub(super) fn crowd(&mut self, raw: RawCrowd) -> Crowd {
        let ratio = *raw.clear_ratio.get_ref();
        if !(0.1..1.0).contains(&ratio) {
            self.problem(raw.clear_ratio.span(), format!("crowd.clear_ratio {ratio} is not between 0.1 and 1"));
        }
        for (value, what, from, to, unit) in [
            (&raw.open_after_s, "open_after_s", 1, 3_600, "seconds"),
            (&raw.close_after_s, "close_after_s", 1, 3_600, "seconds"),
            // Whoever is crushed cannot wait: this delay keeps a single odd count away, no more.
            (&raw.safety_after_s, "safety_after_s", 1, 60, "seconds"),
            (&raw.merge_min, "merge_min", 1, 120, "minutes"),
            (&raw.silence_s, "silence_s", 30, 3_600, "seconds"),
            (&raw.max_gap_s, "max_gap_s", 10, 3_600, "seconds"),
            (&raw.stale_s, "stale_s", 10, 600, "seconds"),
            (&raw.update_every_s, "update_every_s", 1, 60, "seconds"),
            (&raw.min_people, "min_people", 1, 1_000, "people"),
            (&raw.min_people_public, "min_people_public", 2, 1_000, "people"),
            (&raw.memory_min, "memory_min", 60, 10_080, "minutes"),
            (&raw.memory_needs_min, "memory_needs_min", 10, *raw.memory_min.get_ref(), "minutes (up to memory_min)"),
            (&raw.nearby_m, "nearby_m", 50, 2_000, "metres"),
        ] {
            if !(from..=to).contains(value.get_ref()) {
                self.problem(value.span(), format!("crowd.{what} {} is not {from} to {to} {unit}", value.get_ref()));
            }
        }
        let verdict_floor = *raw.verdict_floor.get_ref();
        if !(0.05..=0.9).contains(&verdict_floor) {
            self.problem(raw.verdict_floor.span(), format!("crowd.verdict_floor {verdict_floor} is not between 0.05 and 0.9"));
        }
        let formula = Formula::named(raw.formula.get_ref()).unwrap_or_else(|| {
            let known: Vec<&str> = Formula::ALL.iter().map(|formula| formula.as_str()).collect();
            self.problem(raw.formula.span(), format!("crowd.formula \"{}\" is none of {}", raw.formula.get_ref(), known.join(", ")));
            Formula::V2
        });
        let (unusual_score, merge_m) = (*raw.unusual_score.get_ref(), *raw.merge_m.get_ref());
        if !(0.5..=5.0).contains(&unusual_score) {
            self.problem(raw.unusual_score.span(), format!("crowd.unusual_score {unusual_score} is not between 0.5 and 5"));
        }
        if !(0.0..=2_000.0).contains(&merge_m) {
            self.problem(raw.merge_m.span(), format!("crowd.merge_m {merge_m} is not 0 to 2000 metres"));
        }
        let time_zone = TimeZone::get(raw.time_zone.get_ref()).unwrap_or_else(|_| {
            self.problem(
                raw.time_zone.span(),
                format!("crowd.time_zone \"{}\" is no time zone such as Asia/Almaty", raw.time_zone.get_ref()),
            );
            TimeZone::UTC
        });
        let mut holidays = BTreeSet::new();
        for day in &raw.holidays {
            match day.get_ref().parse() {
                Ok(date) => _ = holidays.insert(date),
                Err(_) => self.problem(day.span(), format!("crowd.holidays: \"{}\" is not a date such as 2026-12-16", day.get_ref())),
            }
        }
        Crowd {
            open_after_s: raw.open_after_s.into_inner(),
            close_after_s: raw.close_after_s.into_inner(),
            clear_ratio: ratio,
            formula,
            unusual_score,
            merge_m,
            time_zone,
            holidays,
            safety_after_s: raw.safety_after_s.into_inner(),
            merge_min: raw.merge_min.into_inner(),
            silence_s: raw.silence_s.into_inner(),
            max_gap_s: raw.max_gap_s.into_inner(),
            stale_s: raw.stale_s.into_inner(),
            update_every_s: raw.update_every_s.into_inner(),
            min_people: raw.min_people.into_inner() as f32,
            min_people_public: raw.min_people_public.into_inner() as f32,
            memory_min: raw.memory_min.into_inner(),
            memory_needs_min: raw.memory_needs_min.into_inner(),
            nearby_m: raw.nearby_m.into_inner(),
            verdict_floor,
        }
    }
}
