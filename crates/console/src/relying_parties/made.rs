//! A secret that was just made: shown once, with what its system's developer needs to begin.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use ui::Page;

use super::{PATH, RelyingParty, answer, at, one_page};
use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::problem::{FormErrors, Problem};
use crate::proposals::why;
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "relying_parties/made.html")]
struct MadePage {
    page: Page,
    frame: Frame,
    client_id: String,
    at: String,
    secret: String,
    environment: String,
    first_call: String,
    others_end: String,
}

/// What the API answers.
#[derive(Deserialize)]
struct Made {
    secret: String,
    id: String,
    others_end_at: Option<jiff::Timestamp>,
}

/// Makes it. The page is the answer to the form itself, since nobody can ask for it again: whoever loads it again sends the form
/// again, with the mark that is spent, and is told so.
pub(super) async fn make(
    visit: Visit,
    Path(client_id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut body = why(&fields);
    body["once"] = fields.text("once").into();
    let rotates = fields.text("rotate") == "yes";
    body["rotate"] = rotates.into();
    if let Some(days) = fields.optional("overlap_days").filter(|_| rotates) {
        // What is no number is refused there.
        body["overlap_days"] = days.parse::<u32>().map_or(json!(9999), |days| json!(days));
    }
    let party = RelyingParty::find(&visit, &client_id).await?;
    let address = Address::new(&["relying-parties", &client_id, "secrets"]);
    let made: Made = match visit.api.post(address, &body).await {
        Ok(made) => made,
        Err(problem) if problem.code == "done-before" => {
            let errors = FormErrors::one("make-secret", visit.say("secret-done-before"));
            let frame = visit.frame(PATH, "relying-party").errors(errors);
            return one_page(&visit, &client_id, frame, None).await;
        }
        Err(problem) => return answer(&visit, &client_id, &fields, Err(problem)).await,
    };
    let frame = visit.frame(PATH, "secret-made");
    let frame = frame.tab(format!("{} ({})", visit.say("secret-made"), made.id));
    let (page, frame) = frame.back(at(&client_id), party.name.clone()).parts();
    let page = MadePage {
        environment: environment(&party, &made.secret),
        first_call: first_call(&party),
        others_end: made.others_end_at.map_or_else(String::new, |at| {
            visit.say_with(
                "secret-others-end",
                &[("at", &ui::time::date_and_clock(at))],
            )
        }),
        page,
        frame,
        at: at(&client_id),
        client_id,
        secret: made.secret,
    };
    Ok(render(axum::http::StatusCode::OK, &page))
}

fn environment(party: &RelyingParty, secret: &str) -> String {
    let addresses = &party.addresses;
    let redirect = party.redirect_uris.first().map_or("", String::as_str);
    let lines = [
        ("OIDC_ISSUER", addresses.issuer.as_str()),
        ("OIDC_DISCOVERY", &addresses.discovery),
        ("OIDC_CLIENT_ID", &party.client_id),
        ("OIDC_CLIENT_SECRET", secret),
        ("OIDC_REDIRECT_URI", redirect),
    ];
    let lines = lines.map(|(name, value)| format!("{name}={}", quoted(value)));
    lines.join("\n")
}

/// One call that a person can make at once: it pushes a request to verify an identity, and is answered with where to send a
/// browser. It takes what it needs from the environment, so that no secret stands in a history of commands.
fn first_call(party: &RelyingParty) -> String {
    // [RFC 7636 B] Whose verifier everybody knows: good for a first call and for nothing else.
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let mut lines = vec![
        format!(
            "curl --silent --show-error {}",
            quoted(&party.addresses.pushed_authorization_request_endpoint)
        ),
        "--data-urlencode \"client_id=$OIDC_CLIENT_ID\"".to_owned(),
        "--data-urlencode \"client_secret=$OIDC_CLIENT_SECRET\"".to_owned(),
        "--data-urlencode \"redirect_uri=$OIDC_REDIRECT_URI\"".to_owned(),
        "--data-urlencode \"scope=openid Identity\"".to_owned(),
        "--data response_type=code --data response_mode=query".to_owned(),
        "--data state=\"$(openssl rand -hex 16)\" --data nonce=\"$(openssl rand -hex 16)\""
            .to_owned(),
    ];
    if !party.dialect.starts_with("v1") {
        lines.push(format!(
            "--data code_challenge={challenge} --data code_challenge_method=S256"
        ));
    }
    lines.join(" \\\n  ")
}

/// For a shell, whatever stands in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn party(dialect: &str) -> RelyingParty {
        let at = |path: &str| format!("https://gateway.example{path}");
        serde_json::from_value(json!({
            "client_id": "newtown-staff", "name": "Newtown", "organisation": "newtown", "declared_in": "registry",
            "dialect": dialect, "redirect_uris": ["https://staff.newtown.example/it's"], "live": true, "draft_keys": "none", "declared": {},
            "addresses": {
                "issuer": at(""), "discovery": at("/.well-known/openid-configuration"), "token_endpoint": at("/token"),
                "pushed_authorization_request_endpoint": at("/par"), "authorization_endpoint": at("/authorize"),
            },
        }))
        .unwrap()
    }

    #[test]
    fn what_is_copied_into_a_shell_stays_one_word_and_the_call_holds_no_secret() {
        let text = environment(&party("plain"), "s3cret");
        assert!(text.contains("OIDC_CLIENT_SECRET='s3cret'"));
        assert!(text.ends_with("OIDC_REDIRECT_URI='https://staff.newtown.example/it'\\''s'"));
        let call = first_call(&party("plain"));
        assert!(call.contains("code_challenge=") && !call.contains("s3cret"));
        assert!(!first_call(&party("v1-a")).contains("code_challenge="));
    }
}
