//! Tables against a small catalogue: what is taken, what is refused and how it is said.

use qorgan_domain::{
    Trilingual,
    indicator::{Block, CountsOf, Direction},
    period::PeriodKind,
};

use super::*;
use crate::intake::areas::tests::zhambyl;

fn three(text: &str) -> Trilingual {
    Trilingual { kk: format!("{text} қаз"), ru: format!("{text} рус"), en: text.into() }
}

fn indicator(id: &str, kind: ValueKind, period: PeriodKind, counts: Option<CountsOf>, max: f64) -> Indicator {
    Indicator {
        id: id.parse().unwrap(),
        block: "concerns".parse().unwrap(),
        name: three(&id.replace('-', " ")),
        unit: three("unit"),
        direction: Direction::MoreIsWorse,
        source: three("source"),
        period,
        min: 0.0,
        max,
        calm: 0.0,
        strained: max,
        legal_basis: three("law"),
        weight: 1.0,
        proposal: true,
        kind,
        counts,
        official: false,
    }
}

fn catalogue() -> Catalogue {
    Catalogue {
        version: "test".into(),
        blocks: vec![Block { id: "concerns".parse().unwrap(), name: three("concerns"), weight: 1.0, zero_by_rule: false }],
        indicators: vec![
            indicator("housing-complaints", ValueKind::Count, PeriodKind::Month, Some(CountsOf::Appeals), 1e6),
            indicator("unemployment", ValueKind::Share, PeriodKind::Quarter, None, 100.0),
            indicator("trust", ValueKind::Share, PeriodKind::Month, Some(CountsOf::Persons), 100.0),
        ],
    }
}

fn cell(text: &str) -> Option<Cell> {
    (!text.is_empty()).then(|| text.parse().map_or_else(|_| Cell::Text(text.into()), Cell::Number))
}

fn sheet(rows: &[&[&str]]) -> Sheet {
    let row = |(n, cells): (usize, &&[&str])| Row {
        number: u32::try_from(n + 1).unwrap(),
        cells: (0_u32..).zip(cells.iter()).filter_map(|(place, text)| Some((place, cell(text)?))).collect(),
    };
    Sheet { rows: rows.iter().enumerate().map(row).collect(), ..Sheet::default() }
}

fn read_with(sheets: &[Sheet], period: Option<&str>) -> Plan {
    let (catalogue, areas) = (catalogue(), zhambyl());
    let rules =
        Rules { catalogue: &catalogue, areas: &areas, period: period.map(|p| p.parse().unwrap()), today: jiff::civil::date(2026, 11, 22) };
    plan(sheets, &rules, &|_| {})
}
fn read(rows: &[&[&str]]) -> Plan {
    read_with(&[sheet(rows)], None)
}
fn codes(plan: &Plan) -> Vec<(u32, &str, &'static str)> {
    plan.errors.iter().map(|e| (e.row, e.column.as_str(), e.code)).collect()
}

const HEAD: &[&str] = &["Район", "Показатель", "Период", "Значение", "Случаи", "Знаменатель", "Источник"];

#[test]
fn a_long_table_is_read_in_russian_with_names_commas_and_blanks() {
    let p = read(&[
        &["Отчёт за октябрь"],
        HEAD,
        &["г. Тараз", "housing-complaints", "октябрь 2026", "1\u{a0}234", "1\u{a0}234", "", "109"],
        &["314000000", "Unemployment рус", "III квартал 2026", "4,9 %", "", "54 000", ""],
    ]);
    assert_eq!((codes(&p), p.rows, p.layout), (vec![], 2, Some(Layout::Long)), "{:?}", p.errors);
    let o = &p.values[0].observation;
    assert_eq!((o.area.as_str(), o.value, o.basis, o.period.to_string().as_str()), ("311000000", 1234.0, Basis::Cases(1234), "2026-10"));
    assert_eq!(p.values[0].source.as_deref(), Some("109"));
    let o = &p.values[1].observation;
    assert_eq!((o.value, o.basis, o.period.to_string().as_str()), (4.9, Basis::Denominator(54_000.0), "2026-Q3"));
}

#[test]
fn a_wide_table_is_read_for_the_period_above_it() {
    let p = read(&[
        &["Период: 2026-10"],
        &["Аудан", "housing-complaints", "housing-complaints (cases)", "Trust", "Халық"],
        &["Тараз", "50", "50", "41,5", "1200"],
        &["Байзақ ауданы", "", "", "38", "900"],
    ]);
    assert_eq!((codes(&p), p.layout), (vec![], Some(Layout::Wide)), "{:?}", p.errors);
    let said: Vec<String> =
        p.values.iter().map(|v| format!("{} {} {:?}", v.observation.area, v.observation.value, v.observation.basis)).collect();
    assert_eq!(said, ["311000000 50 Cases(50)", "311000000 41.5 Denominator(1200.0)", "313600000 38 Denominator(900.0)"]);
    let without = read_with(&[sheet(&[&["Аудан", "Trust", "Халық"], &["Тараз", "41", "100"]])], None);
    assert_eq!(without.errors[0].code, "header");
    let given = read_with(&[sheet(&[&["Аудан", "Trust", "Халық"], &["Тараз", "41", "100"]])], Some("2026-10"));
    assert_eq!((given.errors.len(), given.values.len()), (0, 1));
}

#[test]
fn every_wrong_cell_is_named_with_its_row_column_and_what_was_expected() {
    let good = ["Тараз", "housing-complaints", "2026-10", "50", "50", "", ""];
    for (place, text, code) in [
        (0, "Атлантида", "unknown_area"),
        (0, "999999999", "unknown_area"),
        (1, "housing-complants", "unknown_indicator"),
        (2, "2026-13", "bad_period"),
        (2, "2026-Q3", "bad_period"),
        (2, "2027-01", "bad_period"),
        (2, "", "bad_period"),
        (3, "NaN", "bad_value"),
        (3, "many", "bad_value"),
        (3, "1,234", "bad_value"),
        (3, "", "bad_value"),
        (3, "1e308", "out_of_range"),
        (3, "-1", "out_of_range"),
        (3, "1e400", "bad_value"),
        (4, "", "no_basis"),
        (4, "12.5", "bad_basis"),
        (4, "-3", "bad_basis"),
        (6, "+7 701 123 45 67", "personal_data"),
        (6, "Ахметова Гульнар Маратовна", "personal_data"),
        (6, "850101300005", "personal_data"),
        (6, "пример: удалите строку", "example_row"),
    ] {
        let mut row = good;
        row[place] = text;
        let p = read(&[HEAD, &good, &row[..]]);
        let found = p.errors.iter().find(|e| e.row == 2 || e.row == 3);
        let column = HEAD[place];
        assert!(
            found.is_some_and(|e| e.code == code && e.row == 3 && e.column == column && !e.expected.is_empty()),
            "{text:?}: {:?}",
            p.errors
        );
        if code == "personal_data" {
            assert!(!format!("{:?}", p.errors).contains(text), "a personal datum is not repeated");
        }
    }
    assert_eq!(codes(&read(&[HEAD, &good, &good])), [(3, "Значение", "duplicate")]);
    assert!(read(&[HEAD, &["Жамбл ауданы", "housing-complaints", "2026-10", "50", "50"]]).errors[0].expected.contains("Жамбыл ауданы"));
}

#[test]
fn an_infinite_cell_of_a_table_program_is_no_value() {
    let mut bad = sheet(&[HEAD, &["Тараз", "housing-complaints", "2026-10", "50", "50"]]);
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        bad.rows[1].cells[3].1 = Cell::Number(number);
        assert_eq!(codes(&read_with(&[bad.clone()], None)), [(2, "Значение", "bad_value")]);
    }
    bad.rows[1].cells[3].1 = Cell::Error("#REF!".into());
    assert_eq!(codes(&read_with(&[bad.clone()], None)), [(2, "Значение", "cell_error")]);
    bad.rows[1].cells[3].1 = Cell::Date(jiff::civil::date(2026, 10, 5));
    assert!(read_with(&[bad], None).errors[0].expected.contains("made a date of it"));
}

#[test]
fn a_column_of_personal_data_is_refused_by_its_name() {
    let p = read(&[
        &["Район", "Показатель", "Период", "Значение", "Случаи", "ИИН"],
        &["Тараз", "housing-complaints", "2026-10", "50", "50", ""],
    ]);
    assert_eq!(codes(&p), [(1, "ИИН", "personal_data")]);
    let note = read(&[
        &["Район", "Показатель", "Период", "Значение", "Случаи", "Примечание"],
        &["Тараз", "housing-complaints", "2026-10", "50", "50", "a@b.kz"],
    ]);
    assert_eq!(codes(&note), [(2, "Примечание", "personal_data")], "a column that is not read is looked at too");
}

#[test]
fn headers_that_are_missing_double_or_misspelt_are_said_once() {
    let p = read(&[&["Район", "Показатель", "Значение"], &["Тараз", "housing-complaints", "50"], &["Тараз", "housing-complaints", "50"]]);
    assert_eq!(codes(&p), [(1, "period", "header")]);
    let p = read(&[&["Район", "Показатель", "Период", "Знчение"], &["Тараз", "x", "2026-10", "5"]]);
    assert!(p.errors.iter().any(|e| e.expected.contains("Значение")));
    let p = read(&[&["Район", "Район", "Показатель", "Период", "Значение"]]);
    assert!(codes(&p).contains(&(1, "Район", "header")));
    assert_eq!(codes(&read(&[&["x", "y"]])), [(1, "", "header")]);
    assert_eq!(codes(&read(&[])), [(1, "", "header")]);
}

#[test]
fn merged_cells_in_the_table_and_formulas_without_a_value_are_refused() {
    let mut s = sheet(&[
        &["Заголовок отчёта"],
        HEAD,
        &["Тараз", "housing-complaints", "2026-10", "50", "50"],
        &["", "housing-complaints", "2026-09", "50", "50"],
    ]);
    s.merged = vec![((1, 0), (1, 4))];
    assert_eq!(codes(&read_with(&[s.clone()], None)), [(4, "Район", "bad_value")], "a merged title above the table is harmless");
    s.merged.push(((3, 0), (4, 0)));
    assert_eq!(read_with(&[s.clone()], None).errors[0].code, "merged_cells");
    let mut s = sheet(&[HEAD, &["Тараз", "housing-complaints", "2026-10", "", "50"]]);
    s.formulas = [(2, 3)].into();
    assert_eq!(codes(&read_with(&[s.clone()], None)), [(2, "Значение", "formula_without_value")]);
    let mut s = sheet(&[HEAD, &["Тараз", "housing-complaints", "2026-10", "60", "60"]]);
    s.formulas = [(2, 3)].into();
    let p = read_with(&[s], None);
    assert_eq!((p.errors.len(), p.values.len(), p.notes[0].code), (0, 1, "formula_value"));
}

#[test]
fn counts_below_ten_are_left_out_told_and_never_kept() {
    let p = read(&[
        HEAD,
        &["Тараз", "housing-complaints", "2026-10", "9", "9"],
        &["Байзақ", "housing-complaints", "2026-10", "10", "10"],
        &["Жамбыл ауданы", "trust", "2026-10", "3", "", "200"],
        &["Жамбыл ауданы", "trust", "2026-09", "45", "", "200"],
        &["Тараз", "unemployment", "2026-Q3", "4", "", "20"],
    ]);
    assert_eq!((p.errors.len(), p.suppressed, p.values.len()), (0, 2, 3), "{:?}", p.errors);
    assert!(!p.values.iter().any(|v| v.observation.value == 9.0 || v.observation.value == 3.0), "3 % of 200 are six people");
    assert!(p.notes.iter().all(|n| n.code == "suppressed" && n.value == "<10"));
}

#[test]
fn a_sum_that_would_give_a_hidden_count_away_loses_a_part() {
    let mut p = read(&[
        HEAD,
        &["310000000", "housing-complaints", "2026-10", "117", "117"],
        &["Тараз", "housing-complaints", "2026-10", "60", "60"],
        &["Жамбыл ауданы", "housing-complaints", "2026-10", "50", "50"],
        &["Байзақ", "housing-complaints", "2026-10", "7", "7"],
    ]);
    assert_eq!(p.suppressed, 1);
    p.compare(&Standing::new(), &catalogue());
    assert_eq!(p.suppressed, 2, "117 - 60 - 50 is seven");
    let kept: Vec<f64> = p.values.iter().map(|v| v.observation.value).collect();
    assert_eq!(kept, [117.0, 60.0]);

    // The sum comes later: it is the new one and stays away.
    let mut later = read(&[HEAD, &["310000000", "housing-complaints", "2026-10", "117", "117"]]);
    let key = |area: &str| (area.parse().unwrap(), "housing-complaints".parse().unwrap(), "2026-10".parse().unwrap());
    let standing: Standing = [(key("311000000"), (60.0, Basis::Cases(60))), (key("314000000"), (50.0, Basis::Cases(50)))].into();
    assert_eq!((later.compare(&standing, &catalogue()), later.values.len()), (Compared::default(), 0));
}

#[test]
fn what_stands_already_is_unchanged_and_other_values_replace() {
    let mut p = read(&[
        HEAD,
        &["Тараз", "housing-complaints", "2026-10", "60", "60"],
        &["Байзақ", "housing-complaints", "2026-10", "50", "50"],
        &["Жамбыл ауданы", "housing-complaints", "2026-10", "40", "40"],
    ]);
    let key = |area: &str| (area.parse().unwrap(), "housing-complaints".parse().unwrap(), "2026-10".parse().unwrap());
    let standing: Standing = [(key("311000000"), (60.0, Basis::Cases(60))), (key("313600000"), (51.0, Basis::Cases(51)))].into();
    assert_eq!(p.compare(&standing, &catalogue()), Compared { added: 1, changed: 1, unchanged: 1 });
    assert_eq!(p.sample(&standing, 2)[1].before, Some(51.0));
}

#[test]
fn many_errors_are_counted_and_a_thousand_listed() {
    let mut rows: Vec<&[&str]> = vec![HEAD];
    rows.resize(1_501, &["Атлантида", "housing-complaints", "2026-10", "50", "50"]);
    let p = read(&rows);
    assert_eq!((p.errors.len(), p.errors_total, p.values.len()), (1_000, 1_500, 0));
}
