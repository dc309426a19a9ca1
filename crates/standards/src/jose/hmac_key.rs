//! A key shared with a relying party, with which it signs its drafts.

use std::fmt;

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Algorithm;

/// The shortest key: the hash of the weakest algorithm. [RFC 7518 3.2]
pub const MIN_LENGTH: usize = 32;

/// Integrators hold the key with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a text is no shared key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HmacKeyError {
    /// Not base64.
    #[error("a signing key is text in base64")]
    Base64,
    /// Too short.
    #[error("a signing key has at least {MIN_LENGTH} bytes")]
    TooShort,
    /// The operating system gave no randomness.
    #[error("no random bytes could be had")]
    Random,
}

/// A shared key for HS256, HS384 or HS512, wiped from memory when dropped.
#[derive(Clone)]
pub struct HmacKey(Zeroizing<Vec<u8>>);

impl HmacKey {
    /// Reads the key as it is given out: in base64, padded or not.
    pub fn parse(text: &str) -> Result<Self, HmacKeyError> {
        let bytes = Zeroizing::new(BASE64.decode(text).map_err(|_| HmacKeyError::Base64)?);
        Self::from_bytes(&bytes)
    }

    /// A key of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HmacKeyError> {
        if bytes.len() < MIN_LENGTH {
            return Err(HmacKeyError::TooShort);
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// A new random key of 256 bits.
    pub fn generate() -> Result<Self, HmacKeyError> {
        let mut bytes = Zeroizing::new(vec![0; MIN_LENGTH]);
        rand::fill(&mut bytes).map_err(|_| HmacKeyError::Random)?;
        Ok(Self(bytes))
    }

    /// The key as it is given out, in padded base64.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(general_purpose::STANDARD.encode(&*self.0))
    }

    /// The strongest algorithm the key is long enough for, as the libraries of integrators choose.
    pub fn strongest_algorithm(&self) -> Algorithm {
        match self.0.len() {
            64.. => Algorithm::HS512,
            48.. => Algorithm::HS384,
            _ => Algorithm::HS256,
        }
    }

    /// Whether the key has at least the length of the algorithm's hash. [RFC 7518 3.2]
    pub(crate) fn is_long_enough_for(&self, alg: Algorithm) -> bool {
        let hash = match alg {
            Algorithm::HS384 => 48,
            Algorithm::HS512 => 64,
            _ => MIN_LENGTH,
        };
        self.0.len() >= hash
    }

    pub(crate) fn authenticate(&self, alg: Algorithm, input: &[u8]) -> Option<Vec<u8>> {
        let hash = match alg {
            Algorithm::HS256 => hmac::HMAC_SHA256,
            Algorithm::HS384 => hmac::HMAC_SHA384,
            Algorithm::HS512 => hmac::HMAC_SHA512,
            _ => return None,
        };
        self.is_long_enough_for(alg).then(|| {
            hmac::sign(&hmac::Key::new(hash, &self.0), input)
                .as_ref()
                .to_vec()
        })
    }

    pub(crate) fn in_library(&self) -> jsonwebtoken::DecodingKey {
        jsonwebtoken::DecodingKey::from_secret(&self.0)
    }
}

impl PartialEq for HmacKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for HmacKey {}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_reads_back_what_it_was_given_out_as() {
        let key = HmacKey::generate().unwrap();
        assert_eq!(HmacKey::parse(&key.to_base64()).unwrap(), key);
        assert_eq!(
            HmacKey::parse(key.to_base64().trim_end_matches('=')).unwrap(),
            key
        );
        assert_ne!(HmacKey::generate().unwrap(), key);
    }

    #[test]
    fn a_short_key_or_other_text_is_refused() {
        let short = general_purpose::STANDARD.encode([7; MIN_LENGTH - 1]);
        assert_eq!(HmacKey::parse(&short), Err(HmacKeyError::TooShort));
        assert_eq!(HmacKey::parse("not base64!"), Err(HmacKeyError::Base64));
    }

    #[test]
    fn the_length_decides_the_strongest_algorithm() {
        let strongest = |length| {
            HmacKey::from_bytes(&vec![1; length])
                .unwrap()
                .strongest_algorithm()
        };
        assert_eq!([32, 47].map(strongest), [Algorithm::HS256; 2]);
        assert_eq!([48, 63].map(strongest), [Algorithm::HS384; 2]);
        assert_eq!([64, 99].map(strongest), [Algorithm::HS512; 2]);
    }

    #[test]
    fn a_key_cannot_be_printed() {
        let key = HmacKey::from_bytes(&[65; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "HmacKey(…)");
    }
}
