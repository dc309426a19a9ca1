//! What has served its time goes, and nothing else.

use connector::desk::OldCopy;
use jiff::SignedDuration;

use super::issuing::{SESSION, verified};
use super::world::programme;
use crate::database::{Database, on_both_engines};

on_both_engines!(what_has_served_its_time_is_deleted_and_what_was_issued_is_kept);

async fn what_has_served_its_time_is_deleted_and_what_was_issued_is_kept(database: Database) {
    let (world, anna) = verified(database).await;
    world
        .download(SESSION, &anna, "anna", &programme("r-1"))
        .await;
    world.desk.verify(SESSION, None).await.unwrap();
    let confirmed = programme("r-2");
    world.desk.confirm("e-anna", &confirmed).await.unwrap();
    let answered = world
        .desk
        .answer_about_old_copy("e-anna", "r-1", OldCopy::Deleted);
    answered.await.unwrap();
    let kept = async || {
        let journeys = world.rows("SELECT session FROM connector_journeys").await;
        let identities = world.rows("SELECT session FROM connector_identities").await;
        let answers = world
            .rows("SELECT record FROM connector_confirmations")
            .await;
        (journeys.len(), identities.len(), answers.len())
    };
    assert_eq!(kept().await, (3, 1, 2));
    for (hours, left) in [
        (1, (3, 1, 2)),
        (2, (0, 1, 2)),
        (13, (0, 0, 2)),
        (25, (0, 0, 0)),
    ] {
        world.later_than_the_start(SignedDuration::from_hours(hours));
        let working = world.second_desk().await;
        let tidying = tokio::spawn(async move { working.keep_working().await });
        for _ in 0..100 {
            if kept().await == left {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        // And nothing more goes.
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        tidying.abort();
        assert_eq!(kept().await, left, "after {hours} hours");
    }
    assert_eq!(world.desk.credentials("e-anna").await.unwrap().len(), 1);
}
