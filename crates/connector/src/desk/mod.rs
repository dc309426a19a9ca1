//! The desk at which an external system serves its employees: what a portal must remember between a browser's visits,
//! so that identity comes before download, exactly what was confirmed is issued, and nothing that is out is forgotten.
//!
//! The host knows its people, their records and their sessions; the desk knows what came of them at the gateway. The
//! order of a visit:
//!
//! 1. [`Desk::answer_about_old_copy`], where a credential of the record is out already, and [`Desk::confirm`].
//! 2. [`Desk::verify`], once for each session, and [`Desk::come_back`] when the browser returns.
//! 3. [`Desk::issue`] and, again, [`Desk::come_back`].
//!
//! When a record changes, the host puts the statements of [`Desk::record_changed`] into the batch that changes it.
//! What follows from them (revocations, mails, outcomes that are not known) is done by [`Desk::keep_working`], which
//! goes on after a crash where it stopped.

mod change;
mod changes;
mod come_back;
mod confirm;
mod ending;
mod erase;
mod export;
mod gateway;
mod identity;
mod issue;
mod journey;
mod mail;
mod reconcile;
mod reference;
mod registry;
mod review;
mod revoke;
mod state;
mod tidy;
mod work;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Date};
use store::{Migrations, Store};

use crate::matching::Policy;
use crate::{Clock, HttpOptions, Settings};

pub use change::Cause;
pub use changes::{Change, MOST_CHANGES};
pub use come_back::Return;
pub use confirm::OldCopy;
pub use erase::{EraseError, Erased};
pub use export::{
    Export, ExportedConfirmation, ExportedIdentity, ExportedJourney, ExportedMail, ExportedPerson,
    ExportedReview, ExportedRevocation,
};
pub use gateway::StartFault;
pub use identity::{Standing, VerifyOutcome};
pub use issue::Issuing;
pub use mail::{
    Channel, Language, MailOptions, MailOptionsError, Notify, NotifyKey, NotifyKeyError,
    NotifyTemplateError, Smtp, SmtpLogin, SmtpSecurity, TextError, TokenSource, WayError,
};
pub use reconcile::{Difference, DifferenceCode, ReconcileError, Reconciliation};
pub use reference::reference_of;
pub use registry::{Credential, Record, Stage};
pub use review::{Decision, Review};
pub use revoke::{Revoking, RevokingAll};
pub use state::{CredentialState, OnFile, WayIn};
pub use work::{
    Backlog, Hold, HoldReason, HoldScope, MailState, MayStillHold, NotTold, NotifyCallbackError,
    WaitingErasure, WaitingMail, WaitingRevocation,
};

mod for_sqlite {
    refinery::embed_migrations!("migrations/sqlite");
}

mod for_postgres {
    refinery::embed_migrations!("migrations/postgres");
}

/// The desk's tables, for the [`Store::open`] of the host.
pub const MIGRATIONS: Migrations = Migrations::new(
    "connector_history",
    for_sqlite::migrations::runner,
    for_postgres::migrations::runner,
);

/// One log-in of one employee. What is verified in it counts in it and nowhere else.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// The host's key of the session. Kept as a hash.
    pub id: &'a str,
    /// The host's id of the employee who is logged in.
    pub employee: &'a str,
}

/// An employee as the host's record has them. Debug prints none of it.
#[derive(Clone)]
pub struct Person {
    /// The host's id.
    pub employee: String,
    /// All first names.
    pub first_names: String,
    /// Surname.
    pub surname: String,
    /// A name that they go by, if the host's record holds one. It counts as a first name of theirs.
    pub known_as: Option<String>,
    /// Date of birth, if the host holds it.
    pub date_of_birth: Option<Date>,
    /// Where to write to, if the host knows.
    pub email: Option<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(…)")
    }
}

/// How a desk works. [`DeskOptions::default`] is right for most.
#[derive(Clone, Debug)]
pub struct DeskOptions {
    /// When an identity counts as the employee's.
    pub policy: Policy,
    /// Whether a newer credential of a record revokes the older one.
    pub supersede: bool,
    /// The credential type that proves who somebody is.
    pub identity_type: String,
    /// Identities that do not match, in one session, before there is no further try.
    pub mismatches_allowed: u32,
    /// How long an answer or a confirmation counts.
    pub confirmation_lasts: SignedDuration,
    /// How long a verified identity counts at most, whatever becomes of the session.
    pub identity_lasts: SignedDuration,
    /// How long an identity that somebody has to look at is kept since it was last shown, and how long it counts what they
    /// found. Long enough to have a record corrected, after which nothing is in doubt any more.
    pub review_lasts: SignedDuration,
    /// How long after a journey began it is certain to be over at the gateway.
    pub journey_lasts: SignedDuration,
    /// How long an answer may take before whoever waited for it is taken for dead.
    pub answer_lasts: SignedDuration,
    /// How mails go out. Without it none is written, and employees learn of a revocation on pages only.
    pub mail: Option<MailOptions>,
}

impl Default for DeskOptions {
    fn default() -> Self {
        Self {
            policy: Policy::Exact,
            supersede: true,
            identity_type: "Identity".to_owned(),
            mismatches_allowed: 3,
            confirmation_lasts: SignedDuration::from_mins(60),
            identity_lasts: SignedDuration::from_hours(12),
            review_lasts: SignedDuration::from_hours(30 * 24),
            // At our gateway a pushed request waits 10 minutes, an interaction lasts 30 and what is on its way then 5
            // more, a code 1; the rest is for clocks that differ.
            journey_lasts: SignedDuration::from_mins(48),
            answer_lasts: SignedDuration::from_secs(45),
            mail: None,
        }
    }
}

/// Why a desk cannot be opened with these options.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    /// The gateway cannot be spoken to like this.
    #[error(transparent)]
    Http(#[from] crate::FetchError),
    /// Mail cannot be sent like this.
    #[error(transparent)]
    Mail(#[from] MailOptionsError),
}

/// See the [module](self). Cheap to clone.
#[derive(Clone)]
pub struct Desk(Arc<Parts>);

struct Parts {
    store: Store,
    gateway: gateway::Gateway,
    options: DeskOptions,
    mail: Option<mail::Mailroom>,
    clock: Clock,
    /// Told whenever there is new work, so that nobody waits for the next look.
    work: tokio::sync::Notify,
}

impl Desk {
    /// A desk on a store that was opened with [`MIGRATIONS`]. The gateway is asked when it is first needed: it may be
    /// down now.
    pub fn new(
        store: Store,
        settings: Settings,
        http: HttpOptions,
        options: DeskOptions,
        clock: Clock,
    ) -> Result<Self, DeskError> {
        let http = crate::Http::new(http)?;
        let mail = options.mail.clone();
        let mail = mail.map(|mail| mail::Mailroom::open(mail, &http, &clock));
        let mail = mail.transpose()?;
        let gateway = gateway::Gateway::new(settings, http, Arc::clone(&clock));
        Ok(Self(Arc::new(Parts {
            store,
            gateway,
            options,
            mail,
            clock,
            work: tokio::sync::Notify::new(),
        })))
    }

    fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// The moment that long before now.
    fn ago(&self, by: SignedDuration) -> Timestamp {
        self.now().saturating_sub(by).unwrap_or(Timestamp::MIN)
    }
}
