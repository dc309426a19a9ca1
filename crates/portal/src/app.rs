//! What every request of the portal works with.

use std::collections::HashSet;
use std::sync::Arc;

use axum::http::HeaderName;
use connector::Clock;
use connector::desk::Desk;
use jiff::{SignedDuration, Timestamp};
use store::Store;
use traces::Tracer;
use ui::headers::Policy;
use url::Url;

use crate::applies::Rules;
use crate::employees::Employee;
use crate::feed::Feed;
use crate::login::provider::Provider;
use crate::look::Look;
use passwords::Passwords;

/// The parts, shared by all requests.
pub(crate) type App = Arc<Parts>;

/// See [`App`].
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) desk: Desk,
    pub(crate) clock: Clock,
    /// Who tells traces, where somebody is to be told.
    pub(crate) tracer: Option<Arc<Tracer>>,
    pub(crate) look: Look,
    pub(crate) passwords: Passwords,
    /// Where people log in, besides or instead of with passwords.
    pub(crate) provider: Option<Provider>,
    /// Whom the staff passport applies to.
    pub(crate) rules: Rules,
    /// Where people and records come from, besides the staff file.
    pub(crate) feed: Option<Feed>,
    pub(crate) public_url: Url,
    pub(crate) gateway_url: Url,
    pub(crate) organisation: String,
    pub(crate) hr_page: bool,
    /// The ids of the employees who are of HR.
    pub(crate) hr_staff: HashSet<String>,
    /// Where the reverse proxy says whom it took a request from.
    pub(crate) address_header: Option<HeaderName>,
    /// For how many days it is kept who did and saw what.
    pub(crate) audit_days: u16,
    /// How long an answer of the gateway may take before whoever waited for it is taken for dead.
    pub(crate) answer_lasts: SignedDuration,
    /// How long a browser may be away at the gateway.
    pub(crate) journey_lasts: SignedDuration,
}

/// Whether a text that somebody typed can be in the database at all, on every engine: one that cannot is nobody's name
/// and no record's id, and is not asked for.
pub(crate) fn can_be_kept(text: &str) -> bool {
    !text.contains('\0')
}

impl Parts {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Whether there is anything about the staff passport for this person.
    pub(crate) fn applies_to(&self, person: &Employee) -> bool {
        self.rules.are_met_by(person, self.now())
    }

    /// The moment that long before now.
    pub(crate) fn ago(&self, by: SignedDuration) -> Timestamp {
        self.now().saturating_sub(by).unwrap_or(Timestamp::MIN)
    }

    /// Whether browsers reach the portal over https: cookies are bound to it then.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// For a page with a form that is answered by a redirect to the gateway.
    pub(crate) fn to_gateway(&self) -> Policy {
        Policy::new().form_may_lead_to(&self.gateway_url)
    }
}
