//! Places in the order of strain. Two areas whose bands overlap have no order: each is told the range it may be in.

use super::Band;

/// Where an area stands, 1 for the most strained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// First place it may have.
    pub from: usize,
    /// Last place it may have.
    pub to: usize,
}

impl Place {
    /// Its place, where no other band overlaps with its own.
    pub fn rank(self) -> Option<usize> {
        (self.from == self.to).then_some(self.from)
    }
}

/// The place of every area that has a band.
pub fn places(bands: &[Option<Band>]) -> Vec<Option<Place>> {
    let known = || bands.iter().flatten();
    let mut lows: Vec<f64> = known().map(|b| b.p5).collect();
    let mut highs: Vec<f64> = known().map(|b| b.p95).collect();
    lows.sort_by(f64::total_cmp);
    highs.sort_by(f64::total_cmp);
    let place = |band: &Band| {
        let surely_above = lows.len() - lows.partition_point(|low| *low <= band.p95);
        let surely_below = highs.partition_point(|high| *high < band.p5);
        Place { from: surely_above + 1, to: lows.len() - surely_below }
    };
    bands.iter().map(|band| band.as_ref().map(place)).collect()
}
