//! What an attacker tries at the revocation endpoint (acceptance 7).

use std::collections::HashSet;

use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use store::Statement;

use crate::database::{Database, on_both_engines};
use crate::world::{Answer, World, client, programme};

on_both_engines!(a_revocation_has_one_effect);

/// SEC-27, DW-74, DW-76.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_issuing_organisation_revokes_and_the_answer_tells_nobody_which_part_was_wrong() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let (own, stranger) = (world.party("v2"), world.party("stranger"));
    let unknown = uuid::Uuid::new_v4().to_string();
    let refused = [
        world.revoke(&stranger, &serial, |_| ()).await,
        world
            .revoke(&stranger, &serial, |body| {
                set(body, "OrganisationId", "anytown")
            })
            .await,
        world
            .revoke(&own, &serial, |body| {
                set(body, "OrganisationId", "elsewhere")
            })
            .await,
        world
            .revoke(&own, &serial, |body| {
                set(body, "CredentialTemplateName", "Identity")
            })
            .await,
        world.revoke(&own, &unknown, |_| ()).await,
        world.revoke(&own, "1 OR 1=1", |_| ()).await,
    ];
    for answer in &refused {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.body, refused[0].body);
    }
    let ours = world.revoke(&own, &serial, |_| ()).await;
    assert_eq!(ours.status, StatusCode::NO_CONTENT, "{}", ours.body);
}

/// SEC-06, DW-76.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_is_known_before_anything_is_looked_up() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let party = world.party("v2");
    for (name, value) in [("client_secret", "wrong"), ("client_id", "nobody")] {
        let answer = world
            .revoke(&party, &serial, |body| set(body, name, value))
            .await;
        assert_eq!(
            (answer.status, answer.error()),
            (StatusCode::UNAUTHORIZED, "invalid_client")
        );
    }
    for missing in [
        "client_id",
        "client_secret",
        "OrganisationId",
        "CredentialTemplateName",
        "SerialNumber",
    ] {
        let answer = world
            .revoke(&party, &serial, |body| drop(body.remove(missing)))
            .await;
        assert_eq!(
            (answer.status, answer.error()),
            (StatusCode::BAD_REQUEST, "invalid_request")
        );
        assert!(answer.description().contains(missing), "{}", answer.body);
    }
}

/// DW-74: a reason is kept as it was sent, or the caller hears that it is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reason_may_be_left_out_and_is_never_dropped() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let party = world.party("v2");
    let revoke = async |reasons: &[(&str, Value)]| {
        let body = |body: &mut Map<String, Value>| {
            body.remove("RevocationReason");
            body.extend(
                reasons
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone())),
            );
        };
        world.revoke(&party, &serial, body).await
    };
    for reasons in [
        &[("RevocationReason", json!(["left"]))] as &[_],
        &[("RevocationReason", json!(7))],
        &[
            ("RevocationReason", json!("left")),
            ("revocationReason", json!("other")),
        ],
    ] {
        let refused = revoke(reasons).await;
        assert_eq!(
            (refused.status, refused.error()),
            (StatusCode::BAD_REQUEST, "invalid_request"),
            "{reasons:?}"
        );
        assert!(refused.description().contains("RevocationReason"));
    }
    for reasons in [&[("RevocationReason", Value::Null)] as &[_], &[]] {
        assert_eq!(revoke(reasons).await.status, StatusCode::NO_CONTENT);
    }
    let other = world.issue("anna", "TrainingProgramme", programme()).await;
    let said = |body: &mut Map<String, Value>| {
        body.insert("RevocationReason".into(), json!("left\u{7} early"));
    };
    let revoked = world.revoke(&party, &other, said).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    let select = "SELECT revocation_reason FROM credentials WHERE serial_number = $1";
    let select = Statement::new(select).bind(other.as_str());
    let row = world.gateway.app().store.read_one(select).await;
    let row = row.unwrap().unwrap();
    assert_eq!(row.text("revocation_reason").unwrap(), "left early");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_not_one_json_object_is_refused() {
    let world = World::start().await;
    let party = world.party("v2");
    let twice = format!(
        r#"{{"client_id":"v2","client_id":"stranger","client_secret":"{}"}}"#,
        party.secret
    );
    for body in [
        "",
        "[]",
        "client_id=v2",
        "{\"a\":",
        &"[".repeat(8_000),
        &twice,
    ] {
        let request = client()
            .post(world.url("/Revocation/revokecredential"))
            .header("content-type", "application/json");
        let answer = Answer::read(request.body(body.to_owned()).send().await.unwrap()).await;
        assert_eq!(
            (answer.status, answer.error()),
            (StatusCode::BAD_REQUEST, "invalid_request")
        );
    }
}

/// SEC-27, DW-74: a revocation that comes twice at once counts once, and its reason is kept.
async fn a_revocation_has_one_effect(database: Database) {
    let world = World::start_on(database).await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let party = world.party("v2");
    let tries = (0..20).map(|_| world.revoke(&party, &serial, |_| ()));
    for told in futures_util::future::join_all(tries).await {
        assert_eq!(told.status, StatusCode::NO_CONTENT);
    }
    let read =
        store::Statement::new("SELECT revision FROM status_lists WHERE organisation = 'anytown'");
    let row = world
        .gateway
        .app()
        .store
        .read_one(read)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.integer("revision").unwrap(), 1);
    let again = world.revoke(&party, &serial, |body| {
        set(body, "RevocationReason", "another")
    });
    assert_eq!(again.await.status, StatusCode::NO_CONTENT);
    let read = store::Statement::new("SELECT revocation_reason FROM credentials");
    let row = world.gateway.app().store.read_one(read).await;
    let row = row.unwrap().unwrap();
    let reason = row.optional_text("revocation_reason").unwrap();
    assert!(reason.is_some_and(|reason| reason != "another"));
    let read = store::Statement::new(
        "SELECT count(*) AS times FROM audit_entries WHERE act = 'credential-revoked'",
    );
    let row = world.gateway.app().store.read_one(read).await;
    assert_eq!(row.unwrap().unwrap().integer("times").unwrap(), 1);
}

/// TS-05: a credential's place in its list tells neither when it was issued nor what was issued beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_in_a_list_are_drawn_at_random_and_never_twice() {
    let world = World::start().await;
    let mut places = Vec::new();
    for _ in 0..6 {
        let serial = world.issue("anna", "TrainingProgramme", programme()).await;
        let read =
            store::Statement::new("SELECT list_index FROM credentials WHERE serial_number = $1");
        let row = world.gateway.app().store.read_one(read.bind(serial)).await;
        places.push(row.unwrap().unwrap().integer("list_index").unwrap());
    }
    assert_eq!(places.iter().collect::<HashSet<_>>().len(), 6);
    let far = |pair: &[i64]| pair[1].abs_diff(pair[0]) > 16;
    assert!(places.windows(2).any(far), "{places:?}");
}

/// TS-02: the published list says so, too, and is signed by the organisation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_published_list_changes_with_the_revocation() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let address = world.url("/issuers/anytown/status/1");
    let first = client().get(&address).send().await.unwrap();
    assert_eq!(
        first.headers()["content-type"],
        "application/statuslist+jwt"
    );
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    let unchanged = client()
        .get(&address)
        .header("if-none-match", &etag)
        .send()
        .await
        .unwrap();
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);

    world.revoke(&world.party("v2"), &serial, |_| ()).await;
    let changed = client()
        .get(&address)
        .header("if-none-match", &etag)
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    let did = Answer::read(
        client()
            .get(world.url("/issuers/anytown/did.json"))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert!(
        did.json["verificationMethod"]
            .as_array()
            .is_some_and(|methods| methods.len() == 3),
        "{}",
        did.body
    );
    let held = world.wallet.credentials("anna").await.unwrap();
    assert_eq!(
        serde_json::to_value(&held).unwrap()[0]["status"],
        json!("revoked")
    );
}

fn set(body: &mut Map<String, Value>, name: &str, value: &str) {
    body.insert(name.to_owned(), value.into());
}
