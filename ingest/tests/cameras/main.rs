//! Cameras that misbehave, decoders shared by many, files. Nothing here needs the demo's footage.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod bad_input;
mod clips;
mod decode;
mod fake;
mod files;
mod mjpeg;
mod onvif;
mod real;
mod recording;
mod rtsp;
mod run_time;
mod watch;
mod ways;
