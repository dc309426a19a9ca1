//! A tenant's logo: a small PNG, served from this very origin, so that no page asks anybody else for anything.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The largest logo, in bytes: it stands on every page of a person with a telephone.
pub const LARGEST: usize = 32 * 1024;
/// The longest side, in pixels.
const LONGEST_SIDE: u32 = 1200;
/// Its height on the page, in pixels.
const HEIGHT: u32 = 40;
/// Its greatest width on the page, in pixels: beside it stands a name.
const MOST_WIDTH: u32 = 160;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";
/// What begins a logo that is written as text [RFC 2397].
const PREFIX: &str = "data:image/png;base64,";

/// A PNG whose size and sides were looked at.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    bytes: Vec<u8>,
    width: u32,
    height: u32,
}

/// Why it is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// Not a whole PNG.
    #[error("a logo is a PNG: as a file, or as data:image/png;base64,…")]
    NotPng,
    /// Too much for a page.
    #[error("a logo has at most {} KiB", LARGEST / 1024)]
    TooLarge,
    /// Sides of nothing, or of a poster.
    #[error(
        "a logo has sides of 1 to {LONGEST_SIDE} pixels, and is at most four times as wide as high"
    )]
    Sides,
}

impl Logo {
    /// Reads and checks a PNG.
    pub fn parse(bytes: &[u8]) -> Result<Self, LogoError> {
        if bytes.len() > LARGEST {
            return Err(LogoError::TooLarge);
        }
        // [PNG 11.2.1] The header comes first and says the sides; the end comes last.
        let head = bytes.strip_prefix(SIGNATURE).ok_or(LogoError::NotPng)?;
        let sides = head.strip_prefix(b"\0\0\0\x0dIHDR").and_then(|sides| {
            let (width, rest) = sides.split_first_chunk()?;
            let (height, _) = rest.split_first_chunk()?;
            Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
        });
        let (Some((width, height)), true) = (sides, bytes.ends_with(END)) else {
            return Err(LogoError::NotPng);
        };
        let allowed = 1..=LONGEST_SIDE;
        if !allowed.contains(&width) || !allowed.contains(&height) || width > 4 * height {
            return Err(LogoError::Sides);
        }
        Ok(Self {
            bytes: bytes.to_vec(),
            width,
            height,
        })
    }

    /// The same of a `data:` address.
    pub fn parse_text(text: &str) -> Result<Self, LogoError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(LogoError::NotPng)?;
        if encoded.len() > LARGEST.div_ceil(3) * 4 {
            return Err(LogoError::TooLarge);
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| LogoError::NotPng)?;
        Self::parse(&bytes)
    }

    /// Width and height on the page: the browser leaves room for it before it is there.
    pub fn sides(&self) -> (u32, u32) {
        let width = (self.width * HEIGHT).div_ceil(self.height);
        (width.clamp(1, MOST_WIDTH), HEIGHT)
    }

    /// The PNG.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// As the registry keeps it.
impl fmt::Display for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", STANDARD.encode(&self.bytes))
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({} × {})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = [SIGNATURE, b"\0\0\0\x0dIHDR"].concat();
        bytes.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
        bytes.extend([&b"\x08\x06\0\0\0"[..], &[0; 4], END].concat());
        bytes
    }

    #[test]
    fn a_logo_is_a_small_png_of_sound_sides() {
        let logo = Logo::parse(&png(300, 100)).unwrap();
        assert_eq!(logo.sides(), (120, 40));
        assert_eq!(Logo::parse_text(&logo.to_string()), Ok(logo));
        for (width, height) in [(0, 10), (10, 0), (1201, 1000), (500, 100)] {
            assert_eq!(Logo::parse(&png(width, height)), Err(LogoError::Sides));
        }
        let mut large = png(10, 10);
        large.splice(30..30, vec![0; LARGEST]);
        assert_eq!(Logo::parse(&large), Err(LogoError::TooLarge));
        let text = format!("{PREFIX}{}", "A".repeat(2 * LARGEST));
        assert_eq!(Logo::parse_text(&text), Err(LogoError::TooLarge));
    }

    #[test]
    fn sec_35_nothing_that_runs_or_calls_home_is_a_logo() {
        let png = png(10, 10);
        for other in [
            &b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"[..],
            b"GIF89a",
            b"",
            &png[..30],
        ] {
            assert_eq!(Logo::parse(other), Err(LogoError::NotPng));
        }
        for text in [
            "https://elsewhere.example/logo.png",
            "data:image/svg+xml;base64,PHN2Zz4=",
            "data:image/png;base64,*",
        ] {
            assert_eq!(Logo::parse_text(text), Err(LogoError::NotPng));
        }
    }
}
