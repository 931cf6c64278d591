//! One row on its way: its cells by place, and what is wrong with them.

use std::collections::{HashMap, HashSet};

use qorgan_domain::{AreaCode, period::Period};

use super::{EXAMPLE, RowNote, Table};
use crate::intake::{
    areas::AreaNames,
    number, period, personal,
    sheet::{Cell, Row, Sheet},
};

pub(super) struct RowCells<'s> {
    pub(super) sheet: &'s Sheet,
    pub(super) row: &'s Row,
    pub(super) errors: Vec<RowNote>,
}

impl<'s> RowCells<'s> {
    pub(super) fn get(&self, place: u32) -> Option<&'s Cell> {
        self.row.cells.iter().find(|cell| cell.0 == place).map(|cell| &cell.1)
    }

    pub(super) fn is_formula(&self, place: u32) -> bool {
        !self.sheet.formulas.is_empty() && self.sheet.formulas.contains(&(self.row.number, place))
    }

    pub(super) fn wrong(&mut self, place: u32, table: &Table<'_>, expected: impl Into<String>, code: &'static str) {
        let value = self.get(place).map(Cell::shown).unwrap_or_default();
        let value = if personal::in_cell(&value).is_some() { "…".to_owned() } else { value };
        self.errors.push(RowNote {
            sheet: self.sheet.name.clone(),
            row: self.row.number,
            column: table.title(place),
            value,
            expected: expected.into(),
            code,
        });
    }

    /// The text of a cell; numbers as they are shown.
    pub(super) fn text(&mut self, place: u32, table: &Table<'_>) -> Option<String> {
        match self.get(place) {
            Some(Cell::Error(_)) => {
                self.wrong(place, table, "a value, not an error of the table program", "cell_error");
                None
            }
            Some(cell) => Some(cell.shown()),
            None => {
                self.empty(place, table, "not empty");
                None
            }
        }
    }

    fn empty(&mut self, place: u32, table: &Table<'_>, expected: &str) {
        if self.is_formula(place) {
            let expected =
                "a formula whose value the table program has computed and saved: open the file there, compute, save; or write the value";
            self.wrong(place, table, expected, "formula_without_value");
        } else {
            self.wrong(place, table, expected, "bad_value");
        }
    }

    /// A number; an empty cell is wrong when it is `needed`.
    pub(super) fn number(&mut self, place: u32, table: &Table<'_>, needed: bool) -> Option<f64> {
        let (expected, code) = match self.get(place) {
            Some(Cell::Number(number)) if number.is_finite() => return Some(*number),
            Some(Cell::Number(_)) => ("a finite number", "bad_value"),
            Some(Cell::Text(text)) => match number::read(text) {
                Ok(number) => return Some(number),
                Err(no) => (no.expected(), "bad_value"),
            },
            Some(Cell::Date(_)) => ("a number: the table program made a date of it; format the column as text or number", "bad_value"),
            Some(Cell::Error(_)) => ("a value, not an error of the table program", "cell_error"),
            None => {
                if needed || self.is_formula(place) {
                    self.empty(place, table, "a number");
                }
                return None;
            }
        };
        self.wrong(place, table, expected, code);
        None
    }

    /// A number that may be absent.
    pub(super) fn optional(&mut self, place: u32, table: &Table<'_>) -> Result<Option<f64>, ()> {
        let before = self.errors.len();
        let number = self.number(place, table, false);
        if self.errors.len() == before { Ok(number) } else { Err(()) }
    }
}

/// What was judged before: the texts of a long file repeat.
#[derive(Debug, Default)]
pub(super) struct Memory {
    fine: HashSet<String>,
    areas: HashMap<String, Result<AreaCode, String>>,
    periods: HashMap<String, Option<Period>>,
}

/// Texts that are remembered; a file of different ones is judged one by one.
const REMEMBERED: usize = 100_000;

impl Memory {
    /// Looks for personal data and for the template's example, in every cell of a row whether its column is read or not.
    pub(super) fn private(&mut self, cells: &mut RowCells<'_>, table: &Table<'_>) {
        for (place, cell) in &cells.row.cells {
            let found = match cell {
                Cell::Number(number) => personal::in_number(*number),
                Cell::Text(text) if self.fine.contains(text) => None,
                Cell::Text(text) => {
                    if EXAMPLE.iter().any(|example| text.to_lowercase().contains(example)) {
                        cells.wrong(*place, table, "no example row: delete it", "example_row");
                        return;
                    }
                    let found = personal::in_cell(text);
                    if found.is_none() && self.fine.len() < REMEMBERED {
                        self.fine.insert(text.clone());
                    }
                    found
                }
                Cell::Date(_) | Cell::Error(_) => None,
            };
            if let Some(found) = found {
                let expected = format!("no personal data: this looks like {}", found.english());
                cells.errors.push(RowNote {
                    sheet: cells.sheet.name.clone(),
                    row: cells.row.number,
                    column: table.title(*place),
                    value: "…".into(),
                    expected,
                    code: "personal_data",
                });
            }
        }
    }

    pub(super) fn area(&mut self, text: &str, areas: &AreaNames) -> Result<AreaCode, String> {
        if let Some(known) = self.areas.get(text) {
            return known.clone();
        }
        let found = areas.find(text);
        if self.areas.len() < REMEMBERED {
            self.areas.insert(text.to_owned(), found.clone());
        }
        found
    }

    pub(super) fn period(&mut self, text: &str) -> Option<Period> {
        if let Some(known) = self.periods.get(text) {
            return *known;
        }
        let found = period::read(text);
        if self.periods.len() < REMEMBERED {
            self.periods.insert(text.to_owned(), found);
        }
        found
    }
}
