//! What an attacker, or a wallet that is broken, sends to a credential endpoint. Each refusal has its code, and
//! nothing is issued twice.

use std::collections::HashSet;

use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};
use standards::base64url;
use standards::jose::jws::{ProtectedHeader, sign_hmac, sign_now};
use standards::jose::{Algorithm, HmacKey, Signer};

use crate::raw_wallet::{RawWallet, Waiting, credential, nonce, offer, read, refusal, token};
use crate::scenes::{CONFIGURATION, Walk};
use crate::world::client;

/// SEC-19, VCI-17.
#[tokio::test]
async fn a_credential_needs_the_access_token_of_its_own_offer() {
    let walk = Walk::start().await;
    let (issuer, body) = (&walk.offered.issuer, walk.good().await);
    let url = format!("{issuer}/credential");
    let missing = read(client().post(&url).json(&body)).await;
    assert_eq!(refusal(&missing), (401, "invalid_token", "token-missing"));
    assert_eq!(missing.headers["www-authenticate"], "Bearer");
    let basic = read(client().post(&url).basic_auth("a", Some("b")).json(&body)).await;
    assert_eq!(refusal(&basic), (401, "invalid_token", "token-missing"));

    let unknown = credential(issuer, "x", &body).await;
    let challenge = &unknown.headers["www-authenticate"];
    assert_eq!(challenge, "Bearer error=\"invalid_token\"");

    let (link, _) = walk.token.split_once('.').unwrap();
    for wrong in [
        "x".to_owned(),
        link.to_owned(),
        format!("{link}.AAAA"),
        walk.offered.code.clone(),
    ] {
        assert_eq!(
            refusal(&credential(issuer, &wrong, &body).await),
            (401, "invalid_token", "token-invalid"),
            "{wrong}"
        );
    }
    let elsewhere = credential(&walk.world.url("/issuers/elsewhere"), &walk.token, &body).await;
    assert_eq!(refusal(&elsewhere), (401, "invalid_token", "token-invalid"));
    walk.world.later(SignedDuration::from_mins(5));
    assert_eq!(
        refusal(&walk.ask(&walk.good().await).await),
        (401, "invalid_token", "token-expired")
    );
    assert!(walk.rows().await.is_empty());
}

/// SEC-19, VCI-14, VCI-15, VCI-17.
#[tokio::test]
async fn a_key_proof_that_proves_nothing_is_refused() {
    let walk = Walk::start().await;
    let (issuer, key, now) = (
        walk.offered.issuer.clone(),
        &walk.wallet.key,
        walk.world.now().as_second(),
    );
    let nonce = nonce(&issuer).await;
    let header = || ProtectedHeader::typ("openid4vci-proof+jwt").jwk(key.public_jwk());
    let claims = |change: &dyn Fn(&mut Value)| {
        let mut claims = json!({"aud": issuer, "iat": now, "nonce": nonce});
        change(&mut claims);
        claims
    };
    let signed = |header, claims: &Value| sign_now(key, header, claims).unwrap();
    let same = claims(&|_| ());
    let good = signed(header(), &same);
    let other = RawWallet::new();
    let secret = HmacKey::generate().unwrap();
    let part = |value: &Value| base64url::encode(value.to_string());
    let (unsigned, stolen) = (
        json!({"typ": "openid4vci-proof+jwt", "alg": "none", "jwk": key.public_jwk().to_value()}),
        {
            let mut private = key.public_jwk().to_value();
            private["d"] = json!("AAAA");
            json!({"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": private})
        },
    );
    for (name, proof) in [
        (
            "an algorithm of none",
            format!("{}.{}.", part(&unsigned), part(&same)),
        ),
        (
            "a private key in the header",
            format!("{}.{}.AAAA", part(&stolen), part(&same)),
        ),
        (
            "a shared secret",
            sign_hmac(&secret, Algorithm::HS256, header(), &same).unwrap(),
        ),
        (
            "another type",
            signed(ProtectedHeader::typ("JWT").jwk(key.public_jwk()), &same),
        ),
        (
            "two names for the key",
            signed(header().kid("did:jwk:x#0"), &same),
        ),
        (
            "no name for the key",
            signed(
                ProtectedHeader::typ("openid4vci-proof+jwt").without_kid(),
                &same,
            ),
        ),
        (
            "another's key",
            sign_now(&other.key, header(), &same).unwrap(),
        ),
        (
            "a DID that needs the network",
            signed(
                ProtectedHeader::typ("openid4vci-proof+jwt").kid("did:web:attacker.example#k"),
                &same,
            ),
        ),
        (
            "another audience",
            signed(
                header(),
                &claims(&|c| c["aud"] = json!("https://other.example")),
            ),
        ),
        (
            "a second audience",
            signed(
                header(),
                &claims(&|c| c["aud"] = json!([issuer, "https://other.example"])),
            ),
        ),
        (
            "an old date",
            signed(header(), &claims(&|c| c["iat"] = json!(now - 400))),
        ),
        (
            "a date ahead",
            signed(header(), &claims(&|c| c["iat"] = json!(now + 90))),
        ),
        (
            "a client that is not there",
            signed(header(), &claims(&|c| c["iss"] = json!("someone"))),
        ),
        (
            "no nonce",
            signed(
                header(),
                &claims(&|c| drop(c.as_object_mut().unwrap().remove("nonce"))),
            ),
        ),
        ("no JWT", "x".to_owned()),
    ] {
        let answer = walk
            .ask(&json!({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [proof]}}))
            .await;
        assert_eq!(
            refusal(&answer),
            (400, "invalid_proof", "proof-invalid"),
            "{name}: {}",
            answer.body
        );
    }
    for (proofs, code) in [
        (json!({"jwt": [good, good]}), "proof-several"),
        (json!({"attestation": [good]}), "proof-type-unsupported"),
        (json!({"jwt": []}), "credential-request-invalid"),
        (json!({}), "credential-request-invalid"),
    ] {
        let answer = walk
            .ask(&json!({"credential_configuration_id": CONFIGURATION, "proofs": proofs}))
            .await;
        assert_eq!(
            refusal(&answer),
            (400, "invalid_proof", code),
            "{}",
            answer.body
        );
    }
    let without = walk
        .ask(&json!({"credential_configuration_id": CONFIGURATION}))
        .await;
    assert_eq!(refusal(&without), (400, "invalid_proof", "proof-missing"));

    // Not one of these used the nonce up or ended the offer.
    assert!(walk.rows().await.is_empty());
    let answer = walk
        .ask(&json!({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [good]}}))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

/// SEC-19, VCI-12, VCI-17.
#[tokio::test]
async fn a_nonce_that_is_made_up_foreign_old_or_used_is_refused() {
    let walk = Walk::start().await;
    let (issuer, world) = (&walk.offered.issuer, &walk.world);
    let ask = async |c_nonce: &str| {
        let proof = walk.wallet.proof(issuer, c_nonce, world.now()).await;
        walk.ask(&json!({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [proof]}}))
            .await
    };
    let old = nonce(issuer).await;
    let foreign = nonce(&world.url("/issuers/elsewhere")).await;
    let mut changed = nonce(issuer).await;
    let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
    changed.push(last);
    for wrong in ["made-up".to_owned(), foreign, changed, "A".repeat(5000)] {
        assert_eq!(
            refusal(&ask(&wrong).await),
            (400, "invalid_nonce", "nonce-invalid")
        );
    }

    let used = nonce(issuer).await;
    let other = Waiting::to_issue(world, "v2").await;
    let second = offer(&other.link()).await;
    let second_token = token(issuer, &second.code).await.json["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(ask(&used).await.status, StatusCode::OK);
    let proof = walk.wallet.proof(issuer, &used, world.now()).await;
    let body = json!({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [proof]}});
    assert_eq!(
        refusal(&credential(issuer, &second_token, &body).await),
        (400, "invalid_nonce", "nonce-invalid")
    );

    world.later(SignedDuration::from_secs(299));
    let third = offer(&Waiting::to_issue(world, "v2").await.link()).await;
    let third_token = token(issuer, &third.code).await.json["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    world.later(SignedDuration::from_secs(301));
    let proof = walk.wallet.proof(issuer, &old, world.now()).await;
    let body = json!({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [proof]}});
    assert_eq!(
        refusal(&credential(issuer, &third_token, &body).await),
        (400, "invalid_nonce", "nonce-invalid")
    );
    assert_eq!(walk.rows().await.len(), 1);
}

/// VCI-13, VCI-17.
#[tokio::test]
async fn only_what_was_offered_can_be_asked_for() {
    let walk = Walk::start().await;
    let good = walk.good().await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        change(&mut body);
        body
    };
    for (body, error, code) in [
        (
            with(&|b| b["credential_configuration_id"] = json!("Identity-jwt-vc")),
            "unknown_credential_configuration",
            "configuration-not-offered",
        ),
        (
            with(&|b| b["credential_identifier"] = json!("x")),
            "invalid_credential_request",
            "credential-request-invalid",
        ),
        (
            with(&|b| {
                drop(
                    b.as_object_mut()
                        .unwrap()
                        .remove("credential_configuration_id"),
                )
            }),
            "invalid_credential_request",
            "credential-request-invalid",
        ),
        (
            with(&|b| b["credential_configuration_id"] = json!(7)),
            "invalid_credential_request",
            "credential-request-invalid",
        ),
        (
            with(&|b| b["credential_response_encryption"] = json!({"enc": "A128GCM"})),
            "invalid_encryption_parameters",
            "encryption-unsupported",
        ),
        (
            json!([]),
            "invalid_credential_request",
            "credential-request-invalid",
        ),
    ] {
        assert_eq!(
            refusal(&walk.ask(&body).await),
            (400, error, code),
            "{body}"
        );
    }
    let by_identifier = with(&|b| {
        let id = b
            .as_object_mut()
            .unwrap()
            .remove("credential_configuration_id")
            .unwrap();
        b["credential_identifier"] = id;
    });
    assert_eq!(
        refusal(&walk.ask(&by_identifier).await),
        (
            400,
            "unknown_credential_identifier",
            "credential-identifier-unknown"
        )
    );
    let twice = format!("{{\"proofs\":{{}},{}", &good.to_string()[1..]);
    let request = client()
        .post(format!("{}/credential", walk.offered.issuer))
        .bearer_auth(&walk.token)
        .body(twice);
    assert_eq!(
        refusal(&read(request).await),
        (
            400,
            "invalid_credential_request",
            "credential-request-invalid"
        )
    );
    assert!(walk.rows().await.is_empty());
}

/// VCI-16.
#[tokio::test]
async fn a_wallet_whose_answer_was_lost_gets_the_same_credential_and_another_key_gets_none() {
    let walk = Walk::start().await;
    let body = walk.good().await;
    let first = walk.ask(&body).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    assert_eq!(first.headers["cache-control"], "no-store");
    assert_eq!(walk.ask(&body).await.json, first.json);
    assert_eq!(walk.issued().await.json, first.json);

    let thief = RawWallet::new()
        .request(&walk.offered.issuer, CONFIGURATION, walk.world.now())
        .await;
    assert_eq!(
        refusal(&walk.ask(&thief).await),
        (400, "credential_request_denied", "already-issued")
    );
    let other_format = walk
        .wallet
        .request(
            &walk.offered.issuer,
            "TrainingProgramme-sd-jwt",
            walk.world.now(),
        )
        .await;
    assert_eq!(
        refusal(&walk.ask(&other_format).await),
        (400, "credential_request_denied", "already-issued-otherwise")
    );
    // That refusal took nothing from who asks again for what was issued.
    assert_eq!(walk.issued().await.json, first.json);
    assert_eq!(walk.rows().await.len(), 1);
}

#[tokio::test]
async fn many_requests_at_once_get_one_credential() {
    let walk = Walk::start().await;
    let issuer = &walk.offered.issuer;
    let wallets: Vec<RawWallet> = (0..8).map(|_| RawWallet::new()).collect();
    let mut bodies = Vec::new();
    for wallet in &wallets {
        bodies.push(
            wallet
                .request(issuer, CONFIGURATION, walk.world.now())
                .await,
        );
    }
    let asked = bodies.into_iter().map(|body| {
        let (issuer, token) = (issuer.clone(), walk.token.clone());
        tokio::spawn(async move { credential(&issuer, &token, &body).await })
    });
    let mut credentials = HashSet::new();
    for answer in asked.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        match answer.status {
            StatusCode::OK => {
                let _ = credentials.insert(answer.json["credentials"][0]["credential"].to_string());
            }
            _ => assert_eq!(
                refusal(&answer),
                (400, "credential_request_denied", "already-issued")
            ),
        }
    }
    assert_eq!((credentials.len(), walk.rows().await.len()), (1, 1));
}
