//! Key frames to pictures, many cameras through one decoder.
//!
//! The element is driven through two bare pads in the worker's own thread: no pipeline, no queue, no extra
//! thread. By hand, the same is:
//!
//! ```text
//! gst-launch-1.0 filesrc location=clip.mp4 ! qtdemux ! h264parse config-interval=-1 \
//!   ! identity drop-buffer-flags=delta-unit ! avdec_h264 max-threads=1 ! fakesink
//! ```
//!
//! Two traps, both measured: a decoder that reorders (B frames) keeps the newest picture and hands it out
//! when the next camera's frame goes in, unless SEGMENT_DONE follows each key frame; and two picture sizes in
//! one decoder lose frames, so there is one per codec and size. Each picture's time stamp is checked against
//! the key frame's, and a decoder that errs is thrown away.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use gstreamer::{self as gst, prelude::*};
use gstreamer_video::VideoInfo;
use qorgan_domain::I420;

use super::{
    gst_log,
    key_frames::{Codec, KeyFrame},
    picture,
};

/// Decoders kept warm; the one unused for longest goes first. One of 640x360 holds 3 MB, one of 1920x1080 some 20 MB.
const MAX_WARM: usize = 16;

/// Why a key frame gave no picture.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// GStreamer lacks the decoder.
    #[error("GStreamer has no decoder {element}: install gstreamer1.0-libav")]
    Missing {
        /// Name of the element.
        element: &'static str,
    },
    /// The decoder did not start.
    #[error("the decoder {element} did not start")]
    Start {
        /// Name of the element.
        element: &'static str,
    },
    /// A size of zero or beyond the limit.
    #[error("a picture of {width}x{height} pixels is outside 1x1 to {max}x{max}", max = picture::MAX_SIDE_PX)]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The decoder refused the bytes.
    #[error("the decoder refused the key frame ({flow:?})")]
    Refused {
        /// What GStreamer said.
        flow: gst::FlowError,
    },
    /// Nothing came out.
    #[error("the decoder made no picture of the key frame")]
    NoPicture,
    /// Truncated or damaged: the decoder filled parts of the picture with a guess.
    #[error("the key frame is damaged or not whole: the decoder guessed parts of its picture")]
    Damaged,
    /// A picture of another frame came out. It is never handed on.
    #[error("the decoder handed out the picture of another frame")]
    WrongPicture,
    /// A pixel format that the hub does not convert.
    #[error("the decoder's picture format {format} is not supported")]
    PictureFormat {
        /// GStreamer's name of it.
        format: String,
    },
    /// The picture's memory does not fit its description.
    #[error("the decoder's picture cannot be read")]
    Unreadable,
}

impl DecodeError {
    /// Label in metrics.
    fn label(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::Start { .. } => "decoder",
            Self::Size { .. } => "size",
            Self::Refused { .. } => "refused",
            Self::NoPicture => "no_picture",
            Self::Damaged => "damaged",
            Self::WrongPicture => "wrong_picture",
            Self::PictureFormat { .. } => "format",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Decoders shared by all threads that decode: a few per codec and size, never one per camera. A thread takes one out, uses it
/// alone and puts it back, so there are at most as many of a kind as threads at work. Clones share the same decoders.
#[derive(Clone, Default)]
pub struct Decoder {
    pool: Arc<Mutex<Pool>>,
}

/// Codec and size in pixels.
type Kind = (Codec, (u32, u32));

#[derive(Default)]
struct Pool {
    /// Oldest use first.
    warm: Vec<(Kind, PadDecoder)>,
}

impl Decoder {
    /// No decoder yet; each is made when the first key frame of its kind comes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes a key frame in the calling thread.
    ///
    /// # Errors
    /// Each of [`DecodeError`]; the decoder is usable afterwards. Counted by `qorgan_decode_errors_total`.
    pub fn decode(&self, frame: &KeyFrame) -> Result<I420, DecodeError> {
        self.decode_unit(frame.codec, frame.size_px, &frame.data)
    }

    /// Decodes one access unit that needs no other.
    pub(super) fn decode_unit(&self, codec: Codec, size_px: (u32, u32), data: &Bytes) -> Result<I420, DecodeError> {
        let start = Instant::now();
        let result = self.try_decode(codec, size_px, data);
        metrics::histogram!("qorgan_decode_seconds", "codec" => codec.as_str()).record(start.elapsed().as_secs_f64());
        if let Err(error) = &result {
            metrics::counter!("qorgan_decode_errors_total", "reason" => error.label()).increment(1);
        }
        result
    }

    fn try_decode(&self, codec: Codec, size_px: (u32, u32), data: &Bytes) -> Result<I420, DecodeError> {
        picture::check_size(size_px.0, size_px.1)?;
        let kind = (codec, size_px);
        // Taken out, and put back only after a clean result: a decoder that erred or panicked is never used again.
        let warm = self.pool().take(kind);
        let mut decoder = match warm {
            Some(decoder) => decoder,
            None => PadDecoder::new(codec, size_px)?,
        };
        let picture = decoder.decode_one(data)?;
        // A stream whose size differs from what it announced would mix sizes in one decoder.
        if (picture.width, picture.height) == (size_px.0 as usize, size_px.1 as usize) {
            let oldest = self.pool().put(kind, decoder);
            // Outside the lock: ending an element takes a while.
            drop(oldest);
        }
        Ok(picture)
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decoders kept warm, of all kinds.
    pub fn warm(&self) -> usize {
        self.pool().warm.len()
    }
}

impl Pool {
    /// The decoder of this kind that was used last.
    fn take(&mut self, kind: Kind) -> Option<PadDecoder> {
        let at = self.warm.iter().rposition(|(known, _)| *known == kind)?;
        Some(self.warm.remove(at).1)
    }

    /// Puts one back; what has to go for it is returned.
    fn put(&mut self, kind: Kind, decoder: PadDecoder) -> Option<PadDecoder> {
        self.warm.push((kind, decoder));
        (self.warm.len() > MAX_WARM).then(|| self.warm.remove(0).1)
    }
}

#[derive(Default)]
struct Output {
    /// Shape of the pictures to come; each picture keeps the one it came with.
    info: Option<VideoInfo>,
    pictures: VecDeque<(gst::Buffer, Option<VideoInfo>)>,
}

/// One libav element between two bare pads. `push` runs the decoder in the calling thread.
pub(super) struct PadDecoder {
    element: gst::Element,
    input: gst::Pad,
    _output: gst::Pad,
    out: Arc<Mutex<Output>>,
    sequence: u64,
}

/// Distance between the made-up time stamps of two key frames.
const STEP: gst::ClockTime = gst::ClockTime::from_mseconds(40);

impl PadDecoder {
    pub(super) fn new(codec: Codec, size_px: (u32, u32)) -> Result<Self, DecodeError> {
        // Before anything of GStreamer's is touched: in a hub of RTSP cameras only, nothing else starts it.
        gst_log::init().map_err(|_| DecodeError::Start { element: "gstreamer" })?;
        let (name, caps) = decoder_for(codec, size_px);
        let start = || DecodeError::Start { element: name };
        let element = gst::ElementFactory::make(name).build().map_err(|_| DecodeError::Missing { element: name })?;
        // Not every libav element has every property (msmpeg4 decodes in one thread only).
        for (property, value) in [("max-threads", "1"), ("output-corrupt", "false"), ("discard-corrupted-frames", "true"), ("qos", "false")]
        {
            if element.has_property(property) {
                element.set_property_from_str(property, value);
            }
        }
        let out = Arc::new(Mutex::new(Output::default()));
        let input = gst::Pad::builder(gst::PadDirection::Src).name("to_decoder").build();
        let output = output_pad(&out);
        let this = Self { element, input, _output: output.clone(), out, sequence: 0 };
        let link = || -> Option<()> {
            this.input.set_active(true).ok()?;
            output.set_active(true).ok()?;
            this.input.link(&this.element.static_pad("sink")?).ok()?;
            this.element.static_pad("src")?.link(&output).ok()?;
            this.element.set_state(gst::State::Playing).ok()?;
            let segment = gst::FormattedSegment::<gst::ClockTime>::new();
            let events = [gst::event::StreamStart::new("key-frames"), gst::event::Caps::new(&caps), gst::event::Segment::new(&segment)];
            events.into_iter().all(|event| this.input.push_event(event)).then_some(())
        };
        link().ok_or_else(start)?;
        Ok(this)
    }

    /// One key frame in, its picture out, and nothing left inside.
    fn decode_one(&mut self, data: &Bytes) -> Result<I420, DecodeError> {
        self.sequence += 1;
        let pts = STEP * self.sequence;
        gst_log::forget();
        self.push(data.clone(), pts, false)?;
        self.input.push_event(gst::event::SegmentDone::new(pts + STEP / 2));
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut own, mut other) = (None, false);
        for (buffer, info) in out.pictures.drain(..) {
            if buffer.pts() == Some(pts) {
                own = Some((buffer, info));
            } else {
                other = true;
            }
        }
        match (own, other) {
            (_, true) => Err(DecodeError::WrongPicture),
            (None, false) => Err(DecodeError::NoPicture),
            (Some((buffer, info)), false) => {
                if gst_log::concealed() || buffer.flags().contains(gst::BufferFlags::CORRUPTED) {
                    return Err(DecodeError::Damaged);
                }
                picture::to_i420(&buffer, &info.ok_or(DecodeError::Unreadable)?)
            }
        }
    }

    /// Feeds one access unit of a running stream; pictures come out of [`PadDecoder::pop`], in their order.
    pub(super) fn push(&mut self, data: Bytes, pts: gst::ClockTime, delta: bool) -> Result<(), DecodeError> {
        let mut buffer = gst::Buffer::from_slice(data);
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(pts);
            if delta {
                buffer.set_flags(gst::BufferFlags::DELTA_UNIT);
            }
        }
        self.input.push(buffer).map(drop).map_err(|flow| DecodeError::Refused { flow })
    }

    /// Makes the decoder hand out all that it holds back.
    pub(super) fn drain(&mut self) {
        self.input.push_event(gst::event::Eos::new());
    }

    /// The next picture of a running stream, with its time stamp.
    pub(super) fn pop(&mut self) -> Option<Result<(gst::ClockTime, I420), DecodeError>> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (buffer, info) = out.pictures.pop_front()?;
        let picture = info.ok_or(DecodeError::Unreadable).and_then(|info| picture::to_i420(&buffer, &info));
        Some(picture.map(|picture| (buffer.pts().unwrap_or_default(), picture)))
    }
}

/// Decodes every frame of one running stream, for the few cameras that are watched closely; quiet cameras share a [`Decoder`].
pub struct StreamDecoder {
    decoder: PadDecoder,
    kind: Kind,
    /// Nothing decodes before a key frame.
    begun: bool,
}

impl StreamDecoder {
    /// A decoder for a stream of this codec and size.
    ///
    /// # Errors
    /// The element is missing or does not start, or the size is impossible.
    pub fn new(codec: Codec, size_px: (u32, u32)) -> Result<Self, DecodeError> {
        picture::check_size(size_px.0, size_px.1)?;
        Ok(Self { decoder: PadDecoder::new(codec, size_px)?, kind: (codec, size_px), begun: false })
    }

    /// Whether it is for this codec and size; a stream that changes needs another.
    pub fn fits(&self, codec: Codec, size_px: (u32, u32)) -> bool {
        self.kind == (codec, size_px)
    }

    /// Feeds one access unit. Deltas before the first key frame, or after [`StreamDecoder::missed`], are left out.
    ///
    /// # Errors
    /// The decoder refused it; go on with the next key frame.
    pub fn push(&mut self, data: Bytes, key: bool) -> Result<(), DecodeError> {
        self.begun |= key;
        if !self.begun {
            return Ok(());
        }
        self.decoder.sequence += 1;
        let pts = STEP * self.decoder.sequence;
        self.decoder.push(data, pts, !key).inspect_err(|_| self.begun = false)
    }

    /// Frames were lost: what follows does not decode before the next key frame.
    pub fn missed(&mut self) {
        self.begun = false;
    }

    /// The newest picture since the last call, if any; older ones are dropped unconverted.
    pub fn newest(&mut self) -> Option<Result<I420, DecodeError>> {
        let (buffer, info) = self.decoder.out.lock().unwrap_or_else(PoisonError::into_inner).pictures.drain(..).next_back()?;
        if buffer.flags().contains(gst::BufferFlags::CORRUPTED) {
            return Some(Err(DecodeError::Damaged));
        }
        Some(info.ok_or(DecodeError::Unreadable).and_then(|info| picture::to_i420(&buffer, &info)))
    }
}

impl Drop for PadDecoder {
    fn drop(&mut self) {
        // Before the pads go: an element dropped in another state than NULL leaks and warns.
        let _ = self.element.set_state(gst::State::Null);
        let _ = self.input.set_active(false);
    }
}

/// A sink pad that keeps what the decoder hands out. A caps event of an impossible size is refused,
/// and so are the buffers after it.
fn output_pad(out: &Arc<Mutex<Output>>) -> gst::Pad {
    let (pictures, format) = (out.clone(), out.clone());
    // Without a template that takes anything, a pad accepts only the caps it already has.
    let anything = gst::PadTemplate::new("from_decoder", gst::PadDirection::Sink, gst::PadPresence::Always, &gst::Caps::new_any());
    let builder =
        anything.map_or_else(|_| gst::Pad::builder(gst::PadDirection::Sink), |template| gst::Pad::builder_from_template(&template));
    builder
        .chain_function(move |_, _, buffer| {
            let mut out = pictures.lock().unwrap_or_else(PoisonError::into_inner);
            let info = out.info.clone();
            out.pictures.push_back((buffer, info));
            Ok(gst::FlowSuccess::Ok)
        })
        .event_function(move |_, _, event| {
            let gst::EventView::Caps(caps) = event.view() else { return true };
            let info = VideoInfo::from_caps(caps.caps()).ok().filter(|info| picture::check_size(info.width(), info.height()).is_ok());
            let known = info.is_some();
            format.lock().unwrap_or_else(PoisonError::into_inner).info = info;
            known
        })
        .build()
}

/// The element that decodes a codec, and the caps that it is fed with.
fn decoder_for(codec: Codec, (width, height): (u32, u32)) -> (&'static str, gst::Caps) {
    let side = |px: u32| i32::try_from(px).unwrap_or(i32::MAX);
    let h26x =
        |name: &str| gst::Caps::builder(name).field("stream-format", "byte-stream").field("alignment", "au").field("parsed", true).build();
    match codec {
        Codec::H264 => ("avdec_h264", h26x("video/x-h264")),
        Codec::H265 => ("avdec_h265", h26x("video/x-h265")),
        Codec::Mpeg4 => (
            "avdec_mpeg4",
            gst::Caps::builder("video/mpeg").field("mpegversion", 4).field("systemstream", false).field("parsed", true).build(),
        ),
        // Carries no size of its own.
        Codec::Msmpeg4 => (
            "avdec_msmpeg4",
            gst::Caps::builder("video/x-divx")
                .field("divxversion", 3)
                .field("width", side(width))
                .field("height", side(height))
                .field("framerate", gst::Fraction::new(25, 1))
                .build(),
        ),
        Codec::Mjpeg => (
            "avdec_mjpeg",
            gst::Caps::builder("image/jpeg")
                .field("parsed", true)
                .field("width", side(width))
                .field("height", side(height))
                .field("framerate", gst::Fraction::new(25, 1))
                .build(),
        ),
    }
}
