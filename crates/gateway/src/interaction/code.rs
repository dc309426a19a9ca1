//! The authorization code, and what stays of it when it is redeemed.

use jiff::Timestamp;

use super::Digest;

/// A live authorization code: its digest and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Digest of the code that went to the browser.
    pub digest: Digest,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// What it was redeemed with; none as long as it was not.
    pub redeemed: Option<Redeemed>,
}

/// What a code was bound to, kept after all else is wiped: by it a replay is told from somebody else's code (SEC-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// Digest of the redirect URI.
    pub redirect_uri: Digest,
    /// PKCE challenge (S256), where there was one.
    pub challenge: Option<String>,
}
