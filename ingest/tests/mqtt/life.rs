//! Signs of life, and a device that sends too much.

use std::time::{Duration, Instant};

use qorgan_domain::{SignKind, sign::FLOOD};
use qorgan_ingest::mqtt::button::{Button, Options};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Client, Hub, client_options as options, count, press, soon, until};

const ALARM: &str = "qorgan/v1/school-17/gate/alarm";
const YARD: &str = "qorgan/v1/school-17/yard/count";

fn signs(hub: &Hub, device: &str) -> Vec<SignKind> {
    let signs = hub.desk.signs.lock().unwrap();
    signs.iter().filter(|sign| sign.device.to_string() == device).map(|sign| sign.kind.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_a_keep_alive_and_a_broken_connection_are_signs() {
    let hub = Hub::embedded().await;
    let mut options = options(hub.addr, "school-17/gate", "school-17/gate");
    options.set_keep_alive(Duration::from_secs(1));
    let mut gate = Client::with(options);
    gate.expect_connected().await;
    until("the connection is a sign", || (signs(&hub, "school-17/gate") == [SignKind::Alive]).then_some(())).await;
    until("the keep-alive is a sign", || (signs(&hub, "school-17/gate").len() >= 2).then_some(())).await;
    gate.unplug().await;
    until("it is gone", || (signs(&hub, "school-17/gate").last() == Some(&SignKind::Gone)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_connects_anew_or_whose_hub_stops_is_not_gone() {
    let hub = Hub::embedded().await;
    let mut first = hub.client("school-17/gate").await;
    let second = hub.client("school-17/gate").await;
    first.closed().await;
    // The first connection may end, and say so, before the second one is there; then the second one is the last word.
    let connections = || signs(&hub, "school-17/gate").iter().filter(|kind| **kind == SignKind::Alive).count();
    until("two connections", || (connections() == 2).then_some(())).await;
    let before = signs(&hub, "school-17/gate");
    assert_eq!(before.last(), Some(&SignKind::Alive));
    hub.mqtt.stop().await;
    drop(second);
    assert_eq!(signs(&hub, "school-17/gate"), before, "a hub that stops says nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_edge_box_brings_is_a_sign_of_the_box() {
    let hub = Hub::embedded().await;
    let mut edge = hub.client("edge/school-17").await;
    assert_eq!(edge.publish_acked(YARD, count(3.0)).await, "Success");
    assert_eq!(edge.publish_acked(ALARM, press(1)).await, "Success");
    until("connection, count and alarm", || (signs(&hub, "school-17/edge").len() >= 3).then_some(())).await;
    assert_eq!(signs(&hub, "school-17/yard"), [], "the hub sees by the message that the device lives");
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_a_sign_of_life_too() {
    let hub = Hub::embedded().await;
    let mut yard = hub.client("school-17/yard").await;
    assert_eq!(yard.publish_acked(YARD, "five").await, "Success");
    until("connection and nonsense", || (signs(&hub, "school-17/yard").len() >= 2).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_5_without_a_keep_alive_is_told_to_keep_one_of_a_minute() {
    let hub = Hub::embedded().await;
    let user = b"school-17/gate";
    let password = crate::support::password("school-17/gate");
    // Version 5, clean start, user and password, keep-alive 0, no properties.
    let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 5, 0b1100_0010, 0, 0, 0];
    for field in [user.as_slice(), user.as_slice(), password.as_bytes()] {
        body.extend(u16::try_from(field.len()).unwrap().to_be_bytes());
        body.extend(field);
    }
    let mut packet = vec![0x10, u8::try_from(body.len()).unwrap()];
    packet.extend(body);
    let mut stream = TcpStream::connect(hub.addr).await.unwrap();
    stream.write_all(&packet).await.unwrap();
    let mut answer = [0; 256];
    let length = soon("CONNACK", stream.read(&mut answer)).await.unwrap();
    assert_eq!((answer[0], answer[3]), (0x20, 0), "accepted");
    // Property 0x13: server keep alive.
    assert!(answer[..length].windows(3).any(|bytes| bytes == [0x13, 0, 60]), "{:?}", &answer[..length]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_presses_a_thousand_times_a_second_delays_nobody_and_its_first_press_is_not_delayed() {
    let hub = Hub::embedded().await;
    let flooder = hub.client("school-17/gate").await;
    let start = Instant::now();
    flooder.send(ALARM, press(0), 1, false).await;
    until("its first press", || (hub.desk.stored() == 1).then_some(())).await;
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let flood = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(1));
        for seq in 1.. {
            pace.tick().await;
            flooder.send(ALARM, press(seq), u8::from(seq % 2 == 0), false).await;
        }
    });
    let url = format!("mqtt://{}", hub.addr);
    let other = Options::new(url, "school-18/gate".parse().unwrap(), crate::support::password("school-18/gate"));
    let mut other = Button::connect(other).unwrap();
    soon("the other connects", other.ready()).await.unwrap();
    let mut slowest = Duration::ZERO;
    while start.elapsed() < Duration::from_secs(7) {
        slowest = slowest.max(soon("receipt", other.press()).await.unwrap().receipt);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(slowest < Duration::from_secs(1), "another device waited {slowest:?}");
    let commits = hub.desk.commits.lock().unwrap().iter().filter(|alarm| alarm.device.to_string() == "school-17/gate").count();
    let allowed = 20 + 5 * usize::try_from(start.elapsed().as_secs() + 1).unwrap();
    assert!((20..=allowed).contains(&commits), "{commits} of at most {allowed}");
    let floods = signs(&hub, "school-17/gate").iter().filter(|k| matches!(k, SignKind::Fault { ok: false, code } if code == FLOOD)).count();
    assert_eq!(floods, 1, "said once in ten seconds");
    flood.abort();
}
