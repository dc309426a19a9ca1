//! Credential issuer metadata [VCI 12.2].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::dcql::{Format, Path};
pub use crate::oauth::metadata::{MetadataError, well_known_url};

/// The document at `/.well-known/openid-credential-issuer…` [VCI-01 to VCI-04].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IssuerMetadata {
    /// The issuer's identifier, equal to the one that the document was fetched for.
    pub credential_issuer: String,
    /// Absent: the credential issuer is its own authorization server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_servers: Option<Vec<String>>,
    /// Where credentials are asked for.
    pub credential_endpoint: String,
    /// Where a `c_nonce` is had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce_endpoint: Option<String>,
    /// Where a credential that was not ready is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_credential_endpoint: Option<String>,
    /// Where a wallet tells what became of the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_endpoint: Option<String>,
    /// Keys and algorithms for encrypted credential requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_request_encryption: Option<Value>,
    /// Algorithms for encrypted credential responses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_response_encryption: Option<Value>,
    /// Whether several credentials may be asked for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_credential_issuance: Option<BatchCredentialIssuance>,
    /// The issuer's name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<Display>>,
    /// What it issues, by configuration id.
    pub credential_configurations_supported: BTreeMap<String, CredentialConfiguration>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// [VCI 3.3] Batch issuance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCredentialIssuance {
    /// How many proofs a request may have, at least 2.
    pub batch_size: u32,
}

/// One thing that is issued, in one format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialConfiguration {
    /// The credential format.
    pub format: Format,
    /// The scope that asks for it in an authorization request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The issuer's signature algorithms (names; numbers for formats that use COSE).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_signing_alg_values_supported: Option<Vec<Value>>,
    /// How the holder's key may be named: `jwk`, `did:jwk`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cryptographic_binding_methods_supported: Option<Vec<String>>,
    /// Which proofs of possession are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_types_supported: Option<BTreeMap<String, ProofType>>,
    /// `dc+sd-jwt`: the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vct: Option<String>,
    /// `jwt_vc_json`: the types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_definition: Option<CredentialDefinition>,
    /// What people see of it. Optional in the standard, always there in ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_metadata: Option<CredentialMetadata>,
    /// Members of other formats, and extensions.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What a proof must be signed with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProofType {
    /// The algorithms.
    pub proof_signing_alg_values_supported: Vec<Value>,
    /// Whether the wallet must attest the key, and how strongly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_attestations_required: Option<Value>,
}

/// The types of a `jwt_vc_json` credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialDefinition {
    /// `VerifiableCredential` and the type proper.
    #[serde(rename = "type")]
    pub types: Vec<String>,
}

/// How a credential and its claims are shown to people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CredentialMetadata {
    /// Its name, in one or more languages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<Display>>,
    /// Its claims in the order of showing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimDescription>>,
}

/// A name and its looks in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// A sentence about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Image>,
    /// The card's colour, as in CSS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_color: Option<String>,
    /// The card's picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_image: Option<Image>,
    /// The colour of text on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_color: Option<String>,
}

/// A picture by reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Where it is; may be a `data:` URI.
    pub uri: String,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
}

/// One claim for people [VCI appendix B.2].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimDescription {
    /// Where the claim is.
    pub path: Path,
    /// Whether the issuer always includes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// Its label, in one or more languages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<ClaimDisplay>>,
}

/// A claim's label in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDisplay {
    /// The label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

impl IssuerMetadata {
    /// Reads the document fetched for `identifier` and checks the standard's rules.
    pub fn parse(body: &[u8], identifier: &str) -> Result<Self, MetadataError> {
        let value =
            crate::json::parse(body).map_err(|error| MetadataError::Shape(error.to_string()))?;
        let metadata =
            Self::deserialize(value).map_err(|error| MetadataError::Shape(error.to_string()))?;
        if metadata.credential_issuer != identifier {
            return Err(MetadataError::Issuer);
        }
        metadata.check()?;
        Ok(metadata)
    }

    /// Checks the rules that types cannot hold; an issuer does so once, at its start.
    pub fn check(&self) -> Result<(), MetadataError> {
        well_known_url(&self.credential_issuer, CREDENTIAL_ISSUER)?;
        if self
            .authorization_servers
            .as_ref()
            .is_some_and(Vec::is_empty)
        {
            return Err(MetadataError::Rule(
                "authorization_servers must not be empty",
            ));
        }
        if self
            .batch_credential_issuance
            .is_some_and(|batch| batch.batch_size < 2)
        {
            return Err(MetadataError::Rule("batch_size must be at least 2"));
        }
        self.credential_configurations_supported
            .values()
            .try_for_each(CredentialConfiguration::check)
    }

    /// The authorization server's identifier: the first named, else the issuer itself [VCI 12.2.4].
    pub fn authorization_server(&self) -> &str {
        self.authorization_servers
            .as_ref()
            .and_then(|servers| servers.first())
            .unwrap_or(&self.credential_issuer)
    }

    /// The document as JSON.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl CredentialConfiguration {
    fn check(&self) -> Result<(), MetadataError> {
        // [VCI 12.2.4] Binding methods and proof types go together.
        if self.cryptographic_binding_methods_supported.is_some()
            != self.proof_types_supported.is_some()
        {
            return Err(MetadataError::Rule(
                "binding methods and proof types must be given together",
            ));
        }
        if let Some(proofs) = &self.proof_types_supported
            && (proofs.is_empty()
                || proofs
                    .values()
                    .any(|proof| proof.proof_signing_alg_values_supported.is_empty()))
        {
            return Err(MetadataError::Rule(
                "proof types must name their algorithms",
            ));
        }
        let named = match self.format {
            Format::DcSdJwt => self.vct.as_ref().is_some_and(|vct| !vct.is_empty()),
            Format::JwtVcJson => self
                .credential_definition
                .as_ref()
                .is_some_and(|definition| {
                    definition
                        .types
                        .iter()
                        .any(|known| known == "VerifiableCredential")
                }),
            Format::Other(_) => true,
        };
        if named {
            Ok(())
        } else {
            Err(MetadataError::Rule(
                "a credential configuration must name its type",
            ))
        }
    }

    /// The name in the language asked for, else the first there is.
    pub fn display_name(&self, locale: &str) -> Option<&str> {
        let all = self.credential_metadata.as_ref()?.display.as_ref()?;
        let own = all
            .iter()
            .find(|display| display.locale.as_deref() == Some(locale));
        own.or_else(|| all.first())?.name.as_deref()
    }
}

const CREDENTIAL_ISSUER: &str = super::CREDENTIAL_ISSUER_WELL_KNOWN;
