//! Margin of error of a survey: computed from its sample, or checked against what was stated.

/// Confidence levels that are taken, each with its quantile of the normal distribution.
const LEVELS: [(f64, f64); 3] = [(0.90, 1.644_853_627), (0.95, 1.959_963_985), (0.99, 2.575_829_304)];

/// What a survey says of its sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// People asked.
    pub size: u64,
    /// People the sample was drawn from, if it is known.
    pub population: Option<u64>,
    /// 0.90, 0.95 or 0.99.
    pub confidence: f64,
    /// How much the way of sampling widens the margin (Kish's deff), 1 to 5; 1 for a simple random sample.
    pub design_effect: f64,
}

/// Why a sample gives no margin.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SampleError {
    /// Too few for any statement.
    #[error("a sample of 30 people or more")]
    TooSmall,
    /// More asked than there are.
    #[error("a population that is not smaller than the sample")]
    Population,
    /// Another level.
    #[error("a confidence of 0.90, 0.95 or 0.99")]
    Confidence,
    /// Another factor.
    #[error("a design effect of 1 to 5")]
    DesignEffect,
    /// A stated margin that the sample cannot have.
    #[error("between {low:.1} and {high:.1} per cent for this sample")]
    Margin {
        /// Least that is believed.
        low: f64,
        /// Most that is believed.
        high: f64,
    },
}

impl Sample {
    /// Largest margin of error of a share, in percentage points: `z * sqrt(deff * 0.25 / n)`, with the correction for a finite
    /// population (Cochran, Sampling Techniques, 1977).
    pub fn margin_pct(&self) -> Result<f64, SampleError> {
        if self.size < 30 {
            return Err(SampleError::TooSmall);
        }
        if self.population.is_some_and(|all| all < self.size) {
            return Err(SampleError::Population);
        }
        if !(1.0..=5.0).contains(&self.design_effect) {
            return Err(SampleError::DesignEffect);
        }
        let level = LEVELS.iter().find(|(level, _)| (level - self.confidence).abs() < 1e-9);
        let (_, z) = level.ok_or(SampleError::Confidence)?;
        // Counts of people are exact in a double.
        let n = self.size as f64;
        let finite = match self.population {
            Some(all) if all > 1 => ((all as f64 - n) / (all as f64 - 1.0)).max(0.0),
            _ => 1.0,
        };
        Ok(100.0 * z * (self.design_effect * 0.25 / n * finite).sqrt())
    }

    /// The margin: the stated one when the sample can have it, else an error; computed when none is stated. And whether it was computed.
    pub fn judge(&self, stated_pct: Option<f64>) -> Result<(f64, bool), SampleError> {
        let margin = self.margin_pct()?;
        let Some(stated) = stated_pct else { return Ok((margin, true)) };
        // People round, and state it for the whole country or the worst group; a much smaller one is wrong.
        let (low, high) = ((margin * 0.93 - 0.05).max(0.0), margin * 1.6 + 0.05);
        if stated.is_finite() && (low..=high).contains(&stated) { Ok((stated, false)) } else { Err(SampleError::Margin { low, high }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(size: u64) -> Sample {
        Sample { size, population: None, confidence: 0.95, design_effect: 1.0 }
    }

    #[test]
    fn margins_are_those_of_the_textbook() {
        for (s, expected) in [
            (sample(1_000), 3.10),
            (sample(1_067), 3.00),
            (sample(384), 5.00),
            (Sample { confidence: 0.99, ..sample(1_000) }, 4.07),
            (Sample { population: Some(1_000), ..sample(278) }, 5.00),
            (Sample { design_effect: 2.0, ..sample(1_000) }, 4.38),
            (Sample { population: Some(500), ..sample(500) }, 0.0),
        ] {
            assert!((s.margin_pct().unwrap() - expected).abs() < 0.006, "{s:?}: {:?}", s.margin_pct());
        }
    }

    #[test]
    fn a_stated_margin_is_checked_and_a_sample_that_gives_none_is_named() {
        assert_eq!(sample(1_200).judge(Some(2.8)), Ok((2.8, false)));
        assert!(matches!(sample(1_200).judge(Some(0.5)), Err(SampleError::Margin { .. })));
        assert!(matches!(sample(1_200).judge(Some(f64::NAN)), Err(SampleError::Margin { .. })));
        assert!(sample(1_200).judge(None).unwrap().1);
        assert_eq!(sample(29).judge(None), Err(SampleError::TooSmall));
        assert_eq!(Sample { population: Some(10), ..sample(100) }.judge(None), Err(SampleError::Population));
        assert_eq!(Sample { confidence: 0.5, ..sample(100) }.judge(None), Err(SampleError::Confidence));
        assert_eq!(Sample { design_effect: f64::NAN, ..sample(100) }.judge(None), Err(SampleError::DesignEffect));
    }
}
