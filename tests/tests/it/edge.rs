//! An edge box that loses its centre: the buttons of its site have their receipts all the same, and the centre gets every
//! press once, in order, with the time at which the box heard it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{collections::BTreeMap, net::TcpListener, path::Path, time::Duration};

use qorgan_alerts::Journal;
use qorgan_domain::{Alarm, Door, SystemClock};
use qorgan_ingest::{
    dc09::{
        frame::Id,
        panel::{Options as PanelOptions, PanelClient, Transport},
    },
    mqtt::button::{Button, Options as ButtonOptions},
};
use qorgan_tests::{
    hub::{Hub, Options, until},
    sites,
};

use crate::hub::{PATIENCE, centre};

const BUTTONS: usize = 6;

fn free_port() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A centre and a box with a local alarm door, both at addresses that stay the same.
async fn centre_and_box(dir: &Path) -> (Hub, Hub) {
    let config = sites::many_buttons(dir, BUTTONS).unwrap();
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str("[[site.panel]]\nid = \"panel\"\nname = { kk = \"П\", ru = \"П\", en = \"P\" }\naccount = \"7001\"\n");
    text.push_str("[[site.panel.zone]]\nzone = \"5\"\nbutton = \"b3\"\n");
    std::fs::write(&config, text).unwrap();
    let hub = Hub::start(&dir.join("centre"), Options { config: config.clone(), mqtt: Some(free_port()), ..centre() }).await.unwrap();
    let user = format!("edge/{}", sites::SITE);
    std::fs::write(dir.join("edge-password"), hub.mqtt_password(&user).unwrap()).unwrap();
    let dc09 = free_port();
    let link = format!(
        "[dc09]\ntcp = \"{dc09}\"\nudp = \"{dc09}\"\n[mqtt]\nurl = \"{}\"\nuser = \"{user}\"\npassword_file = \"edge-password\"\n[edge]\nmqtt_listen = \"{}\"\n[models]",
        hub.mqtt_url(),
        free_port()
    );
    std::fs::write(dir.join("edge.toml"), std::fs::read_to_string(config).unwrap().replacen("[models]", &link, 1)).unwrap();
    let options = Options { config: dir.join("edge.toml"), mode: "edge", own_addresses: true, ..Options::default() };
    (hub, Hub::start(&dir.join("box"), options).await.unwrap())
}

async fn buttons(edge: &Hub) -> Vec<Button> {
    let mut buttons = Vec::new();
    for i in 0..BUTTONS {
        let device = format!("{}/b{i}", sites::SITE);
        let password = edge.mqtt_password(&device).unwrap();
        let options = ButtonOptions::new(edge.mqtt_url(), device.parse().unwrap(), password);
        let mut button = Button::connect(ButtonOptions { retry_after: Duration::from_secs(1), ..options }).unwrap();
        button.ready().await.unwrap();
        buttons.push(button);
    }
    buttons
}

/// Every button presses; each has its receipt.
async fn press_all(buttons: &[Button]) {
    for button in buttons {
        tokio::time::timeout(PATIENCE, button.press()).await.expect("a receipt of the box").unwrap();
    }
}

/// What a journal holds, in the order of its rows.
async fn rows(state: &Path) -> Vec<Alarm> {
    let journal = Journal::open(&state.join("journal.db")).await.unwrap();
    let rows = journal.after(0, 1_000).await.unwrap().into_iter().map(|(_, alarm)| alarm).collect();
    journal.close().await;
    rows
}

async fn arrived(dir: &Path, count: usize) -> Vec<Alarm> {
    until(PATIENCE, || async {
        let rows = rows(&dir.join("centre")).await;
        if rows.len() >= count { Ok(rows) } else { Err(format!("{} of {count} presses are with the centre", rows.len())) }
    })
    .await
    .unwrap()
}

/// The centre has what the box has: once, in order, with the box's time.
fn same(at_box: &[Alarm], at_centre: &[Alarm]) {
    assert_eq!(at_box.len(), at_centre.len());
    for (sent, got) in at_box.iter().zip(at_centre) {
        assert_eq!((&got.device, got.seq, got.kind, got.signal), (&sent.device, sent.seq, sent.kind, sent.signal));
        assert_eq!(got.heard_at, Some(sent.received_at), "the time at which the box heard it");
        assert!(got.received_at >= sent.received_at, "the time at which it arrived");
        match &sent.boot {
            Some(boot) => assert_eq!(got.boot.as_ref(), Some(boot)),
            None => assert!(got.boot.as_ref().is_some_and(|boot| boot.starts_with("edge-")), "{got:?}"),
        }
    }
}

/// A press by a plain MQTT client, which has no boot id and waits for nothing but the PUBACK.
async fn bare_press(edge: &Hub, device: &str, at: &str) {
    let (address, password) = (edge.addresses.mqtt.unwrap(), edge.mqtt_password(device).unwrap());
    let mut options = rumqttc::MqttOptions::new(format!("{device}:bare"), address.ip().to_string(), address.port());
    options.set_credentials(device, password);
    let (client, mut link) = rumqttc::AsyncClient::new(options, 8);
    let payload = format!("{{\"v\":1,\"kind\":\"panic\",\"seq\":1,\"at\":\"{at}\"}}");
    client.publish(format!("qorgan/v1/{device}/alarm"), rumqttc::QoS::AtLeastOnce, false, payload).await.unwrap();
    let puback = async {
        loop {
            if let rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_)) = link.poll().await.unwrap() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, puback).await.expect("a PUBACK of the box");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presses_at_a_box_without_its_centre_are_receipted_and_arrive_once_in_order_with_their_time() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, mut edge) = centre_and_box(dir.path()).await;
    let buttons = buttons(&edge).await;
    press_all(&buttons).await;
    arrived(dir.path(), BUTTONS).await;

    hub.kill();
    press_all(&buttons).await;
    // The same number without a boot id, at two times by the device's clock: two presses for the box, so for the centre too.
    let bare = format!("{}/b0", sites::SITE);
    for at in ["2026-11-21T10:00:00Z", "2026-11-21T10:00:30Z"] {
        bare_press(&edge, &bare, at).await;
    }
    edge.kill();
    edge.restart().await.unwrap();
    press_all(&buttons).await;
    let away = rows(&dir.path().join("box")).await;
    assert_eq!(away.len(), 3 * BUTTONS + 2);
    let before = qorgan_domain::Clock::utc(&SystemClock);
    hub.restart().await.unwrap();
    let at_centre = arrived(dir.path(), away.len()).await;
    same(&away, &at_centre);
    assert!(at_centre[BUTTONS..].iter().all(|alarm| alarm.received_at >= before), "reminders count from the arrival");

    // The store has them as the journal does, raised when the box heard them.
    let duty = hub.log_in("duty_officer").await.unwrap();
    let heard: BTreeMap<String, String> = away.iter().rev().map(|a| (a.device.to_string(), a.received_at.to_string())).collect();
    until(PATIENCE, || async {
        let open = duty.get("/api/v1/alerts?state=open&limit=500").await.map_err(|e| e.to_string())?;
        let alerts = open["alerts"].as_array().cloned().unwrap_or_default();
        let presses: u64 = alerts.iter().filter_map(|alert| alert["alarm"]["presses"].as_u64()).sum();
        let times = alerts.iter().all(|alert| {
            let device = alert["device"].as_str().unwrap_or_default();
            alert["raised_at"].as_str() == heard.get(device).map(String::as_str) && alert["raised_at"] == alert["alarm"]["heard_at"]
        });
        let fits = alerts.len() == BUTTONS && presses == away.len() as u64 && times;
        if fits { Ok(()) } else { Err(format!("{} presses were receipted: {open}", away.len())) }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_panel_behind_a_box_has_its_ack_while_the_centre_is_away() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, edge) = centre_and_box(dir.path()).await;
    hub.kill();
    for (transport, zone) in [(Transport::Tcp, "005"), (Transport::Udp, "007")] {
        let address = match transport {
            Transport::Tcp => edge.addresses.dc09,
            Transport::Udp => edge.addresses.dc09_udp,
        };
        let mut panel = PanelClient::new(PanelOptions { transport, ..PanelOptions::new(address.unwrap(), "7001") });
        panel.poll().await.unwrap();
        panel.send(Id::SiaDcs, &format!("Nri1/PA{zone}")).await.unwrap();
    }
    let away = rows(&dir.path().join("box")).await;
    let told: Vec<_> = away.iter().map(|a| (a.device.device.to_string(), a.zone.clone().unwrap_or_default(), a.door)).collect();
    assert_eq!(told, [("b3".into(), "005".into(), Door::Dc09), ("panel".into(), "007".into(), Door::Dc09)]);
    hub.restart().await.unwrap();
    let at_centre = arrived(dir.path(), away.len()).await;
    same(&away, &at_centre);
    assert!(at_centre.iter().zip(&away).all(|(got, sent)| got.door == Door::Dc09 && got.zone == sent.zone));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_crashes_between_sending_and_its_mark_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (hub, mut edge) = centre_and_box(dir.path()).await;
    let buttons = buttons(&edge).await;
    press_all(&buttons).await;
    bare_press(&edge, &format!("{}/b1", sites::SITE), "2026-11-21T10:00:00Z").await;
    let count = BUTTONS + 1;
    arrived(dir.path(), count).await;
    edge.kill();
    // The mark of none of them was written.
    for file in ["spool.db", "spool.db-wal", "spool.db-shm"] {
        let _ = std::fs::remove_file(dir.path().join("box").join(file));
    }
    edge.restart().await.unwrap();
    until(PATIENCE, || async {
        let log = edge.log();
        let again = log.lines().filter(|line| line.contains("an alarm is with the centre") && line.contains("repeat=true")).count();
        if again == count { Ok(()) } else { Err(format!("{again} of {count} were sent again:\n{log}")) }
    })
    .await
    .unwrap();
    same(&rows(&dir.path().join("box")).await, &rows(&dir.path().join("centre")).await);
    // What the box says about itself is heard, not refused.
    let metrics = hub.log_in("administrator").await.unwrap().text("/metrics").await.unwrap();
    assert!(!metrics.lines().any(|line| line.starts_with("qorgan_mqtt_refused_total")), "{metrics}");
    assert!(metrics.lines().any(|line| line.starts_with("qorgan_mqtt_messages_total") && line.contains("health")), "{metrics}");
}
