//! The certificate of a drill: one page A4, in the hub's language.

use krilla::{
    Document,
    color::rgb,
    geom::{PathBuilder, Point},
    metadata::Metadata,
    page::PageSettings,
    paint::{Fill, Stroke},
    surface::Surface,
    text::{Font, TextDirection},
};
use qorgan_alerts::store::{Drill, DrillResult};
use qorgan_domain::UtcMs;

use super::{best, in_order};

/// Noto Sans, subset to Latin, Cyrillic with the Kazakh letters, and signs; SIL Open Font License 1.1 (see NOTICE).
const REGULAR: &[u8] = include_bytes!("../../assets/NotoSans-Regular.subset.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/NotoSans-Bold.subset.ttf");

/// A4 in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const LEFT: f32 = 56.0;
const RIGHT: f32 = 539.0;

/// What a certificate says besides the drill itself.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Name of the hub.
    pub hub: &'a str,
    /// Name of the site, in the language of the certificate.
    pub site_name: &'a str,
    /// `kk`, `ru` or `en`.
    pub language: &'a str,
    /// The newest line of the audit log: number and hash.
    pub audit_head: Option<(i64, &'a str)>,
    /// Now.
    pub now: UtcMs,
    /// What clocks on the wall show, in minutes ahead of UTC.
    pub utc_offset_minutes: i32,
}

/// A certificate cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The embedded font does not read.
    #[error("the embedded font does not read")]
    Font,
    /// The document cannot be put together.
    #[error("the PDF cannot be written: {0}")]
    Pdf(String),
}

/// The words of a certificate.
struct Words {
    title: &'static str,
    hub: &'static str,
    site: &'static str,
    number: &'static str,
    ordered_by: &'static str,
    window: &'static str,
    step: &'static str,
    time: &'static str,
    after: &'static str,
    steps: [&'static str; 5],
    missing: &'static str,
    devices: &'static str,
    result: &'static str,
    results: [&'static str; 4],
    note: &'static str,
    reference: &'static str,
    line: &'static str,
    made_at: &'static str,
}

fn words(language: &str) -> Words {
    match language {
        "kk" => Words {
            title: "Дабыл түймесін тексеру туралы анықтама",
            hub: "Орталық",
            site: "Нысан",
            number: "Жаттығу нөмірі",
            ordered_by: "Тағайындаған",
            window: "Уақыты",
            step: "Қадам",
            time: "Уақыт",
            after: "Басқаннан кейін, с",
            steps: ["Түйме басылды", "Хабар сақталды", "Кезекшінің экранында", "Кезекші қабылдады", "Патруль қабылдады"],
            missing: "болған жоқ",
            devices: "Басылған құрылғылар",
            result: "Нәтижесі",
            results: ["өтті", "өтпеді", "тоқтатылды", "түйме басылмады"],
            note: "Ескертпе",
            reference: "Аудит журналы",
            line: "жол",
            made_at: "Жасалған уақыты",
        },
        "ru" => Words {
            title: "Справка о проверке тревожной кнопки",
            hub: "Центр",
            site: "Объект",
            number: "Номер учения",
            ordered_by: "Назначил(а)",
            window: "Время",
            step: "Шаг",
            time: "Время",
            after: "После нажатия, с",
            steps: ["Кнопка нажата", "Сигнал сохранён", "На экране дежурного", "Принят дежурным", "Принят патрулём"],
            missing: "не было",
            devices: "Нажатые устройства",
            result: "Результат",
            results: ["пройдено", "не пройдено", "отменено", "кнопку не нажали"],
            note: "Примечание",
            reference: "Журнал аудита",
            line: "строка",
            made_at: "Составлено",
        },
        _ => Words {
            title: "Certificate of an alarm button drill",
            hub: "Hub",
            site: "Site",
            number: "Drill number",
            ordered_by: "Ordered by",
            window: "Window",
            step: "Step",
            time: "Time",
            after: "After the press, s",
            steps: ["Button pressed", "Alarm stored", "On the desk's screen", "Claimed by the desk", "Accepted by the patrol"],
            missing: "not reached",
            devices: "Devices pressed",
            result: "Result",
            results: ["passed", "failed", "cancelled", "nobody pressed"],
            note: "Note",
            reference: "Audit log",
            line: "line",
            made_at: "Made at",
        },
    }
}

/// Writes the certificate of a drill.
pub fn write(drill: &Drill, facts: &Facts<'_>) -> Result<Vec<u8>, CertificateError> {
    let font = |bytes: &'static [u8]| Font::new(bytes.into(), 0).ok_or(CertificateError::Font);
    let (regular, bold) = (font(REGULAR)?, font(BOLD)?);
    let words = words(facts.language);
    let mut document = Document::new();
    document.set_metadata(
        Metadata::new().title(format!("{} {}: {}", words.title, drill.id, facts.site_name)).language(facts.language.to_owned()),
    );
    let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| CertificateError::Pdf("page size".into()))?;
    let mut page = document.start_page_with(settings);
    {
        let mut sheet = Sheet { surface: page.surface(), regular, bold, y: 72.0 };
        body(&mut sheet, drill, facts, &words);
    }
    page.finish();
    document.finish().map_err(|error| CertificateError::Pdf(format!("{error:?}")))
}

fn body(sheet: &mut Sheet<'_>, drill: &Drill, facts: &Facts<'_>, words: &Words) {
    let time = |at: UtcMs| local(at, facts.utc_offset_minutes);
    sheet.bold(LEFT, 18.0, words.title);
    sheet.down(16.0);
    sheet.rule();
    sheet.down(26.0);
    sheet.fact(words.site, facts.site_name);
    sheet.fact("", drill.site.as_str());
    sheet.fact(words.hub, facts.hub);
    sheet.fact(words.number, &drill.id.to_string());
    sheet.fact(words.ordered_by, &drill.created_by);
    let end = drill.ended_at.unwrap_or(drill.until_at);
    sheet.fact(words.window, &format!("{} – {}", time(drill.started_at.unwrap_or(drill.scheduled_at)), time(end)));
    sheet.down(14.0);
    let (at, after) = (262.0, 412.0);
    sheet.bold(LEFT, 10.5, words.step);
    sheet.bold(at, 10.5, words.time);
    sheet.bold(after, 10.5, words.after);
    sheet.down(8.0);
    sheet.rule();
    sheet.down(18.0);
    let reached = best(drill).map(|press| in_order(&press.steps)).unwrap_or_default();
    for (n, (name, moment)) in words.steps.into_iter().zip(reached).enumerate() {
        sheet.plain(LEFT, 10.5, &format!("{}. {name}", n + 1));
        match (moment, reached[0]) {
            (Some(moment), Some(pressed)) => {
                sheet.plain(at, 10.5, &time(moment));
                sheet.plain(after, 10.5, &seconds(moment.ms_since(pressed)));
            }
            _ => sheet.plain(at, 10.5, words.missing),
        }
        sheet.down(20.0);
    }
    sheet.rule();
    sheet.down(26.0);
    let mut devices: Vec<String> = drill.presses.iter().filter(|p| p.counts).map(|p| p.device.to_string()).collect();
    devices.sort();
    devices.dedup();
    let more = devices.len().saturating_sub(6);
    devices.truncate(6);
    let more = if more > 0 { format!(" (+{more})") } else { String::new() };
    sheet.fact(words.devices, &format!("{}{more}", devices.join(", ")));
    let result = match drill.result {
        Some(DrillResult::Passed) => words.results[0],
        Some(DrillResult::Failed) | None => words.results[1],
        Some(DrillResult::Cancelled) => words.results[2],
        Some(DrillResult::Missed) => words.results[3],
    };
    sheet.fact_in(words.result, result, true);
    if let Some(note) = &drill.note {
        sheet.fact(words.note, note);
    }
    sheet.y = 770.0;
    sheet.rule();
    sheet.down(16.0);
    if let Some((line, hash)) = facts.audit_head {
        sheet.plain(LEFT, 7.5, &format!("{}: {} {line}, SHA-256 {hash}", words.reference, words.line));
        sheet.down(12.0);
    }
    sheet.plain(LEFT, 7.5, &format!("{}: {}, Qorgan {}", words.made_at, time(facts.now), env!("CARGO_PKG_VERSION")));
}

/// `22.11.2026 15:04:05 UTC+5`.
fn local(at: UtcMs, offset_minutes: i32) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    let offset = jiff::tz::Offset::from_seconds(offset_minutes * 60).unwrap_or(jiff::tz::Offset::UTC);
    let wall = offset.to_datetime(moment);
    let (hours, minutes) = (offset_minutes / 60, (offset_minutes % 60).abs());
    let minutes = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
    let date = format!("{:02}.{:02}.{}", wall.day(), wall.month(), wall.year());
    format!("{date} {:02}:{:02}:{:02} UTC{hours:+}{minutes}", wall.hour(), wall.minute(), wall.second())
}

fn seconds(ms: i64) -> String {
    format!("{}.{}", ms / 1_000, ms.abs() % 1_000 / 100)
}

struct Sheet<'a> {
    surface: Surface<'a>,
    regular: Font,
    bold: Font,
    y: f32,
}

impl Sheet<'_> {
    fn down(&mut self, points: f32) {
        self.y += points;
    }

    fn plain(&mut self, x: f32, size: f32, text: &str) {
        let font = self.regular.clone();
        self.text(x, size, text, font);
    }

    fn bold(&mut self, x: f32, size: f32, text: &str) {
        let font = self.bold.clone();
        self.text(x, size, text, font);
    }

    fn text(&mut self, x: f32, size: f32, text: &str, font: Font) {
        self.surface.set_stroke(None);
        self.surface.set_fill(Some(Fill { paint: rgb::Color::new(17, 24, 32).into(), ..Fill::default() }));
        // What is no sign to be shown breaks no line here.
        let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.surface.draw_text(Point::from_xy(x, self.y), font, size, &clean, false, TextDirection::LeftToRight);
    }

    fn fact(&mut self, what: &str, value: &str) {
        self.fact_in(what, value, false);
    }

    /// A name and its value, which may take three lines.
    fn fact_in(&mut self, what: &str, value: &str, strong: bool) {
        self.plain(LEFT, 10.5, what);
        for line in wrap(value, 52).into_iter().take(3) {
            if strong {
                self.bold(200.0, 10.5, &line);
            } else {
                self.plain(200.0, 10.5, &line);
            }
            self.down(18.0);
        }
    }

    fn rule(&mut self) {
        let mut path = PathBuilder::new();
        path.move_to(LEFT, self.y);
        path.line_to(RIGHT, self.y);
        let Some(path) = path.finish() else { return };
        self.surface.set_fill(None);
        self.surface.set_stroke(Some(Stroke { paint: rgb::Color::new(140, 150, 160).into(), width: 0.7, ..Stroke::default() }));
        self.surface.draw_path(&path);
    }
}

/// Lines of at most so many characters, broken at blanks where there are some.
fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        for piece in word.chars().collect::<Vec<_>>().chunks(most) {
            let piece: String = piece.iter().collect();
            let last = lines.len() - 1;
            if !lines[last].is_empty() && lines[last].chars().count() + 1 + piece.chars().count() > most {
                lines.push(piece);
            } else {
                if !lines[last].is_empty() {
                    lines[last].push(' ');
                }
                lines[last].push_str(&piece);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use qorgan_alerts::store::{DrillPress, DrillSteps};
    use qorgan_domain::AlertId;

    use super::*;

    fn drill() -> Drill {
        let at = |s: i64| Some(UtcMs(1_795_316_400_000 + s * 1_000));
        let steps = DrillSteps { pressed_at: at(60), stored_at: at(60), shown_at: at(61), claimed_at: at(72), accepted_at: at(120) };
        let press = |id, device: &str| DrillPress { alert: AlertId(id), device: device.parse().unwrap(), counts: true, steps };
        Drill {
            id: 12,
            site: "school-17".parse().unwrap(),
            scheduled_at: at(0).unwrap(),
            until_at: at(1_800).unwrap(),
            created_by: "school".into(),
            started_at: at(0),
            ended_at: at(120),
            alert: Some(AlertId(1)),
            result: Some(DrillResult::Passed),
            presses: vec![press(1, "school-17/reception"), press(2, "school-17/canteen")],
            note: Some("жаттығу жоспар бойынша өтті".into()),
        }
    }

    fn facts<'a>(language: &'a str, site_name: &'a str) -> Facts<'a> {
        let hash = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
        Facts {
            hub: "Тараз ЖБО",
            site_name,
            language,
            audit_head: Some((41, hash)),
            now: UtcMs(1_795_320_000_000),
            utc_offset_minutes: 300,
        }
    }

    #[test]
    fn the_certificate_is_one_page_that_reads_back_in_three_languages() {
        for (language, site) in
            [("kk", "Ұлы Абай атындағы № 17 мектеп-гимназия, Өскемен: ә і ң ғ ү ұ қ ө һ"), ("ru", "Школа № 17"), ("en", "School No. 17")]
        {
            let pdf = write(&drill(), &facts(language, site)).unwrap();
            if let Ok(keep) = std::env::var("QORGAN_KEEP_CERTIFICATES") {
                std::fs::write(std::path::Path::new(&keep).join(format!("{language}.pdf")), &pdf).unwrap();
            }
            let read = lopdf::Document::load_mem(&pdf).unwrap();
            assert_eq!(read.get_pages().len(), 1);
            let text: String = read.extract_text(&[1]).unwrap().split_whitespace().collect();
            for part in [site, words(language).title, "school-17/canteen", "c0ffee00", words(language).results[0], "UTC+5"] {
                let part: String = part.split_whitespace().collect();
                assert!(text.contains(&part), "{language}: {part} is not in {text}");
            }
        }
    }

    #[test]
    fn a_missing_step_is_named_and_long_texts_stay_on_the_page() {
        let mut failed = drill();
        failed.result = Some(DrillResult::Failed);
        failed.presses[0].steps.accepted_at = None;
        failed.presses.truncate(1);
        failed.note = Some("қатты ".repeat(200));
        let pdf = write(&failed, &facts("ru", &"Очень длинное название ".repeat(20))).unwrap();
        let text = lopdf::Document::load_mem(&pdf).unwrap().extract_text(&[1]).unwrap();
        assert!(text.replace(char::is_whitespace, "").contains("небыло"), "{text}");
    }

    #[test]
    fn times_are_those_on_the_wall() {
        assert_eq!(local(UtcMs(0), 300), "01.01.1970 05:00:00 UTC+5");
        assert_eq!(local(UtcMs(0), 330), "01.01.1970 05:30:00 UTC+5:30");
        assert_eq!(seconds(11_940), "11.9");
        assert_eq!(wrap("аб вг деж", 5), ["аб вг", "деж"]);
        assert_eq!(wrap("абвгдеж", 3), ["абв", "где", "ж"]);
    }
}
