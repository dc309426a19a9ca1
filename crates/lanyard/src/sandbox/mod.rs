//! `lanyard sandbox`: the whole system on one machine, from the same parts as in real use.
//!
//! [`start`] composes a gateway, a test wallet and their listeners, gives every test employee an identity
//! credential through the gateway's own issuing flow, and writes `sandbox.json` last, when all of it answers
//! (rulings 27).

pub mod listen;
pub mod parties;
pub mod people;
pub mod secrets;
mod seed;
mod tell;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use gateway::clock::{Clock, Shift};
use gateway::{Gateway, Surroundings};
use tokio::task::JoinHandle;
use url::Url;
use wallet::Wallet;

use crate::sandbox_file::SandboxFile;
use listen::Listeners;
use secrets::Secrets;

pub use tell::lines;

/// How a sandbox is set up.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Where the sandbox keeps everything.
    #[arg(long, value_name = "DIR", default_value = "./.lanyard")]
    pub data: PathBuf,
    /// First port: gateway +0, staff portal +1, test wallet +2, mail catcher +3.
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
}

impl Options {
    /// The database's address as the gateway's configuration has it.
    pub fn database_address(&self) -> String {
        self.database
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.data.join("gateway.db").display()))
    }

    fn local(&self, offset: u16) -> anyhow::Result<Url> {
        let port = self
            .base_port
            .checked_add(offset)
            .context("--base-port is too high")?;
        Ok(Url::parse(&format!("http://localhost:{port}/"))?)
    }
}

/// A sandbox that runs until it is stopped or dropped.
pub struct Running {
    /// What `sandbox.json` says.
    pub file: SandboxFile,
    /// The folder where it stands.
    pub data: PathBuf,
    /// The gateway, for programs that link the sandbox.
    pub gateway: Gateway,
    /// Moves the clock of gateway and wallet.
    pub shift: Shift,
    listeners: Listeners,
    tidying: JoinHandle<()>,
    _lock: std::fs::File,
}

impl Running {
    /// Stops listening, lets requests and writes finish, closes the database.
    pub async fn stop(self) {
        let _ = SandboxFile::remove(&self.data);
        self.tidying.abort();
        self.listeners.stop().await;
        self.gateway.close().await;
    }

    /// Waits for a listener to fail; a healthy sandbox never returns from here.
    pub async fn failed(&mut self) -> anyhow::Error {
        self.listeners.failed().await
    }
}

/// Starts a sandbox and returns when everything answers.
pub async fn start(options: &Options) -> anyhow::Result<Running> {
    std::fs::create_dir_all(&options.data)
        .with_context(|| format!("{} cannot be made", options.data.display()))?;
    let lock = lock(&options.data)?;
    SandboxFile::remove(&options.data)?;
    if options.fresh {
        forget(&options.data)?;
    }

    let (local_gateway, portal, wallet_url) =
        (options.local(0)?, options.local(1)?, options.local(2)?);
    let public_url = options
        .public_url
        .clone()
        .unwrap_or_else(|| local_gateway.clone());
    seed::check_made_for(options, &public_url)?;
    let names = parties::PARTIES
        .iter()
        .map(|party| party.name)
        .collect::<Vec<_>>();
    let employees = people::EVERYONE
        .iter()
        .map(|person| person.id)
        .collect::<Vec<_>>();
    let secrets = Secrets::keep(&options.data.join("secrets.json"), &names, &employees)?;
    let config = parties::gateway_config(options, public_url.clone(), &portal, &secrets)?;
    gateway::create_keys(&config, true)?;

    let (clock, shift) = Clock::shifted();
    let surroundings = Surroundings {
        clock: clock.clone(),
        sandbox: true,
        ..Surroundings::production()
    };
    let gateway = Gateway::compose(&config, surroundings).await?;
    if options.fresh {
        gateway.forget_everything().await?;
    }
    let wallet = open_wallet(options, &clock)?;

    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(listen::tls(certificate, key)?),
        _ => None,
    };
    let everywhere = options.public_url.is_some();
    let mut listeners = Listeners::default();
    listeners.serve(
        "gateway",
        options.base_port,
        everywhere,
        tls,
        gateway.router(),
    )?;
    listeners.serve(
        "wallet",
        options.base_port + 2,
        false,
        None,
        wallet::http::router(wallet.clone(), wallet::http::PageOptions::default()),
    )?;

    let file = tell::sandbox_file(&public_url, &wallet_url, &portal, &secrets)?;
    let world = seed::World {
        options,
        clock: &clock,
        shift: &shift,
        wallet: &wallet,
        secrets: &secrets,
        public_url: &public_url,
        redirect_uri: portal.join("callback")?,
    };
    seed::first_start(&world).await?;

    file.write(&options.data)?;
    let tidying = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.keep_tidy().await }
    });
    Ok(Running {
        file,
        data: options.data.clone(),
        gateway,
        shift,
        listeners,
        tidying,
        _lock: lock,
    })
}

fn open_wallet(options: &Options, clock: &Clock) -> anyhow::Result<Wallet> {
    let clock = clock.clone();
    let extra_roots = options
        .tls_cert
        .iter()
        .map(std::fs::read)
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
    let file = std::fs::File::create(data.join("sandbox.lock"))?;
    file.try_lock()
        .with_context(|| format!("another sandbox is using {}", data.display()))?;
    Ok(file)
}

/// Deletes what a sandbox keeps, and nothing that it does not know.
fn forget(data: &Path) -> anyhow::Result<()> {
    for name in [
        "gateway.db",
        "gateway.db-wal",
        "gateway.db-shm",
        "secrets.json",
        seed::DONE,
        seed::IN_PROGRESS,
    ] {
        remove(&data.join(name))?;
    }
    for name in ["keys", "wallet"] {
        match std::fs::remove_dir_all(data.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
