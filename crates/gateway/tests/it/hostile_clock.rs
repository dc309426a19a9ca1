//! SEC-39: what a clock that is wrong, or is put right, cannot bring back.

use jiff::SignedDuration;
use reqwest::StatusCode;
use wallet::Outcome;

use crate::database::{Database, on_both_engines};
use crate::world::{Browser, World};

on_both_engines!(sec_39_what_is_over_stays_over_when_the_clock_is_put_back);

async fn sec_39_what_is_over_stays_over_when_the_clock_is_put_back(database: Database) {
    let world = World::start_on(database).await;
    world.issue_identity("anna").await;
    let party = world.party("v2");
    let browser = Browser::new();

    // A page that has been told that its time is over.
    let late = browser.open(&world.pushed(&party, |_| ()).await).await;
    let link = late.link("open-wallet");
    // A code that was collected, and one that was given and never collected.
    let done = async |address: &str| {
        let page = browser.open(address).await;
        let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
        assert_eq!(scanned.outcome, Outcome::Presented, "{:?}", scanned.reason);
        browser.open(&page.url).await.code()
    };
    let collected = done(&world.pushed(&party, |_| ()).await).await;
    let token = world.token(&party, |form| form.code(&collected)).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    let forgotten = done(&world.pushed(&party, |_| ()).await).await;

    // Who looked at it late has decided it.
    world.later(SignedDuration::from_mins(31));
    assert_eq!(browser.status(&late).await.json["state"], "expired");
    for back in [0, -60] {
        world.later(SignedDuration::from_mins(back));
        assert_eq!(browser.status(&late).await.json["state"], "expired");
        let scanned = world.scan("anna", &link, true).await;
        assert_eq!(scanned.outcome, Outcome::Failed);
    }
    // What was tidied up does not come back.
    world.later(SignedDuration::from_mins(36));
    world.gateway.tidy_once().await.unwrap();
    for back in [0, -60] {
        world.later(SignedDuration::from_mins(back));
        for code in [&collected, &forgotten] {
            let token = world.token(&party, |form| form.code(code)).await;
            assert_eq!(token.error(), "invalid_grant", "{}", token.body);
        }
    }
    // And whoever begins now is not held up by what was counted in the future.
    world.issue_identity("ben").await;
}
