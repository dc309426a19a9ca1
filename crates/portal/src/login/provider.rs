//! Logging in at the organisation's own OpenID provider: `[log_in]` of the configuration.
//!
//! A log-in that is under way is a row, under the digest of what this browser and the `state` say together: a callback
//! in another browser (log-in CSRF) finds nothing, and the same one finds something once.

use axum::extract::{Query, RawQuery, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use connector::sign_in::{SignIn, SignInError, SignInPending, SignInSettings};
use connector::{Callback, ClientSecret, Clock, HttpOptions};
use jiff::SignedDuration;
use serde::Deserialize;
use store::{Statement, StoreError};
use url::Url;

use super::page::LoginNotice;
use super::{Entered, enter, form_token};
use crate::app::{App, Parts};
use crate::compose::is_loopback;
use crate::config::{ConfigError, LogInConfig, PersonColumn, read_pem, read_secret};
use crate::own_path;
use crate::problem;
use crate::session::cookie::Cookie;
use crate::token::digest_of;
use crate::trouble::Trouble;

/// Where a log-in at the provider begins.
pub(crate) const START: &str = "/login/organisation";
/// Where the provider sends the browser back to.
pub(crate) const CALLBACK: &str = "/login/callback";
/// How long somebody may take at the provider.
const LASTS: SignedDuration = SignedDuration::from_mins(15);

/// The organisation's provider, and how one of its people is found here.
pub(crate) struct Provider {
    /// What the button calls it.
    pub(crate) name: String,
    /// Whether passwords of the portal's own are there too.
    pub(crate) passwords: bool,
    sign_in: SignIn,
    claim: String,
    column: PersonColumn,
}

impl Provider {
    /// As the configuration says. The provider is not asked yet.
    pub(crate) fn new(
        config: &LogInConfig,
        public_url: &Url,
        sandbox: bool,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        let wrong =
            |key: &str, reason: &str| Err(ConfigError::value(format!("log_in.{key}"), reason));
        let issuer: Result<Url, _> = config.issuer.parse();
        let is_secure = issuer.is_ok_and(|url| {
            url.scheme() == "https" || (sandbox && url.scheme() == "http" && is_loopback(&url))
        });
        if !is_secure {
            return wrong("issuer", "it must begin with https://");
        }
        if config.name.trim().is_empty() || config.claim.trim().is_empty() {
            return wrong("name", "neither it nor log_in.claim may be empty");
        }
        let one_word =
            |text: &String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let lists = [&config.scopes, &config.acr, &config.amr];
        if !lists.into_iter().flatten().all(one_word) {
            return wrong(
                "scopes",
                "the entries of scopes, acr and amr are words without spaces",
            );
        }
        let secret = read_secret("log_in.client_secret", &config.client_secret)?;
        let redirect_uri = public_url.join(CALLBACK);
        let settings = SignInSettings {
            issuer: config.issuer.clone(),
            client_id: config.client_id.clone(),
            client_secret: ClientSecret::new(secret.as_str()),
            redirect_uri: redirect_uri.map_err(|error| ConfigError::value("public_url", error))?,
            scopes: config.scopes.clone(),
            acr: config.acr.clone(),
            amr: config.amr.clone(),
        };
        let http = HttpOptions {
            certificate_authority: read_pem(config.certificate_authority.as_deref())?,
            ..HttpOptions::default()
        };
        Ok(Self {
            name: config.name.clone(),
            passwords: config.passwords,
            sign_in: SignIn::new(settings, http, clock)
                .map_err(|error| ConfigError::value("log_in", error))?,
            claim: config.claim.clone(),
            column: config.column,
        })
    }

    /// Where whoever logged out here ends their session there too.
    pub(crate) async fn log_out_address(&self, public_url: &Url) -> Option<Url> {
        let then = public_url.join("/login").ok()?;
        self.sign_in.log_out_address(&then).await
    }
}

#[derive(Deserialize)]
pub(crate) struct StartQuery {
    return_to: Option<String>,
}

/// `GET /login/organisation`: a link, since a form's answer may lead to this origin only, and where the provider's page
/// is nobody knows before it is asked.
pub(crate) async fn start(
    State(app): State<App>,
    Query(query): Query<StartQuery>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let Some(provider) = &app.provider else {
        return Ok(problem::not_found(&app, None));
    };
    let return_to = query.return_to.and_then(|to| own_path::parse(&app, &to));
    // A log-in begins at our own page, and not because another site says so.
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return Ok(
            Redirect::to(&super::path(&app, &return_to.unwrap_or_default())).into_response(),
        );
    }
    let started = match provider.sign_in.start().await {
        Ok(started) => started,
        Err(error) => return Ok(failed(&app, &error, return_to.as_deref())),
    };
    let (browser, set_cookie) = form_token(&app, &headers)?;
    let insert = Statement::new(
        "INSERT INTO portal_log_ins (digest, pending, return_to, started_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(key(&browser, started.pending.state()))
    .bind(serde_json::to_string(&started.pending).map_err(|_| unreadable())?)
    .bind(return_to.as_ref())
    .bind(app.now());
    app.store.write([insert]).await?;
    Ok((
        [(SET_COOKIE, set_cookie)],
        Redirect::to(started.url.as_str()),
    )
        .into_response())
}

/// The row's key: neither the browser's token nor the `state` can be read from it.
fn key(browser: &str, state: &str) -> String {
    digest_of(&format!("log-in:{browser}:{state}"))
}

/// Nothing but a log-in's own text is ever in that column.
fn unreadable() -> StoreError {
    StoreError::Column {
        column: "pending".to_owned(),
        wanted: "a log-in that is under way",
    }
}

/// `GET /login/callback`.
pub(crate) async fn callback(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let Some(provider) = &app.provider else {
        return Ok(problem::not_found(&app, None));
    };
    let start_again = |code: &str| {
        tracing::info!(code, "a log-in at the provider was refused");
        Ok(notice(&app, LoginNotice::StartAgain, None))
    };
    let Ok(callback) = Callback::parse(query.as_deref().unwrap_or_default()) else {
        return start_again("callback-malformed");
    };
    let browser = Cookie::Form.read(&app, &headers).unwrap_or_default();
    let Some((pending, return_to)) = take_up(&app, &browser, callback.state()).await? else {
        return start_again("callback-not-ours");
    };
    let signed_in = match provider.sign_in.finish(pending, callback).await {
        Ok(signed_in) => signed_in,
        Err(error) => return Ok(failed(&app, &error, return_to.as_deref())),
    };
    let known = match signed_in.find(&provider.claim) {
        Some(value) => app.find_only(provider.column, value).await?,
        None => None,
    };
    let Some(employee) = known else {
        tracing::info!(
            code = "no-such-employee",
            "a log-in at the provider was refused"
        );
        return Ok(notice(&app, LoginNotice::Unknown, None));
    };
    let entered = Entered {
        employee: &employee,
        method: METHOD,
        return_to: return_to.as_deref().unwrap_or_default(),
    };
    enter(&app, &headers, Vec::new(), entered).await
}

/// How a session says that it began at the provider.
pub(crate) const METHOD: &str = "provider";

/// The log-in that this browser began with this `state`: once, and not after it is too late.
async fn take_up(
    app: &App,
    browser: &str,
    state: &str,
) -> Result<Option<(SignInPending, Option<String>)>, StoreError> {
    if browser.is_empty() {
        return Ok(None);
    }
    let take = Statement::new(
        "DELETE FROM portal_log_ins WHERE digest = $1 AND started_at > $2 RETURNING pending, return_to",
    )
    .bind(key(browser, state))
    .bind(app.ago(LASTS));
    let outcomes = app.store.write([take]).await?;
    let Some(row) = outcomes.iter().flat_map(|outcome| &outcome.rows).next() else {
        return Ok(None);
    };
    let pending = serde_json::from_str(row.text("pending")?).map_err(|_| unreadable())?;
    let return_to = row.optional_text("return_to")?.map(str::to_owned);
    Ok(Some((pending, return_to)))
}

/// Why nobody is logged in goes to the log by its code; the page says what to do.
fn failed(app: &App, error: &SignInError, return_to: Option<&str>) -> Response {
    let code = error.code();
    let told = match error {
        SignInError::Declined(_) => LoginNotice::Declined,
        SignInError::TooWeak(_) => LoginNotice::TooWeak,
        _ if error.is_temporary() => LoginNotice::ProviderDown,
        SignInError::Finish(connector::FinishError::NotOurs(_)) => LoginNotice::StartAgain,
        _ => LoginNotice::ProviderFault,
    };
    match told {
        LoginNotice::Declined | LoginNotice::StartAgain => {
            tracing::info!(code, error = %error, "a log-in at the provider came to nothing");
        }
        _ => tracing::warn!(code, error = %error, "a log-in at the provider failed"),
    }
    notice(app, told, return_to)
}

/// A redirect, so that loading the page again asks the provider nothing.
fn notice(app: &Parts, notice: LoginNotice, return_to: Option<&str>) -> Response {
    let mut to = super::path(app, return_to.unwrap_or_default());
    to.push(if to.contains('?') { '&' } else { '?' });
    to.push_str("why=");
    to.push_str(notice.code());
    Redirect::to(&to).into_response()
}

/// Deletes log-ins that nobody came back from.
pub(crate) async fn tidy(parts: &Parts) -> Result<(), StoreError> {
    let delete = Statement::new("DELETE FROM portal_log_ins WHERE started_at <= $1");
    let delete = delete.bind(parts.ago(LASTS));
    parts.store.write([delete]).await.map(drop)
}
