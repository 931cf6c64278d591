//! `[intake]`: who may bring values of indicators, and which registered mass media are counted.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use qorgan_alerts::intake::lexicon::{Lexicon, Reader};
use qorgan_domain::{DeviceId, IndicatorId};
use serde::Deserialize;
use toml::Spanned;

use super::read::{Check, under};

/// The lexicon that stands in when the file names none.
const LEXICON: &str = include_str!("../../../configs/lexicon.toml");

/// `[intake]`
#[derive(Debug, Clone)]
pub struct Intake {
    /// Words by which publications are counted.
    pub lexicon: Arc<Reader>,
    /// A file of values that is imported once, when the store holds none; marked as a demonstration.
    pub demo_import: Option<PathBuf>,
    /// Programs that may bring values.
    pub machines: Vec<Machine>,
    /// Feeds that are read.
    pub feeds: Vec<Feed>,
}

/// `[[intake.machine]]`
#[derive(Debug, Clone)]
pub struct Machine {
    /// Name; its MQTT user is `source/{name}`.
    pub name: DeviceId,
    /// SHA-256 of its token for HTTP, in hex; none: MQTT only.
    pub token_sha256: Option<String>,
    /// Indicators that it may write.
    pub indicators: Vec<IndicatorId>,
}

/// `[[intake.feed]]`
#[derive(Debug, Clone)]
pub struct Feed {
    /// Id.
    pub id: DeviceId,
    /// Name of the mass medium.
    pub name: String,
    /// Number of its registration.
    pub registration: String,
    /// Language in which it writes: `kk` or `ru`.
    pub language: String,
    /// Where it is read.
    pub from: FeedFrom,
    /// How often, in minutes.
    pub every_min: u32,
}

/// Where a feed is read.
#[derive(Debug, Clone)]
pub enum FeedFrom {
    /// HTTPS, or HTTP on this machine.
    Url(url::Url),
    /// A file beside the configuration: a demonstration.
    File(PathBuf),
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawIntake {
    lexicon: Option<Spanned<String>>,
    demo_import: Option<String>,
    machine: Vec<RawMachine>,
    feed: Vec<RawFeed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMachine {
    name: Spanned<String>,
    token_sha256: Option<Spanned<String>>,
    indicators: Spanned<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFeed {
    id: Spanned<String>,
    name: Spanned<String>,
    registration: Spanned<String>,
    language: Spanned<String>,
    url: Option<Spanned<String>>,
    file: Option<String>,
    #[serde(default = "quarter")]
    every_min: Spanned<u32>,
}

fn quarter() -> Spanned<u32> {
    Spanned::new(0..0, 15)
}

impl Check<'_> {
    pub(super) fn intake(
        &mut self,
        raw: RawIntake,
        base: &Path,
        catalogue: Option<&qorgan_domain::indicator::Catalogue>,
    ) -> Option<Intake> {
        let (text, span) = match &raw.lexicon {
            None => (LEXICON.to_owned(), 0..0),
            Some(file) => match std::fs::read_to_string(under(base, file.get_ref())) {
                Ok(text) => (text, file.span()),
                Err(error) => {
                    self.problem(file.span(), format!("intake.lexicon \"{}\" cannot be read: {error}", file.get_ref()));
                    return None;
                }
            },
        };
        let lexicon = toml::from_str::<Lexicon>(&text).map_err(|e| e.to_string()).and_then(|l| Reader::new(l).map_err(|e| e.to_string()));
        let lexicon = match lexicon {
            Ok(lexicon) => Arc::new(lexicon),
            Err(error) => {
                self.problem(span, format!("intake.lexicon: {error}"));
                return None;
            }
        };
        for topic in &lexicon.lexicon().topic {
            let known = |id: &str| id.parse().is_ok_and(|id| catalogue.is_none_or(|c| c.indicator(&id).is_some()));
            if let Some(id) = topic.indicator.as_deref().filter(|id| !known(id)) {
                self.problem(span.clone(), format!("intake.lexicon: topic \"{}\": indicator \"{id}\" is not in the catalogue", topic.id));
            }
        }
        let mut seen = HashSet::new();
        let machines = raw.machine.into_iter().filter_map(|machine| self.machine(machine, &mut seen, catalogue)).collect();
        let mut seen = HashSet::new();
        let feeds = raw.feed.into_iter().filter_map(|feed| self.feed(feed, base, &mut seen)).collect();
        Some(Intake { lexicon, demo_import: raw.demo_import.map(|file| under(base, file)), machines, feeds })
    }

    fn machine(
        &mut self,
        raw: RawMachine,
        seen: &mut HashSet<DeviceId>,
        catalogue: Option<&qorgan_domain::indicator::Catalogue>,
    ) -> Option<Machine> {
        let name: DeviceId = self.parse(&raw.name, "intake.machine")?;
        if !seen.insert(name.clone()) {
            self.problem(raw.name.span(), format!("intake.machine \"{name}\" stands twice"));
        }
        let token_sha256 = raw.token_sha256.map(|token| {
            let hash = token.get_ref().to_ascii_lowercase();
            if hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
                self.problem(
                    token.span(),
                    format!("intake.machine \"{name}\": token_sha256 is not 64 hex digits (printf %s TOKEN | sha256sum)"),
                );
            }
            hash
        });
        let mut indicators = Vec::new();
        for id in raw.indicators.get_ref() {
            match id.parse::<IndicatorId>() {
                Ok(known) if catalogue.is_none_or(|c| c.indicator(&known).is_some()) => indicators.push(known),
                _ => self.problem(raw.indicators.span(), format!("intake.machine \"{name}\": indicator \"{id}\" is not in the catalogue")),
            }
        }
        if indicators.is_empty() {
            self.problem(raw.indicators.span(), format!("intake.machine \"{name}\" may write no indicator"));
        }
        Some(Machine { name, token_sha256, indicators })
    }

    fn feed(&mut self, raw: RawFeed, base: &Path, seen: &mut HashSet<DeviceId>) -> Option<Feed> {
        let id: DeviceId = self.parse(&raw.id, "intake.feed")?;
        if !seen.insert(id.clone()) {
            self.problem(raw.id.span(), format!("intake.feed \"{id}\" stands twice"));
        }
        for (value, what) in [(&raw.name, "name"), (&raw.registration, "registration")] {
            if value.get_ref().trim().is_empty() {
                self.problem(value.span(), format!("intake.feed \"{id}\" needs its {what}: only registered mass media are counted"));
            }
        }
        if !["kk", "ru"].contains(&raw.language.get_ref().as_str()) {
            self.problem(raw.language.span(), format!("intake.feed \"{id}\": language \"{}\" is not kk or ru", raw.language.get_ref()));
        }
        if !(5..=1_440).contains(raw.every_min.get_ref()) {
            self.problem(raw.every_min.span(), format!("intake.feed \"{id}\": every_min {} is not 5 to 1440", raw.every_min.get_ref()));
        }
        let from = match (&raw.url, raw.file) {
            (Some(url), None) => {
                let parsed: url::Url = self.parse(url, "intake.feed.url")?;
                let here = parsed.host_str().is_some_and(|host| {
                    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
                });
                if !(parsed.scheme() == "https" || (parsed.scheme() == "http" && here)) || parsed.password().is_some() {
                    self.problem(
                        url.span(),
                        format!("intake.feed \"{id}\": the url is neither https:// nor http:// on this machine, without a password"),
                    );
                }
                FeedFrom::Url(parsed)
            }
            (None, Some(file)) => FeedFrom::File(under(base, file)),
            _ => {
                self.problem(raw.id.span(), format!("intake.feed \"{id}\": give either url or file"));
                return None;
            }
        };
        Some(Feed {
            id,
            name: raw.name.into_inner(),
            registration: raw.registration.into_inner(),
            language: raw.language.into_inner(),
            from,
            every_min: raw.every_min.into_inner(),
        })
    }
}
