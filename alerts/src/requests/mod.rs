//! Requests of residents (line 109): what may happen to one, until when, and what of it may be told to whom.
//!
//! What belongs here: pure rules. References, the life cycle with its two clocks (first the answer to the resident, then the deadline
//! that was promised), working days, masking of what a person should not have to leave in a text, words for the search, cells that
//! stand for an exact place, spikes against what is usual, and counts that may be published. What does not: SQL
//! (`store/requests.rs`), HTTP, configuration files.
//!
//! Nothing here raises an alert or reaches the police: a spike becomes a problem signal for the service that answers for the category.

pub mod calendar;
pub mod life;
pub mod mask;
pub mod place;
pub mod publish;
pub mod reference;
pub mod spike;
pub mod words;

pub use calendar::{Calendar, Term};
pub use life::{Action, By, Refusal, Standing, State, Terms};
pub use mask::{Masked, clean, mask};
pub use place::{cell_of, snapped};
pub use reference::{Reference, ReferenceError};
