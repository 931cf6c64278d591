//! What a panel reports, and what becomes of it.

use std::{sync::atomic::Ordering, time::Duration};

use qorgan_domain::{AlarmKind, Door, SignKind, Signal};
use qorgan_ingest::dc09::{
    frame::{CrcForm, Frame, Id},
    panel::{PanelError, Transport},
};

use crate::support::{Hub, Wire, framed};

#[tokio::test]
async fn a_press_takes_the_button_of_its_zone_and_another_zone_the_panel() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut panel = hub.client(Transport::Tcp, "7001", None);
    let acked = panel.send(Id::SiaDcs, "Nri1/PA005").await.unwrap();
    panel.send(Id::SiaDcs, "Nri1/HA5").await.unwrap();
    panel.send(Id::AdmCid, "1100 01 007").await.unwrap();
    let alarms = hub.recorded.alarms();
    assert_eq!(alarms[0].device.to_string(), "school-17/reception");
    assert_eq!((alarms[0].door, alarms[0].zone.as_deref(), alarms[0].seq), (Door::Dc09, Some("005"), u64::from(acked.seq)));
    assert_eq!((alarms[0].kind, alarms[0].signal, alarms[0].test), (AlarmKind::Panic, Signal::Press, false));
    assert_eq!((alarms[0].boot.as_deref(), alarms[0].pressed_at, alarms[0].received_at), (None, None, hub.now()));
    assert_eq!((alarms[1].device.to_string(), alarms[1].kind), ("school-17/reception".into(), AlarmKind::HoldUp));
    assert_eq!((alarms[2].device.to_string(), alarms[2].kind), ("school-17/panel-7001".into(), AlarmKind::Medical));
}

#[tokio::test]
async fn restore_cancel_and_duress_are_signals_and_a_users_number_is_no_zone() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut panel = hub.client(Transport::Udp, "7001", None);
    for events in ["Nri1/PR005", "Nri1/BC005"] {
        panel.send(Id::SiaDcs, events).await.unwrap();
    }
    for events in ["1121 01 005", "1406 01 005"] {
        panel.send(Id::AdmCid, events).await.unwrap();
    }
    let all: Vec<_> = hub.recorded.alarms().iter().map(|a| (a.device.device.to_string(), a.signal)).collect();
    let of = |device: &str, signal| (device.to_owned(), signal);
    assert_eq!(
        all,
        [
            of("reception", Signal::Restore),
            of("panel-7001", Signal::Cancel),
            of("panel-7001", Signal::Duress),
            of("panel-7001", Signal::Cancel),
        ]
    );
}

#[tokio::test]
async fn a_burglary_zone_that_is_a_button_is_a_press_and_any_other_is_not() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut panel = hub.client(Transport::Tcp, "7001", None);
    panel.send(Id::SiaDcs, "Nri1/BA005").await.unwrap();
    panel.send(Id::SiaDcs, "Nri1/BA006").await.unwrap();
    panel.send(Id::AdmCid, "1130 01 006").await.unwrap();
    let alarms = hub.recorded.alarms();
    assert_eq!(alarms.len(), 1);
    assert_eq!((alarms[0].device.to_string(), alarms[0].kind), ("school-17/reception".into(), AlarmKind::Panic));
}

#[tokio::test]
async fn signs_of_life_states_and_tests_are_handed_over_and_are_no_alarms() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut wire = Wire::to(&hub).await;
    for body in [
        "\"NULL\"0001L0#7001[]",
        "\"SIA-DCS\"0002L0#7001[#7001|Nri1/YT000]",
        "\"ADM-CID\"0003L0#7001[#7001|1301 00 000]",
        "\"SIA-DCS\"0004L0#7001[#7001|Nri1/TA005]",
        "\"SIA-DCS\"0005L0#7001[#7001|NRP000]",
        "\"ADM-CID\"0006L0#7001[#7001|1601 00 005]",
        "\"SIA-DCS\"0007L0#7001[#7001|NOP001]_14:13:10,11-21-2026",
        "\"SIA-DCS\"0008L0#7001[#7001|OOP001]_10:13:10,11-21-2026",
    ] {
        wire.send(&framed(body)).await;
        assert_eq!(wire.next().await.unwrap().id, Id::Ack, "{body}");
    }
    assert!(hub.recorded.alarms().is_empty());
    let signs = hub.recorded.signs();
    assert_eq!(signs.iter().filter(|sign| *sign == &("school-17/panel-7001".to_owned(), SignKind::Alive)).count(), 8);
    let other: Vec<_> = signs.into_iter().filter(|(_, kind)| *kind != SignKind::Alive).collect();
    let panel = || "school-17/panel-7001".to_owned();
    assert_eq!(
        other,
        [
            (panel(), SignKind::Battery { percent: None, low: true }),
            (panel(), SignKind::Mains { ok: false }),
            ("school-17/reception".into(), SignKind::Tamper { open: true }),
            (panel(), SignKind::Test),
            (panel(), SignKind::Test),
            (panel(), SignKind::Clock { offset_ms: 60_000 }),
        ]
    );
}

#[tokio::test]
async fn a_clock_years_off_loses_no_alarm() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut wire = Wire::to(&hub).await;
    wire.send(&framed("\"SIA-DCS\"0001L0#7001[#7001|Nri1/PA005]_10:00:00,01-01-1999")).await;
    assert_eq!(wire.next().await.unwrap().id, Id::Ack);
    let alarms = hub.recorded.alarms();
    assert!(alarms[0].clock_suspect());
    assert!(hub.recorded.signs().iter().any(|(_, kind)| matches!(kind, SignKind::Clock { offset_ms } if *offset_ms < -800_000_000_000)));
}

#[tokio::test]
async fn the_time_of_the_press_may_stand_in_its_own_bracket() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut wire = Wire::to(&hub).await;
    wire.send(&framed("\"SIA-DCS\"0001L0#7001[#7001|Ori1/PA005][H14:02:00,11-21-2026]_14:12:09,11-21-2026")).await;
    assert_eq!(wire.next().await.unwrap().id, Id::Ack);
    assert_eq!(hub.recorded.alarms()[0].pressed_at, Some("2026-11-21T14:02:00Z".parse().unwrap()));
    wire.send(&framed("\"XNM\"0002L0#7001[][CDP]")).await;
    assert_eq!(wire.next().await.unwrap().id, Id::Ack, "an extended poll");
}

#[tokio::test]
async fn the_same_number_is_acknowledged_again_and_is_one_alarm() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut wire = Wire::to(&hub).await;
    let press = framed("\"SIA-DCS\"0021L0#7001[#7001|Nri1/PA005]");
    for _ in 0..3 {
        wire.send(&press).await;
        assert_eq!(wire.next().await.unwrap().seq, 21);
    }
    // By the second path of the same panel.
    assert_eq!(hub.ask_udp(&press, crate::support::PATIENCE).await.unwrap().id, Id::Ack);
    assert_eq!(hub.recorded.alarms().len(), 1);
    // Two minutes later the number belongs to another press: a panel counts to 9999 and from 1 again.
    hub.clock.advance(Duration::from_secs(121));
    wire.send(&press).await;
    assert_eq!(wire.next().await.unwrap().id, Id::Ack);
    assert_eq!(hub.recorded.alarms().len(), 2);
}

#[tokio::test]
async fn numbers_out_of_order_are_all_taken() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut wire = Wire::to(&hub).await;
    for seq in [7, 3, 9_999, 1, 0, 5] {
        wire.send(&framed(&format!("\"SIA-DCS\"{seq:04}L0#7001[#7001|Nri1/PA005]"))).await;
        assert_eq!(wire.next().await.unwrap().seq, seq);
    }
    let seqs: Vec<u64> = hub.recorded.alarms().iter().map(|alarm| alarm.seq).collect();
    assert_eq!(seqs, [7, 3, 9_999, 1, 0, 5]);
}

#[tokio::test]
async fn an_alarm_that_is_not_stored_gets_no_ack_and_the_repeated_one_does() {
    let hub = Hub::start(&[("7001", None)]).await;
    hub.recorded.broken.store(true, Ordering::Relaxed);
    for transport in [Transport::Tcp, Transport::Udp] {
        let mut panel = hub.client(transport, "7001", None);
        hub.recorded.broken.store(true, Ordering::Relaxed);
        assert!(matches!(panel.send(Id::SiaDcs, "Nri1/PA005").await, Err(PanelError::NoAnswer)));
        // A poll is no alarm: it is answered, or the panel would report a broken line.
        let seq = panel.next_seq();
        panel.poll().await.unwrap();
        assert_eq!(panel.next_seq(), seq + 1);
        hub.recorded.broken.store(false, Ordering::Relaxed);
        panel.send(Id::SiaDcs, "Nri1/PA005").await.unwrap();
    }
    assert_eq!(hub.recorded.alarms().len(), 1, "both panels used the same number");
}

#[tokio::test]
async fn all_events_of_a_frame_are_stored_before_its_ack() {
    let hub = Hub::start(&[("7001", None)]).await;
    let mut panel = hub.client(Transport::Tcp, "7001", None);
    panel.send(Id::SiaDcs, "Nri1/PA005/HA006/FA7").await.unwrap();
    assert_eq!(hub.recorded.alarms().len(), 3);
}

#[tokio::test]
async fn who_is_unknown_speaks_for_another_or_in_another_format_gets_duh() {
    let hub = Hub::start(&[("7001", None), ("7002", None)]).await;
    let mut wire = Wire::to(&hub).await;
    for body in [
        "\"SIA-DCS\"0001L0#9999[#9999|Nri1/PA005]",
        "\"NULL\"0001L0#9999[]",
        "\"NULL\"0001L0[]",
        "\"SIA-DCS\"0001L0#7001[#7002|Nri1/PA005]",
        "\"ADM-41E\"0001L0#7001[#7001|1120]",
        "\"SIA-DCS\"0001L0#7001[#7001|hello]",
        "\"ADM-CID\"0001L0#7001[#7001|hello]",
        "\"*SIA-DCS\"0001L0#7001[00112233445566778899AABBCCDDEEFF",
    ] {
        wire.send(&framed(body)).await;
        let answer = wire.next().await.unwrap();
        assert_eq!((answer.id, answer.seq), (Id::Duh, 1), "{body}");
    }
    assert!(hub.recorded.alarms().is_empty() && hub.recorded.signs().is_empty());
    // The account may stand in the data only.
    wire.send(&framed("\"SIA-DCS\"0002R1L0[#7001|Nri1/PA005]")).await;
    assert_eq!(wire.next().await.unwrap().id, Id::Ack);
}

#[tokio::test]
async fn a_panel_that_writes_its_crc_raw_is_answered_raw() {
    let hub = Hub::start(&[("7001", None)]).await;
    let body = qorgan_ingest::dc09::frame::Content { data: b"#7001|Nri1/PA005".to_vec(), ..Default::default() };
    let frame = Frame { crc: CrcForm::Raw, ..Frame::clear(Id::SiaDcs, 8, Some("7001"), body) };
    let mut wire = Wire::to(&hub).await;
    wire.send(&frame.write()).await;
    let answer = wire.next().await.unwrap();
    assert_eq!((answer.id, answer.crc), (Id::Ack, CrcForm::Raw));
}
