//! Video files: access units for file cameras, and decoded frames with their time stamps for evaluation.
//!
//! GStreamer finds the container; nothing is decoded in its pipeline. By hand:
//!
//! ```text
//! gst-launch-1.0 filesrc location=clip.mp4 ! parsebin ! h264parse config-interval=-1 \
//!   ! video/x-h264,stream-format=byte-stream,alignment=au ! fakesink dump=true
//! ```

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;
use qorgan_domain::{CameraFault, I420};

use super::{CameraError, Codec, Decoder, decoder::PadDecoder, gst_log};

/// Longest silence of the demultiplexer before a file counts as stuck (a file on a dead network share).
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Which frames of a file to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Every frame, in display order.
    All,
    /// Key frames only, each decoded by itself, as the hub does with cameras.
    KeyFrames,
}

/// Decodes a video file at full speed, with the file's own time stamps.
///
/// # Errors
/// When the file cannot be opened. What goes wrong later comes out of the iterator, which ends after it.
pub fn frames(path: &Path, which: Which) -> Result<Frames, CameraError> {
    Ok(Frames { reader: Reader::open(path)?, which, keys: Decoder::new(), all: None, done: false })
}

/// Iterator over the decoded frames of a file: (time stamp, picture).
pub struct Frames {
    reader: Reader,
    which: Which,
    keys: Decoder,
    all: Option<PadDecoder>,
    done: bool,
}

impl Frames {
    fn step(&mut self) -> Result<Option<(Duration, I420)>, CameraError> {
        loop {
            if let Some(picture) = self.all.as_mut().and_then(PadDecoder::pop) {
                let (pts, picture) = picture?;
                return Ok(Some((pts.into(), picture)));
            }
            if self.done {
                return Ok(None);
            }
            let Some(unit) = self.reader.next_unit()? else {
                self.done = true;
                if let Some(decoder) = &mut self.all {
                    decoder.drain();
                }
                continue;
            };
            match self.which {
                Which::KeyFrames if unit.key => {
                    return Ok(Some((unit.pts, self.keys.decode_unit(unit.codec, unit.size_px, &unit.data)?)));
                }
                Which::KeyFrames => {}
                Which::All => {
                    let decoder = match &mut self.all {
                        Some(decoder) => decoder,
                        none => none.insert(PadDecoder::new(unit.codec, unit.size_px)?),
                    };
                    decoder.push(unit.data, gst::ClockTime::try_from(unit.pts).unwrap_or_default(), !unit.key)?;
                }
            }
        }
    }
}

impl Iterator for Frames {
    type Item = Result<(Duration, I420), CameraError>;
    fn next(&mut self) -> Option<Self::Item> {
        let result = self.step();
        if result.is_err() {
            self.done = true;
            self.all = None;
        }
        result.transpose()
    }
}

/// An access unit of a file.
pub(super) struct Unit {
    pub data: Bytes,
    pub pts: Duration,
    /// When it is decoded; frames that are shown later may be due earlier.
    pub due: Duration,
    /// End of the unit's display time.
    pub until: Duration,
    pub key: bool,
    pub codec: Codec,
    pub size_px: (u32, u32),
}

/// What the demultiplexer found, filled in by its thread.
#[derive(Default)]
struct Found {
    codec: Option<Codec>,
    others: Vec<String>,
    /// No more streams will be found.
    complete: bool,
}

/// Reads a file's video access units in decoding order. Blocks; use it in a thread that may.
pub(super) struct Reader {
    path: PathBuf,
    pipeline: gst::Pipeline,
    sink: AppSink,
    found: Arc<Mutex<Found>>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, CameraError> {
        let file = |fault, message: String| CameraError::File { path: path.into(), fault, message };
        match std::fs::metadata(path) {
            Ok(found) if found.is_file() => {}
            Ok(_) => return Err(file(CameraFault::NotFound, "is not a file".into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(file(CameraFault::NotFound, "does not exist".into())),
            Err(error) => return Err(file(CameraFault::Other, error.to_string())),
        }
        let broken = |what: &str| file(CameraFault::Other, format!("GStreamer: {what} (qorgan doctor says what is missing)"));
        gst_log::init().map_err(|error| broken(&error))?;
        let make = |name: &str| gst::ElementFactory::make(name).build().map_err(|_| broken(&format!("no element {name}")));
        let pipeline = gst::Pipeline::new();
        let (source, parse) = (make("filesrc")?, make("parsebin")?);
        source.set_property("location", path);
        let sink = AppSink::builder().sync(false).max_buffers(8).enable_last_sample(false).build();
        pipeline.add_many([&source, &parse, sink.upcast_ref()]).map_err(|_| broken("the pipeline cannot be built"))?;
        source.link(&parse).map_err(|_| broken("the pipeline cannot be linked"))?;
        let found = Arc::new(Mutex::new(Found::default()));
        parse.connect_pad_added({
            let (pipeline, sink, found) = (pipeline.downgrade(), sink.downgrade(), found.clone());
            move |_, pad| {
                if let (Some(pipeline), Some(sink)) = (pipeline.upgrade(), sink.upgrade()) {
                    connect(&pipeline, &sink, &found, pad);
                }
            }
        });
        // A stream that nothing is linked to may end before the last is found: either signal says "that was all".
        let complete = {
            let found = found.clone();
            move || found.lock().unwrap_or_else(PoisonError::into_inner).complete = true
        };
        parse.connect_no_more_pads({
            let complete = complete.clone();
            move |_| complete()
        });
        parse.connect("drained", false, move |_| {
            complete();
            None
        });
        let reader = Self { path: path.into(), pipeline, sink, found };
        // A failure is on the bus, with its reason; the first read finds it there.
        let _ = reader.pipeline.set_state(gst::State::Playing);
        Ok(reader)
    }

    /// The next access unit; `None` at the end of the file.
    pub(super) fn next_unit(&mut self) -> Result<Option<Unit>, CameraError> {
        let deadline = Instant::now() + READ_TIMEOUT;
        loop {
            if let Some(sample) = self.sink.try_pull_sample(gst::ClockTime::from_mseconds(100)) {
                return self.unit(&sample).map(Some);
            }
            if let Some(error) = self.error() {
                return Err(error);
            }
            if self.sink.is_eos() {
                return Ok(None);
            }
            if Instant::now() > deadline {
                return Err(CameraError::Stalled { what: "data from the file", after: READ_TIMEOUT });
            }
        }
    }

    fn unit(&self, sample: &gst::Sample) -> Result<Unit, CameraError> {
        let garbage = |message: &str| CameraError::File { path: self.path.clone(), fault: CameraFault::Garbage, message: message.into() };
        let codec = self.found.lock().unwrap_or_else(PoisonError::into_inner).codec.ok_or_else(|| garbage("no codec"))?;
        let shape = sample.caps().and_then(|caps| caps.structure(0)).ok_or_else(|| garbage("no caps"))?;
        let side = |name: &str| shape.get::<i32>(name).ok().and_then(|px| u32::try_from(px).ok());
        let size_px = side("width").zip(side("height")).ok_or_else(|| garbage("no picture size"))?;
        let buffer = sample.buffer().ok_or_else(|| garbage("an empty sample"))?;
        let pts: Duration = buffer.pts().or(buffer.dts()).unwrap_or_default().into();
        let data = buffer.map_readable().map_err(|_| garbage("unreadable data"))?;
        if data.len() > super::source::MAX_UNIT_BYTES {
            return Err(CameraError::TooLarge { bytes: data.len(), limit: super::source::MAX_UNIT_BYTES });
        }
        Ok(Unit {
            data: Bytes::copy_from_slice(&data),
            pts,
            due: buffer.dts().map_or(pts, |dts| pts.min(dts.into())),
            until: pts + buffer.duration().map_or(Duration::from_millis(40), Duration::from),
            key: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
            codec,
            size_px,
        })
    }

    /// What the pipeline has reported, if anything.
    fn error(&self) -> Option<CameraError> {
        let message = self.pipeline.bus()?.pop_filtered(&[gst::MessageType::Error]);
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing is linked then, so the sink would never see the end of the file.
        let seen_all = found.complete || (message.is_some() && !found.others.is_empty());
        if found.codec.is_none() && seen_all {
            if found.others.is_empty() {
                let message = "holds nothing that is known as video".to_owned();
                return Some(CameraError::File { path: self.path.clone(), fault: CameraFault::Garbage, message });
            }
            let offered = found.others.join(", ");
            let video = found.others.iter().any(|name| name.starts_with("video/") || name.starts_with("image/"));
            return Some(if video { CameraError::Codec { offered } } else { CameraError::NoVideo { offered } });
        }
        let message = message?;
        let gst::MessageView::Error(report) = message.view() else { return None };
        let error = report.error();
        let fault = if error.matches(gst::ResourceError::NotFound) {
            CameraFault::NotFound
        } else if error.matches(gst::StreamError::CodecNotFound) {
            CameraFault::BadCodec
        } else if error.kind::<gst::StreamError>().is_some() {
            CameraFault::Garbage
        } else {
            CameraFault::Other
        };
        Some(CameraError::File { path: self.path.clone(), fault, message: error.message().to_owned() })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Links the first video stream that the hub decodes; notes what else is there.
fn connect(pipeline: &gst::Pipeline, sink: &AppSink, found: &Mutex<Found>, pad: &gst::Pad) {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(shape) = caps.structure(0) else {
        found.others.push("a stream of no known kind".into());
        return;
    };
    let Some((codec, parser)) = codec_of(shape).filter(|_| found.codec.is_none()) else {
        found.others.push(shape.name().to_string());
        return;
    };
    let link = || -> Option<()> {
        let Some(description) = parser else { return pad.link(&sink.static_pad("sink")?).ok().map(drop) };
        let bin = gst::parse::bin_from_description(description, true).ok()?;
        pipeline.add(&bin).ok()?;
        bin.link(sink).ok()?;
        bin.sync_state_with_parent().ok()?;
        pad.link(&bin.static_pad("sink")?).ok().map(drop)
    };
    match link() {
        Some(()) => found.codec = Some(codec),
        None => found.others.push(shape.name().to_string()),
    }
}

// Annex B, whole access units, parameter sets in front of every key frame.
pub(super) const TO_H264: &str = "h264parse config-interval=-1 ! capsfilter caps=video/x-h264,stream-format=byte-stream,alignment=au";
pub(super) const TO_H265: &str = "h265parse config-interval=-1 ! capsfilter caps=video/x-h265,stream-format=byte-stream,alignment=au";

/// Codec of a stream, and the elements that put it into the form the decoder takes.
pub(super) fn codec_of(shape: &gst::StructureRef) -> Option<(Codec, Option<&'static str>)> {
    match shape.name().as_str() {
        "video/x-h264" => Some((Codec::H264, Some(TO_H264))),
        "video/x-h265" => Some((Codec::H265, Some(TO_H265))),
        "video/mpeg" if shape.get::<i32>("mpegversion") == Ok(4) => Some((Codec::Mpeg4, Some("mpeg4videoparse config-interval=-1"))),
        "video/x-divx" if shape.get::<i32>("divxversion") == Ok(3) => Some((Codec::Msmpeg4, None)),
        // The same under its other fourcc.
        "video/x-msmpeg" if shape.get::<i32>("msmpegversion") == Ok(43) => Some((Codec::Msmpeg4, None)),
        "image/jpeg" => Some((Codec::Mjpeg, None)),
        _ => None,
    }
}
