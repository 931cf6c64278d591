//! XLSX.

use std::{
    collections::HashSet,
    io::{Cursor, Read},
};

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use jiff::civil::Date;

use super::{Cell, MAX_COLUMNS, MAX_PARTS, MAX_ROWS, MAX_UNPACKED, Row, STEP, Sheet, TableError, text_cell};

pub(super) fn read(bytes: &[u8], progress: &dyn Fn(usize)) -> Result<Vec<Sheet>, TableError> {
    let broken = |error: &dyn std::fmt::Display| TableError::Workbook(error.to_string());
    let seen = unpack(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| match error {
        calamine::XlsxError::Password => TableError::Password,
        other => broken(&other),
    })?;
    let (mut sheets, mut total) = (Vec::new(), 0);
    let is_table = |sheet: &&calamine::Sheet| sheet.typ == calamine::SheetType::WorkSheet;
    let names: Vec<String> = book.sheets_metadata().iter().filter(is_table).map(|sheet| sheet.name.clone()).collect();
    for name in names {
        let mut rows: Vec<Row> = Vec::new();
        let mut cells = book.worksheet_cells_reader(&name).map_err(|e| broken(&e))?;
        while let Some(cell) = cells.next_cell().map_err(|e| broken(&e))? {
            let (row, column) = cell.get_position();
            let Some(value) = value(cell.get_value()).filter(|_| column < MAX_COLUMNS) else { continue };
            let number = row.saturating_add(1);
            match rows.last_mut() {
                Some(last) if last.number == number => last.cells.push((column, value)),
                _ => {
                    total += 1;
                    if total > MAX_ROWS {
                        return Err(TableError::Rows);
                    }
                    if total.is_multiple_of(STEP) {
                        progress(total);
                    }
                    rows.push(Row { number, cells: vec![(column, value)] });
                }
            }
        }
        drop(cells);
        let formulas = if seen.formulas { formulas(&mut book, &name)? } else { HashSet::new() };
        let merged = if seen.merged { merged(&mut book, &name)? } else { Vec::new() };
        sheets.push(Sheet { name: Some(name), rows, formulas, merged });
    }
    if sheets.iter().all(|sheet| sheet.rows.is_empty() && sheet.formulas.is_empty()) {
        return Err(TableError::Empty);
    }
    Ok(sheets)
}

type Book<'a> = Xlsx<Cursor<&'a [u8]>>;

fn formulas(book: &mut Book<'_>, name: &str) -> Result<HashSet<(u32, u32)>, TableError> {
    let broken = |error: calamine::XlsxError| TableError::Workbook(error.to_string());
    let mut found = HashSet::new();
    let mut cells = book.worksheet_cells_reader(name).map_err(broken)?;
    while let Some(cell) = cells.next_formula().map_err(broken)? {
        let (row, column) = cell.get_position();
        if !cell.get_value().is_empty() && column < MAX_COLUMNS {
            found.insert((row.saturating_add(1), column));
            if found.len() > MAX_ROWS * 4 {
                return Err(TableError::Rows);
            }
        }
    }
    Ok(found)
}

/// First and last cell of a merged range: row and column, from 1 and from 0.
type Range = ((u32, u32), (u32, u32));

fn merged(book: &mut Book<'_>, name: &str) -> Result<Vec<Range>, TableError> {
    let found = book.merge_cells_by_sheet_name(name).map_err(|error| TableError::Workbook(error.to_string()))?;
    let more_than_one = found.into_iter().filter(|d| d.start != d.end);
    let from_one = |(row, column): (u32, u32)| (row.saturating_add(1), column);
    Ok(more_than_one.take(MAX_ROWS).map(|d| (from_one(d.start), from_one(d.end))).collect())
}

/// What the parts of a workbook hold besides cells; a second look is taken only when they do.
struct Seen {
    formulas: bool,
    merged: bool,
}

/// Unpacks every part into nothing, counting: what a part says about its own size may be a lie.
fn unpack(bytes: &[u8]) -> Result<Seen, TableError> {
    let broken = |error: &dyn std::fmt::Display| TableError::Workbook(error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| broken(&e))?;
    if archive.len() > MAX_PARTS {
        return Err(TableError::Unpacked);
    }
    let mut left = MAX_UNPACKED;
    let mut seen = Seen { formulas: false, merged: false };
    let mut buffer = vec![0; 64 * 1024];
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| match error {
            zip::result::ZipError::UnsupportedArchive(why) if why == zip::result::ZipError::PASSWORD_REQUIRED => TableError::Password,
            other => broken(&other),
        })?;
        let sheet = part.name().is_ok_and(|name| name.starts_with("xl/worksheets/"));
        let mut part = part.take(left + 1);
        // The end of the block before, so that a tag on its border is seen.
        let mut kept = 0;
        loop {
            let size = part.read(&mut buffer[kept..]).map_err(|e| broken(&e))?;
            if size == 0 {
                break;
            }
            left = left.checked_sub(size as u64).ok_or(TableError::Unpacked)?;
            let whole = &buffer[..kept + size];
            if sheet {
                seen.formulas |= has(whole, b"<f>") || has(whole, b"<f ") || has(whole, b":f>") || has(whole, b":f ");
                seen.merged |= has(whole, b"mergeCell");
            }
            let end = whole.len();
            kept = end.min(16);
            buffer.copy_within(end - kept..end, 0);
        }
    }
    Ok(seen)
}

fn has(whole: &[u8], part: &[u8]) -> bool {
    let mut rest = whole;
    // Far quicker than comparing windows: the first letter is rare.
    while let Some(at) = rest.iter().position(|b| *b == part[0]) {
        rest = &rest[at..];
        if rest.starts_with(part) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// What an OLE container is: Office puts an encrypted workbook into one, and old workbooks are ones. Names in it are UTF-16.
pub(super) fn container(bytes: &[u8]) -> TableError {
    let utf16 = |name: &str| name.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    match has(bytes, &utf16("EncryptedPackage")) || has(bytes, &utf16("EncryptionInfo")) {
        true => TableError::Password,
        false => TableError::OldWorkbook,
    }
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
