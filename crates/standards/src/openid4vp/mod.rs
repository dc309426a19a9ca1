//! OpenID for Verifiable Presentations 1.0: both ends of the wire.
//!
//! In the order in which it happens: the [`link`] that a person scans, the [`request`] object that the
//! wallet fetches and checks, the [`response`] that it posts. Of what the standard allows, this house makes
//! signed request objects by reference and takes answers by `direct_post` and `direct_post.jwt`.

pub mod client_id;
pub mod client_metadata;
pub mod link;
pub mod request;
pub mod response;

pub use client_id::{ClientId, ClientIdError, Signing};
pub use client_metadata::{ClientMetadata, ClientMetadataError};
pub use link::{LinkError, RequestLink, RequestSource, RequestUriMethod};
pub use request::{
    RequestError, RequestObject, RequestUriPost, ResponseMode, SignedRequestObject,
    WalletExpectation,
};
pub use response::{
    AuthorizationResponse, ErrorAnswer, ResponseBody, ResponseError, VerifierAnswer, VpToken,
    WalletErrorCode,
};

/// `aud` of a request object for a wallet that the verifier knows nothing about [VP 5.8, VP-01].
pub const SELF_ISSUED: &str = "https://self-issued.me/v2";
/// `typ` of a request object [VP 5, RFC 9101].
pub const REQUEST_OBJECT_TYP: &str = "oauth-authz-req+jwt";
/// Media type of a request object.
pub const REQUEST_OBJECT_MEDIA_TYPE: &str = "application/oauth-authz-req+jwt";
