//! Whether a camera's picture can be trusted: black, frozen, blurred, covered or moved. Pure: one state per camera, `now` given.
//!
//! Fed with key frames that are decoded anyway. What is kept of a picture is a grid of 32x18 cells with mean luma and edge
//! energy (the squared Laplacian), in which nobody can be recognised. Faults are judged against the camera's own long-term
//! reference, because a yard in fog and a corridor differ more than a good and a bad picture of one camera.
//!
//! What does not belong here: what a fault means for people (`alerts`), the wish to have more pictures.

mod measure;

use std::time::{Duration, Instant};

use qorgan_domain::I420;

pub use measure::{CELLS, GRID};
use measure::{Measure, correlation, spread};

/// What is wrong with a picture. When several hold, the first of this list is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PictureFault {
    /// No light, no sensor, or the lens cap is on.
    Black,
    /// The same picture again and again, bit for bit, while time goes on.
    Frozen,
    /// A hand, paint, a bag or a wall before the lens: structure is gone at once, and so is the layout of light and dark.
    Covered,
    /// Out of focus, a dirty lens, rain or fog: less than a third of the sharpness that this camera usually has.
    Blurred,
    /// The camera looks somewhere else.
    Moved,
}

impl PictureFault {
    /// Name in JSON and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::Frozen => "frozen",
            Self::Covered => "covered",
            Self::Blurred => "blurred",
            Self::Moved => "moved",
        }
    }
}

/// How good a camera's picture is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureHealth {
    /// What is wrong, once it has lasted.
    pub fault: Option<PictureFault>,
    /// Variance of the Laplacian of luma, in squared levels; below about 20 at any size a picture looks soft.
    pub sharpness: f32,
    /// Sharpness as a share of what this camera usually has; none while that is being learned.
    pub sharpness_share: Option<f32>,
    /// Share of the picture that is black (luma up to 24 of 16 to 235), 0 to 1: under-exposed, or night.
    pub dark_share: f32,
    /// Share that is burnt out (luma from 232 on), 0 to 1.
    pub bright_share: f32,
    /// Mean luma, 16 to 235.
    pub mean_luma: f32,
}

/// This much of the picture has no light.
const BLACK_DARK_SHARE: f32 = 0.97;
/// Of the cells that show anything, this share is the same to the last bit. The rest is the clock that many cameras write into
/// the picture, which goes on when the sensor hangs. A still scene with a sensor's noise changes nearly all of its cells.
const FROZEN_SAME_SHARE: f32 = 0.95;
/// A cell has lost its structure below this share of its usual edge energy.
const LOST_ENERGY: f32 = 0.15;
/// So many of the cells that usually have structure must have lost it.
const LOST_SHARE: f32 = 0.8;
/// "At once": one of the last three pictures had this share of the usual sharpness. Fog takes longer.
const SHARP_BEFORE: f32 = 0.5;
/// Edge energy that a sensor's noise alone makes, in squared levels per pixel: no structure.
const NOISE: f32 = 40.0;
/// A covered lens shows another layout of light and dark than usual, or hardly any; defocus keeps both. Correlation of the cells'
/// luma, and spread of it as a share of the usual.
const LAYOUT_KEPT: (f32, f32) = (0.6, 0.4);
/// Blurred below this share of the usual sharpness, good again above the other.
const BLURRED: (f32, f32) = (0.33, 0.5);
/// Moved below this correlation of edge energies with the usual ones, at home again above the other.
const MOVED: (f32, f32) = (0.5, 0.65);
/// A cell has structure from this edge energy on, in squared levels per pixel.
const STRUCTURE: f32 = 100.0;
/// A view can be recognised when at least this share of its cells has structure.
const RECOGNISABLE: f32 = 0.1;

/// A fault must be seen in this many pictures in a row, and for this long.
fn patience(fault: PictureFault) -> (u32, Duration) {
    match fault {
        PictureFault::Black => (2, Duration::from_secs(5)),
        PictureFault::Covered => (2, Duration::from_secs(5)),
        PictureFault::Frozen => (4, Duration::from_secs(30)),
        // A lorry that stops before the camera, a gust of rain.
        PictureFault::Blurred | PictureFault::Moved => (4, Duration::from_secs(30)),
    }
}

/// A fault is over after this many good pictures in a row. A picture that differs ends `Frozen` at once.
const GOOD_AGAIN: u32 = 2;
/// Pictures and time that make a reference.
const LEARNED: (u32, Duration) = (8, Duration::from_secs(40));
/// The reference follows seasons and daylight this slowly.
const FOLLOWS_IN: Duration = Duration::from_secs(1_800);
/// Figures without a change of fault are told again at most this often, and only if they have changed.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// The state of one camera.
#[derive(Debug, Clone)]
pub struct Quality {
    /// Cells under privacy masks.
    ignored: Vec<bool>,
    size_px: (usize, usize),
    reference: Option<Reference>,
    last: Option<Measure>,
    /// Sharpness of the last pictures as a share of the usual, newest last; while the lens may be covered, of those before.
    recent: [f32; 3],
    suspected: Option<Suspicion>,
    fault: Option<PictureFault>,
    good: u32,
    told: Option<(Instant, PictureHealth)>,
}

#[derive(Debug, Clone)]
struct Suspicion {
    fault: PictureFault,
    since: Instant,
    pictures: u32,
}

/// What a camera usually shows.
#[derive(Debug, Clone)]
struct Reference {
    since: Instant,
    updated: Instant,
    pictures: u32,
    sharpness: f32,
    /// Logarithm of edge energy, per cell.
    edges: Vec<f32>,
    luma: Vec<f32>,
}

impl Default for Quality {
    fn default() -> Self {
        Self::new(|_, _| false)
    }
}

impl Quality {
    /// Nothing is known yet. `masked` says whether a point, in fractions of the picture (x right, y down), lies under a privacy
    /// mask: such cells say nothing about the camera.
    pub fn new(masked: impl Fn(f32, f32) -> bool) -> Self {
        let ignored = (0..CELLS).map(|cell| {
            let (column, row) = (cell % GRID.0, cell / GRID.0);
            masked((column as f32 + 0.5) / GRID.0 as f32, (row as f32 + 0.5) / GRID.1 as f32)
        });
        Self {
            ignored: ignored.collect(),
            size_px: (0, 0),
            reference: None,
            last: None,
            recent: [1.0; 3],
            suspected: None,
            fault: None,
            good: 0,
            told: None,
        }
    }

    /// Looks at a key frame (never at one in between: an encoder repeats a still scene bit for bit). Gives the health when there
    /// is something new to tell: a fault that began or ended, or other figures after a while. Nothing is learned from a picture
    /// that is not whole.
    pub fn look(&mut self, picture: &I420, now: Instant) -> Option<PictureHealth> {
        let measure = Measure::of(picture, &self.ignored)?;
        if self.size_px != (picture.width, picture.height) {
            // Edges of another size are other edges; what was wrong must show again.
            *self = Self { ignored: std::mem::take(&mut self.ignored), ..Self::default() };
            self.size_px = (picture.width, picture.height);
        }
        let seen = self.judge(&measure);
        self.remember(seen, now);
        let kept = seen.is_none() && self.fault.is_none();
        if kept && measure.dark_share < 0.9 {
            self.learn(&measure, now);
        }
        let health = self.health(&measure);
        self.last = Some(measure);
        self.tell(health, now)
    }

    /// The view as it is now is the right one: forget the old. For a camera that was turned on purpose.
    pub fn accept_view(&mut self) {
        *self = Self { ignored: std::mem::take(&mut self.ignored), size_px: self.size_px, told: self.told.take(), ..Self::default() };
    }

    /// What this picture alone looks like. A fault that has been told holds until its upper threshold is passed.
    fn judge(&mut self, measure: &Measure) -> Option<PictureFault> {
        if measure.dark_share >= BLACK_DARK_SHARE {
            return Some(PictureFault::Black);
        }
        if self.last.as_ref().and_then(|last| measure.same_share(last)).is_some_and(|same| same >= FROZEN_SAME_SHARE) {
            return Some(PictureFault::Frozen);
        }
        let reference = self.reference.as_ref().filter(|reference| reference.is_learned())?;
        let structured: Vec<usize> = (0..CELLS).filter(|cell| !self.ignored[*cell] && reference.edges[*cell] > STRUCTURE.ln()).collect();
        let all = self.ignored.iter().filter(|ignored| !**ignored).count().max(1);
        if (structured.len() as f32) < RECOGNISABLE * all as f32 {
            return None;
        }
        let is_gone = |cell: &&usize| measure.edges[**cell] < (reference.edges[**cell] + LOST_ENERGY.ln()).max(NOISE.ln());
        let gone = structured.iter().filter(is_gone).count();
        let lost = gone as f32 / structured.len() as f32;
        let uniform = correlation(&measure.luma, &reference.luma, &self.ignored) < LAYOUT_KEPT.0
            || spread(&measure.luma, &self.ignored) < LAYOUT_KEPT.1 * spread(&reference.luma, &self.ignored);
        let share = measure.sharpness / reference.sharpness.max(1e-3);
        let at_once = self.recent.iter().any(|before| *before >= SHARP_BEFORE) || self.holds(PictureFault::Covered);
        if lost >= LOST_SHARE && at_once && uniform {
            return Some(PictureFault::Covered);
        }
        self.recent.rotate_left(1);
        self.recent[2] = share;
        if share < if self.holds(PictureFault::Blurred) { BLURRED.1 } else { BLURRED.0 } {
            return Some(PictureFault::Blurred);
        }
        let view = correlation(&measure.edges, &reference.edges, &self.ignored);
        (view < if self.holds(PictureFault::Moved) { MOVED.1 } else { MOVED.0 }).then_some(PictureFault::Moved)
    }

    fn holds(&self, fault: PictureFault) -> bool {
        self.fault == Some(fault)
    }

    /// From what single pictures show to what has lasted.
    fn remember(&mut self, seen: Option<PictureFault>, now: Instant) {
        let Some(fault) = seen else {
            self.suspected = None;
            self.good += 1;
            if self.good >= GOOD_AGAIN || self.holds(PictureFault::Frozen) {
                self.fault = None;
            }
            return;
        };
        self.good = 0;
        match &mut self.suspected {
            Some(suspicion) if suspicion.fault == fault => suspicion.pictures += 1,
            other => *other = Some(Suspicion { fault, since: now, pictures: 1 }),
        }
        let (pictures, lasts) = patience(fault);
        if self.suspected.as_ref().is_some_and(|s| s.pictures >= pictures && now.saturating_duration_since(s.since) >= lasts) {
            self.fault = Some(fault);
        }
    }

    fn learn(&mut self, measure: &Measure, now: Instant) {
        let Some(reference) = &mut self.reference else {
            let (edges, luma) = (measure.edges.clone(), measure.luma.clone());
            self.reference = Some(Reference { since: now, updated: now, pictures: 1, sharpness: measure.sharpness, edges, luma });
            return;
        };
        let since = now.saturating_duration_since(reference.updated).as_secs_f32();
        reference.updated = now;
        reference.pictures = reference.pictures.saturating_add(1);
        // A plain mean first, then slowly after the world.
        let share = if reference.is_learned() { (since / FOLLOWS_IN.as_secs_f32()).min(0.05) } else { 1.0 / reference.pictures as f32 };
        let follow = |old: &mut f32, new: f32| *old += (new - *old) * share;
        follow(&mut reference.sharpness, measure.sharpness);
        reference.edges.iter_mut().zip(&measure.edges).for_each(|(old, new)| follow(old, *new));
        reference.luma.iter_mut().zip(&measure.luma).for_each(|(old, new)| follow(old, *new));
    }

    fn health(&self, measure: &Measure) -> PictureHealth {
        let usual = self.reference.as_ref().filter(|reference| reference.is_learned()).map(|reference| reference.sharpness);
        PictureHealth {
            fault: self.fault,
            sharpness: measure.sharpness,
            sharpness_share: usual.map(|usual| measure.sharpness / usual.max(1e-3)),
            dark_share: measure.dark_share,
            bright_share: measure.bright_share,
            mean_luma: measure.mean_luma,
        }
    }

    fn tell(&mut self, health: PictureHealth, now: Instant) -> Option<PictureHealth> {
        let news = match &self.told {
            None => true,
            Some((_, told)) if told.fault != health.fault => true,
            Some((at, told)) => now.saturating_duration_since(*at) >= TELL_AGAIN && differs(told, &health),
        };
        if news {
            self.told = Some((now, health));
        }
        news.then_some(health)
    }
}

impl Reference {
    fn is_learned(&self) -> bool {
        self.pictures >= LEARNED.0 && self.updated.saturating_duration_since(self.since) >= LEARNED.1
    }
}

/// Whether figures differ by more than a reader would shrug at.
fn differs(a: &PictureHealth, b: &PictureHealth) -> bool {
    let far = |a: f32, b: f32, by: f32| (a - b).abs() > by;
    far(a.sharpness, b.sharpness, 0.1 * a.sharpness)
        || far(a.dark_share, b.dark_share, 0.05)
        || far(a.bright_share, b.bright_share, 0.05)
        || far(a.mean_luma, b.mean_luma, 10.0)
}

#[cfg(test)]
mod tests;
