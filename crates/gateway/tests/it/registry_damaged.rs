//! The registry when somebody damages it, or is a moment too late; and what is left of it when its time is over.

use gateway::audit::Actor;
use gateway::registry::RegistryError;
use jiff::SignedDuration;
use reqwest::StatusCode;
use store::Statement;
use wallet::Outcome;

use crate::database::{Database, on_both_engines};
use crate::registry::{declaration, manual_handling, with_newtown};
use crate::watching::ask_metrics;
use crate::world::{Browser, Party, World};

on_both_engines!(
    a_row_that_does_not_load_keeps_nobody_from_the_rest_and_readiness_says_so,
    what_is_declared_no_more_is_gone_though_another_row_does_not_load,
    a_credential_that_is_issued_after_the_plan_keeps_its_organisation,
    what_operators_began_goes_at_its_time,
);

async fn write(world: &World, sql: &'static str) {
    let store = &world.gateway.app().store;
    let raise = "UPDATE revisions SET revision = revision + 1 WHERE name = 'registry'";
    store
        .write([Statement::new(sql), Statement::new(raise)])
        .await
        .unwrap();
}

/// What readiness says of following, once what was known of it is old.
async fn following(world: &World) -> (StatusCode, serde_json::Value) {
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let (status, text) = ask_metrics(&world.gateway, "/readyz").await;
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut checks = told["checks"].as_array().unwrap().iter();
    (
        status,
        checks
            .find(|check| check["code"] == "following")
            .unwrap()
            .clone(),
    )
}

async fn a_row_that_does_not_load_keeps_nobody_from_the_rest_and_readiness_says_so(
    database: Database,
) {
    let world = World::start_on(database).await;
    let party = with_newtown(&world).await;
    assert_eq!(following(&world).await.1["ok"], true);
    write(
        &world,
        "UPDATE registry SET body = '[]' WHERE kind = 'credential-type'",
    )
    .await;
    let fault = world.gateway.follow_once().await.unwrap_err();
    assert_eq!(fault.code(), "registry-unreadable");

    // A secret that is made meanwhile is good, and one that is ended is not.
    let made = world
        .gateway
        .make_client_secret(
            "newtown-staff",
            Some(SignedDuration::ZERO),
            Actor::Command("ina"),
        )
        .await
        .unwrap();
    let new = Party {
        secret: made.text.to_string(),
        ..party.clone()
    };
    assert_eq!(world.push(&new, |_| ()).await.status, StatusCode::CREATED);
    assert_eq!(
        world.push(&party, |_| ()).await.status,
        StatusCode::UNAUTHORIZED
    );
    // The type is as it was known last.
    let hint = manual_handling(&world, &new);
    let issued = world
        .push(&new, |form| form.issue("ManualHandling", &hint))
        .await;
    assert_eq!(issued.status, StatusCode::CREATED, "{}", issued.body);

    let (status, told) = following(&world).await;
    assert_eq!(
        (status, &told["ok"]),
        (StatusCode::OK, &false.into()),
        "{told}"
    );
    assert!(
        told["sentence"]
            .as_str()
            .unwrap()
            .contains("ManualHandling"),
        "{told}"
    );
    let (_, figures) = ask_metrics(&world.gateway, "/metrics").await;
    assert!(
        figures.contains("lanyard_ready_check{check=\"following\"} 0"),
        "{figures}"
    );

    // Whoever puts it right is followed at once, without another change.
    let right = "UPDATE registry SET body = (SELECT body FROM registry_history h WHERE h.kind = 'credential-type') \
                 WHERE kind = 'credential-type'";
    world
        .gateway
        .app()
        .store
        .write([Statement::new(right)])
        .await
        .unwrap();
    world.gateway.follow_once().await.unwrap();
    assert_eq!(following(&world).await.1["ok"], true);
}

async fn what_is_declared_no_more_is_gone_though_another_row_does_not_load(database: Database) {
    let world = World::start_on(database).await;
    let party = with_newtown(&world).await;
    write(&world, "DELETE FROM registry WHERE kind = 'relying-party'").await;
    write(
        &world,
        "UPDATE registry SET body = '[]' WHERE kind = 'organisation'",
    )
    .await;
    world.gateway.follow_once().await.unwrap_err();
    let organisations = world.gateway.app().organisations.clone();
    assert!(organisations.find("newtown").is_some());
    assert!(organisations.relying_party("newtown-staff").is_none());
    assert_eq!(
        world.push(&party, |_| ()).await.status,
        StatusCode::UNAUTHORIZED
    );
}

async fn a_credential_that_is_issued_after_the_plan_keeps_its_organisation(database: Database) {
    let world = World::start_on(database).await;
    let party = with_newtown(&world).await;
    let nothing = world.gateway.plan(&declaration(""), true).await.unwrap();
    assert_eq!(nothing.changes.len(), 3, "{nothing}");
    let hint = manual_handling(&world, &party);
    let issue = |form: &mut crate::world::Form| form.issue("ManualHandling", &hint);
    let page = Browser::new()
        .open(&world.pushed(&party, issue).await)
        .await;
    let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(scanned.outcome, Outcome::Received, "{:?}", scanned.reason);

    let late = world
        .gateway
        .apply(&nothing, Actor::Command("ina"))
        .await
        .unwrap_err();
    assert!(matches!(late, RegistryError::Overtaken), "{late}");
    assert!(world.gateway.app().organisations.find("newtown").is_some());
    let again = world
        .gateway
        .plan(&declaration(""), true)
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(again.code(), "credentials-in-force");
}

async fn what_operators_began_goes_at_its_time(database: Database) {
    let world = World::start_on(database).await;
    with_newtown(&world).await;
    let second = world.gateway.make_client_secret(
        "newtown-staff",
        Some(SignedDuration::ZERO),
        Actor::Command("ina"),
    );
    second.await.unwrap();
    let now = world.now().as_second();
    let store = world.gateway.app().store.clone();
    let insert = |sql: &'static str, values: u32| {
        (0..values).fold(Statement::new(sql), |statement, _| statement.bind(now))
    };
    store
        .write([
            Statement::new(
                "INSERT INTO operators (id, name, role, person, break_glass, added_at) VALUES ('op', 'op', 'desk', 'op', 0, 0)",
            ),
            insert(
                "INSERT INTO operator_tokens (id, operator, digest, made_at, expires_at, revoked_at) SELECT 'one', 'op', digest, \
                 0, 9999999999, $1 FROM audit_chain WHERE name = 'head'",
                1,
            ),
            insert(
                "INSERT INTO proposals (id, act, object, detail, proposed_by, person, proposed_at, expires_at, state) \
                 VALUES ('pr', 'x', 'x', '{}', 'op', 'op', 0, $1, 'open')",
                1,
            ),
            insert(
                "INSERT INTO revocation_jobs (id, organisation, code, reason, ticket, pace, stage, created_at, finished_at) \
                 VALUES ('done', 'newtown', 'other', '', '', 1, 'finished', 0, $1)",
                1,
            ),
            Statement::new(
                "INSERT INTO revocation_jobs (id, organisation, code, reason, ticket, pace, stage, created_at) \
                 VALUES ('open', 'newtown', 'other', '', '', 1, 'open', 0)",
            ),
            Statement::new(
                "INSERT INTO revocation_job_lines (job, organisation, serial_number) VALUES ('done', 'newtown', 'a'), \
                 ('open', 'newtown', 'a')",
            ),
        ])
        .await
        .unwrap();
    let tidied = async |days: i64| {
        world.later(SignedDuration::from_hours(24 * days));
        let round = world.gateway.tidy_once().await.unwrap();
        let rules = [
            "revocation-job-lines",
            "revocation-jobs",
            "client-secrets",
            "proposals",
            "operator-tokens",
        ];
        rules.map(|rule| round.rows(rule))
    };
    assert_eq!(tidied(29).await, [0; 5]);
    assert_eq!(tidied(31).await, [1, 1, 0, 0, 0]);
    assert_eq!(tidied(399).await, [0; 5]);
    assert_eq!(tidied(401).await, [0, 0, 1, 1, 1]);
    // What is in force, and what goes on, stays.
    let count = async |table: &str| {
        let select = Statement::new(format!("SELECT COUNT(*) AS count FROM {table}"));
        store
            .read_one(select)
            .await
            .unwrap()
            .unwrap()
            .integer("count")
            .unwrap()
    };
    assert_eq!(
        (
            count("client_secrets").await,
            count("revocation_jobs").await
        ),
        (1, 1)
    );
    assert_eq!(count("revocation_job_lines").await, 1);
}
