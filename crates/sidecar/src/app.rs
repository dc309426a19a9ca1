//! What every request works with.

use std::sync::Arc;

use connector::Clock;
use connector::desk::Desk;
use jiff::{SignedDuration, Timestamp};
use store::Store;
use traces::Tracer;

use crate::events::Webhook;
use crate::key::ApiKey;

/// The parts, shared by all requests.
pub(crate) type App = Arc<Parts>;

/// See [`App`].
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) desk: Desk,
    pub(crate) clock: Clock,
    /// Who tells traces, where somebody is to be told.
    pub(crate) tracer: Option<Arc<Tracer>>,
    pub(crate) keys: Vec<ApiKey>,
    pub(crate) webhook: Option<Webhook>,
    /// How long a person's names are kept to be compared with an identity.
    pub(crate) identity_lasts: SignedDuration,
}

impl Parts {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The moment that long before now.
    pub(crate) fn ago(&self, by: SignedDuration) -> Timestamp {
        self.now().saturating_sub(by).unwrap_or(Timestamp::MIN)
    }

    /// The moment that long after now.
    pub(crate) fn ahead(&self, by: SignedDuration) -> Timestamp {
        self.now().saturating_add(by).unwrap_or(Timestamp::MAX)
    }
}
