//! What `retina` cannot do, through GStreamer: RTP over UDP (with its reorder buffer), RTSPS, and SRT. By hand:
//!
//! ```text
//! gst-launch-1.0 rtspsrc location=rtsp://camera/main protocols=udp ! rtph264depay ! h264parse config-interval=-1 ! fakesink
//! gst-launch-1.0 srtsrc uri=srt://0.0.0.0:7001?mode=listener ! tsdemux ! h264parse config-interval=-1 ! fakesink
//! ```
//!
//! A pipeline costs threads (about seven over UDP, four over TLS or SRT), so it is used only where it must be. Nothing is decoded here.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use gio::prelude::{IOStreamExt, SocketClientExt, TlsBackendExt, TlsConnectionExt};
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks};
use qorgan_domain::CameraFault;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use url::Url;

use super::{
    CameraError, Codec, Credentials, Trust,
    error::squeeze,
    file::{TO_H264, TO_H265},
    gst_log,
    source::{MAX_UNIT_BYTES, StreamUnit},
};

/// Units on their way from GStreamer's threads; what does not fit is dropped and counted, up to the next key frame.
const QUEUE: usize = 128;
/// How long packets are waited for that come out of order.
const REORDER_MS: u32 = 200;

/// A running pipeline. Stopped when dropped, in a thread that may block.
pub(super) struct GstSource {
    pipeline: gst::Pipeline,
    /// Set before the pipeline is stopped: a start that comes later must not happen.
    stopped: Arc<Mutex<bool>>,
    units: mpsc::Receiver<StreamUnit>,
    end: oneshot::Receiver<CameraError>,
    transport: &'static str,
    /// Where to look when the pipeline fails without a reason; `None` where the camera calls.
    door: Option<Door>,
}

/// The camera's address, as a second connection needs it.
#[derive(Clone)]
struct Door {
    host: String,
    port: u16,
    /// What its certificate is checked against; `None` without TLS.
    trust: Option<Trust>,
    answer: Duration,
}

impl Door {
    fn new(url: &Url, trust: Option<&Trust>, answer: Duration) -> Self {
        let port = url.port().unwrap_or(if trust.is_some() { 322 } else { 554 });
        Self { host: url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned(), port, trust: trust.cloned(), answer }
    }

    /// Connects, shakes hands where there is TLS, and hangs up. Blocks. `rtspsrc` does the same with the same library, but says only
    /// "Could not open resource" when it fails.
    fn try_it(&self) -> Result<(), gst::glib::Error> {
        let client = gio::SocketClient::new();
        client.set_enable_proxy(false);
        client.set_timeout(u32::try_from(self.answer.as_secs()).unwrap_or(u32::MAX).max(1));
        if let Some(trust) = self.trust.clone() {
            client.set_tls(true);
            client.connect_event(move |_, event, _, stream| {
                let tls = stream.and_then(|stream| stream.downcast_ref::<gio::TlsConnection>());
                let Some(tls) = tls.filter(|_| event == gio::SocketClientEvent::TlsHandshaking) else { return };
                match &trust {
                    Trust::System => {}
                    Trust::Insecure => drop(tls.connect_accept_certificate(|_, _, _| true)),
                    Trust::Ca(path) => {
                        tls.set_database(std::path::absolute(path).ok().and_then(|path| gio::TlsFileDatabase::new(path).ok()).as_ref());
                    }
                }
            });
        }
        let address = gio::NetworkAddress::new(&self.host, self.port);
        let connection = SocketClientExt::connect(&client, &address, gio::Cancellable::NONE)?;
        let _ = connection.close(gio::Cancellable::NONE);
        Ok(())
    }

    /// A failure that says nothing gets the reason that a second look finds; any other stays as it is.
    async fn explain(&self, error: CameraError) -> CameraError {
        if error.fault() != CameraFault::Other {
            return error;
        }
        let door = self.clone();
        match tokio::task::spawn_blocking(move || door.try_it()).await {
            Ok(Err(reason)) => of_gio(&reason).unwrap_or(error),
            _ => error,
        }
    }
}

/// What a failure of GLib's network means, where it has a name.
fn of_gio(reason: &gst::glib::Error) -> Option<CameraError> {
    let (step, fault) = match reason.kind::<gio::IOErrorEnum>() {
        _ if reason.kind::<gio::TlsError>().is_some() => ("TLS", CameraFault::Tls),
        Some(gio::IOErrorEnum::ConnectionRefused) => ("connecting", CameraFault::Refused),
        Some(gio::IOErrorEnum::TimedOut) => ("connecting", CameraFault::Timeout),
        Some(gio::IOErrorEnum::BrokenPipe) => ("connecting", CameraFault::Ended),
        _ => return None,
    };
    Some(CameraError::Link { step, fault, message: squeeze(reason.message()) })
}

/// What the pipeline's threads write to.
#[derive(Clone)]
struct Outlet {
    units: mpsc::Sender<StreamUnit>,
    end: Arc<Mutex<Option<oneshot::Sender<CameraError>>>>,
    /// Packets that the reorder buffer gave up on, or units dropped at the queue, not told yet.
    lost: Arc<AtomicU64>,
}

impl Outlet {
    fn end(&self, error: CameraError) {
        if let Some(end) = self.end.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = end.send(error);
        }
    }
}

impl GstSource {
    /// RTSP with RTP over UDP.
    pub(super) fn rtsp_udp(url: &Url, log_in: Option<&Credentials>, answer: Duration) -> Result<Self, CameraError> {
        let source = rtspsrc(url, log_in, "udp", answer)?;
        Self::start(source, None, "udp", Some(Door::new(url, None, answer)))
    }

    /// RTSP over TLS, RTP inside the same connection.
    pub(super) fn rtsps(url: &Url, log_in: Option<&Credentials>, trust: &Trust, answer: Duration) -> Result<Self, CameraError> {
        let source = rtspsrc(url, log_in, "tcp", answer)?;
        let tls = |message: String| CameraError::Link { step: "TLS", fault: CameraFault::Tls, message };
        if !gio::TlsBackend::default().supports_tls() {
            return Err(CameraError::Missing { element: "TLS for rtspsrc".into(), package: "glib-networking" });
        }
        match trust {
            Trust::System => {}
            Trust::Insecure => source.set_property("tls-validation-flags", gio::TlsCertificateFlags::empty()),
            Trust::Ca(path) => {
                let shown = path.display();
                let database = std::path::absolute(path).ok().and_then(|path| gio::TlsFileDatabase::new(path).ok());
                source
                    .set_property("tls-database", database.ok_or_else(|| tls(format!("{shown}: holds no certificate that can be read")))?);
            }
        }
        Self::start(source, None, "tls", Some(Door::new(url, Some(trust), answer)))
    }

    /// Listens for one sender of MPEG-TS over SRT.
    pub(super) fn srt(url: &Url, log_in: Option<&Credentials>) -> Result<Self, CameraError> {
        let (source, demux) = (make("srtsrc")?, make("tsdemux")?);
        source.set_property_from_str("mode", "listener");
        source.set_property("localaddress", url.host_str().unwrap_or("0.0.0.0").trim_matches(['[', ']']));
        source.set_property("localport", u32::from(url.port().unwrap_or_default()));
        if let Some(latency) = url.query_pairs().find_map(|(key, value)| (key == "latency").then(|| value.parse::<i32>().ok())?) {
            source.set_property("latency", latency);
        }
        if let Some(log_in) = log_in {
            // Of libsrt: other lengths are refused, and a refusal there would leave the stream open to anybody.
            if !(10..=79).contains(&log_in.password.len()) {
                let message = "the passphrase must have 10 to 79 bytes".into();
                return Err(CameraError::Link { step: "SRT", fault: CameraFault::Unauthorized, message });
            }
            source.set_property("passphrase", &log_in.password);
        }
        Self::start(source, Some(demux), "srt", None)
    }

    fn start(source: gst::Element, demux: Option<gst::Element>, transport: &'static str, door: Option<Door>) -> Result<Self, CameraError> {
        let broken = |what: &str| CameraError::Link { step: "GStreamer", fault: CameraFault::Other, message: what.into() };
        let (units_in, units) = mpsc::channel(QUEUE);
        let (end_in, end) = oneshot::channel();
        let outlet = Outlet { units: units_in, end: Arc::new(Mutex::new(Some(end_in))), lost: Arc::default() };
        let pipeline = gst::Pipeline::new();
        pipeline.add(&source).map_err(|_| broken("the pipeline cannot be built"))?;
        let pads = match &demux {
            Some(demux) => {
                pipeline.add(demux).and_then(|()| source.link(demux)).map_err(|_| broken("the pipeline cannot be linked"))?;
                demux
            }
            None => &source,
        };
        follow_pads(&pipeline, pads, &outlet);
        count_lost(&source, &outlet);
        watch_bus(&pipeline, &outlet).ok_or_else(|| broken("the pipeline has no bus"))?;
        let stopped = Arc::new(Mutex::new(false));
        let this = Self { pipeline: pipeline.clone(), stopped: stopped.clone(), units, end, transport, door };
        run_blocking(move || {
            let stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
            if !*stopped {
                // A failure is on the bus, with its reason.
                let _ = pipeline.set_state(gst::State::Playing);
            }
        });
        Ok(this)
    }

    pub(super) fn transport(&self) -> &'static str {
        self.transport
    }

    /// Whether the hub calls, and not the camera.
    pub(super) fn is_caller(&self) -> bool {
        self.door.is_some()
    }

    /// The next access unit; `Ok(None)` when none came before the deadline.
    pub(super) async fn next(&mut self, deadline: Instant) -> Result<Option<StreamUnit>, CameraError> {
        let next = async {
            tokio::select! {
                biased;
                Some(unit) = self.units.recv() => Ok(Some(unit)),
                error = &mut self.end => Err(error.unwrap_or(CameraError::Ended)),
                else => Err(CameraError::Ended),
            }
        };
        match (timeout_at(deadline, next).await.unwrap_or(Ok(None)), &self.door) {
            (Err(error), Some(door)) => Err(door.explain(error).await),
            (other, _) => other,
        }
    }
}

impl Drop for GstSource {
    fn drop(&mut self) {
        self.units.close();
        let stop = Stop { pipeline: self.pipeline.clone(), stopped: self.stopped.clone() };
        run_blocking(move || drop(stop));
    }
}

/// Stops the pipeline when dropped: a runtime that is shutting down drops the work it is given and does not run it, and a pipeline that
/// goes away while it plays takes the process with it.
struct Stop {
    pipeline: gst::Pipeline,
    stopped: Arc<Mutex<bool>>,
}

impl Drop for Stop {
    fn drop(&mut self) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        *stopped = true;
        // TEARDOWN waits for an answer.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// State changes block while they wait for other threads or the network.
fn run_blocking(work: impl FnOnce() + Send + 'static) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(work)),
        Err(_) => work(),
    }
}

fn make(name: &str) -> Result<gst::Element, CameraError> {
    gst_log::init().map_err(|message| CameraError::Link { step: "GStreamer", fault: CameraFault::Other, message: squeeze(&message) })?;
    let package = match name {
        "srtsrc" | "tsdemux" | "h264parse" | "h265parse" => "gstreamer1.0-plugins-bad",
        _ => "gstreamer1.0-plugins-good",
    };
    gst::ElementFactory::make(name).build().map_err(|_| CameraError::Missing { element: name.into(), package })
}

fn rtspsrc(url: &Url, log_in: Option<&Credentials>, protocols: &str, answer: Duration) -> Result<gst::Element, CameraError> {
    let source = make("rtspsrc")?;
    source.set_property("location", url.as_str());
    source.set_property_from_str("protocols", protocols);
    // Only RTP's own time stamps: the hub measures the camera's clock itself.
    source.set_property_from_str("buffer-mode", "none");
    source.set_property("latency", REORDER_MS);
    source.set_property("tcp-timeout", u64::try_from(answer.as_micros()).unwrap_or(u64::MAX));
    // No retreat to TCP on its own: what is missing is told by the watchdog.
    source.set_property("timeout", 0_u64);
    source.set_property("user-agent", concat!("qorgan/", env!("CARGO_PKG_VERSION")));
    if let Some(log_in) = log_in {
        source.set_property("user-id", &log_in.user);
        source.set_property("user-pw", &log_in.password);
    }
    // Only video is set up: sound would cost threads and bandwidth, and nobody may hear it.
    source.connect("select-stream", false, |values| {
        let media = values.get(2).and_then(|caps| caps.get::<gst::Caps>().ok());
        let media = media.and_then(|caps| caps.structure(0)?.get::<String>("media").ok());
        Some((media.as_deref() == Some("video")).to_value())
    });
    Ok(source)
}

/// Adds up what the reorder buffer says is lost.
fn count_lost(source: &gst::Element, outlet: &Outlet) {
    if source.find_property("buffer-mode").is_none() {
        return;
    }
    let lost = outlet.lost.clone();
    source.connect("new-manager", false, move |values| {
        let manager = values.get(1)?.get::<gst::Element>().ok()?;
        let lost = lost.clone();
        manager.connect("new-jitterbuffer", false, move |values| {
            let buffer = values.get(1)?.get::<gst::Element>().ok()?;
            buffer.set_property("do-lost", true);
            let lost = lost.clone();
            // One event for each gap, sent down the stream.
            buffer.static_pad("src")?.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
                if let Some(gst::PadProbeData::Event(event)) = &info.data
                    && event.structure().is_some_and(|shape| shape.name() == "GstRTPPacketLost")
                {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
                gst::PadProbeReturn::Ok
            });
            None
        });
        None
    });
}

/// Links the first video stream that the hub decodes; another codec is an error that names it.
fn follow_pads(pipeline: &gst::Pipeline, source: &gst::Element, outlet: &Outlet) {
    let linked = Arc::new(Mutex::new(false));
    let weak = pipeline.downgrade();
    source.connect_pad_added({
        let (outlet, linked) = (outlet.clone(), linked.clone());
        move |_, pad| {
            let Some(pipeline) = weak.upgrade() else { return };
            let mut linked = linked.lock().unwrap_or_else(PoisonError::into_inner);
            let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
            let Some(shape) = caps.structure(0) else { return };
            match kind_of(shape) {
                Kind::Video(codec, elements) if !*linked => match link(&pipeline, pad, codec, &elements, &outlet) {
                    Ok(()) => *linked = true,
                    Err(error) => outlet.end(error),
                },
                Kind::OtherVideo(offered) if !*linked => outlet.end(CameraError::Codec { offered }),
                _ => {}
            }
        }
    });
    let outlet = outlet.clone();
    source.connect_no_more_pads(move |_| {
        if !*linked.lock().unwrap_or_else(PoisonError::into_inner) {
            outlet.end(CameraError::NoVideo { offered: "no video stream".into() });
        }
    });
}

enum Kind {
    /// A codec that the hub decodes, and the elements that make access units of it.
    Video(Codec, String),
    OtherVideo(String),
    NoVideo,
}

fn kind_of(shape: &gst::StructureRef) -> Kind {
    let text = |name: &str| shape.get::<String>(name).unwrap_or_default();
    match (shape.name().as_str(), text("media").as_str(), text("encoding-name").as_str()) {
        ("video/x-h264", ..) => Kind::Video(Codec::H264, TO_H264.into()),
        ("video/x-h265", ..) => Kind::Video(Codec::H265, TO_H265.into()),
        ("application/x-rtp", "video", "H264") => Kind::Video(Codec::H264, format!("rtph264depay ! {TO_H264}")),
        ("application/x-rtp", "video", "H265") => Kind::Video(Codec::H265, format!("rtph265depay ! {TO_H265}")),
        ("application/x-rtp", "video", "JPEG") => Kind::Video(Codec::Mjpeg, "rtpjpegdepay ! jpegparse".into()),
        ("application/x-rtp", "video", other) => Kind::OtherVideo(squeeze(other)),
        (name, ..) if name.starts_with("video/") => Kind::OtherVideo(name.into()),
        _ => Kind::NoVideo,
    }
}

fn link(pipeline: &gst::Pipeline, pad: &gst::Pad, codec: Codec, elements: &str, outlet: &Outlet) -> Result<(), CameraError> {
    for name in elements.split(" ! ").filter_map(|element| element.split(' ').next()) {
        make(name)?;
    }
    let broken = || CameraError::Link { step: "GStreamer", fault: CameraFault::Other, message: "the video cannot be linked".into() };
    let bin = gst::parse::bin_from_description(elements, true).map_err(|_| broken())?;
    let sink = AppSink::builder().sync(false).max_buffers(8).enable_last_sample(false).build();
    let (outlet, lost) = (outlet.clone(), outlet.lost.clone());
    // After a dropped unit nothing helps until the next key frame.
    let mut whole = true;
    let callbacks = AppSinkCallbacks::builder().new_sample(move |sink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let Some(mut unit) = unit(&sample, codec) else { return Ok(gst::FlowSuccess::Ok) };
        if !whole && !unit.key {
            lost.fetch_add(1, Ordering::Relaxed);
            return Ok(gst::FlowSuccess::Ok);
        }
        unit.lost = lost.swap(0, Ordering::Relaxed);
        match outlet.units.try_send(unit) {
            Ok(()) => whole = true,
            Err(mpsc::error::TrySendError::Full(unit)) => {
                whole = false;
                lost.fetch_add(unit.lost + 1, Ordering::Relaxed);
            }
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(gst::FlowError::Eos),
        }
        Ok(gst::FlowSuccess::Ok)
    });
    sink.set_callbacks(callbacks.build());
    let linked = || -> Option<()> {
        pipeline.add_many([bin.upcast_ref::<gst::Element>(), sink.upcast_ref()]).ok()?;
        bin.link(&sink).ok()?;
        sink.sync_state_with_parent().ok()?;
        bin.sync_state_with_parent().ok()?;
        pad.link(&bin.static_pad("sink")?).ok().map(drop)
    };
    linked().ok_or_else(broken)
}

/// One sample as an access unit; what is too large or has no data is left out.
fn unit(sample: &gst::Sample, codec: Codec) -> Option<StreamUnit> {
    let shape = sample.caps()?.structure(0)?;
    let side = |name: &str| shape.get::<i32>(name).ok().and_then(|px| u32::try_from(px).ok());
    let buffer = sample.buffer()?;
    let data = buffer.map_readable().ok()?;
    if data.is_empty() || data.len() > MAX_UNIT_BYTES {
        return None;
    }
    let data = Bytes::copy_from_slice(&data);
    let key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT) && super::annexb::has_parameter_sets(codec, &data);
    let at = buffer.pts().or(buffer.dts()).map_or(f64::NAN, |at| at.nseconds() as f64 / 1e9);
    Some(StreamUnit { codec, size_px: side("width").zip(side("height")), data, stamp_s: at, key, lost: 0, broken: 0 })
}

/// Errors and the end of the stream; nobody polls a bus.
fn watch_bus(pipeline: &gst::Pipeline, outlet: &Outlet) -> Option<()> {
    let outlet = outlet.clone();
    pipeline.bus()?.set_sync_handler(move |_, message| {
        match message.view() {
            gst::MessageView::Error(report) => outlet.end(of_gst(&report.error(), report.debug().as_deref().unwrap_or_default())),
            gst::MessageView::Eos(_) => outlet.end(CameraError::Ended),
            _ => {}
        }
        gst::BusSyncReply::Drop
    });
    Some(())
}

/// What a pipeline's error means. The debug text may hold the address, so only its last line is kept, for TLS and the network.
fn of_gst(error: &gst::glib::Error, debug: &str) -> CameraError {
    let text = error.message();
    let said = |word: &str| text.contains(word) || debug.contains(word);
    let fault = if error.matches(gst::ResourceError::NotAuthorized) || said("Unauthorized") {
        CameraFault::Unauthorized
    } else if error.matches(gst::ResourceError::NotFound) || said("Not Found") {
        CameraFault::NotFound
    } else if said("TLS") || said("certificate") {
        CameraFault::Tls
    } else if said("Connection refused") {
        CameraFault::Refused
    } else if said("imeout") || said("timed out") {
        CameraFault::Timeout
    } else if error.matches(gst::StreamError::CodecNotFound) || error.matches(gst::StreamError::WrongType) {
        CameraFault::BadCodec
    } else if error.kind::<gst::StreamError>().is_some() {
        CameraFault::Garbage
    } else {
        CameraFault::Other
    };
    CameraError::Link { step: "GStreamer", fault, message: squeeze(text) }
}
