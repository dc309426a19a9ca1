//! The gateway's description of itself: OpenAPI 3.1, put together from what stands above each handler.
//!
//! A route of the relying parties' face is registered together with its description, so there is none without one.
//! The document is served at `/openapi.json`, and `docs/reference/openapi.json` is the same, generated.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, ServerBuilder};
use utoipa::{IntoResponses, ToSchema};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::live::Live;

/// The media type of every form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The security scheme of `client_secret_basic`.
pub const CLIENT: &str = "client_secret_basic";
/// The security scheme of access tokens [RFC 6750].
pub const BEARER: &str = "access_token";

/// An error as OAuth has it [RFC 6749 5.2].
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code)] // described here, written by `client::answer_error`
pub struct OAuthError {
    /// A code of the standards, for a program.
    #[schema(example = "invalid_request")]
    error: String,
    /// A sentence for the client's developer. No personal value stands in it.
    error_description: String,
}

/// How a client says who it is, if not by the header: with its secret, or with a JWT that it signed.
#[derive(ToSchema)]
#[allow(dead_code, clippy::struct_field_names)] // the wire's own names
pub struct ClientForm {
    /// `client_secret_post` [RFC 6749 2.3.1].
    #[schema(required = false)]
    client_secret: String,
    /// `private_key_jwt`: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    #[schema(required = false)]
    client_assertion_type: String,
    /// The JWT: `iss` and `sub` are the client, `exp` at most an hour ahead, `jti` new [RFC 7523 3]. `aud` is one of
    /// three as discovery has them: the issuer, the token endpoint, the PAR endpoint [RFC 9126 2]. With the type
    /// `client-authentication+jwt` it is the issuer.
    #[schema(required = false)]
    client_assertion: String,
}

/// What any endpoint of the back channel may answer instead.
#[derive(IntoResponses)]
#[allow(dead_code)]
pub enum BackChannelErrors {
    /// A parameter is missing, repeated or malformed; the sentence names it.
    #[response(status = 400)]
    Bad(OAuthError),
    /// The client is not known for sure.
    #[response(status = 401, headers(("WWW-Authenticate", description = "The scheme to use, where one was tried")))]
    Client(OAuthError),
    /// A browser sent it for another site's page. Only servers call this.
    #[response(status = 403)]
    OtherSite(OAuthError),
    /// The body did not arrive within ten seconds.
    #[response(status = 408)]
    Slow(OAuthError),
    /// The body is larger than this endpoint reads.
    #[response(status = 413)]
    TooLarge(OAuthError),
    /// The address is longer than is read.
    #[response(status = 414)]
    LongAddress(OAuthError),
    /// Too many requests; `Retry-After` says when to come again.
    #[response(status = 429, headers(("Retry-After", description = "Seconds to wait")))]
    TooMany(OAuthError),
    /// The database cannot be reached, the request took too long, or too many others are under way. The description says
    /// whether to send it again, or to see first what became of it.
    #[response(status = 503)]
    Unavailable(OAuthError),
}

/// The same operations at another address: the old contracts have addresses of their own.
pub fn at(
    path: &str,
    (schemas, described, router): UtoipaMethodRouter<Live>,
) -> UtoipaMethodRouter<Live> {
    let mut paths = Paths::new();
    for item in described.paths.into_values() {
        paths.paths.insert(path.to_owned(), item);
    }
    (schemas, paths, router)
}

/// Completes what the routes say of themselves into one document.
///
/// `webhooks` is what the gateway posts to relying parties.
pub fn document(described: OpenApi, webhooks: Paths, base: &str) -> OpenApi {
    let mut whole = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Lanyard credential gateway")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "What a relying party calls: OpenID Connect in front of employees' wallets, revocation, and \
                     what became of its interactions. Wallets speak OpenID4VP and OpenID4VCI with the gateway; those \
                     standards describe that face.",
                ))
                .license(Some(utoipa::openapi::License::new("MIT OR Apache-2.0")))
                .build(),
        )
        .servers(Some([ServerBuilder::new().url(base).build()]))
        .paths(described.paths)
        .components(Some(components(described.components.unwrap_or_default())))
        .build();
    name_operations(&mut whole.paths);
    whole.webhooks = Some(webhooks);
    whole
}

fn components(found: utoipa::openapi::Components) -> utoipa::openapi::Components {
    let scheme = |scheme: HttpAuthScheme| SecurityScheme::Http(Http::new(scheme));
    let mut builder = ComponentsBuilder::new()
        .security_scheme(CLIENT, scheme(HttpAuthScheme::Basic))
        .security_scheme(BEARER, scheme(HttpAuthScheme::Bearer));
    for (name, schema) in found.schemas {
        builder = builder.schema(name, schema);
    }
    for (name, response) in found.responses {
        builder = builder.response(name, response);
    }
    builder.build()
}

/// One handler serves several addresses, and each operation needs a name of its own.
fn name_operations(paths: &mut Paths) {
    for (path, item) in &mut paths.paths {
        for (method, operation) in operations(item) {
            let words = path
                .split(['/', '.', '-', '_', '{', '}'])
                .filter(|word| !word.is_empty());
            let mut name = method.to_owned();
            for word in words {
                name.push('_');
                name.push_str(word);
            }
            operation.operation_id = Some(name);
        }
    }
}

fn operations(item: &mut PathItem) -> BTreeMap<&'static str, &mut Operation> {
    [
        ("get", item.get.as_mut()),
        ("post", item.post.as_mut()),
        ("put", item.put.as_mut()),
        ("delete", item.delete.as_mut()),
        ("head", item.head.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
    .collect()
}
