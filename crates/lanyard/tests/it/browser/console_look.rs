//! The operator console's pages: how each looks, where the keyboard leads, and that all of it works without a script. A new page
//! has a line in [`PAGES`]; one that has none fails the test.

use std::collections::BTreeSet;
use std::sync::Arc;

use gateway::admin::Role;
use gateway::audit::Actor;
use gateway::keys::KeyPurpose;
use gateway::operator::desk::Desk;
use gateway::operator::{NewOperator, code_of};
use gateway::random::Random;
use gateway::registry::Declaration;
use gateway::registry::onboarding::Item;
use gateway::{Config, Gateway, Surroundings};
use jiff::Timestamp;
use store::Statement;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use super::driver::{self, Browser, JavaScript};
use super::keyboard::tab_through;
use super::look::{Place, look, look_in_forced_colours, quiet};
use crate::said;
use crate::sandbox_folder::Folder;

/// Every page that is looked at, as the console routes it, with what its picture is called. `{…}` is filled in by
/// [`Console::put_into`].
const PAGES: &[(&str, &str)] = &[
    ("/console/log-in", "log-in"),
    ("/console/set-up", "set-up"),
    ("/console/emergency", "emergency"),
    ("/console", "home"),
    ("/console/checklist", "checklist"),
    ("/console/proposals", "proposals"),
    ("/console/proposals/{proposal}", "proposal"),
    ("/console/operators", "operators"),
    ("/console/operators/add", "operator-add"),
    ("/console/operators/{operator}", "operator"),
    ("/console/operators/{operator}/role", "operator-role"),
    ("/console/operators/{operator}/token", "operator-token"),
    ("/console/operators/{operator}/sign-in", "operator-sign-in"),
    ("/console/operators/{operator}/remove", "operator-remove"),
    ("/console/organisations", "organisations"),
    ("/console/new/organisation", "organisation-new"),
    ("/console/organisations/{organisation}", "organisation"),
    (
        "/console/organisations/{organisation}/certificates",
        "organisation-certificates",
    ),
    ("/console/relying-parties", "relying-parties"),
    ("/console/new/relying-party", "relying-party-new"),
    ("/console/relying-parties/{relying_party}", "relying-party"),
    ("/console/relying-parties/{relying_party}/proof", "proof"),
    (
        "/console/relying-parties/{relying_party}/onboarding",
        "onboarding",
    ),
    (
        "/console/relying-parties/{relying_party}/onboarding/{item}",
        "onboarding-item",
    ),
    ("/console/credential-types", "credential-types"),
    ("/console/new/credential-type", "credential-type-new"),
    (
        "/console/credential-types/{credential_type}",
        "credential-type",
    ),
    ("/console/audit", "audit"),
    ("/console/audit/verification", "audit-verification"),
    ("/console/audit/export", "audit-export-wrong"),
    ("/console/account", "account"),
    ("/console/account/password", "account-password"),
    ("/console/account/set-up", "account-set-up"),
    ("/console/interactions", "interactions"),
    ("/console/interactions/{interaction}", "interaction"),
    ("/console/credentials", "credentials"),
    ("/console/credentials/{credential}", "credential"),
    ("/console/bulk", "bulk"),
    ("/console/bulk/{job}", "bulk-job"),
    ("/console/keys", "keys"),
    ("/console/keys/{key}", "key"),
    ("/console/keys/{key}/compromise", "key-compromise"),
    ("/console/holds", "holds"),
    ("/console/figures", "figures"),
];

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

/// On one line, as a field is filled.
const NEW_TYPE: &str = r#"{ "name": "FireSafety", "label": "Fire safety", "formats": ["jwt_vc_json"], "valid_for_days": 365, "attributes": [{ "name": "UniqueIdentifier", "label": "Staff passport unique identifier", "kind": "uuid", "mandatory": true, "source": "wire" }] }"#;

/// It seals what the gateway keeps.
const STORAGE_SECRET: &str = "sandbox-Zm9yIHRlc3RzIG9ubHksIHNob3J0Lg";

/// Of nobody's receiver.
const WEBHOOK_SECRET: &str = "whsec_Zm9yIHRlc3RzIG9ubHksIHRoZSBvbGRlciBvbmU=";

const PASSWORD: &str = "correct horse battery staple";

/// An interaction that failed, a credential, and a revocation of many, as the pages name them.
const REFERENCE: &str = "K7Q2-9MFD";
const SERIAL_NUMBER: &str = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";
const JOB: &str = "job-4x7m-0qkz";

struct Console {
    origin: Url,
    gateway: Gateway,
    folder: Folder,
    serving: JoinHandle<()>,
}

impl Console {
    async fn open() -> Option<Self> {
        if !driver::is_there() {
            return None;
        }
        let mut folder = Folder::new();
        let public = "http://localhost:8400".parse().unwrap();
        let mut config = Config::sandboxed(public, &folder.path, STORAGE_SECRET);
        config.traces = said::traced();
        gateway::create_keys(&config, true).unwrap();
        let surroundings = Surroundings {
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
            clock: Arc::new(Timestamp::now),
        };
        let router = console::router(gateway.admin_router(), settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Some(Self {
            origin: origin.parse().unwrap(),
            gateway,
            folder,
            serving,
        })
    }

    async fn browser(&self, javascript: JavaScript) -> Browser {
        let to = format!("127.0.0.1:{}", self.origin.port().unwrap());
        Browser::start(&self.folder.path, javascript, "*", &to).await
    }

    fn address(&self, path: &str) -> String {
        self.origin.join(path).unwrap().into()
    }

    /// An organisation with one system, for the pages that show them.
    async fn declare_newtown(&self) {
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

    /// Adds an operator; gives its id and its token.
    async fn operator(&self, name: &str) -> (String, String) {
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
            role: Role::Administrator,
            organisation: None,
            person: None,
            break_glass: false,
        };
        let token = desk.add(&new, None).await.unwrap();
        self.folder.keep_unsaid("a token", &token);
        (desk.id_of(name, None).await.unwrap(), token)
    }

    /// Things of an organisation, for the pages that show one; gives the id of a key.
    async fn things(&self) -> String {
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
    async fn set_up(&self, browser: &Browser, token: &str, mut seen: impl AsyncFnMut(&str)) {
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

impl Place for Console {
    fn is_ours(&self, address: &Url) -> bool {
        address.origin() == self.origin.origin()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// WCAG 2.2 AA as far as a program can tell, on a desktop, a phone and at 320 pixels, by keyboard and in forced colours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_the_console_is_seen_reached_by_keyboard_and_fits() {
    let Some(console) = Console::open().await else {
        return;
    };
    let routed = console::pages().into_iter();
    let routed = routed
        .filter(|page| page.method == "GET")
        .map(|page| page.path);
    let listed = PAGES.iter().map(|(path, _)| *path).collect::<BTreeSet<_>>();
    assert_eq!(
        routed.collect::<BTreeSet<_>>(),
        listed,
        "each page has a line in PAGES"
    );

    console.declare_newtown().await;
    let (_, token) = console.operator("j.bloggs").await;
    let (other, _) = console
        .operator("a.new-administrator-with-a-long-name")
        .await;
    let browser = console.browser(JavaScript::On).await;
    let mut titles = BTreeSet::new();
    let look_at = async |name: &str| {
        let name = format!("console-{name}");
        look(&console, &browser, &name).await;
        let names = tab_through(&browser).await;
        assert_eq!(names[0], "Skip to main content", "{name}");
        assert_eq!(names.last().unwrap(), "Accessibility statement", "{name}");
        look_in_forced_colours(&browser, &name).await;
    };
    for (path, name) in &PAGES[..3] {
        browser.open(&console.address(path)).await;
        assert!(titles.insert(browser.title().await), "{path}");
        look_at(name).await;
    }
    console
        .set_up(&browser, &token, async |name| look_at(name).await)
        .await;

    // A proposal, for the pages that show one.
    browser
        .open(&console.address(&format!("/console/operators/{other}/role")))
        .await;
    browser.choose("Auditor").await;
    browser.fill("Reason", "moved to audit").await;
    browser.follow_named("button", "Propose").await;
    look_at("proposal-made").await;
    let proposal = browser.url().await;
    let proposal = proposal.path().rsplit('/').next().unwrap().to_owned();

    let key = console.things().await;
    for (path, name) in &PAGES[3..] {
        let path = path
            .replace("{operator}", &other)
            .replace("{proposal}", &proposal)
            .replace("{organisation}", "newtown")
            .replace("{relying_party}", "newtown-staff")
            .replace("{item}", "penetration-test")
            .replace("{credential_type}", "FireSafety")
            .replace("{interaction}", REFERENCE)
            .replace("{credential}", SERIAL_NUMBER)
            .replace("{job}", JOB)
            .replace("{key}", &key);
        browser.open(&console.address(&path)).await;
        let title = browser.title().await;
        assert!(titles.insert(title.clone()), "{path}: {title}");
        look_at(name).await;
    }
    // What only a form leads to.
    let party = "/console/relying-parties/newtown-staff";
    browser.open(&console.address(party)).await;
    browser.follow_named("button", "Make a secret").await;
    assert_eq!(browser.text("h1").await, "A new secret");
    let secret = browser.attribute("#secret", "value").await;
    console.folder.keep_unsaid("a client secret", &secret);
    let call = browser.attribute("#environment", "readonly").await;
    assert_eq!(call, "true");
    look_at("secret-made").await;
    // It is live now: what it proves itself by takes two persons, who see what differs.
    let proof = console.address(&format!("{party}/proof"));
    browser.open(&proof).await;
    browser
        .follow_named("button", "Change what it proves itself by")
        .await;
    assert!(browser.title().await.starts_with("Error: "));
    browser
        .fill(
            "Address for its events",
            "https://staff.newtown.example/events",
        )
        .await;
    browser
        .fill("Secrets that sign its events", WEBHOOK_SECRET)
        .await;
    browser.fill("Ticket", "INC-1044").await;
    browser
        .follow_named("button", "Change what it proves itself by")
        .await;
    assert_eq!(browser.text("h1").await, "Change a live relying party");
    let differs = browser.text("#difference").await;
    assert!(differs.contains("https://staff.newtown.example/events"));
    look_at("proof-proposed").await;
    browser
        .open(&console.address("/console/new/credential-type"))
        .await;
    browser.fill("Text", NEW_TYPE).await;
    browser.follow_named("button", "Look at it").await;
    assert_eq!(browser.text("h1").await, "Before you publish");
    look_at("credential-type-preview").await;
    browser
        .open(&console.address("/console/operators/add"))
        .await;
    browser.follow_named("button", "Propose").await;
    assert!(browser.title().await.starts_with("Error: "));
    look_at("operator-add-wrong").await;
    browser.open(&console.address("/console/nowhere")).await;
    look_at("nowhere").await;
    browser.close().await;
}

/// A day's work by links and forms alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_script_the_console_sets_up_proposes_and_logs_out() {
    let Some(console) = Console::open().await else {
        return;
    };
    let (_, token) = console.operator("j.bloggs").await;
    let browser = console.browser(JavaScript::Off).await;
    console.set_up(&browser, &token, async |_| ()).await;
    assert_eq!(browser.attribute("body", "class").await, "", "a script ran");
    assert_eq!(browser.texts("#recovery-codes li").await.len(), 8);
    browser.follow_named("button", "I have kept them").await;
    assert_eq!(browser.text("h1").await, "Start");
    browser.follow_named("link", "Operators").await;
    browser.follow_named("button", "Add an operator").await;
    browser.fill("Name", "n.one").await;
    browser.choose("Desk").await;
    browser.fill("Ticket", "INC-1043").await;
    browser.follow_named("button", "Propose").await;
    assert_eq!(browser.text("h1").await, "Add an operator");
    browser.follow_named("button", "Take it back").await;
    assert!(browser.text("main").await.contains("This is declined"));
    browser.follow_named("link", "Audit").await;
    assert!(
        browser
            .text("main")
            .await
            .contains("A proposal was declined")
    );
    browser.follow_named("button", "Log out").await;
    assert!(browser.text("main").await.contains("You have logged out"));
    browser.open(&console.address("/console/operators")).await;
    assert_eq!(browser.text("h1").await, "Log in to the operator console");
    assert_eq!(quiet(&console, &browser).await, [""; 0]);
    browser.close().await;
}
