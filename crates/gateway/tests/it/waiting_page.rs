//! The page where the employee waits: its links, its rules of time, its headers.

use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::json;

use crate::world::{Browser, World, client};

/// SEC-30.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_code_is_steady_and_short_and_leads_to_the_standards_own_link() {
    let world = World::start().await;
    let browser = Browser::new();
    let page = browser
        .open(&world.pushed(&world.party("plain"), |_| ()).await)
        .await;
    let link = page.link("open-wallet");
    assert!(link.len() <= 110, "{link}");
    world.later(SignedDuration::from_mins(29));
    let before = browser.status(&page).await.json;
    assert_eq!(browser.open(&page.url).await.link("open-wallet"), link);
    let larger = format!("{}/code", page.url);
    assert_eq!(browser.open(&larger).await.url, larger);
    // To look changes nothing, or a wallet that comes meanwhile would lose its race against a page.
    assert_eq!(browser.status(&page).await.json, before);
    if link.starts_with("http") {
        let followed = client().get(&link).send().await.unwrap();
        assert_eq!(followed.status(), StatusCode::SEE_OTHER);
        let full = followed.headers()["location"].to_str().unwrap();
        assert!(full.starts_with("openid4vp://?"), "{full}");
        assert!(
            full.contains("client_id=") && full.contains("request_uri="),
            "{full}"
        );
    }
    let here = page.link("open-wallet-here");
    assert!(
        here.starts_with("openid4vp://?") && !here.contains(&link[link.len() - 22..]),
        "{here}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starting_again_gives_a_new_code_and_kills_the_old() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let browser = Browser::new();
    let page = browser
        .open(&world.pushed(&world.party("plain"), |_| ()).await)
        .await;
    let again = browser.submit(&page, "restart").await;
    assert_eq!(again.url, page.url);
    assert_ne!(again.link("open-wallet"), page.link("open-wallet"));
    assert_eq!(
        world
            .scan("anna", &page.link("open-wallet"), true)
            .await
            .outcome,
        wallet::Outcome::Failed
    );
    assert_eq!(
        world
            .scan("anna", &again.link("open-wallet"), true)
            .await
            .outcome,
        wallet::Outcome::Presented
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_half_an_hour_the_page_says_so_and_offers_the_way_back() {
    let world = World::start().await;
    let browser = Browser::new();
    let page = browser
        .open(&world.pushed(&world.party("plain"), |_| ()).await)
        .await;
    world.later(SignedDuration::from_secs(1801));
    assert_eq!(browser.status(&page).await.json["state"], "expired");
    let late = browser.open(&page.url).await;
    assert!(late.html.contains("You took too long"));
    assert!(late.link("go-back").contains("error=access_denied"));
    assert_eq!(browser.status(&page).await.json["state"], "expired");
    assert_eq!(
        world
            .scan("anna", &page.link("open-wallet"), true)
            .await
            .outcome,
        wallet::Outcome::Failed
    );
}

/// SEC-12, SEC-29.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_keeps_to_itself_and_its_status_says_one_word() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let browser = Browser::new();
    let address = world.pushed(&world.party("plain"), |_| ()).await;
    let page = browser.open(&address).await;
    let status = browser.status(&page).await;
    assert_eq!(status.json.as_object().unwrap().len(), 2);
    assert_eq!(status.json["state"], json!("waiting"));
    assert_eq!(status.headers["cache-control"], "no-store");
    assert!(!page.html.contains("http-equiv=\"refresh\""));
    assert!(!page.html.contains("<script>") && !page.html.contains(" onclick="));

    // A page that leads nowhere shows the same headers as one that does.
    let response = client().get(&page.url).send().await.unwrap();
    let csp = response.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        csp.contains("default-src 'none'")
            && csp.contains("frame-ancestors 'none'")
            && !csp.contains("unsafe")
    );
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    assert_eq!(response.headers()["cache-control"], "no-store");

    world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(
        browser.status(&page).await.body.matches("Taylor").count(),
        0
    );
}

/// DW-60.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_that_says_nothing_about_its_credential_has_kept_it_after_five_seconds() {
    let world = World::start().await;
    let party = world.party("v2");
    let hint = world.hint(&party, |_| ());
    let browser = Browser::new();
    let page = browser
        .open(
            &world
                .pushed(&party, |form| form.issue("TrainingProgramme", &hint))
                .await,
        )
        .await;
    world
        .wallet
        .misbehave("anna", wallet::Fault::parse("lost-network-after-submit"))
        .unwrap();
    world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(browser.status(&page).await.json["state"], "checking");
    // What has left the gateway is not cancelled, or the relying party would hear that there is none.
    browser.submit(&page, "cancel").await;
    assert_eq!(browser.status(&page).await.json["state"], "checking");
    world.later(SignedDuration::from_secs(6));
    let back = browser.open(&page.url).await;
    assert!(!back.code().is_empty());
}
