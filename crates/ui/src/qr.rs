//! A link as a QR code, drawn so that a camera finds it on any screen.

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;
use qrcode::canvas::Canvas;
use qrcode::{Color, EcLevel, bits, ec};

mod mask;

/// [ISO/IEC 18004 9.1] Four light modules on each side, or cameras do not find the code.
const QUIET_ZONE: usize = 4;

/// A drawing that a template writes as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Svg(String);

impl fmt::Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// Built from numbers and an escaped label only.
impl HtmlSafe for Svg {}

/// The text is longer than a QR code can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{length} bytes do not fit in a QR code")]
pub struct TooLong {
    length: usize,
}

/// Draws the text, dark on light in every theme, with `label` as what a screen reader says: the purpose of
/// the code, not its content.
pub fn svg(text: &str, label: &str) -> Result<Svg, TooLong> {
    let (mut canvas, size) = unmasked(text).ok_or(TooLong { length: text.len() })?;
    if size <= mask::WIDEST {
        canvas.apply_mask(mask::best(&canvas, size));
    } else {
        canvas = canvas.apply_best_mask();
    }
    let side = size + 2 * QUIET_ZONE;
    let mut drawing = String::with_capacity(size * size * 5 + 512);
    let _ = write!(
        drawing,
        "<svg class=\"lanyard-qr\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         width=\"{side}\" height=\"{side}\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"{}\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"",
        Escaped(label)
    );
    write_runs(&mut drawing, &canvas.into_colors(), size);
    drawing.push_str("\"/></svg>");
    Ok(Svg(drawing))
}

/// The symbol before a mask is chosen, and its modules a side; `None` for a text that does not fit. A seventh of it may
/// be lost before it can no longer be read (level M).
fn unmasked(text: &str) -> Option<(Canvas, usize)> {
    let bits = bits::encode_auto(text.as_bytes(), EcLevel::M).ok()?;
    let version = bits.version();
    let (data, correction) =
        ec::construct_codewords(&bits.into_bytes(), version, EcLevel::M).ok()?;
    let mut canvas = Canvas::new(version, EcLevel::M);
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    Some((canvas, usize::try_from(version.width()).ok()?))
}

/// One rectangle for each run of dark modules in a row, all in one path.
fn write_runs(out: &mut String, modules: &[Color], size: usize) {
    // A code has hundreds of runs and only so many numbers.
    let numbers: Vec<String> = (0..size + QUIET_ZONE).map(|n| n.to_string()).collect();
    for (y, row) in modules.chunks_exact(size).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run.first() == Some(&Color::Dark) {
                let (left, top) = (&numbers[x + QUIET_ZONE], &numbers[y + QUIET_ZONE]);
                let wide = &numbers[run.len()];
                for part in ["M", left, " ", top, "h", wide, "v1h-", wide, "z"] {
                    out.push_str(part);
                }
            }
            x += run.len();
        }
    }
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use image::GrayImage;
    use image::Luma;

    /// Paints the path's rectangles, eight pixels to a module, as a browser would.
    fn paint(svg: &str) -> GrayImage {
        let attribute = |text: &str, name: &str| {
            let start = text.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
            text[start..].split('"').next().unwrap().to_owned()
        };
        let side: u32 = attribute(svg, "width").parse().unwrap();
        let mut image = GrayImage::from_pixel(side * 8, side * 8, Luma([255]));
        let dark = svg.split("<path").nth(2).unwrap();
        for run in attribute(dark, " d").split('M').skip(1) {
            let numbers: Vec<u32> = run
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|part| part.parse().ok())
                .collect();
            let (left, top, length) = (numbers[0], numbers[1], numbers[2]);
            for x in left * 8..(left + length) * 8 {
                for y in top * 8..(top + 1) * 8 {
                    image.put_pixel(x, y, Luma([0]));
                }
            }
        }
        image
    }

    fn decode(svg: &Svg) -> String {
        let mut prepared = rqrr::PreparedImage::prepare(paint(&svg.to_string()));
        prepared.detect_grids()[0].decode().unwrap().1
    }

    #[test]
    fn another_reader_reads_the_link_back() {
        for link in [
            "openid4vp://?client_id=decentralized_identifier%3Adid%3Aweb%3Alocalhost&request_uri=http%3A%2F%2Fx",
            "http://localhost:8400/w/AAAAAAAAAAAAAAAAAAAAAA",
            "a",
        ] {
            assert_eq!(decode(&svg(link, "QR code").unwrap()), link);
        }
    }

    #[test]
    fn a_link_of_110_characters_stays_within_version_7() {
        let drawing = svg(&"x".repeat(110), "QR code").unwrap().to_string();
        assert!(
            drawing.contains("viewBox=\"0 0 53 53\""),
            "45 modules and the quiet zone"
        );
        assert!(drawing.len() < 12_000, "{} bytes", drawing.len());
    }

    #[test]
    fn nothing_dark_touches_the_quiet_zone() {
        let image = paint(
            &svg("http://localhost:8400/w/abc", "QR code")
                .unwrap()
                .to_string(),
        );
        let edge = image.width();
        for (x, y, pixel) in image.enumerate_pixels() {
            if x < 32 || y < 32 || x >= edge - 32 || y >= edge - 32 {
                assert_eq!(pixel.0, [255]);
            }
        }
    }

    #[test]
    fn the_label_cannot_leave_its_attribute() {
        let drawing = svg("a", "a\"><script>").unwrap().to_string();
        assert!(drawing.contains("aria-label=\"a&quot;&gt;&lt;script&gt;\""));
    }

    #[test]
    fn a_text_that_does_not_fit_is_refused() {
        assert_eq!(
            svg(&"x".repeat(3_000), "QR code"),
            Err(TooLong { length: 3_000 })
        );
    }
}
