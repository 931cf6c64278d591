//! The link to an external broker: acknowledgements, losses of the connection, rights on Mosquitto.

use qorgan_domain::topic::Topic;
use qorgan_ingest::mqtt::{Mqtt, Qos, external};

use crate::support::{Hub, Journal, broker_or_skip, count, doors, link_config, password, press, refused, soon, until};

const ALARM: &str = "qorgan/v1/school-17/gate/alarm";
const RECEIPT: &str = "qorgan/v1/school-17/gate/alarm/receipt";
const YARD: &str = "qorgan/v1/school-17/yard/count";

#[tokio::test(flavor = "multi_thread")]
async fn the_receipt_waits_for_the_commit_and_a_failed_commit_is_tried_again() {
    let Some(hub) = Hub::on_mosquitto().await else { return };
    let mut gate = hub.client("school-17/gate").await;
    assert!(gate.subscribe(RECEIPT).await);
    hub.desk.set(Journal::Fails);
    assert_eq!(gate.publish_acked(ALARM, press(1)).await, "Success", "that is Mosquitto's word, not the hub's");
    until("the hub tries again", || (hub.desk.commits() >= 2).then_some(())).await;
    assert_eq!(gate.so_far(), []);
    hub.desk.set(Journal::Works);
    assert!(gate.message().await.1.contains("\"seq\":1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_was_not_stored_when_the_hub_died_comes_again_to_the_next_hub() {
    let Some(hub) = Hub::on_mosquitto().await else { return };
    let mut gate = hub.client("school-17/gate").await;
    assert!(gate.subscribe(RECEIPT).await);
    hub.desk.set(Journal::Held);
    gate.publish_acked(ALARM, press(7)).await;
    until("the hub has it in hand", || (hub.desk.commits() == 1).then_some(())).await;
    hub.mqtt.stop().await;
    assert!(!hub.mqtt.is_connected());
    let Hub { mosquitto, .. } = hub;
    let next = Hub::at(mosquitto.unwrap()).await;
    until("the next hub stores it", || (next.desk.stored() == 1).then_some(())).await;
    assert!(gate.message().await.1.contains("\"seq\":7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_says_when_it_is_lost_and_comes_back_by_itself() {
    let Some(mut hub) = Hub::on_mosquitto().await else { return };
    let topic = Topic::parse("qorgan/v1/alert/1").unwrap();
    hub.mosquitto.as_mut().unwrap().halt();
    until("the loss is noticed", || (!hub.mqtt.is_connected()).then_some(())).await;
    assert!(hub.mqtt.state().error.is_some());
    assert!(hub.mqtt.publish(&topic, "x", Qos::AtLeastOnce, true).await.is_err());
    hub.mosquitto.as_mut().unwrap().resume();
    until("the link is back", || hub.mqtt.is_connected().then_some(())).await;
    let mut yard = hub.client("school-17/yard").await;
    yard.publish_acked(YARD, count(3.0)).await;
    until("counts flow again", || (hub.desk.counts() == [3.0]).then_some(())).await;
    hub.mqtt.publish(&topic, "{}", Qos::AtLeastOnce, true).await.unwrap();
    let mut desk = hub.client("desk/aigerim").await;
    assert!(desk.subscribe("qorgan/v1/alert/+").await);
    assert_eq!(desk.message().await.1, "{}");
}

#[tokio::test(flavor = "multi_thread")]
async fn own_counts_reach_fusion_while_the_broker_is_away() {
    let Some(mut hub) = Hub::on_mosquitto().await else { return };
    hub.client("school-17/yard").await.publish_acked(YARD, count(3.0)).await;
    let own = until("a count to copy", || {
        hub.desk
            .events
            .lock()
            .unwrap()
            .iter()
            .find_map(|e| if let qorgan_ingest::mqtt::DoorEvent::Count(c) = e { Some(c.clone()) } else { None })
    })
    .await;
    hub.mosquitto.as_mut().unwrap().halt();
    until("the loss is noticed", || (!hub.mqtt.is_connected()).then_some(())).await;
    assert!(hub.mqtt.publish_count(&own).await.is_err(), "it says that nobody else heard it");
    assert_eq!(hub.desk.counts(), [3.0, 3.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_alarm_from_before_the_hub_is_old_news() {
    let Some(mosquitto) = broker_or_skip() else { return };
    let mut gate = crate::support::Client::v3(mosquitto.addr, "school-17/gate").await;
    gate.send(ALARM, press(1), 1, true).await;
    gate.acked().await;
    let before = refused("retained");
    let hub = Hub::at(mosquitto).await;
    until("it is refused", || (refused("retained") > before).then_some(())).await;
    gate.publish_acked(ALARM, press(2)).await;
    until("a live one is stored", || (hub.desk.stored() == 1).then_some(())).await;
    assert_eq!(hub.desk.commits(), 1);
}

/// The access list in `configs/mosquitto/acl` gives the rights that the embedded broker gives.
#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_access_list_keeps_devices_apart() {
    let Some(hub) = Hub::on_mosquitto().await else { return };
    let mut gate = hub.client("school-17/gate").await;
    let mut yard = hub.client("school-17/yard").await;
    assert!(yard.subscribe(RECEIPT).await, "Mosquitto grants any filter and checks at delivery");
    assert!(yard.subscribe("qorgan/v1/#").await);
    // Foreign topics: taken from the device, given to nobody.
    for topic in [YARD, "qorgan/v1/school-18/gate/alarm", "qorgan/v1/school-17/yard/alarm", "qorgan/v1/alert/1"] {
        gate.publish_acked(topic, press(99)).await;
    }
    gate.publish_acked(ALARM, press(1)).await;
    until("its own alarm is stored", || (hub.desk.stored() == 1).then_some(())).await;
    assert_eq!(hub.desk.commits.lock().unwrap()[0].device.to_string(), "school-17/gate");
    let mut edge = hub.client("edge/school-17").await;
    assert!(edge.subscribe("qorgan/v1/school-17/+/alarm/receipt").await);
    edge.publish_acked("qorgan/v1/school-17/yard/alarm", press(5)).await;
    assert_eq!(edge.message().await.0, "qorgan/v1/school-17/yard/alarm/receipt");
    // Its own receipt is the one thing that the yard may read.
    assert_eq!(yard.message().await.0, "qorgan/v1/school-17/yard/alarm/receipt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_a_closed_port_are_told_apart() {
    let Some(mosquitto) = broker_or_skip() else { return };
    let wrong = external::Config { password: "wrong".into(), ..link_config(mosquitto.addr) };
    let link = external::Link::start(&wrong, doors().1).unwrap();
    let state = soon("refusal", link.watch().wait_for(|state| state.error.as_deref() != Some("not connected yet"))).await.unwrap().clone();
    assert!(!state.connected);
    assert!(state.error.unwrap().contains("refused"));
    assert_ne!(password("hub"), "wrong");
    Mqtt::External(link).stop().await;
}
