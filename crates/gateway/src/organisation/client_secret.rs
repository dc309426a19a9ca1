//! A secret that the gateway made for a relying party, of which it keeps the digest.

use jiff::Timestamp;

/// A secret of a relying party, as far as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// Names it in commands and logs.
    pub id: String,
    /// SHA-256 of its text.
    pub digest: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it counts no more, if ever.
    pub ends_at: Option<Timestamp>,
    /// When somebody last used it, within a minute.
    pub last_used_at: Option<Timestamp>,
}

impl ClientSecret {
    /// Whether it counts.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}
