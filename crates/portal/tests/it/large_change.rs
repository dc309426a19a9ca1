//! A feed that would change or end very much at once looks like a mistake, and stops until somebody says that it is meant.

use std::fmt::Write as _;
use std::path::PathBuf;

use portal::{Accept, FeedError};

use crate::database::{Database, on_both_engines};
use crate::world::World;

on_both_engines!(a_feed_that_would_change_very_many_records_stops_and_goes_on_when_told);

/// 300 people with a record each; the first so many records are at another level.
fn feed(changed: usize) -> String {
    let mut text = String::from(
        "employee,username,first_names,surname,record,credential_type,FS-StatMandSubject,FS-Level",
    );
    for id in 0..300 {
        let level = if id < changed { 2 } else { 1 };
        let _ = write!(
            text,
            "\nf-{id},f{id},Fay,Field,f-{id}-fire,FireSafety,Fire safety,{level}"
        );
    }
    text
}

struct Told {
    world: World,
    file: PathBuf,
}

impl Told {
    fn says(&self, changed: usize) {
        std::fs::write(&self.file, feed(changed)).unwrap();
    }

    async fn levels(&self) -> usize {
        let store = self.world.database.open().await;
        let select = store::Statement::new(
            "SELECT COUNT(*) AS changed FROM portal_records WHERE claims LIKE '%\"FS-Level\":\"2\"%'",
        );
        let row = store.read_one(select).await.unwrap().unwrap();
        store.close().await;
        usize::try_from(row.integer("changed").unwrap()).unwrap()
    }
}

async fn a_feed_that_would_change_very_many_records_stops_and_goes_on_when_told(
    database: Database,
) {
    let file = std::env::temp_dir().join(format!("lanyard-large-{}.csv", uuid::Uuid::new_v4()));
    std::fs::write(&file, feed(0)).unwrap();
    let world = World::start_with(database, |config| {
        config.records = Some(crate::feed::records(|records| {
            records.file = Some(file.clone());
            // It is told when to look.
            records.every_minutes = u16::MAX;
        }));
    })
    .await;
    let it = Told { world, file };
    let now = async |accept| it.world.portal.take_in_now(accept).await;
    // The portal takes it in by itself when it begins, and two at once are in each other's way.
    for _ in 0..50 {
        if now(Accept::Nothing).await.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }

    // A fifth and no more: a change like any other. What would be done is told before it is.
    it.says(60);
    let planned = it.world.portal.look_at_feed().await.unwrap().unwrap();
    assert_eq!((planned.records_changed, it.levels().await), (60, 0));
    let taken = now(Accept::Nothing).await.unwrap().unwrap();
    assert_eq!((taken, it.levels().await), (planned, 60));

    it.says(0);
    now(Accept::Nothing).await.unwrap();
    it.says(70);
    let stopped = it.world.portal.look_at_feed().await.unwrap_err();
    assert_eq!(stopped.code(), "feed-large-change");
    for accept in [Accept::Nothing, Accept::Removals] {
        let stopped = now(accept).await.unwrap_err();
        let told = stopped.to_string();
        assert!(told.starts_with("70 of 3"), "{told}");
        assert!(
            told.contains(" records would be changed or ended at once")
                && told.ends_with("say --accept-large-change if it is meant"),
            "{told}"
        );
        assert!(matches!(
            stopped,
            FeedError::LargeChange { changed: 70, .. }
        ));
        assert_eq!(it.levels().await, 0);
    }
    now(Accept::LargeChange).await.unwrap();
    assert_eq!(it.levels().await, 70);
    std::fs::remove_file(&it.file).unwrap();
}
