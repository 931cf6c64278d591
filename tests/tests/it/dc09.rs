//! Alarm panels at the whole hub: SIA DC-09 in, an alert on the screens, one alert for two paths of one press.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use qorgan_ingest::dc09::{
    frame::Id,
    panel::{Options, PanelClient, PanelError, Transport},
};
use qorgan_tests::hub::{Hub, program};

use crate::hub::{PATIENCE, button, centre, is_alarm_of};

fn panel(hub: &Hub, transport: Transport, account: &str) -> PanelClient {
    let address = match transport {
        Transport::Tcp => hub.addresses.dc09,
        Transport::Udp => hub.addresses.dc09_udp,
    };
    PanelClient::new(Options { transport, ..Options::new(address.unwrap(), account) })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_press_over_mqtt_and_through_the_panel_is_one_alert_with_two_doors() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start(dir.path(), centre()).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let mut events = duty.stream(None).await.unwrap();
    button(&hub, "school-17/reception").await.press().await.unwrap();
    let first = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/reception")).await.expect("the press over MQTT");
    panel(&hub, Transport::Tcp, "7001").send(Id::SiaDcs, "Nri1/PA005").await.unwrap();
    let both =
        |a: &serde_json::Value| is_alarm_of(a, "school-17/reception") && a["alarm"]["doors"].as_array().is_some_and(|d| d.len() == 2);
    let second = events.alert(PATIENCE, both).await.expect("the second path");
    assert_eq!((&first["id"], second["alarm"]["presses"].as_u64()), (&second["id"], Some(1)), "{second}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_reports_as_a_panel_and_the_alert_names_the_zone() {
    let dir = tempfile::tempdir().unwrap();
    let mut hub = Hub::start(dir.path(), centre()).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    let mut events = duty.stream(None).await.unwrap();
    for (event, zone, udp) in [("HA", "005", false), ("1120", "7", true)] {
        let mut command = tokio::process::Command::new(program());
        command.args(["panel", "--site", "school-17", "--device", "panel", "--event", event, "--zone", zone]);
        command.args(udp.then_some("--udp")).arg("--state-dir").arg(dir.path());
        command.env("QORGAN_CONFIG", qorgan_tests::paths::root().join("configs/demo.toml")).kill_on_drop(true);
        let out = tokio::time::timeout(Duration::from_secs(30), command.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success() && said.contains("ACK"), "{said}{}", String::from_utf8_lossy(&out.stderr));
    }
    let held = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/reception")).await.expect("the button of the zone");
    assert_eq!((held["alarm"]["zone"].as_str(), held["alarm"]["doors"][0].as_str()), (Some("005"), Some("dc09")), "{held}");
    let mut events = duty.stream(None).await.unwrap();
    let other = events.alert(PATIENCE, |a| is_alarm_of(a, "school-17/panel")).await;
    assert!(other.is_some(), "a zone that is no button is the panel's alarm");
    let mut stranger = panel(&hub, Transport::Udp, "9999");
    assert!(matches!(stranger.send(Id::SiaDcs, "Nri1/PA005").await, Err(PanelError::Duh)));
    assert!(hub.log().contains("account 9999 is not configured"), "{}", hub.log());
    hub.end();
}
