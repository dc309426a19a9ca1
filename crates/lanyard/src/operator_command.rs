//! `lanyard operator`: operators of a gateway, by whoever has its machine and configuration file. The first operator is made
//! here; later ones are proposed and approved by two (`lanyard admin operator add`).

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use gateway::Config;
use gateway::admin::Role;
use gateway::operator::NewOperator;
use gateway::operator::desk::{Desk, DeskError};
use gateway::random::Random;

use crate::say::say;

/// Which configuration, and what to do.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add an operator and print its token, which nobody can ask for again.
    Add {
        /// Lower-case letters, digits, `.`, `-`, `_`, `@`.
        name: String,
        /// viewer, desk, operator, key-custodian, administrator or auditor.
        #[arg(long, value_parser = role)]
        role: Role,
        /// Confine it to this organisation.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// It is a program; this operator answers for it.
        #[arg(long, value_name = "NAME")]
        person: Option<String>,
        /// It is the account for emergencies: each use raises an alarm.
        #[arg(long)]
        break_glass: bool,
        /// How long the token is in force: 1 to 400 days, 90 if left out.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Show all operators and their tokens.
    List,
    /// Remove an operator, its tokens and the programs that it answers for.
    Remove {
        /// Its name.
        name: String,
        /// Its organisation, if it is confined to one.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
    },
    /// An operator's tokens.
    #[command(subcommand)]
    Token(Token),
    /// How an operator signs in to the console.
    #[command(subcommand)]
    SignIn(SignIn),
}

#[derive(Debug, Subcommand)]
enum SignIn {
    /// Forget their password, authenticator and recovery codes, and end their sessions and the tokens that these made. With a
    /// token of theirs they set it up anew.
    Reset {
        /// Whose.
        name: String,
        /// The operator's organisation, if it is confined to one.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum Token {
    /// One more token, printed once.
    New {
        /// Whose.
        name: String,
        /// The operator's organisation, if it is confined to one.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// 1 to 400 days, 90 if left out.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Revoke a token.
    Revoke {
        /// Its id, such as tk-3n8c-71vw.
        id: String,
    },
}

/// Does it.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let file = options.config.as_ref();
    let file = file.context("say which gateway: --config FILE, or LANYARD_CONFIG")?;
    let config = Config::read(file)?;
    let address = config.database_address()?;
    let store = match &options.what {
        What::List => gateway::look_into_store(&address).await?,
        _ => gateway::open_store(&address).await?,
    };
    let (random, account) = (Random::system(), account());
    let desk = Desk {
        store: &store,
        random: &random,
        account: &account,
        now: jiff::Timestamp::now(),
    };
    let done = act(&desk, &options.what).await;
    store.close().await;
    done
}

async fn act(desk: &Desk<'_>, what: &What) -> anyhow::Result<()> {
    let told = |error: DeskError| anyhow::anyhow!("{}: {error}", error.code());
    match what {
        What::Add {
            name,
            role,
            organisation,
            person,
            break_glass,
            days,
        } => {
            let person = match person {
                Some(person) => Some(desk.id_of(person, None).await.map_err(told)?),
                None => None,
            };
            let new = NewOperator {
                name,
                role: *role,
                organisation: organisation.as_deref(),
                person: person.as_deref(),
                break_glass: *break_glass,
            };
            say(desk.add(&new, *days).await.map_err(told)?)
        }
        What::List => {
            for (operator, tokens) in desk.list().await.map_err(told)? {
                let organisation = operator.organisation.as_deref().unwrap_or("-");
                let state = if operator.removed_at.is_some() {
                    "removed"
                } else {
                    "in force"
                };
                let glass = if operator.break_glass {
                    "  break-glass"
                } else {
                    ""
                };
                say(format_args!(
                    "{}  {}  {}  {organisation}  {state}{glass}",
                    operator.id, operator.name, operator.role
                ))?;
                let tokens = tokens.iter().filter(|token| token.kind == "token");
                for token in tokens.filter(|token| token.revoked_at.is_none()) {
                    let used = token
                        .last_used_at
                        .map_or_else(|| "never".to_owned(), |at| at.to_string());
                    say(format_args!(
                        "    {}  until {}  last used {used}",
                        token.id, token.expires_at
                    ))?;
                }
            }
            Ok(())
        }
        What::Remove { name, organisation } => {
            desk.remove(name, organisation.as_deref())
                .await
                .map_err(told)?;
            say(format_args!("{name} is removed"))
        }
        What::Token(Token::New {
            name,
            organisation,
            days,
        }) => say(desk
            .new_token(name, organisation.as_deref(), *days)
            .await
            .map_err(told)?),
        What::SignIn(SignIn::Reset { name, organisation }) => {
            desk.reset_sign_in(name, organisation.as_deref())
                .await
                .map_err(told)?;
            say(format_args!(
                "{name} signs in no more, until it is set up anew"
            ))
        }
        What::Token(Token::Revoke { id }) => {
            desk.revoke_token(id).await.map_err(told)?;
            say(format_args!("{id} is revoked"))
        }
    }
}

fn role(text: &str) -> Result<Role, String> {
    let names = Role::ALL.map(Role::name).join(", ");
    Role::of_name(text).ok_or(format!("one of {names}"))
}

/// Whose account this is: what the audit writes beside acts of the command line. It proves nothing.
pub(crate) fn account() -> String {
    let names = ["SUDO_USER", "USER", "LOGNAME"];
    let found = names
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    found.unwrap_or_else(|| "unknown".to_owned())
}
