//! The real gateway, a test wallet, and a sidecar that listens; a clock that the test moves.

use std::path::PathBuf;
use std::sync::Arc;

use connector::config::{GatewayConfig, MailConfig};
use connector::desk::{Desk, SmtpSecurity};
use connector::{Callback, Connector, Dialect, Draft, Http, HttpOptions, Policy, SecretSource};
use gateway::clock::{Clock, Shift};
use gateway::config::{OrganisationConfig, RelyingPartyConfig, Secret, TrustConfig};
use gateway::{Gateway, Surroundings};
use jiff::SignedDuration;
use mail_catcher::Catcher;
use reqwest::Url;
use serde_json::{Value, json};
use sidecar::{ApiKeyConfig, Config, Sidecar, new_api_key};
use standards::jose::hmac_key::HmacKey;
use store::Store;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use traces::TracesConfig;
use wallet::{CredentialStatus, Scan, Wallet};
use zeroize::Zeroizing;

use crate::browser::Browser;
use crate::caller::Caller;
use crate::database::Database;
use crate::key_folder::create_keys;
use crate::said::{self, Unsaid};

/// Where the external system waits for its browsers. Nobody listens there.
pub(crate) const REDIRECT_URI: &str = "http://localhost:8499/callback";
/// The session in which Anna is logged in.
pub(crate) const SESSION: &str = "annas-session";
/// Anna's unique identifier, as her identity credential has it.
const ANNAS: &str = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";
const CLIENT_SECRET: &str = "sandbox-secret-of-the-portal-0123456789abcdef";

pub(crate) struct World {
    pub(crate) caller: Caller,
    pub(crate) sidecar: Sidecar,
    /// The same rows, for what the API does not tell.
    pub(crate) store: Store,
    pub(crate) catcher: Catcher,
    gateway: Gateway,
    gateway_settings: GatewayConfig,
    wallet: Wallet,
    clock: Clock,
    shift: Shift,
    secrets: [(&'static str, String); 3],
    folder: PathBuf,
    servers: Vec<JoinHandle<()>>,
    _database: Database,
}

impl World {
    pub(crate) async fn start(database: Database) -> Self {
        Self::start_with(database, |_| {}).await
    }

    /// With what this changes in the sidecar's configuration.
    pub(crate) async fn start_with(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_as(database, said::traced(), change).await
    }

    /// With sidecar and gateway telling traces to somebody, and the sidecar at work behind its API.
    pub(crate) async fn start_traced(database: Database, traces: TracesConfig) -> Self {
        let mut world = Self::start_as(database, traces, |_| {}).await;
        let (gateway, sidecar) = (world.gateway.clone(), world.sidecar.clone());
        world.servers.push(tokio::spawn(async move {
            tokio::join!(gateway.send_traces(), sidecar.keep_working());
        }));
        world
    }

    async fn start_as(
        database: Database,
        traces: TracesConfig,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        said::listen();
        let folder = std::env::temp_dir().join(format!("lanyard-sidecar-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let mut servers = Vec::new();
        let (clock, shift) = Clock::shifted();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let signing_key = HmacKey::generate().unwrap().to_base64();
        let mut config = gateway_config(&base, &folder, &signing_key);
        config.traces = traces.clone();
        create_keys(&config);
        let surroundings = Surroundings {
            clock: clock.clone(),
            sandbox: true,
            ..Surroundings::production()
        };
        let gateway = Gateway::compose(&config, surroundings).await.unwrap();
        let router = gateway.router();
        servers.push(tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        }));

        let wallet_clock = clock.clone();
        let options = wallet::Options {
            clock: Arc::new(move || wallet_clock.now()),
            ..wallet::Options::default()
        };
        let wallet = Wallet::open(&folder.join("wallet"), options).unwrap();
        wallet.add_holder("anna", "Anna").unwrap();

        let catcher_clock = clock.clone();
        let catcher =
            Catcher::open(&folder.join("mail"), Arc::new(move || catcher_clock.now())).unwrap();
        let smtp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        smtp.set_nonblocking(true).unwrap();
        let smtp_port = smtp.local_addr().unwrap().port();
        let catching = catcher.clone();
        servers.push(tokio::spawn(async move {
            catching.serve_smtp(vec![smtp]).await;
        }));

        let gateway_settings = GatewayConfig {
            url: Url::parse(&base).unwrap(),
            dialect: Dialect::V2,
            client_id: "portal".to_owned(),
            client_secret: SecretSource::held(CLIENT_SECRET),
            signing_key: SecretSource::held(signing_key.as_str()),
            organisation_id: "anytown".to_owned(),
            certificate_authority: None,
            journey_seconds: 48 * 60,
            answer_seconds: 45,
        };
        // Ours in English, and in Welsh what an operator has taken over.
        let texts = folder.join("texts");
        std::fs::create_dir(&texts).unwrap();
        let welsh = include_str!("../../../connector/src/desk/mail/texts/delete-credential.cy.txt");
        std::fs::write(texts.join("delete-credential.cy.txt"), welsh).unwrap();
        let (key, sha256) = new_api_key().unwrap();
        let mut config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            database: database.address(),
            organisation: "Anytown NHS Trust".to_owned(),
            redirect_uri: Url::parse(REDIRECT_URI).unwrap(),
            home: None,
            gateway: gateway_settings.clone(),
            api_keys: vec![ApiKeyConfig {
                name: "portal".to_owned(),
                sha256,
            }],
            policy: Policy::Exact,
            session_hours: 12,
            supersede: true,
            mail: Some(MailConfig {
                host: "127.0.0.1".to_owned(),
                port: smtp_port,
                security: SmtpSecurity::Loopback,
                username: None,
                password: None,
                from: "Anytown <learning@anytown.example>".to_owned(),
                contact: "hr@anytown.example".to_owned(),
                home_link: true,
                notify: None,
                access_token: None,
                certificate_authority: None,
                texts: Some(texts),
                most_a_minute: Some(100_000),
            }),
            webhook: None,
            traces,
            tls_certificate: None,
            tls_key: None,
            client_ca: None,
        };
        change(&mut config);
        let sidecar_clock = clock.clone();
        let surroundings = sidecar::Surroundings {
            clock: Arc::new(move || sidecar_clock.now()),
            sandbox: true,
        };
        let sidecar = Sidecar::compose(&config, surroundings).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let caller = Caller::new(&format!("http://{}", listener.local_addr().unwrap()), &key);
        let router = sidecar.router();
        servers.push(tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        }));
        let parties = [connector::desk::MIGRATIONS, sidecar::MIGRATIONS];
        let store = Store::open(database.url(), &parties).await.unwrap();
        let world = Self {
            caller,
            sidecar,
            store,
            catcher,
            gateway,
            gateway_settings,
            wallet,
            clock,
            shift,
            secrets: [
                ("a client secret", CLIENT_SECRET.to_owned()),
                ("a signing key", signing_key.to_string()),
                ("an API key", key),
            ],
            folder,
            servers,
            _database: database,
        };
        world.give_identity().await;
        world
    }

    pub(crate) fn later(&self, by: SignedDuration) {
        self.shift.advance(by);
    }

    /// Nobody answers there any more.
    pub(crate) fn stop_gateway(&self) {
        self.servers[0].abort();
    }

    /// What is due behind the API is done, up to this moment.
    pub(crate) async fn work(&self) {
        while self.desk().work_once().await.unwrap() {}
    }

    pub(crate) fn desk(&self) -> &Desk {
        self.sidecar.desk()
    }

    /// Puts Anna's identity credential into her wallet.
    async fn give_identity(&self) {
        let draft = Draft::new("Identity")
            .claim("ID-LegalFirstName", "Anna")
            .claim("ID-LegalSurname", "Taylor")
            .claim("ID-BirthDate", "1990-04-12")
            .claim("UniqueIdentifier", ANNAS);
        let redirect_uri = Url::parse(REDIRECT_URI).unwrap();
        let settings = self.gateway_settings.settings(redirect_uri, true).unwrap();
        let clock = self.clock.clone();
        let http = Http::new(HttpOptions::default()).unwrap();
        let clock = Arc::new(move || clock.now());
        let connector = Connector::discover_with_clock(settings, http, clock);
        let connector = connector.await.unwrap();
        let started = connector.issue(draft).await.unwrap();
        let query = self.visit(started.url.as_str(), true).await;
        let callback = Callback::parse(&query).unwrap();
        connector.finish(started.pending, callback).await.unwrap();
    }

    /// The browser goes to the gateway, Anna's wallet answers, and the browser comes back with this query.
    pub(crate) async fn visit(&self, url: &str, consent: bool) -> String {
        let browser = Browser::new();
        let page = browser.open(url).await;
        let scan = Scan {
            link: page.link("open-wallet"),
            consent,
            choose: Vec::new(),
            transaction_code: None,
        };
        self.wallet.scan("anna", scan).await.unwrap();
        browser.back_from(&page).await
    }

    /// Starts a verification of this employee in this session and gives what the callback is answered.
    pub(crate) async fn verify(&self, session: &str, employee: &Value) -> crate::caller::Answer {
        let asked = json!({ "session": session, "employee": employee, "return_to": "/list" });
        let started = self.caller.post("/v1/verifications", &asked).await;
        let url = started.expect(201).json["url"].as_str().unwrap().to_owned();
        let query = self.visit(&url, true).await;
        self.come_back(session, employee["id"].as_str().unwrap(), &query)
            .await
    }

    pub(crate) async fn come_back(
        &self,
        session: &str,
        employee: &str,
        query: &str,
    ) -> crate::caller::Answer {
        let told = json!({ "session": session, "employee": employee, "query": query });
        self.caller.post("/v1/callbacks", &told).await
    }

    /// Anna is verified, has confirmed the record and has it in her wallet: what the callback was answered.
    pub(crate) async fn issued(&self, record: &Value) -> Value {
        self.verify(SESSION, &anna()).await.expect(200);
        self.confirm(record).await;
        self.add(record).await
    }

    pub(crate) async fn confirm(&self, record: &Value) {
        let told = json!({ "employee": "e-anna", "record": record });
        self.caller
            .post("/v1/confirmations", &told)
            .await
            .expect(201);
    }

    pub(crate) async fn start_issuing(&self, record: &Value) -> crate::caller::Answer {
        let asked = json!({
            "session": SESSION, "employee": "e-anna", "record": record, "return_to": "/done",
        });
        self.caller.post("/v1/issuings", &asked).await
    }

    pub(crate) async fn add(&self, record: &Value) -> Value {
        let started = self.start_issuing(record).await.expect(201);
        let query = self
            .visit(started.json["url"].as_str().unwrap(), true)
            .await;
        self.come_back(SESSION, "e-anna", &query)
            .await
            .expect(200)
            .json
    }

    /// What a verifier would see of each training programme in Anna's wallet.
    pub(crate) async fn statuses(&self) -> Vec<CredentialStatus> {
        let mut held = self.wallet.credentials("anna").await.unwrap();
        held.retain(|one| one.credential_type == "TrainingProgramme");
        held.into_iter().map(|one| one.status).collect()
    }

    /// How Anna's record stands.
    pub(crate) async fn state(&self, record: &str) -> Value {
        let asked = json!({ "employee": "e-anna", "records": [{ "id": record }] });
        let answer = self.caller.post("/v1/states", &asked).await.expect(200);
        answer.json["states"][0].clone()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
        let mut unsaid = Unsaid::of_everybody();
        for &(what, ref secret) in &self.secrets {
            unsaid.add(what, secret);
        }
        unsaid.add_wallet(&self.folder.join("wallet"));
        unsaid.is_in_no_figure(self.gateway.metrics_router());
        let _ = std::fs::remove_dir_all(&self.folder);
        unsaid.was_not_said();
    }
}

pub(crate) fn anna() -> Value {
    json!({
        "id": "e-anna", "first_names": "Anna", "surname": "Taylor", "date_of_birth": "1990-04-12",
        "email": "anna@anytown.example",
    })
}

/// A record of this id, as a credential would say it.
pub(crate) fn programme(id: &str) -> Value {
    json!({
        "id": id, "credential_type": "TrainingProgramme", "label": "Training programme",
        "claims": {
            "TPR-Name": "Cardiology", "TPR-ProgrammeStartDate": "2026-08-05",
            "TPR-ProgrammeEndDate": "2028-08-01", "TPR-Origin": "NHS England",
            "TPR-AssurancePolicy": "Postgraduate doctor trainee programme assessment",
            "TPR-AssuranceOutcome": "Postgraduate doctor trainee programme registration",
            "TPR-Provider": "NHS England", "TPR-Verifier": "Origin",
            "TPR-VerificationMethod": "Record Verification", "TPR-Pedigree": "Authoritative",
            "TPR-LastRefresh": "2026-11-01",
        },
    })
}

fn gateway_config(base: &str, folder: &std::path::Path, signing_key: &str) -> gateway::Config {
    let held = |secret: &str| Secret::Held(Zeroizing::new(secret.to_owned()));
    let types = ["Identity", "TrainingProgramme"]
        .map(str::to_owned)
        .to_vec();
    let public_url: Url = base.parse().unwrap();
    let did = gateway::organisation::did_of(&public_url, "anytown").unwrap();
    let trust = types.iter().map(|name| TrustConfig {
        credential_type: name.clone(),
        issuers: vec![did.clone()],
    });
    let anytown = OrganisationConfig {
        id: "anytown".to_owned(),
        name: "Anytown NHS Trust".to_owned(),
        did: None,
        brand: None,
        certificate_chains: Vec::new(),
        fetch_hosts: None,
        registered: false,
        trust: trust.collect(),
        issues: types,
        relying_parties: vec![RelyingPartyConfig {
            client_secret_sha256: vec![sidecar::sha256_of(CLIENT_SECRET)],
            signing_key: Some(held(signing_key)),
            redirect_uris: vec![REDIRECT_URI.to_owned()],
            ..RelyingPartyConfig::new(
                "portal",
                "Anytown learning",
                gateway::organisation::dialect::Dialect::V2,
            )
        }],
    };
    gateway::Config {
        organisations: vec![anytown],
        ..gateway::Config::sandboxed(
            public_url,
            folder,
            "sandbox-storage-secret-0123456789abcdef",
        )
    }
}
