//! Where set-up puts things.

use std::path::PathBuf;

/// Root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}

/// What set-up fetched or made: `var/` at the root of the repository.
pub fn var() -> PathBuf {
    root().join("var")
}

/// The ONNX Runtime library that set-up installed.
pub fn onnxruntime() -> PathBuf {
    var().join("lib/libonnxruntime.so.1.31.1")
}

/// The demo's footage: `vtest.avi` as H.264, 768x576 at 10 fps, a key frame every 2 s.
pub fn campus_clip() -> PathBuf {
    var().join("footage/campus.mp4")
}
