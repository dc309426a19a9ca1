//! The way of a credential, page by page.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::database::{Database, on_both_engines};
use crate::door::Jam;
use crate::staff::{ANNAS, PASSWORD};
use crate::world::World;

on_both_engines!(
    dw_13_dw_47_dw_63_a_credential_is_checked_proven_and_added,
    dw_17_dw_18_what_was_added_is_shown_as_such_in_every_browser,
    dw_19_dw_20_dw_21_dw_22_adding_again_begins_with_the_question_about_the_old_copy,
    dw_24_dw_50_what_is_shown_is_what_is_sent_and_nothing_else,
);

async fn dw_13_dw_47_dw_63_a_credential_is_checked_proven_and_added(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;

    // DW-12: by links that are seen.
    let page = browser.open("/").await;
    let page = browser.open(&page.link("staff-passport")).await;
    assert_eq!(page.heading(), "Your credentials");
    let page = browser.open(&page.link("credential-anna-programme")).await;
    assert!(page.text().contains("Add to wallet"));
    let page = browser.open(&page.link("add-to-wallet")).await;
    assert_eq!(
        page.heading(),
        "Check the information that will go in your wallet"
    );
    let shown = page.field("shown");
    let action = "/credentials/anna-programme/confirm";
    let page = browser.send(&page, action, &[("shown", &shown)]).await;
    assert_eq!(page.heading(), "Verify your identity");

    let page = browser.send(&page, "/identity/start", &[]).await;
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    assert_eq!(
        (page.path().as_str(), page.status),
        ("/identity/done", StatusCode::OK)
    );
    assert_eq!(page.heading(), "Your identity has been verified");
    // DW-51: nothing is asked for before the person does.
    assert!(world.drafts().is_empty());

    let action = "/credentials/anna-programme/add";
    let page = browser.send(&page, action, &[]).await;
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    assert_eq!(page.path(), "/credentials/anna-programme/added");
    assert!(
        page.text().contains("Credential added to your wallet"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("Training programme"));
    assert_eq!(world.drafts().len(), 1);

    // DW-28: not a second time in this session.
    world.later(SignedDuration::from_mins(1));
    let page = browser.confirm("anna-fire").await;
    assert_eq!(page.path(), "/identity/done");
    assert!(
        page.text().contains("You shared your identity earlier"),
        "{}",
        page.text()
    );
}

async fn dw_17_dw_18_what_was_added_is_shown_as_such_in_every_browser(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    let state = async |browser: &crate::browser::Browser| {
        browser
            .open("/credentials")
            .await
            .state_of("anna-fire")
            .unwrap()
    };
    assert_eq!(state(&browser).await, "not-added");

    // Begun and not finished; then refused in the wallet.
    browser.confirm("anna-fire").await;
    let page = world.verify(&browser, "anna").await;
    let page = browser.send(&page, "/credentials/anna-fire/add", &[]).await;
    assert_eq!(state(&browser).await, "in-progress");
    let page = world.scan_and_return(&browser, &page, "anna", false).await;
    assert_eq!(page.heading(), "The credential was not added");
    assert_eq!(state(&browser).await, "not-added");

    let page = browser.send(&page, "/credentials/anna-fire/add", &[]).await;
    world.scan_and_return(&browser, &page, "anna", true).await;
    assert_eq!(state(&browser).await, "added");
    let page = browser.open("/credentials").await;
    assert!(
        page.text().contains("Added to your wallet on"),
        "{}",
        page.text()
    );

    browser.log_out().await;
    browser.log_in("anna", PASSWORD).await;
    assert_eq!(state(&browser).await, "added");
    assert_eq!(state(&world.logged_in("anna").await).await, "added");
}

async fn dw_19_dw_20_dw_21_dw_22_adding_again_begins_with_the_question_about_the_old_copy(
    database: Database,
) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    // The first time there is nothing to ask about.
    let page = browser.open("/credentials/anna-fire/again").await;
    assert_eq!(page.path(), "/credentials/anna-fire/confirm");
    world.add(&browser, "anna-fire").await;
    assert_eq!(world.drafts().len(), 1);

    // Nobody gets past the question, not by its address and not by the form of the last step.
    let page = browser.open("/credentials/anna-fire/confirm").await;
    assert_eq!(page.path(), "/credentials/anna-fire/again");
    assert_eq!(page.heading(), "Delete the old credential first");
    let csrf = page.field("csrf");
    let fields = [("csrf", csrf.as_str())];
    let answer = browser.post("/credentials/anna-fire/add", &fields).await;
    assert_eq!(answer.location(), "/credentials/anna-fire/again");

    let again = "/credentials/anna-fire/again";
    let asked = browser.send(&page, again, &[]).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        asked
            .text()
            .contains("Select if you have deleted the old credential")
    );
    let back = browser.send(&page, again, &[("deleted", "no")]).await;
    assert_eq!(back.path(), "/credentials/anna-fire");
    assert_eq!(world.drafts().len(), 1);
    let list = browser.open("/credentials").await;
    assert_eq!(list.state_of("anna-fire").unwrap(), "added");

    world.later(SignedDuration::from_mins(1));
    let page = browser.send(&page, again, &[("deleted", "yes")]).await;
    assert_eq!(page.path(), "/credentials/anna-fire/confirm");
    let page = world.add(&browser, "anna-fire").await;
    assert!(
        page.text().contains("Credential added to your wallet"),
        "{}",
        page.text()
    );
    assert_eq!(world.drafts().len(), 2);
}

async fn dw_24_dw_50_what_is_shown_is_what_is_sent_and_nothing_else(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    let page = browser.open("/credentials/anna-fire/confirm").await;
    let shown = page.rows();
    let value = |key: &str| {
        let row = shown.iter().find(|(found, _)| found == key);
        row.unwrap_or_else(|| panic!("no {key} in {shown:?}"))
            .1
            .as_str()
    };
    // DW-23: each as a person reads it, what is empty is said, and there is a button to confirm.
    assert_eq!(value("Valid to"), "2 November 2031");
    assert_eq!(value("Competency name"), "Fire safety level 1");
    assert_eq!(value("Pedigree"), "Not held");
    assert_eq!(value("Issued by"), "Anytown NHS Trust");
    let unknown = value("Your staff passport unique identifier");
    assert_eq!(unknown, "Added after you share your identity");
    assert!(page.has("confirm"));
    world.add(&browser, "anna-fire").await;

    let sent = claims_of(&world.drafts()[0]);
    assert_eq!(sent["UniqueIdentifier"], ANNAS);
    // Nothing is sent that was not shown.
    let dates = ["FS-LastDateAwarded", "FS-DateTo", "FS-LastRefresh"];
    for (name, value) in sent.iter().filter(|(name, _)| name.starts_with("FS-")) {
        let value = value.as_str().unwrap();
        let as_read = match value.parse::<jiff::civil::Date>() {
            Ok(date) if dates.contains(&name.as_str()) => date.strftime("%-d %B %Y").to_string(),
            _ => value.to_owned(),
        };
        assert!(
            shown.iter().any(|(_, value)| *value == as_read),
            "{name} = {as_read}"
        );
    }
    // Nothing that was shown is missing: every row but those four is one of the claims.
    let of_its_own = [
        "Pedigree",
        "Valid until",
        "Issued by",
        "Your staff passport unique identifier",
    ];
    let rows = shown
        .iter()
        .filter(|(key, _)| !of_its_own.contains(&key.as_str()));
    let claims = sent.keys().filter(|name| name.starts_with("FS-"));
    assert_eq!(rows.count(), claims.count());

    // Once the identity is verified, its identifier is known and shown.
    let page = browser.open("/credentials/anna-programme/confirm").await;
    let rows = page.rows();
    assert!(rows.iter().any(|(_, value)| value == ANNAS), "{rows:?}");
}

/// The claims of the draft in a pushed request.
fn claims_of(body: &str) -> serde_json::Map<String, serde_json::Value> {
    let mut pairs = url::form_urlencoded::parse(body.as_bytes());
    let (_, draft) = pairs.find(|(name, _)| name == "id_token_hint").unwrap();
    let payload = draft.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn dw_25_cancelling_where_it_is_checked_sends_nothing() {
    let world = World::start().await;
    let browser = world.anna().await;
    let page = browser.open("/credentials/anna-fire/confirm").await;
    let page = browser.open(&page.link("cancel")).await;
    assert_eq!(page.path(), "/credentials/anna-fire");
    assert!(
        world
            .door
            .calls("/par")
            .iter()
            .all(|body| body.contains("issue.Identity"))
    );
    let list = browser.open("/credentials").await;
    assert_eq!(list.state_of("anna-fire").unwrap(), "not-added");
}

#[tokio::test(flavor = "multi_thread")]
async fn dw_26_what_changes_after_it_was_confirmed_is_checked_again() {
    let world = World::start().await;
    let browser = world.anna().await;
    // While the page to check is open.
    let page = browser.open("/credentials/anna-fire/confirm").await;
    let shown = page.field("shown");
    world.change("anna-fire", "FS-Level", "2").await;
    let action = "/credentials/anna-fire/confirm";
    let page = browser.send(&page, action, &[("shown", &shown)]).await;
    assert_eq!(page.path(), action);
    assert!(
        page.text().contains("This information changed at"),
        "{}",
        page.text()
    );

    // After it was confirmed.
    browser.confirm("anna-fire").await;
    let page = world.verify(&browser, "anna").await;
    world.change("anna-fire", "FS-Level", "3").await;
    let page = browser.send(&page, "/credentials/anna-fire/add", &[]).await;
    assert_eq!(page.path(), action);
    assert!(page.text().contains("This information changed at"));
    assert!(world.drafts().is_empty());

    let page = world.add(&browser, "anna-fire").await;
    assert!(page.text().contains("Credential added to your wallet"));
    assert_eq!(claims_of(&world.drafts()[0])["FS-Level"], "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn dw_80_what_changes_during_the_scan_is_cancelled_and_the_person_is_told() {
    let world = World::start().await;
    let browser = world.anna().await;
    browser.confirm("anna-fire").await;
    let page = world.verify(&browser, "anna").await;
    let page = browser.send(&page, "/credentials/anna-fire/add", &[]).await;
    world.change("anna-fire", "FS-Level", "2").await;
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    assert_eq!(
        page.heading(),
        "The information changed while you were adding it"
    );
    let page = world.until(&browser, "anna-fire", "cancelled").await;
    // DW-79: it stays in the wallet until the person deletes it.
    assert!(page.text().contains("Delete it from your wallet"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_has_not_yet_cancelled_is_not_said_to_be_cancelled() {
    let world = World::start().await;
    let browser = world.anna().await;
    browser.confirm("anna-fire").await;
    let page = world.verify(&browser, "anna").await;
    let page = browser.send(&page, "/credentials/anna-fire/add", &[]).await;
    world.change("anna-fire", "FS-Level", "2").await;
    world.door.jam("/revokecredential", Jam::Refuse(503));
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    assert!(
        page.text().contains("We are cancelling that credential."),
        "{}",
        page.text()
    );
    world.door.free();
    world.later(SignedDuration::from_mins(10));
    world.until(&browser, "anna-fire", "cancelled").await;
    let page = browser.open(&page.url).await;
    assert!(page.text().contains("We cancelled that credential."));
}
