//! What somebody does who is nobody: begins what anybody can begin, by an address in which nothing is secret (SEC-34).

use std::num::NonZeroU32;

use jiff::SignedDuration;
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;

use crate::database::{Database, on_both_engines};
use crate::raw_wallet::Waiting;
use crate::receiver::Receiver;
use crate::webhook::told;
use crate::world::{Answer, Browser, Form, World, a_cookie, client, programme};

on_both_engines!(sec_34_what_anybody_can_begin_is_told_once_a_wallet_has_come);

/// The address at which anybody begins to verify for the plain party.
fn address(world: &World, state: &str) -> String {
    let mut form = Form::new(&world.party("plain"));
    form.set("state", state);
    world.url(&format!("/authorize?{}", form.query()))
}

async fn sec_34_what_anybody_can_begin_is_told_once_a_wallet_has_come(database: Database) {
    let receiver = Receiver::up().await;
    let world = told(database, &[("plain", &receiver)]).await;
    world.issue("anna", "TrainingProgramme", programme()).await;
    // One is left alone, one cancelled.
    Waiting::at(&address(&world, "left")).await;
    let cancelled = Waiting::at(&address(&world, "cancelled")).await;
    cancelled.browser.submit(&cancelled.page, "cancel").await;
    world.gateway.deliver_once().await.unwrap();
    assert_eq!(receiver.story(), []);
    // A wallet comes to the third. Whoever starts it again after that and goes away is told of, too.
    let met = Waiting::at(&address(&world, "met")).await;
    world.scan("anna", &met.link(), false).await;
    met.browser.submit(&met.page, "restart").await;
    world.later(SignedDuration::from_mins(36));
    world.gateway.tidy_once().await.unwrap();
    world.gateway.deliver_once().await.unwrap();
    let told = receiver.received();
    let codes = told.iter().map(|one| {
        let data = &one.event["data"];
        (&data["reference"], data["refusal"]["code"].as_str())
    });
    let codes: Vec<_> = codes.collect();
    let reference = codes.first().expect("nothing was told").0;
    let expected = [(reference, Some("declined")), (reference, Some("expired"))];
    assert_eq!(codes, expected);

    // Whoever asks is told of all.
    let party = world.party("plain");
    for (state, code) in [
        ("left", "expired"),
        ("cancelled", "cancelled"),
        ("met", "expired"),
    ] {
        let form = [
            ("client_id", party.client_id.as_str()),
            ("client_secret", &party.secret),
            ("state", state),
        ];
        let asked = client().post(world.url("/outcomes")).form(&form);
        let answer = Answer::read(asked.send().await.unwrap()).await;
        let found = &answer.json["outcomes"];
        assert_eq!(found.as_array().unwrap().len(), 1, "{state}");
        assert_eq!(found[0]["outcome"], "refused", "{state}");
        assert_eq!(found[0]["refusal"]["code"], code, "{state}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_what_anybody_can_begin_does_not_pile_up() {
    let world = World::start_changed(|config| {
        config.limits.client.open_unpushed = NonZeroU32::new(2).unwrap();
    })
    .await;
    world.issue_identity("anna").await;
    let address = address(&world, "9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5");
    let begin = async || {
        let request = client().get(&address).header("cookie", a_cookie());
        let answer = request.send().await.unwrap();
        Answer::read(answer).await
    };
    let browser = Browser::new();
    let page = browser.open(&address).await;
    let other = Waiting::at(&address).await;
    let refused = begin().await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.body.contains("<h1"), "{}", refused.body);
    let wait = refused.headers[RETRY_AFTER].to_str().unwrap();
    let wait: u64 = wait.parse().unwrap();
    assert!((1_780..=1_800).contains(&wait), "{wait}");
    // Whoever has one stays there; to cancel frees nothing, since anybody can.
    assert_eq!(browser.open(&address).await.url, page.url);
    other.browser.submit(&other.page, "cancel").await;
    assert_eq!(begin().await.status, StatusCode::TOO_MANY_REQUESTS);
    // What the relying party pushes or signs is not held up, nor is another relying party's.
    let pushed = world.pushed(&world.party("plain"), |_| ()).await;
    assert_eq!(Browser::new().open(&pushed).await.status, StatusCode::OK);
    let stranger = Form::new(&world.party("stranger"));
    let stranger = world.url(&format!("/authorize?{}", stranger.query()));
    let stranger = client().get(stranger).header("cookie", a_cookie());
    let stranger = stranger.send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::SEE_OTHER);

    // A wallet that presented is no flood.
    world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(begin().await.status, StatusCode::SEE_OTHER);
    assert_eq!(begin().await.status, StatusCode::TOO_MANY_REQUESTS);
    // Nor is what has had its time.
    world.later(SignedDuration::from_mins(31));
    assert_eq!(begin().await.status, StatusCode::SEE_OTHER);
}
