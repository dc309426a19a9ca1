//! SEC-34: what somebody tries who asks too often, and who must not notice.

use std::num::NonZeroU32;

use gateway::Config;
use gateway::limits::{Kind, OwnLimits};
use jiff::SignedDuration;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};
use standards::jose::Algorithm;

use crate::keyed::Keyed;
use crate::world::{Answer, Browser, Form, Party, World, client};

const FORWARDED: &str = "x-forwarded-for";

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// Behind a proxy that says whom it took a request from.
fn behind_proxy(config: &mut Config) {
    config.address_header = Some(FORWARDED.to_owned());
}

async fn from(address: &str, request: RequestBuilder) -> Answer {
    let request = request.header(FORWARDED, address);
    Answer::read(request.send().await.unwrap()).await
}

/// Pushes a good request, and gives the status.
async fn push(world: &World, party: &Party) -> StatusCode {
    world.push(party, |_| {}).await.status
}

fn wait_of(answer: &Answer) -> u64 {
    let wait = answer.headers[RETRY_AFTER].to_str().unwrap();
    wait.parse().unwrap()
}

/// SEC-33: budgets are by client, within one organisation and across two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_sec_33_who_pushes_too_often_waits_and_nobody_else_does() {
    let world = World::start_changed(|config| config.limits.client.pushes = number(5)).await;
    let flooder = world.party("v2");
    for _ in 0..5 {
        assert_eq!(push(&world, &flooder).await, StatusCode::CREATED);
    }
    let refused = world.push(&flooder, |_| {}).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.error(), "temporarily_unavailable");
    let sentence = refused.description();
    assert!(
        sentence.starts_with("too-many-requests-of-client: this client has sent too many"),
        "{sentence}"
    );
    let wait = wait_of(&refused);
    assert!((1..=12).contains(&wait), "{wait}");
    for other in ["plain", "v1-a", "v1-b", "stranger"] {
        let other = world.party(other);
        assert_eq!(push(&world, &other).await, StatusCode::CREATED);
    }
    // Its other budgets are its own, too: here it is only the code that is wrong.
    let token = world.token(&flooder, |form| form.code("made-up")).await;
    assert_eq!(token.error(), "invalid_grant");

    world.later(SignedDuration::from_secs(12));
    assert_eq!(push(&world, &flooder).await, StatusCode::CREATED);
    let again = push(&world, &flooder).await;
    assert_eq!(again, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_nobody_uses_up_the_budget_of_a_client_by_naming_it() {
    let world = World::start_changed(|config| {
        config.limits.client.pushes = number(3);
        config.limits.client.tokens = number(3);
        config.limits.client.revocations = number(3);
    })
    .await;
    let victim = world.party("v2");
    for _ in 0..10 {
        let pushed = world
            .push(&victim, |form| form.set("client_secret", "guessed"))
            .await;
        assert_eq!(pushed.status, StatusCode::UNAUTHORIZED);
        let token = world.token(&victim, |form| form.set("client_secret", "guessed"));
        assert_eq!(token.await.status, StatusCode::UNAUTHORIZED);
        let revoked = world.revoke(&victim, "x", |body| {
            body.insert("client_secret".into(), "guessed".into());
        });
        assert_eq!(revoked.await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(push(&world, &victim).await, StatusCode::CREATED);
    let token = world.token(&victim, |form| form.code("made-up")).await;
    assert_eq!(token.error(), "invalid_grant");
    let revoked = world.revoke(&victim, "x", |_| {}).await;
    assert_eq!(revoked.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_wrong_secrets_are_charged_to_the_address_that_they_come_from() {
    let world = World::start_changed(|config| {
        behind_proxy(config);
        config.limits.address.failures = number(5);
    })
    .await;
    let party = world.party("v2");
    let push = async |address: &str, secret: &str| {
        let mut form = Form::new(&party);
        form.set("client_secret", secret);
        let request = client().post(world.url(party.par())).form(&form.0);
        from(address, request).await
    };
    for _ in 0..5 {
        let wrong = push("198.51.100.7", "guessed").await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    }
    let refused = push("198.51.100.7", "guessed").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        refused.description().starts_with("too-many-failures-from"),
        "{}",
        refused.body
    );
    assert!(wait_of(&refused) <= 12);
    // What the caller writes before the proxy's word is not believed, and nobody else waits.
    let refused = push("203.0.113.9, 198.51.100.7", &party.secret).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let other = push("198.51.100.7, 203.0.113.9", &party.secret).await;
    assert_eq!(other.status, StatusCode::CREATED);
    // Its wallets and browsers are not its servers.
    let wallet = client().get(world.url("/r/nobody"));
    let wallet = from("198.51.100.7", wallet).await;
    assert_eq!(wallet.status, StatusCode::NOT_FOUND);
}

/// Several relying parties sit behind one address, as at a hospital group's data centre.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_a_relying_partys_requests_use_up_nothing_of_its_neighbours() {
    let world = World::start_changed(|config| {
        behind_proxy(config);
        config.limits.address.back_channel = number(4);
        config.limits.client.pushes = number(10);
    })
    .await;
    let (flooder, neighbour) = (world.party("v2"), world.party("plain"));
    let address = "198.51.100.7";
    let push = async |party: &Party| {
        let request = client().post(world.url(party.par()));
        from(address, request.form(&Form::new(party).0)).await
    };
    for _ in 0..10 {
        assert_eq!(push(&flooder).await.status, StatusCode::CREATED);
    }
    for _ in 0..10 {
        let refused = push(&flooder).await;
        assert!(
            refused
                .description()
                .starts_with("too-many-requests-of-client")
        );
    }
    assert_eq!(push(&neighbour).await.status, StatusCode::CREATED);
    // Whoever has not said who they are has the address's number.
    for _ in 0..4 {
        let nobody = from(address, client().post(world.url("/par"))).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    }
    let refused = from(address, client().post(world.url("/par"))).await;
    assert!(
        refused
            .description()
            .starts_with("too-many-requests-from-address")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_addresses_that_are_too_long_count_as_requests() {
    let world = World::start_changed(|config| {
        behind_proxy(config);
        config.limits.address.authorize = number(2);
    })
    .await;
    let long = format!("/authorize?x={}", "a".repeat(12 * 1024));
    for status in [414, 414, 429] {
        let answer = from("198.51.100.7", client().get(world.url(&long))).await;
        assert_eq!(answer.status, status);
    }
}

/// A page full of pictures whose addresses are guesses must not lock out the network of whoever reads it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_pages_of_other_sites_use_up_nothing_of_an_address() {
    let world = World::start_changed(|config| {
        behind_proxy(config);
        config.limits.address.failures = number(2);
    })
    .await;
    let address = "198.51.100.7";
    let send = async |request: RequestBuilder, site: &str, destination: &str| {
        let request = request.header("sec-fetch-site", site);
        from(address, request.header("sec-fetch-dest", destination)).await
    };
    let guess = || client().get(world.url("/c/0000-0000"));
    for _ in 0..5 {
        for site in ["cross-site", "same-site"] {
            for destination in ["image", "iframe", "empty"] {
                let guessed = send(guess(), site, destination).await;
                assert_eq!(guessed.status, StatusCode::FORBIDDEN);
                assert_eq!(guessed.error(), "invalid_request");
            }
            let asked = send(client().get(world.url("/userinfo")), site, "image").await;
            assert_eq!(asked.status, StatusCode::FORBIDDEN);
            let form = client().post(world.url("/oidc/token")).body("code=guessed");
            assert_eq!(
                send(form, site, "document").await.status,
                StatusCode::FORBIDDEN
            );
        }
    }
    // What a person follows or types is answered, and counts.
    for site in ["cross-site", "none"] {
        let guessed = send(guess(), site, "document").await;
        assert_eq!(guessed.status, StatusCode::NOT_FOUND, "{}", guessed.body);
    }
    let refused = send(guess(), "none", "document").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.error(), "temporarily_unavailable");
    let typed = guess().header("accept", "text/html,*/*;q=0.8");
    let typed = send(typed, "none", "document").await;
    assert_eq!(typed.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(typed.body.contains("<h1"), "{}", typed.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_whoever_guesses_preauthorized_codes_is_stopped_by_address() {
    let world = World::start_changed(|config| {
        behind_proxy(config);
        config.limits.address.failures = number(4);
    })
    .await;
    let guess = async |address: &str, code: &str| {
        let form = [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:pre-authorized_code",
            ),
            ("pre-authorized_code", code),
        ];
        let request = client().post(world.url("/issuers/anytown/token"));
        from(address, request.form(&form)).await
    };
    for turn in 0..4 {
        let wrong = guess("2001:db8::1", &format!("guess.{turn}")).await;
        assert_eq!(wrong.error(), "invalid_grant", "{}", wrong.body);
    }
    // One subscriber has a whole /64.
    let refused = guess("2001:db8::ffff:1", "guess.5").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let other = guess("2001:db8:0:1::1", "guess.6").await;
    assert_eq!(other.error(), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_browsers_that_begin_too_often_are_told_in_words_when_to_come_again() {
    let world = World::start_changed(|config| {
        behind_proxy(config);
        config.limits.address.authorize = number(3);
    })
    .await;
    let party = world.party("v1-a");
    let address = world.url(&format!("/oidc/authorizev1?{}", Form::new(&party).query()));
    for _ in 0..3 {
        let begun = from("198.51.100.7", client().get(&address)).await;
        assert_eq!(begun.status, StatusCode::SEE_OTHER);
    }
    let busy = from("198.51.100.7", client().get(&address)).await;
    assert_eq!(busy.status, StatusCode::TOO_MANY_REQUESTS);
    assert!((1..=20).contains(&wait_of(&busy)));
    let media_type = busy.headers[CONTENT_TYPE].to_str().unwrap();
    assert!(media_type.starts_with("text/html"), "{media_type}");
    assert!(busy.headers.contains_key("content-security-policy"));
    assert!(
        busy.body.contains("The service is busy") && busy.body.contains("load this page again")
    );
    let other = from("198.51.100.8", client().get(&address)).await;
    assert_eq!(other.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_no_header_is_believed_that_the_operator_did_not_name() {
    let world = World::start_changed(|config| {
        config.limits.address.authorize = number(1);
        config.limits.address.documents = number(1);
    })
    .await;
    // The connection comes from this machine, as a proxy's does: everybody is there, so nobody is held up.
    for _ in 0..3 {
        let keys = from("198.51.100.7", client().get(world.url("/jwks"))).await;
        assert_eq!(keys.status, StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_requests_that_no_browser_opens_do_not_pile_up() {
    let world = World::start_changed(|config| config.limits.client.open_pushes = number(3)).await;
    let party = world.party("v2");
    let first = world.pushed(&party, |_| {}).await;
    world.later(SignedDuration::from_mins(1));
    assert_eq!(push(&world, &party).await, StatusCode::CREATED);
    assert_eq!(push(&world, &party).await, StatusCode::CREATED);
    let refused = world.push(&party, |_| {}).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let sentence = refused.description();
    assert!(
        sentence.starts_with("too-many-open-pushed-requests"),
        "{sentence}"
    );
    assert!(
        (530..=541).contains(&wait_of(&refused)),
        "{}",
        wait_of(&refused)
    );
    // A request that is refused for something else counts nothing.
    assert_eq!(
        push(&world, &world.party("plain")).await,
        StatusCode::CREATED
    );

    // Opened is not piled up.
    Browser::new().open(&first).await;
    assert_eq!(push(&world, &party).await, StatusCode::CREATED);
    let again = push(&world, &party).await;
    assert_eq!(again, StatusCode::TOO_MANY_REQUESTS);
    // Nor is what has expired.
    world.later(SignedDuration::from_secs(60 + 611));
    assert_eq!(push(&world, &party).await, StatusCode::CREATED);
}

/// SEC-27, SEC-34: revocation is rate limited, and one client may have a number of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_27_who_revokes_too_often_waits() {
    let world = World::start_changed(|config| {
        config.limits.client.revocations = number(2);
        let parties = &mut config.organisations[0].relying_parties;
        let plain = parties.iter_mut().find(|party| party.client_id == "plain");
        plain.unwrap().limits = OwnLimits {
            revocations: Some(number(4)),
            ..OwnLimits::default()
        };
    })
    .await;
    let unknown = "0f0e4a8e-7f0e-4a0f-8f0e-2f6f0e4a8e7f";
    for (name, most) in [("v2", 2), ("plain", 4)] {
        let party = world.party(name);
        for _ in 0..most {
            let answer = world.revoke(&party, unknown, |_| {}).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
        }
        let refused = world.revoke(&party, unknown, |_| {}).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(wait_of(&refused) > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_one_clients_requests_under_way_leave_room_for_anothers() {
    let world = World::start_changed(|config| {
        config.limits.client.at_once = number(2);
        config.limits.process.at_once = number(4);
    })
    .await;
    let app = world.gateway.app();
    let slow = world.party("v2");
    let registered = app.organisations.relying_party("v2").unwrap();
    let held = [0, 1].map(|_| app.admit(Kind::Push, registered).unwrap());
    let refused = world.push(&slow, |_| {}).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        refused.description().contains("at once"),
        "{}",
        refused.body
    );
    assert_eq!(
        push(&world, &world.party("plain")).await,
        StatusCode::CREATED
    );
    drop(held);
    assert_eq!(push(&world, &slow).await, StatusCode::CREATED);

    // And where everybody's together are too many, whoever comes is told so.
    let held: Vec<_> = (0..4)
        .map(|_| app.limits.enter(world.now()).unwrap())
        .collect();
    let refused = world.push(&slow, |_| {}).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (refused.error(), wait_of(&refused)),
        ("temporarily_unavailable", 1)
    );
    // Whoever looks at a page, or waits there for news of a wallet, takes nobody's place.
    let looked = from("198.51.100.1", client().get(world.url("/interaction/x"))).await;
    assert_eq!(looked.status, StatusCode::GONE);
    drop(held);
    assert_eq!(push(&world, &slow).await, StatusCode::CREATED);
}

/// Each assertion is remembered in the database: a client that signs in without end must not fill it, and whoever has
/// one of its assertions uses up nothing of the client's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_a_flood_of_assertions_stays_away_from_the_database() {
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let world = World::start_changed(|config| {
        let limits = &mut config.limits.client;
        limits.pushes = number(1);
        limits.tokens = number(1);
        limits.revocations = number(1);
        limits.look_ups = number(1);
        let organisation = &mut config.organisations[0];
        organisation.relying_parties.push(keyed.registered());
    })
    .await;
    let assertion = keyed.assertion(&world, |_| ());
    let first = keyed.push(&world, &assertion).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    for _ in 0..5 {
        let replayed = keyed.push(&world, &assertion).await;
        assert_eq!(replayed.status, StatusCode::UNAUTHORIZED);
    }
    for _ in 0..8 {
        let assertion = keyed.assertion(&world, |_| ());
        let refused = keyed.push(&world, &assertion).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(wait_of(&refused) > 0);
    }
    let count = store::Statement::new("SELECT COUNT(*) AS n FROM used_assertions");
    let row = world.gateway.app().store.read_one(count).await.unwrap();
    assert_eq!(row.unwrap().integer("n").unwrap(), 4);
}

/// SEC-13: what registers and administers is not there: neither a page, nor a form, nor a hint that there is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_13_nothing_on_the_public_address_registers_or_administers() {
    let world = World::start_changed(|_| {}).await;
    for path in [
        "/register",
        "/connect/register",
        "/oidc/register",
        "/clients",
        "/api/organisation",
        "/api/Organisation",
        "/api/Organisation/anytown/credentialtemplate",
        "/api/client",
        "/admin",
        "/admin/",
        "/console",
        "/console/login",
        "/metrics",
        "/debug/pprof/",
        "/actuator/health",
        "/.env",
        "/.git/config",
        "/config",
        "/keys",
        "/issuers",
        "/swagger",
        "/graphql",
    ] {
        for request in [
            client().get(world.url(path)),
            client().post(world.url(path)).body("{}"),
            client().put(world.url(path)).body("{}"),
            client().delete(world.url(path)),
        ] {
            let answer = Answer::read(request.send().await.unwrap()).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
