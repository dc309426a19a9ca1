//! Identities that do not count: each way ends on its page, and nothing goes into a wallet.

use wallet::Outcome;

use super::driver::JavaScript;
use super::look::quiet;
use super::portal_person::{NO_MATCH, Person, VERIFIED};
use super::stage::Stage;

const NOTHING_ADDED: &str = "We have not added anything to your wallet.";

/// DW-04, DW-27, DW-42, DW-43, DW-44.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_that_is_not_the_employees_ends_on_its_page_and_after_three_there_is_no_more_try()
 {
    let Some(stage) = Stage::set().await else {
        return;
    };
    for (case, theirs) in [
        ("surname-mismatch", ["Lambert", "Lambert"]),
        ("birth-date-mismatch", ["18 March 1995", "1995-03-18"]),
    ] {
        let person = Person::of(&stage, case, JavaScript::On).await;
        person.log_in().await;
        person.confirms().await;
        person.goes_to_verify().await;
        for tries_left in [2, 1, 0] {
            let scanned = person.scans(true).await;
            assert_eq!(scanned.outcome, Outcome::Presented, "{:?}", scanned.reason);
            person.comes_back().await;
            person.stands_on(NO_MATCH, NOTHING_ADDED).await;
            let html = person.browser.html().await;
            let shown: Vec<_> = theirs.iter().filter(|text| html.contains(**text)).collect();
            assert!(shown.is_empty(), "of somebody else's identity: {shown:?}");
            if tries_left > 0 {
                person.press("Try again").await;
                person.stands_at_the_gateway().await;
            }
        }
        person.stands_on(NO_MATCH, "contact support").await;
        assert!(!person.browser.has("#try-again").await);

        // The ways around it lead here, too.
        person.open("/identity").await;
        person.stands_on(NO_MATCH, "contact support").await;
        person.browser.open(&person.step("")).await;
        person.press("Add to wallet").await;
        person.press("Confirm and continue").await;
        person.stands_on(NO_MATCH, "contact support").await;
        person.has_nothing().await;

        // Another session is another one.
        person.press("Log out").await;
        person.log_in().await;
        person.open("/identity").await;
        person.goes_to_verify().await;
        person.has_nothing().await;
        assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
        person.browser.close().await;
    }
    stage.strike().await;
}

/// DW-27, DW-48.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_adds_anything_without_an_identity_credential_that_is_good() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let mut person = Person::of(&stage, "expired-identity", JavaScript::On).await;
    person.log_in().await;
    for next in ["revoked-identity", "untrusted-issuer", "no-identity"] {
        person.confirms().await;
        person.goes_to_verify().await;
        person.scans(true).await;
        person
            .goes_back_from("Your staff identity credential cannot be used")
            .await;
        person
            .stands_on("Your identity credential cannot be used", NOTHING_ADDED)
            .await;
        person.has_nothing().await;
        person = person.hands_the_browser_to(next).await;
    }

    let noah = person;
    noah.confirms().await;
    noah.stands_on(
        "Verify your identity",
        "I do not have an identity credential",
    )
    .await;
    noah.goes_to_verify().await;
    let scanned = noah.scans(true).await;
    assert_ne!(scanned.outcome, Outcome::Presented);
    noah.goes_back_from("Your staff identity was not shared")
        .await;
    let none = "If you do not have an identity credential, contact the HR team";
    noah.stands_on("You did not share your identity", none)
        .await;
    noah.has_nothing().await;
    assert_eq!(quiet(&stage, &noah.browser).await, [""; 0]);
    noah.browser.close().await;
    stage.strike().await;
}

/// DW-17, DW-28, DW-48, DW-59, DW-63.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_no_in_the_wallet_has_nothing_and_may_try_again() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let person = Person::of(&stage, "match", JavaScript::On).await;
    person.log_in().await;
    person.confirms().await;
    person.goes_to_verify().await;
    let scanned = person.scans(false).await;
    assert_eq!(scanned.outcome, Outcome::Declined, "{:?}", scanned.reason);
    person
        .goes_back_from("Your staff identity was not shared")
        .await;
    person
        .stands_on("You did not share your identity", NOTHING_ADDED)
        .await;
    person.has_nothing().await;

    // And at the gateway's own page.
    person.open("/identity/done").await;
    person.press("Try again").await;
    person.stands_at_the_gateway().await;
    person.press("Cancel").await;
    person.is_back().await;
    person
        .stands_on("You did not share your identity", NOTHING_ADDED)
        .await;
    person.press("Try again").await;
    person.scans(true).await;
    person.comes_back().await;
    person.stands_on(VERIFIED, "Training programme").await;

    let not_added = "The credential was not added";
    person.goes_to_add().await;
    let scanned = person.scans(false).await;
    assert_eq!(scanned.outcome, Outcome::Declined, "{:?}", scanned.reason);
    person
        .goes_back_from("Your wallet did not keep the credential")
        .await;
    person
        .stands_on(
            not_added,
            "You cancelled or did not accept it in your wallet.",
        )
        .await;
    person.has_nothing().await;
    person.browser.open(&person.step("/added")).await;
    person.press("Try again").await;
    person.stands_at_the_gateway().await;
    person.press("Cancel").await;
    person.is_back().await;
    person
        .stands_on(
            not_added,
            "You cancelled or did not accept it in your wallet.",
        )
        .await;
    person.has_nothing().await;

    // No second check of who they are.
    person.browser.open(&person.step("/added")).await;
    person.press("Try again").await;
    person.receives().await;
    person.comes_back().await;
    person
        .stands_on("Credential added to your wallet", "Training programme")
        .await;
    assert_eq!(person.in_the_list().await.0, "added");
    assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
    person.browser.close().await;
    stage.strike().await;
}
