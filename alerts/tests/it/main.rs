//! Tests of the crate from outside, one binary. The store is tested on both databases by `tests/tests/it/store.rs`.

mod engine;
mod fusion;
mod journal;
mod life;
mod make;
