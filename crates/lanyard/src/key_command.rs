//! `lanyard key …`: the gateway's signing keys, beside gateways that run. They follow within a second or two.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gateway::keys::acts::{Change, PUBLISHED_BEFORE};
use gateway::keys::rows::KeyRow;
use gateway::keys::signed::Signed;
use gateway::keys::{KeyPurpose, State};
use gateway::{Config, KeyDesk, Surroundings};
use standards::jose::Algorithm;

use crate::backup::{WholeFile, coded};
use crate::operator_command::account;
use crate::say::say;

/// What to do with which key.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Name the keys, what each may do, and what still needs it.
    List {
        /// Those that are gone, too.
        #[arg(long)]
        all: bool,
    },
    /// Make the next key of a place: ORGANISATION.credentials, ORGANISATION.status, ORGANISATION.requests,
    /// id-token-rs256, id-token-es256 or id-token-eddsa. It is published and does not sign yet.
    Create {
        /// Which place.
        place: String,
        /// What it signs with, if not with what the place usually does: ES256, ES384 or `EdDSA`.
        #[arg(long, value_parser = algorithm)]
        algorithm: Option<Algorithm>,
    },
    /// Take the next step of changing the key of a place: make the next key, or let it sign when it has been published for
    /// seven days.
    Rotate {
        /// Which place.
        place: String,
        /// Without waiting for seven days.
        #[arg(long)]
        at_once: bool,
    },
    /// Let a next key sign. The one before goes on verifying.
    Activate {
        /// Its id.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Without waiting for seven days.
        #[arg(long)]
        at_once: bool,
    },
    /// Let a key sign no more: the next one of its place does.
    Retire {
        /// Its id.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Without waiting until the next one has been published for seven days.
        #[arg(long)]
        at_once: bool,
    },
    /// Take a key out of every document and destroy it. Refused while credentials need it.
    Remove {
        /// Its id.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Even so. What it signed is refused from then on.
        #[arg(long)]
        force: bool,
    },
    /// Somebody else may have a key: take it out of everything at once, let another sign, and say what it signed.
    Compromised {
        /// Its id.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Write the serial numbers of the credentials in force that it signed into this new file, one on each line.
        #[arg(long, value_name = "FILE")]
        serial_numbers: Option<PathBuf>,
    },
    /// Close with `key_passphrase` every key file that one of `earlier_key_passphrases` closed, beside gateways that run. Broken
    /// off, the same command goes on.
    Passphrase,
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::parse(name).ok_or_else(|| "there is no such algorithm here".to_owned())
}

/// Does one act.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let config = options.config.as_deref();
    let config = config.context("say --config FILE, or set LANYARD_CONFIG")?;
    let (config, surroundings) = (Config::read(config)?, Surroundings::production());
    if matches!(options.act, Act::Passphrase) {
        return passphrase(&config, surroundings).await;
    }
    let desk = match &options.act {
        Act::List { .. } => KeyDesk::look(&config, surroundings).await?,
        _ => KeyDesk::open(&config, surroundings).await?,
    };
    let desk = desk.by(account());
    let done = act(&desk, &options.act).await;
    desk.close().await;
    done
}

async fn act(desk: &KeyDesk, act: &Act) -> anyhow::Result<()> {
    match act {
        Act::List { all } => list(desk, *all).await,
        Act::Create { place, algorithm } => say_changes(&desk.create(place, *algorithm).await?),
        Act::Rotate { place, at_once } => say_changes(&desk.rotate(place, *at_once).await?),
        Act::Activate { kid, at_once } => say_changes(&desk.activate(kid, *at_once).await?),
        Act::Retire { kid, at_once } => say_changes(&desk.retire(kid, *at_once).await?),
        Act::Remove { kid, force } => say_changes(&desk.remove(kid, *force).await?),
        Act::Compromised {
            kid,
            serial_numbers,
        } => compromised(desk, kid, serial_numbers.as_deref()).await,
        // Its desk would open every key first, and the token that has none of it.
        Act::Passphrase => Ok(()),
    }
}

async fn passphrase(config: &Config, surroundings: Surroundings) -> anyhow::Result<()> {
    let changed = gateway::change_key_passphrase(config, surroundings, &account()).await?;
    say(format_args!(
        "{} key files, {} of them closed anew",
        changed.files, changed.rewritten
    ))?;
    if changed.drafts > 0 {
        say(format_args!(
            "{} half made files that a crash had left are deleted",
            changed.drafts
        ))?;
    }
    for other in &changed.others {
        say(format_args!(
            "{} is no encrypted private key, and stays as it is",
            other.display()
        ))?;
    }
    say(
        "Every key file opens with key_passphrase now. A process that was not started anew with it makes keys with the earlier one: \
         when every process was, run this once more in an hour, take the earlier passphrase out of earlier_key_passphrases and \
         start them anew. Backups from before open with the earlier one: keep it as long as them, or make a new backup now.",
    )
}

fn say_changes(changes: &[Change]) -> anyhow::Result<()> {
    for Change { kid, place, to, .. } in changes {
        say(format_args!("{kid}  {place}  is {}", to.name()))?;
    }
    Ok(())
}

async fn list(desk: &KeyDesk, all: bool) -> anyhow::Result<()> {
    let mut keys = desk.list().await?;
    keys.retain(|key| all || key.state.is_published());
    // By place, and within one the oldest first.
    keys.sort_by_cached_key(|key| (key.place.to_string(), key.created_at));
    for key in &keys {
        let since = since(key).strftime("%Y-%m-%d %H:%M");
        say(format_args!(
            "{}  {:<28}  {:<5}  {:<11}  since {since}Z{}",
            key.kid,
            key.place.to_string(),
            key.algorithm,
            key.state.name(),
            needed(desk, key).await?,
        ))?;
    }
    Ok(())
}

/// When it came into its state.
fn since(key: &KeyRow) -> jiff::Timestamp {
    let at = match key.state {
        State::Next => None,
        State::Active => key.activated_at,
        State::VerifyOnly => key.retired_at,
        State::Removed | State::Compromised => key.ended_at,
    };
    at.unwrap_or(key.created_at)
}

/// What keeps it from its next state.
async fn needed(desk: &KeyDesk, key: &KeyRow) -> anyhow::Result<String> {
    Ok(match (key.state, key.place.purpose) {
        (State::Next, _) => {
            let from = key.created_at + PUBLISHED_BEFORE;
            format!("; may sign from {}Z", from.strftime("%Y-%m-%d %H:%M"))
        }
        (State::VerifyOnly, KeyPurpose::Credentials) => {
            let in_force = in_force(&desk.signed(&key.kid).await?);
            format!("; {in_force} credentials still verify with this key")
        }
        _ => String::new(),
    })
}

fn in_force(signed: &[Signed]) -> i64 {
    signed.iter().map(|of_type| of_type.in_force).sum()
}

async fn compromised(desk: &KeyDesk, kid: &str, into: Option<&Path>) -> anyhow::Result<()> {
    // Before anything is done: a file that cannot be written must not come to light afterwards.
    let begin = |path: &Path| {
        WholeFile::begin(path).with_context(|| format!("{} cannot be made", path.display()))
    };
    let file = into.map(begin).transpose()?;
    say_changes(&desk.compromised(kid).await?)?;
    let signed = desk.signed(kid).await?;
    for Signed {
        credential_type,
        issued,
        in_force,
    } in &signed
    {
        say(format_args!(
            "{credential_type}: {issued} issued with this key, {in_force} of them in force"
        ))?;
    }
    say(format_args!(
        "{} credentials in force bear a signature that nobody should believe any more: revoke them and issue them anew",
        in_force(&signed)
    ))?;
    if let Some(file) = file {
        write_serial_numbers(desk, kid, file).await?;
    }
    Ok(())
}

async fn write_serial_numbers(
    desk: &KeyDesk,
    kid: &str,
    mut file: WholeFile,
) -> anyhow::Result<()> {
    let mut after = 0;
    while let Some((list, some)) = desk.serial_numbers(kid, after).await? {
        after = list;
        for serial_number in some {
            writeln!(file, "{serial_number}")?;
        }
    }
    coded(file.finish())
}
