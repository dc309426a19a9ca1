//! Everybody and their records, and what has not arrived.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::response::Response;
use connector::desk::{self, Backlog};
use serde::Deserialize;

use super::page::{self, Delivery, HrNews, HrView, MayStillHold, Next, NotArrived};
use crate::app::App;
use crate::audit::{Act, HR, Kind};
use crate::progress::Progress;
use crate::trouble::Trouble;

#[derive(Deserialize)]
pub(super) struct HrQuery {
    deleted: Option<String>,
}

/// Of which credential, and whose, a serial number is.
struct Named {
    title: String,
    employee: String,
}

/// `GET /hr`.
pub(super) async fn show(
    State(app): State<App>,
    Query(query): Query<HrQuery>,
) -> Result<Response, Trouble> {
    Act::by(HR, Kind::ListViewed).write(&app).await?;
    let now = app.now();
    let (mut employees, mut named) = (Vec::new(), HashMap::new());
    for employee in app.employees().await? {
        let credentials = app.desk.credentials(&employee.id).await?;
        let passport_applies = app.applies_to(&employee);
        for credential in &credentials {
            let one = Named {
                title: credential.label.clone(),
                employee: employee.name(),
            };
            named.insert(credential.serial_number.to_string(), one);
        }
        let records = app.records_of(&employee.id).await?.into_iter();
        let records = records
            .filter(|record| record.deleted_at.is_none())
            .filter_map(|record| Progress::of(record, &credentials, now))
            .map(|progress| page::Record {
                id: progress.record.id,
                title: progress.record.label,
                state: progress.state,
            });
        employees.push(page::Employee {
            name: employee.name(),
            username: employee.username,
            passport_applies,
            records: records.collect(),
        });
    }
    let view = HrView {
        employees,
        not_arrived: not_arrived(app.desk.backlog().await?, &named),
        may_still_hold: may_still_hold(app.desk.may_still_hold().await?, &named),
        news: query.deleted.map(|_| HrNews::Deleted),
    };
    Ok(page::show(&app.look, view))
}

fn may_still_hold(
    people: Vec<desk::MayStillHold>,
    named: &HashMap<String, Named>,
) -> Vec<MayStillHold> {
    let people = people.into_iter().map(|one| {
        let named = named.get(&one.serial_number.to_string());
        MayStillHold {
            title: one.label,
            employee: named.map_or(one.employee, |named| named.employee.clone()),
            revoked_at: one.revoked_at,
            why: one.why,
        }
    });
    people.collect()
}

fn not_arrived(backlog: Backlog, named: &HashMap<String, Named>) -> Vec<NotArrived> {
    let about = |serial_number: &str| {
        let one = named.get(serial_number);
        one.map_or_else(Default::default, |one| {
            (one.title.clone(), one.employee.clone())
        })
    };
    let revocations = backlog.revocations.into_iter().map(|waiting| {
        let (title, employee) = about(&waiting.serial_number.to_string());
        NotArrived {
            kind: Delivery::Revocation,
            title,
            employee,
            since: waiting.wanted_at,
            tries: waiting.attempts,
            next: Next::Try {
                at: waiting.next_at,
            },
        }
    });
    let mails = backlog.mails.into_iter().map(|waiting| {
        let (title, employee) = about(&waiting.serial_number.to_string());
        // A fault is a code, a colon and words.
        let fault = waiting.fault.unwrap_or_default();
        let code = fault.split(':').next().unwrap_or_default();
        NotArrived {
            kind: Delivery::Mail,
            title,
            employee,
            since: waiting.written_at,
            tries: waiting.attempts,
            next: if waiting.given_up {
                Next::GivenUp {
                    code: code.to_owned(),
                }
            } else {
                Next::Try {
                    at: waiting.next_at,
                }
            },
        }
    });
    revocations.chain(mails).collect()
}
