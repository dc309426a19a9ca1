//! `POST /entra/callback`: Microsoft tells what Authenticator did.
//!
//! The call is made while the wallet waits for it, is made once, and its answer is what the wallet's holder sees. So who
//! is genuine hears 200 as soon as its word is kept, whatever it is worth: the waiting page says what came of it. Who brings
//! no state or key of ours changes nothing. (SEC-32)

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::{Statement, StoreError};
use subtle::ConstantTimeEq;

use super::check::{Asked, Presented, claims};
use super::object::Object;
use super::rows::{self, Made};
use super::{ATTEMPTS, Kept, asked, plain};
use crate::app::{App, Parts};
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Digest, Interaction, Refusal, Stage, Via};
use crate::metrics;

/// How long after its request's end a callback may be on its way.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// What a callback says. Others may stand beside these.
#[derive(Deserialize)]
struct Told {
    #[serde(rename = "requestId")]
    request_id: String,
    #[serde(rename = "requestStatus")]
    status: String,
    state: String,
    #[serde(default, rename = "verifiedCredentialsData")]
    presented: Vec<Object<Presented>>,
    #[serde(default)]
    error: Option<Object<Failure>>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    code: String,
}

/// What happened in the wallet.
enum Event {
    Retrieved,
    Verified(Vec<Object<Presented>>),
    Failed(Refusal),
}

impl Event {
    /// `None` for a word that is none of a presentation's.
    fn of(
        status: &str,
        presented: Vec<Object<Presented>>,
        error: Option<&Object<Failure>>,
    ) -> Option<Self> {
        match status {
            "request_retrieved" => Some(Self::Retrieved),
            "presentation_verified" => Some(Self::Verified(presented)),
            "presentation_error" => Some(Self::Failed(
                match error.map(|Object(one)| one.code.as_str()) {
                    Some("user_canceled" | "access_denied") => Refusal::Declined,
                    _ => Refusal::WalletFailed,
                },
            )),
            _ => None,
        }
    }
}

/// Why a callback is not taken.
pub(super) struct Refused(StatusCode, &'static str, &'static str);

const MALFORMED: Refused = Refused(
    StatusCode::BAD_REQUEST,
    "callback-malformed",
    "this is no callback of a presentation request",
);
const UNKNOWN: Refused = Refused(
    StatusCode::BAD_REQUEST,
    "callback-unknown",
    "no request has this state and this id",
);
const KEY: Refused = Refused(
    StatusCode::UNAUTHORIZED,
    "callback-key-wrong",
    "the api-key is not the one of this request",
);

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a callback could not be kept");
        Self(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily-unavailable",
            "the gateway cannot answer now; try again",
        )
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, code, sentence) = self;
        let body = Json(json!({ "error": code, "error_description": sentence }));
        let headers = [(header::CACHE_CONTROL, "no-store")];
        (status, headers, Extension(metrics::Refused(code)), body).into_response()
    }
}

/// In order: readable, a request of ours, its key, its id; then what it tells.
pub(super) async fn answer(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refused> {
    let Object::<Told>(told) = serde_json::from_slice(&body).map_err(|_| MALFORMED)?;
    if !is_id(&told.request_id) {
        return Err(MALFORMED);
    }
    let made = rows::find(&app.store, &Digest::of(&told.state)).await?;
    let made = made.ok_or(UNKNOWN)?;
    if !brings_key(&headers, &made.key) {
        return Err(KEY);
    }
    // The answer to our own call said the id: one that another request has is not about this one.
    if made
        .request_id
        .as_ref()
        .is_some_and(|id| *id != told.request_id)
    {
        return Err(UNKNOWN);
    }
    let event = Event::of(&told.status, told.presented, told.error.as_ref()).ok_or(MALFORMED)?;
    for _ in 0..ATTEMPTS {
        if attempt(&app, &made, &told.request_id, &event).await? {
            return Ok(StatusCode::OK);
        }
    }
    Err(StoreError::Corrupt("a callback was overtaken each time".into()).into())
}

/// The service's ids are UUIDs; whatever it may make of them, they are kept as text, and not every text can be kept: a
/// zero byte in one would read as a fault of ours, for which a callback is sent again.
fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// One header, once; digests of equal length are compared, all of them, so that no time tells how much was right.
fn brings_key(headers: &HeaderMap, expected: &Digest) -> bool {
    let mut brought = headers.get_all("api-key").iter();
    let (Some(key), None) = (brought.next(), brought.next()) else {
        return false;
    };
    let key = key.to_str().map(Digest::of);
    key.is_ok_and(|key| key.0.as_bytes().ct_eq(expected.0.as_bytes()).into())
}

/// One attempt to keep it; not, when another request took a step in between.
async fn attempt(
    app: &Parts,
    made: &Made,
    request_id: &str,
    event: &Event,
) -> Result<bool, Refused> {
    let now = app.now();
    // Its end is kept, or its interaction is gone: nothing overturns that.
    if made.has_ended {
        return Ok(true);
    }
    let found = app.interactions.find(&made.interaction).await?;
    let current =
        |one: &Interaction| one.link == made.link && one.organisation == made.organisation;
    let Some(found) = found.filter(current) else {
        return Ok(true);
    };
    let reference = found.reference.clone();
    let Some((mut stepped, also)) = step(app, found.settled(now), made, request_id, event, now)
    else {
        tracing::info!(
            reference,
            request_id = plain(request_id),
            "a callback came too late to change anything"
        );
        return Ok(true);
    };
    match app.interactions.advance(&mut stepped, vec![also]).await {
        Ok(()) => {
            tracing::info!(
                reference,
                request_id = plain(request_id),
                stage = stepped.stage.name(),
                outcome = stepped
                    .stage
                    .outcome()
                    .map(crate::interaction::Outcome::name),
                "Authenticator took a step"
            );
            Ok(true)
        }
        Err(AdvanceError::Overtaken) => Ok(false),
        // The same callback, in another process or a moment ago.
        Err(AdvanceError::TurnedDown { .. }) => Ok(true),
        Err(AdvanceError::Store(error)) => Err(error.into()),
    }
}

/// What a genuine callback makes of an interaction; `None` where it changes nothing.
///
/// `request_retrieved` comes first, where it comes: nobody promises either. An answer without it is a retrieval and an
/// answer; a retrieval after the answer is none.
fn step(
    app: &Parts,
    found: Interaction,
    made: &Made,
    request_id: &str,
    event: &Event,
    now: Timestamp,
) -> Option<(Interaction, Statement)> {
    let is_late = now >= made.expires_at + LATE;
    let scan = |found: Interaction| {
        let bound = Kept {
            request: made.state.0.clone(),
            link: super::link(&found).unwrap_or_default(),
            expires_at: made.expires_at,
        };
        let scanned = found.scanned(Via::AnotherDevice, bound.to_value(), now);
        scanned.ok().filter(|_| !is_late)
    };
    let scanned = match found.stage {
        Stage::Waiting => scan(found)?,
        // Another request of this interaction was there first.
        Stage::Scanned { .. }
            if Kept::of(&found).is_none_or(|kept| kept.request != made.state.0) =>
        {
            return None;
        }
        Stage::Scanned { .. } if matches!(event, Event::Retrieved) => return None,
        Stage::Scanned { .. } => found,
        _ => return None,
    };
    let verdict = match event {
        Event::Retrieved => {
            return Some((scanned, rows::retrieved(made, request_id, now)));
        }
        _ if is_late => Err(Refusal::RequestExpired),
        Event::Failed(refusal) => Err(*refusal),
        Event::Verified(presented) => evaluate(app, &scanned, presented, now),
    };
    let credential_type = scanned.credential_types.first().to_owned();
    let ended = match verdict {
        Ok(claims) => scanned.verified(claims, None, now),
        Err(refusal) => scanned
            .refused(refusal, now)
            .map(|ended| ended.blaming(Some(credential_type))),
    };
    Some((ended.ok()?, rows::ended(made, request_id, now)))
}

/// By what is configured now: a type or a tenant that was taken out meanwhile trusts nobody.
fn evaluate(
    app: &Parts,
    interaction: &Interaction,
    presented: &[Object<Presented>],
    now: Timestamp,
) -> Result<Map<String, Value>, Refusal> {
    let nobody = Refusal::IssuerNotTrusted;
    let organisation = app.organisations.find(&interaction.organisation);
    let organisation = organisation.map(Arc::as_ref).ok_or(nobody)?;
    let (_, kind) = asked(organisation, interaction).ok_or(nobody)?;
    let name = interaction.credential_types.first();
    let credential_type = app.organisations.credential_type(name).ok_or(nobody)?;
    let asked = Asked {
        credential_type,
        kind,
        now,
    };
    claims(presented, &asked, |issuer| {
        organisation.trusts(name, issuer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_32_an_id_is_one_that_can_be_kept_as_text() {
        let longest = "a".repeat(128);
        for id in ["9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5", "x", &longest] {
            assert!(is_id(id), "{id}");
        }
        let longer = "a".repeat(129);
        for id in ["", "a\0b", "a b", "a\n", "é", &longer] {
            assert!(!is_id(id), "{id:?}");
        }
    }
}
