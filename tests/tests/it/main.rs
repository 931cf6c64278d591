//! Integration tests of the whole hub, one binary.

mod alarms;
mod cameras;
mod connectors;
mod devices;
mod dc09;
mod hub;
mod models;
mod mqtt;
mod store;
