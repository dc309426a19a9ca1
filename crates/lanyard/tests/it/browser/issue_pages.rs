//! Every state of the page while a credential goes into the wallet.

use jiff::SignedDuration;
use wallet::Outcome;

use super::driver::{Browser, JavaScript};
use super::look::quiet;
use super::stage::{REDIRECT_URI, Stage};

async fn open(stage: &Stage, browser: &Browser) -> (connector::Pending, String) {
    let started = stage.issue().await;
    browser.open(started.url.as_str()).await;
    let link = browser.attribute("#open-wallet", "href").await;
    (started.pending, link)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_of_adding_a_credential_is_shown_as_it_happens() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;

    let (_, link) = open(&stage, &browser).await;
    browser.wait_for_text("to your wallet").await;
    stage.misbehave("anna", "silence").await;
    stage.scan("anna", &link).await;
    browser.wait_for_text("QR code scanned").await;

    browser.follow("form[action$='/restart'] button").await;
    browser.wait_for_text("Scan the QR code").await;
    let again = browser.attribute("#open-wallet", "href").await;
    stage.scan_and_say("anna", &again, false).await;
    browser
        .wait_for_text("Your wallet did not keep the credential")
        .await;

    let (pending, link) = open(&stage, &browser).await;
    stage.misbehave("anna", "lost-network-after-submit").await;
    stage.scan("anna", &link).await;
    // The wallet says nothing more, and its five seconds take as long as we need.
    stage.sandbox.shift.set(SignedDuration::from_mins(-10));
    browser.wait_for_text("Adding the credential.").await;
    stage.sandbox.shift.set(SignedDuration::ZERO);
    browser.go_on_to(REDIRECT_URI).await;
    stage.came_back_issued(pending).await;

    let (pending, link) = open(&stage, &browser).await;
    let stay = "window.stay = (event) => event.preventDefault(); \
        document.getElementById('continue').addEventListener('click', window.stay, true)";
    browser.script(stay).await;
    let scanned = stage.scan("anna", &link).await;
    assert_eq!(scanned.outcome, Outcome::Received, "{:?}", scanned.reason);
    browser.wait_for_text("Finished. Taking you back").await;
    browser.reload().await;
    browser.wait_for_address(REDIRECT_URI).await;
    stage.came_back_issued(pending).await;

    assert_eq!(quiet(&stage, &browser).await, [""; 0]);
    browser.close().await;
    stage.strike().await;
}
