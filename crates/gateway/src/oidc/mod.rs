//! The door for relying parties, and for the browsers that they send.

mod answer;
mod authorize;
mod browser;
mod discovery;
mod options;
mod par;
mod request;
mod token;
mod waiting_page;

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use crate::app::App;

/// The routes of the door. The paths of the old contracts are lower case here: they are matched without
/// regard to case.
pub fn router() -> Router<App> {
    let endpoints = |prefix: &str| {
        Router::new()
            .route(&format!("{prefix}/par"), post(par::push))
            .route(&format!("{prefix}/authorize"), authorization_endpoint())
            .route(&format!("{prefix}/token"), post(token::token))
    };
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::modern))
        .route(
            "/.well-known/oauth-authorization-server",
            get(discovery::modern),
        )
        // [RFC 8414 3.1] The path of an issuer comes after the well-known part.
        .route(
            "/.well-known/oauth-authorization-server/oidc",
            get(discovery::v1),
        )
        .route("/oidc/.well-known/openid-configuration", get(discovery::v1))
        .route("/v2.0/.well-known/openid-configuration", get(discovery::v2))
        .route("/jwks", get(discovery::all_keys))
        .route(
            "/.well-known/openid-configuration/jwks",
            get(discovery::rsa_keys),
        )
        .route(
            "/oidc/.well-known/openid-configuration/jwks",
            get(discovery::rsa_keys),
        )
        .route(
            "/v2.0/.well-known/openid-configuration/jwks",
            get(discovery::rsa_keys),
        )
        .merge(endpoints(""))
        .merge(endpoints("/oidc"))
        .merge(endpoints("/v2.0/oidc"))
        .merge(endpoints("/v2/oidc"))
        .route("/oidc/authorizev1", authorization_endpoint())
        .merge(waiting_page::router())
}

fn authorization_endpoint() -> MethodRouter<App> {
    get(authorize::authorize)
        .post(authorize::authorize_posted)
        .head(authorize::look)
}
