//! The lists that this gateway publishes: what an onlooker learns of them, and what they cost.

use std::collections::BTreeSet;

use gateway::keys::KeyPurpose;
use jiff::SignedDuration;
use standards::jose::Algorithm;
use standards::status_list::ParsedStatusListToken;

use crate::raw_wallet::{RawWallet, Waiting, read};
use crate::world::{World, client};

/// SEC-26: places are drawn, not counted, and none is given twice: a list does not tell who got what when.
#[tokio::test]
async fn places_on_a_list_are_drawn_at_random_from_a_large_one() {
    let world = World::start().await;
    let wallet = RawWallet::new();
    for _ in 0..12 {
        let link = Waiting::to_issue(&world, "v2").await.link();
        wallet.receive(&world, &link, "jwt-vc").await;
    }
    let select = "SELECT list_index FROM credentials WHERE list = 1 ORDER BY issued_at, rowid";
    let app = world.gateway.app();
    let rows = app.store.read(store::Statement::new(select));
    let drawn: Vec<i64> = rows
        .await
        .unwrap()
        .iter()
        .map(|row| row.integer("list_index").unwrap())
        .collect();
    let places: BTreeSet<i64> = drawn.iter().copied().collect();
    assert_eq!((drawn.len(), places.len()), (12, 12));
    assert!(
        !drawn.is_sorted() && !drawn.iter().rev().is_sorted(),
        "{drawn:?}"
    );
    let neighbours = drawn
        .windows(2)
        .filter(|pair| (pair[0] - pair[1]).abs() < 16);
    assert!(neighbours.count() < 3, "{drawn:?}");

    let uri = world.url("/issuers/anytown/status/1");
    let answer = read(client().get(&uri)).await;
    let parsed = ParsedStatusListToken::parse(&answer.body).unwrap();
    let key = world.key(KeyPurpose::Status);
    let skew = SignedDuration::from_secs(60);
    let token = parsed
        .verify(
            key.public_jwk(),
            &[Algorithm::ES256],
            &uri,
            world.now(),
            skew,
        )
        .unwrap();
    // Large enough that a place says nothing about a person.
    assert!(token.find((1 << 17) - 1).is_ok() && token.find(1 << 17).is_err());
    // A copy is used for half a minute, and never believed for more than ten.
    assert_eq!(answer.headers["cache-control"], "public, max-age=30");
    let kept = token.usable_until(world.now()).unwrap();
    assert!(
        kept <= world.now() + SignedDuration::from_secs(30),
        "{kept}"
    );
}

/// SEC-26.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_many_ask_for_at_once_is_signed_once() {
    let world = World::start().await;
    let link = Waiting::to_issue(&world, "v2").await.link();
    RawWallet::new().receive(&world, &link, "jwt-vc").await;
    let uri = world.url("/issuers/anytown/status/1");
    let asked: Vec<_> = (0..24)
        .map(|_| {
            let request = client().get(&uri);
            tokio::spawn(async move { read(request).await.body })
        })
        .collect();
    let mut signed = BTreeSet::new();
    for one in asked {
        signed.insert(one.await.unwrap());
    }
    // A signature is drawn anew each time: two signings are two texts.
    assert_eq!(signed.len(), 1);
}
