//! What is told of what surrounds a place: numbers and names of kinds, cut by the rule of disclosure before anything is said of them.

use qorgan_domain::{AreaCode, Catalogue, Trilingual};
use serde::{Deserialize, Serialize};

use crate::{requests::publish, tension::Index};

/// Blocks of the tension index that may explain an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContextBlock {
    /// Problems that worry residents.
    Problems,
    /// Labour relations.
    Labour,
    /// Socio-economic situation.
    SocioEconomic,
    /// Youth.
    Youth,
}

impl ContextBlock {
    /// The block of that id in the catalogue. Every other id is none, also one that a hub has added: what may explain an alert is named
    /// here and nowhere else.
    pub fn of_id(id: &str) -> Option<Self> {
        match id {
            "concerns" => Some(Self::Problems),
            "labour" => Some(Self::Labour),
            "economy" => Some(Self::SocioEconomic),
            "youth" => Some(Self::Youth),
            _ => None,
        }
    }
}

/// The share of the tension index that is context: 0 to 10, with its band.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ContextShare {
    value: f64,
    low: f64,
    high: f64,
}

impl ContextShare {
    /// Mean of the blocks, weighted; each is `(block, value, low, high, weight)`. A block may be named once. None when there is nothing
    /// to weigh or a number is none.
    pub fn of(blocks: &[(ContextBlock, f64, f64, f64, f64)]) -> Option<Self> {
        let mut seen: Vec<ContextBlock> = blocks.iter().map(|block| block.0).collect();
        seen.sort_unstable();
        seen.dedup();
        let weight: f64 = blocks.iter().map(|block| block.4).sum();
        let fine = |(_, value, low, high, weight): &(ContextBlock, f64, f64, f64, f64)| {
            *weight >= 0.0 && low <= value && value <= high && (0.0..=10.0).contains(low) && (0.0..=10.0).contains(high)
        };
        if seen.len() != blocks.len() || !(weight > 0.0 && weight.is_finite()) || !blocks.iter().all(fine) {
            return None;
        }
        let mean = |pick: fn(&(ContextBlock, f64, f64, f64, f64)) -> f64| blocks.iter().map(|b| pick(b) * b.4).sum::<f64>() / weight;
        Some(Self { value: mean(|b| b.1), low: mean(|b| b.2), high: mean(|b| b.3) })
    }

    /// Of an area in the newest period of the index for which one of the blocks may be shown, and that period's name. The bands of the
    /// blocks are put together as if all of them erred the same way: the widest band they can have.
    pub fn of_index(index: &Index, catalogue: &Catalogue, area: &AreaCode) -> Option<(Self, String)> {
        let at = index.areas.iter().position(|known| known == area)?;
        index.periods.iter().rev().find_map(|period| {
            let of_area = period.areas.get(at)?;
            let blocks: Vec<_> = catalogue
                .blocks
                .iter()
                .zip(&of_area.blocks)
                .filter_map(|(block, standing)| {
                    let (named, shown) = (ContextBlock::of_id(block.id.as_str())?, standing.shown()?);
                    let (value, band) = (shown.value(), shown.band());
                    // A mean of draws may lie a hair outside the middle nine tenths of them.
                    Some((named, value, band.p5.min(value), band.p95.max(value).min(10.0), index.method.block_weight(&block.id)))
                })
                .collect();
            Some((Self::of(&blocks)?, period.period.to_string()))
        })
    }

    /// Value, lower and upper end.
    pub fn parts(&self) -> (f64, f64, f64) {
        (self.value, self.low, self.high)
    }
}

/// Open requests of residents around a place, as they may be told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestsNear {
    /// Within so many metres.
    pub within_m: u32,
    /// Whether the numbers are exact; else they are rounded down to tens, and below ten nothing is told.
    pub exact: bool,
    /// All of them; none when it may not be told.
    pub open: Option<u64>,
    /// By category, most first; those that may not be told are left out.
    pub categories: Vec<(Trilingual, u64)>,
}

impl RequestsNear {
    /// What may be told of these counts: exact only to those who may read the requests themselves.
    pub fn told(within_m: u32, counts: impl IntoIterator<Item = (Trilingual, u64)>, exact: bool) -> Self {
        let tell = |count: u64| if exact { Some(count) } else { publish::count(count) };
        let counts: Vec<(Trilingual, u64)> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        let open = tell(counts.iter().map(|(_, count)| count).sum());
        let mut categories: Vec<(Trilingual, u64)> = counts.into_iter().filter_map(|(name, count)| Some((name, tell(count)?))).collect();
        // By what is told, then by name: the order must not tell what the numbers do not.
        categories.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.en.cmp(&b.0.en)));
        Self { within_m, exact, open, categories }
    }

    /// Whether anything is known to be open.
    pub fn any(&self) -> bool {
        self.open.is_some_and(|open| open > 0)
    }
}

/// What a sensor nearby has measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SensorNear {
    /// What: `temperature`, `smoke`.
    pub kind: String,
    /// The value, in `unit`.
    pub value: f64,
    /// Its unit.
    pub unit: String,
}

/// An outage, an accident or another emergency that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disruption {
    /// What: a kind of emergency or the service concerned.
    pub what: Trilingual,
    /// Told of for this place; else for its district.
    pub near: bool,
    /// How many reports.
    pub reports: u32,
}

impl Disruption {
    /// Reports of the same kind and nearness as one; the near ones first, then the most frequent.
    pub fn together(reports: impl IntoIterator<Item = (Trilingual, bool)>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (what, near) in reports {
            match all.iter_mut().find(|known| known.what == what && known.near == near) {
                Some(known) => known.reports = known.reports.saturating_add(1),
                None => all.push(Self { what, near, reports: 1 }),
            }
        }
        all.sort_by(|a, b| b.near.cmp(&a.near).then(b.reports.cmp(&a.reports)).then_with(|| a.what.en.cmp(&b.what.en)));
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(en: &str) -> Trilingual {
        Trilingual { kk: en.into(), ru: en.into(), en: en.into() }
    }

    #[test]
    fn only_four_blocks_have_a_name_here() {
        let shipped = ["politics", "protest", "concerns", "interethnic", "labour", "economy", "youth", "added-by-a-hub", ""];
        let named: Vec<&str> = shipped.into_iter().filter(|id| ContextBlock::of_id(id).is_some()).collect();
        assert_eq!(named, ["concerns", "labour", "economy", "youth"]);
    }

    #[test]
    fn reports_of_one_kind_are_one_line_and_the_near_ones_come_first() {
        let all = Disruption::together([(name("water"), false), (name("power"), true), (name("water"), false), (name("water"), true)]);
        let told: Vec<(&str, bool, u32)> = all.iter().map(|d| (d.what.en.as_str(), d.near, d.reports)).collect();
        assert_eq!(told, [("power", true, 1), ("water", true, 1), ("water", false, 2)]);
    }

    proptest! {
        /// Whoever may not read requests learns of no number below ten, nor by subtracting two answers.
        #[test]
        fn small_numbers_of_requests_are_not_told(counts in proptest::collection::vec(0_u64..60, 0..6), more in 0_u64..10) {
            let told = |counts: &[u64]| {
                RequestsNear::told(500, counts.iter().enumerate().map(|(n, count)| (name(&format!("c{n}")), *count)), false)
            };
            let (before, mut grown) = (told(&counts), counts.clone());
            if let Some(first) = grown.first_mut() {
                *first += more;
            }
            let after = told(&grown);
            prop_assert!(before.categories.iter().all(|(_, count)| *count >= 10 && count % 10 == 0));
            prop_assert_eq!(after.open.unwrap_or(0).abs_diff(before.open.unwrap_or(0)) % 10, 0);
            // Nothing at all and nine look alike.
            prop_assert_eq!(told(&[0]), told(&[9]));
            prop_assert_eq!(RequestsNear::told(500, [(name("c"), 9)], true).open, Some(9));
        }
    }
}
