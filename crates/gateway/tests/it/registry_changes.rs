//! What happens to what is declared later: changes at once, secrets, removal, the checklist; on both engines.

use gateway::audit::Actor;
use gateway::registry::onboarding::{Evidence, Item};
use gateway::registry::{Act, Declaration, Kind, Plan, RegistryError};
use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::admin_registry::Scene;
use crate::database::{Database, on_both_engines};
use crate::registry::{declaration, manual_handling, newtown, with_newtown};
use crate::world::{Browser, Party, World};

on_both_engines!(
    what_was_changed_meanwhile_is_not_overwritten,
    a_client_secret_is_changed_without_an_outage,
    what_counts_somewhere_is_not_removed,
    sec_13_what_was_one_persons_is_not_done_once_somebody_relies_on_it,
    whoever_comes_back_under_a_client_id_has_no_secret_of_before,
    a_checklist_keeps_its_evidence_and_dates,
    what_an_operator_does_is_an_entry_of_the_audit,
);

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
    world
        .gateway
        .apply(&one, Actor::Command("ina"))
        .await
        .unwrap();
    let overtaken = world
        .gateway
        .apply(&other, Actor::Command("dev"))
        .await
        .unwrap_err();
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
        .make_client_secret("newtown-staff", Some(overlap), Actor::Command("ina"))
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
        .end_client_secret("newtown-staff", &made.id, Actor::Command("ina"))
        .await
        .unwrap_err();
    assert!(matches!(ended, RegistryError::LastSecret(_)), "{ended}");
    let newest = world
        .gateway
        .make_client_secret("newtown-staff", None, Actor::Command("ina"))
        .await
        .unwrap();
    world
        .gateway
        .end_client_secret("newtown-staff", &made.id, Actor::Command("ina"))
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
        .end_client_secret("newtown-staff", &made.id, Actor::Command("ina"))
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

async fn whoever_comes_back_under_a_client_id_has_no_secret_of_before(database: Database) {
    let world = World::start_on(database).await;
    let before = with_newtown(&world).await;
    let pushed = async || world.push(&before, |_| ()).await.status;
    assert_eq!(pushed().await, StatusCode::CREATED);
    let whole = newtown(&world);
    let parties = "[[organisations.relying_parties]]";
    let without = whole.split(parties).next().unwrap();
    for (text, prune) in [(without, true), (whole.as_str(), false)] {
        let plan = world.gateway.plan(&declaration(text), prune).await.unwrap();
        assert_eq!(plan.changes.len(), 1);
        let done = world.gateway.apply(&plan, Actor::Command("ina")).await;
        done.unwrap();
    }
    assert_eq!(pushed().await, StatusCode::UNAUTHORIZED);
}

/// Between the look whether anybody relies on a relying party and the act, somebody may begin to.
async fn sec_13_what_was_one_persons_is_not_done_once_somebody_relies_on_it(database: Database) {
    let scene = Scene::with_newtown(database).await;
    let gateway = &scene.admin.world.gateway;
    let text = "[[organisations]]\nid = \"newtown\"\nname = \"Newtown\"\nissues = [\"FireSafety\"]\n\
                [[organisations.relying_parties]]\nname = \"Newtown staff services\"\nclient_id = \"newtown-staff\"\n\
                dialect = \"plain\"\nredirect_uris = [\"https://elsewhere.example/callback\"]\n";
    let mut plan = gateway.plan(&declaration(text), false).await.unwrap();
    plan.unless_live = vec!["newtown-staff".to_owned()];
    let secrets = "/relying-parties/newtown-staff/secrets";
    scene
        .post(secrets, &serde_json::json!({}))
        .await
        .expect(201);
    let refused = gateway.apply(&plan, Actor::Command("ina")).await;
    assert_eq!(refused.unwrap_err().code(), "registry-changed");
    let kept = scene.get("/relying-parties/newtown-staff").await.text;
    assert!(!kept.contains("elsewhere.example"), "{kept}");
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
    world
        .gateway
        .apply(&plan, Actor::Command("ina"))
        .await
        .unwrap();
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
        actor: "command:ina".to_owned(),
    };
    for text in ["report of 2025", "report PT-117, findings closed"] {
        world
            .gateway
            .settle(
                "v2",
                Item::PenetrationTest,
                (text, "2026-11-20".parse().unwrap()),
                Actor::Command("ina"),
            )
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
        .settle(
            "nobody",
            Item::Contacts,
            ("none", "2026-11-20".parse().unwrap()),
            Actor::Command("ina"),
        )
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), "relying-party-unknown");
}

/// An act is an entry of the audit, with who did it to what.
async fn what_an_operator_does_is_an_entry_of_the_audit(database: Database) {
    let world = World::start_on(database).await;
    let party = with_newtown(&world).await;
    world.later(SignedDuration::from_secs(1));
    let made = world
        .gateway
        .make_client_secret("newtown-staff", None, Actor::Command("ina"))
        .await
        .unwrap();
    world
        .gateway
        .end_client_secret("newtown-staff", &made.id, Actor::Command("ina"))
        .await
        .unwrap();
    let evidence = ("report PT-117", "2026-11-20".parse().unwrap());
    let item = Item::PenetrationTest;
    let settled = world
        .gateway
        .settle("newtown-staff", item, evidence, Actor::Command("ina"));
    settled.await.unwrap();
    let serial = world
        .issue("anna", "TrainingProgramme", crate::world::programme())
        .await;
    let own = world.party("v2");
    for _ in 0..2 {
        let revoked = world.revoke(&own, &serial, |_| ()).await;
        assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    }
    let stranger = world.revoke(&party, &serial, |_| ()).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);

    let app = world.gateway.app();
    gateway::audit::chain::round(&app.store).await.unwrap();
    let question = gateway::audit::Question {
        limit: 100,
        ..Default::default()
    };
    let (entries, _) = gateway::audit::list(&app.store, &question).await.unwrap();
    let mut told: Vec<_> = entries
        .iter()
        .rev()
        .map(|entry| format!("{} {} {}", entry.actor, entry.act, entry.object))
        .collect();
    let revoked = format!("client:v2 credential-revoked credential:{serial}");
    let expected = [
        "command:test registry-changed credential-type:ManualHandling",
        "command:test registry-changed organisation:newtown",
        "command:test registry-changed relying-party:newtown-staff",
        "command:test client-secret-made relying-party:newtown-staff",
        "command:ina client-secret-made relying-party:newtown-staff",
        "command:ina client-secret-beside-another relying-party:newtown-staff",
        "command:ina client-secret-ended relying-party:newtown-staff",
        "command:ina onboarding-noted relying-party:newtown-staff",
        &revoked,
    ];
    // The new organisation's three keys, in the batch that declares it; the others were taken over at the start.
    let keys = |actor: &str| {
        let begin = format!("{actor} signing-key-changed signing-key:");
        told.iter().filter(|one| one.starts_with(&begin)).count()
    };
    assert_eq!((keys("command:test"), keys("gateway")), (3, 10));
    told.retain(|one| !one.contains("signing-key-changed"));
    told.sort();
    let mut expected = expected.map(str::to_owned);
    expected.sort();
    assert_eq!(told, expected);
}
