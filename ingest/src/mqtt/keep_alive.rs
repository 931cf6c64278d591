//! How long the embedded broker lets a client be silent.
//!
//! A dead connection is found within 90 s: a client that asks for no keep-alive, or for more than a minute of it, is held to
//! a minute, and version 5 is told so. Version 3 cannot be told: there only "none" is held to a minute, so such a client is
//! cut off after 90 s of silence and comes back, while one that asked for longer keeps its word until its own time is over;
//! supervision sees its silence all the same, by its interval.

use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use rmqtt::{
    codec::types::{MQTT_LEVEL_5, Publish},
    fitter::{DefaultFitter, Fitter, FitterManager},
    types::{ConnectInfo, Disconnect, FitterType, Id, ListenerConfig},
};

/// Longest keep-alive, in seconds; half as much again is waited.
const LONGEST_S: u16 = 60;

/// Makes the rules of a connection.
pub(crate) struct KeepAlive;

impl FitterManager for KeepAlive {
    fn create(&self, connect: Arc<ConnectInfo>, id: Id, config: ListenerConfig) -> FitterType {
        let v5 = connect.proto_ver() == MQTT_LEVEL_5;
        Arc::new(Held { v5, plain: DefaultFitter::new(connect, id, config) })
    }
}

struct Held {
    v5: bool,
    plain: DefaultFitter,
}

/// What a client is held to that asks for `asked` seconds.
fn held(asked: u16, v5: bool) -> u16 {
    match asked {
        0 => LONGEST_S,
        asked if v5 => asked.min(LONGEST_S),
        asked => asked,
    }
}

#[async_trait]
impl Fitter for Held {
    fn keep_alive(&self, keep_alive: &mut u16) -> rmqtt::Result<u16> {
        *keep_alive = held(*keep_alive, self.v5);
        self.plain.keep_alive(keep_alive)
    }
    fn max_mqueue_len(&self) -> usize {
        self.plain.max_mqueue_len()
    }
    fn mqueue_rate_limit(&self) -> (NonZeroU32, Duration) {
        self.plain.mqueue_rate_limit()
    }
    fn max_inflight(&self) -> NonZeroU16 {
        self.plain.max_inflight()
    }
    fn session_expiry_interval(&self, disconnect: Option<&Disconnect>) -> Duration {
        self.plain.session_expiry_interval(disconnect)
    }
    fn message_expiry_interval(&self, publish: &Publish) -> Duration {
        self.plain.message_expiry_interval(publish)
    }
    fn max_client_topic_aliases(&self) -> u16 {
        self.plain.max_client_topic_aliases()
    }
    fn max_server_topic_aliases(&self) -> u16 {
        self.plain.max_server_topic_aliases()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_keep_alive_is_a_minute_and_only_version_5_can_be_told_to_shorten_its_own() {
        for (asked, v5, expected) in [(0, false, 60), (0, true, 60), (30, false, 30), (30, true, 30), (600, true, 60), (600, false, 600)] {
            assert_eq!(held(asked, v5), expected, "{asked} {v5}");
        }
    }
}
