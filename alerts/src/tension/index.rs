//! All of it together: values in, an index for every area and period out.

use qorgan_domain::{AreaCode, Catalogue, Observation, Period, ValueError};
use rayon::prelude::*;

use super::{
    Band, Standing,
    combine::{combine, contributions},
    draws::{Drawn, Plan, band, fnv},
    method::{Method, MethodError},
    panel::{Cell, Panel},
    scale::{Scale, moments},
};

/// What an index is made of. Nothing else enters it.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Blocks and indicators.
    pub catalogue: &'a Catalogue,
    /// Every choice.
    pub method: &'a Method,
    /// Areas that it is for.
    pub areas: &'a [AreaCode],
    /// Values, in any order.
    pub values: &'a [Observation],
    /// Today: periods that begin later are left out.
    pub until: jiff::civil::Date,
}

/// Why there is no index.
#[derive(Debug, thiserror::Error)]
pub enum TensionError {
    /// The method does not fit the catalogue.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// No threads could be had.
    #[error("threads for the index: {0}")]
    Threads(String),
}

/// A value that was not used, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The value.
    pub observation: Observation,
    /// Why.
    pub reason: ValueError,
}

/// The index of all areas through time.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// How it was made.
    pub method: Method,
    /// Areas, in the order of every [`PeriodIndex`].
    pub areas: Vec<AreaCode>,
    /// Periods, oldest first.
    pub periods: Vec<PeriodIndex>,
    /// Values that were left out.
    pub refused: Vec<Refused>,
    /// Values that were used.
    pub taken: usize,
}

/// The index of all areas in a period.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodIndex {
    /// Which.
    pub period: Period,
    /// By area.
    pub areas: Vec<AreaIndex>,
}

/// The index of an area in a period.
#[derive(Debug, Clone, PartialEq)]
pub struct AreaIndex {
    /// Of all blocks together.
    pub overall: Standing,
    /// Of each block, in the catalogue's order.
    pub blocks: Vec<Standing>,
    /// Of each indicator, in the catalogue's order; none where there is no value.
    pub indicators: Vec<Option<IndicatorScore>>,
}

/// What is known of an indicator in an area and period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndicatorScore {
    /// Value, in the indicator's unit.
    pub value: f64,
    /// Its score, 0 to 10.
    pub score: f64,
    /// How far the score moves with the value's standard error.
    pub spread: f64,
    /// What it adds to the overall index; all of them add up to it.
    pub contribution: f64,
    /// Newest period that the value comes from.
    pub from: Period,
    /// The value is from before this period.
    pub carried: bool,
}

impl IndicatorScore {
    /// The score within the sampling error of its value.
    pub fn band(&self) -> Band {
        // 1.645 standard errors hold nine tenths.
        let reach = 1.645 * self.spread;
        Band { p5: (self.score - reach).max(0.0), p50: self.score, p95: (self.score + reach).min(10.0) }
    }
}

/// Computes the index on so many threads. The result is the same for any number of them.
pub fn compute(inputs: &Inputs<'_>, threads: usize) -> Result<Index, TensionError> {
    let Inputs { catalogue, method, areas, values, until } = *inputs;
    let blocks_by_rule = method.weight_act.and_then(|_| {
        let block = catalogue.blocks.iter().find(|b| b.zero_by_rule)?;
        Some((&block.id, method.block_weight(&block.id)))
    });
    method.check(catalogue, blocks_by_rule)?;
    let panel = Panel::build(catalogue, areas, values, method.step, until);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).thread_name(|n| format!("tension-{n}")).build();
    let pool = pool.map_err(|error| TensionError::Threads(error.to_string()))?;
    let periods = pool.install(|| {
        let maker = Maker::new(catalogue, method, areas, &panel);
        (0..panel.periods.len()).into_par_iter().map(|period| maker.period(period)).collect()
    });
    Ok(Index { method: method.clone(), areas: areas.to_vec(), periods, refused: panel.refused, taken: panel.taken })
}

struct Maker<'a> {
    panel: &'a Panel,
    method: &'a Method,
    plan: Plan,
    /// Weight of each indicator in its block.
    weights: Vec<f64>,
    /// Weight of each block, and its indicators: places from..to in the catalogue.
    blocks: Vec<(f64, std::ops::Range<usize>)>,
    /// Of each indicator: its normalisations, the method's own first, with what brings another one to its level.
    scales: Vec<Vec<Levelled>>,
    /// Standard deviation of each indicator's scores over everything.
    usual: Vec<f64>,
    area_names: Vec<u64>,
    indicator_names: Vec<u64>,
}

/// A normalisation brought to the level and spread of the method's own: the choice then moves areas against each other, not all
/// of them up or down.
struct Levelled {
    scale: Scale,
    shift: f64,
    factor: f64,
}

impl Levelled {
    fn score(&self, cell: &Cell) -> (f64, f64) {
        let score = self.shift + self.factor * self.scale.score(cell.value);
        (score.clamp(0.0, 10.0), self.factor * self.scale.spread(cell.value, cell.error))
    }
}

/// What is found out about an area before anything is drawn.
struct Draft {
    cells: Vec<Option<Drawn>>,
    own: Vec<Option<(f64, f64)>>,
    /// Score and coverage of each block.
    blocks: Vec<(Option<f64>, f64)>,
    overall: Option<f64>,
    coverage: f64,
}

impl<'a> Maker<'a> {
    fn new(catalogue: &'a Catalogue, method: &'a Method, areas: &[AreaCode], panel: &'a Panel) -> Self {
        let weights: Vec<f64> =
            catalogue.indicators.iter().map(|i| method.indicator_weights.get(&i.id).copied().unwrap_or(i.weight)).collect();
        let plan = Plan::new(catalogue, method, &weights);
        let range = |id| {
            let from = catalogue.indicators.iter().position(|i| i.block == id).unwrap_or_default();
            from..from + catalogue.indicators.iter().filter(|i| i.block == id).count()
        };
        let blocks = catalogue.blocks.iter().map(|b| (method.block_weight(&b.id), range(b.id.clone()))).collect();
        let fitted: Vec<(Vec<Levelled>, f64)> = (0..panel.indicators)
            .into_par_iter()
            .map(|at| {
                let values = values_of(panel, method, at);
                let scales: Vec<Scale> =
                    plan.scales.iter().map(|how| Scale::fit(*how, &catalogue.indicators[at], &values, method.trim)).collect();
                levelled(scales, &values)
            })
            .collect();
        let (scales, usual) = fitted.into_iter().unzip();
        let area_names = areas.iter().map(|a| fnv(a.as_str())).collect();
        let indicator_names = catalogue.indicators.iter().map(|i| fnv(i.id.as_str()).rotate_left(21)).collect();
        Self { panel, method, plan, weights, blocks, scales, usual, area_names, indicator_names }
    }

    fn period(&self, period: usize) -> PeriodIndex {
        let name = self.panel.periods[period];
        let salt = fnv(&name.to_string()).rotate_left(42);
        let drafts: Vec<Draft> = (0..self.panel.areas).map(|area| self.draft(period, area, salt)).collect();
        let between = |scores: Vec<f64>, usual: f64| if scores.len() < 3 { usual } else { moments(&scores).1 };
        let indicators: Vec<f64> = (0..self.panel.indicators)
            .map(|at| between(drafts.iter().filter_map(|d| d.own[at].map(|(score, _)| score)).collect(), self.usual[at]))
            .collect();
        // Two points of ten where fewer than three areas say how blocks differ.
        let blocks: Vec<f64> =
            (0..self.blocks.len()).map(|at| between(drafts.iter().filter_map(|d| d.blocks[at].0).collect(), 2.0)).collect();
        let mut scratch = Scratch::new(self.plan.draws);
        let areas = drafts.iter().enumerate().map(|(area, draft)| self.area(period, area, salt, draft, &indicators, &blocks, &mut scratch));
        PeriodIndex { period: name, areas: areas.collect() }
    }

    /// Scores without any draw.
    fn draft(&self, period: usize, area: usize, salt: u64) -> Draft {
        let row = self.panel.row(period, area);
        let drawn = |(at, cell): (usize, &Option<Cell>)| {
            cell.as_ref().map(|cell| {
                let mut scores = [(0.0, 0.0); 4];
                for (place, scale) in self.scales[at].iter().enumerate() {
                    let (score, spread) = scale.score(cell);
                    scores[place] = (score as f32, if self.method.perturb.values { spread as f32 } else { 0.0 });
                }
                Drawn { part: at, place: self.plan.place(self.indicator_names[at] ^ self.area_names[area] ^ salt), scores }
            })
        };
        let cells: Vec<Option<Drawn>> = row.iter().enumerate().map(drawn).collect();
        let own: Vec<Option<(f64, f64)>> =
            row.iter().enumerate().map(|(at, cell)| cell.as_ref().map(|cell| self.scales[at][0].score(cell))).collect();
        let blocks: Vec<(Option<f64>, f64)> = self
            .blocks
            .iter()
            .map(|(_, range)| {
                let parts: Vec<(f64, f64)> = range.clone().filter_map(|at| Some((self.weights[at], own[at]?.0))).collect();
                let all: f64 = range.clone().map(|at| self.weights[at]).sum();
                let known: f64 = parts.iter().map(|(w, _)| w).sum();
                (combine(self.method.within, &parts), if all > 0.0 { known / all } else { 0.0 })
            })
            .collect();
        let (overall, coverage) = self.overall(&blocks);
        Draft { cells, own, blocks, overall, coverage }
    }

    /// Of the blocks above the floor; coverage of all. None while they hold less of the weight than the floor.
    fn overall(&self, blocks: &[(Option<f64>, f64)]) -> (Option<f64>, f64) {
        let all: f64 = self.blocks.iter().map(|(w, _)| w).sum();
        let coverage = self.blocks.iter().zip(blocks).map(|((w, _), (_, c))| w * c).sum::<f64>() / all;
        let parts = self.known(blocks);
        let known: f64 = parts.iter().map(|(w, _)| w).sum();
        let enough = known / all + 1e-9 >= self.method.floor;
        (combine(self.method.across, &parts).filter(|_| enough), coverage)
    }

    fn known(&self, blocks: &[(Option<f64>, f64)]) -> Vec<(f64, f64)> {
        let shown = |(score, coverage): &(Option<f64>, f64)| score.filter(|_| coverage + 1e-9 >= self.method.floor);
        self.blocks.iter().zip(blocks).map(|((w, _), block)| shown(block).map_or((0.0, 0.0), |s| (*w, s))).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "one caller; what it takes is that caller's state")]
    fn area(
        &self,
        period: usize,
        area: usize,
        salt: u64,
        draft: &Draft,
        indicators: &[f64],
        between: &[f64],
        scratch: &mut Scratch,
    ) -> AreaIndex {
        let floor = self.method.floor;
        let mut blocks = Vec::with_capacity(self.blocks.len());
        scratch.sum.fill(0.0);
        for (at, (weight, range)) in self.blocks.iter().enumerate() {
            let (score, coverage) = draft.blocks[at];
            let enough = coverage > 0.0 && coverage + 1e-9 >= floor;
            let place = |extra: u64| self.plan.place(self.area_names[area] ^ salt ^ extra);
            match score.filter(|_| enough) {
                Some(score) => {
                    scratch.cells.clear();
                    scratch.cells.extend(range.clone().map(|at| {
                        // A missing one stands in around the block's others, as the indicator differs between areas.
                        draft.cells[at].unwrap_or_else(|| {
                            let spread = if self.method.perturb.imputation { indicators[at] as f32 } else { 0.0 };
                            Drawn { part: at, place: place(self.indicator_names[at]), scores: [(score as f32, spread); 4] }
                        })
                    }));
                    self.plan.block(&scratch.cells, &mut scratch.block);
                    if *weight > 0.0 {
                        self.plan.add(at, &scratch.block, &mut scratch.sum);
                    }
                    let found = band(score, &mut scratch.block, &mut scratch.bits);
                    blocks.push(Standing::judge(Some((score, found)), coverage, floor));
                }
                None => {
                    if *weight > 0.0
                        && let Some(overall) = draft.overall
                    {
                        let spread = if self.method.perturb.imputation { between[at] as f32 } else { 0.0 };
                        self.plan.unknown(place(at as u64 + 1), overall as f32, spread, &mut scratch.block);
                        self.plan.add(at, &scratch.block, &mut scratch.sum);
                    }
                    blocks.push(Standing::judge(None, coverage, floor));
                }
            }
        }
        self.plan.finish(&mut scratch.sum);
        let overall = draft.overall.map(|value| (value, band(value, &mut scratch.sum, &mut scratch.bits)));
        let overall = Standing::judge(overall, draft.coverage, floor);
        AreaIndex { overall, blocks, indicators: self.scores(period, area, draft, overall) }
    }

    fn scores(&self, period: usize, area: usize, draft: &Draft, overall: Standing) -> Vec<Option<IndicatorScore>> {
        let mut shares = vec![0.0; self.panel.indicators];
        if overall.shown().is_some() {
            let of_blocks = contributions(self.method.across, &self.known(&draft.blocks));
            for ((_, range), of_block) in self.blocks.iter().zip(of_blocks) {
                let present: Vec<usize> = range.clone().filter(|at| draft.own[*at].is_some()).collect();
                let parts: Vec<(f64, f64)> =
                    present.iter().map(|at| (self.weights[*at], draft.own[*at].map_or(0.0, |(score, _)| score))).collect();
                let within = contributions(self.method.within, &parts);
                let sum: f64 = within.iter().sum();
                for (at, part) in present.into_iter().zip(within) {
                    shares[at] = if sum > 0.0 { of_block * part / sum } else { 0.0 };
                }
            }
        }
        (0..self.panel.indicators)
            .map(|at| {
                let (cell, (score, spread)) = (self.panel.cell(period, area, at)?, draft.own[at]?);
                let Cell { value, from, carried, .. } = cell;
                Some(IndicatorScore { value, score, spread, contribution: shares[at], from, carried })
            })
            .collect()
    }
}

/// Room for the draws of one area.
struct Scratch {
    block: Vec<f32>,
    sum: Vec<f32>,
    bits: Vec<u32>,
    cells: Vec<Drawn>,
}

impl Scratch {
    fn new(draws: usize) -> Self {
        Self { block: vec![0.0; draws], sum: vec![0.0; draws], bits: Vec::with_capacity(draws), cells: Vec::new() }
    }
}

/// Values that the normalisation of an indicator is fitted on: each once, in its own period.
fn values_of(panel: &Panel, method: &Method, indicator: usize) -> Vec<f64> {
    let inside =
        |period: Period| method.reference.is_none_or(|r| r.from.first_day() <= period.first_day() && period.last_day() <= r.to.last_day());
    let periods = panel.periods.iter().enumerate().filter(|(_, p)| inside(**p));
    let cells = periods.flat_map(|(period, _)| (0..panel.areas).filter_map(move |area| panel.cell(period, area, indicator)));
    let values: Vec<f64> = cells.filter(|cell| !cell.carried).map(|cell| cell.value).collect();
    if !values.is_empty() || method.reference.is_none() {
        return values;
    }
    // Nothing in the window: the indicator is newer than it, and is fitted on what there is.
    let everything =
        (0..panel.periods.len()).flat_map(|period| (0..panel.areas).filter_map(move |area| panel.cell(period, area, indicator)));
    everything.map(|cell| cell.value).collect()
}

/// Brings the other normalisations to the level of the first; and the standard deviation of its scores.
fn levelled(scales: Vec<Scale>, values: &[f64]) -> (Vec<Levelled>, f64) {
    let of = |scale: &Scale| moments(&values.iter().map(|v| scale.score(*v)).collect::<Vec<_>>());
    let own = scales.first().map_or((5.0, 2.0), of);
    let level = |(place, scale): (usize, Scale)| {
        let (mean, deviation) = if place == 0 { own } else { of(&scale) };
        // One that tells no two values apart has nothing to add: all at the mean of the first.
        let factor = if place == 0 {
            1.0
        } else if deviation > 0.0 {
            own.1 / deviation
        } else {
            0.0
        };
        Levelled { scale, shift: own.0 - factor * mean, factor }
    };
    (scales.into_iter().enumerate().map(level).collect(), own.1)
}
