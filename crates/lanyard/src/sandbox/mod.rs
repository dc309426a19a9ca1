//! `lanyard sandbox`: the whole system on one machine, from the same parts as in real use.
//!
//! [`start`] composes a gateway, a staff portal, a test wallet, a mail catcher and their listeners, gives every test
//! employee an identity credential through the gateway's own issuing flow, and writes `sandbox.json` last, when all of
//! it answers (rulings 27).

mod own_key;
pub mod parties;
pub mod people;
mod portal;
pub mod records;
pub mod secrets;
mod seed;
mod settings;
mod sidecar;
mod tell;

use std::fs::TryLockError;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::portal::Portal;
use ::sidecar::Sidecar;
use anyhow::{Context, bail};
use gateway::clock::{Clock, Shift};
use gateway::{Gateway, Surroundings};
use mail_catcher::Catcher;
use tokio::task::JoinSet;
use url::Url;
use wallet::Wallet;

use crate::listen::{self, Listeners};
use crate::sandbox_file::{SandboxFile, Urls};
use secrets::Secrets;

pub use tell::lines;

/// How a sandbox is set up.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Where the sandbox keeps everything.
    #[arg(long, value_name = "DIR", default_value = "./.lanyard")]
    pub data: PathBuf,
    /// First port: gateway +0, staff portal +1, test wallet +2, mail catcher +3 and, for SMTP, +13, connector +4.
    #[arg(long, value_name = "PORT", default_value_t = 8400)]
    pub base_port: u16,
    /// A PostgreSQL database (postgres://…) instead of SQLite in the data folder.
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// The address at which phones and browsers reach the gateway, if it is not loopback.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<Url>,
    /// Certificate chain (PEM) for the public address, if the sandbox ends TLS itself.
    #[arg(
        long,
        value_name = "FILE",
        requires = "public_url",
        requires = "tls_key"
    )]
    pub tls_cert: Option<PathBuf>,
    /// Private key (PEM) of that certificate.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Forget everything and begin anew.
    #[arg(long)]
    pub fresh: bool,
    /// Also show every page of the gateway in every state, below /__states, with made-up data.
    #[arg(long)]
    pub page_states: bool,
}

impl Options {
    /// The database's address as the gateway's configuration has it.
    pub fn database_address(&self) -> String {
        self.database
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.data.join("gateway.db").display()))
    }

    fn port(&self, offset: u16) -> anyhow::Result<u16> {
        let port = self.base_port.checked_add(offset);
        port.context("--base-port is too high")
    }

    fn local(&self, offset: u16) -> anyhow::Result<Url> {
        let port = self.port(offset)?;
        Ok(Url::parse(&format!("http://localhost:{port}/"))?)
    }
}

/// Who listens where, counted from the first port.
const GATEWAY: u16 = 0;
const PORTAL: u16 = 1;
const WALLET: u16 = 2;
const MAIL: u16 = 3;
const SIDECAR: u16 = 4;
/// Nobody of ours listens there: it is where the sidecar's external system expects its browsers back.
const EXTERNAL_SYSTEM: u16 = 5;
const SMTP: u16 = 13;

/// What is said where a listener cannot have its port.
const OTHER_PORTS: &str = "try another --base-port";

/// A sandbox that runs until it is stopped or dropped.
pub struct Running {
    /// What `sandbox.json` says.
    pub file: SandboxFile,
    /// The folder where it stands.
    pub data: PathBuf,
    /// The gateway, for programs that link the sandbox.
    pub gateway: Gateway,
    /// The staff portal, for programs that link the sandbox.
    pub portal: Portal,
    /// The connector beside nobody yet, for programs that link the sandbox.
    pub sidecar: Sidecar,
    /// What mail was caught, for programs that link the sandbox.
    pub mail: Catcher,
    /// Moves everybody's clock.
    pub shift: Shift,
    listeners: Listeners,
    /// What is done behind the listeners.
    work: JoinSet<anyhow::Error>,
    _lock: std::fs::File,
}

impl Running {
    /// Stops listening, lets requests and writes finish, closes the database.
    pub async fn stop(mut self) {
        let _ = SandboxFile::remove(&self.data);
        self.listeners.stop().await;
        self.work.shutdown().await;
        self.portal.close().await;
        self.sidecar.close().await;
        self.gateway.close().await;
    }

    /// Waits for a part to fail; a healthy sandbox never returns from here.
    pub async fn failed(&mut self) -> anyhow::Error {
        tokio::select! {
            error = self.listeners.failed() => error,
            Some(ended) = self.work.join_next() => ended.unwrap_or_else(anyhow::Error::from),
        }
    }
}

/// Starts a sandbox and returns when everything answers.
pub async fn start(options: &Options) -> anyhow::Result<Running> {
    std::fs::create_dir_all(&options.data)
        .with_context(|| format!("{} cannot be made", options.data.display()))?;
    let lock = lock(&options.data)?;
    SandboxFile::remove(&options.data)?;
    let (local_gateway, portal_url) = (options.local(GATEWAY)?, options.local(PORTAL)?);
    // What stops a start stops it before anything is forgotten or made.
    check_free(options)?;
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(listen::tls(certificate, key)?),
        _ => None,
    };
    if options.fresh {
        forget(&options.data)?;
    }

    let public_url = options
        .public_url
        .clone()
        .unwrap_or_else(|| local_gateway.clone());
    seed::check_made_for(options, &public_url)?;
    let employees = people::EVERYONE
        .iter()
        .map(|person| person.id)
        .collect::<Vec<_>>();
    let file = options.data.join("secrets.json");
    let secrets = Secrets::keep(&file, &parties::PARTIES, &employees)?;
    let redirect_uri = options.local(EXTERNAL_SYSTEM)?.join("callback")?;
    let returns = parties::Returns {
        portal: portal_url.join("callback")?,
        sidecar: redirect_uri.clone(),
    };
    let config = parties::gateway_config(options, public_url.clone(), &returns, &secrets)?;
    gateway::create_keys(&config, true)?;

    let (clock, shift) = Clock::shifted();
    let surroundings = Surroundings {
        clock: clock.clone(),
        sandbox: true,
        page_states: options.page_states,
        ..Surroundings::production()
    };
    if options.fresh {
        // They lay in the folder that is gone; a database elsewhere still knows them.
        gateway::forget_keys(&config).await?;
    }
    let gateway = Gateway::compose(&config, surroundings).await?;
    if options.fresh {
        gateway.forget_everything().await?;
    }
    let wallet = open_wallet(options, &clock)?;
    let mail = open_mail(options, &clock)?;
    let urls = Urls {
        gateway: public_url.clone(),
        portal: portal_url,
        wallet: options.local(WALLET)?,
        mail: options.local(MAIL)?,
    };
    let portal = portal::compose(options, &urls, &secrets, &clock).await?;
    let sidecar = sidecar::compose(options, &urls, &secrets, &redirect_uri, &clock).await?;

    let everywhere = options.public_url.is_some();
    let mut listeners = Listeners::default();
    listeners
        .serve(
            "gateway",
            options.base_port,
            everywhere,
            tls.as_ref(),
            &gateway.router(),
        )
        .context(OTHER_PORTS)?;
    let local = [
        ("portal", PORTAL, portal.router()),
        (
            "wallet",
            WALLET,
            wallet::http::router(wallet.clone(), wallet::http::PageOptions::default()),
        ),
        ("connector", SIDECAR, sidecar.router()),
        (
            "mail catcher",
            MAIL,
            mail_catcher::http::router(mail.clone(), mail_catcher::http::PageOptions::default()),
        ),
    ];
    for (name, offset, router) in local {
        listeners
            .serve(name, options.port(offset)?, false, None, &router)
            .context(OTHER_PORTS)?;
    }
    let smtp = listen::bind_port("SMTP", options.port(SMTP)?, false).context(OTHER_PORTS)?;
    let mut work = JoinSet::new();
    work.spawn({
        let mail = mail.clone();
        async move { anyhow::Error::new(mail.serve_smtp(smtp).await).context("no mail can be taken") }
    });

    let told = sidecar::told(options, &secrets, redirect_uri)?;
    let file = tell::sandbox_file(urls, told, &returns, &secrets)?;
    let world = seed::World {
        options,
        clock: &clock,
        shift: &shift,
        wallet: &wallet,
        secrets: &secrets,
        public_url: &public_url,
        redirect_uri: file.urls.portal.join("callback")?,
    };
    let seeded = seed::first_start(&world).await;
    match &options.public_url {
        Some(address) => seeded.with_context(|| at_public_url(options, address))?,
        None => seeded?,
    }

    file.write(&options.data)?;
    work.spawn({
        let gateway = gateway.clone();
        async move {
            gateway.keep_working().await;
            anyhow::anyhow!("the gateway stopped working behind its pages")
        }
    });
    // Not before: while everybody is seeded the clock goes back once.
    work.spawn({
        let portal = portal.clone();
        async move {
            Box::pin(portal.keep_working()).await;
            anyhow::anyhow!("the portal stopped working behind its pages")
        }
    });
    work.spawn({
        let sidecar = sidecar.clone();
        async move {
            Box::pin(sidecar.keep_working()).await;
            anyhow::anyhow!("the connector stopped working behind its API")
        }
    });
    Ok(Running {
        file,
        data: options.data.clone(),
        gateway,
        portal,
        sidecar,
        mail,
        shift,
        listeners,
        work,
        _lock: lock,
    })
}

fn open_mail(options: &Options, clock: &Clock) -> anyhow::Result<Catcher> {
    let clock = clock.clone();
    let folder = options.data.join("mail");
    Catcher::open(&folder, Arc::new(move || clock.now()))
        .with_context(|| format!("{} cannot be used", folder.display()))
}

fn open_wallet(options: &Options, clock: &Clock) -> anyhow::Result<Wallet> {
    let clock = clock.clone();
    let extra_roots = options
        .tls_cert
        .iter()
        .map(|file| {
            std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let settings = wallet::Options {
        clock: Arc::new(move || clock.now()),
        extra_roots,
        ..wallet::Options::default()
    };
    let wallet = Wallet::open(&options.data.join("wallet"), settings)?;
    for person in &people::EVERYONE {
        wallet.add_holder(
            person.id,
            &format!("{} {}", person.record.first_names, person.record.surname),
        )?;
    }
    Ok(wallet)
}

/// One sandbox for each folder.
fn lock(data: &Path) -> anyhow::Result<std::fs::File> {
    let place = data.join("sandbox.lock");
    let cannot = || format!("{} cannot be locked", place.display());
    let file = std::fs::File::create(&place).with_context(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another sandbox is using {}", data.display()),
        Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
    }
}

/// Says that a port is taken before anything is made. Another program may still take it until the gateway
/// listens; then the listener says so.
fn check_free(options: &Options) -> anyhow::Result<()> {
    let gateway = if options.public_url.is_some() {
        Ipv4Addr::UNSPECIFIED
    } else {
        Ipv4Addr::LOCALHOST
    };
    for (name, host, offset) in [
        ("gateway", gateway, GATEWAY),
        ("portal", Ipv4Addr::LOCALHOST, PORTAL),
        ("wallet", Ipv4Addr::LOCALHOST, WALLET),
        ("mail catcher", Ipv4Addr::LOCALHOST, MAIL),
        ("connector", Ipv4Addr::LOCALHOST, SIDECAR),
        ("SMTP", Ipv4Addr::LOCALHOST, SMTP),
    ] {
        let port = options.port(offset)?;
        TcpListener::bind((host, port)).with_context(|| {
            format!("port {port} is taken or not allowed ({name}); {OTHER_PORTS}")
        })?;
    }
    Ok(())
}

/// What a first start under a public address depends on: the credentials are issued at that address, as they
/// will be later.
fn at_public_url(options: &Options, address: &Url) -> String {
    let port = options.base_port;
    let way = if options.tls_cert.is_some() {
        format!("its name must lead to port {port} of this machine, and --tls-cert must be for it")
    } else {
        format!(
            "whatever leads from there to http://localhost:{port} (a proxy, with a certificate that this machine \
             trusts) must be up before the sandbox is started"
        )
    };
    format!("the first credentials could not be issued at --public-url {address}; {way}")
}

/// Deletes what a sandbox keeps, and nothing that it does not know.
fn forget(data: &Path) -> anyhow::Result<()> {
    for name in [
        "gateway.db",
        "gateway.db-wal",
        "gateway.db-shm",
        "portal.db",
        "portal.db-wal",
        "portal.db-shm",
        "sidecar.db",
        "sidecar.db-wal",
        "sidecar.db-shm",
        "secrets.json",
        seed::DONE,
        seed::MADE_FOR,
        seed::IN_PROGRESS,
    ] {
        remove(&data.join(name))?;
    }
    for name in ["keys", "mail", "wallet"] {
        let folder = data.join(name);
        gone(&folder, std::fs::remove_dir_all(&folder))?;
    }
    Ok(())
}

fn remove(file: &Path) -> anyhow::Result<()> {
    gone(file, std::fs::remove_file(file))
}

fn gone(path: &Path, removed: std::io::Result<()>) -> anyhow::Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Options of a sandbox in a new folder; its ports are one that the test holds, and those behind it.
    fn options(base_port: u16) -> Options {
        Options {
            data: std::env::temp_dir().join(format!("lanyard-{}", uuid::Uuid::new_v4())),
            base_port,
            database: None,
            public_url: None,
            tls_cert: None,
            tls_key: None,
            fresh: true,
            page_states: false,
        }
    }

    #[tokio::test]
    async fn a_start_on_a_taken_port_says_so_before_anything_is_made_or_forgotten() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let options = options(taken.local_addr().unwrap().port());
        std::fs::create_dir(&options.data).unwrap();
        std::fs::write(options.data.join("secrets.json"), "kept").unwrap();
        let said = format!("{:#}", start(&options).await.err().unwrap());
        assert!(said.contains("is taken or not allowed (gateway)"), "{said}");
        let mut found: Vec<_> = std::fs::read_dir(&options.data)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        found.sort();
        assert_eq!(found, ["sandbox.lock", "secrets.json"]);
        std::fs::remove_dir_all(&options.data).unwrap();
    }

    #[tokio::test]
    async fn a_folder_in_use_is_told_in_one_sentence() {
        let options = options(1);
        std::fs::create_dir(&options.data).unwrap();
        let _held = lock(&options.data).unwrap();
        let said = format!("{:#}", start(&options).await.err().unwrap());
        assert_eq!(
            said,
            format!("another sandbox is using {}", options.data.display())
        );
        std::fs::remove_dir_all(&options.data).unwrap();
    }

    #[test]
    fn a_first_start_behind_a_proxy_that_fails_says_what_must_be_up() {
        let said = at_public_url(
            &options(8400),
            &Url::parse("https://phone.example").unwrap(),
        );
        for part in [
            "--public-url https://phone.example/",
            "http://localhost:8400",
            "must be up",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }
}
