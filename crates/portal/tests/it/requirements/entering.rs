//! Steps 4 and 5.1 to 5.2: the employee logs in, finds the way, and is offered only what applies to them.

use std::collections::{BTreeMap, VecDeque};

use axum::http::Method;
use portal::RuleConfig;

use super::reading::{RECORD, control, fields, links};
use super::wire::{Exchange, Party};
use crate::browser::{Browser, Page};
use crate::database::{Database, on_both_engines};
use crate::staff::PASSWORD;
use crate::world::World;

on_both_engines!(dw_15_what_an_entitled_employee_sends_is_refused_from_anybody_else,);

/// The same address is a page of one's own for whoever is logged in, and asks everybody else to log in.
#[tokio::test]
async fn dw_01_an_employee_logs_in_to_the_portal_and_reaches_a_page_of_their_own() {
    let world = World::start().await;
    let stranger = world.browser();
    let anna = world.browser();
    for path in ["/", "/credentials", "/credentials/anna-programme"] {
        assert_eq!(stranger.open(path).await.path(), "/login", "{path}");
    }
    anna.log_in("anna", PASSWORD).await;
    let page = anna.open("/").await;
    assert_eq!(page.path(), "/");
    assert!(page.text().contains("Anna Taylor"), "{}", page.text());
    assert!(!stranger.open("/").await.text().contains("Anna"));
}

/// The ordinary account is enough, and nobody else is asked.
#[tokio::test]
async fn dw_10_the_usual_user_name_and_password_are_all_that_logging_in_takes() {
    let world = World::start().await;
    let browser = world.browser();
    let page = browser.open("/login").await;
    let asked: Vec<String> = fields(&page).into_iter().collect();
    assert_eq!(asked, ["csrf", "password", "username"]);
    let page = browser.log_in("anna", PASSWORD).await;
    assert_eq!(page.heading(), "Your staff account");
    let exchanges = world.wire.exchanges();
    assert!(exchanges.iter().all(|one| one.party == Party::Portal));
}

/// Every page that can be reached by following links, and in how many clicks.
async fn reachable(browser: &Browser) -> BTreeMap<String, (u32, Page)> {
    let mut reached = BTreeMap::new();
    let mut waiting = VecDeque::from([("/".to_owned(), 0)]);
    while let Some((path, clicks)) = waiting.pop_front() {
        if reached.contains_key(&path) {
            continue;
        }
        let page = browser.open(&path).await;
        for link in links(&page) {
            // Only what the keyboard reaches, too, and what works without a script.
            assert!(!link.tag.contains("onclick"), "{}", link.tag);
            if link.href.starts_with('/') && !link.tag.contains("tabindex=\"-1\"") {
                waiting.push_back((link.href, clicks + 1));
            }
        }
        reached.insert(path, (clicks, page));
    }
    reached
}

#[tokio::test]
async fn dw_12_the_list_is_at_most_three_links_away_from_the_first_page() {
    let world = World::start().await;
    let anna = world.logged_in("anna").await;
    let reached = reachable(&anna).await;
    let (clicks, list) = &reached["/credentials"];
    assert!(*clicks <= 3, "{clicks}");
    assert!(list.state_of(RECORD).is_some());
    let link = links(&reached["/"].1)
        .into_iter()
        .find(|link| link.href == "/credentials");
    assert!(!link.unwrap().text.is_empty(), "a link has a name");
}

#[tokio::test]
async fn dw_13_whoever_it_applies_to_is_offered_the_credential() {
    let world = World::start().await;
    let anna = world.logged_in("anna").await;
    let reached = reachable(&anna).await;
    let offered: Vec<&String> = reached
        .iter()
        .filter(|(_, (_, page))| page.has("add-to-wallet"))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        offered,
        ["/credentials/anna-fire", "/credentials/anna-programme"]
    );
    for path in offered {
        let (tag, text) = control(&reached[path].1, "add-to-wallet").unwrap();
        assert_eq!(text, "Add to wallet", "{path}");
        assert!(!tag.contains("disabled"), "{path}: {tag}");
    }
}

/// Ned, whose record says so; and Ben, whom a rule leaves out.
const NOT_FOR_THEM: [&str; 2] = ["ned", "ben"];

async fn not_for_ben(database: Database) -> World {
    let ben = RuleConfig {
        column: Some("employee".to_owned()),
        equals: Some("e-ben".to_owned()),
        ..RuleConfig::default()
    };
    let not = RuleConfig {
        not: Some(Box::new(ben)),
        ..RuleConfig::default()
    };
    World::start_with(database, |config| config.applies = vec![not]).await
}

#[tokio::test]
async fn dw_14_nothing_is_offered_to_whom_the_staff_passport_does_not_apply() {
    let world = not_for_ben(Database::sqlite()).await;
    for name in NOT_FOR_THEM {
        nothing_is_offered_to(&world, name).await;
    }
}

async fn nothing_is_offered_to(world: &World, name: &str) {
    let ned = world.logged_in(name).await;
    let own = format!("{name}-programme");
    let reached = reachable(&ned).await;
    assert!(reached.contains_key("/"));
    for (path, (_, page)) in &reached {
        // What every product of this house shows to everybody is no offer.
        let for_everybody = ["/help", "/licences", "/accessibility"];
        if for_everybody.iter().any(|page| path.starts_with(page)) {
            continue;
        }
        let text = page.text().to_lowercase();
        for word in ["passport", "wallet", "credentials to"] {
            assert!(!text.contains(word), "{path} says {word}: {text}");
        }
        for hidden in ["/credentials", "add-to-wallet", own.as_str()] {
            assert!(!page.html.contains(hidden), "{path} has {hidden}");
        }
    }
}

/// Every request of Anna's whole way, sent again from Ned's session and from Ben's, for her record and for their own.
async fn dw_15_what_an_entitled_employee_sends_is_refused_from_anybody_else(database: Database) {
    let world = not_for_ben(database).await;
    let anna = world.anna().await;
    world.wire.forget();
    world.add(&anna, RECORD).await;
    let mut walked = world.wire.at(Party::Portal, "");
    walked.retain(|one| one.path != "/" && !one.path.starts_with("/log"));
    for name in NOT_FOR_THEM {
        all_is_refused_to(&world, name, walked.clone()).await;
    }
}

async fn all_is_refused_to(world: &World, name: &str, walked: Vec<Exchange>) {
    let ned = world.logged_in(name).await;
    let own = format!("{name}-programme");
    let csrf = ned.open("/").await.field("csrf");
    world.wire.forget();
    let mut refused = 0;
    for asked in walked {
        for record in [RECORD, own.as_str()] {
            let address = asked.address().replace(RECORD, record);
            let answer = if asked.method == Method::GET {
                ned.fetch(&address).await
            } else {
                let mut form = asked.form();
                form.insert("csrf".to_owned(), csrf.clone());
                let form: Vec<(&str, &str)> = form
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                ned.post(&address, &form).await
            };
            assert_eq!(answer.status, 404, "{} {address}", asked.method);
            assert_eq!(answer.heading(), "You cannot use this service yet");
            refused += 1;
        }
    }
    assert!(refused >= 16, "only {refused} were sent");
    let exchanges = world.wire.exchanges();
    assert!(exchanges.iter().all(|one| one.party == Party::Portal));
}
