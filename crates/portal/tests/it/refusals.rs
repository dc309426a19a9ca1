//! What ends otherwise: each on its page, and nothing is claimed that is not known.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::door::Jam;
use crate::staff::PASSWORD;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn dw_14_dw_15_for_whom_the_staff_passport_does_not_apply_nothing_of_it_is_there() {
    let world = World::start().await;
    let browser = world.logged_in("ned").await;
    let page = browser.open("/").await;
    assert!(
        !page.html.to_lowercase().contains("passport"),
        "{}",
        page.text()
    );
    assert!(!page.html.contains("/credentials"));
    let csrf = page.field("csrf");
    let record = "/credentials/ned-programme";
    let pages = [
        "/credentials",
        "/identity",
        "/identity/start",
        "/identity/done",
        "/returned",
        record,
    ];
    let steps = ["again", "confirm", "add", "added"].map(|step| format!("{record}/{step}"));
    for path in pages.into_iter().chain(steps.iter().map(String::as_str)) {
        let page = browser.open(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(page.heading(), "You cannot use this service yet", "{path}");
    }
    let forms = steps[..3]
        .iter()
        .map(String::as_str)
        .chain(["/identity/start"]);
    for path in forms {
        let fields = [("csrf", csrf.as_str()), ("deleted", "yes"), ("shown", "x")];
        let answer = browser.post(path, &fields).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(world.door.calls("/par").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_or_is_not_complete_is_shown_and_cannot_be_added() {
    let world = World::start().await;
    let browser = world.anna().await;
    let list = browser.open("/credentials").await;
    assert_eq!(list.state_of("anna-incomplete").unwrap(), "cannot-add-yet");
    assert_eq!(list.state_of("anna-ended").unwrap(), "ended");
    assert!(
        list.text()
            .contains("You cannot add this because it ended on 31 July 2022.")
    );
    assert!(
        list.text()
            .contains("You cannot add this because your record is not complete.")
    );
    let csrf = list.field("csrf");
    for record in ["anna-ended", "anna-incomplete"] {
        assert!(
            list.html.contains(&format!("credential-{record}")),
            "{}",
            list.html
        );
        for step in ["confirm", "again"] {
            let page = browser.open(&format!("/credentials/{record}/{step}")).await;
            assert_eq!(page.path(), format!("/credentials/{record}"));
            assert!(!page.has("add-to-wallet"));
        }
        let add = format!("/credentials/{record}/add");
        let answer = browser.post(&add, &[("csrf", &csrf)]).await;
        assert_eq!(answer.location(), format!("/credentials/{record}"));
    }
    assert!(world.drafts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn dw_04_dw_27_dw_49_nothing_is_added_before_the_identity_is_verified_in_this_session() {
    let world = World::start().await;
    let browser = world.logged_in("anna").await;
    let page = browser.confirm("anna-fire").await;
    let csrf = page.field("csrf");
    let add = "/credentials/anna-fire/add";
    let answer = browser.post(add, &[("csrf", &csrf)]).await;
    assert_eq!(answer.location(), "/identity");

    // Somebody else's identity does not open it either.
    world.bens_identity().await;
    let page = browser.send(&page, "/identity/start", &[]).await;
    let page = world.scan_and_return(&browser, &page, "ben", true).await;
    assert_eq!(page.heading(), "We could not match your identity");
    // DW-44: which of them differs is not said, nor what the other's identity says.
    for value in ["Osei", "1985", "Ben"] {
        assert!(!page.text().contains(value), "{value}");
    }
    assert!(page.has("reference"));
    let answer = browser.post(add, &[("csrf", &csrf)]).await;
    assert_eq!(answer.location(), "/identity");
    assert!(world.drafts().is_empty());

    // Three times, and no more in this session.
    for _ in 0..2 {
        let page = browser.open("/identity/done").await;
        let page = browser.send(&page, "/identity/start", &[]).await;
        world.scan_and_return(&browser, &page, "ben", true).await;
    }
    let page = browser.open("/identity").await;
    assert_eq!(page.path(), "/identity/done");
    assert!(!page.has("try-again"), "{}", page.html);
    let calls = world.door.calls("/par").len();
    let answer = browser.post("/identity/start", &[("csrf", &csrf)]).await;
    assert_eq!(answer.location(), "/identity/done?for=anna-fire");
    assert_eq!(world.door.calls("/par").len(), calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn dw_48_whoever_says_no_in_the_wallet_is_told_so_and_can_try_again() {
    let world = World::start().await;
    let browser = world.anna().await;
    browser.confirm("anna-fire").await;
    let page = browser.open("/identity").await;
    let page = browser.send(&page, "/identity/start", &[]).await;
    let page = world.scan_and_return(&browser, &page, "anna", false).await;
    assert_eq!(page.heading(), "You did not share your identity");
    let page = browser.send(&page, "/identity/start", &[]).await;
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    assert_eq!(page.heading(), "Your identity has been verified");
}

#[tokio::test(flavor = "multi_thread")]
async fn dw_48_a_gateway_that_is_down_is_a_problem_with_a_reference_and_a_way_on() {
    let world = World::start().await;
    let browser = world.anna().await;
    let page = browser.confirm("anna-fire").await;
    world.door.jam("/par", Jam::Refuse(503));
    let problem = browser.send(&page, "/identity/start", &[]).await;
    assert_eq!(problem.status, StatusCode::OK);
    assert_eq!(problem.heading(), "There is a problem with the service");
    assert!(problem.has("reference"));
    assert_eq!(problem.link("try-again"), "/identity?for=anna-fire");

    world.door.free();
    let page = browser.open(&problem.link("try-again")).await;
    let page = browser.send(&page, "/identity/start", &[]).await;
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    world.door.jam("/par", Jam::Refuse(503));
    let problem = browser.send(&page, "/credentials/anna-fire/add", &[]).await;
    assert_eq!(problem.heading(), "There is a problem with the service");
    assert_eq!(problem.link("try-again"), "/credentials/anna-fire");
    let list = browser.open("/credentials").await;
    assert_eq!(list.state_of("anna-fire").unwrap(), "not-added");
}

#[tokio::test(flavor = "multi_thread")]
async fn dw_48_a_token_that_does_not_come_verifies_nobody() {
    let world = World::start().await;
    let browser = world.anna().await;
    let page = browser.open("/identity").await;
    let page = browser.send(&page, "/identity/start", &[]).await;
    world.door.jam("/oidc/token", Jam::Refuse(500));
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.heading(), "There is a problem with the service");
    assert_eq!(browser.open("/identity").await.path(), "/identity");
}

#[tokio::test(flavor = "multi_thread")]
async fn dw_64_what_is_not_known_is_called_so_and_settled() {
    let world = World::start().await;
    let browser = world.anna().await;
    browser.confirm("anna-fire").await;
    let page = world.verify(&browser, "anna").await;
    let page = browser.send(&page, "/credentials/anna-fire/add", &[]).await;
    world.door.jam("/oidc/token", Jam::LoseAnswer);
    // The gateway cannot be asked either how it ended.
    world.door.jam("/outcomes", Jam::Refuse(503));
    let page = world.scan_and_return(&browser, &page, "anna", true).await;
    assert_eq!(page.heading(), "We are checking if it was added");
    assert_eq!(page.status, StatusCode::OK);
    let list = browser.open("/credentials").await;
    assert_eq!(list.state_of("anna-fire").unwrap(), "checking");
    let own = browser.open("/credentials/anna-fire").await;
    assert!(!own.has("add-to-wallet"));

    world.door.free();
    world.later(SignedDuration::from_mins(2));
    // The gateway tells how it ended, and keeps to it.
    world.until(&browser, "anna-fire", "added").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_long_is_waited_for_on_a_page_that_goes_on() {
    let world = World::start().await;
    let browser = world.anna().await;
    let page = browser.open("/identity").await;
    let page = browser.send(&page, "/identity/start", &[]).await;
    let back = world.answer(&browser, &page, "anna", true).await;
    let calls = world.door.calls("/oidc/token").len();
    let (arrived, go_on) = world.door.hold("/oidc/token");
    let page = browser.open(&back).await;
    arrived.notified().await;
    assert_eq!(
        (page.path().as_str(), page.status),
        ("/returned", StatusCode::OK)
    );
    assert_eq!(page.heading(), "We are finishing up");
    assert_eq!(
        browser.fetch("/returned/status").await.html,
        "{\"finished\":false}"
    );
    // Loading it again, or the callback itself, leads here too, and asks nobody twice.
    assert_eq!(
        browser.open(&page.link("continue")).await.path(),
        "/returned"
    );
    assert_eq!(browser.open(&back).await.path(), "/returned");
    assert_eq!(world.door.calls("/oidc/token").len(), calls + 1);

    go_on.notify_one();
    for _ in 0..50 {
        if browser
            .fetch("/returned/status")
            .await
            .html
            .contains("true")
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let page = browser.open("/returned").await;
    assert_eq!(page.heading(), "Your identity has been verified");
}

#[tokio::test(flavor = "multi_thread")]
async fn dw_41_a_callback_of_nobodys_is_answered_kindly_and_changes_nothing() {
    let world = World::start().await;
    let browser = world.anna().await;
    let page = browser.open("/identity").await;
    let page = browser.send(&page, "/identity/start", &[]).await;
    let back = world.answer(&browser, &page, "anna", true).await;

    // In a browser where nobody, or somebody else, is logged in; forged; and a second time.
    let elsewhere = world.browser();
    let strangers = elsewhere.open(&back).await;
    assert_eq!(strangers.heading(), "Go back to the page where you started");
    elsewhere.log_in("ben", PASSWORD).await;
    assert_eq!(elsewhere.open(&back).await.status, StatusCode::BAD_REQUEST);
    for forged in [
        "/callback",
        "/callback?code=x&state=y",
        "/callback?error=access_denied",
    ] {
        let page = browser.open(forged).await;
        assert_eq!(
            page.heading(),
            "Go back to the page where you started",
            "{forged}"
        );
        assert!(page.status.is_client_error());
    }
    let page = browser.open(&back).await;
    assert_eq!(page.heading(), "Your identity has been verified");
    let page = browser.open(&back).await;
    assert_eq!(page.heading(), "Go back to the page where you started");
    assert_eq!(browser.open("/identity").await.path(), "/identity/done");
}
