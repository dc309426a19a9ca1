//! Answers as a relying party hears them: JSON from its back channel, parameters on the redirect URI.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use standards::oauth::redirect::RedirectUri;

use super::fault::{Fault, Rule};
use crate::app::Parts;
use crate::client;
use crate::config::CancelError;
use crate::interaction::refusal::Kind;
use crate::interaction::{Interaction, Outcome, Private, Refusal, Stage};
use crate::organisation::RelyingParty;

/// A refused request, for the client's back channel.
pub fn json_fault(fault: &Fault) -> Response {
    let status = StatusCode::from_u16(fault.code.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
    client::answer_error(status, fault.code.as_str(), &fault.description)
}

/// The database did not answer: the caller may try again.
pub fn json_unavailable() -> Response {
    json_fault(&Rule::Unavailable.into())
}

/// The database did not say whether it kept the step. The caller must not try again, but can ask.
pub fn json_uncertain() -> Response {
    json_fault(&Rule::Uncertain.into())
}

/// Nobody waited for the end of it.
pub fn json_too_slow() -> Response {
    json_fault(&Rule::TooSlow.into())
}

/// Sends the browser to an address, with GET, whatever it came with. Nobody keeps the answer: the address may hold
/// a code.
pub fn see_other(address: &str) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    match HeaderValue::from_str(address) {
        Ok(location) => {
            let headers = [
                (header::LOCATION, location),
                (header::CACHE_CONTROL, no_store),
            ];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The redirect URI with an error; `state` is always there if the client sent one.
pub fn error_address(
    parts: &Parts,
    party: &RelyingParty,
    redirect_uri: &RedirectUri,
    state: Option<&str>,
    code: &str,
    description: &str,
) -> String {
    answer_address(
        parts,
        party,
        redirect_uri,
        state,
        &[("error", code), ("error_description", description)],
    )
}

fn answer_address(
    parts: &Parts,
    party: &RelyingParty,
    redirect_uri: &RedirectUri,
    state: Option<&str>,
    answer: &[(&str, &str)],
) -> String {
    let issuer = issuer(parts, party);
    let mut parameters = answer.to_vec();
    parameters.extend(state.map(|state| ("state", state)));
    if party.rules().sends_iss {
        // [RFC 9207 2] against mix-up.
        parameters.push(("iss", &issuer));
    }
    redirect_uri.with_answer(parameters)
}

/// The gateway's issuer identifier as that client knows it.
pub fn issuer(parts: &Parts, party: &RelyingParty) -> String {
    parts.url(party.rules().issuer_path)
}

/// Where the employee goes back to from a finished interaction without a code, or nowhere if its personal
/// values (with the address) are gone.
pub fn way_back(parts: &Parts, party: &RelyingParty, interaction: &Interaction) -> Option<String> {
    let private = interaction.private.as_ref()?;
    let Stage::Finished {
        outcome: Outcome::Refused(refusal),
        ..
    } = interaction.stage
    else {
        return None;
    };
    let redirect_uri = party.redirect_uri(&private.request.redirect_uri)?;
    let state = private.request.state.as_deref();
    Some(error_address(
        parts,
        party,
        redirect_uri,
        state,
        error_of(party, refusal),
        refusal.description(),
    ))
}

/// The OAuth error of a refusal as that client knows it (gateway contract U3).
fn error_of(party: &RelyingParty, refusal: Refusal) -> &'static str {
    match (party.cancel_error, refusal.kind()) {
        (CancelError::UserCancelled, Kind::Declined) => "user_cancelled",
        _ => refusal.oauth_error(),
    }
}

/// The redirect URI with the code.
pub fn code_address(
    parts: &Parts,
    party: &RelyingParty,
    private: &Private,
    code: &str,
) -> Option<String> {
    let redirect_uri = party.redirect_uri(&private.request.redirect_uri)?;
    Some(answer_address(
        parts,
        party,
        redirect_uri,
        private.request.state.as_deref(),
        &[("code", code)],
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Whoever is told to try again and whoever must not are told so in an answer that no client takes for a token.
    #[tokio::test]
    async fn an_outage_is_answered_as_one_and_says_whether_to_try_again() {
        for (answer, rule) in [
            (json_unavailable(), Rule::Unavailable),
            (json_uncertain(), Rule::Uncertain),
        ] {
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            let body = axum::body::to_bytes(answer.into_body(), 1024).await;
            let said: serde_json::Value = serde_json::from_slice(&body.unwrap()).unwrap();
            assert_eq!(said["error"], "temporarily_unavailable");
            assert_eq!(said["error_description"], rule.sentence());
        }
    }
}
