//! Organisations, relying parties and credential types that are declared while the gateway runs, on both engines.

use std::sync::Arc;

use gateway::organisation::dialect::Dialect;
use gateway::registry::onboarding::{Evidence, Item};
use gateway::registry::{Act, Declaration, Kind, Plan, RegistryError};
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};
use standards::jose::hmac_key::HmacKey;
use wallet::Outcome;

use crate::database::{Database, on_both_engines};
use crate::world::{Browser, Party, REDIRECT_URI, UNIQUE_IDENTIFIER, World, sign};

on_both_engines!(
    what_is_declared_can_be_used_at_once_and_in_every_process,
    a_plan_tells_each_change_and_changes_nothing_by_itself,
    what_was_changed_meanwhile_is_not_overwritten,
    a_client_secret_is_changed_without_an_outage,
    what_counts_somewhere_is_not_removed,
    a_checklist_keeps_its_evidence_and_dates,
);

fn declaration(text: &str) -> Declaration {
    Declaration::parse("newtown.toml", text).unwrap()
}

/// One organisation with one relying party and a credential type of its own.
fn newtown(world: &World) -> String {
    format!(
        r#"
[[credential_types]]
name = "ManualHandling"
label = "Manual handling training"
formats = ["jwt_vc_json"]
valid_for_days = 365
[[credential_types.attributes]]
name = "MH-Level"
label = "Level"
kind = "number"
mandatory = true
source = "assumed"
[[credential_types.attributes]]
name = "UniqueIdentifier"
label = "Staff passport unique identifier"
kind = "uuid"
mandatory = true
source = "wire"

[[organisations]]
id = "newtown"
name = "Newtown NHS Trust"
issues = ["ManualHandling"]
[[organisations.trust]]
credential_type = "Identity"
issuers = ["{trusted}"]
[[organisations.relying_parties]]
name = "Newtown staff services"
client_id = "newtown-staff"
redirect_uris = ["{REDIRECT_URI}"]
dialect = "v2"
signing_key = {{ file = "{key}" }}
"#,
        trusted = world.url("/issuers/anytown"),
        key = key_file(world).display(),
    )
}

fn key_file(world: &World) -> std::path::PathBuf {
    world.config.keys.join("newtown.signing-key")
}

/// Declares Newtown; gives its relying party with a fresh secret.
async fn with_newtown(world: &World) -> Party {
    let signing_key = HmacKey::generate().unwrap();
    std::fs::write(key_file(world), signing_key.to_base64().as_bytes()).unwrap();
    let plan = world
        .gateway
        .plan(&declaration(&newtown(world)), false)
        .await
        .unwrap();
    world.gateway.apply(&plan, "test").await.unwrap();
    let made = world
        .gateway
        .make_client_secret("newtown-staff", None, "test")
        .await
        .unwrap();
    Party {
        client_id: "newtown-staff".to_owned(),
        secret: made.text.to_string(),
        signing_key: Arc::new(signing_key),
        organisation: "newtown",
        dialect: Dialect::V2,
    }
}

fn manual_handling(world: &World, party: &Party) -> String {
    let now = world.now().as_second();
    let claims = json!({
        "iss": party.client_id, "aud": world.base, "iat": now, "nbf": now, "exp": now + 300,
        "MH-Level": "2", "UniqueIdentifier": UNIQUE_IDENTIFIER,
    });
    let Value::Object(claims) = claims else {
        unreachable!()
    };
    sign(&party.signing_key, &claims)
}

async fn what_is_declared_can_be_used_at_once_and_in_every_process(database: Database) {
    let world = World::start_on(database).await;
    let elsewhere = world.second_process().await;
    world.issue_identity("anna").await;
    let party = with_newtown(&world).await;

    // Verifying: the identity comes from another organisation, which Newtown trusts for it.
    let browser = Browser::new();
    let page = browser.open(&world.pushed(&party, |_| ()).await).await;
    let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(scanned.outcome, Outcome::Presented, "{:?}", scanned.reason);
    let code = browser.open(&page.url).await.code();
    let token = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);

    // Issuing what was declared.
    let hint = manual_handling(&world, &party);
    let issue = |form: &mut crate::world::Form| form.issue("ManualHandling", &hint);
    let browser = Browser::new();
    let page = browser.open(&world.pushed(&party, issue).await).await;
    let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(scanned.outcome, Outcome::Received, "{:?}", scanned.reason);

    // Another process learns of it by itself; one that starts knows it from the beginning.
    assert!(elsewhere.app().organisations.find("newtown").is_none());
    elsewhere.follow_once().await.unwrap();
    for gateway in [elsewhere, world.second_process().await] {
        let app = gateway.app();
        let newtown = app.organisations.find("newtown").unwrap();
        assert!(newtown.may_issue("ManualHandling"));
        let known = app.organisations.relying_party("newtown-staff").unwrap();
        assert!(known.knows(&party.secret, world.now()).is_some());
        assert_eq!(
            newtown.keys.credentials.public_jwk().kid(),
            world
                .gateway
                .app()
                .organisations
                .find("newtown")
                .unwrap()
                .keys
                .credentials
                .public_jwk()
                .kid(),
        );
    }
    // And its secrets lie in the database encrypted.
    let rows = world
        .gateway
        .app()
        .store
        .read(store::Statement::new("SELECT body, sealed FROM registry"))
        .await;
    let key = party.signing_key.to_base64();
    for row in rows.unwrap() {
        assert!(!row.text("body").unwrap().contains(key.as_str()));
        if let Some(sealed) = row.optional_blob("sealed").unwrap() {
            assert!(
                !sealed
                    .windows(key.len())
                    .any(|window| window == key.as_bytes())
            );
        }
    }
}

async fn a_plan_tells_each_change_and_changes_nothing_by_itself(database: Database) {
    let world = World::start_on(database).await;
    std::fs::write(
        key_file(&world),
        HmacKey::generate().unwrap().to_base64().as_bytes(),
    )
    .unwrap();
    let text = newtown(&world);
    let plan = async |text: &str, prune: bool| world.gateway.plan(&declaration(text), prune).await;
    let first = plan(&text, false).await.unwrap();
    let added = "+ credential-type ManualHandling\n+ organisation newtown\n+ relying-party newtown-staff of newtown\n";
    assert_eq!(first.to_string(), added);
    assert!(
        world
            .gateway
            .registered()
            .await
            .unwrap()
            .iter()
            .next()
            .is_none()
    );
    assert!(
        !world.config.keys.join("newtown.credentials.pem").exists(),
        "a plan makes no keys"
    );
    world.gateway.apply(&first, "ina").await.unwrap();
    assert!(
        plan(&text, true).await.unwrap().is_empty(),
        "declared twice is declared once"
    );

    let changed = text
        .replace("Newtown NHS Trust", "Newtown Hospitals")
        .replace(
            &format!("redirect_uris = [\"{REDIRECT_URI}\"]"),
            "redirect_uris = [\"https://staff.newtown.example/callback\"]",
        );
    let second = plan(&changed, false).await.unwrap();
    let expected = format!(
        "~ organisation newtown\n    name: Newtown NHS Trust → Newtown Hospitals\n\
         ~ relying-party newtown-staff of newtown\n    redirect_uris: − {REDIRECT_URI}\n    \
         redirect_uris: + https://staff.newtown.example/callback\n"
    );
    assert_eq!(second.to_string(), expected);
    assert_eq!(
        second
            .changes
            .iter()
            .map(|one| one.moves_browsers)
            .collect::<Vec<_>>(),
        [false, true]
    );
    world.gateway.apply(&second, "ina").await.unwrap();
    let app = world.gateway.app();
    assert_eq!(
        app.organisations.find("newtown").unwrap().name,
        "Newtown Hospitals"
    );

    // A secret is named and never shown.
    std::fs::write(
        key_file(&world),
        HmacKey::generate().unwrap().to_base64().as_bytes(),
    )
    .unwrap();
    let third = plan(&changed, false).await.unwrap();
    let told = third.to_string();
    assert!(
        told.ends_with("newtown-staff of newtown\n    signing_key: another one\n"),
        "{told}"
    );

    // What is not declared stays, unless it is asked for.
    let without = changed
        .split("[[organisations.relying_parties]]")
        .next()
        .unwrap();
    assert!(plan(without, false).await.unwrap().is_empty());
    let pruned = plan(without, true).await.unwrap();
    assert_eq!(
        pruned.to_string(),
        "- relying-party newtown-staff of newtown\n"
    );
    world.gateway.apply(&pruned, "ina").await.unwrap();
    assert!(
        world
            .gateway
            .app()
            .organisations
            .relying_party("newtown-staff")
            .is_none()
    );

    let history = world.gateway.history(Kind::RelyingParty, "newtown-staff");
    let acts: Vec<_> = history
        .await
        .unwrap()
        .into_iter()
        .map(|one| (one.version, one.act, one.actor))
        .collect();
    let ina = || "ina".to_owned();
    assert_eq!(
        acts,
        [
            (3, "remove".into(), ina()),
            (2, "change".into(), ina()),
            (1, "add".into(), ina())
        ]
    );
}

/// What does not hold together is refused as a whole when it is planned, with the place named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_hold_together_is_not_even_planned() {
    let world = World::start().await;
    std::fs::write(
        key_file(&world),
        HmacKey::generate().unwrap().to_base64().as_bytes(),
    )
    .unwrap();
    let good = newtown(&world);
    let cases = [
        (
            good.replace("id = \"newtown\"", "id = \"anytown\""),
            "organisation anytown: it stands in the configuration file, too",
        ),
        (
            good.replace("\"newtown-staff\"", "\"v2\""),
            "client_id v2: stands twice",
        ),
        (
            good.replace("issues = [\"ManualHandling\"]", "issues = [\"Handling\"]"),
            "there is no credential type Handling",
        ),
        (
            good.replace(REDIRECT_URI, "https://staff.example/*?code=1"),
            "redirect_uris",
        ),
        (
            good.replace("kind = \"uuid\"", "kind = \"text\""),
            "UniqueIdentifier must be",
        ),
        (
            good.replace("\"ManualHandling\"", "\"identity\""),
            "is there already, in other letters",
        ),
        (format!("{good}{good}"), "stands twice in this declaration"),
    ];
    for (text, reason) in cases {
        let refused = world
            .gateway
            .plan(&declaration(&text), false)
            .await
            .err()
            .expect(reason)
            .to_string();
        assert!(refused.contains(reason), "{refused}");
    }
    let misspelt = good.replace("dialect = ", "dailect = ");
    let refused = Declaration::parse("newtown.toml", &misspelt)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("newtown.toml, line") && refused.contains("dailect"),
        "{refused}"
    );
    let secret = good.replace("signing_key = { file", "signing_key = \"hunter2\" #");
    let refused = Declaration::parse("newtown.toml", &secret)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("no secret stands in this file") && !refused.contains("hunter2"),
        "{refused}"
    );
}

async fn what_was_changed_meanwhile_is_not_overwritten(database: Database) {
    let world = World::start_on(database).await;
    with_newtown(&world).await;
    let named = |name: &str| newtown(&world).replace("Newtown NHS Trust", name);
    let plan = async |name: &str| {
        world
            .gateway
            .plan(&declaration(&named(name)), false)
            .await
            .unwrap()
    };
    let (one, other): (Plan, Plan) = (plan("One").await, plan("Other").await);
    world.gateway.apply(&one, "ina").await.unwrap();
    let overtaken = world.gateway.apply(&other, "dev").await.unwrap_err();
    assert!(matches!(overtaken, RegistryError::Overtaken), "{overtaken}");
    assert_eq!(
        world
            .gateway
            .app()
            .organisations
            .find("newtown")
            .unwrap()
            .name,
        "One"
    );
    assert_eq!(one.changes[0].act, Act::Change);
    // Nothing of it was kept, not even its line in the history.
    let history = world.gateway.history(Kind::Organisation, "newtown").await;
    assert_eq!(history.unwrap().len(), 2);
}

/// SEC-06: two live at once, each until its end; which one is used is known.
async fn a_client_secret_is_changed_without_an_outage(database: Database) {
    let world = World::start_on(database).await;
    let old = with_newtown(&world).await;
    let pushes = async |party: &Party| world.push(party, |_| ()).await.status;
    assert_eq!(pushes(&old).await, StatusCode::CREATED);

    world.later(SignedDuration::from_secs(1));
    let overlap = SignedDuration::from_hours(24);
    let made = world
        .gateway
        .make_client_secret("newtown-staff", Some(overlap), "ina")
        .await
        .unwrap();
    let new = Party {
        secret: made.text.to_string(),
        ..old.clone()
    };
    assert_eq!(
        (pushes(&old).await, pushes(&new).await),
        (StatusCode::CREATED, StatusCode::CREATED)
    );
    world.later(SignedDuration::from_hours(23));
    assert_eq!(
        (pushes(&old).await, pushes(&new).await),
        (StatusCode::CREATED, StatusCode::CREATED)
    );
    world.later(SignedDuration::from_hours(25));
    assert_eq!(
        (pushes(&old).await, pushes(&new).await),
        (StatusCode::UNAUTHORIZED, StatusCode::CREATED)
    );

    let app = world.gateway.app();
    app.secret_uses.note(&made.id, world.now());
    world.gateway.write_down_uses().await.unwrap();
    let known = world.gateway.client_secrets("newtown-staff").await.unwrap();
    let used: Vec<_> = known
        .iter()
        .map(|one| (one.is_live(world.now()), one.last_used_at.is_some()))
        .collect();
    assert_eq!(used, [(false, true), (true, true)]);

    // Nobody is locked out by mistake, and nothing ends twice.
    let ended = world
        .gateway
        .end_client_secret("newtown-staff", &made.id, "ina")
        .await
        .unwrap_err();
    assert!(matches!(ended, RegistryError::LastSecret(_)), "{ended}");
    let newest = world
        .gateway
        .make_client_secret("newtown-staff", None, "ina")
        .await
        .unwrap();
    world
        .gateway
        .end_client_secret("newtown-staff", &made.id, "ina")
        .await
        .unwrap();
    assert_eq!(pushes(&new).await, StatusCode::UNAUTHORIZED);
    let newest = Party {
        secret: newest.text.to_string(),
        ..new
    };
    assert_eq!(pushes(&newest).await, StatusCode::CREATED);
    let ended = world
        .gateway
        .end_client_secret("newtown-staff", &made.id, "ina")
        .await
        .unwrap_err();
    assert!(matches!(ended, RegistryError::SecretUnknown(..)), "{ended}");
    // The secret itself is nowhere in the database.
    let rows = world
        .gateway
        .app()
        .store
        .read(store::Statement::new("SELECT digest FROM client_secrets"))
        .await
        .unwrap();
    assert!(
        rows.iter()
            .all(|row| row.text("digest").unwrap() != newest.secret)
    );
}

async fn what_counts_somewhere_is_not_removed(database: Database) {
    let world = World::start_on(database).await;
    let party = with_newtown(&world).await;
    let hint = manual_handling(&world, &party);
    let page = Browser::new()
        .open(
            &world
                .pushed(&party, |form| form.issue("ManualHandling", &hint))
                .await,
        )
        .await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let nothing = Declaration::default();
    let refused = world
        .gateway
        .plan(&nothing, true)
        .await
        .err()
        .expect("it is in force");
    assert_eq!(refused.code(), "credentials-in-force");
    assert!(
        refused
            .to_string()
            .contains("1 of its credentials are in force"),
        "{refused}"
    );
    world.later(SignedDuration::from_hours(24 * 366));
    let plan = world.gateway.plan(&nothing, true).await.unwrap();
    world.gateway.apply(&plan, "ina").await.unwrap();
    assert!(world.gateway.app().organisations.find("newtown").is_none());
}

/// DW-89: what was settled before a relying party went live can be shown.
async fn a_checklist_keeps_its_evidence_and_dates(database: Database) {
    let world = World::start_on(database).await;
    let empty = world.gateway.onboarding("v2").await.unwrap();
    assert_eq!(empty.len(), Item::ALL.len());
    assert!(empty.iter().all(|(_, evidence)| evidence.is_none()));
    let evidence = |text: &str| Evidence {
        evidence: text.to_owned(),
        settled_on: "2026-11-20".parse().unwrap(),
        actor: "ina".to_owned(),
    };
    for text in ["report of 2025", "report PT-117, findings closed"] {
        world
            .gateway
            .settle("v2", Item::PenetrationTest, &evidence(text))
            .await
            .unwrap();
    }
    let list = world.gateway.onboarding("v2").await.unwrap();
    let settled: Vec<_> = list
        .into_iter()
        .filter_map(|(item, found)| Some((item, found?)))
        .collect();
    assert_eq!(
        settled,
        [(
            Item::PenetrationTest,
            evidence("report PT-117, findings closed")
        )]
    );
    let unknown = world
        .gateway
        .settle("nobody", Item::Contacts, &evidence("none"))
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), "relying-party-unknown");
}

/// DW-83: what belongs to development is refused in production, and the other way round; so are its keys.
#[test]
fn dw_83_each_environment_refuses_the_others_names() {
    use gateway::config::Environment::{Development, Production};
    assert!(Production.admits("anytown") && !Production.admits("anytown-development"));
    assert!(Development.admits("anytown-development") && !Development.admits("anytown"));
}
