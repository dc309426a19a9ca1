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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_secret_counts_until_its_end_and_no_longer() {
        let end = Timestamp::UNIX_EPOCH;
        let mut secret = ClientSecret {
            id: "1".into(),
            digest: [0; 32],
            created_at: end - SignedDuration::from_hours(1),
            ends_at: Some(end),
            last_used_at: None,
        };
        assert!(secret.is_live(end - SignedDuration::from_secs(1)));
        assert!(!secret.is_live(end));
        assert!(!secret.is_live(end + SignedDuration::from_secs(1)));
        secret.ends_at = None;
        assert!(secret.is_live(end));
    }
}
