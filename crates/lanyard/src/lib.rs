//! Lanyard: verifiable staff credentials, straight to the employee's wallet.
//!
//! The one binary, as a library, so that tests drive the same code: [`run`] is `main`.

mod admin_command;
mod apply_command;
mod audit_command;
mod backup;
pub mod browser;
mod certificate;
mod client_command;
mod config_command;
mod connections;
mod connector_command;
mod doctor_command;
mod evidence_command;
mod gateway_command;
mod init_command;
mod interaction_command;
pub mod journey;
mod key_command;
mod listen;
mod mail_command;
mod operator_command;
mod portal_command;
mod reconcile;
mod report_command;
mod retention_command;
mod revoke_command;
pub mod sandbox;
pub mod sandbox_file;
mod say;
mod sbom_command;
mod storage_secret_command;
mod store_command;
mod trial;
mod wallet_command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Verifiable staff credentials, straight to the employee's wallet.
#[derive(Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    sandbox: sandbox::Options,
}

#[derive(Subcommand)]
#[allow(clippy::large_enum_variant)] // there is one of them
enum Command {
    /// The whole system on this machine, with test people (the default).
    Sandbox(sandbox::Options),
    /// The gateway alone, for real use.
    Gateway(gateway_command::Options),
    /// What a gateway needs before its first start: secrets, keys, a configuration file.
    Init(init_command::Options),
    /// The configuration file, before a gateway starts with it.
    #[command(subcommand)]
    Config(config_command::Command),
    /// Whether a gateway's set-up is sound, and what to do where it is not.
    Doctor(doctor_command::Options),
    /// One folder for an assurance file, with a manifest of digests: no personal data, no secret.
    Evidence(evidence_command::Options),
    /// The gateway's signing keys: list, make, change, remove, and what to do when one has leaked.
    Key(key_command::Options),
    /// Bring a gateway's registry to what a file declares: organisations, relying parties, credential types.
    Apply(apply_command::Options),
    /// What an operator does for one relying party: its secrets, its checklist before it goes live.
    Client(client_command::Options),
    /// What became of an interaction, and why: 'why did my download fail'.
    Interaction(interaction_command::Options),
    /// Reports for who runs the gateway.
    Report(report_command::Options),
    /// What the gateway forgets, and what it must keep.
    Retention(retention_command::Options),
    /// Revoke a credential for good, or a file of them.
    Revoke(revoke_command::Revoke),
    /// Suspend a credential for the time being.
    Suspend(revoke_command::Suspend),
    /// Put a suspended credential in force again.
    Reinstate(revoke_command::Reinstate),
    /// Operators of a gateway: the first one, and whatever nobody else can help with.
    Operator(operator_command::Options),
    /// What was done to a gateway, by whom: check it, export it.
    Audit(audit_command::Options),
    /// Administer a running gateway.
    Admin(admin_command::Options),
    /// The reference staff portal alone.
    Portal(portal_command::Options),
    /// The connector beside an external system in any language, and what else one uses of it.
    Connector(connector_command::Options),
    /// Play the standard's sequences and print every exchange.
    Journey(journey::Options),
    /// The test wallet of a running sandbox, or one by itself.
    Wallet(wallet_command::Options),
    /// Back up everything that a gateway needs, while it runs, into one sealed file.
    Backup(backup::BackupOptions),
    /// Restore a backup, on either engine, or rehearse it.
    Restore(backup::RestoreOptions),
    /// What this program is made of: each crate with version, licence and checksum, as JSON for scanners.
    Sbom,
    /// The secret that seals values in the database: when it has changed, seal anew what the old one sealed.
    StorageSecret(storage_secret_command::Options),
    /// Copy or compare databases.
    Store(store_command::Options),
    /// The mail catcher alone: takes mail by SMTP, shows it, sends nothing on.
    Mail(mail_command::Options),
}

impl Command {
    /// Whether it runs until it is told to stop, with nobody at the terminal.
    fn is_service(&self) -> bool {
        match self {
            Self::Gateway(_) | Self::Portal(_) | Self::Mail(_) => true,
            Self::Wallet(options) => options.is_service(),
            Self::Connector(options) => options.is_service(),
            // Everything else does its errand for whoever sits there.
            _ => false,
        }
    }
}

/// Does what the command line says.
pub async fn run() -> ExitCode {
    // One provider, chosen before anything opens a connection.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = Arguments::parse();
    let command = arguments
        .command
        .unwrap_or(Command::Sandbox(arguments.sandbox));
    log(command.is_service());
    let done = match command {
        Command::Sandbox(options) => succeeded(run_sandbox(&options).await),
        Command::Gateway(options) => succeeded(Box::pin(gateway_command::run(&options)).await),
        Command::Init(options) => succeeded(init_command::run(&options)),
        Command::Config(command) => succeeded(Box::pin(config_command::run(&command)).await),
        Command::Doctor(options) => doctor_command::run(&options).await,
        Command::Evidence(options) => succeeded(Box::pin(evidence_command::run(&options)).await),
        Command::Key(options) => succeeded(key_command::run(&options).await),
        Command::Apply(options) => apply_command::run(&options).await,
        Command::Client(options) => succeeded(client_command::run(&options).await),
        Command::Interaction(options) => succeeded(interaction_command::run(&options).await),
        Command::Report(options) => succeeded(report_command::run(&options).await),
        Command::Retention(options) => succeeded(Box::pin(retention_command::run(&options)).await),
        Command::Revoke(options) => revoke_command::revoke(&options).await,
        Command::Suspend(options) => revoke_command::suspend(&options).await,
        Command::Reinstate(options) => revoke_command::reinstate(&options).await,
        Command::Operator(options) => succeeded(operator_command::run(&options).await),
        Command::Audit(options) => audit_command::run(&options).await,
        Command::Admin(options) => admin_command::run(&options).await,
        Command::Portal(options) => portal_command::run(&options).await,
        Command::Connector(options) => connector_command::run(&options).await,
        Command::Journey(options) => journey::run(&options).await,
        Command::Wallet(options) => wallet_command::run(&options).await,
        Command::Backup(options) => succeeded(backup::back_up(&options).await),
        Command::Restore(options) => succeeded(backup::bring_back(&options).await),
        Command::Sbom => succeeded(sbom_command::run()),
        Command::StorageSecret(options) => succeeded(storage_secret_command::run(&options).await),
        Command::Store(options) => succeeded(store_command::run(&options).await),
        Command::Mail(options) => succeeded(mail_command::run(&options).await),
    };
    done.unwrap_or_else(|error| {
        if error.is::<say::ReaderGone>() {
            return ExitCode::SUCCESS;
        }
        eprintln!("lanyard: {error:#}");
        ExitCode::FAILURE
    })
}

fn succeeded(done: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    done.map(|()| ExitCode::SUCCESS)
}

async fn run_sandbox(options: &sandbox::Options) -> anyhow::Result<()> {
    let mut running = sandbox::start(options).await?;
    for line in sandbox::lines(&running.file, &running.data) {
        // A sandbox whose first lines nobody reads runs all the same.
        let _ = say::say(line);
    }
    tokio::select! {
        () = listen::stop_signal() => {}
        error = running.failed() => return Err(error),
    }
    running.stop().await;
    Ok(())
}

/// Log lines go to standard error: JSON for a service, text for a person. `RUST_LOG` chooses more or less.
fn log(service: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new(if service { "info" } else { "warn" })
    });
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if service {
        lines.json().init()
    } else {
        lines.init()
    }
}
