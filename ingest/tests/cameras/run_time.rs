//! Cameras that come, change and go while others run; taps, sub streams, and what is measured of a stream.

use std::{sync::Arc, time::Duration};

use qorgan_domain::{CameraFault, CameraState};
use qorgan_ingest::camera::{CameraSpec, Codec, Exists, Tap, TapItem};
use tokio::time::timeout;

use crate::{
    clips::{Unit, grey, h264, write},
    fake::{Behaviour, Fake},
    watch::{LONG, Watch, eventually, id, settings},
};

fn clip(size: (u32, u32)) -> Arc<Vec<Unit>> {
    h264(&grey(128), size, false)
}

async fn next(tap: &mut Tap) -> Option<TapItem> {
    timeout(LONG, tap.next()).await.expect("the tap gives something")
}

#[tokio::test]
async fn cameras_come_and_go_without_touching_another() {
    let camera = Fake::start(Behaviour::Streams(clip((160, 96)))).await;
    let watch = Watch::start(vec![CameraSpec::new(id("first"), camera.url())], &settings());
    watch.offered(&id("first"), 2).await;
    watch.cameras.add(CameraSpec::new(id("second"), camera.url())).unwrap();
    assert_eq!(watch.cameras.add(CameraSpec::new(id("second"), camera.url())), Err(Exists(id("second"))));
    watch.offered(&id("second"), 2).await;
    assert_eq!(watch.cameras.ids(), [id("first"), id("second")]);
    assert!(watch.cameras.remove(&id("second")).await);
    assert!(!watch.cameras.remove(&id("second")).await);
    assert!(watch.frames.newest(&id("second")).is_none(), "its last picture is forgotten");
    eventually(|| camera.playing("live") == 1).await;
    let before = watch.frames.offered(&id("first"));
    watch.offered(&id("first"), before + 2).await;
    assert_eq!(watch.cameras.stream_stats(&id("first")).unwrap().sessions, 1, "the first camera was never interrupted");
    assert_eq!(camera.sessions(), 2);
    assert!(watch.cameras.stream_stats(&id("second")).is_none() && watch.cameras.tap(&id("second")).is_none());
}

#[tokio::test]
async fn a_changed_camera_shows_the_new_stream_and_its_tap_goes_on() {
    let (old, new) = (Fake::start(Behaviour::Streams(clip((160, 96)))).await, Fake::start(Behaviour::Streams(clip((320, 192)))).await);
    let mut watch = Watch::one(old.url(), &settings());
    assert_eq!(watch.live().await.size_px, Some((160, 96)));
    let mut tap = watch.cameras.tap(&id("yard")).unwrap();
    let Some(TapItem::Unit(first)) = next(&mut tap).await else { panic!("a unit first") };
    assert!(first.key && first.size_px == (160, 96));
    let spec = CameraSpec::new(id("yard"), new.url());
    assert!(watch.cameras.change(spec.clone()).await);
    assert_eq!(watch.until(|health| health.state == CameraState::Live).await.size_px, Some((320, 192)));
    assert_eq!(watch.frames.newest(&id("yard")).unwrap().size_px, (320, 192));
    eventually(|| old.playing("live") == 0).await;
    let (mut down, mut after) = (false, None);
    while after.is_none() {
        match next(&mut tap).await.expect("the tap stays open") {
            TapItem::Down(_) => down = true,
            TapItem::Unit(unit) if unit.size_px == (320, 192) => after = Some(unit),
            TapItem::Unit(_) | TapItem::Missed(_) => assert!(!down, "nothing of the old stream after the change"),
        }
    }
    assert!(down && after.unwrap().key);
    assert!(watch.cameras.change(spec).await, "the same again changes nothing");
    tokio::task::yield_now().await;
    assert_eq!(new.sessions(), 1);
    assert!(!watch.cameras.change(CameraSpec::new(id("unknown"), new.url())).await);
}

#[tokio::test]
async fn the_tap_of_a_removed_camera_ends() {
    let camera = Fake::start(Behaviour::Streams(clip((160, 96)))).await;
    let watch = Watch::one(camera.url(), &settings());
    let mut tap = watch.cameras.tap(&id("yard")).unwrap();
    assert!(matches!(next(&mut tap).await, Some(TapItem::Unit(unit)) if unit.key));
    watch.cameras.remove(&id("yard")).await;
    while next(&mut tap).await.is_some() {}
}

#[tokio::test]
async fn a_tap_gives_every_unit_in_order_from_a_key_frame_on_and_two_share_one_session() {
    let units = clip((160, 96));
    let camera = Fake::start(Behaviour::Streams(units.clone())).await;
    let watch = Watch::one(camera.url(), &settings());
    watch.offered(&id("yard"), 1).await;
    let (mut first, mut second) = (watch.cameras.tap(&id("yard")).unwrap(), watch.cameras.tap(&id("yard")).unwrap());
    for tap in [&mut first, &mut second] {
        let mut times = Vec::new();
        for n in 0..25 {
            let Some(TapItem::Unit(unit)) = next(tap).await else { panic!("only units") };
            assert_eq!((unit.key, unit.codec, unit.size_px), (n % 10 == 0, Codec::H264, (160, 96)), "unit {n}");
            times.push(unit.media_time.as_millis());
        }
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 40), "{times:?}");
    }
    assert_eq!(camera.sessions(), 1);
}

#[tokio::test]
async fn a_tap_is_told_when_the_camera_goes_and_goes_on_when_it_is_back() {
    let camera = Fake::start(Behaviour::StallsOnce(clip((160, 96)), 15)).await;
    let patience = qorgan_ingest::camera::Settings { picture_timeout: Duration::from_millis(700), ..settings() };
    let watch = Watch::one(camera.url(), &patience);
    let mut tap = watch.cameras.tap(&id("yard")).unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        match next(&mut tap).await.unwrap() {
            TapItem::Down(fault) => seen.push(Err(fault)),
            TapItem::Unit(unit) if seen.last().is_some_and(Result::is_err) => {
                assert!(unit.key, "it goes on with a key frame");
                seen.push(Ok(()));
            }
            _ => {}
        }
    }
    assert_eq!(seen, [Err(CameraFault::Stalled), Ok(())]);
}

#[tokio::test]
async fn the_sub_stream_is_analysed_and_a_tap_opens_the_main_one_while_it_is_read() {
    let camera = Fake::start(Behaviour::Two(Some(clip((320, 192))), Some(clip((160, 96))))).await;
    let spec = CameraSpec::new(id("yard"), camera.at("main")).with_sub(camera.at("sub")).with_wanted_px(160);
    let mut watch = Watch::start(vec![spec], &settings());
    assert_eq!(watch.live().await.size_px, Some((160, 96)));
    watch.offered(&id("yard"), 2).await;
    let stats = watch.cameras.stream_stats(&id("yard")).unwrap();
    assert!(stats.sub_in_use && stats.size_px == Some((160, 96)), "{stats:?}");
    assert_eq!((camera.playing("main"), camera.playing("sub")), (0, 1));
    let mut tap = watch.cameras.tap(&id("yard")).unwrap();
    let Some(TapItem::Unit(unit)) = next(&mut tap).await else { panic!("a unit") };
    assert!(unit.key && unit.size_px == (320, 192), "{unit:?}");
    let mut second = watch.cameras.tap(&id("yard")).unwrap();
    assert!(matches!(next(&mut second).await, Some(TapItem::Unit(unit)) if unit.key && unit.size_px == (320, 192)));
    assert_eq!((camera.playing("main"), camera.playing("sub")), (1, 1), "one session for both taps");
    drop(tap);
    assert!(next(&mut second).await.is_some());
    assert_eq!(camera.playing("main"), 1, "one still reads");
    drop(second);
    eventually(|| camera.playing("main") == 0).await;
    let mut full = watch.cameras.full_rate(&id("yard")).unwrap();
    let Some(TapItem::Unit(unit)) = next(&mut full).await else { panic!("a unit") };
    assert!(unit.key && unit.size_px == (160, 96), "full rate is of the analysed stream");
    assert_eq!(watch.cameras.stream_stats(&id("yard")).unwrap().sessions, 1, "analysis never noticed");
}

#[tokio::test]
async fn a_tap_of_a_changed_camera_gets_the_main_stream_of_its_new_address() {
    let (old, new) = (
        Fake::start(Behaviour::Streams(clip((160, 96)))).await,
        Fake::start(Behaviour::Two(Some(clip((320, 192))), Some(clip((160, 96))))).await,
    );
    let watch = Watch::one(old.url(), &settings());
    let mut tap = watch.cameras.tap(&id("yard")).unwrap();
    assert!(matches!(next(&mut tap).await, Some(TapItem::Unit(_))));
    watch.cameras.change(CameraSpec::new(id("yard"), new.at("main")).with_sub(new.at("sub")).with_wanted_px(160)).await;
    while !matches!(next(&mut tap).await.unwrap(), TapItem::Unit(unit) if unit.size_px == (320, 192)) {}
    eventually(|| (new.playing("main"), new.playing("sub")) == (1, 1)).await;
}

#[tokio::test]
async fn a_sub_stream_that_is_too_small_or_missing_gives_way_to_the_main_one() {
    let small = Fake::start(Behaviour::Two(Some(clip((320, 192))), Some(clip((160, 96))))).await;
    let spec = CameraSpec::new(id("yard"), small.at("main")).with_sub(small.at("sub")).with_wanted_px(320);
    let mut watch = Watch::start(vec![spec], &settings());
    watch.until(|health| health.size_px == Some((320, 192))).await;
    eventually(|| (small.playing("main"), small.playing("sub")) == (1, 0)).await;
    assert!(!watch.cameras.stream_stats(&id("yard")).unwrap().sub_in_use);

    let missing = Fake::start(Behaviour::Two(Some(clip((320, 192))), None)).await;
    let spec = CameraSpec::new(id("gate"), missing.at("main")).with_sub(missing.at("sub")).with_wanted_px(160);
    let mut watch = Watch::start(vec![spec], &settings());
    watch.fails_as(CameraFault::NotFound).await;
    assert_eq!(watch.live().await.size_px, Some((320, 192)));
}

#[tokio::test]
async fn what_is_measured_of_a_stream_is_true() {
    let camera = Fake::start(Behaviour::Streams(clip((160, 96)))).await;
    let watch = Watch::one(camera.url(), &settings());
    watch.offered(&id("yard"), 12).await;
    let stats = watch.cameras.stream_stats(&id("yard")).unwrap();
    // The fake sends 50 frames a second, stamped 40 ms apart, a key frame every ten.
    let fps = stats.fps.unwrap();
    assert!((25.0..=55.0).contains(&fps), "{stats:?}");
    assert!((stats.key_frame_interval_s.unwrap() - 0.4).abs() < 0.001, "{stats:?}");
    assert!(stats.uptime_share > 0.5 && stats.uptime_share <= 1.0, "{stats:?}");
    assert!(stats.kbit_per_s.unwrap() > 1.0 && stats.last_picture_at.unwrap() >= stats.since, "{stats:?}");
    assert_eq!((stats.codec, stats.size_px, stats.transport, stats.sub_in_use), (Some(Codec::H264), Some((160, 96)), Some("tcp"), false));
    assert_eq!((stats.sessions, stats.lost_packets, stats.time_jumps, stats.clock_drift_ppm), (1, 0, 0, None));
}

#[tokio::test]
async fn a_file_camera_can_be_tapped_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clip.mp4");
    write(&path, &grey(128), 30, "x264enc key-int-max=10 option-string=scenecut=0 ! h264parse ! mp4mux");
    let watch = Watch::one(path.to_str().unwrap().parse().unwrap(), &settings());
    watch.offered(&id("yard"), 1).await;
    let mut tap = watch.cameras.tap(&id("yard")).unwrap();
    let mut keys = 0;
    for _ in 0..45 {
        let Some(TapItem::Unit(unit)) = next(&mut tap).await else { panic!("only units") };
        keys += u32::from(unit.key);
    }
    assert!((4..=5).contains(&keys), "{keys} key frames in 45, past the end of the file");
}
