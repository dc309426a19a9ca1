//! The query as JSON, and what the specification forbids in one.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::path::Path;

/// A DCQL query [VP 6]. Unknown members are ignored, as the specification asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// The credentials asked for.
    pub credentials: Vec<CredentialQuery>,
    /// Which combinations of them will do; absent means all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_sets: Option<Vec<CredentialSetQuery>>,
}

/// One credential asked for [VP 6.1].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialQuery {
    /// The name under which the answer comes.
    pub id: String,
    /// The credential format.
    pub format: Format,
    /// Whether several credentials may answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub multiple: bool,
    /// Which types will do.
    pub meta: Meta,
    /// Hints about issuers; the verifier's own trust list decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_authorities: Option<Vec<TrustedAuthorities>>,
    /// Whether the holder must prove possession of the credential's key.
    #[serde(default = "always", skip_serializing_if = "is_true")]
    pub require_cryptographic_holder_binding: bool,
    /// The claims asked for; absent means only what cannot be withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimsQuery>>,
    /// Alternatives among `claims`, the preferred first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_sets: Option<Vec<Vec<String>>>,
}

/// A credential format identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Format {
    /// W3C credential as a JWT, without JSON-LD processing.
    JwtVcJson,
    /// SD-JWT VC.
    DcSdJwt,
    /// A format that this house does not speak.
    Other(String),
}

impl Format {
    /// The identifier on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::JwtVcJson => "jwt_vc_json",
            Self::DcSdJwt => "dc+sd-jwt",
            Self::Other(name) => name,
        }
    }
}

impl From<String> for Format {
    fn from(name: String) -> Self {
        match name.as_str() {
            "jwt_vc_json" => Self::JwtVcJson,
            "dc+sd-jwt" => Self::DcSdJwt,
            _ => Self::Other(name),
        }
    }
}

impl From<Format> for String {
    fn from(format: Format) -> Self {
        format.as_str().to_owned()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What `meta` says for the formats of this house (VP, appendix B.1.1 and B.3.5).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// W3C formats: alternatives, each a set of types that must all be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_values: Option<Vec<Vec<String>>>,
    /// SD-JWT VC: the types that will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vct_values: Option<Vec<String>>,
    /// Members of other formats.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Which authorities the verifier says it trusts [VP 6.1.1].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedAuthorities {
    /// `aki`, `etsi_tl`, `openid_federation`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Their identifiers.
    pub values: Vec<String>,
}

/// One claim asked for [VP 6.3].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimsQuery {
    /// The name by which `claim_sets` refers to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where the claim is.
    pub path: Path,
    /// The values that will do: strings, integers, booleans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

/// Which combinations of credentials serve one use [VP 6.2].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSetQuery {
    /// Each option lists ids of credential queries; any one option serves.
    pub options: Vec<Vec<String>>,
    /// Whether this use must be served.
    #[serde(default = "always", skip_serializing_if = "is_true")]
    pub required: bool,
}

/// Why a query is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Not of the shape that section 6 gives.
    #[error("the DCQL query is not well formed: {0}")]
    Shape(String),
    /// An array that the specification wants non-empty is empty.
    #[error("the DCQL query has an empty array at {0}")]
    Empty(&'static str),
    /// An id with other than letters, digits, `_`, `-`.
    #[error(
        "the DCQL query has an id that is empty or has characters other than letters, digits, _ and -"
    )]
    Id,
    /// The same id twice.
    #[error("the DCQL query uses the id {0} twice")]
    DuplicateId(String),
    /// `claim_sets` or `credential_sets` name an id that is not there.
    #[error("the DCQL query refers to {0}, which it does not define")]
    UnknownId(String),
    /// `claim_sets` without `claims`, or with claims that have no id.
    #[error("claim_sets needs claims, each with an id")]
    ClaimSets,
    /// `meta` lacks what its format requires.
    #[error("meta of the credential query {id} lacks {member}")]
    Meta {
        /// The credential query.
        id: String,
        /// The member that its format requires.
        member: &'static str,
    },
    /// A value to match that is neither string, integer nor boolean.
    #[error("values may hold strings, integers and booleans only")]
    Values,
    /// More than any request of ours asks for.
    #[error("the DCQL query has more than {} entries in one array", MOST)]
    TooMany,
}

impl Query {
    /// A query for these credentials, all of them.
    pub fn new(credentials: Vec<CredentialQuery>) -> Result<Self, QueryError> {
        let query = Self {
            credentials,
            credential_sets: None,
        };
        query.check_rules()?;
        Ok(query)
    }

    /// Reads and checks a query.
    pub fn parse(value: &Value) -> Result<Self, QueryError> {
        let query =
            Self::deserialize(value).map_err(|error| QueryError::Shape(error.to_string()))?;
        query.check_rules()?;
        Ok(query)
    }

    /// The query as JSON.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The credential query with that id.
    pub fn find(&self, id: &str) -> Option<&CredentialQuery> {
        self.credentials
            .iter()
            .find(|credential| credential.id == id)
    }

    fn check_rules(&self) -> Result<(), QueryError> {
        not_empty(&self.credentials, "credentials")?;
        unique_ids(
            self.credentials
                .iter()
                .map(|credential| credential.id.as_str()),
        )?;
        for credential in &self.credentials {
            credential.check_rules()?;
        }
        let Some(sets) = &self.credential_sets else {
            return Ok(());
        };
        not_empty(sets, "credential_sets")?;
        for set in sets {
            not_empty(&set.options, "options")?;
            for option in &set.options {
                not_empty(option, "options")?;
                if let Some(unknown) = option.iter().find(|id| self.find(id).is_none()) {
                    return Err(QueryError::UnknownId(unknown.clone()));
                }
            }
        }
        Ok(())
    }
}

impl CredentialQuery {
    /// A query for a W3C credential of this type (beside `VerifiableCredential`).
    pub fn jwt_vc_json(id: &str, credential_type: &str, claims: Vec<Path>) -> Self {
        let type_values = Some(vec![vec![credential_type.to_owned()]]);
        Self::of(
            id,
            Format::JwtVcJson,
            Meta {
                type_values,
                ..Meta::default()
            },
            claims,
        )
    }

    /// A query for an SD-JWT VC of this type.
    pub fn dc_sd_jwt(id: &str, vct: &str, claims: Vec<Path>) -> Self {
        let vct_values = Some(vec![vct.to_owned()]);
        Self::of(
            id,
            Format::DcSdJwt,
            Meta {
                vct_values,
                ..Meta::default()
            },
            claims,
        )
    }

    fn of(id: &str, format: Format, meta: Meta, claims: Vec<Path>) -> Self {
        let claims: Vec<_> = claims
            .into_iter()
            .map(|path| ClaimsQuery {
                id: None,
                path,
                values: None,
            })
            .collect();
        Self {
            id: id.to_owned(),
            format,
            multiple: false,
            meta,
            trusted_authorities: None,
            require_cryptographic_holder_binding: true,
            claims: (!claims.is_empty()).then_some(claims),
            claim_sets: None,
        }
    }

    fn check_rules(&self) -> Result<(), QueryError> {
        self.check_meta()?;
        for authorities in self.trusted_authorities.iter().flatten() {
            not_empty(&authorities.values, "trusted_authorities.values")?;
        }
        if let Some(authorities) = &self.trusted_authorities {
            not_empty(authorities, "trusted_authorities")?;
        }
        let claims = self.claims.as_deref();
        if let Some(claims) = claims {
            not_empty(claims, "claims")?;
            unique_ids(claims.iter().filter_map(|claim| claim.id.as_deref()))?;
            for values in claims.iter().filter_map(|claim| claim.values.as_deref()) {
                not_empty(values, "values")?;
                if !values
                    .iter()
                    .all(|value| value.is_string() || value.is_boolean() || is_integer(value))
                {
                    return Err(QueryError::Values);
                }
            }
        }
        let Some(sets) = &self.claim_sets else {
            return Ok(());
        };
        not_empty(sets, "claim_sets")?;
        let claims = claims.ok_or(QueryError::ClaimSets)?;
        if claims.iter().any(|claim| claim.id.is_none()) {
            return Err(QueryError::ClaimSets);
        }
        for set in sets {
            not_empty(set, "claim_sets")?;
            let known = |id: &String| claims.iter().any(|claim| claim.id.as_ref() == Some(id));
            if let Some(unknown) = set.iter().find(|id| !known(id)) {
                return Err(QueryError::UnknownId(unknown.clone()));
            }
        }
        Ok(())
    }

    fn check_meta(&self) -> Result<(), QueryError> {
        let lacking = |member| QueryError::Meta {
            id: self.id.clone(),
            member,
        };
        match self.format {
            Format::JwtVcJson => {
                let types = self
                    .meta
                    .type_values
                    .as_deref()
                    .ok_or_else(|| lacking("type_values"))?;
                not_empty(types, "type_values")?;
                types
                    .iter()
                    .try_for_each(|alternative| not_empty(alternative, "type_values"))
            }
            Format::DcSdJwt => {
                let types = self
                    .meta
                    .vct_values
                    .as_deref()
                    .ok_or_else(|| lacking("vct_values"))?;
                not_empty(types, "vct_values")
            }
            Format::Other(_) => Ok(()),
        }
    }
}

fn unique_ids<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), QueryError> {
    let mut seen = HashSet::new();
    for id in ids {
        if id.is_empty()
            || !id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        {
            return Err(QueryError::Id);
        }
        if !seen.insert(id) {
            return Err(QueryError::DuplicateId(id.to_owned()));
        }
    }
    Ok(())
}

fn not_empty<T>(list: &[T], place: &'static str) -> Result<(), QueryError> {
    match list.len() {
        0 => Err(QueryError::Empty(place)),
        1..=MOST => Ok(()),
        _ => Err(QueryError::TooMany),
    }
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

fn always() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_true(value: &bool) -> bool {
    *value
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_false(value: &bool) -> bool {
    !*value
}

const MOST: usize = 128;
