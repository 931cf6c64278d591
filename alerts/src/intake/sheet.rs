//! Tables of cells, whatever file they came from. A reader of files makes them; nothing here opens one.

use std::collections::HashSet;

use jiff::civil::Date;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text without outer blanks, not empty.
    Text(String),
    /// A number.
    Number(f64),
    /// A date; its time of day is dropped.
    Date(Date),
    /// `#REF!` and its kind.
    Error(String),
}

impl Cell {
    /// As a person sees it, at most 500 characters.
    pub fn shown(&self) -> String {
        let text = match self {
            Cell::Text(text) => text.clone(),
            Cell::Number(number) => number.to_string(),
            Cell::Date(date) => date.to_string(),
            Cell::Error(error) => error.clone(),
        };
        if text.len() > 500 { text.chars().take(500).collect() } else { text }
    }
}

/// A row: its number as the person sees it, and its cells by column from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// From 1.
    pub number: u32,
    /// Cells that hold something.
    pub cells: Vec<(u32, Cell)>,
}

/// Cells that are one: first row and column, last row and column. Rows from 1, columns from 0.
pub type Merged = ((u32, u32), (u32, u32));

/// A sheet; a CSV file has one without a name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// Its name.
    pub name: Option<String>,
    /// Rows that hold something.
    pub rows: Vec<Row>,
    /// Where a formula stands, by row (from 1) and column; what it gave last stands in the cell.
    pub formulas: HashSet<(u32, u32)>,
    /// Cells that are merged.
    pub merged: Vec<Merged>,
}
