//! Reference numbers: sixteen digits, the last of them a check digit, written in fours like the number of a bank card.
//!
//! Digits only: the same on every keyboard, over the telephone and for a voice system. Fifteen of them are random, so that with ten
//! million requests on file one guess in a hundred million meets one; the check digit catches every single wrong digit and every
//! swap of neighbours (Damm, 2004).

use std::{fmt, str::FromStr};

/// The quasigroup of Damm's dissertation; totally anti-symmetric, order 10.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// Digits of a reference, the check digit among them.
const DIGITS: usize = 16;

/// Number by which a resident asks for a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference(String);

/// A text that is no reference number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Other signs than digits, blanks and dashes, or not sixteen digits.
    #[error("a reference number has 16 digits, such as 4812-0937-5561-2048")]
    Shape,
    /// A digit is wrong or two are swapped.
    #[error("the check digit does not fit: a digit is wrong, or two are swapped")]
    Check,
}

impl Reference {
    /// The reference of a random number; every number gives one, and 9 x 10^14 of them differ.
    pub fn from_random(random: u64) -> Self {
        let body = 100_000_000_000_000 + random % 900_000_000_000_000;
        let mut digits = body.to_string();
        let check = damm(digits.bytes().map(|b| b - b'0'));
        digits.push(char::from(b'0' + check));
        Self(digits)
    }

    /// The sixteen digits, as they are stored.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, digit) in self.0.chars().enumerate() {
            if n > 0 && n % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let mut digits = String::with_capacity(DIGITS);
        for c in text.chars() {
            match c {
                '0'..='9' if digits.len() < DIGITS => digits.push(c),
                ' ' | '-' | '\u{a0}' | '\u{2010}'..='\u{2014}' => {}
                _ => return Err(ReferenceError::Shape),
            }
        }
        if digits.len() != DIGITS {
            return Err(ReferenceError::Shape);
        }
        if damm(digits.bytes().map(|b| b - b'0')) != 0 {
            return Err(ReferenceError::Check);
        }
        Ok(Self(digits))
    }
}

/// The check digit of a row of digits; 0 for a row that ends with its check digit.
fn damm(digits: impl Iterator<Item = u8>) -> u8 {
    digits.fold(0, |state, digit| DAMM[usize::from(state)][usize::from(digit)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_type_reads_and_what_is_none_does_not() {
        let reference = Reference::from_random(381_209_375_561_204);
        let shown = reference.to_string();
        assert_eq!(shown.len(), 19);
        for typed in [shown.clone(), shown.replace('-', ""), shown.replace('-', " "), format!(" {shown} "), shown.replace('-', "\u{2013}")]
        {
            assert_eq!(typed.parse(), Ok(reference.clone()), "{typed:?}");
        }
        for bad in ["", "1", "4812-0937-5561-204x", "٤٨١٢٠٩٣٧٥٥٦١٢٠٤٨", &"1".repeat(400), "4812-0937-5561-2048-1"] {
            assert_eq!(bad.parse::<Reference>(), Err(ReferenceError::Shape), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_and_two_swapped_neighbours_are_noticed(random: u64, at in 0..16_usize, by in 1..10_u8) {
            let reference = Reference::from_random(random);
            prop_assert_eq!(reference.to_string().parse(), Ok(reference.clone()));
            let mut wrong = reference.digits().as_bytes().to_vec();
            wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(wrong.parse::<Reference>(), Err(ReferenceError::Check));
            let mut swapped = reference.digits().as_bytes().to_vec();
            let next = (at + 1) % 16;
            if next > 0 && swapped[at] != swapped[next] {
                swapped.swap(at, next);
                prop_assert_eq!(String::from_utf8(swapped).unwrap().parse::<Reference>(), Err(ReferenceError::Check));
            }
        }
    }
}
