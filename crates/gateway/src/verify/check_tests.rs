//! Real credentials, really signed and presented; each refusal differs from a good presentation in one thing.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use standards::base64url;
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, HmacKey, Signer, SoftwareKey};
use standards::openid4vp::VpToken;
use standards::sd_jwt::SdJwt;
use standards::status_list::Status;

use super::*;

use scene::*;

#[path = "check_scene.rs"]
mod scene;

/// Both formats of a scene with one thing changed end in the same refusal, and without the change in none.
async fn refused(refusal: Refusal, change: impl Fn(&mut Scene)) {
    let mut scene = Scene::good();
    assert_eq!(
        (scene.w3c().await.unwrap(), scene.sd_jwt().await.unwrap()),
        (attributes(), attributes())
    );
    change(&mut scene);
    assert_eq!(
        (scene.w3c().await, scene.sd_jwt().await),
        (Err(refusal), Err(refusal))
    );
}

/// SEC-22, DW-36.
#[tokio::test]
async fn an_expired_credential_is_refused() {
    refused(Refusal::CredentialExpired, |scene| {
        scene.credential.validity.expires_at = Some(at(0));
        scene.sd_credential.validity.expires_at = Some(at(0));
    })
    .await;
}

/// SEC-22.
#[tokio::test]
async fn a_credential_that_is_not_valid_yet_is_refused() {
    refused(Refusal::CredentialNotYetValid, |scene| {
        scene.credential.validity.not_before = Some(at(61));
        scene.sd_credential.validity.not_before = Some(at(61));
    })
    .await;
}

/// DW-36.
#[tokio::test]
async fn a_credential_signed_by_another_key_is_refused() {
    refused(Refusal::SignatureInvalid, |scene| {
        scene.signer = SoftwareKey::generate(Algorithm::ES256).unwrap();
    })
    .await;
}

/// SEC-17, DW-36, VP-13.
#[tokio::test]
async fn a_presentation_signed_by_another_than_the_holder_is_refused() {
    refused(Refusal::HolderBindingInvalid, |scene| {
        scene.presenter = SoftwareKey::generate(Algorithm::ES256).unwrap();
    })
    .await;
}

/// SEC-17.
#[tokio::test]
async fn a_credential_bound_to_nobody_is_refused() {
    refused(Refusal::HolderBindingInvalid, |scene| {
        scene.credential.subject = None;
        scene.sd_credential.holder = None;
    })
    .await;
}

/// SEC-17, DW-36, VP-13.
#[tokio::test]
async fn a_presentation_for_another_request_is_refused() {
    refused(Refusal::PresentationReplayed, |scene| {
        scene.nonce = "n-another".into();
    })
    .await;
}

/// SEC-17, DW-36, VP-13.
#[tokio::test]
async fn a_presentation_for_another_verifier_is_refused() {
    // The DID without its prefix is another audience.
    refused(Refusal::PresentationReplayed, |scene| {
        scene.audience = CLIENT_ID.replace("decentralized_identifier:", "");
    })
    .await;
}

/// SEC-17.
#[tokio::test]
async fn a_presentation_older_than_its_request_is_refused() {
    refused(Refusal::PresentationReplayed, |scene| {
        scene.presented_at = at(-301);
    })
    .await;
}

/// SEC-17.
#[tokio::test]
async fn a_presentation_from_the_future_is_refused() {
    refused(Refusal::HolderBindingInvalid, |scene| {
        scene.presented_at = at(61);
    })
    .await;
}

/// SEC-20, DW-36, VP-12.
#[tokio::test]
async fn a_credential_of_another_type_is_refused() {
    refused(Refusal::CredentialTypeWrong, |scene| {
        scene.credential.types = vec!["TrainingProgramme".into()];
        scene.sd_credential.vct = VCT.replace("Identity", "TrainingProgramme");
    })
    .await;
}

/// SEC-20, VP-12.
#[tokio::test]
async fn a_credential_without_a_claim_that_was_asked_for_is_refused() {
    refused(Refusal::ClaimMissing, |scene| {
        drop(scene.credential.credential_subject.remove("ID-BirthDate"))
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_is_no_text_counts_as_missing() {
    refused(Refusal::ClaimMissing, |scene| {
        drop(
            scene
                .credential
                .credential_subject
                .insert("ID-BirthDate".into(), json!(["1990-04-12"])),
        )
    })
    .await;
}

/// SEC-20.
#[tokio::test]
async fn only_what_was_asked_for_is_taken_from_a_credential_that_says_more() {
    let mut scene = Scene::good();
    scene
        .credential
        .credential_subject
        .insert("role".into(), json!("administrator"));
    assert_eq!(
        (scene.w3c().await.unwrap(), scene.sd_jwt().await.unwrap()),
        (attributes(), attributes())
    );
}

/// SEC-16, VP-13.
#[tokio::test]
async fn the_issuer_is_asked_about_after_the_signature_and_counts_only_if_it_is_trusted() {
    let scene = Scene::good();
    let token = VpToken::one(W3C, scene.presentation(scene.credential().await).await);
    let verified = scene.verified(&token).unwrap();
    assert_eq!(verified.issuer(), ISSUER);
    let refused = verified.trusted(|issuer| issuer != ISSUER);
    assert_eq!(refused.err(), Some(Refusal::IssuerNotTrusted));
    let forged = Scene {
        signer: SoftwareKey::generate(Algorithm::ES256).unwrap(),
        ..Scene::good()
    };
    let token = VpToken::one(W3C, forged.presentation(forged.credential().await).await);
    assert_eq!(
        forged.verified(&token).err(),
        Some(Refusal::SignatureInvalid)
    );
}

/// SEC-20, SEC-25.
#[tokio::test]
async fn only_a_status_of_valid_lets_a_credential_through() {
    let scene = Scene::good();
    let token = VpToken::one(W3C, scene.presentation(scene.credential().await).await);
    let with = |status| {
        scene
            .verified(&token)
            .unwrap()
            .trusted(|_| true)
            .unwrap()
            .claims(status)
    };
    assert_eq!(with(Status::Valid), Ok(attributes()));
    assert_eq!(with(Status::Invalid), Err(Refusal::CredentialRevoked));
    assert_eq!(with(Status::Suspended), Err(Refusal::CredentialSuspended));
    assert_eq!(with(Status::Other(3)), Err(Refusal::StatusUnknown));
}

/// SEC-14, SEC-17.
#[tokio::test]
async fn a_bare_credential_is_no_presentation() {
    let scene = Scene::good();
    assert_eq!(
        scene.verdict(W3C, scene.credential().await),
        Err(Refusal::HolderBindingInvalid)
    );
    let unbound = scene.sd_credential().await.present_all().unwrap();
    assert_eq!(
        scene.verdict(SD_JWT, unbound.as_str().to_owned()),
        Err(Refusal::HolderBindingInvalid)
    );
}

/// SEC-16.
#[tokio::test]
async fn a_key_of_another_controller_does_not_speak_for_the_issuer() {
    let scene = Scene::good();
    let credential = scene
        .credential
        .sign(&scene.signer, "did:web:attacker.example#key")
        .await
        .unwrap();
    assert_eq!(
        scene.verdict(W3C, scene.presentation(credential).await),
        Err(Refusal::SignatureInvalid)
    );
}

/// SEC-17, SD-02, SD-03.
#[tokio::test]
async fn a_disclosure_that_is_withheld_or_changed_or_added_is_noticed() {
    let scene = Scene::good();
    let good = scene.sd_presentation().await;
    let parts: Vec<&str> = good.split('~').collect();
    // Withheld after the holder signed: the binding is over other disclosures.
    let withheld = [&parts[..1], &parts[2..]].concat().join("~");
    assert_eq!(
        scene.verdict(SD_JWT, withheld),
        Err(Refusal::HolderBindingInvalid)
    );
    let other = base64url::encode(r#"["AAAAAAAAAAAAAAAAAAAAAA","ID-LegalSurname","Mallory"]"#);
    let added = [&parts[..1], &[other.as_str()], &parts[1..]]
        .concat()
        .join("~");
    assert_eq!(
        scene.verdict(SD_JWT, added),
        Err(Refusal::PresentationMalformed)
    );
}

/// SEC-14, SV-01.
#[tokio::test]
async fn a_credential_type_token_of_another_kind_does_not_pass_for_an_sd_jwt_vc() {
    let scene = Scene::good();
    let unsigned = scene
        .sd_credential
        .build(attributes(), Vec::new(), &[])
        .unwrap();
    let sd_jwt = SdJwt::parse(
        &unsigned
            .sign(&scene.signer, ProtectedHeader::typ("statuslist+jwt"))
            .await
            .unwrap(),
    )
    .unwrap();
    let presented = sd_jwt.present_all().unwrap();
    let bound = presented
        .bind(&scene.presenter, CLIENT_ID, NONCE, at(-5))
        .await
        .unwrap();
    assert_eq!(scene.verdict(SD_JWT, bound), Err(Refusal::SignatureInvalid));
}

/// SEC-15.
#[tokio::test]
async fn an_unsigned_credential_and_one_signed_with_the_public_key_as_secret_are_refused() {
    let scene = Scene::good();
    let claims = scene.credential.to_claims();
    let none = format!(
        "{}.{}.",
        base64url::encode(json!({"alg": "none", "kid": format!("{ISSUER}#key")}).to_string()),
        base64url::encode(claims.to_string())
    );
    assert_eq!(
        scene.verdict(W3C, scene.presentation(none).await),
        Err(Refusal::PresentationMalformed)
    );
    let public = scene.issuer.public_jwk().to_value().to_string();
    let secret = HmacKey::from_bytes(public.as_bytes()).unwrap();
    let header = ProtectedHeader::typ("JWT").kid(format!("{ISSUER}#key"));
    let confused = jws::sign_hmac(&secret, Algorithm::HS256, header, &claims).unwrap();
    assert_eq!(
        scene.verdict(W3C, scene.presentation(confused).await),
        Err(Refusal::SignatureInvalid)
    );
}

/// SEC-20, VP-10, VP-12.
#[tokio::test]
async fn one_presentation_is_asked_for_and_no_other_is_taken() {
    let scene = Scene::good();
    let w3c = scene.presentation(scene.credential().await).await;
    let refused = |token: &VpToken| scene.verified(token).err();
    assert_eq!(
        refused(&VpToken::one("unasked", w3c.clone())),
        Some(Refusal::PresentationMalformed)
    );
    assert_eq!(
        refused(&VpToken::one(SD_JWT, w3c.clone())),
        Some(Refusal::PresentationMalformed)
    );
    let mut both = VpToken::one(W3C, w3c.clone());
    both.insert(SD_JWT, scene.sd_presentation().await);
    assert_eq!(refused(&both), Some(Refusal::PresentationMalformed));
    let mut twice = VpToken::one(W3C, w3c.clone());
    twice.insert(W3C, w3c);
    assert_eq!(refused(&twice), Some(Refusal::PresentationMalformed));
    for garbage in ["", "x", "a.b.c", "~", "{}"] {
        assert_eq!(
            scene.verdict(W3C, garbage.into()),
            Err(Refusal::PresentationMalformed),
            "{garbage:?}"
        );
        assert_eq!(
            scene.verdict(SD_JWT, garbage.into()),
            Err(Refusal::PresentationMalformed),
            "{garbage:?}"
        );
    }
}

/// SEC-25.
#[tokio::test]
async fn a_status_that_cannot_be_looked_up_is_not_no_status() {
    let scene = Scene::good();
    let mut claims = scene.credential.to_claims();
    claims["status"] = json!({"another_mechanism": {}});
    let header = ProtectedHeader::typ("JWT").kid(format!("{ISSUER}#key"));
    let credential = jws::sign_now(&scene.signer, header, &claims).unwrap();
    assert_eq!(
        scene.verdict(W3C, scene.presentation(credential).await),
        Err(Refusal::StatusUnknown)
    );
}
