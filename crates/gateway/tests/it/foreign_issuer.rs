//! Credentials of an issuer elsewhere, which is on a trust list: its keys and its status list are fetched, and
//! whatever cannot be fetched or does not belong to it is a refusal.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use serde_json::{Value, json};
use standards::jose::jws::ProtectedHeader;
use standards::jose::{Algorithm, JwkSet, Signer, SoftwareKey};
use standards::status_list::Status;
use standards::vc::{Validity, sd_jwt_vc};

use crate::abroad::{Abroad, DELAY};
use crate::raw_wallet::{Requested, post_to, read, refusal};
use crate::scenes::TYPE;
use crate::world::{Answer, client, programme};

fn accepted(answer: &Answer) -> bool {
    (answer.status.as_u16(), &answer.json) == (200, &json!({}))
}

const STRANGER: (u16, &str, &str) = (400, "access_denied", "issuer-not-trusted");
const REVOKED: (u16, &str, &str) = (400, "access_denied", "credential-revoked");
const UNKNOWN: (u16, &str, &str) = (503, "temporarily_unavailable", "status-unknown");

/// SEC-26.
#[tokio::test]
async fn a_trusted_issuers_keys_and_list_are_fetched_once_and_kept_for_a_while() {
    let abroad = Abroad::start().await;
    let good = abroad.credential(1).await;
    assert!(accepted(&abroad.present(&good).await));
    let after_first = abroad.fetches();
    assert_eq!(after_first, 2);
    assert!(accepted(&abroad.present(&good).await));
    assert_eq!(abroad.fetches(), after_first);
    let revoked = abroad.present(&abroad.credential(5).await).await;
    assert_eq!(refusal(&revoked), REVOKED);
    let suspended = abroad.present(&abroad.credential(6).await).await;
    assert_eq!(
        refusal(&suspended),
        (400, "access_denied", "credential-suspended")
    );

    // A revocation elsewhere counts when the list's own ttl is over.
    abroad
        .publish_list(&abroad.key, |token| {
            token.list.set(1, Status::Invalid).unwrap()
        })
        .await;
    assert!(accepted(&abroad.present(&good).await));
    abroad.later(31);
    assert_eq!(refusal(&abroad.present(&good).await), REVOKED);

    // However long the list says that it may be kept: a revocation counts within a minute.
    abroad
        .publish_list(&abroad.key, |token| token.ttl = Some(3600))
        .await;
    abroad.later(31);
    assert!(accepted(&abroad.present(&good).await));
    abroad.pages.lock().unwrap().remove("/list");
    abroad.later(60);
    assert_eq!(refusal(&abroad.present(&good).await), UNKNOWN);
}

/// What a relying party reads as a date, a number of a person or a name is one, whoever signed it.
#[tokio::test]
async fn sec_35_a_trusted_issuers_values_have_the_shape_of_the_type() {
    let abroad = Abroad::start().await;
    for (name, value) in [
        ("UniqueIdentifier", "anna"),
        ("TPR-ProgrammeStartDate", "5 August 2026"),
        ("TPR-Name", "Cardiology\u{202e}ygoloidraC"),
        ("TPR-Name", "Cardiology\u{7}"),
        ("TPR-Name", ""),
    ] {
        let mut claims = programme();
        claims.insert(name.into(), value.into());
        let answer = abroad.present(&abroad.credential_of(1, claims).await).await;
        let missing = (400, "invalid_request", "claim-missing");
        assert_eq!(refusal(&answer), missing, "{name}: {}", answer.body);
    }
    let mut claims = programme();
    claims.insert("TPR-Origin".into(), "Coleg Meddygaeth Ynys Môn".into());
    let answer = abroad.present(&abroad.credential_of(1, claims).await).await;
    assert!(accepted(&answer), "{}", answer.body);
}

/// SV-03.
#[tokio::test]
async fn an_sd_jwt_vc_of_a_trusted_issuer_is_verified_with_the_key_set_of_its_address() {
    let abroad = Abroad::start().await;
    let credential = sd_jwt_vc::Credential {
        issuer: format!("{}/issuer", abroad.base),
        vct: abroad.world.url(&format!("/credential-types/{TYPE}")),
        validity: Validity::default(),
        status: None,
        holder: Some(abroad.wallet.key.public_jwk().bare_key()),
    };
    let disclosable = (0_u8..)
        .zip(programme())
        .map(|(salt, (name, value))| (name, value, [salt; 16]))
        .collect();
    let unsigned = credential
        .build(serde_json::Map::new(), disclosable, &[])
        .unwrap();
    let sd_jwt = unsigned
        .sign(&abroad.key, ProtectedHeader::typ("dc+sd-jwt"))
        .await
        .unwrap();
    let present = async || {
        let requested = abroad.asked().await;
        let token = abroad
            .wallet
            .present_sd_jwt(&sd_jwt, &requested, abroad.world.now())
            .await;
        abroad.post(&requested, requested.answer(token)).await
    };
    let answer = present().await;
    assert!(accepted(&answer), "{}", answer.body);

    // Another issuer's metadata at this one's address says nothing about this one.
    abroad.later(300);
    let others = json!({"issuer": abroad.base, "jwks": JwkSet::new([abroad.key.public_jwk().clone()]).to_value()});
    abroad.put("/.well-known/jwt-vc-issuer/issuer", others.to_string());
    let unreachable = (503, "temporarily_unavailable", "issuer-unreachable");
    assert_eq!(refusal(&present().await), unreachable);
    let metadata = json!({"issuer": format!("{}/issuer", abroad.base), "jwks_uri": format!("{}/keys", abroad.base)});
    abroad.put("/.well-known/jwt-vc-issuer/issuer", metadata.to_string());
    abroad.later(10);
    assert_eq!(refusal(&present().await), unreachable);
    abroad.later(10);
    abroad.put(
        "/keys",
        JwkSet::new([abroad.key.public_jwk().clone()])
            .to_value()
            .to_string(),
    );
    assert!(accepted(&present().await));
}

/// SEC-04, SEC-16.
#[tokio::test]
async fn keys_that_cannot_be_had_are_a_refusal_and_no_stranger_is_ever_asked_for_any() {
    let abroad = Abroad::start().await;
    let good = abroad.credential(1).await;
    for document in [
        "x".to_owned(),
        json!({"id": "did:web:other.example"}).to_string(),
    ] {
        abroad.put("/them/did.json", document);
        assert_eq!(
            refusal(&abroad.present(&good).await),
            (503, "temporarily_unavailable", "issuer-unreachable")
        );
        abroad.later(10);
    }
    abroad.publish_keys(&[&SoftwareKey::generate(Algorithm::ES256).unwrap()]);
    assert_eq!(
        refusal(&abroad.present(&good).await),
        (400, "invalid_request", "signature-invalid")
    );
    // Keys that were exchanged are found half a minute later, not five.
    abroad.publish_keys(&[&abroad.key]);
    abroad.later(30);
    assert!(accepted(&abroad.present(&good).await));

    let before = abroad.fetches();
    let stranger =
        standards::did::web::from_base_url(&abroad.base.parse().unwrap(), &["stranger"]).unwrap();
    let mut claims = Value::Object(
        standards::jose::jws::parse(&good)
            .unwrap()
            .unverified_claims()
            .clone(),
    );
    claims["iss"] = json!(stranger.as_str());
    claims["vc"]["issuer"] = json!(stranger.as_str());
    let header = ProtectedHeader::typ("JWT").kid(format!("{stranger}#k"));
    let theirs = standards::jose::jws::sign_now(&abroad.key, header, &claims).unwrap();
    assert_eq!(refusal(&abroad.present(&theirs).await), STRANGER);
    assert_eq!(abroad.fetches(), before);
}

/// SEC-26: whoever holds nothing but the name of a trusted issuer cannot have it asked again and again.
#[tokio::test]
async fn sec_26_a_key_that_an_issuer_does_not_have_is_asked_for_once_in_half_a_minute() {
    let abroad = Abroad::start().await;
    let good = abroad.credential(1).await;
    assert!(accepted(&abroad.present(&good).await));
    let parsed = standards::jose::jws::parse(&good).unwrap();
    let claims = Value::Object(parsed.unverified_claims().clone());
    let key = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let header = ProtectedHeader::typ("JWT").kid(abroad.kid(&key));
    let forged = standards::jose::jws::sign_now(&key, header, &claims).unwrap();
    let before = abroad.fetches();
    for asked in [before, before, before + 1, before + 1] {
        assert!(!accepted(&abroad.present(&forged).await));
        assert_eq!(abroad.fetches(), asked);
        abroad.later(16);
    }
}

/// SEC-25, SEC-26: an issuer that signs its lists with a new key, which it published first.
#[tokio::test]
async fn a_list_signed_with_a_key_that_its_issuer_has_since_is_believed() {
    let abroad = Abroad::start().await;
    let good = abroad.credential(1).await;
    assert!(accepted(&abroad.present(&good).await));
    assert_eq!(abroad.fetches(), 2, "its keys and its list");

    let newer = SoftwareKey::generate(Algorithm::ES256).unwrap();
    abroad.publish_keys(&[&abroad.key, &newer]);
    abroad.publish_list(&newer, |_| ()).await;
    abroad.later(31);
    let answer = abroad.present(&good).await;
    assert!(accepted(&answer), "{}", answer.body);
    assert_eq!(abroad.fetches(), 4, "the list, and the keys for it");

    // Whoever can put a list there and has no key of the issuer's cannot have it asked for its keys again and again.
    let strangers = SoftwareKey::generate(Algorithm::ES256).unwrap();
    abroad.publish_list(&strangers, |_| ()).await;
    let mut before = abroad.fetches();
    for (seconds, fetched) in [(31, 2), (16, 1), (16, 2)] {
        abroad.later(seconds);
        assert_eq!(refusal(&abroad.present(&good).await), UNKNOWN);
        before += fetched;
        assert_eq!(abroad.fetches(), before);
    }
}

/// SEC-25, TS-05.
#[tokio::test]
async fn a_list_that_is_not_the_issuers_word_about_this_address_and_time_is_not_believed() {
    let abroad = Abroad::start().await;
    let good = abroad.credential(1).await;
    let now = abroad.world.now();
    abroad
        .publish_list(&abroad.key, |token| token.uri.push('2'))
        .await;
    assert_eq!(
        refusal(&abroad.present(&good).await),
        UNKNOWN,
        "another address"
    );
    abroad.later(10);
    abroad
        .publish_list(&abroad.key, |token| {
            token.expires_at = Some(now - SignedDuration::from_secs(1))
        })
        .await;
    assert_eq!(
        refusal(&abroad.present(&good).await),
        UNKNOWN,
        "an end in the past"
    );
    abroad.later(10);
    abroad
        .publish_list(&abroad.key, |token| {
            token.issued_at = now + SignedDuration::from_mins(5)
        })
        .await;
    assert_eq!(
        refusal(&abroad.present(&good).await),
        UNKNOWN,
        "a beginning in the future"
    );
    abroad.later(10);
    abroad
        .publish_list(&SoftwareKey::generate(Algorithm::ES256).unwrap(), |_| ())
        .await;
    assert_eq!(
        refusal(&abroad.present(&good).await),
        UNKNOWN,
        "another key"
    );
    abroad.later(10);
    for text in [
        String::new(),
        "x".repeat(2_000_000),
        abroad.credential(1).await,
    ] {
        abroad.put("/list", text);
        assert_eq!(
            refusal(&abroad.present(&good).await),
            UNKNOWN,
            "something else"
        );
        abroad.later(10);
    }
    abroad.pages.lock().unwrap().remove("/list");
    assert_eq!(refusal(&abroad.present(&good).await), UNKNOWN, "nothing");
    abroad.later(10);

    abroad.publish_list(&abroad.key, |_| ()).await;
    assert_eq!(
        refusal(&abroad.present(&abroad.credential(64).await).await),
        UNKNOWN,
        "an index that it does not have"
    );
    assert!(accepted(&abroad.present(&good).await));
}

/// SEC-26: a crowd at shift change, all with credentials of the same issuer.
#[tokio::test]
async fn many_presentations_at_once_ask_an_issuer_once_and_leave_it_alone_while_it_is_down() {
    let abroad = Abroad::start().await;
    let good = abroad.credential(1).await;
    DELAY.store(800, Ordering::SeqCst);
    let crowd = async || {
        let mut posts = Vec::new();
        for _ in 0..6 {
            let requested = abroad.asked().await;
            let now = abroad.world.now();
            let token = abroad.wallet.present_w3c(&good, &requested, now).await;
            let form = requested.answer(token);
            let address = requested.text_of("response_uri");
            let address = address.replace(&abroad.world.base, &abroad.trusting);
            posts.push(tokio::spawn(async move { post_to(&address, form).await }));
        }
        let mut answers = Vec::new();
        for post in posts {
            answers.push(post.await.unwrap());
        }
        answers
    };
    assert!(crowd().await.iter().all(accepted));
    assert_eq!(abroad.fetches(), 2, "its keys and its list");

    // The list's ttl is over and the issuer is down: nobody is let in on what it said before (SEC-25), and it is
    // asked once in ten seconds.
    abroad.pages.lock().unwrap().remove("/list");
    abroad.later(31);
    for asked in [3, 3, 4] {
        for answer in crowd().await {
            assert_eq!(refusal(&answer), UNKNOWN);
        }
        assert_eq!(abroad.fetches(), asked);
        abroad.later(5);
    }
    abroad.publish_list(&abroad.key, |_| ()).await;
    abroad.later(10);
    assert!(crowd().await.iter().all(accepted));
}

/// SEC-33, SEC-16: what was fetched because one organisation trusts an issuer makes nobody else trust it.
#[tokio::test]
async fn an_issuer_that_one_organisation_trusts_is_a_stranger_to_the_next() {
    let abroad = Abroad::start().await;
    let good = abroad.credential(1).await;
    assert!(accepted(&abroad.present(&good).await));
    let before = abroad.fetches();
    let party = abroad.world.party("stranger");
    let scope = format!("openid {TYPE}");
    let pushed = abroad
        .world
        .pushed(&party, |form| form.set("scope", &scope));
    let page = crate::world::Browser::new().open(&pushed.await).await;
    let address = crate::raw_wallet::request_address(&page.link("open-wallet")).await;
    let address = address.replace(&abroad.world.base, &abroad.trusting);
    let requested = Requested::parse(&read(client().get(address)).await);
    let now = abroad.world.now();
    let token = abroad.wallet.present_w3c(&good, &requested, now).await;
    let answer = abroad.post(&requested, requested.answer(token)).await;
    assert_eq!(refusal(&answer), STRANGER);
    assert_eq!(abroad.fetches(), before);
}
