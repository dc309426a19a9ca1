//! Where a request comes from, as far as that tells one caller from another.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName};

/// Whose requests are counted together. `peer` is whoever holds the connection; `header` is the one in which the
/// reverse proxy says whom it took the request from. Nothing, where all callers have one address.
#[must_use]
pub fn network(
    peer: Option<IpAddr>,
    header: Option<&HeaderName>,
    headers: &HeaderMap,
) -> Option<IpAddr> {
    let address = match header {
        Some(name) => last_of(headers, name)?,
        // This machine's own is that of a proxy, behind which everybody is.
        None => peer.filter(|peer| !peer.to_canonical().is_loopback())?,
    };
    Some(match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        // One subscriber has a whole /64 [RFC 6177].
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    })
}

/// The proxy adds its word at the end; what stands before it is the caller's own.
fn last_of(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let last = headers.get_all(name).iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}
