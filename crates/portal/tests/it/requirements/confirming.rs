//! Steps 5.4 and 7.1 to 7.2: exactly what was shown and confirmed is sent, when the person asks for it.

use std::collections::BTreeSet;

use gateway::organisation::catalogue::Catalogue;
use serde_json::{Map, Value};

use super::reading::{RECORD, control, plain, shown};
use super::wire::{Exchange, Party};
use crate::browser::{Browser, Page};
use crate::database::{Database, on_both_engines};
use crate::staff::ANNAS;
use crate::world::World;

on_both_engines!(
    dw_24_what_is_issued_is_what_was_shown_no_more_and_no_less,
    dw_25_whoever_cancels_at_the_confirmation_sends_nothing,
    dw_26_what_changed_after_it_was_confirmed_is_shown_again_before_it_is_sent,
    dw_68_dw_69_what_is_sent_is_what_the_schema_asks_for_and_carries_the_unique_identifier,
);

const CONFIRM: &str = "/credentials/anna-programme/confirm";
const ADD: &str = "/credentials/anna-programme/add";

#[tokio::test]
async fn dw_23_what_will_be_issued_is_shown_and_confirmation_is_asked() {
    let world = World::start().await;
    let anna = world.anna().await;
    let page = anna.open(CONFIRM).await;
    let (tag, name) = control(&page, "confirm").unwrap();
    assert!(tag.starts_with("button") && tag.contains("type=\"submit\""));
    assert_eq!(name, "Confirm and continue");
    let text = page.text();
    let lines: BTreeSet<String> = text.lines().map(plain).collect();
    world.add(&anna, RECORD).await;
    let draft = world.wire.pushed_drafts().pop().unwrap();
    for (name, value) in draft.content() {
        let announced = name == "UniqueIdentifier"
            && text.contains("Your staff passport unique identifier\nAdded after you share");
        assert!(announced || lines.contains(&value), "{name} is not shown");
    }
}

/// A page to confirm, as soon as the identity is known: all that the credential will say.
async fn confirm_and_add(world: &World, anna: &Browser, record: &str) -> (Page, Exchange) {
    let path = format!("/credentials/{record}/confirm");
    let page = anna.open(&path).await;
    world.add(anna, record).await;
    (page, world.wire.pushed_drafts().pop().unwrap())
}

/// DW-50: every value both ways, and in this order: shown, confirmed, sent. For every type that the portal has.
async fn dw_24_what_is_issued_is_what_was_shown_no_more_and_no_less(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.verify(&anna, "anna").await;
    world
        .change_record("anna-incomplete", &[("TPL-Site", "Anytown General")])
        .await;
    for record in [RECORD, "anna-fire", "anna-incomplete"] {
        world.wire.forget();
        let (page, draft) = confirm_and_add(&world, &anna, record).await;
        let mut shown = shown(&page);
        let mut take = |label: &str| {
            let at = shown.iter().position(|(found, _)| found == label);
            shown.remove(at.unwrap_or_else(|| panic!("{record} has no {label}")))
        };
        let (_, until) = take("Valid until");
        let (_, issuer) = take("Issued by");
        let ends = draft.draft()["ExpiresAt"].clone();
        assert_eq!(ends.as_str().unwrap()[..10], until, "{record}");
        assert_eq!(issuer, "Anytown NHS Trust");
        let mut on_page: Vec<String> = shown.into_iter().map(|(_, value)| value).collect();
        let mut sent: Vec<String> = draft.content().into_values().collect();
        on_page.sort();
        sent.sort();
        assert_eq!(on_page, sent, "{record}");

        let exchanges = world.wire.exchanges();
        let confirm = format!("/credentials/{record}/confirm");
        let at = |party, method: &str, path: &str| {
            let is_it = |one: &Exchange| {
                one.party == party && one.method == method && one.path.ends_with(path)
            };
            exchanges.iter().position(is_it).unwrap()
        };
        let seen = at(Party::Portal, "GET", &confirm);
        let confirmed = at(Party::Portal, "POST", &confirm);
        let pushed = at(Party::Gateway, "POST", "/par");
        assert!(seen < confirmed && confirmed < pushed, "{record}");
    }
}

async fn dw_25_whoever_cancels_at_the_confirmation_sends_nothing(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.verify(&anna, "anna").await;
    world.wire.forget();
    let page = anna.open(CONFIRM).await;
    let page = anna.open(&page.link("cancel")).await;
    assert_eq!(page.path(), "/credentials/anna-programme");
    assert!(world.wire.at(Party::Gateway, "").is_empty());
    // Nor is what was looked at taken for confirmed.
    let csrf = page.field("csrf");
    let page = anna.post(ADD, &[("csrf", &csrf)]).await;
    assert_eq!(page.location(), CONFIRM);
    assert!(world.wire.at(Party::Gateway, "").is_empty());
}

async fn dw_26_what_changed_after_it_was_confirmed_is_shown_again_before_it_is_sent(
    database: Database,
) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    let done = world.verify(&anna, "anna").await;
    let csrf = done.field("csrf");
    world.wire.forget();

    // Between looking and confirming.
    let page = anna.open(CONFIRM).await;
    world
        .change_record(RECORD, &[("TPR-Name", "Oncology")])
        .await;
    let seen = page.field("shown");
    let page = anna.send(&page, CONFIRM, &[("shown", &seen)]).await;
    assert_eq!(page.path(), CONFIRM);
    assert!(page.text().contains("This information changed"));
    assert!(page.text().contains("Oncology"));
    // Between confirming and adding.
    let page = anna.confirm(RECORD).await;
    assert!(page.has("add-to-wallet"), "{}", page.text());
    world
        .change_record(RECORD, &[("TPR-Name", "Paediatrics")])
        .await;
    let page = anna.send(&page, ADD, &[]).await;
    assert_eq!(page.path(), CONFIRM);
    assert!(page.text().contains("This information changed"));
    assert!(page.text().contains("Paediatrics"));
    let again = anna.post(ADD, &[("csrf", &csrf)]).await;
    assert!(again.location().starts_with(CONFIRM));
    assert!(world.wire.at(Party::Gateway, "").is_empty());

    world.add(&anna, RECORD).await;
    let drafts = world.wire.pushed_drafts();
    assert_eq!(drafts.len(), 1);
    assert_eq!(drafts[0].content()["TPR-Name"], "Paediatrics");
}

#[tokio::test]
async fn dw_51_nothing_is_pushed_before_the_person_asks_for_it() {
    let world = World::start().await;
    let anna = world.anna().await;
    world.verify(&anna, "anna").await;
    world.wire.forget();
    for path in ["/credentials", "/credentials/anna-programme", CONFIRM] {
        anna.open(path).await;
    }
    let page = anna.confirm(RECORD).await;
    // Opening the address is not asking.
    anna.open(ADD).await;
    assert!(world.wire.at(Party::Gateway, "").is_empty());
    let (tag, name) = control(&page, "add-to-wallet").unwrap();
    assert!(tag.starts_with("button"), "{tag}");
    assert_eq!(name, "Add to wallet");
    anna.send(&page, ADD, &[]).await;
    assert_eq!(world.wire.pushed_drafts().len(), 1);
}

/// What the ID token of this session said, byte by byte.
#[tokio::test]
async fn dw_45_dw_53_the_unique_identifier_that_is_sent_is_the_one_that_the_gateway_told() {
    let world = World::start().await;
    let anna = world.anna().await;
    world.wire.forget();
    world.add(&anna, RECORD).await;
    let told = world.wire.tokens()[0].id_token()["Identity.UniqueIdentifier"].clone();
    let draft = world.wire.pushed_drafts().pop().unwrap();
    assert_eq!(told, ANNAS);
    assert_eq!(draft.draft()["UniqueIdentifier"], told);
}

/// And the identifier is in the credential that the wallet received.
async fn dw_68_dw_69_what_is_sent_is_what_the_schema_asks_for_and_carries_the_unique_identifier(
    database: Database,
) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world
        .change_record("anna-incomplete", &[("TPL-Site", "Anytown General")])
        .await;
    let catalogue = Catalogue::built_in().unwrap();
    for (record, name) in [
        (RECORD, "TrainingProgramme"),
        ("anna-fire", "FireSafety"),
        ("anna-incomplete", "TrainingPlacement"),
    ] {
        let (_, draft) = confirm_and_add(&world, &anna, record).await;
        assert!(draft.form()["scope"].ends_with(&format!("issue.{name}")));
        let content: Map<String, Value> = draft
            .content()
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        let schema = catalogue.iter().find(|one| one.name == name).unwrap();
        // Names, kinds, dates, choices, what is mandatory, and nothing besides.
        let checked = schema.check(&content).unwrap();
        assert_eq!(checked, content, "{name}: nothing is sent empty");

        let held = world.held("anna", name).await;
        assert_eq!(held.len(), 1, "{name}");
        assert_eq!(held[0].claims["UniqueIdentifier"], ANNAS, "{name}");
    }
}
