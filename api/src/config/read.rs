//! From TOML text to a checked [`Config`]: shapes first (serde), then everything that depends on more
//! than one value. All problems of the second kind are reported at once.

use std::{
    collections::HashSet,
    fmt,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use qorgan_alerts::tension::catalogue;
use qorgan_domain::{AreaCode, Catalogue, DeviceId, DeviceRef, GeoPoint, SiteId, UnitId};
use toml::Spanned;

use super::{raw::*, *};
use crate::areas::Areas;

/// Blocks and indicators of a hub that names none.
const SHIPPED_CATALOGUE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/indicators.toml"));

/// What is wrong with a configuration: every problem, each with its line.
#[derive(Debug)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// The problems, in order of lines.
    pub problems: Vec<Problem>,
}

/// One problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1; none when the whole file is meant.
    pub line: Option<usize>,
    /// What is wrong, naming the thing.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            match problem.line {
                Some(line) => write!(f, "{}:{line}: {}", self.file.display(), problem.message)?,
                None => write!(f, "{}: {}", self.file.display(), problem.message)?,
            }
        }
        Ok(())
    }
}
impl std::error::Error for ConfigError {}

pub(super) fn load(path: &Path) -> Result<Config, ConfigError> {
    let fail = |line, message| ConfigError { file: path.into(), problems: vec![Problem { line, message }] };
    let text = std::fs::read_to_string(path).map_err(|error| fail(None, format!("cannot be read: {error}")))?;
    let raw: RawConfig = toml::from_str(&text).map_err(|error| {
        let line = error.span().map(|span| line_of(&text, &span));
        fail(line, with_nearest_key(error.message()))
    })?;
    let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let mut check = Check { text: &text, problems: Vec::new() };
    let config = check.config(raw, base);
    match config {
        Some(config) if check.problems.is_empty() => Ok(config),
        _ => {
            check.problems.sort_by_key(|p| p.line);
            Err(ConfigError { file: path.into(), problems: check.problems })
        }
    }
}

/// Where the line begins in which `at` lies.
fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.as_bytes().iter().take(span.start).filter(|b| **b == b'\n').count() + 1
}

/// A path of the configuration, from the directory of the file, without `x/..` in the middle: people read it in messages.
pub(super) fn under(base: &Path, path: impl AsRef<Path>) -> PathBuf {
    use std::path::Component;
    let mut clean = PathBuf::new();
    for part in base.join(path).components() {
        match (part, clean.components().next_back()) {
            (Component::ParentDir, Some(Component::Normal(_))) => {
                clean.pop();
            }
            (Component::CurDir, _) => {}
            _ => clean.push(part),
        }
    }
    clean
}

/// serde lists every key it knows; a person wants the one that was meant.
fn with_nearest_key(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field `") else { return message.to_owned() };
    let mut quoted = rest.split('`').step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    let known: Vec<&str> = rest.split('`').skip(2).step_by(2).collect();
    match known.iter().max_by(|a, b| strsim::jaro_winkler(unknown, a).total_cmp(&strsim::jaro_winkler(unknown, b))) {
        Some(near) if strsim::jaro_winkler(unknown, near) > 0.7 => format!("unknown key \"{unknown}\"; did you mean \"{near}\"?"),
        _ => format!("unknown key \"{unknown}\"; known here: {}", known.join(", ")),
    }
}

pub(super) struct Check<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

impl Check<'_> {
    pub(super) fn problem(&mut self, span: Range<usize>, message: String) {
        let line = (span.end > 0).then(|| line_of(self.text, &span));
        self.problems.push(Problem { line, message });
    }

    /// The value, or a problem at its line.
    pub(super) fn parse<T: std::str::FromStr<Err: fmt::Display>>(&mut self, value: &Spanned<String>, what: &str) -> Option<T> {
        match value.get_ref().parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.problem(value.span(), format!("{what} \"{}\": {error}", value.get_ref()));
                None
            }
        }
    }

    fn config(&mut self, raw: RawConfig, base: PathBuf) -> Option<Config> {
        let areas = match Areas::read(&under(&base, raw.areas.get_ref())) {
            Ok(areas) => Some(areas),
            Err(error) => {
                self.problem(raw.areas.span(), format!("areas \"{}\": {error}", raw.areas.get_ref()));
                None
            }
        };
        let catalogue = self.catalogue(raw.catalogue, &base);
        let hub = self.hub(raw.hub, &base);
        let http = self.http(raw.http, &base);
        let mqtt = self.mqtt(raw.mqtt, &base);
        let edge = self.edge(raw.edge, &base);
        let store = self.store(raw.store, &base, &hub.state_dir);
        let models = self.models(raw.models, &base);
        let cameras = self.camera_limits(raw.cameras, &base);
        let crowd = self.crowd(raw.crowd);
        let shift = self.shift(&raw.shift);
        let response = self.response(&raw.response);
        let supervision = self.supervision(raw.supervision);
        let drills = self.drills(&raw.drills);
        let dc09 = self.dc09(raw.dc09, &raw.site);
        let mut seen = HashSet::new();
        let sites: Vec<Site> = raw.site.into_iter().filter_map(|site| self.site(site, areas.as_ref(), &base, &mut seen)).collect();
        let mut seen = HashSet::new();
        let units: Vec<Unit> = raw.unit.into_iter().filter_map(|unit| self.unit(unit, areas.as_ref(), &mut seen)).collect();
        for camera in sites.iter().flat_map(|site| &site.cameras) {
            if let Some(unit) = camera.unit.as_ref().filter(|unit| !units.iter().any(|known: &Unit| known.id == **unit)) {
                let at = self.text.find(&format!("unit = \"{unit}\"")).map_or(0..0, |at| at..at + 1);
                self.problem(at, format!("camera \"{}\": there is no unit \"{unit}\"", camera.id));
            }
        }
        let mut seen = HashSet::new();
        let connectors = raw.connector.into_iter().filter_map(|connector| self.connector(connector, &base, &mut seen)).collect();
        let hazard_sources = self.hazard_sources(raw.hazard_source);
        let intake = self.intake(raw.intake, &base, catalogue.as_deref());
        let foreign = self.foreign(raw.foreign, &sites);
        let requests =
            self.named_file(raw.requests, "requests", &base, crate::requests::Settings::read, crate::requests::Settings::built_in);
        let demo = hub.demo_logins;
        let plan = self.named_file(raw.plan, "plan", &base, crate::plan::PlanFile::read, || crate::plan::PlanFile::built_in(demo));
        Some(Config {
            base,
            hub,
            http: http?,
            mqtt: mqtt?,
            dc09,
            edge: edge?,
            store,
            models,
            cameras,
            crowd,
            shift,
            response,
            supervision,
            drills,
            areas: areas?,
            catalogue: catalogue?,
            sites,
            units,
            connectors,
            hazard_sources,
            requests: requests?,
            plan: plan?,
            intake: intake?,
            foreign,
        })
    }

    /// What a further file says, or what is built in.
    fn named_file<T>(
        &mut self,
        name: Option<Spanned<String>>,
        what: &str,
        base: &Path,
        read: impl Fn(&Path) -> Result<T, String>,
        built_in: impl Fn() -> Result<T, String>,
    ) -> Option<T> {
        let (span, result) = match &name {
            Some(name) => (name.span(), read(&under(base, name.get_ref()))),
            None => (0..0, built_in()),
        };
        let shown = name.map_or_else(|| "(built in)".into(), Spanned::into_inner);
        result.map_err(|error| self.problem(span, format!("{what} \"{shown}\": {error}"))).ok()
    }

    fn catalogue(&mut self, raw: Option<Spanned<String>>, base: &Path) -> Option<Arc<Catalogue>> {
        let (text, at, name) = match &raw {
            None => (Ok(SHIPPED_CATALOGUE.to_owned()), 0..0, "that ships with the hub"),
            Some(file) => (std::fs::read_to_string(under(base, file.get_ref())), file.span(), file.get_ref().as_str()),
        };
        let parsed = text.map_err(|e| format!("cannot be read: {e}")).and_then(|text| catalogue::parse(&text).map_err(|e| e.to_string()));
        match parsed {
            Ok(catalogue) => Some(Arc::new(catalogue)),
            Err(error) => {
                self.problem(at, format!("catalogue \"{name}\": {error}"));
                None
            }
        }
    }

    fn hub(&mut self, raw: RawHub, base: &Path) -> Hub {
        let language = match raw.language {
            None => "kk".into(),
            Some(language) => {
                if !["kk", "ru", "en"].contains(&language.get_ref().as_str()) {
                    self.problem(language.span(), format!("language \"{}\" is not kk, ru or en", language.get_ref()));
                }
                language.into_inner()
            }
        };
        Hub { name: raw.name, language, state_dir: under(base, raw.state_dir), demo_logins: raw.demo_logins }
    }

    /// A listener without TLS stays on loopback.
    fn plain(&mut self, listen: &Spanned<String>, what: &str) -> Option<SocketAddr> {
        let address: SocketAddr = self.parse(listen, what)?;
        if !address.ip().is_loopback() {
            self.problem(
                listen.span(),
                format!("{what} \"{address}\" is not loopback: other addresses need TLS; move it to [{}.tls]", &what[..4]),
            );
        }
        Some(address)
    }

    fn tls(&mut self, raw: RawTls, base: &Path, what: &str) -> Option<TlsListener> {
        let listen = self.parse(&raw.listen, what)?;
        let certificate = match (raw.cert, raw.key, raw.self_signed) {
            (Some(cert), Some(key), false) => Certificate::Files { cert: under(base, cert), key: under(base, key) },
            (None, None, true) => Certificate::SelfSigned,
            _ => {
                self.problem(raw.listen.span(), format!("{what}: give cert and key, or self_signed = true"));
                return None;
            }
        };
        Some(TlsListener { listen, certificate })
    }

    fn http(&mut self, raw: RawHttp, base: &Path) -> Option<Http> {
        let listen = match &raw.listen {
            Some(listen) => Some(self.plain(listen, "http.listen")?),
            None => None,
        };
        let tls = match raw.tls {
            Some(tls) => Some(self.tls(tls, base, "http.tls.listen")?),
            None => None,
        };
        match (listen, &tls) {
            (None, None) => Some(Http { listen: Some(SocketAddr::from(([127, 0, 0, 1], 8080))), tls: None }),
            _ => Some(Http { listen, tls }),
        }
    }

    fn mqtt(&mut self, raw: RawMqtt, base: &Path) -> Option<Mqtt> {
        if let Some(url) = &raw.url {
            if raw.listen.is_some() || raw.tls.is_some() {
                self.problem(url.span(), "mqtt: give either url (an external broker) or listen (the embedded one)".into());
                return None;
            }
            let parsed: url::Url = self.parse(url, "mqtt.url")?;
            if !matches!(parsed.scheme(), "mqtt" | "mqtts") || parsed.host_str().is_none() || parsed.password().is_some() {
                self.problem(
                    url.span(),
                    format!(
                        "mqtt.url \"{url}\" is not mqtt://host:port or mqtts://host:port without a password",
                        url = parsed.host_str().unwrap_or("?")
                    ),
                );
                return None;
            }
            let password = self.secret(raw.password_env, raw.password_file, base);
            let (Some(user), Some(password)) = (raw.user, password) else {
                self.problem(url.span(), "mqtt.url needs user and password_env or password_file".into());
                return None;
            };
            return Some(Mqtt::External { url: parsed, user, password, ca: raw.ca.map(|ca| under(base, ca)) });
        }
        let listen = match &raw.listen {
            Some(listen) => Some(self.plain(listen, "mqtt.listen")?),
            None => None,
        };
        let tls = match raw.tls {
            Some(tls) => Some(self.tls(tls, base, "mqtt.tls.listen")?),
            None => None,
        };
        let listen = if listen.is_none() && tls.is_none() { Some(SocketAddr::from(([127, 0, 0, 1], 1883))) } else { listen };
        Some(Mqtt::Embedded { listen, tls })
    }

    fn edge(&mut self, raw: RawEdge, base: &Path) -> Option<Edge> {
        let site = match &raw.site {
            Some(site) => Some(self.parse(site, "edge.site")?),
            None => None,
        };
        let listen = match &raw.mqtt_listen {
            Some(listen) => Some(self.plain(listen, "edge.mqtt_listen")?),
            None => None,
        };
        let tls = match raw.tls {
            Some(tls) => Some(self.tls(tls, base, "edge.tls.listen")?),
            None => None,
        };
        Some(Edge { site, listen, tls })
    }

    pub(super) fn secret(&mut self, env: Option<String>, file: Option<String>, base: &Path) -> Option<SecretSource> {
        match (env, file) {
            (Some(env), None) => Some(SecretSource::Env(env)),
            (None, Some(file)) => Some(SecretSource::File(under(base, file))),
            _ => None,
        }
    }

    fn store(&mut self, raw: RawStore, base: &Path, state_dir: &Path) -> StoreConfig {
        let password = self.secret(raw.password_env, raw.password_file, base);
        let url = match raw.url {
            None => format!("sqlite:{}", state_dir.join("hub.db").display()),
            Some(url) => {
                let text = url.get_ref();
                if let Some(file) = text.strip_prefix("sqlite:") {
                    format!("sqlite:{}", under(base, file).display())
                } else if url::Url::parse(text).is_ok_and(|u| matches!(u.scheme(), "postgres" | "postgresql") && u.password().is_none()) {
                    text.clone()
                } else {
                    self.problem(url.span(), "store.url is neither sqlite:FILE nor postgres://user@host/database without a password (password_env or password_file)".into());
                    text.clone()
                }
            }
        };
        let journal = raw.journal.map_or_else(|| state_dir.join("journal.db"), |file| under(base, file));
        StoreConfig { url, journal, password }
    }

    fn models(&mut self, raw: RawModels, base: &Path) -> Models {
        let workers = *raw.workers.get_ref();
        if !(1..=64).contains(&workers) {
            self.problem(raw.workers.span(), format!("models.workers {workers} is not 1 to 64"));
        }
        let provider = raw.provider.get_ref();
        if provider.is_empty() || !provider.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            let message = format!("models.provider \"{provider}\" is no name of an execution provider, such as cpu, cuda or openvino");
            self.problem(raw.provider.span(), message);
        }
        Models {
            dir: under(base, raw.dir),
            fetched: under(base, raw.fetched),
            runtime: under(base, raw.runtime),
            detector: raw.detector,
            density: (raw.density != "off").then_some(raw.density),
            provider: raw.provider.into_inner(),
            workers,
            staleness_s: raw.staleness_s.max(1),
        }
    }

    /// Minutes of the day of a site's bells.
    fn bells(&mut self, raw: &[Spanned<String>]) -> Vec<u16> {
        raw.iter().filter_map(|bell| self.minute_of_day(bell, "bells")).collect()
    }

    fn minute_of_day(&mut self, raw: &Spanned<String>, what: &str) -> Option<u16> {
        let minute = minutes(raw.get_ref()).filter(|min| (0..=1_440).contains(min)).and_then(|min| u16::try_from(min).ok());
        if minute.is_none() {
            self.problem(raw.span(), format!("{what}: \"{}\" is not a time of day such as 08:45", raw.get_ref()));
        }
        minute
    }

    fn hours(&mut self, raw: &[RawHours]) -> Vec<Hours> {
        const DAYS: [&str; 8] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"];
        let mut all = Vec::new();
        for hours in raw {
            let mut days = 0;
            for day in &hours.days {
                match DAYS.iter().position(|known| known == day.get_ref()) {
                    Some(n) => days |= 1 << n,
                    None => self.problem(day.span(), format!("hours.days: \"{}\" is none of {}", day.get_ref(), DAYS.join(", "))),
                }
            }
            let (from, until) = (self.minute_of_day(&hours.from, "hours.from"), self.minute_of_day(&hours.until, "hours.until"));
            let Some((from, until)) = from.zip(until) else { continue };
            if until <= from {
                self.problem(hours.until.span(), "hours.until is not after hours.from; hours over midnight are two entries".to_owned());
            }
            all.push(Hours { days, from, until });
        }
        all
    }

    fn shift(&mut self, raw: &RawShift) -> Shift {
        let mut starts_min: Vec<u32> = Vec::new();
        for start in raw.starts.get_ref() {
            match minutes(start).filter(|min| (0..1_440).contains(min)) {
                Some(min) => starts_min.extend(u32::try_from(min)),
                None => self.problem(raw.starts.span(), format!("shift.starts: \"{start}\" is not a time of day such as 08:00")),
            }
        }
        starts_min.sort_unstable();
        starts_min.dedup();
        if starts_min.is_empty() {
            self.problem(raw.starts.span(), "shift.starts names no time of day".into());
        }
        let offset = raw.utc_offset.get_ref();
        let signed = offset.strip_prefix('-').map(|rest| (-1, rest)).or(offset.strip_prefix('+').map(|rest| (1, rest)));
        let utc_offset_min = signed.and_then(|(sign, rest)| Some(sign * minutes(rest)?)).filter(|min| (-840..=840).contains(min));
        if utc_offset_min.is_none() {
            self.problem(raw.utc_offset.span(), format!("shift.utc_offset \"{offset}\" is not an offset such as +05:00"));
        }
        Shift { starts_min, utc_offset_min: utc_offset_min.unwrap_or(0) }
    }

    /// The reminder may come sooner than EN 50518 asks for, never later than the shift lead's call.
    fn response(&mut self, raw: &RawResponse) -> Response {
        let (remind, lead) = (*raw.remind_after_s.get_ref(), *raw.lead_after_s.get_ref());
        if !(5..=30).contains(&remind) {
            self.problem(raw.remind_after_s.span(), format!("response.remind_after_s {remind} is not 5 to 30 seconds"));
        }
        if !(remind..=60).contains(&lead) {
            self.problem(raw.lead_after_s.span(), format!("response.lead_after_s {lead} is not between remind_after_s and 60 seconds"));
        }
        Response { remind_after_s: remind, lead_after_s: lead }
    }

    fn drills(&mut self, raw: &RawDrills) -> Drills {
        let days = *raw.every_days.get_ref();
        if !(1..=366).contains(&days) {
            self.problem(raw.every_days.span(), format!("drills.every_days {days} is not 1 to 366"));
        }
        Drills { every_days: days }
    }

    fn position(&mut self, raw: &Spanned<[f64; 2]>, area: Option<&AreaCode>, areas: Option<&Areas>, what: &str) -> Option<GeoPoint> {
        let point = match GeoPoint::try_from(*raw.get_ref()) {
            Ok(point) => point,
            Err(error) => {
                self.problem(raw.span(), format!("{what}: {error}"));
                return None;
            }
        };
        if let (Some(area), Some(areas)) = (area, areas)
            && let Err(reason) = areas.check_inside(point, area)
        {
            self.problem(raw.span(), format!("{what}: {reason}"));
        }
        Some(point)
    }

    fn site(&mut self, raw: RawSite, areas: Option<&Areas>, base: &Path, seen: &mut HashSet<SiteId>) -> Option<Site> {
        let id: SiteId = self.parse(&raw.id, "site")?;
        if ["alert", "unit", "area", "edge", "desk", "hazard", "foreign", "source"].contains(&id.as_str()) {
            self.problem(raw.id.span(), format!("site \"{id}\": this word is taken by the topics"));
        }
        if !seen.insert(id.clone()) {
            self.problem(raw.id.span(), format!("site \"{id}\" stands twice"));
        }
        let area: Option<AreaCode> = self.parse(&raw.area, "area");
        if let (Some(area), Some(areas)) = (&area, areas)
            && !areas.contains_code(area)
        {
            self.problem(raw.area.span(), format!("site \"{id}\": area {area} is not in the areas file"));
        }
        let position = self.position(&raw.position, area.as_ref(), areas, &format!("site \"{id}\""))?;
        let mut devices = HashSet::new();
        let around = Around { site: &id, kind: raw.kind, position, area: area.as_ref().zip(areas), secrets: Secrets::File(base) };
        let mut cameras = Vec::new();
        for camera in raw.camera {
            cameras.extend(self.camera(camera, &around, &mut devices));
        }
        let mut buttons = Vec::new();
        for button in raw.button {
            let Some(device) = self.device(&button.id, &id, &mut devices) else { continue };
            let position = match &button.position {
                Some(position) => self.position(position, area.as_ref(), areas, &format!("button \"{device}\"")),
                None => None,
            };
            let interval_s = self.interval(button.interval_s.as_ref(), button.category.as_ref(), &format!("button \"{device}\""));
            buttons.push(Button { id: device, name: button.name, position, interval_s });
        }
        let interval_s = self.interval(raw.interval_s.as_ref(), raw.category.as_ref(), &format!("site \"{id}\""));
        let provider = self.provider(raw.provider);
        let panels = self.panels(raw.panel, &id, &buttons, base, &mut devices);
        let (bells, hours) = (self.bells(&raw.bells), self.hours(&raw.hours));
        Some(Site {
            id,
            name: raw.name,
            kind: raw.kind,
            area: area?,
            position,
            interval_s,
            provider,
            bells,
            hours,
            cameras,
            buttons,
            panels,
        })
    }

    pub(super) fn device(&mut self, raw: &Spanned<String>, site: &SiteId, seen: &mut HashSet<DeviceId>) -> Option<DeviceRef> {
        let device: DeviceId = self.parse(raw, "device")?;
        if device.as_str() == qorgan_ingest::mqtt::EDGE {
            self.problem(raw.span(), format!("device \"{device}\": under this word the site's edge box speaks about itself"));
        }
        if !seen.insert(device.clone()) {
            self.problem(raw.span(), format!("device \"{device}\" stands twice at site \"{site}\""));
        }
        Some(DeviceRef::new(site.clone(), device))
    }

    fn camera(&mut self, raw: Spanned<CameraKeys>, around: &Around<'_>, seen: &mut HashSet<DeviceId>) -> Option<Camera> {
        let (span, keys) = (raw.span(), raw.into_inner());
        match judge_camera(&keys, around) {
            Ok(camera) if seen.insert(camera.id.device.clone()) => Some(camera),
            Ok(camera) => {
                let at = self.key_of_table(&span, "id");
                self.problem(at, format!("device \"{}\" stands twice at site \"{}\"", camera.id.device, around.site));
                None
            }
            Err(complaints) => {
                for Complaint { key, message } in complaints {
                    let at = self.key_of_table(&span, &key);
                    self.problem(at, format!("camera \"{}/{}\": {message}", around.site, keys.id));
                }
                None
            }
        }
    }

    /// Where a key of a table stands (`limit`, `zone.1.polygon`, `onvif.user`); where the table begins when it cannot be found, as in an
    /// inline table.
    fn key_of_table(&self, table: &Range<usize>, key: &str) -> Range<usize> {
        let mut path = key.split('.');
        let first = path.next().unwrap_or_default();
        let (nth, last) = match path.next() {
            None => (None, None),
            Some(number) if number.parse::<usize>().is_ok() => (number.parse::<usize>().ok(), path.next()),
            last => (None, last),
        };
        let names = |line: &str, name: &str| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='));
        let (mut at, mut inside, mut met) = (line_start(self.text, table.start), None::<String>, None::<usize>);
        let mut plain = None;
        for (number, line) in self.text.get(at..).unwrap_or_default().split_inclusive('\n').enumerate() {
            let text = line.trim_start();
            if text.starts_with('[') && number > 0 {
                let header = text.split(']').next().unwrap_or_default().trim_start_matches('[').trim();
                let Some((_, below)) = header.split_once("site.camera.") else { break };
                if below == first {
                    met = Some(met.map_or(0, |met| met + 1));
                }
                inside = Some(below.to_owned());
            }
            let hit = match (&inside, last) {
                (None, _) => names(text, first),
                (Some(below), Some(last)) => below == first && nth.is_none_or(|nth| Some(nth) == met) && names(text, last),
                (Some(_), None) => false,
            };
            if hit && (inside.is_some() || last.is_none()) {
                return at..at + line.len();
            }
            if hit {
                plain = Some(at..at + line.len());
            }
            at += line.len();
        }
        plain.unwrap_or_else(|| table.start..table.start.max(1))
    }

    fn unit(&mut self, raw: RawUnit, areas: Option<&Areas>, seen: &mut HashSet<UnitId>) -> Option<Unit> {
        let id: UnitId = self.parse(&raw.id, "unit")?;
        if !seen.insert(id.clone()) {
            self.problem(raw.id.span(), format!("unit \"{id}\" stands twice"));
        }
        let mut territory = Vec::new();
        for code in &raw.territory {
            let Some(area) = self.parse::<AreaCode>(code, "territory") else { continue };
            if areas.is_some_and(|areas| !areas.contains_code(&area)) {
                self.problem(code.span(), format!("unit \"{id}\": area {area} is not in the areas file"));
            }
            territory.push(area);
        }
        Some(Unit { id, name: raw.name, kind: raw.kind, territory })
    }

    fn hazard_sources(&mut self, raw: Vec<RawHazardSource>) -> Vec<HazardSource> {
        let mut seen = HashSet::new();
        let mut sources = Vec::new();
        for source in raw {
            let Some(id) = self.parse::<DeviceId>(&source.id, "hazard_source") else { continue };
            if !seen.insert(id.clone()) {
                self.problem(source.id.span(), format!("hazard_source \"{id}\" stands twice"));
            }
            sources.push(HazardSource { id, name: source.name });
        }
        sources
    }
}

/// Minutes of `hh:mm`.
fn minutes(text: &str) -> Option<i32> {
    let (hours, rest) = text.split_once(':')?;
    let (hours, rest): (i32, i32) = (hours.parse().ok()?, rest.parse().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&rest)).then_some(hours * 60 + rest)
}

/// What may be named in a connector's `events`.
const CONNECTOR_EVENTS: [&str; 4] = ["alarm", "incident", "hazard", "crowd"];

impl Check<'_> {
    fn connector(&mut self, raw: RawConnector, base: &Path, seen: &mut HashSet<String>) -> Option<std::sync::Arc<Connector>> {
        // The same letters as every other id: it stands in addresses and metrics.
        let id: DeviceId = self.parse(&raw.id, "connector")?;
        if !seen.insert(id.to_string()) {
            self.problem(raw.id.span(), format!("connector \"{id}\" stands twice"));
        }
        let url: url::Url = self.parse(&raw.url, "connector.url")?;
        let here = url.host_str().is_some_and(|host| {
            host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        });
        if !(url.scheme() == "https" || (url.scheme() == "http" && here)) || url.password().is_some() {
            self.problem(
                raw.url.span(),
                format!("connector \"{id}\": the url is neither https:// nor http:// on this machine, without a password"),
            );
        }
        for event in raw.events.get_ref() {
            if !CONNECTOR_EVENTS.contains(&event.as_str()) {
                self.problem(
                    raw.events.span(),
                    format!("connector \"{id}\": event \"{event}\" is not one of {}", CONNECTOR_EVENTS.join(", ")),
                );
            }
        }
        let secret = self.secret(raw.secret_env, raw.secret_file, base);
        if secret.is_none() && raw.kind == ConnectorKind::Webhook {
            self.problem(raw.id.span(), format!("connector \"{id}\" needs secret_env or secret_file: what it sends is signed"));
        }
        let ca = raw.ca.map(|ca| under(base, ca));
        Some(std::sync::Arc::new(Connector { id: id.to_string(), kind: raw.kind, url, secret, ca, events: raw.events.into_inner() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_messages_have_no_detour() {
        for (base, path, clean) in [
            ("configs", "../var/demo", "var/demo"),
            ("", "models", "models"),
            ("a", "../../b", "../b"),
            ("a", "/etc/x", "/etc/x"),
            ("a", "./b", "a/b"),
        ] {
            assert_eq!(under(Path::new(base), path), Path::new(clean));
        }
    }

    #[test]
    fn the_nearest_known_key_is_offered_and_a_far_one_is_not() {
        let message = "unknown field `limt`, expected one of `id`, `name`, `limit`";
        assert_eq!(with_nearest_key(message), "unknown key \"limt\"; did you mean \"limit\"?");
        assert!(with_nearest_key("unknown field `zzz`, expected one of `id`, `name`").contains("known here: id, name"));
    }
}
