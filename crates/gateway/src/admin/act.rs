//! What an act is that needs a second person: the one frame that all of them stand in.
//!
//! An act has a name, asks for a right, and knows two forms of what it is about: what is *asked*, as somebody wrote it, and what
//! is *kept* in the proposal, as it was checked: that is what the second person reads and what is carried out. A slice says no
//! more than that; reading, refusing what cannot be read, and marking the proposal in the same batch are done here, once.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::Statement;

use super::caller::Operator;
use super::problem::{Code, Problem};
use super::read::detail;
use super::role::Right;
use crate::app::App;
use crate::audit::{Act, By, Entry};

/// An act that needs a second person. A slice implements it and the composition root registers it.
pub trait TwoPersonAct: Send + Sync + 'static {
    /// Its stable code, kebab-case: what a proposal names.
    const CODE: &'static str;

    /// What it does, in a sentence for the description.
    const SENTENCE: &'static str;

    /// The right that whoever proposes it needs, and whoever approves it.
    const RIGHT: Right;

    /// Whether it is approved by the operator whom it names and by nobody else, whatever rights that one has. Which operator that
    /// is is for [`TwoPersonAct::carry_out`] to look at.
    const IS_APPROVED_BY_WHOM_IT_NAMES: bool = false;

    /// What is asked for, as it is written in `detail`: with unknown members refused.
    type Asked: DeserializeOwned + Send;

    /// What the proposal says of it, and [`TwoPersonAct::carry_out`] is given. No secret: whoever may read proposals reads it. An
    /// earlier program's proposals wait for a week: a new member has a default.
    type Kept: Serialize + DeserializeOwned + Send;

    /// Checks what is asked for, as things stand now: that it can be meant, and that everything it names is the operator's to
    /// see ([`Operator::sees`]; what is not is [`Code::NotFound`]). Nothing is changed.
    fn check(
        &self,
        app: &App,
        operator: &Operator,
        asked: Self::Asked,
    ) -> impl Future<Output = Result<Checked<Self::Kept>, Problem>> + Send;

    /// The statements that do it, each with the condition that things are still as they must be
    /// ([`Statement::must_change`]), and its own entry in the audit ([`Approved::entry`]). Where a condition does not hold
    /// nothing at all is done, and the proposal stays open.
    fn carry_out(
        &self,
        app: &App,
        approved: &Approved,
        kept: Self::Kept,
    ) -> impl Future<Output = Result<Vec<Statement>, Problem>> + Send;
}

/// What a proposal is about, once it is checked.
#[derive(Clone, Debug)]
pub struct Checked<Kept> {
    /// Whose it is; `None`: the whole gateway's. Operators of another organisation do not see the proposal.
    pub organisation: Option<String>,
    /// Kind and id of what it is done to.
    pub object: (&'static str, String),
    /// What the proposal says of it.
    pub kept: Kept,
}

/// A proposal that is being approved.
#[derive(Clone, Debug)]
pub struct Approved {
    /// Its id.
    pub proposal: String,
    /// Whose it is.
    pub organisation: Option<String>,
    /// Why, in the proposer's words.
    pub reason: Option<String>,
    /// Under which ticket.
    pub ticket: Option<String>,
    /// Who approves.
    pub by: Operator,
    /// When.
    pub at: Timestamp,
}

impl Approved {
    /// Who does it and why, for the audit: the approver, with the proposal's id, reason and ticket.
    pub fn by(&self) -> By<'_> {
        By {
            actor: self.by.actor(),
            reason: self.reason.as_deref(),
            ticket: self.ticket.as_deref(),
            proposal: Some(&self.proposal),
        }
    }

    /// An entry of the audit for what is done to something of whoever's the proposal is.
    pub fn entry(&self, act: Act, object: (&'static str, &str)) -> Entry {
        let entry = self.by().entry(act, object, self.at);
        entry.organisation(self.organisation.as_deref())
    }
}

type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send + 'a>>;

/// An act without its types: what the table of all acts holds.
pub(super) trait AnyAct: Send + Sync {
    fn code(&self) -> &'static str;
    fn sentence(&self) -> &'static str;
    fn right(&self) -> Right;
    fn is_approved_by_whom_it_names(&self) -> bool;

    /// [`TwoPersonAct::check`] of a `detail` as it was sent.
    fn check_detail<'a>(
        &'a self,
        app: &'a App,
        operator: &'a Operator,
        asked: &'a Value,
    ) -> Pending<'a, Checked<Value>>;

    /// [`TwoPersonAct::carry_out`] of a `detail` as it was kept.
    fn carry_out_detail<'a>(
        &'a self,
        app: &'a App,
        approved: &'a Approved,
        kept: &'a Value,
    ) -> Pending<'a, Vec<Statement>>;
}

impl<A: TwoPersonAct> AnyAct for A {
    fn code(&self) -> &'static str {
        A::CODE
    }

    fn sentence(&self) -> &'static str {
        A::SENTENCE
    }

    fn right(&self) -> Right {
        A::RIGHT
    }

    fn is_approved_by_whom_it_names(&self) -> bool {
        A::IS_APPROVED_BY_WHOM_IT_NAMES
    }

    fn check_detail<'a>(
        &'a self,
        app: &'a App,
        operator: &'a Operator,
        asked: &'a Value,
    ) -> Pending<'a, Checked<Value>> {
        Box::pin(async move {
            let checked = self.check(app, operator, detail(asked)?).await?;
            Ok(Checked {
                organisation: checked.organisation,
                object: checked.object,
                kept: serde_json::to_value(checked.kept).map_err(|error| {
                    tracing::error!(%error, act = A::CODE, "a proposal cannot be written as JSON");
                    Code::Internal
                })?,
            })
        })
    }

    fn carry_out_detail<'a>(
        &'a self,
        app: &'a App,
        approved: &'a Approved,
        kept: &'a Value,
    ) -> Pending<'a, Vec<Statement>> {
        Box::pin(async move {
            // What another program kept in another form is proposed anew.
            let kept = detail(kept).map_err(|_| Code::ChangedMeanwhile)?;
            self.carry_out(app, approved, kept).await
        })
    }
}

/// The acts that this gateway knows.
#[derive(Clone, Default)]
pub struct Acts(BTreeMap<&'static str, Arc<dyn AnyAct>>);

impl Acts {
    /// And this one.
    #[must_use]
    pub fn with<A: TwoPersonAct>(mut self, act: A) -> Self {
        self.0.insert(A::CODE, Arc::new(act));
        self
    }

    /// All of them, by code.
    pub(super) fn all(&self) -> impl Iterator<Item = &dyn AnyAct> {
        self.0.values().map(AsRef::as_ref)
    }

    pub(super) fn of_code(&self, code: &str) -> Option<&dyn AnyAct> {
        self.0.get(code).map(AsRef::as_ref)
    }
}
