//! Encrypted panels: round trips with every key size, the time window, replies that only the key opens.

use std::time::Duration;

use qorgan_ingest::dc09::{
    Key, Limits,
    frame::{Body, Content, Frame, Id, Stamp},
    panel::{PanelError, Transport},
};

use crate::support::{Hub, Wire};

fn keys() -> [Key; 3] {
    ["0123456789ABCDEF", "0123456789ABCDEF01234567", "text:0123456789ABCDEF0123456789ABCDEF"].map(|key| key.parse().unwrap())
}

#[tokio::test]
async fn every_key_size_round_trips_over_tcp_and_udp() {
    for key in keys() {
        let hub = Hub::start(&[("7001", Some(key.clone()))]).await;
        for transport in [Transport::Tcp, Transport::Udp] {
            let mut panel = hub.client(transport, "7001", Some(key.clone()));
            panel.poll().await.unwrap();
            panel.send(Id::SiaDcs, "Nri1/PA005").await.unwrap();
            panel.send(Id::AdmCid, "1122 01 005").await.unwrap();
            hub.clock.advance(Duration::from_secs(200));
        }
        let kinds: Vec<_> = hub.recorded.alarms().iter().map(|a| (a.device.to_string(), a.kind.as_str())).collect();
        let one = [("school-17/reception".to_owned(), "panic"), ("school-17/reception".to_owned(), "hold_up")];
        assert_eq!(kinds, [one.clone(), one].concat());
    }
}

/// Frames that another implementation of the standard made (`siadc09` 1.0.1 for Python), with padding of any bytes, at 14:12:05.
#[tokio::test]
async fn frames_of_another_implementation_open_with_every_key_size() {
    let vectors = [
        (
            16,
            "F88E0098\"*SIA-DCS\"0031R1L0#7001[C39A78FC4D053C8486133505B10FED98E4614D5DA863BCCF0B7ABD2E54C98C55\
             7BE4A2CE7737E57E869DFC1F6405945138AF7974C4FF561D05BD62A5AC39DFB4",
            Some("panic"),
        ),
        (
            24,
            "73410098\"*ADM-CID\"0032R1L0#7001[EFE6E9E9E51C19DAAA738C01ABED496AB75C5D8BB9EF8A26C2F4E22907CC5460\
             4B10F7CE849F3E1DAA04AEE8010FB25A00B9C7FDECC6E7BBDF143E10CDFF0C0A",
            Some("hold_up"),
        ),
        (
            32,
            "9AD50075\"*NULL\"0033R1L0#7001[C302D294D6EDC0BCF45A10B35C2CA5A103848ABA5F9FB4E71025EF269F07B7DD\
             6AAD3EEA0D1EA7C67D39363AD7B531A9",
            None,
        ),
    ];
    for (size, frame, kind) in vectors {
        let key: String = (0..size).map(|byte: u8| format!("{byte:02x}")).collect();
        let hub = Hub::start(&[("7001", Some(format!("hex:{key}").parse().unwrap()))]).await;
        let mut wire = Wire::to(&hub).await;
        wire.send(format!("\n{frame}\r").as_bytes()).await;
        let answer = wire.next().await.unwrap();
        assert_eq!((answer.id, answer.receiver.as_deref()), (Id::Ack, Some("1")), "{size}");
        assert_eq!(hub.recorded.alarms().first().map(|alarm| alarm.kind.as_str()), kind);
    }
}

#[tokio::test]
async fn the_answer_to_an_encrypted_frame_opens_with_its_key_and_carries_the_time() {
    let key = keys()[1].clone();
    let hub = Hub::start(&[("7001", Some(key.clone()))]).await;
    let panel = hub.client(Transport::Tcp, "7001", Some(key.clone()));
    let mut wire = Wire::to(&hub).await;
    wire.send(&panel.frame(Id::Null, 12, "").write()).await;
    let answer = wire.next().await.unwrap();
    let Body::Cipher(cipher) = &answer.body else { panic!("encrypted") };
    assert_eq!((answer.id, answer.seq), (Id::Ack, 12));
    let content = key.open(cipher).unwrap();
    assert_eq!((content.data.as_slice(), content.stamp), (b"".as_slice(), Stamp::of(hub.now())));
}

#[tokio::test]
async fn outside_the_window_the_answer_is_nak_with_the_time_and_nothing_happens() {
    let key = keys()[0].clone();
    for (offset_s, taken) in
        [(0, true), (20, true), (21, false), (-40, true), (-41, false), (86_400 * 365, false), (-86_400 * 3_650, false)]
    {
        let hub = Hub::start(&[("7001", Some(key.clone()))]).await;
        let mut at = hub.now();
        at.0 += offset_s * 1_000;
        let content = Content { data: b"#7001|Nri1/PA005".to_vec(), stamp: Stamp::of(at), ..Content::default() };
        let frame = Frame { body: Body::Cipher(key.seal(&content)), ..Frame::clear(Id::SiaDcs, 5, Some("7001"), Content::default()) };
        let mut wire = Wire::to(&hub).await;
        wire.send(&frame.write()).await;
        let answer = wire.next().await.unwrap();
        if taken {
            assert_eq!((answer.id, hub.recorded.alarms().len()), (Id::Ack, 1), "{offset_s}");
        } else {
            let Body::Clear(content) = &answer.body else { panic!("a NAK is in clear") };
            assert_eq!((answer.id, content.stamp), (Id::Nak, Stamp::of(hub.now())), "{offset_s}");
            assert!(hub.recorded.alarms().is_empty());
            assert!(hub.recorded.signs().is_empty(), "an old recording is no proof of life");
        }
    }
}

#[tokio::test]
async fn without_a_time_an_encrypted_frame_is_not_taken() {
    let key = keys()[0].clone();
    let hub = Hub::start(&[("7001", Some(key.clone()))]).await;
    let content = Content { data: b"#7001|Nri1/PA005".to_vec(), ..Content::default() };
    let frame = Frame { body: Body::Cipher(key.seal(&content)), ..Frame::clear(Id::SiaDcs, 5, Some("7001"), Content::default()) };
    let mut wire = Wire::to(&hub).await;
    wire.send(&frame.write()).await;
    assert_eq!(wire.next().await.unwrap().id, Id::Nak);
}

#[tokio::test]
async fn another_key_and_a_missing_one_are_refused_clearly() {
    let [key, other, _] = keys();
    let hub = Hub::start(&[("7001", Some(key)), ("7002", None)]).await;
    for account in ["7001", "7002"] {
        let mut wire = Wire::to(&hub).await;
        let stranger = hub.client(Transport::Tcp, account, Some(other.clone()));
        wire.send(&stranger.frame(Id::SiaDcs, 1, "Nri1/PA005").write()).await;
        let answer = wire.next().await.unwrap();
        assert_eq!(answer.id, Id::Duh);
        assert!(matches!(answer.body, Body::Clear(_)), "nothing was opened");
    }
    assert!(hub.recorded.alarms().is_empty() && hub.recorded.signs().is_empty());
}

#[tokio::test]
async fn a_panel_with_a_key_is_not_believed_in_clear() {
    let key = keys()[2].clone();
    let hub = Hub::start(&[("7001", Some(key))]).await;
    let mut forger = hub.client(Transport::Tcp, "7001", None);
    assert!(matches!(forger.send(Id::SiaDcs, "Nri1/PA005").await, Err(PanelError::Duh)));
    let strict = Hub::with(&[("7002", None)], Limits::default(), true).await;
    let mut clear = strict.client(Transport::Udp, "7002", None);
    assert!(matches!(clear.poll().await, Err(PanelError::Duh)));
}

#[tokio::test]
async fn an_encrypted_frame_that_is_repeated_with_a_new_time_is_the_same_press() {
    let key = keys()[0].clone();
    let hub = Hub::start(&[("7001", Some(key.clone()))]).await;
    let panel = hub.client(Transport::Tcp, "7001", Some(key));
    let mut wire = Wire::to(&hub).await;
    for _ in 0..3 {
        wire.send(&panel.frame(Id::SiaDcs, 41, "Nri1/PA005").write()).await;
        assert_eq!(wire.next().await.unwrap().id, Id::Ack);
        hub.clock.advance(Duration::from_secs(15));
    }
    assert_eq!(hub.recorded.alarms().len(), 1, "the time is that of the sending, not of the press");
    // Rebooted: other messages came between, then the number again.
    wire.send(&panel.frame(Id::Null, 42, "").write()).await;
    assert_eq!(wire.next().await.unwrap().id, Id::Ack);
    wire.send(&panel.frame(Id::SiaDcs, 41, "Nri1/PA005").write()).await;
    assert_eq!(wire.next().await.unwrap().id, Id::Ack);
    assert_eq!(hub.recorded.alarms().len(), 2);
}
