//! Published formulas with published inputs.

use qorgan_alerts::tension::{
    Aggregation, Normalisation,
    combine::{arithmetic, combine, contributions, geometric_mean, inform},
    scale::Scale,
};
use qorgan_domain::Direction;

use super::make::{catalogue, index, plain, value};

fn near(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found} is not {expected} within {within}");
}

/// Human Development Report, Technical note 1 (calculating the human development indices): goalposts of the dimension indices,
/// the logarithm of income between 100 and 75,000, the geometric mean of the three dimensions. Any country's line of the published
/// table follows from its four inputs; these are Norway's of the report 2020 (life expectancy 82.4, expected and mean years of
/// schooling 18.1 and 12.9, income 66,494), for which the table gives 0.957.
#[test]
fn the_human_development_index_of_norway_comes_out() {
    let dimension = |value: f64, low: f64, high: f64| ((value - low) / (high - low)).min(1.0);
    let health = dimension(82.4, 20.0, 85.0);
    // Expected years are capped at 18.
    let education = arithmetic(&[(1.0, dimension(18.1, 0.0, 18.0)), (1.0, dimension(12.9, 0.0, 15.0))]).unwrap();
    let income = dimension(66_494.0_f64.ln(), 100.0_f64.ln(), 75_000.0_f64.ln());
    let hdi = geometric_mean(&[(1.0, health), (1.0, education), (1.0, income)]).unwrap();
    near(hdi, 0.957, 0.0005);

    // The same dimension index by the scale with target references: 20 years is no health at all, 85 is full.
    let mut indicator = catalogue(&[1]).indicators.remove(0);
    (indicator.direction, indicator.calm, indicator.strained) = (Direction::MoreIsBetter, 85.0, 20.0);
    let score = Scale::fit(Normalisation::Target, &indicator, &[], 0.0).score(82.4);
    near(10.0 - score, 10.0 * health, 1e-12);
}

/// INFORM's spreadsheet: `ROUND((10 - GEOMEAN((10 - a) / 10 * 9 + 1, (10 - b) / 10 * 9 + 1)) / 9 * 10, 1)`. Equal scores stay what
/// they are, the ends are kept, and of 10 and 0 the formula makes (10 - sqrt(10)) / 9 * 10 = 7.6, not 5.
#[test]
fn informs_geometric_mean_keeps_a_high_score_high() {
    for score in [0.0, 3.7, 10.0] {
        near(inform(&[(1.0, score), (1.0, score)]).unwrap(), score, 1e-12);
    }
    near(inform(&[(1.0, 10.0), (1.0, 0.0)]).unwrap(), (10.0 - 10.0_f64.sqrt()) / 9.0 * 10.0, 1e-12);
    near(inform(&[(1.0, 10.0), (1.0, 0.0)]).unwrap(), 7.6, 0.05);
    assert_eq!(arithmetic(&[(1.0, 10.0), (1.0, 0.0)]), Some(5.0));
    assert_eq!(inform(&[]), None);
}

/// INFORM's scaling: `10 - (max - x) / (max - min) * 10`, cut at the ends; inverted for indicators where more is better.
#[test]
fn informs_scaling_is_the_target_scale() {
    let mut indicator = catalogue(&[1]).indicators.remove(0);
    (indicator.calm, indicator.strained) = (5.0, 85.0);
    let scale = Scale::fit(Normalisation::Target, &indicator, &[], 0.0);
    for x in [5.0, 20.0, 45.0, 85.0] {
        near(scale.score(x), 10.0 - (85.0 - x) / (85.0 - 5.0) * 10.0, 1e-12);
    }
    assert_eq!((scale.score(0.0), scale.score(500.0)), (0.0, 10.0));
}

/// Handbook on Constructing Composite Indicators, step 5: min-max `(x - min) / (max - min)`, z-score `(x - mean) / sd`, rank.
/// Inputs are telephones per 1000 people of the Technology Achievement Index (Human Development Report 2001, table A2.1, mainlines
/// and cellular, logarithms as in the report): Finland 1,203, United States 993, Sweden 1,247, Japan 1,007, Korea 938.
#[test]
fn the_handbooks_normalisations_on_the_technology_achievement_index() {
    let telephones: Vec<f64> = [1203.0_f64, 993.0, 1247.0, 1007.0, 938.0].iter().map(|n| n.log10()).collect();
    let mut indicator = catalogue(&[1]).indicators.remove(0);
    indicator.direction = Direction::MoreIsWorse;
    let fit = |how| Scale::fit(how, &indicator, &telephones, 0.0);

    let (min, max) = (938.0_f64.log10(), 1247.0_f64.log10());
    let by_range = fit(Normalisation::MinMax);
    near(by_range.score(telephones[0]), 10.0 * (telephones[0] - min) / (max - min), 1e-9);
    near(by_range.score(telephones[0]), 8.738, 0.001);

    let mean = telephones.iter().sum::<f64>() / 5.0;
    let deviation = (telephones.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 5.0).sqrt();
    let by_z = fit(Normalisation::ZScore);
    near(by_z.score(telephones[0]), 5.0 + 10.0 / 6.0 * (telephones[0] - mean) / deviation, 1e-9);
    near(by_z.score(mean), 5.0, 1e-9);

    // Finland is second of five: three below, half of itself.
    near(fit(Normalisation::Percentile).score(telephones[0]), 7.0, 1e-9);

    // The report's own: goalposts 1 and 901 (the average of the richest countries), so that all five are at full score.
    (indicator.calm, indicator.strained) = (1.0_f64.log10(), 901.0_f64.log10());
    let by_goals = Scale::fit(Normalisation::Target, &indicator, &[], 0.0);
    assert!(telephones.iter().all(|v| by_goals.score(*v) == 10.0));
    near(by_goals.score(200.0_f64.log10()), 10.0 * 200.0_f64.ln() / 901.0_f64.ln(), 1e-9);
}

/// Human Development Report 2001, technical note 2: the Technology Achievement Index of New Zealand from its eight published
/// inputs and goalposts, each dimension the mean of two, the index the mean of four: 0.548.
#[test]
fn the_technology_achievement_index_of_new_zealand_comes_out() {
    let plain = |value: f64, low: f64, high: f64| ((value - low) / (high - low)).clamp(0.0, 1.0);
    let log = |value: f64, low: f64, high: f64| plain(value.log10(), low.log10(), high.log10());
    let creation = [plain(103.0, 0.0, 994.0), plain(13.0, 0.0, 272.6)];
    let recent = [plain(146.7, 0.0, 232.4), plain(15.4, 0.0, 80.8)];
    let old = [log(720.0, 1.0, 901.0), log(8_215.0, 22.0, 6_969.0)];
    let skills = [plain(11.7, 0.8, 12.0), plain(13.1, 0.1, 27.4)];
    let mean = |pair: [f64; 2]| arithmetic(&pair.map(|v| (1.0, v))).unwrap();
    let dimensions = [creation, recent, old, skills].map(mean);
    let index = arithmetic(&dimensions.map(|v| (1.0, v))).unwrap();
    near(index, 0.548, 0.001);
}

/// The same numbers through the whole computation: one area, four blocks of two measurements, target references, plain means.
#[test]
fn the_whole_computation_gives_the_published_index() {
    let mut catalogue = catalogue(&[2, 2, 2, 2]);
    let logs = |v: f64| v.log10();
    let inputs = [
        (103.0, 0.0, 994.0),
        (13.0, 0.0, 272.6),
        (146.7, 0.0, 232.4),
        (15.4, 0.0, 80.8),
        (logs(720.0), 0.0, logs(901.0)),
        (logs(6_969.0), logs(22.0), logs(6_969.0)),
        (11.7, 0.8, 12.0),
        (13.1, 0.1, 27.4),
    ];
    let mut values = vec![];
    for (indicator, (input, calm, strained)) in catalogue.indicators.iter_mut().zip(inputs) {
        (indicator.calm, indicator.strained) = (calm, strained);
        values.push(value(1, indicator.id.as_str(), "2001-Q1", input));
    }
    let method = plain(&catalogue, Normalisation::Target, Aggregation::Arithmetic, Aggregation::Arithmetic);
    let found = index(&catalogue, &method, &[super::make::area(1)], &values);
    let shown = found.periods[0].areas[0].overall.shown().unwrap();
    near(shown.value(), 5.48, 0.01);
    // Without anything to vary the band is the index itself.
    near(shown.band().p5, shown.value(), 1e-5);
    near(shown.band().p95, shown.value(), 1e-5);
}

#[test]
fn contributions_add_up_under_both_means() {
    let parts = [(1.0, 2.0), (2.0, 9.5), (0.5, 0.0), (0.0, 7.0)];
    for how in [Aggregation::Arithmetic, Aggregation::Geometric] {
        let found = contributions(how, &parts);
        near(found.iter().sum::<f64>(), combine(how, &parts).unwrap(), 1e-12);
        assert_eq!((found[2], found[3]), (0.0, 0.0), "no strain and no weight contribute nothing");
    }
    assert_eq!(contributions(Aggregation::Geometric, &[(1.0, 0.0)]), [0.0]);
}
