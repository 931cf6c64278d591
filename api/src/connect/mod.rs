//! What leaves the hub for other systems, and what they say back.
//!
//! ```text
//! follow.rs   alerts that may leave -> outbox (durable, one line for each version and receiver)
//! send.rs     outbox -> HTTP POST, signed, tried again until it was taken
//! cap.rs      an alert as CAP 1.2, and the reader of other people's CAP
//! sign.rs     HMAC-SHA256 over time and body, both ways
//! ```
//!
//! Whether an alert may leave at all is [`qorgan_alerts::life::may_leave`]: a crowd alert only after a named person's act.
//! There is no connector to social networks, and none may be written.

pub mod cap;
mod follow;
mod send;
pub mod sign;

pub(crate) use follow::{cap_of, follow};
pub use send::SendError;
pub(crate) use send::Sender;
