//! A gateway's database restored from a copy: what must not be in force again, and what nobody may get twice.

use gateway::audit;
use gateway::restored::{self, AcceptError, Backup};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::copy::{self, Others};
use store::{DatabaseUrl, Row, Statement, Store};

use crate::database::{Database, on_both_engines};
use crate::receiver::Receiver;
use crate::world::{Admin, World, programme};
use gateway::admin::Role;

on_both_engines!(
    sec_26_after_a_restore_no_place_is_drawn_from_a_list_of_before,
    after_a_restore_no_event_has_a_number_that_a_receiver_knows,
    sec_13_a_restore_ends_sessions_and_proposals_and_no_gateway_serves_before_somebody_has_looked,
    sec_13_the_list_of_a_restore_has_all_that_opens_or_signs_and_nothing_that_ended,
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

/// A receiver remembers numbers of which the restored database knows nothing, and would drop what comes under one of them.
async fn after_a_restore_no_event_has_a_number_that_a_receiver_knows(database: Database) {
    let (v2, plain) = (Receiver::up().await, Receiver::up().await);
    let reachable = vec![v2.url.clone(), plain.url.clone()];
    let world = World::start_with(database, reachable, |config| v2.register(config, "v2")).await;
    world.issue("anna", "TrainingProgramme", programme()).await;
    world.gateway.deliver_once().await.unwrap();
    assert_eq!(v2.story().len(), 1);

    // One system more is told since the backup: it has numbers, too, and its stream is not in the backup at all.
    let at = world.now();
    let (database, store) = restored_copy(&world, at).await;
    let address = database.address();
    let second = world.second_process_with(|config| {
        config.database = address;
        plain.register(config, "plain");
    });
    second.await.close().await;
    let numbers = async || {
        let select = "SELECT client_id, last_sequence FROM event_streams WHERE active = 1 ORDER BY client_id";
        let rows = store.read(Statement::new(select)).await.unwrap();
        let number = |row: &Row| {
            let number = row.integer("last_sequence").unwrap();
            (row.text("client_id").unwrap().to_owned(), number)
        };
        rows.iter().map(number).collect::<Vec<_>>()
    };
    // As many as a thousand in each second since 1970.
    let first = at.as_millisecond();
    let [plain, v2] = ["plain", "v2"].map(|name| world.party(name).client_id);
    assert_eq!(numbers().await, [(plain, first), (v2, first)]);

    // And once more, on a machine whose clock is behind, from what was told since.
    let since = "UPDATE event_streams SET last_sequence = last_sequence + 7";
    store.write([Statement::new(since)]).await.unwrap();
    let backup = Backup {
        taken_at: world.now(),
        digest: [8; 32],
    };
    let behind = world.now() - SignedDuration::from_hours(1);
    let again = restored::statements(&backup, "ina", behind);
    store.write(again).await.unwrap();
    for (client, number) in numbers().await {
        assert!(number >= first + 7, "{client}: {number}");
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

async fn sec_13_the_list_of_a_restore_has_all_that_opens_or_signs_and_nothing_that_ended(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let body = json!({ "password": "correct horse battery staple" });
    let begun = admin.post(&ann, "/admin/v1/sign-in", &body).await;
    let begun = begun.expect(201).json;
    // Of before the day that it is in force, and one that has run out.
    admin.token_of("ann", SignedDuration::from_hours(48)).await;
    let now = admin.world.now();
    let write = async |sql: &str, values: [&str; 2]| {
        let statement = Statement::new(sql.to_owned());
        let statement = values
            .into_iter()
            .filter(|value| !value.is_empty())
            .fold(statement, Statement::bind);
        let app = admin.world.gateway.app();
        app.store.write([statement.must_change(1)]).await.unwrap();
    };
    let sign_in = "INSERT INTO operator_sign_ins (operator, password_hash, totp_secret, last_step, set_up_at) \
                   SELECT id, 'x', (SELECT totp_secret FROM operator_set_ups WHERE operator = $1), 0, added_at \
                   FROM operators WHERE id = $2";
    write(sign_in, [&ann.id, &ann.id]).await;
    let state = "UPDATE signing_keys SET state = $1 WHERE owner = 'anytown' AND purpose = $2 AND state = 'active'";
    write(state, ["verify-only", "credentials"]).await;
    write(state, ["next", "status"]).await;
    write(state, ["removed", "requests"]).await;
    for (id, ends) in [
        ("live", "NULL"),
        ("ends-soon", "4102444800"),
        ("over", "1000"),
    ] {
        let secret = format!(
            "INSERT INTO client_secrets (id, client_id, digest, created_at, ends_at) VALUES ($1, 'x-staff', $2, 500, {ends})"
        );
        write(&secret, [id, id]).await;
    }

    let (_database, store) = restored_copy(&admin.world, now).await;
    let shown = restored::in_force(&store, now).await.unwrap();
    let of = |kind: &str| {
        let things = shown.things.iter().filter(|thing| thing.kind == kind);
        things.map(|thing| thing.what.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("sign-in"), ["ann, with 0 recovery codes not used"]);
    assert_eq!(of("token").len(), 1, "{shown:?}");
    assert_eq!(of("secret"), ["ends-soon of x-staff", "live of x-staff"]);
    let keys = of("key").join("\n");
    for (wanted, is_there) in [
        ("of anytown for credentials: verify-only", true),
        ("of anytown for status: next", true),
        ("of anytown for requests", false),
    ] {
        assert_eq!(keys.contains(wanted), is_there, "{wanted}: {keys}");
    }
    // What somebody had begun to set up is confirmed by nobody.
    let begun_still = "SELECT COUNT(*) AS n FROM operator_set_ups";
    let row = store.read_one(Statement::new(begun_still)).await.unwrap();
    assert_eq!(row.unwrap().integer("n").unwrap(), 0);
    assert!(begun["set_up"].is_string());

    // Restored once more before anybody looked: whoever accepts has seen what both left.
    let again = Backup {
        taken_at: now,
        digest: [8; 32],
    };
    let then = restored::statements(&again, "ina", now);
    store.write(then).await.unwrap();
    let word = restored::in_force(&store, now).await.unwrap().word();
    restored::accept(&store, &word, "ina", now).await.unwrap();
    assert!(restored::check(&store).await.unwrap().is_ok());
}
