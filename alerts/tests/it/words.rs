//! Words: texts speak of safety, in three languages, and some words never stand in them.

use std::path::{Path, PathBuf};

use qorgan_alerts::context::{Facilitation, Helper, words};
use qorgan_domain::{
    Trilingual,
    alert::{Cause, Level, Reason, ReasonCode},
};

use crate::make::crowd;

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

/// Sources whose texts leave as they stand.
#[test]
fn no_source_of_texts_says_a_forbidden_word() {
    for file in ["alerts/src/context/words.rs", "api/src/connect/cap.rs", "configs/demo.toml"] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        for (n, line) in text.lines().enumerate() {
            assert_eq!(forbidden(line), None, "{file}, line {}: {line}", n + 1);
        }
    }
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
