//! A real RTSP server (gst-rtsp-server) with a test picture, for what the fake cannot do: UDP, TLS, digest log-in.

use std::thread::JoinHandle;

use gstreamer as gst;
use gstreamer_rtsp_server::{
    RTSPAuth, RTSPFilterResult, RTSPMediaFactory, RTSPServer, RTSPToken,
    gst_rtsp::{RTSPAuthMethod, RTSPLowerTrans},
    prelude::*,
};
use qorgan_ingest::camera::CameraUrl;

/// What the server wants and gives.
#[derive(Default)]
pub(crate) struct Wants<'a> {
    pub(crate) log_in: Option<(&'a str, &'a str)>,
    pub(crate) udp_only: bool,
    /// Certificate and key, as PEM.
    pub(crate) tls: Option<String>,
    /// What makes the payload; H.264 when absent.
    pub(crate) pay: Option<&'a str>,
}

const H264: &str = "x264enc tune=zerolatency key-int-max=10 speed-preset=ultrafast ! rtph264pay name=pay0 pt=96 config-interval=1";
pub(crate) const H265: &str =
    "x265enc tune=zerolatency key-int-max=10 speed-preset=ultrafast ! rtph265pay name=pay0 pt=96 config-interval=1";
pub(crate) const JPEG: &str = "jpegenc ! rtpjpegpay name=pay0 pt=26";

/// A running server; stops when dropped.
pub(crate) struct Real {
    port: u16,
    tls: bool,
    main_loop: gst::glib::MainLoop,
    thread: Option<JoinHandle<()>>,
}

impl Real {
    pub(crate) fn start(wants: Wants<'_>) -> Self {
        gst::init().unwrap();
        let server = RTSPServer::new();
        server.set_address("127.0.0.1");
        server.set_service("0");
        let auth = RTSPAuth::new();
        if let Some((user, password)) = wants.log_in {
            auth.set_supported_methods(RTSPAuthMethod::Digest);
            auth.add_digest(user, password, &RTSPToken::builder().field("media.factory.role", "viewer").build());
        }
        if let Some(pem) = &wants.tls {
            auth.set_tls_certificate(Some(&gio::TlsCertificate::from_pem(pem).unwrap()));
        }
        if wants.log_in.is_none() {
            let mut anybody = RTSPToken::builder().field("media.factory.role", "viewer").build();
            auth.set_default_token(Some(&mut anybody));
        }
        if wants.log_in.is_some() || wants.tls.is_some() {
            server.set_auth(Some(&auth));
        }
        let factory = RTSPMediaFactory::new();
        factory.set_launch(&format!(
            "( videotestsrc is-live=true ! video/x-raw,format=I420,width=160,height=96,framerate=25/1 ! {} )",
            wants.pay.unwrap_or(H264)
        ));
        factory.set_shared(true);
        factory.set_protocols(if wants.udp_only { RTSPLowerTrans::UDP } else { RTSPLowerTrans::TCP | RTSPLowerTrans::UDP });
        let role = gst::Structure::builder("viewer").field("media.factory.access", true).field("media.factory.construct", true).build();
        factory.add_role_from_structure(&role);
        server.mount_points().unwrap().add_factory("/live", factory);
        let context = gst::glib::MainContext::new();
        let main_loop = gst::glib::MainLoop::new(Some(&context), false);
        let source = server.attach(Some(&context)).unwrap();
        let port = u16::try_from(server.bound_port()).unwrap();
        let thread = std::thread::spawn({
            let main_loop = main_loop.clone();
            move || {
                main_loop.run();
                let _ = server.client_filter(Some(&mut |_, _| RTSPFilterResult::Remove));
                context.find_source_by_id(&source).unwrap().destroy();
                while context.iteration(false) {}
            }
        });
        Self { port, tls: wants.tls.is_some(), main_loop, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> CameraUrl {
        self.url_of("127.0.0.1")
    }

    pub(crate) fn url_of(&self, host: &str) -> CameraUrl {
        format!("{}://{host}:{}/live", if self.tls { "rtsps" } else { "rtsp" }, self.port).parse().unwrap()
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.main_loop.quit();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
