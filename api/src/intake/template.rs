//! Files to fill in: long and wide, CSV and XLSX, in three languages. What stands in them is text to every table program.

use qorgan_alerts::intake::{
    areas::AreaNames,
    plan::{
        EXAMPLE, Layout,
        columns::{Column, Part, part_title},
    },
};
use qorgan_domain::{
    Trilingual,
    indicator::{Catalogue, ValueKind},
};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use crate::table::harmless;

/// The rows of a template.
fn rows(layout: Layout, language: &str, period: &str, catalogue: &Catalogue, areas: &AreaNames) -> Vec<Vec<String>> {
    let name = |names: &Trilingual| match language {
        "kk" => names.kk.clone(),
        "ru" => names.ru.clone(),
        _ => names.en.clone(),
    };
    match layout {
        Layout::Long => {
            let header = Column::ALL.iter().map(|column| column.title(language).to_owned()).collect();
            let example = match language {
                "kk" => EXAMPLE[0],
                "ru" => EXAMPLE[1],
                _ => EXAMPLE[2],
            };
            let (area, indicator) = (areas.iter().next(), catalogue.indicators.first());
            let value = |column| match column {
                Column::Area => area.map(|(code, _)| code.to_string()).unwrap_or_default(),
                Column::Indicator => indicator.map(|i| i.id.to_string()).unwrap_or_default(),
                Column::Period => period.to_owned(),
                Column::Value => "12,5".to_owned(),
                Column::Cases => "120".to_owned(),
                Column::Denominator => String::new(),
                Column::Source => example.to_owned(),
            };
            vec![header, Column::ALL.map(value).to_vec()]
        }
        Layout::Wide => {
            let mut header = vec![Column::Area.title(language).to_owned()];
            for indicator in &catalogue.indicators {
                header.push(indicator.id.to_string());
                let part =
                    if matches!(indicator.kind, ValueKind::Share | ValueKind::Rate { .. }) { Part::Denominator } else { Part::Cases };
                header.extend(part_title(part, language).map(|end| format!("{} ({end})", indicator.id)));
            }
            let mut rows = vec![vec![format!("{}: {period}", Column::Period.title(language))], header];
            rows.extend(areas.iter().map(|(_, names)| vec![name(names)]));
            rows
        }
    }
}

/// A template as CSV: UTF-8 with its mark, separated by semicolons, as table programs here open it.
pub fn csv(layout: Layout, language: &str, period: &str, catalogue: &Catalogue, areas: &AreaNames) -> Vec<u8> {
    let mut out = b"\xEF\xBB\xBF".to_vec();
    let mut writer = ::csv::WriterBuilder::new().delimiter(b';').terminator(::csv::Terminator::CRLF).flexible(true).from_writer(&mut out);
    for row in rows(layout, language, period, catalogue, areas) {
        // Writing to memory cannot fail.
        let _ = writer.write_record(row.iter().map(|text| harmless(text)));
    }
    let _ = writer.flush();
    drop(writer);
    out
}

/// A template as a workbook, with a second sheet that lists the indicators.
pub fn xlsx(layout: Layout, language: &str, period: &str, catalogue: &Catalogue, areas: &AreaNames) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let (bold, text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
    let sheet = book.add_worksheet();
    let all = rows(layout, language, period, catalogue, areas);
    let header = if layout == Layout::Wide { 1 } else { 0 };
    let columns = all.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..u16::try_from(columns).unwrap_or(u16::MAX) {
        // Text cells: no code loses its digits, no period becomes a date.
        sheet.set_column_format(column, &text)?;
        sheet.set_column_width(column, 22)?;
    }
    for (n, row) in (0_u32..).zip(&all) {
        for (place, value) in (0_u16..).zip(row) {
            let format = if n == header { &bold } else { &text };
            sheet.write_string_with_format(n, place, value, format)?;
        }
    }
    sheet.set_freeze_panes(header + 1, 1)?;
    let list = book.add_worksheet();
    list.set_name("indicators")?;
    for (place, title) in (0_u16..).zip(["id", "kk", "ru", "en", "unit", "period", "min", "max"]) {
        list.write_string_with_format(0, place, title, &bold)?;
    }
    for (n, i) in (1_u32..).zip(&catalogue.indicators) {
        for (place, value) in (0_u16..).zip([i.id.as_str(), &i.name.kk, &i.name.ru, &i.name.en, &i.unit.ru, i.period.as_str()]) {
            list.write_string(n, place, value)?;
        }
        list.write_number(n, 6, i.min)?;
        list.write_number(n, 7, i.max)?;
    }
    book.save_to_buffer()
}
