//! Common Alerting Protocol 1.2 (OASIS): an alert as a message, and the reader of other people's messages.
//!
//! The crate `oasiscap` writes. Its reader goes on for ever over some inputs (found by fuzzing), so foreign messages are read by `quick-xml`,
//! after a look at size, depth, encoding and document type: no entity is ever declared, expanded or fetched.
//!
//! Severity: critical Extreme, warning Severe, watch Moderate, notice Minor. Certainty: an alarm, incident or hazard is Observed, a count Likely.
//! Scope is always Restricted. No name of a person is in a message.

use std::borrow::Cow;

use chrono::TimeZone;
use oasiscap::{
    DateTime,
    geo::{Circle, Point},
    id::Id,
    language::Language,
    references::Reference,
    v1dot2::{Alert as Cap, Area, Category, Certainty, Info, Map, MessageType, ResponseType, Scope, Severity, Status, Urgency},
};
use qorgan_domain::{
    AlarmKind, Trilingual, UtcMs,
    alert::{Alert, Cause, CloseReason, Level},
    hazard::HazardKind,
};
use serde::Deserialize;

/// Largest message that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Deepest nesting that is read; a valid message has 5.
const MAX_DEPTH: usize = 16;
/// Most elements that are read.
const MAX_ELEMENTS: usize = 20_000;
/// Radius given with a place, in kilometres.
const RADIUS_KM: f64 = 0.1;

/// Why a message is refused.
#[derive(Debug, thiserror::Error)]
pub enum CapError {
    /// Over [`MAX_BYTES`].
    #[error("{0} bytes are over {MAX_BYTES}")]
    TooLarge(usize),
    /// A document type: entities are not read, whatever they say.
    #[error("a document type (DOCTYPE) is not allowed: entities are never expanded or fetched")]
    DocumentType,
    /// Nested too deeply, or too many elements.
    #[error("more than {MAX_DEPTH} levels or {MAX_ELEMENTS} elements")]
    TooDeep,
    /// Neither UTF-8 nor the encoding that it names.
    #[error("the text is not in its encoding {0}")]
    Encoding(String),
    /// No well-formed XML.
    #[error("no well-formed XML: {0}")]
    Xml(String),
    /// XML, but no CAP 1.0, 1.1 or 1.2 message; says what is missing or wrong.
    #[error("no CAP message: {0}")]
    Cap(String),
    /// The hub could not write a message.
    #[error("a message could not be written: {0}")]
    Write(String),
}

/// What the hub reads of a message: what every version must have, checked, and what tells a person what it is about.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Message {
    /// The sender's number of the message.
    pub identifier: String,
    /// Who sent it.
    pub sender: String,
    /// When, as it stands there; checked to be a time.
    pub sent: String,
    /// `Actual`, `Exercise`, `System`, `Test` or `Draft`.
    pub status: String,
    /// `Alert`, `Update`, `Cancel`, `Ack` or `Error`.
    #[serde(rename = "msgType")]
    pub message_type: String,
    /// `Public`, `Restricted` or `Private`; version 1.0 may leave it out.
    pub scope: Option<String>,
    /// Earlier messages, `sender,identifier,sent` each.
    pub references: Option<String>,
    /// What it says, one part a language.
    #[serde(default)]
    pub info: Vec<Part>,
}

/// One part of a message.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Part {
    /// Language; `en-US` when it is not said.
    pub language: Option<String>,
    /// Kinds of events; version 1.0 may leave them out.
    #[serde(default)]
    pub category: Vec<String>,
    /// What happens.
    pub event: String,
    /// How soon.
    pub urgency: String,
    /// How bad.
    pub severity: String,
    /// How sure.
    pub certainty: String,
    /// In one line.
    pub headline: Option<String>,
    /// In more.
    pub description: Option<String>,
}

const NAMESPACES: [&str; 3] =
    ["http://www.incident.com/cap/1.0", "urn:oasis:names:tc:emergency:cap:1.1", "urn:oasis:names:tc:emergency:cap:1.2"];

/// Reads a message of CAP 1.0, 1.1 or 1.2.
pub fn read(bytes: &[u8]) -> Result<Message, CapError> {
    if bytes.len() > MAX_BYTES {
        return Err(CapError::TooLarge(bytes.len()));
    }
    let text = decode(bytes)?;
    let namespace = look(&text)?;
    let message: Message = quick_xml::de::from_str(&text).map_err(|error| CapError::Cap(error.to_string()))?;
    let latest = namespace != NAMESPACES[0];
    message.check(latest)?;
    Ok(message)
}

impl Message {
    /// The words of the standard, and nothing else; `latest` is 1.1 and 1.2.
    fn check(&self, latest: bool) -> Result<(), CapError> {
        let bad = |what: &str, value: &str| {
            CapError::Cap(format!("{what} \"{}\" is not of the standard", value.chars().take(60).collect::<String>()))
        };
        let id = |what, value: &str| match value.is_empty() || value.contains([' ', ',', '<', '&']) {
            true => Err(bad(what, value)),
            false => Ok(()),
        };
        let one_of = |what, value: &str, words: &[&str]| if words.contains(&value) { Ok(()) } else { Err(bad(what, value)) };
        if latest {
            id("identifier", &self.identifier)?;
        }
        id("sender", &self.sender)?;
        self.sent.parse::<DateTime>().map_err(|error| CapError::Cap(format!("sent: {error}")))?;
        one_of("status", &self.status, &["Actual", "Exercise", "System", "Test", "Draft"])?;
        one_of("msgType", &self.message_type, &["Alert", "Update", "Cancel", "Ack", "Error"])?;
        match &self.scope {
            Some(scope) => one_of("scope", scope, &["Public", "Restricted", "Private"])?,
            None if latest => return Err(CapError::Cap("scope is missing".into())),
            None => {}
        }
        for part in &self.info {
            if part.category.is_empty() && latest {
                return Err(CapError::Cap("category is missing".into()));
            }
            let categories =
                ["Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"];
            part.category.iter().try_for_each(|category| one_of("category", category, &categories))?;
            one_of("urgency", &part.urgency, &["Immediate", "Expected", "Future", "Past", "Unknown"])?;
            one_of("severity", &part.severity, &["Extreme", "Severe", "Moderate", "Minor", "Unknown"])?;
            one_of("certainty", &part.certainty, &["Observed", "Very Likely", "Likely", "Possible", "Unlikely", "Unknown"])?;
        }
        Ok(())
    }
}

/// The text in its own encoding, and without the declaration that names it.
fn decode(bytes: &[u8]) -> Result<String, CapError> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let declared = head.split_once("encoding").filter(|_| head.trim_start_matches('\u{feff}').trim_start().starts_with("<?xml"));
    let label = declared.and_then(|(_, rest)| rest.split(['"', '\'']).nth(1)).unwrap_or("UTF-8").to_owned();
    let encoding =
        encoding_rs::Encoding::for_label(label.as_bytes()).ok_or_else(|| CapError::Encoding(label.chars().take(40).collect()))?;
    let (text, _, broken) = encoding.decode(bytes);
    if broken {
        return Err(CapError::Encoding(label));
    }
    let text: Cow<'_, str> = text;
    // What follows is UTF-8 whatever the declaration says.
    let body = match text.trim_start_matches('\u{feff}').trim_start().strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or("", |(_, body)| body).to_owned(),
        None => text.into_owned(),
    };
    Ok(body)
}

/// Well-formed, shallow, without a document type, and one `alert` of a namespace of CAP, which is the answer.
fn look(text: &str) -> Result<&'static str, CapError> {
    use quick_xml::{
        events::Event,
        name::ResolveResult::{Bound, Unbound, Unknown},
    };
    let mut reader = quick_xml::NsReader::from_str(text);
    let (mut depth, mut elements, mut namespace) = (0_usize, 0_usize, None);
    loop {
        match reader.read_resolved_event() {
            Ok((_, Event::DocType(_))) => return Err(CapError::DocumentType),
            Ok((space, Event::Start(element) | Event::Empty(element))) if depth == 0 => {
                let own = match space {
                    Bound(name) => NAMESPACES.into_iter().find(|known| known.as_bytes() == name.into_inner()),
                    Unbound | Unknown(_) => None,
                };
                if namespace.is_some() || own.is_none() || element.local_name().as_ref() != b"alert" {
                    return Err(CapError::Cap("its root is no alert of CAP 1.0, 1.1 or 1.2".into()));
                }
                namespace = own;
                depth += 1;
                elements += 1;
            }
            Ok((_, Event::Start(_))) => {
                depth += 1;
                elements += 1;
            }
            Ok((_, Event::Empty(_))) => elements += 1,
            Ok((_, Event::End(_))) => depth = depth.saturating_sub(1),
            Ok((_, Event::Eof)) if depth > 0 => return Err(CapError::Xml("it ends in the middle".into())),
            Ok((_, Event::Eof)) => return namespace.ok_or_else(|| CapError::Cap("there is no element".into())),
            Ok((_, Event::Text(text))) if depth == 0 && text.iter().any(|byte| !byte.is_ascii_whitespace()) => {
                return Err(CapError::Cap("there is text outside of the alert".into()));
            }
            Ok(_) => {}
            Err(error) => return Err(CapError::Xml(error.to_string())),
        }
        if depth > MAX_DEPTH || elements > MAX_ELEMENTS {
            return Err(CapError::TooDeep);
        }
    }
}

/// What a message says about where and by whom, besides the alert.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// `sender` of every message of this hub; see [`sender`].
    pub sender: &'a str,
    /// Name of the hub.
    pub hub: &'a str,
    /// Name of the place.
    pub place: Option<&'a Trilingual>,
    /// KATO code of its district.
    pub area: Option<&'a str>,
}

/// A hub's `sender`: its name without what CAP forbids there.
pub fn sender(hub: &str) -> String {
    let name: String = hub.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    format!("qorgan:{}", name.trim_matches('-'))
}

/// The alert as a CAP 1.2 message in three languages.
pub fn write(alert: &Alert, context: &Context<'_>) -> Result<String, CapError> {
    let id = |text: String| Id::new(text).map_err(|error| CapError::Write(error.to_string()));
    let first = alert.version <= 1;
    let withdrawn = matches!(alert.close_reason, Some(CloseReason::FalseAlarm | CloseReason::Duplicate | CloseReason::Drill));
    let references = (!first)
        .then(|| {
            let reference = Reference {
                sender: id(context.sender.to_owned())?,
                identifier: id(format!("{}.1", alert.id))?,
                sent: time(alert.raised_at)?,
            };
            Ok::<_, CapError>(vec![reference].into())
        })
        .transpose()?;
    let drill = matches!(&alert.cause, Cause::Alarm(press) if press.test);
    let cap = Cap {
        identifier: id(format!("{}.{}", alert.id, alert.version))?,
        sender: id(context.sender.to_owned())?,
        sent: time(if first { alert.raised_at } else { alert.updated_at })?,
        status: if drill { Status::Exercise } else { Status::Actual },
        message_type: match (first, withdrawn) {
            (true, _) => MessageType::Alert,
            (false, true) => MessageType::Cancel,
            (false, false) => MessageType::Update,
        },
        source: None,
        scope: Scope::Restricted,
        restriction: Some("Services that answer alarms, and their control centres".into()),
        addresses: None,
        codes: Vec::new(),
        note: withdrawn.then(|| alert.close_reason.map_or("", |reason| reason.as_str()).to_owned()),
        references,
        incidents: None,
        info: ["kk", "ru", "en"].into_iter().map(|language| info(alert, context, language)).collect::<Result<_, _>>()?,
    };
    let text = oasiscap::Alert::V1dot2(cap).to_string();
    if text.is_empty() {
        return Err(CapError::Write("the message is empty".into()));
    }
    Ok(match text.starts_with("<?xml") {
        true => text,
        false => format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}"),
    })
}

fn info(alert: &Alert, context: &Context<'_>, language: &str) -> Result<Info, CapError> {
    let of = |name: &Trilingual| match language {
        "kk" => name.kk.clone(),
        "ru" => name.ru.clone(),
        _ => name.en.clone(),
    };
    let place = context.place.map(of);
    let event = event(&alert.cause, language).to_owned();
    let headline = match &place {
        Some(place) => format!("{event}: {place}"),
        None => event.clone(),
    };
    let mut parameters = Map::new();
    parameters.push("qorgan:alert", alert.id.to_string());
    parameters.push("qorgan:state", alert.state.as_str());
    parameters.push("qorgan:level", alert.level.as_str());
    if let Some(site) = &alert.site {
        parameters.push("qorgan:site", site.to_string());
    }
    let area = area(alert, context, place.unwrap_or_else(|| "—".into()))?;
    Ok(Info {
        language: Language::new(Some(if language == "en" { "en".to_owned() } else { format!("{language}-KZ") }))
            .map_err(|error| CapError::Write(error.to_string()))?,
        categories: vec![category(&alert.cause)],
        event,
        response_type: vec![if alert.is_open() { ResponseType::Assess } else { ResponseType::AllClear }],
        urgency: if alert.is_open() { Urgency::Immediate } else { Urgency::Past },
        severity: match alert.level {
            Level::Critical => Severity::Extreme,
            Level::Warning => Severity::Severe,
            Level::Watch => Severity::Moderate,
            Level::Notice => Severity::Minor,
        },
        certainty: if matches!(alert.cause, Cause::Crowd(_)) { Certainty::Likely } else { Certainty::Observed },
        audience: None,
        event_codes: Map::new(),
        effective: Some(time(alert.updated_at)?),
        onset: Some(time(alert.raised_at)?),
        expires: None,
        sender_name: Some(context.hub.to_owned()),
        headline: Some(headline),
        description: description(&alert.cause),
        instruction: None,
        web: None,
        contact: None,
        parameters,
        resources: Vec::new(),
        areas: vec![area],
    })
}

fn area(alert: &Alert, context: &Context<'_>, description: String) -> Result<Area, CapError> {
    let circles = match alert.position {
        None => Vec::new(),
        Some(at) => {
            let centre = Point::new(at.lat(), at.lon()).map_err(|error| CapError::Write(error.to_string()))?;
            vec![Circle::new(centre, RADIUS_KM).map_err(|error| CapError::Write(error.to_string()))?]
        }
    };
    let mut geocode = Map::new();
    if let Some(code) = context.area {
        geocode.push("KATO", code);
    }
    Ok(Area { description, polygons: Vec::new(), circles, geocode, altitude: None, ceiling: None })
}

fn time(at: UtcMs) -> Result<DateTime, CapError> {
    let moment = chrono::Utc.timestamp_opt(at.0.div_euclid(1_000), 0).single();
    Ok(moment.ok_or_else(|| CapError::Write(format!("{at} is no time")))?.into())
}

fn category(cause: &Cause) -> Category {
    match cause {
        Cause::Alarm(press) => match press.alarm {
            AlarmKind::Panic | AlarmKind::HoldUp => Category::Security,
            AlarmKind::Fire => Category::Fire,
            AlarmKind::Medical => Category::Health,
        },
        Cause::Crowd(_) | Cause::Incident(_) => Category::Safety,
        Cause::Trouble(_) => Category::Infra,
        Cause::Hazard(hazard) => match hazard.hazard {
            HazardKind::DangerousDriving | HazardKind::Accident | HazardKind::Obstacle => Category::Transport,
            HazardKind::Fire => Category::Fire,
            HazardKind::Weather => Category::Met,
            HazardKind::Other => Category::Safety,
        },
    }
}

/// What a person wrote; a button and a camera have no words.
fn description(cause: &Cause) -> Option<String> {
    let text = match cause {
        Cause::Incident(incident) => incident.text.clone(),
        Cause::Hazard(hazard) => hazard.text.clone(),
        Cause::Crowd(crowd) => format!("{:.0} ({:.0}-{:.0})", crowd.people, crowd.low, crowd.high),
        Cause::Alarm(_) | Cause::Trouble(_) => String::new(),
    };
    Some(text).filter(|text| !text.is_empty())
}

fn event(cause: &Cause, language: &str) -> &'static str {
    let (kk, ru, en) = match cause {
        Cause::Alarm(press) => match press.alarm {
            AlarmKind::Panic | AlarmKind::HoldUp => ("Дабыл түймесі", "Тревожная кнопка", "Alarm button"),
            AlarmKind::Fire => ("Өрт дабылы", "Пожарная тревога", "Fire alarm"),
            AlarmKind::Medical => ("Медициналық көмек", "Медицинская помощь", "Medical help"),
        },
        Cause::Crowd(_) => ("Адамдардың жиналуы: қауіпсіздік", "Скопление людей: безопасность", "Crowd safety"),
        Cause::Incident(_) => ("Оқиға", "Происшествие", "Incident"),
        Cause::Trouble(_) => ("Құрылғы ақауы", "Неисправность устройства", "Device trouble"),
        Cause::Hazard(hazard) => match hazard.hazard {
            HazardKind::DangerousDriving => ("Қауіпті жүргізу", "Опасное вождение", "Dangerous driving"),
            HazardKind::Accident => ("Жол апаты", "Дорожная авария", "Road accident"),
            HazardKind::Obstacle => ("Жолдағы кедергі", "Препятствие на дороге", "Obstacle on the road"),
            HazardKind::Fire => ("Өрт", "Пожар", "Fire"),
            HazardKind::Weather => ("Ауа райы қаупі", "Опасная погода", "Dangerous weather"),
            HazardKind::Other => ("Қауіп", "Опасность", "Hazard"),
        },
    };
    match language {
        "kk" => kk,
        "ru" => ru,
        _ => en,
    }
}

/// An Atom feed of messages, newest first: (alert number, version, updated, headline).
pub fn feed(hub: &str, sender: &str, updated: UtcMs, entries: &[(i64, u32, UtcMs, String)]) -> Result<String, CapError> {
    use quick_xml::{
        Writer,
        events::{BytesDecl, BytesText, Event},
    };
    let mut writer = Writer::new(Vec::new());
    let text = |writer: &mut Writer<Vec<u8>>, name: &str, value: &str| {
        writer.create_element(name).write_text_content(BytesText::new(value)).map(drop)
    };
    let body = |writer: &mut Writer<Vec<u8>>| -> std::io::Result<()> {
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let feed = writer.create_element("feed").with_attribute(("xmlns", "http://www.w3.org/2005/Atom"));
        feed.write_inner_content(|writer| {
            text(writer, "id", &format!("urn:{sender}:alerts"))?;
            text(writer, "title", hub)?;
            text(writer, "updated", &updated.to_string())?;
            writer.create_element("author").write_inner_content(|writer| text(writer, "name", hub))?;
            for (alert, version, at, headline) in entries {
                writer.create_element("entry").write_inner_content(|writer| {
                    text(writer, "id", &format!("urn:{sender}:{alert}.{version}"))?;
                    text(writer, "title", headline)?;
                    text(writer, "updated", &at.to_string())?;
                    let href = format!("/api/v1/cap/alerts/{alert}.xml");
                    let link = writer.create_element("link");
                    let link = link.with_attributes([("rel", "alternate"), ("type", "application/cap+xml"), ("href", href.as_str())]);
                    link.write_empty().map(drop)
                })?;
            }
            Ok(())
        })?;
        Ok(())
    };
    body(&mut writer).map_err(|error| CapError::Write(error.to_string()))?;
    String::from_utf8(writer.into_inner()).map_err(|error| CapError::Write(error.to_string()))
}

/// One line about an alert, for the feed.
pub fn headline(alert: &Alert, place: Option<&Trilingual>, language: &str) -> String {
    let event = event(&alert.cause, language);
    match place {
        Some(place) => {
            let place = match language {
                "kk" => &place.kk,
                "ru" => &place.ru,
                _ => &place.en,
            };
            format!("{event}: {place}")
        }
        None => event.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qorgan_domain::{
        Alarm, AlertId, GeoPoint,
        alert::{AlarmEvidence, AlertState, Progress},
    };

    fn alert(cause: Cause, version: u32) -> Alert {
        Alert {
            id: AlertId(12),
            cause,
            level: Level::Critical,
            state: AlertState::Raised,
            site: Some("school-17".parse().unwrap()),
            device: None,
            position: Some(GeoPoint::new(42.9021, 71.3782).unwrap()),
            raised_at: UtcMs(1_795_255_200_123),
            updated_at: UtcMs(1_795_255_260_000),
            closed_at: None,
            claimed_by: Some("aigerim".parse().unwrap()),
            unit: None,
            close_reason: None,
            stored: true,
            subsided_at: None,
            progress: Progress::default(),
            version,
        }
    }

    fn panic() -> Cause {
        let alarm = Alarm::new("school-17/gate".parse().unwrap(), AlarmKind::Panic, 1, UtcMs(1_795_255_200_123));
        Cause::Alarm(AlarmEvidence::of(&alarm))
    }

    fn text(alert: &Alert) -> String {
        let name = Trilingual {
            kk: "№ 17 мектеп <Әл-Фараби> & «Үміт»".into(), ru: "Школа № 17".into(), en: "School No. 17".into()
        };
        let sender = sender("Қорған demo, Taraz");
        write(alert, &Context { sender: &sender, hub: "Қорған demo", place: Some(&name), area: Some("311000000") }).unwrap()
    }

    #[test]
    fn what_is_written_reads_back_in_three_languages_and_names_nobody() {
        let written = text(&alert(panic(), 1));
        let read = read(written.as_bytes()).unwrap();
        assert_eq!((read.identifier.as_str(), read.message_type.as_str(), read.scope.as_deref()), ("12.1", "Alert", Some("Restricted")));
        assert_eq!(read.info.iter().map(|i| i.language.as_deref().unwrap()).collect::<Vec<_>>(), ["kk-KZ", "ru-KZ", "en"]);
        assert_eq!(read.info[0].headline.as_deref(), Some("Дабыл түймесі: № 17 мектеп <Әл-Фараби> & «Үміт»"));
        assert_eq!(read.info[0].severity, "Extreme");
        assert!(written.contains("42.9021,71.3782 0.1"), "{written}");
        assert!(!written.contains("aigerim"));
        let claimed = self::read(text(&Alert { state: AlertState::Claimed, ..alert(panic(), 2) }).as_bytes()).unwrap();
        assert_eq!(claimed.message_type, "Update");
        assert!(claimed.references.unwrap().contains(",12.1,"));
        let wrong = Alert { state: AlertState::Closed, close_reason: Some(CloseReason::FalseAlarm), ..alert(panic(), 3) };
        assert_eq!(self::read(text(&wrong).as_bytes()).unwrap().message_type, "Cancel");
    }

    #[test]
    fn times_have_no_fraction_and_an_offset_as_the_standard_asks() {
        let written = text(&alert(panic(), 1));
        assert!(written.contains("2026-11-21T10:00:00-00:00") || written.contains("2026-11-21T10:00:00+00:00"), "{written}");
    }

    #[test]
    fn entities_are_refused_before_any_parser_sees_them() {
        let bomb = br#"<?xml version="1.0"?><!DOCTYPE alert [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><alert>&b;</alert>"#;
        assert!(matches!(read(bomb), Err(CapError::DocumentType)));
        let deep = format!("<alert xmlns=\"{}\">{}", NAMESPACES[2], "<a>".repeat(5_000));
        assert!(matches!(read(deep.as_bytes()), Err(CapError::TooDeep)));
        assert!(matches!(read(&vec![b' '; MAX_BYTES + 1]), Err(CapError::TooLarge(_))));
        assert!(matches!(read(b"<alert"), Err(CapError::Xml(_))));
        assert!(matches!(read(b"<alert>"), Err(CapError::Cap(_))), "of no namespace");
        let cut = format!("<alert xmlns=\"{}\"><identifier>", NAMESPACES[2]);
        assert!(matches!(read(cut.as_bytes()), Err(CapError::Xml(_))));
        assert!(matches!(read(b"hello"), Err(CapError::Cap(_))));
        assert!(matches!(read(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><alert>\xff</alert>"), Err(CapError::Encoding(_))));
        assert!(matches!(read(b"<?xml version=\"1.0\" encoding=\"klingon\"?><alert/>"), Err(CapError::Encoding(_))));
    }

    /// Messages of other senders, good and bad. They are not part of the repository; the test says so when they are not there.
    #[test]
    fn conformance_messages_parse_or_are_refused_with_a_reason() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance/cap");
        if !dir.is_dir() {
            eprintln!("{} is not there; nothing was checked", dir.display());
            return;
        }
        for (file, good) in [
            ("australia.cap", true),
            ("canada.cap", true),
            ("earthquake.cap", true),
            ("earthquake-iso8859-1.cap", true),
            ("no_optional_fields.cap", true),
            ("weather.cap", true),
            ("invalid.cap", false),
            ("xee.cap", false),
            ("weather_index.atom", false),
        ] {
            let outcome = read(&std::fs::read(dir.join(file)).unwrap());
            assert_eq!(outcome.is_ok(), good, "{file}: {:?}", outcome.map(|a| a.identifier));
        }
    }

    #[test]
    fn a_feed_is_well_formed_whatever_a_name_holds() {
        let entries = [(12, 3, UtcMs(0), "a < b & \"c\"".to_owned())];
        let text = feed("Hub <&>", "qorgan:hub", UtcMs(0), &entries).unwrap();
        assert!(matches!(look(text.split_once("?>").unwrap().1), Err(CapError::Cap(_))), "well-formed, and no alert");
        assert!(text.contains("a &lt; b &amp;"));
    }
}
