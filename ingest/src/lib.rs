//! Doors of the hub: what comes in from cameras and devices, turned into domain types once.
//!
//! What belongs here: reaching cameras and holding their newest key frame, decoding, the MQTT broker and
//! client, the receiver of alarm panels (SIA DC-09), and the supervision of all of them. What does not: judging
//! what a picture or a message means (`inference`, `alerts`), and storage. This crate imports only `qorgan-domain` of the workspace.

#[cfg(feature = "video")]
pub mod camera;
#[cfg(feature = "dc09")]
pub mod dc09;
pub mod limit;
#[cfg(feature = "video")]
pub mod live;
#[cfg(feature = "mqtt")]
pub mod mqtt;
#[cfg(feature = "onvif")]
pub mod onvif;
#[cfg(any(feature = "mqtt", feature = "dc09"))]
mod quiet;
#[cfg(any(feature = "mqtt", feature = "dc09"))]
pub mod stored;
