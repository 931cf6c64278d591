//! Values that programs bring, over HTTP and MQTT: the same judgement as of a file.

use std::{collections::BTreeMap, time::Duration};

use qorgan_alerts::{
    intake::{
        areas::AreaNames,
        disclosure::K,
        period, personal,
        plan::{Plan, Planned, Wrong, judge},
    },
    store::{Added, ImportKind, NewImport},
};
use qorgan_domain::{DeviceId, indicator::Observation, wire::IndicatorWord};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::{area_names, changed, today};
use crate::{config::Machine, error::chain, hub::App};

/// Values of one request.
pub const MAX_VALUES: usize = 5_000;
/// Values over MQTT wait this long for others of their source, so that they become one import.
const GATHER: Duration = Duration::from_millis(500);

/// A value as a program sends it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Brought {
    /// KATO code.
    pub area: String,
    /// Id of the indicator.
    pub indicator: String,
    /// `2026`, `2026-Q3`, `2026-10`, `2026-W47` or `2026-10-31`.
    pub period: String,
    /// In the indicator's unit.
    pub value: f64,
    /// Cases that were counted.
    pub cases: Option<u64>,
    /// Population or other whole.
    pub denominator: Option<f64>,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Which value, from 0.
    pub index: usize,
    /// Which field.
    pub field: &'static str,
    /// What stands there.
    pub value: String,
    /// What was expected.
    pub expected: String,
    /// Code.
    pub code: &'static str,
}

/// What may be taken of a message.
#[derive(Debug, Default)]
pub struct Judged {
    /// Values.
    pub values: Vec<Planned>,
    /// Places of counts that are left out.
    pub suppressed: Vec<usize>,
    /// What is wrong; with any, nothing is taken.
    pub errors: Vec<FieldError>,
}

/// Judges a message of a program.
pub fn judge_all(app: &App, machine: &Machine, brought: &[Brought]) -> Judged {
    let (areas, today) = (area_names(app), today(app));
    let mut judged = Judged::default();
    let mut seen = std::collections::HashSet::new();
    for (index, one) in brought.iter().enumerate() {
        match judge_one(app, machine, &areas, today, one) {
            Err((field, value, expected, code)) => judged.errors.push(FieldError { index, field, value, expected, code }),
            Ok((observation, count)) => {
                if !seen.insert((observation.area.clone(), observation.indicator.clone(), observation.period)) {
                    let expected = "each area, indicator and period once".to_owned();
                    judged.errors.push(FieldError { index, field: "period", value: one.period.clone(), expected, code: "duplicate" });
                } else if count.is_some_and(|count| count < K) {
                    judged.suppressed.push(index);
                } else {
                    let row = u32::try_from(index).unwrap_or(u32::MAX);
                    judged.values.push(Planned { observation, source: None, row });
                }
            }
        }
    }
    judged
}

type Refused = (&'static str, String, String, &'static str);

fn judge_one(
    app: &App,
    machine: &Machine,
    areas: &AreaNames,
    today: jiff::civil::Date,
    one: &Brought,
) -> Result<(Observation, Option<u64>), Refused> {
    let shown = |text: &str| if personal::in_cell(text).is_some() { "…".to_owned() } else { text.chars().take(80).collect() };
    let refuse = |field, value: &str, expected: String, code| Err((field, shown(value), expected, code));
    let area = match areas.find(&one.area) {
        Ok(area) => area,
        Err(expected) => return refuse("area", &one.area, expected, "unknown_area"),
    };
    let indicator = one.indicator.parse().ok().and_then(|id| app.config.catalogue.indicator(&id));
    let Some(indicator) = indicator else {
        return refuse("indicator", &one.indicator, "the id of an indicator of the catalogue".into(), "unknown_indicator");
    };
    if !machine.indicators.contains(&indicator.id) {
        return refuse("indicator", &one.indicator, format!("an indicator that source \"{}\" may write", machine.name), "not_yours");
    }
    let Some(period) = period::read(&one.period).filter(|period| period.first_day() <= today) else {
        return refuse("period", &one.period, format!("a {} that has begun", indicator.period), "bad_period");
    };
    // Counts below 2^53 are exact in a double; larger ones are out of range anyway.
    let cases = one.cases.map(|n| n as f64);
    match judge(indicator, one.value, period, cases, one.denominator) {
        Ok(judged) => {
            let observation = Observation { area, indicator: indicator.id.clone(), period, value: one.value, basis: judged.basis };
            Ok((observation, judged.count))
        }
        Err((wrong, expected, code)) => {
            let (field, value) = match wrong {
                Wrong::Value => ("value", one.value.to_string()),
                Wrong::Basis => ("cases", String::new()),
                Wrong::Period => ("period", one.period.clone()),
            };
            refuse(field, &value, expected, code)
        }
    }
}

/// Takes what was judged; what must not stand beside other values is left out, as with a file. How many were left out by that.
pub async fn take(app: &App, machine: &DeviceId, kind: ImportKind, judged: Judged) -> Result<(Added, usize), qorgan_alerts::Error> {
    let mut plan = Plan { values: judged.values, suppressed: judged.suppressed.len(), ..Plan::default() };
    let standing = app.store.standing_of(&plan.periods()).await?;
    plan.compare(&standing, &app.config.catalogue);
    let who = format!("source/{machine}");
    let import = NewImport {
        at: app.clock.utc(),
        who: who.clone(),
        kind,
        source: machine.to_string(),
        filename: None,
        sha256: None,
        suppressed: plan.suppressed,
    };
    let summary = format!("{} values, {} left out", plan.values.len(), plan.suppressed);
    app.audit(&who, "source", "intake.values", "import", Some(&summary)).await?;
    let added = app.store.add_values(&import, &plan.values, |_| {}).await?;
    if added.import.is_some() {
        changed(app);
    }
    Ok((added, plan.suppressed))
}

/// Takes values over MQTT until cancelled: what a source says within half a second is one import.
pub(crate) async fn listen(app: App, cancel: CancellationToken) {
    let Some(mut waiting) = app.intake.take_waiting() else { return };
    loop {
        let first = tokio::select! {
            () = cancel.cancelled() => return,
            word = waiting.recv() => word,
        };
        let Some(first) = first else { return };
        let mut by_source: BTreeMap<DeviceId, Vec<IndicatorWord>> = BTreeMap::new();
        by_source.entry(first.source.clone()).or_default().push(first);
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(GATHER) => {}
        }
        for _ in 0..MAX_VALUES {
            let Ok(word) = waiting.try_recv() else { break };
            by_source.entry(word.source.clone()).or_default().push(word);
        }
        for (source, words) in by_source {
            heard(&app, &source, words).await;
        }
    }
}

async fn heard(app: &App, source: &DeviceId, words: Vec<IndicatorWord>) {
    let count =
        |reason: &'static str, n: usize| metrics::counter!("qorgan_indicators_refused_total", "reason" => reason).increment(n as u64);
    let Some(machine) = app.config.intake.machines.iter().find(|m| m.name == *source) else {
        tracing::warn!(%source, "a value of an indicator came from a source that is not configured");
        return count("unknown_source", words.len());
    };
    // Of one key the last word counts.
    let mut newest = BTreeMap::new();
    for word in words {
        newest.insert((word.area.clone(), word.value.indicator.clone(), word.value.period), word);
    }
    let brought: Vec<Brought> = newest
        .into_values()
        .map(|word| Brought {
            area: word.area.to_string(),
            indicator: word.value.indicator.to_string(),
            period: word.value.period.to_string(),
            value: word.value.value,
            cases: word.value.cases,
            denominator: word.value.denominator,
        })
        .collect();
    let mut judged = judge_all(app, machine, &brought);
    // Each message stands for itself: a wrong one does not hold up the others.
    for error in std::mem::take(&mut judged.errors) {
        tracing::warn!(%source, field = error.field, code = error.code, expected = error.expected, "a value of an indicator was not taken");
        count(error.code, 1);
    }
    if judged.values.is_empty() {
        return;
    }
    if let Err(error) = take(app, source, ImportKind::Mqtt, judged).await {
        tracing::error!(%source, error = chain(&error), "values of indicators could not be stored");
        count("store", 1);
    }
}
