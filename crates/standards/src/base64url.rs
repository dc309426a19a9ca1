//! base64url without padding, the one text form of bytes in JOSE. [RFC 7515 2]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The text is not unpadded, canonical base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not base64url without padding")]
pub struct Base64urlError;

/// The base64url text of these bytes, without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text.
///
/// Padding, white space, characters of the other alphabet and unused bits that are not zero are
/// refused: two texts must never stand for the same bytes, since signatures cover the text.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64urlError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Base64urlError)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_example_of_rfc_7515_appendix_c_is_written_and_read() {
        let bytes = [3, 236, 255, 224, 193];
        assert_eq!(encode(bytes), "A-z_4ME");
        assert_eq!(decode("A-z_4ME").unwrap(), bytes);
    }

    #[test]
    fn only_one_text_stands_for_given_bytes() {
        assert_eq!(decode("Zm9v").unwrap(), b"foo");
        for other in [
            "Zm9v====", "Zm8=", " Zm9v", "Zm9v\n", "Zm 9v", "Zm+v", "Zm/v", "Zm9vZ", "Zm9",
        ] {
            assert_eq!(decode(other), Err(Base64urlError), "{other:?}");
        }
        // `Zg` and `Zh` differ only in bits that carry nothing.
        assert_eq!(decode("Zg").unwrap(), b"f");
        assert_eq!(decode("Zh"), Err(Base64urlError));
    }
}
