//! HR's page behind the log-in: whom somebody has to tell, and what has not arrived.

use mail_catcher::Fault;
use reqwest::StatusCode;

use crate::database::{Database, on_both_engines};
use crate::world::World;

on_both_engines!(
    dw_78_hr_sees_whom_to_tell_and_says_that_they_are_told,
    dw_78_hr_has_a_mail_sent_again_when_what_was_wrong_is_mended,
);

async fn world(database: Database) -> World {
    World::start_with(database, |config| {
        config.hr_page = false;
        config.hr_staff = vec!["e-ben".to_owned()];
        // Nobody is written to: each cancelled credential is somebody's to tell.
        config.mail = None;
    })
    .await
}

async fn dw_78_hr_sees_whom_to_tell_and_says_that_they_are_told(database: Database) {
    let world = world(database).await;
    let ben = world.logged_in("ben").await;
    let page = ben.open("/to-tell").await;
    assert!(page.text().contains("Everybody has been told."));
    let anna = world.anna().await;
    world.add(&anna, "anna-fire").await;
    let page = anna.open("/lost-phone").await;
    anna.submit(&page, "/lost-phone", &[]).await;
    world.until(&anna, "anna-fire", "cancelled").await;

    let home = ben.open("/").await;
    let page = ben.open(&home.link("to-tell")).await;
    let text = page.text();
    for says in [
        "Anna Taylor",
        "There is no address to write to",
        "I have told Anna Taylor about Fire safety",
        "Everything has arrived.",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    for value in ["1990", "FS-", "Level"] {
        assert!(!text.contains(value), "{value}: {text}");
    }
    let (_, action) = page.html.split_once("action=\"/to-tell/").unwrap();
    let action = format!("/to-tell/{}", action.split('"').next().unwrap());
    // Neither a page of another site nor anybody else says so.
    let forged = ben.post(&action, &[("csrf", "guessed")]).await;
    assert_ne!(forged.status, StatusCode::SEE_OTHER);
    let csrf = anna.open("/").await.field("csrf");
    let refused = anna.post(&action, &[("csrf", &csrf)]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert!(ben.open("/to-tell").await.text().contains("Anna Taylor"));

    for _ in 0..2 {
        let after = ben.send(&page, &action, &[]).await;
        assert_eq!(after.path(), "/to-tell");
        assert!(after.text().contains("Everybody has been told."));
    }
    let rows = world.portal.audit_csv().await.unwrap();
    assert_eq!(rows.matches("told-another-way,e-ben,e-anna,,").count(), 1);
    // Who was seen stands there, too.
    assert_eq!(rows.matches("to-tell-viewed,e-ben,e-anna,,").count(), 2);
    assert_eq!(rows.matches("to-tell-viewed,e-ben,,,").count(), 3);
}

async fn dw_78_hr_has_a_mail_sent_again_when_what_was_wrong_is_mended(database: Database) {
    let world = World::start_with(database, |config| {
        config.hr_staff = vec!["e-ben".to_owned()];
    })
    .await;
    world.catcher.misbehave(Some(Fault::RefuseForGood));
    let anna = world.anna().await;
    world.add(&anna, "anna-fire").await;
    let page = anna.open("/lost-phone").await;
    anna.submit(&page, "/lost-phone", &[]).await;
    world.until(&anna, "anna-fire", "cancelled").await;
    let ben = world.logged_in("ben").await;
    let mut page = ben.open("/to-tell").await;
    for _ in 0..100 {
        if page.html.contains("/again\"") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        page = ben.open("/to-tell").await;
    }
    let text = page.text();
    assert!(
        text.contains("Email Anna Taylor about Fire safety"),
        "{text}"
    );
    let (action, _) = page.html.split_once("/again\"").unwrap();
    let number = action.rsplit('/').next().unwrap();
    world.catcher.misbehave(None);
    for _ in 0..2 {
        let after = ben
            .send(&page, &format!("/to-tell/{number}/again"), &[])
            .await;
        assert_eq!(after.path(), "/to-tell");
        assert!(after.text().contains("We are sending the email again"));
    }
    for _ in 0..100 {
        if !world.catcher.messages().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(world.catcher.messages().len(), 1);
    let rows = world.portal.audit_csv().await.unwrap();
    assert_eq!(rows.matches("mail-sent-again,e-ben,e-anna,,").count(), 1);
}

#[tokio::test]
async fn whoever_is_not_of_hr_finds_no_such_page() {
    let world = world(Database::sqlite()).await;
    assert_eq!(world.browser().open("/to-tell").await.path(), "/login");
    let anna = world.logged_in("anna").await;
    assert!(!anna.open("/").await.has("to-tell"));
    let page = anna.open("/to-tell").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}
