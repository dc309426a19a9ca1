//! A whole world on loopback: the portal with its database, the real gateway behind a door that is written down and can
//! be jammed, a test wallet, a mailbox, and a clock that the test moves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector::{
    Callback, ClientSecret, Connector, Dialect, Draft, Http, HttpOptions, Push, SecretSource,
    Settings, SigningKey,
};
use gateway::clock::{Clock, Shift};
use gateway::config::{OrganisationConfig, RelyingPartyConfig, Secret, TrustConfig};
use gateway::{Gateway, Surroundings};
use jiff::SignedDuration;
use mail_catcher::Catcher;
use portal::Portal;
use portal::config::{AuditConfig, Config, GatewayConfig, IdentityConfig, MailConfig};
use standards::jose::SoftwareKey;
use traces::TracesConfig;
use url::Url;
use wallet::{Scan, Scanned, Wallet};
use zeroize::Zeroizing;

use crate::browser::{Browser, Page};
use crate::database::Database;
use crate::door::Door;
use crate::key_folder::create_keys;
use crate::requirements::cheat;
use crate::requirements::wire::{Party, Wire};
use crate::said::{self, Unsaid};
use crate::staff::{ANNAS, BENS, PASSWORD, everybody};

pub(crate) const CLIENT_SECRET: &str = "sandbox-secret-of-the-portal-0123456789abcdef";
/// `sandbox-key-01234567890123456789`.
pub(crate) const SIGNING_KEY: &str = "c2FuZGJveC1rZXktMDEyMzQ1Njc4OTAxMjM0NTY3ODk=";

/// Whom the portal names for help.
pub(crate) const CONTACT: &str = "hr@anytown.example, 01234 567890";

pub(crate) struct World {
    pub(crate) base: String,
    pub(crate) portal: Portal,
    pub(crate) config: Config,
    pub(crate) door: Door,
    pub(crate) database: Database,
    /// What reaches the portal and the gateway.
    pub(crate) wire: Wire,
    pub(crate) catcher: Catcher,
    gateway: Gateway,
    pub(crate) wallet: Wallet,
    clock: Clock,
    shift: Shift,
    folder: PathBuf,
    servers: Vec<tokio::task::JoinHandle<()>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_on(Database::sqlite()).await
    }

    pub(crate) async fn start_on(database: Database) -> Self {
        Self::start_with(database, |_| ()).await
    }

    /// With a portal that is configured otherwise.
    pub(crate) async fn start_with(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_both(database, change, |_| ()).await
    }

    /// With portal and gateway telling traces to somebody.
    pub(crate) async fn start_traced(database: Database, traces: &TracesConfig) -> Self {
        let change = |config: &mut Config| config.traces = traces.clone();
        let world = Self::start_both(database, change, |config| config.traces = traces.clone());
        let mut world = world.await;
        let gateway = world.gateway.clone();
        let telling = tokio::spawn(async move { gateway.send_traces().await });
        world.servers.push(telling);
        world
    }

    async fn start_both(
        database: Database,
        change: impl FnOnce(&mut Config),
        change_gateway: impl FnOnce(&mut gateway::Config),
    ) -> Self {
        said::listen();
        let folder = std::env::temp_dir().join(format!("lanyard-portal-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inside = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let base = format!("http://localhost:{port}");
        let door = Door::open(inside.local_addr().unwrap().port()).await;

        let (clock, shift) = Clock::shifted();
        let wire = Wire::default();
        let mut gateways = gateway_config(&door.base, &format!("{base}/callback"), &folder);
        create_keys(&gateways);
        change_gateway(&mut gateways);
        let surroundings = Surroundings {
            clock: clock.clone(),
            sandbox: true,
            ..Surroundings::production()
        };
        let gateway = Gateway::compose(&gateways, surroundings).await.unwrap();
        let router = wire.around(Party::Gateway, gateway.router());
        let gateways = tokio::spawn(async move { axum::serve(inside, router).await.unwrap() });

        let mailbox = clock.clone();
        let catcher = Catcher::open(&folder.join("mail"), Arc::new(move || mailbox.now()));
        let catcher = catcher.unwrap();
        let smtp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = portal_config(&base, port, &door.base, &database);
        config.mail = Some(mail_config(smtp.local_addr().unwrap().port()));
        let catching = catcher.serve_smtp(vec![smtp]);
        let catching =
            tokio::spawn(async move { panic!("the mail server ended: {}", catching.await) });

        change(&mut config);
        let portal = compose(&config, &clock).await;
        portal.import(&everybody()).await.unwrap();
        let [serving, working] = serve(&portal, &wire, listener);

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
            portal,
            config,
            door,
            database,
            wire,
            catcher,
            gateway,
            wallet,
            clock,
            shift,
            folder,
            servers: vec![serving, working, gateways, catching],
        }
    }

    /// The portal's process ends and another begins: nothing but the rows is left.
    pub(crate) async fn restart(&mut self) {
        for server in self.servers.drain(..2) {
            server.abort();
            let _ = server.await;
        }
        self.portal = self.second_portal().await;
        let listener = tokio::net::TcpListener::bind(self.config.listen)
            .await
            .unwrap();
        let servers = serve(&self.portal, &self.wire, listener);
        self.servers.splice(..0, servers);
    }

    /// Another process of the same portal: a composition of its own on the same rows.
    pub(crate) async fn second_portal(&self) -> Portal {
        compose(&self.config, &self.clock).await
    }

    /// The key that the gateway signs its ID tokens with.
    pub(crate) fn id_token_key(&self) -> SoftwareKey {
        cheat::id_token_key(&self.folder.join("keys"))
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(crate) fn later(&self, by: SignedDuration) {
        self.shift.advance(by);
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.base)
    }

    /// A browser in which somebody has logged in.
    pub(crate) async fn logged_in(&self, username: &str) -> Browser {
        let browser = self.browser();
        let page = browser.log_in(username, PASSWORD).await;
        assert_eq!(page.heading(), "Your staff account", "{}", page.html);
        browser
    }

    /// Anna, with her identity in her wallet, logged in.
    pub(crate) async fn anna(&self) -> Browser {
        self.give_identity("anna", ["Anna", "Taylor", "1990-04-12", ANNAS])
            .await;
        self.logged_in("anna").await
    }

    /// Puts Ben's identity into his wallet.
    pub(crate) async fn bens_identity(&self) {
        self.give_identity("ben", ["Ben", "Osei", "1985-11-02", BENS])
            .await;
    }

    /// Puts an identity credential into a holder's wallet, by the connector alone.
    pub(crate) async fn give_identity(&self, holder: &str, [first, surname, born, id]: [&str; 4]) {
        if self.wallet.find_holder(holder).is_err() {
            self.wallet.add_holder(holder, holder).unwrap();
        }
        let draft = Draft::new("Identity")
            .claim("ID-LegalFirstName", first)
            .claim("ID-LegalSurname", surname)
            .claim("ID-BirthDate", born)
            .claim("UniqueIdentifier", id);
        let settings = Settings {
            gateway: Url::parse(&self.door.base).unwrap(),
            dialect: Dialect::V2,
            push: Push::Always,
            client_id: "portal".to_owned(),
            client_secret: ClientSecret::new(CLIENT_SECRET),
            signing_key: Some(SigningKey::from_base64(SIGNING_KEY).unwrap()),
            organisation_id: "anytown".to_owned(),
            redirect_uri: Url::parse(&format!("{}/callback", self.base)).unwrap(),
        };
        let clock = self.clock.clone();
        let http = Http::new(HttpOptions::default()).unwrap();
        let clock: connector::Clock = Arc::new(move || clock.now());
        let connector = Connector::discover_with_clock(settings, http, clock).await;
        let connector = connector.unwrap();
        let started = connector.issue(draft).await.unwrap();
        let browser = self.browser();
        let page = browser.open(started.url.as_str()).await;
        self.scan(holder, &page.link("open-wallet"), true).await;
        // The portal knows nothing of this journey: its callback is read and not opened.
        let back = browser.fetch(&page.url).await;
        let (_, query) = back.location().split_once('?').unwrap();
        let callback = Callback::parse(query).unwrap();
        connector.finish(started.pending, callback).await.unwrap();
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

    /// At the gateway's page: the holder scans and answers. The address that leads back to the portal.
    pub(crate) async fn answer(
        &self,
        browser: &Browser,
        page: &Page,
        holder: &str,
        consent: bool,
    ) -> String {
        self.scan(holder, &page.link("open-wallet"), consent).await;
        let after = browser.fetch(&page.url).await;
        if after.location().is_empty() {
            after.link("go-back")
        } else {
            after.location().to_owned()
        }
    }

    /// The same, and the browser goes back.
    pub(crate) async fn scan_and_return(
        &self,
        browser: &Browser,
        page: &Page,
        holder: &str,
        consent: bool,
    ) -> Page {
        let back = self.answer(browser, page, holder, consent).await;
        browser.open(&back).await
    }

    /// Verifies the identity with that holder's wallet; the page that follows.
    pub(crate) async fn verify(&self, browser: &Browser, holder: &str) -> Page {
        let page = browser.open("/identity").await;
        let page = browser.send(&page, "/identity/start", &[]).await;
        self.scan_and_return(browser, &page, holder, true).await
    }

    /// The whole way of one credential, whatever of it is left to do; the page that follows.
    pub(crate) async fn add(&self, browser: &Browser, record: &str) -> Page {
        let mut page = browser.confirm(record).await;
        if page.path() == "/identity" {
            page = self.verify(browser, "anna").await;
        }
        let action = format!("/credentials/{record}/add");
        let page = browser.send(&page, &action, &[]).await;
        self.scan_and_return(browser, &page, "anna", true).await
    }

    /// The drafts that the gateway was sent, as it was sent them.
    pub(crate) fn drafts(&self) -> Vec<String> {
        let pushed = self.door.calls("/par").into_iter();
        pushed
            .filter(|body| body.contains("issue."))
            .filter(|body| !body.contains("issue.Identity"))
            .collect()
    }

    /// Waits until the list shows a record in this state.
    pub(crate) async fn until(&self, browser: &Browser, record: &str, state: &str) -> Page {
        let mut last = None;
        for _ in 0..100 {
            let page = browser.open("/credentials").await;
            last = page.state_of(record);
            if last.as_deref() == Some(state) {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{record} is {last:?} and not {state}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
        let mut unsaid = Unsaid::of_everybody();
        unsaid.add("a client secret", CLIENT_SECRET);
        unsaid.add("a signing key", SIGNING_KEY);
        unsaid.add_wallet(&self.folder.join("wallet"));
        unsaid.is_in_no_figure(self.gateway.metrics_router());
        let _ = std::fs::remove_dir_all(&self.folder);
        unsaid.was_not_said();
    }
}

/// What a process of the portal does: answer, and work behind its pages.
fn serve(
    portal: &Portal,
    wire: &Wire,
    listener: tokio::net::TcpListener,
) -> [tokio::task::JoinHandle<()>; 2] {
    let router = wire.around(Party::Portal, portal.router());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let at_work = portal.clone();
    let working = tokio::spawn(async move { at_work.keep_working().await });
    [serving, working]
}

async fn compose(config: &Config, clock: &Clock) -> Portal {
    let clock = clock.clone();
    let surroundings = portal::Surroundings {
        clock: Arc::new(move || clock.now()),
        sandbox: true,
        observer: None,
    };
    Portal::compose(config, surroundings).await.unwrap()
}

pub(crate) fn portal_config(base: &str, port: u16, gateway: &str, database: &Database) -> Config {
    Config {
        public_url: base.parse().unwrap(),
        listen: ([127, 0, 0, 1], port).into(),
        database: database.address(),
        organisation: "Anytown NHS Trust".to_owned(),
        gateway: GatewayConfig {
            url: gateway.parse().unwrap(),
            dialect: Dialect::V2,
            client_id: "portal".to_owned(),
            client_secret: SecretSource::held(CLIENT_SECRET),
            signing_key: SecretSource::held(SIGNING_KEY),
            organisation_id: "anytown".to_owned(),
            certificate_authority: None,
            journey_seconds: 2880,
            answer_seconds: 45,
        },
        identity: IdentityConfig::default(),
        supersede: true,
        mail: None,
        log_in: None,
        records: None,
        applies: Vec::new(),
        audit: AuditConfig::default(),
        staff: None,
        brand: None,
        catalogue: None,
        hr_page: true,
        hr_staff: Vec::new(),
        address_header: None,
        idle_minutes: 30,
        session_hours: 12,
        traces: said::traced(),
        tls_certificate: None,
        tls_key: None,
    }
}

fn mail_config(port: u16) -> MailConfig {
    MailConfig {
        host: "127.0.0.1".to_owned(),
        port,
        security: connector::desk::SmtpSecurity::Loopback,
        username: None,
        password: None,
        from: "Anytown NHS Trust <staff-services@anytown.example>".to_owned(),
        contact: CONTACT.to_owned(),
        home_link: true,
        notify: None,
        access_token: None,
        certificate_authority: None,
        texts: None,
        most_a_minute: None,
    }
}

fn gateway_config(base: &str, redirect_uri: &str, folder: &Path) -> gateway::Config {
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
        relying_parties: vec![RelyingPartyConfig {
            client_secret_sha256: vec![hex::encode(digest)],
            signing_key: Some(held(SIGNING_KEY)),
            redirect_uris: vec![redirect_uri.to_owned()],
            ..RelyingPartyConfig::new(
                "portal",
                "Anytown staff services",
                gateway::organisation::dialect::Dialect::V2,
            )
        }],
    };
    gateway::Config {
        traces: said::traced(),
        organisations: vec![anytown],
        ..gateway::Config::sandboxed(
            public_url,
            folder,
            "sandbox-storage-secret-0123456789abcdef",
        )
    }
}
