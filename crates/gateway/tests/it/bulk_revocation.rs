//! Many credentials revoked for one reason: counted first, then revoked at a pace, once each, whatever breaks off.

use std::num::NonZeroU32;

use gateway::revoke::bulk::{self, Counts, Order};
use gateway::revoke::jobs;
use gateway::revoke::operator::{self, Change};
use gateway::revoke::serials::Serials;
use gateway::status::Reason;
use jiff::SignedDuration;
use store::{Statement, Store, StoreError};
use uuid::Uuid;

use crate::database::{Database, on_both_engines};
use crate::suspension::target;
use crate::world::{World, identity, programme};

on_both_engines!(
    sec_27_what_has_expired_is_counted_apart_from_what_is_in_force,
    a_job_revokes_what_its_dry_run_counted_and_goes_on_where_it_stopped,
    sec_27_what_was_unknown_is_revoked_by_the_same_order_once_it_is_issued,
    two_processes_at_one_job_revoke_each_credential_once,
    a_job_is_its_organisations_and_its_types,
    an_upload_that_was_broken_off_is_no_job_and_its_lines_go_after_its_time,
);

const ORDER: Order<'static> = Order {
    organisation: "anytown",
    credential_type: None,
    reason: Reason::DataError,
    note: "wrong import",
    ticket: "INC123",
    pace: NonZeroU32::new(4).unwrap(),
};

/// Credentials straight in the database, as if they had been issued: their serial numbers.
async fn issued(store: &Store, organisation: &str, number: i64) -> Vec<Uuid> {
    let list = "INSERT INTO status_lists (organisation, list, revision) VALUES ($1, 1, 0) ON CONFLICT DO NOTHING";
    let mut batch = vec![Statement::new(list).bind(organisation)];
    let serials: Vec<Uuid> = (0..number).map(|_| Uuid::new_v4()).collect();
    let each = (0..).zip(&serials);
    batch.extend(each.map(|(index, serial)| credential(organisation, index, *serial)));
    store.write(batch).await.unwrap();
    serials
}

fn credential(organisation: &str, index: i64, serial: Uuid) -> Statement {
    let insert = Statement::new(
        "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, interaction, \
         list, list_index, issued_at) VALUES ($1, $2, 'v2', 'FireSafety', 'jwt_vc_json', 'none', 1, $3, 0)",
    );
    insert
        .bind(serial.to_string())
        .bind(organisation)
        .bind(index)
}

fn file(serials: &[Uuid]) -> Serials {
    let lines: Vec<String> = serials.iter().map(Uuid::to_string).collect();
    Serials::parse(format!("serial_number\n{}\n", lines.join("\n")).as_bytes()).unwrap()
}

async fn revoked(store: &Store) -> usize {
    let select = "SELECT serial_number FROM credentials WHERE revoked_at IS NOT NULL";
    store.read(Statement::new(select)).await.unwrap().len()
}

/// SEC-27: what two persons agree on is what somebody loses, not what ran out long ago.
async fn sec_27_what_has_expired_is_counted_apart_from_what_is_in_force(database: Database) {
    let world = World::start_on(database).await;
    let app = world.gateway.app();
    let serials = issued(&app.store, "anytown", 5).await;
    let expire = "UPDATE credentials SET expires_at = $1 WHERE serial_number = $2";
    let at = [
        app.now(),
        app.now() - jiff::SignedDuration::from_hours(1),
        app.now() + jiff::SignedDuration::from_hours(1),
    ];
    for (serial, at) in serials.iter().zip(at) {
        let expire = Statement::new(expire).bind(at).bind(serial.to_string());
        app.store.write([expire.must_change(1)]).await.unwrap();
    }
    // Revoked counts as revoked, expired or not.
    let revoke = Change::Revoke(Reason::Superseded, "");
    operator::change(
        &app.store,
        target(&serials[1].to_string()),
        revoke,
        Vec::new(),
        app.now(),
    )
    .await
    .unwrap();
    let file = file(&serials);
    let counts = bulk::count(&app.store, "anytown", None, &file, app.now()).await;
    let expected = Counts {
        in_force: 3,
        expired: 1,
        already_revoked: 1,
        unknown: 0,
    };
    assert_eq!(counts.unwrap(), expected);
    let by = ("job-1", "op-1");
    jobs::upload(&app.store, by, &ORDER, &file, Vec::new(), app.now())
        .await
        .unwrap();
    let job = jobs::find(&app.store, "job-1", None)
        .await
        .unwrap()
        .unwrap();
    let counts = jobs::count(&app.store, &job, app.now()).await;
    assert_eq!(counts.unwrap(), expected);
}

/// SEC-27.
async fn a_job_revokes_what_its_dry_run_counted_and_goes_on_where_it_stopped(database: Database) {
    let world = World::start_on(database).await;
    let app = world.gateway.app();
    let mut serials = issued(&app.store, "anytown", 10).await;
    let revoke = Change::Revoke(Reason::Superseded, "");
    let first = target(&serials[0].to_string());
    operator::change(&app.store, first, revoke, Vec::new(), app.now())
        .await
        .unwrap();
    serials.extend(issued(&app.store, "elsewhere", 1).await);
    serials.push(Uuid::new_v4());
    let file = file(&serials);

    let counts = bulk::count(&app.store, "anytown", None, &file, app.now())
        .await
        .unwrap();
    let expected = Counts {
        in_force: 9,
        expired: 0,
        already_revoked: 1,
        unknown: 2,
    };
    assert_eq!(counts, expected);
    assert_eq!(revoked(&app.store).await, 1);

    let audit = |id: String| {
        let insert = "INSERT INTO used_nonces (digest, expires_at) VALUES ($1, 4102444800)";
        vec![Statement::new(insert).bind(id)]
    };
    let begun = vec![Statement::new("UPDATE status_lists SET list = list")];
    let job = bulk::begin(&app.store, &ORDER, &file, begun, app.now())
        .await
        .unwrap();
    let step = async |store: &Store| {
        let also = |serial: Uuid| audit(serial.to_string());
        bulk::step(store, "anytown", &job, also, app.now())
            .await
            .unwrap()
    };
    assert!(!step(&app.store).await);
    let before = bulk::progress(&app.store, "anytown", &job)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(before.waiting, 8, "{before:?}");

    // The process is gone; the same order for the same file goes on, in another.
    let second = world.second_process().await;
    let store = &second.app().store;
    assert_eq!(
        bulk::begin(store, &ORDER, &file, Vec::new(), app.now())
            .await
            .unwrap(),
        job
    );
    assert!(!step(store).await);
    assert!(step(store).await);
    assert!(step(store).await);
    let after = bulk::progress(store, "anytown", &job)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            after.waiting,
            after.revoked,
            after.already_revoked,
            after.unknown
        ),
        (0, 9, 1, 2)
    );
    assert!(after.finished_at.is_some());
    // Each revocation has its own line of the audit, and nothing else has one.
    let lines = Statement::new("SELECT digest FROM used_nonces WHERE expires_at = 4102444800");
    assert_eq!(
        (revoked(store).await, store.read(lines).await.unwrap().len()),
        (10, 9)
    );
    let select = "SELECT revocation_code, revocation_reason FROM credentials WHERE revocation_code = 'data-error'";
    let row = store
        .read_one(Statement::new(select))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        row.text("revocation_reason").unwrap(),
        "wrong import (INC123)"
    );
    let again = bulk::count(store, "anytown", None, &file, app.now())
        .await
        .unwrap();
    assert_eq!(
        again,
        Counts {
            in_force: 0,
            expired: 0,
            already_revoked: 10,
            unknown: 2
        }
    );
}

/// SEC-27: a file may name what is pushed and not yet in a wallet.
async fn sec_27_what_was_unknown_is_revoked_by_the_same_order_once_it_is_issued(
    database: Database,
) {
    let world = World::start_on(database).await;
    let app = world.gateway.app();
    let mut serials = issued(&app.store, "anytown", 1).await;
    let late = Uuid::new_v4();
    serials.extend([late, Uuid::new_v4()]);
    let file = file(&serials);
    // What came of it: revoked, unknown, and how often it was said to begin.
    let run = async || {
        let begun = "INSERT INTO used_nonces (digest, expires_at) VALUES ($1, 4102444800)";
        let begun = Statement::new(begun).bind(Uuid::new_v4().to_string());
        let job = bulk::begin(&app.store, &ORDER, &file, vec![begun], app.now()).await;
        let job = job.unwrap();
        let step = || bulk::step(&app.store, "anytown", &job, |_| Vec::new(), app.now());
        // The last of its lines is done in the first second, or nothing was to do.
        assert!(step().await.unwrap() || step().await.unwrap());
        let progress = bulk::progress(&app.store, "anytown", &job).await;
        let progress = progress.unwrap().unwrap();
        assert_eq!(progress.waiting, 0);
        assert!(progress.finished_at.is_some());
        let begun = "SELECT digest FROM used_nonces WHERE expires_at = 4102444800";
        let begun = app.store.read(Statement::new(begun)).await.unwrap().len();
        (progress.revoked, progress.unknown, begun)
    };
    assert_eq!(run().await, (1, 2, 1));
    assert_eq!(run().await, (1, 2, 1), "nothing is new");
    // Of another organisation it stays unknown.
    let issue = async |organisation, index| {
        let issue = credential(organisation, index, late);
        app.store.write([issue]).await.unwrap();
    };
    issued(&app.store, "elsewhere", 1).await;
    issue("elsewhere", 7).await;
    assert_eq!(run().await, (1, 2, 1), "of another organisation");
    let gone = "DELETE FROM credentials WHERE organisation = 'elsewhere'";
    app.store.write([Statement::new(gone)]).await.unwrap();
    issue("anytown", 7).await;
    assert_eq!(run().await, (2, 1, 2));
    assert_eq!(revoked(&app.store).await, 2);
    assert_eq!(run().await, (2, 1, 2), "nothing is new");
}

/// SEC-27.
async fn two_processes_at_one_job_revoke_each_credential_once(database: Database) {
    let world = World::start_on(database).await;
    let (first, second) = (world.gateway.app(), world.second_process().await);
    let second = second.app();
    let file = file(&issued(&first.store, "anytown", 12).await);
    let order = Order {
        pace: NonZeroU32::new(100).unwrap(),
        ..ORDER
    };
    let begun = tokio::join!(
        bulk::begin(&first.store, &order, &file, Vec::new(), first.now()),
        bulk::begin(&second.store, &order, &file, Vec::new(), first.now()),
    );
    let job = begun.0.unwrap();
    assert_eq!(begun.1.unwrap(), job);
    let now = first.now();
    let done = tokio::join!(
        bulk::step(&first.store, "anytown", &job, |_| Vec::new(), now),
        bulk::step(&second.store, "anytown", &job, |_| Vec::new(), now),
    );
    done.0.unwrap();
    done.1.unwrap();
    let after = bulk::progress(&first.store, "anytown", &job)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (after.waiting, after.revoked, after.unknown),
        (0, 12, 0),
        "{after:?}"
    );
    let select = Statement::new("SELECT revision FROM status_lists WHERE organisation = 'anytown'");
    let row = first.store.read_one(select).await.unwrap().unwrap();
    assert_eq!(row.integer("revision").unwrap(), 12);
}

/// SEC-27, SEC-33: what is another organisation's or of another type is unknown, and stays as it is.
async fn a_job_is_its_organisations_and_its_types(database: Database) {
    let world = World::start_on(database).await;
    let app = world.gateway.app();
    let mut serials = issued(&app.store, "elsewhere", 2).await;
    serials.extend(issued(&app.store, "anytown", 3).await);
    let file = file(&serials);
    let order = Order {
        credential_type: Some("Identity"),
        ..ORDER
    };
    let all = Counts {
        in_force: 0,
        expired: 0,
        already_revoked: 0,
        unknown: 5,
    };
    let counts = bulk::count(&app.store, "anytown", Some("Identity"), &file, app.now())
        .await
        .unwrap();
    assert_eq!(counts, all);
    let job = bulk::begin(&app.store, &order, &file, Vec::new(), app.now())
        .await
        .unwrap();
    for _ in 0..2 {
        bulk::step(&app.store, "anytown", &job, |_| Vec::new(), app.now())
            .await
            .unwrap();
    }
    let after = bulk::progress(&app.store, "anytown", &job)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (after.revoked, after.unknown, revoked(&app.store).await),
        (0, 5, 0)
    );
    // The job itself is nobody else's either.
    let theirs = bulk::progress(&app.store, "elsewhere", &job).await.unwrap();
    assert_eq!(theirs, None);
    let refused = bulk::step(&app.store, "elsewhere", &job, |_| Vec::new(), app.now()).await;
    assert_eq!(refused.unwrap_err().code(), "job-unknown");
}

/// TS-05, SEC-26: a place is never given twice, also where the credential that had it is forgotten.
#[tokio::test]
async fn what_is_forgotten_leaves_its_place_to_nobody() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let app = world.gateway.app();
    // Retention forgets interactions, and no credential ever, however old.
    world.later(jiff::SignedDuration::from_hours(24 * 365 * 20));
    world.gateway.tidy_once().await.unwrap();
    let select = Statement::new("SELECT list FROM credentials WHERE serial_number = $1");
    let row = app
        .store
        .read_one(select.bind(serial.as_str()))
        .await
        .unwrap();
    assert_eq!(row.unwrap().integer("list").unwrap(), 1);
    // A sandbox forgets all, and begins on a new list.
    world.gateway.forget_everything().await.unwrap();
    world.later(jiff::SignedDuration::ZERO);
    let serial = world.issue("ben", "Identity", identity()).await;
    let select = Statement::new("SELECT list FROM credentials WHERE serial_number = $1");
    let row = app.store.read_one(select.bind(serial)).await.unwrap();
    assert_eq!(row.unwrap().integer("list").unwrap(), 2);
}

async fn an_upload_that_was_broken_off_is_no_job_and_its_lines_go_after_its_time(
    database: Database,
) {
    let world = World::start_on(database).await;
    let app = world.gateway.app();
    let store = &app.store;
    let file = file(&issued(store, "anytown", 3).await);
    // As after a crash behind the lines: what completes the job is not done.
    let never = Statement::new("DELETE FROM legal_holds WHERE kind = 'none'").must_change(1);
    let by = ("job-1", "op-1");
    let broken = jobs::upload(store, by, &ORDER, &file, vec![never], app.now()).await;
    assert!(
        matches!(broken, Err(StoreError::Unmet { .. })),
        "{broken:?}"
    );
    let rows = async |table: &str| {
        let select = format!("SELECT COUNT(*) AS count FROM {table}");
        let row = store.read_one(Statement::new(select)).await.unwrap();
        row.unwrap().integer("count").unwrap()
    };
    assert!(jobs::find(store, "job-1", None).await.unwrap().is_none());
    assert!(jobs::list(store, None, 9).await.unwrap().is_empty());
    let begun = store.write([jobs::begin("job-1", "proposal-1")]).await;
    assert!(matches!(begun, Err(StoreError::Unmet { .. })), "{begun:?}");
    for (hours, left) in [(24 * 7 - 1, 3), (24 * 7 + 1, 0)] {
        world.later(SignedDuration::from_hours(hours));
        world.gateway.tidy_once().await.unwrap();
        assert_eq!(rows("revocation_job_lines").await, left, "after {hours} h");
    }
    assert_eq!(rows("revocation_jobs").await, 0);
}
