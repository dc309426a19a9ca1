//! How long somebody stays logged in, and the warning before the end [WCAG 2.2.1]. Without a script the page's last line says it.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use ui::assets::{SESSION_SCRIPT, Set};

use crate::pages::Pages;
use crate::visit::Visit;

/// The API ends a session after 15 minutes, and remembers to the minute when something was last asked.
const IDLE: SignedDuration = SignedDuration::from_mins(14);
/// How long before the end the warning comes.
const WARNING: SignedDuration = SignedDuration::from_mins(3);
const STAY: &str = "/console/session/stay";

/// What the script asks.
pub(crate) fn pages() -> Pages {
    Pages::new().act(STAY, None, post(stay))
}

/// The script, to be merged into the router.
pub(crate) fn scripts() -> &'static Set {
    static SCRIPTS: std::sync::LazyLock<Set> =
        std::sync::LazyLock::new(|| Set::new([SESSION_SCRIPT]));
    &SCRIPTS
}

/// What a page says about the session it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Shown on the page, script or not.
    pub(crate) line: String,
    pub(crate) warning_seconds: i64,
    pub(crate) stay_action: &'static str,
    pub(crate) now: StillHere,
}

/// How long it is to the end, as the script reads it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StillHere {
    pub(crate) seconds_left: i64,
    pub(crate) heading: String,
    pub(crate) may_stay: bool,
}

impl Session {
    pub(crate) fn of(visit: &Visit) -> Self {
        let until = ui::time::clock(visit.operator.expires_at);
        Self {
            line: visit.say_with("session-line", &[("until", &until)]),
            warning_seconds: WARNING.as_secs(),
            stay_action: STAY,
            now: StillHere::of(visit, visit.app.now()),
        }
    }
}

impl StillHere {
    fn of(visit: &Visit, now: Timestamp) -> Self {
        let idle = now + IDLE;
        let ends_at = idle.min(visit.operator.expires_at);
        let when = ui::time::clock(ends_at);
        Self {
            seconds_left: ends_at.as_second() - now.as_second(),
            heading: visit.say_with("session-ends-at", &[("when", &when)]),
            may_stay: idle < visit.operator.expires_at,
        }
    }
}

/// That it was asked is what keeps the session.
async fn stay(visit: Visit) -> Response {
    Json(StillHere::of(&visit, visit.app.now())).into_response()
}
