//! A plain MQTT client that writes down what it sees and never reconnects by itself.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS, SubscribeReasonCode, v5};
use tokio::sync::mpsc;

use super::{password, soon};

/// What a client sees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    Connected {
        session_present: bool,
    },
    Subscribed {
        granted: bool,
    },
    /// Version 5 says why it is refused.
    Acked {
        reason: String,
    },
    Message {
        topic: String,
        payload: String,
        retain: bool,
    },
    /// Refused at log-in, or cut off later.
    Closed(String),
}

enum Handle {
    V3(AsyncClient),
    V5(v5::AsyncClient),
}

pub(crate) struct Client {
    handle: Handle,
    seen: mpsc::UnboundedReceiver<Seen>,
    kept: VecDeque<Seen>,
    task: tokio::task::JoinHandle<()>,
}

pub(crate) fn options(addr: SocketAddr, client_id: &str, user: &str) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, addr.ip().to_string(), addr.port());
    options.set_credentials(user, password(user)).set_keep_alive(Duration::from_secs(30)).set_max_packet_size(1 << 20, 1 << 20);
    options
}

impl Client {
    /// Logs in with version 3.1.1, with the user name as client id.
    pub(crate) async fn v3(addr: SocketAddr, user: &str) -> Self {
        // "Server unavailable" is the answer while the last connection with this client id is being
        // cleared away; clients come again, and so does this one.
        soon("log-in", async {
            loop {
                let mut client = Self::with(options(addr, user, user));
                match client.next().await {
                    Seen::Connected { .. } => return client,
                    Seen::Closed(reason) if reason.contains("ServiceUnavailable") => tokio::time::sleep(Duration::from_millis(5)).await,
                    other => panic!("no connection: {other:?}"),
                }
            }
        })
        .await
    }

    /// Connects with these options; what comes of it is seen.
    pub(crate) fn with(options: MqttOptions) -> Self {
        let (client, mut events) = AsyncClient::new(options, 64);
        let (tx, seen) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                let what = match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(ack))) => Seen::Connected { session_present: ack.session_present },
                    Ok(Event::Incoming(Packet::SubAck(ack))) => {
                        Seen::Subscribed { granted: !ack.return_codes.contains(&SubscribeReasonCode::Failure) }
                    }
                    Ok(Event::Incoming(Packet::PubAck(_))) => Seen::Acked { reason: "Success".into() },
                    Ok(Event::Incoming(Packet::Publish(p))) => {
                        Seen::Message { payload: String::from_utf8_lossy(&p.payload).into_owned(), topic: p.topic, retain: p.retain }
                    }
                    Ok(_) => continue,
                    Err(error) => {
                        let _ = tx.send(Seen::Closed(format!("{error:?}")));
                        return;
                    }
                };
                let _ = tx.send(what);
            }
        });
        Self { handle: Handle::V3(client), seen, kept: VecDeque::new(), task }
    }

    /// Logs in with version 5.
    pub(crate) async fn v5(addr: SocketAddr, user: &str) -> Self {
        let mut options = v5::MqttOptions::new(user, addr.ip().to_string(), addr.port());
        options.set_credentials(user, password(user)).set_keep_alive(Duration::from_secs(30));
        let (client, mut events) = v5::AsyncClient::new(options, 64);
        let (tx, seen) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            use v5::mqttbytes::v5::{Packet, SubscribeReasonCode};
            loop {
                let what = match events.poll().await {
                    Ok(v5::Event::Incoming(Packet::ConnAck(ack))) => Seen::Connected { session_present: ack.session_present },
                    Ok(v5::Event::Incoming(Packet::SubAck(ack))) => {
                        Seen::Subscribed { granted: ack.return_codes.iter().all(|code| matches!(code, SubscribeReasonCode::Success(_))) }
                    }
                    Ok(v5::Event::Incoming(Packet::PubAck(ack))) => Seen::Acked { reason: format!("{:?}", ack.reason) },
                    Ok(v5::Event::Incoming(Packet::Publish(p))) => Seen::Message {
                        payload: String::from_utf8_lossy(&p.payload).into_owned(),
                        topic: String::from_utf8_lossy(&p.topic).into_owned(),
                        retain: p.retain,
                    },
                    Ok(_) => continue,
                    Err(error) => {
                        let _ = tx.send(Seen::Closed(format!("{error:?}")));
                        return;
                    }
                };
                let _ = tx.send(what);
            }
        });
        let mut client = Self { handle: Handle::V5(client), seen, kept: VecDeque::new(), task };
        client.expect_connected().await;
        client
    }

    pub(crate) async fn expect_connected(&mut self) -> bool {
        match self.next().await {
            Seen::Connected { session_present } => session_present,
            other => panic!("no connection: {other:?}"),
        }
    }

    pub(crate) async fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.send(topic, payload, 1, false).await;
    }

    pub(crate) async fn send(&self, topic: &str, payload: impl Into<Vec<u8>>, qos: u8, retain: bool) {
        match &self.handle {
            Handle::V3(client) => client.publish(topic, rumqttc::qos(qos).unwrap(), retain, payload).await.unwrap(),
            Handle::V5(client) => client.publish(topic, v5::mqttbytes::qos(qos).unwrap(), retain, payload.into()).await.unwrap(),
        }
    }

    /// Publishes and waits for the acknowledgement; what else came meanwhile is kept.
    pub(crate) async fn publish_acked(&mut self, topic: &str, payload: impl Into<Vec<u8>>) -> String {
        self.publish(topic, payload).await;
        self.acked().await
    }

    pub(crate) async fn acked(&mut self) -> String {
        match self.next_that(|seen| matches!(seen, Seen::Acked { .. } | Seen::Closed(_))).await {
            Seen::Acked { reason } => reason,
            other => panic!("no acknowledgement: {other:?}"),
        }
    }

    pub(crate) async fn subscribe(&mut self, filter: &str) -> bool {
        match &self.handle {
            Handle::V3(client) => client.subscribe(filter, QoS::AtLeastOnce).await.unwrap(),
            Handle::V5(client) => client.subscribe(filter, v5::mqttbytes::QoS::AtLeastOnce).await.unwrap(),
        }
        match self.next_that(|seen| matches!(seen, Seen::Subscribed { .. } | Seen::Closed(_))).await {
            Seen::Subscribed { granted } => granted,
            other => panic!("no answer to the subscription: {other:?}"),
        }
    }

    /// The next message, as topic, payload, retain.
    pub(crate) async fn message(&mut self) -> (String, String, bool) {
        match self.next_that(|seen| matches!(seen, Seen::Message { .. } | Seen::Closed(_))).await {
            Seen::Message { topic, payload, retain } => (topic, payload, retain),
            other => panic!("no message: {other:?}"),
        }
    }

    pub(crate) async fn closed(&mut self) -> String {
        match self.next_that(|seen| matches!(seen, Seen::Closed(_))).await {
            Seen::Closed(reason) => reason,
            _ => unreachable!(),
        }
    }

    /// The oldest thing seen that was not asked for yet.
    pub(crate) async fn next(&mut self) -> Seen {
        self.next_that(|_| true).await
    }

    async fn next_that(&mut self, wanted: impl Fn(&Seen) -> bool) -> Seen {
        if let Some(at) = self.kept.iter().position(&wanted) {
            return self.kept.remove(at).unwrap();
        }
        loop {
            let seen = soon("something from the broker", self.seen.recv()).await.unwrap_or(Seen::Closed("ended".into()));
            if wanted(&seen) {
                return seen;
            }
            if matches!(seen, Seen::Closed(_)) {
                panic!("closed while waiting: {seen:?}");
            }
            self.kept.push_back(seen);
        }
    }

    /// Whatever has been seen so far and was not asked for.
    pub(crate) fn so_far(&mut self) -> Vec<Seen> {
        while let Ok(seen) = self.seen.try_recv() {
            self.kept.push_back(seen);
        }
        self.kept.iter().cloned().collect()
    }

    /// Ends the connection as a pulled plug does: no DISCONNECT, so that the last will is due.
    pub(crate) async fn unplug(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}
