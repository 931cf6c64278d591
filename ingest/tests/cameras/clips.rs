//! Small encoded clips, made when a test asks: flat grey of a known level, or noise.

use std::{path::Path, sync::Arc};

use gstreamer::{self as gst, prelude::*};

/// An access unit of a clip.
pub(crate) struct Unit {
    pub(crate) data: Vec<u8>,
    pub(crate) key: bool,
}

/// Flat grey that brightens slowly from `level`: pictures of two clips are told apart by their mean.
pub(crate) fn grey(level: u8) -> String {
    format!("videotestsrc pattern=solid-color foreground-color={}", u32::from_be_bytes([255, level, level, level]))
}

/// Every access unit of an H.264 clip: 30 frames, a key frame each 10, three B frames in a row when asked.
pub(crate) fn h264(source: &str, (width, height): (u32, u32), b_frames: bool) -> Arc<Vec<Unit>> {
    let b_frames = if b_frames { "bframes=3 b-adapt=false rc-lookahead=10" } else { "tune=zerolatency" };
    units(&format!(
        "{source} num-buffers=30 ! video/x-raw,format=I420,width={width},height={height},framerate=25/1 \
         ! x264enc speed-preset=veryfast key-int-max=10 option-string=scenecut=0 {b_frames} \
         ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au"
    ))
}

/// Writes a clip into a file: `encode` ends in a multiplexer.
pub(crate) fn write(path: &Path, source: &str, frames: u32, encode: &str) {
    run(&format!(
        "{source} num-buffers={frames} ! video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! {encode} ! filesink location={}",
        path.display()
    ));
}

/// Runs a pipeline to its end.
pub(crate) fn run(description: &str) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let end = bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &[gst::MessageType::Eos, gst::MessageType::Error]);
    pipeline.set_state(gst::State::Null).unwrap();
    let end = end.expect("the pipeline ends");
    assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
}

/// What the pipeline's last element puts out.
pub(crate) fn units(description: &str) -> Arc<Vec<Unit>> {
    gst::init().unwrap();
    let pipeline =
        gst::parse::launch(&format!("{description} ! appsink name=out sync=false")).unwrap().downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("out").unwrap().downcast::<gstreamer_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut units = Vec::new();
    while let Ok(sample) = sink.pull_sample() {
        let buffer = sample.buffer().unwrap();
        let key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        units.push(Unit { data: buffer.map_readable().unwrap().to_vec(), key });
    }
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(units.iter().any(|unit| unit.key), "{description} makes key frames");
    Arc::new(units)
}
