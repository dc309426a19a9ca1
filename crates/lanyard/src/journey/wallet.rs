//! The employee's hand on the test wallet: its HTTP API.

use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use connector::Observer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::browser::{exchange, plain_client};

/// A running test wallet.
pub(super) struct Wallet {
    base: Url,
    client: reqwest::Client,
    observer: Option<Arc<dyn Observer>>,
}

/// How a scan ended, as the wallet tells it.
#[derive(Debug, Deserialize)]
pub(super) struct Scanned {
    /// `presented`, `received`, `declined`, `failed` or `pending`.
    pub(super) outcome: String,
    /// Why, if there is something to say.
    pub(super) reason: Option<String>,
}

/// A credential in the wallet.
#[derive(Debug, Deserialize)]
pub(super) struct Held {
    /// The wallet's own id of it.
    pub(super) id: String,
    /// Its serial number.
    pub(super) serial_number: Option<String>,
    /// What the wallet knows of its status.
    pub(super) status: Option<String>,
}

impl std::fmt::Display for Scanned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{}: {reason}", self.outcome),
            None => f.write_str(&self.outcome),
        }
    }
}

impl Wallet {
    /// The wallet at this address.
    pub(super) fn new(
        base: Url,
        certificate_authority: Option<&[u8]>,
        observer: Option<Arc<dyn Observer>>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            base,
            client: plain_client(false, certificate_authority)?,
            observer,
        })
    }

    /// Follow a link with the holder's consent; `choose` names the credential to show.
    pub(super) async fn scan(
        &self,
        holder: &str,
        link: &str,
        choose: Option<&str>,
    ) -> anyhow::Result<Scanned> {
        let mut body = json!({"link": link, "consent": true});
        if let Some(choose) = choose {
            body["choose"] = Value::from(choose);
        }
        let request = self.client.post(self.address(holder, "scan")?).json(&body);
        self.ask(request.build()?).await
    }

    /// What the holder has.
    pub(super) async fn credentials(&self, holder: &str) -> anyhow::Result<Vec<Held>> {
        self.ask(
            self.client
                .get(self.address(holder, "credentials")?)
                .build()?,
        )
        .await
    }

    fn address(&self, holder: &str, what: &str) -> anyhow::Result<Url> {
        let mut address = self.base.clone();
        match address.path_segments_mut() {
            Ok(mut segments) => segments
                .pop_if_empty()
                .extend(["api", "holders", holder, what]),
            Err(()) => bail!("the wallet's address cannot be completed"),
        };
        Ok(address)
    }

    async fn ask<T: DeserializeOwned>(&self, request: reqwest::Request) -> anyhow::Result<T> {
        let answer = exchange(&self.client, request, self.observer.as_deref()).await?;
        ensure!(
            answer.status == 200,
            "the wallet answered with HTTP status {}: {}",
            answer.status,
            answer.body
        );
        serde_json::from_str(&answer.body)
            .context("the wallet's answer is not as its interface says")
    }
}
