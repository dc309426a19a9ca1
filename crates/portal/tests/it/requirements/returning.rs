//! Step 6.7: a callback that is forged, replayed or somebody else's does nothing.

use super::wire::Party;
use crate::browser::{Browser, Page};
use crate::database::{Database, on_both_engines};
use crate::world::World;

on_both_engines!(
    dw_41_a_callback_of_no_journey_of_this_session_is_refused,
    dw_41_a_callback_that_comes_again_exchanges_no_code_again,
    dw_41_another_persons_code_under_ones_own_state_verifies_nobody,
    dw_41_a_callback_with_a_code_and_an_error_is_refused,
);

const REFUSED: &str = "Go back to the page where you started";

/// At the gateway's page for a check of the identity.
async fn begin(browser: &Browser) -> Page {
    let page = browser.open("/identity").await;
    browser.send(&page, "/identity/start", &[]).await
}

async fn is_verified(browser: &Browser) -> bool {
    browser.open("/identity").await.path() == "/identity/done"
}

/// One parameter of a callback's address.
fn parameter(address: &str, name: &str) -> String {
    let url: url::Url = address.parse().unwrap();
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(found, _)| found == name);
    found.unwrap().1.into_owned()
}

async fn dw_41_a_callback_of_no_journey_of_this_session_is_refused(database: Database) {
    let world = World::start_on(database).await;
    world.bens_identity().await;
    let anna = world.anna().await;
    let page = begin(&anna).await;
    let address = world.answer(&anna, &page, "anna", true).await;
    let ben = world.logged_in("ben").await;
    let elsewhere = world.logged_in("anna").await;
    let stranger = world.browser();
    world.wire.forget();

    let state = parameter(&address, "state");
    let unknown = address.replace(&state, "a-state-that-nobody-was-given-000000000000000");
    let issuer = &world.door.base;
    let made_up = format!("/callback?code=made-up&state=made-up&iss={issuer}");
    for (browser, address) in [
        (&anna, unknown.as_str()),
        (&anna, made_up.as_str()),
        (&anna, "/callback"),
        (&ben, address.as_str()),
        (&elsewhere, address.as_str()),
        (&stranger, address.as_str()),
    ] {
        let page = browser.open(address).await;
        assert_eq!(page.heading(), REFUSED, "{address}");
    }
    assert!(world.wire.at(Party::Gateway, "").is_empty());
    assert!(!is_verified(&ben).await && !is_verified(&elsewhere).await);
    // None of that spoilt the journey of the one whose it is.
    let page = anna.open(&address).await;
    assert_eq!(page.heading(), "Your identity has been verified");
}

async fn dw_41_a_callback_that_comes_again_exchanges_no_code_again(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    let page = begin(&anna).await;
    let address = world.answer(&anna, &page, "anna", true).await;
    world.wire.forget();
    anna.open(&address).await;
    assert_eq!(world.wire.tokens().len(), 1);
    assert!(is_verified(&anna).await);
    let page = anna.open(&address).await;
    assert_eq!(page.heading(), REFUSED);
    assert_eq!(world.wire.tokens().len(), 1, "the code is not used again");
    assert!(is_verified(&anna).await);
    // Not in a new session either.
    anna.log_out().await;
    let anna = world.logged_in("anna").await;
    let page = anna.open(&address).await;
    assert_eq!(page.heading(), REFUSED);
    assert!(!is_verified(&anna).await);
}

async fn dw_41_another_persons_code_under_ones_own_state_verifies_nobody(database: Database) {
    let world = World::start_on(database).await;
    world.bens_identity().await;
    let anna = world.anna().await;
    let ben = world.logged_in("ben").await;
    let (annas, bens) = (begin(&anna).await, begin(&ben).await);
    let annas = world.answer(&anna, &annas, "anna", true).await;
    let bens = world.answer(&ben, &bens, "ben", true).await;
    let mixed = bens.replace(&parameter(&bens, "code"), &parameter(&annas, "code"));
    let page = ben.open(&mixed).await;
    assert_eq!(page.heading(), "There is a problem with the service");
    assert!(!is_verified(&ben).await);
    let refused = world.wire.tokens().pop().unwrap();
    assert_eq!(refused.status, 400, "the code is bound to who asked for it");
}

async fn dw_41_a_callback_with_a_code_and_an_error_is_refused(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    let page = begin(&anna).await;
    let address = world.answer(&anna, &page, "anna", true).await;
    world.wire.forget();
    let page = anna.open(&format!("{address}&error=access_denied")).await;
    assert_eq!(page.heading(), REFUSED);
    assert!(world.wire.tokens().is_empty());
    assert!(!is_verified(&anna).await);
}
