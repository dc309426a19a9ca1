//! A lost phone: everything in the wallet on it is cancelled, and can be added again on another.

pub(crate) mod page;

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use connector::desk::{Cause, Credential, Stage};
use serde::Deserialize;

use crate::audit::{Act, Kind};
use crate::trouble::Trouble;
use crate::visit::{Holder, Posted};
use page::LostPhoneView;

/// The page's path.
pub(crate) const PATH: &str = "/lost-phone";

#[derive(Deserialize)]
pub(crate) struct LostPhoneQuery {
    done: Option<String>,
}

/// `GET /lost-phone`.
pub(crate) async fn show(
    holder: Holder,
    Query(query): Query<LostPhoneQuery>,
) -> Result<Response, Trouble> {
    let (look, visitor) = (&holder.app.look, holder.visitor());
    if query.done.is_some() {
        return Ok(page::show_done(look, &visitor));
    }
    let credentials = holder.app.desk.credentials(&holder.employee.id).await?;
    let mut titles: Vec<String> = Vec::new();
    for credential in credentials.into_iter().filter(may_be_in_a_wallet) {
        if !titles.contains(&credential.label) {
            titles.push(credential.label);
        }
    }
    Ok(page::show(look, &visitor, LostPhoneView { titles }))
}

/// Whether somebody who has the phone may have it, or may be about to.
fn may_be_in_a_wallet(credential: &Credential) -> bool {
    let is_out = matches!(
        credential.stage,
        Stage::Issued | Stage::Asked | Stage::Checking
    );
    is_out && !credential.revoking
}

/// `POST /lost-phone`. Whoever has the phone has the identity in it as well: this session asks for one anew.
pub(crate) async fn cancel_all(posted: Posted<Holder>) -> Result<Response, Trouble> {
    let holder = posted.by;
    let (app, employee) = (&holder.app, holder.employee.id.as_str());
    let mut batch = app.desk.all_revoked(employee, Cause::WalletLost);
    let act = Act::own(Kind::PhoneLost, employee).with(Cause::WalletLost.code());
    batch.push(act.statement(holder.now));
    app.store.write(batch).await?;
    app.desk.wake();
    tracing::info!("an employee lost their phone: everything that is out is to be revoked");
    Ok(Redirect::to(&format!("{PATH}?done=yes")).into_response())
}
