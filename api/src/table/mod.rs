//! Files to tables of cells: XLSX and CSV, within limits. Knows nothing of institutions or indicators.
//!
//! A workbook is read cell by cell, so that a single cell in the last corner makes no table of 17 billion; a part that unpacks to more
//! than it may is refused before anything is read. Of a formula the value is taken that the table program computed last. Text is UTF-8,
//! UTF-16 with its mark, or the Windows code page of Russian and Kazakh (1251 with the letters of KZ-1048).

mod text;
mod workbook;

pub use qorgan_alerts::intake::sheet::{Cell, Row, Sheet};
pub use text::Encoding;

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 20 * 1024 * 1024;
/// Most rows of all sheets together.
pub const MAX_ROWS: usize = 200_000;
/// Columns after this one are not looked at: a wide table of 47 indicators with cases and denominators has 143.
const MAX_COLUMNS: u32 = 200;
/// What a file may unpack to: 100,000 rows of fourteen columns are about 100 MB of XML.
const MAX_UNPACKED: u64 = 320 * 1024 * 1024;
/// Parts of a workbook.
const MAX_PARTS: usize = 1_000;
/// Rows between two reports of progress.
const STEP: usize = 1_000;
/// Begins of a text that table programs take for a formula.
pub const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Why a file gives no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Over [`MAX_BYTES`].
    #[error("the file has {0} bytes; at most {MAX_BYTES} are taken")]
    Bytes(usize),
    /// Over [`MAX_ROWS`].
    #[error("the file has more than {MAX_ROWS} rows")]
    Rows,
    /// A small file that unpacks to a large one.
    #[error("the workbook unpacks to more than {MAX_UNPACKED} bytes or has more than {MAX_PARTS} parts")]
    Unpacked,
    /// Encrypted.
    #[error("the workbook has a password; save it without one")]
    Password,
    /// An XLS file.
    #[error("this is an old .xls workbook; save it as .xlsx")]
    OldWorkbook,
    /// In no encoding that is known.
    #[error("{0}; in the table program save the file as \"CSV UTF-8\" or as .xlsx")]
    Encoding(String),
    /// No workbook.
    #[error("the workbook does not read: {0}")]
    Workbook(String),
    /// No CSV.
    #[error("line {line}: the CSV does not read: {reason}")]
    Csv {
        /// Line, from 1.
        line: u64,
        /// Why.
        reason: String,
    },
}

impl TableError {
    /// Code in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            TableError::Empty => "empty",
            TableError::Bytes(_) => "too_large",
            TableError::Rows => "too_many_rows",
            TableError::Unpacked => "unpacks_too_large",
            TableError::Password => "password",
            TableError::OldWorkbook => "old_workbook",
            TableError::Encoding(_) => "encoding",
            TableError::Workbook(_) | TableError::Csv { .. } => "not_a_table",
        }
    }
}

/// Reads a file: a workbook when it begins like one, else CSV.
pub fn read(bytes: &[u8]) -> Result<Vec<Sheet>, TableError> {
    read_with(bytes, None, &|_| {})
}

/// The same, in an encoding that somebody has stated, and with a report of the rows that are read.
pub fn read_with(bytes: &[u8], encoding: Option<Encoding>, progress: &dyn Fn(usize)) -> Result<Vec<Sheet>, TableError> {
    match bytes {
        [] => Err(TableError::Empty),
        _ if bytes.len() > MAX_BYTES => Err(TableError::Bytes(bytes.len())),
        [b'P', b'K', 3, 4, ..] => workbook::read(bytes, progress),
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => Err(workbook::container(bytes)),
        _ => text::read(bytes, encoding, progress).map(|sheet| vec![sheet]),
    }
}

/// A text that no table program takes for a formula.
pub fn harmless(text: &str) -> String {
    if text.starts_with(FORMULA) && text.parse::<f64>().is_err() { format!("'{text}") } else { text.to_owned() }
}

fn text_cell(text: &str) -> Option<Cell> {
    // No-break blanks come from pages that were pasted in; a quote before a formula's sign is what an export wrote.
    let text = text.replace('\u{a0}', " ");
    let text = text.trim();
    let text = text.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA)).unwrap_or(text);
    (!text.is_empty()).then(|| Cell::Text(text.to_owned()))
}

#[cfg(test)]
mod tests;
