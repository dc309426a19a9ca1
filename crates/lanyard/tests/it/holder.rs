//! A holder: a key, and what is signed with it. Every message is made apart from its sending, so that a test can
//! send the same bytes again.

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::{Value, json};
use standards::did;
use standards::jose::{Algorithm, Signer, SoftwareKey, jws};
use standards::openid4vci::proof;
use standards::openid4vp::{AuthorizationResponse, ClientMetadata, VpToken};
use standards::sd_jwt::SdJwt;
use standards::vc::jwt_vp::{self, PresentationClaims};

use crate::by_hand::Answer;

/// The formats in which the new credential comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    W3c,
    SdJwt,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::W3c => "jwt_vc_json",
            Self::SdJwt => "dc+sd-jwt",
        }
    }

    /// How the ids of the configurations in this format end.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::W3c => "jwt-vc",
            Self::SdJwt => "sd-jwt",
        }
    }
}

/// An employee's wallet, reduced to its key and its one credential.
pub(crate) struct Holder {
    key: SoftwareKey,
    pub(crate) format: Format,
    pub(crate) credential: String,
}

impl Holder {
    pub(crate) fn new(format: Format) -> Self {
        let key = SoftwareKey::generate(Algorithm::ES256).unwrap();
        Self {
            key,
            format,
            credential: String::new(),
        }
    }

    /// The body of a credential request. [VCI 8.2]
    pub(crate) async fn credential_request(
        &self,
        issuer: &str,
        configuration: &str,
        nonce: &str,
    ) -> Value {
        let claims = proof::ProofClaims {
            credential_issuer: issuer.to_owned(),
            issued_at: Timestamp::now(),
            nonce: Some(nonce.to_owned()),
            client_id: None,
        };
        let proof = proof::sign(&self.key, &proof::NameKeyBy::Jwk, &claims)
            .await
            .unwrap();
        json!({ "credential_configuration_id": configuration, "proofs": { "jwt": [proof] } })
    }

    /// The form that presents the credential to whoever sent the request object. [VP 8.3.1]
    pub(crate) async fn presentation(&self, request: &RequestObject) -> String {
        let (audience, nonce) = (request.text("client_id"), request.text("nonce"));
        let now = Timestamp::now();
        let presentation = match self.format {
            Format::W3c => {
                let did = did::jwk::encode(self.key.public_jwk()).to_string();
                let claims = PresentationClaims {
                    holder: Some(did.clone()),
                    audience,
                    nonce,
                    issued_at: now,
                    expires_at: now + SignedDuration::from_mins(1),
                    id: format!("urn:uuid:{}", uuid::Uuid::new_v4()),
                    credential: self.credential.clone(),
                };
                jwt_vp::sign(&self.key, &format!("{did}#0"), &claims)
                    .await
                    .unwrap()
            }
            Format::SdJwt => {
                let shown = SdJwt::parse(&self.credential)
                    .unwrap()
                    .present_all()
                    .unwrap();
                shown.bind(&self.key, &audience, &nonce, now).await.unwrap()
            }
        };
        let response = AuthorizationResponse::Presented {
            vp_token: VpToken::one(&request.query_id(self.format), presentation),
            state: Some(request.text("state")),
        };
        let metadata = ClientMetadata::parse(&request.0["client_metadata"]).unwrap();
        response.to_encrypted_form(&metadata).unwrap()
    }
}

/// The claims of a verifier's request object.
pub(crate) struct RequestObject(Value);

impl RequestObject {
    pub(crate) fn parse(answer: &Answer) -> Self {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let parsed = jws::parse(&answer.body).unwrap();
        Self(Value::Object(parsed.unverified_claims().clone()))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.0[name].as_str().unwrap().to_owned()
    }

    fn query_id(&self, format: Format) -> String {
        let asked = self.0["dcql_query"]["credentials"].as_array().unwrap();
        let found = asked
            .iter()
            .find(|one| one["format"] == format.name())
            .unwrap();
        found["id"].as_str().unwrap().to_owned()
    }
}
