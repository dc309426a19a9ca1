//! What is held of a person, for them to read, and its end [UK GDPR articles 15 and 17].

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use connector::desk::{Cause, EraseError};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use store::{Statement, StoreError};
use utoipa::{IntoParams, ToSchema};

use crate::app::{App, Parts};
use crate::events;
use crate::problem::{Code, Problem, Problems};
use crate::told::Employee;

/// Everything that is held of a person. Values that are secrets of a journey, and hashes of sessions, are not in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct PersonData {
    /// As the host last told of them, for as long as that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    told: Option<PersonTold>,
    /// What the connector keeps: address, credentials, revocations, mails, confirmations, checks of identity, journeys.
    #[schema(value_type = Object)]
    kept: connector::desk::Export,
    /// What was last told of each record of theirs that was ever confirmed.
    records: Vec<RecordHeld>,
    /// What the external system was or is to be told of their credentials, the oldest first.
    events: Vec<events::Content>,
}

/// What is held of a record besides its credentials.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordHeld {
    /// The host's id of the record.
    #[schema(example = "r-77")]
    record: String,
    /// SHA-256 of what it says; without it, the record is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    digest: Option<String>,
    /// When that was told.
    #[schema(value_type = String, format = DateTime)]
    told_at: Timestamp,
}

/// A person as the host told of them.
#[derive(Serialize, ToSchema)]
pub(crate) struct PersonTold {
    first_names: String,
    surname: String,
    known_as: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    date_of_birth: Option<Date>,
    email: Option<String>,
}

/// Export a person
#[utoipa::path(
    get,
    path = "/v1/people/{employee}",
    tag = "People",
    params(("employee" = String, Path, description = "The host's id")),
    responses(
        (status = 200, description = "Everything that is held", body = PersonData),
        (status = 404, description = "Nothing is held", body = crate::problem::ProblemBody,
            content_type = "application/problem+json"),
        Problems
    )
)]
pub(crate) async fn export(
    State(app): State<App>,
    Employee(employee): Employee,
) -> Result<Json<PersonData>, Problem> {
    let told = app.find_person(&employee).await?.map(|person| PersonTold {
        first_names: person.first_names,
        surname: person.surname,
        known_as: person.known_as,
        date_of_birth: person.date_of_birth,
        email: person.email,
    });
    let kept = Box::pin(app.desk.export(&employee)).await?;
    let records = app.records_held(&employee).await?;
    let events = app.events_of(&employee).await?;
    let nothing = told.is_none()
        && records.is_empty()
        && events.is_empty()
        && kept.person.is_none()
        && kept.credentials.is_empty()
        && kept.reviews.is_empty()
        && kept.confirmations.is_empty();
    if nothing {
        return Err(Code::NoSuchPerson.into());
    }
    Ok(Json(PersonData {
        told,
        kept,
        records,
        events,
    }))
}

/// Whether to revoke first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Erasing {
    /// Revoke everything first, tell the person, and erase them when that is done.
    #[serde(default)]
    revoke: bool,
}

/// Erase a person
///
/// What must stay so that a credential can ever be revoked stays under a name that leads back to nobody. Refused while
/// something is in force, on its way or waiting; with `revoke=true` that is seen to first.
#[utoipa::path(
    delete,
    path = "/v1/people/{employee}",
    tag = "People",
    params(("employee" = String, Path, description = "The host's id"), Erasing),
    responses(
        (status = 202, description = "They will be erased when everything is revoked"),
        (status = 204, description = "They are erased"),
        Problems
    )
)]
pub(crate) async fn erase(
    State(app): State<App>,
    Employee(employee): Employee,
    erasing: Result<Query<Erasing>, axum::extract::rejection::QueryRejection>,
) -> Result<StatusCode, Problem> {
    let Query(Erasing { revoke }) =
        erasing.map_err(|_| Problem::field("revoke", "use true or false, and nothing else"))?;
    if revoke {
        // Both or neither: the sidecar's own traces go when the desk has erased its own.
        let mut batch = app.desk.erasure_wanted(&employee, Cause::EndedEarly);
        batch.push(app.erasure_wanted(&employee));
        app.store.write(batch).await?;
        app.desk.wake();
        return Ok(StatusCode::ACCEPTED);
    }
    match app.desk.erase(&employee).await {
        Ok(_) => {}
        Err(EraseError::Store(error)) => return Err(error.into()),
        Err(waits) => return Err(Problem::with(Code::CredentialsInForce, waits.to_string())),
    }
    app.store.write([app.erasure_wanted(&employee)]).await?;
    app.forget_who_is_erased().await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Parts {
    async fn records_held(&self, employee: &str) -> Result<Vec<RecordHeld>, StoreError> {
        let select = Statement::new(
            "SELECT record, digest, told_at FROM sidecar_records WHERE employee = $1 ORDER BY record",
        );
        let rows = self.store.read(select.bind(employee)).await?;
        let records = rows.iter().map(|row| {
            Ok(RecordHeld {
                record: row.text("record")?.to_owned(),
                digest: row.optional_text("digest")?.map(str::to_owned),
                told_at: row.timestamp("told_at")?,
            })
        });
        records.collect()
    }

    fn erasure_wanted(&self, employee: &str) -> Statement {
        Statement::new(
            "INSERT INTO sidecar_erasures (employee, wanted_at) VALUES ($1, $2) ON CONFLICT (employee) DO NOTHING",
        )
        .bind(employee)
        .bind(self.now())
    }

    /// Removes the sidecar's own traces of everybody whom the desk has erased.
    pub(crate) async fn forget_who_is_erased(&self) -> Result<(), StoreError> {
        let erased = "FROM sidecar_erasures s WHERE NOT EXISTS \
            (SELECT 1 FROM connector_erasures c WHERE c.employee = s.employee)";
        let select = Statement::new(format!("SELECT s.employee {erased}"));
        for row in self.store.read(select).await? {
            let employee = row.text("employee")?;
            let about = |sql: &'static str| Statement::new(sql).bind(employee);
            let batch = [
                about("DELETE FROM sidecar_people WHERE employee = $1"),
                about("DELETE FROM sidecar_records WHERE employee = $1"),
                about("UPDATE sidecar_events SET employee = 'erased' WHERE employee = $1"),
                about("DELETE FROM sidecar_erasures WHERE employee = $1"),
            ];
            self.store.write(batch).await?;
        }
        Ok(())
    }
}
