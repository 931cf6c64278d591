//! More requests than usual: EARS C2 of daily counts of one category in one district.
//!
//! C2 (Hutwagner et al., 2003; as `earsC` of the R package surveillance computes it): the mean and standard deviation of seven days that
//! end three days before the day that is judged; the bound is the mean plus z times the deviation. The two days in between keep
//! the beginning of a rise out of what is called usual.

/// Name of the formula and its version, kept with every signal.
pub const FORMULA: &str = "ears-c2-1";
/// Days of the baseline.
pub const BASELINE: usize = 7;
/// Days between the baseline and the day that is judged.
pub const LAG: usize = 2;
/// A deviation smaller than this is taken as this: seven equal days do not make the next single request a spike.
const LEAST_DEVIATION: f64 = 1.0;

/// How much is a spike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Standard deviations above the mean; 3 in the literature.
    pub z: f64,
    /// Fewer than so many in a day are none. At least 10: a signal tells its count.
    pub least: u64,
}

/// A day above its bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spike {
    /// What is usual a day.
    pub expected: f64,
    /// The bound that was passed.
    pub threshold: f64,
}

/// Mean and bound of the day after these; none when there are fewer days than the formula needs.
pub fn bound(days: &[u64], z: f64, least_deviation: f64) -> Option<(f64, f64)> {
    let to = days.len().checked_sub(LAG)?;
    let days = days.get(to.checked_sub(BASELINE)?..to)?;
    let mean = days.iter().sum::<u64>() as f64 / BASELINE as f64;
    let variance = days.iter().map(|day| (*day as f64 - mean).powi(2)).sum::<f64>() / (BASELINE - 1) as f64;
    Some((mean, mean + z * variance.sqrt().max(least_deviation)))
}

/// Judges the last of some days, oldest first.
pub fn judge(days: &[u64], limits: Bound) -> Option<Spike> {
    let (today, before) = days.split_last()?;
    let (expected, threshold) = bound(before, limits.z, LEAST_DEVIATION)?;
    (*today as f64 > threshold && *today >= limits.least.max(10)).then_some(Spike { expected, threshold })
}

#[cfg(test)]
mod tests {
    use std::{fs::read_to_string, path::PathBuf};

    use super::*;

    /// The series `salmonella.agona` and what `earsC(method = "C2", alpha = 0.001)` of the R package says of it.
    #[test]
    fn the_bound_is_that_of_the_r_package() {
        let shared =
            std::env::var_os("QORGAN_SHARED").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
        let folder = shared.join("conformance/surveillance");
        let (Ok(series), Ok(bounds)) =
            (read_to_string(folder.join("salmonella_agona.csv")), read_to_string(folder.join("ears_C2_agona.csv")))
        else {
            println!("skipped: no vectors in {}", folder.display());
            return;
        };
        let column = |line: &str, at: usize| line.split(',').nth(at).unwrap().parse::<f64>().unwrap();
        let days: Vec<u64> = series.lines().skip(1).map(|line| column(line, 1) as u64).collect();
        let mut judged = 0;
        for line in bounds.lines().skip(1) {
            let (day, upper) = (column(line, 0) as usize, column(line, 2));
            let (_, bound) = bound(&days[..day - 1], 3.090_232_306, 0.0).unwrap();
            assert!((bound - upper).abs() < 1e-6, "day {day}: {bound} instead of {upper}");
            judged += 1;
        }
        assert!(judged > 200, "{judged}");
    }

    const LIMITS: Bound = Bound { z: 3.0, least: 10 };

    #[test]
    fn a_burst_main_is_a_spike_and_a_busy_week_is_not() {
        let usual = [4, 6, 5, 7, 5, 4, 6];
        let day = |lag: [u64; 2], today| judge(&[&usual[..], &lag, &[today]].concat(), LIMITS);
        let spike = day([5, 6], 31).unwrap();
        assert!((spike.expected - 37.0 / 7.0).abs() < 1e-9 && spike.threshold < 9.0, "{spike:?}");
        assert_eq!(day([5, 6], 8), None);
        assert!(day([20, 25], 31).is_some(), "a rise of the last two days does not hide itself");
        assert_eq!(judge(&[3; 9], LIMITS), None, "too few days");
        assert_eq!(judge(&[&[0; 9][..], &[9]].concat(), LIMITS), None, "fewer than ten are never told");
        assert!(judge(&[&[0; 9][..], &[10]].concat(), LIMITS).is_some());
        assert!(judge(&[&[0; 9][..], &[9]].concat(), Bound { least: 1, ..LIMITS }).is_none(), "whatever is configured");
    }
}
