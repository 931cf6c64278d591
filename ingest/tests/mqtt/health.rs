//! Health: kept for desks that come later, and told by the last will. And counts on their way to desks.

use qorgan_domain::wire::Presence;
use qorgan_ingest::mqtt::DoorEvent;
use rumqttc::{LastWill, QoS};

use crate::support::{Client, Hub, client_options as options, count, metric, until};

const HEALTH: &str = "qorgan/v1/school-17/gate/health";
const ONLINE: &str = r#"{"v":1,"state":"online","battery_percent":88}"#;
const OFFLINE: &str = r#"{"v":1,"state":"offline"}"#;
const YARD: &str = "qorgan/v1/school-17/yard/count";

fn presences(hub: &Hub) -> Vec<Presence> {
    let events = hub.desk.events.lock().unwrap();
    events.iter().filter_map(|event| if let DoorEvent::Health { health, .. } = event { Some(health.state) } else { None }).collect()
}

async fn with_will(hub: &Hub) -> Client {
    let mut options = options(hub.addr, "school-17/gate", "school-17/gate");
    options.set_last_will(LastWill::new(HEALTH, OFFLINE, QoS::AtLeastOnce, true));
    let mut client = Client::with(options);
    client.expect_connected().await;
    client
}

async fn a_desk_that_comes_late_sees_the_last_health(hub: &Hub) {
    let mut gate = with_will(hub).await;
    gate.send(HEALTH, ONLINE, 1, true).await;
    gate.acked().await;
    let mut desk = hub.client("desk/aigerim").await;
    assert!(desk.subscribe("qorgan/v1/+/+/health").await);
    assert_eq!(desk.message().await, (HEALTH.into(), ONLINE.into(), true));
    gate.unplug().await;
    assert_eq!(desk.message().await, (HEALTH.into(), OFFLINE.into(), false));
    until("the hub hears both", || (presences(hub) == [Presence::Online, Presence::Offline]).then_some(())).await;
    let mut later = Client::with(options(hub.addr, "desk/aigerim:2", "desk/aigerim"));
    later.expect_connected().await;
    assert!(later.subscribe("qorgan/v1/+/+/health").await);
    assert_eq!(later.message().await, (HEALTH.into(), OFFLINE.into(), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_comes_late_sees_the_last_health_embedded() {
    a_desk_that_comes_late_sees_the_last_health(&Hub::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_comes_late_sees_the_last_health_on_mosquitto() {
    let Some(hub) = Hub::on_mosquitto().await else { return };
    a_desk_that_comes_late_sees_the_last_health(&hub).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_connects_anew_is_not_reported_gone() {
    let hub = Hub::embedded().await;
    let mut first = with_will(&hub).await;
    first.send(HEALTH, ONLINE, 1, true).await;
    first.acked().await;
    let mut second = with_will(&hub).await;
    first.closed().await;
    second.send(HEALTH, ONLINE, 1, true).await;
    second.acked().await;
    let mut desk = hub.client("desk/aigerim").await;
    assert!(desk.subscribe(HEALTH).await);
    assert_eq!(desk.message().await, (HEALTH.into(), ONLINE.into(), true));
    assert_eq!(presences(&hub).last(), Some(&Presence::Online));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_stops_does_not_report_its_devices_gone() {
    let hub = Hub::embedded().await;
    let mut gate = with_will(&hub).await;
    hub.mqtt.stop().await;
    gate.closed().await;
    assert_eq!(presences(&hub), []);
}

async fn good_counts_reach_fusion_and_desks(hub: &Hub) {
    let mut desk = hub.client("desk/aigerim").await;
    assert!(desk.subscribe("qorgan/v1/+/+/count").await);
    let mut yard = hub.client("school-17/yard").await;
    yard.publish_acked(YARD, count(5.0)).await;
    assert_eq!(desk.message().await.0, YARD);
    until("fusion has it", || (hub.desk.counts() == [5.0]).then_some(())).await;

    // The hub's own count goes the same way, once.
    let qorgan_ingest::mqtt::DoorEvent::Count(mut own) = hub.desk.events.lock().unwrap()[0].clone() else { panic!("no count") };
    own.people = 6.0;
    own.low = 6.0;
    own.high = 7.0;
    hub.mqtt.publish_count(&own).await.unwrap();
    assert_eq!(hub.desk.counts(), [5.0, 6.0]);
    assert!(desk.message().await.1.contains("6.0"));
    // A third count arrives after whatever the broker still sent back.
    yard.publish_acked(YARD, count(7.0)).await;
    desk.message().await;
    until("fusion has the third", || hub.desk.counts().contains(&7.0).then_some(())).await;
    assert_eq!(hub.desk.counts(), [5.0, 6.0, 7.0]);

    // A count that is wrong is refused even when it is the hub's own.
    own.people = -1.0;
    assert!(hub.mqtt.publish_count(&own).await.is_err());
    assert_eq!(hub.desk.counts(), [5.0, 6.0, 7.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn good_counts_reach_fusion_and_desks_embedded() {
    good_counts_reach_fusion_and_desks(&Hub::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn good_counts_reach_fusion_and_desks_on_mosquitto() {
    let Some(hub) = Hub::on_mosquitto().await else { return };
    good_counts_reach_fusion_and_desks(&hub).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_count_is_not_kept() {
    let hub = Hub::embedded().await;
    let mut yard = hub.client("school-17/yard").await;
    yard.send(YARD, count(5.0), 1, true).await;
    yard.acked().await;
    let mut desk = hub.client("desk/aigerim").await;
    assert!(desk.subscribe("qorgan/v1/+/+/count").await);
    yard.publish_acked(YARD, count(6.0)).await;
    let (_, payload, retain) = desk.message().await;
    assert!(payload.contains("6") && !retain, "{payload}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_for_which_there_is_no_room_is_counted_as_dropped() {
    let hub = Hub::embedded().await;
    let before = metric("qorgan_mqtt_dropped_total{channel=\"count\"}");
    hub.desk.room.send_replace(false);
    assert_eq!(hub.client("school-17/yard").await.publish_acked(YARD, count(5.0)).await, "Success");
    assert!(metric("qorgan_mqtt_dropped_total{channel=\"count\"}") > before);
}
