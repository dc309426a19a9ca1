//! What holds for every answer of the gateway, whatever was asked, at every address that its router has.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use standards::openid4vp::VpToken;

use crate::addresses::addresses;
use crate::raw_wallet::{Waiting, read, request, request_address};
use crate::scenes::TYPE;
use crate::world::{Answer, Browser, World, client};

/// Every address of the gateway, with something in the place of parameters.
fn paths(world: &World) -> BTreeSet<String> {
    let filled = addresses(&world.gateway).into_iter().map(|path| {
        let path = path.replace("{organisation}", "anytown");
        let mut path = path.replace("/status/{list}", "/status/1");
        while let Some((before, rest)) = path.split_once('{') {
            let after = rest.split_once('}').unwrap().1;
            path = format!("{before}{}{after}", "A".repeat(22));
        }
        path
    });
    filled.collect()
}

/// SEC-12: nothing is framed, sniffed or referred; a page loads from its own origin only and nobody keeps it; only what
/// is for everybody may be read by other origins or kept by caches.
fn check(name: &str, answer: &Answer) {
    let header = |name: &str| {
        let value = answer.headers.get(name);
        value
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    };
    assert!(
        !answer.status.is_server_error(),
        "{name}: {}",
        answer.status
    );
    let csp = header("content-security-policy");
    for (kept, rule) in [
        (csp.contains("default-src 'none'"), "default-src"),
        (csp.contains("frame-ancestors 'none'"), "frame-ancestors"),
        (!csp.contains("unsafe"), "unsafe"),
        (!csp.contains('*'), "a source for all"),
        (header("x-content-type-options") == "nosniff", "nosniff"),
        (header("referrer-policy") == "no-referrer", "referrer"),
    ] {
        assert!(kept, "{name}: {rule}: {:?}", answer.headers);
    }
    let caching = header("cache-control");
    if header("content-type").starts_with("text/html") {
        assert_eq!(caching, "no-store", "{name}");
        assert_eq!(
            header("cross-origin-opener-policy"),
            "same-origin",
            "{name}"
        );
        let html = answer.body.to_ascii_lowercase();
        for inline in [
            "<script>",
            " onclick=",
            " onload=",
            " style=",
            "javascript:",
            "http-equiv",
        ] {
            assert!(!html.contains(inline), "{name}: {inline}");
        }
    }
    if answer.headers.contains_key("access-control-allow-origin") {
        assert!(caching.starts_with("public"), "{name}: read by everybody");
        assert!(!answer.headers.contains_key("set-cookie"), "{name}");
        assert!(
            !answer
                .headers
                .contains_key("access-control-allow-credentials")
        );
    }
    if answer.headers.contains_key("location") || answer.headers.contains_key("set-cookie") {
        assert!(!caching.contains("public"), "{name}: {caching}");
    }
    if answer.headers.contains_key("set-cookie") || header("location").contains("code=") {
        assert_eq!(caching, "no-store", "{name}");
    }
}

/// SEC-12.
#[tokio::test]
async fn every_address_answers_every_method_with_the_headers_that_keep_it_to_itself() {
    let world = World::start().await;
    let (paths, client) = (paths(&world), client());
    for path in paths
        .iter()
        .map(String::as_str)
        .chain(["/nowhere", "/assets/nothing"])
    {
        for method in ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"] {
            let method: Method = method.parse().unwrap();
            let request = client.request(method.clone(), world.url(path));
            let request = request.header("origin", "https://other.example");
            let answer = read(request.header("accept", "text/html")).await;
            check(&format!("{method} {path}"), &answer);
            if ["PUT", "DELETE", "TRACE"].contains(&method.as_str()) {
                assert!(
                    answer.status.is_client_error(),
                    "{method} {path}: {}",
                    answer.status
                );
            }
        }
    }
}

/// SEC-12: the pages themselves, in every state that a person meets.
#[tokio::test]
async fn every_page_of_a_journey_keeps_to_itself() {
    let world = World::start().await;
    let waiting = Waiting::to_verify(&world, TYPE).await;
    let see = async |name: &str, address: &str| {
        let answer = waiting.browser.answer(address).await;
        check(name, &answer);
        answer
    };
    let url = &waiting.page.url;
    see("waiting", url).await;
    see("the larger code", &format!("{url}/code")).await;
    see("the status", &format!("{url}/status")).await;
    if waiting.link().starts_with("http") {
        check("the short link", &read(client().get(waiting.link())).await);
    }
    let requested = request(&waiting.link()).await;
    see("scanned", url).await;
    requested.post(requested.answer(VpToken::default())).await;
    let ended = see("ended", url).await;
    assert_eq!(ended.status, StatusCode::OK);
    let party = world.party("plain");
    check(
        "nothing for this browser",
        &Browser::new().answer(url).await,
    );
    check(
        "another browser",
        &Browser::new()
            .answer(&world.url("/return?response_code=x"))
            .await,
    );
    let unknown = world.url("/authorize?client_id=x");
    check("an error page", &Browser::new().answer(&unknown).await);
    check(
        "authorize",
        &Browser::new()
            .answer(&world.pushed(&party, |_| ()).await)
            .await,
    );
    check("help", &Browser::new().answer(&world.url("/help")).await);
}

/// SEC-12, SEC-35: names that somebody registered, with everything in them that a page could stumble over.
#[tokio::test]
async fn a_name_is_shown_as_text_and_never_run() {
    let world = World::start().await;
    let name = r#"</script><script>alert(1)</script>"'`><img src=x onerror=alert(2)>"#;
    let mut config = world.config.clone();
    config.organisations[0].name = name.to_owned();
    for party in &mut config.organisations[0].relying_parties {
        party.name = name.to_owned();
    }
    let surroundings = gateway::Surroundings {
        clock: world.clock.clone(),
        sandbox: true,
        ..gateway::Surroundings::production()
    };
    let gateway = gateway::Gateway::compose(&config, surroundings)
        .await
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let server = crate::world::serve(listener, &gateway);

    let pushed = world.pushed(&world.party("plain"), |_| ()).await;
    let browser = Browser::new();
    let page = browser.open(&pushed.replace(&world.base, &base)).await;
    let larger = browser.open(&format!("{}/code", page.url)).await;
    let cancelled = request_address(&page.link("open-wallet").replace(&world.base, &base)).await;
    read(client().get(cancelled.replace(&world.base, &base))).await;
    let scanned = browser.open(&page.url).await;
    for shown in [&page.html, &larger.html, &scanned.html] {
        for live in ["<script>alert", "<img src=x"] {
            assert!(!shown.contains(live), "{live}");
        }
    }
    assert!(
        page.html.contains("&#60;script&#62;alert(1)"),
        "{}",
        page.html
    );
    server.abort();
}

/// SEC-10: what is published of keys is public halves, each with its algorithm and a name of its own.
#[tokio::test]
async fn no_published_document_has_a_secret_member_and_no_two_keys_one_name() {
    fn keys(value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Object(members) => {
                if members.contains_key("kty") {
                    found.push(value.clone());
                }
                for member in members.values() {
                    keys(member, found);
                }
            }
            Value::Array(items) => {
                for item in items {
                    keys(item, found);
                }
            }
            _ => {}
        }
    }
    let world = World::start().await;
    let waiting = Waiting::to_verify(&world, TYPE).await;
    let mut documents = vec![request(&waiting.link()).await.claims];
    for path in paths(&world) {
        for organisation in ["anytown", "elsewhere"] {
            let path = path.replace("anytown", organisation);
            documents.push(read(client().get(world.url(&path))).await.json);
        }
    }
    let mut found = Vec::new();
    for document in &documents {
        keys(document, &mut found);
    }
    let mut by_kid = std::collections::BTreeMap::new();
    for key in &found {
        let members = key.as_object().unwrap();
        for secret in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!members.contains_key(secret), "{secret} in {key}");
        }
        assert_ne!(key["kty"], "oct");
        assert!(key["alg"].is_string(), "{key}");
        let kid = key["kid"].as_str().unwrap().to_owned();
        let thumb = (key["x"].clone(), key["n"].clone());
        let known = by_kid.entry(kid).or_insert_with(|| thumb.clone());
        assert_eq!(*known, thumb, "one name for two keys");
    }
    // Two for ID tokens; two organisations with keys for credentials, lists and requests; one for the answer.
    assert!(by_kid.len() >= 7, "{}", by_kid.len());
}
