//! Text that must not be printed: values that prove who is speaking, or about whom.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A secret held only as long as needed. Its Debug writes nothing of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(Text);

#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
struct Text(Zeroizing<String>);

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.as_str().to_owned()
    }
}

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(text.into())
    }

    /// 256 random bits as 43 base64url characters: also a valid PKCE verifier [RFC 7636 4.1].
    pub(crate) fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut())?;
        Ok(Self::new(standards::base64url::encode(bytes.as_ref())))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0.0
    }

    /// Whether `other` is the same text, in a time that does not tell where they differ.
    pub(crate) fn matches(&self, other: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(
            self.expose().as_bytes(),
            other.as_bytes(),
        )
        .is_ok()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
