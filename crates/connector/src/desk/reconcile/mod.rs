//! Three lists of what is in force are compared: the desk's registry, the gateway's, and the one that is published for
//! everybody. They differ after a database was restored, after somebody revoked by hand, or by a fault of anybody's.
//!
//! What is on its way is not looked at, nor what a stored revocation is about: that is settled by the desk's own work.

mod compare;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use store::{Row, Statement, StoreError};
use uuid::Uuid;

use super::{Cause, Desk, Stage, reference_of};
use crate::{Connector, DiscoverError, GatewayFault, KnownCredential, PublishedList};
use compare::compare;

/// How many credentials are read, asked about and compared at once.
const AT_ONCE: usize = 100;

/// How two lists differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceCode {
    /// Here it is issued; the gateway knows nothing of it, so nobody can revoke it there.
    IssuedHereUnknownThere,
    /// The gateway has revoked it; here it is issued.
    RevokedThereNotHere,
    /// Here it is revoked; at the gateway it is in force.
    RevokedHereNotThere,
    /// Here it never reached a wallet; at the gateway it is in force.
    NotIssuedHereInForceThere,
    /// At the gateway it is in force; here nobody ever heard of it, as after an older copy of the database was restored.
    InForceThereUnknownHere,
    /// The gateway has revoked it; its published list says that it counts.
    NotRevokedInList,
    /// At the gateway it is in force; its published list says that it does not count.
    RevokedInListNotThere,
    /// A published list cannot be had, or is not to be believed.
    ListUnusable,
}

impl DifferenceCode {
    /// Every code.
    pub const ALL: [Self; 8] = [
        Self::IssuedHereUnknownThere,
        Self::RevokedThereNotHere,
        Self::RevokedHereNotThere,
        Self::NotIssuedHereInForceThere,
        Self::InForceThereUnknownHere,
        Self::NotRevokedInList,
        Self::RevokedInListNotThere,
        Self::ListUnusable,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::IssuedHereUnknownThere => "issued-here-unknown-there",
            Self::RevokedThereNotHere => "revoked-there-not-here",
            Self::RevokedHereNotThere => "revoked-here-not-there",
            Self::NotIssuedHereInForceThere => "not-issued-here-in-force-there",
            Self::InForceThereUnknownHere => "in-force-there-unknown-here",
            Self::NotRevokedInList => "not-revoked-in-list",
            Self::RevokedInListNotThere => "revoked-in-list-not-there",
            Self::ListUnusable => "list-unusable",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What differs.
    pub code: DifferenceCode,
    /// Of which credential; `None` where it is about a whole list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<Uuid>,
    /// The credential's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_type: Option<String>,
    /// The gateway's cause, where it has revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The published list that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_list: Option<String>,
}

/// What comes of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Reconciliation {
    /// Credentials that were compared.
    pub compared: u64,
    /// Credentials of which something is still to be done or learnt: not compared.
    pub waiting: u64,
    /// Published lists that were read and whose signature holds.
    pub lists: u64,
    /// What differs.
    pub differences: Vec<Difference>,
}

impl Reconciliation {
    /// Whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }

    /// For programs: a line of JSON for each difference, and one with the sums. No personal data.
    pub fn to_json_lines(&self) -> String {
        let sums = serde_json::json!({
            "summary": {
                "compared": self.compared,
                "waiting": self.waiting,
                "lists": self.lists,
                "differences": self.differences.len(),
            },
        });
        let differences = self.differences.iter();
        let lines = differences.filter_map(|one| serde_json::to_string(one).ok());
        lines
            .chain([sums.to_string()])
            .map(|line| line + "\n")
            .collect()
    }
}

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// The gateway could not be found.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// The gateway did not tell.
    #[error(transparent)]
    Gateway(#[from] GatewayFault),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What stands in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Registered {
    serial_number: Uuid,
    credential_type: String,
    stage: Stage,
    /// A revocation is stored and not done.
    is_waiting: bool,
}

impl Registered {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let no_stage = || StoreError::Column {
            column: "stage".to_owned(),
            wanted: "a stage",
        };
        Ok(Self {
            serial_number: super::registry::parse_serial_number(row.text("serial_number")?)?,
            credential_type: row.text("credential_type")?.to_owned(),
            stage: Stage::parse(row.text("stage")?).ok_or_else(no_stage)?,
            is_waiting: row.boolean("is_waiting")?,
        })
    }

    fn is_settled(&self) -> bool {
        !self.is_waiting && !matches!(self.stage, Stage::Asked | Stage::Checking)
    }
}

/// Published lists, each fetched once; `None` for one that is unusable.
type Lists = HashMap<String, Option<PublishedList>>;

impl Desk {
    /// Compare registry, gateway and published status lists. Changes nothing, here or there.
    pub async fn reconcile(&self) -> Result<Reconciliation, ReconcileError> {
        let connector = self.0.gateway.connector().await?;
        let mut found = Reconciliation::default();
        let mut lists = Lists::new();
        let mut after = String::new();
        loop {
            let some = self.registered_after(&after).await?;
            let Some(last) = some.last() else {
                break;
            };
            after = last.serial_number.to_string();
            let (settled, open): (Vec<_>, Vec<_>) =
                some.into_iter().partition(Registered::is_settled);
            found.waiting += u64::try_from(open.len()).unwrap_or(u64::MAX);
            found.compared += u64::try_from(settled.len()).unwrap_or(u64::MAX);
            let differences = self.differences(connector, &settled, &mut lists).await?;
            // What moved while the gateway was asked is settled elsewhere.
            found
                .differences
                .extend(self.unmoved(&settled, differences).await?);
        }
        found
            .differences
            .extend(self.unknown_here(connector).await?);
        found.lists = lists
            .values()
            .flatten()
            .count()
            .try_into()
            .unwrap_or(u64::MAX);
        let unusable = lists.into_iter().filter(|(_, list)| list.is_none());
        found
            .differences
            .extend(unusable.map(|(uri, _)| Difference {
                code: DifferenceCode::ListUnusable,
                serial_number: None,
                credential_type: None,
                cause: None,
                status_list: Some(uri),
            }));
        Ok(found)
    }

    /// Do what can be done about a difference: revoke what should be revoked, and mark what is. Stored, and carried out by
    /// [`Desk::keep_working`]. True if something was stored.
    ///
    /// The employee is told of what the gateway revoked by itself, and that it was the gateway; of what somebody else of the
    /// organisation had revoked, whoever did that has told them, or is to. A cause that was kept before stays.
    pub async fn repair(&self, difference: &Difference) -> Result<bool, StoreError> {
        let Some(serial_number) = difference.serial_number else {
            return Ok(false);
        };
        let by_itself = difference.cause.as_deref() != Some("relying-party");
        let (stage, tell, cause) = match difference.code {
            DifferenceCode::RevokedThereNotHere => ("issued", by_itself, Cause::RevokedAtGateway),
            DifferenceCode::RevokedHereNotThere => ("revoked", false, Cause::NotConfirmed),
            DifferenceCode::NotIssuedHereInForceThere => ("not-issued", false, Cause::NotConfirmed),
            _ => return Ok(false),
        };
        let want = Statement::new(
            "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
             SELECT serial_number, COALESCE(reason, CAST($1 AS TEXT)), CAST($2 AS BIGINT), CAST($3 AS BIGINT), 0, \
                    CAST($3 AS BIGINT) \
             FROM connector_credentials WHERE serial_number = $4 AND stage = $5 \
             ON CONFLICT (serial_number) DO UPDATE SET done_at = NULL, tell = excluded.tell, attempts = 0, \
             next_at = excluded.next_at, fault = NULL WHERE connector_revocations.done_at IS NOT NULL",
        )
        .bind(cause.code())
        .bind(tell)
        .bind(self.now())
        .bind(serial_number.to_string())
        .bind(stage);
        let written = self.0.store.write([want]).await?;
        let stored = written.iter().any(|outcome| outcome.changed > 0);
        let reference = reference_of(&serial_number.to_string());
        tracing::info!(
            reference,
            code = difference.code.code(),
            stored,
            "a difference is repaired"
        );
        self.wake();
        Ok(stored)
    }

    /// What is in force at the gateway and not in the registry. A serial number is written here before the gateway hears of
    /// it, so that what is not here now never was.
    async fn unknown_here(&self, connector: &Connector) -> Result<Vec<Difference>, ReconcileError> {
        let mut unknown = Vec::new();
        let mut last = Uuid::nil();
        loop {
            let some = connector.credentials_in_force(last).await?;
            let Some(furthest) = some.iter().map(|one| one.serial_number).max() else {
                return Ok(unknown);
            };
            last = furthest;
            let here = self.registered_among(&some).await?;
            let missing = some
                .into_iter()
                .filter(|one| !here.contains(&one.serial_number));
            unknown.extend(missing.map(|one| Difference {
                code: DifferenceCode::InForceThereUnknownHere,
                serial_number: Some(one.serial_number),
                credential_type: Some(one.credential_type),
                cause: None,
                status_list: None,
            }));
        }
    }

    async fn registered_among(
        &self,
        known: &[KnownCredential],
    ) -> Result<HashSet<Uuid>, StoreError> {
        let places: Vec<String> = (1..=known.len()).map(|place| format!("${place}")).collect();
        let select = Statement::new(format!(
            "SELECT serial_number FROM connector_credentials WHERE serial_number IN ({})",
            places.join(", ")
        ));
        let select = known.iter().fold(select, |select, one| {
            select.bind(one.serial_number.to_string())
        });
        let rows = self.0.store.read(select).await?;
        rows.iter()
            .map(|row| super::registry::parse_serial_number(row.text("serial_number")?))
            .collect()
    }

    async fn registered_after(&self, after: &str) -> Result<Vec<Registered>, StoreError> {
        let select = registered("c.serial_number > $1", AT_ONCE).bind(after);
        let rows = self.0.store.read(select).await?;
        rows.iter().map(Registered::read).collect()
    }

    async fn differences(
        &self,
        connector: &Connector,
        settled: &[Registered],
        lists: &mut Lists,
    ) -> Result<Vec<Difference>, GatewayFault> {
        let numbers: Vec<Uuid> = settled.iter().map(|one| one.serial_number).collect();
        let known: HashMap<Uuid, KnownCredential> = connector
            .look_up_credentials(&numbers)
            .await?
            .into_iter()
            .map(|known| (known.serial_number, known))
            .collect();
        let mut differences = Vec::new();
        for here in settled {
            let there = known.get(&here.serial_number);
            if let Some(there) = there {
                let uri = &there.status_list.uri;
                if !lists.contains_key(uri) {
                    let list = connector.status_list(&there.issuer, uri).await;
                    let list = list.inspect_err(|fault| {
                        tracing::warn!(uri, %fault, "a published status list is unusable");
                    });
                    lists.insert(uri.clone(), list.ok());
                }
            }
            let list = there.and_then(|there| lists.get(&there.status_list.uri)?.as_ref());
            differences.extend(compare(here, there, list));
        }
        Ok(differences)
    }

    /// Those whose credential still is in the registry what it was.
    async fn unmoved(
        &self,
        settled: &[Registered],
        differences: Vec<Difference>,
    ) -> Result<Vec<Difference>, StoreError> {
        let mut moved = HashSet::new();
        let concerned: HashSet<Uuid> = differences
            .iter()
            .filter_map(|difference| difference.serial_number)
            .collect();
        for here in settled {
            if !concerned.contains(&here.serial_number) {
                continue;
            }
            let again = registered("c.serial_number = $1", 1).bind(here.serial_number.to_string());
            let row = self.0.store.read_one(again).await?;
            let now = row.as_ref().map(Registered::read).transpose()?;
            if now.as_ref() != Some(here) {
                moved.insert(here.serial_number);
            }
        }
        let stays = |difference: &Difference| {
            let number = difference.serial_number;
            number.is_none_or(|number| !moved.contains(&number))
        };
        Ok(differences.into_iter().filter(stays).collect())
    }
}

fn registered(which: &str, most: usize) -> Statement {
    Statement::new(format!(
        "SELECT c.serial_number, c.credential_type, c.stage, \
         CASE WHEN r.serial_number IS NOT NULL THEN 1 ELSE 0 END AS is_waiting \
         FROM connector_credentials c LEFT JOIN connector_revocations r \
         ON r.serial_number = c.serial_number AND r.done_at IS NULL \
         WHERE {which} ORDER BY c.serial_number LIMIT {most}"
    ))
}

/// That moment, if the gateway has revoked it.
fn revoked_at(there: &KnownCredential) -> Option<Timestamp> {
    there.revoked.as_ref().map(|revoked| revoked.at)
}
