//! Two tabs, or a second click, in one session.

use jiff::SignedDuration;

use crate::browser::Page;
use crate::database::{Database, on_both_engines};
use crate::world::World;

on_both_engines!(
    what_came_back_is_shown_although_another_tab_began_the_same,
    whoever_verifies_in_one_tab_goes_on_with_what_that_tab_is_about,
);

async fn what_came_back_is_shown_although_another_tab_began_the_same(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    browser.confirm("anna-fire").await;
    let done = world.verify(&browser, "anna").await;
    let action = "/credentials/anna-fire/add";
    let first = browser.send(&done, action, &[]).await;
    world.later(SignedDuration::from_secs(2));
    let second = browser.send(&done, action, &[]).await;
    assert_ne!(first.link("open-wallet"), second.link("open-wallet"));

    let page = world.scan_and_return(&browser, &first, "anna", true).await;
    assert_eq!(
        page.heading(),
        "Credential added to your wallet",
        "{}",
        page.text()
    );
    let list = browser.open("/credentials").await;
    assert_eq!(list.state_of("anna-fire").unwrap(), "added");

    // The other one ends otherwise, and each page goes on saying what became of its own.
    let other = world
        .scan_and_return(&browser, &second, "anna", false)
        .await;
    assert_eq!(other.heading(), "The credential was not added");
    let again = browser.open(&page.url).await;
    assert_eq!(again.heading(), "Credential added to your wallet");
    let list = browser.open("/credentials").await;
    assert_eq!(list.state_of("anna-fire").unwrap(), "added");

    // An address that names nothing of this record shows the newest.
    let newest = browser
        .open("/credentials/anna-fire/added?of=0000-0000")
        .await;
    assert_eq!(newest.heading(), "The credential was not added");
}

async fn whoever_verifies_in_one_tab_goes_on_with_what_that_tab_is_about(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    let first = browser.confirm("anna-fire").await;
    let second = browser.confirm("anna-programme").await;
    let start = async |page: &Page| {
        let record = page.field("for");
        let fields = [("for", record.as_str())];
        browser.send(page, "/identity/start", &fields).await
    };
    assert!(
        first
            .html
            .contains("href=\"/credentials/anna-fire/confirm\"")
    );
    let page = start(&first).await;

    // Not shared the first time: the next try is about the same.
    let page = world.scan_and_return(&browser, &page, "anna", false).await;
    assert_eq!(page.heading(), "You did not share your identity");
    let page = start(&page).await;
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    assert!(page.html.contains("action=\"/credentials/anna-fire/add\""));
    assert!(!page.html.contains("anna-programme/add"));
    assert!(page.text().contains("You can now add credentials"));

    let page = start(&second).await;
    assert!(
        page.html
            .contains("action=\"/credentials/anna-programme/add\"")
    );

    // What is somebody else's is nothing to go on with.
    let page = browser.open("/identity/done?for=ben-programme").await;
    assert!(!page.html.contains("ben-programme"), "{}", page.html);
}
