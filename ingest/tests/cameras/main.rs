//! Cameras that misbehave, decoders shared by many, files. Nothing here needs the demo's footage.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod clips;
mod decode;
mod fake;
mod files;
mod rtsp;
mod watch;
