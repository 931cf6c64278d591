//! Periods as people write them in tables: `2026-10`, `10.2026`, `қазан 2026`, `III квартал 2026`, a date of the table program.

use jiff::civil::Date;
use qorgan_domain::period::{Period, PeriodKind};

/// Month names, each in the forms that stand in tables; matched by their beginnings.
const MONTHS: [[&str; 3]; 12] = [
    ["қаңтар", "январ", "january"],
    ["ақпан", "феврал", "february"],
    ["наурыз", "март", "march"],
    ["сәуір", "апрел", "april"],
    ["мамыр", "ма", "may"],
    ["маусым", "июн", "june"],
    ["шілде", "июл", "july"],
    ["тамыз", "август", "august"],
    ["қыркүйек", "сентябр", "september"],
    ["қазан", "октябр", "october"],
    ["қараша", "ноябр", "november"],
    ["желтоқсан", "декабр", "december"],
];

/// The period that a text names.
pub fn read(text: &str) -> Option<Period> {
    let text = text.trim();
    if let Ok(period) = text.parse() {
        return Some(period);
    }
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| c.is_whitespace() || matches!(c, '.' | '/' | '-' | ',')).filter(|w| !w.is_empty()).collect();
    let year = |word: &str| word.trim_end_matches(|c: char| !c.is_ascii_digit()).parse::<u16>().ok().filter(|y| (1991..=2199).contains(y));
    // "2026 год", "2026 жыл", "10.2026", "2026/10", "31.10.2026"
    let numbers: Vec<u16> = words.iter().filter_map(|w| w.parse().ok()).collect();
    if numbers.len() == words.len() {
        return match numbers[..] {
            [month @ 1..=12, year] | [year, month @ 1..=12] if (1991..=2199).contains(&year) => {
                format!("{year:04}-{month:02}").parse().ok()
            }
            [day @ 1..=31, month @ 1..=12, year @ 1991..=2199] => format!("{year:04}-{month:02}-{day:02}").parse().ok(),
            _ => None,
        };
    }
    let the_year = words.iter().find_map(|w| year(w))?;
    let rest: Vec<&&str> =
        words.iter().filter(|w| year(w).is_none() && !["год", "года", "г", "жыл", "жылы", "жылғы", "ж", "year"].contains(*w)).collect();
    match rest[..] {
        [] => format!("{the_year:04}").parse().ok(),
        [one] => {
            let month = MONTHS.iter().position(|names| is_month(one, names));
            let month = month.map(|n| format!("{the_year:04}-{:02}", n + 1));
            let quarter = || one.strip_prefix('q').or(one.strip_suffix(['q', 'к'])).and_then(roman).map(|q| format!("{the_year:04}-Q{q}"));
            month.or_else(quarter)?.parse().ok()
        }
        [a, b] => {
            let is_quarter = |w: &str| w.starts_with("кв") || w.starts_with("тоқсан") || w.starts_with("quarter");
            let number = if is_quarter(b) {
                a
            } else if is_quarter(a) {
                b
            } else {
                return None;
            };
            format!("{the_year:04}-Q{}", roman(number)?).parse().ok()
        }
        _ => None,
    }
}

fn is_month(word: &str, names: &[&str; 3]) -> bool {
    let [kk, ru, en] = names;
    // "май", "мая", "мае": two letters alone would also be the beginning of March.
    let russian = if *ru == "ма" {
        ["май", "мая", "мае"].contains(&word)
    } else {
        word.starts_with(ru) && word.chars().count() <= ru.chars().count() + 2
    };
    word.starts_with(kk) || russian || *en == word || (word.len() == 3 && en.starts_with(word))
}

fn roman(word: &str) -> Option<u8> {
    match word.trim_end_matches(['-', 'й', 'ы', 'і', 'ш']) {
        "1" | "i" | "і" => Some(1),
        "2" | "ii" | "іі" => Some(2),
        "3" | "iii" | "ііі" => Some(3),
        "4" | "iv" | "іv" => Some(4),
        _ => None,
    }
}

/// The period that a date of the table program stands for, where a kind is expected: table programs make dates of `2026-10`.
pub fn of_date(date: Date, kind: PeriodKind) -> Option<Period> {
    let period = Period::of(kind, date).ok()?;
    // Another day than the first or last is a day, not a month.
    (kind == PeriodKind::Day || date == period.first_day() || date == period.last_day()).then_some(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_people_write_them() {
        for (text, period) in [
            ("2026", "2026"),
            ("2026-10", "2026-10"),
            ("2026-W47", "2026-W47"),
            ("10.2026", "2026-10"),
            ("2026/10", "2026-10"),
            ("31.10.2026", "2026-10-31"),
            ("2026 год", "2026"),
            ("2026 жыл", "2026"),
            ("2026 жылғы қазан", "2026-10"),
            ("Октябрь 2026 г.", "2026-10"),
            ("октября 2026", "2026-10"),
            ("май 2026", "2026-05"),
            ("март 2026", "2026-03"),
            ("Oct 2026", "2026-10"),
            ("III квартал 2026", "2026-Q3"),
            ("3 кв. 2026 г.", "2026-Q3"),
            ("2026 жылғы 3-тоқсан", "2026-Q3"),
            ("Q3 2026", "2026-Q3"),
        ] {
            assert_eq!(read(text).map(|p| p.to_string()).as_deref(), Some(period), "{text}");
        }
        for text in ["", "10", "13.2026", "32.10.2026", "2026-13", "2206-", "октябрь", "V квартал 2026", "ма 2026", "2026 2027", "1026"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_is_a_month_only_on_its_first_or_last_day() {
        let date = jiff::civil::date;
        let said = |d, kind| of_date(d, kind).map(|p| p.to_string());
        assert_eq!(said(date(2026, 10, 1), PeriodKind::Month).as_deref(), Some("2026-10"));
        assert_eq!(said(date(2026, 9, 30), PeriodKind::Quarter).as_deref(), Some("2026-Q3"));
        assert_eq!(said(date(2026, 10, 5), PeriodKind::Month), None);
        assert_eq!(said(date(2026, 10, 5), PeriodKind::Day).as_deref(), Some("2026-10-05"));
    }
}
