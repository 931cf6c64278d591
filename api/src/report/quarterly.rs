//! The quarterly report of a district: index with its band, indicators, requests, plan, emergencies, notes.

use jiff::civil::Date;
use qorgan_alerts::{
    plan::is_late,
    store::{AnalyticNote, Measure, MeasureState},
};
use qorgan_domain::{AreaCode, Trilingual};
use serde::Serialize;

use super::{
    Frame, ReportError,
    page::{Column, Ink, Paper},
    words::{NOT_TOLD, measure_state},
};
use crate::requests::{Settings, figures::Figures, figures::Span};

/// A score of 0 to 10 with its band, as the tension index gives it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The score; none below the coverage floor.
    pub value: Option<f64>,
    /// Lower end of the band.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Share of the weights that have data, 0 to 1.
    pub coverage: f64,
}

/// The index of a district in a quarter: what this report needs of it, whoever computes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IndexPart {
    /// All blocks together.
    pub overall: Score,
    /// Each block: id, name, score, and whether its weight is zero by rule.
    pub blocks: Vec<BlockPart>,
    /// What has to be said beside it; the note on the block of weight zero is among them.
    pub notes: Vec<Trilingual>,
}

/// One block of the index.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlockPart {
    /// Id.
    pub block: String,
    /// Name.
    pub name: Trilingual,
    /// Score.
    pub score: Score,
    /// Its weight is zero by rule.
    pub zero_by_rule: bool,
}

/// One indicator.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IndicatorPart {
    /// Id.
    pub id: String,
    /// Name.
    pub name: Trilingual,
    /// Unit.
    pub unit: Trilingual,
    /// Value of the quarter, or the last before it.
    pub value: Option<f64>,
    /// Value of the quarter before.
    pub previous: Option<f64>,
}

/// Everything the report tells.
pub struct Quarterly {
    /// District.
    pub area: AreaCode,
    /// Its name.
    pub area_name: Trilingual,
    /// Quarter.
    pub span: Span,
    /// It is over.
    pub complete: bool,
    /// The index, where it is computed.
    pub index: Option<IndexPart>,
    /// Indicators with a value.
    pub indicators: Vec<IndicatorPart>,
    /// Requests of the district, as they may be told.
    pub requests: Figures,
    /// Measures of the district and of the whole region.
    pub measures: Vec<Measure>,
    /// Emergencies: entries, dead, injured.
    pub emergencies: (usize, i64, i64),
    /// Notes about the district that were sent.
    pub notes: Vec<AnalyticNote>,
    /// Today.
    pub today: Date,
    /// Something of it is made up for a demonstration.
    pub demo: bool,
}

/// Writes the report.
pub fn write(report: &Quarterly, settings: &Settings, frame: &Frame) -> Result<Vec<u8>, ReportError> {
    let title = frame.say(["Ауданның тоқсандық есебі", "Квартальный отчёт района", "Quarterly report of a district"]);
    let mut under = format!("{} ({}) · {}", frame.name(&report.area_name), report.area, report.span.text);
    if !report.complete {
        under.push_str(frame.say([" · тоқсан аяқталған жоқ", " · квартал не завершён", " · the quarter is not over"]));
    }
    let frame = Frame { demo: report.demo, ..frame.clone() };
    let mut paper = Paper::new(&frame, &format!("{title}: {}", frame.name(&report.area_name)), &under);
    index(&mut paper, report, &frame);
    indicators(&mut paper, report, &frame);
    requests(&mut paper, report, settings, &frame);
    plan(&mut paper, report, &frame);
    rest(&mut paper, report, &frame);
    paper.write()
}

fn index(paper: &mut Paper<'_>, report: &Quarterly, frame: &Frame) {
    paper.heading(frame.say([
        "Әлеуметтік ахуал индексі (0 – тыныш, 10 – шиеленісті)",
        "Индекс социальной обстановки (0 – спокойно, 10 – напряжённо)",
        "Index of the social situation (0 calm, 10 strained)",
    ]));
    let Some(index) = &report.index else {
        paper.paragraph(
            frame.say([
                "Бұл тоқсан бойынша индекс есептелмеген.",
                "Индекс за этот квартал не рассчитан.",
                "The index was not computed for this quarter.",
            ]),
            Ink::Grey,
        );
        return;
    };
    let mut score = |name: &str, score: &Score, zero: bool| match (score.value, score.low, score.high) {
        (Some(value), Some(low), Some(high)) => {
            let zero = if zero { frame.say([" · салмағы 0", " · вес 0", " · weight 0"]) } else { "" };
            // Scores are 0 to 10.
            paper.band(name, [low as f32, value as f32, high as f32], &format!("{value:.1} ({low:.1}–{high:.1}){zero}"));
        }
        _ => {
            let words = frame.say(["дерек жеткіліксіз", "данных недостаточно", "too few data"]);
            paper.row(
                &[Column(50.0, 200.0), Column(250.0, 290.0)],
                &[name, &format!("{words} ({:.0} %)", score.coverage * 100.0)],
                false,
                Ink::Grey,
            );
        }
    };
    score(frame.say(["Жалпы", "Общий", "Overall"]), &index.overall, false);
    for block in &index.blocks {
        score(frame.name(&block.name), &block.score, block.zero_by_rule);
    }
    paper.space(6.0);
    for note in &index.notes {
        paper.paragraph(frame.name(note), Ink::Grey);
    }
}

fn indicators(paper: &mut Paper<'_>, report: &Quarterly, frame: &Frame) {
    if report.indicators.is_empty() {
        return;
    }
    paper.heading(frame.say(["Көрсеткіштер", "Показатели", "Indicators"]));
    let columns = [Column(50.0, 250.0), Column(304.0, 90.0), Column(398.0, 70.0), Column(472.0, 70.0)];
    let head = [
        frame.say(["Көрсеткіш", "Показатель", "Indicator"]),
        frame.say(["Бірлігі", "Единица", "Unit"]),
        frame.say(["Тоқсан", "Квартал", "Quarter"]),
        frame.say(["Алдыңғы", "Прошлый", "Before"]),
    ];
    paper.row(&columns, &head, true, Ink::Text);
    let number = |value: Option<f64>| {
        value.map_or_else(|| "–".to_owned(), |v| format!("{:.2}", v).trim_end_matches('0').trim_end_matches('.').to_owned())
    };
    for indicator in &report.indicators {
        let cells = [
            frame.name(&indicator.name).to_owned(),
            frame.name(&indicator.unit).to_owned(),
            number(indicator.value),
            number(indicator.previous),
        ];
        paper.row(&columns, &cells.each_ref().map(String::as_str), false, Ink::Text);
    }
}

fn requests(paper: &mut Paper<'_>, report: &Quarterly, settings: &Settings, frame: &Frame) {
    let figures = &report.requests;
    let count = |count: Option<u64>| count.map_or_else(|| NOT_TOLD.to_owned(), |n| n.to_string());
    paper.heading(frame.say(["Тұрғындардың өтініштері (109)", "Обращения жителей (109)", "Requests of residents (109)"]));
    paper.paragraph(
        &format!("{}: {}", frame.say(["Тоқсандағы өтініштер", "Обращений за квартал", "Requests of the quarter"]), count(figures.total)),
        Ink::Text,
    );
    let most = figures.shares.iter().filter_map(|s| s.count).max().unwrap_or(1).max(1);
    let share = |s: &crate::requests::figures::Share| {
        let name = settings.category(&s.category).map_or_else(|| s.category.clone(), |c| frame.name(&c.name).to_owned());
        let percent = s.percent.map(|p| format!(" ({p:.1} %)")).unwrap_or_default();
        (name, s.count.map(|n| n as f32 / most as f32), format!("{}{percent}", count(s.count)))
    };
    paper.bars(&figures.shares.iter().map(share).collect::<Vec<_>>());
    let most = figures.months.iter().filter_map(|m| m.count).max().unwrap_or(1).max(1);
    let month = |m: &crate::requests::figures::MonthFigures| (m.month.clone(), m.count.map(|n| n as f32 / most as f32), count(m.count));
    paper.paragraph(frame.say(["Айлар бойынша", "По месяцам", "By month"]), Ink::Grey);
    paper.columns(&figures.months.iter().map(month).collect::<Vec<_>>());
    let columns = [Column(50.0, 190.0), Column(244.0, 60.0), Column(308.0, 60.0), Column(372.0, 80.0), Column(456.0, 85.0)];
    let head = [
        frame.say(["Қызмет", "Служба", "Service"]),
        frame.say(["Өтініш", "Обращений", "Requests"]),
        frame.say(["Мерзімі өткен", "Просрочено", "Overdue"]),
        frame.say(["Жауап уақытында, %", "Ответ в срок, %", "Answered in time, %"]),
        frame.say(["Орындау уақытында, %", "Выполнено в срок, %", "Done in time, %"]),
    ];
    paper.row(&columns, &head, true, Ink::Text);
    let percent = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |p| format!("{p:.0}"));
    for s in &figures.services {
        let name = settings.service(&s.service).map_or(s.service.as_str(), |named| frame.name(&named.name)).to_owned();
        let cells = [name, count(s.count), count(s.overdue), percent(s.answered_in_time_percent), percent(s.done_in_time_percent)];
        paper.row(&columns, &cells.each_ref().map(String::as_str), false, Ink::Text);
    }
    paper.paragraph(frame.name(&figures.note), Ink::Grey);
}

fn plan(paper: &mut Paper<'_>, report: &Quarterly, frame: &Frame) {
    paper.heading(frame.say(["Бірлескен жоспар", "Совместный план", "Joint action plan"]));
    let counted: Vec<&Measure> = report.measures.iter().filter(|m| m.state != MeasureState::Cancelled).collect();
    let (done, late) =
        (counted.iter().filter(|m| m.state == MeasureState::Done).count(), counted.iter().filter(|m| is_late(m, report.today)).count());
    let words = frame.say(["шара, орындалды, мерзімі өтті", "мер, выполнено, просрочено", "measures, done, late"]);
    paper.paragraph(&format!("{} / {done} / {late} ({words})", counted.len()), Ink::Text);
    let columns = [Column(50.0, 32.0), Column(84.0, 216.0), Column(304.0, 116.0), Column(424.0, 60.0), Column(488.0, 56.0)];
    let head = [
        "№",
        frame.say(["Шара", "Мера", "Measure"]),
        frame.say(["Жауапты", "Ответственный", "Owner"]),
        frame.say(["Мерзімі", "Срок", "Deadline"]),
        frame.say(["Барысы", "Ход", "Progress"]),
    ];
    paper.row(&columns, &head, true, Ink::Text);
    for measure in counted {
        let progress = format!("{} % {}", measure.progress, frame.say(measure_state(measure.state)));
        let deadline = measure.deadline.to_string();
        let ink = if is_late(measure, report.today) { Ink::Late } else { Ink::Text };
        paper.row(&columns, &[&measure.number, frame.name(&measure.title), &measure.owner, &deadline, &progress], false, ink);
    }
}

fn rest(paper: &mut Paper<'_>, report: &Quarterly, frame: &Frame) {
    let (entries, dead, injured) = report.emergencies;
    paper.heading(frame.say(["Төтенше жағдайлар", "Чрезвычайные ситуации", "Emergencies"]));
    let words = frame.say(["жазба, қаза тапқан, зардап шеккен", "записей, погибло, пострадало", "entries, dead, injured"]);
    paper.paragraph(&format!("{entries} / {dead} / {injured} ({words})"), Ink::Text);
    if report.notes.is_empty() {
        return;
    }
    paper.heading(frame.say(["Талдамалық жазбалар", "Аналитические записки", "Analytic notes"]));
    for note in &report.notes {
        let columns = [Column(50.0, 120.0), Column(174.0, 370.0)];
        paper.row(&columns, &[&note.deadline.to_string(), &note.title], true, Ink::Text);
        for (name, text) in [
            (frame.say(["Анықталғаны", "Вывод", "Finding"]), Some(&note.finding)),
            (frame.say(["Ұсыныс", "Рекомендация", "Recommendation"]), Some(&note.recommendation)),
            (frame.say(["Кімге", "Кому", "Addressee"]), Some(&note.addressee)),
            (frame.say(["Жауап", "Ответ", "Answer"]), note.answer.as_ref()),
        ] {
            if let Some(text) = text {
                paper.row(&columns, &[name, text], false, Ink::Text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use qorgan_domain::UtcMs;

    use super::*;

    fn text(kk: &str, ru: &str, en: &str) -> Trilingual {
        Trilingual { kk: kk.into(), ru: ru.into(), en: en.into() }
    }

    fn report() -> Quarterly {
        let score = |value: f64| Score { value: Some(value), low: Some(value - 0.6), high: Some(value + 0.7), coverage: 0.9 };
        let block =
            |id: &str, name: Trilingual, value: f64, zero| BlockPart { block: id.into(), name, score: score(value), zero_by_rule: zero };
        let blocks = vec![
            block("labour", text("Еңбек қатынастары", "Трудовые отношения", "Labour relations"), 5.2, false),
            block("protest", text("Наразылық ықтималдығы", "Вероятность протеста", "Likelihood of protest"), 2.0, true),
            BlockPart {
                block: "youth".into(),
                name: text("Жастар", "Молодёжь", "Youth"),
                score: Score { value: None, low: None, high: None, coverage: 0.3 },
                zero_by_rule: false,
            },
        ];
        let figures = Figures {
            period: "2026-Q3".into(),
            area: Some("311000000".into()),
            total: Some(340),
            exact: false,
            shares: vec![
                crate::requests::figures::Share { category: "heating".into(), count: Some(120), percent: Some(35.3) },
                crate::requests::figures::Share { category: "bus".into(), count: None, percent: None },
            ],
            services: vec![],
            months: ["2026-07", "2026-08", "2026-09"]
                .map(|m| crate::requests::figures::MonthFigures { month: m.into(), count: Some(110) })
                .into(),
            suppressed: 1,
            note: crate::requests::words::rounded_note(),
        };
        Quarterly {
            area: "311000000".parse().unwrap(),
            area_name: text("Тараз қаласы", "город Тараз", "Taraz city"),
            span: Span::parse("2026-Q3").unwrap(),
            complete: true,
            index: Some(IndexPart {
                overall: score(4.4), blocks, notes: vec![text("Салмағы нөл", "Вес ноль", "Weight zero")]
            }),
            indicators: vec![IndicatorPart {
                id: "wage-arrears".into(),
                name: text("Жалақы қарызы", "Долги по зарплате", "Wage arrears"),
                unit: text("млн теңге", "млн тенге", "million tenge"),
                value: Some(12.5),
                previous: None,
            }],
            requests: figures,
            measures: vec![],
            emergencies: (4, 0, 2),
            notes: vec![],
            today: jiff::civil::date(2026, 11, 22),
            demo: true,
        }
    }

    #[test]
    fn the_report_reads_back_in_three_languages() {
        let settings = Settings::built_in().unwrap();
        for (language, parts) in [
            (
                "kk",
                [
                    "Ауданның тоқсандық есебі: Тараз қаласы",
                    "Жылу жоқ немесе әлсіз",
                    "120 (35.3 %)",
                    "салмағы 0",
                    "дерек жеткіліксіз (30 %)",
                ],
            ),
            ("ru", ["Квартальный отчёт района: город Тараз", "Долги по зарплате", "4.4 (3.8–5.1)", "вес 0", "Демонстрационные данные"]),
            ("en", ["Quarterly report of a district: Taraz city", "No or weak heating", "< 10", "weight 0", "12.5"]),
        ] {
            let frame =
                Frame {
                    hub: "Тараз ЖБО".into(), language: language.into(), now: UtcMs(1_795_255_200_000), offset_min: 300, demo: true
                };
            let pdf = write(&report(), &settings, &frame).unwrap();
            if let Ok(keep) = std::env::var("QORGAN_KEEP_REPORTS") {
                std::fs::write(std::path::Path::new(&keep).join(format!("quarterly-{language}.pdf")), &pdf).unwrap();
            }
            let read = lopdf::Document::load_mem(&pdf).unwrap();
            let pages: Vec<u32> = read.get_pages().keys().copied().collect();
            let text: String = read.extract_text(&pages).unwrap().split_whitespace().collect();
            for part in parts {
                let part: String = part.split_whitespace().collect();
                assert!(text.contains(&part), "{language}: {part} is not in {text}");
            }
        }
    }

    #[test]
    fn a_report_without_an_index_says_so() {
        let frame = Frame { hub: "h".into(), language: "en".into(), now: UtcMs(0), offset_min: 300, demo: false };
        let bare = Quarterly { index: None, indicators: vec![], complete: false, ..report() };
        let pdf = write(&bare, &Settings::built_in().unwrap(), &frame).unwrap();
        let text = lopdf::Document::load_mem(&pdf).unwrap().extract_text(&[1]).unwrap().replace(char::is_whitespace, "");
        assert!(text.contains("Theindexwasnotcomputed") && text.contains("thequarterisnotover"), "{text}");
    }
}
