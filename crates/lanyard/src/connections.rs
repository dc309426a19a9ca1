//! How many connections there may be, in all and from one network, how long one may refuse to take its answer, and how
//! long one may ask nothing (SEC-34). What is too many is closed before a byte of it is read.

use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::{HeaderMap, Response};
use axum_server::accept::Accept;
use gateway::limits::{AtOnce, Place, ProcessLimits};
use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use tower::Service;

/// How long a caller may take nothing of its answer.
const STALLED: Duration = Duration::from_secs(30);
/// How long a connection over which nothing is asked stays at least; it ends before twice as long. HTTP/1 ends its own
/// sooner.
const IDLE: Duration = Duration::from_mins(1);
/// Files that a process has open besides its connections: the database, keys, outbound connections.
const OTHER_FILES: u32 = 128;

/// Counts connections; clones count together.
#[derive(Clone, Debug)]
pub struct Connections {
    most: NonZeroU32,
    most_from_one_address: NonZeroU32,
    idle: Duration,
    stall: Duration,
    all: AtOnce<()>,
    by_address: AtOnce<IpAddr>,
}

impl Default for Connections {
    fn default() -> Self {
        Self::new(&ProcessLimits::default())
    }
}

impl Connections {
    /// None yet. There are never more than the operating system lets this process have open.
    pub fn new(limits: &ProcessLimits) -> Self {
        let possible = open_files()
            .map(|files| files.saturating_sub(OTHER_FILES))
            .and_then(NonZeroU32::new);
        let most = possible.map_or(limits.connections, |possible| {
            limits.connections.min(possible)
        });
        let mut most_from_one_address = limits.connections_from_one_address;
        if most < limits.connections {
            // Where few are possible, one address may still not take them all.
            let quarter = NonZeroU32::new(most.get() / 4).unwrap_or(NonZeroU32::MIN);
            most_from_one_address = most_from_one_address.min(quarter);
            tracing::info!(
                connections = most.get(),
                wanted = limits.connections.get(),
                "fewer connections than configured: the limit of open files allows no more"
            );
        }
        Self {
            most,
            most_from_one_address,
            idle: IDLE,
            stall: STALLED,
            all: AtOnce::default(),
            by_address: AtOnce::default(),
        }
    }

    /// The same, where a connection over which nothing is asked stays for another time.
    #[cfg(test)]
    pub(crate) fn with_idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// The same, where a caller may take nothing of its answer for another time.
    #[cfg(test)]
    fn with_stall(self, stall: Duration) -> Self {
        Self { stall, ..self }
    }

    fn enter(&self, peer: IpAddr) -> Option<Places> {
        let all = self.all.enter((), self.most)?;
        // Nothing for loopback: behind a proxy there is everybody.
        let by_address = match ui::caller::network(Some(peer), None, &HeaderMap::new()) {
            Some(network) => Some(self.by_address.enter(network, self.most_from_one_address)?),
            None => None,
        };
        Some(Places {
            _all: all,
            _by_address: by_address,
        })
    }
}

#[derive(Debug)]
struct Places {
    _all: Place<()>,
    _by_address: Option<Place<IpAddr>>,
}

/// The soft limit of open files, where the system says it.
fn open_files() -> Option<u32> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

impl<S> Accept<TcpStream, S> for Connections {
    type Stream = Counted;
    type Service = Noticed<S>;
    type Future = std::future::Ready<io::Result<(Counted, Noticed<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        std::future::ready(stream.peer_addr().and_then(|peer| {
            stream.set_nodelay(true)?;
            let places = self
                .enter(peer.ip())
                .ok_or_else(|| io::Error::other("too many connections"))?;
            let used = Arc::<Used>::default();
            let counted = Counted {
                stream,
                stalled: None,
                stall: self.stall,
                used: used.clone(),
                idle: self.idle,
                looked: Box::pin(tokio::time::sleep(self.idle)),
                _places: places,
            };
            Ok((counted, Noticed { service, used }))
        }))
    }
}

/// What one connection was used for.
#[derive(Debug, Default)]
struct Used {
    /// Requests that are not answered yet.
    asked: AtomicU32,
    /// Whether anything was asked or answered since it was looked at.
    lately: AtomicBool,
}

impl Used {
    /// Whether nothing is being asked, and nothing was asked or answered since the last look.
    fn is_idle(&self) -> bool {
        !self.lately.swap(false, Ordering::Relaxed) && self.asked.load(Ordering::Relaxed) == 0
    }
}

/// A request that is not answered yet.
#[derive(Debug)]
struct Asked(Arc<Used>);

impl Asked {
    fn now(used: &Arc<Used>) -> Self {
        used.asked.fetch_add(1, Ordering::Relaxed);
        Self(used.clone())
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.asked.fetch_sub(1, Ordering::Relaxed);
        self.0.lately.store(true, Ordering::Relaxed);
    }
}

/// What is served over one connection, which hereby knows that it is used.
#[derive(Clone, Debug)]
pub struct Noticed<S> {
    service: S,
    used: Arc<Used>,
}

impl<S, R, B> Service<R> for Noticed<S>
where
    S: Service<R, Response = Response<B>>,
{
    type Response = Response<Told<B>>;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let asked = Asked::now(&self.used);
        let future = self.service.call(request);
        Answer { future, asked }
    }
}

pin_project! {
    /// An answer on its way.
    pub struct Answer<F> {
        #[pin]
        future: F,
        asked: Asked,
    }
}

impl<F, B, E> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<Told<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = self.project();
        let used = &answer.asked.0;
        let told = |body| Told {
            body,
            used: Arc::clone(used),
        };
        let head = answer.future.poll(context);
        head.map_ok(|response| response.map(told))
    }
}

pin_project! {
    /// A body on its way: each piece of it is a use of the connection, and a wait is none.
    pub struct Told<B> {
        #[pin]
        body: B,
        used: Arc<Used>,
    }
}

impl<B: Body> Body for Told<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let told = self.project();
        let frame = told.body.poll_frame(context);
        if frame.is_ready() {
            told.used.lately.store(true, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that has its place until it ends.
#[derive(Debug)]
pub struct Counted {
    stream: TcpStream,
    stalled: Option<Pin<Box<Sleep>>>,
    stall: Duration,
    used: Arc<Used>,
    idle: Duration,
    /// When it is looked at next.
    looked: Pin<Box<Sleep>>,
    _places: Places,
}

impl Counted {
    /// Ends the wait for a caller that takes nothing.
    fn unless_stalled<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stall = self.stall;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
        stalled
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Ready when nothing was asked and nothing answered for as long as a connection may be idle. Pings do not count, else
    /// whoever answers them would stay for ever: hyper ends no HTTP/2 connection for having no streams.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.looked.as_mut().poll(context).is_ready() {
            // What waits for the other side to take it has a time of its own.
            if self.used.is_idle() && self.stalled.is_none() {
                return Poll::Ready(());
            }
            let next = Instant::now() + self.idle;
            self.looked.as_mut().reset(next);
        }
        Poll::Pending
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        // As if the other side had closed: what serves it ends by itself, whichever protocol it speaks.
        if read.is_pending() && self.poll_idle(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_stalled(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.unless_stalled(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpSocket;

    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn sec_34_one_network_has_so_many_connections_and_leaves_room_for_others() {
        let connections = Connections::new(&ProcessLimits {
            connections: number(5),
            connections_from_one_address: number(2),
            ..ProcessLimits::default()
        });
        let enter = |address: &str| connections.enter(address.parse().unwrap());
        // One subscriber has a whole /64.
        let held = [enter("2001:db8::1"), enter("2001:db8::2")];
        assert!(held.iter().all(Option::is_some));
        assert!(enter("2001:db8::3").is_none());
        let other = enter("198.51.100.7");
        assert!(other.is_some());
        // A proxy on this machine, and then no more for anybody.
        let proxy = [enter("127.0.0.1"), enter("127.0.0.1"), enter("127.0.0.1")];
        assert!(proxy[1].is_some() && proxy[2].is_none());
        assert!(enter("198.51.100.8").is_none());
        drop(held);
        assert!(enter("2001:db8::3").is_some());
    }

    #[test]
    fn there_are_never_more_than_open_files() {
        let connections = Connections::new(&ProcessLimits {
            connections: NonZeroU32::MAX,
            ..ProcessLimits::default()
        });
        assert!(open_files().is_none_or(|files| connections.most.get() < files));
        assert!(connections.most_from_one_address.get() <= (connections.most.get() / 4).max(1));
    }

    /// Longer than what the buffers between both sides hold, as they are set here.
    const ANSWER: usize = 512 * 1024;
    const BUFFER: u32 = 16 * 1024;
    const STALL: Duration = Duration::from_secs(2);
    const LONG: Duration = Duration::from_secs(30);

    /// Serves that answer to as many as there may be, somewhere.
    fn serving(connections: u32) -> SocketAddr {
        let connections = Connections::new(&ProcessLimits {
            connections: number(connections),
            ..ProcessLimits::default()
        });
        let socket = TcpSocket::new_v4().unwrap();
        // What is accepted has the listener's.
        socket.set_send_buffer_size(BUFFER).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(16).unwrap().into_std().unwrap();
        let address = listener.local_addr().unwrap();
        let server = axum_server::from_tcp(listener)
            .unwrap()
            .acceptor(connections.with_stall(STALL));
        let router = Router::new().route("/", get(async || "a".repeat(ANSWER)));
        tokio::spawn(server.serve(router.into_make_service()));
        address
    }

    /// Asks; the answer comes as fast as it is read.
    async fn ask(address: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(BUFFER).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n";
        // Whoever is closed unheard may find that out here already.
        let _ = stream.write_all(request).await;
        stream
    }

    /// How much comes until the other side closes, however it does.
    async fn read_to_the_end(mut stream: TcpStream) -> usize {
        let mut answer = Vec::new();
        let read = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the connection stays open");
        answer.len()
    }

    #[tokio::test]
    async fn sec_34_whoever_takes_nothing_of_the_answer_is_sent_away_and_the_place_is_free() {
        let address = serving(1);
        let mut stalled = ask(address).await;
        // It is being answered, so it has the one place.
        let first = stalled.read_u8().await.unwrap();
        assert_eq!(first, b'H');
        assert_eq!(read_to_the_end(ask(address).await).await, 0);
        let free = async {
            while read_to_the_end(ask(address).await).await < ANSWER {
                tokio::time::sleep(STALL / 20).await;
            }
        };
        let free = tokio::time::timeout(LONG, free).await;
        assert!(free.is_ok(), "the place is not given back");
        let came = read_to_the_end(stalled).await;
        assert!(came < ANSWER, "{came}");
    }

    #[tokio::test]
    async fn sec_34_whoever_takes_the_answer_slowly_gets_it_whole() {
        let mut slow = ask(serving(1)).await;
        let (mut came, mut piece) = (Vec::new(), vec![0; ANSWER / 40]);
        // Half as long again as one may take nothing, at least.
        loop {
            let read = slow.read(&mut piece).await.unwrap();
            if read == 0 {
                break;
            }
            came.extend_from_slice(&piece[..read]);
            tokio::time::sleep(STALL * 3 / 80).await;
        }
        let answer = String::from_utf8(came).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.len(), ANSWER);
    }
}
