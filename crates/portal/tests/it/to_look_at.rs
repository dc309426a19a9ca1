//! An identity that is written otherwise than its employee's record: what the employee reads, and HR's page about it.

use reqwest::StatusCode;

use crate::browser::{Browser, Page};
use crate::database::{Database, on_both_engines};
use crate::staff::ANNAS;
use crate::world::World;

on_both_engines!(
    dw_27_dw_44_hr_looks_at_an_identity_in_doubt_and_whoever_is_the_same_shares_it_once_more,
    dw_44_an_identity_that_hr_says_is_another_persons_is_a_mismatch,
    a_name_that_hr_corrects_leaves_nothing_to_look_at,
);

const ADD: &str = "/credentials/anna-fire/add";
/// As the wallet has her.
const SHARED: [&str; 4] = ["Anna", "Tailor", "1990-04-12", ANNAS];

/// Ben is of HR. Anna's wallet holds an identity with another spelling.
async fn world(database: Database) -> World {
    let world = World::start_with(database, |config| {
        config.hr_staff = vec!["e-ben".to_owned(), "e-anna".to_owned()];
    })
    .await;
    world.give_identity("anna", SHARED).await;
    world
}

/// The address of the button that says this.
fn button(page: &Page, decision: &str) -> String {
    let mut actions = page.html.split("action=\"").skip(1);
    let action = actions.find_map(|rest| {
        let action = rest.split('"').next()?;
        action.ends_with(&format!("/{decision}")).then_some(action)
    });
    action.unwrap().to_owned()
}

async fn may_add(browser: &Browser) -> bool {
    let page = browser.confirm("anna-fire").await;
    let csrf = page.field("csrf");
    let answer = browser.post(ADD, &[("csrf", &csrf)]).await;
    answer.location() != "/identity"
}

async fn dw_27_dw_44_hr_looks_at_an_identity_in_doubt_and_whoever_is_the_same_shares_it_once_more(
    database: Database,
) {
    let world = world(database).await;
    let ben = world.logged_in("ben").await;
    let page = ben.open("/to-look-at").await;
    assert!(page.text().contains("There is nothing to look at."));

    let anna = world.logged_in("anna").await;
    let page = world.verify(&anna, "anna").await;
    assert_eq!(page.heading(), "Your HR team needs to check your identity");
    for says in [
        "We have not added anything to your wallet.",
        "Ask your HR team to look at it with you.",
        "Then log in here and share your identity again.",
    ] {
        assert!(page.text().contains(says), "{says}: {}", page.text());
    }
    assert!(page.has("try-again") && page.has("reference"));
    let told = page.text();
    assert!(
        !told.contains("Tailor") && !told.contains("surname"),
        "{told}"
    );
    assert!(!may_add(&anna).await);

    let home = ben.open("/").await;
    let page = ben.open(&home.link("to-look-at")).await;
    let text = page.text();
    for says in [
        "Anna Taylor",
        "The surnames are not the same. The names look or sound alike.",
        "8d10",
        "12 April 1990",
        "It is Anna Taylor",
        "It is not Anna Taylor",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    assert!(!text.contains("Tailor"), "{text}");

    // Nobody decides about themselves, from another site's page, or without being of HR.
    let action = button(&page, "same");
    let own = anna.open("/to-look-at").await;
    assert!(
        own.text()
            .contains("Someone else in HR needs to look at it.")
    );
    let csrf = own.field("csrf");
    let refused = anna.post(&action, &[("csrf", &csrf)]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let forged = ben.post(&action, &[("csrf", "guessed")]).await;
    assert_ne!(forged.status, StatusCode::SEE_OTHER);
    let ned = world.logged_in("ned").await;
    assert_eq!(ned.open("/to-look-at").await.status, StatusCode::NOT_FOUND);
    let csrf = ned.open("/").await.field("csrf");
    let refused = ned.post(&action, &[("csrf", &csrf)]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert!(!may_add(&anna).await);

    let page = ben.send(&page, &action, &[]).await;
    assert_eq!(page.path(), "/to-look-at");
    assert!(
        page.text()
            .contains("You have said that it is the same person.")
    );
    assert!(page.text().contains("There is nothing to look at."));
    // That alone verifies nobody.
    let page = anna.open("/identity/done").await;
    assert_eq!(page.heading(), "You can share your identity again");
    assert!(!may_add(&anna).await);
    let page = world.verify(&anna, "anna").await;
    assert_eq!(page.heading(), "Your identity has been verified");
    assert!(may_add(&anna).await);

    let rows = world.portal.audit_csv().await.unwrap();
    assert_eq!(rows.matches("identity-accepted,e-ben,e-anna,,").count(), 1);
    // Who was seen stands there, too, and nobody once she was decided about.
    for row in ["e-ben,e-anna,,", "e-ben,,,", "e-anna,e-anna,,"] {
        assert!(
            rows.contains(&format!("reviews-viewed,{row}")),
            "{row}: {rows}"
        );
    }
}

async fn dw_44_an_identity_that_hr_says_is_another_persons_is_a_mismatch(database: Database) {
    let world = world(database).await;
    let ben = world.logged_in("ben").await;
    let anna = world.logged_in("anna").await;
    world.verify(&anna, "anna").await;
    let page = ben.open("/to-look-at").await;
    let page = ben.send(&page, &button(&page, "same"), &[]).await;
    world.verify(&anna, "anna").await;
    assert!(may_add(&anna).await);
    // Ben was wrong.
    assert!(page.text().contains("What was decided"));
    let page = ben.send(&page, &button(&page, "not-same"), &[]).await;
    assert!(
        page.text()
            .contains("You have said that it is not the same person.")
    );
    assert!(!may_add(&anna).await);
    let page = world.verify(&anna, "anna").await;
    assert_eq!(page.heading(), "We could not match your identity");
    let rows = world.portal.audit_csv().await.unwrap();
    assert_eq!(rows.matches("identity-refused,e-ben,e-anna,,").count(), 1);
}

async fn a_name_that_hr_corrects_leaves_nothing_to_look_at(database: Database) {
    let world = world(database).await;
    let ben = world.logged_in("ben").await;
    let anna = world.logged_in("anna").await;
    world.verify(&anna, "anna").await;
    let before = ben.open("/to-look-at").await;
    let action = button(&before, "same");
    world
        .change_employee("anna", &[("surname", "Tailor")])
        .await;
    let page = ben.open("/to-look-at").await;
    assert!(page.text().contains("There is nothing to look at."));
    let page = ben.send(&before, &action, &[]).await;
    assert!(page.text().contains("There was nothing left to decide."));
    let page = world.verify(&anna, "anna").await;
    assert_eq!(page.heading(), "Your identity has been verified");
}
