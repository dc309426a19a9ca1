//! Every page in every state, with made-up data, to be looked at: by people, and by the browser's tests.
//!
//! Never part of the portal's own router.

mod journey;
mod office;
mod samples;
mod start;

use std::sync::Arc;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use ui::Brand;

use crate::config::ConfigError;
use crate::language;
use crate::look::{Limits, Look, english, scripts};
use crate::session::page::StillHere;

/// A state's name, and the page that shows it.
type State = (&'static str, fn(&Look) -> Response);

const GROUPS: [&[State]; 3] = [start::STATES, journey::STATES, office::STATES];

const COUNT: usize = {
    let (mut group, mut count) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

const STATES: [State; COUNT] = {
    let mut states = [start::STATES[0]; COUNT];
    let (mut group, mut at) = (0, 0);
    while group < GROUPS.len() {
        let mut one = 0;
        while one < GROUPS[group].len() {
            states[at] = GROUPS[group][one];
            at += 1;
            one += 1;
        }
        group += 1;
    }
    states
};

/// The names of the states, in the order of the journey.
pub const NAMES: [&str; COUNT] = {
    let mut names = [""; COUNT];
    let mut at = 0;
    while at < COUNT {
        names[at] = STATES[at].0;
        at += 1;
    }
    names
};

/// The status document of the page that waits.
const UNFINISHED: &str = "/__unfinished";

/// Serves `/__states/NAME`, and what the pages ask for.
pub fn router(brand: &Arc<Brand>) -> Router {
    serve(brand, Look::new(Arc::clone(brand), Limits::default()))
}

/// The same, and for whose browser wants its language, in an operator's catalogue.
///
/// # Errors
///
/// Where the catalogue is none, as a portal's configuration says it.
pub fn router_that_speaks(
    brand: &Arc<Brand>,
    catalogue: &std::path::Path,
) -> Result<Router, ConfigError> {
    let catalogue = language::open(catalogue, &english())?;
    let look = Look::new(Arc::clone(brand), Limits::default()).that_speaks(catalogue);
    Ok(serve(brand, look).layer(from_fn(language::hear)))
}

fn serve(brand: &Arc<Brand>, look: Look) -> Router {
    let longer = StillHere::new(&look, &samples::visitor());
    let answer = move |Path(name): Path<String>| async move {
        match STATES.iter().find(|(known, _)| *known == name) {
            Some((_, show)) => show(&look),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    };
    Router::new()
        .route("/__states/{name}", get(answer))
        .route("/session/stay", post(async || Json(longer)))
        // The sample that waits would go on otherwise.
        .route(UNFINISHED, get(async || "{\"finished\": false}"))
        .merge(ui::router(brand))
        .merge(scripts().router())
}
