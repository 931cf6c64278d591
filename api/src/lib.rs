//! The hub: configuration, wiring, HTTP API, web page, command line.
//!
//! `domain <- ingest | inference | alerts <- api`: this crate is the only one that knows all others, and
//! injects what crosses between them. Try it: `qorgan run --config configs/demo.toml`.
#![forbid(unsafe_code)]

pub mod areas;
pub mod auth;
pub mod camera_admin;
pub mod cameras;
pub mod cli;
pub mod config;
pub mod connect;
pub mod drills;
pub mod error;
pub mod hub;
pub mod intake;
pub mod phones;
pub mod plan;
pub mod register;
pub mod report;
pub mod requests;
pub mod routes;
pub mod secrets;
pub mod seeing;
mod sensors;
pub mod shown;
pub mod sitefile;
pub mod table;
pub mod tension;
pub mod tls;
pub mod units;
pub mod view;
pub mod web;
