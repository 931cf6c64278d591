//! Video files as cameras, and as frames for evaluation.

use std::{path::Path, time::Duration};

use qorgan_domain::{CameraFault, CameraState};
use qorgan_ingest::camera::{
    CameraError, CameraSpec, CameraUrl, Codec, Decoder,
    file::{Which, frames},
    probe,
};

use crate::{
    clips::{grey, write},
    watch::{LONG, Watch, brightness, id, settings},
};

const MP4: &str = "x264enc key-int-max=10 option-string=scenecut=0 ! h264parse ! mp4mux";

fn url(path: &Path) -> CameraUrl {
    path.to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_file_camera_loops_and_its_time_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clip.mp4");
    // 1.2 s with a key frame each 0.4 s.
    write(&path, &grey(128), 30, MP4);
    let mut watch = Watch::one(url(&path), &settings());
    let live = watch.live().await;
    assert_eq!((live.codec.as_deref(), live.size_px), (Some("h264"), Some((64, 48))));
    let mut last = None;
    for count in 1..=5 {
        watch.offered(&id("yard"), count).await;
        let frame = watch.frames.newest(&id("yard")).unwrap();
        assert!(last.is_none_or(|last| frame.media_time > last), "time never goes back");
        last = Some(frame.media_time);
        assert!(Decoder::new().decode(&frame).is_ok());
    }
    assert!(last.unwrap() >= Duration::from_millis(1200), "the fifth key frame is from the second time round: {last:?}");
    assert!(watch.pending_reports().iter().all(|report| report.state == CameraState::Live));
}

#[tokio::test]
async fn a_file_that_is_not_looped_ends() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clip.mp4");
    write(&path, &grey(128), 12, MP4);
    let spec = CameraSpec { loop_file: false, ..CameraSpec::new(id("yard"), url(&path)) };
    let mut watch = Watch::start(vec![spec], &settings());
    watch.live().await;
    watch.fails_as(CameraFault::Ended).await;
    assert_eq!(watch.frames.offered(&id("yard")), 2);
}

#[tokio::test]
async fn a_missing_file_is_not_found_and_named() {
    let detail = Watch::one("/nowhere/clip.mp4".parse().unwrap(), &settings()).fails_as(CameraFault::NotFound).await;
    assert!(detail.contains("/nowhere/clip.mp4"), "{detail}");
    let dir = tempfile::tempdir().unwrap();
    Watch::one(url(dir.path()), &settings()).fails_as(CameraFault::NotFound).await;
}

#[tokio::test]
async fn a_file_that_is_no_video_is_garbage() {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in [("empty.mp4", vec![]), ("noise.mp4", (0..9999_u32).map(|i| ((i * i) >> 3) as u8).collect())] {
        let path = dir.path().join(name);
        std::fs::write(&path, &content).unwrap();
        Watch::one(url(&path), &settings()).fails_as(CameraFault::Garbage).await;
    }
}

#[tokio::test]
async fn a_file_in_another_codec_is_refused_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clip.webm");
    write(&path, &grey(128), 5, "vp8enc deadline=1 ! webmmux");
    let detail = Watch::one(url(&path), &settings()).fails_as(CameraFault::BadCodec).await;
    assert!(detail.contains("vp8"), "{detail}");
}

#[test]
fn all_frames_of_a_file_come_in_order_with_their_times() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clip.mp4");
    // B frames: decoding order is not display order.
    write(&path, "videotestsrc pattern=ball", 30, "x264enc key-int-max=10 bframes=3 b-adapt=false ! h264parse ! mp4mux");
    let times = |which| -> Vec<u128> { frames(&path, which).unwrap().map(|frame| frame.unwrap().0.as_millis()).collect() };
    let all = times(Which::All);
    assert_eq!(all.len(), 30);
    let steps: Vec<u128> = all.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| (39..=41).contains(step)), "{all:?}");
    let keys = times(Which::KeyFrames);
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|time| all.contains(time)), "{keys:?} in {all:?}");
}

#[test]
fn files_of_other_codecs_decode() {
    let dir = tempfile::tempdir().unwrap();
    // Grey 200 is 188 in limited range.
    let cases = [
        ("mpeg4.avi", "avenc_mpeg4 gop-size=5 ! mpeg4videoparse ! avimux", 188.0),
        ("divx3.avi", "avenc_msmpeg4 gop-size=5 ! avimux", 188.0),
        // jpegenc writes that 188 as it is; a JPEG is full range, so it reads as 16 + 188 * 219 / 255.
        ("mjpeg.avi", "jpegenc ! avimux", 177.0),
        ("h264.mkv", "x264enc key-int-max=5 ! h264parse ! matroskamux", 188.0),
        ("h265.mp4", "x265enc key-int-max=5 ! h265parse ! mp4mux", 188.0),
    ];
    for (name, encode, level) in cases {
        let path = dir.path().join(name);
        write(&path, &grey(200), 10, encode);
        for (which, least) in [(Which::All, 10), (Which::KeyFrames, 2)] {
            let pictures: Vec<_> = frames(&path, which)
                .unwrap()
                .map(|frame| frame.unwrap_or_else(|error| panic!("{name} {which:?}: {}", error.one_line())).1)
                .collect();
            assert!(pictures.len() >= least, "{name} {which:?}: {}", pictures.len());
            for picture in &pictures {
                assert_eq!((picture.width, picture.height), (64, 48), "{name}");
                assert!((brightness(picture) - level).abs() < 4.0, "{name} {which:?}: {}", brightness(picture));
            }
        }
    }
}

#[test]
fn frames_of_a_missing_file_say_so_at_once() {
    let Err(CameraError::File { fault, .. }) = frames(Path::new("/nowhere.avi"), Which::All) else { panic!("it does not exist") };
    assert_eq!(fault, CameraFault::NotFound);
}

#[tokio::test]
async fn a_probe_of_a_file_tells_what_is_inside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clip.mp4");
    write(&path, &grey(128), 30, MP4);
    let report = probe(&url(&path), None, LONG).await;
    assert_eq!((report.codec, report.size_px, report.decodes), (Some(Codec::H264), Some((64, 48)), Some(true)));
    assert!((report.key_frame_interval_s.unwrap() - 0.4).abs() < 0.01, "{report:?}");
}
