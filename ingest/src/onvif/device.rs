//! One device: its streams, snapshots, clock and recordings.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use oxvif::OnvifClient;
use qorgan_domain::UtcMs;
use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use super::{Events, OnvifError, transport::Carrier};
use crate::camera::{
    CameraError, CameraUrl, Codec, Credentials, Trust,
    http::{Http, body_of},
};

/// Largest snapshot, in bytes.
const MAX_SNAPSHOT: usize = 16 << 20;
/// Most profiles that are looked at.
const MAX_PROFILES: usize = 64;

/// A video profile of a device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// What the device calls it by.
    pub token: String,
    /// Its name for people.
    pub name: String,
    /// Codec; `None` for one that the hub does not decode.
    pub codec: Option<Codec>,
    /// Width and height in pixels, if the device says.
    pub size_px: Option<(u32, u32)>,
    /// Frames per second at most, if the device says.
    pub fps: Option<f64>,
    /// Kilobits per second at most, if the device says.
    pub kbit_per_s: Option<u32>,
    /// Which lens or input it shows; profiles of one source show the same picture.
    pub source: Option<String>,
    media2: bool,
}

/// Indices of the profiles to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    /// The full picture.
    pub main: usize,
    /// The cheapest that shows enough of the same picture, if it is another one.
    pub sub: Option<usize>,
}

/// A stretch of recorded video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recording {
    /// What the device calls it by.
    pub token: String,
    /// Name of the source.
    pub source: String,
    /// When the first picture was taken, by the hub's clock.
    pub from: Option<UtcMs>,
    /// When the last one was, by the hub's clock.
    pub to: Option<UtcMs>,
}

/// A device that answers.
pub struct Device {
    client: OnvifClient,
    carrier: Arc<Carrier>,
    services: Services,
    clock_offset_ms: i64,
}

#[derive(Default)]
struct Services {
    media: Option<String>,
    media2: Option<String>,
    events: Option<String>,
    search: Option<String>,
    replay: Option<String>,
}

/// Picks the largest decodable profile as main stream, and of its source the cheapest that still has `wanted_px` on its longer side.
pub fn choose_streams(profiles: &[Profile], wanted_px: u32) -> Option<Streams> {
    let px = |profile: &Profile| profile.size_px.map_or(0, |(width, height)| u64::from(width) * u64::from(height));
    let longer = |profile: &Profile| profile.size_px.map_or(0, |(width, height)| width.max(height));
    let usable = || profiles.iter().enumerate().filter(|(_, profile)| profile.codec.is_some());
    // The first of equals: devices list their best first.
    let (main, full) = usable().rev().max_by_key(|(_, profile)| px(profile))?;
    let sub = usable()
        .filter(|(at, profile)| *at != main && profile.source == full.source && longer(profile) >= wanted_px && px(profile) < px(full))
        .min_by_key(|(_, profile)| px(profile))
        .map(|(at, _)| at);
    Some(Streams { main, sub })
}

impl Device {
    /// Asks a device for its clock and services. Each answer may take `patience`.
    ///
    /// # Errors
    /// Each of [`OnvifError`]; counted by `qorgan_onvif_faults_total`.
    pub async fn connect(address: &Url, log_in: Option<&Credentials>, trust: &Trust, patience: Duration) -> Result<Self, OnvifError> {
        let way = |source| OnvifError::Connection { step: "the way to the device", source }.counted();
        let carrier = Carrier::new(Http::new(log_in, trust).map_err(way)?, address, patience);
        let client = OnvifClient::new(address.as_str()).with_transport(carrier.clone());
        let clock_offset_ms = clock_offset(&client, &carrier).await?;
        // A log-in is dated: it must be in the device's time.
        let client = client.with_utc_offset(clock_offset_ms / 1000);
        let client = match log_in {
            Some(log_in) => client.with_credentials(&log_in.user, &log_in.password),
            None => client,
        };
        let services = services(&client, &carrier).await?;
        Ok(Self { client, carrier, services, clock_offset_ms })
    }

    /// How far the device's clock is ahead of the hub's; behind when negative. Whole seconds are what the standard tells.
    pub fn clock_offset_ms(&self) -> i64 {
        self.clock_offset_ms
    }

    /// All profiles with video, as the device lists them.
    ///
    /// # Errors
    /// Each of [`OnvifError`].
    pub async fn profiles(&self) -> Result<Vec<Profile>, OnvifError> {
        let wrong = |error| self.carrier.error("profiles", error);
        if let Some(media2) = &self.services.media2 {
            let profiles = self.client.get_profiles_media2(media2).await.map_err(wrong)?;
            let encoders = self.client.get_video_encoder_configurations_media2(media2).await.map_err(wrong)?;
            let profiles = profiles.into_iter().take(MAX_PROFILES).filter_map(|profile| {
                let encoder = encoders.iter().find(|encoder| profile.video_encoder_token.as_ref() == Some(&encoder.token))?;
                let rate = encoder.rate_control.as_ref();
                Some(Profile {
                    token: profile.token,
                    name: profile.name,
                    codec: codec(&encoder.encoding),
                    size_px: size((encoder.resolution.width, encoder.resolution.height)),
                    fps: rate.map(|rate| f64::from(rate.frame_rate_limit)),
                    kbit_per_s: rate.map(|rate| rate.bitrate_limit),
                    source: profile.video_source_token,
                    media2: true,
                })
            });
            return Ok(profiles.collect());
        }
        let media = self.services.media.as_ref().ok_or_else(|| OnvifError::NoService("media").counted())?;
        let profiles = self.client.get_profiles(media).await.map_err(wrong)?;
        let encoders = self.client.get_video_encoder_configurations(media).await.map_err(wrong)?;
        let profiles = profiles.into_iter().take(MAX_PROFILES).filter_map(|profile| {
            let encoder = encoders.iter().find(|encoder| profile.video_encoder_token.as_ref() == Some(&encoder.token))?;
            let rate = encoder.rate_control.as_ref();
            Some(Profile {
                token: profile.token,
                name: profile.name,
                codec: codec(&encoder.encoding),
                size_px: size((encoder.resolution.width, encoder.resolution.height)),
                fps: rate.map(|rate| f64::from(rate.frame_rate_limit)),
                kbit_per_s: rate.map(|rate| rate.bitrate_limit),
                source: profile.video_source_token,
                media2: false,
            })
        });
        Ok(profiles.collect())
    }

    /// Address of a profile's stream, on this device.
    ///
    /// # Errors
    /// Each of [`OnvifError`].
    pub async fn stream_url(&self, profile: &Profile) -> Result<CameraUrl, OnvifError> {
        const STEP: &str = "stream address";
        let wrong = |error| self.carrier.error(STEP, error);
        let uri = if profile.media2 {
            self.client.get_stream_uri_media2(self.media(profile)?, &profile.token).await.map_err(wrong)?
        } else {
            self.client.get_stream_uri(self.media(profile)?, &profile.token).await.map_err(wrong)?.uri
        };
        let url = self.carrier.on_device(&uri).and_then(|url| String::from(url).parse::<CameraUrl>().ok()).filter(CameraUrl::is_pulled);
        url.ok_or_else(|| OnvifError::Garbage { step: STEP, why: "the address is not one of a stream".into() }.counted())
    }

    /// A still of a profile, as JPEG.
    ///
    /// # Errors
    /// Each of [`OnvifError`].
    pub async fn snapshot(&self, profile: &Profile) -> Result<Vec<u8>, OnvifError> {
        const STEP: &str = "snapshot";
        let wrong = |error| self.carrier.error(STEP, error);
        let uri = if profile.media2 {
            self.client.get_snapshot_uri_media2(self.media(profile)?, &profile.token).await.map_err(wrong)?
        } else {
            self.client.get_snapshot_uri(self.media(profile)?, &profile.token).await.map_err(wrong)?.uri
        };
        let garbage = |why: &str| OnvifError::Garbage { step: STEP, why: why.into() }.counted();
        let url = self.carrier.on_device(&uri).ok_or_else(|| garbage("the address is none"))?;
        let way = |source: CameraError| OnvifError::Connection { step: STEP, source }.counted();
        let deadline = self.carrier.deadline();
        let answer = self.carrier.http().get(&url, deadline).await.map_err(way)?;
        let picture = body_of(answer, MAX_SNAPSHOT, deadline).await.map_err(way)?;
        if picture.starts_with(&[0xff, 0xd8]) { Ok(picture) } else { Err(garbage("the still is no JPEG")) }
    }

    /// Begins to listen to what the device notices.
    ///
    /// # Errors
    /// Each of [`OnvifError`].
    pub async fn events(&self) -> Result<Events, OnvifError> {
        let service = self.services.events.as_ref().ok_or_else(|| OnvifError::NoService("events").counted())?;
        Events::subscribe(self.client.clone(), self.carrier.clone(), service, self.clock_offset_ms).await
    }

    /// What is recorded on the device (Profile G).
    ///
    /// # Errors
    /// Each of [`OnvifError`].
    pub async fn recordings(&self) -> Result<Vec<Recording>, OnvifError> {
        let search = self.services.search.as_ref().ok_or_else(|| OnvifError::NoService("recording search").counted())?;
        let found = self.client.search_recordings(search, Some(1_000)).await.map_err(|error| self.carrier.error("recordings", error))?;
        let at = |text: Option<String>| hub_time(&text?, self.clock_offset_ms);
        let found = found.into_iter().filter(|recording| !recording.recording_token.is_empty()).map(|recording| Recording {
            token: recording.recording_token,
            source: recording.source_name,
            from: at(recording.earliest_recording),
            to: at(recording.latest_recording),
        });
        Ok(found.collect())
    }

    /// Address by which a recording is played over RTSP (`Range: clock=…` chooses the moment, in the device's time: add
    /// [`Device::clock_offset_ms`]).
    ///
    /// # Errors
    /// Each of [`OnvifError`].
    pub async fn replay_url(&self, recording: &Recording) -> Result<CameraUrl, OnvifError> {
        const STEP: &str = "replay address";
        let replay = self.services.replay.as_ref().ok_or_else(|| OnvifError::NoService("replay").counted())?;
        let uri = self.client.get_replay_uri(replay, &recording.token, "RTP-Unicast", "RTSP").await;
        let uri = uri.map_err(|error| self.carrier.error(STEP, error))?;
        let url = self.carrier.on_device(&uri).and_then(|url| String::from(url).parse::<CameraUrl>().ok()).filter(CameraUrl::is_pulled);
        url.ok_or_else(|| OnvifError::Garbage { step: STEP, why: "the address is not one of a stream".into() }.counted())
    }

    fn media(&self, profile: &Profile) -> Result<&str, OnvifError> {
        let service = if profile.media2 { &self.services.media2 } else { &self.services.media };
        service.as_deref().ok_or_else(|| OnvifError::NoService("media").counted())
    }
}

/// Asked without a log-in, as the standard allows: a log-in needs the answer.
async fn clock_offset(client: &OnvifClient, carrier: &Carrier) -> Result<i64, OnvifError> {
    let asked = Instant::now();
    let clock = client.get_system_date_and_time().await.map_err(|error| carrier.error("clock", error))?;
    let (now, way) = (unix_ms(), i64::try_from(asked.elapsed().as_millis()).unwrap_or(0));
    // The device tells whole seconds, cut off: half a second is what is lost on average. It told them half the way ago.
    let device_ms = |seconds: i64| seconds.saturating_mul(1000).saturating_add(500);
    let offset = clock.utc_unix.map_or(0, |seconds| device_ms(seconds).saturating_sub(now - way / 2));
    // Less than the resolution is nothing.
    Ok(if offset.abs() < 1_000 { 0 } else { offset })
}

fn unix_ms() -> i64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A moment that the device told, by the hub's clock.
pub(super) fn hub_time(text: &str, clock_offset_ms: i64) -> Option<UtcMs> {
    let at: UtcMs = text.trim().parse().ok()?;
    Some(UtcMs(at.0.saturating_sub(clock_offset_ms)))
}

async fn services(client: &OnvifClient, carrier: &Carrier) -> Result<Services, OnvifError> {
    let on = |url: Option<String>| url.and_then(|url| carrier.on_device(&url)).map(String::from);
    // The newer question names everything; the older one is what old devices know.
    match client.get_services().await {
        Ok(listed) if !listed.is_empty() => {
            let find = |what: &str| listed.iter().find(|service| service.namespace.contains(what)).map(|service| service.url.clone());
            Ok(Services {
                media: on(find("ver10/media")),
                media2: on(find("ver20/media")),
                events: on(find("ver10/events")),
                search: on(find("ver10/search")),
                replay: on(find("ver10/replay")),
            })
        }
        listed => {
            let known = match client.get_capabilities().await {
                Ok(known) => known,
                // What was wrong at first is the better answer when both fail.
                Err(error) => return Err(carrier.error("services", listed.err().unwrap_or(error))),
            };
            Ok(Services {
                media: on(known.media.url),
                media2: on(known.media2.url),
                events: on(known.events.url),
                search: on(known.search.url),
                replay: on(known.replay.url),
            })
        }
    }
}

fn codec(encoding: &oxvif::VideoEncoding) -> Option<Codec> {
    match encoding {
        oxvif::VideoEncoding::H264 => Some(Codec::H264),
        oxvif::VideoEncoding::H265 => Some(Codec::H265),
        oxvif::VideoEncoding::Jpeg => Some(Codec::Mjpeg),
        oxvif::VideoEncoding::Other(_) => None,
    }
}

fn size((width, height): (u32, u32)) -> Option<(u32, u32)> {
    (width > 0 && height > 0).then_some((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(codec: Option<Codec>, size_px: (u32, u32), source: &str) -> Profile {
        let (token, name) = (format!("{size_px:?}"), String::new());
        Profile { token, name, codec, size_px: size(size_px), fps: None, kbit_per_s: None, source: Some(source.into()), media2: true }
    }

    #[test]
    fn the_cheapest_stream_that_shows_enough_of_the_same_picture_is_the_sub_stream() {
        let h264 = Some(Codec::H264);
        let profiles = [
            profile(None, (3840, 2160), "a"),
            profile(h264, (1920, 1080), "a"),
            profile(h264, (1280, 720), "a"),
            profile(h264, (640, 360), "a"),
            profile(h264, (640, 352), "b"),
            profile(h264, (352, 288), "a"),
        ];
        assert_eq!(choose_streams(&profiles, 640), Some(Streams { main: 1, sub: Some(3) }));
        assert_eq!(choose_streams(&profiles, 1000), Some(Streams { main: 1, sub: Some(2) }));
        assert_eq!(choose_streams(&profiles, 1920), Some(Streams { main: 1, sub: None }));
        assert_eq!(choose_streams(&profiles[..1], 640), None);
    }

    #[test]
    fn a_device_that_does_not_tell_sizes_gives_its_first_stream() {
        let unknown = [profile(Some(Codec::H265), (0, 0), "a"), profile(Some(Codec::H264), (0, 0), "a")];
        assert_eq!(choose_streams(&unknown, 640), Some(Streams { main: 0, sub: None }));
    }

    #[test]
    fn the_devices_time_becomes_the_hubs() {
        assert_eq!(hub_time("2026-11-21T10:00:05Z", 5_000), "2026-11-21T10:00:00Z".parse().ok());
        assert_eq!(hub_time("yesterday", 0), None);
    }
}
