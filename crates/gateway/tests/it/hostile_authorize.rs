//! What an attacker tries with the browser's half of a request.

use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::world::{Browser, Form, World};

/// SEC-03: unknown clients and redirect URIs get a page, whatever else is wrong, and nobody is redirected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_redirected_to_an_address_that_is_not_registered() {
    let world = World::start().await;
    let cases: [fn(&mut Form); 6] = [
        |form| form.set("client_id", "nobody"),
        |form| form.remove("client_id"),
        |form| form.set("redirect_uri", "https://evil.example/"),
        |form| form.remove("redirect_uri"),
        |form| {
            form.set("redirect_uri", "https://evil.example/");
            form.remove("response_type");
        },
        |form| form.set("client_id", "<script>alert(1)</script>"),
    ];
    for case in cases {
        let mut form = Form::new(&world.party("plain"));
        case(&mut form);
        let page = Browser::new()
            .open(&world.url(&format!("/authorize?{}", form.query())))
            .await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.html.contains("We cannot continue"));
        assert!(!page.html.contains("evil.example") && !page.html.contains("alert(1)"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_goes_back_with_state_once_the_address_is_known() {
    let world = World::start().await;
    let mut form = Form::new(&world.party("plain"));
    form.set("scope", "openid Nonsense");
    let back = Browser::new()
        .open(&world.url(&format!("/authorize?{}", form.query())))
        .await;
    assert_eq!(back.parameter("error").unwrap(), "invalid_scope");
    assert_eq!(
        back.parameter("state").unwrap(),
        "9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5"
    );
    assert_eq!(back.parameter("iss").unwrap(), world.base);
}

/// SEC-05, DW-65, acceptance 5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_uri_opens_once_for_its_own_client_and_in_its_time() {
    let world = World::start().await;
    let party = world.party("plain");
    let address = world.pushed(&party, |_| ()).await;
    let foreign = address.replace("client_id=plain", "client_id=v2");
    assert_eq!(
        Browser::new().open(&foreign).await.status,
        StatusCode::BAD_REQUEST
    );

    let browser = Browser::new();
    let first = browser.open(&address).await;
    assert_eq!(first.status, StatusCode::OK);
    // Back and reload: the same browser comes to the same interaction (rulings 5).
    assert_eq!(browser.open(&address).await.url, first.url);
    let other = Browser::new().open(&address).await;
    assert_eq!(other.status, StatusCode::GONE);
    assert!(other.find_link("open-wallet").is_none());

    let late = world.pushed(&party, |_| ()).await;
    world.later(SignedDuration::from_secs(601));
    assert_eq!(
        Browser::new().open(&late).await.status,
        StatusCode::BAD_REQUEST
    );
    let unknown = address.replace("request_uri:", "request_uri:x");
    assert_eq!(
        Browser::new().open(&unknown).await.status,
        StatusCode::BAD_REQUEST
    );
}

/// SEC-04: a foreign `request_uri` is never fetched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_uri_of_somebody_else_is_not_followed() {
    let world = World::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut form = Form::new(&world.party("plain"));
    form.set(
        "request_uri",
        &format!("http://{}/object", listener.local_addr().unwrap()),
    );
    let back = Browser::new()
        .open(&world.url(&format!("/authorize?{}", form.query())))
        .await;
    assert_eq!(
        back.parameter("error").unwrap(),
        "request_uri_not_supported"
    );
    let fetched =
        tokio::time::timeout(std::time::Duration::from_millis(300), listener.accept()).await;
    assert!(
        fetched.is_err(),
        "the gateway fetched a request_uri that a browser named"
    );
}

/// SEC-07, SEC-29, SEC-01: the page, its status and its forms belong to the browser that began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interaction_is_nothing_without_the_cookie_that_began_it() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let page = Browser::new()
        .open(&world.pushed(&world.party("plain"), |_| ()).await)
        .await;
    let link = page.link("open-wallet");

    let thief = Browser::new();
    assert_eq!(thief.open(&page.url).await.status, StatusCode::GONE);
    assert_eq!(thief.status(&page).await.status, StatusCode::NOT_FOUND);
    assert_eq!(thief.submit(&page, "cancel").await.status, StatusCode::GONE);

    world.scan("anna", &link, true).await;
    let stolen = thief.open(&page.url).await;
    assert_eq!(
        stolen.status,
        StatusCode::GONE,
        "the result went to another browser: {}",
        stolen.url
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_without_its_token_changes_nothing() {
    let world = World::start().await;
    let browser = Browser::new();
    let page = browser
        .open(&world.pushed(&world.party("plain"), |_| ()).await)
        .await;
    let own = Browser::new()
        .open(&world.pushed(&world.party("plain"), |_| ()).await)
        .await;
    // Without one, and with the one that an attacker has of an interaction of their own.
    for html in [String::new(), own.html] {
        let forged = crate::world::Page {
            url: page.url.clone(),
            status: page.status,
            html,
        };
        assert_eq!(
            browser.submit(&forged, "cancel").await.status,
            StatusCode::GONE
        );
        assert_eq!(browser.status(&page).await.json["state"], "waiting");
    }
}

/// SEC-28, VP-09, rulings 7: the attacker's page, the victim's wallet on the victim's phone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_for_this_device_gives_its_result_only_to_the_browser_that_comes_back() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let attacker = Browser::new();
    let page = attacker.open(&world.pushed(&party, |_| ()).await).await;
    let scanned = world
        .scan("anna", &page.link("open-wallet-here"), true)
        .await;
    assert_eq!(
        scanned.outcome,
        wallet::Outcome::Presented,
        "{:?}",
        scanned.reason
    );
    let back = scanned
        .redirect_uri
        .expect("a same-device answer names where the browser goes on")
        .to_string();

    // The attacker's browser waits and gets nothing; the victim's has no cookie.
    assert_eq!(attacker.open(&page.url).await.status, StatusCode::OK);
    assert_eq!(
        Browser::new().open(&back).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        attacker
            .open(&world.url("/return?response_code=guess"))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    // The honest case: the browser that began brings the response code.
    let done = attacker.open(&back).await;
    assert!(!done.code().is_empty());
}
