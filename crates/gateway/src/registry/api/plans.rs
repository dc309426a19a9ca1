//! `/admin/v1/registry`: a whole declaration at once, as `lanyard apply` has it. First the plan, then all of it or nothing.

use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::super::diff::Difference;
use super::super::{Act, Change, Declaration, Key, Kind, Plan, Registered, wire};
use super::{act_of, carry_out, check_tenants_change, invalid, problem};
use crate::Gateway;
use crate::admin::{Code, Operator, Problem, Problems, Right, Routes, Told, Why};
use crate::config::ConfigError;
use crate::operate::Guarded;

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::RegistryRead, routes!(plan))
        .with(Right::RegistryChange, routes!(apply))
}

/// What is declared.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// `credential_types` and `organisations`, of the form of the configuration file, with each secret itself in the place of
    /// where it is kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>, nullable = false)]
    declaration: Option<Value>,
    /// The same as TOML, in the place of `declaration`.
    #[serde(default)]
    #[schema(
        nullable = false,
        example = "[[organisations]]\nid = \"newtown\"\nname = \"Newtown NHS Trust\"\nissues = []\n"
    )]
    toml: Option<String>,
    /// Whether what is registered and not declared is to be removed.
    #[serde(default)]
    prune: bool,
}

/// A plan.
#[derive(Serialize, ToSchema)]
#[schema(as = RegistryPlan)]
struct Planned {
    /// Names it: whoever carries it out says which one they have seen.
    plan: String,
    /// What would happen, in order. Empty where everything is as declared.
    changes: Vec<PlannedChange>,
    /// The same for a person to read.
    text: String,
}

/// One change of a plan.
#[derive(Serialize, ToSchema)]
struct PlannedChange {
    /// `add`, `change` or `remove`.
    #[schema(example = "change")]
    act: &'static str,
    /// `credential-type`, `organisation` or `relying-party`.
    #[schema(example = "relying-party")]
    kind: &'static str,
    /// Its name.
    #[schema(example = "newtown-staff")]
    name: String,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    /// What differs, a line each. A secret is named and never shown.
    lines: Vec<String>,
    /// The same with what goes and what comes apart; what differs in secrets, and that it moves to another organisation, stands
    /// in `lines` alone.
    differences: Vec<Difference>,
    /// The act by which two persons do it: one person does not carry this plan out.
    #[serde(skip_serializing_if = "Option::is_none")]
    two_persons: Option<&'static str>,
}

impl PlannedChange {
    fn of(change: &Change, two_persons: &[(Key, Guarded)]) -> Self {
        let (kind, name) = &change.key;
        let waits = two_persons.iter().find(|(key, _)| *key == change.key);
        Self {
            act: change.act.name(),
            kind: kind.name(),
            name: name.clone(),
            organisation: change.organisation.clone(),
            lines: change.lines.clone(),
            differences: change.differences.clone(),
            two_persons: waits.map(|(_, guarded)| act_of(*guarded)),
        }
    }
}

impl Asked {
    fn declaration(self, operator: &Operator) -> Result<Declaration, Problem> {
        let said = |error: ConfigError| invalid(&error, operator, "");
        let sent = match (self.declaration, self.toml) {
            (Some(sent), None) => sent,
            (None, Some(text)) => toml::from_str(&text)
                .map_err(|error| said(ConfigError::of_toml("toml", &text, &error)))?,
            _ => {
                let reason = "say either this or `toml`";
                return Err(Problem::field("declaration", reason));
            }
        };
        if self.prune && operator.organisation().is_some() {
            let reason = "an operator of the whole gateway removes what is not declared";
            return Err(Problem::field("prune", reason));
        }
        wire::declaration(sent).map_err(said)
    }
}

async fn make(gateway: &Gateway, operator: &Operator, asked: Asked) -> Result<Plan, Problem> {
    let prune = asked.prune;
    let declaration = asked.declaration(operator)?;
    let about = operator.organisation().unwrap_or_default().to_owned();
    let told = |error| problem(error, operator, &about);
    let registered = gateway.registered().await.map_err(told)?;
    // What a tenant's operator must not touch is refused before it is told how it would go.
    let first = Plan::make(&registered, &declaration, prune);
    let first = first.map_err(|error| invalid(&error, operator, &about))?;
    for change in &first.changes {
        check_tenants(operator, &registered, change)?;
    }
    gateway.plan(&declaration, prune).await.map_err(told)
}

/// Whether a change is this operator's to make, whichever way it is asked for.
fn check_tenants(operator: &Operator, from: &Registered, change: &Change) -> Result<(), Problem> {
    let Some(own) = operator.organisation() else {
        return Ok(());
    };
    let (kind, name) = &change.key;
    if change.organisation.as_deref() != Some(own) {
        return Err(Code::NotFound.into());
    }
    let before = from.find(*kind, name);
    match (kind, change.act, before, &change.to) {
        (Kind::Organisation, Act::Change, Some(before), Some(to)) => {
            check_tenants_change(operator, *kind, &before.body, &to.body)
        }
        (Kind::RelyingParty, _, before, to) => {
            if before.is_some_and(|before| before.organisation.as_deref() != Some(own)) {
                return Err(Code::NameTaken.into());
            }
            let from = before.map_or(&Value::Null, |before| &before.body);
            let changed = to
                .as_ref()
                .map(|to| check_tenants_change(operator, *kind, from, &to.body));
            changed.unwrap_or(Ok(()))
        }
        _ => Err(Code::NotFound.into()),
    }
}

/// What a declaration would change. Nothing is changed
#[utoipa::path(
    post,
    path = "/admin/v1/registry/plan",
    tag = "Registry",
    request_body = Asked,
    responses((status = 200, description = "The plan, checked as at a start", body = Planned), Problems)
)]
async fn plan(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Told(asked): Told<Asked>,
) -> Result<Json<Planned>, Problem> {
    let mut plan = make(&gateway, &operator, asked).await?;
    let mut two_persons = Vec::new();
    if operator.may(Right::RegistryChange) {
        let waits = gateway.takes_two_persons(&plan).await;
        two_persons = waits.map_err(|error| problem(error, &operator, ""))?;
    } else {
        plan = plan.without_secrets();
    }
    let changes = plan.changes.iter();
    Ok(Json(Planned {
        plan: plan.digest(),
        text: plan.to_string(),
        changes: changes
            .map(|change| PlannedChange::of(change, &two_persons))
            .collect(),
    }))
}

/// A declaration, the plan that was seen of it, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Apply {
    /// As for the plan.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>, nullable = false)]
    declaration: Option<Value>,
    /// As for the plan.
    #[serde(default)]
    #[schema(nullable = false)]
    toml: Option<String>,
    /// As for the plan.
    #[serde(default)]
    prune: bool,
    /// The plan that you have seen, as `registry/plan` named it: another one is not carried out.
    #[schema(example = "0f3c…")]
    plan: String,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// Carry a plan out: all of it or nothing. What takes two persons is refused, and with it the rest
#[utoipa::path(
    post,
    path = "/admin/v1/registry/apply",
    tag = "Registry",
    request_body = Apply,
    responses((status = 204, description = "It is as declared. Every process follows within a second"), Problems)
)]
async fn apply(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Told(told): Told<Apply>,
) -> Result<StatusCode, Problem> {
    let why = Why::said(told.reason, told.ticket)?;
    let asked = Asked {
        declaration: told.declaration,
        toml: told.toml,
        prune: told.prune,
    };
    let make = || async {
        let plan = make(&gateway, &operator, asked.clone()).await?;
        // An empty one was carried out before.
        if !plan.is_empty() && plan.digest() != told.plan {
            return Err(Code::ChangedMeanwhile.into());
        }
        Ok(plan)
    };
    carry_out(&gateway, (&operator, &why), "", make).await?;
    Ok(StatusCode::NO_CONTENT)
}
