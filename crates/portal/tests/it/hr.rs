//! The sandbox's HR office, and what follows from it.

use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::database::{Database, on_both_engines};
use crate::world::World;

on_both_engines!(
    dw_72_a_record_that_is_changed_ended_or_deleted_takes_its_credential_back,
    dw_73_a_change_of_nothing_takes_nothing_back,
    dw_77_whoever_cannot_be_written_to_is_somebodys_task,
);

impl World {
    /// Waits until no revocation and no mail is on its way.
    async fn until_all_arrived(&self) {
        for _ in 0..100 {
            let page = self.browser().open("/hr").await;
            if page.text().contains("Everything has arrived.") {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("something does not arrive");
    }

    /// HR changes one claim of a record.
    pub(crate) async fn change(&self, record: &str, claim: &str, value: &str) {
        let browser = self.browser();
        let path = format!("/hr/records/{record}");
        let page = browser.open(&path).await;
        let page = browser.send(&page, &path, &[(claim, value)]).await;
        assert!(
            page.text().contains("The record is saved"),
            "{}",
            page.text()
        );
    }
}

async fn dw_72_a_record_that_is_changed_ended_or_deleted_takes_its_credential_back(
    database: Database,
) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    for record in ["anna-programme", "anna-fire"] {
        let page = world.add(&browser, record).await;
        assert!(
            page.text().contains("Credential added to your wallet"),
            "{}",
            page.text()
        );
    }

    let hr = world.browser();
    let page = hr.open("/hr/records/anna-programme").await;
    let page = hr.send(&page, "/hr/records/anna-programme/end", &[]).await;
    assert!(
        page.text().contains("The record ends today"),
        "{}",
        page.text()
    );
    assert!(!page.has("end"));
    let list = world.until(&browser, "anna-programme", "cancelled").await;
    assert!(
        list.text()
            .contains("has been cancelled. Delete it from your wallet.")
    );
    let own = browser.open("/credentials/anna-programme").await;
    // DW-79.
    assert!(
        own.text()
            .contains("The copy in your wallet stays there until you delete it.")
    );
    assert!(!own.has("add-to-wallet"));
    assert_eq!(list.state_of("anna-fire").unwrap(), "added");

    let page = hr.open("/hr/records/anna-fire").await;
    assert!(page.text().contains("Added"), "{}", page.text());
    let page = hr.send(&page, "/hr/records/anna-fire/delete", &[]).await;
    assert_eq!(page.path(), "/hr");
    assert!(page.text().contains("The record is deleted"));
    assert!(!page.has("record-anna-fire"));
    // Its credential is out, so the employee goes on seeing it; a record of which none was is gone.
    world.until(&browser, "anna-fire", "cancelled").await;
    for record in ["anna-ended", "anna-incomplete"] {
        let page = hr.open(&format!("/hr/records/{record}")).await;
        hr.send(&page, &format!("/hr/records/{record}/delete"), &[])
            .await;
        assert_eq!(
            browser.open(&format!("/credentials/{record}")).await.status,
            StatusCode::NOT_FOUND
        );
    }
    world.until_all_arrived().await;
}

async fn dw_73_a_change_of_nothing_takes_nothing_back(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    world.add(&browser, "anna-fire").await;
    world.change("anna-fire", "FS-Level", "1").await;
    world.later(SignedDuration::from_secs(5));
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let list = browser.open("/credentials").await;
    assert_eq!(list.state_of("anna-fire").unwrap(), "added");
    assert!(world.door.calls("/revokecredential").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_does_not_arrive_is_seen_and_the_employee_is_told_of_the_change() {
    let world = World::start().await;
    let browser = world.anna().await;
    world.add(&browser, "anna-fire").await;
    world
        .door
        .jam("/revokecredential", crate::door::Jam::Refuse(503));
    world.change("anna-fire", "FS-Level", "2").await;
    let list = browser.open("/credentials").await;
    assert_eq!(list.state_of("anna-fire").unwrap(), "changed");
    let page = world.browser().open("/hr").await;
    assert!(
        page.text().contains("Revocation of Fire safety training"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("Next try"));

    world.door.free();
    world.later(SignedDuration::from_mins(10));
    world.until(&browser, "anna-fire", "cancelled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_schema_does_not_take_is_not_saved() {
    let world = World::start().await;
    let hr = world.browser();
    let path = "/hr/records/anna-fire";
    let page = hr.open(path).await;
    let wrong = [
        ("FS-Level", "two"),
        ("FS-DateTo", "31/12/2031"),
        ("FS-Units", "Years"),
    ];
    let page = hr.send(&page, path, &wrong).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let text = page.text();
    assert!(text.contains("Enter a whole number, such as 1"), "{text}");
    assert!(text.contains("Enter a date like 2026-11-03"));
    assert!(text.contains("Enter one of: Minute, Hour, Day, Week, Month, Year"));
    assert_eq!(page.field("FS-Level"), "two");
    assert_eq!(hr.open(path).await.field("FS-Level"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_hr_corrects_is_the_one_that_identities_are_compared_with() {
    let world = World::start().await;
    let browser = world.anna().await;
    let hr = world.browser();
    let path = "/hr/employees/anna";
    let page = hr.open(path).await;
    assert_eq!(page.field("email"), "anna@anytown.example");
    let page = hr.send(&page, path, &[("surname", "Hughes")]).await;
    assert!(page.text().contains("Anna Hughes"), "{}", page.text());
    let page = world.verify(&browser, "anna").await;
    assert_eq!(page.heading(), "We could not match your identity");

    let page = hr.open(path).await;
    let wrong = [
        ("surname", ""),
        ("date-of-birth", "1990"),
        ("email", "nobody"),
    ];
    let page = hr.send(&page, path, &wrong).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = hr.open(path).await;
    hr.send(&page, path, &[("surname", "Taylor")]).await;
    let page = browser.open("/identity/done").await;
    let page = browser.send(&page, "/identity/start", &[]).await;
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    assert_eq!(page.heading(), "Your identity has been verified");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_is_open_to_this_machine_only_and_to_no_other_site() {
    let world = World::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("{}/hr", world.base));
    let answer = request.header("host", "evil.example").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let hr = world.browser();
    let page = hr.open("/hr/records/anna-fire").await;
    let csrf = page.field("csrf");
    let path = "/hr/records/anna-fire/delete";
    let site = ("sec-fetch-site", "cross-site");
    let answer = hr.post_with(path, &[("csrf", &csrf)], site).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(
        hr.post(path, &[("csrf", "x")]).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        hr.open("/hr/records/anna-fire").await.status,
        StatusCode::OK
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_called_otherwise_now_is_verified_again() {
    let world = World::start().await;
    let browser = world.anna().await;
    let hr = world.browser();
    let path = "/hr/employees/anna";
    let change = async |field: &str, value: &str| {
        let page = hr.open(path).await;
        hr.send(&page, path, &[(field, value)]).await;
    };
    browser.confirm("anna-fire").await;
    world.verify(&browser, "anna").await;
    // What the identity does not say does not count.
    change("email", "anna.taylor@anytown.example").await;
    let identity = "/identity";
    assert_eq!(browser.open(identity).await.path(), "/identity/done");

    for (field, value, was) in [
        ("surname", "Osei", "Taylor"),
        ("first-names", "Ben", "Anna"),
        ("date-of-birth", "1985-11-02", "1990-04-12"),
    ] {
        change(field, value).await;
        assert_eq!(browser.open(identity).await.path(), identity, "{field}");
        change(field, was).await;
        world.verify(&browser, "anna").await;
        assert_eq!(browser.open(identity).await.path(), "/identity/done");
    }
}

async fn dw_77_whoever_cannot_be_written_to_is_somebodys_task(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    world.add(&browser, "anna-fire").await;
    let hr = world.browser();
    let page = hr.open("/hr").await;
    assert!(page.text().contains("Everybody has been told."));
    let page = hr.open("/hr/employees/anna").await;
    let page = hr.send(&page, "/hr/employees/anna", &[("email", "")]).await;
    assert!(page.text().contains("data is saved"), "{}", page.text());
    let page = hr.open("/hr/records/anna-fire").await;
    hr.send(&page, "/hr/records/anna-fire/delete", &[]).await;
    world.until_all_arrived().await;
    let page = hr.open("/hr").await;
    assert!(page.text().contains("There is no address to write to"));
    assert!(!page.text().contains("Everybody has been told."));
}
