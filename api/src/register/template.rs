//! Register files that the hub writes: templates with an example row, and the register itself. What stands in them is
//! text to every table program, never a formula.

use qorgan_alerts::store::Institution;
use qorgan_domain::GeoPoint;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::{
    EXAMPLE_ID,
    columns::{Column, REQUIRED, example_words},
};
use crate::table::harmless;

/// A template as CSV: UTF-8 with its mark, separated by semicolons, as table programs here open it.
pub fn csv(language: &str) -> Vec<u8> {
    write_csv(language, [example(language)].into_iter())
}

/// A template as a workbook: dates and codes have their formats, needed columns are bold.
pub fn xlsx(language: &str) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let (needed, plain, text) = (Format::new().set_bold(), Format::new(), Format::new().set_num_format("@"));
    for (place, column) in (0_u16..).zip(Column::all()) {
        let format = if REQUIRED.contains(&column) { &needed } else { &plain };
        sheet.write_string_with_format(0, place, column.title(language), format)?;
        // Text cells: no code loses its digits, no date its order.
        sheet.set_column_format(place, &text)?;
        sheet.set_column_width(place, 22)?;
    }
    for (place, value) in (0_u16..).zip(example(language)) {
        sheet.write_string_with_format(1, place, value, &text)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    book.save_to_buffer()
}

/// The register as CSV, in the shape that an import takes.
pub fn export<'a>(language: &str, institutions: impl Iterator<Item = &'a Institution>) -> Vec<u8> {
    write_csv(language, institutions.map(row))
}

fn write_csv(language: &str, rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut out = b"\xEF\xBB\xBF".to_vec();
    let mut writer = ::csv::WriterBuilder::new().delimiter(b';').terminator(::csv::Terminator::CRLF).from_writer(&mut out);
    let header = Column::all().map(|column| column.title(language).to_owned()).collect();
    for row in [header].into_iter().chain(rows) {
        // Writing to memory cannot fail.
        let _ = writer.write_record(row.iter().map(|text| harmless(text)));
    }
    let _ = writer.flush();
    drop(writer);
    out
}

fn example(language: &str) -> Vec<String> {
    let (kind, status) = example_words(language);
    let value = |column| match column {
        Column::Id => EXAMPLE_ID,
        Column::NameKk => "№ 99 мектеп (мысал: жолды өшіріңіз)",
        Column::NameRu => "Школа № 99 (пример: удалите строку)",
        Column::NameEn => "School No. 99 (example: delete the row)",
        Column::Kind => kind,
        Column::Area => "311000000",
        Column::Lat => "42.9021",
        Column::Lon => "71.3782",
        Column::Address => "Төле би көшесі, 1",
        Column::Status => status,
        Column::Cause => "кабель жоқ / нет кабеля",
        Column::Owner => "Білім бөлімі / Отдел образования",
        Column::Deadline => "31.12.2026",
        Column::Provider => "Телеком",
    };
    Column::all().map(|column| value(column).to_owned()).collect()
}

fn row(i: &Institution) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let value = |column| match column {
        Column::Id => i.id.to_string(),
        Column::NameKk => i.name.kk.clone(),
        Column::NameRu => i.name.ru.clone(),
        Column::NameEn => i.name.en.clone(),
        Column::Kind => i.kind.as_str().into(),
        Column::Area => i.area.to_string(),
        Column::Lat => i.position.map(GeoPoint::lat).map(|d| d.to_string()).unwrap_or_default(),
        Column::Lon => i.position.map(GeoPoint::lon).map(|d| d.to_string()).unwrap_or_default(),
        Column::Address => text(&i.address),
        Column::Status => i.status.as_str().into(),
        Column::Cause => text(&i.cause),
        Column::Owner => text(&i.owner),
        Column::Deadline => text(&i.deadline),
        Column::Provider => text(&i.provider),
    };
    Column::all().map(value).collect()
}
