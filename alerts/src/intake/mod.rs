//! How aggregated figures come in: what a table means, what is refused, what may be told again. Pure.
//!
//! What belongs here: reading of cells into values, the judge of personal data, disclosure control, the lexicon of feeds, the
//! margin of a survey. What does not: files, sockets and the store (`api`, [`crate::store`]), and how an index is made of
//! values (`tension`). Nothing here takes a count or an alert of the hub.

pub mod areas;
pub mod disclosure;
pub mod lexicon;
pub mod number;
pub mod period;
pub mod personal;
pub mod plan;
pub mod services;
pub mod sheet;
pub mod survey;
