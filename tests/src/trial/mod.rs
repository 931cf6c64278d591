//! How well fusion notices gatherings, on real hourly counts: what `eval-fusion` runs.
//!
//! 1. Hourly counts are read (`sensor,time,count`, local time) and spread to minutes by the process of [`process`].
//! 2. Every method of [`methods`] looks at every minute of every sensor, in order, and gives a number; larger is more unusual.
//! 3. At random places where at least 20 people a minute are usual, a gathering is added to a copy of the next two hours.
//! 4. For each method one threshold is found by which it gives one false alert per camera and month in the years of tuning
//!    ([`outcome`]); with that threshold, the later years tell detection, delay and false alerts.
//!
//! Whatever happened in the town (fireworks, parades, a broken sensor) counts as a false alert: no calendar is given to anybody.

pub mod methods;
pub mod outcome;
pub mod process;

use std::{collections::BTreeMap, error::Error, path::Path};

use process::{Gathering, Minutes};
use rand::{Rng, SeedableRng, rngs::StdRng};

use methods::{METHODS, Methods};

/// Fewer people a minute than this are no place for a gathering of the trial.
pub const USUAL_AT_LEAST: f32 = 20.0;
/// Hours at the beginning of a sensor that are not judged: eight weeks.
const WARM_UP_HOURS: usize = 8 * 168;
/// Minutes that are followed after a gathering begins: its longest rise and its stay.
pub const FOLLOWED: usize = 75;

/// Hourly counts of one sensor.
#[derive(Debug, Clone)]
pub struct Sensor {
    /// Its name; only printed.
    pub name: String,
    /// Local hours since 1970 of the first count.
    pub first_hour: i64,
    /// Counts; NaN where there is none.
    pub counts: Vec<f32>,
}

/// Reads `sensor,time,count`; times are local, `2019-01-01T06:00` or with a space. Rows that do not read are named.
pub fn read(path: &Path) -> Result<Vec<Sensor>, Box<dyn Error>> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_path(path)?;
    let head: Vec<String> = reader.headers()?.iter().map(|h| h.trim().to_lowercase()).collect();
    let column = |name: &str| head.iter().position(|h| h == name).ok_or(format!("{}: there is no column {name}", path.display()));
    let (sensor, time, count) = (column("sensor")?, column("time")?, column("count")?);
    let mut all: BTreeMap<String, BTreeMap<i64, f32>> = BTreeMap::new();
    for (row, record) in reader.records().enumerate() {
        let record = record?;
        let field = |at: usize| record.get(at).unwrap_or_default().trim();
        if field(count).is_empty() {
            continue;
        }
        let bad = |what: &str| format!("{}, row {}: {what}", path.display(), row + 2);
        let at: jiff::civil::DateTime = field(time).parse().map_err(|e| bad(&format!("time {:?}: {e}", field(time))))?;
        let number: f32 = field(count).parse().map_err(|_| bad(&format!("count {:?}", field(count))))?;
        if !number.is_finite() || number < 0.0 {
            return Err(bad("a count is a number from 0").into());
        }
        *all.entry(field(sensor).to_owned()).or_default().entry(civil_hour(at)).or_default() += number;
    }
    let sensor = |(name, hours): (String, BTreeMap<i64, f32>)| {
        let (first_hour, last) = (*hours.keys().next()?, *hours.keys().next_back()?);
        let counts = (first_hour..=last).map(|hour| hours.get(&hour).copied().unwrap_or(f32::NAN)).collect();
        Some(Sensor { name, first_hour, counts })
    };
    Ok(all.into_iter().filter_map(sensor).collect())
}

fn civil_hour(at: jiff::civil::DateTime) -> i64 {
    let day = at.date().since(jiff::civil::date(1970, 1, 1)).map_or(0, |span| i64::from(span.get_days()));
    day * 24 + i64::from(at.hour())
}

/// Local hour since 1970 at which a date begins.
pub fn hour_of(date: jiff::civil::Date) -> i64 {
    civil_hour(date.to_datetime(jiff::civil::Time::midnight()))
}

/// What a sensor gave: for every method the largest number of each hour, and what followed each gathering.
#[derive(Debug)]
pub struct Seen {
    /// Local hours since 1970 of the first entry.
    pub first_hour: i64,
    /// Largest number of each hour; NaN where nothing was counted or it is too early to judge.
    pub hours: [Vec<f32>; METHODS],
    /// Gatherings, in order of time.
    pub gatherings: Vec<Followed>,
}

/// A gathering and what the methods said.
#[derive(Debug, Clone)]
pub struct Followed {
    /// What was added.
    pub gathering: Gathering,
    /// Local hour since 1970 of its beginning.
    pub hour: i64,
    /// The numbers in the minute before it, and in each minute from its beginning.
    pub before: [f32; METHODS],
    /// Minute by minute.
    pub after: Vec<[f32; METHODS]>,
}

/// Hours at which a gathering may be injected.
pub fn places(counts: &[f32]) -> usize {
    process::usual(counts).iter().skip(WARM_UP_HOURS).flatten().filter(|people| **people >= USUAL_AT_LEAST).count()
}

/// Runs every method over one sensor. `per_hour` is the chance of a gathering in an hour where one may be; the same seed gives the same.
pub fn run(sensor: &Sensor, seed: u64, per_hour: f64, progress: &mut dyn FnMut(usize, usize)) -> Seen {
    let mut random = StdRng::seed_from_u64(seed);
    let usual = process::usual(&sensor.counts);
    let minutes = Minutes::new(&sensor.counts, &mut random);
    let mut methods = Methods::new(&sensor.counts);
    let mut seen = Seen { first_hour: sensor.first_hour, hours: Default::default(), gatherings: Vec::new() };
    // Gatherings are chosen before anything is judged: nobody's numbers decide where.
    let mut planned = Vec::new();
    for (hour, usual) in usual.iter().enumerate().skip(WARM_UP_HOURS) {
        if usual.is_some_and(|people| people >= USUAL_AT_LEAST) && random.random_bool(per_hour) {
            planned.push((hour * 60 + random.random_range(0..60), Gathering::any(&mut random)));
        }
    }
    let mut planned = planned.into_iter().peekable();
    let hours = sensor.counts.len();
    let mut before = [0.0; METHODS];
    for hour in 0..hours {
        if hour % 4_096 == 0 {
            progress(hour, hours);
        }
        let mut largest = [f32::NAN; METHODS];
        for minute in hour * 60..hour * 60 + 60 {
            if let Some((_, gathering)) = planned.next_if(|(at, _)| *at <= minute)
                && let Some(followed) = follow(&methods, &minutes, minute, gathering, &usual, sensor.first_hour, before, &mut random)
            {
                seen.gatherings.push(followed);
            }
            let people = minutes.at(minute);
            before = methods.minute(sensor.first_hour * 60 + minute as i64, people);
            if people.is_some() && hour >= WARM_UP_HOURS {
                (0..METHODS).for_each(|m| largest[m] = largest[m].max(before[m]));
            }
        }
        (0..METHODS).for_each(|m| seen.hours[m].push(largest[m]));
    }
    seen
}

#[expect(clippy::too_many_arguments, reason = "the state of one run, each part of another type")]
fn follow(
    methods: &Methods<'_>,
    minutes: &Minutes,
    start: usize,
    gathering: Gathering,
    usual: &[Option<f32>],
    first_hour: i64,
    before: [f32; METHODS],
    random: &mut StdRng,
) -> Option<Followed> {
    // A gathering where the sensor is silent is no question to anybody.
    if (start.saturating_sub(30)..start + FOLLOWED).any(|minute| minutes.at(minute).is_none()) {
        return None;
    }
    let people = usual.get(start / 60).copied().flatten()?;
    let mut methods = methods.clone();
    let after = (0..FOLLOWED)
        .map(|passed| {
            let minute = start + passed;
            let counted = minutes.at(minute).map(|there| there + gathering.people(passed, people, random));
            methods.minute(first_hour * 60 + minute as i64, counted)
        })
        .collect();
    Some(Followed { gathering, hour: first_hour + (start / 60) as i64, before, after })
}
