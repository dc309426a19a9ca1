//! Step 6.8: an ID token is believed when everything about it holds, and the identity in it when it is whole. Each wrong
//! one is the gateway's own, changed on its way and signed again with the gateway's own key.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use standards::jose::SoftwareKey;
use standards::jose::jws::{self, ProtectedHeader};

use crate::world::World;

const VERIFIED: &str = "Your identity has been verified";

type Spoil = fn(&mut Map<String, Value>);

/// The answer of the token endpoint, with another ID token in it.
fn with_token(answer: &str, make: impl Fn(&str) -> String) -> String {
    let mut answer: Value = serde_json::from_str(answer).unwrap();
    let token = make(answer["id_token"].as_str().unwrap());
    answer["id_token"] = token.into();
    answer.to_string()
}

/// The token says something else, under a good signature.
fn signed_again(key: &SoftwareKey, token: &str, spoil: Spoil) -> String {
    let mut claims = jws::parse(token).unwrap().unverified_claims().clone();
    spoil(&mut claims);
    jws::sign_now(key, ProtectedHeader::typ("JWT"), &claims).unwrap()
}

/// What the person sees whose identity arrives in such a token.
async fn told(world: &World, make: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let anna = world.logged_in("anna").await;
    world
        .wire
        .change("/token", move |answer| with_token(answer, &make));
    let page = world.verify(&anna, "anna").await;
    world.wire.leave();
    let heading = page.heading();
    let is_verified = anna.open("/identity").await.path() == "/identity/done";
    assert_eq!(is_verified, heading == VERIFIED, "{heading}");
    heading
}

#[tokio::test]
async fn dw_40_a_token_of_which_anything_is_wrong_verifies_nobody() {
    let world = World::start().await;
    world.anna().await;
    let key = Arc::new(world.id_token_key());
    let spoilt = |spoil: Spoil| {
        let key = Arc::clone(&key);
        move |token: &str| signed_again(&key, token, spoil)
    };
    // The instrument itself: what is signed again unchanged is believed.
    assert_eq!(told(&world, spoilt(|_| ())).await, VERIFIED);
    let wrong: [(&str, Spoil); 6] = [
        ("iss", |claims| {
            claims.insert("iss".to_owned(), json!("https://another.example"));
        }),
        ("aud", |claims| {
            claims.insert("aud".to_owned(), json!("another"));
        }),
        ("exp", |claims| {
            let past = Timestamp::now().as_second() - 3600;
            claims.insert("exp".to_owned(), json!(past));
        }),
        ("nonce", |claims| {
            claims.insert("nonce".to_owned(), json!("another"));
        }),
        ("no nonce", |claims| {
            claims.remove("nonce");
        }),
        ("no iss", |claims| {
            claims.remove("iss");
        }),
    ];
    for (what, spoil) in wrong {
        let heading = told(&world, spoilt(spoil)).await;
        assert_eq!(heading, "There is a problem with the service", "{what}");
    }
    let unsigned = |token: &str| {
        let content = token.split('.').nth(1).unwrap();
        // {"alg":"none"}
        format!("eyJhbGciOiJub25lIn0.{content}.")
    };
    let other_signature = |token: &str| {
        let (content, signature) = token.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{content}.{first}{}", &signature[1..])
    };
    for heading in [
        told(&world, unsigned).await,
        told(&world, other_signature).await,
    ] {
        assert_eq!(heading, "There is a problem with the service");
    }
}

/// The journey ends as with a mismatch.
#[tokio::test]
async fn dw_46_an_identity_without_its_unique_identifier_verifies_nobody() {
    let world = World::start().await;
    world.anna().await;
    let key = Arc::new(world.id_token_key());
    const NAME: &str = "Identity.UniqueIdentifier";
    let missing: Spoil = |claims| {
        assert!(claims.remove(NAME).is_some());
    };
    let empty: Spoil = |claims| {
        claims.insert(NAME.to_owned(), json!(""));
    };
    let malformed: Spoil = |claims| {
        claims.insert(NAME.to_owned(), json!("not-a-guid"));
    };
    for spoil in [missing, empty, malformed] {
        let key = Arc::clone(&key);
        let heading = told(&world, move |token| signed_again(&key, token, spoil)).await;
        assert_eq!(heading, "We could not match your identity");
    }
}
