//! `/admin/v1/credentials`: one by its serial number: how it stands, what was done to it, and what is done now.

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Row, Statement, StoreError};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::by_one;
use crate::admin::{Code, Operator, Problem, Problems, Right, Routes, Told, Why, field, viewed};
use crate::app::{App, Parts};
use crate::audit::{Act, Entry};
use crate::revoke::operator::{self, Change, ChangeError, Done, Target};
use crate::status::Reason;

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::CredentialsRead, routes!(look))
        .with(Right::CredentialsRevoke, routes!(revoke))
        .with(Right::CredentialsRevoke, routes!(suspend))
        .with(Right::CredentialsRevoke, routes!(reinstate))
}

/// An issued credential, as its status goes. No value of it is kept here.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedCredential)]
#[allow(clippy::struct_field_names)] // as on the wire
struct Credential {
    /// Its serial number.
    #[schema(example = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10")]
    serial_number: String,
    /// Who issued it.
    organisation: String,
    /// The relying party that had it issued.
    client_id: String,
    /// Its type.
    credential_type: String,
    /// Its form: `jwt_vc_json` or `dc+sd-jwt`.
    format: String,
    /// `in-force`, `suspended`, `revoked` or `expired`.
    state: &'static str,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
    /// When its own time is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The key that signed it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The interaction in which it was issued, as long as that is remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// What was done to it, the oldest first.
    history: Vec<Happened>,
}

/// Something that was done to a credential.
#[derive(Serialize, ToSchema)]
#[schema(as = CredentialHappened)]
struct Happened {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `issued`, `suspended`, `reinstated` or `revoked`.
    what: &'static str,
    /// Who or what it was: `operator`, `relying-party`, `not-collected`, `code-replayed` or `not-kept`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Why, as a code of the closed list.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The row of one that the operator may see; what is another's, and what is none, is not there.
async fn row(app: &Parts, by: &Operator, serial_number: &str) -> Result<(Uuid, Row), Problem> {
    let serial = Uuid::try_parse(serial_number).map_err(|_| Code::NotFound)?;
    let select = Statement::new(
        "SELECT c.organisation, c.client_id, c.credential_type, c.format, c.issued_at, c.expires_at, c.kid, c.revoked_at, \
         c.revocation_cause, c.revocation_code, c.suspended_at, c.suspension_code, i.reference \
         FROM credentials c LEFT JOIN interactions i ON i.id = c.interaction \
         WHERE c.serial_number = $1 AND (CAST($2 AS TEXT) IS NULL OR c.organisation = $2)",
    );
    let select = select.bind(serial.to_string()).bind(by.organisation());
    let row = app.store.read_one(select).await?.ok_or(Code::NotFound)?;
    Ok((serial, row))
}

async fn told(app: &Parts, serial: Uuid, row: &Row) -> Result<Credential, Problem> {
    let expires_at = row.optional_timestamp("expires_at")?;
    let state = if row.optional_timestamp("revoked_at")?.is_some() {
        "revoked"
    } else if expires_at.is_some_and(|at| at <= app.now()) {
        "expired"
    } else if row.optional_timestamp("suspended_at")?.is_some() {
        "suspended"
    } else {
        "in-force"
    };
    let optional = |column| {
        row.optional_text(column)
            .map(|text| text.map(str::to_owned))
    };
    Ok(Credential {
        serial_number: serial.to_string(),
        organisation: row.text("organisation")?.to_owned(),
        client_id: row.text("client_id")?.to_owned(),
        credential_type: row.text("credential_type")?.to_owned(),
        format: row.text("format")?.to_owned(),
        state,
        issued_at: row.timestamp("issued_at")?,
        expires_at,
        key: optional("kid")?,
        reference: optional("reference")?,
        history: history(app, serial, row).await?,
    })
}

/// What the row says of the last time, and the audit of those before.
async fn history(app: &Parts, serial: Uuid, row: &Row) -> Result<Vec<Happened>, StoreError> {
    let mut history = vec![Happened {
        at: row.timestamp("issued_at")?,
        what: "issued",
        cause: None,
        reason: None,
    }];
    let select = Statement::new(
        "SELECT happened_at, act, detail FROM audit_entries WHERE object = $1 ORDER BY number",
    );
    let select = select.bind(format!("credential:{serial}"));
    for entry in app.store.read(select).await? {
        let what = match Act::of_code(entry.text("act")?) {
            Some(Act::CredentialSuspended) => "suspended",
            Some(Act::CredentialReinstated) => "reinstated",
            // The row knows more of the one that counts.
            _ => continue,
        };
        let detail: Value = serde_json::from_str(entry.text("detail")?).unwrap_or_default();
        history.push(Happened {
            at: entry.timestamp("happened_at")?,
            what,
            cause: Some("operator".to_owned()),
            reason: detail["reason"].as_str().map(str::to_owned),
        });
    }
    let is_told = history.iter().any(|one| one.what == "suspended");
    if let Some(at) = row.optional_timestamp("suspended_at")?.filter(|_| !is_told) {
        history.push(Happened {
            at,
            what: "suspended",
            cause: None,
            reason: row.optional_text("suspension_code")?.map(str::to_owned),
        });
    }
    if let Some(at) = row.optional_timestamp("revoked_at")? {
        history.push(Happened {
            at,
            what: "revoked",
            cause: row.optional_text("revocation_cause")?.map(str::to_owned),
            reason: row.optional_text("revocation_code")?.map(str::to_owned),
        });
    }
    history.sort_by_key(|one| one.at);
    Ok(history)
}

/// Find a credential by its serial number
#[utoipa::path(
    get,
    path = "/admin/v1/credentials/{credential}",
    tag = "Credentials",
    params(("credential" = String, Path, description = "Its serial number")),
    responses((status = 200, description = "How it stands, and what was done to it", body = Credential), Problems)
)]
async fn look(
    State(app): State<App>,
    by: Operator,
    Path(serial_number): Path<String>,
) -> Result<Json<Credential>, Problem> {
    let (serial, row) = row(&app, &by, &serial_number).await?;
    shown(&app, &by, serial, &row).await
}

/// The credential for whoever only looks, with an entry that they do.
async fn shown(
    app: &App,
    by: &Operator,
    serial: Uuid,
    row: &Row,
) -> Result<Json<Credential>, Problem> {
    let (number, organisation) = (serial.to_string(), row.text("organisation")?);
    let object = ("credential", number.as_str());
    viewed(app, by, Act::CredentialViewed, object, organisation).await?;
    Ok(Json(told(app, serial, row).await?))
}

/// Why a credential is revoked, suspended or reinstated.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CredentialChange {
    /// Why, from the closed list.
    #[schema(example = "left-employment")]
    reason: Reason,
    /// Its type, where only one may be meant: one of another is then as if it were not there.
    #[serde(default)]
    #[schema(nullable = false)]
    credential_type: Option<String>,
    /// A note for the operator. No employee's name belongs here.
    #[serde(default)]
    #[schema(nullable = false)]
    note: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// Revoke a credential, for good. Once more changes nothing. Who revokes many one by one is noticed, and stopped before too many
#[utoipa::path(
    post,
    path = "/admin/v1/credentials/{credential}/revoke",
    tag = "Credentials",
    params(("credential" = String, Path, description = "Its serial number")),
    request_body = CredentialChange,
    responses((status = 200, description = "It is revoked, now or before", body = Credential), Problems)
)]
async fn revoke(
    State(app): State<App>,
    by: Operator,
    Path(serial): Path<String>,
    Told(asked): Told<CredentialChange>,
) -> Result<Json<Credential>, Problem> {
    let note = asked.note.clone().unwrap_or_default();
    let made = Change::Revoke(asked.reason, &note);
    change(&app, &by, &serial, &asked, (made, Act::CredentialRevoked)).await
}

/// Suspend a credential: it is refused for the time being
#[utoipa::path(
    post,
    path = "/admin/v1/credentials/{credential}/suspend",
    tag = "Credentials",
    params(("credential" = String, Path, description = "Its serial number")),
    request_body = CredentialChange,
    responses((status = 200, description = "It is suspended, now or before", body = Credential), Problems)
)]
async fn suspend(
    State(app): State<App>,
    by: Operator,
    Path(serial): Path<String>,
    Told(asked): Told<CredentialChange>,
) -> Result<Json<Credential>, Problem> {
    let made = Change::Suspend(asked.reason);
    change(&app, &by, &serial, &asked, (made, Act::CredentialSuspended)).await
}

/// Put a suspended credential in force again
#[utoipa::path(
    post,
    path = "/admin/v1/credentials/{credential}/reinstate",
    tag = "Credentials",
    params(("credential" = String, Path, description = "Its serial number")),
    request_body = CredentialChange,
    responses((status = 200, description = "It is in force, now or before", body = Credential), Problems)
)]
async fn reinstate(
    State(app): State<App>,
    by: Operator,
    Path(serial): Path<String>,
    Told(asked): Told<CredentialChange>,
) -> Result<Json<Credential>, Problem> {
    let made = Change::Reinstate;
    change(
        &app,
        &by,
        &serial,
        &asked,
        (made, Act::CredentialReinstated),
    )
    .await
}

async fn change(
    app: &App,
    by: &Operator,
    serial_number: &str,
    asked: &CredentialChange,
    (made, act): (Change<'_>, Act),
) -> Result<Json<Credential>, Problem> {
    let note = asked.note.as_deref();
    note.map(|note| field("note", note)).transpose()?;
    let why = Why::said(asked.note.clone(), asked.ticket.clone())?;
    let (serial, found) = row(app, by, serial_number).await?;
    let organisation = found.text("organisation")?;
    let target = Target {
        organisation,
        serial_number: serial,
        credential_type: asked.credential_type.as_deref(),
    };
    let now = app.now();
    let serial_number = serial.to_string();
    let entry = Entry::new(by.actor(), act, ("credential", &serial_number), now)
        .organisation(Some(organisation))
        .with("reason", asked.reason.code());
    let alarm = match made {
        Change::Revoke(..) => by_one::look(app, by, now).await?,
        _ => None,
    };
    let mut also = vec![why.told(entry).into()];
    also.extend(alarm.as_ref().map(|alarm| alarm.entry().into()));
    match operator::change(&app.store, target, made, also, now).await {
        Ok(Done::Changed) => {
            if let Some(alarm) = alarm {
                alarm.raise(app);
            }
        }
        // Nothing was done that would be an entry: this is a look.
        Ok(Done::AlreadySo) => {
            let (serial, found) = row(app, by, &serial_number).await?;
            return shown(app, by, serial, &found).await;
        }
        Err(ChangeError::NotFound) => return Err(Code::NotFound.into()),
        Err(ChangeError::Revoked) => return Err(Code::CredentialRevoked.into()),
        Err(ChangeError::Store(error)) => return Err(error.into()),
    }
    app.lists.changed();
    let (serial, found) = row(app, by, &serial_number).await?;
    Ok(Json(told(app, serial, &found).await?))
}
