//! What a panel reports: SIA codes (DC-03 in DC-07 packets) and Contact ID (DC-05) to one meaning. Pure.
//!
//! Whether the zone of an event is a button of the hub is not known here.

use qorgan_domain::{AlarmKind, SignKind, Signal};

/// Events that one frame may bring.
pub const MAX_EVENTS: usize = 32;
/// Longest zone or user number.
const MAX_ZONE: usize = 8;

/// What an event means to the hub.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// Somebody asks for help, or takes it back.
    Alarm(AlarmKind, Signal),
    /// An alarm of another sort (burglary, water, gas, untyped). It is a call for help only if its zone is a button:
    /// a button whose zone has the wrong type in the panel must not stay unheard.
    ZoneAlarm(Signal),
    /// The panel speaks about itself.
    Panel(SignKind),
    /// The panel speaks about a zone, or about itself if the zone is no button.
    Zone(SignKind),
    /// Nothing that the hub acts on: opening, closing, bypass of other zones, codes it does not know.
    Other,
}

impl Meaning {
    /// Label in metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Meaning::Alarm(..) => "alarm",
            Meaning::ZoneAlarm(_) => "zone_alarm",
            Meaning::Panel(SignKind::Test) | Meaning::Zone(SignKind::Test) => "test",
            Meaning::Panel(_) | Meaning::Zone(_) => "state",
            Meaning::Other => "other",
        }
    }
}

/// One event of a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `PA`, `1120`.
    pub code: String,
    /// Zone or user number as sent; for cancel and duress it is a user's.
    pub zone: Option<String>,
    /// What it means.
    pub meaning: Meaning,
}

impl Event {
    /// Whether the number is that of a zone. A cancel or duress code names a user, whose number may equal that of a zone.
    pub fn names_zone(&self) -> bool {
        !matches!(self.meaning, Meaning::Alarm(_, Signal::Cancel | Signal::Duress) | Meaning::Panel(_) | Meaning::Other)
    }
}

/// What a frame reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// At least one.
    pub events: Vec<Event>,
    /// The panel says that it is old news, kept while it could not send.
    pub old: bool,
}

/// Why events cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Neither `N` nor `O` in front.
    #[error("SIA data begin with N (new) or O (old)")]
    NoMark,
    /// No code of two capitals.
    #[error("no event code of two capitals")]
    NoCode,
    /// More events than a frame may bring.
    #[error("more than {MAX_EVENTS} events in one frame")]
    TooMany,
    /// Not qualifier, code, group and zone.
    #[error("Contact ID is a qualifier 1, 3 or 6, three digits of code, two of group and three of zone")]
    ContactId,
}

/// Reads the data of a `SIA-DCS` frame behind the bar: `Nri1/PA005`, `NFA129`, `Nri1CL0^text^`, `NRR|Atext`.
pub fn sia(data: &[u8]) -> Result<Report, EventError> {
    let old = match data.first() {
        Some(b'N') => false,
        Some(b'O') => true,
        _ => return Err(EventError::NoMark),
    };
    let mut rest = &data[1..];
    let mut events = Vec::new();
    // Behind a code and its number everything up to the next slash is text.
    let mut may_begin = true;
    while let Some(first) = rest.first() {
        match (first, rest.get(1)) {
            // Text in the rest of the block.
            (b'|', _) => break,
            (b'^', _) => rest = after_caret(&rest[1..]),
            (b'/', _) => {
                may_begin = true;
                rest = &rest[1..];
            }
            (b'a'..=b'z', Some(b'a'..=b'z')) if may_begin => {
                let value = rest[2..].iter().take_while(|b| b.is_ascii_digit() || matches!(b, b':' | b'-')).count();
                rest = &rest[2 + value..];
            }
            (b'A'..=b'Z', Some(b'A'..=b'Z')) if may_begin => {
                if events.len() == MAX_EVENTS {
                    return Err(EventError::TooMany);
                }
                let digits = rest[2..].iter().take_while(|b| b.is_ascii_digit()).count();
                let code = String::from_utf8_lossy(&rest[..2]).into_owned();
                let zone = String::from_utf8_lossy(&rest[2..2 + digits.min(MAX_ZONE)]).into_owned();
                let meaning = sia_meaning(&code, &zone);
                events.push(Event { code, zone: (digits > 0).then_some(zone), meaning });
                rest = &rest[2 + digits..];
                may_begin = false;
            }
            _ => rest = &rest[1..],
        }
    }
    if events.is_empty() { Err(EventError::NoCode) } else { Ok(Report { events, old }) }
}

fn after_caret(text: &[u8]) -> &[u8] {
    text.iter().position(|b| *b == b'^').map_or(&[], |end| &text[end + 1..])
}

/// Codes of SIA DC-03. Restorals end in R or H, troubles in T, their end in J, bypasses in B, their end in U.
fn sia_meaning(code: &str, zone: &str) -> Meaning {
    use Meaning::{Alarm, Other, Panel, Zone, ZoneAlarm};
    let fault = |ok: bool, name: &str| SignKind::Fault { ok, code: format!("{name}{zone}") };
    let kind = match code.as_bytes() {
        [b'P', ..] => Some(AlarmKind::Panic),
        [b'H', ..] => Some(AlarmKind::HoldUp),
        [b'F' | b'K' | b'S', ..] => Some(AlarmKind::Fire),
        [b'M' | b'Q', ..] => Some(AlarmKind::Medical),
        _ => None,
    };
    match (kind, code) {
        (_, "BC" | "FC" | "OC") => Alarm(kind.unwrap_or(AlarmKind::Panic), Signal::Cancel),
        (_, "FX" | "FI" | "FK") => Zone(SignKind::Test),
        (Some(kind), "PA" | "HA" | "FA" | "KA" | "SA" | "MA" | "QA") => Alarm(kind, Signal::Press),
        (Some(kind), "PR" | "PH" | "HR" | "HH" | "FR" | "FH" | "KR" | "KH" | "SR" | "SH" | "MR" | "MH" | "QR" | "QH") => {
            Alarm(kind, Signal::Restore)
        }
        // A button that is broken or switched off cannot call.
        (Some(_), "PT" | "HT" | "FT" | "KT" | "ST" | "MT" | "QT") => Zone(fault(false, code)),
        (Some(_), "PJ" | "HJ" | "FJ" | "KJ" | "SJ" | "MJ" | "QJ") => Zone(fault(true, &format!("{}T", &code[..1]))),
        (Some(_), "PB" | "HB" | "FB" | "KB" | "SB" | "MB" | "QB") => Zone(fault(false, code)),
        (Some(_), "PU" | "HU" | "FU" | "KU" | "SU" | "MU" | "QU") => Zone(fault(true, &format!("{}B", &code[..1]))),
        (_, "BA" | "BV" | "UA" | "GA" | "WA" | "ZA") => ZoneAlarm(Signal::Press),
        (_, "BR" | "BH" | "UR" | "UH" | "GR" | "GH" | "WR" | "WH" | "ZR" | "ZH") => ZoneAlarm(Signal::Restore),
        (_, "TA" | "ES") => Zone(SignKind::Tamper { open: true }),
        (_, "TR" | "TH" | "EJ") => Zone(SignKind::Tamper { open: false }),
        (_, "YT" | "YM") => Panel(SignKind::Battery { percent: None, low: true }),
        (_, "YR") => Panel(SignKind::Battery { percent: None, low: false }),
        (_, "XT") => Zone(SignKind::Battery { percent: None, low: true }),
        (_, "XR") => Zone(SignKind::Battery { percent: None, low: false }),
        (_, "AT") => Panel(SignKind::Mains { ok: false }),
        (_, "AR") => Panel(SignKind::Mains { ok: true }),
        (_, "RP" | "RX" | "TX" | "TS" | "TE" | "TP" | "BX") => Panel(SignKind::Test),
        (_, "YC" | "YP" | "YS" | "LT" | "ET" | "EM" | "YA" | "YI" | "XQ" | "NT" | "YX") => Panel(fault(false, code)),
        (_, "YK") => Panel(fault(true, "YC")),
        (_, "YQ") => Panel(fault(true, "YP")),
        (_, "LR") => Panel(fault(true, "LT")),
        (_, "ER") => Panel(fault(true, "ET")),
        (_, "EN") => Panel(fault(true, "EM")),
        (_, "YH") => Panel(fault(true, "YA")),
        (_, "YJ") => Panel(fault(true, "YI")),
        (_, "XH") => Panel(fault(true, "XQ")),
        (_, "NR") => Panel(fault(true, "NT")),
        (_, "YZ") => Panel(fault(true, "YX")),
        _ => Other,
    }
}

/// Reads the data of an `ADM-CID` frame behind the bar: `1120 01 005`.
pub fn contact_id(data: &[u8]) -> Result<Report, EventError> {
    let text = std::str::from_utf8(data).map_err(|_| EventError::ContactId)?;
    // Some panels leave the spaces out.
    let digits: String = text.trim_end().chars().filter(|c| *c != ' ').collect();
    let good = digits.len() == 9 && digits.bytes().all(|b| b.is_ascii_hexdigit()) && matches!(digits.as_bytes()[0], b'1' | b'3' | b'6');
    if !good {
        return Err(EventError::ContactId);
    }
    let (code, zone) = (&digits[..4], &digits[6..]);
    // 6: the state that was reported before is still there.
    let on = !code.starts_with('3');
    let meaning = code[1..].parse().map_or(Meaning::Other, |number| cid_meaning(number, on, zone));
    Ok(Report { events: vec![Event { code: code.into(), zone: Some(zone.into()), meaning }], old: false })
}

/// Codes of SIA DC-05, without the qualifier.
fn cid_meaning(code: u16, on: bool, zone: &str) -> Meaning {
    use Meaning::{Alarm, Other, Panel, Zone, ZoneAlarm};
    let signal = if on { Signal::Press } else { Signal::Restore };
    let fault = || SignKind::Fault { ok: !on, code: format!("{code} {zone}") };
    match code {
        100..=109 => Alarm(AlarmKind::Medical, signal),
        110..=119 => Alarm(AlarmKind::Fire, signal),
        121 | 124 | 125 if on => Alarm(AlarmKind::HoldUp, Signal::Duress),
        121 | 122 | 124 | 125 | 129 => Alarm(AlarmKind::HoldUp, signal),
        120 | 123 | 126..=128 => Alarm(AlarmKind::Panic, signal),
        137 => Panel(SignKind::Tamper { open: on }),
        144 | 145 | 341 | 383 => Zone(SignKind::Tamper { open: on }),
        130..=199 => ZoneAlarm(signal),
        301 | 342 => Panel(SignKind::Mains { ok: !on }),
        302 | 309 | 311 | 338 => Panel(SignKind::Battery { percent: None, low: on }),
        384 => Zone(SignKind::Battery { percent: None, low: on }),
        305 | 306 | 313 | 314 => Other,
        380..=399 => Zone(fault()),
        300..=379 => Panel(fault()),
        406 if on => Alarm(AlarmKind::Panic, Signal::Cancel),
        // A bypassed button cannot call.
        570..=573 => Zone(fault()),
        601..=603 | 607..=611 => Panel(SignKind::Test),
        604 => Zone(SignKind::Test),
        _ => Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(data: &str) -> Event {
        let mut report = sia(data.as_bytes()).unwrap();
        assert_eq!(report.events.len(), 1, "{data}");
        report.events.remove(0)
    }
    fn cid(data: &str) -> Meaning {
        contact_id(data.as_bytes()).unwrap().events.remove(0).meaning
    }

    #[test]
    fn sia_data_read_with_modifiers_and_texts() {
        for (data, code, zone) in [
            ("NFA129", "FA", Some("129")),
            ("NRR|Atest", "RR", None),
            ("Nri04/OP001NM", "OP", Some("001")),
            ("Nri1CL0^VX FRONTE ^", "CL", Some("0")),
            ("Nri0KR1^TAST. 001 ^", "KR", Some("1")),
            ("Nri2/JC12", "JC", Some("12")),
            ("Nri1/PA005", "PA", Some("005")),
            ("Nti10:23/id3/pi1/PA5*NAME*NM", "PA", Some("5")),
            ("Nri1^PA7 is a text^HA3", "HA", Some("3")),
            ("ONPA", "NP", None),
        ] {
            let event = one(data);
            assert_eq!((event.code.as_str(), event.zone.as_deref()), (code, zone), "{data}");
        }
        assert!(sia(b"Ori1/PA005").unwrap().old);
        assert_eq!(sia(b"Nri1/PA005/HA006ri2/BA7").unwrap().events.len(), 3, "what follows a code up to the slash is text");
        for (data, error) in
            [("", EventError::NoMark), ("PA005", EventError::NoMark), ("Nri1/", EventError::NoCode), ("N005", EventError::NoCode)]
        {
            assert_eq!(sia(data.as_bytes()).unwrap_err(), error, "{data}");
        }
        assert_eq!(sia(format!("N{}", "PA1/".repeat(33)).as_bytes()), Err(EventError::TooMany));
        assert_eq!(sia(format!("N{}", "PA1/".repeat(32)).as_bytes()).unwrap().events.len(), 32);
    }

    #[test]
    fn every_kind_of_sia_code_has_its_meaning() {
        let fault = |ok, code: &str| SignKind::Fault { ok, code: code.into() };
        for (code, meaning) in [
            ("PA", Meaning::Alarm(AlarmKind::Panic, Signal::Press)),
            ("PR", Meaning::Alarm(AlarmKind::Panic, Signal::Restore)),
            ("PH", Meaning::Alarm(AlarmKind::Panic, Signal::Restore)),
            ("HA", Meaning::Alarm(AlarmKind::HoldUp, Signal::Press)),
            ("HR", Meaning::Alarm(AlarmKind::HoldUp, Signal::Restore)),
            ("FA", Meaning::Alarm(AlarmKind::Fire, Signal::Press)),
            ("FR", Meaning::Alarm(AlarmKind::Fire, Signal::Restore)),
            ("MA", Meaning::Alarm(AlarmKind::Medical, Signal::Press)),
            ("MR", Meaning::Alarm(AlarmKind::Medical, Signal::Restore)),
            ("BC", Meaning::Alarm(AlarmKind::Panic, Signal::Cancel)),
            ("BA", Meaning::ZoneAlarm(Signal::Press)),
            ("TA", Meaning::Zone(SignKind::Tamper { open: true })),
            ("TR", Meaning::Zone(SignKind::Tamper { open: false })),
            ("YT", Meaning::Panel(SignKind::Battery { percent: None, low: true })),
            ("YR", Meaning::Panel(SignKind::Battery { percent: None, low: false })),
            ("AT", Meaning::Panel(SignKind::Mains { ok: false })),
            ("AR", Meaning::Panel(SignKind::Mains { ok: true })),
            ("RP", Meaning::Panel(SignKind::Test)),
            ("RX", Meaning::Panel(SignKind::Test)),
            ("TX", Meaning::Panel(SignKind::Test)),
            ("FX", Meaning::Zone(SignKind::Test)),
            ("PT", Meaning::Zone(fault(false, "PT5"))),
            ("PJ", Meaning::Zone(fault(true, "PT5"))),
            ("PB", Meaning::Zone(fault(false, "PB5"))),
            ("PU", Meaning::Zone(fault(true, "PB5"))),
            ("YC", Meaning::Panel(fault(false, "YC5"))),
            ("YK", Meaning::Panel(fault(true, "YC5"))),
            ("OP", Meaning::Other),
            ("CL", Meaning::Other),
            ("RR", Meaning::Other),
            ("PS", Meaning::Other),
            ("ZZ", Meaning::Other),
        ] {
            assert_eq!(one(&format!("Nri1/{code}5")).meaning, meaning, "{code}");
        }
    }

    #[test]
    fn contact_id_reads_by_qualifier_and_code() {
        let (press, restore) = (Signal::Press, Signal::Restore);
        for (data, meaning) in [
            ("1100 00 001", Meaning::Alarm(AlarmKind::Medical, press)),
            ("1110 00 129", Meaning::Alarm(AlarmKind::Fire, press)),
            ("111801001", Meaning::Alarm(AlarmKind::Fire, press)),
            ("1120 01 005", Meaning::Alarm(AlarmKind::Panic, press)),
            ("6120 01 005", Meaning::Alarm(AlarmKind::Panic, press)),
            ("3120 01 005", Meaning::Alarm(AlarmKind::Panic, restore)),
            ("1121 01 003", Meaning::Alarm(AlarmKind::HoldUp, Signal::Duress)),
            ("3121 01 003", Meaning::Alarm(AlarmKind::HoldUp, restore)),
            ("1122 01 005", Meaning::Alarm(AlarmKind::HoldUp, press)),
            ("1123 01 005", Meaning::Alarm(AlarmKind::Panic, press)),
            ("1130 01 005", Meaning::ZoneAlarm(press)),
            ("1137 01 000", Meaning::Panel(SignKind::Tamper { open: true })),
            ("3144 01 005", Meaning::Zone(SignKind::Tamper { open: false })),
            ("1301 00 000", Meaning::Panel(SignKind::Mains { ok: false })),
            ("3301 00 000", Meaning::Panel(SignKind::Mains { ok: true })),
            ("1302 00 000", Meaning::Panel(SignKind::Battery { percent: None, low: true })),
            ("3311 00 000", Meaning::Panel(SignKind::Battery { percent: None, low: false })),
            ("1384 00 005", Meaning::Zone(SignKind::Battery { percent: None, low: true })),
            ("1381 00 005", Meaning::Zone(SignKind::Fault { ok: false, code: "381 005".into() })),
            ("1406 00 003", Meaning::Alarm(AlarmKind::Panic, Signal::Cancel)),
            ("3401 01 057", Meaning::Other),
            ("1601 00 000", Meaning::Panel(SignKind::Test)),
            ("1602 00 000", Meaning::Panel(SignKind::Test)),
            ("1607 00 003", Meaning::Panel(SignKind::Test)),
            ("1B10 00 003", Meaning::Other),
        ] {
            assert_eq!(cid(data), meaning, "{data}");
        }
        for data in ["", "1120", "2120 01 005", "1120 01 0055", "1120 01 00x", "\u{f0}120 01 005"] {
            assert_eq!(contact_id(data.as_bytes()), Err(EventError::ContactId), "{data}");
        }
    }

    #[test]
    fn a_users_number_is_not_taken_for_a_zone() {
        assert!(one("Nri1/PA005").names_zone());
        assert!(!one("Nri1/BC005").names_zone());
        assert!(!contact_id(b"1121 01 005").unwrap().events[0].names_zone());
        assert!(contact_id(b"3120 01 005").unwrap().events[0].names_zone());
    }
}
