//! Whom the staff passport applies to, and to which records, as rules say it.

use jiff::SignedDuration;
use portal::config::Config;
use portal::{RuleConfig, Staff};
use reqwest::StatusCode;

use crate::database::{Database, on_both_engines};
use crate::staff::everybody;
use crate::world::World;

on_both_engines!(dw_15_a_record_that_a_rule_leaves_out_is_at_no_address,);

fn rules(text: &str) -> Vec<RuleConfig> {
    let mut table: toml::Table = text.parse().unwrap();
    table.remove("applies").unwrap().try_into().unwrap()
}

fn with(text: &'static str) -> impl FnOnce(&mut Config) {
    move |config| config.applies = rules(text)
}

async fn dw_15_a_record_that_a_rule_leaves_out_is_at_no_address(database: Database) {
    // About programmes, and not about the fire safety training that has no such claim.
    let rule = "[[applies]]\nall = [{ column = 'TPR-ProgrammeEndDate', after = 'today' }, \
                { column = 'TPR-ProgrammeStartDate', before = '2026-01-01' }]";
    let world = World::start_with(database, with(rule)).await;
    let anna = world.logged_in("anna").await;
    let list = anna.open("/credentials").await;
    assert_eq!(list.state_of("anna-fire").as_deref(), Some("not-added"));
    assert_eq!(list.state_of("anna-programme"), None);
    let csrf = list.field("csrf");
    for step in ["", "/again", "/confirm", "/added"] {
        for (record, wanted) in [
            ("anna-programme", true),
            ("anna-nothing", true),
            ("anna-fire", false),
        ] {
            let path = format!("/credentials/{record}{step}");
            let is_gone = anna.fetch(&path).await.status == StatusCode::NOT_FOUND;
            assert_eq!(is_gone, wanted, "{path}");
        }
    }
    for step in ["/again", "/confirm", "/add"] {
        let path = format!("/credentials/anna-programme{step}");
        let answer = anna.post(&path, &[("csrf", &csrf), ("shown", "x")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(world.drafts().is_empty());
}

#[tokio::test]
async fn a_rule_is_looked_at_each_time_and_a_day_may_change_what_it_says() {
    let rule = "[[applies]]\nnot = { column = 'person.contract_ends', before = 'today' }\n\
                [[applies]]\nany = [{ column = 'person.group', one_of = ['medical', 'nursing'] }, \
                { column = 'email', equals = 'ben@anytown.example' }]";
    let mut staff = everybody();
    let world = World::start_with(Database::sqlite(), with(rule)).await;
    // What the world took in says nothing of these: who is new does.
    let mut new = staff.employees.remove(0);
    (new.id, new.username) = ("e-new".to_owned(), "new".to_owned());
    new.records.clear();
    let (group, ends) = ("group".to_owned(), "contract_ends".to_owned());
    new.facts.insert(group, "nursing".to_owned());
    let tomorrow = world.clock().now() + SignedDuration::from_hours(24);
    new.facts
        .insert(ends, tomorrow.to_string()[..10].to_owned());
    let employees = vec![new];
    world.portal.import(&Staff { employees }).await.unwrap();
    for (name, status) in [("new", 200), ("ben", 200), ("anna", 404), ("ned", 404)] {
        let browser = world.logged_in(name).await;
        assert_eq!(browser.open("/credentials").await.status, status, "{name}");
        let offers = browser.open("/").await.html.contains("/credentials");
        assert_eq!(offers, status == 200, "{name}");
    }
    world.later(SignedDuration::from_hours(48));
    let browser = world.logged_in("new").await;
    let page = browser.open("/credentials").await;
    assert_eq!(page.heading(), "You cannot use this service yet");
}

/// What is in a wallet stays the employee's to see, and is not offered again.
#[tokio::test]
async fn a_credential_that_is_out_is_shown_although_its_record_is_left_out_since() {
    let mut world = World::start().await;
    let anna = world.anna().await;
    world.add(&anna, "anna-fire").await;
    world.config.applies =
        rules("[[applies]]\nnot = { column = 'credential_type', equals = 'FireSafety' }");
    world.restart().await;
    let page = anna.open("/credentials/anna-fire").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.has("add-to-wallet"), "{}", page.html);
    let page = anna.open("/credentials/anna-fire/again").await;
    assert_eq!(page.path(), "/credentials/anna-fire");
}
