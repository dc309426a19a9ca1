//! The gateway as its operator runs it: the program itself, a configuration file, keys and secrets in files of
//! their own, https. And as no operator runs it: killed at any moment.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pkcs8::pkcs5::pbes2;
use pkcs8::{LineEnding, PrivateKeyInfoRef};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::cookie::Jar;
use standards::jose::{Algorithm, HmacKey, SoftwareKey};
use store::{Row, Statement};

use crate::database::Database;
use crate::overheard::Overheard;
use crate::ports::Ports;
use crate::said::{EVERYTHING, NOBODY, Unsaid, figures_at};

/// The program under test.
pub(crate) const LANYARD: &str = env!("CARGO_BIN_EXE_lanyard");
/// The one organisation, unless a test has others.
pub(crate) const ORGANISATION: &str = "anytown";
/// The one relying party, unless a test has others.
pub(crate) const CLIENT_ID: &str = "anytown-staff-services";
/// Where its browsers come back to. Nobody listens there.
pub(crate) const REDIRECT_URI: &str = "https://staff.example.org/callback";

/// How long a process may take to listen, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);
/// The iterations that openssl takes when an operator makes a key with it; the gateway's own are many more, and
/// each start would pay for them.
const KEY_ROUNDS: u32 = 2_048;

/// A gateway with everything that its operator keeps for it.
pub(crate) struct Operated {
    pub(crate) base: String,
    pub(crate) folder: PathBuf,
    pub(crate) database: Database,
    /// Who acts in journeys: the organisation, its relying party, and that one's secret, signing key and way back.
    pub(crate) organisation: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) client_secret: String,
    pub(crate) signing_key: HmacKey,
    pub(crate) config: String,
    pub(crate) certificate_authority: String,
    pub(crate) ports: Ports,
    /// Variables of the environment that its programs see besides.
    pub(crate) environment: Vec<(&'static str, PathBuf)>,
    heard: Overheard,
    process: Option<Child>,
}

impl Operated {
    /// Everything is in its place; nothing runs yet.
    pub(crate) fn prepare(database: Database) -> Self {
        let folder = new_folder();
        let ports = Ports::claim();
        let base = format!("https://localhost:{}", ports.first);
        let client_secret = secret();
        let signing_key = HmacKey::generate().unwrap();

        let certificate_authority = write_certificate(&folder);
        write_private(&folder.join("key-passphrase"), &secret());
        write_private(&folder.join("storage-secret"), &format!("{}\n", secret()));
        write_private(&folder.join("signing-key"), &signing_key.to_base64());
        write_private(
            &folder.join("webhook-secret"),
            &format!("whsec_{}", secret()),
        );
        let config = config(&base, ports.first, &folder, &database, &client_secret);
        let prepared = Self {
            base,
            folder,
            database,
            organisation: ORGANISATION.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            redirect_uri: REDIRECT_URI.to_owned(),
            client_secret,
            signing_key,
            config,
            certificate_authority,
            ports,
            environment: Vec::new(),
            heard: Overheard::default(),
            process: None,
        };
        prepared.write_config(&prepared.config);
        prepared
    }

    /// A machine with a name and a certificate in that folder, and nothing of ours: whoever sets it up makes the rest.
    pub(crate) fn on_an_empty_machine(folder: &Path, database: Database) -> Self {
        let ports = Ports::claim();
        let certificate_authority = write_certificate(folder);
        fs::write(folder.join("authority.pem"), &certificate_authority).unwrap();
        Self {
            base: format!("https://localhost:{}", ports.first),
            folder: folder.to_owned(),
            database,
            organisation: String::new(),
            client_id: String::new(),
            redirect_uri: String::new(),
            client_secret: String::new(),
            signing_key: HmacKey::generate().unwrap(),
            config: String::new(),
            certificate_authority,
            ports,
            environment: Vec::new(),
            heard: Overheard::default(),
            process: None,
        }
    }

    /// A gateway that runs.
    pub(crate) fn started(database: Database) -> Self {
        let mut prepared = Self::prepare(database);
        prepared.write_keys();
        prepared.start();
        prepared
    }

    pub(crate) fn write_config(&self, text: &str) {
        fs::write(self.config_file(), text).unwrap();
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.join("gateway.toml")
    }

    /// Makes the signing keys as an operator does with tools of their own.
    pub(crate) fn write_keys(&self) {
        let keys = self.folder.join("keys");
        fs::create_dir(&keys).unwrap();
        let passphrase = fs::read_to_string(self.folder.join("key-passphrase")).unwrap();
        let mut wanted = vec![("id-token-rs256".to_owned(), Algorithm::RS256)];
        wanted.push(("id-token-es256".to_owned(), Algorithm::ES256));
        wanted.push(("id-token-eddsa".to_owned(), Algorithm::EdDSA));
        wanted.push(("audit".to_owned(), Algorithm::ES256));
        for purpose in ["credentials", "status", "requests"] {
            wanted.push((format!("{ORGANISATION}.{purpose}"), Algorithm::ES256));
        }
        for (name, algorithm) in wanted {
            let key = SoftwareKey::generate(algorithm).unwrap();
            let salt = *uuid::Uuid::new_v4().as_bytes();
            let iv = *uuid::Uuid::new_v4().as_bytes();
            let parameters =
                pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(KEY_ROUNDS, &salt, iv).unwrap();
            let der = key.to_pkcs8_der().unwrap();
            let encrypted = PrivateKeyInfoRef::try_from(der.as_slice())
                .unwrap()
                .encrypt_with_params(parameters, passphrase.as_bytes())
                .unwrap();
            let text = encrypted
                .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
                .unwrap();
            write_private(&keys.join(format!("{name}.pem")), &text);
        }
    }

    /// `lanyard gateway --config FILE` and what follows it, its log going to a file.
    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(LANYARD);
        command
            .args(["gateway", "--config"])
            .arg(self.config_file())
            .args(more);
        command.env_remove("RUST_LOG").stdin(Stdio::null());
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Starts the process and waits until it listens.
    pub(crate) fn start(&mut self) {
        assert!(self.process.is_none(), "the gateway runs already");
        self.keep_secrets();
        let log = self.log_to_write();
        let mut command = Command::new(LANYARD);
        command.args(["gateway", "--config"]).arg(self.watched());
        let mut process = command
            .stdin(Stdio::null())
            .envs(self.environment.iter().cloned())
            .env("RUST_LOG", EVERYTHING)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.first)).is_err() {
            if let Some(status) = process.try_wait().unwrap() {
                panic!("the gateway ended at once, {status}: {}", self.log());
            }
            assert!(
                began.elapsed() < PATIENCE,
                "the gateway does not listen: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        self.process = Some(process);
    }

    /// The configuration, and a metrics page and a collector besides where it has none: a running gateway's figures and
    /// spans are looked through as its log is.
    fn watched(&self) -> PathBuf {
        let text = fs::read_to_string(self.config_file()).unwrap();
        let file = self.folder.join("gateway.watched.toml");
        fs::write(&file, watched(text, self.metrics_port())).unwrap();
        file
    }

    /// Another one, for the figures of a gateway whose test asks for none.
    pub(crate) fn metrics_port(&self) -> u16 {
        self.ports.first + 14
    }

    /// A port of its block that nobody else uses: the admin API's.
    pub(crate) fn admin_port(&self) -> u16 {
        self.ports.first + 10
    }

    /// SIGKILL: the process gets no chance to finish anything.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("the gateway runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub(crate) fn kill_and_start(&mut self) {
        self.kill();
        self.start();
    }

    /// SIGTERM, as service managers send it; the process ends in its own time.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let figures = figures_at(self.metrics_port());
        let mut process = self.process.take().expect("the gateway runs");
        let status = terminate(&mut process);
        self.unsaid().is_nowhere_among(figures.as_deref());
        status
    }

    /// SIGTERM, and the process goes on as long as it sees fit.
    pub(crate) fn signal_to_stop(&self) {
        send_term(self.process.as_ref().expect("the gateway runs"));
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Where a process of this gateway writes from now on.
    pub(crate) fn log_to_write(&self) -> File {
        self.heard.log_in(&self.folder)
    }

    /// Neither log nor trace nor figure of this gateway may say it.
    pub(crate) fn unsaid(&self) -> Unsaid {
        let mut unsaid = Unsaid::of_everybody();
        self.add_secrets(&mut unsaid);
        unsaid
    }

    /// What opens something of this gateway's, or says that it is somebody.
    pub(crate) fn add_secrets(&self, unsaid: &mut Unsaid) {
        self.keep_secrets();
        self.heard.add_to(unsaid);
    }

    /// Those of this folder and of whoever acts now: both may be others later.
    fn keep_secrets(&self) {
        let signing_key = self.signing_key.to_base64();
        self.heard.keep("a client secret", &*self.client_secret);
        self.heard.keep("a signing key", signing_key.as_str());
        let config = self.config_file();
        self.heard.keep_secrets_of(&self.folder, &config);
    }

    /// A credential has this number: from here on neither log nor trace nor figure may say it.
    pub(crate) fn keep_unsaid(&self, serial_number: &impl ToString) {
        let serial_number = serial_number.to_string();
        self.heard.keep("a serial number", serial_number);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A client that trusts the operator's certificate authority. Every process of the gateway needs a new one:
    /// the connections of an old one are dead.
    pub(crate) fn client(&self, cookies: &Arc<Jar>) -> reqwest::Client {
        let authority =
            reqwest::Certificate::from_pem(self.certificate_authority.as_bytes()).unwrap();
        reqwest::Client::builder()
            .tls_certs_only([authority])
            .cookie_provider(Arc::clone(cookies))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap()
    }

    /// Rows of the gateway's database, past the gateway.
    pub(crate) async fn rows(&self, statement: Statement) -> Vec<Row> {
        let store = self.database.open().await;
        let rows = store.read(statement).await.unwrap();
        store.close().await;
        rows
    }
}

impl Drop for Operated {
    fn drop(&mut self) {
        let figures = self.process.take().and_then(|mut process| {
            let may_look = !std::thread::panicking();
            let figures = may_look.then(|| figures_at(self.metrics_port()));
            let _ = process.kill();
            let _ = process.wait();
            figures.flatten()
        });
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!(
                "the gateway's log ended so:\n{}",
                lines[lines.len().saturating_sub(20)..].join("\n")
            );
        }
        if !std::thread::panicking() {
            // SEC-40: whatever a test of the suite did to the gateway, it names nobody and opens nothing.
            let unsaid = self.unsaid();
            unsaid.is_nowhere_among(figures.as_deref());
            self.heard.look_through(&unsaid);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A configuration with a metrics page and a collector besides, where it has none.
pub(crate) fn watched(mut config: String, port: u16) -> String {
    if !config.contains("[metrics]") {
        write!(config, "\n[metrics]\nlisten = \"127.0.0.1:{port}\"\n").unwrap();
    }
    if !config.contains("[traces]") {
        write!(config, "\n[traces]\notlp_endpoint = \"{NOBODY}\"\n").unwrap();
    }
    config
}

/// Asks a process to end and waits until it has.
pub(crate) fn terminate(process: &mut Child) -> ExitStatus {
    send_term(process);
    wait(process)
}

fn send_term(process: &Child) {
    let id = process.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
}

/// Waits for a process that is to end by itself.
pub(crate) fn wait(process: &mut Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > PATIENCE {
            let _ = process.kill();
            panic!("the process does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A folder of the test's own.
pub(crate) fn new_folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lanyard-test-{}", uuid::Uuid::new_v4()));
    fs::create_dir(&folder).unwrap();
    folder
}

/// A secret that somebody generated.
fn secret() -> String {
    HmacKey::generate().unwrap().to_base64().to_string()
}

pub(crate) fn write_private(file: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}

/// A certificate for `localhost` in `chain.pem` and `tls-key.pem`; gives the authority that signed it.
pub(crate) fn write_certificate(folder: &Path) -> String {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("chain.pem"), leaf.pem()).unwrap();
    write_private(&folder.join("tls-key.pem"), &key.serialize_pem());
    root.pem()
}

/// The configuration file, as docs/operate/gateway.md explains it.
fn config(
    base: &str,
    port: u16,
    folder: &Path,
    database: &Database,
    client_secret: &str,
) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, client_secret.as_bytes());
    let digest = digest
        .as_ref()
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
    let (folder, address) = (folder.display(), database.address());
    format!(
        r#"public_url = "{base}"
listen = "127.0.0.1:{port}"
database = "{address}"
keys = "{folder}/keys"
key_passphrase = {{ file = "{folder}/key-passphrase" }}
storage_secret = {{ file = "{folder}/storage-secret" }}
tls_certificate = "{folder}/chain.pem"
tls_key = "{folder}/tls-key.pem"

[[organisations]]
id = "{ORGANISATION}"
name = "Anytown NHS Trust"
issues = ["Identity", "TrainingProgramme"]

[[organisations.trust]]
credential_type = "TrainingProgramme"
issuers = ["{base}/issuers/{ORGANISATION}"]

[[organisations.relying_parties]]
name = "Anytown Staff Services"
client_id = "{CLIENT_ID}"
client_secret_sha256 = ["{digest}"]
signing_key = {{ file = "{folder}/signing-key" }}
redirect_uris = ["{REDIRECT_URI}"]
dialect = "plain"

[organisations.relying_parties.webhook]
url = "https://nobody.invalid/events"
secrets = [{{ file = "{folder}/webhook-secret" }}]
"#
    )
}
