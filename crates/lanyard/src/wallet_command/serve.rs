//! `lanyard wallet serve`: the test wallet as a process of its own.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use wallet::Wallet;
use wallet::http::PageOptions;

use crate::listen::Listeners;

/// Where the wallet is, and whose.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder in which keys and credentials are kept, in plain files.
    #[arg(long, value_name = "DIR")]
    wallet_data: PathBuf,
    /// The port of the pages and the API.
    #[arg(long, value_name = "PORT", default_value_t = 8402)]
    port: u16,
    /// A holder, who is made if need be; as often as there are holders.
    #[arg(long = "holder", value_name = "ID:NAME")]
    holders: Vec<Holder>,
    /// A certificate authority (PEM) to trust besides the machine's own.
    #[arg(long, value_name = "FILE")]
    certificate_authority: Option<PathBuf>,
}

/// A holder to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holder {
    id: String,
    name: String,
}

impl FromStr for Holder {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((id, name)) if !id.is_empty() && !name.is_empty() => Ok(Self {
                id: id.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err("a holder is an id and a name, such as anna:Anna"),
        }
    }
}

/// Serves the wallet until it is told to stop.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let authority = options.certificate_authority.iter();
    let extra_roots = authority
        .map(|file| {
            std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let settings = wallet::Options {
        extra_roots,
        ..wallet::Options::default()
    };
    let wallet = Wallet::open(&options.wallet_data, settings)
        .with_context(|| format!("{} cannot be used", options.wallet_data.display()))?;
    for holder in &options.holders {
        wallet.add_holder(&holder.id, &holder.name)?;
    }
    let mut listeners = Listeners::default();
    let router = wallet::http::router(wallet, PageOptions::default());
    listeners.serve("wallet", options.port, false, None, &router)?;
    tracing::info!(port = options.port, "the test wallet is ready");
    listeners.until_stopped(std::future::pending()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_an_id_and_a_name() {
        let anna = Holder {
            id: "anna".to_owned(),
            name: "Anna: Taylor".to_owned(),
        };
        assert_eq!("anna:Anna: Taylor".parse(), Ok(anna));
        for text in ["anna", "anna:", ":Anna", ""] {
            assert!(text.parse::<Holder>().is_err(), "{text}");
        }
    }
}
