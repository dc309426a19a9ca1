//! How often somebody may try from one address (SEC-34).

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;
use tower::ServiceExt as _;

use crate::database::{Database, on_both_engines};
use crate::staff::PASSWORD;
use crate::world::World;

on_both_engines!(
    sec_34_who_guesses_names_from_one_address_waits,
    sec_34_right_passwords_cost_an_address_nothing,
);

const TOKEN: &str = "00000000000000000000000000000000ffffffffffffffffffffffffffffffff";
const FORWARDED: &str = "x-forwarded-for";

/// A log-in that comes from this address, as the serving program says.
async fn log_in(world: &World, from: &str, forwarded: &str, who: [&str; 2]) -> StatusCode {
    let fields = [("username", who[0]), ("password", who[1]), ("csrf", TOKEN)];
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let from: SocketAddr = (from.parse::<std::net::IpAddr>().unwrap(), 50_000).into();
    let request = Request::post("/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", format!("lanyard-portal-form={TOKEN}"))
        .header(FORWARDED, forwarded)
        .extension(ConnectInfo(from))
        .body(Body::from(form))
        .unwrap();
    let answer = world.portal.router().oneshot(request).await.unwrap();
    answer.status()
}

/// A hundred wrong log-ins, each for another name, some at a time.
async fn guess(world: &World, address: impl Fn(usize) -> (String, String)) {
    for ten in 0..10 {
        let guesses = (0..10).map(|one| {
            let at = ten * 10 + one;
            let ((from, forwarded), name) = (address(at), format!("nobody-{at}"));
            async move { log_in(world, &from, &forwarded, [&name, "a guess"]).await }
        });
        for status in futures_util::future::join_all(guesses).await {
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
}

const ANNA: [&str; 2] = ["anna", PASSWORD];

async fn sec_34_who_guesses_names_from_one_address_waits(database: Database) {
    let world = World::start_on(database).await;
    let direct = |from: &str| (from.to_owned(), "203.0.113.9".to_owned());
    guess(&world, |_| direct("198.51.100.7")).await;
    // What a caller says of itself is not believed; others are not held up.
    let status = log_in(&world, "198.51.100.7", "203.0.113.10", ANNA).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let status = log_in(&world, "198.51.100.8", "203.0.113.9", ANNA).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    // The same one, as a socket for both families names it.
    let status = log_in(&world, "::ffff:198.51.100.7", "", ANNA).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    world.later(SignedDuration::from_mins(15));
    let status = log_in(&world, "198.51.100.7", "", ANNA).await;
    assert_eq!(status, StatusCode::SEE_OTHER);

    // Whoever has a /64 has as many addresses as they like.
    guess(&world, |at| direct(&format!("2001:db8:0:1::{at:x}"))).await;
    let status = log_in(&world, "2001:db8:0:1:ffff::1", "", ANNA).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let status = log_in(&world, "2001:db8:0:2::1", "", ANNA).await;
    assert_eq!(status, StatusCode::SEE_OTHER);

    // Behind a proxy on this machine everybody has its address.
    guess(&world, |_| direct("127.0.0.1")).await;
    let status = log_in(&world, "127.0.0.1", "", ANNA).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
}

async fn sec_34_right_passwords_cost_an_address_nothing(database: Database) {
    let world = World::start_on(database).await;
    for _ in 0..101 {
        let status = log_in(&world, "198.51.100.7", "", ANNA).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
    }
}

/// The proxy adds whom it took the request from at the end; what stands before it the caller wrote.
#[tokio::test(flavor = "multi_thread")]
async fn sec_34_behind_a_proxy_that_says_so_its_callers_addresses_count() {
    let named = |config: &mut portal::Config| config.address_header = Some(FORWARDED.to_owned());
    let world = World::start_with(Database::sqlite(), named).await;
    let proxied = |at| {
        let forwarded = format!("203.0.113.{at}, 198.51.100.7");
        ("127.0.0.1".to_owned(), forwarded)
    };
    guess(&world, proxied).await;
    let status = log_in(&world, "127.0.0.1", "203.0.113.200, 198.51.100.7", ANNA).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let status = log_in(&world, "127.0.0.1", "198.51.100.7, 198.51.100.8", ANNA).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    // A header that holds no address leaves the name to count.
    let status = log_in(&world, "127.0.0.1", "unknown", ANNA).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
}
