//! Workbooks: shares of requests, and the plan. What stands in a cell is text or a number, never a formula.

use jiff::civil::Date;
use qorgan_alerts::{plan::is_late, store::Measure};
use qorgan_domain::{AreaCode, Trilingual};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::words::{NOT_TOLD, measure_state};
use crate::{
    plan::PlanFile,
    requests::{
        Settings,
        figures::{Figures, Heat},
        words::pick,
    },
};

fn say<'a>(language: &str, [kk, ru, en]: [&'a str; 3]) -> &'a str {
    match language {
        "ru" => ru,
        "en" => en,
        _ => kk,
    }
}

/// A cell.
enum Cell {
    Text(String),
    Number(f64),
}

impl Cell {
    fn count(count: Option<u64>) -> Self {
        // Counts of requests are far below 2^53.
        count.map_or_else(|| Cell::Text(NOT_TOLD.into()), |n| Cell::Number(n as f64))
    }

    fn maybe(value: Option<f64>) -> Self {
        value.map_or_else(|| Cell::Text(String::new()), Cell::Number)
    }
}

fn fill(sheet: &mut Worksheet, head: &[&str], widths: &[f64], rows: Vec<Vec<Cell>>) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    for ((place, title), width) in (0_u16..).zip(head).zip(widths) {
        sheet.write_string_with_format(0, place, *title, &bold)?;
        sheet.set_column_width(place, *width)?;
    }
    for (line, row) in (1_u32..).zip(rows) {
        for (place, cell) in (0_u16..).zip(row) {
            match cell {
                Cell::Text(text) => sheet.write_string(line, place, text)?,
                Cell::Number(number) => sheet.write_number(line, place, number)?,
            };
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

/// Shares, services, months and districts of a period.
pub fn requests(settings: &Settings, figures: &Figures, heat: &Heat, language: &str) -> Result<Vec<u8>, XlsxError> {
    let say = |words| say(language, words);
    let mut book = Workbook::new();
    let count = say(["Өтініштер", "Обращения", "Requests"]);
    let shares = figures.shares.iter().map(|share| {
        let name = settings.category(&share.category).map_or(share.category.as_str(), |c| pick(&c.name, language));
        vec![Cell::Text(name.into()), Cell::count(share.count), Cell::maybe(share.percent)]
    });
    let mut rows: Vec<Vec<Cell>> = shares.collect();
    rows.push(vec![Cell::Text(say(["Барлығы", "Всего", "Total"]).into()), Cell::count(figures.total), Cell::Text(String::new())]);
    rows.push(vec![Cell::Text(pick(&figures.note, language).into()), Cell::Text(figures.period.clone()), Cell::Text(String::new())]);
    let sheet = book.add_worksheet().set_name(say(["Санаттар", "Категории", "Categories"]))?;
    fill(sheet, &[say(["Санат", "Категория", "Category"]), count, "%"], &[48.0, 14.0, 10.0], rows)?;

    let services = figures.services.iter().map(|s| {
        let name = settings.service(&s.service).map_or(s.service.as_str(), |named| pick(&named.name, language));
        vec![
            Cell::Text(name.into()),
            Cell::count(s.count),
            Cell::count(s.open),
            Cell::count(s.overdue),
            Cell::maybe(s.answered_in_time_percent),
            Cell::maybe(s.done_in_time_percent),
            Cell::maybe(s.mean_answer_h),
            Cell::maybe(s.reopened_percent),
        ]
    });
    let head = [
        say(["Қызмет", "Служба", "Service"]),
        count,
        say(["Ашық", "Открыто", "Open"]),
        say(["Мерзімі өткен", "Просрочено", "Overdue"]),
        say(["Жауап уақытында, %", "Ответ в срок, %", "Answered in time, %"]),
        say(["Орындау уақытында, %", "Выполнено в срок, %", "Done in time, %"]),
        say(["Жауапқа дейін, сағ", "До ответа, ч", "Hours to answer"]),
        say(["Қайта ашылды, %", "Открыто снова, %", "Reopened, %"]),
    ];
    let sheet = book.add_worksheet().set_name(say(["Қызметтер", "Службы", "Services"]))?;
    fill(sheet, &head, &[48.0, 12.0, 12.0, 14.0, 18.0, 18.0, 18.0, 16.0], services.collect())?;

    let months = figures.months.iter().map(|m| vec![Cell::Text(m.month.clone()), Cell::count(m.count)]);
    let sheet = book.add_worksheet().set_name(say(["Айлар", "Месяцы", "Months"]))?;
    fill(sheet, &[say(["Ай", "Месяц", "Month"]), count], &[12.0, 14.0], months.collect())?;

    let areas =
        heat.areas.iter().map(|a| vec![Cell::Text(a.kato.clone()), Cell::Text(pick(&a.name, language).into()), Cell::count(a.count)]);
    let sheet = book.add_worksheet().set_name(say(["Аудандар", "Районы", "Districts"]))?;
    fill(sheet, &["KATO", say(["Аудан", "Район", "District"]), count], &[12.0, 32.0, 14.0], areas.collect())?;
    book.save_to_buffer()
}

/// The plan, a row for each measure.
pub fn plan(
    file: &PlanFile,
    measures: &[Measure],
    area_name: impl Fn(&AreaCode) -> Option<Trilingual>,
    today: Date,
    language: &str,
) -> Result<Vec<u8>, XlsxError> {
    let say = |words| say(language, words);
    let block = |id: &str| file.blocks.iter().find(|b| b.id == id).map_or_else(|| id.to_owned(), |b| pick(&b.name, language).to_owned());
    let row = |m: &Measure| {
        let area = m.area.as_ref().map(|code| area_name(code).map_or_else(|| code.to_string(), |name| pick(&name, language).to_owned()));
        let evidence: Vec<&str> = m.evidence.iter().map(|e| e.words.as_str()).collect();
        let late = if is_late(m, today) { say(["иә", "да", "yes"]) } else { "" };
        vec![
            Cell::Text(m.number.clone()),
            Cell::Text(block(&m.block)),
            Cell::Text(pick(&m.title, language).into()),
            Cell::Text(m.owner.clone()),
            Cell::Text(area.unwrap_or_default()),
            Cell::Text(m.deadline.to_string()),
            // Per cent.
            Cell::Number(m.progress as f64),
            Cell::Text(say(measure_state(m.state)).into()),
            Cell::Text(late.into()),
            Cell::Text(evidence.join("; ")),
        ]
    };
    let head = [
        "№",
        say(["Бағыт", "Блок", "Block"]),
        say(["Шара", "Мера", "Measure"]),
        say(["Жауапты", "Ответственный", "Owner"]),
        say(["Аудан", "Район", "District"]),
        say(["Мерзімі", "Срок", "Deadline"]),
        "%",
        say(["Күйі", "Состояние", "State"]),
        say(["Кешігуде", "Просрочено", "Late"]),
        say(["Дәлел", "Подтверждение", "Evidence"]),
    ];
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name(say(["Жоспар", "План", "Plan"]))?;
    fill(sheet, &head, &[8.0, 30.0, 56.0, 32.0, 24.0, 12.0, 8.0, 14.0, 12.0, 40.0], measures.iter().map(row).collect())?;
    book.save_to_buffer()
}
