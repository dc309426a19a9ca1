//! An employee in front of the staff portal, with a browser and a wallet: everything is done by the names that the
//! person reads, and codes are read from the screen.

use std::time::Duration;

use serde_json::{Value, json};
use wallet::{CredentialStatus, CredentialSummary, Outcome, Scanned};

use super::driver::{Browser, JavaScript};
use super::qr_code;
use super::stage::Stage;
use crate::portal_walk::{Mail, Scene, Walk, Walker};

/// What the portal's page says when it does not know where a browser comes from (screens E9).
pub(super) const ELSEWHERE: &str = "Go back to the page where you started";
/// What it says once the identity is verified (screens E8).
pub(super) const VERIFIED: &str = "Your identity has been verified";
/// What it says where the gateway is at fault.
pub(super) const PROBLEM: &str = "There is a problem with the service";
pub(super) const NOTHING_LOST: &str = "Your information is safe and you have not lost your place.";
/// What it says while nobody knows whether a credential reached the wallet (screens E10).
pub(super) const CHECKING: &str = "We are checking if it was added";
/// What it says of an identity that is not the employee's, or nobody's.
pub(super) const NO_MATCH: &str = "We could not match your identity";

/// The portal's session, where its address is not https.
const SESSION_COOKIE: &str = "lanyard-portal";

/// How often something is looked at that takes a moment behind the pages, and how long in between.
pub(super) const LOOKS: usize = 200;
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Person<'a> {
    pub(super) browser: Browser,
    stage: &'a Stage,
    javascript: JavaScript,
    /// The same employee's mailbox and HR, over plain HTTP.
    pub(super) outside: Walk,
}

impl<'a> Person<'a> {
    /// The employee of this case, about their record of the training programme, in a browser that nobody has used.
    pub(super) async fn of(stage: &'a Stage, case: &str, javascript: JavaScript) -> Self {
        let browser = stage.browser(javascript).await;
        Self::in_browser(stage, case, javascript, browser)
    }

    fn in_browser(stage: &'a Stage, case: &str, javascript: JavaScript, browser: Browser) -> Self {
        let employee = stage.sandbox.file.employee(case).unwrap();
        let scene = Scene::of(&stage.sandbox.file.urls);
        let record = format!("{}-programme", employee.id);
        Self {
            browser,
            stage,
            javascript,
            outside: Walk::new(scene, Walker::of(employee), &record).unwrap(),
        }
    }

    /// The same employee in a second browser, with nothing of the first.
    pub(super) async fn in_another_browser(&self) -> Self {
        let Walk {
            scene, who, record, ..
        } = &self.outside;
        Self {
            browser: self.stage.browser(self.javascript).await,
            stage: self.stage,
            javascript: self.javascript,
            outside: Walk::new(scene.clone(), who.clone(), record).unwrap(),
        }
    }

    /// As the identity credential has it.
    pub(super) fn unique_identifier(&self) -> &str {
        let employees = &self.stage.sandbox.file.employees;
        let own = employees
            .iter()
            .find(|one| one.username == self.outside.who.username);
        &own.unwrap().unique_identifier
    }

    /// This person logs out, and the employee of another case logs in to the same browser.
    pub(super) async fn hands_the_browser_to(self, case: &str) -> Self {
        self.open("/").await;
        self.press("Log out").await;
        let (stage, javascript) = (self.stage, self.javascript);
        let next = Self::in_browser(stage, case, javascript, self.browser);
        next.log_in().await;
        next
    }

    /// The browser forgets who is logged in to the portal, as another browser would not know it. Gives the cookie.
    pub(super) async fn loses_the_session(&self) -> Value {
        let portal = self.portal("/");
        let asked = json!({ "urls": [portal] });
        let found = self.browser.devtools("Network.getCookies", asked).await;
        let mut found = found["cookies"].as_array().unwrap().iter();
        let cookie = found.find(|one| one["name"] == SESSION_COOKIE).unwrap();
        let gone = json!({ "name": SESSION_COOKIE, "url": portal });
        self.browser.devtools("Network.deleteCookies", gone).await;
        json!({ "name": SESSION_COOKIE, "value": cookie["value"], "url": portal, "httpOnly": true })
    }

    /// And knows it again.
    pub(super) async fn finds_the_session(&self, cookie: Value) {
        self.browser.devtools("Network.setCookie", cookie).await;
    }

    /// An address of the portal's.
    pub(super) fn portal(&self, path: &str) -> String {
        self.outside.scene.portal.join(path).unwrap().into()
    }

    /// A step of the record's way.
    pub(super) fn step(&self, step: &str) -> String {
        self.portal(&format!("/credentials/{}{step}", self.outside.record))
    }

    pub(super) async fn open(&self, path: &str) {
        self.browser.open(&self.portal(path)).await;
    }

    /// The heading of the page that is open.
    pub(super) async fn heading(&self) -> String {
        self.browser.text("main h1").await
    }

    /// The page must be this one by its heading, and say this. [DW-48] Whatever has failed, what the person gets has not.
    pub(super) async fn stands_on(&self, heading: &str, sentence: &str) {
        assert_eq!(self.heading().await.lines().last().unwrap(), heading);
        if self.javascript == JavaScript::On {
            let status = self.browser.status().await;
            assert!((200..500).contains(&status), "{heading}: {status}");
        }
        let read = self.browser.text("main").await;
        assert!(read.contains(sentence), "no ‘{sentence}’ in:\n{read}");
    }

    /// Presses what is announced as a button, also where it is a link that looks like one.
    pub(super) async fn press(&self, name: &str) {
        self.browser.follow_named("button", name).await;
    }

    pub(super) async fn follow(&self, name: &str) {
        self.browser.follow_named("link", name).await;
    }

    /// E1, with what every employee has: a name and a password.
    pub(super) async fn log_in(&self) {
        self.open("/login").await;
        self.browser
            .fill("Username", &self.outside.who.username)
            .await;
        self.browser
            .fill("Password", &self.outside.who.password)
            .await;
        self.press("Log in").await;
        self.stands_on("Your staff account", "You are logged in as")
            .await;
    }

    /// What the list says of the record: its state as programs have it, and its line as it is read.
    pub(super) async fn in_the_list(&self) -> (String, String) {
        self.open("/credentials").await;
        let row = format!("[data-state]:has(#credential-{})", self.outside.record);
        (
            self.browser.attribute(&row, "data-state").await,
            self.browser.text(&row).await,
        )
    }

    /// Loads the list until it gives the record this state: what is done behind the pages takes a moment.
    pub(super) async fn waits_until_the_list_says(&self, state: &str) -> String {
        let mut last = String::new();
        for _ in 0..LOOKS {
            let (found, line) = self.in_the_list().await;
            if found == state {
                return line;
            }
            last = found;
            tokio::time::sleep(PAUSE).await;
        }
        panic!("the list says {last}, not {state}");
    }

    /// E6: looks at what the credential will say, and confirms it.
    pub(super) async fn confirms(&self) {
        self.browser.open(&self.step("/confirm")).await;
        self.stands_on(
            "Check the information that will go in your wallet",
            "This is exactly what the credential will say.",
        )
        .await;
        self.press("Confirm and continue").await;
    }

    /// From E7 to the gateway's code.
    pub(super) async fn goes_to_verify(&self) {
        self.stands_on("Verify your identity", "You need to share")
            .await;
        self.press("Verify your identity").await;
        self.stands_at_the_gateway().await;
    }

    /// From E8 to the gateway's code.
    pub(super) async fn goes_to_add(&self) {
        self.press("Add to wallet").await;
        self.stands_at_the_gateway().await;
    }

    /// E5 and E6: the old copy is gone, and what the new one will say is confirmed.
    pub(super) async fn adds_again(&self) {
        self.browser.open(&self.step("/again")).await;
        self.browser.choose("It is not in my wallet any more").await;
        self.press("Continue").await;
        self.press("Confirm and continue").await;
    }

    /// E7 and E8, and it is the employee.
    pub(super) async fn verifies(&self) {
        self.goes_to_verify().await;
        self.scans(true).await;
        self.comes_back().await;
        self.stands_on(VERIFIED, "You can now add credentials until you log out.")
            .await;
    }

    /// From logging in to the button that adds the credential.
    pub(super) async fn gets_ready_to_add(&self) {
        self.log_in().await;
        self.confirms().await;
        self.verifies().await;
    }

    /// Adds the credential of another record of theirs in the session in which they are verified; its serial number.
    pub(super) async fn adds_another(&mut self, record: &str) -> String {
        let other = format!("{}-{record}", self.outside.who.holder);
        let before = std::mem::replace(&mut self.outside.record, other);
        self.confirms().await;
        self.stands_on(VERIFIED, "You shared your identity earlier.")
            .await;
        self.goes_to_add().await;
        let serial_number = self.receives().await;
        self.comes_back().await;
        self.outside.record = before;
        serial_number
    }

    pub(super) async fn stands_at_the_gateway(&self) {
        let gateway = &self.stage.sandbox.file.urls.gateway;
        self.browser.wait_for_address(gateway.as_str()).await;
        // [DW-33] The window itself, no frame in one of the portal's pages.
        assert!(!self.browser.has("iframe").await);
        self.browser.text("#open-wallet").await;
    }

    /// The wallet receives what the code on the screen offers; its serial number.
    pub(super) async fn receives(&self) -> String {
        let scanned = self.scans(true).await;
        assert_eq!(scanned.outcome, Outcome::Received, "{:?}", scanned.reason);
        scanned.credentials[0].serial_number.clone().unwrap()
    }

    /// The wallet reads the code from the screen, and the person says yes or no to what it asks.
    pub(super) async fn scans(&self, consent: bool) -> Scanned {
        let link = qr_code::read(&self.browser).await;
        let holder = &self.outside.who.holder;
        self.stage.scan_and_say(holder, &link, consent).await
    }

    /// Somebody else's wallet reads the code from the screen, and says yes.
    pub(super) async fn scans_with(&self, holder: &str) -> Scanned {
        let link = qr_code::read(&self.browser).await;
        self.stage.scan(holder, &link).await
    }

    /// Looks back at the screen and goes on from there at once, where it would go on by itself later; without
    /// JavaScript the person says that they are done.
    pub(super) async fn comes_back(&self) {
        let portal = self.outside.scene.portal.as_str();
        match self.javascript {
            JavaScript::On => self.browser.go_on_to(portal).await,
            JavaScript::Off => self.browser.follow("#finished").await,
        }
        self.is_back().await;
    }

    pub(super) async fn is_back(&self) {
        let portal = self.outside.scene.portal.as_str();
        self.browser.wait_for_address(portal).await;
        let finishing = self.portal("/returned");
        // The page that says that it takes a moment leads on by itself.
        while self.browser.url().await.as_str() == finishing {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Ends at the gateway's page about what went wrong, and goes back from there.
    pub(super) async fn goes_back_from(&self, heading: &str) {
        if self.javascript == JavaScript::Off {
            self.browser.follow("#finished").await;
        }
        self.browser.wait_for_text(heading).await;
        self.browser.follow("#go-back").await;
        self.is_back().await;
    }

    /// The programme credentials in the wallet, each with the status that a verifier would see.
    pub(super) async fn held(&self) -> Vec<CredentialSummary> {
        let mut held = self.stage.held(&self.outside.who.holder).await;
        held.retain(|held| held.credential_type == "TrainingProgramme");
        held
    }

    /// The one of this serial number, whatever its type.
    pub(super) async fn held_as(&self, serial_number: &str) -> CredentialSummary {
        let held = self.stage.held(&self.outside.who.holder).await;
        let mut held = held.into_iter();
        held.find(|held| held.serial_number.as_deref() == Some(serial_number))
            .unwrap()
    }

    /// The serial numbers of those that a verifier would take.
    pub(super) async fn in_force(&self) -> Vec<String> {
        let mut held = self.held().await;
        held.retain(|held| held.status == CredentialStatus::Valid);
        held.into_iter()
            .filter_map(|held| held.serial_number)
            .collect()
    }

    /// Nothing of what was tried is in the wallet, and the list claims nothing.
    pub(super) async fn has_nothing(&self) {
        assert!(self.held().await.is_empty());
        let (state, line) = self.in_the_list().await;
        assert_eq!(state, "not-added", "{line}");
        assert!(!line.contains("Added to your wallet"), "{line}");
    }

    /// Waits until a verifier would see that a credential in the wallet is cancelled.
    pub(super) async fn waits_until_it_is_cancelled(&self, serial_number: &str) {
        for _ in 0..LOOKS {
            if self.held_as(serial_number).await.status == CredentialStatus::Revoked {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{serial_number} is still good");
    }

    /// The mails to this employee, the oldest first.
    pub(super) async fn mails(&self) -> Vec<Mail> {
        let to = format!("{}@anytown.example", self.outside.who.username);
        let mails = self.outside.mails().await.unwrap().into_iter();
        mails.filter(|mail| mail.to == to).collect()
    }

    /// Waits until so many have come, and gives how many there are.
    pub(super) async fn waits_for_mails(&self, count: usize) -> usize {
        for _ in 0..LOOKS {
            if self.mails().await.len() >= count {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.mails().await.len()
    }

    /// Waits for the first mail to this employee.
    pub(super) async fn waits_for_a_mail(&self) -> Mail {
        for _ in 0..LOOKS {
            if let Some(mail) = self.mails().await.into_iter().next() {
                return mail;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("no mail came");
    }
}
