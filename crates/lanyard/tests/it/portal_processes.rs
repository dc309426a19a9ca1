//! Gateway, portal, wallet and mail catcher as four processes, each of which can be killed and started again on what
//! it has kept.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use connector::{
    Callback, ClientSecret, Connector, Dialect, Draft, Http, HttpOptions, Push, Settings,
    SigningKey,
};
use lanyard::browser::{Arrived, Browser};
use store::{Row, Statement};
use url::Url;

use crate::database::Database;
use crate::operated::{
    CLIENT_ID, LANYARD, ORGANISATION, Operated, REDIRECT_URI, new_folder, write_private,
};
use crate::portal_walk::{Scene, Walk, Walker};

/// How long a process may take to listen, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);
/// Seconds after which a journey is over for the portal. Longer than any walk takes, so that none is settled under the
/// feet of who walks it.
const JOURNEY_SECONDS: u32 = 30;
/// Seconds after which whoever waited for an answer is taken for dead: longer than any answer takes.
const ANSWER_SECONDS: u32 = 3;
/// Everybody's, since nobody is to guess it.
const PASSWORD: &str = "correct horse battery staple";
/// What the record says at first, and what HR makes of it.
const PROGRAMME: &str = "Cardiology";
pub(crate) const OTHER_PROGRAMME: &str = "Neurology";

/// Who can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Gateway,
    Portal,
    Wallet,
    Mail,
}

impl Party {
    /// Mail first: what it misses comes while the others have their turn.
    pub(crate) const ALL: [Self; 4] = [Self::Mail, Self::Gateway, Self::Portal, Self::Wallet];
}

/// The four, and the employees whom they know: `e0`, `e1`, and so on, each with one record and an identity in the wallet.
pub(crate) struct Processes {
    pub(crate) gateway: Operated,
    portal_database: Database,
    portal: Process,
    wallet: Process,
    mail: Process,
    folder: PathBuf,
    pub(crate) scene: Scene,
}

impl Processes {
    /// Starts them, for so many employees.
    pub(crate) async fn start(database: Database, employees: usize) -> Self {
        let portal_database = another(&database).await;
        let mut gateway = Operated::prepare(database);
        let first = Url::parse(&gateway.base).unwrap().port().unwrap();
        let [portal_port, wallet_port, mail_port, smtp_port] = [1, 2, 3, 13].map(|n| first + n);
        let portal_url = format!("https://localhost:{portal_port}");
        gateway.write_config(&with_portal(&gateway.config, &gateway.base, &portal_url));
        gateway.write_keys();
        gateway.start();

        let folder = new_folder();
        fs::write(folder.join("authority.pem"), &gateway.certificate_authority).unwrap();
        write_private(&folder.join("client-secret"), &gateway.client_secret);
        write_private(&folder.join("password"), PASSWORD);
        fs::write(folder.join("staff.toml"), staff(&folder, employees)).unwrap();
        let config = portal_config(&folder, &gateway, portal_port, &portal_database, smtp_port);
        fs::write(folder.join("portal.toml"), config).unwrap();

        let mut wallet = Process::new("wallet", &folder, &[wallet_port]);
        wallet.say(&["wallet", "serve"]);
        wallet.say_path("--wallet-data", &folder.join("wallet"));
        wallet.say(&["--port", &wallet_port.to_string()]);
        wallet.say_path("--certificate-authority", &folder.join("authority.pem"));
        for number in 0..employees {
            wallet.say(&["--holder", &format!("e{number}:Employee {number}")]);
        }
        let mut portal = Process::new("portal", &folder, &[portal_port]);
        portal.say(&["portal"]);
        portal.say_path("--config", &folder.join("portal.toml"));
        let mut mail = Process::new("mail", &folder, &[mail_port, smtp_port]);
        mail.say(&["mail"]);
        mail.say_path("--data", &folder.join("mail"));
        mail.say(&["--port", &mail_port.to_string()]);
        mail.say(&["--smtp-port", &smtp_port.to_string()]);
        for process in [&mut wallet, &mut portal, &mut mail] {
            process.start();
        }
        let here = |port: u16| Url::parse(&format!("http://localhost:{port}")).unwrap();
        let world = Self {
            scene: Scene {
                portal: portal_url.parse().unwrap(),
                wallet: here(wallet_port),
                mail: here(mail_port),
                certificate_authority: Some(gateway.certificate_authority.clone()),
            },
            gateway,
            portal_database,
            portal,
            wallet,
            mail,
            folder,
        };
        world.seed(employees).await.unwrap();
        world
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, party: Party) {
        match party {
            Party::Gateway => self.gateway.kill(),
            Party::Portal => self.portal.kill(),
            Party::Wallet => self.wallet.kill(),
            Party::Mail => self.mail.kill(),
        }
    }

    /// Starts it again with the same folder and database.
    pub(crate) fn revive(&mut self, party: Party) {
        match party {
            Party::Gateway => self.gateway.start(),
            Party::Portal => self.portal.start(),
            Party::Wallet => self.wallet.start(),
            Party::Mail => self.mail.start(),
        }
    }

    /// From now on, and until it dies, the mail server keeps each mail and hangs up without a word.
    pub(crate) async fn let_mail_hang_up(&self) {
        let address = self.scene.mail.join("/api/misbehave").unwrap();
        let client = lanyard::browser::plain_client(false, None).unwrap();
        let fault = serde_json::json!({"fault": "drop-before-answer"});
        let answer = client.post(address).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// This employee, with a browser.
    pub(crate) fn walk(&self, number: usize) -> Walk {
        let id = format!("e{number}");
        let who = Walker {
            username: id.clone(),
            password: PASSWORD.to_owned(),
            holder: id.clone(),
        };
        Walk::new(self.scene.clone(), who, &format!("{id}-programme")).unwrap()
    }

    /// Rows of the gateway's database, past the gateway.
    pub(crate) async fn gateway_rows(&self, select: &'static str) -> Vec<Row> {
        self.gateway.rows(Statement::new(select)).await
    }

    /// Rows of the portal's database, past the portal.
    pub(crate) async fn portal_rows(&self, select: &'static str) -> Vec<Row> {
        let store = self.portal_database.open().await;
        let rows = store.read(Statement::new(select)).await.unwrap();
        store.close().await;
        rows
    }

    /// HR gives everybody an identity credential, through the gateway's front door.
    async fn seed(&self, employees: usize) -> anyhow::Result<()> {
        let gateway = &self.gateway;
        let settings = Settings {
            gateway: gateway.base.parse()?,
            dialect: Dialect::Plain,
            push: Push::Always,
            client_id: CLIENT_ID.to_owned(),
            client_secret: ClientSecret::new(gateway.client_secret.as_str()),
            signing_key: Some(SigningKey::from_base64(&gateway.signing_key.to_base64())?),
            organisation_id: ORGANISATION.to_owned(),
            redirect_uri: REDIRECT_URI.parse()?,
        };
        let authority = gateway.certificate_authority.as_bytes();
        let http = Http::new(HttpOptions {
            certificate_authority: Some(authority.to_vec()),
            ..HttpOptions::default()
        })?;
        let hr = Connector::discover(settings, http).await?;
        for number in 0..employees {
            let draft = Draft::new("Identity")
                .claim("ID-LegalFirstName", "Employee")
                .claim("ID-LegalSurname", surname(number))
                .claim("ID-BirthDate", "1990-01-31")
                .claim("UniqueIdentifier", uuid::Uuid::new_v4().to_string());
            let started = hr.issue(draft).await?;
            let browser = Browser::new(REDIRECT_URI.parse()?, Some(authority), None)?;
            let Arrived::Page(page) = browser.open(&started.url).await? else {
                anyhow::bail!("the gateway shows no page")
            };
            let link = page.href("open-wallet").unwrap();
            let scanned = self.walk(number).scan_link(&link, true).await?;
            anyhow::ensure!(scanned.outcome == "received", "{scanned:?}");
            let Arrived::Back(query) = browser.reload(&page).await? else {
                anyhow::bail!("the page does not lead back")
            };
            hr.finish(started.pending, Callback::parse(&query)?).await?;
        }
        Ok(())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for process in [&mut self.portal, &mut self.wallet, &mut self.mail] {
            process.end();
            if std::thread::panicking() {
                process.tell_the_end_of_the_log();
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A further database on the same engine.
pub(crate) async fn another(database: &Database) -> Database {
    if database.address().starts_with("sqlite:") {
        Database::sqlite()
    } else {
        Database::postgres().await.unwrap()
    }
}

/// One `lanyard`, its log going to a file.
struct Process {
    words: Vec<String>,
    ports: Vec<u16>,
    log: PathBuf,
    running: Option<Child>,
}

impl Process {
    fn new(name: &str, folder: &Path, ports: &[u16]) -> Self {
        Self {
            words: Vec::new(),
            ports: ports.to_vec(),
            log: folder.join(format!("{name}.log")),
            running: None,
        }
    }

    fn say(&mut self, words: &[&str]) {
        let words = words.iter().map(|word| (*word).to_owned());
        self.words.extend(words);
    }

    fn say_path(&mut self, option: &str, path: &Path) {
        self.say(&[option, path.to_str().unwrap()]);
    }

    /// Starts it and waits until it listens.
    fn start(&mut self) {
        assert!(self.running.is_none(), "{} runs already", self.words[0]);
        let mut options = File::options();
        let log = options.create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(LANYARD);
        command.args(&self.words).env_remove("RUST_LOG");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut process = command.spawn().unwrap();
        let began = Instant::now();
        let listens = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
        while !self.ports.iter().all(listens) {
            if let Some(status) = process.try_wait().unwrap() {
                self.tell_the_end_of_the_log();
                panic!("{} ended at once, {status}", self.words[0]);
            }
            assert!(began.elapsed() < PATIENCE, "{} is deaf", self.words[0]);
            std::thread::sleep(Duration::from_millis(5));
        }
        self.running = Some(process);
    }

    /// SIGKILL: the process gets no chance to finish anything.
    fn kill(&mut self) {
        let mut process = self.running.take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// The test is over.
    fn end(&mut self) {
        if let Some(mut process) = self.running.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn tell_the_end_of_the_log(&self) {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(30)..].join("\n");
        eprintln!("{} said last:\n{last}", self.words[0]);
    }
}

/// A name that nobody else has, in letters.
fn surname(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!("Walker{}{}", letter(number / 26), letter(number))
}

/// The gateway's configuration: the portal comes back to its own address, and may ask for identities.
fn with_portal(config: &str, base: &str, portal_url: &str) -> String {
    let uris = format!("redirect_uris = [\"{REDIRECT_URI}\"");
    let more = format!("{uris}, \"{portal_url}/callback\"");
    let with_uri = config.replace(&uris, &more);
    assert_ne!(with_uri, config, "the portal is not in the configuration");
    let trust = format!(
        "[[organisations.trust]]\ncredential_type = \"Identity\"\nissuers = [\"{base}/issuers/{ORGANISATION}\"]\n\n"
    );
    let parties = "[[organisations.relying_parties]]";
    with_uri.replacen(parties, &format!("{trust}{parties}"), 1)
}

/// The portal's, as docs/operate/portal.md explains it, with the short times of this test.
fn portal_config(
    folder: &Path,
    gateway: &Operated,
    port: u16,
    database: &Database,
    smtp_port: u16,
) -> String {
    let (place, kept) = (folder.display(), gateway.folder.display());
    let (base, address) = (&gateway.base, database.address());
    format!(
        r#"public_url = "https://localhost:{port}"
listen = "127.0.0.1:{port}"
database = "{address}"
organisation = "Anytown NHS Trust"
staff = "{place}/staff.toml"
hr_page = true
tls_certificate = "{kept}/chain.pem"
tls_key = "{kept}/tls-key.pem"

[gateway]
url = "{base}"
dialect = "plain"
client_id = "{CLIENT_ID}"
client_secret = {{ file = "{place}/client-secret" }}
signing_key = {{ file = "{kept}/signing-key" }}
organisation_id = "{ORGANISATION}"
certificate_authority = "{place}/authority.pem"
journey_seconds = {JOURNEY_SECONDS}
answer_seconds = {ANSWER_SECONDS}

[mail]
host = "localhost"
port = {smtp_port}
security = "loopback"
from = "Anytown NHS Trust <staff-services@anytown.example>"
contact = "hr@anytown.example, 01234 567890"
"#
    )
}

/// The staff file.
fn staff(folder: &Path, employees: usize) -> String {
    let (mut file, place) = (String::new(), folder.display());
    for number in 0..employees {
        let surname = surname(number);
        write!(
            file,
            r#"[[employees]]
id = "e{number}"
username = "e{number}"
password = {{ file = "{place}/password" }}
first_names = "Employee"
surname = "{surname}"
date_of_birth = "1990-01-31"
email = "e{number}@anytown.example"

[[employees.records]]
id = "e{number}-programme"
credential_type = "TrainingProgramme"

[employees.records.claims]
TPR-Name = "{PROGRAMME}"
TPR-ProgrammeStartDate = "2025-08-06"
TPR-ProgrammeEndDate = "2031-08-05"
TPR-Origin = "Anytown NHS Trust"
TPR-AssurancePolicy = "Postgraduate doctor trainee programme assessment"
TPR-AssuranceOutcome = "Postgraduate doctor trainee programme registration"
TPR-Provider = "Anytown NHS Trust"
TPR-Verifier = "Origin"
TPR-VerificationMethod = "Record Verification"
TPR-Pedigree = "Authoritative"
TPR-LastRefresh = "2026-11-01"

"#
        )
        .unwrap();
    }
    file
}
