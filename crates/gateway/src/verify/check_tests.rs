//! Real credentials, really signed and presented; each refusal differs from a good presentation in one thing.
#![allow(clippy::unwrap_used)]

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use standards::base64url;
use standards::did;
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, HmacKey, Signer, SoftwareKey};
use standards::openid4vp::VpToken;
use standards::sd_jwt::SdJwt;
use standards::status_list::{Status, StatusReference};
use standards::vc::jwt_vp::PresentationClaims;
use standards::vc::{Validity, jwt_vc_json, jwt_vp, sd_jwt_vc};

use super::super::query::query;
use super::*;
use crate::organisation::catalogue::Catalogue;

const W3C: &str = "identity-jwt-vc";
const SD_JWT: &str = "identity-sd-jwt";
const VCT: &str = "https://gateway.example/credential-types/Identity";
const ISSUER: &str = "did:web:issuer.example";
const CLIENT_ID: &str = "decentralized_identifier:did:web:gateway.example:issuers:anytown";
const NONCE: &str = "n-0S6_WzA2Mj-0123456789";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn attributes() -> Map<String, Value> {
    let attributes = json!({
        "ID-LegalFirstName": "Anna", "ID-LegalSurname": "Taylor", "ID-BirthDate": "1990-04-12",
        "UniqueIdentifier": "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10",
    });
    attributes.as_object().unwrap().clone()
}

/// An issuer, a holder, and everything about one presentation, in both formats, ready to be changed.
struct Scene {
    issuer: SoftwareKey,
    signer: SoftwareKey,
    presenter: SoftwareKey,
    query: Query,
    credential: jwt_vc_json::Credential,
    sd_credential: sd_jwt_vc::Credential,
    audience: String,
    nonce: String,
    presented_at: Timestamp,
}

fn copy(key: &SoftwareKey) -> SoftwareKey {
    SoftwareKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap()
}

impl Scene {
    fn good() -> Self {
        let catalogue = Catalogue::built_in().unwrap();
        let issuer = SoftwareKey::generate(Algorithm::ES256).unwrap();
        let holder = SoftwareKey::generate(Algorithm::ES256).unwrap();
        let validity = Validity {
            issued_at: Some(at(-600)),
            not_before: Some(at(-600)),
            expires_at: Some(at(3600)),
        };
        let status = Some(StatusReference {
            index: 7,
            uri: "https://issuer.example/status/1".into(),
        });
        Self {
            signer: copy(&issuer),
            query: query(catalogue.find("Identity").unwrap(), VCT).unwrap(),
            credential: jwt_vc_json::Credential {
                issuer: ISSUER.into(),
                subject: Some(did::jwk::encode(holder.public_jwk()).to_string()),
                id: Some("urn:uuid:8b9a1f0e-52f4-4b6f-9b2f-6f3a0a9f8d10".into()),
                types: vec!["Identity".into()],
                credential_subject: attributes(),
                validity,
                status: status.clone(),
                confirmation: None,
            },
            sd_credential: sd_jwt_vc::Credential {
                issuer: "https://issuer.example".into(),
                vct: VCT.into(),
                validity,
                status,
                holder: Some(holder.public_jwk().bare_key()),
            },
            audience: CLIENT_ID.into(),
            nonce: NONCE.into(),
            presented_at: at(-5),
            presenter: holder,
            issuer,
        }
    }

    async fn credential(&self) -> String {
        self.credential
            .sign(&self.signer, &format!("{}#key", self.credential.issuer))
            .await
            .unwrap()
    }

    async fn presentation(&self, credential: String) -> String {
        let claims = PresentationClaims {
            holder: self.credential.subject.clone(),
            audience: self.audience.clone(),
            nonce: self.nonce.clone(),
            issued_at: self.presented_at,
            expires_at: self.presented_at + SignedDuration::from_secs(60),
            id: "urn:uuid:11111111-52f4-4b6f-9b2f-6f3a0a9f8d10".into(),
            credential,
        };
        jwt_vp::sign(&self.presenter, "did:jwk:x#0", &claims)
            .await
            .unwrap()
    }

    async fn w3c(&self) -> Result<Map<String, Value>, Refusal> {
        let presentation = self.presentation(self.credential().await).await;
        self.verdict(W3C, presentation)
    }

    async fn sd_credential(&self) -> SdJwt {
        let attributes = self.credential.credential_subject.clone();
        let disclosable = (0_u8..)
            .zip(attributes)
            .map(|(salt, (name, value))| (name, value, [salt; 16]))
            .collect();
        let unsigned = self
            .sd_credential
            .build(Map::new(), disclosable, &[])
            .unwrap();
        let header = ProtectedHeader::typ(sd_jwt_vc::TYP);
        SdJwt::parse(&unsigned.sign(&self.signer, header).await.unwrap()).unwrap()
    }

    async fn sd_presentation(&self) -> String {
        let presented = self.sd_credential().await.present_all().unwrap();
        presented
            .bind(
                &self.presenter,
                &self.audience,
                &self.nonce,
                self.presented_at,
            )
            .await
            .unwrap()
    }

    async fn sd_jwt(&self) -> Result<Map<String, Value>, Refusal> {
        let presentation = self.sd_presentation().await;
        self.verdict(SD_JWT, presentation)
    }

    fn verified(&self, token: &VpToken) -> Result<Verified, Refusal> {
        let asked = Asked {
            query: &self.query,
            client_id: CLIENT_ID,
            nonce: NONCE,
            now: at(0),
        };
        Parsed::parse(token, &self.query)?.verify(self.issuer.public_jwk(), &asked)
    }

    fn verdict(&self, id: &str, presentation: String) -> Result<Map<String, Value>, Refusal> {
        self.verified(&VpToken::one(id, presentation))?
            .trusted(|_| true)?
            .claims(Status::Valid)
    }
}

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
    let refused = scene
        .verified(&token)
        .unwrap()
        .trusted(|issuer| issuer != ISSUER);
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
