//! How many connections there may be, in all and from one network, and how long one may refuse to take its answer
//! (SEC-34). What is too many is closed before a byte of it is read.

use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::HeaderMap;
use axum_server::accept::Accept;
use gateway::limits::{AtOnce, Place, ProcessLimits};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// How long a caller may take nothing of its answer.
const STALLED: Duration = Duration::from_secs(30);
/// Files that a process has open besides its connections: the database, keys, outbound connections.
const OTHER_FILES: u32 = 128;

/// Counts connections; clones count together.
#[derive(Clone, Debug)]
pub struct Connections {
    most: NonZeroU32,
    most_from_one_address: NonZeroU32,
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
            all: AtOnce::default(),
            by_address: AtOnce::default(),
        }
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
    type Service = S;
    type Future = std::future::Ready<io::Result<(Counted, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        std::future::ready(stream.peer_addr().and_then(|peer| {
            stream.set_nodelay(true)?;
            let places = self
                .enter(peer.ip())
                .ok_or_else(|| io::Error::other("too many connections"))?;
            let counted = Counted {
                stream,
                stalled: None,
                _places: places,
            };
            Ok((counted, service))
        }))
    }
}

/// A connection that has its place until it ends.
#[derive(Debug)]
pub struct Counted {
    stream: TcpStream,
    stalled: Option<Pin<Box<Sleep>>>,
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
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + STALLED)));
        stalled
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
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
}
