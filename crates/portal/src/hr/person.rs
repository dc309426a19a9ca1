//! An employee's own data: `first-names`, `surname`, `known-as`, `date-of-birth`, `email`.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;
use serde::Deserialize;
use store::StoreError;

use super::page::Field;
use super::person_page::{self, PersonView};
use crate::app::App;
use crate::audit::{Act, HR, Kind};
use crate::employees::Employee;
use crate::login::form_token;
use crate::problem;
use crate::trouble::Trouble;
use crate::visit::{Anonymous, Fields};

#[derive(Deserialize)]
pub(super) struct PersonQuery {
    saved: Option<String>,
}

/// `GET /hr/employees/{username}`.
pub(super) async fn show(
    State(app): State<App>,
    Path(username): Path<String>,
    Query(query): Query<PersonQuery>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let Some(employee) = find(&app, &username).await? else {
        return Ok(problem::not_found(&app, None));
    };
    let seen = Act::by(HR, Kind::PersonViewed).about(&employee.id);
    seen.write(&app).await?;
    let (csrf, set_cookie) = form_token(&app, &headers)?;
    let view = PersonView {
        fields: fields_of(&app, &employee, &Fields::new()),
        name: employee.name(),
        id: employee.id.clone(),
        username,
        csrf,
        is_saved: query.saved.is_some(),
    };
    Ok((
        [(SET_COOKIE, set_cookie)],
        person_page::show(&app.look, view),
    )
        .into_response())
}

async fn find(app: &App, username: &str) -> Result<Option<Employee>, StoreError> {
    let found = app.find_login(username).await?;
    Ok(found.map(|(employee, _)| employee))
}

const FIRST_NAMES: &str = "first-names";
const SURNAME: &str = "surname";
const KNOWN_AS: &str = "known-as";
const DATE_OF_BIRTH: &str = "date-of-birth";
const EMAIL: &str = "email";

/// The form's fields: what was typed where something was, else what is kept; and what is wrong with it.
fn fields_of(app: &App, employee: &Employee, typed: &Fields) -> Vec<Field> {
    let date = employee.date_of_birth.map(|date| date.to_string());
    let kept = [
        (FIRST_NAMES, "hr-first-names", employee.first_names.clone()),
        (SURNAME, "hr-surname", employee.surname.clone()),
        (
            KNOWN_AS,
            "hr-known-as",
            employee.known_as.clone().unwrap_or_default(),
        ),
        (DATE_OF_BIRTH, "hr-date-of-birth", date.unwrap_or_default()),
        (
            EMAIL,
            "hr-email",
            employee.email.clone().unwrap_or_default(),
        ),
    ];
    kept.into_iter()
        .map(|(name, label, kept)| {
            let value = typed
                .get(name)
                .map_or(kept, |typed| typed.trim().to_owned());
            Field {
                name: name.to_owned(),
                label: app.look.say(label),
                error: wrong(name, &value).map_or_else(String::new, |key| app.look.say(key)),
                value,
            }
        })
        .collect()
}

fn wrong(name: &str, value: &str) -> Option<&'static str> {
    let is_text = value.len() <= 200 && !value.chars().any(char::is_control);
    let (is_good, key) = match name {
        DATE_OF_BIRTH => (
            value.is_empty() || value.parse::<Date>().is_ok(),
            "hr-wrong-date",
        ),
        // The mail server has the last word; what is no address at all is a slip.
        EMAIL => (value.is_empty() || value.contains('@'), "hr-wrong-email"),
        KNOWN_AS => (true, "hr-wrong-known-as"),
        _ => (!value.is_empty(), "hr-wrong-name"),
    };
    (!(is_good && is_text)).then_some(key)
}

/// `POST /hr/employees/{username}`: fields that are not sent stay as they are.
pub(super) async fn save(
    State(app): State<App>,
    Path(username): Path<String>,
    Anonymous(typed): Anonymous,
) -> Result<Response, Trouble> {
    let Some(mut employee) = find(&app, &username).await? else {
        return Ok(problem::not_found(&app, None));
    };
    let fields = fields_of(&app, &employee, &typed);
    if fields.iter().any(|field| !field.error.is_empty()) {
        let view = PersonView {
            fields,
            name: employee.name(),
            id: employee.id.clone(),
            username,
            csrf: typed.get("csrf").cloned().unwrap_or_default(),
            is_saved: false,
        };
        return Ok(person_page::show(&app.look, view));
    }
    let before = employee.clone();
    let held = |value: String| (!value.is_empty()).then_some(value);
    for field in fields {
        match field.name.as_str() {
            FIRST_NAMES => employee.first_names = field.value,
            SURNAME => employee.surname = field.value,
            KNOWN_AS => employee.known_as = held(field.value),
            DATE_OF_BIRTH => employee.date_of_birth = field.value.parse().ok(),
            _ => employee.email = held(field.value),
        }
    }
    // Whom to write to is the desk's to know, in the same batch.
    let act = Act::by(HR, Kind::PersonChanged).about(&employee.id);
    let mut batch = vec![employee.update(), act.statement(app.now())];
    batch.extend(employee.at_desk(&app.desk));
    if !employee.is_same_person_as(&before) {
        batch.extend(app.desk.identity_changed(&employee.id));
    }
    app.store.write(batch).await?;
    Ok(Redirect::to(&format!("/hr/employees/{username}?saved=yes")).into_response())
}
