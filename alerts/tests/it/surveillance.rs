//! The statistics against outputs of the R package `surveillance` 1.20.3, where they lie beside the checkout, and against short series
//! with known answers. `shared/conformance/surveillance` is never part of the repository.

use std::{collections::BTreeMap, path::PathBuf};

use qorgan_alerts::surveillance::{
    ears,
    farrington::{self, Settings, Threshold, Trend},
    normal_quantile,
};

fn vectors() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let dir = root.join("../../shared/conformance/surveillance");
    dir.is_dir().then_some(dir)
}

/// Rows by column name; `NA` and text that is no number is NaN.
fn table(name: &str) -> Option<Vec<BTreeMap<String, f64>>> {
    let text = std::fs::read_to_string(vectors()?.join(name)).unwrap();
    let mut lines = text.lines();
    let head: Vec<String> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    let row = |line: &str| head.iter().cloned().zip(line.split(',').map(|v| v.parse().unwrap_or(f64::NAN))).collect();
    Some(lines.map(row).collect())
}

fn agona() -> Option<Vec<f64>> {
    Some(table("salmonella_agona.csv")?.iter().map(|row| row["observed"]).collect())
}

fn close(seen: f64, wanted: f64, what: &str) {
    assert!((seen - wanted).abs() <= 1e-6 * wanted.abs().max(1e-9), "{what}: {seen}, the reference says {wanted}");
}

#[test]
fn c1_and_c2_are_those_of_the_reference() {
    let Some(series) = agona() else { return };
    for (file, lag) in [("ears_C1_agona.csv", 0), ("ears_C2_agona.csv", 2)] {
        let rows = table(file).unwrap();
        assert!(rows.len() > 200);
        for row in rows {
            let at = row["t"] as usize - 1;
            let upper = ears::upper(&series, at, 7, lag, normal_quantile(0.999)).unwrap();
            close(upper, row["upper"], &format!("{file}, week {}", at + 1));
            assert_eq!(f64::from(u8::from(series[at] > upper)), row["alarm"], "{file}, week {}", at + 1);
        }
    }
}

#[test]
fn c1_of_newport_is_that_of_the_reference() {
    let Some(rows) = table("ears_C1_newport2011.csv") else { return };
    let all: Vec<f64> = table("salmNewport_germany_weekly.csv").unwrap().iter().map(|row| row["observed"]).collect();
    // 2004-01-05 is the first week of the series; 2011-01-03 is 365 weeks later.
    for (week, row) in rows.iter().enumerate() {
        let at = 365 + week;
        assert_eq!(all[at], row["observed"]);
        close(ears::upper(&all, at, 7, 0, normal_quantile(0.95)).unwrap(), row["upper"], &format!("week {week}"));
    }
}

/// Ten levels and a trend wherever it may be: every bound, expected value and dispersion of the file.
#[test]
fn farrington_with_seasonal_levels_is_that_of_the_reference() {
    let Some(series) = agona() else { return };
    let settings = Settings { back: 3, ..Settings::weekly() };
    let mut checked = 0;
    for row in table("farringtonFlexible_agona_nbPlugin_np10.csv").unwrap() {
        let at = row["t"] as usize - 1;
        let bound = farrington::bound(&series, at, &settings).unwrap();
        close(bound.dispersion, row["phi"], &format!("dispersion of week {}", at + 1));
        assert_eq!(f64::from(u8::from(bound.trend)), row["trend"]);
        if row["upper"].is_finite() {
            close(bound.upper, row["upper"], &format!("bound of week {}", at + 1));
            close(bound.expected, row["expected"], &format!("expected of week {}", at + 1));
            checked += 1;
        }
    }
    assert!(checked > 35, "{checked}");
}

/// Windows only, with a trend that must be significant: every bound, expected value, dispersion and trend of both files.
#[test]
fn farrington_with_windows_only_is_that_of_the_reference() {
    let Some(series) = agona() else { return };
    for (file, threshold) in
        [("farringtonFlexible_agona_nbPlugin_np1.csv", Threshold::NbPlugin), ("farringtonFlexible_agona_delta_np1.csv", Threshold::Delta)]
    {
        let settings = Settings { back: 3, levels: 1, threshold, trend: Trend::Below(0.05), ..Settings::weekly() };
        let (mut checked, mut trends) = (0, 0);
        for row in table(file).unwrap() {
            let at = row["t"] as usize - 1;
            let bound = farrington::bound(&series, at, &settings).unwrap();
            assert_eq!(f64::from(u8::from(bound.trend)), row["trend"], "{file}: trend of week {}", at + 1);
            close(bound.dispersion, row["phi"], &format!("{file}: dispersion of week {}", at + 1));
            trends += usize::from(bound.trend);
            // The reference tells no bound while fewer than five cases came in four weeks.
            if row["upper"].is_finite() {
                close(bound.upper, row["upper"], &format!("{file}: bound of week {}", at + 1));
                close(bound.expected, row["expected"], &format!("{file}: expected of week {}", at + 1));
                checked += 1;
            }
        }
        assert!(checked > 35 && trends >= 10, "{file}: {checked} bounds, {trends} trends");
    }
}

/// A short series whose answers were taken from the reference's definition by hand: 7 values, mean 3, sample variance 14 / 3.
#[test]
fn a_short_series_has_the_bound_that_pencil_and_paper_give() {
    let series = [1.0, 2.0, 6.0, 2.0, 1.0, 3.0, 6.0, 9.0];
    let upper = ears::upper(&series, 7, 7, 0, 3.0).unwrap();
    assert!((upper - (3.0 + 3.0 * (28.0_f64 / 6.0).sqrt())).abs() < 1e-12);
}
