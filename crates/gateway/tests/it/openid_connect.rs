//! What an ordinary OpenID Connect library may count on, and what it may ask [OIDC Core 3.1.2; RFC 8414; RFC 9126;
//! RFC 9207].

use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::json;

use crate::world::{Answer, Browser, Form, World, client};

/// SEC-09: what the client sent comes back as it was, on the way back and in the ID token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_09_state_comes_back_verbatim_with_the_issuer_and_the_nonce_is_in_the_id_token() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    for text in [
        "a b+c%20d&e=f#g?h",
        "zażółć 密 \u{202e}x",
        "<script>\"'&amp;",
        &"x".repeat(1_024),
    ] {
        let address = world
            .pushed(&party, |form| {
                form.set("state", text);
                form.set("nonce", text);
            })
            .await;
        let browser = Browser::new();
        let page = browser.open(&address).await;
        world.scan("anna", &page.link("open-wallet"), true).await;
        let back = browser.open(&page.url).await;
        assert_eq!(back.parameter("state").as_deref(), Some(text));
        assert_eq!(
            back.parameter("iss").as_deref(),
            Some(world.base.as_str()),
            "RFC 9207"
        );
        let token = world.token(&party, |form| form.code(&back.code())).await;
        assert_eq!(token.id_token()["nonce"], text);
        assert_eq!(token.id_token()["iss"], world.base.as_str());
    }
}

/// SEC-09: a refusal that goes to the browser has `state` and `iss` as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_09_an_option_that_cannot_be_honoured_is_refused_on_either_channel() {
    let world = World::start().await;
    let party = world.party("plain");
    for (name, value, code) in [
        ("prompt", "none", "interaction_required"),
        ("prompt", "none login", "invalid_request"),
        ("max_age", "soon", "invalid_request"),
        ("request", "e30.e30.e30", "request_not_supported"),
        (
            "request_uri",
            "https://rp.example/object",
            "request_uri_not_supported",
        ),
        ("registration", "{}", "registration_not_supported"),
        (
            "claims",
            r#"{"id_token":{"acr":{"essential":true,"value":"high"}}}"#,
            "unmet_authentication_requirements",
        ),
        ("response_mode", "fragment", "invalid_request"),
        ("response_type", "code token", "unsupported_response_type"),
    ] {
        let pushed = world.push(&party, |form| form.set(name, value)).await;
        assert_eq!(
            (pushed.status, pushed.error()),
            (StatusCode::BAD_REQUEST, code),
            "{name}={value}"
        );
        assert!(
            pushed.description().contains(name),
            "{name}: {}",
            pushed.description()
        );

        let mut form = Form::new(&party);
        form.set(name, &value.replace('"', "%22"));
        let back = Browser::new()
            .open(&world.url(&format!("/authorize?{}", form.query())))
            .await;
        assert_eq!(
            back.parameter("error").as_deref(),
            Some(code),
            "{name}={value}"
        );
        assert_eq!(
            back.parameter("state").as_deref(),
            Some("9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5")
        );
        assert_eq!(back.parameter("iss").as_deref(), Some(world.base.as_str()));
        assert_eq!(back.parameter("code"), None);
    }
}

/// SEC-09: whoever comes back acted after the request came, and the ID token says when.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_09_a_fresh_authentication_is_what_every_client_gets() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let browser = Browser::new();
    let mut earlier = 0;
    // The same browser again, as if it were signed in: it is asked again.
    for minutes in [0, 20] {
        world.later(SignedDuration::from_mins(minutes));
        let asked = world.now().as_second();
        let address = world
            .pushed(&party, |form| {
                form.set("prompt", "login consent");
                form.set("max_age", "0");
                form.set("login_hint", "anna.taylor@trust.example");
                form.set("acr_values", "urn:example:high");
                form.set("display", "page");
                form.set("claims", r#"{"id_token":{"auth_time":{"essential":true}}}"#);
            })
            .await;
        let page = browser.open(&address).await;
        assert!(
            !page.html.contains("anna.taylor"),
            "a hint about a person is not shown"
        );
        world.scan("anna", &page.link("open-wallet"), true).await;
        let code = browser.open(&page.url).await.code();
        // The client takes its time, which is none of the person's.
        let shared = world.now().as_second();
        world.later(SignedDuration::from_secs(minutes * 60 + 10));
        let token = world.token(&party, |form| form.code(&code)).await;
        let acted = token.id_token()["auth_time"].as_i64().unwrap();
        assert!(
            (asked..=shared).contains(&acted) && acted > earlier,
            "{acted} {asked} {shared} {earlier}"
        );
        assert!(
            token.id_token().get("acr").is_none(),
            "no class is claimed that is not given"
        );
        earlier = acted;
    }
}

/// [RFC 9126 4, 5] What travels beside `request_uri` is not read: the pushed request counts alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_cannot_change_what_was_pushed() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let address = world.pushed(&party, |_| ()).await;
    let browser = Browser::new();
    let page = browser
        .open(&format!(
            "{address}&state=evil&scope=openid+FireSafety&redirect_uri=https://evil.example/&prompt=none"
        ))
        .await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let back = browser.open(&page.url).await;
    assert_eq!(
        back.parameter("state").as_deref(),
        Some("9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5")
    );
    let token = world.token(&party, |form| form.code(&back.code())).await;
    assert_eq!(token.json["scope"], "openid Identity");
}

/// [RFC 9126 2.1] The endpoint takes POST only, and what it answers is kept by nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_pushed_by_post_and_its_answer_is_not_cached() {
    let world = World::start().await;
    for path in ["/par", "/oidc/par", "/v2.0/oidc/par", "/v2/oidc/PAR"] {
        let answer = client().get(world.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.headers()["allow"], "POST");
    }
    let pushed = world.push(&world.party("plain"), |_| ()).await;
    assert_eq!(pushed.status, StatusCode::CREATED);
    assert_eq!(pushed.headers["cache-control"], "no-store");
    assert_eq!(pushed.json["expires_in"], 600);
}

/// [RFC 9126 6] A client registered to push is refused anything else, and told so at its redirect URI.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_must_push_cannot_be_made_to_do_without() {
    let world = World::start_changed(|config| {
        for party in &mut config.organisations[0].relying_parties {
            party.require_pushed_authorization_requests = true;
        }
    })
    .await;
    for name in ["v1-a", "v2", "plain"] {
        let party = world.party(name);
        let form = Form::new(&party);
        let back = Browser::new()
            .open(&world.url(&format!("{}?{}", party.authorize(), form.query())))
            .await;
        assert_eq!(
            back.parameter("error").as_deref(),
            Some("invalid_request"),
            "{name}"
        );
        assert!(
            back.parameter("error_description")
                .unwrap()
                .contains("push")
        );
        let address = world.pushed(&party, |_| ()).await;
        assert_eq!(Browser::new().open(&address).await.status, StatusCode::OK);
    }
}

/// [RFC 8414 3] The same facts for a client that knows OAuth only, at the address that its issuer gives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oauth_metadata_says_what_discovery_says() {
    let world = World::start().await;
    let document = async |path: &str| {
        let answer = Answer::read(client().get(world.url(path)).send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.headers["content-type"], "application/json");
        answer.json
    };
    let modern = document("/.well-known/openid-configuration").await;
    assert_eq!(
        document("/.well-known/oauth-authorization-server").await,
        modern
    );
    assert_eq!(modern["issuer"], world.base.as_str());
    assert_eq!(modern["userinfo_endpoint"], world.url("/userinfo"));
    assert_eq!(
        modern["token_endpoint_auth_methods_supported"],
        json!([
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt"
        ])
    );
    let algorithms = modern["token_endpoint_auth_signing_alg_values_supported"].as_array();
    assert!(algorithms.unwrap().contains(&json!("EdDSA")));
    assert!(!algorithms.unwrap().contains(&json!("HS256")));
    assert_eq!(modern["request_uri_parameter_supported"], false);
    assert_eq!(
        modern["authorization_response_iss_parameter_supported"],
        true
    );
    assert_eq!(modern["code_challenge_methods_supported"], json!(["S256"]));
    let v1 = document("/.well-known/oauth-authorization-server/oidc").await;
    assert_eq!(v1["issuer"], world.url("/oidc"));
    assert_eq!(v1, document("/oidc/.well-known/openid-configuration").await);
}
