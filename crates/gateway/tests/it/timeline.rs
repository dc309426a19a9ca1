//! 'Why did my download fail?', answered from what the database knows.

use gateway::timeline::{self, Timeline};
use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::database::Database;
use crate::world::{Browser, Page, World, client, programme};

async fn told(world: &World, text: &str) -> Timeline {
    let store = &world.gateway.app().store;
    let mut found = timeline::find(store, text, None, world.now())
        .await
        .unwrap();
    assert_eq!(found.len(), 1, "{text}");
    found.remove(0)
}

fn words(timeline: &Timeline) -> Vec<&'static str> {
    timeline.steps.iter().map(|step| step.step).collect()
}

fn cause(timeline: &Timeline) -> &'static str {
    timeline.cause.map_or("none", |cause| cause.code)
}

/// What the page tells its person to read out.
fn reference(page: &Page) -> String {
    let (_, rest) = page
        .html
        .split_once("class=\"lanyard-reference\">")
        .unwrap();
    rest.split('<').next().unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journey_is_told_from_the_push_to_the_token_on_sqlite() {
    journey(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journey_is_told_from_the_push_to_the_token_on_postgresql() {
    if let Some(database) = Database::postgres().await {
        journey(database).await;
    }
}

async fn journey(database: Database) {
    let world = World::start_on(database).await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let issued = told(&world, &serial).await;
    assert_eq!(
        words(&issued),
        [
            "pushed",
            "opened",
            "scanned",
            "answered",
            "code",
            "collected"
        ]
    );
    assert_eq!((issued.outcome, cause(&issued)), (Some("issued"), "none"));
    assert_eq!(issued.serial_number.as_deref(), Some(&*serial));
    let revoked = world.revoke(&world.party("v2"), &serial, |_| ()).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    let issued = told(&world, &issued.reference).await;
    assert_eq!(*words(&issued).last().unwrap(), "revoked");
    // Another organisation's operator finds nothing.
    let store = &world.gateway.app().store;
    let elsewhere = timeline::find(store, &serial, Some("elsewhere"), world.now()).await;
    assert_eq!(elsewhere.unwrap(), []);
    let newest = timeline::newest(
        store,
        world.now() - SignedDuration::from_mins(1),
        10,
        world.now(),
    );
    assert_eq!(newest.await.unwrap().len(), 1);
    // No value of a claim is in what is told.
    let text = serde_json::to_string(&issued).unwrap();
    for value in programme().values().filter_map(|value| value.as_str()) {
        assert!(
            value == "TrainingProgramme" || !text.contains(value),
            "{value}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_of_failing_is_told_with_its_cause() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let browser = Browser::new();
    let mut expected = Vec::new();

    // The person says no, starts again, and shares.
    let page = browser.open(&world.pushed(&party, |_| ()).await).await;
    world.scan("anna", &page.link("open-wallet"), false).await;
    let refused = browser.open(&page.url).await;
    let declined = told(&world, &reference(&refused)).await;
    assert_eq!(cause(&declined), "declined");
    assert_eq!(
        words(&declined),
        ["pushed", "opened", "scanned", "presented", "finished"]
    );
    let again = browser.submit(&refused, "restart").await;
    world.scan("anna", &again.link("open-wallet"), true).await;
    // The token is asked for with a wrong verifier, and then too late.
    let code = browser.open(&page.url).await.code();
    let wrong = "w".repeat(43);
    let token = world.token(&party, |form| {
        form.code(&code);
        form.set("code_verifier", &wrong);
    });
    assert_eq!(token.await.status, StatusCode::BAD_REQUEST);
    let told_again = told(&world, &declined.reference).await;
    assert_eq!(cause(&told_again), "pkce-failed");
    let steps: Vec<_> = told_again
        .steps
        .iter()
        .filter_map(|step| step.cause)
        .collect();
    assert_eq!(steps, ["declined", "pkce-failed"], "{told_again:?}");
    assert!(words(&told_again).contains(&"started-again"));

    // Nobody scans; a wallet scans and says nothing; the page is left; the result is not fetched; no browser comes.
    let idle = browser.open(&world.pushed(&party, |_| ()).await).await;
    let idle = browser.open(&idle.url).await;
    expected.push((told_by_page(&world, &idle).await, "not-scanned"));
    let silent = browser.open(&world.pushed(&party, |_| ()).await).await;
    let link = silent.link("open-wallet");
    expected.push((told_by_page(&world, &silent).await, "wallet-no-response"));
    crate::raw_wallet::read(client().get(crate::raw_wallet::request_address(&link).await)).await;
    let left = browser.open(&world.pushed(&party, |_| ()).await).await;
    expected.push((told_by_page(&world, &left).await, "page-left"));
    world.scan("anna", &left.link("open-wallet"), true).await;
    let lost = browser.open(&world.pushed(&party, |_| ()).await).await;
    expected.push((told_by_page(&world, &lost).await, "token-not-collected"));
    world.scan("anna", &lost.link("open-wallet"), true).await;
    browser.open(&lost.url).await.code();
    let unopened = world.pushed(&party, |_| ()).await;
    let request_uri = unopened.rsplit_once("request_uri=").unwrap().1.to_owned();
    expected.push((request_uri, "not-opened"));

    for wiped in [false, true] {
        if wiped {
            world.later(SignedDuration::from_mins(40));
            world.gateway.tidy_once().await.unwrap();
        } else {
            world.later(SignedDuration::from_mins(31));
        }
        for (text, wanted) in &expected {
            let timeline = told(&world, text).await;
            assert_eq!(cause(&timeline), *wanted, "wiped: {wiped}: {timeline:#?}");
        }
    }
}

async fn told_by_page(world: &World, page: &Page) -> String {
    let id = page.url.rsplit('/').next().unwrap();
    told(world, id).await.reference
}
