//! A whole world on loopback: a gateway with its database, relying parties of every dialect, a test wallet,
//! a browser, and a clock that the test moves.

mod admin;
mod browser;
mod party;

use std::path::PathBuf;
use std::sync::Arc;

use gateway::clock::{Clock, Shift};
use gateway::config::{OrganisationConfig, RelyingPartyConfig, Secret, TrustConfig};
use gateway::keys::KeyPurpose;
use gateway::organisation::dialect::Dialect;
use gateway::{Config, Gateway, Surroundings};
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use standards::jose::Signer;
use standards::jose::hmac_key::HmacKey;
use url::Url;
use wallet::{Scan, Scanned, Wallet};
use zeroize::Zeroizing;

use crate::database::Database;
use crate::key_folder::create_keys;
use crate::said::{self, Unsaid};
pub(crate) use admin::{Admin, Caller, Reply};
pub(crate) use browser::{Answer, Browser, Page, a_cookie, client};
pub(crate) use party::{Form, Party, fire_safety, identity, programme, sign, verifier};

/// Where every relying party of the world waits for its browser. Nobody listens there.
pub(crate) const REDIRECT_URI: &str = "http://localhost:8499/callback";
/// The unique identifier of the world's one employee.
pub(crate) const UNIQUE_IDENTIFIER: &str = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";

pub(crate) struct World {
    pub(crate) base: String,
    pub(crate) gateway: Gateway,
    pub(crate) clock: Clock,
    pub(crate) shift: Shift,
    pub(crate) wallet: Wallet,
    pub(crate) config: Config,
    http_origins: Vec<Url>,
    _database: Database,
    parties: Vec<Party>,
    /// The serial numbers of what was issued.
    issued: std::sync::Mutex<Vec<String>>,
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

    /// A world whose configuration differs.
    pub(crate) async fn start_changed(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_with(Database::sqlite(), Vec::new(), change).await
    }

    pub(crate) async fn start_on(database: Database) -> Self {
        Self::start_with(database, Vec::new(), |_| ()).await
    }

    /// A world whose gateway may call these origins over http, and whose configuration differs.
    pub(crate) async fn start_with(
        database: Database,
        http_origins: Vec<Url>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        said::listen();
        let folder = std::env::temp_dir().join(format!("lanyard-world-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());

        let parties: Vec<Party> = PARTIES
            .iter()
            .map(|(name, organisation, dialect)| Party {
                client_id: (*name).to_owned(),
                secret: format!("sandbox-secret-of-{name}-0123456789abcdef"),
                signing_key: Arc::new(HmacKey::generate().unwrap()),
                organisation,
                dialect: *dialect,
            })
            .collect();
        let mut config = config(&base, &folder, &database, &parties);
        change(&mut config);
        create_keys(&config);
        let (clock, shift) = Clock::shifted();
        let gateway = compose(&config, &clock, &http_origins).await;
        let server = serve(listener, &gateway);

        let wallet_clock = clock.clone();
        let options = wallet::Options {
            clock: Arc::new(move || wallet_clock.now()),
            ..wallet::Options::default()
        };
        let wallet = Wallet::open(&folder.join("wallet"), options).unwrap();
        for holder in ["anna", "ben"] {
            wallet.add_holder(holder, holder).unwrap();
        }
        Self {
            base,
            gateway,
            clock,
            shift,
            wallet,
            config,
            http_origins,
            _database: database,
            parties,
            issued: std::sync::Mutex::default(),
            folder,
            server,
        }
    }

    /// A second process on the same database: another composition, another port, the same public address.
    pub(crate) async fn second_process(&self) -> Gateway {
        self.second_process_with(|_| ()).await
    }

    /// One with another configuration.
    pub(crate) async fn second_process_with(&self, change: impl FnOnce(&mut Config)) -> Gateway {
        let mut config = self.config.clone();
        change(&mut config);
        compose(&config, &self.clock, &self.http_origins).await
    }

    pub(crate) fn party(&self, name: &str) -> Party {
        self.parties
            .iter()
            .find(|party| party.client_id == name)
            .unwrap()
            .clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether the gateway's log has that text.
    pub(crate) fn has_said(text: &str) -> bool {
        crate::said::text().contains(text)
    }

    /// Why the gateway revoked credentials by itself, as the audit has it.
    pub(crate) async fn revoked_by_itself(&self) -> Vec<String> {
        let select = "SELECT organisation, detail FROM audit_entries \
                      WHERE act = 'credential-revoked' AND actor = 'gateway' ORDER BY happened_at";
        let store = &self.gateway.app().store;
        let rows = store.read(store::Statement::new(select)).await.unwrap();
        let told = rows.iter().map(|row| {
            assert_eq!(row.text("organisation").unwrap(), "anytown");
            row.text("detail").unwrap().to_owned()
        });
        told.collect()
    }

    pub(crate) fn later(&self, by: SignedDuration) {
        self.shift.set(by);
    }

    /// The key that signs for Anytown.
    pub(crate) fn key(&self, purpose: KeyPurpose) -> Arc<dyn Signer> {
        let app = self.gateway.app();
        app.keys.active(purpose, "anytown").unwrap().clone()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn scan(&self, holder: &str, link: &str, consent: bool) -> Scanned {
        self.wallet
            .scan(
                holder,
                Scan {
                    link: link.to_owned(),
                    consent,
                    choose: Vec::new(),
                    transaction_code: None,
                },
            )
            .await
            .unwrap()
    }

    /// Pushes a request; `change` may add, replace and remove parameters.
    pub(crate) async fn push(&self, party: &Party, change: impl FnOnce(&mut Form)) -> Answer {
        let mut form = Form::new(party);
        change(&mut form);
        let response = client()
            .post(self.url(party.par()))
            .form(&form.0)
            .send()
            .await
            .unwrap();
        Answer::read(response).await
    }

    /// Pushes a request that is good and gives its authorize address.
    pub(crate) async fn pushed(&self, party: &Party, change: impl FnOnce(&mut Form)) -> String {
        let answer = self.push(party, change).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        self.authorize_address(party, answer.json["request_uri"].as_str().unwrap())
    }

    /// Where a browser opens a pushed request.
    pub(crate) fn authorize_address(&self, party: &Party, request_uri: &str) -> String {
        self.url(&format!(
            "{}?client_id={}&request_uri={request_uri}",
            party.authorize(),
            party.client_id
        ))
    }

    /// The signed draft of a training programme.
    pub(crate) fn hint(
        &self,
        party: &Party,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> String {
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

    /// The authorize address of a credential of that type that the V2 party wants issued.
    pub(crate) async fn pushed_to_issue(
        &self,
        credential_type: &str,
        claims: Map<String, Value>,
    ) -> String {
        let party = self.party("v2");
        let hint = self.hint(&party, |draft| {
            draft.retain(|name, _| ["iss", "aud", "iat", "nbf", "exp"].contains(&name.as_str()));
            draft.extend(claims);
        });
        self.pushed(&party, |form| form.issue(credential_type, &hint))
            .await
    }

    /// Puts a credential of that type into a holder's wallet through the front door; gives its serial number.
    pub(crate) async fn issue(
        &self,
        holder: &str,
        credential_type: &str,
        claims: Map<String, Value>,
    ) -> String {
        let party = self.party("v2");
        let address = self.pushed_to_issue(credential_type, claims).await;
        let browser = Browser::new();
        let page = browser.open(&address).await;
        let scanned = self.scan(holder, &page.link("open-wallet"), true).await;
        assert_eq!(
            scanned.outcome,
            wallet::Outcome::Received,
            "{:?}",
            scanned.reason
        );
        let code = browser.open(&page.url).await.code();
        let token = self.token(&party, |form| form.code(&code)).await;
        assert_eq!(token.status, StatusCode::OK, "{}", token.body);
        let serial_number = token.id_token()["SerialNumber"]
            .as_str()
            .unwrap()
            .to_owned();
        self.issued.lock().unwrap().push(serial_number.clone());
        serial_number
    }

    /// Gives a holder a staff identity.
    pub(crate) async fn issue_identity(&self, holder: &str) -> String {
        self.issue(holder, "Identity", identity()).await
    }

    /// Has a party verify the identity of `holder`, up to the code that it has not redeemed.
    pub(crate) async fn code(&self, party: &Party, holder: &str) -> String {
        let browser = Browser::new();
        let page = browser.open(&self.pushed(party, |_| ()).await).await;
        let scanned = self.scan(holder, &page.link("open-wallet"), true).await;
        assert_eq!(
            scanned.outcome,
            wallet::Outcome::Presented,
            "{:?}",
            scanned.reason
        );
        browser.open(&page.url).await.code()
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
        Answer::read(
            client()
                .post(self.url(party.token()))
                .form(&form.0)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Calls the revocation endpoint.
    pub(crate) async fn revoke(
        &self,
        party: &Party,
        serial_number: &str,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Answer {
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

    /// What no test makes the gateway say.
    fn unsaid(&self) -> Unsaid {
        let mut unsaid = Unsaid::of_everybody();
        for party in &self.parties {
            unsaid.add("a client secret", &*party.secret);
            unsaid.add("a signing key", party.signing_key.to_base64().as_str());
        }
        for serial in self.issued.lock().unwrap().iter() {
            unsaid.add("a serial number", serial);
        }
        unsaid.add_wallet(&self.folder.join("wallet"));
        unsaid
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
        let unsaid = self.unsaid();
        unsaid.is_in_no_figure(self.gateway.metrics_router());
        let _ = std::fs::remove_dir_all(&self.folder);
        unsaid.was_not_said();
    }
}

async fn compose(config: &Config, clock: &Clock, http_origins: &[Url]) -> Gateway {
    let surroundings = Surroundings {
        clock: clock.clone(),
        sandbox: true,
        http_origins: http_origins.to_vec(),
        ..Surroundings::production()
    };
    Gateway::compose(config, surroundings).await.unwrap()
}

pub(crate) fn serve(
    listener: std::net::TcpListener,
    gateway: &Gateway,
) -> tokio::task::JoinHandle<()> {
    let router = gateway.router();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}

fn config(base: &str, folder: &std::path::Path, database: &Database, parties: &[Party]) -> Config {
    let held = |secret: &str| Secret::Held(Zeroizing::new(secret.to_owned()));
    let types = [
        "Identity",
        "TrainingProgramme",
        "TrainingPlacement",
        "FireSafety",
    ]
    .map(str::to_owned)
    .to_vec();
    let public_url: Url = base.parse().unwrap();
    let did = gateway::organisation::did_of(&public_url, "anytown").unwrap();
    let organisation = |id: &str, trusts: bool| OrganisationConfig {
        id: id.to_owned(),
        name: format!("{id} NHS Trust"),
        did: None,
        brand: None,
        certificate_chains: Vec::new(),
        fetch_hosts: None,
        registered: false,
        issues: types.clone(),
        trust: types
            .iter()
            .filter(|_| trusts)
            .map(|name| TrustConfig {
                credential_type: name.clone(),
                issuers: vec![did.clone()],
            })
            .collect(),
        relying_parties: parties
            .iter()
            .filter(|party| party.organisation == id)
            .map(|party| {
                let digest =
                    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, party.secret.as_bytes());
                let name = format!("The {} portal", party.client_id);
                RelyingPartyConfig {
                    client_secret_sha256: vec![hex::encode(digest)],
                    signing_key: Some(held(&party.signing_key.to_base64())),
                    redirect_uris: vec![REDIRECT_URI.to_owned()],
                    ..RelyingPartyConfig::new(party.client_id.as_str(), name, party.dialect)
                }
            })
            .collect(),
    };
    Config {
        database: database.address(),
        traces: said::traced(),
        organisations: vec![
            organisation("anytown", true),
            organisation("elsewhere", false),
        ],
        ..Config::sandboxed(
            public_url,
            folder,
            "sandbox-storage-secret-0123456789abcdef",
        )
    }
}
