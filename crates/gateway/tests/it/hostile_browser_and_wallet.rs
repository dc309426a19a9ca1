//! What an attacker does to come between a browser and the wallet that belongs to it: forward the code, steal or plant
//! an address or a cookie, replay a callback, send a form from another site.

use gateway::keys::KeyPurpose;
use gateway::{Gateway, Surroundings};
use reqwest::StatusCode;
use serde_json::json;
use standards::jose::{Algorithm, Typ};

use crate::raw_wallet::{Waiting, read, refusal, request, request_address};
use crate::scenes::{Stage, TYPE};
use crate::world::{Browser, Form, Page, World, client, serve};

/// SEC-28, VP-09: the victim scans the attacker's code. What stands against it across devices is what the victim reads:
/// the page says whose code to scan, the wallet says who asks and why, under the verifier's signature.
#[tokio::test]
async fn a_forwarded_code_tells_the_victim_who_asks_and_why() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let attacker = Waiting::to_verify(&world, "Identity").await;
    let own = "Only scan this code if you started this yourself";
    assert!(attacker.page.html.contains(own));

    let link = attacker.link();
    let opened = world.wallet.read("anna", &link).await.unwrap().unwrap();
    let wallet::Question::Share {
        verifier_name,
        purpose,
        ..
    } = world.wallet.question("anna", &opened).unwrap()
    else {
        panic!("no request to share");
    };
    assert_eq!(verifier_name.as_deref(), Some("anytown NHS Trust"));
    assert_eq!(
        purpose.as_deref(),
        Some("The plain portal asks to check this credential: Staff identity")
    );
    let signed = request(&link).await;
    let key = world.key(KeyPurpose::Requests);
    let verified = standards::jose::jws::parse(&signed.text).unwrap().verify(
        key.public_jwk(),
        &[Algorithm::ES256],
        Typ::Is("oauth-authz-req+jwt"),
    );
    let claims = verified.unwrap().into_claims();
    let metadata = &claims["client_metadata"];
    assert_eq!(metadata["client_name"], json!(verifier_name));
    assert_eq!(metadata["client_purpose"], json!(purpose));

    // The victim declines, and the attacker's browser is told no more than that.
    let answer = world
        .wallet
        .finish("anna", opened, wallet::Reply::default());
    assert_eq!(answer.await.unwrap().outcome, wallet::Outcome::Declined);
    let ended = attacker.again().await;
    assert!(ended.link("go-back").contains("user+cancelled"));
    assert!(!ended.html.contains("Taylor") && !ended.html.contains("anna"));
}

/// The owner's own page, opened as often as anybody likes, holds no code before the wallet has proved anything.
#[tokio::test]
async fn sec_07_there_is_no_code_before_the_proof() {
    let stage = Stage::set().await;
    let waiting = Waiting::to_verify(&stage.world, TYPE).await;
    let nothing = async |at: &str| {
        let page = waiting.again().await;
        let leads_back = page.url.contains("code=") || page.html.contains("callback?code=");
        assert!(!leads_back, "{at}: {}", page.url);
        let status = format!("{}/status", waiting.page.url);
        let status = waiting.browser.open(&status).await;
        assert!(!status.html.contains("code="), "{at}");
    };
    nothing("waiting").await;
    let requested = request(&waiting.link()).await;
    nothing("scanned").await;
    let refused = requested.post("vp_token=%7B%7D".into());
    assert_eq!(refused.await.status, StatusCode::BAD_REQUEST);
    nothing("refused").await;
}

/// SEC-28, HA-06, rulings 7: the victim follows the attacker's link for a wallet on this device.
#[tokio::test]
async fn a_forwarded_link_for_this_device_gives_the_attackers_browser_nothing() {
    let stage = Stage::set().await;
    let attacker = Waiting::to_verify(&stage.world, TYPE).await;
    let requested = request(&attacker.page.link("open-wallet-here")).await;
    let answer = requested.post(stage.good(&requested).await).await;
    let back = answer.json["redirect_uri"].as_str().unwrap().to_owned();

    let nothing = async || {
        let status = attacker.browser.status(&attacker.page).await;
        assert_eq!(status.json["state"], "returning");
        let page = attacker.again().await;
        assert_eq!(page.url, attacker.page.url, "no code");
        assert!(!page.html.contains("Cardiology"));
        let larger = format!("{}/code", attacker.page.url);
        assert_eq!(attacker.browser.open(&larger).await.url, attacker.page.url);
        page
    };
    nothing().await;
    // The victim's wallet opens the victim's browser, which has begun nothing, or something else.
    let victim = Waiting::to_verify(&stage.world, TYPE).await.browser;
    for browser in [Browser::new(), victim] {
        let page = browser.open(&back).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        let words = "Go back to the browser where you started";
        assert!(page.html.contains(words), "{}", page.html);
    }
    let page = nothing().await;

    // Starting again forgets what the victim showed; the response code is worth nothing from then on.
    let again = attacker.browser.submit(&page, "restart").await;
    let late = attacker.browser.open(&back).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(again.find_link("open-wallet").is_some());
    let state = attacker.browser.status(&attacker.page).await;
    assert_eq!(state.json["state"], "waiting");
}

/// Rulings 7: whoever waits for a browser that a wallet did not open can still say no.
#[tokio::test]
async fn an_answer_whose_browser_has_not_come_can_be_cancelled() {
    let stage = Stage::set().await;
    let waiting = Waiting::to_verify(&stage.world, TYPE).await;
    let requested = request(&waiting.page.link("open-wallet-here")).await;
    let answer = requested.post(stage.good(&requested).await).await;
    let page = waiting.again().await;
    let back = waiting.browser.submit(&page, "cancel").await;
    assert_eq!(back.parameter("error").as_deref(), Some("access_denied"));
    // The wallet's browser comes too late.
    let late = answer.json["redirect_uri"].as_str().unwrap();
    let late = waiting.browser.open(late).await;
    assert!(!late.url.contains("code="), "{}", late.url);
}

/// SEC-07, SEC-29: the address of the page is in the history, in a screenshot, over the shoulder.
#[tokio::test]
async fn a_stolen_page_address_shows_and_does_nothing() {
    let world = World::start().await;
    let owner = Waiting::to_verify(&world, TYPE).await;
    let stranger = Waiting::to_verify(&world, TYPE).await;
    let unknown = owner.page.url.replace("/interaction/", "/interaction/A");
    let unknown = unknown[..unknown.len() - 1].to_owned();
    let before = owner.browser.status(&owner.page).await.json;
    let stolen = |url: &str| Page {
        url: url.to_owned(),
        status: StatusCode::OK,
        // With the owner's own form token, which the attacker has seen.
        html: owner.page.html.clone(),
    };
    for thief in [Browser::new(), stranger.browser] {
        let mut answers = Vec::new();
        for url in [&owner.page.url, &unknown] {
            let page = stolen(url);
            let shown = thief.open(url).await;
            assert!(shown.find_link("open-wallet").is_none());
            // The page's own address and reference are its own.
            let reference = shown.html.split_once("lanyard-reference\">").unwrap().1;
            let reference = &reference[..9];
            let path = url.split_once("/interaction/").unwrap().1;
            let html = shown.html.replace(reference, "").replace(path, "");
            answers.push((
                (shown.status, html),
                thief.open(&format!("{url}/code")).await.status,
                thief.status(&page).await.status,
                thief.submit(&page, "restart").await.status,
                thief.submit(&page, "cancel").await.status,
            ));
        }
        assert_eq!(answers[0].2, StatusCode::NOT_FOUND);
        for status in [answers[0].0.0, answers[0].1, answers[0].3, answers[0].4] {
            assert_eq!(status, StatusCode::GONE);
        }
        // Whether there is such an interaction at all is told to nobody.
        assert_eq!(answers[0], answers[1]);
    }
    for cookie in ["", "lanyard-gateway=", "lanyard-gateway=A; lanyard-gateway"] {
        let status = client().get(format!("{}/status", owner.page.url));
        let answer = read(status.header("cookie", cookie)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{cookie}");
    }
    assert_eq!(owner.browser.status(&owner.page).await.json, before);
}

/// SEC-01, SEC-07: everything that led to the callback is opened again, by the same browser and by another.
#[tokio::test]
async fn a_replayed_callback_gives_no_second_code() {
    let stage = Stage::set().await;
    let party = stage.world.party("plain");
    let scope = format!("openid {TYPE}");
    let address = stage
        .world
        .pushed(&party, |form| form.set("scope", &scope))
        .await;
    let browser = Browser::new();
    let page = browser.open(&address).await;
    let requested = request(&page.link("open-wallet-here")).await;
    let answer = requested.post(stage.good(&requested).await).await;
    let back = answer.json["redirect_uri"].as_str().unwrap().to_owned();
    let code = browser.open(&back).await.code();
    // Until the code is redeemed, a reload is the same person's. The response code has been used all the same.
    assert_eq!(browser.open(&back).await.status, StatusCode::FORBIDDEN);
    let token = stage.world.token(&party, |form| form.code(&code)).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);

    let again = stage.world.token(&party, |form| form.code(&code)).await;
    assert_eq!(again.error(), "invalid_grant");
    for (address, status) in [
        (&back, StatusCode::FORBIDDEN),
        (&page.url, StatusCode::GONE),
        (&address, StatusCode::GONE),
    ] {
        for browser in [&browser, &Browser::new()] {
            assert_eq!(browser.open(address).await.status, status, "{address}");
        }
    }
    assert_eq!(
        refusal(&requested.post(stage.good(&requested).await).await),
        (400, "invalid_request", "already-used")
    );
}

/// SEC-28: a look-alike site sends the victim's browser to an authorize address of the attacker's.
#[tokio::test]
async fn an_address_that_the_attacker_has_opened_is_dead_in_the_victims_browser_and_the_other_way_round()
 {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let (attacker, victim) = (Browser::new(), Browser::new());
    let opened = world.pushed(&party, |_| ()).await;
    let page = attacker.open(&opened).await;
    for address in [&opened, &page.url] {
        let seen = victim.open(address).await;
        assert_eq!(seen.status, StatusCode::GONE);
        assert!(seen.find_link("open-wallet").is_none());
        assert_eq!(
            &seen.url, address,
            "it is not led on to the attacker's page"
        );
    }

    // One that the attacker pushed and did not open is the victim's once opened: the result is at the end of the
    // victim's browser, under a state that the relying party never gave it, and the attacker's has nothing.
    let unopened = world
        .pushed(&party, |form| form.set("state", "attackers-state"))
        .await;
    let page = victim.open(&unopened).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    for address in [&unopened, &page.url] {
        assert_eq!(attacker.open(address).await.status, StatusCode::GONE);
    }
    let back = victim.open(&page.url).await;
    assert_eq!(back.parameter("state").unwrap(), "attackers-state");

    // A whole request is nobody's: each browser gets an interaction of its own.
    let whole = world.url(&format!("/authorize?{}", Form::new(&party).query()));
    let (his, hers) = (attacker.open(&whole).await, victim.open(&whole).await);
    assert_ne!(his.url, hers.url);
    assert_ne!(his.link("open-wallet"), hers.link("open-wallet"));
    assert_eq!(attacker.open(&hers.url).await.status, StatusCode::GONE);
}

/// SEC-28, SEC-29, rulings 17: another host of the same domain may set cookies for the whole domain, but none that a
/// browser sends under a `__Host-` name.
#[tokio::test]
async fn a_cookie_that_a_neighbouring_site_can_plant_is_not_read() {
    let world = World::start().await;
    let mut config = world.config.clone();
    config.public_url = "https://gateway.example".parse().unwrap();
    let surroundings = Surroundings {
        clock: world.clock.clone(),
        sandbox: true,
        ..Surroundings::production()
    };
    let gateway = Gateway::compose(&config, surroundings).await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = serve(listener, &gateway);

    let authorize = format!(
        "{base}/authorize?{}",
        Form::new(&world.party("plain")).query()
    );
    let answer = read(client().get(&authorize)).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let (name, secret) = pair.split_once('=').unwrap();
    let answer = read(client().get(&authorize).header("cookie", pair)).await;
    assert_eq!((name, secret.len()), ("__Host-lanyard-gateway", 43));
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Secure");

    let status = format!(
        "{base}{}/status",
        answer.headers["location"].to_str().unwrap()
    );
    let with = async |name: &str| {
        let cookie = format!("{name}={secret}");
        read(client().get(&status).header("cookie", cookie))
            .await
            .status
    };
    assert_eq!(with("__Host-lanyard-gateway").await, StatusCode::OK);
    for name in [
        "lanyard-gateway",
        "__Secure-lanyard-gateway",
        "__host-lanyard-gateway",
    ] {
        assert_eq!(with(name).await, StatusCode::NOT_FOUND, "{name}");
    }
    server.abort();
}

/// SEC-07, SEC-12: a page elsewhere sends the forms of this one.
#[tokio::test]
async fn a_form_of_another_site_is_refused_even_with_the_token() {
    let world = World::start().await;
    let owner = Waiting::to_verify(&world, TYPE).await;
    let post = async |action: &str, headers: &[(&str, &str)]| {
        owner
            .browser
            .submit_with(&owner.page, action, headers)
            .await
    };
    for action in ["restart", "cancel"] {
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "cross-site"), ("origin", &world.base)],
            &[("origin", "https://look-alike.example")],
        ] {
            let page = post(action, headers).await;
            assert_eq!(page.status, StatusCode::GONE, "{action} {headers:?}");
        }
    }
    assert_eq!(owner.again().await.link("open-wallet"), owner.link());
    // As browsers send a page's own form that sends no referrer.
    let own = [("sec-fetch-site", "same-origin"), ("origin", "null")];
    let page = post("restart", &own).await;
    assert_ne!(page.link("open-wallet"), owner.link());
}

/// SEC-28, SEC-30, rulings 6: 'Start again' while a wallet, perhaps not one's own, has the request.
#[tokio::test]
async fn after_start_again_nothing_of_the_old_code_works() {
    let stage = Stage::set().await;
    for id in ["open-wallet", "open-wallet-here"] {
        let waiting = Waiting::to_verify(&stage.world, TYPE).await;
        let old = [
            waiting.link(),
            request_address(&waiting.link()).await,
            request_address(&waiting.page.link("open-wallet-here")).await,
        ];
        let requested = request(&waiting.page.link(id)).await;
        let form = stage.good(&requested).await;
        let again = waiting
            .browser
            .submit(&waiting.again().await, "restart")
            .await;
        assert_eq!(
            refusal(&requested.post(form).await),
            (404, "invalid_request", "link-unknown")
        );
        for address in old.iter().filter(|address| address.starts_with("http")) {
            let answer = read(client().get(address)).await;
            assert!(
                answer.status.is_client_error(),
                "{address}: {}",
                answer.status
            );
        }
        let fresh = request(&again.link("open-wallet")).await;
        for changed in ["nonce", "state", "response_uri", "client_metadata"] {
            assert_ne!(fresh.claims[changed], requested.claims[changed]);
        }
        fresh.post(stage.good(&fresh).await).await;
        waiting.again().await.code();
    }
}
