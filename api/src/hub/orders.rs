//! The order that stands for each unit, retained on `qorgan/v1/unit/{unit}/order`; empty when none does.
//!
//! The alerts as they stand decide, not the changes one by one: whatever was missed or failed (a broker that is away,
//! a restart), the next look puts it right. An order is noted as sent once the broker has taken it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use qorgan_alerts::engine::ActError;
use qorgan_domain::{
    AlertId, Trilingual, UnitId,
    alert::{Action, Actor, Alert, AlertState, Cause},
    topic::{Topic, UnitChannel},
    wire::OrderV1,
};
use qorgan_ingest::mqtt::{Mqtt, Qos};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{App, Change, field};
use crate::{
    error::chain,
    routes::address_of,
    units::{standing_order, stands},
};

/// What could not be published is tried again after this long.
const RETRY: Duration = Duration::from_secs(5);

/// Follows the ring until cancelled.
pub(super) async fn order_topics(app: App, mqtt: Arc<Mqtt>, cancel: CancellationToken) {
    let mut orders = Orders { published: BTreeMap::new(), app, mqtt };
    let mut cursor = orders.app.ring.cursor();
    orders.settle_all().await;
    let mut retry = tokio::time::interval(RETRY);
    retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = orders.app.ring.changed(&cursor) => {}
            _ = retry.tick() => {
                orders.settle_failed().await;
                continue;
            }
        }
        match orders.app.ring.since(&cursor, 256) {
            Ok((changes, next)) => {
                cursor = next;
                let mut units: Vec<UnitId> = Vec::new();
                for change in &changes {
                    if let Change::Alert(alert) = change {
                        units.extend(orders.concerned(alert));
                    }
                }
                units.sort();
                units.dedup();
                for unit in &units {
                    orders.settle(unit).await;
                    field::show(&orders.app, unit);
                }
            }
            Err(_) => {
                cursor = orders.app.ring.cursor();
                orders.settle_all().await;
            }
        }
    }
}

struct Orders {
    app: App,
    mqtt: Arc<Mqtt>,
    /// What the broker holds for each unit, as far as it said so.
    published: BTreeMap<UnitId, Option<OrderV1>>,
}

impl Orders {
    /// Units that a changed alert may matter to: the one it names and the one that was sent there before.
    fn concerned(&self, alert: &Alert) -> Vec<UnitId> {
        let before = self.published.iter().filter(|(_, order)| order.as_ref().is_some_and(|order| order.alert == alert.id));
        before.map(|(unit, _)| unit.clone()).chain(alert.unit.clone()).collect()
    }

    async fn settle_all(&mut self) {
        let units: Vec<UnitId> = self.app.config.units.iter().map(|unit| unit.id.clone()).collect();
        for unit in &units {
            self.settle(unit).await;
        }
    }

    async fn settle_failed(&mut self) {
        let units: Vec<UnitId> =
            self.app.config.units.iter().map(|unit| &unit.id).filter(|id| !self.published.contains_key(id)).cloned().collect();
        for unit in &units {
            self.settle(unit).await;
        }
    }

    /// Makes the topic of a unit say what stands.
    async fn settle(&mut self, unit: &UnitId) {
        let open = self.app.engine.open_alerts();
        let standing = standing_order(&open, unit);
        let unsent = standing.is_some_and(|alert| alert.state == AlertState::Dispatched && alert.progress.sent_at.is_none());
        let order = match standing {
            Some(alert) => Some(order_of(&self.app, alert).await),
            None => None,
        };
        if !unsent && self.published.get(unit).is_some_and(|known| same_order(known.as_ref(), order.as_ref())) {
            return;
        }
        let payload = order.as_ref().and_then(|order| serde_json::to_vec(order).ok()).unwrap_or_default();
        let topic = Topic::Unit(unit.clone(), UnitChannel::Order);
        let published = self.mqtt.publish(&topic, payload, Qos::AtLeastOnce, true).await;
        let done = match (published, &order) {
            (Err(error), _) => {
                tracing::warn!(%unit, error = chain(&error), "the order could not be published; it is tried again");
                false
            }
            (Ok(()), Some(order)) if unsent => self.note_sent(order.alert).await,
            (Ok(()), _) => true,
        };
        match done {
            true => drop(self.published.insert(unit.clone(), order)),
            false => drop(self.published.remove(unit)),
        }
    }

    /// Notes that an order left; false when that is to be tried again.
    async fn note_sent(&self, alert: AlertId) -> bool {
        match self.app.engine.act(alert, Action::Sent, Actor::System("dispatch")).await {
            // Refused: answered or taken back in the same moment.
            Ok(_) | Err(ActError::Refused(..) | ActError::NotFound) => true,
            Err(ActError::Store(error)) => {
                tracing::warn!(%alert, error = chain(&error), "an order went out but could not be noted as sent; it is sent again");
                false
            }
        }
    }
}

/// Whether the broker holds this order already. When it was sent is no difference: a new order is never noted as sent yet.
fn same_order(known: Option<&OrderV1>, order: Option<&OrderV1>) -> bool {
    match (known, order) {
        (None, None) => true,
        (Some(known), Some(order)) => *known == OrderV1 { at: known.at, ..order.clone() },
        _ => false,
    }
}

async fn order_of(app: &App, alert: &Alert) -> OrderV1 {
    let note = note_of(app, alert).await;
    let address = address_of(app, alert).await;
    let place = place_name(app, alert).map(|name| in_language(&name, &app.config.hub.language).to_owned()).unwrap_or_default();
    OrderV1 {
        v: 1,
        alert: alert.id,
        at: alert.progress.sent_at.unwrap_or_else(|| app.clock.utc()),
        drill: is_drill(alert),
        kind: alert.cause.kind().to_owned(),
        position: alert.position.map(Into::into),
        place,
        address,
        note,
    }
}

/// An exercise: a test press goes to a unit only within a drill.
pub(crate) fn is_drill(alert: &Alert) -> bool {
    matches!(&alert.cause, Cause::Alarm(press) if press.test)
}

/// Name of the place: the site and what was pressed there, else the area.
pub(crate) fn place_name(app: &App, alert: &Alert) -> Option<Trilingual> {
    let site = alert.site.as_ref().and_then(|id| app.config.sites.iter().find(|site| site.id == *id));
    let Some(site) = site else {
        return alert.position.and_then(|position| app.areas().at(position).map(|area| area.name.clone()));
    };
    let button = alert.device.as_ref().and_then(|id| site.buttons.iter().find(|button| button.id == *id));
    let Some(button) = button else { return Some(site.name.clone()) };
    let both = |site: &str, button: &str| format!("{site} · {button}");
    let (s, b) = (&site.name, &button.name);
    Some(Trilingual { kk: both(&s.kk, &b.kk), ru: both(&s.ru, &b.ru), en: both(&s.en, &b.en) })
}

fn in_language<'a>(name: &'a Trilingual, language: &str) -> &'a str {
    match language {
        "ru" => &name.ru,
        "en" => &name.en,
        _ => &name.kk,
    }
}

/// What the desk added to the order. The alert does not carry it; its history does.
pub(crate) async fn note_of(app: &App, alert: &Alert) -> Option<String> {
    if !stands(alert) {
        return None;
    }
    match app.store.alert(alert.id).await {
        Ok(found) => found?.1.into_iter().rev().find(|record| record.action == "dispatch")?.reason,
        Err(error) => {
            tracing::warn!(alert = %alert.id, error = chain(&error), "the words of an order could not be read; it goes without them");
            None
        }
    }
}
