//! The versions that a declared thing had, and what each changed.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::{Kind, diff};
use super::{problem, shown};
use crate::Gateway;
use crate::admin::{Operator, Problem};

/// One version.
#[derive(Serialize, ToSchema)]
#[schema(as = RegistryVersion)]
#[allow(clippy::struct_field_names)] // as on the wire
pub(super) struct Version {
    /// Its number, from 1.
    version: i64,
    /// `add`, `change` or `remove`.
    act: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// Who brought it.
    #[schema(example = "operator:op-k7q2-9mfd")]
    actor: String,
    /// What differs from the version before, a line each.
    lines: Vec<String>,
    /// What it said, without secrets; absent where it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, Value>>)]
    declared: Option<Value>,
}

/// Versions.
#[derive(Serialize, ToSchema)]
#[schema(as = RegistryVersions)]
pub(super) struct Versions {
    /// The newest first; none of what stands in the configuration file.
    versions: Vec<Version>,
}

/// Those that the operator may see: of one organisation only, what was that organisation's then.
pub(super) async fn find(
    gateway: &Gateway,
    operator: &Operator,
    kind: Kind,
    name: &str,
) -> Result<Versions, Problem> {
    let history = gateway.history(kind, name).await;
    let history = history.map_err(|error| problem(error, operator, name))?;
    let visible: Vec<_> = history
        .into_iter()
        .filter(|one| kind == Kind::CredentialType || operator.sees(one.organisation.as_deref()))
        .collect();
    let before = visible.iter().skip(1).map(Some).chain([None]);
    let versions = visible.iter().zip(before).map(|(one, before)| {
        let declared = Some(shown(&one.body)).filter(Value::is_object);
        let earlier = before
            .map(|before| shown(&before.body))
            .filter(Value::is_object);
        let lines = match (&earlier, &declared) {
            (Some(from), Some(to)) => diff::lines(from, to),
            _ => Vec::new(),
        };
        Version {
            version: one.version,
            act: one.act.clone(),
            changed_at: one.changed_at,
            actor: one.actor.clone(),
            lines,
            declared,
        }
    });
    Ok(Versions {
        versions: versions.collect(),
    })
}
