//! What proves who an issuer is: its DID document, by path or by Host name, the keys of its SD-JWT VCs, and what links its
//! DID to its domain.
//!
//! The Host name of a request decides among the configured ones and is used for nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use standards::did::{Did, Document, Relationship};
use standards::jose::Jwk;
use standards::jose::jws::{self, ProtectedHeader};

use super::answer::Refused;
use super::metadata::public;
use super::organisation;
use crate::app::{App, Parts};
use crate::keys::KeyPurpose;
use crate::live::Live;
use crate::organisation::Organisation;

/// How long a domain linkage credential may be believed.
const LINKAGE_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// After which time it is signed again.
const LINKAGE_RENEWAL: SignedDuration = SignedDuration::from_hours(24);
/// [Well Known DID Configuration]
const LINKAGE_CONTEXT: &str = "https://identity.foundation/.well-known/did-configuration/v1";

pub(super) fn router() -> Router<Live> {
    Router::new()
        .route(
            "/.well-known/jwt-vc-issuer/issuers/{organisation}",
            get(answer_keys),
        )
        .route("/issuers/{organisation}/did.json", get(answer_path_did))
        .route("/.well-known/did.json", get(answer_host_did))
        .route("/.well-known/did-configuration.json", get(answer_linkage))
        .layer(Extension(Arc::new(Linkages::default())))
}

/// [SV-03] The keys by which an SD-JWT VC of this issuer, and its status list, are verified.
async fn answer_keys(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Refused> {
    let organisation = organisation(&app, &id)?;
    let credentials = app
        .keys
        .published(KeyPurpose::Credentials, &organisation.id);
    let now = app.now();
    let mut keys: Vec<Value> = credentials
        .map(|key| organisation.published(key, key, now))
        .collect();
    // A list serves credentials of both formats, and its `kid` is a DID URL. [TSL 11.3] It has to be found here
    // too, where the key of an SD-JWT VC was: so the key goes by that name in this set.
    for key in app.keys.published(KeyPurpose::Status, &organisation.id) {
        let kid = key.kid().unwrap_or_default();
        keys.extend(organisation.dids().map(|did| {
            let named = key.clone().with_kid(format!("{did}#{kid}"));
            organisation.published(key, &named, now)
        }));
    }
    Ok(public(
        json!({"issuer": organisation.credential_issuer, "jwks": {"keys": keys}}),
    ))
}

/// The document of the DID that is a path. It stays when the organisation has a domain of its own.
async fn answer_path_did(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let organisation = organisation(&app, &id)?;
    document(&app, organisation, &organisation.path_did).map(public)
}

/// Every document of an organisation's, by its DID.
pub(crate) fn documents(app: &Parts, organisation: &Organisation) -> Vec<(String, Value)> {
    let dids = organisation.dids();
    dids.filter_map(|did| Some((did.to_owned(), document(app, organisation, did).ok()?)))
        .collect()
}

/// The document of the DID that is this domain.
async fn answer_host_did(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let host = host(&app, &uri, &headers).unwrap_or_default();
    let organisation = app
        .organisations
        .find_host(&host)
        .ok_or_else(unknown_host)?;
    document(&app, organisation, &organisation.did).map(public)
}

fn unknown_host() -> Refused {
    Refused::unknown(
        "issuer-unknown",
        "there is no credential issuer of this domain",
    )
}

/// The host and port that the request is for, as a DID has them: in lower case, without the scheme's own port.
fn host(app: &Parts, uri: &Uri, headers: &HeaderMap) -> Option<String> {
    // HTTP/2 has it in the address.
    let named = uri.authority().map(axum::http::uri::Authority::as_str);
    let named = named.or_else(|| headers.get(header::HOST)?.to_str().ok())?;
    let own_port = if app.is_https() { ":443" } else { ":80" };
    let named = named.to_ascii_lowercase();
    Some(named.strip_suffix(own_port).unwrap_or(&named).to_owned())
}

/// SEC-14: what verifiers take for a credential or a status list is never signed with the key that asks wallets for
/// presentations, and the other way round.
fn document(app: &Parts, organisation: &Organisation, did: &str) -> Result<Value, Refused> {
    let (issuing, presenting): (&[Relationship], &[Relationship]) = (
        &[Relationship::AssertionMethod],
        &[Relationship::Authentication],
    );
    let keys: Vec<(&Jwk, &[Relationship])> = [
        (KeyPurpose::Credentials, issuing),
        (KeyPurpose::Status, issuing),
        (KeyPurpose::Requests, presenting),
    ]
    .into_iter()
    .flat_map(|(purpose, uses)| {
        let keys = app.keys.published(purpose, &organisation.id);
        keys.map(move |key| (key, uses))
    })
    .collect();
    let others = organisation.dids().filter(|other| *other != did);
    let also: Vec<String> = std::iter::once(organisation.credential_issuer.as_str())
        .chain(others)
        .map(str::to_owned)
        .collect();
    let parsed = Did::parse(did).map_err(|_| Refused::unavailable())?;
    let mut document = Document::build(&parsed, &keys, &also);
    let now = app.now();
    let methods = document["verificationMethod"].as_array_mut();
    for (method, (key, _)) in methods.into_iter().flatten().zip(&keys) {
        method["publicKeyJwk"] = organisation.published(key, key, now);
    }
    document["service"] = json!([{
        "id": format!("{did}#linked-domains"),
        "type": "LinkedDomains",
        "serviceEndpoint": {"origins": [origin_of(app, organisation, did)]},
    }]);
    Ok(document)
}

/// The origin that a DID of an organisation is linked to: its domain, or the gateway's.
fn origin_of(app: &Parts, organisation: &Organisation, did: &str) -> String {
    match &organisation.did_host {
        Some(host) if did == organisation.did => {
            let scheme = if app.is_https() { "https" } else { "http" };
            format!("{scheme}://{host}")
        }
        _ => app.base.clone(),
    }
}

/// Which DIDs belong to this domain, in their own words. [Well Known DID Configuration]
async fn answer_linkage(
    State(app): State<App>,
    Extension(linkages): Extension<Arc<Linkages>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let host = host(&app, &uri, &headers).unwrap_or_default();
    let base = app.base.split_once("://").map_or("", |(_, host)| host);
    let mut linked = Vec::new();
    for organisation in app.organisations.iter() {
        let is_here = match &organisation.did_host {
            Some(own) => *own == host,
            None => host == base,
        };
        if is_here {
            linked.push(linkages.find_or_sign(&app, organisation).await?);
        }
    }
    if linked.is_empty() {
        return Err(unknown_host());
    }
    Ok(public(
        json!({"@context": LINKAGE_CONTEXT, "linked_dids": linked}),
    ))
}

/// Linkages as they were last signed, by DID.
#[derive(Default)]
struct Linkages(Mutex<HashMap<String, Linkage>>);

struct Linkage {
    kid: String,
    at: Timestamp,
    jwt: String,
}

impl Linkages {
    async fn find_or_sign(
        &self,
        app: &Parts,
        organisation: &Organisation,
    ) -> Result<String, Refused> {
        let now = app.now();
        let key = app.keys.active(KeyPurpose::Credentials, &organisation.id)?;
        let kid = organisation.key_id(key);
        {
            // Nothing is done while the lock is held but to look.
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh =
                |one: &&Linkage| one.kid == kid && one.at <= now && now < one.at + LINKAGE_RENEWAL;
            if let Some(one) = known.get(&organisation.did).filter(fresh) {
                return Ok(one.jwt.clone());
            }
        }
        let claims = linkage(app, organisation, now);
        let header = ProtectedHeader::untyped().kid(kid.as_str());
        let signed = jws::sign(key.as_ref(), header, &claims).await;
        let jwt = signed.map_err(|error| {
            tracing::error!(%error, organisation = organisation.id, "a domain linkage could not be signed");
            Refused::unavailable()
        })?;
        let one = Linkage {
            kid,
            at: now,
            jwt: jwt.clone(),
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(organisation.did.clone(), one);
        Ok(jwt)
    }
}

/// The credential in its form as a JWT: issuer and subject are the DID, and it has no id.
fn linkage(app: &Parts, organisation: &Organisation, now: Timestamp) -> Value {
    let did = organisation.did.as_str();
    let ends = now + LINKAGE_LIFETIME;
    let date = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "iss": did,
        "sub": did,
        "nbf": now.as_second(),
        "exp": ends.as_second(),
        "vc": {
            "@context": ["https://www.w3.org/2018/credentials/v1", LINKAGE_CONTEXT],
            "issuer": did,
            "issuanceDate": date(now),
            "expirationDate": date(ends),
            "type": ["VerifiableCredential", "DomainLinkageCredential"],
            "credentialSubject": {"id": did, "origin": origin_of(app, organisation, did)},
        },
    })
}
