//! How the description shows what is posted: each kind of event by its name, its headers, its body, and which answers
//! count as received [OpenAPI 3.1, `webhooks`].

use standards::webhook::HEADERS;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem,
    Paths, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    AllOfBuilder, Content, ObjectBuilder, Ref, Required, ResponseBuilder, Schema, Type,
};

use crate::event::Kind;

/// Every kind of event as it is posted to the address that the operator registered for a relying party.
pub(crate) fn described() -> Paths {
    let posted = |paths: PathsBuilder, kind: &Kind| {
        let item = PathItem::new(HttpMethod::Post, operation(*kind));
        paths.path(kind.name(), item)
    };
    Kind::ALL.iter().fold(PathsBuilder::new(), posted).build()
}

fn operation(kind: Kind) -> Operation {
    let body = RequestBodyBuilder::new()
        .content("application/json", Content::new(Some(body(kind))))
        .required(Some(Required::True));
    let mut told = OperationBuilder::new()
        .tag("Outcomes and events")
        .summary(Some(kind.says()))
        .description(Some(
            "At least once, in the order of `sequence`, with one `webhook-id` for one event [Standard Webhooks].",
        ))
        .parameters(Some(HEADERS.map(header)))
        .request_body(Some(body.build()))
        .response("2XX", answer("It was received."))
        .response(
            "default",
            answer(
                "It was not received, nor was it without an answer within eight seconds. No redirect is followed. It \
                 comes again for three days, and the next event waits for it.",
            ),
        )
        .build();
    // It is the signature that says who calls.
    told.security = Some(Vec::new());
    told
}

fn header((name, says): (&str, &str)) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(says))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn answer(says: &str) -> utoipa::openapi::Response {
    ResponseBuilder::new().description(says).build()
}

/// An event whose type is this one, with what it says without exception.
fn body(kind: Kind) -> Schema {
    let object = || ObjectBuilder::new().schema_type(Type::Object);
    let named = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([kind.name()]));
    let data = always(kind)
        .iter()
        .fold(object(), |data, member| data.required(*member));
    let narrowed = object().property("type", named).property("data", data);
    AllOfBuilder::new()
        .item(Ref::from_schema_name("Event"))
        .item(narrowed)
        .into()
}

/// The members of `data` without which no such event comes. A revoked credential may outlive its interaction, whose
/// reference is then forgotten.
const fn always(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::CredentialIssued => &[
            "purpose",
            "credential_types",
            "reference",
            "request_sha256",
            "serial_number",
        ],
        Kind::CredentialRevoked => &["purpose", "credential_types", "serial_number", "cause"],
        Kind::InteractionFailed => &[
            "purpose",
            "credential_types",
            "reference",
            "request_sha256",
            "refusal",
        ],
        Kind::KeyCompromised => &["signing_key"],
    }
}
