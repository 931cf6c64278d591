//! From tables to values: every problem with its row and column, and what a file would change. Pure.
//!
//! Two layouts, told apart by the header: **long** (a row a value: area, indicator, period, value, cases or denominator, source) and
//! **wide** (a row a district, a column an indicator, for one period). A file is taken whole or not at all.

mod cells;
pub mod columns;
mod compare;

use std::collections::HashMap;

use jiff::civil::Date;
use qorgan_domain::{
    AreaCode, IndicatorId,
    indicator::{Basis, Catalogue, Indicator, Observation, ValueError, ValueKind},
    period::Period,
};
use serde::Serialize;

use self::{
    cells::{Memory, RowCells},
    columns::{Column, IndicatorNames, Part},
};
use super::{
    areas::AreaNames,
    disclosure::K,
    period, personal,
    sheet::{Cell, Row, Sheet},
};

pub use compare::{Compared, Sample, Standing};

/// Problems that are listed; a file with more has one cause.
pub const MAX_LISTED: usize = 1_000;
/// The header stands in one of the first rows that hold something.
const HEADER_WITHIN: usize = 20;
/// Rows between two reports of progress.
const STEP: usize = 1_000;
/// Longest name of a source, in characters.
pub const MAX_SOURCE: usize = 200;
/// What the example rows of the templates say.
pub const EXAMPLE: [&str; 3] = ["мысал: жолды өшіріңіз", "пример: удалите строку", "example: delete the row"];

/// Something in a file that cannot be taken, or that somebody should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowNote {
    /// Sheet of a workbook.
    pub sheet: Option<String>,
    /// Row as the table program shows it.
    pub row: u32,
    /// Header of the column.
    pub column: String,
    /// What stands there; withheld when it looks like personal data.
    pub value: String,
    /// What was expected.
    pub expected: String,
    /// Code of the problem.
    pub code: &'static str,
}

/// How a file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// A row a value.
    Long,
    /// A row a district.
    Wide,
}

/// A value that a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The value.
    pub observation: Observation,
    /// Who gave it, where the row says so.
    pub source: Option<String>,
    /// Row of the file.
    pub row: u32,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Plan {
    /// Layout of the first table in it.
    pub layout: Option<Layout>,
    /// Rows that were read, headers left out.
    pub rows: usize,
    /// Values that may be taken.
    pub values: Vec<Planned>,
    /// Counts below [`K`], left out.
    pub suppressed: usize,
    /// What cannot be taken, at most [`MAX_LISTED`]. With any, nothing may be applied.
    pub errors: Vec<RowNote>,
    /// How many there are.
    pub errors_total: usize,
    /// What somebody should know, at most [`MAX_LISTED`].
    pub notes: Vec<RowNote>,
}

/// What a file is read against.
pub struct Rules<'a> {
    /// Known indicators.
    pub catalogue: &'a Catalogue,
    /// Known districts.
    pub areas: &'a AreaNames,
    /// Period of values whose row names none.
    pub period: Option<Period>,
    /// The day: a period that has not begun is refused.
    pub today: Date,
}

/// Reads sheets. `progress` hears the rows that are done.
pub fn plan(sheets: &[Sheet], rules: &Rules<'_>, progress: &dyn Fn(usize)) -> Plan {
    let mut reading = Reading {
        rules,
        names: IndicatorNames::new(rules.catalogue),
        memory: Memory::default(),
        seen: HashMap::new(),
        plan: Plan::default(),
        progress,
    };
    let mut found = false;
    for sheet in sheets {
        if let Some((at, table)) = reading.header(sheet) {
            found = true;
            reading.sheet(sheet, at, &table);
        }
    }
    if !found {
        let expected = "a header row: area, indicator, period, value, cases or denominator (long), or area and indicators (wide); \
                        Kazakh, Russian and English names are known, the template has them";
        reading.error(RowNote {
            sheet: None,
            row: 1,
            column: String::new(),
            value: String::new(),
            expected: expected.into(),
            code: "header",
        });
    }
    reading.plan
}

/// A header that was understood.
struct Table<'a> {
    layout: Layout,
    headers: Vec<(u32, String)>,
    columns: HashMap<Column, u32>,
    /// Of the wide layout: indicator, place of its value, of its cases, of its denominator.
    indicators: Vec<(&'a Indicator, [Option<u32>; 3])>,
    /// Period that stands above the header.
    period: Option<Period>,
}

impl Table<'_> {
    fn title(&self, place: u32) -> String {
        self.headers.iter().find(|(at, _)| *at == place).map(|(_, text)| text.clone()).unwrap_or_default()
    }
}

struct Reading<'a> {
    rules: &'a Rules<'a>,
    names: IndicatorNames<'a>,
    memory: Memory,
    /// Where a value stood in the file.
    seen: HashMap<(AreaCode, IndicatorId, Period), (Option<String>, u32)>,
    plan: Plan,
    progress: &'a dyn Fn(usize),
}

/// One value before it is judged.
struct Raw<'a> {
    area: AreaCode,
    indicator: &'a Indicator,
    period: Period,
    value: f64,
    cases: Option<f64>,
    denominator: Option<f64>,
    /// Places of value and basis.
    at: (u32, u32),
}

impl<'a> Reading<'a> {
    fn error(&mut self, note: RowNote) {
        self.plan.errors_total += 1;
        if self.plan.errors.len() < MAX_LISTED {
            self.plan.errors.push(note);
        }
    }

    fn note(&mut self, note: RowNote) {
        if self.plan.notes.len() < MAX_LISTED {
            self.plan.notes.push(note);
        }
    }

    /// The header: the first row that names the district and either indicator and value, or an indicator of the catalogue.
    fn header(&mut self, sheet: &Sheet) -> Option<(usize, Table<'a>)> {
        let rows = sheet.rows.iter().take(HEADER_WITHIN).enumerate();
        let (at, row) = rows.into_iter().find(|(_, row)| {
            let texts: Vec<&str> = texts(row).map(|(_, text)| text).collect();
            let has = |column| texts.iter().any(|text| Column::of(text) == Some(column));
            has(Column::Area)
                && (has(Column::Indicator) || has(Column::Value) || texts.iter().any(|text| self.names.of_header(text).is_some()))
        })?;
        let mut table = Table {
            layout: Layout::Long,
            headers: texts(row).map(|(place, text)| (place, text.to_owned())).collect(),
            columns: HashMap::new(),
            indicators: Vec::new(),
            period: None,
        };
        let wide = !table.headers.iter().any(|(_, text)| matches!(Column::of(text), Some(Column::Indicator | Column::Value)));
        table.layout = if wide { Layout::Wide } else { Layout::Long };
        table.period = sheet.rows[..at].iter().find_map(period_above);
        self.plan.layout.get_or_insert(table.layout);
        let before = self.plan.errors_total;
        for (place, text) in table.headers.clone() {
            self.header_cell(sheet, row.number, &mut table, place, &text);
        }
        self.whole_header(sheet, row.number, &table);
        // A header that is not understood is said once, not for every row.
        if self.plan.errors_total > before {
            table.headers.clear();
        }
        Some((at, table))
    }

    fn header_cell(&mut self, sheet: &Sheet, row: u32, table: &mut Table<'a>, place: u32, text: &str) {
        let say =
            |expected: String, code| RowNote { sheet: sheet.name.clone(), row, column: text.into(), value: text.into(), expected, code };
        if personal::in_header(text) {
            let expected = "no column of personal data: values are aggregates; delete the column".to_owned();
            return self.error(say(expected, "personal_data"));
        }
        let column = Column::of(text);
        let indicator = if table.layout == Layout::Wide { self.names.of_header(text) } else { None };
        match (column, indicator) {
            (Some(column), _) => {
                if table.columns.insert(column, place).is_some() {
                    self.error(say(format!("one column \"{}\", not two", column.key()), "header"));
                }
            }
            (None, Some((indicator, part))) => {
                let slot = match table.indicators.iter().position(|(known, _)| known.id == indicator.id) {
                    Some(n) => n,
                    None => {
                        table.indicators.push((indicator, [None; 3]));
                        table.indicators.len() - 1
                    }
                };
                let which = match part {
                    Part::Value => 0,
                    Part::Cases => 1,
                    Part::Denominator => 2,
                };
                if table.indicators[slot].1[which].replace(place).is_some() {
                    self.error(say(format!("one column for \"{}\", not two", indicator.id), "header"));
                }
            }
            (None, None) => match Column::nearly(text) {
                Some(near) => self.error(say(format!("\"{near}\"?"), "header")),
                None if table.layout == Layout::Wide && !self.names.nearest(text).contains("there are") => {
                    let expected = self.names.nearest(text);
                    self.error(say(expected, "unknown_indicator"));
                }
                None => self.note(say("nothing: this column is not read".into(), "ignored_column")),
            },
        }
    }

    fn whole_header(&mut self, sheet: &Sheet, row: u32, table: &Table<'a>) {
        let needed: &[Column] = match table.layout {
            Layout::Long => &[Column::Area, Column::Indicator, Column::Value],
            Layout::Wide => &[Column::Area],
        };
        let mut missing: Vec<Column> = needed.iter().copied().filter(|column| !table.columns.contains_key(column)).collect();
        if !table.columns.contains_key(&Column::Period) && table.period.is_none() && self.rules.period.is_none() {
            missing.push(Column::Period);
        }
        for column in missing {
            let expected = format!("a column \"{}\" ({}, {})", column.key(), column.title("kk"), column.title("ru"));
            self.error(RowNote {
                sheet: sheet.name.clone(),
                row,
                column: column.key().into(),
                value: String::new(),
                expected,
                code: "header",
            });
        }
        for ((first, from), (last, to)) in &sheet.merged {
            if *last >= row {
                let place = table.title(*from);
                let expected = format!(
                    "no merged cells in the table (rows {first} to {last}, {} columns are merged here): unmerge them and write each value",
                    to - from + 1
                );
                self.error(RowNote {
                    sheet: sheet.name.clone(),
                    row: *first,
                    column: place,
                    value: String::new(),
                    expected,
                    code: "merged_cells",
                });
            }
        }
    }

    fn sheet(&mut self, sheet: &Sheet, at: usize, table: &Table<'a>) {
        if table.headers.is_empty() {
            return;
        }
        let taken = sheet.formulas.len();
        if taken > 0 {
            let expected = format!("values: {taken} cells hold formulas; what the table program computed last was taken");
            self.note(RowNote {
                sheet: sheet.name.clone(),
                row: sheet.rows[at].number,
                column: String::new(),
                value: String::new(),
                expected,
                code: "formula_value",
            });
        }
        for row in &sheet.rows[at + 1..] {
            self.plan.rows += 1;
            if self.plan.rows.is_multiple_of(STEP) {
                (self.progress)(self.plan.rows);
            }
            let mut cells = RowCells { sheet, row, errors: Vec::new() };
            self.memory.private(&mut cells, table);
            if cells.errors.is_empty() {
                match table.layout {
                    Layout::Long => self.long(&mut cells, table),
                    Layout::Wide => self.wide(&mut cells, table),
                }
            }
            for note in cells.errors {
                self.error(note);
            }
        }
        (self.progress)(self.plan.rows);
    }

    fn long(&mut self, cells: &mut RowCells<'_>, table: &Table<'a>) {
        let place = |column| table.columns.get(&column).copied();
        let area = self.area(cells, table);
        let indicator = self.indicator(cells, table);
        let period = self.period(cells, table, indicator);
        let value_at = place(Column::Value).unwrap_or_default();
        let value = cells.number(value_at, table, true);
        let cases = place(Column::Cases).map_or(Ok(None), |at| cells.optional(at, table));
        let denominator = place(Column::Denominator).map_or(Ok(None), |at| cells.optional(at, table));
        let source = self.source(cells, table);
        let (Some(area), Some(indicator), Some(period), Some(value), Ok(cases), Ok(denominator), Ok(source)) =
            (area, indicator, period, value, cases, denominator, source)
        else {
            return;
        };
        let basis = if denominator.is_some() && cases.is_none() { Column::Denominator } else { Column::Cases };
        let basis_at = place(basis).or(place(Column::Denominator)).unwrap_or(value_at);
        let raw = Raw { area, indicator, period, value, cases, denominator, at: (value_at, basis_at) };
        self.judge(cells, table, raw, source);
    }

    fn wide(&mut self, cells: &mut RowCells<'_>, table: &Table<'a>) {
        let Some(area) = self.area(cells, table) else { return };
        let Ok(source) = self.source(cells, table) else { return };
        let common = match table.columns.get(&Column::Denominator) {
            Some(at) => match cells.optional(*at, table) {
                Ok(number) => number,
                Err(()) => return,
            },
            None => None,
        };
        for (indicator, [value_at, cases_at, denominator_at]) in &table.indicators {
            let Some(value_at) = *value_at else { continue };
            // An empty cell says that there is no value.
            if cells.get(value_at).is_none() && !cells.is_formula(value_at) {
                continue;
            }
            let Some(period) = self.period(cells, table, Some(indicator)) else { return };
            let Some(value) = cells.number(value_at, table, true) else { continue };
            let own = |at: &Option<u32>, cells: &mut RowCells<'_>| at.map_or(Ok(None), |at| cells.optional(at, table));
            let (Ok(cases), Ok(denominator)) = (own(cases_at, cells), own(denominator_at, cells)) else { continue };
            let basis_at = cases_at.or(*denominator_at).unwrap_or(value_at);
            let denominator = denominator.or(if cases.is_none() { common } else { None });
            let raw = Raw { area: area.clone(), indicator, period, value, cases, denominator, at: (value_at, basis_at) };
            self.judge(cells, table, raw, source.clone());
        }
    }

    fn area(&mut self, cells: &mut RowCells<'_>, table: &Table<'a>) -> Option<AreaCode> {
        let at = *table.columns.get(&Column::Area)?;
        let text = cells.text(at, table)?;
        let areas = self.rules.areas;
        match self.memory.area(&text, areas) {
            Ok(code) => Some(code),
            Err(expected) => {
                cells.wrong(at, table, expected, "unknown_area");
                None
            }
        }
    }

    fn indicator(&mut self, cells: &mut RowCells<'_>, table: &Table<'a>) -> Option<&'a Indicator> {
        let at = *table.columns.get(&Column::Indicator)?;
        let text = cells.text(at, table)?;
        let found = self.names.find(&text);
        if found.is_none() {
            cells.wrong(at, table, self.names.nearest(&text), "unknown_indicator");
        }
        found
    }

    /// The period of a row: its own, the one above the table, or the one that came with the file.
    fn period(&mut self, cells: &mut RowCells<'_>, table: &Table<'a>, indicator: Option<&Indicator>) -> Option<Period> {
        let general = table.period.or(self.rules.period);
        let Some(at) = table.columns.get(&Column::Period).copied() else { return general };
        let expected = match indicator {
            Some(indicator) => format!("a {}, such as {}", indicator.period, example_of(indicator.period)),
            None => "a period such as 2026, 2026-Q3, 2026-10 or 2026-10-31".to_owned(),
        };
        let found = match cells.get(at) {
            None if general.is_some() && !cells.is_formula(at) => return general,
            None => None,
            Some(Cell::Date(date)) => indicator.and_then(|i| period::of_date(*date, i.period)),
            Some(Cell::Number(year)) => {
                (year.fract() == 0.0 && (1991.0..2200.0).contains(year)).then(|| year.to_string().parse().ok()).flatten()
            }
            Some(Cell::Text(text)) => self.memory.period(text),
            Some(Cell::Error(_)) => None,
        };
        match found {
            None => {
                cells.wrong(at, table, expected, "bad_period");
                None
            }
            Some(period) if period.first_day() > self.rules.today => {
                cells.wrong(at, table, format!("a period that has begun: today is {}", self.rules.today), "bad_period");
                None
            }
            Some(period) => Some(period),
        }
    }

    fn source(&mut self, cells: &mut RowCells<'_>, table: &Table<'a>) -> Result<Option<String>, ()> {
        let Some(at) = table.columns.get(&Column::Source).copied() else { return Ok(None) };
        match cells.get(at) {
            None => Ok(None),
            Some(cell) => {
                let text = cell.shown();
                if text.chars().count() > MAX_SOURCE || text.contains(char::is_control) {
                    cells.wrong(at, table, format!("at most {MAX_SOURCE} characters in one line"), "bad_value");
                    return Err(());
                }
                Ok(Some(text))
            }
        }
    }

    fn judge(&mut self, cells: &mut RowCells<'_>, table: &Table<'a>, raw: Raw<'a>, source: Option<String>) {
        let judged = match judge(raw.indicator, raw.value, raw.period, raw.cases, raw.denominator) {
            Ok(judged) => judged,
            Err((wrong, expected, code)) => {
                let at = match wrong {
                    Wrong::Value => raw.at.0,
                    Wrong::Basis => raw.at.1,
                    Wrong::Period => table.columns.get(&Column::Period).copied().unwrap_or(raw.at.0),
                };
                return cells.wrong(at, table, expected, code);
            }
        };
        let key = (raw.area.clone(), raw.indicator.id.clone(), raw.period);
        if let Some((sheet, row)) = self.seen.get(&key) {
            let place = sheet.as_ref().map(|s| format!("{s}, ")).unwrap_or_default();
            let expected = format!("each area, indicator and period once: this one stands in {place}row {row} already");
            return cells.wrong(raw.at.0, table, expected, "duplicate");
        }
        self.seen.insert(key, (cells.sheet.name.clone(), cells.row.number));
        if judged.count.is_some_and(|count| count < K) {
            self.plan.suppressed += 1;
            let expected =
                "a count of ten or more: fewer persons, posts or appeals are not kept; a longer period or a larger area can be".to_owned();
            let (sheet, row, column) = (cells.sheet.name.clone(), cells.row.number, table.title(raw.at.0));
            return self.note(RowNote { sheet, row, column, value: "<10".into(), expected, code: "suppressed" });
        }
        let observation =
            Observation { area: raw.area, indicator: raw.indicator.id.clone(), period: raw.period, value: raw.value, basis: judged.basis };
        self.plan.values.push(Planned { observation, source, row: cells.row.number });
    }
}

fn texts(row: &Row) -> impl Iterator<Item = (u32, &str)> {
    row.cells.iter().filter_map(|(place, cell)| match cell {
        Cell::Text(text) => Some((*place, text.as_str())),
        _ => None,
    })
}

/// `Период: 2026-10` in one cell, or `Период` and beside it `2026-10`.
fn period_above(row: &Row) -> Option<Period> {
    row.cells.iter().enumerate().find_map(|(n, (_, cell))| {
        let Cell::Text(text) = cell else { return None };
        if Column::of(text) == Some(Column::Period) {
            return match &row.cells.get(n + 1)?.1 {
                Cell::Text(text) => period::read(text),
                Cell::Date(date) => period::of_date(*date, qorgan_domain::period::PeriodKind::Month),
                Cell::Number(year) => year.to_string().parse().ok(),
                Cell::Error(_) => None,
            };
        }
        let (name, rest) = text.split_once(':')?;
        (Column::of(name) == Some(Column::Period)).then(|| period::read(rest)).flatten()
    })
}

fn example_of(kind: qorgan_domain::period::PeriodKind) -> &'static str {
    use qorgan_domain::period::PeriodKind::*;
    match kind {
        Day => "2026-10-31",
        Week => "2026-W44",
        Month => "2026-10",
        Quarter => "2026-Q3",
        Year => "2026",
    }
}

/// A value that may be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What it rests on.
    pub basis: Basis,
    /// The smallest number of persons, posts or appeals that it tells; none where that is no matter of disclosure.
    pub count: Option<u64>,
}

/// What of a value is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The number.
    Value,
    /// Cases or denominator.
    Basis,
    /// The period.
    Period,
}

/// Whether a value may be taken, by whatever door it came; else what is wrong, what was expected, and a code.
pub fn judge(
    indicator: &Indicator,
    value: f64,
    period: Period,
    cases: Option<f64>,
    denominator: Option<f64>,
) -> Result<Judged, (Wrong, String, &'static str)> {
    let cases = match cases {
        None => None,
        // Whole numbers up to ten milliards are exact in a double.
        Some(n) if n.fract() == 0.0 && (0.0..=1e10).contains(&n) => Some(n as u64),
        Some(_) => return Err((Wrong::Basis, "cases as a whole number from 0".into(), "bad_basis")),
    };
    let rate = matches!(indicator.kind, ValueKind::Share | ValueKind::Rate { .. });
    let basis = match (cases, denominator) {
        (_, Some(whole)) if rate || cases.is_none() => Basis::Denominator(whole),
        (Some(cases), _) => Basis::Cases(cases),
        (None, Some(whole)) => Basis::Denominator(whole),
        (None, None) => {
            let what = if rate {
                "a denominator (population, respondents) or the number of cases"
            } else {
                "the number of cases or a denominator"
            };
            return Err((Wrong::Basis, format!("{what}: a value without what it rests on is not taken"), "no_basis"));
        }
    };
    indicator.check(value, period, basis).map_err(|error| match error {
        ValueError::OutOfRange { min, max, .. } => (Wrong::Value, format!("a value from {min} to {max}"), "out_of_range"),
        ValueError::WrongPeriod { expected, .. } => {
            (Wrong::Period, format!("a {expected}, such as {}: {error}", example_of(expected)), "bad_period")
        }
        ValueError::Basis(why) => (Wrong::Basis, why.to_owned(), "bad_basis"),
        ValueError::NotANumber => (Wrong::Value, "a finite number".to_owned(), "bad_value"),
        ValueError::Unknown(_) => (Wrong::Value, error.to_string(), "unknown_indicator"),
    })?;
    let counted = indicator.counts.is_some() && !indicator.official;
    Ok(Judged { basis, count: counted.then(|| told(indicator.kind, value, cases, denominator)) })
}

/// The smallest count that a value tells: its cases, its whole, and what both together give away.
fn told(kind: ValueKind, value: f64, cases: Option<u64>, denominator: Option<f64>) -> u64 {
    // Casts saturate; what is negative tells nothing small of its own.
    let whole = |number: f64| number.abs().round() as u64;
    let derived = match (kind, denominator) {
        (ValueKind::Count, _) => Some(whole(value)),
        (ValueKind::Share, Some(all)) => Some(whole(value * all / 100.0)),
        (ValueKind::Rate { per }, Some(all)) => Some(whole(value * all / per)),
        _ => None,
    };
    [cases, denominator.map(whole), derived].into_iter().flatten().min().unwrap_or(0)
}

#[cfg(test)]
mod tests;
