//! Access tokens for the mail server: asked for when one is needed, kept until shortly before they end.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{MailFault, TokenSource};
use crate::ClientSecret;
use crate::http::{Http, Request};
use crate::secret::Secret;

/// So long before its end a token is not used any more.
const BEFORE_ITS_END: SignedDuration = SignedDuration::from_mins(2);
/// How long a token is taken to last that does not say.
const IF_NOT_SAID: i64 = 300;
/// The longest that any token is kept, in seconds.
const LONGEST: i64 = 24 * 60 * 60;

/// A token, and the newest refresh token where the endpoint gave another.
#[derive(Default)]
pub(super) struct Tokens {
    access: Option<(Secret, Timestamp)>,
    refresh: Option<Secret>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    refresh_token: Option<String>,
}

impl Tokens {
    /// The mail server does not take it any more.
    pub(super) fn forget(&mut self) {
        self.access = None;
    }

    /// A token that is good for now.
    pub(super) async fn access(
        &mut self,
        http: &Http,
        source: &TokenSource,
        now: Timestamp,
    ) -> Result<Secret, MailFault> {
        if let Some((token, until)) = &self.access
            && now < *until
        {
            return Ok(token.clone());
        }
        let refresh = self.refresh.as_ref().map(Secret::expose);
        let refresh = refresh.or(source.refresh_token.as_ref().map(ClientSecret::expose));
        let mut form = vec![
            ("client_id", source.client_id.as_str()),
            ("scope", source.scope.as_str()),
        ];
        if let Some(secret) = &source.client_secret {
            form.push(("client_secret", secret.expose()));
        }
        match refresh {
            Some(token) => {
                form.extend([("grant_type", "refresh_token"), ("refresh_token", token)]);
            }
            None => form.push(("grant_type", "client_credentials")),
        }
        let answer = http
            .send(
                Request::post_form(source.endpoint.clone(), &form)
                    .called("ask for an access token"),
            )
            .await
            .map_err(|error| {
                tracing::warn!(code = "mail-token", %error, "no access token for the mail server");
                MailFault::Token
            })?;
        if !answer.status.is_success() {
            let status = answer.status.as_u16();
            tracing::warn!(
                code = "mail-token",
                status,
                "the token endpoint refuses the mail client"
            );
            return Err(MailFault::Token);
        }
        let answer: Answer = serde_json::from_slice(&answer.body).map_err(|_| MailFault::Token)?;
        // A line end or a control character in it would end the SASL message early.
        let is_text = answer
            .access_token
            .bytes()
            .all(|byte| byte.is_ascii_graphic());
        let is_bearer = answer
            .token_type
            .is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        if answer.access_token.is_empty() || !is_text || !is_bearer {
            return Err(MailFault::Token);
        }
        if let Some(token) = answer.refresh_token {
            self.refresh = Some(Secret::new(token));
        }
        let lasts = answer.expires_in.unwrap_or(IF_NOT_SAID).clamp(0, LONGEST);
        let token = Secret::new(answer.access_token);
        let until = now + SignedDuration::from_secs(lasts) - BEFORE_ITS_END;
        self.access = Some((token.clone(), until));
        Ok(token)
    }
}
