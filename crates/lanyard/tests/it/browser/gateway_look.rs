//! The gateway's pages, each in every state, as a sandbox shows them below `/__states` by the code of real journeys.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::driver::{Browser, JavaScript, Screen};
use super::keyboard::tab_through;
use super::look::{load_on, look, look_in_forced_colours, overflow, save, unfold, violations};
use super::qr_code;
use super::stage::{REDIRECT_URI, Stage};

/// The names of the states, and what stands beside them, each with its address.
async fn states(stage: &Stage) -> Vec<(String, String)> {
    let answer = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = answer.get(stage.gateway("__states")).send().await.unwrap();
    let names: Vec<String> = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert!(names.len() > 30, "{names:?}");
    let beside =
        ["help", "accessibility", "status"].map(|name| (name.to_owned(), stage.gateway(name)));
    let states = names.into_iter().map(|name| {
        let address = stage.gateway(&format!("__states/{name}"));
        (name, address)
    });
    states.chain(beside).collect()
}

/// What is more on a page that stays the same.
const SAME_PAGE: [&str; 6] = [
    "-pin",
    "-short-code",
    "-several",
    "-authenticator",
    "-known",
    "-typed",
];

/// What tells one page from another: several refusals have the same, which needs to be looked at once.
async fn read(browser: &Browser) -> String {
    let read = browser.text("main").await;
    let minutes =
        |line: &&str| !line.contains("You have until") && !line.contains("Your reference is");
    read.lines().filter(minutes).collect::<Vec<_>>().join("\n")
}

/// Whether no state before had the same page; else says which.
async fn is_new(browser: &Browser, state: &str, seen: &mut BTreeMap<String, String>) -> bool {
    let before = seen.insert(read(browser).await, state.to_owned());
    if let Some(same) = &before {
        eprintln!("{state}: as {same}");
    }
    before.is_none()
}

/// WCAG 2.2 AA as far as a program can tell. DW-34.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_the_gateway_is_seen_reached_by_keyboard_and_fits_in_every_state() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    let mut seen = BTreeMap::new();
    let mut titles: BTreeMap<(String, String), String> = BTreeMap::new();
    for (state, address) in states(&stage).await {
        browser.open(&address).await;
        assert_eq!(browser.attribute("html", "lang").await, "en", "{state}");
        if !is_new(&browser, &state, &mut seen).await {
            continue;
        }
        // Whoever has several tabs open tells them apart, those of one purpose at least.
        let purpose = state.split('-').next().unwrap_or_default().to_owned();
        let title = browser.title().await;
        let page = SAME_PAGE.iter().find_map(|more| state.strip_suffix(more));
        let page = page.unwrap_or(&state).to_owned();
        let known = titles.entry((purpose, title.clone()));
        assert_eq!(*known.or_insert(page.clone()), page, "{state}: {title}");

        let name = format!("gateway-{state}");
        look(&stage, &browser, &name).await;
        look_at_what_is_folded(&browser, &name).await;
        enlarge_the_text(&browser, &state).await;
        let names = tab_through(&browser).await;
        assert_eq!(names[0], "Skip to main content", "{state}");
        assert_eq!(names.last().unwrap(), "Accessibility statement", "{state}");
    }
    browser.close().await;
    stage.strike().await;
}

/// The same for whoever has colours of their own (DW-34: a camera reads the code in them, too), or no script, and for what the
/// script says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_the_gateway_stands_forced_colours_and_a_script_that_does_not_come() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    let mut seen = BTreeMap::new();
    for (state, address) in states(&stage).await {
        browser.open(&address).await;
        if !is_new(&browser, &state, &mut seen).await {
            continue;
        }
        look_in_forced_colours(&browser, &format!("gateway-{state}")).await;
        look_at_the_code_in_forced_colours(&browser, &state).await;
        look_without_a_script(&browser, &state).await;
        if state == "verify-ready" {
            look_at_what_the_script_says(&browser, &address).await;
        }
    }
    browser.close().await;
    stage.strike().await;
}

/// As the page is where its script never ran. The checker is one, too: it comes when the page is there.
async fn look_without_a_script(browser: &Browser, state: &str) {
    let disabled = "Emulation.setScriptExecutionDisabled";
    browser.devtools(disabled, json!({ "value": true })).await;
    browser.reload().await;
    browser.devtools(disabled, json!({ "value": false })).await;
    assert_eq!(browser.attribute("body", "class").await, "", "a script ran");
    assert_eq!(violations(browser).await, [""; 0], "{state}: no script");
}

/// What no page says as it is served: that a link is copied, or not, that no wallet answered, that time is short. Each comes
/// after a while, or after what a browser of a test cannot do, so the page is told that it has.
async fn look_at_what_the_script_says(browser: &Browser, address: &str) {
    let at_once = "const wait = setTimeout; \
        window.setTimeout = (then, after) => wait(then, after > 2500 ? 0 : after)";
    let script = json!({ "source": at_once });
    let at_once = "Page.addScriptToEvaluateOnNewDocument";
    let at_once = browser.devtools(at_once, script).await;
    let press = |id: &str| format!("document.getElementById('{id}').click()");
    let copy = |copied: &str| {
        format!("navigator.clipboard.writeText = async () => {{ {copied} }}; ")
            + &press("copy-link")
    };
    let open = "document.getElementById('open-wallet-here') \
        .addEventListener('click', event => event.preventDefault()); "
        .to_owned();
    let says = [
        ("two-minutes", String::new(), "You have 2 minutes left."),
        ("copied", copy(""), "The link is copied."),
        (
            "not-copied",
            copy("throw new Error('no')"),
            "The link could not be copied. Select it and copy it yourself.",
        ),
        (
            "nothing-happened",
            open + &press("open-wallet-here"),
            "Nothing happened? Check that your wallet is installed on this device.",
        ),
    ];
    for (name, act, said) in says {
        for screen in [Screen::Narrowest, Screen::Phone, Screen::Desktop] {
            browser.turn_to(screen).await;
            browser.open(address).await;
            unfold(browser).await;
            browser.script(&act).await;
            browser.wait_for_text(said).await;
            // Whoever does not see it hears it.
            let live = format!(
                "return [...document.querySelectorAll('[aria-live=polite]')].filter(e => e.textContent === '{said}').length"
            );
            assert_eq!(browser.script(&live).await, json!(1), "{name}");
            assert_eq!(overflow(browser, screen).await, None, "{name}");
            save(&format!("gateway-said-{name}"), screen, browser).await;
        }
        assert_eq!(violations(browser).await, [""; 0], "{name}");
    }
    let remove = "Page.removeScriptToEvaluateOnNewDocument";
    browser.devtools(remove, at_once).await;
}

/// A page that came from state to state by its script is the page of that state: text, title, what can be seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_follows_its_wallet_ends_up_as_the_page_of_that_state() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    // Between two pages a minute may begin.
    let shown = "const main = document.querySelector('main'); \
        const timeless = text => text.replace(/\\d+(:\\d\\d)?[ap]m/g, 'then'); \
        return [document.title, timeless(document.getElementById('status').textContent), \
          timeless(main.innerText), main.getBoundingClientRect().height]";
    // The way back would be followed before it is looked at.
    let stays = "const wait = setTimeout; window.setTimeout = (then, after) => after === 3000 ? 0 : wait(then, after); ";
    for (purpose, states) in [
        ("verify", ["scanned", "opened", "returning", "done"]),
        ("issue", ["scanned", "opened", "checking", "done"]),
    ] {
        let served = async |state: &str| {
            let address = stage.gateway(&format!("__states/{purpose}-{state}"));
            browser.open(&address).await;
            browser.script(shown).await
        };
        for state in states {
            let wanted = served(state).await;
            served("ready").await;
            let follow = format!(
                "{stays} window.fetch = async () => new Response('{{\"state\": \"{state}\", \"version\": 99}}'); \
                 document.dispatchEvent(new Event('visibilitychange'))"
            );
            browser.script(&follow).await;
            let mut became = browser.script(shown).await;
            for _ in 0..200 {
                if became == wanted {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
                became = browser.script(shown).await;
            }
            assert_eq!(became, wanted, "{purpose}-{state}");
            assert_eq!(violations(&browser).await, [""; 0], "{purpose}-{state}");
        }
    }
    browser.close().await;
    stage.strike().await;
}

/// What the person folds out is looked at, too.
async fn look_at_what_is_folded(browser: &Browser, name: &str) {
    if !browser.has("main details").await {
        return;
    }
    for screen in [Screen::Narrowest, Screen::Phone, Screen::Desktop] {
        load_on(browser, screen).await;
        unfold(browser).await;
        assert_eq!(overflow(browser, screen).await, None, "{name}");
        if screen == Screen::Narrowest {
            continue;
        }
        assert_eq!(violations(browser).await, [""; 0], "{name}");
        save(&format!("{name}-unfolded"), screen, browser).await;
    }
}

/// Twice as large, the text alone [WCAG 1.4.4].
async fn enlarge_the_text(browser: &Browser, state: &str) {
    browser
        .script("document.documentElement.style.fontSize = '200%'")
        .await;
    let enlarged = browser
        .script("return parseFloat(getComputedStyle(document.querySelector('main p, main h1')).fontSize)")
        .await;
    assert!(enlarged.as_f64().unwrap() >= 32.0, "{state}: {enlarged}");
    assert_eq!(overflow(browser, Screen::Desktop).await, None, "{state}");
    browser
        .script("document.documentElement.style.fontSize = ''")
        .await;
}

/// Dark on light, with its quiet zone, whatever colours the person has chosen [WCAG 1.4.11].
async fn look_at_the_code_in_forced_colours(browser: &Browser, state: &str) {
    let shown = "return Boolean(document.querySelector('.lanyard-qr')?.checkVisibility())";
    if browser.script(shown).await != Value::Bool(true) {
        return;
    }
    let dark = json!({ "features": [
        { "name": "forced-colors", "value": "active" },
        { "name": "prefers-color-scheme", "value": "dark" },
    ] });
    browser.devtools("Emulation.setEmulatedMedia", dark).await;
    let around = "const box = document.querySelector('.lanyard-qr').parentElement; \
        return [box, box.firstElementChild].map(e => getComputedStyle(e).backgroundColor)";
    let white = "rgb(255, 255, 255)";
    assert_eq!(
        browser.script(around).await,
        json!([white, white]),
        "{state}"
    );
    let link = qr_code::read(browser).await;
    assert!(
        link.starts_with("http") || link.starts_with("openid"),
        "{link}"
    );
    let none = json!({ "features": [] });
    browser.devtools("Emulation.setEmulatedMedia", none).await;
}

/// Every way on is a link or a form.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_script_every_page_of_the_gateway_shows_its_state_and_its_ways_on() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::Off).await;
    for (state, address) in states(&stage).await {
        browser.open(&address).await;
        assert_eq!(browser.attribute("body", "class").await, "", "a script ran");
        let ways: &[&str] = match state
            .split_once('-')
            .map_or(state.as_str(), |(_, rest)| rest)
        {
            "ready" => &[
                "#open-wallet",
                "#open-wallet-here",
                "#larger-code",
                "#code-link",
                "#finished",
            ],
            "ready-pin" => &["#open-wallet", "#pin"],
            "ready-short-code" => &["#open-wallet", "details[open] #typed"],
            "scanned" | "opened" | "scanned-several" | "opened-several" => {
                &["#finished", "form[action$='/cancel']"]
            }
            "scanned-pin" | "opened-pin" => &["#finished", "#pin"],
            "checking" => &["#finished"],
            "returning" => &["form[action$='/restart']"],
            "done" => &["#continue"],
            _ if browser.has("#ended").await => &["#go-back"],
            _ => &["h1"],
        };
        for way in ways {
            assert!(browser.has(way).await, "{state}: {way}");
        }
    }
    // The link can be selected, and what needs a script is not there.
    browser.open(&stage.gateway("__states/verify-ready")).await;
    browser.click("#cannot-scan summary").await;
    let link = browser.attribute("#code-link", "value").await;
    assert_eq!(link, browser.attribute("#open-wallet", "href").await);
    assert!(browser.has("#copy-link[hidden]").await);
    browser.close().await;
    stage.strike().await;
}

/// Longer words must fit, too, and nobody takes the draft for more than it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_welsh_every_page_of_the_gateway_fits_and_says_that_it_is_a_draft() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    browser.open(&stage.gateway("help?lang=cy")).await;
    assert_eq!(browser.url().await.as_str(), stage.gateway("help"));
    let mut seen = BTreeSet::new();
    for (state, address) in states(&stage).await {
        browser.open(&address).await;
        assert_eq!(browser.attribute("html", "lang").await, "cy", "{state}");
        let note = browser.text(".lanyard-banner").await;
        let both = "Cymraeg drafft: angen ei adolygu. Draft Welsh: needs review.";
        assert_eq!(note, both, "{state}");
        if !seen.insert(browser.text("main").await) {
            continue;
        }
        assert_eq!(violations(&browser).await, [""; 0], "{state}");
        for screen in [Screen::Narrowest, Screen::Phone, Screen::Desktop] {
            load_on(&browser, screen).await;
            assert_eq!(overflow(&browser, screen).await, None, "{state}");
        }
        let name = format!("gateway-{state}-welsh");
        save(&name, Screen::Desktop, &browser).await;
    }
    // And back, by the link at the top of a page that stays.
    browser.open(&stage.gateway("help")).await;
    browser.follow(".lanyard-languages a[lang='en']").await;
    assert_eq!(browser.attribute("html", "lang").await, "en");
    browser.close().await;
    stage.strike().await;
}

/// Screens 3.3.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cannot_scan_copies_the_link_or_types_a_short_code() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    let started = stage.verify().await;
    browser.open(started.url.as_str()).await;
    browser.click("#cannot-scan summary").await;
    browser.click("#copy-link").await;
    browser.wait_for_text("The link is copied.").await;
    let selected = "return document.getSelection().toString()";
    let link = browser.attribute("#open-wallet", "href").await;
    assert_eq!(browser.script(selected).await, Value::from(link));

    browser.follow("form[action$='/short-code'] button").await;
    // It stays unfolded, and the code is in the window.
    let typed = browser.text("#typed").await;
    assert!(typed.contains("/c/"), "{typed}");
    stage.scan("anna", &typed).await;
    browser.go_on_to(REDIRECT_URI).await;
    stage.came_back_verified(started.pending).await;
    browser.close().await;
    stage.strike().await;
}
