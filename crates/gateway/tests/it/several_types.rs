//! One request for several credential types: asked for together, shared together, checked one by one.

use reqwest::StatusCode;
use serde_json::json;
use wallet::Outcome;

use crate::database::{Database, on_both_engines};
use crate::raw_wallet::{Waiting, request};
use crate::world::{Answer, Browser, Page, UNIQUE_IDENTIFIER, World, fire_safety, identity};

on_both_engines!(two_credentials_that_are_shared_together_reach_the_relying_party_together,);

const BOTH: &str = "openid Identity FireSafety";

/// Asks for those types and has the holder share them; where that led, and the page it began on.
async fn shared(world: &World, party: &str, scope: &str) -> (wallet::Scanned, Page, Page) {
    let party = world.party(party);
    let address = world.pushed(&party, |form| form.set("scope", scope));
    let browser = Browser::new();
    let page = browser.open(&address.await).await;
    let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
    let after = browser.open(&page.url).await;
    (scanned, page, after)
}

async fn token(world: &World, party: &str, page: &Page) -> Answer {
    let party = world.party(party);
    let token = world.token(&party, |form| form.code(&page.code())).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    token
}

async fn two_credentials_that_are_shared_together_reach_the_relying_party_together(
    database: Database,
) {
    let world = World::start_on(database).await;
    world.issue_identity("anna").await;
    world.issue("anna", "FireSafety", fire_safety()).await;
    for party in ["plain", "v2", "v1-a"] {
        let (scanned, page, after) = shared(&world, party, BOTH).await;
        assert_eq!(scanned.outcome, Outcome::Presented, "{:?}", scanned.reason);
        assert_eq!(scanned.credentials.len(), 2);
        for words in [
            "share your staff identity and fire safety training",
            "Staff identity: First name, Surname",
            "Fire safety training: Subject, Level",
        ] {
            assert!(page.html.contains(words), "{words}: {}", page.html);
        }
        let token = token(&world, party, &after).await;
        assert_eq!(token.json["scope"], BOTH);
        let claims = token.id_token();
        for (name, value) in identity() {
            assert_eq!(claims[format!("Identity.{name}")], value);
        }
        for (name, value) in fire_safety() {
            assert_eq!(claims[format!("FireSafety.{name}")], value);
        }

        // The subject is the person, whatever of theirs was asked for and in whichever order.
        for scope in ["openid Identity", "openid FireSafety Identity"] {
            let (_, _, after) = shared(&world, party, scope).await;
            let other = self::token(&world, party, &after).await.id_token();
            assert_eq!(other["sub"], claims["sub"], "{scope}");
        }
    }
}

/// An issuer elsewhere may write the number in capitals.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_is_one_subject_however_a_number_is_spelt() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let mut shouted = fire_safety();
    let capitals = UNIQUE_IDENTIFIER.to_uppercase();
    assert_ne!(capitals, UNIQUE_IDENTIFIER);
    shouted.insert("UniqueIdentifier".into(), capitals.into());
    world.issue("anna", "FireSafety", shouted).await;
    let mut subjects = Vec::new();
    for scope in [BOTH, "openid FireSafety Identity", "openid FireSafety"] {
        let (_, _, after) = shared(&world, "plain", scope).await;
        let claims = token(&world, "plain", &after).await.id_token();
        subjects.push(claims["sub"].clone());
    }
    subjects.dedup();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
}

/// One request object for all of them: a set of alternatives for each type, required where nothing else is said
/// (OpenID4VP 6.2).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wallet_is_asked_once_for_one_credential_of_each_type() {
    let world = World::start().await;
    let party = world.party("plain");
    let address = world.pushed(&party, |form| form.set("scope", BOTH));
    let waiting = Waiting::at(&address.await).await;
    let query = &request(&waiting.link()).await.claims["dcql_query"];
    assert_eq!(
        query["credential_sets"],
        json!([
            { "options": [["identity-jwt-vc"], ["identity-sd-jwt"]] },
            { "options": [["firesafety-jwt-vc"], ["firesafety-sd-jwt"]] },
        ])
    );
    assert_eq!(query["credentials"].as_array().unwrap().len(), 4);
}

/// The wallet that holds one of two shares neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_holds_one_of_two_shares_nothing_and_is_told_what_was_asked_for() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let (scanned, _, after) = shared(&world, "plain", BOTH).await;
    assert_eq!(scanned.outcome, Outcome::Failed);
    for words in [
        "Your staff identity and fire safety training were not shared",
        "Nothing was shared with The plain portal.",
    ] {
        assert!(after.html.contains(words), "{words}: {}", after.html);
    }
    assert!(after.link("go-back").contains("error=access_denied"));
}

/// The page names the one that is no good, not all that were asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_credentials_the_page_names_the_one_that_cannot_be_used() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let serial = world.issue("anna", "FireSafety", fire_safety()).await;
    let party = world.party("v2");
    let revoked = world.revoke(&party, &serial, |body| {
        drop(body.insert("CredentialTemplateName".into(), "FireSafety".into()));
    });
    assert_eq!(revoked.await.status, StatusCode::NO_CONTENT);
    let (scanned, _, after) = shared(&world, "plain", BOTH).await;
    assert!(scanned.reason.unwrap().contains("credential-revoked"));
    let words = "Your fire safety training credential cannot be used";
    assert!(after.html.contains(words), "{}", after.html);
}

/// SEC-20: a colleague's certificate beside one's own identity.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_20_a_colleagues_credential_beside_ones_own_is_refused_and_the_page_says_so() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let mut colleagues = fire_safety();
    let other = UNIQUE_IDENTIFIER.replace("3f0c", "4f0c");
    colleagues.insert("UniqueIdentifier".into(), other.into());
    world.issue("anna", "FireSafety", colleagues).await;

    let (scanned, _, after) = shared(&world, "plain", BOTH).await;
    assert_eq!(scanned.outcome, Outcome::Failed);
    assert!(scanned.reason.unwrap().contains("different-people"));
    for words in [
        "Those credentials belong to different people",
        "Choose your own staff identity and fire safety training credentials.",
        "Nothing was shared with The plain portal.",
    ] {
        assert!(after.html.contains(words), "{words}: {}", after.html);
    }
    let back = after.link("go-back");
    assert!(
        back.contains("error=access_denied") && !back.contains("code="),
        "{back}"
    );
}
