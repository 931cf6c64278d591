//! Counting refusals and saying them in the log: every one is counted, each (client, code) is logged
//! at most once a minute, so that one broken device cannot fill the disk.

use std::{error::Error as _, time::Instant};

use super::Refusal;
use crate::quiet::{Quiet, printable};

#[derive(Default)]
pub(crate) struct Refusals {
    said: Quiet,
}

impl Refusals {
    /// Counts a refusal and logs it if it is the first of its kind in a minute.
    pub(crate) fn note(&self, client: &str, refusal: &Refusal) {
        let code = refusal.code();
        metrics::counter!("qorgan_mqtt_refused_total", "code" => code).increment(1);
        if let Some(swallowed) = self.said.speak(client, code, Instant::now()) {
            let reason = reason(refusal);
            tracing::warn!(client = %printable(client, 120), topic = %refusal.topic, code, swallowed, "MQTT message refused: {reason}");
        }
    }

    /// Counts a refused log-in, and logs it by the same rule.
    pub(crate) fn note_log_in(&self, client: &str, user: &str, code: &'static str) {
        metrics::counter!("qorgan_mqtt_logins_refused_total", "code" => code).increment(1);
        if let Some(swallowed) = self.said.speak(user, code, Instant::now()) {
            tracing::warn!(client = %printable(client, 120), user = %printable(user, 130), code, swallowed, "MQTT log-in refused");
        }
    }
}

/// The chain of reasons, shortened: a parser's message may quote the payload.
fn reason(refusal: &Refusal) -> String {
    let mut text = refusal.cause.to_string();
    let mut source = refusal.cause.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    printable(&text, 240)
}
