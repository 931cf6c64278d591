//! C1, C2 and C3: the newest value against mean and standard deviation of a few values before it.

/// Mean plus `z` standard deviations of the `baseline` values that end `lag` before `at`; none while there are too few, or where one
/// of them is missing (NaN). C1 has lag 0, C2 lag 2.
pub fn upper(series: &[f64], at: usize, baseline: usize, lag: usize, z: f64) -> Option<f64> {
    let (mean, sd) = moments(series, at, baseline, lag)?;
    Some(mean + z * sd)
}

/// How many standard deviations the value lies above the mean; `min_sd` keeps a flat baseline from making everything large.
pub fn score(series: &[f64], at: usize, baseline: usize, lag: usize, min_sd: f64) -> Option<f64> {
    let (mean, sd) = moments(series, at, baseline, lag)?;
    let value = *series.get(at)?;
    (!value.is_nan()).then(|| (value - mean) / sd.max(min_sd).max(f64::MIN_POSITIVE))
}

/// C3: what the C2 scores of the last three values exceed 1 by, added up.
pub fn c3(series: &[f64], at: usize, baseline: usize, min_sd: f64) -> Option<f64> {
    let parts = (0..3).map(|back| score(series, at.checked_sub(back)?, baseline, 2, min_sd).map(|score| (score - 1.0).max(0.0)));
    parts.sum()
}

fn moments(series: &[f64], at: usize, baseline: usize, lag: usize) -> Option<(f64, f64)> {
    if baseline < 2 {
        return None;
    }
    let past = series.get(at.checked_sub(baseline + lag)?..at.checked_sub(lag)?)?;
    let n = past.len() as f64;
    let mean = past.iter().sum::<f64>() / n;
    let var = past.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    mean.is_finite().then(|| (mean, var.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c1_looks_at_the_values_just_before_and_c2_leaves_two_out() {
        let series = [1.0, 3.0, 1.0, 3.0, 100.0, 100.0, 2.0];
        // Mean 2, sd of {1, 3, 1, 3} = 2 / sqrt(3).
        assert!((upper(&series, 6, 4, 2, 1.0).unwrap() - (2.0 + 2.0 / 3.0_f64.sqrt())).abs() < 1e-12);
        assert!(upper(&series, 6, 4, 0, 1.0).unwrap() > 50.0);
        assert_eq!(upper(&series, 3, 4, 0, 1.0), None);
    }

    #[test]
    fn a_missing_value_gives_no_bound_and_c3_adds_three_days() {
        assert_eq!(upper(&[1.0, f64::NAN, 2.0, 1.0], 3, 3, 0, 1.0), None);
        let series = [1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 3.0, 9.0, 9.0, 9.0];
        let c2 = |at| (score(&series, at, 7, 2, 0.5).unwrap() - 1.0).max(0.0);
        assert!((c3(&series, 11, 7, 0.5).unwrap() - (c2(11) + c2(10) + c2(9))).abs() < 1e-12);
    }
}
