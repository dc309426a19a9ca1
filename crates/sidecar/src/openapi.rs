//! The sidecar's description of itself: OpenAPI 3.1, put together from what stands above each handler.
//!
//! A route is registered together with its description, so there is none without one. Served at `/openapi.json`;
//! `docs/reference/sidecar.openapi.json` is the same, generated.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    InfoBuilder, License, ObjectBuilder, OpenApi, RefOr, Required, ServerBuilder, Type,
};

use crate::problem::Code;

/// The security scheme of API keys.
const API_KEY: &str = "api_key";

/// Completes what the routes say of themselves.
pub(crate) fn document(mut described: OpenApi) -> OpenApi {
    described.info = InfoBuilder::new()
        .title("Lanyard connector")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(format!(
            "What an external system calls beside itself: check an employee's identity, put credentials into their \
             wallet, tell of changes, revoke. Browsers never come here: they go to the gateway and come back to the \
             external system's own callback address, whose query it hands on.\n\n\
             Refusals are `application/problem+json` [RFC 9457]. The codes, and what to do:\n\n{}",
            codes()
        )))
        .license(Some(License::new("MIT OR Apache-2.0")))
        .build();
    described.servers = Some(vec![
        ServerBuilder::new().url("http://127.0.0.1:8404").build(),
    ]);
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    described
        .components
        .get_or_insert_default()
        .add_security_scheme(API_KEY, scheme);
    described.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(
        API_KEY,
        [],
    )]);
    for item in described.paths.paths.values_mut() {
        if let Some(post) = &mut item.post {
            bears_a_key(post);
        }
    }
    described
}

/// Every code as a row.
fn codes() -> String {
    let rows = Code::ALL.map(|code| {
        let status = code.status().as_u16();
        format!("| `{}` | {status} | {} |\n", code.code(), code.title())
    });
    format!("| code | status | |\n|---|---|---|\n{}", rows.concat())
}

/// Every POST may bear an Idempotency-Key.
fn bears_a_key(post: &mut Operation) {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "1 to 255 printable ASCII characters. The same key with the same body within 24 hours is answered as the \
             first time and does nothing.",
        ))
        .schema(Some(text().min_length(Some(1)).max_length(Some(255))))
        .build();
    post.parameters.get_or_insert_default().push(key.into());
    let replayed = HeaderBuilder::new()
        .schema(Some(text().build()))
        .description(Some("`true`, where this answer was given before"))
        .build();
    for (status, response) in &mut post.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            response
                .headers
                .insert("Idempotent-Replayed".to_owned(), RefOr::T(replayed.clone()));
        }
    }
}
