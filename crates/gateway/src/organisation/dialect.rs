//! What differs between the deployed contracts and between the clients that speak them, as data.
//!
//! There is one code path; a dialect says which parameters it asks for, which texts, algorithms and
//! expiry rules apply (rulings 1 to 4). A difference that is not in this table does not exist.

use serde::{Deserialize, Serialize};

use super::expiry::ExpiryFrom;

/// The name of a dialect, as configuration and `sandbox.json` write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dialect {
    /// The first contract as its Java client speaks it.
    #[serde(rename = "v1-a")]
    V1A,
    /// The first contract as its C# client speaks it.
    #[serde(rename = "v1-b")]
    V1B,
    /// The second contract.
    #[serde(rename = "v2")]
    V2,
    /// Any OpenID Connect client library.
    #[serde(rename = "plain")]
    Plain,
}

/// What a client must do about PKCE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pkce {
    /// A challenge is mandatory.
    Required,
    /// A challenge once sent must be answered.
    IfPresent,
    /// Challenges are ignored; a verifier that does not fit one is still refused.
    Off,
}

/// The rules of one dialect. Each flag is a row of the contracts' table, hence no enum.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub struct Rules {
    /// Appended to the gateway's address to make the `iss` of ID tokens.
    pub issuer_path: &'static str,
    /// PKCE.
    pub pkce: Pkce,
    /// `response_mode` must be sent.
    pub response_mode_mandatory: bool,
    /// `nonce` must be sent when a presentation is asked for.
    pub nonce_mandatory: bool,
    /// The scope `openid` must be sent when issuing, too.
    pub issue_needs_openid: bool,
    /// A scope is taken only as the gateway would write it: nothing twice, nothing that does not count.
    pub strict_scope: bool,
    /// Issuing is possible without a pushed request.
    pub issue_without_push: bool,
    /// A contract older than this gateway: secrets in the form, drafts under a shared key, ID tokens in RS256, and
    /// nothing else of these. Its discovery document says no more.
    pub legacy: bool,
    /// The authorization response names the issuer [RFC 9207].
    pub sends_iss: bool,
    /// Where a credential's end comes from.
    pub expiry: ExpiryFrom,
}

const V1A: Rules = Rules {
    issuer_path: "/oidc",
    pkce: Pkce::IfPresent,
    response_mode_mandatory: true,
    nonce_mandatory: true,
    issue_needs_openid: false,
    strict_scope: false,
    issue_without_push: false,
    legacy: true,
    sends_iss: false,
    expiry: ExpiryFrom::HintExp,
};

/// Sends a padded constant as challenge, no verifier and, when verifying, no nonce.
const V1B: Rules = Rules {
    pkce: Pkce::Off,
    nonce_mandatory: false,
    expiry: ExpiryFrom::Attribute,
    ..V1A
};

const V2: Rules = Rules {
    issuer_path: "",
    pkce: Pkce::Required,
    response_mode_mandatory: true,
    nonce_mandatory: true,
    issue_needs_openid: true,
    strict_scope: true,
    issue_without_push: true,
    legacy: true,
    sends_iss: false,
    expiry: ExpiryFrom::Attribute,
};

const PLAIN: Rules = Rules {
    response_mode_mandatory: false,
    nonce_mandatory: false,
    strict_scope: false,
    issue_without_push: false,
    legacy: false,
    sends_iss: true,
    ..V2
};

impl Dialect {
    /// The path below which its clients find PAR, authorize and token.
    pub const fn endpoints(self) -> &'static str {
        match self {
            Self::V1A | Self::V1B => "/oidc",
            Self::V2 => "/v2.0/oidc",
            Self::Plain => "",
        }
    }

    /// The path below which its clients find their discovery document.
    pub const fn discovery(self) -> &'static str {
        match self {
            Self::V1A | Self::V1B => "/oidc",
            Self::V2 => "/v2.0",
            Self::Plain => "",
        }
    }

    /// The rules that this dialect stands for.
    pub const fn rules(self) -> &'static Rules {
        match self {
            Self::V1A => &V1A,
            Self::V1B => &V1B,
            Self::V2 => &V2,
            Self::Plain => &PLAIN,
        }
    }
}
