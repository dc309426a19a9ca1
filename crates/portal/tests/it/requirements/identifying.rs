//! Step 6: who somebody is comes first, once in a session, and by the standard's own way.

use jiff::SignedDuration;

use super::reading::{RECORD, control};
use super::wire::Party;
use crate::browser::Browser;
use crate::database::{Database, on_both_engines};
use crate::staff::{ANNAS, BENS, PASSWORD};
use crate::world::World;

on_both_engines!(
    dw_04_no_way_leads_to_a_credential_before_an_identity_was_uploaded,
    dw_27_a_check_that_failed_is_no_check,
    dw_28_one_check_is_enough_for_a_session,
    dw_29_a_new_session_needs_a_new_check,
    dw_30_a_check_does_not_carry_to_another_person_in_the_same_browser,
    dw_49_a_session_that_ended_takes_its_check_along,
);

const ADD: &str = "/credentials/anna-programme/add";

/// Every way in which somebody might reach a credential. None does.
async fn try_every_way(world: &World, browser: &Browser) {
    world.wire.forget();
    let page = browser.open("/credentials/anna-programme").await;
    browser.open(&page.link("add-to-wallet")).await;
    let page = browser.confirm(RECORD).await;
    assert!(!page.has("add-to-wallet"), "{}", page.text());
    let page = browser.open("/identity/done").await;
    assert!(!page.has("add-to-wallet"), "{}", page.text());
    browser.open(ADD).await;
    browser.open("/credentials/anna-programme/added").await;
    // The button's own request, made by hand.
    let csrf = browser.open("/").await.field("csrf");
    let page = browser.post(ADD, &[("csrf", &csrf)]).await;
    assert_eq!(page.location(), "/identity");
    assert!(world.wire.at(Party::Gateway, "").is_empty());
}

async fn dw_04_no_way_leads_to_a_credential_before_an_identity_was_uploaded(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    try_every_way(&world, &anna).await;
    // What an earlier session sent, sent again in this one.
    let earlier = world.logged_in("anna").await;
    let csrf = earlier.open("/").await.field("csrf");
    world.verify(&earlier, "anna").await;
    world.wire.forget();
    let page = anna.post(ADD, &[("csrf", &csrf)]).await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(world.wire.at(Party::Gateway, "").is_empty());
}

async fn dw_27_a_check_that_failed_is_no_check(database: Database) {
    let world = World::start_on(database).await;
    world.bens_identity().await;
    let anna = world.anna().await;
    // Somebody else's identity.
    let page = world.verify(&anna, "ben").await;
    assert_eq!(page.heading(), "We could not match your identity");
    try_every_way(&world, &anna).await;
    // None at all.
    let page = anna.open("/identity").await;
    let page = anna.send(&page, "/identity/start", &[]).await;
    let page = world.scan_and_return(&anna, &page, "anna", false).await;
    assert_eq!(page.heading(), "You did not share your identity");
    try_every_way(&world, &anna).await;
}

async fn dw_28_one_check_is_enough_for_a_session(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.wire.forget();
    world.add(&anna, RECORD).await;
    world.add(&anna, "anna-fire").await;
    assert_eq!(world.wire.pushed_checks().len(), 1);
    assert_eq!(world.wire.pushed_drafts().len(), 2);
}

async fn dw_29_a_new_session_needs_a_new_check(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.add(&anna, RECORD).await;
    anna.log_out().await;
    anna.log_in("anna", PASSWORD).await;
    world.wire.forget();
    let page = anna.confirm("anna-fire").await;
    assert_eq!(page.path(), "/identity");
    world.add(&anna, "anna-fire").await;
    assert_eq!(world.wire.pushed_checks().len(), 1);
    assert_eq!(world.wire.pushed_drafts().len(), 1);
}

async fn dw_30_a_check_does_not_carry_to_another_person_in_the_same_browser(database: Database) {
    let world = World::start_on(database).await;
    world.bens_identity().await;
    let browser = world.anna().await;
    world.verify(&browser, "anna").await;
    // Without logging out.
    browser.log_in("ben", PASSWORD).await;
    world.wire.forget();
    let page = browser.confirm("ben-programme").await;
    assert_eq!(page.path(), "/identity");
    let csrf = page.field("csrf");
    let path = "/credentials/ben-programme/add";
    let page = browser.post(path, &[("csrf", &csrf)]).await;
    assert_eq!(page.location(), "/identity");
    assert!(world.wire.at(Party::Gateway, "").is_empty());

    let page = world.verify(&browser, "ben").await;
    let page = browser.send(&page, path, &[]).await;
    world.scan_and_return(&browser, &page, "ben", true).await;
    let draft = world.wire.pushed_drafts().pop().unwrap();
    assert_eq!(draft.draft()["UniqueIdentifier"], BENS);
    assert!(!format!("{:?}", draft.draft()).contains(ANNAS));
}

async fn dw_49_a_session_that_ended_takes_its_check_along(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.verify(&anna, "anna").await;
    let page = anna.confirm(RECORD).await;
    assert!(page.has("add-to-wallet"));
    world.later(SignedDuration::from_mins(31));
    world.wire.forget();
    let page = anna.send(&page, ADD, &[]).await;
    assert_eq!(page.path(), "/login");
    anna.log_in("anna", PASSWORD).await;
    try_every_way(&world, &anna).await;
}

/// The request is what OpenID Connect asks for, with a proof key; and what it asks for is the identity.
#[tokio::test]
async fn dw_31_the_check_is_a_request_of_openid_connect() {
    let world = World::start().await;
    let anna = world.anna().await;
    world.wire.forget();
    let page = world.verify(&anna, "anna").await;
    assert_eq!(page.heading(), "Your identity has been verified");
    let pushed = world.wire.pushed_checks().remove(0).form();
    assert_eq!(pushed["response_type"], "code");
    assert_eq!(pushed["scope"], "openid Identity");
    assert_eq!(pushed["redirect_uri"], format!("{}/callback", world.base));
    assert_eq!(pushed["code_challenge_method"], "S256");
    for unguessable in ["state", "nonce", "code_challenge"] {
        assert!(pushed[unguessable].len() >= 43, "{unguessable}");
    }
    // Another check has others.
    let elsewhere = world.logged_in("anna").await;
    world.verify(&elsewhere, "anna").await;
    let other = world.wire.pushed_checks().remove(1).form();
    for fresh in ["state", "nonce", "code_challenge"] {
        assert_ne!(pushed[fresh], other[fresh], "{fresh}");
    }
}

#[tokio::test]
async fn dw_32_nothing_is_asked_of_the_gateway_before_the_person_presses_the_button() {
    let world = World::start().await;
    let anna = world.anna().await;
    world.wire.forget();
    let page = anna.confirm(RECORD).await;
    assert_eq!(page.path(), "/identity");
    anna.open("/identity/start").await;
    anna.open("/identity/done").await;
    assert!(world.wire.at(Party::Gateway, "").is_empty());
    let (tag, name) = control(&page, "verify-identity").unwrap();
    assert!(tag.starts_with("button") && tag.contains("submit"), "{tag}");
    assert_eq!(name, "Verify your identity");
    anna.send(&page, "/identity/start", &[]).await;
    assert_eq!(world.wire.pushed_checks().len(), 1);
    assert_eq!(world.wire.authorized().len(), 1);
}

/// In the heading and in the title, which is what is read out first.
#[tokio::test]
async fn dw_47_the_person_is_told_that_their_identity_is_verified() {
    let world = World::start().await;
    let anna = world.anna().await;
    let page = world.verify(&anna, "anna").await;
    let told = "Your identity has been verified";
    assert_eq!(page.heading(), told);
    assert!(page.html.contains(&format!("<title>{told} – ")));
    let (_, main) = page.html.split_once("<main").unwrap();
    assert!(main.contains(told));
}
