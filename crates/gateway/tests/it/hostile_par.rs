//! What an attacker, or a careless client, tries at the pushed authorization request endpoint.

use reqwest::StatusCode;
use serde_json::json;
use standards::jose::hmac_key::HmacKey;

use crate::world::{Answer, Browser, Form, World, client, programme, sign};

/// Pushes a changed request of the V2 party and gives status, error code and sentence.
async fn refused(world: &World, change: impl FnOnce(&mut Form)) -> (u16, String, String) {
    let answer = world.push(&world.party("v2"), change).await;
    (
        answer.status.as_u16(),
        answer.error().to_owned(),
        answer.description().to_owned(),
    )
}

/// SEC-05.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_not_known_for_sure_learns_nothing() {
    let world = World::start().await;
    let cases: [fn(&mut Form); 5] = [
        |form| form.set("client_secret", "wrong"),
        |form| form.set("client_id", "nobody"),
        |form| form.remove("client_secret"),
        |form| form.remove("client_id"),
        // Everything else is wrong, too: the client comes first (SEC-06).
        |form| {
            form.set("client_secret", "wrong");
            form.set("redirect_uri", "https://evil.example");
        },
    ];
    for case in cases {
        let (status, error, sentence) = refused(&world, case).await;
        assert_eq!((status, error.as_str()), (401, "invalid_client"));
        assert_eq!(
            sentence,
            "client authentication failed: check client_id and client_secret"
        );
    }
}

/// DW-85.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_authentication_by_header_is_one_way_and_not_two() {
    let world = World::start().await;
    let party = world.party("plain");
    let mut form = Form::new(&party);
    let post = async |form: &Form, secret: &str| {
        let request = client()
            .post(world.url("/par"))
            .basic_auth("plain", Some(secret))
            .form(&form.0);
        Answer::read(request.send().await.unwrap()).await
    };
    let twice = post(&form, &party.secret).await;
    assert_eq!(
        (twice.status, twice.error()),
        (StatusCode::BAD_REQUEST, "invalid_request")
    );
    form.remove("client_secret");
    assert_eq!(post(&form, &party.secret).await.status, StatusCode::CREATED);
    let wrong = post(&form, "wrong").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.headers.contains_key("www-authenticate"));
    form.set("client_id", "v2");
    assert_eq!(
        post(&form, &party.secret).await.status,
        StatusCode::UNAUTHORIZED
    );
}

/// SEC-02, DW-84.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_uri_that_differs_by_a_byte_is_not_registered() {
    let world = World::start().await;
    for other in [
        "http://localhost:8499/callback/",
        "http://localhost:8499/callback?x=1",
        "http://localhost:8499/Callback",
        "http://localhost:8498/callback",
        "https://localhost:8499/callback",
        "http://localhost:8499/callback#x",
        "http://localhost:8499/x/..;/callback",
        "http://evil@localhost:8499/callback",
        "http://localhost:8499\\callback",
        "http://localhost:8499/call%62ack",
        "http://localhost.evil.example:8499/callback",
        "//localhost:8499/callback",
        "",
    ] {
        let (status, error, _) = refused(&world, |form| form.set("redirect_uri", other)).await;
        assert_eq!(
            (status, error.as_str()),
            (400, "invalid_request"),
            "{other}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_rule_of_the_request_has_its_code_and_names_the_parameter() {
    let world = World::start().await;
    type Case = (fn(&mut Form), &'static str, &'static str);
    let cases: [Case; 20] = [
        (
            |f| f.remove("response_type"),
            "invalid_request",
            "response_type",
        ),
        (
            |f| f.set("response_type", "token"),
            "unsupported_response_type",
            "response_type",
        ),
        // Acceptance 5.
        (
            |f| f.remove("response_mode"),
            "invalid_request",
            "response_mode",
        ),
        (
            |f| f.set("response_mode", "fragment"),
            "invalid_request",
            "response_mode",
        ),
        (|f| f.remove("scope"), "invalid_request", "scope"),
        (|f| f.set("scope", "Identity"), "invalid_scope", "openid"),
        (|f| f.set("scope", "openid"), "invalid_scope", "scope"),
        (
            |f| f.set("scope", "openid Nonsense"),
            "invalid_scope",
            "scope",
        ),
        (
            |f| f.set("scope", "openid Identity issue.TrainingProgramme"),
            "invalid_scope",
            "must not mix",
        ),
        (
            |f| f.set("scope", "openid issue.Identity issue.FireSafety"),
            "invalid_scope",
            "one issue.<type> only",
        ),
        (
            |f| f.set("scope", "openid A B C D E F G H I"),
            "invalid_scope",
            "at most 8",
        ),
        (
            |f| f.set("scope", "openid Identity Identity"),
            "invalid_scope",
            "nothing twice",
        ),
        (
            |f| f.set("scope", "openid identity"),
            "invalid_scope",
            "no credential type",
        ),
        (
            |f| f.set("scope", "openid external"),
            "invalid_scope",
            "external",
        ),
        (|f| f.remove("nonce"), "invalid_request", "nonce"),
        (
            |f| f.set("request", "e30.e30.e30"),
            "request_not_supported",
            "request",
        ),
        (
            |f| f.set("request_uri", "https://evil.example/object"),
            "request_uri_not_supported",
            "request_uri",
        ),
        (
            |f| f.set("prompt", "none"),
            "interaction_required",
            "prompt",
        ),
        (
            |f| f.set("state", &"x".repeat(2000)),
            "invalid_request",
            "state",
        ),
        (
            |f| f.set("id_token_hint", "e30.e30.e30"),
            "invalid_request",
            "id_token_hint",
        ),
    ];
    for (index, (change, code, named)) in cases.into_iter().enumerate() {
        let (status, error, sentence) = refused(&world, change).await;
        assert_eq!(
            (status, error.as_str()),
            (400, code),
            "case {index}: {sentence}"
        );
        assert!(sentence.contains(named), "case {index}: {sentence}");
    }
}

/// SEC-08.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pkce_cannot_be_left_out_or_weakened() {
    let world = World::start().await;
    let cases: [fn(&mut Form); 4] = [
        |form| {
            form.remove("code_challenge");
            form.remove("code_challenge_method");
        },
        |form| form.set("code_challenge_method", "plain"),
        |form| form.remove("code_challenge_method"),
        |form| form.set("code_challenge", "short"),
    ];
    for case in cases {
        let (status, error, sentence) = refused(&world, case).await;
        assert_eq!(
            (status, error.as_str()),
            (400, "invalid_request"),
            "{sentence}"
        );
        assert!(sentence.contains("code_challenge"), "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_that_stands_twice_is_refused() {
    let world = World::start().await;
    let (status, error, _) = refused(&world, |form| {
        form.0
            .push(("scope".into(), "openid TrainingProgramme".into()))
    })
    .await;
    assert_eq!((status, error.as_str()), (400, "invalid_request"));
}

/// Acceptance 5, DW-87: bad HMAC, alg none, wrong audience, another client's key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_counts_only_under_the_clients_own_key_and_for_this_gateway() {
    let world = World::start().await;
    let party = world.party("v2");
    let good = world.hint(&party, |_| ());
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
    let stranger = world.party("stranger");
    let now = world.now().as_second();
    let mut claims = programme();
    claims.extend(
        json!({ "iss": "v2", "aud": world.base, "iat": now, "exp": now + 300 })
            .as_object()
            .unwrap()
            .clone(),
    );
    let cases = [
        (unsigned, "signed"),
        (sign(&HmacKey::generate().unwrap(), &claims), "signed"),
        (sign(&stranger.signing_key, &claims), "signed"),
        (good.replace('.', ".."), "signed"),
        (
            world.hint(&party, |c| drop(c.insert("iss".into(), "stranger".into()))),
            "iss",
        ),
        (
            world.hint(&party, |c| {
                drop(c.insert("aud".into(), "https://other.example".into()))
            }),
            "aud",
        ),
        (
            world.hint(&party, |c| {
                drop(c.insert("aud".into(), json!([world.base, "https://other.example"])))
            }),
            "aud",
        ),
        (
            world.hint(&party, |c| drop(c.insert("exp".into(), (now - 120).into()))),
            "exp",
        ),
        (world.hint(&party, |c| drop(c.remove("exp"))), "exp"),
        (
            world.hint(&party, |c| drop(c.insert("nbf".into(), (now + 600).into()))),
            "nbf",
        ),
        (
            world.hint(&party, |c| {
                drop(c.insert("SerialNumber".into(), "1".into()))
            }),
            "SerialNumber",
        ),
        (
            world.hint(&party, |c| {
                let nobodys = "00000000-0000-0000-0000-000000000000";
                drop(c.insert("SerialNumber".into(), nobodys.into()))
            }),
            "SerialNumber",
        ),
        (
            world.hint(&party, |c| {
                let other_form = "3e1f1ad54b434a2f8d0e6a2f0c3b7c55";
                drop(c.insert("SerialNumber".into(), other_form.into()))
            }),
            "SerialNumber",
        ),
        (
            world.hint(&party, |c| {
                drop(c.insert("ExpiresAt".into(), "2001-01-01T00:00:00Z".into()))
            }),
            "ExpiresAt",
        ),
    ];
    for (hint, named) in cases {
        let (status, error, sentence) =
            refused(&world, |form| form.issue("TrainingProgramme", &hint)).await;
        assert_eq!(
            (status, error.as_str()),
            (400, "invalid_request"),
            "{sentence}"
        );
        assert!(sentence.contains(named), "{named}: {sentence}");
    }
}

/// DW-68, DW-70: each field of each type, broken in turn, is named; nothing of its value is repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_off_its_schema_is_refused_with_the_field_named() {
    let world = World::start().await;
    let party = world.party("v2");
    let fields: Vec<String> = programme().keys().cloned().collect();
    for field in &fields {
        for broken in [json!(null), json!(5), json!("bad\u{202e}value")] {
            let hint = world.hint(&party, |claims| {
                drop(claims.insert(field.clone(), broken.clone()))
            });
            let (status, error, sentence) =
                refused(&world, |form| form.issue("TrainingProgramme", &hint)).await;
            assert_eq!(
                (status, error.as_str()),
                (400, "invalid_request"),
                "{field}"
            );
            assert!(
                sentence.contains(field.as_str()) && !sentence.contains("bad"),
                "{field}: {sentence}"
            );
        }
    }
    let hint = world.hint(&party, |claims| {
        drop(claims.insert("TPR-Salary".into(), "1".into()))
    });
    let (_, _, sentence) = refused(&world, |form| form.issue("TrainingProgramme", &hint)).await;
    assert!(sentence.contains("TPR-Salary"), "{sentence}");
    let hint = world.hint(&party, |claims| {
        drop(claims.insert("TPR-ProgrammeEndDate".into(), "2020-01-01".into()))
    });
    let (_, _, sentence) = refused(&world, |form| form.issue("TrainingProgramme", &hint)).await;
    assert!(sentence.contains("TPR-ProgrammeEndDate"), "{sentence}");
}

/// SEC-33: what an organisation may issue stands in its registration, whatever its clients sign.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_33_an_organisation_issues_no_type_that_is_not_its_own() {
    let world = World::start_changed(|config| {
        let issues = &mut config.organisations[0].issues;
        issues.retain(|one| one != "TrainingProgramme");
    })
    .await;
    let party = world.party("v2");
    let hint = world.hint(&party, |_| ());
    let pushed = refused(&world, |form| form.issue("TrainingProgramme", &hint)).await;
    let sentence = "your organisation does not issue this credential type";
    assert_eq!(pushed, (400, "invalid_scope".into(), sentence.into()));

    let mut form = Form::new(&party);
    form.issue("TrainingProgramme", &hint);
    let address = world.url(&format!("{}?{}", party.authorize(), form.query()));
    let back = Browser::new().open(&address).await;
    assert_eq!(back.parameter("error").as_deref(), Some("invalid_scope"));
    assert_eq!(
        back.parameter("error_description").as_deref(),
        Some(sentence)
    );
    // It may still ask for it.
    let asked = world.push(&party, |form| form.set("scope", "openid TrainingProgramme"));
    assert_eq!(asked.await.status, StatusCode::CREATED);
}

/// DW-61.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_number_stands_for_one_credential_ever() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    for party in ["v2", "stranger"] {
        let party = world.party(party);
        let hint = world.hint(&party, |claims| {
            drop(claims.insert("SerialNumber".into(), serial.clone().into()))
        });
        let answer = world
            .push(&party, |form| form.issue("TrainingProgramme", &hint))
            .await;
        assert_eq!(
            (answer.status, answer.error()),
            (StatusCode::BAD_REQUEST, "invalid_request")
        );
        assert!(answer.description().contains("SerialNumber"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_too_large_is_not_read() {
    let world = World::start().await;
    let answer = world
        .push(&world.party("v2"), |form| {
            form.set("state", &"x".repeat(400_000))
        })
        .await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
