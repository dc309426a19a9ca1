//! A request that takes longer than anybody waits: its answer is one like any other, and tells nobody to do twice what may
//! have been done.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use gateway::{Gateway, Surroundings};
use rusqlite::Connection;
use store::Statement;
use tower::ServiceExt as _;

use crate::world::{Form, REDIRECT_URI, World, a_cookie, verifier};

/// Another process of the world's gateway, in which nobody waits long.
async fn impatient(world: &World) -> Gateway {
    let surroundings = Surroundings {
        clock: world.clock.clone(),
        sandbox: true,
        longest_request: Duration::from_millis(300),
        ..Surroundings::production()
    };
    Gateway::compose(&world.config, surroundings).await.unwrap()
}

/// Keeps every writer of the world's database waiting until it is dropped.
fn held_up(world: &World) -> Connection {
    let file = world.config.database.strip_prefix("sqlite:").unwrap();
    let connection = Connection::open(Path::new(file)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

async fn asked(
    gateway: &Gateway,
    path: &str,
    body: impl Into<Option<String>>,
) -> (StatusCode, String, String) {
    let request = match body.into() {
        Some(form) => Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form)),
        None => Request::get(path)
            .header(header::COOKIE, a_cookie())
            .body(Body::empty()),
    };
    let answer = gateway.router().oneshot(request.unwrap()).await.unwrap();
    let status = answer.status();
    let headers = answer.headers();
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    let kind = headers[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20)
        .await
        .unwrap();
    (status, kind, String::from_utf8(body.to_vec()).unwrap())
}

fn written<N: AsRef<str>, V: AsRef<str>>(form: &[(N, V)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(form).finish()
}

/// The stage of the one verification.
async fn stage(world: &World) -> String {
    let select = Statement::new("SELECT stage FROM interactions WHERE purpose = 'verify'");
    let row = world.gateway.app().store.read_one(select).await;
    row.unwrap().unwrap().text("stage").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_waited_too_long_for_a_token_is_not_told_to_send_the_code_again() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("v2");
    let code = world.code(&party, "anna").await;

    let gateway = impatient(&world).await;
    let lock = held_up(&world);
    let form = written(&[
        ("grant_type", "authorization_code"),
        ("client_id", &party.client_id),
        ("client_secret", &party.secret),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", &verifier()),
        ("code", &code),
    ]);
    let (status, kind, said) = asked(&gateway, "/v2.0/oidc/token", form).await;
    assert_eq!(
        (status, kind.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "application/json")
    );
    assert!(said.contains("do not send it again"), "{said}");
    // It was not done yet, and will be.
    assert_eq!(stage(&world).await, "finished");
    drop(lock);
    let collected = async {
        while stage(&world).await != "collected" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), collected)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_waited_too_long_for_anything_else_is_told_so_in_their_own_way() {
    let world = World::start().await;
    let party = world.party("v2");
    let address = world.pushed(&party, |_| ()).await;
    let gateway = impatient(&world).await;
    let _lock = held_up(&world);

    let form = written(&Form::new(&party).0);
    let (status, kind, said) = asked(&gateway, "/v2.0/oidc/par", form).await;
    assert_eq!(
        (status, kind.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "application/json")
    );
    assert!(
        said.contains("temporarily_unavailable") && said.contains("see what became of it"),
        "{said}"
    );

    let path = address.strip_prefix(&world.base).unwrap();
    let (status, kind, page) = asked(&gateway, path, None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(kind.starts_with("text/html"), "{kind}");
    assert!(page.contains("<h1"), "{page}");
}
