//! For whom a client assertion may be.

use reqwest::StatusCode;
use serde_json::{Value, json};
use standards::jose::Algorithm;
use standards::jose::jws::{self, ProtectedHeader};

use crate::hostile_client::{is_refused, is_taken};
use crate::keyed::{Keyed, sign_in};

/// RFC 9126 (2) has a server accept each of these; libraries differ in which they name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_for_the_issuer_the_token_endpoint_or_the_par_endpoint_is_taken() {
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let world = keyed.world().await;
    let ours = ["", "/token", "/par"].map(|path| world.url(path));
    for audience in ours.iter().flat_map(|one| [json!(one), json!([one])]) {
        let assertion = || {
            keyed.assertion(&world, |claims| {
                claims.insert("aud".into(), audience.clone());
            })
        };
        is_taken(
            &keyed.push(&world, &assertion()).await,
            &audience.to_string(),
        );
        let token = keyed
            .token(&world, |form| {
                sign_in(form, &assertion());
                form.set("grant_type", "client_credentials");
                form.set("scope", "revocation");
            })
            .await;
        assert_eq!(token.status, StatusCode::OK, "{audience}: {}", token.body);
    }
}

/// SEC-11, SEC-14: the newer type of an assertion promises that it names the issuer, and is held to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_11_an_assertion_of_the_newer_type_names_the_issuer_alone() {
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let world = keyed.world().await;
    for typ in [
        "client-authentication+jwt",
        "Client-Authentication+JWT",
        "application/client-authentication+jwt",
    ] {
        let push = async |audience: Value| {
            let claims = keyed.claims(&world, |claims| {
                claims.insert("aud".into(), audience);
            });
            let header = ProtectedHeader::typ(typ);
            let assertion = jws::sign_now(&keyed.key, header, &claims).unwrap();
            keyed.push(&world, &assertion).await
        };
        is_taken(&push(json!(world.url(""))).await, typ);
        for audience in [
            json!([world.url("")]),
            json!(world.url("/token")),
            json!(world.url("/par")),
        ] {
            is_refused(&push(audience.clone()).await, &format!("{typ}, {audience}"));
        }
    }
}
