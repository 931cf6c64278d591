//! Who is asked: our fusion's score, and each known method alone. All see the same minutes, and none speaks of fewer than ten people.

use qorgan_alerts::{
    surveillance::{
        cusum::Cusum,
        ears,
        farrington::{self, Bound, Settings, Threshold, Trend},
    },
    usual::{Judged, LocalMinute, Usual},
};

/// How many methods there are.
pub const METHODS: usize = 8;
/// Their names, in order. The second has a threshold of its own for each camera, because a limit is set by hand for a place.
pub const NAMES: [&str; METHODS] = ["fusion", "fixed", "c1", "c2", "c3", "c1_days", "cusum", "farrington"];
/// Whose threshold is each camera's own.
pub const FIXED: usize = 1;
/// Ten people, as fusion asks of public space.
const PEOPLE_AT_LEAST: f32 = 10.0;
/// Minutes of the past that are kept: 43 for C3 over bins of five minutes, and one.
const KEPT: usize = 64;
/// Quarters of an hour of a week.
const QUARTERS: usize = 7 * 96;

/// State of all methods at one sensor.
#[derive(Debug, Clone)]
pub struct Methods<'a> {
    usual: Usual,
    hours: &'a [f32],
    first_minute: Option<i64>,
    minutes: [f32; KEPT],
    quarters: Box<[f32; QUARTERS]>,
    quarter: (i64, f32, f32),
    cusum: Cusum,
    bound: Option<(i64, Option<Bound>)>,
}

impl<'a> Methods<'a> {
    /// Farrington looks at whole hours of the past, so it is given them; it is never shown the hour under way.
    pub fn new(hours: &'a [f32]) -> Self {
        Self {
            usual: Usual::default(),
            hours,
            first_minute: None,
            minutes: [f32::NAN; KEPT],
            quarters: Box::new([f32::NAN; QUARTERS]),
            quarter: (i64::MIN, 0.0, 0.0),
            cusum: Cusum::default(),
            bound: None,
        }
    }

    /// What each method says of a minute; the number counts local minutes since 1970.
    pub fn minute(&mut self, number: i64, people: Option<f32>) -> [f32; METHODS] {
        let first = *self.first_minute.get_or_insert(number);
        self.minutes.rotate_right(1);
        self.minutes[0] = people.unwrap_or(f32::NAN);
        self.quarter(number, people);
        let Some(people) = people else { return [f32::NAN; METHODS] };
        let five = mean(&self.minutes[..5]);
        // Thursday was the first day of 1970.
        let local = LocalMinute { day: ((number.div_euclid(1_440) + 3).rem_euclid(7)) as u8, minute: number.rem_euclid(1_440) as u16 };
        // An open alert teaches nothing: here one is open while the score is above 1.
        let judged = self.usual.minute(number, local, people, true).unwrap_or_default();
        let cusum = self.cusum(people, &judged);
        let bins: Vec<f64> = (0..12).rev().map(|bin| f64::from(mean(&self.minutes[bin * 5..bin * 5 + 5]))).collect();
        let chance = (bins[11] / 5.0).sqrt().max(0.5);
        let c = |lag| ears::score(&bins, 11, 7, lag, chance).map_or(f32::NAN, |s| s as f32);
        let c3 = ears::c3(&bins, 11, 7, chance).map_or(f32::NAN, |s| s as f32);
        let values = [judged.score, five, c(0), c(2), c3, self.days(number), cusum, self.farrington(number, first)];
        if five < PEOPLE_AT_LEAST { [0.0; METHODS] } else { values }
    }

    /// CUSUM of the residuals from what fusion expects, so that a lively day is not added up from morning to night.
    fn cusum(&mut self, people: f32, judged: &Judged) -> f32 {
        let Some(expected) = judged.expected else { return f32::NAN };
        let sd = (expected + (expected * judged.spread).powi(2) + 0.5).sqrt();
        // Once the street is as expected again, it begins anew.
        if mean(&self.minutes[..15]) <= expected {
            self.cusum.reset();
        }
        // Half of the rise that matters (Page): here half of a doubling.
        let allowance = (expected / sd / 2.0).max(0.5);
        self.cusum.add(f64::from((people - expected) / sd), f64::from(allowance), f64::INFINITY) as f32
    }

    fn quarter(&mut self, number: i64, people: Option<f32>) {
        let quarter = number.div_euclid(15);
        if self.quarter.0 != quarter {
            let (before, sum, n) = std::mem::replace(&mut self.quarter, (quarter, 0.0, 0.0));
            if before != i64::MIN {
                self.quarters[before.rem_euclid(QUARTERS as i64) as usize] = if n > 0.0 { sum / n } else { f32::NAN };
            }
        }
        if let Some(people) = people {
            self.quarter.1 += people;
            self.quarter.2 += 1.0;
        }
    }

    /// C1 as it is used on days: the same quarter of an hour of the seven days before.
    fn days(&self, number: i64) -> f32 {
        let quarter = number.div_euclid(15);
        // The slot of seven days ago is this quarter's own and still holds the old value.
        let mut series: Vec<f64> =
            (1..=7).rev().map(|day| f64::from(self.quarters[(quarter - day * 96).rem_euclid(QUARTERS as i64) as usize])).collect();
        let now = f64::from(mean(&self.minutes[..15]));
        series.push(now);
        ears::score(&series, 7, 7, 0, (now / 15.0).sqrt().max(0.5)).map_or(f32::NAN, |s| s as f32)
    }

    fn farrington(&mut self, number: i64, first: i64) -> f32 {
        const SETTINGS: Settings = Settings {
            period: 168,
            back: 8,
            half_window: 1,
            levels: 1,
            left_out: 1,
            alpha: 0.01,
            threshold: Threshold::Delta,
            trend: Trend::Never,
            downweight_above: 2.58,
        };
        let hour = number.div_euclid(60);
        if self.bound.is_none_or(|(known, _)| known != hour) {
            let at = usize::try_from(hour - first.div_euclid(60)).unwrap_or(0);
            let past: Vec<f64> = self.hours[at.saturating_sub(9 * 168)..at.min(self.hours.len())].iter().map(|c| f64::from(*c)).collect();
            self.bound = Some((hour, farrington::bound(&past, past.len(), &SETTINGS)));
        }
        let now = f64::from(mean(&self.minutes[..15])) * 60.0;
        self.bound.and_then(|(_, bound)| bound).map_or(f32::NAN, |bound| farrington::exceedance(now, &bound) as f32)
    }
}

fn mean(minutes: &[f32]) -> f32 {
    let known = minutes.iter().filter(|m| !m.is_nan());
    let n = known.clone().count();
    if n == 0 { f32::NAN } else { known.sum::<f32>() / n as f32 }
}
