//! HR changes the record while the employee is on the way.

use super::driver::JavaScript;
use super::look::quiet;
use super::portal_person::{Person, VERIFIED};
use super::stage::Stage;

const CHECK: &str = "Check the information that will go in your wallet";

/// DW-26.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_after_it_was_confirmed_is_confirmed_again_before_it_is_added() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let mut person = Person::of(&stage, "match", JavaScript::On).await;
    person.log_in().await;

    // While the page to confirm it is open.
    person.browser.open(&person.step("/confirm")).await;
    person.stands_on(CHECK, "Cardiology").await;
    person
        .outside
        .hr_saves("TPR-Name", "Neurology")
        .await
        .unwrap();
    person.press("Confirm and continue").await;
    person.stands_on(CHECK, "This information changed at").await;
    person.stands_on(CHECK, "Neurology").await;
    person.press("Confirm and continue").await;
    person.verifies().await;

    // While the page with the button is open.
    person
        .outside
        .hr_saves("TPR-Name", "Oncology")
        .await
        .unwrap();
    person.press("Add to wallet").await;
    person.stands_on(CHECK, "This information changed at").await;
    person.stands_on(CHECK, "Oncology").await;
    person.has_nothing().await;

    person.browser.open(&person.step("/confirm")).await;
    person.press("Confirm and continue").await;
    person.stands_on(VERIFIED, "Oncology").await;
    person.goes_to_add().await;
    let serial_number = person.receives().await;
    person.comes_back().await;
    assert_eq!(
        person.held_as(&serial_number).await.claims["TPR-Name"],
        "Oncology"
    );
    assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
    person.browser.close().await;
    stage.strike().await;
}

/// DW-72, DW-77, DW-79, DW-80.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_while_the_code_is_on_the_screen_is_cancelled_as_soon_as_it_is_added() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let mut person = Person::of(&stage, "match", JavaScript::On).await;
    person.gets_ready_to_add().await;
    person.goes_to_add().await;
    person
        .outside
        .hr_saves("TPR-Name", "Neurology")
        .await
        .unwrap();
    let serial_number = person.receives().await;
    person.comes_back().await;
    let stale = "The information changed while you were adding it";
    person.stands_on(stale, "that credential.").await;
    person
        .stands_on(stale, "Delete it from your wallet if you can see it")
        .await;
    person.waits_until_it_is_cancelled(&serial_number).await;
    person.waits_until_the_list_says("cancelled").await;
    let mail = person.waits_for_a_mail().await;
    assert!(
        mail.text.contains("your record was corrected"),
        "{}",
        mail.text
    );

    person.browser.open(&person.step("/added")).await;
    person.press("Add the new one").await;
    person.browser.choose("Yes, I have deleted it").await;
    person.press("Continue").await;
    person.stands_on(CHECK, "Neurology").await;
    person.press("Confirm and continue").await;
    person.goes_to_add().await;
    let second = person.receives().await;
    person.comes_back().await;
    assert_eq!(
        person.held_as(&second).await.claims["TPR-Name"],
        "Neurology"
    );
    assert_eq!(person.in_the_list().await.0, "added");
    assert_eq!(person.mails().await.len(), 1);
    assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
    person.browser.close().await;
    stage.strike().await;
}
