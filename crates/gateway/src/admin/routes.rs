//! Routes with the right that each asks for, and the door in front of all of them.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::act::Acts;
use super::caller::{self, Operator};
use super::openapi;
use super::problem::{Code, Problem};
use super::role::Right;
use crate::live::Live;

/// The largest body. A route that takes more says so with a layer of its own.
pub(super) const LARGEST_BODY: usize = 64 * 1024;
/// How long one request may take.
const LONGEST_REQUEST: Duration = Duration::from_mins(1);
/// Requests under way at once. They take nothing from the public listener's places, nor the other way round.
const AT_ONCE: usize = 64;
/// The same of those that need no token. They have places of their own: whoever has no token takes none from operators.
const STRANGERS_AT_ONCE: usize = 8;

/// Routes of the admin API, each with its right.
#[derive(Default)]
pub struct Routes {
    guarded: OpenApiRouter<Live>,
    open: OpenApiRouter<Live>,
}

impl Routes {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Operations at one address, all of which ask for that right.
    #[must_use]
    pub fn with(
        self,
        right: Right,
        (schemas, mut paths, router): UtoipaMethodRouter<Live>,
    ) -> Self {
        for item in paths.paths.values_mut() {
            openapi::asks_for(item, right);
        }
        let guarded = router.layer(from_fn(move |request, next| admit(right, request, next)));
        Self {
            guarded: self.guarded.routes((schemas, paths, guarded)),
            ..self
        }
    }

    /// Operations that need no token, since one comes by one there: signing in, and nothing else. What they take must prove by
    /// itself who sends it.
    #[must_use]
    pub(crate) fn open(self, (schemas, mut paths, router): UtoipaMethodRouter<Live>) -> Self {
        for item in paths.paths.values_mut() {
            openapi::asks_for_nothing(item);
        }
        Self {
            open: self.open.routes((schemas, paths, router)),
            ..self
        }
    }

    /// What these routes need beside the shared parts; handlers ask for it as an `Extension`.
    #[must_use]
    pub fn knowing<T: Clone + Send + Sync + 'static>(self, value: T) -> Self {
        Self {
            guarded: self.guarded.layer(Extension(value)),
            ..self
        }
    }

    /// As much of a body as these routes read.
    #[must_use]
    pub fn reading(self, bytes: usize) -> Self {
        Self {
            guarded: self.guarded.layer(DefaultBodyLimit::max(bytes)),
            ..self
        }
    }

    /// Those of another slice as well.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self {
            guarded: self.guarded.merge(others.guarded),
            open: self.open.merge(others.open),
        }
    }
}

/// Lets an operator pass whose role has the right.
async fn admit(right: Right, request: Request, next: Next) -> Result<Response, Problem> {
    let operator = request.extensions().get::<Operator>();
    match operator {
        Some(operator) if operator.may(right) => Ok(next.run(request).await),
        Some(operator) => {
            tracing::warn!(
                operator = operator.id,
                role = operator.role.name(),
                right = right.code(),
                "refused: no right"
            );
            Err(Code::Forbidden.into())
        }
        None => Err(Code::Unauthorized.into()),
    }
}

/// What stands in front of the routes and is shared by all requests of a process.
pub(crate) struct Door {
    pub(super) places: Semaphore,
    /// Of what needs no token.
    pub(super) strangers_places: Semaphore,
    /// How often the account for emergencies was used.
    pub(crate) break_glass_uses: AtomicU64,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            places: Semaphore::new(AT_ONCE),
            strangers_places: Semaphore::new(STRANGERS_AT_ONCE),
            break_glass_uses: AtomicU64::new(0),
        }
    }
}

impl Door {
    /// The whole admin API.
    pub(crate) fn router(self: Arc<Self>, live: &Live, routes: Routes, acts: Acts) -> Router {
        let (described, mut document) = routes.guarded.split_for_parts();
        let (open, of_open) = routes.open.split_for_parts();
        document.merge(of_open);
        let document = openapi::document(document, &acts);
        let open = open
            .method_not_allowed_fallback(|| async { Problem::from(Code::MethodNotAllowed) })
            .layer(from_fn_with_state(
                (live.clone(), Arc::clone(&self)),
                caller::open,
            ));
        described
            .method_not_allowed_fallback(|| async { Problem::from(Code::MethodNotAllowed) })
            .fallback(|| async { Problem::from(Code::NotFound) })
            .layer(Extension(Arc::new(acts)))
            // Whoever has no token does not learn which addresses there are.
            .layer(from_fn_with_state((live.clone(), self), caller::required))
            .merge(open)
            .route("/openapi.json", get(|| async move { Json(document) }))
            .route("/healthz", get(|| async { "ok\n" }))
            .with_state(live.clone())
            .layer(CatchPanicLayer::custom(answer_panic))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                LONGEST_REQUEST,
            ))
            .layer(map_response(complete))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .layer(from_fn(unread::thrown_away))
    }
}

/// What operators see stays in no cache and no page; a refusal that a library wrote is a problem like any other.
async fn complete(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_ours = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/"));
    let mut response = match response.status() {
        status if is_ours || status.as_u16() < 400 => response,
        StatusCode::SERVICE_UNAVAILABLE => Problem::from(Code::TooSlow).after(5).into_response(),
        _ => {
            let reason = "The address is not one that can be read.";
            Problem::with(Code::FieldInvalid, reason).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    response
}

/// What panicked stays in the log of the panic hook: it may hold anything.
fn answer_panic(_: Box<dyn Any + Send>) -> Response {
    Problem::from(Code::Internal).into_response()
}
