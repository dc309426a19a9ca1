//! Verifying the identity, and what became of the credential.

use axum::response::Response;
use ui::headers::Policy;

use super::samples::{FIRE_SAFETY, NOW, RECORD, REFERENCE, facts, visitor};
use super::{State, UNFINISHED};
use crate::added::page::{self as added, AddedView, Outcome};
use crate::identity::page::{
    self as identity, Confirmed, DoneView, IdentityView, NotVerified, NotVerifiedView,
};
use crate::look::Look;
use crate::returned::page::{self as returned, FinishingView};

pub(super) const STATES: &[State] = &[
    ("identity", |look| {
        let view = IdentityView {
            record_id: Some(RECORD.to_owned()),
        };
        identity::show(look, &visitor(), &view, &Policy::new())
    }),
    ("identity-done", |look| done(look, true, Some(confirmed()))),
    ("identity-done-earlier", |look| {
        done(look, false, Some(confirmed()))
    }),
    ("identity-done-nothing-chosen", |look| {
        done(look, true, None)
    }),
    ("identity-mismatch", |look| {
        let may_try_again = true;
        not_verified(look, NotVerified::Mismatch { may_try_again })
    }),
    ("identity-mismatch-last", |look| {
        let may_try_again = false;
        not_verified(look, NotVerified::Mismatch { may_try_again })
    }),
    ("identity-to-be-looked-at", |look| {
        let may_try_again = true;
        not_verified(look, NotVerified::ToBeLookedAt { may_try_again })
    }),
    ("identity-looked-at", |look| {
        let may_try_again = true;
        not_verified(look, NotVerified::LookedAt { may_try_again })
    }),
    ("identity-looked-at-last", |look| {
        let may_try_again = false;
        not_verified(look, NotVerified::LookedAt { may_try_again })
    }),
    ("identity-not-shared", |look| {
        not_verified(look, NotVerified::NotShared)
    }),
    ("identity-too-long", |look| {
        not_verified(look, NotVerified::TookTooLong)
    }),
    ("identity-unusable", |look| {
        not_verified(look, NotVerified::CannotBeUsed)
    }),
    ("finishing", |look| {
        let view = FinishingView {
            status_url: UNFINISHED.to_owned(),
            continue_href: "/__states/identity-done".to_owned(),
            reference: REFERENCE.to_owned(),
        };
        returned::show_finishing(look, &visitor(), view)
    }),
    ("elsewhere", returned::show_elsewhere),
    ("added", |look| outcome(look, Outcome::Added { at: NOW })),
    ("added-not", |look| outcome(look, Outcome::NotAdded)),
    ("added-too-long", |look| outcome(look, Outcome::TookTooLong)),
    ("added-stale", |look| {
        let is_cancelled = false;
        outcome(look, Outcome::Stale { is_cancelled })
    }),
    ("added-stale-cancelled", |look| {
        let is_cancelled = true;
        outcome(look, Outcome::Stale { is_cancelled })
    }),
    ("added-checking", |look| outcome(look, Outcome::Checking)),
];

fn confirmed() -> Confirmed {
    Confirmed {
        id: RECORD.to_owned(),
        title: FIRE_SAFETY.to_owned(),
        facts: facts(),
    }
}

fn done(look: &Look, is_new: bool, credential: Option<Confirmed>) -> Response {
    let view = DoneView { is_new, credential };
    identity::show_done(look, &visitor(), view, &Policy::new())
}

fn not_verified(look: &Look, why: NotVerified) -> Response {
    let view = NotVerifiedView {
        why,
        reference: REFERENCE.to_owned(),
        record_id: Some(RECORD.to_owned()),
    };
    identity::show_not_verified(look, &visitor(), view, &Policy::new())
}

fn outcome(look: &Look, outcome: Outcome) -> Response {
    let view = AddedView {
        id: RECORD.to_owned(),
        title: FIRE_SAFETY.to_owned(),
        reference: REFERENCE.to_owned(),
        outcome,
    };
    added::show(look, &visitor(), view, &Policy::new())
}
