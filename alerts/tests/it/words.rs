//! Words: texts speak of safety, in three languages, and some words never stand in them.

use std::path::{Path, PathBuf};

use qorgan_alerts::context::{
    ContextBlock, ContextShare, Disruption, Facilitation, Helper, OpenNearby, RequestsNear, SensorNear, Surroundings, explain, words,
};
use qorgan_domain::{
    GeoPoint, Trilingual,
    alert::{Alert, Cause, Level, Reason, ReasonCode},
    assembly::{Assembly, Form, SpecialPlace, Standing},
};

use crate::make::{START, after, crowd};

/// Beginnings of words that judge people instead of keeping them safe.
const FORBIDDEN: [&str; 37] = [
    "unauthori",
    "unsanctioned",
    "illegal",
    "unlawful",
    "violator",
    "offender",
    "norm exceeded",
    "exceeds the norm",
    "rioter",
    "protester",
    "agitator",
    "instigator",
    "suspicious",
    "extremis",
    "troublemaker",
    "несанкционирован",
    "незаконн",
    "противоправн",
    "нарушител",
    "превышение нормы",
    "норма превышена",
    "беспорядк",
    "провокатор",
    "зачинщик",
    "митингующ",
    "протестующ",
    "подозрительн",
    "экстремис",
    "рұқсат етілмеген",
    "рұқсатсыз",
    "заңсыз",
    "бұзушы",
    "нормадан аст",
    "норма аст",
    "тәртіпсіздік",
    "арандатушы",
    "күдікті",
];

fn forbidden(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    FORBIDDEN.into_iter().find(|word| text.contains(word))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text of a JSON file, with its key.
fn texts(value: &serde_json::Value, key: &str, into: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::String(text) => into.push((key.to_owned(), text.clone())),
        serde_json::Value::Object(map) => map.iter().for_each(|(name, value)| texts(value, &format!("{key}.{name}"), into)),
        serde_json::Value::Array(all) => all.iter().for_each(|value| texts(value, key, into)),
        _ => {}
    }
}

#[test]
fn no_page_says_a_forbidden_word_in_any_language() {
    let folders = ["i18n", "situation/i18n", "planning/i18n"];
    for (folder, language) in folders.iter().flat_map(|folder| ["kk", "ru", "en"].map(|language| (folder, language))) {
        let path = root().join(format!("api/web/src/{folder}/{language}.json"));
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let mut all = Vec::new();
        texts(&json, language, &mut all);
        assert!(all.len() > 200, "{folder}, {language}: {}", all.len());
        for (key, text) in all {
            assert_eq!(forbidden(&text), None, "{key}: {text}");
        }
    }
}

/// What is no judgement of people at an assembly: the code of a camera that refuses a log-in, and the official name of a statistic.
const NO_JUDGEMENT: [&str; 3] = ["unauthorized", "құқық бұзушылық", "unauthenticated"];

/// Every file below a folder with one of these endings.
fn files(dir: &Path, endings: &[&str], into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, endings, into);
        } else if path.extension().is_some_and(|e| endings.iter().any(|known| e == *known)) {
            into.push(path);
        }
    }
}

/// Texts between quotation marks; lines that are comments say what must not be said, and are no texts.
fn quoted(source: &str) -> Vec<(usize, String)> {
    let lines = source.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|(n, line)| {
            let parts = ['"', '\'', '`'].into_iter().flat_map(move |mark| line.split(mark).skip(1).step_by(2));
            parts.map(move |part| (n + 1, part.to_owned()))
        })
        .collect()
}

fn unjudging(text: &str) -> String {
    NO_JUDGEMENT.iter().fold(text.to_lowercase(), |text, allowed| text.replace(allowed, ""))
}

#[test]
fn no_text_in_a_source_or_a_page_says_a_forbidden_word() {
    let mut sources = Vec::new();
    for (dir, endings) in [("alerts/src", &["rs"][..]), ("api/src", &["rs"]), ("domain/src", &["rs"]), ("api/web/src", &["ts", "tsx"])] {
        files(&root().join(dir), endings, &mut sources);
    }
    assert!(sources.len() > 150, "{}", sources.len());
    for file in sources {
        for (line, text) in quoted(&std::fs::read_to_string(&file).unwrap()) {
            assert_eq!(forbidden(&unjudging(&text)), None, "{}, line {line}: {text}", file.display());
        }
    }
}

#[test]
fn no_configuration_that_ships_says_a_forbidden_word() {
    let mut configs = Vec::new();
    files(&root().join("configs"), &["toml", "csv", "xml"], &mut configs);
    assert!(configs.len() >= 7, "{configs:?}");
    for file in configs {
        let text = std::fs::read_to_string(&file).unwrap();
        for (n, line) in text.lines().enumerate() {
            assert_eq!(forbidden(&unjudging(line)), None, "{}, line {}: {line}", file.display(), n + 1);
        }
    }
}

#[test]
fn a_forbidden_word_is_found_in_a_text_and_not_in_a_comment() {
    let source = "// never \"unauthorised\"\nlet text = \"Несанкционированное собрание\";\nlet code = \"unauthorized\";";
    let found: Vec<usize> = quoted(source).into_iter().filter(|(_, t)| forbidden(&unjudging(t)).is_some()).map(|(line, _)| line).collect();
    assert_eq!(found, [2]);
}

#[test]
fn the_list_finds_what_it_forbids() {
    for text in ["Unauthorised gathering", "Несанкционированный митинг", "Рұқсат етілмеген жиналыс", "the NORM EXCEEDED by 20"]
    {
        assert!(forbidden(text).is_some(), "{text}");
    }
}

fn said() -> Vec<Trilingual> {
    let alert = crowd(Level::Watch);
    let Cause::Crowd(evidence) = &alert.cause else { panic!() };
    let mut all = Vec::new();
    for level in [Level::Notice, Level::Watch, Level::Warning, Level::Critical] {
        all.extend([words::headline(level, evidence), words::advice(level)]);
    }
    for code in [
        ReasonCode::AboveBaseline,
        ReasonCode::AboveLimit,
        ReasonCode::Persistent,
        ReasonCode::Density,
        ReasonCode::Flow,
        ReasonCode::Growth,
        ReasonCode::ClosedHours,
        ReasonCode::Neighbours,
    ] {
        all.push(words::reason(&Reason { code, observed: 41.0, bound: 20.5, for_s: 180 }));
    }
    for helper in [Helper::Stewards, Helper::Ambulance, Helper::RoadClosure, Helper::CityService, Helper::Mediator] {
        all.push(words::helper(helper));
    }
    all.push(words::task(&Facilitation { assembly: 1, notified: 200, holds: Some(500) }));
    all.extend(surrounded());
    all
}

/// Every line that surroundings can make, with short names in them.
fn surrounded() -> Vec<Trilingual> {
    let name = |word: &str| Trilingual { kk: format!("{word}-kk"), ru: format!("{word}-ru"), en: format!("{word}-en") };
    let here = GeoPoint::new(42.9, 71.4).unwrap();
    let mut all = Vec::new();
    for (exact, counts) in [(false, vec![(name("heat"), 23), (name("water"), 4)]), (false, vec![]), (true, vec![(name("heat"), 3)])] {
        for form in [Form::Picket, Form::Meeting, Form::Rally, Form::March, Form::Demonstration] {
            for standing in [Standing::Pending, Standing::Proceeds, Standing::Refused] {
                let assembly = Assembly {
                    form,
                    position: here,
                    radius_m: 100,
                    place: "Park".into(),
                    from: START,
                    until: after(3_600_000),
                    people: 200,
                    filed_on: jiff::civil::date(2026, 11, 16),
                    answer: None,
                };
                let around = Surroundings {
                    assemblies: vec![(1, assembly, standing)],
                    places: vec![(1, SpecialPlace { name: name("park"), points: vec![here], radius_m: 100, max_people: 500 })],
                    events: vec!["fair".into()],
                    open: OpenNearby { alarms: 1, incidents: 2, hazards: 3, troubles: 4 },
                    sensors: ["smoke", "temperature", "radon"]
                        .map(|kind| SensorNear { kind: kind.into(), value: 21.5, unit: "degC".into() })
                        .into(),
                    requests: Some(RequestsNear::told(500, counts.clone(), exact)),
                    disruptions: Disruption::together([(name("power"), true), (name("water"), false)]),
                    tension: ContextShare::of(&[(ContextBlock::Problems, 5.0, 4.0, 6.5, 1.0)]).map(|share| (share, "2026-Q3".into())),
                };
                let alert = Alert { position: Some(here), ..crowd(Level::Watch) };
                all.extend(explain(&alert, &around, START).unwrap().lines);
            }
        }
    }
    all
}

#[test]
fn every_text_of_an_alert_exists_in_three_languages_and_says_no_forbidden_word() {
    for text in said() {
        for part in [&text.kk, &text.ru, &text.en] {
            assert!(!part.trim().is_empty());
            assert_eq!(forbidden(part), None, "{part}");
            assert!(part.chars().count() <= 140, "too long to be understood at once: {part}");
        }
        assert_ne!(text.ru, text.en, "{text:?}");
    }
}
