//! What two persons do: send the browsers of a relying party that is live somewhere else.

use serde::Deserialize;
use serde_json::{Value, json};
use store::Statement;

use super::super::{Key, Kind, Plan, RegistryError, carry_out};
use super::relying_parties::altered;
use super::{find, invalid, problem, registered};
use crate::Gateway;
use crate::admin::{
    Approved, Checked, Code, Operator, Pending, Problem, Right, TwoPersonAct, detail,
};
use crate::app::App;
use crate::audit::By;

/// The act, by its code.
pub(super) const CODE: &str = "relying-party-redirect-change";

/// Gives a relying party other redirect addresses.
pub(super) struct RedirectUris(pub(super) Gateway);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redirects {
    relying_party: String,
    redirect_uris: Vec<String>,
    /// The version that was looked at when that was proposed.
    #[serde(default)]
    version: Option<i64>,
    /// Those of that version, for whoever reads the proposal.
    #[serde(default)]
    #[allow(dead_code)]
    from: Vec<String>,
}

impl RedirectUris {
    /// The change, checked with everything else; its version says what it is made to.
    async fn plan(&self, operator: &Operator, asked: &Redirects) -> Result<Plan, Problem> {
        let client_id = asked.relying_party.as_str();
        let key: Key = (Kind::RelyingParty, client_id.to_owned());
        let registry = self.0.registered().await;
        let registry = registry.map_err(|error| problem(error, operator, client_id))?;
        let entry = registry.find(Kind::RelyingParty, client_id);
        let changed = json!({ "redirect_uris": asked.redirect_uris });
        let entry = altered(entry.ok_or(Code::ChangedMeanwhile)?, changed);
        let entry = entry.map_err(|error| invalid(&error, operator, client_id))?;
        self.0
            .plan_with(|registered| {
                Ok::<_, RegistryError>(Plan::of_one(registered, &key, Some(&entry)))
            })
            .await
            .map_err(|error| problem(error, operator, client_id))
    }
}

impl TwoPersonAct for RedirectUris {
    fn code(&self) -> &'static str {
        CODE
    }

    fn sentence(&self) -> &'static str {
        "Give a relying party other redirect addresses. `detail`: `relying_party`, its client id; `redirect_uris`, all of them \
         as they are to be"
    }

    fn right(&self) -> Right {
        Right::RegistryChange
    }

    fn check<'a>(
        &'a self,
        _: &'a App,
        operator: &'a Operator,
        asked: &'a Value,
    ) -> Pending<'a, Checked> {
        Box::pin(async move {
            let asked: Redirects = detail(asked)?;
            let client_id = asked.relying_party.clone();
            let declared = find(&self.0, operator, Kind::RelyingParty, &client_id).await?;
            let version = registered(&declared, None)?;
            if self.plan(operator, &asked).await?.is_empty() {
                let reason = "they are the relying party's already";
                return Err(Problem::field("detail.redirect_uris", reason));
            }
            Ok(Checked {
                organisation: declared.organisation,
                object: ("relying-party", client_id),
                detail: json!({
                    "relying_party": asked.relying_party, "redirect_uris": asked.redirect_uris,
                    "from": declared.body["redirect_uris"], "version": version,
                }),
            })
        })
    }

    fn carry_out<'a>(
        &'a self,
        app: &'a App,
        approved: &'a Approved,
    ) -> Pending<'a, Vec<Statement>> {
        Box::pin(async move {
            let asked: Redirects = detail(&approved.detail)?;
            let plan = self.plan(&approved.by, &asked).await?;
            // What was proposed was proposed of that version; the statement asks for it once more.
            let same = plan
                .changes
                .iter()
                .all(|change| Some(change.version) == asked.version);
            if plan.is_empty() || !same {
                return Err(Code::ChangedMeanwhile.into());
            }
            let by = By {
                reason: approved.reason.as_deref(),
                ticket: approved.ticket.as_deref(),
                proposal: Some(&approved.proposal),
                ..approved.by.actor().into()
            };
            carry_out(&plan, &app.seal, by, approved.at)
                .map_err(|error| problem(error, &approved.by, &asked.relying_party))
        })
    }
}
