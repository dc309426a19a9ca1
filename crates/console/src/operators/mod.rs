//! Who the operators are; adding one, giving one another role, removing one, their tokens, and their
//! sign-in where they lost it.

mod add;
mod change;
mod page;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use ui::Page;
use ui::component::TagColour;

use crate::api::Address;
use crate::frame::{Frame, show as render};
use crate::home::{Done, role};
use crate::pages::Pages;
use crate::problem::Problem;
use crate::table::{Cell, Table};
use crate::visit::Visit;
pub(crate) use page::{Shown, Token, in_force};

pub(crate) const PATH: &str = "/console/operators";
const READ: &str = "operators-read";
const CHANGE: &str = "operators-change";

/// Every role, in the order of the API's table.
const ROLES: [&str; 6] = [
    "viewer",
    "desk",
    "operator",
    "key-custodian",
    "administrator",
    "auditor",
];

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(list))
        .show("/console/operators/add", CHANGE, get(add::show))
        .act("/console/operators/add", CHANGE, post(add::add))
        .show("/console/operators/{operator}", READ, get(page::show))
        .and(change::pages())
        .act(
            "/console/operators/{operator}/tokens/{token}/revoke",
            CHANGE,
            post(page::revoke),
        )
}

/// An operator as the API gives it.
#[derive(Clone, Debug, Deserialize)]
struct Operator {
    id: String,
    name: String,
    role: String,
    organisation: Option<String>,
    person: String,
    program: bool,
    break_glass: bool,
    added_at: Timestamp,
    removed_at: Option<Timestamp>,
}

impl Operator {
    /// What it is, of one that is there: a person, another account of one, a program, or the account for emergencies.
    fn kind(&self, visit: &Visit) -> String {
        visit.say(if self.break_glass {
            "operator-is-emergency"
        } else if self.program {
            "operator-is-program"
        } else if self.person == self.id {
            "operator-is-person"
        } else {
            "operator-is-account"
        })
    }

    /// Whether it may have a password and an authenticator.
    const fn signs_in(&self) -> bool {
        !self.program && !self.break_glass
    }

    fn state(&self, visit: &Visit) -> Cell {
        match self.removed_at {
            None => Cell::tag(visit.say("operator-in-force"), TagColour::Green),
            Some(_) => Cell::tag(visit.say("operator-removed"), TagColour::Grey),
        }
    }
}

async fn all(visit: &Visit) -> Result<Vec<Operator>, Problem> {
    #[derive(Deserialize)]
    struct Found {
        operators: Vec<Operator>,
    }
    let found: Found = visit.api.get(Address::new(&["operators"])).await?;
    Ok(found.operators)
}

/// The names of operators by id, as far as the role sees them: what other pages show in the place of an id.
pub(crate) async fn names(visit: &Visit) -> Result<BTreeMap<String, String>, Problem> {
    if !visit.may(READ) {
        let own = &visit.operator;
        return Ok([(own.id.clone(), own.name.clone())].into());
    }
    let all = all(visit).await?;
    Ok(all.into_iter().map(|one| (one.id, one.name)).collect())
}

#[derive(Template)]
#[template(path = "operators/list.html")]
struct ListPage {
    page: Page,
    frame: Frame,
    may_add: bool,
    list: Table,
}

async fn list(visit: Visit, Query(Done { done }): Query<Done>) -> Result<Response, Problem> {
    let columns = [
        "operator-name",
        "operator-role",
        "organisation",
        "operator-kind",
        "state",
    ];
    let mut list = Table::new(
        visit.say("nav-operators"),
        columns.map(|key| visit.say(key)),
        visit.say("none"),
    );
    let mut operators = all(&visit).await?;
    // Those who are gone stay in the list, since the audit names them; at its end.
    operators.sort_by_key(|one| one.removed_at.is_some());
    for one in operators {
        let organisation = one.organisation.clone();
        let name = match one.removed_at {
            None => Cell::link(&one.name, format!("{PATH}/{}", one.id)),
            Some(_) => Cell::text(&one.name),
        };
        list.row([
            name,
            Cell::text(role(&visit, &one.role)),
            Cell::text(organisation.unwrap_or_else(|| visit.say("whole-gateway"))),
            Cell::text(one.kind(&visit)),
            one.state(&visit),
        ]);
    }
    let frame = visit.frame(PATH, "nav-operators").wide();
    let (page, frame) = frame.done(&visit.app.look, done.as_deref()).parts();
    let page = ListPage {
        may_add: visit.may(CHANGE),
        page,
        frame,
        list,
    };
    Ok(render(page.frame.status(), &page))
}
