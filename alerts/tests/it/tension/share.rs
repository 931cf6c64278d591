//! The share of the index that may explain an alert: four blocks, and nothing of the other three.

use proptest::prelude::*;
use qorgan_alerts::{
    context::ContextShare,
    tension::{Index, Method},
};
use qorgan_domain::{Catalogue, Observation};

use super::make::{area, catalogue, index, value};

const BLOCKS: [&str; 7] = ["politics", "protest", "concerns", "interethnic", "labour", "economy", "youth"];
/// Places of the blocks of rule 3: the public and political situation, the likelihood of protest, interethnic relations.
const SILENT: [usize; 3] = [0, 1, 3];

/// The seven blocks by their real names, two indicators each.
fn seven() -> Catalogue {
    let mut made = catalogue(&[2; 7]);
    for (n, id) in BLOCKS.into_iter().enumerate() {
        made.blocks[n].id = id.parse().unwrap();
        made.blocks[n].zero_by_rule = id == "protest";
        made.blocks[n].weight = if id == "protest" { 0.0 } else { 1.0 };
        for indicator in made.indicators.iter_mut().filter(|i| i.id.as_str().starts_with(&format!("b{n}-"))) {
            indicator.block = id.parse().unwrap();
        }
    }
    made
}

/// Values of three areas in three quarters: `seen[n]` is where block `n` stands, 0 to 1000; none: nothing is known of it.
fn values(seen: &[Option<f64>]) -> Vec<Observation> {
    let mut all = Vec::new();
    for (quarter, period) in ["2026-Q1", "2026-Q2", "2026-Q3"].into_iter().enumerate() {
        for (block, level) in seen.iter().enumerate() {
            for at in 0..3 {
                for indicator in 0..2 {
                    let shift = (at * 7 + indicator * 31 + quarter * 13) as f64;
                    all.extend(level.map(|level| value(at, &format!("b{block}-{indicator}"), period, (level + shift).min(1000.0))));
                }
            }
        }
    }
    all
}

fn of(seen: &[Option<f64>]) -> (Catalogue, Index) {
    let catalogue = seven();
    let method = Method { draws: 100, ..Method::first(&catalogue) };
    let index = index(&catalogue, &method, &[area(0), area(1), area(2)], &values(seen));
    (catalogue, index)
}

fn share(seen: &[Option<f64>]) -> Option<(ContextShare, String)> {
    let (catalogue, index) = of(seen);
    ContextShare::of_index(&index, &catalogue, &area(1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Whatever the three blocks hold, also nothing: the share has the same bits. What the four hold does change it.
    #[test]
    fn the_three_blocks_of_rule_3_leave_the_share_as_it_is(
        four in proptest::collection::vec(0.0_f64..900.0, 7),
        other in proptest::collection::vec(proptest::option::of(0.0_f64..900.0), 7),
    ) {
        let base: Vec<Option<f64>> = four.iter().copied().map(Some).collect();
        let mut changed = base.clone();
        for block in SILENT {
            changed[block] = other[block];
        }
        let (before, after) = (share(&base).unwrap(), share(&changed).unwrap());
        prop_assert_eq!(format!("{before:?}"), format!("{after:?}"));
        let mut moved = base;
        moved[2] = moved[2].map(|level| if level > 450.0 { level - 300.0 } else { level + 300.0 });
        prop_assert_ne!(share(&moved).unwrap().0, before.0);
    }
}

#[test]
fn the_share_is_of_the_newest_period_that_says_something_and_has_its_band() {
    let (catalogue, index) = of(&[Some(500.0); 7]);
    let (share, period) = ContextShare::of_index(&index, &catalogue, &area(1)).unwrap();
    let (value, low, high) = share.parts();
    assert_eq!(period, "2026-Q3");
    assert!((0.0..=10.0).contains(&value) && low <= value && value <= high && low < high, "{share:?}");
    assert_eq!(ContextShare::of_index(&index, &catalogue, &area(9)), None, "an area that is not in the index");
    // Of the three alone there is nothing to say.
    let mut silent = [None; 7];
    for block in SILENT {
        silent[block] = Some(900.0);
    }
    assert_eq!(self::share(&silent), None);
}
