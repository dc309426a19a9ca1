//! SD-JWT (RFC 9901): tokens whose claims the holder discloses one by one.
//!
//! An issuer builds an [`Unsigned`] and signs it. A verifier parses an [`SdJwt`], verifies it, and then
//! [checks the key binding](VerifiedSdJwt::check_key_binding), without which a presentation is a copy that
//! anyone may have made. A wallet [selects](SdJwt::present) disclosures and binds them to a request.

pub mod disclosure;
pub mod issue;
pub mod key_binding;
mod processing;
pub mod verify;

pub use disclosure::{Disclosure, DisclosureError};
pub use issue::{IssueError, Unsigned};
pub use key_binding::{KeyBindingError, Presentation};
pub use processing::ProcessingError;
pub use verify::{SdJwt, SdJwtError, VerifiedSdJwt};

use aws_lc_rs::digest;

use crate::base64url;

/// `typ` of a key binding JWT.
pub const KEY_BINDING_TYP: &str = "kb+jwt";
/// The only hash function of this house; also the default where `_sd_alg` is absent [RFC 9901 4.1.1].
pub const HASH: &str = "sha-256";

/// Names that claims cannot have [RFC 9901 4.1].
const RESERVED: [&str; 2] = ["_sd", "..."];

/// base64url of the SHA-256 of the ASCII text.
fn hash(text: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}
