//! The short code on the page, and the address where a wallet follows it (screens 3.3).
//!
//! Following it binds nothing and tells nothing but the link that the QR code carries. A wrong code counts among
//! its address's wrong codes and tokens. It also counts for its network, of which one owner has all addresses; and all
//! wrong codes together have a budget, since codes are guessed from many networks at once. With 600 a minute and ten codes
//! alive, one guess in 350 years is right: a code is one of 2^40, and 600 times ten codes a minute meet one in 1.8 * 10^8
//! minutes. One network has a tenth of that, and so cannot keep anybody else from a code.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use super::super::{answer, language};
use super::view::ShortLink;
use super::{Missing, change, plain, show, takes_html, wallet_link, with_link};
use crate::app::App;
use crate::client;
use crate::interaction::reference::read_out;
use crate::interaction::{Interaction, Stage, Via};

/// How many wrong codes a process answers in [`WINDOW`]; then it answers none, right or wrong, until that is over.
pub const MOST_WRONG: u32 = 600;
/// The same of one network (IPv4: /24, IPv6: /48).
pub const MOST_WRONG_OF_ONE_NETWORK: u32 = 60;
/// See [`MOST_WRONG`].
pub const WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// How many wrong codes came lately.
#[derive(Debug, Default)]
pub struct Guesses(Mutex<Lately>);

/// Of networks there are never more than wrong codes.
#[derive(Debug, Default)]
struct Lately {
    since: Timestamp,
    wrong: u32,
    by_network: HashMap<IpAddr, u32>,
}

impl Guesses {
    /// Counts a code as wrong before it is looked up, so that many at once are no more than one by one; `false` where that
    /// is one too many, of all or of its network. Nobody's network is known where a proxy does not tell it.
    fn count(&self, from: Option<IpAddr>, now: Timestamp) -> bool {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.is_over(now) {
            *lately = Lately {
                since: now,
                ..Lately::default()
            };
        }
        if lately.wrong >= MOST_WRONG {
            return false;
        }
        if let Some(from) = from {
            let of_network = lately.by_network.entry(network(from)).or_insert(0);
            if *of_network >= MOST_WRONG_OF_ONE_NETWORK {
                return false;
            }
            *of_network += 1;
        }
        lately.wrong += 1;
        if lately.wrong == MOST_WRONG {
            tracing::warn!("short codes are being guessed: none is answered for a while");
        }
        true
    }

    /// The code was right, or it is not known whether it was.
    fn forgive(&self, from: Option<IpAddr>) {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lately.wrong = lately.wrong.saturating_sub(1);
        let of_network = from.and_then(|from| lately.by_network.get_mut(&network(from)));
        if let Some(of_network) = of_network {
            *of_network = of_network.saturating_sub(1);
        }
    }
}

impl Lately {
    /// (SEC-39) A window that begins in the future is of a time before the clock was put back.
    fn is_over(&self, now: Timestamp) -> bool {
        now < self.since || now >= self.since + WINDOW
    }
}

/// The addresses of which one owner has all, as a rule: /24 of IPv4, /48 of IPv6 [RFC 6177 2].
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & !0xff).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 80 << 80).into(),
    }
}

/// 'Show a short code'.
pub async fn make(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let step =
        |app: &App, found: Interaction| found.with_short_code(app.random.reference(), app.now());
    match change(&app, &id, &headers, &body, step).await {
        Ok(changed) => answer::see_other(&format!("/interaction/{}#short-code", changed.id)),
        Err(response) => response,
    }
}

/// A wallet follows a short code to the standard's own link.
pub async fn follow(
    State(app): State<App>,
    Path(typed): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let now = app.now();
    let from = app.limits.caller(&request);
    if !app.short_code_guesses.count(from, now) {
        let status = StatusCode::TOO_MANY_REQUESTS;
        return if takes_html(&headers) {
            plain::too_many(&app, status)
        } else {
            let sentence = "short-codes-busy: try again in a minute, or scan the QR code";
            client::answer_error(status, "temporarily_unavailable", sentence)
        };
    }
    let found = match read_out(&typed) {
        Some(code) => app.interactions.find_by_short_code(&code).await,
        None => Ok(None),
    };
    let open = |found: &Interaction| found.stage == Stage::Waiting && now < found.expires_at;
    let is_wrong = matches!(&found, Ok(found) if !found.as_ref().is_some_and(open));
    if !is_wrong {
        app.short_code_guesses.forgive(from);
    }
    let found = match found {
        Ok(Some(found)) => match with_link(&app, found).await {
            Ok(found) => Ok(Some(found)),
            Err(missing) => return missing.answer(&app),
        },
        other => other,
    };
    match found {
        Ok(Some(found)) if open(&found) => {
            let view = ShortLink {
                purpose: show::purpose(&found),
                link: wallet_link(&app, &found, Via::AnotherDevice),
                here: format!("/c/{typed}"),
                was_typed: true,
            };
            show::short_link(&language::look(&app, &headers), view)
        }
        Ok(_) => {
            if takes_html(&headers) {
                plain::unknown_code(&app)
            } else {
                let sentence = "short-code-unknown: this code is wrong, used or too old";
                client::answer_error(StatusCode::NOT_FOUND, "invalid_request", sentence)
            }
        }
        Err(error) => Missing::Store(error).answer(&app),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// SEC-34.
    #[test]
    fn sec_34_one_network_guesses_little_and_all_together_no_more_than_ever() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let guesses = Guesses::default();
        let many = |address: &dyn Fn(u32) -> String, at: Timestamp| {
            let guess = |n: &u32| guesses.count(Some(address(*n).parse().unwrap()), at);
            (0..1_000).filter(guess).count()
        };
        // One owner's addresses, of either kind.
        assert_eq!(many(&|n| format!("198.51.100.{}", n % 256), now), 60);
        assert_eq!(many(&|n| format!("2001:db8:7:{n:x}::"), now), 60);
        assert_eq!(many(&|_| "2001:db8:8::".to_owned(), now), 60);
        assert_eq!(many(&|n| format!("::ffff:198.51.100.{}", n % 256), now), 0);
        // A right code costs nothing.
        let other: Option<IpAddr> = Some("203.0.113.9".parse().unwrap());
        for _ in 0..1_000 {
            assert!(guesses.count(other, now));
            guesses.forgive(other);
        }
        // From everywhere, and from where nothing is known.
        assert_eq!(many(&|n| format!("10.{}.{}.1", n / 256, n % 256), now), 420);
        assert!(!guesses.count(other, now) && !guesses.count(None, now));
        let soon = now + WINDOW - SignedDuration::from_secs(1);
        assert!(!guesses.count(other, soon) && !guesses.count(None, soon));
        let later = now + WINDOW;
        assert_eq!(many(&|_| "198.51.100.1".to_owned(), later), 60);
    }
}
