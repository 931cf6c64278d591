//! From changed alerts to the outbox.
//!
//! Follows the ring; after a start, a gap or a failure of the store it reads back what changed and fills in what is missing. What is in the
//! outbox already is not put in twice: a line is (connector, alert, version).

use std::{collections::HashMap, sync::Arc, time::Duration};

use qorgan_alerts::{Error, life};
use qorgan_domain::{
    AlertId, UtcMs,
    alert::{Alert, Cause},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::cap;
use crate::{
    config::{Connector, ConnectorKind},
    error::chain,
    hub::{App, Change},
    view::AlertView,
};

/// How far back is looked after a start, in milliseconds.
const LOOK_BACK_MS: i64 = 24 * 3_600_000;
/// Pause after the store did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs until cancelled.
pub(crate) async fn follow(app: App, cancel: CancellationToken) {
    if app.config.connectors.is_empty() {
        return;
    }
    let mut last: HashMap<AlertId, Fingerprint> = HashMap::new();
    loop {
        let cursor = app.ring.cursor();
        let work = async {
            read_back(&app, &mut last).await?;
            changes(&app, cursor, &mut last).await
        };
        let outcome = tokio::select! {
            () = cancel.cancelled() => return,
            outcome = work => outcome,
        };
        if let Err(error) = outcome {
            tracing::warn!(error = chain(&error), "the outbox could not be written; what is missing is filled in later");
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

/// Ends with `Ok` after a gap, with an error when the store did not answer.
async fn changes(app: &App, mut cursor: qorgan_alerts::Cursor, last: &mut HashMap<AlertId, Fingerprint>) -> Result<(), Error> {
    loop {
        app.ring.changed(&cursor).await;
        let Ok((changes, next)) = app.ring.since(&cursor, 512) else { return Ok(()) };
        for change in &changes {
            if let Change::Alert(alert) = change {
                enqueue(app, alert, last).await?;
            }
        }
        cursor = next;
    }
}

async fn read_back(app: &App, last: &mut HashMap<AlertId, Fingerprint>) -> Result<(), Error> {
    let since = UtcMs(app.clock.utc().0 - LOOK_BACK_MS);
    for alert in app.store.changed_since(since).await? {
        for connector in takers(app, &alert) {
            let known = app.store.last_enqueued(&connector.id, alert.id).await?;
            // A connector that is new here gets what is open, not yesterday's closed alerts.
            if known.map_or(alert.is_open(), |version| version < alert.version) {
                put(app, connector, &alert).await?;
            }
        }
        last.insert(alert.id, Fingerprint::of(&alert));
    }
    for alert in &app.engine.open_alerts() {
        enqueue(app, alert, last).await?;
    }
    Ok(())
}

async fn enqueue(app: &App, alert: &Alert, last: &mut HashMap<AlertId, Fingerprint>) -> Result<(), Error> {
    let fingerprint = Fingerprint::of(alert);
    if last.get(&alert.id) == Some(&fingerprint) {
        return Ok(());
    }
    for connector in takers(app, alert) {
        put(app, connector, alert).await?;
    }
    if alert.is_open() {
        last.insert(alert.id, fingerprint);
    } else {
        last.remove(&alert.id);
    }
    Ok(())
}

/// Connectors that take this alert: it may leave, and its kind is asked for.
fn takers<'a>(app: &'a App, alert: &'a Alert) -> impl Iterator<Item = &'a Arc<Connector>> {
    let may = life::may_leave(alert);
    app.config.connectors.iter().filter(move |connector| may && connector.events.iter().any(|kind| kind == alert.cause.kind()))
}

async fn put(app: &App, connector: &Connector, alert: &Alert) -> Result<(), Error> {
    let body = match connector.kind {
        ConnectorKind::Webhook => webhook(app, alert),
        ConnectorKind::Cap => match cap_of(app, alert) {
            Ok(text) => text,
            Err(error) => {
                tracing::error!(alert = %alert.id, error = chain(&error), "no CAP message");
                return Ok(());
            }
        },
    };
    app.store.enqueue(&connector.id, alert.id, alert.version, &body, app.clock.utc()).await?;
    app.outbox_bell.notify_waiters();
    Ok(())
}

/// The alert as a CAP message of this hub.
pub(crate) fn cap_of(app: &App, alert: &Alert) -> Result<String, cap::CapError> {
    let site = alert.site.as_ref().and_then(|id| app.config.sites.iter().find(|site| site.id == *id));
    let sender = cap::sender(&app.config.hub.name);
    let context = cap::Context {
        sender: &sender,
        hub: &app.config.hub.name,
        place: site.map(|site| &site.name),
        area: site.map(|site| site.area.as_str()),
    };
    cap::write(alert, &context)
}

/// No name of a member of staff leaves: whether somebody has it is enough.
fn webhook(app: &App, alert: &Alert) -> String {
    let mut view = AlertView::without_actions(alert);
    let claimed = view.claimed_by.take().is_some();
    if let Some(incident) = &mut view.incident {
        incident.opened_by.clear();
    }
    let site = alert.site.as_ref().and_then(|id| app.config.sites.iter().find(|site| site.id == *id));
    let place =
        site.map(|site| json!({ "name": { "kk": site.name.kk, "ru": site.name.ru, "en": site.name.en }, "area": site.area.as_str() }));
    json!({ "v": 1, "hub": app.config.hub.name, "claimed": claimed, "place": place, "alert": view }).to_string()
}

/// What a receiver wants to hear of: a new press of an open alarm is no news, a new state is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fingerprint {
    state: &'static str,
    level: &'static str,
    claimed: bool,
    unit: Option<String>,
    marks: (bool, bool, bool),
    done: bool,
    shared: bool,
}

impl Fingerprint {
    fn of(alert: &Alert) -> Self {
        let marks = match &alert.cause {
            Cause::Alarm(press) => (press.cancelled_at.is_some(), press.duress_at.is_some(), press.test),
            _ => (alert.subsided_at.is_some(), false, false),
        };
        Self {
            state: alert.state.as_str(),
            level: alert.level.as_str(),
            claimed: alert.claimed_by.is_some(),
            unit: alert.unit.as_ref().map(ToString::to_string),
            marks,
            done: alert.progress.done_at.is_some(),
            shared: alert.progress.shared,
        }
    }
}
