//! An identity in Authenticator, from the authorize address to the ID token, through the stand-in for Microsoft's service.

use reqwest::StatusCode;
use serde_json::json;
use verified_id::{Answer, Authenticator, Outcome};

use crate::database::{Database, on_both_engines};
use crate::entra_world::{AUTHORITY, Entra, ISSUER, KIND, tenant};
use crate::world::{Browser, World, identity};

on_both_engines!(
    an_identity_in_authenticator_reaches_the_relying_party_as_claims,
    a_callback_that_reaches_another_process_than_the_browsers_counts,
);

/// SEC-32, DW-35, DW-37.
async fn an_identity_in_authenticator_reaches_the_relying_party_as_claims(database: Database) {
    let entra = Entra::start_with(database, tenant(), |_| ()).await;
    let (browser, page) = entra.waiting().await;
    assert_eq!(entra.state(&browser, &page).await, "waiting");
    let link = page.link("open-wallet");
    assert!(link.starts_with("openid-vc://?request_uri=http"), "{link}");
    assert_eq!(link, page.link("open-wallet-here"));

    let outcome = entra.authenticator().scan(&link, Answer::Share).await;
    assert_eq!(outcome, Outcome::Shared);
    assert_eq!(entra.state(&browser, &page).await, "done");
    let token = entra.id_token(&browser, &page).await;
    for (name, value) in identity() {
        assert_eq!(token[format!("Identity.{name}")], value);
    }
    assert_eq!(token["iss"], entra.world.base.as_str());
    assert_eq!(token["aud"], "plain");
    assert!(token.get("Identity.payBand").is_none(), "{token}");
    assert!(entra.column("ended_at").await.is_some());

    let sent = &entra.service.sent()[0];
    assert_eq!(sent["authority"], AUTHORITY);
    assert_eq!(sent["registration"]["clientName"], "anytown NHS Trust");
    let asked = &sent["requestedCredentials"][0];
    assert_eq!(asked["type"], KIND);
    // Anytown trusts itself, too.
    let accepted = asked["acceptedIssuers"].as_array().unwrap();
    assert!(
        accepted.contains(&json!(ISSUER)) && accepted.len() == 2,
        "{asked}"
    );
    let validation = json!({"allowRevoked": false, "validateLinkedDomain": true});
    assert_eq!(asked["configuration"]["validation"], validation);
    assert_eq!(entra.service.sent().len(), 1, "one call for one page");
}

async fn a_callback_that_reaches_another_process_than_the_browsers_counts(database: Database) {
    let entra = Entra::start_with(database, tenant(), |_| ()).await;
    let second = entra.world.second_process().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}/entra/callback", listener.local_addr().unwrap());
    let server = crate::world::serve(listener, &second);
    let (browser, page) = entra.waiting().await;
    let mut retrieved = entra.callback(&page);
    retrieved.url = address;
    assert_eq!(retrieved.send().await, 200);
    assert_eq!(entra.state(&browser, &page).await, "scanned");
    let verified = retrieved.verified(&[entra.card()]);
    assert_eq!(verified.send().await, 200);
    let token = entra.id_token(&browser, &page).await;
    assert_eq!(token["Identity.ID-LegalSurname"], "Taylor");
    server.abort();
}

#[tokio::test]
async fn whoever_says_no_in_authenticator_is_led_back_with_that_word() {
    let entra = Entra::start().await;
    let (browser, page) = entra.waiting().await;
    let link = page.link("open-wallet");
    let outcome = entra.authenticator().scan(&link, Answer::Decline).await;
    assert_eq!(outcome, Outcome::Declined);
    let back = browser.open(&page.url).await.link("go-back");
    assert!(
        back.contains("error=access_denied") && back.contains("user+cancelled"),
        "{back}"
    );
}

/// The service tells nobody.
#[tokio::test]
async fn whoever_closes_authenticator_can_start_again() {
    let entra = Entra::start().await;
    let (browser, page) = entra.waiting().await;
    let link = page.link("open-wallet");
    let outcome = entra.authenticator().scan(&link, Answer::Close).await;
    assert_eq!(outcome, Outcome::Closed);
    assert_eq!(entra.state(&browser, &page).await, "scanned");
    let page = browser.open(&page.url).await;
    let again = browser.submit(&page, "restart").await;
    assert_ne!(again.link("open-wallet"), link);
    let link = again.link("open-wallet");
    let outcome = entra.authenticator().scan(&link, Answer::Share).await;
    assert_eq!(outcome, Outcome::Shared);
    entra.id_token(&browser, &again).await;
}

/// Nobody is told when the service forgets a request, and the person has half an hour.
#[tokio::test]
async fn the_page_comes_with_another_code_before_the_service_forgets_the_first() {
    let entra = Entra::start().await;
    let (browser, page) = entra.waiting().await;
    let first = page.link("open-wallet");
    let lasts = page.html.split("data-lasts=\"").nth(1).unwrap();
    let lasts: i64 = lasts.split_once('"').unwrap().0.parse().unwrap();
    assert!((260_000..=270_000).contains(&lasts), "{lasts}");
    entra.later(200);
    let same = browser.open(&page.url).await;
    assert_eq!(same.link("open-wallet"), first);
    entra.later(80);
    let page = browser.open(&page.url).await;
    let second = page.link("open-wallet");
    assert_ne!(second, first);
    entra.later(60);
    let wallet = entra.authenticator();
    assert_eq!(wallet.scan(&first, Answer::Share).await, Outcome::Expired);
    assert_eq!(wallet.scan(&second, Answer::Share).await, Outcome::Shared);
    entra.id_token(&browser, &page).await;
}

/// What the wallet offers is for the wallet; that nobody else's card counts is for the gateway (`hostile_entra`).
#[tokio::test]
async fn a_card_of_an_issuer_that_is_not_trusted_is_not_offered() {
    let entra = Entra::start().await;
    let (_, page) = entra.waiting().await;
    let mut card = entra.card();
    card.issuer = "did:web:other.example".to_owned();
    let wallet = Authenticator::holding(&entra.service, [card]);
    let outcome = wallet.scan(&page.link("open-wallet"), Answer::Share).await;
    assert_eq!(outcome, Outcome::NothingFits);
}

/// What is not with Entra stays with the open protocols, at the same organisation and at every other.
#[tokio::test]
async fn other_types_and_other_organisations_are_asked_as_ever() {
    let entra = Entra::start().await;
    let world: &World = &entra.world;
    for (party, scope) in [
        ("plain", "openid TrainingProgramme"),
        ("plain", "openid Identity TrainingProgramme"),
        ("stranger", "openid Identity"),
    ] {
        let party = world.party(party);
        let address = world.pushed(&party, |form| form.set("scope", scope)).await;
        let page = Browser::new().open(&address).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.html);
        let here = page.link("open-wallet-here");
        assert!(here.starts_with("openid4vp://"), "{scope}: {here}");
    }
    assert!(entra.service.sent().is_empty());
    assert_eq!(entra.service.tokens(), 0);
}
