//! What the gateway refuses, garbles or never answers is understood by the person, and never taken for success.

use jiff::SignedDuration;
use wallet::CredentialStatus;

use super::cheat::Wrong;
use super::reading::{RECORD, links};
use crate::browser::{Browser, Page};
use crate::database::{Database, on_both_engines};
use crate::door::Jam;
use crate::world::World;

on_both_engines!(
    dw_48_whatever_the_gateway_answers_the_person_can_go_on,
    dw_64_what_is_not_known_to_be_added_is_not_said_to_be_and_is_settled,
);

const ADD: &str = "/credentials/anna-programme/add";

/// At the gateway's page for a check of the identity.
async fn begin_to_verify(browser: &Browser) -> Page {
    let page = browser.open("/identity").await;
    browser.send(&page, "/identity/start", &[]).await
}

/// An understandable page with a way to try again, and nothing of what is behind it.
fn is_kind(page: &Page) {
    assert!(page.status.as_u16() < 500, "{}", page.status);
    let text = page.text();
    assert!(!page.heading().is_empty(), "{text}");
    // Where the wallet's answer was refused, the way leads over the list.
    let leads_on = links(page).iter().any(|link| link.href == "/credentials");
    assert!(page.has("try-again") || leads_on, "{text}");
    for inner in [
        "panic",
        "src/",
        ".rs",
        "error:",
        "invalid_",
        "server_error",
        "access_denied",
        "connector",
        "backtrace",
    ] {
        assert!(!text.contains(inner), "{inner}: {text}");
    }
}

async fn dw_48_whatever_the_gateway_answers_the_person_can_go_on(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    for error in ["access_denied", "server_error", "temporarily_unavailable"] {
        begin_to_verify(&anna).await;
        let state = world.wire.pushed_checks().pop().unwrap().form()["state"].clone();
        let issuer = &world.door.base;
        let address = format!("/callback?error={error}&state={state}&iss={issuer}");
        is_kind(&anna.open(&address).await);
    }
    for jam in [Jam::Refuse(500), Jam::LoseAnswer] {
        let page = begin_to_verify(&anna).await;
        let address = world.answer(&anna, &page, "anna", true).await;
        world.door.jam("/token", jam);
        is_kind(&anna.open(&address).await);
        world.door.free();
    }
    world.door.jam("/par", Jam::Refuse(503));
    is_kind(&begin_to_verify(&anna).await);
    world.door.free();
    // An answer that takes its time: the person is told so, and what comes of it in the end.
    let page = begin_to_verify(&anna).await;
    let address = world.answer(&anna, &page, "anna", true).await;
    let (_, go_on) = world.door.hold("/token");
    let page = anna.open(&address).await;
    assert_eq!(
        (page.path().as_str(), page.status.as_u16()),
        ("/returned", 200)
    );
    assert_eq!(page.heading(), "We are finishing up");
    world.door.free();
    go_on.notify_one();
    let mut heading = page.heading();
    for _ in 0..100 {
        heading = anna.open("/returned").await.heading();
        if heading != "We are finishing up" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(heading, "Your identity has been verified");
}

/// The credential goes into Anna's wallet; the address that leads her browser back.
async fn receive(world: &World, anna: &Browser) -> String {
    let page = anna.open("/credentials/anna-programme").await;
    let page = anna.open(&page.link("add-to-wallet")).await;
    if page.path().ends_with("/again") {
        let again = "/credentials/anna-programme/again";
        anna.send(&page, again, &[("deleted", "yes")]).await;
    }
    let page = anna.confirm(RECORD).await;
    let page = anna.send(&page, ADD, &[]).await;
    world.answer(anna, &page, "anna", true).await
}

/// From now on, this is wrong with the gateway's ID tokens.
fn cheat(world: &World, wrong: Wrong) {
    let key = world.id_token_key();
    let change = move |answer: &str| wrong.put_into(answer, &key);
    world.wire.change("/token", change);
}

/// The gateway's word on how a journey ended, with somebody else's serial number.
fn of_another_credential(answer: &str) -> String {
    let mut told: serde_json::Value = serde_json::from_str(answer).unwrap();
    let serial_number = &mut told["outcomes"][0]["serial_number"];
    assert!(serial_number.is_string(), "{answer}");
    *serial_number = uuid::Uuid::new_v4().to_string().into();
    told.to_string()
}

/// DW-40, at issuing: the answer that would say that it was added is lost, refused or garbled.
async fn dw_64_what_is_not_known_to_be_added_is_not_said_to_be_and_is_settled(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.verify(&anna, "anna").await;
    for trouble in ["refused", "lost", "garbled"] {
        let address = receive(&world, &anna).await;
        match trouble {
            "refused" => world.door.jam("/token", Jam::Refuse(500)),
            "lost" => world.door.jam("/token", Jam::LoseAnswer),
            _ => cheat(&world, Wrong::Signature),
        }
        // Nor can the gateway be asked afterwards how it ended.
        world.door.jam("/outcomes", Jam::Refuse(503));
        let page = anna.open(&address).await;
        assert!(page.status.as_u16() < 500, "{trouble}: {}", page.status);
        assert!(!page.has("added-when"), "{trouble}: {}", page.text());
        assert!(!page.text().contains("Credential added"), "{trouble}");
        let list = anna.open("/credentials").await;
        assert_ne!(list.state_of(RECORD).unwrap(), "added", "{trouble}");
        world.door.free();
        world.wire.leave();

        // Once it can be asked, it is kept or taken back, and what is in force is what the page shows.
        world.later(SignedDuration::from_secs(61));
        let mut state = String::new();
        for _ in 0..100 {
            let list = anna.open("/credentials").await;
            state = list.state_of(RECORD).unwrap();
            if ["added", "cancelled"].contains(&state.as_str()) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let held = world.held("anna", "TrainingProgramme").await;
        let valid = CredentialStatus::Valid;
        let is_in_force = held.iter().any(|one| one.status == valid);
        let shown = if is_in_force { "added" } else { "cancelled" };
        assert_eq!(state, shown, "{trouble}");
    }
}

/// With a gateway that tells nobody afterwards how a journey ended: what nobody can be sure of is taken back.
#[tokio::test]
async fn dw_40_dw_64_a_credential_whose_token_has_anything_wrong_is_not_said_to_be_added_and_is_revoked()
 {
    let world = World::start().await;
    let anna = world.anna().await;
    world.verify(&anna, "anna").await;
    world.door.jam("/outcomes", Jam::Refuse(404));
    let (_, go_on) = world.door.hold("/revokecredential");
    for (number, wrong) in (1..).zip(Wrong::ALL) {
        let address = receive(&world, &anna).await;
        cheat(&world, wrong);
        let page = anna.open(&address).await;
        world.wire.leave();
        assert_eq!(
            page.heading(),
            "We are checking if it was added",
            "{wrong:?}"
        );
        let list = anna.open("/credentials").await;
        assert_eq!(list.state_of(RECORD).unwrap(), "checking", "{wrong:?}");
        go_on.notify_one();
        world.until(&anna, RECORD, "cancelled").await;
        let held = world.held("anna", "TrainingProgramme").await;
        assert_eq!(held.len(), number, "{wrong:?}");
        let revoked = CredentialStatus::Revoked;
        assert!(held.iter().all(|one| one.status == revoked), "{wrong:?}");
    }
    // What it does say of another credential is nothing about this one.
    world.door.free();
    let address = receive(&world, &anna).await;
    cheat(&world, Wrong::Signature);
    world.wire.change("/outcomes", of_another_credential);
    anna.open(&address).await;
    world.until(&anna, RECORD, "cancelled").await;
    world.wire.leave();

    // The instrument itself: what is signed again unchanged is believed.
    let address = receive(&world, &anna).await;
    cheat(&world, Wrong::Nothing);
    let page = anna.open(&address).await;
    assert!(page.has("added-when"), "{}", page.text());
}
