//! Every state of the page while an identity is checked, each brought about by what wallets, people and time do.

use jiff::SignedDuration;
use wallet::Outcome;

use super::driver::{Browser, JavaScript};
use super::look::quiet;
use super::stage::{BACK, REDIRECT_URI, Stage};

/// Keeps a page that is done from going on by itself, so that there is time to look at it.
const STAY: &str = "window.stay = (event) => event.preventDefault(); \
    document.getElementById('continue').addEventListener('click', window.stay, true)";
const GO_ON: &str =
    "document.getElementById('continue').removeEventListener('click', window.stay, true)";

/// Lets the way back lead nowhere, counts how often it is followed, and keeps what is to happen by itself after three
/// seconds until the test says that they are over.
const COUNT: &str = "window.followed = 0; document.getElementById('continue').href = '#followed'; \
    navigation.addEventListener('navigate', () => { window.followed += 1; }); \
    window.waiting = new Map(); \
    const [begin, stop] = [window.setTimeout, window.clearTimeout]; \
    window.setTimeout = (act, time) => { \
      const timer = begin(time === 3000 ? () => {} : act, time); \
      if (time === 3000) window.waiting.set(timer, act); \
      return timer; }; \
    window.clearTimeout = timer => { window.waiting.delete(timer); stop(timer); }";
const THREE_SECONDS_LATER: &str = "window.waiting.forEach(act => act())";

/// Begins a check and opens its page; gives the code's link.
async fn open(stage: &Stage, browser: &Browser) -> (connector::Pending, String) {
    let started = stage.verify().await;
    browser.open(started.url.as_str()).await;
    let link = browser.attribute("#open-wallet", "href").await;
    (started.pending, link)
}

/// SEC-12: neither console nor network tells of anything that the policy had to stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_of_a_check_is_shown_as_it_happens() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    let (_, link) = open(&stage, &browser).await;
    browser
        .wait_for_text("Scan the QR code to share your staff identity")
        .await;

    browser.follow("#larger-code").await;
    browser.wait_for_text("QR code").await;
    browser.follow(".nhsuk-back-link").await;

    stage.misbehave("anna", "silence").await;
    stage.scan("anna", &link).await;
    browser.wait_for_text("QR code scanned").await;
    assert!(browser.title().await.starts_with("QR code scanned"));

    // Starting again makes another code; the wallet on this device answers it.
    browser.follow("form[action$='/restart'] button").await;
    browser.wait_for_text("Scan the QR code").await;
    let again = browser.attribute("#open-wallet", "href").await;
    assert_ne!(again, link);
    let here = browser.attribute("#open-wallet-here", "href").await;
    stage.misbehave("anna", "silence").await;
    stage.scan("anna", &here).await;
    browser.wait_for_text("Continue in your wallet").await;
    browser.follow("form[action$='/restart'] button").await;
    browser.wait_for_text("Scan the QR code").await;
    let here = browser.attribute("#open-wallet-here", "href").await;
    let scanned = stage.scan("anna", &here).await;
    assert_eq!(scanned.outcome, Outcome::Presented, "{:?}", scanned.reason);
    browser
        .wait_for_text("Go on in the page that your wallet opened")
        .await;
    let back = scanned
        .redirect_uri
        .expect("the wallet goes back to the browser");
    browser.open(back.as_str()).await;
    assert_eq!(browser.text("h1").await, BACK);

    let (pending, link) = open(&stage, &browser).await;
    browser.script(STAY).await;
    let scanned = stage.scan("anna", &link).await;
    assert_eq!(scanned.outcome, Outcome::Presented, "{:?}", scanned.reason);
    let finished = format!("Finished. Taking you back to {}.", stage.relying_party);
    browser.wait_for_text(&finished).await;
    assert!(
        browser
            .title()
            .await
            .starts_with("Your staff identity was shared")
    );
    browser.script(GO_ON).await;
    browser.follow("#continue").await;
    browser.wait_for_address(REDIRECT_URI).await;
    stage.came_back_verified(pending).await;
    assert_eq!(quiet(&stage, &browser).await, [""; 0]);
    browser.close().await;
    stage.strike().await;
}

/// The way back carries a code that works once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_done_follows_the_way_back_once_and_not_after_it_was_left() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    let press_twice = "document.getElementById('continue').click(); \
        document.getElementById('continue').click()";
    let leave = "dispatchEvent(new PageTransitionEvent('pagehide'))";
    for (action, times) in [("", 1), (press_twice, 1), (leave, 0)] {
        let (_, link) = open(&stage, &browser).await;
        browser.script(COUNT).await;
        let scanned = stage.scan("anna", &link).await;
        assert_eq!(scanned.outcome, Outcome::Presented, "{:?}", scanned.reason);
        browser.wait_for_text("Finished. Taking you back").await;
        let waits = browser.script("return window.waiting.size").await;
        assert_eq!(waits, 1, "it would go on by itself");
        browser.script(action).await;
        browser.script(THREE_SECONDS_LATER).await;
        let followed = browser.script("return window.followed").await;
        assert_eq!(followed, times, "{action:?}");
    }
    assert_eq!(quiet(&stage, &browser).await, [""; 0]);
    browser.close().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_in_which_a_check_fails_has_a_page_that_says_what_to_do() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;

    let (_, link) = open(&stage, &browser).await;
    stage.scan_and_say("anna", &link, false).await;
    browser
        .wait_for_text("Your staff identity was not shared")
        .await;
    browser.follow("form[action$='/restart'] button").await;
    browser.wait_for_text("Scan the QR code").await;

    let again = browser.attribute("#open-wallet", "href").await;
    stage.misbehave("anna", "bad-signature").await;
    stage.scan("anna", &again).await;
    browser
        .wait_for_text("We could not use that credential")
        .await;

    for (holder, why, sentence) in [
        ("rupa", "has cancelled it", "cancelled by its issuer"),
        ("edith", "It has expired", "expired"),
        ("uma", "does not come from", "not trusted"),
    ] {
        let (pending, link) = open(&stage, &browser).await;
        stage.scan(holder, &link).await;
        browser
            .wait_for_text("Your staff identity credential cannot be used")
            .await;
        assert!(browser.text("main").await.contains(why));
        browser.follow("#go-back").await;
        browser.wait_for_address(REDIRECT_URI).await;
        stage.came_back_empty_handed(pending, sentence).await;
    }

    let (pending, _) = open(&stage, &browser).await;
    stage.sandbox.shift.set(SignedDuration::from_mins(31));
    browser.wait_for_text("You took too long").await;
    browser.follow("#go-back").await;
    browser.wait_for_address(REDIRECT_URI).await;
    stage.came_back_empty_handed(pending, "expired").await;

    assert_eq!(quiet(&stage, &browser).await, [""; 0]);
    browser.close().await;
    stage.strike().await;
}
