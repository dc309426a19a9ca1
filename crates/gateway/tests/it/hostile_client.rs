//! What an attacker tries to be taken for a client.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gateway::config::RelyingPartyConfig;
use gateway::organisation::dialect::Dialect;
use gateway::organisation::relying_party::AuthMethod;
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use standards::jose::hmac_key::HmacKey;
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, Signer, SoftwareKey};

use crate::keyed::{ASSERTION_TYPE, Keyed, sign_in};
use crate::world::{Answer, Form, REDIRECT_URI, World, client, serve};

pub(crate) fn is_refused(answer: &Answer, case: &str) {
    let heard = (answer.status.as_u16(), answer.error());
    assert_eq!(heard, (401, "invalid_client"), "{case}: {}", answer.body);
}

pub(crate) fn is_taken(answer: &Answer, case: &str) {
    assert_eq!(
        answer.status,
        StatusCode::CREATED,
        "{case}: {}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_signs_in_with_any_kind_of_key_at_every_endpoint() {
    for algorithm in [
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
        Algorithm::RS256,
    ] {
        let keyed = Keyed::new("keyed", algorithm);
        let world = keyed.world().await;
        let pushed = keyed.push(&world, &keyed.assertion(&world, |_| ())).await;
        is_taken(&pushed, algorithm.as_str());
        let token = keyed
            .token(&world, |form| {
                form.set("grant_type", "client_credentials");
                form.set("scope", "revocation");
            })
            .await;
        assert_eq!(token.status, StatusCode::OK, "{}", token.body);
        // [RFC 7521 4.2] The assertion names the client; the form need not.
        let unnamed = world
            .push(&keyed.party(), |form| {
                sign_in(form, &keyed.assertion(&world, |_| ()));
                form.remove("client_id");
            })
            .await;
        is_taken(&unnamed, "without client_id");
    }
}

/// SEC-11: the second time it is refused, also by another process, and also where the first request failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_11_an_assertion_works_once_in_whichever_process() {
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let world = keyed.world().await;
    let assertion = keyed.assertion(&world, |_| ());
    is_taken(&keyed.push(&world, &assertion).await, "first");
    is_refused(&keyed.push(&world, &assertion).await, "again");

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let other = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let server = serve(listener, &world.second_process().await);
    let mut form = Form::new(&keyed.party());
    sign_in(&mut form, &assertion);
    let elsewhere = client().post(format!("{other}/par")).form(&form.0).send();
    is_refused(&Answer::read(elsewhere.await.unwrap()).await, "elsewhere");
    server.abort();

    let spent = keyed.assertion(&world, |_| ());
    let failed = world
        .push(&keyed.party(), |form| {
            sign_in(form, &spent);
            form.remove("response_type");
        })
        .await;
    assert_eq!(failed.error(), "invalid_request");
    is_refused(&keyed.push(&world, &spent).await, "after a failure");

    let (one, two) = (
        keyed.assertion(&world, |_| ()),
        keyed.assertion(&world, |_| ()),
    );
    let tries = tokio::join!(
        keyed.push(&world, &one),
        keyed.push(&world, &one),
        keyed.push(&world, &two)
    );
    let taken = [&tries.0, &tries.1].map(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    is_taken(&tries.2, "another assertion at the same time");
}

/// SEC-11: what is remembered of an assertion goes when it could no longer pass, and not before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_11_used_assertions_are_forgotten_once_they_have_expired() {
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let world = keyed.world().await;
    let assertion = keyed.assertion(&world, |_| ());
    is_taken(&keyed.push(&world, &assertion).await, "first");
    let kept = async || {
        world.gateway.tidy_once().await.unwrap();
        let count = store::Statement::new("SELECT COUNT(*) AS n FROM used_assertions");
        let row = world.gateway.app().store.read_one(count).await.unwrap();
        row.unwrap().integer("n").unwrap()
    };
    world.later(jiff::SignedDuration::from_secs(100));
    assert_eq!(kept().await, 1);
    is_refused(&keyed.push(&world, &assertion).await, "at its end");
    world.later(jiff::SignedDuration::from_secs(125));
    assert_eq!(kept().await, 0);
    is_refused(&keyed.push(&world, &assertion).await, "after its end");
}

type Change = fn(&mut Map<String, Value>);

/// SEC-11, SEC-06: whose it is, whom it is for and until when; and nobody is told which of these was wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_11_every_claim_of_an_assertion_is_checked() {
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let world = keyed.world().await;
    let (base, now) = (world.url(""), world.now().as_second());
    let mut heard = Vec::new();
    let audiences = [
        json!([]),
        json!([base, "https://elsewhere.example"]),
        json!([base, format!("{base}/token")]),
        json!([[base]]),
        json!({ "url": base }),
        json!(format!("{base}/")),
        json!(format!("{base}/token/")),
        json!(format!("{base}/authorize")),
        json!(format!("{base}/oidc")),
        json!(format!("{base}/oidc/token")),
        json!("https://elsewhere.example"),
        json!(base.to_uppercase()),
        json!(null),
    ];
    for audience in audiences {
        let assertion = keyed.assertion(&world, |claims| {
            claims.insert("aud".into(), audience.clone());
        });
        let answer = keyed.push(&world, &assertion).await;
        is_refused(&answer, &audience.to_string());
        heard.push(answer.body);
    }
    let times = [
        ("exp", now - 61),
        ("exp", now + 3_600 + 120),
        ("nbf", now + 90),
        ("iat", now + 90),
    ];
    for (name, time) in times {
        let assertion = keyed.assertion(&world, |claims| {
            drop(claims.insert(name.into(), time.into()))
        });
        let answer = keyed.push(&world, &assertion).await;
        is_refused(&answer, name);
        heard.push(answer.body);
    }
    let others: [(Change, &str); 10] = [
        (|c| drop(c.remove("aud")), "no aud"),
        (|c| drop(c.remove("exp")), "no exp"),
        (|c| drop(c.remove("jti")), "no jti"),
        (|c| set(c, "jti", ""), "empty jti"),
        (
            |c| drop(c.insert("jti".into(), 7.into())),
            "a number as jti",
        ),
        (|c| drop(c.remove("iss")), "no iss"),
        (|c| drop(c.remove("sub")), "no sub"),
        (|c| set(c, "iss", "plain"), "another iss"),
        (|c| set(c, "sub", "plain"), "a client with a secret as sub"),
        (|c| set(c, "sub", "nobody"), "nobody as sub"),
    ];
    for (change, case) in others {
        let answer = keyed.push(&world, &keyed.assertion(&world, change)).await;
        is_refused(&answer, case);
        heard.push(answer.body);
    }
    let named = world
        .push(&world.party("plain"), |form| {
            sign_in(form, &keyed.assertion(&world, |_| ()));
        })
        .await;
    is_refused(&named, "another client_id in the form");
    heard.push(named.body);
    assert!(heard.iter().all(|body| *body == heard[0]));
}

fn set(claims: &mut Map<String, Value>, name: &str, value: &str) {
    claims.insert(name.to_owned(), value.into());
}

/// SEC-15: the signature is by a registered key, with the algorithm of that key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_15_an_assertion_is_signed_by_the_clients_own_key_in_its_own_algorithm() {
    let keyed = Keyed::new("keyed", Algorithm::RS256);
    let another = Keyed::new("another", Algorithm::RS256);
    let world = World::start_changed(|config| {
        let parties = &mut config.organisations[0].relying_parties;
        parties.extend([keyed.registered(), another.registered()]);
    })
    .await;
    let claims = keyed.claims(&world, |_| ());
    let kid = keyed.key.public_jwk().kid().unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let good = jws::sign_now(&keyed.key, ProtectedHeader::untyped(), &claims).unwrap();

    for alg in ["none", "None", "NONE", ""] {
        let head = part(&json!({ "alg": alg, "kid": kid }));
        let body = part(&Value::Object(claims.clone()));
        for forged in [format!("{head}.{body}."), format!("{head}.{body}")] {
            is_refused(&keyed.push(&world, &forged).await, alg);
        }
    }
    // The public key as a shared secret, in each form that a library might hand it over.
    let jwk = keyed.key.public_jwk();
    let modulus = jwk.to_value()["n"].as_str().unwrap().to_owned();
    let der = URL_SAFE_NO_PAD.decode(&modulus).unwrap();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    for secret in [
        modulus.as_bytes(),
        &der,
        pem.as_bytes(),
        jwk.to_value().to_string().as_bytes(),
    ] {
        let secret = HmacKey::from_bytes(secret).unwrap();
        for alg in Algorithm::SYMMETRIC {
            let header = ProtectedHeader::untyped().kid(kid);
            let forged = jws::sign_hmac(&secret, *alg, header, &claims).unwrap();
            is_refused(&keyed.push(&world, &forged).await, alg.as_str());
        }
    }
    // Another client's key, under its own id, under ours and under none; a stranger's, brought along.
    let stranger = SoftwareKey::generate(Algorithm::RS256).unwrap();
    let headers = [
        (&another.key, ProtectedHeader::untyped()),
        (&another.key, ProtectedHeader::untyped().kid(kid)),
        (&another.key, ProtectedHeader::untyped().without_kid()),
        (
            &stranger,
            ProtectedHeader::untyped().jwk(stranger.public_jwk()),
        ),
        (
            &stranger,
            ProtectedHeader::untyped()
                .kid(kid)
                .member("jku", "http://localhost:1/jwks"),
        ),
    ];
    for (index, (key, header)) in headers.into_iter().enumerate() {
        let forged = jws::sign_now(key, header, &claims).unwrap();
        is_refused(
            &keyed.push(&world, &forged).await,
            &format!("header {index}"),
        );
    }
    // Another algorithm of the same kind of key, written over; a text that is no JWT; a very long one.
    let [_, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        unreachable!()
    };
    let head = part(&json!({ "alg": "PS256", "kid": kid }));
    let long = format!("{good}{}", "A".repeat(9000));
    for forged in [
        format!("{head}.{body}.{signature}"),
        "x".into(),
        "a.b.c".into(),
        long,
    ] {
        is_refused(&keyed.push(&world, &forged).await, &forged[..1]);
    }
    // None of this used the good one up.
    is_taken(&keyed.push(&world, &good).await, "good");
}

/// SEC-14: a token that says it is something else is something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_14_a_token_of_another_type_is_no_assertion() {
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let world = keyed.world().await;
    let typed = |typ: &str| {
        let claims = keyed.claims(&world, |_| ());
        jws::sign_now(&keyed.key, ProtectedHeader::typ(typ), &claims).unwrap()
    };
    for typ in [
        "kb+jwt",
        "vp+jwt",
        "at+jwt",
        "dc+sd-jwt",
        "statuslist+jwt",
        "openid4vci-proof+jwt",
        "oauth-authz-req+jwt",
        "logout+jwt",
        "",
    ] {
        is_refused(&keyed.push(&world, &typed(typ)).await, typ);
    }
    for typ in ["JWT", "jwt", "client-authentication+jwt"] {
        is_taken(&keyed.push(&world, &typed(typ)).await, typ);
    }
    // A draft under the same key is no assertion, and an assertion is no draft.
    let hint = keyed.claims(&world, |claims| {
        claims.remove("sub");
        claims.extend(crate::world::programme());
    });
    let hint = jws::sign_now(&keyed.key, ProtectedHeader::untyped(), &hint).unwrap();
    is_refused(&keyed.push(&world, &hint).await, "a draft");
    let both = keyed.assertion(&world, |claims| claims.extend(crate::world::programme()));
    let answer = world
        .push(&keyed.party(), |form| {
            sign_in(form, &keyed.assertion(&world, |_| ()));
            form.issue("TrainingProgramme", &both);
        })
        .await;
    assert_eq!(answer.error(), "invalid_request");
    assert!(
        answer.description().contains("client assertions"),
        "{}",
        answer.body
    );
}

/// [RFC 6749 2.3, RFC 7521 4.2]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_authenticates_in_one_way_at_a_time() {
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let world = keyed.world().await;
    let party = world.party("plain");
    let basic = format!(
        "Basic {}",
        STANDARD.encode(format!("plain:{}", party.secret))
    );
    let send = async |change: &dyn Fn(&mut Form), authorizations: &[&str]| {
        let mut form = Form::new(&party);
        change(&mut form);
        let mut request = client().post(world.url("/par")).form(&form.0);
        for authorization in authorizations {
            request = request.header("authorization", *authorization);
        }
        Answer::read(request.send().await.unwrap()).await
    };
    let assertion = keyed.assertion(&world, |_| ());
    let both = send(&|form| form.set("client_assertion", &assertion), &[]).await;
    let half = send(
        &|form| form.set("client_assertion_type", ASSERTION_TYPE),
        &[],
    )
    .await;
    let with_header = send(&|form| sign_in(form, &assertion), &[&basic]).await;
    let secrets = send(&|_| (), &[&basic]).await;
    let headers = send(&|form| form.remove("client_secret"), &[&basic, &basic]).await;
    for (index, answer) in [both, half, with_header, secrets, headers]
        .iter()
        .enumerate()
    {
        let heard = (answer.status.as_u16(), answer.error());
        assert_eq!(heard, (400, "invalid_request"), "{index}: {}", answer.body);
    }
    // Of an assertion both parameters must be there, and the type exact.
    let spoilt: [fn(&mut Form); 4] = [
        |form| form.remove("client_assertion"),
        |form| form.remove("client_assertion_type"),
        |form| form.set("client_assertion_type", "jwt-bearer"),
        |form| {
            form.set(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
            );
        },
    ];
    for (index, spoil) in spoilt.into_iter().enumerate() {
        let answer = world
            .push(&keyed.party(), |form| {
                sign_in(form, &assertion);
                spoil(form);
            })
            .await;
        is_refused(&answer, &index.to_string());
    }
    is_taken(&keyed.push(&world, &assertion).await, "good");
}

/// SEC-06: a client that is registered for one way is known by no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_06_a_client_is_known_by_the_way_that_it_is_registered_for() {
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let with_secret = |method, client_id: &str| RelyingPartyConfig {
        token_endpoint_auth_method: method,
        client_secret_sha256: vec![crate::keyed::digest("a-secret")],
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        ..RelyingPartyConfig::new(client_id, client_id, Dialect::Plain)
    };
    let world = World::start_changed(|config| {
        let parties = &mut config.organisations[0].relying_parties;
        parties.extend([
            keyed.registered(),
            with_secret(Some(AuthMethod::ClientSecretPost), "post"),
            with_secret(Some(AuthMethod::ClientSecretBasic), "basic"),
            with_secret(None, "either"),
        ]);
    })
    .await;
    let send = async |client_id: &str, secret: &str, header: bool| {
        let mut form = Form::new(&keyed.party());
        form.set("client_id", client_id);
        let mut request = client().post(world.url("/par"));
        if header {
            form.remove("client_secret");
            let pair = STANDARD.encode(format!("{client_id}:{secret}"));
            request = request.header("authorization", format!("Basic {pair}"));
        } else {
            form.set("client_secret", secret);
        }
        Answer::read(request.form(&form.0).send().await.unwrap()).await
    };
    for (client_id, header, posted) in [
        ("post", false, true),
        ("basic", true, false),
        ("either", true, true),
        ("keyed", false, false),
    ] {
        for (way, expected) in [(true, header), (false, posted)] {
            let answer = send(client_id, "a-secret", way).await;
            if expected {
                is_taken(&answer, client_id);
            } else {
                is_refused(&answer, client_id);
                // The answer to the header names its scheme, and says no more to one who is registered otherwise.
                assert_eq!(answer.headers.contains_key("www-authenticate"), way);
                assert_eq!(answer.body, send("nobody", "guess", way).await.body);
            }
        }
    }
    for secret in ["", "a-secret", &"0".repeat(64)] {
        is_refused(&send("keyed", secret, false).await, secret);
    }
    // The old revocation takes secrets in its body: who has none, or sends it otherwise, is nobody there.
    for (client_id, status) in [
        ("keyed", 401),
        ("basic", 401),
        ("post", 404),
        ("either", 404),
    ] {
        let body = json!({
            "client_id": client_id, "client_secret": "a-secret", "OrganisationId": "anytown",
            "CredentialTemplateName": "TrainingProgramme", "SerialNumber": uuid::Uuid::new_v4(),
        });
        let address = world.url("/Revocation/revokecredential");
        let answer = client().post(address).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{client_id}");
    }
}
