//! Numbers as people and table programs write them: decimal commas, blanks between thousands, per cent signs.

/// Why a text is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoNumber {
    /// Something else than digits, one mark and a sign.
    NotANumber,
    /// `1,234` is 1234 to some and 1.234 to others.
    Ambiguous,
}

impl NoNumber {
    /// What is expected instead.
    pub fn expected(self) -> &'static str {
        match self {
            NoNumber::NotANumber => "a number such as 1234.5 or 1 234,5",
            NoNumber::Ambiguous => {
                "a number that can be read in one way only: is it 1234 or 1.234? Write it without the comma, or with a point"
            }
        }
    }
}

/// Blanks that stand between thousands: plain, no-break, thin, narrow no-break, figure; and the apostrophe of Swiss files.
fn is_group(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{2007}' | '\'' | '’')
}

/// Reads a number. The mark that comes last is the decimal one; groups of thousands must have three digits.
pub fn read(text: &str) -> Result<f64, NoNumber> {
    let text = text.trim().trim_end_matches(['%', '‰']).trim_end_matches(is_group);
    let (negative, digits) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let no = Err(NoNumber::NotANumber);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',') {
        return no;
    }
    let (body, exponent) = match digits.split_once(['e', 'E']) {
        Some((body, exponent)) => (body, exponent.parse::<i32>().map_err(|_| NoNumber::NotANumber)?),
        None => (digits, 0),
    };
    if !body.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',' || is_group(c)) {
        return no;
    }
    let (points, commas) = (body.matches('.').count(), body.matches(',').count());
    let decimal = match (points, commas) {
        (0, 0) => None,
        (1, 0) => Some('.'),
        (0, 1) => Some(','),
        (1, 1..) if body.rfind('.') > body.rfind(',') => Some('.'),
        (1.., 1) if body.rfind(',') > body.rfind('.') => Some(','),
        // Many of one kind stand between thousands.
        (2.., 0) | (0, 2..) => None,
        _ => return no,
    };
    let (whole, fraction) = match decimal.and_then(|mark| body.rsplit_once(mark)) {
        Some((whole, fraction)) => (whole, fraction),
        None => (body, ""),
    };
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return no;
    }
    let grouped = whole.contains(|c: char| !c.is_ascii_digit());
    if grouped && !groups_are_right(whole) {
        return no;
    }
    let alone = decimal == Some(',') && !grouped && fraction.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
    if alone {
        return Err(NoNumber::Ambiguous);
    }
    let plain: String = whole.chars().filter(char::is_ascii_digit).collect();
    if plain.is_empty() && fraction.is_empty() {
        return no;
    }
    let number: f64 = format!("{plain}.{fraction}e{exponent}").parse().map_err(|_| NoNumber::NotANumber)?;
    Ok(if negative { -number } else { number })
}

/// One kind of mark between groups of three digits.
fn groups_are_right(whole: &str) -> bool {
    let mut marks = whole.chars().filter(|c| !c.is_ascii_digit());
    let Some(mark) = marks.next() else { return true };
    if !marks.all(|other| other == mark) {
        return false;
    }
    let mut groups = whole.split(mark);
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written_here() {
        for (text, number) in [
            ("12", 12.0),
            ("12,5", 12.5),
            ("12.5", 12.5),
            (" 1 234,56 ", 1234.56),
            ("1\u{a0}234\u{a0}567", 1_234_567.0),
            ("1\u{202f}234,5", 1234.5),
            ("1,234.56", 1234.56),
            ("1.234,56", 1234.56),
            ("1,234,567", 1_234_567.0),
            ("-3,2 %", -3.2),
            ("\u{2212}4", -4.0),
            ("0,125", 0.125),
            ("1.234", 1.234),
            ("1234,567", 1234.567),
            ("1e3", 1000.0),
            ("1,5E-2", 0.015),
            ("1e308", 1e308),
            (",5", 0.5),
            ("5,", 5.0),
        ] {
            assert_eq!(read(text), Ok(number), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_number_or_two_is_refused() {
        for text in [
            "",
            "NaN",
            "nan",
            "inf",
            "-inf",
            "Infinity",
            "12 a",
            "1 23",
            "12 34",
            "1.2.3",
            "1,2,3",
            "--1",
            "1-2",
            "۱۲",
            "０",
            ".",
            "1 234.5,6",
            "e5",
            "1e",
            "0x10",
        ] {
            assert_eq!(read(text), Err(NoNumber::NotANumber), "{text:?}");
        }
        for text in ["1,234", "12,500", "999,999"] {
            assert_eq!(read(text), Err(NoNumber::Ambiguous), "{text:?}");
        }
        // Too large for a number: the range check of the catalogue has the last word.
        assert_eq!(read("1e400"), Ok(f64::INFINITY));
    }
}
