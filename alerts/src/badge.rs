//! Body-worn cameras: whether each records without a gap, and can be found. Pure; time comes in with every word and tick.
//!
//! A badge says of every piece of its recording: its number, its digest, and the digest of the one before. Four things are faults, and
//! one trouble says them all ([`TroubleKind::Badge`]):
//!
//! | fault | when | over |
//! | --- | --- | --- |
//! | a segment is missing | the number jumps, or none comes for [`BadgeRules::segment_ms`] | a jump: never; silence: with the next segment |
//! | the chain is broken | the digest of the one before is not the one that was told | never |
//! | it is off | it said goodbye, or its last will did | when it speaks again |
//! | nobody knows where it is | no position of its unit for [`BadgeRules::position_ms`] while it records | with the next position |
//!
//! What can never be made good stays until the shift lead closes the trouble: no officer can ([`crate::life`]).

use std::collections::BTreeMap;

use qorgan_domain::{
    DeviceRef, UtcMs,
    badge::{Digest, Segment},
    sign::{Scope, Trouble, TroubleKind},
};
use serde::{Deserialize, Serialize};

/// Gaps that are named one by one; more are a number.
const MAX_NAMED: usize = 8;
/// Past segments of which a repeat is known.
const REMEMBERED: usize = 16;

/// Times of the rules. A supervisor knows within 60 s: these and a tick must stay below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadgeRules {
    /// Longest time between two segments while it is on, in milliseconds.
    pub segment_ms: i64,
    /// Longest time without a position while it is on, in milliseconds.
    pub position_ms: i64,
    /// How long it may be off without having said so before it is a fault: it may connect anew, in milliseconds.
    pub off_ms: i64,
}

impl Default for BadgeRules {
    fn default() -> Self {
        Self { segment_ms: 45_000, position_ms: 50_000, off_ms: 10_000 }
    }
}

/// What a segment is, next to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The next one, in its place.
    InPlace,
    /// So many are missing before it.
    Missing(u64),
    /// The one before it is another than was told.
    Broken,
    /// It was told already, with the same digest.
    Repeat,
    /// A number that was told already, with another digest, or one from before.
    Rewritten,
}

/// What is remembered of a badge; also kept over a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Badge {
    last: Option<(u64, Digest)>,
    /// Numbers and digests that were told lately.
    told: Vec<(u64, Digest)>,
    segment_at: Option<i64>,
    position_at: Option<i64>,
    off_at: Option<i64>,
    /// Numbers that never came, from and to.
    gaps: Vec<(u64, u64)>,
    more_gaps: u64,
    broken_at: Option<u64>,
    /// What the trouble says now, and since when.
    said: Option<(String, i64)>,
}

/// All badges.
#[derive(Debug)]
pub struct Badges {
    rules: BadgeRules,
    badges: BTreeMap<DeviceRef, Badge>,
    ended: Vec<Trouble>,
    /// Since when the hub hears over MQTT; none while it does not.
    hears_since: Option<UtcMs>,
}

impl Badges {
    /// Watches no badge yet.
    pub fn new(rules: BadgeRules, now: UtcMs) -> Self {
        Self { rules, badges: BTreeMap::new(), ended: Vec::new(), hears_since: Some(now) }
    }

    /// Watches a badge. It is no trouble before it was heard once.
    pub fn add(&mut self, badge: DeviceRef) {
        self.badges.entry(badge).or_default();
    }

    /// Watches it no longer; its trouble ends with the next tick.
    pub fn remove(&mut self, badge: &DeviceRef) {
        let Some(removed) = self.badges.remove(badge) else { return };
        if let Some((_, since)) = removed.said {
            self.ended.push(over(badge, since, Some("no longer supervised".to_owned())));
        }
    }

    /// Takes a segment; none for a badge that nobody knows.
    pub fn segment(&mut self, segment: &Segment) -> Option<Verdict> {
        let badge = self.badges.get_mut(&segment.badge)?;
        badge.off_at = None;
        let verdict = match badge.last {
            _ if badge.told.contains(&(segment.seq, segment.sha256)) => Verdict::Repeat,
            None => Verdict::InPlace,
            Some((seq, _)) if segment.seq <= seq => Verdict::Rewritten,
            Some((seq, _)) if segment.seq > seq + 1 => Verdict::Missing(segment.seq - seq - 1),
            Some((_, digest)) if segment.previous != Some(digest) => Verdict::Broken,
            Some(_) => Verdict::InPlace,
        };
        match verdict {
            // A repeat is no sign that it goes on recording.
            Verdict::Repeat => return Some(verdict),
            Verdict::Rewritten => {
                badge.broken_at.get_or_insert(segment.seq);
                return Some(verdict);
            }
            Verdict::Missing(_) if badge.gaps.len() >= MAX_NAMED => badge.more_gaps += 1,
            Verdict::Missing(count) => badge.gaps.push((segment.seq - count, segment.seq - 1)),
            Verdict::Broken => badge.broken_at = badge.broken_at.or(Some(segment.seq)),
            Verdict::InPlace => {}
        }
        badge.segment_at = Some(segment.received_at.0);
        badge.last = Some((segment.seq, segment.sha256));
        badge.told.push((segment.seq, segment.sha256));
        if badge.told.len() > REMEMBERED {
            badge.told.remove(0);
        }
        Some(verdict)
    }

    /// The unit that wears it said where it is.
    pub fn positioned(&mut self, badge: &DeviceRef, at: UtcMs) {
        if let Some(badge) = self.badges.get_mut(badge) {
            badge.position_at = badge.position_at.max(Some(at.0));
        }
    }

    /// It said goodbye, or its connection broke.
    pub fn gone(&mut self, badge: &DeviceRef, at: UtcMs) {
        if let Some(badge) = self.badges.get_mut(badge).filter(|badge| badge.segment_at.is_some()) {
            badge.off_at.get_or_insert(at.0);
        }
    }

    /// It is there again.
    pub fn back(&mut self, badge: &DeviceRef) {
        if let Some(badge) = self.badges.get_mut(badge) {
            badge.off_at = None;
        }
    }

    /// Whether the hub hears over MQTT; while it does not, no silence is a fault.
    pub fn hears(&mut self, hears: bool, now: UtcMs) {
        match (hears, self.hears_since) {
            (true, None) => self.hears_since = Some(now),
            (false, _) => self.hears_since = None,
            _ => {}
        }
    }

    /// The troubles that begin, change and end.
    pub fn tick(&mut self, now: UtcMs) -> Vec<Trouble> {
        let mut told = std::mem::take(&mut self.ended);
        let (rules, hears_since) = (self.rules, self.hears_since);
        for (id, badge) in &mut self.badges {
            let wrong = badge.wrong(rules, hears_since, now);
            match (&mut badge.said, wrong.is_empty()) {
                (None, true) => {}
                (Some((_, since)), true) => {
                    told.push(over(id, *since, None));
                    badge.said = None;
                }
                (Some((said, _)), false) if *said == wrong => {}
                (said, false) => {
                    let since = said.as_ref().map_or(now.0, |(_, since)| *since);
                    *said = Some((wrong.clone(), since));
                    told.push(Trouble {
                        scope: Scope::Device(id.clone()),
                        kind: TroubleKind::Badge,
                        devices: vec![id.clone()],
                        since: UtcMs(since),
                        detail: Some(wrong),
                        active: true,
                        reason: None,
                    });
                }
            }
        }
        told
    }

    /// What a restart must not forget, as JSON.
    pub fn to_keep(&self) -> String {
        let all: BTreeMap<String, &Badge> = self.badges.iter().map(|(id, badge)| (id.to_string(), badge)).collect();
        serde_json::to_string(&all).unwrap_or_else(|_| "{}".to_owned())
    }

    /// Goes on where the hub ended. Badges that are not watched any more are forgotten.
    pub fn restore(&mut self, kept: &str) {
        let kept: BTreeMap<String, Badge> = serde_json::from_str(kept).unwrap_or_default();
        for (id, before) in kept {
            if let Some(badge) = id.parse().ok().and_then(|id: DeviceRef| self.badges.get_mut(&id)) {
                *badge = before;
            }
        }
    }

    /// Number of the last segment of a badge and when it was heard.
    pub fn last(&self, badge: &DeviceRef) -> Option<(u64, UtcMs)> {
        let badge = self.badges.get(badge)?;
        Some((badge.last?.0, UtcMs(badge.segment_at?)))
    }

    /// What is wrong with a badge now, as its trouble says it.
    pub fn wrong_with(&self, badge: &DeviceRef) -> Option<&str> {
        self.badges.get(badge)?.said.as_ref().map(|(said, _)| said.as_str())
    }
}

impl Badge {
    /// In codes and numbers, `; ` between: `missing 4-6`, `broken 9`, `off`, `silent`, `no_position`.
    fn wrong(&self, rules: BadgeRules, hears_since: Option<UtcMs>, now: UtcMs) -> String {
        let mut wrong = Vec::new();
        for (from, to) in &self.gaps {
            wrong.push(if from == to { format!("missing {from}") } else { format!("missing {from}-{to}") });
        }
        if self.more_gaps > 0 {
            wrong.push(format!("missing more {}", self.more_gaps));
        }
        if let Some(seq) = self.broken_at {
            wrong.push(format!("broken {seq}"));
        }
        let Some(segment_at) = self.segment_at else { return wrong.join("; ") };
        if let Some(off) = self.off_at {
            // Away for a moment is not off.
            if now.0 - off >= rules.off_ms {
                wrong.push("off".to_owned());
            }
        } else if let Some(since) = hears_since {
            let silent = |last: i64, most_ms: i64| now.0 - last.max(since.0) > most_ms;
            if silent(segment_at, rules.segment_ms) {
                wrong.push("silent".to_owned());
            }
            if silent(self.position_at.unwrap_or(segment_at), rules.position_ms) {
                wrong.push("no_position".to_owned());
            }
        }
        wrong.join("; ")
    }
}

fn over(badge: &DeviceRef, since: i64, reason: Option<String>) -> Trouble {
    let scope = Scope::Device(badge.clone());
    Trouble { scope, kind: TroubleKind::Badge, devices: Vec::new(), since: UtcMs(since), detail: None, active: false, reason }
}
