//! A credential goes to the wallet, and what became of it.

pub(crate) mod page;

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use connector::desk::{Credential, Issuing, Stage};
use serde::Deserialize;

use crate::audit::{Act, Kind};
use crate::progress::Progress;
use crate::token::reference_of;
use crate::trouble::Trouble;
use crate::visit::{Holder, Posted};
use crate::{again, confirm, credential, identity, problem};
use page::{AddedView, Outcome};

/// What became of the newest that was asked for.
pub(crate) fn path(record: &str) -> String {
    format!("/credentials/{record}/added")
}

/// What became of the one with this reference: another tab may have asked for a newer one.
pub(crate) fn path_of(record: &str, reference: &str) -> String {
    format!("/credentials/{record}/added?of={reference}")
}

#[derive(Deserialize)]
pub(crate) struct AddedQuery {
    of: Option<String>,
}

/// `POST /credentials/{id}/add`.
pub(crate) async fn add(
    Path(id): Path<String>,
    posted: Posted<Holder>,
) -> Result<Response, Trouble> {
    let holder = posted.by;
    let app = &holder.app;
    let Some(progress) = holder.progress_of(&id).await? else {
        return Ok(holder.not_found());
    };
    if let Some(elsewhere) = again::instead(&progress) {
        return Ok(elsewhere);
    }
    let record = progress.record;
    let issuing = app
        .desk
        .issue(holder.at_desk(), &record.for_desk(), record.unchanged())
        .await
        .map_err(Trouble::starting_from(credential::path(&id)))?;
    let next = match issuing {
        Issuing::Go(url) => {
            let act = Act::own(Kind::AddingStarted, &holder.employee.id).of(&id);
            app.leave_for(&holder.session, &path(&id), act).await?;
            return Ok(Redirect::to(url.as_str()).into_response());
        }
        Issuing::AskAboutOldCopy => again::path(&id),
        Issuing::Confirm => confirm::path(&id),
        Issuing::Changed(_) => confirm::path_when_changed(&id),
        Issuing::Identify => {
            app.choose(&holder.employee, &id).await?;
            identity::PATH.to_owned()
        }
    };
    Ok(Redirect::to(&next).into_response())
}

/// `GET /credentials/{id}/add`: whoever comes here by logging in again, or by going back, sees how it stands.
pub(crate) async fn see(_: Holder, Path(id): Path<String>) -> Redirect {
    Redirect::to(&credential::path(&id))
}

/// `GET /credentials/{id}/added`: of the one that came back, or the newest that was asked for, only what is known.
pub(crate) async fn show(
    holder: Holder,
    Path(id): Path<String>,
    Query(query): Query<AddedQuery>,
) -> Result<Response, Trouble> {
    let Some(progress) = holder.progress_of(&id).await? else {
        return Ok(holder.not_found());
    };
    let its_page = || Redirect::to(&credential::path(&id)).into_response();
    let reference = |one: &Credential| reference_of(&one.serial_number.to_string());
    let asked_for = |one: &&Credential| query.of == Some(reference(one));
    let mut all = progress.credentials.iter();
    let newest = progress.credentials.first();
    let Some(credential) = all.find(asked_for).or(newest) else {
        return Ok(its_page());
    };
    let reference = reference(credential);
    let outcome = match outcome_of(credential) {
        Known::Outcome(outcome) => outcome,
        Known::GatewayFailed => {
            let page = problem::path(&reference, &credential::path(&id));
            return Ok(Redirect::to(&page).into_response());
        }
        Known::Elsewhere => return Ok(its_page()),
    };
    Ok(show_outcome(&holder, &progress, reference, outcome))
}

fn show_outcome(
    holder: &Holder,
    progress: &Progress,
    reference: String,
    outcome: Outcome,
) -> Response {
    let view = AddedView {
        id: progress.record.id.clone(),
        title: progress.record.label.clone(),
        reference,
        outcome,
    };
    let policy = holder.app.to_gateway();
    page::show(&holder.app.look, &holder.visitor(), view, &policy)
}

enum Known {
    Outcome(Outcome),
    /// Nothing reached the wallet, and that is not the person's doing.
    GatewayFailed,
    /// Its own page says it better.
    Elsewhere,
}

fn outcome_of(credential: &Credential) -> Known {
    // It changed while it was away: whatever was added is revoked, or going to be.
    let is_stale = credential.changed_at.is_some();
    match (credential.stage, credential.outcome.as_deref()) {
        (Stage::Issued | Stage::Revoked, _) if is_stale => Known::Outcome(Outcome::Stale {
            is_cancelled: credential.stage == Stage::Revoked,
        }),
        (Stage::Issued, _) if credential.revoking => Known::Elsewhere,
        (Stage::Issued, _) => Known::Outcome(Outcome::Added {
            at: credential.issued_at.unwrap_or(credential.started_at),
        }),
        (Stage::Checking, _) => Known::Outcome(Outcome::Checking),
        (Stage::NotIssued, Some("declined" | "not-accepted")) => Known::Outcome(Outcome::NotAdded),
        (Stage::NotIssued, Some("timed-out")) => Known::Outcome(Outcome::TookTooLong),
        (Stage::Asked | Stage::Revoked, _)
        | (Stage::NotIssued, Some("never-came-back" | "not-in-force")) => Known::Elsewhere,
        (Stage::NotIssued, _) => Known::GatewayFailed,
    }
}
