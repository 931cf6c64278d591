//! Cameras that speak ONVIF: their clock for the compliance meter, and what they notice by themselves as hub events. A count of a
//! camera's own goes the way of every foreign count, so that the hub leaves it alone while such counts come.

use std::{collections::HashMap, sync::Arc, time::Duration};

use qorgan_domain::{DeviceRef, Sign, SignKind};
use qorgan_ingest::{
    camera::{Credentials, Trust},
    onvif::{Device, Noticed, OnvifError, What},
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Camera, Onvif},
    error::chain,
    hub::App,
};

/// How often it is looked whether a camera was added, changed or removed.
const LOOK: Duration = Duration::from_secs(5);
/// For each answer of a device.
const PATIENCE: Duration = Duration::from_secs(10);
/// Waits between two tries grow from the one to the other.
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));
/// A subscription that lasted so long was a good one.
const PROVEN: Duration = Duration::from_secs(60);

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
    let log_in = onvif.login.as_ref().and_then(|(user, source)| Some(Credentials { user: user.clone(), password: source.read().ok()? }));
    let trust = match (&camera.tls_ca, camera.tls_insecure) {
        (Some(ca), _) => Trust::Ca(ca.clone()),
        (None, true) => Trust::Insecure,
        (None, false) => Trust::System,
    };
    let device = Device::connect(&onvif.address, log_in.as_ref(), &trust, PATIENCE).await?;
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
    if let Some(kind) = kind {
        app.sign(&Sign { device: camera.id.clone(), at: noticed.at, kind });
    }
    if let (Some(count), Some(mqtt)) = (noticed.count(&camera.id), app.mqtt.get())
        && let Err(error) = mqtt.publish_count(&count).await
    {
        tracing::warn!(camera = %camera.id, error = chain(&error), "a count of the camera's own could not be published");
    }
}
