//! What two persons do about operators together: add one, give one another role, give one a token, help one who lost what they
//! sign in with.
//!
//! The token of a new operator never passes through anybody's hands: its holder makes it (`lanyard admin token`) and hands
//! over its SHA-256, which is what is proposed.

use serde::{Deserialize, Serialize};
use store::Statement;

use super::desk::new_id;
use super::rows::{self, Known, NewOperator};
use super::sign_in::{end_sessions, forget};
use super::{MOST_TOKEN_DAYS, TOKEN_DAYS, visible};
use crate::admin::{Acts, Approved, Checked, Code, Operator, Problem, Right, Role, TwoPersonAct};
use crate::app::App;
use crate::audit::Act;
use crate::organisation::declared::must_be_declared;

/// Adds the acts of this slice.
pub(crate) fn acts(acts: Acts) -> Acts {
    acts.with(Add)
        .with(ChangeRole)
        .with(AddToken)
        .with(ResetSignIn)
}

/// Adds an operator.
struct Add;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Addition {
    name: String,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    /// `self`, or the id of another operator.
    person: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    program: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    break_glass: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    /// What `person` comes to, in words for whoever approves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    const CODE: &'static str = "operator-add";
    const SENTENCE: &'static str = "Add an operator. `detail`: `name`, `role`; `person`: `self` for a person who is no operator yet, or the id of another \
         account of the same person, or with `program` of whoever answers for it; `organisation` to confine it to one; \
         `break_glass`; `token_sha256` of a token that its holder made, and its `days`";
    const RIGHT: Right = Right::OperatorsChange;
    type Asked = Addition;
    type Kept = Addition;

    async fn check(
        &self,
        app: &App,
        operator: &Operator,
        mut addition: Addition,
    ) -> Result<Checked<Addition>, Problem> {
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
        let known = rows::of_name(&app.store, &addition.name, organisation).await?;
        if known.is_some() {
            return Err(Code::NameTaken.into());
        }
        addition.counts_as = Some(counts_as);
        Ok(Checked {
            organisation: addition.organisation.clone(),
            object: ("operator-name", addition.name.clone()),
            kept: addition,
        })
    }

    async fn carry_out(
        &self,
        app: &App,
        approved: &Approved,
        addition: Addition,
    ) -> Result<Vec<Statement>, Problem> {
        let id = new_id("op", &app.random);
        let mut batch = Vec::new();
        if let Some(id) = &addition.organisation {
            // Otherwise it would be an operator of whoever comes under that id.
            let organisation = app.organisations.find(id).ok_or(Code::ChangedMeanwhile)?;
            batch.extend(must_be_declared(organisation, "organisation", id));
        }
        let mut new = addition.new_operator();
        let other = match addition.other() {
            Some(other) => rows::find(&app.store, other, None).await?,
            None => None,
        };
        if let Some(asked) = addition.other() {
            batch.push(rows::must_be_there(asked));
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
        let named = addition.token_sha256.as_deref();
        batch.extend(give(app, approved, &id, named, addition.days)?);
        Ok(batch)
    }
}

/// Gives an operator another role.
struct ChangeRole;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleChange {
    operator: String,
    role: Role,
}

#[derive(Serialize, Deserialize)]
struct KeptRoleChange {
    operator: String,
    role: Role,
    /// What it was when that was proposed.
    from: Role,
}

impl TwoPersonAct for ChangeRole {
    const CODE: &'static str = "operator-role-change";
    const SENTENCE: &'static str =
        "Give an operator another role. `detail`: `operator`, its id; `role`";
    const RIGHT: Right = Right::OperatorsChange;
    type Asked = RoleChange;
    type Kept = KeptRoleChange;

    async fn check(
        &self,
        app: &App,
        operator: &Operator,
        change: RoleChange,
    ) -> Result<Checked<KeptRoleChange>, Problem> {
        let known = visible(app, operator, &change.operator).await?;
        if known.role == change.role.name() {
            let reason = "it is the operator's role already";
            return Err(Problem::field("detail.role", reason));
        }
        Ok(Checked {
            organisation: known.organisation,
            object: ("operator", known.id.clone()),
            kept: KeptRoleChange {
                operator: known.id,
                role: change.role,
                // A newer program's role is its own to change.
                from: Role::of_name(&known.role).ok_or(Code::ChangedMeanwhile)?,
            },
        })
    }

    async fn carry_out(
        &self,
        _: &App,
        approved: &Approved,
        change: KeptRoleChange,
    ) -> Result<Vec<Statement>, Problem> {
        let update =
            "UPDATE operators SET role = $1 WHERE id = $2 AND role = $3 AND removed_at IS NULL";
        let update = Statement::new(update)
            .bind(change.role.name())
            .bind(&change.operator)
            .bind(change.from.name())
            .must_change(1);
        let entry = approved
            .entry(Act::OperatorRoleChanged, ("operator", &change.operator))
            .with("from", change.from.name())
            .with("to", change.role.name());
        // What a session may is what its role was when its pages were shown: whoever has another role signs in anew.
        let ended = end_sessions(&change.operator, None, approved.at);
        // Nor is what they proposed as what they were.
        let declined = rows::decline_open(&change.operator, approved.at);
        Ok(vec![update, ended, declined, entry.into()])
    }
}

/// Gives an operator one more token.
struct AddToken;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenAddition {
    operator: String,
    token_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
}

impl TwoPersonAct for AddToken {
    const CODE: &'static str = "operator-token-add";
    const SENTENCE: &'static str = "Give an operator one more token. `detail`: `operator`, its id; `token_sha256` of a token that its holder made; \
         `days`. It is approved by that operator, or whoever answers for the program, and by nobody else: only they know \
         whether they made it";
    const RIGHT: Right = Right::OperatorsChange;
    const IS_APPROVED_BY_WHOM_IT_NAMES: bool = true;
    type Asked = TokenAddition;
    type Kept = TokenAddition;

    async fn check(
        &self,
        app: &App,
        operator: &Operator,
        addition: TokenAddition,
    ) -> Result<Checked<TokenAddition>, Problem> {
        let known = visible(app, operator, &addition.operator).await?;
        token(Some(&addition.token_sha256), addition.days)?;
        Ok(Checked {
            organisation: known.organisation,
            object: ("operator", known.id),
            kept: addition,
        })
    }

    async fn carry_out(
        &self,
        app: &App,
        approved: &Approved,
        addition: TokenAddition,
    ) -> Result<Vec<Statement>, Problem> {
        let holder = rows::find(&app.store, &addition.operator, None).await?;
        let holder = holder.ok_or(Code::ChangedMeanwhile)?;
        let by = &approved.by;
        if by.program || by.person != holder.person {
            let reason = "Only the operator whose token it becomes approves this: nobody else knows who made it.";
            return Err(Problem::with(Code::Forbidden, reason));
        }
        let named = Some(addition.token_sha256.as_str());
        give(app, approved, &addition.operator, named, addition.days)
    }
}

/// Forgets how an operator signs in, and gives them the token with which they set it up anew.
struct ResetSignIn;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignInReset {
    operator: String,
    #[serde(default)]
    token_sha256: Option<String>,
    #[serde(default)]
    days: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct KeptSignInReset {
    operator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    /// What the second person does first, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ask_first: Option<String>,
}

impl TwoPersonAct for ResetSignIn {
    const CODE: &'static str = "operator-sign-in-reset";
    const SENTENCE: &'static str = "Forget the password, authenticator and recovery codes of an operator who lost them, and end their sessions. `detail`: \
         `operator`, its id; `token_sha256` of a token that they made for setting up anew, where they have none, and its `days`. \
         Neither of the two persons is the one it is about";
    const RIGHT: Right = Right::OperatorsChange;
    type Asked = SignInReset;
    type Kept = KeptSignInReset;

    async fn check(
        &self,
        app: &App,
        operator: &Operator,
        reset: SignInReset,
    ) -> Result<Checked<KeptSignInReset>, Problem> {
        let known = visible(app, operator, &reset.operator).await?;
        if known.program || known.break_glass {
            let reason = "a program and the account for emergencies have a token and no sign-in";
            return Err(Problem::field("detail.operator", reason));
        }
        is_another(operator, &known)?;
        token(reset.token_sha256.as_deref(), reset.days)?;
        let ask_first = reset.token_sha256.is_some().then(|| {
            let name = &known.name;
            format!("whoever has this token is {name} from then on: ask {name} yourself for its SHA-256, and compare")
        });
        Ok(Checked {
            organisation: known.organisation,
            object: ("operator", known.id),
            kept: KeptSignInReset {
                operator: reset.operator,
                token_sha256: reset.token_sha256,
                days: reset.days,
                ask_first,
            },
        })
    }

    async fn carry_out(
        &self,
        app: &App,
        approved: &Approved,
        reset: KeptSignInReset,
    ) -> Result<Vec<Statement>, Problem> {
        let known = rows::find(&app.store, &reset.operator, None).await?;
        let known = known.ok_or(Code::ChangedMeanwhile)?;
        is_another(&approved.by, &known)?;
        let mut batch = vec![rows::must_be_there(&known.id)];
        batch.extend(forget(&known.id, approved.at));
        let entry = approved.entry(Act::OperatorSignInReset, ("operator", &known.id));
        batch.push(entry.into());
        let named = reset.token_sha256.as_deref();
        batch.extend(give(app, approved, &known.id, named, reset.days)?);
        Ok(batch)
    }
}

/// Nobody resets their own: whoever has a screen of theirs for a moment could.
fn is_another(by: &Operator, known: &Known) -> Result<(), Problem> {
    if by.person != known.person {
        return Ok(());
    }
    let reason = "Nobody resets their own sign-in: two others do, or whoever has the machine.";
    Err(Problem::with(Code::Forbidden, reason))
}

/// Gives an operator the token that is named, if one is.
fn give(
    app: &App,
    approved: &Approved,
    operator: &str,
    sha256: Option<&str>,
    days: Option<u32>,
) -> Result<Vec<Statement>, Problem> {
    let Some((digest, days)) = token(sha256, days)? else {
        return Ok(Vec::new());
    };
    let id = new_id("tk", &app.random);
    let insert = rows::insert_token(&id, operator, digest, approved.at, days);
    let entry = approved
        .entry(Act::OperatorTokenMade, ("operator", operator))
        .id("token", &id);
    Ok(vec![insert, entry.into()])
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
