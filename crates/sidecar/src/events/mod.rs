//! Telling the host what became of credentials, also when no browser brings it: signed, numbered, until it was taken.
//! [Standard Webhooks]
//!
//! An event is written by the database itself in the step that it reports (see the migrations, and decision 0022). This
//! slice delivers them and lists them for a receiver that was away: *at least once, in order, with one id for one event*.

mod content;
mod deliver;
mod list;
mod rows;

use connector::SecretSource;
use connector::config::{ConfigError, secret};
use serde::Deserialize;
use standards::webhook::SigningSecrets;
use url::{Host, Url};

pub(crate) use content::Content;
pub(crate) use deliver::run;
pub(crate) use list::{__path_list, __path_redeliver, list, redeliver};

/// Where the host is told of events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Its address: https, or http on this machine.
    pub url: Url,
    /// The secrets that sign: `whsec_…`. One, or during a change two or three.
    pub secrets: Vec<SecretSource>,
}

/// A receiver of events. Its Debug prints nothing: the address may hold a word that only its receiver should know.
pub(crate) struct Webhook {
    url: Url,
    secrets: SigningSecrets,
    client: reqwest::Client,
}

impl Webhook {
    pub(crate) fn open(config: &WebhookConfig) -> Result<Self, ConfigError> {
        let here = match config.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if config.url.scheme() != "https" && !(config.url.scheme() == "http" && here) {
            let reason = "it must be https, or http on this machine";
            return Err(ConfigError::new("webhook.url", reason));
        }
        let texts = config
            .secrets
            .iter()
            .map(|source| secret("webhook.secrets", source))
            .collect::<Result<Vec<_>, _>>()?;
        let secrets = SigningSecrets::read(texts.iter().map(|text| text.as_str()))
            .map_err(|error| ConfigError::new("webhook.secrets", error))?;
        let client = reqwest::Client::builder()
            .timeout(deliver::PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| ConfigError::new("webhook.url", error.without_url()))?;
        Ok(Self {
            url: config.url.clone(),
            secrets,
            client,
        })
    }
}
