//! What wakes nobody today and must be known before it does: keys that grow old, an audit that nobody signs.

use gateway::Gateway;
use gateway::audit::{chain, checkpoint};
use gateway::keys::{GATEWAY, KeyPurpose};
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::Value;
use standards::jose::Signer;
use store::Statement;

use crate::database::Database;
use crate::key_stage::{KeyStage, kid};
use crate::watching::{ask_metrics, sample};
use crate::world::World;

/// An answer serves for a second.
async fn a_second_later() {
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
}

/// What the readiness of a gateway that answers requests says of its audit.
async fn audit(gateway: &Gateway) -> (bool, String) {
    let (status, full) = ask_metrics(gateway, "/readyz").await;
    assert_eq!(status, StatusCode::OK, "{full}");
    let full: Value = serde_json::from_str(&full).unwrap();
    let mut checks = full["checks"].as_array().unwrap().iter();
    let check = checks.find(|check| check["code"] == "audit").unwrap();
    (
        check["ok"].as_bool().unwrap(),
        check["sentence"].as_str().unwrap().to_owned(),
    )
}

const WELL: &str = "the end of the audit's chain is as it was signed";

/// The alarm about old secrets counts from the day on which a key began to sign, wherever it is kept, and counts no key that does
/// not sign.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_as_old_as_its_signing_and_only_the_one_that_signs_counts() {
    let world = World::start().await;
    let place = "lanyard_secret_changed_timestamp_seconds{secret=\"key:anytown.credentials\"}";
    let began = world.now().as_second();
    let age = async || {
        let (_, text) = ask_metrics(&world.gateway, "/metrics").await;
        let keys = text
            .lines()
            .filter(|line| line.contains("secret=\"key:anytown."));
        assert_eq!(keys.count(), 3, "{text}");
        assert!(!text.contains("key:environment"), "{text}");
        #[allow(clippy::cast_possible_truncation)]
        let at = sample(&text, place).unwrap() as i64;
        at
    };
    let first = age().await;
    assert!((began - first).abs() < 60);

    // A year later another signs, made beside this process: the one before verifies, and is no secret that has to be changed.
    world.later(SignedDuration::from_hours(24 * 401));
    let app = world.gateway.app();
    let later = app.now();
    assert_eq!(age().await, first);
    let retire = "UPDATE signing_keys SET state = 'verify-only', retired_at = $1 WHERE name = 'anytown.credentials'";
    let retire = Statement::new(retire).bind(later).must_change(1);
    let next = "INSERT INTO signing_keys (kid, owner, purpose, algorithm, state, name, adopted, created_at, activated_at) \
                VALUES ('in-a-token', 'anytown', 'credentials', 'ES256', 'active', 'anytown.credentials.2', $1, $2, $3)";
    let next = Statement::new(next).bind(false).bind(later).bind(later);
    app.store.write([retire, next]).await.unwrap();
    assert_eq!(age().await, later.as_second());
}

/// An audit that nobody can sign, or that is not what was signed, is said while the gateway runs: to whoever watches it, and
/// requests go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_without_its_key_and_a_chain_that_is_not_what_was_signed_are_told_by_the_readiness()
 {
    let world = World::start().await;
    let app = world.gateway.app();
    let audit = async || audit(&world.gateway).await;
    chain::round(&app.store).await.unwrap();
    // One that was just set up has none yet; one that has none after an hour is late.
    let unsigned = (true, "no checkpoint was signed yet".to_owned());
    assert_eq!(audit().await, unsigned);
    world.later(SignedDuration::from_mins(62));
    a_second_later().await;
    let (ok, sentence) = audit().await;
    assert!(
        !ok && sentence.contains("within an hour of the first entry"),
        "{sentence}"
    );
    let key = app.keys.active(KeyPurpose::Audit, GATEWAY).unwrap();
    let signed = checkpoint::round(&app.store, &app.base, key.as_ref(), app.now());
    signed.await.unwrap();
    a_second_later().await;
    assert_eq!(audit().await, (true, WELL.to_owned()));

    // Somebody puts another in its place.
    let forged = "INSERT INTO audit_checkpoints (day, position, digest, jws) \
                  SELECT '2999-01-01', position, digest, jws FROM audit_checkpoints";
    app.store
        .write([Statement::new(forged).must_change(1)])
        .await
        .unwrap();
    a_second_later().await;
    let (ok, sentence) = audit().await;
    assert!(
        !ok && sentence.contains("or not what stands there"),
        "{sentence}"
    );
    let (_, figures) = ask_metrics(&world.gateway, "/metrics").await;
    let figure = "lanyard_ready_check{check=\"audit\"}";
    assert_eq!(sample(&figures, figure), Some(0.0));
    assert_eq!(sample(&figures, "lanyard_ready "), Some(1.0));
    let gone = "UPDATE signing_keys SET state = 'compromised', ended_at = $1 WHERE owner = $2 AND purpose = 'audit'";
    let gone = Statement::new(gone)
        .bind(app.now())
        .bind(GATEWAY)
        .must_change(1);
    let tell = "INSERT INTO revisions (name, revision) VALUES ('keys', 1) ON CONFLICT (name) DO UPDATE SET revision = revisions.revision + 1";
    app.store.write([gone, Statement::new(tell)]).await.unwrap();
    world.gateway.follow_once().await.unwrap();
    a_second_later().await;
    let (ok, sentence) = audit().await;
    assert!(
        !ok && sentence.contains("no checkpoint of the audit is signed"),
        "{sentence}"
    );
}

/// A key of the audit that somebody else may have signs no more. What it signed before the report is no forgery and wakes nobody,
/// until another key signs on the next day; what it signs later is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_whose_key_was_reported_since_is_told_as_such_and_what_that_key_signs_later_as_forged()
 {
    let day = SignedDuration::from_hours(24);
    let stage = KeyStage::set(Database::sqlite()).await;
    let world = &stage.world;
    let app = world.gateway.app();
    let sign = async |key: &dyn Signer| {
        chain::round(&app.store).await.unwrap();
        let signed = checkpoint::round(&app.store, &app.base, key, world.now());
        signed.await.unwrap();
    };
    let leaked = stage.key_of_gateway(KeyPurpose::Audit);
    sign(leaked.as_ref()).await;
    stage.desk.compromised(&kid(&leaked)).await.unwrap();
    stage.both_follow().await;
    let (ok, sentence) = audit(&world.gateway).await;
    assert!(
        ok && sentence.contains("was reported compromised since"),
        "{sentence}"
    );

    world.later(day);
    sign(stage.key_of_gateway(KeyPurpose::Audit).as_ref()).await;
    a_second_later().await;
    assert_eq!(audit(&world.gateway).await, (true, WELL.to_owned()));

    world.later(day * 2);
    sign(leaked.as_ref()).await;
    a_second_later().await;
    let (ok, sentence) = audit(&world.gateway).await;
    assert!(
        !ok && sentence.contains("is not what this gateway signed"),
        "{sentence}"
    );
}
