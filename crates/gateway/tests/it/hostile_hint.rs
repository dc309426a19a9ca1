//! What an attacker tries with the signature of a draft, and what honest clients' libraries make of it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gateway::config::{RelyingPartyConfig, Secret};
use gateway::organisation::dialect::Dialect;
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use standards::jose::hmac_key::HmacKey;
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, Signer, SoftwareKey};

use crate::keyed::{Keyed, sign_in};
use crate::world::{Answer, Party, REDIRECT_URI, World, programme};

/// The claims of a good draft of that client.
fn draft(world: &World, client_id: &str, audience: &str) -> Map<String, Value> {
    let now = world.now().as_second();
    let message =
        json!({ "iss": client_id, "aud": world.url(audience), "iat": now, "exp": now + 300 });
    let mut claims = programme();
    claims.extend(message.as_object().unwrap().clone());
    claims
}

fn is_refused(answer: &Answer, case: &str) {
    let heard = (answer.status.as_u16(), answer.error());
    assert_eq!(heard, (400, "invalid_request"), "{case}: {}", answer.body);
    assert!(
        answer.description().starts_with("id_token_hint: "),
        "{case}: {}",
        answer.body
    );
}

/// Gateway contract 3.1, [RFC 7518 3.2]: client A's library chooses by the key's length, client B's always takes HS256.
/// What the key is long enough for is taken, nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_15_an_hmac_is_taken_where_the_key_is_long_enough_for_it() {
    let lengths = [32_u8, 47, 48, 63, 64, 100];
    let key = |length: u8| HmacKey::from_bytes(&vec![length; usize::from(length)]).unwrap();
    let secret = "sandbox-secret-of-all-of-them-0123456789";
    let world = World::start_changed(|config| {
        for length in lengths {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
            let base64 = zeroize::Zeroizing::new(key(length).to_base64().to_string());
            let entry = RelyingPartyConfig {
                client_secret_sha256: vec![hex::encode(digest)],
                signing_key: Some(Secret::Held(base64)),
                redirect_uris: vec![REDIRECT_URI.to_owned()],
                ..RelyingPartyConfig::new(format!("of-{length}"), "A portal", Dialect::V1B)
            };
            config.organisations[0].relying_parties.push(entry);
        }
    })
    .await;
    for length in lengths {
        let party = Party {
            client_id: format!("of-{length}"),
            secret: secret.to_owned(),
            signing_key: std::sync::Arc::new(key(length)),
            organisation: "anytown",
            dialect: Dialect::V1B,
        };
        let claims = draft(&world, &party.client_id, "/oidc");
        for (alg, shortest) in [
            (Algorithm::HS256, 32),
            (Algorithm::HS384, 48),
            (Algorithm::HS512, 64),
        ] {
            let hint = signed_with_hmac(&vec![length; usize::from(length)], alg, &claims);
            let answer = world
                .push(&party, |form| form.issue("TrainingProgramme", &hint))
                .await;
            if length >= shortest {
                assert_eq!(
                    answer.status,
                    StatusCode::CREATED,
                    "{length} {alg}: {}",
                    answer.body
                );
            } else {
                is_refused(&answer, &format!("{length} {alg}"));
            }
        }
    }
}

/// A header and claims under HMAC, of any key and algorithm: ours would not make those that must be refused.
fn signed_with_hmac(key: &[u8], alg: Algorithm, claims: &Map<String, Value>) -> String {
    let function = match alg {
        Algorithm::HS384 => aws_lc_rs::hmac::HMAC_SHA384,
        Algorithm::HS512 => aws_lc_rs::hmac::HMAC_SHA512,
        _ => aws_lc_rs::hmac::HMAC_SHA256,
    };
    let part = |value: String| URL_SAFE_NO_PAD.encode(value);
    let header = json!({ "alg": alg.as_str() }).to_string();
    let input = format!(
        "{}.{}",
        part(header),
        part(Value::Object(claims.clone()).to_string())
    );
    let key = aws_lc_rs::hmac::Key::new(function, key);
    let tag = aws_lc_rs::hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_may_be_signed_with_the_clients_own_key() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
        let keyed = Keyed::new("keyed", algorithm);
        let world = keyed.world().await;
        for typ in [ProtectedHeader::typ("JWT"), ProtectedHeader::untyped()] {
            let hint = jws::sign_now(&keyed.key, typ, &draft(&world, "keyed", "")).unwrap();
            let answer = push(&world, &keyed, &hint).await;
            assert_eq!(
                answer.status,
                StatusCode::CREATED,
                "{algorithm}: {}",
                answer.body
            );
        }
    }
}

async fn push(world: &World, keyed: &Keyed, hint: &str) -> Answer {
    let assertion = keyed.assertion(world, |_| ());
    world
        .push(&keyed.party(), |form| {
            sign_in(form, &assertion);
            form.issue("TrainingProgramme", hint);
        })
        .await
}

/// SEC-15: a client has one way to sign. Its public key is no shared secret, and a shared key checks no signature.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_15_a_public_key_is_never_taken_for_a_shared_one_nor_the_other_way_round() {
    let keyed = Keyed::new("keyed", Algorithm::RS256);
    let other = Keyed::new("other", Algorithm::RS256);
    let world = World::start_changed(|config| {
        let parties = &mut config.organisations[0].relying_parties;
        parties.extend([keyed.registered(), other.registered()]);
    })
    .await;
    let claims = draft(&world, "keyed", "");
    let jwk = keyed.key.public_jwk();
    let kid = jwk.kid().unwrap();
    let modulus = jwk.to_value()["n"].as_str().unwrap().to_owned();
    let der = URL_SAFE_NO_PAD.decode(&modulus).unwrap();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let json = jwk.to_value().to_string();
    for secret in [modulus.as_bytes(), &der, pem.as_bytes(), json.as_bytes()] {
        for alg in Algorithm::SYMMETRIC {
            let hint = signed_with_hmac(secret, *alg, &claims);
            is_refused(&push(&world, &keyed, &hint).await, alg.as_str());
        }
    }
    let stranger = SoftwareKey::generate(Algorithm::RS256).unwrap();
    let headers = [
        (&other.key, ProtectedHeader::untyped()),
        (&other.key, ProtectedHeader::untyped().kid(kid)),
        (
            &stranger,
            ProtectedHeader::untyped().jwk(stranger.public_jwk()),
        ),
        (&keyed.key, ProtectedHeader::typ("kb+jwt")),
        (&keyed.key, ProtectedHeader::untyped().kid("unknown")),
    ];
    for (index, (key, header)) in headers.into_iter().enumerate() {
        let hint = jws::sign_now(key, header, &claims).unwrap();
        is_refused(
            &push(&world, &keyed, &hint).await,
            &format!("header {index}"),
        );
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!(
        "{}.{}.",
        part(&json!({ "alg": "none" })),
        part(&Value::Object(claims.clone()))
    );
    is_refused(&push(&world, &keyed, &unsigned).await, "none");
    // [gateway contract 3.1] A client of the older contracts signs with HMAC, whatever key it brings.
    let party = world.party("v2");
    let claims = draft(&world, "v2", "");
    for key in [&keyed.key, &stranger] {
        let header = ProtectedHeader::untyped().jwk(key.public_jwk());
        let hint = jws::sign_now(key, header, &claims).unwrap();
        let answer = world
            .push(&party, |form| form.issue("TrainingProgramme", &hint))
            .await;
        is_refused(&answer, "a signature from a client with a shared key");
    }
}
