//! The joint action plan: what may be changed about a measure, and what is then written down.
//!
//! Pure. A measure that is done or cancelled stays as it is; a deadline that moves and a measure that is cancelled need a reason; a
//! measure that is done shows evidence.

use jiff::civil::Date;
use qorgan_domain::{AreaCode, Trilingual, UtcMs};

use crate::store::{Evidence, Measure, MeasureChange, MeasureState};

/// What an editor asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Title.
    pub title: Trilingual,
    /// Who answers for it: an office, not a private person.
    pub owner: String,
    /// District; none for the whole region.
    pub area: Option<AreaCode>,
    /// Until when.
    pub deadline: Date,
    /// What it is to bring.
    pub expected: Option<Trilingual>,
    /// Where it stands.
    pub state: MeasureState,
    /// Why.
    pub reason: Option<String>,
}

/// Why a change is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Done or cancelled.
    #[error("the measure is done or cancelled and stays as it is")]
    Over,
    /// A reason is missing.
    #[error("a reason is needed when a deadline moves or a measure is cancelled")]
    Reason,
    /// Evidence is missing.
    #[error("a measure that is done needs words or a link as evidence")]
    Evidence,
    /// More than a hundred.
    #[error("progress is 0 to 100 per cent")]
    Percent,
    /// Done is reported as progress.
    #[error("a measure becomes done by a progress of 100 per cent with evidence")]
    DoneByProgress,
    /// Nothing would change.
    #[error("nothing would change")]
    Nothing,
}

/// Changes what an editor may change; the measure as it is then, and what differs.
pub fn edit(measure: &Measure, edit: &Edit) -> Result<(Measure, Vec<MeasureChange>), Refusal> {
    if measure.state.is_over() {
        return Err(Refusal::Over);
    }
    if edit.state == MeasureState::Done {
        return Err(Refusal::DoneByProgress);
    }
    let mut then = measure.clone();
    then.title = edit.title.clone();
    then.owner.clone_from(&edit.owner);
    then.area.clone_from(&edit.area);
    then.deadline = edit.deadline;
    then.expected.clone_from(&edit.expected);
    then.state = edit.state;
    let changes = differences(measure, &then);
    if changes.is_empty() {
        return Err(Refusal::Nothing);
    }
    let needs_reason = then.deadline != measure.deadline || then.state == MeasureState::Cancelled;
    if needs_reason && edit.reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
        return Err(Refusal::Reason);
    }
    then.version += 1;
    Ok((then, changes))
}

/// Reports progress; the measure as it is then, and what differs.
pub fn report(
    measure: &Measure,
    progress: u8,
    words: &str,
    url: Option<&str>,
    by: &str,
    now: UtcMs,
) -> Result<(Measure, Vec<MeasureChange>), Refusal> {
    if measure.state.is_over() {
        return Err(Refusal::Over);
    }
    if progress > 100 {
        return Err(Refusal::Percent);
    }
    let shown = !words.trim().is_empty() || url.is_some();
    if progress == 100 && !shown {
        return Err(Refusal::Evidence);
    }
    let mut then = measure.clone();
    then.progress = i64::from(progress);
    then.state = match progress {
        100 => MeasureState::Done,
        0 => measure.state,
        _ => MeasureState::Running,
    };
    if shown {
        then.evidence.push(Evidence { at: now, by: by.into(), words: words.trim().into(), url: url.map(str::to_owned) });
    }
    let changes = differences(measure, &then);
    if changes.is_empty() && !shown {
        return Err(Refusal::Nothing);
    }
    then.version += 1;
    Ok((then, changes))
}

/// Whether a measure is late on a day.
pub fn is_late(measure: &Measure, today: Date) -> bool {
    !measure.state.is_over() && measure.deadline < today
}

fn differences(before: &Measure, then: &Measure) -> Vec<MeasureChange> {
    let area = |measure: &Measure| measure.area.as_ref().map(ToString::to_string).unwrap_or_default();
    let expected = |measure: &Measure| measure.expected.as_ref().map(|e| e.ru.clone()).unwrap_or_default();
    let pairs = [
        ("title.kk", before.title.kk.clone(), then.title.kk.clone()),
        ("title.ru", before.title.ru.clone(), then.title.ru.clone()),
        ("title.en", before.title.en.clone(), then.title.en.clone()),
        ("owner", before.owner.clone(), then.owner.clone()),
        ("area", area(before), area(then)),
        ("deadline", before.deadline.to_string(), then.deadline.to_string()),
        ("expected", expected(before), expected(then)),
        ("state", before.state.as_str().into(), then.state.as_str().into()),
        ("progress", before.progress.to_string(), then.progress.to_string()),
    ];
    let change = |(field, from, to): (&str, String, String)| (from != to).then(|| MeasureChange { field: field.into(), from, to });
    pairs.into_iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const NOW: UtcMs = UtcMs(1_795_255_200_000);

    fn text(word: &str) -> Trilingual {
        Trilingual { kk: word.into(), ru: word.into(), en: word.into() }
    }

    fn measure() -> Measure {
        Measure {
            id: 1,
            block: "housing".into(),
            number: "1.1".into(),
            title: text("a"),
            owner: "Жылу желілері".into(),
            area: None,
            deadline: date(2026, 12, 1),
            progress: 20,
            state: MeasureState::Running,
            evidence: vec![],
            expected: None,
            issue: None,
            version: 3,
            updated_at: NOW,
            updated_by: "analyst".into(),
            demo: false,
        }
    }

    fn asked(measure: &Measure) -> Edit {
        Edit {
            title: measure.title.clone(),
            owner: measure.owner.clone(),
            area: measure.area.clone(),
            deadline: measure.deadline,
            expected: measure.expected.clone(),
            state: measure.state,
            reason: None,
        }
    }

    #[test]
    fn a_deadline_moves_with_a_reason_and_the_change_is_named() {
        let measure = measure();
        let mut asked = asked(&measure);
        assert_eq!(edit(&measure, &asked), Err(Refusal::Nothing));
        asked.deadline = date(2026, 12, 20);
        assert_eq!(edit(&measure, &asked), Err(Refusal::Reason));
        asked.reason = Some("құбыр кешікті".into());
        let (then, changes) = edit(&measure, &asked).unwrap();
        assert_eq!(then.version, 4);
        assert_eq!(changes, [MeasureChange { field: "deadline".into(), from: "2026-12-01".into(), to: "2026-12-20".into() }]);
        asked.state = MeasureState::Done;
        assert_eq!(edit(&measure, &asked), Err(Refusal::DoneByProgress));
    }

    #[test]
    fn done_needs_evidence_and_stays_done() {
        let measure = measure();
        assert_eq!(report(&measure, 100, " ", None, "analyst", NOW), Err(Refusal::Evidence));
        assert_eq!(report(&measure, 101, "x", None, "analyst", NOW), Err(Refusal::Percent));
        assert_eq!(report(&measure, 20, "", None, "analyst", NOW), Err(Refusal::Nothing));
        let (done, changes) = report(&measure, 100, "акт № 12", None, "analyst", NOW).unwrap();
        assert_eq!((done.state, done.evidence.len(), changes.len()), (MeasureState::Done, 1, 2));
        assert_eq!(report(&done, 50, "x", None, "analyst", NOW), Err(Refusal::Over));
        assert!(!is_late(&done, date(2027, 1, 1)) && is_late(&measure, date(2027, 1, 1)) && !is_late(&measure, date(2026, 12, 1)));
    }
}
