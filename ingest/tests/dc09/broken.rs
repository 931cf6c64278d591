//! Bad input and bad manners: each is answered, bounded, and harms nobody else.

use std::time::{Duration, Instant};

use qorgan_ingest::dc09::{Config, Error, Limits, Receiver, frame::Id, panel::Transport};
use tokio::io::AsyncWriteExt;

use crate::support::{Hub, PATIENCE, Wire, framed};

fn press(seq: u16) -> Vec<u8> {
    framed(&format!("\"SIA-DCS\"{seq:04}L0#7001[#7001|Nri1/PA005]"))
}

#[tokio::test]
async fn frames_in_pieces_and_glued_together_are_read() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut wire = Wire::to(&hub).await;
    for byte in press(1) {
        wire.send(&[byte]).await;
    }
    assert_eq!(wire.next().await.unwrap().seq, 1);
    wire.send(&[press(2), press(3), press(4)[..20].to_vec()].concat()).await;
    assert_eq!(wire.next().await.unwrap().seq, 2);
    assert_eq!(wire.next().await.unwrap().seq, 3);
    wire.send(&press(4)[20..]).await;
    assert_eq!(wire.next().await.unwrap().seq, 4);
    assert_eq!(hub.recorded.alarms().len(), 4);
}

#[tokio::test]
async fn garbage_before_and_between_frames_does_not_lose_the_next() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut wire = Wire::to(&hub).await;
    wire.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    wire.send(&press(1)).await;
    let mut answers = Vec::new();
    while answers.last() != Some(&Id::Ack) {
        answers.push(wire.next().await.unwrap().id);
    }
    assert!(answers[..answers.len() - 1].iter().all(|id| *id == Id::Nak), "{answers:?}");
    wire.send(&press(2)[..20]).await;
    wire.send(&press(3)).await;
    assert_eq!(wire.next().await.unwrap().id, Id::Nak, "the one that broke off");
    assert_eq!(wire.next().await.unwrap().seq, 3);
}

#[tokio::test]
async fn a_frame_of_ten_megabytes_is_refused_and_the_connection_closed() {
    let hub = Hub::start(&[("7001", None)]).await;
    for first in [b'\n', b'x'] {
        let mut wire = Wire::to(&hub).await;
        let mut big = vec![b'A'; 10_000_000];
        big[0] = first;
        let (mut reader, mut writer) = tokio::io::split(&mut wire.stream);
        let sending = async { writer.write_all(&big).await.is_err() };
        let reading = async {
            let mut all = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut all).await;
            all
        };
        let (broken, answer) = tokio::time::timeout(PATIENCE, async { tokio::join!(sending, reading) }).await.expect("closed");
        assert!(broken, "the rest is not read");
        assert!(answer.is_empty() || String::from_utf8_lossy(&answer).contains("\"NAK\""));
    }
    let mut panel = hub.client(Transport::Tcp, "7001", None);
    panel.send(Id::SiaDcs, "Nri1/PA005").await.unwrap();
    let datagram = [b"\n".as_slice(), &[b'A'; 60_000]].concat();
    assert_eq!(hub.ask_udp(&datagram, PATIENCE).await.unwrap().id, Id::Nak);
}

#[tokio::test]
async fn whoever_sends_drop_by_drop_is_cut_off() {
    let limits = Limits { frame: Duration::from_millis(300), stranger: Duration::from_millis(600), ..Limits::default() };
    let hub = Hub::with(&[("7001", None)], limits, false).await;
    let mut slow = Wire::to(&hub).await;
    let mut silent = Wire::to(&hub).await;
    let drip = async {
        for byte in press(1).into_iter().cycle() {
            if slow.stream.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    };
    tokio::time::timeout(PATIENCE, drip).await.expect("cut off");
    assert_eq!(silent.next().await, None, "a stranger who says nothing");
    assert!(hub.recorded.alarms().is_empty());
}

#[tokio::test]
async fn a_known_panel_may_be_silent_longer_than_a_stranger() {
    let limits = Limits { stranger: Duration::from_millis(200), ..Limits::default() };
    let hub = Hub::with(&[("7001", None)], limits, false).await;
    let mut known = Wire::to(&hub).await;
    known.send(&press(1)).await;
    assert_eq!(known.next().await.unwrap().id, Id::Ack);
    let mut stranger = Wire::to(&hub).await;
    assert_eq!(stranger.next().await, None);
    known.send(&press(2)).await;
    assert_eq!(known.next().await.unwrap().id, Id::Ack);
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_and_places_come_back() {
    let limits = Limits { connections_of_one: 2, ..Limits::default() };
    let hub = Hub::with(&[("7001", None)], limits, false).await;
    let (mut first, mut second) = (Wire::to(&hub).await, Wire::to(&hub).await);
    for (seq, wire) in [(1, &mut first), (2, &mut second)] {
        wire.send(&press(seq)).await;
        assert_eq!(wire.next().await.unwrap().id, Id::Ack);
    }
    let mut third = Wire::to(&hub).await;
    assert_eq!(third.next().await, None);
    drop(first);
    let began = Instant::now();
    loop {
        let mut again = Wire::to(&hub).await;
        if again.stream.write_all(&press(3)).await.is_ok() && again.next().await.is_some() {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "the place never came back");
    }
}

#[tokio::test]
async fn a_flood_is_held_back_and_the_first_message_is_not() {
    let hub = Hub::start(&[("7001", None), ("7002", None)]).await;
    let mut flood = Wire::to(&hub).await;
    let began = Instant::now();
    let stream: Vec<u8> = (1..=1_000).flat_map(press).collect();
    flood.send(&stream).await;
    assert_eq!(flood.next().await.unwrap().seq, 1);
    // Another panel behind the same address is heard at once: three seconds of waiting are still before the twenty-fifth.
    let mut other = hub.client(Transport::Tcp, "7002", None);
    other.send(Id::SiaDcs, "Nri1/PA006").await.unwrap();
    let of_flood = hub.recorded.alarms().iter().filter(|alarm| alarm.zone.as_deref() == Some("005")).count();
    assert!(of_flood < 25, "{of_flood}");
    for seq in 2..=25 {
        assert_eq!(flood.next().await.unwrap().seq, seq, "none is refused");
    }
    // The clock of the receiver stands still here: the twenty-fifth waits its whole second.
    assert!(began.elapsed() >= Duration::from_millis(1_000), "{:?}", began.elapsed());
    assert!(hub.recorded.alarms().len() < 40);
}

#[tokio::test]
async fn in_clear_it_listens_on_loopback_only() {
    let hub = Hub::start(&[]).await;
    let doors = || {
        let clock = hub.clock.clone();
        std::sync::Arc::new(qorgan_ingest::dc09::Doors {
            panel: Box::new(|_| None),
            commit_alarm: Box::new(|_| unreachable!("nobody is known")),
            sign: Box::new(|_| true),
            clock: std::sync::Arc::new(clock),
        })
    };
    let open = Config { tcp: Some(([0, 0, 0, 0], 0).into()), ..Config::default() };
    assert!(matches!(Receiver::start(open.clone(), doors()).await, Err(Error::ClearNotLoopback(_))));
    let encrypted = Receiver::start(Config { require_encryption: true, ..open }, doors()).await.unwrap();
    encrypted.stop().await;
    let taken = Config { tcp: Some(hub.tcp()), ..Config::default() };
    assert!(matches!(Receiver::start(taken, doors()).await, Err(Error::Bind { .. })));
}

#[tokio::test]
async fn the_end_of_the_receiver_closes_connections() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut wire = Wire::to(&hub).await;
    wire.send(&press(1)).await;
    assert_eq!(wire.next().await.unwrap().id, Id::Ack);
    tokio::time::timeout(PATIENCE, hub.receiver.stop()).await.expect("it ends");
    assert_eq!(wire.next().await, None);
}
