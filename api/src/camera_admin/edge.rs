//! From a camera's configuration to its stream and its scene, and what the hub can do with both while it runs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::Engine as _;
use qorgan_domain::{DeviceRef, I420};
use qorgan_inference::{self as inference, SceneSetup, quality::PictureHealth};
use qorgan_ingest::camera::{CameraSpec, CameraUrl, Credentials, Transport as Road, Trust, probe_spec};

use super::{
    Control, Trial,
    compliance::{PictureFigures, StreamFigures},
};
use crate::{
    config::{Calibration, Camera, Point, Polygon, Transport},
    error::chain,
    hub::Pipeline,
};

/// Makes a JPEG of a picture with these privacy masks burned in and everybody pixelated; none when that cannot be done. Blocks.
pub(crate) type MaskedJpeg = Arc<dyn Fn(I420, &[inference::Polygon]) -> Option<Vec<u8>> + Send + Sync>;

/// Longest trial of an address.
const TRIAL: Duration = Duration::from_secs(15);

/// How a camera's stream is reached. Errors in words: an address or a secret that is not there.
pub(crate) fn spec(camera: &Camera) -> Result<CameraSpec, String> {
    let parse = |url: &str| url.parse::<CameraUrl>().map_err(|error| chain(&error));
    let url = parse(camera.url.as_deref().unwrap_or_default())?;
    let mut spec = CameraSpec::new(camera.id.clone(), url).with_transport(match camera.transport {
        Transport::Auto => Road::Auto,
        Transport::Tcp => Road::Tcp,
        Transport::Udp => Road::Udp,
    });
    if let Some(sub) = &camera.sub {
        spec = spec.with_sub(parse(sub)?);
    }
    if let Some((user, source)) = &camera.login {
        spec = spec.with_credentials(Credentials { user: user.clone(), password: source.read().map_err(|error| chain(&error))? });
    }
    Ok(match (&camera.tls_ca, camera.tls_insecure) {
        (Some(ca), _) => spec.with_trust(Trust::Ca(ca.clone())),
        (None, true) => spec.with_trust(Trust::Insecure),
        (None, false) => spec,
    })
}

/// What is where in a camera's picture, as counting takes it. `usual` is the staleness limit of a camera that has none.
pub(crate) fn scene(camera: &Camera, usual: Duration) -> Result<SceneSetup, String> {
    let point = |p: &Point| inference::Point { x: p.x, y: p.y };
    let polygon = |p: &Polygon| inference::Polygon::new(p.0.iter().map(point).collect()).map_err(|error| chain(&error));
    let scene = &camera.scene;
    let zones = scene.zones.iter().map(|zone| Ok(inference::Zone { id: zone.id.clone(), shape: polygon(&zone.polygon)? }));
    let lines = scene.lines.iter().map(|line| inference::Line::new(line.id.clone(), point(&line.from), point(&line.to)));
    let calibration = scene.calibration.as_ref().map(|calibration| match calibration {
        Calibration::FourPoints { image, ground_m } => inference::Calibration::FourPoints(std::array::from_fn(|i| {
            let [x_m, y_m] = ground_m[i];
            (point(&image[i]), inference::Metres { x_m, y_m })
        })),
        Calibration::Heights { people, view_deg } => {
            let standing = people.iter().map(|p| inference::Standing { foot: point(&p.foot), head: point(&p.head), height_m: p.height_m });
            inference::Calibration::Heights { people: standing.collect(), view_deg: *view_deg }
        }
    });
    let setup = SceneSetup {
        zones: zones.collect::<Result<_, String>>()?,
        lines: lines.collect::<Result<_, _>>().map_err(|error| chain(&error))?,
        masks: scene.masks.iter().map(polygon).collect::<Result<_, _>>()?,
        calibration,
        stale_after: camera.staleness_s.map_or(usual, |s| Duration::from_secs(u64::from(s))),
    };
    // What contradicts itself (heights that no camera could see so) is found here, not by a worker thread.
    inference::Scene::new(setup.clone()).map_err(|error| chain(&error))?;
    Ok(setup)
}

/// The newest word about every camera's picture.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pictures(Arc<Mutex<HashMap<DeviceRef, PictureFigures>>>);

impl Pictures {
    /// Takes a change; called by worker threads.
    pub(crate) fn tell(&self, camera: DeviceRef, health: PictureHealth) {
        let figures = PictureFigures {
            fault: health.fault.map(inference::quality::PictureFault::as_str),
            sharpness_share: health.sharpness_share,
            // Video luma goes from 16 to 235.
            mean_luma: ((health.mean_luma - 16.0) / 219.0).clamp(0.0, 1.0),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(camera, figures);
    }

    fn of(&self, camera: &DeviceRef) -> Option<PictureFigures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(camera).copied()
    }

    fn forget(&self, camera: &DeviceRef) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(camera);
    }
}

/// Everything that the hub can do with cameras while it runs.
pub(crate) fn control(pipeline: Pipeline, pictures: Pictures, masked: MaskedJpeg, usual: Duration) -> Control {
    let (for_put, for_remove, for_figures, for_pause) = (pipeline.clone(), pipeline.clone(), pipeline.clone(), pipeline);
    let (put_pictures, remove_pictures, of_pictures) = (pictures.clone(), pictures.clone(), pictures);
    Control {
        check: Box::new(move |camera| {
            spec(camera)?;
            scene(camera, usual).map(drop)
        }),
        put: Box::new(move |camera| {
            put_pictures.forget(&camera.id);
            Box::pin(put(for_put.clone(), camera, usual))
        }),
        remove: Box::new(move |id| {
            remove_pictures.forget(&id);
            let pipeline = for_remove.clone();
            Box::pin(async move {
                let _ = pipeline.remove(&id).await;
            })
        }),
        figures: Box::new(move |id| {
            let stats = for_figures.cameras().stream_stats(id)?;
            Some(StreamFigures {
                codec: stats.codec.map(|codec| codec.to_string()),
                size_px: stats.size_px,
                fps: stats.fps,
                kbit_per_s: stats.kbit_per_s,
                key_frame_interval_s: stats.key_frame_interval_s,
                last_picture_at: stats.last_picture_at,
                clock_drift_ppm: stats.clock_drift_ppm,
                lost_packets: stats.lost_packets,
                sessions: stats.sessions,
                transport: stats.transport,
                sub_in_use: stats.sub_in_use,
            })
        }),
        picture: Box::new(move |id| of_pictures.of(id)),
        pause: Box::new(move |id, paused| for_pause.pause(id, paused)),
        try_out: Box::new(move |camera| {
            let masked = masked.clone();
            Box::pin(try_out(camera, masked))
        }),
        discover: Box::new(|()| Box::pin(super::onvif::discovered())),
        ask: Box::new(|address| Box::pin(super::onvif::asked(address))),
    }
}

async fn put(pipeline: Pipeline, camera: Arc<Camera>, usual: Duration) -> Result<(), String> {
    let (spec, scene) = (spec(&camera)?, scene(&camera, usual)?);
    let Some(before) = pipeline.cameras().spec(&camera.id) else {
        return pipeline.add(spec, scene).map_err(|error| chain(&error));
    };
    pipeline.set_scene(&camera.id, scene).map_err(|error| chain(&error))?;
    // A stream that has not changed is not interrupted for a zone.
    if before != spec {
        pipeline.change(spec).await;
    }
    Ok(())
}

async fn try_out(camera: Camera, masked: MaskedJpeg) -> Trial {
    let fault = |detail: String| Trial { fault: Some("other".to_owned()), detail: Some(detail), ..Trial::default() };
    let (spec, masks) = match (spec(&camera), scene(&camera, TRIAL)) {
        (Ok(spec), Ok(scene)) => (spec, scene.masks),
        (Err(reason), _) | (_, Err(reason)) => return fault(reason),
    };
    let mut report = probe_spec(&spec, TRIAL).await;
    let picture = match report.picture.take() {
        Some(picture) => tokio::task::spawn_blocking(move || masked(picture.0, &masks)).await.ok().flatten(),
        None => None,
    };
    Trial {
        works: report.fault.is_none() && report.decodes == Some(true),
        codec: report.codec.map(|codec| codec.to_string()),
        size_px: report.size_px,
        fps: report.frames_per_s,
        key_frame_interval_s: report.key_frame_interval_s,
        first_picture_s: report.time_to_first_key_frame_s,
        fault: report.fault.as_ref().map(|fault| fault.code.as_str().to_owned()),
        detail: report.fault.map(|fault| fault.detail),
        picture: picture.map(|jpeg| base64::engine::general_purpose::STANDARD.encode(jpeg)),
    }
}
