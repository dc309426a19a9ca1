//! Ports that stay a test's own while the program that listens there is dead.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// Ports of one block: a sandbox uses the first and up to the thirteenth after it.
const BLOCK: u16 = 16;
/// Below the range from which systems take ports for outgoing connections: one of those would otherwise sit on
/// our port while the program that is to be started again is down.
const FIRST: u16 = 20_000;
const BLOCKS: u16 = 700;

/// A block of TCP ports that no other test uses while this is held.
pub(crate) struct Ports {
    pub(crate) first: u16,
    /// Nobody speaks UDP here. The socket says to other test processes that the block is taken, and goes with
    /// this process however that ends.
    _claim: UdpSocket,
}

impl Ports {
    pub(crate) fn claim() -> Self {
        let (chance, _) = uuid::Uuid::new_v4().as_u64_pair();
        let start = u16::try_from(chance % u64::from(BLOCKS)).unwrap();
        (0..BLOCKS)
            .map(|step| FIRST + (start + step) % BLOCKS * BLOCK)
            .find_map(|first| {
                let claim = UdpSocket::bind((Ipv4Addr::LOCALHOST, first)).ok()?;
                let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
                let all_free = (first..first + BLOCK).all(free);
                all_free.then_some(Self {
                    first,
                    _claim: claim,
                })
            })
            .expect("there is a block of free ports")
    }
}
