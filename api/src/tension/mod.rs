//! The tension index of the running hub: computed in the background, served from memory.
//!
//! ```text
//! mod.rs      what is served, and the task that keeps it: values or method changed -> compute -> store -> memory -> screens
//! current.rs  which method holds: the newest one, with the weight that an act in force gives
//! view.rs     JSON
//! export.rs   XLSX
//! ```
//!
//! Whoever changes values calls [`Tension::changed`]; that costs nothing and waits for nothing.

mod current;
mod export;
mod view;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use qorgan_alerts::{
    store::{StoredMethod, StoredObservation, StoredResult},
    tension::{Act, Band, Forecast, ForecastError, Index, Inputs, act, compute},
};
use qorgan_domain::{AreaCode, Basis, Catalogue, Observation, Period, Trilingual, UtcMs};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    error::chain,
    hub::{App, Change},
};

pub(crate) use current::fitted;
pub use export::xlsx;
pub use view::{
    AreaScores, BlockRow, IndexHead, IndicatorRow, MapArea, Point, ScoreView, TrendView, What, area_scores, direction, round, rows,
};

/// Changes that come together are computed together.
const SETTLE: Duration = Duration::from_millis(300);
/// Pause after the store did not answer.
const RETRY: Duration = Duration::from_secs(20);
/// Looked at again after this: a day or a period has ended, an act has expired.
const AGAIN: Duration = Duration::from_secs(1800);
/// Source of demonstration data.
pub const DEMO: &str = "demo";

/// What is served, and the bell of the task that keeps it.
#[derive(Default)]
pub struct Tension {
    bell: Notify,
    /// Changes that were told, and those that are in what is served.
    told: AtomicU64,
    done: AtomicU64,
    state: RwLock<Option<Arc<Results>>>,
    forecasts: Mutex<HashMap<ForecastKey, Arc<Result<Forecast, ForecastError>>>>,
}

/// Area, what of it, steps ahead; the results it was made of.
type ForecastKey = (AreaCode, What, usize, UtcMs);

/// What was computed last.
pub struct Results {
    /// Blocks and indicators.
    pub catalogue: Arc<Catalogue>,
    /// How.
    pub method: StoredMethod,
    /// The act whose weight is in it.
    pub act: Option<Act>,
    /// The index.
    pub index: Index,
    /// When.
    pub computed_at: UtcMs,
    /// Whether values of the demonstration are in it.
    pub demo: bool,
    /// Names, schematic or not, and centres of the areas, in the order of the index.
    pub areas: Vec<AreaName>,
    /// What values rest on: by place of area and indicator, and period; sorted.
    origins: Vec<((u32, u32, Period), Origin)>,
    sources: Vec<String>,
}

/// An area as it was when the index was computed.
#[derive(Debug, Clone)]
pub struct AreaName {
    /// KATO code.
    pub code: AreaCode,
    /// Name.
    pub name: Trilingual,
    /// Drawn, not surveyed.
    pub schematic: bool,
    /// `[lat, lon]`
    pub centre: Option<[f64; 2]>,
}

#[derive(Debug, Clone, Copy)]
struct Origin {
    basis: Basis,
    source: u32,
}

impl Tension {
    /// Values, methods, acts or areas have changed: everything is computed anew, soon.
    pub fn changed(&self) {
        self.told.fetch_add(1, Ordering::AcqRel);
        self.bell.notify_one();
    }

    /// What was computed last; none in the first moments after a start.
    pub fn results(&self) -> Option<Arc<Results>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether something has changed that is not in it yet.
    pub fn is_stale(&self) -> bool {
        self.told.load(Ordering::Acquire) != self.done.load(Ordering::Acquire)
    }

    fn put(&self, results: Results, told: u64) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(results));
        self.forecasts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.done.store(told, Ordering::Release);
    }

    /// A forecast, made once for each result. Takes some milliseconds the first time: not for a thread that serves others.
    pub fn forecast(&self, results: &Results, area: usize, what: &What, steps: usize) -> Arc<Result<Forecast, ForecastError>> {
        let key = (results.areas[area].code.clone(), what.clone(), steps, results.computed_at);
        if let Some(found) = self.forecasts.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return found.clone();
        }
        let series = results.series(area, what);
        let season = results.index.method.step.a_year();
        let found = Arc::new(qorgan_alerts::tension::forecast::forecast(&series, season, steps, results.range(what)));
        let mut kept = self.forecasts.lock().unwrap_or_else(PoisonError::into_inner);
        // Some thousand areas times blocks and steps; whoever asks for more than that has them made anew.
        if kept.len() >= 20_000 {
            kept.clear();
        }
        kept.insert(key, found.clone());
        found
    }
}

impl Results {
    /// The place of an area.
    pub fn area(&self, code: &str) -> Option<usize> {
        self.areas.iter().position(|a| a.code.as_str() == code)
    }

    /// The place of a period.
    pub fn period(&self, period: Period) -> Option<usize> {
        self.index.periods.iter().position(|p| p.period == period)
    }

    /// Scores (or values, of an indicator) through time, for a forecast.
    fn series(&self, area: usize, what: &What) -> Vec<Option<f64>> {
        let of = |period: &qorgan_alerts::tension::PeriodIndex| {
            let area = &period.areas[area];
            match what {
                What::Overall => area.overall.shown().map(|s| s.value()),
                What::Block(at) => area.blocks[*at].shown().map(|s| s.value()),
                // What is carried was not observed: the forecast must not learn that nothing ever changes.
                What::Indicator(at) => area.indicators[*at].filter(|i| !i.carried).map(|i| i.value),
            }
        };
        self.index.periods.iter().map(of).collect()
    }

    /// What a forecast is made of, by period.
    pub fn past(&self, area: usize, what: &What) -> Vec<(Period, Option<f64>)> {
        self.index.periods.iter().map(|p| p.period).zip(self.series(area, what)).collect()
    }

    fn range(&self, what: &What) -> (f64, f64) {
        match what {
            What::Indicator(at) => (self.catalogue.indicators[*at].min, self.catalogue.indicators[*at].max),
            _ => (0.0, 10.0),
        }
    }

    /// Bands of all areas in a period, for their ranks.
    pub fn bands(&self, period: usize, what: &What) -> Vec<Option<Band>> {
        let of = |area: &qorgan_alerts::tension::AreaIndex| match what {
            What::Overall => area.overall.shown().map(|s| s.band()),
            What::Block(at) => area.blocks[*at].shown().map(|s| s.band()),
            What::Indicator(at) => area.indicators[*at].map(|i| i.band()),
        };
        self.index.periods[period].areas.iter().map(of).collect()
    }

    /// What a value rests on and who gave it.
    pub fn origin(&self, area: usize, indicator: usize, period: Period) -> Option<(Basis, &str)> {
        let key = (u32::try_from(area).ok()?, u32::try_from(indicator).ok()?, period);
        let at = self.origins.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        let origin = self.origins[at].1;
        Some((origin.basis, self.sources.get(origin.source as usize)?))
    }
}

/// Keeps the results until cancelled.
pub async fn keep(app: App, cancel: CancellationToken) {
    app.tension.changed();
    loop {
        let pause = match recompute(&app).await {
            Ok(()) => AGAIN,
            Err(error) => {
                tracing::warn!(error = chain(&error), "the tension index could not be computed; the last one is served");
                RETRY
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = app.tension.bell.notified() => {}
            () = tokio::time::sleep(pause) => app.tension.changed(),
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(SETTLE) => {}
        }
    }
}

/// Why nothing was computed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] qorgan_alerts::Error),
    #[error(transparent)]
    Index(#[from] qorgan_alerts::tension::TensionError),
    #[error("the computation broke off")]
    Broke,
}

async fn recompute(app: &App) -> Result<(), Failure> {
    // Whatever is told from here on is computed next time.
    let told = app.tension.told.load(Ordering::Acquire);
    let now = app.clock.utc();
    let catalogue = app.config.catalogue.clone();
    let act = act::in_force(&app.store.weight_acts().await?, now).cloned();
    let method = current::method(&app.store, &catalogue, act.as_ref(), now).await?;
    let values = app.store.indicator_values(None).await?;
    let outlines = app.areas();
    let areas: Vec<AreaName> = outlines
        .iter()
        .map(|area| AreaName {
            code: area.code.clone(),
            name: area.name.clone(),
            schematic: area.schematic,
            centre: area.centre.map(Into::into),
        })
        .collect();
    // Half of the machine at most: cameras and alarms go first.
    let threads = std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2);
    let work = tokio::task::spawn_blocking(move || {
        let results = make(catalogue, method, act, areas, values, now, threads)?;
        let bodies = bodies(&results);
        Ok::<_, Failure>((results, bodies))
    });
    let (results, bodies) = work.await.map_err(|_| Failure::Broke)??;
    for refused in results.index.refused.iter().take(20) {
        let o = &refused.observation;
        tracing::warn!(area = %o.area, indicator = %o.indicator, period = %o.period, reason = %refused.reason, "a value is left out of the index");
    }
    keep_results(app, &results, bodies).await?;
    app.tension.put(results, told);
    app.ring.push([Change::Tension]);
    Ok(())
}

fn make(
    catalogue: Arc<Catalogue>,
    method: StoredMethod,
    act: Option<Act>,
    areas: Vec<AreaName>,
    values: Vec<StoredObservation>,
    now: UtcMs,
    threads: usize,
) -> Result<Results, Failure> {
    let codes: Vec<AreaCode> = areas.iter().map(|a| a.code.clone()).collect();
    let area_at: HashMap<&AreaCode, u32> = codes.iter().zip(0..).collect();
    let indicator_at: HashMap<&str, u32> = catalogue.indicators.iter().map(|i| i.id.as_str()).zip(0..).collect();
    let (mut origins, mut sources) = (Vec::with_capacity(values.len()), Vec::<String>::new());
    let mut source_at: HashMap<String, u32> = HashMap::new();
    let mut observations: Vec<Observation> = Vec::with_capacity(values.len());
    for value in values {
        let o = value.observation;
        if let (Some(area), Some(indicator)) = (area_at.get(&o.area), indicator_at.get(o.indicator.as_str())) {
            let source = *source_at.entry(value.source).or_insert_with_key(|source| {
                sources.push(source.clone());
                u32::try_from(sources.len() - 1).unwrap_or(u32::MAX)
            });
            origins.push(((*area, *indicator, o.period), Origin { basis: o.basis, source }));
        }
        observations.push(o);
    }
    origins.sort_by_key(|(key, _)| *key);
    let until = act::day_of(now);
    let inputs = Inputs { catalogue: &catalogue, method: &method.method, areas: &codes, values: &observations, until };
    let index = compute(&inputs, threads)?;
    let demo = sources.iter().any(|source| source == DEMO);
    Ok(Results { catalogue, method, act, index, computed_at: now, demo, areas, origins, sources })
}

/// JSON of each period, as the store keeps it.
fn bodies(results: &Results) -> Vec<StoredResult> {
    let body = |at: usize| serde_json::to_string(&area_scores(results, at, false)).unwrap_or_default();
    let of = |(at, period): (usize, &qorgan_alerts::tension::PeriodIndex)| StoredResult {
        period: period.period,
        computed_at: results.computed_at,
        body: body(at),
    };
    results.index.periods.iter().enumerate().map(of).collect()
}

/// Writes what differs from what the store has of this method.
async fn keep_results(app: &App, results: &Results, bodies: Vec<StoredResult>) -> Result<(), qorgan_alerts::Error> {
    let version = results.method.method.version;
    let mut changed = Vec::new();
    for result in bodies {
        let kept = app.store.tension_result(version, result.period).await?;
        if kept.is_none_or(|kept| kept.body != result.body) {
            changed.push(result);
        }
    }
    app.store.save_tension_results(version, &changed).await
}
