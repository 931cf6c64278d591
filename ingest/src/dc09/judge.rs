//! The one judgement of a frame: whose it is, what it reports, what is answered. Time and knowledge come in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use qorgan_domain::{Alarm, AlarmKind, DeviceRef, Door, Sign, SignKind, Signal, UtcMs, alarm::REPEAT_WINDOW_MS};

use super::{
    Address, FindPanel, Key, Panel,
    crypt::{OpenError, outside_window},
    event::{Event, EventError, Meaning, Report, contact_id, sia},
    frame::{Body, Content, CrcForm, Frame, FrameError, Id, Stamp},
    zone_key,
};

/// What is answered to a refused frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Broken, or at the wrong time: send it again.
    Nak,
    /// Understood, but nothing can be done with it.
    Duh,
}

/// Why a frame was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no frame.
    #[error("no valid frame")]
    Frame(#[from] FrameError),
    /// It names no account.
    #[error("it names no account")]
    NoAccount,
    /// The account is not configured.
    #[error("account {0} is not configured")]
    UnknownAccount(String),
    /// A format that this hub does not read.
    #[error("data of the kind {0} are not read here")]
    Format(String),
    /// In clear, where only encrypted frames are heard.
    #[error("it is not encrypted, and this panel must encrypt")]
    InClear,
    /// Encrypted, but no key is configured.
    #[error("it is encrypted, and no key is configured for this account")]
    NoKey,
    /// It does not open.
    #[error("encrypted part")]
    Open(#[from] OpenError),
    /// Encrypted without a time.
    #[error("it is encrypted and carries no time")]
    NoTime,
    /// Encrypted, and too old or from the future.
    #[error("its time is {} s {} the hub's clock: a replay or a wrong clock", .0.abs() / 1000, if *.0 < 0 { "behind" } else { "ahead of" })]
    Window(i64),
    /// The account inside is another one than in front of the bracket.
    #[error("it speaks for account {0}")]
    OtherAccount(String),
    /// The events do not read.
    #[error("its events cannot be read")]
    Event(#[from] EventError),
}

impl Refusal {
    /// What is answered.
    pub fn kind(&self) -> Kind {
        match self {
            Refusal::Frame(_) | Refusal::NoTime | Refusal::Window(_) => Kind::Nak,
            _ => Kind::Duh,
        }
    }
    /// Label in metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Frame(error) => error.code(),
            Refusal::NoAccount => "no_account",
            Refusal::UnknownAccount(_) => "unknown_account",
            Refusal::Format(_) => "format",
            Refusal::InClear => "in_clear",
            Refusal::NoKey => "no_key",
            Refusal::Open(_) => "does_not_open",
            Refusal::NoTime => "no_time",
            Refusal::Window(_) => "time_window",
            Refusal::OtherAccount(_) => "other_account",
            Refusal::Event(_) => "event",
        }
    }
}

/// A frame of a known panel.
#[derive(Debug)]
pub(super) struct Heard {
    /// Whose.
    pub(super) panel: Arc<Panel>,
    /// To be committed before the answer leaves.
    pub(super) alarms: Vec<Alarm>,
    /// At least that it lives.
    pub(super) signs: Vec<Sign>,
    /// What it reports, as labels in metrics.
    pub(super) labels: Vec<&'static str>,
    /// The ACK.
    pub(super) answer: Vec<u8>,
}

/// What became of a frame.
#[derive(Debug)]
pub(super) enum Judged {
    /// Good.
    Heard(Box<Heard>),
    /// A reply; never answered, or two receivers would talk for ever.
    Reply,
    /// Refused.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The panel, where its account is known.
        device: Option<DeviceRef>,
        /// NAK or DUH.
        answer: Vec<u8>,
    },
}

/// The last encrypted frame of each panel. A repeated frame carries a new time, because the old one would be outside the
/// window; the journal must not take it for a new press.
#[derive(Debug, Default)]
pub(super) struct Lasts(Mutex<HashMap<DeviceRef, Last>>);

#[derive(Debug)]
struct Last {
    seq: u16,
    data: Vec<u8>,
    pressed_at: UtcMs,
    heard_at: UtcMs,
}

impl Lasts {
    /// The time of the press: that of the first frame if this one repeats it.
    fn pressed_at(&self, device: &DeviceRef, seq: u16, data: &[u8], at: UtcMs, now: UtcMs) -> UtcMs {
        let mut lasts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = lasts.get_mut(device)
            && last.seq == seq
            && last.data == data
            && now.ms_since(last.heard_at) <= REPEAT_WINDOW_MS
        {
            return last.pressed_at;
        }
        lasts.insert(device.clone(), Last { seq, data: data.to_vec(), pressed_at: at, heard_at: now });
        at
    }
}

/// Judges the bytes of one frame.
pub(super) fn judge(bytes: &[u8], now: UtcMs, require_encryption: bool, find: &FindPanel, lasts: &Lasts) -> Judged {
    let frame = match Frame::read(bytes) {
        Ok(frame) => frame,
        Err(error) => {
            let form = if bytes.get(7) == Some(&b'"') { CrcForm::Raw } else { CrcForm::Hex };
            return Judged::Refused { refusal: error.into(), device: None, answer: nak(form, now) };
        }
    };
    if frame.id.is_reply() {
        return Judged::Reply;
    }
    let mut panel = None;
    match read(&frame, now, require_encryption, find, lasts, &mut panel) {
        Ok(heard) => Judged::Heard(Box::new(heard)),
        Err(refusal) => {
            let answer = match refusal.kind() {
                Kind::Nak => nak(frame.crc, now),
                // In clear always: it tells nothing that its head does not, and a panel whose key is wrong reads it too.
                Kind::Duh => reply(&frame, Id::Duh, None, now),
            };
            Judged::Refused { refusal, device: panel.map(|panel: Arc<Panel>| panel.device.clone()), answer }
        }
    }
}

/// `found` is filled in on the way: a refusal names the panel too.
fn read(
    frame: &Frame,
    now: UtcMs,
    require_encryption: bool,
    find: &FindPanel,
    lasts: &Lasts,
    found: &mut Option<Arc<Panel>>,
) -> Result<Heard, Refusal> {
    let inner = match &frame.body {
        Body::Clear(content) => content.split().0,
        Body::Cipher(_) => None,
    };
    let account = frame.account.clone().or(inner).ok_or(Refusal::NoAccount)?;
    let address = Address { account, receiver: frame.receiver.clone(), line: frame.line.clone() };
    let panel = find(&address).ok_or_else(|| Refusal::UnknownAccount(address.account.clone()))?;
    *found = Some(panel.clone());
    let mut opened = None;
    let content = match &frame.body {
        Body::Clear(_) if require_encryption || panel.key.is_some() => return Err(Refusal::InClear),
        Body::Clear(content) => content.clone(),
        Body::Cipher(cipher) => {
            let key = panel.key.as_ref().ok_or(Refusal::NoKey)?;
            let content = key.open(cipher)?;
            opened = Some(key);
            let at = content.stamp.at().ok_or(Refusal::NoTime)?;
            if let Some(offset) = outside_window(at, now) {
                return Err(Refusal::Window(offset));
            }
            content
        }
    };
    let (inner, data) = content.split();
    if let Some(inner) = inner
        && zone_key(&inner) != zone_key(&address.account)
    {
        return Err(Refusal::OtherAccount(inner));
    }
    let report = match &frame.id {
        Id::Null => None,
        // A poll with further data, of the newer editions of the standard.
        Id::Other(token) if token == "XNM" => None,
        // Nothing to report is no error: the frame is a sign of life.
        Id::SiaDcs | Id::AdmCid if data.is_empty() => None,
        Id::SiaDcs => Some(sia(data)?),
        Id::AdmCid => Some(contact_id(data)?),
        other => return Err(Refusal::Format(other.as_str().to_owned())),
    };
    let pressed_at = content.occurred_at().or_else(|| {
        content.stamp.at().map(|at| match frame.body {
            Body::Clear(_) => at,
            Body::Cipher(_) => lasts.pressed_at(&panel.device, frame.seq, &content.data, at, now),
        })
    });
    let answer = reply(frame, Id::Ack, opened, now);
    Ok(heard(panel, frame.seq, report.as_ref(), content.stamp, pressed_at, now, answer))
}

fn heard(
    panel: Arc<Panel>,
    seq: u16,
    report: Option<&Report>,
    stamp: Stamp,
    pressed_at: Option<UtcMs>,
    now: UtcMs,
    answer: Vec<u8>,
) -> Heard {
    let sign = |device: &DeviceRef, kind| Sign { device: device.clone(), at: now, kind };
    let mut signs = vec![sign(&panel.device, SignKind::Alive)];
    let old = report.is_some_and(|report| report.old);
    if let Some(at) = stamp.at().filter(|_| !old) {
        signs.push(sign(&panel.device, SignKind::Clock { offset_ms: at.ms_since(now) }));
    }
    let mut alarms = Vec::new();
    let mut labels = Vec::new();
    for event in report.map_or(&[][..], |report| &report.events) {
        labels.push(event.meaning.label());
        let button = zone_of(&panel, event);
        let device = button.unwrap_or(&panel.device);
        let mut press = |kind: AlarmKind, signal: Signal| {
            let zone = event.zone.clone();
            let alarm = Alarm::new(device.clone(), kind, u64::from(seq), now);
            alarms.push(Alarm { signal, door: Door::Dc09, zone, pressed_at, ..alarm });
        };
        match &event.meaning {
            Meaning::Alarm(kind, signal) => press(*kind, *signal),
            Meaning::ZoneAlarm(signal) if button.is_some() => press(AlarmKind::Panic, *signal),
            Meaning::ZoneAlarm(_) | Meaning::Other => {}
            Meaning::Panel(kind) => signs.push(sign(&panel.device, kind.clone())),
            Meaning::Zone(kind) => signs.push(sign(device, kind.clone())),
        }
    }
    if report.is_none() {
        labels.push("poll");
    }
    Heard { panel, alarms, signs, labels, answer }
}

fn zone_of<'p>(panel: &'p Panel, event: &Event) -> Option<&'p DeviceRef> {
    let zone = event.zone.as_deref().filter(|_| event.names_zone())?;
    panel.zones.get(&zone_key(zone))
}

/// ACK or DUH to this frame; encrypted with the key that opened the frame, if one did.
fn reply(to: &Frame, id: Id, key: Option<&Key>, now: UtcMs) -> Vec<u8> {
    let body = match key {
        None => Body::Clear(Content::default()),
        Some(key) => Body::Cipher(key.seal(&Content { stamp: Stamp::of(now), ..Content::default() })),
    };
    Frame { id, body, ..to.clone() }.write()
}

/// A NAK names nobody and carries the hub's time, by which the panel sets its clock.
fn nak(crc: CrcForm, now: UtcMs) -> Vec<u8> {
    let zero = Some("0".to_owned());
    let body = Body::Clear(Content { stamp: Stamp::of(now), ..Content::default() });
    Frame { id: Id::Nak, seq: 0, receiver: zero.clone(), line: zero, account: None, body, crc }.write()
}
