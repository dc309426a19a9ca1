//! Two wallets at one code: one of them is somebody else's. Whoever answers first has answered, on every engine and in
//! however many processes, and the other one gets nothing.

use std::collections::HashSet;

use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::database::{Database, on_both_engines};
use crate::raw_wallet::{
    RawWallet, Requested, Waiting, credential, offer, post_to, read, refusal, request,
    request_address, token,
};
use crate::scenes::{CONFIGURATION, Stage, TYPE};
use crate::world::{World, client, serve};

on_both_engines!(
    of_two_wallets_that_answer_one_request_in_two_processes_one_is_believed,
    of_two_wallets_that_race_for_one_offer_in_two_processes_one_has_a_credential,
);

/// A second process of the world's gateway, at an address of its own.
struct Second {
    base: String,
    server: tokio::task::JoinHandle<()>,
}

impl Second {
    async fn start(world: &World) -> Self {
        let gateway = world.second_process().await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let server = serve(listener, &gateway);
        Self { base, server }
    }

    /// The same address at this process.
    fn at(&self, world: &World, address: &str) -> String {
        address.replace(&world.base, &self.base)
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Two holders, each with a credential that names its own person.
async fn two_holders(world: &World) -> [(RawWallet, String); 2] {
    let mut holders = Vec::new();
    for name in ["Cardiology", "Geriatrics"] {
        let party = world.party("v2");
        let hint = world.hint(&party, |draft| {
            drop(draft.insert("TPR-Name".into(), name.into()));
        });
        let pushed = world
            .pushed(&party, |form| form.issue("TrainingProgramme", &hint))
            .await;
        let page = crate::world::Browser::new().open(&pushed).await;
        let wallet = RawWallet::new();
        let card = wallet
            .receive(world, &page.link("open-wallet"), "jwt-vc")
            .await;
        holders.push((wallet, card));
    }
    holders.try_into().ok().unwrap()
}

/// SEC-18, SEC-30.
async fn of_two_wallets_that_answer_one_request_in_two_processes_one_is_believed(
    database: Database,
) {
    let world = World::start_on(database).await;
    let second = Second::start(&world).await;
    let holders = two_holders(&world).await;
    let party = world.party("plain");
    for _ in 0..4 {
        let waiting = Waiting::to_verify(&world, TYPE).await;
        // Both retrieve at once, each from its own process: one object for both (rulings 6).
        let here = request_address(&waiting.link()).await;
        let there = second.at(&world, &here);
        let (one, two) = tokio::join!(read(client().get(&here)), read(client().get(&there)));
        assert_eq!((one.status, &one.body), (StatusCode::OK, &two.body));
        let requested = Requested::parse(&one);
        let mut posts = Vec::new();
        for ((wallet, card), base) in holders.iter().zip([&world.base, &second.base]) {
            let presented = wallet.present_w3c(card, &requested, world.now()).await;
            let address = requested.text_of("response_uri");
            let address = address.replace(&world.base, base);
            let form = requested.answer(presented);
            posts.push(tokio::spawn(async move { post_to(&address, form).await }));
        }
        let mut believed = None;
        for (post, name) in posts.into_iter().zip(["Cardiology", "Geriatrics"]) {
            let answer = post.await.unwrap();
            if answer.status == StatusCode::OK {
                assert_eq!(believed.replace(name), None, "two were believed");
            } else {
                let said = refusal(&answer);
                assert_eq!(said, (400, "invalid_request", "already-used"));
            }
        }
        let code = waiting.again().await.code();
        let token = world.token(&party, |form| form.code(&code)).await;
        assert_eq!(
            token.id_token()["TrainingProgramme.TPR-Name"],
            believed.unwrap()
        );
    }
}

/// SEC-19, SEC-23, SEC-30.
async fn of_two_wallets_that_race_for_one_offer_in_two_processes_one_has_a_credential(
    database: Database,
) {
    let world = World::start_on(database).await;
    let second = Second::start(&world).await;
    for _ in 0..4 {
        let waiting = Waiting::to_issue(&world, "v2").await;
        let offered = offer(&waiting.link()).await;
        let issuers = [
            offered.issuer.clone(),
            second.at(&world, &offered.issuer),
            offered.issuer.clone(),
            second.at(&world, &offered.issuer),
        ];
        let tries = issuers.map(|issuer| {
            let code = offered.code.clone();
            tokio::spawn(async move { token(&issuer, &code).await })
        });
        let mut tokens = Vec::new();
        for one in tries {
            let answer = one.await.unwrap();
            match answer.status {
                StatusCode::OK => {
                    tokens.push(answer.json["access_token"].as_str().unwrap().to_owned());
                }
                _ => assert_eq!(refusal(&answer), (400, "invalid_grant", "code-invalid")),
            }
        }
        assert_eq!(tokens.len(), 1, "one code, one token");

        // A thief who has the token as well: two keys, one credential.
        let mut asked = Vec::new();
        for base in [&world.base, &second.base] {
            let request = RawWallet::new()
                .request(&offered.issuer, CONFIGURATION, world.now())
                .await;
            let issuer = offered.issuer.replace(&world.base, base);
            let token = tokens[0].clone();
            asked.push(tokio::spawn(async move {
                credential(&issuer, &token, &request).await
            }));
        }
        let mut given = HashSet::new();
        for one in asked {
            let answer = one.await.unwrap();
            if answer.status == StatusCode::OK {
                given.insert(answer.json["credentials"][0]["credential"].to_string());
            } else {
                let said = refusal(&answer);
                assert_eq!(said, (400, "credential_request_denied", "already-issued"));
            }
        }
        assert_eq!(given.len(), 1);
    }
}

/// SEC-18, SEC-30: wallet A has the request, wallet B answers.
#[tokio::test]
async fn a_wallet_that_has_not_retrieved_the_request_cannot_answer_it() {
    let world = World::start().await;
    let [(hers, card), (his, other_card)] = two_holders(&world).await;
    let waiting = Waiting::to_verify(&world, TYPE).await;
    let requested = request(&waiting.link()).await;
    world.later(SignedDuration::from_secs(60));
    let address = request_address(&waiting.link()).await;
    let refused = read(client().get(&address)).await;
    assert_eq!(refusal(&refused), (410, "invalid_request", "link-used"));

    // From the code on the screen he knows where the answer goes; a request of his own tells him how one looks.
    let own = request(&Waiting::to_verify(&world, TYPE).await.link()).await;
    let presented = his.present_w3c(&other_card, &own, world.now()).await;
    let swapped = post_to(&requested.text_of("response_uri"), own.answer(presented)).await;
    assert_eq!(swapped.status, StatusCode::BAD_REQUEST, "{}", swapped.body);

    let presented = hers.present_w3c(&card, &requested, world.now()).await;
    let answer = requested.post(requested.answer(presented)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    // Even with the whole request, he comes too late.
    let presented = his.present_w3c(&other_card, &requested, world.now()).await;
    let late = requested.post(requested.answer(presented)).await;
    assert_eq!(refusal(&late), (400, "invalid_request", "already-used"));
    let code = waiting.again().await.code();
    let party = world.party("plain");
    let token = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(token.id_token()["TrainingProgramme.TPR-Name"], "Cardiology");
}

/// SEC-18, SEC-28: the answer to a link for this device, posted twice, makes one response code.
#[tokio::test]
async fn a_double_post_on_the_same_device_makes_no_second_response_code() {
    let world = World::start().await;
    let [(wallet, card), (thief, stolen)] = two_holders(&world).await;
    let waiting = Waiting::to_verify(&world, TYPE).await;
    let requested = request(&waiting.page.link("open-wallet-here")).await;
    let presented = wallet.present_w3c(&card, &requested, world.now()).await;
    let form = requested.answer(presented);
    let first = requested.post(form.clone()).await;
    let back = first.json["redirect_uri"].as_str().unwrap().to_owned();
    let others = requested.answer(thief.present_w3c(&stolen, &requested, world.now()).await);
    for form in [form, others] {
        let again = requested.post(form).await;
        assert_eq!(refusal(&again), (400, "invalid_request", "already-used"));
        assert!(again.json.get("redirect_uri").is_none());
    }
    waiting.browser.open(&back).await.code();
}

/// The wallet that has the request answers where it got it: the other link's address takes nothing in its name.
#[tokio::test]
async fn an_answer_comes_by_the_link_that_the_wallet_followed() {
    let stage = Stage::set().await;
    let waiting = Waiting::to_verify(&stage.world, TYPE).await;
    let requested = request(&waiting.page.link("open-wallet-here")).await;
    let form = stage.good(&requested).await;
    let other = format!("{}/response", request_address(&waiting.link()).await);
    assert_ne!(other, requested.text_of("response_uri"));
    let refused = post_to(&other, form.clone()).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    let accepted = requested.post(form).await;
    assert_eq!(accepted.status, StatusCode::OK, "{}", accepted.body);
}
