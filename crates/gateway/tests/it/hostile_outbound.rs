//! SEC-04: what somebody who chooses the address can make the gateway call.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use gateway::outbound::{FetchError, Outbound, OutboundError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

const JSON: &str = "application/json";

/// A listener that nobody may call.
struct Forbidden(TcpListener);

impl Forbidden {
    fn new() -> Self {
        Self::at("127.0.0.1:0")
    }

    fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn was_called(&self) -> bool {
        match self.0.accept() {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        }
    }
}

/// A server on loopback that gives one answer to all, and a client that may call it.
async fn answering(answer: impl Into<Vec<u8>>) -> (Url, Outbound) {
    let answer: Vec<u8> = answer.into();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(&answer).await;
                if answer.is_empty() {
                    tokio::time::sleep(Duration::from_mins(1)).await;
                }
            });
        }
    });
    let url: Url = format!("http://127.0.0.1:{port}/document").parse().unwrap();
    let outbound = Outbound::new(std::slice::from_ref(&url)).unwrap();
    (url, outbound)
}

fn real() -> Outbound {
    Outbound::new(&[]).unwrap()
}

async fn refusal(outbound: &Outbound, url: &str) -> FetchError {
    outbound
        .fetch(&url.parse().unwrap(), JSON)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn sec_04_an_inside_address_is_not_called_in_whatever_notation() {
    let forbidden = Forbidden::new();
    let port = forbidden.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "127.0.0.1.",
        "0x7f.1",
        "0177.0x0.1",
        "0300.0250.1",
        "017700000001",
        "127。0。0。1",
        "[::]",
        "[::1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[fc00::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "10.0.0.1",
    ] {
        let url = format!("https://{host}:{port}/latest/meta-data");
        assert_eq!(
            refusal(&real(), &url).await,
            FetchError::PrivateAddress,
            "{url}"
        );
    }
    assert!(!forbidden.was_called());
}

#[tokio::test]
async fn sec_04_a_name_that_leads_inside_is_not_called() {
    let forbidden = Forbidden::new();
    for host in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ⓛocalhost",
        "LOCAL\u{ad}HOST",
    ] {
        let url = format!("https://{host}:{}/", forbidden.port());
        let refused = refusal(&real(), &url).await;
        // A resolver may know no `localhost.` at all.
        let unknown = matches!(&refused, FetchError::Unreachable(_)) && host.ends_with('.');
        assert!(
            refused == FetchError::PrivateAddress || unknown,
            "{url}: {refused:?}"
        );
        // Nor can it be registered.
        let registered = real().check(&url.parse().unwrap());
        assert_eq!(registered, Err(FetchError::PrivateAddress), "{url}");
    }
    assert!(!forbidden.was_called());
}

#[tokio::test]
async fn sec_04_plain_http_and_other_schemes_are_not_called() {
    let forbidden = Forbidden::new();
    let port = forbidden.port();
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        "http://example.com/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://example.com/".to_owned(),
        "data:application/json,{}".to_owned(),
        "unix:/run/docker.sock".to_owned(),
    ] {
        assert_eq!(refusal(&real(), &url).await, FetchError::Scheme, "{url}");
    }
    assert!(!forbidden.was_called());
}

#[tokio::test]
async fn sec_04_an_address_with_a_user_name_is_not_called() {
    for url in ["https://user@example.com/", "https://:pass@example.com/"] {
        assert_eq!(refusal(&real(), url).await, FetchError::UserInfo);
    }
}

#[tokio::test]
async fn sec_04_a_redirect_is_not_followed() {
    let forbidden = Forbidden::new();
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let target = format!("http://127.0.0.1:{}/", forbidden.port());
        let answer =
            format!("HTTP/1.1 {status}\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
        let (url, outbound) = answering(answer).await;
        assert_eq!(
            outbound.fetch(&url, JSON).await,
            Err(FetchError::Redirect),
            "{status}"
        );
    }
    assert!(!forbidden.was_called());
}

#[tokio::test]
async fn sec_04_the_loopback_list_opens_exactly_its_origins() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}";
    let (url, outbound) = answering(answer).await;
    let fetched = outbound.fetch(&url, JSON).await.unwrap();
    assert_eq!(fetched.media_type.as_deref(), Some(JSON));
    assert_eq!(fetched.body, b"{}");
    let forbidden = Forbidden::new();
    let port = url.port().unwrap();
    for (other, expected) in [
        (
            format!("http://127.0.0.1:{}/", forbidden.port()),
            FetchError::Scheme,
        ),
        (format!("http://127.0.0.2:{port}/"), FetchError::Scheme),
        (format!("http://localhost:{port}/"), FetchError::Scheme),
        (
            format!("https://127.0.0.1:{port}/"),
            FetchError::PrivateAddress,
        ),
        (format!("http://u@127.0.0.1:{port}/"), FetchError::UserInfo),
    ] {
        assert_eq!(refusal(&outbound, &other).await, expected, "{other}");
    }
    assert!(!forbidden.was_called());
}

#[tokio::test]
async fn sec_04_the_loopback_list_cannot_name_anything_but_loopback() {
    for entry in [
        "http://example.com:80/",
        "http://10.0.0.1:8400/",
        "http://169.254.169.254:8400/",
        "http://localhost.example.com:8400/",
        "https://localhost:8400/",
        "http://localhost/",
    ] {
        let refused = Outbound::new(&[entry.parse().unwrap()]);
        assert!(matches!(refused, Err(OutboundError::Origin(_))), "{entry}");
    }
}

#[tokio::test]
async fn sec_04_a_document_beyond_the_cap_is_not_read() {
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n";
    let (url, outbound) = answering(announced).await;
    assert_eq!(outbound.fetch(&url, JSON).await, Err(FetchError::TooLarge));
    let mut endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    endless.resize(endless.len() + 1024 * 1024 + 1, b' ');
    let (url, outbound) = answering(endless).await;
    assert_eq!(outbound.fetch(&url, JSON).await, Err(FetchError::TooLarge));
}

#[tokio::test]
async fn sec_04_an_answer_that_does_not_come_or_does_not_end_is_given_up() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
    let (url, outbound) = answering(half).await;
    let cut = outbound.fetch(&url, JSON).await;
    assert!(matches!(cut, Err(FetchError::Unreachable(_))), "{cut:?}");
    let (url, outbound) = answering("").await;
    let outbound = outbound.within(Duration::from_millis(200));
    assert_eq!(outbound.fetch(&url, JSON).await, Err(FetchError::TimedOut));
}

/// A zone names an interface of this machine; such an address is none that could be fetched at all.
#[test]
fn sec_04_an_address_with_a_zone_is_no_address() {
    for text in ["https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/"] {
        assert!(text.parse::<Url>().is_err(), "{text}");
    }
}

/// The time is for all of it: whoever keeps sending a little is given up, too.
#[tokio::test]
async fn sec_04_an_answer_that_comes_byte_by_byte_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let outbound = Outbound::new(std::slice::from_ref(&url)).unwrap();
    let outbound = outbound.within(Duration::from_millis(400));
    assert_eq!(outbound.fetch(&url, JSON).await, Err(FetchError::TimedOut));
    server.abort();
}

#[tokio::test]
async fn an_answer_that_is_no_document_says_so() {
    let (url, outbound) = answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(
        outbound.fetch(&url, JSON).await,
        Err(FetchError::Status(404))
    );
    let (url, outbound) = answering("no HTTP at all\r\n\r\n").await;
    let refused = outbound.fetch(&url, JSON).await;
    assert!(
        matches!(refused, Err(FetchError::Unreachable(_))),
        "{refused:?}"
    );
}
