//! The admin API's description of itself (OpenAPI 3.1), put together from what stands above each handler. Served at
//! `/openapi.json` of the admin listener; `docs/reference/admin.openapi.json` is the same, generated.

use std::fmt::Write as _;

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, License, OpenApi, ServerBuilder};

use super::act::Acts;
use super::problem::Code;
use super::role::Right;

/// The security scheme of operators' tokens.
const TOKEN: &str = "operator_token";

/// Writes down which right these operations ask for.
pub(super) fn asks_for(item: &mut PathItem, right: Right) {
    for (_, operation) in operations(item) {
        let extensions = operation.extensions.get_or_insert_with(Extensions::default);
        extensions.insert("x-lanyard-right".to_owned(), right.code().into());
    }
}

/// Writes down that these operations need no token.
pub(super) fn asks_for_nothing(item: &mut PathItem) {
    for (_, operation) in operations(item) {
        operation.security = Some(Vec::new());
    }
}

/// Completes what the routes say of themselves.
pub(super) fn document(mut described: OpenApi, acts: &Acts) -> OpenApi {
    described.info = InfoBuilder::new()
        .title("Lanyard gateway: administration")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(description(acts)))
        .license(Some(License::new("MIT OR Apache-2.0")))
        .build();
    described.servers = Some(vec![
        ServerBuilder::new().url("http://127.0.0.1:8410").build(),
    ]);
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = described.components.get_or_insert_default();
    components.add_security_scheme(TOKEN, scheme);
    let token = SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, []);
    described.security = Some(vec![token]);
    for (path, item) in &mut described.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(name(method, path));
        }
    }
    described
}

fn description(acts: &Acts) -> String {
    let mut text = String::from(
        "What operators and their programs do to a gateway. Every operation names the right that it asks for \
         (`x-lanyard-right`), but for signing in, which needs no token; `docs/reference/roles.md` says which role has it. An operator of one organisation finds \
         nothing of another's.\n\n\
         What needs a second person is asked for with `POST /admin/v1/proposals`. The acts:\n\n\
         | act | right | |\n|---|---|---|\n",
    );
    for act in acts.all() {
        // A `String` takes everything.
        let _ = writeln!(
            text,
            "| `{}` | `{}` | {} |",
            act.code(),
            act.right().code(),
            act.sentence()
        );
    }
    text.push_str(
        "\nRefusals are `application/problem+json` [RFC 9457]. The codes, and what to do:\n\n\
         | code | status | |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} |",
            code.code(),
            code.status().as_u16(),
            code.title()
        );
    }
    text
}

/// `get /admin/v1/operators/{operator}` is `get_operators_operator`.
fn name(method: &str, path: &str) -> String {
    let words = path
        .trim_start_matches("/admin/v1")
        .split(['/', '.', '-', '_', '{', '}'])
        .filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |name, word| name + "_" + word)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("get", item.get.as_mut()),
        ("post", item.post.as_mut()),
        ("put", item.put.as_mut()),
        ("patch", item.patch.as_mut()),
        ("delete", item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}
