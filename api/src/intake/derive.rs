//! What is made of registers and feeds: totals that may be told, and values of indicators of months that have ended.

use std::{collections::BTreeMap, time::Duration};

use qorgan_alerts::{
    intake::{
        disclosure::{Answer, K, Leaf, Released},
        plan::{Planned, Standing},
    },
    store::{AppealCell, FeedTotal, ImportKind, NewImport},
};
use qorgan_domain::{
    AreaCode, IndicatorId,
    indicator::{Basis, Observation},
    period::{Period, PeriodKind},
};
use tokio_util::sync::CancellationToken;

use super::{changed, parent, today};
use crate::{error::chain, hub::App};

/// Values of months are made this often: a month ends once, and a restart or a late entry is made good.
const EVERY: Duration = Duration::from_secs(3_600);
/// Months that are looked at.
const MONTHS: i32 = 13;

/// Publications that may be told of, over all feeds.
pub async fn feed_totals(app: &App) -> Result<Released, qorgan_alerts::Error> {
    let totals = app.store.feed_totals("0000-00-00", "9999-99-99").await?;
    Ok(Released::new(totals.into_iter().filter_map(feed_leaf), parent, today(app)))
}

fn feed_leaf(total: FeedTotal) -> Option<Leaf> {
    let day: Period = total.day.parse().ok()?;
    let period = Period::of(PeriodKind::Month, day.first_day()).ok()?;
    Some(Leaf { area: total.area, period, topic: total.topic, count: total.items })
}

/// Appeals that may be told of: all, and those that were late.
pub async fn appeal_totals(app: &App) -> Result<(Released, Released), qorgan_alerts::Error> {
    let cells = app.store.appeal_cells(&today(app).to_string()).await?;
    Ok(released_appeals(&cells, today(app)))
}

/// Those that were late are a part of all: both are cut from one set of atoms, or their difference would tell the rest.
fn released_appeals(cells: &[AppealCell], today: jiff::civil::Date) -> (Released, Released) {
    let leaves = |late: bool| {
        cells.iter().filter_map(move |cell| {
            let period = cell.month.parse().ok()?;
            let in_time = cell.came.saturating_sub(cell.late);
            let small = |n: u64| (1..K).contains(&n);
            // Late ones are told only where both parts are large (or one is nothing).
            let count = match late {
                true if small(in_time) || small(cell.late) => 0,
                true => cell.late,
                false => cell.came,
            };
            Some(Leaf { area: cell.area.clone(), period, topic: cell.topic.clone(), count })
        })
    };
    (Released::new(leaves(false), parent, today), Released::new(leaves(true), parent, today))
}

/// Brings the demonstration's values, then makes values of months that have ended, until cancelled.
pub(crate) async fn run(app: App, cancel: CancellationToken) {
    if let Err(error) = demo(&app).await {
        tracing::warn!(error, "the demonstration's values were not imported");
    }
    loop {
        if let Err(error) = once(&app).await {
            tracing::warn!(error = chain(&error), "values of feeds could not be made; they are tried again in an hour");
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn once(app: &App) -> Result<(), qorgan_alerts::Error> {
    let released = feed_totals(app).await?;
    let (today, mut values) = (today(app), Vec::new());
    let Ok(this_month) = Period::of(PeriodKind::Month, today) else { return Ok(()) };
    let lexicon = app.config.intake.lexicon.lexicon();
    for topic in &lexicon.topic {
        let indicator = topic.indicator.as_ref().and_then(|id| id.parse::<IndicatorId>().ok());
        let Some(indicator) = indicator.and_then(|id| app.config.catalogue.indicator(&id)).filter(|i| i.period == PeriodKind::Month) else {
            continue;
        };
        for month in (1..=MONTHS).map(|n| this_month.after(-n)) {
            for place in &lexicon.place {
                // A count is a whole number far below 2^53.
                if let Answer::Exact(count) = released.answer(&place.area, month, Some(&topic.id))
                    && indicator.check(count as f64, month, Basis::Cases(count)).is_ok()
                {
                    let (area, indicator) = (place.area.clone(), indicator.id.clone());
                    let observation = Observation { area, indicator, period: month, value: count as f64, basis: Basis::Cases(count) };
                    values.push(Planned { observation, source: None, row: 0 });
                }
            }
        }
    }
    // A value that somebody brought by a file is not replaced by the hub's own count.
    let periods = values.iter().map(|v| v.observation.period).collect();
    let standing: Standing = app.store.standing_of(&periods).await?;
    let own = app.store.imports(None, 500).await?;
    let own_feed = own.iter().any(|i| i.import.kind == ImportKind::Feed);
    values.retain(|v| {
        let o = &v.observation;
        own_feed || !standing.contains_key(&(o.area.clone(), o.indicator.clone(), o.period))
    });
    if values.is_empty() {
        return Ok(());
    }
    let (at, who, source) = (app.clock.utc(), "system/feeds".to_owned(), format!("mass media, lexicon {}", lexicon.version));
    let import = NewImport { at, who, kind: ImportKind::Feed, source, filename: None, sha256: None, suppressed: 0 };
    if app.store.add_values(&import, &values, |_| {}).await?.import.is_some() {
        app.audit("system/feeds", "system", "intake.values", "import", Some(&format!("{} values of publications", values.len()))).await?;
        changed(app);
    }
    Ok(())
}

/// The demonstration's file, when nothing was ever imported.
async fn demo(app: &App) -> Result<(), String> {
    use qorgan_alerts::intake::plan::{Rules, plan};
    let Some(path) = app.config.intake.demo_import.clone().filter(|_| app.config.hub.demo_logins) else { return Ok(()) };
    let known = app.store.imports(None, 1).await.map_err(|error| chain(&error))?;
    if !known.is_empty() || !path.exists() {
        return Ok(());
    }
    let (areas, catalogue, day) = (super::area_names(app), app.config.catalogue.clone(), today(app));
    let read = tokio::task::spawn_blocking(move || {
        let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        let sheets = crate::table::read(&bytes).map_err(|error| error.to_string())?;
        Ok::<_, String>(plan(&sheets, &Rules { catalogue: &catalogue, areas: &areas, period: None, today: day }, &|_| {}))
    });
    let mut plan = read.await.map_err(|error| error.to_string())??;
    if let Some(first) = plan.errors.first() {
        return Err(format!("row {}: {}: expected {}", first.row, first.column, first.expected));
    }
    plan.compare(&Standing::new(), &app.config.catalogue);
    let (at, who, source) = (app.clock.utc(), "system/demo".to_owned(), "demo".to_owned());
    let import = NewImport { at, who, kind: ImportKind::Demo, source, filename: None, sha256: None, suppressed: plan.suppressed };
    app.audit("system/demo", "system", "intake.import", "import", Some("the demonstration's values"))
        .await
        .map_err(|error| chain(&error))?;
    app.store.add_values(&import, &plan.values, |_| {}).await.map_err(|error| chain(&error))?;
    changed(app);
    Ok(())
}

/// Cells of totals: each area and month with each topic, and with all together.
pub fn cells(
    released: &Released,
    areas: &[AreaCode],
    months: &[Period],
    topics: &[String],
) -> Vec<(AreaCode, Option<String>, Period, Answer)> {
    let mut cells = Vec::new();
    let named: Vec<Option<&String>> = std::iter::once(None).chain(topics.iter().map(Some)).collect();
    for area in areas {
        for month in months {
            for topic in &named {
                cells.push((area.clone(), topic.cloned(), *month, released.answer(area, *month, topic.map(String::as_str))));
            }
        }
    }
    cells
}

/// Months between two, at most 36; both ends belong to it.
pub fn months(from: Period, to: Period) -> Vec<Period> {
    (0..36).map(|n| from.after(n)).take_while(|month| *month <= to).collect()
}

/// Totals by website: duties that are done, and all.
pub fn by_site<'a>(duties: impl Iterator<Item = (&'a str, bool)>) -> BTreeMap<String, (u64, u64)> {
    let mut sites: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (site, done) in duties {
        let (ready, of) = sites.entry(site.to_owned()).or_default();
        *ready += u64::from(done);
        *of += 1;
    }
    sites
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_appeals_and_all_appeals_do_not_give_the_others_away() {
        let cell =
            |came, late| AppealCell { area: "311000000".parse().unwrap(), month: "2026-10".into(), topic: "heat".into(), came, late };
        let told = |came, late| {
            let (all, of_late) = released_appeals(&[cell(came, late)], jiff::civil::date(2026, 11, 22));
            let ask = |r: &Released| r.answer(&"311000000".parse().unwrap(), "2026-10".parse().unwrap(), Some("heat")).count();
            (ask(&all), ask(&of_late))
        };
        assert_eq!(told(50, 20), (Some(50), Some(20)));
        assert_eq!(told(50, 45), (Some(50), None), "five came in time");
        assert_eq!(told(50, 5), (Some(50), None));
        assert_eq!(told(50, 50), (Some(50), Some(50)));
        assert_eq!(told(9, 9), (None, None));
    }
}
