//! The list of credentials.

pub(crate) mod page;

use axum::response::Response;

use crate::trouble::Trouble;
use crate::visit::Holder;
use page::{ListView, Listed};

/// `GET /credentials`.
pub(crate) async fn show(holder: Holder) -> Result<Response, Trouble> {
    let listed = holder.progress().await?.into_iter().map(|progress| Listed {
        id: progress.record.id,
        title: progress.record.label,
        state: progress.state,
    });
    let view = ListView {
        credentials: listed.collect(),
    };
    Ok(page::show(&holder.app.look, &holder.visitor(), &view))
}
