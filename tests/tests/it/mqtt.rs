//! The whole hub on a broker that somebody else runs: Mosquitto, with the access list that we ship.
use std::time::Duration;

use qorgan_ingest::mqtt::button::{Button, Options as ButtonOptions};
use qorgan_tests::{
    hub::{Hub, Options},
    mosquitto::Mosquitto,
    sites,
};

const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "only for this test";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mosquitto_an_alarm_is_receipted_seen_and_waits_for_a_hub_that_was_killed() {
    let dir = tempfile::tempdir().unwrap();
    let device = format!("{}/b0", sites::SITE);
    let mosquitto = Mosquitto::start(dir.path(), ["hub", &device], PASSWORD).unwrap();
    std::fs::write(dir.path().join("hub-password"), PASSWORD).unwrap();
    let text = std::fs::read_to_string(sites::many_buttons(dir.path(), 1).unwrap()).unwrap();
    let mqtt = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[mqtt]\nurl = \"mqtt://{}\"\nuser = \"hub\"\npassword_file = \"{}\"\n[models]",
        mosquitto.addr,
        dir.path().join("hub-password").display()
    );
    let config = dir.path().join("external.toml");
    std::fs::write(&config, text.replacen("[models]", &mqtt, 1)).unwrap();
    let options = Options { config, mode: "centre", own_addresses: true, ..Options::default() };
    let mut hub = Hub::start(&dir.path().join("state"), options).await.unwrap();
    assert!(hub.addresses.mqtt.is_none(), "no broker of its own");

    // Never sent twice by the button itself: what arrives later was kept by the broker.
    let mut button = ButtonOptions::new(format!("mqtt://{}", mosquitto.addr), device.parse().unwrap(), PASSWORD);
    button.retry_after = 10 * PATIENCE;
    let mut button = Button::connect(button).unwrap();
    tokio::time::timeout(PATIENCE, button.ready()).await.unwrap().unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let mut events = duty.stream(None).await.unwrap();
    let first = tokio::time::timeout(PATIENCE, button.press()).await.expect("a receipt over Mosquitto").unwrap();
    let alert = events.alert(PATIENCE, |alert| alert["alarm"]["seq"] == first.key.seq).await.expect("the alarm on the stream");
    assert_eq!((alert["device"].as_str(), alert["stored"].as_bool()), (Some(device.as_str()), Some(true)), "{alert}");

    hub.kill();
    let (second, receipt) = button.begin_press().await.unwrap();
    hub.restart().await.unwrap();
    let receipt = tokio::time::timeout(PATIENCE, receipt).await.expect("the broker kept the alarm for the hub").unwrap();
    assert_eq!((receipt.key, receipt.sent), (second, 1));
    let list = hub.log_in("duty_officer").await.unwrap().get("/api/v1/alerts?state=open").await.unwrap();
    // A further press of a button whose alarm is open joins that alarm.
    let alarms: Vec<(Option<u64>, Option<u64>)> = list["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| (alert["alarm"]["seq"].as_u64(), alert["alarm"]["presses"].as_u64()))
        .collect();
    assert_eq!(alarms, [(Some(1), Some(2))], "each press once: {list}");
}
