//! Values of different periods become one cell for each period of the index, area and indicator.
//!
//! A cell is the mean of the values inside its period; else the value of a longer period that covers it; else the newest
//! earlier value while that is not too old (then it is marked as carried).

use std::collections::HashMap;

use qorgan_domain::{AreaCode, Basis, Catalogue, Indicator, Observation, Period, indicator::ValueKind, period::PeriodKind};

use super::index::Refused;

/// A value as the index sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    pub(super) value: f64,
    /// Standard error, in the indicator's unit.
    pub(super) error: f64,
    /// Newest period that it comes from.
    pub(super) from: Period,
    /// From before its period.
    pub(super) carried: bool,
}

/// Every cell, by period, area and indicator.
pub(super) struct Panel {
    pub(super) periods: Vec<Period>,
    pub(super) areas: usize,
    pub(super) indicators: usize,
    cells: Vec<Option<Cell>>,
    pub(super) refused: Vec<Refused>,
    /// Values that were used.
    pub(super) taken: usize,
}

#[derive(Clone, Copy)]
struct Value {
    bucket: u32,
    first: i32,
    last: i32,
    period: Period,
    value: f64,
    error: f64,
}

/// Longest row of periods, by step: what lies further back is left out.
fn longest(step: PeriodKind) -> usize {
    match step {
        PeriodKind::Year => 40,
        PeriodKind::Quarter => 80,
        _ => 120,
    }
}

/// How long a value may stand in for later periods, in days from its last day to the first day of the period.
pub(super) fn carry_days(kind: PeriodKind) -> i32 {
    match kind {
        PeriodKind::Day => 14,
        PeriodKind::Week => 28,
        PeriodKind::Month => 62,
        PeriodKind::Quarter => 100,
        PeriodKind::Year => 550,
    }
}

/// Standard error of a value, from what it rests on: binomial for shares, Poisson for rates and counts (at least one case is
/// assumed, so that no cases are not certainty), a declared share for measurements.
pub(super) fn sampling_error(indicator: &Indicator, value: f64, basis: Basis) -> f64 {
    let by_cases = |cases: u64| value / (cases.max(1) as f64).sqrt();
    match (indicator.kind, basis) {
        (ValueKind::Measure { relative_error }, _) => value.abs() * relative_error,
        (ValueKind::Share, Basis::Denominator(whole)) => {
            // Agresti-Coull: two cases and two others more, so that 0 and 100 per cent are not certain.
            let (n, p) = (whole + 4.0, (value / 100.0 * whole + 2.0) / (whole + 4.0));
            100.0 * (p * (1.0 - p) / n).sqrt()
        }
        (ValueKind::Share, Basis::Cases(cases)) => by_cases(cases) * (1.0 - value / 100.0).max(0.0).sqrt(),
        (ValueKind::Rate { per }, Basis::Denominator(whole)) => per / whole * (value * whole / per).max(1.0).sqrt(),
        (ValueKind::Rate { .. }, Basis::Cases(cases)) => by_cases(cases),
        (ValueKind::Count, _) => value.max(1.0).sqrt(),
    }
}

/// Day number since 1970-01-01.
fn day(date: jiff::civil::Date) -> i32 {
    (date - jiff::civil::date(1970, 1, 1)).get_days()
}

impl Panel {
    /// Builds the cells from values up to the day `until`.
    pub(super) fn build(
        catalogue: &Catalogue,
        areas: &[AreaCode],
        values: &[Observation],
        step: PeriodKind,
        until: jiff::civil::Date,
    ) -> Self {
        let mut panel =
            Self { periods: vec![], areas: areas.len(), indicators: catalogue.indicators.len(), cells: vec![], refused: vec![], taken: 0 };
        let sorted = panel.sort(catalogue, areas, values, until);
        panel.taken = sorted.len();
        let (Some(first), Some(last)) = (sorted.iter().map(|v| v.period).min(), sorted.iter().max_by_key(|v| v.last)) else { return panel };
        let newest = last.period.last_day().min(until);
        let (Ok(mut period), Ok(end)) = (Period::of(step, first.first_day()), Period::of(step, newest)) else { return panel };
        while period <= end {
            panel.periods.push(period);
            period = period.after(1);
        }
        let surplus = panel.periods.len().saturating_sub(longest(step));
        panel.periods.drain(..surplus);
        panel.cells = vec![None; panel.periods.len() * panel.areas * panel.indicators];
        panel.fill(catalogue, &sorted);
        panel
    }

    /// The cell of a period, area and indicator.
    pub(super) fn cell(&self, period: usize, area: usize, indicator: usize) -> Option<Cell> {
        self.row(period, area)[indicator]
    }

    /// The cells of a period and area.
    pub(super) fn row(&self, period: usize, area: usize) -> &[Option<Cell>] {
        let at = (period * self.areas + area) * self.indicators;
        &self.cells[at..at + self.indicators]
    }

    /// Checked values, by area and indicator and then by time.
    fn sort(&mut self, catalogue: &Catalogue, areas: &[AreaCode], values: &[Observation], until: jiff::civil::Date) -> Vec<Value> {
        let area_at: HashMap<&str, usize> = areas.iter().enumerate().map(|(at, area)| (area.as_str(), at)).collect();
        let indicator_at: HashMap<&str, usize> = catalogue.indicators.iter().enumerate().map(|(at, i)| (i.id.as_str(), at)).collect();
        let mut days: HashMap<Period, (i32, i32)> = HashMap::new();
        let mut sorted = Vec::with_capacity(values.len());
        let until = day(until);
        for value in values {
            // An area that is not on the map is nobody's fault: outlines may have been replaced.
            let Some(&area) = area_at.get(value.area.as_str()) else { continue };
            let known = indicator_at.get(value.indicator.as_str()).map(|at| (*at, &catalogue.indicators[*at]));
            let checked = match known {
                Some((at, indicator)) => indicator.check(value.value, value.period, value.basis).map(|()| (at, indicator)),
                None => Err(qorgan_domain::ValueError::Unknown(value.indicator.clone())),
            };
            let (at, indicator) = match checked {
                Ok(found) => found,
                Err(reason) => {
                    self.refused.push(Refused { observation: value.clone(), reason });
                    continue;
                }
            };
            let (first, last) = *days.entry(value.period).or_insert_with(|| (day(value.period.first_day()), day(value.period.last_day())));
            if first > until {
                continue;
            }
            let bucket = u32::try_from(area * self.indicators + at).unwrap_or(u32::MAX);
            let error = sampling_error(indicator, value.value, value.basis);
            sorted.push(Value { bucket, first, last, period: value.period, value: value.value, error });
        }
        sorted.sort_by_key(|v| (v.bucket, v.first));
        // Of two values for the same place the later one in the list stands; the store gives only one.
        sorted.dedup_by(|later, earlier| {
            let same = (later.bucket, later.first) == (earlier.bucket, earlier.first);
            if same {
                *earlier = *later;
            }
            same
        });
        sorted
    }

    fn fill(&mut self, catalogue: &Catalogue, sorted: &[Value]) {
        let spans: Vec<(i32, i32)> = self.periods.iter().map(|p| (day(p.first_day()), day(p.last_day()))).collect();
        for bucket in sorted.chunk_by(|a, b| a.bucket == b.bucket) {
            let at = bucket[0].bucket as usize;
            let (area, indicator) = (at / self.indicators, at % self.indicators);
            let limit = carry_days(catalogue.indicators[indicator].period);
            let mut next = 0;
            for (period, &(first, last)) in spans.iter().enumerate() {
                // Values that ended before this period began; the newest of them may be carried.
                while next < bucket.len() && bucket[next].last < first {
                    next += 1;
                }
                let ahead = bucket[next..].iter().take_while(|v| v.first <= last);
                let (mut n, mut sum, mut squares, mut newest) = (0_u32, 0.0, 0.0, None);
                for value in ahead {
                    let inside = value.first >= first && value.last <= last;
                    let covers = value.first <= first && value.last >= last;
                    // A week across the border belongs to the period in which it ends.
                    let ends_here = value.last <= last && value.last - value.first < last - first;
                    if inside || covers || ends_here {
                        (n, sum, squares, newest) = (n + 1, sum + value.value, squares + value.error * value.error, Some(value.period));
                    }
                }
                let cell = match newest {
                    Some(from) => Some(Cell { value: sum / f64::from(n), error: squares.sqrt() / f64::from(n), from, carried: false }),
                    None => bucket[..next].last().filter(|v| first - v.last <= limit).map(|v| Cell {
                        value: v.value,
                        error: v.error,
                        from: v.period,
                        carried: true,
                    }),
                };
                let place = (period * self.areas + area) * self.indicators + indicator;
                self.cells[place] = cell;
            }
        }
    }
}
