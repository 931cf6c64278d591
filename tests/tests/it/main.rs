//! Integration tests of the whole hub, one binary.

mod alarms;
mod cameras;
mod connectors;
mod devices;
mod edge;
mod hub;
mod models;
mod mqtt;
mod store;
