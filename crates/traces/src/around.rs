//! Around everything that a server answers.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;

use crate::Tracer;

/// Why an answer is not what was asked for: put by whoever made it among its extensions, a code of this program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub &'static str);

/// What says only that the process is there: asked every few seconds, and no trace.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// The same routes, each request a span. Without a tracer they are left as they are.
pub fn around<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    tracer: Option<&Arc<Tracer>>,
) -> Router<S> {
    match tracer {
        None => routes,
        Some(tracer) => routes.layer(from_fn_with_state(Arc::clone(tracer), told)),
    }
}

async fn told(State(tracer): State<Arc<Tracer>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    if route.is_some_and(|route| PROBES.contains(&route)) {
        return next.run(request).await;
    }
    let span = tracer.asked(request.headers(), request.method()).at(route);
    let response = span.around(next.run(request)).await;
    let refused = response.extensions().get::<Refused>();
    span.answered(response.status(), refused.map(|refused| refused.0));
    response
}
