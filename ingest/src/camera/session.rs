//! One session with a camera, watched: time stamps made steady, silence and impossible pictures turned into errors.

use tokio::time::Instant;

use super::{
    CameraError, CameraSpec, CameraUrl, Codec, Settings,
    decoder::DecodeError,
    media_clock::MediaClock,
    picture::check_size,
    source::{Source, StreamUnit},
};

/// An open stream and its watchdogs.
pub(super) struct Session {
    source: Source,
    settings: Settings,
    pub clock: MediaClock,
    /// When the next picture is due; `None` while nobody sends and that is no fault.
    picture_by: Option<Instant>,
    /// When the next key frame is due; `None` before the first picture, whose own patience counts until then.
    key_by: Option<Instant>,
    codec: Option<Codec>,
    size_px: Option<(u32, u32)>,
    /// A file cannot stall, and its key frames may be as far apart as its maker liked.
    file: bool,
}

/// What a session gives.
pub(super) struct Given {
    pub unit: StreamUnit,
    /// Size of the picture: that of the unit, or of the last key frame.
    pub size_px: Option<(u32, u32)>,
    pub media_time: std::time::Duration,
    pub steady: bool,
}

impl Session {
    pub(super) async fn open(spec: &CameraSpec, url: &CameraUrl, settings: &Settings) -> Result<Self, CameraError> {
        let source = Source::open(spec, url, settings).await?;
        let first = source.first_picture(settings).map(|patience| Instant::now() + patience);
        let (settings, clock) = (settings.clone(), MediaClock::default());
        let file = matches!(url, CameraUrl::File(_));
        Ok(Self { source, settings, clock, picture_by: first, key_by: None, codec: None, size_px: None, file })
    }

    pub(super) fn transport(&self) -> &'static str {
        self.source.transport()
    }

    /// The next access unit. `Ok(None)`: nobody has begun to send for as long as an answer may take; not an error, but worth telling.
    pub(super) async fn next(&mut self) -> Result<Option<Given>, CameraError> {
        let Settings { answer_timeout, picture_timeout, key_frame_timeout, .. } = self.settings;
        let mut deadline = match (self.picture_by, self.key_by) {
            (Some(picture_by), Some(key_by)) => picture_by.min(key_by),
            (either, other) => either.or(other).unwrap_or_else(|| Instant::now() + answer_timeout),
        };
        let unit = loop {
            match self.source.next(deadline).await? {
                None if self.file => deadline = Instant::now() + picture_timeout,
                other => break other,
            }
        };
        let Some(unit) = unit else {
            return match (self.picture_by, self.key_by) {
                (None, None) => Ok(None),
                (Some(picture_by), key_by) if key_by.is_none_or(|key_by| picture_by <= key_by) => {
                    Err(CameraError::Stalled { what: "picture", after: picture_timeout })
                }
                _ => Err(CameraError::NoKeyFrame { after: key_frame_timeout }),
            };
        };
        let now = Instant::now();
        self.picture_by = Some(now + picture_timeout);
        self.size_px = unit.size_px.or(self.size_px);
        if unit.key && self.size_px.is_some() {
            self.key_by = Some(now + key_frame_timeout);
            self.check(&unit)?;
        } else if !self.file && now >= *self.key_by.get_or_insert(now + key_frame_timeout) {
            return Err(CameraError::NoKeyFrame { after: key_frame_timeout });
        }
        let placed = self.clock.place(unit.stamp_s, now.into_std());
        Ok(Some(Given { size_px: self.size_px, unit, media_time: placed.media_time, steady: placed.steady }))
    }

    /// A key frame of an impossible size goes no further; one of another codec than before ends the session's memory of it.
    fn check(&mut self, unit: &StreamUnit) -> Result<(), CameraError> {
        if let Some((width, height)) = self.size_px {
            check_size(width, height).map_err(|error: DecodeError| CameraError::Decode(error))?;
        }
        if self.codec.replace(unit.codec).is_some_and(|before| before != unit.codec) {
            tracing::info!(codec = %unit.codec, "the stream has changed its codec");
        }
        Ok(())
    }
}
