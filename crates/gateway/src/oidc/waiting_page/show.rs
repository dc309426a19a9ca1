//! From an interaction to what the page shows of it. No personal value is shown: neither the wallet's nor the
//! draft's.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use ui::headers::Policy;

use super::super::answer;
use super::super::browser::Browser;
use super::super::look::Look;
use super::view::{
    About, Code, Ended, EndedPage, Ending, LargeCodePage, Progress, ShortLink, ShortLinkPage,
    Unusable, Waiting, WaitingPage,
};
use super::{plain, qr_link, says, wallet_link};
use crate::app::App;
use crate::entra;
use crate::interaction::refusal::Kind;
use crate::interaction::{Interaction, Outcome, Purpose, Refusal, Stage, Via};
use crate::organisation::RelyingParty;
use crate::organisation::catalogue::CredentialType;

/// What the log says where there is none.
const NO_CODE: &str = "a QR code could not be drawn";

/// The page of an interaction that does not lead back by itself.
pub fn page(
    app: &App,
    look: &Look,
    party: &RelyingParty,
    interaction: &Interaction,
    browser: &Browser,
) -> Response {
    match interaction.stage {
        Stage::Finished {
            outcome: Outcome::Refused(refusal),
            ..
        } => ended(app, look, party, interaction, browser, refusal),
        _ => waiting(app, look, party, interaction, browser),
    }
}

fn waiting(
    app: &App,
    look: &Look,
    party: &RelyingParty,
    interaction: &Interaction,
    browser: &Browser,
) -> Response {
    let about = about(app, party, interaction);
    let code = match interaction.stage {
        Stage::Waiting => match code(app, look, interaction, &about) {
            Some(code) => Some(code),
            None => return plain::service_problem(app, &"the link is too long", NO_CODE),
        },
        _ => None,
    };
    let here = format!("/interaction/{}", interaction.id);
    let view = Waiting {
        about,
        progress: progress(interaction),
        version: interaction.version,
        contents: contents(app, interaction),
        code,
        pin: pin(interaction),
        deadline: interaction.expires_at,
        status_url: format!("{here}/status"),
        restart_action: format!("{here}/restart"),
        cancel_action: format!("{here}/cancel"),
        csrf: browser.form_token(interaction),
        continue_url: here.clone(),
        here,
    };
    ui::render_with(
        StatusCode::OK,
        &WaitingPage::new(look, view),
        &policy(interaction),
    )
}

fn ended(
    app: &App,
    look: &Look,
    party: &RelyingParty,
    interaction: &Interaction,
    browser: &Browser,
    refusal: Refusal,
) -> Response {
    let Some(go_back) = answer::way_back(app, party, interaction) else {
        return plain::already_used(app, Some(&party.name));
    };
    let again = refusal.may_try_again()
        && interaction.serial_number.is_none()
        && app.now() < interaction.expires_at;
    let mut about = about(app, party, interaction);
    // Of several credentials, the page speaks of the one that was at fault.
    let private = interaction.private.as_ref();
    if let Some(at_fault) = private.and_then(|private| private.at_fault.as_deref()) {
        about.credentials = vec![label(app, at_fault)];
    }
    let view = Ended {
        about,
        ending: ending(refusal),
        here: format!("/interaction/{}", interaction.id),
        try_again: again.then(|| {
            (
                format!("/interaction/{}/restart", interaction.id),
                browser.form_token(interaction),
            )
        }),
        go_back,
    };
    ui::render_with(
        StatusCode::OK,
        &EndedPage::new(look, view),
        &policy(interaction),
    )
}

/// Only the code.
pub fn larger_code(
    app: &App,
    look: &Look,
    party: &RelyingParty,
    interaction: &Interaction,
) -> Response {
    let about = about(app, party, interaction);
    let Some(code) = code(app, look, interaction, &about) else {
        return plain::service_problem(app, &"the link is too long", NO_CODE);
    };
    let here = format!("/interaction/{}", interaction.id);
    let status_url = format!("{here}/status");
    let page = LargeCodePage::new(look, code, here, status_url, interaction.version);
    ui::render_with(StatusCode::OK, &page, &policy(interaction))
}

/// Leads to the standard's own link, by `Location` for what follows it and by a link for a person.
pub fn short_link(look: &Look, view: ShortLink) -> Response {
    let location = HeaderValue::from_str(&view.link);
    let mut response = ui::render_with(
        StatusCode::SEE_OTHER,
        &ShortLinkPage::new(look, view),
        &Policy::new(),
    );
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The word of the status document.
pub fn state_name(interaction: &Interaction) -> &'static str {
    match interaction.stage {
        Stage::Finished {
            outcome: Outcome::Refused(refusal),
            ..
        } => ending(refusal).word(),
        _ => progress(interaction).word(),
    }
}

fn code(app: &App, look: &Look, interaction: &Interaction, about: &About) -> Option<Code> {
    let link = qr_link(app, interaction);
    let svg = ui::qr::svg(&link, &says::code_label(look, about)).ok()?;
    let link_here = wallet_link(app, interaction, Via::ThisDevice);
    Some(Code {
        link,
        link_here,
        svg,
        lasts: entra::link_lasts(interaction, app.now()),
        larger: format!("/interaction/{}/code", interaction.id),
        typed: interaction
            .short_code
            .as_deref()
            .map(|code| typed(app, code)),
        short_code_action: format!("/interaction/{}/short-code", interaction.id),
    })
}

fn about(app: &App, party: &RelyingParty, interaction: &Interaction) -> About {
    About {
        purpose: purpose(interaction),
        relying_party: party.name.clone(),
        organisation: party.organisation.name.clone(),
        credentials: labels(app, interaction),
        reference: interaction.reference.clone(),
    }
}

/// The same word for the pages.
pub fn purpose(interaction: &Interaction) -> super::view::Purpose {
    match interaction.purpose {
        Purpose::Verify => super::view::Purpose::Verify,
        Purpose::Issue => super::view::Purpose::Issue,
    }
}

/// `credentials.example/c/` and `K7Q2-9MFD`: nobody types `https://`.
fn typed(app: &App, code: &str) -> (String, String) {
    let host = app.base.split_once("://").map_or("", |(_, host)| host);
    (format!("{host}/c/"), code.to_owned())
}

/// What the wallet asks for, as long as it may ask.
fn pin(interaction: &Interaction) -> Option<String> {
    let open = matches!(interaction.stage, Stage::Waiting | Stage::Scanned { .. });
    let code = interaction.transaction_code().filter(|_| open)?;
    Some(code.reveal().to_owned())
}

/// What pages call each credential type.
fn labels(app: &App, interaction: &Interaction) -> Vec<String> {
    let types = interaction.credential_types.iter();
    types.map(|name| label(app, name)).collect()
}

fn label(app: &App, name: &str) -> String {
    let known = app.organisations.credential_type(name);
    known.map_or_else(|| name.to_owned(), |known| known.label.clone())
}

/// What every credential of these types holds. Where there are several types, each is named once with all that it holds,
/// since attributes of different types have the same labels.
fn contents(app: &App, interaction: &Interaction) -> Vec<String> {
    let types = interaction
        .credential_types
        .iter()
        .filter_map(|name| app.organisations.credential_type(name));
    let held = |kind: &CredentialType| {
        let attributes = kind.attributes.iter().filter(|a| a.mandatory);
        attributes.map(|a| a.label.clone()).collect::<Vec<_>>()
    };
    if interaction.credential_types.are_several() {
        let line = |kind: &CredentialType| format!("{}: {}", kind.label, held(kind).join(", "));
        types.map(line).collect()
    } else {
        types.flat_map(held).collect()
    }
}

/// A form of the page may end at the relying party, or wherever that leads on to; Chromium holds every redirect to
/// `form-action`, too (decision 0063).
fn policy(interaction: &Interaction) -> Policy {
    let redirect_uri = interaction
        .private
        .as_ref()
        .and_then(|private| private.request.redirect_uri.parse().ok());
    redirect_uri.map_or_else(Policy::new, |redirect_uri| {
        Policy::new().form_may_be_led_on_from(&redirect_uri)
    })
}

fn progress(interaction: &Interaction) -> Progress {
    match interaction.stage {
        Stage::Pushed | Stage::Waiting => Progress::Waiting,
        Stage::Scanned {
            via: Via::AnotherDevice,
            ..
        } => Progress::Scanned,
        Stage::Scanned {
            via: Via::ThisDevice,
            ..
        } => Progress::Opened,
        Stage::Issued { .. } => Progress::Checking,
        Stage::Finished { .. } if interaction.awaits_its_browser() => Progress::Returning,
        Stage::Finished { .. } | Stage::Collected { .. } => Progress::Done,
    }
}

fn ending(refusal: Refusal) -> Ending {
    match (refusal.kind(), refusal) {
        (Kind::Expired, _) => Ending::Expired,
        (Kind::Declined, Refusal::Cancelled) => Ending::Cancelled,
        (Kind::Declined, Refusal::NotKept) => Ending::NotKept,
        (Kind::Declined, _) => Ending::Declined,
        (Kind::WalletProblem, Refusal::TransactionCodeWrong) => Ending::PinWrong,
        (Kind::WalletProblem, Refusal::DifferentPeople) => Ending::DifferentPeople,
        (Kind::WalletProblem, Refusal::CredentialMissing) => Ending::CredentialMissing,
        (Kind::WalletProblem, Refusal::RequestExpired) => Ending::TooLate,
        (
            Kind::WalletProblem,
            Refusal::WalletFailed | Refusal::PresentationMalformed | Refusal::PresentationReplayed,
        ) => Ending::WalletFault,
        (Kind::WalletProblem, _) => Ending::WrongCredential,
        (Kind::ServiceProblem, Refusal::SerialNumberTaken) => Ending::SerialNumberTaken,
        (Kind::ServiceProblem, _) => Ending::ServiceProblem,
        (Kind::CredentialUnusable, Refusal::CredentialExpired) => {
            Ending::CredentialUnusable(Unusable::Expired)
        }
        (Kind::CredentialUnusable, Refusal::CredentialNotYetValid) => {
            Ending::CredentialUnusable(Unusable::NotYetValid)
        }
        (Kind::CredentialUnusable, Refusal::CredentialSuspended) => {
            Ending::CredentialUnusable(Unusable::Suspended)
        }
        (Kind::CredentialUnusable, Refusal::IssuerNotTrusted) => {
            Ending::CredentialUnusable(Unusable::NotTrusted)
        }
        (Kind::CredentialUnusable, _) => Ending::CredentialUnusable(Unusable::Revoked),
    }
}
