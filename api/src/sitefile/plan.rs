//! The floor plan: a picture from outside is decoded within limits and written anew, so that nothing but pixels stays.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits};

/// Largest picture that is taken, in bytes.
pub const MAX_PLAN_BYTES: usize = 8 * 1024 * 1024;
/// Largest picture that is taken, in pixels.
const MAX_PIXELS: u64 = 40_000_000;
/// Longest side, in pixels.
const MAX_SIDE: u32 = 20_000;
/// Memory for the decoder: 40 megapixels of four bytes, and its own needs.
const MAX_ALLOC: u64 = 256 * 1024 * 1024;
/// Largest picture that is written; noise grows when it is written anew.
const MAX_WRITTEN: usize = 2 * MAX_PLAN_BYTES;
const JPEG_QUALITY: u8 = 90;

/// Why a picture is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Over [`MAX_PLAN_BYTES`].
    #[error("the picture has {0} bytes; at most {MAX_PLAN_BYTES} are taken")]
    Bytes(usize),
    /// Neither PNG nor JPEG.
    #[error("the picture is neither PNG nor JPEG")]
    Format,
    /// Too many pixels.
    #[error("the picture has {0} x {1} pixels; at most 40 megapixels and 20,000 on a side are taken")]
    Pixels(u32, u32),
    /// It does not decode.
    #[error("the picture does not decode: {0}")]
    Broken(#[from] image::ImageError),
    /// It is small as a file and large as a picture.
    #[error("the picture is too large when it is written anew ({0} bytes)")]
    Grown(usize),
}

/// The picture written anew, and its media type. Takes time and memory: not for a task that serves others.
pub fn clean_plan(bytes: &[u8]) -> Result<(Vec<u8>, &'static str), PlanError> {
    if bytes.len() > MAX_PLAN_BYTES {
        return Err(PlanError::Bytes(bytes.len()));
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| PlanError::Format)?;
    let format = reader.format().filter(|f| matches!(f, ImageFormat::Png | ImageFormat::Jpeg)).ok_or(PlanError::Format)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PlanError::Pixels(width, height));
    }
    // The camera's word on which way is up goes with the rest of the metadata.
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let mut out = Vec::new();
    let media_type = if format == ImageFormat::Png {
        let picture = if picture.color().has_alpha() { DynamicImage::from(picture.into_rgba8()) } else { picture.into_rgb8().into() };
        picture.write_to(&mut Cursor::new(&mut out), ImageFormat::Png)?;
        "image/png"
    } else {
        let picture = picture.into_rgb8();
        let (width, height) = picture.dimensions();
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY);
        encoder.write_image(&picture, width, height, image::ExtendedColorType::Rgb8)?;
        "image/jpeg"
    };
    if out.len() > MAX_WRITTEN {
        return Err(PlanError::Grown(out.len()));
    }
    Ok((out, media_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = Vec::new();
        DynamicImage::new_rgb8(width, height).write_to(&mut Cursor::new(&mut out), ImageFormat::Png).unwrap();
        out
    }

    /// A PNG with a text chunk after its header, as drawing programs write it.
    fn with_text(png: &[u8]) -> Vec<u8> {
        let body = b"tEXtAuthor\0Ivan Ivanov, +7 701 000 00 00";
        let mut chunk = (u32::try_from(body.len() - 4).unwrap()).to_be_bytes().to_vec();
        chunk.extend(body);
        chunk.extend(crc(body).to_be_bytes());
        [&png[..33], &chunk, &png[33..]].concat()
    }

    fn crc(bytes: &[u8]) -> u32 {
        let step =
            |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xEDB8_8320 } else { c >> 1 });
        !bytes.iter().fold(u32::MAX, step)
    }

    #[test]
    fn what_a_picture_says_besides_its_pixels_is_gone() {
        let told = with_text(&png(40, 30));
        let (clean, media_type) = clean_plan(&told).unwrap();
        assert_eq!(media_type, "image/png");
        assert!(!clean.windows(6).any(|w| w == b"Ivanov"));
        assert_eq!(image::load_from_memory(&clean).unwrap().width(), 40);
    }

    #[test]
    fn a_photograph_taken_upright_stays_upright_without_its_metadata() {
        let mut out = Vec::new();
        DynamicImage::new_rgb8(40, 30).write_to(&mut Cursor::new(&mut out), ImageFormat::Jpeg).unwrap();
        // An Exif segment that says: turn by 90 degrees.
        let exif: &[u8] = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let mut told = out[..2].to_vec();
        told.extend([0xFF, 0xE1]);
        told.extend((u16::try_from(exif.len() + 2).unwrap()).to_be_bytes());
        told.extend(exif);
        told.extend(&out[2..]);
        let (clean, media_type) = clean_plan(&told).unwrap();
        assert_eq!(media_type, "image/jpeg");
        assert!(!clean.windows(4).any(|w| w == b"Exif"));
        let turned = image::load_from_memory(&clean).unwrap();
        assert_eq!((turned.width(), turned.height()), (30, 40));
    }

    #[test]
    fn a_bomb_another_format_and_a_torn_file_are_refused() {
        // A header that promises more pixels than memory holds; nothing is decoded.
        let mut bomb = png(8, 8);
        bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        let sum = crc(&bomb[12..29]).to_be_bytes();
        bomb[29..33].copy_from_slice(&sum);
        assert!(matches!(clean_plan(&bomb), Err(PlanError::Pixels(60_000, 60_000) | PlanError::Broken(_))));
        assert!(matches!(clean_plan(b"GIF89a\x01\0\x01\0\0\0\0"), Err(PlanError::Format)));
        assert!(matches!(clean_plan(b"<svg/>"), Err(PlanError::Format)));
        let whole = png(64, 64);
        assert!(matches!(clean_plan(&whole[..whole.len() / 2]), Err(PlanError::Broken(_))));
        assert!(matches!(clean_plan(&vec![0; MAX_PLAN_BYTES + 1]), Err(PlanError::Bytes(_))));
    }
}
