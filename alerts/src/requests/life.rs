//! The life of a request. Pure: what stands, what is asked for, and now; out comes what stands then, or the reason why not.
//!
//! ```text
//! received --answer--> answered --start--> in_work --done--> done --confirm--> confirmed --close--> closed
//!    |  \                  \______________done______________/  \                 |                  |
//!  decline merge                                                \___not_fixed____|_____not_fixed____/
//!                                                                        |
//!                                                                    reopened --answer--> answered ...
//! ```
//! The resident is answered first: until then the clock of the category's first answer runs. The answer carries a date, and from then
//! on that date is the deadline. A reopened request begins the same way again.

use qorgan_domain::UtcMs;
use serde::{Deserialize, Serialize};

use super::{Calendar, Term};

/// A day, in ms.
const DAY_MS: i64 = 86_400_000;
/// No date is promised further ahead.
const FURTHEST_MS: i64 = 366 * DAY_MS;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Came in; the resident waits for an answer.
    Received,
    /// The resident was told what will be done and until when.
    Answered,
    /// Being worked on.
    InWork,
    /// Done, says the service.
    Done,
    /// Done, says the resident.
    Confirmed,
    /// Not fixed, says the resident; waits for an answer again.
    Reopened,
    /// Over.
    Closed,
    /// Not for this line, with a reason to the resident.
    Declined,
    /// Follows another request about the same thing.
    Merged,
}

impl State {
    /// Every state, in the order of a life.
    pub const ALL: [State; 9] = [
        State::Received,
        State::Answered,
        State::InWork,
        State::Done,
        State::Confirmed,
        State::Reopened,
        State::Closed,
        State::Declined,
        State::Merged,
    ];

    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Received => "received",
            State::Answered => "answered",
            State::InWork => "in_work",
            State::Done => "done",
            State::Confirmed => "confirmed",
            State::Reopened => "reopened",
            State::Closed => "closed",
            State::Declined => "declined",
            State::Merged => "merged",
        }
    }

    /// A deadline runs.
    pub fn is_open(self) -> bool {
        matches!(self, State::Received | State::Answered | State::InWork | State::Reopened)
    }

    /// The resident waits for the first answer.
    pub fn awaits_answer(self) -> bool {
        matches!(self, State::Received | State::Reopened)
    }
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Somebody at the desk.
    Operator,
    /// Whoever filed it, by reference and code.
    Resident,
    /// The hub, by the clock.
    Hub,
}

/// What is asked for. Words arrive cleaned and masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Tells the resident what will be done and until when.
    Answer {
        /// To the resident.
        words: String,
        /// None: as the category says.
        promised_at: Option<UtcMs>,
        /// Why later than the category says.
        reason: Option<String>,
    },
    /// Work has begun.
    Start,
    /// The service has done it.
    Done {
        /// What was done, to the resident.
        words: String,
    },
    /// The resident is content.
    Confirm,
    /// The resident is not.
    NotFixed,
    /// Ends it.
    Close,
    /// Not for this line.
    Decline {
        /// Why, to the resident.
        words: String,
    },
    /// Moves the promised date.
    Postpone {
        /// The new one.
        promised_at: UtcMs,
        /// Why, to the resident.
        reason: String,
    },
    /// Gives it to another service, perhaps under another category.
    Assign {
        /// Which.
        service: String,
        /// None: the category stays.
        category: Option<String>,
    },
    /// Follows another request.
    Merge {
        /// Number of that one.
        into: i64,
    },
    /// Does not follow it after all.
    Split {
        /// Why.
        reason: String,
    },
    /// A word among colleagues.
    Note {
        /// Not for the resident.
        words: String,
    },
}

impl Action {
    /// Name in JSON and in the history.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Answer { .. } => "answer",
            Action::Start => "start",
            Action::Done { .. } => "done",
            Action::Confirm => "confirm",
            Action::NotFixed => "not_fixed",
            Action::Close => "close",
            Action::Decline { .. } => "decline",
            Action::Postpone { .. } => "postpone",
            Action::Assign { .. } => "assign",
            Action::Merge { .. } => "merge",
            Action::Split { .. } => "split",
            Action::Note { .. } => "note",
        }
    }

    /// The states from which it may be asked for.
    fn from(&self) -> &'static [State] {
        use State::*;
        match self {
            Action::Answer { .. } => &[Received, Reopened],
            Action::Start => &[Answered],
            Action::Done { .. } => &[Answered, InWork],
            Action::Confirm => &[Done],
            Action::NotFixed => &[Done, Confirmed, Closed],
            Action::Close => &[Confirmed, Done],
            Action::Decline { .. } => &[Received, Reopened, Answered],
            Action::Postpone { .. } => &[Answered, InWork],
            Action::Assign { .. } | Action::Merge { .. } => &[Received, Answered, InWork, Reopened],
            Action::Split { .. } => &[Merged],
            Action::Note { .. } => &State::ALL,
        }
    }
}

/// What a category and the policy say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Until the first answer.
    pub answer: Term,
    /// From the answer until it is done.
    pub work: Term,
    /// How long the resident may say "not fixed", in days after "done".
    pub judge_days: u32,
}

/// How a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// State.
    pub state: State,
    /// Grows by one with every act.
    pub version: i64,
    /// Category.
    pub category: String,
    /// Service that answers for it.
    pub service: String,
    /// Until when the resident is to be answered (again, after "not fixed").
    pub answer_by: UtcMs,
    /// When the resident was answered last.
    pub answered_at: Option<UtcMs>,
    /// What was promised then.
    pub promised_at: Option<UtcMs>,
    /// The deadline that runs now.
    pub due_at: Option<UtcMs>,
    /// When it was done.
    pub done_at: Option<UtcMs>,
    /// Until when the resident may say that it is not.
    pub judge_until: Option<UtcMs>,
    /// When it was over.
    pub closed_at: Option<UtcMs>,
    /// How often it was reopened.
    pub reopened: i64,
    /// The last words to the resident.
    pub answer: Option<String>,
    /// The request that this one follows.
    pub merged_into: Option<i64>,
}

/// What of a request is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overdue {
    /// The first answer.
    Answer,
    /// What was promised.
    Work,
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not in this state.
    #[error("\"{action}\" is not possible while the request is {}", state.as_str())]
    NotNow {
        /// What was asked for.
        action: &'static str,
        /// Where it stands.
        state: State,
    },
    /// Not by this party.
    #[error("\"{0}\" is not for whoever asks")]
    NotYours(&'static str),
    /// Words to the resident are missing.
    #[error("\"{0}\" needs words to the resident")]
    Words(&'static str),
    /// A reason is missing.
    #[error("a reason is needed: {0}")]
    Reason(&'static str),
    /// A date in the past, or more than a year ahead.
    #[error("the date lies in the past, or more than a year ahead")]
    Date,
    /// The time in which the resident may judge is over.
    #[error("the time in which the work could be judged ended at {0}")]
    TooLate(UtcMs),
    /// The time in which the resident may judge is not over.
    #[error("the resident may judge until {0}; then it can be closed")]
    TooEarly(UtcMs),
    /// A request cannot follow itself.
    #[error("a request cannot follow itself")]
    Itself,
}

impl Standing {
    /// A request that comes in now.
    pub fn new(category: &str, service: &str, terms: &Terms, calendar: &Calendar, now: UtcMs) -> Self {
        let answer_by = calendar.after(now, terms.answer);
        Self {
            state: State::Received,
            version: 1,
            category: category.into(),
            service: service.into(),
            answer_by,
            answered_at: None,
            promised_at: None,
            due_at: Some(answer_by),
            done_at: None,
            judge_until: None,
            closed_at: None,
            reopened: 0,
            answer: None,
            merged_into: None,
        }
    }

    /// What is overdue now.
    pub fn overdue(&self, now: UtcMs) -> Option<Overdue> {
        self.due_at.filter(|due| *due < now)?;
        Some(if self.state.awaits_answer() { Overdue::Answer } else { Overdue::Work })
    }

    /// Whether the resident may say now whether it is fixed.
    pub fn can_judge(&self, now: UtcMs) -> bool {
        matches!(self.state, State::Done | State::Confirmed | State::Closed) && self.judge_until.is_some_and(|until| now <= until)
    }

    /// What the desk may do now, by name.
    pub fn actions(&self, now: UtcMs) -> Vec<&'static str> {
        let text = String::new;
        let all = [
            Action::Answer { words: text(), promised_at: None, reason: None },
            Action::Start,
            Action::Done { words: text() },
            Action::Confirm,
            Action::NotFixed,
            Action::Close,
            Action::Decline { words: text() },
            Action::Postpone { promised_at: now, reason: text() },
            Action::Assign { service: text(), category: None },
            Action::Merge { into: 0 },
            Action::Split { reason: text() },
            Action::Note { words: text() },
        ];
        all.iter().filter(|action| self.may(action, By::Operator, now).is_ok()).map(Action::name).collect()
    }

    fn may(&self, action: &Action, by: By, now: UtcMs) -> Result<(), Refusal> {
        let name = action.name();
        let allowed = match by {
            By::Operator => true,
            By::Resident => matches!(action, Action::Confirm | Action::NotFixed),
            By::Hub => matches!(action, Action::Close),
        };
        if !allowed {
            return Err(Refusal::NotYours(name));
        }
        if !action.from().contains(&self.state) {
            return Err(Refusal::NotNow { action: name, state: self.state });
        }
        match (action, self.judge_until) {
            (Action::NotFixed, Some(until)) if now > until => Err(Refusal::TooLate(until)),
            (Action::Close, Some(until)) if self.state == State::Done && now <= until => Err(Refusal::TooEarly(until)),
            (Action::NotFixed, None) => Err(Refusal::NotNow { action: name, state: self.state }),
            _ => Ok(()),
        }
    }

    /// What stands after an act, or why it is not done. `terms` are those of the category that the request has after it.
    pub fn act(&self, action: &Action, by: By, terms: &Terms, calendar: &Calendar, now: UtcMs) -> Result<Standing, Refusal> {
        self.may(action, by, now)?;
        let mut then = self.clone();
        then.version += 1;
        match action {
            Action::Answer { words, promised_at, reason } => {
                needed(words, "answer")?;
                let usual = calendar.after(now, terms.work);
                let promised = promised_at.unwrap_or(usual);
                in_reach(promised, now)?;
                if promised > usual && reason.as_ref().is_none_or(|r| r.trim().is_empty()) {
                    return Err(Refusal::Reason("the date is later than the category allows"));
                }
                then.state = State::Answered;
                (then.answered_at, then.promised_at, then.due_at) = (Some(now), Some(promised), Some(promised));
                then.answer = Some(words.clone());
            }
            Action::Start => then.state = State::InWork,
            Action::Done { words } => {
                needed(words, "done")?;
                then.state = State::Done;
                (then.done_at, then.due_at) = (Some(now), None);
                then.judge_until = Some(UtcMs(now.0.saturating_add(i64::from(terms.judge_days) * DAY_MS)));
                then.answer = Some(words.clone());
            }
            Action::Confirm => then.state = State::Confirmed,
            Action::NotFixed => {
                then.state = State::Reopened;
                then.reopened += 1;
                then.answer_by = calendar.after(now, terms.answer);
                then.due_at = Some(then.answer_by);
                (then.promised_at, then.done_at, then.judge_until, then.closed_at) = (None, None, None, None);
            }
            Action::Close => (then.state, then.closed_at) = (State::Closed, Some(now)),
            Action::Decline { words } => {
                needed(words, "decline")?;
                (then.state, then.due_at, then.promised_at) = (State::Declined, None, None);
                (then.answered_at, then.closed_at) = (self.answered_at.or(Some(now)), Some(now));
                then.answer = Some(words.clone());
            }
            Action::Postpone { promised_at, reason } => {
                in_reach(*promised_at, now)?;
                if reason.trim().is_empty() {
                    return Err(Refusal::Reason("the resident was promised an earlier date"));
                }
                (then.promised_at, then.due_at) = (Some(*promised_at), Some(*promised_at));
            }
            Action::Assign { service, category } => {
                then.service.clone_from(service);
                if let Some(category) = category {
                    then.category.clone_from(category);
                }
            }
            Action::Merge { into } => (then.state, then.due_at, then.merged_into) = (State::Merged, None, Some(*into)),
            Action::Split { reason } => {
                if reason.trim().is_empty() {
                    return Err(Refusal::Reason("two requests are taken apart"));
                }
                // Its first clock runs on as if it had never been stopped: whoever filed it has waited all the time.
                (then.state, then.due_at, then.merged_into) = (State::Received, Some(self.answer_by), None);
                (then.promised_at, then.answered_at) = (None, None);
            }
            Action::Note { words } => needed(words, "note")?,
        }
        Ok(then)
    }
}

fn needed(words: &str, action: &'static str) -> Result<(), Refusal> {
    if words.trim().is_empty() { Err(Refusal::Words(action)) } else { Ok(()) }
}

fn in_reach(promised: UtcMs, now: UtcMs) -> Result<(), Refusal> {
    if promised < now || promised.ms_since(now) > FURTHEST_MS { Err(Refusal::Date) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::calendar::Days, *};

    const TERMS: Terms = Terms { answer: Term::Hours(4), work: Term::WorkingDays(3), judge_days: 14 };
    const START: UtcMs = UtcMs(1_795_255_200_000);

    fn calendar() -> Calendar {
        Calendar::new(300, 18 * 60, Days::default())
    }

    fn at(hours: i64) -> UtcMs {
        UtcMs(START.0 + hours * 3_600_000)
    }

    fn act(standing: &Standing, action: Action, hours: i64) -> Result<Standing, Refusal> {
        standing.act(&action, By::Operator, &TERMS, &calendar(), at(hours))
    }

    fn answer() -> Action {
        Action::Answer { words: "Бригада шықты".into(), promised_at: None, reason: None }
    }

    fn fresh() -> Standing {
        Standing::new("heating", "housing", &TERMS, &calendar(), START)
    }

    #[test]
    fn the_resident_is_answered_first_and_then_the_deadline_runs() {
        let request = fresh();
        assert_eq!((request.due_at, request.promised_at), (Some(at(4)), None));
        assert_eq!(request.overdue(at(5)), Some(Overdue::Answer));
        let refused = act(&request, Action::Done { words: "жөнделді".into() }, 1).unwrap_err();
        assert_eq!(refused, Refusal::NotNow { action: "done", state: State::Received }, "nothing is done before the resident is answered");
        let answered = act(&request, answer(), 2).unwrap();
        assert_eq!(answered.due_at, Some(calendar().after(at(2), TERMS.work)));
        assert_eq!(answered.overdue(at(5)), None);
        assert_eq!(answered.overdue(at(400)), Some(Overdue::Work));
    }

    #[test]
    fn a_later_date_than_the_category_allows_needs_a_reason_and_a_past_one_has_none() {
        let later =
            |reason: Option<&str>| Action::Answer { words: "w".into(), promised_at: Some(at(24 * 30)), reason: reason.map(str::to_owned) };
        assert!(matches!(act(&fresh(), later(None), 1), Err(Refusal::Reason(_))));
        assert!(matches!(act(&fresh(), later(Some(" ")), 1), Err(Refusal::Reason(_))));
        assert_eq!(act(&fresh(), later(Some("бөлшек күтілуде")), 1).unwrap().due_at, Some(at(24 * 30)));
        for hours in [-1, 24 * 400] {
            let action = Action::Answer { words: "w".into(), promised_at: Some(at(hours)), reason: Some("r".into()) };
            assert_eq!(act(&fresh(), action, 1), Err(Refusal::Date));
        }
    }

    #[test]
    fn not_fixed_begins_again_with_an_answer_and_only_while_it_may_be_judged() {
        let done = act(&act(&fresh(), answer(), 1).unwrap(), Action::Done { words: "жөнделді".into() }, 30).unwrap();
        let judge = |standing: &Standing, hours| standing.act(&Action::NotFixed, By::Resident, &TERMS, &calendar(), at(hours));
        let reopened = judge(&done, 40).unwrap();
        assert_eq!((reopened.state, reopened.reopened, reopened.due_at), (State::Reopened, 1, Some(at(44))));
        assert_eq!(reopened.overdue(at(45)), Some(Overdue::Answer));
        assert!(act(&reopened, Action::Start, 41).is_err(), "it is answered first, again");
        let late = 30 + 14 * 24 + 1;
        assert!(matches!(judge(&done, late), Err(Refusal::TooLate(_))));
        assert!(matches!(act(&done, Action::Close, 40), Err(Refusal::TooEarly(_))), "the resident has time to look");
        let closed = done.act(&Action::Close, By::Hub, &TERMS, &calendar(), at(late)).unwrap();
        assert_eq!(closed.state, State::Closed);
        assert!(judge(&closed, late).is_err());
        let confirmed = done.act(&Action::Confirm, By::Resident, &TERMS, &calendar(), at(31)).unwrap();
        assert_eq!(judge(&confirmed, 32).unwrap().state, State::Reopened, "it broke again the next day");
    }

    #[test]
    fn a_resident_judges_and_does_nothing_else() {
        let answered = act(&fresh(), answer(), 1).unwrap();
        for action in [Action::Start, Action::Close, Action::Done { words: "x".into() }, Action::Decline { words: "x".into() }, answer()] {
            let refused = answered.act(&action, By::Resident, &TERMS, &calendar(), at(2)).unwrap_err();
            assert!(matches!(refused, Refusal::NotYours(_)), "{action:?}");
        }
    }

    #[test]
    fn taking_two_apart_gives_back_no_time() {
        let merged = act(&fresh(), Action::Merge { into: 7 }, 1).unwrap();
        assert_eq!((merged.due_at, merged.merged_into), (None, Some(7)));
        let split = act(&merged, Action::Split { reason: "басқа үй".into() }, 30).unwrap();
        assert_eq!((split.state, split.overdue(at(30))), (State::Received, Some(Overdue::Answer)));
    }

    fn any_action() -> impl Strategy<Value = Action> {
        let words = prop_oneof![Just(String::new()), Just("сөз".to_owned())];
        let date = (-50_i64..20_000).prop_map(at);
        prop_oneof![
            (words.clone(), proptest::option::of(date.clone()), proptest::option::of(words.clone()))
                .prop_map(|(words, promised_at, reason)| Action::Answer { words, promised_at, reason }),
            Just(Action::Start),
            words.clone().prop_map(|words| Action::Done { words }),
            Just(Action::Confirm),
            Just(Action::NotFixed),
            Just(Action::Close),
            words.clone().prop_map(|words| Action::Decline { words }),
            (date, words.clone()).prop_map(|(promised_at, reason)| Action::Postpone { promised_at, reason }),
            Just(Action::Assign { service: "roads".into(), category: None }),
            Just(Action::Merge { into: 2 }),
            words.clone().prop_map(|reason| Action::Split { reason }),
            words.prop_map(|words| Action::Note { words }),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_the_clocks_fit_the_state(
            acts in proptest::collection::vec((any_action(), 0..3_u8, 0_i64..100), 1..40)
        ) {
            let (mut now, mut standing) = (0, fresh());
            for (action, by, hours) in acts {
                now += hours;
                let by = [By::Operator, By::Resident, By::Hub][usize::from(by)];
                let before = standing.clone();
                match standing.act(&action, by, &TERMS, &calendar(), at(now)) {
                    Ok(then) => standing = then,
                    Err(_) => continue,
                }
                prop_assert_eq!(standing.version, before.version + 1);
                prop_assert_eq!(standing.due_at.is_some(), standing.state.is_open(), "{:?}", standing);
                prop_assert_eq!(standing.merged_into.is_some(), standing.state == State::Merged);
                if matches!(standing.state, State::Answered | State::InWork) {
                    prop_assert_eq!(standing.due_at, standing.promised_at);
                    prop_assert!(standing.answered_at.is_some() && standing.answer.is_some());
                }
                if standing.state.awaits_answer() {
                    prop_assert_eq!(standing.due_at, Some(standing.answer_by));
                }
                if matches!(standing.state, State::Done | State::Confirmed) {
                    prop_assert!(standing.done_at.is_some() && standing.judge_until.is_some());
                }
                // What is over stays over, but for the resident's word within its time.
                if matches!(before.state, State::Closed | State::Declined) && standing.state != before.state {
                    prop_assert_eq!((&action, standing.state), (&Action::NotFixed, State::Reopened));
                    prop_assert!(before.judge_until.is_some_and(|until| at(now) <= until));
                }
                if by == By::Resident {
                    prop_assert!(matches!(standing.state, State::Confirmed | State::Reopened));
                }
                for name in standing.actions(at(now)) {
                    prop_assert!(name == "note" || !matches!(standing.state, State::Declined), "{name}");
                }
            }
        }
    }
}
