//! The shared heart: one browser waiting while one wallet acts.
//!
//! An [`Interaction`] is one row that moves through its [`Stage`]s and never back, except when the
//! employee starts again. Each step is a pure function from one interaction to the next; [`rows`]
//! makes the step durable in one conditional write, so that of two processes taking the same step
//! exactly one wins.

mod code;
mod columns;
mod counting;
mod credential_types;
mod news;
pub mod overdue;
pub mod reference;
pub mod refusal;
pub mod rows;
pub mod short_code;
mod stage;
pub mod steps;
pub mod transaction_code;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

pub use code::{Code, Redeemed};
pub use credential_types::CredentialTypes;
pub use refusal::Refusal;
pub use stage::{Outcome, Stage, Via};
pub use transaction_code::TransactionCode;

/// How long the employee has, from the page's opening to the end (rulings 6).
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(30);
/// How long after that personal values may linger (rulings 10).
pub const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// How long a pushed request waits for its browser (gateway contract U1).
pub const PUSHED_LIFETIME: SignedDuration = SignedDuration::from_secs(600);
/// How long one request object or offer can be acted on (rulings 6).
pub const RETRIEVAL_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// How long the same retrieval gives the same object (rulings 6).
pub const RETRIEVAL_REPEAT: SignedDuration = SignedDuration::from_secs(60);
/// How long a wallet has to say what became of its credential (rulings 9).
pub const NOTIFICATION_WAIT: SignedDuration = SignedDuration::from_secs(5);
/// How long an authorization code lives (gateway contract U2).
pub const CODE_LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// What the relying party wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Have the employee present a credential.
    Verify,
    /// Put a credential into the employee's wallet.
    Issue,
}

impl Purpose {
    /// The stable word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Issue => "issue",
        }
    }
}

/// Digest of a secret that the gateway hands out and never needs to read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(pub(crate) String);

impl Digest {
    /// SHA-256 of the secret. All such secrets have at least 128 bits, so no salt is needed.
    pub fn of(secret: &str) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
        Self(standards::base64url::encode(digest.as_ref()))
    }
}

/// What the relying party asked for and must be told again at the end.
#[derive(Clone, Serialize, Deserialize)]
pub struct Request {
    /// Where the browser goes back to; one of the registered addresses.
    pub redirect_uri: String,
    /// The scope that was granted, for the token answer.
    pub scope: String,
    /// The relying party's own state, returned verbatim.
    pub state: Option<String>,
    /// Copied into the ID token, verbatim.
    pub nonce: Option<String>,
    /// PKCE challenge (S256), where the client sent one that its dialect acts on.
    pub code_challenge: Option<String>,
    /// Languages for the pages, best first, as the relying party wishes them [OIDC Core 3.1.2.1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui_locales: Option<String>,
}

/// Everything personal or secret about an interaction: sealed in the database, wiped at the end.
#[derive(Clone, Serialize, Deserialize)]
pub struct Private {
    /// What the relying party asked.
    pub request: Request,
    /// The checked, unsigned credential to issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Value>,
    /// What the wallet-side slice needs between two calls of the wallet; nobody else reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<Value>,
    /// What a wallet must send to be issued the credential, where the relying party wants that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_code: Option<TransactionCode>,
    /// What the ID token will say: claims as `Type.Attribute` when verifying, as they are named when issuing.
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// Of several credential types, the one that a refusal is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_fault: Option<String>,
    /// The span of the request that began it, as `traceparent` writes it, where that is kept: those of the browser, the wallet and
    /// the token link to it (decision 0048).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Private(…)")
    }
}

/// When a wallet came, and when it answered: of the newest try, where there were several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Times {
    /// A wallet retrieved the request object or offer.
    pub scanned: Option<Timestamp>,
    /// Its answer was judged, or its credential left the gateway.
    pub answered: Option<Timestamp>,
    /// What the next write moves out of the row, since this try takes its place.
    pub(crate) past: Vec<steps::Step>,
}

/// One browser waiting while one wallet acts.
#[derive(Debug, Clone)]
pub struct Interaction {
    /// The page's address; useless without the browser's cookie.
    pub id: String,
    /// Rises with each write; a write names the version it saw.
    pub(crate) version: i64,
    /// The outcome that stands in the database: a step to another one is news for the relying party.
    pub(crate) recorded: Option<Outcome>,
    /// The row as it stands in the database, where it is known: a step writes only what it changes.
    pub(crate) stored: Option<Arc<columns::Columns>>,
    /// The organisation whose issuer identity and trust list apply.
    pub organisation: String,
    /// The relying party that began it.
    pub client_id: String,
    /// Verify or issue.
    pub purpose: Purpose,
    /// The credential types asked for, or the one issued.
    pub credential_types: CredentialTypes,
    /// What an employee reads out to support, for example `K7Q2-9MFD`.
    pub reference: String,
    /// Where it stands.
    pub stage: Stage,
    /// The QR code's link id; steady until 'Start again' (rulings 6).
    pub link: String,
    /// The link id for a wallet on this device (rulings 7).
    pub link_here: String,
    /// What leads a wallet to the QR code's link by typing; none until the person asks for it.
    pub short_code: Option<String>,
    /// Whether the relying party itself has pushed it or signed its draft. Anybody can have begun any other.
    pub vouched: bool,
    /// Whether a wallet has come, in whichever try.
    pub wallet_came: bool,
    /// Finds the interaction again when the same authorize address is opened.
    pub request_digest: Digest,
    /// The browser that began; no other may end.
    pub browser: Option<Digest>,
    /// What a same-device wallet must bring the browser back with.
    pub response: Option<Digest>,
    /// Whether the result may go to the waiting browser.
    pub released: bool,
    /// The authorization code, once the browser has been sent back.
    pub code: Option<Code>,
    /// The credential's serial number, once it is issued.
    pub serial_number: Option<Uuid>,
    /// When a wallet came and answered, for whoever looks at it later.
    pub times: Times,
    /// When it was pushed or opened.
    pub created_at: Timestamp,
    /// When the employee's time is up.
    pub expires_at: Timestamp,
    /// Personal and secret values, until they are wiped.
    pub private: Option<Private>,
}

/// The step does not fit the stage: it was taken before, or its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The thing asked for has been done once already.
    #[error("this link has been used already")]
    AlreadyUsed,
    /// Too late.
    #[error("this link has expired")]
    Expired,
    /// The step belongs to another stage.
    #[error("this step does not fit the state of the interaction")]
    OutOfOrder,
}

impl Interaction {
    /// Whether time alone has moved it on since its last step.
    pub fn is_overtaken_by_time(&self, now: Timestamp) -> bool {
        self.stage.settled(self.released, self.expires_at, now) != self.stage
    }

    /// What time alone has decided ([`Stage::settled`]).
    #[must_use]
    pub fn settled(mut self, now: Timestamp) -> Self {
        let settled = self.stage.settled(self.released, self.expires_at, now);
        if settled != self.stage {
            self.stage = settled;
            self.short_code = None;
            self.released = true;
        }
        self
    }

    /// Whether a wallet on this device has answered, and the browser that it was to open has not come (rulings 7).
    pub fn awaits_its_browser(&self) -> bool {
        let finished = matches!(self.stage, Stage::Finished { .. });
        finished && !self.released
    }

    /// The browser arrives at a pushed request and becomes the one that must finish it.
    pub fn opened(mut self, browser: Digest, now: Timestamp) -> Result<Self, StepError> {
        match self.stage {
            Stage::Pushed if now < self.expires_at => {}
            Stage::Pushed => return Err(StepError::Expired),
            _ => return Err(StepError::AlreadyUsed),
        }
        self.stage = Stage::Waiting;
        self.browser = Some(browser);
        self.expires_at = now + LIFETIME;
        Ok(self)
    }

    /// Which link this id is, if it is still one of this interaction's.
    pub fn via(&self, link: &str) -> Option<Via> {
        if link == self.link {
            Some(Via::AnotherDevice)
        } else if link == self.link_here {
            Some(Via::ThisDevice)
        } else {
            None
        }
    }

    /// A wallet retrieves through `link` and binds the interaction. What it will need is in `wallet`.
    pub fn scanned(mut self, via: Via, wallet: Value, now: Timestamp) -> Result<Self, StepError> {
        match self.stage {
            Stage::Waiting if now < self.expires_at => {}
            Stage::Waiting => return Err(StepError::Expired),
            Stage::Pushed => return Err(StepError::OutOfOrder),
            _ => return Err(StepError::AlreadyUsed),
        }
        self.stage = Stage::Scanned { at: now, via };
        self.times.scanned = Some(now);
        self.wallet_came = true;
        self.short_code = None;
        self.keep_for_wallet(wallet);
        Ok(self)
    }

    /// The wallet-side values of a retrieval that may be repeated now, or why it may not.
    pub fn repeatable(&self, via: Via, now: Timestamp) -> Result<&Value, StepError> {
        match self.stage {
            Stage::Scanned { at, via: bound } if bound == via && now < at + RETRIEVAL_REPEAT => {
                self.wallet().ok_or(StepError::AlreadyUsed)
            }
            _ => Err(StepError::AlreadyUsed),
        }
    }

    /// Checks that a wallet's answer comes in time and to the link that bound the interaction.
    pub fn answerable(&self, via: Via, now: Timestamp) -> Result<&Value, StepError> {
        match self.stage {
            Stage::Scanned { at, via: bound } if bound == via => {
                if now >= at + RETRIEVAL_LIFETIME || now >= self.expires_at {
                    return Err(StepError::Expired);
                }
                self.wallet().ok_or(StepError::OutOfOrder)
            }
            Stage::Issued { .. } | Stage::Finished { .. } | Stage::Collected { .. } => {
                Err(StepError::AlreadyUsed)
            }
            _ => Err(StepError::OutOfOrder),
        }
    }

    /// What the wallet-side slice kept.
    pub fn wallet(&self) -> Option<&Value> {
        self.private.as_ref()?.wallet.as_ref()
    }

    /// Replaces what the wallet-side slice keeps.
    pub fn keep_for_wallet(&mut self, wallet: Value) {
        if let Some(private) = &mut self.private {
            private.wallet = Some(wallet);
        }
    }

    /// The credential leaves the gateway.
    pub fn issued(
        mut self,
        serial_number: Uuid,
        claims: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Self, StepError> {
        match self.stage {
            Stage::Scanned { .. } => {}
            Stage::Pushed | Stage::Waiting => return Err(StepError::OutOfOrder),
            _ => return Err(StepError::AlreadyUsed),
        }
        self.stage = Stage::Issued { at: now };
        self.times.answered = Some(now);
        self.serial_number = Some(serial_number);
        if let Some(private) = &mut self.private {
            private.claims = claims;
        }
        Ok(self)
    }

    /// A presentation passed every check. In the same-device case the result waits for the browser that
    /// brings `response` back (rulings 7).
    pub fn verified(
        mut self,
        claims: Map<String, Value>,
        response: Option<Digest>,
        now: Timestamp,
    ) -> Result<Self, StepError> {
        if !matches!(self.stage, Stage::Scanned { .. }) {
            return Err(StepError::AlreadyUsed);
        }
        self.times.answered = Some(now);
        self.released = response.is_none();
        self.response = response;
        if let Some(private) = &mut self.private {
            private.claims = claims;
            private.wallet = None;
        }
        self.stage = Stage::Finished {
            at: now,
            outcome: Outcome::Verified,
        };
        Ok(self)
    }

    /// The wallet kept the credential, or its time to say otherwise is over.
    pub fn accepted(mut self, now: Timestamp) -> Result<Self, StepError> {
        if !matches!(self.stage, Stage::Issued { .. }) {
            return Err(StepError::AlreadyUsed);
        }
        self.stage = Stage::Finished {
            at: now,
            outcome: Outcome::Issued,
        };
        Ok(self)
    }

    /// The interaction ends without what was asked for. Nothing of the wallet's is kept.
    pub fn refused(mut self, refusal: Refusal, now: Timestamp) -> Result<Self, StepError> {
        if matches!(self.stage, Stage::Collected { .. }) {
            return Err(StepError::AlreadyUsed);
        }
        if let Some(private) = &mut self.private {
            private.claims.clear();
            private.wallet = None;
        }
        self.times.answered.get_or_insert(now);
        self.released = true;
        self.short_code = None;
        self.code = None;
        self.stage = Stage::Finished {
            at: now,
            outcome: Outcome::Refused(refusal),
        };
        Ok(self)
    }

    /// Says which credential a refusal is about, so that the page can.
    #[must_use]
    pub fn blaming(mut self, credential_type: Option<String>) -> Self {
        if let Some(private) = &mut self.private {
            private.at_fault = credential_type;
        }
        self
    }

    /// The employee starts again: new links, the old ones are dead (rulings 6). A credential that has left
    /// the gateway cannot be started again.
    pub fn restarted(
        mut self,
        link: String,
        link_here: String,
        now: Timestamp,
    ) -> Result<Self, StepError> {
        let again = match self.stage {
            Stage::Waiting | Stage::Scanned { .. } => true,
            // The wallet opened no browser, or another one: what it showed is forgotten.
            Stage::Finished { .. } if self.awaits_its_browser() => true,
            Stage::Finished {
                outcome: Outcome::Refused(refusal),
                ..
            } => refusal.may_try_again(),
            _ => false,
        };
        if !again || self.serial_number.is_some() {
            return Err(StepError::OutOfOrder);
        }
        if now >= self.expires_at {
            return Err(StepError::Expired);
        }
        self.times = steps::past(&self, now);
        self.link = link;
        self.link_here = link_here;
        self.short_code = None;
        self.response = None;
        self.released = true;
        self.stage = Stage::Waiting;
        if let Some(private) = &mut self.private {
            private.claims.clear();
            private.wallet = None;
            private.at_fault = None;
        }
        Ok(self)
    }

    /// The browser of a same-device wallet is back with the response code.
    #[must_use]
    pub fn released(mut self) -> Self {
        self.released = true;
        self.response = None;
        self
    }

    /// The browser goes back to the relying party with a fresh code. An earlier code that nobody has
    /// redeemed dies with this: a reload must not strand the employee, and one code is live at a time.
    pub fn coded(mut self, code: Digest, now: Timestamp) -> Result<Self, StepError> {
        match self.stage {
            Stage::Finished {
                outcome: Outcome::Verified | Outcome::Issued,
                ..
            } if self.released => {}
            Stage::Collected { .. } => return Err(StepError::AlreadyUsed),
            _ => return Err(StepError::OutOfOrder),
        }
        if now >= self.expires_at + GRACE {
            return Err(StepError::Expired);
        }
        self.code = Some(Code {
            digest: code,
            expires_at: now + CODE_LIFETIME,
            redeemed: None,
        });
        Ok(self)
    }

    /// The code came a second time: it is forgotten, and with it what was given for it.
    #[must_use]
    pub fn without_code(mut self) -> Self {
        self.code = None;
        self
    }

    /// The relying party has its token: personal values go now (rulings 10).
    pub fn collected(mut self, now: Timestamp) -> Result<(Self, Private), StepError> {
        let Stage::Finished { outcome, .. } = self.stage else {
            return Err(StepError::AlreadyUsed);
        };
        let private = self.private.take().ok_or(StepError::Expired)?;
        if let Some(code) = &mut self.code {
            code.redeemed = Some(Redeemed {
                redirect_uri: Digest::of(&private.request.redirect_uri),
                challenge: private.request.code_challenge.clone(),
            });
        }
        self.stage = Stage::Collected { at: now, outcome };
        Ok((self, private))
    }
}

#[cfg(test)]
mod tests;
