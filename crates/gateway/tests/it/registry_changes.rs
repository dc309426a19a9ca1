//! What happens to what is declared later: changes at once, secrets, removal, the checklist; on both engines.

use gateway::registry::onboarding::{Evidence, Item};
use gateway::registry::{Act, Declaration, Kind, Plan, RegistryError};
use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::database::{Database, on_both_engines};
use crate::registry::{declaration, manual_handling, newtown, with_newtown};
use crate::world::{Browser, Party, World};

on_both_engines!(
    what_was_changed_meanwhile_is_not_overwritten,
    a_client_secret_is_changed_without_an_outage,
    what_counts_somewhere_is_not_removed,
    a_checklist_keeps_its_evidence_and_dates,
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
