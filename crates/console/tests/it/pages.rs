//! Every page of the console, as the console itself lists them, by every role and by nobody: a new page is walked without a word
//! here, unless its address names a thing that [`Things`] does not know.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Request;
use console::Known;
use gateway::admin::{Right, Role};
use gateway::audit::{Act, Actor};

use crate::custody;
use crate::database::Database;
use crate::desk::{Desk, Page, Person};

/// Pages that end the session with which the next one is to be asked for.
const ENDS_THE_SESSION: [&str; 1] = ["/console/log-out"];

/// Who decides about a proposal needs the right of what is proposed as well.
const ASKS_FOR_THE_ACTS_RIGHT: [&str; 2] = [
    "/console/proposals/{proposal}/approve",
    "/console/proposals/{proposal}/decline",
];

/// Ids by the name of the place in an address.
struct Things(BTreeMap<&'static str, String>);

impl Things {
    /// An operator with its token, and a proposal that another administrator made about it.
    async fn of(desk: &Desk, organisation: Option<&str>) -> Self {
        let thing = desk.person("thing", Role::Viewer, organisation).await;
        let mut by = desk
            .person("proposer", Role::Administrator, organisation)
            .await;
        let path = format!("/console/operators/{}/role", thing.id);
        by.browser.get(&path).await.expect(200);
        by.browser.post(&path, &[("role", "desk")]).await;
        let proposal = by.browser.page.leads_to();
        let proposal = proposal.split(['/', '?']).nth(3).unwrap().to_owned();
        let page = by
            .browser
            .get(&format!("/console/operators/{}", thing.id))
            .await
            .expect(200);
        let token = page.html.split("/tokens/").nth(1).unwrap();
        let token = token.split('/').next().unwrap().to_owned();
        let by = Actor::Command("test");
        let [credential] = custody::credentials(desk, "elsewhere").await;
        let secret = desk
            .gateway
            .make_client_secret("elsewhere-staff", None, by)
            .await
            .unwrap();
        Self(
            [
                ("operator", thing.id),
                ("proposal", proposal),
                ("token", token),
                ("organisation", "elsewhere".to_owned()),
                ("relying_party", "elsewhere-staff".to_owned()),
                ("secret", secret.id),
                ("item", "ods-code".to_owned()),
                ("key", custody::key_of(desk, "elsewhere")),
                ("credential", credential),
                ("job", custody::job_of(desk, "elsewhere").await),
                (
                    "interaction",
                    custody::interaction_of(desk, "elsewhere").await,
                ),
                // One that no organisation here has to do with.
                ("credential_type", "TrainingPlacement".to_owned()),
            ]
            .into(),
        )
    }

    fn put_into(&self, path: &str) -> (String, bool) {
        let mut any = false;
        let steps = path.split('/').map(|step| {
            let Some(name) = step
                .strip_prefix('{')
                .and_then(|step| step.strip_suffix('}'))
            else {
                return step.to_owned();
            };
            any = true;
            let known = self.0.get(name);
            known
                .unwrap_or_else(|| panic!("`{name}` of {path}: give it a line in Things::of"))
                .clone()
        });
        (steps.collect::<Vec<_>>().join("/"), any)
    }
}

async fn ask(person: &mut Person, known: &Known, path: &str) -> Page {
    let browser = &mut person.browser;
    if known.method == "GET" {
        return browser.get(path).await.clone();
    }
    // Any page of theirs has the token of their forms.
    browser.get("/console").await.expect(200);
    browser.post(path, &[]).await.clone()
}

/// SEC-13: what a role may not see it is not shown, whatever address it types.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_13_every_page_lets_in_exactly_the_roles_of_the_table() {
    let desk = Desk::start(Database::sqlite()).await;
    let things = Things::of(&desk, None).await;
    let pages = console::pages();
    assert!(pages.len() > 25, "{}", pages.len());
    for role in Role::ALL {
        let mut person = desk.person(role.name(), role, None).await;
        for known in pages.iter().filter(|known| !known.open) {
            if ENDS_THE_SESSION.contains(&known.path) {
                continue;
            }
            let right = known.right.map(|code| Right::of_code(code).expect(code));
            let may = right.is_none_or(|right| role.may(right));
            let (path, _) = things.put_into(known.path);
            let page = ask(&mut person, known, &path).await;
            let what = format!("{} {path} as {}: {}", known.method, role.name(), page.html);
            if !may {
                assert_eq!(page.status.as_u16(), 403, "{what}");
            } else if known.method == "GET" {
                // The export's form is shown again, since nothing was asked for.
                let shown = matches!(page.status.as_u16(), 200 | 422);
                assert!(shown, "{what}");
            } else {
                let is_out = page.status.as_u16() == 303 && page.leads_to().contains("log-in");
                // Nor does the API ask for another right than the table says.
                let is_forbidden =
                    page.status.as_u16() == 403 && !ASKS_FOR_THE_ACTS_RIGHT.contains(&known.path);
                assert!(
                    !is_out && !is_forbidden && page.status.as_u16() < 500,
                    "{what}"
                );
            }
            // A link that leads to a page of 403 is none.
            for link in links(&page.html) {
                let leads = pages
                    .iter()
                    .find(|page| page.method == "GET" && page.path == link);
                let right = leads.and_then(|page| page.right).and_then(Right::of_code);
                assert!(
                    right.is_none_or(|right| role.may(right)),
                    "{link} on {what}"
                );
            }
        }
    }
}

fn links(html: &str) -> impl Iterator<Item = &str> {
    let found = html.split("href=\"").skip(1);
    found.map(|rest| rest.split(['"', '?', '#']).next().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_13_whoever_is_not_logged_in_is_led_to_log_in_and_sees_nothing() {
    let desk = Desk::start(Database::sqlite()).await;
    let things = Things::of(&desk, None).await;
    for known in console::pages() {
        let (path, _) = things.put_into(known.path);
        for cookie in [
            "",
            "lanyard-console=lys_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "lanyard-console=\u{e9}",
        ] {
            let mut request = Request::builder().method(known.method).uri(&path);
            if !cookie.is_empty() {
                request = request.header("cookie", cookie.as_bytes());
            }
            let mut browser = desk.browser();
            let page = browser.send(request.body(Body::empty()).unwrap()).await;
            match (known.open, known.method) {
                (true, "GET") => page.expect(200),
                (true, _) => page.expect(403),
                (false, _) => {
                    assert!(page.leads_to().starts_with("/console/log-in"), "{path}");
                    page
                }
            };
            let found = things.0.values().find(|id| page.html.contains(id.as_str()));
            assert_eq!(found, None, "{path}: {}", page.html);
        }
    }
}

/// SEC-33.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_33_what_is_another_organisations_is_a_page_that_is_not_there() {
    let desk = Desk::start(Database::sqlite()).await;
    let foreign = Things::of(&desk, Some("elsewhere")).await;
    let mut ann = desk
        .person("ann", Role::Administrator, Some("anytown"))
        .await;
    let mut kim = desk
        .person("kim", Role::KeyCustodian, Some("anytown"))
        .await;
    let mut walked = 0;
    for known in console::pages().iter().filter(|known| !known.open) {
        if ENDS_THE_SESSION.contains(&known.path) {
            continue;
        }
        let (path, names_things) = foreign.put_into(known.path);
        // Whoever has the right, and not there.
        let right = known.right.and_then(Right::of_code);
        let is_anns = right.is_none_or(|right| Role::Administrator.may(right));
        let person = if is_anns { &mut ann } else { &mut kim };
        let page = ask(person, known, &path).await;
        if names_things {
            page.expect(404);
            walked += 1;
        }
        let others = foreign.0.values().filter(|id| !path.contains(id.as_str()));
        for id in others {
            assert!(
                !page.html.contains(id.as_str()),
                "{id} on {path}: {}",
                page.html
            );
        }
    }
    assert!(walked >= 10, "{walked}");
}

/// WCAG 1.3.1, 2.4.2, 4.1.1, and SEC-12, as far as the text of a page tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_12_every_page_has_one_heading_a_title_captions_and_the_headers_of_a_page() {
    let desk = Desk::start(Database::sqlite()).await;
    let things = Things::of(&desk, None).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let mut titles = BTreeSet::new();
    let mut look = |path: &str, page: &Page| {
        let html = &page.html;
        assert_eq!(html.matches("<h1").count(), 1, "{path}: {html}");
        assert!(!html.contains('{'), "a text is missing on {path}: {html}");
        assert!(
            !html.contains(" style="),
            "{path}: the policy lets no style through"
        );
        assert_eq!(
            html.matches("<table").count(),
            html.matches("<caption").count(),
            "{path}"
        );
        let ids: Vec<&str> = html
            .split(" id=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        let different: BTreeSet<_> = ids.iter().collect();
        assert_eq!(different.len(), ids.len(), "{path}: {ids:?}");
        let title = html
            .split("<title>")
            .nth(1)
            .unwrap()
            .split("</title>")
            .next()
            .unwrap();
        assert!(titles.insert(title.to_owned()), "{path}: {title}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
        assert_eq!(page.headers["referrer-policy"], "no-referrer", "{path}");
    };
    for known in console::pages() {
        if known.method == "POST" {
            continue;
        }
        let (path, _) = things.put_into(known.path);
        let mut guest = desk.browser();
        let browser = if known.open {
            &mut guest
        } else {
            &mut ann.browser
        };
        let page = browser.get(&path).await;
        // The form of the audit's page again.
        if known.path != "/console/audit/export" {
            look(&path, page);
        }
    }
    look(
        "nowhere",
        ann.browser.get("/console/nowhere").await.expect(404),
    );
}

/// Whoever adds a right, an act of two persons or an act of the audit gives it words.
#[test]
fn every_word_of_the_api_has_words_here() {
    let catalogue = std::fs::read_dir("words")
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let catalogue: String = catalogue.collect();
    for act in Act::ALL {
        let key = format!("\naudit-act-{} = ", act.code());
        assert!(catalogue.contains(&key), "words/ lacks{key}");
    }
    for role in Role::ALL {
        let key = format!("\nrole-{} = ", role.name());
        assert!(catalogue.contains(&key), "words/ lacks{key}");
    }
    for (code, _) in gateway::checklist::CODES {
        let key = format!("\nfinding-{code} = ");
        assert!(catalogue.contains(&key), "words/ lacks{key}");
    }
    for check in gateway::health::CHECKS {
        let key = format!("\ncheck-{check} = ");
        assert!(catalogue.contains(&key), "words/ lacks{key}");
    }
}
