//! One credential: its state, its facts, and what can be done.

pub(crate) mod page;

use axum::extract::Path;
use axum::response::Response;

use crate::trouble::Trouble;
use crate::visit::Holder;
use page::CredentialView;

/// Its page.
pub(crate) fn path(record: &str) -> String {
    format!("/credentials/{record}")
}

/// `GET /credentials/{id}`.
pub(crate) async fn show(holder: Holder, Path(id): Path<String>) -> Result<Response, Trouble> {
    let Some(progress) = holder.progress_of(&id).await? else {
        return Ok(holder.not_found());
    };
    let record = progress.record;
    let view = CredentialView {
        facts: record.credential_type.facts_of(&record.claims),
        id: record.id,
        title: record.label,
        state: progress.state,
        can_be_added: progress.can_be_added,
    };
    Ok(page::show(&holder.app.look, &holder.visitor(), view))
}
