//! How much anybody may ask (SEC-34): by address before anything is known, by relying party once it has proved who
//! it is, and of everybody together.
//!
//! What one relying party or one address does costs another nothing. A client id that a request merely names is
//! charged with nothing; wrong secrets, codes and tokens are charged to the address that they came from. All of it
//! stands in this process's memory, of bounded size, and ends with it.

mod at_once;
mod config;
mod meter;
mod open;
mod proof;
mod table;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use at_once::{AtOnce, Place};
pub use config::{AddressLimits, ClientLimits, LimitsConfig, OwnLimits, ProcessLimits};
use meter::Meter;
pub use open::Open;
use open::OpenRequests;
pub use proof::watched;
use table::Budget;
pub use table::Kind;

/// Addresses that are remembered. Whoever has asked for nothing in the last minute is not among them.
const ADDRESSES: usize = 100_000;
/// The same of relying parties: more than any gateway has.
const CLIENTS: usize = 100_000;
/// How long one body may take to arrive.
pub const LONGEST_BODY: Duration = Duration::from_secs(10);
/// The longest address (path and query) that is read, in bytes.
pub const LONGEST_URL: usize = 12 * 1024;

/// The counts of one process.
pub struct Limits {
    config: LimitsConfig,
    /// The header in which the proxy says whom it took a request from.
    pub(crate) address_header: Option<HeaderName>,
    by_address: Meter<(Budget, IpAddr)>,
    by_client: Meter<(Kind, String)>,
    told: Meter<(&'static str, String)>,
    clients: AtOnce<String>,
    pushes: OpenRequests,
    unpushed: OpenRequests,
    bodies_by_address: AtOnce<IpAddr>,
    memory_by_address: AtOnce<IpAddr>,
    bodies: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    salt: hmac::Key,
    refusals: [AtomicU64; CODES.len()],
}

/// Memory for a part of a body, until it is dropped.
#[derive(Debug)]
pub struct Memory {
    _place: Option<Place<IpAddr>>,
    _permit: OwnedSemaphorePermit,
}

/// Too much was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; try again in {} s", self.sentence(), self.seconds())]
pub struct TooMany {
    /// Which limit: stable, for the answer and the log.
    pub code: &'static str,
    /// When to try again.
    pub wait: Duration,
}

impl TooMany {
    /// Whole seconds for `Retry-After`, at least one. [RFC 9110 10.2.3]
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0 || self.wait.is_zero())
    }

    /// What the caller is told.
    fn sentence(&self) -> &'static str {
        match self.code {
            ADDRESS => "there were too many requests from this address",
            FAILURES => "there were too many wrong secrets, codes or tokens from this address",
            CLIENT => "this client has sent too many requests",
            AT_ONCE => "this client has too many requests under way at once",
            OPEN_PUSHES => "this client has too many pushed requests that no browser has opened",
            OPEN_UNPUSHED => "this client has too many unpushed requests that no wallet has met",
            _ => "the gateway has too many requests under way",
        }
    }

    /// Whether it is everybody's requests that are too many and not this caller's.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        if self.code == BUSY {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::TOO_MANY_REQUESTS
        }
    }
}

const ADDRESS: &str = "too-many-requests-from-address";
const FAILURES: &str = "too-many-failures-from-address";
const CLIENT: &str = "too-many-requests-of-client";
const AT_ONCE: &str = "too-many-requests-of-client-at-once";
const OPEN_PUSHES: &str = "too-many-open-pushed-requests";
const OPEN_UNPUSHED: &str = "too-many-open-unpushed-requests";
const BUSY: &str = "busy";

/// All of them, in the order in which they are counted.
const CODES: [&str; 7] = [
    ADDRESS,
    FAILURES,
    CLIENT,
    AT_ONCE,
    OPEN_PUSHES,
    OPEN_UNPUSHED,
    BUSY,
];

/// How soon to try again where that depends on others.
const SOON: Duration = Duration::from_secs(1);

impl Limits {
    /// Nothing counted yet. `salt` is random and makes addresses unrecognisable in the log; `push_lifetime` is how
    /// long a pushed request waits for its browser, and `lifetime` how long a browser waits for its wallet.
    pub fn new(
        config: LimitsConfig,
        address_header: Option<HeaderName>,
        salt: &[u8; 32],
        push_lifetime: SignedDuration,
        lifetime: SignedDuration,
    ) -> Self {
        let permits = |number: NonZeroU32| Arc::new(Semaphore::new(number.get() as usize));
        Self {
            address_header,
            by_address: Meter::new(ADDRESSES),
            by_client: Meter::new(CLIENTS),
            told: Meter::new(ADDRESSES),
            clients: AtOnce::default(),
            pushes: OpenRequests::new(push_lifetime),
            unpushed: OpenRequests::new(lifetime),
            bodies_by_address: AtOnce::default(),
            memory_by_address: AtOnce::default(),
            bodies: permits(config.process.bodies_kib),
            requests: permits(config.process.at_once),
            salt: hmac::Key::new(hmac::HMAC_SHA256, salt),
            refusals: Default::default(),
            config,
        }
    }

    /// Where a request comes from, as far as it is counted by that.
    pub fn caller(&self, request: &Request) -> Option<IpAddr> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(address)| address.ip());
        ui::caller::network(peer, self.address_header.as_ref(), request.headers())
    }

    /// Whether the header is there in which the proxy says whom it took a request from.
    pub(crate) fn has_address(&self, headers: &HeaderMap) -> bool {
        let name = self.address_header.as_ref();
        name.is_some_and(|name| headers.contains_key(name))
    }

    /// Charges an address with one request of that kind, before any of it is read.
    pub fn charge_address(&self, kind: Kind, from: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        if let Some(failures) = kind.failures() {
            let most = self.most(failures);
            let looked = self.by_address.look(&(failures, from), most, now);
            self.told_once(FAILURES, looked, || self.alias(from, now), now)?;
        }
        let budget = kind.budget();
        let charged = self
            .by_address
            .charge((budget, from), self.most(budget), now);
        self.told_once(ADDRESS, charged, || self.alias(from, now), now)
    }

    /// Takes back what an address was charged with: a relying party has proved who it is, and is charged itself. Its
    /// requests use up nothing of another's behind the same address.
    pub fn forgive_address(&self, kind: Kind, from: IpAddr) {
        let budget = kind.budget();
        self.by_address.forgive(&(budget, from), self.most(budget));
    }

    /// Charges an address with a wrong secret, code or token, where the answer was about one.
    pub fn charge_failure(&self, kind: Kind, from: IpAddr, status: StatusCode, now: Timestamp) {
        if let Some(failures) = kind.failures().filter(|_| kind.is_failure(status)) {
            // What was one too many already counts no more.
            let _ = self
                .by_address
                .charge((failures, from), self.most(failures), now);
        }
    }

    /// Charges an address with a wrong token of the admin API; an error where there were too many.
    pub fn charge_operator_failure(&self, from: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        let budget = Budget::OperatorFailures;
        let charged = self
            .by_address
            .charge((budget, from), self.most(budget), now);
        self.told_once(FAILURES, charged, || self.alias(from, now), now)
    }

    /// Charges a relying party, which has proved who it is, with one request, and gives it a place among those under
    /// way.
    pub fn charge_client(
        &self,
        kind: Kind,
        client_id: &str,
        limits: &ClientLimits,
        now: Timestamp,
    ) -> Result<Place<String>, TooMany> {
        proof::proved();
        let most = match kind {
            Kind::Push => limits.pushes,
            Kind::Revoke => limits.revocations,
            Kind::LookUp => limits.look_ups,
            Kind::Assertion => limits.all(),
            _ => limits.tokens,
        };
        let who = || client_id.to_owned();
        let charged = self.by_client.charge((kind, who()), most, now);
        self.told_once(CLIENT, charged, who, now)?;
        let place = self.clients.enter(who(), limits.at_once).ok_or(SOON);
        self.told_once(AT_ONCE, place, who, now)
    }

    /// Counts one more that is about to be kept and stays open until somebody comes.
    pub fn add_open(
        &self,
        what: Open,
        client_id: &str,
        limits: &ClientLimits,
        now: Timestamp,
    ) -> Result<(), TooMany> {
        let (requests, most, code) = match what {
            Open::Pushed => (&self.pushes, limits.open_pushes, OPEN_PUSHES),
            Open::Unpushed => (&self.unpushed, limits.open_unpushed, OPEN_UNPUSHED),
        };
        let added = requests.add(client_id, most, now);
        self.told_once(code, added, || client_id.to_owned(), now)
    }

    /// One that began at that time is no longer open: whom it waited for has come, or it was not kept after all.
    pub fn remove_open(&self, what: Open, client_id: &str, began_at: Timestamp) {
        let requests = match what {
            Open::Pushed => &self.pushes,
            Open::Unpushed => &self.unpushed,
        };
        requests.remove(client_id, began_at);
    }

    /// A place among the requests of everybody that are being answered.
    pub fn enter(&self, now: Timestamp) -> Result<OwnedSemaphorePermit, TooMany> {
        let permit = Arc::clone(&self.requests).try_acquire_owned();
        self.told_once(BUSY, permit.map_err(|_| SOON), String::new, now)
    }

    /// A place among the bodies that are being received from an address.
    pub fn receive(&self, from: Option<IpAddr>) -> Result<Option<Place<IpAddr>>, TooMany> {
        let most = self.config.process.bodies_from_one_address;
        let Some(from) = from else { return Ok(None) };
        match self.bodies_by_address.enter(from, most) {
            Some(place) => Ok(Some(place)),
            None => Err(self.refused(ADDRESS, SOON)),
        }
    }

    /// Memory for so many more bytes of a body from an address, which may have an eighth of it all.
    pub fn reserve(&self, from: Option<IpAddr>, bytes: usize) -> Result<Memory, TooMany> {
        let too_many = |code| self.refused(code, SOON);
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let size = NonZeroU32::new(kib).unwrap_or(NonZeroU32::MIN);
        let all = self.config.process.bodies_kib.get();
        let most = NonZeroU32::new(all / 8).unwrap_or(NonZeroU32::MIN);
        let place = from.map(|from| self.memory_by_address.enter_with(from, size, most));
        let place = match place {
            Some(None) => return Err(too_many(ADDRESS)),
            Some(place) => place,
            None => None,
        };
        let permit = Arc::clone(&self.bodies).try_acquire_many_owned(size.get());
        Ok(Memory {
            _place: place,
            _permit: permit.map_err(|_| too_many(BUSY))?,
        })
    }

    /// What the log calls an address: the same for a day, and nothing that leads back to it (SEC-40).
    fn alias(&self, address: IpAddr, now: Timestamp) -> String {
        let day = now.as_second().div_euclid(86_400);
        let tag = hmac::sign(&self.salt, format!("{day} {address}").as_bytes());
        hex::encode(&tag.as_ref()[..4])
    }

    fn most(&self, budget: Budget) -> NonZeroU32 {
        let limits = &self.config.address;
        match budget {
            Budget::BackChannel => limits.back_channel,
            Budget::Authorize => limits.authorize,
            Budget::Pages => limits.pages,
            Budget::Wallets => limits.wallets,
            Budget::Documents => limits.documents,
            Budget::ClientFailures | Budget::WalletFailures | Budget::OperatorFailures => {
                limits.failures
            }
        }
    }

    /// One line a minute in the log for each that is refused: a flood of requests is not one of lines.
    fn told_once<T>(
        &self,
        code: &'static str,
        outcome: Result<T, Duration>,
        who: impl FnOnce() -> String,
        now: Timestamp,
    ) -> Result<T, TooMany> {
        outcome.map_err(|wait| {
            let who = who();
            if self
                .told
                .charge((code, who.clone()), NonZeroU32::MIN, now)
                .is_ok()
            {
                tracing::warn!(
                    code,
                    who,
                    "requests are refused; more of the same are not told for a minute"
                );
            }
            self.refused(code, wait)
        })
    }

    fn refused(&self, code: &'static str, wait: Duration) -> TooMany {
        if let Some(at) = CODES.iter().position(|known| *known == code) {
            self.refusals[at].fetch_add(1, Ordering::Relaxed);
        }
        TooMany { code, wait }
    }

    /// How many requests each limit has refused so far, by the limit's code.
    pub fn refusals(&self) -> [(&'static str, u64); CODES.len()] {
        std::array::from_fn(|at| (CODES[at], self.refusals[at].load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn limits(process: ProcessLimits) -> Limits {
        let config = LimitsConfig {
            process,
            ..LimitsConfig::default()
        };
        let ten_minutes = SignedDuration::from_secs(600);
        Limits::new(config, None, &[7; 32], ten_minutes, ten_minutes)
    }

    fn start() -> Timestamp {
        "2026-11-27T12:00:00Z".parse().unwrap()
    }

    /// SEC-40.
    #[test]
    fn sec_40_an_address_in_the_log_is_an_alias_for_a_day() {
        let limits = limits(ProcessLimits::default());
        let address: IpAddr = "198.51.100.7".parse().unwrap();
        let alias = limits.alias(address, start());
        assert!(!alias.contains("198") && alias.len() == 8, "{alias}");
        assert_eq!(
            alias,
            limits.alias(address, start() + SignedDuration::from_hours(1))
        );
        assert_ne!(
            alias,
            limits.alias(address, start() + SignedDuration::from_hours(24))
        );
        let other = Limits::new(
            LimitsConfig::default(),
            None,
            &[8; 32],
            SignedDuration::from_secs(600),
            SignedDuration::from_secs(600),
        );
        assert_ne!(alias, other.alias(address, start()));
    }

    #[test]
    fn sec_34_bodies_that_are_being_received_have_so_much_memory() {
        let eight = NonZeroU32::new(8).unwrap();
        let limits = limits(ProcessLimits {
            bodies_kib: eight,
            bodies_from_one_address: NonZeroU32::new(2).unwrap(),
            ..ProcessLimits::default()
        });
        let held = limits.reserve(None, 7 * 1024 + 1).unwrap();
        assert_eq!(
            limits.reserve(None, 1).unwrap_err().status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        drop(held);
        assert!(limits.reserve(None, 8 * 1024).is_ok());
        let from = Some("198.51.100.7".parse().unwrap());
        let held = limits.reserve(from, 1024).unwrap();
        assert_eq!(
            limits.reserve(from, 1).unwrap_err().status(),
            StatusCode::TOO_MANY_REQUESTS
        );
        assert!(
            limits
                .reserve(Some("198.51.100.8".parse().unwrap()), 1024)
                .is_ok()
        );
        drop(held);
        assert!(limits.reserve(from, 1024).is_ok());
        let held = [limits.receive(from).unwrap(), limits.receive(from).unwrap()];
        assert_eq!(
            limits.receive(from).unwrap_err().status(),
            StatusCode::TOO_MANY_REQUESTS
        );
        assert!(
            limits
                .receive(Some("198.51.100.8".parse().unwrap()))
                .is_ok()
        );
        drop(held);
        assert!(limits.receive(from).is_ok());
    }

    #[test]
    fn whoever_is_refused_is_told_whole_seconds_and_never_none() {
        let seconds = |wait| TooMany { code: CLIENT, wait }.seconds();
        assert_eq!(seconds(Duration::ZERO), 1);
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_secs(3)), 3);
        assert_eq!(seconds(Duration::from_millis(3_001)), 4);
    }
}
