//! What a browser test of the operator console plays on: a gateway with its console at one listener, and operators.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use gateway::admin::Role;
use gateway::audit::Actor;
use gateway::clock::{Clock, Shift};
use gateway::keys::KeyPurpose;
use gateway::operator::desk::Desk;
use gateway::operator::{NewOperator, code_of};
use gateway::random::Random;
use gateway::registry::Declaration;
use gateway::registry::onboarding::Item;
use gateway::{Config, Gateway, Surroundings};
use serde_json::json;
use store::Statement;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;
use url::Url;

use super::driver::{self, Browser, JavaScript};
use super::look::Place;
use crate::said;
use crate::sandbox_folder::Folder;

const NEWTOWN: &str = r##"
[[organisations]]
id = "newtown"
name = "Newtown NHS Trust"
issues = ["FireSafety"]
[organisations.brand]
colour = "#7c2855"
[[organisations.trust]]
credential_type = "Identity"
issuers = ["did:web:credentials.example.org:issuers:identities"]
[[organisations.relying_parties]]
name = "Newtown staff services"
client_id = "newtown-staff"
redirect_uris = ["https://staff.newtown.example/callback"]
dialect = "plain"
"##;

/// It seals what the gateway keeps.
const STORAGE_SECRET: &str = "sandbox-Zm9yIHRlc3RzIG9ubHksIHNob3J0Lg";

/// Of nobody's receiver.
pub(super) const WEBHOOK_SECRET: &str = "whsec_Zm9yIHRlc3RzIG9ubHksIHRoZSBvbGRlciBvbmU=";

/// Where employees' browsers reach the gateway.
pub(super) const PUBLIC: &str = "http://localhost:8400";

const PASSWORD: &str = "correct horse battery staple";

/// An interaction that failed, a credential, and a revocation of many, as the pages name them.
pub(super) const REFERENCE: &str = "K7Q2-9MFD";
pub(super) const SERIAL_NUMBER: &str = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";
pub(super) const JOB: &str = "job-4x7m-0qkz";

pub(super) struct Console {
    pub(super) origin: Url,
    pub(super) gateway: Gateway,
    pub(super) folder: Folder,
    /// Time passes by it.
    pub(super) shift: Shift,
    serving: JoinHandle<()>,
}

impl Console {
    pub(super) async fn open() -> Option<Self> {
        if !driver::is_there() {
            return None;
        }
        let mut folder = Folder::new();
        let public = PUBLIC.parse().unwrap();
        let mut config = Config::sandboxed(public, &folder.path, STORAGE_SECRET);
        config.traces = said::traced();
        gateway::create_keys(&config, true).unwrap();
        let (clock, shift) = Clock::shifted();
        let surroundings = Surroundings {
            clock: clock.clone(),
            sandbox: true,
            ..Surroundings::production()
        };
        let gateway = Gateway::compose(&config, surroundings).await.unwrap();
        folder.watch(&gateway);
        folder.keep_unsaid("a secret", STORAGE_SECRET);
        folder.keep_unsaid("a secret", WEBHOOK_SECRET);
        folder.keep_unsaid("a serial number", SERIAL_NUMBER);
        let settings = console::Settings {
            brand: Arc::clone(&gateway.app().brand),
            secure: false,
            address_header: None,
            clock: Arc::new(move || clock.now()),
        };
        let console = console::router(gateway.admin_router(), settings);
        let router = by_host(gateway.router(), console);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Some(Self {
            origin: origin.parse().unwrap(),
            gateway,
            folder,
            shift,
            serving,
        })
    }

    pub(super) async fn browser(&self, javascript: JavaScript) -> Browser {
        let to = format!("127.0.0.1:{}", self.origin.port().unwrap());
        Browser::start(&self.folder.path, javascript, "*", &to).await
    }

    pub(super) fn address(&self, path: &str) -> String {
        self.origin.join(path).unwrap().into()
    }

    /// An organisation with one system, for the pages that show them.
    pub(super) async fn declare_newtown(&self) {
        let declared = Declaration::parse("newtown.toml", NEWTOWN).unwrap();
        let plan = self.gateway.plan(&declared, false).await.unwrap();
        let by = Actor::Command("test");
        self.gateway.apply(&plan, by).await.unwrap();
        let made = self.gateway.make_client_secret("newtown-staff", None, by);
        let made = made.await.unwrap();
        self.folder.keep_unsaid("a client secret", &made.text);
        let evidence = (
            "report PT-117, findings closed",
            "2026-11-20".parse().unwrap(),
        );
        let settled = self
            .gateway
            .settle("newtown-staff", Item::PenetrationTest, evidence, by);
        settled.await.unwrap();
    }

    /// Adds an operator of the whole gateway; gives its id and its token.
    pub(super) async fn operator(&self, name: &str, role: Role) -> (String, String) {
        let app = self.gateway.app();
        let random = Random::system();
        let desk = Desk {
            store: &app.store,
            random: &random,
            account: "test",
            now: app.now(),
        };
        let new = NewOperator {
            name,
            role,
            organisation: None,
            person: None,
            break_glass: false,
        };
        let token = desk.add(&new, None).await.unwrap();
        self.folder.keep_unsaid("a token", &token);
        (desk.id_of(name, None).await.unwrap(), token)
    }

    /// Another administrator, somewhere else, approves that proposal.
    pub(super) async fn approve(&self, proposal: &str) {
        let (_, token) = self.operator("s.second", Role::Administrator).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let address = self.address(&format!("/admin/v1/proposals/{proposal}/approve"));
        let approve = http.post(address).bearer_auth(token).json(&json!({}));
        let answer = approve.send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
    }

    /// Things of an organisation, for the pages that show one; gives the id of a key.
    pub(super) async fn things(&self) -> String {
        let app = self.gateway.app();
        let interaction = "INSERT INTO interactions (id, version, organisation, client_id, purpose, credential_type, \
             reference, stage, stage_at, outcome, request_digest, browser_digest, released, created_at, expires_at) \
             VALUES ('i', 1, 'anytown', 'anytown-staff', 'verify', 'FireSafety', $1, 'finished', $2, 'declined', 'd', 'b', \
             1, $2, $2)";
        let interaction = Statement::new(interaction).bind(REFERENCE).bind(app.now());
        let credential = "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, \
             interaction, list, list_index, issued_at) VALUES ($1, 'anytown', 'anytown-staff', 'FireSafety', \
             'jwt_vc_json', 'i', 1, 7, $2)";
        let credential = Statement::new(credential)
            .bind(SERIAL_NUMBER)
            .bind(app.now());
        let job = "INSERT INTO revocation_jobs (id, organisation, code, reason, ticket, pace, stage, created_at) \
             VALUES ($1, 'anytown', 'data-error', '', 'INC-9', 50, 'running', $2)";
        let job = Statement::new(job).bind(JOB).bind(app.now());
        let line = "INSERT INTO revocation_job_lines (job, organisation, serial_number) VALUES ($1, 'anytown', $2)";
        let line = Statement::new(line).bind(JOB).bind(SERIAL_NUMBER);
        let batch = [interaction, credential, job, line];
        app.store.write(batch).await.unwrap();
        let key = app.keys.id_token(KeyPurpose::IdTokenEs256).unwrap();
        key.public_jwk().kid().unwrap().to_owned()
    }

    /// Sets up a password and an authenticator by the pages, as a person would; the browser is logged in afterwards. Each
    /// page on the way is given to `seen`.
    pub(super) async fn set_up(
        &self,
        browser: &Browser,
        token: &str,
        mut seen: impl AsyncFnMut(&str),
    ) {
        browser.open(&self.address("/console/set-up")).await;
        browser.fill("Your token", token).await;
        browser.fill("New password", PASSWORD).await;
        browser
            .fill("The new password once more", "another one")
            .await;
        browser.follow_named("button", "Continue").await;
        seen("set-up-wrong").await;
        browser.fill("Your token", token).await;
        browser.fill("New password", PASSWORD).await;
        browser.fill("The new password once more", PASSWORD).await;
        browser.follow_named("button", "Continue").await;
        seen("set-up-code").await;
        // What a person sees who opens "I cannot scan the code".
        let html = browser.html().await;
        let secret = html.split("id=\"secret-text\">").nth(1).unwrap();
        let secret = secret.split('<').next().unwrap().replace(' ', "");
        self.folder
            .keep_unsaid("an authenticator's secret", &secret);
        let code = code_of(&secret, self.gateway.app().now()).unwrap();
        browser.fill("Code", &code).await;
        browser.follow_named("button", "Finish").await;
        for code in browser.texts("#recovery-codes li").await {
            self.folder.keep_unsaid("a recovery code", &code);
        }
        seen("set-up-recovery").await;
    }
}

/// Where several servers would be, one listener: employees ask for the gateway's public address, operators for the listener's.
fn by_host(gateway: Router, console: Router) -> Router {
    Router::new().fallback(async move |request: Request| {
        let host = request.headers().get("host");
        let is_public = host.is_some_and(|host| PUBLIC.as_bytes().ends_with(host.as_bytes()));
        let router = if is_public { gateway } else { console };
        router.oneshot(request).await
    })
}

impl Place for Console {
    fn is_ours(&self, address: &Url) -> bool {
        let public: Url = PUBLIC.parse().unwrap();
        [&self.origin, &public]
            .iter()
            .any(|ours| ours.origin() == address.origin())
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
