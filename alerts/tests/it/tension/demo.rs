//! The demonstration's values: good enough for the door, marked as what they are, and a map that is filled.

use qorgan_alerts::tension::{Inputs, Method, Why, catalogue, compute};
use qorgan_domain::{AreaCode, Basis, Indicator, Observation, ValueKind};

const CATALOGUE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/indicators.toml"));
const VALUES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/demo-indicators.csv"));

fn read(line: &str) -> Observation {
    let cells: Vec<&str> = line.split(',').collect();
    assert_eq!((cells.len(), cells[6]), (7, "demo"), "{line}");
    let basis = match cells[5] {
        "" => Basis::Cases(cells[4].parse().unwrap()),
        whole => Basis::Denominator(whole.parse().unwrap()),
    };
    Observation {
        area: cells[0].parse().unwrap(),
        indicator: cells[1].parse().unwrap(),
        period: cells[2].parse().unwrap(),
        value: cells[3].parse().unwrap(),
        basis,
    }
}

/// Cases behind a value, where they follow from it.
fn cases(indicator: &Indicator, o: &Observation) -> f64 {
    match (indicator.kind, o.basis) {
        (_, Basis::Cases(cases)) => cases as f64,
        (ValueKind::Share, Basis::Denominator(whole)) => o.value / 100.0 * whole,
        (ValueKind::Rate { per }, Basis::Denominator(whole)) => o.value / per * whole,
        _ => f64::INFINITY,
    }
}

#[test]
fn the_demonstrations_values_fill_the_map_after_the_door_has_kept_small_counts_out() {
    let catalogue = catalogue::parse(CATALOGUE).unwrap();
    let mut lines = VALUES.lines();
    assert_eq!(lines.next(), Some("area,indicator,period,value,cases,denominator,source"));
    let mut values = Vec::new();
    for line in lines {
        let observation = read(line);
        let indicator = catalogue.check(&observation).unwrap_or_else(|error| panic!("{line}: {error}"));
        if indicator.counts.is_none() || indicator.official || cases(indicator, &observation) >= 10.0 {
            values.push(observation);
        }
    }
    let mut areas: Vec<AreaCode> = values.iter().map(|v| v.area.clone()).collect();
    areas.dedup();
    assert_eq!(areas.len(), 11);
    let method = Method::first(&catalogue);
    let inputs = Inputs { catalogue: &catalogue, method: &method, areas: &areas, values: &values, until: jiff::civil::date(2026, 9, 30) };
    let index = compute(&inputs, 2).unwrap();
    assert!(index.refused.is_empty() && index.periods.len() == 11);
    let newest = index.periods.last().unwrap();
    assert!(newest.areas.iter().all(|a| a.overall.shown().is_some()), "the map has a hole");
    let classes: std::collections::BTreeSet<u8> = newest.areas.iter().filter_map(|a| a.overall.shown()).map(|s| s.class()).collect();
    assert!(classes.len() >= 3, "a map of one colour says nothing: {classes:?}");
    // Moiynkum reports nothing about youth: that block has no colour there, and elsewhere it has.
    let youth = catalogue.blocks.iter().position(|b| b.id.as_str() == "youth").unwrap();
    for (area, found) in areas.iter().zip(&newest.areas) {
        assert_eq!(found.blocks[youth].why(), (area.as_str() == "315600000").then_some(Why::NoValues), "{area}");
        assert!(found.blocks.iter().filter(|b| b.shown().is_some()).count() >= 5, "{area}");
    }
}
