//! The operator console's pages: how each looks and where the keyboard leads. A new page has a line in [`PAGES`]; one that has none
//! fails the test.

use std::collections::BTreeSet;

use gateway::admin::Role;

use super::console_stage::{Console, JOB, REFERENCE, SERIAL_NUMBER, WEBHOOK_SECRET};
use super::driver::JavaScript;
use super::keyboard::tab_through;
use super::look::{look, look_in_forced_colours};

/// Every page that is looked at, as the console routes it, with what its picture is called. `{…}` is filled in.
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

/// On one line, as a field is filled.
const NEW_TYPE: &str = r#"{ "name": "FireSafety", "label": "Fire safety", "formats": ["jwt_vc_json"], "valid_for_days": 365, "attributes": [{ "name": "UniqueIdentifier", "label": "Staff passport unique identifier", "kind": "uuid", "mandatory": true, "source": "wire" }] }"#;

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
    let (_, token) = console.operator("j.bloggs", Role::Administrator).await;
    let (other, _) = console
        .operator("a.new-administrator-with-a-long-name", Role::Administrator)
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
