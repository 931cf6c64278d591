//! `[supervision]`, and the intervals of single devices: stated, by EN 50136 category, or by default.

use qorgan_alerts::supervision::{CATEGORIES, interval_of};
use serde::Deserialize;
use toml::Spanned;

use super::read::Check;

/// `[supervision]`
#[derive(Debug, Clone)]
pub struct Supervision {
    /// Longest silence of a button that states no interval or category of its own or of its site, in seconds; none: such
    /// a button may be silent for ever (one that connects only to press).
    pub button_interval_s: Option<u32>,
    /// Longest silence of an edge box, in seconds.
    pub edge_interval_s: u32,
    /// How long losses are held back so that what goes dark together is one trouble, in seconds.
    pub settle_s: u32,
    /// How long after a start devices may take to come back, besides their interval, in seconds.
    pub start_grace_s: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSupervision {
    pub(super) button_interval_s: Option<Spanned<u32>>,
    pub(super) edge_interval_s: Spanned<u32>,
    pub(super) settle_s: Spanned<u32>,
    pub(super) start_grace_s: Spanned<u32>,
}

impl Default for RawSupervision {
    fn default() -> Self {
        let unset = |value| Spanned::new(0..0, value);
        Self { button_interval_s: None, edge_interval_s: unset(90), settle_s: unset(15), start_grace_s: unset(30) }
    }
}

/// Longest interval: that of the lowest category, a month.
const MAX_INTERVAL_S: u32 = 32 * 24 * 3_600;

impl Check<'_> {
    pub(super) fn supervision(&mut self, raw: RawSupervision) -> Supervision {
        for (value, what, most) in [(&raw.settle_s, "settle_s", 300), (&raw.start_grace_s, "start_grace_s", 600)] {
            if !(1..=most).contains(value.get_ref()) {
                self.problem(value.span(), format!("supervision.{what} {} is not 1 to {most} seconds", value.get_ref()));
            }
        }
        let edge = self.seconds(&raw.edge_interval_s, "supervision.edge_interval_s");
        let button_interval_s = raw.button_interval_s.as_ref().map(|s| self.seconds(s, "supervision.button_interval_s"));
        Supervision {
            button_interval_s,
            edge_interval_s: edge,
            settle_s: raw.settle_s.into_inner(),
            start_grace_s: raw.start_grace_s.into_inner(),
        }
    }

    fn seconds(&mut self, value: &Spanned<u32>, what: &str) -> u32 {
        let seconds = *value.get_ref();
        if !(2..=MAX_INTERVAL_S).contains(&seconds) {
            self.problem(value.span(), format!("{what} {seconds} is not 2 to {MAX_INTERVAL_S} seconds"));
        }
        seconds
    }

    /// Name of a network or alarm provider.
    pub(super) fn provider(&mut self, raw: Option<Spanned<String>>) -> Option<String> {
        let raw = raw?;
        let (name, span) = (raw.get_ref().trim().to_owned(), raw.span());
        if name.is_empty() || name.chars().count() > 64 {
            self.problem(span, format!("provider \"{name}\" is not a name of 1 to 64 characters"));
            return None;
        }
        Some(name)
    }

    /// The interval that a site or a device states, in seconds; `what` names it.
    pub(super) fn interval(&mut self, seconds: Option<&Spanned<u32>>, category: Option<&Spanned<String>>, what: &str) -> Option<u32> {
        if let (Some(_), Some(category)) = (seconds, category) {
            self.problem(category.span(), format!("{what}: give either interval_s or category"));
        }
        if let Some(seconds) = seconds {
            return Some(self.seconds(seconds, &format!("{what}: interval_s")));
        }
        let category = category?;
        match interval_of(category.get_ref()) {
            Some(ms) => u32::try_from(ms / 1_000).ok(),
            None => {
                let known = CATEGORIES.join(", ");
                self.problem(category.span(), format!("{what}: category \"{}\" is none of EN 50136: {known}", category.get_ref()));
                None
            }
        }
    }
}
