//! Counts of requests for whoever may not read the requests themselves.
//!
//! Every count is rounded down to whole tens, and none stands where that is nothing. So no answer tells of fewer than ten, and the
//! difference of any two answers, or of any sum of answers, is a multiple of ten: never 1 to 9, whatever is asked for, however often.

/// What counts are rounded down to.
pub const STEP: u64 = 10;

/// A count as it may be told; none below ten.
pub fn count(exact: u64) -> Option<u64> {
    let told = exact - exact % STEP;
    (told > 0).then_some(told)
}

/// A share in per cent with one decimal, of counts that may be told both.
pub fn percent(part: u64, whole: u64) -> Option<f64> {
    let (part, whole) = (count(part)?, count(whole)?);
    Some(share(part, whole))
}

/// Per cent with one decimal; the share of nothing is nothing.
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 * 1_000.0 / whole as f64).round() / 10.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_answer_below_ten_and_no_difference_of_one_to_nine(counts in proptest::collection::vec(0..500_u64, 1..20), cut in 0..20_usize, more in 0..9_u64) {
            let told: Vec<u64> = counts.iter().filter_map(|c| count(*c)).collect();
            prop_assert!(told.iter().all(|c| *c >= 10));
            // A district, a part of it, the whole, the whole a day later: sums and differences of what is told.
            let (a, b): (u64, u64) = (counts.iter().sum(), counts.iter().skip(cut).sum());
            for (x, y) in [(a, b), (a, a + more), (b, b + more)] {
                let (x, y) = (count(x).unwrap_or(0), count(y).unwrap_or(0));
                prop_assert_eq!(x.abs_diff(y) % 10, 0);
            }
            prop_assert_eq!(told.iter().sum::<u64>() % 10, 0);
        }
    }

    #[test]
    fn shares_are_of_what_is_told() {
        assert_eq!((count(9), count(10), count(19), count(123)), (None, Some(10), Some(10), Some(120)));
        assert_eq!(percent(3, 100), None);
        assert_eq!(percent(39, 99), Some(33.3));
        assert_eq!(share(0, 0), 0.0);
    }
}
