//! What the columns of a register file are called, and the words in them: Kazakh, Russian and English, as people write them.

use qorgan_alerts::store::{Connection, InstitutionKind};

/// A column of the register file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// Id; made from the name when absent.
    Id,
    /// Name in Kazakh.
    NameKk,
    /// Name in Russian.
    NameRu,
    /// Name in English.
    NameEn,
    /// What it is.
    Kind,
    /// KATO code.
    Area,
    /// Latitude, degrees.
    Lat,
    /// Longitude, degrees.
    Lon,
    /// Postal address.
    Address,
    /// How far it is connected.
    Status,
    /// Why it is not.
    Cause,
    /// Who answers for it.
    Owner,
    /// Until when.
    Deadline,
    /// Whose line connects it.
    Provider,
}

/// Names of a column: the technical one, then Kazakh, Russian, English as a template writes them, then others that people use.
type Names = (Column, &'static str, [&'static str; 3], &'static [&'static str]);

const NAMES: [Names; 14] = [
    (Column::Id, "id", ["Код", "Код", "Id"], &["идентификатор", "сәйкестендіргіш", "идентификатор объекта", "site"]),
    (
        Column::NameKk,
        "name_kk",
        ["Атауы (қазақша)", "Название (каз.)", "Name (Kazakh)"],
        &["атауы", "атауы қаз", "название на казахском", "наименование каз", "наименование на казахском", "name kz", "name_kz"],
    ),
    (
        Column::NameRu,
        "name_ru",
        ["Атауы (орысша)", "Название (рус.)", "Name (Russian)"],
        &["атауы орыс", "название", "наименование", "название на русском", "наименование рус", "наименование на русском"],
    ),
    (
        Column::NameEn,
        "name_en",
        ["Атауы (ағылшынша)", "Название (англ.)", "Name (English)"],
        &["name", "название на английском", "наименование англ", "наименование на английском"],
    ),
    (Column::Kind, "kind", ["Түрі", "Вид", "Kind"], &["type", "тип", "тип объекта", "вид объекта", "нысан түрі"]),
    (
        Column::Area,
        "area",
        ["КАТО коды", "Код КАТО", "KATO code"],
        &["kato", "като", "аудан", "район", "район (КАТО)", "district", "aýdan"],
    ),
    (Column::Lat, "lat", ["Ендік", "Широта", "Latitude"], &["latitude deg"]),
    (Column::Lon, "lon", ["Бойлық", "Долгота", "Longitude"], &["lng", "long"]),
    (Column::Address, "address", ["Мекенжайы", "Адрес", "Address"], &["мекенжай", "почтовый адрес"]),
    (
        Column::Status,
        "status",
        ["Күйі", "Статус", "Status"],
        &["мәртебесі", "мәртебе", "состояние", "подключение", "қосылуы", "состояние подключения"],
    ),
    (Column::Cause, "cause", ["Себебі", "Причина", "Cause"], &["себеп", "reason"]),
    (Column::Owner, "owner", ["Жауапты", "Ответственный", "Owner"], &["responsible", "жауапты тұлға", "ответственное лицо"]),
    (Column::Deadline, "deadline", ["Мерзімі", "Срок", "Deadline"], &["мерзім", "срок исполнения", "due", "due date"]),
    (Column::Provider, "provider", ["Провайдер", "Провайдер", "Provider"], &["оператор", "оператор связи", "байланыс операторы"]),
];

/// Columns without which nothing is imported.
pub const REQUIRED: [Column; 5] = [Column::NameKk, Column::NameRu, Column::Kind, Column::Area, Column::Status];

impl Column {
    /// Every column, in the order of the template.
    pub fn all() -> impl Iterator<Item = Column> {
        NAMES.iter().map(|(column, ..)| *column)
    }

    /// Technical name, as in JSON.
    pub fn key(self) -> &'static str {
        names(self).1
    }

    /// Name in the header of a template.
    pub fn title(self, language: &str) -> &'static str {
        let [kk, ru, en] = names(self).2;
        match language {
            "kk" => kk,
            "ru" => ru,
            _ => en,
        }
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

fn names(column: Column) -> &'static Names {
    // Every column stands in the table: a test looks.
    NAMES.iter().find(|n| n.0 == column).unwrap_or(&NAMES[0])
}

fn all_names(names: &'static Names) -> impl Iterator<Item = &'static str> {
    [names.1].into_iter().chain(names.2).chain(names.3.iter().copied())
}

/// Letters and digits only, lower case: "Название (каз.)" and "название_каз" are one.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).map(|c| if c == 'ё' { 'е' } else { c }).collect()
}

const KINDS: [(InstitutionKind, &[&str]); 5] = [
    (InstitutionKind::School, &["school", "мектеп", "школа", "лицей", "гимназия", "lyceum", "gymnasium", "колледж", "college"]),
    (InstitutionKind::Kindergarten, &["kindergarten", "балабақша", "детский сад", "детсад", "ясли-сад", "бөбекжай"]),
    (InstitutionKind::Hospital, &["hospital", "аурухана", "больница", "клиника", "емхана", "поликлиника", "clinic"]),
    (InstitutionKind::PublicPlace, &["public_place", "public place", "қоғамдық орын", "общественное место", "площадь", "алаң"]),
    (InstitutionKind::Other, &["other", "басқа", "другое", "иное", "прочее", "өзге"]),
];

const STATUSES: [(Connection, &[&str]); 3] = [
    (Connection::Connected, &["connected", "қосылған", "қосылды", "подключен", "подключена", "подключено", "подключён", "yes", "да", "иә"]),
    (Connection::InWork, &["in_work", "in work", "in progress", "жұмыста", "орындалуда", "в работе", "подключается", "қосылуда"]),
    (
        Connection::NotConnected,
        &[
            "not_connected",
            "not connected",
            "қосылмаған",
            "не подключен",
            "не подключена",
            "не подключено",
            "не подключён",
            "no",
            "нет",
            "жоқ",
        ],
    ),
];

fn find<T: Copy>(table: &[(T, &[&str])], text: &str) -> Option<T> {
    let text = plain(text);
    table.iter().find(|(_, words)| words.iter().any(|word| plain(word) == text)).map(|(value, _)| *value)
}

/// The kind that a word names.
pub fn kind(text: &str) -> Option<InstitutionKind> {
    find(&KINDS, text)
}

/// The status that a word names.
pub fn status(text: &str) -> Option<Connection> {
    find(&STATUSES, text)
}

/// The words of a template's example row, in a language.
pub fn example_words(language: &str) -> (&'static str, &'static str) {
    match language {
        "kk" => ("мектеп", "жұмыста"),
        "ru" => ("школа", "в работе"),
        _ => ("school", "in work"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_column_and_every_template_reads_back() {
        let mut seen = std::collections::HashMap::new();
        for names in &NAMES {
            for name in all_names(names) {
                let known = seen.insert(plain(name), names.0);
                assert!(known.is_none_or(|column| column == names.0), "{name} means {known:?} and {:?}", names.0);
            }
        }
        for column in Column::all() {
            for language in ["kk", "ru", "en"] {
                assert_eq!(Column::of(column.title(language)), Some(column));
            }
            assert_eq!(Column::of(column.key()), Some(column));
        }
    }

    #[test]
    fn headers_and_words_are_read_as_people_write_them() {
        assert_eq!(Column::of("  НАЗВАНИЕ (рус) "), Some(Column::NameRu));
        assert_eq!(Column::of("Телефон"), None);
        assert_eq!(Column::nearly("Отвественный"), Some("Ответственный"));
        assert_eq!(Column::nearly("Телефон"), None);
        assert_eq!(status("Не подключён"), Some(Connection::NotConnected));
        assert_eq!(status("ҚОСЫЛҒАН"), Some(Connection::Connected));
        assert_eq!(status("maybe"), None);
        assert_eq!(kind("Детский  сад"), Some(InstitutionKind::Kindergarten));
        for language in ["kk", "ru", "en"] {
            let (k, s) = example_words(language);
            assert_eq!((kind(k), status(s)), (Some(InstitutionKind::School), Some(Connection::InWork)));
        }
    }
}
