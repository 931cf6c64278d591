//! CSV in the encodings of table programs.

use std::borrow::Cow;

use super::{Cell, MAX_COLUMNS, MAX_ROWS, Row, STEP, Sheet, TableError, text_cell};

/// How a text file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without its mark.
    Utf8,
    /// UTF-16, by its mark; little-endian without one.
    Utf16,
    /// The Windows code page of Russian, with the Kazakh letters of KZ-1048 (STRK1048).
    Windows1251,
}

impl Encoding {
    /// By its name.
    pub fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Encoding::Utf8),
            "utf-16" | "utf16" => Some(Encoding::Utf16),
            "windows-1251" | "cp1251" | "1251" => Some(Encoding::Windows1251),
            _ => None,
        }
    }
}

pub(super) fn read(bytes: &[u8], encoding: Option<Encoding>, progress: &dyn Fn(usize)) -> Result<Sheet, TableError> {
    let text = decode(bytes, encoding)?;
    if let Some(at) = text.find('\0') {
        return Err(TableError::Encoding(format!("the file is no text: it holds a zero byte (at {at})")));
    }
    let text: &str = &text;
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator(text)).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let (mut counted, mut lines) = (0, 1_usize);
    let mut record = ::csv::StringRecord::new();
    loop {
        let more = reader
            .read_record(&mut record)
            .map_err(|error| TableError::Csv { line: error.position().map_or(0, ::csv::Position::line), reason: error.to_string() })?;
        if !more {
            break;
        }
        // The reader says where it began to look: blank lines before the row are not the row.
        let begin = record.position().and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or_default();
        let blank = text.get(begin..).map_or(0, |rest| rest.len() - rest.trim_start_matches(['\r', '\n']).len());
        let at = (begin + blank).min(text.len()).max(counted);
        lines += text.as_bytes()[counted..at].iter().filter(|byte| **byte == b'\n').count();
        counted = at;
        let cells: Vec<(u32, Cell)> =
            (0..MAX_COLUMNS).zip(record.iter()).filter_map(|(column, text)| Some((column, text_cell(text)?))).collect();
        if cells.is_empty() {
            continue;
        }
        if rows.len() == MAX_ROWS {
            return Err(TableError::Rows);
        }
        rows.push(Row { number: u32::try_from(lines).unwrap_or(u32::MAX), cells });
        if rows.len().is_multiple_of(STEP) {
            progress(rows.len());
        }
    }
    if rows.is_empty() {
        return Err(TableError::Empty);
    }
    Ok(Sheet { rows, ..Sheet::default() })
}

fn decode(bytes: &[u8], encoding: Option<Encoding>) -> Result<Cow<'_, str>, TableError> {
    let refuse = |why: String| Err(TableError::Encoding(why));
    let marked = match bytes {
        [0xEF, 0xBB, 0xBF, ..] => Some(Encoding::Utf8),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some(Encoding::Utf16),
        _ => None,
    };
    match marked.or(encoding) {
        Some(Encoding::Utf8) => utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)),
        Some(Encoding::Utf16) => utf16(bytes),
        Some(Encoding::Windows1251) => Ok(kz1048(bytes)),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(error) => {
                // A code page has a letter for nearly every byte: only texts that read as Cyrillic words are believed.
                let text = kz1048(bytes);
                if is_cyrillic_text(&text) {
                    return Ok(text);
                }
                let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
                detector.feed(bytes, true);
                let guess = detector.guess(Some(b"kz".as_slice()), chardetng::Utf8Detection::Deny);
                refuse(format!("the file is neither UTF-8 (byte {}) nor Windows-1251; it may be {}", error.valid_up_to(), guess.name()))
            }
        },
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, TableError> {
    let fail = |error: std::str::Utf8Error| TableError::Encoding(format!("the file is not UTF-8 (byte {})", error.valid_up_to()));
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(fail)
}

fn utf16(bytes: &[u8]) -> Result<Cow<'_, str>, TableError> {
    let encoding = if bytes.starts_with(&[0xFE, 0xFF]) { encoding_rs::UTF_16BE } else { encoding_rs::UTF_16LE };
    let (text, broken) = encoding.decode_with_bom_removal(bytes);
    if broken { Err(TableError::Encoding("the file is not UTF-16".into())) } else { Ok(text) }
}

/// Letters of KZ-1048 in the places where Windows-1251 has Serbian, Ukrainian and Belarusian ones, which nobody here writes.
const KAZAKH: [(char, char); 16] = [
    ('Ќ', 'Қ'),
    ('Ћ', 'Һ'),
    ('ќ', 'қ'),
    ('ћ', 'һ'),
    ('Ў', 'Ұ'),
    ('ў', 'ұ'),
    ('Ј', 'Ә'),
    ('Ґ', 'Ө'),
    ('Є', 'Ғ'),
    ('Ї', 'Ү'),
    ('ґ', 'ө'),
    ('є', 'ғ'),
    ('ј', 'ә'),
    ('Ѕ', 'Ң'),
    ('ѕ', 'ң'),
    ('ї', 'ү'),
];

fn kz1048(bytes: &[u8]) -> Cow<'static, str> {
    let (text, _) = encoding_rs::WINDOWS_1251.decode_without_bom_handling(bytes);
    Cow::Owned(text.chars().map(|c| KAZAKH.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to)).collect())
}

/// Words of Cyrillic letters in one case or with a capital at their beginning, and hardly anything else beyond ASCII.
fn is_cyrillic_text(text: &str) -> bool {
    let strange = text.chars().filter(|c| !c.is_ascii()).count();
    let letters = text.chars().filter(|c| ('А'..='я').contains(c) || "ёЁәғқңөұүһіӘҒҚҢӨҰҮҺІ".contains(*c)).count();
    let odd = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_ascii() && (mixes_cases(word) || word.chars().any(|c| c.is_ascii_alphabetic())))
        .count();
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_ascii()).count();
    letters > 0 && letters * 100 >= strange * 85 && odd * 10 <= words
}

fn mixes_cases(word: &str) -> bool {
    let mut letters = word.chars();
    let first_is_small = letters.next().is_some_and(char::is_lowercase);
    let (small, large) = letters.fold((0, 0), |(s, l), c| if c.is_lowercase() { (s + 1, l) } else { (s, l + 1) });
    large > 0 && (small > 0 || first_is_small)
}

/// Lines that are looked at for a separator: titles stand above a table.
const HEAD: usize = 20;

/// The separator, outside of quotes. Tabs and semicolons that part three cells and more are believed before commas, which also stand in
/// numbers and titles; else what stands more often in the first line that holds one.
fn separator(text: &str) -> u8 {
    let lines: Vec<String> = text.lines().take(HEAD).map(|line| line.split('"').step_by(2).collect()).collect();
    let most = |c: char| lines.iter().map(|line| line.matches(c).count()).max().unwrap_or(0);
    if let Some(c) = ['\t', ';'].into_iter().find(|c| most(*c) >= 2) {
        return if c == '\t' { b'\t' } else { b';' };
    }
    let line = lines.iter().find(|line| line.contains(['\t', ';', ','])).map(String::as_str).unwrap_or_default();
    let all = [(b'\t', '\t'), (b';', ';'), (b',', ',')];
    all.into_iter().max_by_key(|(_, c)| line.matches(*c).count()).map_or(b',', |(byte, _)| byte)
}
