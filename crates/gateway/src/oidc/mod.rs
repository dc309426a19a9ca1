//! The door for relying parties, and for the browsers that they send.

mod answer;
mod authorize;
mod browser;
mod discovery;
mod fault;
mod forms;
mod id_token;
mod language;
mod look;
mod options;
mod par;
mod request;
mod scope;
mod token;
mod userinfo;
mod waiting_page;

pub use waiting_page::short_code::Guesses;
pub use waiting_page::takes_html;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::app::App;
use crate::live::Live;
use crate::openapi::at;
pub use answer::{json_too_slow, json_uncertain};
pub use language::{Asked, speak};
pub use waiting_page::plain::{bad_request_of, too_many, too_slow};

/// The routes of the door. The paths of the old contracts are lower case here: they are matched without
/// regard to case. With `page_states`, every page can be looked at in every state, too.
pub fn router(live: &Live, page_states: bool) -> OpenApiRouter<Live> {
    OpenApiRouter::default()
        .merge(documents())
        .merge(endpoints(""))
        .merge(endpoints("/oidc"))
        .merge(endpoints("/v2.0/oidc"))
        .merge(endpoints("/v2/oidc"))
        .routes(at("/oidc/authorizev1", authorization_endpoint()))
        .routes(routes!(userinfo::userinfo, userinfo::userinfo_posted))
        .merge(pages(live, page_states).into())
        .layer(from_fn_with_state(live.clone(), language::speak))
}

/// What people see, and what every page asks its own origin for: Help and the accessibility statement among it.
fn pages(live: &Live, page_states: bool) -> Router<Live> {
    let app = &live.now();
    let help = ui::router_framed(&app.brand, frame(live));
    let pages = waiting_page::router()
        .merge(help)
        .route("/assets/{set}/{name}", get(answer_tenants_asset));
    if page_states {
        pages.merge(waiting_page::states::router(app))
    } else {
        pages
    }
}

/// The frame of a page about nothing that began, for whoever sent these headers to that address.
pub fn frame(live: &Live) -> impl Fn(&HeaderMap, &str) -> ui::Page + Clone + Send + Sync + 'static {
    let live = live.clone();
    move |headers, path| {
        let look = language::look(&live.now(), headers);
        look.page("").with_language_choice(path)
    }
}

/// What a tenant's brand has of its own: it comes and goes with the registry.
async fn answer_tenants_asset(
    State(app): State<App>,
    Path((set, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match app.organisations.brand_assets(&set) {
        Some(assets) => assets.answer(&name, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What each contract calls the same three endpoints.
fn endpoints(prefix: &str) -> OpenApiRouter<Live> {
    let path = |name: &str| format!("{prefix}/{name}");
    OpenApiRouter::default()
        .routes(at(&path("par"), routes!(par::push)))
        .routes(at(&path("authorize"), authorization_endpoint()))
        .routes(at(&path("token"), routes!(token::token)))
}

/// What clients read before they ask anything.
fn documents() -> OpenApiRouter<Live> {
    let discovery = "/.well-known/openid-configuration";
    let metadata = "/.well-known/oauth-authorization-server";
    OpenApiRouter::default()
        .routes(at(discovery, routes!(discovery::modern)))
        .routes(at(metadata, routes!(discovery::modern)))
        .routes(at(&format!("/oidc{discovery}"), routes!(discovery::v1)))
        // [RFC 8414 3.1] The path of an issuer comes after the well-known part.
        .routes(at(&format!("{metadata}/oidc"), routes!(discovery::v1)))
        .routes(at(&format!("/v2.0{discovery}"), routes!(discovery::v2)))
        .routes(routes!(discovery::all_keys))
        .routes(at(
            &format!("{discovery}/jwks"),
            routes!(discovery::rsa_keys),
        ))
        .routes(at(
            &format!("/oidc{discovery}/jwks"),
            routes!(discovery::rsa_keys),
        ))
        .routes(at(
            &format!("/v2.0{discovery}/jwks"),
            routes!(discovery::rsa_keys),
        ))
}

/// What only looks must not use anything up, hence HEAD has an answer of its own.
fn authorization_endpoint() -> UtoipaMethodRouter<Live> {
    routes!(authorize::authorize, authorize::authorize_posted)
        .map(|router| router.head(authorize::answer_head))
}
