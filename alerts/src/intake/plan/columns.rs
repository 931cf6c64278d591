//! What the columns of a file of values are called: Kazakh, Russian and English, as people write them.

use qorgan_domain::{
    IndicatorId,
    indicator::{Catalogue, Indicator},
};

/// A column of a file of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Column {
    /// District: KATO code or name.
    Area,
    /// Indicator: id or name. A file without this column has indicators in its header (the wide layout).
    Indicator,
    /// Period.
    Period,
    /// The value, in the indicator's unit.
    Value,
    /// Cases that were counted.
    Cases,
    /// Population or other whole.
    Denominator,
    /// Who gave it.
    Source,
}

/// Technical name; Kazakh, Russian, English as a template writes them; others that people use.
type Names = (Column, &'static str, [&'static str; 3], &'static [&'static str]);

const NAMES: [Names; 7] = [
    (
        Column::Area,
        "area",
        ["Аудан (КАТО)", "Район (КАТО)", "District (KATO)"],
        &["аудан", "район", "district", "като", "kato", "код като", "като коды", "территория", "аумақ"],
    ),
    (Column::Indicator, "indicator", ["Көрсеткіш", "Показатель", "Indicator"], &["индикатор", "көрсеткіш коды", "код показателя"]),
    (Column::Period, "period", ["Кезең", "Период", "Period"], &["мерзім", "айы", "месяц", "дата", "күні"]),
    (Column::Value, "value", ["Мәні", "Значение", "Value"], &["мән", "величина"]),
    (Column::Cases, "cases", ["Жағдай саны", "Число случаев", "Cases"], &["случаи", "случаев", "жағдайлар", "количество случаев"]),
    (
        Column::Denominator,
        "denominator",
        ["Бөлгіш (халық саны)", "Знаменатель (население)", "Denominator (population)"],
        &["бөлгіш", "знаменатель", "население", "халық саны", "халық", "population", "респонденты", "респонденттер", "respondents"],
    ),
    (Column::Source, "source", ["Дереккөз", "Источник", "Source"], &["источник данных", "деректер көзі"]),
];

impl Column {
    /// Every column, in the order of the template.
    pub const ALL: [Column; 7] =
        [Column::Area, Column::Indicator, Column::Period, Column::Value, Column::Cases, Column::Denominator, Column::Source];

    /// Technical name, as in JSON.
    pub fn key(self) -> &'static str {
        self.names().1
    }

    /// Name in the header of a template.
    pub fn title(self, language: &str) -> &'static str {
        let [kk, ru, en] = self.names().2;
        match language {
            "kk" => kk,
            "ru" => ru,
            _ => en,
        }
    }

    fn names(self) -> &'static Names {
        NAMES.iter().find(|n| n.0 == self).unwrap_or(&NAMES[0])
    }

    /// The column that a header names.
    pub fn of(header: &str) -> Option<Column> {
        let header = plain(header);
        NAMES.iter().find(|n| all_names(n).any(|name| plain(name) == header)).map(|n| n.0)
    }

    /// The name of a column that this header nearly is; a typing error must not lose a column silently.
    pub fn nearly(header: &str) -> Option<&'static str> {
        let header = plain(header);
        let near = |name: &&'static str| strsim::normalized_levenshtein(&plain(name), &header) >= 0.8;
        NAMES.iter().flat_map(all_names).filter(|name| name.chars().count() >= 4).find(near)
    }
}

fn all_names(names: &'static Names) -> impl Iterator<Item = &'static str> {
    [names.1].into_iter().chain(names.2).chain(names.3.iter().copied())
}

/// Letters and digits only, lower case.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).map(|c| if c == 'ё' { 'е' } else { c }).collect()
}

/// What a column of the wide layout gives to its indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The value.
    Value,
    /// Its cases.
    Cases,
    /// Its denominator.
    Denominator,
}

/// The ends of headers that name the basis of an indicator's column: `wage-arrears (cases)`.
const PARTS: [(&str, Part); 8] = [
    ("cases", Part::Cases),
    ("случаи", Part::Cases),
    ("число случаев", Part::Cases),
    ("жағдай саны", Part::Cases),
    ("denominator", Part::Denominator),
    ("знаменатель", Part::Denominator),
    ("бөлгіш", Part::Denominator),
    ("population", Part::Denominator),
];

/// The end of a header in the wide template.
pub fn part_title(part: Part, language: &str) -> Option<&'static str> {
    Some(match (part, language) {
        (Part::Value, _) => return None,
        (Part::Cases, "kk") => "жағдай саны",
        (Part::Cases, "ru") => "случаи",
        (Part::Cases, _) => "cases",
        (Part::Denominator, "kk") => "бөлгіш",
        (Part::Denominator, "ru") => "знаменатель",
        (Part::Denominator, _) => "denominator",
    })
}

/// Indicators by what a file may call them.
#[derive(Debug)]
pub struct IndicatorNames<'a> {
    catalogue: &'a Catalogue,
    names: std::collections::HashMap<String, usize>,
}

impl<'a> IndicatorNames<'a> {
    /// Every id and name of a catalogue.
    pub fn new(catalogue: &'a Catalogue) -> Self {
        let mut names = std::collections::HashMap::new();
        for (n, indicator) in catalogue.indicators.iter().enumerate() {
            for name in [indicator.id.as_str(), &indicator.name.kk, &indicator.name.ru, &indicator.name.en] {
                names.entry(plain(name)).or_insert(n);
            }
        }
        Self { catalogue, names }
    }

    /// The indicator that a text names.
    pub fn find(&self, text: &str) -> Option<&'a Indicator> {
        self.names.get(&plain(text)).map(|n| &self.catalogue.indicators[*n])
    }

    /// The indicator and the part of it that a header of the wide layout names.
    pub fn of_header(&self, header: &str) -> Option<(&'a Indicator, Part)> {
        if let Some(indicator) = self.find(header) {
            return Some((indicator, Part::Value));
        }
        let text = header.trim().trim_end_matches(')');
        let (name, end) = text.rsplit_once(['(', ':', '|'])?;
        let part = PARTS.iter().find(|(word, _)| plain(word) == plain(end))?.1;
        Some((self.find(name)?, part))
    }

    /// What was expected instead of an unknown one.
    pub fn nearest(&self, text: &str) -> String {
        let wanted = plain(text);
        let best = self
            .names
            .iter()
            .map(|(name, n)| (strsim::normalized_damerau_levenshtein(name, &wanted), *n))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match best {
            Some((likeness, n)) if likeness >= 0.6 => {
                let indicator = &self.catalogue.indicators[n];
                format!("an indicator of the catalogue: did you mean \"{}\" ({})?", indicator.id, indicator.name.ru)
            }
            _ => format!("an indicator of the catalogue, by id or name; there are {}", self.catalogue.indicators.len()),
        }
    }

    /// Whether the catalogue has it.
    pub fn knows(&self, id: &IndicatorId) -> bool {
        self.catalogue.indicator(id).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_column_and_every_title_reads_back() {
        let mut seen = std::collections::HashMap::new();
        for names in &NAMES {
            for name in all_names(names) {
                let known = seen.insert(plain(name), names.0);
                assert!(known.is_none_or(|column| column == names.0), "{name} means {known:?} and {:?}", names.0);
            }
        }
        for column in Column::ALL {
            for language in ["kk", "ru", "en"] {
                assert_eq!(Column::of(column.title(language)), Some(column));
            }
            assert_eq!(Column::of(column.key()), Some(column));
        }
        assert_eq!(Column::nearly("Знчение"), Some("Значение"));
        assert_eq!(Column::nearly("Примечание"), None);
    }
}
