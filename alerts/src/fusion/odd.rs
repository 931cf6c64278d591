//! What can be odd about counts. None of it is dropped in silence: each is defined here and counted, and the engine shows the numbers
//! (`qorgan_counts_odd_total`).

/// What is odd about a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Odd {
    /// Of a camera that is not judged: it judges nothing.
    NoCamera,
    /// Older than `stale_ms`: it judges nothing.
    Late,
    /// Of the same moment as the newest: it judges nothing.
    Doubled,
    /// Older than the newest, though not late: it judges nothing.
    OutOfOrder,
    /// From the future: it is judged as one of now.
    Ahead,
    /// Its interval is wider than the count itself: its lower end is judged as always, and it teaches nothing.
    Wide,
    /// After a pause longer than `max_gap_ms`: what had lasted begins anew.
    AfterGap,
    /// The newest count lies ahead of the hub, whose clock was set back: what had lasted begins anew.
    ClockSetBack,
    /// Not a count: a camera stands elsewhere now and learns anew what is usual.
    Moved,
}

impl Odd {
    /// Everything that is.
    pub const ALL: [Odd; 9] =
        [Odd::NoCamera, Odd::Late, Odd::Doubled, Odd::OutOfOrder, Odd::Ahead, Odd::Wide, Odd::AfterGap, Odd::ClockSetBack, Odd::Moved];

    /// Name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Odd::NoCamera => "no_camera",
            Odd::Late => "late",
            Odd::Doubled => "doubled",
            Odd::OutOfOrder => "out_of_order",
            Odd::Ahead => "ahead",
            Odd::Wide => "wide",
            Odd::AfterGap => "after_gap",
            Odd::ClockSetBack => "clock_set_back",
            Odd::Moved => "moved",
        }
    }
}

/// How often each has been seen since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally([u64; Odd::ALL.len()]);

impl Tally {
    pub(super) fn note(&mut self, odd: Odd) {
        self.0[odd as usize] += 1;
    }

    pub(super) fn of(&self, odd: Odd) -> u64 {
        self.0[odd as usize]
    }
}

/// An interval so wide that the count teaches nothing.
pub(super) fn is_wide(count: &qorgan_domain::Count) -> bool {
    count.high - count.low > 1.5 * count.people + 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_place_and_a_name_of_its_own() {
        let mut names: Vec<&str> = Odd::ALL.iter().map(|odd| odd.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Odd::ALL.len());
        for (n, odd) in Odd::ALL.into_iter().enumerate() {
            assert_eq!(odd as usize, n);
        }
    }
}
