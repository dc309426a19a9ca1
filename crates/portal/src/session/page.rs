//! The warning before a session ends, which a script shows, and the line that says it without a script.

use serde::Serialize;

use crate::look::{Look, Visitor};

/// What a page says about the session it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Shown on the page, script or not.
    pub(crate) line: String,
    /// How long before the end the warning comes.
    pub(crate) warning_seconds: u32,
    /// The channel's address for staying logged in.
    pub(crate) stay_action: &'static str,
    /// What the warning says first.
    pub(crate) now: StillHere,
}

/// The answer to `POST /session/stay`: how long it is to the end now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StillHere {
    /// Seconds to the end of the session.
    pub(crate) seconds_left: i64,
    /// The heading of the warning.
    pub(crate) heading: String,
    /// Whether staying can be asked for.
    pub(crate) may_stay: bool,
}

impl Session {
    pub(crate) fn new(look: &Look, visitor: &Visitor) -> Self {
        let limits = look.limits();
        Self {
            line: look.say_with(
                "session-line",
                &[("minutes", &limits.idle_minutes.to_string())],
            ),
            warning_seconds: u32::from(limits.warning_minutes) * 60,
            stay_action: "/session/stay",
            now: StillHere::new(look, visitor),
        }
    }
}

impl StillHere {
    /// How it stands with this visitor's session.
    pub(crate) fn new(look: &Look, visitor: &Visitor) -> Self {
        let left = visitor.ends_at.as_second() - visitor.now.as_second();
        let when = ui::time::clock(visitor.ends_at);
        Self {
            seconds_left: left.max(0),
            heading: look.say_with("session-ends-at", &[("when", &when)]),
            may_stay: visitor.may_stay,
        }
    }
}
