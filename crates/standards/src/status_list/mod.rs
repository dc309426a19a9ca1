//! Which of an issuer's credentials are revoked or suspended: Token Status List (draft 21) [TS-01 to TS-05] and Bitstring
//! Status List 1.0 of the W3C [BS-01]. The list is one; how it is written and what is put around it differ.

mod bitstring;
mod entry;
mod list;
mod reference;
mod token;

pub use bitstring::{
    BitstringCredential, BitstringError, Expected as ExpectedBitstring, ParsedBitstringCredential,
};
pub use entry::{Entry, Purpose};
pub use list::{BitOrder, Bits, Layout, ListError, Status, StatusList, Wrapping};
pub use reference::{ReferenceError, StatusReference};
pub use token::{ParsedStatusListToken, StatusListToken, TokenError, sign, sign_certified};

/// `typ` of a status list token.
pub const TYP: &str = "statuslist+jwt";
/// Media type of a status list token.
pub const MEDIA_TYPE: &str = "application/statuslist+jwt";
/// `typ` of a credential that is its own payload [VC-JOSE 3.1.1], as a bitstring's is.
pub const BITSTRING_TYP: &str = "vc+jwt";
/// Media type of such a credential.
pub const BITSTRING_MEDIA_TYPE: &str = "application/vc+jwt";

/// A list of 2^20 entries of 8 bits that does not compress at all, in base64url twice over, and its claims.
const LONGEST: usize = 2 * 1024 * 1024;
/// 2^23 entries of 1 bit, or 2^20 of 8 bits.
const MOST_INFLATED: usize = 1024 * 1024;
