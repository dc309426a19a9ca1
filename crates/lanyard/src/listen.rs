//! Listeners on both loopback addresses, or on all, with and without TLS.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::middleware::AddExtension;
use axum::{Extension, Router};
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use gateway::limits::ProcessLimits;
use hyper_util::rt::TokioTimer;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use sidecar::PeerCertificate;
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tower::Layer as _;

use crate::connections::Connections;

/// How long a caller may take over its headers, or over the answer to an HTTP/2 ping.
const HEADERS: Duration = Duration::from_secs(10);
/// The largest head of a request, in bytes, and the most headers in it.
const LARGEST_HEAD: usize = 32 * 1024;
const MOST_HEADERS: usize = 64;
/// Requests at once on one HTTP/2 connection.
const MOST_STREAMS: u32 = 100;
/// How long requests in flight may take once the program is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Everything that listens.
#[derive(Default)]
pub struct Listeners {
    connections: Connections,
    handle: Handle<SocketAddr>,
    tasks: JoinSet<anyhow::Error>,
}

impl Listeners {
    /// Nothing listens yet; all that will may have so many connections together.
    pub fn new(limits: &ProcessLimits) -> Self {
        Self {
            connections: Connections::new(limits),
            ..Self::default()
        }
    }

    /// Serves a router on a port of 127.0.0.1 and, where the machine has it, `::1`; `everywhere` means all
    /// addresses instead.
    pub fn serve(
        &mut self,
        name: &'static str,
        port: u16,
        everywhere: bool,
        tls: Option<&RustlsConfig>,
        router: &Router,
    ) -> anyhow::Result<()> {
        for listener in bind_port(name, port, everywhere)? {
            self.spawn(name, listener, tls.cloned(), router.clone());
        }
        Ok(())
    }

    /// Serves a router at one address.
    pub fn serve_at(
        &mut self,
        name: &'static str,
        address: SocketAddr,
        tls: Option<RustlsConfig>,
        router: Router,
    ) -> anyhow::Result<()> {
        let listener =
            bind(address).with_context(|| format!("{address} is taken or not allowed"))?;
        self.spawn(name, listener, tls, router);
        Ok(())
    }

    fn spawn(
        &mut self,
        name: &'static str,
        listener: TcpListener,
        tls: Option<RustlsConfig>,
        router: Router,
    ) {
        // Who calls is known to what is served: the portal counts attempts to log in by it.
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let handle = self.handle.clone();
        let connections = self.connections.clone();
        self.tasks.spawn(async move {
            let served = match tls {
                Some(tls) => match axum_server::from_tcp(listener) {
                    Ok(server) => {
                        let acceptor = RustlsAcceptor::new(tls).acceptor(connections);
                        let acceptor = WithCertificate(acceptor);
                        let server = bounded(server.acceptor(acceptor).handle(handle));
                        server.serve(service).await
                    }
                    Err(error) => Err(error),
                },
                None => match axum_server::from_tcp(listener) {
                    Ok(server) => {
                        let server = bounded(server.acceptor(connections).handle(handle));
                        server.serve(service).await
                    }
                    Err(error) => Err(error),
                },
            };
            match served {
                Ok(()) => anyhow::anyhow!("the {name} stopped listening"),
                Err(error) => {
                    anyhow::anyhow!(error).context(format!("the {name} stopped listening"))
                }
            }
        });
    }

    /// Serves until the program is told to stop, a listener fails, or `work`, which belongs to what is served, ends.
    pub async fn until_stopped(
        self,
        work: impl Future<Output = anyhow::Error>,
    ) -> anyhow::Result<()> {
        self.until(stop_signal(), work).await
    }

    /// The same, where `told` says when to stop; until then everything is answered.
    pub async fn until(
        mut self,
        told: impl Future<Output = ()>,
        work: impl Future<Output = anyhow::Error>,
    ) -> anyhow::Result<()> {
        let outcome = tokio::select! {
            () = told => Ok(()),
            error = work => Err(error),
            error = self.failed() => Err(error),
        };
        self.stop().await;
        outcome
    }

    /// Stops accepting, gives requests in flight their time.
    pub async fn stop(mut self) {
        self.handle.graceful_shutdown(Some(GRACE));
        while self.tasks.join_next().await.is_some() {}
    }

    /// Waits until one listener fails.
    pub async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(error)) => error,
            Some(Err(error)) => error.into(),
            None => anyhow::anyhow!("nothing is listening"),
        }
    }
}

/// Tells what is served which certificate the caller has shown.
#[derive(Clone)]
struct WithCertificate<A>(A);

impl<A, I, S, T> Accept<I, S> for WithCertificate<A>
where
    A: Accept<I, S, Stream = TlsStream<T>>,
    A::Future: Send + 'static,
    A::Service: Send,
    T: Send + 'static,
{
    type Stream = TlsStream<T>;
    type Service = AddExtension<A::Service, PeerCertificate>;
    type Future =
        Pin<Box<dyn Future<Output = std::io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let accepted = self.0.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            let (_, session) = stream.get_ref();
            let shown = session.peer_certificates().and_then(<[_]>::first);
            let shown = shown.map_or_else(PeerCertificate::default, |one| PeerCertificate::of(one));
            Ok((stream, Extension(shown).layer(service)))
        })
    }
}

/// A caller that never begins, never finishes its headers, or has too many of them, does not keep its connection
/// (SEC-34). Between two requests of HTTP/1 there is as much time as for headers; whoever only answers pings over HTTP/2 is
/// sent away by [`Connections`], since hyper ends no connection for having no streams.
fn bounded<A>(mut server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    let builder = server.http_builder();
    let mut http1 = builder.http1();
    http1
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS);
    let mut http2 = builder.http2();
    http2
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(u32::try_from(LARGEST_HEAD).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(HEADERS))
        .keep_alive_timeout(HEADERS);
    server.first_request_timeout(HEADERS)
}

/// A port of 127.0.0.1 and, where the machine has it, `::1`; `everywhere` means all addresses instead.
pub fn bind_port(name: &str, port: u16, everywhere: bool) -> anyhow::Result<Vec<TcpListener>> {
    let (v4, v6) = if everywhere {
        (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED)
    } else {
        (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST)
    };
    let first = bind((v4, port).into())
        .with_context(|| format!("port {port} is taken or not allowed ({name})"))?;
    // A machine without IPv6, or with dual-stack sockets, does without the second.
    let second = bind((v6, port).into()).ok();
    Ok(std::iter::once(first).chain(second).collect())
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// TLS from a certificate chain and a key; the crates' safe defaults (TLS 1.2 with AEAD suites, and 1.3).
pub fn tls(certificate: &Path, key: &Path) -> anyhow::Result<RustlsConfig> {
    tls_with(certificate, key, None)
}

/// As [`tls`], for callers only who show a certificate that the authority in this file (PEM) signed.
pub fn mutual_tls(
    certificate: &Path,
    key: &Path,
    authority: &Path,
) -> anyhow::Result<RustlsConfig> {
    let mut roots = RootCertStore::empty();
    for root in certificates(authority)? {
        roots
            .add(root)
            .with_context(|| format!("{} holds no authority", authority.display()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let callers = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .with_context(|| format!("{} holds no authority", authority.display()))?;
    tls_with(certificate, key, Some(callers))
}

fn tls_with(
    certificate: &Path,
    key: &Path,
    callers: Option<Arc<dyn ClientCertVerifier>>,
) -> anyhow::Result<RustlsConfig> {
    let chain = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("{} is not a PEM private key", key.display()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?;
    let builder = match callers {
        Some(callers) => builder.with_client_cert_verifier(callers),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .context("the certificate and the key do not fit each other")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("{} is not a PEM certificate chain", file.display()))
}

/// Ctrl-C, or the signal with which service managers stop programs.
pub async fn stop_signal() {
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Instant;

    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// Listens somewhere; the listeners live as long as the test holds them.
    fn listening(limits: &ProcessLimits) -> (Listeners, SocketAddr) {
        listening_with(Listeners::new(limits))
    }

    fn listening_with(mut listeners: Listeners) -> (Listeners, SocketAddr) {
        let whoever = async |ConnectInfo(caller): ConnectInfo<SocketAddr>| caller.ip().to_string();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let slow = async || {
            tokio::time::sleep(Duration::from_secs(7)).await;
            "at last"
        };
        let router = Router::new()
            .route("/", get(whoever))
            .route("/slow", get(slow));
        listeners.serve_at("test", address, None, router).unwrap();
        (listeners, address)
    }

    async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    /// What comes until the other side closes.
    async fn rest(mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let ended = tokio::time::timeout(2 * HEADERS, read).await;
        assert!(ended.is_ok(), "the connection stays open");
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn what_is_served_knows_who_calls() {
        let (_listeners, address) = listening(&ProcessLimits::default());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("http://{address}/")).send().await;
        let text = answer.unwrap().text().await.unwrap();
        assert_eq!(text, "127.0.0.1");
    }

    /// All of them at the same time: each takes as long as one is given for a request's head.
    #[tokio::test]
    async fn sec_34_who_says_nothing_or_too_little_or_no_more_is_sent_away() {
        let (_listeners, address) = listening(&ProcessLimits::default());
        let began = Instant::now();
        let whole = b"GET / HTTP/1.1\r\nhost: gateway\r\n\r\n";
        let (nothing, half, drop_by_drop, done) = tokio::join!(
            async { rest(send(address, b"").await).await },
            async { rest(send(address, b"GET / HTTP/1.1\r\nhost: ga").await).await },
            async {
                let mut stream = send(address, b"GET / HTTP/1.1\r\n").await;
                for _ in 0..15 {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if stream.write_all(b"x: y\r\n").await.is_err() {
                        break;
                    }
                }
                began.elapsed()
            },
            async { rest(send(address, whole).await).await },
        );
        assert!(nothing.is_empty(), "{nothing}");
        assert!(!half.contains("200 OK"), "{half}");
        assert!(drop_by_drop < Duration::from_secs(14), "{drop_by_drop:?}");
        assert!(done.ends_with("127.0.0.1"), "{done}");
        assert!(began.elapsed() < 2 * HEADERS);
    }

    /// The preface, an empty SETTINGS frame, and HEADERS that end their stream. [RFC 9113 3.4, 6.2; RFC 7541 A]
    const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    fn ask(stream: u8) -> Vec<u8> {
        // GET, http, /, and a literal `:authority`.
        let head = b"\x82\x86\x84\x41\x07gateway";
        let length = u8::try_from(head.len()).unwrap();
        [&[0, 0, length, 1, 5, 0, 0, 0, stream], &head[..]].concat()
    }

    #[tokio::test]
    async fn sec_34_whoever_asks_no_more_over_http_2_is_sent_away_and_whoever_asks_stays() {
        let idle = Duration::from_secs(2);
        let (_listeners, address) = listening_with(Listeners {
            connections: Connections::default().with_idle(idle),
            ..Listeners::default()
        });
        let mut asks = send(address, HTTP2).await;
        let mut asked_once = send(address, &[HTTP2, &ask(1)].concat()).await;
        // An answer that takes long is waited for, over HTTP/1 as well.
        let slow = rest(send(address, b"GET /slow HTTP/1.1\r\nhost: gateway\r\n\r\n").await);
        // Whoever answers pings, or sends some of their own, four at a time, asks nothing.
        let pings = async {
            let asked = [HTTP2, &ask(1)].concat();
            let (mut reads, mut writes) = send(address, &asked).await.into_split();
            let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8].repeat(4);
            let mut told = Vec::new();
            tokio::select! {
                _ = reads.read_to_end(&mut told) => true,
                () = async {
                    for _ in 0..20 {
                        let _ = writes.write_all(&ping).await;
                        tokio::time::sleep(idle / 4).await;
                    }
                } => false,
            }
        };
        let mut told = Vec::new();
        let (slow, pings, (), left) = tokio::join!(
            slow,
            pings,
            async {
                for stream in 0..12 {
                    asks.write_all(&ask(2 * stream + 1)).await.unwrap();
                    tokio::time::sleep(idle / 4).await;
                }
            },
            async { tokio::time::timeout(HEADERS, asked_once.read_to_end(&mut told)).await },
        );
        assert!(slow.ends_with("at last"), "{slow}");
        assert!(left.is_ok(), "it stays");
        assert!(pings, "it stays for its pings");
        let told = String::from_utf8_lossy(&told);
        assert!(told.contains("127.0.0.1"), "it was answered first");
        // Whoever went on asking was answered each time, for three times as long.
        let mut answers = vec![0; 64 * 1024];
        let read = asks.read(&mut answers).await.unwrap();
        let answers = String::from_utf8_lossy(&answers[..read]);
        assert_eq!(answers.matches("127.0.0.1").count(), 12);
    }

    #[tokio::test]
    async fn sec_34_a_head_that_is_too_large_is_refused() {
        let (_listeners, address) = listening(&ProcessLimits::default());
        let large = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(LARGEST_HEAD));
        let answer = rest(send(address, large.as_bytes()).await).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        let many = format!(
            "GET / HTTP/1.1\r\n{}\r\n",
            "x: y\r\n".repeat(MOST_HEADERS + 1)
        );
        let answer = rest(send(address, many.as_bytes()).await).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }

    #[tokio::test]
    async fn sec_34_one_connection_too_many_is_closed_until_another_ends() {
        let limits = ProcessLimits {
            connections: NonZeroU32::new(2).unwrap(),
            ..ProcessLimits::default()
        };
        let (_listeners, address) = listening(&limits);
        let request = b"GET / HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n";
        let first = send(address, b"").await;
        let second = send(address, b"").await;
        // The places are taken as soon as both are accepted.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut third = TcpStream::connect(address).await.unwrap();
        let _ = third.write_all(request).await;
        let mut answer = Vec::new();
        let _ = third.read_to_end(&mut answer).await;
        assert!(answer.is_empty());
        drop(first);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let answer = rest(send(address, request).await).await;
        assert!(answer.ends_with("127.0.0.1"), "{answer}");
        drop(second);
    }
}
