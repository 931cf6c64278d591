//! What holds for any values.

use proptest::prelude::*;
use qorgan_alerts::tension::{Aggregation, Method, Normalisation, Standing, Why, combine::contributions, rank};
use qorgan_domain::{AreaCode, Catalogue, Observation, ValueError};

use super::make::{area, catalogue, index, plain, value};

const AREAS: usize = 6;

/// Three blocks with 3, 4 and 2 indicators, six areas, two quarters; about a third of the values is missing.
fn table() -> impl Strategy<Value = Vec<Observation>> {
    let cell = prop_oneof![1 => Just(None), 2 => (0.0..=1000.0_f64).prop_map(Some)];
    proptest::collection::vec(cell, AREAS * 9 * 2).prop_map(|cells| {
        let names = ["b0-0", "b0-1", "b0-2", "b1-0", "b1-1", "b1-2", "b1-3", "b2-0", "b2-1"];
        let place = |at: usize| (at % AREAS, names[at / AREAS % 9], ["2026-Q1", "2026-Q2"][at / AREAS / 9]);
        let known = cells.iter().enumerate().filter_map(|(at, cell)| cell.map(|v| (place(at), v)));
        known.map(|((a, indicator, period), v)| value(a, indicator, period, v)).collect()
    })
}

fn how() -> impl Strategy<Value = (Normalisation, Aggregation, Aggregation)> {
    let mean = || prop_oneof![Just(Aggregation::Arithmetic), Just(Aggregation::Geometric)];
    (proptest::sample::select(Normalisation::ALL.to_vec()), mean(), mean())
}

fn areas() -> Vec<AreaCode> {
    (0..AREAS).map(area).collect()
}

fn method(catalogue: &Catalogue, (normalisation, within, across): (Normalisation, Aggregation, Aggregation)) -> Method {
    Method { normalisation, within, across, draws: 200, ..Method::first(catalogue) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn there_is_no_colour_below_the_floor(values in table(), how in how(), floor in 0.3..=1.0_f64) {
        let catalogue = catalogue(&[3, 4, 2]);
        let method = Method { floor, ..method(&catalogue, how) };
        for period in index(&catalogue, &method, &areas(), &values).periods {
            for (at, found) in period.areas.iter().enumerate() {
                for (block, standing) in found.blocks.iter().enumerate() {
                    let name = format!("b{block}-");
                    let all = catalogue.indicators.iter().filter(|i| i.id.as_str().starts_with(&name)).count();
                    // Counted here from the values themselves: a quarter may carry the one before.
                    let there = |id: &str| values.iter().any(|v| v.area == area(at) && v.indicator.as_str() == id && v.period <= period.period);
                    let known = catalogue.indicators.iter().filter(|i| i.id.as_str().starts_with(&name) && there(i.id.as_str())).count();
                    let share = known as f64 / all as f64;
                    prop_assert!((standing.coverage() - share).abs() < 1e-9);
                    prop_assert_eq!(standing.shown().is_some(), known > 0 && share + 1e-9 >= floor, "{:?} {}", standing, share);
                    if known == 0 {
                        prop_assert_eq!(standing.why(), Some(Why::NoValues));
                    }
                }
                if let Some(shown) = found.overall.shown() {
                    prop_assert!(shown.coverage() + 1e-9 >= floor);
                    prop_assert!((1..=5).contains(&shown.class()));
                }
            }
        }
    }

    #[test]
    fn contributions_of_indicators_add_up_to_the_index(values in table(), how in how()) {
        let catalogue = catalogue(&[3, 4, 2]);
        for period in index(&catalogue, &method(&catalogue, how), &areas(), &values).periods {
            for found in period.areas {
                let sum: f64 = found.indicators.iter().flatten().map(|i| i.contribution).sum();
                let value = found.overall.shown().map_or(0.0, |s| s.value());
                prop_assert!((sum - value).abs() < 1e-9, "{} is not {}", sum, value);
                prop_assert!(found.indicators.iter().flatten().all(|i| i.contribution >= 0.0));
            }
        }
    }

    #[test]
    fn scores_and_bands_stay_in_range_and_in_order(values in table(), how in how()) {
        let catalogue = catalogue(&[3, 4, 2]);
        for period in index(&catalogue, &method(&catalogue, how), &areas(), &values).periods {
            for found in period.areas {
                for shown in found.blocks.iter().chain([&found.overall]).filter_map(|s| s.shown()) {
                    let band = shown.band();
                    prop_assert!(0.0 <= band.p5 && band.p5 <= band.p50 && band.p50 <= band.p95 && band.p95 <= 10.0001, "{:?}", band);
                    prop_assert!(band.p5 <= shown.value() && shown.value() <= band.p95, "{:?} {}", band, shown.value());
                }
            }
        }
    }

    /// The order of values, areas and indicators is nobody's business; nor is the number of threads.
    #[test]
    fn order_and_threads_change_nothing(values in table(), how in how(), seed in 0_u64..1000) {
        use qorgan_alerts::tension::{Inputs, compute};
        let first = catalogue(&[3, 4, 2]);
        let method = Method { seed, ..method(&first, how) };
        let (mut turned, mut reversed, mut backwards) = (first.clone(), values.clone(), areas());
        turned.indicators[0..3].reverse();
        turned.indicators[3..7].reverse();
        reversed.reverse();
        backwards.reverse();
        let until = jiff::civil::date(2030, 1, 1);
        let a = compute(&Inputs { catalogue: &first, method: &method, areas: &areas(), values: &values, until }, 1).unwrap();
        let same = compute(&Inputs { catalogue: &first, method: &method, areas: &areas(), values: &reversed, until }, 3).unwrap();
        prop_assert_eq!(&a, &same);
        let b = compute(&Inputs { catalogue: &turned, method: &method, areas: &backwards, values: &reversed, until }, 2).unwrap();
        for (p, q) in a.periods.iter().zip(&b.periods) {
            for (at, found) in p.areas.iter().enumerate() {
                let other = &q.areas[AREAS - 1 - at];
                match (found.overall.shown(), other.overall.shown()) {
                    (Some(x), Some(y)) => {
                        prop_assert!((x.value() - y.value()).abs() < 1e-9);
                        // Sums of single precision in another order.
                        prop_assert!((x.band().p5 - y.band().p5).abs() < 1e-4 && (x.band().p95 - y.band().p95).abs() < 1e-4);
                    }
                    (x, y) => prop_assert_eq!(x, y),
                }
            }
        }
    }

    /// Metres or kilometres: the unit of an indicator changes nothing.
    #[test]
    fn the_unit_of_an_indicator_changes_nothing(values in table(), how in how(), factor in prop_oneof![Just(0.001), Just(60.0), Just(1e5)]) {
        let first = catalogue(&[3, 4, 2]);
        let mut scaled = first.clone();
        for i in &mut scaled.indicators {
            (i.min, i.max, i.calm, i.strained) = (i.min * factor, i.max * factor * (1.0 + 1e-9), i.calm * factor, i.strained * factor);
        }
        let other: Vec<Observation> = values.iter().map(|v| Observation { value: v.value * factor, ..v.clone() }).collect();
        let method = method(&first, how);
        let (a, b) = (index(&first, &method, &areas(), &values), index(&scaled, &method, &areas(), &other));
        for (p, q) in a.periods.iter().zip(&b.periods) {
            for (x, y) in p.areas.iter().zip(&q.areas) {
                let number = |s: Standing| s.shown().map_or(-1.0, |s| s.value());
                prop_assert!((number(x.overall) - number(y.overall)).abs() < 1e-6);
                let low = |s: Standing| s.shown().map_or(-1.0, |s| s.band().p5);
                prop_assert!((low(x.overall) - low(y.overall)).abs() < 0.02);
            }
        }
    }

    /// More strain in one indicator never lowers the index (min-max and target with fixed ends).
    #[test]
    fn more_strain_never_lowers_the_index(scores in proptest::collection::vec((0.1..3.0_f64, 0.0..=10.0_f64), 1..8), at in 0_usize..8, more in 0.0..5.0_f64, how in how()) {
        use qorgan_alerts::tension::combine::combine;
        let at = at % scores.len();
        let mut worse = scores.clone();
        worse[at].1 = (worse[at].1 + more).min(10.0);
        prop_assert!(combine(how.1, &worse).unwrap() + 1e-9 >= combine(how.1, &scores).unwrap());
        let parts = contributions(how.1, &scores);
        prop_assert!((parts.iter().sum::<f64>() - combine(how.1, &scores).unwrap()).abs() < 1e-9);
    }

    #[test]
    fn a_rank_is_given_only_where_no_band_overlaps(bands in proptest::collection::vec(proptest::option::weighted(0.8, (0.0..9.0_f64, 0.0..1.5_f64)), 1..30)) {
        use qorgan_alerts::tension::Band;
        let bands: Vec<Option<Band>> = bands.into_iter().map(|b| b.map(|(low, width)| Band { p5: low, p50: low + width / 2.0, p95: low + width })).collect();
        let places = rank::places(&bands);
        for (at, (band, place)) in bands.iter().zip(&places).enumerate() {
            let (Some(band), Some(place)) = (band, place) else {
                prop_assert_eq!(band.is_none(), place.is_none());
                continue;
            };
            let others = || bands.iter().enumerate().filter(move |(n, _)| *n != at).filter_map(|(_, b)| *b);
            let overlapping = others().filter(|b| b.p5 <= band.p95 && b.p95 >= band.p5).count();
            let above = others().filter(|b| b.p5 > band.p95).count();
            prop_assert_eq!(place.rank().is_some(), overlapping == 0);
            prop_assert_eq!((place.from, place.to), (above + 1, above + 1 + overlapping));
        }
    }

    /// Whatever the door let through: a value that is no number or absurd is left out and named, and the others stand.
    #[test]
    fn nan_and_absurd_values_are_left_out_and_named(values in table(), bad in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(1e308), Just(-1e308)]) {
        let catalogue = catalogue(&[3, 4, 2]);
        let method = method(&catalogue, (Normalisation::MinMax, Aggregation::Arithmetic, Aggregation::Arithmetic));
        let without: Vec<Observation> = values.iter().filter(|v| v.indicator.as_str() != "b1-2").cloned().collect();
        let mut with = without.clone();
        with.push(value(0, "b1-2", "2026-Q1", bad));
        with.push(value(0, "b9-9", "2026-Q1", 1.0));
        let (a, b) = (index(&catalogue, &method, &areas(), &without), index(&catalogue, &method, &areas(), &with));
        prop_assert_eq!(&a.periods, &b.periods);
        prop_assert_eq!(b.refused.len(), 2);
        let number = matches!(b.refused[0].reason, ValueError::NotANumber | ValueError::OutOfRange { .. });
        prop_assert!(number && matches!(b.refused[1].reason, ValueError::Unknown(_)));
    }
}

#[test]
fn a_wider_basis_gives_a_narrower_band_and_missing_values_a_wider_one() {
    use qorgan_domain::{Basis, ValueKind};
    let mut catalogue = catalogue(&[5]);
    catalogue.indicators.iter_mut().for_each(|i| {
        (i.kind, i.max, i.strained) = (ValueKind::Share, 100.0, 100.0);
    });
    let method = Method { draws: 2000, ..Method::first(&catalogue) };
    let row = |whole: f64, known: usize| {
        let values = (0..8).flat_map(|a| {
            (0..known.max(if a == 0 { 0 } else { 5 })).map(move |i| {
                let share = 10.0 + 10.0 * a as f64 + i as f64;
                Observation { basis: Basis::Denominator(whole), ..value(a, &format!("b0-{i}"), "2026-Q1", share) }
            })
        });
        let areas: Vec<AreaCode> = (0..8).map(area).collect();
        let found = index(&catalogue, &method, &areas, &values.collect::<Vec<_>>());
        let band = found.periods[0].areas[0].blocks[0].shown().unwrap().band();
        band.p95 - band.p5
    };
    let (few, many, missing) = (row(50.0, 5), row(50_000.0, 5), row(50_000.0, 3));
    assert!(few > 1.5 * many, "{few} {many}");
    assert!(missing > 1.5 * many, "{missing} {many}");
}

#[test]
fn a_method_that_makes_no_sense_is_refused() {
    use qorgan_alerts::tension::MethodError;
    let mut catalogue = catalogue(&[2, 2]);
    catalogue.blocks[1].zero_by_rule = true;
    let first = Method::first(&catalogue);
    assert_eq!(first.check(&catalogue, None), Ok(()));
    assert_eq!(first.block_weight(&catalogue.blocks[1].id), 0.0);
    let with = |weight: f64| {
        let mut method = first.clone();
        method.block_weights.insert(catalogue.blocks[1].id.clone(), weight);
        method
    };
    let id = &catalogue.blocks[1].id;
    assert_eq!(with(0.5).check(&catalogue, None), Err(MethodError::ZeroByRule(id.clone())));
    assert_eq!(with(0.5).check(&catalogue, Some((id, 0.4))), Err(MethodError::ZeroByRule(id.clone())));
    assert_eq!(with(0.5).check(&catalogue, Some((id, 0.5))), Ok(()));
    for bad in [
        Method { floor: 0.05, ..first.clone() },
        Method { floor: f64::NAN, ..first.clone() },
        Method { draws: 1, ..first.clone() },
        Method { trim: 0.5, ..first.clone() },
        with(f64::NAN),
        with(-1.0),
        with(1e308),
    ] {
        assert!(matches!(bad.check(&catalogue, None), Err(MethodError::Range(_))), "{bad:?}");
    }
    let mut none = first.clone();
    none.block_weights.clear();
    assert_eq!(none.check(&catalogue, None), Err(MethodError::NoWeight("the index".into())));
}

#[test]
fn a_block_of_weight_zero_is_shown_and_has_no_part_in_the_index() {
    let mut catalogue = catalogue(&[2, 2]);
    catalogue.blocks[1].zero_by_rule = true;
    let method = plain(&catalogue, Normalisation::Target, Aggregation::Arithmetic, Aggregation::Arithmetic);
    let values = |protest: f64| {
        [
            value(0, "b0-0", "2026-Q1", 300.0),
            value(0, "b0-1", "2026-Q1", 500.0),
            value(0, "b1-0", "2026-Q1", protest),
            value(0, "b1-1", "2026-Q1", protest),
        ]
    };
    let (calm, strained) = (index(&catalogue, &method, &[area(0)], &values(0.0)), index(&catalogue, &method, &[area(0)], &values(1000.0)));
    let (a, b) = (&calm.periods[0].areas[0], &strained.periods[0].areas[0]);
    assert_eq!(a.overall, b.overall);
    assert_eq!((a.blocks[1].shown().unwrap().value(), b.blocks[1].shown().unwrap().value()), (0.0, 10.0));
    assert!(b.indicators[2].unwrap().contribution == 0.0 && b.indicators[3].unwrap().contribution == 0.0);
    // Nor does it count as coverage.
    let without = index(&catalogue, &method, &[area(0)], &values(0.0)[..2]);
    assert_eq!(without.periods[0].areas[0].overall, a.overall);
}

#[test]
fn values_of_other_periods_are_averaged_cover_or_are_carried_for_a_while() {
    use qorgan_domain::PeriodKind;
    let mut catalogue = catalogue(&[3]);
    catalogue.indicators[0].period = PeriodKind::Month;
    catalogue.indicators[1].period = PeriodKind::Year;
    let method = plain(&catalogue, Normalisation::Target, Aggregation::Arithmetic, Aggregation::Arithmetic);
    let values = [
        value(0, "b0-0", "2025-01", 100.0),
        value(0, "b0-0", "2025-03", 200.0),
        value(0, "b0-1", "2025", 400.0),
        value(0, "b0-2", "2025-Q1", 700.0),
        value(0, "b0-2", "2026-Q4", 900.0),
    ];
    let found = index(&catalogue, &method, &[area(0)], &values);
    let cell = |period: usize, at: usize| found.periods[period].areas[0].indicators[at].map(|i| (i.value, i.carried, i.from.to_string()));
    assert_eq!(found.periods.len(), 8);
    assert_eq!(cell(0, 0), Some((150.0, false, "2025-03".into())));
    assert_eq!(cell(1, 0), Some((200.0, true, "2025-03".into())));
    assert_eq!(cell(2, 0), None, "a month is carried for a quarter at most");
    assert_eq!(cell(3, 1), Some((400.0, false, "2025".into())));
    assert_eq!(cell(7, 1), Some((400.0, true, "2025".into())));
    assert_eq!((cell(2, 2), cell(3, 2)), (Some((700.0, true, "2025-Q1".into())), None));
    assert_eq!(cell(7, 2), Some((900.0, false, "2026-Q4".into())));
}
