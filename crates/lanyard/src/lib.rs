//! Lanyard: verifiable staff credentials, straight to the employee's wallet.
//!
//! The one binary, as a library, so that tests drive the same code: [`run`] is `main`.

pub mod browser;
mod gateway_command;
pub mod journey;
pub mod sandbox;
pub mod sandbox_file;
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
    /// Play the standard's sequences and print every exchange.
    Journey(journey::Options),
    /// The test wallet of a running sandbox.
    Wallet(wallet_command::Options),
}

/// Does what the command line says.
pub async fn run() -> ExitCode {
    // One provider, chosen before anything opens a connection.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = Arguments::parse();
    let command = arguments
        .command
        .unwrap_or(Command::Sandbox(arguments.sandbox));
    log(matches!(command, Command::Gateway(_)));
    let done = match command {
        Command::Sandbox(options) => run_sandbox(&options).await.map(|()| ExitCode::SUCCESS),
        Command::Gateway(options) => gateway_command::run(&options)
            .await
            .map(|()| ExitCode::SUCCESS),
        Command::Journey(options) => journey::run(&options).await,
        Command::Wallet(options) => wallet_command::run(&options).await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("lanyard: {error:#}");
        ExitCode::FAILURE
    })
}

async fn run_sandbox(options: &sandbox::Options) -> anyhow::Result<()> {
    let mut running = sandbox::start(options).await?;
    for line in sandbox::lines(&running.file, &running.data) {
        println!("{line}");
    }
    tokio::select! {
        () = stop_signal() => {}
        error = running.failed() => return Err(error),
    }
    running.stop().await;
    Ok(())
}

/// Ctrl-C, or the signal with which service managers stop programs.
async fn stop_signal() {
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
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
