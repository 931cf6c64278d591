//! Payload of `qorgan/v1/area/{kato}/indicator`.

use serde::{Deserialize, Serialize};

use super::{Reject, json, version};
use crate::{AreaCode, DeviceId, IndicatorId, UtcMs, period::Period};

/// A value of an indicator. Fields that the hub does not know are refused: an aggregate has no others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorV1 {
    /// Version, 1.
    pub v: u32,
    /// Which indicator.
    pub indicator: IndicatorId,
    /// For which period.
    pub period: Period,
    /// The value, in the indicator's unit.
    pub value: f64,
    /// Cases that were counted.
    #[serde(default)]
    pub cases: Option<u64>,
    /// Population or other whole.
    #[serde(default)]
    pub denominator: Option<f64>,
    /// Name of the program; needed only where a foreign broker has checked who it is.
    #[serde(default)]
    pub source: Option<DeviceId>,
}

/// A value as it came: what it is worth the catalogue says, elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct IndicatorWord {
    /// Area.
    pub area: AreaCode,
    /// Whose word it is.
    pub source: DeviceId,
    /// The value.
    pub value: IndicatorV1,
    /// When the hub heard it.
    pub received_at: UtcMs,
}

impl IndicatorV1 {
    /// Reads and judges a payload. `from` is the program that logged in; none behind a foreign broker, where the payload says it.
    pub fn read(area: AreaCode, payload: &[u8], from: Option<&DeviceId>, now: UtcMs) -> Result<IndicatorWord, Reject> {
        let value: IndicatorV1 = json(payload)?;
        version(value.v)?;
        let source = match (from, &value.source) {
            (Some(from), Some(said)) if from != said => return Err(Reject::Source),
            (Some(from), _) => from.clone(),
            (None, Some(said)) => said.clone(),
            (None, None) => return Err(Reject::Source),
        };
        if value.cases.is_none() && value.denominator.is_none() {
            return Err(Reject::NoBasis);
        }
        Ok(IndicatorWord { area, source, value, received_at: now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(payload: &str, from: Option<&str>) -> &'static str {
        let from: Option<DeviceId> = from.map(|name| name.parse().unwrap());
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        match IndicatorV1::read("311000000".parse().unwrap(), payload.as_bytes(), from.as_ref(), now) {
            Ok(_) => "ok",
            Err(reject) => reject.code(),
        }
    }

    #[test]
    fn a_value_needs_its_basis_its_source_and_nothing_else() {
        let good = r#"{"v":1,"indicator":"roads","period":"2026-10","value":12.5,"cases":120}"#;
        assert_eq!(code(good, Some("stat")), "ok");
        assert_eq!(code(good, None), "bad_source");
        for (payload, said) in [
            (r#"{"v":1,"indicator":"roads","period":"2026-10","value":12.5,"denominator":1000,"source":"stat"}"#, "ok"),
            (r#"{"v":1,"indicator":"roads","period":"2026-10","value":12.5,"cases":120,"source":"other"}"#, "bad_source"),
            (r#"{"v":1,"indicator":"roads","period":"2026-10","value":12.5}"#, "no_basis"),
            (r#"{"v":1,"indicator":"roads","period":"2026-10","value":12.5,"cases":120,"author":"x"}"#, "bad_shape"),
            (r#"{"v":1,"indicator":"roads","period":"2026-13","value":12.5,"cases":120}"#, "bad_shape"),
            (r#"{"v":1,"indicator":"roads","period":"2026-10","value":"12","cases":120}"#, "bad_shape"),
            (r#"{"v":1,"indicator":"roads","period":"2026-10","value":NaN,"cases":120}"#, "not_json"),
            (r#"{"v":2,"indicator":"roads","period":"2026-10","value":1,"cases":120}"#, "bad_version"),
        ] {
            assert_eq!(code(payload, Some("stat")), said, "{payload}");
        }
    }
}
