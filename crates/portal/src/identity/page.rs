//! The person proves who they are: before, and what came of it (screens E7 and E8).

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use ui::component::Row;
use ui::headers::Policy;
use ui::{Page, render_with};

use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// What comes before the scan.
#[derive(Debug, Clone)]
pub(crate) struct IdentityView {
    /// The record whose credential is to be added afterwards.
    pub(crate) record_id: Option<String>,
}

/// The identity is verified; the credential can be added.
#[derive(Clone)]
pub(crate) struct DoneView {
    /// Whether it was verified right now, not earlier in this session.
    pub(crate) is_new: bool,
    /// What the person has confirmed and can add now.
    pub(crate) credential: Option<Confirmed>,
}

/// A credential that was confirmed.
#[derive(Clone)]
pub(crate) struct Confirmed {
    /// The record's id.
    pub(crate) id: String,
    /// What it is.
    pub(crate) title: String,
    /// What it will say.
    pub(crate) facts: Vec<Row>,
}

/// What came of the scan, when the identity is not verified.
#[derive(Debug, Clone)]
pub(crate) struct NotVerifiedView {
    /// Why.
    pub(crate) why: NotVerified,
    /// What the person tells to support.
    pub(crate) reference: String,
    /// The record whose credential is to be added once it is verified.
    pub(crate) record_id: Option<String>,
}

/// Why the identity is not verified, as far as the person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotVerified {
    /// Another name or date of birth, or no unique identifier: which is not said.
    Mismatch {
        /// Whether there is another try in this session.
        may_try_again: bool,
    },
    /// It is written otherwise than their record: HR has to look first.
    ToBeLookedAt {
        /// Whether there is another try in this session.
        may_try_again: bool,
    },
    /// HR has looked: the same identity, shared once more, is theirs.
    LookedAt {
        /// Whether there is another try in this session.
        may_try_again: bool,
    },
    /// The wallet shared nothing. Whether the person said no or has nothing to share, nobody knows.
    NotShared,
    /// The time was over.
    TookTooLong,
    /// Expired, cancelled or from somebody who is not trusted.
    CannotBeUsed,
}

#[derive(Template)]
#[template(path = "identity/identity.html")]
struct IdentityPage {
    page: Page,
    session: Option<Session>,
    back: String,
    record_id: String,
}

#[derive(Template)]
#[template(path = "identity/done.html")]
struct DonePage {
    page: Page,
    session: Option<Session>,
    text: String,
    credential: Option<Confirmed>,
}

#[derive(Template)]
#[template(path = "identity/not_verified.html")]
struct NotVerifiedPage {
    page: Page,
    session: Option<Session>,
    texts: Vec<String>,
    may_try_again: bool,
    reference: String,
    record_id: String,
}

/// Shows what comes before the scan. Its form is answered by a redirect to the gateway, which `policy` names.
pub(crate) fn show(
    look: &Look,
    visitor: &Visitor,
    view: &IdentityView,
    policy: &Policy,
) -> Response {
    let (page, session) = look.frame(visitor, look.say("identity-title"));
    let back = match &view.record_id {
        Some(id) => format!("/credentials/{id}/confirm"),
        None => "/credentials".to_owned(),
    };
    let page = IdentityPage {
        page,
        session,
        back,
        record_id: view.record_id.clone().unwrap_or_default(),
    };
    render_with(StatusCode::OK, &page, policy)
}

/// Shows that the identity is verified. Its form is answered by a redirect to the gateway, which `policy` names.
pub(crate) fn show_done(
    look: &Look,
    visitor: &Visitor,
    view: DoneView,
    policy: &Policy,
) -> Response {
    let (page, session) = look.frame(visitor, look.say("identity-done-title"));
    let text = if view.is_new {
        look.say("identity-done-now")
    } else {
        look.say("identity-done-earlier")
    };
    let page = DonePage {
        page,
        session,
        text,
        credential: view.credential.map(|mut confirmed| {
            confirmed.facts = look.held(confirmed.facts);
            confirmed
        }),
    };
    render_with(StatusCode::OK, &page, policy)
}

/// Shows why the identity is not verified. Its form is answered by a redirect to the gateway.
pub(crate) fn show_not_verified(
    look: &Look,
    visitor: &Visitor,
    view: NotVerifiedView,
    policy: &Policy,
) -> Response {
    let (title, texts): (_, &[&str]) = match view.why {
        NotVerified::Mismatch {
            may_try_again: true,
        } => (
            "identity-mismatch-title",
            &["identity-mismatch", "identity-mismatch-renamed"],
        ),
        NotVerified::Mismatch {
            may_try_again: false,
        } => (
            "identity-mismatch-title",
            &[
                "identity-mismatch",
                "identity-mismatch-renamed",
                "identity-mismatch-last",
            ],
        ),
        NotVerified::ToBeLookedAt {
            may_try_again: true,
        } => (
            "identity-review-title",
            &[
                "identity-review",
                "identity-review-ask",
                "identity-review-then",
                "identity-review-other",
            ],
        ),
        NotVerified::ToBeLookedAt {
            may_try_again: false,
        } => (
            "identity-review-title",
            &[
                "identity-review",
                "identity-review-ask",
                "identity-review-then",
            ],
        ),
        NotVerified::LookedAt {
            may_try_again: true,
        } => ("identity-looked-at-title", &["identity-looked-at"]),
        NotVerified::LookedAt {
            may_try_again: false,
        } => (
            "identity-looked-at-title",
            &["identity-looked-at-log-in-again"],
        ),
        NotVerified::NotShared => (
            "identity-not-shared-title",
            &["identity-not-shared", "identity-not-shared-none"],
        ),
        NotVerified::TookTooLong => ("identity-too-long-title", &["identity-too-long"]),
        NotVerified::CannotBeUsed => ("identity-unusable-title", &["identity-unusable"]),
    };
    let (page, session) = look.frame(visitor, look.say(title));
    let page = NotVerifiedPage {
        page,
        session,
        texts: texts.iter().map(|key| look.say(key)).collect(),
        may_try_again: view.why.may_try_again(),
        reference: view.reference,
        record_id: view.record_id.unwrap_or_default(),
    };
    render_with(StatusCode::OK, &page, policy)
}

impl Confirmed {
    fn add_action(&self) -> String {
        format!("/credentials/{}/add", self.id)
    }
}

impl NotVerified {
    const fn may_try_again(self) -> bool {
        match self {
            Self::Mismatch { may_try_again }
            | Self::ToBeLookedAt { may_try_again }
            | Self::LookedAt { may_try_again } => may_try_again,
            Self::NotShared | Self::TookTooLong => true,
            Self::CannotBeUsed => false,
        }
    }
}
