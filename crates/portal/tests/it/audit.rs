//! Who did and saw what, and about whom.

use jiff::SignedDuration;

use crate::database::{Database, on_both_engines};
use crate::staff::PASSWORD;
use crate::world::World;

on_both_engines!(
    every_act_and_every_view_of_hr_is_a_row_without_a_value,
    rows_are_kept_as_long_as_the_configuration_says,
);

impl World {
    /// What, who, about whom, of which record and why, the oldest first.
    async fn audited(&self) -> Vec<String> {
        let text = self.portal.audit_csv().await.unwrap();
        let mut rows: Vec<String> = text
            .lines()
            .skip(1)
            .map(|line| line.split_once(',').unwrap().1.to_owned())
            .collect();
        rows.reverse();
        rows
    }
}

async fn every_act_and_every_view_of_hr_is_a_row_without_a_value(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.add(&anna, "anna-fire").await;
    anna.log_out().await;
    // What came to nothing is no act.
    world.browser().log_in("anna", "a guess").await;
    assert_eq!(
        world.audited().await,
        [
            "log-in,e-anna,e-anna,,password",
            "confirmed,e-anna,e-anna,anna-fire,",
            "identity-started,e-anna,e-anna,,",
            "adding-started,e-anna,e-anna,anna-fire,",
            "log-out,e-anna,e-anna,,",
        ]
    );

    let hr = world.browser();
    hr.open("/hr").await;
    hr.open("/hr/records/anna-fire").await;
    let page = hr.open("/hr/employees/anna").await;
    let fields = [("surname", "Smith-Secret")];
    hr.submit(&page, "/hr/employees/anna", &fields).await;
    let page = hr.open("/hr/records/anna-fire").await;
    hr.submit(&page, "/hr/records/anna-fire", &[("FS-Level", "2")])
        .await;
    hr.submit(&page, "/hr/records/anna-fire/end", &[]).await;
    hr.submit(&page, "/hr/records/anna-fire/delete", &[]).await;
    let rows = world.audited().await;
    assert_eq!(
        rows[5..],
        [
            "list-viewed,hr,,,",
            "record-viewed,hr,e-anna,anna-fire,",
            "person-viewed,hr,e-anna,,",
            "person-changed,hr,e-anna,,",
            "record-viewed,hr,e-anna,anna-fire,",
            "record-changed,hr,e-anna,anna-fire,corrected",
            "record-ended,hr,e-anna,anna-fire,ended-early",
            "record-deleted,hr,e-anna,anna-fire,added-in-error",
        ]
    );

    // The page shows names, what it is about, and that somebody looks at it.
    let page = hr.open("/hr/audit?about=e-anna").await;
    let text = page.text();
    for says in [
        "Anna Smith-Secret",
        "Deleted the record",
        "added-in-error",
        "HR office",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let file = hr.fetch(&page.link("export")).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        file.html.lines().next(),
        Some("when,what,who,about,record,detail")
    );
    assert!(
        file.html.contains("audit-viewed,hr,e-anna,,"),
        "{}",
        file.html
    );
    for value in ["Secret", "Anna", "1990", PASSWORD, "Fire safety"] {
        assert!(!file.html.contains(value), "{value}");
    }
    let page = hr.open("/hr/audit?about=e-ben").await;
    assert!(!page.text().contains("Deleted the record"));
}

async fn rows_are_kept_as_long_as_the_configuration_says(database: Database) {
    let mut world = World::start_with(database, |config| config.audit.keep_days = 30).await;
    world.logged_in("anna").await;
    world.later(SignedDuration::from_hours(29 * 24));
    world.logged_in("ben").await;
    // A process tidies when it begins.
    world.restart().await;
    assert_eq!(world.audited().await.len(), 2);
    world.later(SignedDuration::from_hours(24));
    world.restart().await;
    for _ in 0..50 {
        if world.audited().await.len() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(world.audited().await, ["log-in,e-ben,e-ben,,password"]);
}

#[tokio::test]
async fn the_page_goes_on_with_what_is_older() {
    let world = World::start().await;
    let hr = world.browser();
    for _ in 0..60 {
        hr.fetch("/hr/audit").await;
    }
    let page = hr.open("/hr/audit").await;
    assert_eq!(page.html.matches("Looked at this list").count(), 50);
    let page = hr.open(&page.link("older")).await;
    assert_eq!(page.html.matches("Looked at this list").count(), 11);
    assert!(!page.has("older"));
}
