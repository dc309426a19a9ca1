//! The person proves who they are, once in a session.

pub(crate) mod page;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use connector::desk::{Standing, StartFault, VerifyOutcome};

use crate::app::App;
use crate::records::Record;
use crate::token::reference_of;
use crate::trouble::Trouble;
use crate::visit::{Holder, Posted, Visit};
use page::{Confirmed, DoneView, IdentityView, NotVerified, NotVerifiedView};

/// Before the scan.
pub(crate) const PATH: &str = "/identity";
/// What came of it.
pub(crate) const DONE: &str = "/identity/done";

/// `GET /identity`.
pub(crate) async fn show(State(app): State<App>, holder: Holder) -> Result<Response, Trouble> {
    let standing = app.desk.standing(holder.at_desk()).await?;
    if standing.verified_at.is_some() || standing.tries_left == 0 {
        return Ok(Redirect::to(DONE).into_response());
    }
    let view = IdentityView {
        record_id: chosen(&holder).await?.map(|record| record.id),
    };
    let policy = app.to_gateway();
    Ok(page::show(&app.look, &holder.visitor(), &view, &policy))
}

/// `POST /identity/start`.
pub(crate) async fn start(posted: Posted<Holder>) -> Result<Response, Trouble> {
    let holder = posted.by;
    let app = &holder.app;
    let standing = app.desk.standing(holder.at_desk()).await?;
    if standing.verified_at.is_some() || standing.tries_left == 0 {
        return Ok(Redirect::to(DONE).into_response());
    }
    let url = match app.desk.verify(holder.at_desk(), None).await {
        Ok(url) => url,
        Err(StartFault::NoMoreTries) => return Ok(Redirect::to(DONE).into_response()),
        Err(fault) => return Err(Trouble::starting_from(PATH)(fault)),
    };
    app.leave_for(&holder.session, DONE).await?;
    tracing::info!(reference = %reference(&holder), "an employee goes to share their identity");
    Ok(Redirect::to(url.as_str()).into_response())
}

/// `GET /identity/start`: whoever comes here by logging in again, or by going back, begins before the scan.
pub(crate) async fn again(_: Holder) -> Redirect {
    Redirect::to(PATH)
}

/// `GET /identity/done`.
pub(crate) async fn show_done(State(app): State<App>, holder: Holder) -> Result<Response, Trouble> {
    let standing = app.desk.standing(holder.at_desk()).await?;
    let visitor = holder.visitor();
    let policy = app.to_gateway();
    if let Some(verified_at) = standing.verified_at {
        let view = DoneView {
            is_new: (holder.employee.chosen.as_ref())
                .is_none_or(|(_, since)| *since <= verified_at),
            credential: confirmed(&holder).await?,
        };
        return Ok(page::show_done(&app.look, &visitor, view, &policy));
    }
    match why_not(&standing) {
        Some(why) => {
            let reference = reference(&holder);
            let view = NotVerifiedView { why, reference };
            Ok(page::show_not_verified(&app.look, &visitor, view, &policy))
        }
        None => Ok(Redirect::to(PATH).into_response()),
    }
}

/// Why the identity is not verified, as far as the person is told; nothing when it was never tried, or when what went
/// wrong was not theirs.
fn why_not(standing: &Standing) -> Option<NotVerified> {
    let mismatch = NotVerified::Mismatch {
        may_try_again: standing.tries_left > 0,
    };
    if standing.tries_left == 0 {
        return Some(mismatch);
    }
    match standing.last?.0 {
        VerifyOutcome::Mismatch | VerifyOutcome::NoUniqueIdentifier => Some(mismatch),
        VerifyOutcome::Declined => Some(NotVerified::NotShared),
        VerifyOutcome::TimedOut => Some(NotVerified::TookTooLong),
        VerifyOutcome::NotAccepted => Some(NotVerified::CannotBeUsed),
        VerifyOutcome::Verified | VerifyOutcome::GatewayFailed => None,
    }
}

/// What the person is about to add, as long as it is theirs.
async fn chosen(visit: &Visit) -> Result<Option<Record>, Trouble> {
    match &visit.employee.chosen {
        Some((id, _)) => visit.record(id).await,
        None => Ok(None),
    }
}

/// What they have confirmed and can add now.
async fn confirmed(visit: &Visit) -> Result<Option<Confirmed>, Trouble> {
    let Some(record) = chosen(visit).await? else {
        return Ok(None);
    };
    let desk = &visit.app.desk;
    let is_confirmed = desk
        .confirmed(&visit.employee.id, &record.for_desk())
        .await?
        .is_some();
    Ok(
        (is_confirmed && record.can_be_added(visit.now)).then(|| Confirmed {
            facts: record.credential_type.facts_of(&record.claims),
            id: record.id,
            title: record.label,
        }),
    )
}

/// The same for all identity checks of a session.
pub(crate) fn reference(visit: &Visit) -> String {
    reference_of(&visit.session.digest)
}
