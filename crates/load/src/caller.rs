//! One employee at a time: a relying party's server, a browser and a wallet, and what they do together.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::browser::{self, Browser};
use crate::http::Connection;
use crate::party::{Pending, RelyingParty};
use crate::plan::Server;
use crate::record::{Endpoint, Record};
use crate::wallet::{Known, Wallet};

/// The type that is presented.
pub const IDENTITY: &str = "Identity";
/// The type that is issued.
const FIRE_SAFETY: &str = "FireSafety";

/// Three connections that stay open: the relying party's, the browser's, the wallet's.
pub struct Caller {
    party: Arc<RelyingParty>,
    back_channel: Connection,
    browser: Browser,
    wallet: Wallet,
    drafts: Arc<Drafts>,
    /// What its requests took.
    pub record: Record,
}

/// What the relying party issues.
pub struct Drafts {
    identity: Map<String, Value>,
    fire_safety: Map<String, Value>,
}

/// A verification or an issue that only waits for its token to be collected.
pub struct Coded {
    pending: Pending,
    code: String,
}

/// A page that waits for a wallet.
pub struct Page {
    pending: Pending,
    /// Its own address.
    pub place: String,
    /// Where the QR code leads.
    link: String,
}

impl Caller {
    /// Nobody yet.
    pub fn new(
        server: &Server,
        party: Arc<RelyingParty>,
        known: Arc<Known>,
        drafts: Arc<Drafts>,
        record: Record,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            party,
            back_channel: Connection::new(&server.addresses, &server.origin)?,
            browser: Browser::new(server)?,
            wallet: Wallet::new(server, known)?,
            drafts,
            record,
        })
    }

    /// Gets the identity credential that is presented from now on; gives its serial number.
    pub async fn enrol(&mut self) -> anyhow::Result<Uuid> {
        let drafts = self.drafts.clone();
        let page = self
            .page("openid issue.Identity", Some(&drafts.identity))
            .await?;
        let serial_number = page.pending.serial_number;
        let coded = self.receive(page, true).await?;
        self.collect(coded).await?;
        serial_number.context("nothing was drafted")
    }

    /// Push, page, presentation, token.
    pub async fn verify(&mut self) -> anyhow::Result<()> {
        let coded = self.verified().await?;
        self.collect(coded).await
    }

    /// Push with a draft, page, credential, token.
    pub async fn issue(&mut self) -> anyhow::Result<()> {
        let drafts = self.drafts.clone();
        let scope = format!("openid issue.{FIRE_SAFETY}");
        let page = self.page(&scope, Some(&drafts.fire_safety)).await?;
        let coded = self.receive(page, false).await?;
        self.collect(coded).await
    }

    /// A verification up to the code.
    pub async fn verified(&mut self) -> anyhow::Result<Coded> {
        let page = self.page(&format!("openid {IDENTITY}"), None).await?;
        self.wallet.present(&mut self.record, &page.link).await?;
        self.lead_back(page).await
    }

    /// A verification up to the wallet's answer: whether it was refused because the credential is revoked.
    pub async fn is_refused(&mut self) -> anyhow::Result<bool> {
        let page = self.page(&format!("openid {IDENTITY}"), None).await?;
        let answer = self.wallet.answered(&mut self.record, &page.link).await?;
        if answer.status == 200 {
            return Ok(false);
        }
        let said = answer.with(400, "the verifier")?.json()?;
        anyhow::ensure!(
            said["code"] == "credential-revoked",
            "the verifier refuses for another reason: {said}"
        );
        Ok(true)
    }

    /// A pushed request, and nobody comes.
    pub async fn push(&mut self) -> anyhow::Result<()> {
        let scope = format!("openid {IDENTITY}");
        self.party
            .push(&mut self.back_channel, &mut self.record, &scope, None)
            .await
            .map(drop)
    }

    /// One code for one token.
    pub async fn collect(&mut self, coded: Coded) -> anyhow::Result<()> {
        self.party
            .redeem(
                &mut self.back_channel,
                &mut self.record,
                &coded.pending,
                &coded.code,
            )
            .await
            .map(drop)
    }

    /// A login at a provider that asks nobody: the browser follows wherever it is sent until it is back.
    pub async fn login(&mut self) -> anyhow::Result<()> {
        self.browser.forget();
        let pending = self
            .party
            .push(&mut self.back_channel, &mut self.record, "openid", None)
            .await?;
        let mut place = pending.address.clone();
        let mut endpoint = Endpoint::Authorize;
        for _ in 0..5 {
            let answer = self
                .browser
                .open(&mut self.record, endpoint, &place)
                .await?;
            let answer = answer.with(303, &place)?;
            answer.location()?.clone_into(&mut place);
            endpoint = Endpoint::Login;
            if place.starts_with(self.party.redirect_uri()) {
                let code = pending.code(&place)?;
                return self.collect(Coded { pending, code }).await;
            }
        }
        anyhow::bail!("the login goes round in a circle at {place}")
    }

    /// A new person's browser opens the page of a new interaction.
    pub async fn page(
        &mut self,
        scope: &str,
        draft: Option<&Map<String, Value>>,
    ) -> anyhow::Result<Page> {
        self.browser.forget();
        let pending = self
            .party
            .push(&mut self.back_channel, &mut self.record, scope, draft)
            .await?;
        let (place, link) = opened(&mut self.browser, &mut self.record, &pending).await?;
        Ok(Page {
            pending,
            place,
            link,
        })
    }

    /// The address of the waiting page of a new verification, opened in that browser.
    pub async fn page_in(&mut self, browser: &mut Browser) -> anyhow::Result<String> {
        let scope = format!("openid {IDENTITY}");
        let pending = self
            .party
            .push(&mut self.back_channel, &mut self.record, &scope, None)
            .await?;
        Ok(opened(browser, &mut self.record, &pending).await?.0)
    }

    async fn receive(&mut self, page: Page, keep: bool) -> anyhow::Result<Coded> {
        self.wallet
            .receive(&mut self.record, &page.link, keep)
            .await?;
        self.lead_back(page).await
    }

    /// The page's script hears that the wallet is done, and the page leads back.
    async fn lead_back(&mut self, page: Page) -> anyhow::Result<Coded> {
        let status = format!("{}/status", page.place);
        let answer = self
            .browser
            .open(&mut self.record, Endpoint::Status, &status)
            .await?;
        let state = answer.with(200, "the status")?.json()?;
        anyhow::ensure!(state["state"] == "done", "the page says {state}");
        let answer = self
            .browser
            .open(&mut self.record, Endpoint::Back, &page.place)
            .await?;
        let answer = answer.with(303, "the page of a finished interaction")?;
        let code = page.pending.code(answer.location()?)?;
        Ok(Coded {
            pending: page.pending,
            code,
        })
    }
}

/// Follows the push into the browser: the interaction's address, and the link of its code.
async fn opened(
    browser: &mut Browser,
    record: &mut Record,
    pending: &Pending,
) -> anyhow::Result<(String, String)> {
    let answer = browser
        .open(record, Endpoint::Authorize, &pending.address)
        .await?;
    let answer = answer.with(303, "the authorization endpoint")?;
    let mut place = answer.location()?.to_owned();
    // A browser that is new there comes once more, with its cookie.
    if !place.starts_with("/interaction/") {
        let again = browser.open(record, Endpoint::Authorize, &place).await?;
        let again = again.with(303, "the authorization endpoint")?;
        again.location()?.clone_into(&mut place);
    }
    let page = browser.open(record, Endpoint::Page, &place).await?;
    let page = page.with(200, "the page")?;
    let link = browser::link(&page.body, "open-wallet")?;
    Ok((place, link))
}

impl Drafts {
    /// Of an invented employee.
    pub fn new() -> Self {
        let unique_identifier = "7f6c1f0e-3b0a-4f44-9a53-0f8a1c5d2e77";
        let claims = |pairs: &[(&str, &str)]| {
            let unique_identifier = [("UniqueIdentifier", unique_identifier)];
            let pairs = pairs.iter().chain(&unique_identifier);
            pairs
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                .collect()
        };
        Self {
            identity: claims(&[
                ("ID-LegalFirstName", "Alex"),
                ("ID-LegalSurname", "Morgan"),
                ("ID-BirthDate", "1988-04-12"),
            ]),
            fire_safety: claims(&[
                ("FS-StatMandSubject", "Fire safety"),
                ("FS-Level", "1"),
                ("FS-AttainmentStatus", "ACHIEVED"),
                ("FS-CompetencyFramework", "CSTF"),
                ("FS-CompetencyName", "Fire safety level 1"),
                ("FS-LastDateAwarded", "2026-11-01"),
                ("FS-RenewalPeriod", "3"),
                ("FS-Units", "Year"),
                ("FS-LearningMethod", "elearning"),
                ("FS-DateTo", "2036-01-01"),
                ("FS-Origin", "elfh Hub"),
                ("FS-AssurancePolicy", "CSTF"),
                ("FS-AssuranceOutcome", "Evidence of completion of topic"),
                ("FS-Provider", "Anytown"),
                ("FS-Verifier", "Anytown"),
                ("FS-VerificationMethod", "elearning completion"),
                ("FS-LastRefresh", "2026-11-01"),
            ]),
        }
    }
}
