//! SEC-34: bodies and addresses that are too large or too slow, sent by hand over a socket.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{World, client};

/// Sends this and gives what comes back until the other side closes or nothing more is said.
async fn exchange(world: &World, head: &str, body: &[u8]) -> String {
    let address = world.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // Whoever is refused meanwhile need not read it all.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(length)) =
        tokio::time::timeout(Duration::from_secs(13), stream.read(&mut buffer)).await
    {
        answer.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&answer);
        if length == 0 || text.contains("\r\n\r\n") && text.trim_end().ends_with(['}', '>']) {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("nothing")
}

fn post(path: &str, length: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\n\
         content-type: application/x-www-form-urlencoded\r\n{length}\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_a_body_is_as_large_as_its_address_needs_and_no_larger() {
    let world = World::start().await;
    for (path, kib) in [
        ("/par", 64),
        ("/oidc/PAR", 64),
        ("/token", 16),
        ("/Revocation/revokecredential", 8),
        ("/r/some-link/response", 256),
        ("/issuers/anytown/token", 16),
        ("/issuers/anytown/credential", 64),
        ("/nowhere", 8),
    ] {
        let most = kib * 1024;
        // Who says that it is too large is not read; who says nothing is read until it is.
        let announced = post(path, &format!("content-length: {}", most + 1));
        let answer = exchange(&world, &announced, b"").await;
        assert_eq!(status(&answer), "413", "{path}: {answer}");
        // Nothing follows the byte that is one too many: a socket that closes with something unread in it may take the
        // answer with it.
        let chunk = format!("{:x}\r\n{}", most + 1, "a".repeat(most + 1));
        let chunked = post(path, "transfer-encoding: chunked");
        let answer = exchange(&world, &chunked, chunk.as_bytes()).await;
        assert_eq!(status(&answer), "413", "{path}: {answer}");
        // As large as allowed is read, and refused for what it says.
        let fits = post(
            path,
            &format!("content-length: {most}\r\nconnection: close"),
        );
        let answer = exchange(&world, &fits, "a".repeat(most).as_bytes()).await;
        assert!(
            ["400", "401", "404"].contains(&status(&answer)),
            "{path}: {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_an_address_that_is_too_long_is_not_read() {
    let world = World::start().await;
    let get = |length: usize| {
        let query = "a".repeat(length);
        client()
            .get(world.url(&format!("/authorize?x={query}")))
            .send()
    };
    let long = get(12 * 1024).await.unwrap();
    assert_eq!(long.status(), 414);
    assert!(long.text().await.unwrap().contains("We cannot continue"));
    assert_eq!(get(11 * 1024).await.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_a_body_that_does_not_come_keeps_nobody_waiting() {
    let world = World::start().await;
    let began = Instant::now();
    let slow = |path| {
        let head = post(path, "content-length: 100");
        let world = &world;
        async move { exchange(world, &head, b"client_id=").await }
    };
    let (pushed, cancelled) = tokio::join!(slow("/par"), slow("/interaction/x/cancel"));
    assert_eq!(status(&pushed), "408", "{pushed}");
    assert!(
        pushed.contains("the body did not arrive in time"),
        "{pushed}"
    );
    assert_eq!(status(&cancelled), "408", "{cancelled}");
    assert!(cancelled.contains("text/html"), "{cancelled}");
    let took = began.elapsed();
    assert!(
        (Duration::from_secs(9)..Duration::from_secs(20)).contains(&took),
        "{took:?}"
    );
}

/// An address has an eighth of the memory for bodies, in whatever pieces they come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_a_body_takes_no_more_memory_than_its_address_has() {
    let world = World::start_changed(|config| {
        config.address_header = Some("x-forwarded-for".to_owned());
        config.limits.process.bodies_kib = 80.try_into().unwrap();
    })
    .await;
    let send = async |pieces: &[usize], end: &str| {
        let from = "x-forwarded-for: 198.51.100.7\r\nconnection: close";
        let head = post("/token", &format!("transfer-encoding: chunked\r\n{from}"));
        let piece = |length: &usize| format!("{length:x}\r\n{}\r\n", "a".repeat(*length));
        let body: String = pieces.iter().map(piece).collect();
        exchange(&world, &head, (body + end).as_bytes()).await
    };
    for _ in 0..2 {
        let read = send(&[500, 524, 9 * 1024], "0\r\n\r\n").await;
        assert!(["400", "401"].contains(&status(&read)), "{read}");
        // Nothing follows what is one too many, as above.
        let refused = send(&[500, 524, 9 * 1024, 1], "").await;
        assert_eq!(status(&refused), "429", "{refused}");
    }
}
