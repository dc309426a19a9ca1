//! The token endpoint: a code becomes an ID token, once [OIDC Core 3.1.3; gateway contract 2.6, 3.2]. Or a client gets
//! an access token of its own, to revoke with [RFC 6749 4.4; gateway contract U13].

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use standards::oauth::form::Form;
use standards::oauth::pkce::{CodeChallenge, CodeVerifier};
use utoipa::ToSchema;

use super::fault::{Fault, Rule};
use super::forms::TokenForm;
use super::{answer, id_token};
use crate::app::App;
use crate::client::{self, AccessToken, Revocation, Userinfo};
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Digest, Interaction, Stage};
use crate::issue;
use crate::limits::Kind;
use crate::openapi::{BackChannelErrors, FORM};
use crate::organisation::RelyingParty;
use crate::organisation::dialect::Pkce;

/// What a client may ask for in its own name.
const REVOCATION_SCOPE: &str = "revocation";

/// What a client gets [RFC 6749 5.1; OIDC Core 3.1.3.3].
#[derive(Serialize, ToSchema)]
struct TokenAnswer {
    /// For the userinfo endpoint, or, with the scope `revocation`, to revoke with.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token ends.
    expires_in: u64,
    /// What was granted.
    scope: String,
    /// Who the employee is and what was shared, or what was issued. Not with `client_credentials`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id_token: Option<String>,
}

/// Exchange a code
///
/// Or, with `client_credentials` and the scope `revocation`, get a token to revoke with.
#[utoipa::path(
    post,
    path = "/token",
    tag = "OpenID Connect",
    security(("client_secret_basic" = []), ()),
    request_body(content = TokenForm, content_type = FORM),
    responses((status = 200, description = "The tokens", body = TokenAnswer), BackChannelErrors)
)]
pub async fn token(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    match grant(&app, &headers, &body).await {
        Ok(answer) => (
            StatusCode::OK,
            [
                (header::CACHE_CONTROL, "no-store"),
                (header::PRAGMA, "no-cache"),
            ],
            Json(answer),
        )
            .into_response(),
        Err(Refused::Fault(fault)) => answer::json_fault(&fault),
        Err(Refused::Answer(response)) => response,
    }
}

enum Refused {
    Fault(Fault),
    Answer(Response),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

async fn grant(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<TokenAnswer, Refused> {
    let form = Form::parse(body).map_err(Fault::from)?;
    // The client before the code, so that a thief learns nothing about codes (SEC-06).
    let party = client::authenticate(app, headers, &form)
        .await
        .map_err(|error| Refused::Answer(error.answer()))?;
    let _place = app
        .admit(Kind::Token, &party)
        .map_err(|many| Refused::Answer(client::answer_too_many(&many)))?;
    match form.find("grant_type") {
        Some("authorization_code") => redeem(app, &party, &form).await,
        Some("client_credentials") => revocation_token(app, &party, &form),
        None => Err(Fault::from(Rule::GrantMissing).into()),
        Some(_) => Err(Fault::from(Rule::Grant).into()),
    }
}

/// The only thing that a client may do in nobody's presence is to revoke.
#[allow(clippy::result_large_err)] // an answer is as large as it is, and goes straight out
fn revocation_token(app: &App, party: &RelyingParty, form: &Form) -> Result<TokenAnswer, Refused> {
    if form.find("scope") != Some(REVOCATION_SCOPE) {
        return Err(Fault::from(Rule::ScopeOfClient).into());
    }
    let client_id = party.client_id.clone();
    let token = Revocation { client_id }.seal(&app.seal, app.now());
    let token = token.map_err(|error| unavailable(&error))?;
    tracing::info!(client_id = party.client_id, "revocation token given");
    Ok(TokenAnswer {
        access_token: token,
        token_type: "Bearer",
        expires_in: Revocation::LIFETIME.as_secs().unsigned_abs(),
        scope: REVOCATION_SCOPE.to_owned(),
        id_token: None,
    })
}

fn unavailable(error: &dyn std::fmt::Display) -> Refused {
    tracing::error!(%error, "a token could not be given");
    Refused::Answer(answer::json_unavailable())
}

async fn redeem(app: &App, party: &RelyingParty, form: &Form) -> Result<TokenAnswer, Refused> {
    let code = form.find("code").ok_or(Fault::from(Rule::CodeMissing))?;
    let now = app.now();
    let found = app
        .interactions
        .find_by_code(&Digest::of(code))
        .await
        .map_err(|error| unavailable(&error))?;
    let found = found.ok_or_else(unknown_code)?;
    if matches!(found.stage, Stage::Collected { .. }) {
        if is_redeemed_again(&found, party, form) {
            replayed(app, found, now).await?;
        }
        return Err(unknown_code().into());
    }
    if let Err(rule) = check(&found, party, form, now) {
        note(app, &found, party, rule, now).await;
        return Err(Fault::from(rule).into());
    }
    let private = found.private.as_ref().ok_or_else(unknown_code)?;
    let userinfo = Userinfo {
        client_id: party.client_id.clone(),
        interaction: found.id.clone(),
        subject: id_token::subject(app, party, &found, private),
    };
    let access_token = userinfo
        .seal(&app.seal, now)
        .map_err(|error| unavailable(&error))?;
    // Signing comes before the step: a failure here leaves the code as it was.
    let id_token = id_token::sign(app, party, &found, private, &access_token, now)
        .await
        .map_err(|error| unavailable(&error))?;
    let (mut collected, private) = found.collected(now).map_err(|_| unknown_code())?;
    match app.interactions.advance(&mut collected, vec![]).await {
        Ok(()) => {}
        // Somebody redeemed the same code a moment ago: a replay like any later one.
        Err(AdvanceError::Overtaken) => {
            let again = app.interactions.find_by_code(&Digest::of(code)).await;
            if let Some(again) = again.map_err(|error| unavailable(&error))?
                && matches!(again.stage, Stage::Collected { .. })
            {
                replayed(app, again, now).await?;
            }
            return Err(unknown_code().into());
        }
        // The step may have been kept: to send the code again would be a replay, and revoke what was issued.
        Err(error) => {
            tracing::error!(%error, "whether a token was collected is not known");
            return Err(Refused::Answer(answer::json_uncertain()));
        }
    }
    tracing::info!(
        client_id = party.client_id,
        reference = collected.reference,
        "token collected"
    );
    Ok(TokenAnswer {
        access_token,
        token_type: "Bearer",
        expires_in: Userinfo::LIFETIME.as_secs().unsigned_abs(),
        scope: private.request.scope,
        id_token: Some(id_token),
    })
}

/// The code was stolen, or its first answer was lost: nobody can be sure who knows the serial number and holds the
/// access token. So the credential does not stay in force, and the token ends [RFC 6749 4.1.2, SEC-01].
async fn replayed(app: &App, found: Interaction, now: Timestamp) -> Result<(), Refused> {
    issue::withdraw_replayed(app, &found, now)
        .await
        .map_err(|error| unavailable(&error))?;
    app.interactions
        .note_refused_token(&found, "code-replayed", now)
        .await
        .map_err(|error| unavailable(&error))?;
    match app
        .interactions
        .advance(&mut found.without_code(), vec![])
        .await
    {
        // Overtaken: a third call did it.
        Ok(()) | Err(AdvanceError::Overtaken) => Ok(()),
        Err(error) => Err(unavailable(&error)),
    }
}

/// Keeps why the token was refused, for whoever asks what became of the interaction. It is a note: that it cannot be
/// kept is nothing to the client, nor is another client's code that somebody tries.
async fn note(app: &App, found: &Interaction, party: &RelyingParty, rule: Rule, now: Timestamp) {
    if found.client_id != party.client_id {
        return;
    }
    let cause = match rule {
        Rule::RedirectOther => "redirect-mismatch",
        Rule::VerifierWrong | Rule::VerifierMissing => "pkce-failed",
        _ => "code-expired",
    };
    let kept = app.interactions.note_refused_token(found, cause, now);
    if let Err(error) = kept.await {
        tracing::error!(%error, reference = found.reference, "a refused token could not be noted");
    }
}

/// One answer for every code that does not work.
fn unknown_code() -> Fault {
    Rule::Code.into()
}

/// Client, redirect URI, time and PKCE [RFC 6749 4.1.3; RFC 7636 4.6; SEC-01, SEC-08].
fn check(
    found: &Interaction,
    party: &RelyingParty,
    form: &Form,
    now: Timestamp,
) -> Result<(), Rule> {
    let (Some(code), Some(private)) = (&found.code, &found.private) else {
        return Err(Rule::Code);
    };
    if found.client_id != party.client_id || now >= code.expires_at {
        return Err(Rule::Code);
    }
    if form.find("redirect_uri") != Some(private.request.redirect_uri.as_str()) {
        return Err(Rule::RedirectOther);
    }
    check_verifier(private.request.code_challenge.as_deref(), party, form)
}

/// Whether this is the request once more that the code was redeemed with. Everything else is no replay: whoever has an
/// old address of a redirect can put its code into a session of their own at the relying party, which then sends it
/// with another verifier, and must not take a stranger's credential back by it. What a version before this one redeemed
/// has nothing to compare (decision 0062).
fn is_redeemed_again(found: &Interaction, party: &RelyingParty, form: &Form) -> bool {
    let redeemed = found.code.as_ref().and_then(|code| code.redeemed.as_ref());
    let Some(redeemed) = redeemed.filter(|_| found.client_id == party.client_id) else {
        return false;
    };
    let redirect_uri = form.find("redirect_uri").map(Digest::of);
    redirect_uri.as_ref() == Some(&redeemed.redirect_uri)
        && check_verifier(redeemed.challenge.as_deref(), party, form).is_ok()
}

/// PKCE [RFC 7636 4.6; SEC-08].
fn check_verifier(challenge: Option<&str>, party: &RelyingParty, form: &Form) -> Result<(), Rule> {
    let wrong = || Rule::VerifierWrong;
    // A deployed client sends the bare key where it made no challenge.
    let verifier = form
        .find("code_verifier")
        .filter(|verifier| !verifier.is_empty());
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), None) if party.rules().pkce == Pkce::Off => Ok(()),
        (Some(challenge), Some(verifier)) => {
            let challenge = CodeChallenge::from_text(challenge).map_err(|_| wrong())?;
            let verifier = CodeVerifier::parse(verifier).map_err(|_| wrong())?;
            if challenge.matches(&verifier) {
                Ok(())
            } else {
                Err(wrong())
            }
        }
        (Some(_), None) => Err(Rule::VerifierMissing),
        // A verifier without a challenge is a downgrade that somebody tries [RFC 9700 2.1.1].
        (None, Some(_)) => Err(wrong()),
    }
}
