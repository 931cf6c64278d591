//! The first picture of a camera that is being tried: privacy masks burned in, everybody pixelated, or none at all.

use std::sync::{Arc, PoisonError};

use qorgan_inference::{burn_masks, still_jpeg};

use super::analyse::Prepared;
use crate::camera_admin::edge::MaskedJpeg;

/// With the session that makes stills: a trial never holds up counting.
pub(super) fn masked(prepared: &Prepared) -> MaskedJpeg {
    let detector = prepared.still_detector.clone();
    Arc::new(move |mut picture, masks| {
        burn_masks(&mut picture, masks).ok()?;
        let mask = detector.lock().unwrap_or_else(PoisonError::into_inner).mask(&picture).ok()?;
        still_jpeg(&picture, Some(&mask)).ok()
    })
}
