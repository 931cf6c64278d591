//! What a publication is about: a transparent lexicon of word forms, Kazakh and Russian, for topics and for districts.
//!
//! Nothing is learned and nothing is hidden: a word counts when it is one of the forms of `configs/lexicon.toml`, or begins with a
//! stem (written `жылу*`). A form may be of several words. Who wants to know why a publication was counted reads the lexicon.

use std::collections::{BTreeMap, HashMap};

use qorgan_domain::{AreaCode, Trilingual};
use serde::{Deserialize, Serialize};

/// Longest text of one publication that is looked at, in characters.
pub const MAX_TEXT: usize = 20_000;

/// The lexicon as it stands in its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lexicon {
    /// Version, in words of who keeps it.
    pub version: String,
    /// Topics; the one with more words in a publication is its topic, the earlier one when they have as many.
    pub topic: Vec<Topic>,
    /// Districts.
    pub place: Vec<Place>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Id.
    pub id: String,
    /// Name.
    pub name: Trilingual,
    /// Indicator that gets the number of publications of a month, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator: Option<String>,
    /// Words of the topic.
    pub forms: Forms,
}

/// A district.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// KATO code.
    pub area: AreaCode,
    /// Its name and how it is inflected.
    pub forms: Forms,
}

/// Word forms; `abc*` is every word that begins so.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forms {
    /// Kazakh.
    #[serde(default)]
    pub kk: Vec<String>,
    /// Russian.
    #[serde(default)]
    pub ru: Vec<String>,
}

/// Why a lexicon is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct LexiconError {
    /// Topic or area.
    pub at: String,
    /// What is wrong.
    pub why: String,
}

/// What a publication counts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its topic.
    pub topic: String,
    /// The districts that it names, each once.
    pub areas: Vec<AreaCode>,
}

/// A lexicon that is ready to read with.
#[derive(Debug, Clone)]
pub struct Reader {
    lexicon: Lexicon,
    topics: Index,
    places: Index,
}

/// Forms by their first word; a stem by its first letters.
#[derive(Debug, Clone, Default)]
struct Index {
    words: HashMap<String, Vec<(Vec<String>, usize)>>,
    stems: BTreeMap<String, usize>,
}

impl Reader {
    /// Checks a lexicon and makes it ready.
    pub fn new(lexicon: Lexicon) -> Result<Self, LexiconError> {
        let fail = |at: &str, why: String| LexiconError { at: at.to_owned(), why };
        let (mut topics, mut places) = (Index::default(), Index::default());
        for (n, topic) in lexicon.topic.iter().enumerate() {
            if lexicon.topic[..n].iter().any(|t| t.id == topic.id) {
                return Err(fail(&topic.id, "stands twice".into()));
            }
            topics.add(&topic.forms, n).map_err(|why| fail(&topic.id, why))?;
        }
        for (n, place) in lexicon.place.iter().enumerate() {
            if lexicon.place[..n].iter().any(|p| p.area == place.area) {
                return Err(fail(place.area.as_str(), "stands twice".into()));
            }
            places.add(&place.forms, n).map_err(|why| fail(place.area.as_str(), why))?;
        }
        Ok(Self { lexicon, topics, places })
    }

    /// The lexicon.
    pub fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    /// What a publication counts for; nothing when it names no district or no topic.
    pub fn read(&self, text: &str) -> Option<Found> {
        let words: Vec<String> = tokens(text);
        let mut scores = vec![0_usize; self.lexicon.topic.len()];
        let mut named = vec![false; self.lexicon.place.len()];
        for at in 0..words.len() {
            for n in self.topics.at(&words, at) {
                scores[n] += 1;
            }
            for n in self.places.at(&words, at) {
                named[n] = true;
            }
        }
        let best = scores.iter().max().copied().filter(|best| *best > 0)?;
        let topic = scores.iter().position(|score| *score == best)?;
        let areas: Vec<AreaCode> =
            self.lexicon.place.iter().zip(named).filter(|(_, named)| *named).map(|(place, _)| place.area.clone()).collect();
        (!areas.is_empty()).then(|| Found { topic: self.lexicon.topic[topic].id.clone(), areas })
    }
}

impl Index {
    fn add(&mut self, forms: &Forms, n: usize) -> Result<(), String> {
        if forms.kk.is_empty() || forms.ru.is_empty() {
            return Err("needs words in Kazakh and in Russian".into());
        }
        for form in forms.kk.iter().chain(&forms.ru) {
            if let Some(stem) = form.strip_suffix('*') {
                let stem = tokens(stem).join(" ");
                if stem.contains(' ') || stem.chars().count() < 3 {
                    return Err(format!("\"{form}\": a stem is one word of three letters or more"));
                }
                if let Some(other) = self.stems.insert(stem, n).filter(|other| *other != n) {
                    return Err(format!("\"{form}\" stands in two places (the other is number {})", other + 1));
                }
                continue;
            }
            let words = tokens(form);
            let Some(first) = words.first().cloned() else { return Err(format!("\"{form}\" holds no word")) };
            self.words.entry(first).or_default().push((words, n));
        }
        Ok(())
    }

    /// Entries of which a form begins at this word.
    fn at(&self, words: &[String], at: usize) -> Vec<usize> {
        let word = &words[at];
        let whole = self.words.get(word).into_iter().flatten().filter(|(form, _)| words.get(at..at + form.len()) == Some(&form[..]));
        let mut found: Vec<usize> = whole.map(|(_, n)| *n).collect();
        let ends: Vec<usize> = word.char_indices().map(|(i, c)| i + c.len_utf8()).skip(2).collect();
        found.extend(ends.into_iter().filter_map(|end| self.stems.get(&word[..end])).copied());
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Words in lower case; `ё` is `е`. A hyphen parts words, as Kazakh and Russian compounds are written either way.
fn tokens(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars().take(MAX_TEXT).chain([' ']) {
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase().map(|c| if c == 'ё' { 'е' } else { c }));
        } else if c == '\u{ad}' || c == '\u{301}' {
            // A soft hyphen or a stress mark is inside a word.
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(kk: &[&str], ru: &[&str]) -> Forms {
        let own = |forms: &[&str]| forms.iter().map(|f| (*f).to_owned()).collect();
        Forms { kk: own(kk), ru: own(ru) }
    }
    fn topic(id: &str, forms: Forms) -> Topic {
        let name = Trilingual { kk: id.into(), ru: id.into(), en: id.into() };
        Topic { id: id.into(), name, indicator: None, forms }
    }
    fn reader() -> Reader {
        let place = |area: &str, forms| Place { area: area.parse().unwrap(), forms };
        Reader::new(Lexicon {
            version: "test".into(),
            topic: vec![
                topic("heat", forms(&["жылу", "жылу жүйесі", "қазандық*"], &["отоплен*", "тепло", "тепла", "котельн*"])),
                topic("water", forms(&["су құбыры", "ауыз су"], &["водоснабжен*", "водопровод*"])),
            ],
            place: vec![
                place("311000000", forms(&["тараз", "таразда", "тараздың"], &["тараз", "тараза", "таразе", "таразу"])),
                place(
                    "314000000",
                    forms(&["жамбыл ауданы", "жамбыл ауданында"], &["жамбылский район", "жамбылском районе", "жамбылского района"]),
                ),
            ],
        })
        .unwrap()
    }
    fn said(text: &str) -> Option<(String, Vec<String>)> {
        reader().read(text).map(|f| (f.topic, f.areas.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn publications_are_read_in_both_languages_in_inflected_forms() {
        let heat = |areas: &[&str]| Some(("heat".to_owned(), areas.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()));
        assert_eq!(said("В Таразе включили отопление"), heat(&["311000000"]));
        assert_eq!(said("Таразда қазандықтар іске қосылды"), heat(&["311000000"]));
        assert_eq!(said("ТАРАЗ: КОТЕЛЬНАЯ В ЖАМБЫЛСКОМ РАЙОНЕ"), heat(&["311000000", "314000000"]));
        assert_eq!(said("Водопровод и водоснабжение Тараза, тепло").map(|f| f.0).as_deref(), Some("water"));
    }

    #[test]
    fn words_that_only_look_alike_count_for_nothing() {
        for text in ["Памятник Жамбылу Жабаеву, отопление", "В Таразе открыли выставку", "отопление", "", "Теплоход, Таразбек", "жылулық"]
        {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn a_stress_mark_a_soft_hyphen_and_a_tag_do_not_part_a_word() {
        assert!(said("В Тара\u{301}зе отоп\u{ad}ление").is_some());
        assert!(said("<b>Тараз</b>, тепло").is_some());
    }

    #[test]
    fn a_lexicon_that_cannot_be_meant_is_refused() {
        let base = reader().lexicon().clone();
        let mut twice = base.clone();
        twice.topic[1].forms.ru.push("отоплен*".into());
        assert!(Reader::new(twice).unwrap_err().to_string().contains("stands in two places"));
        let mut short = base.clone();
        short.topic[0].forms.kk.push("ж*".into());
        assert!(Reader::new(short).is_err());
        let mut one_language = base;
        one_language.place[0].forms.kk.clear();
        assert!(Reader::new(one_language).is_err());
    }

    #[test]
    fn a_long_text_is_read_quickly_and_only_in_part() {
        let began = std::time::Instant::now();
        let text = "жылу жүйесі ".repeat(200_000);
        assert_eq!(said(&text), None);
        assert!(began.elapsed().as_secs() < 2);
    }
}
