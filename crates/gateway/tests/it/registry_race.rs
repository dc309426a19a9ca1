//! Two change the registry in the same moment, or one removes what another gives something to: one of both happens.

use std::time::{Duration, Instant};

use gateway::audit::Actor;
use gateway::registry::Declaration;
use store::{Statement, Store};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use crate::admin_registry::{Scene, party};
use crate::database::{Database, on_both_engines};
use crate::raw_wallet::{RawWallet, Waiting, credential, offer, token};
use crate::registry::{declaration, manual_handling, with_newtown};
use crate::world::{Party, World};

on_both_engines!(
    a_process_that_has_not_heard_of_a_removal_issues_nothing,
    a_removal_waits_for_a_credential_that_is_being_written_and_then_is_none,
    of_two_changes_that_do_not_hold_together_the_second_is_overtaken,
    an_organisation_is_removed_or_has_a_relying_party_and_never_both,
    two_who_change_different_things_in_the_same_moment_are_both_done,
    nobody_is_made_a_secret_who_was_removed_meanwhile,
);

async fn waiting(world: &World, party: &Party) -> Waiting {
    let hint = manual_handling(world, party);
    let address = world.pushed(party, |form| form.issue("ManualHandling", &hint));
    Waiting::at(&address.await).await
}

async fn count(store: &Store, table: &'static str) -> i64 {
    let select = format!("SELECT COUNT(*) AS count FROM {table}");
    let row = store.read_one(Statement::new(select)).await.unwrap();
    row.unwrap().integer("count").unwrap()
}

async fn a_process_that_has_not_heard_of_a_removal_issues_nothing(database: Database) {
    let world = World::start_on(database).await;
    let party = with_newtown(&world).await;
    let wallet = RawWallet::new();
    let offered = offer(&waiting(&world, &party).await.link()).await;
    let answer = token(&offered.issuer, &offered.code).await;
    let access = answer.json["access_token"].as_str().unwrap();
    let request = wallet
        .request(&offered.issuer, &offered.configurations[0], world.now())
        .await;
    let elsewhere = world.second_process().await;
    let plan = elsewhere.plan(&Declaration::default(), true).await.unwrap();
    elsewhere.apply(&plan, Actor::Command("ina")).await.unwrap();

    let refused = credential(&offered.issuer, access, &request).await;
    assert_eq!(refused.status.as_u16(), 503, "{}", refused.body);
    let store = &world.gateway.app().store;
    assert_eq!(count(store, "credentials").await, 0);
    assert_eq!(count(store, "registry").await, 0);
}

/// Until somebody waits for the table of credentials, or has not waited and is done.
pub(crate) async fn waits_or_ends<T>(other: &Client, act: &JoinHandle<T>) {
    // It waits: somebody's lock on that table is not granted.
    let waits =
        "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'credentials'::regclass";
    let began = Instant::now();
    while !act.is_finished() {
        let row = other.query_one(waits, &[]).await.unwrap();
        if row.get::<_, i64>(0) > 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "it never waited");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// On PostgreSQL a credential that is not committed is seen by nobody: the removal has to wait for it.
async fn a_removal_waits_for_a_credential_that_is_being_written_and_then_is_none(
    database: Database,
) {
    let address = database.address();
    if address.starts_with("sqlite") {
        // There is one writer: nothing is written halfway when another begins.
        return;
    }
    let world = World::start_on(database).await;
    with_newtown(&world).await;
    let (other, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
    tokio::spawn(connection);
    let list = "INSERT INTO status_lists (organisation, list, revision) VALUES ('newtown', 1, 0)";
    let issue = "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, interaction, \
                 list, list_index, issued_at) VALUES ('3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10', 'newtown', \
                 'newtown-staff', 'ManualHandling', 'jwt_vc_json', 'none', 1, 1, 1)";
    other.batch_execute(list).await.unwrap();
    let nothing = Declaration::default();
    let plan = world.gateway.plan(&nothing, true).await.unwrap();
    other
        .batch_execute(&format!("BEGIN; {issue}"))
        .await
        .unwrap();
    let gateway = world.gateway.clone();
    let removal = tokio::spawn(async move { gateway.apply(&plan, Actor::Command("ina")).await });
    waits_or_ends(&other, &removal).await;
    other.batch_execute("COMMIT").await.unwrap();
    let refused = removal.await.unwrap().expect_err("it is in force");
    assert_eq!(refused.code(), "registry-changed", "{refused}");
    world.gateway.reload_keys().await.unwrap();
    let known = world.gateway.registered().await.unwrap();
    assert!(
        known
            .find(gateway::registry::Kind::Organisation, "newtown")
            .is_some()
    );
}

const RACE: &str = "[[organisations]]\nid = \"race\"\nname = \"Race\"\nissues = []\n";
const ITS_PARTY: &str = "[[organisations.relying_parties]]\nname = \"Race\"\nclient_id = \"race-rp\"\n\
                         redirect_uris = [\"https://race.example/callback\"]\ndialect = \"plain\"\n";

/// Each was checked with what was there, in which it holds. A registry with both would start no gateway.
async fn of_two_changes_that_do_not_hold_together_the_second_is_overtaken(database: Database) {
    let world = World::start_on(database).await;
    let gateway = &world.gateway;
    let by = Actor::Command("ina");
    let with_its_party = declaration(&format!("{RACE}{ITS_PARTY}"));
    for removal_is_first in [true, false] {
        let race = gateway.plan(&declaration(RACE), true).await.unwrap();
        gateway.apply(&race, by).await.unwrap();
        let removal = gateway.plan(&Declaration::default(), true).await.unwrap();
        let party = gateway.plan(&with_its_party, false).await.unwrap();
        let (first, second) = if removal_is_first {
            (&removal, &party)
        } else {
            (&party, &removal)
        };
        gateway.apply(first, by).await.unwrap();
        let refused = gateway.apply(second, by).await.unwrap_err();
        assert_eq!(refused.code(), "registry-changed", "{refused}");
        world.second_process().await.close().await;
    }
}

async fn an_organisation_is_removed_or_has_a_relying_party_and_never_both(database: Database) {
    let scene = Scene::start(database).await;
    for at in 0..4 {
        let id = format!("race{at}");
        let declared =
            serde_json::json!({ "declared": { "id": id, "name": "Race", "issues": [] } });
        scene.post("/organisations", &declared).await.expect(201);
        let path = format!("/organisations/{id}/remove");
        let nothing = serde_json::json!({});
        let declared = party(&id, &format!("{id}-rp"));
        let (removed, made) = tokio::join!(
            scene.post(&path, &nothing),
            scene.post("/relying-parties", &declared)
        );
        let (removed, made) = (removed.status.as_u16(), made.status.as_u16());
        assert!(
            matches!((removed, made), (204, 404 | 409) | (409, 201)),
            "{removed} {made}"
        );
    }
    scene.admin.world.second_process().await.close().await;
}

/// Whoever is second is planned anew: nobody hears of somebody else's change of something else.
async fn two_who_change_different_things_in_the_same_moment_are_both_done(database: Database) {
    let scene = Scene::start(database).await;
    for id in ["one", "two"] {
        scene.newtown(id).await;
    }
    for name in ["A", "B", "C", "D", "E"] {
        let change = serde_json::json!({ "change": { "name": name } });
        let (one, two) = tokio::join!(
            scene.send(&scene.ann, "PATCH", "/organisations/one", &change),
            scene.send(&scene.ann, "PATCH", "/organisations/two", &change)
        );
        one.expect(200);
        two.expect(200);
    }
}

async fn nobody_is_made_a_secret_who_was_removed_meanwhile(database: Database) {
    let world = World::start_on(database).await;
    with_newtown(&world).await;
    let elsewhere = world.second_process().await;
    let plan = world.gateway.plan(&Declaration::default(), true).await;
    let by = Actor::Command("ina");
    world.gateway.apply(&plan.unwrap(), by).await.unwrap();
    let made = elsewhere
        .make_client_secret("newtown-staff", None, by)
        .await;
    let refused = made
        .err()
        .expect("whoever comes under that id would have it");
    assert_eq!(refused.code(), "relying-party-unknown", "{refused}");
}
