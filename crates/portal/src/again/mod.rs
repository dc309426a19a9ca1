//! The old copy is to be deleted before the credential is added once more.

pub(crate) mod page;

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use connector::desk::OldCopy;

use crate::progress::Progress;
use crate::trouble::Trouble;
use crate::visit::{Holder, Posted};
use crate::{confirm, credential};
use page::{AgainView, Deleted};

/// Where the question is asked.
pub(crate) fn path(record: &str) -> String {
    format!("/credentials/{record}/again")
}

/// `GET /credentials/{id}/again`.
pub(crate) async fn show(holder: Holder, Path(id): Path<String>) -> Result<Response, Trouble> {
    ask(&holder, &id, false).await
}

async fn ask(holder: &Holder, id: &str, is_unanswered: bool) -> Result<Response, Trouble> {
    let Some(progress) = holder.progress_of(id).await? else {
        return Ok(holder.not_found());
    };
    if let Some(elsewhere) = instead(&progress) {
        return Ok(elsewhere);
    }
    let Some(added_at) = progress.added_at() else {
        // Nothing was ever in a wallet: there is nothing to delete.
        return Ok(Redirect::to(&confirm::path(id)).into_response());
    };
    let view = AgainView {
        id: progress.record.id,
        title: progress.record.label,
        added_at,
        is_unanswered,
    };
    Ok(page::show(&holder.app.look, &holder.visitor(), &view))
}

/// What cannot be added now is not asked about: its own page says why.
pub(crate) fn instead(progress: &Progress) -> Option<Response> {
    let page = credential::path(&progress.record.id);
    (!progress.can_be_added).then(|| Redirect::to(&page).into_response())
}

/// `POST /credentials/{id}/again`.
pub(crate) async fn answer(
    Path(id): Path<String>,
    posted: Posted<Holder>,
) -> Result<Response, Trouble> {
    let holder = posted.by;
    let answer = posted.fields.get("deleted").map(String::as_str);
    let old_copy = match answer.and_then(Deleted::parse) {
        None => return ask(&holder, &id, true).await,
        Some(Deleted::No) => return Ok(Redirect::to(&credential::path(&id)).into_response()),
        Some(Deleted::Yes) => OldCopy::Deleted,
        Some(Deleted::NotThere) => OldCopy::NotThere,
    };
    let Some(progress) = holder.progress_of(&id).await? else {
        return Ok(holder.not_found());
    };
    if let Some(elsewhere) = instead(&progress) {
        return Ok(elsewhere);
    }
    let desk = &holder.app.desk;
    desk.answer_about_old_copy(&holder.employee.id, &id, old_copy)
        .await?;
    Ok(Redirect::to(&confirm::path(&id)).into_response())
}
