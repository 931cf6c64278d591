//! KATO codes, nine digits: two for the oblast or city of the republic, two for the district, two for the rural okrug, three for
//! the settlement; zeros say that the level is not reached.

use std::collections::HashSet;

use geo::{Contains, InteriorPoint};
use qorgan_alerts::intake::disclosure::kato_parent as parent;
use qorgan_domain::AreaCode;

use super::{Area, KatoProblem};

/// Oblasts and cities of the republic since 2022.
const REGIONS: [&str; 20] =
    ["10", "11", "15", "19", "23", "27", "31", "33", "35", "39", "43", "47", "55", "59", "61", "62", "63", "71", "75", "79"];

/// Digits at which a level ends.
const ENDS: [usize; 4] = [2, 4, 6, 9];

/// How far down a code goes: 1 oblast, 2 district, 3 rural okrug, 4 settlement.
pub(super) fn level(code: &AreaCode) -> usize {
    let digits = code.as_str();
    (1..4).find(|level| digits[ENDS[level - 1]..].bytes().all(|b| b == b'0')).unwrap_or(4)
}

/// Every area above.
pub(super) fn ancestors(code: &AreaCode) -> impl Iterator<Item = AreaCode> {
    std::iter::successors(parent(code), parent)
}

/// What is doubtful about the codes of a file: none of it keeps an area out.
pub(super) fn problems(areas: &[Area]) -> Vec<KatoProblem> {
    let known: HashSet<&AreaCode> = areas.iter().map(|a| &a.code).collect();
    let oblasts = areas.iter().any(|a| level(&a.code) == 1);
    let mut problems = Vec::new();
    for area in areas {
        let digits = area.code.as_str();
        let mut problem = |text: String| problems.push(KatoProblem { code: area.code.to_string(), problem: text });
        if !REGIONS.contains(&&digits[..2]) {
            problem(format!("no oblast or city of the republic has the code {}", &digits[..2]));
        }
        let skipped = (1..level(&area.code)).find(|level| digits[ENDS[level - 1]..ENDS[*level]].bytes().all(|b| b == b'0'));
        // The seat of a level may stand right under it: 00 for the okrug of a city is usual, 00 for a district is not.
        if skipped == Some(1) {
            problem("the digits of the district are 00, but those after them are not".into());
        }
        let above = parent(&area.code).and_then(|code| areas.iter().find(|a| a.code == code));
        if let Some(above) = above
            && let Some(point) = area.outline.interior_point()
            && !above.outline.contains(&point)
        {
            problem(format!("by its code it is part of {} ({}), but it does not lie there", above.name.en, above.code));
        }
        if oblasts && level(&area.code) == 2 && parent(&area.code).is_some_and(|code| !known.contains(&code)) {
            problem("its oblast is not in the file, though others are".into());
        }
    }
    problems
}
