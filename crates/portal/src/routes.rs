//! Every address of the portal.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::compose::is_loopback;
use crate::look::scripts;
use crate::{
    added, again, confirm, credential, home, hr, identity, language, list, login, lost_phone, mail,
    problem, returned, session, to_look_at, to_tell, trouble,
};

/// The largest form: a record of some dozen claims.
const LARGEST_BODY: usize = 64 * 1024;
/// How long one request may take, calls to the gateway included.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// Everything the portal serves.
pub(crate) fn router(app: &App) -> Router {
    // A browser that is told 'https only' for localhost would hold it against every other port.
    let secure = app.is_https() && !is_loopback(&app.public_url);
    let mut routes = Router::new()
        .route("/", get(home::show))
        .route("/login", get(login::show).post(login::log_in))
        .route(login::provider::START, get(login::provider::start))
        .route(login::provider::CALLBACK, get(login::provider::callback))
        .route("/logout", post(session::log_out))
        .route("/session", get(session::ends))
        .route("/session/stay", post(session::stay))
        .route("/credentials", get(list::show))
        .route("/credentials/{id}", get(credential::show))
        .route(
            "/credentials/{id}/again",
            get(again::show).post(again::answer),
        )
        .route(
            "/credentials/{id}/confirm",
            get(confirm::show).post(confirm::confirm),
        )
        .route("/credentials/{id}/add", get(added::see).post(added::add))
        .route("/credentials/{id}/added", get(added::show))
        .route(
            lost_phone::PATH,
            get(lost_phone::show).post(lost_phone::cancel_all),
        )
        .route("/identity", get(identity::show))
        .route(
            "/identity/start",
            get(identity::again).post(identity::start),
        )
        .route("/identity/done", get(identity::show_done))
        .route(returned::PATH, get(returned::callback))
        .route(returned::FINISHING, get(returned::finishing))
        .route("/returned/status", get(returned::status))
        .route("/problem/{reference}", get(problem::show))
        .route(to_tell::PATH, get(to_tell::show))
        .route(
            "/to-tell/{serial_number}",
            get(to_tell::back).post(to_tell::told),
        )
        .route(
            "/to-tell/{serial_number}/again",
            get(to_tell::back).post(to_tell::send_again),
        )
        .route(to_look_at::PATH, get(to_look_at::show))
        .route(
            "/to-look-at/{id}/{decision}",
            get(to_look_at::back).post(to_look_at::decide),
        )
        .route(mail::CALLBACK, post(mail::callback));
    if app.hr_page {
        routes = routes.merge(hr::router());
    }
    let routes = routes
        .fallback(problem::nothing_here)
        .layer(from_fn_with_state(App::clone(app), trouble::show))
        // A form of another site is refused before its token is looked at.
        .layer(from_fn(ui::local::refuse_other_sites))
        .with_state(App::clone(app))
        .merge(ui::router_framed(app.look.brand(), {
            let look = app.look.clone();
            move |_, _| look.page("")
        }))
        .merge(scripts().router())
        // Whatever is a page: of ours, and of those that all programs have.
        .layer(from_fn(language::hear))
        .route("/healthz", get(async || "ok\n"))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn(unread::thrown_away))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            LONGEST_REQUEST,
        ))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(map_response(move |response| async move {
            ui::headers::complete(response, secure)
        }));
    traces::around(routes, app.tracer.as_ref())
}

/// A fault of this program: its place is in the lines before.
fn answer_panic(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request ended in a panic");
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "There is a problem with the service.\n",
    )
        .into_response()
}
