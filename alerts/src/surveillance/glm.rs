//! Quasi-Poisson regression with logarithmic link, by iteratively reweighted least squares (McCullagh, Nelder, Generalized Linear
//! Models, 1989). Small: up to some dozen coefficients, solved by a Cholesky decomposition of the normal equations.

/// At most so many rounds, and this relative change of the deviance ends them: the values R's `glm.control` has.
const ROUNDS: usize = 25;
const EPSILON: f64 = 1e-8;

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Coefficients, in the order of the columns.
    pub beta: Vec<f64>,
    /// Fitted means.
    pub mean: Vec<f64>,
    /// Leverages: how much of each fitted value its own observation decides.
    pub leverage: Vec<f64>,
    /// Pearson dispersion; under 1 when the data vary less than Poisson.
    pub dispersion: f64,
    /// Mean square of the relative errors `(y - mean) / mean`, with the weights that were given and not those of the regression. The
    /// reference measures how sure a prediction and a trend are with it.
    pub relative_dispersion: f64,
    /// Rows with a weight less the number of coefficients.
    pub freedom: usize,
    /// Inverse of the information, row by row, for a dispersion of 1.
    inverse: Vec<f64>,
}

impl Fit {
    /// Mean for a new row.
    pub fn predict(&self, row: &[f64]) -> f64 {
        dot(&self.beta, row).exp()
    }

    /// Variance of the linear predictor of a new row, for a dispersion of 1.
    pub fn unit_variance(&self, row: &[f64]) -> f64 {
        quadratic(&self.inverse, row)
    }

    /// Standard error of one coefficient, for a dispersion of 1.
    pub fn unit_error(&self, column: usize) -> f64 {
        self.inverse[column * self.beta.len() + column].sqrt()
    }
}

/// Fits; `rows` hold one slice of columns for each value. None when the equations have no single solution, too few rows have a weight,
/// or the rounds do not converge.
pub fn fit(rows: &[Vec<f64>], values: &[f64], weights: &[f64]) -> Option<Fit> {
    let columns = rows.first()?.len();
    let used = weights.iter().filter(|w| **w > 0.0).count();
    if rows.len() != values.len() || rows.len() != weights.len() || used <= columns || values.iter().any(|v| v.is_nan() || *v < 0.0) {
        return None;
    }
    let mut mean: Vec<f64> = values.iter().map(|v| v + 0.1).collect();
    let mut eta: Vec<f64> = mean.iter().map(|m| m.ln()).collect();
    let mut before = deviance(values, &mean, weights);
    for _ in 0..ROUNDS {
        let working: Vec<f64> = mean.iter().zip(weights).map(|(m, w)| m * w).collect();
        let mut left = vec![0.0; columns * columns];
        let mut right = vec![0.0; columns];
        for (i, row) in rows.iter().enumerate() {
            let target = eta[i] + (values[i] - mean[i]) / mean[i];
            for (a, x) in row.iter().enumerate() {
                right[a] += working[i] * x * target;
                for (b, y) in row.iter().enumerate() {
                    left[a * columns + b] += working[i] * x * y;
                }
            }
        }
        let inverse = inverse(&left, columns)?;
        let beta: Vec<f64> = (0..columns).map(|a| dot(&inverse[a * columns..(a + 1) * columns], &right)).collect();
        eta = rows.iter().map(|row| dot(&beta, row)).collect();
        mean = eta.iter().map(|e| e.exp()).collect();
        let now = deviance(values, &mean, weights);
        if !now.is_finite() {
            return None;
        }
        if (now - before).abs() / (now.abs() + 0.1) < EPSILON {
            let freedom = used - columns;
            // With the weights of the round, as the reference does: the difference is in the seventh digit.
            let pearson: f64 = (0..rows.len()).map(|i| working[i] * ((values[i] - mean[i]) / mean[i]).powi(2)).sum();
            let relative: f64 = (0..rows.len()).map(|i| weights[i] * ((values[i] - mean[i]) / mean[i]).powi(2)).sum();
            let leverage = rows.iter().zip(&working).map(|(row, w)| w * quadratic(&inverse, row)).collect();
            let (dispersion, relative_dispersion) = (pearson / freedom as f64, relative / freedom as f64);
            return Some(Fit { beta, mean, leverage, dispersion, relative_dispersion, freedom, inverse });
        }
        before = now;
    }
    None
}

fn deviance(values: &[f64], mean: &[f64], weights: &[f64]) -> f64 {
    let part = |y: f64, m: f64| if y > 0.0 { y * (y / m).ln() - (y - m) } else { m };
    2.0 * values.iter().zip(mean).zip(weights).map(|((y, m), w)| w * part(*y, *m)).sum::<f64>()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn quadratic(matrix: &[f64], row: &[f64]) -> f64 {
    let n = row.len();
    (0..n).map(|a| row[a] * dot(&matrix[a * n..(a + 1) * n], row)).sum()
}

/// Inverse of a symmetric positive definite matrix; none when it is not (nearly) so.
fn inverse(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let rest = matrix[i * n + j] - dot(&lower[i * n..i * n + j], &lower[j * n..j * n + j]);
            if i == j {
                if rest <= matrix[i * n + i] * 1e-12 || !rest.is_finite() {
                    return None;
                }
                lower[i * n + i] = rest.sqrt();
            } else {
                lower[i * n + j] = rest / lower[j * n + j];
            }
        }
    }
    let mut out = vec![0.0; n * n];
    for column in 0..n {
        let mut x = vec![0.0; n];
        for i in 0..n {
            let unit = f64::from(u8::from(i == column));
            x[i] = (unit - dot(&lower[i * n..i * n + i], &x[..i])) / lower[i * n + i];
        }
        for i in (0..n).rev() {
            let above: f64 = (i + 1..n).map(|k| lower[k * n + i] * x[k]).sum();
            x[i] = (x[i] - above) / lower[i * n + i];
        }
        for (i, value) in x.into_iter().enumerate() {
            out[i * n + column] = value;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_is_the_mean_and_an_exact_trend_is_found() {
        let rows = vec![vec![1.0]; 4];
        let fit_one = fit(&rows, &[1.0, 2.0, 3.0, 6.0], &[1.0; 4]).unwrap();
        assert!((fit_one.predict(&[1.0]) - 3.0).abs() < 1e-9);
        // Pearson: sum (y - 3)^2 / 3 over 3 degrees.
        assert!((fit_one.dispersion - 14.0 / 9.0).abs() < 1e-6);
        let rows: Vec<Vec<f64>> = (0..10).map(|t| vec![1.0, f64::from(t)]).collect();
        let values: Vec<f64> = (0..10).map(|t| (0.5 + 0.2 * f64::from(t)).exp()).collect();
        let trend = fit(&rows, &values, &[1.0; 10]).unwrap();
        assert!((trend.beta[1] - 0.2).abs() < 1e-6, "{:?}", trend.beta);
    }

    #[test]
    fn what_has_no_single_solution_gives_none() {
        assert_eq!(fit(&[vec![1.0, 1.0], vec![1.0, 1.0], vec![1.0, 1.0]], &[1.0, 2.0, 3.0], &[1.0; 3]), None);
        assert_eq!(fit(&[vec![1.0]], &[1.0], &[1.0]), None);
        assert_eq!(fit(&[vec![1.0], vec![1.0]], &[1.0, f64::NAN], &[1.0; 2]), None);
        assert_eq!(fit(&[vec![1.0], vec![1.0], vec![1.0]], &[1.0, -1.0, 2.0], &[1.0; 3]), None);
        assert_eq!(fit(&[], &[], &[]), None);
    }
}
