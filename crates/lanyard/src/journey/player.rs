//! Who plays: a relying party, an employee's browser, an employee's wallet, and what they do together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use connector::{Callback, Connector, FinishError, Http, HttpOptions, Pending, Returned};
use url::Url;

use super::place::Place;
use super::script::Script;
use super::wallet::{Scanned, Wallet};
use crate::browser::{Arrived, Browser, Page};

/// How long the page may take after the wallet is done. The gateway itself waits 5 s for a wallet
/// that does not say that it kept the credential.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a refused wallet's page may take to say so.
const PATIENCE_WHEN_REFUSED: Duration = Duration::from_secs(3);

/// The players of one journey.
pub(super) struct Player {
    pub(super) connector: Connector,
    pub(super) wallet: Wallet,
    pub(super) script: Arc<Script>,
    redirect_uri: Url,
    certificate_authority: Option<Vec<u8>>,
}

/// How far browser and wallet came.
pub(super) struct Travelled {
    /// What the wallet says.
    pub(super) scanned: Scanned,
    /// The query with which the browser came back, if it did.
    pub(super) back: Option<String>,
    /// The page that it was on before.
    pub(super) last_page: String,
}

impl Player {
    pub(super) async fn new(place: &Place, script: Arc<Script>) -> anyhow::Result<Self> {
        let options = HttpOptions {
            observer: Some(script.between("relying party", "gateway")),
            certificate_authority: place.certificate_authority.clone(),
            ..HttpOptions::default()
        };
        let redirect_uri = place.settings.redirect_uri.clone();
        let connector = Connector::discover(place.settings.clone(), Http::new(options)?)
            .await
            .context("the gateway cannot be used")?;
        let wallet = Wallet::new(
            place.wallet.clone(),
            place.certificate_authority.as_deref(),
            Some(script.between("employee", "wallet")),
        )?;
        Ok(Self {
            connector,
            wallet,
            script,
            redirect_uri,
            certificate_authority: place.certificate_authority.clone(),
        })
    }

    /// A browser that nobody has used yet.
    pub(super) fn browser(&self) -> anyhow::Result<Browser> {
        Browser::new(
            self.redirect_uri.clone(),
            self.certificate_authority.as_deref(),
            Some(self.script.between("browser", "gateway")),
        )
    }

    /// The employee follows the address that the relying party gave, scans the code that the gateway
    /// shows, and looks at the page until it leads back.
    pub(super) async fn travel(
        &self,
        browser: &Browser,
        address: &Url,
        holder: &str,
        choose: Option<&str>,
    ) -> anyhow::Result<Travelled> {
        let page = match browser.open(address).await? {
            Arrived::Page(page) => page,
            Arrived::Back(query) => bail!(
                "the gateway sent the browser straight back: {}",
                reason(&query)
            ),
        };
        let link = page
            .href("open-wallet")
            .with_context(|| format!("no waiting page, but {}", page.name()))?;
        let scanned = self.wallet.scan(holder, &link, choose).await?;
        let done = matches!(scanned.outcome.as_str(), "presented" | "received");
        let patience = if done {
            PATIENCE
        } else {
            PATIENCE_WHEN_REFUSED
        };
        let (back, last_page) = self.wait(browser, page, patience).await?;
        Ok(Travelled {
            scanned,
            back,
            last_page,
        })
    }

    async fn wait(
        &self,
        browser: &Browser,
        mut page: Page,
        patience: Duration,
    ) -> anyhow::Result<(Option<String>, String)> {
        let began = Instant::now();
        loop {
            let arrived = browser.reload(&page).await?;
            page = match arrived {
                Arrived::Back(query) => return Ok((Some(query), page.name())),
                Arrived::Page(page) => page,
            };
            // A page that leads back shows no more of the code to scan.
            if page.href("open-wallet").is_none() && page.href("go-back").is_some() {
                let name = page.name();
                return match browser.follow(&page, "go-back").await? {
                    Arrived::Back(query) => Ok((Some(query), name)),
                    Arrived::Page(page) => bail!("the way back ended at {}", page.name()),
                };
            }
            if began.elapsed() > patience {
                return Ok((None, page.name()));
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// The relying party takes the browser back.
    pub(super) async fn finish(
        &self,
        pending: Pending,
        query: &str,
    ) -> anyhow::Result<Result<Returned, FinishError>> {
        let callback =
            Callback::parse(query).context("what the browser came back with is no callback")?;
        Ok(self.connector.finish(pending, callback).await)
    }

    /// A journey that has to end well.
    pub(super) async fn succeed(
        &self,
        started: connector::Started,
        holder: &str,
        choose: Option<&str>,
    ) -> anyhow::Result<Returned> {
        let browser = self.browser()?;
        let travelled = self.travel(&browser, &started.url, holder, choose).await?;
        let query = travelled.back.with_context(|| {
            format!(
                "the browser was not led back from {}; wallet: {}",
                travelled.last_page, travelled.scanned
            )
        })?;
        let finished = self.finish(started.pending, &query).await?;
        finished
            .map_err(anyhow::Error::new)
            .with_context(|| format!("wallet: {}", travelled.scanned))
    }
}

/// The error in a callback's query, for messages.
pub(super) fn reason(query: &str) -> String {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let told: Vec<String> = pairs
        .filter(|(name, _)| name.starts_with("error"))
        .map(|(_, value)| value.into_owned())
        .collect();
    if told.is_empty() {
        "no error was named".to_owned()
    } else {
        told.join(", ")
    }
}
