//! One caller's connection, or one to each process of the server: HTTP/1.1, kept alive, redirects never followed.
//!
//! The load shares its cores with what it measures, so a request is one write, and an answer no more than it takes to
//! read it: the head, then as many bytes as that says. [RFC 9112 6]

use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, bail, ensure};
use hyper::Method;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HeaderName, LOCATION, SET_COOKIE, TRANSFER_ENCODING,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Where the next connection begins.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Room for most answers at once.
const ROOM: usize = 16 * 1024;
/// No server of ours sends as much before a body.
const LARGEST_HEAD: usize = 64 * 1024;

/// A connection that is opened with the first request and again when the server has closed it.
pub struct Connection {
    host: String,
    origin: String,
    /// One for each process, which take turns.
    ways: Vec<Way>,
    turn: usize,
}

struct Way {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

/// One answer, read whole.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// What came before it.
    head: String,
}

impl Connection {
    /// A connection to the server at these addresses that goes by `origin`.
    pub fn new(addresses: &[SocketAddr], origin: &str) -> anyhow::Result<Self> {
        ensure!(!addresses.is_empty(), "the server has no address");
        let host = origin
            .split_once("://")
            .context("the origin has no scheme")?
            .1;
        Ok(Self {
            host: host.to_owned(),
            origin: origin.to_owned(),
            ways: addresses
                .iter()
                .map(|address| Way {
                    address: *address,
                    stream: None,
                })
                .collect(),
            // Not everybody begins at the first.
            turn: NEXT.fetch_add(1, Ordering::Relaxed) % addresses.len(),
        })
    }

    /// From here on there is one connection, to the process that answered last: so it is for a browser that waits, whose
    /// connection a proxy gave to one of them.
    pub fn settle(&mut self) {
        let kept = self.ways.swap_remove(self.turn);
        self.ways = vec![kept];
        self.turn = 0;
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
        let mut request = Vec::with_capacity(1024 + body.len());
        write!(
            request,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n",
            self.host
        )?;
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n")?;
        }
        if method == Method::POST {
            write!(request, "{CONTENT_LENGTH}: {}\r\n", body.len())?;
        }
        write!(request, "\r\n{body}")?;
        self.turn = (self.turn + 1) % self.ways.len();
        let way = &mut self.ways[self.turn];
        let answer = way.exchange(&request, method == Method::GET).await;
        answer.with_context(|| format!("{path}: no answer"))
    }
}

impl Way {
    async fn exchange(&mut self, request: &[u8], only_reads: bool) -> anyhow::Result<Answer> {
        // Taken out until the answer is whole: whoever gives up in between leaves no half of one behind.
        if let Some(stream) = self.stream.take().filter(is_open) {
            match self.exchange_by(stream, request).await {
                // A server may close a connection that waits in the very moment in which it is used again. Who only reads
                // asks once more, as browsers do. [RFC 9112 9.3.1]
                Err(error) if only_reads && is_cut_off(&error) => {}
                told => return told,
            }
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        self.exchange_by(stream, request).await
    }

    async fn exchange_by(
        &mut self,
        mut stream: TcpStream,
        request: &[u8],
    ) -> anyhow::Result<Answer> {
        stream.write_all(request).await?;
        let answer = Answer::read(&mut stream).await?;
        let closes = answer.header(&CONNECTION);
        if !closes.is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

fn closed_in_silence() -> anyhow::Error {
    let closed = "the server closed before its answer began";
    std::io::Error::new(ErrorKind::ConnectionReset, closed).into()
}

fn is_cut_off(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref().map(std::io::Error::kind);
    matches!(
        kind,
        Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
    )
}

/// Whether the server has neither closed nor said anything that nobody asked for.
fn is_open(stream: &TcpStream) -> bool {
    let unasked = stream.try_read(&mut [0]);
    unasked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

impl Answer {
    async fn read(stream: &mut TcpStream) -> anyhow::Result<Self> {
        let mut bytes = Vec::with_capacity(ROOM);
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(bytes.len() < LARGEST_HEAD, "the head has no end");
            if let Err(error) = more(stream, &mut bytes).await {
                // Closed without a word: [`is_cut_off`].
                let silent = bytes.is_empty();
                return Err(if silent { closed_in_silence() } else { error });
            }
        };
        let rest = bytes.split_off(end);
        let head = String::from_utf8(bytes)?;
        let status = head
            .strip_prefix("HTTP/1.1 ")
            .and_then(|line| line.get(..3));
        let mut answer = Self {
            status: status.context("no HTTP/1.1")?.parse()?,
            body: rest,
            head,
        };
        if matches!(answer.status, 204 | 304) {
            ensure!(answer.body.is_empty(), "a body where there is none");
        } else if let Some(length) = answer.header(&CONTENT_LENGTH) {
            let length: usize = length.parse()?;
            answer
                .body
                .reserve(length.saturating_sub(answer.body.len()));
            while answer.body.len() < length {
                more(stream, &mut answer.body).await?;
            }
            ensure!(answer.body.len() == length, "more than was announced");
        } else if answer.header(&TRANSFER_ENCODING) == Some("chunked") {
            answer.body = chunks(stream, std::mem::take(&mut answer.body)).await?;
        } else {
            bail!("the length of the body is not told");
        }
        Ok(answer)
    }

    /// The answer, if it has that status; else what it says.
    pub fn with(self, status: u16, of: &str) -> anyhow::Result<Self> {
        ensure!(
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

    /// A header, the first of that name.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.all(name).next()
    }

    /// Every header of that name.
    fn all(&self, name: &HeaderName) -> impl Iterator<Item = &str> {
        let lines = self.head.split('\n').skip(1);
        let headers = lines.filter_map(|line| line.split_once(':'));
        headers
            .filter(|(other, _)| other.eq_ignore_ascii_case(name.as_str()))
            .map(|(_, value)| value.trim())
    }

    /// Where it leads.
    pub fn location(&self) -> anyhow::Result<&str> {
        self.header(&LOCATION).context("the answer leads nowhere")
    }

    /// The cookies that it sets: name and value.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all(&SET_COOKIE)
            .filter_map(|value| value.split(';').next()?.split_once('='))
    }

    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).context("the answer is not JSON")
    }
}

/// What the server has sent meanwhile; it has to be something.
async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> anyhow::Result<()> {
    let read = stream.read_buf(bytes).await?;
    ensure!(read > 0, "the server closed before its answer ended");
    Ok(())
}

/// A body in chunks, of which `bytes` have come. Nothing of ours sends a trailer. [RFC 9112 7.1]
async fn chunks(stream: &mut TcpStream, mut bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = loop {
            if let Some(end) = bytes[at..].windows(2).position(|two| two == b"\r\n") {
                break at..at + end;
            }
            more(stream, &mut bytes).await?;
        };
        let size = std::str::from_utf8(&bytes[line.clone()])?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
        let begins = line.end + 2;
        at = begins + size + 2;
        while bytes.len() < at {
            more(stream, &mut bytes).await?;
        }
        ensure!(&bytes[begins + size..at] == b"\r\n", "a chunk has no end");
        if size == 0 {
            ensure!(bytes.len() == at, "more than was announced");
            return Ok(body);
        }
        body.extend_from_slice(&bytes[begins..begins + size]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::net::TcpListener;

    /// A server that gives each request the next of these answers, piece by piece, and closes after the last.
    async fn serving(answers: &'static [&'static [&'static str]]) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for pieces in answers {
                let mut request = vec![0; 1024];
                let read = stream.read(&mut request).await.unwrap();
                assert!(request[..read].starts_with(b"GET /a HTTP/1.1\r\nhost: b.example\r\n"));
                for piece in *pieces {
                    stream.write_all(piece.as_bytes()).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        Connection::new(&[address], "https://b.example").unwrap()
    }

    async fn asked(connection: &mut Connection) -> anyhow::Result<Answer> {
        let place = "https://b.example/a";
        connection
            .send(Method::GET, place, &[], String::new())
            .await
    }

    #[tokio::test]
    async fn an_answer_is_read_whole_however_it_comes() {
        let mut connection = serving(&[
            &[
                "HTTP/1.1 200 OK\r\nContent-Le",
                "ngth: 5\r\nset-cookie: c=d; Path=/\r\n\r",
                "\nhe",
                "llo",
            ],
            &[
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r",
                "\n2;x\r\nlo\r\n0\r\n",
                "\r\n",
            ],
            &["HTTP/1.1 303 See Other\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n"],
            &["HTTP/1.1 204 No Content\r\n\r\n"],
        ])
        .await;
        let first = asked(&mut connection).await.unwrap();
        assert_eq!(first.body, b"hello");
        assert_eq!(first.cookies().collect::<Vec<_>>(), [("c", "d")]);
        assert_eq!(asked(&mut connection).await.unwrap().body, b"hello");
        let third = asked(&mut connection).await.unwrap();
        assert_eq!((third.status, third.location().unwrap()), (303, "/b"));
        assert_eq!(asked(&mut connection).await.unwrap().status, 204);
    }

    #[tokio::test]
    async fn half_an_answer_is_none() {
        for pieces in [
            &["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell"] as &[_],
            &["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello!"],
            &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n"],
            &["HTTP/1.1 200 OK\r\n\r\n"],
            &["HTTP/1.1 200 OK\r\n"],
            &["hello"],
        ] {
            let answers: &'static [&'static [&'static str]] =
                Box::leak(Box::new([&*Box::leak(pieces.to_vec().into_boxed_slice())]));
            let mut connection = serving(answers).await;
            assert!(asked(&mut connection).await.is_err(), "{pieces:?}");
        }
    }
}
