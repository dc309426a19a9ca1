//! How long somebody is logged in, and what is left of it afterwards.

use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::database::{Database, on_both_engines};
use crate::staff::PASSWORD;
use crate::world::World;

on_both_engines!(
    a_browser_that_was_long_at_the_gateway_is_still_logged_in_when_it_comes_back,
    a_session_ends_after_half_an_hour_without_activity,
    a_session_ends_after_twelve_hours_whatever_is_done,
    dw_30_another_user_in_the_same_browser_has_nothing_of_the_one_before,
);

async fn a_session_ends_after_half_an_hour_without_activity(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.logged_in("anna").await;
    for _ in 0..3 {
        world.later(SignedDuration::from_mins(29));
        assert_eq!(browser.open("/").await.path(), "/");
    }
    // Asking how long it lasts is not activity.
    world.later(SignedDuration::from_mins(20));
    assert_eq!(browser.fetch("/session").await.status, StatusCode::OK);
    world.later(SignedDuration::from_mins(11));
    let page = browser.open("/credentials").await;
    assert_eq!(page.path(), "/login");
    assert!(page.text().contains("your time was up"), "{}", page.text());
    assert_eq!(page.field("return_to"), "/credentials");
}

async fn a_browser_that_was_long_at_the_gateway_is_still_logged_in_when_it_comes_back(
    database: Database,
) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    browser.confirm("anna-fire").await;
    let page = browser.open("/identity").await;
    // As late as the gateway waits: later than the session would be idle, counted from when it was written down.
    world.later(SignedDuration::from_secs(11));
    let page = browser.send(&page, "/identity/start", &[]).await;
    world.later(SignedDuration::from_secs(30 * 60 - 10));
    assert_eq!(browser.open("/").await.path(), "/login", "idle it was");
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    assert_eq!(page.heading(), "Your identity has been verified");
    assert_eq!(browser.open("/").await.path(), "/");
}

async fn a_session_ends_after_twelve_hours_whatever_is_done(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.logged_in("anna").await;
    for _ in 0..28 {
        world.later(SignedDuration::from_mins(25));
        assert_eq!(browser.open("/").await.path(), "/");
    }
    // Eleven hours and forty minutes: nothing puts the end off now.
    let page = browser.open("/").await;
    assert!(
        page.html.contains("data-may-stay=\"false\""),
        "{}",
        page.html
    );
    world.later(SignedDuration::from_mins(20));
    assert_eq!(browser.open("/").await.path(), "/login");
}

async fn dw_30_another_user_in_the_same_browser_has_nothing_of_the_one_before(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    browser.confirm("anna-fire").await;
    let page = world.verify(&browser, "anna").await;
    assert_eq!(page.heading(), "Your identity has been verified");

    // Ben, without Anna logging out.
    let page = browser.log_in("ben", PASSWORD).await;
    assert!(page.text().contains("Ben Osei"));
    let page = browser.confirm("ben-programme").await;
    assert_eq!(page.path(), "/identity");
    assert_eq!(
        browser.open("/credentials/anna-fire").await.status,
        StatusCode::NOT_FOUND
    );

    // Anna's wallet does not make Ben of her; Ben's does.
    let page = world.verify(&browser, "anna").await;
    assert_eq!(page.heading(), "We could not match your identity");
    world.bens_identity().await;
    let page = browser.open("/identity").await;
    let page = browser.send(&page, "/identity/start", &[]).await;
    let page = world.scan_and_return(&browser, &page, "ben", true).await;
    assert_eq!(page.heading(), "Your identity has been verified");
    assert!(world.drafts().is_empty());
}

#[tokio::test]
async fn somebody_who_is_still_there_can_say_so() {
    let world = World::start().await;
    let browser = world.logged_in("anna").await;
    let csrf = browser.open("/").await.field("csrf");
    world.later(SignedDuration::from_mins(28));
    let answer = browser.post("/session/stay", &[("csrf", &csrf)]).await;
    assert_eq!(answer.status, StatusCode::OK);
    let json: serde_json::Value = serde_json::from_str(&answer.html).unwrap();
    assert_eq!(
        (&json["seconds_left"], &json["may_stay"]),
        (&1800.into(), &true.into())
    );

    world.later(SignedDuration::from_mins(31));
    let answer = browser.post("/session/stay", &[("csrf", &csrf)]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn dw_29_logging_out_ends_the_session_and_what_was_verified_in_it() {
    let world = World::start().await;
    let browser = world.anna().await;
    browser.confirm("anna-fire").await;
    world.verify(&browser, "anna").await;
    let page = browser.log_out().await;
    assert_eq!(page.path(), "/login");
    assert!(page.text().contains("You have logged out"));
    assert_eq!(browser.open("/").await.path(), "/login");

    browser.log_in("anna", PASSWORD).await;
    assert_eq!(browser.confirm("anna-fire").await.path(), "/identity");
}

/// What HR's buttons did not do is done by pressing them once more, on the page that they stand on.
#[tokio::test]
async fn a_button_that_was_pressed_after_the_session_ended_leads_back_to_its_page() {
    let world = World::start_with(Database::sqlite(), |config| {
        config.hr_staff = vec!["e-ben".to_owned()];
    })
    .await;
    let number = uuid::Uuid::new_v4();
    for (button, page) in [
        (format!("/to-tell/{number}"), "/to-tell"),
        (format!("/to-tell/{number}/again"), "/to-tell"),
        (format!("/to-look-at/{number}/same"), "/to-look-at"),
    ] {
        let browser = world.browser();
        let pressed = browser.post(&button, &[]).await;
        let log_in = browser.open(pressed.location()).await;
        assert_eq!(log_in.path(), "/login");
        let fields = [
            ("username", "ben"),
            ("password", PASSWORD),
            ("return_to", &log_in.field("return_to")),
        ];
        let back = browser.send(&log_in, "/login", &fields).await;
        assert_eq!((back.path().as_str(), back.status), (page, StatusCode::OK));
    }
}

#[tokio::test]
async fn what_was_confirmed_is_kept_over_a_new_log_in() {
    let world = World::start().await;
    let browser = world.anna().await;
    browser.confirm("anna-fire").await;
    world.later(SignedDuration::from_mins(31));
    let page = browser.open("/identity").await;
    let fields = [
        ("username", "anna"),
        ("password", PASSWORD),
        ("return_to", &page.field("return_to")),
    ];
    let page = browser.send(&page, "/login", &fields).await;
    assert_eq!(page.path(), "/identity");
    let page = world.verify(&browser, "anna").await;
    assert_eq!(page.heading(), "Your identity has been verified");
    browser
        .submit(&page, "/credentials/anna-fire/add", &[])
        .await;
    assert_eq!(world.drafts().len(), 1);
}
