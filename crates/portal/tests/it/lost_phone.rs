//! A lost phone.

use reqwest::StatusCode;

use crate::database::{Database, on_both_engines};
use crate::world::World;

on_both_engines!(
    dw_19_dw_20_whoever_lost_their_phone_cancels_all_of_their_credentials_and_adds_them_again,
);

async fn dw_19_dw_20_whoever_lost_their_phone_cancels_all_of_their_credentials_and_adds_them_again(
    database: Database,
) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    let page = browser.open("/lost-phone").await;
    assert!(!page.has("cancel-all"), "{}", page.text());
    for record in ["anna-fire", "anna-programme"] {
        world.add(&browser, record).await;
    }
    let list = browser.open("/credentials").await;
    let page = browser.open(&list.link("lost-phone")).await;
    let text = page.text();
    assert!(
        text.contains("Fire safety") && text.contains("Training programme"),
        "{text}"
    );
    // Without the form's token nothing is cancelled, and nobody else's is.
    let answer = browser.post("/lost-phone", &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let ned = world.logged_in("ned").await;
    assert_eq!(ned.open("/lost-phone").await.status, StatusCode::NOT_FOUND);
    let ben = world.logged_in("ben").await;
    let csrf = ben.open("/").await.field("csrf");
    ben.post("/lost-phone", &[("csrf", &csrf)]).await;
    let list = browser.open("/credentials").await;
    assert_eq!(list.state_of("anna-fire").as_deref(), Some("added"));

    let page = browser.send(&page, "/lost-phone", &[]).await;
    assert_eq!(page.heading(), "We are cancelling your credentials");
    for record in ["anna-fire", "anna-programme"] {
        world.until(&browser, record, "cancelled").await;
    }
    assert!(!browser.open("/lost-phone").await.has("cancel-all"));
    let rows = world.portal.audit_csv().await.unwrap();
    assert!(
        rows.contains("phone-lost,e-anna,e-anna,,wallet-lost"),
        "{rows}"
    );

    // It is added again, with an identity that is shown anew and no question about the copies that are lost.
    let page = browser.confirm("anna-fire").await;
    assert_eq!(page.path(), "/identity");
    let page = world.add(&browser, "anna-fire").await;
    assert_eq!(page.heading(), "Credential added to your wallet");
}
