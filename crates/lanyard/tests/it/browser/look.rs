//! Looking at a page: a picture on each screen, the accessibility checker, what the console and the network say.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use url::Url;

use super::driver::{Browser, Screen};

/// The tags of WCAG 2.2 AA, and the checker's own advice (screens 3.6).
const RULES: &str = "['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']";

/// Where the pages come from that are looked at.
pub(super) trait Place {
    /// Whether a page may ask there.
    fn is_ours(&self, address: &Url) -> bool;
}

/// The checker, installed from the lock file by `cargo xtask test`.
pub(super) fn axe_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/browser-tools/node_modules/axe-core/axe.min.js")
}

/// Looks at the page that is open, on each screen and at the narrowest width, and expects nothing wrong.
///
/// The pictures are `target/screens/NAME-SCREEN.png`, where somebody wants them.
pub(super) async fn look(place: &impl Place, browser: &Browser, name: &str) {
    let mut wrong = Vec::new();
    for screen in [Screen::Desktop, Screen::Phone, Screen::Narrowest] {
        load_on(browser, screen).await;
        if screen != Screen::Narrowest {
            save(name, screen, browser).await;
        }
        let found = violations(browser).await;
        wrong.extend(
            found
                .into_iter()
                .map(|text| format!("{}: {text}", screen.name())),
        );
        wrong.extend(overflow(browser, screen).await);
    }
    load_on(browser, Screen::Desktop).await;

    wrong.extend(quiet(place, browser).await);
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

/// Turns to another device. Which way comes first on a page with a code depends on the pointer, once it is loaded:
/// such a page is loaded again, as its own person would have it.
pub(super) async fn load_on(browser: &Browser, screen: Screen) {
    browser.turn_to(screen).await;
    let depends = "return Boolean(document.querySelector('#use-another-device'))";
    if browser.script(depends).await == Value::Bool(true) {
        browser.reload().await;
    }
}

/// Opens everything that can be folded out.
pub(super) async fn unfold(browser: &Browser) {
    let unfold = "document.querySelectorAll('details').forEach(one => { one.open = true })";
    browser.script(unfold).await;
}

/// Whoever chose their own colours, or few movements, still sees the states, the buttons and the warning, and nothing
/// moves. The picture is `target/screens/NAME-forced-colours-desktop.png`.
pub(super) async fn look_in_forced_colours(browser: &Browser, name: &str) {
    let chosen = json!({ "features": [
        { "name": "forced-colors", "value": "active" },
        { "name": "prefers-reduced-motion", "value": "reduce" },
    ] });
    browser.devtools("Emulation.setEmulatedMedia", chosen).await;
    let are_forced = "return matchMedia('(forced-colors: active)').matches";
    assert_eq!(browser.script(are_forced).await, Value::Bool(true));
    for screen in [Screen::Phone, Screen::Desktop] {
        load_on(browser, screen).await;
        let unseen = browser.script(UNBORDERED).await;
        assert_eq!(unseen, json!([]), "{name} on {}", screen.name());
    }
    let found = violations(browser).await;
    assert_eq!(found, [""; 0], "{name} in forced colours");
    save(&format!("{name}-forced-colours"), Screen::Desktop, browser).await;
    let none = json!({ "features": [] });
    browser.devtools("Emulation.setEmulatedMedia", none).await;
}

/// Buttons, tags and the warning whose edges only a background drew, which forced colours take away.
const UNBORDERED: &str = "const edge = e => { const s = getComputedStyle(e); \
      return parseFloat(s.borderTopWidth) > 0 || parseFloat(s.outlineWidth) > 0 && s.outlineStyle !== 'none' }; \
    return [...document.querySelectorAll('main .nhsuk-button, main .nhsuk-tag, dialog[open]')] \
      .filter(e => e.checkVisibility() && !edge(e)).map(e => e.outerHTML.slice(0, 120))";

/// What the console complained about, and requests that went elsewhere, since the last look.
pub(super) async fn quiet(place: &impl Place, browser: &Browser) -> Vec<String> {
    // A page that is itself an error is no fault of the page's.
    let of_the_page = |complaint: &String| {
        complaint.contains("the server responded with a status of")
            && !complaint.contains("/assets/")
    };
    let complaints = browser.complaints().await.into_iter();
    let complaints = complaints.filter(|complaint| !of_the_page(complaint));
    let requests = browser.requests().await.into_iter();
    let strayed = requests.filter(|url| !place.is_ours(url) && !is_local(url));
    let strayed = strayed.map(|url| format!("a request went to {url}"));
    complaints
        .map(|complaint| format!("the console says: {complaint}"))
        .chain(strayed)
        .collect()
}

/// What the browser asks of itself.
fn is_local(address: &Url) -> bool {
    matches!(address.scheme(), "data" | "chrome" | "chrome-untrusted")
}

/// A picture of the whole page, for people to look at: no program does, and taking it is the slowest part of a look. It
/// is taken where `LANYARD_PICTURES` or `LANYARD_LONG` asks for it.
pub(super) async fn save(name: &str, screen: Screen, browser: &Browser) {
    let asks = |variable: &str| std::env::var_os(variable).is_some();
    if !asks("LANYARD_PICTURES") && !asks("LANYARD_LONG") {
        return;
    }
    let picture = browser.page_picture().await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../screens");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{name}-{}.png", screen.name()));
    std::fs::write(file, picture).unwrap();
}

/// What scrolls sideways [WCAG 1.4.10]. A phone makes the page wider instead, so the screen is the measure.
pub(super) async fn overflow(browser: &Browser, screen: Screen) -> Option<String> {
    let width = screen.width();
    let script = format!(
        "if (document.documentElement.scrollWidth <= {width}) return null; \
         return [...document.querySelectorAll('body *')] \
           .filter(e => e.getBoundingClientRect().left + e.scrollWidth > {width} && !e.childElementCount) \
           .map(e => e.outerHTML.slice(0, 120))"
    );
    let wide = browser.script(&script).await;
    (!wide.is_null()).then(|| format!("{}: scrolls sideways: {wide}", screen.name()))
}

pub(super) async fn violations(browser: &Browser) -> Vec<String> {
    if browser.script("return Boolean(window.axe)").await == Value::Bool(false) {
        let axe = std::fs::read_to_string(axe_file()).unwrap();
        browser.script(&axe).await;
    }
    let run = format!(
        "const done = arguments[arguments.length - 1]; \
         axe.run(document, {{ runOnly: {{ type: 'tag', values: {RULES} }}, preload: false, \
           resultTypes: ['violations'] }}) \
           .then(found => done(found.violations), error => done([{{ id: String(error), nodes: [] }}]))"
    );
    let found = browser.script_until_called_back(&run).await;
    let found = found.as_array().cloned().unwrap_or_default();
    let told = found.iter().map(|violation| {
        let nodes = violation["nodes"].as_array().cloned().unwrap_or_default();
        let nodes = nodes.iter().map(|node| {
            format!(
                "{} ({})",
                node["html"].as_str().unwrap_or_default(),
                node["failureSummary"]
            )
        });
        let nodes = nodes.collect::<Vec<_>>().join("\n  ");
        format!("{}: {}\n  {nodes}", violation["id"], violation["help"])
    });
    told.collect()
}
