//! How often a log-in may fail. Pure: receives the time.
//!
//! Counted per pair of account and address, so that nobody can lock a duty officer out from elsewhere,
//! and more generously per address, so that one machine cannot try many accounts.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Failures of one account from one address before it has to wait.
const PER_PAIR: u32 = 5;
/// Failures from one address before it has to wait.
const PER_ADDRESS: u32 = 60;
/// Over this time failures are counted.
const WINDOW: Duration = Duration::from_secs(300);
/// Most entries kept; over that the oldest go.
const MAX_ENTRIES: usize = 20_000;

/// Whether a log-in may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go ahead.
    Allowed,
    /// Wait this long.
    Wait(Duration),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    since: Instant,
}

/// Failures of the last minutes.
#[derive(Debug, Default)]
pub struct LoginLimiter {
    pairs: HashMap<(IpAddr, String), Failures>,
    addresses: HashMap<IpAddr, Failures>,
}

impl LoginLimiter {
    /// Whether this account may be tried from this address now.
    pub fn check(&self, address: IpAddr, account: &str, now: Instant) -> Verdict {
        let wait = |failures: Option<&Failures>, most: u32| {
            let failures = failures?;
            let age = now.saturating_duration_since(failures.since);
            (failures.count >= most && age < WINDOW).then(|| WINDOW - age)
        };
        let pair = wait(self.pairs.get(&(address, account.to_owned())), PER_PAIR);
        match pair.max(wait(self.addresses.get(&address), PER_ADDRESS)) {
            Some(left) => Verdict::Wait(left),
            None => Verdict::Allowed,
        }
    }

    /// Notes a failure.
    pub fn failed(&mut self, address: IpAddr, account: &str, now: Instant) {
        note(&mut self.pairs, (address, account.to_owned()), now);
        note(&mut self.addresses, address, now);
    }

    /// Notes a success: the pair starts afresh, the address does not.
    pub fn succeeded(&mut self, address: IpAddr, account: &str) {
        self.pairs.remove(&(address, account.to_owned()));
    }
}

fn note<K: std::hash::Hash + Eq + Clone>(entries: &mut HashMap<K, Failures>, key: K, now: Instant) {
    if entries.len() >= MAX_ENTRIES {
        entries.retain(|_, f| now.saturating_duration_since(f.since) < WINDOW);
    }
    if entries.len() >= MAX_ENTRIES
        && let Some(oldest) = entries.iter().min_by_key(|(_, f)| f.since).map(|(k, _)| k.clone())
    {
        entries.remove(&oldest);
    }
    let entry = entries.entry(key).or_insert(Failures { count: 0, since: now });
    if now.saturating_duration_since(entry.since) >= WINDOW {
        *entry = Failures { count: 0, since: now };
    }
    entry.count += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 9));

    #[test]
    fn five_failures_make_an_account_wait_from_that_address_only() {
        let (mut limiter, start) = (LoginLimiter::default(), Instant::now());
        for _ in 0..PER_PAIR {
            assert_eq!(limiter.check(HERE, "duty", start), Verdict::Allowed);
            limiter.failed(HERE, "duty", start);
        }
        assert!(matches!(limiter.check(HERE, "duty", start), Verdict::Wait(_)));
        assert_eq!(limiter.check(THERE, "duty", start), Verdict::Allowed);
        assert_eq!(limiter.check(HERE, "lead", start), Verdict::Allowed);
        assert_eq!(limiter.check(HERE, "duty", start + WINDOW), Verdict::Allowed);
    }

    #[test]
    fn one_address_cannot_try_many_accounts() {
        let (mut limiter, start) = (LoginLimiter::default(), Instant::now());
        for i in 0..PER_ADDRESS {
            limiter.failed(HERE, &format!("user-{i}"), start);
        }
        assert!(matches!(limiter.check(HERE, "new", start), Verdict::Wait(_)));
    }
}
