//! JOSE: keys (JWK), signatures (JWS, JWT) and encryption (JWE).
//!
//! Verification is one call that takes the key, the algorithms and the types that this place
//! accepts; nothing in the token chooses how the token is checked (SEC-14, SEC-15).

pub mod hmac_key;
pub mod jwe;
pub mod jwk;
pub mod jwk_set;
pub mod jws;
mod roca;
pub mod signer;
pub mod software_key;

use std::fmt;

pub use hmac_key::HmacKey;
pub use jwk::Jwk;
pub use jwk_set::JwkSet;
pub use jws::{Typ, Verified};
pub use signer::{SignError, Signer};
pub use software_key::SoftwareKey;

/// The signature algorithms this house speaks. [RFC 7518 3.1, RFC 8037 3.1]
///
/// `none` is no member: what cannot be named cannot be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

impl Algorithm {
    /// Every algorithm that has a public key.
    pub const ASYMMETRIC: &[Self] = &[
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
        Self::RS256,
        Self::PS256,
    ];
    /// Every algorithm with a shared key.
    pub const SYMMETRIC: &[Self] = &[Self::HS256, Self::HS384, Self::HS512];

    /// The algorithm of this registered name; names are case-sensitive. [RFC 7515 4.1.1]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ASYMMETRIC
            .iter()
            .chain(Self::SYMMETRIC)
            .copied()
            .find(|known| known.as_str() == name)
    }

    /// The registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }

    /// The same algorithm as the JWT library names it.
    pub(crate) fn in_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::ES256 => jsonwebtoken::Algorithm::ES256,
            Self::ES384 => jsonwebtoken::Algorithm::ES384,
            Self::EdDSA => jsonwebtoken::Algorithm::EdDSA,
            Self::RS256 => jsonwebtoken::Algorithm::RS256,
            Self::PS256 => jsonwebtoken::Algorithm::PS256,
            Self::HS256 => jsonwebtoken::Algorithm::HS256,
            Self::HS384 => jsonwebtoken::Algorithm::HS384,
            Self::HS512 => jsonwebtoken::Algorithm::HS512,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a key id ends in the name of a signature algorithm.
///
/// Integrators of the first contract cut such an ending off before they look the key up, and then
/// do not find it; so no key of ours may have one. The name may be of any registered algorithm.
pub fn ends_in_an_algorithm_name(kid: &str) -> bool {
    const NAMES: [&str; 14] = [
        "ES256", "ES384", "ES512", "ES256K", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384",
        "PS512", "HS256", "HS384", "HS512",
    ];
    NAMES.iter().any(|name| kid.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithm_names_are_exact() {
        for alg in Algorithm::ASYMMETRIC.iter().chain(Algorithm::SYMMETRIC) {
            assert_eq!(Algorithm::parse(alg.as_str()), Some(*alg));
        }
        for name in [
            "none", "None", "es256", "ES256 ", "", "ES512", "RS384", "RSA1_5",
        ] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_key_id_that_ends_in_the_name_of_an_algorithm_is_told_from_others() {
        for kid in ["key-RS256", "ES256K", "keyEdDSA"] {
            assert!(ends_in_an_algorithm_name(kid), "{kid}");
        }
        for kid in ["", "RS256-key", "key-es256", "q7-RS25"] {
            assert!(!ends_in_an_algorithm_name(kid), "{kid}");
        }
    }
}
