//! Words of a text for the search, the same for both databases: lower case, without endings, so that "жылудың" finds "жылу" and
//! "отопления" finds "отопление".
//!
//! The endings are those of nouns and adjectives of Kazakh and Russian. It is no grammar: it brings forms of a word together often
//! enough, and where it does not, fewer requests are found, never other ones shown as if they fitted.

use std::collections::BTreeSet;

/// Longest word that is kept, in characters.
const LONGEST: usize = 32;
/// Most different words of one text.
const MOST: usize = 400;
/// Words up to this many letters stay whole.
const WHOLE: usize = 4;
/// So many letters stay at least.
const STAY: usize = 3;

/// Endings, longest first within a language; each is cut at most once a round.
const ENDINGS: [&str; 104] = [
    // Russian
    "иями",
    "ями",
    "ами",
    "ией",
    "иям",
    "иях",
    "ыми",
    "ими",
    "ого",
    "его",
    "ому",
    "ему",
    "ия",
    "ию",
    "ий",
    "ии",
    "ие",
    "ов",
    "ев",
    "ей",
    "ой",
    "ый",
    "ая",
    "яя",
    "ое",
    "ее",
    "ые",
    "ую",
    "юю",
    "ом",
    "ем",
    "ам",
    "ям",
    "ах",
    "ях",
    "ых",
    "их",
    "ым",
    "им",
    "ью",
    "ья",
    "ье",
    // Kazakh: plural, cases, possession
    "лардың",
    "лердің",
    "дардың",
    "дердің",
    "тардың",
    "тердің",
    "ымыз",
    "іміз",
    "ыңыз",
    "іңіз",
    "лар",
    "лер",
    "дар",
    "дер",
    "тар",
    "тер",
    "ның",
    "нің",
    "дың",
    "дің",
    "тың",
    "тің",
    "нда",
    "нде",
    "дан",
    "ден",
    "тан",
    "тен",
    "нан",
    "нен",
    "мен",
    "бен",
    "пен",
    "дағы",
    "дегі",
    "тағы",
    "тегі",
    "ға",
    "ге",
    "қа",
    "ке",
    "на",
    "не",
    "ны",
    "ні",
    "ды",
    "ді",
    "ты",
    "ті",
    "да",
    "де",
    "та",
    "те",
    "сы",
    "сі",
    // One letter, both
    "а",
    "я",
    "о",
    "е",
    "ы",
    "і",
    "и",
];

/// The different words of a text, without endings.
pub fn of(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        if word.is_empty() {
            continue;
        }
        let lower: String = word.chars().take(LONGEST).flat_map(char::to_lowercase).map(|c| if c == 'ё' { 'е' } else { c }).collect();
        // Whatever lower case makes of exotic letters, only letters and digits are words.
        if lower.chars().count() >= 2 || lower.chars().all(|c| c.is_ascii_digit()) {
            words.insert(stem(&lower).to_owned());
        }
        if words.len() >= MOST {
            break;
        }
    }
    words
}

/// A word in lower case without its endings.
pub fn stem(word: &str) -> &str {
    let mut left = word;
    // Kazakh puts one ending after another; three in a row are common.
    for _ in 0..3 {
        if left.chars().count() <= WHOLE || left.chars().any(|c| c.is_ascii()) {
            return left;
        }
        let fits = |ending: &&&str| left.strip_suffix(**ending).is_some_and(|rest| rest.chars().count() >= STAY);
        match ENDINGS.iter().filter(fits).max_by_key(|ending| ending.len()) {
            Some(ending) => left = &left[..left.len() - ending.len()],
            None => break,
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_meet() {
        for forms in [
            &["отопление", "отопления", "отоплением", "отоплению"][..],
            &["мектеп", "мектептің", "мектепте", "мектептер", "мектептерге", "мектепке"],
            &["дорога", "дороги", "дорогой", "дорогами", "дорогах"],
            &["аула", "ауланың", "аулада", "аулалар", "аулаға"],
            &["көшесі", "көшесінің", "көшеде", "көшелер", "көшесінде"],
            &["свалка", "свалки", "свалкой"],
        ] {
            let stems: BTreeSet<&str> = forms.iter().map(|form| stem(form)).collect();
            assert_eq!(stems.len(), 1, "{forms:?}: {stems:?}");
        }
    }

    #[test]
    fn short_words_numbers_and_latin_stay() {
        for word in ["су", "газ", "вода", "мост", "12", "pvc", "street"] {
            assert_eq!(stem(word), word);
        }
        assert_eq!(of("Жарық, ЖАРЫҚ! 12-үй; ёлка _c_x").into_iter().collect::<Vec<_>>(), ["12", "елка", "жарық", "үй"]);
    }

    proptest::proptest! {
        #[test]
        fn words_hold_letters_and_digits_only(text in "\\PC{0,300}") {
            for word in of(&text) {
                // What the databases' query languages give a meaning to can never stand in a word.
                proptest::prop_assert!(!word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "\"'*:&|!()<>_-\\".contains(c)), "{word:?}");
            }
        }
    }
}
