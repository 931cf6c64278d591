//! Which camera is looked at how often, in a running hub.

use std::time::{Duration, Instant};

use qorgan_tests::{
    hub::{Hub, Options, until},
    process::threads,
    watch::{CameraWatch, Seen},
};

use crate::hub::{PATIENCE, button, cameras};

fn longest_gap_s(seen: &Seen) -> f64 {
    seen.counts.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).fold(0.0, f64::max)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_makes_the_cameras_of_its_site_be_decoded_whole_and_no_other_waits_for_it() {
    let (server, dir) = (cameras(), tempfile::tempdir().unwrap());
    let base = format!("rtsp://127.0.0.1:{}", server.port());
    let hub = Hub::start(dir.path(), Options { camera_base: Some(base), ..Options::default() }).await.unwrap();
    let client = hub.log_in("duty_officer").await.unwrap();
    let watch = CameraWatch::start(&client).await.unwrap();
    until(PATIENCE, || async { if watch.counted() >= 3 { Ok(()) } else { Err(hub.log()) } }).await.unwrap();
    let quiet_threads = threads(hub.pid()).unwrap();

    button(&hub, "school-17/reception").await.press().await.unwrap();
    // A key frame comes every 2 s; the whole stream gives several looks in that time.
    let often = until(PATIENCE, || async {
        watch.take();
        let start = Instant::now();
        tokio::time::sleep(Duration::from_secs(8)).await;
        let seen = watch.take();
        let looks = |camera: &str| seen.get(camera).map_or(0, |seen| seen.counts.iter().filter(|count| count.at > start).count());
        let (yard, gate, north) = (looks("school-17/yard"), looks("school-17/gate"), looks("dostyk-square/north"));
        let gap = seen.get("dostyk-square/north").map_or(f64::MAX, longest_gap_s);
        if yard >= 7 && gate >= 7 && north >= 1 && gap < 12.0 { Ok((yard, gate)) } else { Err(format!("{yard}, {gate}, {north}, {gap}")) }
    });
    let (yard, gate) = often.await.unwrap();
    println!("in 8 s of an alarm: yard {yard} looks, gate {gate}");
    // Closing elements and connections may come and go; a thread per camera would show.
    assert!(threads(hub.pid()).unwrap() <= quiet_threads + 2);
}
