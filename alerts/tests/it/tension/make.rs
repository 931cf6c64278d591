//! Catalogues and values for the tests.

use qorgan_alerts::tension::{Aggregation, Index, Inputs, Method, Normalisation, Perturb, compute};
use qorgan_domain::{AreaCode, Basis, Block, Catalogue, Direction, Indicator, Observation, PeriodKind, Trilingual, ValueKind};

pub(crate) fn name(text: &str) -> Trilingual {
    Trilingual { kk: text.into(), ru: text.into(), en: text.into() }
}

pub(crate) fn area(n: usize) -> AreaCode {
    format!("{:09}", 310_000_000 + n).parse().unwrap()
}

/// Blocks with so many indicators each, `b0-0`, `b0-1`, `b1-0` and so on; measurements by quarter, 0 to 1000, more is worse.
pub(crate) fn catalogue(blocks: &[usize]) -> Catalogue {
    let block = |at: usize| Block { id: format!("b{at}").parse().unwrap(), name: name("b"), weight: 1.0, zero_by_rule: false };
    let indicators = blocks.iter().enumerate().flat_map(|(b, count)| (0..*count).map(move |i| indicator(b, i)));
    Catalogue { version: "t".into(), blocks: (0..blocks.len()).map(block).collect(), indicators: indicators.collect() }
}

fn indicator(block: usize, at: usize) -> Indicator {
    Indicator {
        id: format!("b{block}-{at}").parse().unwrap(),
        block: format!("b{block}").parse().unwrap(),
        name: name("i"),
        unit: name("u"),
        direction: Direction::MoreIsWorse,
        source: name("s"),
        period: PeriodKind::Quarter,
        min: 0.0,
        max: 1000.0,
        calm: 0.0,
        strained: 1000.0,
        legal_basis: name("l"),
        weight: 1.0,
        proposal: true,
        kind: ValueKind::Measure { relative_error: 0.05 },
        counts: None,
        official: true,
    }
}

pub(crate) fn value(at: usize, indicator: &str, period: &str, value: f64) -> Observation {
    let (indicator, period) = (indicator.parse().unwrap(), period.parse().unwrap());
    Observation { area: area(at), indicator, period, value, basis: Basis::Denominator(1000.0) }
}

/// A method without any chance in it.
pub(crate) fn plain(catalogue: &Catalogue, normalisation: Normalisation, within: Aggregation, across: Aggregation) -> Method {
    let perturb = Perturb { weights: 0.0, normalisation: false, values: false, imputation: false };
    Method { normalisation, within, across, trim: 0.0, draws: 100, perturb, ..Method::first(catalogue) }
}

pub(crate) fn index(catalogue: &Catalogue, method: &Method, areas: &[AreaCode], values: &[Observation]) -> Index {
    let until = jiff::civil::date(2030, 12, 31);
    compute(&Inputs { catalogue, method, areas, values, until }, 2).unwrap()
}
