//! How long each request took, and what that comes to.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// The pushed authorization request.
    Par,
    /// The authorization endpoint.
    Authorize,
    /// The login and the way back of a provider that asks nobody.
    Login,
    /// The waiting page with its code.
    Page,
    /// The live status of that page.
    Status,
    /// The page once more, which leads back with a code.
    Back,
    /// The relying party's token endpoint.
    Token,
    /// The short link of a QR code.
    Link,
    /// The signed request object.
    Request,
    /// The wallet's presentation.
    Response,
    /// The credential offer.
    Offer,
    /// The wallet's token endpoint.
    WalletToken,
    /// The nonce for a key proof.
    Nonce,
    /// The credential.
    Credential,
    /// The wallet's last word.
    Notification,
}

const ALL: [(Endpoint, &str); 15] = [
    (Endpoint::Par, "par"),
    (Endpoint::Authorize, "authorize"),
    (Endpoint::Login, "login"),
    (Endpoint::Page, "page"),
    (Endpoint::Link, "link"),
    (Endpoint::Request, "request object"),
    (Endpoint::Response, "presentation"),
    (Endpoint::Offer, "offer"),
    (Endpoint::WalletToken, "wallet token"),
    (Endpoint::Nonce, "nonce"),
    (Endpoint::Credential, "credential"),
    (Endpoint::Notification, "notification"),
    (Endpoint::Status, "status"),
    (Endpoint::Back, "way back"),
    (Endpoint::Token, "token"),
];

/// The times of one caller's requests that count: those that began, and the rounds that ended, in the window.
pub struct Record {
    window: Window,
    took: [Vec<u32>; ALL.len()],
    rounds: Vec<u32>,
}

/// From when to when things count.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// After the warm-up.
    pub from: Instant,
    /// The end.
    pub until: Instant,
}

impl Window {
    /// Whether the run goes on.
    pub fn is_open(&self) -> bool {
        Instant::now() < self.until
    }

    fn holds(&self, at: Instant) -> bool {
        self.from <= at && at < self.until
    }
}

impl Record {
    /// Nothing yet.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            took: Default::default(),
            rounds: Vec::new(),
        }
    }

    /// Counts one request that began then and ends now.
    pub fn request(&mut self, endpoint: Endpoint, began: Instant) {
        if self.window.holds(began)
            && let Some(at) = ALL.iter().position(|(known, _)| *known == endpoint)
        {
            self.took[at].push(microseconds(began.elapsed()));
        }
    }

    /// Counts one whole round that began then and ends now.
    pub fn round(&mut self, began: Instant) {
        if self.window.holds(Instant::now()) {
            self.rounds.push(microseconds(began.elapsed()));
        }
    }

    /// Takes another caller's times in.
    pub fn merge(&mut self, other: Self) {
        for (own, more) in self.took.iter_mut().zip(other.took) {
            own.extend(more);
        }
        self.rounds.extend(other.rounds);
    }

    /// How many rounds counted.
    pub fn rounds(&self) -> usize {
        self.rounds.len()
    }

    /// How many requests counted.
    pub fn requests(&self) -> usize {
        self.took.iter().map(Vec::len).sum()
    }

    /// Count, median and 99th percentile: of whole rounds, and of each endpoint that was asked, in a journey's order.
    pub fn to_value(&self) -> (Value, Vec<Value>) {
        let endpoints = ALL.iter().zip(&self.took);
        let endpoints = endpoints.filter(|(_, took)| !took.is_empty());
        let of_each = endpoints.map(|((_, name), took)| {
            let mut one = summary(took);
            one["endpoint"] = json!(name);
            one
        });
        (summary(&self.rounds), of_each.collect())
    }
}

/// Count, median, 99th percentile and the longest, in microseconds.
pub fn summary(took: &[u32]) -> Value {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    json!({
        "count": sorted.len(),
        "p50_us": percentile(&sorted, 50),
        "p99_us": percentile(&sorted, 99),
        "worst_us": sorted.last(),
    })
}

/// The smallest of the sorted values that so many percent of them do not exceed (nearest rank); none of none.
pub fn percentile(sorted: &[u32], percent: usize) -> Option<u32> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// A time as it is kept: what is longer than 71 minutes counts as that.
pub fn microseconds(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values_by_nearest_rank() {
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 99), Some(99));
        assert_eq!(percentile(&hundred, 100), Some(100));
        assert_eq!(percentile(&[7], 99), Some(7));
        assert_eq!(percentile(&[1, 2, 3], 50), Some(2));
        assert_eq!(percentile(&[1, 2], 99), Some(2));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn only_what_falls_into_the_window_counts() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let mut record = Record::new(Window {
            from: now,
            until: now + 60 * second,
        });
        record.request(Endpoint::Par, now);
        record.request(Endpoint::Par, now + second);
        if let Some(before) = now.checked_sub(second) {
            record.request(Endpoint::Par, before);
        }
        record.round(now);
        assert_eq!((record.requests(), record.rounds()), (2, 1));
        let (rounds, endpoints) = record.to_value();
        assert_eq!(rounds["count"], 1);
        assert_eq!(
            (endpoints.len(), &endpoints[0]["endpoint"]),
            (1, &json!("par"))
        );
        assert_eq!(endpoints[0]["count"], 2);
    }
}
