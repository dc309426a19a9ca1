//! Logging in with the usual account.

use jiff::SignedDuration;
use reqwest::StatusCode;
use reqwest::header::SET_COOKIE;

use crate::database::{Database, on_both_engines};
use crate::staff::PASSWORD;
use crate::world::World;

on_both_engines!(
    dw_01_dw_10_an_employee_logs_in_with_their_usual_account_and_is_at_a_page_of_their_own,
    sec_34_who_was_wrong_five_times_waits_a_quarter_of_an_hour,
);

async fn dw_01_dw_10_an_employee_logs_in_with_their_usual_account_and_is_at_a_page_of_their_own(
    database: Database,
) {
    let world = World::start_on(database).await;
    let browser = world.browser();
    for path in ["/", "/credentials", "/credentials/anna-fire", "/identity"] {
        let page = browser.open(path).await;
        assert_eq!(page.path(), "/login", "{path}");
    }
    let page = browser.log_in(" Anna ", PASSWORD).await;
    assert_eq!((page.status, page.path().as_str()), (StatusCode::OK, "/"));
    assert!(page.text().contains("Anna Taylor"));
    assert!(!page.text().contains("Ben"));
}

async fn sec_34_who_was_wrong_five_times_waits_a_quarter_of_an_hour(database: Database) {
    let world = World::start_on(database).await;
    let browser = world.browser();
    for _ in 0..5 {
        let page = browser.log_in("anna", "a guess").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text().contains("Check your username and password"));
    }
    // Also the right one does not count now; whoever has another name is not held up.
    let page = browser.log_in("ANNA", PASSWORD).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.text().contains("Try again in 15 minutes"));
    assert_eq!(world.browser().log_in("ben", PASSWORD).await.path(), "/");

    world.later(SignedDuration::from_mins(14));
    let page = browser.log_in("anna", PASSWORD).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    world.later(SignedDuration::from_mins(1));
    assert_eq!(browser.log_in("anna", PASSWORD).await.path(), "/");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_34_attempts_at_once_are_not_more_than_attempts_in_a_row() {
    let world = World::start().await;
    let browser = world.browser();
    let form = browser.open("/login").await;
    let fields = [("username", "anna"), ("password", "a guess")];
    let all = (0..8).map(|_| browser.submit(&form, "/login", &fields));
    let pages = futures_util::future::join_all(all).await;
    let statuses: Vec<u16> = pages.iter().map(|page| page.status.as_u16()).collect();
    let wrong = statuses.iter().filter(|status| **status == 422).count();
    assert_eq!((wrong, statuses.len()), (5, 8), "{statuses:?}");
}

#[tokio::test]
async fn what_is_missing_is_said_field_by_field_and_costs_no_attempt() {
    let world = World::start().await;
    let browser = world.browser();
    for _ in 0..7 {
        let page = browser.log_in(" ", "").await;
        let text = page.text();
        assert!(text.contains("Enter your username") && text.contains("Enter your password"));
    }
    let page = browser.log_in("anna", "").await;
    assert!(!page.text().contains("Enter your username"));
    assert_eq!(page.field("username"), "anna");
    assert_eq!(browser.log_in("anna", PASSWORD).await.path(), "/");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_answered_as_a_wrong_password_is() {
    let world = World::start().await;
    let browser = world.browser();
    let unknown = browser.log_in("nobody", PASSWORD).await;
    let wrong = browser.log_in("anna", "a guess").await;
    assert_eq!(unknown.status, wrong.status);
    let neutral =
        |page: crate::browser::Page| page.text().replace("nobody", "").replace("anna", "");
    assert_eq!(neutral(unknown), neutral(wrong));
}

#[tokio::test]
async fn whoever_logs_in_goes_on_where_they_wanted_to() {
    let world = World::start().await;
    let browser = world.browser();
    let page = browser.open("/credentials/anna-fire?from=a%20mail").await;
    let fields = [
        ("username", "anna"),
        ("password", PASSWORD),
        ("return_to", &page.field("return_to")),
    ];
    let page = browser.send(&page, "/login", &fields).await;
    assert_eq!(page.path(), "/credentials/anna-fire");
}

/// SEC-12: no open redirect.
#[tokio::test]
async fn sec_12_nobody_is_led_to_another_site_by_logging_in() {
    let world = World::start().await;
    for evil in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
    ] {
        let browser = world.browser();
        let to: String = url::form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        let page = browser.open(&format!("/login?return_to={to}")).await;
        assert!(!page.html.contains("evil"), "{evil}");
        let fields = [
            ("username", "anna"),
            ("password", PASSWORD),
            ("return_to", evil),
        ];
        let page = browser.submit(&page, "/login", &fields).await;
        assert_eq!(page.location(), "/", "{evil}");
    }
}

#[tokio::test]
async fn a_log_in_gives_a_new_session_whatever_the_browser_had() {
    let world = World::start().await;
    let browser = world.browser();
    let session = |page: &crate::browser::Page| {
        let cookies = page.headers.get_all(SET_COOKIE).iter();
        let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap().to_owned());
        cookies
            .find(|cookie| cookie.starts_with("lanyard-portal="))
            .unwrap()
    };
    let fields = [("username", "anna"), ("password", PASSWORD)];
    let form = browser.open("/login").await;
    let first = session(&browser.submit(&form, "/login", &fields).await);
    assert!(first.contains("; HttpOnly; SameSite=Lax"), "{first}");
    let second = session(&browser.submit(&form, "/login", &fields).await);
    assert_ne!(first, second);

    // The first is over, wherever somebody may have kept it.
    let elsewhere = world.browser();
    let token = first.split(';').next().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .get(format!("{}/session", world.base))
        .header("cookie", token);
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(elsewhere.open("/").await.path(), "/login");
}
