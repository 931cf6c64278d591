//! The way of an alarm: nothing is said before it is stored, and everything after.

use qorgan_domain::wire::ReceiptV1;
use qorgan_ingest::mqtt::button::{Button, Options};

use crate::support::{Client, Hub, Journal, Seen, count, metric, press, refused, soon, until};

const ALARM: &str = "qorgan/v1/school-17/gate/alarm";
const RECEIPT: &str = "qorgan/v1/school-17/gate/alarm/receipt";
const YARD: &str = "qorgan/v1/school-17/yard/count";

fn receipt((topic, payload, retain): (String, String, bool)) -> ReceiptV1 {
    assert_eq!((topic.as_str(), retain), (RECEIPT, false));
    serde_json::from_str(&payload).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn puback_and_receipt_wait_for_the_commit() {
    let hub = Hub::embedded().await;
    for v5 in [false, true] {
        let user = "school-17/gate";
        let mut gate = if v5 { Client::v5(hub.addr, user).await } else { hub.client(user).await };
        assert!(gate.subscribe(RECEIPT).await);
        hub.desk.set(Journal::Held);
        let before = hub.desk.commits();
        gate.publish(ALARM, press(17 + u64::from(v5))).await;
        until("the commit begins", || (hub.desk.commits() > before).then_some(())).await;
        // Another client's round trip: the broker works, and it had time to answer the first one.
        assert_eq!(hub.client("school-17/yard").await.publish_acked(YARD, count(3.0)).await, "Success");
        assert_eq!(gate.so_far(), [], "nothing is said while the journal has not answered");
        hub.desk.set(Journal::Works);
        assert_eq!(gate.acked().await, "Success");
        let receipt = receipt(gate.message().await);
        assert_eq!((receipt.seq, receipt.boot.as_deref(), receipt.repeat), (17 + u64::from(v5), Some("b3f1"), false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_stored_alarm_version_3_is_cut_off_and_version_5_is_told() {
    let hub = Hub::embedded().await;
    hub.desk.set(Journal::Fails);
    let before = metric("qorgan_mqtt_alarm_not_stored_total{reason=\"journal\"}");
    for qos in [1, 2, 0] {
        let mut old = hub.client("school-17/gate").await;
        old.send(ALARM, press(1), qos, false).await;
        assert!(!matches!(old.closed().await.as_str(), ""), "a version 3 client is disconnected");
        assert!(!old.so_far().iter().any(|seen| matches!(seen, Seen::Acked { .. } | Seen::Message { .. })));
    }
    let mut new = Client::v5(hub.addr, "school-17/gate").await;
    assert!(new.subscribe(RECEIPT).await);
    assert_eq!(new.publish_acked(ALARM, press(2)).await, "ImplementationSpecificError");
    // The connection lives, and the desks were given all four presses.
    assert_eq!(new.publish_acked(ALARM, press(3)).await, "ImplementationSpecificError");
    assert_eq!(new.so_far(), [], "no receipt");
    assert_eq!(hub.desk.commits(), 5);
    assert!(metric("qorgan_mqtt_alarm_not_stored_total{reason=\"journal\"}") >= before + 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_journal_holds_a_client_no_longer_than_the_limit_and_a_late_success_is_receipted() {
    let hub = Hub::embedded().await;
    let mut gate = Client::v5(hub.addr, "school-17/gate").await;
    assert!(gate.subscribe(RECEIPT).await);
    hub.desk.set(Journal::Held);
    assert_eq!(gate.publish_acked(ALARM, press(1)).await, "ImplementationSpecificError");
    assert_eq!(gate.so_far(), []);
    hub.desk.set(Journal::Works);
    assert_eq!(receipt(gate.message().await).seq, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_at_qos_0_is_stored_and_receipted_too() {
    let hub = Hub::embedded().await;
    let mut gate = hub.client("school-17/gate").await;
    assert!(gate.subscribe(RECEIPT).await);
    gate.send(ALARM, press(5), 0, false).await;
    assert_eq!(receipt(gate.message().await).seq, 5);
    gate.send(ALARM, press(6), 2, false).await;
    assert_eq!(receipt(gate.message().await).seq, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_and_a_wrong_clock_never_cost_a_press() {
    let hub = Hub::embedded().await;
    let mut gate = hub.client("school-17/gate").await;
    let before = metric("qorgan_mqtt_alarm_unknown_fields_total");
    let body = r#"{"v":1,"kind":"panic","seq":9,"at":"1970-01-01T00:00:00Z","firmware":"9","rssi":-70}"#;
    assert_eq!(gate.publish_acked(ALARM, body).await, "Success");
    assert!(metric("qorgan_mqtt_alarm_unknown_fields_total") >= before + 2);
    assert!(hub.desk.commits.lock().unwrap()[0].clock_suspect());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_cannot_be_read_is_never_acknowledged() {
    let hub = Hub::embedded().await;
    let before = refused("not_json");
    let mut old = hub.client("school-17/gate").await;
    old.publish(ALARM, "help").await;
    old.closed().await;
    let mut new = Client::v5(hub.addr, "school-17/gate").await;
    assert_eq!(new.publish_acked(ALARM, "help").await, "PayloadFormatInvalid");
    assert_eq!(hub.desk.commits(), 0);
    assert!(refused("not_json") >= before + 2);
}

async fn a_button_gets_its_receipts(hub: &Hub) {
    let options =
        Options::new(format!("mqtt://{}", hub.addr), "school-17/gate".parse().unwrap(), crate::support::password("school-17/gate"));
    let mut button = Button::connect(options).unwrap();
    soon("button connects", button.ready()).await.unwrap();
    for seq in 1..=5 {
        let press = soon("receipt", button.press()).await.unwrap();
        assert_eq!((press.key.seq, press.sent, press.repeat), (seq, 1, false));
    }
    assert_eq!(hub.desk.stored(), 5);
    soon("button closes", button.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_gets_its_receipts_embedded() {
    a_button_gets_its_receipts(&Hub::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_gets_its_receipts_on_mosquitto() {
    let Some(hub) = Hub::on_mosquitto().await else { return };
    a_button_gets_its_receipts(&hub).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_repeats_the_same_press_until_its_receipt_across_a_restart_of_the_hub() {
    use qorgan_ingest::mqtt::{Mqtt, embedded};

    let hub = Hub::embedded().await;
    let mut options =
        Options::new(format!("mqtt://{}", hub.addr), "school-17/gate".parse().unwrap(), crate::support::password("school-17/gate"));
    options.retry_after = std::time::Duration::from_millis(300);
    let mut button = Button::connect(options).unwrap();
    soon("button connects", button.ready()).await.unwrap();
    hub.desk.set(Journal::Fails);
    let pressing = tokio::spawn(async move { button.press().await });
    until("the press is refused twice", || (hub.desk.commits() >= 2).then_some(())).await;
    hub.mqtt.stop().await;
    assert!(!hub.mqtt.is_connected());

    let (desk, doors) = crate::support::doors();
    let config = embedded::Config { plain: Some(hub.addr), ..embedded::Config::default() };
    let again = Mqtt::Embedded(embedded::Broker::start(config, doors).await.expect("the port is free again"));
    let press = soon("receipt from the new hub", pressing).await.unwrap().unwrap();
    assert_eq!((press.key.seq, press.repeat), (1, false));
    assert!(press.sent >= 3, "{press:?}");
    assert_eq!(desk.stored(), 1);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_that_is_refused_says_so() {
    let hub = Hub::embedded().await;
    let options = Options::new(format!("mqtt://{}", hub.addr), "school-17/gate".parse().unwrap(), "wrong");
    let mut button = Button::connect(options).unwrap();
    let error = soon("refusal", button.ready()).await.unwrap_err().to_string();
    assert!(error.contains("BadUserNamePassword"), "{error}");
}
