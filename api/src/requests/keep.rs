//! What is done about requests by the clock: contacts and texts expire, what nobody judged is closed, spikes become problem signals.

use std::{collections::BTreeMap, time::Duration};

use jiff::ToSpan;
use qorgan_alerts::{
    Error,
    requests::{Action, By, spike},
    store::{RequestAct, RequestSignal, SignalState},
};
use qorgan_domain::{AreaCode, UtcMs};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::day_number;
use crate::{error::chain, hub::App};

/// How often it is looked after.
const EVERY: Duration = Duration::from_secs(60);
/// Batches of texts that expire at once; the rest waits for the next minute.
const BATCHES: usize = 5;
const DAY: Duration = Duration::from_secs(86_400);

/// Runs until cancelled.
pub async fn keep(app: App, cancel: CancellationToken) {
    if app.config.hub.demo_logins {
        let made = async {
            super::demo::fill(&app).await?;
            crate::plan::fill_demo(&app).await
        };
        if let Err(error) = made.await {
            tracing::warn!(error = chain(&error), "the requests of the demonstration could not be made");
        }
    }
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = every.tick() => if let Err(error) = once(&app).await {
                tracing::warn!(error = chain(&error), "upkeep of requests failed; it is tried again in a minute");
            }
        }
    }
}

/// One round.
pub async fn once(app: &App) -> Result<(), Error> {
    let now = app.clock.utc();
    app.store.expire_request_contacts(now).await?;
    let before = now - DAY * app.requests.settings.text_days;
    for _ in 0..BATCHES {
        if app.store.expire_request_texts(before).await? == 0 {
            break;
        }
    }
    close_judged(app, now).await?;
    signal_spikes(app, now).await
}

/// Closes what its resident had time to judge.
async fn close_judged(app: &App, now: UtcMs) -> Result<(), Error> {
    for request in app.store.requests_to_close(now).await? {
        let Some(category) = app.requests.settings.category(&request.standing.category).or(app.requests.settings.categories.first()) else {
            continue;
        };
        let terms = app.requests.settings.terms(category);
        let Ok(then) = request.standing.act(&Action::Close, By::Hub, &terms, &app.requests.calendar, now) else { continue };
        let day = app.requests.day_number(request.received_at);
        let act = RequestAct { before: &request, then: &then, who: "hub", role: None, action: "close", words: None, now, day };
        app.store.act_on_request(&act).await?;
    }
    Ok(())
}

/// Today against the days before, for every district and category. A signal goes to the service that answers for the category, and
/// nowhere else: no alert, no message, no connector.
pub async fn signal_spikes(app: &App, now: UtcMs) -> Result<(), Error> {
    let settings = &app.requests.settings;
    let today = app.requests.calendar.day(now);
    let days = i32::try_from(spike::BASELINE + spike::LAG).unwrap_or(9);
    let first = today.checked_sub(days.days()).unwrap_or(today);
    let mut counts = BTreeMap::<(AreaCode, String), BTreeMap<i64, u64>>::new();
    for row in app.store.request_days(day_number(first)).await? {
        counts.entry((row.area, row.category)).or_default().insert(row.day, row.count);
    }
    let numbers: Vec<i64> = (0..=days).filter_map(|n| Some(day_number(first.checked_add(n.days()).ok()?))).collect();
    let limits = spike::Bound { z: settings.spike_z, least: settings.spike_least };
    for ((area, category), by_day) in counts {
        let series: Vec<u64> = numbers.iter().map(|day| by_day.get(day).copied().unwrap_or(0)).collect();
        let Some(found) = spike::judge(&series, limits) else { continue };
        let Some(known) = settings.category(&category) else { continue };
        let signal = RequestSignal {
            id: 0,
            service: known.service.clone(),
            category,
            area,
            day: day_number(today),
            count: series.last().copied().unwrap_or(0),
            expected: (found.expected * 10.0).round() / 10.0,
            threshold: (found.threshold * 10.0).round() / 10.0,
            formula: spike::FORMULA.into(),
            raised_at: now,
            state: SignalState::Open,
            words: None,
            who: None,
            changed_at: None,
            demo: false,
        };
        if app.store.add_request_signal(&signal).await? {
            let subject = format!("request-signal/{}/{}", signal.area, signal.category);
            app.audit("system/hub", "system", "request_signal.raise", &subject, Some(&format!("{} of {}", signal.count, signal.formula)))
                .await?;
        }
    }
    Ok(())
}
