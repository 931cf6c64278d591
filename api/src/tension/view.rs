//! JSON of the index. A score that may not be shown has no value, no band and no class.

use qorgan_alerts::tension::{
    Band, Heading, IndicatorScore, Standing, Trend, Why, class, rank,
    rank::Place,
    trend::{PERIODS, trend},
    words,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Results;
use crate::view::Names;

/// What a map or series is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum What {
    /// All blocks together.
    Overall,
    /// A block, by its place in the catalogue.
    Block(usize),
    /// An indicator, by its place in the catalogue.
    Indicator(usize),
}

/// Four decimals: contributions still add up to what is shown.
pub fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// The middle nine tenths of the draws.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct BandView {
    /// One draw in twenty is below.
    pub p5: f64,
    /// Half are below.
    pub p50: f64,
    /// One in twenty is above.
    pub p95: f64,
}

impl From<Band> for BandView {
    fn from(band: Band) -> Self {
        Self { p5: round(band.p5), p50: round(band.p50), p95: round(band.p95.min(10.0)) }
    }
}

/// Dynamics.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct TrendView {
    /// Since the period before.
    pub change: Option<f64>,
    /// Theil-Sen slope, points a year.
    pub slope_per_year: Option<f64>,
    /// `rising`, `falling`, `steady` (no change that could be told from chance), `unknown`.
    pub direction: &'static str,
    /// Periods looked at.
    pub periods: usize,
}

impl From<Trend> for TrendView {
    fn from(trend: Trend) -> Self {
        let direction = match trend.direction {
            Heading::Rising => "rising",
            Heading::Falling => "falling",
            Heading::Steady => "steady",
            Heading::Unknown => "unknown",
        };
        Self { change: trend.change.map(round), slope_per_year: trend.slope_per_year.map(round), direction, periods: trend.periods }
    }
}

/// A score.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ScoreView {
    /// Whether it may be coloured.
    pub shown: bool,
    /// `coverage_below_floor` or `no_values` when not.
    pub why: Option<&'static str>,
    /// 0 calm to 10 strained.
    pub value: Option<f64>,
    /// Its uncertainty.
    pub band: Option<BandView>,
    /// Colour, 1 to 5.
    pub class: Option<u8>,
    /// Share of the weight that values are there for.
    pub coverage: f64,
    /// Place, 1 for the most strained; null where bands overlap.
    pub rank: Option<usize>,
    /// First place it may have.
    pub rank_from: Option<usize>,
    /// Last place it may have.
    pub rank_to: Option<usize>,
    /// Dynamics; null in results of earlier methods.
    pub trend: Option<TrendView>,
}

/// Why something is not shown, as JSON says it.
pub(super) fn why(why: Option<Why>) -> Option<&'static str> {
    why.map(|why| match why {
        Why::NoValues => "no_values",
        Why::CoverageBelowFloor => "coverage_below_floor",
    })
}

impl ScoreView {
    /// The view of a score, with its place and dynamics.
    pub fn new(standing: Standing, place: Option<Place>, trend: Option<Trend>) -> Self {
        let shown = standing.shown();
        // A hidden score has no place: nothing of it may be told by the back door.
        let place = place.filter(|_| shown.is_some());
        Self {
            shown: shown.is_some(),
            why: why(standing.why()),
            value: shown.map(|s| round(s.value())),
            band: shown.map(|s| s.band().into()),
            class: shown.map(|s| s.class()),
            coverage: round(standing.coverage()),
            rank: place.and_then(Place::rank),
            rank_from: place.map(|p| p.from),
            rank_to: place.map(|p| p.to),
            trend: trend.map(Into::into),
        }
    }
}

/// The index of an area in a period.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AreaScores {
    /// KATO code.
    pub area: String,
    /// Name.
    pub name: Names,
    /// Of all blocks together.
    pub overall: ScoreView,
    /// Of each block, by id.
    pub blocks: serde_json::Map<String, serde_json::Value>,
}

/// What stands at the head of every answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IndexHead {
    /// Version of the method.
    pub method: i64,
    /// When it was computed, RFC 3339.
    pub computed_at: String,
    /// Something has changed since, and is being computed.
    pub stale: bool,
    /// Values of the demonstration are in it.
    pub demo: bool,
    /// To be shown with it; that of the weight of the block that is zero by rule is the first.
    pub notes: Vec<Names>,
}

impl Results {
    /// The head of an answer.
    pub fn head(&self, stale: bool) -> IndexHead {
        IndexHead {
            method: self.method.method.version,
            computed_at: self.computed_at.to_string(),
            stale,
            demo: self.demo,
            notes: self.notes(),
        }
    }

    /// What every answer and export says.
    pub fn notes(&self) -> Vec<Names> {
        let zero = self.catalogue.blocks.iter().filter(|b| b.zero_by_rule).map(|block| match &self.act {
            Some(act) if act.block == block.id => words::weight_by_act(&block.name, act.weight, &act.basis, &act.expires_on.to_string()),
            _ => words::zero_weight(&block.name),
        });
        let demo = self.demo.then(words::demo);
        zero.chain(demo).chain([words::reading(&self.method.method)]).map(|note| Names::from(&note)).collect()
    }

    /// Its periods, oldest first.
    pub fn period_names(&self) -> Vec<String> {
        self.index.periods.iter().map(|p| p.period.to_string()).collect()
    }

    /// A score in a period.
    pub fn standing(&self, period: usize, area: usize, what: &What) -> Option<Standing> {
        let found = &self.index.periods[period].areas[area];
        match what {
            What::Overall => Some(found.overall),
            What::Block(at) => Some(found.blocks[*at]),
            What::Indicator(_) => None,
        }
    }

    /// What is known of an indicator in a period.
    pub fn indicator(&self, period: usize, area: usize, at: usize) -> Option<IndicatorScore> {
        self.index.periods[period].areas[area].indicators[at]
    }

    /// Dynamics up to a period.
    pub fn trend(&self, period: usize, area: usize, what: &What) -> Trend {
        let from = (period + 1).saturating_sub(PERIODS);
        let score = |p: usize| match what {
            What::Indicator(at) => self.indicator(p, area, *at).map(|i| i.score),
            _ => self.standing(p, area, what).and_then(Standing::shown).map(|s| s.value()),
        };
        trend(&(from..=period).map(score).collect::<Vec<_>>(), self.index.method.step)
    }

    /// Share of the overall weight that an indicator has.
    pub fn weight_share(&self, indicator: usize) -> f64 {
        let method = &self.method.method;
        let weight = |i: &qorgan_domain::Indicator| method.indicator_weights.get(&i.id).copied().unwrap_or(i.weight);
        let own = &self.catalogue.indicators[indicator];
        let of_block: f64 = self.catalogue.indicators.iter().filter(|i| i.block == own.block).map(weight).sum();
        let of_blocks: f64 = method.block_weights.values().sum();
        method.block_weight(&own.block) / of_blocks * weight(own) / of_block
    }
}

/// The index of every area in a period.
pub fn area_scores(results: &Results, period: usize, with_trend: bool) -> Vec<AreaScores> {
    let places = |what: &What| rank::places(&results.bands(period, what));
    let overall = places(&What::Overall);
    let blocks: Vec<_> = (0..results.catalogue.blocks.len()).map(|at| places(&What::Block(at))).collect();
    let trend = |area: usize, what: &What| with_trend.then(|| results.trend(period, area, what));
    let found = &results.index.periods[period].areas;
    let area = |at: usize| AreaScores {
        area: results.areas[at].code.to_string(),
        name: (&results.areas[at].name).into(),
        overall: ScoreView::new(found[at].overall, overall[at], trend(at, &What::Overall)),
        blocks: results
            .catalogue
            .blocks
            .iter()
            .enumerate()
            .map(|(b, block)| {
                let view = ScoreView::new(found[at].blocks[b], blocks[b][at], trend(at, &What::Block(b)));
                (block.id.to_string(), serde_json::to_value(view).unwrap_or_default())
            })
            .collect(),
    };
    (0..found.len()).map(area).collect()
}

/// A point of a series.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Point {
    /// Period.
    pub period: String,
    /// Whether it may be coloured.
    pub shown: bool,
    /// Why not.
    pub why: Option<&'static str>,
    /// 0 to 10.
    pub score: Option<f64>,
    /// Its uncertainty.
    pub band: Option<BandView>,
    /// Share of the weight that values are there for.
    pub coverage: Option<f64>,
    /// Value in the indicator's unit.
    pub value: Option<f64>,
    /// The value is from before this period.
    pub carried: bool,
}

impl Point {
    /// The point of a period.
    pub fn new(results: &Results, period: usize, area: usize, what: &What) -> Self {
        let name = results.index.periods[period].period.to_string();
        if let What::Indicator(at) = what {
            let found = results.indicator(period, area, *at);
            return Self {
                period: name,
                shown: found.is_some(),
                why: why(found.is_none().then_some(Why::NoValues)),
                score: found.map(|i| round(i.score)),
                band: found.map(|i| i.band().into()),
                coverage: None,
                value: found.map(|i| i.value),
                carried: found.is_some_and(|i| i.carried),
            };
        }
        let standing = results.standing(period, area, what).unwrap_or(Standing::Hidden { why: Why::NoValues, coverage: 0.0 });
        let shown = standing.shown();
        Self {
            period: name,
            shown: shown.is_some(),
            why: why(standing.why()),
            score: shown.map(|s| round(s.value())),
            band: shown.map(|s| s.band().into()),
            coverage: Some(round(standing.coverage())),
            value: None,
            carried: false,
        }
    }
}

/// An area on a map.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MapArea {
    /// KATO code.
    pub area: String,
    /// Name.
    pub name: Names,
    /// Whether it may be coloured.
    pub shown: bool,
    /// Why not.
    pub why: Option<&'static str>,
    /// 0 to 10.
    pub score: Option<f64>,
    /// Colour, 1 to 5.
    pub class: Option<u8>,
    /// Its uncertainty.
    pub band: Option<BandView>,
    /// Value in the indicator's unit.
    pub value: Option<f64>,
    /// The period that it is of.
    pub value_period: Option<String>,
    /// From before the period of the map.
    pub carried: bool,
    /// Share of the weight that values are there for.
    pub coverage: Option<f64>,
    /// Place; null where bands overlap.
    pub rank: Option<usize>,
    /// First place it may have.
    pub rank_from: Option<usize>,
    /// Last place it may have.
    pub rank_to: Option<usize>,
}

impl MapArea {
    /// Every area in a period.
    pub fn all(results: &Results, period: usize, what: &What) -> Vec<Self> {
        let places = rank::places(&results.bands(period, what));
        let area = |at: usize| {
            let point = Point::new(results, period, at, what);
            let place = places[at].filter(|_| point.shown);
            let from = if let What::Indicator(i) = what { results.indicator(period, at, *i).map(|i| i.from.to_string()) } else { None };
            Self {
                area: results.areas[at].code.to_string(),
                name: (&results.areas[at].name).into(),
                shown: point.shown,
                why: point.why,
                score: point.score,
                class: point.score.map(class),
                band: point.band,
                value: point.value,
                value_period: from,
                carried: point.carried,
                coverage: point.coverage,
                rank: place.and_then(Place::rank),
                rank_from: place.map(|p| p.from),
                rank_to: place.map(|p| p.to),
            }
        };
        (0..results.areas.len()).map(area).collect()
    }
}

/// A block on the page of an area.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BlockRow {
    /// Id.
    pub id: String,
    /// Name.
    pub name: Names,
    /// Weight in the method.
    pub effective_weight: f64,
    /// Weight 0 by principle.
    pub zero_by_rule: bool,
    /// Its score.
    pub score: ScoreView,
    /// What it adds to the overall index.
    pub contribution: Option<f64>,
    /// Mean of that over the areas that are shown.
    pub average: Option<f64>,
}

/// An indicator on the page of an area.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IndicatorRow {
    /// Id.
    pub id: String,
    /// Block.
    pub block: String,
    /// Name.
    pub name: Names,
    /// Unit.
    pub unit: Names,
    /// `more_is_worse` or `more_is_better`.
    pub direction: &'static str,
    /// Value in its unit.
    pub value: Option<f64>,
    /// The period that it is of.
    pub value_period: Option<String>,
    /// From before the period of the page.
    pub carried: bool,
    /// Who gave it.
    pub source: Option<String>,
    /// `{"denominator": ...}` or `{"cases": ...}`.
    pub basis: Option<serde_json::Value>,
    /// 0 to 10.
    pub score: Option<f64>,
    /// Share of the overall weight.
    pub weight_share: f64,
    /// What it adds to the overall index.
    pub contribution: Option<f64>,
    /// Mean of that over the areas that are shown.
    pub average: Option<f64>,
    /// There is no value.
    pub missing: bool,
}

/// Blocks and indicators of an area in a period.
pub fn rows(results: &Results, period: usize, area: usize) -> (Vec<BlockRow>, Vec<IndicatorRow>) {
    let found = &results.index.periods[period].areas;
    let shown: Vec<usize> = (0..found.len()).filter(|at| found[*at].overall.shown().is_some()).collect();
    let own_shown = found[area].overall.shown().is_some();
    let of = |at: usize, i: usize| found[at].indicators[i].map_or(0.0, |i| i.contribution);
    let mean = |sum: f64| (!shown.is_empty()).then(|| round(sum / shown.len() as f64));
    let indicators: Vec<IndicatorRow> = results
        .catalogue
        .indicators
        .iter()
        .enumerate()
        .map(|(i, indicator)| {
            let score = found[area].indicators[i];
            // Of a mean of several values the newest one says where it comes from.
            let origin = score.and_then(|s| origin(results, area, i, s));
            IndicatorRow {
                id: indicator.id.to_string(),
                block: indicator.block.to_string(),
                name: (&indicator.name).into(),
                unit: (&indicator.unit).into(),
                direction: direction(indicator),
                value: score.map(|s| s.value),
                value_period: score.map(|s| s.from.to_string()),
                carried: score.is_some_and(|s| s.carried),
                source: origin.as_ref().map(|(_, source)| source.clone()),
                basis: origin.map(|(basis, _)| basis),
                score: score.map(|s| round(s.score)),
                weight_share: round(results.weight_share(i)),
                contribution: score.filter(|_| own_shown).map(|s| round(s.contribution)),
                average: mean(shown.iter().map(|at| of(*at, i)).sum()),
                missing: score.is_none(),
            }
        })
        .collect();
    let blocks = results.catalogue.blocks.iter().enumerate().map(|(b, block)| {
        let mine = || results.catalogue.indicators.iter().enumerate().filter(|(_, i)| i.block == block.id).map(|(i, _)| i);
        let what = What::Block(b);
        let place = rank::places(&results.bands(period, &what))[area];
        BlockRow {
            id: block.id.to_string(),
            name: (&block.name).into(),
            effective_weight: results.method.method.block_weight(&block.id),
            zero_by_rule: block.zero_by_rule,
            score: ScoreView::new(found[area].blocks[b], place, Some(results.trend(period, area, &what))),
            contribution: own_shown.then(|| round(mine().map(|i| of(area, i)).sum())),
            average: mean(shown.iter().map(|at| mine().map(|i| of(*at, i)).sum::<f64>()).sum()),
        }
    });
    (blocks.collect(), indicators)
}

fn origin(results: &Results, area: usize, indicator: usize, score: IndicatorScore) -> Option<(serde_json::Value, String)> {
    let (basis, source) = results.origin(area, indicator, score.from)?;
    Some((serde_json::to_value(basis).unwrap_or_default(), source.to_owned()))
}

/// As JSON says it.
pub fn direction(indicator: &qorgan_domain::Indicator) -> &'static str {
    match indicator.direction {
        qorgan_domain::Direction::MoreIsWorse => "more_is_worse",
        qorgan_domain::Direction::MoreIsBetter => "more_is_better",
    }
}
