//! Direction through time.

use qorgan_alerts::tension::{Heading, trend::trend};
use qorgan_domain::PeriodKind;

fn heading(scores: &[f64]) -> Heading {
    trend(&scores.iter().map(|s| Some(*s)).collect::<Vec<_>>(), PeriodKind::Quarter).direction
}

#[test]
fn a_direction_is_told_only_when_chance_hardly_gives_it() {
    // All 24 orders of four points are as likely: S = 6 in one of them, 2/24 for both sides, under one in ten.
    assert_eq!(heading(&[1.0, 2.0, 3.0, 4.0]), Heading::Rising);
    assert_eq!(heading(&[4.0, 3.0, 2.0, 1.0]), Heading::Falling);
    // S = 4 or more in four of 24: 8/24 for both sides.
    assert_eq!(heading(&[1.0, 2.0, 4.0, 3.0]), Heading::Steady);
    assert_eq!(heading(&[1.0, 2.0, 3.0]), Heading::Unknown);
    assert_eq!(heading(&[5.0; 8]), Heading::Steady);
}

#[test]
fn the_slope_is_the_median_of_all_slopes_and_one_odd_point_does_not_turn_it() {
    let found = trend(&[1.0, 1.1, 1.2, 9.0, 1.4, 1.5, 1.6, 1.7].map(Some), PeriodKind::Quarter);
    assert!((found.slope_per_year.unwrap() - 0.4).abs() < 1e-9, "{found:?}");
    assert!((found.change.unwrap() - 0.1).abs() < 1e-9);
    let missing = trend(&[Some(1.0), None, Some(1.2), Some(1.3), Some(1.4), None], PeriodKind::Month);
    assert_eq!((missing.direction, missing.change), (Heading::Unknown, None), "nothing is known now");
}
