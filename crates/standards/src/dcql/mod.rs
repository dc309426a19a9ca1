//! DCQL, the query language of OpenID4VP 1.0 (section 6), for `jwt_vc_json` and `dc+sd-jwt`.
//!
//! One query, two readers. A wallet asks what it holds that fits ([`Query::choose`]) and thereby learns what
//! to disclose; a verifier evaluates the whole query again on what came ([`Query::check`]), since a wallet's
//! filtering is no guarantee [VP 6.4.1, VP-12].

mod evaluate;
pub mod path;
mod query;

pub use evaluate::{Candidate, Choice, Matched, Mismatch, Selection, Unsatisfied};
pub use path::{Element, Location, Path, PathError, Step};
pub use query::{
    ClaimsQuery, CredentialQuery, CredentialSetQuery, Format, Meta, Query, QueryError,
    TrustedAuthorities,
};
