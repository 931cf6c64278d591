//! The bulletin: 24 hours of the emergency journal on paper.

use jiff::civil::Date;
use qorgan_alerts::store::EmergencyEntry;
use qorgan_domain::UtcMs;

use super::{
    Frame, ReportError,
    page::{Column, Ink, Paper},
    words::{NOT_TOLD, kind_name},
};
use crate::areas::Areas;

/// What a bulletin tells.
#[derive(Debug, Clone)]
pub struct Bulletin {
    /// The day it is given out.
    pub day: Date,
    /// From when.
    pub from: UtcMs,
    /// To when.
    pub to: UtcMs,
    /// Entries, latest first, as they hold now.
    pub entries: Vec<EmergencyEntry>,
    /// How many of them were corrected after the time was over.
    pub corrected_later: i64,
    /// Requests of residents of the day before, as they may be told.
    pub received: Option<u64>,
    /// And those that are overdue.
    pub overdue: Option<u64>,
}

/// Sums of a bulletin.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// People who died.
    pub dead: i64,
    /// People who were hurt.
    pub injured: i64,
    /// People who were brought away.
    pub evacuated: i64,
    /// Children among the dead and hurt.
    pub children: i64,
    /// Entries that are not over.
    pub ongoing: usize,
}

impl Bulletin {
    /// The sums.
    pub fn totals(&self) -> Totals {
        self.entries.iter().filter_map(EmergencyEntry::newest).fold(Totals::default(), |sum, v| Totals {
            dead: sum.dead + v.dead,
            injured: sum.injured + v.injured,
            evacuated: sum.evacuated + v.evacuated,
            children: sum.children + v.children,
            ongoing: sum.ongoing + usize::from(v.ongoing),
        })
    }
}

/// Writes the bulletin.
pub fn write(bulletin: &Bulletin, areas: &Areas, frame: &Frame) -> Result<Vec<u8>, ReportError> {
    let title =
        frame.say(["Тәулік ішіндегі төтенше жағдайлар бюллетені", "Бюллетень чрезвычайных ситуаций за сутки", "Emergencies of 24 hours"]);
    let mut paper = Paper::new(frame, title, &format!("{} – {}", frame.when(bulletin.from), frame.when(bulletin.to)));
    let sum = bulletin.totals();
    let facts = [
        (frame.say(["Жазба", "Записей", "Entries"]), bulletin.entries.len().to_string()),
        (frame.say(["Қаза тапқандар", "Погибло", "Dead"]), sum.dead.to_string()),
        (frame.say(["Зардап шеккендер", "Пострадало", "Injured"]), sum.injured.to_string()),
        (frame.say(["оның ішінде балалар", "из них детей", "children among them"]), sum.children.to_string()),
        (frame.say(["Көшірілгендер", "Эвакуировано", "Evacuated"]), sum.evacuated.to_string()),
        (frame.say(["Жалғасуда", "Продолжается", "Going on"]), sum.ongoing.to_string()),
        (
            frame.say(["109 өтініштері (алдыңғы күн)", "Обращения 109 (за прошлый день)", "Requests to 109 (day before)"]),
            told(bulletin.received),
        ),
        (frame.say(["Мерзімі өткен өтініштер", "Просроченные обращения", "Requests overdue"]), told(bulletin.overdue)),
    ];
    let columns = [Column(50.0, 260.0), Column(320.0, 200.0)];
    for (name, value) in &facts {
        paper.row(&columns, &[name, value], false, Ink::Text);
    }
    paper.heading(frame.say(["Оқиғалар", "События", "Events"]));
    if bulletin.entries.is_empty() {
        paper.paragraph(frame.say(["Жазба жоқ.", "Записей нет.", "No entries."]), Ink::Grey);
    }
    for entry in &bulletin.entries {
        let Some(v) = entry.newest() else { continue };
        let area = areas.iter().find(|a| a.code == v.area).map_or_else(|| v.area.to_string(), |a| frame.name(&a.name).to_owned());
        let place = v.place.as_deref().map(|p| format!(", {p}")).unwrap_or_default();
        let mark = if v.n > 1 { frame.say([" (түзетілген)", " (исправлено)", " (corrected)"]) } else { "" };
        paper.space(4.0);
        let columns = [Column(50.0, 110.0), Column(160.0, 385.0)];
        let head = format!("{} · {area}{place}{mark}", frame.name(&kind_name(v.kind)));
        paper.row(&columns, &[&frame.when(v.at), &head], true, Ink::Text);
        paper.paragraph(&v.what, Ink::Text);
        paper.paragraph(&format!("{}: {}", frame.say(["Шаралар", "Меры", "Measures"]), v.measures), Ink::Text);
        let people = [
            (frame.say(["қаза", "погибло", "dead"]), v.dead),
            (frame.say(["зардап шекті", "пострадало", "injured"]), v.injured),
            (frame.say(["көшірілді", "эвакуировано", "evacuated"]), v.evacuated),
            (frame.say(["балалар", "детей", "children"]), v.children),
        ];
        let people: Vec<String> = people.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name}: {n}")).collect();
        if !people.is_empty() {
            paper.paragraph(&people.join(" · "), Ink::Late);
        }
    }
    if bulletin.corrected_later > 0 {
        let words = frame.say(["Кейін түзетілген жазбалар", "Записей, исправленных позже", "Entries corrected later"]);
        paper.space(8.0);
        paper.paragraph(&format!("{words}: {}", bulletin.corrected_later), Ink::Grey);
    }
    paper.write()
}

fn told(count: Option<u64>) -> String {
    count.map_or_else(|| NOT_TOLD.into(), |n| n.to_string())
}

#[cfg(test)]
mod tests {
    use qorgan_alerts::store::{EmergencyKind, EmergencyVersion};

    use super::*;

    #[test]
    fn a_bulletin_reads_back_in_three_languages_and_a_long_one_has_pages() {
        let at = UtcMs(1_795_255_200_000);
        let version = EmergencyVersion {
            n: 2,
            at,
            kind: EmergencyKind::Fire,
            area: "311000000".parse().unwrap(),
            place: Some("Өскемен көшесі: ә і ң ғ ү ұ қ ө һ".into()),
            what: "Қорада өрт шықты. ".repeat(20),
            measures: "Сөндірілді.".into(),
            dead: 0,
            injured: 3,
            evacuated: 14,
            children: 1,
            ongoing: true,
            written_at: at,
            written_by: "duty".into(),
            reason: Some("саны түзетілді".into()),
            demo: false,
        };
        let entry = |id| EmergencyEntry { id, versions: vec![version.clone()] };
        let square = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"kato":"311000000","name":{"kk":"Тараз қаласы","ru":"город Тараз","en":"Taraz"}},"geometry":{"type":"Polygon","coordinates":[[[71,42],[72,42],[72,43],[71,43],[71,42]]]}}]}"#;
        let (areas, _) = Areas::parse(square).unwrap();
        let day = jiff::civil::date(2026, 11, 22);
        let bulletin = Bulletin {
            day,
            from: at,
            to: at,
            entries: (1..12).map(entry).collect(),
            corrected_later: 1,
            received: Some(120),
            overdue: None,
        };
        for (language, parts) in [
            ("kk", ["Тәулік ішіндегі төтенше жағдайлар бюллетені", "Тараз қаласы", "ә і ң ғ ү ұ қ ө һ"]),
            ("ru", ["Бюллетень чрезвычайных ситуаций за сутки", "город Тараз", "Эвакуировано"]),
            ("en", ["Emergencies of 24 hours", "Taraz", "< 10"]),
        ] {
            let frame = Frame { hub: "Тараз ЖБО".into(), language: language.into(), now: at, offset_min: 300, demo: true };
            let pdf = write(&bulletin, &areas, &frame).unwrap();
            let read = lopdf::Document::load_mem(&pdf).unwrap();
            let pages: Vec<u32> = read.get_pages().keys().copied().collect();
            assert!(pages.len() >= 2, "{}", pages.len());
            let text: String = read.extract_text(&pages).unwrap().split_whitespace().collect();
            for part in parts {
                let part: String = part.split_whitespace().collect();
                assert!(text.contains(&part), "{language}: {part} is not in {text}");
            }
        }
        assert_eq!(bulletin.totals().injured, 33);
    }
}
