//! The audit on both engines: one chain however many write, and every way in which a database administrator could change
//! it is found.

use gateway::audit::export::{self, Export, Format};
use gateway::audit::verify::{Report, verify};
use gateway::audit::{Act, Actor, Entry, chain, checkpoint, prune};
use jiff::{SignedDuration, Timestamp};
use standards::jose::{Algorithm, Jwk, Signer, SoftwareKey};
use store::{Statement, Store, StoreError};

use crate::database::{Database, on_both_engines};

on_both_engines!(
    an_entry_is_kept_with_its_act_or_neither_is,
    entries_of_several_processes_make_one_chain,
    neither_an_update_nor_a_delete_reaches_an_entry,
    every_corruption_by_a_database_administrator_is_found,
    a_chain_made_anew_disagrees_with_its_checkpoint,
    what_a_compromised_key_signed_counts_if_another_holds_it_and_nothing_after_the_report,
    what_is_older_than_its_time_goes_and_the_chain_says_so,
    an_export_verifies_by_itself_and_every_change_to_it_is_found,
);

const ISSUER: &str = "https://gateway.example";

struct Scene {
    store: Store,
    key: SoftwareKey,
    now: Timestamp,
    database: Database,
}

impl Scene {
    async fn start(database: Database) -> Self {
        Self {
            store: gateway::open_store(&database.address()).await.unwrap(),
            key: SoftwareKey::generate(Algorithm::ES256).unwrap(),
            now: "2026-11-28T12:00:00Z".parse().unwrap(),
            database,
        }
    }

    fn entry(&self, number: i64) -> Entry {
        let object = format!("operator-{number}");
        Entry::new(
            Actor::Operator("op-1"),
            Act::OperatorRemoved,
            ("operator", &object),
            self.now,
        )
        .organisation(Some("anytown"))
        .number("count", number)
        .reason(Some("left the trust"))
        .ticket(Some("INC-1"))
    }

    /// So many entries, each with its place, and a checkpoint.
    async fn with_entries(self, many: i64) -> Self {
        for number in 1..=many {
            self.store.write([self.entry(number).into()]).await.unwrap();
        }
        chain::round(&self.store).await.unwrap();
        checkpoint::round(&self.store, ISSUER, &self.key, self.now)
            .await
            .unwrap();
        self
    }

    fn keys(&self) -> [Jwk; 1] {
        [self.key.public_jwk().clone()]
    }

    async fn verify(&self) -> Report {
        verify(&self.store, ISSUER, &self.keys()).await.unwrap()
    }

    async fn faults(&self) -> Vec<(&'static str, i64)> {
        let report = self.verify().await;
        report
            .faults
            .iter()
            .map(|fault| (fault.code, fault.position))
            .collect()
    }

    /// What whoever owns the database can do.
    async fn as_administrator(&self, sql: &[&str]) {
        let drops: &[&str] = match self.store.engine() {
            "sqlite" => &[
                "DROP TRIGGER IF EXISTS audit_entries_stay",
                "DROP TRIGGER IF EXISTS audit_entries_are_kept",
                "DROP TRIGGER IF EXISTS audit_chain_goes_on",
                "DROP INDEX IF EXISTS audit_entries_by_position",
            ],
            _ => &[
                "DROP TRIGGER IF EXISTS audit_entries_stay ON audit_entries",
                "DROP TRIGGER IF EXISTS audit_entries_are_kept ON audit_entries",
                "DROP TRIGGER IF EXISTS audit_chain_goes_on ON audit_chain",
                "DROP INDEX IF EXISTS audit_entries_by_position",
            ],
        };
        let statements = drops
            .iter()
            .chain(sql)
            .map(|sql| Statement::new((*sql).to_owned()));
        self.store.write(statements).await.unwrap();
    }

    async fn exported(&self) -> String {
        let mut text = String::new();
        let range = (
            self.now - SignedDuration::from_hours(1),
            self.now + SignedDuration::from_hours(1),
        );
        let export = Export::begin(&self.store, ISSUER, range, None, Format::Jsonl).await;
        let mut export = export.unwrap();
        while let Some(piece) = export.next().await.unwrap() {
            text.push_str(&piece);
        }
        text
    }
}

async fn an_entry_is_kept_with_its_act_or_neither_is(database: Database) {
    let scene = Scene::start(database).await;
    let nothing =
        Statement::new("UPDATE operators SET role = 'viewer' WHERE id = 'nobody'").must_change(1);
    let refused = scene.store.write([scene.entry(1).into(), nothing]).await;
    assert!(
        matches!(refused, Err(StoreError::Unmet { statement: 1 })),
        "{refused:?}"
    );
    chain::round(&scene.store).await.unwrap();
    assert_eq!(scene.verify().await.entries, 0);
}

async fn entries_of_several_processes_make_one_chain(database: Database) {
    let scene = Scene::start(database).await;
    let others = [
        gateway::open_store(&scene.database.address())
            .await
            .unwrap(),
        gateway::open_store(&scene.database.address())
            .await
            .unwrap(),
    ];
    let process = |store: Store, from: i64| {
        let scene = &scene;
        async move {
            for number in from..from + 40 {
                store.write([scene.entry(number).into()]).await.unwrap();
                if number % 3 == 0 {
                    chain::round(&store).await.unwrap();
                }
            }
        }
    };
    let [one, two] = others;
    tokio::join!(
        process(scene.store.clone(), 0),
        process(one, 100),
        process(two, 200)
    );
    chain::round(&scene.store).await.unwrap();
    let report = scene.verify().await;
    assert_eq!((report.entries, report.to, report.waiting), (120, 120, 0));
    assert_eq!(report.faults, []);
}

async fn neither_an_update_nor_a_delete_reaches_an_entry(database: Database) {
    let scene = Scene::start(database).await.with_entries(3).await;
    scene.store.write([scene.entry(4).into()]).await.unwrap();
    for sql in [
        "UPDATE audit_entries SET actor = 'operator:other' WHERE position = 2",
        "UPDATE audit_entries SET reason = NULL WHERE position IS NULL",
        "UPDATE audit_entries SET position = 9 WHERE position = 2",
        "UPDATE audit_entries SET position = NULL, digest = NULL WHERE position = 3",
        "DELETE FROM audit_entries WHERE position = 3",
        "DELETE FROM audit_entries WHERE position IS NULL",
        "UPDATE audit_chain SET position = 1 WHERE name = 'head'",
        "DELETE FROM audit_chain WHERE name = 'horizon'",
        "UPDATE audit_checkpoints SET position = 1",
        "DELETE FROM audit_checkpoints",
    ] {
        let refused = scene.store.write([Statement::new(sql)]).await;
        assert!(refused.is_err(), "{sql}");
    }
    chain::round(&scene.store).await.unwrap();
    assert_eq!(scene.faults().await, []);
    assert_eq!(scene.verify().await.entries, 4);
}

async fn every_corruption_by_a_database_administrator_is_found(database: Database) {
    let scene = Scene::start(database).await.with_entries(9).await;
    assert_eq!(scene.faults().await, []);
    let put_back = "UPDATE audit_entries SET reason = 'left the trust' WHERE position = 2";
    for column in ["actor", "act", "organisation", "object", "reason", "ticket"] {
        let keep = scene.column(column).await;
        let change = format!("UPDATE audit_entries SET {column} = 'x' WHERE position = 2");
        scene.as_administrator(&[&change]).await;
        assert_eq!(scene.faults().await, [("changed", 2)], "{column}");
        let back = format!("UPDATE audit_entries SET {column} = '{keep}' WHERE position = 2");
        scene.as_administrator(&[&back]).await;
    }
    for change in [
        "UPDATE audit_entries SET happened_at = happened_at + 1 WHERE position = 2",
        "UPDATE audit_entries SET happened_at = happened_at - 1, detail = '{\"count\":7}' WHERE position = 2",
        "UPDATE audit_entries SET detail = '{', reason = NULL WHERE position = 2",
    ] {
        scene.as_administrator(&[change]).await;
        assert_eq!(scene.faults().await, [("changed", 2)], "{change}");
    }
    scene
        .as_administrator(&[
            put_back,
            "UPDATE audit_entries SET detail = '{\"count\":2}' WHERE position = 2",
        ])
        .await;
    assert_eq!(scene.faults().await, []);

    // Two entries change places, with their digests and without.
    let swap = [
        "UPDATE audit_entries SET position = 104 WHERE position = 4",
        "UPDATE audit_entries SET position = 4 WHERE position = 5",
        "UPDATE audit_entries SET position = 5 WHERE position = 104",
    ];
    scene.as_administrator(&swap).await;
    let found = scene.faults().await;
    assert!(
        found.contains(&("changed", 4)) && found.contains(&("changed", 5)),
        "{found:?}"
    );
    scene.as_administrator(&swap).await;
    assert_eq!(scene.faults().await, []);

    // An entry is put in behind one that is there.
    scene
        .as_administrator(&["INSERT INTO audit_entries (happened_at, actor, act, object, detail, position, digest) \
             SELECT happened_at, actor, act, object, detail, position, digest FROM audit_entries WHERE position = 6"])
        .await;
    assert_eq!(scene.faults().await, [("inserted", 6)]);
    scene
        .as_administrator(&["DELETE FROM audit_entries WHERE position = 6 AND reason IS NULL"])
        .await;
    assert_eq!(scene.faults().await, []);

    scene
        .as_administrator(&["DELETE FROM audit_entries WHERE position = 7"])
        .await;
    assert_eq!(scene.faults().await, [("removed", 7)]);
    scene
        .as_administrator(&["DELETE FROM audit_entries WHERE position >= 8"])
        .await;
    let found = scene.faults().await;
    assert!(
        found.contains(&("cut-off", 7)) && found.contains(&("checkpoint", 9)),
        "{found:?}"
    );
    // And with the head put back, too: the checkpoint remembers.
    scene
        .as_administrator(&[
            "UPDATE audit_chain SET position = 6, digest = (SELECT digest FROM audit_entries WHERE \
             position = 6) WHERE name = 'head'",
        ])
        .await;
    assert_eq!(scene.faults().await, [("checkpoint", 9)]);
    // A horizon that retention did not move.
    scene
        .as_administrator(&[
            "UPDATE audit_chain SET position = 3, digest = (SELECT digest FROM audit_entries WHERE position = 3) \
             WHERE name = 'horizon'",
            "DELETE FROM audit_entries WHERE position <= 3",
        ])
        .await;
    assert!(scene.faults().await.contains(&("horizon", 3)));
}

async fn a_chain_made_anew_disagrees_with_its_checkpoint(database: Database) {
    let scene = Scene::start(database).await.with_entries(5).await;
    scene
        .as_administrator(&[
            "UPDATE audit_entries SET position = NULL, digest = NULL",
            "UPDATE audit_entries SET actor = 'operator:other' WHERE number = 2",
            "UPDATE audit_chain SET position = 0, digest = (SELECT digest FROM audit_chain WHERE name = 'horizon') \
             WHERE name = 'head'",
        ])
        .await;
    chain::round(&scene.store).await.unwrap();
    assert_eq!(scene.faults().await, [("checkpoint", 5)]);
    // Another key's signature does not help.
    let other = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let report = verify(&scene.store, ISSUER, &[other.public_jwk().clone()])
        .await
        .unwrap();
    assert!(
        report.faults[0].sentence.contains("not what was signed"),
        "{report:?}"
    );
    let elsewhere = verify(&scene.store, "https://elsewhere.example", &scene.keys())
        .await
        .unwrap();
    assert!(
        elsewhere.faults[0].sentence.contains("not what was signed"),
        "{elsewhere:?}"
    );
}

/// What the gateway writes when its key of the audit is reported.
fn report_of(key: &Jwk, now: Timestamp) -> Entry {
    let value = key.to_value();
    let member = |name: &str| value[name].as_str().unwrap().to_owned();
    Entry::new(
        Actor::Operator("op-1"),
        Act::SigningKeyChanged,
        ("signing-key", &key.thumbprint()),
        now,
    )
    .with("purpose", "audit")
    .with("state", "compromised")
    .id("x", &member("x"))
    .id("y", &member("y"))
}

async fn what_a_compromised_key_signed_counts_if_another_holds_it_and_nothing_after_the_report(
    database: Database,
) {
    let day = SignedDuration::from_hours(24);
    let mut scene = Scene::start(database).await.with_entries(3).await;
    scene.now += day;
    let report = report_of(scene.key.public_jwk(), scene.now);
    scene.store.write([report.into()]).await.unwrap();
    chain::round(&scene.store).await.unwrap();
    let next = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let known = [next.public_jwk().clone()];
    let found = async |scene: &Scene| {
        let report = verify(&scene.store, ISSUER, &known).await.unwrap();
        let faults: Vec<_> = report.faults.iter().map(|fault| fault.code).collect();
        let notes: Vec<_> = report.notes.iter().map(|note| note.code).collect();
        (faults, notes)
    };
    // Nobody but whoever may have the key has signed yet.
    assert_eq!(
        found(&scene).await,
        (vec![], vec!["key-compromised-not-held"])
    );
    let sign = async |key: &SoftwareKey, now: Timestamp| {
        checkpoint::round(&scene.store, ISSUER, key, now)
            .await
            .unwrap();
    };
    sign(&next, scene.now).await;
    assert_eq!(found(&scene).await, (vec![], vec!["key-compromised"]));
    let report = verify(&scene.store, ISSUER, &known).await.unwrap();
    assert!(
        report.notes[0]
            .sentence
            .contains("the checkpoint of 2026-11-29, by another key"),
        "{report:?}"
    );
    let text = scene.exported().await;
    let of_file = export::verify(&text, Some(&known)).unwrap();
    assert_eq!(of_file.faults, [], "{of_file:?}");

    // The key turns up again: later, or as if it had been before the report.
    sign(&scene.key, scene.now + day).await;
    let since = (vec!["key-compromised-since"], vec!["key-compromised"]);
    assert_eq!(found(&scene).await, since);
    sign(&next, scene.now + day * 2).await;
    let forged = "UPDATE audit_checkpoints SET day = '2026-12-09' WHERE day = '2026-11-28'";
    let trigger = "DROP TRIGGER IF EXISTS audit_checkpoints_stay";
    let on = if scene.store.engine() == "sqlite" {
        ""
    } else {
        " ON audit_checkpoints"
    };
    scene
        .as_administrator(&[&format!("{trigger}{on}"), forged])
        .await;
    let (faults, _) = found(&scene).await;
    assert!(faults.contains(&"checkpoint"), "{faults:?}");
}

async fn what_is_older_than_its_time_goes_and_the_chain_says_so(database: Database) {
    let mut scene = Scene::start(database).await.with_entries(4).await;
    scene.now += SignedDuration::from_hours(24 * 10);
    scene.store.write([scene.entry(5).into()]).await.unwrap();
    chain::round(&scene.store).await.unwrap();
    assert_eq!(prune::round(&scene.store, 11, scene.now).await.unwrap(), 0);
    assert_eq!(prune::round(&scene.store, 9, scene.now).await.unwrap(), 4);
    assert_eq!(prune::round(&scene.store, 9, scene.now).await.unwrap(), 0);
    assert_eq!(
        scene.faults().await,
        [],
        "before the entry about it has its place"
    );
    chain::round(&scene.store).await.unwrap();
    let report = scene.verify().await;
    assert_eq!((report.from, report.to, report.entries), (4, 6, 2));
    assert_eq!(report.faults, []);
}

async fn an_export_verifies_by_itself_and_every_change_to_it_is_found(database: Database) {
    let scene = Scene::start(database).await.with_entries(5).await;
    let text = scene.exported().await;
    let keys = scene.keys();
    let faults = |text: &str| {
        let report = export::verify(text, Some(&keys)).unwrap();
        report
            .faults
            .iter()
            .map(|fault| fault.code)
            .collect::<Vec<_>>()
    };
    assert_eq!(faults(&text), [""; 0]);
    assert_eq!(export::verify(&text, Some(&keys)).unwrap().checkpoints, 1);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 8, "{text}");
    let without = |at: usize| {
        let mut lines = lines.clone();
        lines.remove(at);
        lines.join("\n")
    };
    assert!(faults(&text.replacen("left the trust", "left", 1)).contains(&"changed"));
    assert!(faults(&without(2)).contains(&"removed"));
    assert!(faults(&without(5)).contains(&"checkpoint"));
    assert!(faults(&without(7)).contains(&"cut-off"));
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    assert!(!faults(&swapped.join("\n")).is_empty());
    let mut doubled = lines.clone();
    doubled.insert(3, lines[3]);
    assert!(faults(&doubled.join("\n")).contains(&"inserted"));
    for broken in ["", "{}", &without(0), &format!("{text}{}", lines[3])] {
        assert!(export::verify(broken, Some(&keys)).is_err(), "{broken}");
    }
}

impl Scene {
    async fn column(&self, column: &'static str) -> String {
        let sql = format!("SELECT {column} FROM audit_entries WHERE position = 2");
        let row = self
            .store
            .read_one(Statement::new(sql))
            .await
            .unwrap()
            .unwrap();
        row.text(column).unwrap().to_owned()
    }
}
