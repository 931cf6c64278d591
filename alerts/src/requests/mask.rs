//! Takes out of a text what a person should not leave in it, before it is stored: IIN, phone, bank card, e-mail, account name, link.
//!
//! The resident is told what was taken out. Names are not recognised: a list of names would miss most and hit places.

use serde::{Deserialize, Serialize};

/// What stands in place of what was taken out.
const GAP: &str = "[…]";
/// A phone number without a country stands near one of these words.
const PHONE_WORDS: [&str; 8] = ["тел", "моб", "сот", "қоңырау", "нөмір", "номер", "phone", "call"];

/// What was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Masked {
    /// Individual identification number.
    Iin,
    /// Phone number.
    Phone,
    /// Bank card or account.
    Card,
    /// E-mail address.
    Email,
    /// Account name (`@name`).
    Handle,
    /// Address of a page.
    Link,
}

impl Masked {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Masked::Iin => "iin",
            Masked::Phone => "phone",
            Masked::Card => "card",
            Masked::Email => "email",
            Masked::Handle => "handle",
            Masked::Link => "link",
        }
    }
}

/// A text without control characters, invisible and direction-changing signs, with lines that people made; trimmed.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\r' => {}
            '\n' => {
                // No more than one empty line in a row.
                if !out.ends_with("\n\n") {
                    out.push('\n');
                }
            }
            '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => out.push(' '),
            // Zero width, direction marks, tags, object marks: nobody sees them, and they would cut a number in two.
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffc}' => {}
            '\u{e0000}'..='\u{e007f}' => {}
            '\u{ff10}'..='\u{ff19}' => out.push(digit(c, 0xff10)),
            '\u{660}'..='\u{669}' => out.push(digit(c, 0x660)),
            '\u{6f0}'..='\u{6f9}' => out.push(digit(c, 0x6f0)),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

fn digit(c: char, zero: u32) -> char {
    char::from_digit((c as u32).saturating_sub(zero), 10).unwrap_or(c)
}

/// A cleaned text with gaps, and what was taken out (each kind once, in the order of the kinds).
pub fn mask(text: &str) -> (String, Vec<Masked>) {
    let text = clean(text);
    let chars: Vec<char> = text.chars().collect();
    let mut spans: Vec<(usize, usize, Masked)> = Vec::new();
    words(&chars, &mut spans);
    numbers(&chars, &mut spans);
    spans.sort_by_key(|span| (span.0, usize::MAX - span.1));
    let (mut out, mut at, mut kinds) = (String::with_capacity(text.len()), 0, Vec::new());
    for (from, to, kind) in spans {
        if from < at {
            continue;
        }
        out.extend(&chars[at..from]);
        out.push_str(GAP);
        at = to;
        kinds.push(kind);
    }
    out.extend(&chars[at..]);
    kinds.sort_unstable();
    kinds.dedup();
    (out, kinds)
}

/// E-mail addresses, account names, links and account numbers: each is one run without blanks.
fn words(chars: &[char], spans: &mut Vec<(usize, usize, Masked)>) {
    let mut from = 0;
    while from < chars.len() {
        if chars[from].is_whitespace() {
            from += 1;
            continue;
        }
        let to = chars[from..].iter().position(|c| c.is_whitespace()).map_or(chars.len(), |n| from + n);
        // Brackets and the comma after a word do not belong to it.
        let edge = |c: &char| matches!(c, ',' | '.' | ';' | ':' | '!' | '?' | ')' | '(' | '"' | '«' | '»' | '<' | '>' | '\'' | '“' | '”');
        let head = from + chars[from..to].iter().take_while(|c| edge(c)).count();
        let tail = to - chars[head.min(to)..to].iter().rev().take_while(|c| edge(c)).count();
        if head < tail
            && let Some(kind) = kind_of_word(&chars[head..tail].iter().collect::<String>().to_lowercase())
        {
            spans.push((head, tail, kind));
        }
        from = to;
    }
}

fn kind_of_word(word: &str) -> Option<Masked> {
    let hosts = ["t.me/", "wa.me/", "vk.com/", "instagram.com/", "facebook.com/", "tiktok.com/", "youtube.com/"];
    if word.contains("://") || word.starts_with("www.") || hosts.iter().any(|host| word.contains(host)) {
        return Some(Masked::Link);
    }
    if let Some((name, host)) = word.rsplit_once('@') {
        let fits = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "._-+%".contains(c));
        if !name.is_empty() && host.contains('.') && fits(name) && fits(host) {
            return Some(Masked::Email);
        }
        if name.is_empty() && host.chars().count() >= 3 && host.chars().any(char::is_alphabetic) {
            return Some(Masked::Handle);
        }
    }
    // IBAN of Kazakhstan: KZ and eighteen letters or digits, thirteen digits at least among the usual ones.
    let account = word.len() == 20 && word.starts_with("kz") && word.chars().all(|c| c.is_ascii_alphanumeric());
    (account && word.chars().filter(char::is_ascii_digit).count() >= 8).then_some(Masked::Card)
}

/// Runs of digits that belong together, judged by their length and shape.
fn numbers(chars: &[char], spans: &mut Vec<(usize, usize, Masked)>) {
    let mut at = 0;
    while at < chars.len() {
        if !chars[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let run = run_of_digits(chars, at);
        let before: String = chars[at.saturating_sub(14)..at].iter().collect::<String>().to_lowercase();
        let plus = before.trim_end_matches(['(', ' ']).ends_with('+');
        let hinted = PHONE_WORDS.iter().any(|word| before.contains(word));
        match longest(&run, plus, hinted) {
            Some((digits, kind)) => {
                let end = run[digits - 1].0 + 1;
                spans.push((at, end, kind));
                at = end;
            }
            // Past this group, not past the whole run: "12 8 701 ..." holds a number behind the first group.
            None => at += chars[at..].iter().take_while(|c| c.is_ascii_digit()).count(),
        }
    }
}

/// Digits from a place on, with their places, over single separators (two in a row at most).
fn run_of_digits(chars: &[char], from: usize) -> Vec<(usize, u8)> {
    let (mut run, mut gap) = (Vec::new(), 0);
    for (n, c) in chars[from..].iter().enumerate() {
        match c.to_digit(10) {
            Some(digit) => {
                // One digit fits a byte.
                run.push((from + n, u8::try_from(digit).unwrap_or(0)));
                gap = 0;
            }
            None if gap < 2 && matches!(c, ' ' | '-' | '(' | ')' | '.' | '/' | '\u{2010}'..='\u{2015}') => gap += 1,
            None => break,
        }
        if run.len() > 20 {
            break;
        }
    }
    run
}

/// The longest beginning of a run that is a number of a person, ending where a group of digits ends.
fn longest(run: &[(usize, u8)], plus: bool, hinted: bool) -> Option<(usize, Masked)> {
    let digits: Vec<u8> = run.iter().map(|(_, digit)| *digit).collect();
    let ends_group = |n: usize| run.get(n).is_none_or(|next| next.0 != run[n - 1].0 + 1);
    (5..=digits.len()).rev().filter(|n| ends_group(*n)).find_map(|n| Some((n, kind_of_number(&digits[..n], plus, hinted)?)))
}

fn kind_of_number(digits: &[u8], plus: bool, hinted: bool) -> Option<Masked> {
    match (digits.len(), digits.first()?) {
        (16, _) if luhn(digits) => Some(Masked::Card),
        (12, _) if is_iin(digits) => Some(Masked::Iin),
        (11, 7 | 8) => Some(Masked::Phone),
        (10..=15, _) if plus => Some(Masked::Phone),
        (10, 7) => Some(Masked::Phone),
        // Numbers of a town have five to seven digits, and look like any other number.
        (5..=7, _) if hinted => Some(Masked::Phone),
        _ => None,
    }
}

/// A date of birth and a digit for century and sex, as in the rules on the IIN. The check digit is not asked for: a slip of the finger
/// leaves a number that is as good as the right one. A BIN has the kind of the firm where the day of birth stands, and is none.
fn is_iin(digits: &[u8]) -> bool {
    let two = |n: usize| digits[n] * 10 + digits[n + 1];
    (1..=12).contains(&two(2)) && (1..=31).contains(&two(4)) && digits[6] <= 6
}

/// The check of bank cards (ISO/IEC 7812-1).
fn luhn(digits: &[u8]) -> bool {
    let doubled = |(n, digit): (usize, &u8)| match n % 2 {
        0 => u32::from(*digit),
        _ => u32::from(*digit) * 2 / 10 + u32::from(*digit) * 2 % 10,
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_belongs_to_a_person_is_taken_out_and_named() {
        for (text, kind) in [
            ("ЖСН 860412300123, үйде жылу жоқ", Masked::Iin),
            ("звоните 8 (701) 123-45-67 вечером", Masked::Phone),
            ("звоните +7 701 1234567", Masked::Phone),
            ("тел. 45-67-89", Masked::Phone),
            ("87011234567", Masked::Phone),
            ("7 7 0 1 1 2 3 4 5 6 7", Masked::Phone),
            ("карта 4111 1111 1111 1111", Masked::Card),
            ("счёт KZ86125KZT5004100100", Masked::Card),
            ("пишите (aigerim.s@mail.kz)!", Masked::Email),
            ("менің аккаунтым @aigerim_s", Masked::Handle),
            ("видео https://t.me/x/12 смотрите", Masked::Link),
            ("t.me/aigerim", Masked::Link),
            ("кв 12, 8 701 123 45 67", Masked::Phone),
            ("8\u{200b}7011\u{2060}234567", Masked::Phone),
            ("８７０１１２３４５６７", Masked::Phone),
        ] {
            let (masked, kinds) = mask(text);
            assert_eq!(kinds, [kind], "{text}: {masked}");
            assert!(masked.contains(GAP) && !masked.contains("1234567") && !masked.contains("aigerim"), "{masked}");
        }
    }

    #[test]
    fn what_a_service_needs_stays() {
        for text in [
            "Абай көшесі 12, 45-пәтер, 3 қабат, жылу 2 күн жоқ",
            "с 2026-11-20 10:30 нет света, дом 17/2 корпус 3",
            "автобус 12 жүрмейді, 08:00–09:00",
            "БСН 021240003218 кеңсесі",
            "договор 4501-2234",
            "120 000 теңге, 1 500 метр",
            "цена 8 000",
            "№ 17 мектеп; 100%",
        ] {
            assert_eq!(mask(text), (text.to_owned(), vec![]));
        }
    }

    #[test]
    fn invisible_signs_and_walls_of_blank_lines_go() {
        assert_eq!(clean("\u{feff}а\u{0}б\r\n\n\n\n\nв\u{202e}г\t "), "аб\n\nвг");
        assert_eq!(clean("\u{7}\u{1b}[31mқызыл"), "[31mқызыл");
    }

    proptest! {
        #[test]
        fn no_mobile_number_survives(prefix in "[а-яА-Я ]{0,12}", number in 0..1_000_000_000_u64, style in 0..5_u8, suffix in "[а-я ,.]{0,12}") {
            let digits = format!("{number:09}");
            let (a, b, c, d) = (&digits[..2], &digits[2..5], &digits[5..7], &digits[7..]);
            let phone = match style {
                0 => format!("+77{a}{b}{c}{d}"),
                1 => format!("8 7{a} {b} {c} {d}"),
                2 => format!("8(7{a}){b}-{c}-{d}"),
                3 => format!("+7 (7{a}) {b}-{c}-{d}"),
                _ => format!("77{a}{b}{c}{d}"),
            };
            let (masked, kinds) = mask(&format!("{prefix} {phone} {suffix}"));
            prop_assert!(kinds.contains(&Masked::Phone), "{masked}");
            prop_assert!(masked.chars().filter(char::is_ascii_digit).count() <= 1, "{masked}");
        }

        #[test]
        fn masking_never_fails_and_what_it_leaves_is_left_again(text in "\\PC{0,200}") {
            let (masked, _) = mask(&text);
            prop_assert_eq!(clean(&masked), masked.clone());
        }
    }
}
