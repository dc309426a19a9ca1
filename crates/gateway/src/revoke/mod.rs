//! A relying party cancels a credential that its organisation issued (DW-74, DW-76); and what the operator does to one
//! credential ([`operator`]) or to many ([`bulk`]).
//!
//! A relying party has two doors to one act. `POST /Revocation/revokecredential` takes `client_id` and `client_secret` in
//! its JSON body (gateway contract 2.7): a client without a secret cannot use it. `POST /api/Revocation/revoke` takes an
//! access token from the token endpoint (2.8): every client can. Members of the body are read without regard to the case of
//! their names, as the first contract's server did.

pub mod bulk;
pub mod jobs;
pub mod operator;
pub mod serials;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use utoipa::{IntoResponses, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::{App, Parts};
use crate::audit::{Act, Actor, Entry};
use crate::client::bearer::{self, Challenge};
use crate::client::{self, AccessToken, ClientError};
use crate::limits::{Kind, TooMany};
use crate::live::Live;
use crate::openapi::{BackChannelErrors, OAuthError};
use crate::organisation::RelyingParty;
use crate::status::{self, Cause};
use store::{Statement, StoreError};

/// The longest reason that is kept; the rest is cut.
const LONGEST_REASON: usize = 500;

/// The routes of this slice. Paths are lower case here: they are matched without regard to case.
pub fn router() -> OpenApiRouter<Live> {
    OpenApiRouter::default()
        .routes(routes!(with_secret))
        .routes(routes!(with_token))
}

/// What both doors answer, beside errors.
#[derive(IntoResponses)]
#[allow(dead_code)]
enum RevocationAnswers {
    /// It is revoked, now or before.
    #[response(status = 204)]
    Revoked,
    /// No such credential of the client's organisation, whichever part was wrong.
    #[response(status = 404)]
    NotFound(OAuthError),
}

/// Which credential, as the first contract spells it. The case of the names does not matter.
#[derive(ToSchema)]
#[allow(dead_code, non_snake_case)]
struct CredentialWithSecret {
    client_id: String,
    client_secret: String,
    /// The organisation's id.
    OrganisationId: String,
    /// The credential type, without `issue.`.
    #[schema(example = "TrainingProgramme")]
    CredentialTemplateName: String,
    /// From the ID token of the issuing.
    SerialNumber: String,
    /// Free text, kept.
    #[schema(required = false)]
    RevocationReason: String,
}

/// Which credential. The case of the names does not matter.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, clippy::struct_field_names)] // the wire's own names
struct Credential {
    /// The organisation's id.
    organisation_id: String,
    /// The credential type, without `issue.`.
    #[schema(example = "TrainingProgramme")]
    credential_template_name: String,
    /// From the ID token of the issuing.
    serial_number: String,
    /// Free text, kept.
    #[schema(required = false)]
    revocation_reason: String,
}

/// Why a revocation was refused.
#[derive(Debug, thiserror::Error)]
enum RevocationError {
    #[error("the body must be a JSON object")]
    NotJson,
    #[error("{0} is missing or not a text")]
    Missing(&'static str),
    #[error(transparent)]
    Client(#[from] ClientError),
    /// SEC-27.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Token(#[from] Challenge),
    /// One answer for an unknown number, another organisation's and a wrong type: it tells nobody which.
    #[error("there is no such credential of your organisation")]
    NotFound,
    #[error("the revocation could not be stored; try again")]
    Store(#[from] StoreError),
}

impl IntoResponse for RevocationError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::NotJson | Self::Missing(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::Client(error) => return error.answer(),
            Self::TooMany(many) => return client::answer_too_many(many),
            Self::Token(challenge) => return challenge.answer(),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Store(error) => {
                tracing::error!(%error, "a revocation could not be stored");
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
        };
        client::answer_error(status, code, &self.to_string())
    }
}

/// Revoke with the client's secret
///
/// The older contracts' way. A client without a secret, or with one that goes in the header only, has the other.
#[utoipa::path(
    post,
    path = "/revocation/revokecredential",
    tag = "Revocation",
    request_body = CredentialWithSecret,
    responses(RevocationAnswers, BackChannelErrors)
)]
async fn with_secret(State(app): State<App>, body: Bytes) -> Result<StatusCode, RevocationError> {
    let body = parse(&body)?;
    let (client_id, secret) = (text(&body, "client_id")?, text(&body, "client_secret")?);
    let party = client::by_posted_secret(&app, client_id, secret)?;
    let _place = app.admit(Kind::Revoke, &party)?;
    let names = [
        "OrganisationId",
        "CredentialTemplateName",
        "SerialNumber",
        "RevocationReason",
    ];
    revoke(&app, &party, &body, names).await
}

/// Revoke with an access token
///
/// From the token endpoint, by `client_credentials` and the scope `revocation`.
#[utoipa::path(
    post,
    path = "/api/revocation/revoke",
    tag = "Revocation",
    security(("access_token" = [])),
    request_body = Credential,
    responses(RevocationAnswers, BackChannelErrors)
)]
async fn with_token(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, RevocationError> {
    // Who calls, before what it wants (SEC-06).
    let token = bearer::find(&headers, None)?;
    let token = client::Revocation::open(&app.seal, token, app.now()).ok_or(Challenge::Invalid)?;
    // A client that was taken out of the configuration is nobody, whatever it still holds.
    let party = app.organisations.relying_party(&token.client_id);
    let party = party.ok_or(Challenge::Invalid)?;
    let _place = app.admit(Kind::Revoke, party)?;
    let body = parse(&body)?;
    let names = [
        "organisationId",
        "credentialTemplateName",
        "serialNumber",
        "revocationReason",
    ];
    revoke(&app, party, &body, names).await
}

/// Revokes one credential of the client's organisation; once more changes nothing. `names` are the members as the
/// caller's contract spells them: organisation, type, number and reason.
async fn revoke(
    app: &Parts,
    party: &RelyingParty,
    body: &Map<String, Value>,
    names: [&'static str; 4],
) -> Result<StatusCode, RevocationError> {
    let [organisation, credential_type, serial, reason] = names;
    let organisation = text(body, organisation)?;
    let credential_type = text(body, credential_type)?;
    let serial = text(body, serial)?;
    let reason: String = optional_text(body, reason)?
        .unwrap_or("")
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_REASON)
        .collect();
    let serial = Uuid::try_parse(serial).map_err(|_| RevocationError::NotFound)?;
    if organisation != party.organisation.id || credential_type.contains('\0') {
        return Err(RevocationError::NotFound);
    }

    let select = Statement::new(
        "SELECT c.revoked_at, i.reference FROM credentials c LEFT JOIN interactions i ON i.id = c.interaction \
         WHERE c.serial_number = $1 AND c.organisation = $2 AND c.credential_type = $3",
    );
    let select = select
        .bind(serial.to_string())
        .bind(organisation)
        .bind(credential_type);
    let found = app
        .store
        .read_one(select)
        .await?
        .ok_or(RevocationError::NotFound)?;
    if found.optional_integer("revoked_at")?.is_none() {
        let cause = Cause::RelyingParty(&reason);
        let now = app.now();
        let revoke = status::revoke_statements(organisation, serial, cause, now);
        let mut batch = status::only_first(revoke);
        let told = Entry::new(
            Actor::Client(&party.client_id),
            Act::CredentialRevoked,
            ("credential", &serial.to_string()),
            now,
        );
        batch.push(told.organisation(Some(organisation)).into());
        match app.store.write(batch).await {
            Ok(_) => {}
            // Another request was first: that one is written down and counted.
            Err(StoreError::Unmet { .. }) => return Ok(StatusCode::NO_CONTENT),
            Err(error) => return Err(error.into()),
        }
        app.lists.changed();
        app.metrics.revocations.add(&[cause.code()]);
        // A serial number leads to a person's credential: the log has what leads to the interaction, as long as that
        // is remembered (SEC-40).
        let reference = found.optional_text("reference")?;
        tracing::info!(client_id = party.client_id, reference, "credential revoked");
    }
    Ok(StatusCode::NO_CONTENT)
}

fn parse(body: &[u8]) -> Result<Map<String, Value>, RevocationError> {
    standards::json::parse_object(body).map_err(|_| RevocationError::NotJson)
}

/// A member of the body, in whatever case; in two cases it is none.
fn text<'a>(body: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, RevocationError> {
    let mut found = body
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(Value::String(text)), None) => Ok(text),
        _ => Err(RevocationError::Missing(name)),
    }
}

/// The same, where it may be missing or null.
fn optional_text<'a>(
    body: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, RevocationError> {
    let said = |(key, value): (&String, &Value)| key.eq_ignore_ascii_case(name) && !value.is_null();
    body.iter().any(said).then(|| text(body, name)).transpose()
}
