//! What an assurance file holds of a gateway, part by part: who may use it and since when, keys, operators, what is kept for
//! how long, figures. Nothing in it is about an employee, and nothing opens anything: secrets are counted and dated, never
//! shown, not even as digests; the address of a webhook, which may hold a word of its own, is shown as its origin.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::Statement;

use crate::admin::{Right, Role};
use crate::audit::{Act, Kept, of_act};
use crate::config::ConfigError;
use crate::keys::{GATEWAY, rows as key_rows, signed};
use crate::operator::desk::{Desk, DeskError};
use crate::registry::{self, RegistryError};
use crate::retention::{holds, plan, removals};
use crate::{Gateway, issue, status};

/// One part: its file and what is in it.
pub type Part = (String, Value);

impl Gateway {
    /// Every part that the database and the keys tell: how it stands now, and what was done in that time.
    pub async fn evidence(&self, time: (Timestamp, Timestamp)) -> Result<Vec<Part>, RegistryError> {
        let app = self.app();
        let mut parts = vec![
            ("keys.json".to_owned(), self.keys().await?),
            ("registry.json".to_owned(), self.registry().await?),
            ("onboarding.json".to_owned(), self.checklists().await?),
            ("client-secrets.json".to_owned(), self.secrets().await?),
            ("roles.json".to_owned(), roles()),
            ("operators.json".to_owned(), self.operators().await?),
            ("retention.json".to_owned(), self.kept(time).await?),
            ("backups.json".to_owned(), self.backups(time).await?),
            (
                "status-lists.json".to_owned(),
                json!(status::figures(&app.store, app.now()).await?),
            ),
        ];
        for organisation in app.organisations.iter() {
            let documents = issue::did_documents(&app, organisation);
            let documents: Map<String, Value> = documents.into_iter().collect();
            let name = format!("did/{}.json", organisation.id);
            parts.push((name, documents.into()));
        }
        Ok(parts)
    }

    /// Which keys there are and were, in which state since when, and what each signed. The public halves stand in the DID
    /// documents, and those of ID tokens here.
    async fn keys(&self) -> Result<Value, RegistryError> {
        let app = self.app();
        let now = app.now();
        let mut keys = Vec::new();
        for row in key_rows::find_all(&app.store).await? {
            let signed = if row.place.owner == GATEWAY {
                Vec::new()
            } else {
                signed::find_signed(&app.store, &row, now).await?
            };
            let signed: Vec<Value> = signed
                .iter()
                .map(|one| {
                    json!({
                        "credential_type": one.credential_type, "issued": one.issued, "in_force": one.in_force,
                    })
                })
                .collect();
            let public = app.keys.find(row.place.purpose, &row.place.owner, &row.kid);
            let days = |from: jiff::Timestamp| now.duration_since(from).as_hours() / 24;
            keys.push(json!({
                "kid": row.kid,
                "place": row.place.to_string(),
                "algorithm": row.algorithm.as_str(),
                "state": row.state.name(),
                "published_since": row.created_at,
                "signs_since": row.activated_at,
                "retired_at": row.retired_at,
                "ended_at": row.ended_at,
                "age_in_days": days(row.created_at),
                "public": public.map(standards::jose::Jwk::to_value),
                "signed": signed,
            }));
        }
        Ok(json!({ "at": now, "keys": keys }))
    }

    /// What is declared in the registry now, and every version that it had.
    async fn registry(&self) -> Result<Value, RegistryError> {
        let app = self.app();
        let registered = self.registered().await?;
        let now: Vec<Value> = registered
            .iter()
            .map(|((kind, name), entry, version)| {
                json!({
                    "kind": kind.name(),
                    "name": name,
                    "organisation": entry.organisation,
                    "version": version,
                    "body": without_secrets(&entry.body),
                })
            })
            .collect();
        let mut history = Vec::new();
        for (kind, name) in registry::find_names(&app.store).await? {
            for version in self.history(kind, &name).await? {
                history.push(json!({
                    "kind": kind.name(),
                    "name": name,
                    "version": version.version,
                    "act": version.act,
                    "body": without_secrets(&version.body),
                    "changed_at": version.changed_at,
                    "actor": version.actor,
                }));
            }
        }
        Ok(json!({ "declared": now, "history": history }))
    }

    /// The checklist of every relying party, with its evidence and dates.
    async fn checklists(&self) -> Result<Value, RegistryError> {
        let app = self.app();
        let mut lists = Vec::new();
        for party in app.organisations.relying_parties() {
            let list = self.onboarding(&party.client_id).await?;
            let items: Vec<Value> = list
                .iter()
                .map(|(item, settled)| json!({ "item": item, "label": item.label(), "settled": settled }))
                .collect();
            lists.push(json!({
                "client_id": party.client_id, "organisation": party.organisation.id, "items": items,
            }));
        }
        Ok(lists.into())
    }

    /// When the secrets of relying parties were made, last used and ended.
    async fn secrets(&self) -> Result<Value, RegistryError> {
        let app = self.app();
        let mut found = Vec::new();
        for (client_id, secrets) in registry::secrets::read(&app.store).await? {
            found.extend(secrets.into_iter().map(|one| {
                json!({
                    "client_id": client_id,
                    "id": one.id,
                    "made_at": one.created_at,
                    "last_used_at": one.last_used_at,
                    "ends_at": one.ends_at,
                })
            }));
        }
        found.sort_by_key(ToString::to_string);
        Ok(found.into())
    }

    /// Who may administer it, with their tokens' dates.
    async fn operators(&self) -> Result<Value, RegistryError> {
        let app = self.app();
        let desk = Desk {
            store: &app.store,
            random: &app.random,
            account: "",
            now: app.now(),
        };
        let all = desk.list().await.map_err(|error| match error {
            DeskError::Store(error) => RegistryError::Store(error),
            other => ConfigError::value("operators", other.to_string()).into(),
        })?;
        let sign_ins = Statement::new("SELECT operator, set_up_at FROM operator_sign_ins");
        let sign_ins = app.store.read(sign_ins).await?;
        let mut set_up = HashMap::new();
        for row in &sign_ins {
            set_up.insert(row.text("operator")?, row.timestamp("set_up_at")?);
        }
        // There is no way to sign in by a password alone: whoever is set up has both.
        let all: Vec<Value> = all
            .iter()
            .map(|(operator, tokens)| {
                let at = set_up.get(operator.id.as_str());
                json!({ "operator": operator, "password_and_authenticator_since": at, "tokens": tokens })
            })
            .collect();
        Ok(all.into())
    }

    /// What goes by which rule, and what a legal hold keeps; and what went on the days of that time.
    async fn kept(&self, time: (Timestamp, Timestamp)) -> Result<Value, RegistryError> {
        let app = self.app();
        let plan = plan(&app.store, app.now(), self.kept_for).await?;
        let holds = holds::find(&app.store, None).await?;
        let removed = removals::find(&app.store, time).await?;
        let (_, by_hand) = of_act(&app.store, Act::RetentionRun, time).await?;
        let by_hand: Vec<Value> = by_hand.iter().map(entry).collect();
        Ok(json!({
            "rules": plan, "holds": holds, "audit_days": self.audit_days, "removed": removed, "by_hand": by_hand,
        }))
    }

    /// Which backups were made, what came of rehearsals, and what was restored. With the last of each before that time: whoever
    /// rehearses once a quarter shows it in every month.
    async fn backups(&self, time: (Timestamp, Timestamp)) -> Result<Value, RegistryError> {
        let app = self.app();
        let mut told = Map::new();
        for (name, act) in [
            ("made", Act::BackupMade),
            ("drills", Act::RestoreDrilled),
            ("restores", Act::Restored),
            ("restores_accepted", Act::RestoreAccepted),
        ] {
            let (before, within) = of_act(&app.store, act, time).await?;
            let within: Vec<Value> = within.iter().map(entry).collect();
            let last = before.as_ref().map(entry);
            told.insert(
                name.to_owned(),
                json!({ "within": within, "last_before": last }),
            );
        }
        Ok(told.into())
    }
}

/// An entry of the audit, and where it stands there.
fn entry(kept: &Kept) -> Value {
    json!({
        "at": Timestamp::from_second(kept.at).ok(),
        "by": kept.actor,
        "of": kept.object,
        "detail": kept.detail,
        "position": kept.position,
    })
}

/// Which role has which right.
fn roles() -> Value {
    let roles = Role::ALL.map(|role| {
        let rights = Right::ALL.into_iter().filter(|right| role.may(*right));
        let rights: Vec<_> = rights.map(Right::code).collect();
        json!({ "role": role.name(), "rights": rights })
    });
    let rights =
        Right::ALL.map(|right| json!({ "right": right.code(), "means": right.sentence() }));
    json!({ "roles": roles, "rights": rights })
}

/// A declaration without what proves who somebody is, and without what an address may hold besides its host.
#[must_use]
pub fn without_secrets(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            let shown = members.iter().map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    ("client_secret_sha256", Value::Array(digests)) => {
                        json!(format!("{} not shown", digests.len()))
                    }
                    ("webhook", Value::Object(webhook)) => {
                        let url = webhook.get("url").and_then(Value::as_str);
                        let url = url.and_then(|url| url.parse::<url::Url>().ok());
                        json!({ "origin": url.map(|url| url.origin().ascii_serialization()) })
                    }
                    _ => without_secrets(value),
                };
                (name.clone(), value)
            });
            Value::Object(shown.collect())
        }
        Value::Array(values) => values.iter().map(without_secrets).collect(),
        other => other.clone(),
    }
}
