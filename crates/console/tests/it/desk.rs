//! A console over a real gateway with a database of its own, operators, and browsers that keep cookies and read pages.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use gateway::admin::Role;
use gateway::clock::{Clock, Shift};
use gateway::config::{AdminConfig, OrganisationConfig, RelyingPartyConfig};
use gateway::operator::NewOperator;
use gateway::operator::desk::Desk as OperatorDesk;
use gateway::organisation::dialect::Dialect;
use gateway::random::Random;
use gateway::{Config, Gateway, Surroundings};
use jiff::SignedDuration;
use tower::ServiceExt as _;

use crate::database::Database;
use crate::key_folder::create_keys;
use crate::said::{self, Unsaid};

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct Desk {
    pub(crate) gateway: Gateway,
    pub(crate) router: Router,
    clock: Clock,
    shift: Shift,
    ahead: Mutex<SignedDuration>,
    folder: PathBuf,
    /// What opens something, and is said nowhere (SEC-40).
    secrets: Secrets,
    _database: Database,
}

/// What operators and their browsers have got so far.
type Secrets = Arc<Mutex<Vec<(&'static str, String)>>>;

/// Somebody with an authenticator.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) secret: String,
    pub(crate) recovery_codes: Vec<String>,
    pub(crate) browser: Browser,
}

impl Desk {
    pub(crate) async fn start(database: Database) -> Self {
        Self::start_over(database, false).await
    }

    /// Reached over https, or not.
    pub(crate) async fn start_over(database: Database, secure: bool) -> Self {
        said::listen();
        let folder = std::env::temp_dir().join(format!("lanyard-console-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let public: url::Url = "http://localhost:8400".parse().unwrap();
        let secret = "sandbox-Zm9yIHRlc3RzIG9ubHksIHNob3J0Lg";
        let mut config = Config::sandboxed(public, &folder, secret);
        config.database = database.address();
        config.traces = said::traced();
        config.admin = Some(AdminConfig {
            listen: "127.0.0.1:8410".parse().unwrap(),
            console: true,
            public_url: None,
        });
        config.organisations = ["anytown", "elsewhere"].map(organisation).into();
        create_keys(&config);
        let (clock, shift) = Clock::shifted();
        let surroundings = Surroundings {
            clock: clock.clone(),
            sandbox: true,
            ..Surroundings::production()
        };
        let gateway = Gateway::compose(&config, surroundings).await.unwrap();
        let tells = clock.clone();
        let settings = console::Settings {
            brand: Arc::clone(&gateway.app().brand),
            secure,
            address_header: None,
            clock: Arc::new(move || tells.now()),
        };
        Self {
            router: console::router(gateway.admin_router(), settings),
            gateway,
            clock,
            shift,
            ahead: Mutex::new(SignedDuration::ZERO),
            folder,
            secrets: Arc::new(Mutex::new(vec![("a secret", secret.to_owned())])),
            _database: database,
        }
    }

    /// Time passes.
    pub(crate) fn later(&self, by: SignedDuration) {
        let mut ahead = self.ahead.lock().unwrap();
        *ahead += by;
        self.shift.set(*ahead);
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            secrets: Arc::clone(&self.secrets),
            cookies: BTreeMap::new(),
            page: Page::default(),
        }
    }

    /// An operator and its token.
    pub(crate) async fn operator(&self, new: NewOperator<'_>) -> (String, String) {
        let app = self.gateway.app();
        let random = Random::system();
        let desk = OperatorDesk {
            store: &app.store,
            random: &random,
            account: "test",
            now: app.now(),
        };
        let token = desk.add(&new, None).await.unwrap();
        self.secrets
            .lock()
            .unwrap()
            .push(("a token", token.clone()));
        let id = desk.id_of(new.name, new.organisation).await.unwrap();
        (id, token)
    }

    /// Another token of somebody's, as the machine's command makes it.
    pub(crate) async fn token_of(&self, name: &str) -> String {
        let app = self.gateway.app();
        let random = Random::system();
        let desk = OperatorDesk {
            store: &app.store,
            random: &random,
            account: "test",
            now: app.now(),
        };
        desk.new_token(name, None, None).await.unwrap()
    }

    /// Forgets how somebody signs in, as the machine's command does.
    pub(crate) async fn reset(&self, name: &str) {
        let app = self.gateway.app();
        let random = Random::system();
        let desk = OperatorDesk {
            store: &app.store,
            random: &random,
            account: "test",
            now: app.now(),
        };
        desk.reset_sign_in(name, None).await.unwrap();
    }

    /// Neither log nor trace nor figure may say these from here on.
    pub(crate) fn keep_unsaid(&self, what: &'static str, values: &[String]) {
        let mut secrets = self.secrets.lock().unwrap();
        secrets.extend(values.iter().map(|value| (what, value.clone())));
    }

    /// What an authenticator shows now.
    pub(crate) fn code(&self, secret: &str) -> String {
        gateway::operator::code_of(secret, self.clock.now()).unwrap()
    }

    /// Somebody who has set up a password and an authenticator, and is logged in.
    pub(crate) async fn person(
        &self,
        name: &str,
        role: Role,
        organisation: Option<&str>,
    ) -> Person {
        let new = NewOperator {
            name,
            role,
            organisation,
            person: None,
            break_glass: false,
        };
        let (id, token) = self.operator(new).await;
        let mut browser = self.browser();
        browser.get("/console/set-up").await.expect(200);
        let typed = [
            ("token", token.as_str()),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        let page = browser
            .post("/console/set-up", &typed)
            .await
            .expect(200)
            .clone();
        let secret = page.secret();
        let code = self.code(&secret);
        let page = browser
            .post("/console/set-up/confirm", &[("code", &code)])
            .await
            .expect(200);
        let codes = page.html.split("<li class=\"lanyard-typed\">").skip(1);
        let recovery_codes: Vec<_> = codes.map(|rest| rest[..19].to_owned()).collect();
        let codes = recovery_codes
            .iter()
            .map(|code| ("a recovery code", code.clone()));
        let mut secrets = self.secrets.lock().unwrap();
        secrets.extend(codes.chain([("an authenticator's secret", secret.clone())]));
        drop(secrets);
        Person {
            id,
            token,
            secret,
            recovery_codes,
            browser,
        }
    }

    /// How often that act stands in the audit.
    pub(crate) async fn entries(&self, act: &str) -> usize {
        let question = gateway::audit::Question {
            act: Some(act),
            limit: 500,
            ..Default::default()
        };
        let app = self.gateway.app();
        gateway::audit::list(&app.store, &question)
            .await
            .unwrap()
            .0
            .len()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let mut unsaid = Unsaid::of_everybody();
        for (what, secret) in self.secrets.lock().unwrap().iter() {
            unsaid.add(what, secret);
        }
        unsaid.is_in_no_figure(self.gateway.metrics_router());
        unsaid.was_not_said();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn organisation(id: &str) -> OrganisationConfig {
    OrganisationConfig {
        id: id.to_owned(),
        name: format!("{id} NHS Trust"),
        did: None,
        brand: None,
        certificate_chains: Vec::new(),
        fetch_hosts: None,
        registered: false,
        issues: vec!["FireSafety".to_owned()],
        trust: Vec::new(),
        relying_parties: vec![RelyingPartyConfig {
            client_secret_sha256: vec!["00".repeat(32)],
            redirect_uris: vec!["https://staff.example/callback".to_owned()],
            ..RelyingPartyConfig::new(format!("{id}-staff"), "Staff services", Dialect::Plain)
        }],
    }
}

/// A browser without JavaScript.
pub(crate) struct Browser {
    router: Router,
    secrets: Secrets,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) page: Page,
}

/// What it shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Page {
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.html);
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.html.contains(text), "{text}: {}", self.html);
        self
    }

    /// Where it leads.
    #[track_caller]
    pub(crate) fn leads_to(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.html);
        self.headers["location"].to_str().unwrap().to_owned()
    }

    /// The secret of a new authenticator, as it is typed over; nothing where the page does not show it.
    pub(crate) fn secret(&self) -> String {
        let found = self.html.split("id=\"secret-text\">").nth(1);
        let grouped = found.and_then(|rest| rest.split('<').next());
        grouped.unwrap_or_default().replace(' ', "")
    }

    /// The value of a hidden field; nothing where there is none.
    pub(crate) fn value(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let found = self.html.split(&mark).nth(1);
        let value = found
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default();
        value.replace("&#38;", "&").replace("&amp;", "&")
    }
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> &Page {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Sends the form of the page that is open, with its hidden fields and what is typed.
    pub(crate) async fn post(&mut self, path: &str, typed: &[(&str, &str)]) -> &Page {
        let hidden = ["csrf", "to", "set_up", "once"];
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for name in hidden {
            let value = self.page.value(name);
            if !value.is_empty() && !typed.iter().any(|(known, _)| *known == name) {
                form.append_pair(name, &value);
            }
        }
        form.extend_pairs(typed);
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("host", "127.0.0.1:8410")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.finish()))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn send(&mut self, mut request: Request<Body>) -> &Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request
                .headers_mut()
                .insert("cookie", cookies.join("; ").parse().unwrap());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let (pair, rest) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                let kept = ("a cookie", value.to_owned());
                self.secrets.lock().unwrap().push(kept);
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = to_bytes(body, usize::MAX).await.unwrap();
        self.page = Page {
            status: parts.status,
            headers: parts.headers,
            html: String::from_utf8(body.to_vec()).unwrap(),
        };
        &self.page
    }

    /// Logs in, whatever comes of it.
    pub(crate) async fn log_in(&mut self, name: &str, password: &str, code: &str) -> &Page {
        self.get("/console/log-in").await;
        let typed = [("name", name), ("password", password), ("code", code)];
        self.post("/console/log-in", &typed).await
    }
}
