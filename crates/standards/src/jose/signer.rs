//! Writing signed tokens: who signs, and the compact form. [RFC 7515 5.1]

use std::future::Future;
use std::pin::Pin;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Algorithm, HmacKey, Jwk, SoftwareKey};
use crate::base64url;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The claims could not be written as JSON.
    #[error("the claims cannot be written as JSON")]
    Claims(#[source] serde_json::Error),
    /// The key cannot make signatures of this algorithm.
    #[error("this key does not sign with {0}")]
    Algorithm(Algorithm),
    /// A key id that relying parties would cut short; see [`super::ends_in_an_algorithm_name`].
    #[error("a key id may not end in the name of a signature algorithm")]
    Kid,
    /// The bytes are no private key of a supported kind.
    #[error("this is no PKCS #8 private key for P-256, P-384, Ed25519 or RSA of 2048 bits or more")]
    PrivateKey,
    /// The library or the device could not do it.
    #[error("the key could not be made or used: {0}")]
    Device(String),
}

/// A signature on its way.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, SignError>> + Send + 'a>>;

/// Something that holds a private key and signs with it: a key in memory, in a hardware module or
/// in a key service.
pub trait Signer: Send + Sync {
    /// The algorithm of every signature it makes.
    fn algorithm(&self) -> Algorithm;

    /// The public half, with its `kid`.
    fn public_jwk(&self) -> &Jwk;

    /// The signature of these bytes in the form that JWS wants. [RFC 7518 3]
    fn sign<'a>(&'a self, input: &'a [u8]) -> Signing<'a>;
}

/// The protected header of a token to be signed. `alg` comes from the key; `kid` too, unless the
/// header names the key in another way.
#[derive(Clone, Debug, Default)]
pub struct ProtectedHeader {
    members: Map<String, Value>,
    without_kid: bool,
}

impl ProtectedHeader {
    /// A header that names the type of the token.
    pub fn typ(typ: &str) -> Self {
        Self::default().member("typ", typ)
    }

    /// A header without a type, for tokens whose standard knows none.
    pub fn untyped() -> Self {
        Self::default()
    }

    /// Names the key by this id instead of the key's own: a DID URL, say.
    #[must_use]
    pub fn kid(self, kid: impl Into<String>) -> Self {
        self.member("kid", kid.into())
    }

    /// Carries the public key itself and no `kid`.
    #[must_use]
    pub fn jwk(self, key: &Jwk) -> Self {
        Self {
            without_kid: true,
            ..self.member("jwk", key.bare_key().to_value())
        }
    }

    /// Leaves `kid` out.
    #[must_use]
    pub fn without_kid(self) -> Self {
        Self {
            without_kid: true,
            ..self
        }
    }

    /// Adds any other parameter.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Header and claims as they are signed.
    fn signing_input(
        mut self,
        alg: Algorithm,
        kid: Option<&str>,
        claims: &impl Serialize,
    ) -> Result<String, SignError> {
        self.members.insert("alg".to_owned(), json!(alg.as_str()));
        if let Some(kid) = kid
            && !self.without_kid
            && !self.members.contains_key("kid")
        {
            self.members.insert("kid".to_owned(), json!(kid));
        }
        let header = serde_json::to_vec(&self.members).map_err(SignError::Claims)?;
        let claims = serde_json::to_vec(claims).map_err(SignError::Claims)?;
        Ok(format!(
            "{}.{}",
            base64url::encode(header),
            base64url::encode(claims)
        ))
    }
}

/// Signs claims with whatever holds the key.
pub async fn sign(
    signer: &dyn Signer,
    header: ProtectedHeader,
    claims: &(impl Serialize + Sync),
) -> Result<String, SignError> {
    let input = header.signing_input(signer.algorithm(), signer.public_jwk().kid(), claims)?;
    let signature = signer.sign(input.as_bytes()).await?;
    Ok(joined(&input, &signature))
}

/// Signs claims with a key in memory, at once.
pub fn sign_now(
    key: &SoftwareKey,
    header: ProtectedHeader,
    claims: &impl Serialize,
) -> Result<String, SignError> {
    let input = header.signing_input(key.algorithm(), key.public_jwk().kid(), claims)?;
    let signature = key.sign_now(input.as_bytes())?;
    Ok(joined(&input, &signature))
}

/// Authenticates claims with a shared key. The key has to be as long as the algorithm's hash.
pub fn sign_hmac(
    key: &HmacKey,
    alg: Algorithm,
    header: ProtectedHeader,
    claims: &impl Serialize,
) -> Result<String, SignError> {
    let input = header.signing_input(alg, None, claims)?;
    let code = key
        .authenticate(alg, input.as_bytes())
        .ok_or(SignError::Algorithm(alg))?;
    Ok(joined(&input, &code))
}

fn joined(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", base64url::encode(signature))
}
