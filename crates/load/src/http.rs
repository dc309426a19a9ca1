//! One caller's connection, or one to each process of the server: HTTP/1.1, kept alive, redirects never followed.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderName, HeaderValue, LOCATION, SET_COOKIE};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Where the next connection begins.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A connection that is opened with the first request and again when the server has closed it.
pub struct Connection {
    host: HeaderValue,
    origin: String,
    /// One for each process, which take turns.
    ways: Vec<Way>,
    turn: usize,
}

struct Way {
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// One answer, read whole.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
    headers: HeaderMap,
}

impl Connection {
    /// A connection to the server at these addresses that goes by `origin`.
    pub fn new(addresses: &[SocketAddr], origin: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(!addresses.is_empty(), "the server has no address");
        let host = origin
            .split_once("://")
            .context("the origin has no scheme")?
            .1;
        Ok(Self {
            host: host.parse()?,
            origin: origin.to_owned(),
            ways: addresses
                .iter()
                .map(|address| Way {
                    address: *address,
                    sender: None,
                })
                .collect(),
            // Not everybody begins at the first.
            turn: NEXT.fetch_add(1, Ordering::Relaxed),
        })
    }

    /// Sends one request. `place` is a path, or an address of the server's own.
    pub async fn send(
        &mut self,
        method: Method,
        place: &str,
        headers: &[(HeaderName, &str)],
        body: String,
    ) -> anyhow::Result<Answer> {
        let path = place.strip_prefix(&self.origin).unwrap_or(place);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        self.turn = (self.turn + 1) % self.ways.len();
        let response = self.ways[self.turn]
            .ready()
            .await?
            .send_request(request)
            .await
            .with_context(|| format!("{path}: no answer"))?;
        let (head, body) = response.into_parts();
        Ok(Answer {
            status: head.status.as_u16(),
            body: body.collect().await?.to_bytes(),
            headers: head.headers,
        })
    }
}

impl Way {
    async fn ready(&mut self) -> anyhow::Result<&mut SendRequest<Full<Bytes>>> {
        let still = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !still {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            self.sender = Some(sender);
        }
        self.sender.as_mut().context("there is no connection")
    }
}

impl Answer {
    /// The answer, if it has that status; else what it says.
    pub fn with(self, status: u16, of: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(
            self.status == status,
            "{of} answered {} instead of {status}: {}",
            self.status,
            String::from_utf8_lossy(&self.body)
                .chars()
                .take(400)
                .collect::<String>()
        );
        Ok(self)
    }

    /// What came before the body.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Where it leads.
    pub fn location(&self) -> anyhow::Result<&str> {
        let location = self.headers.get(LOCATION);
        Ok(location.context("the answer leads nowhere")?.to_str()?)
    }

    /// The cookies that it sets: name and value.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.headers.get_all(SET_COOKIE).into_iter();
        all.filter_map(|value| value.to_str().ok()?.split(';').next()?.split_once('='))
    }

    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).context("the answer is not JSON")
    }
}
