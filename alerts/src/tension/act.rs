//! A weight for a block that has none by rule: an act of two people, with a published basis, that ends by itself.

use jiff::{ToSpan, civil::Date};
use qorgan_domain::{Block, BlockId, UtcMs};
use serde::Serialize;

/// Longest life of an act, in months.
pub const MONTHS: i32 = 12;

/// An act.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// Number.
    pub id: i64,
    /// The block.
    pub block: BlockId,
    /// Weight that it gets, more than 0 and at most 1.
    pub weight: f64,
    /// Title of the published act or study that it rests on.
    pub basis: String,
    /// Where that can be read.
    pub basis_url: String,
    /// When that was published.
    pub published_on: Date,
    /// When it was proposed.
    pub proposed_at: UtcMs,
    /// By whom.
    pub proposed_by: String,
    /// When it was decided.
    pub decided_at: Option<UtcMs>,
    /// By whom: another person.
    pub decided_by: Option<String>,
    /// How.
    pub approved: Option<bool>,
    /// Last day.
    pub expires_on: Date,
    /// When it was taken back.
    pub revoked_at: Option<UtcMs>,
    /// By whom.
    pub revoked_by: Option<String>,
}

/// What an act is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActState {
    /// Waits for the second person.
    Proposed,
    /// The second person said no.
    Refused,
    /// Gives its block a weight.
    InForce,
    /// Its last day is over.
    Expired,
    /// Taken back.
    Revoked,
}

/// Why an act is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActRefusal {
    /// The block may have a weight without one, or does not exist.
    #[error("only a block that is zero by rule needs an act")]
    NotByRule,
    /// 0, negative, over 1 or no number.
    #[error("the weight is more than 0 and at most 1")]
    Weight,
    /// No title, no https address, or a day in the future.
    #[error("a published basis is needed: its title (10 to 500 characters), its https address, and the day it was published")]
    Basis,
    /// Longer than twelve months, or over already.
    #[error("an act ends within twelve months, and not before tomorrow")]
    Term,
    /// The one who proposed it decides on it.
    #[error("another person decides")]
    SamePerson,
    /// Decided, expired or taken back.
    #[error("this act is no longer open")]
    Decided,
    /// Another act gives a block a weight now: one exception at a time.
    #[error("another act is in force")]
    InForce,
}

/// The day of a moment, UTC.
pub fn day_of(at: UtcMs) -> Date {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

impl Act {
    /// Checks a proposal.
    pub fn check(&self, block: Option<&Block>) -> Result<(), ActRefusal> {
        if !block.is_some_and(|b| b.zero_by_rule && b.id == self.block) {
            return Err(ActRefusal::NotByRule);
        }
        if !(self.weight > 0.0 && self.weight <= 1.0) {
            return Err(ActRefusal::Weight);
        }
        let today = day_of(self.proposed_at);
        let title = self.basis.trim().chars().count();
        let address = self.basis_url.strip_prefix("https://").is_some_and(|rest| {
            rest.split('/').next().is_some_and(|host| host.contains('.'))
                && self.basis_url.len() <= 500
                && !rest.contains(char::is_whitespace)
        });
        if !(10..=500).contains(&title) || !address || self.published_on > today {
            return Err(ActRefusal::Basis);
        }
        let latest = today.saturating_add(MONTHS.months());
        if self.expires_on <= today || self.expires_on > latest {
            return Err(ActRefusal::Term);
        }
        Ok(())
    }

    /// What it is now.
    pub fn state(&self, now: UtcMs) -> ActState {
        let over = day_of(now) > self.expires_on;
        match (self.revoked_at, self.approved) {
            (Some(_), _) => ActState::Revoked,
            (None, Some(false)) => ActState::Refused,
            _ if over => ActState::Expired,
            (None, Some(true)) => ActState::InForce,
            (None, None) => ActState::Proposed,
        }
    }

    /// The second person's word.
    pub fn decide(&mut self, by: &str, approve: bool, others: &[Act], now: UtcMs) -> Result<(), ActRefusal> {
        if self.state(now) != ActState::Proposed {
            return Err(ActRefusal::Decided);
        }
        if self.proposed_by == by {
            return Err(ActRefusal::SamePerson);
        }
        if approve && in_force(others, now).is_some_and(|act| act.id != self.id) {
            return Err(ActRefusal::InForce);
        }
        (self.decided_at, self.decided_by, self.approved) = (Some(now), Some(by.to_owned()), Some(approve));
        Ok(())
    }

    /// Takes it back; one person is enough for that.
    pub fn revoke(&mut self, by: &str, now: UtcMs) -> Result<(), ActRefusal> {
        if !matches!(self.state(now), ActState::Proposed | ActState::InForce) {
            return Err(ActRefusal::Decided);
        }
        (self.revoked_at, self.revoked_by) = (Some(now), Some(by.to_owned()));
        Ok(())
    }
}

/// The act that gives a block a weight now.
pub fn in_force(acts: &[Act], now: UtcMs) -> Option<&Act> {
    acts.iter().find(|act| act.state(now) == ActState::InForce)
}
