//! From tables to institutions: every problem with its row and column, and what a file would change. Pure.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use qorgan_alerts::store::Institution;
use qorgan_domain::{AreaCode, GeoPoint, SiteId, Trilingual, UtcMs};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    EXAMPLE_ID, check, columns,
    columns::{Column, REQUIRED},
    slug,
};
use crate::{
    areas::Areas,
    table::{Cell, Row, Sheet},
};

/// Problems that are listed; a file with more has one cause.
const MAX_ERRORS: usize = 1_000;
/// The header stands in one of the first rows that hold something.
const HEADER_WITHIN: usize = 20;

/// Something in a file that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowError {
    /// Sheet of a workbook.
    pub sheet: Option<String>,
    /// Row as the table program shows it.
    pub row: u32,
    /// Header of the column.
    pub column: String,
    /// What stands there.
    pub value: String,
    /// What was expected.
    pub expected: String,
}

/// What a file holds, compared with the register.
#[derive(Debug, Default)]
pub struct Plan {
    /// Rows that were read, headers left out.
    pub rows: usize,
    /// Institutions that are new.
    pub added: Vec<Institution>,
    /// Institutions that change, each with how it was.
    pub changed: Vec<(Institution, Institution)>,
    /// Institutions that stay as they are.
    pub unchanged: usize,
    /// What cannot be taken. With any, nothing may be applied.
    pub errors: Vec<RowError>,
    /// Columns that mean nothing here.
    pub ignored: Vec<String>,
}

/// Who imports, and when.
pub struct Import<'a> {
    /// The register as it is.
    pub known: &'a [Institution],
    /// Known districts.
    pub areas: &'a Areas,
    /// The only district that may be touched.
    pub own_area: Option<&'a AreaCode>,
    /// Account name.
    pub who: &'a str,
    /// Now.
    pub now: UtcMs,
}

/// Reads sheets against the register.
pub fn plan(sheets: &[Sheet], import: &Import<'_>) -> Plan {
    let mut reading = Reading {
        import,
        by_id: import.known.iter().map(|i| (i.id.as_str(), i)).collect(),
        by_name: HashMap::new(),
        names: HashMap::new(),
        taken: import.known.iter().map(|i| i.id.to_string()).collect(),
        seen: HashMap::new(),
        plan: Plan::default(),
    };
    for known in import.known {
        reading.by_name.entry(name_key(&known.name.kk, &known.area)).or_default().push(known);
    }
    let mut found = false;
    for sheet in sheets {
        if let Some((at, headers)) = headers(sheet) {
            found = true;
            reading.sheet(sheet, at, &headers);
        }
    }
    if !found {
        let wanted: Vec<&str> = REQUIRED.into_iter().map(Column::key).collect();
        let expected = format!("a header row with the columns {} (or their Kazakh, Russian or English names)", wanted.join(", "));
        reading.plan.errors.push(RowError { sheet: None, row: 1, column: String::new(), value: String::new(), expected });
    }
    reading.plan.errors.truncate(MAX_ERRORS);
    reading.plan
}

/// A header row: the first one with three known columns or more.
fn headers(sheet: &Sheet) -> Option<(usize, Headers)> {
    sheet.rows.iter().take(HEADER_WITHIN).enumerate().find_map(|(at, row)| {
        let named = |cell: &(u32, Cell)| match &cell.1 {
            Cell::Text(text) => Some((cell.0, text.clone(), Column::of(text))),
            _ => None,
        };
        let names: Vec<_> = row.cells.iter().filter_map(named).collect();
        (names.iter().filter(|(.., column)| column.is_some()).count() >= 3).then_some((at, names))
    })
}

/// Place, text and meaning of every header.
type Headers = Vec<(u32, String, Option<Column>)>;

fn name_key(name_kk: &str, area: &AreaCode) -> (String, String) {
    (name_kk.to_lowercase(), area.to_string())
}

struct Reading<'a> {
    import: &'a Import<'a>,
    by_id: HashMap<&'a str, &'a Institution>,
    by_name: HashMap<(String, String), Vec<&'a Institution>>,
    /// Rows without an id, by name and district.
    names: HashMap<(String, String), u32>,
    /// Ids that are in use, in the register or earlier in the file.
    taken: HashSet<String>,
    /// Where an institution stood in the file.
    seen: HashMap<SiteId, (Option<String>, u32)>,
    plan: Plan,
}

/// One row on its way: its cells by meaning, and what is wrong with them.
struct Cells<'a> {
    sheet: &'a Sheet,
    row: &'a Row,
    headers: &'a Headers,
    errors: Vec<RowError>,
}

impl Cells<'_> {
    fn get(&self, column: Column) -> Option<&Cell> {
        let place = self.headers.iter().find(|h| h.2 == Some(column))?.0;
        self.row.cells.iter().find(|cell| cell.0 == place).map(|cell| &cell.1)
    }

    fn has_column(&self, column: Column) -> bool {
        self.headers.iter().any(|h| h.2 == Some(column))
    }

    fn wrong(&mut self, column: Column, expected: impl Into<String>) {
        let header = self.headers.iter().find(|h| h.2 == Some(column)).map(|h| h.1.clone());
        let value = self.get(column).map(Cell::shown).unwrap_or_default();
        let (sheet, row, column) = (self.sheet.name.clone(), self.row.number, header.unwrap_or_else(|| column.key().to_owned()));
        self.errors.push(RowError { sheet, row, column, value, expected: expected.into() });
    }

    /// The text of a cell; numbers as they are shown.
    fn text(&mut self, column: Column) -> Option<String> {
        match self.get(column)? {
            Cell::Error(_) => {
                self.wrong(column, "a value, not an error of the table program");
                None
            }
            cell => Some(cell.shown()),
        }
    }

    /// A text that may be absent: the one in the file, or, where the file has no such column, the one that is known.
    fn optional(&mut self, column: Column, known: Option<&String>) -> Option<String> {
        if self.has_column(column) { self.text(column) } else { known.cloned() }
    }

    fn number(&mut self, column: Column) -> Option<f64> {
        match self.get(column)? {
            Cell::Number(number) => Some(*number),
            Cell::Text(text) => match text.replace(',', ".").parse() {
                Ok(number) => Some(number),
                Err(_) => {
                    self.wrong(column, "degrees as a number, e.g. 42.9021");
                    None
                }
            },
            _ => {
                self.wrong(column, "degrees as a number, e.g. 42.9021");
                None
            }
        }
    }

    fn date(&mut self, column: Column) -> Option<String> {
        let date = match self.get(column)? {
            Cell::Date(date) => Some(*date),
            Cell::Text(text) => read_date(text),
            // A date without its format: days since 1899-12-30.
            Cell::Number(days) if (36_526.0..73_051.0).contains(days) => {
                jiff::civil::date(1899, 12, 30).checked_add(jiff::Span::new().days(days.floor() as i64)).ok()
            }
            _ => None,
        };
        if date.is_none() {
            self.wrong(column, "a date: 2026-12-31, 31.12.2026 or a date of the table program");
        }
        date.map(|date| date.to_string())
    }
}

/// `2026-12-31` or `31.12.2026`.
pub fn read_date(text: &str) -> Option<Date> {
    if let Some((day, rest)) = text.split_once('.') {
        let (month, year) = rest.split_once('.')?;
        let year = year.trim_end_matches(['г', ' ', '.']);
        let four = year.len() == 4;
        return Date::new(year.parse().ok().filter(|_| four)?, month.parse().ok()?, day.parse().ok()?).ok();
    }
    text.parse().ok()
}

impl<'a> Reading<'a> {
    fn sheet(&mut self, sheet: &Sheet, at: usize, headers: &Headers) {
        let row = sheet.rows[at].number;
        let mut wrong = Vec::new();
        let mut add = |column: &str, value: &str, expected: String| {
            wrong.push(RowError { sheet: sheet.name.clone(), row, column: column.into(), value: value.into(), expected });
        };
        for column in REQUIRED.into_iter().filter(|c| !headers.iter().any(|h| h.2 == Some(*c))) {
            add(column.key(), "", format!("a column \"{}\" ({}, {})", column.key(), column.title("kk"), column.title("ru")));
        }
        for (n, (_, text, column)) in headers.iter().enumerate() {
            match column {
                Some(column) if headers[..n].iter().any(|h| h.2 == Some(*column)) => {
                    add(text, text, format!("one column for \"{}\", not two", column.key()));
                }
                Some(_) => {}
                None => match Column::nearly(text) {
                    Some(near) => add(text, text, format!("\"{near}\"?")),
                    None => self.plan.ignored.push(text.clone()),
                },
            }
        }
        let whole = wrong.is_empty();
        self.plan.errors.extend(wrong);
        if !whole {
            return;
        }
        for row in &sheet.rows[at + 1..] {
            self.plan.rows += 1;
            let mut cells = Cells { sheet, row, headers, errors: Vec::new() };
            let institution = self.row(&mut cells);
            let fine = cells.errors.is_empty();
            self.plan.errors.append(&mut cells.errors);
            if let Some((institution, known)) = institution.filter(|_| fine) {
                self.compare(institution, known);
            }
        }
    }

    fn row(&mut self, cells: &mut Cells<'_>) -> Option<(Institution, Option<Institution>)> {
        let id = cells.text(Column::Id);
        if id.as_deref() == Some(EXAMPLE_ID) {
            cells.wrong(Column::Id, "no example row: delete it");
            return None;
        }
        let id: Option<SiteId> = match id.map(|id| id.parse()) {
            None => None,
            Some(Ok(id)) => Some(id),
            Some(Err(error)) => {
                cells.wrong(Column::Id, format!("an id of a-z, 0-9 and hyphens, or nothing: {error}"));
                return None;
            }
        };
        let name_kk = self.needed(cells, Column::NameKk);
        let name_ru = self.needed(cells, Column::NameRu);
        let kind = self.needed(cells, Column::Kind).and_then(|word| {
            let kind = columns::kind(&word);
            if kind.is_none() {
                cells.wrong(Column::Kind, "school, kindergarten, hospital, public place or other");
            }
            kind
        });
        let status = self.needed(cells, Column::Status).and_then(|word| {
            let status = columns::status(&word);
            if status.is_none() {
                cells.wrong(Column::Status, "connected, in work or not connected");
            }
            status
        });
        let area = self.area(cells);
        let (name_kk, name_ru, area) = (name_kk?, name_ru?, area?);
        let known = match &id {
            Some(id) => self.by_id.get(id.as_str()).copied(),
            None => self.by_its_name(cells, name_key(&name_kk, &area))?,
        };
        if let (Some(known), Some(own)) = (known, self.import.own_area)
            && known.area != *own
        {
            cells.wrong(Column::Id, format!("an institution of your own district: this one lies in {}", known.area));
        }
        let id = id.or_else(|| known.map(|k| k.id.clone()));
        let id = match id {
            Some(id) => id,
            None => slug::unique(&name_kk, &self.taken),
        };
        self.taken.insert(id.to_string());
        let here = (cells.sheet.name.clone(), cells.row.number);
        if let Some((sheet, row)) = self.seen.insert(id.clone(), here) {
            let where_ = sheet.map(|s| format!("{s}, ")).unwrap_or_default();
            let column = if cells.get(Column::Id).is_some() { Column::Id } else { Column::NameKk };
            cells.wrong(column, format!("each institution once: this one stands in {where_}row {row} already"));
        }
        let position = if cells.has_column(Column::Lat) || cells.has_column(Column::Lon) {
            self.position(cells, &area)
        } else {
            known.and_then(|k| k.position)
        };
        let name_en = cells.optional(Column::NameEn, known.map(|k| &k.name.en)).unwrap_or_else(|| name_ru.clone());
        let institution = Institution {
            id,
            name: Trilingual { kk: name_kk, ru: name_ru, en: name_en },
            kind: kind?,
            area,
            position,
            address: cells.optional(Column::Address, known.and_then(|k| k.address.as_ref())),
            status: status?,
            cause: cells.optional(Column::Cause, known.and_then(|k| k.cause.as_ref())),
            owner: cells.optional(Column::Owner, known.and_then(|k| k.owner.as_ref())),
            deadline: match cells.has_column(Column::Deadline) {
                true => cells.date(Column::Deadline),
                false => known.and_then(|k| k.deadline.clone()),
            },
            provider: cells.optional(Column::Provider, known.and_then(|k| k.provider.as_ref())),
            updated_at: self.import.now,
            updated_by: self.import.who.to_owned(),
        };
        // A cell that did not read is named once.
        if cells.errors.is_empty() {
            for (column, expected) in check(&institution) {
                cells.wrong(column, expected);
            }
        }
        Some((institution, known.cloned()))
    }

    /// The known institution that a row without an id means; an error when that is not one.
    fn by_its_name(&mut self, cells: &mut Cells<'_>, key: (String, String)) -> Option<Option<&'a Institution>> {
        if let Some(row) = self.names.get(&key).copied() {
            cells.wrong(Column::NameKk, format!("an id for each of two institutions of one name and district (row {row})"));
            return None;
        }
        let known = self.by_name.get(&key).cloned().unwrap_or_default();
        self.names.insert(key, cells.row.number);
        if known.len() > 1 {
            cells.wrong(Column::NameKk, format!("an id: the register has {} institutions of this name and district", known.len()));
            return None;
        }
        Some(known.first().copied())
    }

    fn needed(&self, cells: &mut Cells<'_>, column: Column) -> Option<String> {
        let before = cells.errors.len();
        let text = cells.text(column);
        if text.is_none() && cells.errors.len() == before {
            cells.wrong(column, "not empty");
        }
        text
    }

    fn area(&self, cells: &mut Cells<'_>) -> Option<AreaCode> {
        let code: AreaCode = match self.needed(cells, Column::Area)?.parse() {
            Ok(code) => code,
            Err(_) => {
                cells.wrong(Column::Area, "a KATO code: nine digits");
                return None;
            }
        };
        if !self.import.areas.contains_code(&code) {
            cells.wrong(Column::Area, "the KATO code of a district that this hub knows");
            return None;
        }
        if self.import.own_area.is_some_and(|own| *own != code) {
            cells.wrong(Column::Area, "your own district");
            return None;
        }
        Some(code)
    }

    fn position(&self, cells: &mut Cells<'_>, area: &AreaCode) -> Option<GeoPoint> {
        let before = cells.errors.len();
        let (lat, lon) = match (cells.number(Column::Lat), cells.number(Column::Lon)) {
            (Some(lat), Some(lon)) => (lat, lon),
            (None, None) => return None,
            (lat, _) => {
                if cells.errors.len() == before {
                    cells.wrong(if lat.is_some() { Column::Lon } else { Column::Lat }, "both degrees or none");
                }
                return None;
            }
        };
        match GeoPoint::new(lat, lon) {
            Err(_) => {
                let bad = if (-90.0..=90.0).contains(&lat) { Column::Lon } else { Column::Lat };
                cells.wrong(bad, "latitude -90 to 90, longitude -180 to 180, in degrees");
                None
            }
            Ok(point) => match self.import.areas.check_inside(point, area) {
                Ok(()) => Some(point),
                Err(reason) => {
                    cells.wrong(Column::Lat, format!("a place in the district: {reason}"));
                    None
                }
            },
        }
    }

    fn compare(&mut self, new: Institution, known: Option<Institution>) {
        match known {
            None => self.plan.added.push(new),
            Some(old) if super::changes(&old, &new).is_empty() => self.plan.unchanged += 1,
            Some(old) => self.plan.changed.push((old, new)),
        }
    }
}
