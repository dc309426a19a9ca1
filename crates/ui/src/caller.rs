//! Where a request comes from, as far as that tells one caller from another.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

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
        // A proxy that does not say it, or says it in a way that is not read here, is counted as one caller: no header
        // may take the limits away.
        Some(name) => last_of(headers, name).or(peer)?,
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
    let last = last.to_str().ok()?.rsplit(',').next()?.trim();
    // Some proxies add the port.
    let with_port = || last.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || last.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    last.parse().ok().or_else(with_port).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// SEC-34: whatever a proxy writes, somebody is counted.
    #[test]
    fn sec_34_no_header_takes_the_limits_away() {
        let name = HeaderName::from_static("x-forwarded-for");
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let found = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name.clone(), value.parse().unwrap());
            network(Some(proxy), Some(&name), &headers)
                .unwrap()
                .to_string()
        };
        assert_eq!(found("198.51.100.7"), "198.51.100.7");
        assert_eq!(found("203.0.113.9, 198.51.100.7:51234"), "198.51.100.7");
        assert_eq!(found("[2001:db8::1]:443"), "2001:db8::");
        assert_eq!(found("[2001:db8::1]"), "2001:db8::");
        for unreadable in ["for=198.51.100.7", "unknown", ""] {
            assert_eq!(found(unreadable), proxy.to_string(), "{unreadable}");
        }
        let none = network(Some(proxy), Some(&name), &HeaderMap::new());
        assert_eq!(none, Some(proxy));
    }
}
