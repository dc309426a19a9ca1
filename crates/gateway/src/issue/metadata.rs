//! What an issuer says of what it does, all public: credential issuer, authorization server, credential types.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use standards::jose::Algorithm;
use standards::oauth::metadata::AuthorizationServerMetadata;
use standards::openid4vci::{
    ClaimDescription, CredentialConfiguration, CredentialDefinition, CredentialMetadata, Display,
    IssuerMetadata, PRE_AUTHORIZED_CODE, ProofType, metadata::ClaimDisplay,
};
use standards::{dcql, openid4vci};

use super::answer::Refused;
use super::organisation;
use crate::app::{App, Parts};
use crate::keys::KeyPurpose;
use crate::live::Live;
use crate::organisation::Organisation;
use crate::organisation::catalogue::{Attribute, CredentialType, Format};

/// What wallets may sign their key proofs with.
pub(super) const PROOF_ALGORITHMS: &[Algorithm] =
    &[Algorithm::ES256, Algorithm::EdDSA, Algorithm::ES384];
/// How a holder's key may be named.
const BINDING_METHODS: [&str; 3] = ["jwk", "did:jwk", "did:key"];
/// The language of labels.
const LOCALE: &str = "en-GB";

pub(super) fn router() -> Router<Live> {
    let well_known = |name: &str| format!("/.well-known/{name}/issuers/{{organisation}}");
    Router::new()
        .route(
            &well_known(openid4vci::CREDENTIAL_ISSUER_WELL_KNOWN),
            get(answer_issuer),
        )
        .route(
            &well_known(openid4vci::AUTHORIZATION_SERVER_WELL_KNOWN),
            get(answer_authorization_server),
        )
        .route("/credential-types/{name}", get(answer_type))
}

async fn answer_issuer(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let organisation = organisation(&app, &id)?;
    let key = app.keys.active(KeyPurpose::Credentials, &organisation.id)?;
    let metadata = issuer_metadata(&app, organisation, key.algorithm());
    Ok(public(metadata.to_value()))
}

async fn answer_authorization_server(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let organisation = organisation(&app, &id)?;
    let issuer = &organisation.credential_issuer;
    let metadata = AuthorizationServerMetadata {
        issuer: issuer.clone(),
        token_endpoint: Some(format!("{issuer}/token")),
        grant_types_supported: Some(vec![PRE_AUTHORIZED_CODE.to_owned()]),
        token_endpoint_auth_methods_supported: Some(vec!["none".to_owned()]),
        pre_authorized_grant_anonymous_access_supported: Some(true),
        ..AuthorizationServerMetadata::default()
    };
    Ok(public(serde_json::to_value(metadata).unwrap_or_default()))
}

/// [SV-04] SD-JWT VC type metadata.
async fn answer_type(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let unknown = || {
        Refused::unknown(
            "credential-type-unknown",
            "there is no credential type at this address",
        )
    };
    let credential_type = app
        .organisations
        .credential_type(&name)
        .ok_or_else(unknown)?;
    let claims = credential_type.attributes.iter().map(|attribute| {
        json!({
            "path": [attribute.name],
            "display": [{"locale": LOCALE, "label": attribute.label}],
            "mandatory": attribute.mandatory,
            "sd": "always",
        })
    });
    Ok(public(json!({
        "vct": credential_type.vct(&app.base),
        "name": credential_type.label,
        "display": [{"locale": LOCALE, "name": credential_type.label}],
        "claims": claims.collect::<Vec<_>>(),
        "schema_uri": credential_type.claims_schema_address(&app.base),
    })))
}

/// [VCI-01 to VCI-04]
fn issuer_metadata(
    app: &Parts,
    organisation: &Organisation,
    algorithm: Algorithm,
) -> IssuerMetadata {
    let issuer = &organisation.credential_issuer;
    let mut configurations = BTreeMap::new();
    for credential_type in app
        .organisations
        .catalogue
        .iter()
        .filter(|known| organisation.may_issue(&known.name))
    {
        for format in &credential_type.formats {
            let configuration = configuration(app, algorithm, credential_type, *format);
            configurations.insert(credential_type.configuration_id(*format), configuration);
        }
    }
    IssuerMetadata {
        credential_issuer: issuer.clone(),
        authorization_servers: None,
        credential_endpoint: format!("{issuer}/credential"),
        nonce_endpoint: Some(format!("{issuer}/nonce")),
        deferred_credential_endpoint: None,
        notification_endpoint: Some(format!("{issuer}/notification")),
        credential_request_encryption: None,
        credential_response_encryption: None,
        batch_credential_issuance: None,
        display: Some(vec![display(&organisation.name)]),
        credential_configurations_supported: configurations,
        other: Map::new(),
    }
}

fn configuration(
    app: &Parts,
    algorithm: Algorithm,
    credential_type: &CredentialType,
    format: Format,
) -> CredentialConfiguration {
    let names = |algorithms: &[Algorithm]| {
        algorithms
            .iter()
            .map(|alg| Value::from(alg.as_str()))
            .collect()
    };
    let proof = ProofType {
        proof_signing_alg_values_supported: names(PROOF_ALGORITHMS),
        key_attestations_required: None,
    };
    let types = vec![
        "VerifiableCredential".to_owned(),
        credential_type.name.clone(),
    ];
    let (vct, definition) = match format {
        Format::JwtVcJson => (None, Some(CredentialDefinition { types })),
        Format::SdJwtVc => (Some(credential_type.vct(&app.base)), None),
    };
    CredentialConfiguration {
        format: dcql::Format::from(format.name().to_owned()),
        scope: None,
        credential_signing_alg_values_supported: Some(names(&[algorithm])),
        cryptographic_binding_methods_supported: Some(BINDING_METHODS.map(str::to_owned).into()),
        proof_types_supported: Some(BTreeMap::from([("jwt".to_owned(), proof)])),
        vct,
        credential_definition: definition,
        credential_metadata: Some(CredentialMetadata {
            display: Some(vec![display(&credential_type.label)]),
            claims: Some(
                credential_type
                    .attributes
                    .iter()
                    .filter_map(|attribute| claim(attribute, format))
                    .collect(),
            ),
        }),
        other: Map::new(),
    }
}

/// [VCI B.2] Paths begin at the credential for the W3C form, at the claims for SD-JWT VC.
fn claim(attribute: &Attribute, format: Format) -> Option<ClaimDescription> {
    let path = match format {
        Format::JwtVcJson => vec!["credentialSubject", attribute.name.as_str()],
        Format::SdJwtVc => vec![attribute.name.as_str()],
    };
    let label = ClaimDisplay {
        name: Some(attribute.label.clone()),
        locale: Some(LOCALE.to_owned()),
    };
    // A path of one or two names is always a path.
    let path = dcql::Path::of_keys(path).ok()?;
    Some(ClaimDescription {
        path,
        mandatory: attribute.mandatory,
        display: Some(vec![label]),
    })
}

fn display(name: &str) -> Display {
    Display {
        name: Some(name.to_owned()),
        locale: Some(LOCALE.to_owned()),
        ..Display::default()
    }
}

/// A document for everybody, wallets in browsers included. Five minutes are far shorter than a key is published before
/// and after it signs, and no longer than one that is compromised may go on being believed.
pub(super) fn public(document: Value) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, Json(document)).into_response()
}
