//! The lists that this gateway publishes: what an onlooker learns of them, and what they cost.

use std::collections::BTreeSet;

use gateway::keys::KeyPurpose;
use jiff::SignedDuration;
use standards::jose::Algorithm;
use standards::status_list::{ParsedStatusListToken, Status};

use crate::raw_wallet::{RawWallet, Waiting, read};
use crate::watching::ask_metrics;
use crate::world::{World, client, programme, serve};

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

/// Token Status List 8.4: how things stood then is not kept, and today's list is no answer to that.
#[tokio::test]
async fn a_list_of_another_time_is_not_to_be_had_and_todays_is_not_given_for_it() {
    let world = World::start().await;
    let link = Waiting::to_issue(&world, "v2").await.link();
    RawWallet::new().receive(&world, &link, "jwt-vc").await;
    let ask = async |query: &str| {
        let uri = world.url(&format!("/issuers/anytown/status/1{query}"));
        read(client().get(&uri)).await
    };
    for query in ["?time=1686925000", "?x=1&time=", "?time"] {
        let answer = ask(query).await;
        assert_eq!(answer.status.as_u16(), 501, "{query}");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
    }
    for query in ["", "?", "?timeout=1", "?x=time"] {
        assert_eq!(ask(query).await.status.as_u16(), 200, "{query}");
    }
    // A stranger who asks for that wakes nobody.
    let (_, figures) = ask_metrics(&world.gateway, "/metrics").await;
    assert!(!figures.contains("class=\"5xx\""), "{figures}");
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

/// SEC-26: decoys read revoked or suspended, no credential is ever given the place of one, and a credential that has one
/// all the same (given out by a program of before) reads as it stands.
#[tokio::test]
async fn sec_26_a_list_has_decoys_that_no_credential_gets() {
    let world = World::start().await;
    let app = world.gateway.app();
    let organisation = app.organisations.find("anytown").unwrap();
    let read_list = async || {
        let uri = world.url("/issuers/anytown/status/1");
        let answer = read(client().get(&uri)).await;
        let parsed = ParsedStatusListToken::parse(&answer.body).unwrap();
        let key = app
            .keys
            .active(KeyPurpose::Status, "anytown")
            .unwrap()
            .public_jwk();
        let skew = SignedDuration::from_secs(60);
        parsed
            .verify(key, &[Algorithm::ES256], &uri, world.now(), skew)
            .unwrap()
    };
    app.lists.open(organisation, 1).await.unwrap();
    let before = read_list().await;
    let is_decoy = |index: i64| {
        let index = u64::try_from(index).unwrap();
        before.find(index).unwrap() != Status::Valid
    };
    let decoys: Vec<i64> = (0..1 << 17).filter(|index| is_decoy(*index)).collect();
    assert!((1_500..17_000).contains(&decoys.len()), "{}", decoys.len());
    for _ in 0..2_000 {
        let (list, index) = app.lists.allot(organisation, 0).await.unwrap();
        assert!(list == 1 && !is_decoy(index), "{index}");
    }
    // They stay what they are, in another process and an hour later.
    world.later(SignedDuration::from_hours(2));
    assert_eq!(read_list().await.list, before.list);

    let insert = "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, interaction, \
                  list, list_index, issued_at) VALUES ('x', 'anytown', 'v2', 'FireSafety', 'jwt_vc_json', 'none', 1, $1, 0)";
    let insert = store::Statement::new(insert).bind(decoys[0]);
    app.store.write([insert]).await.unwrap();
    world.later(SignedDuration::from_hours(4));
    let after = read_list().await;
    let status = |index: i64| after.find(u64::try_from(index).unwrap()).unwrap();
    assert_eq!(status(decoys[0]), Status::Valid);
    assert_ne!(status(decoys[1]), Status::Valid);
}

/// SEC-26: a revocation by another process counts within a second, without anybody asking the database each time; and two
/// processes give one answer, so that who asked one is told by the other that nothing has changed.
#[tokio::test]
async fn sec_26_a_list_follows_another_process_within_a_second() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let second = format!("http://{}", listener.local_addr().unwrap());
    let server = serve(listener, &world.second_process().await);
    let path = "/issuers/anytown/status/1";
    let ask = async |base: &str, etag: &str| {
        let request = client().get(format!("{base}{path}"));
        let answer = read(request.header("if-none-match", etag)).await;
        (
            answer.status.as_u16(),
            answer.headers["etag"].to_str().unwrap().to_owned(),
        )
    };
    let (status, etag) = ask(&world.base, "\"none\"").await;
    assert_eq!(status, 200);
    let listed = format!("\"other\", {}", etag.trim_start_matches("W/"));
    for known in [etag.as_str(), &listed] {
        assert_eq!(ask(&second, known).await, (304, etag.clone()));
    }

    let answer = world.revoke(&world.party("v2"), &serial, |_| ()).await;
    assert_eq!(answer.status.as_u16(), 204, "{}", answer.body);
    // This process knows it at once, the other within a second.
    assert_eq!(ask(&world.base, &etag).await.0, 200);
    let began = std::time::Instant::now();
    while ask(&second, &etag).await.0 == 304 {
        assert!(began.elapsed() < std::time::Duration::from_millis(1_500));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.abort();
}
