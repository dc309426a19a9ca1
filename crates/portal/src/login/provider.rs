//! Logging in at the organisation's own OpenID provider: `[log_in]` of the configuration.
//!
//! A log-in that is under way is a sealed cookie of its browser: a callback in another browser (log-in CSRF) finds nothing,
//! and what has logged somebody in does so once.

use axum::extract::{Query, RawQuery, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use connector::sign_in::{SignIn, SignInError, SignInSettings, SignInStarted};
use connector::{Callback, ClientSecret, Clock, HttpOptions};
use serde::Deserialize;
use store::StoreError;
use url::Url;

use super::page::LoginNotice;
use super::under_way::{self, Seal, UnderWay};
use super::{Entered, enter};
use crate::app::{App, Parts};
use crate::compose::is_loopback;
use crate::config::{ConfigError, LogInConfig, PersonColumn, read_pem, read_secret};
use crate::own_path;
use crate::problem;
use crate::trouble::Trouble;

/// Where a log-in at the provider begins.
pub(crate) const START: &str = "/login/organisation";
/// Where the provider sends the browser back to.
pub(crate) const CALLBACK: &str = "/login/callback";
/// The organisation's provider, and how one of its people is found here.
pub(crate) struct Provider {
    /// What the button calls it.
    pub(crate) name: String,
    /// Whether passwords of the portal's own are there too.
    pub(crate) passwords: bool,
    sign_in: SignIn,
    seal: Seal,
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
        let seal = Seal::new(&secret);
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
            seal,
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
    let SignInStarted { url, pending } = started;
    let kept = under_way::keep(&app, &provider.seal, &headers, pending, return_to)?;
    Ok(([(SET_COOKIE, kept)], Redirect::to(url.as_str())).into_response())
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
    let ours = under_way::take_up(&app, &provider.seal, &headers, callback.state());
    let Some((under_way, gone)) = ours else {
        return start_again("callback-not-ours");
    };
    let mut answer = match finish(&app, provider, under_way, callback, &headers).await {
        Err(Trouble::Store(StoreError::Duplicate { .. })) => start_again("callback-replayed"),
        answer => answer,
    }?;
    answer.headers_mut().append(SET_COOKIE, gone);
    Ok(answer)
}

async fn finish(
    app: &App,
    provider: &Provider,
    UnderWay {
        pending, return_to, ..
    }: UnderWay,
    callback: Callback,
    headers: &HeaderMap,
) -> Result<Response, Trouble> {
    let finished = under_way::finished(app, pending.state());
    let signed_in = match provider.sign_in.finish(pending, callback).await {
        Ok(signed_in) => signed_in,
        Err(error) => return Ok(failed(app, &error, return_to.as_deref())),
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
        return Ok(notice(app, LoginNotice::Unknown, None));
    };
    let entered = Entered {
        employee: &employee,
        method: METHOD,
        return_to: return_to.as_deref().unwrap_or_default(),
    };
    // A provider that takes one code twice still lets nobody in twice.
    enter(app, headers, vec![finished], entered).await
}

/// How a session says that it began at the provider.
pub(crate) const METHOD: &str = "provider";

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
