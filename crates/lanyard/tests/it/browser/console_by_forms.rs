//! The operator console for whoever has no script: a day's work by links and forms alone.

use std::path::PathBuf;

use gateway::admin::Role;
use jiff::SignedDuration;
use store::Statement;

use super::console_stage::Console;
use super::driver::{Browser, JavaScript};
use super::look::quiet;

/// A credential type, and what its next version says otherwise.
const TYPE: &str = "name = 'ManualHandling'\nlabel = 'Manual handling'\nformats = ['jwt_vc_json']\nvalid_for_days = 365\n\
                    [[attributes]]\nname = 'MH-Level'\nlabel = 'Level'\nkind = 'number'\nsource = 'assumed'\n\
                    [[attributes]]\nname = 'UniqueIdentifier'\nlabel = 'Unique identifier'\nkind = 'uuid'\nmandatory = true\n\
                    source = 'wire'\n";
const OTHERWISE: (&str, &str) = ("'Level'", "'Grade'");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_script_the_console_sets_up_proposes_and_logs_out() {
    let Some(console) = Console::open().await else {
        return;
    };
    console.declare_newtown().await;
    let (_, token) = console.operator("j.bloggs", Role::Administrator).await;
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

    settle(&browser).await;
    publish(&console, &browser).await;
    revoke_many(&console, &browser).await;
    log_out(&browser).await;

    let (_, token) = console.operator("k.custodian", Role::KeyCustodian).await;
    console.set_up(&browser, &token, async |_| ()).await;
    browser.follow_named("button", "I have kept them").await;
    change_keys(&browser).await;
    log_out(&browser).await;
    browser.open(&console.address("/console/operators")).await;
    assert_eq!(browser.text("h1").await, "Log in to the operator console");
    assert_eq!(quiet(&console, &browser).await, [""; 0]);
    browser.close().await;
}

async fn log_out(browser: &Browser) {
    browser.follow_named("button", "Log out").await;
    says(browser, "You have logged out").await;
}

/// The page that is open says so in its main part.
async fn says(browser: &Browser, words: &str) {
    let text = browser.text("main").await;
    assert!(text.contains(words), "‘{words}’ is not in: {text}");
}

/// What stands beside each label of the page's lists.
async fn beside(browser: &Browser, label: &str) -> String {
    let script = format!(
        "return [...document.querySelectorAll('main dt')].find(e => e.textContent.trim() === {label:?})\
         ?.nextElementSibling.textContent.trim() ?? ''"
    );
    let text = browser.script(&script).await;
    text.as_str().unwrap().to_owned()
}

fn file(console: &Console, name: &str, text: &str) -> PathBuf {
    let file = console.folder.path.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// A relying party's checklist: an item with its evidence and the day.
async fn settle(browser: &Browser) {
    browser.follow_named("link", "Relying parties").await;
    browser.follow("main a[href$='/newtown-staff']").await;
    browser.follow_named("link", "Before it goes live").await;
    says(browser, "1 of 11 settled").await;
    let open = "main li:has(.nhsuk-tag--grey)";
    let item = browser.text(&format!("{open} a")).await;
    browser.follow(&format!("{open} a")).await;
    assert_eq!(browser.text("h1").await, item);
    browser.fill("Evidence", "mail of 19 November").await;
    browser.fill("Settled on", "last week").await;
    browser.follow_named("button", "Write it down").await;
    says(browser, "write a day such as 2026-11-20").await;
    // What was right stays there.
    let kept = browser.attribute("#evidence", "value").await;
    assert_eq!(kept, "mail of 19 November");
    browser.fill("Settled on", "2026-11-19").await;
    browser.follow_named("button", "Write it down").await;
    says(browser, "It is written down.").await;
    says(browser, "2 of 11 settled").await;
    let items = browser.texts("main li").await;
    let settled = items.iter().find(|text| text.starts_with(&item)).unwrap();
    assert!(settled.contains("2026-11-19: mail of 19 November"));
    assert!(settled.ends_with("Settled"), "{settled}");
}

/// A credential type from a file, and from the form what another version of it changes.
async fn publish(console: &Console, browser: &Browser) {
    browser.follow_named("link", "Credential types").await;
    browser
        .follow_named("button", "Upload a credential type")
        .await;
    let declared = file(console, "type.toml", TYPE);
    browser.attach("#file", &declared).await;
    browser.follow_named("button", "Look at it").await;
    assert_eq!(browser.text("h1").await, "Before you publish");
    says(browser, "it is new").await;
    assert_eq!(browser.texts("#seen-asked li").await, ["Unique identifier"]);
    browser.follow_named("button", "Publish").await;
    says(browser, "The type is published.").await;

    browser.follow_named("link", "Credential types").await;
    browser
        .follow_named("button", "Upload a credential type")
        .await;
    let (before, after) = OTHERWISE;
    browser.fill("Text", &TYPE.replace(before, after)).await;
    browser.follow_named("button", "Look at it").await;
    assert_eq!(browser.texts("#differences del").await, ["Level"]);
    assert_eq!(browser.texts("#differences ins").await, ["Grade"]);
    browser.follow_named("button", "Publish").await;
    assert_eq!(browser.text("h1").await, "Manual handling");
    says(browser, "attributes.MH-Level.label: Level → Grade").await;
}

/// A revocation of many: counted, agreed on, paused, gone on with.
async fn revoke_many(console: &Console, browser: &Browser) {
    let app = console.gateway.app();
    let serials: Vec<String> = (0..5).map(|_| uuid::Uuid::new_v4().to_string()).collect();
    let list = "INSERT INTO status_lists (organisation, list, revision) VALUES ('newtown', 1, 0)";
    let mut batch = vec![Statement::new(list)];
    for (index, serial) in (0_i64..).zip(&serials[..4]) {
        console.folder.keep_unsaid("a serial number", serial);
        let issued = "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, interaction, \
             list, list_index, issued_at) VALUES ($1, 'newtown', 'newtown-staff', 'FireSafety', 'jwt_vc_json', 'none', 1, $2, $3)";
        let issued = Statement::new(issued).bind(serial).bind(index);
        batch.push(issued.bind(app.now()));
    }
    let revoked = "UPDATE credentials SET revoked_at = $1, revocation_code = 'other' WHERE serial_number = $2";
    let revoked = Statement::new(revoked).bind(app.now());
    batch.push(revoked.bind(&serials[3]));
    app.store.write(batch).await.unwrap();

    browser.follow_named("link", "Credentials").await;
    browser.follow_named("link", "Revoke many").await;
    let serials = format!("serial_number\n{}\n", serials.join("\n"));
    let serials = file(console, "leavers.csv", &serials);
    browser.attach("#serial_numbers", &serials).await;
    browser.fill("Organisation", "newtown").await;
    browser.click("#reason [value='left-employment']").await;
    browser.fill("Revocations a second", "1").await;
    browser.follow_named("button", "Upload and count").await;
    says(browser, "There is a problem").await;
    browser.attach("#serial_numbers", &serials).await;
    browser.fill("Ticket", "INC-1045").await;
    browser.follow_named("button", "Upload and count").await;
    says(browser, "Nothing is revoked yet.").await;
    let counts = [
        ("In force: these would be revoked", "3"),
        ("Revoked before", "1"),
        ("Unknown", "1"),
    ];
    for (label, count) in counts {
        assert_eq!(beside(browser, label).await, count, "{label}");
    }
    let job = browser.url().await.path().to_owned();
    browser
        .follow_named("button", "Propose to revoke them")
        .await;
    says(browser, "This waits for a second person now.").await;
    let proposal = browser.url().await;
    let proposal = proposal.path().rsplit('/').next().unwrap().to_owned();
    console.approve(&proposal).await;

    let come_so_far = async |stage: &str, waiting: &str| {
        browser.open(&console.address(&job)).await;
        assert_eq!(browser.text("main .nhsuk-tag").await, stage);
        assert_eq!(beside(browser, "Waiting").await, waiting);
    };
    console.gateway.revoke_once().await.unwrap();
    come_so_far("Running", "4").await;
    browser.follow_named("button", "Pause").await;
    says(browser, "It is paused.").await;
    console.shift.set(SignedDuration::from_secs(2));
    console.gateway.revoke_once().await.unwrap();
    come_so_far("Paused", "4").await;
    browser.fill("Revocations a second", "50").await;
    browser.follow_named("button", "Change the pace").await;
    browser.follow_named("button", "Go on").await;
    says(browser, "It goes on.").await;
    console.shift.set(SignedDuration::from_secs(4));
    console.gateway.revoke_once().await.unwrap();
    come_so_far("Finished", "0").await;
    for (label, count) in [
        ("Revoked by this", "3"),
        ("Revoked before", "1"),
        ("Unknown", "1"),
    ] {
        assert_eq!(beside(browser, label).await, count, "{label}");
    }
}

/// A key from its making to its end: too young, at once, verify only, proposed to be removed, compromised.
async fn change_keys(browser: &Browser) {
    const PLACE: &str = "newtown.credentials";
    let keys = async || browser.follow_named("link", "Keys").await;
    let make = async || {
        keys().await;
        browser.fill("Place", PLACE).await;
        browser.follow_named("button", "Make the next key").await;
        says(browser, "The key is made.").await;
    };
    let is_now = async |state: &str| {
        assert_eq!(browser.text("h1").await, PLACE);
        assert_eq!(browser.text("main .nhsuk-tag").await, state);
    };
    keys().await;
    browser.fill("Place", "nowhere").await;
    browser.follow_named("button", "Make the next key").await;
    says(browser, "There is no such place").await;
    make().await;
    browser.follow("tr:has(.nhsuk-tag--blue) a").await;
    is_now("Next").await;
    let key = browser.url().await;
    browser.follow_named("button", "Let it sign").await;
    says(browser, "may sign from").await;
    browser.click("#at_once").await;
    browser.follow_named("button", "Let it sign").await;
    says(browser, "The key signs now.").await;
    is_now("Active").await;

    // The one before it still checks what it signed; another one goes again when two agree.
    keys().await;
    browser.follow("tr:has(.nhsuk-tag--yellow) a").await;
    is_now("Verify only").await;
    make().await;
    browser.follow("tr:has(.nhsuk-tag--blue) a").await;
    browser.follow_named("button", "Propose to remove it").await;
    assert_eq!(browser.text("h1").await, "Remove a key");
    says(browser, "This waits for a second person now.").await;

    browser.open(key.as_str()).await;
    browser.click("#at_once").await;
    browser
        .follow_named("button", "Let the next key sign")
        .await;
    says(browser, "this one verifies only").await;
    is_now("Verify only").await;

    browser
        .follow_named("link", "See what that would mean")
        .await;
    assert_eq!(browser.text("h1").await, "A key is compromised");
    let take_out = "Take this key out of everything now";
    browser.follow_named("button", take_out).await;
    says(browser, "There is a problem").await;
    browser.fill("Ticket", "INC-1046").await;
    browser.follow_named("button", take_out).await;
    is_now("Compromised").await;
    says(browser, "The key is out of everything.").await;
}
