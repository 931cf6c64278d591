//! How wrong counts are: errors, honesty of the intervals and cost, over pictures whose people were counted by somebody.
//!
//! Pure, but for the PNG being encoded. Mean interval score: T. Gneiting, A. E. Raftery, Strictly Proper Scoring Rules,
//! Prediction, and Estimation (2007), eq. 43, with alpha = 0.1: the width of the interval, plus 20 times what the truth is outside.

use std::{io::Cursor, time::Duration};

use image::{ImageFormat, Rgb, RgbImage};

use crate::ModelError;

/// One picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its file.
    pub name: String,
    /// People really there.
    pub truth: f32,
    /// Estimate.
    pub people: f32,
    /// Lower end of the 90 % interval.
    pub low: f32,
    /// Upper end of the 90 % interval.
    pub high: f32,
    /// CPU time of the look.
    pub cost: Duration,
    /// One of a stream in time order, or a picture by itself.
    pub stream: bool,
}

/// What many pictures say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Number of pictures.
    pub pictures: usize,
    /// Mean true number of people.
    pub mean_truth: f64,
    /// Mean absolute error, in people.
    pub mae: f64,
    /// Root of the mean squared error, in people.
    pub rmse: f64,
    /// Mean error, in people; negative when people are missed.
    pub bias: f64,
    /// Part of the true counts inside the 90 % interval.
    pub coverage: f64,
    /// Mean interval score, in people; less is better.
    pub interval_score: f64,
    /// Mean CPU time of a look, in milliseconds.
    pub cost_ms: f64,
}

/// Sizes of crowd that are reported apart: from, and below.
pub const SIZES: [(f32, f32); 5] = [(0.0, 10.0), (10.0, 50.0), (50.0, 150.0), (150.0, 400.0), (400.0, f32::INFINITY)];

impl Score {
    /// The score of some cases; none of none.
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Option<Self> {
        let cases: Vec<&Case> = cases.into_iter().collect();
        if cases.is_empty() {
            return None;
        }
        let mean = |f: &dyn Fn(&Case) -> f64| cases.iter().map(|case| f(case)).sum::<f64>() / cases.len() as f64;
        let error = |case: &Case| f64::from(case.people) - f64::from(case.truth);
        Some(Self {
            pictures: cases.len(),
            mean_truth: mean(&|case| f64::from(case.truth)),
            mae: mean(&|case| error(case).abs()),
            rmse: mean(&|case| error(case).powi(2)).sqrt(),
            bias: mean(&error),
            coverage: mean(&|case| f64::from(u8::from(case.low <= case.truth && case.truth <= case.high))),
            interval_score: mean(&interval_score),
            cost_ms: mean(&|case| case.cost.as_secs_f64() * 1e3),
        })
    }
}

fn interval_score(case: &Case) -> f64 {
    let (low, high, truth) = (f64::from(case.low), f64::from(case.high), f64::from(case.truth));
    (high - low) + 20.0 * (low - truth).max(0.0) + 20.0 * (truth - high).max(0.0)
}

/// Side of the plot, and the margin with the numbers, in pixels.
const SIDE: u32 = 720;
const MARGIN: u32 = 48;

/// Truth (across) against estimate (up), both on a square-root scale so that small and large crowds can be seen: a dot per picture
/// with its interval, blue for stills and orange for streams, and the line on which they would all lie.
pub fn plot(cases: &[Case]) -> Result<Vec<u8>, ModelError> {
    let most = cases.iter().flat_map(|case| [case.truth, case.people, case.high.min(case.people * 2.0)]).fold(10.0, f32::max) * 1.05;
    let span = (SIDE - 2 * MARGIN) as f32;
    let across = |people: f32| MARGIN + ((people.clamp(0.0, most) / most).sqrt() * span) as u32;
    let up = |people: f32| SIDE - across(people);
    let mut image = RgbImage::from_pixel(SIDE, SIDE, Rgb([255; 3]));
    for mark in [0u32, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000].into_iter().filter(|mark| *mark as f32 <= most) {
        let (x, y) = (across(mark as f32), up(mark as f32));
        for at in MARGIN..SIDE - MARGIN {
            image.put_pixel(x, at, Rgb([225; 3]));
            image.put_pixel(at, y, Rgb([225; 3]));
        }
        if mark != 1 && mark != 2 {
            number(&mut image, mark, (x.saturating_sub(4), SIDE - MARGIN + 8));
            number(&mut image, mark, (6, y.saturating_sub(4)));
        }
    }
    for at in MARGIN..SIDE - MARGIN {
        image.put_pixel(at, SIDE - at, Rgb([120; 3]));
    }
    for case in cases {
        let (dark, light) = if case.stream { (Rgb([200, 90, 0]), Rgb([245, 200, 150])) } else { (Rgb([0, 80, 170]), Rgb([170, 200, 235])) };
        let x = across(case.truth);
        for y in up(case.high)..=up(case.low) {
            image.put_pixel(x, y, light);
        }
        let y = up(case.people);
        for (dx, dy) in
            (0..5).flat_map(|dx| (0..5).map(move |dy| (dx, dy))).filter(|(dx, dy)| (*dx != 0 && *dx != 4) || (*dy != 0 && *dy != 4))
        {
            image.put_pixel(x + dx - 2, y + dy - 2, dark);
        }
    }
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).map_err(|source| ModelError::Image { name: "of the plot as PNG".into(), source })?;
    Ok(png.into_inner())
}

/// Digits of 3 x 5 dots, a row per number of three bits.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 2, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

fn number(image: &mut RgbImage, value: u32, at: (u32, u32)) {
    for (place, digit) in value.to_string().bytes().enumerate() {
        let rows = DIGITS[usize::from(digit - b'0')];
        for (x, y) in (0..6u32).flat_map(|x| (0..10u32).map(move |y| (x, y))) {
            if rows[y as usize / 2] >> (2 - x / 2) & 1 == 1 {
                let (x, y) = (at.0 + 8 * place as u32 + x, at.1 + y);
                if x < SIDE && y < SIDE {
                    image.put_pixel(x, y, Rgb([60; 3]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(truth: f32, people: f32, low: f32, high: f32) -> Case {
        Case { name: "a.jpg".into(), truth, people, low, high, cost: Duration::from_millis(20), stream: false }
    }

    #[test]
    fn the_figures_are_those_of_a_sum_by_hand() {
        let cases = [case(10.0, 12.0, 8.0, 15.0), case(20.0, 14.0, 10.0, 18.0)];
        let score = Score::of(&cases).expect("two");
        assert_eq!((score.pictures, score.mae, score.bias, score.coverage), (2, 4.0, -2.0, 0.5));
        assert!((score.rmse - 20f64.sqrt()).abs() < 1e-9);
        // 7 for the first; 8 + 20 x 2 for the second.
        assert_eq!((score.interval_score, score.cost_ms, score.mean_truth), (27.5, 20.0, 15.0));
        assert_eq!(Score::of([]), None);
    }

    #[test]
    fn the_plot_has_a_dot_where_truth_and_estimate_meet() {
        let png = plot(&[case(100.0, 25.0, 20.0, 30.0)]).expect("a PNG");
        let image = image::load_from_memory(&png).expect("an image").to_rgb8();
        // 105 is the end of the axis.
        let at = |people: f32| MARGIN + ((people / 105.0).sqrt() * (SIDE - 2 * MARGIN) as f32) as u32;
        assert_eq!(image.get_pixel(at(100.0), SIDE - at(25.0)).0, [0, 80, 170]);
        assert!(plot(&[]).is_ok() && plot(&[case(0.0, 5_000.0, 0.0, 90_000.0)]).is_ok());
    }
}
