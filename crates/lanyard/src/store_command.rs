//! `lanyard store copy` and `lanyard store compare`: a database on the other engine.

use store::DatabaseUrl;
use store::copy::{self, CopyError};

use crate::backup::{PARTIES, say_held};
use crate::say::say;

/// What to do with a database.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Copy a database, whoever's it is, into an empty one, and see that everything has arrived. Stop its programs first.
    Copy(Databases),
    /// Compare two databases, table by table.
    Compare(Databases),
}

#[derive(Debug, clap::Args)]
struct Databases {
    /// The database to read: sqlite:PATH or postgres://…; or env:NAME when the address holds a password.
    #[arg(long, value_name = "ADDRESS")]
    from: String,
    /// The other one.
    #[arg(long, value_name = "ADDRESS")]
    to: String,
}

/// Copies or compares.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    match &options.command {
        Command::Copy(databases) => {
            let (from, to) = databases.addresses()?;
            let held = coded(copy::copy(&from, &to, &PARTIES).await)?;
            say_held(&held)?;
            let rows: u64 = held.iter().map(|held| held.sum.rows).sum();
            say(format_args!(
                "{from} to {to}: {} tables, {rows} rows, read back and the same",
                held.len()
            ))
        }
        Command::Compare(databases) => {
            let (from, to) = databases.addresses()?;
            let (here, there) = (
                coded(copy::held(&from).await)?,
                coded(copy::held(&to).await)?,
            );
            let differing = here.iter().find(|held| !there.contains(held));
            let differing = differing.or_else(|| there.iter().find(|held| !here.contains(held)));
            if let Some(held) = differing {
                return coded(Err(CopyError::Differs(held.table.clone())));
            }
            say_held(&here)?;
            say(format_args!("{from} and {to}: the same"))
        }
    }
}

impl Databases {
    fn addresses(&self) -> anyhow::Result<(DatabaseUrl, DatabaseUrl)> {
        Ok((address(&self.from)?, address(&self.to)?))
    }
}

fn address(written: &str) -> anyhow::Result<DatabaseUrl> {
    let text = match written.strip_prefix("env:") {
        Some(name) => std::env::var(name).map_err(|_| anyhow::anyhow!("{name} is not set"))?,
        None => written.to_owned(),
    };
    Ok(text.parse()?)
}

/// The error's word before its sentence.
fn coded<T>(result: Result<T, CopyError>) -> anyhow::Result<T> {
    result.map_err(|error| {
        let code = error.code();
        anyhow::Error::new(error).context(code)
    })
}
