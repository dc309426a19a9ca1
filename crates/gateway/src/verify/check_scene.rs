//! A scene for the checks: an issuer, a holder, a credential and its presentation, real and signed.
#![allow(clippy::unwrap_used)]

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use standards::did;
use standards::jose::jws::ProtectedHeader;
use standards::jose::{Algorithm, Signer, SoftwareKey};
use standards::openid4vp::VpToken;
use standards::sd_jwt::SdJwt;
use standards::status_list::{Status, StatusReference};
use standards::vc::jwt_vp::PresentationClaims;
use standards::vc::{Validity, jwt_vc_json, jwt_vp, sd_jwt_vc};

use super::super::super::query::{Question, query};
use super::super::*;
use crate::organisation::catalogue::Catalogue;

pub(super) const W3C: &str = "identity-jwt-vc";
pub(super) const SD_JWT: &str = "identity-sd-jwt";
pub(super) const VCT: &str = "https://gateway.example/credential-types/Identity";
pub(super) const ISSUER: &str = "did:web:issuer.example";
pub(super) const CLIENT_ID: &str =
    "decentralized_identifier:did:web:gateway.example:issuers:anytown";
pub(super) const NONCE: &str = "n-0S6_WzA2Mj-0123456789";

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(super) fn attributes() -> Map<String, Value> {
    let attributes = json!({
        "ID-LegalFirstName": "Anna", "ID-LegalSurname": "Taylor", "ID-BirthDate": "1990-04-12",
        "UniqueIdentifier": "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10",
    });
    attributes.as_object().unwrap().clone()
}

/// An issuer, a holder, and everything about one presentation, in both formats, ready to be changed.
pub(super) struct Scene {
    pub(super) issuer: SoftwareKey,
    pub(super) signer: SoftwareKey,
    pub(super) presenter: SoftwareKey,
    pub(super) query: Query,
    pub(super) credential: jwt_vc_json::Credential,
    pub(super) sd_credential: sd_jwt_vc::Credential,
    pub(super) audience: String,
    pub(super) nonce: String,
    pub(super) presented_at: Timestamp,
}

pub(super) fn copy(key: &SoftwareKey) -> SoftwareKey {
    SoftwareKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap()
}

impl Scene {
    pub(super) fn good() -> Self {
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
                status_entries: Vec::new(),
                schema: None,
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

    pub(super) async fn credential(&self) -> String {
        self.credential
            .sign(&self.signer, &format!("{}#key", self.credential.issuer))
            .await
            .unwrap()
    }

    pub(super) async fn presentation(&self, credential: String) -> String {
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

    pub(super) async fn w3c(&self) -> Result<Map<String, Value>, Refusal> {
        let presentation = self.presentation(self.credential().await).await;
        self.verdict(W3C, presentation)
    }

    pub(super) async fn sd_credential(&self) -> SdJwt {
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

    pub(super) async fn sd_presentation(&self) -> String {
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

    pub(super) async fn sd_jwt(&self) -> Result<Map<String, Value>, Refusal> {
        let presentation = self.sd_presentation().await;
        self.verdict(SD_JWT, presentation)
    }

    pub(super) fn verified(&self, token: &VpToken) -> Result<Verified, Refusal> {
        let asked = Asked {
            query: &self.query,
            client_id: CLIENT_ID,
            nonce: NONCE,
            now: at(0),
        };
        let catalogue = Catalogue::built_in().unwrap();
        let question = Question {
            credential_type: catalogue.find("Identity").unwrap(),
            query: self.query.clone(),
        };
        let answer = answers(token, &[question])?.remove(0);
        answer.verify(self.issuer.public_jwk(), &asked)
    }

    pub(super) fn verdict(
        &self,
        id: &str,
        presentation: String,
    ) -> Result<Map<String, Value>, Refusal> {
        self.verified(&VpToken::one(id, presentation))?
            .trusted(|_| true)?
            .claims(Status::Valid)
    }
}
