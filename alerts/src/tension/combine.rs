//! Scores become one score (Handbook, step 6), and each part's contribution adds up to it.

use super::method::Aggregation;

/// Weighted mean of `(weight, score)`; none without weight.
pub fn arithmetic(parts: &[(f64, f64)]) -> Option<f64> {
    let weight: f64 = parts.iter().map(|(w, _)| w).sum();
    (weight > 0.0).then(|| parts.iter().map(|(w, s)| w * s).sum::<f64>() / weight)
}

/// Weighted geometric mean of `(weight, value)`, as the Human Development Index takes of its dimensions; none without weight.
pub fn geometric_mean(parts: &[(f64, f64)]) -> Option<f64> {
    let weight: f64 = parts.iter().map(|(w, _)| w).sum();
    (weight > 0.0).then(|| (parts.iter().map(|(w, v)| w * v.ln()).sum::<f64>() / weight).exp())
}

/// INFORM's geometric mean of scores 0 to 10: of what is left to full strain, on a scale of 1 to 10.
/// `(10 - GEOMEAN((10 - s) / 10 * 9 + 1)) / 9 * 10`, so that one high score is not averaged away.
pub fn inform(parts: &[(f64, f64)]) -> Option<f64> {
    let left: Vec<(f64, f64)> = parts.iter().map(|&(w, s)| (w, left(s))).collect();
    geometric_mean(&left).map(back)
}

/// What is left to full strain, 1 to 10.
fn left(score: f64) -> f64 {
    (10.0 - score) / 10.0 * 9.0 + 1.0
}

/// A score from what is left to full strain.
fn back(left: f64) -> f64 {
    (10.0 - left) / 9.0 * 10.0
}

/// One score of `(weight, score)`, 0 to 10; none without weight.
pub fn combine(how: Aggregation, parts: &[(f64, f64)]) -> Option<f64> {
    match how {
        Aggregation::Arithmetic => arithmetic(parts),
        Aggregation::Geometric => inform(parts),
    }
    .map(|score| score.clamp(0.0, 10.0))
}

/// What each part of `(weight, score)` contributes to the combined score: it adds up to it. With the geometric mean the parts'
/// shares are those of their logarithms, which is how they enter.
pub fn contributions(how: Aggregation, parts: &[(f64, f64)]) -> Vec<f64> {
    let Some(total) = combine(how, parts) else { return vec![0.0; parts.len()] };
    let pull = |&(weight, score): &(f64, f64)| match how {
        Aggregation::Arithmetic => weight * score,
        Aggregation::Geometric => weight * (10.0 / left(score)).ln(),
    };
    let sum: f64 = parts.iter().map(pull).sum();
    if sum <= 0.0 {
        return vec![0.0; parts.len()];
    }
    parts.iter().map(|part| total * pull(part) / sum).collect()
}
