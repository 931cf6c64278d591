//! How often one address may ask or submit, and how often a code may be wrong. Pure: receives the time.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

/// Most entries kept; over that those whose time is over go, and then the oldest.
const MOST: usize = 20_000;

/// Counts within a window that begins with the first.
#[derive(Debug)]
pub struct Limit<K> {
    most: u32,
    window: Duration,
    seen: HashMap<K, (u32, Instant)>,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    /// So many within such a time.
    pub fn new(most: u32, window: Duration) -> Self {
        Self { most, window, seen: HashMap::new() }
    }

    /// Counts one more; when there were too many, how long to wait.
    pub fn take(&mut self, key: K, now: Instant) -> Result<(), Duration> {
        self.check(&key, now)?;
        self.note(key, now);
        Ok(())
    }

    /// Whether one more may be tried; when there were too many, how long to wait.
    pub fn check(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let Some((count, since)) = self.seen.get(key) else { return Ok(()) };
        let age = now.saturating_duration_since(*since);
        if *count >= self.most && age < self.window { Err(self.window - age) } else { Ok(()) }
    }

    /// Counts one more.
    pub fn note(&mut self, key: K, now: Instant) {
        if self.seen.len() >= MOST && !self.seen.contains_key(&key) {
            let window = self.window;
            self.seen.retain(|_, (_, since)| now.saturating_duration_since(*since) < window);
            if self.seen.len() >= MOST
                && let Some(oldest) = self.seen.iter().min_by_key(|(_, (_, since))| *since).map(|(key, _)| key.clone())
            {
                self.seen.remove(&oldest);
            }
        }
        let entry = self.seen.entry(key).or_insert((0, now));
        if now.saturating_duration_since(entry.1) >= self.window {
            *entry = (0, now);
        }
        entry.0 = entry.0.saturating_add(1);
    }
}

/// What counts as one address: of IPv6 the network of a household (64 bits), which has as many addresses as it likes.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_waits_and_others_do_not() {
        let (mut limit, start) = (Limit::new(2, Duration::from_secs(60)), Instant::now());
        assert!(limit.take("a", start).is_ok() && limit.take("a", start).is_ok());
        assert_eq!(limit.take("a", start + Duration::from_secs(20)), Err(Duration::from_secs(40)));
        assert!(limit.take("b", start).is_ok());
        assert!(limit.take("a", start + Duration::from_secs(60)).is_ok());
    }

    #[test]
    fn a_household_of_ipv6_is_one_address() {
        let same = |a: &str, b: &str| household(a.parse().unwrap()) == household(b.parse().unwrap());
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(same("::ffff:10.0.0.1", "10.0.0.1") && !same("10.0.0.1", "10.0.0.2"));
    }

    #[test]
    fn a_flood_of_addresses_stays_within_bounds() {
        let (mut limit, start) = (Limit::new(1, Duration::from_secs(60)), Instant::now());
        for n in 0..MOST + 50 {
            let _ = limit.take(n, start);
        }
        assert_eq!(limit.seen.len(), MOST);
    }
}
