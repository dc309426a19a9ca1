//! The party as a credential issuer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::SignedDuration;
use serde_json::{Value, json};
use standards::jose::{Algorithm, Signer, SoftwareKey};
use standards::oauth::Form;
use standards::openid4vci::proof::{Expected, NamedKey};
use standards::openid4vci::{
    CredentialOffer, CredentialRequest, CredentialResponse, KeyProof, NotificationRequest,
    OfferLink, Proofs, Requested, TokenRequest, VerifiedProof,
};
use standards::status_list::{self, Bits, Status, StatusList, StatusListToken, StatusReference};
use standards::vc::{Validity, jwt_vc_json, sd_jwt_vc};

use crate::party::{Memory, ORGANISATION, Party, Quirk, object, random};

pub const VCT: &str = "https://types.example/Identity";
const LIFE: SignedDuration = SignedDuration::from_hours(24);

type Shared = State<Arc<Party>>;

pub fn router() -> Router<Arc<Party>> {
    let own = |path: &str| format!("/issuers/{ORGANISATION}/{path}");
    Router::new()
        .route(
            &format!("/.well-known/openid-credential-issuer/issuers/{ORGANISATION}"),
            get(metadata),
        )
        .route(
            &format!("/.well-known/oauth-authorization-server/issuers/{ORGANISATION}"),
            get(server_metadata),
        )
        .route(&own("offer/{code}"), get(offer))
        .route(&own("token"), post(token))
        .route(&own("nonce"), post(nonce))
        .route(&own("credential"), post(credential))
        .route(&own("notification"), post(notification))
        .route(&own("status"), get(status))
        .route("/w/{id}", get(short_link))
}

impl Party {
    fn offered(&self, configurations: &[&str]) -> CredentialOffer {
        let code = random();
        let configurations: Vec<String> = configurations.iter().map(|&id| id.to_owned()).collect();
        self.remember(|memory| memory.codes.insert(code.clone(), configurations.clone()));
        let mut offer = CredentialOffer::pre_authorized(&self.issuer(), "", code.into());
        offer.credential_configuration_ids = configurations;
        offer
    }

    /// A link with the offer in it.
    pub fn offer(&self, configurations: &[&str]) -> String {
        self.offered(configurations).link()
    }

    /// A link to an offer.
    pub fn offer_by_reference(&self, configuration: &str) -> String {
        let offer = self.offered(&[configuration]);
        let code = offer
            .pre_authorized_code()
            .unwrap()
            .pre_authorized_code
            .reveal();
        OfferLink::by_reference(&format!("{}/offer/{code}", self.issuer()))
    }

    /// A web address that leads to the link.
    pub fn short_link(&self, link: String) -> String {
        let id = random();
        self.remember(|memory| memory.short_links.insert(id.clone(), link));
        format!("{}/w/{id}", self.base)
    }

    pub fn revoke_all(&self) {
        self.remember(|memory| memory.revoked = (0..memory.issued).collect());
    }
}

async fn short_link(State(party): Shared, Path(id): Path<String>) -> Redirect {
    Redirect::to(&party.remember(|memory| memory.short_links[&id].clone()))
}

async fn offer(State(party): Shared, Path(code): Path<String>) -> Json<Value> {
    let id = party.remember(|memory| memory.codes[&code][0].clone());
    Json(CredentialOffer::pre_authorized(&party.issuer(), &id, code.into()).to_value())
}

async fn metadata(State(party): Shared) -> Json<Value> {
    let issuer = party.issuer();
    let w3c = |name: &str, types: &[&str]| {
        json!({
            "format": "jwt_vc_json",
            "credential_definition": {"type": types},
            "cryptographic_binding_methods_supported": ["did:jwk", "jwk"],
            "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
            "credential_metadata": {"display": [{"name": name, "locale": "en-GB"}], "claims": [
                {"path": ["credentialSubject", "surname"], "display": [{"name": "Surname"}]},
                {"path": ["credentialSubject", "birth_date"]},
            ]},
        })
    };
    let mut sd_jwt = w3c("Identity", &[]);
    sd_jwt["format"] = json!("dc+sd-jwt");
    sd_jwt["vct"] = json!(VCT);
    sd_jwt["credential_metadata"]["claims"] = json!([
        {"path": ["surname"], "display": [{"name": "Nom", "locale": "fr"}, {"name": "Surname", "locale": "en-GB"}]},
        {"path": ["birth_date"]},
    ]);
    Json(json!({
        "credential_issuer": issuer,
        "credential_endpoint": format!("{issuer}/credential"),
        "nonce_endpoint": format!("{issuer}/nonce"),
        "notification_endpoint": format!("{issuer}/notification"),
        "display": [{"name": "Acorn NHS Trust"}],
        "credential_configurations_supported": {
            "Identity": w3c("Identity", &["VerifiableCredential", "Identity"]),
            "Training": w3c("Training", &["VerifiableCredential", "Training"]),
            "IdentitySd": sd_jwt,
        },
    }))
}

async fn server_metadata(State(party): Shared) -> Json<Value> {
    let issuer = party.issuer();
    Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "response_types_supported": [],
        "pre-authorized_grant_anonymous_access_supported": true,
    }))
}

fn refuse(code: &str) -> Response {
    let body = json!({"error": code, "error_description": "the test issuer says no"});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

async fn token(State(party): Shared, body: Bytes) -> Response {
    let request = TokenRequest::parse(&Form::parse(&body).unwrap()).unwrap();
    let token = random();
    let spent = |memory: &mut Memory| memory.codes.remove(request.pre_authorized_code.reveal());
    let Some(configurations) = party.remember(spent) else {
        return refuse("invalid_grant");
    };
    party.remember(|memory| memory.tokens.insert(token.clone(), configurations));
    Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": 600})).into_response()
}

async fn nonce(State(party): Shared) -> Json<Value> {
    let nonce = random();
    party.remember(|memory| memory.nonces.insert(nonce.clone()));
    Json(json!({"c_nonce": nonce}))
}

/// What the access token of a request is good for.
fn granted(party: &Party, headers: &HeaderMap) -> Option<Vec<String>> {
    let token = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")?;
    party.remember(|memory| memory.tokens.get(token).cloned())
}

async fn credential(State(party): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let Some(granted) = granted(&party, &headers) else {
        let body = json!({"error": "invalid_token"});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    };
    let request = CredentialRequest::parse(&body).unwrap();
    let Some(Proofs::Jwt(proofs)) = request.proofs else {
        return refuse("invalid_proof");
    };
    let issuer = party.issuer();
    let expected = Expected {
        credential_issuer: &issuer,
        algorithms: &[Algorithm::ES256],
        client_id: None,
        nonce_required: true,
        now: party.now(),
        max_age: SignedDuration::from_mins(5),
        skew: SignedDuration::from_secs(30),
    };
    let Ok(proof) = KeyProof::parse(&proofs[0]).and_then(|proof| proof.check(&expected)) else {
        return refuse("invalid_proof");
    };
    if !party.remember(|memory| memory.nonces.remove(proof.nonce.as_deref().unwrap())) {
        return refuse("invalid_nonce");
    }
    let Requested::ConfigurationId(id) = request.requested else {
        return refuse("unknown_credential_identifier");
    };
    if !granted.contains(&id) {
        return refuse("credential_request_denied");
    }
    let compact = match id.as_str() {
        "Identity" => w3c(&party, "Identity", &proof).await,
        "IdentitySd" => sd_jwt(&party, &proof).await,
        "Training" => w3c(&party, "Training", &proof).await,
        _ => return refuse("credential_request_denied"),
    };
    party.remember(|memory| memory.issued += 1);
    Json(CredentialResponse::issued(&compact, Some(random())).to_value()).into_response()
}

fn holder(party: &Party, proof: &VerifiedProof) -> standards::jose::Jwk {
    if party.has(Quirk::BindsToAnotherKey) {
        SoftwareKey::generate(Algorithm::ES256)
            .unwrap()
            .public_jwk()
            .bare_key()
    } else {
        proof.holder.clone()
    }
}

fn validity(party: &Party) -> Validity {
    let now = party.now();
    Validity {
        issued_at: Some(now),
        not_before: Some(now),
        expires_at: Some(now + LIFE),
    }
}

fn reference(party: &Party) -> StatusReference {
    let index = party.remember(|memory| memory.issued);
    StatusReference {
        index,
        uri: format!("{}/status", party.issuer()),
    }
}

async fn w3c(party: &Party, name: &str, proof: &VerifiedProof) -> String {
    assert!(matches!(&proof.named, NamedKey::Kid(kid) if kid.starts_with("did:jwk:")));
    let credential = jwt_vc_json::Credential {
        issuer: party.did.to_string(),
        subject: Some(standards::did::jwk::encode(&holder(party, proof)).to_string()),
        id: Some(format!("urn:uuid:{}", uuid::Uuid::new_v4())),
        types: vec![name.to_owned()],
        credential_subject: object(&json!({"surname": "Nasser", "birth_date": "1990-02-03"})),
        validity: validity(party),
        status: Some(reference(party)),
        status_entries: Vec::new(),
        schema: None,
        confirmation: None,
    };
    credential
        .sign(party.signing_key(), &party.kid())
        .await
        .unwrap()
}

async fn sd_jwt(party: &Party, proof: &VerifiedProof) -> String {
    assert!(matches!(&proof.named, NamedKey::Jwk(_)));
    let mut visible = object(&json!({
        "iss": party.issuer(),
        "vct": VCT,
        "jti": format!("urn:uuid:{}", uuid::Uuid::new_v4()),
        "iat": party.now().as_second(),
        "exp": (party.now() + LIFE).as_second(),
        "cnf": {"jwk": holder(party, proof).to_value()},
    }));
    visible.insert("status".into(), reference(party).to_value());
    let hidden = [
        ("surname", "Nasser"),
        ("birth_date", "1990-02-03"),
        ("email", "a@acorn.example"),
    ];
    let hidden = hidden.map(|(name, value)| {
        (
            name.to_owned(),
            json!(value),
            *uuid::Uuid::new_v4().as_bytes(),
        )
    });
    let unsigned = standards::sd_jwt::Unsigned::build(visible, hidden.into(), &[]).unwrap();
    let kid = party.key.public_jwk().kid().unwrap();
    let header = standards::jose::jws::ProtectedHeader::typ(sd_jwt_vc::TYP).kid(kid);
    unsigned.sign(party.signing_key(), header).await.unwrap()
}

async fn notification(State(party): Shared, headers: HeaderMap, body: Bytes) -> StatusCode {
    assert!(granted(&party, &headers).is_some());
    let request = NotificationRequest::parse(&body).unwrap();
    party.remember(|memory| memory.events.push(request.event.as_str().to_owned()));
    StatusCode::NO_CONTENT
}

async fn status(State(party): Shared) -> Response {
    let mut list = StatusList::new(Bits::One, 64);
    for index in party.remember(|memory| memory.revoked.clone()) {
        list.set(index, Status::Invalid).unwrap();
    }
    let token = StatusListToken {
        uri: format!("{}/status", party.issuer()),
        issuer: None,
        issued_at: party.now(),
        expires_at: Some(party.now() + SignedDuration::from_mins(10)),
        ttl: Some(30),
        list,
    };
    let text = status_list::sign(&party.key, &party.kid(), &token)
        .await
        .unwrap();
    ([(header::CONTENT_TYPE, status_list::MEDIA_TYPE)], text).into_response()
}
