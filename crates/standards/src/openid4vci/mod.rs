//! OpenID for Verifiable Credential Issuance 1.0: both ends of the wire.
//!
//! The pre-authorized code flow in the order in which it happens: [`offer`], [`metadata`], [`token`],
//! the nonce and the [`proof`], the [`credential`], the [`notification`].

pub mod credential;
pub mod metadata;
pub mod notification;
pub mod offer;
pub mod proof;
pub mod token;

pub use credential::{
    CredentialErrorCode, CredentialRequest, CredentialRequestError, CredentialResponse,
    IssuedCredential, NonceResponse, Proofs, Requested,
};
pub use metadata::{
    ClaimDescription, CredentialConfiguration, CredentialDefinition, CredentialMetadata, Display,
    IssuerMetadata, ProofType,
};
pub use notification::{NotificationErrorCode, NotificationEvent, NotificationRequest};
pub use offer::{CredentialOffer, OfferError, OfferLink, PreAuthorizedCodeGrant};
pub use proof::{KeyProof, ProofError, VerifiedProof};
pub use token::{PreAuthorizedCode, TokenRequest, TokenRequestError, TokenResponse};

/// The grant type of the pre-authorized code flow.
pub const PRE_AUTHORIZED_CODE: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
/// Under `/.well-known/`: the credential issuer's metadata.
pub const CREDENTIAL_ISSUER_WELL_KNOWN: &str = "openid-credential-issuer";
/// Under `/.well-known/`: the authorization server's metadata.
pub const AUTHORIZATION_SERVER_WELL_KNOWN: &str = "oauth-authorization-server";
