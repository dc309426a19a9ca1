//! Organisations, relying parties and credential types that are declared while the gateway runs, on both engines.

use gateway::audit::Actor;
use std::sync::Arc;

use gateway::keys::KeyPurpose;
use gateway::organisation::dialect::Dialect;
use gateway::registry::{Declaration, Kind};
use reqwest::StatusCode;
use serde_json::{Value, json};
use standards::jose::hmac_key::HmacKey;
use wallet::Outcome;

use crate::database::{Database, on_both_engines};
use crate::world::{Browser, Party, REDIRECT_URI, UNIQUE_IDENTIFIER, World, sign};

on_both_engines!(
    what_is_declared_can_be_used_at_once_and_in_every_process,
    a_plan_tells_each_change_and_changes_nothing_by_itself,
);

pub(crate) fn declaration(text: &str) -> Declaration {
    Declaration::parse("newtown.toml", text).unwrap()
}

/// One organisation with one relying party and a credential type of its own.
pub(crate) fn newtown(world: &World) -> String {
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
pub(crate) async fn with_newtown(world: &World) -> Party {
    let signing_key = HmacKey::generate().unwrap();
    std::fs::write(key_file(world), signing_key.to_base64().as_bytes()).unwrap();
    let plan = world
        .gateway
        .plan(&declaration(&newtown(world)), false)
        .await
        .unwrap();
    world
        .gateway
        .apply(&plan, Actor::Command("test"))
        .await
        .unwrap();
    let made = world
        .gateway
        .make_client_secret("newtown-staff", None, Actor::Command("test"))
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

pub(crate) fn manual_handling(world: &World, party: &Party) -> String {
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
    let code = world.code(&party, "anna").await;
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
    let here = world.gateway.app();
    let kid_here = here.keys.active(KeyPurpose::Credentials, "newtown");
    let kid_here = crate::key_stage::kid(kid_here.unwrap());
    for gateway in [elsewhere, world.second_process().await] {
        let app = gateway.app();
        let newtown = app.organisations.find("newtown").unwrap();
        assert!(newtown.may_issue("ManualHandling"));
        let known = app.organisations.relying_party("newtown-staff").unwrap();
        assert!(known.knows(&party.secret, world.now()).is_some());
        assert_eq!(
            crate::key_stage::kid(app.keys.active(KeyPurpose::Credentials, "newtown").unwrap()),
            kid_here,
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
    world
        .gateway
        .apply(&first, Actor::Command("ina"))
        .await
        .unwrap();
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
    world
        .gateway
        .apply(&second, Actor::Command("ina"))
        .await
        .unwrap();
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
    world
        .gateway
        .apply(&pruned, Actor::Command("ina"))
        .await
        .unwrap();
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
    let ina = || "command:ina".to_owned();
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
