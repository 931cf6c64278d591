//! Two traits of rmqtt that do nothing until somebody implements them: retained messages and shared
//! subscriptions. Both live in memory. Health comes back as the devices reconnect; open alerts are
//! published again by whoever starts the hub.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use rmqtt::{
    context::ServerContext,
    retain::{DefaultRetainStorage, RetainStorage},
    subscribe::SharedSubscription,
    types::{ClientId, Id, IsOnline, NodeId, Retain, SharedGroup, SubscriptionIdentifier, SubscriptionOptions, TopicFilter, TopicName},
};

/// Retained messages, kept until replaced: a device that has been online for a week is online.
/// Bounded by the publish rules: only health of known devices and the hub's own messages may be retained.
pub(crate) struct Retained(pub(crate) DefaultRetainStorage);

#[async_trait]
impl RetainStorage for Retained {
    fn enable(&self) -> bool {
        true
    }
    async fn set(&self, topic: &TopicName, retain: Retain, _expiry: Option<Duration>) -> rmqtt::Result<()> {
        self.0.set_with_timeout(topic, retain, None).await
    }
    async fn get(&self, filter: &TopicFilter) -> rmqtt::Result<Vec<(TopicName, Retain)>> {
        self.0.get_message(filter).await
    }
    async fn count(&self) -> isize {
        self.0.count().await
    }
    async fn max(&self) -> isize {
        self.0.max().await
    }
}

/// Shared subscriptions, in turn among those who are online.
#[derive(Default)]
pub(crate) struct InTurn(AtomicUsize);

type Member = (NodeId, ClientId, SubscriptionOptions, Option<Vec<SubscriptionIdentifier>>, Option<IsOnline>);

#[async_trait]
impl SharedSubscription for InTurn {
    fn is_supported(&self) -> bool {
        true
    }
    async fn choice(
        &self,
        scx: &ServerContext,
        _group: &SharedGroup,
        _publisher: &Id,
        _topic: &TopicName,
        members: &[Member],
    ) -> Option<(usize, IsOnline)> {
        let turn = self.0.fetch_add(1, Ordering::Relaxed);
        for i in 0..members.len() {
            let k = turn.wrapping_add(i) % members.len();
            if scx.extends.router().await.is_online(members[k].0, &members[k].1).await {
                return Some((k, true));
            }
        }
        (!members.is_empty()).then(|| (turn % members.len(), false))
    }
}
