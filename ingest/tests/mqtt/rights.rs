//! Who gets in, who writes what, who reads what, and whose client id it is.

use rumqttc::{LastWill, QoS};

use crate::support::{Client, Hub, Seen, client_options as options, count, metric, press, refused};

async fn refused_log_in(options: rumqttc::MqttOptions) -> String {
    match Client::with(options).next().await {
        Seen::Closed(reason) => reason,
        other => panic!("was let in: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_needs_the_right_user_and_password() {
    let hub = Hub::embedded().await;
    let before = metric("qorgan_mqtt_logins_refused_total{code=\"bad_credentials\"}");
    let mut wrong = options(hub.addr, "school-17/gate", "school-17/gate");
    wrong.set_credentials("school-17/gate", "wrong");
    assert!(refused_log_in(wrong).await.contains("BadUserNamePassword"));
    let mut nobody = rumqttc::MqttOptions::new("anybody", hub.addr.ip().to_string(), hub.addr.port());
    nobody.set_keep_alive(std::time::Duration::from_secs(30));
    let reason = refused_log_in(nobody).await;
    assert!(reason.contains("BadUserNamePassword") || reason.contains("NotAuthorized"), "{reason}");
    // Nobody outside speaks as the hub, whatever the password.
    assert!(refused_log_in(options(hub.addr, "hub", "hub")).await.contains("NotAuthorized"));
    assert!(metric("qorgan_mqtt_logins_refused_total{code=\"bad_credentials\"}") > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_not_configured_is_refused_with_that_reason() {
    let hub = Hub::embedded().await;
    let before = refused("unknown_device");
    let mut ghost = Client::v5(hub.addr, "school-17/ghost").await;
    assert_eq!(ghost.publish_acked("qorgan/v1/school-17/ghost/count", count(1.0)).await, "NotAuthorized");
    assert_eq!(ghost.publish_acked("qorgan/v1/school-17/ghost/alarm", press(1)).await, "NotAuthorized");
    assert!(refused("unknown_device") >= before + 2);
    assert_eq!((hub.desk.commits(), hub.desk.counts().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_under_another_name() {
    let hub = Hub::embedded().await;
    let before = refused("no_right");
    let mut attempts = 0;
    for (user, topic) in [
        ("school-17/gate", "qorgan/v1/school-18/gate/alarm"),
        ("school-17/gate", "qorgan/v1/school-17/yard/alarm"),
        ("school-17/gate", "qorgan/v1/school-17/gate/alarm/receipt"),
        ("school-17/gate", "qorgan/v1/alert/1"),
        ("edge/school-17", "qorgan/v1/school-18/gate/alarm"),
        ("desk/aigerim", "qorgan/v1/school-17/gate/alarm"),
    ] {
        let mut new = Client::v5(hub.addr, user).await;
        assert_eq!(new.publish_acked(topic, press(1)).await, "NotAuthorized", "{user} {topic}");
        let mut old = hub.client(user).await;
        old.publish(topic, press(1)).await;
        old.closed().await;
        attempts += 2;
    }
    assert_eq!(hub.desk.commits(), 0);
    assert!(refused("no_right") >= before + attempts);
    // An edge box does speak for its own site.
    let mut edge = hub.client("edge/school-17").await;
    assert!(edge.subscribe("qorgan/v1/school-17/+/alarm/receipt").await);
    assert_eq!(edge.publish_acked("qorgan/v1/school-17/gate/alarm", press(1)).await, "Success");
    assert_eq!(edge.message().await.0, "qorgan/v1/school-17/gate/alarm/receipt");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_what_is_not_theirs() {
    let hub = Hub::embedded().await;
    let before = refused("no_right_to_read");
    let deep = "a/".repeat(8000);
    let mut attempts = 0;
    for (user, filter) in [
        ("school-17/gate", "#"),
        ("school-17/gate", "qorgan/v1/+/+/alarm"),
        ("school-17/gate", "qorgan/v1/school-17/+/alarm/receipt"),
        ("school-17/gate", "qorgan/v1/school-18/gate/alarm/receipt"),
        ("school-17/gate", "qorgan/v1/alert/+"),
        ("school-17/gate", "$SYS/#"),
        ("school-17/gate", "$share/g/qorgan/v1/+/+/count"),
        ("school-17/gate", deep.as_str()),
        ("edge/school-17", "qorgan/v1/+/+/alarm/receipt"),
        ("desk/aigerim", "#"),
        ("desk/aigerim", "qorgan/v1/+/+/alarm"),
    ] {
        assert!(!hub.client(user).await.subscribe(filter).await, "{user} reads {filter}");
        attempts += 1;
    }
    assert!(refused("no_right_to_read") >= before + attempts);
    assert!(hub.client("school-17/gate").await.subscribe("qorgan/v1/school-17/gate/alarm/receipt").await);
    assert!(hub.client("desk/aigerim").await.subscribe("qorgan/v1/+/+/count").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_id_is_not_taken_over_by_another_user() {
    let hub = Hub::embedded().await;
    let before = metric("qorgan_mqtt_logins_refused_total{code=\"client_id_taken\"}");
    let mut named = hub.client("school-17/gate").await;
    let mut serial = Client::with(options(hub.addr, "SN-0042", "school-17/gate"));
    serial.expect_connected().await;
    for id in ["school-17/gate", "SN-0042", "school-17/gate:2"] {
        assert!(refused_log_in(options(hub.addr, id, "school-18/gate")).await.contains("NotAuthorized"), "{id}");
    }
    // Neither of the two was cut off.
    assert_eq!(named.publish_acked("qorgan/v1/school-17/gate/alarm", press(1)).await, "Success");
    assert_eq!(serial.publish_acked("qorgan/v1/school-17/gate/alarm", press(2)).await, "Success");
    assert!(metric("qorgan_mqtt_logins_refused_total{code=\"client_id_taken\"}") >= before + 3);
    // The same user may take over its own connection, as after a power cut.
    let mut again = hub.client("school-17/gate").await;
    named.closed().await;
    assert_eq!(again.publish_acked("qorgan/v1/school-17/gate/alarm", press(3)).await, "Success");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_will_must_be_the_devices_own_health() {
    let hub = Hub::embedded().await;
    let health = r#"{"v":1,"state":"offline"}"#;
    let deep = "a/".repeat(8000);
    for (topic, payload) in [
        ("qorgan/v1/school-18/gate/health", health),
        ("qorgan/v1/school-17/gate/alarm", r#"{"v":1,"kind":"panic","seq":1}"#),
        ("qorgan/v1/school-17/gate/alarm/receipt", health),
        ("qorgan/v1/school-17/gate/health", "gone"),
        (deep.as_str(), health),
    ] {
        let mut bad = options(hub.addr, "school-17/gate", "school-17/gate");
        bad.set_last_will(LastWill::new(topic, payload, QoS::AtLeastOnce, true));
        assert!(refused_log_in(bad).await.contains("NotAuthorized"), "{topic}");
    }
    let mut good = options(hub.addr, "school-17/gate", "school-17/gate");
    good.set_last_will(LastWill::new("qorgan/v1/school-17/gate/health", health, QoS::AtLeastOnce, true));
    Client::with(good).expect_connected().await;
}
