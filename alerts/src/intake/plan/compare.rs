//! What a file would change, and what it must not give away beside what stands already.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use qorgan_domain::{
    AreaCode, IndicatorId,
    indicator::{Basis, Catalogue, Observation, ValueKind},
    period::Period,
};

use super::{Plan, Planned, RowNote};
use crate::intake::disclosure::{K, kato_parent};

/// Values that stand, by area, indicator and period.
pub type Standing = HashMap<(AreaCode, IndicatorId, Period), (f64, Basis)>;

/// What a file would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// New values.
    pub added: usize,
    /// Values that replace others.
    pub changed: usize,
    /// Values that stand already.
    pub unchanged: usize,
}

/// One of the first values of a file, with what stands in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The value.
    pub planned: Planned,
    /// What stands.
    pub before: Option<f64>,
}

fn key(observation: &Observation) -> (AreaCode, IndicatorId, Period) {
    (observation.area.clone(), observation.indicator.clone(), observation.period)
}

impl Plan {
    /// Periods that the file speaks of.
    pub fn periods(&self) -> BTreeSet<Period> {
        self.values.iter().map(|v| v.observation.period).collect()
    }

    /// Compares with what stands. Counts from which, subtracted from a sum that stands or comes with them, one of 1 to 9 could be
    /// worked out, are left out first.
    pub fn compare(&mut self, standing: &Standing, catalogue: &Catalogue) -> Compared {
        self.guard(standing, catalogue);
        let mut compared = Compared::default();
        for planned in &self.values {
            let observation = &planned.observation;
            match standing.get(&key(observation)) {
                None => compared.added += 1,
                Some((value, basis)) if *value == observation.value && *basis == observation.basis => compared.unchanged += 1,
                Some(_) => compared.changed += 1,
            }
        }
        compared
    }

    /// The first values, each with what stands.
    pub fn sample(&self, standing: &Standing, most: usize) -> Vec<Sample> {
        let before = |planned: &Planned| standing.get(&key(&planned.observation)).map(|(value, _)| *value);
        self.values.iter().take(most).map(|planned| Sample { before: before(planned), planned: planned.clone() }).collect()
    }

    fn guard(&mut self, standing: &Standing, catalogue: &Catalogue) {
        let counted =
            |id: &IndicatorId| catalogue.indicator(id).is_some_and(|i| i.counts.is_some() && !i.official && i.kind == ValueKind::Count);
        let mut new: BTreeMap<(IndicatorId, Period), BTreeMap<AreaCode, f64>> = BTreeMap::new();
        for observation in self.values.iter().map(|v| &v.observation).filter(|o| counted(&o.indicator)) {
            new.entry((observation.indicator.clone(), observation.period)).or_default().insert(observation.area.clone(), observation.value);
        }
        if new.is_empty() {
            return;
        }
        let mut all: BTreeMap<(IndicatorId, Period), BTreeMap<AreaCode, f64>> = BTreeMap::new();
        for ((area, indicator, period), (value, _)) in standing {
            if new.contains_key(&(indicator.clone(), *period)) {
                all.entry((indicator.clone(), *period)).or_default().insert(area.clone(), *value);
            }
        }
        let mut hidden = BTreeSet::new();
        for (of, areas) in &new {
            let known = all.entry(of.clone()).or_default();
            known.extend(areas.iter().map(|(area, value)| (area.clone(), *value)));
            while let Some(area) = gives_away(known, areas) {
                known.remove(&area);
                hidden.insert((area, of.0.clone(), of.1));
            }
        }
        if hidden.is_empty() {
            return;
        }
        let mut notes = Vec::new();
        self.values.retain(|planned| {
            let keep = !hidden.contains(&key(&planned.observation));
            if !keep {
                let expected =
                    "nothing to change: with this count another one below ten could be worked out by subtraction, so it is left out"
                        .to_owned();
                notes.push(RowNote {
                    sheet: None,
                    row: planned.row,
                    column: planned.observation.area.to_string(),
                    value: "…".into(),
                    expected,
                    code: "suppressed",
                });
            }
            keep
        });
        self.suppressed += notes.len();
        self.notes.extend(notes);
        self.notes.truncate(super::MAX_LISTED);
    }
}

/// A new count that must be left out: a sum minus its parts is 1 to 9.
fn gives_away(known: &BTreeMap<AreaCode, f64>, new: &BTreeMap<AreaCode, f64>) -> Option<AreaCode> {
    let mut parts: BTreeMap<AreaCode, (f64, Vec<&AreaCode>)> = BTreeMap::new();
    for (area, value) in known {
        if let Some(parent) = kato_parent(area).filter(|parent| known.contains_key(parent)) {
            let (sum, areas) = parts.entry(parent).or_default();
            *sum += value;
            areas.push(area);
        }
    }
    parts.iter().find_map(|(parent, (sum, areas))| {
        let rest = (known.get(parent)? - sum).round();
        // K is 10: exact in a double.
        if !(1.0..K as f64).contains(&rest) {
            return None;
        }
        // The smallest new part; else the sum itself.
        let smallest = areas.iter().filter(|a| new.contains_key(**a)).min_by(|a, b| known[**a].total_cmp(&known[**b]));
        smallest.map(|a| (*a).clone()).or_else(|| new.contains_key(parent).then(|| parent.clone()))
    })
}
