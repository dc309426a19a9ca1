//! Keys change while journeys are under way, in two processes on one database, and nothing breaks.

use gateway::keys::acts::{PUBLISHED_AFTER, PUBLISHED_BEFORE};
use gateway::keys::{KeyPurpose, State};
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::json;
use standards::jose::{JwkSet, Typ, jws};

use crate::database::{Database, on_both_engines};
use crate::key_stage::{KeyStage, brought, code, kid, kid_of};
use crate::raw_wallet::{RawWallet, Waiting, credential, notify, offer, read, request, token};
use crate::world::{Browser, client};

on_both_engines!(
    a_key_is_next_then_active_then_verify_only_then_removed,
    a_key_that_changes_between_a_pushed_request_and_its_token_breaks_nothing,
    a_key_that_changes_between_an_offer_and_its_credential_breaks_nothing,
    a_process_that_has_not_heard_of_a_change_yet_breaks_nothing,
    of_two_who_change_a_key_at_once_one_does,
);

const CREDENTIALS: &str = "anytown.credentials";

/// DW-88: a retired key is still listed. SEC-16.
async fn a_key_is_next_then_active_then_verify_only_then_removed(database: Database) {
    let stage = KeyStage::set(database).await;
    let (desk, credentials) = (&stage.desk, KeyPurpose::Credentials);
    let first = kid(&stage.key(credentials));
    let (wallet, card) = stage.holder("jwt-vc").await;
    assert_eq!(kid_of(&card), first);

    let next = brought(&desk.rotate(CREDENTIALS, false).await.unwrap(), State::Next);
    let again = desk.create(CREDENTIALS, None).await;
    assert_eq!(code(again), "key-next-there");
    stage.both_follow().await;
    assert_eq!(stage.published(credentials, &next).await, [true; 4]);
    assert_eq!(kid(&stage.key(credentials)), first, "it does not sign yet");

    // Seven days, and not a moment less.
    let second = SignedDuration::from_secs(1);
    stage.world.later(PUBLISHED_BEFORE - second * 30);
    for early in [
        desk.activate(&next, false).await,
        desk.rotate(CREDENTIALS, false).await,
        desk.retire(&first, false).await,
    ] {
        assert_eq!(code(early), "key-too-young");
    }
    stage.world.later(PUBLISHED_BEFORE + second);
    let changes = desk.rotate(CREDENTIALS, false).await.unwrap();
    assert_eq!(brought(&changes, State::Active), next);
    assert_eq!(brought(&changes, State::VerifyOnly), first);
    stage.both_follow().await;
    assert_eq!(kid(&stage.key(credentials)), next);
    for key in [&first, &next] {
        assert_eq!(stage.published(credentials, key).await, [true; 4]);
    }
    let (newer_wallet, newer) = stage.holder("jwt-vc").await;
    assert_eq!(kid_of(&newer), next);
    stage.verifies(&wallet, &card).await;
    stage.verifies(&newer_wallet, &newer).await;

    // Whoever signs is not removed, nor is what credentials still need.
    assert_eq!(code(desk.remove(&next, false).await), "key-state");
    let refused = desk.remove(&first, false).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("1 credentials still verify with this key"),
        "{refused}"
    );
    let serial =
        crate::key_stage::claims_of(&card)["jti"].as_str().unwrap()["urn:uuid:".len()..].to_owned();
    let of_list = Some((1, vec![serial.clone()]));
    assert_eq!(desk.serial_numbers(&first, 0).await.unwrap(), of_list);
    let party = stage.world.party("v2");
    let revoked = stage.world.revoke(&party, &serial, |_| ()).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    let of_list = Some((1, Vec::new()));
    assert_eq!(desk.serial_numbers(&first, 0).await.unwrap(), of_list);
    assert_eq!(code(desk.remove(&first, false).await), "key-still-believed");
    stage
        .world
        .later(PUBLISHED_BEFORE + PUBLISHED_AFTER + second * 60);
    let name = stage.row(&first).await.name;
    let file = stage.world.config.keys.join(format!("{name}.pem"));
    assert!(file.exists());
    desk.remove(&first, false).await.unwrap();
    stage.both_follow().await;
    assert_eq!(stage.published(credentials, &first).await, [false; 4]);
    assert!(!file.exists(), "a key that is gone is destroyed");
    stage.is_refused(&wallet, &card).await;
    stage.verifies(&newer_wallet, &newer).await;
}

/// SEC-10: between PAR and token, and between token and key set.
async fn a_key_that_changes_between_a_pushed_request_and_its_token_breaks_nothing(
    database: Database,
) {
    let stage = KeyStage::set(database).await;
    let world = &stage.world;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let before = kid(&stage.key_of_gateway(KeyPurpose::IdTokenEs256));

    let address = world.pushed(&party, |_| ()).await;
    stage.desk.rotate("id-token-es256", true).await.unwrap();
    stage.desk.rotate("anytown.requests", true).await.unwrap();
    stage.desk.rotate("anytown.status", true).await.unwrap();
    stage.both_follow().await;
    let browser = Browser::new();
    let page = browser.open(&address).await;
    let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(
        scanned.outcome,
        wallet::Outcome::Presented,
        "{:?}",
        scanned.reason
    );
    let back = browser.open(&page.url).await.code();
    let answer = world.token(&party, |form| form.code(&back)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let id_token = answer.json["id_token"].as_str().unwrap();
    assert_ne!(kid_of(id_token), before);

    // The client fetches the keys only after the next change, from the other process.
    stage.desk.rotate("id-token-es256", true).await.unwrap();
    stage.both_follow().await;
    let set = read(client().get(stage.second(&world.url("/jwks")))).await;
    let set = JwkSet::parse(&set.json).unwrap();
    let parsed = jws::parse(id_token).unwrap();
    let key = set.find(&kid_of(id_token)).unwrap();
    let algorithms = [standards::jose::Algorithm::ES256];
    assert!(parsed.verify(key, &algorithms, Typ::Is("JWT")).is_ok());
    // Three keys of one purpose: the one that signs is the first of its kind.
    let ids: Vec<_> = set
        .keys()
        .iter()
        .filter(|key| key.alg() == Some("ES256"))
        .map(|key| key.kid().unwrap())
        .collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[0], kid(&stage.key_of_gateway(KeyPurpose::IdTokenEs256)));
}

async fn a_key_that_changes_between_an_offer_and_its_credential_breaks_nothing(database: Database) {
    let stage = KeyStage::set(database).await;
    let (world, wallet) = (&stage.world, RawWallet::new());
    let waiting = Waiting::to_issue(world, "v2").await;
    let offered = offer(&waiting.link()).await;
    let access = token(&offered.issuer, &offered.code).await.json["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let configuration = offered
        .configurations
        .iter()
        .find(|id| id.ends_with("jwt-vc"));
    let ask = wallet
        .request(&offered.issuer, configuration.unwrap(), world.now())
        .await;

    stage.desk.rotate(CREDENTIALS, true).await.unwrap();
    stage.both_follow().await;
    let issued = credential(&offered.issuer, &access, &ask).await;
    assert_eq!(issued.status, StatusCode::OK, "{}", issued.body);
    // Changed once more before the wallet asks again, at the other process: it gets the same one.
    stage.desk.rotate(CREDENTIALS, true).await.unwrap();
    stage.both_follow().await;
    let again = credential(&stage.second(&offered.issuer), &access, &ask).await;
    assert_eq!(again.json["credentials"], issued.json["credentials"]);
    let card = issued.json["credentials"][0]["credential"]
        .as_str()
        .unwrap();
    stage.verifies(&wallet, card).await;
    let event = json!({
        "notification_id": issued.json["notification_id"],
        "event": "credential_accepted",
    });
    let told = notify(&offered.issuer, &access, &event).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT, "{}", told.body);
    let code = waiting.again().await.code();
    let collected = world
        .token(&world.party("v2"), |form| form.code(&code))
        .await;
    assert_eq!(collected.status, StatusCode::OK, "{}", collected.body);

    // A request object that was signed before a change is answered after it.
    let waiting = Waiting::to_verify(world, "TrainingProgramme").await;
    let requested = request(&waiting.link()).await;
    stage.desk.rotate("anytown.requests", true).await.unwrap();
    stage.both_follow().await;
    let presented = wallet.present_w3c(card, &requested, world.now()).await;
    let answer = requested.post(requested.answer(presented)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

/// A change in its usual time, of which one process has heard and the other has not.
async fn a_process_that_has_not_heard_of_a_change_yet_breaks_nothing(database: Database) {
    let stage = KeyStage::set(database).await;
    let first = kid(&stage.key(KeyPurpose::Credentials));
    stage.desk.create(CREDENTIALS, None).await.unwrap();
    stage.both_follow().await;
    stage
        .world
        .later(PUBLISHED_BEFORE + SignedDuration::from_mins(1));
    stage.desk.rotate(CREDENTIALS, false).await.unwrap();
    stage.second.follow_once().await.unwrap();

    // The first process signs with the key of before, and the second believes it.
    let (wallet, card) = stage.holder("jwt-vc").await;
    assert_eq!(kid_of(&card), first);
    stage.verifies(&wallet, &card).await;
    stage.world.gateway.follow_once().await.unwrap();
    stage.desk.create(CREDENTIALS, None).await.unwrap();
    let (wallet, card) = stage.holder("jwt-vc").await;
    assert_ne!(kid_of(&card), first);
    stage.verifies(&wallet, &card).await;
}

async fn of_two_who_change_a_key_at_once_one_does(database: Database) {
    let stage = KeyStage::set(database).await;
    let other = crate::key_stage::desk(&stage.world).await;
    let first = kid(&stage.key(KeyPurpose::Status));
    let (one, two) = tokio::join!(
        stage.desk.rotate("anytown.status", true),
        other.rotate("anytown.status", true)
    );
    // Both at the same moment, or one after the other: never two that sign.
    for refused in [&one, &two]
        .into_iter()
        .filter_map(|done| done.as_ref().err())
    {
        assert_eq!(refused.code(), "key-overtaken");
    }
    let rows = stage.desk.list().await.unwrap();
    let of_place = |state| {
        let signs = rows.iter().filter(move |row| row.state == state);
        signs
            .filter(|row| row.place.to_string() == "anytown.status")
            .count()
    };
    let changed = [&one, &two].iter().filter(|done| done.is_ok()).count();
    assert!(changed > 0);
    assert_eq!(
        (of_place(State::Active), of_place(State::VerifyOnly)),
        (1, changed)
    );
    assert_eq!(stage.state(&first).await, State::VerifyOnly);
    // Of what was not kept nothing stays behind.
    let files = std::fs::read_dir(&stage.world.config.keys).unwrap().count();
    assert_eq!(files, rows.len());
}
