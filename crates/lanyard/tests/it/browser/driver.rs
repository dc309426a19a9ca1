//! A real browser: Debian's Chromium behind chromedriver, with a fresh profile, driven as a person would.

use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use url::Url;

use super::webdriver::{Element, Session};

/// Set by `cargo xtask test`, which installs what these tests need: then nothing may be missing.
const BROWSER_IS_THERE: &str = "LANYARD_TEST_BROWSER";
/// How long a page may take to become what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to do something else before looking at it again.
const A_WHILE: Duration = Duration::from_millis(30);
/// All elements at a selector, those first that speak of this name: asking for the computed one of each takes its time.
const LIKELY_FIRST: &str = "const [selector, name] = arguments; \
    const speaks = e => [e.textContent, e.getAttribute('aria-label'), ...[...e.labels ?? []].map(l => l.textContent)] \
      .some(text => text?.replace(/\\s+/g, ' ').includes(name)); \
    const all = [...document.querySelectorAll(selector)]; \
    return [...all.filter(speaks), ...all.filter(e => !speaks(e))]";
/// [WebDriver 17.4.2] The keys' code points.
pub(super) const TAB: &str = "\u{e004}";
pub(super) const ENTER: &str = "\u{e007}";
/// More than any page has to stop at.
const MOST_TABS: usize = 50;
/// What keeps Chromium to itself.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// Whether a browser test can run here. What is missing is told; under `cargo xtask test` it is a failure.
pub(super) fn is_there() -> bool {
    let on_path = |program: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    };
    let axe = super::look::axe_file();
    let missing: Vec<String> = [
        (on_path("chromedriver"), "chromedriver".to_owned()),
        (axe.is_file(), format!("{} (npm ci)", axe.display())),
    ]
    .into_iter()
    .filter_map(|(there, name)| (!there).then_some(name))
    .collect();
    if missing.is_empty() {
        return true;
    }
    let text = format!(
        "missing for a real browser: {}; `cargo xtask test` installs it",
        missing.join(", ")
    );
    assert!(std::env::var_os(BROWSER_IS_THERE).is_none(), "{text}");
    eprintln!("skipped: {text}");
    false
}

/// Whether the person has JavaScript.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum JavaScript {
    On,
    Off,
}

/// The screen that the person looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Screen {
    Desktop,
    /// With a finger instead of a mouse.
    Phone,
    /// 1280 pixels at 400 % [WCAG 1.4.10].
    Narrowest,
}

impl Screen {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Phone => "phone",
            Self::Narrowest => "narrowest",
        }
    }

    /// In CSS pixels.
    pub(super) const fn width(self) -> u32 {
        self.size().0
    }

    const fn size(self) -> (u32, u32, u32) {
        match self {
            Self::Desktop => (1280, 900, 1),
            Self::Phone => (375, 812, 2),
            Self::Narrowest => (320, 640, 1),
        }
    }
}

/// One person's browser: its cookies, its profile, one tab.
pub(super) struct Browser(Session);

impl Browser {
    /// Starts one. Connections to `from` end at `to`, so that several tests can each wait at the one registered
    /// redirect URI.
    pub(super) async fn start(folder: &Path, javascript: JavaScript, from: &str, to: &str) -> Self {
        let profile = folder.join(format!("profile-{}", uuid::Uuid::new_v4()));
        let mut arguments: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        arguments.push(format!("--host-resolver-rules=MAP {from} {to}"));
        let allowed = if javascript == JavaScript::On { 1 } else { 2 };
        let capabilities = json!({
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": { "profile.managed_default_content_settings.javascript": allowed },
            },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let browser = Self(Session::start(capabilities).await);
        browser.turn_to(Screen::Desktop).await;
        browser
    }

    /// Closes the browser.
    pub(super) async fn close(self) {
        self.0.end().await;
    }

    /// Changes the size of the screen; the page stays.
    pub(super) async fn turn_to(&self, screen: Screen) {
        let (width, height, scale) = screen.size();
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": screen == Screen::Phone,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        let touch = json!({ "enabled": screen == Screen::Phone });
        self.devtools("Emulation.setTouchEmulationEnabled", touch)
            .await;
    }

    pub(super) async fn open(&self, address: &str) {
        self.post("/url", json!({ "url": address })).await;
    }

    pub(super) async fn reload(&self) {
        self.post("/refresh", json!({})).await;
    }

    pub(super) async fn url(&self) -> Url {
        self.read("/url").await.parse().unwrap()
    }

    /// The HTTP status with which the page that is open was answered.
    pub(super) async fn status(&self) -> u64 {
        let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.script(status).await.as_u64().unwrap()
    }

    pub(super) async fn title(&self) -> String {
        self.read("/title").await
    }

    /// The element at that CSS selector, which may take a moment to be there.
    async fn find(&self, selector: &str) -> Element {
        let began = Instant::now();
        loop {
            match self.0.find(selector).await {
                Ok(element) => return element,
                Err(error) if began.elapsed() > PATIENCE => {
                    panic!("no {selector} on {}: {error}", self.where_am_i().await)
                }
                Err(_) => tokio::time::sleep(A_WHILE).await,
            }
        }
    }

    /// What a person reads in an element.
    pub(super) async fn text(&self, selector: &str) -> String {
        self.read(&self.find(selector).await.path("text")).await
    }

    /// The page as it is now, in HTML.
    pub(super) async fn html(&self) -> String {
        self.read("/source").await
    }

    /// An attribute as it is written; empty where there is none.
    pub(super) async fn attribute(&self, selector: &str, name: &str) -> String {
        let element = self.find(selector).await;
        self.read(&element.path(&format!("attribute/{name}"))).await
    }

    /// Clicks the element at that CSS selector.
    pub(super) async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        self.post(&element.path("click"), json!({})).await;
    }

    /// Clicks what leads to another page, and waits until that is there.
    pub(super) async fn follow(&self, selector: &str) {
        let element = self.find(selector).await;
        self.follow_element(&element, selector).await;
    }

    /// The same with what has this role and this name for whoever cannot see it.
    pub(super) async fn follow_named(&self, role: &str, name: &str) {
        let element = self.find_named(role, name).await;
        self.follow_element(&element, name).await;
    }

    /// Writes into the field of this name, instead of what stands there.
    pub(super) async fn fill(&self, name: &str, text: &str) {
        let field = self.find_named("textbox", name).await;
        self.post(&field.path("clear"), json!({})).await;
        self.post(&field.path("value"), json!({ "text": text }))
            .await;
    }

    /// Chooses a file in the field at that CSS selector.
    pub(super) async fn attach(&self, selector: &str, file: &Path) {
        let field = self.find(selector).await;
        self.post(&field.path("value"), json!({ "text": file }))
            .await;
    }

    /// The role and the name under which whoever cannot see it hears of an element.
    pub(super) async fn heard(&self, selector: &str) -> (String, String) {
        let element = self.find(selector).await;
        let role = self.read(&element.path("computedrole")).await;
        (role, self.read(&element.path("computedlabel")).await)
    }

    /// Selects the radio button of this name.
    pub(super) async fn choose(&self, name: &str) {
        let radio = self.find_named("radio", name).await;
        self.post(&radio.path("click"), json!({})).await;
    }

    /// What has this role and this name in the browser's accessibility tree, which is what screen readers have
    /// [WebDriver 12.4.9 and 12.4.10].
    async fn find_named(&self, role: &str, name: &str) -> Element {
        let candidates = match role {
            "button" => "button, a[role='button']",
            "link" => "a:not([role])",
            "radio" => "input[type='radio']",
            _ => "input, textarea",
        };
        let began = Instant::now();
        loop {
            for element in self
                .0
                .find_by_script(LIKELY_FIRST, [candidates, name])
                .await
            {
                if self.is_named(&element, role, name).await {
                    return element;
                }
            }
            let waits = began.elapsed() <= PATIENCE;
            assert!(waits, "no {role} ‘{name}’ on {}", self.where_am_i().await);
            tokio::time::sleep(A_WHILE).await;
        }
    }

    async fn is_named(&self, element: &Element, role: &str, name: &str) -> bool {
        // Between two pages an element may be gone again.
        let is = async |what: &str, wanted: &str| {
            let told = self.0.get(&element.path(what)).await;
            told.is_ok_and(|told| told == wanted)
        };
        is("computedlabel", name).await && is("computedrole", role).await
    }

    /// Whether such a thing is on the page that is there now.
    pub(super) async fn has(&self, selector: &str) -> bool {
        self.0.find(selector).await.is_ok()
    }

    /// What a person reads in each of these elements.
    pub(super) async fn texts(&self, selector: &str) -> Vec<String> {
        self.find(selector).await;
        let mut texts = Vec::new();
        for element in self.0.find_all(selector).await {
            texts.push(self.read(&element.path("text")).await);
        }
        texts
    }

    /// The same for whoever has a keyboard only: Tab until the focus is on it, and Enter.
    pub(super) async fn follow_by_keyboard(&self, role: &str, name: &str) {
        for _ in 0..MOST_TABS {
            self.press_times(TAB, 1).await;
            let Ok(focused) = self.0.focused().await else {
                continue;
            };
            if self.is_named(&focused, role, name).await {
                let page = self.find("html").await;
                self.press_times(ENTER, 1).await;
                return self.leaves(&page, name).await;
            }
        }
        panic!(
            "no key leads to {role} ‘{name}’ on {}",
            self.where_am_i().await
        );
    }

    async fn follow_element(&self, element: &Element, name: &str) {
        let page = self.find("html").await;
        self.post(&element.path("click"), json!({})).await;
        self.leaves(&page, name).await;
    }

    /// Waits until that page is gone and the next one is there.
    async fn leaves(&self, page: &Element, name: &str) {
        let began = Instant::now();
        while self.0.get(&page.path("name")).await.is_ok() {
            let waits = began.elapsed() <= PATIENCE;
            assert!(
                waits,
                "{name} leads nowhere from {}",
                self.where_am_i().await
            );
            tokio::time::sleep(A_WHILE).await;
        }
        self.find("main").await;
    }

    /// Types into the element that has the focus.
    pub(super) async fn press(&self, keys: &str) {
        let focused = self.0.focused().await.unwrap();
        self.post(&focused.path("value"), json!({ "text": keys }))
            .await;
    }

    /// Presses one key so often, wherever each leads the focus.
    pub(super) async fn press_times(&self, key: &str, times: usize) {
        let down_and_up = ["keyDown", "keyUp"].map(|what| json!({ "type": what, "value": key }));
        let presses = vec![down_and_up; times].concat();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": presses });
        self.post("/actions", json!({ "actions": [keyboard] }))
            .await;
    }

    /// Runs a function's body in the page.
    pub(super) async fn script(&self, body: &str) -> Value {
        let script = json!({ "script": body, "args": [] });
        self.post("/execute/sync", script).await
    }

    /// Runs a function's body that ends by calling its last argument.
    pub(super) async fn script_until_called_back(&self, body: &str) -> Value {
        let script = json!({ "script": body, "args": [] });
        self.post("/execute/async", script).await
    }

    /// Waits until the page reads so somewhere in its main part. Like a person who comes back to the tab, it makes
    /// the page look at once what is new.
    pub(super) async fn wait_for_text(&self, text: &str) {
        let began = Instant::now();
        loop {
            // Between two pages there is none.
            let read = match self.0.find("main").await {
                Ok(main) => self.0.get(&main.path("text")).await.unwrap_or_default(),
                Err(_) => Value::Null,
            };
            let read = read.as_str().unwrap_or_default();
            if read.contains(text) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "no ‘{text}’ on {}:\n{read}",
                self.where_am_i().await
            );
            let come_back = "document.dispatchEvent(new Event('visibilitychange'))";
            let come_back = json!({ "script": come_back, "args": [] });
            let _ = self.0.post("/execute/sync", come_back).await;
            tokio::time::sleep(A_WHILE).await;
        }
    }

    /// Waits, without touching the page, until the browser is at an address that begins so.
    pub(super) async fn wait_for_address(&self, prefix: &str) -> Url {
        let began = Instant::now();
        loop {
            let url = self.url().await;
            if url.as_str().starts_with(prefix) {
                return url;
            }
            assert!(began.elapsed() < PATIENCE, "still at {url}, not {prefix}");
            tokio::time::sleep(A_WHILE).await;
        }
    }

    /// The same for a person who comes back to the tab, and presses the button that leads on as soon as it is there.
    pub(super) async fn go_on_to(&self, prefix: &str) {
        let go_on = "document.dispatchEvent(new Event('visibilitychange')); \
            const link = document.getElementById('continue'); \
            if (link?.checkVisibility()) link.click()";
        let began = Instant::now();
        loop {
            let url = self.url().await;
            if url.as_str().starts_with(prefix) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "still at {url}, not {prefix}");
            // Between two pages there is none to run it in.
            let go_on = json!({ "script": go_on, "args": [] });
            let _ = self.0.post("/execute/sync", go_on).await;
            tokio::time::sleep(A_WHILE).await;
        }
    }

    async fn where_am_i(&self) -> String {
        format!("{} ({})", self.read("/url").await, self.title().await)
    }

    /// What is in the window, as PNG.
    pub(super) async fn window_picture(&self) -> Vec<u8> {
        decode(&self.read("/screenshot").await)
    }

    /// The page from top to bottom, as PNG.
    pub(super) async fn page_picture(&self) -> Vec<u8> {
        let whole = json!({ "format": "png", "captureBeyondViewport": true, "clip": self.whole_page().await });
        let taken = self.devtools("Page.captureScreenshot", whole).await;
        decode(taken["data"].as_str().unwrap())
    }

    async fn whole_page(&self) -> Value {
        let metrics = self.devtools("Page.getLayoutMetrics", json!({})).await;
        let mut clip = metrics["cssContentSize"].clone();
        clip["scale"] = json!(1);
        clip
    }

    /// A command of Chromium's own tools for developers.
    pub(super) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", body).await
    }

    /// What the console complained about since the last call.
    pub(super) async fn complaints(&self) -> Vec<String> {
        let entries = self.post("/se/log", json!({ "type": "browser" })).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let loud = |entry: &Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        let told = entries.iter().filter(|entry| loud(entry));
        told.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Where the tab's requests went since the last call.
    pub(super) async fn requests(&self) -> Vec<Url> {
        let entries = self.post("/se/log", json!({ "type": "performance" })).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let events = entries.iter().filter_map(|entry| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &event["message"];
            if event["method"] != "Network.requestWillBeSent" {
                return None;
            }
            event["params"]["request"]["url"].as_str()?.parse().ok()
        });
        events.collect()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.0.post(path, body).await.unwrap()
    }

    async fn read(&self, path: &str) -> String {
        let value = self.0.get(path).await.unwrap();
        value.as_str().unwrap_or_default().to_owned()
    }
}

fn decode(picture: &str) -> Vec<u8> {
    let base64 = base64::engine::general_purpose::STANDARD;
    base64.decode(picture).unwrap()
}
