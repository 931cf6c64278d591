//! Peaceful assemblies, special places and routes: planning data for people's safety.
//!
//! The register knows a procedure and its papers, a place, a time and a notified number. It has no field for who organises or comes,
//! and its texts refuse what could be a telephone or identity number. Forms and terms follow the law of the Republic of Kazakhstan
//! of 25 May 2020 on peaceful assemblies: pickets, meetings and rallies are notified, and answered within three working days;
//! marches and demonstrations are approved within seven. No answer in time means that it proceeds.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{GeoPoint, Trilingual, UtcMs};

/// Longest text of a paper, in characters.
const MAX_TEXT: usize = 1_000;
/// Digits in a row that could name somebody.
const NUMBER_DIGITS: usize = 9;
/// Largest notified number.
const MAX_PEOPLE: u32 = 1_000_000;

/// What kind of assembly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Picket.
    Picket,
    /// Meeting.
    Meeting,
    /// Rally.
    Rally,
    /// March.
    March,
    /// Demonstration.
    Demonstration,
}

/// How it becomes known to the authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Procedure {
    /// It is notified.
    Notification,
    /// It is approved.
    Approval,
}

impl Form {
    /// The procedure of this form.
    pub fn procedure(self) -> Procedure {
        match self {
            Form::Picket | Form::Meeting | Form::Rally => Procedure::Notification,
            Form::March | Form::Demonstration => Procedure::Approval,
        }
    }
}

impl Procedure {
    /// Working days within which it is answered.
    pub fn answer_within(self) -> u8 {
        match self {
            Procedure::Notification => 3,
            Procedure::Approval => 7,
        }
    }
}

/// What the authority said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// It proceeds as it was filed.
    Accepted {
        /// On which day.
        on: Date,
    },
    /// Another place or time was proposed.
    Moved {
        /// On which day.
        on: Date,
        /// Which.
        alternative: String,
    },
    /// It was refused: with its ground, what was offered instead, and whether that was appealed.
    Refused {
        /// On which day.
        on: Date,
        /// The ground named in the refusal.
        ground: String,
        /// Place or time that was offered instead.
        alternative: String,
        /// State of the appeal.
        appeal: Appeal,
    },
    /// It was called off.
    Withdrawn {
        /// On which day.
        on: Date,
    },
}

/// An appeal against a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Appeal {
    /// None known.
    None,
    /// Filed, not decided.
    Filed,
    /// The refusal was overturned: it proceeds.
    Upheld,
    /// The refusal stands.
    Rejected,
}

/// An assembly of the register.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assembly {
    /// Its kind.
    pub form: Form,
    /// Where: the middle of the place, or the beginning of the route.
    pub position: GeoPoint,
    /// How far from there it reaches, in metres.
    pub radius_m: u32,
    /// Name of the place.
    pub place: String,
    /// From when.
    pub from: UtcMs,
    /// Until when.
    pub until: UtcMs,
    /// Notified number of people.
    pub people: u32,
    /// Day on which it was filed.
    pub filed_on: Date,
    /// What was said; none yet.
    #[serde(default)]
    pub answer: Option<Answer>,
}

/// What holds of an assembly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The time to answer is not over.
    Pending,
    /// It proceeds: accepted, moved, an appeal upheld, or nobody answered in time.
    Proceeds,
    /// Refused.
    Refused,
    /// Called off.
    Withdrawn,
}

/// Why an assembly cannot be written down so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssemblyError {
    /// A text is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A text is too long.
    #[error("{0} is longer than 1,000 characters")]
    TooLong(&'static str),
    /// A text holds what could be a telephone or identity number.
    #[error("{0} holds a number that could name a person; the register keeps none")]
    Number(&'static str),
    /// The times do not make sense.
    #[error("it ends before it begins, or lasts longer than 7 days")]
    Times,
    /// The number does not make sense.
    #[error("the number of people is 1 to 1,000,000")]
    People,
    /// The radius does not make sense.
    #[error("the radius is 10 to 20,000 m")]
    Radius,
    /// An answer before it was filed.
    #[error("the answer is dated before it was filed")]
    Dates,
}

impl Assembly {
    /// Says what is wrong with it. A refusal without its ground and the alternative offered is none.
    pub fn check(&self) -> Result<(), AssemblyError> {
        text(&self.place, "the place")?;
        if self.until <= self.from || self.until.ms_since(self.from) > 7 * 86_400_000 {
            return Err(AssemblyError::Times);
        }
        if !(1..=MAX_PEOPLE).contains(&self.people) {
            return Err(AssemblyError::People);
        }
        if !(10..=20_000).contains(&self.radius_m) {
            return Err(AssemblyError::Radius);
        }
        let Some(answer) = &self.answer else { return Ok(()) };
        let on = match answer {
            Answer::Accepted { on } | Answer::Withdrawn { on } => on,
            Answer::Moved { on, alternative } => {
                text(alternative, "the alternative")?;
                on
            }
            Answer::Refused { on, ground, alternative, .. } => {
                text(ground, "the ground of the refusal")?;
                text(alternative, "the alternative offered")?;
                on
            }
        };
        if *on < self.filed_on { Err(AssemblyError::Dates) } else { Ok(()) }
    }

    /// The last day on which it can be answered; `works` says which days are working days.
    pub fn answer_by(&self, works: impl Fn(Date) -> bool) -> Date {
        let (mut day, mut left) = (self.filed_on, self.form.procedure().answer_within());
        // A calendar without any working day must not hold this up for ever.
        for _ in 0..60 {
            if left == 0 {
                break;
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
            left -= u8::from(works(day));
        }
        day
    }

    /// What holds on a day: silence means that it proceeds.
    pub fn standing(&self, today: Date, works: impl Fn(Date) -> bool) -> Standing {
        match &self.answer {
            None if today <= self.answer_by(works) => Standing::Pending,
            None | Some(Answer::Accepted { .. } | Answer::Moved { .. } | Answer::Refused { appeal: Appeal::Upheld, .. }) => {
                Standing::Proceeds
            }
            Some(Answer::Refused { .. }) => Standing::Refused,
            Some(Answer::Withdrawn { .. }) => Standing::Withdrawn,
        }
    }
}

/// A place or route set aside for assemblies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialPlace {
    /// Its name.
    pub name: Trilingual,
    /// Its outline of points: one for a place, several in order for a route.
    pub points: Vec<GeoPoint>,
    /// How far from its points it reaches, in metres.
    pub radius_m: u32,
    /// How many people it holds safely: planning data, not a limit of alerts.
    pub max_people: u32,
}

impl SpecialPlace {
    /// Distance to its nearest point, in metres.
    pub fn distance_m(&self, from: GeoPoint) -> f64 {
        self.points.iter().map(|point| point.distance_m(from)).fold(f64::INFINITY, f64::min)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Standing::Pending => "pending",
            Standing::Proceeds => "proceeds",
            Standing::Refused => "refused",
            Standing::Withdrawn => "withdrawn",
        })
    }
}

fn text(text: &str, what: &'static str) -> Result<(), AssemblyError> {
    if text.trim().is_empty() {
        return Err(AssemblyError::Missing(what));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(AssemblyError::TooLong(what));
    }
    let (mut run, mut longest) = (0, 0);
    for c in text.chars() {
        match c {
            c if c.is_numeric() => run += 1,
            // The ways in which a telephone number is written.
            ' ' | '-' | '(' | ')' | '+' | '.' | '/' | '\u{a0}' => {}
            _ => run = 0,
        }
        longest = longest.max(run);
    }
    // Dates and times of day are shorter runs than a telephone number, unless they follow each other without a word between.
    if longest >= NUMBER_DIGITS { Err(AssemblyError::Number(what)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn assembly(form: Form, answer: Option<Answer>) -> Assembly {
        Assembly {
            form,
            position: GeoPoint::new(42.9, 71.4).unwrap(),
            radius_m: 150,
            place: "Park square, 25-26 November".into(),
            from: UtcMs(1_795_255_200_000),
            until: UtcMs(1_795_262_400_000),
            people: 200,
            filed_on: date(2026, 11, 19),
            answer,
        }
    }

    fn works(day: Date) -> bool {
        day.weekday().to_monday_zero_offset() < 5 && day != date(2026, 12, 16)
    }

    #[test]
    fn silence_means_it_proceeds_after_three_or_seven_working_days() {
        // Thursday 19 November: Friday, Monday, Tuesday.
        let rally = assembly(Form::Rally, None);
        assert_eq!(rally.answer_by(works), date(2026, 11, 24));
        assert_eq!(rally.standing(date(2026, 11, 24), works), Standing::Pending);
        assert_eq!(rally.standing(date(2026, 11, 25), works), Standing::Proceeds);
        let march = assembly(Form::March, None);
        assert_eq!((march.form.procedure(), march.answer_by(works)), (Procedure::Approval, date(2026, 11, 30)));
        let over_holiday = Assembly { filed_on: date(2026, 12, 14), ..assembly(Form::Picket, None) };
        assert_eq!(over_holiday.answer_by(works), date(2026, 12, 18));
        assert_eq!(rally.answer_by(|_| false), date(2027, 1, 18), "ends though no day works");
    }

    #[test]
    fn a_refusal_needs_its_ground_the_alternative_and_the_appeal_and_an_upheld_appeal_proceeds() {
        let refused = |ground: &str, alternative: &str, appeal| {
            assembly(
                Form::Rally,
                Some(Answer::Refused { on: date(2026, 11, 20), ground: ground.into(), alternative: alternative.into(), appeal }),
            )
        };
        assert_eq!(refused("", "Stadium square", Appeal::None).check(), Err(AssemblyError::Missing("the ground of the refusal")));
        assert_eq!(refused("another event", " ", Appeal::None).check(), Err(AssemblyError::Missing("the alternative offered")));
        let today = date(2026, 11, 22);
        let good = refused("another event is on there", "Stadium square", Appeal::Filed);
        assert_eq!((good.check(), good.standing(today, works)), (Ok(()), Standing::Refused));
        assert_eq!(refused("x", "y", Appeal::Upheld).standing(today, works), Standing::Proceeds);
        let text = r#"{"answer":"refused","on":"2026-11-20","ground":"g","alternative":"a"}"#;
        assert!(serde_json::from_str::<Answer>(text).is_err(), "without the appeal");
    }

    #[test]
    fn nobody_is_named() {
        let place = |place: &str| Assembly { place: place.into(), ..assembly(Form::Rally, None) }.check();
        assert_eq!(place("square, tel. +7 (701) 123-45-67"), Err(AssemblyError::Number("the place")));
        assert_eq!(place("IIN 900101300123"), Err(AssemblyError::Number("the place")));
        assert_eq!(place("Tole bi 25, hall 3, from 10:00 to 12:30"), Ok(()));
        let mut json = serde_json::to_value(assembly(Form::Rally, None)).unwrap();
        json["organiser"] = "somebody".into();
        assert!(serde_json::from_value::<Assembly>(json).is_err(), "there is no such field");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let base = || assembly(Form::Rally, None);
        assert_eq!(Assembly { until: base().from, ..base() }.check(), Err(AssemblyError::Times));
        assert_eq!(Assembly { people: 0, ..base() }.check(), Err(AssemblyError::People));
        assert_eq!(Assembly { radius_m: 5, ..base() }.check(), Err(AssemblyError::Radius));
        let early = Assembly { answer: Some(Answer::Accepted { on: date(2026, 11, 1) }), ..base() };
        assert_eq!(early.check(), Err(AssemblyError::Dates));
    }
}
