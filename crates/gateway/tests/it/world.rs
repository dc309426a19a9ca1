//! A whole world on loopback: a gateway with its database, relying parties of every dialect, a test wallet,
//! a browser, and a clock that the test moves.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use gateway::clock::{Clock, Shift};
use gateway::config::{OrganisationConfig, RelyingPartyConfig, Secret, TrustConfig};
use gateway::organisation::dialect::Dialect;
use gateway::{Config, Gateway, Surroundings};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Map, Value, json};
use standards::jose::hmac_key::HmacKey;
use standards::jose::{Algorithm, jws};
use standards::oauth::pkce::CodeVerifier;
use url::Url;
use wallet::{Scan, Scanned, Wallet};
use zeroize::Zeroizing;

use crate::database::Database;

/// Where every relying party of the world waits for its browser. Nobody listens there.
pub(crate) const REDIRECT_URI: &str = "http://localhost:8499/callback";
/// The unique identifier of the world's one employee.
pub(crate) const UNIQUE_IDENTIFIER: &str = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";

/// A relying party with what it was given.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) signing_key: Arc<HmacKey>,
    pub(crate) organisation: &'static str,
    pub(crate) dialect: Dialect,
}

pub(crate) struct World {
    pub(crate) base: String,
    pub(crate) gateway: Gateway,
    pub(crate) clock: Clock,
    shift: Shift,
    pub(crate) wallet: Wallet,
    pub(crate) config: Config,
    pub(crate) database: Database,
    parties: Vec<Party>,
    folder: PathBuf,
    server: tokio::task::JoinHandle<()>,
}

/// Names of the world's relying parties: one for each dialect, and one of another organisation.
pub(crate) const PARTIES: [(&str, &str, Dialect); 5] = [
    ("v1-a", "anytown", Dialect::V1A),
    ("v1-b", "anytown", Dialect::V1B),
    ("v2", "anytown", Dialect::V2),
    ("plain", "anytown", Dialect::Plain),
    ("stranger", "elsewhere", Dialect::V2),
];

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_on(Database::sqlite()).await
    }

    pub(crate) async fn start_on(database: Database) -> Self {
        let folder = std::env::temp_dir().join(format!("lanyard-world-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());

        let parties: Vec<Party> = PARTIES.iter().map(|(name, organisation, dialect)| Party {
            client_id: (*name).to_owned(),
            secret: format!("sandbox-secret-of-{name}-0123456789abcdef"),
            signing_key: Arc::new(HmacKey::generate().unwrap()),
            organisation,
            dialect: *dialect,
        }).collect();
        let config = config(&base, &folder, &database, &parties);
        gateway::create_keys(&config, true).unwrap();
        let (clock, shift) = Clock::shifted();
        let gateway = compose(&config, &clock).await;
        let server = serve(listener, &gateway);

        let wallet_clock = clock.clone();
        let options = wallet::Options { clock: Arc::new(move || wallet_clock.now()), ..wallet::Options::default() };
        let wallet = Wallet::open(&folder.join("wallet"), options).unwrap();
        for holder in ["anna", "ben"] {
            wallet.add_holder(holder, holder).unwrap();
        }
        Self { base, gateway, clock, shift, wallet, config, database, parties, folder, server }
    }

    /// A second process on the same database: another composition, another port, the same public address.
    pub(crate) async fn second_process(&self) -> Gateway {
        compose(&self.config, &self.clock).await
    }

    pub(crate) fn party(&self, name: &str) -> Party {
        self.parties.iter().find(|party| party.client_id == name).unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn later(&self, by: SignedDuration) {
        self.shift.set(by);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn scan(&self, holder: &str, link: &str, consent: bool) -> Scanned {
        self.wallet.scan(holder, Scan { link: link.to_owned(), consent, choose: Vec::new() }).await.unwrap()
    }

    /// Pushes a request; `change` may add, replace and remove parameters.
    pub(crate) async fn push(&self, party: &Party, change: impl FnOnce(&mut Form)) -> Answer {
        let mut form = Form::new(party);
        change(&mut form);
        let response = client().post(self.url(party.par())).form(&form.0).send().await.unwrap();
        Answer::read(response).await
    }

    /// Pushes a request that is good and gives its authorize address.
    pub(crate) async fn pushed(&self, party: &Party, change: impl FnOnce(&mut Form)) -> String {
        let answer = self.push(party, change).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        let request_uri = answer.json["request_uri"].as_str().unwrap();
        self.url(&format!("{}?client_id={}&request_uri={request_uri}", party.authorize(), party.client_id))
    }

    /// The signed draft of a training programme.
    pub(crate) fn hint(&self, party: &Party, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let mut claims = programme();
        let now = self.now().as_second();
        let issuer = self.url(party.dialect.rules().issuer_path);
        let message = json!({ "iss": party.client_id, "aud": issuer, "iat": now, "nbf": now, "exp": now + 300 });
        claims.extend(message.as_object().unwrap().clone());
        if party.dialect == Dialect::V1A {
            claims.insert("exp".into(), (now + 400 * 86_400).into());
        }
        change(&mut claims);
        sign(&party.signing_key, &claims)
    }

    /// Puts a credential of that type into a holder's wallet through the front door; gives its serial number.
    pub(crate) async fn issue(&self, holder: &str, credential_type: &str, claims: Map<String, Value>) -> String {
        let party = self.party("v2");
        let hint = self.hint(&party, |draft| {
            draft.retain(|name, _| ["iss", "aud", "iat", "nbf", "exp"].contains(&name.as_str()));
            draft.extend(claims);
        });
        let address = self.pushed(&party, |form| form.issue(credential_type, &hint)).await;
        let browser = Browser::new();
        let page = browser.open(&address).await;
        let scanned = self.scan(holder, &page.link("open-wallet"), true).await;
        assert_eq!(scanned.outcome, wallet::Outcome::Received, "{:?}", scanned.reason);
        let code = browser.open(&page.url).await.code();
        let token = self.token(&party, |form| form.code(&code)).await;
        assert_eq!(token.status, StatusCode::OK, "{}", token.body);
        token.id_token()["SerialNumber"].as_str().unwrap().to_owned()
    }

    /// Gives a holder a staff identity.
    pub(crate) async fn issue_identity(&self, holder: &str) -> String {
        self.issue(holder, "Identity", identity()).await
    }

    /// Calls the token endpoint.
    pub(crate) async fn token(&self, party: &Party, change: impl FnOnce(&mut Form)) -> Answer {
        let mut form = Form(vec![
            ("grant_type".into(), "authorization_code".into()),
            ("client_id".into(), party.client_id.clone()),
            ("client_secret".into(), party.secret.clone()),
            ("redirect_uri".into(), REDIRECT_URI.into()),
        ]);
        if party.dialect.rules().pkce == gateway::organisation::dialect::Pkce::Required {
            form.set("code_verifier", &verifier());
        }
        change(&mut form);
        Answer::read(client().post(self.url(party.token())).form(&form.0).send().await.unwrap()).await
    }

    /// Calls the revocation endpoint.
    pub(crate) async fn revoke(&self, party: &Party, serial_number: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Answer {
        let body = json!({
            "client_id": party.client_id, "client_secret": party.secret, "OrganisationId": party.organisation,
            "CredentialTemplateName": "TrainingProgramme", "SerialNumber": serial_number,
            "RevocationReason": "Source record deleted",
        });
        let mut body = body.as_object().unwrap().clone();
        change(&mut body);
        let address = self.url("/Revocation/revokecredential");
        Answer::read(client().post(address).json(&body).send().await.unwrap()).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn compose(config: &Config, clock: &Clock) -> Gateway {
    let surroundings = Surroundings { clock: clock.clone(), sandbox: true, ..Surroundings::production() };
    Gateway::compose(config, surroundings).await.unwrap()
}

pub(crate) fn serve(listener: std::net::TcpListener, gateway: &Gateway) -> tokio::task::JoinHandle<()> {
    let router = gateway.router();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}

fn config(base: &str, folder: &std::path::Path, database: &Database, parties: &[Party]) -> Config {
    let held = |secret: &str| Secret::Held(Zeroizing::new(secret.to_owned()));
    let types = ["Identity", "TrainingProgramme", "TrainingPlacement", "FireSafety"].map(str::to_owned).to_vec();
    let public_url: Url = base.parse().unwrap();
    let did = gateway::organisation::did_of(&public_url, "anytown").unwrap();
    let organisation = |id: &str, trusts: bool| OrganisationConfig {
        id: id.to_owned(),
        name: format!("{id} NHS Trust"),
        issues: types.clone(),
        trust: types.iter().filter(|_| trusts).map(|name| TrustConfig { credential_type: name.clone(), issuers: vec![did.clone()] }).collect(),
        relying_parties: parties.iter().filter(|party| party.organisation == id).map(|party| {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, party.secret.as_bytes());
            RelyingPartyConfig {
                name: format!("The {} portal", party.client_id),
                client_id: party.client_id.clone(),
                client_secret_sha256: vec![digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()],
                signing_key: held(&party.signing_key.to_base64()),
                redirect_uris: vec![REDIRECT_URI.to_owned()],
                dialect: party.dialect,
            }
        }).collect(),
    };
    Config {
        public_url,
        listen: ([127, 0, 0, 1], 0).into(),
        database: database.address(),
        keys: folder.join("keys"),
        key_passphrase: held(gateway::keys::SANDBOX_PASSPHRASE),
        storage_secret: held("sandbox-storage-secret-0123456789abcdef"),
        earlier_storage_secrets: vec![],
        credential_types: None,
        retention_days: 30,
        tls_certificate: None,
        tls_key: None,
        brand: None,
        organisations: vec![organisation("anytown", true), organisation("elsewhere", false)],
    }
}

impl Party {
    pub(crate) fn par(&self) -> &'static str {
        match self.dialect {
            Dialect::V1A | Dialect::V1B => "/oidc/par",
            Dialect::V2 => "/v2.0/oidc/par",
            Dialect::Plain => "/par",
        }
    }

    pub(crate) fn authorize(&self) -> &'static str {
        match self.dialect {
            Dialect::V1A | Dialect::V1B => "/oidc/authorize",
            Dialect::V2 => "/v2.0/oidc/authorize",
            Dialect::Plain => "/authorize",
        }
    }

    pub(crate) fn token(&self) -> &'static str {
        match self.dialect {
            Dialect::V1A | Dialect::V1B => "/oidc/token",
            Dialect::V2 => "/v2.0/oidc/token",
            Dialect::Plain => "/token",
        }
    }
}

/// Parameters in order.
pub(crate) struct Form(pub(crate) Vec<(String, String)>);

impl Form {
    /// A good request to verify an identity, as that party sends it.
    pub(crate) fn new(party: &Party) -> Self {
        let mut form = Self(Vec::new());
        let fixed = [
            ("client_id", party.client_id.as_str()), ("client_secret", &party.secret), ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"), ("response_mode", "query"), ("scope", "openid Identity"),
            ("nonce", "7d5e7ad0-51a0-4b56-b5f7-bdb5b07e1d31"), ("state", "9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5"),
        ];
        fixed.iter().for_each(|(name, value)| form.set(name, value));
        if party.dialect.rules().pkce == gateway::organisation::dialect::Pkce::Required {
            form.set("code_challenge", &CodeVerifier::parse(&verifier()).unwrap().challenge().to_text());
            form.set("code_challenge_method", "S256");
        }
        form
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Makes it a request to issue.
    pub(crate) fn issue(&mut self, credential_type: &str, hint: &str) {
        self.set("scope", &format!("openid issue.{credential_type}"));
        self.set("id_token_hint", hint);
    }

    pub(crate) fn code(&mut self, code: &str) {
        self.set("code", code);
    }

    /// As a query; `+` for a space, colons and slashes raw, as the deployed clients write it.
    pub(crate) fn query(&self) -> String {
        let pairs = self.0.iter().filter(|(name, _)| name != "client_secret");
        pairs.map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect::<Vec<_>>().join("&")
    }
}

/// The code verifier of every flow in these tests.
pub(crate) fn verifier() -> String {
    "Zm9yIHRlc3RzIG9ubHksIDQzIGNoYXJhY3RlcnMgbG9uZw".chars().take(43).collect()
}

pub(crate) fn sign(key: &HmacKey, claims: &Map<String, Value>) -> String {
    jws::sign_hmac(key, Algorithm::HS256, jws::ProtectedHeader::typ("JWT"), claims).unwrap()
}

pub(crate) fn identity() -> Map<String, Value> {
    let claims = json!({
        "ID-LegalFirstName": "Anna", "ID-LegalSurname": "Taylor", "ID-BirthDate": "1990-04-12",
        "UniqueIdentifier": UNIQUE_IDENTIFIER,
    });
    claims.as_object().unwrap().clone()
}

pub(crate) fn programme() -> Map<String, Value> {
    let claims = json!({
        "TPR-Name": "Cardiology", "TPR-ProgrammeStartDate": "2026-08-05", "TPR-ProgrammeEndDate": "2028-08-01",
        "TPR-Origin": "NHS England", "TPR-AssurancePolicy": "Postgraduate doctor trainee programme assessment",
        "TPR-AssuranceOutcome": "Postgraduate doctor trainee programme registration", "TPR-Provider": "NHS England",
        "TPR-Verifier": "Origin", "TPR-VerificationMethod": "Record Verification", "TPR-Pedigree": "Authoritative",
        "TPR-LastRefresh": "2026-11-01", "UniqueIdentifier": UNIQUE_IDENTIFIER,
    });
    claims.as_object().unwrap().clone()
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await.unwrap();
        let json = serde_json::from_str(&body).unwrap_or(Value::Null);
        Self { status, headers, body, json }
    }

    /// The OAuth error code.
    pub(crate) fn error(&self) -> &str {
        self.json["error"].as_str().unwrap_or("")
    }

    /// The sentence beside it.
    pub(crate) fn description(&self) -> &str {
        self.json["error_description"].as_str().unwrap_or("")
    }

    /// The claims of the ID token, unverified: other tests verify its signature.
    pub(crate) fn id_token(&self) -> Value {
        let token = self.json["id_token"].as_str().unwrap();
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }
}

/// A client without cookies and redirects.
pub(crate) fn client() -> Client {
    builder().build().unwrap()
}

fn builder() -> reqwest::ClientBuilder {
    Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().timeout(Duration::from_secs(20))
}

/// One browser: its cookies, and no script.
pub(crate) struct Browser(Client);

/// Where it is: a page of the gateway's, or back at the relying party.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self(builder().cookie_store(true).build().unwrap())
    }

    /// Opens an address and follows redirects until a page, or until they leave the gateway.
    pub(crate) async fn open(&self, address: &str) -> Page {
        let mut url: Url = address.parse().unwrap();
        for _ in 0..5 {
            let response = self.0.get(url.clone()).send().await.unwrap();
            let Some(location) = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned()) else {
                let status = response.status();
                return Page { url: url.to_string(), status, html: response.text().await.unwrap() };
            };
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
            url = url.join(&location).unwrap();
            if url.as_str().starts_with(REDIRECT_URI) {
                return Page { url: url.to_string(), status: StatusCode::SEE_OTHER, html: String::new() };
            }
        }
        panic!("too many redirects");
    }

    /// Submits the form of a page whose action ends so.
    pub(crate) async fn submit(&self, page: &Page, action: &str) -> Page {
        let csrf = attribute_after(&page.html, "name=\"csrf\"", "value").unwrap_or_default();
        let address = format!("{}/{action}", page.url);
        let response = self.0.post(address).form(&[("csrf", csrf)]).send().await.unwrap();
        let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        match location {
            Some(location) => {
                let target = page.url.parse::<Url>().unwrap().join(&location).unwrap();
                if target.as_str().starts_with(REDIRECT_URI) {
                    return Page { url: target.to_string(), status: StatusCode::SEE_OTHER, html: String::new() };
                }
                self.open(target.as_str()).await
            }
            None => Page { url: page.url.clone(), status: response.status(), html: response.text().await.unwrap() },
        }
    }

    pub(crate) async fn status(&self, page: &Page) -> Answer {
        Answer::read(self.0.get(format!("{}/status", page.url)).send().await.unwrap()).await
    }
}

impl Page {
    /// The `href` of the element with that id.
    pub(crate) fn link(&self, id: &str) -> String {
        self.find_link(id).unwrap_or_else(|| panic!("no #{id} on {} ({})\n{}", self.url, self.status, self.html))
    }

    pub(crate) fn find_link(&self, id: &str) -> Option<String> {
        let marked = format!("id=\"{id}\"");
        let tag = self.html.split('<').find(|tag| tag.contains(&marked))?;
        attribute_after(tag, "", "href")
    }

    /// A parameter with which the browser came back to the relying party.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        assert!(self.url.starts_with(REDIRECT_URI), "not back at the relying party but on {}\n{}", self.url, self.html);
        let url: Url = self.url.parse().unwrap();
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn code(&self) -> String {
        self.parameter("code").unwrap_or_else(|| panic!("no code in {}", self.url))
    }
}

fn attribute_after(html: &str, mark: &str, name: &str) -> Option<String> {
    let rest = &html[html.find(mark)?..];
    let value = rest.split_once(&format!("{name}=\""))?.1.split_once('"')?.0;
    Some(value.replace("&amp;", "&").replace("&#38;", "&"))
}
