//! What somebody does who guesses short codes, or has heard one.

use jiff::SignedDuration;
use reqwest::StatusCode;
use wallet::{Outcome, Scan};

use crate::raw_wallet::{Waiting, read, refusal};
use crate::world::{Answer, Page, World, client};

/// The address that the page tells people to type.
fn typed(page: &Page) -> Option<String> {
    let (_, rest) = page.html.split_once("id=\"typed\">")?;
    // It may break before the code and nowhere else.
    let (before, rest) = rest.split_once("<wbr><span class=\"lanyard-whole\">")?;
    Some(format!("{before}{}", rest.split_once('<')?.0))
}

async fn follow(typed: &str) -> Answer {
    read(client().get(format!("http://{typed}"))).await
}

const UNKNOWN: (u16, &str, &str) = (404, "invalid_request", "");

/// SEC-28, SEC-30: it leads where the QR code leads, and binds nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_code_is_made_when_it_is_asked_for_and_leads_a_wallet_to_the_same_link() {
    let world = World::start().await;
    let waiting = Waiting::to_issue(&world, "v2").await;
    assert_eq!(typed(&waiting.page), None);
    let page = waiting.browser.submit(&waiting.page, "short-code").await;
    let typed = typed(&page).unwrap();
    let followed = follow(&typed).await;
    assert_eq!(followed.status, StatusCode::SEE_OTHER);
    let steady = crate::raw_wallet::follow(&waiting.link()).await;
    assert_eq!(followed.headers["location"], steady.as_str());
    assert_eq!(
        waiting.browser.status(&waiting.page).await.json["state"],
        "waiting"
    );
    // Asked again, it is the same one.
    let again = waiting.browser.submit(&waiting.page, "short-code").await;
    assert_eq!(self::typed(&again).as_ref(), Some(&typed));

    // However it is typed.
    let scan = Scan {
        link: typed.to_ascii_lowercase().replace('-', ""),
        consent: true,
        choose: Vec::new(),
        transaction_code: None,
    };
    let scanned = world.wallet.scan("anna", scan).await.unwrap();
    assert_eq!(scanned.outcome, Outcome::Received, "{:?}", scanned.reason);
    // It died with the first wallet that came.
    assert_eq!(refusal(&follow(&typed).await), UNKNOWN);
}

/// SEC-29: forty bits that people read out to others must open nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_29_the_reference_is_no_short_code() {
    let world = World::start().await;
    let waiting = Waiting::to_issue(&world, "v2").await;
    let page = waiting.browser.submit(&waiting.page, "short-code").await;
    let (_, rest) = page.html.split_once("lanyard-reference\">").unwrap();
    let reference = rest.split_once('<').unwrap().0;
    let (address, code) = {
        let typed = typed(&page).unwrap();
        let (address, code) = typed.rsplit_once('/').unwrap();
        (address.to_owned(), code.to_owned())
    };
    assert_ne!(reference, code);
    assert_eq!(
        refusal(&follow(&format!("{address}/{reference}")).await),
        UNKNOWN
    );
}

/// SEC-30.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_code_dies_with_start_again_with_cancel_and_with_the_half_hour() {
    let world = World::start().await;
    for end in ["restart", "cancel"] {
        let waiting = Waiting::to_issue(&world, "v2").await;
        let page = waiting.browser.submit(&waiting.page, "short-code").await;
        waiting.browser.submit(&waiting.page, end).await;
        assert_eq!(
            refusal(&follow(&typed(&page).unwrap()).await),
            UNKNOWN,
            "{end}"
        );
    }
    let waiting = Waiting::to_issue(&world, "v2").await;
    let page = waiting.browser.submit(&waiting.page, "short-code").await;
    world.later(SignedDuration::from_mins(31));
    assert_eq!(refusal(&follow(&typed(&page).unwrap()).await), UNKNOWN);
}

/// SEC-29: nobody but the browser that began makes one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_29_a_stolen_page_id_makes_no_short_code() {
    let world = World::start().await;
    let waiting = Waiting::to_issue(&world, "v2").await;
    let stranger = crate::world::Browser::new();
    stranger.submit(&waiting.page, "short-code").await;
    let forged = client().post(format!("{}/short-code", waiting.page.url));
    assert_eq!(read(forged).await.status, StatusCode::GONE);
    assert_eq!(typed(&waiting.again().await), None);
}

/// SEC-34: guesses have a budget for everybody together; when it is spent, the right code waits, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_whoever_guesses_short_codes_is_stopped() {
    // One address alone is stopped sooner, by its own limit.
    let from_many = |config: &mut gateway::Config| {
        config.limits.address.failures = 10_000.try_into().unwrap();
    };
    let world = World::start_changed(from_many).await;
    let waiting = Waiting::to_issue(&world, "v2").await;
    let page = waiting.browser.submit(&waiting.page, "short-code").await;
    let right = typed(&page).unwrap();
    let address = right.rsplit_once('/').unwrap().0;
    let guesser = client();
    for guess in 0..600 {
        let guessed = guesser.get(format!("http://{address}/0000-{guess:04}"));
        let guessed = read(guessed).await;
        assert_eq!(refusal(&guessed), UNKNOWN, "{guess}");
    }
    assert_eq!(follow(&right).await.status, StatusCode::TOO_MANY_REQUESTS);
    world.later(SignedDuration::from_secs(61));
    assert_eq!(follow(&right).await.status, StatusCode::SEE_OTHER);
}

/// SEC-34: who guesses from one network uses up that network's share, and right codes of all others work on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_who_guesses_short_codes_stops_nobody_elses() {
    let world = World::start_changed(|config| {
        config.address_header = Some("x-forwarded-for".to_owned());
        config.limits.address.failures = 10_000.try_into().unwrap();
    })
    .await;
    let waiting = Waiting::to_issue(&world, "v2").await;
    let page = waiting.browser.submit(&waiting.page, "short-code").await;
    let right = typed(&page).unwrap();
    let address = right.rsplit_once('/').unwrap().0;
    let guesser = client();
    let from = async |network: &str, typed: &str| {
        let request = guesser.get(format!("http://{typed}"));
        read(request.header("x-forwarded-for", network)).await
    };
    for guess in 0..700 {
        let network = format!("198.51.100.{}", guess % 256);
        let guessed = from(&network, &format!("{address}/0000-{guess:04}")).await;
        let expected = if guess < 60 { 404 } else { 429 };
        assert_eq!(guessed.status.as_u16(), expected, "{guess}");
    }
    let own = from("198.51.100.7", &right).await;
    assert_eq!(own.status, StatusCode::TOO_MANY_REQUESTS);
    let others = from("203.0.113.9", &right).await;
    assert_eq!(others.status, StatusCode::SEE_OTHER);
}
