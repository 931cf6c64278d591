//! How the index is made: every choice is a field, stated to the reader, and a method once used never changes.

use std::collections::BTreeMap;

use qorgan_domain::{BlockId, Catalogue, IndicatorId, Period, period::PeriodKind};
use serde::{Deserialize, Serialize};

/// How a value becomes a score from 0 to 10 (Handbook, step 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// By the smallest and largest value of all areas and periods.
    MinMax,
    /// By mean and standard deviation: 5 at the mean, 0 and 10 at three standard deviations.
    ZScore,
    /// By the share of areas and periods with less strain.
    Percentile,
    /// By the catalogue's references: 0 at `calm`, 10 at `strained`.
    Target,
}

impl Normalisation {
    /// Every one.
    pub const ALL: [Normalisation; 4] = [Normalisation::MinMax, Normalisation::ZScore, Normalisation::Percentile, Normalisation::Target];
}

/// How scores become one (Handbook, step 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Weighted mean: strain in one place is made up for by calm in another.
    Arithmetic,
    /// Weighted geometric mean of the distance to full strain, as INFORM does: a high score is made up for only in part.
    Geometric,
}

/// What the draws vary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perturb {
    /// Each weight by up to this share up or down; 0 is not at all.
    pub weights: f64,
    /// Half of the draws take another normalisation.
    pub normalisation: bool,
    /// Values within their sampling error.
    pub values: bool,
    /// Missing values within what other areas show; else they are taken as the mean of their block.
    pub imputation: bool,
}

impl Default for Perturb {
    fn default() -> Self {
        Self { weights: 0.25, normalisation: true, values: true, imputation: true }
    }
}

/// First and last period whose values the normalisation is fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// First.
    pub from: Period,
    /// Last.
    pub to: Period,
}

/// A method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Number, from 1; given by the store.
    pub version: i64,
    /// Of single values.
    pub normalisation: Normalisation,
    /// Share of values cut off at each end before the smallest and largest are taken (min-max only), 0 to 0.1.
    pub trim: f64,
    /// Of indicators within a block.
    pub within: Aggregation,
    /// Of blocks.
    pub across: Aggregation,
    /// Length of the periods that the index is given for.
    pub step: PeriodKind,
    /// Share of the weight that values must be there for, 0.3 to 1; below it there is no score and no colour.
    pub floor: f64,
    /// Window of the fit; none: all periods.
    pub reference: Option<Reference>,
    /// Weight of every block; shares of their sum.
    pub block_weights: BTreeMap<BlockId, f64>,
    /// Weights that differ from the catalogue's.
    pub indicator_weights: BTreeMap<IndicatorId, f64>,
    /// Draws of the band, 100 to 10,000.
    pub draws: u32,
    /// Seed of the draws.
    pub seed: u64,
    /// What the draws vary.
    pub perturb: Perturb,
    /// Version of the catalogue it was made for.
    pub catalogue: String,
    /// The act that gives a block a weight that it has not by rule.
    pub weight_act: Option<i64>,
}

/// Why a method is not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MethodError {
    /// A number outside its range.
    #[error("{0}")]
    Range(&'static str),
    /// A block or indicator that the catalogue has not.
    #[error("the catalogue has no {0}")]
    Unknown(String),
    /// A block that is zero by rule was given a weight without an act.
    #[error("block {0} has weight 0 by rule; another one needs a weight act: a published basis, two people, at most 12 months")]
    ZeroByRule(BlockId),
    /// All weights are 0.
    #[error("{0} has no weight at all")]
    NoWeight(String),
}

impl Method {
    /// The method that a hub begins with: min-max, arithmetic, by quarter, floor 60 %, 1,000 draws.
    pub fn first(catalogue: &Catalogue) -> Self {
        Self {
            version: 1,
            normalisation: Normalisation::MinMax,
            trim: 0.025,
            within: Aggregation::Arithmetic,
            across: Aggregation::Arithmetic,
            step: PeriodKind::Quarter,
            floor: 0.6,
            reference: None,
            block_weights: catalogue.blocks.iter().map(|b| (b.id.clone(), if b.zero_by_rule { 0.0 } else { b.weight })).collect(),
            indicator_weights: BTreeMap::new(),
            draws: 1000,
            seed: 1,
            perturb: Perturb::default(),
            catalogue: catalogue.version.clone(),
            weight_act: None,
        }
    }

    /// Weight of a block; 0 for one that the method does not name.
    pub fn block_weight(&self, block: &BlockId) -> f64 {
        self.block_weights.get(block).copied().unwrap_or(0.0)
    }

    /// Checks every choice against the catalogue. `act` is the block and weight that an act in force allows.
    pub fn check(&self, catalogue: &Catalogue, act: Option<(&BlockId, f64)>) -> Result<(), MethodError> {
        let range = |ok: bool, words| if ok { Ok(()) } else { Err(MethodError::Range(words)) };
        range((0.0..=0.1).contains(&self.trim), "trim is 0 to 0.1")?;
        // A floor of a few per cent would be none: one value of fifty would colour a district.
        range((0.3..=1.0).contains(&self.floor), "floor is 0.3 to 1")?;
        range((100..=10_000).contains(&self.draws), "draws are 100 to 10,000")?;
        range((0.0..=0.9).contains(&self.perturb.weights), "perturb.weights is 0 to 0.9")?;
        range(matches!(self.step, PeriodKind::Month | PeriodKind::Quarter | PeriodKind::Year), "step is month, quarter or year")?;
        range(self.reference.is_none_or(|r| r.from.first_day() <= r.to.first_day()), "reference begins after its end")?;
        let weights = self.block_weights.values().chain(self.indicator_weights.values());
        range(weights.copied().all(|w| (0.0..=1000.0).contains(&w)), "a weight is 0 to 1000")?;
        for (id, weight) in &self.block_weights {
            let block = catalogue.block(id).ok_or_else(|| MethodError::Unknown(format!("block {id}")))?;
            if block.zero_by_rule && *weight != 0.0 && act != Some((id, *weight)) {
                return Err(MethodError::ZeroByRule(id.clone()));
            }
        }
        if let Some(id) = self.indicator_weights.keys().find(|id| catalogue.indicator(id).is_none()) {
            return Err(MethodError::Unknown(format!("indicator {id}")));
        }
        if self.block_weights.values().sum::<f64>() <= 0.0 {
            return Err(MethodError::NoWeight("the index".into()));
        }
        for block in &catalogue.blocks {
            let of_block = catalogue.indicators.iter().filter(|i| i.block == block.id);
            let sum: f64 = of_block.map(|i| self.indicator_weights.get(&i.id).copied().unwrap_or(i.weight)).sum();
            if sum <= 0.0 {
                return Err(MethodError::NoWeight(format!("block {}", block.id)));
            }
        }
        Ok(())
    }
}
