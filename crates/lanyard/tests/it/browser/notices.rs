//! Pages without an interaction, and the pages that stand beside it.

use super::driver::JavaScript;
use super::look::quiet;
use super::stage::{REDIRECT_URI, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_to_the_wrong_page_is_told_where_to_go() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;

    browser
        .open(&stage.gateway("authorize?client_id=nobody&response_type=code&scope=openid"))
        .await;
    browser.wait_for_text("We cannot continue").await;
    // It repeats nothing of its address, and changes its language all the same.
    browser.click(".lanyard-languages a").await;
    browser.wait_for_text("Ni allwn barhau").await;
    browser.click(".lanyard-languages a").await;
    browser.wait_for_text("We cannot continue").await;

    browser.open(&stage.gateway("help")).await;
    browser.wait_for_text("Help").await;
    browser.click("#back a").await;
    browser.wait_for_text("We cannot continue").await;

    let started = stage.verify().await;
    browser.open(started.url.as_str()).await;
    let interaction = browser.url().await;
    let link = browser.attribute("#open-wallet", "href").await;
    stage.scan("anna", &link).await;
    browser.go_on_to(REDIRECT_URI).await;
    stage.came_back_verified(started.pending).await;
    browser.open(interaction.as_str()).await;
    browser
        .wait_for_text("This page has already been used")
        .await;
    assert!(browser.text("main").await.contains(&stage.relying_party));

    let started = stage.verify().await;
    browser.open(started.url.as_str()).await;
    let interaction = browser.url().await;
    let here = browser.attribute("#open-wallet-here", "href").await;
    let scanned = stage.scan("anna", &here).await;
    let back = scanned
        .redirect_uri
        .expect("the wallet goes back to the browser");
    // The wallet opens another browser than the one that began.
    let other = stage.browser(JavaScript::On).await;
    other.open(back.as_str()).await;
    other
        .wait_for_text("Go back to the browser where you started")
        .await;
    other.open(interaction.as_str()).await;
    other.wait_for_text("This page has already been used").await;
    assert_eq!(quiet(&stage, &other).await, [""; 0]);
    other.close().await;

    // SEC-28: the first browser follows by itself, is told what to do, and has nothing of what the wallet showed.
    browser.wait_for_text("Your wallet has answered").await;
    browser
        .wait_for_text("stay in this browser. Select ‘Start again’, then")
        .await;
    browser.follow("form[action$='/restart'] button").await;
    let link = browser.attribute("#open-wallet", "href").await;
    stage.scan("anna", &link).await;
    browser.go_on_to(REDIRECT_URI).await;
    stage.came_back_verified(started.pending).await;

    let started = stage.verify().await;
    browser.open(started.url.as_str()).await;
    let interaction = browser.url().await;
    stage.sandbox.gateway.close().await;
    browser.open(interaction.as_str()).await;
    browser
        .wait_for_text("There is a problem with the service")
        .await;
    assert_eq!(quiet(&stage, &browser).await, [""; 0]);
    browser.close().await;
    stage.strike().await;
}
