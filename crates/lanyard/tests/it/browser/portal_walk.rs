//! The staff portal from log-in to a credential that nobody takes any more, in a real browser: with JavaScript and
//! without, on both engines.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value};
use wallet::{CredentialStatus, Outcome};

use super::driver::JavaScript;
use super::look::quiet;
use super::portal_person::{LOOKS, Person, VERIFIED};
use super::stage::{BACK, REDIRECT_URI, Stage};
use crate::database::{Database, on_both_engines};
use crate::portal_walk::Mail;

on_both_engines!(
    dw_01_dw_10_dw_12_dw_13_dw_17_to_24_dw_28_dw_29_dw_32_dw_33_dw_47_dw_50_dw_51_dw_62_dw_63_dw_72_dw_75_dw_77_to_79_a_credential_is_added_changed_by_hr_and_refused_from_then_on,
    the_same_happens_without_javascript,
);

async fn dw_01_dw_10_dw_12_dw_13_dw_17_to_24_dw_28_dw_29_dw_32_dw_33_dw_47_dw_50_dw_51_dw_62_dw_63_dw_72_dw_75_dw_77_to_79_a_credential_is_added_changed_by_hr_and_refused_from_then_on(
    database: Database,
) {
    Box::pin(walk_on(&database, JavaScript::On, "match")).await;
}

/// And for somebody whose names agree but for a hyphen. What a browser does without a script depends on no engine: on
/// the second one only with `LANYARD_LONG`.
async fn the_same_happens_without_javascript(database: Database) {
    let is_second = database.address().starts_with("postgres");
    if is_second && std::env::var_os("LANYARD_LONG").is_none() {
        println!("skipped on PostgreSQL: run `cargo xtask test --long`");
        return;
    }
    Box::pin(walk_on(&database, JavaScript::Off, "hyphen")).await;
}

async fn walk_on(database: &Database, javascript: JavaScript, case: &str) {
    let address = database.address();
    let address = address.starts_with("postgres").then_some(address);
    if let Some(stage) = Stage::set_on(address).await {
        walk(&stage, javascript, case).await;
        stage.strike().await;
    }
}

async fn walk(stage: &Stage, javascript: JavaScript, case: &str) {
    let mut person = Person::of(stage, case, javascript).await;
    let added = adds_it(&person).await;
    let first = person.held().await.remove(0).serial_number.unwrap();

    let again = person.in_another_browser().await;
    again.log_in().await;
    let (state, line) = again.in_the_list().await;
    assert_eq!(state, "added");
    assert!(line.contains(&added), "{line}");
    let second = adds_it_again(&again).await;
    person.waits_until_it_is_cancelled(&first).await;
    let second = second.as_str();
    assert_eq!(person.held_as(second).await.status, CredentialStatus::Valid);
    assert!(
        person.mails().await.is_empty(),
        "nobody is asked to delete what they said is gone"
    );

    hr_corrects_it(&person).await;
    let mail = person.waits_for_a_mail().await;
    assert_eq!(mail.from, "staff-services@anytown.example");
    assert_eq!(mail.subject, "Delete a credential from your digital wallet");
    for sentence in [
        "we cancelled your Training programme credential because your record was corrected.",
        "The copy in your wallet no longer works. You cannot share it. We cannot delete it for you.",
        "You do not need to reply.",
    ] {
        let text = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(sentence), "{text}");
    }
    says_no_value(&person, &mail, &[&first, second]).await;
    person.waits_until_it_is_cancelled(second).await;
    is_told_no_second_time(&mut person).await;

    let line = again.waits_until_the_list_says("cancelled").await;
    assert!(line.contains("Cancelled on "), "{line}");
    assert!(line.contains("Delete it from your wallet"), "{line}");
    again.browser.open(&again.step("")).await;
    again
        .stands_on(
            "Training programme",
            "The copy in your wallet stays there until you delete it.",
        )
        .await;
    is_refused_elsewhere(stage, &again, javascript).await;

    let mails = person.mails().await;
    assert_eq!(mails.len(), 1);
    assert!(mail.message_id.is_some());
    assert_eq!(mails[0].message_id, mail.message_id);
    for one in [person, again] {
        assert_eq!(quiet(stage, &one.browser).await, [""; 0]);
        one.browser.close().await;
    }
}

/// The first time. Gives when that was, as the pages say it.
async fn adds_it(person: &Person<'_>) -> String {
    person.open("/credentials").await;
    assert_eq!(person.heading().await, "Log in to your staff account");
    person.log_in().await;
    // [DW-12] By keyboard alone: two links, and the record is before them.
    let to_the_list = "Add your credentials to your staff passport";
    person.browser.follow_by_keyboard("link", to_the_list).await;
    assert_eq!(person.heading().await, "Your credentials");
    let (state, line) = person.in_the_list().await;
    assert_eq!(state, "not-added");
    assert!(line.contains("Valid until 5 August 2031"), "{line}");

    let to_the_record = "Training programme";
    person
        .browser
        .follow_by_keyboard("link", to_the_record)
        .await;
    person.stands_on(to_the_record, "Not added").await;
    person.press("Add to wallet").await;
    person
        .stands_on(
            "Check the information that will go in your wallet",
            "This is exactly what the credential will say.",
        )
        .await;
    let shown = shown(person).await;
    person.press("Confirm and continue").await;
    person.goes_to_verify().await;
    let scanned = person.scans(true).await;
    assert_eq!(scanned.outcome, Outcome::Presented, "{:?}", scanned.reason);
    person.comes_back().await;
    person
        .stands_on(VERIFIED, "You can now add credentials until you log out.")
        .await;
    assert_eq!(person.in_the_list().await.0, "not-added");

    person.open("/identity/done").await;
    person.goes_to_add().await;
    let serial_number = person.receives().await;
    person.comes_back().await;
    let added = person.browser.url().await;
    assert_eq!(
        added.as_str().split('?').next(),
        Some(person.step("/added").as_str())
    );
    person
        .stands_on("Credential added to your wallet", "Training programme")
        .await;
    let claims = person.held_as(&serial_number).await.claims;
    says_exactly_what_was_shown(person, claims, shown);

    let when = person.browser.text("#added-when").await;
    let when = when.strip_prefix("Added on ").unwrap();
    let when = when.trim_end_matches('.');
    assert!(when.contains(" at "), "{when}");
    let (state, line) = person.in_the_list().await;
    assert_eq!(state, "added");
    let added = format!("Added to your wallet on {when}");
    assert!(line.contains(&added), "{line}");
    added
}

/// What the page says will be in the credential, by label.
pub(super) async fn shown(person: &Person<'_>) -> BTreeMap<String, String> {
    let labels = person.browser.texts("main dt").await;
    let values = person.browser.texts("main dd").await;
    assert_eq!(labels.len(), values.len());
    labels.into_iter().zip(values).collect()
}

/// [DW-24, DW-50] Both ways: a credential, or the draft of one, claims nothing that was not shown, and nothing was shown
/// that it does not claim.
pub(super) fn says_exactly_what_was_shown(
    person: &Person<'_>,
    mut claims: Map<String, Value>,
    mut shown: BTreeMap<String, String>,
) {
    for (label, value) in [
        (
            "Your staff passport unique identifier",
            "Added after you share your identity",
        ),
        ("Issued by", "Anytown NHS Trust"),
        ("Valid until", "5 August 2031"),
    ] {
        assert_eq!(shown.remove(label).as_deref(), Some(value));
    }
    assert_eq!(
        claims.remove("UniqueIdentifier"),
        Some(person.unique_identifier().into())
    );
    let labels = labels();
    let said: BTreeMap<String, String> = claims
        .iter()
        .map(|(name, value)| (labels[name].clone(), as_read(value)))
        .collect();
    assert_eq!(said, shown);
}

/// What the portal's pages call each claim of the type, by its name on the wire.
fn labels() -> BTreeMap<String, String> {
    let file = include_str!("../../../../portal/credential-types/training-programme.toml");
    let file: toml::Table = file.parse().unwrap();
    let attributes = ["facts", "about"].map(|part| file[part].as_array().unwrap());
    let text =
        |attribute: &toml::Value, member: &str| attribute[member].as_str().unwrap().to_owned();
    let attributes = attributes.into_iter().flatten();
    attributes
        .map(|attribute| (text(attribute, "name"), text(attribute, "label")))
        .collect()
}

/// A claim as the portal's pages write it.
fn as_read(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    match text.parse::<Date>() {
        Ok(date) => date.strftime("%-d %B %Y").to_string(),
        Err(_) => text,
    }
}

/// In a second session. Gives the serial number.
async fn adds_it_again(person: &Person<'_>) -> String {
    let title = "Delete the old credential first";
    person.browser.open(&person.step("")).await;
    person.press("Add to wallet again").await;
    person
        .stands_on(title, "If you add it again without deleting the old copy")
        .await;
    person.press("Continue").await;
    person
        .stands_on(title, "Select if you have deleted the old credential")
        .await;
    person.browser.choose("No, go back").await;
    person.press("Continue").await;
    assert_eq!(
        person.browser.url().await.as_str(),
        person.step("").as_str()
    );
    assert_eq!(person.held().await.len(), 1);
    assert_eq!(person.in_the_list().await.0, "added");
    // It was no answer: whoever goes on is asked once more.
    person.browser.open(&person.step("/confirm")).await;
    person.stands_on(title, "Only keep 1 copy").await;
    person.browser.choose("Yes, I have deleted it").await;
    person.press("Continue").await;
    person.press("Confirm and continue").await;
    // Another session: what was verified in the first one does not count here.
    person.verifies().await;
    person.goes_to_add().await;
    let serial_number = person.receives().await;
    person.comes_back().await;
    person
        .stands_on("Credential added to your wallet", "Training programme")
        .await;
    assert_eq!(person.held().await.len(), 2);

    // In the same session nobody verifies twice.
    let other = format!("{}-fire-safety", person.outside.who.username);
    person.open(&format!("/credentials/{other}/confirm")).await;
    person.press("Confirm and continue").await;
    person
        .stands_on(VERIFIED, "You shared your identity earlier.")
        .await;
    serial_number
}

/// [DW-78] Nothing of what the credentials say, and nothing that names them or their holder.
async fn says_no_value(person: &Person<'_>, mail: &Mail, serial_numbers: &[&str]) {
    let said = format!("{}\n{}", mail.subject, mail.text);
    let mut unsaid = vec![person.unique_identifier().to_owned()];
    for serial_number in serial_numbers {
        unsaid.push((*serial_number).to_owned());
        let claims = person.held_as(serial_number).await.claims;
        for value in claims.values() {
            unsaid.extend([value.as_str().unwrap().to_owned(), as_read(value)]);
        }
    }
    // The organisation is the sender, too.
    unsaid.retain(|value| value != "Anytown NHS Trust");
    assert!(unsaid.iter().any(|value| value == "Cardiology"));
    for value in unsaid.iter().map(String::as_str).chain(["Neurology"]) {
        assert!(!said.contains(value), "{value}: {said}");
    }
}

/// [DW-78] The record changes once more. Were anything to follow from it, it would wait on HR's page until it is done.
async fn is_told_no_second_time(person: &mut Person<'_>) {
    let saved = person.outside.hr_saves("TPR-Name", "Paediatrics").await;
    saved.unwrap();
    let mut office = String::new();
    for _ in 0..LOOKS {
        person.open("/hr").await;
        office = person.browser.text("main").await;
        if office.contains("Everything has arrived.") {
            break;
        }
    }
    assert!(office.contains("Everything has arrived."), "{office}");
    assert_eq!(person.mails().await.len(), 1, "one event, one mail");
}

async fn hr_corrects_it(person: &Person<'_>) {
    let hr = person.in_another_browser().await;
    hr.open("/hr").await;
    assert_eq!(hr.heading().await, "HR office");
    hr.browser
        .follow(&format!("#record-{}", person.outside.record))
        .await;
    hr.browser.fill("Programme name", "Neurology").await;
    hr.press("Save").await;
    hr.stands_on("Training programme", "The record is saved")
        .await;
    hr.browser.close().await;
}

/// Somebody asks for it, and the same wallet shows one of the copies that are still in it.
async fn is_refused_elsewhere(stage: &Stage, person: &Person<'_>, javascript: JavaScript) {
    let started = stage.verify_type("TrainingProgramme").await;
    person.browser.open(started.url.as_str()).await;
    person.scans(true).await;
    if javascript == JavaScript::Off {
        person.browser.follow("#finished").await;
    }
    person.browser.wait_for_text("cannot be used").await;
    person
        .browser
        .wait_for_text("The organisation that gave it to you has cancelled it.")
        .await;
    person.browser.follow("#go-back").await;
    person.browser.wait_for_address(REDIRECT_URI).await;
    assert_eq!(person.browser.text("h1").await, BACK);
    stage
        .came_back_empty_handed(started.pending, "cancelled by its issuer")
        .await;
}
