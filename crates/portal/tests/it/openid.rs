//! An organisation's OpenID provider: it checks client, PKCE and redirect URI as it must, and lies where a test wants it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use connector::SecretSource;
use gateway::clock::Clock;
use portal::config::{LogInConfig, PersonColumn};
use serde_json::{Map, Value, json};
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, HmacKey, JwkSet, Signer, SoftwareKey};
use standards::oauth::{CodeChallenge, CodeVerifier, Form};
use url::Url;

const SECRET: &str = "the secret of the portal at the organisation's provider";

/// What is wrong with the ID token's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Signature {
    #[default]
    Good,
    Broken,
    None,
    HmacWithPublicKey,
    OtherKeySameKid,
    EmbeddedKey,
    UnknownKid,
    OtherType,
}

pub(crate) struct OpenId {
    pub(crate) base: String,
    shared: Arc<Shared>,
}

struct Shared {
    base: String,
    key: SoftwareKey,
    other: SoftwareKey,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    clock: Option<Clock>,
    codes: HashMap<String, Form>,
    answers: bool,
    takes_codes_again: bool,
    token_status: Option<u16>,
    signature: Signature,
    /// Claims and discovery members that are said otherwise; null leaves one out.
    claims: Map<String, Value>,
    document: Map<String, Value>,
}

impl OpenId {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let shared = Arc::new(Shared {
            base: base.clone(),
            key: SoftwareKey::generate(Algorithm::ES256).unwrap(),
            other: SoftwareKey::generate(Algorithm::ES256).unwrap(),
            inner: Mutex::default(),
        });
        shared.inner.lock().unwrap().answers = true;
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base, shared }
    }

    pub(crate) fn config(&self) -> LogInConfig {
        LogInConfig {
            issuer: self.base.clone(),
            name: "Anytown".to_owned(),
            client_id: "portal".to_owned(),
            client_secret: SecretSource::held(SECRET),
            claim: "email".to_owned(),
            column: PersonColumn::Email,
            scopes: vec!["email".to_owned()],
            acr: Vec::new(),
            amr: Vec::new(),
            passwords: true,
            certificate_authority: None,
        }
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.shared.inner.lock().unwrap()
    }

    pub(crate) fn dates_tokens_by(&self, clock: Clock) {
        self.inner().clock = Some(clock);
    }

    pub(crate) fn answers(&self, answers: bool) {
        self.inner().answers = answers;
    }

    /// As no provider may.
    pub(crate) fn takes_codes_again(&self, does: bool) {
        self.inner().takes_codes_again = does;
    }

    pub(crate) fn token_answers(&self, status: Option<u16>) {
        self.inner().token_status = status;
    }

    pub(crate) fn signs(&self, signature: Signature) {
        self.inner().signature = signature;
    }

    /// From now on the ID token says these instead.
    pub(crate) fn claims(&self, claims: &Value) {
        self.inner().claims.clone_from(claims.as_object().unwrap());
    }

    /// From now on the discovery document says these instead.
    pub(crate) fn describes(&self, document: &Value) {
        self.inner()
            .document
            .clone_from(document.as_object().unwrap());
    }

    /// The person logs in at the provider's page; the address that leads back.
    pub(crate) fn comes_back(&self, url: &str) -> String {
        let url = Url::parse(url).unwrap();
        assert!(url.as_str().starts_with(&self.base), "{url}");
        let request = Form::parse(url.query().unwrap().as_bytes()).unwrap();
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "portal"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(request.find(name), Some(value), "{url}");
        }
        assert!(request.find("scope").unwrap().starts_with("openid"));
        let mut back = Url::parse(request.find("redirect_uri").unwrap()).unwrap();
        let mut inner = self.inner();
        let code = format!("code-{}", inner.codes.len());
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", request.find("state").unwrap());
        inner.codes.insert(code, request);
        back.to_string()
    }
}

fn patched(mut value: Value, with: &Map<String, Value>) -> Value {
    let members = value.as_object_mut().unwrap();
    for (name, value) in with {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    value
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Response {
    let inner = shared.inner.lock().unwrap();
    if !inner.answers {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let base = &shared.base;
    let document = json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/jwks"),
        "end_session_endpoint": format!("{base}/end"),
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    axum::Json(patched(document, &inner.document)).into_response()
}

async fn jwks(State(shared): State<Arc<Shared>>) -> Response {
    let keys = vec![shared.key.public_jwk().clone()];
    axum::Json(JwkSet::new(keys).to_value()).into_response()
}

async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    use base64::Engine as _;
    let mut inner = shared.inner.lock().unwrap();
    if let Some(status) = inner.token_status {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let authorization = headers[header::AUTHORIZATION].to_str().unwrap();
    let basic = base64::engine::general_purpose::STANDARD.decode(&authorization["Basic ".len()..]);
    let secret: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    assert_eq!(basic.unwrap(), format!("portal:{secret}").as_bytes());
    let form = Form::parse(&body).unwrap();
    let code = form.find("code").unwrap_or_default();
    let request = if inner.takes_codes_again {
        inner.codes.get(code).cloned()
    } else {
        inner.codes.remove(code)
    };
    let Some(request) = request else {
        let refusal = json!({"error": "invalid_grant"});
        return (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response();
    };
    let challenge = CodeChallenge::from_text(request.find("code_challenge").unwrap()).unwrap();
    let verifier = CodeVerifier::parse(form.find("code_verifier").unwrap()).unwrap();
    assert!(challenge.matches(&verifier));
    assert_eq!(form.find("redirect_uri"), request.find("redirect_uri"));
    let now = inner.clock.as_ref().unwrap().now().as_second();
    let claims = json!({
        "iss": shared.base, "sub": "u-17", "aud": "portal", "nonce": request.find("nonce"),
        "iat": now, "exp": now + 300, "email": "Anna@Anytown.example", "email_verified": true,
    });
    let claims = patched(claims, &inner.claims);
    let id_token = signed(&shared, inner.signature, &claims);
    let tokens = json!({"id_token": id_token, "access_token": "a", "token_type": "Bearer"});
    axum::Json(tokens).into_response()
}

fn signed(shared: &Shared, signature: Signature, claims: &Value) -> String {
    let kid = shared.key.public_jwk().kid().unwrap().to_owned();
    let header = ProtectedHeader::typ("JWT");
    let sign = |key: &SoftwareKey, header| jws::sign_now(key, header, claims).unwrap();
    match signature {
        Signature::Good => sign(&shared.key, header),
        Signature::Broken => {
            let good = sign(&shared.key, header);
            let (input, signature) = good.rsplit_once('.').unwrap();
            let mut signature = standards::base64url::decode(signature).unwrap();
            signature[40] ^= 1;
            format!("{input}.{}", standards::base64url::encode(signature))
        }
        Signature::None => {
            let header = json!({"alg": "none", "kid": kid}).to_string();
            let encode = |text: String| standards::base64url::encode(text);
            format!("{}.{}.", encode(header), encode(claims.to_string()))
        }
        Signature::HmacWithPublicKey => {
            let public = shared.key.public_jwk().to_value();
            let key = HmacKey::from_bytes(public["x"].as_str().unwrap().as_bytes()).unwrap();
            jws::sign_hmac(&key, Algorithm::HS256, header.kid(kid), claims).unwrap()
        }
        Signature::OtherKeySameKid => sign(&shared.other, header.kid(kid)),
        Signature::EmbeddedKey => {
            let embedded = header.jwk(shared.other.public_jwk());
            sign(&shared.other, embedded.kid(kid))
        }
        Signature::UnknownKid => sign(&shared.other, header),
        Signature::OtherType => sign(&shared.key, ProtectedHeader::typ("logout+jwt")),
    }
}
