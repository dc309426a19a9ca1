//! The operator console: the pages over the gateway's admin API.
//!
//! It has no database and no right of its own. Each page calls the admin API's router in process, with the session of whoever
//! looks as its token; what a role may see and do, whose it is, what takes a second person and what the audit says of it is
//! decided there, once, for pages and programs alike.
//!
//! **A new section** is one file with its templates: see [`sections`]. A handler takes a `Visit` (who looks, and the API with
//! their session) and, for a form, `Fields`; it gives `Result<Response, Problem>`. `Pages` puts the door in front of it.

mod account;
mod api;
mod audit;
mod bulk;
mod checklist;
mod cookie;
mod credential_types;
mod credentials;
mod fields;
mod figures;
mod frame;
mod holds;
mod home;
mod interactions;
mod keys;
mod log_in;
mod look;
mod onboarding;
mod operators;
mod organisations;
mod pages;
mod problem;
mod proposals;
mod relying_parties;
mod sections;
mod session;
mod set_up;
mod table;
mod trouble;
mod visit;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, StatusCode};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use look::Look;
pub use pages::Known;
use pages::Pages;
use problem::Problem;
use sections::SECTIONS;
use visit::{App, Parts};

/// How long one request may take: a little longer than the API's own.
const LONGEST_REQUEST: Duration = Duration::from_secs(65);

/// What the composing program decides.
pub struct Settings {
    /// Who runs the gateway, and their colours.
    pub brand: Arc<ui::Brand>,
    /// Whether browsers reach the console over https, at the listener or at a proxy before it: cookies are bound to it then.
    pub secure: bool,
    /// The header in which a reverse proxy says whom it took a request from, if there is one.
    pub address_header: Option<HeaderName>,
    /// Tells the time: the gateway's own clock.
    pub clock: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
}

/// The console below `/console`, with the files that its pages ask for; everything else is the admin API's.
pub fn router(api: Router, settings: Settings) -> Router {
    let Settings {
        brand,
        secure,
        address_header,
        clock,
    } = settings;
    let look = Look::new(brand);
    let app: App = Arc::new(Parts {
        api: api.clone(),
        look: look.clone(),
        secure,
        address_header,
        clock,
    });
    let for_nothing = Arc::clone(&app);
    let nothing = move || {
        let app = Arc::clone(&for_nothing);
        async move { trouble::for_guest(&app, &Problem::not_found()) }
    };
    let framed = look.clone();
    all()
        .into_router()
        .route("/console/{*nothing}", get(nothing))
        // A form of another site is refused before its token is looked at.
        .layer(from_fn(ui::local::refuse_other_sites))
        .layer(Extension(app))
        .merge(ui::router_framed(look.brand(), move |_, _| framed.page("")))
        .merge(session::scripts().router())
        .route("/", get(|| async { Redirect::to("/console") }))
        .layer(DefaultBodyLimit::max(pages::LARGEST_FILE))
        .layer(from_fn(unread::thrown_away))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            LONGEST_REQUEST,
        ))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(map_response(move |response| async move {
            ui::headers::complete(response, secure)
        }))
        .fallback_service(api)
}

/// Every page, for tests that walk them.
pub fn pages() -> Vec<Known> {
    all().known
}

fn all() -> Pages {
    let sections = SECTIONS.iter().map(|section| (section.pages)());
    let of_guests = log_in::pages().and(set_up::pages()).and(session::pages());
    sections.fold(of_guests, Pages::and)
}

/// A fault of this program: its place is in the lines before.
fn answer_panic(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a page ended in a panic");
    let text = "There is a problem with the service.\n";
    (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}
