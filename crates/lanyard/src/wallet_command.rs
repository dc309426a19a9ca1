//! `lanyard wallet`: the test wallet of a running sandbox, from the command line; and a test wallet of its own.

mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use wallet::client::Client;
use wallet::{Outcome, Scan};

use crate::sandbox_file::SandboxFile;
use crate::say::say;

/// What to do with which sandbox's wallet.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The running sandbox's folder.
    #[arg(long, value_name = "DIR", default_value = "./.lanyard", global = true)]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Follow a wallet link, as if its QR code had been scanned.
    Scan {
        /// Whose wallet.
        holder: String,
        /// The link.
        link: String,
        /// Say no instead of yes.
        #[arg(long)]
        decline: bool,
        /// Which credential or format, where there is a choice.
        #[arg(long)]
        choose: Vec<String>,
        /// The PIN on the issuer's page, where the wallet asks for one.
        #[arg(long, value_name = "DIGITS")]
        pin: Option<String>,
    },
    /// List the holders, or one holder's credentials with their status.
    List {
        /// Whose wallet.
        holder: Option<String>,
    },
    /// Delete a credential.
    Delete {
        /// Whose wallet.
        holder: String,
        /// Which credential.
        credential: String,
    },
    /// Run a test wallet by itself. (The other commands speak to the sandbox's.)
    Serve(serve::Options),
}

impl Options {
    /// Whether this runs until it is told to stop.
    pub fn is_service(&self) -> bool {
        matches!(self.command, Command::Serve(_))
    }
}

/// Runs the command. Fails when a scan did.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if let Command::Serve(options) = &options.command {
        serve::run(options).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let file = SandboxFile::read(&options.data)?;
    let client = Client::new(file.urls.wallet);
    match &options.command {
        Command::Scan {
            holder,
            link,
            decline,
            choose,
            pin,
        } => {
            let scan = Scan {
                link: link.clone(),
                consent: !decline,
                choose: choose.clone(),
                transaction_code: pin.clone(),
            };
            let scanned = client.scan(holder, &scan).await?;
            say(serde_json::to_string_pretty(&scanned)?)?;
            let failed = scanned.outcome == Outcome::Failed;
            return Ok(if failed {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            });
        }
        Command::List { holder: None } => {
            for holder in client.holders().await? {
                say(format_args!("{}  {}", holder.id, holder.name))?;
            }
        }
        Command::List {
            holder: Some(holder),
        } => say(serde_json::to_string_pretty(
            &client.credentials(holder).await?,
        )?)?,
        Command::Delete { holder, credential } => client.delete(holder, credential).await?,
        Command::Serve(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}
