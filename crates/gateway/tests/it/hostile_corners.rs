//! Requests that nobody sends by accident: odd methods, odd times, odd bytes, things done twice.

use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::raw_wallet::Waiting;
use crate::world::{Browser, Form, World, client, programme};

/// A time at the end of what a clock can say once overflowed an addition.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_from_the_end_of_time_is_a_draft_like_any_other() {
    let world = World::start().await;
    let party = world.party("v2");
    for exp in [253_402_207_200_i64, i64::MAX, i64::MIN, -1] {
        let hint = world.hint(&party, |claims| {
            drop(claims.insert("exp".into(), exp.into()))
        });
        let answer = world
            .push(&party, |form| form.issue("TrainingProgramme", &hint))
            .await;
        let fits = exp == 253_402_207_200;
        let expected = if fits {
            StatusCode::CREATED
        } else {
            StatusCode::BAD_REQUEST
        };
        assert_eq!(answer.status, expected, "{exp}: {}", answer.body);
    }
}

/// Link scanners and mail filters send HEAD.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_uses_nothing_up() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("v2");
    let address = world.pushed(&party, |_| ()).await;
    assert_eq!(
        client().head(&address).send().await.unwrap().status(),
        StatusCode::OK
    );
    let browser = Browser::new();
    let page = browser.open(&address).await;
    assert_eq!(page.status, StatusCode::OK);
    world.scan("anna", &page.link("open-wallet"), true).await;
    let code = browser.open(&page.url).await.code();
    browser.look(&page.url).await;
    let token = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
}

/// OIDC Core 3.1.2.1: the authorization endpoint takes GET and POST.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_posted_authorization_request_is_sent_on_as_an_address() {
    let world = World::start().await;
    let form = Form::new(&world.party("plain"));
    let query = form.query();
    let request = client()
        .post(world.url("/authorize"))
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(query.clone()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(answer.headers().get("set-cookie").is_none());
    assert_eq!(answer.headers()["location"], format!("/authorize?{query}"));
    let page = Browser::new()
        .open(&world.url(answer.headers()["location"].to_str().unwrap()))
        .await;
    assert_eq!(page.status, StatusCode::OK);
}

/// SEC-01: redemption replay revokes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_comes_twice_takes_its_credential_back() {
    let world = World::start().await;
    let party = world.party("v2");
    let hint = world.hint(&party, |_| ());
    let browser = Browser::new();
    let pushed = world
        .pushed(&party, |form| form.issue("TrainingProgramme", &hint))
        .await;
    let page = browser.open(&pushed).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let code = browser.open(&page.url).await.code();
    assert_eq!(
        world.token(&party, |form| form.code(&code)).await.status,
        StatusCode::OK
    );
    let status = async || {
        serde_json::to_value(world.wallet.credentials("anna").await.unwrap()).unwrap()[0]["status"]
            .clone()
    };
    // Another client's try with a stolen code changes nothing.
    assert_eq!(
        world
            .token(&world.party("plain"), |form| form.code(&code))
            .await
            .error(),
        "invalid_grant"
    );
    assert_eq!(status().await, "valid");
    assert_eq!(
        world.token(&party, |form| form.code(&code)).await.error(),
        "invalid_grant"
    );
    world.later(SignedDuration::from_secs(61));
    assert_eq!(status().await, "revoked");
}

/// SEC-01, SEC-08: an old callback address, put into another session at the relying party, takes nothing back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_with_another_verifier_changes_nothing() {
    let world = World::start().await;
    let party = world.party("v2");
    let waiting = Waiting::to_issue(&world, "v2").await;
    world.scan("anna", &waiting.link(), true).await;
    let code = waiting.again().await.code();
    let first = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    let changes: [fn(&mut Form); 4] = [
        |form| form.set("code_verifier", &"A".repeat(43)),
        |form| form.remove("code_verifier"),
        |form| form.set("redirect_uri", "http://localhost:8499/other"),
        |form| form.remove("redirect_uri"),
    ];
    let mut words = Vec::new();
    for change in changes {
        let refused = world.token(&party, |form| {
            form.code(&code);
            change(form);
        });
        words.push(refused.await.body);
    }
    world.later(SignedDuration::from_secs(61));
    let held = || async { serde_json::to_value(world.wallet.credentials("anna").await.unwrap()) };
    assert_eq!(held().await.unwrap()[0]["status"], "valid");
    // The access token still opens userinfo, too.
    let bearer = first.json["access_token"].as_str().unwrap();
    let asked = client().get(world.url("/userinfo")).bearer_auth(bearer);
    assert_eq!(asked.send().await.unwrap().status(), StatusCode::OK);
    // What fits is a replay, however late, and nobody can tell the one from the other.
    let replayed = world.token(&party, |form| form.code(&code)).await;
    words.push(replayed.body);
    world.later(SignedDuration::from_secs(61));
    assert_eq!(held().await.unwrap()[0]["status"], "revoked");
    assert!(words.iter().all(|said| *said == words[0]), "{words:?}");
    assert!(words[0].contains("invalid_grant"), "{}", words[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nul_byte_is_an_unknown_id_and_no_outage() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    for path in ["/r/a%00b", "/o/a%00b", "/w/a%00b", "/interaction/a%00b"] {
        let status = client().get(world.url(path)).send().await.unwrap().status();
        assert!(status.is_client_error(), "{path}: {status}");
    }
    let answer = world
        .revoke(&world.party("v2"), &serial, |body| {
            drop(body.insert("CredentialTemplateName".into(), "a\0".into()));
        })
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

/// A client that sends no nonce has one address for everybody; a shared computer has one browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_person_at_a_shared_computer_does_not_meet_the_answer_of_the_one_before() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let mut form = Form::new(&world.party("v1-b"));
    form.remove("nonce");
    let address = world.url(&format!("/oidc/authorizev1?{}", form.query()));
    let browser = Browser::new();
    let page = browser.open(&address).await;
    assert_eq!(
        browser.open(&address).await.url,
        page.url,
        "reload before anything happened"
    );
    world
        .wallet
        .misbehave("anna", wallet::Fault::parse("silence"))
        .unwrap();
    world.scan("anna", &page.link("open-wallet"), true).await;
    assert_ne!(browser.open(&address).await.url, page.url);
}

/// SEC-40: what cannot be opened must be wiped all the same; what cannot even be read stays, and must not stop the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_rows_do_not_keep_the_others_from_being_wiped() {
    let world = World::start().await;
    for _ in 0..3 {
        Browser::new()
            .open(&world.pushed(&world.party("plain"), |_| ()).await)
            .await;
    }
    let store = &world.gateway.app().store;
    let damage =
        "UPDATE interactions SET sealed = $1 WHERE id = (SELECT MIN(id) FROM interactions)";
    let unreadable =
        "UPDATE interactions SET stage = 'nonsense' WHERE id = (SELECT MAX(id) FROM interactions)";
    let unreadable = store::Statement::new(unreadable);
    store
        .write([
            store::Statement::new(damage).bind(vec![1_u8, 2, 3]),
            unreadable,
        ])
        .await
        .unwrap();
    world.later(SignedDuration::from_mins(36));
    world.gateway.tidy_once().await.unwrap();
    let left = "SELECT stage FROM interactions WHERE sealed IS NOT NULL";
    let left = store.read(store::Statement::new(left)).await.unwrap();
    let left: Vec<_> = left.iter().map(|row| row.text("stage").unwrap()).collect();
    assert_eq!(left, ["nonsense"]);
}
