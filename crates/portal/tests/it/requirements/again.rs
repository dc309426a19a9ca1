//! Steps 5.2 to 5.3: whether it was added is shown, and adding it again begins with the old copy.

use jiff::SignedDuration;
use wallet::CredentialStatus;

use super::reading::RECORD;
use super::wire::Party;
use crate::browser::Browser;
use crate::database::{Database, on_both_engines};
use crate::world::World;

on_both_engines!(
    dw_17_the_list_says_that_it_was_added_when_it_was_and_only_then,
    dw_18_what_was_added_is_known_after_logging_out_and_in_another_browser,
    dw_19_a_credential_that_was_added_can_be_added_again,
    dw_19_a_portal_that_is_told_so_leaves_the_older_credential_in_force,
    dw_20_before_it_is_added_again_the_old_copy_is_asked_about,
    dw_21_nobody_is_asked_about_an_old_copy_who_has_none,
    dw_22_whoever_says_no_to_the_question_changes_nothing,
);

/// The credential's line in the list: its state's word, and all that is said.
async fn line(browser: &Browser) -> (String, String) {
    let page = browser.open("/credentials").await;
    let row = page.html.split("<li").find(|row| row.contains(RECORD));
    let row = row.unwrap().to_owned();
    (page.state_of(RECORD).unwrap(), row)
}

async fn dw_17_the_list_says_that_it_was_added_when_it_was_and_only_then(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    let (state, says) = line(&anna).await;
    assert_eq!(state, "not-added");
    assert!(says.contains("Not added"));

    anna.confirm(RECORD).await;
    let page = world.verify(&anna, "anna").await;
    let page = anna.send(&page, "/credentials/anna-programme/add", &[]);
    let page = world
        .scan_and_return(&anna, &page.await, "anna", false)
        .await;
    assert_eq!(page.heading(), "The credential was not added");
    let (state, says) = line(&anna).await;
    assert_eq!(state, "not-added");
    assert!(!says.contains("Added"), "{says}");

    world.add(&anna, RECORD).await;
    let (state, says) = line(&anna).await;
    assert_eq!(state, "added");
    assert!(says.contains("Added to your wallet on "), "{says}");
    assert!(!says.contains("Not added"), "{says}");
}

async fn dw_18_what_was_added_is_known_after_logging_out_and_in_another_browser(
    database: Database,
) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.add(&anna, RECORD).await;
    let before = line(&anna).await;
    assert_eq!(before.0, "added");
    anna.log_out().await;
    anna.log_in("anna", crate::staff::PASSWORD).await;
    assert_eq!(line(&anna).await, before);
    let elsewhere = world.logged_in("anna").await;
    assert_eq!(line(&elsewhere).await, before);
}

async fn dw_19_a_credential_that_was_added_can_be_added_again(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.add(&anna, RECORD).await;
    let first = world.held("anna", "TrainingProgramme").await.remove(0);
    // Nobody is done with it once more in the same second.
    world.later(SignedDuration::from_secs(2));

    add_again(&world, &anna).await;
    let held = world.held("anna", "TrainingProgramme").await;
    assert_eq!(held.len(), 2);
    let second = held
        .iter()
        .find(|one| one.serial_number != first.serial_number)
        .unwrap();
    assert_eq!(second.status, CredentialStatus::Valid);
    assert_eq!(line(&anna).await.0, "added");
    let drafts = world.wire.pushed_drafts();
    let sent = drafts.last().unwrap().draft()["SerialNumber"].clone();
    assert_eq!(sent.as_str(), second.serial_number.as_deref());
}

async fn dw_19_a_portal_that_is_told_so_leaves_the_older_credential_in_force(database: Database) {
    let world = World::start_with(database, |config| config.supersede = false).await;
    let anna = world.anna().await;
    world.add(&anna, RECORD).await;
    world.later(SignedDuration::from_secs(2));
    add_again(&world, &anna).await;
    // Whoever was to be revoked would wait, or be revoked.
    let office = world.browser().open("/hr").await.text();
    assert!(office.contains("Everything has arrived."), "{office}");
    assert!(world.wire.revocations().is_empty());
    let held = world.held("anna", "TrainingProgramme").await;
    let status: Vec<CredentialStatus> = held.into_iter().map(|one| one.status).collect();
    assert_eq!(status, [CredentialStatus::Valid; 2]);
    assert_eq!(line(&anna).await.0, "added");
}

/// From the record's page, saying that the old copy is not there.
async fn add_again(world: &World, anna: &Browser) {
    let page = anna.open("/credentials/anna-programme").await;
    let page = anna.open(&page.link("add-to-wallet")).await;
    let fields = [("deleted", "not-there")];
    anna.send(&page, "/credentials/anna-programme/again", &fields)
        .await;
    let page = world.add(anna, RECORD).await;
    assert!(page.has("added-when"), "{}", page.text());
}

async fn dw_20_before_it_is_added_again_the_old_copy_is_asked_about(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.add(&anna, RECORD).await;
    world.wire.forget();

    let page = anna.open("/credentials/anna-programme").await;
    let page = anna.open(&page.link("add-to-wallet")).await;
    let text = page.text().to_lowercase();
    assert!(text.contains("delete") && text.contains("wallet"), "{text}");
    assert_eq!(page.path(), "/credentials/anna-programme/again");
    // Nor can the question be passed by.
    let page = anna.open("/credentials/anna-programme/confirm").await;
    assert_eq!(page.path(), "/credentials/anna-programme/again");
    let csrf = page.field("csrf");
    for action in ["confirm", "add"] {
        let path = format!("/credentials/anna-programme/{action}");
        let page = anna.post(&path, &[("csrf", &csrf)]).await;
        assert_eq!(page.location(), "/credentials/anna-programme/again");
    }
    assert!(world.wire.at(Party::Gateway, "").is_empty());
}

async fn dw_21_nobody_is_asked_about_an_old_copy_who_has_none(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    let page = anna.open("/credentials/anna-programme").await;
    let page = anna.open(&page.link("add-to-wallet")).await;
    assert_eq!(page.path(), "/credentials/anna-programme/confirm");
    world.add(&anna, RECORD).await;
    assert!(world.wire.at(Party::Portal, "/again").is_empty());
    for page in world.wire.at(Party::Portal, "") {
        assert!(!page.answer.contains("Have you deleted"), "{}", page.path);
    }
}

async fn dw_22_whoever_says_no_to_the_question_changes_nothing(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.add(&anna, RECORD).await;
    let before = line(&anna).await;
    world.wire.forget();

    let again = "/credentials/anna-programme/again";
    let page = anna.open(again).await;
    let page = anna.send(&page, again, &[("deleted", "no")]).await;
    assert_eq!(page.path(), "/credentials/anna-programme");
    assert_eq!(line(&anna).await, before);
    assert!(world.wire.at(Party::Gateway, "").is_empty());
    // The question is still open.
    let page = anna.open("/credentials/anna-programme/confirm").await;
    assert_eq!(page.path(), again);
}
