//! OAuth 2.0 as both faces of the gateway need it: forms, scopes, redirect URIs, PKCE, error answers.
//!
//! RFC 6749 (framework), RFC 7636 (PKCE), RFC 9126 (pushed requests), RFC 9207 (issuer in the answer).

pub mod error;
pub mod form;
pub mod metadata;
pub mod pkce;
pub mod redirect;
pub mod scope;

pub use error::ErrorCode;
pub use form::{Form, FormError};
pub use metadata::{AuthorizationServerMetadata, MetadataError, well_known_url};
pub use pkce::{CodeChallenge, CodeVerifier, PkceError};
pub use redirect::{RedirectUri, RedirectUriError};
pub use scope::{Scope, ScopeError};
