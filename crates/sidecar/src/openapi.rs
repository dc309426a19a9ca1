//! The sidecar's description of itself: OpenAPI 3.1, put together from what stands above each handler.
//!
//! A route is registered together with its description, so there is none without one. Served at `/openapi.json`;
//! `docs/reference/sidecar.openapi.json` is the same, generated.

use standards::webhook::HEADERS;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, Paths,
    PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, InfoBuilder, License, ObjectBuilder, OpenApi, PathItem, Ref, RefOr, Required,
    ResponseBuilder, ServerBuilder, Type,
};

use crate::problem::Code;

/// The security scheme of API keys.
const API_KEY: &str = "api_key";
/// The security scheme of certificates.
const MUTUAL_TLS: &str = "mutual_tls";
/// What is posted to the external system, and when.
const EVENTS: [(&str, &str); 4] = [
    (
        "credential.issued",
        "A credential is in a wallet, as far as the gateway knows",
    ),
    (
        "credential.not-issued",
        "A credential did not reach a wallet; `outcome` says why",
    ),
    (
        "credential.revoked",
        "A credential is revoked; `cause` says why",
    ),
    (
        "identity.review",
        "Somebody has to look at an identity; `review` is its id",
    ),
];

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
    let key = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let certificate = SecurityScheme::MutualTls {
        description: Some(
            "A certificate of the authority that `client_ca` names. Where `api_keys` are configured as well, a key is \
             needed besides."
                .to_owned(),
        ),
        deprecated: None,
        extensions: None,
    };
    let components = described.components.get_or_insert_default();
    components.add_security_scheme(API_KEY, key);
    components.add_security_scheme(MUTUAL_TLS, certificate);
    // Which of the three it is, the configuration says.
    let asked = |name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []);
    described.security = Some(vec![
        asked(API_KEY),
        asked(MUTUAL_TLS),
        asked(API_KEY).add::<_, [&str; 0], &str>(MUTUAL_TLS, []),
    ]);
    described.webhooks = Some(webhooks());
    for (path, item) in &mut described.paths.paths {
        let verbs = [&mut item.get, &mut item.post, &mut item.delete];
        for operation in verbs.into_iter().flatten() {
            may_be_refused(operation);
        }
        if let (Some(post), true) = (&mut item.post, path.starts_with("/v1/")) {
            bears_a_key(post);
        }
    }
    described
}

/// What the external system is told by POST, wherever `[webhook]` says.
fn webhooks() -> Paths {
    let header = |name: &str, says: &str| -> Parameter {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(says))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
    };
    let event = Content::new(Some(Ref::from_schema_name("Event")));
    let taken = ResponseBuilder::new()
        .description("It was taken. Anything else: it comes again, up to three days.")
        .build();
    let headers = HEADERS.map(|(name, says)| header(name, says));
    let events = EVENTS.map(|(kind, summary)| {
        let body = RequestBodyBuilder::new()
            .content("application/json", event.clone())
            .required(Some(Required::True));
        let mut told = OperationBuilder::new()
            .tag("Events")
            .summary(Some(summary))
            .description(Some(
                "At least once, in order of `sequence`, with one `webhook-id` for one event [Standard Webhooks].",
            ))
            .parameters(Some(headers.clone()))
            .request_body(Some(body.build()))
            .response("2XX", taken.clone())
            .build();
        // It is the signature that says who calls.
        told.security = Some(Vec::new());
        (kind, PathItem::new(HttpMethod::Post, told))
    });
    let webhooks = events
        .into_iter()
        .fold(PathsBuilder::new(), |all, (kind, item)| {
            all.path(kind, item)
        });
    webhooks.build()
}

/// Every code as a row.
fn codes() -> String {
    let rows = Code::ALL.map(|code| {
        let status = code.status().as_u16();
        format!("| `{}` | {status} | {} |\n", code.code(), code.title())
    });
    format!("| code | status | |\n|---|---|---|\n{}", rows.concat())
}

/// What an address says itself is not all: another method, an unknown address and a fault of this program are answered
/// everywhere.
fn may_be_refused(operation: &mut Operation) {
    let problem = ResponseBuilder::new()
        .description("Every other refusal: `code` says which")
        .content(
            "application/problem+json",
            Content::new(Some(Ref::from_schema_name("Problem"))),
        )
        .build();
    let responses = &mut operation.responses.responses;
    responses.insert("default".to_owned(), RefOr::T(problem));
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
