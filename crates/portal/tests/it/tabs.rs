//! Two tabs, or a second click, in one session.

use jiff::SignedDuration;

use crate::database::{Database, on_both_engines};
use crate::world::World;

on_both_engines!(what_came_back_is_shown_although_another_tab_began_the_same,);

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
