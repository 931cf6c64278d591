//! Cameras that speak ONVIF: their clock for the compliance meter, and what they notice by themselves as hub events. Motion brings
//! the hub's next look forward, tampering and a lost signal are troubles. A count of a camera's own goes the way of every foreign
//! count, so that the hub leaves it alone while such counts come.

use std::{collections::HashMap, sync::Arc, time::Duration};

use qorgan_domain::{DeviceRef, Sign, SignKind};
use qorgan_ingest::{
    camera::{Credentials, Trust},
    onvif::{Device, Noticed, OnvifError, What, choose_streams, discover},
};
use tokio_util::sync::CancellationToken;

use crate::{
    camera_admin::{DeviceAddress, DeviceReport, FoundDevice, StreamReport},
    config::{Camera, Onvif, service_address},
    error::chain,
    hub::{App, log_in, trust},
};

/// How often it is looked whether a camera was added, changed or removed.
const LOOK: Duration = Duration::from_secs(5);
/// For each answer of a device.
const PATIENCE: Duration = Duration::from_secs(10);
/// Waits between two tries grow from the one to the other.
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));
/// A subscription that lasted so long was a good one.
const PROVEN: Duration = Duration::from_secs(60);

/// How long the local networks are listened to.
const LISTEN: Duration = Duration::from_secs(4);
/// The detector's longer side is 416 px; half as much again leaves room for zones.
const WANTED_PX: u32 = 640;
/// Most streams of a device whose address is asked for.
const MAX_STREAMS: usize = 16;

/// Who speaks ONVIF on the local networks.
pub(super) async fn discovered() -> Result<Vec<FoundDevice>, String> {
    let found = discover(LISTEN).await.map_err(|error| chain(&error))?;
    Ok(found.into_iter().map(|one| FoundDevice { address: one.address.into(), name: one.name, hardware: one.hardware }).collect())
}

/// What a device says of its streams, clock and recordings.
pub(super) async fn asked(DeviceAddress { address, user, password }: DeviceAddress) -> Result<DeviceReport, String> {
    let url = service_address(&address).ok_or("The address is neither a host nor http(s)://host/path without a log-in.")?;
    let log_in = (!user.is_empty()).then_some(Credentials { user, password });
    let device = Device::connect(&url, log_in.as_ref(), &Trust::System, PATIENCE).await.map_err(|error| chain(&error))?;
    let profiles = device.profiles().await.map_err(|error| chain(&error))?;
    let chosen = choose_streams(&profiles, WANTED_PX);
    let mut streams = Vec::new();
    for profile in profiles.iter().take(MAX_STREAMS) {
        let url = device.stream_url(profile).await.ok().map(String::from);
        let codec = profile.codec.map(|codec| codec.to_string());
        streams.push(StreamReport { name: profile.name.clone(), codec, size_px: profile.size_px, fps: profile.fps, url });
    }
    let known = |at: &usize| *at < streams.len();
    // A device without recordings is none the worse.
    let recordings = device.recordings().await.unwrap_or_default().into_iter();
    Ok(DeviceReport {
        clock_offset_s: device.clock_offset_ms() as f64 / 1e3,
        main: chosen.map(|chosen| chosen.main).filter(known),
        sub: chosen.and_then(|chosen| chosen.sub).filter(known),
        streams,
        recordings: recordings.map(|one| if one.source.is_empty() { one.token } else { one.source }).collect(),
    })
}

/// Runs until cancelled: a task for each camera with an ONVIF address.
pub(crate) async fn run(app: App, cancel: CancellationToken) {
    let mut followed: HashMap<DeviceRef, (Arc<Camera>, CancellationToken)> = HashMap::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = look.tick() => {}
        }
        let wanted: HashMap<DeviceRef, Arc<Camera>> =
            app.cameras.setups().into_iter().filter(|camera| camera.onvif.is_some()).map(|camera| (camera.id.clone(), camera)).collect();
        followed.retain(|id, (camera, stop)| {
            let stays = wanted.get(id).is_some_and(|wanted| Arc::ptr_eq(wanted, camera));
            if !stays {
                stop.cancel();
            }
            stays
        });
        for (id, camera) in wanted {
            followed.entry(id).or_insert_with(|| {
                let stop = cancel.child_token();
                let (app, camera_of, until) = (app.clone(), camera.clone(), stop.clone());
                tokio::spawn(async move { until.run_until_cancelled(follow(&app, &camera_of)).await });
                (camera, stop)
            });
        }
    }
}

/// Asks for ever; a device that answers garbage or never is tried again ever more rarely.
async fn follow(app: &App, camera: &Camera) {
    let Some(onvif) = &camera.onvif else { return };
    let mut wait = RETRY.0;
    loop {
        let began = tokio::time::Instant::now();
        let Err(error) = listen(app, camera, onvif).await;
        tracing::debug!(camera = %camera.id, error = chain(&error), "ONVIF");
        app.meter.clock(&camera.id, None);
        wait = if began.elapsed() >= PROVEN { RETRY.0 } else { (wait * 2).min(RETRY.1) };
        // Cameras behind one switch come back together: not all are asked at once.
        tokio::time::sleep(wait.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
    }
}

async fn listen(app: &App, camera: &Camera, onvif: &Onvif) -> Result<std::convert::Infallible, OnvifError> {
    let device = Device::connect(&onvif.address, log_in(onvif).as_ref(), &trust(camera), PATIENCE).await?;
    app.meter.clock(&camera.id, Some(device.clock_offset_ms()));
    let mut events = device.events().await?;
    loop {
        for noticed in events.next(|| app.clock.utc()).await? {
            take(app, camera, &noticed).await;
        }
    }
}

async fn take(app: &App, camera: &Camera, noticed: &Noticed) {
    let (what, kind) = match noticed.what {
        What::Motion(_) => ("motion", None),
        What::Occupied(_) => ("occupied", None),
        What::Tamper(open) => ("tamper", Some(SignKind::Tamper { open })),
        What::SignalLoss(lost) => ("signal_loss", Some(SignKind::Fault { ok: !lost, code: "signal_loss".to_owned() })),
        What::People(_) => ("people", None),
    };
    metrics::counter!("qorgan_onvif_events_total", "what" => what).increment(1);
    if let (What::Motion(true), Some(pipeline)) = (noticed.what, app.pipeline.get()) {
        pipeline.stir(&camera.id);
    }
    if let Some(kind) = kind {
        app.sign(&Sign { device: camera.id.clone(), at: noticed.at, kind });
    }
    if let (Some(count), Some(mqtt)) = (noticed.count(&camera.id), app.mqtt.get())
        && let Err(error) = mqtt.publish_count(&count).await
    {
        tracing::warn!(camera = %camera.id, error = chain(&error), "a count of the camera's own could not be published");
    }
}
