//! The index a thousand times over (Handbook, step 7: uncertainty analysis).
//!
//! Weights and the choice of normalisation are drawn once for a draw and hold for every area and period, so that areas stay
//! comparable. Errors of values and stand-ins for missing values are drawn for each cell. What a cell draws follows from the seed
//! and the names of its area, indicator and period alone: neither the order of the input nor the number of threads changes a digit.

use qorgan_domain::Catalogue;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

use super::{
    Band,
    method::{Aggregation, Method, Normalisation},
};

/// Normal numbers in the table that cells take their draws from, each at a place of its own.
const TABLE: usize = 1 << 16;

/// What is the same for all areas and periods.
pub(super) struct Plan {
    pub(super) draws: usize,
    /// Which normalisation which draws take: an index into [`Plan::scales`] and the draws from..to.
    segments: Vec<(usize, usize, usize)>,
    /// Normalisations in use, the method's own first.
    pub(super) scales: Vec<Normalisation>,
    /// Weight of an indicator in its block, by draw; shares of the block's sum.
    within: Vec<Vec<f32>>,
    /// Weight of a block, by draw; shares of the sum.
    across: Vec<Vec<f32>>,
    normals: Vec<f32>,
    seed: u64,
    within_how: Aggregation,
    across_how: Aggregation,
}

/// Score and spread of a cell under each normalisation in use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    /// Place in the catalogue.
    pub(super) part: usize,
    /// Where its draws begin in the table.
    pub(super) place: u64,
    pub(super) scores: [(f32, f32); 4],
}

impl Plan {
    pub(super) fn new(catalogue: &Catalogue, method: &Method, weights: &[f64]) -> Self {
        let draws = method.draws as usize;
        let mut scales = vec![method.normalisation];
        let mut segments = vec![(0, 0, draws)];
        if method.perturb.normalisation {
            scales.extend(Normalisation::ALL.into_iter().filter(|n| *n != method.normalisation));
            let (own, rest) = (draws - draws / 2, draws / 2);
            segments = vec![(0, 0, own)];
            let others = scales.len() - 1;
            segments.extend((0..others).map(|n| (n + 1, own + rest * n / others, own + rest * (n + 1) / others)));
        }
        let share = method.perturb.weights;
        let names: Vec<String> = catalogue.indicators.iter().map(|i| format!("indicator {}", i.id)).collect();
        let mut within = varied(&names, weights, share, method.seed, draws);
        for block in &catalogue.blocks {
            let of_block: Vec<usize> =
                catalogue.indicators.iter().enumerate().filter(|(_, i)| i.block == block.id).map(|(at, _)| at).collect();
            to_shares(&mut within, &of_block, draws);
        }
        let names: Vec<String> = catalogue.blocks.iter().map(|b| format!("block {}", b.id)).collect();
        let blocks: Vec<f64> = catalogue.blocks.iter().map(|b| method.block_weight(&b.id)).collect();
        let mut across = varied(&names, &blocks, share, method.seed, draws);
        to_shares(&mut across, &(0..blocks.len()).collect::<Vec<_>>(), draws);
        let normals = normals(method.seed, draws);
        let (within_how, across_how) = (method.within, method.across);
        Self { draws, segments, scales, within, across, normals, seed: method.seed, within_how, across_how }
    }

    /// Where the draws of something begin, by its name.
    pub(super) fn place(&self, name: u64) -> u64 {
        mix(self.seed ^ name)
    }

    /// Every draw of a block, from its cells (missing ones stand in).
    pub(super) fn block(&self, cells: &[Drawn], out: &mut [f32]) {
        self.gather(self.within_how, cells, &self.within, out);
    }

    /// Adds a block's draws to the overall ones.
    pub(super) fn add(&self, block: usize, draws: &[f32], out: &mut [f32]) {
        let weights = &self.across[block];
        match self.across_how {
            Aggregation::Arithmetic => out.iter_mut().zip(weights).zip(draws).for_each(|((sum, w), s)| *sum += w * s),
            Aggregation::Geometric => out.iter_mut().zip(weights).zip(draws).for_each(|((sum, w), s)| *sum += w * left(*s).ln()),
        }
    }

    /// Draws of a block that is not known: around what is known of the area, as blocks differ between areas.
    pub(super) fn unknown(&self, place: u64, centre: f32, spread: f32, out: &mut [f32]) {
        let normals = self.window(place);
        out.iter_mut().zip(normals).for_each(|(score, z)| *score = (centre + spread * z).clamp(0.0, 10.0));
    }

    /// Ends the overall draws.
    pub(super) fn finish(&self, out: &mut [f32]) {
        finish(self.across_how, out);
    }

    fn gather(&self, how: Aggregation, cells: &[Drawn], weights: &[Vec<f32>], out: &mut [f32]) {
        out.fill(0.0);
        for cell in cells {
            let (weights, normals) = (&weights[cell.part], self.window(cell.place));
            for &(scale, from, to) in &self.segments {
                let (score, spread) = cell.scores[scale];
                let parts = out[from..to].iter_mut().zip(&weights[from..to]).zip(&normals[from..to]);
                match how {
                    Aggregation::Arithmetic => parts.for_each(|((sum, w), z)| *sum += w * (score + spread * z).clamp(0.0, 10.0)),
                    Aggregation::Geometric => {
                        parts.for_each(|((sum, w), z)| *sum += w * left((score + spread * z).clamp(0.0, 10.0)).ln());
                    }
                }
            }
        }
        finish(how, out);
    }

    fn window(&self, place: u64) -> &[f32] {
        let at = (place % TABLE as u64) as usize;
        &self.normals[at..at + self.draws]
    }
}

/// What is left to full strain, 1 to 10 (see `combine::inform`).
fn left(score: f32) -> f32 {
    10.0 - 0.9 * score
}

fn finish(how: Aggregation, out: &mut [f32]) {
    if how == Aggregation::Geometric {
        out.iter_mut().for_each(|sum| *sum = ((10.0 - sum.exp()) / 0.9).clamp(0.0, 10.0));
    }
}

/// Weights by draw: each within `share` of itself, evenly.
fn varied(names: &[String], weights: &[f64], share: f64, seed: u64, draws: usize) -> Vec<Vec<f32>> {
    let one = |(name, weight): (&String, &f64)| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ fnv(name));
        (0..draws).map(|_| (weight * (1.0 + share * (2.0 * uniform(&mut rng) - 1.0))) as f32).collect()
    };
    names.iter().zip(weights).map(one).collect()
}

/// Makes the weights of some parts shares of their sum, draw by draw.
fn to_shares(weights: &mut [Vec<f32>], parts: &[usize], draws: usize) {
    let mut sums = vec![0.0_f32; draws];
    for part in parts {
        sums.iter_mut().zip(&weights[*part]).for_each(|(sum, weight)| *sum += weight);
    }
    for part in parts {
        weights[*part].iter_mut().zip(&sums).filter(|(_, sum)| **sum > 0.0).for_each(|(weight, sum)| *weight /= sum);
    }
}

/// Standard normal numbers (Box and Muller).
fn normals(seed: u64, draws: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ fnv("normals"));
    let mut table = Vec::with_capacity(TABLE + draws + 2);
    while table.len() < TABLE {
        let radius = (-2.0 * (1.0 - uniform(&mut rng)).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * uniform(&mut rng)).sin_cos();
        table.extend([(radius * cos) as f32, (radius * sin) as f32]);
    }
    // A window that begins near the end goes on at the beginning.
    table.extend_from_within(..draws);
    table
}

/// Evenly in 0 to 1, 1 excluded.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// FNV-1a: a number for a name, the same everywhere.
pub(super) fn fnv(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Scatters near numbers (the finaliser of SplitMix64).
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// The band of some draws, which always holds the index itself. Reorders the draws.
pub(super) fn band(value: f64, draws: &mut [f32], bits: &mut Vec<u32>) -> Band {
    // Scores are not negative, and then their bits have their order.
    bits.clear();
    bits.extend(draws.iter().map(|score| score.max(0.0).to_bits()));
    let n = bits.len();
    let at = |q: f64| ((q * n as f64).ceil() as usize).clamp(1, n) - 1;
    let (low, middle, high) = (at(0.05), at(0.5), at(0.95));
    let (below, p50, above) = bits.select_nth_unstable(middle);
    let p50 = f64::from(f32::from_bits(*p50));
    let of = |bits: u32| f64::from(f32::from_bits(bits));
    let p5 = if low < middle { of(*below.select_nth_unstable(low).1) } else { p50 };
    let p95 = if high > middle { of(*above.select_nth_unstable(high - middle - 1).1) } else { p50 };
    Band { p5: p5.min(value), p50, p95: p95.max(value) }
}
