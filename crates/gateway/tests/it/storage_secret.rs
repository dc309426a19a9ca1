//! The storage secret is changed beside a gateway that runs, and the old one goes.

use gateway::audit::Actor;
use gateway::config::Secret;
use gateway::{Config, Gateway, Surroundings, rotate_storage_secret};
use store::Statement;
use zeroize::Zeroizing;

use crate::database::{Database, on_both_engines};
use crate::registry::with_newtown;
use crate::world::{Browser, World};

on_both_engines!(
    sec_37_after_a_change_of_the_storage_secret_nothing_needs_the_old_one,
    sec_37_the_order_of_several_storage_secrets_decides_nobodys_subject,
);

const NEW: &str = "Zm9yIHRlc3RzIG9ubHksIHRoZSBuZXdlciBvbmUuLi4u";

fn with(config: &Config, secret: &str, earlier: &[Secret]) -> Config {
    Config {
        storage_secret: Secret::Held(Zeroizing::new(secret.to_owned())),
        earlier_storage_secrets: earlier.to_vec(),
        ..config.clone()
    }
}

async fn composed(config: &Config) -> Result<Gateway, gateway::ComposeError> {
    let surroundings = Surroundings {
        sandbox: true,
        ..Surroundings::production()
    };
    Gateway::compose(config, surroundings).await
}

async fn sec_37_after_a_change_of_the_storage_secret_nothing_needs_the_old_one(database: Database) {
    let world = World::start_on(database).await;
    with_newtown(&world).await;
    let party = world.party("plain");
    let under_way = world.pushed(&party, |_| ()).await;
    let old = world.gateway.app().seal.clone();
    let both = with(
        &world.config,
        NEW,
        std::slice::from_ref(&world.config.storage_secret),
    );
    let alone = with(&world.config, NEW, &[]);
    let Err(error) = composed(&alone).await else {
        panic!("what the old secret sealed opens without it");
    };
    assert!(
        error.to_string().contains("earlier_storage_secrets"),
        "{error}"
    );

    let done = rotate_storage_secret(&both, false, "ina", world.now())
        .await
        .unwrap();
    assert!(done.settled);
    let of = |table: &str| *done.tables.iter().find(|one| one.table == table).unwrap();
    assert_eq!((of("registry").found, of("registry").renewed), (1, 1));
    assert_eq!(
        (of("interactions").found, of("interactions").renewed),
        (1, 1)
    );
    assert!(done.tables.iter().all(|one| one.lost == 0), "{done:?}");
    // A gateway that knows the old secret only, and one that knows both, write on meanwhile; then the rest is done.
    let later = world.pushed(&party, |_| ()).await;
    assert_ne!(later, under_way);
    let again = rotate_storage_secret(&both, false, "ina", world.now())
        .await
        .unwrap();
    let renewed = again.tables.iter().filter(|one| one.renewed > 0);
    let renewed: Vec<_> = renewed.map(|one| (one.table, one.renewed)).collect();
    assert_eq!(renewed, [("interactions", 1)], "{again:?}");

    // The old one is gone: what is registered opens, people are who they were, and journeys go on.
    let gateway = composed(&alone).await.unwrap();
    assert!(
        gateway
            .app()
            .organisations
            .relying_party("newtown-staff")
            .is_some()
    );
    let new = gateway.app().seal.clone();
    assert_eq!(new.pairwise("plain", "anna"), old.pairwise("plain", "anna"));
    assert_eq!(new.decoys("anytown", 0, 0), old.decoys("anytown", 0, 0));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let here = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let server = crate::world::serve(listener, &gateway);
    let page = Browser::new()
        .open(&under_way.replace(&world.base, &here))
        .await;
    assert_eq!(page.status, 200, "{}", page.html);
    server.abort();
    let entry =
        Statement::new("SELECT actor FROM audit_entries WHERE act = 'storage-secret-changed'");
    let entries = gateway.app().store.read(entry).await.unwrap();
    assert_eq!(
        entries[0].text("actor").unwrap(),
        Actor::Command("ina").to_string()
    );

    // A secret that was never in use is told apart from one that was.
    let wrong = with(
        &world.config,
        "Zm9yIHRlc3RzIG9ubHksIG5vYm9keSdzIGF0IGFsbC4u",
        &[],
    );
    let Err(error) = composed(&wrong).await else {
        panic!("it starts with any secret");
    };
    assert!(
        error.to_string().contains("earlier_storage_secrets"),
        "{error}"
    );
    let lost = rotate_storage_secret(&wrong, false, "ina", world.now())
        .await
        .unwrap();
    assert!(
        lost.tables
            .iter()
            .all(|one| one.lost == one.found && one.renewed == 0),
        "{lost:?}"
    );
}

/// With several processes the new secret stands among the earlier ones first, and there it is the last.
async fn sec_37_the_order_of_several_storage_secrets_decides_nobodys_subject(database: Database) {
    let world = World::start_on(database).await;
    let old = world.gateway.app().seal.clone();
    let party = world.party("plain");
    world.pushed(&party, |_| ()).await;
    let new = Secret::Held(Zeroizing::new(NEW.to_owned()));
    let first_step = Config {
        earlier_storage_secrets: vec![new.clone()],
        ..world.config.clone()
    };
    let gateway = composed(&first_step).await.unwrap();
    let seal = gateway.app().seal.clone();
    assert_eq!(
        seal.pairwise("plain", "anna"),
        old.pairwise("plain", "anna")
    );
    assert_eq!(seal.decoys("anytown", 0, 0), old.decoys("anytown", 0, 0));
    // Where nothing was written down, as before this version, nobody can know: nothing is written down for good.
    let store = &gateway.app().store;
    let forget = || Statement::new("DELETE FROM kept_keys");
    store.write([forget()]).await.unwrap();
    composed(&first_step).await.unwrap();
    let refused = rotate_storage_secret(&first_step, false, "ina", world.now()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("--last-is-first"), "{refused}");
    let kept = Statement::new("SELECT name FROM kept_keys");
    assert!(store.read(kept).await.unwrap().is_empty());
    // One start with the one secret, or the word of whoever knows, and it is.
    composed(&world.config).await.unwrap();
    rotate_storage_secret(&first_step, false, "ina", world.now())
        .await
        .unwrap();
    store.write([forget()]).await.unwrap();
    let second_step = with(
        &world.config,
        NEW,
        std::slice::from_ref(&world.config.storage_secret),
    );
    rotate_storage_secret(&second_step, true, "ina", world.now())
        .await
        .unwrap();
    let gateway = composed(&with(&world.config, NEW, &[])).await.unwrap();
    let seal = gateway.app().seal.clone();
    assert_eq!(
        seal.pairwise("plain", "anna"),
        old.pairwise("plain", "anna")
    );
}

/// A process that still has the old secret writes where the walk has been: the trigger does it for it, at the last moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_37_what_is_sealed_with_the_old_secret_behind_the_walk_is_found_by_the_next() {
    let world = World::start_on(Database::sqlite()).await;
    let party = world.party("plain");
    world.pushed(&party, |_| ()).await;
    let both = with(
        &world.config,
        NEW,
        std::slice::from_ref(&world.config.storage_secret),
    );
    let store = &world.gateway.app().store;
    let late = [
        "CREATE TABLE late AS SELECT id, sealed FROM interactions",
        "CREATE TRIGGER late AFTER UPDATE ON kept_keys WHEN NEW.name = 'pairwise' \
         BEGIN UPDATE interactions SET sealed = (SELECT l.sealed FROM late l WHERE l.id = interactions.id); END",
    ];
    store.write(late.map(Statement::new)).await.unwrap();
    let done = rotate_storage_secret(&both, false, "ina", world.now())
        .await
        .unwrap();
    let of = |table: &str| *done.tables.iter().find(|one| one.table == table).unwrap();
    assert_eq!(
        (of("interactions").renewed, done.settled),
        (2, true),
        "{done:?}"
    );
    // Whoever never ends is told apart from what is done.
    let for_ever = "CREATE TRIGGER for_ever AFTER UPDATE ON interactions WHEN NEW.sealed <> (SELECT l.sealed FROM late l WHERE \
                    l.id = NEW.id) BEGIN UPDATE interactions SET sealed = (SELECT l.sealed FROM late l WHERE l.id = NEW.id) \
                    WHERE id = NEW.id; END";
    let again = "UPDATE interactions SET sealed = (SELECT l.sealed FROM late l WHERE l.id = interactions.id)";
    store
        .write([again, for_ever].map(Statement::new))
        .await
        .unwrap();
    let done = rotate_storage_secret(&both, false, "ina", world.now())
        .await
        .unwrap();
    assert!(!done.settled, "{done:?}");
}
