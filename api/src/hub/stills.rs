//! Pictures on request: the newest key frame, decoded for this purpose, privacy masks burned in, people and faces pixelated unless
//! the caller has checked that they may be seen. If either cannot be looked for, a masked picture does not leave.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qorgan_domain::I420;
use qorgan_inference::{Catalogue, Detector, Faces, ModelDirs, Point, Polygon, Runtime, burn_masks, reduced, small_jpeg, still_jpeg};
use qorgan_ingest::camera::{Decoder, KeyFrame, KeyFrames};

use super::{Ask, Look, Still, StillError, StillSource};
use crate::{config::Config, error::chain};

/// The manifest that finds faces to hide them.
const FACES: &str = "centerface";
/// Width of a picture of the wall, in pixels.
const WALL_PX: u32 = 480;
/// Width at which people and faces are looked for in it: what is smaller than the models see is too small to know anybody.
const LOOKED_AT_PX: u32 = 640;

/// A decoder and sessions of their own: a picture on request never holds up counting.
pub(super) struct Eyes {
    frames: Arc<KeyFrames>,
    decoder: Mutex<Decoder>,
    people: Mutex<Detector>,
    /// Or why there is no such model: then no masked picture leaves.
    faces: Result<Mutex<Faces>, String>,
}

impl Eyes {
    /// Over the cameras that are being started. A missing model of faces is no error here: it withholds what needs it.
    pub(super) fn new(frames: &Arc<KeyFrames>, people: Detector, config: &Config) -> Arc<Self> {
        let faces = faces(config);
        if let Err(why) = &faces {
            tracing::warn!("masked pictures are withheld: {why}");
        }
        Arc::new(Self {
            frames: frames.clone(),
            decoder: Mutex::new(Decoder::new()),
            people: Mutex::new(people),
            faces: faces.map(Mutex::new),
        })
    }

    /// One key frame as JPEG. Blocks.
    pub(super) fn show(&self, frame: &KeyFrame, look: Look, privacy: &[Vec<(f32, f32)>]) -> Result<Vec<u8>, StillError> {
        let mut picture = lock(&self.decoder).decode(frame).map_err(|e| StillError::Failed(chain(&e)))?;
        let withheld = |why: String| StillError::Withheld(format!("privacy masks: {why}"));
        burn_masks(&mut picture, &polygons(privacy).map_err(withheld)?).map_err(|e| withheld(chain(&e)))?;
        let failed = |e: qorgan_inference::ModelError| StillError::Failed(chain(&e));
        match look {
            Look::Open => still_jpeg(&picture, None).map_err(failed),
            Look::Masked => self.masked(&picture),
            Look::Wall => {
                let picture = reduced(&picture, LOOKED_AT_PX).map_err(failed)?;
                small_jpeg(&picture, &self.cover(&picture)?, WALL_PX).map_err(failed)
            }
        }
    }

    /// A picture with everybody in it pixelated. Blocks.
    pub(super) fn masked(&self, picture: &I420) -> Result<Vec<u8>, StillError> {
        still_jpeg(picture, Some(&self.cover(picture)?)).map_err(|e| StillError::Withheld(chain(&e)))
    }

    fn cover(&self, picture: &I420) -> Result<qorgan_inference::Cover, StillError> {
        let withheld = |e: qorgan_inference::ModelError| StillError::Withheld(chain(&e));
        let faces = self.faces.as_ref().map_err(|why| StillError::Withheld(why.clone()))?;
        let people = lock(&self.people).mask(picture).map_err(withheld)?;
        lock(faces).cover(picture, people).map_err(withheld)
    }
}

fn polygons(privacy: &[Vec<(f32, f32)>]) -> Result<Vec<Polygon>, String> {
    let one = |corners: &Vec<(f32, f32)>| Polygon::new(corners.iter().map(|(x, y)| Point { x: *x, y: *y }).collect());
    privacy.iter().map(one).collect::<Result<_, _>>().map_err(|e| chain(&e))
}

fn faces(config: &Config) -> Result<Faces, String> {
    let dirs = ModelDirs { models: config.models.dir.clone(), made: config.models.fetched.clone() };
    let open = || {
        let runtime = Runtime::load(&config.models.runtime)?;
        Faces::load(&runtime, Catalogue::read(&dirs)?.get(FACES)?, &dirs, 1)
    };
    open().map_err(|e| chain(&e))
}

/// Pictures of the newest key frames.
pub(super) fn source(eyes: Arc<Eyes>) -> StillSource {
    Box::new(move |ask: Ask| {
        let eyes = eyes.clone();
        Box::pin(async move {
            let frame = eyes.frames.newest(&ask.camera).ok_or(StillError::NoFrame)?;
            let at = frame.received_at;
            if ask.after.is_some_and(|after| at <= after) {
                return Ok(None);
            }
            let work = move || eyes.show(&frame, ask.look, &ask.privacy);
            let jpeg = tokio::task::spawn_blocking(work).await.map_err(|e| StillError::Failed(e.to_string()))??;
            Ok(Some(Still { jpeg, at }))
        })
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
