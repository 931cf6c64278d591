//! What a device notices by itself: motion, people, tampering. Pulled (PullPoint), because a hub behind a firewall cannot be pushed to.

use std::{collections::HashMap, sync::Arc, time::Duration};

use oxvif::OnvifClient;
use qorgan_domain::{Count, CountSource, DeviceRef, UtcMs, count::MAX_PEOPLE};
use tokio::time::Instant;

use super::{OnvifError, device::hub_time, transport::Carrier};

/// A subscription ends by itself after this long without a renewal, so that a hub that died leaves nothing on the device.
const LASTS: &str = "PT5M";
const RENEW_AFTER: Duration = Duration::from_secs(120);
/// How long the device may hold an answer back while it has nothing to say.
const HOLD: &str = "PT5S";
/// Messages of one answer that are read.
const MAX_MESSAGES: u32 = 100;
/// A device's moment this far from the hub's now is not believed.
const BELIEVED_MS: i64 = 10 * 60 * 1000;

/// Something that a device noticed.
#[derive(Debug, Clone, PartialEq)]
pub struct Noticed {
    /// When, by the hub's clock.
    pub at: UtcMs,
    /// Which lens, rule or line of the device said it, as the device names it; for logs.
    pub source: String,
    /// What.
    pub what: What,
}

/// What a device can notice. Never who: nothing else of an event is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    /// Something moves, or no longer does.
    Motion(bool),
    /// People in the picture or in the rule's field.
    People(f32),
    /// Somebody is there, or nobody is.
    Occupied(bool),
    /// The camera is covered, turned, defocused or beaten.
    Tamper(bool),
    /// The device has lost its own picture.
    SignalLoss(bool),
}

impl Noticed {
    /// As a count, if it is one. The device does not say how sure it is: half to one and a half of what it says is assumed, at least one
    /// person either way.
    pub fn count(&self, camera: &DeviceRef) -> Option<Count> {
        let What::People(people) = self.what else { return None };
        let slack = (people * 0.5).max(1.0);
        Some(Count {
            camera: camera.clone(),
            at: self.at,
            people,
            low: (people - slack).max(0.0),
            high: (people + slack).min(MAX_PEOPLE),
            source: CountSource::Foreign,
            unchanged: false,
            zones: Vec::new(),
            flows: Vec::new(),
        })
    }
}

/// A subscription.
pub struct Events {
    client: OnvifClient,
    carrier: Arc<Carrier>,
    address: String,
    clock_offset_ms: i64,
    renewed: Instant,
}

impl Events {
    pub(super) async fn subscribe(
        client: OnvifClient,
        carrier: Arc<Carrier>,
        service: &str,
        clock_offset_ms: i64,
    ) -> Result<Self, OnvifError> {
        let subscription = client.create_pull_point_subscription(service, None, Some(LASTS)).await;
        let subscription = subscription.map_err(|error| carrier.error("subscription", error))?;
        let address = carrier.on_device(&subscription.reference_url).map(String::from);
        let why = || "the subscription has no address".into();
        let address = address.ok_or_else(|| OnvifError::Garbage { step: "subscription", why: why() }.counted())?;
        Ok(Self { client, carrier, address, clock_offset_ms, renewed: Instant::now() })
    }

    /// What has happened since the last call; may be nothing. Waits some seconds for it.
    ///
    /// # Errors
    /// Each of [`OnvifError`]; subscribe anew then.
    pub async fn next(&mut self, now: impl Fn() -> UtcMs) -> Result<Vec<Noticed>, OnvifError> {
        if self.renewed.elapsed() >= RENEW_AFTER {
            let renewed = self.client.renew_subscription(&self.address, LASTS).await;
            renewed.map_err(|error| self.carrier.error("renewal", error))?;
            self.renewed = Instant::now();
        }
        let asked = Instant::now();
        let messages = self.client.pull_messages(&self.address, HOLD, MAX_MESSAGES).await;
        let messages = messages.map_err(|error| self.carrier.error("events", error))?;
        if messages.is_empty() && asked.elapsed() < Duration::from_millis(200) {
            // A device that does not hold its answer back would be asked without pause.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let noticed = messages.iter().take(MAX_MESSAGES as usize).filter_map(|message| {
            let what = what(&message.topic, &message.data)?;
            let (at, now) = (hub_time(&message.utc_time, self.clock_offset_ms), now());
            let at = at.filter(|at| at.ms_since(now).abs() <= BELIEVED_MS).unwrap_or(now);
            Some(Noticed { at, source: source(&message.source), what })
        });
        Ok(noticed.collect())
    }

    /// Tells the device that nobody listens any more.
    pub async fn end(self) {
        // It would notice by itself some minutes later.
        let _ = self.client.unsubscribe(&self.address).await;
    }
}

/// The hub's word for a topic and its data; `None` for all that is not known, above all for everything about who was seen.
fn what(topic: &str, data: &HashMap<String, String>) -> Option<What> {
    // `tns1:RuleEngine/CellMotionDetector/Motion`: prefixes differ from device to device.
    let path: Vec<&str> = topic.trim().split('/').map(|part| part.rsplit(':').next().unwrap_or(part)).collect();
    let flag = |names: &[&str]| {
        let value = names.iter().find_map(|name| data.get(*name))?;
        match value.trim() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    };
    match path.as_slice() {
        ["RuleEngine", "CellMotionDetector" | "MotionRegionDetector", "Motion"] => flag(&["IsMotion", "State"]).map(What::Motion),
        ["VideoSource", "MotionAlarm"] | ["VideoAnalytics", "Motion"] => flag(&["State", "IsMotion"]).map(What::Motion),
        // Counts in and out over time (`Counter`) are no number of people present.
        ["RuleEngine", "CountAggregation", "OccupancyCounter" | "Occupancy"] | ["RuleEngine", "OccupancyCounting", ..] => people(data),
        ["RuleEngine", "CountAggregation", "Counter"] => data.contains_key("Occupancy").then(|| people(data)).flatten(),
        ["RuleEngine", "HumanDetector" | "PeopleDetect" | "MyRuleDetector", ..] => flag(&["State", "IsPeople"]).map(What::Occupied),
        ["RuleEngine", "TamperDetector", "Tamper"] => flag(&["IsTamper", "State"]).map(What::Tamper),
        ["VideoSource", "GlobalSceneChange" | "ImageTooBlurry" | "ImageTooDark" | "ImageTooBright", ..] => {
            flag(&["State"]).map(What::Tamper)
        }
        ["VideoSource", "SignalLoss"] | ["VideoSource", "ConnectionFailed"] => flag(&["State"]).map(What::SignalLoss),
        _ => None,
    }
}

fn people(data: &HashMap<String, String>) -> Option<What> {
    let value = ["Occupancy", "Count", "ObjectCount", "PeopleCount"].iter().find_map(|name| data.get(*name))?;
    let people: f32 = value.trim().parse().ok()?;
    (0.0..=MAX_PEOPLE).contains(&people).then_some(What::People(people))
}

/// The device's own name of what said it: the first few, bounded, in a fixed order.
fn source(items: &HashMap<String, String>) -> String {
    const NAMES: [&str; 5] = ["VideoSourceConfigurationToken", "VideoSource", "Source", "VideoSourceToken", "Rule"];
    let named: Vec<&str> = NAMES.iter().filter_map(|name| items.get(*name)).map(String::as_str).collect();
    named.join(" ").chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(items: &[(&str, &str)]) -> HashMap<String, String> {
        items.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn topics_of_several_makers_become_the_hubs_words() {
        let cases = [
            ("tns1:RuleEngine/CellMotionDetector/Motion", data(&[("IsMotion", "true")]), Some(What::Motion(true))),
            ("tns1:VideoSource/MotionAlarm", data(&[("State", "0")]), Some(What::Motion(false))),
            ("tns1:RuleEngine/tns1:CountAggregation/tns1:OccupancyCounter", data(&[("Occupancy", "17")]), Some(What::People(17.0))),
            ("tns1:RuleEngine/CountAggregation/Counter", data(&[("Count", "900")]), None),
            ("tns1:RuleEngine/TamperDetector/Tamper", data(&[("IsTamper", "true")]), Some(What::Tamper(true))),
            ("tns1:VideoSource/GlobalSceneChange/ImagingService", data(&[("State", "true")]), Some(What::Tamper(true))),
            ("tns1:VideoSource/SignalLoss", data(&[("State", "1")]), Some(What::SignalLoss(true))),
        ];
        for (topic, data, expected) in cases {
            assert_eq!(what(topic, &data), expected, "{topic}");
        }
    }

    #[test]
    fn what_could_tell_who_was_seen_is_never_read() {
        let items = data(&[("State", "true"), ("PlateNumber", "123ABC08"), ("Likelihood", "0.9"), ("Name", "A. B.")]);
        for topic in ["tns1:RuleEngine/Recognition/Face", "tns1:RuleEngine/Recognition/LicensePlate", "tns1:UserAlarm/IVA", "", "/"] {
            assert_eq!(what(topic, &items), None, "{topic}");
        }
    }

    #[test]
    fn numbers_that_are_none_are_no_count() {
        for text in ["-1", "NaN", "inf", "1e9", "many", ""] {
            assert_eq!(people(&data(&[("Occupancy", text)])), None, "{text}");
        }
    }

    #[test]
    fn a_count_has_an_honest_interval() {
        let camera: DeviceRef = "school-17/yard".parse().unwrap();
        let noticed = |people| Noticed { at: UtcMs(7), source: String::new(), what: What::People(people) };
        let count = noticed(10.0).count(&camera).unwrap();
        assert_eq!((count.low, count.people, count.high, count.source), (5.0, 10.0, 15.0, CountSource::Foreign));
        assert_eq!(noticed(0.0).count(&camera).unwrap().high, 1.0);
        assert!(Noticed { at: UtcMs(7), source: String::new(), what: What::Motion(true) }.count(&camera).is_none());
    }
}
