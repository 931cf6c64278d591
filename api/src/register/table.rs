//! Files to tables of cells: XLSX and CSV, within limits. Knows nothing of institutions.

use std::io::{self, Cursor, Read};

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use jiff::civil::Date;

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 20 * 1024 * 1024;
/// Most rows of all sheets together.
pub const MAX_ROWS: usize = 100_000;
/// Columns after this one are not looked at.
const MAX_COLUMNS: u32 = 100;
/// What a file may unpack to: 100,000 rows of fourteen columns are about 100 MB of XML.
const MAX_UNPACKED: u64 = 160 * 1024 * 1024;
/// Parts of a workbook.
const MAX_PARTS: usize = 1_000;

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

/// A row: its number as the person sees it, and its cells by column from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// From 1.
    pub number: u32,
    /// Cells that hold something.
    pub cells: Vec<(u32, Cell)>,
}

/// A sheet; a CSV file has one without a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Its name.
    pub name: Option<String>,
    /// Rows that hold something.
    pub rows: Vec<Row>,
}

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
    /// An XLS file or one with a password.
    #[error("this is an old .xls workbook or one with a password; save it as .xlsx without a password")]
    OldWorkbook,
    /// Not UTF-8.
    #[error("the file is not UTF-8 (byte {0}); in the table program save it as \"CSV UTF-8\" or as .xlsx")]
    NotUtf8(usize),
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

/// Reads a file: a workbook when it begins like one, else CSV.
pub fn read(bytes: &[u8]) -> Result<Vec<Sheet>, TableError> {
    match bytes {
        [] => Err(TableError::Empty),
        _ if bytes.len() > MAX_BYTES => Err(TableError::Bytes(bytes.len())),
        [b'P', b'K', 3, 4, ..] => workbook(bytes),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Err(TableError::OldWorkbook),
        _ => csv(bytes).map(|sheet| vec![sheet]),
    }
}

fn workbook(bytes: &[u8]) -> Result<Vec<Sheet>, TableError> {
    let broken = |error: &dyn std::fmt::Display| TableError::Workbook(error.to_string());
    check_unpacked(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| broken(&e))?;
    let (mut sheets, mut total) = (Vec::new(), 0);
    let is_table = |sheet: &&calamine::Sheet| sheet.typ == calamine::SheetType::WorkSheet;
    let names: Vec<String> = book.sheets_metadata().iter().filter(is_table).map(|sheet| sheet.name.clone()).collect();
    for name in names {
        let mut rows: Vec<Row> = Vec::new();
        // Cell by cell: a single cell in the last corner must not make a table of 17 billion.
        let mut cells = book.worksheet_cells_reader(&name).map_err(|e| broken(&e))?;
        while let Some(cell) = cells.next_cell().map_err(|e| broken(&e))? {
            let (row, column) = cell.get_position();
            let Some(value) = value(cell.get_value()).filter(|_| column < MAX_COLUMNS) else { continue };
            let number = row + 1;
            match rows.last_mut() {
                Some(last) if last.number == number => last.cells.push((column, value)),
                _ => {
                    total += 1;
                    if total > MAX_ROWS {
                        return Err(TableError::Rows);
                    }
                    rows.push(Row { number, cells: vec![(column, value)] });
                }
            }
        }
        sheets.push(Sheet { name: Some(name), rows });
    }
    Ok(sheets)
}

/// Unpacks every part into nothing, counting: what a part says about its own size may be a lie.
fn check_unpacked(bytes: &[u8]) -> Result<(), TableError> {
    let broken = |error: &dyn std::fmt::Display| TableError::Workbook(error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| broken(&e))?;
    if archive.len() > MAX_PARTS {
        return Err(TableError::Unpacked);
    }
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|e| broken(&e))?;
        let size = io::copy(&mut part.take(left + 1), &mut io::sink()).map_err(|e| broken(&e))?;
        left = left.checked_sub(size).ok_or(TableError::Unpacked)?;
    }
    Ok(())
}

fn value(data: &DataRef<'_>) -> Option<Cell> {
    match data {
        DataRef::Int(number) => Some(Cell::Number(*number as f64)),
        DataRef::Float(number) => Some(Cell::Number(*number)),
        DataRef::String(text) => text_cell(text),
        DataRef::SharedString(text) => text_cell(text),
        DataRef::Bool(flag) => Some(Cell::Text(if *flag { "yes".into() } else { "no".into() })),
        DataRef::DateTime(at) => Some(date_cell(at)),
        DataRef::DateTimeIso(text) => text_cell(text.get(..10).unwrap_or(text)),
        DataRef::DurationIso(text) => text_cell(text),
        DataRef::Error(error) => Some(Cell::Error(error.to_string())),
        DataRef::Empty => None,
    }
}

fn date_cell(at: &ExcelDateTime) -> Cell {
    let (year, month, day, ..) = at.to_ymd_hms_milli();
    let date = i16::try_from(year).ok().zip(i8::try_from(month).ok()).zip(i8::try_from(day).ok());
    let date = date.and_then(|((year, month), day)| Date::new(year, month, day).ok());
    date.map_or_else(|| Cell::Number(at.as_f64()), Cell::Date)
}

fn text_cell(text: &str) -> Option<Cell> {
    // No-break blanks come from pages that were pasted in; a quote before a formula's sign is what an export wrote.
    let text = text.replace('\u{a0}', " ");
    let text = text.trim();
    let text = text.strip_prefix('\'').filter(|rest| rest.starts_with(super::FORMULA)).unwrap_or(text);
    (!text.is_empty()).then(|| Cell::Text(text.to_owned()))
}

fn csv(bytes: &[u8]) -> Result<Sheet, TableError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| TableError::NotUtf8(error.valid_up_to()))?;
    if text.contains('\0') {
        return Err(TableError::NotUtf8(text.find('\0').unwrap_or_default()));
    }
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator(text)).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record
            .map_err(|error| TableError::Csv { line: error.position().map_or(0, ::csv::Position::line), reason: error.to_string() })?;
        // The reader says where it began to look: blank lines before the row are not the row.
        let begin = record.position().and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or_default();
        let blank = text.get(begin..).map_or(0, |rest| rest.len() - rest.trim_start_matches(['\r', '\n']).len());
        let number = 1 + text.as_bytes()[..(begin + blank).min(text.len())].iter().filter(|byte| **byte == b'\n').count();
        let cells: Vec<(u32, Cell)> =
            (0..MAX_COLUMNS).zip(record.iter()).filter_map(|(column, text)| Some((column, text_cell(text)?))).collect();
        if cells.is_empty() {
            continue;
        }
        if rows.len() == MAX_ROWS {
            return Err(TableError::Rows);
        }
        rows.push(Row { number: u32::try_from(number).unwrap_or(u32::MAX), cells });
    }
    Ok(Sheet { name: None, rows })
}

/// The separator that stands more often in the first line that holds something, outside of quotes.
fn separator(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let outside: String = line.split('"').step_by(2).collect();
    let count = |c: char| outside.matches(c).count();
    [(b'\t', '\t'), (b';', ';'), (b',', ',')].into_iter().max_by_key(|(_, c)| count(*c)).map_or(b',', |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sheet: &Sheet) -> Vec<Vec<String>> {
        let text = |cell: &(u32, Cell)| match &cell.1 {
            Cell::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        sheet.rows.iter().map(|row| row.cells.iter().map(text).collect()).collect()
    }

    #[test]
    fn csv_is_read_with_either_separator_with_or_without_bom_and_rows_are_counted_as_lines() {
        for file in ["a;b\n\n1,5;\"x;y\"\n", "\u{feff}a,b\r\n\r\n\"1,5\",x;y\r\n", "a\tb\n\n1,5\tx;y"] {
            let sheets = read(file.as_bytes()).unwrap();
            assert_eq!(texts(&sheets[0]), [["a", "b"], ["1,5", "x;y"]], "{file:?}");
            assert_eq!(sheets[0].rows[1].number, 3, "{file:?}");
        }
    }

    #[test]
    fn what_is_no_utf8_is_refused_with_the_way_out() {
        let cp1251 = [0xD8, 0xEA, 0xEE, 0xEB, 0xE0, b';', b'1'];
        let utf16 = [0xFF, 0xFE, b'a', 0, b';', 0];
        for bytes in [&cp1251[..], &utf16[..]] {
            let error = read(bytes).unwrap_err();
            assert!(matches!(error, TableError::NotUtf8(_)) && error.to_string().contains("CSV UTF-8"), "{error}");
        }
        assert!(matches!(read(b""), Err(TableError::Empty)));
        assert!(matches!(read(&[0xD0, 0xCF, 0x11, 0xE0, 1, 2]), Err(TableError::OldWorkbook)));
        assert!(matches!(read(b"PK\x03\x04 not a zip"), Err(TableError::Workbook(_))));
    }

    #[test]
    fn a_workbook_with_dates_numbers_and_a_cell_in_the_last_corner() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name("Мектептер").unwrap();
        sheet.write(0, 0, "area").unwrap();
        sheet.write(2, 0, 311_000_000).unwrap();
        let date = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 12, 31).unwrap();
        let format = rust_xlsxwriter::Format::new().set_num_format("dd.mm.yyyy");
        sheet.write_with_format(2, 1, &date, &format).unwrap();
        sheet.write(1_048_575, 16_383, "far").unwrap();
        let sheets = read(&book.save_to_buffer().unwrap()).unwrap();
        assert_eq!(sheets[0].name.as_deref(), Some("Мектептер"));
        let row = &sheets[0].rows[1];
        assert_eq!((row.number, &row.cells[0].1), (3, &Cell::Number(311_000_000.0)));
        assert_eq!(row.cells[1].1, Cell::Date(jiff::civil::date(2026, 12, 31)));
        assert_eq!(sheets[0].rows.len(), 2, "the far column is not looked at");
    }

    #[test]
    fn a_small_file_that_unpacks_to_a_large_one_is_refused() {
        use std::io::Write;
        let mut bomb = zip::ZipWriter::new(Cursor::new(Vec::new()));
        bomb.start_file("xl/sharedStrings.xml", zip::write::SimpleFileOptions::default()).unwrap();
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..=(MAX_UNPACKED >> 20) {
            bomb.write_all(&zeros).unwrap();
        }
        let bytes = bomb.finish().unwrap().into_inner();
        assert!(bytes.len() < MAX_BYTES);
        assert!(matches!(read(&bytes), Err(TableError::Unpacked)));
    }
}
