//! `lanyard backup` and `lanyard restore`: everything that a gateway needs, in one sealed file, and back.

mod accept;
mod age;
mod content;
mod drill;
mod places;
mod restore;
mod take;
mod whole;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use gateway::audit::{Act, Actor, Entry};
use jiff::Timestamp;
use store::copy::{CopyError, Held};
use store::{DatabaseUrl, Migrations};
use zeroize::Zeroizing;

use self::age::{Identity, Opener, Passphrase, Recipient, SealError, Sealer};
use self::restore::{Target, digest_of, restore};
use self::take::Source;
pub(crate) use self::whole::WholeFile;
use self::whole::create_private;
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
    /// Write down what came of the drill, for `lanyard restore drilled`. There must be no file of that name.
    #[arg(long, value_name = "RECORD", requires = "drill")]
    record: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<RestoreCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum RestoreCommand {
    /// Show what is in force in a restored database, perhaps again; and accept it, so that a gateway serves.
    Accept(accept::Options),
    /// Take what came of a drill, on whichever machine, into the gateway's audit.
    Drilled(drill::Options),
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
    let config = source.config().clone();
    let taken = source.back_up(out, sealer, options.with_secrets, Timestamp::now());
    let held = coded(taken.await)?;
    let took = began.elapsed();
    let size = std::fs::metadata(out)?.len();
    let digest = hex::encode(coded(digest_of(out))?);
    let noted = gateway::note_in_audit(&config, made(options, out, &digest, size)).await;
    say_held(&held)?;
    let out = out.display();
    say(format_args!(
        "{out}: {size} bytes, in {:.1} s, SHA-256 {digest}",
        took.as_secs_f64()
    ))?;
    if let Err(error) = noted {
        // A backup of a standby, which takes no writes, is as good as any.
        say(format_args!(
            "not-noted: the backup is whole, and the audit has no entry of it: {:#}",
            anyhow::Error::new(error)
        ))?;
    }
    if !options.with_secrets {
        say(
            "The secrets that the configuration names are not in it: keep them elsewhere, or it opens nothing.",
        )?;
    }
    Ok(())
}

/// That a backup was made: which, and where to by its name alone, since the way there is this machine's own business.
fn made(options: &BackupOptions, out: &Path, digest: &str, size: u64) -> Entry {
    let name = out.file_name().map(std::ffi::OsStr::to_string_lossy);
    let by_keys = !options.recipient.is_empty();
    let word = |is: bool| if is { "yes" } else { "no" };
    Entry::new(
        Actor::Command(&account()),
        Act::BackupMade,
        ("backup", digest),
        Timestamp::now(),
    )
    .id("name", name.as_deref().unwrap_or_default())
    .number("bytes", i64::try_from(size).unwrap_or(i64::MAX))
    .with("sealed-for", if by_keys { "keys" } else { "passphrase" })
    .with("with-secrets", word(options.with_secrets))
}

/// `lanyard restore`.
pub async fn bring_back(options: &RestoreOptions) -> anyhow::Result<()> {
    match &options.command {
        Some(RestoreCommand::Accept(options)) => return accept::run(options).await,
        Some(RestoreCommand::Drilled(options)) => return drill::take_in(options).await,
        None => {}
    }
    let file = options.file.as_ref().context("say which backup")?;
    if options.drill {
        return drill::run(options, file).await;
    }
    let began = Instant::now();
    let target = Target {
        folder: options.into.clone().context("--into is missing")?,
        database: options.database.clone(),
        account: account(),
        now: Timestamp::now(),
    };
    let opener = coded(opener(options))?;
    let restored = coded(restore(file, opener, target).await)?;
    say_held(&restored.held)?;
    say(restored.told())?;
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
    whole::must_be_free(out)?;
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

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let bytes = std::fs::read(path).map_err(|error| BackupError::File(path.to_owned(), error))?;
    Ok(Zeroizing::new(bytes))
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
