//! GStreamer's start, and its log.
//!
//! libav hides damage: it fills what it could not decode with grey or with a neighbour and says so only in its
//! log ("concealing 1728 DC, ..."). A grey picture would be counted as an empty place, so that line is caught.
//! It comes in the thread that decodes, because the hub's decoders have no threads of their own.

use std::{cell::Cell, sync::OnceLock};

use gstreamer::{self as gst, DebugCategory, DebugLevel, prelude::*};

thread_local! {
    static CONCEALED: Cell<bool> = const { Cell::new(false) };
}

/// Starts GStreamer and listens to libav's log; the first call decides.
pub(super) fn init() -> Result<(), String> {
    static STARTED: OnceLock<Result<(), String>> = OnceLock::new();
    STARTED.get_or_init(start).clone()
}

fn start() -> Result<(), String> {
    gst::init().map_err(|error| error.to_string())?;
    // The plugin makes the category.
    let Some(libav) =
        gst::ElementFactory::find("avdec_h264").and_then(|factory| factory.load().ok()).and_then(|_| DebugCategory::get("libav"))
    else {
        // Without libav nothing decodes, and the decoder says so by name.
        return Ok(());
    };
    // Whoever asks for GStreamer's log by environment gets it as it is; nobody else gets libav's on stderr.
    if std::env::var_os("GST_DEBUG").is_none() {
        gst::log::remove_default_log_function();
    }
    libav.set_threshold(libav.threshold().max(DebugLevel::Info));
    gst::log::add_log_function(move |category, level, _, _, _, _, message| {
        if category == libav && level <= DebugLevel::Info && message.get().is_some_and(|text| text.contains("concealing")) {
            CONCEALED.set(true);
        }
    });
    gst::log::set_active(true);
    Ok(())
}

/// Forgets what this thread's decoder said before.
pub(super) fn forget() {
    CONCEALED.set(false);
}

/// Whether this thread's decoder has concealed damage since [`forget`].
pub(super) fn concealed() -> bool {
    CONCEALED.get()
}
