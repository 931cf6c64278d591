//! Every frame of the vector file gets the stated answer, over TCP and over UDP.
//!
//! `frames.csv` lies here; a file of the same shape beside the repository is read as well when it is there.

use std::{path::Path, time::Duration};

use qorgan_ingest::dc09::frame::{Body, Frame, Id};

use crate::support::{Hub, Wire};

struct Row {
    frame: Vec<u8>,
    crc_ok: bool,
    length_ok: bool,
    expect: String,
    note: String,
}

/// Comma-separated fields; a field in quotes doubles the quotes inside. The first field begins with eight bare characters.
fn rows(text: &str) -> Vec<Row> {
    text.lines()
        .skip(1)
        .map(|line| {
            let mut fields = vec![String::new()];
            let mut quoted = false;
            let mut chars = line.chars().peekable();
            while let Some(c) = chars.next() {
                match c {
                    '"' if quoted && chars.peek() == Some(&'"') => {
                        chars.next();
                        fields.last_mut().unwrap().push('"');
                    }
                    '"' => quoted = !quoted,
                    ',' if !quoted => fields.push(String::new()),
                    c => fields.last_mut().unwrap().push(c),
                }
            }
            assert_eq!(fields.len(), 8, "{line}");
            let frame = format!("\n{}\r", fields[0]).into_bytes();
            Row { frame, crc_ok: fields[2] == "1", length_ok: fields[3] == "1", expect: fields[4].clone(), note: line.to_owned() }
        })
        .collect()
}

fn vectors() -> Vec<Row> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dc09/frames.csv");
    let mut all = rows(&std::fs::read_to_string(own).unwrap());
    assert_eq!(all.len(), 24);
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance/dc09/frames.csv");
    if let Ok(text) = std::fs::read_to_string(shared) {
        all.extend(rows(&text));
    }
    all
}

/// Every account of the vectors that a panel could have; one that is to be unknown is missing.
const ACCOUNTS: [&str; 9] = ["12345A", "1234", "006969", "4F39", "123456", "AAA", "123F", "AAAB", "7001"];

fn check(row: &Row, answer: Option<Frame>) {
    let Row { expect, note, .. } = row;
    let sent = Frame::read(&row.frame);
    match expect.as_str() {
        "accept" => {
            let (sent, answer) = (sent.unwrap(), answer.expect(note));
            assert_eq!((answer.id, answer.seq, answer.account), (Id::Ack, sent.seq, sent.account), "{note}");
            assert_eq!((answer.receiver, answer.line), (sent.receiver, sent.line), "{note}");
        }
        // Valid as a frame. Without data it is a sign of life; encrypted without a key it cannot be read, and DUH says so.
        "frame-only" => {
            let sent = sent.expect(note);
            let id = if matches!(sent.body, Body::Cipher(_)) { Id::Duh } else { Id::Ack };
            assert_eq!(answer.expect(note).id, id, "{note}");
        }
        "reply" => {
            assert!(sent.unwrap().id.is_reply());
            assert_eq!(answer, None, "{note}");
        }
        "nak" => {
            assert!(sent.is_err(), "{note}");
            let answer = answer.expect(note);
            let Body::Clear(content) = answer.body else { panic!("a NAK is in clear") };
            assert_eq!((answer.id, answer.seq), (Id::Nak, 0), "{note}");
            assert_eq!(content.stamp.at().unwrap().to_string(), "2026-11-21T14:12:10.000Z");
        }
        "duh" => assert_eq!(answer.expect(note).id, Id::Duh, "{note}"),
        other => panic!("unknown expectation {other}: {note}"),
    }
    assert_eq!(Frame::read(&row.frame).is_ok(), row.crc_ok && row.length_ok, "{note}");
}

#[tokio::test]
async fn every_vector_gets_its_answer_over_tcp() {
    let accounts: Vec<_> = ACCOUNTS.iter().map(|account| (*account, None)).collect();
    for row in vectors() {
        let hub = Hub::start(&accounts).await;
        let mut wire = Wire::to(&hub).await;
        wire.send(&row.frame).await;
        let silent = row.expect == "reply";
        let answer = if silent { wire.within(Duration::from_millis(200)).await.unwrap_or(None) } else { wire.next().await };
        check(&row, answer);
    }
}

#[tokio::test]
async fn every_vector_gets_its_answer_over_udp() {
    let accounts: Vec<_> = ACCOUNTS.iter().map(|account| (*account, None)).collect();
    for row in vectors() {
        let hub = Hub::start(&accounts).await;
        let wait = if row.expect == "reply" { Duration::from_millis(200) } else { crate::support::PATIENCE };
        check(&row, hub.ask_udp(&row.frame, wait).await);
    }
}

#[tokio::test]
async fn the_vectors_in_one_stream_make_the_alarms_they_should() {
    let accounts: Vec<_> = ACCOUNTS.iter().map(|account| (*account, None)).collect();
    let hub = Hub::start(&accounts).await;
    let mut wire = Wire::to(&hub).await;
    let own = vectors().into_iter().take(24).collect::<Vec<_>>();
    let stream: Vec<u8> = own.iter().flat_map(|row| row.frame.clone()).collect();
    wire.send(&stream).await;
    for row in own.iter().filter(|row| row.expect != "reply") {
        check(row, wire.next().await);
    }
    let alarms: Vec<String> = hub
        .recorded
        .alarms()
        .iter()
        .map(|a| format!("{} {} {} {:?}", a.device, a.kind.as_str(), a.signal.as_str(), a.zone.as_deref()))
        .collect();
    assert_eq!(
        alarms,
        [
            // The same sequence number in two formats is one event.
            "school-17/panel-12345a fire press Some(\"129\")",
            "school-17/reception panic press Some(\"005\")",
            "school-17/reception hold_up press Some(\"005\")",
            "school-17/reception panic press Some(\"005\")",
            "school-17/reception panic restore Some(\"005\")",
            "school-17/reception panic press Some(\"005\")",
        ]
    );
    assert_eq!(hub.recorded.alarms()[5].pressed_at, Some("2026-11-21T14:12:04Z".parse().unwrap()));
}
