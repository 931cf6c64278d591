//! The catalogue from its TOML text: short keys become whole indicators, and nothing doubtful gets through.

use std::collections::{BTreeMap, HashSet};

use qorgan_domain::{
    Block, BlockId, Catalogue, CountsOf, Direction, Indicator, IndicatorId, Trilingual, indicator::ValueKind, period::PeriodKind,
};
use serde::Deserialize;

/// Largest catalogue that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Indicators and blocks that are taken at most.
const MAX_INDICATORS: usize = 500;

/// Why a text is no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Over [`MAX_BYTES`].
    #[error("{0} bytes are more than {MAX_BYTES}")]
    TooLarge(usize),
    /// No TOML of this shape.
    #[error(transparent)]
    Toml(#[from] Box<toml::de::Error>),
    /// An indicator or block that makes no sense.
    #[error("{0}")]
    Entry(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalogue {
    version: String,
    #[serde(default)]
    unit: BTreeMap<String, Trilingual>,
    #[serde(default)]
    source: BTreeMap<String, Trilingual>,
    #[serde(default)]
    basis: BTreeMap<String, Trilingual>,
    block: Vec<RawBlock>,
    indicator: Vec<RawIndicator>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBlock {
    id: BlockId,
    name: Trilingual,
    #[serde(default = "one")]
    weight: f64,
    #[serde(default)]
    zero_by_rule: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIndicator {
    id: IndicatorId,
    block: BlockId,
    name: Trilingual,
    unit: String,
    direction: Direction,
    source: String,
    period: PeriodKind,
    range: [f64; 2],
    references: [f64; 2],
    basis: String,
    #[serde(default = "one")]
    weight: f64,
    proposal: bool,
    kind: ValueKind,
    counts: Option<CountsOf>,
    #[serde(default)]
    official: bool,
}

fn one() -> f64 {
    1.0
}

/// Reads a catalogue. Names of units, sources and legal bases must stand in their tables; blocks and indicators are unique.
pub fn parse(text: &str) -> Result<Catalogue, CatalogueError> {
    if text.len() > MAX_BYTES {
        return Err(CatalogueError::TooLarge(text.len()));
    }
    let raw: RawCatalogue = toml::from_str(text).map_err(Box::new)?;
    if raw.version.trim().is_empty() {
        return entry("version is empty");
    }
    let mut seen = HashSet::new();
    for block in &raw.block {
        if !seen.insert(&block.id) {
            return entry(format!("block \"{}\" stands twice", block.id));
        }
        check_block(block)?;
    }
    if raw.block.is_empty() || raw.indicator.is_empty() || raw.indicator.len() > MAX_INDICATORS {
        return entry(format!("a catalogue has at least one block and 1 to {MAX_INDICATORS} indicators"));
    }
    let (mut names, mut indicators) = (HashSet::new(), Vec::with_capacity(raw.indicator.len()));
    for indicator in &raw.indicator {
        if !names.insert(indicator.id.clone()) {
            return entry(format!("indicator \"{}\" stands twice", indicator.id));
        }
        indicators.push(whole(indicator, &raw)?);
    }
    let blocks = raw.block.into_iter().map(|b| Block { id: b.id, name: b.name, weight: b.weight, zero_by_rule: b.zero_by_rule });
    let blocks: Vec<Block> = blocks.collect();
    // By block in their order, so that whoever goes through them meets a block once.
    let place = |i: &Indicator| blocks.iter().position(|b| b.id == i.block);
    indicators.sort_by_key(place);
    if let Some(empty) = blocks.iter().find(|b| !indicators.iter().any(|i| i.block == b.id && i.weight > 0.0)) {
        return entry(format!("block \"{}\" has no indicator with a weight", empty.id));
    }
    Ok(Catalogue { version: raw.version, blocks, indicators })
}

fn check_block(block: &RawBlock) -> Result<(), CatalogueError> {
    named(&block.name, &format!("block \"{}\"", block.id))?;
    if !(block.weight.is_finite() && (0.0..=1000.0).contains(&block.weight)) {
        return entry(format!("block \"{}\": weight is 0 to 1000", block.id));
    }
    if block.zero_by_rule && block.weight != 0.0 {
        return entry(format!("block \"{}\" is zero by rule: another weight needs an act (two people, a published basis)", block.id));
    }
    Ok(())
}

fn whole(raw: &RawIndicator, all: &RawCatalogue) -> Result<Indicator, CatalogueError> {
    let what = format!("indicator \"{}\"", raw.id);
    named(&raw.name, &what)?;
    if !all.block.iter().any(|b| b.id == raw.block) {
        return entry(format!("{what}: there is no block \"{}\"", raw.block));
    }
    let word = |table: &BTreeMap<String, Trilingual>, key: &str, field: &str| match table.get(key) {
        Some(name) => named(name, &format!("{field} \"{key}\"")).map(|()| name.clone()),
        None => entry(format!("{what}: {field} \"{key}\" stands in no [{field}.{key}]")),
    };
    let ([min, max], [calm, strained]) = (raw.range, raw.references);
    // Beyond this an average of some hundred values would lose its decimals.
    if ![min, max, calm, strained].iter().all(|v| v.is_finite() && v.abs() <= 1e9) || min >= max {
        return entry(format!("{what}: range is [lowest, highest], within -1e9 to 1e9"));
    }
    if !(min..=max).contains(&calm) || !(min..=max).contains(&strained) || calm == strained {
        return entry(format!("{what}: references are two different values inside the range"));
    }
    if (raw.direction == Direction::MoreIsWorse) != (calm < strained) {
        return entry(format!("{what}: references are [calm, strained] and contradict the direction"));
    }
    let sound = match raw.kind {
        ValueKind::Share => min >= 0.0 && max <= 100.0,
        ValueKind::Rate { per } => min >= 0.0 && per.is_finite() && (1.0..=1e7).contains(&per),
        ValueKind::Count => min >= 0.0,
        ValueKind::Measure { relative_error } => (0.0..=1.0).contains(&relative_error),
    };
    if !sound {
        return entry(format!("{what}: its range does not fit its kind (a share is 0 to 100, rates and counts are not negative)"));
    }
    if !(raw.weight.is_finite() && (0.0..=1000.0).contains(&raw.weight)) {
        return entry(format!("{what}: weight is 0 to 1000"));
    }
    Ok(Indicator {
        id: raw.id.clone(),
        block: raw.block.clone(),
        name: raw.name.clone(),
        unit: word(&all.unit, &raw.unit, "unit")?,
        direction: raw.direction,
        source: word(&all.source, &raw.source, "source")?,
        period: raw.period,
        min,
        max,
        calm,
        strained,
        legal_basis: word(&all.basis, &raw.basis, "basis")?,
        weight: raw.weight,
        proposal: raw.proposal,
        kind: raw.kind,
        counts: raw.counts,
        official: raw.official,
    })
}

fn named(name: &Trilingual, what: &str) -> Result<(), CatalogueError> {
    if [&name.kk, &name.ru, &name.en].iter().any(|n| n.trim().is_empty()) {
        return entry(format!("{what}: a name is missing (kk, ru, en)"));
    }
    Ok(())
}

fn entry<T>(reason: impl Into<String>) -> Result<T, CatalogueError> {
    Err(CatalogueError::Entry(reason.into()))
}
