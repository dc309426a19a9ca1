//! An external system that has a sidecar, and its employee: what docs/integrate/sidecar.md asks of a host, with a host's
//! answer to a sidecar that dies. It asks again, and if that does not help begins again where the state says that it is.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use lanyard::browser::{Arrived, Browser};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::operated::REDIRECT_URI;
use crate::point_walker::PointWalker;
use crate::portal_files::{OTHER_PROGRAMME, PROGRAMME, claims, surname};
use crate::portal_processes::Processes;
use crate::portal_walk::Walk;

/// How long a host tries to get something done.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long it waits before it tries again.
const PAUSE: Duration = Duration::from_millis(100);

/// One employee with one record, logged in at a host.
pub(crate) struct HostedPerson {
    /// The employee's wallet and mailbox; of the host's pages there are none.
    walk: Walk,
    browser: Browser,
    api: Url,
    api_key: String,
    client: reqwest::Client,
    session: String,
    number: usize,
    stumbles: Vec<String>,
}

/// What the sidecar said.
struct Said {
    status: u16,
    body: Value,
}

impl Said {
    fn text(&self, member: &str) -> anyhow::Result<&str> {
        let Self { status, body } = self;
        let text = body[member].as_str();
        text.with_context(|| format!("no `{member}` in {status} {body}"))
    }
}

impl PointWalker for HostedPerson {
    fn new(world: &Processes, number: usize) -> Self {
        let authority = world.scene.certificate_authority.as_deref();
        let redirect_uri = REDIRECT_URI.parse().unwrap();
        Self {
            walk: world.walk(number),
            browser: Browser::new(redirect_uri, authority.map(str::as_bytes), None).unwrap(),
            api: world.scene.portal.clone(),
            api_key: world.api_key.clone(),
            client: lanyard::browser::plain_client(false, None).unwrap(),
            session: Uuid::new_v4().to_string(),
            number,
            stumbles: Vec::new(),
        }
    }

    /// The host's log-in, of which a sidecar hears nothing.
    async fn arrive(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    async fn add(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match self.try_to_add().await {
                Ok(()) => return Ok(()),
                Err(error) => self.stumbles.push(format!("{error:#}")),
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the credential never was added: {:?}", self.stumbles)
    }

    /// What a host tells until it is taken.
    async fn lose(&mut self) -> anyhow::Result<()> {
        let told = json!({
            "change": "changed", "record": self.walk.record, "credential_type": "TrainingProgramme",
            "claims": claims(OTHER_PROGRAMME).collect::<std::collections::BTreeMap<_, _>>(),
        });
        let began = Instant::now();
        while let Err(error) = self.ask("changes", &told, 200).await {
            ensure!(
                began.elapsed() < PATIENCE,
                "a change is not taken: {error:#}"
            );
            self.stumbles.push(format!("{error:#}"));
            tokio::time::sleep(PAUSE).await;
        }
        let to = format!("e{}@anytown.example", self.number);
        while !self.walk.mails().await?.iter().any(|mail| mail.to == to) {
            ensure!(began.elapsed() < PATIENCE, "no mail came to {to}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    fn expect_trouble(&mut self) {}

    fn stumbles(&self) -> &[String] {
        &self.stumbles
    }
}

impl HostedPerson {
    /// From where the employee is to a credential in the wallet, if nothing goes wrong.
    async fn try_to_add(&mut self) -> anyhow::Result<()> {
        match self.state().await?.as_str() {
            "added" => return Ok(()),
            "checking" => bail!("it is being looked into"),
            _ => {}
        }
        let employee = format!("e{}", self.number);
        let record = self.record();
        let confirmed = json!({ "employee": employee, "record": record });
        self.ask("confirmations", &confirmed, 201).await?;
        self.verify(&employee).await?;
        let asked = json!({ "session": self.session, "employee": employee, "record": record });
        let mut started = self.post("issuings", &asked).await?;
        if started.body["code"] == "answer-about-old-copy" {
            let gone =
                json!({ "employee": employee, "record": self.walk.record, "answer": "deleted" });
            self.ask("old-copies", &gone, 204).await?;
            started = self.post("issuings", &asked).await?;
        }
        self.visit(started.text("url")?, &employee).await?;
        let state = self.state().await?;
        ensure!(state == "added", "back from the gateway it is {state}");
        Ok(())
    }

    /// Once for each session.
    async fn verify(&self, employee: &str) -> anyhow::Result<()> {
        let of = json!({ "session": self.session, "employee": employee });
        let standing = self.ask("sessions/standing", &of, 200).await?;
        if standing.body["verified_at"].is_string() {
            return Ok(());
        }
        let asked = json!({
            "session": self.session,
            "employee": {
                "id": employee, "first_names": "Employee", "surname": surname(self.number),
                "date_of_birth": "1990-01-31", "email": format!("{employee}@anytown.example"),
            },
        });
        let started = self.ask("verifications", &asked, 201).await?;
        self.visit(started.text("url")?, employee).await
    }

    /// To the gateway and back.
    async fn visit(&self, url: &str, employee: &str) -> anyhow::Result<()> {
        let Arrived::Page(page) = self.browser.open(&url.parse()?).await? else {
            bail!("the gateway shows no page")
        };
        let link = page.href("open-wallet").context("no wallet link")?;
        self.walk.scan_link(&link, true).await?;
        let Arrived::Back(query) = self.browser.reload(&page).await? else {
            bail!("the gateway's page does not lead back")
        };
        let told = json!({ "session": self.session, "employee": employee, "query": query });
        self.ask("callbacks", &told, 200).await?;
        Ok(())
    }

    async fn state(&self) -> anyhow::Result<String> {
        let asked = json!({
            "employee": format!("e{}", self.number), "records": [{ "id": self.walk.record }],
        });
        let answer = self.ask("states", &asked, 200).await?;
        let state = answer.body["states"][0]["state"].as_str();
        Ok(state.context("no state")?.to_owned())
    }

    fn record(&self) -> Value {
        json!({
            "id": self.walk.record, "credential_type": "TrainingProgramme", "label": "Training programme",
            "claims": claims(PROGRAMME).collect::<std::collections::BTreeMap<_, _>>(),
        })
    }

    async fn ask(&self, verb: &str, body: &Value, wanted: u16) -> anyhow::Result<Said> {
        let said = self.post(verb, body).await?;
        ensure!(
            said.status == wanted,
            "{verb} answered {} {}",
            said.status,
            said.body
        );
        Ok(said)
    }

    /// With a key of its own. What no answer came to is asked once more under the same key, as the page on the sidecar
    /// says; if whoever had it has died over it, the host asks anew.
    async fn post(&self, verb: &str, body: &Value) -> anyhow::Result<Said> {
        let key = Uuid::new_v4().to_string();
        if let Ok(said) = self.send(verb, body, &key).await {
            return Ok(said);
        }
        tokio::time::sleep(PAUSE).await;
        let again = self.send(verb, body, &key).await?;
        if again.body["code"] == "idempotency-key-in-use" {
            return self.send(verb, body, &Uuid::new_v4().to_string()).await;
        }
        Ok(again)
    }

    async fn send(&self, verb: &str, body: &Value, key: &str) -> anyhow::Result<Said> {
        let url = self.api.join(&format!("/v1/{verb}"))?;
        let request = self.client.post(url).bearer_auth(&self.api_key);
        let answer = request.header("Idempotency-Key", key).json(body).send();
        let answer = answer.await?;
        Ok(Said {
            status: answer.status().as_u16(),
            body: serde_json::from_str(&answer.text().await?).unwrap_or(Value::Null),
        })
    }
}
