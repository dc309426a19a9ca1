//! A private key in memory, parsed once.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use zeroize::Zeroizing;

use super::jwk::KeyType;
use super::signer::{SignError, Signer, Signing};
use super::{Algorithm, Jwk, ends_in_an_algorithm_name};

enum Pair {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A private key for ES256, ES384, `EdDSA` or RS256 that signs in this process.
pub struct SoftwareKey {
    pair: Pair,
    public: Jwk,
}

impl SoftwareKey {
    /// A new key. RSA keys have 2048 bits.
    pub fn generate(alg: Algorithm) -> Result<Self, SignError> {
        let failed = |_| SignError::Device("no key could be generated".to_owned());
        Self::new(match alg {
            Algorithm::ES256 => Pair::P256(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?,
            ),
            Algorithm::ES384 => Pair::P384(
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(failed)?,
            ),
            Algorithm::EdDSA => Pair::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
            Algorithm::RS256 => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?),
            other => return Err(SignError::Algorithm(other)),
        })
    }

    /// A key from its PKCS #8 form. The kind of key decides the algorithm; RSA signs RS256.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, SignError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
            .map(Pair::P256)
            .or_else(|_| {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der).map(Pair::P384)
            })
            .or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Pair::Ed25519))
            .or_else(|_| RsaKeyPair::from_pkcs8(der).map(Pair::Rsa))
            .map_err(|_| SignError::PrivateKey)?;
        Self::new(pair)
    }

    /// The PKCS #8 form, for storage under encryption; wiped from memory when dropped.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, SignError> {
        let failed = |_| SignError::Device("the key could not be written".to_owned());
        match &self.pair {
            Pair::P256(pair) | Pair::P384(pair) => Ok(Zeroizing::new(
                pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            )),
            Pair::Ed25519(pair) => written(pair),
            Pair::Rsa(pair) => written(pair),
        }
    }

    /// The same key under this id instead of its thumbprint.
    pub fn with_kid(self, kid: impl Into<String>) -> Result<Self, SignError> {
        let kid = kid.into();
        if ends_in_an_algorithm_name(&kid) {
            return Err(SignError::Kid);
        }
        Ok(Self {
            public: self.public.with_kid(kid),
            ..self
        })
    }

    /// The signature of these bytes, at once. [RFC 7518 3]
    pub fn sign_now(&self, input: &[u8]) -> Result<Vec<u8>, SignError> {
        let failed = |_| SignError::Device("the key could not sign".to_owned());
        let random = SystemRandom::new();
        match &self.pair {
            Pair::P256(pair) | Pair::P384(pair) => {
                Ok(pair.sign(&random, input).map_err(failed)?.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.try_sign(input).map_err(failed)?.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }

    fn new(pair: Pair) -> Result<Self, SignError> {
        let public = match &pair {
            Pair::P256(pair) => Jwk::from_point(KeyType::P256, pair.public_key().as_ref()),
            Pair::P384(pair) => Jwk::from_point(KeyType::P384, pair.public_key().as_ref()),
            Pair::Ed25519(pair) => Jwk::from_ed25519(pair.public_key().as_ref()),
            Pair::Rsa(pair) => {
                let RsaPublicKeyComponents { n, e } =
                    RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                Jwk::from_rsa(&n, &e)
            }
        };
        let public = public.map_err(|_| SignError::PrivateKey)?;
        let kid = sound_kid(public.thumbprint());
        let public = public
            .with_kid(kid)
            .with_alg(algorithm(&pair).as_str())
            .with_use("sig");
        Ok(Self { pair, public })
    }
}

/// The thumbprint, unless it happens to read like an algorithm name at its end.
fn sound_kid(thumbprint: String) -> String {
    if ends_in_an_algorithm_name(&thumbprint) {
        thumbprint + "_"
    } else {
        thumbprint
    }
}

fn algorithm(pair: &Pair) -> Algorithm {
    match pair {
        Pair::P256(_) => Algorithm::ES256,
        Pair::P384(_) => Algorithm::ES384,
        Pair::Ed25519(_) => Algorithm::EdDSA,
        Pair::Rsa(_) => Algorithm::RS256,
    }
}

fn written(pair: &impl AsDer<Pkcs8V1Der<'static>>) -> Result<Zeroizing<Vec<u8>>, SignError> {
    let der = pair
        .as_der()
        .map_err(|_| SignError::Device("the key could not be written".to_owned()))?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

impl Signer for SoftwareKey {
    fn algorithm(&self) -> Algorithm {
        algorithm(&self.pair)
    }

    fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    fn sign<'a>(&'a self, input: &'a [u8]) -> Signing<'a> {
        Box::pin(std::future::ready(self.sign_now(input)))
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_that_ends_in_an_algorithm_name_is_made_longer() {
        assert_eq!(sound_kid("abcRS384".to_owned()), "abcRS384_");
        assert_eq!(sound_kid("abcEdDSA".to_owned()), "abcEdDSA_");
        assert_eq!(sound_kid("abc".to_owned()), "abc");
    }
}
