//! What an attacker tries at the portal's own door.

use reqwest::StatusCode;

use crate::database::{Database, on_both_engines};
use crate::staff::PASSWORD;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn sec_33_another_employees_record_is_not_there() {
    let world = World::start().await;
    let browser = world.logged_in("anna").await;
    let csrf = browser.open("/").await.field("csrf");
    for step in ["", "/again", "/confirm", "/added"] {
        let page = browser
            .open(&format!("/credentials/ben-programme{step}"))
            .await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{step}");
        assert_eq!(page.heading(), "Page not found", "{step}");
    }
    for step in ["again", "confirm", "add"] {
        let path = format!("/credentials/ben-programme/{step}");
        let fields = [("csrf", csrf.as_str()), ("deleted", "yes"), ("shown", "x")];
        assert_eq!(
            browser.post(&path, &fields).await.status,
            StatusCode::NOT_FOUND,
            "{step}"
        );
    }
    // Theirs and nobody's are not told apart.
    let theirs = browser.open("/credentials/ben-programme").await.text();
    assert_eq!(theirs, browser.open("/credentials/nobodys").await.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_07_a_form_without_the_sessions_token_changes_nothing() {
    let world = World::start().await;
    let browser = world.logged_in("anna").await;
    let others = world.logged_in("ben").await.open("/").await.field("csrf");
    let paths = [
        "/logout",
        "/session/stay",
        "/identity/start",
        "/credentials/anna-fire/confirm",
        "/credentials/anna-fire/again",
        "/credentials/anna-fire/add",
    ];
    for path in paths {
        for csrf in ["", "x", &others] {
            let answer = browser.post(path, &[("csrf", csrf)]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {csrf}");
            assert_eq!(answer.heading(), "This page is too old");
        }
        assert_eq!(
            browser.post(path, &[]).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    assert_eq!(browser.open("/").await.path(), "/");
    assert!(world.door.calls("/par").is_empty());
    // Nor is anybody logged in by another site's form.
    let fields = [
        ("username", "anna"),
        ("password", PASSWORD),
        ("csrf", &others),
    ];
    let answer = world.browser().post("/login", &fields).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_07_a_form_of_another_site_is_refused_even_with_the_token() {
    let world = World::start().await;
    let browser = world.logged_in("anna").await;
    let csrf = browser.open("/").await.field("csrf");
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ] {
        let answer = browser
            .post_with("/logout", &[("csrf", &csrf)], header)
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{header:?}");
    }
    assert_eq!(browser.open("/").await.path(), "/");
}

/// SEC-12, and trap 3 of the screens: a form that is answered by a redirect to the gateway names it.
#[tokio::test(flavor = "multi_thread")]
async fn sec_12_every_page_is_kept_by_nobody_and_only_those_that_lead_there_name_the_gateway() {
    let world = World::start().await;
    let browser = world.logged_in("anna").await;
    let csp = |page: &crate::browser::Page| {
        let csp = page.headers["content-security-policy"].to_str().unwrap();
        csp.to_owned()
    };
    browser.confirm("anna-fire").await;
    for path in [
        "/",
        "/credentials",
        "/credentials/anna-fire",
        "/identity",
        "/nothing-here",
        "/login",
    ] {
        let page = browser.open(path).await;
        let csp = csp(&page);
        assert!(csp.starts_with("default-src 'none'"), "{path}: {csp}");
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
        assert_eq!(
            csp.contains(&world.door.base),
            path == "/identity",
            "{path}: {csp}"
        );
    }
}

/// SEC-40: addresses hold ids of records and nothing about people.
#[tokio::test(flavor = "multi_thread")]
async fn dw_52_nothing_of_the_credential_stands_in_an_address() {
    let world = World::start().await;
    let browser = world.anna().await;
    browser.confirm("anna-fire").await;
    let page = world.verify(&browser, "anna").await;
    let answer = browser
        .submit(&page, "/credentials/anna-fire/add", &[])
        .await;
    let address = answer.location();
    assert!(address.starts_with(&world.door.base), "{address}");
    for value in ["FS-", "Fire", "Anna", "Taylor", "3f0c1c1e"] {
        assert!(!address.contains(value), "{address}");
    }
}

on_both_engines!(what_no_name_or_id_can_hold_is_nobodys_and_no_fault_of_ours,);

async fn what_no_name_or_id_can_hold_is_nobodys_and_no_fault_of_ours(database: Database) {
    let world = World::start_on(database).await;
    let stranger = world.browser();
    let page = stranger.log_in("an\0na", PASSWORD).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text().contains("Check your username and password"));
    let page = stranger.log_in("anna", "\0").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);

    let browser = world.logged_in("anna").await;
    for path in [
        "/credentials/a%00b",
        "/credentials/a%00b/confirm",
        "/credentials/a%00b/again",
        "/credentials/a%00b/added",
        "/problem/a%00b",
        "/hr/employees/a%00b",
        "/hr/records/a%00b",
    ] {
        let page = browser.open(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in [
        "/identity?for=a%00b",
        "/identity/done?for=a%00b",
        "/credentials/anna-fire/added?of=%00",
        "/login?return_to=/a%00b",
        "/callback?code=a%00b&state=%00",
        "/callback?error=a%00b&error_description=%00&state=%00",
    ] {
        let page = browser.open(path).await;
        assert!(!page.status.is_server_error(), "{path}: {}", page.status);
    }
    let csrf = browser.open("/").await.field("csrf");
    for (path, name) in [
        ("/identity/start", "for"),
        ("/credentials/a%00b/add", "shown"),
        ("/credentials/anna-fire/confirm", "shown"),
        ("/credentials/anna-fire/again", "deleted"),
    ] {
        let fields = [("csrf", csrf.as_str()), (name, "\0")];
        let answer = browser.post(path, &fields).await;
        assert!(
            !answer.status.is_server_error(),
            "{path}: {}",
            answer.status
        );
    }
    let hr = world.browser();
    for (path, field) in [
        ("/hr/employees/anna", "surname"),
        ("/hr/employees/anna", "email"),
        ("/hr/records/anna-fire", "FS-Units"),
    ] {
        let page = hr.open(path).await;
        let answer = hr.submit(&page, path, &[(field, "x@\0")]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
}
