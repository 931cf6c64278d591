//! From whatever a decoder hands out to the hub's one picture format: planar 4:2:0, limited range.
//!
//! Cameras give 8-bit 4:2:0; full range ("J") and 10-bit H.265 occur. Formats that need a colour
//! conversion (RGB) are refused by name: no camera codec gives them.

use gstreamer_video::{VideoColorRange, VideoFormat, VideoFrameExt, VideoFrameRef, VideoInfo};
use qorgan_domain::I420;

use super::decoder::DecodeError;

/// Widest and highest picture that is decoded, in pixels.
pub const MAX_SIDE_PX: u32 = 8192;

/// Refuses an empty picture and one over [`MAX_SIDE_PX`].
pub(super) fn check_size(width: u32, height: u32) -> Result<(), DecodeError> {
    if width == 0 || height == 0 || width > MAX_SIDE_PX || height > MAX_SIDE_PX {
        return Err(DecodeError::Size { width, height });
    }
    Ok(())
}

/// One plane of the decoder's picture: rows of samples, `step` bytes from one sample to the next.
struct Plane<'a> {
    data: &'a [u8],
    stride: usize,
    step: usize,
    offset: usize,
    /// 8, or 10 and 12 in little-endian pairs of bytes.
    depth: u32,
}

impl Plane<'_> {
    /// Copies `width` x `height` samples, taking every `every_x`-th of every `every_y`-th row, as 8 bit, through `map` if any.
    fn copy(&self, width: usize, height: usize, (every_x, every_y): (usize, usize), map: Option<&[u8; 256]>) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(width * height);
        let bytes = if self.depth > 8 { 2 } else { 1 };
        for row in 0..height {
            let start = row * every_y * self.stride + self.offset;
            let row = self.data.get(start..start + (width - 1) * every_x * self.step + bytes)?;
            let through = |sample: u8| map.map_or(sample, |map| map[usize::from(sample)]);
            match (self.depth, every_x * self.step, map) {
                (8, 1, None) => out.extend_from_slice(row),
                (8, step, _) => out.extend(row.iter().step_by(step).map(|&sample| through(sample))),
                (depth, step, _) => out.extend(row.chunks(step).map(|pair| {
                    let sample = u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]) >> (depth - 8);
                    through(u8::try_from(sample).unwrap_or(u8::MAX))
                })),
            }
        }
        Some(out)
    }
}

/// Full range 0..255 to 16..16+`span`: luma has 219 steps, chroma 224 (ITU-R BT.601).
fn to_limited(span: u32) -> [u8; 256] {
    std::array::from_fn(|value| u8::try_from(16 + (value as u32 * span + 127) / 255).unwrap_or(u8::MAX))
}

/// Copies the decoder's buffer into a picture of the hub's own.
pub(super) fn to_i420(buffer: &gstreamer::BufferRef, info: &VideoInfo) -> Result<I420, DecodeError> {
    check_size(info.width(), info.height())?;
    let unsupported = || DecodeError::PictureFormat { format: info.format().to_str().to_string() };
    let frame = VideoFrameRef::from_buffer_ref_readable(buffer, info).map_err(|_| DecodeError::Unreadable)?;
    let (width, height) = (info.width() as usize, info.height() as usize);
    let (uv_width, uv_height) = (width.div_ceil(2), height.div_ceil(2));
    // How much finer the source's chroma is than 4:2:0, as (x, y); None when there is no chroma.
    let chroma = match info.format() {
        VideoFormat::I420 | VideoFormat::Yv12 | VideoFormat::Nv12 | VideoFormat::Nv21 | VideoFormat::I42010le | VideoFormat::I42012le => {
            Some((1, 1))
        }
        VideoFormat::Y42b | VideoFormat::I42210le => Some((1, 2)),
        VideoFormat::Y444 | VideoFormat::Y44410le => Some((2, 2)),
        VideoFormat::Gray8 => None,
        _ => return Err(unsupported()),
    };
    let plane = |component: u8| {
        let index = info.comp_plane(component);
        Some(Plane {
            data: frame.plane_data(index).ok()?,
            stride: usize::try_from(*frame.plane_stride().get(index as usize)?).ok()?,
            step: usize::try_from(info.comp_pstride(component)).ok()?,
            offset: info.comp_poffset(component) as usize,
            depth: info.comp_depth(component),
        })
    };
    let full = info.colorimetry().range() == VideoColorRange::Range0_255;
    let (luma_map, chroma_map) = (full.then(|| to_limited(219)), full.then(|| to_limited(224)));
    let copy = |component: u8, width: usize, height: usize, every: (usize, usize), map: &Option<[u8; 256]>| {
        plane(component).and_then(|plane| plane.copy(width, height, every, map.as_ref())).ok_or(DecodeError::Unreadable)
    };
    let y = copy(0, width, height, (1, 1), &luma_map)?;
    let (u, v) = match chroma {
        Some(every) => (copy(1, uv_width, uv_height, every, &chroma_map)?, copy(2, uv_width, uv_height, every, &chroma_map)?),
        None => (vec![128; uv_width * uv_height], vec![128; uv_width * uv_height]),
    };
    Ok(I420 { width, height, y, u, v, y_stride: width, uv_stride: uv_width })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(format: VideoFormat, width: u32, height: u32, range: Option<&str>, fill: impl Fn(usize) -> u8) -> Result<I420, DecodeError> {
        gstreamer::init().unwrap();
        let mut builder = gstreamer::Caps::builder("video/x-raw")
            .field("format", format.to_str())
            .field("width", width as i32)
            .field("height", height as i32)
            .field("framerate", gstreamer::Fraction::new(0, 1));
        if let Some(range) = range {
            builder = builder.field("colorimetry", range);
        }
        let info = VideoInfo::from_caps(&builder.build()).unwrap();
        let bytes: Vec<u8> = (0..info.size()).map(fill).collect();
        to_i420(&gstreamer::Buffer::from_slice(bytes), &info)
    }

    #[test]
    fn an_odd_sized_picture_keeps_its_last_row_and_column() {
        let picture = convert(VideoFormat::I420, 5, 3, None, |i| i as u8).unwrap();
        assert!(picture.is_whole());
        assert_eq!((picture.width, picture.height, picture.u.len()), (5, 3, 6));
        // GStreamer pads rows to four bytes: the second row starts at byte 8.
        assert_eq!(picture.y[..6], [0, 1, 2, 3, 4, 8]);
    }

    #[test]
    fn interleaved_chroma_is_taken_apart_in_the_right_order() {
        let nv12 = convert(VideoFormat::Nv12, 4, 2, None, |i| i as u8).unwrap();
        assert_eq!((nv12.u, nv12.v), (vec![8, 10], vec![9, 11]));
        let nv21 = convert(VideoFormat::Nv21, 4, 2, None, |i| i as u8).unwrap();
        assert_eq!((nv21.u, nv21.v), (vec![9, 11], vec![8, 10]));
    }

    #[test]
    fn full_range_is_brought_to_limited_range() {
        let full = convert(VideoFormat::I420, 4, 2, Some("1:4:0:0"), |i| if i < 8 { [0, 255][i % 2] } else { 128 }).unwrap();
        assert_eq!(full.y, [16, 235, 16, 235, 16, 235, 16, 235]);
        assert_eq!(full.u, [128, 128]);
        let limited = convert(VideoFormat::I420, 4, 2, Some("2:4:0:0"), |_| 255).unwrap();
        assert_eq!(limited.y, [255; 8]);
    }

    #[test]
    fn ten_bits_become_eight() {
        // 0x0200 = 512 of 1023 in every sample.
        let picture = convert(VideoFormat::I42010le, 4, 2, None, |i| if i % 2 == 0 { 0x00 } else { 0x02 }).unwrap();
        assert_eq!((picture.y, picture.u), (vec![128; 8], vec![128; 2]));
    }

    #[test]
    fn a_format_that_no_camera_gives_is_refused_by_name() {
        let error = convert(VideoFormat::Rgb, 4, 2, None, |_| 0).unwrap_err();
        assert!(matches!(&error, DecodeError::PictureFormat { format } if format == "RGB"), "{error}");
    }

    #[test]
    fn empty_and_huge_sizes_are_refused() {
        assert!(check_size(8192, 8192).is_ok());
        assert!(check_size(0, 576).is_err() && check_size(768, 0).is_err() && check_size(8193, 16).is_err());
    }
}
