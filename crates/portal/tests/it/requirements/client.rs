//! How the portal shows the gateway who it is: its own secret and its own key, each time, and to nobody else.

use connector::SecretSource;
use jiff::Timestamp;
use standards::jose::hmac_key::HmacKey;

use super::reading::RECORD;
use super::wire::{Exchange, Party};
use crate::database::Database;
use crate::world::{CLIENT_SECRET, SIGNING_KEY, World};

/// A world in which Anna was verified and has added a credential.
async fn added() -> World {
    let world = World::start().await;
    let anna = world.anna().await;
    world.wire.forget();
    world.add(&anna, RECORD).await;
    world
}

/// Whether it proves who asks: in the form, as the gateway's own documents say.
fn is_authenticated(one: &Exchange) -> bool {
    one.is_from_client("portal", CLIENT_SECRET)
}

/// One call for the code, made by the server, that proves who asks, whom the code was for, and who began.
#[tokio::test]
async fn dw_38_the_code_is_exchanged_once_by_the_server_that_asked_for_it() {
    let world = added().await;
    let tokens = world.wire.tokens();
    let pushed = world.wire.pushed();
    assert_eq!((tokens.len(), pushed.len()), (2, 2));
    for (token, pushed) in tokens.iter().zip(&pushed) {
        assert!(token.is_server_side() && is_authenticated(token));
        assert_eq!(token.status, 200);
        assert!(token.continues(pushed));
        let (token, pushed) = (token.form(), pushed.form());
        let state = &pushed["state"];
        let mut callbacks = world.wire.at(Party::Portal, "/callback");
        callbacks.retain(|one| one.parameters()["state"] == *state);
        assert_eq!(callbacks.len(), 1);
        assert_eq!(callbacks[0].parameters()["code"], token["code"]);
    }
}

/// The portal's secret and key are in nothing that a browser sent or was sent.
#[tokio::test]
async fn dw_54_the_secret_goes_to_the_gateway_and_into_no_browser() {
    let world = added().await;
    for call in world.wire.pushed().iter().chain(&world.wire.tokens()) {
        assert!(is_authenticated(call), "{}", call.path);
        assert!(call.is_server_side(), "{}", call.path);
    }
    let mut seen = world.wire.exchanges();
    seen.retain(|one| {
        one.party == Party::Portal || !one.path.ends_with("/par") && !one.path.ends_with("/token")
    });
    assert!(seen.len() > 15, "only {}", seen.len());
    for one in seen {
        let all = format!(
            "{} {:?} {} {:?} {}",
            one.query, one.headers, one.body, one.answer_headers, one.answer
        );
        for secret in [CLIENT_SECRET, SIGNING_KEY, "code_verifier"] {
            assert!(!all.contains(secret), "{} has a secret", one.path);
        }
    }
}

#[tokio::test]
async fn dw_55_the_credential_request_is_signed_with_the_provided_key() {
    let world = added().await;
    let draft = world.wire.pushed_drafts().remove(0);
    let key = HmacKey::parse(SIGNING_KEY).unwrap();
    let claims = draft.draft_signed_with(&key).unwrap();
    let now = Timestamp::now().as_second();
    let (began, ends) = (claims["iat"].as_i64(), claims["exp"].as_i64());
    assert!(began.is_some_and(|at| (now - 60..=now).contains(&at)));
    assert!(ends.is_some_and(|at| (now..=now + 600).contains(&at)));
    let other = HmacKey::generate().unwrap();
    assert!(draft.draft_signed_with(&other).is_none());
}

#[tokio::test]
async fn dw_56_the_browser_takes_nothing_to_the_gateway_but_the_name_of_what_was_pushed() {
    let world = added().await;
    let (pushed, authorized) = (world.wire.pushed(), world.wire.authorized());
    assert_eq!(pushed.len(), authorized.len());
    for (pushed, authorized) in pushed.iter().zip(&authorized) {
        let answer: serde_json::Value = serde_json::from_str(&pushed.answer).unwrap();
        let parameters = authorized.brought();
        assert_eq!(parameters["client_id"], "portal");
        assert_eq!(answer["request_uri"], parameters["request_uri"].as_str());
        assert_eq!(parameters.len(), 2, "{parameters:?}");
    }
}

#[tokio::test]
async fn dw_86_every_call_to_the_gateway_proves_who_asks() {
    let world = added().await;
    let anna = world.logged_in("anna").await;
    world.press_at_hr(RECORD, "delete").await;
    world.until(&anna, RECORD, "cancelled").await;
    let revocations = world.wire.revocations();
    assert_eq!(revocations.len(), 1);
    assert_eq!(revocations[0]["client_id"], "portal");
    assert_eq!(revocations[0]["client_secret"], CLIENT_SECRET);
    let mut asked = world.wire.pushed();
    asked.extend(world.wire.tokens());
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(is_authenticated));
}

/// With a key that is not the one that was provided, nothing is issued, and the person is not told so.
#[tokio::test]
async fn dw_87_what_another_key_signed_is_issued_to_nobody() {
    let other = "c2FuZGJveC1rZXktb2Ytc29tZWJvZHktZWxzZS0wMTI=";
    let world = World::start_with(Database::sqlite(), |config| {
        config.gateway.signing_key = SecretSource::held(other);
    })
    .await;
    let anna = world.anna().await;
    world.verify(&anna, "anna").await;
    let page = anna.confirm(RECORD).await;
    let page = anna
        .send(&page, "/credentials/anna-programme/add", &[])
        .await;
    assert_eq!(page.heading(), "There is a problem with the service");
    let refused = world.wire.pushed_drafts().pop().unwrap();
    assert_eq!(refused.status, 400, "{}", refused.answer);
    assert!(world.held("anna", "TrainingProgramme").await.is_empty());
    let list = anna.open("/credentials").await;
    assert_eq!(list.state_of(RECORD).as_deref(), Some("not-added"));
}
