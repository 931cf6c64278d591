//! The hub's command line.
fn main() {}
