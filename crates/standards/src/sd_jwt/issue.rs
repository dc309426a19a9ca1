//! The issuer's side: a payload with digests in place of the claims that may be withheld.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value, json};

use super::disclosure::Disclosure;
use super::{HASH, RESERVED};
use crate::base64url;
use crate::jose::jws::{self, ProtectedHeader};
use crate::jose::{SignError, Signer};

/// A payload ready to be signed, and its disclosures. Debug does not print the values.
#[derive(Clone, PartialEq)]
pub struct Unsigned {
    payload: Map<String, Value>,
    disclosures: Vec<Disclosure>,
}

/// Why a payload cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// `_sd`, `...` or `_sd_alg` as a claim's name.
    #[error("a claim cannot be named {0}")]
    ReservedName(String),
    /// The same name twice, or both always visible and disclosable.
    #[error("the claim {0} is given twice")]
    Twice(String),
    /// Two claims with the same salt and content would have the same digest.
    #[error("two disclosures have the same digest: salts must be fresh")]
    SaltReused,
}

impl Unsigned {
    /// Builds the payload: `always` is visible to everyone, each of `disclosable` (name, value, fresh salt)
    /// only to whom the holder shows it. `decoys` are random digests that hide how many claims there are.
    pub fn build(
        always: Map<String, Value>,
        disclosable: Vec<(String, Value, [u8; 16])>,
        decoys: &[[u8; 32]],
    ) -> Result<Self, IssueError> {
        let mut names: BTreeSet<String> = always.keys().cloned().collect();
        let visible = always.keys().map(String::as_str);
        let hidden = disclosable.iter().map(|(name, ..)| name.as_str());
        if let Some(name) = visible
            .chain(hidden)
            .find(|name| RESERVED.contains(name) || *name == "_sd_alg")
        {
            return Err(IssueError::ReservedName(name.to_owned()));
        }
        let mut payload = always;
        let mut disclosures = Vec::with_capacity(disclosable.len());
        for (name, value, salt) in disclosable {
            if !names.insert(name.clone()) {
                return Err(IssueError::Twice(name));
            }
            disclosures.push(Disclosure::member(salt, &name, value));
        }
        // [RFC 9901 4.2.4.1] The order of digests must not tell the order of claims: sorted, it tells nothing.
        let digests: BTreeSet<String> = disclosures.iter().map(Disclosure::digest).collect();
        if digests.len() != disclosures.len() {
            return Err(IssueError::SaltReused);
        }
        let digests: BTreeSet<String> = digests
            .into_iter()
            .chain(decoys.iter().map(base64url::encode))
            .collect();
        if !digests.is_empty() {
            payload.insert("_sd".into(), json!(digests));
            payload.insert("_sd_alg".into(), json!(HASH));
        }
        Ok(Self {
            payload,
            disclosures,
        })
    }

    /// The payload that the issuer signs.
    pub fn payload(&self) -> &Map<String, Value> {
        &self.payload
    }

    /// The disclosures, in the order given.
    pub fn disclosures(&self) -> &[Disclosure] {
        &self.disclosures
    }

    /// Signs, and puts the token together with all disclosures, as the holder receives it.
    pub async fn sign(
        &self,
        signer: &dyn Signer,
        header: ProtectedHeader,
    ) -> Result<String, SignError> {
        let jwt = jws::sign(signer, header, &self.payload).await?;
        Ok(self.assemble(&jwt))
    }

    /// Puts a token signed elsewhere together with all disclosures.
    pub fn assemble(&self, jwt: &str) -> String {
        let mut text = format!("{jwt}~");
        for disclosure in &self.disclosures {
            text.push_str(disclosure.as_str());
            text.push('~');
        }
        text
    }
}

impl fmt::Debug for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsigned")
            .field("disclosures", &self.disclosures)
            .finish_non_exhaustive()
    }
}
