//! What an attacker tries with a code.

use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::world::{Browser, Form, World};

/// A world, and a code of the V2 party that has not been redeemed.
async fn world_with_code(party: &str) -> (World, String) {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let code = world.code(&world.party(party), "anna").await;
    (world, code)
}

/// SEC-01, SEC-06, SEC-08, SEC-05, DW-65, DW-85: every binding of a code is checked, and a refused try does not use it up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_works_for_its_client_its_address_and_its_verifier_only() {
    let (world, code) = world_with_code("v2").await;
    type Case = (fn(&mut Form), u16, &'static str);
    let cases: [Case; 9] = [
        (|f| f.set("client_secret", "wrong"), 401, "invalid_client"),
        (
            |f| f.set("redirect_uri", "http://localhost:8499/other"),
            400,
            "invalid_grant",
        ),
        (|f| f.remove("redirect_uri"), 400, "invalid_grant"),
        (|f| f.remove("code_verifier"), 400, "invalid_grant"),
        (
            |f| f.set("code_verifier", &"A".repeat(43)),
            400,
            "invalid_grant",
        ),
        (|f| f.set("code_verifier", "short"), 400, "invalid_grant"),
        (
            |f| f.set("grant_type", "password"),
            400,
            "unsupported_grant_type",
        ),
        (|f| f.remove("grant_type"), 400, "invalid_request"),
        (|f| f.set("code", "guess"), 400, "invalid_grant"),
    ];
    let party = world.party("v2");
    for (index, (change, status, error)) in cases.into_iter().enumerate() {
        let answer = world
            .token(&party, |form| {
                form.code(&code);
                change(form);
            })
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.error()),
            (status, error),
            "case {index}: {}",
            answer.body
        );
    }
    // Another client with its own good secret.
    let other = world
        .token(&world.party("plain"), |form| form.code(&code))
        .await;
    assert_eq!(
        (other.status, other.error()),
        (StatusCode::BAD_REQUEST, "invalid_grant")
    );
    let good = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(good.status, StatusCode::OK, "{}", good.body);
    assert_eq!(good.headers["cache-control"], "no-store");
}

/// SEC-01, DW-65.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_works_once_and_for_a_minute() {
    let (world, first) = world_with_code("v2").await;
    let party = world.party("v2");
    assert_eq!(
        world.token(&party, |form| form.code(&first)).await.status,
        StatusCode::OK
    );
    let again = world.token(&party, |form| form.code(&first)).await;
    assert_eq!(
        (again.status, again.error()),
        (StatusCode::BAD_REQUEST, "invalid_grant")
    );

    let second = world.code(&world.party("v2"), "anna").await;
    world.later(SignedDuration::from_secs(61));
    let late = world.token(&party, |form| form.code(&second)).await;
    assert_eq!(
        (late.status, late.error()),
        (StatusCode::BAD_REQUEST, "invalid_grant")
    );
}

/// Reloading the page must not strand the employee, and must not leave two live codes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_gives_a_new_code_and_kills_the_old_one() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("v2");
    let browser = Browser::new();
    let page = browser.open(&world.pushed(&party, |_| ()).await).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let (old, new) = (
        browser.open(&page.url).await.code(),
        browser.open(&page.url).await.code(),
    );
    assert_eq!(
        world.token(&party, |form| form.code(&old)).await.error(),
        "invalid_grant"
    );
    assert_eq!(
        world.token(&party, |form| form.code(&new)).await.status,
        StatusCode::OK
    );
    assert_eq!(browser.open(&page.url).await.status, StatusCode::GONE);
}

/// Rulings 3: a wrong verifier is never accepted by anyone, also not from clients that need none.
/// SEC-08.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_verifier_is_refused_in_every_dialect() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    for name in ["v1-a", "v1-b", "v2", "plain"] {
        let code = world.code(&world.party(name), "anna").await;
        let answer = world
            .token(&world.party(name), |form| {
                form.code(&code);
                form.set("code_verifier", &"B".repeat(43));
            })
            .await;
        assert_eq!(
            (answer.status, answer.error()),
            (StatusCode::BAD_REQUEST, "invalid_grant"),
            "{name}"
        );
    }
}

/// SEC-10: each client's tokens are signed with its own algorithm, and name nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialect_clients_get_rs256_and_plain_ones_es256() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    for (name, algorithm, issuer) in [
        ("v1-a", "RS256", "/oidc"),
        ("v1-b", "RS256", "/oidc"),
        ("v2", "RS256", ""),
        ("plain", "ES256", ""),
    ] {
        let code = world.code(&world.party(name), "anna").await;
        let answer = world
            .token(&world.party(name), |form| form.code(&code))
            .await;
        let parsed =
            standards::jose::jws::parse(answer.json["id_token"].as_str().unwrap()).unwrap();
        assert_eq!(parsed.header().alg().as_str(), algorithm, "{name}");
        let claims = answer.id_token();
        assert_eq!(claims["iss"], world.url(issuer));
        assert_eq!(claims["aud"], name);
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            300
        );
    }
}
