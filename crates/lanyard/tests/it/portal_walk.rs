//! An employee's walk through the staff portal, over plain HTTP: forms and links as they stand in the pages, a wallet
//! that is asked through its API, HR's office, and the mailbox. One method for each step; a step that meets a dead
//! process says so instead of ending the test, so that a test may kill one and go on.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use lanyard::browser::{Form, Page, Tag, exchange, form, plain_client, tags};
use lanyard::sandbox_file::{Employee, Urls};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// More redirects in a row than any step has.
const MOST_REDIRECTS: usize = 10;
/// How long what is done behind the pages may take: a revocation, a mail.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where everything is.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) portal: Url,
    pub(crate) wallet: Url,
    pub(crate) mail: Url,
    /// A certificate authority to trust besides the machine's own, as PEM.
    pub(crate) certificate_authority: Option<String>,
}

impl Scene {
    /// A sandbox's.
    pub(crate) fn of(urls: &Urls) -> Self {
        Self {
            portal: urls.portal.clone(),
            wallet: urls.wallet.clone(),
            mail: urls.mail.clone(),
            certificate_authority: None,
        }
    }

    fn client(&self) -> anyhow::Result<reqwest::Client> {
        let authority = self.certificate_authority.as_deref();
        plain_client(true, authority.map(str::as_bytes))
    }
}

/// Who walks.
#[derive(Clone)]
pub(crate) struct Walker {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) holder: String,
}

impl Walker {
    pub(crate) fn of(employee: &Employee) -> Self {
        Self {
            username: employee.username.clone(),
            password: employee.password.clone(),
            holder: employee.holder.clone(),
        }
    }
}

/// What the wallet says of a scan.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Scanned {
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    pub(crate) credentials: Vec<Held>,
}

impl Scanned {
    pub(crate) fn ended(&self, wanted: &str) -> anyhow::Result<()> {
        let reason = self.reason.as_deref().unwrap_or("no reason given");
        ensure!(
            self.outcome == wanted,
            "the scan {}: {reason}",
            self.outcome
        );
        Ok(())
    }
}

/// A credential in the wallet.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Held {
    #[serde(rename = "type")]
    pub(crate) credential_type: String,
    pub(crate) serial_number: Option<String>,
    pub(crate) status: String,
    pub(crate) claims: Value,
}

/// A mail as the catcher's API has it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) message_id: Option<String>,
}

/// One person with one browser and one wallet, on the way to one record's credential.
pub(crate) struct Walk {
    pub(crate) scene: Scene,
    pub(crate) who: Walker,
    pub(crate) record: String,
    pub(crate) client: reqwest::Client,
    /// Where the browser stands.
    page: Option<Page>,
}

impl Walk {
    pub(crate) fn new(scene: Scene, who: Walker, record: &str) -> anyhow::Result<Self> {
        Ok(Self {
            client: scene.client()?,
            scene,
            who,
            record: record.to_owned(),
            page: None,
        })
    }

    /// The page on which the browser stands.
    pub(crate) fn page(&self) -> anyhow::Result<&Page> {
        self.page.as_ref().context("the browser is on no page")
    }

    /// The page's address without its origin, and its name: what a failure has to say.
    pub(crate) fn whereabouts(&self) -> String {
        self.page.as_ref().map_or_else(
            || "no page".to_owned(),
            |page| format!("{} at {}", page.name(), page.url.path()),
        )
    }

    /// E1: the person logs in.
    pub(crate) async fn log_in(&mut self) -> anyhow::Result<()> {
        self.open("/login").await?;
        let form = self.form_with(|tag| attribute_is(tag, "name", "password"))?;
        let form = form
            .with("username", &self.who.username)
            .with("password", &self.who.password);
        self.send(&form).await?;
        ensure!(
            self.page()?.url.path() != "/login",
            "the portal did not let {} in",
            self.who.username
        );
        Ok(())
    }

    pub(crate) async fn log_out(&mut self) -> anyhow::Result<()> {
        self.open("/").await?;
        let form = self.form_with(|tag| attribute_is(tag, "action", "/logout"))?;
        self.send(&form).await
    }

    /// E3: the state of a record in the list, as the page tells it to programs.
    pub(crate) async fn state_of(&mut self, record: &str) -> anyhow::Result<String> {
        self.open("/credentials").await?;
        let id = format!("credential-{record}");
        let mut state = None;
        for tag in tags(&self.page()?.html) {
            state = tag.attribute("data-state").or(state);
            if attribute_is(&tag, "id", &id) {
                return state.with_context(|| format!("{record} has no state"));
            }
        }
        bail!("{record} is not in the list; {}", self.whereabouts())
    }

    /// The same for the walk's own record.
    pub(crate) async fn state(&mut self) -> anyhow::Result<String> {
        self.state_of(&self.record.clone()).await
    }

    /// Waits until the record is in one of these states: what the portal does behind its pages has been done.
    pub(crate) async fn wait_for_state(&mut self, wanted: &[&str]) -> anyhow::Result<String> {
        let began = Instant::now();
        loop {
            let state = self.state().await?;
            if wanted.contains(&state.as_str()) {
                return Ok(state);
            }
            ensure!(
                began.elapsed() < PATIENCE,
                "the state stays {state} and never is one of {wanted:?}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// E5: the person says that the old copy is gone.
    pub(crate) async fn say_that_the_old_copy_is_gone(&mut self) -> anyhow::Result<()> {
        self.open(&format!("/credentials/{}/again", self.record))
            .await?;
        let form = self.form_with(|tag| attribute_is(tag, "name", "deleted"))?;
        let yes = tags(&self.page()?.html)
            .filter(|tag| attribute_is(tag, "name", "deleted"))
            .find_map(|tag| tag.attribute("value"))
            .context("there is nothing to choose")?;
        self.send(&form.with("deleted", &yes)).await
    }

    /// E6: the person sees exactly what the credential will say, and confirms it.
    pub(crate) async fn confirm(&mut self) -> anyhow::Result<()> {
        let path = format!("/credentials/{}/confirm", self.record);
        self.open(&path).await?;
        ensure!(
            self.page()?.url.path() == path,
            "asked to confirm, the portal shows {}",
            self.whereabouts()
        );
        self.press("confirm").await
    }

    /// E7: to the gateway, for the identity.
    pub(crate) async fn begin_to_verify(&mut self) -> anyhow::Result<()> {
        if !self.has("verify-identity") {
            self.open("/identity").await?;
        }
        self.press("verify-identity").await?;
        self.stands_at_the_gateway()
    }

    /// To the gateway, for the credential.
    pub(crate) async fn begin_to_add(&mut self) -> anyhow::Result<()> {
        self.press("add-to-wallet").await?;
        self.stands_at_the_gateway()
    }

    /// The wallet takes the link that the gateway's page shows, and its holder says yes.
    pub(crate) async fn scan(&self) -> anyhow::Result<Scanned> {
        let page = self.page()?;
        let link = page
            .href("open-wallet")
            .with_context(|| format!("{} has no wallet link", page.name()))?;
        self.scan_link(&link, true).await
    }

    /// The wallet takes a link, and its holder says yes or no.
    pub(crate) async fn scan_link(&self, link: &str, consent: bool) -> anyhow::Result<Scanned> {
        let path = format!("/api/holders/{}/scan", self.who.holder);
        let body = json!({"link": link, "consent": consent});
        let scanned = ask(
            &self.client,
            Method::POST,
            &self.scene.wallet,
            &path,
            Some(body),
        )
        .await?;
        Ok(serde_json::from_value(scanned)?)
    }

    /// The page is loaded again, as a person does who is told to.
    pub(crate) async fn reload(&mut self) -> anyhow::Result<()> {
        let address = self.page()?.url.clone();
        self.go(Method::GET, address, None).await
    }

    /// E9: the person goes on once the wallet is done, and stands in the portal again.
    pub(crate) async fn come_back(&mut self) -> anyhow::Result<()> {
        self.reload().await?;
        let page = self.page()?;
        ensure!(
            page.url.origin() == self.scene.portal.origin(),
            "the browser is not back: {}",
            self.whereabouts()
        );
        Ok(())
    }

    /// E7 and E8 in one: the identity is verified.
    pub(crate) async fn verify(&mut self) -> anyhow::Result<()> {
        self.begin_to_verify().await?;
        let scanned = self.scan().await?;
        scanned.ended("presented")?;
        self.come_back().await?;
        ensure!(
            self.page()?.url.path() == "/identity/done",
            "verified, the portal shows {}",
            self.whereabouts()
        );
        Ok(())
    }

    /// E10: the credential is in the wallet; its serial number as the wallet has it.
    pub(crate) async fn add(&mut self) -> anyhow::Result<String> {
        self.begin_to_add().await?;
        let scanned = self.scan().await?;
        scanned.ended("received")?;
        self.come_back().await?;
        let wanted = format!("/credentials/{}/added", self.record);
        ensure!(
            self.page()?.url.path() == wanted && self.has("added-when"),
            "added, the portal shows {}",
            self.whereabouts()
        );
        let received = scanned.credentials.into_iter().next();
        received
            .and_then(|held| held.serial_number)
            .context("the wallet received nothing")
    }

    /// HR writes something else into one field of the record.
    pub(crate) async fn hr_saves(&mut self, field: &str, value: &str) -> anyhow::Result<()> {
        self.open_hr().await?;
        let form = self.form_with(|tag| attribute_is(tag, "id", "save"))?;
        ensure!(
            form.fields.iter().any(|(name, _)| name == field),
            "the record has no field {field}"
        );
        self.send(&form.with(field, value)).await
    }

    /// HR ends the record today.
    pub(crate) async fn hr_ends(&mut self) -> anyhow::Result<()> {
        self.open_hr().await?;
        self.press("end").await
    }

    /// HR deletes the record.
    pub(crate) async fn hr_deletes(&mut self) -> anyhow::Result<()> {
        self.open_hr().await?;
        self.press("delete").await
    }

    /// What HR's form says in a field.
    pub(crate) async fn value_at_hr(&mut self, field: &str) -> anyhow::Result<String> {
        self.open_hr().await?;
        let form = self.form_with(|tag| attribute_is(tag, "id", "save"))?;
        let found = form.fields.into_iter().find(|(name, _)| name == field);
        let (_, value) = found.with_context(|| format!("the record has no field {field}"))?;
        Ok(value)
    }

    async fn open_hr(&mut self) -> anyhow::Result<()> {
        self.open(&format!("/hr/records/{}", self.record)).await
    }

    /// What the holder has, with the status that a verifier would see.
    pub(crate) async fn held(&self) -> anyhow::Result<Vec<Held>> {
        let path = format!("/api/holders/{}/credentials", self.who.holder);
        let held = ask(&self.client, Method::GET, &self.scene.wallet, &path, None).await?;
        Ok(serde_json::from_value(held)?)
    }

    /// The status of one held credential.
    pub(crate) async fn status(&self, serial_number: &str) -> anyhow::Result<String> {
        let held = self.held().await?;
        let found = held
            .into_iter()
            .find(|held| held.serial_number.as_deref() == Some(serial_number));
        Ok(found.context("the wallet does not hold it")?.status)
    }

    /// Every mail that was caught, oldest first.
    pub(crate) async fn mails(&self) -> anyhow::Result<Vec<Mail>> {
        let mails = ask(
            &self.client,
            Method::GET,
            &self.scene.mail,
            "/api/messages",
            None,
        )
        .await?;
        Ok(serde_json::from_value(mails)?)
    }

    /// Waits until so many mails have come, and gives all there are.
    pub(crate) async fn wait_for_mails(&self, count: usize) -> anyhow::Result<Vec<Mail>> {
        let began = Instant::now();
        loop {
            let mails = self.mails().await?;
            if mails.len() >= count {
                return Ok(mails);
            }
            ensure!(
                began.elapsed() < PATIENCE,
                "{} mails came, not {count}",
                mails.len()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Opens a page of the portal.
    pub(crate) async fn open(&mut self, path: &str) -> anyhow::Result<()> {
        let address = self.scene.portal.join(path)?;
        self.go(Method::GET, address, None).await
    }

    /// Whether the page has an element of this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        let html = self.page.as_ref().map_or("", |page| page.html.as_str());
        tags(html).any(|tag| attribute_is(&tag, "id", id))
    }

    /// Presses the button of this id, or follows the link that looks like one.
    pub(crate) async fn press(&mut self, id: &str) -> anyhow::Result<()> {
        if let Some(href) = self.page()?.href(id) {
            let address = self.page()?.url.join(&href)?;
            return self.go(Method::GET, address, None).await;
        }
        let form = self.form_with(|tag| attribute_is(tag, "id", id))?;
        self.send(&form).await
    }

    pub(crate) fn form_with(&self, is_wanted: impl Fn(&Tag<'_>) -> bool) -> anyhow::Result<Form> {
        form(&self.page()?.html, is_wanted)
            .with_context(|| format!("the form is not there: {}", self.whereabouts()))
    }

    /// Sends a form of the page, as it is.
    pub(crate) async fn send(&mut self, form: &Form) -> anyhow::Result<()> {
        let address = self.page()?.url.join(&form.action)?;
        self.go(Method::POST, address, Some(&form.fields)).await
    }

    fn stands_at_the_gateway(&self) -> anyhow::Result<()> {
        ensure!(
            self.page()?.href("open-wallet").is_some(),
            "this is not the gateway's page: {}",
            self.whereabouts()
        );
        Ok(())
    }

    /// Goes somewhere, and on to wherever that leads.
    async fn go(
        &mut self,
        method: Method,
        address: Url,
        fields: Option<&[(String, String)]>,
    ) -> anyhow::Result<()> {
        let (mut method, mut address, mut fields) = (method, address, fields);
        for _ in 0..MOST_REDIRECTS {
            let mut request = self
                .client
                .request(method, address.clone())
                .header("accept", "text/html");
            if let Some(fields) = fields.take() {
                request = request
                    .header("origin", address.origin().ascii_serialization())
                    .form(fields);
            }
            let answer = exchange(&self.client, request.build()?, None).await?;
            let location = answer.headers.iter().find(|(name, _)| name == "location");
            match location {
                Some((_, location)) if (300..400).contains(&answer.status) => {
                    address = address.join(location)?;
                    method = Method::GET;
                }
                _ => {
                    self.page = Some(Page {
                        url: address,
                        status: answer.status,
                        html: answer.body,
                    });
                    return Ok(());
                }
            }
        }
        bail!("more than {MOST_REDIRECTS} redirects in a row")
    }
}

fn attribute_is(tag: &Tag<'_>, name: &str, value: &str) -> bool {
    tag.attribute(name).is_some_and(|found| found == value)
}

/// A question to an API.
async fn ask(
    client: &reqwest::Client,
    method: Method,
    base: &Url,
    path: &str,
    body: Option<Value>,
) -> anyhow::Result<Value> {
    let mut request = client.request(method, base.join(path)?);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = exchange(client, request.build()?, None).await?;
    ensure!(
        answer.status == 200,
        "{path} answered {}: {}",
        answer.status,
        answer.body
    );
    serde_json::from_str(&answer.body).with_context(|| format!("{path} did not answer with JSON"))
}
