//! The first picture of a camera that is being tried: privacy masks burned in, everybody pixelated, or none at all.

use std::sync::Arc;

use qorgan_inference::burn_masks;

use super::analyse::Prepared;
use crate::camera_admin::edge::MaskedJpeg;

/// With the sessions that make stills: a trial never holds up counting.
pub(super) fn masked(prepared: &Prepared) -> MaskedJpeg {
    let eyes = prepared.eyes.clone();
    Arc::new(move |mut picture, masks| {
        burn_masks(&mut picture, masks).ok()?;
        eyes.masked(&picture).ok()
    })
}
