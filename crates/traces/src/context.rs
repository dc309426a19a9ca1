//! `traceparent`: to which trace a request belongs. [W3C Trace Context 3.2]

use reqwest::header::{HeaderMap, HeaderValue};

/// The header's name.
pub const TRACEPARENT: &str = "traceparent";

/// A span, as whoever is asked hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The trace.
    pub(crate) trace: [u8; 16],
    /// The span.
    pub(crate) span: [u8; 8],
    /// Whether it is kept: the flag `sampled`.
    pub(crate) is_kept: bool,
}

impl Parent {
    /// The one header of a request, if it is of the form; with any other the trace begins here [4.3].
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut sent = headers.get_all(TRACEPARENT).iter();
        let (Some(value), None) = (sent.next(), sent.next()) else {
            return None;
        };
        Self::parse(value.to_str().ok()?)
    }

    /// Reads its text.
    pub fn parse(text: &str) -> Option<Self> {
        let is_lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let mut parts = text.splitn(5, '-');
        let mut next = |length: usize| {
            let part = parts.next()?;
            let is_one = part.len() == length && part.bytes().all(is_lower_hex);
            is_one.then_some(part)
        };
        let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        // Version 00 has four parts; a later one may have more behind them [3.2.4].
        if version == "ff" || version == "00" && parts.next().is_some() {
            return None;
        }
        let mut parent = Self {
            trace: [0; 16],
            span: [0; 8],
            is_kept: false,
        };
        hex::decode_to_slice(trace, &mut parent.trace).ok()?;
        hex::decode_to_slice(span, &mut parent.span).ok()?;
        let mut flag = [0; 1];
        hex::decode_to_slice(flags, &mut flag).ok()?;
        parent.is_kept = flag[0] & 1 == 1;
        // All zeros name no trace and no span.
        (parent.trace != [0; 16] && parent.span != [0; 8]).then_some(parent)
    }

    /// Its text.
    #[must_use]
    pub fn to_text(self) -> String {
        format!(
            "00-{}-{}-{:02x}",
            hex::encode(self.trace),
            hex::encode(self.span),
            u8::from(self.is_kept)
        )
    }

    /// The header for whom this program asks.
    #[must_use]
    pub fn header(self) -> Option<HeaderValue> {
        HeaderValue::try_from(self.to_text()).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// [W3C Trace Context 3.2.3, examples]
    #[test]
    fn the_specifications_own_examples_are_read_and_written() {
        let kept = Parent::parse(EXAMPLE).unwrap();
        assert!(kept.is_kept);
        assert_eq!(kept.to_text(), EXAMPLE);
        let left = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        assert!(!Parent::parse(left).unwrap().is_kept);
        // Of a later version what is known is read, and nothing behind it.
        let later = format!("cc{}-what-comes-later", &EXAMPLE[2..]);
        assert_eq!(Parent::parse(&later).unwrap().to_text(), EXAMPLE);
    }

    #[test]
    fn what_is_not_of_the_form_begins_a_trace_of_its_own() {
        for other in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Parent::parse(other), None, "{other}");
        }
        let mut twice = HeaderMap::new();
        twice.append(TRACEPARENT, EXAMPLE.parse().unwrap());
        assert!(Parent::read(&twice).is_some());
        twice.append(TRACEPARENT, EXAMPLE.parse().unwrap());
        assert_eq!(Parent::read(&twice), None);
    }
}
