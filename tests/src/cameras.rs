//! A camera server: real footage, looped as H.264 over RTSP on loopback, for the demo, the tests and the benches.
//!
//! Access units are parsed once and pushed at the pace of their time stamps, so that a camera costs the machine
//! next to nothing and the hub's own cost can be measured. The RTP time stamp of a frame is its time in the clip
//! plus whole rounds: whoever receives it knows which frame of the clip it is (see [`clip_frame`]).
//! By hand, without the loop:
//!
//! ```text
//! gst-launch-1.0 filesrc location=var/footage/campus.mp4 ! qtdemux ! h264parse config-interval=-1 \
//!   ! rtph264pay timestamp-offset=0 aggregate-mode=zero-latency ! fakesink
//! ```

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, glib, prelude::*};
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_rtsp_server::{
    RTSPAuth, RTSPFilterResult, RTSPMedia, RTSPMediaFactory, RTSPServer, RTSPToken,
    gst_rtsp::{RTSPAuthMethod, RTSPLowerTrans},
    prelude::*,
};

/// A camera of the server.
#[derive(Debug, Clone)]
pub struct Mount {
    /// Name in the address.
    pub name: String,
    /// MP4 file with H.264 inside.
    pub clip: PathBuf,
}

impl Mount {
    /// A camera that plays a clip.
    pub fn new(name: &str, clip: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), clip: clip.into() }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// GStreamer or a part of it is missing.
    #[error("GStreamer is not complete: {0}")]
    GStreamer(String),
    /// A clip cannot be read.
    #[error("{path}: {message}", path = path.display())]
    Clip {
        /// Which clip.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Somebody else has the port.
    #[error("port {0} of 127.0.0.1 cannot be had")]
    Port(u16),
}

/// A running camera server. Stops when dropped: every connection is closed then.
pub struct CameraServer {
    port: u16,
    names: Vec<String>,
    stop: Arc<AtomicBool>,
    main_loop: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
}

impl CameraServer {
    /// Starts on 127.0.0.1; port 0 takes a free one. With a log-in, every camera wants it (digest).
    pub fn start(port: u16, mounts: &[Mount], log_in: Option<(&str, &str)>) -> Result<Self, ServerError> {
        gst::init().map_err(|error| ServerError::GStreamer(error.to_string()))?;
        let server = RTSPServer::new();
        server.set_address("127.0.0.1");
        server.set_service(&port.to_string());
        server.set_backlog(512);
        if let Some(pool) = server.thread_pool() {
            pool.set_max_threads(4);
        }
        if let Some((user, password)) = log_in {
            let auth = RTSPAuth::new();
            auth.set_supported_methods(RTSPAuthMethod::Digest);
            auth.add_digest(user, password, &RTSPToken::builder().field("media.factory.role", "viewer").build());
            server.set_auth(Some(&auth));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let paths = server.mount_points().ok_or_else(|| ServerError::GStreamer("no mount points".into()))?;
        for mount in mounts {
            let clip = Arc::new(Clip::load(&mount.clip)?);
            paths.add_factory(&format!("/{}", mount.name), factory(clip, &stop));
        }
        let (main_loop, thread, port) = serve(server, port)?;
        Ok(Self { port, names: mounts.iter().map(|mount| mount.name.clone()).collect(), stop, main_loop, thread: Some(thread) })
    }

    /// Port that the server listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Address of a camera.
    pub fn url(&self, mount: &str) -> String {
        format!("rtsp://127.0.0.1:{}/{mount}", self.port)
    }

    /// Addresses of all cameras, in the order they were given.
    pub fn urls(&self) -> Vec<String> {
        self.names.iter().map(|name| self.url(name)).collect()
    }
}

impl Drop for CameraServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.main_loop.quit();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Which frame of a clip a time stamp of its camera belongs to.
pub fn clip_frame(media_time: Duration, frames_per_s: f64, frames_in_clip: u64) -> u64 {
    (media_time.as_secs_f64() * frames_per_s).round() as u64 % frames_in_clip.max(1)
}

/// Runs the server's main loop in a thread of its own and waits until the port is bound.
fn serve(server: RTSPServer, port: u16) -> Result<(glib::MainLoop, JoinHandle<()>, u16), ServerError> {
    let context = glib::MainContext::new();
    let main_loop = glib::MainLoop::new(Some(&context), false);
    let source = server.attach(Some(&context)).map_err(|_| ServerError::Port(port))?;
    let bound = u16::try_from(server.bound_port()).map_err(|_| ServerError::Port(port))?;
    // Sessions of clients that vanished are dropped only when somebody asks.
    let pool = server.session_pool();
    let cleaner = glib::timeout_source_new_seconds(2, None, glib::Priority::DEFAULT, move || {
        if let Some(pool) = &pool {
            pool.cleanup();
        }
        glib::ControlFlow::Continue
    });
    cleaner.attach(Some(&context));
    let thread = std::thread::spawn({
        let main_loop = main_loop.clone();
        move || {
            main_loop.run();
            cleaner.destroy();
            let _ = server.client_filter(Some(&mut |_, _| RTSPFilterResult::Remove));
            if let Some(listening) = context.find_source_by_id(&source) {
                listening.destroy();
            }
            // Let the closed connections go through.
            while context.iteration(false) {}
        }
    });
    Ok((main_loop, thread, bound))
}

/// One camera: all who watch share one stream.
fn factory(clip: Arc<Clip>, stop: &Arc<AtomicBool>) -> RTSPMediaFactory {
    let factory = RTSPMediaFactory::new();
    factory.set_launch(
        "( appsrc name=clip is-live=true format=time max-bytes=20000000 leaky-type=downstream \
         ! rtph264pay name=pay0 pt=96 timestamp-offset=0 aggregate-mode=zero-latency )",
    );
    factory.set_shared(true);
    factory.set_protocols(RTSPLowerTrans::TCP);
    let role = gst::Structure::builder("viewer").field("media.factory.access", true).field("media.factory.construct", true).build();
    factory.add_role_from_structure(&role);
    let stop = stop.clone();
    factory.connect_media_configure(move |_, media| feed(media, clip.clone(), stop.clone()));
    factory
}

/// Pushes the clip into a newly made stream, again and again, until nobody watches.
fn feed(media: &RTSPMedia, clip: Arc<Clip>, stop: Arc<AtomicBool>) {
    let Some(source) = media.element().downcast::<gst::Bin>().ok().and_then(|bin| bin.by_name("clip")) else { return };
    let Ok(source) = source.downcast::<AppSrc>() else { return };
    source.set_caps(Some(&clip.caps));
    let unwatched = Arc::new(AtomicBool::new(false));
    media.connect_unprepared({
        let unwatched = unwatched.clone();
        move |_| unwatched.store(true, Ordering::Relaxed)
    });
    std::thread::spawn(move || {
        let start = Instant::now();
        for round in 0_u32.. {
            let base = clip.length * round;
            for unit in &clip.units {
                let due = start + base + unit.decode_at;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                if unwatched.load(Ordering::Relaxed) || stop.load(Ordering::Relaxed) {
                    return;
                }
                match source.push_buffer(unit.buffer(base)) {
                    // Flushing: the stream is being set up or suspended.
                    Ok(_) | Err(gst::FlowError::Flushing) => {}
                    Err(_) => return,
                }
            }
        }
    });
}

/// A clip in memory.
pub(crate) struct Clip {
    caps: gst::Caps,
    pub(crate) units: Vec<Unit>,
    pub(crate) length: Duration,
}

/// One access unit of a clip, Annex B, parameter sets in front of key frames.
pub(crate) struct Unit {
    memory: gst::Memory,
    delta: bool,
    pub(crate) show_at: Duration,
    decode_at: Duration,
    lasts: Duration,
}

impl Unit {
    /// Its bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.memory.map_readable().map(|map| map.to_vec()).unwrap_or_default()
    }

    fn buffer(&self, base: Duration) -> gst::Buffer {
        let time = |at: Duration| gst::ClockTime::try_from(base + at).ok();
        let mut buffer = gst::Buffer::new();
        if let Some(buffer) = buffer.get_mut() {
            buffer.append_memory(self.memory.clone());
            buffer.set_pts(time(self.show_at));
            buffer.set_dts(time(self.decode_at));
            buffer.set_duration(gst::ClockTime::try_from(self.lasts).ok());
            if self.delta {
                buffer.set_flags(gst::BufferFlags::DELTA_UNIT);
            }
        }
        buffer
    }
}

impl Clip {
    pub(crate) fn load(path: &Path) -> Result<Self, ServerError> {
        gst::init().map_err(|error| ServerError::GStreamer(error.to_string()))?;
        let bad = |message: String| ServerError::Clip { path: path.into(), message };
        if !path.is_file() {
            return Err(bad("does not exist (scripts/footage.sh makes the demo's clips)".into()));
        }
        let description = "filesrc name=file ! qtdemux ! h264parse config-interval=-1 \
                           ! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=units sync=false";
        let pipeline = gst::parse::launch(description).map_err(|error| ServerError::GStreamer(error.to_string()))?;
        let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| ServerError::GStreamer("no pipeline".into()))?;
        if let Some(file) = pipeline.by_name("file") {
            file.set_property("location", path);
        }
        let sink = pipeline.by_name("units").and_then(|sink| sink.downcast::<AppSink>().ok());
        let sink = sink.ok_or_else(|| ServerError::GStreamer("no appsink".into()))?;
        let units = Mutex::new((None, Vec::new()));
        let read = || -> Result<(), String> {
            pipeline.set_state(gst::State::Playing).map_err(|error| error.to_string())?;
            let bus = pipeline.bus().ok_or("no bus")?;
            while !sink.is_eos() {
                if let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_mseconds(100)) {
                    let mut units = units.lock().unwrap_or_else(PoisonError::into_inner);
                    units.0 = sample.caps_owned();
                    units.1.push(unit(&sample).ok_or("a unit without data or time")?);
                } else if let Some(message) = bus.pop_filtered(&[gst::MessageType::Error])
                    && let gst::MessageView::Error(error) = message.view()
                {
                    return Err(error.error().message().to_owned());
                }
            }
            Ok(())
        };
        let result = read();
        let _ = pipeline.set_state(gst::State::Null);
        result.map_err(bad)?;
        let (caps, units) = units.into_inner().unwrap_or_else(PoisonError::into_inner);
        let caps = caps.ok_or_else(|| bad("holds no H.264".into()))?;
        if units.first().is_none_or(|unit: &Unit| unit.delta) {
            return Err(bad("does not begin with a key frame".into()));
        }
        let length = units.iter().map(|unit| unit.show_at + unit.lasts).max().unwrap_or_default();
        Ok(Self { caps, units, length })
    }
}

fn unit(sample: &gst::Sample) -> Option<Unit> {
    let buffer = sample.buffer()?;
    let show_at: Duration = buffer.pts()?.into();
    Some(Unit {
        memory: gst::Memory::from_slice(buffer.map_readable().ok()?.to_vec()),
        delta: buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
        show_at,
        decode_at: buffer.dts().map_or(show_at, Duration::from),
        lasts: buffer.duration().map_or(Duration::from_millis(40), Duration::from),
    })
}
