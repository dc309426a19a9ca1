//! The public keys of a relying party: registered with us, or fetched from where it publishes them.
//! [OIDC Registration 2: `jwks`, `jwks_uri`]
//!
//! Each relying party has its own copy, so that nobody's keys can stand where another's are sought.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use standards::jose::jwk::JwkError;
use standards::jose::jwk_set::JwkSetError;
use standards::jose::jws::Header;
use standards::jose::{Jwk, JwkSet};
use tokio::sync::Semaphore;
use url::Url;

use crate::outbound::{FetchError, Outbound};

/// How long fetched keys are used without asking again.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// How long they are used when asking again fails: a client's short outage must not lock it out, and a key that it
/// withdrew must not live on.
const LONGEST: SignedDuration = SignedDuration::from_mins(30);
/// Between two fetches while there are keys to use: whoever sends made-up key ids cannot make us ask more often.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// Between two fetches while there are none. Longer than any fetch lasts, or those who waited for one that timed out
/// would begin the next.
const SHORT_PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// How many requests of one relying party may wait for a fetch. They are not known to be its own yet: anybody can name a
/// client, and must not fill the gateway with its silence (SEC-34).
const MOST_WAITING: usize = 16;
/// How far apart two requests may read the clock and be at the same time: as long as a request lasts at most.
const MOMENT: SignedDuration = SignedDuration::from_secs(30);
/// The largest key set that is read: 100 RSA keys of 4096 bits are smaller.
const LARGEST: usize = 128 * 1024;

/// A relying party's public keys.
pub enum ClientKeys {
    /// In our configuration.
    Registered(JwkSet),
    /// At the relying party's own address.
    Published(Published),
}

/// Keys at an address, and the copy of them that is used.
pub struct Published {
    address: Url,
    copy: Mutex<Copy>,
    /// One fetch at a time; the others wait for it and use what it brought.
    flight: tokio::sync::Mutex<()>,
    waiting: Semaphore,
}

#[derive(Clone, Default)]
struct Copy {
    keys: Option<(Arc<JwkSet>, Timestamp)>,
    tried_at: Option<Timestamp>,
}

/// Why a registered set was not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// Neither JSON nor a set.
    #[error("it must be a JWK set: an object with an array `keys`")]
    NotASet,
    /// One of the keys. Where others may publish what we do not know, what is registered must all be usable.
    #[error("key {number}: {reason}")]
    Key {
        /// Counts from 1.
        number: usize,
        /// Why.
        reason: JwkError,
    },
    /// Which of the two is meant would be a guess.
    #[error("two keys have the kid {0:?}")]
    KidTwice(String),
    /// No key, or none for signatures.
    #[error("none of its keys is for signatures")]
    NoneVerifies,
}

/// There are no keys to check with, and it is not the caller's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client's keys cannot be fetched from its jwks_uri at the moment; try again")]
pub struct KeysUnavailable;

impl ClientKeys {
    /// Keys from the configuration: a JWK set, or its JSON text.
    pub fn registered(value: &Value) -> Result<Self, InvalidKeys> {
        let parsed = match value {
            Value::String(text) => {
                standards::json::parse(text.as_bytes()).map_err(|_| InvalidKeys::NotASet)?
            }
            other => other.clone(),
        };
        let listed = parsed.get("keys").and_then(Value::as_array);
        let mut keys: Vec<Jwk> = Vec::new();
        for (index, item) in listed.ok_or(InvalidKeys::NotASet)?.iter().enumerate() {
            let key = Jwk::parse(item).map_err(|reason| InvalidKeys::Key {
                number: index + 1,
                reason,
            })?;
            let taken = |kid: &str| keys.iter().any(|other| other.kid() == Some(kid));
            if let Some(kid) = key.kid().filter(|kid| taken(kid)) {
                return Err(InvalidKeys::KidTwice(kid.to_owned()));
            }
            keys.push(key);
        }
        if !keys.iter().any(Jwk::may_verify) {
            return Err(InvalidKeys::NoneVerifies);
        }
        Ok(Self::Registered(JwkSet::new(keys)))
    }

    /// Keys at an address that the outbound client may call.
    pub fn published(address: Url) -> Self {
        Self::Published(Published {
            address,
            copy: Mutex::default(),
            flight: tokio::sync::Mutex::new(()),
            waiting: Semaphore::new(MOST_WAITING),
        })
    }

    /// Where they are published, if they are.
    pub const fn address(&self) -> Option<&Url> {
        match self {
            Self::Registered(_) => None,
            Self::Published(published) => Some(&published.address),
        }
    }

    /// The key that a token with this header was signed with, or that there is none.
    pub async fn find(
        &self,
        outbound: &Outbound,
        header: &Header,
        now: Timestamp,
    ) -> Result<Option<Jwk>, KeysUnavailable> {
        match self {
            Self::Registered(keys) => Ok(keys.find_for(header).cloned()),
            Self::Published(published) => published.find(outbound, header, now).await,
        }
    }
}

impl Published {
    async fn find(
        &self,
        outbound: &Outbound,
        header: &Header,
        now: Timestamp,
    ) -> Result<Option<Jwk>, KeysUnavailable> {
        let fresh = |copy: &Copy| copy.within(LIFETIME, now)?.find_for(header).cloned();
        if let Some(key) = fresh(&self.copy()) {
            return Ok(Some(key));
        }
        let _place = self.waiting.try_acquire().map_err(|_| KeysUnavailable)?;
        let _flight = self.flight.lock().await;
        // Whoever was in flight before may have brought it.
        let copy = self.copy();
        if let Some(key) = fresh(&copy) {
            return Ok(Some(key));
        }
        if copy.may_try(now) {
            self.fetch(outbound, now).await;
        }
        let copy = self.copy();
        let keys = copy.within(LONGEST, now).ok_or(KeysUnavailable)?;
        Ok(keys.find_for(header).cloned())
    }

    async fn fetch(&self, outbound: &Outbound, now: Timestamp) {
        let fetched = fetch(outbound, &self.address).await;
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        copy.tried_at = Some(now);
        match fetched {
            Ok(keys) => copy.keys = Some((Arc::new(keys), now)),
            Err(error) => {
                tracing::warn!(address = %self.address, %error, "a client's keys could not be fetched");
                if matches!(error, PublishedError::Set(JwkSetError::Secret)) {
                    // Whoever reads that document can sign as the client.
                    copy.keys = None;
                }
            }
        }
    }

    fn copy(&self) -> Copy {
        self.copy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Copy {
    /// The keys, if they were fetched no longer ago; and not after now, which is from before the clock was set back.
    /// A request that waited for another's fetch has read the clock a moment before that one.
    fn within(&self, longest: SignedDuration, now: Timestamp) -> Option<&JwkSet> {
        let (keys, fetched_at) = self.keys.as_ref()?;
        (*fetched_at <= now + MOMENT && now < *fetched_at + longest).then_some(keys.as_ref())
    }

    fn may_try(&self, now: Timestamp) -> bool {
        let pause = if self.within(LONGEST, now).is_some() {
            PAUSE
        } else {
            SHORT_PAUSE
        };
        self.tried_at
            .is_none_or(|tried_at| tried_at > now + MOMENT || now >= tried_at + pause)
    }
}

#[derive(Debug, thiserror::Error)]
enum PublishedError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the document is longer than {LARGEST} bytes")]
    TooLarge,
    #[error("the document is not JSON")]
    NotJson,
    #[error(transparent)]
    Set(#[from] JwkSetError),
}

async fn fetch(outbound: &Outbound, address: &Url) -> Result<JwkSet, PublishedError> {
    let accept = "application/jwk-set+json, application/json";
    let fetched = outbound.fetch(address, accept).await?;
    if fetched.body.len() > LARGEST {
        return Err(PublishedError::TooLarge);
    }
    let set = standards::json::parse(&fetched.body).map_err(|_| PublishedError::NotJson)?;
    Ok(JwkSet::parse(&set)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// SEC-15: a key that its client has withdrawn is gone when the copy's time is over, and not an instant later.
    #[test]
    fn sec_15_a_copy_of_keys_is_used_in_its_time_only() {
        let copy = Copy {
            keys: Some((Arc::new(JwkSet::new([])), at(1_000))),
            tried_at: Some(at(1_000)),
        };
        for (now, used) in [
            (969, false),
            (970, true),
            (1_000, true),
            (1_299, true),
            (1_300, false),
        ] {
            assert_eq!(copy.within(LIFETIME, at(now)).is_some(), used, "{now}");
        }
    }

    #[test]
    fn keys_are_asked_for_after_a_pause_and_at_once_when_the_clock_was_set_back() {
        let copy = Copy {
            keys: None,
            tried_at: Some(at(1_000)),
        };
        for (now, may) in [
            (900, true),
            (969, true),
            (970, false),
            (1_014, false),
            (1_015, true),
        ] {
            assert_eq!(copy.may_try(at(now)), may, "{now}");
        }
    }
}
