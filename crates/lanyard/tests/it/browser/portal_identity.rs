//! Identities that do not count: each way ends on its page, and nothing goes into a wallet.

use wallet::Outcome;

use super::driver::JavaScript;
use super::look::quiet;
use super::portal_person::{NO_MATCH, Person, VERIFIED};
use super::stage::Stage;

const REVIEW: &str = "Your HR team needs to check your identity";
const NOTHING_ADDED: &str = "We have not added anything to your wallet.";

/// DW-04, DW-27.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_42_dw_43_dw_44_an_identity_that_is_not_the_employees_ends_on_its_page_and_after_three_there_is_no_more_try()
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

/// DW-27, DW-44.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_42_dw_43_accents_make_no_difference_another_first_name_does_and_hr_looks_at_what_is_in_doubt()
 {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let zoe = Person::of(&stage, "diacritics", JavaScript::On).await;
    zoe.log_in().await;
    hr_saves_first_names(&zoe, "Grace", "Grace Müller").await;
    zoe.open("/identity").await;
    zoe.goes_to_verify().await;
    zoe.scans(true).await;
    zoe.comes_back().await;
    zoe.stands_on(NO_MATCH, NOTHING_ADDED).await;
    assert!(!zoe.browser.html().await.contains("Muller"));
    // The credential still says Zoe Muller.
    hr_saves_first_names(&zoe, "Zoë", "Zoë Müller").await;
    zoe.open("/identity").await;
    zoe.verifies().await;

    let gwen = zoe.hands_the_browser_to("review").await;
    gwen.open("/identity").await;
    gwen.goes_to_verify().await;
    gwen.scans(true).await;
    gwen.comes_back().await;
    for says in [
        "Your identity credential is not written in the same way as your account.",
        NOTHING_ADDED,
        "Ask your HR team to look at it with you.",
        "Then log in here and share your identity again.",
    ] {
        gwen.stands_on(REVIEW, says).await;
    }
    assert!(gwen.browser.has("#try-again").await && gwen.browser.has("#reference").await);
    let html = gwen.browser.html().await;
    let theirs = ["5 September 1986", "1986-09-05"];
    assert!(!theirs.iter().any(|value| html.contains(value)));
    // The way to the credential leads to the same question as before.
    gwen.browser.open(&gwen.step("")).await;
    gwen.press("Add to wallet").await;
    gwen.press("Confirm and continue").await;
    gwen.stands_on("Verify your identity", "You need to share")
        .await;
    gwen.has_nothing().await;

    // Mary is of HR.
    let mary = gwen.hands_the_browser_to("two-first-names").await;
    mary.follow("Identities to look at").await;
    let title = "Identities to look at";
    mary.stands_on(title, "9 May 1986").await;
    let html = mary.browser.html().await;
    assert!(!theirs.iter().any(|value| html.contains(value)));
    mary.press("It is Gwen Pritchard").await;
    mary.stands_on(title, "You have said that it is the same person.")
        .await;
    let gwen = mary.hands_the_browser_to("review").await;
    gwen.open("/identity").await;
    gwen.verifies().await;
    assert_eq!(quiet(&stage, &gwen.browser).await, [""; 0]);
    gwen.browser.close().await;
    stage.strike().await;
}

/// HR's form, in the same browser: it asks for no log-in of an employee's.
async fn hr_saves_first_names(person: &Person<'_>, first_names: &str, name: &str) {
    let username = &person.outside.who.username;
    person.open(&format!("/hr/employees/{username}")).await;
    person.browser.fill("First names", first_names).await;
    person.press("Save").await;
    person.stands_on(name, "The employee’s data is saved").await;
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
