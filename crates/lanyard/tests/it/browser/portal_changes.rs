//! HR changes, ends or deletes a record: while the employee is on the way, and afterwards.

use jiff::SignedDuration;
use mail_catcher::Fault;
use wallet::CredentialStatus;

use super::driver::JavaScript;
use super::look::quiet;
use super::portal_person::{LOOKS, Person, VERIFIED};
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

/// DW-77, DW-79.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_72_dw_78_dw_80_what_hr_changes_on_the_way_ends_or_deletes_is_cancelled_and_a_mail_that_fails_is_seen()
 {
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

    hr_deletes_one_and_ends_another(&stage, &mut person).await;
    let kept = person.held_as(&second).await;
    assert_eq!(kept.status, CredentialStatus::Valid, "and no other");
    assert_eq!(person.in_the_list().await.0, "added");
    assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
    person.browser.close().await;
    stage.strike().await;
}

/// What the employee sees of it, and what HR sees of the mails: the server refuses one for good and the other for now.
async fn hr_deletes_one_and_ends_another(stage: &Stage, person: &mut Person<'_>) {
    let placement = person.adds_another("placement").await;
    let fire_safety = person.adds_another("fire-safety").await;
    // Mary is of HR.
    let mary = Person::of(stage, "two-first-names", JavaScript::On).await;
    mary.log_in().await;
    let programme = person.outside.record.clone();

    stage.mail_misbehaves(Some(Fault::RefuseForGood)).await;
    person.outside.record = programme.replace("programme", "placement");
    opens_at_hr(&mary, person).await;
    mary.press("Delete this record").await;
    mary.stands_on("HR office", "The record is deleted").await;
    let own_line = format!("#record-{}", person.outside.record);
    assert!(!mary.browser.has(&own_line).await);
    // It is in the wallet, so that there is something to delete.
    is_told_that_it_is_cancelled(person, &placement, "Training placement").await;
    let told = is_told_what_failed(&mary, "Email about Training placement").await;
    for says in [
        "Anna Taylor",
        "The address does not work",
        "Given up because The address does not take emails",
    ] {
        assert!(told.contains(says), "{says}: {told}");
    }
    mary.press("I have told Anna Taylor about Training placement")
        .await;
    mary.stands_on("People to tell", "Everybody has been told.")
        .await;

    stage.mail_misbehaves(Some(Fault::RefuseTemporarily)).await;
    person.outside.record = programme.replace("programme", "fire-safety");
    opens_at_hr(&mary, person).await;
    mary.press("End this record today").await;
    mary.stands_on("Fire safety training", "The record ends today")
        .await;
    assert!(!mary.browser.has("#end").await);
    is_told_that_it_is_cancelled(person, &fire_safety, "Fire safety training").await;
    let told = is_told_what_failed(&mary, "Email about Fire safety training").await;
    assert!(told.contains("Next try"), "{told}");
    assert_eq!(person.mails().await.len(), 1, "nothing has arrived");

    stage.mail_misbehaves(None).await;
    stage.sandbox.shift.set(SignedDuration::from_mins(2));
    assert_eq!(person.waits_for_mails(2).await, 2);
    let mail = person.mails().await.pop().unwrap();
    assert!(mail.text.contains("Fire safety training"), "{}", mail.text);
    mary.open("/to-tell").await;
    let told = mary.browser.text("main").await;
    assert!(!told.contains("Email about Fire safety"), "{told}");
    assert_eq!(quiet(stage, &mary.browser).await, [""; 0]);
    mary.browser.close().await;
    person.outside.record = programme;
}

/// The record's page at the office.
async fn opens_at_hr(mary: &Person<'_>, person: &Person<'_>) {
    mary.open("/hr").await;
    let own_line = format!("#record-{}", person.outside.record);
    mary.browser.follow(&own_line).await;
}

/// [DW-79] Also that the copy stays until they delete it.
async fn is_told_that_it_is_cancelled(person: &Person<'_>, serial_number: &str, title: &str) {
    person.waits_until_it_is_cancelled(serial_number).await;
    let line = person.waits_until_the_list_says("cancelled").await;
    assert!(line.contains("Delete it from your wallet."), "{line}");
    person.browser.open(&person.step("")).await;
    let stays = "The copy in your wallet stays there until you delete it.";
    person.stands_on(title, stays).await;
    assert!(!person.browser.has("#add-to-wallet").await);
}

/// Opens the page about what has not arrived until this is on it; gives all that it says.
async fn is_told_what_failed(mary: &Person<'_>, what: &str) -> String {
    for _ in 0..LOOKS {
        mary.open("/").await;
        mary.follow("People to tell").await;
        let told = mary.browser.text("main").await;
        if told.contains(what) {
            return told;
        }
    }
    panic!("HR is not told of ‘{what}’");
}
