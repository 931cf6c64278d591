//! Statistics of public-health surveillance, for any series of counts: is the newest number more than what came before explains?
//!
//! What belongs here: pure functions of a series. What does not: cameras, clocks, alerts. The same questions are asked of people
//! in a square as of cases of a disease: a seasonal baseline with odd past values, few data, and a bound that is seldom crossed
//! by chance.
//!
//! - [`ears`]: C1, C2 and C3 of the Early Aberration Reporting System (Fricker, Hegler, Dunfee, Stat. Med. 27, 2008).
//! - [`cusum`]: one-sided cumulative sum of standardised residuals (Page, Biometrika 41, 1954).
//! - [`glm`]: quasi-Poisson regression by iteratively reweighted least squares (McCullagh, Nelder, 1989).
//! - [`farrington`]: the flexible Farrington method (Farrington et al., J. R. Stat. Soc. A 159, 1996; Noufaily et al., Stat. Med. 32, 2013).
//!
//! Checked against the package `surveillance` of R 1.20.3 where its outputs are at hand (`alerts/tests/it/surveillance.rs`).

pub mod cusum;
pub mod ears;
pub mod farrington;
pub mod glm;

use statrs::distribution::{ContinuousCDF, Normal};

/// The `p`-quantile (0 to 1, both excluded) of the standard normal distribution.
pub fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// Smallest whole number whose negative binomial distribution function reaches `p`; variance `dispersion * mean`.
/// A dispersion of 1 or less is the Poisson distribution. Sources: the plug-in quantile of Noufaily et al. (2013).
///
/// None when the arguments name no distribution.
pub fn count_quantile(p: f64, mean: f64, dispersion: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0 && mean.is_finite() && mean > 0.0 && dispersion.is_finite()) {
        return None;
    }
    let dispersion = dispersion.max(1.0);
    let sd = (mean * dispersion).sqrt();
    // Sums the probabilities upwards from where nothing is left below: stable for any mean.
    let first = (mean - 12.0 * sd).floor().max(0.0);
    let mut log_mass = log_mass(first, mean, dispersion);
    let mut total = 0.0;
    let mut k = first;
    let last = mean + 60.0 * sd + 200.0;
    while k <= last {
        total += log_mass.exp();
        // R's own tolerance: a sum that misses `p` by rounding has reached it.
        if total >= p * (1.0 - 64.0 * f64::EPSILON) {
            return Some(k);
        }
        log_mass += if dispersion > 1.0 {
            let size = mean / (dispersion - 1.0);
            ((k + size) / (k + 1.0)).ln() + (1.0 - 1.0 / dispersion).ln()
        } else {
            (mean / (k + 1.0)).ln()
        };
        k += 1.0;
    }
    None
}

fn log_mass(k: f64, mean: f64, dispersion: f64) -> f64 {
    use statrs::function::gamma::ln_gamma;
    if dispersion > 1.0 {
        let size = mean / (dispersion - 1.0);
        ln_gamma(k + size) - ln_gamma(size) - ln_gamma(k + 1.0) - size * dispersion.ln() + k * (1.0 - 1.0 / dispersion).ln()
    } else {
        k * mean.ln() - mean - ln_gamma(k + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        assert!((normal_quantile(0.99) - 2.326_347_874).abs() < 1e-8);
        assert!((normal_quantile(0.999) - 3.090_232_306).abs() < 1e-8);
        // Poisson 4: P(X <= 9) = 0.99187, P(X <= 8) = 0.97864.
        assert_eq!(count_quantile(0.99, 4.0, 1.0), Some(9.0));
        // Geometric with success probability 1/2 (mean 1, dispersion 2): P(X <= k) = 1 - 2^-(k+1).
        assert_eq!(count_quantile(0.99, 1.0, 2.0), Some(6.0));
        assert_eq!(count_quantile(0.5, 1.0, 2.0), Some(0.0));
    }

    #[test]
    fn a_quantile_exists_for_large_means_and_is_refused_for_nonsense() {
        let large = count_quantile(0.99, 50_000.0, 30.0).unwrap();
        let normal = 50_000.0 + 2.326 * (50_000.0_f64 * 30.0).sqrt();
        assert!((large / normal - 1.0).abs() < 0.01, "{large} {normal}");
        for (p, mean, dispersion) in [(1.0, 4.0, 1.0), (0.0, 4.0, 1.0), (0.9, 0.0, 1.0), (0.9, f64::NAN, 1.0), (0.9, 4.0, f64::NAN)] {
            assert_eq!(count_quantile(p, mean, dispersion), None);
        }
    }
}
