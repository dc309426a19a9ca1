//! The page where the employee waits while a wallet acts (screens 2.3; rulings 5 to 9).
//!
//! Everything here needs the browser's cookie: an interaction's address alone shows nothing.

pub mod plain;
mod says;
pub mod short_code;
mod show;
pub mod states;
mod view;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use standards::oauth::form::Form;
use subtle::ConstantTimeEq;

use super::answer;
use super::authorize::answer_head;
use super::browser::{self, Browser};
use super::{language, par};
use crate::app::App;
use crate::interaction::rows::{AdvanceError, Followed};
use crate::interaction::{Digest, Interaction, Outcome, Purpose, Refusal, Stage, StepError, Via};
use crate::live::Live;
use crate::organisation::RelyingParty;
use crate::{client, entra, issue, verify};
use store::StoreError;

/// Longest link that goes into the QR code: longer ones cost twice as much and scan worse.
pub const LONGEST_QR_LINK: usize = 110;

/// What a client's developer finds in the log.
const NO_CLIENT: &str = "the client of this interaction is no longer registered";

/// The routes of the page.
pub fn router() -> Router<Live> {
    Router::new()
        .route("/interaction/{id}", get(page).head(answer_head))
        .route("/interaction/{id}/status", get(status))
        .route("/interaction/{id}/code", get(larger_code))
        .route("/interaction/{id}/restart", post(restart))
        .route("/interaction/{id}/cancel", post(cancel))
        .route("/interaction/{id}/short-code", post(short_code::make))
        .route("/w/{link}", get(short_link))
        .route("/c/{code}", get(short_code::follow))
        .route("/return", get(returned).head(answer_head))
        .merge(view::assets().router())
}

/// Why there is no page to show.
enum Missing {
    /// No such interaction for this browser. Which of the two is told to nobody.
    NotYours,
    /// The database did not answer.
    Store(StoreError),
}

impl From<StoreError> for Missing {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Missing {
    fn answer(self, app: &App) -> Response {
        match self {
            Self::NotYours => plain::already_used(app, None),
            Self::Store(error) => {
                plain::service_problem(app, &error, "an interaction could not be read")
            }
        }
    }
}

/// The interaction of this browser, with what time alone has decided made durable.
async fn find(app: &App, headers: &HeaderMap, id: &str) -> Result<(Browser, Interaction), Missing> {
    let browser = Browser::known(app, headers).ok_or(Missing::NotYours)?;
    let found = app
        .interactions
        .find(id)
        .await?
        .filter(|found| browser.began(found))
        .ok_or(Missing::NotYours)?;
    let stage = found.stage;
    let mut settled = found.settled(app.now());
    if settled.stage != stage {
        match app.interactions.advance(&mut settled, vec![]).await {
            Ok(()) => {}
            // The wallet was quicker than the clock: what it did counts.
            Err(AdvanceError::Overtaken) => {
                settled = app.interactions.find(id).await?.ok_or(Missing::NotYours)?;
            }
            Err(AdvanceError::Store(error)) => return Err(error.into()),
            Err(AdvanceError::TurnedDown { .. }) => return Err(Missing::NotYours),
        }
    }
    Ok((browser, settled))
}

/// The page. Once the wallet is done, loading it leads back to the relying party (rulings 8).
async fn page(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let (browser, found) = match find(&app, &headers, &id).await {
        Ok(found) => found,
        Err(missing) => return missing.answer(&app),
    };
    let Some(party) = app.organisations.relying_party(&found.client_id) else {
        return plain::bad_request(&app, NO_CLIENT);
    };
    match found.stage {
        Stage::Finished {
            outcome: Outcome::Verified | Outcome::Issued,
            ..
        } if found.released => lead_back(&app, party, found).await,
        Stage::Collected { .. } | Stage::Pushed => plain::already_used(&app, Some(&party.name)),
        _ => {
            let found = match with_link(&app, found).await {
                Ok(found) => found,
                Err(missing) => return missing.answer(&app),
            };
            let look = language::look_of(&app, &headers, &found);
            show::page(&app, &look, party, &found, &browser)
        }
    }
}

/// The same interaction with a link in it, where it waits for a wallet whose links are not ours to make.
async fn with_link(app: &App, found: Interaction) -> Result<Interaction, Missing> {
    if has_links_elsewhere(app, &found.organisation) {
        Ok(entra::prepared(app, found).await?)
    } else {
        Ok(found)
    }
}

/// Whether the wallet's link is Microsoft's to make, and stands in what is sealed of the interaction.
fn has_links_elsewhere(app: &App, organisation: &str) -> bool {
    let organisation = app.organisations.find(organisation);
    organisation.is_some_and(|organisation| organisation.entra.is_some())
}

/// Back to the relying party with a fresh code.
async fn lead_back(app: &App, party: &RelyingParty, found: Interaction) -> Response {
    let code = app.random.token_256();
    let Ok(mut coded) = found.coded(Digest::of(&code), app.now()) else {
        return plain::already_used(app, Some(&party.name));
    };
    let Some(address) = coded
        .private
        .as_ref()
        .and_then(|private| answer::code_address(app, party, private, &code))
    else {
        return plain::already_used(app, Some(&party.name));
    };
    match app.interactions.advance(&mut coded, vec![]).await {
        Ok(()) => answer::see_other(&address),
        // Two tabs at once: the other one leads back.
        Err(AdvanceError::Overtaken | AdvanceError::TurnedDown { .. }) => {
            plain::already_used(app, Some(&party.name))
        }
        Err(AdvanceError::Store(error)) => Missing::Store(error).answer(app),
    }
}

/// The live status: a word and a version, never a claim (SEC-29).
async fn status(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match standing(&app, &headers, &id).await {
        Ok((state, version)) => {
            let body = json!({ "state": state, "version": version });
            (
                [
                    (header::CACHE_CONTROL, "no-store"),
                    (header::CONTENT_TYPE, "application/json"),
                ],
                body.to_string(),
            )
                .into_response()
        }
        Err(Missing::NotYours) => StatusCode::NOT_FOUND.into_response(),
        Err(Missing::Store(error)) => {
            tracing::error!(%error, "a status could not be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// State and version for this browser. Nearly always nothing has changed: then a glance is enough.
async fn standing(
    app: &App,
    headers: &HeaderMap,
    id: &str,
) -> Result<(&'static str, i64), Missing> {
    let browser = Browser::known(app, headers).ok_or(Missing::NotYours)?;
    let glance = app.interactions.glance(id).await?;
    let glance = glance
        .filter(|glance| browser.began(glance.interaction()))
        .ok_or(Missing::NotYours)?;
    if glance.is_overtaken_by_time(app.now()) {
        let (_, found) = find(app, headers, id).await?;
        return Ok((show::state_name(&found), found.version));
    }
    let seen = glance.interaction();
    Ok((show::state_name(seen), seen.version))
}

/// Only the code, as large as the window.
async fn larger_code(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match find(&app, &headers, &id).await {
        Ok((_, found)) if found.stage == Stage::Waiting => {
            let found = match with_link(&app, found).await {
                Ok(found) if found.stage == Stage::Waiting => found,
                Ok(found) => return answer::see_other(&format!("/interaction/{}", found.id)),
                Err(missing) => return missing.answer(&app),
            };
            match app.organisations.relying_party(&found.client_id) {
                Some(party) => {
                    let look = language::look_of(&app, &headers, &found);
                    show::larger_code(&app, &look, party, &found)
                }
                None => plain::bad_request(&app, NO_CLIENT),
            }
        }
        Ok((_, found)) => answer::see_other(&format!("/interaction/{}", found.id)),
        Err(missing) => missing.answer(&app),
    }
}

/// 'Start again': new links, the old ones are dead.
async fn restart(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let step = |app: &App, found: Interaction| {
        let party = app.organisations.relying_party(&found.client_id);
        let party = party.ok_or(StepError::OutOfOrder)?;
        let code = par::transaction_code(app, party, found.purpose);
        // (SEC-23) What began with a PIN does not go on without one.
        if code.is_none() && found.transaction_code().is_some() {
            return Err(StepError::OutOfOrder);
        }
        let (link, link_here) = (app.random.token_128(), app.random.token_128());
        let mut again = found.restarted(link, link_here, app.now())?;
        again.keep_transaction_code(code);
        Ok(again)
    };
    match change(&app, &id, &headers, &body, step).await {
        Ok(changed) => answer::see_other(&format!("/interaction/{}", changed.id)),
        Err(response) => response,
    }
}

/// 'Cancel': the relying party hears that the person said no.
async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let step = |app: &App, found: Interaction| match found.stage {
        Stage::Waiting | Stage::Scanned { .. } => found.refused(Refusal::Cancelled, app.now()),
        _ if found.awaits_its_browser() => found.refused(Refusal::Cancelled, app.now()),
        _ => Err(StepError::OutOfOrder),
    };
    match change(&app, &id, &headers, &body, step).await {
        Ok(changed) => {
            let party = app.organisations.relying_party(&changed.client_id);
            match party.and_then(|party| answer::way_back(&app, party, &changed)) {
                Some(address) => answer::see_other(&address),
                None => answer::see_other(&format!("/interaction/{}", changed.id)),
            }
        }
        Err(response) => response,
    }
}

/// One step that a form of this browser asks for. A step that no longer fits leads to the page as it is.
async fn change(
    app: &App,
    id: &str,
    headers: &HeaderMap,
    body: &[u8],
    step: impl Fn(&App, Interaction) -> Result<Interaction, StepError>,
) -> Result<Interaction, Response> {
    let (browser, found) = find(app, headers, id)
        .await
        .map_err(|missing| missing.answer(app))?;
    let sent = Form::parse(body)
        .ok()
        .and_then(|form| form.find("csrf").map(str::to_owned))
        .unwrap_or_default();
    let expected = browser.form_token(&found);
    let is_token = bool::from(sent.as_bytes().ct_eq(expected.as_bytes()));
    if !is_token || browser::is_foreign_form(app, headers) {
        return Err(plain::already_used(app, None));
    }
    let page = || answer::see_other(&format!("/interaction/{id}"));
    let mut changed = step(app, found).map_err(|_| page())?;
    match app.interactions.advance(&mut changed, vec![]).await {
        Ok(()) => Ok(changed),
        Err(AdvanceError::Store(error)) => Err(Missing::Store(error).answer(app)),
        Err(_) => Err(page()),
    }
}

/// The browser that a wallet on the same device opened. Only the one that began may have the result
/// (rulings 7, SEC-28).
async fn returned(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let form = Form::parse(query.unwrap_or_default().as_bytes()).ok();
    let Some(response_code) = form.as_ref().and_then(|form| form.find("response_code")) else {
        return plain::another_browser(&app);
    };
    let Some(browser) = Browser::known(&app, &headers) else {
        return plain::another_browser(&app);
    };
    let found = match app
        .interactions
        .find_by_response(&Digest::of(response_code))
        .await
    {
        Ok(Some(found)) if browser.began(&found) => found,
        Ok(_) => return plain::another_browser(&app),
        Err(error) => return Missing::Store(error).answer(&app),
    };
    let page = format!("/interaction/{}", found.id);
    // What time has ended is not brought back: the page says so.
    if found.is_overtaken_by_time(app.now()) {
        return answer::see_other(&page);
    }
    let mut released = found.released();
    match app.interactions.advance(&mut released, vec![]).await {
        Ok(()) | Err(AdvanceError::Overtaken | AdvanceError::TurnedDown { .. }) => {
            answer::see_other(&page)
        }
        Err(AdvanceError::Store(error)) => Missing::Store(error).answer(&app),
    }
}

/// The short form of a wallet link leads to the standard's own. Following it binds nothing.
async fn short_link(
    State(app): State<App>,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Response {
    let opens = |organisation: &str| has_links_elsewhere(&app, organisation);
    let followed = match app.interactions.follow_link(&link, opens).await {
        Ok(Some(Followed::Opened(found))) => match with_link(&app, found).await {
            Ok(found) => Some(Followed::Opened(found)),
            Err(missing) => return missing.answer(&app),
        },
        Ok(followed) => followed,
        Err(error) => return Missing::Store(error).answer(&app),
    };
    let found = followed.as_ref().map(|followed| match followed {
        Followed::Opened(found) => found,
        Followed::Seen(glance) => glance.interaction(),
    });
    let open = |found: &&Interaction| matches!(found.stage, Stage::Waiting | Stage::Scanned { .. });
    let found = found.filter(open);
    let way = found.and_then(|found| Some((found, wallet_link(&app, found, found.via(&link)?))));
    match way {
        Some((found, full)) if takes_html(&headers) => {
            let view = view::ShortLink {
                purpose: show::purpose(found),
                link: full,
                here: format!("/w/{link}"),
                was_typed: false,
            };
            show::short_link(&language::look(&app, &headers), view)
        }
        // A wallet follows the address and reads nothing.
        Some((_, full)) => answer::see_other(&full),
        None if takes_html(&headers) => plain::already_used(&app, None),
        // A wallet has followed it: it reads JSON, and its person the sentence in it.
        None => client::answer_error(
            StatusCode::GONE,
            "invalid_request",
            "link-used: this code has been used or is too old",
        ),
    }
}

/// Whether whoever asks wants a page.
pub fn takes_html(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The standard's own link for a wallet. Authenticator has one for both devices, and nothing brings a browser back.
fn wallet_link(app: &App, interaction: &Interaction, via: Via) -> String {
    if let Some(link) = entra::link(interaction) {
        return link;
    }
    match interaction.purpose {
        Purpose::Verify => verify::link(app, interaction, via),
        Purpose::Issue => issue::link(app, interaction, via),
    }
}

/// What the QR code says: the standard's own link where it fits, else the short one that leads to it. Authenticator follows
/// no short one.
fn qr_link(app: &App, interaction: &Interaction) -> String {
    let full = wallet_link(app, interaction, Via::AnotherDevice);
    if full.len() <= LONGEST_QR_LINK || entra::link(interaction).is_some() {
        full
    } else {
        app.url(&format!("/w/{}", interaction.link))
    }
}
