//! One operator, with its tokens and sessions.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use ui::Page;
use ui::component::Row;

use super::{CHANGE, Operator, PATH};
use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::{Done, role, told_at};
use crate::problem::Problem;
use crate::proposals::{name, why};
use crate::visit::Visit;

/// A token or a session as the API gives it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) kind: String,
    made_at: Timestamp,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// A token as a page shows it.
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    /// Whether it is the one with which the page was asked for.
    pub(crate) is_this: bool,
}

/// Those that are in force at that moment, the newest first; sessions, or tokens.
pub(crate) fn in_force(visit: &Visit, tokens: &[Token], kind: &str, now: Timestamp) -> Vec<Shown> {
    let when = ui::time::date_and_clock;
    let of_kind = tokens
        .iter()
        .filter(|token| token.kind == kind && token.revoked_at.is_none() && token.expires_at > now);
    let shown = of_kind.map(|token| {
        let is_this = token.id == visit.operator.token;
        let title = if is_this { "token-this" } else { "token-other" };
        let used = token.last_used_at.map_or_else(|| visit.say("never"), when);
        Shown {
            id: token.id.clone(),
            title: visit.say_with(&format!("{title}-{kind}"), &[("id", &token.id)]),
            rows: vec![
                Row::new(visit.say("token-made"), when(token.made_at)),
                Row::new(visit.say("token-used"), used),
                Row::new(visit.say("token-ends"), when(token.expires_at)),
            ],
            is_this,
        }
    });
    shown.collect()
}

#[derive(Deserialize)]
struct WithTokens {
    #[serde(flatten)]
    operator: Operator,
    tokens: Vec<Token>,
}

#[derive(Template)]
#[template(path = "operators/operator.html")]
struct OperatorPage {
    page: Page,
    frame: Frame,
    own_path: String,
    rows: Vec<Row>,
    tokens: Vec<Shown>,
    sessions: Vec<Shown>,
    /// Whether it is the visitor's to change.
    may_change: bool,
    /// Whether it signs in, and is somebody else.
    may_reset: bool,
}

pub(super) async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Problem> {
    let frame = visit
        .frame(PATH, "nav-operators")
        .done(&visit.app.look, done.as_deref());
    let address = Address::new(&["operators", &id]);
    let WithTokens { operator, tokens } = visit.api.get(address).await?;
    let names = super::names(&visit).await?;
    let status = frame.status();
    let frame = frame
        .titled(&operator.name)
        .back(PATH, visit.say("nav-operators"));
    let (page, frame) = frame.parts();
    let organisation = operator.organisation.clone();
    let organisation = organisation.unwrap_or_else(|| visit.say("whole-gateway"));
    let mut rows = vec![
        Row::new(visit.say("operator-id"), &operator.id),
        Row::new(visit.say("operator-role"), role(&visit, &operator.role)),
        Row::new(visit.say("organisation"), organisation),
        Row::new(visit.say("operator-kind"), operator.kind(&visit)),
    ];
    if operator.person != operator.id {
        rows.push(Row::new(
            visit.say("operator-person"),
            name(&names, &operator.person),
        ));
    }
    let added = ui::time::date_and_clock(operator.added_at);
    rows.push(Row::new(visit.say("operator-added"), added));
    let now = visit.app.now();
    let page = OperatorPage {
        page,
        frame,
        rows,
        tokens: in_force(&visit, &tokens, "token", now),
        sessions: in_force(&visit, &tokens, "session", now),
        may_change: visit.may(CHANGE),
        may_reset: operator.signs_in() && operator.id != visit.operator.id,
        own_path: format!("{PATH}/{}", operator.id),
    };
    Ok(render(status, &page))
}

pub(super) async fn revoke(
    visit: Visit,
    Path((id, token)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Problem> {
    let address = Address::new(&["tokens", &token, "revoke"]);
    visit.api.post::<()>(address, &why(&fields)).await?;
    Ok(told_at(&format!("{PATH}/{id}"), "revoked"))
}
