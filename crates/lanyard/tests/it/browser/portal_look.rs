//! The staff portal's pages, each in every state, as its own gallery serves them with made-up data.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use portal::states;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use ui::Brand;
use url::Url;

use super::driver::{self, Browser, ENTER, JavaScript, Screen};
use super::keyboard::tab_through;
use super::look::{Place, load_on, look, look_in_forced_colours, overflow, save, violations};

/// [WebDriver 17.4.2] The key's code point.
const ESCAPE: &str = "\u{e00c}";

/// A server of every state.
struct Gallery {
    origin: Url,
    folder: PathBuf,
    serving: JoinHandle<()>,
}

impl Gallery {
    async fn open() -> Option<Self> {
        Self::open_with(|_| states::router(&Arc::new(Brand::default()))).await
    }

    async fn open_with(router: impl FnOnce(&Path) -> Router) -> Option<Self> {
        if !driver::is_there() {
            return None;
        }
        let name = format!("lanyard-gallery-{}", uuid::Uuid::new_v4());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = router(&folder);
        let serving = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Some(Self {
            origin: origin.parse().unwrap(),
            folder,
            serving,
        })
    }

    async fn browser(&self, javascript: JavaScript) -> Browser {
        // Every name leads here: the pages need no other.
        let to = format!("127.0.0.1:{}", self.origin.port().unwrap());
        Browser::start(&self.folder, javascript, "*", &to).await
    }

    fn address(&self, state: &str) -> String {
        let path = format!("/__states/{state}");
        self.origin.join(&path).unwrap().into()
    }
}

impl Place for Gallery {
    fn is_ours(&self, address: &Url) -> bool {
        address.origin() == self.origin.origin()
    }
}

impl Drop for Gallery {
    fn drop(&mut self) {
        self.serving.abort();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Every other state from the `first` on, so that two tests share the work: how it looks, where the keyboard leads,
/// and what is left of it in forced colours.
async fn look_at_every(first: usize) {
    let Some(gallery) = Gallery::open().await else {
        return;
    };
    let browser = gallery.browser(JavaScript::On).await;
    for state in states::NAMES.iter().skip(first).step_by(2) {
        browser.open(&gallery.address(state)).await;
        look(&gallery, &browser, &format!("portal-{state}")).await;

        let names = tab_through(&browser).await;
        // A warning keeps the focus until it is answered.
        if !browser.has("dialog:modal").await {
            assert_eq!(names[0], "Skip to main content", "{state}");
            assert_eq!(names.last().unwrap(), "Accessibility statement", "{state}");
        }
        look_in_forced_colours(&browser, &format!("portal-{state}")).await;
    }
    browser.close().await;
}

/// DW-81: a portal may look as it likes, and this one has a neutral look; what is asked of each page is accessibility.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_the_portal_is_seen_reached_by_keyboard_and_fits_in_every_state() {
    look_at_every(0).await;
}

/// DW-81, too: the other half of them. [DW-12] Among them the first page and the list: the keyboard reaches the link from one to
/// the other, and each record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_the_portal_is_seen_reached_by_keyboard_and_fits_in_every_other_state() {
    look_at_every(1).await;
}

const OURS: &str = include_str!("../../../../portal/words/en.ftl");

/// Our catalogue as a language would have it that needs half as many letters again, and longer words than ours.
fn longer() -> String {
    let lengthened = |line: &str| match line.split_once(" = ") {
        Some((key, text)) if !line.starts_with(['#', ' ']) => {
            let more = "cydnabyddiaeth ".repeat(1 + text.chars().count() / 30);
            format!("{key} = Drafft: {text} {}\n", more.trim_end())
        }
        _ => format!("{line}\n"),
    };
    OURS.lines().map(lengthened).collect()
}

/// The operator's second language: no page knows how long its words are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_language_of_longer_words_every_page_of_the_portal_fits_and_says_that_it_is_a_draft() {
    let gallery = Gallery::open_with(|folder| {
        let catalogue = folder.join("cy.ftl");
        std::fs::write(&catalogue, longer()).unwrap();
        states::router_that_speaks(&Arc::new(Brand::default()), &catalogue).unwrap()
    });
    let Some(gallery) = gallery.await else {
        return;
    };
    let browser = gallery.browser(JavaScript::On).await;
    browser.devtools("Network.enable", json!({})).await;
    let wants = json!({ "headers": { "Accept-Language": "cy" } });
    browser.devtools("Network.setExtraHTTPHeaders", wants).await;
    for (at, state) in states::NAMES.iter().enumerate() {
        browser.open(&gallery.address(state)).await;
        assert_eq!(browser.attribute("html", "lang").await, "cy", "{state}");
        let notes = browser.texts(".lanyard-banner").await;
        let both = "Cymraeg drafft: angen ei adolygu. Draft Welsh: needs review.";
        assert!(notes.iter().any(|note| note == both), "{state}: {notes:?}");
        for screen in [Screen::Narrowest, Screen::Desktop] {
            load_on(&browser, screen).await;
            assert_eq!(overflow(&browser, screen).await, None, "{state}");
            save(&format!("portal-{state}-welsh"), screen, &browser).await;
        }
        // The frames are few, and the words are no colours.
        if at % 8 == 0 {
            assert_eq!(violations(&browser).await, [""; 0], "{state}");
        }
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_to_be_put_right_is_read_first_and_leads_to_its_field() {
    let Some(gallery) = Gallery::open().await else {
        return;
    };
    let browser = gallery.browser(JavaScript::On).await;
    browser.open(&gallery.address("again-unanswered")).await;
    let focused = "return document.activeElement.className";
    assert_eq!(browser.script(focused).await, "nhsuk-error-summary");
    browser.click("a[href='#deleted']").await;
    assert_eq!(
        browser.script("return document.activeElement.id").await,
        "deleted"
    );
    browser.close().await;
}

/// Whether the warning is open, what has the focus, and what the heading says.
const WARNING: &str = "const d = document.getElementById('session-warning'); \
    return [d.open, document.activeElement.id, d.querySelector('h2').textContent]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_warned_before_the_session_ends_stays_by_one_key() {
    let Some(gallery) = Gallery::open().await else {
        return;
    };
    let browser = gallery.browser(JavaScript::On).await;
    for key in [ENTER, ESCAPE] {
        browser.open(&gallery.address("session-warning")).await;
        // The script opens it once the page is there.
        wait_until(&browser, "You will be logged out at 2:40pm").await;
        wait_until_open(&browser).await;
        assert_eq!(
            browser.script(WARNING).await,
            json!([true, "stay-logged-in", "You will be logged out at 2:40pm"])
        );
        browser.press(key).await;
        wait_until(&browser, "You will be logged out at 3:06pm").await;
        assert_eq!(browser.script(WARNING).await[0], Value::Bool(false));
    }

    // At the longest time there is nothing to ask for: the warning is read, and does not come again.
    browser.open(&gallery.address("session-longest-time")).await;
    assert_eq!(browser.script(WARNING).await[1], "close-warning");
    browser.press(ENTER).await;
    assert_eq!(browser.script(WARNING).await[0], Value::Bool(false));
    browser
        .script("document.dispatchEvent(new Event('visibilitychange'))")
        .await;
    assert_eq!(browser.script(WARNING).await[0], Value::Bool(false));
    browser.close().await;
}

async fn wait_until_open(browser: &Browser) {
    for _ in 0..100 {
        if browser.script(WARNING).await[0] == Value::Bool(true) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the warning does not open");
}

async fn wait_until(browser: &Browser, heading: &str) {
    for _ in 0..100 {
        if browser.script(WARNING).await[2] == heading {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the warning does not say ‘{heading}’");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_that_waits_for_the_gateways_answer_goes_on_once_it_is_there() {
    let Some(gallery) = Gallery::open().await else {
        return;
    };
    let browser = gallery.browser(JavaScript::On).await;
    browser.open(&gallery.address("finishing")).await;
    assert_eq!(
        browser.text("#finishing").await,
        "This takes a few seconds."
    );
    let finished =
        "window.fetch = async () => ({ ok: true, json: async () => ({ finished: true }) })";
    browser.script(finished).await;
    browser
        .wait_for_address(&gallery.address("identity-done"))
        .await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_portals_pages_work_without_a_script() {
    let Some(gallery) = Gallery::open().await else {
        return;
    };
    let browser = gallery.browser(JavaScript::Off).await;
    browser.open(&gallery.address("session-warning")).await;
    let read = browser.text("main").await;
    assert!(read.contains("You will be logged out after 30 minutes without activity."));
    assert!(!read.contains("You will be logged out at"), "{read}");
    for (state, button) in [
        ("login", "form[action='/login'] button[type=submit]"),
        ("again", "form button[type=submit]"),
        ("confirm", "#confirm"),
        ("identity", "#verify-identity"),
        ("identity-done", "#add-to-wallet"),
        ("finishing", "#continue"),
    ] {
        browser.open(&gallery.address(state)).await;
        assert!(!browser.text(button).await.is_empty(), "{state}");
    }
    browser.close().await;
}
