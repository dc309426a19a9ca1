//! What an attacker, or a wallet that is broken, sends to the request and response addresses of the verifier.
//! Whoever has only seen the screen cannot end anything.

use gateway::keys::KeyPurpose;
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::json;
use standards::jose::Algorithm;
use standards::oauth::form;
use standards::openid4vp::{AuthorizationResponse, ErrorAnswer, WalletErrorCode};

use crate::raw_wallet::{Requested, Waiting, post_to, read, refusal, request, request_address};
use crate::scenes::{Stage, TYPE};
use crate::world::{Browser, World, client};

/// SEC-29, VP-08.
#[tokio::test]
async fn whoever_has_only_seen_the_screen_cannot_end_the_interaction() {
    let stage = Stage::set().await;
    let (waiting, requested) = stage.asked().await;
    let (_, other) = stage.asked().await;
    let presented = |requested: &Requested| {
        let (wallet, w3c, now) = (&stage.wallet, &stage.w3c, stage.world.now());
        let requested = Requested {
            claims: requested.claims.clone(),
            text: String::new(),
        };
        async move { wallet.present_w3c(w3c, &requested, now).await }
    };
    let wrong_state = AuthorizationResponse::Presented {
        vp_token: presented(&requested).await,
        state: Some("x".into()),
    };
    let no_state = AuthorizationResponse::Presented {
        vp_token: presented(&requested).await,
        state: None,
    };
    let error = |state: Option<&str>| {
        AuthorizationResponse::Refused(ErrorAnswer {
            error: WalletErrorCode::AccessDenied,
            error_description: None,
            state: state.map(str::to_owned),
        })
    };
    let plain = AuthorizationResponse::Presented {
        vp_token: presented(&requested).await,
        state: Some(requested.text_of("state")),
    };
    for (name, form, code) in [
        ("nothing", String::new(), "response-malformed"),
        ("no form", "%".into(), "response-malformed"),
        (
            "two answers",
            "error=access_denied&response=x".into(),
            "response-malformed",
        ),
        (
            "a token that is none",
            "vp_token=x".into(),
            "response-malformed",
        ),
        (
            "garbage",
            "response=x".into(),
            "encrypted-message-malformed",
        ),
        (
            "another request's key",
            other.answer(presented(&requested).await),
            "encrypted-message-undecryptable",
        ),
        (
            "another state",
            requested.encrypted(&wrong_state),
            "state-mismatch",
        ),
        ("no state", requested.encrypted(&no_state), "state-mismatch"),
        ("no encryption", plain.to_form(), "response-not-encrypted"),
        (
            "a refusal that anyone could send",
            error(None).to_form(),
            "state-mismatch",
        ),
        (
            "a refusal with a guess",
            error(Some("x")).to_form(),
            "state-mismatch",
        ),
        (
            "an encrypted refusal with a guess",
            requested.encrypted(&error(Some("x"))),
            "state-mismatch",
        ),
    ] {
        let answer = requested.post(form).await;
        assert_eq!(
            refusal(&answer),
            (400, "invalid_request", code),
            "{name}: {}",
            answer.body
        );
    }
    assert_eq!(
        waiting.browser.status(&waiting.page).await.json["state"],
        "scanned"
    );
    let answer = requested.post(stage.good(&requested).await).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    waiting.again().await.code();
}

/// SEC-30, VP-06.
#[tokio::test]
async fn the_first_wallet_that_retrieves_the_request_has_it() {
    let world = World::start().await;
    let waiting = Waiting::to_verify(&world, TYPE).await;
    let address = request_address(&waiting.link()).await;
    // A link preview asks for the headers only.
    assert_eq!(
        client().head(&address).send().await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(
        waiting.browser.status(&waiting.page).await.json["state"],
        "waiting"
    );

    let first = request(&waiting.link()).await;
    world.later(SignedDuration::from_secs(50));
    assert_eq!(request(&waiting.link()).await.text, first.text);
    let other_nonce = post_to(&address, form::encode([("wallet_nonce", "another")])).await;
    assert_eq!(refusal(&other_nonce), (410, "invalid_request", "link-used"));
    let here = request_address(&waiting.page.link("open-wallet-here")).await;
    assert_eq!(
        refusal(&read(client().get(here)).await),
        (410, "invalid_request", "link-used")
    );
    world.later(SignedDuration::from_secs(60));
    assert_eq!(
        refusal(&read(client().get(&address)).await),
        (410, "invalid_request", "link-used")
    );

    let issuing = Waiting::to_issue(&world, "v2").await;
    let wrong_door = crate::raw_wallet::offer_address(&issuing.link())
        .await
        .replace("/o/", "/r/");
    for address in [wrong_door.clone(), world.url("/r/x")] {
        assert_eq!(
            refusal(&read(client().get(address)).await),
            (404, "invalid_request", "link-unknown")
        );
    }
    let answer = post_to(
        &format!("{wrong_door}/response"),
        "error=access_denied".into(),
    )
    .await;
    assert_eq!(refusal(&answer), (404, "invalid_request", "link-unknown"));
}

/// SEC-30, VP-01, VP-02, VP-06, VP-07, VP-08.
#[tokio::test]
async fn a_request_object_is_what_the_standard_says_and_fresh_each_time() {
    let world = World::start().await;
    let waiting = Waiting::to_verify(&world, TYPE).await;
    let address = request_address(&waiting.link()).await;
    let early = post_to(&format!("{address}/response"), "error=access_denied".into()).await;
    assert_eq!(refusal(&early), (400, "invalid_request", "link-not-open"));
    let answer = post_to(
        &address,
        form::encode([
            ("wallet_nonce", "from-the-wallet"),
            ("wallet_metadata", "{}"),
        ]),
    )
    .await;
    let posted = Requested::parse(&answer);
    let now = world.now().as_second();
    assert_eq!(posted.claims["wallet_nonce"], "from-the-wallet");
    assert_eq!(posted.claims["aud"], "https://self-issued.me/v2");
    assert_eq!(
        (
            posted.claims["response_type"].as_str(),
            posted.claims["response_mode"].as_str()
        ),
        (Some("vp_token"), Some("direct_post.jwt"))
    );
    assert!((posted.claims["exp"].as_i64().unwrap() - now - 300).abs() <= 2);
    assert_eq!(
        posted.text_of("response_uri"),
        format!("{address}/response")
    );
    let organisation = world
        .gateway
        .app()
        .organisations
        .find("anytown")
        .unwrap()
        .clone();
    assert_eq!(
        posted.text_of("client_id"),
        format!("decentralized_identifier:{}", organisation.did)
    );
    let key = world.key(KeyPurpose::Requests);
    let parsed = standards::jose::jws::parse(&posted.text).unwrap();
    assert_eq!(
        parsed.header().kid(),
        Some(organisation.key_id(&key).as_str())
    );
    let verified = parsed.verify(
        key.public_jwk(),
        &[Algorithm::ES256],
        standards::jose::Typ::Is("oauth-authz-req+jwt"),
    );
    assert!(verified.is_ok());

    let second = request(&Waiting::to_verify(&world, TYPE).await.link()).await;
    for fresh in ["nonce", "state", "client_metadata"] {
        assert_ne!(posted.claims[fresh], second.claims[fresh], "{fresh}");
    }
    assert!(posted.text_of("nonce").len() >= 22 && posted.text_of("state").len() >= 22);
    for form in ["wallet_metadata=x", "wallet_nonce=a&wallet_nonce=b"] {
        let other = Waiting::to_verify(&world, TYPE).await;
        let answer = post_to(&request_address(&other.link()).await, form.into()).await;
        assert_eq!(refusal(&answer), (400, "invalid_request", "form-invalid"));
    }
}

/// VP-06.
#[tokio::test]
async fn an_answer_after_five_minutes_is_too_late_and_the_employee_can_start_again() {
    let stage = Stage::set().await;
    let (waiting, requested) = stage.asked().await;
    let form = stage.good(&requested).await;
    stage.world.later(SignedDuration::from_secs(301));
    assert_eq!(
        refusal(&requested.post("response=x".into()).await).2,
        "encrypted-message-malformed"
    );
    assert_eq!(
        refusal(&requested.post(form.clone()).await),
        (400, "invalid_request", "request-expired")
    );
    assert_eq!(
        refusal(&requested.post(form).await),
        (400, "invalid_request", "already-used")
    );
    let page = waiting.again().await;
    let again = waiting.browser.submit(&page, "restart").await;
    assert_ne!(again.link("open-wallet"), waiting.link());
    assert_eq!(
        refusal(&read(client().get(request_address_of(&requested))).await),
        (404, "invalid_request", "link-unknown")
    );
}

fn request_address_of(requested: &Requested) -> String {
    requested.text_of("response_uri").replace("/response", "")
}

/// VP-14.
#[tokio::test]
async fn a_wallet_that_says_no_is_heard_and_ends_the_request() {
    let world = World::start().await;
    for (error, said) in [
        (WalletErrorCode::AccessDenied, "user+cancelled"),
        (
            WalletErrorCode::InvalidRequest,
            "the+wallet+reported+a+problem",
        ),
    ] {
        let waiting = Waiting::to_verify(&world, TYPE).await;
        let requested = request(&waiting.link()).await;
        let no = AuthorizationResponse::Refused(ErrorAnswer {
            error,
            error_description: None,
            state: Some(requested.text_of("state")),
        });
        let answer = requested.post(no.to_form()).await;
        assert_eq!(
            (answer.status, &answer.json),
            (StatusCode::OK, &json!({})),
            "{}",
            answer.body
        );
        let back = waiting.again().await.link("go-back");
        assert!(
            back.contains("error=access_denied") && back.contains(said),
            "{back}"
        );
    }
}

/// SEC-18.
#[tokio::test]
async fn many_answers_at_once_are_one_answer() {
    let stage = Stage::set().await;
    let (waiting, requested) = stage.asked().await;
    let (form, address) = (
        stage.good(&requested).await,
        requested.text_of("response_uri"),
    );
    let posts: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn({
                let (address, form) = (address.clone(), form.clone());
                async move { post_to(&address, form).await }
            })
        })
        .collect();
    let mut accepted = 0;
    for post in posts {
        let answer = post.await.unwrap();
        match answer.status {
            StatusCode::OK => accepted += 1,
            _ => assert_eq!(refusal(&answer), (400, "invalid_request", "already-used")),
        }
    }
    assert_eq!(accepted, 1);
    waiting.again().await.code();
}

/// SEC-28, VP-07, VP-09, HA-06.
#[tokio::test]
async fn a_result_on_the_same_device_goes_only_to_the_browser_that_began() {
    let stage = Stage::set().await;
    let waiting = Waiting::to_verify(&stage.world, TYPE).await;
    let requested = request(&waiting.page.link("open-wallet-here")).await;
    let answer = requested.post(stage.good(&requested).await).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let redirect_uri = answer.json["redirect_uri"].as_str().unwrap();
    let (address, code) = redirect_uri.split_once("?response_code=").unwrap();
    assert_eq!(
        (address, code.len()),
        (stage.world.url("/return").as_str(), 43)
    );

    // Until its own response code is there, the waiting browser has nothing; another browser never has.
    assert!(!waiting.again().await.url.contains("code="));
    let other = Browser::new().open(redirect_uri).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    let guessed = waiting
        .browser
        .open(&format!("{address}?response_code={}", "A".repeat(43)))
        .await;
    assert_eq!(guessed.status, StatusCode::FORBIDDEN);
    waiting.browser.open(redirect_uri).await.code();
}

/// What the clock has ended is not brought back by whoever comes with the response code afterwards.
#[tokio::test]
async fn a_result_on_the_same_device_comes_back_in_time_or_not_at_all() {
    let stage = Stage::set().await;
    let waiting = Waiting::to_verify(&stage.world, TYPE).await;
    stage.world.later(SignedDuration::from_secs(30 * 60 - 10));
    let requested = request(&waiting.page.link("open-wallet-here")).await;
    let answer = requested.post(stage.good(&requested).await).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let redirect_uri = answer.json["redirect_uri"].as_str().unwrap();
    stage.world.later(SignedDuration::from_mins(32));
    let page = waiting.browser.open(redirect_uri).await;
    assert!(!page.url.contains("code="), "{}", page.url);
    assert!(page.html.contains("took too long"), "{}", page.html);
}

/// VP-07, VP-09: a holder's no on the browser's own device has its way back, too, for that browser alone.
#[tokio::test]
async fn a_refusal_on_the_same_device_leads_the_browser_that_began_on() {
    let stage = Stage::set().await;
    let waiting = Waiting::to_verify(&stage.world, TYPE).await;
    let requested = request(&waiting.page.link("open-wallet-here")).await;
    let refused = AuthorizationResponse::Refused(ErrorAnswer {
        error: WalletErrorCode::AccessDenied,
        error_description: None,
        state: Some(requested.text_of("state")),
    });
    let answer = requested.post(requested.encrypted(&refused)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let redirect_uri = answer.json["redirect_uri"].as_str().unwrap();
    assert_eq!(
        Browser::new().open(redirect_uri).await.status,
        StatusCode::FORBIDDEN
    );
    let page = waiting.browser.open(redirect_uri).await;
    let back = page.link("go-back");
    assert!(back.contains("error=access_denied"), "{back}");
}
