//! What the operator console draws and foretells is what there is: the bars of its charts, what a new version of a credential type
//! changes, and what the employee will see of it.

use gateway::admin::Role;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Statement;

use super::console_stage::{Console, PUBLIC};
use super::driver::{Browser, JavaScript, Screen};
use super::look::{load_on, overflow};

/// Each chart with where its bars are, and the table that stands behind it on the page of figures.
const CHARTS: &str = "return [...document.querySelectorAll('.lanyard-chart')].map(chart => { \
    const svg = chart.querySelector('svg'), of = svg.getBoundingClientRect(); \
    const table = chart.nextElementSibling?.matches('table') ? chart.nextElementSibling : null; \
    const parts = [...svg.querySelectorAll('rect')].map(rect => { const r = rect.getBoundingClientRect(); \
      return { left: r.left - of.left, right: r.right - of.left, bottom: r.bottom - of.top, height: r.height, \
        fill: rect.getAttribute('fill') } }); \
    return { title: chart.querySelector('h3').textContent.trim(), caption: table?.caption.textContent.trim() ?? '', \
      scale: chart.querySelector('p').textContent.trim(), right: of.right, width: of.width, height: svg.clientHeight, parts, \
      rows: [...table?.tBodies[0].rows ?? []].map(row => [...row.cells].map(cell => cell.lastElementChild.textContent.trim())) } })";

#[derive(Deserialize)]
struct Drawn {
    title: String,
    caption: String,
    scale: String,
    right: f64,
    width: f64,
    height: f64,
    parts: Vec<Part>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Part {
    left: f64,
    right: f64,
    bottom: f64,
    height: f64,
    fill: String,
}

impl Drawn {
    /// The numbers of the table: begun, and came to nothing.
    fn numbers(&self) -> Vec<(f64, f64)> {
        let number = |row: &[String], column: usize| row[column].parse().unwrap();
        let rows = self.rows.iter();
        rows.map(|row| (number(row, 1), number(row, 4))).collect()
    }

    /// The parts that stand in one of so many places beside each other.
    fn bar(&self, place: usize, of: usize) -> Vec<&Part> {
        let at = |part: &&Part| {
            let middle = f64::midpoint(part.left, part.right) / self.width;
            (0..of).rfind(|place| fraction(*place, of) <= middle) == Some(place)
        };
        self.parts.iter().filter(at).collect()
    }

    /// How much of the whole height that part of a bar has, and where it ends from above.
    fn part(&self, bar: &[&Part], fill: &str) -> (f64, f64) {
        let part = bar.iter().find(|part| part.fill == fill);
        part.map_or((0.0, 1.0), |part| {
            (part.height / self.height, part.bottom / self.height)
        })
    }
}

fn fraction(of: usize, all: usize) -> f64 {
    let [of, all] = [of, all].map(|number| f64::from(u32::try_from(number).unwrap()));
    of / all
}

async fn charts(browser: &Browser) -> Vec<Drawn> {
    serde_json::from_value(browser.script(CHARTS).await).unwrap()
}

fn is_near(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.01
}

/// Interactions of these hours ago; of each so many, and so many of them came to nothing.
async fn begin(console: &Console, hours: &[(i64, usize, usize)]) {
    let app = console.gateway.app();
    let mut batch = Vec::new();
    for (ago, begun, failed) in hours {
        for number in 0..*begun {
            let at = app.now() - jiff::SignedDuration::from_hours(*ago);
            let outcome = if number < *failed {
                "declined"
            } else {
                "verified"
            };
            let begun = "INSERT INTO interactions (id, version, organisation, client_id, purpose, credential_type, reference, stage, \
                 stage_at, outcome, request_digest, browser_digest, released, created_at, expires_at) \
                 VALUES ($1, 1, 'newtown', 'newtown-staff', 'verify', 'FireSafety', $1, 'finished', $2, $3, 'd', 'b', 1, $2, $2)";
            let begun = Statement::new(begun).bind(format!("{ago}-{number}"));
            batch.push(begun.bind(at).bind(outcome));
        }
    }
    app.store.write(batch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_consoles_charts_changes_and_previews_show_what_there_is() {
    let Some(console) = Console::open().await else {
        return;
    };
    console.declare_newtown().await;
    begin(&console, &[(1, 2, 0), (3, 4, 1), (5, 8, 8), (30, 3, 2)]).await;
    let (_, token) = console.operator("j.bloggs", Role::Administrator).await;
    let browser = console.browser(JavaScript::On).await;
    console.set_up(&browser, &token, async |_| ()).await;
    each_bar_is_as_high_as_its_number(&console, &browser).await;
    the_preview_is_what_the_employee_sees(&console, &browser).await;
    what_changes_is_marked_as_such(&console, &browser).await;
    browser.close().await;
}

async fn each_bar_is_as_high_as_its_number(console: &Console, browser: &Browser) {
    browser.open(&console.address("/console/figures")).await;
    for screen in [Screen::Desktop, Screen::Narrowest] {
        load_on(browser, screen).await;
        assert_eq!(overflow(browser, screen).await, None);
        let drawn = charts(browser).await;
        assert_eq!(drawn.len(), 2);
        for (chart, begun) in drawn.iter().zip([14.0, 17.0]) {
            assert_eq!(chart.caption, chart.title, "the table is of the same");
            assert!(chart.right <= f64::from(screen.width()), "{}", chart.title);
            let numbers = chart.numbers();
            let all: f64 = numbers.iter().map(|(begun, _)| begun).sum();
            assert!(is_near(all, begun), "{all} is not {begun}");
            let most = numbers.iter().map(|(begun, _)| *begun).fold(0.0, f64::max);
            assert!(
                chart.scale.ends_with(&format!("is {most}.")),
                "{}",
                chart.scale
            );
            let mut seen = 0;
            for (place, (begun, failed)) in numbers.iter().enumerate() {
                let bar = chart.bar(place, numbers.len());
                seen += bar.len();
                let (red, blue) = (chart.part(&bar, "#d5281b"), chart.part(&bar, "#005eb8"));
                let row = &chart.rows[place];
                assert!(is_near(red.0, failed / most), "{row:?}: {bar:?}");
                assert!(is_near(blue.0, (begun - failed) / most), "{row:?}: {bar:?}");
                // What came to nothing stands on the line, the rest upon it.
                assert!(is_near(red.1, 1.0), "{row:?}: {bar:?}");
                assert!(
                    blue.0 < 0.01 || is_near(blue.1, 1.0 - failed / most),
                    "{row:?}: {bar:?}"
                );
            }
            assert_eq!(seen, chart.parts.len(), "each part stands in one place");
        }
        let ids = ["#by-hour-title + svg", "#by-day-title + svg"];
        for (chart, svg) in drawn.iter().zip(ids) {
            let (role, name) = browser.heard(svg).await;
            // Chromium changed to the role's newer name.
            assert!(["image", "img"].contains(&role.as_str()), "{role}");
            assert_eq!(name, chart.title);
        }
    }
    load_on(browser, Screen::Desktop).await;
    // The start page draws the same, and one link leads to the tables.
    let with_tables = charts(browser).await;
    browser.open(&console.address("/console")).await;
    let alone = charts(browser).await;
    let heights = |charts: &[Drawn]| -> Vec<String> {
        let parts = charts.iter().flat_map(|chart| &chart.parts);
        parts.map(|part| format!("{:.1}", part.height)).collect()
    };
    assert_eq!(heights(&alone), heights(&with_tables));
    browser
        .follow_named("link", "The same numbers as tables, and more")
        .await;
    assert_eq!(browser.text("h1").await, "Figures");
}

/// Attributes out of the alphabet's order, two of them such as every credential holds.
fn declared() -> Value {
    let attribute = |name: &str, label: &str, kind: &str, mandatory: bool| json!({ "name": name, "label": label, "kind": kind, "mandatory": mandatory, "source": "assumed" });
    json!({
        "name": "FireSafety", "label": "Fire safety of the ward", "formats": ["jwt_vc_json"], "valid_for_days": 365,
        "attributes": [
            attribute("FS-Ward", "Ward", "text", true),
            attribute("FS-Level", "Level", "number", false),
            { "name": "UniqueIdentifier", "label": "Staff passport unique identifier", "kind": "uuid", "mandatory": true, "source": "wire" },
            attribute("FS-Day", "Day", "date", true),
        ],
    })
}

/// Opens what the operator sees before they publish it.
async fn look_at(console: &Console, browser: &Browser, declared: &Value) {
    browser
        .open(&console.address("/console/new/credential-type"))
        .await;
    browser.fill("Text", &declared.to_string()).await;
    browser.follow_named("button", "Look at it").await;
    assert_eq!(browser.text("h1").await, "Before you publish");
}

/// The name of the type, what it says that every credential holds, and the header's name and colour.
#[derive(Debug, PartialEq)]
struct Seen {
    label: String,
    asked: Vec<String>,
    header: String,
    colour: Value,
}

async fn the_preview_is_what_the_employee_sees(console: &Console, browser: &Browser) {
    look_at(console, browser, &declared()).await;
    let preview = seen_in_preview(browser).await;
    let held = browser.texts("#seen-held dt").await;
    browser.follow_named("button", "Publish").await;
    assert_eq!(
        seen_in_preview(browser).await,
        preview,
        "of what is in force"
    );
    assert_eq!(browser.texts("#seen-held dt").await, held);
    console.gateway.follow_once().await.unwrap();

    let form = [
        ("client_id", "newtown-staff"),
        ("response_type", "code"),
        ("scope", "openid FireSafety"),
        ("redirect_uri", "https://staff.newtown.example/callback"),
        ("state", "of-this-visit"),
        ("nonce", "of-this-visit"),
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ];
    let address = url::Url::parse_with_params(&format!("{PUBLIC}/authorize"), form).unwrap();
    browser.open(address.as_str()).await;
    let page = Seen {
        label: label_of(&browser.text("#what p").await, &preview.label),
        asked: browser.texts("#what li").await,
        header: browser.text(".nhsuk-header__organisation-name").await,
        colour: browser
            .script(
                "return getComputedStyle(document.querySelector('.nhsuk-header')).backgroundColor",
            )
            .await,
    };
    assert_eq!(preview, page);

    // What wallets are told of it, whose card the preview draws.
    let address = format!("{PUBLIC}/.well-known/openid-credential-issuer/issuers/newtown");
    browser.open(&address).await;
    let told = browser
        .script("return JSON.parse(document.body.innerText)")
        .await;
    let types = &told["credential_configurations_supported"];
    let types = types.as_object().unwrap().values();
    let of_wallets = types.map(|one| &one["credential_metadata"]);
    let of_wallet = of_wallets
        .into_iter()
        .find(|one| one["display"][0]["name"] == preview.label.as_str());
    let claims = of_wallet.unwrap()["claims"].as_array().unwrap();
    let names: Vec<&str> = claims
        .iter()
        .map(|claim| claim["display"][0]["name"].as_str().unwrap())
        .collect();
    assert_eq!(held, names);
}

/// What a sentence calls the credential; the type's own name, where that is it but for its capital.
fn label_of(sentence: &str, name: &str) -> String {
    let rest = sentence.split_once("from your ").map(|(_, rest)| rest);
    let called = rest.and_then(|rest| rest.split_once(" credential,"));
    let called = called.map_or(sentence, |(called, _)| called);
    let is_name = called.eq_ignore_ascii_case(name);
    if is_name { name } else { called }.to_owned()
}

async fn seen_in_preview(browser: &Browser) -> Seen {
    let colour = "return getComputedStyle(document.querySelector('.lanyard-band rect')).fill";
    Seen {
        label: browser.text("#seen-asked strong").await,
        asked: browser.texts("#seen-asked li").await,
        header: browser.text(".lanyard-band p").await,
        colour: browser.script(colour).await,
    }
}

async fn what_changes_is_marked_as_such(console: &Console, browser: &Browser) {
    let mut other = declared();
    other["valid_for_days"] = json!(730);
    let attributes = other["attributes"].as_array_mut().unwrap();
    attributes[0]["label"] = json!("Ward or unit");
    attributes.remove(1);
    attributes.swap(0, 1);
    attributes.push(json!({ "name": "FS-Place", "label": "Place", "kind": "text", "mandatory": false, "source": "assumed" }));
    look_at(console, browser, &other).await;
    assert_eq!(overflow(browser, Screen::Desktop).await, None);
    load_on(browser, Screen::Narrowest).await;
    assert_eq!(overflow(browser, Screen::Narrowest).await, None);
    load_on(browser, Screen::Desktop).await;
    // The elements say it to whoever hears the page, the lines and the word to whoever sees no colours.
    let rows = "const text = (cell, which) => [...cell.querySelectorAll(which)].map(e => \
          getComputedStyle(e).textDecorationLine + ' ' + e.textContent.trim().split(' ')[0]).join(); \
        return [...document.querySelectorAll('#differences tbody tr')].map(({ cells: [member, what, before, after] }) => \
          [member, what].map(cell => cell.lastElementChild.textContent.trim()) \
            .concat(text(before, 'del'), text(after, 'ins'), text(before, 'ins'), text(after, 'del')))";
    let expected = json!([
        [
            "attributes.FS-Ward.label",
            "Changed",
            "line-through Ward",
            "underline Ward",
            "",
            ""
        ],
        ["attributes", "Removed", "line-through FS-Level", "", "", ""],
        ["attributes", "Added", "", "underline FS-Place", "", ""],
        ["attributes", "In another order", "", "", "", ""],
        [
            "valid_for_days",
            "Changed",
            "line-through 365",
            "underline 730",
            "",
            ""
        ],
    ]);
    assert_eq!(browser.script(rows).await, expected);
    let changed = browser
        .texts("#differences tr:first-child :is(del, ins)")
        .await;
    assert_eq!(changed, ["Ward", "Ward or unit"]);
}
