//! Cameras that misbehave, decoders shared by many, files. Nothing here needs the demo's footage.

mod clips;
mod decode;
mod fake;
mod files;
mod rtsp;
mod watch;
