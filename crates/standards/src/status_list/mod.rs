//! Token Status List (draft 21): which of an issuer's credentials are revoked or suspended [TS-01 to TS-05].

mod list;
mod reference;
mod token;

pub use list::{Bits, ListError, Status, StatusList};
pub use reference::{ReferenceError, StatusReference};
pub use token::{ParsedStatusListToken, StatusListToken, TokenError, sign};

/// `typ` of a status list token.
pub const TYP: &str = "statuslist+jwt";
/// Media type of a status list token.
pub const MEDIA_TYPE: &str = "application/statuslist+jwt";
