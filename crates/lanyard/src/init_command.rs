//! `lanyard init`: what a gateway needs before its first start — secrets, keys, a configuration file — in one folder.

use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::Config;
use url::Url;
use zeroize::Zeroizing;

use crate::say::say;

/// What to set up, and where.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder: made if it is not there. Nothing in it is ever overwritten.
    folder: PathBuf,
    /// The address that browsers, wallets and relying parties will use: https, no path.
    #[arg(long, value_name = "URL")]
    public_url: Url,
    /// Where the gateway listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8400")]
    listen: std::net::SocketAddr,
    /// `sqlite:PATH`, `postgres://…`, or `env:NAME`; a file in the folder, unless another is named.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// `development`: for trying and testing; nothing that it issues counts in production.
    #[arg(long, value_name = "NAME", default_value = "production", value_parser = ["production", "development"])]
    environment: String,
    /// Certificate chain (PEM), where the gateway ends TLS itself.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Where the admin API listens; without it there is none.
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<std::net::SocketAddr>,
}

/// Makes secrets, configuration and keys, and says what comes next.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let folder = std::path::absolute(&options.folder)?;
    let config = folder.join("gateway.toml");
    if config.exists() {
        anyhow::bail!("{} is there already; nothing was changed", config.display());
    }
    let secrets = folder.join("secrets");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&secrets)?;
    for (name, bytes) in [("key-passphrase", 32), ("storage", 48)] {
        write_secret(&secrets.join(name), bytes)?;
    }
    let text = text(options, &folder)?;
    // Written whole or not at all: a half configuration would stop the next try.
    let unfinished = folder.join("gateway.toml.new");
    fs::write(&unfinished, text)?;
    let read = Config::read(&unfinished)?;
    for name in gateway::create_keys(&read, false)? {
        say(format_args!("created the key {name}"))?;
    }
    fs::rename(&unfinished, &config)?;
    say(format_args!(
        "created {}\n\nNext:\n  lanyard doctor --config {0}        whether this machine is ready\n  \
         lanyard apply -f FILE --config {0}  who may use the gateway (docs/operate/registry.md)\n  \
         lanyard gateway --config {0}",
        config.display()
    ))?;
    say(format_args!(
        "\nKeep a copy of {} where the backups are not. Who loses it must issue everything anew.",
        secrets.display()
    ))
}

fn text(options: &Options, folder: &Path) -> anyhow::Result<String> {
    let database = options
        .database
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", folder.join("gateway.db").display()));
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let in_folder = |name: &str| quoted(&folder.join(name).display().to_string());
    let environment = match options.environment.as_str() {
        "production" => String::new(),
        other => format!("environment = {}\n", quoted(other)),
    };
    let tls = match (&options.tls_certificate, &options.tls_key) {
        (Some(certificate), Some(key)) => {
            let path = |path: &Path| {
                let path = std::path::absolute(path)?;
                Ok::<_, std::io::Error>(quoted(&path.display().to_string()))
            };
            format!(
                "tls_certificate = {}\ntls_key = {}\n",
                path(certificate)?,
                path(key)?
            )
        }
        _ => "# Where the gateway ends TLS itself:\n\
              # tls_certificate = \"…/chain.pem\"\n\
              # tls_key = \"…/key.pem\"\n"
            .to_owned(),
    };
    let admin = options.admin_listen.map_or_else(String::new, |listen| {
        format!("\n[admin]\nlisten = {}\n", quoted(&listen.to_string()))
    });
    Ok(format!(
        "# docs/operate/gateway.md explains every key.\n\
         public_url = {url}\n{environment}\
         listen = {listen}\n\
         database = {database}\n\
         keys = {keys}\n\
         key_passphrase = {{ file = {passphrase} }}\n\
         storage_secret = {{ file = {storage} }}\n\
         \n\
         {tls}\
         # Behind a proxy, the header in which it says whom it took a request from:\n\
         # address_header = \"x-forwarded-for\"\n{admin}",
        url = quoted(options.public_url.as_str().trim_end_matches('/')),
        listen = quoted(&options.listen.to_string()),
        database = quoted(&database),
        keys = in_folder("keys"),
        passphrase = in_folder("secrets/key-passphrase"),
        storage = in_folder("secrets/storage"),
    ))
}

/// A secret that is there stays: an earlier try may have been seen by a backup.
fn write_secret(file: &Path, bytes: usize) -> anyhow::Result<()> {
    let mut random = Zeroizing::new(vec![0; bytes]);
    aws_lc_rs::rand::fill(&mut random).context("the machine gives no random bytes")?;
    let text = Zeroizing::new(STANDARD.encode(&*random));
    match File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
    {
        Ok(mut open) => {
            writeln!(open, "{}", *text)?;
            open.sync_all()?;
            say(format_args!("created {}", file.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            say(format_args!("kept {}", file.display()))
        }
        Err(error) => Err(error).with_context(|| file.display().to_string()),
    }
}
