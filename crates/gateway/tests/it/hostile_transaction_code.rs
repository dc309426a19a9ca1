//! What somebody does who has the offer of another person's credential, but not the PIN on that person's page.

use std::collections::BTreeSet;

use gateway::config::{Config, TransactionCodeRule};
use reqwest::StatusCode;
use standards::openid4vci::PRE_AUTHORIZED_CODE;
use wallet::{Outcome, Scan};

use crate::database::{Database, on_both_engines};
use crate::raw_wallet::{Offered, Waiting, offer, offer_address, read, refusal, token, token_with};
use crate::world::{Answer, Page, World, client, serve};

on_both_engines!(sec_23_of_many_guesses_at_once_each_is_counted);

fn with_a_pin(config: &mut Config) {
    let organisations = config.organisations.iter_mut();
    let parties = organisations.flat_map(|organisation| &mut organisation.relying_parties);
    for party in parties.filter(|party| party.client_id == "v2") {
        party.transaction_code = TransactionCodeRule::Page;
        party.transaction_code_length = 6;
    }
}

/// What the person reads on the page.
fn pin(page: &Page) -> String {
    let (_, rest) = page.html.split_once("id=\"pin\">").expect("a PIN");
    rest.split_once('<').unwrap().0.to_owned()
}

async fn try_pin(offered: &Offered, pin: &str) -> Answer {
    let pairs = [
        ("grant_type", PRE_AUTHORIZED_CODE),
        ("pre-authorized_code", &offered.code),
        ("tx_code", pin),
    ];
    token_with(&offered.issuer, &pairs).await
}

/// Another PIN than this.
fn other(pin: &str, by: u32) -> String {
    format!("{:06}", (pin.parse::<u32>().unwrap() + by) % 1_000_000)
}

const WRONG: (u16, &str, &str) = (400, "invalid_grant", "transaction-code-wrong");
const DEAD: (u16, &str, &str) = (400, "invalid_grant", "code-invalid");

/// SEC-23, VCI-08, VCI-09.
#[tokio::test]
async fn sec_23_an_offer_without_its_pin_gives_no_token_and_the_pin_is_not_in_the_offer() {
    let world = World::start_changed(with_a_pin).await;
    let waiting = Waiting::to_issue(&world, "v2").await;
    let pin = pin(&waiting.page);
    let raw = read(client().get(offer_address(&waiting.link()).await)).await;
    assert!(!raw.body.contains(&pin) && !waiting.link().contains(&pin));
    let described = &raw.json["grants"][PRE_AUTHORIZED_CODE]["tx_code"];
    assert_eq!(described["input_mode"], "numeric");
    assert_eq!(described["length"], 6);
    assert!(described["description"].as_str().unwrap().len() <= 300);

    let offered = offer(&waiting.link()).await;
    // One that is missing is no guess: any number of them costs nothing.
    for _ in 0..5 {
        assert_eq!(
            refusal(&token(&offered.issuer, &offered.code).await),
            (400, "invalid_request", "transaction-code-missing")
        );
    }
    assert_eq!(refusal(&try_pin(&offered, &other(&pin, 1)).await), WRONG);
    assert_eq!(refusal(&try_pin(&offered, "12345").await), WRONG);
    assert_eq!(try_pin(&offered, &pin).await.status, StatusCode::OK);
    assert_eq!(refusal(&try_pin(&offered, &pin).await), DEAD);
}

/// SEC-23, SEC-34.
#[tokio::test]
async fn sec_23_three_wrong_pins_end_it_and_the_right_one_comes_too_late() {
    let world = World::start_changed(with_a_pin).await;
    let waiting = Waiting::to_issue(&world, "v2").await;
    let right = pin(&waiting.page);
    let offered = offer(&waiting.link()).await;
    for by in 1..=3 {
        assert_eq!(refusal(&try_pin(&offered, &other(&right, by)).await), WRONG);
    }
    assert_eq!(refusal(&try_pin(&offered, &right).await), DEAD);
    let ended = waiting.again().await;
    assert!(ended.html.contains("The PIN was wrong too many times"));
    assert!(!ended.html.contains(&right));
    assert!(ended.link("go-back").contains("error=access_denied"));

    // The person tries again, with another code and another PIN; the old ones stay dead.
    let again = waiting.browser.submit(&waiting.page, "restart").await;
    let offered_again = offer(&again.link("open-wallet")).await;
    assert_eq!(refusal(&try_pin(&offered, &pin(&again)).await), DEAD);
    let token = try_pin(&offered_again, &pin(&again)).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
}

/// SEC-23, SEC-34: over two processes, each guess waits for its own count before it is answered.
async fn sec_23_of_many_guesses_at_once_each_is_counted(database: Database) {
    let world = World::start_with(database, Vec::new(), with_a_pin).await;
    let second = world.second_process().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = serve(listener, &second);

    let waiting = Waiting::to_issue(&world, "v2").await;
    let right = pin(&waiting.page);
    let offered = offer(&waiting.link()).await;
    let issuers = [
        offered.issuer.clone(),
        format!("http://localhost:{port}/issuers/anytown"),
    ];
    let mut guesses = tokio::task::JoinSet::new();
    for by in 1..=24 {
        let guessed = Offered {
            issuer: issuers[usize::try_from(by % 2).unwrap()].clone(),
            code: offered.code.clone(),
            configurations: Vec::new(),
        };
        let pin = other(&right, by);
        guesses.spawn(async move { try_pin(&guessed, &pin).await });
    }
    let answers = guesses.join_all().await;
    let told_wrong = answers.iter().filter(|answer| refusal(answer) == WRONG);
    assert_eq!(told_wrong.count(), 3);
    let others: BTreeSet<_> = answers
        .iter()
        .map(refusal)
        .filter(|told| *told != WRONG)
        .collect();
    let unavailable = (503, "temporarily_unavailable", "temporarily-unavailable");
    assert!(
        others.iter().all(|told| [DEAD, unavailable].contains(told)),
        "{others:?}"
    );
    assert_eq!(refusal(&try_pin(&offered, &right).await), DEAD);
    server.abort();
}

/// SEC-23.
#[tokio::test]
async fn sec_23_the_pin_of_one_page_opens_no_other_offer() {
    let world = World::start_changed(with_a_pin).await;
    let [one, two] = [
        Waiting::to_issue(&world, "v2").await,
        Waiting::to_issue(&world, "v2").await,
    ];
    let offered = offer(&one.link()).await;
    assert_eq!(refusal(&try_pin(&offered, &pin(&two.page)).await), WRONG);
    // Whoever does not have the offer cannot use up its tries.
    for _ in 0..5 {
        let guessed = Offered {
            code: format!(
                "{}.{}",
                offered.code.split_once('.').unwrap().0,
                "A".repeat(43)
            ),
            issuer: offered.issuer.clone(),
            configurations: Vec::new(),
        };
        assert_eq!(refusal(&try_pin(&guessed, "000000").await), DEAD);
    }
    assert_eq!(
        try_pin(&offered, &pin(&one.page)).await.status,
        StatusCode::OK
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_who_types_the_pin_over_gets_the_credential() {
    let world = World::start_changed(with_a_pin).await;
    let waiting = Waiting::to_issue(&world, "v2").await;
    let scan = |transaction_code: Option<String>| Scan {
        link: waiting.link(),
        consent: true,
        choose: Vec::new(),
        transaction_code,
    };
    let without = world.wallet.scan("anna", scan(None)).await.unwrap();
    assert_eq!(without.outcome, Outcome::Failed);
    // The page goes on showing it, since the wallet asks after it has scanned.
    let typed = pin(&waiting.again().await);
    assert_eq!(typed, pin(&waiting.page));
    let scanned = world.wallet.scan("anna", scan(Some(typed))).await.unwrap();
    assert_eq!(scanned.outcome, Outcome::Received, "{:?}", scanned.reason);
    assert!(
        !waiting
            .browser
            .open(&waiting.page.url)
            .await
            .code()
            .is_empty()
    );

    // A relying party that wants none has none.
    let plain = Waiting::to_issue(&world, "v1-a").await;
    assert!(!plain.page.html.contains("id=\"pin\""));
}
