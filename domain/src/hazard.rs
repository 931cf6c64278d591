//! Dangers that outside systems report: place and description, never a plate or a person.

use serde::{Deserialize, Serialize};

use crate::{GeoPoint, UtcMs};

/// What kind of danger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HazardKind {
    /// Somebody drives so that others are in danger.
    DangerousDriving,
    /// An accident.
    Accident,
    /// Something on the road.
    Obstacle,
    /// Fire or smoke.
    Fire,
    /// Water, ice, storm.
    Weather,
    /// Anything else; the text says what.
    Other,
}

impl HazardKind {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            HazardKind::DangerousDriving => "dangerous_driving",
            HazardKind::Accident => "accident",
            HazardKind::Obstacle => "obstacle",
            HazardKind::Fire => "fire",
            HazardKind::Weather => "weather",
            HazardKind::Other => "other",
        }
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub struct Hazard {
    /// The system, by its name in the configuration.
    pub source: String,
    /// That system's id of the event; the same id again is the same event.
    pub event: String,
    /// What kind.
    pub kind: HazardKind,
    /// Where.
    pub position: GeoPoint,
    /// Description, already without anything that looks like a plate.
    pub text: String,
    /// When the system saw it.
    pub at: UtcMs,
    /// When the hub heard it.
    pub received_at: UtcMs,
}

/// Longest description that is kept, in characters.
pub const MAX_TEXT: usize = 500;

/// Takes out of a text whatever looks like a vehicle's plate: five to nine letters and digits in one word or in words that
/// belong together, with at least two digits and at least one letter (`123ABC02`, `A 123 BCD`, `123 ABC 02`). Rather a word too many than a plate kept.
pub fn without_plates(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut out: Vec<String> = Vec::new();
    let mut i = 0;
    while i < words.len() {
        // The longest run of up to four short words that together look like a plate.
        let run = (1..=4.min(words.len() - i)).rev().find(|n| looks_like_plate(&words[i..i + n]));
        match run {
            Some(n) => {
                out.push("[—]".to_owned());
                i += n;
            }
            None => {
                out.push(words[i].to_owned());
                i += 1;
            }
        }
    }
    out.join(" ").chars().take(MAX_TEXT).collect()
}

fn looks_like_plate(words: &[&str]) -> bool {
    let trimmed: Vec<String> = words.iter().map(|w| w.chars().filter(|c| c.is_alphanumeric()).collect()).collect();
    let joined: String = trimmed.concat();
    let length = joined.chars().count();
    let digits = joined.chars().filter(char::is_ascii_digit).count();
    let letters = length - digits;
    if !(5..=9).contains(&length) || digits < 2 || !(1..=4).contains(&letters) {
        return false;
    }
    // Several words belong together only when each is a group of a plate: short, and all letters or all digits; letters in capitals.
    words.len() == 1
        || trimmed.iter().all(|w| {
            let n = w.chars().count();
            let capital = w.chars().all(|c| c.is_alphabetic() && c.is_uppercase());
            let digit = w.chars().all(|c| c.is_ascii_digit());
            (1..=3).contains(&n) && (capital || digit)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates_are_taken_out_and_the_rest_stays() {
        for (text, kept) in [
            ("белый седан 123ABC02 едет по встречной", "белый седан [—] едет по встречной"),
            ("car A123BCD, north", "car [—] north"),
            ("123 ABC 02 near the bridge", "[—] near the bridge"),
            ("А 123 ВС 77 выезд", "[—] выезд"),
            ("km 123 of the A2, 90 km/h in a 60 zone", "km 123 of the A2, 90 km/h in a 60 zone"),
            ("көлік Абай 45 көшесінде", "көлік Абай 45 көшесінде"),
        ] {
            assert_eq!(without_plates(text), kept, "{text}");
        }
    }
}
