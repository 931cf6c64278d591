//! The index as a workbook. Its first sheet states the method, and the weight of the block that is zero by rule.

use qorgan_alerts::{
    store::StoredMethod,
    tension::{Standing, rank, words},
};
use qorgan_domain::Trilingual;
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::{
    Results,
    view::{What, round},
};
use crate::view::Names;

/// Words of the workbook in one language.
struct Words {
    language: usize,
}

impl Words {
    fn say(&self, words: [&'static str; 3]) -> &'static str {
        words[self.language]
    }
    fn name<'a>(&self, name: &'a Trilingual) -> &'a str {
        [&name.kk, &name.ru, &name.en][self.language]
    }
    fn note<'a>(&self, note: &'a Names) -> &'a str {
        [&note.kk, &note.ru, &note.en][self.language]
    }
}

struct Sheet<'a> {
    sheet: &'a mut Worksheet,
    head: Format,
    row: u32,
}

impl<'a> Sheet<'a> {
    fn new(book: &'a mut Workbook, name: &str, columns: &[&str]) -> Result<Self, XlsxError> {
        let sheet = book.add_worksheet();
        sheet.set_name(name)?;
        let head = Format::new().set_bold();
        for (at, column) in (0_u16..).zip(columns) {
            sheet.write_string_with_format(0, at, *column, &head)?;
            sheet.set_column_width(at, if at < 2 { 26 } else { 16 })?;
        }
        sheet.set_freeze_panes(1, 2)?;
        Ok(Self { sheet, head, row: 1 })
    }

    /// Texts are written as texts: no table program takes one for a formula.
    fn texts(&mut self, texts: &[&str]) -> Result<(), XlsxError> {
        for (at, text) in (0_u16..).zip(texts) {
            self.sheet.write_string(self.row, at, *text)?;
        }
        Ok(())
    }

    fn number(&mut self, column: u16, value: Option<f64>) -> Result<(), XlsxError> {
        match value {
            Some(value) => self.sheet.write_number(self.row, column, value).map(drop),
            None => Ok(()),
        }
    }
}

/// The workbook of a period, in `kk`, `ru` or `en`.
pub fn xlsx(results: &Results, period: usize, language: &str) -> Result<Vec<u8>, XlsxError> {
    let w = Words {
        language: match language {
            "kk" => 0,
            "ru" => 1,
            _ => 2,
        },
    };
    let mut book = Workbook::new();
    method(&mut book, results, period, &w)?;
    scores(&mut book, results, period, &w)?;
    indicators(&mut book, results, period, &w)?;
    book.save_to_buffer()
}

fn method(book: &mut Workbook, results: &Results, period: usize, w: &Words) -> Result<(), XlsxError> {
    let StoredMethod { method, reason, made_at, made_by } = &results.method;
    let mut sheet =
        Sheet::new(book, w.say(["Әдіс", "Метод", "Method"]), &[w.say(["Не", "Что", "What"]), w.say(["Мәні", "Значение", "Value"])])?;
    sheet.sheet.set_column_width(1, 110)?;
    let text = words::method(method);
    let mut lines: Vec<(String, String)> = vec![
        (w.say(["Кезең", "Период", "Period"]).into(), results.index.periods[period].period.to_string()),
        (w.say(["Есептелген уақыты", "Рассчитано", "Computed at"]).into(), results.computed_at.to_string()),
        (
            w.say(["Әдіс нұсқасы", "Версия метода", "Version of the method"]).into(),
            format!("{} ({made_at}, {made_by}: {reason})", method.version),
        ),
        (w.say(["Әдіс", "Метод", "Method"]).into(), w.name(&text).to_owned()),
        (w.say(["Каталог", "Каталог", "Catalogue"]).into(), results.catalogue.version.clone()),
    ];
    let note = w.say(["Ескерту", "Примечание", "Note"]);
    lines.extend(results.notes().iter().map(|n| (note.to_owned(), w.note(n).to_owned())));
    if let Some(act) = &results.act {
        lines.push((
            w.say(["Салмақ негізі", "Основание веса", "Basis of the weight"]).into(),
            format!("{} ({}, {})", act.basis, act.published_on, act.basis_url),
        ));
    }
    let weight = w.say(["Блок салмағы", "Вес блока", "Weight of the block"]);
    lines.extend(
        results.catalogue.blocks.iter().map(|b| (format!("{weight}: {}", w.name(&b.name)), method.block_weight(&b.id).to_string())),
    );
    for (what, value) in lines {
        sheet.texts(&[&what, &value])?;
        sheet.row += 1;
    }
    Ok(())
}

fn scores(book: &mut Workbook, results: &Results, period: usize, w: &Words) -> Result<(), XlsxError> {
    let columns = [
        "KATO",
        w.say(["Аумақ", "Территория", "Area"]),
        w.say(["Блок", "Блок", "Block"]),
        w.say(["Индекс 0-10", "Индекс 0-10", "Index 0-10"]),
        "p5",
        "p95",
        w.say(["Деректер үлесі", "Доля данных", "Coverage"]),
        w.say(["Орны (бастап)", "Место (от)", "Place from"]),
        w.say(["Орны (дейін)", "Место (до)", "Place to"]),
        w.say(["Жалпы индекстегі салмағы", "Вес в общем индексе", "Weight in the overall index"]),
    ];
    let mut sheet = Sheet::new(book, w.say(["Индекс", "Индекс", "Index"]), &columns)?;
    let all = w.say(["Жалпы", "Общий", "Overall"]);
    let whats = [What::Overall].into_iter().chain((0..results.catalogue.blocks.len()).map(What::Block));
    for what in whats {
        let places = rank::places(&results.bands(period, &what));
        let (name, weight) = match &what {
            What::Block(at) => {
                let block = &results.catalogue.blocks[*at];
                (w.name(&block.name), results.method.method.block_weight(&block.id))
            }
            _ => (all, 1.0),
        };
        for (at, area) in results.areas.iter().enumerate() {
            let standing = results.standing(period, at, &what);
            let shown = standing.and_then(Standing::shown);
            sheet.texts(&[area.code.as_str(), w.name(&area.name), name])?;
            if shown.is_none() {
                let why = w.say(["деректер жеткіліксіз", "данных недостаточно", "too few values"]);
                sheet.sheet.write_string(sheet.row, 3, why)?;
            }
            sheet.number(3, shown.map(|s| round(s.value())))?;
            sheet.number(4, shown.map(|s| round(s.band().p5)))?;
            sheet.number(5, shown.map(|s| round(s.band().p95)))?;
            sheet.number(6, standing.map(|s| round(s.coverage())))?;
            let place = places[at].filter(|_| shown.is_some());
            sheet.number(7, place.map(|p| p.from as f64))?;
            sheet.number(8, place.map(|p| p.to as f64))?;
            sheet.number(9, Some(weight))?;
            sheet.row += 1;
        }
    }
    Ok(())
}

fn indicators(book: &mut Workbook, results: &Results, period: usize, w: &Words) -> Result<(), XlsxError> {
    let columns = [
        "KATO",
        w.say(["Аумақ", "Территория", "Area"]),
        w.say(["Блок", "Блок", "Block"]),
        w.say(["Көрсеткіш", "Показатель", "Indicator"]),
        w.say(["Бірлік", "Единица", "Unit"]),
        w.say(["Мәні", "Значение", "Value"]),
        w.say(["Мән кезеңі", "Период значения", "Period of the value"]),
        w.say(["Дереккөз", "Источник", "Source"]),
        w.say(["Балл 0-10", "Балл 0-10", "Score 0-10"]),
        w.say(["Салмақ үлесі", "Доля веса", "Share of the weight"]),
        w.say(["Жалпы индекске үлесі", "Вклад в общий индекс", "Contribution to the overall index"]),
    ];
    let mut sheet = Sheet::new(book, w.say(["Көрсеткіштер", "Показатели", "Indicators"]), &columns)?;
    for (at, area) in results.areas.iter().enumerate() {
        for (i, indicator) in results.catalogue.indicators.iter().enumerate() {
            let score = results.indicator(period, at, i);
            let block = results.catalogue.block(&indicator.block).map_or("", |b| w.name(&b.name));
            sheet.texts(&[area.code.as_str(), w.name(&area.name), block, w.name(&indicator.name), w.name(&indicator.unit)])?;
            if let Some(score) = score {
                let source = results.origin(at, i, score.from).map_or("", |(_, source)| source);
                sheet.number(5, Some(score.value))?;
                sheet.sheet.write_string(sheet.row, 6, score.from.to_string())?;
                sheet.sheet.write_string(sheet.row, 7, source)?;
                sheet.number(8, Some(round(score.score)))?;
                sheet.number(10, Some(round(score.contribution)))?;
            }
            sheet.number(9, Some(round(results.weight_share(i))))?;
            sheet.row += 1;
        }
    }
    let note = results.notes().into_iter().next();
    if let Some(note) = note {
        let bold = sheet.head.clone();
        sheet.sheet.write_string_with_format(sheet.row + 1, 0, w.note(&note), &bold)?;
    }
    Ok(())
}
