//! The short code on the page, and the address where a wallet follows it (screens 3.3).
//!
//! Following it binds nothing and tells nothing but the link that the QR code carries. A wrong code counts among
//! its address's wrong codes and tokens; and all wrong codes together have a budget, since codes are guessed from many
//! addresses at once. With 600 a minute and ten codes alive, one guess in 350 years is right.

use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use super::super::{answer, language};
use super::view::ShortLink;
use super::{Missing, change, plain, show, takes_html, wallet_link, with_link};
use crate::app::App;
use crate::client;
use crate::interaction::{Interaction, Stage, Via, short_code};

/// How many wrong codes a process answers in [`WINDOW`]; then it answers none, right or wrong, until that is over.
pub const MOST_WRONG: u32 = 600;
/// See [`MOST_WRONG`].
pub const WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// How many wrong codes came lately.
#[derive(Debug, Default)]
pub struct Guesses(Mutex<Lately>);

#[derive(Debug, Default)]
struct Lately {
    since: Timestamp,
    wrong: u32,
}

impl Guesses {
    /// Whether a code may be looked up now.
    fn are_few(&self, now: Timestamp) -> bool {
        let lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lately.wrong < MOST_WRONG || lately.is_over(now)
    }

    fn count_wrong(&self, now: Timestamp) {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.is_over(now) {
            *lately = Lately {
                since: now,
                wrong: 0,
            };
        }
        lately.wrong = lately.wrong.saturating_add(1);
        if lately.wrong == MOST_WRONG {
            tracing::warn!("short codes are being guessed: none is answered for a while");
        }
    }
}

impl Lately {
    /// (SEC-39) A window that begins in the future is of a time before the clock was put back.
    fn is_over(&self, now: Timestamp) -> bool {
        now < self.since || now >= self.since + WINDOW
    }
}

/// 'Show a short code'.
pub async fn make(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let step =
        |app: &App, found: Interaction| found.with_short_code(app.random.reference(), app.now());
    match change(&app, &id, &headers, &body, step).await {
        Ok(changed) => answer::see_other(&format!("/interaction/{}#short-code", changed.id)),
        Err(response) => response,
    }
}

/// A wallet follows a short code to the standard's own link.
pub async fn follow(
    State(app): State<App>,
    Path(typed): Path<String>,
    headers: HeaderMap,
) -> Response {
    let now = app.now();
    if !app.short_code_guesses.are_few(now) {
        let status = StatusCode::TOO_MANY_REQUESTS;
        return if takes_html(&headers) {
            plain::too_many(&app, status)
        } else {
            let sentence = "short-codes-busy: try again in a minute, or scan the QR code";
            client::answer_error(status, "temporarily_unavailable", sentence)
        };
    }
    let found = match short_code::parse(&typed) {
        Some(code) => app.interactions.find_by_short_code(&code).await,
        None => Ok(None),
    };
    let found = match found {
        Ok(Some(found)) => match with_link(&app, found).await {
            Ok(found) => Ok(Some(found)),
            Err(missing) => return missing.answer(&app),
        },
        other => other,
    };
    let open = |found: &Interaction| found.stage == Stage::Waiting && now < found.expires_at;
    match found {
        Ok(Some(found)) if open(&found) => {
            let view = ShortLink {
                purpose: show::purpose(&found),
                link: wallet_link(&app, &found, Via::AnotherDevice),
                here: format!("/c/{typed}"),
                was_typed: true,
            };
            show::short_link(&language::look(&app, &headers), view)
        }
        Ok(_) => {
            app.short_code_guesses.count_wrong(now);
            if takes_html(&headers) {
                plain::unknown_code(&app)
            } else {
                let sentence = "short-code-unknown: this code is wrong, used or too old";
                client::answer_error(StatusCode::NOT_FOUND, "invalid_request", sentence)
            }
        }
        Err(error) => Missing::Store(error).answer(&app),
    }
}
