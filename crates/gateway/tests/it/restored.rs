//! A gateway's database restored from a copy: what must not be in force again, and what nobody may get twice.

use gateway::audit;
use gateway::restored::{self, AcceptError, Backup};
use jiff::Timestamp;
use serde_json::json;
use store::copy::{self, Others};
use store::{DatabaseUrl, Statement, Store};

use crate::database::{Database, on_both_engines};
use crate::world::{Admin, World};
use gateway::admin::Role;

on_both_engines!(
    sec_26_after_a_restore_no_place_is_drawn_from_a_list_of_before,
    sec_13_a_restore_ends_sessions_and_proposals_and_no_gateway_serves_before_somebody_has_looked,
);

/// The database of that moment, in another one of the same engine.
async fn restored_copy(of: &World, at: Timestamp) -> (Database, Store) {
    let from: DatabaseUrl = of.config.database_address().unwrap().parse().unwrap();
    let target = match &from {
        DatabaseUrl::Sqlite(_) => Database::sqlite(),
        DatabaseUrl::Postgres(_) => Database::postgres().await.unwrap(),
    };
    let backup = Backup {
        taken_at: at,
        digest: [7; 32],
    };
    let records = copy::dump(&from, Others::Allowed);
    let then = restored::statements(&backup, "ina", at);
    copy::restore(target.url(), &[gateway::MIGRATIONS], records, then)
        .await
        .unwrap();
    let store = target.open().await;
    (target, store)
}

async fn sec_26_after_a_restore_no_place_is_drawn_from_a_list_of_before(database: Database) {
    let world = World::start_on(database).await;
    let app = world.gateway.app();
    let organisation = app.organisations.iter().next().unwrap();
    let (list, _) = app.lists.allot(organisation, 0).await.unwrap();
    assert_eq!(list, 1);
    let (_database, store) = restored_copy(&world, world.now()).await;
    let lists = gateway::status::Lists::new(
        world.base.clone(),
        store.clone(),
        app.random.clone(),
        app.seal.clone(),
    );
    // Those with a list, and those that had none then and may have one since.
    for organisation in app.organisations.iter() {
        let (first, _) = lists.allot(organisation, 0).await.unwrap();
        // Seventeen years of a new list in every ten seconds.
        assert!(
            first > 50_000_000,
            "{} draws from list {first}",
            organisation.id
        );
        let (next, _) = lists
            .allot(organisation, gateway::status::DRAWS)
            .await
            .unwrap();
        assert_eq!(next, first + 1);
        assert_eq!(lists.allot(organisation, 0).await.unwrap().0, next);
    }
}

async fn sec_13_a_restore_ends_sessions_and_proposals_and_no_gateway_serves_before_somebody_has_looked(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let ben = admin.operator("ben", Role::Administrator, None).await;
    let detail = json!({ "operator": ben.id, "role": "viewer" });
    admin.propose(&ann, "operator-role-change", detail).await;
    let session = "UPDATE operator_tokens SET kind = 'session' WHERE operator = $1";
    let session = Statement::new(session).bind(ben.id.as_str());
    let now = admin.world.now();
    admin
        .world
        .gateway
        .app()
        .store
        .write([session])
        .await
        .unwrap();

    let (_database, store) = restored_copy(&admin.world, now).await;
    let count = async |sql: &'static str| {
        let row = store.read_one(Statement::new(sql)).await.unwrap().unwrap();
        row.integer("n").unwrap()
    };
    let sessions =
        "SELECT COUNT(*) AS n FROM operator_tokens WHERE kind = 'session' AND revoked_at IS NULL";
    assert_eq!(count(sessions).await, 0);
    assert_eq!(
        count("SELECT COUNT(*) AS n FROM proposals WHERE state = 'open'").await,
        0
    );
    let last = "SELECT COUNT(*) AS n FROM audit_entries WHERE act = 'restored' \
                AND number = (SELECT MAX(number) FROM audit_entries)";
    assert_eq!(count(last).await, 1);
    audit::chain::round(&store).await.unwrap();

    assert!(restored::check(&store).await.unwrap().is_err());
    let shown = restored::in_force(&store, now).await.unwrap();
    let has = |kind: &str, what: &str| {
        let mut things = shown.things.iter();
        things.any(|thing| thing.kind == kind && thing.what.contains(what))
    };
    assert!(has("operator", "ann, administrator") && has("operator", "ben, administrator"));
    assert!(
        has("token", "of ann") && !has("token", "of ben"),
        "{shown:?}"
    );
    assert!(has("key", "for credentials: active"), "{shown:?}");

    // Whoever has not seen this list accepts nothing; nor does who saw it before something was ended.
    let refused = restored::accept(&store, "00000000", "ina", now).await;
    assert!(matches!(refused, Err(AcceptError::Changed(_))));
    let remove = "UPDATE operators SET removed_at = added_at WHERE name = 'ben'";
    store.write([Statement::new(remove)]).await.unwrap();
    let refused = restored::accept(&store, &shown.word(), "ina", now).await;
    assert!(matches!(refused, Err(AcceptError::Changed(_))));
    assert!(restored::check(&store).await.unwrap().is_err());
    let shown = restored::in_force(&store, now).await.unwrap();
    restored::accept(&store, &shown.word(), "ina", now)
        .await
        .unwrap();
    assert!(restored::check(&store).await.unwrap().is_ok());
    let again = restored::accept(&store, &shown.word(), "ina", now).await;
    assert!(matches!(again, Err(AcceptError::Nothing)));
    assert_eq!(
        count("SELECT COUNT(*) AS n FROM audit_entries WHERE act = 'restore-accepted'").await,
        1
    );
}
