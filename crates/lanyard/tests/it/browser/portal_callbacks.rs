//! Callbacks that belong to nobody, to a journey that is over, or to somebody else.

use jiff::SignedDuration;
use url::Url;

use super::driver::JavaScript;
use super::look::quiet;
use super::portal_person::{ELSEWHERE, NOTHING_LOST, PROBLEM, Person, VERIFIED};
use super::stage::Stage;

const WHY: &str = "You may have finished in a different browser.";

/// The last callback to the portal that this person's browser was sent to.
async fn last_callback(person: &Person<'_>) -> Url {
    let requests = person.browser.requests().await;
    let callback = person.portal("/callback");
    let mut callbacks = requests.into_iter().rev();
    let found = callbacks.find(|url| url.as_str().starts_with(&callback));
    found.expect("the browser was sent to the callback")
}

/// The code that a callback brings.
fn code_of(callback: &Url) -> String {
    let mut pairs = callback.query_pairs();
    pairs
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned()
}

/// SEC-05.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_41_a_callback_that_is_made_up_or_comes_twice_changes_nothing() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let person = Person::of(&stage, "match", JavaScript::On).await;
    let issuer = stage.gateway("");
    let made_up = [
        format!("/callback?code=made-up&state=made-up&iss={issuer}"),
        format!("/callback?error=access_denied&state=made-up&iss={issuer}"),
        "/callback?code=made-up".to_owned(),
        "/callback".to_owned(),
    ];
    for address in &made_up {
        person.open(address).await;
        person.stands_on(ELSEWHERE, WHY).await;
    }
    person.log_in().await;
    person.confirms().await;
    for address in &made_up {
        person.open(address).await;
        person.stands_on(ELSEWHERE, WHY).await;
    }
    person.open("/identity").await;
    person.verifies().await;

    let callback = last_callback(&person).await;
    for _ in 0..2 {
        person.browser.open(callback.as_str()).await;
        person.stands_on(ELSEWHERE, WHY).await;
    }
    person.open("/identity/done").await;
    person.stands_on(VERIFIED, "Training programme").await;
    person.goes_to_add().await;
    let serial_number = person.receives().await;
    person.comes_back().await;
    let (_, line) = person.in_the_list().await;
    let callback = last_callback(&person).await;
    person.browser.open(callback.as_str()).await;
    person.stands_on(ELSEWHERE, WHY).await;
    // Nor in another browser of the same person.
    let other = person.in_another_browser().await;
    other.log_in().await;
    other.browser.open(callback.as_str()).await;
    other.stands_on(ELSEWHERE, WHY).await;
    assert_eq!(other.in_the_list().await, ("added".to_owned(), line));
    let held = person.held().await;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].serial_number.as_deref(), Some(&*serial_number));
    assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
    person.browser.close().await;
    other.browser.close().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_30_dw_41_a_callback_or_a_code_carried_into_somebody_elses_browser_counts_for_neither_of_them_there()
 {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let anna = Person::of(&stage, "match", JavaScript::On).await;
    anna.log_in().await;
    anna.confirms().await;
    anna.goes_to_verify().await;
    let session = anna.loses_the_session().await;
    anna.scans(true).await;
    anna.comes_back().await;
    anna.stands_on(ELSEWHERE, WHY).await;
    let callback = anna.browser.url().await;
    assert!(callback.query().unwrap_or_default().contains("code="));

    let harriet = Person::of(&stage, "hyphen", JavaScript::On).await;
    harriet.browser.open(callback.as_str()).await;
    harriet.stands_on(ELSEWHERE, WHY).await;
    harriet.log_in().await;
    harriet.browser.open(callback.as_str()).await;
    harriet.stands_on(ELSEWHERE, WHY).await;
    harriet.confirms().await;
    harriet
        .stands_on("Verify your identity", "You need to share")
        .await;

    // Nothing was used up: it is still good where it belongs.
    anna.finds_the_session(session).await;
    anna.browser.open(callback.as_str()).await;
    anna.stands_on(VERIFIED, "Training programme").await;

    // Nor is Anna's code good with Harriet's own way back, which is used up by it; nor was that by a code and an error.
    harriet.goes_to_verify().await;
    let session = harriet.loses_the_session().await;
    harriet.scans(true).await;
    harriet.comes_back().await;
    let own = harriet.browser.url().await;
    harriet.finds_the_session(session).await;
    let both = format!("{own}&error=access_denied");
    harriet.browser.open(&both).await;
    harriet.stands_on(ELSEWHERE, WHY).await;
    let mixed = own.as_str().replace(&code_of(&own), &code_of(&callback));
    assert_ne!(mixed, own.as_str());
    harriet.browser.open(&mixed).await;
    harriet.stands_on(PROBLEM, NOTHING_LOST).await;
    harriet.browser.open(own.as_str()).await;
    harriet.stands_on(ELSEWHERE, WHY).await;
    harriet.open("/identity/done").await;
    harriet
        .stands_on("Verify your identity", "You need to share")
        .await;
    harriet.has_nothing().await;
    anna.browser.close().await;
    harriet.browser.close().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_30_dw_41_what_one_employee_began_is_not_anothers_who_logs_in_to_the_same_browser() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let anna = Person::of(&stage, "match", JavaScript::On).await;
    anna.log_in().await;
    anna.confirms().await;
    anna.goes_to_verify().await;
    let gateways_page = anna.browser.url().await;
    let harriet = anna.hands_the_browser_to("hyphen").await;

    // Anna's wallet answers what Anna began, and the browser goes back with it.
    harriet.browser.open(gateways_page.as_str()).await;
    harriet.scans_with("anna").await;
    harriet.comes_back().await;
    harriet.stands_on(ELSEWHERE, WHY).await;
    harriet.confirms().await;
    harriet
        .stands_on("Verify your identity", "You need to share")
        .await;
    harriet.verifies().await;
    let anna = harriet.hands_the_browser_to("match").await;

    // What Harriet verified is not Anna's either, who goes on as far as the credential.
    anna.open("/identity").await;
    anna.verifies().await;
    anna.goes_to_add().await;
    let gateways_page = anna.browser.url().await;
    let harriet = anna.hands_the_browser_to("hyphen").await;
    harriet.browser.open(gateways_page.as_str()).await;
    let scanned = harriet.scans_with("anna").await;
    let serial_number = scanned.credentials[0].serial_number.clone().unwrap();
    harriet.comes_back().await;
    harriet.stands_on(ELSEWHERE, WHY).await;
    harriet.has_nothing().await;

    // Nobody told the portal that it is in Anna's wallet: it says so, and in the end cancels it.
    let anna = harriet.hands_the_browser_to("match").await;
    let (state, line) = anna.in_the_list().await;
    assert_eq!(state, "in-progress");
    assert!(!line.contains("Added to your wallet"), "{line}");
    stage.sandbox.shift.set(SignedDuration::from_mins(49));
    anna.waits_until_it_is_cancelled(&serial_number).await;
    anna.log_in().await;
    anna.waits_until_the_list_says("cancelled").await;
    assert_eq!(quiet(&stage, &anna.browser).await, [""; 0]);
    anna.browser.close().await;
    stage.strike().await;
}
