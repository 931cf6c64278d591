//! Which district a cell names: by code or by name in three languages. Never guessed: the nearest name is only proposed.

use std::collections::{BTreeMap, HashMap};

use qorgan_domain::{AreaCode, Trilingual};

use super::disclosure::kato_parent;

/// Words that say what kind of area it is.
const KINDS: [&str; 26] = [
    "ауданы",
    "аудан",
    "район",
    "района",
    "district",
    "қаласы",
    "қала",
    "город",
    "г",
    "қ",
    "city",
    "облысы",
    "облыс",
    "область",
    "обл",
    "region",
    "oblast",
    "город",
    "р",
    "н",
    "ауд",
    "town",
    "округ",
    "округі",
    "rural",
    "ауылдық",
];

/// The areas that a file may name.
#[derive(Debug, Clone, Default)]
pub struct AreaNames {
    names: BTreeMap<AreaCode, Option<Trilingual>>,
    /// Whole names, with the word for the kind.
    whole: HashMap<String, Vec<AreaCode>>,
    /// Without it.
    bare: HashMap<String, Vec<AreaCode>>,
}

impl AreaNames {
    /// Areas with their names. Those above them by KATO code may be named too, by code.
    pub fn new<'a>(areas: impl IntoIterator<Item = (&'a AreaCode, &'a Trilingual)>) -> Self {
        let mut all = Self::default();
        for (code, name) in areas {
            for text in [&name.kk, &name.ru, &name.en] {
                add(&mut all.whole, plain(text), code);
                add(&mut all.bare, bare(text), code);
            }
            all.names.insert(code.clone(), Some(name.clone()));
        }
        let below: Vec<AreaCode> = all.names.keys().cloned().collect();
        for code in below {
            for above in std::iter::successors(kato_parent(&code), kato_parent) {
                all.names.entry(above).or_insert(None);
            }
        }
        all
    }

    /// Whether this code is known.
    pub fn contains(&self, code: &AreaCode) -> bool {
        self.names.contains_key(code)
    }

    /// The name of an area.
    pub fn name(&self, code: &AreaCode) -> Option<&Trilingual> {
        self.names.get(code)?.as_ref()
    }

    /// Every area with its name, by code.
    pub fn iter(&self) -> impl Iterator<Item = (&AreaCode, &Trilingual)> {
        self.names.iter().filter_map(|(code, name)| Some((code, name.as_ref()?)))
    }

    /// The area that a text names, or what was expected there.
    pub fn find(&self, text: &str) -> Result<AreaCode, String> {
        let text = text.trim();
        if let Ok(code) = text.parse::<AreaCode>() {
            return if self.contains(&code) { Ok(code) } else { Err(self.nearest_code(&code)) };
        }
        for found in [self.whole.get(&plain(text)), self.bare.get(&bare(text)).filter(|_| !bare(text).is_empty())].into_iter().flatten() {
            match &found[..] {
                [one] => return Ok(one.clone()),
                [] => {}
                many => {
                    let codes: Vec<String> = many.iter().map(|code| self.said(code)).collect();
                    return Err(format!("one district: this name is borne by {}; write the KATO code", codes.join(" and ")));
                }
            }
        }
        Err(self.nearest_name(text))
    }

    fn said(&self, code: &AreaCode) -> String {
        self.name(code).map_or_else(|| code.to_string(), |name| format!("\"{}\" / \"{}\" ({code})", name.kk, name.ru))
    }

    fn nearest_name(&self, text: &str) -> String {
        let wanted = [plain(text), bare(text)];
        let near = |(code, name): (&AreaCode, &Trilingual)| {
            let names = [&name.kk, &name.ru, &name.en].into_iter().flat_map(|n| [plain(n), bare(n)]);
            let best = names.flat_map(|n| wanted.iter().map(move |w| strsim::normalized_damerau_levenshtein(&n, w))).fold(0.0, f64::max);
            (best, code.clone())
        };
        match self.iter().map(near).max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((likeness, code)) if likeness >= 0.5 => format!("a district that this hub knows: did you mean {}?", self.said(&code)),
            _ => format!("a district that this hub knows, by KATO code or name; there are {}", self.iter().count()),
        }
    }

    fn nearest_code(&self, code: &AreaCode) -> String {
        // The codes of one region differ in few digits, so only a slip of one digit or two neighbours is proposed.
        let near = self.iter().find(|(known, _)| strsim::damerau_levenshtein(known.as_str(), code.as_str()) == 1);
        match near {
            Some((known, _)) => format!("the KATO code of a district that this hub knows: did you mean {}?", self.said(known)),
            None => "the KATO code of a district that this hub knows".into(),
        }
    }
}

fn add(index: &mut HashMap<String, Vec<AreaCode>>, key: String, code: &AreaCode) {
    let codes = index.entry(key).or_default();
    if !codes.contains(code) {
        codes.push(code.clone());
    }
}

/// Words in lower case, one blank between them; letters that keyboards lack are made those that people type instead.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(|word| {
        word.chars()
            .flat_map(char::to_lowercase)
            .map(|c| match c {
                'ё' => 'е',
                'і' => 'и',
                'ң' => 'н',
                'ғ' => 'г',
                'ү' | 'ұ' => 'у',
                'қ' => 'к',
                'ө' => 'о',
                'һ' => 'х',
                'ә' => 'а',
                c => c,
            })
            .collect()
    })
}

fn plain(text: &str) -> String {
    words(text).collect::<Vec<_>>().join(" ")
}

fn bare(text: &str) -> String {
    let kinds: Vec<String> = KINDS.iter().map(|kind| plain(kind)).collect();
    words(text).filter(|word| !kinds.contains(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn zhambyl() -> AreaNames {
        let areas: Vec<(AreaCode, Trilingual)> = [
            ("311000000", "Тараз қаласы", "город Тараз", "Taraz city"),
            ("313600000", "Байзақ ауданы", "Байзакский район", "Baizak district"),
            ("314000000", "Жамбыл ауданы", "Жамбылский район", "Zhambyl district"),
        ]
        .into_iter()
        .map(|(code, kk, ru, en)| (code.parse().unwrap(), Trilingual { kk: kk.into(), ru: ru.into(), en: en.into() }))
        .collect();
        AreaNames::new(areas.iter().map(|(code, name)| (code, name)))
    }

    #[test]
    fn districts_are_known_by_code_and_by_every_name_people_write() {
        let areas = zhambyl();
        for (text, code) in [
            ("311000000", "311000000"),
            ("310000000", "310000000"),
            ("г. Тараз", "311000000"),
            ("ТАРАЗ", "311000000"),
            ("Тараз  қаласы", "311000000"),
            ("Байзакский р-н", "313600000"),
            ("Байзақ", "313600000"),
            ("Байзак ауданы", "313600000"),
            ("Zhambyl district", "314000000"),
            ("жамбылский район", "314000000"),
        ] {
            assert_eq!(areas.find(text).map(|c| c.to_string()), Ok(code.to_owned()), "{text}");
        }
    }

    #[test]
    fn an_unknown_district_gets_the_nearest_name_and_is_never_guessed() {
        let areas = zhambyl();
        for (text, said) in
            [("Жамбл ауданы", "Жамбыл ауданы"), ("Байзахский район", "313600000"), ("Tarraz", "311000000"), ("311000001", "Тараз")]
        {
            let error = areas.find(text).unwrap_err();
            assert!(error.contains("did you mean") && error.contains(said), "{text}: {error}");
        }
        for text in ["Атлантида", "999999999", ""] {
            assert!(!areas.find(text).unwrap_err().contains("did you mean"), "{text}");
        }
    }
}
