//! What of the registry is written is done, whatever this process cannot take over of it; and what cannot be done is told before.

use gateway::audit::Actor;
use serde_json::json;
use store::Statement;

use crate::admin_registry::Scene;
use crate::database::{Database, on_both_engines};
use crate::world::World;

on_both_engines!(
    what_is_declared_is_told_as_done_though_a_key_does_not_open_here,
    a_secret_that_is_made_is_shown_though_the_registry_does_not_hold_together,
    a_key_that_cannot_be_made_is_told_as_that_and_nothing_is_kept,
);

async fn write(world: &World, sql: &'static str, subject: &'static str) {
    let raise = "UPDATE revisions SET revision = revision + 1 WHERE name = $1";
    let raise = Statement::new(raise).bind(subject).must_change(1);
    let batch = [Statement::new(sql).must_change(1), raise];
    world.gateway.app().store.write(batch).await.unwrap();
}

async fn what_is_declared_is_told_as_done_though_a_key_does_not_open_here(database: Database) {
    let scene = Scene::start(database).await;
    let world = &scene.admin.world;
    // As it is where another machine made it, and this one has not got the file.
    let elsewhere = "INSERT INTO signing_keys (kid, owner, purpose, algorithm, state, name, adopted, created_at) \
                     SELECT 'elsewhere', owner, purpose, algorithm, 'verify-only', 'elsewhere', 0, created_at \
                     FROM signing_keys WHERE kid = (SELECT MIN(kid) FROM signing_keys)";
    scene.newtown("oldtown").await;
    write(world, elsewhere, "keys").await;
    scene.newtown("newtown").await;
    let app = world.gateway.app();
    assert!(app.organisations.relying_party("newtown-staff").is_some());
    // It is for whoever watches.
    assert_ne!(app.behind.faults(), Vec::<String>::new());
}

async fn a_secret_that_is_made_is_shown_though_the_registry_does_not_hold_together(
    database: Database,
) {
    let scene = Scene::with_newtown(database).await;
    let gone = "DELETE FROM registry WHERE kind = 'organisation'";
    write(&scene.admin.world, gone, "registry").await;
    let gateway = &scene.admin.world.gateway;
    let by = Actor::Command("ina");
    let made = gateway.make_client_secret("newtown-staff", None, by).await;
    assert!(made.is_ok(), "{:?}", made.err());
    assert_ne!(gateway.app().behind.faults(), Vec::<String>::new());
}

async fn a_key_that_cannot_be_made_is_told_as_that_and_nothing_is_kept(database: Database) {
    let scene = Scene::start(database).await;
    let keys = &scene.admin.world.config.keys;
    let aside = keys.with_extension("aside");
    std::fs::rename(keys, &aside).unwrap();
    std::fs::write(keys, "no folder").unwrap();
    let declared = json!({ "declared": { "id": "newtown", "name": "Newtown", "issues": [] } });
    let refused = scene.post("/organisations", &declared).await.expect(503);
    refused.refused("key-unusable");
    scene.get("/organisations/newtown").await.expect(404);
    std::fs::remove_file(keys).unwrap();
    std::fs::rename(&aside, keys).unwrap();
    scene.post("/organisations", &declared).await.expect(201);
}
