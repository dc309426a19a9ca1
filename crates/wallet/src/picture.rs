//! A link out of a picture of a QR code.

use std::io::Cursor;

use image::{ImageReader, Limits};

/// Why no link could be read out of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Neither PNG nor JPEG, or damaged, or larger than 8,000 pixels a side.
    #[error(
        "the file is not a picture this wallet can open: use a PNG or a JPEG of at most 8,000 pixels a side"
    )]
    NotAPicture,
    /// No code was found in it.
    #[error("no QR code can be read in the picture")]
    NoCode,
    /// More codes than one: which is meant?
    #[error("there are several QR codes in the picture: cut out the one you mean")]
    SeveralCodes,
}

/// Reads the one QR code in a PNG or JPEG picture.
pub fn read_qr_code(picture: &[u8]) -> Result<String, PictureError> {
    let mut reader = ImageReader::new(Cursor::new(picture))
        .with_guessed_format()
        .map_err(|_| PictureError::NotAPicture)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(8_000);
    limits.max_image_height = Some(8_000);
    limits.max_alloc = Some(256 * 1024 * 1024);
    reader.limits(limits);
    let pixels = reader
        .decode()
        .map_err(|_| PictureError::NotAPicture)?
        .to_luma8();
    let mut texts: Vec<String> = rqrr::PreparedImage::prepare(pixels)
        .detect_grids()
        .into_iter()
        .filter_map(|grid| grid.decode().ok())
        .map(|(_, text)| text)
        .collect();
    texts.dedup();
    match texts.len() {
        0 => Err(PictureError::NoCode),
        1 => Ok(texts.remove(0)),
        _ => Err(PictureError::SeveralCodes),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use image::{GrayImage, ImageFormat, Luma};

    use super::*;

    fn png(image: &GrayImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_without_a_code_and_a_file_that_is_no_picture_are_told_apart() {
        let blank = GrayImage::from_pixel(200, 200, Luma([255]));
        assert_eq!(read_qr_code(&png(&blank)), Err(PictureError::NoCode));
        assert_eq!(read_qr_code(b"%PDF-1.7"), Err(PictureError::NotAPicture));
        assert_eq!(read_qr_code(b""), Err(PictureError::NotAPicture));
    }
}
