//! A row that a newer version wrote, in a database that went back to this one: it is told as that, and left as it is.

use reqwest::StatusCode;
use store::Statement;

use crate::world::{Browser, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_of_a_newer_version_is_told_as_that_and_stays_as_it_is() {
    let world = World::start().await;
    let party = world.party("v2");
    let browser = Browser::new();
    for (column, value, words) in [
        (
            "purpose",
            "renew",
            "a purpose that this version does not know",
        ),
        (
            "stage",
            "renewing",
            "a stage that this version does not know",
        ),
        (
            "serial_number",
            "17",
            "names a serial number that is no UUID",
        ),
    ] {
        let page = browser.open(&world.pushed(&party, |_| ()).await).await;
        let id = page.url.rsplit('/').next().unwrap();
        let store = &world.gateway.app().store;
        let update = Statement::new(format!(
            "UPDATE interactions SET {column} = $1 WHERE id = $2"
        ));
        let update = update.bind(value).bind(id).must_change(1);
        store.write([update]).await.unwrap();

        assert!(!World::has_said(words), "{words}");
        let again = browser.open(&page.url).await;
        assert_eq!(again.status, StatusCode::SERVICE_UNAVAILABLE, "{column}");
        assert!(World::has_said(words), "{words}");
        assert!(!World::has_said("storage secrets in use"), "{column}");
        let select = Statement::new(format!(
            "SELECT {column} AS kept FROM interactions WHERE id = $1"
        ));
        let row = store.read_one(select.bind(id)).await.unwrap().unwrap();
        assert_eq!(row.text("kept").unwrap(), value);
    }
}
