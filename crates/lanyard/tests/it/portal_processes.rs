//! Gateway, external system (the portal or, in other worlds, the sidecar), wallet and mail catcher as four processes, each
//! of which can be killed and started again on what it has kept.

use std::fs;
use std::path::PathBuf;
use std::process::{ExitStatus, Output};

use connector::{
    Callback, ClientSecret, Connector, Dialect, Draft, Http, HttpOptions, Push, Settings,
    SigningKey,
};
use lanyard::browser::{Arrived, Browser};
use store::{Row, Statement};
use url::Url;

use crate::database::Database;
use crate::notify_here::NotifyHere;
use crate::operated::{CLIENT_ID, ORGANISATION, Operated, REDIRECT_URI, new_folder, write_private};
use crate::point::Points;
use crate::portal_files::{
    OTHER_PROGRAMME, PASSWORD, Place, by_smtp, portal_config, sidecar_config, staff, surname,
    with_portal,
};
use crate::portal_walk::{Scene, Walk, Walker};
use crate::process::Process;
use crate::said::Unsaid;

/// Who can be killed. Where the sidecar is the external system, it is what `Portal` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Gateway,
    Portal,
    Wallet,
    Mail,
}

impl Party {
    /// Mail first: what it misses comes while the others have their turn.
    pub(crate) const ALL: [Self; 4] = [Self::Mail, Self::Gateway, Self::Portal, Self::Wallet];
}

/// Which program the external system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Portal,
    /// Its host is whoever calls it.
    Sidecar,
}

/// How mails go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailWay {
    Smtp,
    /// The catcher is then in the test's own process, and lives on.
    Notify,
}

/// What differs between worlds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) system: System,
    pub(crate) mail: MailWay,
    /// Which client HR is, who gives everybody an identity: the external system itself, or another.
    pub(crate) hr: &'static str,
    /// Seconds after which a journey is over for the external system. Longer than any walk takes, so that none is
    /// settled under the feet of who walks it.
    pub(crate) journey_seconds: u32,
    /// Seconds after which whoever waited for an answer is taken for dead: longer than any answer takes.
    pub(crate) answer_seconds: u32,
    pub(crate) mails_a_minute: u32,
}

impl Plan {
    pub(crate) const PORTAL: Self = Self {
        system: System::Portal,
        mail: MailWay::Smtp,
        hr: CLIENT_ID,
        journey_seconds: 30,
        answer_seconds: 3,
        mails_a_minute: 30,
    };
}

/// The four, and the employees whom they know: `e0`, `e1`, and so on, each with one record and an identity in the wallet.
pub(crate) struct Processes {
    pub(crate) gateway: Operated,
    pub(crate) plan: Plan,
    /// By which the external system can be told where to die.
    pub(crate) points: Points,
    /// What opens the sidecar's API.
    pub(crate) api_key: String,
    portal_database: Database,
    portal: Process,
    wallet: Process,
    mail: Option<Process>,
    notify: Option<NotifyHere>,
    folder: PathBuf,
    pub(crate) scene: Scene,
}

impl Processes {
    /// Starts them, for so many employees.
    pub(crate) async fn start(database: Database, employees: usize) -> Self {
        Self::start_as(Plan::PORTAL, database, employees).await
    }

    pub(crate) async fn start_as(plan: Plan, database: Database, employees: usize) -> Self {
        let portal_database = another(&database).await;
        let mut gateway = Operated::prepare(database);
        let first = Url::parse(&gateway.base).unwrap().port().unwrap();
        let [portal_port, wallet_port, mail_port, smtp_port] = [1, 2, 3, 13].map(|n| first + n);
        let here = |port: u16| Url::parse(&format!("http://localhost:{port}")).unwrap();
        let portal_url = match plan.system {
            System::Portal => format!("https://localhost:{portal_port}"),
            System::Sidecar => here(portal_port).to_string(),
        };
        let config = with_portal(&gateway.config, &gateway.base, &portal_url, plan.hr);
        gateway.write_config(&config);
        gateway.write_keys();
        gateway.start();

        let folder = new_folder();
        fs::write(folder.join("authority.pem"), &gateway.certificate_authority).unwrap();
        write_private(&folder.join("client-secret"), &gateway.client_secret);
        write_private(&folder.join("password"), PASSWORD);
        fs::write(folder.join("staff.toml"), staff(&folder, employees)).unwrap();
        let notify = match plan.mail {
            MailWay::Smtp => None,
            MailWay::Notify => Some(NotifyHere::start(&folder, mail_port, smtp_port).await),
        };
        let place = Place {
            folder: &folder,
            gateway: &gateway,
            database: &portal_database,
            port: portal_port,
            plan,
            way_of_mails: notify
                .as_ref()
                .map_or_else(|| by_smtp(smtp_port), |notify| notify.way_of_mails(&folder)),
        };
        let (api_key, key_sha256) = sidecar::new_api_key().unwrap();
        let (name, config) = match plan.system {
            System::Portal => ("portal", portal_config(&place)),
            System::Sidecar => ("connector", sidecar_config(&place, &key_sha256)),
        };
        fs::write(folder.join("system.toml"), config).unwrap();

        let mut wallet = Process::new("wallet", &folder, &[wallet_port]);
        wallet.say(&["wallet", "serve"]);
        wallet.say_path("--wallet-data", &folder.join("wallet"));
        wallet.say(&["--port", &wallet_port.to_string()]);
        wallet.say_path("--certificate-authority", &folder.join("authority.pem"));
        for number in 0..employees {
            wallet.say(&["--holder", &format!("e{number}:Employee {number}")]);
        }
        let points = Points::at(folder.join("points"));
        let mut portal = Process::new(name, &folder, &[portal_port]);
        portal.say(&[name]);
        portal.say_path("--config", &folder.join("system.toml"));
        portal.set("LANYARD_POINTS", points.file());
        let mut mail = notify.is_none().then(|| {
            let mut mail = Process::new("mail", &folder, &[mail_port, smtp_port]);
            mail.say(&["mail"]);
            mail.say_path("--data", &folder.join("mail"));
            mail.say(&["--port", &mail_port.to_string()]);
            mail.say(&["--smtp-port", &smtp_port.to_string()]);
            mail
        });
        for process in [&mut wallet, &mut portal].into_iter().chain(&mut mail) {
            process.start();
        }
        let world = Self {
            scene: Scene {
                portal: portal_url.parse().unwrap(),
                wallet: here(wallet_port),
                mail: here(mail_port),
                certificate_authority: Some(gateway.certificate_authority.clone()),
            },
            gateway,
            plan,
            points,
            api_key,
            portal_database,
            portal,
            wallet,
            mail,
            notify,
            folder,
        };
        world.seed(employees).await.unwrap();
        world
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, party: Party) {
        match party {
            Party::Gateway => self.gateway.kill(),
            Party::Portal => self.portal.kill(),
            Party::Wallet => self.wallet.kill(),
            Party::Mail => self.mail.as_mut().expect("it is a process").kill(),
        }
    }

    /// Starts it again with the same folder and database.
    pub(crate) fn revive(&mut self, party: Party) {
        match party {
            Party::Gateway => self.gateway.start(),
            Party::Portal => self.portal.start(),
            Party::Wallet => self.wallet.start(),
            Party::Mail => self.mail.as_mut().expect("it is a process").start(),
        }
    }

    /// Whether the external system has died by itself, and if so how.
    pub(crate) fn portal_has_died(&mut self) -> Option<ExitStatus> {
        self.portal.has_ended()
    }

    /// How many messages Notify has taken, repeats included.
    pub(crate) fn taken_by_notify(&self) -> Option<usize> {
        self.notify.as_ref().map(NotifyHere::taken)
    }

    /// From now on, and until it dies, the mail server keeps each mail and hangs up without a word.
    pub(crate) async fn let_mail_hang_up(&self) {
        let address = self.scene.mail.join("/api/misbehave").unwrap();
        let client = lanyard::browser::plain_client(false, None).unwrap();
        let fault = serde_json::json!({"fault": "drop-before-answer"});
        let answer = client.post(address).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// This employee, with a browser.
    pub(crate) fn walk(&self, number: usize) -> Walk {
        let id = format!("e{number}");
        let who = Walker {
            username: id.clone(),
            password: PASSWORD.to_owned(),
            holder: id.clone(),
        };
        Walk::new(self.scene.clone(), who, &format!("{id}-programme")).unwrap()
    }

    /// Rows of the gateway's database, past the gateway.
    pub(crate) async fn gateway_rows(&self, select: &'static str) -> Vec<Row> {
        self.gateway.rows(Statement::new(select)).await
    }

    /// Rows of the portal's database, past the portal.
    pub(crate) async fn portal_rows(&self, select: &'static str) -> Vec<Row> {
        let store = self.portal_database.open().await;
        let rows = store.read(Statement::new(select)).await.unwrap();
        store.close().await;
        rows
    }

    /// Writes into the portal's database, past the portal: each statement changes one row.
    pub(crate) async fn write_to_portal(&self, statement: Statement) {
        let store = self.portal_database.open().await;
        store.write([statement.must_change(1)]).await.unwrap();
        store.close().await;
    }

    /// A command of the external system's, with its configuration, beside the process that runs. What it says of its work
    /// goes to the same log.
    pub(crate) fn beside(&self, verb: &[&str], more: &[&str]) -> Output {
        self.portal.beside(verb, more)
    }

    /// HR gives everybody an identity credential, through the gateway's front door.
    async fn seed(&self, employees: usize) -> anyhow::Result<()> {
        let gateway = &self.gateway;
        let settings = Settings {
            gateway: gateway.base.parse()?,
            dialect: Dialect::Plain,
            push: Push::Always,
            client_id: self.plan.hr.to_owned(),
            client_secret: ClientSecret::new(gateway.client_secret.as_str()),
            signing_key: Some(SigningKey::from_base64(&gateway.signing_key.to_base64())?),
            organisation_id: ORGANISATION.to_owned(),
            redirect_uri: REDIRECT_URI.parse()?,
        };
        let authority = gateway.certificate_authority.as_bytes();
        let http = Http::new(HttpOptions {
            certificate_authority: Some(authority.to_vec()),
            ..HttpOptions::default()
        })?;
        let hr = Connector::discover(settings, http).await?;
        for number in 0..employees {
            let draft = Draft::new("Identity")
                .claim("ID-LegalFirstName", "Employee")
                .claim("ID-LegalSurname", surname(number))
                .claim("ID-BirthDate", "1990-01-31")
                .claim("UniqueIdentifier", uuid::Uuid::new_v4().to_string());
            let started = hr.issue(draft).await?;
            let browser = Browser::new(REDIRECT_URI.parse()?, Some(authority), None)?;
            let Arrived::Page(page) = browser.open(&started.url).await? else {
                anyhow::bail!("the gateway shows no page")
            };
            let link = page.href("open-wallet").unwrap();
            let scanned = self.walk(number).scan_link(&link, true).await?;
            anyhow::ensure!(scanned.outcome == "received", "{scanned:?}");
            let Arrived::Back(query) = browser.reload(&page).await? else {
                anyhow::bail!("the page does not lead back")
            };
            hr.finish(started.pending, Callback::parse(&query)?).await?;
        }
        Ok(())
    }
}

impl Processes {
    /// What none of the processes may say, whatever is done to them (SEC-40).
    fn unsaid(&self) -> Unsaid {
        let mut unsaid = Unsaid::of_everybody();
        self.gateway.add_secrets(&mut unsaid);
        unsaid.add("an API key", &*self.api_key);
        unsaid.add("a name", "Walker");
        unsaid.add("a birth date", "1990-01-31");
        unsaid.add("a claim", OTHER_PROGRAMME);
        unsaid.add_wallet(&self.folder.join("wallet"));
        unsaid
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        let unsaid = self.unsaid();
        if !std::thread::panicking() {
            unsaid.is_nowhere_in(&self.gateway.log());
            unsaid.is_nowhere_at(self.gateway.metrics_port());
        }
        let all = [&mut self.portal, &mut self.wallet];
        for process in all.into_iter().chain(&mut self.mail) {
            process.end();
            if std::thread::panicking() {
                process.tell_the_end_of_the_log();
            } else {
                unsaid.is_nowhere_in(&process.log());
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A further database on the same engine.
pub(crate) async fn another(database: &Database) -> Database {
    if database.address().starts_with("sqlite:") {
        Database::sqlite()
    } else {
        Database::postgres().await.unwrap()
    }
}
