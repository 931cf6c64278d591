//! What is usual, as bytes: a version, then numbers, little end first. Read back bit for bit, or refused.

use super::{
    ERROR_HOURS, KINDS, MINUTES, Usual,
    slots::{SLOTS, Slot, Slots},
    tail::Tail,
};

const VERSION: u8 = 1;

impl Usual {
    /// About 8 KB.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8_192);
        out.push(VERSION);
        let mut put = |value: f32| out.extend_from_slice(&value.to_le_bytes());
        for slot in self.slots.all() {
            [slot.level, slot.variance, slot.weeks, f32::from(slot.odd)].into_iter().for_each(&mut put);
        }
        self.people.iter().chain(self.usual.iter()).copied().for_each(&mut put);
        self.carry.iter().for_each(|(xy, xx)| [*xy, *xx].into_iter().for_each(&mut put));
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

    /// None when the bytes are of another version or not as many as they should be.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let numbers = SLOTS * 4 + 2 * MINUTES + 2 * KINDS + KINDS * ERROR_HOURS + KINDS * 4 + 3;
        if *version != VERSION || rest.len() != numbers * 4 + 16 {
            return None;
        }
        let (floats, ints) = rest.split_at(numbers * 4);
        let mut floats = floats.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let mut next = || floats.next().unwrap_or(f32::NAN);
        let slots = (0..SLOTS).map(|_| Slot { level: next(), variance: next(), weeks: next(), odd: next() as i8 }).collect();
        let mut usual = Self { slots: Slots::from_all(slots)?, ..Self::default() };
        usual.people.fill_with(&mut next);
        usual.usual.fill_with(&mut next);
        usual.carry.fill_with(|| (next(), next()));
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
    fn other_bytes_are_refused() {
        let bytes = Usual::default().to_bytes();
        assert_eq!(Usual::from_bytes(&[]), None);
        assert_eq!(Usual::from_bytes(&bytes[..bytes.len() - 1]), None);
        let mut other = bytes;
        other[0] = 9;
        assert_eq!(Usual::from_bytes(&other), None);
    }
}
