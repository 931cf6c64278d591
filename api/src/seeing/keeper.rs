//! Ends viewings whose time or reason is over, and writes each end down.

use std::time::Duration;

use qorgan_domain::AlertId;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{End, Viewings, viewing::Viewing};
use crate::{error::chain, hub::App};

/// A closed alert ends a viewing within this time.
const TICK: Duration = Duration::from_secs(1);

/// Runs until cancelled; then ends whatever is open.
pub(crate) async fn keep(app: App, cancel: CancellationToken) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = tick.tick() => once(&app).await,
        }
    }
    for (viewing, _) in app.viewings.all() {
        end(&app, &viewing.id, End::HubStopped).await;
    }
}

async fn once(app: &App) {
    let all = app.viewings.all();
    metrics::gauge!("qorgan_viewings_open").set(all.len() as f64);
    if all.is_empty() {
        return;
    }
    let (open, now) = (app.engine.open_alerts(), app.clock.utc());
    for (viewing, alone_since) in all {
        let stands = app.sessions.stands(&viewing.session).await;
        let site = &viewing.subject.camera().site;
        let is_open = |id: AlertId| open.iter().any(|alert| alert.id == id && alert.site.as_ref() == Some(site));
        let left = Viewings::is_left(alone_since, now).then_some(End::Left);
        if let Some(why) = viewing.judge(now, stands, is_open).or(left) {
            end(app, &viewing.id, why).await;
        }
    }
}

/// Ends a viewing and writes it down, once.
pub(crate) async fn end(app: &App, id: &str, why: End) {
    let Some(viewing) = app.viewings.end(id, why) else { return };
    let Viewing { user, role, subject, opened_at, .. } = &viewing;
    let seconds = app.clock.utc().ms_since(*opened_at).max(0) / 1000;
    let words = format!("{}; {}, after {seconds} s", viewing.why.text(), why.as_str());
    let action = format!("{}.end", subject.kind());
    if let Err(error) = app.audit(user, role, &action, &subject.text(), Some(&words)).await {
        tracing::error!(error = chain(&error), user, "the end of a viewing could not be written to the audit log");
    }
}
