//! The servers under load: built, configured, started, and gone when dropped.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cargo::{SHIPPED, built, cargo, succeeds};
use crate::postgres::Postgres;

/// The address that the gateway goes by. Nobody resolves it: the load stands where the proxy would that ends TLS.
pub(super) const ORIGIN: &str = "https://gateway.bench.example";
/// Where browsers come back to. Nobody listens there either.
pub(super) const REDIRECT_URI: &str = "https://portal.bench.example/callback";
/// Known to everybody, and good for nothing but a gateway that lives for a minute on loopback.
pub(super) const CLIENT_SECRET: &str = "a-secret-of-the-benchmarks-that-is-none";
/// Its SHA-256, as a configuration has it.
const CLIENT_SECRET_SHA256: &str =
    "53869f9228e6edcf23a8038afff8f5110cda4f0a63340ab2864127838c5e55bf";
/// Base64 of the key that signs drafts.
pub(super) const SIGNING_KEY: &str =
    "YSBrZXkgb2YgdGhlIGJlbmNobWFya3MgdGhhdCBpcyBub25lLCBidXQgbG9uZw==";

/// What ID tokens are signed with; the relying party of each is one of the configuration's.
pub(super) const ALGORITHMS: [&str; 2] = ["ES256", "RS256"];

/// One relying party is everybody here. (By address nothing is limited on loopback.)
const UNLIMITED: &str = "
[limits.client]
pushes = 100000000
tokens = 100000000
revocations = 100000000
at_once = 10000
open_pushes = 100000000
[limits.process]
at_once = 10000
";

/// How long a server may take to start; the keys are opened with as many rounds as in real use.
const START: Duration = Duration::from_mins(1);

/// The client id for an algorithm, at our gateway and at the peer.
pub(super) fn client_id(algorithm: &str) -> String {
    format!("bench-{}", algorithm.to_lowercase())
}

/// The release binaries.
pub(super) struct Programs {
    pub(super) lanyard: PathBuf,
    pub(super) load: PathBuf,
}

impl Programs {
    /// Builds them.
    pub(super) fn build(root: &Path) -> anyhow::Result<Self> {
        let mut build = cargo(root);
        build.args(["build", "--profile", SHIPPED]);
        build.args(["--package=lanyard", "--package=load"]);
        anyhow::ensure!(succeeds(&mut build)?, "what is shipped was not built");
        let folder = built(root);
        let lanyard = folder.join("lanyard");
        refuse_points(&lanyard)?;
        Ok(Self {
            lanyard,
            load: folder.join("lanyard-load"),
        })
    }
}

/// A binary that can be told to die (decision 0023) is none that anybody is to run.
fn refuse_points(binary: &Path) -> anyhow::Result<()> {
    const VARIABLE: &[u8] = b"LANYARD_POINTS";
    let bytes = std::fs::read(binary)?;
    let is_there = bytes
        .windows(VARIABLE.len())
        .any(|window| window == VARIABLE);
    anyhow::ensure!(
        !is_there,
        "{}: it is no release build, it has points to die at",
        binary.display()
    );
    Ok(())
}

/// A folder that is gone when dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> anyhow::Result<Self> {
        let made = Command::new("mktemp")
            .args(["-d", "-t", "lanyard-bench.XXXXXX"])
            .output()?;
        anyhow::ensure!(made.status.success(), "mktemp made no folder");
        Ok(Self(
            String::from_utf8_lossy(&made.stdout).trim_end().into(),
        ))
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running server. Dropping it ends it.
pub(super) struct Server {
    processes: Vec<Child>,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) origin: String,
    /// Where the gateway keeps its database; deleted after the process is gone.
    folder: Folder,
    /// And its PostgreSQL, if it has one; the last to go.
    _postgres: Option<Postgres>,
}

/// What a gateway is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// One process on SQLite.
    Sqlite,
    /// So many processes on one PostgreSQL, which waits for the disk.
    Postgres { processes: u32 },
}

impl Server {
    /// A gateway as in real use, with new keys and an empty database, which writes through to the disk. One relying party may ask as much as the machine can do.
    pub(super) fn gateway(programs: &Programs, setting: Setting) -> anyhow::Result<Self> {
        Self::limited_gateway(programs, setting, UNLIMITED)
    }

    /// The same with the limits that a configuration has which says nothing of them.
    pub(super) fn gateway_as_shipped(programs: &Programs) -> anyhow::Result<Self> {
        Self::limited_gateway(programs, Setting::Sqlite, "")
    }

    fn limited_gateway(
        programs: &Programs,
        setting: Setting,
        limits: &str,
    ) -> anyhow::Result<Self> {
        let folder = Folder::new()?;
        let (postgres, number) = match setting {
            Setting::Sqlite => (None, 1),
            Setting::Postgres { processes } => (Some(Postgres::start_durable()?), processes),
        };
        let database = match &postgres {
            None => format!("sqlite:{}", folder.join("gateway.db").display()),
            Some(postgres) => postgres.url().to_owned(),
        };
        for (name, text) in [
            ("passphrase", "a passphrase of the benchmarks\n"),
            ("storage", "q0Zr7uYw1Kx9Vb3Nd5Tf2Hs8Lm4Pj6Cg\n"),
            ("signing", SIGNING_KEY),
        ] {
            std::fs::write(folder.join(name), text)?;
        }
        let mut server = Self {
            processes: Vec::new(),
            addresses: Vec::new(),
            origin: ORIGIN.to_owned(),
            folder,
            _postgres: postgres,
        };
        for number in 0..number {
            let address = free_address()?;
            let config = server.folder.join(&format!("gateway-{number}.toml"));
            let text = configuration(&server.folder, address, &database, limits);
            std::fs::write(&config, text)?;
            if number == 0 {
                let mut keys = Command::new(&programs.lanyard);
                keys.args(["gateway", "--create-keys", "--config"])
                    .arg(&config)
                    .stdout(Stdio::null());
                anyhow::ensure!(succeeds(&mut keys)?, "the gateway's keys were not made");
            }
            let mut command = with_every_file_descriptor(&programs.lanyard);
            command.args(["gateway", "--config"]).arg(&config);
            server.add(&mut command, address)?;
        }
        Ok(server)
    }

    /// The configuration file of a gateway, its first process's.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("gateway-0.toml")
    }

    /// Another process of the same gateway, at another address.
    pub(super) fn beside(&self, programs: &Programs) -> anyhow::Result<Self> {
        let (folder, address) = (Folder::new()?, free_address()?);
        let config = folder.join("gateway.toml");
        let text = std::fs::read_to_string(self.config())?;
        let own = |at: SocketAddr| format!("listen = \"{at}\"");
        let first = *self.addresses.first().context("the gateway runs")?;
        std::fs::write(&config, text.replace(&own(first), &own(address)))?;
        let mut command = with_every_file_descriptor(&programs.lanyard);
        command.args(["gateway", "--config"]).arg(&config);
        let mut server = Self {
            processes: Vec::new(),
            addresses: Vec::new(),
            origin: ORIGIN.to_owned(),
            folder,
            _postgres: None,
        };
        server.add(&mut command, address)?;
        Ok(server)
    }

    /// The peer: a Node program that listens at `PORT`.
    pub(super) fn peer(script: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = with_every_file_descriptor(Path::new("node"));
        command.arg(script).envs([
            ("NODE_ENV", "production"),
            ("PORT", &address.port().to_string()),
            ("CLIENT_SECRET", CLIENT_SECRET),
            ("REDIRECT_URI", REDIRECT_URI),
        ]);
        let mut server = Self {
            processes: Vec::new(),
            addresses: Vec::new(),
            origin: format!("http://{address}"),
            folder: Folder::new()?,
            _postgres: None,
        };
        server.add(&mut command, address)?;
        Ok(server)
    }

    /// Starts a process and waits until it answers.
    fn add(&mut self, command: &mut Command, address: SocketAddr) -> anyhow::Result<()> {
        let log = self.folder.join("log");
        let append = || {
            std::fs::File::options()
                .create(true)
                .append(true)
                .open(&log)
        };
        let process = command
            .stdin(Stdio::null())
            .stdout(append()?)
            .stderr(append()?)
            .spawn()?;
        self.processes.push(process);
        self.addresses.push(address);
        let began = Instant::now();
        while !answers(address) {
            let ended = self.processes.last_mut().map(Child::try_wait).transpose()?;
            anyhow::ensure!(
                ended.flatten().is_none() && began.elapsed() < START,
                "the server did not start:\n{}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    pub(super) fn processes(&self) -> Vec<u32> {
        self.processes.iter().map(Child::id).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Thousands of connections need as many descriptors; a shell's soft limit is often 1024.
pub(super) fn with_every_file_descriptor(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n \"$(ulimit -H -n)\" && exec \"$0\" \"$@\""])
        .arg(program);
    command
}

fn answers(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(
            stream,
            "GET /.well-known/openid-configuration HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        std::io::Result::Ok(status)
    };
    ask().is_ok_and(|status| status.ends_with(b" 200"))
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.local_addr().context("no free port")
}

fn configuration(folder: &Folder, address: SocketAddr, database: &str, limits: &str) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut text = format!(
        r#"public_url = "{ORIGIN}"
listen = "{address}"
database = "{database}"
keys = "{}"
key_passphrase = {{ file = "{}" }}
storage_secret = {{ file = "{}" }}
{limits}
[[organisations]]
id = "bench"
name = "Anytown NHS Trust"
issues = ["Identity", "FireSafety"]
trust = [{{ credential_type = "Identity", issuers = ["did:web:gateway.bench.example:issuers:bench"] }}]
"#,
        file("keys"),
        file("passphrase"),
        file("storage"),
    );
    for algorithm in ALGORITHMS {
        // The contract of the second version signs with RS256, any OpenID Connect client gets ES256.
        let dialect = if algorithm == "RS256" { "v2" } else { "plain" };
        let _ = write!(
            text,
            r#"
[[organisations.relying_parties]]
name = "Anytown Staff Services"
client_id = "{}"
client_secret_sha256 = ["{CLIENT_SECRET_SHA256}"]
signing_key = {{ file = "{}" }}
redirect_uris = ["{REDIRECT_URI}"]
dialect = "{dialect}"
"#,
            client_id(algorithm),
            file("signing"),
        );
    }
    text
}
