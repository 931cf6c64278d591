//! Tests of the crate from outside, one binary. The store is tested on both databases by `tests/tests/it/store.rs`.

#![expect(clippy::unwrap_used, reason = "a helper that cannot make its input fails its test")]

mod alarm_path;
mod badge;
mod context;
mod context_path;
mod crowd;
mod engine;
mod fusion;
mod fusion_store;
mod intake;
mod journal;
mod life;
mod make;
mod odd;
mod spool;
mod supervision;
mod surveillance;
mod tension;
mod words;
