//! What became of a journey, asked of the gateway: for the browser that never came back, and for the answer of the token
//! endpoint that was lost.

use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use crate::Connector;
use crate::fault::{Endpoint, GatewayFault};
use crate::http::Answer;

/// Which journey is asked about: one of this relying party's own.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum About<'a> {
    /// The journey with this [`state`](crate::Pending::state).
    State(&'a str),
    /// The one whose page shows this reference, as the employee reads it out.
    Reference(&'a str),
}

/// How far a journey has come at the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// What the employee's page shows, to be read out to whoever helps.
    pub reference: String,
    /// How it ended; `None` while it may still go either way.
    pub ended: Option<Ended>,
    /// Since when it has stood where it stands: when the tokens were collected, where they were.
    pub since: Timestamp,
    /// Whether the token endpoint has given the tokens out. What is issued and not collected when the employee's time
    /// is up is revoked by the gateway itself.
    pub collected: bool,
    /// The credential that left the gateway, if one did.
    pub serial_number: Option<Uuid>,
    /// Whether that credential was revoked, and why.
    pub revoked: Option<Revoked>,
    /// When the request was pushed or the page opened.
    pub began_at: Timestamp,
    /// When the employee's time is up.
    pub expires_at: Timestamp,
}

/// How a journey ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Credentials were shown, and hold.
    Verified,
    /// The credential is in the wallet, as far as the wallet said anything.
    Issued,
    /// Nothing came of it. After most refusals the employee may start again until the time is up.
    Refused {
        /// The gateway's stable code, such as `declined`.
        code: String,
        /// What the callback says, for the log.
        description: String,
    },
}

/// That a credential was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Revoked {
    /// When.
    pub at: Timestamp,
    /// `relying-party`, `operator`, `not-kept`, `not-collected` or `code-replayed`; `unknown` where a version before did not
    /// keep it.
    pub cause: String,
}

impl Outcome {
    /// Whether a credential of this journey is in force, as far as the gateway knows: in the wallet, or on its way there.
    pub fn is_in_force(&self) -> bool {
        self.serial_number.is_some() && self.revoked.is_none()
    }

    /// Whether the wallet gave the credential back, which the gateway revoked then.
    pub fn was_not_kept(&self) -> bool {
        let revoked = self.revoked.as_ref();
        revoked.is_some_and(|revoked| revoked.cause == "not-kept")
    }
}

#[derive(Deserialize)]
struct Told {
    outcomes: Vec<One>,
}

/// As it is on the wire. What a newer gateway adds is passed over.
#[derive(Deserialize)]
struct One {
    reference: String,
    outcome: Option<String>,
    refusal: Option<Reason>,
    stage_since: Timestamp,
    collected: bool,
    serial_number: Option<Uuid>,
    revoked: Option<Revoked>,
    began_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
    description: String,
}

impl Connector {
    /// Asks what became of a journey. `None` when the gateway knows of none: it was never begun, is another relying
    /// party's, or is older than the gateway keeps. Where several have that name it is the newest.
    ///
    /// Changes nothing; safe to repeat. The gateways of the old contracts do not have it and refuse.
    pub async fn look_up(&self, about: About<'_>) -> Result<Option<Outcome>, GatewayFault> {
        let endpoint = Endpoint::Outcomes;
        let against = |what| GatewayFault::AgainstContract { endpoint, what };
        let question = match about {
            About::State(state) => ("state", state.to_owned()),
            About::Reference(reference) => ("reference", reference.to_owned()),
        };
        let told: Told = self.ask_for_outcomes(question).await?.json(endpoint)?;
        let Some(newest) = told.outcomes.into_iter().next() else {
            return Ok(None);
        };
        let ended = match (newest.outcome.as_deref(), newest.refusal) {
            (None, _) => None,
            (Some("verified"), _) => Some(Ended::Verified),
            (Some("issued"), _) => Some(Ended::Issued),
            (Some("refused"), Some(Reason { code, description })) => {
                Some(Ended::Refused { code, description })
            }
            _ => return Err(against("an outcome that is none")),
        };
        Ok(Some(Outcome {
            reference: newest.reference,
            ended,
            since: newest.stage_since,
            collected: newest.collected,
            serial_number: newest.serial_number,
            revoked: newest.revoked,
            began_at: newest.began_at,
            expires_at: newest.expires_at,
        }))
    }
    /// The gateway's answer to one question, which has one name.
    pub(crate) async fn ask_for_outcomes(
        &self,
        question: (&'static str, String),
    ) -> Result<Answer, GatewayFault> {
        let endpoint = Endpoint::Outcomes;
        let base = self.settings.gateway.as_str().trim_end_matches('/');
        let address = Url::parse(&format!("{base}/outcomes")).map_err(|_| {
            let what = "its address cannot be made";
            GatewayFault::AgainstContract { endpoint, what }
        })?;
        let answer = self
            .post_authenticated(("ask for an outcome", address), vec![question])
            .await
            .map_err(|source| GatewayFault::Unreachable { endpoint, source })?;
        answer.when(StatusCode::OK, endpoint)
    }
}
