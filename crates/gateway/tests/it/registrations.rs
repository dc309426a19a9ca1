//! What a configuration may say of a relying party.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway::Gateway;
use gateway::config::{CancelError, Config, RelyingPartyConfig, Secret};
use gateway::organisation::dialect::Dialect;
use gateway::organisation::relying_party::{AuthMethod, IdTokenAlgorithm};
use serde_json::{Value, json};
use standards::jose::{Algorithm, JwkSet, Signer};

use crate::keyed::{Keyed, digest};
use crate::world::World;

/// SEC-10, SEC-15: a registration that contradicts itself, or gives a key away, stops the start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_10_a_registration_that_contradicts_itself_stops_the_start() {
    let world = World::start().await;
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let mut private = keyed.jwks();
    private["keys"][0]["d"] = "c2VjcmV0".into();
    let mut twice = keyed.jwks();
    let first = twice["keys"][0].clone();
    twice["keys"].as_array_mut().unwrap().push(first);
    let encrypts = JwkSet::new([keyed.key.public_jwk().clone().with_use("enc")]).to_value();
    let shared = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }] });
    let signing_key = Secret::Held(zeroize::Zeroizing::new(STANDARD.encode([7; 32])));
    let start = async |change: &dyn Fn(&mut RelyingPartyConfig)| {
        let mut entry = keyed.registered();
        change(&mut entry);
        start_with(&world.config, entry).await
    };
    let jwks = |set: &Value| {
        let set = set.clone();
        move |entry: &mut RelyingPartyConfig| entry.jwks = Some(set.clone())
    };
    let address = |text: &'static str| {
        move |entry: &mut RelyingPartyConfig| {
            entry.jwks = None;
            entry.jwks_uri = Some(text.parse().unwrap());
        }
    };
    type Spoil<'a> = &'a dyn Fn(&mut RelyingPartyConfig);
    let cases: [(Spoil, &str); 18] = [
        (&jwks(&private), "secret member"),
        (&jwks(&shared), "secret member"),
        (&jwks(&twice), "two keys"),
        (&jwks(&encrypts), "for signatures"),
        (&jwks(&json!({ "keys": [] })), "for signatures"),
        (
            &jwks(&json!({ "keys": [{ "kty": "EC", "crv": "secp256k1" }] })),
            "key 1",
        ),
        (&jwks(&json!("not json")), "JWK set"),
        (&|entry| entry.jwks = None, "needs the client's public keys"),
        (
            &|entry| entry.jwks_uri = Some("https://a.example/jwks".parse().unwrap()),
            "not both",
        ),
        (&address("ftp://a.example/jwks"), "https"),
        (&address("https://me:secret@a.example/jwks"), "user name"),
        (
            &|entry| entry.client_secret_sha256 = vec![digest("x")],
            "has no secret",
        ),
        (
            &|entry| entry.signing_key = Some(signing_key.clone()),
            "in one way",
        ),
        (
            &|entry| entry.token_endpoint_auth_method = None,
            "name a secret",
        ),
        (
            &|entry| entry.token_endpoint_auth_method = Some(AuthMethod::ClientSecretPost),
            "needs a secret",
        ),
        (&|entry| entry.dialect = Dialect::V2, "older contracts"),
        (
            &|entry| {
                entry.dialect = Dialect::V1A;
                entry.token_endpoint_auth_method = Some(AuthMethod::ClientSecretBasic);
                entry.client_secret_sha256 = vec![digest("x")];
                entry.jwks = None;
            },
            "client_secret_post only",
        ),
        (
            &|entry| {
                entry.dialect = Dialect::V2;
                entry.token_endpoint_auth_method = None;
                entry.client_secret_sha256 = vec![digest("x")];
                entry.jwks = None;
                entry.id_token_signed_response_alg = Some(IdTokenAlgorithm::ES256);
            },
            "RS256 only",
        ),
    ];
    for (index, (change, reason)) in cases.into_iter().enumerate() {
        let refused = start(change).await.unwrap_err();
        let named = refused.contains("relying party keyed: ") && refused.contains(reason);
        assert!(named, "case {index}: {refused}");
        assert!(
            !refused.contains("c2VjcmV0") && !refused.contains(":secret"),
            "{refused}"
        );
    }
    start(&|_| ()).await.unwrap();
    start(&jwks(&json!(keyed.jwks().to_string())))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_registration_that_could_not_be_used_stops_the_start() {
    let world = World::start().await;
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let refusal = async |change: &dyn Fn(&mut RelyingPartyConfig)| {
        let mut entry = keyed.registered();
        change(&mut entry);
        start_with(&world.config, entry).await.unwrap_err()
    };
    // The name and the password of a Basic header are parted by a colon [RFC 7617 2].
    for id in ["", "a b", "a:b", "é"] {
        let refused = refusal(&|entry| entry.client_id = id.into()).await;
        assert!(refused.contains("client_id: use printable"), "{refused}");
    }
    for address in [
        "https://a.example/jwks#x",
        "https://:secret@a.example/jwks",
        "https://me@a.example/jwks",
    ] {
        let refused = refusal(&|entry| {
            entry.jwks = None;
            entry.jwks_uri = Some(address.parse().unwrap());
        })
        .await;
        assert!(refused.contains("jwks_uri: leave out"), "{refused}");
    }
    for length in [3, 7] {
        let refused = refusal(&|entry| entry.transaction_code_length = length).await;
        assert!(refused.contains("use 4, 5 or 6"), "{refused}");
    }
    let refused = refusal(&|entry| {
        entry.dialect = Dialect::V2;
        entry.token_endpoint_auth_method = None;
        entry.client_secret_sha256 = vec![digest("x")];
    })
    .await;
    assert!(refused.contains("jwks: the older contracts"), "{refused}");
    let refused = refusal(&|entry| entry.redirect_uris.clear()).await;
    assert!(refused.contains("redirect_uris: name"), "{refused}");
    let refused = refusal(&|entry| entry.cancel_error = CancelError::UserCancelled).await;
    assert!(refused.contains("v1-a and v1-b"), "{refused}");
}

async fn start_with(config: &Config, entry: RelyingPartyConfig) -> Result<(), String> {
    let mut config = config.clone();
    config.organisations[0].relying_parties.push(entry);
    let surroundings = gateway::Surroundings {
        sandbox: true,
        ..gateway::Surroundings::production()
    };
    match Gateway::compose(&config, surroundings).await {
        Ok(gateway) => {
            gateway.close().await;
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}
