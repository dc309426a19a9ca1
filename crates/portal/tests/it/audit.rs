//! Who did and saw what, and about whom.

use jiff::SignedDuration;

use crate::database::{Database, on_both_engines};
use crate::staff::PASSWORD;
use crate::world::World;

on_both_engines!(
    every_act_and_every_view_of_hr_is_a_row_without_a_value,
    rows_are_kept_as_long_as_the_configuration_says,
    sec_34_a_log_in_that_is_refused_is_a_row_about_whoever_has_the_name_and_not_without_limit,
    what_the_desk_revokes_is_a_row_with_its_reason_whatever_led_to_it,
);

impl World {
    /// What, who, about whom, of which record and why, the oldest first.
    async fn audited(&self) -> Vec<String> {
        let text = self.portal.audit_csv().await.unwrap();
        let mut rows: Vec<String> = text
            .lines()
            .skip(1)
            .map(|line| line.split_once(',').unwrap().1.to_owned())
            // In its own time, behind the pages.
            .filter(|line| !line.starts_with("credential-revoked,"))
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
    world.browser().log_in("anna", "a guess").await;
    assert_eq!(
        world.audited().await,
        [
            "log-in,e-anna,e-anna,,password",
            "confirmed,e-anna,e-anna,anna-fire,",
            "identity-started,e-anna,e-anna,,",
            "adding-started,e-anna,e-anna,anna-fire,",
            "log-out,e-anna,e-anna,,",
            "log-in-refused,anybody,e-anna,,wrong-pair",
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
        rows[6..],
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
        "Someone who was not logged in",
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

async fn sec_34_a_log_in_that_is_refused_is_a_row_about_whoever_has_the_name_and_not_without_limit(
    database: Database,
) {
    let world = World::start_on(database).await;
    let browser = world.browser();
    let refused = |why: &str| format!("log-in-refused,anybody,e-anna,,{why}");
    let mut expected = vec![refused("wrong-pair"); 5];
    expected.push(refused("too-many-attempts"));
    for _ in 0..9 {
        browser.log_in("Anna ", "a guess").await;
    }
    assert_eq!(world.audited().await, expected);
    // What nobody has for a name may be somebody's password.
    for _ in 0..7 {
        browser.log_in(PASSWORD, "anna").await;
    }
    assert_eq!(world.audited().await, expected);
    world.later(SignedDuration::from_mins(15));
    browser.log_in("anna", "a guess").await;
    expected.push(refused("wrong-pair"));
    assert_eq!(world.audited().await, expected);
}

async fn what_the_desk_revokes_is_a_row_with_its_reason_whatever_led_to_it(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.add(&anna, "anna-fire").await;
    world.add(&anna, "anna-programme").await;
    let hr = world.browser();
    let page = hr.open("/hr/records/anna-fire").await;
    hr.submit(&page, "/hr/records/anna-fire", &[("FS-Level", "2")])
        .await;
    world.until(&anna, "anna-fire", "cancelled").await;
    let page = anna.open("/lost-phone").await;
    anna.submit(&page, "/lost-phone", &[]).await;
    world.until(&anna, "anna-programme", "cancelled").await;
    let text = world.portal.audit_csv().await.unwrap();
    for row in [
        "credential-revoked,desk,e-anna,anna-fire,corrected",
        "credential-revoked,desk,e-anna,anna-programme,wallet-lost",
    ] {
        assert_eq!(text.matches(row).count(), 1, "{row}: {text}");
    }
    assert_eq!(text.matches("credential-revoked,").count(), 2, "{text}");
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
