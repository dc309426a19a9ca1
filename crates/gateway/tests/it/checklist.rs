//! The set-up checklist of a gateway that runs: what is missing is told with what to do, live, to whoever may know of it; and
//! nobody is asked more often because more people look.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use gateway::admin::Role;
use gateway::audit::{Act, Actor, Entry, chain, checkpoint};
use gateway::config::AdminConfig;
use gateway::keys::{GATEWAY, KeyPurpose, KeyStore, SANDBOX_PASSPHRASE};
use jiff::SignedDuration;
use serde_json::{Value, json};
use standards::jose::Algorithm;
use store::Statement;
use tower::ServiceExt as _;

use crate::database::{Database, on_both_engines};
use crate::world::{Admin, Caller, World};

on_both_engines!(
    what_is_missing_comes_first_and_everybody_is_told_what_their_role_may_know,
    keys_and_secrets_are_as_old_as_the_database_says,
    a_place_without_a_key_and_a_key_that_is_not_open_are_told,
    a_key_file_that_no_row_names_and_a_row_whose_file_is_gone_are_told,
    an_audit_that_nobody_signs_is_told_and_one_that_somebody_else_signed,
    a_backup_and_its_rehearsal_are_known_from_the_audit,
);

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The world with an admin listener in its configuration, as one has whose operators are people.
async fn start(database: Database) -> Admin {
    let world = World::start_with(database, Vec::new(), |config| {
        config.admin = Some(AdminConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            console: true,
            public_url: None,
        });
    });
    Admin::of(world.await).await
}

async fn findings(admin: &Admin, caller: &Caller) -> Vec<Value> {
    let told = admin.get(caller, "/admin/v1/checklist").await.expect(200);
    told.json["findings"].as_array().unwrap().clone()
}

/// The findings of that name about an organisation, or about the whole gateway: how bad each is, and what it says.
fn of<'a>(
    findings: &'a [Value],
    code: &str,
    organisation: Option<&str>,
) -> Vec<(&'a str, &'a str)> {
    let wanted = findings
        .iter()
        .filter(|one| one["code"] == code && one["organisation"].as_str() == organisation);
    let told = wanted.inspect(|one| {
        let is_good = one["state"] == "good";
        assert_eq!(one["remedy"].is_null(), is_good, "{one}");
    });
    told.map(|one| {
        (
            one["state"].as_str().unwrap(),
            one["says"].as_str().unwrap(),
        )
    })
    .collect()
}

async fn what_is_missing_comes_first_and_everybody_is_told_what_their_role_may_know(
    database: Database,
) {
    let admin = start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let told = findings(&admin, &ann).await;
    let places: Vec<usize> = told
        .iter()
        .map(|one| match one["state"].as_str().unwrap() {
            "bad" => 0,
            "look" => 1,
            _ => 2,
        })
        .collect();
    assert!(places.is_sorted(), "{told:?}");
    assert!(places.contains(&1) && places.contains(&2), "{told:?}");
    // Default deny: who trusts nobody verifies nobody.
    let [(state, says)] = of(&told, "trust-list", Some("elsewhere"))[..] else {
        panic!("{told:?}");
    };
    assert_eq!(state, "look");
    assert!(says.contains("trusts no issuer"), "{says}");
    assert_eq!(of(&told, "trust-list", Some("anytown"))[0].0, "good");
    let keys = of(&told, "keys", Some("anytown"));
    assert_eq!(keys, [("good", "3 keys in use, the oldest for 0 days")]);
    let secrets = of(&told, "client-secrets", Some("elsewhere"));
    assert_eq!(secrets, [("good", "1 relying party can prove who it is")]);
    let settled = of(&told, "onboarding", Some("elsewhere"));
    assert_eq!(
        settled,
        [("look", "not everything is settled: stranger (0 of 11)")]
    );
    let [(state, says)] = of(&told, "approvers", None)[..] else {
        panic!("{told:?}");
    };
    assert_eq!(state, "look");
    assert!(says.contains("new operators and roles (1)"), "{says}");

    // A second administrator, who can come in; and a role that may not know who the operators are.
    admin.operator("ben", Role::Administrator, None).await;
    let told = findings(&admin, &ann).await;
    let (_, says) = of(&told, "approvers", None)[0];
    assert_eq!(
        says,
        "fewer than two people can come in for the removal of keys (0)"
    );
    let desk = admin.operator("sue", Role::Desk, None).await;
    let told = findings(&admin, &desk).await;
    for code in ["operators", "approvers", "audit", "keys"] {
        assert!(
            told.iter().all(|one| one["code"] != code),
            "{code}: {told:?}"
        );
    }
    assert!(told.iter().any(|one| one["code"] == "database"), "{told:?}");
    let own = admin
        .operator("own", Role::Administrator, Some("anytown"))
        .await;
    let told = findings(&admin, &own).await;
    assert!(!told.is_empty());
    assert!(
        told.iter().all(|one| one["organisation"] == "anytown"),
        "{told:?}"
    );
}

async fn keys_and_secrets_are_as_old_as_the_database_says(database: Database) {
    let admin = start(database).await;
    let by = Actor::Command("test");
    let gateway = &admin.world.gateway;
    gateway
        .make_client_secret("stranger", None, by)
        .await
        .unwrap();
    admin.world.later(DAY * 366);
    let kim = admin.operator("kim", Role::KeyCustodian, None).await;
    let told = findings(&admin, &kim).await;
    let [(state, says)] = of(&told, "keys", Some("anytown"))[..] else {
        panic!("{told:?}");
    };
    assert_eq!(state, "look");
    assert!(says.contains("anytown.credentials (366 days)"), "{says}");
    // The files are a minute old.
    assert_eq!(of(&told, "age", None), []);
    assert_eq!(
        of(&told, "client-secrets", Some("elsewhere")),
        [("look", "with secrets older than a year: stranger")]
    );

    // A key that signs from now on, and the next one, forgotten for a month.
    for place in ["anytown.credentials", "anytown.status", "anytown.requests"] {
        let body = json!({ "place": place, "at_once": true, "reason": "a year is over" });
        for _ in 0..2 {
            let rotated = admin.post(&kim, "/admin/v1/keys/rotate", &body).await;
            rotated.expect(200);
        }
    }
    let body = json!({ "place": "anytown.credentials" });
    admin.post(&kim, "/admin/v1/keys", &body).await.expect(200);
    gateway.follow_once().await.unwrap();
    let told = findings(&admin, &kim).await;
    assert_eq!(
        of(&told, "keys", Some("anytown")),
        [(
            "good",
            "3 keys in use, the oldest for 0 days; 1 next key published"
        )]
    );
    admin.world.later(DAY * (366 + 31));
    let told = findings(&admin, &kim).await;
    let [(state, says)] = of(&told, "keys", Some("anytown"))[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (state, says),
        (
            "look",
            "published and waiting to sign for longer than a month: anytown.credentials (31 days)"
        )
    );
}

async fn a_place_without_a_key_and_a_key_that_is_not_open_are_told(database: Database) {
    let admin = start(database).await;
    let app = admin.world.gateway.app();
    let now = app.now();
    let gone = "UPDATE signing_keys SET state = 'removed', ended_at = $1 WHERE owner = 'anytown' AND purpose = 'status'";
    let gone = Statement::new(gone).bind(now).must_change(1);
    let lost = "INSERT INTO signing_keys (kid, owner, purpose, algorithm, state, name, adopted, created_at) \
                VALUES ('lost', 'anytown', 'credentials', 'ES256', 'next', 'anytown.credentials.lost', $1, $2)";
    let lost = Statement::new(lost).bind(false).bind(now);
    app.store.write([gone, lost]).await.unwrap();
    // The file is there, and another key is in it.
    files(&admin)
        .create_missing("anytown.credentials.lost", Algorithm::ES256)
        .unwrap();
    let vic = admin.operator("vic", Role::Viewer, None).await;
    let told = findings(&admin, &vic).await;
    assert_eq!(
        of(&told, "keys", Some("anytown")),
        [
            ("bad", "no key signs as anytown.status"),
            ("bad", "not open here: anytown.credentials.lost"),
        ]
    );
    assert_eq!(told[0]["state"], "bad");
    assert_eq!(of(&told, "keys", Some("elsewhere"))[0].0, "good");
}

/// The key folder, as whoever has the machine sees it.
fn files(admin: &Admin) -> KeyStore {
    let passphrase = SANDBOX_PASSPHRASE.to_owned();
    KeyStore::open(&admin.world.config.keys, passphrase.into(), false).unwrap()
}

async fn a_key_file_that_no_row_names_and_a_row_whose_file_is_gone_are_told(database: Database) {
    let admin = start(database).await;
    let vic = admin.operator("vic", Role::Viewer, None).await;
    let told = findings(&admin, &vic).await;
    assert_eq!(of(&told, "keys", None).len(), 1, "{told:?}");
    assert_eq!(of(&told, "keys", None)[0].0, "good");

    let keys = files(&admin);
    keys.create_missing("anytown.credentials.copy", Algorithm::ES256)
        .unwrap();
    // One that is out of use and was not destroyed yet is known: whoever starts next destroys it.
    let ended = "INSERT INTO signing_keys (kid, owner, purpose, algorithm, state, name, adopted, created_at, ended_at) \
                 VALUES ('ended', 'anytown', 'status', 'ES256', 'removed', 'anytown.status.ended', $1, $2, $3)";
    let now = admin.world.now();
    let ended = Statement::new(ended).bind(false).bind(now).bind(now);
    admin
        .world
        .gateway
        .app()
        .store
        .write([ended])
        .await
        .unwrap();
    keys.create_missing("anytown.status.ended", Algorithm::ES256)
        .unwrap();
    // A running gateway has the key open, and nothing else would tell before its next start.
    keys.remove("anytown.credentials").unwrap();
    let told = findings(&admin, &vic).await;
    assert_eq!(
        of(&told, "keys", None)[0],
        (
            "look",
            "key files that the database does not know: anytown.credentials.copy"
        )
    );
    assert_eq!(
        of(&told, "keys", Some("anytown")),
        [("bad", "the private key is gone: anytown.credentials")]
    );
    assert_eq!(of(&told, "keys", Some("elsewhere"))[0].0, "good");
}

async fn an_audit_that_nobody_signs_is_told_and_one_that_somebody_else_signed(database: Database) {
    let admin = start(database).await;
    let app = admin.world.gateway.app();
    let ivy = admin.operator("ivy", Role::Auditor, None).await;
    let audit = async || {
        let told = findings(&admin, &ivy).await;
        let [(state, says)] = of(&told, "audit", None)[..] else {
            panic!("{told:?}");
        };
        (state.to_owned(), says.to_owned())
    };
    // Nobody works behind the acts here: after a while, somebody would.
    assert_eq!(audit().await.0, "good");
    admin.world.later(SignedDuration::from_mins(6));
    let (state, says) = audit().await;
    assert_eq!(state, "look");
    assert!(says.contains("no place in the chain since"), "{says}");

    chain::round(&app.store).await.unwrap();
    assert_eq!(audit().await.1, "no checkpoint was signed yet");
    admin.world.later(SignedDuration::from_mins(62));
    let (state, says) = audit().await;
    assert_eq!(state, "look");
    assert!(says.contains("within an hour of the first entry"), "{says}");
    let key = app.keys.active(KeyPurpose::Audit, GATEWAY).unwrap();
    let signed = checkpoint::round(&app.store, &app.base, key.as_ref(), app.now());
    signed.await.unwrap();
    let (state, says) = audit().await;
    assert_eq!(state, "good");
    assert!(says.contains(" places in the chain, signed on "), "{says}");
    admin.world.later(DAY * 4);
    let (state, says) = audit().await;
    assert_eq!(state, "look");
    assert!(
        says.starts_with("the last signed checkpoint is of "),
        "{says}"
    );

    let select = Statement::new("SELECT digest, jws FROM audit_checkpoints");
    let row = app.store.read_one(select).await.unwrap().unwrap();
    let forged =
        "INSERT INTO audit_checkpoints (day, position, digest, jws) VALUES ($1, 1, $2, $3)";
    let forged = Statement::new(forged)
        .bind("2999-01-01")
        .bind(row.optional_blob("digest").unwrap().unwrap().to_vec())
        .bind(row.text("jws").unwrap());
    app.store.write([forged]).await.unwrap();
    let (state, says) = audit().await;
    assert_eq!(state, "bad");
    assert!(
        says.starts_with("the checkpoint of 2999-01-01 is not"),
        "{says}"
    );
}

async fn a_backup_and_its_rehearsal_are_known_from_the_audit(database: Database) {
    let admin = start(database).await;
    let vic = admin.operator("vic", Role::Viewer, None).await;
    let backup = async || {
        let told = findings(&admin, &vic).await;
        let [(state, says)] = of(&told, "backup", None)[..] else {
            panic!("{told:?}");
        };
        (state.to_owned(), says.to_owned())
    };
    let none = "no backup of this database is known";
    assert_eq!(backup().await, ("look".to_owned(), none.to_owned()));
    let config = &admin.world.config;
    let noted = async |act: Act, result: &str| {
        let root = Actor::Command("root");
        let entry = Entry::new(root, act, ("backup", &"07".repeat(32)), admin.world.now());
        let entry = entry.id("result", result);
        gateway::note_in_audit(config, entry).await.unwrap();
    };
    noted(Act::BackupMade, "").await;
    // A rehearsal that failed is none.
    noted(Act::RestoreDrilled, "secret-missing").await;
    assert_eq!(backup().await.0, "look");
    noted(Act::RestoreDrilled, "fit").await;
    let fresh = "taken 0 days ago, its restore rehearsed 0 days ago";
    assert_eq!(backup().await, ("good".to_owned(), fresh.to_owned()));
    admin.world.later(DAY * 9);
    assert_eq!(backup().await.0, "look");
}

/// What stands before the gateway: it counts what comes through, and may lead one path elsewhere.
#[derive(Clone, Default)]
struct Proxy {
    behind: Arc<OnceLock<Router>>,
    asked: Arc<AtomicUsize>,
    misled: Arc<AtomicBool>,
}

async fn through(State(proxy): State<Proxy>, request: Request) -> Response {
    proxy.asked.fetch_add(1, Ordering::SeqCst);
    if request.uri().path().ends_with("/did.json") && proxy.misled.load(Ordering::SeqCst) {
        return "another page".into_response();
    }
    let behind = proxy.behind.get().unwrap().clone();
    behind.oneshot(request).await.unwrap()
}

/// A look of its own, as another process would have it.
async fn look_anew(admin: &Admin, caller: &Caller) -> Vec<Value> {
    let request = Request::get("/admin/v1/checklist")
        .header("authorization", format!("Bearer {}", caller.token));
    let router = admin.world.gateway.admin_router();
    let answer = router.oneshot(request.body(Body::empty()).unwrap()).await;
    let body = axum::body::to_bytes(answer.unwrap().into_body(), 1 << 20);
    let told: Value = serde_json::from_slice(&body.await.unwrap()).unwrap();
    told["findings"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn published_documents_are_asked_for_by_the_public_address_and_not_again_for_the_next_who_looks()
 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let public: url::Url = format!("http://localhost:{port}").parse().unwrap();
    let proxy = Proxy::default();
    let app = Router::new().fallback(through).with_state(proxy.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let world = World::start_with(Database::sqlite(), vec![public.clone()], |config| {
        config.public_url = public;
    });
    let admin = Admin::of(world.await).await;
    proxy
        .behind
        .set(admin.world.gateway.router())
        .unwrap_or_else(|_| panic!("set once"));
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let told = findings(&admin, &ann).await;
    assert_eq!(of(&told, "reach", None)[0].0, "good", "{told:?}");
    for whose in [None, Some("anytown"), Some("elsewhere")] {
        let documents = of(&told, "documents", whose);
        assert_eq!(documents[0].0, "good", "{whose:?}: {told:?}");
    }
    // One for the gateway, one of its own, three for each organisation.
    assert_eq!(proxy.asked.load(Ordering::SeqCst), 8);
    findings(&admin, &ann).await;
    assert_eq!(proxy.asked.load(Ordering::SeqCst), 8);

    proxy.misled.store(true, Ordering::SeqCst);
    let told = look_anew(&admin, &ann).await;
    let [(state, says)] = of(&told, "documents", Some("anytown"))[..] else {
        panic!("{told:?}");
    };
    assert_eq!(state, "bad");
    assert!(says.contains("/issuers/anytown/did.json"), "{says}");
    assert_eq!(of(&told, "documents", None)[0].0, "good");

    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    let told = look_anew(&admin, &ann).await;
    assert_eq!(of(&told, "reach", None)[0].0, "bad", "{told:?}");
    assert_eq!(of(&told, "documents", None), []);
}

/// The rules of outbound requests hold whoever looks (SEC-04).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_address_inside_a_network_is_not_asked_and_that_is_told() {
    let world = World::start_changed(|config| {
        config.public_url = "https://localhost:1".parse().unwrap();
    });
    let admin = Admin::of(world.await).await;
    let vic = admin.operator("vic", Role::Viewer, None).await;
    let told = findings(&admin, &vic).await;
    let [(state, says)] = of(&told, "reach", None)[..] else {
        panic!("{told:?}");
    };
    assert_eq!(state, "look");
    assert!(says.contains("not on the public internet"), "{says}");
    assert_eq!(of(&told, "documents", None), []);
}
