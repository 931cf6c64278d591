//! Supervision of the whole hub: real buttons that are cut off and come back, over a restart.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{net::TcpListener, path::PathBuf, time::Duration};

use qorgan_ingest::mqtt::button::{Button, Options as ButtonOptions};
use qorgan_tests::{
    hub::{Client, Hub, Options, until},
    paths,
};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::hub::{PATIENCE, centre};

const NAME: &str = "{ kk = \"a\", ru = \"b\", en = \"c\" }";
const BUTTONS: [&str; 4] = ["school-1/a", "school-1/b", "school-2/a", "school-2/b"];

fn config(dir: &std::path::Path) -> PathBuf {
    let mut text = format!(
        "areas = \"{root}/configs/areas/zhambyl.geojson\"\n[hub]\nname = \"Test\"\nstate_dir = \"state\"\ndemo_logins = true\n\
         [models]\ndir = \"{root}/models\"\n[supervision]\nsettle_s = 1\nstart_grace_s = 2\n",
        root = paths::root().display()
    );
    for site in ["school-1", "school-2"] {
        text.push_str(&format!(
            "[[site]]\nid = \"{site}\"\nname = {NAME}\nkind = \"school\"\narea = \"311000000\"\nposition = [42.9, 71.37]\ninterval_s = 4\n\
             [[site.button]]\nid = \"a\"\nname = {NAME}\n[[site.button]]\nid = \"b\"\nname = {NAME}\n"
        ));
    }
    let file = dir.join("supervised.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// Connected buttons; aborting their tasks cuts them off as a power cut does.
fn connect(hub: &Hub, devices: &[&str]) -> Vec<(Button, JoinHandle<()>)> {
    let connect = |device: &&str| {
        let options = ButtonOptions::new(hub.mqtt_url(), device.parse().unwrap(), hub.mqtt_password(device).unwrap());
        let (button, drive) = Button::open(ButtonOptions { keep_alive: Duration::from_secs(1), ..options }).unwrap();
        (button, tokio::spawn(drive))
    };
    devices.iter().map(connect).collect()
}

async fn states(client: &Client) -> Vec<String> {
    let list = client.get("/api/v1/devices").await.unwrap();
    let state = |d: &Value| format!("{} {}", d["id"].as_str().unwrap(), d["state"].as_str().unwrap());
    list["devices"].as_array().unwrap().iter().map(state).collect()
}

async fn troubles(client: &Client, state: &str) -> Vec<Value> {
    let list = client.get(&format!("/api/v1/alerts?state={state}")).await.unwrap();
    list["alerts"].as_array().unwrap().iter().filter(|a| a["kind"] == "trouble").cloned().collect()
}

async fn one_open_trouble(client: &Client) -> Value {
    let one = until(PATIENCE, || async {
        let open = troubles(client, "open").await;
        if open.len() == 1 { Ok(open[0].clone()) } else { Err(format!("open troubles: {open:?}")) }
    });
    one.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_is_cut_off_is_one_trouble_over_a_restart_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = Options { config: config(dir.path()), mqtt: Some(addr), ..centre() };
    let mut hub = Hub::start(&dir.path().join("state"), options).await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    assert!(states(&duty).await.iter().all(|s| s.ends_with(" never")), "blind, and no trouble");
    let mut events = duty.stream(None).await.unwrap();
    let (dark, bright) = BUTTONS.split_at(2);
    let cut = connect(&hub, dark);
    let _stay = connect(&hub, bright);
    let all_ok = until(PATIENCE, || async {
        let states = states(&duty).await;
        if states.iter().all(|s| s.ends_with(" ok")) { Ok(()) } else { Err(format!("{states:?}")) }
    });
    all_ok.await.unwrap();

    for (_, drive) in &cut {
        drive.abort();
    }
    let trouble = one_open_trouble(&duty).await;
    assert_eq!(
        (trouble["trouble"]["scope"].as_str(), trouble["trouble"]["scope_id"].as_str(), trouble["level"].as_str()),
        (Some("site"), Some("school-1"), Some("watch")),
        "{trouble}"
    );
    let told = async {
        loop {
            let event = events.next().await.expect("the stream goes on");
            if event.data["changes"].as_array().into_iter().flatten().any(|change| change["devices"] == true) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the page is told to look at the devices");
    assert_eq!(states(&duty).await, ["school-1/a lost", "school-1/b lost", "school-2/a ok", "school-2/b ok"]);

    // Over a restart nothing is raised and nothing ends, while the others come back.
    hub.end().unwrap();
    hub.restart().await.unwrap();
    let duty = hub.log_in("duty_officer").await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let still = one_open_trouble(&duty).await;
    assert_eq!(still["id"], trouble["id"]);
    assert_eq!(troubles(&duty, "closed").await, Vec::<Value>::new(), "{}", hub.log());

    let _back = connect(&hub, dark);
    let closed = until(PATIENCE, || async {
        let closed = troubles(&duty, "closed").await;
        if closed.len() == 1 { Ok(closed[0].clone()) } else { Err(format!("closed troubles: {closed:?}")) }
    });
    let closed = closed.await.unwrap();
    assert_eq!((&closed["id"], closed["close_reason"].as_str()), (&trouble["id"], Some("recovered")), "{closed}");
    assert_eq!(troubles(&duty, "open").await, Vec::<Value>::new());
}
