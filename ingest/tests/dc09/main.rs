//! The door of alarm panels as panels see it, over loopback: TCP and UDP.
//!
//! One binary. `support` has the receiver with its recorded doors, and a bare wire.
#![expect(clippy::unwrap_used, reason = "a test may fail by unwrapping")]

mod broken;
mod conformance;
mod encrypted;
mod events;
mod properties;
mod support;
