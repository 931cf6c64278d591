//! What the tests, the evaluation programs and the bench programs share: a camera server, a button
//! fleet, PostgreSQL and Mosquitto started for a test, the hub itself as a process, and the report line.
//!
//! Nothing of the product belongs here, and the product never depends on this crate.

pub mod buttons;
pub mod camera_process;
pub mod cameras;
pub mod clips;
pub mod fleet;
pub mod fuzz;
pub mod hub;
pub mod lite;
pub mod load;
pub mod mosquitto;
pub mod paths;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod report;
pub mod sites;
pub mod trial;
pub mod watch;
