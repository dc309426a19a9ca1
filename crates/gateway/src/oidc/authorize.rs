//! The authorization endpoint: the browser arrives with a pushed request, or with a whole one.
//!
//! Either way it leaves with a cookie and the address of its interaction. A browser that is new here is first sent to the
//! same address once more, to show that it keeps its cookie: until then nothing is opened, so that whoever presses a link
//! twice, and breaks the first answer off, has not used their request up (decision 0064). The same address opened again by
//! the same browser leads to the same interaction. A pushed request is nobody else's, and neither is a signed draft;
//! a whole request to verify, which holds no secret, begins an interaction of its own in each browser (rulings 5).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use standards::oauth::form::Form;
use utoipa::IntoResponses;

use super::answer;
use super::browser::Browser;
use super::fault::Rule;
use super::forms::AuthorizationForm;
use super::par::{self, REQUEST_URI_PREFIX};
use super::request::{Channel, Fault, Found};
use super::waiting_page::plain;
use crate::app::App;
use crate::client;
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Digest, Interaction, LIFETIME, Purpose, Stage, StepError};
use crate::issue::draft;
use crate::limits::Open;
use crate::openapi::FORM;
use store::StoreError;

/// What a browser meets.
#[derive(IntoResponses)]
#[allow(dead_code)]
enum AuthorizationAnswers {
    /// On to the page, or back to the redirect URI with an error; a browser that is new here comes once more, with its
    /// cookie.
    #[response(status = 303, headers(("Location", description = "Where the browser goes")))]
    Onwards,
    /// A page: client or redirect URI are not known, so nobody is redirected; or the browser keeps no cookie.
    #[response(status = 400, content_type = "text/html")]
    NotRedirected(String),
    /// A page: this request has been used by another browser.
    #[response(status = 410, content_type = "text/html")]
    Used(String),
    /// A page: the form did not arrive within ten seconds.
    #[response(status = 408, content_type = "text/html")]
    Slow(String),
    /// A page: the form is larger than is read.
    #[response(status = 413, content_type = "text/html")]
    TooLarge(String),
    /// A page: the address is longer than is read.
    #[response(status = 414, content_type = "text/html")]
    LongAddress(String),
    /// A page: too many requests from this network; `Retry-After` says when to come again.
    #[response(status = 429, content_type = "text/html", headers(("Retry-After", description = "Seconds to wait")))]
    TooMany(String),
    /// A page: the database cannot be reached.
    #[response(status = 503, content_type = "text/html")]
    Unavailable(String),
}

/// At the end of the address that a new browser is sent to with its cookie.
const ONCE_MORE: &str = "&cookie=set";

/// The longest form that is turned into an address. A larger request is one to push.
const LONGEST_QUERY: usize = 8_192;

/// Send the employee's browser
///
/// With a pushed request, or with a whole one. The browser is led to a page with a QR code, and in the end back to the
/// redirect URI with `code` and `state`, or with `error`, `error_description` and `state`.
#[utoipa::path(
    get,
    path = "/authorize",
    tag = "OpenID Connect",
    params(AuthorizationForm),
    responses(AuthorizationAnswers)
)]
pub async fn authorize(State(app): State<App>, headers: HeaderMap, uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    let (query, once_more) = match query.strip_suffix(ONCE_MORE) {
        Some(query) => (query, true),
        None => (query, false),
    };
    let browser = Browser::read(&app, &headers);
    let Ok(form) = Form::parse(query.as_bytes()) else {
        return plain::bad_request(&app, "a parameter is repeated or malformed");
    };
    let outcome = match form
        .find("request_uri")
        .filter(|uri| uri.starts_with(REQUEST_URI_PREFIX))
    {
        Some(request_uri) => pushed(&app, &form, request_uri, &browser).await,
        None => front(&app, &form, query, &browser).await,
    };
    match outcome {
        Ok(id) => browser.keep(&app, answer::see_other(&format!("/interaction/{id}"))),
        Err(Refused::NewBrowser) if once_more => browser.keep(&app, plain::no_cookie(&app)),
        Err(Refused::NewBrowser) => {
            let again = format!("{}?{query}{ONCE_MORE}", uri.path());
            browser.keep(&app, answer::see_other(&again))
        }
        Err(Refused::Page(response)) => response,
        Err(Refused::Redirect(address)) => answer::see_other(&address),
        Err(Refused::Store(error)) => {
            plain::service_problem(&app, &error, "an interaction could not be opened")
        }
    }
}

/// Send the employee's browser by a form
///
/// The same as by its address [OIDC Core 3.1.2.1].
#[utoipa::path(
    post,
    path = "/authorize",
    tag = "OpenID Connect",
    request_body(content = AuthorizationForm, content_type = FORM),
    responses(AuthorizationAnswers)
)]
// A form of another site brings no cookie of ours; the address that it is sent on to does, so that a browser keeps
// the interactions that it has.
pub async fn authorize_posted(State(app): State<App>, uri: Uri, body: Bytes) -> Response {
    match std::str::from_utf8(&body) {
        // What no address may hold would have to be escaped anew, and then says something else than was sent.
        Ok(query)
            if query.len() <= LONGEST_QUERY
                && query
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'#')
                && Form::parse(&body).is_ok() =>
        {
            answer::see_other(&format!("{}?{query}", uri.path()))
        }
        _ => plain::bad_request(
            &app,
            "the form is too long, or a parameter is repeated or malformed",
        ),
    }
}

/// `HEAD`: what only looks must not use anything up.
pub async fn answer_head() {}

/// How the door says no.
enum Refused {
    /// With a page: client or redirect URI are not known, so nobody is redirected (SEC-03).
    Page(Response),
    /// With an error to the redirect URI.
    Redirect(String),
    /// It would be opened, and the browser has not shown that it keeps a cookie.
    NewBrowser,
    /// The database did not answer.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A pushed request becomes this browser's, once [RFC 9126 4].
async fn pushed(
    app: &App,
    form: &Form,
    request_uri: &str,
    browser: &Browser,
) -> Result<String, Refused> {
    let page = |reason| Refused::Page(plain::bad_request(app, reason));
    let client_id = form
        .find("client_id")
        .ok_or_else(|| page("client_id is missing"))?;
    let digest = Digest::of(request_uri);
    // A second try is enough: whoever overtook us has opened it.
    for _ in 0..2 {
        let found = app
            .interactions
            .find_pushed(&digest)
            .await?
            .filter(|found| found.client_id == client_id);
        let found =
            found.ok_or_else(|| page("request_uri is unknown, or belongs to another client"))?;
        let (id, own) = (found.id.clone(), browser.began(&found));
        match found.opened(browser.digest(), app.now()) {
            Ok(_) if browser.is_new() => return Err(Refused::NewBrowser),
            Ok(mut opened) => match app.interactions.advance(&mut opened, vec![]).await {
                Ok(()) => {
                    app.limits
                        .remove_open(Open::Pushed, client_id, opened.created_at);
                    return Ok(id);
                }
                Err(AdvanceError::Overtaken) => {}
                Err(AdvanceError::Store(error)) => return Err(error.into()),
                Err(AdvanceError::TurnedDown { .. }) => return Err(page("request_uri is used")),
            },
            Err(StepError::AlreadyUsed) if own => return Ok(id),
            Err(StepError::Expired) => return Err(page("request_uri has expired")),
            Err(_) => return Err(Refused::Page(plain::already_used(app, None))),
        }
    }
    Err(Refused::Page(plain::already_used(app, None)))
}

/// A request that the browser carries whole.
async fn front(app: &App, form: &Form, query: &str, browser: &Browser) -> Result<String, Refused> {
    let page = |fault: &Fault| Refused::Page(plain::bad_request(app, &fault.description));
    let party = form
        .find("client_id")
        .and_then(|id| app.organisations.relying_party(id))
        .ok_or_else(|| page(&Rule::ClientUnknown.into()))?;
    let found = Found::find(party, form).map_err(|fault| page(&fault))?;

    let refused = |fault: &Fault| {
        Refused::Redirect(answer::error_address(
            app,
            party,
            found.redirect_uri,
            found.state(),
            fault.code.as_str(),
            &fault.description,
        ))
    };
    if query.len() > LONGEST_QUERY {
        return Err(refused(&Rule::RequestTooLong.into()));
    }
    let hint = form.find("id_token_hint");
    let digest = match hint {
        // Whatever else the address says: one signed draft is one request (decision 0012).
        Some(hint) => Digest::of(&format!(
            "draft {} {}",
            party.client_id,
            draft::signed_part(hint)
        )),
        None => Digest::of(query),
    };
    // A second try is enough: whoever overtook us has opened it.
    for _ in 0..2 {
        let known = match hint {
            Some(_) => taken(app, &digest, browser).await?,
            None => reopened(app, &digest, browser, form.find("nonce").is_some()).await?,
        };
        if let Some(id) = known {
            return Ok(id);
        }
        let now = app.now();
        let checked = found
            .check(
                &app.organisations,
                &app.outbound,
                Channel::Front,
                &app.base,
                app.random.uuid(),
                now,
            )
            .await
            .map_err(|fault| refused(&fault))?;
        if par::serial_number_stands(app, &checked).await? {
            return Err(refused(&Rule::SerialNumberStands.into()));
        }
        if browser.is_new() {
            return Err(Refused::NewBrowser);
        }
        let mut interaction = par::begin(app, party, checked, digest.clone(), now);
        interaction.stage = Stage::Waiting;
        interaction.browser = Some(browser.digest());
        interaction.expires_at = now + LIFETIME;
        // The client has signed a draft; all else in an address anybody can write.
        interaction.vouched = interaction.purpose == Purpose::Issue;
        let (began_at, vouched) = (interaction.created_at, interaction.vouched);
        if !vouched {
            app.limits
                .add_open(Open::Unpushed, &party.client_id, &party.limits, began_at)
                .map_err(|many| {
                    let page = plain::too_many(app, many.status());
                    Refused::Page(client::answer_later(page, &many))
                })?;
        }
        let inserted = app.interactions.insert(&interaction).await;
        if inserted.is_err() && !vouched {
            app.limits
                .remove_open(Open::Unpushed, &party.client_id, began_at);
        }
        match inserted {
            Ok(()) => return Ok(interaction.id),
            Err(StoreError::Duplicate { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refused::Page(plain::already_used(app, None)))
}

/// The interaction that a signed draft has begun already: its own browser is led back to it, whatever became of it,
/// and any other is refused, as with a pushed request. So one address never issues twice (SEC-05, DW-65).
async fn taken(app: &App, request: &Digest, browser: &Browser) -> Result<Option<String>, Refused> {
    match app.interactions.find_pushed(request).await? {
        None => Ok(None),
        Some(found) if browser.began(&found) => Ok(Some(found.id)),
        Some(_) => Err(Refused::Page(plain::already_used(app, None))),
    }
}

/// The open interaction of this browser for this very address, if there is one: Back and reload lead here.
///
/// An address without a nonce is the same for everybody who uses this browser. Once a wallet has begun to answer,
/// it must not lead the next person into the answer of the one before.
async fn reopened(
    app: &App,
    request: &Digest,
    browser: &Browser,
    has_nonce: bool,
) -> Result<Option<String>, StoreError> {
    if browser.is_new() {
        return Ok(None);
    }
    let open = |interaction: &Interaction| match interaction.stage {
        Stage::Waiting => true,
        Stage::Scanned { .. } | Stage::Issued { .. } => has_nonce,
        _ => false,
    };
    let found = app
        .interactions
        .find_opened(request, &browser.digest())
        .await?;
    Ok(found
        .map(|found| found.settled(app.now()))
        .filter(open)
        .map(|found| found.id))
}
