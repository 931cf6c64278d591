//! A decoded picture on its way from the decoder to the model. Pixels live no longer than that.

use crate::{DeviceRef, UtcMs};

/// A picture in planar YUV 4:2:0, limited range (ITU-R BT.601 unless the stream says otherwise).
#[derive(Clone, PartialEq, Eq)]
pub struct I420 {
    /// Width in pixels, even or odd.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Luma: `height` rows of `y_stride` bytes.
    pub y: Vec<u8>,
    /// Blue difference: `(height + 1) / 2` rows of `uv_stride` bytes.
    pub u: Vec<u8>,
    /// Red difference, shaped as `u`.
    pub v: Vec<u8>,
    /// Bytes per luma row, at least `width`.
    pub y_stride: usize,
    /// Bytes per chroma row, at least `(width + 1) / 2`.
    pub uv_stride: usize,
}

impl I420 {
    /// Whether the planes are as long as width, height and strides say.
    pub fn is_whole(&self) -> bool {
        let rows = self.height.div_ceil(2);
        self.width > 0
            && self.height > 0
            && self.y_stride >= self.width
            && self.uv_stride >= self.width.div_ceil(2)
            && self.y.len() >= self.y_stride * (self.height - 1) + self.width
            && self.u.len() >= self.uv_stride * (rows - 1) + self.width.div_ceil(2)
            && self.v.len() >= self.uv_stride * (rows - 1) + self.width.div_ceil(2)
    }
}
impl std::fmt::Debug for I420 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "I420 {}x{}", self.width, self.height)
    }
}

/// A decoded key frame of one camera.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The camera it came from.
    pub camera: DeviceRef,
    /// Wall time at which the hub received the frame.
    pub received_at: UtcMs,
    /// The picture.
    pub picture: I420,
}
