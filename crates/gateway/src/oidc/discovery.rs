//! Discovery documents and key sets: the modern one at the root, and the two of the old contracts literally
//! as their clients know them (rulings 1, gateway contract 2.2).

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use standards::jose::Algorithm;
use standards::jose::jwk_set::JwkSet;
use utoipa::{IntoResponses, ToSchema};

use crate::app::App;
use crate::keys::{GATEWAY, KeyPurpose};
use crate::openapi::OAuthError;

/// A public document.
#[derive(IntoResponses)]
#[allow(dead_code)]
enum Document {
    /// Changes with the configuration and with keys, of which each is published long before and after it signs.
    #[response(status = 200, content_type = "application/json")]
    Found(#[to_schema] Members),
    /// The address is longer than is read.
    #[response(status = 414)]
    LongAddress(OAuthError),
    /// Too many requests; `Retry-After` says when to come again.
    #[response(status = 429)]
    TooMany(OAuthError),
    /// The gateway is busy. Try again.
    #[response(status = 503)]
    Busy(OAuthError),
}

/// Members as the standards name them.
#[derive(ToSchema)]
#[schema(value_type = Object)]
struct Members(#[allow(dead_code)] Value);

/// May be kept for five minutes.
fn public(document: Value) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, Json(document)).into_response()
}

/// What the provider offers
///
/// For a library that configures itself [OIDC Discovery 4]; the same for one that knows OAuth only [RFC 8414 3].
#[utoipa::path(
    get,
    path = "/.well-known/openid-configuration",
    tag = "Discovery",
    responses(Document)
)]
pub async fn modern(State(app): State<App>) -> Response {
    let mut scopes = vec!["openid".to_owned()];
    scopes.extend(
        app.organisations
            .catalogue
            .iter()
            .flat_map(|kind| [kind.name.clone(), format!("issue.{}", kind.name)]),
    );
    public(json!({
        "issuer": app.base,
        "authorization_endpoint": app.url("/authorize"),
        "token_endpoint": app.url("/token"),
        "userinfo_endpoint": app.url("/userinfo"),
        "pushed_authorization_request_endpoint": app.url("/par"),
        "jwks_uri": app.url("/jwks"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "token_endpoint_auth_signing_alg_values_supported": Algorithm::ASYMMETRIC.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["login", "consent", "select_account"],
        "ui_locales_supported": ["en", "cy"],
        "claim_types_supported": ["normal"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"],
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_pushed_authorization_requests": false,
        "service_documentation": app.url("/help"),
    }))
}

/// What the provider offers by the first contract
#[utoipa::path(
    get,
    path = "/oidc/.well-known/openid-configuration",
    tag = "Discovery",
    responses(Document)
)]
pub async fn v1(State(app): State<App>) -> Response {
    let mut document = old(&app, "/oidc", "/oidc/.well-known/openid-configuration/jwks");
    document["issuer"] = app.url("/oidc").into();
    document["require_pushed_authorization_requests"] = true.into();
    public(document)
}

/// What the provider offers by the second contract
#[utoipa::path(
    get,
    path = "/v2.0/.well-known/openid-configuration",
    tag = "Discovery",
    responses(Document)
)]
pub async fn v2(State(app): State<App>) -> Response {
    let mut document = old(
        &app,
        "/v2.0/oidc",
        "/v2.0/.well-known/openid-configuration/jwks",
    );
    document["issuer"] = app.base.clone().into();
    document["require_pushed_authorization_requests"] = false.into();
    document["subject_types_supported"] = json!(["public"]);
    document["request_parameter_supported"] = false.into();
    public(document)
}

fn old(app: &App, endpoints: &str, jwks: &str) -> Value {
    json!({
        "pushed_authorization_request_endpoint": app.url(&format!("{endpoints}/par")),
        "authorization_endpoint": app.url(&format!("{endpoints}/authorize")),
        "token_endpoint": app.url(&format!("{endpoints}/token")),
        "jwks_uri": app.url(jwks),
        "response_modes_supported": ["query"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    })
}

/// Keys of the old contracts
///
/// RSA only, since their clients read nothing else.
#[utoipa::path(
    get,
    path = "/.well-known/openid-configuration/jwks",
    tag = "Discovery",
    responses(Document)
)]
pub async fn rsa_keys(State(app): State<App>) -> Response {
    public(
        JwkSet::new(
            app.keys
                .published(KeyPurpose::IdTokenRs256, GATEWAY)
                .cloned(),
        )
        .to_value(),
    )
}

/// Every key that signs ID tokens
///
/// Those that will sign and those that did are among them.
#[utoipa::path(get, path = "/jwks", tag = "Discovery", responses(Document))]
pub async fn all_keys(State(app): State<App>) -> Response {
    let keys = KeyPurpose::OF_ID_TOKENS.into_iter();
    let keys = keys.flat_map(|purpose| app.keys.published(purpose, GATEWAY));
    public(JwkSet::new(keys.cloned()).to_value())
}
