//! ID tokens: each client's algorithm, the keys they verify with, and the access token that comes along.

use aws_lc_rs::digest;
use gateway::config::RelyingPartyConfig;
use gateway::organisation::relying_party::IdTokenAlgorithm;
use reqwest::StatusCode;
use standards::base64url;
use standards::jose::{Algorithm, JwkSet, Typ, ends_in_an_algorithm_name, jws};

use crate::keyed::{Keyed, sign_in};
use crate::world::{Answer, Browser, World, client};

async fn keys(world: &World, path: &str) -> JwkSet {
    let answer = Answer::read(client().get(world.url(path)).send().await.unwrap()).await;
    assert!(!answer.body.contains("\"d\""), "{}", answer.body);
    JwkSet::parse(&answer.json).unwrap()
}

/// SEC-10: each client gets the algorithm that it is registered with, from a key that is published for it alone, with
/// the hash of the access token that goes with the signature.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_10_an_id_token_is_signed_as_its_client_is_registered() {
    let registered = [
        ("keyed-es256", None, Algorithm::ES256),
        (
            "keyed-eddsa",
            Some(IdTokenAlgorithm::EdDSA),
            Algorithm::EdDSA,
        ),
        (
            "keyed-rs256",
            Some(IdTokenAlgorithm::RS256),
            Algorithm::RS256,
        ),
    ];
    let parties = registered.map(|(name, ..)| Keyed::new(name, Algorithm::ES256));
    let world = World::start_changed(|config| {
        for (keyed, (_, asked, _)) in parties.iter().zip(registered) {
            let entry = RelyingPartyConfig {
                id_token_signed_response_alg: asked,
                ..keyed.registered()
            };
            config.organisations[0].relying_parties.push(entry);
        }
    })
    .await;
    world.issue_identity("anna").await;
    let published = keys(&world, "/jwks").await;
    let mut subjects = Vec::new();
    for (keyed, (_, _, algorithm)) in parties.iter().zip(registered) {
        let assertion = keyed.assertion(&world, |_| ());
        let address = world
            .pushed(&keyed.party(), |form| sign_in(form, &assertion))
            .await;
        let browser = Browser::new();
        let page = browser.open(&address).await;
        world.scan("anna", &page.link("open-wallet"), true).await;
        let code = browser.open(&page.url).await.code();
        let answer = keyed.token(&world, |form| form.code(&code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);

        let parsed = jws::parse(answer.json["id_token"].as_str().unwrap()).unwrap();
        assert_eq!(parsed.header().alg(), algorithm);
        let key = published.find(parsed.header().kid().unwrap()).unwrap();
        let verified = parsed.verify(key, &[algorithm], Typ::Is("JWT")).unwrap();
        let claims = verified.claims();
        assert_eq!(claims["aud"], keyed.client_id);
        assert!(claims.get("azp").is_none());
        // It says who somebody is now, and opens nothing later.
        let time = |name: &str| claims[name].as_i64().unwrap();
        assert_eq!(time("iat"), world.now().as_second());
        assert_eq!(time("exp"), time("iat") + 300);

        let access_token = answer.json["access_token"].as_str().unwrap();
        let function = match algorithm {
            Algorithm::EdDSA => &digest::SHA512,
            _ => &digest::SHA256,
        };
        let hash = digest::digest(function, access_token.as_bytes());
        let half = &hash.as_ref()[..hash.as_ref().len() / 2];
        assert_eq!(claims["at_hash"], base64url::encode(half));
        subjects.push(claims["sub"].clone());
    }
    // [OIDC Core 8.1] One person, a subject for each client.
    assert!(subjects[0] != subjects[1] && subjects[1] != subjects[2]);
}

/// Rulings 1, gateway contract 3.3: the old contracts' clients read RSA keys only, and cut an algorithm's name off the
/// end of a key id.
#[tokio::test]
async fn old_key_sets_hold_rsa_keys_only_and_no_key_id_ends_in_an_algorithm() {
    let world = World::start().await;
    let all = keys(&world, "/jwks").await;
    let kinds: Vec<_> = all.keys().iter().map(|key| key.alg().unwrap()).collect();
    assert_eq!(kinds, ["RS256", "ES256", "EdDSA"]);
    for key in all.keys() {
        assert!(!ends_in_an_algorithm_name(key.kid().unwrap()));
        assert_eq!(key.key_use(), Some("sig"));
    }
    for old in [
        "/.well-known/openid-configuration/jwks",
        "/oidc/.well-known/openid-configuration/jwks",
        "/v2.0/.well-known/openid-configuration/jwks",
    ] {
        let keys = keys(&world, old).await;
        let kinds: Vec<_> = keys.keys().iter().map(|key| key.alg().unwrap()).collect();
        assert_eq!(kinds, ["RS256"], "{old}");
    }
}
