//! Integration tests of the whole hub, one binary.

mod alarms;
mod camera_admin;
mod cameras;
mod connectors;
mod dc09;
mod devices;
mod dispatch;
mod edge;
mod fusion;
mod hub;
mod models;
mod mqtt;
mod phone;
mod pipeline;
mod quality;
mod recordings;
mod register;
mod requests;
mod seeing;
mod store;
