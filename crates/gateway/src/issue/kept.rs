//! What the issuing side remembers between two calls of the wallet, sealed with the interaction.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use standards::openid4vci::PreAuthorizedCode;
use subtle::ConstantTimeEq;

use super::answer::Refused;
use crate::app::Parts;
use crate::interaction::{Digest, Interaction, Purpose, Stage, Via};
use store::StoreError;

/// How often a step is tried again when another request took one at the same time.
pub(super) const ATTEMPTS: usize = 4;

/// The wallet's side of one issuing interaction.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// In the offer; good for one token.
    pub(super) code: PreAuthorizedCode,
    /// The token given for the code.
    pub(super) token: Option<Token>,
    /// The credential given for the token.
    pub(super) issued: Option<Issued>,
}

/// An access token as it is remembered.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Token {
    digest: String,
    /// When it stops working.
    pub(super) expires_at: Timestamp,
    /// The client that it was given to; most wallets are anonymous.
    pub(super) client_id: Option<String>,
    /// The `credential_identifiers` that the wallet was given and must keep to, where it asked for them. [VCI-10]
    pub(super) identifiers: Option<Vec<String>>,
}

/// A credential that was made: kept so that a wallet whose answer was lost gets the same one, and no second
/// one comes to be.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Issued {
    /// The credential.
    pub(super) credential: String,
    /// What it was asked for as.
    pub(super) configuration_id: String,
    /// Under which the wallet says what became of it.
    pub(super) notification_id: String,
    /// The thumbprint of the holder's key.
    pub(super) holder: String,
    /// Digest of the nonce of the proof that it was issued for.
    pub(super) nonce: String,
}

impl Kept {
    /// An offer nobody has acted on.
    pub(super) fn new(code: PreAuthorizedCode) -> Self {
        Self {
            code,
            token: None,
            issued: None,
        }
    }

    /// Reads what [`Self::to_value`] wrote.
    pub(super) fn parse(value: &Value) -> Result<Self, StoreError> {
        let unreadable = |_| {
            StoreError::Corrupt("an interaction holds no offer that this version can read".into())
        };
        Self::deserialize(value).map_err(unreadable)
    }

    /// As it is sealed.
    pub(super) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Token {
    /// Remembers a token by its digest.
    pub(super) fn new(
        token: &str,
        expires_at: Timestamp,
        client_id: Option<String>,
        identifiers: Option<Vec<String>>,
    ) -> Self {
        Self {
            digest: Digest::of(token).0,
            expires_at,
            client_id,
            identifiers,
        }
    }

    fn is(&self, token: &str) -> bool {
        self.digest
            .as_bytes()
            .ct_eq(Digest::of(token).0.as_bytes())
            .into()
    }
}

/// The link of a secret of the form `link.secret`, or the whole of it.
pub(super) fn link_of(secret: &str) -> &str {
    secret.split_once('.').map_or(secret, |(link, _)| link)
}

/// An issuing interaction found by one of its links, and which link that was.
pub(super) struct Found {
    pub(super) interaction: Interaction,
    pub(super) via: Via,
}

impl Found {
    /// By a link, or by a secret of the form `link.secret`.
    pub(super) async fn find(app: &Parts, secret: &str) -> Result<Option<Self>, StoreError> {
        let link = link_of(secret);
        let found = app.interactions.find_by_link(link).await?;
        Ok(found
            .filter(|interaction| interaction.purpose == Purpose::Issue)
            .and_then(|interaction| {
                let via = interaction.via(link)?;
                Some(Self { interaction, via })
            }))
    }

    /// The interaction that an access token belongs to, and what was kept with it. The answer to every fault
    /// is the same: who guesses learns nothing.
    pub(super) async fn find_by_token(
        app: &Parts,
        organisation: &str,
        token: &str,
    ) -> Result<(Self, Kept, Token), Refused> {
        let invalid = || Refused::token("token-invalid", "the access token is not valid here");
        let found = Self::find(app, token).await?.ok_or_else(invalid)?;
        if found.interaction.organisation != organisation {
            return Err(invalid());
        }
        let kept = Kept::parse(found.interaction.wallet().ok_or_else(invalid)?)?;
        let matching = kept
            .token
            .clone()
            .filter(|known| known.is(token))
            .ok_or_else(invalid)?;
        Ok((found, kept, matching))
    }

    /// Whether the wallet that holds the token may still be given the credential.
    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        match self.interaction.stage {
            Stage::Scanned { via, .. } => via == self.via && now < self.interaction.expires_at,
            _ => false,
        }
    }
}
