//! `[[foreign]]`: counts that another system publishes over MQTT in its own words.

use std::collections::HashSet;

use qorgan_domain::DeviceRef;
use qorgan_ingest::mqtt::foreign::{Format, Source, TopicFilter};
use serde::Deserialize;
use toml::Spanned;

use super::{Site, read::Check};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawForeign {
    /// Topic that is heard: exact, or with `+` for a level that means nothing.
    topic: Spanned<String>,
    /// `onvif`, `frigate` or `json-pointer`.
    format: Spanned<String>,
    /// With `json-pointer`: where the number stands, e.g. `/data/people`.
    pointer: Option<Spanned<String>>,
    /// Camera that it counts for, `site/camera`.
    device: Spanned<String>,
    /// MQTT user of the publisher at the embedded broker, `foreign/{user}`. Default: the camera's ids with a hyphen between.
    user: Option<Spanned<String>>,
    /// How long a count holds without a new one, in seconds, 10 to 86400. Default: 300. Such systems speak when the number changes.
    holds_s: Option<Spanned<u32>>,
}

impl Check<'_> {
    pub(super) fn foreign(&mut self, raw: Vec<RawForeign>, sites: &[Site]) -> Vec<Source> {
        let mut seen = HashSet::new();
        raw.into_iter().filter_map(|raw| self.source(&raw, sites, &mut seen)).collect()
    }

    fn source(&mut self, raw: &RawForeign, sites: &[Site], seen: &mut HashSet<String>) -> Option<Source> {
        let topic: TopicFilter = self.parse(&raw.topic, "foreign.topic")?;
        if !seen.insert(topic.to_string()) {
            self.problem(raw.topic.span(), format!("foreign: topic \"{topic}\" stands twice"));
        }
        let device: DeviceRef = self.parse(&raw.device, "foreign.device")?;
        let known = sites.iter().flat_map(|site| &site.cameras).any(|camera| camera.id == device);
        if !known {
            self.problem(raw.device.span(), format!("foreign: there is no camera \"{device}\""));
        }
        let format = match (raw.format.get_ref().as_str(), &raw.pointer) {
            ("onvif", None) => Format::Onvif,
            ("frigate", None) => Format::Frigate,
            ("json-pointer", Some(pointer)) if pointer.get_ref().starts_with('/') => Format::Pointer(pointer.get_ref().clone()),
            ("json-pointer", _) => {
                self.problem(raw.format.span(), "foreign: json-pointer needs pointer = \"/where/the/number/stands\"".into());
                return None;
            }
            ("onvif" | "frigate", Some(pointer)) => {
                self.problem(pointer.span(), "foreign: pointer is for format = \"json-pointer\" only".into());
                return None;
            }
            (other, _) => {
                self.problem(raw.format.span(), format!("foreign: format \"{other}\" is not onvif, frigate or json-pointer"));
                return None;
            }
        };
        let user = match &raw.user {
            Some(user) => self.parse(user, "foreign.user")?,
            // Ids hold no slash, so a hyphen may stand for it.
            None => format!("{}-{}", device.site, device.device).parse().ok()?,
        };
        let holds_s = raw.holds_s.as_ref().map_or(300, |s| *s.get_ref());
        if let Some(value) = &raw.holds_s
            && !(10..=86_400).contains(&holds_s)
        {
            self.problem(value.span(), format!("foreign: holds_s {holds_s} is not 10 to 86400 seconds"));
        }
        Some(Source { topic, format, device, user, holds_s })
    }
}
