//! Every page in every state, to be looked at: by people, and by the browser's tests. A sandbox's, when it is asked for.
//!
//! The interactions are samples that took the same steps as real ones, and are shown by the same code. What names and
//! lists them matches every stage, every refusal and every notice: one that is new does not compile until it is here.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, json};

use super::super::browser::Browser;
use super::super::language;
use super::super::par;
use super::super::request::Checked;
use super::view::{Notice, ShortLink};
use super::{plain, show, wallet_link};
use crate::app::{App, Parts};
use crate::entra;
use crate::interaction::{
    CredentialTypes, Digest, Interaction, Outcome, Purpose, Refusal, Request, Stage, StepError,
    TransactionCode, Via,
};
use crate::live::Live;
use crate::organisation::RelyingParty;

/// What people read out in each of the samples.
const REFERENCE: &str = "K7Q2-9MFD";

/// What the sample with a short code shows.
const SHORT_CODE: &str = "3XW9-T5HB";

/// The relying party that most people meet in a sandbox, and the one that `used-known` names.
const STAFF_SERVICES: &str = "Anytown Staff Services";

/// The pages of a link that no wallet takes over: the code's, and one that was typed.
const SHORT_LINKS: [(&str, Purpose, bool); 2] = [
    ("short-link", Purpose::Verify, false),
    ("short-link-typed", Purpose::Issue, true),
];

/// Serves a list of the states at `/__states`, each at `/__states/NAME`, and what its page asks for.
pub fn router(app: &App) -> Router<Live> {
    let list = json!(names(app));
    let parts = App::clone(app);
    let shown = move |Path(name): Path<String>, headers: HeaderMap| async move {
        show(&parts, &headers, &name)
    };
    let router = Router::new()
        .route("/__states", get(|| async move { axum::Json(list) }))
        .route("/__states/{name}", get(shown));
    let Some(party) = party(app) else {
        return router;
    };
    // Pages that follow their interaction find it as it is.
    samples(app, party).iter().fold(router, |router, sample| {
        let state = json!({ "state": show::state_name(sample), "version": sample.version });
        let address = format!("/interaction/{}/status", sample.id);
        router.route(&address, get(|| async move { axum::Json(state) }))
    })
}

/// The names of all states, in the order of the journey.
pub fn names(app: &App) -> Vec<String> {
    let samples = party(app)
        .map(|party| samples(app, party))
        .unwrap_or_default();
    let live = samples.iter().map(name);
    let codes = samples
        .iter()
        .map(name)
        .filter(|name| name.ends_with("-ready"))
        .map(|name| format!("{}-code", name.trim_end_matches("-ready")));
    let short = SHORT_LINKS.map(|(name, _, _)| name.to_owned());
    let notices = notices().into_iter().map(|(name, _)| name.to_owned());
    live.chain(codes).chain(short).chain(notices).collect()
}

fn show(app: &App, headers: &HeaderMap, wanted: &str) -> Response {
    if let Some((_, notice)) = notices().into_iter().find(|(name, _)| *name == wanted) {
        return answer_notice(app, &notice);
    }
    let Some(party) = party(app) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let samples = samples(app, party);
    let look = |sample| language::look_of(app, headers, sample);
    let short = SHORT_LINKS.iter().find(|(name, _, _)| *name == wanted);
    let sample_of = |purpose| samples.iter().find(|sample| sample.purpose == purpose);
    if let Some((_, purpose, was_typed)) = short
        && let Some(sample) = sample_of(*purpose)
    {
        let view = ShortLink {
            purpose: show::purpose(sample),
            link: wallet_link(app, sample, Via::AnotherDevice),
            here: format!("/__states/{wanted}"),
            was_typed: *was_typed,
        };
        // Whoever follows it would be led on at once.
        let mut page = show::short_link(&look(sample), view);
        *page.status_mut() = StatusCode::OK;
        page.headers_mut().remove(header::LOCATION);
        return page;
    }
    for sample in &samples {
        if name(sample) == wanted {
            let browser = Browser::read(app, &HeaderMap::new());
            return show::page(app, &look(sample), party, sample, &browser);
        }
        let ready = wanted.strip_suffix("-code").map(|of| format!("{of}-ready"));
        if ready == Some(name(sample)) {
            return show::larger_code(app, &look(sample), party, sample);
        }
    }
    StatusCode::NOT_FOUND.into_response()
}

/// The relying party that the samples are of: always the same one, and that of a staff portal where there is one.
fn party(app: &Parts) -> Option<&RelyingParty> {
    let parties = app.organisations.relying_parties();
    parties
        .map(AsRef::as_ref)
        .filter(|party: &&RelyingParty| !party.redirect_uris().is_empty())
        .min_by_key(|party| {
            let name = party.name.as_str();
            (name != STAFF_SERVICES, name, party.client_id.as_str())
        })
}

/// What a sample is called: its purpose, then how far it is.
fn name(sample: &Interaction) -> String {
    let purpose = match sample.purpose {
        Purpose::Verify => "verify",
        Purpose::Issue => "issue",
    };
    let has_pin = sample.transaction_code().is_some();
    let is_several = sample.credential_types.are_several();
    let how_far = match sample.stage {
        // These two have no page of their own: see the notice `used`.
        Stage::Pushed | Stage::Collected { .. } => "used",
        Stage::Waiting if has_pin => "ready-pin",
        Stage::Waiting if sample.short_code.is_some() => "ready-short-code",
        Stage::Waiting if is_several => "ready-several",
        Stage::Waiting if entra::link(sample).is_some() => "ready-authenticator",
        Stage::Waiting => "ready",
        Stage::Scanned { via, .. } => match via {
            Via::AnotherDevice if has_pin => "scanned-pin",
            Via::AnotherDevice if is_several => "scanned-several",
            Via::AnotherDevice => "scanned",
            Via::ThisDevice if has_pin => "opened-pin",
            Via::ThisDevice if is_several => "opened-several",
            Via::ThisDevice => "opened",
        },
        Stage::Issued { .. } => "checking",
        Stage::Finished {
            outcome: Outcome::Refused(refusal),
            ..
        } => return format!("{purpose}-{}", refusal.code()),
        Stage::Finished { .. } if sample.awaits_its_browser() => "returning",
        Stage::Finished {
            outcome: Outcome::Verified | Outcome::Issued,
            ..
        } => "done",
    };
    format!("{purpose}-{how_far}")
}

fn samples(app: &Parts, party: &RelyingParty) -> Vec<Interaction> {
    let both = [Purpose::Verify, Purpose::Issue];
    let taken = both
        .into_iter()
        .flat_map(|purpose| steps(app, party, purpose));
    // A step that does not fit is found by the test that opens every state.
    let taken = taken.filter_map(Result::ok);
    taken
        .map(|mut sample| {
            sample.id = format!("__states-{}", name(&sample));
            REFERENCE.clone_into(&mut sample.reference);
            sample
        })
        .collect()
}

/// One interaction at each point that it can come to.
fn steps(
    app: &Parts,
    party: &RelyingParty,
    purpose: Purpose,
) -> Vec<Result<Interaction, StepError>> {
    let now = app.now();
    let ready = begin(app, party, purpose).opened(Digest::of("browser"), now);
    let step =
        |step: &dyn Fn(Interaction) -> Result<Interaction, StepError>| ready.clone().and_then(step);
    let scan = |found: Interaction| found.scanned(Via::AnotherDevice, json!({}), now);
    let open = |found: Interaction| found.scanned(Via::ThisDevice, json!({}), now);
    let with_short_code = |found: Interaction| found.with_short_code(SHORT_CODE.to_owned(), now);
    let mut steps = vec![step(&Ok), step(&with_short_code), step(&scan), step(&open)];
    match purpose {
        Purpose::Verify => {
            let verify = |response: Option<Digest>| {
                step(&|found| scan(found)?.verified(Map::new(), response.clone(), now))
            };
            steps.extend([verify(Some(Digest::of("response"))), verify(None)]);
            steps.extend([
                step(&|found| Ok(with_two_types(found))),
                step(&|found| scan(with_two_types(found))),
                step(&|found| open(with_two_types(found))),
                step(&|mut found| {
                    found.keep_for_wallet(entra::sample_link(now));
                    Ok(found)
                }),
            ]);
        }
        Purpose::Issue => {
            let issue =
                |found: Interaction| scan(found)?.issued(app.random.uuid(), Map::new(), now);
            steps.extend([step(&issue), step(&|found| issue(found)?.accepted(now))]);
            let with_pin = |mut found: Interaction| {
                found.keep_transaction_code(Some(TransactionCode::draw(4, &app.random)));
                found
            };
            steps.extend([
                step(&|found| Ok(with_pin(found))),
                step(&|found| scan(with_pin(found))),
                step(&|found| open(with_pin(found))),
            ]);
        }
    }
    let refusals = Refusal::ALL.into_iter();
    let refusals = refusals.filter(|refusal| happens(*refusal).contains(&purpose));
    steps.extend(refusals.map(|refusal| {
        step(&|mut found| {
            if refusal == Refusal::DifferentPeople {
                found = with_two_types(found);
            }
            // It is the end of a credential that has a serial number.
            if refusal == Refusal::NotKept {
                found = scan(found)?.issued(app.random.uuid(), Map::new(), now)?;
            }
            found.refused(refusal, now)
        })
    }));
    steps
}

fn with_two_types(mut sample: Interaction) -> Interaction {
    if let Some(two) = CredentialTypes::parse("Identity FireSafety") {
        sample.credential_types = two;
    }
    sample
}

fn begin(app: &Parts, party: &RelyingParty, purpose: Purpose) -> Interaction {
    let credential_types = CredentialTypes::one(match purpose {
        Purpose::Verify => "Identity",
        Purpose::Issue => "TrainingProgramme",
    });
    let redirect_uri = party.redirect_uris().first();
    let checked = Checked {
        purpose,
        credential_types,
        request: Request {
            redirect_uri: redirect_uri.map_or("", |uri| uri.as_str()).to_owned(),
            scope: "openid".to_owned(),
            state: None,
            nonce: None,
            code_challenge: None,
            ui_locales: None,
        },
        draft: None,
    };
    par::begin(app, party, checked, Digest::of("sample"), app.now())
}

/// Which interactions can end so.
const fn happens(refusal: Refusal) -> &'static [Purpose] {
    match refusal {
        Refusal::Declined
        | Refusal::Cancelled
        | Refusal::Expired
        | Refusal::WalletFailed
        | Refusal::RequestExpired => &[Purpose::Verify, Purpose::Issue],
        Refusal::CredentialMissing
        | Refusal::CredentialTypeWrong
        | Refusal::ClaimMissing
        | Refusal::CredentialExpired
        | Refusal::CredentialNotYetValid
        | Refusal::CredentialRevoked
        | Refusal::CredentialSuspended
        | Refusal::IssuerNotTrusted
        | Refusal::SignatureInvalid
        | Refusal::HolderBindingInvalid
        | Refusal::PresentationReplayed
        | Refusal::PresentationMalformed
        | Refusal::DifferentPeople
        | Refusal::StatusUnknown
        | Refusal::IssuerUnreachable
        | Refusal::WalletServiceUnreachable => &[Purpose::Verify],
        Refusal::NotKept | Refusal::TransactionCodeWrong | Refusal::SerialNumberTaken => {
            &[Purpose::Issue]
        }
    }
}

/// Every page without an interaction.
fn notices() -> [(&'static str, Notice); 8] {
    [
        Notice::CannotContinue,
        Notice::AlreadyUsed(None),
        Notice::AlreadyUsed(Some(STAFF_SERVICES.to_owned())),
        Notice::UnknownCode,
        Notice::OtherBrowser,
        Notice::NoCookie,
        Notice::ServiceProblem,
        Notice::TooMany,
    ]
    .map(|notice| (notice_name(&notice), notice))
}

const fn notice_name(notice: &Notice) -> &'static str {
    match notice {
        Notice::CannotContinue => "cannot-continue",
        Notice::AlreadyUsed(None) => "used",
        Notice::AlreadyUsed(Some(_)) => "used-known",
        Notice::UnknownCode => "unknown-code",
        Notice::OtherBrowser => "other-browser",
        Notice::NoCookie => "no-cookie",
        Notice::ServiceProblem => "service-problem",
        Notice::TooMany => "too-many",
    }
}

fn answer_notice(app: &App, notice: &Notice) -> Response {
    match notice {
        Notice::CannotContinue => plain::bad_request(app, "a sample of the page"),
        Notice::AlreadyUsed(party) => plain::already_used(app, party.as_deref()),
        Notice::UnknownCode => plain::unknown_code(app),
        Notice::OtherBrowser => plain::another_browser(app),
        Notice::NoCookie => plain::no_cookie(app),
        Notice::ServiceProblem => {
            plain::service_problem(app, &"nothing is wrong", "a sample of the page")
        }
        Notice::TooMany => plain::too_many(app, StatusCode::TOO_MANY_REQUESTS),
    }
}
