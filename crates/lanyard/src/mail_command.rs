//! `lanyard mail --data DIR`: the mail catcher alone, for trying out what sends mail.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use mail_catcher::Catcher;
use mail_catcher::http::PageOptions;

use crate::listen::{self, Listeners};

/// Where to keep mail, and where to take it.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder in which the messages are kept.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The port of the page and the API.
    #[arg(long, value_name = "PORT", default_value_t = 8403)]
    port: u16,
    /// The port that takes mail by SMTP.
    #[arg(long, value_name = "PORT", default_value_t = 8413)]
    smtp_port: u16,
}

/// Takes mail until it is told to stop.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let catcher = Catcher::open(&options.data, Arc::new(jiff::Timestamp::now))
        .with_context(|| format!("{} cannot be used", options.data.display()))?;
    let smtp = listen::bind_port("SMTP", options.smtp_port, false)?;
    let mut listeners = Listeners::default();
    let router = mail_catcher::http::router(catcher.clone(), PageOptions::default());
    listeners.serve("mail catcher", options.port, false, None, &router)?;
    tracing::info!(
        port = options.port,
        smtp_port = options.smtp_port,
        "the mail catcher is ready"
    );
    listeners
        .until_stopped(async {
            let error = catcher.serve_smtp(smtp).await;
            anyhow::Error::new(error).context("no mail can be taken")
        })
        .await
}
