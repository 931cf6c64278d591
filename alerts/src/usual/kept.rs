//! What is usual, as bytes: a version, then numbers, little end first. Read back bit for bit, or refused.

use super::{
    ERROR_HOURS, KINDS, MINUTES, NEAR, Usual,
    slots::{SLOTS, Slot, Slots},
    tail::Tail,
};

/// 2: three hours of minutes, three statistics, regressions on two numbers, two tails.
const VERSION: u8 = 2;
/// 1 began with the same half hours of the week; what came after them was learned of other statistics and begins anew.
const BEFORE: u8 = 1;
const BEFORE_NUMBERS: usize = SLOTS * 4 + 2 * 128 + 2 * 5 + 5 * ERROR_HOURS + 5 * 4 + 3;

impl Usual {
    /// About 9 KB.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8_192);
        out.push(VERSION);
        let mut put = |value: f32| out.extend_from_slice(&value.to_le_bytes());
        for slot in self.slots.all() {
            [slot.level, slot.variance, slot.weeks, f32::from(slot.odd)].into_iter().for_each(&mut put);
        }
        self.people.iter().chain(self.usual.iter()).copied().for_each(&mut put);
        self.carry.iter().flat_map(|carry| carry.sums).for_each(&mut put);
        self.errors.iter().flatten().copied().for_each(&mut put);
        for tail in &self.tails {
            [tail.threshold, tail.excess, tail.hours, tail.hour_max].into_iter().for_each(&mut put);
        }
        let (half, sum, n) = self.half.map_or((f32::NAN, 0.0, 0.0), |(half, sum, n)| (f32::from(half), sum, f32::from(n)));
        [half, sum, n].into_iter().for_each(&mut put);
        out.extend_from_slice(&self.newest.to_le_bytes());
        out.extend_from_slice(&self.hour.to_le_bytes());
        out
    }

    /// None when the bytes are of an unknown version or not as many as they should be.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let numbers = match *version {
            VERSION => SLOTS * 4 + 2 * MINUTES + 5 * NEAR.len() + KINDS * ERROR_HOURS + 2 * 4 + 3,
            BEFORE => BEFORE_NUMBERS,
            _ => return None,
        };
        if rest.len() != numbers * 4 + 16 {
            return None;
        }
        let (floats, ints) = rest.split_at(numbers * 4);
        let mut floats = floats.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let mut next = || floats.next().unwrap_or(f32::NAN);
        let slots = (0..SLOTS).map(|_| Slot { level: next(), variance: next(), weeks: next(), odd: next() as i8 }).collect();
        let mut usual = Self { slots: Slots::from_all(slots)?, ..Self::default() };
        if *version == BEFORE {
            return Some(usual);
        }
        usual.people.fill_with(&mut next);
        usual.usual.fill_with(&mut next);
        usual.carry.iter_mut().flat_map(|carry| &mut carry.sums).for_each(|sum| *sum = next());
        usual.errors.iter_mut().flatten().for_each(|error| *error = next());
        usual.tails.fill_with(|| Tail { threshold: next(), excess: next(), hours: next(), hour_max: next() });
        let (half, sum, n) = (next(), next(), next());
        usual.half = (!half.is_nan()).then_some((half as u16, sum, n as u16));
        let int = |at: usize| ints.get(at..at + 8).and_then(|b| b.try_into().ok()).map(i64::from_le_bytes);
        (usual.newest, usual.hour) = (int(0)?, int(8)?);
        Some(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usual::LocalMinute;

    #[test]
    fn what_is_kept_comes_back_and_goes_on_alike() {
        let local = |n: i64| LocalMinute { day: (n / 1_440 % 7) as u8, minute: (n % 1_440) as u16 };
        let mut usual = Usual::default();
        for n in 0..20_000 {
            usual.minute(n, local(n), 20.0 + (n % 7) as f32, true);
        }
        let bytes = usual.to_bytes();
        assert!(bytes.len() < 9_000, "{}", bytes.len());
        let mut back = Usual::from_bytes(&bytes).unwrap();
        assert_eq!(back.to_bytes(), bytes);
        for n in 20_000..20_100 {
            assert_eq!(format!("{:?}", back.minute(n, local(n), 50.0, true)), format!("{:?}", usual.minute(n, local(n), 50.0, true)));
        }
    }

    #[test]
    fn the_week_of_the_version_before_is_kept_and_the_rest_begins_anew() {
        let local = |n: i64| LocalMinute { day: (n / 1_440 % 7) as u8, minute: (n % 1_440) as u16 };
        let mut usual = Usual::default();
        for n in 0..30_000 {
            usual.minute(n, local(n), 20.0, true);
        }
        let mut old = vec![BEFORE];
        old.extend_from_slice(&usual.to_bytes()[1..=SLOTS * 16]);
        old.resize(1 + BEFORE_NUMBERS * 4 + 16, 0x55);
        let back = Usual::from_bytes(&old).unwrap();
        assert_eq!(back.slots, usual.slots);
        let began = Usual { slots: back.slots.clone(), ..Usual::default() };
        assert_eq!(back.to_bytes(), began.to_bytes());
        assert_eq!(Usual::from_bytes(&old[..old.len() - 1]), None);
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = Usual::default().to_bytes();
        assert_eq!(Usual::from_bytes(&[]), None);
        assert_eq!(Usual::from_bytes(&bytes[..bytes.len() - 1]), None);
        let mut other = bytes;
        other[0] = 9;
        assert_eq!(Usual::from_bytes(&other), None);
    }
}
