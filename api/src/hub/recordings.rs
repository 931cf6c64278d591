//! The door to what cameras and recorders have kept themselves (ONVIF Profile G). The device is asked each time; the hub keeps nothing.

use std::{sync::Arc, time::Duration};

use qorgan_domain::UtcMs;
use qorgan_ingest::{
    camera::{CameraError, Credentials, Replay, Trust},
    onvif::{Device, OnvifError, Recording},
};

use super::{
    play::{Source, play},
    stills::Eyes,
};
use crate::{
    config::{Camera, Onvif},
    seeing::{RecordingDoor, RecordingInfo, RecordingsError},
};

/// For each answer of a device.
const PATIENCE: Duration = Duration::from_secs(10);

/// The door.
pub(super) fn door(eyes: Arc<Eyes>) -> RecordingDoor {
    RecordingDoor {
        list: Box::new(|camera| {
            Box::pin(async move {
                let onvif = camera.onvif.as_ref().ok_or(RecordingsError::NoOnvif)?;
                let device = connect(&camera, onvif).await.map_err(|error| said(&error))?;
                let found = device.recordings().await.map_err(|error| said(&error))?;
                let info = |Recording { token, source, from, to }| RecordingInfo { token, source, from, to };
                Ok(found.into_iter().map(info).collect())
            })
        }),
        play: Box::new(move |camera, token, from, lifted, privacy| {
            let id = camera.id.clone();
            let asking = Box::pin(async move { ask(&camera, token, from).await });
            play(Source::Asking(asking), id, eyes.clone(), lifted, privacy)
        }),
    }
}

async fn connect(camera: &Camera, onvif: &Onvif) -> Result<Device, OnvifError> {
    Device::connect(&onvif.address, log_in(onvif).as_ref(), &trust(camera), PATIENCE).await
}

async fn ask(camera: &Camera, token: String, from: UtcMs) -> Result<Replay, CameraError> {
    let Some(onvif) = &camera.onvif else { return Err(CameraError::Ended) };
    let device = connect(camera, onvif).await.map_err(of_onvif)?;
    let recording = Recording { token, source: String::new(), from: None, to: None };
    let url = device.replay_url(&recording).await.map_err(of_onvif)?;
    Replay::open(&url, log_in(onvif).as_ref(), from, device.clock_offset_ms(), PATIENCE).await
}

fn of_onvif(error: OnvifError) -> CameraError {
    CameraError::Link { step: "ONVIF", fault: error.fault(), message: error.to_string() }
}

fn said(error: &OnvifError) -> RecordingsError {
    match error {
        OnvifError::NoService(_) => RecordingsError::NoService,
        other => RecordingsError::Fault(other.fault()),
    }
}

/// How a device is opened; a password that cannot be read is none.
pub(crate) fn log_in(onvif: &Onvif) -> Option<Credentials> {
    onvif.login.as_ref().and_then(|(user, source)| Some(Credentials { user: user.clone(), password: source.read().ok()? }))
}

/// What a device's certificate is checked against.
pub(crate) fn trust(camera: &Camera) -> Trust {
    match (&camera.tls_ca, camera.tls_insecure) {
        (Some(ca), _) => Trust::Ca(ca.clone()),
        (None, true) => Trust::Insecure,
        (None, false) => Trust::System,
    }
}
