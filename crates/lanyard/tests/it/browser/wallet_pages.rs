//! The test wallet's own pages.

use super::driver::JavaScript;
use super::look::look;
use super::stage::{REDIRECT_URI, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_test_wallets_pages_are_sound() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    let wallet = stage.browser(JavaScript::On).await;

    wallet.open(&stage.wallet("")).await;
    look(&stage, &wallet, "wallet-holders").await;
    wallet.open(&stage.wallet("holders/rupa")).await;
    wallet.wait_for_text("Revoked").await;
    look(&stage, &wallet, "wallet-holder").await;
    wallet.open(&stage.wallet("holders/nobody")).await;
    look(&stage, &wallet, "wallet-unknown-holder").await;

    wallet.open(&stage.wallet("holders/anna/scan")).await;
    look(&stage, &wallet, "wallet-scan").await;
    wallet.click("#link").await;
    wallet.press("this is no link").await;
    wallet.follow("form[action$='/scan'] button").await;
    wallet.wait_for_text("There is a problem").await;
    look(&stage, &wallet, "wallet-scan-error").await;

    let started = stage.verify().await;
    browser.open(started.url.as_str()).await;
    scan(
        &stage,
        &wallet,
        &browser.attribute("#open-wallet", "href").await,
    )
    .await;
    wallet.wait_for_text("They ask for").await;
    look(&stage, &wallet, "wallet-share").await;
    wallet.follow("#accept").await;
    wallet.wait_for_text("Shared").await;
    look(&stage, &wallet, "wallet-shared").await;
    browser.wait_for_address(REDIRECT_URI).await;
    stage.came_back_verified(started.pending).await;

    let started = stage.issue().await;
    browser.open(started.url.as_str()).await;
    scan(
        &stage,
        &wallet,
        &browser.attribute("#open-wallet", "href").await,
    )
    .await;
    wallet.wait_for_text("It says").await;
    look(&stage, &wallet, "wallet-add").await;
    wallet.follow("#accept").await;
    wallet.wait_for_text("Added to your wallet").await;
    look(&stage, &wallet, "wallet-added").await;
    browser.wait_for_address(REDIRECT_URI).await;
    stage.came_back_issued(started.pending).await;

    // A wallet on this device sends the browser on by itself.
    let started = stage.verify().await;
    browser.open(started.url.as_str()).await;
    let here = browser.attribute("#open-wallet-here", "href").await;
    scan(&stage, &browser, &here).await;
    browser.follow("#accept").await;
    browser.follow("#continue").await;
    browser.wait_for_address(REDIRECT_URI).await;
    stage.came_back_verified(started.pending).await;

    browser.close().await;
    wallet.close().await;
    stage.strike().await;
}

/// A person pastes the link into the wallet's page.
async fn scan(stage: &Stage, wallet: &super::driver::Browser, link: &str) {
    wallet.open(&stage.wallet("holders/anna/scan")).await;
    wallet.click("#link").await;
    wallet.press(link).await;
    wallet.follow("form[action$='/scan'] button").await;
}
