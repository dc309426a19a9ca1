//! What an attacker tries so that a browser with a code, or with an error, goes where it should not.

use gateway::{Gateway, Surroundings};
use jiff::SignedDuration;
use reqwest::StatusCode;
use url::Url;

use crate::raw_wallet::{post_to, read};
use crate::world::{Form, REDIRECT_URI, World, client};

/// Every known way to make one address look like another.
fn look_alikes() -> Vec<String> {
    let mut all: Vec<String> = [
        "https://evil.example/",
        "//evil.example/callback",
        "/callback",
        "http://localhost:8499",
        "http://localhost:8499/",
        "http://localhost:8499/*",
        "http://*:8499/callback",
        "http://localhost:8499/callback/../evil",
        "http://localhost:8499/..;/callback",
        "http://localhost:8499/%2e%2e/callback",
        "http://localhost:8499//callback",
        "http://LOCALHOST:8499/callback",
        "http://localhost:08499/callback",
        "http://127.0.0.1:8499/callback",
        "http://[::1]:8499/callback",
        "http://localhost.evil.example:8499/callback",
        "http://evil.example@localhost:8499/callback",
        "http://localhost:8499@evil.example/callback",
        "http://localhost:8499\\@evil.example/callback",
        "http:/\\evil.example/callback",
        "http:localhost:8499/callback",
        "javascript:alert(1)",
        "data:text/html,x",
    ]
    .map(str::to_owned)
    .to_vec();
    for tail in [
        "?",
        "#",
        "/",
        ".",
        "%20",
        "%00",
        "?code=x",
        "?state=x",
        "?iss=x",
        "?error=x",
        "#code=x",
        "#error=x",
        "&code=x",
        ";x",
        "%2f",
        "%0d%0aSet-Cookie:x",
    ] {
        all.push(format!("{REDIRECT_URI}{tail}"));
    }
    all
}

fn escaped(form: &Form) -> String {
    let pairs = form.0.iter().filter(|(name, _)| name != "client_secret");
    standards::oauth::form::encode(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
}

/// SEC-02, SEC-03.
#[tokio::test]
async fn no_look_alike_of_a_registered_address_is_taken_or_redirected_to() {
    let world = World::start().await;
    for party in ["plain", "v1-a"] {
        let party = world.party(party);
        for address in look_alikes() {
            let pushed = world.push(&party, |form| form.set("redirect_uri", &address));
            let answer = pushed.await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}");
            assert!(!answer.headers.contains_key("location"), "{address}");

            let mut form = Form::new(&party);
            form.set("redirect_uri", &address);
            let url = world.url(&format!("{}?{}", party.authorize(), escaped(&form)));
            let answer = read(client().get(url)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}");
            assert!(!answer.headers.contains_key("location"), "{address}");
            assert!(!answer.body.contains("evil.example"), "{address}");
        }
    }
}

/// SEC-02: nor can one be registered.
#[tokio::test]
async fn a_gateway_does_not_start_with_an_address_that_invites_redirection() {
    let world = World::start().await;
    for address in [
        "http://portal.example/callback",
        "https://portal.example/*",
        "https://portal.example/callback#part",
        "https://portal.example@evil.example/callback",
        "https://portal.example/..;/callback",
        "https://portal.example\\callback",
        "https://portal.example/callback?code=x",
        "https://portal.example/callback?state=x",
        "https://portal.example/callback?iss=x",
        "https://portal.example/callback?error=x",
    ] {
        let mut config = world.config.clone();
        config.organisations[0].relying_parties[0].redirect_uris = vec![address.to_owned()];
        let surroundings = Surroundings {
            sandbox: true,
            ..Surroundings::production()
        };
        let Err(error) = Gateway::compose(&config, surroundings).await else {
            panic!("{address} was registered");
        };
        assert!(error.to_string().contains("redirect_uris"), "{error}");
    }
}

/// SEC-03: whatever else is wrong, and by whichever method, nobody is sent to an address that is not known; and once it
/// is, to no other.
#[tokio::test]
async fn no_way_of_failing_redirects_anywhere_else() {
    let world = World::start().await;
    let party = world.party("plain");
    let mut faults: Vec<(&str, &str, &str)> = vec![("", "", "")];
    faults.extend([
        ("response_mode", "form_post", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("response_mode", "jwt", "invalid_request"),
        ("response_mode", "query.jwt", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        (
            "response_type",
            "code id_token",
            "unsupported_response_type",
        ),
        ("scope", "openid Nonsense", "invalid_scope"),
        ("prompt", "none", "interaction_required"),
        ("request", "x.y.z", "request_not_supported"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "x", "invalid_request"),
    ]);
    for (name, value, error) in faults {
        for (key, unknown) in [
            ("client_id", "nobody"),
            ("redirect_uri", "https://evil.example/"),
        ] {
            let mut form = Form::new(&party);
            if !name.is_empty() {
                form.set(name, value);
            }
            form.set(key, unknown);
            let address = world.url(&format!("/authorize?{}", escaped(&form)));
            let answer = read(client().get(&address)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name} {key}");
            assert!(!answer.headers.contains_key("location"), "{name} {key}");
            let looked = client().head(&address).send().await.unwrap();
            assert!(!looked.headers().contains_key("location"), "{name} {key}");
            // A posted form is sent on to our own address and no further.
            let posted = post_to(&world.url("/authorize"), escaped(&form)).await;
            let location = posted.headers["location"].to_str().unwrap();
            assert!(location.starts_with("/authorize?"), "{location}");
        }
        if name.is_empty() {
            continue;
        }
        let mut form = Form::new(&party);
        form.set(name, value);
        let address = world.url(&format!("/authorize?{}", escaped(&form)));
        let answer = read(client().get(&address)).await;
        let location: Url = answer.headers["location"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(location.as_str().starts_with(&format!("{REDIRECT_URI}?")));
        assert!(location.fragment().is_none());
        let pairs: Vec<_> = location.query_pairs().collect();
        assert!(
            pairs.contains(&("error".into(), error.into())),
            "{location}"
        );
        assert_eq!(pairs.iter().filter(|(name, _)| name == "state").count(), 1);
        assert_eq!(pairs.iter().filter(|(name, _)| name == "iss").count(), 1);
    }

    // A parameter that is there twice may be read twice: nothing is believed of such a request.
    let good = escaped(&Form::new(&party));
    for twice in [
        format!("{good}&redirect_uri=https://evil.example/"),
        format!("redirect_uri=https://evil.example/&{good}"),
        format!("{good}&client_id=v2"),
        format!("{good}&redirect%5Furi=https://evil.example/"),
        format!("{good}&state=%ff"),
        format!("{good}&x=%"),
    ] {
        let answer = read(client().get(world.url(&format!("/authorize?{twice}")))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{twice}");
        assert!(!answer.headers.contains_key("location"), "{twice}");
        let posted = post_to(&world.url("/authorize"), twice.clone()).await;
        assert_eq!(posted.status, StatusCode::BAD_REQUEST, "{twice}");
    }
    // What no address can hold, and what would end it early.
    for odd in ["x=\u{e9}", "x=a\r\nSet-Cookie: y=1", "x=a b", "x=y#z"] {
        let posted = post_to(&world.url("/authorize"), format!("{good}&{odd}")).await;
        assert_eq!(posted.status, StatusCode::BAD_REQUEST, "{odd:?}");
        assert!(!posted.headers.contains_key("set-cookie"));
    }

    let pushed = world.pushed(&party, |_| ()).await;
    let beside = format!("{pushed}&redirect_uri=https://evil.example/");
    world.later(SignedDuration::from_secs(601));
    for address in [&pushed, &beside] {
        let answer = read(client().get(address)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(!answer.headers.contains_key("location"));
    }
}

/// SEC-02: what stands beside a pushed request changes nothing of it [RFC 9126 4].
#[tokio::test]
async fn a_pushed_request_goes_back_to_the_address_that_was_pushed() {
    let world = World::start().await;
    let party = world.party("plain");
    let pushed = world.pushed(&party, |_| ()).await;
    let browser = crate::world::Browser::new();
    let beside =
        "&redirect_uri=https://evil.example/&state=forged&back_to_url=https://evil.example";
    let page = browser.open(&format!("{pushed}{beside}")).await;
    assert!(!page.html.contains("evil.example"));
    let back = browser.submit(&page, "cancel").await;
    assert!(back.url.starts_with(REDIRECT_URI), "{}", back.url);
    assert!(!back.url.contains("forged"));
}

/// SEC-05.
#[tokio::test]
async fn a_request_uri_cannot_be_guessed() {
    let world = World::start().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let answer = world.push(&world.party("plain"), |_| ()).await;
        let request_uri = answer.json["request_uri"].as_str().unwrap().to_owned();
        let secret = request_uri.rsplit(':').next().unwrap();
        assert_eq!(standards::base64url::decode(secret).unwrap().len(), 32);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(
            seen.insert(secret[..11].to_owned()),
            "a beginning came twice"
        );
    }
}

/// SEC-08: a challenge that was made binds, also for clients that need not make one.
#[tokio::test]
async fn a_challenge_that_was_sent_cannot_be_answered_with_silence() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    for name in ["v1-a", "v2", "plain"] {
        let party = world.party(name);
        let verifier = crate::world::verifier();
        let challenge = standards::oauth::pkce::CodeVerifier::parse(&verifier).unwrap();
        let pushed = world.pushed(&party, |form| {
            form.set("code_challenge", &challenge.challenge().to_text());
            form.set("code_challenge_method", "S256");
        });
        let browser = crate::world::Browser::new();
        let page = browser.open(&pushed.await).await;
        world.scan("anna", &page.link("open-wallet"), true).await;
        let code = browser.open(&page.url).await.code();
        for silence in [None, Some("")] {
            let answer = world.token(&party, |form| {
                form.code(&code);
                form.remove("code_verifier");
                if let Some(silence) = silence {
                    form.set("code_verifier", silence);
                }
            });
            assert_eq!(answer.await.error(), "invalid_grant", "{name}");
        }
        let good = world.token(&party, |form| {
            form.code(&code);
            form.set("code_verifier", &verifier);
        });
        assert_eq!(good.await.status, StatusCode::OK, "{name}");
    }
}
