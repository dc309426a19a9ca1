//! Logging in, the list, and one credential.

use axum::response::Response;
use jiff::SignedDuration;

use super::State;
use super::samples::{
    FIRE_SAFETY, NEXT_YEAR, NOW, RECORD, REFERENCE, SUMMER_END, about, facts, minutes_ago, visitor,
};
use crate::again::page::{self as again, AgainView};
use crate::confirm::page::{self as confirm, ConfirmView};
use crate::credential::page::{self as credential, CredentialView};
use crate::credential_state::{CredentialState, WayIn};
use crate::home::page::{self as home, HomeView};
use crate::list::page::{self as list, ListView, Listed};
use crate::login::page::{self as login, LoginNotice, LoginProblem, LoginView};
use crate::look::{Look, Visitor};
use crate::lost_phone::page::{self as lost_phone, LostPhoneView};
use crate::not_applicable::page as not_applicable;
use crate::problem::page::{self as problem, Problem, ProblemView};

pub(super) const STATES: &[State] = &[
    ("login", |look| login_with(look, None, None)),
    ("login-logged-out", |look| {
        login_with(look, Some(LoginNotice::LoggedOut), None)
    }),
    ("login-timed-out", |look| {
        login_with(look, Some(LoginNotice::TimedOut), None)
    }),
    ("login-provider", |look| login_at_provider(look, None, true)),
    ("login-provider-only", |look| {
        login_at_provider(look, None, false)
    }),
    ("login-provider-logged-out", |look| {
        login_at_provider(look, Some(LoginNotice::LoggedOutHere), true)
    }),
    ("login-provider-down", |look| {
        login_at_provider(look, Some(LoginNotice::ProviderDown), true)
    }),
    ("login-provider-fault", |look| {
        login_at_provider(look, Some(LoginNotice::ProviderFault), false)
    }),
    ("login-declined", |look| {
        login_at_provider(look, Some(LoginNotice::Declined), false)
    }),
    ("login-too-weak", |look| {
        login_at_provider(look, Some(LoginNotice::TooWeak), false)
    }),
    ("login-unknown", |look| {
        login_at_provider(look, Some(LoginNotice::Unknown), true)
    }),
    ("login-start-again", |look| {
        login_at_provider(look, Some(LoginNotice::StartAgain), false)
    }),
    ("login-missing", |look| {
        let missing = LoginProblem::Missing {
            username: true,
            password: true,
        };
        login_with(look, None, Some(missing))
    }),
    ("login-wrong-pair", |look| {
        login_with(look, None, Some(LoginProblem::WrongPair))
    }),
    ("login-too-often", |look| {
        login_with(look, None, Some(LoginProblem::TooOften))
    }),
    ("home", |look| home_where(look, true)),
    ("home-not-applicable", |look| home_where(look, false)),
    ("home-hr", |look| {
        let view = HomeView {
            passport_applies: true,
            is_hr: true,
        };
        home::show(look, &visitor(), view)
    }),
    ("session-warning", |look| {
        let nearly = NOW + SignedDuration::from_mins(4);
        warned(look, nearly, true)
    }),
    ("session-longest-time", |look| {
        let nearly = NOW + SignedDuration::from_mins(3);
        warned(look, nearly, false)
    }),
    ("not-applicable", |look| {
        not_applicable::show(look, &visitor())
    }),
    ("list", |look| list_of(look, every_state())),
    ("list-empty", |look| list_of(look, Vec::new())),
    ("list-several-cancelled", |look| {
        let cancelled = |id| listed(id, FIRE_SAFETY, cancelled());
        list_of(look, vec![cancelled("1"), cancelled("2")])
    }),
    ("lost-phone", |look| {
        let titles = [FIRE_SAFETY, "Training programme"].map(str::to_owned);
        lost_phone::show(
            look,
            &visitor(),
            LostPhoneView {
                titles: titles.into(),
            },
        )
    }),
    ("lost-phone-nothing", |look| {
        lost_phone::show(look, &visitor(), LostPhoneView { titles: Vec::new() })
    }),
    ("lost-phone-done", |look| {
        lost_phone::show_done(look, &visitor())
    }),
    ("credential-not-added", |look| {
        credential_in(look, not_added())
    }),
    ("credential-in-progress", |look| {
        credential_in(look, in_progress())
    }),
    ("credential-added", |look| credential_in(look, added())),
    ("credential-changed", |look| {
        credential_in(look, CredentialState::Changed)
    }),
    ("credential-cancelled", |look| {
        credential_in(look, cancelled())
    }),
    ("credential-cancelled-for-good", |look| {
        credential_as(look, cancelled(), false)
    }),
    ("credential-checking", |look| {
        credential_in(look, CredentialState::Checking)
    }),
    ("credential-expired", |look| credential_in(look, expired())),
    ("again", |look| again_asked(look, false)),
    ("again-unanswered", |look| again_asked(look, true)),
    ("confirm", |look| {
        confirm::show(look, &visitor(), to_confirm())
    }),
    ("confirm-changed", |look| {
        let view = ConfirmView {
            changed_at: Some(minutes_ago(16)),
            unique_identifier: Some("3f2f0f7e-6a0b-4c3f-9a55-0d1f6f0e7c11".to_owned()),
            ..to_confirm()
        };
        confirm::show(look, &visitor(), view)
    }),
    ("problem-service", |look| {
        let view = ProblemView {
            problem: Problem::Service,
            reference: Some(REFERENCE.to_owned()),
            go_on: Some("/identity".to_owned()),
        };
        problem::show(look, Some(&visitor()), view)
    }),
    ("problem-page-too-old", |look| {
        problem_without_reference(look, Problem::PageTooOld)
    }),
    ("problem-not-found", |look| {
        problem_without_reference(look, Problem::NotFound)
    }),
];

fn login_with(look: &Look, notice: Option<LoginNotice>, problem: Option<LoginProblem>) -> Response {
    let missing = matches!(problem, Some(LoginProblem::Missing { .. }));
    let typed = problem.is_some() && !missing;
    let view = LoginView {
        username: if typed { "match" } else { "" }.to_owned(),
        return_to: "/credentials".to_owned(),
        csrf: "sample".to_owned(),
        notice,
        problem,
        passwords: true,
        ..LoginView::default()
    };
    login::show(look, view)
}

fn login_at_provider(look: &Look, notice: Option<LoginNotice>, passwords: bool) -> Response {
    let elsewhere = (notice == Some(LoginNotice::LoggedOutHere))
        .then(|| "https://login.anytown.example/end".parse().ok())
        .flatten();
    let view = LoginView {
        return_to: "/credentials".to_owned(),
        csrf: "sample".to_owned(),
        provider: Some("Anytown NHS Trust".to_owned()),
        passwords,
        notice,
        elsewhere,
        ..LoginView::default()
    };
    login::show(look, view)
}

fn home_where(look: &Look, passport_applies: bool) -> Response {
    let view = HomeView {
        passport_applies,
        is_hr: false,
    };
    home::show(look, &visitor(), view)
}

fn warned(look: &Look, ends_at: jiff::Timestamp, may_stay: bool) -> Response {
    let visitor = Visitor {
        ends_at,
        may_stay,
        ..visitor()
    };
    let view = HomeView {
        passport_applies: true,
        is_hr: false,
    };
    home::show(look, &visitor, view)
}

fn list_of(look: &Look, credentials: Vec<Listed>) -> Response {
    list::show(look, &visitor(), &ListView { credentials })
}

fn listed(id: &str, title: &str, state: CredentialState) -> Listed {
    Listed {
        id: id.to_owned(),
        title: title.to_owned(),
        state,
    }
}

fn every_state() -> Vec<Listed> {
    vec![
        listed("1", FIRE_SAFETY, not_added()),
        listed("2", "Moving and handling", in_progress()),
        listed("3", "Training programme", added()),
        listed("4", "Training placement", CredentialState::Changed),
        listed("5", "Resuscitation", cancelled()),
        listed(
            "6",
            "Equality, diversity and human rights",
            CredentialState::Checking,
        ),
        listed("7", "Safeguarding adults", expired()),
        listed("8", "Conflict resolution", CredentialState::CannotAddYet),
        listed(
            "9",
            "Training placement",
            CredentialState::Ended { on: SUMMER_END },
        ),
    ]
}

fn not_added() -> CredentialState {
    CredentialState::NotAdded {
        valid_until: Some(NEXT_YEAR),
    }
}

fn in_progress() -> CredentialState {
    CredentialState::InProgress {
        since: minutes_ago(5),
        added_before: false,
    }
}

fn added() -> CredentialState {
    CredentialState::Added {
        at: minutes_ago(27_594),
    }
}

fn cancelled() -> CredentialState {
    CredentialState::Cancelled {
        at: minutes_ago(5_760),
    }
}

fn expired() -> CredentialState {
    CredentialState::Expired {
        on: jiff::civil::date(2026, 11, 1),
    }
}

fn credential_in(look: &Look, state: CredentialState) -> Response {
    let can_be_added = state.way_in() != WayIn::None;
    credential_as(look, state, can_be_added)
}

fn credential_as(look: &Look, state: CredentialState, can_be_added: bool) -> Response {
    let view = CredentialView {
        id: RECORD.to_owned(),
        title: FIRE_SAFETY.to_owned(),
        can_be_added,
        state,
        facts: facts(),
    };
    credential::show(look, &visitor(), view)
}

fn again_asked(look: &Look, is_unanswered: bool) -> Response {
    let view = AgainView {
        id: RECORD.to_owned(),
        title: FIRE_SAFETY.to_owned(),
        added_at: minutes_ago(27_594),
        is_unanswered,
    };
    again::show(look, &visitor(), &view)
}

fn to_confirm() -> ConfirmView {
    ConfirmView {
        id: RECORD.to_owned(),
        title: FIRE_SAFETY.to_owned(),
        facts: facts(),
        about: about(),
        unique_identifier: None,
        shown: "sample".to_owned(),
        changed_at: None,
    }
}

fn problem_without_reference(look: &Look, problem: Problem) -> Response {
    let view = ProblemView {
        problem,
        reference: None,
        go_on: None,
    };
    problem::show(look, None, view)
}
