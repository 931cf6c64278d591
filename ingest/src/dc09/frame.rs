//! A frame of SIA DC-09 as bytes and as a value. Pure; [`Frame::read`] is the entry point for fuzzing.
//!
//! ```text
//! LF crc length "id" seq Rrcvr Lpref #account [ data ] [extended]... _HH:MM:SS,MM-DD-YYYY CR
//! LF crc length "*id" seq Rrcvr Lpref #account [ hex of the encrypted rest                  CR
//! ```
//! CRC (CRC-16, polynomial 0x8005 reflected, start 0) and length (four hex digits) cover what stands between
//! the first quote and the carriage return. Some panels send the CRC as two bytes instead of four digits; that is read too.
//! What does not belong here: what the data means (`event`), decryption (`crypt`), what is answered (`judge`).

use std::fmt;

use qorgan_domain::UtcMs;

/// Most bytes between the first quote and the carriage return: the standard gives the length three hex digits.
pub const MAX_BODY: usize = 0xFFF;
/// Most bytes of a frame: LF, CRC, length, body, CR.
pub const MAX_FRAME: usize = MAX_BODY + 10;
/// Highest sequence number.
pub const MAX_SEQ: u16 = 9_999;

const LF: u8 = b'\n';
const CR: u8 = b'\r';

/// What kind of message a frame is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Id {
    /// Events in SIA's own codes (DC-03 in DC-07 packets).
    SiaDcs,
    /// An event in Contact ID (DC-05).
    AdmCid,
    /// Supervision: nothing but a sign of life.
    Null,
    /// Reply: taken.
    Ack,
    /// Reply: not taken, send it again.
    Nak,
    /// Reply: understood, but nothing can be done with it.
    Duh,
    /// A format that this hub does not read.
    Other(String),
}

impl Id {
    /// The token between the quotes, without the asterisk of an encrypted frame.
    pub fn as_str(&self) -> &str {
        match self {
            Id::SiaDcs => "SIA-DCS",
            Id::AdmCid => "ADM-CID",
            Id::Null => "NULL",
            Id::Ack => "ACK",
            Id::Nak => "NAK",
            Id::Duh => "DUH",
            Id::Other(token) => token,
        }
    }
    /// Whether it answers another frame.
    pub fn is_reply(&self) -> bool {
        matches!(self, Id::Ack | Id::Nak | Id::Duh)
    }
    fn parse(token: &str) -> Self {
        match token {
            "SIA-DCS" => Id::SiaDcs,
            "ADM-CID" => Id::AdmCid,
            "NULL" => Id::Null,
            "ACK" => Id::Ack,
            "NAK" => Id::Nak,
            "DUH" => Id::Duh,
            other => Id::Other(other.to_owned()),
        }
    }
}

/// How a sender writes the CRC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrcForm {
    /// Four hex digits, as the standard says.
    #[default]
    Hex,
    /// Two bytes, high byte first.
    Raw,
}

/// The time that a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stamp {
    /// None.
    #[default]
    Absent,
    /// This, in UTC, to the second.
    At(UtcMs),
    /// Something that is no time. An alarm does not get lost over it.
    Unreadable,
}

impl Stamp {
    /// The time, if it is one.
    pub fn at(self) -> Option<UtcMs> {
        match self {
            Stamp::At(at) => Some(at),
            Stamp::Absent | Stamp::Unreadable => None,
        }
    }
    /// This moment, to the second, as frames carry it.
    pub fn of(at: UtcMs) -> Self {
        Stamp::At(UtcMs(at.0.div_euclid(1_000) * 1_000))
    }
}

/// What stands in the brackets, and behind them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// `#account|events`, `|events`, or nothing. The encoding of texts in it is the panel's matter.
    pub data: Vec<u8>,
    /// Further brackets: position, MAC address, verification.
    pub extended: Vec<Vec<u8>>,
    /// Behind the last bracket.
    pub stamp: Stamp,
}

impl Content {
    /// Reads what follows the opening bracket: `data]`, further brackets, the time.
    pub fn read(text: &[u8]) -> Result<Self, FrameError> {
        let (data, mut rest) = split_at_byte(text, b']').ok_or(FrameError::Unclosed)?;
        if !matches!(data.first(), None | Some(b'#' | b'|')) || (data.first() == Some(&b'#') && !data.contains(&b'|')) {
            return Err(FrameError::NoBar);
        }
        let mut extended = Vec::new();
        while let Some(inner) = rest.strip_prefix(b"[") {
            let (one, after) = split_at_byte(inner, b']').ok_or(FrameError::Unclosed)?;
            extended.push(one.to_vec());
            rest = after;
        }
        let stamp = match rest {
            b"" => Stamp::Absent,
            text => stamp_at(text).map_or(Stamp::Unreadable, Stamp::At),
        };
        Ok(Self { data: data.to_vec(), extended, stamp })
    }

    /// Appends what [`Content::read`] reads.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.data);
        out.push(b']');
        for one in &self.extended {
            out.push(b'[');
            out.extend_from_slice(one);
            out.push(b']');
        }
        if let Stamp::At(at) = self.stamp {
            out.extend_from_slice(stamp_text(at).as_bytes());
        }
    }

    /// When it happened, if the sender says so in a bracket of its own (`H13:59:58,12-31-2012`); the time at the end is that of sending.
    pub fn occurred_at(&self) -> Option<UtcMs> {
        let text = self.extended.iter().find_map(|one| one.strip_prefix(b"H"))?;
        stamp_at(&[b"_".as_slice(), text].concat())
    }

    /// The account inside the data, if it names one, and the events.
    pub fn split(&self) -> (Option<String>, &[u8]) {
        match split_at_byte(&self.data, b'|') {
            None => (None, &[]),
            Some((account, events)) => {
                let account = account.strip_prefix(b"#").filter(|account| !account.is_empty());
                (account.map(|account| String::from_utf8_lossy(account).to_ascii_uppercase()), events)
            }
        }
    }
}

/// What follows the opening bracket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// In clear.
    Clear(Content),
    /// Encrypted, as bytes; `crypt` opens it.
    Cipher(Vec<u8>),
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Kind of message.
    pub id: Id,
    /// Sequence number, 0 to 9999.
    pub seq: u16,
    /// Receiver number, hex digits.
    pub receiver: Option<String>,
    /// Line number (account prefix), hex digits.
    pub line: Option<String>,
    /// Account in front of the bracket, in capitals.
    pub account: Option<String>,
    /// What it says.
    pub body: Body,
    /// How the CRC is written.
    pub crc: CrcForm,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The first byte is not a line feed.
    #[error("it does not begin with a line feed")]
    NoLineFeed,
    /// The last byte is not a carriage return: it was cut off.
    #[error("it does not end with a carriage return")]
    NoCarriageReturn,
    /// More bytes than any frame may have.
    #[error("it is longer than {MAX_FRAME} bytes")]
    TooLong,
    /// No quote where CRC and length end.
    #[error("no quote after CRC and length")]
    NoQuote,
    /// CRC or length is not in hex digits.
    #[error("{0} is not written in hex digits")]
    NotHex(&'static str),
    /// The length is wrong.
    #[error("length {said:04X} is said, {counted:04X} bytes are there")]
    Length {
        /// What the frame says.
        said: u16,
        /// What it has.
        counted: usize,
    },
    /// The CRC is wrong.
    #[error("CRC {said:04X} is said, {counted:04X} is right")]
    Crc {
        /// What the frame says.
        said: u16,
        /// What it should be.
        counted: u16,
    },
    /// No kind of message between quotes.
    #[error("no kind of message such as \"SIA-DCS\"")]
    Id,
    /// The sequence number is not four digits.
    #[error("the sequence number is not four digits")]
    Sequence,
    /// Something between sequence number and bracket is neither receiver, line nor account.
    #[error("{0} cannot be read")]
    Head(&'static str),
    /// No opening bracket.
    #[error("no opening bracket")]
    NoBracket,
    /// No closing bracket.
    #[error("no closing bracket")]
    Unclosed,
    /// Data without the bar after the account.
    #[error("no | between account and events")]
    NoBar,
    /// Encrypted data that is not whole blocks in hex.
    #[error("the encrypted part is not whole blocks of 16 bytes in hex digits")]
    Cipher,
}

impl FrameError {
    /// Label in metrics.
    pub fn code(&self) -> &'static str {
        match self {
            FrameError::TooLong => "too_long",
            FrameError::Length { .. } => "length",
            FrameError::Crc { .. } => "crc",
            FrameError::Sequence => "sequence",
            _ => "malformed",
        }
    }
}

impl Frame {
    /// A frame in clear, for a panel or a reply.
    pub fn clear(id: Id, seq: u16, account: Option<&str>, content: Content) -> Self {
        let account = account.map(str::to_ascii_uppercase);
        Self { id, seq: seq.min(MAX_SEQ), receiver: None, line: None, account, body: Body::Clear(content), crc: CrcForm::Hex }
    }

    /// Reads one whole frame, from line feed to carriage return. Never panics, whatever the bytes are.
    pub fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() > MAX_FRAME {
            return Err(FrameError::TooLong);
        }
        let bytes = bytes.strip_prefix(&[LF]).ok_or(FrameError::NoLineFeed)?;
        let bytes = bytes.strip_suffix(&[CR]).ok_or(FrameError::NoCarriageReturn)?;
        let (crc, said_crc, said_length, body) = lead(bytes)?;
        if usize::from(said_length) != body.len() {
            return Err(FrameError::Length { said: said_length, counted: body.len() });
        }
        let counted = crc16(body);
        if counted != said_crc {
            return Err(FrameError::Crc { said: said_crc, counted });
        }
        read_body(body, crc)
    }

    /// The bytes of the frame.
    pub fn write(&self) -> Vec<u8> {
        let star = if matches!(self.body, Body::Cipher(_)) { "*" } else { "" };
        let mut body = format!("\"{star}{}\"{:04}", self.id.as_str(), self.seq.min(MAX_SEQ)).into_bytes();
        for (letter, value) in [(b'R', &self.receiver), (b'L', &self.line), (b'#', &self.account)] {
            if let Some(value) = value {
                body.push(letter);
                body.extend_from_slice(value.as_bytes());
            }
        }
        if self.id == Id::Nak && self.account.is_none() {
            body.extend_from_slice(b"A0");
        }
        body.push(b'[');
        match &self.body {
            Body::Clear(content) => content.write(&mut body),
            Body::Cipher(bytes) => body.extend_from_slice(hex::encode_upper(bytes).as_bytes()),
        }
        let crc = crc16(&body);
        let mut out = vec![LF];
        match self.crc {
            CrcForm::Hex => out.extend_from_slice(format!("{crc:04X}").as_bytes()),
            CrcForm::Raw => out.extend_from_slice(&crc.to_be_bytes()),
        }
        out.extend_from_slice(format!("{:04X}", body.len()).as_bytes());
        out.extend_from_slice(&body);
        out.push(CR);
        out
    }
}

impl fmt::Display for Frame {
    /// For people: kind, number, account; never the data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if matches!(self.body, Body::Cipher(_)) { "*" } else { "" };
        write!(f, "{star}{} {:04}", self.id.as_str(), self.seq)?;
        match &self.account {
            Some(account) => write!(f, " of account {account}"),
            None => Ok(()),
        }
    }
}

/// CRC-16 of DC-09.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes
        .iter()
        .fold(0, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 }))
}

/// CRC and length in front of the first quote.
fn lead(bytes: &[u8]) -> Result<(CrcForm, u16, u16, &[u8]), FrameError> {
    let quote = |at: usize| bytes.get(at) == Some(&b'"');
    if quote(8) {
        let (crc, length) = (hex4(&bytes[..4], "the CRC")?, hex4(&bytes[4..8], "the length")?);
        Ok((CrcForm::Hex, crc, length, &bytes[8..]))
    } else if quote(6) {
        Ok((CrcForm::Raw, u16::from_be_bytes([bytes[0], bytes[1]]), hex4(&bytes[2..6], "the length")?, &bytes[6..]))
    } else {
        Err(FrameError::NoQuote)
    }
}

fn read_body(body: &[u8], crc: CrcForm) -> Result<Frame, FrameError> {
    let (token, rest) = body.strip_prefix(b"\"").and_then(|rest| split_at_byte(rest, b'"')).ok_or(FrameError::Id)?;
    let (encrypted, token) = match token.strip_prefix(b"*") {
        Some(token) => (true, token),
        None => (false, token),
    };
    let good = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'-';
    if token.is_empty() || token.len() > 16 || !token.iter().all(good) {
        return Err(FrameError::Id);
    }
    let id = Id::parse(&String::from_utf8_lossy(token));
    let digits = rest.get(..4).filter(|d| d.iter().all(u8::is_ascii_digit)).ok_or(FrameError::Sequence)?;
    let seq = digits.iter().fold(0_u16, |seq, digit| seq * 10 + u16::from(digit - b'0'));
    let (head, text) = split_at_byte(&rest[4..], b'[').ok_or(FrameError::NoBracket)?;
    let (receiver, line, account) = read_head(head, &id)?;
    let body = if encrypted {
        let text = text.strip_suffix(b"]").unwrap_or(text);
        let bytes = hex::decode(text).map_err(|_| FrameError::Cipher)?;
        if bytes.is_empty() || bytes.len() % 16 != 0 {
            return Err(FrameError::Cipher);
        }
        Body::Cipher(bytes)
    } else {
        Body::Clear(Content::read(text)?)
    };
    Ok(Frame { id, seq, receiver, line, account, body, crc })
}

type Head = (Option<String>, Option<String>, Option<String>);

/// Receiver, line and account. All may be absent, their order is fixed.
fn read_head(head: &[u8], id: &Id) -> Result<Head, FrameError> {
    // A NAK names no account; it writes a zero with a letter that is a hex digit of the line as well.
    let head = if *id == Id::Nak && !head.contains(&b'#') { head.strip_suffix(b"A0").unwrap_or(head) } else { head };
    let (numbers, account) = match split_at_byte(head, b'#') {
        None => (head, None),
        Some((numbers, account)) => {
            if account.is_empty() || account.len() > 16 || !account.iter().all(u8::is_ascii_alphanumeric) {
                return Err(FrameError::Head("the account"));
            }
            (numbers, Some(String::from_utf8_lossy(account).to_ascii_uppercase()))
        }
    };
    let number = |text: &[u8], what| {
        if text.is_empty() || text.len() > 12 || !text.iter().all(u8::is_ascii_hexdigit) {
            return Err(FrameError::Head(what));
        }
        Ok(Some(String::from_utf8_lossy(text).to_ascii_uppercase()))
    };
    let (before, line) = match split_at_byte(numbers, b'L') {
        None => (numbers, None),
        Some((before, line)) => (before, number(line, "the line")?),
    };
    let receiver = match before.strip_prefix(b"R") {
        None if before.is_empty() => None,
        None => return Err(FrameError::Head("what follows the sequence number")),
        Some(receiver) => number(receiver, "the receiver")?,
    };
    Ok((receiver, line, account))
}

fn hex4(digits: &[u8], what: &'static str) -> Result<u16, FrameError> {
    let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    digits.and_then(|d| u16::from_str_radix(d, 16).ok()).ok_or(FrameError::NotHex(what))
}

fn split_at_byte(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|b| *b == byte)?;
    Some((&text[..at], &text[at + 1..]))
}

/// `_HH:MM:SS,MM-DD-YYYY`, in UTC.
fn stamp_at(text: &[u8]) -> Option<UtcMs> {
    let shape = b"_00:00:00,00-00-0000";
    let fits = |(got, want): (&u8, &u8)| if *want == b'0' { got.is_ascii_digit() } else { got == want };
    if text.len() != shape.len() || !text.iter().zip(shape).all(fits) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let (time, month, day, year) = (&text[1..9], &text[10..12], &text[13..15], &text[16..20]);
    format!("{year}-{month}-{day}T{time}Z").parse().ok()
}

/// The same as text; nothing for a year that has not four digits.
fn stamp_text(at: UtcMs) -> String {
    let text = at.to_string();
    match (text.len(), text.get(0..4), text.get(5..7), text.get(8..10), text.get(11..19)) {
        (24, Some(year), Some(month), Some(day), Some(time)) => format!("_{time},{month}-{day}-{year}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(body: &str) -> Vec<u8> {
        format!("\n{:04X}{:04X}{body}\r", crc16(body.as_bytes()), body.len()).into_bytes()
    }
    fn read(body: &str) -> Result<Frame, FrameError> {
        Frame::read(&framed(body))
    }

    #[test]
    fn a_frame_of_the_standard_reads_part_by_part() {
        let frame = Frame::read(b"\n87CD0037\"ADM-CID\"9876R579BDFL789ABC#12345A[#12345A|1110 00 129]\r").unwrap();
        assert_eq!((frame.id.clone(), frame.seq), (Id::AdmCid, 9876));
        assert_eq!(frame.receiver.as_deref(), Some("579BDF"));
        assert_eq!(frame.line.as_deref(), Some("789ABC"));
        assert_eq!(frame.account.as_deref(), Some("12345A"));
        let Body::Clear(content) = &frame.body else { panic!("in clear") };
        assert_eq!(content.split(), (Some("12345A".into()), b"1110 00 129".as_slice()));
        assert_eq!(frame.write(), b"\n87CD0037\"ADM-CID\"9876R579BDFL789ABC#12345A[#12345A|1110 00 129]\r");
    }

    #[test]
    fn a_nak_with_its_own_account_form_reads_and_writes() {
        let bytes = b"\nE4410025\"NAK\"0000R0L0A0[]_16:20:01,09-24-2025\r";
        let frame = Frame::read(bytes).unwrap();
        assert_eq!((frame.id.clone(), frame.line.as_deref(), frame.account.as_deref()), (Id::Nak, Some("0"), None));
        let Body::Clear(content) = &frame.body else { panic!("in clear") };
        assert_eq!(content.stamp, Stamp::At("2025-09-24T16:20:01Z".parse().unwrap()));
        assert_eq!(frame.write(), bytes);
    }

    #[test]
    fn a_crc_of_two_raw_bytes_is_read_and_written() {
        // The CRC of this body holds a carriage return's value or not; the form is told by the place of the quote.
        let mut frame = Frame::clear(Id::Null, 7, Some("1234"), Content::default());
        frame.crc = CrcForm::Raw;
        let bytes = frame.write();
        assert_eq!(bytes[7], b'"');
        assert_eq!(Frame::read(&bytes).unwrap(), frame);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = framed("\"NULL\"0000L0#1234[]");
        let changed = |at: usize, to: u8| {
            let mut bytes = good.clone();
            bytes[at] = to;
            Frame::read(&bytes).unwrap_err()
        };
        assert_eq!(changed(0, b'x'), FrameError::NoLineFeed);
        assert_eq!(changed(good.len() - 1, b'x'), FrameError::NoCarriageReturn);
        assert_eq!(changed(9, b'x'), FrameError::NoQuote);
        assert_eq!(changed(1, b'x'), FrameError::NotHex("the CRC"));
        assert_eq!(changed(5, b'+'), FrameError::NotHex("the length"));
        assert!(matches!(changed(8, b'0'), FrameError::Length { .. }));
        assert!(matches!(changed(10, b'M'), FrameError::Crc { .. }));
        for (body, error) in [
            ("\"null\"0000L0#1234[]", FrameError::Id),
            ("\"\"0000L0#1234[]", FrameError::Id),
            ("\"NULL\"00x0L0#1234[]", FrameError::Sequence),
            ("\"NULL\"", FrameError::Sequence),
            ("\"NULL\"0000L0#1234", FrameError::NoBracket),
            ("\"NULL\"0000L0#1234[", FrameError::Unclosed),
            ("\"NULL\"0000L0#12 4[]", FrameError::Head("the account")),
            ("\"NULL\"0000L#1234[]", FrameError::Head("the line")),
            ("\"NULL\"0000RxL0#1234[]", FrameError::Head("the receiver")),
            ("\"NULL\"0000x#1234[]", FrameError::Head("what follows the sequence number")),
            ("\"SIA-DCS\"0001L0#1234[Nri1/WA000]", FrameError::NoBar),
            ("\"SIA-DCS\"0001L0#1234[#1234 NRR]", FrameError::NoBar),
            ("\"*SIA-DCS\"0001L0#1234[00]", FrameError::Cipher),
            ("\"*SIA-DCS\"0001L0#1234[", FrameError::Cipher),
            ("\"*SIA-DCS\"0001L0#1234[zz", FrameError::Cipher),
        ] {
            assert_eq!(read(body).unwrap_err(), error, "{body}");
        }
        assert_eq!(Frame::read(&vec![b'\n'; MAX_FRAME + 1]).unwrap_err(), FrameError::TooLong);
    }

    #[test]
    fn a_time_that_is_none_does_not_lose_the_frame() {
        for (text, stamp) in [
            ("", Stamp::Absent),
            ("_14:12:04,11-21-2026", Stamp::At("2026-11-21T14:12:04Z".parse().unwrap())),
            ("_24:61:04,13-21-2026", Stamp::Unreadable),
            ("_14:12:04,11-21-26", Stamp::Unreadable),
            ("rubbish", Stamp::Unreadable),
        ] {
            let frame = read(&format!("\"SIA-DCS\"0001L0#7001[#7001|Nri1/PA005][X071E22.9530]{text}")).unwrap();
            let Body::Clear(content) = frame.body else { panic!("in clear") };
            assert_eq!(content.stamp, stamp, "{text}");
            assert_eq!(content.extended, [b"X071E22.9530".to_vec()]);
            assert_eq!(content.occurred_at(), None);
        }
        let frame = read("\"SIA-DCS\"0001L0#7001[#7001|Nri1/PA005][Hnonsense]").unwrap();
        let Body::Clear(content) = frame.body else { panic!("in clear") };
        assert_eq!(content.occurred_at(), None);
    }
}
