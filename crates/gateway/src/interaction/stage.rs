//! Where an interaction stands, how it came there, and how it ended.

use jiff::Timestamp;

use super::{NOTIFICATION_WAIT, Refusal};

/// Which of the page's two links a wallet followed. The first to retrieve binds the interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The QR code: the wallet is on another device.
    AnotherDevice,
    /// The button: the wallet is on the browser's own device.
    ThisDevice,
}

/// Where an interaction stands, and since when.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Pushed by the relying party; no browser has come yet.
    Pushed,
    /// The page is open and shows its code.
    Waiting,
    /// A wallet has retrieved the request object or offer.
    Scanned { at: Timestamp, via: Via },
    /// The credential has left the gateway; the wallet has yet to say whether it was kept.
    Issued { at: Timestamp },
    /// Nothing more will happen between wallet and gateway.
    Finished { at: Timestamp, outcome: Outcome },
    /// The relying party has collected its token.
    Collected { at: Timestamp, outcome: Outcome },
}

impl Stage {
    /// What time alone has decided: the wallet's silence after issuing, and the end of the half hour. `released` says
    /// whether a result may go to the waiting browser.
    #[must_use]
    pub fn settled(self, released: bool, expires_at: Timestamp, now: Timestamp) -> Self {
        let expired = Self::Finished {
            at: expires_at,
            outcome: Outcome::Refused(Refusal::Expired),
        };
        match self {
            Self::Issued { at } if now >= at + NOTIFICATION_WAIT => Self::Finished {
                at: at + NOTIFICATION_WAIT,
                outcome: Outcome::Issued,
            },
            Self::Pushed | Self::Waiting | Self::Scanned { .. } if now >= expires_at => expired,
            Self::Finished { .. } if !released && now >= expires_at => expired,
            unmoved => unmoved,
        }
    }

    /// The stable word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Waiting => "waiting",
            Self::Scanned { .. } => "scanned",
            Self::Issued { .. } => "issued",
            Self::Finished { .. } => "finished",
            Self::Collected { .. } => "collected",
        }
    }

    /// How it ended, if it has.
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Finished { outcome, .. } | Self::Collected { outcome, .. } => Some(outcome),
            _ => None,
        }
    }
}

/// How an interaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A presentation passed every check.
    Verified,
    /// The wallet has the credential.
    Issued,
    /// Anything else, by its one reason.
    Refused(Refusal),
}

impl Outcome {
    /// The stable word for it: `verified`, `issued`, or the refusal's code.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Issued => "issued",
            Self::Refused(refusal) => refusal.code(),
        }
    }
}
