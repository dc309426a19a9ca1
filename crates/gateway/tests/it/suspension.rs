//! What the operator does to one credential: suspended, it is refused until it is reinstated; revoked, for good.

use gateway::keys::KeyPurpose;
use gateway::revoke::operator::{self, Change, ChangeError, Done, Target};
use gateway::status::Reason;
use jiff::SignedDuration;
use serde_json::Value;
use standards::jose::Algorithm;
use standards::status_list::{
    ExpectedBitstring, ParsedBitstringCredential, ParsedStatusListToken, Purpose, Status,
};
use store::Statement;
use uuid::Uuid;

use crate::database::{Database, on_both_engines};
use crate::raw_wallet::read;
use crate::world::{Browser, World, client, programme};

on_both_engines!(
    a_suspended_credential_is_refused_and_a_reinstated_one_is_taken_again,
    what_is_revoked_is_neither_suspended_nor_reinstated,
    a_change_and_what_is_kept_with_it_are_one,
);

const SUSPEND: Change<'static> = Change::Suspend(Reason::UnderReview);
const REVOKE: Change<'static> = Change::Revoke(Reason::LeftEmployment, "leaver list of November");
const SKEW: SignedDuration = SignedDuration::from_secs(60);

pub(crate) fn target(serial: &str) -> Target<'static> {
    Target {
        organisation: "anytown",
        serial_number: Uuid::try_parse(serial).unwrap(),
        credential_type: None,
    }
}

async fn change(world: &World, serial: &str, change: Change<'_>) -> Result<Done, ChangeError> {
    let app = world.gateway.app();
    let done = operator::change(&app.store, target(serial), change, Vec::new(), app.now()).await;
    app.lists.changed();
    done
}

/// How a verification of this credential ends: the relying party's error, if it is one.
async fn verified(world: &World) -> Option<String> {
    let party = world.party("v2");
    let address = world.pushed(&party, |form| form.set("scope", "openid TrainingProgramme"));
    let browser = Browser::new();
    let page = browser.open(&address.await).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let select = Statement::new("SELECT outcome FROM interactions ORDER BY created_at DESC, id");
    let rows = world.gateway.app().store.read(select).await.unwrap();
    let outcomes = rows
        .iter()
        .filter_map(|row| row.optional_text("outcome").unwrap());
    outcomes
        .map(str::to_owned)
        .find(|outcome| outcome.starts_with("credential-"))
}

/// The entry as the three published forms have it: the token's status, and the bits of the two bitstrings.
async fn published(world: &World, serial: &str) -> (Status, bool, bool) {
    let app = world.gateway.app();
    let select =
        Statement::new("SELECT list, list_index FROM credentials WHERE serial_number = $1");
    let row = app
        .store
        .read_one(select.bind(serial))
        .await
        .unwrap()
        .unwrap();
    let (list, index) = (
        row.integer("list").unwrap(),
        row.integer("list_index").unwrap(),
    );
    let index = u64::try_from(index).unwrap();
    let key = app
        .keys
        .active(KeyPurpose::Status, "anytown")
        .unwrap()
        .public_jwk();
    let uri = world.url(&format!("/issuers/anytown/status/{list}"));
    let token = read(client().get(&uri)).await.body;
    let token = ParsedStatusListToken::parse(&token).unwrap();
    let token = token.verify(key, &[Algorithm::ES256], &uri, world.now(), SKEW);
    let mut bits = [false; 2];
    for (bit, purpose) in bits
        .iter_mut()
        .zip([Purpose::Revocation, Purpose::Suspension])
    {
        let uri = format!("{uri}/{}", purpose.name());
        let answer = read(client().get(&uri)).await;
        assert_eq!(answer.headers["content-type"], "application/vc+jwt");
        assert_eq!(answer.headers["cache-control"], "public, max-age=30");
        let expected = ExpectedBitstring {
            uri: &uri,
            issuer: &app.organisations.find("anytown").unwrap().did,
            purpose,
        };
        let parsed = ParsedBitstringCredential::parse(&answer.body).unwrap();
        let read = parsed.verify(key, &[Algorithm::ES256], &expected, world.now(), SKEW);
        *bit = read.unwrap().is_set(index).unwrap();
    }
    (token.unwrap().find(index).unwrap(), bits[0], bits[1])
}

/// BS-01, TS-03, SEC-25: the refusal is its own, not 'revoked'.
async fn a_suspended_credential_is_refused_and_a_reinstated_one_is_taken_again(database: Database) {
    let world = World::start_on(database).await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    assert_eq!(
        published(&world, &serial).await,
        (Status::Valid, false, false)
    );
    assert_eq!(verified(&world).await, None);

    assert_eq!(
        change(&world, &serial, SUSPEND).await.unwrap(),
        Done::Changed
    );
    assert_eq!(
        change(&world, &serial, SUSPEND).await.unwrap(),
        Done::AlreadySo
    );
    assert_eq!(
        published(&world, &serial).await,
        (Status::Suspended, false, true)
    );
    assert_eq!(
        verified(&world).await.as_deref(),
        Some("credential-suspended")
    );

    let reinstate = Change::Reinstate;
    assert_eq!(
        change(&world, &serial, reinstate).await.unwrap(),
        Done::Changed
    );
    assert_eq!(
        change(&world, &serial, reinstate).await.unwrap(),
        Done::AlreadySo
    );
    assert_eq!(
        published(&world, &serial).await,
        (Status::Valid, false, false)
    );

    change(&world, &serial, SUSPEND).await.unwrap();
    assert_eq!(
        change(&world, &serial, REVOKE).await.unwrap(),
        Done::Changed
    );
    assert_eq!(
        published(&world, &serial).await,
        (Status::Invalid, true, false)
    );
}

/// SEC-27.
async fn what_is_revoked_is_neither_suspended_nor_reinstated(database: Database) {
    let world = World::start_on(database).await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    assert_eq!(
        change(&world, &serial, REVOKE).await.unwrap(),
        Done::Changed
    );
    assert_eq!(
        change(&world, &serial, REVOKE).await.unwrap(),
        Done::AlreadySo
    );
    for change_of in [SUSPEND, Change::Reinstate] {
        let refused = change(&world, &serial, change_of).await.unwrap_err();
        assert_eq!(refused.code(), "credential-revoked");
    }
    assert_eq!(
        published(&world, &serial).await,
        (Status::Invalid, true, false)
    );
    let select = "SELECT revocation_cause, revocation_code, revocation_reason FROM credentials";
    let row = world
        .gateway
        .app()
        .store
        .read_one(Statement::new(select))
        .await;
    let row = row.unwrap().unwrap();
    let said = ["revocation_cause", "revocation_code", "revocation_reason"]
        .map(|column| row.text(column).unwrap().to_owned());
    assert_eq!(
        said,
        ["operator", "left-employment", "leaver list of November"]
    );
}

/// SEC-27: an audit line that cannot be kept keeps the change from being made; and what changes nothing adds none.
async fn a_change_and_what_is_kept_with_it_are_one(database: Database) {
    let world = World::start_on(database).await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let app = world.gateway.app();
    let line = |id: &'static str| {
        let insert = "INSERT INTO used_nonces (digest, expires_at) VALUES ($1, 4102444800)";
        vec![Statement::new(insert).bind(id)]
    };
    let make = async |change_of, also| {
        operator::change(&app.store, target(&serial), change_of, also, app.now()).await
    };
    assert_eq!(make(SUSPEND, line("a")).await.unwrap(), Done::Changed);
    let refused = make(REVOKE, line("a")).await.unwrap_err();
    assert_eq!(refused.code(), "not-stored");
    assert_eq!(published(&world, &serial).await.0, Status::Suspended);
    assert_eq!(make(SUSPEND, line("b")).await.unwrap(), Done::AlreadySo);
    let select = Statement::new("SELECT digest FROM used_nonces WHERE digest IN ('a', 'b')");
    assert_eq!(app.store.read(select).await.unwrap().len(), 1);
}

/// SEC-27, SEC-33: an unknown number, another organisation's and another type's look alike, whatever is to be done.
#[tokio::test]
async fn another_organisations_credential_and_another_type_are_unknown_to_the_operator() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let app = world.gateway.app();
    let own = target(&serial);
    let unknown = target("3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10");
    let foreign = Target {
        organisation: "elsewhere",
        ..own
    };
    let wrong_type = Target {
        credential_type: Some("Identity"),
        ..own
    };
    for change_of in [REVOKE, SUSPEND, Change::Reinstate] {
        for target in [unknown, foreign, wrong_type] {
            let done = operator::change(&app.store, target, change_of, Vec::new(), app.now()).await;
            assert_eq!(done.unwrap_err().code(), "credential-unknown");
        }
    }
    assert_eq!(published(&world, &serial).await.0, Status::Valid);
}

/// BS-01: beside the status that it always carried, a W3C credential names the same place in the W3C's form.
#[tokio::test]
async fn a_w3c_credential_names_its_place_in_both_forms_and_an_sd_jwt_in_one() {
    use crate::raw_wallet::{RawWallet, Waiting};
    let world = World::start().await;
    let wallet = RawWallet::new();
    let mut claims = Vec::new();
    for suffix in ["jwt-vc", "sd-jwt"] {
        let link = Waiting::to_issue(&world, "v2").await.link();
        let text = wallet.receive(&world, &link, suffix).await;
        let payload = text.split('.').nth(1).unwrap();
        let payload = standards::base64url::decode(payload).unwrap();
        claims.push(serde_json::from_slice::<Value>(&payload).unwrap());
    }
    let place = &claims[0]["status"]["status_list"];
    let (uri, index) = (place["uri"].as_str().unwrap(), place["idx"].to_string());
    for (at, purpose) in ["revocation", "suspension"].into_iter().enumerate() {
        let entry = &claims[0]["vc"]["credentialStatus"][at];
        assert_eq!(entry["type"], "BitstringStatusListEntry");
        assert_eq!(entry["statusPurpose"], purpose);
        assert_eq!(entry["statusListIndex"], index.as_str());
        assert_eq!(entry["statusListCredential"], format!("{uri}/{purpose}"));
    }
    assert!(claims[1]["status"]["status_list"]["idx"].is_u64());
    assert!(!claims[1].to_string().contains("Bitstring"));
}
