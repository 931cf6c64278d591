//! From an event to an alert that somebody answers: journal, fusion, life cycle, store, audit.
//!
//! What belongs here: everything that decides whether there is an alert, what may be done with it, and
//! what is written down about it. What does not: pictures, models, network servers. This crate knows
//! no GStreamer, no ONNX Runtime and no axum, and never imports `ingest` or `inference`.
//!
//! The way through: [`Journal::commit`] makes a press durable before its receipt leaves;
//! [`Engine`] owns [`Fusion`] in one task: apply, one store transaction, then the [`Ring`] that
//! feeds the screens. [`life`], [`fusion`] and [`supervision`] are pure and receive `now`.
#![forbid(unsafe_code)]

pub mod badge;
pub mod console;
pub mod context;
pub mod engine;
pub mod error;
pub mod fusion;
pub mod intake;
pub mod journal;
pub mod life;
pub mod plan;
pub mod requests;
pub mod response;
pub mod ring;
pub mod spool;
pub mod store;
pub mod supervision;
pub mod surveillance;
pub mod tension;
pub mod usual;
pub mod verdicts;
pub mod whatif;

pub use engine::{ActError, Engine};
pub use error::Error;
pub use fusion::{Fusion, Rules, Transition};
pub use journal::{Journal, Stored};
pub use life::{Refusal, Viewer};
pub use ring::{Cursor, Gap, Ring};
pub use spool::Spool;
pub use store::Store;
pub use supervision::Supervision;
