//! What the gateway refuses, garbles or never answers is understood by the person, and never taken for success.

use jiff::SignedDuration;
use serde_json::Value;

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

/// Another signature than the gateway's.
fn garble(answer: &str) -> String {
    let Ok(mut answer) = serde_json::from_str::<Value>(answer) else {
        return answer.to_owned();
    };
    let Some(token) = answer["id_token"].as_str() else {
        return answer.to_string();
    };
    let (content, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let garbled = format!("{content}.{first}{}", &signature[1..]);
    answer["id_token"] = garbled.into();
    answer.to_string()
}

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

/// DW-40, at issuing: the answer that would say that it was added is lost, refused or garbled.
async fn dw_64_what_is_not_known_to_be_added_is_not_said_to_be_and_is_settled(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.verify(&anna, "anna").await;
    for trouble in ["refused", "lost", "garbled"] {
        let page = anna.open("/credentials/anna-programme").await;
        let page = anna.open(&page.link("add-to-wallet")).await;
        if page.path().ends_with("/again") {
            let again = "/credentials/anna-programme/again";
            anna.send(&page, again, &[("deleted", "yes")]).await;
        }
        let page = anna.confirm(RECORD).await;
        let page = anna.send(&page, ADD, &[]).await;
        let address = world.answer(&anna, &page, "anna", true).await;
        match trouble {
            "refused" => world.door.jam("/token", Jam::Refuse(500)),
            "lost" => world.door.jam("/token", Jam::LoseAnswer),
            _ => world.wire.change("/token", garble),
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
        let valid = wallet::CredentialStatus::Valid;
        let is_in_force = held.iter().any(|one| one.status == valid);
        let shown = if is_in_force { "added" } else { "cancelled" };
        assert_eq!(state, shown, "{trouble}");
    }
}
