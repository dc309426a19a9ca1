//! What goes wrong on our side or the gateway's: logged with a reference, and shown with it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use connector::desk::StartFault;
use store::StoreError;

use crate::app::App;
use crate::problem;
use crate::problem::page::{Problem, ProblemView};
use crate::token::{self, NoRandomness};
use passwords::CannotHash;

/// Why a request could not be answered as it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Our own store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// No hashing.
    #[error(transparent)]
    CannotHash(#[from] CannotHash),
    /// The browser could not be sent to the gateway.
    #[error("{fault}")]
    Start {
        /// Why.
        fault: StartFault,
        /// The page to try again from.
        from: String,
    },
}

impl Trouble {
    /// For `map_err`: the browser could not be sent on from this page.
    pub(crate) fn starting_from(page: impl Into<String>) -> impl FnOnce(StartFault) -> Self {
        let from = page.into();
        move |fault| match fault {
            StartFault::Store(error) => Self::Store(error),
            fault => Self::Start { fault, from },
        }
    }
}

/// Carried to [`show`], which alone knows how pages look.
#[derive(Clone)]
struct Carried(Arc<Trouble>);

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
        response.extensions_mut().insert(Carried(Arc::new(self)));
        response
    }
}

/// Turns what went wrong into a page. Use with `axum::middleware::from_fn_with_state`.
pub(crate) async fn show(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let Some(Carried(trouble)) = response.extensions().get().cloned() else {
        return response;
    };
    // Without randomness there is no reference either; the log line is found by its time.
    let reference = token::fresh_reference().unwrap_or_default();
    match &*trouble {
        Trouble::Start { fault, from } => {
            let error = connector::with_causes(fault);
            tracing::warn!(%reference, code = fault.code(), error, "the gateway could not be asked");
            Redirect::to(&problem::path(&reference, from)).into_response()
        }
        other => {
            tracing::error!(%reference, error = %other, "a request failed");
            let view = ProblemView {
                problem: Problem::Service,
                reference: Some(reference),
                go_on: None,
            };
            problem::page::show(&app.look, None, view)
        }
    }
}
