//! A whole world on loopback for a desk: the real gateway behind a door that the test can jam, a test wallet, browsers,
//! a host with its own table of records, and a clock that the test moves.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use connector::desk::{self, Desk, DeskOptions, Issuing, Person, Record, Return, Session};
use connector::{
    Callback, ClientSecret, Connector, Dialect, Draft, Http, HttpOptions, Push, Settings,
    SigningKey,
};
use gateway::clock::{Clock, Shift};
use gateway::config::{OrganisationConfig, RelyingPartyConfig, Secret, TrustConfig};
use gateway::{Config, Gateway, Surroundings};
use jiff::SignedDuration;
use standards::jose::hmac_key::HmacKey;
use store::{DatabaseUrl, Row, Statement, Store};
use url::Url;
use wallet::{Fault, Scan, Scanned, Wallet};
use zeroize::Zeroizing;

use super::browser::Browser;
use super::door::Door;
use crate::database::Database;
use crate::key_folder::create_keys;
use crate::said::{self, Unsaid};

/// Where the host waits for its browser. Nobody listens there.
pub(crate) const REDIRECT_URI: &str = "http://localhost:8499/callback";
const CLIENT_SECRET: &str = "sandbox-secret-of-the-portal-0123456789abcdef";

/// Who gives identities out: not the desk, and not under its client id.
const ISSUER_OF_IDENTITIES: &str = "identities";
/// Anna's unique identifier, as her identity credential has it.
pub(crate) const ANNAS: &str = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";
/// Ben's.
pub(crate) const BENS: &str = "a7c6e1b2-9d3f-4c5a-8e7b-1f2d3c4b5a69";

pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) store: Store,
    pub(crate) door: Door,
    gateway: Gateway,
    pub(crate) wallet: Wallet,
    pub(crate) settings: Settings,
    pub(crate) database: Database,
    clock: Clock,
    shift: Shift,
    signing_key: String,
    folder: PathBuf,
    server: tokio::task::JoinHandle<()>,
}

impl World {
    pub(crate) async fn start_on(database: Database) -> Self {
        Self::start_with(database, DeskOptions::default()).await
    }

    pub(crate) async fn start_with(database: Database, options: DeskOptions) -> Self {
        said::listen();
        let folder = std::env::temp_dir().join(format!("lanyard-desk-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inside = listener.local_addr().unwrap().port();
        let door = Door::open(inside).await;

        let signing_key = HmacKey::generate().unwrap().to_base64();
        let config = config(&door.base, &folder, &signing_key);
        create_keys(&config);
        let (clock, shift) = Clock::shifted();
        let surroundings = Surroundings {
            clock: clock.clone(),
            sandbox: true,
            ..Surroundings::production()
        };
        let gateway = Gateway::compose(&config, surroundings).await.unwrap();
        let router = gateway.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

        let wallet_clock = clock.clone();
        let options_of_wallet = wallet::Options {
            clock: Arc::new(move || wallet_clock.now()),
            ..wallet::Options::default()
        };
        let wallet = Wallet::open(&folder.join("wallet"), options_of_wallet).unwrap();
        for holder in ["anna", "ben"] {
            wallet.add_holder(holder, holder).unwrap();
        }
        let settings = Settings {
            gateway: Url::parse(&door.base).unwrap(),
            dialect: Dialect::V2,
            push: Push::Always,
            client_id: "portal".to_owned(),
            client_secret: ClientSecret::new(CLIENT_SECRET),
            signing_key: Some(SigningKey::from_base64(&signing_key).unwrap()),
            organisation_id: "anytown".to_owned(),
            redirect_uri: Url::parse(REDIRECT_URI).unwrap(),
        };
        let store = Store::open(database.url(), &[desk::MIGRATIONS])
            .await
            .unwrap();
        let records =
            "CREATE TABLE host_records (id TEXT NOT NULL PRIMARY KEY, says TEXT NOT NULL)";
        store.write([Statement::new(records)]).await.unwrap();
        let desk = open_desk(&store, &settings, &clock, options);
        Self {
            desk,
            store,
            door,
            gateway,
            wallet,
            settings,
            database,
            clock,
            shift,
            signing_key: signing_key.to_string(),
            folder,
            server,
        }
    }

    /// Another process of the same host: a desk of its own on the same rows.
    pub(crate) async fn second_desk(&self) -> Desk {
        let store = Store::open(self.database.url(), &[desk::MIGRATIONS])
            .await
            .unwrap();
        open_desk(&store, &self.settings, &self.clock, DeskOptions::default())
    }

    /// What a thread with a runtime of its own needs to be such a process.
    pub(crate) fn process(&self) -> (store::DatabaseUrl, Settings, Clock) {
        (
            self.database.url().clone(),
            self.settings.clone(),
            self.clock.clone(),
        )
    }

    pub(crate) fn later(&self, by: SignedDuration) {
        self.shift.advance(by);
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    pub(crate) fn later_than_the_start(&self, by: SignedDuration) {
        self.shift.set(by);
    }

    /// The connector without a desk.
    pub(crate) async fn connector(&self) -> Connector {
        self.connector_as(&self.settings.client_id).await
    }

    async fn connector_as(&self, client_id: &str) -> Connector {
        let settings = Settings {
            client_id: client_id.to_owned(),
            ..self.settings.clone()
        };
        let clock = self.clock.clone();
        let clock = Arc::new(move || clock.now());
        let http = Http::new(HttpOptions::default()).unwrap();
        Connector::discover_with_clock(settings, http, clock)
            .await
            .unwrap()
    }

    /// The gateway does what is due in the background.
    pub(crate) async fn tidy_gateway(&self) {
        self.gateway.tidy_once().await.unwrap();
    }

    /// Puts an identity credential into a holder's wallet, by another system of the organisation's.
    pub(crate) async fn give_identity(&self, holder: &str, person: &Person, identifier: &str) {
        let born = person.date_of_birth.unwrap().to_string();
        let draft = Draft::new("Identity")
            .claim("ID-LegalFirstName", &person.first_names)
            .claim("ID-LegalSurname", &person.surname)
            .claim("ID-BirthDate", born)
            .claim("UniqueIdentifier", identifier);
        let connector = self.connector_as(ISSUER_OF_IDENTITIES).await;
        let started = connector.issue(draft).await.unwrap();
        let query = self.visit(&started.url, holder).await;
        let callback = Callback::parse(&query).unwrap();
        connector.finish(started.pending, callback).await.unwrap();
    }

    /// Anna, with her identity in her wallet.
    pub(crate) async fn with_anna(&self) -> Person {
        let anna = anna();
        self.give_identity("anna", &anna, ANNAS).await;
        anna
    }

    /// The browser goes to the gateway, the holder agrees to what the wallet asks, and the browser comes back with
    /// this query.
    pub(crate) async fn visit(&self, url: &Url, holder: &str) -> String {
        self.answer(url, holder, true).await
    }

    /// As [`World::visit`], and the holder says no.
    pub(crate) async fn decline(&self, url: &Url, holder: &str) -> String {
        self.answer(url, holder, false).await
    }

    /// As [`World::visit`], with a wallet that misbehaves.
    pub(crate) async fn misbehave(&self, url: &Url, holder: &str, fault: Fault) -> String {
        self.wallet.misbehave(holder, Some(fault)).unwrap();
        self.answer(url, holder, true).await
    }

    async fn answer(&self, url: &Url, holder: &str, consent: bool) -> String {
        let browser = Browser::new();
        let page = browser.open(url.as_str()).await;
        self.scan(holder, &page.link("open-wallet"), consent).await;
        browser.back_from(&page).await
    }

    pub(crate) async fn scan(&self, holder: &str, link: &str, consent: bool) -> Scanned {
        let scan = Scan {
            link: link.to_owned(),
            consent,
            choose: Vec::new(),
            transaction_code: None,
        };
        self.wallet.scan(holder, scan).await.unwrap()
    }

    /// A whole check of an identity, with that holder's wallet.
    pub(crate) async fn verify(
        &self,
        session: Session<'_>,
        person: &Person,
        holder: &str,
    ) -> Return {
        let url = self.desk.verify(session, None).await.unwrap();
        let query = self.visit(&url, holder).await;
        self.desk.come_back(session, person, &query).await.unwrap()
    }

    /// The host's row for the record: what it says now. In a batch with the desk's own statements about that.
    pub(crate) async fn keep(&self, record: &Record) {
        let upsert = Statement::new(
            "INSERT INTO host_records (id, says) VALUES ($1, $2) \
             ON CONFLICT (id) DO UPDATE SET says = excluded.says",
        )
        .bind(&record.id)
        .bind(record.digest());
        self.store.write([upsert]).await.unwrap();
    }

    /// Asks for the credential as the host does.
    pub(crate) async fn issue(&self, session: Session<'_>, record: &Record) -> Issuing {
        let unchanged = unchanged(record);
        self.desk.issue(session, record, unchanged).await.unwrap()
    }

    /// Confirms the record and gives the address for the browser. Asserts that nothing stands in the way.
    pub(crate) async fn go(&self, session: Session<'_>, record: &Record) -> Url {
        self.keep(record).await;
        self.desk.confirm(session.employee, record).await.unwrap();
        match self.issue(session, record).await {
            Issuing::Go(url) => url,
            other => panic!("the desk does not go on: {other:?}"),
        }
    }

    /// A whole download, up to what the desk says of it.
    pub(crate) async fn download(
        &self,
        session: Session<'_>,
        person: &Person,
        holder: &str,
        record: &Record,
    ) -> Return {
        let url = self.go(session, record).await;
        let query = self.visit(&url, holder).await;
        self.desk.come_back(session, person, &query).await.unwrap()
    }

    /// Changes one of the gateway's own rows behind its back, as a fault in it or in its database would.
    pub(crate) async fn tamper_at_gateway(&self, with: Statement) {
        let url = DatabaseUrl::Sqlite(self.folder.join("gateway.db"));
        let store = Store::open(&url, &[]).await.unwrap();
        store.write([with.must_change(1)]).await.unwrap();
        store.close().await;
    }

    pub(crate) async fn rows(&self, sql: &'static str) -> Vec<Row> {
        self.store.read(Statement::new(sql)).await.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
        let mut unsaid = Unsaid::of_everybody();
        unsaid.add("a client secret", CLIENT_SECRET);
        unsaid.add("a signing key", &self.signing_key);
        unsaid.add_wallet(&self.folder.join("wallet"));
        unsaid.is_in_no_figure(self.gateway.metrics_router());
        let _ = std::fs::remove_dir_all(&self.folder);
        unsaid.was_not_said();
    }
}

pub(crate) fn open_desk(
    store: &Store,
    settings: &Settings,
    clock: &Clock,
    options: DeskOptions,
) -> Desk {
    let clock = clock.clone();
    Desk::new(
        store.clone(),
        settings.clone(),
        HttpOptions {
            timeout: std::time::Duration::from_secs(5),
            ..HttpOptions::default()
        },
        options,
        Arc::new(move || clock.now()),
    )
    .unwrap()
}

/// The host's statement that changes one row if the record still says this.
pub(crate) fn unchanged(record: &Record) -> Statement {
    Statement::new("UPDATE host_records SET id = id WHERE id = $1 AND says = $2")
        .bind(&record.id)
        .bind(record.digest())
}

pub(crate) fn anna() -> Person {
    person("e-anna", "Anna", "Taylor", "1990-04-12")
}

pub(crate) fn ben() -> Person {
    person("e-ben", "Ben", "Osei", "1985-11-02")
}

fn person(employee: &str, first_names: &str, surname: &str, born: &str) -> Person {
    Person {
        employee: employee.to_owned(),
        first_names: first_names.to_owned(),
        surname: surname.to_owned(),
        known_as: None,
        date_of_birth: Some(born.parse().unwrap()),
        email: Some(format!("{employee}@anytown.example")),
    }
}

/// A record of this id, as a credential would say it.
pub(crate) fn programme(id: &str) -> Record {
    let claims = [
        ("TPR-Name", "Cardiology"),
        ("TPR-ProgrammeStartDate", "2026-08-05"),
        ("TPR-ProgrammeEndDate", "2028-08-01"),
        ("TPR-Origin", "NHS England"),
        (
            "TPR-AssurancePolicy",
            "Postgraduate doctor trainee programme assessment",
        ),
        (
            "TPR-AssuranceOutcome",
            "Postgraduate doctor trainee programme registration",
        ),
        ("TPR-Provider", "NHS England"),
        ("TPR-Verifier", "Origin"),
        ("TPR-VerificationMethod", "Record Verification"),
        ("TPR-Pedigree", "Authoritative"),
        ("TPR-LastRefresh", "2026-11-01"),
    ];
    let claims: BTreeMap<String, String> = claims
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Record {
        id: id.to_owned(),
        credential_type: "TrainingProgramme".to_owned(),
        label: "Training programme".to_owned(),
        claims,
        expires_at: None,
    }
}

fn config(base: &str, folder: &std::path::Path, signing_key: &str) -> Config {
    let held = |secret: &str| Secret::Held(Zeroizing::new(secret.to_owned()));
    let types = ["Identity", "TrainingProgramme"]
        .map(str::to_owned)
        .to_vec();
    let public_url: Url = base.parse().unwrap();
    let did = gateway::organisation::did_of(&public_url, "anytown").unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, CLIENT_SECRET.as_bytes());
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
        relying_parties: ["portal", ISSUER_OF_IDENTITIES]
            .map(|client_id| RelyingPartyConfig {
                client_secret_sha256: vec![hex::encode(digest)],
                signing_key: Some(held(signing_key)),
                redirect_uris: vec![REDIRECT_URI.to_owned()],
                ..RelyingPartyConfig::new(
                    client_id,
                    "Anytown staff services",
                    gateway::organisation::dialect::Dialect::V2,
                )
            })
            .to_vec(),
    };
    Config {
        traces: said::traced(),
        organisations: vec![anytown],
        ..Config::sandboxed(
            public_url,
            folder,
            "sandbox-storage-secret-0123456789abcdef",
        )
    }
}
