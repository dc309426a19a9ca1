//! What stands in a credential, in either format, and its signature.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use standards::did;
use standards::jose::jws::ProtectedHeader;
use standards::jose::{SignError, Signer};
use standards::openid4vci::VerifiedProof;
use standards::openid4vci::proof::NamedKey;
use standards::status_list::{Entry, StatusReference};
use standards::vc::{Validity, jwt_vc_json, sd_jwt_vc};

use super::draft::Draft;
use crate::organisation::Organisation;
use crate::organisation::catalogue::{CredentialType, Format};
use crate::random::Random;

/// Everything that a credential says.
pub(super) struct Content<'a> {
    pub(super) organisation: &'a Organisation,
    pub(super) key: &'a Arc<dyn Signer>,
    pub(super) credential_type: &'a CredentialType,
    pub(super) vct: String,
    /// What `credentialSchema` says.
    pub(super) schema: Value,
    pub(super) draft: &'a Draft,
    pub(super) proof: &'a VerifiedProof,
    pub(super) status: StatusReference,
    /// The same in the W3C's form.
    pub(super) status_entries: Vec<Entry>,
    pub(super) issued_at: Timestamp,
}

/// Why a credential could not be made: a fault of this program or of its key.
#[derive(Debug, thiserror::Error)]
pub(super) enum ContentError {
    /// The claims do not make a credential.
    #[error(transparent)]
    Build(#[from] sd_jwt_vc::BuildError),
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Makes and signs the credential.
pub(super) async fn sign(
    content: &Content<'_>,
    format: Format,
    random: &Random,
) -> Result<String, ContentError> {
    match format {
        Format::JwtVcJson => content.jwt_vc_json().await,
        Format::SdJwtVc => content.sd_jwt_vc(random).await,
    }
}

impl Content<'_> {
    /// Issued under the organisation's DID, to the holder's (rulings 12).
    async fn jwt_vc_json(&self) -> Result<String, ContentError> {
        let credential = jwt_vc_json::Credential {
            issuer: self.organisation.did.clone(),
            subject: Some(self.holder_did()),
            id: Some(self.id()),
            types: vec![self.credential_type.name.clone()],
            credential_subject: self.draft.attributes.clone(),
            validity: self.validity(),
            status: Some(self.status.clone()),
            status_entries: self.status_entries.clone(),
            schema: Some(self.schema.clone()),
            confirmation: None,
        };
        Ok(credential
            .sign(self.key.as_ref(), &self.organisation.key_id(self.key))
            .await?)
    }

    /// Issued under the credential issuer's address, whose key set names the key by its thumbprint. Every
    /// attribute is the holder's to show or not. [SD-04, SV-02]
    async fn sd_jwt_vc(&self, random: &Random) -> Result<String, ContentError> {
        let credential = sd_jwt_vc::Credential {
            issuer: self.organisation.credential_issuer.clone(),
            vct: self.vct.clone(),
            validity: self.validity(),
            status: Some(self.status.clone()),
            holder: Some(self.proof.holder.clone()),
        };
        let visible = Map::from_iter([("jti".to_owned(), Value::from(self.id()))]);
        let disclosable = self
            .draft
            .attributes
            .iter()
            .map(|(name, value)| (name.clone(), value.clone(), random.bytes()));
        let unsigned = credential.build(visible, disclosable.collect(), &[])?;
        let mut header = ProtectedHeader::typ(sd_jwt_vc::TYP);
        // [SV-03, HA-04] Beside the `kid`: whoever trusts no authority finds the key where it always was.
        let kid = self.key.public_jwk().thumbprint();
        if let Some(chain) = self.organisation.chain_of(&kid, self.issued_at) {
            header = header.member("x5c", chain.x5c());
        }
        Ok(unsigned.sign(self.key.as_ref(), header).await?)
    }

    /// The DID that the wallet named its key by, or the one that is the key.
    fn holder_did(&self) -> String {
        match &self.proof.named {
            NamedKey::Kid(kid) => kid.split('#').next().unwrap_or_default().to_owned(),
            NamedKey::Jwk(_) | NamedKey::X5c(_) => did::jwk::encode(&self.proof.holder).to_string(),
        }
    }

    /// Rulings 14.
    fn id(&self) -> String {
        format!("urn:uuid:{}", self.draft.serial_number)
    }

    fn validity(&self) -> Validity {
        Validity {
            issued_at: Some(self.issued_at),
            not_before: Some(self.issued_at),
            expires_at: Some(self.draft.expires_at),
        }
    }
}
