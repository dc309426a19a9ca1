//! Without JavaScript the pages work by their links and forms.

use super::driver::JavaScript;
use super::look::quiet;
use super::stage::{BACK, REDIRECT_URI, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_javascript_a_whole_check_works_by_links_and_forms() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::Off).await;

    let started = stage.verify().await;
    browser.open(started.url.as_str()).await;
    assert_eq!(browser.attribute("body", "class").await, "", "a script ran");
    let link = browser.attribute("#open-wallet", "href").await;

    browser.follow("form[action$='/restart'] button").await;
    let again = browser.attribute("#open-wallet", "href").await;
    assert_ne!(again, link);

    stage.misbehave("anna", "silence").await;
    stage.scan("anna", &again).await;
    browser.follow("#finished").await;
    assert!(browser.text("h1").await.contains("QR code scanned"));

    browser.follow("form[action$='/restart'] button").await;
    stage
        .scan_and_say(
            "anna",
            &browser.attribute("#open-wallet", "href").await,
            false,
        )
        .await;
    browser.follow("#finished").await;
    assert!(browser.text("h1").await.contains("was not shared"));
    browser.follow("form[action$='/restart'] button").await;

    stage
        .scan("anna", &browser.attribute("#open-wallet", "href").await)
        .await;
    browser.follow("#finished").await;
    assert_eq!(browser.text("h1").await, BACK);
    assert!(browser.url().await.as_str().starts_with(REDIRECT_URI));
    stage.came_back_verified(started.pending).await;

    assert_eq!(quiet(&stage, &browser).await, [""; 0]);
    browser.close().await;
    stage.strike().await;
}

/// The trap that the gateway's and the portals' pages have to mind: seen here on two small pages of our own, so that
/// the test below means something in this browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chromium_lets_a_form_be_redirected_only_where_the_page_allows_it() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    let strict = REDIRECT_URI.replace("callback", "strict");
    browser.open(&strict).await;
    browser.click("button").await;
    let complaints = loop {
        let complaints = browser.complaints().await;
        if !complaints.is_empty() {
            break complaints;
        }
    };
    assert!(complaints[0].contains("form-action"), "{complaints:?}");
    assert_eq!(browser.url().await.as_str(), strict);

    browser
        .open(&REDIRECT_URI.replace("callback", "open"))
        .await;
    browser.follow("button").await;
    assert_eq!(browser.url().await.as_str(), stage.gateway("help"));
    browser.close().await;
    stage.strike().await;
}

/// The answer to this form is a redirect to another origin: Chromium lets it pass only where the page's
/// `form-action` names that origin.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_arrives_at_the_relying_party_with_and_without_javascript() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    for javascript in [JavaScript::On, JavaScript::Off] {
        let browser = stage.browser(javascript).await;
        let started = stage.verify().await;
        browser.open(started.url.as_str()).await;
        browser.follow("form[action$='/cancel'] button").await;
        browser.wait_for_address(REDIRECT_URI).await;
        stage
            .came_back_empty_handed(started.pending, "user cancelled")
            .await;
        assert_eq!(quiet(&stage, &browser).await, [""; 0]);
        browser.close().await;
    }
    stage.strike().await;
}

/// Where the relying party's callback leads on to is its own affair, and Chromium holds that to `form-action`, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_arrives_where_the_callback_leads_on_to_another_host() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let onward = stage.leads_on();
    let browser = stage.browser(JavaScript::Off).await;
    let started = stage.verify().await;
    browser.open(started.url.as_str()).await;
    browser.follow("form[action$='/cancel'] button").await;
    browser.wait_for_address(&onward).await;
    stage
        .came_back_empty_handed(started.pending, "user cancelled")
        .await;
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.close().await;
    stage.strike().await;
}
