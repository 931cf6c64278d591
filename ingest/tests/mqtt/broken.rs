//! Messages and bytes that are wrong: each is refused, counted, and disturbs nobody else.

use std::{net::SocketAddr, path::PathBuf};

use qorgan_domain::{Clock, SystemClock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Client, Hub, count, press, refused, soon, until};

const YARD: &str = "qorgan/v1/school-17/yard/count";

/// Wrong counts, each with the code it is counted under.
fn wrong_counts() -> Vec<(String, &'static str)> {
    let now = SystemClock.utc();
    let later = now + std::time::Duration::from_secs(3600);
    vec![
        ("five".into(), "not_json"),
        (String::new(), "not_json"),
        (format!(r#"{{"v":1,"at":"{now}","people":5,"plate":"A123BC"}}"#), "bad_shape"),
        (format!(r#"{{"v":2,"at":"{now}","people":5}}"#), "bad_version"),
        (format!(r#"{{"v":1,"at":"{now}","people":-1}}"#), "out_of_range"),
        (format!(r#"{{"v":1,"at":"{now}","people":1e9}}"#), "out_of_range"),
        (format!(r#"{{"v":1,"at":"{later}","people":5}}"#), "future"),
        (r#"{"v":1,"at":"2020-01-01T00:00:00Z","people":5}"#.into(), "stale"),
        (format!(r#"{{"v":1,"at":"{now}","people":5,"model":"{}"}}"#, "x".repeat(17_000)), "too_large"),
    ]
}

async fn wrong_counts_are_refused_and_disturb_nobody(hub: &Hub) {
    let mut desk = hub.client("desk/aigerim").await;
    assert!(desk.subscribe("qorgan/v1/+/+/count").await);
    let mut gate = hub.client("school-17/gate").await;
    let mut yard = hub.client("school-17/yard").await;
    for (body, code) in wrong_counts() {
        let before = refused(code);
        // Version 3 has no way to say no but to hang up; a wrong count is not worth that.
        assert_eq!(yard.publish_acked(YARD, body.clone()).await, "Success");
        until("the refusal is counted", || (refused(code) > before).then_some(())).await;
    }
    yard.publish_acked(YARD, count(4.0)).await;
    until("the good count arrives", || (hub.desk.counts() == [4.0]).then_some(())).await;
    assert_eq!(gate.publish_acked("qorgan/v1/school-17/gate/alarm", press(1)).await, "Success");
    until("the alarm is stored", || (hub.desk.stored() == 1).then_some(())).await;
    if hub.mosquitto.is_none() {
        // Another broker passes on what it is given; the embedded one only what was judged good.
        assert!(desk.message().await.1.contains("\"people\":4"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_counts_are_refused_and_disturb_nobody_embedded() {
    let hub = Hub::embedded().await;
    wrong_counts_are_refused_and_disturb_nobody(&hub).await;
    // Version 5 is told.
    let mut yard = Client::v5(hub.addr, "school-17/yard").await;
    for (body, code) in wrong_counts().into_iter().filter(|(body, _)| body.len() < 10_000) {
        assert_eq!(yard.publish_acked(YARD, body).await, "PayloadFormatInvalid", "{code}");
    }
    assert_eq!(yard.publish_acked("qorgan/v1/school-17/yard/colour", "{}").await, "TopicNameInvalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_counts_are_refused_and_disturb_nobody_on_mosquitto() {
    let Some(hub) = Hub::on_mosquitto().await else { return };
    wrong_counts_are_refused_and_disturb_nobody(&hub).await;
}

/// The broker still lets a device in and hears it.
async fn alive(hub: &Hub, seq: u64) {
    let mut gate = hub.client("school-17/gate").await;
    assert_eq!(gate.publish_acked("qorgan/v1/school-17/gate/alarm", press(seq)).await, "Success");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_of_eight_thousand_levels_does_not_bring_the_process_down() {
    let hub = Hub::embedded().await;
    let before = refused("bad_topic");
    let deep = format!("{}x", "a/".repeat(8000));
    for qos in [0, 1, 2] {
        let mut gate = hub.client("school-17/gate").await;
        gate.send(&deep, "x", qos, false).await;
        gate.closed().await;
    }
    assert!(refused("bad_topic") >= before + 3);
    // Unsubscribing takes a filter too, and asks nobody.
    let mut stream = raw_log_in(hub.addr).await;
    let mut unsubscribe = vec![0, 7];
    unsubscribe.extend(u16::try_from(deep.len()).unwrap().to_be_bytes());
    unsubscribe.extend(deep.as_bytes());
    stream.write_all(&packet(0xA2, &unsubscribe)).await.unwrap();
    let mut answer = [0; 4];
    soon("UNSUBACK", stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer, [0xB0, 2, 0, 7]);
    alive(&hub, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_mqtt_end_only_their_own_connection() {
    let hub = Hub::embedded().await;
    let mut yard = hub.client("school-17/yard").await;
    let connect = connect_packet("school-17/gate", "school-17/gate");
    let publish = |topic: &[u8], payload: &[u8]| {
        let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
        body.extend(topic);
        body.extend(payload);
        packet(0x30, &body)
    };
    let after_log_in = |bytes: &[u8]| [connect.as_slice(), bytes].concat();
    let inputs: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xFF; 512],
        vec![0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        connect[..connect.len() - 5].to_vec(),
        after_log_in(&publish(b"qorgan/v1/school-17/gate/alarm\0", b"{}")),
        after_log_in(&publish(b"qorgan/v1/+/gate/alarm", b"{}")),
        after_log_in(&publish(b"", b"{}")),
        after_log_in(&publish(&[0xC3, 0x28], b"{}")),
        after_log_in(&publish(b"qorgan/v1/school-17/gate/alarm", &vec![b' '; 100_000])),
        after_log_in(&[0x36, 2, 0, 0]),
        after_log_in(&connect),
    ];
    for (n, input) in inputs.into_iter().enumerate() {
        let mut stream = TcpStream::connect(hub.addr).await.unwrap();
        // The broker may hang up before it has read everything.
        let _ = stream.write_all(&input).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = soon(&format!("end of connection {n}"), stream.read_to_end(&mut answer)).await;
    }
    assert_eq!(hub.desk.commits(), 0);
    assert_eq!(yard.publish_acked(YARD, count(2.0)).await, "Success", "a neighbour's connection lives");
    alive(&hub, 1).await;
}

/// Replays what clients said in captures that others made, some malformed on purpose.
#[tokio::test(flavor = "multi_thread")]
async fn captured_conversations_leave_the_broker_up() {
    let shared =
        std::env::var_os("QORGAN_SHARED").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let Ok(folder) = std::fs::read_dir(shared.join("conformance/mqtt")) else {
        println!("skipped: no captures in {}", shared.display());
        return;
    };
    let hub = Hub::embedded().await;
    let mut replayed = 0;
    for path in folder.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "pcap")) {
        let bytes = client_bytes(&std::fs::read(&path).unwrap());
        assert!(!bytes.is_empty(), "{} holds no TCP payload to an MQTT port", path.display());
        let mut stream = TcpStream::connect(hub.addr).await.unwrap();
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let _ = soon("end of a replayed connection", stream.read_to_end(&mut Vec::new())).await;
        replayed += 1;
    }
    assert!(replayed > 0);
    alive(&hub, 1).await;
}

/// What the clients of five such captures said, in hex: QoS 3; MQTT 5 with a broken CONNECT; MQTT 3.1 and 3.1.1 of a stranger;
/// MQTT 5 with properties longer than the packet.
const CAPTURED: [(&str, &str); 5] = [
    (
        "invalid QoS",
        "102b00044d51545404c2003c00136d79766f69636569736d7970617373706f7274000475736572000470617373361a0006746f706963580001626161626161626c61636b7368656570e000",
    ),
    ("truncated", "101c00044d51545405c2003c032100140000000475736572000470617373"),
    (
        "3.1",
        "102d00064d514973647003c2003c00136d79766f69636569736d7970617373706f727400047573657200047061737330180006746f70696358626161626161626c61636b7368656570e000",
    ),
    (
        "3.1.1, QoS 1",
        "102b00044d51545404c2003c00136d79766f69636569736d7970617373706f7274000475736572000470617373321a0006746f706963580001626161626161626c61636b7368656570e000",
    ),
    (
        "property length",
        "102f00044d51545405c2003cff21001400136d79766f69636569736d7970617373706f727400047573657200047061737330190006746f7069635800626161626161626c61636b7368656570e000",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_captured_clients_said_costs_no_button_its_receipt() {
    let hub = Hub::embedded().await;
    let mut yard = hub.client("school-17/yard").await;
    assert!(yard.subscribe("qorgan/v1/school-17/yard/alarm/receipt").await);
    for (seq, (name, hex)) in (1..).zip(CAPTURED) {
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        // Whole, and cut off anywhere.
        for end in [bytes.len(), bytes.len() / 2, 3] {
            let mut stream = TcpStream::connect(hub.addr).await.unwrap();
            let _ = stream.write_all(&bytes[..end]).await;
            let _ = stream.shutdown().await;
            let _ = soon(&format!("end of the connection: {name}"), stream.read_to_end(&mut Vec::new())).await;
        }
        yard.publish("qorgan/v1/school-17/yard/alarm", press(seq)).await;
        let (_, receipt, _) = yard.message().await;
        assert!(receipt.contains(&format!("\"seq\":{seq},")), "{name}: {receipt}");
    }
    assert_eq!(hub.desk.commits(), CAPTURED.len(), "nothing of it was taken for a press");
}

/// TCP payloads towards port 1883 (or all, when none is that port) of a classic pcap file with Ethernet, raw IP or loopback frames.
fn client_bytes(pcap: &[u8]) -> Vec<u8> {
    let little = pcap.starts_with(&[0xD4, 0xC3, 0xB2, 0xA1]);
    let u32_at = |at: usize| {
        let bytes: [u8; 4] = pcap[at..at + 4].try_into().unwrap();
        if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    };
    let link_header = match u32_at(20) {
        1 => 14,
        0 => 4,
        113 => 16,
        _ => 0,
    };
    let (mut at, mut to_broker, mut all) = (24, Vec::new(), Vec::new());
    while at + 16 <= pcap.len() {
        let length = u32_at(at + 8) as usize;
        let frame = &pcap[at + 16..(at + 16 + length).min(pcap.len())];
        at += 16 + length;
        let Some(ip) = frame.get(link_header..).filter(|ip| ip.len() > 40) else { continue };
        let (ip_header, total) = match ip[0] >> 4 {
            4 => (usize::from(ip[0] & 15) * 4, usize::from(u16::from_be_bytes([ip[2], ip[3]]))),
            6 => (40, 40 + usize::from(u16::from_be_bytes([ip[4], ip[5]]))),
            _ => continue,
        };
        let Some(tcp) = ip.get(ip_header..total.min(ip.len())).filter(|tcp| tcp.len() >= 20) else { continue };
        let payload = tcp.get(usize::from(tcp[12] >> 4) * 4..).unwrap_or_default();
        all.extend(payload);
        if u16::from_be_bytes([tcp[2], tcp[3]]) == 1883 {
            to_broker.extend(payload);
        }
    }
    if to_broker.is_empty() { all } else { to_broker }
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length % 128).unwrap();
        length /= 128;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    out.extend(body);
    out
}

fn connect_packet(client: &str, user: &str) -> Vec<u8> {
    let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, 0xC2, 0, 30];
    for text in [client, user, &crate::support::password(user)] {
        body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        body.extend(text.as_bytes());
    }
    packet(0x10, &body)
}

async fn raw_log_in(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // A client id of its own: the last connection of the other may still be being cleared away.
    stream.write_all(&connect_packet("school-17/gate:raw", "school-17/gate")).await.unwrap();
    let mut answer = [0; 4];
    soon("CONNACK", stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer, [0x20, 2, 0, 0]);
    stream
}
