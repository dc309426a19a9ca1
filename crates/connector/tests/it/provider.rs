//! A small OpenID provider with pushed requests. It signs with real keys and checks client, PKCE
//! and redirect URI; `Fault` says which single rule it breaks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use connector::{ClientSecret, Connector, Dialect, Http, HttpOptions, Push, Settings, SigningKey};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, HmacKey, JwkSet, Signer, SoftwareKey, Typ};
use standards::oauth::{CodeChallenge, CodeVerifier, Form};
use url::Url;

use crate::key_folder::made_once;
use crate::said::{self, Unsaid};

pub(crate) const CLIENT_ID: &str = "portal:1";
pub(crate) const CLIENT_SECRET: &str = "s+cret /of the portal";
pub(crate) const REDIRECT_URI: &str = "http://localhost:8499/callback";
pub(crate) const SIGNING_KEY: &str = "c2lnbmluZyBrZXkgb2YgdGhpcnR5LXR3byBieXRlcyE=";

/// The one rule that the provider breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    #[default]
    Nothing,
    PushAnswers(u16),
    TokenAnswers(u16),
    TokenIsSlow,
    TokenIsHuge,
    TokenRedirects,
    TokenIsNoJson,
    KeysAnswer(u16),
    IdTokenBadSignature,
    IdTokenAlgNone,
    IdTokenHmacWithPublicKey,
    IdTokenOtherKeySameKid,
    IdTokenEmbeddedKey,
    IdTokenNoKid,
    IdTokenUnknownKid,
    IdTokenNewKid,
    IdTokenOtherTyp,
    IdTokenEs256,
    IdTokenClaim(&'static str, &'static str),
    IdTokenWithout(&'static str),
    DiscoveryIssuer,
    DiscoveryClearText,
    DiscoveryNoPush,
    RevokeAnswers(u16),
}

pub(crate) struct Provider {
    pub(crate) base: String,
    state: Arc<Shared>,
}

struct Shared {
    base: String,
    rsa: SoftwareKey,
    new_rsa: SoftwareKey,
    ec: SoftwareKey,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    fault: Fault,
    requests: HashMap<String, Form>,
    codes: HashMap<String, Form>,
    calls: Vec<(String, String)>,
    revocations: Vec<Value>,
    key_fetches: usize,
    /// The time that ID tokens are dated.
    now: Option<Timestamp>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        said::listen();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(Shared {
            base: base.clone(),
            rsa: rsa_key(0),
            new_rsa: rsa_key(1),
            ec: SoftwareKey::generate(Algorithm::ES256).unwrap(),
            inner: Mutex::default(),
        });
        let mut app = Router::new()
            .route("/jwks", get(jwks))
            .route("/Revocation/revokecredential", post(revoke));
        for place in ["", "/oidc", "/v2.0"] {
            app = app.route(
                &format!("{place}/.well-known/openid-configuration"),
                get(discovery),
            );
        }
        for place in ["/oidc", "/v2.0/oidc"] {
            app = app
                .route(&format!("{place}/par"), post(push))
                .route(&format!("{place}/token"), post(token));
        }
        let app = app.with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base, state }
    }

    pub(crate) fn breaks(&self, fault: Fault) {
        self.state.inner.lock().unwrap().fault = fault;
    }

    pub(crate) fn dates_tokens(&self, now: Timestamp) {
        self.state.inner.lock().unwrap().now = Some(now);
    }

    /// Path and body of each form that was posted.
    pub(crate) fn calls(&self) -> Vec<(String, String)> {
        self.state.inner.lock().unwrap().calls.clone()
    }

    pub(crate) fn revocations(&self) -> Vec<Value> {
        self.state.inner.lock().unwrap().revocations.clone()
    }

    pub(crate) fn key_fetches(&self) -> usize {
        self.state.inner.lock().unwrap().key_fetches
    }

    pub(crate) fn settings(&self, dialect: Dialect) -> Settings {
        Settings {
            gateway: Url::parse(&self.base).unwrap(),
            dialect,
            push: Push::Always,
            client_id: CLIENT_ID.to_owned(),
            client_secret: ClientSecret::new(CLIENT_SECRET),
            signing_key: Some(SigningKey::from_base64(SIGNING_KEY).unwrap()),
            organisation_id: "anytown".to_owned(),
            redirect_uri: Url::parse(REDIRECT_URI).unwrap(),
        }
    }

    pub(crate) async fn connector(&self, dialect: Dialect) -> Connector {
        Connector::discover(self.settings(dialect), http())
            .await
            .unwrap()
    }

    /// What employee, browser and wallet do together: the request is answered, and the browser
    /// comes back with this query.
    pub(crate) fn comes_back(&self, url: &Url) -> String {
        let mut inner = self.state.inner.lock().unwrap();
        let query = Form::parse(url.query().unwrap().as_bytes()).unwrap();
        assert_eq!(query.find("client_id"), Some(CLIENT_ID));
        let request = match query.find("request_uri") {
            Some(request_uri) => {
                assert_eq!(query.names().count(), 2, "only client_id and request_uri");
                inner.requests.remove(request_uri).unwrap()
            }
            None => query,
        };
        let code = format!("code-{}", inner.codes.len());
        let state = request.find("state").unwrap().to_owned();
        inner.codes.insert(code.clone(), request);
        standards::oauth::form::encode([("code", code.as_str()), ("state", state.as_str())])
    }
}

/// The connector's HTTP with a short patience.
pub(crate) fn http() -> Http {
    let timeout = Duration::from_millis(800);
    Http::new(HttpOptions {
        timeout,
        ..HttpOptions::default()
    })
    .unwrap()
}

impl Drop for Provider {
    fn drop(&mut self) {
        let mut unsaid = Unsaid::of_everybody();
        unsaid.add("a client secret", CLIENT_SECRET);
        unsaid.add("a signing key", SIGNING_KEY);
        unsaid.was_not_said();
    }
}

fn rsa_key(number: usize) -> SoftwareKey {
    let made = made_once(&format!("provider-{number}.der"), || {
        let key = SoftwareKey::generate(Algorithm::RS256).unwrap();
        key.to_pkcs8_der().unwrap().to_vec()
    });
    SoftwareKey::from_pkcs8_der(&made).unwrap()
}

async fn discovery(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let fault = shared.inner.lock().unwrap().fault;
    let base = &shared.base;
    let place = uri
        .path()
        .strip_suffix("/.well-known/openid-configuration")
        .unwrap();
    let (issuer, endpoints, methods) = match place {
        "/oidc" => (
            format!("{base}/oidc"),
            format!("{base}/oidc"),
            json!(["client_secret_post"]),
        ),
        "/v2.0" => (
            base.clone(),
            format!("{base}/v2.0/oidc"),
            json!(["client_secret_post"]),
        ),
        _ => (
            base.clone(),
            format!("{base}/oidc"),
            json!(["client_secret_basic", "client_secret_post"]),
        ),
    };
    let issuer = if fault == Fault::DiscoveryIssuer {
        format!("{issuer}/")
    } else {
        issuer
    };
    let algorithms = if place.is_empty() {
        json!(["RS256", "ES256"])
    } else {
        json!(["RS256"])
    };
    let mut document = json!({
        "issuer": issuer,
        "pushed_authorization_request_endpoint": format!("{endpoints}/par"),
        "authorization_endpoint": format!("{endpoints}/authorize"),
        "token_endpoint": format!("{endpoints}/token"),
        "jwks_uri": format!("{base}/jwks"),
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported": methods,
    });
    match fault {
        Fault::DiscoveryClearText => {
            document["token_endpoint"] = json!("http://gateway.example/oidc/token");
        }
        Fault::DiscoveryNoPush => {
            document
                .as_object_mut()
                .unwrap()
                .remove("pushed_authorization_request_endpoint");
        }
        _ => {}
    }
    axum::Json(document).into_response()
}

async fn jwks(State(shared): State<Arc<Shared>>) -> Response {
    let mut inner = shared.inner.lock().unwrap();
    inner.key_fetches += 1;
    if let Fault::KeysAnswer(status) = inner.fault {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let mut keys = vec![
        shared.rsa.public_jwk().clone(),
        shared.ec.public_jwk().clone(),
    ];
    if inner.fault == Fault::IdTokenNewKid {
        keys.push(shared.new_rsa.public_jwk().clone());
    }
    axum::Json(JwkSet::new(keys).to_value()).into_response()
}

/// The client, by whichever of the two ways it chose.
fn client_is_known(headers: &HeaderMap, form: &Form) -> bool {
    use base64::Engine as _;
    let Some(authorization) = headers.get(header::AUTHORIZATION) else {
        return form.find("client_id") == Some(CLIENT_ID)
            && form.find("client_secret") == Some(CLIENT_SECRET);
    };
    let basic = authorization
        .to_str()
        .unwrap()
        .strip_prefix("Basic ")
        .unwrap();
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(basic)
        .unwrap();
    form.find("client_secret").is_none() && decoded == b"portal%3A1:s%2Bcret+%2Fof+the+portal"
}

fn refused(status: u16, code: &str) -> Response {
    let body = axum::Json(json!({"error": code, "error_description": "as the test wants it"}));
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

async fn push(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut inner = shared.inner.lock().unwrap();
    inner.calls.push((
        uri.path().to_owned(),
        String::from_utf8(body.to_vec()).unwrap(),
    ));
    let form = Form::parse(&body).unwrap();
    if !client_is_known(&headers, &form) {
        return refused(401, "invalid_client");
    }
    if let Fault::PushAnswers(status) = inner.fault {
        return refused(status, "invalid_scope");
    }
    let issuer = if uri.path() == "/oidc/par" && !headers.contains_key(header::AUTHORIZATION) {
        format!("{}/oidc", shared.base)
    } else {
        shared.base.clone()
    };
    if let Some(hint) = form.find("id_token_hint")
        && !hint_is_good(hint, &issuer)
    {
        return refused(400, "invalid_request");
    }
    let request_uri = format!("urn:ietf:params:oauth:request_uri:{}", inner.requests.len());
    inner.requests.insert(request_uri.clone(), form);
    (
        StatusCode::CREATED,
        axum::Json(json!({"request_uri": request_uri, "expires_in": 600})),
    )
        .into_response()
}

fn hint_is_good(hint: &str, issuer: &str) -> bool {
    let key = HmacKey::parse(SIGNING_KEY).unwrap();
    let parsed = jws::parse(hint).unwrap();
    let Ok(verified) = parsed.verify_hmac(&key, &[Algorithm::HS256], Typ::Is("JWT")) else {
        return false;
    };
    let claims = verified.claims();
    let now = Timestamp::now().as_second();
    let number = |name: &str| claims[name].as_i64().unwrap();
    claims["iss"] == CLIENT_ID
        && claims["aud"] == issuer
        && number("nbf") <= now
        && number("exp") > now
}

async fn token(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (fault, now, request) = {
        let mut inner = shared.inner.lock().unwrap();
        inner.calls.push((
            uri.path().to_owned(),
            String::from_utf8(body.to_vec()).unwrap(),
        ));
        let form = Form::parse(&body).unwrap();
        if !client_is_known(&headers, &form) {
            return refused(401, "invalid_client");
        }
        let request = form.find("code").and_then(|code| inner.codes.remove(code));
        let Some(request) = request else {
            return refused(400, "invalid_grant");
        };
        let challenge = CodeChallenge::from_text(request.find("code_challenge").unwrap()).unwrap();
        let verifier = CodeVerifier::parse(form.find("code_verifier").unwrap()).unwrap();
        if !challenge.matches(&verifier)
            || form.find("grant_type") != Some("authorization_code")
            || form.find("redirect_uri") != request.find("redirect_uri")
        {
            return refused(400, "invalid_grant");
        }
        (
            inner.fault,
            inner.now.unwrap_or_else(Timestamp::now),
            request,
        )
    };
    match fault {
        Fault::TokenAnswers(status) => return refused(status, "invalid_grant"),
        Fault::TokenIsSlow => tokio::time::sleep(Duration::from_secs(3)).await,
        Fault::TokenIsHuge => return vec![b' '; 4 << 20].into_response(),
        Fault::TokenIsNoJson => return "<html>".into_response(),
        Fault::TokenRedirects => {
            let elsewhere = [(header::LOCATION, format!("{}/jwks", shared.base))];
            return (StatusCode::TEMPORARY_REDIRECT, elsewhere).into_response();
        }
        _ => {}
    }
    let issuer = if uri.path() == "/oidc/token" && !headers.contains_key(header::AUTHORIZATION) {
        format!("{}/oidc", shared.base)
    } else {
        shared.base.clone()
    };
    let claims = id_token_claims(&request, &issuer, now, fault);
    let id_token = signed(&shared, &claims, fault);
    axum::Json(json!({
        "id_token": id_token, "access_token": "opaque", "token_type": "Bearer", "expires_in": 300,
        "scope": request.find("scope"),
    }))
    .into_response()
}

fn id_token_claims(request: &Form, issuer: &str, now: Timestamp, fault: Fault) -> Value {
    let mut claims = json!({
        "iss": issuer, "sub": "holder-1", "aud": CLIENT_ID, "nonce": request.find("nonce"),
        "iat": now.as_second(), "exp": now.as_second() + 300,
    });
    let members = claims.as_object_mut().unwrap();
    if let Some(hint) = request.find("id_token_hint") {
        let drafted: &Map<String, Value> = &jws::parse(hint).unwrap().unverified_claims().clone();
        for (name, value) in drafted {
            members.entry(name.clone()).or_insert_with(|| value.clone());
        }
    } else {
        for (name, value) in [
            ("ID-LegalFirstName", "Amina"),
            ("ID-LegalSurname", "Okafor"),
            ("ID-BirthDate", "1990-02-03"),
            ("UniqueIdentifier", "7e1f4d3a-53c5-4a0e-9b4e-0d6f1c2a3b4c"),
        ] {
            members.insert(format!("Identity.{name}"), json!(value));
        }
    }
    match fault {
        Fault::IdTokenClaim(name, value) => {
            members.insert(name.to_owned(), serde_json::from_str(value).unwrap());
        }
        Fault::IdTokenWithout(name) => {
            members.remove(name).unwrap();
        }
        _ => {}
    }
    claims
}

fn signed(shared: &Shared, claims: &Value, fault: Fault) -> String {
    let kid = shared.rsa.public_jwk().kid().unwrap().to_owned();
    let header = ProtectedHeader::typ("JWT");
    let sign = |key: &SoftwareKey, header| jws::sign_now(key, header, claims).unwrap();
    match fault {
        Fault::IdTokenBadSignature => {
            let good = sign(&shared.rsa, header);
            let (input, signature) = good.rsplit_once('.').unwrap();
            let mut signature = standards::base64url::decode(signature).unwrap();
            signature[100] ^= 1;
            format!("{input}.{}", standards::base64url::encode(signature))
        }
        Fault::IdTokenAlgNone => {
            let header = json!({"alg": "none", "kid": kid}).to_string();
            let encode = |text: String| standards::base64url::encode(text);
            format!("{}.{}.", encode(header), encode(claims.to_string()))
        }
        Fault::IdTokenHmacWithPublicKey => {
            let public = shared.rsa.public_jwk().to_value();
            let key = HmacKey::from_bytes(public["n"].as_str().unwrap().as_bytes()).unwrap();
            jws::sign_hmac(&key, Algorithm::HS256, header.kid(kid), claims).unwrap()
        }
        Fault::IdTokenOtherKeySameKid => sign(&shared.new_rsa, header.kid(kid)),
        Fault::IdTokenEmbeddedKey => {
            let key = &shared.new_rsa;
            sign(key, header.jwk(key.public_jwk()).kid(kid))
        }
        Fault::IdTokenNoKid => sign(&shared.rsa, header.without_kid()),
        Fault::IdTokenUnknownKid => sign(&shared.rsa, header.kid("nobody")),
        Fault::IdTokenNewKid => sign(&shared.new_rsa, header),
        Fault::IdTokenOtherTyp => sign(&shared.rsa, ProtectedHeader::typ("at+jwt")),
        Fault::IdTokenEs256 => sign(&shared.ec, header),
        _ => sign(&shared.rsa, header),
    }
}

async fn revoke(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let mut inner = shared.inner.lock().unwrap();
    inner
        .revocations
        .push(serde_json::from_slice(&body).unwrap());
    match inner.fault {
        Fault::RevokeAnswers(status) => refused(status, "not_found"),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}
