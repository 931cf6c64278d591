//! Indicators of the situation of an area: aggregates only, each value with what it rests on.
//!
//! What belongs here: the catalogue's shapes and the rule whether a value may be taken. What does not: how an
//! index is made of values (`alerts::tension`), how they come in (`api`). No type of this module can be made of
//! a count of a camera or of an alert of the hub, and none may be.

use serde::{Deserialize, Serialize};

use crate::{
    AreaCode, BlockId, IndicatorId, Trilingual,
    period::{Period, PeriodKind},
};

/// What a higher value means for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A higher value is more strain.
    MoreIsWorse,
    /// A higher value is less strain.
    MoreIsBetter,
}

/// What is counted, where that is people or what people wrote: then totals under ten are suppressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountsOf {
    /// Persons, households, respondents.
    Persons,
    /// Publications and posts.
    Posts,
    /// Appeals, complaints, requests of residents.
    Appeals,
}

/// How a value comes from what was counted; from it follows its sampling error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ValueKind {
    /// Per cent of a whole: binomial error.
    Share,
    /// Events for each `per` of the population: Poisson error.
    Rate {
        /// The population that one unit of the value is for, e.g. 1000.
        per: f64,
    },
    /// A plain number of events: Poisson error.
    Count,
    /// A measurement or an estimate: its error is a declared share of the value.
    Measure {
        /// Standard error as a share of the value, 0 to 1.
        relative_error: f64,
    },
}

/// One of the blocks that indicators stand in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Id, such as `labour`.
    pub id: BlockId,
    /// Name.
    pub name: Trilingual,
    /// Weight in the overall index, 0 or more; weights are shares of their sum.
    pub weight: f64,
    /// Weight 0 by principle; another one needs an act (a published basis, two people, at most 12 months).
    #[serde(default)]
    pub zero_by_rule: bool,
}

/// An indicator of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Indicator {
    /// Id, such as `housing-complaints`.
    pub id: IndicatorId,
    /// Block it stands in.
    pub block: BlockId,
    /// Name.
    pub name: Trilingual,
    /// Unit of the value.
    pub unit: Trilingual,
    /// What a higher value means.
    pub direction: Direction,
    /// Who gives the value.
    pub source: Trilingual,
    /// How often.
    pub period: PeriodKind,
    /// Lowest value that is taken.
    pub min: f64,
    /// Highest value that is taken.
    pub max: f64,
    /// Value at which there is no strain (score 0 with target references).
    pub calm: f64,
    /// Value at which strain is full (score 10 with target references).
    pub strained: f64,
    /// The act that lets the value be collected.
    pub legal_basis: Trilingual,
    /// Weight in its block, 0 or more; weights are shares of their sum.
    pub weight: f64,
    /// No public list names it: proposed by this project.
    pub proposal: bool,
    /// How the value comes from what was counted.
    pub kind: ValueKind,
    /// What is counted, if totals under ten must be suppressed.
    pub counts: Option<CountsOf>,
    /// An official rate or an act of the authorities: never suppressed.
    pub official: bool,
}

/// The blocks and indicators of a hub.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Version in words of who keeps it, e.g. `2026-11`.
    pub version: String,
    /// Blocks, in the order in which they are shown.
    pub blocks: Vec<Block>,
    /// Indicators, by block in their order.
    pub indicators: Vec<Indicator>,
}

/// What a value rests on. A value without either is refused.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Population, households, respondents or other whole that the value is a share or rate of.
    Denominator(f64),
    /// Cases that were counted.
    Cases(u64),
}

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Area it is about.
    pub area: AreaCode,
    /// Which indicator.
    pub indicator: IndicatorId,
    /// For which period.
    pub period: Period,
    /// The value, in the indicator's unit.
    pub value: f64,
    /// What it rests on.
    pub basis: Basis,
}

/// Why a value is not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// The catalogue has no such indicator.
    #[error("indicator {0} is not in the catalogue")]
    Unknown(IndicatorId),
    /// NaN or infinite.
    #[error("the value is not a number")]
    NotANumber,
    /// Outside the valid range.
    #[error("{value} is outside the valid range {min} to {max}")]
    OutOfRange {
        /// What was given.
        value: f64,
        /// Lowest valid.
        min: f64,
        /// Highest valid.
        max: f64,
    },
    /// A month where a quarter is expected, and so on.
    #[error("{period} is a {}, but this indicator is reported by {expected}", period.kind())]
    WrongPeriod {
        /// What was given.
        period: Period,
        /// What the catalogue says.
        expected: PeriodKind,
    },
    /// A denominator that no whole can have, or more cases than there are people.
    #[error("the basis is not usable: {0}")]
    Basis(&'static str),
}

/// More than the population of any country.
const MAX_BASIS: f64 = 1e10;

impl Catalogue {
    /// An indicator by its id.
    pub fn indicator(&self, id: &IndicatorId) -> Option<&Indicator> {
        self.indicators.iter().find(|i| i.id == *id)
    }

    /// A block by its id.
    pub fn block(&self, id: &BlockId) -> Option<&Block> {
        self.blocks.iter().find(|b| b.id == *id)
    }

    /// Whether a value may be taken: known, finite, in range, of the right period, resting on something.
    pub fn check(&self, observation: &Observation) -> Result<&Indicator, ValueError> {
        let indicator = self.indicator(&observation.indicator).ok_or_else(|| ValueError::Unknown(observation.indicator.clone()))?;
        indicator.check(observation.value, observation.period, observation.basis)?;
        Ok(indicator)
    }
}

impl Indicator {
    /// Whether a value may be taken for this indicator.
    pub fn check(&self, value: f64, period: Period, basis: Basis) -> Result<(), ValueError> {
        if !value.is_finite() {
            return Err(ValueError::NotANumber);
        }
        if value < self.min || value > self.max {
            return Err(ValueError::OutOfRange { value, min: self.min, max: self.max });
        }
        if period.kind() != self.period {
            return Err(ValueError::WrongPeriod { period, expected: self.period });
        }
        match basis {
            Basis::Denominator(whole) if !whole.is_finite() || whole <= 0.0 || whole > MAX_BASIS => {
                Err(ValueError::Basis("a denominator is more than 0 and at most 10,000,000,000"))
            }
            Basis::Cases(cases) if cases as f64 > MAX_BASIS => Err(ValueError::Basis("at most 10,000,000,000 cases")),
            Basis::Cases(0) if value != 0.0 && !matches!(self.kind, ValueKind::Measure { .. }) => {
                Err(ValueError::Basis("no cases, but a value other than 0"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indicator() -> Indicator {
        let name = Trilingual { kk: "а".into(), ru: "б".into(), en: "c".into() };
        Indicator {
            id: "unemployment".parse().unwrap(),
            block: "economy".parse().unwrap(),
            name: name.clone(),
            unit: name.clone(),
            direction: Direction::MoreIsWorse,
            source: name.clone(),
            period: PeriodKind::Quarter,
            min: 0.0,
            max: 100.0,
            calm: 3.0,
            strained: 12.0,
            legal_basis: name,
            weight: 1.0,
            proposal: false,
            kind: ValueKind::Share,
            counts: None,
            official: true,
        }
    }

    #[test]
    fn a_value_is_taken_only_finite_in_range_for_its_period_and_with_a_basis() {
        let (i, quarter) = (indicator(), "2026-Q3".parse().unwrap());
        let whole = Basis::Denominator(54_000.0);
        assert_eq!(i.check(4.9, quarter, whole), Ok(()));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(i.check(bad, quarter, whole), Err(ValueError::NotANumber));
        }
        for bad in [1e308, -1e308, 100.1, -0.1] {
            assert!(matches!(i.check(bad, quarter, whole), Err(ValueError::OutOfRange { .. })), "{bad}");
        }
        assert!(matches!(i.check(4.9, "2026-09".parse().unwrap(), whole), Err(ValueError::WrongPeriod { .. })));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e11] {
            assert!(matches!(i.check(4.9, quarter, Basis::Denominator(bad)), Err(ValueError::Basis(_))), "{bad}");
        }
        assert!(matches!(i.check(4.9, quarter, Basis::Cases(0)), Err(ValueError::Basis(_))));
        assert_eq!(i.check(0.0, quarter, Basis::Cases(0)), Ok(()));
        let said = i.check(4.9, "2026-09".parse().unwrap(), whole).unwrap_err().to_string();
        assert_eq!(said, "2026-09 is a month, but this indicator is reported by quarter");
    }
}
