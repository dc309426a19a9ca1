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
use super::check::{Asked, Parsed};
use super::issuer_keys::Signed;
use super::query::query;
use super::request::{ATTEMPTS, Kept, find};
use crate::app::{App, Parts};
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Digest, Interaction, Refusal, Stage, StepError, Via};

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
        if let Some(answer) = attempt(&app, &foreign, &link, body.clone()).await? {
            return answer;
        }
    }
    Err(Refused::unavailable())
}

/// One attempt; `None` when another request took a step in between.
async fn attempt(
    app: &Parts,
    foreign: &Foreign,
    link: &str,
    body: ResponseBody,
) -> Result<Option<Result<Response, Refused>>, Refused> {
    let now = app.now();
    let (interaction, via) = find(app, link).await?;
    let kept = answerable(&interaction, via)?;
    let response = open(body, &kept)?;

    // From here on it is the wallet that has the request: its answer counts, whatever it is.
    let verdict = match (interaction.answerable(via, now), response) {
        (Err(_), _) if now >= interaction.expires_at => Err(Refusal::Expired),
        (Err(_), _) => Err(Refusal::RequestExpired),
        (Ok(_), AuthorizationResponse::Refused(answer)) => {
            tracing::info!(
                reference = interaction.reference,
                error = answer.error.as_str(),
                "the wallet refused"
            );
            // [VP 8.5] The standard has one code for 'no' and for 'nothing that fits'.
            Err(if answer.error == WalletErrorCode::AccessDenied {
                Refusal::Declined
            } else {
                Refusal::WalletFailed
            })
        }
        (Ok(_), AuthorizationResponse::Presented { vp_token, .. }) => {
            evaluate(app, foreign, &interaction, &kept, &vp_token, now).await
        }
    };
    let own_word = matches!(verdict, Err(Refusal::Declined | Refusal::WalletFailed));
    if let Err(refusal) = verdict {
        tracing::info!(
            reference = interaction.reference,
            refusal = refusal.code(),
            "presentation refused"
        );
    }

    // [VP-09, HA-06] The browser on the wallet's own device gets the result only with this code.
    let response_code = (via == Via::ThisDevice).then(|| app.random.token_256());
    let digest = response_code.as_deref().map(Digest::of);
    let stepped = match &verdict {
        Ok(claims) => interaction.verified(claims.clone(), digest, now),
        Err(refusal) => interaction.refused(*refusal, now).map(|ended| Interaction {
            response: digest,
            ..ended
        }),
    };
    let mut ended = stepped.map_err(|_| already_used())?;
    match app.interactions.advance(&mut ended, Vec::new()).await {
        Ok(()) => {}
        Err(AdvanceError::Overtaken) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    Ok(Some(match verdict {
        Err(refusal) if !own_word => Err(refusal.into()),
        // A wallet's own 'no' has arrived: that is 200 as well.
        _ => Ok(accepted(app, response_code.as_deref())),
    }))
}

/// [SEC-18] What was kept for the one answer that may come, if it has not come yet.
fn answerable(interaction: &Interaction, via: Via) -> Result<Kept, Refused> {
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
fn open(body: ResponseBody, kept: &Kept) -> Result<AuthorizationResponse, Refused> {
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

/// Everything that decides, in order: read, keys, verify, trust, status.
async fn evaluate(
    app: &Parts,
    foreign: &Foreign,
    interaction: &Interaction,
    kept: &Kept,
    vp_token: &VpToken,
    now: Timestamp,
) -> Result<Map<String, Value>, Refusal> {
    // An organisation or type that has been taken out of the configuration meanwhile trusts nobody.
    let organisation = app
        .organisations
        .find(&interaction.organisation)
        .ok_or(Refusal::IssuerNotTrusted)?;
    let credential_type = app
        .organisations
        .credential_type(&interaction.credential_type)
        .ok_or(Refusal::IssuerNotTrusted)?;
    let query = query(credential_type, &credential_type.vct(&app.base))
        .map_err(|_| Refusal::CredentialTypeWrong)?;
    let client_id = organisation.verifier_client_id();
    let asked = Asked {
        query: &query,
        client_id: &client_id,
        nonce: &kept.nonce,
        now,
    };

    let parsed = Parsed::parse(vp_token, &query)?;
    let keys = foreign
        .keys
        .find(
            app,
            organisation,
            &credential_type.name,
            parsed.issuer(),
            parsed.header(),
        )
        .await?;
    let key = keys
        .find(parsed.header(), Signed::Credential)
        .ok_or(Refusal::SignatureInvalid)?;
    let trusted = parsed
        .verify(&key, &asked)?
        .trusted(|issuer| organisation.trusts(&credential_type.name, issuer))?;
    let verified = trusted.verified();
    let status = foreign
        .lists
        .find(app, verified.issuer(), &keys, verified.status())
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
