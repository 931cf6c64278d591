//! One picture on request: the newest key frame, decoded for this purpose, people pixelated unless the caller
//! has checked that they may be seen. If people cannot be looked for, a masked picture does not leave.

use std::sync::{Mutex, PoisonError};

use qorgan_inference::still_jpeg;
use qorgan_ingest::camera::Decoder;

use super::{StillError, StillSource, analyse::Prepared};
use crate::error::chain;

/// Over the cameras that are being started.
pub(super) fn source(prepared: &Prepared) -> StillSource {
    let (frames, detector) = (prepared.frames.clone(), prepared.still_detector.clone());
    // A decoder and a session of their own: a still never holds up counting.
    let decoder = std::sync::Arc::new(Mutex::new(Decoder::new()));
    Box::new(move |camera, masked| {
        let (frames, detector, decoder) = (frames.clone(), detector.clone(), decoder.clone());
        Box::pin(async move {
            let frame = frames.newest(&camera).ok_or(StillError::NoFrame)?;
            let work = move || {
                let picture =
                    decoder.lock().unwrap_or_else(PoisonError::into_inner).decode(&frame).map_err(|e| StillError::Failed(chain(&e)))?;
                if !masked {
                    return still_jpeg(&picture, None).map_err(|e| StillError::Failed(chain(&e)));
                }
                let mask =
                    detector.lock().unwrap_or_else(PoisonError::into_inner).mask(&picture).map_err(|e| StillError::Withheld(chain(&e)))?;
                still_jpeg(&picture, Some(&mask)).map_err(|e| StillError::Withheld(chain(&e)))
            };
            tokio::task::spawn_blocking(work).await.map_err(|e| StillError::Failed(e.to_string()))?
        })
    })
}
