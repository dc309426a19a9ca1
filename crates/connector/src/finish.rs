//! Second half of both journeys: the browser is back.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use standards::jose::{Algorithm, Typ, jws};
use uuid::Uuid;

use crate::Connector;
use crate::callback::{Callback, CallbackAnswer};
use crate::fault::{Endpoint, GatewayFault};
use crate::http::Http;
use crate::id_token::{self, Expected, IdTokenError};
use crate::identity::{Attributes, Verified};
use crate::keys::Keys;
use crate::pending::{Pending, Purpose};
use crate::secret::Secret;

/// A journey that ended well.
#[derive(Clone, Debug)]
pub enum Returned {
    /// The credentials asked for were shown and are good.
    Verified(Verified),
    /// The new credential is in the wallet.
    Issued(Issued),
}

/// A credential that the employee now has.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issued {
    /// Its type.
    pub credential_type: String,
    /// Its serial number: keep it, to revoke the credential by.
    pub serial_number: Uuid,
    /// When the gateway said so.
    pub at: Timestamp,
    /// What the gateway tells of the credential.
    pub details: Attributes,
}

/// What the gateway sent the browser back with instead of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationError {
    /// The code, e.g. `access_denied`.
    pub code: String,
    /// The sentence beside it.
    pub description: Option<String>,
}

impl fmt::Display for AuthorizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.description {
            Some(description) => write!(f, "{} ({description})", self.code),
            None => f.write_str(&self.code),
        }
    }
}

/// Why a callback is not the answer to this journey.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotOurs {
    /// Its `state` is another's.
    #[error("its state is another one")]
    State,
    /// Another provider sent it [RFC 9207 2.4].
    #[error("it comes from another issuer")]
    Issuer,
    /// The gateway says that it always names itself, and did not.
    #[error("it does not name its issuer")]
    NoIssuer,
}

/// How a journey ended otherwise. What to do follows from the variant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FinishError {
    /// The callback belongs to no journey of this browser: forged, replayed or mixed up. Show a
    /// plain 'start again'; nothing happened.
    #[error("the callback does not answer this journey: {0}")]
    NotOurs(NotOurs),
    /// The employee said no. No error to show: take them back to where they were.
    #[error("the employee declined: {0}")]
    Declined(AuthorizationError),
    /// The gateway did not accept what the wallet showed, or waited in vain. Say so, and offer to
    /// start again.
    #[error("the gateway accepted nothing from the wallet: {0}")]
    NotAccepted(AuthorizationError),
    /// The gateway was not able to go on. Offer to start again.
    #[error("the gateway could not go on: {0}")]
    GatewayFailed(AuthorizationError),
    /// The gateway refuses requests of this kind: a fault in the set-up.
    #[error("the gateway refused the request: {0}")]
    RequestRefused(AuthorizationError),
    /// The code could not be exchanged.
    #[error(transparent)]
    Gateway(#[from] GatewayFault),
    /// The ID token is not to be believed.
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
    /// A credential type that was asked for is not in the ID token.
    #[error("the ID token says nothing of the {0} credential that was asked for")]
    CredentialMissing(String),
    /// The gateway gave a code for issuing, and then it could not be learnt how it ended. The
    /// credential may be in the wallet: keep the serial number, and revoke it if it is not wanted.
    #[error(
        "it is not known whether the {credential_type} credential that was asked for is in the wallet"
    )]
    OutcomeUnknown {
        /// The credential's type.
        credential_type: String,
        /// The serial number that it has if it exists.
        serial_number: Uuid,
        /// What went wrong.
        source: Box<FinishError>,
    },
}

#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub(crate) id_token: String,
}

impl Connector {
    /// Take a journey's browser back: check that the callback answers it, exchange the code,
    /// check the ID token. `pending` is used up whatever the result: its code cannot come again.
    pub async fn finish(
        &self,
        pending: Pending,
        callback: Callback,
    ) -> Result<Returned, FinishError> {
        let from = (
            self.metadata.issuer.as_str(),
            self.metadata.names_issuer_in_callback,
        );
        check_callback(&pending.state, &callback, from).map_err(FinishError::NotOurs)?;
        let code = match callback.answer {
            CallbackAnswer::Code(code) => code,
            CallbackAnswer::Error { code, description } => {
                return Err(ended(AuthorizationError { code, description }));
            }
        };
        let result = self.collect(&pending, &code).await;
        // The gateway gives a code for issuing only once the wallet has the credential.
        match pending.purpose {
            Purpose::Verify { .. } => result,
            Purpose::Issue {
                credential_type,
                serial_number,
            } => result.map_err(|source| FinishError::OutcomeUnknown {
                credential_type,
                serial_number,
                source: Box::new(source),
            }),
        }
    }

    async fn collect(&self, pending: &Pending, code: &Secret) -> Result<Returned, FinishError> {
        let id_token = self.exchange(pending, code).await?;
        let claims = self.verified_claims(&id_token).await?;
        let expected = Expected {
            issuer: &self.metadata.issuer,
            client_id: &self.settings.client_id,
            nonce: &pending.nonce,
            started_at: pending.started_at,
        };
        let at = id_token::check(&claims, &expected, self.now())?;
        match &pending.purpose {
            Purpose::Verify { credential_types } => {
                Verified::from_claims(&claims, credential_types, at)
                    .map(Returned::Verified)
                    .map_err(FinishError::CredentialMissing)
            }
            Purpose::Issue {
                credential_type,
                serial_number,
            } => Issued::from_claims(&claims, credential_type, *serial_number, at)
                .map(Returned::Issued)
                .map_err(FinishError::IdToken),
        }
    }

    /// [RFC 6749 4.1.3] The code for the tokens.
    async fn exchange(&self, pending: &Pending, code: &Secret) -> Result<String, GatewayFault> {
        let endpoint = Endpoint::Token;
        let parameters = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.expose().to_owned()),
            (
                "redirect_uri",
                self.settings.redirect_uri.as_str().to_owned(),
            ),
            ("code_verifier", pending.code_verifier.expose().to_owned()),
        ];
        let tokens: Tokens = self
            .post_authenticated(
                ("exchange a code", self.metadata.token_endpoint.clone()),
                parameters,
            )
            .await
            .map_err(|source| GatewayFault::Unreachable { endpoint, source })?
            .when(reqwest::StatusCode::OK, endpoint)?
            .json(endpoint)?;
        Ok(tokens.id_token)
    }

    /// The claims of an ID token that one of the gateway's keys signed.
    async fn verified_claims(&self, id_token: &str) -> Result<Map<String, Value>, FinishError> {
        let allowed = &self.metadata.id_token_algorithms;
        verified_claims(&self.http, &self.keys, allowed, id_token, self.now()).await
    }
}

/// The claims of an ID token that one of these keys signed, with one of these algorithms.
pub(crate) async fn verified_claims(
    http: &Http,
    keys: &Keys,
    allowed: &[Algorithm],
    id_token: &str,
    now: Timestamp,
) -> Result<Map<String, Value>, FinishError> {
    let parsed = jws::parse(id_token).map_err(|_| IdTokenError::Unreadable)?;
    if !allowed.contains(&parsed.header().alg()) {
        return Err(IdTokenError::Algorithm.into());
    }
    let kid = parsed.header().kid().ok_or(IdTokenError::NoKeyId)?;
    let key = keys.find(http, kid, now).await?;
    let key = key.ok_or(IdTokenError::UnknownKey)?;
    let verified = parsed
        .verify(&key, allowed, Typ::AbsentOr(&["JWT"]))
        .map_err(|error| match error {
            jws::VerifyError::WrongType => IdTokenError::Type,
            _ => IdTokenError::Signature,
        })?;
    Ok(verified.into_claims())
}

/// Claims that are about the ID token and not about the credential.
const ABOUT_THE_TOKEN: [&str; 12] = [
    "iss",
    "sub",
    "aud",
    "azp",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "at_hash",
    "auth_time",
    "SerialNumber",
];

impl Issued {
    fn from_claims(
        claims: &Map<String, Value>,
        credential_type: &str,
        serial_number: Uuid,
        at: Timestamp,
    ) -> Result<Self, IdTokenError> {
        let told = claims
            .get("SerialNumber")
            .and_then(Value::as_str)
            .ok_or(IdTokenError::Claim("SerialNumber"))?;
        if Uuid::try_parse(told) != Ok(serial_number) {
            return Err(IdTokenError::SerialNumber);
        }
        let details = claims
            .iter()
            .filter(|(name, _)| !ABOUT_THE_TOKEN.contains(&name.as_str()))
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect();
        Ok(Self {
            credential_type: credential_type.to_owned(),
            serial_number,
            at,
            details,
        })
    }
}

/// Whether the callback answers the request with this `state`, which this issuer was sent; and whether that one always
/// names itself [RFC 9207 2.4].
pub(crate) fn check_callback(
    state: &Secret,
    callback: &Callback,
    (issuer, names_itself): (&str, bool),
) -> Result<(), NotOurs> {
    if !state.matches(&callback.state) {
        return Err(NotOurs::State);
    }
    match &callback.issuer {
        Some(named) if named != issuer => Err(NotOurs::Issuer),
        None if names_itself => Err(NotOurs::NoIssuer),
        _ => Ok(()),
    }
}

/// Sort an authorization error by what the external system can do about it.
pub(crate) fn ended(error: AuthorizationError) -> FinishError {
    // The contract has no code of its own for 'the employee said no': the words decide.
    let cancelled = error
        .description
        .as_deref()
        .is_some_and(|text| text.to_ascii_lowercase().contains("user cancelled"));
    match error.code.as_str() {
        "access_denied" if cancelled => FinishError::Declined(error),
        // [RFC 6749 4.1.2.1] Without words it is what the code says: denied by the person who was asked.
        "access_denied" if error.description.as_deref().is_none_or(str::is_empty) => {
            FinishError::Declined(error)
        }
        "user_cancelled" => FinishError::Declined(error),
        "access_denied" => FinishError::NotAccepted(error),
        "server_error" | "temporarily_unavailable" => FinishError::GatewayFailed(error),
        _ => FinishError::RequestRefused(error),
    }
}
