//! Clips for the camera benches, made once of the demo's footage (`vtest.avi`: a real path, real people) as cameras encode.
//!
//! Faster than it was filmed, so that every frame is another picture, as with a camera of that rate. By hand, the sub stream is:
//!
//! ```text
//! gst-launch-1.0 filesrc location=var/footage/campus.mp4 ! qtdemux ! h264parse ! avdec_h264 ! videocrop top=72 bottom=72 \
//!   ! videorate rate=1.5 ! videoscale ! video/x-raw,format=I420,width=640,height=360,framerate=15/1 \
//!   ! x264enc tune=zerolatency speed-preset=veryfast bitrate=512 key-int-max=50 option-string=scenecut=0 \
//!   ! h264parse ! mp4mux ! filesink location=var/footage/bench-sub.mp4
//! ```

use std::path::{Path, PathBuf};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video::{VideoFrameExt, VideoFrameRef, VideoInfo};
use qorgan_domain::I420;
use qorgan_inference::{Detection, Detector};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{cameras::ServerError, paths};

/// How a camera encodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// 640x360 at 15 frames a second, a key frame every 3.3 s.
    Sub,
    /// 1920x1080 at 25 frames a second, a key frame every 2 s.
    Main,
}

/// Frames between two key frames, of both profiles.
const KEY_EVERY: u32 = 50;
/// Rate of the source.
const SOURCE_FPS: u32 = 10;

impl Profile {
    /// Name in files and figures.
    pub fn as_str(self) -> &'static str {
        match self {
            Profile::Sub => "sub",
            Profile::Main => "main",
        }
    }
    /// Width and height in pixels.
    pub fn size_px(self) -> (u32, u32) {
        match self {
            Profile::Sub => (640, 360),
            Profile::Main => (1920, 1080),
        }
    }
    /// Frames a second.
    pub fn fps(self) -> u32 {
        match self {
            Profile::Sub => 15,
            Profile::Main => 25,
        }
    }
    /// Seconds between two key frames.
    pub fn key_frame_s(self) -> f64 {
        f64::from(KEY_EVERY) / f64::from(self.fps())
    }
    fn kbit_per_s(self) -> u32 {
        match self {
            Profile::Sub => 512,
            Profile::Main => 3_000,
        }
    }
    fn encoder(self, file: &Path) -> String {
        let ((width, height), fps) = (self.size_px(), self.fps());
        format!(
            "videoscale ! video/x-raw,format=I420,width={width},height={height},framerate={fps}/1 \
             ! x264enc tune=zerolatency speed-preset=veryfast bitrate={} key-int-max={KEY_EVERY} option-string=scenecut=0 \
             ! video/x-h264,profile=main ! h264parse ! mp4mux ! filesink location=\"{}\"",
            self.kbit_per_s(),
            file.display()
        )
    }
}

/// The clip of a profile, made if it is not there: the whole footage.
pub fn footage(profile: Profile) -> Result<PathBuf, ServerError> {
    let file = paths::var().join(format!("footage/bench-{}.mp4", profile.as_str()));
    make(&file, |to| {
        let rate = f64::from(profile.fps()) / f64::from(SOURCE_FPS);
        let source = source("avdec_h264 max-threads=1");
        run(&pipeline(&format!("{source} ! videocrop top=72 bottom=72 ! videorate rate={rate} ! {}", profile.encoder(to)))?)
    })?;
    Ok(file)
}

/// A clip in which five people come from one frame to the next.
#[derive(Debug, Clone)]
pub struct Step {
    /// The file.
    pub file: PathBuf,
    /// Length in seconds.
    pub length_s: f64,
    /// They come at this second and are gone at the end.
    pub at_s: f64,
}

/// People who come.
pub const COMERS: usize = 5;
/// Seconds before they come, and after.
const HALF_S: u32 = 30;

/// The clip of the five who come, made if it is not there: the emptiest frame of the footage, and the same with five people cut
/// out of other frames at the very place where the fixed camera saw them.
pub fn step(profile: Profile, detector: &mut Detector) -> Result<Step, ServerError> {
    let file = paths::var().join(format!("footage/bench-step-{}.mp4", profile.as_str()));
    make(&file, |to| {
        let (before, after) = five_come(detector)?;
        play_stills(profile, vec![before, after], to)
    })?;
    Ok(Step { file, length_s: f64::from(2 * HALF_S), at_s: f64::from(HALF_S) })
}

/// A minute of one frame of the footage, with a sensor's noise: a truly still scene as a camera encodes it.
pub fn still(profile: Profile) -> Result<PathBuf, ServerError> {
    let file = paths::var().join(format!("footage/bench-still-{}.mp4", profile.as_str()));
    make(&file, |to| {
        let picture = pictures(100_000)?.into_iter().next().ok_or_else(|| missing("a frame of the footage"))?;
        play_stills(profile, vec![picture.clone(), picture], to)
    })?;
    Ok(file)
}

/// Encodes pictures one after another, each for half a minute, with a sensor's noise, so that no two frames are the same.
fn play_stills(profile: Profile, pictures: Vec<I420>, to: &Path) -> Result<(), ServerError> {
    let fps = profile.fps();
    let (width, height) = pictures.first().map_or((0, 0), |picture| (picture.width, picture.height));
    let pipeline = pipeline(&format!(
        "appsrc name=in format=time block=true max-buffers=8 caps=video/x-raw,format=I420,width={width},height={height},framerate={fps}/1 \
         ! videocrop top=72 bottom=72 ! {}",
        profile.encoder(to)
    ))?;
    let input = pipeline.by_name("in").and_then(|e| e.downcast::<AppSrc>().ok()).ok_or_else(|| missing("appsrc"))?;
    let feeding = std::thread::spawn(move || {
        let mut random = StdRng::seed_from_u64(5);
        // Drawn once; every frame begins at another place of it.
        let noise: Vec<u8> = (0..width * height + 10_007).map(|_| random.random_range(0..5)).collect();
        let frame_time = gst::ClockTime::SECOND / u64::from(fps);
        let frames = pictures.iter().flat_map(|picture| std::iter::repeat_n(picture, (HALF_S * fps) as usize));
        for (i, picture) in (0u64..).zip(frames) {
            let own = &noise[random.random_range(0..10_007)..];
            let mut bytes: Vec<u8> = picture.y.iter().zip(own).map(|(luma, noise)| luma.saturating_add(*noise).saturating_sub(2)).collect();
            bytes.extend_from_slice(&picture.u);
            bytes.extend_from_slice(&picture.v);
            let mut buffer = gst::Buffer::from_mut_slice(bytes);
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(frame_time * i);
                buffer.set_duration(frame_time);
            }
            if input.push_buffer(buffer).is_err() {
                return;
            }
        }
        let _ = input.end_of_stream();
    });
    let result = run(&pipeline);
    let _ = feeding.join();
    result
}

/// The emptiest frame, and the same with five people more.
fn five_come(detector: &mut Detector) -> Result<(I420, I420), ServerError> {
    let mut seen: Vec<(I420, Vec<Detection>)> = Vec::new();
    for picture in pictures(8)? {
        let boxes = detector.detect(&picture).map_err(|error| ServerError::GStreamer(error.to_string()))?;
        seen.push((picture, boxes));
    }
    let emptiest = seen.iter().enumerate().min_by_key(|(_, (_, boxes))| boxes.len()).map(|(i, _)| i).unwrap_or(0);
    let (before, mut taken) = seen.get(emptiest).cloned().ok_or_else(|| missing("a frame of the footage"))?;
    let (mut after, mut come) = (before.clone(), 0);
    // Those that the detector is surest of first.
    let mut people: Vec<(usize, Detection)> =
        seen.iter().enumerate().flat_map(|(i, (_, boxes))| boxes.iter().map(move |person| (i, *person))).collect();
    people.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    for (from, person) in people {
        // The picture is cut to its middle 432 rows.
        let inside = person.y0 > 90.0 && person.y1 < 486.0 && person.x0 > 12.0 && person.x1 < 756.0;
        let free = taken.iter().all(|other| apart(other, &person, 8.0));
        // Nobody else of the other frame may come along.
        let alone = seen[from].1.iter().filter(|other| !apart(other, &person, 6.0)).count() == 1;
        if inside && free && alone && come < COMERS {
            paste(&seen[from].0, &mut after, &person);
            taken.push(person);
            come += 1;
        }
    }
    if come == COMERS { Ok((before, after)) } else { Err(missing("five people at free places of the footage")) }
}

/// Whether two boxes have this many pixels between them.
fn apart(a: &Detection, b: &Detection, gap: f32) -> bool {
    a.x1 + gap < b.x0 || b.x1 + gap < a.x0 || a.y1 + gap < b.y0 || b.y1 + gap < a.y0
}

/// Copies a box with a little of what is around it.
fn paste(from: &I420, to: &mut I420, place: &Detection) {
    let even = |value: f32| (value.max(0.0) as usize) & !1;
    let (x0, x1) = (even(place.x0 - 5.0), even(place.x1 + 6.0).min(to.width));
    let (y0, y1) = (even(place.y0 - 5.0), even(place.y1 + 6.0).min(to.height));
    for y in y0..y1 {
        to.y[y * to.y_stride + x0..y * to.y_stride + x1].copy_from_slice(&from.y[y * from.y_stride + x0..y * from.y_stride + x1]);
    }
    for y in y0 / 2..y1 / 2 {
        let range = |stride: usize| y * stride + x0 / 2..y * stride + x1 / 2;
        to.u[range(to.uv_stride)].copy_from_slice(&from.u[range(from.uv_stride)]);
        to.v[range(to.uv_stride)].copy_from_slice(&from.v[range(from.uv_stride)]);
    }
}

/// Every so many-th picture of the footage, in their order.
pub fn pictures(every: usize) -> Result<Vec<I420>, ServerError> {
    let pipeline = pipeline(&format!("{} ! videoconvert ! video/x-raw,format=I420 ! appsink name=out sync=false", source("avdec_h264")))?;
    let sink = pipeline.by_name("out").and_then(|e| e.downcast::<AppSink>().ok()).ok_or_else(|| missing("appsink"))?;
    pipeline.set_state(gst::State::Playing).map_err(|error| ServerError::GStreamer(error.to_string()))?;
    let mut pictures = Vec::new();
    for i in 0.. {
        let Ok(sample) = sink.pull_sample() else { break };
        if i % every != 0 {
            continue;
        }
        pictures.extend(to_i420(&sample));
    }
    let _ = pipeline.set_state(gst::State::Null);
    Ok(pictures)
}

/// A sample of I420 as a picture.
pub fn to_i420(sample: &gst::Sample) -> Option<I420> {
    let info = VideoInfo::from_caps(sample.caps()?).ok()?;
    let frame = VideoFrameRef::from_buffer_ref_readable(sample.buffer()?, &info).ok()?;
    let plane = |i: u32| frame.plane_data(i).ok().map(<[u8]>::to_vec);
    let stride = |i: usize| frame.plane_stride().get(i).and_then(|stride| usize::try_from(*stride).ok());
    Some(I420 {
        width: info.width() as usize,
        height: info.height() as usize,
        y: plane(0)?,
        u: plane(1)?,
        v: plane(2)?,
        y_stride: stride(0)?,
        uv_stride: stride(1)?,
    })
}

fn source(decoder: &str) -> String {
    format!("filesrc location=\"{}\" ! qtdemux ! h264parse ! {decoder}", paths::campus_clip().display())
}

/// Makes a file beside its place and renames it, so that it is there whole or not at all.
fn make(file: &Path, how: impl FnOnce(&Path) -> Result<(), ServerError>) -> Result<(), ServerError> {
    if file.is_file() {
        return Ok(());
    }
    eprintln!("making {}", file.display());
    let part = file.with_extension(format!("{}.part", std::process::id()));
    how(&part)?;
    std::fs::rename(&part, file).map_err(|error| ServerError::Clip { path: file.into(), message: error.to_string() })
}

fn missing(what: &str) -> ServerError {
    ServerError::GStreamer(format!("{what} is missing"))
}

fn pipeline(description: &str) -> Result<gst::Pipeline, ServerError> {
    let fail = |error: gst::glib::Error| ServerError::GStreamer(format!("{error} in {description}"));
    gst::init().map_err(fail)?;
    gst::parse::launch(description).map_err(fail)?.downcast().map_err(|_| missing("a pipeline"))
}

/// Plays a pipeline to its end.
fn run(pipeline: &gst::Pipeline) -> Result<(), ServerError> {
    let play = || -> Result<(), String> {
        pipeline.set_state(gst::State::Playing).map_err(|error| error.to_string())?;
        let bus = pipeline.bus().ok_or("no bus")?;
        match bus.timed_pop_filtered(gst::ClockTime::NONE, &[gst::MessageType::Eos, gst::MessageType::Error]) {
            Some(message) => match message.view() {
                gst::MessageView::Error(error) => Err(format!("{}: {:?}", error.error(), error.debug())),
                _ => Ok(()),
            },
            None => Err("no end".into()),
        }
    };
    let result = play().map_err(ServerError::GStreamer);
    let _ = pipeline.set_state(gst::State::Null);
    result
}
