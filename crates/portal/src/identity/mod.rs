//! The person proves who they are, once in a session.

pub(crate) mod page;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use connector::desk::{Decision, Standing, StartFault, VerifyOutcome};
use jiff::Timestamp;
use serde::Deserialize;

use crate::app::App;
use crate::audit::{Act, Kind};
use crate::records::Record;
use crate::token::reference_of;
use crate::trouble::Trouble;
use crate::visit::{Holder, Posted, Visit};
use page::{Confirmed, DoneView, IdentityView, NotVerified, NotVerifiedView};

/// Before the scan.
pub(crate) const PATH: &str = "/identity";
/// What came of it.
const DONE: &str = "/identity/done";

/// Before the scan, to add this record's credential afterwards: another tab may be about another one.
pub(crate) fn path_for(record: Option<&str>) -> String {
    about(PATH, record)
}

/// What came of it, and on to this record's credential.
pub(crate) fn done_path_for(record: Option<&str>) -> String {
    about(DONE, record)
}

fn about(path: &str, record: Option<&str>) -> String {
    match record {
        Some(record) => format!("{path}?for={record}"),
        None => path.to_owned(),
    }
}

#[derive(Deserialize)]
pub(crate) struct IdentityQuery {
    r#for: Option<String>,
}

/// `GET /identity`.
pub(crate) async fn show(
    State(app): State<App>,
    holder: Holder,
    Query(query): Query<IdentityQuery>,
) -> Result<Response, Trouble> {
    let standing = app.desk.standing(holder.at_desk()).await?;
    let record_id = chosen(&holder, query.r#for.as_deref()).await?;
    let record_id = record_id.map(|record| record.id);
    if standing.verified_at.is_some() || standing.tries_left == 0 {
        return Ok(Redirect::to(&done_path_for(record_id.as_deref())).into_response());
    }
    let view = IdentityView { record_id };
    let policy = app.to_gateway();
    Ok(page::show(&app.look, &holder.visitor(), &view, &policy))
}

/// `POST /identity/start`.
pub(crate) async fn start(posted: Posted<Holder>) -> Result<Response, Trouble> {
    let holder = posted.by;
    let app = &holder.app;
    let standing = app.desk.standing(holder.at_desk()).await?;
    let record = chosen(&holder, posted.fields.get("for").map(String::as_str)).await?;
    let record = record.as_ref().map(|record| record.id.as_str());
    let done = done_path_for(record);
    if standing.verified_at.is_some() || standing.tries_left == 0 {
        return Ok(Redirect::to(&done).into_response());
    }
    let url = match app.desk.verify(holder.at_desk(), record).await {
        Ok(url) => url,
        Err(StartFault::NoMoreTries) => return Ok(Redirect::to(&done).into_response()),
        Err(fault) => return Err(Trouble::starting_from(path_for(record))(fault)),
    };
    let act = Act::own(Kind::IdentityStarted, &holder.employee.id);
    app.leave_for(&holder.session, &done, act).await?;
    tracing::info!(reference = %reference(&holder), "an employee goes to share their identity");
    Ok(Redirect::to(url.as_str()).into_response())
}

/// `GET /identity/start`: whoever comes here by logging in again, or by going back, begins before the scan.
pub(crate) async fn again(_: Holder) -> Redirect {
    Redirect::to(PATH)
}

/// `GET /identity/done`.
pub(crate) async fn show_done(
    State(app): State<App>,
    holder: Holder,
    Query(query): Query<IdentityQuery>,
) -> Result<Response, Trouble> {
    let record = chosen(&holder, query.r#for.as_deref()).await?;
    let standing = app.desk.standing(holder.at_desk()).await?;
    let visitor = holder.visitor();
    let policy = app.to_gateway();
    if let Some(verified_at) = standing.verified_at {
        let chosen_at = holder.employee.chosen.as_ref().map(|(_, since)| *since);
        let (confirmed_at, credential) = confirmed(&holder, record).await?.unzip();
        let view = DoneView {
            is_new: confirmed_at
                .or(chosen_at)
                .is_none_or(|at| at <= verified_at),
            credential: credential.flatten(),
        };
        return Ok(page::show_done(&app.look, &visitor, view, &policy));
    }
    let Some(why) = why_not(&standing) else {
        let record = record.as_ref().map(|record| record.id.as_str());
        return Ok(Redirect::to(&path_for(record)).into_response());
    };
    let view = NotVerifiedView {
        why,
        reference: reference(&holder),
        record_id: record.map(|record| record.id),
    };
    Ok(page::show_not_verified(&app.look, &visitor, view, &policy))
}

/// Why the identity is not verified, as far as the person is told; nothing when it was never tried, or when what went
/// wrong was not theirs.
fn why_not(standing: &Standing) -> Option<NotVerified> {
    let may_try_again = standing.tries_left > 0;
    let mismatch = NotVerified::Mismatch { may_try_again };
    let last = standing.last.map(|(last, _)| last);
    if last == Some(VerifyOutcome::Review)
        && let Some(review) = &standing.review
    {
        return Some(match review.decision {
            None => NotVerified::ToBeLookedAt { may_try_again },
            Some((Decision::Same, _)) => NotVerified::LookedAt { may_try_again },
            Some((Decision::NotSame, _)) => mismatch,
        });
    }
    if !may_try_again {
        return Some(mismatch);
    }
    match last? {
        VerifyOutcome::Mismatch | VerifyOutcome::NoUniqueIdentifier => Some(mismatch),
        VerifyOutcome::Declined => Some(NotVerified::NotShared),
        VerifyOutcome::TimedOut => Some(NotVerified::TookTooLong),
        VerifyOutcome::NotAccepted => Some(NotVerified::CannotBeUsed),
        // Looked at no more: the record was corrected.
        VerifyOutcome::Verified | VerifyOutcome::GatewayFailed | VerifyOutcome::Review => None,
    }
}

/// What the person is about to add in this tab, or else confirmed last; as long as it is theirs.
async fn chosen(visit: &Visit, here: Option<&str>) -> Result<Option<Record>, Trouble> {
    let last = visit.employee.chosen.as_ref().map(|(id, _)| id.as_str());
    match here.or(last) {
        Some(id) => visit.record(id).await,
        None => Ok(None),
    }
}

/// When they confirmed it, and what they can add now.
async fn confirmed(
    visit: &Visit,
    record: Option<Record>,
) -> Result<Option<(Timestamp, Option<Confirmed>)>, Trouble> {
    let Some(record) = record else {
        return Ok(None);
    };
    let desk = &visit.app.desk;
    let confirmed_at = desk
        .confirmed(&visit.employee.id, &record.for_desk())
        .await?;
    Ok(confirmed_at.map(|at| {
        let confirmed = record.can_be_added(visit.now).then(|| Confirmed {
            facts: record.credential_type.facts_of(&record.claims),
            id: record.id,
            title: record.label,
        });
        (at, confirmed)
    }))
}

/// The same for all identity checks of a session.
pub(crate) fn reference(visit: &Visit) -> String {
    reference_of(&visit.session.digest)
}
