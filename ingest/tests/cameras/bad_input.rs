//! Bad input: each kind is named, counted and stays in its camera.

use std::{sync::Arc, time::Duration};

use qorgan_domain::{CameraFault, CameraState};
use qorgan_ingest::camera::{CameraSpec, Credentials, Decoder, Settings, TapItem, Transport};

use crate::{
    clips::{Unit, grey, h264, units},
    fake::{Behaviour, Fake},
    watch::{LONG, Watch, brightness, eventually, id, settings},
};

fn clip() -> Arc<Vec<Unit>> {
    h264(&grey(128), (160, 96), false)
}

#[tokio::test]
async fn an_endless_redirect_ends_after_a_few_hops() {
    let camera = Fake::start(Behaviour::Redirects("hop{n}".into())).await;
    let slow = Settings { first_retry: LONG, longest_retry: LONG, ..settings() };
    let detail = Watch::one(camera.url(), &slow).fails_as(CameraFault::Redirect).await;
    assert!(detail.contains("more than 5 times"), "{detail}");
    // Each hop is asked for twice: by retina, and for the new address.
    assert_eq!(camera.sessions(), 12);
    let udp = Fake::start(Behaviour::Redirects("hop{n}".into())).await;
    let spec = CameraSpec::new(id("yard"), udp.url()).with_transport(Transport::Udp);
    Watch::start(vec![spec], &slow).fails_as(CameraFault::Redirect).await;
    assert_eq!(udp.sessions(), 6, "GStreamer, which would follow for ever, was never asked");
}

#[tokio::test]
async fn a_redirect_in_a_circle_and_one_to_another_scheme_are_refused() {
    let camera = Fake::start(Behaviour::Redirects("/live".into())).await;
    let detail = Watch::one(camera.url(), &settings()).fails_as(CameraFault::Redirect).await;
    assert!(detail.contains("circle"), "{detail}");
    let camera = Fake::start(Behaviour::Redirects("http://127.0.0.1:1/".into())).await;
    Watch::one(camera.url(), &settings()).fails_as(CameraFault::Redirect).await;
}

#[tokio::test]
async fn one_redirect_is_followed_and_the_log_in_does_not_go_to_another_host() {
    let real = Fake::start(Behaviour::Streams(clip())).await;
    let camera = Fake::start(Behaviour::Redirects(format!("rtsp://127.0.0.1:{}/live", real.port))).await;
    Watch::one(camera.url(), &settings()).live().await;
    let locked = Fake::start(Behaviour::LogIn(clip())).await;
    let log_in = Credentials { user: "admin".into(), password: "right".into() };
    let elsewhere = Fake::start(Behaviour::Redirects(format!("rtsp://localhost:{}/live", locked.port))).await;
    let spec = CameraSpec::new(id("yard"), elsewhere.url()).with_credentials(log_in.clone());
    Watch::start(vec![spec], &settings()).fails_as(CameraFault::Unauthorized).await;
    let same = Fake::start(Behaviour::Redirects(format!("rtsp://127.0.0.1:{}/live", locked.port))).await;
    Watch::start(vec![CameraSpec::new(id("yard"), same.url()).with_credentials(log_in)], &settings()).live().await;
}

#[tokio::test]
async fn pictures_of_impossible_sizes_have_a_name_and_never_reach_a_decoder() {
    // 1024 macroblocks are 16,384 pixels; eight crop units of two pixels leave nothing of one macroblock.
    for (mbs, crop) in [(1024, 0), (1, 8)] {
        let camera = Fake::start(Behaviour::Streams(announcing(&clip(), mbs, crop))).await;
        let watch = &mut Watch::one(camera.url(), &settings());
        watch.fails_as(CameraFault::BadPicture).await;
        assert_eq!(watch.frames.offered(&id("yard")), 0, "{mbs} macroblocks");
        eventually(|| camera.sessions() >= 2).await;
    }
}

#[tokio::test]
async fn time_stamps_that_jump_are_bridged_counted_and_told() {
    // Every 20 frames an hour forward or back.
    let camera = Fake::start(Behaviour::Stamped(clip(), |n| n * 3600 + (n / 20 % 2) * 3600 * 90_000)).await;
    let mut watch = Watch::one(camera.url(), &settings());
    watch.live().await;
    let mut tap = watch.cameras.tap(&id("yard")).unwrap();
    let told = watch.until(|health| health.fault.is_some()).await;
    assert_eq!((told.state, told.fault.unwrap().0), (CameraState::Live, CameraFault::BadTime), "pictures still come");
    let stats = watch.cameras.stream_stats(&id("yard")).unwrap();
    assert!(stats.time_jumps >= 3 && stats.sessions == 1, "{stats:?}");
    let mut last = None;
    for _ in 0..60 {
        let Some(TapItem::Unit(unit)) = tap.next().await else { panic!("only units") };
        let step = last.map_or(40, |last| unit.media_time.as_millis() as i64 - last);
        assert!((1..2_000).contains(&step), "time goes on evenly, not by {step} ms");
        last = Some(unit.media_time.as_millis() as i64);
    }
}

#[tokio::test]
async fn time_stamps_that_stand_still_are_told_and_pictures_go_on() {
    let camera = Fake::start(Behaviour::Stamped(clip(), |_| 7)).await;
    let mut watch = Watch::one(camera.url(), &settings());
    let told = watch.until(|health| health.fault.is_some()).await;
    assert_eq!((told.state, told.fault.unwrap().0), (CameraState::Live, CameraFault::BadTime));
    let before = watch.frames.newest(&id("yard")).unwrap().media_time;
    let offered = watch.frames.offered(&id("yard"));
    watch.offered(&id("yard"), offered + 2).await;
    assert!(watch.frames.newest(&id("yard")).unwrap().media_time > before, "time goes on without the camera's help");
}

#[tokio::test]
async fn a_stream_that_changes_size_half_way_is_decoded_in_its_new_size() {
    let both: Vec<Unit> = [h264(&grey(60), (160, 96), false), h264(&grey(200), (320, 192), false)]
        .iter()
        .flat_map(|clip| clip.iter().map(|unit| Unit { data: unit.data.clone(), key: unit.key }))
        .collect();
    let camera = Fake::start(Behaviour::Streams(Arc::new(both))).await;
    let mut watch = Watch::one(camera.url(), &settings());
    let decoder = Decoder::new();
    for (size, level) in [((160, 96), 60.0), ((320, 192), 200.0), ((160, 96), 60.0)] {
        watch.until(|health| health.size_px == Some(size)).await;
        // The report comes after the key frame was offered.
        let frame = loop {
            match watch.frames.take(&id("yard")).filter(|frame| frame.size_px == size) {
                Some(frame) => break frame,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        let picture = decoder.decode(&frame).unwrap();
        assert_eq!((picture.width as u32, picture.height as u32), size);
        assert!((brightness(&picture) - (16.0 + level * 219.0 / 255.0)).abs() < 3.0, "{size:?}: {}", brightness(&picture));
    }
    assert_eq!(camera.sessions(), 1);
}

#[tokio::test]
async fn a_stream_that_changes_its_codec_is_decoded_in_the_new_one() {
    let h265 = units(&format!(
        "{} num-buffers=20 ! video/x-raw,format=I420,width=160,height=96,framerate=25/1 ! x265enc key-int-max=10 tune=zerolatency \
         ! h265parse config-interval=-1 ! video/x-h265,stream-format=byte-stream,alignment=au",
        grey(128)
    ));
    let camera = Fake::start(Behaviour::ChangesCodec(clip(), h265)).await;
    let mut watch = Watch::one(camera.url(), &settings());
    assert_eq!(watch.live().await.codec.as_deref(), Some("h264"));
    let back = watch.until(|health| health.codec.as_deref() == Some("h265")).await;
    assert_eq!(back.state, CameraState::Live);
    assert!(Decoder::new().decode(&watch.frames.newest(&id("yard")).unwrap()).is_ok());
}

#[tokio::test]
async fn broken_nal_units_are_garbage_of_their_camera_alone() {
    let clip = clip();
    // After the first ten frames, units that no encoder writes: reserved types, cut slices, the forbidden bit.
    for junk in [&[0x1f_u8, 1, 2, 3][..], &[0xe5, 0xff, 0xff], &[0x7c], &[0x78, 0xff, 0xff, 1]] {
        let mut broken: Vec<Unit> = clip[..10].iter().map(|unit| Unit { data: unit.data.clone(), key: unit.key }).collect();
        broken.push(Unit { data: [&[0, 0, 0, 1][..], junk].concat(), key: false });
        let (bad, good) = (Fake::start(Behaviour::Streams(Arc::new(broken))).await, Fake::start(Behaviour::Streams(clip.clone())).await);
        let specs = vec![CameraSpec::new(id("bad"), bad.url()), CameraSpec::new(id("good"), good.url())];
        let mut watch = Watch::start(specs, &settings());
        let told = watch.until(|health| health.camera == id("bad") && health.state == CameraState::Offline).await;
        assert_eq!(told.fault.unwrap().0, CameraFault::Garbage, "{junk:?}");
        let offered = watch.frames.offered(&id("good"));
        watch.offered(&id("good"), offered + 2).await;
        assert!(watch.pending_reports().iter().all(|health| health.camera != id("good") || health.state != CameraState::Offline));
    }
}

#[tokio::test]
async fn a_damaged_key_frame_is_refused_and_the_next_one_counts() {
    let clip = clip();
    let mut damaged: Vec<Unit> = clip.iter().map(|unit| Unit { data: unit.data.clone(), key: unit.key }).collect();
    let length = damaged[0].data.len();
    // The tail of the first slice is another picture's.
    damaged[0].data[length - 40..].iter_mut().for_each(|byte| *byte = byte.wrapping_mul(31).max(4));
    let camera = Fake::start(Behaviour::Streams(Arc::new(damaged))).await;
    let watch = Watch::one(camera.url(), &settings());
    let (decoder, mut good, mut seen) = (Decoder::new(), 0, 0);
    while seen < 12 && good < 4 {
        match watch.frames.take(&id("yard")) {
            Some(frame) => {
                seen += 1;
                // A damaged picture is an error or decodes to what it always was; it never takes the next ones with it.
                good += u32::from(decoder.decode(&frame).is_ok());
            }
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    assert!(good >= 4, "{good} of {seen}");
}

/// A clip whose parameter sets announce another size: so many macroblocks a side, less `crop` units on the right.
fn announcing(clip: &[Unit], mbs: u32, crop: u32) -> Arc<Vec<Unit>> {
    let sps = sps(mbs, crop);
    let changed = clip.iter().map(|unit| {
        let mut data = Vec::new();
        for nal in crate::fake::split(&unit.data) {
            data.extend_from_slice(&[0, 0, 0, 1]);
            data.extend_from_slice(if nal[0] & 0x1f == 7 { &sps } else { nal });
        }
        Unit { data, key: unit.key }
    });
    Arc::new(changed.collect())
}

/// A sequence parameter set of the baseline profile (ITU-T H.264, 7.3.2.1.1).
fn sps(mbs: u32, crop: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    // Identifier, frame number length, picture order by decoding, one reference, no gaps, size, frames only, direct 8x8.
    [0, 0, 2, 1].into_iter().for_each(|value| bits.ue(value));
    bits.put(0, 1);
    bits.ue(mbs - 1);
    bits.ue(mbs - 1);
    bits.put(0b11, 2);
    bits.put(u32::from(crop > 0), 1);
    if crop > 0 {
        [0, crop, 0, 0].into_iter().for_each(|value| bits.ue(value));
    }
    // No usability information; stop bit.
    bits.put(0b01, 2);
    [&[0x67, 66, 0xc0, 51][..], &bits.bytes()].concat()
}

#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        (0..count).rev().for_each(|bit| self.0.push(value >> bit & 1 == 1));
    }
    /// Exponential Golomb.
    fn ue(&mut self, value: u32) {
        let length = 32 - (value + 1).leading_zeros();
        self.put(0, length - 1);
        self.put(value + 1, length);
    }
    fn bytes(&self) -> Vec<u8> {
        self.0.chunks(8).map(|bits| bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at))).collect()
    }
}
