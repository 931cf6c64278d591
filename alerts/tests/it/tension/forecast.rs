//! Forecasts and the errors told with them.

use qorgan_alerts::tension::{ForecastError, Model, forecast::forecast};

const ANY: (f64, f64) = (-1e9, 1e9);

fn some(values: impl IntoIterator<Item = f64>) -> Vec<Option<f64>> {
    values.into_iter().map(Some).collect()
}

/// Noise that is the same every time, within -1 and 1.
fn noise(n: usize) -> f64 {
    ((n as f64 * 12.9898).sin() * 43_758.545_3).fract()
}

#[test]
fn a_line_goes_on_as_a_line_and_beats_the_last_value() {
    let found = forecast(&some((0..30).map(|n| 2.0 + 0.2 * n as f64 + 0.05 * noise(n))), 4, 4, ANY).unwrap();
    assert_ne!(found.model, Model::LastValue);
    assert!(found.better_than_last_value());
    for (n, step) in found.steps.iter().enumerate() {
        let expected = 2.0 + 0.2 * (30 + n) as f64;
        assert!((step.value - expected).abs() < 0.2 && step.low <= step.value && step.value <= step.high, "{step:?} {expected}");
    }
    assert_eq!(found.origins, 12);
    assert_eq!(found.errors.iter().map(|e| (e.steps, e.n)).collect::<Vec<_>>(), [(1, 12), (2, 11), (3, 10), (4, 9)]);
}

#[test]
fn a_season_is_found_when_there_are_enough_years() {
    let season = [3.0, -1.0, -2.0, 0.0];
    let found = forecast(&some((0..40).map(|n| 5.0 + season[n % 4] + 0.1 * noise(n))), 4, 4, ANY).unwrap();
    assert_eq!(found.model, Model::Mstl);
    for (step, season) in found.steps.iter().zip(season) {
        assert!((step.value - 5.0 - season).abs() < 0.5, "{step:?}");
    }
    assert!(found.errors[0].mae * 4.0 < found.errors[0].mae_last_value, "{:?}", found.errors[0]);
}

#[test]
fn errors_of_the_last_value_are_those_one_can_count_by_hand() {
    // Steps of 1 and -1 in turn: the last value is off by 1 one step ahead, by 0 two steps ahead.
    let found = forecast(&some((0..19).map(|n| f64::from(n % 2))), 1, 2, ANY).unwrap();
    let errors: Vec<f64> = found.errors.iter().map(|e| e.mae_last_value).collect();
    assert_eq!(errors, [1.0, 0.0]);
    let random_walk = forecast(&some([0.0, 1.0, 0.0, -1.0, 0.0, 1.0, 2.0, 1.0]), 1, 4, ANY).unwrap();
    assert_eq!(random_walk.origins, 1);
    assert_eq!(random_walk.errors.len(), 1, "two steps ahead nothing came yet");
}

#[test]
fn the_interval_holds_about_what_it_says() {
    let (mut held, mut all) = (0.0, 0.0);
    for start in 0..20 {
        let mut level = 5.0;
        let series = (0..32).map(|n| {
            level += 0.3 * noise(start * 100 + n);
            level
        });
        let found = forecast(&some(series), 4, 4, ANY).unwrap();
        for error in found.errors {
            held += error.coverage * error.n as f64;
            all += error.n as f64;
        }
    }
    let share = held / all;
    assert!((0.75..=1.0).contains(&share), "{share}");
}

#[test]
fn steps_stay_in_range_and_holes_are_bridged_or_refused() {
    let found = forecast(&some((0..20).map(|n| 9.9 - 0.5 * n as f64).map(|v| v.max(0.0))), 4, 8, (0.0, 10.0)).unwrap();
    assert!(found.steps.iter().all(|s| (0.0..=10.0).contains(&s.low) && (0.0..=10.0).contains(&s.high)));
    let mut holes = some((0..16).map(f64::from));
    (holes[3], holes[8]) = (None, None);
    assert!((forecast(&holes, 1, 1, ANY).unwrap().steps[0].value - 16.0).abs() < 0.5);
    holes[4..12].fill(None);
    assert!(matches!(forecast(&holes, 1, 1, ANY), Err(ForecastError::Gaps { .. })));
    assert_eq!(forecast(&some([1.0; 7]), 4, 4, ANY), Err(ForecastError::TooShort { points: 7 }));
    for bad in [f64::NAN, f64::INFINITY, 1e308] {
        let mut series = some([1.0; 12]);
        series[5] = Some(bad);
        assert_eq!(forecast(&series, 4, 4, ANY), Err(ForecastError::NotANumber));
    }
    // Nothing moves: no error, and an interval of no width or nearly none.
    let flat = forecast(&some([4.0; 20]), 4, 3, ANY).unwrap();
    assert!(flat.steps.iter().all(|s| (s.value - 4.0).abs() < 1e-6 && s.high - s.low < 1e-3), "{flat:?}");
}

#[test]
fn the_same_series_gives_the_same_forecast() {
    let series = some((0..36).map(|n| 5.0 + noise(n)));
    assert_eq!(forecast(&series, 4, 6, ANY), forecast(&series, 4, 6, ANY));
}
