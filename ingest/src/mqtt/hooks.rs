//! What the embedded broker asks the hub, and what it is told. Everything a client does passes here:
//! log-in, last will, subscriptions, messages.
//!
//! Two facts of rmqtt shape this file. A hook that does not return holds its client, so everything
//! here is bounded in time; and a topic of thousands of levels overflows the router's stack and
//! aborts the process, so every topic passes `Topic::parse` and every filter `may_subscribe`, which
//! look at length and depth first. (Unsubscribing goes no deeper than what was subscribed.)

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use qorgan_domain::{SignKind, topic::Principal};
use rmqtt::{
    codec::{
        types::Publish as CodecPublish,
        v5::{PublishAckReason, SubscribeAckReason},
    },
    context::ServerContext,
    hook::{Handler, HookResult, Parameter, ReturnType},
    session::{Session, SessionState},
    types::{
        AuthResult, ConnectInfo, From as Origin, FromType, Id, Publish, PublishAclResult, PublishResult, QoS, Subscribe,
        SubscribeAclResult, SubscribeReturn,
    },
};

use super::{Cause, DoorEvent, Judged, NotStored, Refusal, client_ids::ClientIds, intake::Intake};

/// A topic that nobody reads: where a message goes that cannot be dropped.
const NOWHERE: &str = "$qorgan/nowhere";

/// The hub's answers to the broker.
pub(crate) struct Gate {
    pub(crate) intake: Arc<Intake>,
    pub(crate) client_ids: Mutex<ClientIds>,
    pub(crate) stopping: AtomicBool,
}

/// The same gate, registered for each kind of hook.
pub(crate) struct AtGate(pub(crate) Arc<Gate>);

#[async_trait]
#[expect(elided_lifetimes_in_paths, reason = "async_trait needs the signature as the trait writes it")]
impl Handler for AtGate {
    async fn hook(&self, parameter: &Parameter, before: Option<HookResult>) -> ReturnType {
        let gate = &self.0;
        let result = match parameter {
            Parameter::ClientAuthenticate(connect) => Some(HookResult::AuthResult(gate.log_in(connect))),
            Parameter::ClientSubscribeCheckAcl(session, subscribe) => {
                Some(HookResult::SubscribeAclResult(gate.subscribe(session, subscribe)))
            }
            Parameter::MessagePublish(Some(session), origin, publish) => {
                gate.before_publish(session, origin, publish).await.map(HookResult::Publish)
            }
            Parameter::MessagePublishCheckAcl(session, publish) => Some(HookResult::PublishAclResult(gate.publish(session, publish).await)),
            Parameter::ClientConnected(session) => gate.alive(session),
            // Messages are signs of life of their own.
            Parameter::ClientKeepalive(session, true) => gate.alive(session),
            Parameter::ClientDisconnected(session, _) => gate.gone(session).await,
            _ => return (true, before),
        };
        (false, result)
    }
}

impl Gate {
    fn alive(&self, session: &Session) -> Option<HookResult> {
        if let Some(principal) = principal(session) {
            self.intake.sign(&principal, SignKind::Alive);
        }
        None
    }

    async fn gone(&self, session: &Session) -> Option<HookResult> {
        // A hub that stops says nothing about its devices; a device that is back is not gone.
        if !self.stopping.load(Ordering::Relaxed)
            && !superseded(session).await
            && let Some(principal) = principal(session)
        {
            self.intake.sign(&principal, SignKind::Gone);
        }
        None
    }

    fn log_in(&self, connect: &ConnectInfo) -> AuthResult {
        let client = connect.client_id();
        let refuse = |code: &'static str, result: AuthResult| {
            self.intake.refusals.note_log_in(client, connect.username().map_or("", |user| user), code);
            result
        };
        if self.stopping.load(Ordering::Relaxed) {
            return AuthResult::NotAuthorized;
        }
        let (Some(user), Some(password)) = (connect.username(), connect.password()) else {
            return refuse("no_credentials", AuthResult::BadUsernameOrPassword);
        };
        // Later hooks see only the user name, so it must say the same as the log-in did; and nobody outside speaks as the hub.
        let principal = match (self.intake.doors.authenticate)(user, password) {
            Some(principal) if principal != Principal::Hub && Principal::parse(user).as_ref() == Some(&principal) => principal,
            Some(_) => return refuse("user_is_not_principal", AuthResult::NotAuthorized),
            None => return refuse("bad_credentials", AuthResult::BadUsernameOrPassword),
        };
        // Systems that speak in their own words have wills of their own kind (`frigate/available`): nobody hears them here.
        if let Some(will) = connect.last_will()
            && !matches!(principal, Principal::Foreign(_))
        {
            let judged = Publish::try_from(will)
                .map_err(|_| "bad_will")
                .and_then(|will| self.judge_will(client, &principal, &will).map_err(|r| r.code()));
            if let Err(code) = judged {
                return refuse(code, AuthResult::NotAuthorized);
            }
        }
        let claimed = self.client_ids.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).claim(client, user);
        match claimed {
            Ok(()) => AuthResult::Allow(false, None),
            Err(reason) => refuse(reason.code(), AuthResult::NotAuthorized),
        }
    }

    fn judge_will(&self, client: &str, principal: &Principal, will: &Publish) -> Result<DoorEvent, Refusal> {
        match self.intake.judge(client, principal, &will.topic, &will.payload)? {
            Judged::Event(event @ DoorEvent::Health { .. }) => Ok(event),
            _ => {
                let refusal = Refusal::new(&will.topic, Cause::WillNotHealth);
                self.intake.refusals.note(client, &refusal);
                Err(refusal)
            }
        }
    }

    fn subscribe(&self, session: &Session, subscribe: &Subscribe) -> SubscribeAclResult {
        let filter = &subscribe.topic_filter;
        match principal(session) {
            Some(principal) if principal.may_subscribe(filter) => SubscribeReturn::new_success(subscribe.opts.qos(), None),
            principal => {
                if let Some(principal) = principal {
                    self.intake.refusals.note(&session.id.client_id, &Refusal::new(filter, Cause::Filter(principal)));
                }
                SubscribeReturn::new_failure(SubscribeAckReason::NotAuthorized)
            }
        }
    }

    /// Runs before the rights are checked, and is the only hook a last will passes. May replace a
    /// message, never refuse it.
    async fn before_publish(&self, session: &Session, origin: &Origin, publish: &Publish) -> Option<Publish> {
        if !matches!(origin.typ(), FromType::LastWill) {
            // Only health is kept: a retained alarm or count would be heard again by everyone who subscribes later.
            let strip = publish.retain && !publish.topic.ends_with("/health");
            return strip.then(|| {
                metrics::counter!("qorgan_mqtt_retain_stripped_total").increment(1);
                let mut publish = publish.clone();
                publish.inner.retain = false;
                publish
            });
        }
        // A hub that stops says nothing about its devices; a device that is back is not gone.
        if !self.stopping.load(Ordering::Relaxed)
            && !superseded(session).await
            && let Some(principal) = principal(session)
            && let Ok(event) = self.judge_will(&session.id.client_id, &principal, publish)
        {
            self.intake.take(event);
            return None;
        }
        let mut nowhere = publish.clone();
        nowhere.inner.topic = NOWHERE.into();
        nowhere.inner.retain = false;
        nowhere.inner.payload = Bytes::new();
        Some(nowhere)
    }

    /// Judges a message, and for an alarm does not answer before it is on disk.
    async fn publish(&self, session: &Session, publish: &Publish) -> PublishAclResult {
        let v5 = session.protocol().await.is_ok_and(|version| version == 5);
        let client = &session.id.client_id;
        let Some(principal) = principal(session) else { return PublishAclResult::rejected(true, None) };
        match self.intake.judge(client, &principal, &publish.topic, &publish.payload) {
            Err(refusal) => {
                // What it says makes no sense, but it says something.
                self.intake.sign(&principal, SignKind::Alive);
                answer(&refusal, v5)
            }
            Ok(Judged::Event(event)) => {
                // The device is known by its message; the box that brought it is not.
                if matches!(principal, Principal::Edge(_)) {
                    self.intake.sign(&principal, SignKind::Alive);
                }
                self.intake.take(event);
                PublishAclResult::allow()
            }
            Ok(Judged::Alarm { alarm, unknown_fields }) => {
                if matches!(principal, Principal::Edge(_)) {
                    self.intake.sign(&principal, SignKind::Alive);
                }
                let scx = session.scx.clone();
                let send = Box::new(move |topic: String, payload: Vec<u8>| -> futures::future::BoxFuture<'static, ()> {
                    Box::pin(async move {
                        if let Err(error) = route(&scx, &topic, payload.into(), QoS::AtLeastOnce, false).await {
                            tracing::error!(topic, "receipt not sent: {error}");
                        }
                    })
                });
                match self.intake.commit(&principal, alarm, &unknown_fields, send).await {
                    Ok(_) => PublishAclResult::allow(),
                    Err(NotStored::Flood(_)) => {
                        PublishAclResult(PublishResult::reason_code(PublishAckReason::QuotaExceeded, Some("too many alarms".into()), !v5))
                    }
                    // Version 3 has no negative acknowledgement: without the disconnect it would get a plain PUBACK.
                    Err(_) => PublishAclResult(PublishResult::reason_code(
                        PublishAckReason::ImplementationSpecificError,
                        Some("not stored".into()),
                        !v5,
                    )),
                }
            }
        }
    }
}

/// The answer to a refused message. Version 5 is told why. Version 3 knows only yes or a closed
/// connection: a bad payload gets the yes, so that one wrong field does not cost the connection its
/// alarms; a foreign topic and an alarm that was not understood get the closed connection.
fn answer(refusal: &Refusal, v5: bool) -> PublishAclResult {
    let (reason, tolerated) = match refusal.cause {
        Cause::Topic(_) => (PublishAckReason::TopicNameInvalid, false),
        // Such a system publishes much that is none of the hub's; what it was not given is dropped and counted, no more.
        Cause::NoRight(Principal::Foreign(_)) => (PublishAckReason::NotAuthorized, true),
        Cause::NoRight(_) | Cause::HubOnly | Cause::Filter(_) | Cause::WillNotHealth => (PublishAckReason::NotAuthorized, false),
        Cause::UnknownDevice(_) => (PublishAckReason::NotAuthorized, !refusal.alarm),
        Cause::Payload(_) | Cause::Foreign(..) | Cause::Retained => (PublishAckReason::PayloadFormatInvalid, !refusal.alarm),
    };
    PublishAclResult(PublishResult::reason_code(reason, Some(refusal.code().into()), !v5 && !tolerated))
}

fn principal(session: &Session) -> Option<Principal> {
    session.id.username.as_deref().and_then(Principal::parse)
}

/// Whether the client has connected anew since.
async fn superseded(session: &Session) -> bool {
    let entry = session.scx.extends.shared().await.entry(session.id.clone());
    match entry.session() {
        Some(now) => {
            (now.id.create_time, now.id.remote_addr) != (session.id.create_time, session.id.remote_addr)
                && now.connected().await.unwrap_or(false)
        }
        None => false,
    }
}

/// Routes a message of the hub itself to those who subscribed; passes no hook.
pub(crate) async fn route(scx: &ServerContext, topic: &str, payload: Bytes, qos: QoS, retain: bool) -> rmqtt::Result<()> {
    let id = Id::new(scx.node.id(), 0, None, None, "hub".into(), None);
    let publish: Publish =
        CodecPublish { dup: false, retain, qos, topic: topic.into(), packet_id: None, payload, properties: Some(Default::default()) }
            .into();
    let publish = publish.create_time(rmqtt::utils::timestamp_millis());
    SessionState::forwards(scx, Origin::from_system(id), publish, false, None).await
}
