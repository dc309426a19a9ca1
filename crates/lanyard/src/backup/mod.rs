//! `lanyard backup` and `lanyard restore`: everything that a gateway needs, in one sealed file, and back.

mod accept;
mod age;
mod content;
mod places;
mod restore;
mod take;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use gateway::audit::Act;
use gateway::{ComposeError, Config, Gateway, Surroundings, checklist};
use jiff::Timestamp;
use store::copy::{CopyError, Held};
use store::{DatabaseUrl, Migrations};
use zeroize::Zeroizing;

use self::age::{Identity, Opener, Passphrase, Recipient, SealError, Sealer};
use self::restore::{Target, restore};
use self::take::Source;
use crate::operator_command::account;
use crate::say::say;

/// Whose tables a database may have, each after those that it refers to.
pub(crate) const PARTIES: [Migrations; 4] = [
    connector::desk::MIGRATIONS,
    portal::MIGRATIONS,
    sidecar::MIGRATIONS,
    gateway::MIGRATIONS,
];

/// The configuration's name in a restored folder.
const CONFIG: &str = "gateway.toml";
/// Where a passphrase may be, if not in a file.
const PASSPHRASE: &str = "LANYARD_BACKUP_PASSPHRASE";
/// A passphrase is guessed at leisure by whoever has the file.
const SHORTEST_PASSPHRASE: usize = 16;

/// What to back up.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BackupOptions {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG", required = true)]
    config: Option<PathBuf>,
    /// The file to make. There must be none of that name.
    #[arg(long, value_name = "FILE", required = true)]
    out: Option<PathBuf>,
    /// Seal it for whoever has the private key of this public key (`age1…`); may be given several times.
    #[arg(long, value_name = "KEY", conflicts_with = "passphrase_file")]
    recipient: Vec<String>,
    /// Seal it with the passphrase in this file, or in the environment variable `LANYARD_BACKUP_PASSPHRASE`.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Put in the secrets, too: with this file alone, and what opens it, somebody is the gateway.
    #[arg(long)]
    with_secrets: bool,
    #[command(subcommand)]
    command: Option<BackupCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum BackupCommand {
    /// Make a key pair: the private key into a file, the public key printed.
    Key {
        /// The file to make. There must be none of that name.
        out: PathBuf,
    },
}

/// What to restore, and where.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct RestoreOptions {
    /// The backup.
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// The folder to make, with configuration, keys and, unless `--database` says otherwise, the database.
    #[arg(long, value_name = "FOLDER", required_unless_present = "drill")]
    into: Option<PathBuf>,
    /// An empty database to restore into: an address, or env:NAME when it holds a password.
    #[arg(long, value_name = "ADDRESS")]
    database: Option<String>,
    /// The file of the private key.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
    /// The file of the passphrase; or the environment variable `LANYARD_BACKUP_PASSPHRASE`.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Restore into a temporary folder, see that a gateway could start with it, tell how long it took, and clean up.
    #[arg(long, conflicts_with = "into")]
    drill: bool,
    /// With `--drill`: the configuration file of the gateway whose backup it is; that it could be restored is noted in its audit.
    #[arg(long, value_name = "FILE", requires = "drill")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<RestoreCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum RestoreCommand {
    /// Show what is in force in a restored database, perhaps again; and accept it, so that a gateway serves.
    Accept(accept::Options),
}

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum BackupError {
    #[error("{}", .0)]
    Seal(SealError),
    #[error(transparent)]
    Copy(CopyError),
    #[error("this is sealed as a backup is, and is none")]
    Unreadable,
    #[error("a newer program made this backup: take that version, or a newer one")]
    Newer,
    #[error("{} is there already: name another", .0.display())]
    Exists(PathBuf),
    #[error("a file of the gateway is larger than 64 MiB, which none is")]
    TooLarge,
    #[error("{} cannot be read or written: {}", .0.display(), .1)]
    File(PathBuf, std::io::Error),
    #[error("the name of {} is not Unicode", .0.display())]
    Name(PathBuf),
    #[error("the file could not be read or written: {0}")]
    Io(std::io::Error),
    #[error("{0}")]
    Config(String),
    #[error("the environment variable {0}, where the configuration says a secret is, is not set")]
    NoSecret(String),
    #[error(
        "say for whom: --recipient, --passphrase-file, or the environment variable {PASSPHRASE}"
    )]
    NoKey,
    #[error("the passphrase is too short: 16 characters at least, made at random")]
    ShortPassphrase,
    #[error("what was restored does not start a gateway: {0}")]
    Unfit(String),
}

impl BackupError {
    /// The error in a word that does not change.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Seal(SealError::NotSealed) | Self::Unreadable => "no-backup",
            Self::Seal(SealError::Locked) => "backup-locked",
            Self::Seal(SealError::Truncated) => "backup-truncated",
            Self::Seal(SealError::Damaged) => "backup-damaged",
            Self::Seal(SealError::TooMuchWork) => "backup-asks-too-much",
            Self::Seal(SealError::NotAKey) => "backup-key-invalid",
            Self::Seal(SealError::Crypto) => "crypto-failed",
            Self::Copy(error) => error.code(),
            Self::Newer => "backup-newer",
            Self::Exists(_) => "already-exists",
            Self::TooLarge => "file-too-large",
            Self::File(..) | Self::Name(_) | Self::Io(_) => "file-unusable",
            Self::Config(_) => "configuration-invalid",
            Self::NoSecret(_) => "secret-missing",
            Self::NoKey => "backup-key-missing",
            Self::ShortPassphrase => "passphrase-too-short",
            Self::Unfit(_) => "restored-unfit",
        }
    }
}

/// What the sealing says is told as what it is.
impl From<std::io::Error> for BackupError {
    fn from(error: std::io::Error) -> Self {
        let fault = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<SealError>());
        match fault {
            Some(fault) => Self::Seal(*fault),
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => Self::Unreadable,
            None => Self::Io(error),
        }
    }
}

impl From<SealError> for BackupError {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
}

/// The secrets that a configuration names, as they are: whoever writes something down sees to it that none is in it.
pub(crate) fn secrets_of(config: &toml::Table) -> anyhow::Result<Vec<Zeroizing<String>>> {
    let mut found = Vec::new();
    for (_, place) in places::secrets(config) {
        let secret = place.read()?;
        let text = String::from_utf8_lossy(&secret);
        found.push(Zeroizing::new(text.trim().to_owned()));
    }
    found.retain(|secret| !secret.is_empty());
    Ok(found)
}

/// `lanyard backup`.
pub async fn back_up(options: &BackupOptions) -> anyhow::Result<()> {
    if let Some(BackupCommand::Key { out }) = &options.command {
        let recipient = coded(make_key(out))?;
        return say(recipient);
    }
    let config = options.config.as_ref().context("--config is missing")?;
    let out = options.out.as_ref().context("--out is missing")?;
    let began = Instant::now();
    let sealer = coded(sealer(options))?;
    let source = coded(Source::open(config))?;
    let taken = source.back_up(out, sealer, options.with_secrets, Timestamp::now());
    let held = coded(taken.await)?;
    say_held(&held)?;
    let size = std::fs::metadata(out)?.len();
    say(format_args!(
        "{}: {size} bytes, in {:.1} s",
        out.display(),
        began.elapsed().as_secs_f64()
    ))?;
    if let Ok(digest) = restore::digest_of(out.as_path()) {
        note(config, Act::BackupTaken, digest).await;
    }
    if !options.with_secrets {
        say(
            "The secrets that the configuration names are not in it: keep them elsewhere, or it opens nothing.",
        )?;
    }
    Ok(())
}

/// `lanyard restore`.
pub async fn bring_back(options: &RestoreOptions) -> anyhow::Result<()> {
    if let Some(RestoreCommand::Accept(options)) = &options.command {
        return accept::run(options).await;
    }
    let file = options.file.as_ref().context("say which backup")?;
    let began = Instant::now();
    let opener = coded(opener(options))?;
    let drill = std::env::temp_dir().join(format!("lanyard-drill-{}", uuid::Uuid::new_v4()));
    let target = Target {
        folder: options.into.clone().unwrap_or_else(|| drill.clone()),
        database: options.database.clone(),
        account: account(),
        now: Timestamp::now(),
    };
    let restored = coded(restore(file, opener, target).await)?;
    say_held(&restored.held)?;
    let manifest = &restored.manifest;
    say(format_args!(
        "{} files; taken of {} at {} by version {}",
        restored.files, manifest.public_url, manifest.begun_at, manifest.program
    ))?;
    if options.drill {
        let fit = try_to_start(&restored.config).await;
        std::fs::remove_dir_all(&drill)?;
        coded(fit)?;
        if let Some(config) = &options.config {
            note(config, Act::RestoreRehearsed, restored.digest).await;
        }
        return say(format_args!(
            "drill: a gateway could start with this, {:.1} s after it was begun",
            began.elapsed().as_secs_f64()
        ));
    }
    let config = restored.config.display();
    say(format_args!(
        "{config}: restored, in {:.1} s",
        began.elapsed().as_secs_f64()
    ))?;
    accept::tell(&restored).await?;
    say(format_args!(
        "Then see whether it can start: lanyard gateway --config {config} --check"
    ))
}

/// Notes it in the audit of that gateway, whose set-up checklist tells of it. The backup is whole in any case, and what cannot be
/// noted is said and no more.
async fn note(config: &Path, act: Act, digest: [u8; 32]) {
    let noted = match Config::read(config) {
        Ok(config) => checklist::note_backup(&config, &account(), act, digest).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = noted {
        tracing::warn!(%error, act = act.code(), "it could not be noted in the gateway's audit");
    }
}

/// Keys open, secrets are there, the database is of this version or is brought to it.
async fn try_to_start(config: &Path) -> Result<(), BackupError> {
    let config = Config::read(config).map_err(|error| BackupError::Config(error.to_string()))?;
    let gateway = Gateway::compose(&config, Surroundings::production()).await;
    let unfit = |error: ComposeError| BackupError::Unfit(error.to_string());
    gateway.map_err(unfit)?.close().await;
    Ok(())
}

/// The error's word before its sentence.
pub(crate) fn coded<T>(result: Result<T, BackupError>) -> anyhow::Result<T> {
    result.map_err(|error| {
        let code = error.code();
        anyhow::Error::new(error).context(code)
    })
}

/// One line for each table: its name, its rows, their sum.
pub(crate) fn say_held(held: &[Held]) -> anyhow::Result<()> {
    let width = held.iter().map(|held| held.table.len()).max().unwrap_or(0);
    for Held { table, sum } in held {
        let short = &sum.hash()[..16];
        say(format_args!("{table:width$}  {:>12}  {short}", sum.rows))?;
    }
    Ok(())
}

fn make_key(out: &Path) -> Result<Recipient, BackupError> {
    if out.exists() {
        return Err(BackupError::Exists(out.to_owned()));
    }
    let identity = Identity::generate(&mut random)?;
    let recipient = identity.recipient()?;
    let secret = identity.reveal();
    let text = format!("# public key: {recipient}\n{}\n", secret.as_str());
    write_private(out, Zeroizing::new(text).as_bytes())?;
    Ok(recipient)
}

fn sealer(options: &BackupOptions) -> Result<Sealer, BackupError> {
    if !options.recipient.is_empty() {
        let recipients = options.recipient.iter().map(|text| text.parse());
        return Ok(Sealer::Recipients(recipients.collect::<Result<_, _>>()?));
    }
    let passphrase = passphrase(options.passphrase_file.as_deref())?;
    if passphrase.chars().count() < SHORTEST_PASSPHRASE {
        return Err(BackupError::ShortPassphrase);
    }
    Ok(Sealer::Passphrase(passphrase))
}

fn opener(options: &RestoreOptions) -> Result<Opener, BackupError> {
    let Some(file) = &options.identity else {
        return Ok(Opener::Passphrase(Passphrase::new(passphrase(
            options.passphrase_file.as_deref(),
        )?)));
    };
    let text = read(file)?;
    let text = std::str::from_utf8(&text).map_err(|_| SealError::NotAKey)?;
    Ok(Opener::Identities(Identity::parse_file(text)?))
}

fn passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, BackupError> {
    let text = match file {
        Some(file) => {
            let bytes = read(file)?;
            let text = std::str::from_utf8(&bytes).map_err(|_| BackupError::NoKey)?;
            Zeroizing::new(text.to_owned())
        }
        None => Zeroizing::new(std::env::var(PASSPHRASE).map_err(|_| BackupError::NoKey)?),
    };
    Ok(Zeroizing::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

fn random(bytes: &mut [u8]) -> Result<(), SealError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| SealError::Crypto)
}

/// An address as it is written: `env:NAME` stands for what is in that variable.
fn resolved(written: &str) -> Result<String, BackupError> {
    match written.strip_prefix("env:") {
        None => Ok(written.to_owned()),
        Some(name) => std::env::var(name).map_err(|_| BackupError::NoSecret(name.to_owned())),
    }
}

fn database(address: &str) -> Result<DatabaseUrl, BackupError> {
    let parsed = address.parse::<DatabaseUrl>();
    parsed.map_err(|error| BackupError::Config(error.to_string()))
}

/// A name beside that one that nobody else has.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{ending}-{}", uuid::Uuid::new_v4()));
    name.into()
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let bytes = std::fs::read(path).map_err(|error| BackupError::File(path.to_owned(), error))?;
    Ok(Zeroizing::new(bytes))
}

fn create_private(path: &Path) -> Result<File, BackupError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let created = options.open(path);
    created.map_err(|error| BackupError::File(path.to_owned(), error))
}

fn write_private(path: &Path, content: &[u8]) -> Result<(), BackupError> {
    let mut file = create_private(path)?;
    file.write_all(content)?;
    Ok(file.sync_all()?)
}

fn create_folder(path: &Path) -> Result<(), BackupError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let created = builder.create(path);
    created.map_err(|error| BackupError::File(path.to_owned(), error))
}

/// A new name is there after a power cut, too.
fn sync_folder(path: &Path) -> Result<(), BackupError> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = File::open(parent.unwrap_or(Path::new(".")))?;
    Ok(folder.sync_all()?)
}
