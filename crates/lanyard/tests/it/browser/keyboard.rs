//! Whoever has only a keyboard reaches everything, in the order in which it is read, and sees where they are.

use serde_json::{Value, json};

use super::driver::{Browser, ENTER, JavaScript, Screen, TAB};
use super::stage::{REDIRECT_URI, Stage};

/// Everything that can have the focus and is shown, in the document's order, with how it looks without it. Of radios,
/// Tab reaches the chosen one or else the first, and arrows the others. An open warning keeps the focus.
const EVERYTHING: &str = "window.look = (e) => { const s = getComputedStyle(e); \
      return [s.outlineStyle, s.outlineColor, s.boxShadow, s.backgroundColor, s.color].join(' ') }; \
    const ofItsKind = e => [...document.getElementsByName(e.name)]; \
    const standsForItsKind = e => e.type !== 'radio' || \
      e === (ofItsKind(e).find(one => one.checked) ?? ofItsKind(e)[0]); \
    const page = document.querySelector('dialog:modal') ?? document; \
    window.everything = [...page.querySelectorAll('a[href], button, input, select, textarea, summary')] \
      .filter(e => e.type !== 'hidden' && e.checkVisibility() && standsForItsKind(e)); \
    window.unfocused = window.everything.map(window.look); \
    return window.everything.map(e => e.textContent.trim().replace(/\\s+/g, ' '))";

/// The focus is nowhere, and Tab begins at the top.
const TO_THE_TOP: &str = "document.activeElement.blur(); const top = document.querySelector('dialog:modal') ?? document.body; \
    top.tabIndex = -1; top.focus(); top.removeAttribute('tabindex'); \
    document.getAnimations().forEach(change => change.finish()); scrollTo(0, 0)";

/// Notes after each key which of them has the focus, whether it looks different now, and whether it is in the window.
/// The design system's buttons change colour over a tenth of a second, which nobody needs to wait for.
const NOTE: &str = "window.places = []; document.onkeyup = () => { \
    document.getAnimations().forEach(change => change.finish()); \
    const at = window.everything.indexOf(document.activeElement); \
    if (at < 0) return window.places.push(null); \
    const e = window.everything[at], r = e.getBoundingClientRect(); \
    window.places.push({ at, seen: window.look(e) !== window.unfocused[at] && \
      r.bottom > 0 && r.top < innerHeight && r.width > 0 && r.height > 0 }) }";

/// Presses Tab from the top to the end; gives the names of what had the focus.
pub(super) async fn tab_through(browser: &Browser) -> Vec<String> {
    browser.script(TO_THE_TOP).await;
    let names: Vec<String> = serde_json::from_value(browser.script(EVERYTHING).await).unwrap();
    browser.script(NOTE).await;
    browser.press_times(TAB, names.len()).await;
    let places = browser.script("return window.places").await;
    for (at, name) in names.iter().enumerate() {
        assert_eq!(
            places[at],
            json!({ "at": at, "seen": true }),
            "‘{name}’ of {names:?}"
        );
    }
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyboard_reaches_everything_in_order_and_the_focus_is_seen() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    for screen in [Screen::Desktop, Screen::Phone] {
        browser.turn_to(screen).await;
        let started = stage.verify().await;
        browser.open(started.url.as_str()).await;
        let names = tab_through(&browser).await;
        let places = [
            "Skip to main content",
            "Start again",
            "Cancel",
            "Help",
            "Accessibility statement",
        ]
        .map(|name| names.iter().position(|known| known == name));
        assert!(places.is_sorted() && places[0] == Some(0), "{names:?}");
        for name in [
            "Open my wallet on this device",
            if screen == Screen::Phone {
                "Use another device"
            } else {
                "Show the code larger"
            },
            "I cannot scan the code",
            "I have finished in my wallet",
        ] {
            assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
        }
    }

    // The skip link leads past the header, and Enter on Cancel cancels.
    browser.turn_to(Screen::Desktop).await;
    let started = stage.verify().await;
    browser.open(started.url.as_str()).await;
    browser.press(TAB).await;
    browser.press(ENTER).await;
    assert_eq!(
        browser.script("return document.activeElement.id").await,
        Value::from("maincontent")
    );
    for _ in 0..20 {
        browser.press(TAB).await;
        let name = browser
            .script("return document.activeElement.textContent.trim()")
            .await;
        if name == "Cancel" {
            break;
        }
    }
    browser.press(ENTER).await;
    browser.wait_for_address(REDIRECT_URI).await;
    stage
        .came_back_empty_handed(started.pending, "user cancelled")
        .await;
    browser.close().await;
    stage.strike().await;
}
