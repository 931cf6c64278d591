//! Two models, one count: what the fast detector and the slow density map say of one camera, joined.
//!
//! In a crowd the detector sees a part of the people, the same part for hours on one camera, but not the same on two cameras;
//! the density map sees about all, with an error of its own that also stays for hours (a tree it takes for heads). So three
//! unknowns are followed, as logarithms, by one linear Kalman filter:
//!
//! ```text
//! x  the number of people       changes fast
//! m  people per person detected changes slowly: the ratio that the map teaches
//! b  map's people per person    changes slowly: why the map is believed only so far
//! detector: ln(c + 1) = x - m + noise        map: ln(d + 1) = x + b + noise
//! ```
//!
//! A look with the detector alone gives x through m; a look with both also teaches m and b. Because b is unknown too, a thousand
//! looks of the map never make the ratio surer than the map itself is. The 90 % interval is that of x.
//!
//! Two cases leave the usual assumption (both models about right, [`USUAL`]): when the map sees far more than the detector
//! could have missed, the detector is blind and the map is believed ([`BLIND`]); when it sees far fewer, the map is lost (huge
//! people) and the detector is believed ([`LOST`]). Numbers are fitted on the even lines of `crowd/counts.csv` (measured in
//! the manifests). Pure: time comes in as seconds between looks.

/// Standard deviations, in logarithms (0.1 is about 10 %), of what is not known of a camera at first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Prior {
    ratio: f32,
    map: f32,
}

const USUAL: Prior = Prior { ratio: 0.15, map: 0.2 };
const BLIND: Prior = Prior { ratio: 3.0, map: 0.15 };
const LOST: Prior = Prior { ratio: 0.15, map: 1.0 };

/// The two models contradict each other from this many standard deviations on.
const CONTRADICTION: f32 = 2.0;

/// The detector is called blind only when the map sees at least so many people more: in trees, bins and posts alone it sees some 20.
const BLIND_FROM: f32 = 30.0;

/// When this part of the map's people stands where the map is dense, the detector can no longer tell them apart, and the usual
/// ratio is no longer sure: middle and width of the change from one to the other.
const CROWDED: (f32, f32) = (0.25, 0.04);

/// Noise of one detector look: variance per person (less than Poisson: people do not vanish independently).
const DETECTOR_NOISE: f32 = 0.3;

/// Noise of one look of the map: relative, and in people.
const MAP_NOISE: (f32, f32) = (0.12, 1.5);

/// Variance per second of ln people: 24 % in 5 s, as measured in a mall.
const PEOPLE_DRIFT: f32 = 0.011;

/// Variance per second of both slow unknowns: 6 % in 5 minutes, 20 % in an hour.
const SLOW_DRIFT: f32 = 1e-5;

/// The interval is made this much narrower than the filter thinks: on the even lines it held more than 90 %.
const HONEST: f32 = 0.84;

/// The 95 % quantile of the standard normal distribution.
const Z95: f32 = 1.645;

/// The filter's state; of one camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratio {
    /// x, m, b.
    state: [f32; 3],
    covariance: [[f32; 3]; 3],
    /// What was detected when the map last spoke.
    taught_at: Option<f32>,
    /// Whether the crowd was dense when the state began.
    dense: bool,
    begun: bool,
}

/// What the density map says of one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mapped {
    /// Its sum, in people.
    pub people: f32,
    /// The part of them that stands where the map is dense, 0 to 1.
    pub dense_part: f32,
}

/// One count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fused {
    /// Best estimate, in people.
    pub people: f32,
    /// Lower end of the 90 % interval.
    pub low: f32,
    /// Upper end of the 90 % interval.
    pub high: f32,
}

impl Default for Ratio {
    fn default() -> Self {
        Self::new()
    }
}

impl Ratio {
    /// Nothing is known of the camera.
    pub fn new() -> Self {
        Self { state: [3.0, 0.0, 0.0], covariance: [[0.0; 3]; 3], taught_at: None, dense: false, begun: false }
    }

    /// People per person detected, as learned.
    pub fn ratio(&self) -> f32 {
        self.state[1].exp()
    }

    /// Whether the map has spoken since the ratio was new.
    pub fn taught(&self) -> bool {
        self.taught_at.is_some()
    }

    /// Whether the number detected is so different from when the map last spoke that it should speak again: crowding changes
    /// the ratio.
    pub fn outgrown(&self, detected: f32) -> bool {
        self.taught_at.is_none_or(|then| ((detected + 4.0) / (then + 4.0)).ln().abs() > 0.5)
    }

    /// Forgets what was learned: the camera was turned, or day became night.
    pub fn renew(&mut self) {
        *self = Self::new();
    }

    /// One look: `seconds` since the last one, the detector's soft count, and the map if it ran.
    pub fn look(&mut self, seconds: f32, detected: f32, map: Option<Mapped>) -> Fused {
        let detected = detected.max(0.0);
        let map = map.map(|map| Mapped { people: map.people.max(0.0), dense_part: map.dense_part.clamp(0.0, 1.0) });
        // A crowd that has become dense, or is so no longer, is another scene.
        let limit = if self.dense { CROWDED.0 - CROWDED.1 } else { CROWDED.0 + CROWDED.1 };
        let turned = map.is_some_and(|map| (map.dense_part > limit) != self.dense);
        if !self.begun || (map.is_some() && !self.taught()) || turned {
            self.begin(detected, map);
        } else {
            let seconds = seconds.clamp(0.0, 3_600.0);
            self.covariance[0][0] = (self.covariance[0][0] + PEOPLE_DRIFT * seconds).min(9.0);
            self.covariance[1][1] += SLOW_DRIFT * seconds;
            self.covariance[2][2] += SLOW_DRIFT * seconds;
        }
        self.observe([1.0, -1.0, 0.0], (detected + 1.0).ln(), DETECTOR_NOISE / (detected + 1.0));
        if let Some(Mapped { people, .. }) = map {
            self.observe([1.0, 0.0, 1.0], (people + 1.0).ln(), map_variance(people));
            self.taught_at = Some(detected);
        }
        self.read()
    }

    fn begin(&mut self, detected: f32, map: Option<Mapped>) {
        let prior = map.map_or(USUAL, |map| prior(detected, map));
        self.state = [3.0, 0.0, 0.0];
        self.covariance = [[9.0, 0.0, 0.0], [0.0, prior.ratio.powi(2), 0.0], [0.0, 0.0, prior.map.powi(2)]];
        self.dense = map.is_some_and(|map| map.dense_part > CROWDED.0);
        self.begun = true;
    }

    /// Kalman's update with one number.
    fn observe(&mut self, weights: [f32; 3], seen: f32, variance: f32) {
        let dot = |row: &[f32; 3]| row.iter().zip(weights).map(|(a, b)| a * b).sum::<f32>();
        let spread: [f32; 3] = [0, 1, 2].map(|i| dot(&self.covariance[i]));
        let total = dot(&spread) + variance;
        let surprise = seen - dot(&self.state);
        for ((value, row), pull) in self.state.iter_mut().zip(&mut self.covariance).zip(spread) {
            *value += pull / total * surprise;
            for (cell, other) in row.iter_mut().zip(spread) {
                *cell -= pull * other / total;
            }
        }
    }

    fn read(&self) -> Fused {
        let half = Z95 * HONEST * self.covariance[0][0].max(0.0).sqrt();
        let people = |x: f32| (x.min(11.5).exp() - 1.0).max(0.0);
        let x = self.state[0];
        Fused { people: people(x), low: people(x - half), high: people(x + half) }
    }
}

/// What to expect of a camera whose models say this at first.
fn prior(detected: f32, map: Mapped) -> Prior {
    let crowded = 1.0 / (1.0 + (-(map.dense_part - CROWDED.0) / CROWDED.1).exp());
    let usual = Prior { ratio: USUAL.ratio + BLIND.ratio * crowded, ..USUAL };
    let apart = ((map.people + 1.0) / (detected + 1.0)).ln();
    let noise = DETECTOR_NOISE / (detected + 1.0) + map_variance(map.people);
    let limit = CONTRADICTION * (usual.ratio.powi(2) + usual.map.powi(2) + noise).sqrt();
    if apart > limit && map.people - detected >= BLIND_FROM {
        BLIND
    } else if apart.abs() > limit {
        LOST
    } else {
        usual
    }
}

fn map_variance(map: f32) -> f32 {
    MAP_NOISE.0.powi(2) + (MAP_NOISE.1 / (map + 1.0)).powi(2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn loose(people: f32) -> Option<Mapped> {
        Some(Mapped { people, dense_part: 0.0 })
    }

    #[test]
    fn the_map_teaches_a_ratio_that_the_detector_then_uses() {
        let mut ratio = Ratio::new();
        for _ in 0..20 {
            ratio.look(5.0, 25.0, loose(34.0));
        }
        assert!((1.05..1.4).contains(&ratio.ratio()), "{}", ratio.ratio());
        // Twice as many are detected, and the map is silent.
        let twice: Vec<Fused> = (0..10).map(|_| ratio.look(5.0, 50.0, None)).collect();
        let last = twice[9];
        assert!((52.0..72.0).contains(&last.people) && last.low < last.people && last.people < last.high, "{last:?}");
    }

    #[test]
    fn where_the_detector_is_blind_the_map_is_believed() {
        let fused = Ratio::new().look(0.0, 40.0, loose(600.0));
        assert!((500.0..640.0).contains(&fused.people) && fused.high > 650.0, "{fused:?}");
    }

    #[test]
    fn in_a_dense_crowd_the_usual_ratio_counts_for_nothing() {
        let look = |dense_part| Ratio::new().look(0.0, 60.0, Some(Mapped { people: 100.0, dense_part })).people;
        assert!(look(0.0) < 85.0 && look(0.8) > 97.0, "{} {}", look(0.0), look(0.8));
        // And when it disperses, that is noticed.
        let mut ratio = Ratio::new();
        ratio.look(0.0, 40.0, Some(Mapped { people: 400.0, dense_part: 0.9 }));
        let after = ratio.look(600.0, 30.0, loose(33.0));
        assert!((27.0..37.0).contains(&after.people), "{after:?}");
    }

    #[test]
    fn where_the_map_is_lost_the_detector_is_believed() {
        let fused = Ratio::new().look(0.0, 20.0, loose(4.0));
        assert!((16.0..21.0).contains(&fused.people), "{fused:?}");
    }

    #[test]
    fn the_ratio_never_grows_surer_than_the_map_is() {
        let mut ratio = Ratio::new();
        for _ in 0..2_000 {
            ratio.look(1.0, 28.0, loose(36.0));
        }
        let fused = ratio.look(1.0, 28.0, None);
        assert!(fused.high / fused.low > 1.15, "{fused:?}");
    }

    #[test]
    fn a_long_silence_widens_the_interval_and_a_renewal_forgets() {
        let mut ratio = Ratio::new();
        ratio.look(0.0, 25.0, loose(60.0));
        let (mut soon, mut late) = (ratio.clone(), ratio.clone());
        let width = |f: Fused| f.high / f.low;
        assert!(width(late.look(3_600.0, 25.0, None)) > width(soon.look(5.0, 25.0, None)));
        assert!(!ratio.outgrown(25.0) && ratio.outgrown(60.0));
        ratio.renew();
        assert!(!ratio.taught() && ratio.outgrown(25.0));
    }

    proptest! {
        #[test]
        fn any_looks_give_a_number_inside_its_interval(
            looks in prop::collection::vec((0.0f32..4_000.0, 0.0f32..300.0, prop::option::of((0.0f32..5_000.0, 0.0f32..1.0))), 1..40),
        ) {
            let mut ratio = Ratio::new();
            for (seconds, detected, map) in looks {
                let Fused { people, low, high } = ratio.look(seconds, detected, map.map(|(people, dense_part)| Mapped { people, dense_part }));
                prop_assert!(0.0 <= low && low <= people && people <= high && high.is_finite(), "{} {} {}", low, people, high);
            }
        }

        #[test]
        fn more_people_detected_never_mean_fewer_counted(before in 1.0f32..60.0, more in 0.5f32..40.0, map in 1.0f32..200.0) {
            let mut first = Ratio::new();
            first.look(0.0, before, loose(map));
            let mut second = first.clone();
            prop_assert!(second.look(5.0, before + more, None).people >= first.look(5.0, before, None).people);
        }
    }
}
