//! Issuing by an address, as the second contract may: who has the address has the credential, so that it must open
//! once, for one browser, for a short time (decision 0012).

use jiff::SignedDuration;
use reqwest::StatusCode;
use wallet::Outcome;

use crate::database::{Database, on_both_engines};
use crate::world::{Browser, Form, World, a_cookie, client};

on_both_engines!(
    sec_05_an_address_that_issues_opens_for_one_browser_and_issues_once,
    sec_05_two_browsers_that_race_for_one_address_open_one_interaction,
);

/// The address of a draft of the V2 party, and its form.
fn draft(
    world: &World,
    change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
) -> Form {
    let party = world.party("v2");
    let mut form = Form::new(&party);
    let hint = world.hint(&party, |claims| {
        claims.insert("SerialNumber".into(), "".into());
        change(claims);
    });
    form.issue("TrainingProgramme", &hint);
    form
}

fn address(world: &World, form: &Form) -> String {
    world.url(&format!("/v2.0/oidc/authorize?{}", form.query()))
}

async fn issued(world: &World) -> usize {
    let select = store::Statement::new("SELECT serial_number FROM credentials");
    world.gateway.app().store.read(select).await.unwrap().len()
}

/// SEC-05, DW-65.
async fn sec_05_an_address_that_issues_opens_for_one_browser_and_issues_once(database: Database) {
    let world = World::start_on(database).await;
    let mut form = draft(&world, |_| ());
    let address = address(&world, &form);
    let browser = Browser::new();
    let page = browser.open(&address).await;
    assert_eq!(browser.open(&address).await.url, page.url);
    let stranger = Browser::new().open(&address).await;
    assert_eq!(stranger.status, StatusCode::GONE);
    assert!(stranger.find_link("open-wallet").is_none());

    // The same draft in another address is the same draft.
    form.set("state", "1f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5");
    let varied = self::address(&world, &form);
    assert_eq!(Browser::new().open(&varied).await.status, StatusCode::GONE);
    assert_eq!(browser.open(&varied).await.url, page.url);

    let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(scanned.outcome, Outcome::Received, "{:?}", scanned.reason);
    // Reloaded after the end, before and after the relying party has its token: nothing is issued again.
    let code = browser.open(&address).await.code();
    let party = world.party("v2");
    let token = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    let late = browser.open(&address).await;
    assert_eq!(late.status, StatusCode::GONE);
    assert!(late.find_link("open-wallet").is_none());
    assert_eq!(issued(&world).await, 1);
}

/// SEC-05.
async fn sec_05_two_browsers_that_race_for_one_address_open_one_interaction(database: Database) {
    let world = World::start_on(database).await;
    let address = address(&world, &draft(&world, |_| ()));
    let open = || async {
        let request = client().get(&address).header("cookie", a_cookie());
        request.send().await.unwrap().status()
    };
    let answers = tokio::join!(open(), open(), open(), open(), open(), open());
    let answers = <[StatusCode; 6]>::from(answers);
    let opened = answers
        .iter()
        .filter(|status| **status == StatusCode::SEE_OTHER);
    assert_eq!(opened.count(), 1, "{answers:?}");
    let refused = answers.iter().filter(|status| **status == StatusCode::GONE);
    assert_eq!(refused.count(), 5, "{answers:?}");
}

/// SEC-05: an address found in a history or a log is worth nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_05_an_address_that_issues_lives_ten_minutes_from_its_signature() {
    let world = World::start().await;
    let year = world.now().as_second() + 365 * 86_400;
    let lasting = draft(&world, |claims| {
        drop(claims.insert("exp".into(), year.into()))
    });
    let undated = draft(&world, |claims| drop(claims.remove("iat")));
    let refused = async |form: &Form| {
        let back = Browser::new().open(&address(&world, form)).await;
        assert_eq!(back.parameter("error").unwrap(), "invalid_request");
        let sentence = back.parameter("error_description").unwrap();
        assert!(
            sentence.contains("iat must be at most 10 minutes ago"),
            "{sentence}"
        );
    };
    refused(&undated).await;
    world.later(SignedDuration::from_secs(601));
    refused(&lasting).await;
    // What is pushed is signed and pushed by an authenticated client: its own `exp` is enough.
    let hint = lasting
        .0
        .iter()
        .find(|(name, _)| name == "id_token_hint")
        .unwrap()
        .1
        .clone();
    let party = world.party("v2");
    let pushed = world.push(&party, |form| form.issue("TrainingProgramme", &hint));
    assert_eq!(pushed.await.status, StatusCode::CREATED);
}

/// DW-61.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_number_that_stands_is_refused_before_a_wallet_is_asked() {
    let world = World::start().await;
    let serial = world
        .issue("anna", "TrainingProgramme", crate::world::programme())
        .await;
    let form = draft(&world, |claims| {
        drop(claims.insert("SerialNumber".into(), serial.into()))
    });
    let back = Browser::new().open(&address(&world, &form)).await;
    let sentence = back.parameter("error_description").unwrap();
    assert!(
        sentence.contains("SerialNumber stands already"),
        "{sentence}"
    );
    assert!(back.parameter("state").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_too_long_for_an_address_is_answered_with_what_to_do() {
    let world = World::start().await;
    let form = draft(&world, |claims| {
        drop(claims.insert("TPR-Name".into(), "x".repeat(1_000).into()));
        for name in [
            "TPR-Origin",
            "TPR-Provider",
            "TPR-AssurancePolicy",
            "TPR-AssuranceOutcome",
            "TPR-Verifier",
        ] {
            drop(claims.insert(name.into(), "x".repeat(1_000).into()));
        }
    });
    assert!(form.query().len() > 8_192);
    let back = Browser::new().open(&address(&world, &form)).await;
    assert_eq!(back.parameter("error").unwrap(), "invalid_request");
    let sentence = back.parameter("error_description").unwrap();
    assert!(sentence.contains("push it"), "{sentence}");
}

/// A client's contract is its registration, whatever path it calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_held_to_its_own_contract_at_every_path() {
    let world = World::start().await;
    // A client of the first contract does not issue by an address, not even at the second one's.
    let party = world.party("v1-a");
    let mut form = Form::new(&party);
    form.issue("TrainingProgramme", &world.hint(&party, |_| ()));
    for path in [
        "/oidc/authorize",
        "/oidc/authorizev1",
        "/v2.0/oidc/authorize",
        "/v2/oidc/authorize",
    ] {
        let back = Browser::new()
            .open(&world.url(&format!("{path}?{}", form.query())))
            .await;
        let sentence = back.parameter("error_description").unwrap();
        assert_eq!(
            sentence, "to issue, push the authorization request first",
            "{path}"
        );
    }
    // One of the second issues by an address at the first one's paths, too, and needs its PKCE there.
    for path in [
        "/oidc/authorize",
        "/oidc/authorizev1",
        "/v2.0/oidc/authorize",
        "/v2/oidc/authorize",
    ] {
        let mut form = draft(&world, |claims| {
            drop(claims.insert("jti".into(), path.into()));
        });
        let page = Browser::new()
            .open(&world.url(&format!("{path}?{}", form.query())))
            .await;
        assert!(
            page.find_link("open-wallet").is_some(),
            "{path}: {}",
            page.html
        );
        form.remove("code_challenge");
        form.remove("code_challenge_method");
        form.issue(
            "TrainingProgramme",
            &world.hint(&world.party("v2"), |claims| {
                drop(claims.insert("jti".into(), format!("{path} again").into()));
            }),
        );
        let back = Browser::new()
            .open(&world.url(&format!("{path}?{}", form.query())))
            .await;
        assert!(
            back.parameter("error_description")
                .unwrap()
                .contains("code_challenge")
        );
    }
}
