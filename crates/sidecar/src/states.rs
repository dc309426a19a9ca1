//! How far credentials are: the nine states of the standard's list.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as Shared;
use connector::desk::{Credential, CredentialState, OnFile, Stage, WayIn};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use store::Statement;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::{App, Parts};
use crate::problem::{Problem, Problems};
use crate::told::{Employee, Told, date, text};

/// The most records that one question may name.
const MOST_RECORDS: usize = 500;

/// How far a record's credential is. "Added" means that the gateway said so: nobody can see into a wallet.
#[derive(Serialize, ToSchema)]
#[schema(as = CredentialState)]
#[allow(clippy::struct_field_names)] // the word that everybody else uses for it, too
pub(crate) struct State {
    /// The host's id of the record.
    #[schema(example = "r-77")]
    record: String,
    /// `cannot-add-yet`, `ended`, `not-added`, `in-progress`, `added`, `changed`, `cancelled`, `checking`, `expired`;
    /// `deleted` for a record that is gone and of which nothing was ever out.
    #[schema(example = "added")]
    state: &'static str,
    /// How it can be added from here: `first`, `again` (ask about the old copy first) or `none`.
    #[schema(value_type = String, example = "again")]
    way_in: WayIn,
    /// When it was added or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    at: Option<Timestamp>,
    /// Since when it has been in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    since: Option<Timestamp>,
    /// The last day of what ended or expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = Date, nullable = false)]
    on: Option<Date>,
    /// The last day on which it will be valid, of one that is not added.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = Date, nullable = false)]
    valid_until: Option<Date>,
    /// Of the newest credential of this record that is or may be in a wallet, or was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    serial_number: Option<Uuid>,
}

impl State {
    /// `credentials` is what the desk says of the record's employee.
    fn of(on_file: &OnFile<'_>, credentials: &[Credential], now: Timestamp) -> Self {
        let found = CredentialState::of(on_file, credentials, now);
        let newest = credentials
            .iter()
            .find(|one| one.record == on_file.record && one.stage != Stage::NotIssued);
        let mut state = Self {
            record: on_file.record.to_owned(),
            state: found.as_ref().map_or("deleted", CredentialState::word),
            way_in: match &found {
                Some(found) if on_file.can_be_added(now) => found.way_in(),
                _ => WayIn::None,
            },
            at: None,
            since: None,
            on: None,
            valid_until: None,
            serial_number: newest.map(|one| one.serial_number),
        };
        match found {
            Some(CredentialState::Ended { on } | CredentialState::Expired { on }) => {
                state.on = Some(on);
            }
            Some(CredentialState::NotAdded { valid_until }) => state.valid_until = valid_until,
            Some(CredentialState::InProgress { since, .. }) => state.since = Some(since),
            Some(CredentialState::Added { at } | CredentialState::Cancelled { at }) => {
                state.at = Some(at);
            }
            Some(
                CredentialState::CannotAddYet
                | CredentialState::Changed
                | CredentialState::Checking,
            )
            | None => {}
        }
        state
    }
}

/// Records of one employee, as the host has them on file.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatesAsked {
    /// The host's id.
    #[schema(example = "e-1042")]
    employee: String,
    /// At most 500.
    records: Vec<RecordOnFile>,
}

/// A record, as far as the state of its credential depends on it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordOnFile {
    /// The host's id.
    #[schema(example = "r-77")]
    id: String,
    /// Whether it says all that its credential must say.
    #[serde(default = "yes")]
    complete: bool,
    /// Its last day, if it has one.
    #[serde(default, deserialize_with = "date")]
    #[schema(value_type = Option<String>, format = Date)]
    last_day: Option<Date>,
}

fn yes() -> bool {
    true
}

/// The states that were asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct States {
    /// In the order of the question; where none was asked, by the record's id.
    states: Vec<State>,
}

/// Ask how far records are
///
/// What a page lists: each record that the host has, in its order.
#[utoipa::path(
    post,
    path = "/v1/states",
    tag = "Credentials",
    request_body = StatesAsked,
    responses((status = 200, description = "One state for each record", body = States), Problems)
)]
pub(crate) async fn of_records(
    Shared(app): Shared<App>,
    Told(asked): Told<StatesAsked>,
) -> Result<Json<States>, Problem> {
    text("employee", &asked.employee)?;
    if asked.records.len() > MOST_RECORDS {
        return Err(Problem::field("records", "there are more than 500"));
    }
    for record in &asked.records {
        text("records.id", &record.id)?;
    }
    let credentials = app.desk.credentials(&asked.employee).await?;
    let now = app.now();
    let states = asked.records.iter().map(|record| {
        let on_file = OnFile {
            record: &record.id,
            is_deleted: false,
            is_complete: record.complete,
            last_day: record.last_day,
            expires_at: None,
        };
        State::of(&on_file, &credentials, now)
    });
    Ok(Json(States {
        states: states.collect(),
    }))
}

/// Ask how far a person's records are
///
/// Every record of theirs that was ever confirmed here.
#[utoipa::path(
    get,
    path = "/v1/people/{employee}/states",
    tag = "Credentials",
    params(("employee" = String, Path, description = "The host's id")),
    responses((status = 200, description = "One state for each record", body = States), Problems)
)]
pub(crate) async fn of_person(
    Shared(app): Shared<App>,
    Employee(employee): Employee,
) -> Result<Json<States>, Problem> {
    let states = app.states_of(&employee).await?;
    Ok(Json(States { states }))
}

impl Parts {
    /// How this record's credential stands.
    pub(crate) async fn state_of(&self, employee: &str, record: &str) -> Result<State, Problem> {
        let credentials = self.desk.credentials(employee).await?;
        let on_file = OnFile {
            record,
            is_deleted: false,
            is_complete: true,
            last_day: None,
            expires_at: None,
        };
        Ok(State::of(&on_file, &credentials, self.now()))
    }

    async fn states_of(&self, employee: &str) -> Result<Vec<State>, Problem> {
        let credentials = self.desk.credentials(employee).await?;
        let select =
            Statement::new("SELECT record, digest FROM sidecar_records WHERE employee = $1");
        let mut records = BTreeMap::new();
        for row in self.store.read(select.bind(employee)).await? {
            let is_deleted = row.optional_text("digest")?.is_none();
            records.insert(row.text("record")?.to_owned(), is_deleted);
        }
        for credential in &credentials {
            records.entry(credential.record.clone()).or_insert(true);
        }
        let now = self.now();
        let states = records.iter().map(|(record, is_deleted)| {
            let on_file = OnFile {
                record,
                is_deleted: *is_deleted,
                is_complete: true,
                last_day: None,
                expires_at: None,
            };
            State::of(&on_file, &credentials, now)
        });
        Ok(states.collect())
    }
}
