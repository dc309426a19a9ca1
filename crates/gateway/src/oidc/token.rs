//! The token endpoint: a code becomes an ID token, once [OIDC Core 3.1.3; gateway contract 2.6, 3.2].

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use standards::jose::{Signer, jws};
use standards::oauth::error::ErrorCode;
use standards::oauth::form::Form;
use standards::oauth::pkce::{CodeChallenge, CodeVerifier};

use super::answer;
use super::request::Fault;
use crate::app::{App, Parts};
use crate::client;
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Digest, Interaction, Private, Purpose, Stage};
use crate::issue;
use crate::limits::Kind;
use crate::openapi::{BackChannelErrors, FORM};
use crate::organisation::RelyingParty;
use crate::organisation::catalogue::UNIQUE_IDENTIFIER;
use crate::organisation::dialect::Pkce;

/// How long an ID token may be believed (gateway contract U6).
const ID_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_secs(300);

/// Exchange a code
#[utoipa::path(
    post,
    path = "/token",
    tag = "OpenID Connect",
    security(("client_secret_basic" = []), ()),
    request_body(content = String, content_type = FORM),
    responses((status = 200, description = "The tokens"), BackChannelErrors)
)]
pub async fn token(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    match redeem(&app, &headers, &body).await {
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

async fn redeem(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refused> {
    let form = Form::parse(body)
        .map_err(|error| Fault::new(ErrorCode::InvalidRequest, error.to_string()))?;
    // The client before the code, so that a thief learns nothing about codes (SEC-06).
    let party = client::authenticate(&app.organisations, headers, &form)
        .map_err(|error| Refused::Answer(error.answer()))?;
    let _place = app
        .admit(Kind::Token, &party)
        .map_err(|many| Refused::Answer(client::answer_too_many(&many)))?;
    match form.find("grant_type") {
        Some("authorization_code") => {}
        None => return Err(Fault::new(ErrorCode::InvalidRequest, "grant_type is missing").into()),
        Some(_) => {
            return Err(Fault::new(
                ErrorCode::UnsupportedGrantType,
                "grant_type must be authorization_code",
            )
            .into());
        }
    }
    let code = form
        .find("code")
        .ok_or_else(|| Fault::new(ErrorCode::InvalidRequest, "code is missing"))?;
    let unavailable = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "a token could not be given");
        Refused::Answer(answer::json_unavailable())
    };

    let now = app.now();
    let found = app
        .interactions
        .find_by_code(&Digest::of(code))
        .await
        .map_err(|error| unavailable(&error))?;
    let found = found.ok_or_else(unknown_code)?;
    if matches!(found.stage, Stage::Collected { .. }) {
        // The code was stolen, or its first answer was lost: nobody can be sure who knows the serial number, so
        // the credential does not stay in force [RFC 6749 4.1.2, SEC-01].
        if found.client_id == party.client_id {
            let withdrawn = issue::withdraw(app, &found, "code replayed", now).await;
            withdrawn.map_err(|error| unavailable(&error))?;
        }
        return Err(unknown_code().into());
    }
    check(&found, &party, &form, now)?;
    let (mut collected, private) = found.clone().collected(now).map_err(|_| unknown_code())?;
    // Signing comes before the step: a failure here leaves the code as it was.
    let id_token = id_token(app, &party, &found, &private, now)
        .await
        .map_err(|error| unavailable(&error))?;
    match app.interactions.advance(&mut collected, vec![]).await {
        Ok(()) => {}
        // Another process redeemed the same code a moment ago.
        Err(AdvanceError::Overtaken) => return Err(unknown_code().into()),
        Err(error) => return Err(unavailable(&error)),
    }
    tracing::info!(
        client_id = party.client_id,
        reference = found.reference,
        "token collected"
    );
    Ok(json!({
        // Core requires one [OIDC Core 3.1.3.3]; it opens nothing and is kept nowhere.
        "access_token": app.random.token_256(),
        "token_type": "Bearer",
        "expires_in": ID_TOKEN_LIFETIME.as_secs(),
        "id_token": id_token,
        "scope": private.request.scope,
    }))
}

/// One answer for every code that does not work.
fn unknown_code() -> Fault {
    Fault::new(
        ErrorCode::InvalidGrant,
        "the code is unknown, used, expired, or not yours",
    )
}

/// Client, redirect URI, time and PKCE [RFC 6749 4.1.3; RFC 7636 4.6; SEC-01, SEC-08].
fn check(
    found: &Interaction,
    party: &RelyingParty,
    form: &Form,
    now: Timestamp,
) -> Result<(), Fault> {
    let (Some(code), Some(private)) = (&found.code, &found.private) else {
        return Err(unknown_code());
    };
    if found.client_id != party.client_id || now >= code.expires_at {
        return Err(unknown_code());
    }
    if form.find("redirect_uri") != Some(private.request.redirect_uri.as_str()) {
        return Err(Fault::new(
            ErrorCode::InvalidGrant,
            "redirect_uri is not the one of the authorization request",
        ));
    }
    let wrong = || {
        Fault::new(
            ErrorCode::InvalidGrant,
            "code_verifier does not fit the code_challenge",
        )
    };
    // A deployed client sends the bare key where it made no challenge.
    let verifier = form
        .find("code_verifier")
        .filter(|verifier| !verifier.is_empty());
    match (&private.request.code_challenge, verifier) {
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
        (Some(_), None) => Err(Fault::new(
            ErrorCode::InvalidGrant,
            "code_verifier is missing",
        )),
        // A verifier without a challenge is a downgrade that somebody tries [RFC 9700 2.1.1].
        (None, Some(_)) => Err(wrong()),
    }
}

async fn id_token(
    parts: &Parts,
    party: &RelyingParty,
    interaction: &Interaction,
    private: &Private,
    now: Timestamp,
) -> Result<String, standards::jose::SignError> {
    let mut claims = Map::new();
    for (name, value) in &private.claims {
        let name = match interaction.purpose {
            Purpose::Verify => format!("{}.{name}", interaction.credential_type),
            Purpose::Issue => name.clone(),
        };
        claims.insert(name, value.clone());
    }
    let subject = private
        .claims
        .get(UNIQUE_IDENTIFIER)
        .and_then(Value::as_str)
        .unwrap_or(&interaction.id);
    claims.insert("iss".into(), answer::issuer(parts, party).into());
    claims.insert(
        "sub".into(),
        parts.seal.pairwise(&party.client_id, subject).into(),
    );
    claims.insert("aud".into(), party.client_id.as_str().into());
    claims.insert("iat".into(), now.as_second().into());
    claims.insert("exp".into(), (now + ID_TOKEN_LIFETIME).as_second().into());
    claims.insert(
        "auth_time".into(),
        acted_at(interaction, now).as_second().into(),
    );
    if let Some(nonce) = &private.request.nonce {
        claims.insert("nonce".into(), nonce.as_str().into());
    }
    let key: &dyn Signer = if party.rules().rs256 {
        parts.id_token_rs256.as_ref()
    } else {
        parts.id_token_es256.as_ref()
    };
    jws::sign(key, jws::ProtectedHeader::typ("JWT"), &claims).await
}

/// When the person acted: the end of the interaction in the wallet.
fn acted_at(interaction: &Interaction, now: Timestamp) -> Timestamp {
    match interaction.stage {
        Stage::Finished { at, .. } => at,
        _ => now,
    }
}
