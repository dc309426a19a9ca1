//! The party as a verifier. It checks everything, and names each refusal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::SignedDuration;
use serde_json::{Value, json};
use standards::dcql::{Candidate, Format, Query};
use standards::jose::jwe::DecryptionKey;
use standards::jose::{Algorithm, Signer};
use standards::oauth::Form;
use standards::openid4vp::{
    AuthorizationResponse, ClientId, ClientMetadata, REQUEST_OBJECT_MEDIA_TYPE, RequestLink,
    RequestObject, RequestUriMethod, RequestUriPost, ResponseBody, ResponseMode,
};
use standards::sd_jwt::SdJwt;
use standards::status_list::StatusReference;
use standards::vc::holder::PresentationExpectation;
use standards::vc::jwt_vc_json::ParsedCredential;
use standards::vc::jwt_vp::ParsedPresentation;
use standards::vc::sd_jwt_vc;
use url::Url;

use crate::issuer::VCT;
use crate::party::{Party, Quirk, random};

const ES256: &[Algorithm] = &[Algorithm::ES256];
const SKEW: SignedDuration = SignedDuration::from_secs(30);
const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

type Shared = State<Arc<Party>>;

/// One request, as the verifier remembers it.
#[derive(Clone)]
pub struct Asked {
    nonce: String,
    state: String,
    query: Query,
    mode: ResponseMode,
    key: Arc<DecryptionKey>,
    until: jiff::Timestamp,
    used: bool,
}

pub fn router() -> Router<Arc<Party>> {
    Router::new()
        .route("/request/{id}", get(request).post(request_by_post))
        .route("/response/{id}", post(response))
}

/// `surname` of the identity, as a W3C credential.
pub fn surname() -> Value {
    json!({"credentials": [{
        "id": "identity", "format": "jwt_vc_json", "meta": {"type_values": [["VerifiableCredential", "Identity"]]},
        "claims": [{"path": ["credentialSubject", "surname"]}],
    }]})
}

/// `surname` of the identity, as an SD-JWT VC.
pub fn surname_sd() -> Value {
    json!({"credentials": [{
        "id": "identity", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": [{"path": ["surname"]}],
    }]})
}

/// The same in either format, the W3C form first.
pub fn surname_either() -> Value {
    let (mut query, mut other) = (surname(), surname_sd()["credentials"][0].clone());
    other["id"] = json!("identity-sd");
    query["credentials"].as_array_mut().unwrap().push(other);
    query["credential_sets"] = json!([{"options": [["identity"], ["identity-sd"]]}]);
    query
}

impl Party {
    pub fn client_id(&self) -> ClientId {
        ClientId::DecentralizedIdentifier(self.did.clone())
    }

    pub fn ask(&self, query: &Value, mode: ResponseMode, method: RequestUriMethod) -> String {
        let id = random();
        let asked = Asked {
            nonce: random(),
            state: random(),
            query: Query::parse(query).unwrap(),
            mode,
            key: Arc::new(DecryptionKey::generate().unwrap()),
            until: self.now() + MAX_AGE,
            used: false,
        };
        self.remember(|memory| memory.requests.insert(id.clone(), asked));
        let uri = Url::parse(&format!("{}/request/{id}", self.base)).unwrap();
        RequestLink::by_reference(self.client_id(), uri, method).to_string()
    }

    /// The usual request: encrypted answer, fetched by POST.
    pub fn ask_usual(&self, query: &Value) -> String {
        self.ask(query, ResponseMode::DirectPostJwt, RequestUriMethod::Post)
    }
}

async fn request(State(party): Shared, Path(id): Path<String>) -> Response {
    signed(&party, &id, None).await
}

async fn request_by_post(State(party): Shared, Path(id): Path<String>, body: Bytes) -> Response {
    let post = RequestUriPost::parse(&Form::parse(&body).unwrap()).unwrap();
    assert!(
        post.wallet_metadata
            .unwrap()
            .contains_key("vp_formats_supported")
    );
    signed(&party, &id, post.wallet_nonce).await
}

async fn signed(party: &Party, id: &str, wallet_nonce: Option<String>) -> Response {
    if party.has(Quirk::NeverAnswers) {
        tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    }
    let asked = party.remember(|memory| memory.requests[id].clone());
    let key = (asked.mode == ResponseMode::DirectPostJwt).then(|| asked.key.public_jwk(id));
    let client_id = if party.has(Quirk::NamesAnotherVerifier) {
        ClientId::parse("decentralized_identifier:did:web:other.example").unwrap()
    } else {
        party.client_id()
    };
    let mut metadata = ClientMetadata::new(key, ES256);
    metadata
        .other
        .insert("client_name".into(), json!("Acorn portal"));
    metadata.other.insert(
        "client_purpose".into(),
        json!("To see who starts at Acorn ward"),
    );
    let past = SignedDuration::from_hours(i64::from(party.has(Quirk::AsksInThePast)));
    let object = RequestObject {
        client_id,
        response_uri: Url::parse(&format!("{}/response/{id}", party.base)).unwrap(),
        response_mode: asked.mode,
        nonce: asked.nonce,
        state: Some(asked.state),
        dcql_query: asked.query,
        client_metadata: Some(metadata),
        wallet_nonce: wallet_nonce.filter(|_| !party.has(Quirk::ForgetsWalletNonce)),
        issued_at: Some(party.now() - past),
        expires_at: Some(asked.until - past),
    };
    let text = object
        .sign(party.signing_key(), &party.kid())
        .await
        .unwrap();
    ([(header::CONTENT_TYPE, REQUEST_OBJECT_MEDIA_TYPE)], text).into_response()
}

async fn response(State(party): Shared, Path(id): Path<String>, body: Bytes) -> Response {
    let verdict = verdict(&party, &id, &body);
    party.remember(|memory| memory.verdicts.push(verdict.clone()));
    match verdict {
        Ok(_) => Json(json!({"redirect_uri": format!("{}/done?response_code=x", party.base)}))
            .into_response(),
        Err(code) if code == "access_denied" => Json(json!({})).into_response(),
        Err(code) => {
            let body = json!({"error": "invalid_request", "error_description": code});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}

fn verdict(party: &Party, id: &str, body: &[u8]) -> Result<BTreeSet<String>, String> {
    let asked = party.remember(|memory| {
        let entry = memory.requests.get_mut(id).unwrap();
        let asked = entry.clone();
        entry.used = true;
        asked
    });
    if asked.used {
        return Err("already-answered".into());
    }
    if party.now() > asked.until {
        return Err("too-late".into());
    }
    let body = ResponseBody::parse(&Form::parse(body).unwrap()).unwrap();
    if asked.mode == ResponseMode::DirectPostJwt {
        assert_eq!(
            body.kid().unwrap().as_deref(),
            Some(id),
            "the answer is encrypted, errors too"
        );
    }
    let response = body.open(asked.mode, Some(&asked.key)).unwrap();
    assert_eq!(response.state(), Some(asked.state.as_str()));
    let vp_token = match response {
        AuthorizationResponse::Refused(answer) => return Err(answer.error.as_str().to_owned()),
        AuthorizationResponse::Presented { vp_token, .. } => vp_token,
    };
    let mut documents = BTreeMap::new();
    for (id, presentations) in vp_token.iter() {
        let format = asked.query.find(id).ok_or("not-asked-for")?.format.clone();
        for presentation in presentations {
            let (claims, format) = check(party, &asked, presentation, format.clone())?;
            documents.insert(id.to_owned(), (claims, format));
        }
    }
    let candidate = |(claims, format)| Candidate {
        format,
        claims,
        holder_binding: true,
    };
    let candidates = documents
        .iter()
        .map(|(id, (claims, format))| (id.clone(), vec![candidate((claims, format))]))
        .collect();
    asked
        .query
        .check(&candidates)
        .map_err(|error| format!("query: {error}"))?;
    let names = documents.values().flat_map(|(claims, _)| {
        let subject = claims.get("credentialSubject").unwrap_or(claims);
        subject
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    });
    Ok(names.collect())
}

/// The checked credential of one presentation, as claims paths see it.
fn check(
    party: &Party,
    asked: &Asked,
    text: &str,
    format: Format,
) -> Result<(Value, Format), String> {
    let now = party.now();
    let key = party.key.public_jwk();
    let audience = party.client_id().to_string();
    let (audience, nonce) = (audience.as_str(), asked.nonce.as_str());
    let expected = PresentationExpectation {
        audience,
        nonce,
        algorithms: ES256,
        now,
        max_age: MAX_AGE,
        skew: SKEW,
    };
    let (document, status) = if format == Format::DcSdJwt {
        let sd_jwt = SdJwt::parse(text).map_err(|error| error.to_string())?;
        let (credential, verified) = sd_jwt_vc::Credential::verify(&sd_jwt, key, ES256, now, SKEW)
            .map_err(|error| error.to_string())?;
        verified
            .check_key_binding(&expected)
            .map_err(|error| error.to_string())?;
        assert_eq!(credential.vct, VCT);
        let status = StatusReference::parse(verified.claims()).unwrap();
        (Value::Object(verified.claims().clone()), status)
    } else {
        let presentation = ParsedPresentation::parse(text).map_err(|error| error.to_string())?;
        let parsed = ParsedCredential::parse(presentation.credential())
            .map_err(|error| error.to_string())?;
        let credential = parsed
            .verify(key, ES256, now, SKEW)
            .map_err(|error| error.to_string())?;
        presentation
            .check(&credential, &expected)
            .map_err(|error| error.to_string())?;
        (credential.document(), credential.status)
    };
    let revoked = |index| party.remember(|memory| memory.revoked.contains(&index));
    if status.is_some_and(|status| revoked(status.index)) {
        return Err("revoked".into());
    }
    Ok((document, format))
}
