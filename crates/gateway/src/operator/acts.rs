//! What two persons do about operators together: add one, give one another role, give one a token.
//!
//! The token of a new operator never passes through anybody's hands: its holder makes it (`lanyard admin token`) and hands
//! over its SHA-256, which is what is proposed.

use serde::Deserialize;
use serde_json::{Value, json};
use store::Statement;

use super::desk::new_id;
use super::rows::{self, Known, NewOperator};
use super::sign_in::end_sessions;
use super::{MOST_TOKEN_DAYS, TOKEN_DAYS, visible};
use crate::admin::{
    Acts, Approved, Checked, Code, Operator, Pending, Problem, Right, Role, TwoPersonAct, detail,
};
use crate::app::App;
use crate::audit::Act;

/// Adds the acts of this slice.
pub(crate) fn acts(acts: Acts) -> Acts {
    acts.with(Add).with(ChangeRole).with(AddToken)
}

/// Adds an operator.
struct Add;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Addition {
    name: String,
    role: Role,
    #[serde(default)]
    organisation: Option<String>,
    /// `self`, or the id of another operator.
    person: String,
    #[serde(default)]
    program: bool,
    #[serde(default)]
    break_glass: bool,
    #[serde(default)]
    token_sha256: Option<String>,
    #[serde(default)]
    days: Option<u32>,
    /// What `person` comes to, in words for whoever approves.
    #[serde(default)]
    counts_as: Option<String>,
}

/// What says that an operator is a person of its own.
const SELF: &str = "self";

impl Addition {
    /// The other operator who is the same person, or answers for the program.
    fn other(&self) -> Option<&str> {
        (self.person != SELF).then_some(self.person.as_str())
    }

    /// What it counts as, where `other` is who was named; or why it cannot be meant.
    fn counts_as(&self, other: Option<&Known>) -> Result<String, Problem> {
        let Some(other) = other else {
            if self.program {
                let reason = "a program has somebody who answers for it: say their id";
                return Err(Problem::field("detail.person", reason));
            }
            return Ok("a person of its own, who can approve what others propose".to_owned());
        };
        let (name, id) = (&other.name, &other.id);
        if other.program || other.break_glass || self.break_glass {
            let reason =
                "say the id of somebody who signs in; the account for emergencies is `self`";
            return Err(Problem::field("detail.person", reason));
        }
        if !self.program {
            return Ok(format!(
                "another account of the operator {name} ({id}): the two are one person"
            ));
        }
        if other.organisation.is_some() && other.organisation != self.organisation {
            let reason =
                "who answers for a program is of the whole gateway or of the same organisation";
            return Err(Problem::field("detail.person", reason));
        }
        Ok(format!(
            "a program for which the operator {name} ({id}) answers: the two are one person"
        ))
    }

    fn new_operator(&self) -> NewOperator<'_> {
        NewOperator {
            name: &self.name,
            role: self.role,
            organisation: self.organisation.as_deref(),
            person: self.other(),
            break_glass: self.break_glass,
        }
    }
}

impl TwoPersonAct for Add {
    fn code(&self) -> &'static str {
        "operator-add"
    }

    fn sentence(&self) -> &'static str {
        "Add an operator. `detail`: `name`, `role`; `person`: `self` for a person who is no operator yet, or the id of another \
         account of the same person, or with `program` of whoever answers for it; `organisation` to confine it to one; \
         `break_glass`; `token_sha256` of a token that its holder made, and its `days`"
    }

    fn right(&self) -> Right {
        Right::OperatorsChange
    }

    fn check<'a>(
        &'a self,
        app: &'a App,
        operator: &'a Operator,
        asked: &'a Value,
    ) -> Pending<'a, Checked> {
        Box::pin(async move {
            let mut addition: Addition = detail(asked)?;
            if addition.counts_as.is_some() {
                return Err(Problem::field("detail.counts_as", "the gateway says this"));
            }
            if addition.organisation.is_none() {
                addition.organisation = operator.organisation().map(str::to_owned);
            }
            let organisation = addition.organisation.as_deref();
            // What is another's and what is nobody's are told apart by nothing.
            let is_known = organisation.is_none_or(|id| app.organisations.find(id).is_some());
            if !operator.sees(organisation) || !is_known {
                return Err(Code::NotFound.into());
            }
            if !addition.new_operator().has_a_name() {
                let reason = "1 to 64 lower-case letters, digits, `.`, `-`, `_` and `@`, a letter or digit first";
                return Err(Problem::field("detail.name", reason));
            }
            let other = match addition.other() {
                Some(id) => Some(visible(app, operator, id).await?),
                None => None,
            };
            let counts_as = addition.counts_as(other.as_ref())?;
            token(addition.token_sha256.as_deref(), addition.days)?;
            if rows::of_name(&app.store, &addition.name, organisation)
                .await?
                .is_some()
            {
                return Err(Code::NameTaken.into());
            }
            let mut detail = asked.clone();
            detail["counts_as"] = json!(counts_as);
            if let Some(id) = &addition.organisation {
                detail["organisation"] = json!(id);
            }
            Ok(Checked {
                organisation: addition.organisation,
                object: ("operator-name", addition.name),
                detail,
            })
        })
    }

    fn carry_out<'a>(
        &'a self,
        app: &'a App,
        approved: &'a Approved,
    ) -> Pending<'a, Vec<Statement>> {
        Box::pin(async move {
            let addition: Addition = detail(&approved.detail)?;
            let id = new_id("op", &app.random);
            let mut batch = Vec::new();
            let mut new = addition.new_operator();
            let other = match addition.other() {
                Some(other) => rows::find(&app.store, other, None).await?,
                None => None,
            };
            if let Some(asked) = addition.other() {
                let there =
                    "UPDATE operators SET person = person WHERE id = $1 AND removed_at IS NULL";
                batch.push(Statement::new(there).bind(asked).must_change(1));
                // Whoever is named may be another account already: there is one person to all of them.
                new.person = other.as_ref().map(|other| other.person.as_str());
            }
            batch.push(new.insert_as(&id, addition.program, approved.at));
            let entry = approved
                .entry(Act::OperatorAdded, ("operator", &id))
                .id("name", &addition.name)
                .with("role", addition.role.name())
                .id("person", new.person.unwrap_or(&id))
                .number("break-glass", addition.break_glass.into());
            batch.push(entry.into());
            if let Some((digest, days)) = token(addition.token_sha256.as_deref(), addition.days)? {
                batch.extend(give(app, approved, &id, digest, days));
            }
            Ok(batch)
        })
    }
}

/// Gives an operator another role.
struct ChangeRole;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleChange {
    operator: String,
    role: Role,
    /// What it was when that was proposed.
    #[serde(default)]
    from: Option<Role>,
}

impl TwoPersonAct for ChangeRole {
    fn code(&self) -> &'static str {
        "operator-role-change"
    }

    fn sentence(&self) -> &'static str {
        "Give an operator another role. `detail`: `operator`, its id; `role`"
    }

    fn right(&self) -> Right {
        Right::OperatorsChange
    }

    fn check<'a>(
        &'a self,
        app: &'a App,
        operator: &'a Operator,
        asked: &'a Value,
    ) -> Pending<'a, Checked> {
        Box::pin(async move {
            let change: RoleChange = detail(asked)?;
            let known = visible(app, operator, &change.operator).await?;
            if known.role == change.role.name() {
                return Err(Problem::field(
                    "detail.role",
                    "it is the operator's role already",
                ));
            }
            Ok(Checked {
                organisation: known.organisation,
                detail: json!({ "operator": known.id, "role": change.role, "from": known.role }),
                object: ("operator", known.id),
            })
        })
    }

    fn carry_out<'a>(&'a self, _: &'a App, approved: &'a Approved) -> Pending<'a, Vec<Statement>> {
        Box::pin(async move {
            let change: RoleChange = detail(&approved.detail)?;
            let from = change.from.ok_or(Code::ChangedMeanwhile)?;
            let update =
                "UPDATE operators SET role = $1 WHERE id = $2 AND role = $3 AND removed_at IS NULL";
            let update = Statement::new(update)
                .bind(change.role.name())
                .bind(&change.operator)
                .bind(from.name())
                .must_change(1);
            let entry = approved
                .entry(Act::OperatorRoleChanged, ("operator", &change.operator))
                .with("from", from.name())
                .with("to", change.role.name());
            // What a session may is what its role was when its pages were shown: whoever has another role signs in anew.
            let ended = end_sessions(&change.operator, None, approved.at);
            // Nor is what they proposed as what they were.
            let declined = rows::decline_open(&change.operator, approved.at);
            Ok(vec![update, ended, declined, entry.into()])
        })
    }
}

/// Gives an operator one more token.
struct AddToken;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenAddition {
    operator: String,
    token_sha256: String,
    #[serde(default)]
    days: Option<u32>,
}

impl TwoPersonAct for AddToken {
    fn code(&self) -> &'static str {
        "operator-token-add"
    }

    fn sentence(&self) -> &'static str {
        "Give an operator one more token. `detail`: `operator`, its id; `token_sha256` of a token that its holder made; \
         `days`. It is approved by that operator, or whoever answers for the program, and by nobody else: only they know \
         whether they made it"
    }

    fn right(&self) -> Right {
        Right::OperatorsChange
    }

    fn is_approved_by_whom_it_names(&self) -> bool {
        true
    }

    fn check<'a>(
        &'a self,
        app: &'a App,
        operator: &'a Operator,
        asked: &'a Value,
    ) -> Pending<'a, Checked> {
        Box::pin(async move {
            let addition: TokenAddition = detail(asked)?;
            let known = visible(app, operator, &addition.operator).await?;
            token(Some(&addition.token_sha256), addition.days)?;
            Ok(Checked {
                organisation: known.organisation,
                object: ("operator", known.id),
                detail: asked.clone(),
            })
        })
    }

    fn carry_out<'a>(
        &'a self,
        app: &'a App,
        approved: &'a Approved,
    ) -> Pending<'a, Vec<Statement>> {
        Box::pin(async move {
            let addition: TokenAddition = detail(&approved.detail)?;
            let wanted = token(Some(&addition.token_sha256), addition.days)?;
            let (digest, days) = wanted.ok_or(Code::ChangedMeanwhile)?;
            let holder = rows::find(&app.store, &addition.operator, None).await?;
            let holder = holder.ok_or(Code::ChangedMeanwhile)?;
            let by = &approved.by;
            if by.program || by.person != holder.person {
                let reason = "Only the operator whose token it becomes approves this: nobody else knows who made it.";
                return Err(Problem::with(Code::Forbidden, reason));
            }
            Ok(give(app, approved, &addition.operator, digest, days))
        })
    }
}

fn give(
    app: &App,
    approved: &Approved,
    operator: &str,
    digest: [u8; 32],
    days: u32,
) -> Vec<Statement> {
    let id = new_id("tk", &app.random);
    let insert = rows::insert_token(&id, operator, digest, approved.at, days);
    let entry = approved
        .entry(Act::OperatorTokenMade, ("operator", operator))
        .id("token", &id);
    vec![insert, entry.into()]
}

/// The digest and the days of a token, where one is named.
fn token(sha256: Option<&str>, days: Option<u32>) -> Result<Option<([u8; 32], u32)>, Problem> {
    let days = days.unwrap_or(TOKEN_DAYS);
    if !(1..=MOST_TOKEN_DAYS).contains(&days) {
        return Err(Problem::field(
            "detail.days",
            "it is a number from 1 to 400",
        ));
    }
    let Some(sha256) = sha256 else {
        return Ok(None);
    };
    let digest = hex::decode(sha256)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    let reason = "it is the SHA-256 of a token in hexadecimal, and never the token";
    let digest = digest.ok_or_else(|| Problem::field("detail.token_sha256", reason))?;
    Ok(Some((digest, days)))
}
