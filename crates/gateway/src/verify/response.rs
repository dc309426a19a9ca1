//! `POST /r/{link}/response`: the wallet's answer, by `direct_post.jwt`. [VP 8, VP-07, VP-08]
//!
//! What cannot be read with the key of the request, or does not bring its `state`, is refused and changes
//! nothing: whoever has only seen the code on the screen cannot end the interaction. What comes from the wallet
//! that has the request ends it, either way.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Map, Value};
use standards::oauth::Form;
use standards::openid4vp::{
    AuthorizationResponse, ResponseBody, ResponseError, ResponseMode, VerifierAnswer, VpToken,
    WalletErrorCode,
};
use subtle::ConstantTimeEq;

use super::Foreign;
use super::answer::Refused;
use super::check::{Asked, Parsed, answers};
use super::issuer_keys::{Issuer, Signed};
use super::person::of_one_person;
use super::query::questions;
use super::request::{ATTEMPTS, Kept, find};
use crate::app::{App, Parts};
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Digest, Interaction, Refusal, Stage, StepError, Via};
use crate::organisation::Organisation;

pub(super) async fn answer(
    State(app): State<App>,
    Extension(foreign): Extension<Arc<Foreign>>,
    Path(link): Path<String>,
    body: Bytes,
) -> Result<Response, Refused> {
    let malformed = |error: String| Refused::new("response-malformed", error);
    let form = Form::parse(&body).map_err(|error| malformed(error.to_string()))?;
    let body = ResponseBody::parse(&form).map_err(|error| malformed(error.to_string()))?;
    for _ in 0..ATTEMPTS {
        if let Some(answer) = attempt(&app, &foreign, &link, &body).await? {
            return Ok(answer);
        }
    }
    Err(Refused::unavailable())
}

/// One attempt; `None` when another request took a step in between.
async fn attempt(
    app: &Parts,
    foreign: &Foreign,
    link: &str,
    body: &ResponseBody,
) -> Result<Option<Response>, Refused> {
    let now = app.now();
    let (interaction, via) = find(app, link).await?;
    let kept = kept_for_answer(&interaction, via)?;
    let response = open(body, &kept)?;

    // From here on it is the wallet that has the request: its answer counts, whatever it is.
    let verdict = match (interaction.answerable(via, now), response) {
        (Err(_), _) if now >= interaction.expires_at => Err(Refusal::Expired.into()),
        (Err(_), _) => Err(Refusal::RequestExpired.into()),
        (Ok(_), AuthorizationResponse::Refused(answer)) => {
            tracing::info!(
                reference = interaction.reference,
                error = answer.error.as_str(),
                "the wallet refused"
            );
            // [VP 8.5] The standard has one code for 'no' and for 'nothing that fits'.
            let refusal = if answer.error == WalletErrorCode::AccessDenied {
                Refusal::Declined
            } else {
                Refusal::WalletFailed
            };
            Err(refusal.into())
        }
        (Ok(_), AuthorizationResponse::Presented { vp_token, .. }) => {
            evaluate(app, foreign, &interaction, &kept, &vp_token, now).await
        }
    };
    if let Err(against) = &verdict {
        tracing::info!(
            reference = interaction.reference,
            refusal = against.refusal.code(),
            credential_type = against.credential_type,
            "presentation refused"
        );
    }

    // [VP-09, HA-06] The browser on the wallet's own device gets the result only with this code.
    let response_code = (via == Via::ThisDevice).then(|| app.random.token_256());
    let digest = response_code.as_deref().map(Digest::of);
    let (stepped, refusal) = match verdict {
        Ok(claims) => (interaction.verified(claims, digest, now), None),
        Err(against) => {
            let stepped = interaction.refused(against.refusal, now).map(|ended| {
                let ended = Interaction {
                    response: digest,
                    ..ended
                };
                ended.blaming(against.credential_type)
            });
            (stepped, Some(against.refusal))
        }
    };
    let mut ended = stepped.map_err(|_| already_used())?;
    match app.interactions.advance(&mut ended, Vec::new()).await {
        Ok(()) => {}
        Err(AdvanceError::Overtaken) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    match refusal {
        // A wallet's own 'no' has arrived: that is 200 as well.
        None | Some(Refusal::Declined | Refusal::WalletFailed) => {
            Ok(Some(accepted(app, response_code.as_deref())))
        }
        Some(refusal) => Err(refusal.into()),
    }
}

/// A verdict against the answer, and which of its credentials decided, if one did.
struct Against {
    refusal: Refusal,
    credential_type: Option<String>,
}

impl From<Refusal> for Against {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            credential_type: None,
        }
    }
}

/// [SEC-18] What was kept for the one answer that may come, if it has not come yet.
fn kept_for_answer(interaction: &Interaction, via: Via) -> Result<Kept, Refused> {
    match interaction.stage {
        Stage::Scanned { via: bound, .. } if bound == via => {
            let kept = interaction.wallet().ok_or_else(already_used)?;
            Ok(Kept::parse(kept)?)
        }
        Stage::Issued { .. } | Stage::Finished { .. } | Stage::Collected { .. } => {
            Err(already_used())
        }
        _ => Err(Refused::link(StepError::OutOfOrder)),
    }
}

fn already_used() -> Refused {
    Refused::new("already-used", "this request has been answered already")
}

/// Decrypts the answer and checks that it belongs to the request.
fn open(body: &ResponseBody, kept: &Kept) -> Result<AuthorizationResponse, Refused> {
    let key = kept.decryption_key();
    let response = body
        .open(ResponseMode::DirectPostJwt, key.as_ref())
        .map_err(|error| {
            let code = match &error {
                ResponseError::Jwe(error) => error.code(),
                ResponseError::Mode(_) => "response-not-encrypted",
                _ => "response-malformed",
            };
            Refused::new(code, error.to_string())
        })?;
    let state = response.state().unwrap_or_default();
    if bool::from(state.as_bytes().ct_eq(kept.state.as_bytes())) {
        Ok(response)
    } else {
        Err(Refused::new(
            "state-mismatch",
            "the answer does not bring the state of the request",
        ))
    }
}

/// Everything that decides. All presentations are read before the first is believed; then each is held against the
/// question that it answers; last, all of them against one another. One that fails refuses the whole. [SEC-20]
async fn evaluate(
    app: &Parts,
    foreign: &Foreign,
    interaction: &Interaction,
    kept: &Kept,
    vp_token: &VpToken,
    now: Timestamp,
) -> Result<Map<String, Value>, Against> {
    // An organisation or type that has been taken out of the configuration meanwhile trusts nobody.
    let organisation = app
        .organisations
        .find(&interaction.organisation)
        .ok_or(Refusal::IssuerNotTrusted)?;
    let questions = questions(&app.organisations, &interaction.credential_types, &app.base)
        .map_err(|_| Refusal::IssuerNotTrusted)?;
    let client_id = organisation.verifier_client_id();

    let answers = answers(vp_token, &questions)?;
    let mut presented = Vec::with_capacity(questions.len());
    for (question, answer) in questions.iter().zip(&answers) {
        let asked = Asked {
            query: &question.query,
            client_id: &client_id,
            nonce: &kept.nonce,
            now,
        };
        let name = question.credential_type.name.as_str();
        let claims = believe(app, foreign, organisation, name, answer, &asked).await;
        let claims = claims.and_then(|claims| {
            let fits = question.credential_type.fits(&claims);
            fits.then_some(claims).ok_or(Refusal::ClaimMissing)
        });
        let claims = claims.map_err(|refusal| Against {
            refusal,
            credential_type: Some(name.to_owned()),
        })?;
        presented.push((name, claims));
    }
    Ok(of_one_person(presented)?)
}

/// One presentation, in order: keys, verify, trust, status.
async fn believe(
    app: &Parts,
    foreign: &Foreign,
    organisation: &Organisation,
    credential_type: &str,
    parsed: &Parsed,
    asked: &Asked<'_>,
) -> Result<Map<String, Value>, Refusal> {
    let issuer = Issuer {
        organisation,
        credential_type,
        name: parsed.issuer(),
    };
    let (header, signed) = (parsed.header(), Signed::Credential);
    let keys = foreign.keys.find(app, issuer, (header, signed)).await?;
    let key = keys.find(header, signed).ok_or(Refusal::SignatureInvalid)?;
    let trusted = parsed
        .verify(&key, asked)?
        .trusted(|issuer| organisation.trusts(credential_type, issuer))?;
    let verified = trusted.verified();
    let issuer = Issuer {
        name: verified.issuer(),
        ..issuer
    };
    let status = foreign
        .lists
        .find(app, issuer, (&keys, &foreign.keys), verified.status())
        .await?;
    trusted.claims(status)
}

/// [VP 8.2] 200, and for a wallet on the browser's device where to go next.
fn accepted(app: &Parts, response_code: Option<&str>) -> Response {
    let redirect_uri = response_code.map(|code| app.url(&format!("/return?response_code={code}")));
    (
        [(header::CACHE_CONTROL, "no-store")],
        Json(VerifierAnswer { redirect_uri }),
    )
        .into_response()
}
